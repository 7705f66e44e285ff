//! The list of calls.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::super::model::{Focus, Model};
use super::super::rows::Shown;
use super::super::text::{Row, columns, cut, fit, right};
use super::super::theme::Role;
use super::{header, lines};
use crate::call::Outcome;
use crate::check::Severity;

/// Columns from which the parties are shown.
const WITH_PARTIES: u16 = 120;
/// Columns of a party.
const PARTY: usize = 15;

/// Columns of the client where there is no room for both.
const CLIENT: usize = 10;

/// Who is shown of the parties of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parties {
    Both,
    Client,
    None,
}

/// Whether the calls on the screen are of several clients.
fn several(calls: &[Shown]) -> bool {
    let mut clients = calls.iter().map(|shown| &shown.client).filter(|name| !name.is_empty());
    let first = clients.next();
    clients.any(|client| Some(client) != first)
}

/// Draws the calls that are on the screen.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let method = method_width(model, area.width);
    let parties = match (area.width >= WITH_PARTIES, several(&model.calls)) {
        (true, _) => Parties::Both,
        (false, true) => Parties::Client,
        (false, false) => Parties::None,
    };
    let first = model.trace.began();
    let when = first.map(|first| model.time.head(first, &model.time.zone())).unwrap_or_default();
    let mut head = format!("     n   {}", fit(&when, 12));
    head = match parties {
        Parties::Both => format!("{head}  {}  {}", fit("client", PARTY), fit("server", PARTY)),
        Parties::Client => format!("{head}  {}", fit("client", CLIENT)),
        Parties::None => head,
    };
    let head = format!("{head}  {}  asked → answered", fit("call", method));
    let mut drawn = vec![header(model, &head, area.width, model.focus == Focus::List)];
    if model.calls.is_empty() {
        for text in super::overview::nothing(model) {
            drawn.push(Row::one(format!("  {text}"), Role::Dim).line(width, model.theme, None));
        }
    }
    for shown in &model.calls {
        let over = match (shown.n == model.call, model.focus) {
            (true, Focus::List) => Some(Role::Selected),
            (true, _) => Some(Role::Held),
            (false, _) => None,
        };
        drawn.push(row(shown, width, method, parties).line(width, model.theme, over));
    }
    lines(frame, area, drawn);
}

fn method_width(model: &Model<'_>, width: u16) -> usize {
    let most = if width >= WITH_PARTIES { 36 } else { 22 };
    let widest = model.calls.iter().map(|shown| columns(&shown.method)).max();
    widest.unwrap_or(0).clamp(12, most)
}

fn row(shown: &Shown, width: usize, method: usize, parties: Parties) -> Row {
    let role = role(shown.outcome);
    let mark = if shown.marked { "*" } else { " " };
    let start = Row::one(mark, Role::Marked)
        .add(format!("{:>5}", shown.n), Role::Plain)
        .add(sign(shown.outcome), role)
        .add(letter(shown.worst), Role::Bad)
        .add(" ", Role::Plain);
    if let Some(error) = &shown.error {
        return start.add(error.clone(), Role::Bad);
    }
    let mut row = start.add(format!("{}  ", fit(&shown.time, 12)), Role::Dim);
    match parties {
        Parties::Both => {
            let both = format!("{}  {}  ", fit(&shown.client, PARTY), fit(&shown.server, PARTY));
            row.push(both, Role::Plain);
        }
        Parties::Client => row.push(format!("{}  ", fit(&shown.client, CLIENT)), Role::Plain),
        Parties::None => {}
    }
    row.push(format!("{}  ", fit(&shown.method, method)), Role::Name);
    let took = if width >= 100 { 10 } else { 0 };
    let room = width.saturating_sub(row.columns() + took);
    let (asked, answered) = share(&shown.asked, &shown.answered, role == Role::Bad, room);
    let arrow = if asked.is_empty() { "→ " } else { " → " };
    row.push(asked, Role::Plain);
    row.push(arrow, Role::Dim);
    row.push(answered, role);
    if took > 0 {
        let left = width.saturating_sub(row.columns());
        row.push(right(&shown.took, left), Role::Dim);
    }
    row
}

/// Question and answer in `room` columns. An error keeps all that it needs, another answer half.
fn share(asked: &str, answered: &str, error: bool, room: usize) -> (String, String) {
    let room = room.saturating_sub(3);
    let (a, b) = (columns(asked), columns(answered));
    if a + b <= room {
        return (asked.to_owned(), answered.to_owned());
    }
    let least = if error { room } else { room / 2 };
    let answer = b.min(least.max(room.saturating_sub(a)));
    (cut(asked, room.saturating_sub(answer)), cut(answered, answer))
}

/// How an outcome is drawn.
pub(super) fn role(outcome: Outcome) -> Role {
    match outcome {
        Outcome::Ok => Role::Good,
        Outcome::Failed | Outcome::Fault => Role::Bad,
        Outcome::NoResponse | Outcome::NoRequest => Role::Doubt,
        Outcome::Unknown => Role::Dim,
    }
}

/// How it is told without colours.
pub(super) fn sign(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok | Outcome::Unknown => " ",
        Outcome::Failed | Outcome::Fault => "!",
        Outcome::NoResponse | Outcome::NoRequest => "?",
    }
}

/// The gravest finding at a call: `E`, `W` or `n`.
fn letter(worst: Option<Severity>) -> &'static str {
    match worst {
        Some(Severity::Error) => "E",
        Some(Severity::Warning) => "W",
        Some(Severity::Note) => "n",
        None => " ",
    }
}
