//! [`Act`]: an FSRVP call, reduced to what the rules look at.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use rustc_hash::FxHasher;

use super::machine::{self, Answer};
use crate::bytes::{Guid, Time};
use crate::call::{Call, Outcome, Readable};
use crate::protocol::fsrvp::{self, Request, Response};
use crate::rpc::ChannelId;

/// Octets of a name.
const MAX_NAME: usize = 640;

/// A call to a server, or its request alone.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// Number of the call.
    pub(super) n: u64,
    /// The operation.
    pub(super) opnum: u16,
    /// When its request was complete.
    pub(super) asked: Time,
    /// When its answer was, if there is one.
    pub(super) answered: Option<Time>,
    /// Who asked.
    pub(super) client: IpAddr,
    /// What carried it.
    pub(super) channel: ChannelId,
    /// The request, if it can be read.
    pub(super) request: Option<Request>,
    /// The response, if it can be read.
    pub(super) response: Option<Response>,
    /// What was answered.
    pub(super) answer: Answer,
}

/// Faults with which an RPC runtime refuses a call before the server's own code sees it:
/// `nca_s_fault_access_denied`, `nca_s_op_rng_error`, `nca_s_unk_if`, `nca_s_proto_error`,
/// `nca_s_unsupported_type`, `rpc_x_bad_stub_data`, `nca_s_fault_context_mismatch`,
/// `RPC_S_SEC_PKG_ERROR`, `nca_s_invalid_checksum`, `nca_s_invalid_crc`, `nca_s_server_too_busy` and
/// `nca_s_fault_invalid_tag`.
const REFUSALS: [u32; 12] = [
    0x0000_0005,
    0x1c01_0002,
    0x1c01_0003,
    0x1c01_000b,
    0x1c01_0017,
    0x0000_06f7,
    0x1c00_001a,
    0x0000_0721,
    0x1c00_001f,
    0x1c00_0020,
    0x1c01_0014,
    0x1c00_0006,
];
/// Faults that say nothing of whether the operation was done: `nca_s_fault_cancel`,
/// `nca_s_fault_remote_comm_failure`, `nca_s_fault_remote_no_memory`, `nca_s_out_args_too_big`,
/// `nca_s_unspec_reject`, `RPC_S_CALL_FAILED` and `RPC_S_CALL_FAILED_DNE`.
const RUNTIME: [u32; 7] =
    [0x1c00_000d, 0x1c00_0013, 0x1c00_001b, 0x1c01_0013, 0x1c00_0009, 0x0000_06be, 0x0000_06bf];

/// Whether a fault is one that the runtime raises by itself.
pub(super) fn is_runtime(status: u32) -> bool {
    REFUSALS.contains(&status) || RUNTIME.contains(&status)
}

impl Act {
    /// What the rules see of `call`; none if it is not of FSRVP or its request is missing.
    pub(super) fn of(call: &Call) -> Option<Self> {
        let is_ours = call.rpc.interface.is_some_and(|syntax| syntax.uuid == fsrvp::UUID);
        let opnum = call.rpc.opnum.filter(|_| is_ours)?;
        let asked = call.rpc.request.as_ref()?.time;
        let answered = call.rpc.response.as_ref().filter(|m| m.complete).map(|m| m.time);
        let clear = Readable::is_clear;
        let request = call
            .request
            .decoded
            .as_ref()
            .filter(|_| clear(call.request.readable))
            .and_then(|decoded| Request::bind(opnum, decoded)?.ok())
            .map(shorter);
        let response = call
            .response
            .decoded
            .as_ref()
            .filter(|_| clear(call.response.readable))
            .and_then(|decoded| Response::bind(opnum, decoded)?.ok())
            .map(shorter_answer);
        let answer = match (call.outcome, call.fault(), call.status) {
            (_, Some(status), _) if REFUSALS.contains(&status) => Answer::Refused(status),
            (_, Some(status), _) => Answer::Fault(status),
            (Outcome::NoResponse, ..) => Answer::None,
            (_, _, Some(status)) if clear(call.response.readable) => Answer::Status(status),
            _ => Answer::Hidden(by_length(call, opnum)),
        };
        Some(Self {
            n: call.rpc.n,
            opnum,
            asked,
            answered,
            client: call.client.addr.ip(),
            channel: call.rpc.channel,
            request,
            response,
            answer,
        })
    }

    /// The shadow copy set it names.
    pub(super) fn set(&self) -> Option<Guid> {
        match self.request.as_ref()? {
            Request::AddToShadowCopySet(of) => Some(of.shadow_copy_set_id),
            Request::CommitShadowCopySet(of) => Some(of.shadow_copy_set_id),
            Request::ExposeShadowCopySet(of) => Some(of.shadow_copy_set_id),
            Request::RecoveryCompleteShadowCopySet(of) => Some(of.shadow_copy_set_id),
            Request::AbortShadowCopySet(of) => Some(of.shadow_copy_set_id),
            Request::GetShareMapping(of) => Some(of.shadow_copy_set_id),
            Request::DeleteShareMapping(of) => Some(of.shadow_copy_set_id),
            Request::PrepareShadowCopySet(of) => Some(of.shadow_copy_set_id),
            _ => None,
        }
    }

