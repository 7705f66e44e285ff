//! A call on one line: what it was about, for a list that people read.

use crate::bytes::{Guid, printable};
use crate::call::{Call, Outcome, Readable};
use crate::ndr::{Decoded, filetime};
use crate::protocol::fsrvp::{self, Request, Response, ShareMapping};
use crate::protocol::{Grade, Registry};
use crate::report::value::text;
use crate::rpc::names::{FAULTS, name};

/// The method, or the best name there is for it.
pub fn method(call: &Call) -> String {
    if let Some(method) = call.method() {
        return match call.grade() {
            Some(Grade::Typed) | None => method.to_owned(),
            Some(Grade::Idl) => {
                format!("{}.{method}", call.interface_name().unwrap_or_default())
            }
        };
    }
    let interface = match (call.interface_name(), call.rpc.interface) {
        (Some(name), _) => name.to_owned(),
        (None, Some(syntax)) => format!("{} v{}", short(syntax.uuid), syntax.major),
        (None, None) => "?".to_owned(),
    };
    match call.rpc.opnum {
        Some(opnum) => format!("{interface} opnum {opnum}"),
        None => format!("{interface} opnum ?"),
    }
}

/// How the call went, with the name of the error.
pub fn result(call: &Call, registry: &Registry) -> String {
    match call.outcome {
        Outcome::Ok => "ok".to_owned(),
        Outcome::Failed => {
            let status = call.status.unwrap_or_default();
            match registry.status_name(call.interface.as_deref(), status) {
                Some(name) => name.to_owned(),
                None => format!("0x{status:08x}"),
            }
        }
        Outcome::Fault => {
            let status = call.fault().unwrap_or_default();
            match name(FAULTS, status) {
                Some(name) => format!("fault {name}"),
                None => format!("fault 0x{status:08x}"),
            }
        }
        Outcome::NoResponse => "no answer".to_owned(),
        Outcome::NoRequest => "request not seen".to_owned(),
        Outcome::Unknown => match call.response.readable {
            Readable::Sealed => "sealed".to_owned(),
            Readable::Clear => "answered".to_owned(),
            other => other.word().to_owned(),
        },
    }
}

/// What was asked and what was answered, as far as it could be read.
pub fn details(call: &Call) -> String {
    let sides = [("request", &call.request), ("response", &call.response)];
    let unreadable = sides.into_iter().filter_map(|(side, stub)| {
        let known = stub.decoded.is_some() && stub.readable != Readable::Malformed;
        let shown = known || stub.readable == Readable::Absent;
        let empty = stub.readable == Readable::Clear && stub.bytes == 0;
        let word = match stub.readable {
            Readable::Clear => "not decoded",
            other => other.word(),
        };
        (!shown && !empty).then(|| format!("{side} {} bytes {word}", stub.bytes))
    });
    let mut notes: Vec<String> = unreadable.collect();
    if let Some(object) = call.rpc.object
        && call.interface.is_none()
    {
        notes.push(format!("object {}", short(object)));
    }
    let text = fsrvp_details(call).unwrap_or_else(|| generic(call));
    if !text.is_empty() {
        notes.insert(0, text);
    }
    notes.join("; ")
}

/// The first digits of a GUID, which tell it from the others of a capture.
pub fn short(guid: Guid) -> String {
    let (first, ..) = guid.as_fields();
    format!("{first:08x}…")
}

fn generic(call: &Call) -> String {
    let side = |decoded: Option<&Decoded>| {
        let params = decoded.map(|decoded| decoded.params.as_slice()).unwrap_or_default();
        params.iter().map(|(name, value)| format!("{name}={}", text(value))).collect::<Vec<_>>()
    };
    let asked = side(call.request.decoded.as_ref()).join(" ");
    let answered = side(call.response.decoded.as_ref()).join(" ");
    joined(&asked, &answered)
}

fn joined(asked: &str, answered: &str) -> String {
    match (asked.is_empty(), answered.is_empty()) {
        (_, true) => asked.to_owned(),
        (true, false) => format!("→ {answered}"),
        (false, false) => format!("{asked} → {answered}"),
    }
}

