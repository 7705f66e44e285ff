//! [`World`]: one state that a server may be in. What is known of a server is a set of them.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use super::machine::View;
use super::tracker::SECOND;
use crate::bytes::Time;

/// Number of a shadow copy set in the table of its server.
pub(super) type SetNo = usize;

/// Rules kept of what has happened to one thing since it was last confirmed.
const MAX_RULES: usize = 12;

/// How something came to be as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The capture began with it, or it cannot be told.
    Unseen,
    /// Nothing had happened yet.
    Idle,
    /// This call did it.
    Call(u64, u16),
    /// The timer did it.
    Timer(Late),
    /// The server was started again.
    Restart,
}

/// An expiry of the Message Sequence Timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Late {
    /// The call that had started it, and its operation.
    pub(super) call: u64,
    pub(super) opnum: u16,
    /// For how long.
    pub(super) seconds: u32,
    /// When that was.
    pub(super) since: Time,
}

/// How something came to be, with the rules that say it stays so.
#[derive(Clone, Debug)]
pub(super) struct Trail {
    pub(super) why: Why,
    pub(super) rules: Rules,
}

/// Rules, shared by all who have the same; none is there twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules(Option<Arc<Vec<Arc<str>>>>);

impl Rules {
    /// These, which are none twice.
    pub(super) fn new(rules: &[Arc<str>]) -> Self {
        Self((!rules.is_empty()).then(|| Arc::new(rules.to_vec())))
    }

    fn has(&self, rule: &Arc<str>) -> bool {
        self.iter().any(|known| Arc::ptr_eq(known, rule) || known == rule)
    }

    /// Adds those that are not there, as long as there are fewer than `most`.
    fn extend(&mut self, rules: &[Arc<str>], most: usize) {
        for rule in rules {
            if self.len() < most && !self.has(rule) {
                Arc::make_mut(self.0.get_or_insert_default()).push(rule.clone());
            }
        }
    }
}

impl Deref for Rules {
    type Target = [Arc<str>];

    fn deref(&self) -> &[Arc<str>] {
        self.0.as_ref().map_or(&[], |rules| rules.as_slice())
    }
}

impl Trail {
    pub(super) fn new(why: Why, rules: &[Arc<str>]) -> Self {
        Self { why, rules: Rules::new(rules) }
    }

    pub(super) fn unseen() -> Self {
        Self { why: Why::Unseen, rules: Rules::default() }
    }

    /// Adds rules by which it stays as it is.
    pub(super) fn extend(&mut self, rules: &[Arc<str>]) {
        self.rules.extend(rules, MAX_RULES);
    }

    /// Whether these rules would change it.
    pub(super) fn learns(&self, rules: &[Arc<str>]) -> bool {
        self.rules.len() < MAX_RULES && rules.iter().any(|rule| !self.rules.has(rule))
    }

    /// The expiry, if the timer did it.
    pub(super) fn late(&self) -> Option<&Late> {
        match &self.why {
            Why::Timer(late) => Some(late),
            _ => None,
        }
    }
}

/// `ContextSet` is TRUE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// `ShadowCopyClientAddress`; none if it is not known.
    pub(super) owner: Option<IpAddr>,
    /// `ShadowCopyClientRetryCount`, at least and at most.
    pub(super) retries: (u8, u8),
}

/// The set that is not finished.
#[derive(Clone, Debug)]
pub(super) struct Unfinished {
    /// Which; none if its id has not been seen.
    pub(super) set: Option<SetNo>,
    /// Its status.
    pub(super) view: View,
    pub(super) trail: Trail,
}

/// The Message Sequence Timer.
#[derive(Clone, Debug)]
pub(super) struct Timer {
    pub(super) state: TimerState,
    /// The rules that say so.
    pub(super) rules: Rules,
}

impl Timer {
    /// Nothing is known of why it is so.
    pub(super) fn new(state: TimerState) -> Self {
        Self { state, rules: Rules::default() }
    }

    /// Adds rules that say so.
    pub(super) fn extend(&mut self, rules: &[Arc<str>]) {
        self.rules.extend(rules, usize::MAX);
    }

