//! [`Chart`]: what went wrong at one server, with what was known around it.
//!
//! It sees every call and everything beside the calls, keeps what it takes to know the circumstances
//! of what goes wrong ([`Visit`], by client), and makes a [`Symptom`] of each failure. What shows later
//! is asked for when the diagnosis is made ([`Chart::late`]).
//!
//! | file | what it keeps |
//! |---|---|
//! | `circumstance.rs`, `symptom.rs` | the words: what may be known, how far it was, what was said |
//! | `ledger/` | sets and shares: who started which, what was added, exposed, deleted |
//! | `trouble.rs` | what went wrong first with each set, and was not made good |
//! | `abroad.rs` | where a server goes when it is asked about the shares of other hosts |
//! | `observe.rs` | how these three are filled and asked |

mod abroad;
mod circumstance;
mod ledger;
mod observe;
mod symptom;
mod trouble;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use self::abroad::Abroad;
use self::ledger::Ledger;
use self::observe::says_no;
pub(super) use self::trouble::SymptomNo;
use self::trouble::Troubles;
use super::act::Act;
use super::finding::Finding;
use super::machine::Answer;
use super::say;
use crate::bytes::{Guid, Side, Time};
use crate::call::{Call, Transport};
use crate::pipeline::{Around, BindAnswer, What};
use crate::protocol::fsrvp;
use crate::rpc::Auth;
use crate::rpc::names::{FAULTS, PROVIDER_REASONS, REJECT_REASONS, RESULTS, named};
pub use circumstance::{Circumstance, Circumstances};
pub(super) use symptom::Symptom;
pub use symptom::{Code, Slot, Stage};

/// Failures of one server that are remembered; those that come after are not explained.
const MAX_SYMPTOMS: usize = 1024;
/// Clients of one server of whom more is known than their address.
const MAX_CLIENTS: usize = 256;
/// Seconds after which a client that does nothing is not expected to go on.
const PATIENCE: i64 = 180_000_000_000;

/// What is known of a client at this server.
#[derive(Debug, Default)]
struct Visit {
    /// The account it is logged on with, where that was told in clear.
    user: Option<String>,
    /// When it opened our pipe.
    pipe_opened: Option<Time>,
    /// When it ended a pipe or connection that was ours.
    closed: Option<Time>,
    /// When it was last heard of.
    heard: Time,
}

/// What went wrong at one server.
#[derive(Debug, Default)]
pub(super) struct Chart {
    /// Added by what goes wrong, no more than [`MAX_SYMPTOMS`]; nothing is removed.
    symptoms: Vec<Symptom>,
    /// Added by who is heard of, no more than [`MAX_CLIENTS`]; nothing is removed.
    visits: BTreeMap<IpAddr, Visit>,
    /// What went wrong first with each set.
    troubles: Troubles,
    /// The sets and shares.
    ledger: Ledger,
    /// Where the server goes.
    abroad: Abroad,
    /// The symptoms of a call, for what is found at it.
    by_call: FxHashMap<u64, SymptomNo>,
    /// When something last happened at this server.
    last: Time,
}

impl Chart {
    fn visit(&mut self, client: IpAddr) -> Option<&mut Visit> {
        let room = self.visits.len() < MAX_CLIENTS || self.visits.contains_key(&client);
        room.then(|| self.visits.entry(client).or_default())
    }

    /// A failure.
    pub(super) fn symptom(&self, no: SymptomNo) -> Option<&Symptom> {
        self.symptoms.get(no)
    }

    /// All failures.
    pub(super) fn symptoms(&self) -> impl Iterator<Item = (SymptomNo, &Symptom)> {
        self.symptoms.iter().enumerate()
    }

    /// What went wrong first with a set, and was not made good.
    pub(super) fn of_set(&self, set: Guid) -> Option<SymptomNo> {
        self.troubles.of(set)
    }

    pub(super) fn add(&mut self, symptom: Symptom) -> Option<SymptomNo> {
        if self.symptoms.len() >= MAX_SYMPTOMS {
            return None;
        }
        let no = self.symptoms.len();
        if let Some(call) = symptom.call {
            self.by_call.insert(call, no);
        }
        self.symptoms.push(symptom);
        Some(no)
    }

    /// Something beside the calls; the failure, if it is one.
    pub(super) fn around(&mut self, around: &Around) -> Option<SymptomNo> {
        let symptom = self.refused(around);
        self.notes(around, symptom);
        symptom
    }

