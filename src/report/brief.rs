//! A call on one line: what it was about, for a list that people read.

use super::{dcom, epm, scmp};
use crate::bytes::Guid;
use crate::call::{Call, Outcome, Readable, Stub};
use crate::ndr::{Decoded, filetime};
use crate::protocol::dcom::{IACTIVATION, IOBJECTEXPORTER, IREMOTESCMACTIVATOR};
use crate::protocol::fsrvp::{self, Request, Response, ShareMapping};
use crate::protocol::scmp::{DIFF_MGMT, SNAPSHOT_MGMT};
use crate::protocol::{Grade, Interface, Registry};
use crate::report::value::text;
use crate::rpc::names::{FAULTS, name};

/// The method, or the best name there is for it.
///
/// The interface stands before it, but for those whose methods have no name that another's has:
/// \[MS-FSRVP\], and the two of \[MS-SCMP\] that manage.
pub fn method(call: &Call) -> String {
    if let (Some(method), Some(interface)) = (call.method(), call.interface.as_deref()) {
        let name = &interface.name;
        return match interface.uuid {
            fsrvp::UUID | SNAPSHOT_MGMT | DIFF_MGMT => method.to_owned(),
            uuid if interface.object || IN_FULL.contains(&uuid) => format!("{name}::{method}"),
            _ => format!("{name}.{method}"),
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

/// Interfaces of \[MS-DCOM\] that are written as those of objects, which they are not on the wire.
const IN_FULL: [Guid; 3] = [IOBJECTEXPORTER, IACTIVATION, IREMOTESCMACTIVATOR];

/// How the call went, with the name of the error.
pub fn result(call: &Call, registry: &Registry) -> String {
    let end = End {
        outcome: call.outcome,
        status: call.status,
        fault: call.fault(),
        response: call.response.readable,
    };
    end.word(call.interface.as_deref(), registry)
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) status: Option<u32>,
    pub(super) fault: Option<u32>,
    pub(super) response: Readable,
}

impl End {
    /// In a word, with the name of the error.
    pub(super) fn word(self, interface: Option<&Interface>, registry: &Registry) -> String {
        match self.outcome {
            Outcome::Ok => match self.status.filter(|status| *status != 0) {
                // Success of another kind, such as S_FALSE.
                Some(status) => named(interface, registry, status),
                None => "ok".to_owned(),
            },
            Outcome::Failed => named(interface, registry, self.status.unwrap_or_default()),
            Outcome::Fault => {
                let status = self.fault.unwrap_or_default();
                match name(FAULTS, status) {
                    Some(name) => format!("fault {name}"),
                    None => format!("fault 0x{status:08x}"),
                }
            }
            Outcome::NoResponse => "no answer".to_owned(),
            Outcome::NoRequest => "request not seen".to_owned(),
            Outcome::Unknown => match self.response {
                Readable::Clear | Readable::Unsealed => "answered".to_owned(),
                other => other.word().to_owned(),
            },
        }
    }
}

/// A status by its name.
pub(super) fn named(interface: Option<&Interface>, registry: &Registry, status: u32) -> String {
    let name = registry.status_name(interface, status);
    name.map_or_else(|| format!("0x{status:08x}"), str::to_owned)
}

/// What was asked, as far as it could be read.
pub fn asked(call: &Call, registry: &Registry) -> String {
    let mut text = match fsrvp_request(call) {
        Some(request) => {
            let context = call.request.decoded.as_ref().and_then(|of| of.param("Context"));
            fsrvp_asked(&request, context.map(text).as_deref())
        }
        None => epm::asked(call, registry)
            .or_else(|| scmp::asked(call, registry))
            .or_else(|| dcom::asked(call, registry))
            .unwrap_or_else(|| generic(call.request.decoded.as_ref())),
    };
    if let Some(object) = call.rpc.object
        && matches!(call.grade(), None | Some(Grade::Names))
    {
        push(&mut text, &format!("object {}", short(object)));
    }
    push(&mut text, &unreadable(&call.request));
    text
}

/// What was answered, or what went wrong.
pub fn answered(call: &Call, registry: &Registry) -> String {
    if call.outcome != Outcome::Ok && call.outcome != Outcome::Unknown {
        let result = result(call, registry);
        return match dcom::error(call) {
            Some(text) if call.outcome == Outcome::Failed => format!("{result}: {text}"),
            _ => result,
        };
    }
    let mut text = match fsrvp_response(call) {
        Some(response) => fsrvp_answered(&response),
        None => epm::answered(call)
            .or_else(|| scmp::answered(call, registry))
            .or_else(|| dcom::answered(call, registry))
            .unwrap_or_else(|| generic(call.response.decoded.as_ref())),
    };
    push(&mut text, &unreadable(&call.response));
    if text.is_empty() { result(call, registry) } else { text }
}

pub(super) fn push(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

/// The size of a stub that is not shown, and why it is not.
fn unreadable(stub: &Stub) -> String {
    match (stub.readable, &stub.decoded) {
        (Readable::Absent, _) | (Readable::Clear | Readable::Unsealed, Some(_)) => String::new(),
        (Readable::Clear | Readable::Unsealed, None) => format!("{} bytes", stub.bytes),
        (other, _) => format!("{} bytes {}", stub.bytes, other.word()),
    }
}

/// The first digits of a GUID, which tell it from the others of a capture.
pub fn short(guid: Guid) -> String {
    let (first, ..) = guid.as_fields();
    format!("{first:08x}…")
}

fn generic(decoded: Option<&Decoded>) -> String {
    let params = decoded.map(|decoded| decoded.params.as_slice()).unwrap_or_default();
    let params: Vec<_> =
        params.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    params.join(" ")
}

fn is_fsrvp(call: &Call) -> bool {
    let interface = call.interface.as_deref().map(|known| (known.uuid, known.version.0));
    interface == Some((fsrvp::UUID, fsrvp::VERSION.0))
}

/// The request in the types of \[MS-FSRVP\], if it is whole.
fn fsrvp_request(call: &Call) -> Option<Request> {
    let decoded = call.request.decoded.as_ref().filter(|_| is_fsrvp(call))?;
    Request::bind(call.rpc.opnum?, decoded)?.ok()
}

fn fsrvp_response(call: &Call) -> Option<Response> {
    let decoded = call.response.decoded.as_ref().filter(|_| is_fsrvp(call))?;
    Response::bind(call.rpc.opnum?, decoded)?.ok()
}

/// The same for \[MS-FSRVP\], in the words of its users; `context` is that of `SetContext` by its names.
pub(super) fn fsrvp_asked(request: &Request, context: Option<&str>) -> String {
    let set = |guid: Guid| format!("set {}", short(guid));
    let timed = |guid: Guid, ms: u32| format!("{} within {} s", set(guid), f64::from(ms) / 1000.0);
    match request {
        Request::GetSupportedVersion(_) => String::new(),
        Request::SetContext(_) => context.unwrap_or_default().to_owned(),
        Request::StartShadowCopySet(ask) => {
            format!("client's set {}", short(ask.client_shadow_copy_set_id))
        }
        Request::AddToShadowCopySet(ask) => {
            format!("{} {}", set(ask.shadow_copy_set_id), ask.share_name)
        }
        Request::CommitShadowCopySet(ask) => {
            timed(ask.shadow_copy_set_id, ask.time_out_in_milliseconds)
        }
        Request::ExposeShadowCopySet(ask) => {
            timed(ask.shadow_copy_set_id, ask.time_out_in_milliseconds)
        }
        Request::RecoveryCompleteShadowCopySet(ask) => set(ask.shadow_copy_set_id),
        Request::AbortShadowCopySet(ask) => set(ask.shadow_copy_set_id),
        Request::IsPathSupported(ask) => ask.share_name.clone(),
        Request::IsPathShadowCopied(ask) => ask.share_name.clone(),
        Request::GetShareMapping(ask) => format!(
            "{} copy {} {}",
            set(ask.shadow_copy_set_id),
            short(ask.shadow_copy_id),
            ask.share_name
        ),
        Request::DeleteShareMapping(ask) => format!(
            "{} copy {} {}",
            set(ask.shadow_copy_set_id),
            short(ask.shadow_copy_id),
            ask.share_name
        ),
        Request::PrepareShadowCopySet(ask) => {
            timed(ask.shadow_copy_set_id, ask.time_out_in_milliseconds)
        }
    }
}

/// What was answered, in the same words.
pub(super) fn fsrvp_answered(response: &Response) -> String {
    match response {
        Response::GetSupportedVersion(answer) => {
            format!("versions {} to {}", answer.min_version.0, answer.max_version.0)
        }
        Response::StartShadowCopySet(answer) => {
            format!("set {}", short(answer.shadow_copy_set_id))
        }
        Response::AddToShadowCopySet(answer) => format!("copy {}", short(answer.shadow_copy_id)),
        Response::IsPathSupported(answer) => {
            let owner = answer.owner_machine_name.as_deref();
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
                format!("{name} made {time}")
            }
            _ => String::new(),
        },
        _ => String::new(),
    }
}
