//! [`Chart`]: what went wrong at one server, with what was known around it.
//!
//! It sees every call and everything beside the calls, keeps what it takes to know the circumstances
//! of what goes wrong ([`Visit`], by client; [`Course`], who is how far, and since when; [`Doors`], by
//! pipe; [`Owners`] of shares), and makes a [`Symptom`] of each failure. What shows later is asked for
//! when the diagnosis is made ([`Chart::late`]).
//!
//! | file | what it keeps |
//! |---|---|
//! | `circumstance.rs`, `symptom.rs` | the words: what may be known, how far it was, what was said |
//! | `refusal.rs`, `doors.rs` | what bars a client before a call, and pipes that give no answer |
//! | `visit.rs`, `owners.rs` | clients, and who is told to own their shares |
//! | `course.rs`, `order.rs`, `stop.rs` | how far each client and set is, and who does not go on |
//! | `ledger/` | sets and shares: who started which, what was added, exposed, deleted |
//! | `trouble.rs` | what went wrong first with each set, and was not made good |
//! | `abroad.rs` | where a server goes when it is asked about the shares of other hosts |
//! | `observe.rs` | how these three are filled and asked |

#[macro_use]
mod worded;

mod abroad;
mod circumstance;
mod course;
mod doors;
mod ledger;
mod observe;
mod order;
mod owners;
mod refusal;
mod stop;
mod symptom;
mod trouble;
mod visit;

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
use super::crowd::room;
use super::finding::Finding;
use super::machine::Answer;
use super::say;
use crate::bytes::{Guid, Time};
use crate::call::{Call, Transport};
use crate::pipeline::{Around, LogonKind, What};
pub use circumstance::{Circumstance, Circumstances};
use course::Course;
use doors::Doors;
pub(super) use owners::{Owners, Told};
use refusal::{Refusal, refusal};
use symptom::Likeness;
pub(super) use symptom::Symptom;
pub use symptom::{Code, Protocol, Slot, Stage};
pub(super) use visit::is_nobody;
pub(super) use visit::is_weak;
use visit::{Visit, has_old_dialect, is_old, user_of};

/// Failures of one server that are remembered; those that come after are not explained.
const MAX_SYMPTOMS: usize = 1024;
/// Failures that are alike and are remembered each by itself.
const MAX_ALIKE: u32 = 64;
/// Clients of one server of whom more is known than their address.
const MAX_CLIENTS: usize = 256;
/// Sessions of one server of which it is known as whom the server took their users; beyond it all are
/// forgotten.
const MAX_SESSIONS: usize = 4096;
/// Nanoseconds after which a client that does nothing is not expected to go on.
pub(super) const PATIENCE: i64 = 180_000_000_000;

/// What becomes of something beside the calls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Noted {
    /// The failure, if it is one and there is room for it.
    pub(super) symptom: Option<SymptomNo>,
    /// Whether it left a client outside that waited for the answer to its bind.
    pub(super) unbound: bool,
}

/// What went wrong at one server.
#[derive(Debug, Default)]
pub(super) struct Chart {
    /// Added by what goes wrong, no more than [`MAX_SYMPTOMS`]; nothing is removed.
    symptoms: Vec<Symptom>,
    /// Added by who is heard of, no more than [`MAX_CLIENTS`]. Beyond that one makes room that has not
    /// come for our pipe.
    visits: BTreeMap<IpAddr, Visit>,
    /// What went wrong first with each set.
    troubles: Troubles,
    /// The sets and shares.
    ledger: Ledger,
    /// Where the server goes.
    abroad: Abroad,
    /// Who is how far.
    course: Course,
    /// What was worth telling of calls that did what they are for; each is told once.
    noticed: Circumstances,
    /// How many failures are alike, and the last of them. Added with [`Self::symptoms`].
    alike: FxHashMap<Likeness, (u32, SymptomNo)>,
    /// Whether a failure was not remembered.
    overflow: bool,
    /// The symptoms of a call, for what is found at it.
    by_call: FxHashMap<u64, SymptomNo>,
    /// As whom the server took the users of sessions. Added by logons, up to [`MAX_SESSIONS`].
    sessions: FxHashMap<u64, LogonKind>,
    doors: Doors,
    pub(super) owners: Owners,
    /// When something last happened at this server.
    last: Time,
}

