//! A step of a conversation in words.

use super::super::brief::{End, fsrvp_answered, fsrvp_asked};
use super::super::json::{auth_words, mechanism_word};
use crate::bytes::Order;
use crate::call::{Outcome, Readable};
use crate::diff::{Act, Exchange, Refusal, Setup, Stage, Step, Trait, Value};
use crate::pipeline::BindAnswer;
use crate::protocol::Registry;
use crate::protocol::fsrvp::{self, OPERATIONS};
use crate::rpc::names::{FAULTS, PROVIDER_REASONS, REJECT_REASONS, RESULTS, named};
use crate::rpc::{Auth, Transfer};

/// What it is called.
pub(in crate::report) fn name(step: &Step) -> String {
    match &step.act {
        Act::Call(call) => method(call),
        Act::Setup(setup) => stage(setup.stage).to_owned(),
    }
}

/// The same, within a sentence.
pub(in crate::report) fn place(step: &Step) -> String {
    match &step.act {
        Act::Call(call) => method(call),
        Act::Setup(setup) => match (setup.stage, setup.of.as_deref()) {
            (Stage::Share, Some(share)) => format!("connecting to {share}"),
            (Stage::Pipe, Some(pipe)) => format!("opening the pipe {pipe}"),
            (Stage::Pipe | Stage::Share | Stage::Use, _) => stage(setup.stage).to_owned(),
            (stage, _) => format!("the {}", self::stage(stage)),
        },
    }
}

/// The method of a call, or the best there is for it.
pub(in crate::report) fn method(call: &Exchange) -> String {
    match (call.method(), call.opnum) {
        (Some(method), _) => method.to_owned(),
        (None, Some(opnum)) => format!("opnum {opnum}"),
        (None, None) => "a call whose request is missing".to_owned(),
    }
}

/// What comes before the calls, in a word.
pub(in crate::report) fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Connection => "connection",
        Stage::Session => "NetBIOS session",
        Stage::Negotiation => "negotiation",
        Stage::Logon => "logon",
        Stage::Share => "connecting to the share",
        Stage::Pipe => "opening the pipe",
        Stage::Bind => "bind",
        Stage::Use => "using the pipe",
    }
}

/// What was asked, as far as it could be read.
pub(in crate::report) fn asked(step: &Step) -> String {
    match &step.act {
        Act::Setup(setup) => setup.of.as_deref().unwrap_or_default().to_owned(),
        Act::Call(call) => match &call.asked {
            Some(request) => fsrvp_asked(request, call.context.as_deref()),
            None => match call.request {
                Readable::Clear | Readable::Unsealed | Readable::Absent => String::new(),
                other => format!("({})", other.word()),
            },
        },
    }
}

/// What was answered: what an answer has beside success, or the error with its number.
pub(in crate::report) fn answered(step: &Step, registry: &Registry) -> String {
    let call = match &step.act {
        Act::Setup(setup) => return ended(setup),
        Act::Call(call) => call,
    };
    let word = result(step, registry);
    match (call.outcome, call.status, call.fault) {
        (Outcome::Ok, ..) => {
            let told = call.answered.as_ref().map(fsrvp_answered).unwrap_or_default();
            if told.is_empty() { word } else { told }
        }
        (Outcome::Failed, Some(number), _) | (Outcome::Fault, _, Some(number)) => {
            let number = format!("0x{number:08x}");
            if word.contains(&number) { word } else { format!("{word} ({number})") }
        }
        _ => word,
    }
}

/// How it ended, in a word.
pub(in crate::report) fn result(step: &Step, registry: &Registry) -> String {
    match &step.act {
        Act::Setup(setup) => match setup.refusal {
            None => "ok".to_owned(),
            Some(Refusal::Status(status)) => match status.name() {
                Some(name) => name.to_owned(),
                None => status.to_string(),
            },
            Some(_) => ended(setup),
        },
        Act::Call(call) => {
            let end = End {
                outcome: call.outcome,
                status: call.status,
                fault: call.fault,
                response: call.response,
            };
            let interface = registry.interface(fsrvp::UUID, fsrvp::VERSION.0);
            end.word(interface.map(|interface| &**interface), registry)
        }
    }
}

