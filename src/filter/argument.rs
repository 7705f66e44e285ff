//! Parameters of interfaces, members and arms at any depth: which there are, by the type table, and
//! their values in a call.
//!
//! A name is a chain of names: `ShadowCopyId` is every parameter and member of that name,
//! `ShareMapping1.ShadowCopyId` those in what is called, or is of the type, `ShareMapping1`.
//! Pointers and arrays are looked through.

use std::sync::Arc;

use super::Subject;
use super::item::{Item, Kind};
use super::places::{What, each_place, under};
use crate::bytes::Guid;
use crate::call::{Call, Readable};
use crate::idl::{self, Format, Names, NamesKind, Operation};
use crate::ndr::{Data, Direction, Number, Value, filetime};
use crate::protocol::Interface;

/// Types within types that are looked into.
pub(super) const MAX_DEPTH: usize = 24;

/// UUID and major version of interfaces.
pub(super) type Interfaces = Vec<(Guid, u16)>;

/// Which calls a name is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// Of these interfaces; of all, if there are none.
    pub(super) interfaces: Option<Interfaces>,
    /// Of this operation.
    pub(super) operation: Option<String>,
}

impl Calls {
    pub(super) fn include(&self, subject: &Subject<'_>) -> bool {
        let call = subject.call;
        let of = |interfaces: &Interfaces| {
            let syntax = call.rpc.interface;
            syntax.is_some_and(|syntax| interfaces.contains(&(syntax.uuid, syntax.major)))
        };
        let named = |name: &String| call.method().is_some_and(|m| same(m, name));
        self.interfaces.as_ref().is_none_or(of) && self.operation.as_ref().is_none_or(named)
    }

    /// Whether a call may be one of them: its interface and its operation are not always known.
    pub(super) fn may_include(&self, subject: &Subject<'_>) -> bool {
        let rpc = &subject.call.rpc;
        let unknown = rpc.interface.is_none()
            && (self.interfaces.is_some() || self.operation.is_some())
            || rpc.opnum.is_none() && self.operation.is_some();
        unknown || self.include(subject)
    }

    /// The operations among these interfaces.
    pub(super) fn operations<'i>(
        &self,
        interfaces: &[&'i Interface],
    ) -> Vec<(&'i Interface, &'i Operation)> {
        let named = |op: &&Operation| self.operation.as_ref().is_none_or(|n| same(&op.name, n));
        let of = |interface: &'i Interface| {
            interface.operations.iter().filter(named).map(move |op| (interface, op))
        };
        interfaces.iter().copied().flat_map(of).collect()
    }
}

/// Which side of a number with names is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Facet {
    Value,
    Name,
    Flags,
}

impl Facet {
    pub(super) fn of(word: &str) -> Option<Self> {
        [("value", Self::Value), ("name", Self::Name), ("flags", Self::Flags)]
            .into_iter()
            .find_map(|(name, facet)| name.eq_ignore_ascii_case(word).then_some(facet))
    }
}

/// A parameter, or something in one.
#[derive(Clone, Debug)]
pub(super) struct Argument {
    pub(super) calls: Calls,
    pub(super) direction: Option<Direction>,
    /// Names from the outermost to its own.
    pub(super) path: Vec<String>,
    pub(super) facet: Facet,
}

/// What the type table says of an argument.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub(super) kinds: Vec<Kind>,
    /// Names its numbers have.
    pub(super) names: Vec<Arc<Names>>,
    /// Whether one of its numbers is true or false.
    pub(super) truth: bool,
}

/// Whether two names are the same: in whatever case, and a tag's underscore is none of it.
pub(super) fn same(a: &str, b: &str) -> bool {
    a.trim_start_matches('_').eq_ignore_ascii_case(b.trim_start_matches('_'))
}

/// A step on the way to a value: its name, and the type it is a member of.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    pub(super) field: &'a str,
    pub(super) of: &'a str,
}

