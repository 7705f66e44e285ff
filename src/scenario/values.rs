//! Values as they are written to arguments as the encoder takes them.
//!
//! The type that waits for a value says what a bare word is: `S1` is a GUID to a GUID and two
//! letters to a string. What only the encoder can judge (digits, names of flags) is left to it.

use super::grammar::Fail;
use super::object::scmp;
use super::syntax::{ValueText, Word};
use super::wire::octets::{filetime, random_guid};
use crate::bytes::{Guid, Span, Time};
use crate::idl::{Format, Kind, TypeId, Types};
use crate::ndr::{Arg, Data, Value};
use crate::protocol::Registry;
use crate::spelling::nearest;

/// What a value is for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) types: &'a Types,
    pub(super) ty: TypeId,
    pub(super) format: Option<&'a Format>,
    pub(super) now: Time,
    /// Names of members, and the short names of the notation.
    pub(super) short: &'a [(&'a str, &'a str)],
    /// Where interfaces have names, for parameters of objects.
    pub(super) names: Option<&'a Registry>,
}

/// Makes an argument of a value.
pub(super) fn arg(value: &ValueText, wanted: Wanted<'_>) -> Result<Arg, Fail> {
    let ty = pointee(wanted.types, wanted.ty);
    let kind = &wanted.types.get(ty).kind;
    match value {
        ValueText::Quoted(word) => Ok(Arg::Text(substitute(&word.text))),
        ValueText::Bare(word) if word.text.eq_ignore_ascii_case("null") => Ok(Arg::Null),
        ValueText::Bare(word) => bare(word, kind, ty, wanted),
        ValueText::Record(members, _) if matches!(kind, Kind::Array(array) if array.string) => {
            string(members)
        }
        ValueText::Mixed(_, left) => {
            let message = "expected every member with its name".to_owned();
            Err(Fail { left: *left, message })
        }
        ValueText::Made(word, _) | ValueText::Error(word) => {
            let message = format!("expected a value, found `{}` and what is said of it", word.text);
            Err(Fail::at(word, message))
        }
        ValueText::Record(members, _) => {
            let mut out = Vec::new();
            for (name, value) in members {
                let (name, wanted) = member(name, kind, wanted)?;
                out.push((name, arg(value, wanted)?));
            }
            Ok(Arg::Record(out))
        }
        ValueText::List(items, _) => {
            let of = match kind {
                Kind::Array(array) => array.of,
                _ => ty,
            };
            let wanted = Wanted { ty: of, format: None, ..wanted };
            items.iter().map(|item| arg(item, wanted)).collect::<Result<_, _>>().map(Arg::List)
        }
        ValueText::Tag(word) => {
            let discriminant = Arg::Text(word.text.clone());
            Ok(Arg::Record(vec![("discriminant".to_owned(), discriminant)]))
        }
    }
}

/// What pointers of this type point to.
pub(super) fn pointee(types: &Types, mut ty: TypeId) -> TypeId {
    /// Pointers to pointers; IDL of people has two.
    const DEPTH: usize = 16;
    for _ in 0..DEPTH {
        match types.get(ty).kind {
            Kind::Pointer { to, .. } => ty = to,
            _ => break,
        }
    }
    ty
}

fn member<'a>(
    name: &Word,
    kind: &'a Kind,
    wanted: Wanted<'a>,
) -> Result<(String, Wanted<'a>), Fail> {
    let long = |field: &str| {
        name.text == field
            || wanted.short.iter().any(|(short, long)| *short == name.text && *long == field)
    };
    let fields: Vec<_> = match kind {
        Kind::Struct(record) => record.fields.iter().collect(),
        Kind::Union(union) => union.arms.iter().filter_map(|arm| arm.field.as_ref()).collect(),
        _ => Vec::new(),
    };
    if let Some(field) = fields.iter().find(|field| long(&field.name)) {
        let wanted = Wanted { ty: field.ty, format: field.format.as_ref(), ..wanted };
        return Ok((field.name.to_string(), wanted));
    }
    if name.text == "discriminant" {
        return Ok((name.text.clone(), wanted));
    }
    let like = nearest(&name.text, fields.iter().map(|field| &*field.name));
    let hint = super::words::hint(&like);
    Err(Fail::at(name, format!("expected the name of a member, found `{}`{hint}", name.text)))
}

