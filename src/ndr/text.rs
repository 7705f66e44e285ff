//! Values on one line, for lists of calls and rows of trees.

use super::tower::Tower;
use super::value::{Data, InterfacePointer, Number, Text, Value};
use crate::idl::{Format, Names, NamesKind};

/// The value on one line, for lists of calls: strings quoted, flags and enumerations by name.
pub fn text(value: &Value) -> String {
    match &value.data {
        Data::Unread => "?".to_owned(),
        Data::Null => "NULL".to_owned(),
        Data::Same(referent) => format!("&0x{referent:08x}"),
        Data::Pointer(pointer) => text(&pointer.to),
        Data::Number(number) => text_number(number),
        Data::Float(number) => number.to_string(),
        Data::Boolean(0) => "false".to_owned(),
        Data::Boolean(_) => "true".to_owned(),
        Data::Guid(guid) => guid.to_string(),
        Data::Text(text) => quoted(text),
        Data::Bytes(bytes) => octets(&bytes.bytes),
        Data::Record(record) => {
            if let Some((tower, _)) = Tower::of(record) {
                return format!("{{{tower}}}");
            }
            let fields =
                record.fields.iter().filter(|(_, value)| value.target().data != Data::Unread);
            let fields: Vec<_> = fields.map(|(n, v)| format!("{n}={}", text(v))).collect();
            format!("{{{}}}", fields.join(" "))
        }
        Data::List(list) => {
            const SHOWN: usize = 8;
            let mut items: Vec<_> = list.items.iter().take(SHOWN).map(text).collect();
            if list.items.len() > SHOWN {
                items.push(format!("… {} in all", list.items.len()));
            }
            format!("[{}]", items.join(", "))
        }
        Data::Union(union) => match &union.arm {
            Some((_, value)) => text(value),
            None => "{}".to_owned(),
        },
        Data::Interface(pointer) => interface(pointer),
        Data::Handle(handle) => handle.uuid.to_string(),
    }
}

/// What is pointed to, by the interface that is declared or the one it says, and its number.
fn interface(pointer: &InterfacePointer) -> String {
    let InterfacePointer { of, objref, object, .. } = pointer;
    let of = of.as_deref().filter(|of| *of != "IUnknown");
    let member = |name| Some(object.as_deref()?.field(name)?.as_guid()?.to_string());
    match (member("ipid"), member("clsid"), member("iid"), objref) {
        (Some(ipid), _, iid, _) => {
            format!("{}* {ipid}", of.map_or_else(|| iid.unwrap_or_default(), str::to_owned))
        }
        (_, Some(clsid), ..) => {
            let data = object.as_deref().and_then(|object| object.field("data"));
            let data = data.filter(|data| matches!(data.data, Data::Record(_)));
            data.map_or_else(|| format!("class {clsid}"), text)
        }
        _ if of.is_some() => format!("{}*", of.unwrap_or_default()),
        (.., Some(objref)) => octets(objref),
        _ => "?".to_owned(),
    }
}

fn text_number(number: &Number) -> String {
    match &number.format {
        Format::Decimal => decimal(number),
        Format::Hex => hexadecimal(number),
        Format::Boolean if number.bits == 0 => "FALSE".to_owned(),
        Format::Boolean if number.bits == 1 => "TRUE".to_owned(),
        Format::Boolean => format!("TRUE ({})", decimal(number)),
        Format::FileTime => filetime(number.signed()).unwrap_or_else(|| decimal(number)),
        Format::Names(names) => match names.kind {
            NamesKind::Enumeration => match names.value(number.signed()) {
                Some(name) => name.to_string(),
                None => decimal(number),
            },
            NamesKind::Status => match status(names, number) {
                Some(name) => format!("{name} ({})", hexadecimal(number)),
                None => hexadecimal(number),
            },
            NamesKind::Flags => flags(names, number),
        },
    }
}

/// The combination's name, with the bits that may stand beside it; or the bits.
fn flags(names: &Names, number: &Number) -> String {
    let raw = number.raw();
    let base = raw & !names.beside;
    let named = names
        .value(number.signed())
        .map(|name| (name, 0))
        .or_else(|| Some((names.value(base.cast_signed())?, raw & names.beside)));
    let (mut parts, bits) = match named {
        Some((name, beside)) => (vec![name.to_string()], beside),
        None => (Vec::new(), raw),
    };
    let (flags, rest) = names.flags(bits);
    parts.extend(flags.iter().map(ToString::to_string));
    if rest != 0 || parts.is_empty() {
        parts.push(format!("0x{rest:x}"));
    }
    parts.join(" | ")
}

fn status<'a>(names: &'a Names, number: &Number) -> Option<&'a str> {
    let code = number.raw().cast_signed();
    names.value(code).map(|name| &**name)
}

fn decimal(number: &Number) -> String {
    if number.signed { number.signed().to_string() } else { number.bits.to_string() }
}

/// With all digits of its width.
pub fn hexadecimal(number: &Number) -> String {
    let digits = usize::from(number.width) * 2;
    format!("0x{:0digits$x}", number.raw())
}

/// Nanoseconds from 1601-01-01 to 1970-01-01.
pub(super) const FILETIME_EPOCH: i128 = 11_644_473_600 * 1_000_000_000;

/// RFC 3339 in UTC with seven decimals; none before 1601 or after 9999.
pub fn filetime(intervals: i64) -> Option<String> {
    let nanos = i128::from(u64::try_from(intervals).ok()?) * 100 - FILETIME_EPOCH;
    let time = jiff::Timestamp::from_nanosecond(nanos).ok()?;
    Some(format!("{time:.7}"))
}

fn quoted(text: &Text) -> String {
    format!("\"{}\"", crate::bytes::printable(&text.to_string()))
}

fn octets(bytes: &[u8]) -> String {
    const SHOWN: usize = 16;
    let shown = hex(bytes.get(..SHOWN).unwrap_or(bytes));
    if bytes.len() > SHOWN { format!("{} bytes: {shown}…", bytes.len()) } else { shown }
}

/// Octets as digits, without separators.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}