    /// The shadow copy it names.
    pub(super) fn copy(&self) -> Option<Guid> {
        match self.request.as_ref()? {
            Request::GetShareMapping(of) => Some(of.shadow_copy_id),
            Request::DeleteShareMapping(of) => Some(of.shadow_copy_id),
            _ => None,
        }
    }

    /// The share it names.
    pub(super) fn share(&self) -> Option<&str> {
        match self.request.as_ref()? {
            Request::AddToShadowCopySet(of) => Some(&of.share_name),
            Request::IsPathSupported(of) => Some(&of.share_name),
            Request::IsPathShadowCopied(of) => Some(&of.share_name),
            Request::GetShareMapping(of) => Some(&of.share_name),
            Request::DeleteShareMapping(of) => Some(&of.share_name),
            _ => None,
        }
    }

    /// How long the server may take, in milliseconds.
    pub(super) fn time_out(&self) -> Option<u32> {
        match self.request.as_ref()? {
            Request::PrepareShadowCopySet(of) => Some(of.time_out_in_milliseconds),
            Request::CommitShadowCopySet(of) => Some(of.time_out_in_milliseconds),
            Request::ExposeShadowCopySet(of) => Some(of.time_out_in_milliseconds),
            _ => None,
        }
    }

    /// Whether the operation names a set, readable or not.
    pub(super) fn names_set(&self) -> bool {
        machine::names_set(self.opnum)
    }

    /// Whether the operation goes on for a while once it is accepted: Commit, Expose, Prepare.
    pub(super) fn takes_long(&self) -> bool {
        machine::takes_long(self.opnum)
    }

    /// The set id that a successful Start returned.
    pub(super) fn started(&self) -> Option<Guid> {
        match self.response.as_ref()? {
            Response::StartShadowCopySet(of) => Some(of.shadow_copy_set_id),
            _ => None,
        }
    }

    /// The copy id that a successful Add returned.
    pub(super) fn added(&self) -> Option<Guid> {
        match self.response.as_ref()? {
            Response::AddToShadowCopySet(of) => Some(of.shadow_copy_id),
            _ => None,
        }
    }
}

/// The request with a name that can be remembered.
fn shorter(mut request: Request) -> Request {
    match &mut request {
        Request::AddToShadowCopySet(of) => shorten(&mut of.share_name),
        Request::IsPathSupported(of) => shorten(&mut of.share_name),
        Request::IsPathShadowCopied(of) => shorten(&mut of.share_name),
        Request::GetShareMapping(of) => shorten(&mut of.share_name),
        Request::DeleteShareMapping(of) => shorten(&mut of.share_name),
        _ => {}
    }
    request
}

/// The same for an answer.
fn shorter_answer(mut response: Response) -> Response {
    if let Response::IsPathSupported(of) = &mut response {
        of.owner_machine_name.iter_mut().for_each(shorten);
    }
    response
}

/// Names are remembered by the thousand. One that is longer than any host allows is known by its
/// beginning and a hash of it all.
fn shorten(name: &mut String) {
    if name.len() <= MAX_NAME {
        return;
    }
    let mut hasher = FxHasher::default();
    name.hash(&mut hasher);
    let ends = name.char_indices().map(|(at, _)| at);
    let kept = ends.take_while(|at| *at <= MAX_NAME / 4).last().unwrap_or_default();
    name.truncate(kept);
    name.extend(["…", &format!("{:016x}", hasher.finish())]);
}

/// Whether a sealed response of one of the two operations whose failures are shorter is one
/// (\[MS-RPCE\] encrypts stubs and leaves their lengths).
fn by_length(call: &Call, opnum: u16) -> Option<bool> {
    /// The longest failure: a null pointer, or an empty arm, and the status, in NDR64.
    const FAILURE: u32 = 32;
    /// The shortest success of `GetShareMapping`: a mapping without its strings.
    const MAPPING: u32 = 56;
    let sealed = call.response.readable == Readable::Sealed;
    match opnum {
        10 if sealed => Some(call.response.bytes >= MAPPING),
        8 if sealed && call.response.bytes > FAILURE => Some(true),
        _ => None,
    }
}

/// A share name by which two spellings of it are compared: without host, without one trailing
/// backslash, in lower case.
pub(super) fn share_key(name: &str) -> String {
    let name = name.strip_suffix('\\').unwrap_or(name);
    name.rsplit('\\').next().unwrap_or_default().to_lowercase()
}

/// The host of `\\host\share`, in lower case.
pub(super) fn host_of(name: &str) -> Option<String> {
    let rest = name.strip_prefix(r"\\")?;
    rest.split('\\').next().filter(|host| !host.is_empty()).map(str::to_lowercase)
}

/// The first label of a name of a host.
pub(super) fn label(host: &str) -> &str {
    if is_address(host) { host } else { host.split('.').next().unwrap_or(host) }
}

/// Whether this is an address, which no name can be compared with.
pub(super) fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
        || host.contains(':')
        || host.to_lowercase().ends_with(".ipv6-literal.net")
}

/// Whether this is `\\host\share`, with or without a trailing backslash.
pub(super) fn is_unc(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(r"\\") else { return false };
    let rest = rest.strip_suffix('\\').unwrap_or(rest);
    let parts: Vec<&str> = rest.split('\\').collect();
    parts.len() == 2 && parts.iter().all(|part| !part.is_empty())
}
