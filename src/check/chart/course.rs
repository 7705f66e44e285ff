//! [`Course`]: how far each client and each shadow copy set has come, when, and what time the server
//! then had set.
//!
//! It rests on what was answered alone, and is the same under every profile. Where calls may have been
//! missed, it knows nothing of what was not done.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::bytes::{Guid, Time};
use crate::call::Call;
use crate::check::act::{Act, share_key};
use crate::check::crowd::room;
use crate::check::machine::Answer;
use crate::check::tracker::SECOND;
use crate::pipeline::{Around, What};
use crate::protocol::fsrvp::{self, Status};

/// Clients of one server that are followed.
const MAX_CLIENTS: usize = 256;
/// `ClientGuid`s of one server that are known.
const MAX_MACHINES: usize = 4096;
/// Sets of one server that are followed.
const MAX_SETS: usize = 4096;
/// Shares of one client that the server has accepted.
const MAX_SHARES: usize = 64;

/// What the Message Sequence Timer is set to, but for calls that wait for other work (3.1.4).
pub(super) const SHORT: i64 = 180;
/// What it is set to where there is other work to wait for: after Add, Prepare and `GetShareMapping`.
const LONG: i64 = 1800;

/// How far a set has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    Started,
    Added,
    Prepared,
    Committed,
    Exposed,
    Recovered,
}

impl Progress {
    /// What its client had done, for somebody who has never heard of it.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Started => "had only begun",
            Self::Added => "had named its shares",
            Self::Prepared => "had prepared the snapshot",
            Self::Committed => "had taken the snapshot",
            Self::Exposed => "had taken and opened the snapshot",
            Self::Recovered => "had finished",
        }
    }

    /// Whether the specification has a place for this operation here.
    pub(super) fn allows(self, opnum: u16) -> bool {
        match opnum {
            3 => self <= Self::Prepared,
            4 | 12 => matches!(self, Self::Added | Self::Prepared),
            5 => self == Self::Committed,
            6 | 10 => self == Self::Exposed,
            11 => self >= Self::Exposed,
            _ => true,
        }
    }
}

/// The server's timer, as a call has set it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Armed {
    pub(super) call: u64,
    pub(super) at: Time,
    pub(super) seconds: i64,
}

impl Armed {
    fn new(act: &Act, seconds: i64) -> Self {
        Self { call: act.n, at: act.answered.unwrap_or(act.asked), seconds }
    }

    /// Nanoseconds until it runs out; less than none where it has.
    pub(super) fn left(self, now: Time) -> i64 {
        self.seconds.saturating_mul(SECOND).saturating_sub(now.since(self.at))
    }
}

/// How a set ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// `AbortShadowCopySet`.
    Aborted,
    /// Its client called `SetContext` once more (3.1.4.2).
    Discarded,
    /// Its last copy was deleted.
    Deleted,
}

/// The end of a set.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) fate: Fate,
    pub(super) by: IpAddr,
    pub(super) call: u64,
    pub(super) at: Time,
}

/// A set, as its calls show it.
#[derive(Clone, Debug)]
pub(super) struct Life {
    /// When it was started.
    pub(super) began: Time,
    pub(super) progress: Progress,
    /// The timer; what it is set to does not change while a call is at work.
    pub(super) armed: Armed,
    /// The last call that brought it on.
    pub(super) last: (u16, u64, Time),
    /// How it ended. A server that goes on with it shows that it has not.
    pub(super) end: Option<End>,
    /// When the server last answered as it does when there is such a set.
    pub(super) alive: Time,
    /// Copies that were added and not deleted.
    copies: u32,
    /// How long its Commit took, in nanoseconds.
    pub(super) commit_took: Option<i64>,
    /// Whether calls may have been missed since the last that was seen.
    pub(super) doubtful: bool,
}

impl Life {
    /// Whether it keeps the server from beginning another one, for all that is known.
    pub(super) fn is_open(&self, now: Time) -> bool {
        self.progress < Progress::Recovered
            && self.end.is_none()
            && !self.doubtful
            && self.armed.left(now) > 0
    }

    /// The same, where the client has begun anew, which not every server takes for an end.
    pub(super) fn may_be_open(&self, now: Time) -> bool {
        let discarded = self.end.is_some_and(|end| end.fate == Fate::Discarded);
        let life = Self { end: self.end.filter(|_| !discarded), ..self.clone() };
        life.is_open(now)
    }
}

/// A `SetContext` that succeeded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) armed: Armed,
    /// The call that ended it, if one did, and whose that was.
    pub(super) ended: Option<(u64, IpAddr)>,
}

/// A client.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    /// Its own name, and its `ClientGuid`.
    pub(super) name: Option<String>,
    pub(super) machine: Option<Guid>,
    pub(super) context: Option<Context>,
    /// How often it called `SetContext` with success since it last went on from there.
    pub(super) contexts: u32,
    /// The set that it last started, unless that is over.
    pub(super) set: Option<Guid>,
    /// A call that takes long and is not answered.
    pub(super) works: Option<u64>,
    /// When it last called, or was answered; and when it last negotiated.
    pub(super) called: Time,
    met: Time,
    /// Whether everything that it did since it opened the pipe is in the capture.
    pub(super) watched: bool,
    /// Shares that the server has accepted, as they are compared; no more than [`MAX_SHARES`].
    accepted: BTreeSet<String>,
}

