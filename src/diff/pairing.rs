//! Which conversation of one capture belongs to which of the other.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::compare::{Comparison, Lone, Parting};
use super::conversation::{Conversation, Host, Kind};
use super::recorder::Recording;
use super::roles::shares;
use super::values::Part;
use super::weights::Weight;
use super::{Pair, Which};
use crate::bytes::Time;

/// Conversations without a partner of their own that are compared with the most alike.
const MAX_BESIDE: usize = 16;
/// What it counts that two conversations are of the same server, of the same client, and about the
/// same share.
const SERVER: u32 = 4;
const CLIENT: u32 = 2;
const SHARE: u32 = 1;

/// What came of comparing two captures.
#[derive(Clone, Debug)]
pub struct Compared<'a> {
    /// The conversations side by side; first those that end
    /// otherwise, then those that part otherwise.
    pub comparisons: Vec<Comparison<'a>>,
    /// Conversations about shadow copies that nothing was compared with.
    pub lone: Vec<Lone<'a>>,
    /// Conversations about shadow copies in each.
    pub conversations: Pair<usize>,
    /// Conversations in each of which nothing more is known, because SMB is encrypted.
    pub hidden: Pair<usize>,
    /// Whether there were conversations that were not kept.
    pub full: Pair<bool>,
}

/// How a comparison ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is no difference in meaning.
    Alike,
    /// There is one.
    Different,
    /// What could be compared is alike, and not all could be; or nothing could.
    Undecided,
}

impl Outcome {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alike => "alike",
            Self::Different => "different",
            Self::Undecided => "undecided",
        }
    }
}

impl Comparison<'_> {
    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        if self.parting.is_some() || self.lone.is_some() {
            Outcome::Different
        } else if self.is_whole() && self.is_something() {
            Outcome::Alike
        } else {
            Outcome::Undecided
        }
    }

    /// What is told first: what ends otherwise, then what parts otherwise, each by when it does in the
    /// bad capture.
    fn order(&self) -> (u8, Time) {
        let ends = |of: &&Parting| of.changes.iter().any(|change| change.part == Part::Outcome);
        let ending = self.parting.iter().chain(&self.ending).find(ends);
        let parting = ending.or(self.parting.as_ref());
        let rank = match (parting, self.outcome()) {
            (Some(_), _) if ending.is_some() => 0,
            (Some(parting), _) if parting.weight == Weight::Meaning => 1,
            (_, Outcome::Different) => 2,
            (_, Outcome::Undecided) => 3,
            (_, Outcome::Alike) => 4,
        };
        let at = parting.and_then(|parting| parting.steps.bad);
        let steps = &self.conversations.bad.steps;
        let step = at.and_then(|at| steps.get(at)).or(steps.last());
        (rank, step.map(|step| step.time).unwrap_or_default())
    }
}

impl Compared<'_> {
    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        let of = |outcome| self.comparisons.iter().any(|of| of.outcome() == outcome);
        if of(Outcome::Different) || of(Outcome::Alike) && !self.lone.is_empty() {
            Outcome::Different
        } else if of(Outcome::Undecided) || !of(Outcome::Alike) || self.full != Pair::default() {
            Outcome::Undecided
        } else {
            Outcome::Alike
        }
    }
}

/// A conversation, and what it is known by.
#[derive(Debug)]
struct Portrait<'a> {
    of: &'a Conversation,
    shares: BTreeSet<String>,
}

type Portraits<'a> = Vec<Portrait<'a>>;

