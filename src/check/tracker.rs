//! [`Tracker`]: the set of states a server may be in, moved by what it answers.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::act::Act;
use super::breach::Contradiction;
use super::machine::{Answer, Machine, Method, Row, View, Views};
use super::outcome::{Past, outcome};
use super::profile::Profile;
use super::sets::{Set, Sets};
use super::stand::Stood;
use super::tri::Tri;
use super::world::{
    Mark, SetNo, Timer, TimerState, Trail, Unfinished, Why, World, merge, unmark, widen,
};
use crate::bytes::{Guid, Time};

/// Nanoseconds of a second.
pub(super) const SECOND: i64 = 1_000_000_000;
/// States from which on those that differ little are put together.
pub(super) const MANY_WORLDS: usize = 16;
/// States kept; beyond it the server may be in any.
pub(super) const MAX_WORLDS: usize = 256;
/// Aborted sets remembered.
const MAX_ABORTS: usize = 64;

/// A call without an answer, so far or for good.
#[derive(Clone, Debug)]
pub(super) struct Flying {
    pub(super) act: Act,
    /// Its answer will not be seen.
    pub(super) given_up: bool,
    /// How the server may have stood when it was asked, if others overlap with it: their answers may
    /// leave no world in which it is not done.
    pub(super) stood: Option<Stood>,
}

/// An Abort that succeeded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aborted {
    pub(super) asked: Time,
    pub(super) answered: Time,
    pub(super) call: u64,
    /// Whether the set was Added or further, for all that is known.
    pub(super) counts: Tri,
}

/// What can be known of how a server stands.
#[derive(Clone, Debug)]
pub(super) struct Tracker<'k> {
    pub(super) machine: &'k Machine,
    pub(super) profile: Arc<Profile>,
    /// Whether clients that are not in the capture may do things.
    pub(super) others: bool,
    /// Nanoseconds by which a timer may be off.
    pub(super) slack: i64,
    pub(super) worlds: Vec<Arc<World>>,
    pub(super) sets: Sets,
    /// How those ended that are not kept.
    pub(super) past: Past,
    /// Added by `asked`, removed by the answer, or when it cannot matter any more.
    pub(super) flying: Vec<Flying>,
    /// Added by Abort; the oldest is removed.
    pub(super) aborts: Vec<Aborted>,
    /// Until when there may have been an Abort that was not seen.
    pub(super) unseen_aborts: Option<Time>,
    /// Whether nothing has happened yet, and something may have before.
    pub(super) joins: bool,
    /// Until when calls that are not followed any more may still do something.
    pub(super) blind: Option<Time>,
    /// Whether an id that was not seen is an id that was not issued.
    pub(super) all_ids_known: bool,
    /// What each client last asked of `SetContext`. Added by it; the oldest is removed.
    pub(super) contexts: Vec<(IpAddr, u32)>,
    /// The set that the call at hand has started.
    pub(super) created: Option<SetNo>,
    /// `ClientGuid` by address.
    pub(super) machines: FxHashMap<IpAddr, Guid>,
}

/// A state, a row that fits it, and where that leads.
#[derive(Clone, Debug)]
pub(super) struct Outcome<'k> {
    pub(super) before: Arc<World>,
    /// What the row saw: the set's state, or the server's.
    pub(super) view: View,
    pub(super) row: &'k Row,
    /// Number of the row.
    pub(super) at: usize,
    pub(super) after: Vec<Arc<World>>,
}

/// What an answer showed.
#[derive(Debug)]
pub(super) struct Step<'k> {
    /// The set it was about.
    pub(super) set: Option<SetNo>,
    /// How the server may have stood when it was asked.
    pub(super) before: Vec<Arc<World>>,
    /// What the call saw in each of these: the set's state, or the server's.
    pub(super) views: Views,
    /// The rows that explain it; if none may, those that it breaks.
    pub(super) outcomes: Vec<Outcome<'k>>,
    /// What is wrong with the answer, if anything.
    pub(super) contradiction: Option<Contradiction>,
    /// How the server may have stood when it was asked, as was noted because others overlap with it.
    pub(super) stood: Option<Stood>,
}

