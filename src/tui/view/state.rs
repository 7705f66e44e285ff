//! The state machine of the server at the call that is selected: where it may be, how it came there,
//! where it can go, what its timer has; and a scrubber through time.
//!
//! ```text
//!      [*]                                call 7 CommitShadowCopySet → E_FAIL
//!       │ Start ok                        set 5945a284…  \\fss1\failshare
//!       Started                           Added → Added
//!       │ Add ok                          timer 180 s, until 18:16:24
//!    ▶ [Added] ◀  ↺ Prepare ok            leads on
//!       │ Commit begins                     Added → Committed: Commit ok
//!       CreationInProgress                the way
//!       …                                   4 Start → Started
//!  ├─────·───·──!█·───·──┤ call 7 of 15, ← → through time
//! ```
//!
//! The arrows are those of `machine.toml`, by which the server is judged.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::super::layout::inside;
use super::super::model::Model;
use super::super::text::{Row, columns, cut, fit, wrap};
use super::super::theme::Role;
use super::calls::{role, sign};
use super::{lines, title};
use crate::bytes::{Time, printable};
use crate::call::{Call, Outcome};
use crate::check::machine::{View, Views};
use crate::check::{Finding, Severity, Stand, StandTimer};
use crate::report::brief;
use crate::report::machine::{Arrow, UNFINISHED, of_context, of_sets};

/// Columns of the diagram.
const DIAGRAM: usize = 36;
/// The states of a set, in the order in which they are gone through.
const CHAIN: [View; 7] = [
    View::Started,
    View::Added,
    View::Creating,
    View::Committed,
    View::Exposed,
    View::Recovered,
    View::Gone,
];

/// Draws it.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let server = model.way().first().map(|stand| stand.server.to_string());
    let text =
        server.map_or_else(|| "state".to_owned(), |server| format!("state of the server {server}"));
    let mut drawn = vec![title(model, &text, area.width, true)];
    let height = inside(area);
    let rows = drawing(model, width, height.saturating_sub(1));
    let blank = height.saturating_sub(rows.len() + 1);
    drawn.extend(rows.iter().map(|row| row.line(width, model.theme, None)));
    drawn.extend((0..blank).map(|_| Row::new().line(width, model.theme, None)));
    drawn.push(scrubber(model, width).line(width, model.theme, None));
    lines(frame, area, drawn);
}

/// It as text.
pub(super) fn rows(model: &Model<'_>) -> Vec<Row> {
    let mut rows = drawing(model, 100, 40);
    rows.push(scrubber(model, 100));
    rows
}

/// The diagram, and beside it what there is to say, in no more than `height` rows.
fn drawing(model: &Model<'_>, width: usize, height: usize) -> Vec<Row> {
    if model.way().is_empty() {
        let mut rows =
            vec![Row::one("  no call here says how a server of shadow copies stands", Role::Dim)];
        let nothing = match (model.items.is_empty(), model.trace.complete()) {
            (false, _) => {
                vec![
                    "there are objects, which have no such states: Objects (8) has them".to_owned(),
                ]
            }
            (true, 0) => super::overview::nothing(model),
            (true, _) => Vec::new(),
        };
        rows.extend(nothing.into_iter().map(|text| Row::one(format!("  {text}"), Role::Dim)));
        return rows;
    }
    let stand = model.stand();
    let left = diagram(model, stand, height);
    let diagram = DIAGRAM.max(width * 2 / 5).min(width / 2);
    let right = beside(model, stand, width.saturating_sub(diagram + 1), height);
    let mut rows = Vec::new();
    for at in 0..left.len().max(right.len()).min(height) {
        let mut row = left.get(at).cloned().unwrap_or_default().cut(diagram);
        row.push(" ".repeat(diagram.saturating_sub(row.columns())), Role::Plain);
        row.push("│ ", Role::Dim);
        row.append(right.get(at).cloned().unwrap_or_default());
        rows.push(row);
    }
    rows
}

