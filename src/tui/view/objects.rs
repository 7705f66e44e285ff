//! What is stored where, and the objects by which that is managed: who holds them, where enumerators
//! stand; and a page of all that is known of the row that is selected.
//!
//! ```text
//!  storage at fs1
//!    copies of  are stored on  used     allocated  at most  full
//!    C:\        D:\            1.5 GiB  2 GiB      10 GiB   15 %
//!
//!  objects of fs1
//!    state     interface         IPID       call  refs  cursor
//!    released  IVssEnumMgmtObj…  00008002…     3     0  3 of 3
//! ── IVssEnumMgmtObject 00008002-… ───────────────────────────────
//!  issued     by call 3 QueryVolumesSupportedForSnapshots to 10.0.0.5
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;

use super::super::layout::inside;
use super::super::model::{Focus, Model};
use super::super::objects::Item;
use super::super::text::{Row, cut, fit, right, wrap};
use super::super::theme::Role;
use super::side::Page;
use super::{lines, overview, title};
use crate::bytes::{Guid, Time, printable};
use crate::check::{CursorReport, ObjectReport};
use crate::objects::Holder;
use crate::report::brief::{self, short};

/// Columns from which more is told of each object, and from which all of its `IPID`.
const WIDE: usize = 120;
const VERY_WIDE: usize = 160;
/// Columns of a list that is saved, and of what is searched.
const SAVED: usize = 240;
/// Columns of the words that a page has before what it says.
const HEAD: usize = 12;
/// Clients and findings of one object that are told.
const MOST: usize = 8;

/// What the words mean that objects begin with.
const STATES: [(&str, &str); 6] = [
    ("held", "a client has references to it"),
    ("held ?", "the same, for all that is known: some of what came and went was not seen"),
    ("released", "all references that were handed out were released"),
    ("LEAKED", "a client has left without releasing it, and does not ping it"),
    (
        "unknown",
        "who handed it out was not seen: that was before the capture, or could not be read",
    ),
    ("gone", "the server was started again"),
];

/// Draws the list.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let focused = model.focus == Focus::List;
    let mut drawn = vec![title(model, &head(model), area.width, focused)];
    if model.items.is_empty() {
        for line in wrap(&nothing(model), width.saturating_sub(4)) {
            drawn.push(Row::one(format!("  {line}"), Role::Dim).line(width, model.theme, None));
        }
    }
    let list = model.list();
    for at in (list.top..model.items.len()).take(inside(area)) {
        let over = if focused { Role::Selected } else { Role::Held };
        let over = (at == list.at).then_some(over);
        drawn.push(row(model, at, width).line(width, model.theme, over));
    }
    lines(frame, area, drawn);
}

/// A row as text, whatever there is room for on the screen.
pub(super) fn text(model: &Model<'_>, at: usize) -> String {
    match model.cells_at(at) {
        Some(cells) => format!("   {}", cells.cells.join("  ")),
        None => row(model, at, SAVED).text(),
    }
}

fn head(model: &Model<'_>) -> String {
    let so_far = if model.ended { "" } else { " so far" };
    match counts(model.digest.report.objects.iter()) {
        states if states.is_empty() => format!("storage and objects{so_far}"),
        states => format!("storage and objects{so_far}: {states}"),
    }
}

/// How many objects are in which state.
pub(super) fn counts<'o>(objects: impl Iterator<Item = &'o ObjectReport>) -> String {
    let mut all = STATES.map(|(word, _)| (0usize, word));
    for object in objects {
        let word = state(object).0;
        all.iter_mut().filter(|(_, of)| *of == word).for_each(|(n, _)| *n += 1);
    }
    let some = all.iter().filter(|(n, _)| *n > 0);
    some.map(|(n, word)| format!("{n} {word}")).collect::<Vec<_>>().join(", ")
}

/// Why there is no row, and what to look at instead.
fn nothing(model: &Model<'_>) -> String {
    if model.trace.complete() == 0 {
        return overview::nothing(model).join(" ");
    }
    let so_far = if model.ended { "" } else { " so far" };
    if !model.digest.report.storage.is_empty() {
        return format!(
            "no object was handed out{so_far}, and nothing is known of the storage: Overview (1) says \
             what became of that"
        );
    }
    let instead = if model.stands.is_empty() {
        "Calls (2) has what there is"
    } else {
        "State (5) shows how a server of FSRVP stands, which has no objects"
    };
    format!("no call{so_far} is about the objects or the storage of shadow copies: {instead}")
}

/// What has become of an object, in a word.
fn state(of: &ObjectReport) -> (&'static str, Role) {
    match of.state {
        _ if of.left => ("LEAKED", Role::Bad),
        "released" => ("released", Role::Dim),
        "gone" => ("gone", Role::Doubt),
        _ if of.origin == "adopted" => ("unknown", Role::Doubt),
        _ if of.holders.iter().any(|holder| holder.holds() && holder.sure) => ("held", Role::Good),
        _ => ("held ?", Role::Doubt),
    }
}

