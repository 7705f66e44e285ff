//! Values to bytes: what `decode` reads, in the same order of \[C706\] chapter 14.
//!
//! The type says what travels and the value what it holds. Referent identifiers and counts of a
//! value that was read are sent again where they agree with it, so a well-formed stub comes out
//! as it was; octets of padding are zero. A value its type cannot hold is [`Unencodable`].

mod construct;

use std::sync::Arc;

use rustc_hash::FxHashSet;

use self::construct::FIRST_REFERENT;
use super::decode::{Context, DEPTH, Direction};
use super::error::{Unencodable, integer_name};
use super::value::{ContextHandle, Data, Number, Value};
use crate::bytes::{Guid, Order, index};
use crate::idl::{Field, Kind, Operation, Pointing, Syntax, TypeId, Types};

/// Octets of a stub that is written, those before the parameters included.
const STUB: usize = 1 << 28;

/// Appends to `stub` the parameters of `operation` that travel in `direction`, and for a response
/// what the operation returned.
///
/// Alignment counts from the start of `stub`, whatever is in it already: in DCOM that is `ORPCTHIS`
/// or `ORPCTHAT`. `params` has each parameter of that direction by its name, and no other. A pointer
/// whose referent identifier is 0 gets the next of 0x00020000, 0x00020004, … as Windows counts them.
/// After an error `stub` is as it was.
pub fn encode(
    types: &Types,
    operation: &Operation,
    direction: Direction,
    params: &[(Arc<str>, Value)],
    ret: Option<&Value>,
    context: Context,
    stub: &mut Vec<u8>,
) -> Result<(), Unencodable> {
    let wanted = operation.params.iter().filter(|param| match direction {
        Direction::In => param.input,
        Direction::Out => param.output,
    });
    let wanted: Vec<&Field> = wanted.map(|param| &param.field).collect();
    let returns = operation.returns.as_ref().filter(|_| direction == Direction::Out);
    let known = |name: &str| wanted.iter().any(|field| &*field.name == name);
    if let Some((name, value)) = params.iter().find(|(name, _)| !known(name)) {
        let expected = format!("a parameter of {} in this direction", operation.name);
        return Err(Unencodable::new(expected, value.data.what()).under(name));
    }
    run(types, context, stub, |encoder| {
        for (at, field) in wanted.into_iter().enumerate() {
            let named = |(name, _): &&(Arc<str>, Value)| *name == field.name;
            let found = params.get(at).filter(named).or_else(|| params.iter().find(named));
            encoder.parameter(field, found.map(|(_, value)| value))?;
        }
        match (returns, ret) {
            (Some(field), ret) => encoder.parameter(field, ret),
            (None, None) => Ok(()),
            (None, Some(value)) => {
                let expected = format!("nothing, for {} returns nothing", operation.name);
                Err(Unencodable::new(expected, value.data.what()).under("return"))
            }
        }
    })
}

/// Appends one value of the type `ty`, with all that is deferred in it.
pub fn encode_type(
    types: &Types,
    ty: TypeId,
    value: &Value,
    context: Context,
    stub: &mut Vec<u8>,
) -> Result<(), Unencodable> {
    run(types, context, stub, |encoder| encoder.whole(ty, value))
}

fn run(
    types: &Types,
    context: Context,
    stub: &mut Vec<u8>,
    write: impl FnOnce(&mut Encoder<'_>) -> Result<(), Unencodable>,
) -> Result<(), Unencodable> {
    let before = stub.len();
    let mut encoder = Encoder {
        types,
        out: stub,
        context,
        depth: 0,
        next: FIRST_REFERENT,
        full: FxHashSet::default(),
    };
    let result = write(&mut encoder);
    if result.is_err() {
        stub.truncate(before);
    }
    result
}

type Written = Result<(), Unencodable>;

struct Encoder<'a> {
    types: &'a Types,
    out: &'a mut Vec<u8>,
    context: Context,
    depth: u32,
    /// Identifier of the next pointer that has none.
    next: u64,
    /// Identifiers of the full pointers written; only [`Encoder::pointer`] adds.
    full: FxHashSet<u64>,
}