    /// Whether these rules would change it.
    pub(super) fn learns(&self, rules: &[Arc<str>]) -> bool {
        rules.iter().any(|rule| !self.rules.has(rule))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimerState {
    Off,
    /// It may run out at any time, or never.
    Unknown,
    Armed(Armed),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Armed {
    /// It runs out between these.
    pub(super) earliest: Time,
    pub(super) latest: Time,
    pub(super) seconds: u32,
    pub(super) call: u64,
    pub(super) opnum: u16,
    /// When it was started, at the latest.
    pub(super) since: Time,
    /// Whether no other call may have started it instead.
    pub(super) sole: bool,
}

impl Armed {
    /// Whether `since` is when the call was answered that started it.
    pub(super) fn is_answered(&self) -> bool {
        self.latest == self.since.plus(i64::from(self.seconds).saturating_mul(SECOND))
    }
}

impl TimerState {
    /// One of both, nobody knows which.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Off, Self::Off) => Self::Off,
            (Self::Armed(a), Self::Armed(b)) => Self::Armed(Armed {
                earliest: a.earliest.min(b.earliest),
                latest: a.latest.max(b.latest),
                sole: a.sole && b.sole && a.call == b.call,
                ..a
            }),
            _ => Self::Unknown,
        }
    }
}

/// What has become of a call that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The server has accepted it and works on it.
    Begun,
    /// It is done, by one of these rows.
    Done(u64),
}

/// What two worlds have in common that are one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outline {
    pub(super) open: Option<Open>,
    pub(super) set: Option<(Option<SetNo>, View)>,
    pub(super) timer: TimerState,
}

/// A state.
#[derive(Clone, Debug)]
pub(super) struct World {
    /// `ContextSet` with its owner.
    pub(super) open: Option<Open>,
    /// How that came.
    pub(super) context: Trail,
    pub(super) unfinished: Option<Unfinished>,
    pub(super) timer: Timer,
    /// How sets have gone, the last few. Added when one goes; the oldest is removed.
    pub(super) gone: Arc<Vec<(SetNo, Trail)>>,
    /// Calls in flight that have had an effect here. Added where calls overlap, removed with the answer.
    pub(super) marks: Vec<(u64, Mark)>,
}

impl World {
    /// Nothing is going on.
    pub(super) fn idle(why: Why) -> Self {
        Self {
            open: None,
            context: Trail::new(why, &[Arc::from("FSRVP-3.1.3-01")]),
            unfinished: None,
            timer: Timer::new(TimerState::Off),
            gone: Arc::default(),
            marks: Vec::new(),
        }
    }

    /// Somebody unknown has done something unknown.
    pub(super) fn unseen(open: bool, view: Option<View>) -> Self {
        let state = if open || view.is_some() { TimerState::Unknown } else { TimerState::Off };
        Self {
            open: open.then_some(Open { owner: None, retries: (0, u8::MAX) }),
            unfinished: view.map(|view| Unfinished { set: None, view, trail: Trail::unseen() }),
            timer: Timer::new(state),
            ..Self::idle(Why::Unseen)
        }
    }

    /// How a row for an operation without a set sees it.
    pub(super) fn view(&self) -> View {
        match (self.open.is_some(), self.unfinished.is_some()) {
            (false, false) => View::Closed,
            (false, true) => View::ClosedSet,
            (true, false) => View::Open,
            (true, true) => View::OpenSet,
        }
    }

