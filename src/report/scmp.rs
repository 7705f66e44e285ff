//! Calls of \[MS-SCMP\] on one line, in the words of its users: volumes, shadow copies, diff areas.

use super::brief::{self, push, short};
use super::dcom::reference;
use super::size::{out_of, size};
use super::value::text;
use crate::bytes::Guid;
use crate::call::Call;
use crate::ndr::filetime;
use crate::protocol::Registry;
use crate::protocol::scmp::{
    self, DiffAreaProp, DiffVolumeProp, MgmtObject, MgmtObjectProp, Object, ObjectProp, Pwsz,
    Request, Response, SnapshotProp, VssId,
};

/// `VSS_ASSOC_NO_MAX_SPACE` of the Windows SDK (vsmgmt.h).
const NO_LIMIT: i64 = -1;

/// The request in the types of \[MS-SCMP\]; none if it is none, or does not fit them.
fn request(call: &Call) -> Option<Request> {
    let (known, opnum) = (call.interface.as_deref()?, call.rpc.opnum?);
    Request::of(known.uuid, opnum, call.request.decoded.as_ref()?)?.ok()
}

fn response(call: &Call) -> Option<Response> {
    let (known, opnum) = (call.interface.as_deref()?, call.rpc.opnum?);
    Response::of(known.uuid, opnum, call.response.decoded.as_ref()?)?.ok()
}

/// What was asked; `None` if it is no such call.
pub(super) fn asked(call: &Call, registry: &Registry) -> Option<String> {
    let request = request(call)?;
    let mut said = match &request {
        Request::GetProviderMgmtInterface(ask) => {
            ask.interface_id.map(|iid| named(iid.0, registry)).unwrap_or_default()
        }
        Request::QueryVolumesSupportedForSnapshots(_) => {
            let context = call.request.decoded.as_ref().and_then(|of| of.param("lContext"));
            context.map(text).unwrap_or_default()
        }
        Request::QuerySnapshotsByVolume(ask) => argument(ask.volume_name.as_ref()),
        Request::AddDiffArea(ask) => {
            let maximum = ask.maximum_diff_space;
            area(ask.volume_name.as_ref(), ask.diff_area_volume_name.as_ref(), maximum)
        }
        Request::ChangeDiffAreaMaximumSize(ask) => {
            let maximum = ask.maximum_diff_space;
            area(ask.volume_name.as_ref(), ask.diff_area_volume_name.as_ref(), maximum)
        }
        Request::QueryVolumesSupportedForDiffAreas(ask) => {
            argument(ask.original_volume_name.as_ref())
        }
        Request::QueryDiffAreasForVolume(ask) => argument(ask.volume_name.as_ref()),
        Request::QueryDiffAreasOnVolume(ask) => argument(ask.volume_name.as_ref()),
        Request::EnumObjectClone(ask) => {
            ask.enumerator.iter().flatten().map(|object| reference(object, registry)).collect()
        }
        Request::EnumMgmtObjectClone(ask) => {
            ask.enumerator.iter().flatten().map(|object| reference(object, registry)).collect()
        }
        Request::EnumObjectNext(_)
        | Request::EnumObjectSkip(_)
        | Request::EnumMgmtObjectNext(_)
        | Request::EnumMgmtObjectSkip(_) => {
            request.celt().map(|celt| format!("celt={celt}")).unwrap_or_default()
        }
        Request::Opnum08NotUsedOnWire(_)
        | Request::EnumObjectReset(_)
        | Request::EnumMgmtObjectReset(_) => String::new(),
    };
    if let Some(VssId(provider)) = request.provider().filter(|id| id.0 != scmp::PROVIDER) {
        push(&mut said, &format!("of provider {}", short(provider)));
    }
    Some(said)
}

/// What was answered; `None` if it is no such call.
pub(super) fn answered(call: &Call, registry: &Registry) -> Option<String> {
    let response = response(call)?;
    let mut said = match &response {
        Response::EnumObjectNext(answer) => {
            answer.rgelt.as_deref().map(objects).unwrap_or_default()
        }
        Response::EnumMgmtObjectNext(answer) => {
            answer.rgelt.as_deref().map(mgmt_objects).unwrap_or_default()
        }
        other => match other.pointer() {
            Some(Some(object)) => reference(object, registry),
            Some(None) => "NULL".to_owned(),
            None => String::new(),
        },
    };
    // S_FALSE is success of another kind.
    if let Some(status) = response.status().filter(|status| status.0 != 0) {
        if !said.is_empty() {
            said.push_str(", ");
        }
        said.push_str(&brief::named(call.interface.as_deref(), registry, status.0));
    }
    Some(said)
}

fn named(guid: Guid, registry: &Registry) -> String {
    registry.name_of(guid).map_or_else(|| short(guid), str::to_owned)
}

/// A volume by its name, whose GUID is shortened: `\\?\Volume{11111111…}\`.
fn volume(name: &str) -> String {
    const BEFORE: &str = r"\\?\Volume{";
    let shortened = || {
        let (guid, rest) = name.strip_prefix(BEFORE)?.split_once('}')?;
        Some(format!("{BEFORE}{}}}{rest}", short(Guid::try_parse(guid).ok()?)))
    };
    shortened().unwrap_or_else(|| name.to_owned())
}

