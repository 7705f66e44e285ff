//! Calls in flight: what they may do before they are answered, and when timers run out meanwhile.

use std::sync::{Arc, LazyLock};

use super::act::Act;
use super::machine::{Answer, Method};
use super::profile::KEEPS_EXPOSED;
use super::tracker::{Flying, MANY_WORLDS, MAX_WORLDS, SECOND, Tracker};
use super::world::{Armed, Mark, SetNo, TimerState, World, merge, merge_made, unmark, widen};
use crate::bytes::Time;

/// Calls in flight kept; beyond it the server may be in any state.
const MAX_FLYING: usize = 64;
/// Calls in flight at one time whose order is thought through; with more, the server may be in any state.
const MAX_FOLLOWED: usize = 4;
/// Calls without an answer that are followed; with more, nothing is known until all must be over.
const MAX_GIVEN_UP: usize = 3;
/// How long a server may go on with a call that its client has given up.
const ABANDONED: i64 = 2 * 3600 * SECOND;

/// The rules that the context ends with the timer.
static ENDS_CONTEXT: LazyLock<[Arc<str>; 2]> =
    LazyLock::new(|| [Arc::from("FSRVP-3.1.5-05"), Arc::from("FSRVP-3.1.5-06")]);

impl<'k> Tracker<'k> {
    /// A request has been sent.
    pub(super) fn asked(&mut self, act: Act) {
        if self.flying.len() >= MAX_FLYING {
            let now = act.asked;
            self.flying.clear();
            self.forget(now);
            return;
        }
        let overlaps = !self.others && self.flying.iter().any(|flying| !flying.given_up);
        self.remember();
        let stood = overlaps.then(|| self.stood(&act));
        if act.takes_long() {
            // While the server works on it, no timer runs.
            self.expire(act.asked, act.asked.plus(self.slack));
            self.begin(&act);
        }
        self.flying.push(Flying { act, given_up: false, stood });
    }

    /// Keeps how the server may have stood when calls in flight were asked, before anything else happens
    /// that overlaps with them.
    pub(super) fn remember(&mut self) {
        if self.others {
            // Nobody asks the tracker that allows for others.
            return;
        }
        let stood = |flying: &Flying| match flying.stood {
            None if !flying.given_up => Some(self.stood(&flying.act)),
            stood => stood,
        };
        let stood: Vec<_> = self.flying.iter().map(stood).collect();
        for (flying, stood) in self.flying.iter_mut().zip(stood) {
            flying.stood = stood;
        }
    }

    /// A call that takes long may have been accepted.
    fn begin(&mut self, act: &Act) {
        let Some(method) = self.machine.method(act.opnum) else { return };
        let set = act.set().and_then(|id| self.sets.find(id));
        let mut begun = Vec::new();
        for world in &self.worlds {
            for outcome in self.outcomes(world, method, act, set, Answer::Begins) {
                begun.extend(outcome.after.into_iter().map(|mut world| {
                    Arc::make_mut(&mut world).set_mark(act.n, Mark::Begun);
                    world
                }));
            }
        }
        merge(&mut self.worlds, begun);
    }

    /// There is no answer, and will not be: anything may have come of it, now or later.
    pub(super) fn unanswered(&mut self, act: &Act, method: &'k Method, set: Option<SetNo>) {
        let mut more = Vec::new();
        for world in &self.worlds {
            let outcomes = self.outcomes(world, method, act, set, Answer::None);
            more.extend(
                outcomes.into_iter().filter(|o| o.row.breaks.is_none()).flat_map(|o| o.after),
            );
        }
        self.doubt(act, set);
        if self.flying.iter().filter(|flying| flying.given_up).count() < MAX_GIVEN_UP {
            self.flying.push(Flying { act: act.clone(), given_up: true, stood: None });
        } else {
            self.blind = Some(act.asked.plus(ABANDONED));
        }
        merge(&mut self.worlds, more);
        if self.others {
            self.allow_others(act.asked);
        }
    }

    /// Lets timers run out that may, or must, have run out before a request was looked at.
    pub(super) fn expire(&mut self, from: Time, until: Time) {
        let worlds = std::mem::take(&mut self.worlds);
        self.worlds = self.run_out(worlds, from, until);
    }

