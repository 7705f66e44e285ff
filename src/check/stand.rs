//! [`Stand`]: how a server, and the set that is asked for, may stand around a call.
//!
//! Each profile's tracker leaves a [`Standing`] of every call when it is over; who asked what is the
//! same under every profile and is in the [`Diary`](super::diary::Diary). It knows nothing of findings:
//! what a call may have met is here, not whether its answer was right.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::act::Act;
use super::diary::MAX_ENTRIES;
use super::dock::Dock;
use super::judge::Judge;
use super::machine::{Answer, View, Views};
use super::server::Server;
use super::tracker::{Step, Tracker};
use super::world::{Armed, Late, SetNo, TimerState, World};
use crate::bytes::{Guid, Time};

/// How a server may stand around a call, by the profile in force and as if the capture had all clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Number of the call.
    pub call: u64,
    /// Its operation.
    pub opnum: u16,
    /// Who was asked, by the first of its addresses.
    pub server: IpAddr,
    /// Who asked.
    pub client: IpAddr,
    /// When its request was complete.
    pub asked: Time,
    /// When its answer was, if there is one.
    pub answered: Option<Time>,
    /// The shadow copy set that it names or has started; none where that cannot be read.
    pub set: Option<Guid>,
    /// What that set may have been when the server came to the call, of [`View::OF_SET`], as far as
    /// what was known and the answer tell. Empty where the call is about none, and where it has started
    /// it: before that there was none.
    pub before: Views,
    /// What it may be after the answer, of [`View::OF_SET`]; empty where the call is about none. A
    /// finished set that goes by itself, later, is not thought of.
    pub after: Views,
    /// How the server may have stood when it came to the call, of [`View::OF_SERVER`].
    pub context_before: Views,
    /// The same after the answer.
    pub context: Views,
    /// The Message Sequence Timer as the answer left it.
    pub timer: StandTimer,
}

/// The Message Sequence Timer (3.1.2) of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandTimer {
    /// It runs.
    Running {
        /// How many seconds it had when it was started.
        seconds: u32,
        /// When that was, at the latest: when the call was answered.
        since: Time,
        /// Number of the call that started it.
        call: u64,
    },
    /// It is stopped, or nothing is there that it could end.
    Off,
    /// It cannot be told.
    Unknown,
}

impl Judge<'_> {
    /// How a server may stand around a call that is over. None where nothing can be said of the call,
    /// or it is so long ago that it was forgotten. It only looks things up.
    pub fn stand(&self, server: IpAddr, call: u64) -> Option<Stand> {
        let dock = self.known(server)?;
        dock.stand(dock.judged()?.1, call)
    }

    /// The same of all calls that are kept, in their order. What [`stand`](Self::stand) has said before
    /// does not count any more when the [profile](Self::profile_of) has changed.
    pub fn stands(&self) -> Vec<Stand> {
        let mut all = Vec::new();
        for dock in &self.servers {
            let Some((_, server)) = dock.judged() else { continue };
            all.extend(server.standings.all.keys().filter_map(|call| dock.stand(server, *call)));
        }
        all.sort_unstable_by_key(|stand| stand.call);
        all
    }

    /// The profile in force of a server, once it is judged. What it says of itself may change that
    /// until the first finding is told.
    pub fn profile_of(&self, server: IpAddr) -> Option<Arc<str>> {
        self.known(server)?.judged().map(|(name, _)| name.clone())
    }
}

impl<'k> Dock<'k> {
    /// The server by the profile in force.
    fn judged(&self) -> Option<(&Arc<str>, &Server<'k>)> {
        self.by_profile.get_key_value(&self.chosen().0)
    }

    fn stand(&self, by: &Server<'_>, call: u64) -> Option<Stand> {
        let standing = by.standings.of(call)?;
        let question = self.diary.question(call)?;
        let of_set = |views: Views| if question.set.is_some() { views } else { Views::default() };
        Some(Stand {
            call,
            opnum: question.opnum,
            server: *self.addresses.first()?,
            client: question.client,
            asked: question.asked,
            answered: question.answered,
            set: question.set,
            before: of_set(standing.before.set),
            after: of_set(standing.after.set),
            context_before: standing.before.context,
            context: standing.after.context,
            timer: standing.timer,
        })
    }
}