impl Chart {
    fn visit(&mut self, client: IpAddr) -> Option<&mut Visit> {
        let idle = |of: &Visit| (!of.ours).then_some(of.heard);
        room(&mut self.visits, client, MAX_CLIENTS, idle)
    }

    /// The address by which a machine is known that has several.
    pub(super) fn machine(&self, client: IpAddr) -> IpAddr {
        self.course.machine(client)
    }

    /// A failure.
    pub(super) fn symptom(&self, no: SymptomNo) -> Option<&Symptom> {
        self.symptoms.get(no)
    }

    /// Whether there were failures that are not remembered.
    pub(super) fn is_full(&self) -> bool {
        self.overflow
    }

    /// All failures.
    pub(super) fn symptoms(&self) -> impl Iterator<Item = (SymptomNo, &Symptom)> {
        self.symptoms.iter().enumerate()
    }

    /// What went wrong first with a set, and was not made good.
    pub(super) fn of_set(&self, set: Guid) -> Option<SymptomNo> {
        self.troubles.of(set)
    }

    /// Remembers a failure. The last of those that are alike stands for all that come after
    /// [`MAX_ALIKE`] of them, and for all where there is no room.
    pub(super) fn add(&mut self, symptom: Symptom) -> Option<SymptomNo> {
        let full = self.symptoms.len() >= MAX_SYMPTOMS;
        let no = self.symptoms.len();
        let (n, last) = self.alike.get(&symptom.likeness()).copied().unwrap_or_default();
        if n >= MAX_ALIKE || full && n > 0 {
            return Some(last);
        }
        if full {
            self.overflow = true;
            return None;
        }
        self.alike.insert(symptom.likeness(), (n + 1, no));
        if let Some(call) = symptom.call {
            self.by_call.insert(call, no);
        }
        self.symptoms.push(symptom);
        Some(no)
    }

    /// Something beside the calls; the failure, if it is one.
    pub(super) fn around(&mut self, around: &Around) -> Noted {
        let noted = self.barred_by(around);
        self.notes(around, noted.symptom);
        noted
    }

    fn barred_by(&mut self, around: &Around) -> Noted {
        self.last = self.last.max(around.time);
        self.course.around(around);
        self.owners.around(around);
        let client = around.client.ip();
        self.meet(client, around);
        let unbound = match &around.what {
            What::PipeError { channel, .. } => self.doors.is_unbound(*channel),
            _ => false,
        };
        let ended = self.doors.around(around);
        for no in ended.hung_up {
            if let Some(symptom) = self.symptoms.get_mut(no) {
                symptom.stage = Stage::Hangup;
                symptom.circumstances.set(Circumstance::ServerClosed, true);
            }
        }
        let refused = refusal(around).filter(|_| !self.is_other_way(client, around));
        let Some(mut refused) = ended.refusal.or(refused) else { return Noted::default() };
        refused.circumstances.set(Circumstance::Unbound, unbound);
        let unbound = refused.circumstances.has(Circumstance::Unbound);
        let symptom = self.refused(client, around, refused);
        Noted { symptom, unbound }
    }

    /// What is known of a client by something beside the calls.
    fn meet(&mut self, client: IpAddr, around: &Around) {
        if let What::LoggedOn { session_id, how, .. } = &around.what {
            if self.sessions.len() >= MAX_SESSIONS {
                self.sessions.clear();
            }
            self.sessions.insert(*session_id, *how);
        }
        let closes = match &around.what {
            What::ChannelClosed { channel, .. } => self.doors.has(*channel),
            _ => false,
        };
        if let Some(visit) = self.visit(client) {
            visit.meet(around, closes);
        }
    }

    /// Whether a connect came to nothing while another got through: clients try both ports of SMB, and
    /// several addresses.
    fn is_other_way(&self, client: IpAddr, around: &Around) -> bool {
        let What::Unreachable { since, .. } = around.what else { return false };
        self.visits.get(&client).is_some_and(|visit| visit.met >= Some(since))
    }

