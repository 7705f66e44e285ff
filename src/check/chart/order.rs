//! What a failure has to do with what was done before it, by whom, and how long ago.

use std::net::IpAddr;

use super::Chart;
use super::circumstance::{Circumstance, Circumstances};
use super::course::{Life, Person, Progress, SHORT};
use super::symptom::Slot;
use crate::bytes::{Guid, Time};
use crate::check::act::Act;
use crate::check::machine::Answer;
use crate::check::say;
use crate::check::tracker::SECOND;
use crate::protocol::fsrvp::Status;

/// For how long Windows starts no set after one with shares was aborted (\[MS-FSRVP\] note 6).
const BLOCKED: i64 = 1800 * SECOND;
/// How often a client may call `SetContext` anew (\[MS-FSRVP\] note 5).
const RETRIES: u32 = 5;
/// How long a client may do nothing for its shadow copy before it is not expected to go on.
const IDLE: i64 = 300 * SECOND;

/// What is known around a call, beside the call.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) circumstances: Circumstances,
    pub(super) values: Vec<(Slot, String)>,
    /// Other calls that have to do with it.
    pub(super) related: Vec<u64>,
}

impl Seen {
    fn set(&mut self, of: Circumstance, is: bool) {
        self.circumstances.set(of, is);
    }

    fn value(&mut self, slot: Slot, value: String) {
        self.values.push((slot, value));
    }
}

impl Chart {
    /// What is known around a call that was not done, or that is worth a look.
    pub(super) fn seen(&self, act: &Act) -> Seen {
        const IN_PROGRESS: u32 = Status::FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS.0;
        const BAD_STATE: u32 = Status::FSRVP_E_BAD_STATE.0;
        /// What Windows Server 2012 says in place of that (note 10).
        const NOT_EXPOSED: u32 = 0x8004_2311;
        let mut seen = Seen::default();
        match (act.opnum, act.answer) {
            (1 | 2, Answer::Status(IN_PROGRESS)) => self.held(act, &mut seen),
            (2, Answer::Status(BAD_STATE)) => self.uninvited(act, &mut seen),
            (3..=7 | 10..=12, Answer::Status(BAD_STATE | NOT_EXPOSED)) => {
                self.out_of_order(act, &mut seen);
            }
            (3..=7 | 10..=12, Answer::Status(status)) if is_unknown(act.opnum, status) => {
                self.lost(act, &mut seen);
            }
            (4 | 7, answer) if answer.is_success() => self.worth_a_look(act, &mut seen),
            (_, Answer::None) => {
                let life = act.set().and_then(|set| self.course.life(set));
                let progress = life.map(|life| life.progress.words().to_owned());
                seen.values.extend(progress.map(|progress| (Slot::Progress, progress)));
            }
            _ => {}
        }
        seen
    }

    /// The client, as people know it.
    pub(super) fn name(&self, client: IpAddr) -> String {
        let name = self.course.of(client).and_then(|person| person.name.clone());
        name.map_or_else(|| client.to_string(), |name| format!("{name} ({client})"))
    }

    /// Whether a client has ended what it had with the server, and not come back.
    pub(super) fn has_left(&self, client: IpAddr) -> bool {
        let (Some(visit), Some(person)) = (self.visits.get(&client), self.course.of(client)) else {
            return false;
        };
        visit.closed.is_some_and(|closed| {
            closed >= person.called && visit.pipe_opened.is_none_or(|opened| opened <= closed)
        })
    }

