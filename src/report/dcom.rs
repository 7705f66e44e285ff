//! Calls of \[MS-DCOM\] on one line: what is activated, which references come and go, what is pinged.

use std::fmt::Write as _;

use super::brief::{self, short};
use crate::bytes::Guid;
use crate::call::Call;
use crate::protocol::Registry;
use crate::protocol::dcom::{
    Activated, Activation, Bindings, ByIpid, HResult, Iid, ObjRef, OrpcThat, Request, Response,
    SetId,
};

/// Elements of an array that are written out.
const SHOWN: usize = 4;

fn request(call: &Call) -> Option<Request> {
    let (known, opnum) = (call.interface.as_deref()?, call.rpc.opnum?);
    Request::of(known.uuid, opnum, call.request.decoded.as_ref()?)
}

/// What was asked; `None` if it is no such call.
pub(super) fn asked(call: &Call, registry: &Registry) -> Option<String> {
    Some(match request(call)? {
        Request::Activation(ask) => activation(&ask, registry),
        Request::CreateInstance(iid) => iid.map(|iid| named(iid.0, registry)).unwrap_or_default(),
        Request::QueryInterface(ask) => {
            let ipid = ask.ipid.map(|ipid| short(ipid.0)).unwrap_or_default();
            format!("{ipid} for {}", interfaces(&ask.iids, registry))
        }
        Request::AddRef(references) => some(&references, |one| count(one, '+')),
        Request::Release(references) => some(&references, |one| count(one, '-')),
        Request::ResolveOxid(oxid) => oxid.map(|oxid| hex(oxid.0)).unwrap_or_default(),
        Request::SimplePing(set) => set.map(set_of).unwrap_or_default(),
        Request::ComplexPing { set, add, remove, .. } => {
            let set = set.map(set_of).unwrap_or_default();
            format!("{set} +{} -{} objects", add.len(), remove.len())
        }
        Request::ServerAlive => String::new(),
    })
}

/// What was answered; `None` if it is no such call.
pub(super) fn answered(call: &Call, registry: &Registry) -> Option<String> {
    let (known, opnum) = (call.interface.as_deref()?, call.rpc.opnum?);
    let code = |code: HResult| brief::named(Some(known), registry, code.0);
    Some(match Response::of(known.uuid, opnum, call.response.decoded.as_ref()?)? {
        Response::Activation(given) => activated(&given, &code, registry),
        Response::CreateInstance(object) => {
            object.map_or_else(|| "NULL".to_owned(), |object| reference(&object, registry))
        }
        Response::QueryInterface(results) => {
            let iids = match request(call) {
                Some(Request::QueryInterface(ask)) => ask.iids,
                _ => Vec::new(),
            };
            let results: Vec<_> = results.iter().enumerate().collect();
            some(&results, |(n, (result, object))| {
                one_result(iids.get(*n).copied(), *result, object.as_ref(), &code, registry)
            })
        }
        Response::AddRef(codes) => {
            let failed: Vec<_> = codes.into_iter().filter(|code| code.is_failure()).collect();
            some(&failed, |failed| code(*failed))
        }
        Response::ResolveOxid(found) => found.bindings.as_ref().map(addresses).unwrap_or_default(),
        Response::ComplexPing(set) => {
            let new =
                matches!(request(call), Some(Request::ComplexPing { set: Some(SetId(0)), .. }));
            set.filter(|_| new).map(set_of).unwrap_or_default()
        }
        Response::ServerAlive { version, bindings } => {
            let version = version.map(|version| format!("version {version}"));
            let at = bindings.as_ref().map(addresses).filter(|at| !at.is_empty());
            let parts = version.into_iter().chain(at.map(|at| format!("at {at}")));
            parts.collect::<Vec<_>>().join(" ")
        }
        Response::Release | Response::SimplePing => String::new(),
    })
}

