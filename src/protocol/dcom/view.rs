//! Looks into values by name, for what is no message of its own.

use super::ComVersion;
use crate::ndr::{Data, Value};

/// The 32 bits of a member.
pub(super) fn u32_of(value: &Value, name: &str) -> Option<u32> {
    value.field(name)?.as_u32()
}

/// The 16 bits of a member.
pub(super) fn u16_of(value: &Value, name: &str) -> Option<u16> {
    u16::try_from(u32_of(value, name)?).ok()
}

/// The bits of a member.
pub(super) fn number(value: &Value, name: &str) -> Option<u64> {
    bits(value.field(name)?)
}

/// The bits of a number.
pub(super) fn bits(value: &Value) -> Option<u64> {
    match &value.target().data {
        Data::Number(number) => Some(number.raw()),
        _ => None,
    }
}

/// The text of a member.
pub(super) fn wide(value: &Value, name: &str) -> Option<String> {
    Some(value.field(name)?.as_text()?.to_string())
}

/// The elements of an array that are what they should be.
pub(super) fn each<T>(list: &Value, of: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    slots(list).into_iter().filter_map(of).collect()
}

/// The elements of an array, each in its place.
pub(super) fn slots(list: &Value) -> Vec<&Value> {
    match &list.target().data {
        Data::List(list) => list.items.iter().collect(),
        _ => Vec::new(),
    }
}

/// `COMVERSION`
pub(super) fn version(value: &Value) -> Option<ComVersion> {
    let major = u16_of(value, "MajorVersion")?;
    Some(ComVersion { major, minor: u16_of(value, "MinorVersion")? })
}
