//! [`Value`]: what was read, the bytes it was read from, and how it is to be written.

use std::sync::Arc;

use crate::bytes::{Guid, Span, Stop};
use crate::idl::Format;

/// One value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Value {
    /// What it is.
    pub data: Data,
    /// The bytes of its own; not those of padding or of what is deferred.
    pub span: Span,
}

/// What a value is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Data {
    /// Reading stopped before it.
    #[default]
    Unread,
    /// A null pointer.
    Null,
    /// A full pointer to where an earlier one with this referent identifier points.
    Same(u64),
    /// A pointer that is not null. [`Value::target`] looks through it.
    Pointer(Box<Pointer>),
    /// An integer, an enumeration, a set of flags, a time, a character.
    Number(Number),
    /// IEEE 754.
    Float(f64),
    /// `boolean`: the octet.
    Boolean(u8),
    /// A GUID.
    Guid(Guid),
    /// A string.
    Text(Box<Text>),
    /// An array of `byte`.
    Bytes(Box<Bytes>),
    /// A structure.
    Record(Box<Record>),
    /// An array.
    List(Box<List>),
    /// A union.
    Union(Box<Union>),
    /// An interface pointer that is not null.
    Interface(Box<InterfacePointer>),
    /// A context handle.
    Handle(Box<ContextHandle>),
}

/// An integer and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its bits, sign-extended when signed.
    pub bits: u64,
    /// Octets on the wire.
    pub width: u8,
    /// Two's complement.
    pub signed: bool,
    /// How it is written.
    pub format: Format,
}

impl Number {
    /// The value; an unsigned one above `i64::MAX` comes out negative.
    pub fn signed(&self) -> i64 {
        self.bits.cast_signed()
    }

    /// The bits of its width, without sign extension.
    pub fn raw(&self) -> u64 {
        match self.width {
            1 => self.bits & 0xff,
            2 => self.bits & 0xffff,
            4 => self.bits & 0xffff_ffff,
            _ => self.bits,
        }
    }
}

/// A pointer that is not null.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointer {
    /// Referent identifier.
    pub referent: u64,
    /// Where it points.
    pub to: Value,
}

/// What the wire says of the size of an array, with the bytes that say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `max_count`.
    pub max: Option<(u64, Span)>,
    /// `offset`.
    pub offset: Option<(u64, Span)>,
    /// `actual_count`.
    pub actual: Option<(u64, Span)>,
}

/// A string as it was sent, terminator included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its characters.
    pub units: Units,
    /// Its size on the wire.
    pub counts: Counts,
}

/// Characters exactly as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Units {
    /// UTF-16 code units.
    Wide(Box<[u16]>),
    /// Octets, shown as Latin-1.
    Narrow(Box<[u8]>),
}

impl Text {
    /// Number of units, terminator included.
    pub fn len(&self) -> usize {
        match &self.units {
            Units::Wide(units) => units.len(),
            Units::Narrow(units) => units.len(),
        }
    }

    /// Whether not even a terminator was sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it ends in a terminator.
    pub fn terminated(&self) -> bool {
        match &self.units {
            Units::Wide(units) => units.last() == Some(&0),
            Units::Narrow(units) => units.last() == Some(&0),
        }
    }
}

/// Without the terminator; an unpaired surrogate is written `\u{d800}`.
impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        match &self.units {
            Units::Wide(units) => {
                let units = units.strip_suffix(&[0]).unwrap_or(units);
                for c in char::decode_utf16(units.iter().copied()) {
                    match c {
                        Ok(c) => f.write_char(c)?,
                        Err(e) => write!(f, "\\u{{{:x}}}", e.unpaired_surrogate())?,
                    }
                }
            }
            Units::Narrow(units) => {
                let units = units.strip_suffix(&[0]).unwrap_or(units);
                for c in units {
                    f.write_char(char::from(*c))?;
                }
            }
        }
        Ok(())
    }
}

/// An array of `byte`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// The octets.
    pub bytes: Box<[u8]>,
    /// Its size on the wire.
    pub counts: Counts,
}

/// A structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Name of its type.
    pub name: Arc<str>,
    /// Its members, as far as they were read.
    pub fields: Vec<(Arc<str>, Value)>,
}

impl Record {
    /// The member of this name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        let found = self.fields.iter().find(|(field, _)| &**field == name);
        found.map(|(_, value)| value)
    }
}

