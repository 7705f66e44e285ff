//! The page beside or below a list: what there is to say of the row that is selected.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::super::layout::inside;
use super::super::model::{Focus, Model};
use super::super::msg::View;
use super::super::text::Row;
use super::{findings, lines, objects, title};

/// A page: its title, and its rows.
pub(super) type Page = (String, Vec<Row>);

/// Draws it.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let width = usize::from(area.width);
    let focused = model.focus != Focus::List;
    let (name, rows) = page(model, width);
    let room = inside(area);
    let top = model.page_top.min(rows.len().saturating_sub(room));
    let more = if rows.len() > top + room && !focused { " (Tab and j for the rest)" } else { "" };
    let mut drawn = vec![title(model, &format!("{name}{more}"), area.width, focused)];
    let shown = rows.iter().skip(top).take(room);
    drawn.extend(shown.map(|row| row.line(width, model.theme, None)));
    lines(frame, area, drawn);
}

/// Rows of the page.
pub(in crate::tui) fn len(model: &Model<'_>) -> usize {
    page(model, usize::from(model.layout().side.width)).1.len()
}

fn page(model: &Model<'_>, width: usize) -> Page {
    match model.view {
        View::Objects => objects::page(model, width),
        _ => findings::page(model, width),
    }
}