/// What went wrong in the words of the object that was called, if it told.
pub(super) fn error(call: &Call) -> Option<String> {
    let text = OrpcThat::of(call.response.orpc()?).error?;
    let text = text.description.or(text.source)?;
    Some(text.lines().collect::<Vec<_>>().join(" "))
}

/// A reference: the interface, and which it is of all.
pub(super) fn reference(object: &ObjRef, registry: &Registry) -> String {
    let iid = object.iid.map(|iid| named(iid.0, registry));
    let ipid = object.ipid.map(|ipid| short(ipid.0));
    let parts: Vec<String> = iid.into_iter().chain(ipid).collect();
    if parts.is_empty() { "a reference".to_owned() } else { parts.join(" ") }
}

/// The name of an interface or class, or as much of the GUID as tells it from others.
fn named(guid: Guid, registry: &Registry) -> String {
    registry.name_of(guid).map_or_else(|| short(guid), str::to_owned)
}

fn hex(number: u64) -> String {
    format!("0x{number:016x}")
}

fn set_of(set: SetId) -> String {
    match set {
        SetId(0) => "new set".to_owned(),
        SetId(set) => format!("set {}", hex(set)),
    }
}

/// The first elements, and how many there are if that is not all.
fn some<T>(elements: &[T], one: impl Fn(&T) -> String) -> String {
    let mut said: Vec<_> = elements.iter().take(SHOWN).map(one).collect();
    if elements.len() > SHOWN {
        said.push(format!("… {} in all", elements.len()));
    }
    said.join(", ")
}

fn interfaces(iids: &[Iid], registry: &Registry) -> String {
    some(iids, |iid| named(iid.0, registry))
}

/// References that come or go.
fn count(reference: &ByIpid, sign: char) -> String {
    let ByIpid { ipid, public_refs, private_refs } = reference;
    let mut said = format!("{} {sign}{public_refs}", short(ipid.0));
    if *private_refs != 0 {
        let _ = write!(said, " {sign}{private_refs} private");
    }
    said
}

fn activation(ask: &Activation, registry: &Registry) -> String {
    let class = ask.class.map(|class| named(class.0, registry)).unwrap_or_default();
    let class = if ask.class_object { format!("class object of {class}") } else { class };
    match ask.iids.as_slice() {
        [] => class,
        iids => format!("{class} for {}", interfaces(iids, registry)),
    }
}

/// What one interface came to: a reference, or why there is none.
fn one_result(
    iid: Option<Iid>,
    result: Option<HResult>,
    object: Option<&ObjRef>,
    code: &dyn Fn(HResult) -> String,
    registry: &Registry,
) -> String {
    match (object, result) {
        (_, Some(result)) if result.is_failure() => {
            let name = iid.map(|iid| named(iid.0, registry)).unwrap_or_default();
            format!("{name} {}", code(result)).trim_start().to_owned()
        }
        (Some(object), _) => {
            // A STDOBJREF does not say of which interface it is.
            let object = ObjRef { iid: object.iid.or(iid), ..object.clone() };
            reference(&object, registry)
        }
        (None, _) => iid.map(|iid| named(iid.0, registry)).unwrap_or_default() + " NULL",
    }
}

fn activated(given: &Activated, code: &dyn Fn(HResult) -> String, registry: &Registry) -> String {
    let mut said = some(&given.results, |one| {
        one_result(one.iid, one.result, one.object.as_ref(), code, registry)
    });
    if let Some(port) = given.bindings.as_ref().and_then(Bindings::port) {
        if !said.is_empty() {
            said.push_str(", ");
        }
        let _ = write!(said, "port {port}");
    }
    said
}

/// Where something is reached; of TCP, which is the usual, the address alone.
fn addresses(bindings: &Bindings) -> String {
    let mut strings = bindings.strings.clone();
    strings.dedup();
    some(
        &strings,
        |string| {
            if string.is_tcp() { string.address.clone() } else { string.to_string() }
        },
    )
}
