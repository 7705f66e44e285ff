//! [`Diary`]: what was asked for each shadow copy set of a server, in order.
//!
//! It is the same under every profile. What the set then was, and the server's timer, is
//! [`Standing`](super::stand::Standing), which each profile's tracker has its own of.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::act::Act;
use super::machine::Answer;
use super::say;
use crate::bytes::{Guid, Time};
use crate::call::{Call, Readable};

/// Sets of one server with pages.
const MAX_SETS: usize = 4096;
/// Entries of one server, and calls of it of which it is kept who asked what.
pub(super) const MAX_ENTRIES: usize = 65_536;
/// Entries of one set that are kept from its beginning, and from its end.
const MAX_FIRST: usize = 96;
/// See above.
const MAX_LAST: usize = 32;
/// Clients that have asked for a context and have no set yet.
const MAX_CLIENTS: usize = 256;
/// What each of them asked before it had a set.
const MAX_BEFORE: usize = 16;

/// Who asked what, and when, whether it was about a set or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) opnum: u16,
    pub(super) client: IpAddr,
    /// The set that it names or has started.
    pub(super) set: Option<Guid>,
    pub(super) asked: Time,
    pub(super) answered: Option<Time>,
}

impl Question {
    fn new(act: &Act) -> Self {
        // The id beside a failure is not that of a set.
        let started = || act.started().filter(|_| act.answer.is_success());
        Self {
            opnum: act.opnum,
            client: act.client,
            set: act.set().or_else(started).filter(|id| !id.is_nil()),
            asked: act.asked,
            answered: act.answered,
        }
    }
}

/// What was said to a call.
#[derive(Clone, Copy, Debug)]
enum Said {
    Answer(Answer),
    /// An answer that cannot be read, and why.
    Unread(&'static str),
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) call: u64,
    pub(super) opnum: u16,
    pub(super) asked: Time,
    pub(super) answered: Option<Time>,
    pub(super) client: IpAddr,
    pub(super) share: Option<Arc<str>>,
    said: Said,
}

impl Entry {
    fn new(call: &Call, act: &Act) -> Self {
        Self {
            call: act.n,
            opnum: act.opnum,
            asked: act.asked,
            answered: act.answered,
            client: act.client,
            share: act.share().map(Arc::from),
            said: match (act.answer, call.response.readable) {
                (Answer::Hidden(_), Readable::Sealed) => Said::Unread("sealed"),
                (Answer::Hidden(_), Readable::Truncated) => Said::Unread("cut off"),
                (Answer::Hidden(_), _) => Said::Unread("unreadable"),
                (Answer::None, _) if call.rpc.near_loss => Said::Unread("lost"),
                (answer, _) => Said::Answer(answer),
            },
        }
    }

    /// What was answered, in a word or two.
    pub(super) fn said(&self) -> String {
        match self.said {
            Said::Answer(answer) if answer.is_success() => "ok".to_owned(),
            Said::Answer(answer) => say::status(answer),
            Said::Unread(why) => why.to_owned(),
        }
    }

    /// Whether it was refused, failed, or was not answered.
    pub(super) fn failed(&self) -> bool {
        matches!(self.said, Said::Answer(answer) if !answer.is_success())
    }
}

/// The entries of a set.
#[derive(Clone, Debug, Default)]
struct Pages {
    /// No more than [`MAX_FIRST`]; nothing is removed.
    first: Vec<Entry>,
    /// What comes after them, no more than [`MAX_LAST`]; the oldest is removed.
    last: VecDeque<Entry>,
    /// Those that were removed.
    left_out: u64,
    /// The account of who called first, where that was told in clear.
    user: Option<String>,
}