/// How something before the calls ended.
fn ended(setup: &Setup) -> String {
    match setup.refusal {
        None => "ok".to_owned(),
        Some(refusal) => self::refusal(refusal),
    }
}

/// Why something was refused.
pub(in crate::report) fn refusal(refusal: Refusal) -> String {
    match refusal {
        Refusal::Status(status) => status.to_string(),
        Refusal::Session(why) => why.to_string(),
        Refusal::Unreached(how) => how.to_string(),
        Refusal::GivenUp => "no answer, and the client closed the pipe".to_owned(),
        Refusal::Ended(None) => "the server closed the pipe without an answer".to_owned(),
        Refusal::Ended(Some(status)) => format!("no answer, the pipe broke: {status}"),
        Refusal::Bind(answer) => match answer {
            BindAnswer::Accepted => "ok".to_owned(),
            BindAnswer::Refused(result, reason) => format!(
                "{}, {}",
                named(RESULTS, result.into()),
                named(PROVIDER_REASONS, reason.into())
            ),
            BindAnswer::Nak(reason) => named(REJECT_REASONS, reason.into()),
            BindAnswer::Fault(status) => format!("fault {}", named(FAULTS, status.into())),
        },
    }
}

/// Whether it went wrong, for those who see no colours.
pub(in crate::report) fn is_wrong(step: &Step) -> bool {
    match &step.act {
        Act::Setup(setup) => setup.refusal.is_some(),
        Act::Call(call) => !matches!(call.outcome, Outcome::Ok | Outcome::Unknown),
    }
}

/// What differs, in words.
pub(in crate::report) fn of(of: Trait) -> String {
    let word = match of {
        Trait::Share => "share",
        Trait::User => "user",
        Trait::Authentication => "authentication",
        Trait::Transport => "transport",
        Trait::Dialect => "SMB dialect",
        Trait::Signing => "SMB signing",
        Trait::Encryption => "SMB encryption",
        Trait::Syntax => "transfer syntax",
        Trait::ByteOrder => "byte order",
        Trait::ServerVersion => "server's version",
        Trait::Owner => "owner",
        Trait::TimeOut(opnum) => return format!("time-out of {}", short(opnum)),
    };
    word.to_owned()
}

/// The name of an operation without the words that all of them share.
fn short(opnum: u16) -> String {
    let name = OPERATIONS.iter().find(|(number, _)| *number == opnum).map(|(_, name)| *name);
    let name = name.unwrap_or_default();
    name.strip_suffix("ShadowCopySet").unwrap_or(name).to_owned()
}

/// A value in words.
pub(in crate::report) fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        Value::Auth { auth_type, level, mechanism } => {
            let auth = Auth {
                auth_type: *auth_type,
                level: *level,
                mechanism: *mechanism,
                principal: None,
            };
            let (provider, level) = auth_words(&auth);
            match (provider, mechanism_word(&auth)) {
                ("none", _) => "none".to_owned(),
                (provider, Some(mechanism)) if provider != mechanism => {
                    format!("{provider} ({mechanism}), {level}")
                }
                (provider, _) => format!("{provider}, {level}"),
            }
        }
        Value::Pipe => "named pipe".to_owned(),
        Value::Tcp => "TCP".to_owned(),
        Value::Yes(true) => "on".to_owned(),
        Value::Yes(false) => "off".to_owned(),
        Value::Syntax(Transfer::Ndr) => "NDR".to_owned(),
        Value::Syntax(Transfer::Ndr64) => "NDR64".to_owned(),
        Value::Order(Order::Little) => "little-endian".to_owned(),
        Value::Order(Order::Big) => "big-endian".to_owned(),
        Value::Version(major, minor, build) => format!("{major}.{minor} build {build}"),
        Value::Milliseconds(ms) => format!("{} s", f64::from(*ms) / 1000.0),
    }
}
