//! [`Errands`]: what each client came for beside its shadow copy sets, and whether it got it.
//!
//! A set tells by itself how it ended. What never became one is here: a pipe that was missing, a
//! bind or a logon that was refused, a `SetContext` or `StartShadowCopySet` that failed, questions.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::act::{Act, share_key};
use super::chart::{Noted, SymptomNo};
use super::crowd::room;
use super::machine::Answer;
use super::report::Operation;
use super::tracker::SECOND;
use crate::bytes::{Guid, Time};
use crate::pipeline::{Around, BindAnswer, Refuser, What};
use crate::protocol::fsrvp::{self, Request};

/// Clients of a server whose errands are known; those of others are not looked at.
const MAX_CLIENTS: usize = 256;
/// Errands of one client that failed before it got on.
const MAX_OVER: usize = 64;
/// Shares that a client has asked about on one errand.
const MAX_SHARES: usize = 16;
/// After which nanoseconds a client that was refused comes for something else.
const NEW: i64 = 3600 * SECOND;

/// What a client wants of a server.
#[derive(Debug, Default)]
struct Errand {
    /// Why it could not connect, so far.
    unreached: Option<Bar>,
    /// Why it could not log on, so far, and when that was.
    outside: Option<(Bar, Time)>,
    /// Whether that is a ticket, which is the reason of what follows from it.
    ticket: bool,
    /// Why it could not call, so far.
    barred: Option<Bar>,
    /// The last call that did what it was for.
    done: Option<Done>,
    /// Number of the last call that was answered.
    answered: Option<u64>,
    /// Number of the last call that asked for a context or a set.
    begun: Option<u64>,
    /// Whether it has started a set, since it last came; and at any time.
    started: bool,
    ever_started: bool,
    /// When it first called, or came for our pipe, since it last started a set; and when it last did.
    began: Option<Time>,
    last: Time,
    /// How far it is on the way to a set.
    wanted: Progress,
    /// What stopped it on the way to a set before it got a context.
    earlier: Option<Progress>,
    /// When it was last stopped on that way.
    refused: Option<Time>,
    /// What failed and is over. Added when a set is started after all, or much later; no more than
    /// [`MAX_OVER`], nothing is removed.
    over: Vec<End>,
    /// The shares that it has asked about since it last started a set, no more than [`MAX_SHARES`].
    shares: Vec<String>,
    /// The context it last asked for.
    context: Option<u32>,
    /// How what else it asked ended, which matters if it has started no set.
    asked: Progress,
}

/// Something that keeps a client out, with its symptom, if there is room for it.
type Bar = Option<SymptomNo>;

/// A call that did what it was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) opnum: u16,
    pub(super) call: u64,
    pub(super) time: Time,
}

/// How an errand ended.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub(super) client: IpAddr,
    pub(super) operation: Operation,
    /// What stopped it.
    pub(super) symptom: Option<SymptomNo>,
    /// How far it got.
    pub(super) done: Option<Done>,
    /// The shares that it asked about, and the context it asked for.
    pub(super) shares: Vec<String>,
    pub(super) context: Option<u32>,
    /// When it began.
    pub(super) began: Option<Time>,
    /// The set that its client started next.
    pub(super) next: Option<Guid>,
}

/// How far somebody got, and what stopped it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    operation: Operation,
    symptom: Option<SymptomNo>,
}

impl Progress {
    /// What comes next; of failures in a row the first is the reason.
    fn becomes(&mut self, next: Self) {
        if (self.operation, next.operation) != (Operation::Failed, Operation::Failed) {
            *self = next;
        }
    }
}

impl Errand {
    /// Since when nothing of ours is lost if it is forgotten; nothing if it would be.
    fn is_idle(&self) -> Option<Time> {
        let none = self.answered.is_none()
            && self.barred.is_none()
            && self.over.is_empty()
            && self.progress().is_none();
        none.then_some(self.last)
    }

