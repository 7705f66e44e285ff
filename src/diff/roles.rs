//! [`Roles`]: ids and shares by the part they play, which is the same in both captures where the
//! names are not.

use std::collections::BTreeSet;
use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::conversation::Conversation;
use super::step::Step;
use super::{Pair, Which};
use crate::bytes::Guid;
use crate::protocol::fsrvp::{Request, Response};

/// Shares that are remembered to tell whether both captures are about the same ones.
const MAX_SHARES: usize = 256;

/// Which name of one capture is which of the other.
#[derive(Debug)]
struct Names<T> {
    /// From the good one's to the bad one's. Added when two are first met in steps that belong to
    /// each other, so no more than there are steps.
    forth: FxHashMap<T, T>,
    /// And back.
    back: FxHashMap<T, T>,
}

impl<T: Hash + Eq + Clone> Names<T> {
    fn new() -> Self {
        Self { forth: FxHashMap::default(), back: FxHashMap::default() }
    }

    /// Whether two names may be of the same thing; from now on they are.
    fn same(&mut self, names: Pair<&T>) -> bool {
        match (self.forth.get(names.good), self.back.get(names.bad)) {
            (None, None) => {
                self.forth.insert(names.good.clone(), names.bad.clone());
                self.back.insert(names.bad.clone(), names.good.clone());
                true
            }
            (known, _) => known == Some(names.bad),
        }
    }
}

/// What is known of ids and shares by the way.
#[derive(Debug)]
pub(super) struct Roles<'a> {
    conversations: Pair<&'a Conversation>,
    ids: Names<Guid>,
    shares: Names<String>,
    /// Whether a name is a name: see [`literal`].
    literal: bool,
    /// Which call returned an id. Added by answers, so no more than there are steps.
    made: Pair<FxHashMap<Guid, u64>>,
    /// Whether ids may have been returned without being seen.
    unseen: Pair<bool>,
}

/// An id, as it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is zero.
    Nil,
    /// This call returned it.
    Made(u64),
    /// Nothing returned it.
    Unknown,
}

impl<'a> Roles<'a> {
    pub(super) fn new(conversations: Pair<&'a Conversation>) -> Self {
        Self {
            conversations,
            ids: Names::new(),
            shares: Names::new(),
            literal: literal(conversations),
            made: Pair::default(),
            unseen: conversations.map(Conversation::may_lack_ids),
        }
    }

    /// Takes the ids that a step returned.
    pub(super) fn returned(&mut self, which: Which, step: &Step) {
        let Some(exchange) = step.call() else { return };
        let id = match &exchange.answered {
            Some(Response::StartShadowCopySet(answer)) => answer.shadow_copy_set_id,
            Some(Response::AddToShadowCopySet(answer)) => answer.shadow_copy_id,
            Some(_) => return,
            None => {
                // It may have returned one that cannot be read.
                self.unseen[which] |= exchange.fault.is_none();
                return;
            }
        };
        if !id.is_nil() {
            self.made[which].entry(id).or_insert(exchange.n);
        }
    }

    /// Where an id is from.
    pub(super) fn origin(&self, which: Which, id: Guid) -> Origin {
        match self.made[which].get(&id) {
            _ if id.is_nil() => Origin::Nil,
            Some(n) => Origin::Made(*n),
            None => Origin::Unknown,
        }
    }

    /// Whether two ids that the server has returned before, or not, play the same part.
    pub(super) fn same_id(&mut self, ids: Pair<Guid>) -> bool {
        let origins = Pair::of(|which| self.origin(which, ids[which]));
        match (origins.good, origins.bad) {
            (Origin::Nil, Origin::Nil) => true,
            (Origin::Nil, _) | (_, Origin::Nil) => false,
            (Origin::Made(_), Origin::Unknown) if !self.unseen.bad => false,
            (Origin::Unknown, Origin::Made(_)) if !self.unseen.good => false,
            _ => self.ids.same(ids.as_ref()),
        }
    }

    /// Whether two new ids play the same part: both sides have them for the first time, or neither.
    pub(super) fn same_new_id(&mut self, ids: Pair<Guid>) -> bool {
        ids.good.is_nil() == ids.bad.is_nil() && (ids.good.is_nil() || self.ids.same(ids.as_ref()))
    }

    /// Whether two shares are the same one, or play the same part.
    pub(super) fn same_share(&mut self, shares: Pair<&str>) -> bool {
        let keys = Pair::of(|which| self.conversations[which].share_key(shares[which]));
        let part = self.shares.same(keys.as_ref());
        // Where a server's names were lost, the same name may have two keys.
        let written = shares.map(|share| share.trim_end_matches('\\').to_lowercase());
        keys.good == keys.bad || written.good == written.bad || part && !self.literal
    }
}

/// Whether shares are the same by their names alone, and not by the part they play: where both captures
/// name several of the same, or the shares that each copies first have one in common.
pub(super) fn literal(conversations: Pair<&Conversation>) -> bool {
    let all = conversations.map(shares);
    let (few, many) =
        if all.good.len() < all.bad.len() { (&all.good, &all.bad) } else { (&all.bad, &all.good) };
    let mut first = conversations.map(added);
    for which in Which::BOTH {
        if first[which].is_empty() {
            first[which].clone_from(&all[which]);
        }
    }
    few.len() > 1 && few.is_subset(many) || !first.good.is_disjoint(&first.bad)
}

/// The shares that are added before anything is done with them.
fn added(of: &Conversation) -> BTreeSet<String> {
    let mut added = BTreeSet::new();
    for call in of.steps.iter().filter_map(Step::call) {
        match &call.asked {
            Some(Request::AddToShadowCopySet(ask)) if added.len() < MAX_SHARES => {
                added.insert(of.share_key(&ask.share_name));
            }
            // Commit, Expose, RecoveryComplete, Abort, Prepare.
            _ if matches!(call.opnum, Some(4..=7 | 12)) && !added.is_empty() => break,
            _ => {}
        }
    }
    added
}

/// The shares of a conversation.
pub(super) fn shares(of: &Conversation) -> BTreeSet<String> {
    let shares = of.steps.iter().filter_map(|step| Some(of.share_key(step.call()?.share()?)));
    let mut all = BTreeSet::new();
    for share in shares {
        if all.len() < MAX_SHARES {
            all.insert(share);
        }
    }
    all
}
