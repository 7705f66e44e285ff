//! Arrays, structures, unions and pointers, and what is deferred: \[C706\] 14.3.3 to 14.3.12.

use std::sync::Arc;

use super::{Encoder, Written};
use crate::bytes::{Order, Span};
use crate::idl::{Array, Kind, Pointing, Shape, TypeId};
use crate::ndr::error::Unencodable;
use crate::ndr::value::{Counts, Data, Text, Units, Value};

/// What Windows gives the first pointer that is not null, and the distance to the next.
pub(super) const FIRST_REFERENT: u64 = 0x0002_0000;
const NEXT_REFERENT: u64 = 4;

impl Encoder<'_> {
    /// `max_count` of an array, or of the array a structure ends in (14.3.7.1).
    pub(super) fn max_count(&self, id: TypeId, value: &Value) -> Result<Option<u64>, Unencodable> {
        let (mut id, mut value) = (id, value);
        loop {
            let ty = self.types.get(id);
            let mismatch = || Err(Unencodable::new(&*ty.name, value.data.what()));
            match &ty.kind {
                Kind::Array(array) if array.shape.conformant() => {
                    let Some((len, counts)) = value.elements() else { return mismatch() };
                    return Ok(Some(Extent::of(array.shape, len, counts).max));
                }
                Kind::Struct(record) if record.conformant => {
                    let Data::Record(read) = &value.data else { return mismatch() };
                    let (Some(field), Some((_, last))) = (record.fields.last(), read.fields.last())
                    else {
                        return Err(Unencodable::new(&*ty.name, "no members"));
                    };
                    (id, value) = (field.ty, last);
                }
                _ => return Ok(None),
            }
        }
    }

    pub(super) fn pointer(&mut self, id: TypeId, data: &Data) -> Written {
        let ty = self.types.get(id);
        let full = matches!(ty.kind, Kind::Pointer { kind: Pointing::Full, .. });
        let referent = match (&ty.kind, data) {
            (
                Kind::Pointer { kind: Pointing::Unique | Pointing::Full, .. }
                | Kind::Interface { .. },
                Data::Null,
            ) => 0,
            (_, Data::Same(referent)) if full => {
                if !self.full.contains(referent) {
                    let expected = "the referent identifier of a full pointer before this one";
                    return Err(Unencodable::new(expected, format!("0x{referent:08x}")));
                }
                *referent
            }
            (Kind::Pointer { .. }, Data::Pointer(pointer)) => {
                let referent = self.referent(pointer.referent);
                if full && !self.full.insert(referent) {
                    let expected = "a referent identifier that no pointer before this one has";
                    return Err(Unencodable::new(expected, format!("0x{referent:08x}")));
                }
                referent
            }
            (Kind::Interface { .. }, Data::Interface(pointer)) => self.referent(pointer.referent),
            _ => return Err(Unencodable::new(&*ty.name, data.what())),
        };
        self.word(referent, "referent identifier")
    }

    fn referent(&mut self, given: u64) -> u64 {
        if given != 0 {
            return given;
        }
        while self.full.contains(&self.next) {
            self.next = self.next.wrapping_add(NEXT_REFERENT);
        }
        let referent = self.next;
        self.next = self.next.wrapping_add(NEXT_REFERENT);
        referent
    }

    /// The array without its `max_count`, which is `hoisted` if that was written.
    pub(super) fn array(
        &mut self,
        id: TypeId,
        array: &Array,
        value: &Value,
        hoisted: bool,
    ) -> Written {
        let types = self.types;
        let mismatch = || Err(Unencodable::new(&*types.get(id).name, value.data.what()));
        let Some((len, counts)) = value.elements() else { return mismatch() };
        let room = match array.shape {
            Shape::Fixed(n) => Some(u64::from(n)),
            // Without a size before it there is nothing to say that it has elements.
            Shape::Conformant if !hoisted => Some(0),
            _ => None,
        };
        if let Some(room) = room.filter(|room| *room != len) {
            return Err(Unencodable::new(format!("{room} elements"), len.to_string()));
        }
        let of = &types.get(array.of).kind;
        let narrow = matches!(of, Kind::Char | Kind::Byte | Kind::Integer { width: 1, .. });
        let wide = matches!(of, Kind::WideChar | Kind::Integer { width: 2, .. });
        let string = array.string && (narrow || wide);
        let fits = match &value.data {
            Data::Text(text) => {
                string && if matches!(text.units, Units::Wide(_)) { wide } else { narrow }
            }
            Data::Bytes(_) => !string && matches!(of, Kind::Byte),
            _ => !string && !matches!(of, Kind::Byte),
        };
        if !fits {
            return mismatch();
        }
        if array.shape.varying() {
            let extent = Extent::of(array.shape, len, counts);
            self.word(extent.offset, "offset")?;
            self.word(extent.actual, "actual_count")?;
        }
        match &value.data {
            Data::Text(text) => self.units(text),
            Data::Bytes(bytes) => self.bytes(&bytes.bytes),
            Data::List(list) => self.nested(|this| {
                for (n, item) in list.items.iter().enumerate() {
                    let written = this.body(array.of, item, false);
                    written.map_err(|error| error.under(format!("[{n}]")))?;
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    fn units(&mut self, text: &Text) -> Written {
        match &text.units {
            Units::Narrow(units) => self.bytes(units),
            Units::Wide(units) => {
                let unit = match self.context.order {
                    Order::Little => u16::to_le_bytes,
                    Order::Big => u16::to_be_bytes,
                };
                let bytes: Vec<u8> = units.iter().copied().flat_map(unit).collect();
                self.bytes(&bytes)
            }
        }
    }

    /// A structure (14.3.6), with the padding of NDR64 (\[MS-RPCE\] 2.2.5.3.4.1).
    pub(super) fn structure(&mut self, id: TypeId, value: &Value, hoisted: bool) -> Written {
        let types = self.types;
        let ty = types.get(id);
        let (Kind::Struct(record), Data::Record(read)) = (&ty.kind, &value.data) else {
            return Err(Unencodable::new(&*ty.name, value.data.what()));
        };
        let align = ty.layout(self.context.syntax).align;
        self.align(align);
        if record.fields.len() != read.fields.len() {
            let expected = format!("the {} members of {}", record.fields.len(), ty.name);
            return Err(Unencodable::new(expected, read.fields.len().to_string()));
        }
        let last = record.fields.len();
        for (at, (field, (name, value))) in record.fields.iter().zip(&read.fields).enumerate() {
            if field.name != *name {
                let expected = format!("the member {} of {}", field.name, ty.name);
                return Err(Unencodable::new(expected, format!("{name}")));
            }
            let ending = record.conformant && at + 1 == last;
            if ending && self.wide() {
                self.align(align);
            }
            let written = self.body(field.ty, value, hoisted && ending);
            written.map_err(|error| error.under(name))?;
        }
        if self.wide() && !record.conformant {
            self.align(align);
        }
        Ok(())
    }

    /// A union (14.3.8): the discriminant, then the arm it chooses.
    pub(super) fn union(&mut self, id: TypeId, value: &Value) -> Written {
        let types = self.types;
        let ty = types.get(id);
        let (Kind::Union(union), Data::Union(read)) = (&ty.kind, &value.data) else {
            return Err(Unencodable::new(&*ty.name, value.data.what()));
        };
        let layout = ty.layout(self.context.syntax);
        if self.wide() || union.encapsulated.is_some() {
            self.align(layout.align);
        }
        self.body(union.switch, &read.tag, false).map_err(|error| error.under("discriminant"))?;
        let tag = read.tag.as_i64();
        let Some(chosen) = tag.and_then(|tag| union.arm(tag)) else {
            let found = tag.unwrap_or_default();
            let expected = format!("a discriminant of {}", ty.name);
            return Err(Unencodable::new(expected, found.to_string()));
        };
        if self.wide() {
            self.align(layout.align);
        }
        match (&chosen.field, &read.arm) {
            (None, None) => Ok(()),
            (Some(field), Some((name, value))) if field.name == *name => {
                if union.ms_union && !self.wide() {
                    self.align(layout.arms);
                }
                self.flat(field.ty, value).map_err(|error| error.under(name))
            }
            (wanted, given) => {
                let arm = |name: Option<&Arc<str>>| match name {
                    Some(name) => format!("the arm {name}"),
                    None => "the empty arm".to_owned(),
                };
                let wanted = arm(wanted.as_ref().map(|field| &field.name));
                let found = arm(given.as_ref().map(|(name, _)| name));
                Err(Unencodable::new(wanted, found))
            }
        }
    }

    /// What the pointers in `value`, just written, lead to (14.3.12.3).
    pub(super) fn deferred(&mut self, id: TypeId, value: &Value) -> Written {
        let types = self.types;
        let ty = types.get(id);
        if !ty.deferred {
            return Ok(());
        }
        match (&ty.kind, &value.data) {
            (Kind::Pointer { to, .. }, Data::Pointer(pointer)) => {
                self.nested(|this| this.whole(*to, &pointer.to))
            }
            (Kind::Interface { .. }, Data::Interface(pointer)) => {
                let Some(objref) = &pointer.objref else {
                    return Err(Unencodable::new("an OBJREF", "nothing"));
                };
                let Ok(size) = u32::try_from(objref.len()) else {
                    return Err(Unencodable::new("a ulCntData of 32 bits", "more octets"));
                };
                self.word(size.into(), "max_count")?;
                self.u32(size)?;
                self.bytes(objref)
            }
            (Kind::Struct(record), Data::Record(read)) => self.nested(|this| {
                for (field, (name, value)) in record.fields.iter().zip(&read.fields) {
                    this.deferred(field.ty, value).map_err(|error| error.under(name))?;
                }
                Ok(())
            }),
            (Kind::Union(union), Data::Union(read)) => {
                let arm = read.tag.as_i64().and_then(|tag| union.arm(tag));
                match (arm.and_then(|arm| arm.field.as_ref()), &read.arm) {
                    (Some(field), Some((name, value))) => self
                        .nested(|this| this.deferred(field.ty, value))
                        .map_err(|error| error.under(name)),
                    _ => Ok(()),
                }
            }
            (Kind::Array(array), Data::List(list)) => self.nested(|this| {
                for (n, item) in list.items.iter().enumerate() {
                    let written = this.deferred(array.of, item);
                    written.map_err(|error| error.under(format!("[{n}]")))?;
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    }
}

/// What is written of the size of an array.
#[derive(Clone, Copy)]
struct Extent {
    max: u64,
    offset: u64,
    actual: u64,
}

impl Extent {
    /// The counts that were read, where they agree with the `len` elements there are.
    fn of(shape: Shape, len: u64, counts: &Counts) -> Self {
        let read = |count: Option<(u64, Span)>| count.map(|(n, _)| n);
        let offset = read(counts.offset).unwrap_or_default();
        let max = match shape {
            Shape::ConformantVarying => read(counts.max).unwrap_or(offset.saturating_add(len)),
            _ => len,
        };
        Self { max, offset, actual: len }
    }
}
