//! The records of objects and of the storage of shadow copies, in the summary.

use serde_json::{Value as Json, json};

use crate::check::{
    AreaReport, ChangeReport, CursorReport, ObjectReport, StorageReport, VolumeReport,
};
use crate::ndr::filetime;
use crate::objects::Holder;
use crate::protocol::Registry;

/// An interface pointer.
pub(super) fn object(of: &ObjectReport, registry: &Registry) -> Json {
    let hex = |number: Option<u64>| number.map(|number| format!("0x{number:016x}"));
    let known = of.iid.and_then(|iid| registry.interface(iid, 0));
    json!({
        "server": of.server.to_string(),
        "ipid": of.ipid.to_string(),
        "iid": of.iid.map(|iid| iid.to_string()),
        "interface": known.map(|interface| &*interface.name),
        "oid": hex(of.oid),
        "oxid": hex(of.oxid),
        "class": of.class.map(|class| class.to_string()),
        "origin": of.origin,
        "call": of.call,
        "since": of.since.to_string(),
        "state": of.state,
        "released": of.released,
        "calls": of.calls,
        "pinged": of.pinged.map(|time| time.to_string()),
        "holders": of.holders.iter().map(holder).collect::<Vec<_>>(),
        "cursor": of.cursor.and_then(cursor),
    })
}

/// Where an enumerator stands that was seen to be made.
fn cursor(of: CursorReport) -> Option<Json> {
    let lists = of.lists?;
    let elements = of.len.map(|(len, _)| len);
    Some(json!({ "lists": lists, "place": of.place, "elements": elements }))
}

fn holder(of: &Holder) -> Json {
    json!({
        "client": of.client.to_string(),
        "public_refs": of.public,
        "private_refs": of.private,
        "sure": of.sure,
        "got": of.got,
        "released": of.released.map(|(call, _)| call),
    })
}

/// What is known of the storage of one server.
pub(super) fn storage(of: &StorageReport) -> Json {
    json!({
        "server": of.server.to_string(),
        "volumes": of.volumes.iter().map(volume).collect::<Vec<_>>(),
        "diff_areas": of.areas.iter().map(area).collect::<Vec<_>>(),
        "changes": of.changes.iter().map(change).collect::<Vec<_>>(),
    })
}

fn volume(of: &VolumeReport) -> Json {
    json!({
        "volume": of.name,
        "supported": of.shadowed,
        "free": of.free,
        "total": of.total,
        "shadow_copies": of.copies,
        "latest": of.latest.and_then(filetime),
    })
}

fn area(of: &AreaReport) -> Json {
    json!({
        "volume": of.volume,
        "storage": of.storage,
        "there": of.there,
        "maximum": of.max,
        "allocated": of.allocated,
        "used": of.used,
        "time": of.time.to_string(),
    })
}

fn change(of: &ChangeReport) -> Json {
    json!({
        "call": of.call,
        "time": of.time.to_string(),
        "client": of.client.to_string(),
        "user": of.user,
        "what": if of.is_new { "add" } else { "change" },
        "volume": of.volume,
        "storage": of.storage,
        "maximum": of.maximum,
        "status": of.status.map(|status| format!("0x{status:08x}")),
    })
}
