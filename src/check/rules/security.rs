//! Who may ask, and how calls have to travel (1.9, 2.1, 3.1.4).

use std::net::IpAddr;

use rustc_hash::FxHashSet;

use super::Case;
use crate::bytes::Guid;
use crate::call::Readable;
use crate::check::bench::{Bench, Place, Topic};
use crate::check::machine::Answer;
use crate::check::say;
use crate::pipeline::{Around, BindAnswer, Bound, What};
use crate::protocol::fsrvp::{self, Status};
use crate::rpc::{Auth, ChannelId};

/// Associations and clients that are remembered as reported; beyond it they are reported again.
const MAX_TOLD: usize = 4096;
/// `RPC_C_AUTHN_GSS_NEGOTIATE`, `RPC_C_AUTHN_WINNT`, `RPC_C_AUTHN_GSS_KERBEROS`.
const PROVIDERS: [u8; 3] = [9, 10, 16];
/// `RPC_C_AUTHN_LEVEL_PKT_INTEGRITY`
const INTEGRITY: u8 = 5;
/// `nca_s_fault_access_denied`
const ACCESS_DENIED: u32 = 5;
/// The management interface of every RPC server, which Windows asks for its principal's name.
const MGMT: Guid = Guid::from_u128(0xafa8_bd80_7d8a_11c9_bef4_0800_2b10_2989);

/// What was reported already. Added with each report; all are forgotten when there are too many.
#[derive(Debug, Default)]
pub(super) struct Rules {
    weak: FxHashSet<ChannelId>,
    weak_served: FxHashSet<ChannelId>,
    anonymous: FxHashSet<ChannelId>,
    denied: FxHashSet<IpAddr>,
}

impl Rules {
    pub(super) fn asked(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        if !tells_security(case) {
            return;
        }
        let auth = &case.call.rpc.auth;
        let provider = PROVIDERS.contains(&auth.auth_type);
        let strong = auth.level >= INTEGRITY;
        if provider && strong {
            bench.pass("FSRVP-3.1.4-03");
            bench.pass("FSRVP-3.1.4-04");
            return;
        }
        if !first(&mut self.weak, case.act.channel) {
            return;
        }
        let how = security(auth);
        if !provider {
            let message = format!(
                "the client calls {how}; SPNEGO, NTLM or Kerberos has to protect the association"
            );
            bench.fail(Topic::Security, "FSRVP-3.1.4-03", case.place, message, |_| {});
        }
        if !strong {
            let message = format!("the client calls {how}; every call has to be signed or sealed");
            bench.fail(Topic::Security, "FSRVP-3.1.4-04", case.place, message, |_| {});
        }
    }

    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let (act, auth) = (case.act, &case.call.rpc.auth);
        let weak = !PROVIDERS.contains(&auth.auth_type) || auth.level < INTEGRITY;
        if !tells_security(case) {
            return;
        }
        let denied = matches!(
            act.answer,
            Answer::Status(status) if status == Status::E_ACCESSDENIED.0
        ) || matches!(
            act.answer,
            Answer::Refused(ACCESS_DENIED) | Answer::Fault(ACCESS_DENIED)
        );
        if weak && denied {
            bench.pass("FSRVP-3.1.4-05");
            bench.pass("FSRVP-3.1.4-06");
        } else if weak && act.answer.status().is_some() {
            let rule = if act.answer.is_success() { "FSRVP-3.1.4-05" } else { "FSRVP-3.1.4-06" };
            if first(&mut self.weak_served, act.channel) {
                let message = format!(
                    "{} was answered with {} although the client called {}; expected E_ACCESSDENIED",
                    say::method(act.opnum),
                    say::status(act.answer),
                    security(auth),
                );
                bench.fail(Topic::Security, rule, case.place, message, |finding| {
                    if rule == "FSRVP-3.1.4-05" {
                        finding.with_rules(["FSRVP-3.1.4-06"]);
                    }
                });
            }
        } else if denied && first(&mut self.denied, act.client) {
            let user = case.call.pipe().and_then(|pipe| pipe.user.as_deref());
            let who =
                user.map_or_else(|| "the caller".to_owned(), |user| format!("{user} (the caller)"));
            let message = format!(
                "{} was denied although the call is protected well enough: {who} is probably neither in \
                 the Backup Operators nor in the Administrators of the server",
                say::method(act.opnum),
            );
            bench.fail(Topic::Explained, "FSRVP-3.1.4-07", case.place, message, |_| {});
        }
        self.anonymous(case, bench);
    }

    /// 2.1: a call that succeeds for somebody who has not logged on as anybody.
    fn anonymous(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let Some(user) = case.call.pipe().and_then(|pipe| pipe.user.as_deref()) else { return };
        let name = user.rsplit('\\').next().unwrap_or_default();
        let anonymous = name.is_empty()
            || name.eq_ignore_ascii_case("anonymous")
            || name.eq_ignore_ascii_case("guest")
            || name.eq_ignore_ascii_case("ANONYMOUS LOGON");
        if !anonymous || case.call.rpc.auth.principal.is_some() || case.call.rpc.auth.auth_type != 0
        {
            return;
        }
        if case.act.answer.is_success() && first(&mut self.anonymous, case.act.channel) {
            let message = format!(
                "{} succeeded for an anonymous session; the server should ask who calls",
                say::method(case.act.opnum)
            );
            bench.fail(Topic::Transport, "FSRVP-2.1-05", case.place, message, |_| {});
        } else if case.act.answer.is_failure() {
            bench.pass("FSRVP-2.1-05");
        }
    }
}