/// Compares what happened in two captures.
pub fn compare(recordings: Pair<&Recording>) -> Compared<'_> {
    let of_kind = |which: Which, kinds: &[Kind]| -> Portraits<'_> {
        let all = recordings[which].conversations.iter();
        all.filter(|of| kinds.contains(&of.kind))
            .map(|of| Portrait { of, shares: shares(of) })
            .collect()
    };
    let ours = Pair::of(|which| of_kind(which, &[Kind::ShadowCopies]));
    let conversations = ours.as_ref().map(Vec::len);
    let mut couples = Vec::new();
    let mut left = ours;
    pair_up(&mut left, &mut couples, |couple| Some(likeness(couple)));
    // Whoever came for shadow copies in one capture may not have come so far in the other.
    for which in Which::BOTH {
        let other = which.other();
        let mut lists = Pair::default();
        lists[which] = std::mem::take(&mut left[which]);
        lists[other] = of_kind(other, &[Kind::Refused, Kind::Hidden, Kind::Other]);
        pair_up(&mut lists, &mut couples, |couple| {
            let likeness = likeness(couple);
            let least = match couple[other].of.kind {
                Kind::Other => SERVER + CLIENT,
                // Many connects come to nothing that have nothing to do with shadow copies.
                _ if conversations[other] > 0 || couple[other].of.is_unreached() => SERVER,
                _ => 0,
            };
            (likeness >= least).then_some(likeness)
        });
        left[which] = std::mem::take(&mut lists[which]);
    }
    if couples.is_empty() && conversations == Pair::default() {
        let mut refused = Pair::of(|which| of_kind(which, &[Kind::Refused]));
        pair_up(&mut refused, &mut couples, |couple| {
            let unreached = Which::BOTH.iter().any(|which| couple[*which].of.is_unreached());
            let likeness = likeness(couple);
            (!unreached || likeness >= SERVER).then_some(likeness)
        });
    }
    let mut comparisons: Vec<_> =
        couples.into_iter().map(|couple| Comparison::new(couple, None)).collect();
    let mut lone = Vec::new();
    for which in Which::BOTH {
        let others = of_kind(which.other(), &[Kind::ShadowCopies]);
        for (n, portrait) in left[which].iter().enumerate() {
            let couple = |other| {
                let mut couple = Pair { good: portrait, bad: portrait };
                couple[which.other()] = other;
                couple
            };
            // The first of those that are equally alike.
            let most = others.iter().rev().max_by_key(|other| likeness(couple(other)));
            match most.filter(|_| n < MAX_BESIDE) {
                Some(other) => {
                    let conversations = couple(other).map(|portrait| portrait.of);
                    comparisons.push(Comparison::new(conversations, Some(which)));
                }
                None => lone.push(Lone { which, conversation: portrait.of }),
            }
        }
    }
    comparisons.sort_by_key(Comparison::order);
    let hidden = Pair::of(|which| of_kind(which, &[Kind::Hidden]).len());
    let full = recordings.map(|of| of.full);
    Compared { comparisons, lone, conversations, hidden, full }
}

/// Takes those out of both lists that belong to each other, the most alike first; of those that are
/// equally alike, in their order.
fn pair_up<'a>(
    lists: &mut Pair<Portraits<'a>>,
    couples: &mut Vec<Pair<&'a Conversation>>,
    likeness: impl Fn(Pair<&Portrait<'a>>) -> Option<u32>,
) {
    let mut all: Vec<(Reverse<u32>, usize, usize, Pair<usize>)> = Vec::new();
    for (g, good) in lists.good.iter().enumerate() {
        for (b, bad) in lists.bad.iter().enumerate() {
            if let Some(likeness) = likeness(Pair { good, bad }) {
                let at = Pair { good: g, bad: b };
                all.push((Reverse(likeness), g.abs_diff(b), g.saturating_add(b), at));
            }
        }
    }
    all.sort_by_key(|(likeness, apart, sum, _)| (*likeness, *apart, *sum));
    let mut taken: Pair<BTreeSet<usize>> = Pair::default();
    for (.., at) in all {
        if taken.good.contains(&at.good) || taken.bad.contains(&at.bad) {
            continue;
        }
        if let (Some(good), Some(bad)) = (lists.good.get(at.good), lists.bad.get(at.bad)) {
            couples.push(Pair { good: good.of, bad: bad.of });
        }
        for which in Which::BOTH {
            taken[which].insert(at[which]);
        }
    }
    for which in Which::BOTH {
        let mut at = 0..;
        lists[which].retain(|_| at.next().is_some_and(|at| !taken[which].contains(&at)));
    }
}

/// How alike two conversations are by who had them, and about what.
fn likeness(of: Pair<&Portrait<'_>>) -> u32 {
    let same = |host: fn(&Conversation) -> &Host| is_same(of.map(|portrait| host(portrait.of)));
    let server = u32::from(same(|of| &of.server)) * SERVER;
    let client = u32::from(same(|of| &of.client)) * CLIENT;
    let share = u32::from(!of.good.shares.is_disjoint(&of.bad.shares)) * SHARE;
    server + client + share
}

/// Whether two machines are the same, by their names if both are known, or else by their addresses.
fn is_same(hosts: Pair<&Host>) -> bool {
    match (&hosts.good.name, &hosts.bad.name) {
        (Some(good), Some(bad)) => {
            let first = |name: &str| name.split('.').next().map(str::to_lowercase);
            first(good) == first(bad)
        }
        _ => hosts.good.ip == hosts.bad.ip,
    }
}
