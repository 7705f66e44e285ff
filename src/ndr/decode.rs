//! Bytes to values. The functions are in the order of \[C706\] chapter 14.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::check;
use super::value::{ContextHandle, Data, Number, Value};
use crate::bytes::{Missing, Order, Reader, Span, Stop, View, Why};
use crate::idl::{Field, Format, Kind, Operation, Pointing, Syntax, TypeId, Types};

/// What the bind and the PDU header say of a stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The transfer syntax negotiated.
    pub syntax: Syntax,
    /// The byte order of the sender, for integers and UTF-16 alike.
    pub order: Order,
}

/// Which parameters a stub carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A request: `[in]`.
    In,
    /// A response: `[out]`, then what the operation returns.
    Out,
}

/// The parameters of one stub.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// Parameters by name, in their order, as far as they were read.
    pub params: Vec<(Arc<str>, Value)>,
    /// What the operation returned.
    pub ret: Option<Value>,
    /// Where and why reading ended early.
    pub stop: Option<Stop>,
    /// What is odd but was read all the same.
    pub notes: Vec<Note>,
    /// Offset one past the last parameter; what follows is not NDR's (a verification trailer).
    pub used: u32,
}

impl Decoded {
    /// The parameter of this name.
    pub fn param(&self, name: &str) -> Option<&Value> {
        let found = self.params.iter().find(|(param, _)| &**param == name);
        found.map(|(_, value)| value)
    }
}

/// Something odd in a stub that was read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The bytes it is about.
    pub span: Span,
    /// One sentence, lower case.
    pub text: String,
}

/// Structures within structures, and pointers from pointers.
pub(super) const DEPTH: u32 = 96;
/// Values of one stub: what an array of small elements may cost in memory.
pub(super) const VALUES: u32 = 1 << 20;

/// Decodes the parameters of `operation` that `stub` carries from offset `from` on.
///
/// Alignment counts from the start of `stub` wherever `from` is: in DCOM the parameters follow
/// `ORPCTHIS` or `ORPCTHAT`.
pub fn decode(
    types: &Types,
    operation: &Operation,
    direction: Direction,
    stub: View<'_>,
    from: u32,
    context: Context,
) -> Decoded {
    let wanted = operation.params.iter().filter(|param| match direction {
        Direction::In => param.input,
        Direction::Out => param.output,
    });
    let returns = operation.returns.as_ref().filter(|_| direction == Direction::Out);
    run(types, stub, from, context, |decoder, out| {
        for param in wanted {
            out.params.push((param.field.name.clone(), Value::default()));
            if let Some((_, value)) = out.params.last_mut() {
                decoder.parameter(&param.field, value)?;
            }
        }
        if let Some(field) = returns {
            let value = out.ret.insert(Value::default());
            decoder.parameter(field, value)?;
        }
        Ok(())
    })
    .checked(types, operation)
}

/// Decodes one value of the type `ty`, as the parameter `name` would be.
pub fn decode_type(
    types: &Types,
    ty: TypeId,
    name: &Arc<str>,
    stub: View<'_>,
    from: u32,
    context: Context,
) -> Decoded {
    let mut decoded = run(types, stub, from, context, |decoder, out| {
        out.params.push((name.clone(), Value::default()));
        match out.params.last_mut() {
            Some((_, value)) => decoder.whole(ty, None, value),
            None => Ok(()),
        }
    });
    if let Some((name, value)) = decoded.params.last() {
        check::one(types, ty, name, value, &mut decoded.notes);
    }
    decoded
}

fn run(
    types: &Types,
    stub: View<'_>,
    from: u32,
    context: Context,
    read: impl FnOnce(&mut Decoder<'_, '_, '_>, &mut Decoded) -> Result<(), Stop>,
) -> Decoded {
    let mut sink = ();
    let mut reader = Reader::new(stub, &mut sink);
    reader.order = context.order;
    let mut out = Decoded::default();
    let mut decoder = Decoder {
        types,
        r: reader,
        syntax: context.syntax,
        notes: Vec::new(),
        depth: 0,
        values: 0,
        full: FxHashSet::default(),
    };
    let result = decoder.r.seek(from, "the offset of the parameters");
    let result = result.and_then(|()| read(&mut decoder, &mut out));
    out.stop = result.err().map(named);
    out.used = decoder.r.pos();
    out.notes = decoder.notes;
    out
}

/// The limit of a stub is the stub.
fn named(mut stop: Stop) -> Stop {
    if let Why::Short { limit, .. } = &mut stop.why {
        *limit = "the stub";
    }
    stop
}

impl Decoded {
    fn checked(mut self, types: &Types, operation: &Operation) -> Self {
        let mut notes = std::mem::take(&mut self.notes);
        check::operation(types, operation, &self, &mut notes);
        self.notes = notes;
        self
    }
}

pub(super) struct Decoder<'t, 'v, 's> {
    pub(super) types: &'t Types,
    pub(super) r: Reader<'v, 's, ()>,
    pub(super) syntax: Syntax,
    pub(super) notes: Vec<Note>,
    depth: u32,
    values: u32,
    /// Referent identifiers of the full pointers met; only [`Decoder::pointer`] adds.
    pub(super) full: FxHashSet<u64>,
}