fn diagram(model: &Model<'_>, stand: Option<&Stand>, height: usize) -> Vec<Row> {
    let arrows = of_sets(&model.knowledge.machine);
    let after = stand.map(|stand| stand.after).unwrap_or_default();
    // Of a call that is about no set, the one that is not finished shows why it was refused.
    let other = stand.and_then(|stand| unfinished(model, stand)).map(|of| of.after);
    let before = other.or(stand.map(|stand| stand.before)).unwrap_or_default();
    let been = been(model, stand);
    let mut rows = Vec::new();
    // Where there is little room arrows stand beside the states.
    let tight = height < 18;
    let mut from: Option<View> = None;
    for view in CHAIN {
        let arrow = arrows.iter().find(|arrow| {
            arrow.from == from.map(View::word) && arrow.to == view.word() && !arrow.is_loop()
        });
        let taken = after.has(view) && from.map_or(before.is_empty(), |from| before.has(from));
        let label = arrow.map(|arrow| arrow.labels.join(", ")).unwrap_or_default();
        if !tight {
            let role = if taken && stand.is_some() { Role::Bad } else { Role::Dim };
            let role = if role == Role::Bad && stand.is_some_and(|of| !failed(model, of)) {
                Role::Good
            } else {
                role
            };
            let line = if taken && stand.is_some() { "┃" } else { "│" };
            rows.push(Row::one(format!("       {line} {label}"), role));
        }
        rows.push(state(view, after, before, been.has(view), loops(&arrows, view)));
        from = Some(view);
    }
    let context = stand.map(|stand| stand.context).unwrap_or_default();
    let open = context.has(View::Open) || context.has(View::OpenSet);
    let closed = context.has(View::Closed) || context.has(View::ClosedSet);
    let word = match (open, closed) {
        (true, true) => "open or closed",
        (true, false) => "open",
        (false, true) => "closed",
        (false, false) => "?",
    };
    rows.push(Row::new());
    rows.push(
        Row::one("   context ", Role::Head)
            .add(word, if open && closed { Role::Doubt } else { Role::Plain }),
    );
    let ways = of_context(&model.knowledge.machine);
    let from = if open { View::Open } else { View::Closed };
    for arrow in ways.iter().filter(|arrow| arrow.from == Some(from.word()) && !arrow.is_loop()) {
        rows.push(Row::one(format!("   → {}: {}", arrow.to, arrow.labels.join(", ")), Role::Dim));
    }
    rows
}

/// A state; one of several that are possible has a question mark.
fn state(view: View, after: Views, before: Views, been: bool, loops: Option<String>) -> Row {
    let lit = after.has(view);
    let several = after.iter().count() > 1;
    let name = view.word();
    let mut row = match (lit, several) {
        (true, false) => Row::one("   ▶ ", Role::Head)
            .add(format!("[{name}]"), Role::Selected)
            .add(" ◀", Role::Head),
        (true, true) => Row::one("   ? ", Role::Doubt)
            .add(format!("[{name}]"), Role::Held)
            .add(" ?", Role::Doubt),
        (false, _) if before.has(view) => {
            Row::one("   ○ ", Role::Name).add(format!(" {name} "), Role::Name)
        }
        (false, _) if been => Row::one("   • ", Role::Plain).add(format!(" {name} "), Role::Plain),
        (false, _) => Row::one("     ", Role::Dim).add(format!(" {name} "), Role::Dim),
    };
    if let Some(loops) = loops {
        row.push(format!(" ↺ {loops}"), Role::Dim);
    }
    row
}

fn loops(arrows: &[Arrow], view: View) -> Option<String> {
    let arrow = arrows.iter().find(|arrow| arrow.is_loop() && arrow.to == view.word())?;
    Some(arrow.labels.join(", "))
}

/// The states that the set has surely been in, up to the call that is selected.
fn been(model: &Model<'_>, stand: Option<&Stand>) -> Views {
    let Some(set) = stand.and_then(|stand| stand.set) else { return Views::default() };
    let way = model.way();
    let until = way.partition_point(|stand| stand.call <= model.call);
    let mut been = Views::default();
    for stand in way.get(..until).unwrap_or_default().iter().filter(|stand| stand.set == Some(set))
    {
        let mut views = stand.after.iter();
        if let (Some(view), None) = (views.next(), views.next()) {
            been.add(view);
        }
    }
    been
}

fn call_of(model: &Model<'_>, n: u64) -> Option<Call> {
    model.trace.call(n, false, model.registry).ok()?
}

fn failed(model: &Model<'_>, stand: &Stand) -> bool {
    call_of(model, stand.call).is_some_and(|call| role(call.outcome) == Role::Bad)
}

fn clock(model: &Model<'_>, time: Time) -> String {
    model.time.cell(time, &model.time.zone(), model.trace.began(), None)
}

