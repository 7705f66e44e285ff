//! Enumerators: what is known of their elements, and where each stands.
//!
//! A *family* is one collection: an enumerator that a query made, and the clones of it. Their elements
//! are known by place, as far as somebody has read them from a place that is known; each member of the
//! family has a place of its own. What [`Family`] is taken to be, frozen when it was made, is how 3.1.2
//! and 3.1.3 speak of a collection.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::message::{Arm, Element, Query};
use super::story::CursorReport;
use super::volume;
use crate::bytes::{Guid, Time};
use crate::rpc::ChannelId;

/// Enumerators of one server whose place is known; beyond it those are forgotten that were not used last.
const MAX_CURSORS: usize = 4096;
/// Elements of all collections that are known by their place; beyond it all are forgotten.
const MAX_ITEMS: usize = 65_536;

/// What tells an element from the others of its collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    Snapshot(Guid),
    Volume(String),
    Area(String, String),
}

impl Identity {
    /// Of an element that has one.
    pub(super) fn of(element: &Element) -> Option<Self> {
        let name =
            |text: &Option<super::message::Text>| text.as_ref().map(|text| volume::key(&text.text));
        Some(match &element.arm {
            Arm::Snapshot(snapshot) if !snapshot.id.is_nil() => Self::Snapshot(snapshot.id),
            Arm::Volume { name: of, .. } | Arm::DiffVolume { name: of, .. } => {
                Self::Volume(name(of)?)
            }
            Arm::Area { volume, storage, .. } => Self::Area(name(volume)?, name(storage)?),
            _ => return None,
        })
    }
}

/// What an enumerator was made by.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) query: Query,
    /// Number of the call.
    pub(super) call: u64,
    /// The connection it was on.
    pub(super) channel: ChannelId,
    /// When that was asked, and answered.
    pub(super) asked: Time,
    /// See above.
    pub(super) answered: Time,
    /// The volume it was asked for.
    pub(super) volume: Option<String>,
    /// The provider it was asked for.
    pub(super) provider: Option<Guid>,
}

/// A collection.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) source: Option<Source>,
    /// Elements by place. Added by [`Cursors::keep`].
    pub(super) items: BTreeMap<usize, (Option<Identity>, Element)>,
    /// The first place of each that has an identity.
    places: BTreeMap<Identity, usize>,
    /// How many there are, and the call that showed it.
    pub(super) len: Option<(usize, u64)>,
    /// The member that was moved last, and by which call.
    pub(super) moved: Option<(Guid, u64)>,
    /// Whether all of it has been looked at as one.
    pub(super) told: bool,
    /// Enumerators of it.
    members: usize,
}

impl Family {
    /// Whether every element is known.
    pub(super) fn is_whole(&self) -> bool {
        self.len.is_some_and(|(len, _)| len == self.items.len())
    }

    /// Where an element is that has been read before.
    pub(super) fn place_of(&self, identity: &Identity) -> Option<usize> {
        self.places.get(identity).copied()
    }
}

/// What last decided where an enumerator stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// It is new.
    Fresh,
    /// It has given out elements.
    Next(u64),
    /// It has passed over some.
    Skip(u64),
    /// It was put back to its beginning.
    Reset(u64),
    /// It was refused something.
    Rejected(u64),
    /// It is a clone.
    Clone(u64),
}

/// That nothing is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Next(u64),
    Skip(u64),
}

/// One enumerator.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    family: u64,
    /// Its place, if that is known.
    pub(super) place: Option<usize>,
    pub(super) since: Since,
    /// Whether it has said that nothing is left, and by which call.
    pub(super) end: Option<End>,
    /// The call that moved it last.
    pub(super) moved: u64,
    /// Elements that it has given, those that it gave again among them.
    given: usize,
}

impl Cursor {
    /// Nobody knows where it stands any more.
    pub(super) fn lose(&mut self) {
        self.place = None;
        self.end = None;
    }
}

/// All enumerators of one server.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    /// By `IPID`. Added by queries and clones, and by calls on those that were not seen to be made, no
    /// more than [`MAX_CURSORS`]; removed when released.
    all: FxHashMap<Guid, Cursor>,
    /// By number; removed with their last member.
    families: FxHashMap<u64, Family>,
    next: u64,
    /// Elements of all families.
    held: usize,
}

