//! [`Arg`]: a value as a person or a JSON file gives it, before the IDL says what it is.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::bytes::Guid;

/// A loosely typed value; [`build`](super::build()) makes of it what a type asks for.
///
/// | type | is given as |
/// |---|---|
/// | integer, character | [`Number`](Self::Number), also the bit pattern of a negative one; [`Bool`](Self::Bool); [`Text`](Self::Text): digits, `0x` and digits, or what its format has: names of the enumeration or of the flags joined by `\|`, of the status, `TRUE`, a time in RFC 3339; the `{"value": …}` of a JSON record |
/// | floating point | [`Float`](Self::Float), [`Number`](Self::Number) |
/// | `boolean` | [`Bool`](Self::Bool), [`Number`](Self::Number) |
/// | GUID | [`Guid`](Self::Guid), [`Text`](Self::Text) |
/// | string | [`Text`](Self::Text), which gets a terminator; units as they are: a [`List`](Self::List) of numbers, [`Bytes`](Self::Bytes) for one of octets |
/// | array of `byte` | [`Bytes`](Self::Bytes), [`Text`](Self::Text) of hexadecimal digits, [`List`](Self::List) |
/// | other array | [`List`](Self::List) |
/// | structure | [`Record`](Self::Record) of its members |
/// | union | [`Record`](Self::Record) of the arm's name and value, empty for the empty arm; with `discriminant` where that cannot be told from the arm or `switch_is` |
/// | pointer | what it points to, or [`Null`](Self::Null) |
/// | interface pointer | [`Bytes`](Self::Bytes) of an `OBJREF`, [`Text`](Self::Text) of their digits, `{"objref": …}`, or [`Null`](Self::Null) |
/// | context handle | [`Guid`](Self::Guid), [`Text`](Self::Text), `{"attributes": …, "uuid": …}`, or [`Null`](Self::Null) for that of zeros |
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// A null pointer.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer.
    Number(i128),
    /// A number with a fraction.
    Float(f64),
    /// Characters, or the name of a value.
    Text(String),
    /// A GUID.
    Guid(Guid),
    /// Octets.
    Bytes(Vec<u8>),
    /// Elements.
    List(Vec<Arg>),
    /// Members by name.
    Record(Vec<(String, Arg)>),
}

impl Arg {
    /// What it is, for people.
    pub(super) fn what(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(yes) => yes.to_string(),
            Self::Number(n) => n.to_string(),
            Self::Float(n) => n.to_string(),
            Self::Text(text) => format!("{:?}", crate::bytes::printable(text)),
            Self::Guid(guid) => guid.to_string(),
            Self::Bytes(bytes) => format!("{} octets", bytes.len()),
            Self::List(items) => format!("a list of {}", items.len()),
            Self::Record(members) => {
                let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                format!("{{{}}}", crate::bytes::printable(&names.join(", ")))
            }
        }
    }

    /// The member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&Arg> {
        match self {
            Self::Record(members) => {
                members.iter().find(|(of, _)| of == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }
}

macro_rules! from {
    ($($from:ty: $value:ident => $arg:expr;)*) => {
        $(impl From<$from> for Arg {
            fn from($value: $from) -> Self {
                $arg
            }
        })*
    };
}

from! {
    bool: yes => Self::Bool(yes);
    i32: n => Self::Number(n.into());
    u32: n => Self::Number(n.into());
    i64: n => Self::Number(n.into());
    u64: n => Self::Number(n.into());
    f64: n => Self::Float(n);
    &str: text => Self::Text(text.to_owned());
    String: text => Self::Text(text);
    Guid: guid => Self::Guid(guid);
    Vec<u8>: bytes => Self::Bytes(bytes);
    Vec<Arg>: items => Self::List(items);
}

/// From any self-describing format: JSON, TOML.
impl<'de> Deserialize<'de> for Arg {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Loose;

        impl<'de> Visitor<'de> for Loose {
            type Value = Arg;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Arg, E> {
                Ok(Arg::Null)
            }

            fn visit_bool<E>(self, yes: bool) -> Result<Arg, E> {
                Ok(yes.into())
            }

            fn visit_i64<E>(self, n: i64) -> Result<Arg, E> {
                Ok(n.into())
            }

            fn visit_u64<E>(self, n: u64) -> Result<Arg, E> {
                Ok(n.into())
            }

            fn visit_f64<E>(self, n: f64) -> Result<Arg, E> {
                Ok(n.into())
            }

            fn visit_str<E>(self, text: &str) -> Result<Arg, E> {
                Ok(text.into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Arg, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Arg::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Arg, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Arg::Record(members))
            }
        }

        deserializer.deserialize_any(Loose)
    }
}