    /// It comes for something of ours. After a long time that is something else, and what failed before
    /// is over.
    fn comes(&mut self, client: IpAddr, now: Time) {
        if now.since(self.last) > NEW {
            if let Some(failed) = self.progress().filter(|of| of.operation == Operation::Failed) {
                self.is_over(client, failed, None);
            }
            self.barred = None;
            self.done = None;
            self.started = false;
            self.earlier = None;
            self.wanted = Progress::default();
            self.asked = Progress::default();
            self.shares.clear();
            self.context = None;
            self.began = None;
        }
        self.began.get_or_insert(now);
        self.last = self.last.max(now);
    }

    /// It is refused the logon at this time, or let in.
    fn logs_on(&mut self, client: IpAddr, refused: Option<Bar>, now: Time) {
        if let Some((symptom, _)) = self.outside.take().filter(|(_, at)| now.since(*at) > NEW)
            && self.answered.is_some()
        {
            self.is_over(client, Progress { operation: Operation::Failed, symptom }, None);
        }
        self.outside = refused.map(|bar| (bar, now));
    }

    /// What it is about.
    fn asks(&mut self, act: &Act) {
        match &act.request {
            Some(Request::SetContext(of)) => self.context = Some(of.context.0),
            Some(Request::IsPathSupported(of)) => {
                let key = share_key(&of.share_name);
                let known = self.shares.iter().any(|share| share_key(share) == key);
                if !known && self.shares.len() < MAX_SHARES {
                    self.shares.push(of.share_name.clone());
                }
            }
            _ => {}
        }
    }

    /// It has got a context, or a set.
    fn gets_on(&mut self, act: &Act) {
        let stopped = Some(self.wanted).filter(|wanted| wanted.operation == Operation::Failed);
        self.earlier = self.earlier.or(stopped);
        self.asked = Progress::default();
        if act.opnum == 1 {
            self.wanted = Progress { operation: Operation::Unfinished, symptom: None };
            return;
        }
        self.end(act, act.started());
        self.started = true;
        self.ever_started = true;
        self.wanted = Progress::default();
        self.shares.clear();
        self.began = None;
    }

    /// It has not got a context, or a set; of failures in a row the first is the reason.
    fn is_refused(&mut self, act: &Act, progress: Progress) {
        if self.refused.is_some_and(|at| act.asked.since(at) > NEW) {
            let stopped = Some(self.wanted).filter(|wanted| wanted.operation == Operation::Failed);
            self.earlier = self.earlier.or(stopped);
            self.end(act, None);
            self.wanted = Progress::default();
            self.began = Some(act.asked);
        }
        self.refused = Some(act.answered.unwrap_or(act.asked));
        match self.earlier.take() {
            Some(first) => self.wanted = first,
            None => self.wanted.becomes(progress),
        }
    }

    /// How the last that it came for ended.
    fn progress(&self) -> Option<Progress> {
        if let Some(symptom) = self.barred {
            return Some(Progress { operation: Operation::Failed, symptom });
        }
        let asked = Some(&self.asked).filter(|_| !self.started);
        let ends = [Some(&self.wanted), asked].into_iter().flatten();
        let progress = ends.max_by_key(|progress| match progress.operation {
            // Of two that are equal the last is taken, and what was wanted comes before.
            Operation::None => (0, 0),
            Operation::Failed => (2, u8::from(*progress == &self.wanted)),
            _ => (1, u8::from(*progress == &self.wanted)),
        });
        progress.copied().filter(|progress| progress.operation != Operation::None)
    }

    /// What stopped it is over.
    fn end(&mut self, act: &Act, next: Option<Guid>) {
        if let Some(progress) = self.earlier.take() {
            self.is_over(act.client, progress, next);
        }
    }

    fn is_over(&mut self, client: IpAddr, of: Progress, next: Option<Guid>) {
        let Progress { operation, symptom } = of;
        if self.over.len() < MAX_OVER {
            let (shares, context, began) = (self.shares.clone(), self.context, self.began);
            let done = None;
            self.over.push(End { client, operation, symptom, done, shares, context, began, next });
        }
    }
}

