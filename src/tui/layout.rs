//! Where the panes are. The same answer for what draws them and for what a click means.
//!
//! ```text
//!  ┌ tabs ────────────────────────────────────┐   wide                  80 × 24
//!  │ list                                     │   ┌────────────────┐    ┌─────────────┐
//!  ├ fields ───────────────┬ bytes ───────────┤   │ list           │    │ list        │
//!  │                       │                  │   ├────────┬───────┤    ├─────────────┤
//!  ├ line that is typed, offers ──────────────┤   │ fields │ bytes │    │ fields      │
//!  └ status ──────────────────────────────────┘   └────────┴───────┘    ├─────────────┤
//!                                                                       │ bytes       │
//!                                                                       └─────────────┘
//! ```

use ratatui::layout::Rect;

use super::model::{Focus, Model};
use super::msg::{Ask, View};

/// Columns from which fields and bytes stand side by side.
const WIDE: u16 = 120;
/// Rows of offers above a line that is typed.
const OFFERS: u16 = 6;

/// Where everything is. A pane that has no room has no rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) tabs: Rect,
    /// With its title.
    pub(super) list: Rect,
    pub(super) fields: Rect,
    pub(super) bytes: Rect,
    /// What stands beside or below a list that has no fields: the page of a finding.
    pub(super) side: Rect,
    pub(super) prompt: Rect,
    pub(super) status: Rect,
}

impl Model<'_> {
    /// Where everything is on a screen of this size.
    pub(super) fn layout(&self) -> Layout {
        let (width, height) = self.size;
        let row = |y: u16, height: u16| Rect { x: 0, y, width, height };
        let mut layout = Layout::default();
        if height == 0 || width == 0 {
            return layout;
        }
        layout.tabs = row(0, 1);
        let mut bottom = height;
        if height > 1 {
            bottom -= 1;
            layout.status = row(bottom, 1);
        }
        if let Some(prompt) = &self.prompt {
            let offers = match prompt.ask {
                Ask::Filter => OFFERS,
                _ => 0,
            };
            let rows =
                (2 + offers).min(bottom.saturating_sub(4)).max(1).min(bottom.saturating_sub(1));
            bottom -= rows;
            layout.prompt = row(bottom, rows);
        }
        let body = row(1.min(bottom), bottom.saturating_sub(1));
        match self.view {
            View::Calls | View::Packets => self.three(body, &mut layout),
            View::Findings => self.two(body, &mut layout, [40, 25], true),
            // Tables take the whole width.
            View::Objects => self.two(body, &mut layout, [60, 40], false),
            _ => layout.list = body,
        }
        layout
    }

    /// A list, and a page beside it, or below where there is no room or it is not to be `beside`; then
    /// the list has so many hundredths, with the keys and without.
    fn two(&self, body: Rect, layout: &mut Layout, [with, without]: [u32; 2], beside: bool) {
        if self.rows() == 0 && self.view == View::Objects {
            layout.list = body;
            return;
        }
        match (self.zoom, self.focus) {
            (true, Focus::List) => layout.list = body,
            (true, _) => layout.side = body,
            (false, _) if beside && body.width >= WIDE => {
                let left = share(body.width, 50);
                layout.list = Rect { width: left, ..body };
                layout.side = Rect { x: body.x + left, width: body.width - left, ..body };
            }
            (false, focus) => {
                let list = if focus == Focus::List { with } else { without };
                (layout.list, layout.side) = split(body, share(body.height, list));
            }
        }
    }

    /// A list, and the fields and bytes of what is selected in it.
    fn three(&self, body: Rect, layout: &mut Layout) {
        if self.rows() == 0 {
            layout.list = body;
            return;
        }
        if self.zoom {
            match self.focus {
                Focus::List => layout.list = body,
                Focus::Fields => layout.fields = body,
                Focus::Bytes => layout.bytes = body,
            }
            return;
        }
        if body.width >= WIDE {
            let list = share(body.height, if self.focus == Focus::List { 50 } else { 40 });
            let (top, rest) = split(body, list);
            layout.list = top;
            let left = share(rest.width, 52);
            layout.fields = Rect { width: left, ..rest };
            layout.bytes = Rect { x: rest.x + left, width: rest.width - left, ..rest };
            return;
        }
        // The pane that takes the keys is given more.
        let (list, fields) = match self.focus {
            Focus::List => (46, 32),
            Focus::Fields => (28, 46),
            Focus::Bytes => (28, 32),
        };
        let (top, rest) = split(body, share(body.height, list));
        layout.list = top;
        let (middle, last) = split(rest, share(body.height, fields));
        layout.fields = middle;
        layout.bytes = last;
    }
}

/// So many hundredths.
fn share(of: u16, hundredths: u32) -> u16 {
    u16::try_from(u32::from(of) * hundredths / 100).unwrap_or(of)
}

fn split(body: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(body.height);
    let top = Rect { height, ..body };
    (top, Rect { y: body.y + height, height: body.height - height, ..body })
}

/// The rows of a pane below its title.
pub(super) fn inside(pane: Rect) -> usize {
    usize::from(pane.height.saturating_sub(1))
}