/// An Abort that succeeded, of a set that had shares: Windows starts none for a while then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aborted {
    pub(super) call: u64,
    pub(super) at: Time,
}

/// How far everybody at one server has come.
#[derive(Debug, Default)]
pub(super) struct Course {
    /// Added by who is heard of, no more than [`MAX_CLIENTS`]. Beyond that one makes room that has not
    /// called.
    people: BTreeMap<IpAddr, Person>,
    /// The address of each `ClientGuid` that came for our pipe first. Added by what opens it and by
    /// calls, no more than [`MAX_MACHINES`]; nothing is removed.
    machines: FxHashMap<Guid, IpAddr>,
    /// Added by Start; when there are more than [`MAX_SETS`] all are forgotten.
    sets: FxHashMap<Guid, Life>,
    /// The last Abort of a set that had shares.
    pub(super) aborted: Option<Aborted>,
    /// When the server was last started again, for certain.
    pub(super) restarted: Option<Time>,
}

impl Course {
    fn person(&mut self, client: IpAddr) -> Option<&mut Person> {
        let idle = |of: &Person| (of.called == Time::default()).then_some(of.met);
        room(&mut self.people, client, MAX_CLIENTS, idle)
    }

    /// The address by which a machine is known that has several.
    pub(super) fn machine(&self, client: IpAddr) -> IpAddr {
        let machine = self.of(client).and_then(|person| person.machine);
        machine.and_then(|guid| self.machines.get(&guid)).copied().unwrap_or(client)
    }

    pub(super) fn of(&self, client: IpAddr) -> Option<&Person> {
        self.people.get(&client)
    }

    pub(super) fn people(&self) -> impl Iterator<Item = (IpAddr, &Person)> {
        self.people.iter().map(|(client, person)| (*client, person))
    }

    pub(super) fn life(&self, set: Guid) -> Option<&Life> {
        self.sets.get(&set)
    }

    /// Whether the server has accepted a share of this name.
    pub(super) fn accepts(&self, client: IpAddr, share: &str) -> bool {
        self.of(client).is_some_and(|person| person.accepted.contains(&share_key(share)))
    }

    /// Something beside the calls.
    pub(super) fn around(&mut self, around: &Around) {
        let client = around.client.ip();
        match &around.what {
            What::Lost | What::Sealed => self.forget(),
            What::Negotiated(told) => {
                let Some(machine) = told.client_guid.filter(|guid| !guid.is_nil()) else { return };
                if let Some(person) = self.person(client) {
                    person.machine = Some(machine);
                    person.met = around.time;
                }
            }
            What::PipeOpened { name: Some(name), .. }
                if name.eq_ignore_ascii_case(fsrvp::PIPE) && around.frame.is_some() =>
            {
                self.comes(client);
                if let Some(person) = self.person(client) {
                    person.watched = true;
                }
            }
            _ => {}
        }
    }

    /// A client comes for our pipe.
    fn comes(&mut self, client: IpAddr) {
        let machine = self.of(client).and_then(|person| person.machine);
        if let Some(machine) = machine.filter(|_| self.machines.len() < MAX_MACHINES) {
            self.machines.entry(machine).or_insert(client);
        }
    }

    /// Calls may have been missed.
    pub(super) fn forget(&mut self) {
        for person in self.people.values_mut() {
            person.watched = false;
            person.context = None;
            person.contexts = 0;
        }
        for life in self.sets.values_mut() {
            life.doubtful = true;
        }
    }

    /// A request that the server will work on for a while.
    pub(super) fn asked(&mut self, call: &Call) {
        if let Some(person) = self.person(call.client.addr.ip()) {
            person.called = person.called.max(call.time);
            person.works = Some(call.rpc.n);
        }
    }

    /// A call is over.
    pub(super) fn answered(&mut self, call: &Call, act: &Act) {
        let now = act.answered.unwrap_or(act.asked);
        self.comes(act.client);
        if let Some(person) = self.person(act.client) {
            person.called = person.called.max(now);
            if person.name.is_none() {
                person.name.clone_from(&call.client.name);
            }
            person.works = person.works.filter(|works| *works != act.n);
        }
        match act.answer {
            Answer::Hidden(_) if !matches!(act.opnum, 0 | 8 | 9) => self.forget(),
            Answer::Fault(_) | Answer::None if act.opnum != 0 => self.unclear(act),
            answer if answer.is_success() => self.done(act, now),
            Answer::Status(status) => self.refused(act, status, now),
            _ => {}
        }
    }

    /// It may have been done, or not.
    fn unclear(&mut self, act: &Act) {
        match (act.opnum, act.set()) {
            (_, Some(set)) => {
                if let Some(life) = self.sets.get_mut(&set) {
                    life.doubtful = true;
                }
            }
            (1, None) => {
                if let Some(person) = self.person(act.client) {
                    person.context = None;
                    person.watched = false;
                }
            }
            _ => {}
        }
    }

