//! Values as rows of a tree, in the order they were declared, with the bytes of each.
//!
//! What a GUID stands for is asked of the caller; nothing of it is known here.

use super::decode::Decoded;
use super::text::text;
use super::tower::Tower;
use super::value::{Counts, Data, InterfacePointer, Record, Value};
use crate::bytes::{Guid, Sink as _, Span, Tree, printable};

/// Tells what has a GUID, if that is known.
pub type Naming<'n> = &'n dyn Fn(Guid) -> Option<&'n str>;

/// Writes the values as rows; referents and counts have rows of their own, and GUIDs the names of
/// what has them.
pub fn rows(decoded: &Decoded, naming: Naming<'_>, tree: &mut Tree) {
    for (name, value) in &decoded.params {
        row(name, value, naming, tree);
    }
    if let Some(value) = &decoded.ret {
        row("return", value, naming, tree);
    }
}

fn row(name: &str, value: &Value, naming: Naming<'_>, tree: &mut Tree) {
    match &value.data {
        Data::Unread => {}
        Data::Null => tree.row(name, "NULL".to_owned(), value.span),
        Data::Same(referent) => {
            let text = format!("where referent 0x{referent:08x} points");
            tree.row(name, text, value.span);
        }
        Data::Pointer(pointer) => {
            referent(name, pointer.referent, value.span, tree);
            row(name, &pointer.to, naming, tree);
        }
        Data::Record(record) => {
            let title = binding(record).unwrap_or_else(|| record.name.to_string());
            group(&format!("{name} ({title})"), record, value.span, naming, tree);
        }
        Data::Union(union) => {
            tree.enter(&format!("{name} ({})", union.name), value.span.start);
            row("discriminant", &union.tag, naming, tree);
            if let Some((arm, value)) = &union.arm {
                row(arm, value, naming, tree);
            }
            tree.leave(value.span.end);
        }
        Data::List(list) => {
            let start = first_byte(&list.counts).unwrap_or(value.span.start);
            let title = format!("{name} ({} elements)", list.items.len());
            tree.enter(&title, start.min(value.span.start));
            counts("", &list.counts, tree);
            for (n, item) in list.items.iter().enumerate() {
                row(&format!("[{n}]"), item, naming, tree);
            }
            tree.leave(value.span.end);
        }
        Data::Text(string) => {
            counts(&format!("{name}."), &string.counts, tree);
            tree.row(name, text(value), value.span);
        }
        Data::Bytes(bytes) => {
            counts(&format!("{name}."), &bytes.counts, tree);
            tree.row(name, text(value), value.span);
        }
        Data::Interface(pointer) => {
            referent(name, pointer.referent, value.span, tree);
            match pointer.object.as_deref() {
                Some(Value { data: Data::Record(record), span }) => {
                    let title = format!("{name} ({})", reference(pointer, naming));
                    group(&title, record, *span, naming, tree);
                }
                Some(object) => row(name, object, naming, tree),
                None if pointer.objref.is_some() => tree.row(name, text(value), pointer.at),
                None => {}
            }
        }
        Data::Guid(guid) => {
            let known = naming(*guid).map(|known| format!("{guid} {known}"));
            tree.row(name, known.unwrap_or_else(|| text(value)), value.span);
        }
        _ => tree.row(name, text(value), value.span),
    }
}

/// The members of a structure.
fn group(title: &str, record: &Record, span: Span, naming: Naming<'_>, tree: &mut Tree) {
    tree.enter(title, span.start);
    for (name, value) in &record.fields {
        row(name, value, naming, tree);
    }
    if let Some((tower, at)) = Tower::of(record) {
        floors(&tower, at.start, tree);
    }
    tree.leave(span.end);
}

/// The kind of a reference to an object, and its interface where that has a name:
/// `OBJREF_STANDARD of IVssEnumObject`.
fn reference(pointer: &InterfacePointer, naming: Naming<'_>) -> String {
    let member = |name| pointer.object.as_deref().and_then(|object| object.field(name));
    let kind = member("objref").map_or_else(|| "OBJREF".to_owned(), text);
    match member("iid").and_then(Value::as_guid).and_then(naming) {
        Some(of) => format!("{kind} of {of}"),
        None => kind,
    }
}

/// A binding (\[MS-DCOM\] 2.2.19) as it is written: `ncacn_ip_tcp:10.0.0.1[49667]`.
fn binding(record: &Record) -> Option<String> {
    let string = |name| Some(printable(&record.field(name)?.as_text()?.to_string()));
    match &*record.name {
        "STRINGBINDING" => {
            Some(format!("{}:{}", text(record.field("wTowerId")?), string("aNetworkAddr")?))
        }
        "SECURITYBINDING" => {
            let said = format!("{} {}", text(record.field("wAuthnSvc")?), string("aPrincName")?);
            Some(said.trim_end().to_owned())
        }
        _ => None,
    }
}

/// The floors of a tower whose octets begin at `from`.
fn floors(tower: &Tower, from: u32, tree: &mut Tree) {
    for (n, floor) in tower.floors.iter().enumerate() {
        let protocol = floor.protocol_name().unwrap_or("protocol");
        let text = format!("{protocol} (0x{:02x}) {}", floor.protocol, floor.says);
        let Span { start, end } = floor.span;
        let span = Span::new(from.saturating_add(start), from.saturating_add(end));
        tree.row(&format!("floor {}", n + 1), text, span);
    }
    if let Some(stop) = &tower.stop {
        let at = from.saturating_add(stop.at);
        tree.row("stopped", stop.to_string(), Span::new(at, at));
    }
}

fn referent(name: &str, id: u64, span: Span, tree: &mut Tree) {
    tree.row(&format!("{name}.referent"), format!("0x{id:08x}"), span);
}

fn counts(prefix: &str, counts: &Counts, tree: &mut Tree) {
    let named =
        [("max_count", counts.max), ("offset", counts.offset), ("actual_count", counts.actual)];
    for (name, count) in named {
        if let Some((n, span)) = count {
            tree.row(&format!("{prefix}{name}"), n.to_string(), span);
        }
    }
}

fn first_byte(counts: &Counts) -> Option<u32> {
    let all = [counts.max, counts.offset, counts.actual];
    all.into_iter().flatten().map(|(_, span)| span.start).min()
}