/// Whether a way ends as `path` says.
fn ends(way: &[Step<'_>], path: &[String]) -> bool {
    let (Some((last, outer)), Some((name, before))) = (way.split_last(), path.split_last()) else {
        return false;
    };
    if !last.field.eq_ignore_ascii_case(name) {
        return false;
    }
    match before.split_last() {
        None => true,
        Some((container, rest)) if same(last.of, container) && !last.of.is_empty() => {
            rest.is_empty() || ends(outer, rest)
        }
        Some(_) => ends(outer, before),
    }
}

impl Argument {
    /// What it is in these interfaces; none if there is nothing of its name.
    pub(super) fn declared(&self, interfaces: &[&Interface]) -> Option<Declared> {
        let mut found = Declared::default();
        self.calls.operations(interfaces).into_iter().for_each(|(interface, operation)| {
            each_place(interface, operation, self.direction, &mut |way, what| {
                if ends(way, &self.path) {
                    found.see(what, self.facet);
                }
            });
        });
        found.kinds.sort_unstable();
        found.kinds.dedup();
        (!found.kinds.is_empty()).then_some(found)
    }

    /// Its values in a call.
    pub(super) fn read<'a>(&self, subject: &Subject<'a>, give: &mut dyn FnMut(Item<'a>)) {
        if !self.calls.include(subject) {
            return;
        }
        let call = subject.call;
        for (direction, stub) in [(Direction::In, &call.request), (Direction::Out, &call.response)]
        {
            if self.direction.is_some_and(|only| only != direction) {
                continue;
            }
            for (name, value) in stub.decoded.iter().flat_map(|decoded| &decoded.params) {
                let mut way = vec![Step { field: name, of: "" }];
                self.walk(value, &mut way, give);
            }
        }
    }

    /// Whether it may have values in a call that cannot be read; `found` says whether it has one
    /// that can.
    pub(super) fn is_hidden(&self, subject: &Subject<'_>, found: bool) -> bool {
        let call = subject.call;
        if call.rpc.interface.is_none() {
            return true;
        }
        let [asked, answered] = [hides_request(call), hides_response(call)];
        self.calls.may_include(subject)
            && match self.direction {
                Some(Direction::In) => asked,
                Some(Direction::Out) => answered,
                // It is one of the request or of the response; where it was found it is.
                None => !found && (asked || answered),
            }
    }

    /// Gives what is in `value` and has the name; `way` leads to it.
    fn walk<'a>(&self, value: &'a Value, way: &mut Vec<Step<'a>>, give: &mut dyn FnMut(Item<'a>)) {
        if way.len() > MAX_DEPTH {
            return;
        }
        if ends(way, &self.path) {
            items(value, self.facet, give);
        }
        self.members(value, way, give);
    }

    fn members<'a>(
        &self,
        value: &'a Value,
        way: &mut Vec<Step<'a>>,
        give: &mut dyn FnMut(Item<'a>),
    ) {
        let (of, fields) = match &value.target().data {
            Data::Record(record) => (&record.name, record.fields.as_slice()),
            Data::Union(union) => (&union.name, union.arm.as_slice()),
            Data::Interface(pointer) => match pointer.object.as_deref().map(|of| &of.data) {
                Some(Data::Record(record)) => (&record.name, record.fields.as_slice()),
                _ => return,
            },
            Data::List(list) => {
                return list.items.iter().for_each(|item| self.members(item, way, give));
            }
            _ => return,
        };
        for (field, value) in fields {
            way.push(Step { field, of });
            self.walk(value, way, give);
            way.pop();
        }
    }
}

/// Whether there is something in the request of a call that cannot be read.
pub(super) fn hides_request(call: &Call) -> bool {
    call.rpc.request.is_none() || is_unread(call.request.readable)
}

/// Whether there is, or may be, something in the answer to a call that cannot be read.
pub(super) fn hides_response(call: &Call) -> bool {
    call.rpc.response.is_none() || call.fault().is_none() && is_unread(call.response.readable)
}

fn is_unread(readable: Readable) -> bool {
    matches!(readable, Readable::Sealed | Readable::Truncated | Readable::Lost)
}

