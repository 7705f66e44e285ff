//! Text in columns of the screen, where a character may take none, one or two.

use ratatui::text::{Line, Span};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::theme::{Role, Theme};

/// Columns that `text` takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// `text` in at most `width` columns; if it is longer, its end becomes an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    // Of what is megabytes long no more is looked at than there can be room for.
    let most = width.saturating_mul(16).saturating_add(64);
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let start = text.get(..end.unwrap_or(0)).unwrap_or_default();
    if start.len() == text.len() && columns(text) <= width {
        return text.to_owned();
    }
    let text = start;
    // Characters that stand together may take another width than each alone: a heart with the
    // selector for emoji is wider, so what is kept is measured as it is.
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if columns(&kept) + 1 > width {
            kept.pop();
            break;
        }
    }
    // Taking one away may leave what is wider without it.
    while columns(&kept) + 1 > width && kept.pop().is_some() {}
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// `text` in exactly `width` columns.
pub(super) fn fit(text: &str, width: usize) -> String {
    let mut text = cut(text, width);
    let missing = width.saturating_sub(columns(&text));
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

/// `text` in exactly `width` columns, at their right end.
pub(super) fn right(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let missing = width.saturating_sub(columns(&text));
    format!("{}{text}", " ".repeat(missing))
}

/// `text` in lines of `width` columns, broken between words, and within those that are longer.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut len = columns(word);
        if used > 0 && used + 1 + len > width {
            lines.push(String::new());
            used = 0;
        }
        if used > 0 {
            push(&mut lines, " ");
            used += 1;
        }
        if len > width {
            for c in word.chars() {
                let of = c.width().unwrap_or(0);
                if used + of > width {
                    lines.push(String::new());
                    used = 0;
                }
                push(&mut lines, c.encode_utf8(&mut [0; 4]));
                used += of;
            }
            len = 0;
        } else {
            push(&mut lines, word);
        }
        used += len;
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// A line that is built piece by piece, and never longer than it may be.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pieces: Vec<(String, Role)>,
}

impl Row {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn one(text: impl Into<String>, role: Role) -> Self {
        Self::new().add(text, role)
    }

    pub(super) fn add(mut self, text: impl Into<String>, role: Role) -> Self {
        self.push(text, role);
        self
    }

    pub(super) fn push(&mut self, text: impl Into<String>, role: Role) {
        self.pieces.push((text.into(), role));
    }

    /// In at most `width` columns.
    pub(super) fn cut(self, width: usize) -> Self {
        let mut left = width;
        let mut row = Self::new();
        for (text, role) in self.pieces {
            let text = cut(&text, left);
            left = left.saturating_sub(columns(&text));
            row.push(text, role);
        }
        row
    }

    /// Appends another.
    pub(super) fn append(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
    }

    /// Its text without colours.
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|(text, _)| text.as_str()).collect()
    }

    /// Columns that it takes.
    pub(super) fn columns(&self) -> usize {
        self.pieces.iter().map(|(text, _)| columns(text)).sum()
    }

    /// As the screen has it, filled to `width` columns; `over` goes before what its pieces are.
    pub(super) fn line(&self, width: usize, theme: Theme, over: Option<Role>) -> Line<'static> {
        let mut left = width;
        let mut spans = Vec::with_capacity(self.pieces.len() + 1);
        let over = over.map(|role| theme.style(role));
        let style = |role| {
            let own = theme.style(role);
            over.map_or(own, |over| own.patch(over))
        };
        for (text, role) in &self.pieces {
            let text = cut(text, left);
            left = left.saturating_sub(columns(&text));
            spans.push(Span::styled(text, style(*role)));
            if left == 0 {
                break;
            }
        }
        if left > 0 {
            spans.push(Span::styled(" ".repeat(left), style(Role::Plain)));
        }
        Line::from(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_combining_characters_are_measured() {
        assert_eq!(columns("日本"), 4);
        assert_eq!(columns("e\u{301}x"), 2);
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(fit("日本", 5), "日本 ");
        assert_eq!(right("ab", 4), "  ab");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("abc", 1), "…");
    }

    #[test]
    fn nothing_is_wider_than_it_may_be() {
        let strange =
            ["❤\u{fe0f}", "👩\u{1f3fd}", "🇩🇪", "ﷺ", "한", "e\u{301}", "\u{644}\u{627}", "a", "日"];
        assert_eq!(cut(&"\u{301}".repeat(1 << 20), 5).chars().last(), Some('…'));
        for n in 0..400usize {
            let text: String =
                (0..n % 23).map(|at| strange[(n * 7 + at * 5 + at * at) % strange.len()]).collect();
            for width in 0..30 {
                assert!(columns(&cut(&text, width)) <= width, "{text} in {width}");
                assert_eq!(columns(&fit(&text, width)), width, "{text} in {width}");
            }
        }
    }

    #[test]
    fn lines_break_between_words_and_within_long_ones() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
    }
}
