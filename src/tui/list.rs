//! [`List`]: which row is selected, and which rows are on the screen. It knows no rows: a million
//! of them cost nothing.

/// A place in a list of rows that lie elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    /// The row that is selected.
    pub(super) at: usize,
    /// The first row on the screen.
    pub(super) top: usize,
}

impl List {
    /// Moves by so many rows.
    pub(super) fn step(&mut self, by: i64, len: usize) {
        let by = isize::try_from(by).unwrap_or(if by < 0 { isize::MIN } else { isize::MAX });
        self.at = self.at.saturating_add_signed(by).min(len.saturating_sub(1));
    }

    /// Moves the screen so that the selected row is on it.
    pub(super) fn show(&mut self, height: usize, len: usize) {
        self.at = self.at.min(len.saturating_sub(1));
        let height = height.max(1);
        if self.at < self.top {
            self.top = self.at;
        } else if self.at - self.top >= height {
            self.top = self.at + 1 - height;
        }
        // No empty rows at the end while there are rows before.
        self.top = self.top.min(len.saturating_sub(height));
    }

    /// Moves the screen by so many rows, and the selection with it where it would leave.
    pub(super) fn scroll(&mut self, by: i64, height: usize, len: usize) {
        let by = isize::try_from(by).unwrap_or_default();
        let most = len.saturating_sub(height.max(1));
        self.top = self.top.saturating_add_signed(by).min(most);
        let last = self.top.saturating_add(height.max(1)).saturating_sub(1);
        self.at = self.at.clamp(self.top, last.min(len.saturating_sub(1)).max(self.top));
        self.at = self.at.min(len.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_is_on_the_screen() {
        let mut list = List::default();
        list.step(25, 100);
        list.show(10, 100);
        assert_eq!(list, List { at: 25, top: 16 });
        list.step(-15, 100);
        list.show(10, 100);
        assert_eq!(list, List { at: 10, top: 10 });
        list.step(i64::MAX, 100);
        list.show(10, 100);
        assert_eq!(list, List { at: 99, top: 90 });
        list.scroll(-5, 10, 100);
        assert_eq!(list, List { at: 94, top: 85 });
        list.scroll(-500, 10, 100);
        assert_eq!(list, List { at: 9, top: 0 });
        list.show(10, 3);
        assert_eq!(list, List { at: 2, top: 0 });
        list.scroll(5, 10, 0);
        list.step(-3, 0);
        list.show(0, 0);
        assert_eq!(list, List { at: 0, top: 0 });
    }
}
