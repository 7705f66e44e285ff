//! [`view()`]: draws the model. It changes nothing.

pub(super) mod bytes;
mod calls;
mod fields;
mod findings;
pub(super) mod help;
mod objects;
pub(super) mod overview;
mod packets;
pub(super) mod sequence;
pub(super) mod side;
mod state;
pub(super) mod statistics;

use std::ops::Range;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph};

use super::layout::{Layout, inside};
use super::model::{Focus, Model};
use super::msg::{Ask, View};
use super::text::{Row, columns, cut, wrap};
use super::theme::Role;
use super::write::{packet_text, text_of};
use crate::check::Operation;

/// Draws everything.
pub fn view(model: &Model<'_>, frame: &mut Frame<'_>) {
    let layout = model.layout();
    draw_tabs(model, frame, layout.tabs);
    match model.view {
        View::Overview => list(model, frame, layout.list, &overview::rows(model)),
        View::Calls => calls::draw(model, frame, layout.list),
        View::Packets => packets::draw(model, frame, layout.list),
        View::Sequence => sequence::draw(model, frame, layout.list),
        View::State => state::draw(model, frame, layout.list),
        View::Findings => findings::draw(model, frame, layout.list),
        View::Statistics => list(model, frame, layout.list, &statistics::rows(model)),
        View::Objects => objects::draw(model, frame, layout.list),
    }
    if model.view.has_page() {
        side::draw(model, frame, layout.side);
    }
    if model.view.has_detail() {
        fields::draw(model, frame, layout.fields);
        bytes::draw(model, frame, layout.bytes);
    }
    draw_prompt(model, frame, &layout);
    draw_status(model, frame, layout.status);
    if model.help.is_some() {
        help::draw(model, frame);
    }
}

/// The text of a row of the view's list.
pub(super) fn row_text(model: &Model<'_>, row: usize) -> String {
    let call = |row: usize| {
        let shown = model.calls_in(row..row.saturating_add(1));
        shown.first().map(text_of).unwrap_or_default()
    };
    let of = |rows: Vec<Row>| rows.get(row).map(Row::text).unwrap_or_default();
    match model.view {
        View::Overview => of(overview::rows(model)),
        View::Calls | View::Sequence => call(row),
        View::Packets => {
            let of = model.packets_in(row..row.saturating_add(1));
            of.first().map(packet_text).unwrap_or_default()
        }
        View::State => {
            model.way().get(row).map(|stand| model.call_text(stand.call)).unwrap_or_default()
        }
        View::Findings => findings::text(model, row),
        View::Statistics => of(statistics::rows(model)),
        View::Objects => objects::text(model, row),
    }
}

/// The lines of the view; of a list no more than ten thousand.
pub(super) fn all_text(model: &Model<'_>) -> Vec<String> {
    const MOST: usize = 10_000;
    let texts = |rows: Vec<Row>| rows.iter().map(Row::text).collect();
    match model.view {
        View::Overview => texts(overview::rows(model)),
        View::Calls => model.calls_in(0..MOST).iter().map(text_of).collect(),
        View::Packets => model.packets_in(0..MOST).iter().map(packet_text).collect(),
        View::Sequence => texts(sequence::rows(model)),
        View::State => texts(state::rows(model)),
        View::Findings => {
            (0..model.findings.len().min(MOST)).map(|at| findings::text(model, at)).collect()
        }
        View::Statistics => texts(statistics::rows(model)),
        View::Objects => {
            (0..model.items.len().min(MOST)).map(|at| objects::text(model, at)).collect()
        }
    }
}

/// Draws lines into a pane.
fn lines(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'static>>) {
    frame.render_widget(Paragraph::new(lines), area);
}