/// What was asked of one server.
#[derive(Clone, Debug, Default)]
pub(super) struct Diary {
    /// Added by the first call on an id. When there are more than [`MAX_SETS`] of them, or more than
    /// [`MAX_ENTRIES`] entries, all are forgotten.
    sets: FxHashMap<Guid, Pages>,
    entries: usize,
    /// `SetContext`, and `StartShadowCopySet` that failed, by client, until it has a set. Added by
    /// these; of each client the oldest is removed, and those of all when there are too many clients.
    before: FxHashMap<IpAddr, VecDeque<Entry>>,
    /// By number of the call. Added by calls, no more than [`MAX_ENTRIES`]; then all are forgotten, as
    /// their [`Standings`](super::stand::Standings) are.
    calls: FxHashMap<u64, Question>,
}

impl Diary {
    /// A call is over.
    pub(super) fn answered(&mut self, call: &Call, act: &Act) {
        if self.calls.len() >= MAX_ENTRIES {
            self.calls.clear();
        }
        self.calls.insert(act.n, Question::new(act));
        let entry = Entry::new(call, act);
        let set = act.set().or_else(|| act.started()).filter(|id| !id.is_nil());
        match (act.opnum, set) {
            (2, Some(set)) => {
                for earlier in self.before.remove(&act.client).unwrap_or_default() {
                    self.add(set, earlier);
                }
                self.add(set, entry);
                self.is_by(set, call);
            }
            // Of a set that was perhaps started the id is not known, and nor is what belongs to it.
            (2, _)
                if !matches!(entry.said, Said::Answer(Answer::Status(_) | Answer::Refused(_))) =>
            {
                self.before.remove(&act.client);
            }
            (1 | 2, _) => {
                if self.before.len() >= MAX_CLIENTS && !self.before.contains_key(&act.client) {
                    self.before.clear();
                }
                let before = self.before.entry(act.client).or_default();
                if before.len() >= MAX_BEFORE {
                    before.pop_front();
                }
                before.push_back(entry);
            }
            (_, Some(set)) => {
                self.add(set, entry);
                self.is_by(set, call);
            }
            _ => {}
        }
    }

    fn is_by(&mut self, set: Guid, call: &Call) {
        if let Some(pages) = self.sets.get_mut(&set).filter(|pages| pages.user.is_none()) {
            pages.user = call.pipe().and_then(|pipe| pipe.user.clone());
        }
    }

    /// Who asked what with a call.
    pub(super) fn question(&self, call: u64) -> Option<&Question> {
        self.calls.get(&call)
    }

    /// The account that a set is of, where that was told in clear.
    pub(super) fn user(&self, set: Guid) -> Option<&str> {
        self.sets.get(&set)?.user.as_deref()
    }

    fn add(&mut self, set: Guid, entry: Entry) {
        let full = self.sets.len() >= MAX_SETS && !self.sets.contains_key(&set);
        if full || self.entries >= MAX_ENTRIES {
            self.sets.clear();
            self.entries = 0;
        }
        let pages = self.sets.entry(set).or_default();
        if pages.first.len() < MAX_FIRST {
            pages.first.push(entry);
        } else {
            pages.last.push_back(entry);
            if pages.last.len() > MAX_LAST {
                pages.last.pop_front();
                pages.left_out += 1;
                return;
            }
        }
        self.entries += 1;
    }

    /// The entries of a set in the order of their requests, each with how many are left out before it.
    pub(super) fn of(&self, set: Guid) -> Vec<(&Entry, u64)> {
        let Some(pages) = self.sets.get(&set) else { return Vec::new() };
        let by_call = |entries: &mut Vec<(&Entry, u64)>| entries.sort_by_key(|(e, _)| e.call);
        let mut first: Vec<_> = pages.first.iter().map(|entry| (entry, 0)).collect();
        by_call(&mut first);
        let mut last: Vec<_> = pages.last.iter().map(|entry| (entry, 0)).collect();
        by_call(&mut last);
        if let Some((_, left_out)) = last.first_mut() {
            *left_out = pages.left_out;
        }
        first.extend(last);
        first
    }
}