/// How a server may stand at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stood {
    /// What a set may be; empty where it is about none.
    set: Views,
    /// How the context may be.
    context: Views,
}

impl Stood {
    /// In any way.
    fn anyhow(names_set: bool) -> Self {
        let set = if names_set { View::OF_SET.into_iter().collect() } else { Views::default() };
        Self { set, context: View::OF_SERVER.into_iter().collect() }
    }
}

/// How a server stood around a call, by one profile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    before: Stood,
    after: Stood,
    timer: StandTimer,
    /// Seconds of a timer that runs for the set that the call is about, or for the context it has set.
    seconds: Option<u32>,
}

impl Standing {
    /// What the set was afterwards, if that is known.
    pub(super) fn view(self) -> Option<View> {
        let mut views = self.after.set.iter();
        views.next().filter(|_| views.next().is_none())
    }

    /// Seconds that the server's timer then had; none where it was stopped, or nobody knows.
    pub(super) fn seconds(self) -> Option<u32> {
        self.seconds
    }
}

/// How a server stood around each call, by one profile.
#[derive(Clone, Debug, Default)]
pub(super) struct Standings {
    /// By number of the call. Added by calls, no more than [`MAX_ENTRIES`]; then all are forgotten.
    all: FxHashMap<u64, Standing>,
}

impl Standings {
    pub(super) fn note(&mut self, call: u64, standing: Standing) {
        if self.all.len() >= MAX_ENTRIES {
            self.all.clear();
        }
        self.all.insert(call, standing);
    }

    pub(super) fn of(&self, call: u64) -> Option<Standing> {
        self.all.get(&call).copied()
    }
}