impl<'k> Tracker<'k> {
    /// A tracker of a server of which nothing is known, or that is known to be idle and to have no sets.
    pub(super) fn new(
        machine: &'k Machine,
        profile: Arc<Profile>,
        others: bool,
        idle: bool,
        slack: i64,
    ) -> Self {
        let mut tracker = Self {
            machine,
            profile,
            others,
            slack,
            worlds: vec![Arc::new(World::idle(Why::Idle))],
            sets: Sets::default(),
            past: Past::default(),
            flying: Vec::new(),
            aborts: Vec::new(),
            unseen_aborts: None,
            joins: false,
            blind: None,
            all_ids_known: true,
            contexts: Vec::new(),
            created: None,
            machines: FxHashMap::default(),
        };
        if !idle {
            tracker.forget(Time::default());
            // When there was one is known only once there is a time.
            tracker.joins = true;
        }
        tracker
    }

    /// Calls may have been missed until now: everything is possible.
    pub(super) fn forget(&mut self, now: Time) {
        let views = || View::UNFINISHED.into_iter().map(Some).chain([None]);
        self.worlds = [true, false]
            .into_iter()
            .flat_map(|open| views().map(move |view| Arc::new(World::unseen(open, view))))
            .collect();
        for set in self.sets.iter_mut().filter(|set| !set.dead) {
            set.after = set.after.with(View::Gone).with(View::Recovered);
            set.identifiable = true;
            set.complete = false;
            set.prepared = false;
            for copy in &mut set.copies {
                copy.doubtful = true;
            }
        }
        self.all_ids_known = false;
        self.contexts.clear();
        self.unseen_aborts = self.unseen_aborts.max(Some(now));
        self.flying.retain(|flying| !flying.given_up);
    }

    /// There are too many sets: no more is kept of them than how they ended.
    pub(super) fn forget_sets(&mut self, now: Time) {
        let mut past = std::mem::take(&mut self.past);
        for (no, set) in self.sets.iter().enumerate().filter(|(_, set)| set.is_one()) {
            past.add(outcome(self, no, set));
        }
        self.past = past;
        self.sets.clear();
        self.forget(now);
    }

    /// The server has been started again: 3.1.3. `surely` says whether that is known.
    pub(super) fn restart(&mut self, now: Time, surely: bool) {
        // Nobody knows when it was: the timer may have run out before.
        self.expire(Time::default(), now);
        let mut restarted = Vec::new();
        for world in &self.worlds {
            let context = Trail::new(Why::Restart, &[Arc::from("FSRVP-3.1.3-01")]);
            let timer = Timer::new(TimerState::Off);
            let restarted_world = World { open: None, context, timer, ..(**world).clone() };
            // An unfinished set may be loaded again, or not.
            let mut without = restarted_world.clone();
            let kept = without.unfinished.as_ref().and_then(|unfinished| unfinished.set);
            let persistent = kept.and_then(|no| self.sets.get(no)).is_some_and(Set::is_persistent);
            if without.unfinished.take().is_some() && !persistent {
                if let Some(no) = kept {
                    without.lose(no, Trail::new(Why::Restart, &[]));
                }
                restarted.push(Arc::new(without));
            }
            restarted.push(Arc::new(restarted_world));
        }
        if surely {
            self.worlds.clear();
        }
        merge(&mut self.worlds, restarted);
        let persist = [
            Arc::from("FSRVP-3.1.3-03"),
            Arc::from("FSRVP-3.1.4-13"),
            Arc::from("FSRVP-2.2.2.1-02"),
        ];
        for set in self.sets.iter_mut().filter(|set| set.after.has(View::Recovered)) {
            if set.is_persistent() {
                set.trail.extend(&persist);
            } else {
                set.after.add(View::Gone);
            }
        }
        for flying in &mut self.flying {
            flying.given_up = true;
        }
    }