fn bare(word: &Word, kind: &Kind, ty: TypeId, wanted: Wanted<'_>) -> Result<Arg, Fail> {
    let text = word.text.as_str();
    let format = wanted.format.unwrap_or(&wanted.types.get(ty).format);
    match (kind, format) {
        (Kind::Guid | Kind::ContextHandle, _) => match named_guid(text, wanted.names) {
            Some(guid) => Ok(Arg::Guid(guid)),
            None => Err(Fail::at(
                word,
                format!("expected a GUID, nil or a symbol such as S1, found `{text}`"),
            )),
        },
        (Kind::Array(array), _) if array.string => {
            let volume = wanted.names.and_then(|_| scmp::volume(text));
            Ok(Arg::Text(volume.unwrap_or_else(|| substitute(text))))
        }
        (Kind::Integer { .. }, _)
            if let Some(size) = wanted.names.and_then(|_| scmp::size(text)) =>
        {
            Ok(Arg::Number(size))
        }
        (_, Format::FileTime) => {
            let time = time_of_day(text, wanted.now);
            Ok(time.map_or_else(|| Arg::Text(text.to_owned()), |time| filetime(time).into()))
        }
        _ if text.eq_ignore_ascii_case("true") => Ok(Arg::Bool(true)),
        _ if text.eq_ignore_ascii_case("false") => Ok(Arg::Bool(false)),
        _ => Ok(Arg::Text(text.to_owned())),
    }
}

/// A GUID, where interfaces have names also by one of them.
pub(super) fn named_guid(text: &str, names: Option<&Registry>) -> Option<Guid> {
    guid(text).or_else(|| scmp::guid(text, names?))
}

/// `{text='C:', terminator=no}`, `{units=[67,0]}`: a string that is not as it should be.
fn string(members: &[(Word, ValueText)]) -> Result<Arg, Fail> {
    let (mut units, mut terminated) = (Vec::new(), true);
    for (name, value) in members {
        match (name.text.as_str(), value) {
            ("text", ValueText::Quoted(word) | ValueText::Bare(word)) => {
                units.extend(substitute(&word.text).encode_utf16());
            }
            ("terminator", ValueText::Bare(word)) => {
                terminated = !["no", "none", "off", "0"].contains(&word.text.as_str());
            }
            ("units", ValueText::List(items, _)) => {
                terminated = false;
                units.extend(items.iter().filter_map(|item| u16::try_from(number_of(item)?).ok()));
            }
            ("max" | "offset", _) => {}
            _ => {
                let known = "text, terminator, units, max or offset";
                return Err(Fail::at(name, format!("expected {known}, found `{}`", name.text)));
            }
        }
    }
    units.extend(terminated.then_some(0u16));
    Ok(Arg::List(units.into_iter().map(|unit| Arg::from(u32::from(unit))).collect()))
}

fn number_of(value: &ValueText) -> Option<u64> {
    match value {
        ValueText::Bare(word) => super::words::number(&word.text),
        _ => None,
    }
}

/// Counts of a string that do not follow from it: `{text='C:', max=2, offset=1}`.
pub(super) fn count(value: &mut Value, members: &[(Word, ValueText)]) -> Result<(), Fail> {
    let counts = match &mut value.data {
        Data::Pointer(pointer) => return count(&mut pointer.to, members),
        Data::Text(text) => &mut text.counts,
        Data::List(list) => &mut list.counts,
        _ => return Ok(()),
    };
    for (name, text) in members {
        let place = match name.text.as_str() {
            "max" => &mut counts.max,
            "offset" => &mut counts.offset,
            _ => continue,
        };
        let Some(number) = number_of(text).and_then(|n| u32::try_from(n).ok()) else {
            return Err(Fail::at(name, format!("expected a number for {}", name.text)));
        };
        *place = Some((number.into(), Span::default()));
    }
    Ok(())
}

/// A GUID, `nil`, or what a symbol stands for.
pub(super) fn guid(text: &str) -> Option<Guid> {
    if text.eq_ignore_ascii_case("nil") {
        return Some(Guid::nil());
    }
    symbol(text).or_else(|| Guid::try_parse(text).ok())
}

/// The GUID of a symbol: a letter and a number. It is the same in every scenario.
pub(super) fn symbol(text: &str) -> Option<Guid> {
    let (letter, number) = text.split_at_checked(1)?;
    let letter = letter.chars().next()?.to_ascii_uppercase();
    if !letter.is_ascii_alphabetic() || !number.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let number: u32 = number.parse().ok()?;
    Some(random_guid(u64::from(u32::from(letter)) << 32 | u64::from(number)))
}

/// A text with its `{C1}` replaced by the GUID in braces, in the case of the symbol.
pub(super) fn substitute(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let named =
            after.split_once('}').and_then(|(name, rest)| Some((name, symbol(name)?, rest)));
        let Some((name, guid, after)) = named else {
            out.push('{');
            rest = after;
            continue;
        };
        let mut guid = guid.to_string();
        if name.starts_with(|c: char| c.is_ascii_uppercase()) {
            guid = guid.to_uppercase();
        }
        out.push('{');
        out.push_str(&guid);
        out.push('}');
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A time in RFC 3339, or `14:00:10` or `14:00:10Z` on the day of `now`.
pub(super) fn time_of_day(text: &str, now: Time) -> Option<Time> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(Time::from_nanos(time.as_nanosecond()));
    }
    let clock: jiff::civil::Time = text.trim_end_matches('Z').parse().ok()?;
    let day = now.timestamp().to_string();
    let day: jiff::civil::Date = day.split('T').next()?.parse().ok()?;
    let time = day.to_datetime(clock).to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Time::from_nanos(time.timestamp().as_nanosecond()))
}
