//! What a row does to a world, and what an answer tells of the sets.

use std::sync::{Arc, LazyLock};

use super::act::Act;
use super::machine::{Answer, Clock, Row, View, Views};
use super::sets::Set;
use super::tracker::{Aborted, SECOND, Step, Tracker};
use super::tri::Tri;
use super::world::{
    Armed, Open, Outline, Rules, SetNo, Timer, TimerState, Trail, Unfinished, Why, World, merge,
    merge_made,
};
use crate::bytes::{Guid, Time};
use crate::protocol::fsrvp::Request;

/// What clients that are not in the capture may have made of a server that was idle.
static OTHERS: LazyLock<Vec<Arc<World>>> = LazyLock::new(|| {
    let sets = View::UNFINISHED.into_iter().map(|view| World::unseen(true, Some(view)));
    let free = [World::unseen(false, None), World::unseen(true, None)];
    free.into_iter().chain(sets).map(Arc::new).collect()
});

/// Clients whose last `SetContext` is remembered.
const MAX_CONTEXTS: usize = 64;

impl<'k> Tracker<'k> {
    /// What a row makes of a world.
    pub(super) fn apply(
        &self,
        row: &Row,
        world: &Arc<World>,
        view: View,
        act: &Act,
        set: Option<SetNo>,
        answer: Answer,
    ) -> Vec<Arc<World>> {
        let about = |unfinished: &Unfinished| {
            !act.names_set()
                || unfinished.set == set
                || act.request.is_none()
                || answer.is_failure()
        };
        if !changes(row, world, about) {
            return vec![world.clone()];
        }
        let mut world = (**world).clone();
        let why = Why::Call(act.n, act.opnum);
        match row.context {
            Some(true) => {
                let more = |n: u8| n.saturating_add(1);
                let retries =
                    world.open.map_or((0, 0), |open| (more(open.retries.0), more(open.retries.1)));
                world.open = Some(Open { owner: Some(act.client), retries });
                world.context = Trail::new(why.clone(), &row.keeps.context);
            }
            Some(false) => {
                world.open = None;
                world.context = Trail::new(why.clone(), &row.keeps.context);
            }
            None => world.context.extend(&row.keeps.context),
        }
        match row.timer {
            Some(clock) => world.timer = self.timer(clock, act, answer, &row.keeps.timer),
            None => world.timer.extend(&row.keeps.timer),
        }
        if row.to.is_empty() {
            if let Some(unfinished) = world.unfinished.as_mut().filter(|u| about(u)) {
                unfinished.trail.extend(&row.keeps.set);
            }
            return vec![Arc::new(world)];
        }
        let mut worlds = Vec::new();
        for to in &row.to {
            let world = self.become_(*to, row, world.clone(), view, act, set, &why);
            merge(&mut worlds, [Arc::new(world)]);
        }
        worlds
    }

    #[expect(clippy::too_many_arguments, reason = "a transition has that many sides")]
    fn become_(
        &self,
        to: View,
        row: &Row,
        mut world: World,
        view: View,
        act: &Act,
        set: Option<SetNo>,
        why: &Why,
    ) -> World {
        let target = if act.opnum == 2 { self.created } else { set };
        let old = world.unfinished.as_ref();
        // Where the id cannot be read, it is the state that tells which set the row is about.
        let named = |u: &Unfinished| {
            if act.request.is_none() { u.view == view } else { u.set == set }
        };
        let is_current = !act.names_set() || old.is_some_and(named);
        match to {
            View::Gone | View::Recovered => {
                let trail = Trail::new(why.clone(), &row.keeps.gone);
                if is_current {
                    let lost = world.unfinished.take().and_then(|unfinished| unfinished.set);
                    if let Some(no) = lost.filter(|_| to == View::Gone) {
                        world.lose(no, trail);
                    }
                } else if let Some(no) = target.filter(|_| to == View::Gone) {
                    world.lose(no, trail);
                }
            }
            to => {
                let trail = Trail::new(why.clone(), &row.keeps.set);
                if !is_current || act.opnum == 2 {
                    let lost = world.unfinished.take().and_then(|unfinished| unfinished.set);
                    if let Some(no) = lost {
                        world.lose(no, Trail::new(why.clone(), &[]));
                    }
                    world.unfinished = Some(Unfinished { set: target, view: to, trail });
                } else if let Some(unfinished) = &mut world.unfinished {
                    unfinished.view = to;
                    unfinished.trail = trail;
                }
            }
        }
        world
    }

