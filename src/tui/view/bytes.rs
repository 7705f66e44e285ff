//! The bytes of what is selected: of a message as it was put together, or of a frame that carried it.
//!
//! ```text
//!  ── request stub │ frame 57 ──────────────────────────────────────────────
//!   0000  84 a2 45 59 68 f3 29 49  b1 61 2f 18 27 4a b8 35   ..EYh.)I.a/.'J.5
//!   0010 [20 bf 02 00]                                        ...
//! ```
//!
//! The brackets stand around the bytes of the field that is selected, for those who see no colours.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::layout::inside;
use super::super::model::{Focus, Model};
use super::super::text::{Row, wrap};
use super::super::theme::{Role, Theme};
use super::{lines, title};
use crate::bytes::{Buffer, Span, index};

/// Columns before the first byte.
const GUTTER: u16 = 8;

/// Bytes in a line of a pane.
pub(in crate::tui) fn per_row(pane: Rect) -> u32 {
    // Each byte takes three columns and one more as text; after eight there is a gap.
    match pane.width {
        75.. => 16,
        42.. => 8,
        _ => 4,
    }
}

/// The byte at a column and row of the screen.
pub(in crate::tui) fn at(model: &Model<'_>, pane: Rect, x: u16, y: u16) -> Option<u32> {
    let per_row = per_row(pane);
    let row = usize::from(y.checked_sub(pane.y)?.checked_sub(1)?);
    let column = u32::from(x.checked_sub(pane.x)?.checked_sub(GUTTER)?);
    let digits = per_row * 3 + u32::from(per_row > 8);
    let byte = if column < digits {
        // The gap belongs to the byte before it.
        let gap = u32::from(per_row > 8 && column >= 24);
        column.saturating_sub(gap) / 3
    } else {
        column.checked_sub(digits + 1)?
    };
    let first = u32::try_from(model.detail.top.saturating_add(row)).ok()?.checked_mul(per_row)?;
    let at = first.checked_add(byte.min(per_row - 1))?;
    (at < model.detail.shown().map_or(0, Buffer::len)).then_some(at)
}

/// Draws the bytes that are on the screen.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let detail = &model.detail;
    let focused = model.focus == Focus::Bytes;
    let width = usize::from(area.width);
    let mut drawn = vec![title(model, &tabs(model, width), area.width, focused)];
    let plain =
        |text: &str, role| Row::one(format!("  {text}"), role).line(width, model.theme, None);
    match (detail.shown(), &detail.frame) {
        (Some(bytes), _) if !bytes.is_empty() => {
            let per_row = per_row(area);
            let lit = detail.lit();
            let first = detail.top;
            for row in first..first.saturating_add(inside(area)) {
                let Some(start) = u32::try_from(row).ok().and_then(|row| row.checked_mul(per_row))
                else {
                    break;
                };
                if start >= bytes.len() {
                    break;
                }
                let cursor = focused.then_some(detail.cursor);
                drawn.push(line(bytes, start, per_row, &lit, cursor, width, model.theme));
            }
        }
        (None, Some((_, Err(error)))) if detail.tab > 0 => {
            drawn.extend(
                wrap(error, width.saturating_sub(4)).iter().map(|text| plain(text, Role::Bad)),
            );
        }
        _ if detail.selected().is_some_and(|field| field.page.is_none()) => {
            drawn.push(plain("this row was not read from bytes of its own", Role::Dim));
        }
        _ if detail.subject.is_some() && detail.error.is_none() => {
            drawn.push(plain("no bytes", Role::Dim));
        }
        _ => {}
    }
    lines(frame, area, drawn);
}

/// Whose bytes there are; those that are shown have brackets.
fn tabs(model: &Model<'_>, width: usize) -> String {
    let detail = &model.detail;
    let page = detail.selected().and_then(|field| field.page);
    let Some(page) = page.and_then(|page| detail.pages.get(page)) else {
        return "bytes".to_owned();
    };
    let names = std::iter::once(page.tab.clone())
        .chain(detail.frames.iter().map(|frame| format!("frame {}", frame.0)));
    let named: Vec<String> = names
        .enumerate()
        .map(|(at, name)| if at == detail.tab { format!("[{name}]") } else { name })
        .collect();
    // What is shown must be seen: where there are many, those around it.
    let room = width.saturating_sub(8);
    let mut from = 0;
    while from < detail.tab
        && named.get(from..=detail.tab).unwrap_or_default().join(" ").chars().count() > room
    {
        from += 1;
    }
    let before = if from > 0 { "… " } else { "" };
    format!("{before}{}", named.get(from..).unwrap_or_default().join(" "))
}

fn line(
    bytes: &Buffer,
    start: u32,
    per_row: u32,
    lit: &[Span],
    cursor: Option<u32>,
    width: usize,
    theme: Theme,
) -> Line<'static> {
    let view = bytes.view();
    let end = start.saturating_add(per_row).min(bytes.len());
    let mut row = Row::one(format!(" {start:05x} "), Role::Dim);
    let is_lit = |at: u32| lit.iter().any(|span| (span.start..span.end).contains(&at));
    let role = |at: u32| match (cursor == Some(at), is_lit(at)) {
        (true, _) => Role::Cursor,
        (false, true) => Role::Lit,
        (false, false) => Role::Plain,
    };
    let mut text: Vec<(char, Role)> = Vec::new();
    let mut before = false;
    for at in start..start.saturating_add(per_row) {
        let here = at < end && is_lit(at);
        // Brackets for those who see no colours; between two bytes of a field nothing but a space.
        let between = match (before, here) {
            (false, true) => "[",
            (true, false) => "]",
            _ => " ",
        };
        row.push(between, if before && here { Role::Lit } else { Role::Plain });
        if per_row > 8 && at == start + 8 {
            row.push(" ", if before && here { Role::Lit } else { Role::Plain });
        }
        before = here;
        if at >= end {
            row.push("  ", Role::Plain);
            continue;
        }
        let octet = view.bytes().get(index(at)).copied().unwrap_or_default();
        if view.hole_in(Span::new(at, at + 1)).is_some() {
            row.push("··", Role::Doubt);
            text.push((' ', role(at)));
        } else {
            row.push(format!("{octet:02x}"), role(at));
            let letter = if (0x20..0x7f).contains(&octet) { char::from(octet) } else { '.' };
            text.push((letter, role(at)));
        }
    }
    row.push(if before { "] " } else { "  " }, Role::Plain);
    for (letter, role) in text {
        row.push(letter, role);
    }
    row.line(width, theme, None)
}
