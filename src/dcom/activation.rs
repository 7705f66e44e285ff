//! Activation properties: what a client asks of an activation, and what it is told (\[MS-DCOM\]
//! 2.2.22).
//!
//! ```text
//!  dwSize dwReserved │ CustomHeader: classes and sizes │ property │ property │ …
//!                    └ each with the header of type serialization version 1, [MS-RPCE] 2.2.6
//! ```

use std::sync::Arc;

use super::members::Members;
use super::{Opener, Read, cut, limited};
use crate::bytes::{Guid, Order, Reader, Span, Stop, View, index};
use crate::idl::{Format, Syntax, Types};
use crate::ndr::{self, Context, Counts, Data, List, Note, Record, Value};
use crate::protocol::dcom::PROPERTIES;

/// Octets of the two headers of a serialized type.
const HEADERS: u32 = 16;
/// Octets of the first of them, as it says itself.
const COMMON_HEADER: u16 = 8;
/// Where the second says how long the type is.
const OBJECT_BUFFER_LENGTH: Span = Span { start: 8, end: 12 };

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
    let (mut header, stop) = opener.within(from, |opener| serialized(rest, "CustomHeader", opener));
    header.shift(from);
    let size = header.field("headerSize").and_then(Value::as_u32).unwrap_or_default();
    let (classes, sizes) = (list(&header, "pclsid"), list(&header, "pSizes"));
    m.put("header", header);
    if let Some(stop) = stop {
        return Err(Stop { at: stop.at.saturating_add(from), ..stop });
    }
    let at = from.saturating_add(size);
    if at > m.r.end() {
        let what = format!("headerSize {size} of {} bytes", rest.len());
        return Err(Stop::malformed(from, what));
    }
    m.r.seek(at, "headerSize")?;
    let mut properties = Vec::new();
    let mut failed = None;
    for (class, size) in classes.into_iter().zip(sizes) {
        let at = m.r.pos();
        let (octets, short) = match m.r.take(size.as_u32().unwrap_or_default()) {
            Ok(octets) => (octets, None),
            Err(stop) => (m.r.take(m.r.left())?, Some(stop)),
        };
        let clsid = class.as_guid().unwrap_or_default();
        let (mut value, stop) = opener.within(at, |opener| property(clsid, octets, opener));
        value.shift(at);
        if let Data::Record(record) = &mut value.data {
            // The header has told it.
            record.fields.insert(0, ("clsid".into(), class));
        }
        properties.push(value);
        if let Some(stop) = stop {
            failed.get_or_insert(Stop { at: stop.at.saturating_add(at), ..stop });
        }
        if let Some(stop) = short {
            failed.get_or_insert(stop);
            break;
        }
    }
    let span = Span::new(at, m.r.pos());
    let list = List { items: properties, counts: Counts::default() };
    m.put("properties", Value { data: Data::List(Box::new(list)), span });
    failed.map_or(Ok(()), Err)
}

/// The elements of an array that a header points to.
fn list(header: &Value, name: &str) -> Vec<Value> {
    match header.field(name).map(|value| &value.target().data) {
        Some(Data::List(list)) => list.items.clone(),
        _ => Vec::new(),
    }
}

/// One property: its name, and what it says.
fn property(class: Guid, octets: &[u8], opener: &mut Opener<'_>) -> Read<Value> {
    let known = PROPERTIES.iter().find(|(clsid, ..)| *clsid == class);
    let mut none = ();
    let name = known.map_or("property", |(_, name, _)| name);
    let mut members = Members::new(octets, &mut none, name);
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
fn serialized(octets: &[u8], ty: &'static str, opener: &mut Opener<'_>) -> Read<Value> {
    let Header { order, object } = match headers(octets, opener) {
        Ok(header) => header,
        Err(stop) => return (Value::default(), Some(stop)),
    };
    let types: &Types = opener.types;
    let Some(id) = types.named(ty) else { return (Value::default(), None) };
    let context = Context { syntax: Syntax::Ndr, order };
    let inner = octets.get(index(HEADERS)..).unwrap_or_default();
    if index(object) > inner.len() {
        let text = format!("ObjectBufferLength {object} of {} bytes, in {ty}", inner.len());
        opener.note(OBJECT_BUFFER_LENGTH, text);
    }
    let inner = inner.get(..index(object)).unwrap_or(inner);
    let (mut value, stop) = opener.within(HEADERS, |opener| {
        let view = View::new(inner, &[], &[]);
        let mut decoded = ndr::decode_type(types, id, &Arc::from(ty), view, 0, context);
        for Note { span, text } in std::mem::take(&mut decoded.notes) {
            opener.note(span, format!("{text}, in {ty}"));
        }
        let mut value = decoded.params.pop().map(|(_, value)| value).unwrap_or_default();
        let outer = std::mem::replace(&mut opener.cut, cut(&decoded));
        opener.open(&mut value);
        opener.cut = outer;
        (value, decoded.stop)
    });
    value.shift(HEADERS);
    let stop = stop.map(|stop| limited(stop, "the stub", ty));
    (value, stop.map(|stop| Stop { at: stop.at.saturating_add(HEADERS), ..stop }))
}

/// \[MS-RPCE\] 2.2.6.1, 2.2.6.2
struct Header {
    order: Order,
    /// `ObjectBufferLength`
    object: u32,
}

/// Reads the common header and the private header of the type.
fn headers(octets: &[u8], opener: &mut Opener<'_>) -> Result<Header, Stop> {
    let mut none = ();
    let mut r = Reader::new(View::new(octets, &[], &[]), &mut none);
    let [version, endianness] = r.array()?;
    if version != 1 {
        return Err(Stop::malformed(0, format!("type serialization version {version}")));
    }
    let order = match endianness {
        0x10 => Order::Little,
        0x00 => Order::Big,
        other => return Err(Stop::malformed(1, format!("there is no byte order 0x{other:02x}"))),
    };
    r.order = order;
    let at = r.pos();
    let length = r.raw_u16()?;
    if length != COMMON_HEADER {
        let text = format!("CommonHeaderLength is {length}, not {COMMON_HEADER}");
        opener.note(Span::new(at, r.pos()), text);
    }
    let _filler = r.raw_u32()?;
    let object = r.raw_u32()?;
    let _filler = r.raw_u32()?;
    Ok(Header { order, object })
}