    fn refused(&mut self, around: &Around) -> Option<SymptomNo> {
        self.last = self.last.max(around.time);
        let client = around.client.ip();
        let is_pipe = |name: &str| name.eq_ignore_ascii_case(fsrvp::PIPE);
        if let Some(visit) = self.visit(client) {
            visit.heard = visit.heard.max(around.time);
            match &around.what {
                What::LoggedOn { user, .. } if user.is_some() => visit.user.clone_from(user),
                What::PipeOpened { name: Some(name), .. } if is_pipe(name) => {
                    visit.pipe_opened = Some(around.time);
                }
                What::ChannelClosed { by: Some(Side::Client), .. } => {
                    visit.closed = Some(around.time);
                }
                _ => {}
            }
        }
        let (stage, code, said) = refusal(&around.what)?;
        let visit = self.visits.get(&client);
        let told = match &around.what {
            What::LogonRefused { user, .. } => user.clone(),
            _ => None,
        };
        let user = told.or_else(|| visit.and_then(|visit| visit.user.clone()));
        let mut circumstances = Circumstances::default();
        if let What::Bound(bound) = &around.what {
            circumstances.set(Circumstance::WeakAuth, is_weak(&bound.auth));
        }
        let mut symptom = Symptom {
            stage,
            code,
            opnum: None,
            call: None,
            frame: around.frame,
            time: around.time,
            client: Some(client),
            user,
            set: None,
            share: None,
            circumstances,
            values: Vec::new(),
            related: Vec::new(),
            found: Vec::new(),
            said,
        };
        self.about_copy(&around.what, &mut symptom);
        self.add(symptom)
    }

    /// A call is over; the failure, if it is one.
    pub(super) fn answered(&mut self, call: &Call, act: &Act) -> Option<SymptomNo> {
        let now = act.answered.unwrap_or(act.asked);
        self.last = self.last.max(now);
        let user = user_of(call);
        if let Some(visit) = self.visit(act.client) {
            visit.heard = visit.heard.max(now);
            if user.is_some() {
                visit.user.clone_from(&user);
            }
        }
        let user = user.or_else(|| self.visits.get(&act.client)?.user.clone());
        let known = self.enter(act, user.as_deref());
        let set = act.set().or_else(|| act.started()).filter(|id| !id.is_nil());
        let (stage, code) = match act.answer {
            answer if answer.is_success() && !says_no(act) => {
                if let Some(set) = set {
                    self.troubles.done(set, act);
                }
                self.asks(act, user.as_deref(), None);
                return None;
            }
            Answer::Status(status) => (Stage::Call, Code::Return(status)),
            Answer::Refused(fault) | Answer::Fault(fault) => (Stage::Call, Code::Fault(fault)),
            Answer::None => (Stage::Silence, Code::None),
            Answer::Hidden(_) | Answer::Begins => return None,
        };
        let mut circumstances = known.circumstances;
        circumstances.set(Circumstance::WeakAuth, is_weak(&call.rpc.auth));
        circumstances.set(Circumstance::OldDialect, has_old_dialect(call));
        let method = say::method(act.opnum);
        let said = match act.answer {
            Answer::None => format!("{method} (call {}) was not answered", act.n),
            _ if says_no(act) => format!("{method} (call {}) said no", act.n),
            answer => format!("{method} (call {}) returned {}", act.n, say::status(answer)),
        };
        let symptom = self.add(Symptom {
            stage,
            code,
            opnum: Some(act.opnum),
            call: Some(act.n),
            frame: None,
            time: now,
            client: Some(act.client),
            user: user.clone(),
            set,
            share: act.share().map(str::to_owned),
            circumstances,
            values: known.values.clone(),
            related: Vec::new(),
            found: Vec::new(),
            said,
        })?;
        self.troubled(set, act, symptom, &known);
        self.strayed(act, symptom, &known);
        self.asks(act, user.as_deref(), Some(symptom));
        Some(symptom)
    }

    /// Something was found at a call.
    pub(super) fn found(&mut self, finding: &Finding) {
        let at = finding.call.and_then(|call| self.by_call.get(&call));
        let Some(symptom) = at.and_then(|at| self.symptoms.get_mut(*at)) else { return };
        let rules = std::iter::once(&finding.rule).chain(&finding.also);
        symptom.found.extend(rules.map(Arc::clone));
    }

