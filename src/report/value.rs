//! One decoded value as JSON and as a short text.
//!
//! [`json()`], the only place that turns values into JSON, keeps the contract of the `request` and `response` records: names from the IDL, GUIDs
//! lower-case, times RFC 3339 with 100 ns digits, null pointers null, a union one key.
//! The octets of a protocol tower are its floors.

use serde_json::{Map, Value as Json, json};

use crate::idl::{Format, NamesKind};
pub use crate::ndr::text;
use crate::ndr::tower::{Floor, Says, Tower};
use crate::ndr::{Data, Number, Value, filetime, hex, hexadecimal};

/// The value as JSON.
///
/// What was not read (see [`Data::Unread`]) is left out of objects and null elsewhere. An array of
/// `byte` is a string of hexadecimal digits. An interface pointer is what it refers to, or
/// `{"objref": "…"}` where nobody has read its octets.
pub fn json(value: &Value) -> Json {
    match &value.data {
        Data::Unread | Data::Null => Json::Null,
        Data::Same(referent) => json!({ "referent": format!("0x{referent:08x}") }),
        Data::Pointer(pointer) => json(&pointer.to),
        Data::Number(number) => json_number(number),
        Data::Float(number) => json!(number),
        Data::Boolean(octet) => json!(*octet != 0),
        Data::Guid(guid) => Json::String(guid.to_string()),
        Data::Text(text) => Json::String(text.to_string()),
        Data::Bytes(bytes) => Json::String(hex(&bytes.bytes)),
        Data::Record(record) => match Tower::of(record) {
            Some((tower, _)) => with_floors(fields(&record.fields), &tower),
            None => fields(&record.fields),
        },
        Data::List(list) => list.items.iter().map(json).collect(),
        Data::Union(union) => match &union.arm {
            Some(arm) => fields(std::slice::from_ref(arm)),
            None => json!({}),
        },
        Data::Interface(pointer) => match &pointer.object {
            Some(object) => json(object),
            None => json!({ "objref": pointer.objref.as_deref().map(hex) }),
        },
        Data::Handle(handle) => {
            json!({ "attributes": handle.attributes, "uuid": handle.uuid.to_string() })
        }
    }
}

/// Named values as a JSON object: the parameters of a stub, the members of a structure.
pub fn fields<N: AsRef<str>>(fields: &[(N, Value)]) -> Json {
    let mut object = Map::new();
    for (name, value) in fields {
        if !unread(value) {
            object.insert(name.as_ref().to_owned(), json(value));
        }
    }
    Json::Object(object)
}

/// A `twr_t`, whose octets are floors where all of them could be read.
fn with_floors(mut record: Json, tower: &Tower) -> Json {
    if tower.stop.is_none()
        && let Some(octets) = record.get_mut(Tower::OCTETS)
    {
        *octets = json!({ "floors": tower.floors.iter().map(floor).collect::<Vec<_>>() });
    }
    record
}

fn floor(floor: &Floor) -> Json {
    let protocol = json!({ "value": floor.protocol, "name": floor.protocol_name() });
    match &floor.says {
        Says::Syntax { uuid, major, minor } => json!({
            "protocol": protocol,
            "uuid": uuid.to_string(),
            "version": format!("{major}.{minor}"),
        }),
        Says::Minor(minor) => json!({ "protocol": protocol, "minor_version": minor }),
        Says::Port(port) => json!({ "protocol": protocol, "port": port }),
        Says::Address(address) => {
            json!({ "protocol": protocol, "address": address.to_string() })
        }
        Says::Name(name) => json!({ "protocol": protocol, "name": name }),
        Says::Octets(left, right) => {
            json!({ "protocol": protocol, "octets": [hex(left), hex(right)] })
        }
    }
}

fn unread(value: &Value) -> bool {
    value.target().data == Data::Unread
}

fn json_number(number: &Number) -> Json {
    match &number.format {
        Format::Decimal | Format::Boolean => plain(number),
        Format::Hex => Json::String(hexadecimal(number)),
        Format::FileTime => match filetime(number.signed()) {
            Some(time) => Json::String(time),
            None => plain(number),
        },
        Format::Names(names) => {
            let name = names.value(number.signed()).map(|name| &**name);
            match names.kind {
                NamesKind::Enumeration => json!({ "value": plain(number), "name": name }),
                NamesKind::Status => {
                    let name = name.or_else(|| Some(&**names.value(number.raw().cast_signed())?));
                    json!({ "value": hexadecimal(number), "name": name })
                }
                NamesKind::Flags => {
                    let (flags, rest) = names.flags(number.raw());
                    let mut flags: Vec<String> = flags.iter().map(ToString::to_string).collect();
                    if rest != 0 {
                        flags.push(format!("0x{rest:x}"));
                    }
                    json!({ "value": plain(number), "flags": flags, "name": name })
                }
            }
        }
    }
}

fn plain(number: &Number) -> Json {
    if number.signed { json!(number.signed()) } else { json!(number.bits) }
}
