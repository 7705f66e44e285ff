//! [`Unencodable`]: why a value cannot be sent, where in it, and what its type asks for.

use std::fmt;

use super::value::{Data, Units};

/// A value that its type cannot hold, or that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: expected {expected}, found {found}")]
pub struct Unencodable {
    /// Names from the parameter to the value: `rgelt[2].Obj.DiffArea`.
    pub path: String,
    /// What the type asks for.
    pub expected: String,
    /// What was given.
    pub found: String,
}

impl Unencodable {
    pub(super) fn new(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { path: String::new(), expected: expected.into(), found: found.into() }
    }

    /// The same, seen from the member or element `step` before it.
    pub(super) fn under(mut self, step: impl fmt::Display) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

/// What an integer type is, for people.
pub(super) fn integer_name(width: u8, signed: bool) -> String {
    let sign = if signed { "a signed" } else { "an unsigned" };
    format!("{sign} integer of {} bits", u32::from(width) * 8)
}

impl Data {
    /// What it is, for people.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Self::Unread => "nothing",
            Self::Null => "a null pointer",
            Self::Same(_) | Self::Pointer(_) => "a pointer",
            Self::Number(_) => "a number",
            Self::Float(_) => "a floating-point number",
            Self::Boolean(_) => "a boolean",
            Self::Guid(_) => "a GUID",
            Self::Text(text) => match text.units {
                Units::Wide(_) => "a string of UTF-16",
                Units::Narrow(_) => "a string of octets",
            },
            Self::Bytes(_) => "octets",
            Self::Record(_) => "a structure",
            Self::List(_) => "an array",
            Self::Union(_) => "a union",
            Self::Interface(_) => "an interface pointer",
            Self::Handle(_) => "a context handle",
        }
    }
}
