//! What is known of the storage of shadow copies: which volume keeps its copies on which, how much they
//! may take, and since when that is known.
//!
//! What a query lists is so at the time of the query: its enumerator has a copy. What a call changes is
//! so from some time between its request and its answer on. Whatever clients that are not in the
//! capture do, and administrators at the server, is not here.

use std::collections::BTreeMap;

use super::message::Query;
use super::volume::may_be;
use crate::bytes::{Guid, Time};
use crate::rpc::ChannelId;

/// Pairs of volumes of one server; beyond it nothing new is learned.
const MAX_PAIRS: usize = 4096;
/// Facts about one pair, the last of which are kept.
const MAX_FACTS: usize = 32;
/// Lists that are remembered, the last of all.
const MAX_LISTS: usize = 64;
/// Nanoseconds in which somebody at the server itself is not expected to have changed something.
pub(super) const FRESH: i64 = 5_000_000_000;

/// A volume and the one its shadow copies are stored on.
pub(super) type Pair = (String, String);

/// Whether two pairs may be the same: what volume a drive letter is of may not be known.
fn may_be_pair(one: &Pair, other: &Pair) -> bool {
    may_be(&one.0, &other.0) && may_be(&one.1, &other.1)
}

/// What was so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There is an association, with this maximum, if that is known.
    There(Option<i64>),
    /// There is none.
    Gone,
}

impl State {
    /// Whether both may be so at once.
    pub(super) fn agrees(self, other: Self) -> bool {
        match (self, other) {
            (Self::There(Some(one)), Self::There(Some(other))) => one == other,
            (Self::There(_), Self::There(_)) | (Self::Gone, Self::Gone) => true,
            _ => false,
        }
    }
}

/// How it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// `AddDiffArea`
    Add,
    /// `ChangeDiffAreaMaximumSize`
    Change,
    /// The same with a size of zero.
    Remove,
    /// `AddDiffArea`, which failed.
    AddRefused,
    /// The same, because there was one.
    Exists,
    /// `ChangeDiffAreaMaximumSize`, which failed.
    ChangeRefused,
    /// The same with a size of zero.
    RemoveRefused,
    /// A list that has it, or has it not.
    List(Query),
}

/// A fact.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    pub(super) state: State,
    pub(super) by: By,
    /// The call: of a list, the query.
    pub(super) call: u64,
    /// The connection it was on.
    pub(super) channel: ChannelId,
    /// It became so, or was so, between these.
    pub(super) from: Time,
    /// See above.
    pub(super) to: Time,
}

/// A list that was read to its end.
#[derive(Clone, Debug)]
pub(super) struct List {
    pub(super) query: Query,
    /// The volume that was asked for, as things are kept by; empty where none is.
    pub(super) volume: String,
    pub(super) call: u64,
    pub(super) channel: ChannelId,
    pub(super) from: Time,
    pub(super) to: Time,
    /// What it lists: volumes, or the pairs with their maximum.
    pub(super) volumes: Vec<String>,
    /// See above.
    pub(super) pairs: Vec<(Pair, Sizes)>,
    /// Shadow copies.
    pub(super) copies: Vec<Guid>,
}

/// The sizes of an association.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) max: i64,
    pub(super) allocated: i64,
    pub(super) used: i64,
}

/// What was last so of a pair.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    pub(super) state: State,
    /// The sizes that were last listed.
    pub(super) sizes: Option<Sizes>,
    pub(super) time: Time,
    /// The call that says it: of a list, the query.
    pub(super) call: u64,
}

/// What is known of all pairs.
#[derive(Debug, Default)]
pub(super) struct Areas {
    /// Facts by pair, in the order of their ends. Added by calls and lists, no more than [`MAX_FACTS`] of
    /// each of [`MAX_PAIRS`].
    facts: BTreeMap<Pair, Vec<Fact>>,
    /// Lists, in the order in which they were read. Added when one was read to its end, no more than
    /// [`MAX_LISTS`].
    lists: Vec<List>,
    /// What was before may be otherwise now.
    cut: Time,
}

impl Areas {
    /// What happened before `now` may have been changed by something that was not seen.
    pub(super) fn forget(&mut self, now: Time) {
        self.cut = self.cut.max(now);
    }

    /// A call has made it so.
    pub(super) fn learn(&mut self, pair: &Pair, fact: Fact) {
        if !self.facts.contains_key(pair) && self.facts.len() >= MAX_PAIRS {
            return;
        }
        let facts = self.facts.entry(pair.clone()).or_default();
        let at = facts.partition_point(|known| known.to <= fact.to);
        facts.insert(at, fact);
        if facts.len() > MAX_FACTS {
            facts.remove(0);
        }
    }

    /// A list was read to its end.
    pub(super) fn listed(&mut self, list: List) {
        if self.lists.len() >= MAX_LISTS {
            self.lists.remove(0);
        }
        self.lists.push(list);
    }