/// A value, or each of an array's. What was not read, and a null pointer, are none.
fn items<'a>(value: &'a Value, facet: Facet, give: &mut dyn FnMut(Item<'a>)) {
    let value = value.target();
    let item = match &value.data {
        Data::Unread | Data::Null | Data::Same(_) | Data::Pointer(_) => return,
        Data::List(list) => {
            return list.items.iter().for_each(|item| items(item, facet, give));
        }
        Data::Number(number) => return of_number(number, facet, give),
        Data::Boolean(octet) => Item::Boolean(*octet != 0),
        Data::Guid(guid) => Item::Guid(*guid),
        Data::Text(text) => Item::Text(text.to_string().into()),
        Data::Bytes(bytes) => Item::Bytes(&bytes.bytes),
        Data::Handle(handle) => Item::Guid(handle.uuid),
        Data::Float(_) | Data::Record(_) | Data::Union(_) | Data::Interface(_) => {
            Item::Whole(value)
        }
    };
    if facet == Facet::Value {
        give(item);
    }
}

fn of_number<'a>(number: &'a Number, facet: Facet, give: &mut dyn FnMut(Item<'a>)) {
    let plain = if number.signed { i128::from(number.signed()) } else { i128::from(number.raw()) };
    let hex = || Item::Hex(number.raw().into(), usize::from(number.width) * 2);
    let names = match &number.format {
        Format::Names(names) => names,
        _ if facet != Facet::Value => return,
        Format::Decimal | Format::Boolean => return give(Item::Number(plain)),
        Format::Hex => return give(hex()),
        Format::FileTime => {
            let known = filetime(number.signed()).is_some();
            return give(if known { Item::FileTime(number.signed()) } else { Item::Number(plain) });
        }
    };
    match facet {
        Facet::Value if names.kind == NamesKind::Status => give(hex()),
        Facet::Value => give(Item::Number(plain)),
        Facet::Name => {
            let name = names.value(number.signed());
            let name = name.or_else(|| names.value(number.raw().cast_signed()));
            if let Some(name) = name {
                give(Item::Text(name.as_ref().into()));
            }
        }
        Facet::Flags => {
            let bits = names.bits.iter().filter(|(bit, _)| *bit != 0 && number.raw() & bit == *bit);
            bits.for_each(|(_, name)| give(Item::Text(name.as_ref().into())));
        }
    }
}

impl Declared {
    /// Takes in a place.
    pub(super) fn see(&mut self, what: What<'_>, facet: Facet) {
        let (types, ty, format) = match what {
            What::Type(types, ty, format) => (types, ty, format),
            What::Opened(kind) => {
                if facet == Facet::Value {
                    self.kinds.push(kind);
                }
                return;
            }
        };
        let leaf = types.get(under(types, ty));
        let kind = match &leaf.kind {
            // What the IDL itself names.
            idl::Kind::Enum { names, .. }
                if matches!(format.unwrap_or(&leaf.format), Format::Decimal) =>
            {
                self.names.push(names.clone());
                match facet {
                    Facet::Value => Kind::Number,
                    Facet::Name => Kind::Text,
                    Facet::Flags => return,
                }
            }
            idl::Kind::Integer { .. }
            | idl::Kind::Enum { .. }
            | idl::Kind::Byte
            | idl::Kind::Char
            | idl::Kind::WideChar => match (format.unwrap_or(&leaf.format), facet) {
                (Format::Names(names), _) => {
                    self.names.push(names.clone());
                    if facet == Facet::Value { Kind::Number } else { Kind::Text }
                }
                (Format::FileTime, Facet::Value) => Kind::Time,
                (Format::Boolean, Facet::Value) => {
                    self.truth = true;
                    Kind::Number
                }
                (_, Facet::Value) => Kind::Number,
                _ => return,
            },
            _ if facet != Facet::Value => return,
            idl::Kind::Boolean => Kind::Boolean,
            idl::Kind::Guid | idl::Kind::ContextHandle => Kind::Guid,
            idl::Kind::Array(array) if array.string => Kind::Text,
            idl::Kind::Array(_) => Kind::Bytes,
            _ => Kind::Presence,
        };
        self.kinds.push(kind);
    }
}