fn beside(model: &Model<'_>, stand: Option<&Stand>, width: usize, height: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let Some(stand) = stand else {
        let text = format!(
            "call {} says nothing of the server's state: ← and → go to calls that do",
            model.call
        );
        rows.extend(wrap(&text, width).into_iter().map(|line| Row::one(line, Role::Doubt)));
        return rows;
    };
    if let Some(call) = call_of(model, stand.call) {
        let role = role(call.outcome);
        let method = printable(&brief::method(&call));
        let head = format!("call {} ", stand.call);
        rows.push(
            Row::one(head, Role::Head)
                .add(method, Role::Name)
                .add(format!("  {}", clock(model, stand.asked)), Role::Dim),
        );
        let asked = printable(&brief::asked(&call, model.registry));
        if !asked.is_empty() {
            rows.push(Row::one(cut(&asked, width), Role::Plain));
        }
        let answered = printable(&brief::answered(&call, model.registry));
        rows.push(Row::one("→ ", Role::Dim).add(answered, role));
    }
    // Notes accuse nobody, and there is little room.
    let grave = |of: &&Finding| of.severity > Severity::Note;
    for finding in model.findings.at_call(stand.call).filter(grave).take(2) {
        let text = format!("▲ {} {}", finding.severity.word(), printable(&finding.message));
        let lines = wrap(&text, width).into_iter().take(3);
        rows.extend(
            lines.map(|line| Row::one(line, super::overview::of_severity(finding.severity))),
        );
    }
    if let Some(set) = stand.set {
        let (before, after) = (words(stand.before), words(stand.after));
        let way = match before.as_str() {
            before if before == after => after,
            "" => format!("[*] → {after}"),
            before => format!("{before} → {after}"),
        };
        let of = format!("set {}  ", brief::short(set));
        rows.push(Row::one(of, Role::Plain).add(way, Role::Name));
    }
    if let Some((other, set)) = unfinished(model, stand).and_then(|of| Some((of, of.set?))) {
        let text = format!(": unfinished set {} of {}", brief::short(set), other.client);
        rows.push(Row::one(words(other.after), Role::Name).add(text, Role::Plain));
    }
    rows.extend(timer(model, stand));
    let on = leads_on(model, stand);
    // Where there is little room, how it came here matters more than where it may go.
    let on: Vec<String> = on.into_iter().take(height.saturating_sub(rows.len() + 8)).collect();
    if !on.is_empty() {
        rows.push(Row::one("leads on", Role::Head));
        rows.extend(
            on.into_iter().map(|text| {
                Row::one(format!("  {}", cut(&text, width.saturating_sub(2))), Role::Dim)
            }),
        );
    }
    let left = height.saturating_sub(rows.len() + 1);
    if left > 0 {
        rows.push(Row::one("the way", Role::Head));
        rows.extend(way(model, left));
    }
    rows
}

/// How the unfinished set of the server stood that a call is not about, if it is about none.
fn unfinished<'m>(model: &'m Model<'_>, stand: &Stand) -> Option<&'m Stand> {
    /// Calls before it that are looked at.
    const MOST: usize = 2000;
    if stand.set.is_some() {
        return None;
    }
    let way = model.way();
    let until = way.partition_point(|of| of.call < stand.call);
    let mut seen = Vec::new();
    for of in way.get(..until).unwrap_or_default().iter().rev().take(MOST) {
        let Some(set) = of.set.filter(|set| !seen.contains(set)) else { continue };
        seen.push(set);
        if of.after.iter().all(|view| View::UNFINISHED.contains(&view)) && !of.after.is_empty() {
            return Some(of);
        }
    }
    None
}

/// States in words; so many that they say nothing are a question mark.
fn words(views: Views) -> String {
    let chain = CHAIN.into_iter().filter(|view| views.has(*view));
    let words: Vec<&str> = chain.map(View::word).collect();
    if words.len() > 3 { "any state".to_owned() } else { words.join(" or ") }
}