    /// `SetContext` or Start is refused because a set is under way: whose?
    fn held(&self, act: &Act, seen: &mut Seen) {
        let now = act.asked;
        let open = |(client, person): (IpAddr, &Person)| {
            let life = self.course.life(person.set?)?;
            life.is_open(now).then(|| (client, life.clone()))
        };
        let others = || self.course.people().filter(|(client, _)| *client != act.client);
        let latest = |sets: &(IpAddr, Life)| sets.1.armed.at;
        if let Some((client, life)) = others().filter_map(open).max_by_key(latest) {
            return self.held_by(client, &life, act, seen);
        }
        let own = self.course.of(act.client);
        let own_set = own.and_then(|person| self.course.life(person.set?));
        if let Some(life) = own_set.filter(|life| life.may_be_open(now)) {
            seen.set(Circumstance::HeldByItself, true);
            return told_of(life, now, seen);
        }
        if act.opnum == 1 {
            let fresh = |(client, person): (IpAddr, &Person)| {
                let context = person.context.filter(|of| of.ended.is_none())?;
                (context.armed.left(now) > 0).then_some((client, context.armed))
            };
            if let Some((client, armed)) = others().filter_map(fresh).max_by_key(|(_, of)| of.at) {
                seen.set(Circumstance::HeldByOther, true);
                self.beside(client, act, seen);
                seen.related.push(armed.call);
                seen.value(Slot::Progress, Progress::Started.words().to_owned());
                seen.value(Slot::Gap, say::lasting(now.since(armed.at)));
                return seen.value(Slot::Wait, say::lasting(armed.left(now)));
            }
            let again = own.is_some_and(|person| person.contexts >= RETRIES);
            seen.set(Circumstance::Hammering, again);
            seen.set(Circumstance::HeldByItself, again);
            if again {
                return;
            }
        }
        if let Some(abort) = self.course.aborted.filter(|of| now.since(of.at) <= BLOCKED)
            && act.opnum == 2
        {
            seen.set(Circumstance::RecentAbort, true);
            seen.related.push(abort.call);
            seen.value(Slot::Gap, say::lasting(now.since(abort.at)));
            seen.value(Slot::Wait, say::lasting(BLOCKED - now.since(abort.at)));
        }
    }

    fn held_by(&self, client: IpAddr, life: &Life, act: &Act, seen: &mut Seen) {
        let now = act.asked;
        seen.set(Circumstance::HeldByOther, true);
        self.beside(client, act, seen);
        let works = self.course.of(client).is_some_and(|person| person.works.is_some());
        let heard = self.visits.get(&client).map(|visit| visit.heard);
        let last = life.last.2.max(life.armed.at).max(heard.unwrap_or_default());
        let idle = now.since(last) > IDLE && !works;
        seen.set(Circumstance::HolderLeft, idle || self.has_left(client));
        told_of(life, now, seen);
        if works {
            // The timer stands still meanwhile.
            seen.values.retain(|(slot, _)| *slot != Slot::Wait);
        }
    }

    /// Who holds the server, and whether it is the same machine.
    fn beside(&self, holder: IpAddr, act: &Act, seen: &mut Seen) {
        seen.value(Slot::Holder, self.name(holder));
        let (Some(one), Some(other)) = (self.course.of(holder), self.course.of(act.client)) else {
            return;
        };
        let machine = one.machine.is_some() && one.machine == other.machine;
        let name = one.name.is_some() && one.name == other.name;
        let user = self.user(holder).is_some() && self.user(holder) == self.user(act.client);
        seen.set(Circumstance::SameMachine, machine || name && user);
    }

    /// Start without a context.
    fn uninvited(&self, act: &Act, seen: &mut Seen) {
        let Some(person) = self.course.of(act.client) else { return };
        let Some(context) = person.context else {
            return seen.set(Circumstance::NoContext, person.watched);
        };
        seen.related.push(context.armed.call);
        if let Some((call, by)) = context.ended {
            seen.set(Circumstance::ContextEnded, true);
            seen.related.push(call);
            return seen.value(Slot::Holder, self.name(by));
        }
        let left = context.armed.left(act.asked);
        self.overdue(context.armed.at, left, SHORT, act, seen);
    }