/// An array.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// Its elements, as far as they were read.
    pub items: Vec<Value>,
    /// Its size on the wire.
    pub counts: Counts,
}

/// A union.
#[derive(Clone, Debug, PartialEq)]
pub struct Union {
    /// Name of its type.
    pub name: Arc<str>,
    /// The discriminant as it was sent.
    pub tag: Value,
    /// The arm it chooses, with its value; none for an arm that is empty.
    pub arm: Option<(Arc<str>, Value)>,
}

/// An interface pointer: `MInterfacePointer` (\[MS-DCOM\] 2.2.14).
#[derive(Clone, Debug, PartialEq)]
pub struct InterfacePointer {
    /// Referent identifier.
    pub referent: u64,
    /// Interface the IDL names, if it does.
    pub of: Option<Arc<str>>,
    /// `abData`, an `OBJREF`, as far as it is there; none where reading stopped before it.
    pub objref: Option<Box<[u8]>>,
    /// Where `abData` is.
    pub at: Span,
    /// What the octets say, once somebody has read them: a structure.
    pub object: Option<Box<Value>>,
    /// Where and why that ended early, from the first octet.
    pub stop: Option<Stop>,
}

/// A context handle: \[C706\] appendix N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextHandle {
    /// `context_handle_attributes`.
    pub attributes: u32,
    /// `context_handle_uuid`.
    pub uuid: Guid,
}

impl Counts {
    fn shift(&mut self, by: u32) {
        let all = [&mut self.max, &mut self.offset, &mut self.actual];
        for (_, span) in all.into_iter().flatten() {
            span.shift(by);
        }
    }
}

impl Value {
    /// Counts the bytes of a value and of all in it from `by` earlier.
    pub fn shift(&mut self, by: u32) {
        self.span.shift(by);
        match &mut self.data {
            Data::Pointer(pointer) => pointer.to.shift(by),
            Data::Text(text) => text.counts.shift(by),
            Data::Bytes(bytes) => bytes.counts.shift(by),
            Data::Record(record) => {
                record.fields.iter_mut().for_each(|(_, value)| value.shift(by));
            }
            Data::List(list) => {
                list.counts.shift(by);
                list.items.iter_mut().for_each(|item| item.shift(by));
            }
            Data::Union(union) => {
                union.tag.shift(by);
                if let Some((_, value)) = &mut union.arm {
                    value.shift(by);
                }
            }
            Data::Interface(pointer) => {
                pointer.at.shift(by);
                if let Some(object) = &mut pointer.object {
                    object.shift(by);
                }
            }
            _ => {}
        }
    }

    /// The value itself, pointers followed.
    pub fn target(&self) -> &Value {
        let mut value = self;
        while let Data::Pointer(pointer) = &value.data {
            value = &pointer.to;
        }
        value
    }

    /// Number of elements of an array, and what was read of its size.
    pub(super) fn elements(&self) -> Option<(u64, &Counts)> {
        let (len, counts) = match &self.data {
            Data::Text(text) => (text.len(), &text.counts),
            Data::Bytes(bytes) => (bytes.bytes.len(), &bytes.counts),
            Data::List(list) => (list.items.len(), &list.counts),
            _ => return None,
        };
        Some((u64::try_from(len).ok()?, counts))
    }

    /// As an integer, pointers followed.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.target().data {
            Data::Number(number) => Some(number.signed()),
            Data::Boolean(octet) => Some((*octet).into()),
            _ => None,
        }
    }

    /// As an unsigned 32-bit integer: a status, a count.
    pub fn as_u32(&self) -> Option<u32> {
        match &self.target().data {
            Data::Number(number) => u32::try_from(number.raw()).ok(),
            _ => None,
        }
    }

    /// As a GUID.
    pub fn as_guid(&self) -> Option<Guid> {
        match &self.target().data {
            Data::Guid(guid) => Some(*guid),
            _ => None,
        }
    }

    /// As text.
    pub fn as_text(&self) -> Option<&Text> {
        match &self.target().data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The member `name` of a structure or of what an interface pointer refers to, or the arm of that
    /// name of a union.
    pub fn field(&self, name: &str) -> Option<&Value> {
        match &self.target().data {
            Data::Record(record) => record.field(name),
            Data::Interface(pointer) => pointer.object.as_deref()?.field(name),
            Data::Union(union) => match &union.arm {
                Some((arm, value)) if &**arm == name => Some(value),
                _ => None,
            },
            _ => None,
        }
    }
}