    /// The last list of a query before `now`, of one volume, of which nothing is to be forgotten.
    pub(super) fn list(&self, query: Query, volume: &str, now: Time) -> Option<&List> {
        let of = |list: &&List| {
            list.query == query && list.volume == volume && list.to <= now && list.from > self.cut
        };
        self.lists.iter().rfind(of)
    }

    /// The last lists of a query of one volume, the latest first.
    pub(super) fn lists<'a>(
        &'a self,
        query: Query,
        volume: &'a str,
    ) -> impl Iterator<Item = &'a List> {
        let of = move |list: &&List| {
            list.query == query && list.volume == volume && list.from > self.cut
        };
        self.lists.iter().rev().filter(of)
    }

    /// What is known of a pair at `now`: the last that was so before; none where something was under
    /// way then that may have changed it.
    pub(super) fn at(&self, pair: &Pair, now: Time) -> Option<Fact> {
        let facts = self.facts.get(pair).map(Vec::as_slice).unwrap_or_default();
        if facts.iter().any(|fact| fact.from < now && fact.to > now) {
            return None;
        }
        let done = facts.iter().rfind(|fact| fact.to <= now).copied();
        let listed = self.lists.iter().filter_map(|list| list.says(pair)).filter(|of| of.to <= now);
        let listed = listed.max_by_key(|fact| fact.to);
        let last = match (done, listed) {
            (Some(done), Some(listed)) if listed.from >= done.to => Some(listed),
            // Of what overlaps with a change it is not known which came first.
            (Some(done), Some(listed)) if listed.to > done.from => {
                done.state.agrees(listed.state).then_some(done)
            }
            (Some(done), _) => Some(done),
            (None, listed) => listed,
        };
        last.filter(|fact| fact.from > self.cut && !self.is_doubtful(pair, fact.from, now))
    }

    /// Whether something was done between two times to what another name may call the same pair.
    fn is_doubtful(&self, pair: &Pair, from: Time, to: Time) -> bool {
        let mut others = self.facts.iter().filter(|(of, _)| *of != pair && may_be_pair(of, pair));
        others.any(|(_, facts)| facts.iter().any(|fact| fact.to > from && fact.from < to))
    }

    /// Whether a volume may have got an association between two times.
    pub(super) fn is_added(&self, volume: &str, from: Time, to: Time) -> bool {
        let mut pairs = self.facts.iter().filter(|((of, _), _)| may_be(of, volume));
        let there = |fact: &Fact| fact.state != State::Gone && fact.to > from && fact.from < to;
        pairs.any(|(_, facts)| facts.iter().any(there))
    }

    /// Whether something was done to a pair, or begun, between two times.
    pub(super) fn is_touched(&self, pair: &Pair, from: Time, to: Time) -> bool {
        let facts = self.facts.get(pair).map(Vec::as_slice).unwrap_or_default();
        facts.iter().any(|fact| fact.to > from && fact.from < to)
            || self.is_doubtful(pair, from, to)
    }

    /// The pairs of which something was done, or listed.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.facts.keys()
    }

    /// The pairs that lists of a query have.
    pub(super) fn listed_pairs(&self, query: Query) -> impl Iterator<Item = &Pair> {
        let lists = self.lists.iter().filter(move |list| list.query == query);
        lists.flat_map(|list| list.pairs.iter().map(|(pair, _)| pair))
    }

    /// The association of a pair as it last was, for people: also where it may be otherwise now.
    pub(super) fn last(&self) -> BTreeMap<Pair, Last> {
        let mut last: BTreeMap<Pair, Last> = BTreeMap::new();
        let mut note = |pair: &Pair, said: Last| {
            let known = last.entry(pair.clone()).or_insert(said);
            if known.time <= said.time {
                *known = Last { sizes: said.sizes.or(known.sizes), ..said };
            }
        };
        for list in &self.lists {
            for (pair, sizes) in &list.pairs {
                let state = State::There(Some(sizes.max));
                note(pair, Last { state, sizes: Some(*sizes), time: list.to, call: list.call });
            }
        }
        for (pair, facts) in &self.facts {
            for fact in facts {
                let Fact { state, to, call, .. } = *fact;
                note(pair, Last { state, sizes: None, time: to, call });
            }
        }
        last
    }
}

impl List {
    /// What it says of a pair, if that is one that it would list.
    pub(super) fn says(&self, pair: &Pair) -> Option<Fact> {
        let would = match self.query {
            Query::AreasFor => pair.0 == self.volume,
            Query::AreasOn => pair.1 == self.volume,
            _ => false,
        };
        if !would {
            return None;
        }
        let found = self.pairs.iter().find(|(of, _)| of == pair);
        // It may be there by another name.
        if found.is_none() && self.pairs.iter().any(|(of, _)| may_be_pair(of, pair)) {
            return None;
        }
        let state = found.map_or(State::Gone, |(_, sizes)| State::There(Some(sizes.max)));
        let Self { call, channel, from, to, .. } = *self;
        Some(Fact { state, by: By::List(self.query), call, channel, from, to })
    }
}