/// The name of an interface or class, or as much of it as is known.
fn named(model: &Model<'_>, guid: Option<Guid>) -> String {
    let Some(guid) = guid else { return "?".to_owned() };
    model.registry.name_of(guid).map_or_else(|| short(guid), printable)
}

fn clock(model: &Model<'_>, time: Time) -> String {
    model.time.cell(time, &model.time.zone(), model.trace.began(), None)
}

fn row(model: &Model<'_>, at: usize, width: usize) -> Row {
    match model.items.get(at) {
        None | Some(Item::Blank) => Row::new(),
        Some(Item::Head(head)) => Row::one(format!(" {head}"), Role::Head),
        Some(Item::Columns(text)) => Row::one(format!("   {text}"), Role::Dim),
        Some(Item::Cells(_, _, text)) => Row::one(cut(&format!("   {text}"), width), Role::Plain),
        Some(Item::OfObjects) => columns(width),
        Some(Item::Object(at)) => match model.digest.report.objects.get(*at) {
            Some(object) => of_object(model, object, width),
            None => Row::new(),
        },
    }
}

/// Columns for the interface and for the `IPID`.
fn widths(width: usize) -> (usize, usize) {
    let interface = if width >= WIDE { 36 } else { width.saturating_sub(58).clamp(12, 36) };
    (interface, if width >= VERY_WIDE { 36 } else { 9 })
}

fn columns(width: usize) -> Row {
    let (interface, ipid) = widths(width);
    let text = format!(
        "   {} {} {} {}  {}  {}",
        fit("state", 9),
        fit("interface", interface),
        fit("IPID", ipid),
        right("call", 6),
        right("refs", 6),
        fit("cursor", 14)
    );
    let more =
        format!("{}  {}  {}  client", right("released", 8), right("calls", 5), fit("ping", 12));
    let more = if width >= WIDE { more } else { String::new() };
    Row::one(text, Role::Dim).add(more, Role::Dim)
}

fn of_object(model: &Model<'_>, of: &ObjectReport, width: usize) -> Row {
    let (interface, columns) = widths(width);
    let ipid = if width >= VERY_WIDE { of.ipid.to_string() } else { short(of.ipid) };
    let (word, role) = state(of);
    let row = Row::one(format!("   {} ", fit(word, 9)), role)
        .add(format!("{} ", fit(&named(model, of.iid), interface)), Role::Name)
        .add(format!("{} ", fit(&ipid, columns)), Role::Plain)
        .add(format!("{}  ", right(&of.call.to_string(), 6)), Role::Plain)
        .add(format!("{}  ", right(&references(of), 6)), Role::Plain)
        .add(fit(&of.cursor.map(place).unwrap_or_default(), 14), Role::Plain);
    if width < WIDE {
        return row;
    }
    let released = of.released.map(|call| call.to_string()).unwrap_or_default();
    let pinged = of.pinged.map(|time| clock(model, time)).unwrap_or_default();
    let clients: Vec<String> = of.holders.iter().map(|holder| holder.client.to_string()).collect();
    row.add(format!("{}  ", right(&released, 8)), Role::Plain)
        .add(format!("{}  ", right(&of.calls.to_string(), 5)), Role::Plain)
        .add(format!("{}  ", fit(&pinged, 12)), Role::Dim)
        .add(clients.join(", "), Role::Plain)
}

/// The references that clients hold, in all.
fn references(of: &ObjectReport) -> String {
    let sum = |count: fn(&Holder) -> i64| of.holders.iter().map(count).sum::<i64>();
    let (public, private) = (sum(|of| of.public), sum(|of| of.private));
    let private = if private > 0 { format!("+{private}p") } else { String::new() };
    let known = of.origin != "adopted" && of.holders.iter().all(|holder| holder.sure);
    match (known, public) {
        (true, _) => format!("{public}{private}"),
        (false, 0) if private.is_empty() => "?".to_owned(),
        (false, _) => format!("{public}{private} ?"),
    }
}

/// Where an enumerator stands, in short.
fn place(of: CursorReport) -> String {
    let known = |n: Option<usize>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let end = if of.end.is_some() { ", end" } else { "" };
    format!("{} of {}{end}", known(of.place), known(of.len.map(|(len, _)| len)))
}

/// All that is known of the row that is selected.
pub(super) fn page(model: &Model<'_>, width: usize) -> Page {
    let at = model.list().at;
    let mut said: Vec<(&str, String)> = Vec::new();
    let name = if let Some(object) = model.object_at(at) {
        tell(model, object, &mut said);
        format!("{} {}", named(model, object.iid), object.ipid)
    } else if let Some((sheet, cells)) = sheet(model, at).zip(model.cells_at(at)) {
        let cells_of = sheet.columns.iter().zip(&cells.cells);
        said.extend(cells_of.map(|(name, cell)| (*name, cell.clone())));
        if cells.call > 0 && !sheet.columns.contains(&"") {
            said.push(("told by", format!("call {}", cells.call)));
        }
        sheet.head.clone()
    } else {
        said.extend(STATES.map(|(word, what)| (word, what.to_owned())));
        "what the words mean that objects begin with".to_owned()
    };
    let indent = said.iter().map(|(head, _)| head.len() + 2).max().unwrap_or(0).max(HEAD);
    let mut rows = Vec::new();
    for (head, text) in said {
        for (n, line) in wrap(&text, width.saturating_sub(indent + 2)).into_iter().enumerate() {
            let head = if n == 0 { head } else { "" };
            rows.push(
                Row::one(format!(" {}", fit(head, indent)), Role::Head).add(line, Role::Plain),
            );
        }
    }
    (name, rows)
}

