//! The Distributed Component Object Model on the wire: what an object call carries beside its
//! parameters, and what is in the octets of a reference to an object.
//!
//! Takes what [`ndr`] has read and opens what that keeps as octets, because it is not
//! NDR: values become more values, which know their bytes like all others. It knows nothing of
//! calls or of which objects there are.
//!
//! ```text
//!  stub ─► ORPCTHIS │ parameters                                     this(), that()
//!                        └─► MInterfacePointer ─► OBJREF             open()
//!                                 standard, handler, extended: STDOBJREF, DUALSTRINGARRAY
//!                                 custom: activation properties, each of them NDR again;
//!                                         the text of an error
//! ```
//!
//! [`write`](mod@write) goes the other way.
//!
//! An `OBJREF` is little-endian whatever the byte order of the stub is (\[MS-DCOM\] 2.2.18).

mod activation;
mod bindings;
mod error;
mod members;
mod objref;
pub mod write;

use std::sync::Arc;

use crate::bytes::{Span, Stop, View, Why, clamp, index};
use crate::idl::Types;
use crate::ndr::{self, Context, Data, Decoded, Direction, InterfacePointer, Note, Value};
use crate::protocol::dcom::CLSID_ERROR_EXTENSION;

/// References within references: the properties of an activation hold some, and have parts that may.
const DEPTH: u32 = 6;

/// Reads what comes before the parameters of an object call: `ORPCTHIS` of a request, `ORPCTHAT` of
/// a response (\[MS-DCOM\] 2.2.13.3, 2.2.13.4). `types` are those of \[MS-DCOM\].
pub fn orpc(types: &Types, direction: Direction, stub: View<'_>, context: Context) -> Decoded {
    let name = match direction {
        Direction::In => "ORPCTHIS",
        Direction::Out => "ORPCTHAT",
    };
    let Some(id) = types.named(name) else { return Decoded::default() };
    let mut decoded = ndr::decode_type(types, id, &Arc::from(name), stub, 0, context);
    open(&mut decoded, types);
    decoded
}

/// Opens every reference to an object in what was read, and every array of bindings.
pub fn open(decoded: &mut Decoded, types: &Types) {
    let mut opener = Opener { types, depth: 0, base: 0, cut: cut(decoded), notes: Vec::new() };
    for (_, value) in &mut decoded.params {
        opener.open(value);
    }
    decoded.notes.append(&mut opener.notes);
}

/// Where reading ended, if it ended early.
fn cut(decoded: &Decoded) -> Option<u32> {
    decoded.stop.as_ref().map(|_| decoded.used)
}

/// Goes through values and opens what it finds.
struct Opener<'t> {
    types: &'t Types,
    depth: u32,
    /// Where the octets that are read now begin in the stub.
    base: u32,
    /// Where the octets that are read now end too early, if they do: that has been told.
    cut: Option<u32>,
    notes: Vec<Note>,
}

impl Opener<'_> {
    fn open(&mut self, value: &mut Value) {
        match &mut value.data {
            Data::Pointer(pointer) => self.open(&mut pointer.to),
            Data::Interface(pointer) => self.interface(pointer),
            Data::List(list) => list.items.iter_mut().for_each(|item| self.open(item)),
            Data::Union(union) => {
                if let Some((_, value)) = &mut union.arm {
                    self.open(value);
                }
            }
            Data::Record(record) => {
                let of = record.name.clone();
                for (name, value) in &mut record.fields {
                    match (&*of, &**name) {
                        ("DUALSTRINGARRAY", "aStringArray") => {}
                        _ => self.open(value),
                    }
                }
                match &*of {
                    "DUALSTRINGARRAY" => self.bindings(record),
                    "ORPC_EXTENT" => self.extent(record),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Reads the octets of an interface pointer.
    fn interface(&mut self, pointer: &mut InterfacePointer) {
        let Some(octets) = pointer.objref.as_deref() else { return };
        if self.depth == DEPTH {
            self.note(pointer.at, format!("references nested deeper than {DEPTH} are not opened"));
            return;
        }
        let at = pointer.at.start;
        self.depth += 1;
        let (mut value, stop) = self.within(at, |opener| objref::read(octets, opener));
        self.depth -= 1;
        value.shift(at);
        if let Some(stop) = stop {
            if self.cut != Some(pointer.at.end) {
                let place = Span::new(at.saturating_add(stop.at), pointer.at.end);
                self.note(place, format!("the OBJREF is not whole: {stop}"));
            }
            pointer.stop = Some(stop);
        }
        pointer.object = Some(Box::new(value));
    }

    /// An array of bindings that is NDR by itself.
    fn bindings(&mut self, record: &mut ndr::Record) {
        let security = record.field("wSecurityOffset").and_then(Value::as_u32).unwrap_or_default();
        let found = record.fields.iter_mut().find(|(name, _)| &**name == "aStringArray");
        let Some((_, array)) = found else { return };
        let Data::List(list) = &array.data else { return };
        let units: Vec<u16> =
            list.items.iter().filter_map(|item| u16::try_from(item.as_u32()?).ok()).collect();
        let start = list.items.first().map_or(array.span.start, |item| item.span.start);
        let declared = list.counts.max.map_or(clamp(units.len()).into(), |(count, _)| count);
        let (read, stop) = bindings::read(&units, declared, security, start);
        if let Some(stop) = stop {
            self.note(array.span, format!("the bindings are not whole: {stop}"));
        }
        array.data = Data::Record(Box::new(read));
    }

    /// An extension whose data is known: the text of an error.
    fn extent(&mut self, record: &mut ndr::Record) {
        if record.field("id").and_then(Value::as_guid) != Some(CLSID_ERROR_EXTENSION) {
            return;
        }
        let size = record.field("size").and_then(Value::as_u32).unwrap_or_default();
        let found = record.fields.iter_mut().find(|(name, _)| &**name == "data");
        let Some((_, data)) = found else { return };
        let Data::Bytes(octets) = &data.data else { return };
        // What follows fills it up to a multiple of eight.
        let octets = octets.bytes.get(..index(size)).unwrap_or(&octets.bytes);
        let at = data.span.start;
        let (mut value, stop) = self.within(at, |opener| objref::read(octets, opener));
        value.shift(at);
        if let Some(stop) = stop {
            let place = Span::new(at.saturating_add(stop.at), data.span.end);
            self.note(place, format!("the OBJREF is not whole: {stop}"));
        }
        *data = value;
    }

    /// Reads octets that begin at `at` of those that are read now.
    fn within<T>(&mut self, at: u32, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.base;
        self.base = outer.saturating_add(at);
        let result = read(self);
        self.base = outer;
        result
    }

    /// Says something of bytes of what is read now.
    fn note(&mut self, mut span: Span, text: String) {
        span.shift(self.base);
        self.notes.push(Note { span, text });
    }
}

/// What was read, and where and why that ended early.
type Read<T> = (T, Option<Stop>);

/// With the limit called what it is here.
fn limited(mut stop: Stop, called: &str, name: &'static str) -> Stop {
    if let Why::Short { limit, .. } = &mut stop.why
        && *limit == called
    {
        *limit = name;
    }
    stop
}

#[cfg(test)]
mod tests;
