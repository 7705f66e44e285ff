//! The keys, from their table.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::Clear;

use super::super::keys::GROUPS;
use super::super::model::Model;
use super::super::text::{Row, fit};
use super::super::theme::Role;
use super::{lines, title};

/// Rows of the help.
pub(in crate::tui) fn len() -> usize {
    rows().len()
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for group in GROUPS {
        if !rows.is_empty() {
            rows.push(Row::new());
        }
        rows.push(Row::one(format!(" {}", group.title), Role::Head));
        for binding in group.bindings {
            let keys: Vec<String> = binding.keys.iter().map(|keys| keys.replace(' ', "")).collect();
            let keys = keys.join(", ");
            rows.push(
                Row::one(format!("   {}", fit(&keys, 24)), Role::Name)
                    .add(binding.help, Role::Plain),
            );
        }
    }
    rows.push(Row::new());
    rows.push(Row::one(" Marks in lists", Role::Head));
    let marks = [
        ("!", "failed"),
        ("?", "no answer, or no question, in the capture"),
        ("E, W, n", "an error, a warning, a note about it: see Findings"),
        ("▲", "a warning or an error at that time, under State"),
        ("*", "marked by you"),
        ("[ ] in bytes", "the field that is selected"),
        ("··", "bytes that are not in the capture, or encrypted"),
    ];
    rows.extend(marks.map(|(mark, what)| {
        Row::one(format!("   {}", fit(mark, 24)), Role::Name).add(what, Role::Plain)
    }));
    rows.push(Row::new());
    rows.push(Row::one(" Mouse", Role::Head));
    let mouse = [
        ("click, wheel", "select, move; tabs, groups and bytes can be clicked"),
        ("with Shift held", "selects text, as the terminal does without vshark"),
    ];
    rows.extend(mouse.map(|(what, does)| {
        Row::one(format!("   {}", fit(what, 24)), Role::Name).add(does, Role::Plain)
    }));
    rows
}

/// Draws the keys over everything.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>) {
    let (width, height) = model.size;
    let area = Rect { x: 0, y: 1.min(height), width, height: height.saturating_sub(2) };
    if area.height == 0 {
        return;
    }
    frame.render_widget(Clear, area);
    let rows = rows();
    let room = usize::from(area.height).saturating_sub(1);
    let top = model.help.unwrap_or(0).min(rows.len().saturating_sub(room));
    let mut drawn = vec![title(model, "keys (j and k move, any other key closes)", width, true)];
    let shown = rows.iter().skip(top).take(room);
    drawn.extend(shown.map(|row| row.line(usize::from(width), model.theme, None)));
    let missing = usize::from(area.height).saturating_sub(drawn.len());
    drawn.extend((0..missing).map(|_| Row::new().line(usize::from(width), model.theme, None)));
    lines(frame, area, drawn);
}