/// The errands of the clients of one server.
#[derive(Debug, Default)]
pub(super) struct Errands {
    /// Added when a client calls or is kept out, no more than [`MAX_CLIENTS`]. Beyond that one makes
    /// room that was kept out before anybody knew what it came for.
    all: BTreeMap<IpAddr, Errand>,
    /// What clients came for whom there was no room.
    beyond: u64,
}

impl Errands {
    fn of(&mut self, client: IpAddr) -> Option<&mut Errand> {
        let errand = room(&mut self.all, client, MAX_CLIENTS, Errand::is_idle);
        self.beyond += u64::from(errand.is_none());
        errand
    }

    /// Whether there were more clients than are looked at.
    pub(super) fn is_crowded(&self) -> bool {
        self.beyond > 0
    }

    /// Something beside the calls, by a machine that is known as `client`, and what the chart has noted
    /// of it.
    pub(super) fn around(&mut self, client: IpAddr, around: &Around, noted: Noted) {
        if matches!(around.what, What::Lost | What::Sealed) {
            return self.forget(client);
        }
        let Some((stage, bars)) = bar(&around.what, noted) else { return };
        // Who is let in, and was never kept out, has come for nothing of ours so far.
        let errand = if bars { self.of(client) } else { self.all.get_mut(&client) };
        let Some(errand) = errand else { return };
        let bar = bars.then_some(noted.symptom);
        let ticket = matches!(around.what, What::TicketRefused { .. });
        match stage {
            Stage::Unreached => errand.unreached = bar,
            Stage::Outside if bars && errand.ticket && !ticket => {}
            Stage::Outside => {
                errand.logs_on(client, bar, around.time);
                errand.ticket = ticket;
            }
            Stage::Pipe | Stage::Open => {
                errand.comes(client, around.time);
                // An open pipe that fails later fails what is under way, and that tells by itself.
                if stage == Stage::Pipe || errand.answered.is_none() {
                    errand.barred = bar;
                }
            }
        }
    }

    /// A call is over; and its symptom, if it failed.
    pub(super) fn answered(&mut self, act: &Act, symptom: Option<SymptomNo>) {
        let Some(errand) = self.of(act.client) else { return };
        errand.comes(act.client, act.asked);
        errand.last = errand.last.max(act.answered.unwrap_or(act.asked));
        errand.asks(act);
        if matches!(act.opnum, 1 | 2) {
            errand.begun = errand.begun.max(Some(act.n));
        }
        if act.answered.is_some() {
            errand.barred = None;
            errand.answered = errand.answered.max(Some(act.n));
        } else if errand.answered > Some(act.n) {
            // That there is no answer is known late; the client went on.
            return;
        }
        let operation = match act.answer {
            // A failure that succeeds says no to what it was asked for.
            answer if answer.is_success() && symptom.is_none() => Operation::Completed,
            Answer::Hidden(_) => Operation::Unknown,
            Answer::None => Operation::Unfinished,
            _ => Operation::Failed,
        };
        if operation == Operation::Completed {
            let time = act.answered.unwrap_or(act.asked);
            errand.done = Some(Done { opnum: act.opnum, call: act.n, time });
        }
        let progress = Progress { operation, symptom };
        match (act.opnum, operation) {
            (1 | 2, Operation::Completed) => errand.gets_on(act),
            (1 | 2, Operation::Failed) => errand.is_refused(act, progress),
            (1 | 2, _) => errand.wanted.becomes(progress),
            // Whoever goes on with a set has not been stopped.
            (3..=6 | 12, Operation::Completed) => {
                errand.wanted = Progress::default();
                errand.asked = progress;
            }
            // Nor does it stop a backup what is done behind its set.
            (7 | 11, Operation::Failed) if errand.ever_started => {}
            // Servers that cannot tell are common, and clients go on.
            (9, Operation::Failed) if errand.asked.operation != Operation::None => {}
            _ => errand.asked.becomes(progress),
        }
    }

