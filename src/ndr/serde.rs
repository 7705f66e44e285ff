//! Values to plain Rust: a `serde` deserializer over [`Value`].
//!
//! A structure is a map by member name, a union an enum by arm name (the empty arm is `default`),
//! an array a sequence, a null pointer nothing, a GUID its sixteen bytes (see [`guid`]), a string
//! text without terminator. A union that is bound to a structure with a member `discriminant` gives
//! that, and itself as `arm`. An interface pointer is what it refers to, or else its octets.
//!
//! What was not read is left out; see [`read`] for messages that are wanted as far as they go.

use std::fmt;
use std::sync::Arc;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};

use super::value::{Data, Value};
use crate::bytes::{Guid, Span, Stop};

/// Why a value does not fit the type it was to be bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindError {
    /// Names from the outside to the value, joined by dots.
    pub path: String,
    /// The bytes of the value.
    pub span: Option<Span>,
    /// What does not fit.
    pub message: String,
}

impl BindError {
    fn under(mut self, name: &str, span: Span) -> Self {
        self.path =
            if self.path.is_empty() { name.to_owned() } else { format!("{name}.{}", self.path) };
        self.span = self.span.or(Some(span));
        self
    }
}

/// What stopped early is not a whole message.
impl From<&Stop> for BindError {
    fn from(stop: &Stop) -> Self {
        Self { path: String::new(), span: None, message: stop.to_string() }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match self.span {
            Some(span) => write!(f, " (bytes {}..{})", span.start, span.end),
            None => Ok(()),
        }
    }
}

impl std::error::Error for BindError {}

impl de::Error for BindError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), span: None, message: message.to_string() }
    }
}

/// Named values as a map: the parameters of a stub, the members of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    fields: &'a [(Arc<str>, Value)],
    more: Option<(&'static str, &'a Value)>,
}

impl<'a> Fields<'a> {
    /// `fields`, and one more.
    pub fn new(fields: &'a [(Arc<str>, Value)], more: Option<(&'static str, &'a Value)>) -> Self {
        Self { fields, more }
    }
}

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = BindError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        let fields = self.fields.iter().map(|(name, value)| (&**name, value));
        let read = fields
            .chain(self.more)
            .filter(|(_, value)| !is_unread(value))
            .map(|(name, value)| (name, Named { name, value }));
        visitor.visit_map(MapDeserializer::new(read))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// A value under a name, which goes into errors.
#[derive(Clone, Copy)]
struct Named<'a> {
    name: &'a str,
    value: &'a Value,
}

impl<'de> IntoDeserializer<'de, BindError> for Named<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Forwards to the value's deserializer and puts the name before its errors.
macro_rules! named {
    ($($method:ident($($arg:ident: $ty:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, BindError> {
            self.value
                .$method($($arg,)* visitor)
                .map_err(|e| e.under(self.name, self.value.span))
        }
    )*};
}

impl<'de> Deserializer<'de> for Named<'de> {
    type Error = BindError;

    named! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32()
        deserialize_i64() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str()
        deserialize_string() deserialize_bytes() deserialize_byte_buf() deserialize_option()
        deserialize_unit() deserialize_seq() deserialize_map() deserialize_identifier()
        deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }
}