impl Decoder<'_, '_, '_> {
    pub(super) fn note(&mut self, span: Span, text: impl Into<String>) {
        let text = text.into();
        self.notes.push(Note { span, text });
    }

    /// A parameter: its flat part and all that is deferred.
    fn parameter(&mut self, field: &Field, out: &mut Value) -> Result<(), Stop> {
        let ty = self.types.get(field.ty);
        let Kind::Pointer { kind: Pointing::Ref, to } = ty.kind else {
            return self.whole(field.ty, field.format.as_ref(), out);
        };
        // A top-level reference pointer has no representation (14.3.11.1).
        if let Kind::Array(array) = &self.types.get(to).kind
            && array.string
            && array.shape.conformant()
        {
            return self.top_level_string(to, out);
        }
        self.whole(to, field.format.as_ref(), out)
    }

    /// Some encoders send a referent identifier before the string of a top-level `[ref]` pointer.
    fn top_level_string(&mut self, ty: TypeId, out: &mut Value) -> Result<(), Stop> {
        let start = self.r.pos();
        let notes = self.notes.len();
        let plain = self.whole(ty, None, out);
        if matches!(plain, Err(Stop { why: Why::Missing(_), .. })) || (plain.is_ok() && proper(out))
        {
            return plain;
        }
        let end = self.r.pos();
        self.r.seek(start, "a parameter")?;
        let mut other = Value::default();
        let kept = self.notes.split_off(notes.min(self.notes.len()));
        let referent = self.word();
        let behind = match referent {
            Ok((id, span)) if id != 0 => self.whole(ty, None, &mut other).map(|()| span),
            Ok(_) => Err(Stop::malformed(start, "")),
            Err(stop) => Err(stop),
        };
        match behind {
            Ok(span) if proper(&other) => {
                *out = other;
                self.note(
                    span,
                    "a referent identifier precedes the string of a top-level reference pointer",
                );
                Ok(())
            }
            _ => {
                self.notes.truncate(notes);
                self.notes.extend(kept);
                self.r.seek(end, "a parameter")?;
                plain
            }
        }
    }

    /// A construct and all that is deferred in it.
    pub(super) fn whole(
        &mut self,
        ty: TypeId,
        format: Option<&Format>,
        out: &mut Value,
    ) -> Result<(), Stop> {
        self.flat(ty, format, out)?;
        self.deferred(ty, out)
    }

    /// A construct without what is deferred, but with the size that goes before it.
    pub(super) fn flat(
        &mut self,
        ty: TypeId,
        format: Option<&Format>,
        out: &mut Value,
    ) -> Result<(), Stop> {
        let hoisted = self.max_count(ty)?;
        self.body(ty, format, hoisted, out)
    }

    /// `max_count` of an array, or of the array a structure ends in (14.3.7.1).
    fn max_count(&mut self, ty: TypeId) -> Result<Option<(u64, Span)>, Stop> {
        let conformant = match &self.types.get(ty).kind {
            Kind::Array(array) => array.shape.conformant(),
            Kind::Struct(record) => record.conformant,
            _ => false,
        };
        if conformant { self.word().map(Some) } else { Ok(None) }
    }

    /// A count or a referent identifier.
    pub(super) fn word(&mut self) -> Result<(u64, Span), Stop> {
        match self.syntax {
            Syntax::Ndr => {
                self.r.align(4)?;
                let at = self.r.pos();
                Ok((self.r.raw_u32()?.into(), Span::new(at, self.r.pos())))
            }
            Syntax::Ndr64 => {
                self.r.align(8)?;
                let at = self.r.pos();
                Ok((self.r.raw_u64()?, Span::new(at, self.r.pos())))
            }
        }
    }

    pub(super) fn body(
        &mut self,
        id: TypeId,
        format: Option<&Format>,
        hoisted: Option<(u64, Span)>,
        out: &mut Value,
    ) -> Result<(), Stop> {
        let types = self.types;
        let ty = types.get(id);
        self.values += 1;
        if self.values > VALUES {
            return Err(Stop { at: self.r.pos(), why: Why::Missing(Missing::Capped) });
        }
        let format = format.unwrap_or(&ty.format);
        match &ty.kind {
            Kind::Void | Kind::Handle => Ok(()),
            Kind::Integer { width, signed } => self.integer(*width, *signed, format, out),
            Kind::Char | Kind::Byte => self.integer(1, false, format, out),
            Kind::WideChar => self.integer(2, false, format, out),
            Kind::Enum { v1, names } => {
                let width = if *v1 || self.syntax == Syntax::Ndr64 { 4 } else { 2 };
                match format {
                    Format::Decimal => {
                        let names = Format::Names(names.clone());
                        self.integer(width, true, &names, out)
                    }
                    format => self.integer(width, true, format, out),
                }
            }
            Kind::Float { width } => self.float(*width, out),
            Kind::Boolean => {
                let at = self.r.pos();
                let [octet] = self.r.array()?;
                *out = Value { data: Data::Boolean(octet), span: Span::new(at, at + 1) };
                Ok(())
            }
            Kind::Guid => {
                self.r.align(4)?;
                let at = self.r.pos();
                let guid = self.r.raw_guid()?;
                *out = Value { data: Data::Guid(guid), span: Span::new(at, self.r.pos()) };
                Ok(())
            }
            Kind::ContextHandle => {
                self.r.align(4)?;
                let at = self.r.pos();
                let attributes = self.r.raw_u32()?;
                let uuid = self.r.raw_guid()?;
                *out = Value {
                    data: Data::Handle(Box::new(ContextHandle { attributes, uuid })),
                    span: Span::new(at, self.r.pos()),
                };
                Ok(())
            }
            Kind::Pointer { .. } | Kind::Interface { .. } => self.pointer(&ty.kind, out),
            Kind::Array(array) => self.array(array, hoisted, out),
            Kind::Struct(_) => self.nested(|this| this.structure(id, hoisted, out)),
            Kind::Union(union) => self.nested(|this| this.union(id, union, out)),
        }
    }

    /// Runs `read` one level deeper.
    pub(super) fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.depth >= DEPTH {
            let message = format!("values are nested deeper than {DEPTH}");
            return Err(Stop::malformed(self.r.pos(), message));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn integer(
        &mut self,
        width: u8,
        signed: bool,
        format: &Format,
        out: &mut Value,
    ) -> Result<(), Stop> {
        self.r.align(width.into())?;
        let at = self.r.pos();
        let bits = match width {
            1 => {
                let [octet] = self.r.array()?;
                extend(octet.into(), octet.cast_signed().into(), signed)
            }
            2 => {
                let n = self.r.raw_u16()?;
                extend(n.into(), n.cast_signed().into(), signed)
            }
            4 => {
                let n = self.r.raw_u32()?;
                extend(n.into(), n.cast_signed().into(), signed)
            }
            _ => self.r.raw_u64()?,
        };
        *out = Value {
            data: Data::Number(Number { bits, width, signed, format: format.clone() }),
            span: Span::new(at, self.r.pos()),
        };
        Ok(())
    }

    /// Only IEEE 754, in the byte order of the integers.
    fn float(&mut self, width: u8, out: &mut Value) -> Result<(), Stop> {
        self.r.align(width.into())?;
        let at = self.r.pos();
        let value = if width == 4 {
            f32::from_bits(self.r.raw_u32()?).into()
        } else {
            f64::from_bits(self.r.raw_u64()?)
        };
        *out = Value { data: Data::Float(value), span: Span::new(at, self.r.pos()) };
        Ok(())
    }
}

fn extend(unsigned: u64, sign_extended: i64, signed: bool) -> u64 {
    if signed { sign_extended.cast_unsigned() } else { unsigned }
}

/// A string as 14.3.4 has it: whole, from its beginning, with a terminator.
fn proper(value: &Value) -> bool {
    value.as_text().is_some_and(|text| {
        text.counts.offset.is_none_or(|(offset, _)| offset == 0) && text.terminated()
    })
}