    fn done(&mut self, act: &Act, now: Time) {
        if let Some(share) = act.share().filter(|_| matches!(act.opnum, 3 | 8)) {
            let key = share_key(share);
            if let Some(person) = self.person(act.client)
                && person.accepted.len() < MAX_SHARES
            {
                person.accepted.insert(key);
            }
        }
        match act.opnum {
            1 => self.context(act, now),
            2 => self.started(act, now),
            _ => self.went_on(act, now),
        }
    }

    fn context(&mut self, act: &Act, now: Time) {
        let Some(person) = self.person(act.client) else { return };
        let armed = Armed::new(act, SHORT);
        person.context = Some(Context { armed, ended: None });
        person.contexts = person.contexts.saturating_add(1);
        let set = person.set;
        if let Some(life) = set.and_then(|set| self.sets.get_mut(&set))
            && life.progress < Progress::Recovered
        {
            let end = End { fate: Fate::Discarded, by: act.client, call: act.n, at: now };
            life.end.get_or_insert(end);
        }
    }

    fn started(&mut self, act: &Act, now: Time) {
        let Some(set) = act.started().filter(|id| !id.is_nil()) else { return self.forget() };
        if self.sets.len() >= MAX_SETS {
            self.sets.clear();
        }
        let life = Life {
            began: now,
            progress: Progress::Started,
            armed: Armed::new(act, SHORT),
            last: (act.opnum, act.n, now),
            end: None,
            alive: now,
            copies: 0,
            commit_took: None,
            doubtful: false,
        };
        self.sets.insert(set, life);
        if let Some(person) = self.person(act.client) {
            person.set = Some(set);
            person.contexts = 0;
        }
    }

    /// A call on a set has done what it is for.
    fn went_on(&mut self, act: &Act, now: Time) {
        let set = act.set().filter(|_| act.names_set());
        if act.names_set() && set.is_none() {
            return self.forget();
        }
        let Some(set) = set else { return };
        let Some(life) = self.sets.get_mut(&set) else { return };
        let (progress, seconds) = match act.opnum {
            3 => (Progress::Added, LONG),
            12 => (Progress::Prepared, LONG),
            4 => (Progress::Committed, SHORT),
            5 => (Progress::Exposed, SHORT),
            10 => (life.progress, LONG),
            6 => (Progress::Recovered, SHORT),
            _ => (life.progress, 0),
        };
        life.alive = now;
        life.doubtful = false;
        let was = std::mem::replace(&mut life.progress, progress);
        if seconds > 0 {
            life.armed = Armed::new(act, seconds);
            life.end = None;
        }
        if matches!(act.opnum, 3..=6 | 12) {
            life.last = (act.opnum, act.n, now);
        }
        match act.opnum {
            3 => life.copies = life.copies.saturating_add(1),
            4 => life.commit_took = Some(now.since(act.asked)),
            6 => {
                self.ends(set);
                self.closes(act);
            }
            7 => {
                let end = End { fate: Fate::Aborted, by: act.client, call: act.n, at: now };
                life.end.get_or_insert(end);
                if was > Progress::Started {
                    self.aborted = Some(Aborted { call: act.n, at: now });
                }
                // Not every server ends what was committed.
                if was < Progress::Committed {
                    self.ends(set);
                }
                self.closes(act);
            }
            11 => {
                life.copies = life.copies.saturating_sub(1);
                if life.copies == 0 {
                    let end = End { fate: Fate::Deleted, by: act.client, call: act.n, at: now };
                    life.end.get_or_insert(end);
                }
            }
            _ => {}
        }
    }

    /// A set is over.
    fn ends(&mut self, set: Guid) {
        for person in self.people.values_mut() {
            person.set = person.set.filter(|of| *of != set);
        }
    }

    /// The context is over, whose ever it is (3.1.4.7, 3.1.4.8).
    fn closes(&mut self, act: &Act) {
        for context in self.people.values_mut().filter_map(|person| person.context.as_mut()) {
            context.ended.get_or_insert((act.n, act.client));
        }
    }

    fn refused(&mut self, act: &Act, status: u32, now: Time) {
        let Some(life) = act.set().and_then(|set| self.sets.get_mut(&set)) else { return };
        let there = [
            Status::FSRVP_E_BAD_STATE.0,
            Status::FSRVP_E_OBJECT_ALREADY_EXISTS.0,
            Status::FSSAGENT_E_TIMEOUT.0,
            Status::FSRVP_E_WAIT_TIMEOUT.0,
            Status::FSRVP_E_WAIT_FAILED.0,
        ];
        if there.contains(&status) {
            life.alive = now;
        }
        let checks = [
            Status::E_INVALIDARG.0,
            Status::E_ACCESSDENIED.0,
            Status::FSRVP_E_BAD_STATE.0,
            Status::FSRVP_E_SHADOWCOPYSET_ID_MISMATCH.0,
        ];
        let worked = matches!(act.opnum, 4 | 5 | 12) && !checks.contains(&status);
        if worked || status == Status::FSRVP_E_OBJECT_ALREADY_EXISTS.0 {
            life.armed = Armed::new(act, SHORT);
        }
    }
}