    fn timer(&self, clock: Clock, act: &Act, answer: Answer, rules: &[Arc<str>]) -> Timer {
        let state = match clock {
            Clock::Off => TimerState::Off,
            Clock::Unknown => TimerState::Unknown,
            Clock::Start(_) if !self.profile.timer => TimerState::Unknown,
            Clock::Start(seconds) => {
                let nanos = i64::from(seconds).saturating_mul(SECOND);
                let known = act.answered.filter(|_| answer != Answer::None);
                let since = known.unwrap_or_else(|| act.asked.plus(i64::from(u32::MAX) * SECOND));
                // What takes long starts the timer when it is over.
                let from = known.filter(|_| act.takes_long()).map(|at| at.plus(-self.slack));
                let from = from.unwrap_or(act.asked).max(act.asked);
                TimerState::Armed(Armed {
                    earliest: from.plus(nanos),
                    latest: since.plus(nanos),
                    seconds,
                    call: act.n,
                    opnum: act.opnum,
                    since: act.answered.unwrap_or(act.asked),
                    sole: true,
                })
            }
        };
        Timer { state, rules: Rules::new(rules) }
    }

    /// A set that a Start has just returned.
    pub(super) fn issue(&mut self, act: &Act, id: Guid) -> SetNo {
        if self.sets.is_full() {
            self.forget_sets(act.asked);
        }
        let client_id = match &act.request {
            Some(Request::StartShadowCopySet(of)) => Some(of.client_shadow_copy_set_id),
            _ => None,
        };
        let set = Set {
            id,
            issued: true,
            client_id,
            client: Some(act.client),
            context: self.context_of(act),
            after: Views::default().with(View::Gone),
            trail: Trail::unseen(),
            dead: false,
            identifiable: false,
            copies: Vec::new(),
            complete: true,
            prepared: false,
            committed: None,
            recovered: None,
            released: false,
            deleted: false,
            channel: Some(act.channel),
            way: Vec::new(),
        };
        self.sets.add(set)
    }

    /// What an answer tells of the sets.
    pub(super) fn learn(&mut self, act: &Act, step: &Step<'k>) {
        let done = act.answered.unwrap_or(act.asked);
        if let (1, true, Some(Request::SetContext(of))) =
            (act.opnum, act.answer.is_success(), &act.request)
        {
            self.contexts.retain(|(client, _)| *client != act.client);
            self.contexts.push((act.client, of.context.0));
            if self.contexts.len() > MAX_CONTEXTS {
                self.contexts.remove(0);
            }
        }
        if act.answer.status().is_none() && !matches!(act.answer, Answer::Refused(_)) {
            self.doubt(act, step.set);
        }
        // Many outcomes have few rows.
        let mut keeps: Vec<&[Arc<str>]> = Vec::new();
        for finished in step.outcomes.iter().map(|outcome| outcome.row.keeps.finished.as_slice()) {
            if !finished.is_empty() && !keeps.contains(&finished) {
                keeps.push(finished);
            }
        }
        if !keeps.is_empty() {
            for set in self.sets.iter_mut().filter(|set| set.after.has(View::Recovered)) {
                for rules in &keeps {
                    set.trail.extend(rules);
                }
            }
        }
        if act.answer.is_success() && act.opnum == 7 {
            let status = |view: View| match view {
                View::Added | View::Creating | View::Committed | View::Exposed => Tri::Yes,
                View::Started | View::Recovered => Tri::No,
                _ => Tri::Maybe,
            };
            let mut views = step.views.iter().map(status);
            let first = views.next().unwrap_or(Tri::Maybe);
            let counts = if views.all(|other| other == first) { first } else { Tri::Maybe };
            self.aborts.push(Aborted { asked: act.asked, answered: done, call: act.n, counts });
        }
        // A server that starts a set beside an Exposed one keeps that.
        for outcome in &step.outcomes {
            let beside = act.opnum == 2 && outcome.row.quirk.is_some();
            let Some(unfinished) = outcome.before.unfinished.as_ref().filter(|_| beside) else {
                continue;
            };
            let kept = |(no, set): &(SetNo, &mut Set)| match unfinished.set {
                Some(known) => known == *no,
                None => set.identifiable,
            };
            for (_, set) in self.sets.iter_mut().enumerate().filter(kept) {
                set.after.add(View::Exposed);
            }
        }
        let created = self.created.take();
        if let Some(set) = created.and_then(|no| self.sets.get_mut(no)) {
            set.becomes(done, View::Started, act.n);
        }
        let Some(no) = step.set else { return };
        let all = step.outcomes.len();
        let ends = |to: View| step.outcomes.iter().filter(|o| o.row.to.contains(&to)).count();
        let (gone, recovered) = (ends(View::Gone), ends(View::Recovered));
        let keeps = step.outcomes.iter().find(|o| o.row.to.contains(&View::Recovered));
        let keeps = keeps.map(|o| [o.row.keeps.set.clone(), o.row.keeps.finished.clone()].concat());
        let mut views: Vec<View> =
            step.outcomes.iter().flat_map(|o| o.row.to.iter().copied()).collect();
        views.dedup();
        let Some(set) = self.sets.get_mut(no) else { return };
        let missing =
            step.contradiction.is_none() && step.outcomes.iter().all(|o| o.view == View::Gone);
        if act.answer.status().is_some() && all > 0 && (gone == all || missing) {
            set.dead = true;
        }
        if gone > 0 && gone == all {
            set.after = Views::default().with(View::Gone);
            set.identifiable = false;
        } else if gone > 0 {
            set.after.add(View::Gone);
        }
        if recovered > 0 && act.answer.status().is_some() {
            set.trail = Trail::new(Why::Call(act.n, act.opnum), &keeps.unwrap_or_default());
            set.recovered = Some(done);
            set.identifiable = false;
            set.after = Views::default().with(View::Recovered);
        }
        let refused =
            step.outcomes.iter().find(|o| o.view == View::Recovered && o.row.to.is_empty());
        if let Some(outcome) = refused {
            set.trail.extend(&outcome.row.keeps.set);
        }
        if let ([view], true) = (views.as_slice(), act.answer.status().is_some()) {
            set.becomes(done, *view, act.n);
            set.deleted = *view == View::Gone && act.opnum == 11;
        }
        if !act.answer.is_success() {
            return;
        }
        set.channel = Some(act.channel);
        match &act.request {
            Some(Request::AddToShadowCopySet(_)) => {
                set.prepared = false;
                match act.added() {
                    Some(id) => set.add(act, id),
                    None => set.complete = false,
                }
            }
            Some(Request::PrepareShadowCopySet(_)) => set.prepared = true,
            Some(Request::CommitShadowCopySet(_)) => set.committed = Some(done),
            Some(Request::DeleteShareMapping(of)) => {
                let copy = set.copies.iter_mut().find(|copy| copy.id == of.shadow_copy_id);
                if let Some(copy) = copy {
                    copy.deleted = Some((act.asked, done, act.n));
                }
            }
            _ => {}
        }
    }