    /// A client has not gone on, though nothing was refused: a failure of its own.
    pub(super) fn stop(
        &self,
        (client, user): (Option<IpAddr>, Option<String>),
        set: Option<Guid>,
        (opnum, call, time): (Option<u16>, Option<u64>, Time),
        said: String,
    ) -> Symptom {
        let visit = client.and_then(|client| self.visits.get(&client));
        Symptom {
            stage: Stage::Stop,
            code: Code::None,
            opnum,
            call,
            frame: None,
            time,
            client,
            user: user.or_else(|| visit?.user.clone()),
            set,
            share: None,
            circumstances: Circumstances::default(),
            values: Vec::new(),
            related: Vec::new(),
            found: Vec::new(),
            said,
        }
    }

    /// The account of a client, where it was told in clear.
    pub(super) fn user(&self, client: IpAddr) -> Option<&str> {
        self.visits.get(&client)?.user.as_deref()
    }

    /// What is known around a symptom by now.
    pub(super) fn late(&self, symptom: &Symptom, profile: &str, end: Time) -> Circumstances {
        let mut known = Circumstances::default();
        known.set(Circumstance::Samba, profile == "samba");
        known.set(Circumstance::Windows, profile.starts_with("windows"));
        if let Some(user) = &symptom.user {
            known.set(Circumstance::ComputerAccount, user.ends_with('$'));
            known.set(Circumstance::Anonymous, is_nobody(user));
        }
        let visit = symptom.client.and_then(|client| self.visits.get(&client));
        if let Some(visit) = visit {
            let later = |time: Option<Time>| time.is_some_and(|time| time >= symptom.time);
            known.set(Circumstance::PipeOpensLater, later(visit.pipe_opened));
            known.set(Circumstance::ClientClosed, later(visit.closed));
            let idle = end.since(symptom.time.max(visit.heard));
            known.set(Circumstance::CaptureEnds, !later(visit.closed) && idle < PATIENCE);
        }
        self.lately(symptom, &mut known);
        known
    }
}

/// Who is logged on to the session of a call.
fn user_of(call: &Call) -> Option<String> {
    match &call.transport {
        Transport::NamedPipe(pipe) => pipe.user.clone(),
        Transport::Tcp => None,
    }
}

/// Whether nobody in particular is logged on.
fn is_nobody(user: &str) -> bool {
    let name = user.rsplit('\\').next().unwrap_or(user);
    name.is_empty()
        || ["anonymous", "guest", "ANONYMOUS LOGON"].iter().any(|of| name.eq_ignore_ascii_case(of))
}

/// Whether somebody on the way could change the call (\[MS-FSRVP\] 2.1 wants integrity at least).
fn is_weak(auth: &Auth) -> bool {
    const INTEGRITY: u8 = 5;
    auth.auth_type == 0 || auth.level < INTEGRITY
}

fn has_old_dialect(call: &Call) -> bool {
    let Transport::NamedPipe(pipe) = &call.transport else { return false };
    pipe.dialect.as_deref().is_some_and(|dialect| !dialect.starts_with('3'))
}

/// Whether something bars a client: how far it had come, what was said, and both in a sentence.
fn refusal(what: &What) -> Option<(Stage, Code, String)> {
    let is_pipe = |name: &str| name.eq_ignore_ascii_case(fsrvp::PIPE);
    let is_ipc = |path: &str| path.to_ascii_lowercase().ends_with("\\ipc$");
    let pipe = fsrvp::PIPE;
    Some(match what {
        What::LogonRefused { user, status } => {
            let who = user.as_deref().unwrap_or("a user");
            let said = format!("the logon of {who} was refused: {status}");
            (Stage::Logon, Code::Nt(status.0), said)
        }
        What::TreeRefused { path, status } if is_ipc(path) || path.contains('@') => {
            let said = format!("{path} could not be connected: {status}");
            (Stage::Share, Code::Nt(status.0), said)
        }
        What::PipeRefused { name, status } if is_pipe(name) => {
            let said = format!("the pipe {pipe} could not be opened: {status}");
            (Stage::Pipe, Code::Nt(status.0), said)
        }
        What::PipeError { name: Some(name), status, .. } if is_pipe(name) => {
            (Stage::Hangup, Code::Nt(status.0), format!("the pipe {pipe} failed: {status}"))
        }
        What::Bound(bound) if bound.interface.is_some_and(|of| of.uuid == fsrvp::UUID) => {
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
            (Stage::Bind, code, said)
        }
        What::Wrote { path, status } if status.is_error() => {
            (Stage::Write, Code::Nt(status.0), format!("a write to {path} failed: {status}"))
        }
        _ => return None,
    })
}