impl<'de> IntoDeserializer<'de, BindError> for &'de Value {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = BindError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        let value = self.target();
        match &value.data {
            Data::Null => visitor.visit_none(),
            Data::Number(number) if number.signed => visitor.visit_i64(number.signed()),
            Data::Number(number) => visitor.visit_u64(number.bits),
            Data::Float(number) => visitor.visit_f64(*number),
            Data::Boolean(octet) => visitor.visit_bool(*octet != 0),
            Data::Guid(guid) => visitor.visit_bytes(guid.as_bytes()),
            Data::Text(text) => visitor.visit_string(text.to_string()),
            Data::Bytes(bytes) => visitor.visit_borrowed_bytes(&bytes.bytes),
            Data::Record(record) => Fields::new(&record.fields, None).deserialize_any(visitor),
            Data::List(list) => {
                let read = list.items.iter().filter(|item| !is_unread(item));
                visitor.visit_seq(SeqDeserializer::new(read))
            }
            Data::Union(union) => match &union.arm {
                Some((name, value)) => {
                    let one = (&**name, Named { name, value });
                    visitor.visit_map(MapDeserializer::new(std::iter::once(one)))
                }
                None => visitor.visit_unit(),
            },
            Data::Interface(pointer) => match (&pointer.object, &pointer.objref) {
                (Some(object), _) => object.deserialize_any(visitor),
                (None, Some(objref)) => visitor.visit_borrowed_bytes(objref),
                (None, None) => visitor.visit_none(),
            },
            Data::Handle(handle) => visitor.visit_bytes(handle.uuid.as_bytes()),
            Data::Unread => Err(de::Error::custom("was not read")),
            Data::Same(_) => Err(de::Error::custom("points where another pointer does")),
            Data::Pointer(_) => Err(de::Error::custom("does not end")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, BindError> {
        match self.target().data {
            Data::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, BindError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BindError> {
        const TAG: &str = "discriminant";
        let value = self.target();
        let Data::Union(union) = &value.data else { return self.deserialize_any(visitor) };
        if !members.contains(&TAG) {
            return self.deserialize_any(visitor);
        }
        let unread = union.arm.as_ref().is_some_and(|(_, arm)| is_unread(arm));
        let tag = (TAG, Named { name: TAG, value: &union.tag });
        let arm = (!unread).then_some(("arm", Named { name: "arm", value }));
        visitor.visit_map(MapDeserializer::new(std::iter::once(tag).chain(arm)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BindError> {
        match &self.target().data {
            Data::Union(union) => visitor.visit_enum(ArmOf(union.arm.as_ref())),
            _ => Err(de::Error::custom("is no union")),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// Whether nothing was read of a value but that it is there.
fn is_unread(value: &Value) -> bool {
    match &value.target().data {
        Data::Unread => true,
        Data::Interface(pointer) => pointer.objref.is_none() && pointer.object.is_none(),
        _ => false,
    }
}

/// The arm of a union as a variant.
struct ArmOf<'a>(Option<&'a (Arc<str>, Value)>);

impl<'de> EnumAccess<'de> for ArmOf<'de> {
    type Error = BindError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), BindError> {
        let name = self.0.map_or("default", |(name, _)| name);
        let name: StrDeserializer<'_, BindError> = name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for ArmOf<'de> {
    type Error = BindError;

    fn unit_variant(self) -> Result<(), BindError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, BindError> {
        match self.0 {
            Some((name, value)) => seed.deserialize(Named { name, value }),
            None => Err(de::Error::custom("the arm is empty")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, BindError> {
        Err(de::Error::custom("an arm holds one value"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, BindError> {
        match self.0 {
            Some((name, value)) => Named { name, value }.deserialize_any(visitor),
            None => Err(de::Error::custom("the arm is empty")),
        }
    }
}

/// Binds a GUID: `#[serde(with = "crate::ndr::guid")]`, written as text.
pub mod guid {
    use super::{Guid, de, fmt};

    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = Guid;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a GUID")
        }

        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Guid, E> {
            Guid::from_slice(bytes).map_err(E::custom)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Guid, E> {
            Guid::try_parse(text).map_err(E::custom)
        }
    }

    /// From the value, or from text.
    pub fn deserialize<'de, D: de::Deserializer<'de>>(from: D) -> Result<Guid, D::Error> {
        from.deserialize_any(Visitor)
    }

    /// Lower-case and hyphenated.
    pub fn serialize<S: serde::Serializer>(guid: &Guid, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(guid)
    }
}

/// Binds what a message may lack because it was not read to its end:
/// `#[serde(default, with = "crate::ndr::read")]`. A null pointer is there, and `Some(None)`.
pub mod read {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// What is there.
    pub fn deserialize<'de, D, T>(from: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: Deserialize<'de>,
    {
        T::deserialize(from).map(Some)
    }

    /// As it is.
    pub fn serialize<S: Serializer, T: Serialize>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
}

/// Binds the 32 bits of a number, declared signed or not: `#[serde(with = "crate::ndr::bits")]`.
pub mod bits {
    use super::{de, fmt};

    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = u32;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number of 32 bits")
        }

        fn visit_i64<E: de::Error>(self, n: i64) -> Result<u32, E> {
            let signed = i32::try_from(n).map(i32::cast_unsigned);
            signed.or_else(|_| u32::try_from(n)).map_err(E::custom)
        }

        fn visit_u64<E: de::Error>(self, n: u64) -> Result<u32, E> {
            u32::try_from(n).map_err(E::custom)
        }
    }

    /// From the value.
    pub fn deserialize<'de, D: de::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
        from.deserialize_any(Visitor)
    }

    /// As an unsigned number.
    pub fn serialize<S: serde::Serializer>(bits: &u32, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(*bits)
    }
}