impl Cursors {
    /// An enumerator that a query made.
    pub(super) fn made(&mut self, ipid: Guid, source: Source) {
        let (call, source) = (source.call, Some(source));
        self.put(ipid, Some(0), Since::Fresh, call, Family { source, ..Family::default() });
    }

    /// A clone of another.
    pub(super) fn cloned(&mut self, ipid: Guid, of: Guid, call: u64) {
        self.adopt(of);
        let Some(parent) = self.all.get(&of).cloned() else { return };
        self.remove(ipid);
        if let Some(family) = self.families.get_mut(&parent.family) {
            family.members += 1;
            let since = Since::Clone(call);
            self.all.insert(ipid, Cursor { since, moved: call, given: 0, ..parent });
        }
    }

    /// One that is called, and was not seen to be made: it may stand anywhere.
    pub(super) fn adopt(&mut self, ipid: Guid) {
        if !self.all.contains_key(&ipid) {
            self.put(ipid, None, Since::Fresh, 0, Family::default());
        }
    }

    fn put(&mut self, ipid: Guid, place: Option<usize>, since: Since, moved: u64, of: Family) {
        self.remove(ipid);
        if self.all.len() >= MAX_CURSORS {
            self.forget();
        }
        self.next += 1;
        self.families.insert(self.next, Family { members: 1, ..of });
        let (family, end, given) = (self.next, None, 0);
        self.all.insert(ipid, Cursor { family, place, since, end, moved, given });
    }

    /// Nothing is known of any of them any more.
    pub(super) fn forget(&mut self) {
        self.all.clear();
        self.families.clear();
        self.held = 0;
    }

    /// Where each stands is not known any more.
    pub(super) fn lose(&mut self) {
        self.all.values_mut().for_each(Cursor::lose);
    }

    /// One is gone.
    pub(super) fn remove(&mut self, ipid: Guid) {
        let Some(cursor) = self.all.remove(&ipid) else { return };
        let Some(family) = self.families.get_mut(&cursor.family) else { return };
        family.members = family.members.saturating_sub(1);
        if family.members == 0 {
            self.held = self.held.saturating_sub(family.items.len());
            self.families.remove(&cursor.family);
        }
    }

    /// An enumerator, with its collection.
    pub(super) fn of(&mut self, ipid: Guid) -> Option<(&mut Cursor, &mut Family)> {
        let cursor = self.all.get_mut(&ipid)?;
        let family = self.families.get_mut(&cursor.family)?;
        Some((cursor, family))
    }

    /// An enumerator has given elements.
    pub(super) fn gave(&mut self, ipid: Guid, elements: usize) {
        if let Some(cursor) = self.all.get_mut(&ipid) {
            cursor.given = cursor.given.saturating_add(elements);
        }
    }

    /// What an enumerator, or what it is a clone of, was made by.
    pub(super) fn source(&self, ipid: Guid) -> Option<&Source> {
        let cursor = self.all.get(&ipid)?;
        self.families.get(&cursor.family)?.source.as_ref()
    }

    /// Where an enumerator stands, for people.
    pub(super) fn standing(&self, ipid: Guid) -> Option<CursorReport> {
        let cursor = self.all.get(&ipid)?;
        let family = self.families.get(&cursor.family)?;
        Some(CursorReport {
            lists: family.source.as_ref().map(|source| source.query.element().1),
            place: cursor.place,
            len: family.len,
            given: cursor.given,
            end: cursor.end.map(|(End::Next(call) | End::Skip(call))| call),
        })
    }

    /// Keeps an element that was read at a place which is known.
    pub(super) fn keep(&mut self, ipid: Guid, place: usize, element: &Element) {
        if self.held >= MAX_ITEMS {
            return self.forget();
        }
        let Some((_, family)) = self.of(ipid) else { return };
        if family.items.contains_key(&place) {
            return;
        }
        let identity = Identity::of(element);
        if let Some(identity) = &identity {
            family.places.entry(identity.clone()).or_insert(place);
        }
        family.items.insert(place, (identity, element.clone()));
        self.held += 1;
    }
}