/// The title of a pane, ruled to its end; that of the pane that takes the keys has a thick rule.
fn title(model: &Model<'_>, text: &str, width: u16, focused: bool) -> Line<'static> {
    let width = usize::from(width);
    let rule = if focused { "━" } else { "─" };
    let text = cut(&format!("{rule}{rule} {text} "), width);
    let left = width.saturating_sub(columns(&text));
    let role = if focused { Role::Head } else { Role::Dim };
    Row::one(format!("{text}{}", rule.repeat(left)), role).line(width, model.theme, None)
}

/// The names of the columns of a list, as its title. They begin with three blanks, where the rule is.
fn header(model: &Model<'_>, text: &str, width: u16, focused: bool) -> Line<'static> {
    title(model, text.strip_prefix("   ").unwrap_or(text), width, focused)
}

/// Draws rows as a list, below the title of its view.
fn list(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect, rows: &[Row]) {
    let list = model.list();
    let text = match model.view {
        View::Overview => overview::title(model),
        view => view.title().to_owned(),
    };
    let mut drawn = vec![title(model, &text, area.width, true)];
    let shown = rows.iter().enumerate().skip(list.top).take(inside(area));
    drawn.extend(shown.map(|(at, row)| {
        let over = (at == list.at).then_some(Role::Selected);
        row.line(usize::from(area.width), model.theme, over)
    }));
    lines(frame, area, drawn);
}

/// Where the tabs are.
pub(super) fn tabs(model: &Model<'_>) -> Vec<(View, Range<u16>)> {
    let mut at = 0u16;
    let mut tabs = Vec::new();
    for (n, view) in View::ALL.into_iter().enumerate() {
        let len = u16::try_from(tab_text(model, n, view).chars().count()).unwrap_or(u16::MAX);
        let end = at.saturating_add(len);
        tabs.push((view, at..end));
        at = end;
    }
    tabs
}

/// Columns below which tabs and the verdict are shortened, so that both have room in 80.
const NARROW: u16 = 100;

fn tab_text(model: &Model<'_>, n: usize, view: View) -> String {
    let title = view.title();
    if model.size.0 >= NARROW {
        return format!(" {} {title} ", n + 1);
    }
    let title = match view {
        View::Sequence => "Seq",
        View::Statistics => "Stats",
        _ => title,
    };
    format!(" {} {title}", n + 1)
}

fn draw_tabs(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    let mut row = Row::new();
    for (n, view) in View::ALL.into_iter().enumerate() {
        let open = view == model.view;
        row.push(tab_text(model, n, view), if open { Role::Tab } else { Role::Bar });
    }
    let left = usize::from(area.width).saturating_sub(row.columns());
    let narrow = model.size.0 < NARROW;
    let verdict = match model.digest.report.operation {
        Operation::Failed => "FAILED",
        Operation::Unfinished if !model.ended => "RUNNING",
        Operation::Unfinished if narrow => "OPEN",
        Operation::Unfinished => "UNFINISHED",
        Operation::Completed if narrow => "OK",
        Operation::Completed => "COMPLETED",
        Operation::Unknown if narrow => "?",
        Operation::Unknown => "UNKNOWN",
        Operation::None => "",
    };
    let so_far = if model.ended || verdict.is_empty() || narrow { "" } else { " so far" };
    let far = format!("{verdict}{so_far}");
    let far = if columns(&far) > left { verdict.to_owned() } else { far };
    if left >= columns(&far) {
        row.push(" ".repeat(left - columns(&far)), Role::Bar);
        let role = match model.digest.report.operation {
            Operation::Unfinished if !model.ended => Role::Doubt,
            Operation::Failed | Operation::Unfinished => Role::Bad,
            Operation::Completed => Role::Good,
            _ => Role::Doubt,
        };
        row.push(far, role);
    } else {
        row.push(" ".repeat(left), Role::Bar);
    }
    lines(frame, area, vec![row.line(usize::from(area.width), model.theme, None)]);
}

fn draw_prompt(model: &Model<'_>, frame: &mut Frame<'_>, layout: &Layout) {
    let (area, Some(prompt)) = (layout.prompt, &model.prompt) else { return };
    if area.height == 0 {
        return;
    }
    frame.render_widget(Clear, area);
    let width = usize::from(area.width);
    let head = columns(prompt.title());
    let room = width.saturating_sub(head + 1).max(1);
    let scroll = prompt.input.visual_scroll(room);
    let typed: String = prompt.input.value().chars().skip(scroll).collect();
    let mut drawn = vec![Row::one(prompt.title(), Role::Head).add(typed, Role::Plain).line(
        width,
        model.theme,
        None,
    )];
    // A name that is not whole is no error as long as it may become one.
    let unfinished = !prompt.offers.is_empty();
    if let Some(wrong) = prompt.wrong.as_ref().filter(|_| !unfinished) {
        let at = (head + wrong.at).saturating_sub(scroll).min(width.saturating_sub(2));
        let text = cut(&format!("{}^ {}", " ".repeat(at), wrong.text), width);
        // Where the sentence does not fit behind the place, it goes without.
        let text =
            if at + 2 + columns(&wrong.text) > width { format!("! {}", wrong.text) } else { text };
        drawn.push(Row::one(text, Role::Bad).line(width, model.theme, None));
    } else {
        let hint = match prompt.ask {
            Ask::Filter if unfinished => "Tab completes the name",
            Ask::Filter => "Enter shows these calls; Tab completes names; empty shows all",
            Ask::Search => {
                "text, whatever its case, in names, values and bytes; or bytes: x de ad be ef"
            }
            Ask::GoTo => "7 is a call, f57 a frame",
            Ask::SavePackets => {
                "a new pcapng file with the frames of these calls, and the logon and bind they need"
            }
            Ask::SaveView => match model.view {
                View::Calls | View::Packets | View::Findings => {
                    "a new file; one whose name ends in .json is JSON, one record a line"
                }
                _ => "a new text file",
            },
            Ask::SaveCopy => "a new file",
            Ask::Keys => {
                "a file of keys, a keytab, or lines of session keys (Wireshark's or Samba's)"
            }
        };
        drawn.push(Row::one(hint, Role::Dim).line(width, model.theme, None));
    }
    let room = usize::from(area.height).saturating_sub(2);
    for (at, (name, what)) in prompt.offers.iter().enumerate() {
        let beyond = prompt.offers.len().saturating_sub(room);
        if at + 1 == room && beyond > 0 {
            let more = format!("  and {} more", beyond + 1);
            drawn.push(Row::one(more, Role::Dim).line(width, model.theme, None));
            break;
        }
        let row = Row::one(format!("  {name}"), Role::Name).add(format!("  {what}"), Role::Dim);
        drawn.push(row.line(width, model.theme, None));
    }
    drawn.truncate(usize::from(area.height));
    lines(frame, area, drawn);
    let column = head + prompt.input.visual_cursor().max(scroll) - scroll;
    let x = area.x.saturating_add(u16::try_from(column.min(width.saturating_sub(1))).unwrap_or(0));
    frame.set_cursor_position(Position { x, y: area.y });
}

/// The bottom: what was said last, or where everything is; how far the reading is.
fn draw_status(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    // What went wrong is worth more than how much there is.
    let bad = model.said.as_ref().is_some_and(|said| said.bad);
    let far = progress(model);
    let far = if bad && width < 100 { String::new() } else { far };
    let room = width.saturating_sub(columns(&far) + 1);
    if let Some(said) = model.said.as_ref().filter(|said| said.bad && model.begun.is_none())
        && columns(&said.text) + 3 > room
    {
        return draw_long(model, frame, area, (&said.text, &far));
    }
    let row = match (&model.said, &model.begun) {
        (_, Some(begun)) => Row::one(format!(" {begun} … (? shows what may follow)"), Role::Bar),
        (Some(said), _) => {
            let mark = if said.bad { " ! " } else { " " };
            let role = if said.bad { Role::Bad } else { Role::Bar };
            Row::one(cut(&format!("{mark}{}", said.text), room), role)
        }
        (None, None) => Row::one(cut(&format!(" {}", hints(model)), room), Role::Bar),
    };
    let left = width.saturating_sub(row.columns() + columns(&far));
    let row = row.add(" ".repeat(left), Role::Bar).add(far, Role::Bar);
    lines(frame, area, vec![row.line(width, model.theme, None)]);
}

/// What went wrong, in as many rows as it takes: over those above the last, until the next key. How far
/// it is stays where it was.
fn draw_long(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect, (text, far): (&str, &str)) {
    /// Rows that it may cover, and parts of the screen of which it may cover one.
    const MOST: u16 = 6;
    const PARTS: u16 = 4;
    let width = usize::from(area.width);
    let room = width.saturating_sub(columns(far) + 4);
    let most = MOST.min(area.bottom() / PARTS).max(1);
    let mut rows = wrap(text, room);
    let beyond = rows.split_off(usize::from(most).min(rows.len()));
    if let Some(last) = rows.last_mut().filter(|_| !beyond.is_empty()) {
        *last = cut(&format!("{last} {}", beyond.concat()), room);
    }
    let height = u16::try_from(rows.len()).unwrap_or(most).min(area.bottom());
    let y = area.bottom().saturating_sub(height);
    let drawn = rows.iter().enumerate().map(|(n, text)| {
        let mark = if n == 0 { " ! " } else { "   " };
        let row = Row::one(format!("{mark}{text}"), Role::Bad);
        let far = if n + 1 == rows.len() { far } else { "" };
        let left = width.saturating_sub(row.columns() + columns(far));
        row.add(" ".repeat(left), Role::Bar).add(far, Role::Bar).line(width, model.theme, None)
    });
    let drawn = drawn.collect();
    let area = Rect { y, height, ..area };
    frame.render_widget(Clear, area);
    lines(frame, area, drawn);
}

/// What is shown, and the keys that matter most here.
fn hints(model: &Model<'_>) -> String {
    if model.help.is_some() {
        return "j k move in the keys, any other key closes them".to_owned();
    }
    if model.prompt.is_some() {
        return "Enter done  Esc leave  Up what was typed before  Ctrl-u empty".to_owned();
    }
    let keys = match (model.view, model.focus) {
        // Where there is no room, for the key that leads on.
        (View::Overview, _) if overview::stays_closed(model) && model.size.0 < NARROW => {
            "? keys  q quit  Enter go there  K keys  f filter  / find"
        }
        (View::Overview, _) if overview::stays_closed(model) => {
            "? keys  q quit  Enter go there  2 calls  K keys  f filter  / find"
        }
        (View::Overview, _) => "? keys  q quit  Enter go there  2 calls  f filter  / find",
        (View::Calls | View::Packets, Focus::List) => {
            "? keys  q quit  Enter fields  f filter  / find  y copy  w save"
        }
        (View::Calls | View::Packets, Focus::Fields) => {
            "? keys  Esc list  Tab bytes  o open/close  ] frames  y v copy value  z zoom"
        }
        (View::Calls | View::Packets, Focus::Bytes) => {
            "? keys  Esc list  arrows move  ] [ buffer, frames  y x copy bytes  z zoom"
        }
        (View::Sequence, _) => "? keys  Enter the call  s same set  p same pipe  f filter",
        (View::State, _) => "? keys  q quit  ← → through time  Enter the call",
        (View::Findings, Focus::List) => "? keys  Enter the call  Tab the rule  y y copy  W save",
        (View::Objects, Focus::List) => "? keys  Enter its call  Tab the rest  s its calls  / find",
        (View::Findings | View::Objects, _) => "? keys  Esc list  j k move  z zoom",
        (View::Statistics, _) => "? keys  q quit  Enter calls of the method",
    };
    // Where all is shown a filter is not told.
    let listed = matches!(model.view, View::Calls | View::Sequence);
    let Some(chosen) = model.chosen.as_ref().filter(|_| listed) else { return keys.to_owned() };
    let searching = if model.is_choosing() { "…" } else { "" };
    let filter = cut(&chosen.title, usize::from(model.size.0) / 3);
    let (of, all) = (chosen.rows.len(), model.trace.complete());
    format!("{of}{searching} of {all} calls: {filter}  Esc all  {keys}")
}

fn progress(model: &Model<'_>) -> String {
    const MEGA: u64 = 1_000_000;
    let frames = model.trace.frames();
    let calls = model.trace.complete();
    if model.ended {
        return format!("{calls} calls, {frames} frames ");
    }
    match model.read {
        // Of a file that grows nobody knows how long it will be.
        (read, Some(all)) if all > 0 && !model.options.live => {
            let hundredths = (read.saturating_mul(100) / all).min(100);
            let full = usize::try_from(hundredths / 10).unwrap_or(0);
            let bar: String = "█".repeat(full) + &"░".repeat(10usize.saturating_sub(full));
            format!("{bar} {hundredths} % of {} MB, {calls} calls ", all / MEGA)
        }
        (read, _) => format!("reading, {} MB, {calls} calls ", read / MEGA),
    }
}