    /// Something bars a client.
    fn refused(&mut self, client: IpAddr, around: &Around, refusal: Refusal) -> Option<SymptomNo> {
        let visit = self.visits.get(&client);
        let told = match &around.what {
            What::LogonRefused { user, .. } => user.clone(),
            What::TicketRefused { error, .. } => error.client.clone(),
            _ => None,
        };
        let Refusal { stage, code, said, mut circumstances } = refusal;
        let logged_on = !matches!(stage, Stage::Connect | Stage::Ticket | Stage::Logon);
        let again = visit.is_some_and(|visit| visit.pipe_refused > 1);
        circumstances.set(Circumstance::PipeAskedAgain, stage == Stage::Pipe && again);
        let old = visit.and_then(|visit| visit.dialect.as_deref()).is_some_and(is_old);
        circumstances.set(Circumstance::OldDialect, old);
        let nobody = visit.is_some_and(|of| of.logon != LogonKind::User && !of.several);
        circumstances.set(Circumstance::Anonymous, nobody && logged_on);
        let user = told.or_else(|| self.user(client).filter(|_| logged_on).map(str::to_owned));
        let mut symptom = Symptom {
            frame: around.frame,
            client: Some(client),
            user,
            circumstances,
            ..Symptom::new(stage, code, around.time, said)
        };
        self.about_copy(&around.what, &mut symptom);
        self.add(symptom)
    }

    /// A call to the server at `addresses` is over; the failure, if it is one.
    pub(super) fn answered(
        &mut self,
        call: &Call,
        act: &Act,
        addresses: &[IpAddr],
    ) -> Option<SymptomNo> {
        let now = act.answered.unwrap_or(act.asked);
        self.last = self.last.max(now);
        let seen = self.seen(act);
        self.course.answered(call, act);
        let user = user_of(call);
        if let Some(visit) = self.visit(act.client) {
            visit.ours = true;
            visit.heard = visit.heard.max(now);
            visit.met = visit.met.max(act.answered);
            if visit.name.is_none() {
                visit.name.clone_from(&call.client.name);
            }
            if user.is_some() {
                visit.user.clone_from(&user);
            }
        }
        if act.answered.is_some() {
            self.doors.answered(act.channel);
        }
        let user = user.or_else(|| self.user(act.client).map(str::to_owned));
        let known = self.enter(act, user.as_deref());
        let set = act.set().or_else(|| act.started()).filter(|id| !id.is_nil());
        let failed = self.doors.failed(act.channel);
        let (stage, code) = match act.answer {
            answer if answer.is_success() && !says_no(act) => {
                if let Some(set) = set {
                    self.troubles.done(set, act);
                }
                self.asks(act, user.as_deref(), None);
                self.owners.done(act);
                if !self.notices(seen.circumstances) {
                    return None;
                }
                (Stage::Done, Code::None)
            }
            Answer::Status(status) => (Stage::Call, Code::Return(status)),
            Answer::Refused(fault) | Answer::Fault(fault) => (Stage::Call, Code::Fault(fault)),
            Answer::None => match failed {
                Some(status) => (Stage::Hangup, Code::Nt(status)),
                None => (Stage::Silence, Code::None),
            },
            Answer::Hidden(_) | Answer::Begins => return None,
        };
        let mut circumstances = seen.circumstances.and(known.circumstances);
        circumstances.set(Circumstance::NearLoss, call.rpc.near_loss);
        circumstances.set(Circumstance::WeakAuth, is_weak(&call.rpc.auth));
        circumstances.set(Circumstance::OldDialect, has_old_dialect(call));
        circumstances.set(Circumstance::Anonymous, self.is_nobodys(call));
        let method = say::method(act.opnum);
        let said = match act.answer {
            Answer::None => format!("{method} (call {}) was not answered", act.n),
            _ if says_no(act) => format!("{method} (call {}) said no", act.n),
            answer => format!("{method} (call {}) returned {}", act.n, say::status(answer)),
        };
        let mut symptom = Symptom {
            opnum: Some(act.opnum),
            call: Some(act.n),
            client: Some(act.client),
            user: user.clone(),
            set,
            share: act.share().map(str::to_owned),
            circumstances,
            values: [seen.values, known.values.clone()].concat(),
            related: seen.related,
            ..Symptom::new(stage, code, now, said)
        };
        if let Some(told) = self.owners.elsewhere(act, addresses) {
            symptom.send_on(told);
        }
        let symptom = self.add(symptom)?;
        if stage == Stage::Done {
            return None;
        }
        if stage == Stage::Silence {
            self.doors.silent(act.channel, symptom);
        }
        self.troubled(set, act, symptom, &known);
        self.strayed(act, symptom, &known);
        self.asks(act, user.as_deref(), Some(symptom));
        Some(symptom)
    }

