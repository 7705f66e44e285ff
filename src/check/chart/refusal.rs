//! What bars a client beside the calls: how far it had come, and what was said.

use super::circumstance::{Circumstance, Circumstances};
use super::symptom::{Code, Stage};
use super::visit::is_weak;
use crate::pipeline::{Around, BindAnswer, Bound, Refuser, Unreached, What};
use crate::protocol::fsrvp;
use crate::rpc::names::{FAULTS, PROVIDER_REASONS, REJECT_REASONS, RESULTS, named};

/// Ports of SMB.
const SMB: [u16; 2] = [445, 139];

/// Something that bars a client.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) stage: Stage,
    pub(super) code: Code,
    /// Both in a sentence.
    pub(super) said: String,
    pub(super) circumstances: Circumstances,
}

impl Refusal {
    pub(super) fn new(stage: Stage, code: Code, said: String) -> Self {
        Self { stage, code, said, circumstances: Circumstances::default() }
    }
}

/// What bars a client, if this does.
pub(super) fn refusal(around: &Around) -> Option<Refusal> {
    let is_pipe = |name: &str| name.eq_ignore_ascii_case(fsrvp::PIPE);
    let pipe = fsrvp::PIPE;
    Some(match &around.what {
        What::Unreachable { how, syns, .. } => {
            let port = around.server.port();
            if !SMB.contains(&port) {
                return None;
            }
            let asked = if *syns == 1 { String::new() } else { format!(", asked {syns} times") };
            let said = format!("no connection to port {port}{asked}: {how}");
            let mut refusal = Refusal::new(Stage::Connect, Code::None, said);
            let known = &mut refusal.circumstances;
            known.set(Circumstance::Reset, *how == Unreached::Reset);
            known.set(Circumstance::Icmp, matches!(how, Unreached::Icmp { .. }));
            refusal
        }
        What::TicketRefused { by: Refuser::Service, error } => {
            let said = format!("the server did not take the Kerberos ticket: {}", error.code);
            Refusal::new(Stage::Ticket, Code::Ticket(error.code.0), said)
        }
        What::LogonRefused { user, status } => {
            let who = user.as_deref().unwrap_or("a user");
            let said = format!("the logon of {who} was refused: {status}");
            Refusal::new(Stage::Logon, Code::Nt(status.0), said)
        }
        What::TreeRefused { path, status } if is_ipc(path) || path.contains('@') => {
            let said = format!("{path} could not be connected: {status}");
            Refusal::new(Stage::Share, Code::Nt(status.0), said)
        }
        What::PipeRefused { name, status } if is_pipe(name) => {
            let said = format!("the pipe {pipe} could not be opened: {status}");
            Refusal::new(Stage::Pipe, Code::Nt(status.0), said)
        }
        What::PipeError { name: Some(name), status, .. } if is_pipe(name) => {
            let said = format!("the pipe {pipe} failed: {status}");
            Refusal::new(Stage::Hangup, Code::Nt(status.0), said)
        }
        What::Bound(bound) => return unbound(bound),
        What::Wrote { path, status } if status.is_error() => {
            let said = format!("a write to {path} failed: {status}");
            Refusal::new(Stage::Write, Code::Nt(status.0), said)
        }
        _ => return None,
    })
}

/// A bind of our interface that was refused.
fn unbound(bound: &Bound) -> Option<Refusal> {
    let interface = bound.interface.filter(|of| of.uuid == fsrvp::UUID)?;
    let (code, said) = match bound.answer {
        BindAnswer::Accepted => return None,
        BindAnswer::Refused(result, reason) => (
            Code::Refused(result, reason),
            format!(
                "the interface was not bound: {}, {}",
                named(RESULTS, result.into()),
                named(PROVIDER_REASONS, reason.into())
            ),
        ),
        BindAnswer::Nak(reason) => (
            Code::Nak(reason),
            format!("the bind was refused: {}", named(REJECT_REASONS, reason.into())),
        ),
        BindAnswer::Fault(status) => (
            Code::Fault(status),
            format!("the bind was refused: fault {}", named(FAULTS, status.into())),
        ),
    };
    let mut refusal = Refusal::new(Stage::Bind, code, said);
    let known = &mut refusal.circumstances;
    known.set(Circumstance::WeakAuth, is_weak(&bound.auth));
    known.set(Circumstance::OtherVersion, (interface.major, interface.minor) != fsrvp::VERSION);
    Some(refusal)
}

/// Whether a share is the one that has the pipes.
pub(super) fn is_ipc(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with("\\ipc$")
}