impl Tracker<'_> {
    /// How the server, and the set that a call names or has started, stood around the call.
    pub(super) fn standing(&self, act: &Act, step: &Step<'_>) -> Standing {
        let set = step.set.or_else(|| self.sets.find(act.started()?));
        let after = Stood {
            set: set.map(|no| self.what_is(no)).unwrap_or_default(),
            context: self.worlds.iter().map(|world| world.view()).collect(),
        };
        let began = set.is_none() && act.opnum == 1 && act.answer.is_success();
        let own = if set.is_some() || began { self.running(set) } else { None };
        Standing {
            before: self.met(act, step),
            after,
            timer: self.timer_now(),
            seconds: own.map(|armed| armed.seconds),
        }
    }

    /// How the server may have stood when it came to a call, as far as the answer tells.
    fn met(&self, act: &Act, step: &Step<'_>) -> Stood {
        let alone = step.stood.is_none() && step.contradiction.is_none();
        let Stood { mut set, mut context } = step.stood.unwrap_or_default();
        if alone && !step.outcomes.is_empty() {
            for outcome in &step.outcomes {
                context.add(outcome.before.view());
                match outcome.before.mark(act.n) {
                    None => set.add(outcome.view),
                    // That is what it has become by being accepted.
                    Some(_) => set = set.or(self.accepting(act, step.views)),
                }
            }
        } else {
            set = set.or(step.views);
            context = step.before.iter().map(|world| world.view()).fold(context, Views::with);
        }
        if context.is_empty() {
            return Stood::anyhow(step.set.is_some());
        }
        let set = match step.set {
            // Rows of an operation without a set see the server, not a set.
            None => Views::default(),
            Some(_) if set.is_empty() => step.views,
            Some(_) => set,
        };
        Stood { set, context }
    }

    /// Those of `views` in which a call that takes long is accepted.
    fn accepting(&self, act: &Act, views: Views) -> Views {
        let rows = self.machine.method(act.opnum).map_or(&[][..], |method| &method.rows);
        let begins = |view: &View| {
            rows.iter().any(|row| row.from.has(*view) && row.answers.has(Answer::Begins))
        };
        views.iter().filter(begins).collect()
    }

    /// How the server, and the set that a call names, may stand when it is asked.
    pub(super) fn stood(&self, act: &Act) -> Stood {
        let until = act.asked.plus(self.slack);
        let mut worlds = self.run_out(self.worlds.clone(), act.asked, until);
        worlds.retain(|world| world.mark(act.n).is_none());
        let context = worlds.iter().map(|world| world.view()).collect();
        let Some(id) = act.set().filter(|id| !id.is_nil()) else {
            return Stood { context, ..Stood::default() };
        };
        if let Some(no) = self.sets.find(id) {
            let views = worlds.iter().flat_map(|world| self.views(world, act, Some(no)));
            return Stood { set: views.map(|(view, _)| view).collect(), context };
        }
        let (after, doubt) = self.unmet();
        let nameless = |world: &Arc<World>| {
            let unfinished = world.unfinished.as_ref().filter(|of| doubt && of.set.is_none());
            unfinished.map(|unfinished| unfinished.view)
        };
        Stood { set: worlds.iter().filter_map(nameless).fold(after, Views::with), context }
    }

    /// What a set may be.
    fn what_is(&self, no: SetNo) -> Views {
        let mut views = Views::default();
        let Some(set) = self.sets.get(no) else { return views };
        for world in &self.worlds {
            match &world.unfinished {
                Some(unfinished) if unfinished.set == Some(no) => views.add(unfinished.view),
                Some(unfinished) if unfinished.set.is_none() && set.identifiable => {
                    views = views.or(set.after).with(unfinished.view);
                }
                _ => views = views.or(set.after),
            }
        }
        views
    }

    /// The timer of the server, if all worlds have the same.
    fn timer_now(&self) -> StandTimer {
        // It may still run where nothing is going on, as after an Abort, and ends nothing.
        let state = |world: &Arc<World>| match world.timer.state {
            _ if world.view() == View::Closed => TimerState::Off,
            state => state,
        };
        if self.worlds.iter().all(|world| state(world) == TimerState::Off) {
            return StandTimer::Off;
        }
        let armed = |world| match state(world) {
            TimerState::Armed(armed) => Some(armed).filter(|armed| armed.sole),
            TimerState::Off | TimerState::Unknown => None,
        };
        let timers: Option<Vec<Armed>> = self.worlds.iter().map(armed).collect();
        let Some([first, rest @ ..]) = timers.as_deref() else { return StandTimer::Unknown };
        let Armed { seconds, call, .. } = *first;
        if rest.iter().any(|other| (other.seconds, other.call) != (seconds, call)) {
            return StandTimer::Unknown;
        }
        // Where others overlap with the call, it may have started it before its answer came. That is the
        // latest time; a call that was not answered has none.
        let answered = timers.iter().flatten().filter(|armed| armed.is_answered());
        match answered.map(|armed| armed.since).max() {
            Some(since) => StandTimer::Running { seconds, since, call },
            None => StandTimer::Unknown,
        }
    }

    /// The timer that runs for a set, or for a context without one, if that is known.
    pub(super) fn running(&self, set: Option<SetNo>) -> Option<Armed> {
        let of = |world: &Arc<World>| match world.timer.state {
            TimerState::Armed(armed) => {
                let current = world.unfinished.as_ref().map(|unfinished| unfinished.set);
                (set.is_none() || current == Some(set)).then_some(armed)
            }
            TimerState::Off | TimerState::Unknown => None,
        };
        let mut timers = self.worlds.iter().map(of);
        let first = timers.next()??;
        let same = |other: Armed| (other.call, other.seconds) == (first.call, first.seconds);
        timers.all(|other| other.is_some_and(same)).then_some(first)
    }

    /// The expiry by which a set went, if it is known to have gone so.
    pub(super) fn expired_by(&self, set: SetNo) -> Option<&Late> {
        let of = |world: &'_ Arc<World>| {
            let gone = world.gone.iter().rfind(|(no, _)| *no == set);
            gone.and_then(|(_, trail)| trail.late()).map(|late| late.call)
        };
        let mut calls = self.worlds.iter().map(of);
        let first = calls.next()??;
        let all = calls.all(|call| call == Some(first));
        let gone = self.worlds.first().filter(|_| all)?.gone.iter();
        gone.rev().find(|(no, _)| *no == set)?.1.late()
    }
}

#[cfg(test)]
#[path = "tests/stand.rs"]
mod tests;
