//! A ladder of clients and servers: who asked whom, what was answered, what became of the set.
//!
//! ```text
//!                 VM                                    FSS1
//!  18:13:24.383   ├──7 CommitShadowCopySet set 5945…──────►│
//!  18:13:24.391   │◄─────────────────────E_FAIL, 8 ms──────┤ ◆ Added, timer 180 s
//!                 ⋮ nothing for 41 s                       ⋮
//! ```

use std::fmt::Write as _;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::super::ladder::{Rung, Step};
use super::super::layout::inside;
use super::super::model::Model;
use super::super::rows::took;
use super::super::text::{Row, columns, cut, fit, right};
use super::super::theme::Role;
use super::calls::role;
use super::overview::of_severity;
use super::{lines, title};

/// Columns of the time before the ladder.
const TIME: usize = 14;
/// The fewest columns between two lanes.
const NARROWEST: usize = 24;

/// Draws the ladder around the call that is selected.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let first = model.trace.began();
    let when = first.map(|first| model.time.head(first, &model.time.zone())).unwrap_or_default();
    let mut drawn = vec![title(model, &format!("{when}, sequence"), area.width, true)];
    if model.ladder.steps.is_empty() {
        for text in super::overview::nothing(model) {
            drawn.push(Row::one(format!("  {text}"), Role::Dim).line(width, model.theme, None));
        }
        return lines(frame, area, drawn);
    }
    let lanes = lanes(model, width);
    drawn.push(names(model, &lanes).line(width, model.theme, None));
    let height = inside(area).saturating_sub(1);
    let top = top(model, height);
    for (at, step) in model.ladder.steps.iter().enumerate().skip(top).take(height) {
        let over = (step.call == model.call).then_some(match step.rung {
            Rung::Asks { .. } => Role::Selected,
            _ => Role::Held,
        });
        drawn.push(row(model, at, step, &lanes, width).line(width, model.theme, over));
    }
    lines(frame, area, drawn);
}

/// The ladder as text.
pub(super) fn rows(model: &Model<'_>) -> Vec<Row> {
    let width = 100;
    let lanes = lanes(model, width);
    let steps = model.ladder.steps.iter().enumerate();
    std::iter::once(names(model, &lanes))
        .chain(steps.map(|(at, step)| row(model, at, step, &lanes, width)))
        .collect()
}

/// The call of a row on the screen.
pub(in crate::tui) fn call_at(model: &Model<'_>, row: usize) -> Option<u64> {
    let height = inside(model.layout().list).saturating_sub(1);
    let at = top(model, height).checked_add(row.checked_sub(1)?)?;
    model.ladder.steps.get(at).map(|step| step.call)
}

/// The first step on the screen: that of the call that is selected is in its upper half.
fn top(model: &Model<'_>, height: usize) -> usize {
    let steps = &model.ladder.steps;
    let at = steps.iter().position(|step| step.call == model.call).unwrap_or(0);
    at.saturating_sub(height / 3).min(steps.len().saturating_sub(height))
}

/// The columns of the lanes, as far as there is room.
fn lanes(model: &Model<'_>, width: usize) -> Vec<usize> {
    let room = width.saturating_sub(TIME + 2);
    let most = (room / NARROWEST).max(1) + 1;
    let n = model.ladder.lanes.len().clamp(2, most);
    // What becomes of the set stands beside the last lane.
    let beside = if width >= 120 { 36 } else { 24 };
    let between = room.saturating_sub(beside) / (n - 1).max(1);
    (0..n).map(|lane| TIME + 1 + lane * between.max(NARROWEST.min(room))).collect()
}

fn names(model: &Model<'_>, lanes: &[usize]) -> Row {
    let mut text = String::new();
    for (at, name) in lanes.iter().zip(&model.ladder.lanes) {
        let to = at.saturating_sub(columns(name) / 2);
        let missing = to.saturating_sub(columns(&text));
        text.extend(std::iter::repeat_n(' ', missing.max(usize::from(!text.is_empty()))));
        text.push_str(name);
    }
    let beyond = model.ladder.lanes.len().saturating_sub(lanes.len());
    if beyond > 0 {
        let _ = write!(text, "  (and {beyond} more on the last line)");
    }
    Row::one(text, Role::Head)
}