fn timer(model: &Model<'_>, stand: &Stand) -> Vec<Row> {
    let StandTimer::Running { seconds, since, call } = stand.timer else {
        let text =
            if stand.timer == StandTimer::Off { "timer stopped" } else { "timer: not known" };
        return vec![Row::one(text, Role::Dim)];
    };
    let until = since.plus(i64::from(seconds).saturating_mul(1_000_000_000));
    let mut rows = vec![Row::one(
        format!("timer {seconds} s by call {call}, until {}", clock(model, until)),
        Role::Plain,
    )];
    let next = model.way().iter().find(|of| of.call > stand.call);
    if let Some(next) = next.filter(|next| next.asked > until) {
        rows.push(Row::one(format!("it runs out before call {}", next.call), Role::Bad));
    }
    rows
}

/// Where the set can go from where it may be.
fn leads_on(model: &Model<'_>, stand: &Stand) -> Vec<String> {
    let here = |arrow: &Arrow| {
        let from = |view: &View| arrow.from == Some(view.word());
        let unfinished = arrow.from == Some(UNFINISHED);
        View::OF_SET.iter().any(|view| stand.after.has(*view) && from(view))
            || unfinished && View::UNFINISHED.iter().any(|view| stand.after.has(*view))
    };
    let arrows = of_sets(&model.knowledge.machine);
    let ways = arrows.iter().filter(|arrow| here(arrow) && !arrow.is_loop());
    let mut ways: Vec<String> =
        ways.map(|arrow| format!("→ {}: {}", arrow.to, arrow.labels.join(", "))).collect();
    let mut seen = std::collections::BTreeSet::new();
    ways.retain(|way| seen.insert(way.clone()));
    ways
}

/// The calls around the one that is selected, and what each made of its set.
fn way(model: &Model<'_>, height: usize) -> Vec<Row> {
    let way = model.way();
    let at = way.partition_point(|stand| stand.call < model.call);
    let first = at.saturating_sub(height * 2 / 3).min(way.len().saturating_sub(height));
    let mut rows = Vec::new();
    for stand in way.iter().skip(first).take(height) {
        let here = stand.call == model.call;
        let call = call_of(model, stand.call);
        let outcome = call.as_ref().map_or(Outcome::Unknown, |call| call.outcome);
        let method = call.as_ref().map(|call| printable(&brief::method(call))).unwrap_or_default();
        let method = method.trim_end_matches("ShadowCopySet").trim_end_matches("To").to_owned();
        let became = match stand.set {
            Some(_) => words(stand.after),
            None => String::new(),
        };
        let number = if sign(outcome) == " " { Role::Plain } else { role(outcome) };
        let row = Row::one(if here { " ▶" } else { "  " }, Role::Head)
            .add(format!("{:>4}{} ", stand.call, sign(outcome)), number)
            .add(format!("{} ", fit(&method, 19)), if here { Role::Head } else { Role::Name })
            .add(became, Role::Plain);
        rows.push(row);
    }
    rows
}

/// Where in time the selected call is among those of its server.
fn scrubber(model: &Model<'_>, width: usize) -> Row {
    let way = model.way();
    let (Some(first), Some(last)) = (way.first(), way.last()) else { return Row::new() };
    let at = way.partition_point(|stand| stand.call < model.call).min(way.len() - 1);
    let far = format!(" {} of {} ", at + 1, way.len());
    let (from, to) = (clock(model, first.asked), clock(model, last.asked));
    let room = width.saturating_sub(columns(&far) + columns(&from) + columns(&to) + 6);
    if room < 8 {
        return Row::one(far, Role::Plain);
    }
    let place = |at: usize| at * (room - 1) / way.len().saturating_sub(1).max(1);
    let mut marks: Vec<(char, Role)> = vec![('─', Role::Dim); room];
    // Of very many only those that are told apart.
    let step = way.len().div_ceil(room).max(1);
    for (n, stand) in way.iter().enumerate().step_by(step) {
        let worst = model.findings.worst(stand.call).filter(|worst| *worst > Severity::Note);
        if let Some(mark) = marks.get_mut(place(n)) {
            *mark = match worst {
                _ if step == 1 && failed(model, stand) => ('!', Role::Bad),
                Some(worst) => ('▲', super::overview::of_severity(worst)),
                None => ('·', Role::Plain),
            };
        }
    }
    if let Some(mark) = marks.get_mut(place(at)) {
        *mark = ('█', Role::Name);
    }
    let mut row = Row::one(format!(" {from} ├"), Role::Dim);
    for (mark, role) in marks {
        row.push(mark, role);
    }
    row.add(format!("┤ {to} "), Role::Dim).add(far, Role::Head)
}
