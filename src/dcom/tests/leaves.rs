//! Where the values of what was read lie: each at its bytes, and what a prefix keeps of them.

use super::*;
use crate::ndr::{Number, Units};

/// A value without others in it, and where it is.
type Leaf<'v> = (String, &'v Value, Order);

/// All leaves. In an OBJREF all is little-endian; in the octets of activation properties what NDR
/// has read is of the order `serialized`.
fn leaves<'v>(
    value: &'v Value,
    at: &str,
    order: Order,
    serialized: Order,
    found: &mut Vec<Leaf<'v>>,
) {
    match &value.data {
        Data::Unread | Data::Null | Data::Same(_) => {}
        Data::Pointer(pointer) => leaves(&pointer.to, at, order, serialized, found),
        Data::Record(record) => {
            for (name, value) in &record.fields {
                let is_property = at.contains(".properties[") && at.ends_with(']');
                let order = match (&*record.name, &**name) {
                    (_, "data") if is_property => Order::Little,
                    ("ActivationProperties", "header") => serialized,
                    _ if is_property => serialized,
                    _ => order,
                };
                leaves(value, &format!("{at}.{name}"), order, serialized, found);
            }
        }
        Data::List(list) => {
            for (n, value) in list.items.iter().enumerate() {
                leaves(value, &format!("{at}[{n}]"), order, serialized, found);
            }
        }
        Data::Union(union) => {
            leaves(&union.tag, &format!("{at}.tag"), order, serialized, found);
            if let Some((name, value)) = &union.arm {
                leaves(value, &format!("{at}.{name}"), order, serialized, found);
            }
        }
        Data::Interface(pointer) => match &pointer.object {
            Some(object) => leaves(object, at, Order::Little, serialized, found),
            None if pointer.objref.is_some() => found.push((at.to_owned(), value, order)),
            None => {}
        },
        _ => found.push((at.to_owned(), value, order)),
    }
}

fn all_leaves(decoded: &Decoded, order: Order, serialized: Order) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    let ret = decoded.ret.as_ref().map(|value| ("return", value));
    for (name, value) in decoded.params.iter().map(|(name, value)| (&**name, value)).chain(ret) {
        leaves(value, name, order, serialized, &mut found);
    }
    found
}

/// The octets of a value as they travel in this order.
fn octets(value: &Value, order: Order) -> Vec<u8> {
    match &value.data {
        Data::Number(Number { bits, width, .. }) => {
            let width = usize::from(*width);
            match order {
                Order::Little => bits.to_le_bytes()[..width].to_vec(),
                Order::Big => bits.to_be_bytes()[8 - width..].to_vec(),
            }
        }
        Data::Boolean(octet) => vec![*octet],
        Data::Guid(guid) => match order {
            Order::Little => guid.to_bytes_le().to_vec(),
            Order::Big => guid.as_bytes().to_vec(),
        },
        Data::Text(text) => match &text.units {
            Units::Wide(units) => units
                .iter()
                .flat_map(|unit| match order {
                    Order::Little => unit.to_le_bytes(),
                    Order::Big => unit.to_be_bytes(),
                })
                .collect(),
            Units::Narrow(units) => units.to_vec(),
        },
        Data::Bytes(bytes) => bytes.bytes.to_vec(),
        other => panic!("no leaf: {other:?}"),
    }
}

/// Every leaf is where it says; gives how many there are.
#[track_caller]
pub(super) fn in_place(decoded: &Decoded, stub: &[u8], order: Order, serialized: Order) -> usize {
    let found = all_leaves(decoded, order, serialized);
    for (name, value, order) in &found {
        let (span, wanted) = match &value.data {
            Data::Interface(pointer) => (pointer.at, pointer.objref.as_deref().unwrap().to_vec()),
            _ => (value.span, octets(value, *order)),
        };
        let range = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
        let there = stub.get(range).unwrap_or_else(|| panic!("{name}: {span:?} of {}", stub.len()));
        assert_eq!(there, wanted, "{name} at {span:?}");
    }
    for note in &decoded.notes {
        assert!(
            note.span.start <= note.span.end && note.span.end as usize <= stub.len(),
            "{note:?}"
        );
    }
    found.len()
}

/// What was read of the first `len` octets of a stub is what was read of all of it, and nothing that
/// lies in them is lost.
#[track_caller]
pub(super) fn kept(part: &Decoded, whole: &Decoded, len: usize, order: Order, serialized: Order) {
    assert_eq!(lost(part, whole, len, order, serialized), [""; 0], "{len}");
}

/// Checks that what was read of the first `len` octets is as it was, and gives the leaves that lie in
/// them and were not read.
#[track_caller]
pub(super) fn lost(
    part: &Decoded,
    whole: &Decoded,
    len: usize,
    order: Order,
    serialized: Order,
) -> Vec<String> {
    let (part, whole) = (all_leaves(part, order, serialized), all_leaves(whole, order, serialized));
    for (name, value, _) in &part {
        let same = whole.iter().find(|(other, ..)| other == name);
        let (_, same, _) = same.unwrap_or_else(|| panic!("{len}: {name} is not there"));
        match (&value.data, &same.data) {
            // Octets without a form of their own, as far as they go.
            (Data::Bytes(part), Data::Bytes(whole)) => {
                assert!(whole.bytes.starts_with(&part.bytes), "{len}: {name}");
            }
            // A text of which the end is missing has what its counts say, as far as they go.
            (Data::Text(part), Data::Text(whole)) if same.span.end as usize > len => {
                let (part, whole) = (&part.counts, &whole.counts);
                for (part, whole) in [
                    (part.max, whole.max),
                    (part.offset, whole.offset),
                    (part.actual, whole.actual),
                ] {
                    assert!(part.is_none_or(|_| part == whole), "{len}: {name}");
                }
            }
            _ => assert_eq!(value, same, "{len}: {name}"),
        }
    }
    let mut lost = Vec::new();
    for (name, value, _) in &whole {
        if name.contains(".properties[") && name.ends_with("].clsid") {
            // The class is told where the header tells it, too.
            continue;
        }
        if value.span.end as usize <= len && !part.iter().any(|(other, ..)| other == name) {
            lost.push(name.clone());
        }
    }
    lost
}

pub(super) fn ends_in_octets(decoded: &Decoded) -> bool {
    let leaves = all_leaves(decoded, Order::Little, Order::Little);
    matches!(leaves.last(), Some((_, Value { data: Data::Bytes(_), .. }, _)))
}

/// Whether part of an element lies behind the first `len` octets.
pub(super) fn cut_short(whole: &Decoded, element: &str, len: usize) -> bool {
    let leaves = all_leaves(whole, Order::Little, Order::Little);
    leaves.iter().any(|(name, value, _)| name.starts_with(element) && value.span.end as usize > len)
}
