//! Structures, unions and pointers, and what is deferred: \[C706\] 14.3.6 to 14.3.12.

use super::decode::Decoder;
use super::value::{Counts, Data, InterfacePointer, Pointer, Record, Union, Value};
use crate::bytes::{Span, Stop};
use crate::idl::{Kind, Pointing, Syntax, TypeId, Union as UnionType};

impl Decoder<'_, '_, '_> {
    /// A structure (14.3.6); in NDR64 its size is a multiple of its alignment (\[MS-RPCE\]
    /// 2.2.5.3.4.1), which shows as padding before an open array or at the end.
    pub(super) fn structure(
        &mut self,
        id: TypeId,
        hoisted: Option<(u64, Span)>,
        out: &mut Value,
    ) -> Result<(), Stop> {
        let types = self.types;
        let ty = types.get(id);
        let Kind::Struct(record) = &ty.kind else {
            return Ok(());
        };
        let align = ty.layout(self.syntax).align;
        self.r.align(align)?;
        let start = self.r.pos();
        out.span = Span::new(start, start);
        out.data = Data::Record(Box::new(Record {
            name: ty.name.clone(),
            fields: Vec::with_capacity(record.fields.len()),
        }));
        let Data::Record(read) = &mut out.data else {
            return Ok(());
        };
        let last = record.fields.len();
        for (at, field) in record.fields.iter().enumerate() {
            let ending = record.conformant && at + 1 == last;
            if ending && self.syntax == Syntax::Ndr64 {
                self.r.align(align)?;
            }
            let hoisted = hoisted.filter(|_| ending);
            read.fields.push((field.name.clone(), Value::default()));
            if let Some((_, value)) = read.fields.last_mut() {
                let result = self.body(field.ty, field.format.as_ref(), hoisted, value);
                out.span = Span::new(start, self.r.pos());
                result?;
            }
        }
        if self.syntax == Syntax::Ndr64 && !record.conformant {
            self.gap(align)?;
        }
        Ok(())
    }

    /// Padding that may be left out at the end of the stub.
    fn gap(&mut self, align: u32) -> Result<(), Stop> {
        let over = self.r.pos() % align.max(1);
        if over != 0 {
            self.r.take((align - over).min(self.r.left()))?;
        }
        Ok(())
    }

    /// A union (14.3.8): the discriminant, then the arm it chooses.
    pub(super) fn union(
        &mut self,
        id: TypeId,
        union: &UnionType,
        out: &mut Value,
    ) -> Result<(), Stop> {
        let types = self.types;
        let ty = types.get(id);
        let layout = ty.layout(self.syntax);
        let encapsulated = union.encapsulated.is_some();
        if self.syntax == Syntax::Ndr64 || encapsulated {
            self.r.align(layout.align)?;
        }
        let start = self.r.pos();
        let mut tag = Value::default();
        self.body(union.switch, None, None, &mut tag)?;
        let chosen = tag.as_i64().and_then(|tag| union.arm(tag));
        let end = self.r.pos();
        let bad = chosen.is_none().then_some(tag.span.start);
        let number = tag.as_i64().unwrap_or_default();
        out.span = Span::new(tag.span.start.min(start), end);
        out.data = Data::Union(Box::new(Union { name: ty.name.clone(), tag, arm: None }));
        if let Some(at) = bad {
            let message = format!("no arm of union {} has the discriminant {number}", ty.name);
            return Err(Stop::malformed(at, message));
        }
        if self.syntax == Syntax::Ndr64 {
            self.gap(layout.align)?;
        }
        let (Some(field), Data::Union(read)) =
            (chosen.and_then(|a| a.field.as_ref()), &mut out.data)
        else {
            return Ok(());
        };
        // [MS-RPCE] 2.2.4.5: with ms_union the arm is aligned as the widest one.
        if union.ms_union && self.syntax == Syntax::Ndr {
            self.r.align(layout.arms)?;
        }
        let (_, value) = read.arm.insert((field.name.clone(), Value::default()));
        let result = self.flat(field.ty, field.format.as_ref(), value);
        out.span = Span::new(out.span.start, self.r.pos());
        result
    }

    /// An embedded pointer, or a top-level one that is not `ref` (14.3.10, 14.3.11).
    pub(super) fn pointer(&mut self, kind: &Kind, out: &mut Value) -> Result<(), Stop> {
        let (referent, span) = self.word()?;
        out.span = span;
        out.data = match kind {
            Kind::Pointer { kind: Pointing::Full, .. }
                if referent != 0 && !self.full.insert(referent) =>
            {
                Data::Same(referent)
            }
            Kind::Pointer { kind, .. } if referent != 0 || *kind == Pointing::Ref => {
                Data::Pointer(Box::new(Pointer { referent, to: Value::default() }))
            }
            Kind::Interface { of, .. } if referent != 0 => {
                Data::Interface(Box::new(InterfacePointer {
                    referent,
                    of: of.clone(),
                    objref: None,
                    at: Span::default(),
                    object: None,
                    stop: None,
                }))
            }
            _ => Data::Null,
        };
        Ok(())
    }

    /// What the pointers in `out`, just read, lead to (14.3.12.3).
    pub(super) fn deferred(&mut self, id: TypeId, out: &mut Value) -> Result<(), Stop> {
        let types = self.types;
        let ty = types.get(id);
        if !ty.deferred {
            return Ok(());
        }
        match (&ty.kind, &mut out.data) {
            (Kind::Pointer { to, .. }, Data::Pointer(pointer)) => {
                self.nested(|this| this.whole(*to, None, &mut pointer.to))
            }
            (Kind::Interface { .. }, Data::Interface(pointer)) => self.interface(pointer),
            (Kind::Struct(record), Data::Record(read)) => self.nested(|this| {
                for (field, (_, value)) in record.fields.iter().zip(&mut read.fields) {
                    this.deferred(field.ty, value)?;
                }
                Ok(())
            }),
            (Kind::Union(union), Data::Union(read)) => {
                let arm = read.tag.as_i64().and_then(|tag| union.arm(tag));
                match (arm.and_then(|arm| arm.field.as_ref()), &mut read.arm) {
                    (Some(field), Some((_, value))) => {
                        self.nested(|this| this.deferred(field.ty, value))
                    }
                    _ => Ok(()),
                }
            }
            (Kind::Array(array), Data::List(list)) => self.nested(|this| {
                for item in &mut list.items {
                    this.deferred(array.of, item)?;
                }
                Ok(())
            }),
            _ => Ok(()),
        }
    }

    /// `MInterfacePointer`: a conformant structure of `ulCntData` and `abData`.
    fn interface(&mut self, out: &mut InterfacePointer) -> Result<(), Stop> {
        let (max, at) = self.word()?;
        let size = self.r.raw_u32()?;
        if max != u64::from(size) {
            self.note(at, format!("max_count {max} differs from ulCntData {size}"));
        }
        let start = self.r.pos();
        out.at = Span::new(start, start);
        let (bytes, result) = self.as_many(size.into(), 1, &Counts::default());
        out.at = Span::new(start, self.r.pos());
        out.objref = Some(bytes.into());
        result
    }

    pub(super) fn counts(
        &mut self,
        varying: bool,
        max: Option<(u64, Span)>,
    ) -> Result<Counts, Stop> {
        let mut counts = Counts { max, ..Counts::default() };
        if varying {
            counts.offset = Some(self.word()?);
            counts.actual = Some(self.word()?);
        }
        Ok(counts)
    }
}
