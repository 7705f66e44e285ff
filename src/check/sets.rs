//! The shadow copy sets of a server that were seen.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::act::{Act, share_key};
use super::machine::{View, Views};
use super::tracker::SECOND;
use super::world::{SetNo, Trail};
use crate::bytes::{Guid, Time};
use crate::rpc::ChannelId;

/// Sets remembered of one server.
const MAX_SETS: usize = 4096;
/// Copies remembered of one set, and states.
const MAX_COPIES: usize = 512;

/// How long a set that is not persistent stays for certain once it is finished.
const RELEASED: i64 = 180 * SECOND;

/// A shadow copy that was added.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) id: Guid,
    /// The share as it was added, and as it is compared.
    pub(super) share: String,
    pub(super) key: String,
    /// The call that added it, and when.
    pub(super) call: u64,
    pub(super) asked: Time,
    /// When its mapping was deleted: asked, answered, and by which call.
    pub(super) deleted: Option<(Time, Time, u64)>,
    /// Whether it may have been deleted unseen.
    pub(super) doubtful: bool,
}

/// A set.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(super) struct Set {
    pub(super) id: Guid,
    /// Whether its Start was seen.
    pub(super) issued: bool,
    /// `ClientShadowCopySetId`, who sent it, and under which context.
    pub(super) client_id: Option<Guid>,
    pub(super) client: Option<IpAddr>,
    pub(super) context: Option<u32>,
    /// What it may be where it is not the unfinished set.
    pub(super) after: Views,
    /// How that came.
    pub(super) trail: Trail,
    /// Whether the server has shown that it is gone for good.
    pub(super) dead: bool,
    /// Whether it may be an unfinished set whose id was not seen.
    pub(super) identifiable: bool,
    /// Added by Add; nothing is removed.
    pub(super) copies: Vec<Copy>,
    /// Whether all copies are known.
    pub(super) complete: bool,
    /// Whether Prepare succeeded after the last Add.
    pub(super) prepared: bool,
    /// When Commit was answered with success.
    pub(super) committed: Option<Time>,
    /// When `RecoveryComplete` was, and whether its client has closed a pipe since it was started.
    pub(super) recovered: Option<Time>,
    pub(super) released: bool,
    /// Whether it went because its last copy was deleted.
    pub(super) deleted: bool,
    /// What carried the last call that found it.
    pub(super) channel: Option<ChannelId>,
    /// Its way: when, what it became, by which call.
    pub(super) way: Vec<(Time, View, u64)>,
}

impl Set {
    /// Whether it is a set: an id that no call found is none.
    pub(super) fn is_one(&self) -> bool {
        self.issued || self.channel.is_some() || !self.way.is_empty()
    }

    /// A persistent set does not vanish by itself (2.2.2.1).
    pub(super) fn is_persistent(&self) -> bool {
        self.context.is_some_and(|context| context & 1 != 0)
    }

    /// Whether a finished set may have been released: one that is not persistent goes when its
    /// client does.
    pub(super) fn may_have_vanished(&self, now: Time) -> bool {
        let old = self.recovered.is_none_or(|since| now.since(since) > RELEASED);
        self.after.has(View::Recovered) && !self.is_persistent() && (old || self.released)
    }

    pub(super) fn copy(&self, id: Guid) -> Option<&Copy> {
        self.copies.iter().find(|copy| copy.id == id)
    }

    /// Notes what it has become.
    pub(super) fn becomes(&mut self, time: Time, view: View, call: u64) {
        if self.way.last().is_none_or(|(_, last, _)| *last != view) && self.way.len() < MAX_COPIES {
            self.way.push((time, view, call));
        }
    }

    /// Takes a copy from a successful Add.
    pub(super) fn add(&mut self, act: &Act, id: Guid) {
        let Some(share) = act.share() else {
            self.complete = false;
            return;
        };
        if self.copies.len() >= MAX_COPIES {
            self.complete = false;
            return;
        }
        self.copies.push(Copy {
            id,
            share: share.to_owned(),
            key: share_key(share),
            call: act.n,
            asked: act.asked,
            deleted: None,
            doubtful: false,
        });
    }
}

/// The sets of a server. Added by Start, and by the first call on an id that was not seen before;
/// when there are too many, all are forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Sets {
    all: Vec<Set>,
    ids: FxHashMap<Guid, SetNo>,
}

impl Sets {
    pub(super) fn find(&self, id: Guid) -> Option<SetNo> {
        self.ids.get(&id).copied()
    }

    pub(super) fn get(&self, no: SetNo) -> Option<&Set> {
        self.all.get(no)
    }

    pub(super) fn get_mut(&mut self, no: SetNo) -> Option<&mut Set> {
        self.all.get_mut(no)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Set> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Set> {
        self.all.iter_mut()
    }

    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= MAX_SETS
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.ids.clear();
    }

    /// Adds a set; one with the same id is replaced.
    pub(super) fn add(&mut self, set: Set) -> SetNo {
        let no = self.all.len();
        self.ids.insert(set.id, no);
        self.all.push(set);
        no
    }

    /// A set of which nothing is known but its id.
    pub(super) fn met(&mut self, id: Guid, after: Views, identifiable: bool) -> SetNo {
        let set = Set {
            id,
            issued: false,
            client_id: None,
            client: None,
            context: None,
            after,
            trail: Trail::unseen(),
            dead: false,
            identifiable,
            copies: Vec::new(),
            complete: false,
            prepared: false,
            committed: None,
            recovered: None,
            released: false,
            deleted: false,
            channel: None,
            way: Vec::new(),
        };
        self.add(set)
    }
}