    /// A set that the server does not know.
    fn lost(&self, act: &Act, seen: &mut Seen) {
        let Some(life) = act.set().and_then(|set| self.course.life(set)) else { return };
        if let Some(end) = life.end {
            use super::course::Fate;
            let how = match end.fate {
                Fate::Aborted => Circumstance::AbortedBefore,
                Fate::Discarded => Circumstance::BegunAnew,
                Fate::Deleted => Circumstance::DeletedBefore,
            };
            seen.set(how, true);
            seen.related.push(end.call);
            seen.value(Slot::Holder, self.name(end.by));
            return seen.value(Slot::Gap, say::lasting(act.asked.since(end.at)));
        }
        // Of a name that was never accepted it cannot be told which of both the server does not know.
        let named = act.opnum == 3 && act.answer == Answer::Status(Status::E_INVALIDARG.0);
        let accepted = act.share().is_some_and(|share| self.course.accepts(act.client, share));
        let paused = act.asked.since(life.armed.at) >= SECOND;
        let doubt = named && !(accepted && paused && life.progress == Progress::Started);
        if life.doubtful || doubt || life.progress == Progress::Recovered {
            return;
        }
        seen.related.push(life.armed.call);
        seen.value(Slot::Progress, life.progress.words().to_owned());
        let left = life.armed.left(act.asked);
        self.overdue(life.armed.at, left, life.armed.seconds, act, seen);
    }

    /// Something was forgotten by the server: in its time, or before.
    fn overdue(&self, since: Time, left: i64, seconds: i64, act: &Act, seen: &mut Seen) {
        let restarted = self.course.restarted.is_some_and(|at| at >= since);
        seen.set(Circumstance::Restarted, restarted);
        seen.set(Circumstance::TimerRanOut, !restarted && left <= 0);
        seen.set(Circumstance::BeforeTimer, !restarted && left > 0);
        seen.value(Slot::Gap, say::lasting(act.asked.since(since)));
        seen.value(Slot::Limit, say::lasting(seconds.saturating_mul(SECOND)));
    }

    /// A call on a set that is not there yet, or is past it.
    fn out_of_order(&self, act: &Act, seen: &mut Seen) {
        let Some(life) = act.set().and_then(|set| self.course.life(set)) else { return };
        if life.doubtful {
            return;
        }
        seen.value(Slot::Progress, life.progress.words().to_owned());
        seen.related.push(life.last.1);
        let finished = life.progress == Progress::Recovered;
        seen.set(Circumstance::Finished, finished);
        seen.set(Circumstance::OutOfOrder, !finished && !life.progress.allows(act.opnum));
        seen.set(Circumstance::BeforeExpose, act.opnum == 10 && life.progress < Progress::Exposed);
    }

    /// A call that was done, and of which something is worth telling.
    fn worth_a_look(&self, act: &Act, seen: &mut Seen) {
        let Some(life) = act.set().and_then(|set| self.course.life(set)) else { return };
        if life.doubtful {
            return;
        }
        seen.value(Slot::Progress, life.progress.words().to_owned());
        let unprepared = act.opnum == 4 && life.progress == Progress::Added;
        seen.set(Circumstance::Unprepared, unprepared);
        let taken = act.opnum == 7 && life.progress >= Progress::Committed;
        seen.set(Circumstance::AbortedLate, taken);
    }

    /// Whether the server has later answered as if there were such a set.
    pub(super) fn is_there_later(&self, set: Option<Guid>, time: Time) -> bool {
        let life = set.and_then(|set| self.course.life(set));
        life.is_some_and(|life| life.alive > time)
    }
}

/// How far a set is, since when, and when the server's timer ends it.
fn told_of(life: &Life, now: Time, seen: &mut Seen) {
    seen.value(Slot::Progress, life.progress.words().to_owned());
    seen.value(Slot::Gap, say::lasting(now.since(life.began)));
    seen.value(Slot::Wait, say::lasting(life.armed.left(now)));
    seen.related.push(life.last.1);
}

/// Whether a status may say that there is no such set.
fn is_unknown(opnum: u16, status: u32) -> bool {
    /// What early Windows says of an id that it does not know.
    const BAD_ID: u32 = 0x8004_2302;
    say::is_unknown_set(opnum, status) || [Status::E_INVALIDARG.0, BAD_ID].contains(&status)
}