    /// Whether the session of a call is nobody's in particular.
    fn is_nobodys(&self, call: &Call) -> bool {
        let Transport::NamedPipe(pipe) = &call.transport else { return false };
        self.sessions.get(&pipe.session_id).is_some_and(|kind| *kind != LogonKind::User)
    }

    /// What a client is called.
    pub(super) fn name_of(&self, client: IpAddr) -> Option<&str> {
        self.visits.get(&client)?.name.as_deref()
    }

    /// Whether somebody was logged on from there, at any time.
    pub(super) fn let_in(&self, client: IpAddr) -> bool {
        self.visits.get(&client).is_some_and(|visit| visit.logged_on)
    }

    /// Whether a client that was last heard of at this time may go on behind the end of the capture.
    pub(super) fn may_go_on(&self, client: IpAddr, since: Time, end: Time) -> bool {
        self.visits.get(&client).is_some_and(|visit| {
            let closed = visit.closed.is_some_and(|closed| closed >= since);
            !closed && end.since(since.max(visit.heard)) < PATIENCE
        })
    }

    /// Who has opened our pipe, and when it last did.
    pub(super) fn guests(&self) -> impl Iterator<Item = (IpAddr, Time)> {
        self.visits.iter().filter_map(|(client, visit)| Some((*client, visit.pipe_opened?)))
    }

    /// When a client was last heard of.
    pub(super) fn heard(&self, client: IpAddr) -> Option<Time> {
        self.visits.get(&client).map(|visit| visit.heard)
    }

    /// Something was found at a call.
    pub(super) fn found(&mut self, finding: &Finding) {
        let at = finding.call.and_then(|call| self.by_call.get(&call));
        let Some(symptom) = at.and_then(|at| self.symptoms.get_mut(*at)) else { return };
        let rules = std::iter::once(&finding.rule).chain(&finding.also);
        symptom.found.extend(rules.map(Arc::clone));
    }

    /// A request that the server will work on for a while.
    pub(super) fn asked(&mut self, call: &Call) {
        if let Some(visit) = self.visit(call.client.addr.ip()) {
            visit.heard = visit.heard.max(call.time);
        }
        self.course.asked(call);
    }

    /// The server was started again, for certain.
    pub(super) fn restarted(&mut self, now: Time) {
        self.course.restarted = Some(now);
    }

    /// Whether something is worth telling that was not told yet.
    fn notices(&mut self, of: Circumstances) -> bool {
        let new = [Circumstance::Unprepared, Circumstance::AbortedLate]
            .into_iter()
            .filter(|what| of.has(*what) && !self.noticed.has(*what));
        let new: Circumstances = new.collect();
        self.noticed = self.noticed.and(new);
        new != Circumstances::default()
    }

    /// The account of a client, where it was told in clear and is the only one.
    pub(super) fn user(&self, client: IpAddr) -> Option<&str> {
        self.visits.get(&client).filter(|visit| !visit.several)?.user.as_deref()
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
        }
        let goes_on = symptom.client.is_some_and(|of| self.may_go_on(of, symptom.time, end));
        known.set(Circumstance::CaptureEnds, goes_on);
        self.since(symptom, end, &mut known);
        self.lately(symptom, &mut known);
        known
    }
}
