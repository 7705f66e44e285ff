//! Values without parts as people give them: integers by name, characters, GUIDs, octets.

use std::sync::Arc;

use super::arg::Arg;
use super::encode::bits;
use super::error::{Unencodable, integer_name};
use super::value::{ContextHandle, Data, InterfacePointer, Number, Units};
use crate::bytes::{Guid, Span};
use crate::idl::{Format, Kind, Names};

pub(super) fn mismatch(expected: &str, arg: &Arg) -> Unencodable {
    Unencodable::new(expected, arg.what())
}

/// The integer of `width` octets that `arg` is; what is too great for a signed one is its pattern.
pub(super) fn integer(
    kind: &Kind,
    format: &Format,
    width: u8,
    signed: bool,
    arg: &Arg,
) -> Result<Data, Unencodable> {
    let n = number(kind, format, arg)?;
    let pattern = bits(width, false, n).filter(|_| signed).map(|n| extend(width, n));
    let Some(bits) = bits(width, signed, n).or(pattern) else {
        return Err(mismatch(&integer_name(width, signed), arg));
    };
    let format = match (kind, format) {
        (Kind::Enum { names, .. }, Format::Decimal) => Format::Names(names.clone()),
        _ => format.clone(),
    };
    Ok(Data::Number(Number { bits, width, signed, format }))
}

/// The integer `arg` is, for a type of this kind.
///
/// A name is looked up in the format, and in the enumeration if the type is one.
pub(super) fn number(kind: &Kind, format: &Format, arg: &Arg) -> Result<i128, Unencodable> {
    let names = match (kind, format) {
        (_, Format::Names(names)) | (Kind::Enum { names, .. }, Format::Decimal) => Some(&**names),
        _ => None,
    };
    let found = match arg {
        Arg::Number(n) => Some(*n),
        Arg::Bool(yes) => Some((*yes).into()),
        Arg::Text(text) => digits(text).or_else(|| match (names, format) {
            (Some(names), _) => named(names, text),
            (None, Format::FileTime) => filetime(text),
            (None, Format::Boolean) if text.eq_ignore_ascii_case("true") => Some(1),
            (None, Format::Boolean) if text.eq_ignore_ascii_case("false") => Some(0),
            _ => None,
        }),
        // As the records in JSON have it, with its names beside it.
        Arg::Record(_) if names.is_some() => match arg.member("value") {
            Some(value @ (Arg::Number(_) | Arg::Text(_))) => {
                return number(kind, format, value);
            }
            _ => None,
        },
        _ => None,
    };
    found.ok_or_else(|| {
        let expected = match (names, format) {
            (Some(names), _) => format!("a number or a name of {}", names.name),
            (None, Format::FileTime) => {
                "a number or a time such as 2026-01-31T12:00:00Z".to_owned()
            }
            (None, Format::Boolean) => "a number, TRUE or FALSE".to_owned(),
            _ => "a number".to_owned(),
        };
        Unencodable::new(expected, arg.what())
    })
}

/// Decimal, or hexadecimal with `0x`.
fn digits(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, radix) = hex.map_or((digits, 10), |digits| (digits, 16));
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    let n = i128::from_str_radix(digits, radix).ok()?;
    if negative { n.checked_neg() } else { Some(n) }
}

/// The name of a value or of bits, or several joined by `|`.
fn named(names: &Names, text: &str) -> Option<i128> {
    text.split('|').try_fold(0, |sum, name| {
        let name = name.trim();
        let value = names.values.iter().find(|(_, of)| &**of == name).map(|(n, _)| i128::from(*n));
        let bits = names.bits.iter().find(|(_, of)| &**of == name).map(|(n, _)| i128::from(*n));
        Some(sum | value.or(bits).or_else(|| digits(name))?)
    })
}

/// Intervals of 100 ns since 1601; finer digits are dropped.
fn filetime(text: &str) -> Option<i128> {
    let time: jiff::Timestamp = text.trim().parse().ok()?;
    Some((time.as_nanosecond() + super::text::FILETIME_EPOCH).div_euclid(100))
}

/// Octets from digits without separators.
pub(super) fn octets(text: &str) -> Option<Vec<u8>> {
    let mut digits = text.chars();
    let mut octets = Vec::with_capacity(text.len() / 2);
    while let Some(high) = digits.next() {
        let octet = (high.to_digit(16)? << 4) | digits.next()?.to_digit(16)?;
        octets.push(u8::try_from(octet).ok()?);
    }
    Some(octets)
}

/// Characters and a terminator; those of one octet are Latin-1.
pub(super) fn units(text: &str, wide: bool) -> Option<Units> {
    if wide {
        return Some(Units::Wide(text.encode_utf16().chain([0]).collect()));
    }
    let octets = text.chars().chain(['\0']).map(|c| u8::try_from(c).ok());
    octets.collect::<Option<_>>().map(Units::Narrow)
}

/// Units exactly as given.
pub(super) fn unit_list<T: TryFrom<i128>>(items: &[Arg]) -> Option<Box<[T]>> {
    let unit = |item: &Arg| match item {
        Arg::Number(n) => T::try_from(*n).ok(),
        _ => None,
    };
    items.iter().map(unit).collect()
}

/// Sign-extends the low `width` octets.
fn extend(width: u8, bits: u64) -> u64 {
    let unused = 64 - u32::from(width.min(8)) * 8;
    (bits << unused).cast_signed().wrapping_shr(unused).cast_unsigned()
}

pub(super) fn guid(arg: &Arg) -> Option<Guid> {
    match arg {
        Arg::Guid(guid) => Some(*guid),
        Arg::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

pub(super) fn handle(arg: &Arg) -> Result<Data, Unencodable> {
    let (attributes, uuid) = match arg {
        Arg::Null => (Some(0), Some(Guid::nil())),
        Arg::Record(_) => {
            let attributes = match arg.member("attributes") {
                None => Some(0),
                Some(Arg::Number(n)) => u32::try_from(*n).ok(),
                Some(_) => None,
            };
            (attributes, arg.member("uuid").and_then(guid))
        }
        _ => (Some(0), guid(arg)),
    };
    match (attributes, uuid) {
        (Some(attributes), Some(uuid)) => {
            Ok(Data::Handle(Box::new(ContextHandle { attributes, uuid })))
        }
        _ => Err(mismatch("a context handle", arg)),
    }
}

pub(super) fn interface(of: Option<&Arc<str>>, arg: &Arg) -> Result<Data, Unencodable> {
    let objref = match arg {
        Arg::Null => return Ok(Data::Null),
        Arg::Bytes(bytes) => Some(bytes.clone()),
        Arg::Text(text) => octets(text),
        Arg::Record(_) => match arg.member("objref") {
            Some(Arg::Text(text)) => octets(text),
            _ => None,
        },
        _ => None,
    };
    let objref = objref.ok_or_else(|| mismatch("an OBJREF", arg))?.into_boxed_slice();
    let (of, objref) = (of.cloned(), Some(objref));
    let pointer =
        InterfacePointer { referent: 0, of, objref, at: Span::default(), object: None, stop: None };
    Ok(Data::Interface(Box::new(pointer)))
}
