//! Activation properties: what a client asks of an activation, and what it is told (\[MS-DCOM\]
//! 2.2.22).
//!
//! ```text
//!  dwSize dwReserved │ CustomHeader: classes and sizes │ property │ property │ …
//!                    └ each with the header of type serialization version 1, [MS-RPCE] 2.2.6
//! ```

use std::sync::Arc;

use super::members::Members;
use super::{Opener, Read};
use crate::bytes::{Guid, Order, Reader, Span, Stop, View, clamp, index};
use crate::idl::{Format, Syntax, Types};
use crate::ndr::{self, Context, Counts, Data, List, Note, Record, Value};
use crate::protocol::dcom::PROPERTIES;

/// Octets of the two headers of a serialized type.
const HEADERS: u32 = 16;

/// Reads `pObjectData` of activation properties.
pub(super) fn read(octets: &[u8], opener: &mut Opener<'_>) -> Read<Record> {
    let mut none = ();
    let mut members = Members::new(octets, &mut none, "ActivationProperties");
    let stop = fill(&mut members, opener).err();
    (members.record, stop)
}

fn fill(m: &mut Members<'_, '_>, opener: &mut Opener<'_>) -> Result<(), Stop> {
    m.u32("dwSize", &Format::Decimal)?;
    m.u32("dwReserved", &Format::Decimal)?;
    let octets = m.r.view().bytes();
    let from = m.r.pos();
    let rest = octets.get(index(from)..).unwrap_or_default();
    let (mut header, stop) = serialized(rest, "CustomHeader", opener);
    header.shift(from);
    let number = |name| header.field(name).and_then(Value::as_u32);
    let size = number("headerSize");
    let classes = list(&header, "pclsid", Value::as_guid);
    let sizes = list(&header, "pSizes", Value::as_u32);
    m.put("header", header);
    if let Some(stop) = stop {
        return Err(Stop { at: stop.at.saturating_add(from), ..stop });
    }
    let at = from.saturating_add(size.unwrap_or_default());
    m.r.seek(at, "headerSize")?;
    let mut properties = Vec::new();
    let mut failed = None;
    for (class, size) in classes.into_iter().zip(sizes) {
        let at = m.r.pos();
        let octets = match m.r.take(size) {
            Ok(octets) => octets,
            Err(stop) => {
                failed = Some(stop);
                break;
            }
        };
        let (mut value, stop) = property(class, octets, opener);
        value.shift(at);
        properties.push(value);
        if let Some(stop) = stop {
            failed = Some(Stop { at: stop.at.saturating_add(at), ..stop });
        }
    }
    let span = Span::new(at, m.r.pos());
    let list = List { items: properties, counts: Counts::default() };
    m.put("properties", Value { data: Data::List(Box::new(list)), span });
    failed.map_or(Ok(()), Err)
}

/// The elements of an array that a header points to.
fn list<T>(header: &Value, name: &str, of: fn(&Value) -> Option<T>) -> Vec<T> {
    match header.field(name).map(|value| &value.target().data) {
        Some(Data::List(list)) => list.items.iter().filter_map(of).collect(),
        _ => Vec::new(),
    }
}

/// One property: its class, its name, and what it says.
fn property(class: Guid, octets: &[u8], opener: &mut Opener<'_>) -> Read<Value> {
    let known = PROPERTIES.iter().find(|(clsid, ..)| *clsid == class);
    let mut none = ();
    let name = known.map_or("property", |(_, name, _)| name);
    let mut members = Members::new(octets, &mut none, name);
    let guid = Value { data: Data::Guid(class), span: Span::default() };
    members.put("clsid", guid);
    let Some((_, name, ty)) = known else {
        let stop = members.rest("data").err();
        return (members.value(), stop);
    };
    let (value, stop) = serialized(octets, ty, opener);
    members.put(name, value);
    let _ = members.r.seek(members.r.end(), "the end");
    (members.value(), stop)
}

/// A value with the headers of type serialization version 1 (\[MS-RPCE\] 2.2.6); it is NDR whatever
/// the stub is.
fn serialized(octets: &[u8], ty: &str, opener: &mut Opener<'_>) -> Read<Value> {
    let order = match headers(octets) {
        Ok(order) => order,
        Err(stop) => return (Value::default(), Some(stop)),
    };
    let types: &Types = opener.types;
    let Some(id) = types.named(ty) else { return (Value::default(), None) };
    let context = Context { syntax: Syntax::Ndr, order };
    let inner = octets.get(index(HEADERS)..).unwrap_or_default();
    let view = View::new(inner, &[], &[]);
    let mut decoded = ndr::decode_type(types, id, &Arc::from(ty), view, 0, context);
    for Note { span, text } in std::mem::take(&mut decoded.notes) {
        opener.note(span, format!("{text}, in {ty}"));
    }
    let mut value = decoded.params.pop().map(|(_, value)| value).unwrap_or_default();
    opener.open(&mut value);
    value.shift(HEADERS);
    let stop = decoded.stop.map(|stop| Stop { at: stop.at.saturating_add(HEADERS), ..stop });
    (value, stop)
}

/// The byte order that the common header tells.
fn headers(octets: &[u8]) -> Result<Order, Stop> {
    let mut none = ();
    let mut r = Reader::new(View::new(octets, &[], &[]), &mut none);
    let [version, endianness] = r.array()?;
    let _length = r.raw_u16()?;
    r.take(HEADERS.saturating_sub(clamp(4_usize)))?;
    if version != 1 {
        return Err(Stop::malformed(0, format!("type serialization version {version}")));
    }
    match endianness {
        0x10 => Ok(Order::Little),
        0x00 => Ok(Order::Big),
        other => Err(Stop::malformed(1, format!("there is no byte order 0x{other:02x}"))),
    }
}