    /// Calls of a client may have been missed: what was not done may have been.
    pub(super) fn forget(&mut self, client: IpAddr) {
        let unknown = || Progress { operation: Operation::Unknown, symptom: None };
        let Some(errand) = self.all.get_mut(&client) else { return };
        errand.unreached = None;
        errand.outside = None;
        let barred = errand.barred.take().is_some();
        if barred || errand.wanted.operation != Operation::None {
            errand.wanted = unknown();
        }
        if errand.asked.operation != Operation::None {
            errand.asked = unknown();
        }
    }

    /// How each errand ended, where its sets do not say it, and what stopped it.
    pub(super) fn ends(&self) -> impl Iterator<Item = End> {
        self.all.iter().flat_map(|(client, errand)| {
            let last = errand.progress().map(|Progress { operation, symptom }| End {
                client: *client,
                operation,
                symptom,
                done: errand.done,
                shares: errand.shares.clone(),
                context: errand.context,
                began: errand.began,
                next: None,
            });
            errand.over.iter().cloned().chain(last)
        })
    }

    /// Who could not even log on, and why; and whether that is all that is known, because there was no
    /// connection.
    pub(super) fn outside(&self) -> impl Iterator<Item = (IpAddr, Bar, bool)> {
        self.all.iter().filter_map(|(client, errand)| {
            let reason = errand.outside.map(|(bar, _)| (bar, false));
            let (bar, unreached) = reason.or(errand.unreached.map(|bar| (bar, true)))?;
            Some((*client, bar, unreached))
        })
    }

    /// Whether a client has called, or was kept from it.
    pub(super) fn has(&self, client: IpAddr) -> bool {
        self.all.get(&client).is_some_and(|errand| errand.is_idle().is_none())
    }

    /// Whether a client was ever answered a call.
    pub(super) fn is_known(&self, client: IpAddr) -> bool {
        self.all.get(&client).is_some_and(|errand| errand.answered.is_some())
    }

    /// Whether a client has asked for a context or a set since this call.
    pub(super) fn went_on(&self, client: IpAddr, since: u64) -> bool {
        self.all.get(&client).is_some_and(|errand| errand.begun > Some(since))
    }

    /// The last call of a client that did what it was for.
    pub(super) fn done(&self, client: IpAddr) -> Option<Done> {
        self.all.get(&client)?.done
    }

    /// Whether a client was kept out when its pipe was open, or should have been.
    pub(super) fn is_barred(&self, client: IpAddr) -> bool {
        self.all.get(&client).is_some_and(|errand| errand.barred.is_some())
    }
}

/// How far a client had come when it was refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// There was no connection.
    Unreached,
    /// It was not let in: whether it came for our pipe is not known.
    Outside,
    /// Before its pipe was open, or before the interface was bound.
    Pipe,
    /// The pipe was open.
    Open,
}

/// Whether something bars a client, or lets it on.
fn bar(what: &What, noted: Noted) -> Option<(Stage, bool)> {
    let is_pipe = |name: &str| name.eq_ignore_ascii_case(fsrvp::PIPE);
    let is_ipc = |path: &str| path.to_ascii_lowercase().ends_with("\\ipc$");
    Some(match what {
        What::Unreachable { .. } if noted.symptom.is_none() => return None,
        What::Unreachable { .. } => (Stage::Unreached, true),
        What::Negotiated(_) => (Stage::Unreached, false),
        What::TicketRefused { by: Refuser::Service, .. } | What::LogonRefused { .. } => {
            (Stage::Outside, true)
        }
        What::LoggedOn { .. } => (Stage::Outside, false),
        What::TreeRefused { path, .. } if is_ipc(path) => (Stage::Outside, true),
        What::TreeConnected { path } if is_ipc(path) => (Stage::Outside, false),
        What::PipeRefused { name, .. } if is_pipe(name) => (Stage::Pipe, true),
        What::ChannelClosed { .. } | What::PipeError { .. } if noted.unbound => (Stage::Pipe, true),
        What::PipeError { name: Some(name), .. } if is_pipe(name) => (Stage::Open, true),
        What::Bound(bound) if bound.interface.is_some_and(|of| of.uuid == fsrvp::UUID) => {
            (Stage::Pipe, bound.answer != BindAnswer::Accepted)
        }
        _ => return None,
    })
}