impl Encoder<'_> {
    fn wide(&self) -> bool {
        self.context.syntax == Syntax::Ndr64
    }

    fn bytes(&mut self, bytes: &[u8]) -> Written {
        if bytes.len() > STUB.saturating_sub(self.out.len()) {
            let message = format!("a stub of at most {STUB} bytes");
            return Err(Unencodable::new(message, "a longer one"));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn align(&mut self, to: u32) {
        let len = self.out.len().next_multiple_of(index(to.max(1)));
        self.out.resize(len, 0);
    }

    /// The low `width` octets of `bits`, aligned to `width`.
    fn scalar(&mut self, width: u8, bits: u64) -> Written {
        self.align(width.into());
        let bytes = bits.to_le_bytes();
        let mut bytes = bytes.get(..width.into()).unwrap_or(&bytes).to_vec();
        if self.context.order == Order::Big {
            bytes.reverse();
        }
        self.bytes(&bytes)
    }

    fn u32(&mut self, value: u32) -> Written {
        self.scalar(4, value.into())
    }

    /// A count or a referent identifier.
    fn word(&mut self, value: u64, what: &str) -> Written {
        if self.wide() {
            return self.scalar(8, value);
        }
        match u32::try_from(value) {
            Ok(value) => self.u32(value),
            Err(_) => Err(Unencodable::new(format!("a {what} of 32 bits"), value.to_string())),
        }
    }

    fn guid(&mut self, guid: Guid) -> Written {
        self.bytes(&match self.context.order {
            Order::Little => guid.to_bytes_le(),
            Order::Big => *guid.as_bytes(),
        })
    }

    /// A top-level reference pointer has no representation (14.3.11.1).
    fn parameter(&mut self, field: &Field, value: Option<&Value>) -> Written {
        let ty = match self.types.get(field.ty).kind {
            Kind::Pointer { kind: Pointing::Ref, to } => to,
            _ => field.ty,
        };
        let written = match value {
            Some(value) => self.whole(ty, value),
            None => Err(Unencodable::new(&*self.types.get(ty).name, "nothing")),
        };
        written.map_err(|error| error.under(&field.name))
    }

    /// A construct and all that is deferred in it.
    fn whole(&mut self, ty: TypeId, value: &Value) -> Written {
        self.flat(ty, value)?;
        self.deferred(ty, value)
    }

    /// A construct without what is deferred, with the size that goes before it (14.3.7.1).
    fn flat(&mut self, ty: TypeId, value: &Value) -> Written {
        let hoisted = self.max_count(ty, value)?;
        if let Some(max) = hoisted {
            self.word(max, "max_count")?;
        }
        self.body(ty, value, hoisted.is_some())
    }

    fn body(&mut self, id: TypeId, value: &Value, hoisted: bool) -> Written {
        let types = self.types;
        let ty = types.get(id);
        let wide = self.wide();
        match (&ty.kind, &value.data) {
            (Kind::Void | Kind::Handle, Data::Unread) => Ok(()),
            (Kind::Integer { width, signed }, Data::Number(number)) => {
                self.integer(*width, *signed, number)
            }
            (Kind::Char | Kind::Byte, Data::Number(number)) => self.integer(1, false, number),
            (Kind::WideChar, Data::Number(number)) => self.integer(2, false, number),
            (Kind::Enum { v1, .. }, Data::Number(number)) => {
                self.integer(if *v1 || wide { 4 } else { 2 }, true, number)
            }
            (Kind::Float { width: 4 }, Data::Float(number)) => {
                #[expect(
                    clippy::as_conversions,
                    clippy::cast_possible_truncation,
                    reason = "the type has no more precision; out of range is infinite, by IEEE 754"
                )]
                let narrow = *number as f32;
                self.u32(narrow.to_bits())
            }
            (Kind::Float { .. }, Data::Float(number)) => self.scalar(8, number.to_bits()),
            (Kind::Boolean, Data::Boolean(octet)) => self.bytes(&[*octet]),
            (Kind::Guid, Data::Guid(guid)) => {
                self.align(4);
                self.guid(*guid)
            }
            (Kind::ContextHandle, Data::Handle(handle)) => {
                let ContextHandle { attributes, uuid } = **handle;
                self.u32(attributes)?;
                self.guid(uuid)
            }
            (Kind::Pointer { .. } | Kind::Interface { .. }, data) => self.pointer(id, data),
            (Kind::Array(array), _) => self.array(id, array, value, hoisted),
            (Kind::Struct(_), Data::Record(_)) => {
                self.nested(|this| this.structure(id, value, hoisted))
            }
            (Kind::Union(_), Data::Union(_)) => self.nested(|this| this.union(id, value)),
            (_, data) => Err(Unencodable::new(&*ty.name, data.what())),
        }
    }

    /// Runs `write` one level deeper.
    fn nested(&mut self, write: impl FnOnce(&mut Self) -> Written) -> Written {
        if self.depth >= DEPTH {
            return Err(Unencodable::new(format!("at most {DEPTH} levels"), "more"));
        }
        self.depth += 1;
        let result = write(self);
        self.depth -= 1;
        result
    }

    fn integer(&mut self, width: u8, signed: bool, number: &Number) -> Written {
        let value = if number.signed { number.signed().into() } else { i128::from(number.bits) };
        match bits(width, signed, value) {
            Some(bits) => self.scalar(width, bits),
            None => Err(Unencodable::new(integer_name(width, signed), value.to_string())),
        }
    }
}

/// The value in two's complement or unsigned, sign-extended if signed; none if it does not fit.
pub(super) fn bits(width: u8, signed: bool, value: i128) -> Option<u64> {
    let bits = u32::from(width) * 8;
    let (least, most) = if signed {
        (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1)
    } else {
        (0, (1i128 << bits) - 1)
    };
    if value < least || value > most {
        return None;
    }
    let unsigned = u64::try_from(value).ok();
    unsigned.or_else(|| i64::try_from(value).ok().map(i64::cast_unsigned))
}