    /// What becomes of worlds in which timers may run out, or must, before a request is looked at.
    pub(super) fn run_out(
        &self,
        known: Vec<Arc<World>>,
        from: Time,
        until: Time,
    ) -> Vec<Arc<World>> {
        let slack = self.slack;
        let exposed = self.profile.quirks.contains(KEEPS_EXPOSED);
        let mut expired = Vec::new();
        let mut worlds = Vec::new();
        for world in known {
            let busy = world.open.is_some() || world.unfinished.is_some();
            match world.timer.state {
                TimerState::Armed(Armed { latest, .. }) if busy && from > latest.plus(slack) => {
                    expired.push(world);
                }
                TimerState::Armed(Armed { earliest, .. })
                    if busy && until >= earliest.plus(-slack) =>
                {
                    expired.push(world.clone());
                    worlds.push(world);
                }
                TimerState::Unknown if busy => {
                    expired.push(world.clone());
                    worlds.push(world);
                }
                _ => worlds.push(world),
            }
        }
        for world in expired {
            merge_made(&mut worlds, &world, world.expired_outline(exposed), || {
                world.expired(&*ENDS_CONTEXT, exposed)
            });
        }
        worlds
    }

    /// Lets calls in flight take effect before this one, as they may.
    pub(super) fn interleave(&mut self, act: &Act) {
        let now = act.asked;
        let (slack, opened) = (self.slack, self.flying.len());
        // A pipe carries one call after the other: what was answered later came later.
        let over = |flying: &Flying| {
            let before = flying.act.channel == act.channel && act.answered.is_some();
            flying.given_up && (before || now.since(flying.act.asked) > ABANDONED)
        };
        for flying in self.flying.iter().filter(|flying| over(flying)) {
            unmark(&mut self.worlds, flying.act.n);
        }
        self.flying.retain(|flying| !over(flying));
        if opened == 0 {
            return;
        }
        if opened > MAX_FOLLOWED {
            self.blind = self.blind.max(Some(act.asked));
            self.forget(act.asked);
            return;
        }
        let until = act.answered.unwrap_or(Time::from_nanos(i128::from(i64::MAX)));
        let flying: Vec<Flying> =
            self.flying.iter().filter(|flying| flying.act.asked <= until).cloned().collect();
        let mut fresh = self.worlds.clone();
        for _ in 0..flying.len().min(4) {
            let mut next = Vec::new();
            for world in &fresh {
                for Flying { act: other, .. } in &flying {
                    next.extend(self.progress(world, other));
                }
            }
            if next.len() > MANY_WORLDS {
                widen(&mut next);
            }
            let known = self.worlds.len();
            merge(&mut self.worlds, next);
            fresh = self.worlds.get(known..).unwrap_or_default().to_vec();
            if self.worlds.len() > MAX_WORLDS {
                self.forget(act.asked);
                return;
            }
            if fresh.is_empty() {
                break;
            }
        }
        for Flying { act: other, given_up, .. } in &flying {
            let begun = other.takes_long() && now.since(other.asked) > slack;
            if begun && !given_up && self.worlds.iter().any(|world| world.mark(other.n).is_some()) {
                self.worlds.retain(|world| world.mark(other.n).is_some());
            }
            if other.opnum == 2 {
                self.all_ids_known = false;
            }
        }
    }

    /// What a call in flight may do next to a world.
    fn progress(&self, world: &Arc<World>, act: &Act) -> Vec<Arc<World>> {
        let Some(method) = self.machine.method(act.opnum) else { return Vec::new() };
        let set = act.set().and_then(|id| self.sets.find(id));
        let mut next = Vec::new();
        let mut answers = vec![Answer::None];
        match world.mark(act.n) {
            Some(Mark::Done(_)) => return next,
            None if act.takes_long() => answers.push(Answer::Begins),
            Some(Mark::Begun) | None => {}
        }
        for answer in answers {
            for outcome in self.outcomes(world, method, act, set, answer) {
                let mark = match answer {
                    Answer::Begins => Mark::Begun,
                    _ if outcome.at < 64 => Mark::Done(1 << outcome.at),
                    _ => continue,
                };
                merge(
                    &mut next,
                    outcome.after.into_iter().map(|mut world| {
                        Arc::make_mut(&mut world).set_mark(act.n, mark);
                        world
                    }),
                );
            }
        }
        next
    }

    /// A world in which this call was done before its answer was seen: ids that it told are now known.
    pub(super) fn bound(&self, mut world: Arc<World>, act: &Act) -> Arc<World> {
        if let (2, Some(id)) = (act.opnum, act.started())
            && world.unfinished.as_ref().is_some_and(|unfinished| unfinished.set.is_none())
            && let Some(unfinished) = &mut Arc::make_mut(&mut world).unfinished
        {
            unfinished.set = self.sets.find(id);
        }
        world
    }
}
