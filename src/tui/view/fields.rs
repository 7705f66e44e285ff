//! The fields of the call or frame that is selected.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::super::detail::Field;
use super::super::layout::inside;
use super::super::model::{Focus, Model};
use super::super::text::{Row, wrap};
use super::super::theme::Role;
use super::{lines, title};

/// Draws the rows that are on the screen.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let width = usize::from(area.width);
    let detail = &model.detail;
    let focused = model.focus == Focus::Fields;
    let text = if detail.title.is_empty() { "fields" } else { &detail.title };
    let mut drawn = vec![title(model, text, area.width, focused)];
    if let Some(error) = &detail.error {
        for text in wrap(error, width.saturating_sub(4)) {
            drawn.push(Row::one(format!("  {text}"), Role::Bad).line(width, model.theme, None));
        }
    }
    let shown = detail.visible.iter().enumerate().skip(detail.list.top).take(inside(area));
    for (row, at) in shown {
        let Some(field) = detail.fields.get(*at) else { continue };
        let over = match (row == detail.list.at, focused) {
            (true, true) => Some(Role::Selected),
            (true, false) => Some(Role::Held),
            (false, _) => None,
        };
        drawn.push(line(field, detail.is_closed(row)).line(width, model.theme, over));
    }
    lines(frame, area, drawn);
}

fn line(field: &Field, closed: bool) -> Row {
    let sign = match (field.group, closed) {
        (false, _) => "  ",
        (true, true) => "▸ ",
        (true, false) => "▾ ",
    };
    let indent = "  ".repeat(field.depth);
    let row = Row::one(format!("{indent}{sign}"), Role::Dim);
    if field.depth == 0 {
        return row.add(field.name.clone(), Role::Head);
    }
    if field.value.is_empty() {
        return row.add(field.name.clone(), Role::Name);
    }
    row.add(format!("{}: ", field.name), Role::Name).add(field.value.clone(), Role::Plain)
}