    /// The context that the caller's last `SetContext` asked for.
    fn context_of(&self, act: &Act) -> Option<u32> {
        self.contexts.iter().rfind(|(client, _)| *client == act.client).map(|(_, context)| *context)
    }

    /// A client has closed a pipe: what it held only by its connection may go.
    pub(super) fn client_closed(&mut self, client: std::net::IpAddr) {
        for set in self.sets.iter_mut().filter(|set| set.client.is_none_or(|of| of == client)) {
            set.released = true;
        }
    }

    /// Clients that are not in the capture may have done what they may: taken the context when it
    /// was free, made sets of their own, aborted and deleted what they know.
    pub(super) fn allow_others(&mut self, now: Time) {
        let never = Time::from_nanos(i128::from(i64::MAX));
        for world in &mut self.worlds {
            if matches!(world.timer.state, TimerState::Armed(armed) if armed.latest != never)
                && let TimerState::Armed(armed) = &mut Arc::make_mut(world).timer.state
            {
                armed.latest = never;
            }
        }
        let known = self.worlds.clone();
        merge(&mut self.worlds, OTHERS.iter().cloned());
        for world in &known {
            let mut taken = |open: Option<Open>| {
                merge_made(&mut self.worlds, world, Outline { open, ..world.outline() }, || {
                    World { open, context: Trail::unseen(), ..(**world).clone() }
                });
            };
            if world.open.is_some() {
                taken(None);
            }
            if world.unfinished.is_some() && world.open.is_none_or(|open| open.owner.is_some()) {
                taken(Some(Open { owner: None, retries: (0, u8::MAX) }));
            }
            if world.unfinished.is_none() && world.open.is_some() {
                // Start is not denied to who does not own the context.
                for view in View::UNFINISHED {
                    let (set, timer) = (Some((None, view)), TimerState::Unknown);
                    let outline = Outline { set, timer, ..world.outline() };
                    merge_made(&mut self.worlds, world, outline, || {
                        let unfinished = Unfinished { set: None, view, trail: Trail::unseen() };
                        let (unfinished, timer) = (Some(unfinished), Timer::new(timer));
                        World { unfinished, timer, ..(**world).clone() }
                    });
                }
            }
        }
        for set in self.sets.iter_mut().filter(|set| set.after.has(View::Recovered)) {
            set.after.add(View::Gone);
        }
        self.unseen_aborts = Some(now);
    }
}

/// Whether a row makes another world of one. Most calls leave most of them as they are.
fn changes(row: &Row, world: &World, about: impl Fn(&Unfinished) -> bool) -> bool {
    let set = || {
        let unfinished = world.unfinished.as_ref().filter(|unfinished| about(unfinished));
        unfinished.is_some_and(|unfinished| unfinished.trail.learns(&row.keeps.set))
    };
    row.context.is_some()
        || row.timer.is_some()
        || !row.to.is_empty()
        || world.context.learns(&row.keeps.context)
        || world.timer.learns(&row.keeps.timer)
        || set()
}