/// The same for [MS-FSRVP], in the words of its users.
fn fsrvp_details(call: &Call) -> Option<String> {
    let interface = call.interface.as_deref()?;
    if (interface.uuid, interface.version.0) != (fsrvp::UUID, fsrvp::VERSION.0) {
        return None;
    }
    let opnum = call.rpc.opnum?;
    let request = call.request.decoded.as_ref().and_then(|of| Request::bind(opnum, of)?.ok());
    let response = call.response.decoded.as_ref().and_then(|of| Response::bind(opnum, of)?.ok());
    if request.is_none() && call.request.decoded.is_some()
        || response.is_none() && call.response.decoded.is_some()
    {
        // Part of it is missing, or another IDL replaces ours: the plain form shows what is there.
        return None;
    }
    let context = call.request.decoded.as_ref().and_then(|of| of.param("Context")).map(text);
    let asked = request.as_ref().map(|request| asked(request, context.as_deref()));
    let answered = response.as_ref().filter(|_| call.outcome == Outcome::Ok).map(answered);
    Some(joined(&asked.unwrap_or_default(), &answered.unwrap_or_default()))
}

fn asked(request: &Request, context: Option<&str>) -> String {
    let set = |guid: Guid| format!("set {}", short(guid));
    let timed = |guid: Guid, ms: u32| format!("{} within {} s", set(guid), f64::from(ms) / 1000.0);
    match request {
        Request::GetSupportedVersion(_) => String::new(),
        Request::SetContext(ask) => {
            context.map_or_else(|| format!("0x{:x}", ask.context.0), str::to_owned)
        }
        Request::StartShadowCopySet(ask) => {
            format!("client's set {}", short(ask.client_shadow_copy_set_id))
        }
        Request::AddToShadowCopySet(ask) => {
            format!("{} {}", set(ask.shadow_copy_set_id), printable(&ask.share_name))
        }
        Request::CommitShadowCopySet(ask) => {
            timed(ask.shadow_copy_set_id, ask.time_out_in_milliseconds)
        }
        Request::ExposeShadowCopySet(ask) => {
            timed(ask.shadow_copy_set_id, ask.time_out_in_milliseconds)
        }
        Request::RecoveryCompleteShadowCopySet(ask) => set(ask.shadow_copy_set_id),
        Request::AbortShadowCopySet(ask) => set(ask.shadow_copy_set_id),
        Request::IsPathSupported(ask) => printable(&ask.share_name),
        Request::IsPathShadowCopied(ask) => printable(&ask.share_name),
        Request::GetShareMapping(ask) => format!(
            "{} copy {} {}",
            set(ask.shadow_copy_set_id),
            short(ask.shadow_copy_id),
            printable(&ask.share_name)
        ),
        Request::DeleteShareMapping(ask) => format!(
            "{} copy {} {}",
            set(ask.shadow_copy_set_id),
            short(ask.shadow_copy_id),
            printable(&ask.share_name)
        ),
        Request::PrepareShadowCopySet(ask) => {
            timed(ask.shadow_copy_set_id, ask.time_out_in_milliseconds)
        }
    }
}

fn answered(response: &Response) -> String {
    match response {
        Response::GetSupportedVersion(answer) => {
            format!("versions {} to {}", answer.min_version.0, answer.max_version.0)
        }
        Response::StartShadowCopySet(answer) => {
            format!("set {}", short(answer.shadow_copy_set_id))
        }
        Response::AddToShadowCopySet(answer) => format!("copy {}", short(answer.shadow_copy_id)),
        Response::IsPathSupported(answer) => {
            let owner = answer.owner_machine_name.as_deref().map(printable);
            let yes = if answer.supported_by_this_provider.is_true() { "yes" } else { "no" };
            owner.map_or_else(|| yes.to_owned(), |owner| format!("{yes}, owner {owner}"))
        }
        Response::IsPathShadowCopied(answer) => {
            let there = answer.shadow_copy_present.is_true();
            if there { "there is one".to_owned() } else { "there is none".to_owned() }
        }
        Response::GetShareMapping(answer) => match &answer.share_mapping {
            ShareMapping::ShareMapping1(Some(mapping)) => {
                let name = mapping.shadow_copy_share_name.as_deref().unwrap_or("(no name)");
                let time = filetime(mapping.creation_timestamp.0).unwrap_or_default();
                format!("{} made {time}", printable(name))
            }
            _ => String::new(),
        },
        _ => String::new(),
    }
}