    /// A call is over: its answer is there, or will never be.
    pub(super) fn answered(&mut self, act: &Act) -> Step<'k> {
        let stood = self.flying.iter().find(|of| of.act.n == act.n).and_then(|of| of.stood);
        self.flying.retain(|flying| flying.act.n != act.n);
        self.remember();
        if std::mem::take(&mut self.joins) {
            self.unseen_aborts = Some(act.asked);
        }
        let set = act.set().filter(|id| !id.is_nil()).map(|id| self.meet(id));
        let until = act.answered.unwrap_or(act.asked.plus(self.slack));
        let until = if act.takes_long() { until.min(act.asked.plus(self.slack)) } else { until };
        self.expire(act.asked, until);
        self.interleave(act);
        // What calls in flight have done meanwhile may have expired again.
        self.expire(act.asked, until);
        let unmarked = |world: &&Arc<World>| world.mark(act.n).is_none();
        let before: Vec<Arc<World>> = self.worlds.iter().filter(unmarked).cloned().collect();
        self.created =
            act.started().filter(|_| act.answer.is_success()).map(|id| self.issue(act, id));
        let views = Views::default();
        let (outcomes, contradiction) = (Vec::new(), None);
        let mut step = Step { set, before, views, outcomes, contradiction, stood };
        let Some(method) = self.machine.method(act.opnum) else { return step };
        let views = step.before.iter().flat_map(|world| self.views(world, act, set));
        step.views = views.map(|(view, _)| view).collect();
        match act.answer {
            Answer::Refused(_) => {}
            Answer::None => self.unanswered(act, method, set),
            _ => self.settle(act, method, &mut step),
        }
        unmark(&mut self.worlds, act.n);
        if self.blind.is_some_and(|until| act.asked <= until) {
            self.forget(act.answered.unwrap_or(act.asked));
        }
        self.compact(act.answered.unwrap_or(act.asked));
        step
    }

    /// The answer is known, or at least that there is one.
    fn settle(&mut self, act: &Act, method: &'k Method, step: &mut Step<'k>) {
        let mut worlds = Vec::new();
        let mut legal = Vec::new();
        let mut broken = Vec::new();
        for world in std::mem::take(&mut self.worlds) {
            let outcomes = match world.mark(act.n) {
                Some(Mark::Done(rows)) => {
                    let fits = |(at, row): (usize, &Row)| {
                        at < 64 && rows & (1 << at) != 0 && row.answers.has(act.answer)
                    };
                    if method.rows.iter().enumerate().any(fits) {
                        merge(&mut worlds, [self.bound(world, act)]);
                    }
                    continue;
                }
                _ => self.outcomes(&world, method, act, step.set, act.answer),
            };
            for outcome in outcomes {
                if outcome.row.breaks.is_none() {
                    merge(&mut worlds, outcome.after.iter().cloned());
                    legal.push(outcome);
                } else {
                    broken.push(outcome);
                }
            }
        }
        if worlds.is_empty() && legal.is_empty() {
            if broken.is_empty() && act.opnum == 4 && act.answer.is_success() {
                step.contradiction = Some(Contradiction::interrupted());
                worlds = step
                    .before
                    .iter()
                    .map(|world| Arc::new(committed(world, act, step.set)))
                    .collect();
            } else if let Some((contradiction, chosen)) = self.contradict(act, step.set, &broken) {
                // A server that goes on with a set that should be gone shows that it is not: one report is
                // enough.
                let goes_on = contradiction.view == View::Gone && act.answer.is_of_a_set();
                if let Some(set) = step.set.filter(|_| goes_on).and_then(|no| self.sets.get_mut(no))
                {
                    set.dead = false;
                } else {
                    for outcome in &chosen {
                        merge(&mut worlds, outcome.after.iter().cloned());
                    }
                }
                step.contradiction = Some(contradiction);
                step.outcomes = chosen;
            }
        } else {
            step.outcomes = legal;
        }
        if worlds.is_empty() {
            self.forget(act.answered.unwrap_or(act.asked));
        } else {
            self.worlds = worlds;
        }
        self.learn(act, step);
        if self.others {
            self.allow_others(act.answered.unwrap_or(act.asked));
        }
    }

    /// What a call whose answer is not known may have done to the sets.
    pub(super) fn doubt(&mut self, act: &Act, set: Option<SetNo>) {
        if act.opnum == 1 {
            self.contexts.retain(|(client, _)| *client != act.client);
        }
        if act.opnum == 2 {
            self.all_ids_known = false;
        }
        if act.opnum == 7 && self.unseen_aborts < act.answered.or(Some(act.asked)) {
            self.unseen_aborts = Some(act.answered.unwrap_or(act.asked));
        }
        let mut doubt = |set: &mut Set| match act.opnum {
            3 => set.complete = false,
            6 => set.after = set.after.with(View::Recovered).with(View::Gone),
            7 => set.after.add(View::Gone),
            11 => {
                set.after.add(View::Gone);
                for copy in set.copies.iter_mut().filter(|c| act.copy().is_none_or(|id| c.id == id))
                {
                    copy.doubtful = true;
                }
            }
            _ => {}
        };
        match set {
            Some(no) => self.sets.get_mut(no).into_iter().for_each(doubt),
            None if act.request.is_none() => self.sets.iter_mut().for_each(&mut doubt),
            None => {}
        }
    }

    /// The set with this id, met for the first time perhaps.
    fn meet(&mut self, id: Guid) -> SetNo {
        if let Some(known) = self.sets.find(id) {
            return known;
        }
        if self.sets.is_full() {
            self.forget_sets(Time::default());
        }
        let (after, doubt) = self.unmet();
        self.sets.met(id, after, doubt)
    }

    /// What a set may be whose id was not seen before, where it is not the unfinished one; and whether it
    /// may be that.
    pub(super) fn unmet(&self) -> (Views, bool) {
        let gone = Views::default().with(View::Gone);
        let starting = self.flying.iter().any(|flying| flying.act.opnum == 2);
        let doubt = !self.all_ids_known || self.others || starting;
        (if doubt { gone.with(View::Recovered) } else { gone }, doubt)
    }

    /// What a row sees of a world: the state of the set the call names, or of the server; and the
    /// world in which it sees that.
    pub(super) fn views(
        &self,
        world: &Arc<World>,
        act: &Act,
        set: Option<SetNo>,
    ) -> Vec<(View, Arc<World>)> {
        if !act.names_set() {
            return vec![(world.view(), world.clone())];
        }
        let mut views = Vec::new();
        let current = world.unfinished.as_ref();
        let Some(no) = set else {
            // A nil id, or one that cannot be read.
            if act.request.is_none() {
                views.extend(current.map(|unfinished| (unfinished.view, world.clone())));
                views.push((View::Recovered, world.clone()));
            }
            views.push((View::Gone, world.clone()));
            return views;
        };
        if let Some(unfinished) = current.filter(|unfinished| unfinished.set == Some(no)) {
            return vec![(unfinished.view, world.clone())];
        }
        let Some(set) = self.sets.get(no) else { return views };
        if let Some(unfinished) = current.filter(|u| u.set.is_none() && set.identifiable) {
            let named = Some(Unfinished { set: Some(no), ..unfinished.clone() });
            let named = World { unfinished: named, ..(**world).clone() };
            views.push((unfinished.view, Arc::new(named)));
        }
        views.extend(set.after.iter().map(|view| (view, world.clone())));
        if !set.after.has(View::Gone) && set.may_have_vanished(act.asked) {
            views.push((View::Gone, world.clone()));
        }
        views
    }

    /// The rows that fit a world, a call and an answer, with what they lead to.
    pub(super) fn outcomes(
        &self,
        world: &Arc<World>,
        method: &'k Method,
        act: &Act,
        set: Option<SetNo>,
        answer: Answer,
    ) -> Vec<Outcome<'k>> {
        let mut outcomes = Vec::new();
        for (view, world) in self.views(world, act, set) {
            for (at, row) in method.rows.iter().enumerate() {
                if !row.from.has(view) || !row.answers.has(answer) || !self.profile.has(row) {
                    continue;
                }
                // Where the answer is not known, nobody is accused of one that must not be.
                if row.breaks.is_some() && answer.status().is_none() {
                    continue;
                }
                let holds = self.holds(row, &world, act, set);
                if holds == Tri::No {
                    continue;
                }
                let after = self.apply(row, &world, view, act, set, answer);
                outcomes.push(Outcome { before: world.clone(), view, row, at, after });
                if holds == Tri::Yes && answer.status().is_some() {
                    break;
                }
            }
        }
        outcomes
    }

    /// A machine has told its `ClientGuid`.
    pub(super) fn knows_machine(&mut self, ip: IpAddr, guid: Guid) {
        const MOST: usize = 1024;
        if self.machines.len() < MOST || self.machines.contains_key(&ip) {
            self.machines.insert(ip, guid);
        }
    }

    /// Bounds what is kept.
    fn compact(&mut self, now: Time) {
        if self.worlds.len() > MANY_WORLDS {
            widen(&mut self.worlds);
        }
        if self.worlds.len() > MAX_WORLDS {
            self.forget(now);
        }
        if self.aborts.len() > MAX_ABORTS {
            self.aborts.remove(0);
        }
    }
}

/// A world in which a Commit has succeeded, whatever else it says.
fn committed(world: &World, act: &Act, set: Option<SetNo>) -> World {
    let mut world = world.clone();
    world.unmark(act.n);
    let trail = Trail::new(Why::Call(act.n, act.opnum), &[]);
    world.unfinished = Some(Unfinished { set, view: View::Committed, trail });
    world
}
