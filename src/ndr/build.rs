//! Arguments as people give them to values: the IDL says what each is, and what is left out.
//!
//! What the IDL makes follow from something else need not be given: the counts of arrays (sums,
//! products and quotients are solved), the discriminants of unions, terminators, referent
//! identifiers (which `encode` gives). What is given wins, even where it contradicts, for a
//! conversation may have to be wrong.

use std::sync::Arc;

use super::arg::Arg;
use super::decode::{DEPTH, Decoded, Direction, VALUES};
use super::error::Unencodable;
use super::leaf::{guid, handle, integer, interface, mismatch, number, octets, unit_list, units};
use super::value::{Bytes, Counts, Data, List, Pointer, Record, Text, Union, Units, Value};
use crate::bytes::{Guid, Span};
use crate::idl::{
    Array, Expr, Field, Format, Kind, Operation, Pointing, Record as RecordType, Shape, TypeId,
    Types, Union as UnionType,
};

/// The parameters of one stub, to be encoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    /// Parameters by name, in their order.
    pub params: Vec<(Arc<str>, Value)>,
    /// What the operation returns.
    pub ret: Option<Value>,
}

impl From<Decoded> for Arguments {
    fn from(decoded: Decoded) -> Self {
        Self { params: decoded.params, ret: decoded.ret }
    }
}

/// Makes values of `args`, the parameters of `operation` by name; what it returns is `return`.
///
/// A pointer that may be null and is not given is null. Anything else that is not given, and does
/// not follow from something else, is an error in a request; in a response it is zero or empty, as
/// a server leaves it when it fails. A response may name parameters of the request too: they do
/// not travel, but counts and discriminants may need them.
pub fn build<N: AsRef<str>>(
    types: &Types,
    operation: &Operation,
    direction: Direction,
    args: &[(N, Arg)],
) -> Result<Arguments, Unencodable> {
    let response = direction == Direction::Out;
    let returns = operation.returns.as_ref().filter(|_| response);
    for (name, arg) in args {
        let name = name.as_ref();
        let known = operation.params.iter().any(|param| {
            let there = if response { param.input || param.output } else { param.input };
            there && &*param.field.name == name
        });
        if !known && returns.is_none_or(|field| &*field.name != name && name != RETURN) {
            let expected = format!("a parameter of {} in this direction", operation.name);
            return Err(mismatch(&expected, arg).under(name));
        }
    }
    let given = |name: &str| args.iter().find(|(of, _)| of.as_ref() == name).map(|(_, arg)| arg);
    let mut builder = Builder { types, lenient: response, depth: 0, values: 0 };
    let (travel, rest): (Vec<_>, Vec<_>) = operation
        .params
        .iter()
        .partition(|param| if response { param.output } else { param.input });
    let scope =
        rest.iter().filter_map(|param| builder.operand(&param.field, given(&param.field.name)));
    let scope = scope.collect();
    let fields: Vec<&Field> = travel.iter().map(|param| &param.field).collect();
    let params = builder.fields(&fields, Site::Parameter, &given, scope)?;
    let ret = returns.map(|field| {
        let arg = given(RETURN).or_else(|| given(&field.name));
        builder.field(field, Site::Parameter, arg, &Scope::new())
    });
    Ok(Arguments { params, ret: ret.transpose()? })
}

/// The name of what an operation returns.
const RETURN: &str = "return";
/// The name of a union's discriminant where it has to be told.
const DISCRIMINANT: &str = "discriminant";

struct Builder<'a> {
    types: &'a Types,
    /// What is not given is zero.
    lenient: bool,
    depth: u32,
    /// Values made, which only [`Builder::value`] counts; at most as many as can be read.
    values: u32,
}

/// The integers among the parameters or members beside a value, given or found.
type Scope = Vec<(Arc<str>, i64)>;

type Built = Result<Value, Unencodable>;

fn known(scope: &Scope, name: &str) -> Option<i64> {
    scope.iter().find(|(of, _)| &**of == name).map(|(_, value)| *value)
}

fn eval(expr: Option<&Expr>, scope: &Scope) -> Option<i64> {
    expr?.value(&|name| known(scope, name))
}