/// A text that may be a null pointer, or missing.
fn argument(name: Option<&Pwsz>) -> String {
    match name {
        Some(Some(name)) => volume(name),
        Some(None) => "NULL".to_owned(),
        None => String::new(),
    }
}

/// The association of two volumes, and the most it may take.
fn area(volume: Option<&Pwsz>, on: Option<&Pwsz>, maximum: Option<i64>) -> String {
    let mut said = argument(volume);
    if on.is_some() {
        push(&mut said, &format!("on {}", argument(on)));
    }
    match maximum {
        Some(NO_LIMIT) => push(&mut said, "without a limit"),
        Some(maximum) => push(&mut said, &format!("at most {}", size(maximum))),
        None => {}
    }
    said
}

/// The elements of an answer: what one is, or how many there are of each type.
fn objects(elements: &[ObjectProp]) -> String {
    let ty = |element: &ObjectProp| match element.arm() {
        Some(Object::Snap(_)) => "VSS_SNAPSHOT_PROP",
        Some(Object::Prov(_)) => "VSS_PROVIDER_PROP",
        Some(Object::Default) | None => "VSS_OBJECT_PROP without content",
    };
    let [only] = elements else { return counted(elements, ty) };
    let said = match only.arm() {
        Some(Object::Snap(copy)) => snapshot(copy),
        Some(Object::Prov(provider)) => {
            format!("provider {}", argument(provider.provider_name.as_ref()))
        }
        _ => format!("1 × {}", ty(only)),
    };
    said + &torn(only.ty.map(|ty| ty.0), only.discriminant().map(|tag| tag.0))
}

fn mgmt_objects(elements: &[MgmtObjectProp]) -> String {
    let ty = |element: &MgmtObjectProp| match element.arm() {
        Some(MgmtObject::Vol(_)) => "VSS_VOLUME_PROP",
        Some(MgmtObject::DiffVol(_)) => "VSS_DIFF_VOLUME_PROP",
        Some(MgmtObject::DiffArea(_)) => "VSS_DIFF_AREA_PROP",
        Some(MgmtObject::Default) | None => "VSS_MGMT_OBJECT_PROP without content",
    };
    let [only] = elements else { return counted(elements, ty) };
    let said = match only.arm() {
        Some(MgmtObject::Vol(found)) => {
            shown(found.volume_display_name.as_ref(), found.volume_name.as_ref())
        }
        Some(MgmtObject::DiffVol(found)) => diff_volume(found),
        Some(MgmtObject::DiffArea(found)) => diff_area(found),
        _ => format!("1 × {}", ty(only)),
    };
    said + &torn(only.ty.map(|ty| ty.0), only.discriminant().map(|tag| tag.0))
}

/// How many there are of each type, in the order of the first of each.
fn counted<T>(elements: &[T], ty: impl Fn(&T) -> &'static str) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for name in elements.iter().map(ty) {
        match counts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{count} × {name}")).collect();
    if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }
}

/// That an element tells two types of itself.
fn torn(ty: Option<u32>, discriminant: Option<u32>) -> String {
    match (ty, discriminant) {
        (Some(ty), Some(tag)) if ty != tag => format!(" (Type {ty}, discriminant {tag})"),
        _ => String::new(),
    }
}

/// A volume by the name that people know, or else by its own.
fn shown(display: Option<&Pwsz>, name: Option<&Pwsz>) -> String {
    let known = display.iter().find_map(|name| name.as_deref()).filter(|name| !name.is_empty());
    known.map_or_else(|| argument(name), str::to_owned)
}

fn snapshot(copy: &SnapshotProp) -> String {
    let mut said = "copy".to_owned();
    if let Some(VssId(id)) = copy.snapshot_id {
        push(&mut said, &short(id));
    }
    if copy.original_volume_name.is_some() {
        push(&mut said, &format!("of {}", argument(copy.original_volume_name.as_ref())));
    }
    if let Some(time) = copy.creation_timestamp.and_then(|time| filetime(time.0)) {
        // As a rule it is a whole second.
        push(&mut said, &format!("made {}", time.replace(".0000000Z", "Z")));
    }
    said
}

fn diff_volume(found: &DiffVolumeProp) -> String {
    let name = shown(found.volume_display_name.as_ref(), found.volume_name.as_ref());
    match (found.volume_free_space, found.volume_total_space) {
        (Some(free), Some(total)) => format!("{name}: {} free", out_of(free, total)),
        _ => name,
    }
}

fn diff_area(found: &DiffAreaProp) -> String {
    let mut said = argument(found.volume_name.as_ref());
    if found.diff_area_volume_name.is_some() {
        push(&mut said, &format!("stored on {}", argument(found.diff_area_volume_name.as_ref())));
    }
    match (found.used_diff_space, found.maximum_diff_space) {
        (Some(used), Some(NO_LIMIT)) => format!("{said}: {} used, no limit", size(used)),
        (Some(used), Some(maximum)) => format!("{said}: {} used", out_of(used, maximum)),
        _ => said,
    }
}
