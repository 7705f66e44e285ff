//! [`Item`]: one value of a field of a call, borrowed from the call.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::bytes::{Guid, Time, millionths};
use crate::ndr::{self, filetime, hex};

/// What a field's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An integer.
    Number,
    /// Text.
    Text,
    /// A GUID.
    Guid,
    /// An IP address.
    Address,
    /// A point in time.
    Time,
    /// A length of time, in seconds where no unit is written.
    Seconds,
    /// A length of time, in milliseconds where no unit is written.
    Milliseconds,
    /// Yes or no.
    Boolean,
    /// Octets.
    Bytes,
    /// Something that is there or not and has no value of its own.
    Presence,
}

impl Kind {
    /// What it is, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "text",
            Self::Guid => "a GUID",
            Self::Address => "an IP address",
            Self::Time => "a time",
            Self::Seconds | Self::Milliseconds => "a length of time",
            Self::Boolean => "true or false",
            Self::Bytes => "octets",
            Self::Presence => "there or not",
        }
    }
}

/// One value.
#[derive(Clone, Debug)]
pub(super) enum Item<'a> {
    Number(i128),
    /// A number that is written with this many hexadecimal digits.
    Hex(i128, usize),
    Text(Cow<'a, str>),
    Guid(Guid),
    Address(IpAddr),
    Time(Time),
    /// Intervals of 100 ns since 1601.
    FileTime(i64),
    /// Nanoseconds.
    Seconds(i64),
    /// Nanoseconds.
    Milliseconds(i64),
    Boolean(bool),
    Bytes(&'a [u8]),
    /// A structure, or something else that is only shown.
    Whole(&'a ndr::Value),
    /// Nothing but that it is there.
    Present,
}

impl Item<'_> {
    /// As it is written in a column, not yet made printable.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Hex(n, digits) => format!("0x{n:0digits$x}"),
            Self::Text(text) => text.to_string(),
            Self::Guid(guid) => guid.to_string(),
            Self::Address(ip) => ip.to_string(),
            Self::Time(time) => time.to_string(),
            Self::FileTime(intervals) => {
                filetime(*intervals).unwrap_or_else(|| intervals.to_string())
            }
            Self::Seconds(nanos) => seconds(*nanos),
            Self::Milliseconds(nanos) => millionths(*nanos),
            Self::Boolean(yes) => yes.to_string(),
            Self::Bytes(bytes) => hex(bytes),
            Self::Whole(value) => ndr::text(value),
            Self::Present => "1".to_owned(),
        }
    }
}

/// Seconds with nine decimals.
fn seconds(nanos: i64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let sign = if nanos < 0 { "-" } else { "" };
    format!("{sign}{}.{:09}", nanos.unsigned_abs() / SECOND, nanos.unsigned_abs() % SECOND)
}