fn sheet<'m>(model: &'m Model<'_>, at: usize) -> Option<&'m crate::report::check::Sheet> {
    match model.items.get(at)? {
        Item::Cells(sheet, ..) => model.digest.sheets.get(*sheet),
        _ => None,
    }
}

/// A call by its number and method.
fn call(model: &Model<'_>, n: u64) -> String {
    let call = model.trace.call(n, false, model.registry).ok().flatten();
    let method = call.map(|call| printable(&brief::method(&call))).unwrap_or_default();
    format!("call {n} {method}").trim_end().to_owned()
}

/// What is known of an object, what matters most first.
fn tell(model: &Model<'_>, of: &ObjectReport, said: &mut Vec<(&'static str, String)>) {
    let (word, _) = state(of);
    let what = STATES.iter().find(|(known, _)| *known == word).map_or("", |(_, what)| *what);
    let by = of.released.filter(|_| word == "released");
    let by = by.map(|n| format!(", the last by {}", call(model, n))).unwrap_or_default();
    said.push(("state", format!("{word}: {what}{by}")));
    let (by, when) = (call(model, of.call), clock(model, of.since));
    said.push(match of.origin {
        "adopted" => ("known by", format!("{by}, {when}, which was made on it")),
        "query" => ("issued by", format!("{by}, {when}, as another interface of its object")),
        _ => ("issued by", format!("{by}, {when}")),
    });
    for holder in of.holders.iter().take(MOST) {
        said.push(("held by", holds(holder)));
    }
    if of.holders.len() > MOST {
        said.push(("", format!("and {} more clients", of.holders.len() - MOST)));
    }
    if let Some(cursor) = of.cursor {
        said.push(("cursor", stands(cursor, of.clone_of)));
    }
    let last = of.last.map(|n| format!(", the last {}", call(model, n))).unwrap_or_default();
    let after = of.last.zip(of.released).is_some_and(|(last, released)| last > released);
    let after = if after { ", after it was released" } else { "" };
    said.push(("calls", format!("{} on it{last}{after}", of.calls)));
    let class = of.class.map(|class| (named(model, Some(class)), class));
    if let Some((name, class)) = class {
        said.push(("class", format!("{name} {class}")));
    }
    let pinged = match of.pinged {
        Some(time) => format!("last at {}", clock(model, time)),
        None if of.unpinged => "need not be".to_owned(),
        None => "no ping was seen".to_owned(),
    };
    said.push(("pinged", pinged));
    let hex = |n: Option<u64>| n.map_or_else(|| "not told".to_owned(), |n| format!("0x{n:016x}"));
    said.push(("server", format!("{}, OXID {}, OID {}", of.server, hex(of.oxid), hex(of.oid))));
}

/// What a client holds, or held.
fn holds(of: &Holder) -> String {
    let count = |n: i64, what: &str| match n {
        1 => format!("1 {what}reference"),
        n => format!("{n} {what}references"),
    };
    let sure = if of.sure { "" } else { ", as far as that was seen" };
    let held = match (of.private, of.released) {
        (_, Some((call, _))) if !of.holds() => {
            format!("until call {call} released the last reference")
        }
        (0, _) => count(of.public, ""),
        (private, _) => format!("{} and {}", count(of.public, ""), count(private, "private ")),
    };
    format!("{}, from call {} on: {held}{sure}", of.client, of.got)
}

/// Where an enumerator stands, and how that is known.
fn stands(of: CursorReport, clone_of: Option<Guid>) -> String {
    let lists = of.lists.map(|lists| format!(" {lists}")).unwrap_or_default();
    let mut said = vec![match (of.place, of.len) {
        (Some(place), Some((len, call))) => {
            format!("at place {place} of {len}{lists}, as call {call} shows")
        }
        (Some(place), None) => format!("at place {place}{lists}, of how many was not seen"),
        (None, Some((len, call))) => {
            format!("nobody knows at which place of {len}{lists}, as call {call} shows")
        }
        (None, None) => format!("where it stands{lists} is not known"),
    }];
    said.push(match of.given {
        0 => "it was not seen to give any".to_owned(),
        n => format!("it gave {n}"),
    });
    said.extend(of.end.map(|call| format!("call {call} said that none is left")));
    said.extend(clone_of.map(|of| format!("it was cloned from {}", short(of))));
    said.join("; ")
}