/// One line of the ladder.
fn row(model: &Model<'_>, at: usize, step: &Step, lanes: &[usize], width: usize) -> Row {
    let zone = model.time.zone();
    let before = at.checked_sub(1).and_then(|at| model.ladder.steps.get(at)).map(|step| step.time);
    let time = model.time.cell(step.time, &zone, model.trace.began(), before);
    let place =
        |lane: usize| lanes.get(lane.min(lanes.len().saturating_sub(1))).copied().unwrap_or(TIME);
    let timed = Row::one(fit(&format!(" {time}"), TIME), Role::Dim);
    match &step.rung {
        Rung::Asks { from, to, text } => {
            arrow(timed, lanes, (place(*from), place(*to)), (text, Role::Name), width)
        }
        Rung::Answers { from, to, text, outcome, took, state } => {
            let sign = if role(*outcome) == Role::Bad { "✗ " } else { "" };
            // Which call it answers is told where another was asked in between.
            let asks = |step: &&Step| matches!(step.rung, Rung::Asks { .. });
            let steps = model.ladder.steps.get(..at).unwrap_or_default();
            let own = steps.iter().rev().find(asks).is_some_and(|of| of.call == step.call);
            let sign = if own { sign.to_owned() } else { format!("{} {sign}", step.call) };
            let sign = sign.as_str();
            let ends = (place(*from), place(*to));
            // How long it took is told where there is room beside what was said.
            let room = ends.0.abs_diff(ends.1).saturating_sub(10);
            let timed_too = columns(text) + columns(took) + columns(sign) <= room;
            let text = match took.as_str() {
                took if timed_too && !took.is_empty() => format!("{sign}{text}, {took}"),
                _ => format!("{sign}{text}"),
            };
            let mut row = arrow(timed, lanes, ends, (&text, role(*outcome)), width);
            if let Some(state) = state {
                row.push(format!(" ◆ {state}"), Role::Name);
            }
            row
        }
        Rung::Silence { to } => {
            beside(timed, lanes, place(*to), "? no answer in the capture", Role::Doubt, width)
        }
        Rung::Idle { nanos } => {
            let text = format!("⋮ nothing for {}", took_long(*nanos));
            beside(
                Row::one(" ".repeat(TIME), Role::Dim),
                lanes,
                place(0),
                &text,
                Role::Doubt,
                width,
            )
        }
        Rung::State { at, text } => {
            let blank = Row::one(" ".repeat(TIME), Role::Dim);
            beside(blank, lanes, place(*at), &format!("◆ {text}"), Role::Name, width)
        }
        Rung::Expired { at, text } => {
            let mut row = timed;
            let to = place(*at);
            rails(&mut row, lanes, lanes.first().copied().unwrap_or(TIME));
            row.push("│", Role::Dim);
            // On the server's line, from its left.
            let room = to.saturating_sub(row.columns() + 2);
            row.push(format!("{} ", right(text, room)), Role::Bad);
            row.push("✗", Role::Bad);
            row
        }
        Rung::Broken { rule, severity, text } => {
            let blank = Row::one(" ".repeat(TIME), Role::Dim);
            let text = format!("▲ {} {rule}: {text}", severity.word());
            beside(blank, lanes, place(0), &text, of_severity(*severity), width)
        }
    }
}

fn took_long(nanos: i64) -> String {
    took(nanos)
}

/// An arrow from one lane to another, with a text on it.
fn arrow(
    mut row: Row,
    lanes: &[usize],
    (from, to): (usize, usize),
    (text, role): (&str, Role),
    width: usize,
) -> Row {
    let (left, right) = (from.min(to), from.max(to));
    let rightwards = from < to;
    rails(&mut row, lanes, left);
    let room = right.saturating_sub(left + 1);
    if room < 8 {
        row.push("↻ ", role);
        row.push(cut(text, width.saturating_sub(row.columns())), role);
        return row;
    }
    row.push(if rightwards { "├" } else { "│◄" }, Role::Dim);
    let room = room - 1;
    let text = cut(text, room.saturating_sub(4));
    let dashes = room.saturating_sub(columns(&text) + 2);
    let before = if rightwards { dashes.min(1) } else { dashes.saturating_sub(1) };
    row.push("─".repeat(before), Role::Dim);
    row.push(format!(" {text} "), role);
    row.push("─".repeat(dashes - before), Role::Dim);
    row.push(if rightwards { "►│" } else { "┤" }, Role::Dim);
    for lane in lanes.iter().filter(|lane| **lane > right) {
        row.push(" ".repeat(lane.saturating_sub(row.columns())), Role::Dim);
        row.push("│", Role::Dim);
    }
    row
}

/// A text beside a lane.
fn beside(mut row: Row, lanes: &[usize], lane: usize, text: &str, role: Role, width: usize) -> Row {
    rails(&mut row, lanes, lane);
    row.push(cut(text, width.saturating_sub(row.columns())), role);
    row
}

/// The lanes before a column, and the blanks up to it.
fn rails(row: &mut Row, lanes: &[usize], until: usize) {
    for lane in lanes.iter().filter(|lane| **lane < until) {
        row.push(" ".repeat(lane.saturating_sub(row.columns())), Role::Dim);
        row.push("│", Role::Dim);
    }
    row.push(" ".repeat(until.saturating_sub(row.columns())), Role::Dim);
}