/// A bind, of FSRVP or on its pipe.
pub(super) fn around(around: &Around, bench: &mut Bench<'_>) {
    let What::Bound(bound) = &around.what else { return };
    let place = Place::around(around.time, around.frame, Some(around.client.ip()));
    let ours = bound.interface.is_some_and(|interface| interface.uuid == fsrvp::UUID);
    let on_our_pipe =
        bound.pipe.as_deref().is_some_and(|pipe| pipe.eq_ignore_ascii_case(fsrvp::PIPE));
    if !ours {
        if let Some(other) = bound.interface.filter(|_| on_our_pipe) {
            let kept = other.uuid == MGMT;
            bench.expect(
                kept,
                Topic::Transport,
                "FSRVP-1.9-01",
                &place,
                || format!("the client binds interface {} on the pipe {}", other.uuid, fsrvp::PIPE),
                |_| {},
            );
        }
        return;
    }
    bench.pass("FSRVP-1.9-01");
    transport(bound, &place, bench);
}

/// How a bind of FSRVP travels, and what came of it.
fn transport(bound: &Bound, place: &Place, bench: &mut Bench<'_>) {
    let accepted = bound.answer == BindAnswer::Accepted;
    if let Some(version) = bound.interface.map(|interface| (interface.major, interface.minor)) {
        bench.expect(
            version == fsrvp::VERSION,
            Topic::Transport,
            "FSRVP-2.1-02",
            place,
            || {
                let (major, minor) = version;
                let hint = if version == (3, 0) {
                    ", as the text of 2.1 says and no implementation does"
                } else {
                    ""
                };
                format!(
                    "the client binds version {major}.{minor} of the interface{hint}; it is 1.0"
                )
            },
            |_| {},
        );
    }
    let refused = match bound.answer {
        BindAnswer::Nak(reason) => Some(format!("with bind_nak, reason {reason}")),
        BindAnswer::Fault(status) => Some(format!("with fault 0x{status:08x}")),
        BindAnswer::Accepted | BindAnswer::Refused(..) => None,
    };
    if let Some(how) = refused.filter(|_| !bound.tcp) {
        let message = format!(
            "the pipe was opened and the server refused the bind {how}; who may call is for each \
             operation to say"
        );
        bench.fail(Topic::Transport, "FSRVP-2.1-03", place, message, |_| {});
    } else if accepted {
        bench.pass("FSRVP-2.1-03");
    }
    if bound.tcp {
        let message = "the server takes FSRVP over TCP; only named pipes carry it".to_owned();
        bench.expect(
            !accepted,
            Topic::Transport,
            "FSRVP-2.1-01",
            place,
            || message,
            |finding| {
                finding.with_rules(["FSRVP-3.2.4.1-02"]);
            },
        );
        return;
    }
    bench.pass("FSRVP-2.1-01");
    match bound.pipe.as_deref() {
        Some(pipe) if accepted => bench.expect(
            pipe.eq_ignore_ascii_case(fsrvp::PIPE),
            Topic::Transport,
            "FSRVP-1.9-02",
            place,
            || format!("FSRVP is taken on the pipe {pipe}; its pipe is {}", fsrvp::PIPE),
            |_| {},
        ),
        Some(_) => {}
        None => bench.unseen("FSRVP-1.9-02", "the CREATE of the pipe is not in the capture"),
    }
}

/// Whether the request is there with what tells its security: a sealed one has some.
fn tells_security(case: &Case<'_, '_>) -> bool {
    let sealed = case.call.request.readable == Readable::Sealed;
    let auth = &case.call.rpc.auth;
    case.act.request.is_some() && *auth != Auth::UNTOLD || sealed && auth.auth_type != 0
}

/// Whether something is reported for the first time.
fn first<T: Eq + std::hash::Hash>(told: &mut FxHashSet<T>, what: T) -> bool {
    if told.len() >= MAX_TOLD {
        told.clear();
    }
    told.insert(what)
}

/// The security of a call, in words.
fn security(auth: &Auth) -> String {
    let provider = match auth.auth_type {
        0 => return "without any authentication".to_owned(),
        9 => "SPNEGO".to_owned(),
        10 => "NTLM".to_owned(),
        16 => "Kerberos".to_owned(),
        other => format!("security provider {other}"),
    };
    let level = match auth.level {
        1 => "none",
        2 => "connect",
        3 => "call",
        4 => "packet",
        5 => "packet integrity",
        6 => "packet privacy",
        _ => "unknown",
    };
    format!("with {provider} at level {level}")
}
