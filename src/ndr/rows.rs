//! Values as rows of a tree, in the order they were declared, with the bytes of each.

use super::decode::Decoded;
use super::text::text;
use super::tower::Tower;
use super::value::{Counts, Data, Value};
use crate::bytes::{Sink as _, Span, Tree};

/// Writes the values as rows; referents and counts have rows of their own.
pub fn rows(decoded: &Decoded, tree: &mut Tree) {
    for (name, value) in &decoded.params {
        row(name, value, tree);
    }
    if let Some(value) = &decoded.ret {
        row("return", value, tree);
    }
}

fn row(name: &str, value: &Value, tree: &mut Tree) {
    match &value.data {
        Data::Unread => {}
        Data::Null => tree.row(name, "NULL".to_owned(), value.span),
        Data::Same(referent) => {
            let text = format!("where referent 0x{referent:08x} points");
            tree.row(name, text, value.span);
        }
        Data::Pointer(pointer) => {
            referent(name, pointer.referent, value.span, tree);
            row(name, &pointer.to, tree);
        }
        Data::Record(record) => {
            tree.enter(&format!("{name} ({})", record.name), value.span.start);
            for (name, value) in &record.fields {
                row(name, value, tree);
            }
            if let Some((tower, at)) = Tower::of(record) {
                floors(&tower, at.start, tree);
            }
            tree.leave(value.span.end);
        }
        Data::Union(union) => {
            tree.enter(&format!("{name} ({})", union.name), value.span.start);
            row("discriminant", &union.tag, tree);
            if let Some((arm, value)) = &union.arm {
                row(arm, value, tree);
            }
            tree.leave(value.span.end);
        }
        Data::List(list) => {
            let start = first_byte(&list.counts).unwrap_or(value.span.start);
            let title = format!("{name} ({} elements)", list.items.len());
            tree.enter(&title, start.min(value.span.start));
            counts("", &list.counts, tree);
            for (n, item) in list.items.iter().enumerate() {
                row(&format!("[{n}]"), item, tree);
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
            match &pointer.object {
                Some(object) => row(name, object, tree),
                None if pointer.objref.is_some() => tree.row(name, text(value), pointer.at),
                None => {}
            }
        }
        _ => tree.row(name, text(value), value.span),
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