    /// The same state, whatever led there, and whatever rows did.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.outline() == other.outline() && self.has_marks_of(other)
    }

    /// What makes it another state than others, but for calls in flight.
    pub(super) fn outline(&self) -> Outline {
        let set = self.unfinished.as_ref().map(|unfinished| (unfinished.set, unfinished.view));
        Outline { open: self.open, set, timer: self.timer.state }
    }

    /// Whether the same calls in flight have begun, and the same are done.
    fn has_marks_of(&self, other: &Self) -> bool {
        let kind = |mark: &Mark| matches!(mark, Mark::Begun);
        self.marks.len() == other.marks.len()
            && self
                .marks
                .iter()
                .zip(&other.marks)
                .all(|((n, a), (m, b))| n == m && kind(a) == kind(b))
    }

    /// Calls may be done by the rows of another world, too.
    fn learn_marks(&mut self, other: &Self) {
        for ((_, mark), (_, other)) in self.marks.iter_mut().zip(&other.marks) {
            if let (Mark::Done(rows), Mark::Done(more)) = (mark, other) {
                *rows |= more;
            }
        }
    }

    pub(super) fn mark(&self, n: u64) -> Option<Mark> {
        self.marks.iter().find(|(of, _)| *of == n).map(|(_, mark)| *mark)
    }

    pub(super) fn set_mark(&mut self, n: u64, mark: Mark) {
        self.marks.retain(|(of, _)| *of != n);
        self.marks.push((n, mark));
        self.marks.sort_unstable_by_key(|(of, _)| *of);
    }

    pub(super) fn unmark(&mut self, n: u64) {
        self.marks.retain(|(of, _)| *of != n);
    }

    /// Notes how a set has gone.
    pub(super) fn lose(&mut self, set: SetNo, trail: Trail) {
        const MOST: usize = 8;
        let gone = Arc::make_mut(&mut self.gone);
        gone.retain(|(of, _)| *of != set);
        if gone.len() >= MOST {
            gone.remove(0);
        }
        gone.push((set, trail));
    }

    /// What [`expired`](Self::expired) will make of it.
    pub(super) fn expired_outline(&self, keeps_exposed: bool) -> Outline {
        let set = self.outline().set.filter(|(_, view)| keeps_exposed && *view == View::Exposed);
        Outline { open: None, set, timer: TimerState::Off }
    }

    /// The timer has run out: 3.1.5.
    /// `keeps_exposed` is a server that leaves Exposed sets alone.
    pub(super) fn expired(&self, keeps: &[Arc<str>], keeps_exposed: bool) -> Self {
        let mut world = self.clone();
        let why = match self.timer.state {
            TimerState::Armed(armed) => Why::Timer(Late {
                call: armed.call,
                opnum: armed.opnum,
                seconds: armed.seconds,
                since: armed.since,
            }),
            _ => Why::Unseen,
        };
        let mut trail = Trail::new(why.clone(), &self.timer.rules);
        trail.extend(&[Arc::from("FSRVP-3.1.2-01")]);
        let stays = |unfinished: &Unfinished| keeps_exposed && unfinished.view == View::Exposed;
        if !world.unfinished.as_ref().is_some_and(stays)
            && let Some(Unfinished { set: Some(set), .. }) = world.unfinished.take()
        {
            world.lose(set, trail.clone());
        }
        world.open = None;
        world.context = Trail::new(why, keeps);
        world.context.extend(&trail.rules);
        world.timer = Timer::new(TimerState::Off);
        world
    }
}

/// Makes fewer worlds of many that differ in their timers and retry counts only: each of these may then
/// be any that one of them had.
pub(super) fn widen(worlds: &mut Vec<Arc<World>>) {
    let mut wide: Vec<Arc<World>> = Vec::new();
    for world in worlds.drain(..) {
        let owner = |world: &World| world.open.map(|open| open.owner);
        let set = |world: &World| world.unfinished.as_ref().map(|u| (u.set, u.view));
        let alike = |known: &&mut Arc<World>| {
            owner(known) == owner(&world) && set(known) == set(&world) && known.has_marks_of(&world)
        };
        match wide.iter_mut().find(alike) {
            None => wide.push(world),
            Some(known) => {
                let known = Arc::make_mut(known);
                known.timer.state = known.timer.state.or(world.timer.state);
                if let (Some(open), Some(other)) = (&mut known.open, world.open) {
                    open.retries.0 = open.retries.0.min(other.retries.0);
                    open.retries.1 = open.retries.1.max(other.retries.1);
                }
                known.learn_marks(&world);
            }
        }
    }
    *worlds = wide;
}

/// Adds worlds that are not there yet; those that are learn of more rows that lead to them.
pub(super) fn merge(worlds: &mut Vec<Arc<World>>, more: impl IntoIterator<Item = Arc<World>>) {
    for world in more {
        match worlds.iter_mut().find(|known| Arc::ptr_eq(known, &world) || known.same(&world)) {
            None => worlds.push(world),
            Some(known) if !known.marks.is_empty() => Arc::make_mut(known).learn_marks(&world),
            Some(_) => {}
        }
    }
}

/// The same for worlds that are made of others, where they are not there yet.
pub(super) fn merge_made(
    worlds: &mut Vec<Arc<World>>,
    of: &World,
    outline: Outline,
    make: impl FnOnce() -> World,
) {
    let there = || worlds.iter().any(|known| known.marks.is_empty() && known.outline() == outline);
    if !of.marks.is_empty() || !there() {
        merge(worlds, [Arc::new(make())]);
    }
}

/// Takes the marks of a call off all of them.
pub(super) fn unmark(worlds: &mut [Arc<World>], n: u64) {
    for world in worlds.iter_mut().filter(|world| world.mark(n).is_some()) {
        Arc::make_mut(world).unmark(n);
    }
}