/// Where a type stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Site {
    /// An outermost reference pointer is without representation.
    Parameter,
    Member,
}

impl Builder<'_> {
    /// Parameters or members in their order, counted and switched by one another and by `scope`.
    fn fields<'g>(
        &mut self,
        fields: &[&Field],
        site: Site,
        given: &dyn Fn(&str) -> Option<&'g Arg>,
        mut scope: Scope,
    ) -> Result<Vec<(Arc<str>, Value)>, Unencodable> {
        scope.extend(fields.iter().filter_map(|field| self.operand(field, given(&field.name))));
        let mut values = Vec::with_capacity(fields.len());
        for field in fields {
            let arg = given(&field.name).or(self.optional(field.ty, site).then_some(&Arg::Null));
            let value = arg.map(|arg| self.field(field, site, Some(arg), &scope)).transpose()?;
            values.push(value);
        }
        for (field, value) in fields.iter().zip(&values) {
            if let Some(value) = value {
                self.measure(field, value, &mut scope);
            }
        }
        let mut out = Vec::with_capacity(fields.len());
        for (field, value) in fields.iter().zip(values) {
            let value = if let Some(value) = value {
                value
            } else {
                let found = known(&scope, &field.name).map(Arg::from);
                self.field(field, site, found.as_ref(), &scope)?
            };
            out.push((field.name.clone(), value));
        }
        Ok(out)
    }

    /// The name and value of an integer that was given, behind whatever pointers.
    fn operand(&self, field: &Field, arg: Option<&Arg>) -> Option<(Arc<str>, i64)> {
        let ty = self.types.get(self.pointee(field.ty));
        let format = field.format.as_ref().unwrap_or(&ty.format);
        let integer = matches!(
            ty.kind,
            Kind::Integer { .. } | Kind::Enum { .. } | Kind::Char | Kind::Byte | Kind::WideChar
        );
        let number = number(&ty.kind, format, arg.filter(|_| integer)?).ok()?;
        Some((field.name.clone(), i64::try_from(number).ok()?))
    }

    fn pointee(&self, mut id: TypeId) -> TypeId {
        for _ in 0..DEPTH {
            match self.types.get(id).kind {
                Kind::Pointer { to, .. } => id = to,
                _ => break,
            }
        }
        id
    }

    /// Whether it is null when it is not given.
    fn optional(&self, id: TypeId, site: Site) -> bool {
        match self.types.get(id).kind {
            Kind::Pointer { kind: Pointing::Ref, to } if site == Site::Parameter => {
                self.optional(to, Site::Member)
            }
            Kind::Pointer { kind, .. } => kind != Pointing::Ref,
            Kind::Interface { .. } => true,
            _ => false,
        }
    }

    /// Finds what the arrays and the union of a parameter or member are counted and switched by.
    fn measure(&self, field: &Field, value: &Value, scope: &mut Scope) {
        if let (Some(expr), Data::Union(union)) = (&field.switch_is, &value.target().data)
            && let Some(tag) = union.tag.as_i64()
        {
            solve(expr, tag, scope);
        }
        let (mut id, mut value) = (field.ty, Some(value));
        for _ in 0..DEPTH {
            match &self.types.get(id).kind {
                Kind::Pointer { to, .. } => {
                    id = *to;
                    match value.map(|value| &value.data) {
                        Some(Data::Pointer(pointer)) => value = Some(&pointer.to),
                        Some(Data::Null) => value = None,
                        // A top-level reference pointer has no value of its own.
                        _ => {}
                    }
                }
                Kind::Array(array) => {
                    let len = value.map_or(0, length);
                    if let Some(expr) = &array.length_is {
                        solve(expr, len, scope);
                    }
                    let first = eval(array.first_is.as_ref(), scope).unwrap_or_default();
                    if let Some(expr) = &array.size_is {
                        solve(expr, len.saturating_add(first), scope);
                    }
                    id = array.of;
                    value = match value.map(|value| &value.data) {
                        Some(Data::List(list)) => {
                            list.items.iter().max_by_key(|item| length(item.target()))
                        }
                        _ => None,
                    };
                }
                _ => break,
            }
        }
    }

    fn field(&mut self, field: &Field, site: Site, arg: Option<&Arg>, scope: &Scope) -> Built {
        let ty = match self.types.get(field.ty).kind {
            Kind::Pointer { kind: Pointing::Ref, to } if site == Site::Parameter => to,
            _ => field.ty,
        };
        let switch = eval(field.switch_is.as_ref(), scope);
        let built = self.value(ty, field.format.as_ref(), arg, scope, switch);
        built.map_err(|error| error.under(&field.name))
    }

    fn value(
        &mut self,
        id: TypeId,
        format: Option<&Format>,
        arg: Option<&Arg>,
        scope: &Scope,
        switch: Option<i64>,
    ) -> Built {
        self.depth += 1;
        let data = match arg {
            Some(arg) => self.data(id, format, arg, scope, switch),
            None => self.absent(id).and_then(|arg| self.data(id, format, &arg, scope, switch)),
        };
        self.depth -= 1;
        Ok(Value { data: data?, span: Span::default() })
    }

    /// Counts a value that is made, or what stands for one.
    fn count(&mut self) -> Result<(), Unencodable> {
        self.values += 1;
        if self.depth > DEPTH || self.values > VALUES {
            let expected = format!("at most {DEPTH} levels and {VALUES} values");
            return Err(Unencodable::new(expected, "more"));
        }
        Ok(())
    }

    /// What stands for a value that was not given.
    fn absent(&mut self, id: TypeId) -> Result<Arg, Unencodable> {
        self.count()?;
        let ty = self.types.get(id);
        Ok(match &ty.kind {
            Kind::Pointer { kind: Pointing::Unique | Pointing::Full, .. }
            | Kind::Interface { .. } => Arg::Null,
            _ if !self.lenient => return Err(Unencodable::new(&*ty.name, "nothing")),
            Kind::Pointer { to, .. } => self.absent(*to)?,
            Kind::Guid | Kind::ContextHandle => Arg::Guid(Guid::nil()),
            Kind::Struct(_) | Kind::Union(_) => Arg::Record(Vec::new()),
            Kind::Array(array) if array.string => Arg::Text(String::new()),
            Kind::Array(array) => match array.shape {
                Shape::Fixed(n) => {
                    Arg::List((0..n).map(|_| self.absent(array.of)).collect::<Result<_, _>>()?)
                }
                _ => Arg::List(Vec::new()),
            },
            _ => Arg::Number(0),
        })
    }

    fn data(
        &mut self,
        id: TypeId,
        format: Option<&Format>,
        arg: &Arg,
        scope: &Scope,
        switch: Option<i64>,
    ) -> Result<Data, Unencodable> {
        self.count()?;
        let types = self.types;
        let ty = types.get(id);
        let format = format.unwrap_or(&ty.format);
        let integer = |width, signed| integer(&ty.kind, format, width, signed, arg);
        match (&ty.kind, arg) {
            (Kind::Void | Kind::Handle, _) => Ok(Data::Unread),
            (Kind::Integer { width, signed }, _) => integer(*width, *signed),
            (Kind::Char | Kind::Byte, _) => integer(1, false),
            (Kind::WideChar, _) => integer(2, false),
            // In NDR most enumerations have 16 bits, which is held against the value when it is
            // encoded.
            (Kind::Enum { .. }, _) => integer(4, true),
            (Kind::Float { .. }, Arg::Float(n)) => Ok(Data::Float(*n)),
            #[expect(
                clippy::as_conversions,
                clippy::cast_precision_loss,
                reason = "the nearest number is meant"
            )]
            (Kind::Float { .. }, Arg::Number(n)) => Ok(Data::Float(*n as f64)),
            (Kind::Boolean, Arg::Bool(yes)) => Ok(Data::Boolean((*yes).into())),
            (Kind::Boolean, Arg::Number(n)) => match u8::try_from(*n) {
                Ok(octet) => Ok(Data::Boolean(octet)),
                Err(_) => Err(mismatch("a boolean", arg)),
            },
            (Kind::Guid, _) => guid(arg).map(Data::Guid).ok_or_else(|| mismatch("a GUID", arg)),
            (Kind::ContextHandle, _) => handle(arg),
            (Kind::Interface { of, .. }, _) => interface(of.as_ref(), arg),
            (Kind::Pointer { kind: Pointing::Unique | Pointing::Full, .. }, Arg::Null) => {
                Ok(Data::Null)
            }
            (Kind::Pointer { to, .. }, _) => {
                let to = self.value(*to, None, Some(arg), scope, switch)?;
                Ok(Data::Pointer(Box::new(Pointer { referent: 0, to })))
            }
            (Kind::Struct(record), Arg::Record(given)) => self.structure(&ty.name, record, given),
            (Kind::Union(union), Arg::Record(given)) => self.union(&ty.name, union, given, switch),
            (Kind::Union(union), Arg::Null) => self.union(&ty.name, union, &[], switch),
            (Kind::Array(array), _) => match self.array(array, arg, scope)? {
                Some(data) => Ok(data),
                None => Err(mismatch(&ty.name, arg)),
            },
            _ => Err(mismatch(&ty.name, arg)),
        }
    }

    fn structure(
        &mut self,
        name: &Arc<str>,
        record: &RecordType,
        given: &[(String, Arg)],
    ) -> Result<Data, Unencodable> {
        let fields: Vec<&Field> = record.fields.iter().collect();
        let stray = given.iter().find(|(of, _)| fields.iter().all(|field| &*field.name != of));
        if let Some((of, arg)) = stray {
            return Err(mismatch(&format!("a member of {name}"), arg).under(of));
        }
        let given = |name: &str| given.iter().find(|(of, _)| of == name).map(|(_, arg)| arg);
        let fields = self.fields(&fields, Site::Member, &given, Scope::new())?;
        Ok(Data::Record(Box::new(Record { name: name.clone(), fields })))
    }

    fn union(
        &mut self,
        name: &Arc<str>,
        union: &UnionType,
        given: &[(String, Arg)],
        switch: Option<i64>,
    ) -> Result<Data, Unencodable> {
        let arms = || union.arms.iter().filter_map(|arm| arm.field.as_ref());
        let is_arm = |name: &str| arms().any(|field| &*field.name == name);
        let (chosen, rest): (Vec<_>, Vec<_>) = given.iter().partition(|(name, _)| is_arm(name));
        let switched = union.encapsulated.as_ref().map(|(name, _)| &**name);
        for (of, arg) in &rest {
            if of != DISCRIMINANT && Some(of.as_str()) != switched {
                return Err(mismatch(&format!("an arm of {name}"), arg).under(of));
            }
        }
        if let [_, (of, arg), ..] = chosen.as_slice() {
            return Err(mismatch("one arm", arg).under(of));
        }
        let arm = chosen.first().map(|(of, arg)| (of.as_str(), arg));
        let tag = match rest.first() {
            Some((_, tag)) => tag.clone(),
            None => match switch.or_else(|| tag(union, arm.map(|(of, _)| of))) {
                Some(tag) => tag.into(),
                None => return Err(Unencodable::new(format!("an arm of {name}"), "nothing")),
            },
        };
        let tag = self.value(union.switch, None, Some(&tag), &Scope::new(), None);
        let tag = tag.map_err(|error| error.under(DISCRIMINANT))?;
        let number = tag.as_i64().unwrap_or_default();
        let field = match (union.arm(number), arm) {
            (None, _) => {
                let expected = format!("a discriminant of {name}");
                return Err(Unencodable::new(expected, number.to_string()));
            }
            (Some(found), Some((of, _)))
                if found.field.as_ref().is_none_or(|field| &*field.name != of) =>
            {
                let expected = found.field.as_ref().map_or("nothing", |field| &field.name);
                let expected = format!("{expected}, which {number} chooses");
                return Err(Unencodable::new(expected, of));
            }
            (Some(found), _) => found.field.as_ref(),
        };
        let value = |field: &Field| {
            let arg = arm.map(|(_, arg)| arg);
            let value = self.field(field, Site::Member, arg, &Scope::new())?;
            Ok((field.name.clone(), value))
        };
        let arm = field.map(value).transpose()?;
        Ok(Data::Union(Box::new(Union { name: name.clone(), tag, arm })))
    }

    /// None if the argument is for no array of this type.
    fn array(
        &mut self,
        array: &Array,
        arg: &Arg,
        scope: &Scope,
    ) -> Result<Option<Data>, Unencodable> {
        let of = &self.types.get(array.of).kind;
        let wide = matches!(of, Kind::WideChar | Kind::Integer { width: 2, .. });
        let byte = matches!(of, Kind::Byte);
        let string = |units: Option<Units>| {
            let units = units.ok_or_else(|| mismatch("characters of this width", arg))?;
            Ok(Data::Text(Box::new(Text { units, counts: Counts::default() })))
        };
        let mut data = match (arg, array.string) {
            (Arg::Text(text), true) => string(units(text, wide))?,
            (Arg::Bytes(bytes), true) if !wide => {
                string(Some(Units::Narrow(bytes.as_slice().into())))?
            }
            (Arg::List(items), true) if wide => string(unit_list(items).map(Units::Wide))?,
            (Arg::List(items), true) => string(unit_list(items).map(Units::Narrow))?,
            (Arg::Bytes(_) | Arg::Text(_) | Arg::List(_), false) if byte => {
                let bytes = match arg {
                    Arg::Bytes(bytes) => Some(bytes.as_slice().into()),
                    Arg::Text(text) => octets(text).map(Into::into),
                    Arg::List(items) => unit_list(items),
                    _ => None,
                };
                let bytes = bytes.ok_or_else(|| mismatch("octets", arg))?;
                Data::Bytes(Box::new(Bytes { bytes, counts: Counts::default() }))
            }
            (Arg::List(given), false) => {
                let mut items = Vec::new();
                for (n, arg) in given.iter().enumerate() {
                    let item = self.value(array.of, None, Some(arg), scope, None);
                    items.push(item.map_err(|error| error.under(format!("[{n}]")))?);
                }
                Data::List(Box::new(List { items, counts: Counts::default() }))
            }
            _ => return Ok(None),
        };
        let (len, counts) = match &mut data {
            Data::Text(text) => (text.len(), &mut text.counts),
            Data::Bytes(bytes) => (bytes.bytes.len(), &mut bytes.counts),
            Data::List(list) => (list.items.len(), &mut list.counts),
            _ => return Ok(None),
        };
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        let stated = |expr: &Option<Expr>| u64::try_from(eval(expr.as_ref(), scope)?).ok();
        let offset = stated(&array.first_is).unwrap_or_default();
        let end = offset.saturating_add(len);
        let (room, max) = match array.shape {
            Shape::Fixed(n) => (Some(u64::from(n)), None),
            Shape::Varying(n) => (Some(n.into()), None),
            Shape::Conformant => (None, Some(len)),
            Shape::ConformantVarying => (None, Some(stated(&array.size_is).unwrap_or(end))),
        };
        let fixed = matches!(array.shape, Shape::Fixed(_));
        if room.is_some_and(|room| end > room || (fixed && end < room)) {
            let most = if fixed { "" } else { "at most " };
            let expected = format!("{most}{} elements", room.unwrap_or_default());
            return Err(Unencodable::new(expected, end.to_string()));
        }
        let some = |n| Some((n, Span::default()));
        counts.max = max.and_then(some);
        if array.shape.varying() {
            (counts.offset, counts.actual) = (some(offset), some(len));
        }
        Ok(Some(data))
    }
}

/// Learns the one operand of `expr` that is not known, if it is `want`.
fn solve(expr: &Expr, want: i64, scope: &mut Scope) {
    let found = expr.solve(want, &|name| known(scope, name)).map(|(name, n)| (name.clone(), n));
    scope.extend(found);
}

/// The discriminant of an arm, or of the empty one.
fn tag(union: &UnionType, arm: Option<&str>) -> Option<i64> {
    let name = |field: &Option<Field>| field.as_ref().map(|field| field.name.clone());
    let mut arms = union.arms.iter().filter(|of| name(&of.field).as_deref() == arm);
    let found = arms.next()?;
    found.labels.first().copied().or_else(|| {
        let taken = |n: &i64| union.arms.iter().any(|arm| arm.labels.contains(n));
        (0..i64::MAX).find(|n| !taken(n))
    })
}

/// Number of elements of an array.
fn length(value: &Value) -> i64 {
    value.elements().and_then(|(len, _)| i64::try_from(len).ok()).unwrap_or_default()
}
