//! [`Fragments`]: IP datagrams put together from the frames that carried their parts.
//!
//! Takes [`Fragment`]s in capture order, whatever order, loss and repetition that has, and gives a
//! [`Datagram`] when the last part of it has come. It does not know what datagrams carry.
//!
//! **Overlaps.** The first copy of a byte wins; a later copy that differs is a conflict. A receiver
//! of IPv6 drops a datagram whose parts overlap in any other way than as exact copies
//! (\[RFC 8200\] 4.5, \[RFC 5722\] 4), so such a datagram is given up.
//!
//! **Cut frames.** A part that the snap length cut is whole for its receiver: the datagram has holes
//! where its bytes were.
//!
//! **Copies.** A datagram that was given is remembered as long as one that is waited for, and copies
//! of its parts are dropped: a mirrored port, or a second capture, shows a packet twice. A part that
//! is no copy begins another datagram of that number: IPv4 has few of them.
//!
//! **Giving up.** What is not complete [`MAX_AGE`] after its first part, by the capture's clock, or
//! when more than [`MAX_DATAGRAMS`] or [`MAX_HELD`] are there, is given up, oldest first.

use std::collections::{BTreeMap, VecDeque};
use std::hash::Hasher;
use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHasher};

use super::{Fragment, Ip};
use crate::bytes::{Buffer, Missing, Span, Time, View};

/// Time after which a datagram is given up, in nanoseconds: what Linux waits, which is longer than
/// the minimum of \[RFC 791\] 3.2 and shorter than the 60 s of \[RFC 8200\] 4.5.
pub const MAX_AGE: i64 = 30_000_000_000;

/// Datagrams remembered at the same time, those given included.
pub const MAX_DATAGRAMS: usize = 4096;

/// Bytes that may wait in all of them, with what it costs to keep them.
pub const MAX_HELD: usize = 16 << 20;

/// What a run costs beside its bytes.
const RUN_COST: usize = 256;

/// What the memory of a part costs.
const COPY_COST: usize = 24;

/// An IP payload, whole.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// What the IP header of its first part says.
    pub ip: Ip,
    /// Identification of the datagram.
    pub identification: u32,
    /// The payload, with the frames that carried it.
    pub bytes: Buffer,
}

/// What was met in putting datagrams together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Fragments seen.
    pub fragments: u64,
    /// Datagrams put together from them.
    pub datagrams: u64,
    /// Fragments that were there before.
    pub repeated: u64,
    /// Fragments of which only a part was there before.
    pub overlaps: u64,
    /// Fragments that differ from the first copy of their bytes, or from what others say of the
    /// datagram's length.
    pub conflicts: u64,
    /// IPv6 datagrams that their receiver drops because their parts overlap.
    pub dropped: u64,
    /// Datagrams of which a part never came.
    pub incomplete: u64,
}

/// What makes parts belong together (\[RFC 791\] 3.2, \[RFC 8200\] 4.5); the protocol only counts in
/// IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    identification: u32,
    protocol: Option<u8>,
}

/// Datagrams that are not complete, and some that were.
#[derive(Debug, Default)]
pub struct Fragments {
    /// Added by the first part of a datagram; removed by age or by the caps, oldest first.
    table: FxHashMap<Key, Entry>,
    /// When each entry was made, in that order. Added and removed with the entries; what is left of
    /// entries that were replaced goes when there are twice as many as may be.
    ages: VecDeque<(Time, u64, Key)>,
    /// Number of the next entry.
    serial: u64,
    held: usize,
    now: Time,
    counters: Counters,
}

#[derive(Debug)]
struct Entry {
    serial: u64,
    state: State,
    /// The parts that were taken: where each began and ended, and a digest of its bytes. Each
    /// brought a byte that was not there, or was the last, so the length of a datagram bounds them.
    parts: Vec<(u32, u32, u64)>,
}

#[derive(Debug)]
enum State {
    Open(Open),
    /// It was given, or its receiver dropped it.
    Done,
}

#[derive(Debug, Default)]
struct Open {
    /// Runs of bytes, by where they begin; they never overlap.
    runs: BTreeMap<u32, Buffer>,
    /// Bytes in them.
    have: u32,
    /// Length of the datagram, when the last part of it was seen.
    whole: Option<u32>,
    /// The IP header of the first part.
    ip: Option<Ip>,
}

/// What became of a part.
enum Taken {
    /// It brought something, and that was not all.
    New,
    /// It brought what was missing.
    Last,
    /// All of it was there.
    Copy,
    /// It contradicts the others.
    Refused,
    /// The receiver drops the datagram.
    Dropped,
}

impl Fragments {
    /// What was met so far; what is still waited for counts as incomplete.
    pub fn counters(&self) -> Counters {
        let open = self.table.values().filter(|entry| entry.is_open()).count();
        let incomplete = self.counters.incomplete + u64::try_from(open).unwrap_or(u64::MAX);
        Counters { incomplete, ..self.counters }
    }

    /// Takes the next fragment of the capture; `payload` is what was captured of it.
    pub fn take(&mut self, fragment: &Fragment, payload: View<'_>, time: Time) -> Option<Datagram> {
        self.counters.fragments += 1;
        self.now = self.now.max(time);
        self.expire();
        let ip = fragment.ip;
        let key = Key {
            src: ip.src,
            dst: ip.dst,
            identification: fragment.identification,
            protocol: ip.src.is_ipv4().then_some(ip.protocol),
        };
        let part = (
            fragment.offset,
            fragment.offset.saturating_add(fragment.payload_len),
            digest(payload.bytes()),
        );
        let known = self.table.get(&key);
        if known.is_some_and(|entry| !entry.is_open() && entry.is_known(part, ip.src.is_ipv6())) {
            self.counters.repeated += 1;
            return None;
        }
        if known.is_none_or(|entry| !entry.is_open()) {
            self.open(key);
        }
        let entry = self.table.get_mut(&key)?;
        let before = entry.cost();
        let taken = entry.take(fragment, payload, part, &mut self.counters);
        let datagram = match taken {
            Taken::New | Taken::Refused => None,
            Taken::Copy => {
                self.counters.repeated += 1;
                None
            }
            Taken::Last => {
                self.counters.datagrams += 1;
                entry.close(fragment.identification)
            }
            Taken::Dropped => {
                self.counters.dropped += 1;
                entry.close(0);
                None
            }
        };
        self.held = (self.held + entry.cost()).saturating_sub(before);
        self.expire();
        datagram
    }

    /// What waits, as [`MAX_HELD`] counts it.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.held
    }

    fn open(&mut self, key: Key) {
        let serial = self.serial;
        self.serial += 1;
        let entry = Entry { serial, state: State::Open(Open::default()), parts: Vec::new() };
        self.held += entry.cost();
        if let Some(old) = self.table.insert(key, entry) {
            self.held = self.held.saturating_sub(old.cost());
        }
        self.ages.push_back((self.now, serial, key));
        if self.ages.len() > 2 * MAX_DATAGRAMS {
            let table = &self.table;
            self.ages.retain(|(_, serial, key)| {
                table.get(key).is_some_and(|entry| entry.serial == *serial)
            });
        }
    }

    /// Gives up what is too old or too much.
    fn expire(&mut self) {
        while let Some((since, serial, key)) = self.ages.front().copied() {
            let too_much = self.table.len() > MAX_DATAGRAMS || self.held > MAX_HELD;
            if !too_much && self.now.since(since) <= MAX_AGE {
                return;
            }
            self.ages.pop_front();
            if self.table.get(&key).is_some_and(|entry| entry.serial == serial)
                && let Some(entry) = self.table.remove(&key)
            {
                self.held = self.held.saturating_sub(entry.cost());
                self.counters.incomplete += u64::from(entry.is_open());
            }
        }
    }
}

impl Entry {
    fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Whether a datagram that is done had this part. A number of IPv6 is not used again so soon.
    fn is_known(&self, part: (u32, u32, u64), is_ipv6: bool) -> bool {
        is_ipv6 || self.parts.contains(&part)
    }

    /// What it counts for in [`MAX_HELD`].
    fn cost(&self) -> usize {
        let held = match &self.state {
            State::Open(open) => {
                crate::bytes::index(open.have).saturating_add(open.runs.len() * RUN_COST)
            }
            State::Done => 0,
        };
        held + RUN_COST + self.parts.len() * COPY_COST
    }

    fn take(
        &mut self,
        fragment: &Fragment,
        payload: View<'_>,
        part: (u32, u32, u64),
        counters: &mut Counters,
    ) -> Taken {
        let State::Open(open) = &mut self.state else { return Taken::Refused };
        let (start, end, _) = part;
        let is_copy = self.parts.iter().any(|(from, to, _)| (*from, *to) == (start, end));
        let taken = open.take(fragment, payload, is_copy, counters);
        if matches!(taken, Taken::New | Taken::Last) {
            self.parts.push(part);
        }
        taken
    }

    /// Ends the waiting; gives what there is, if it is all there.
    fn close(&mut self, identification: u32) -> Option<Datagram> {
        let State::Open(open) = std::mem::replace(&mut self.state, State::Done) else {
            return None;
        };
        let mut bytes = Buffer::default();
        for run in open.runs.values() {
            bytes.push(run.view());
        }
        Some(Datagram { ip: open.ip?, identification, bytes })
    }
}

impl Open {
    fn take(
        &mut self,
        fragment: &Fragment,
        payload: View<'_>,
        is_copy: bool,
        counters: &mut Counters,
    ) -> Taken {
        let start = fragment.offset;
        let end = start.saturating_add(fragment.payload_len);
        let last = self.runs.last_key_value().map_or(0, |(at, run)| at.saturating_add(run.len()));
        // Two ends, or bytes behind the end.
        let ends = if fragment.more { self.whole } else { self.whole.or(Some(end)) };
        if ends.is_some_and(|whole| end > whole || last > whole || !fragment.more && end < whole) {
            counters.conflicts += 1;
            return Taken::Refused;
        }
        let gaps = self.gaps(start, end);
        let new: u32 = gaps.iter().map(|(from, to)| to - from).sum();
        if new < end - start {
            if self.differs(start, payload) {
                counters.conflicts += 1;
            }
            if fragment.ip.src.is_ipv6() && !is_copy {
                return Taken::Dropped;
            }
            counters.overlaps += u64::from(new > 0);
        }
        self.whole = ends;
        if start == 0 {
            self.ip = self.ip.or(Some(fragment.ip));
        }
        for (from, to) in gaps {
            let mut run = Buffer::default();
            run.push(payload.slice(Span::new(from - start, to - start)));
            run.push_hole((to - from).saturating_sub(run.len()), Missing::Snapped);
            self.runs.insert(from, run);
        }
        self.have = self.have.saturating_add(new);
        match new {
            _ if self.whole == Some(self.have) => Taken::Last,
            0 => Taken::Copy,
            _ => Taken::New,
        }
    }

    /// The runs that touch `start..end`, as where each begins, where it ends, and its bytes.
    fn touching(&self, start: u32, end: u32) -> impl Iterator<Item = (u32, u32, &Buffer)> {
        let first = self.runs.range(..=start).next_back().map_or(start, |(at, _)| *at);
        let runs = self.runs.range(first..end.max(first));
        runs.map(|(at, run)| (*at, at.saturating_add(run.len()), run))
            .filter(move |(_, to, _)| *to > start)
    }

    /// What of `start..end` no run has.
    fn gaps(&self, start: u32, end: u32) -> Vec<(u32, u32)> {
        let mut gaps = Vec::new();
        let mut at = start;
        for (from, to, _) in self.touching(start, end) {
            if from > at {
                gaps.push((at, from));
            }
            at = to.max(at);
        }
        if at < end {
            gaps.push((at, end));
        }
        gaps
    }

    /// Whether `payload`, which belongs at `start`, has other bytes than the runs have. What was
    /// cut off of either cannot differ.
    fn differs(&self, start: u32, payload: View<'_>) -> bool {
        let end = start.saturating_add(payload.len());
        self.touching(start, end).any(|(from, to, run)| {
            let (low, high) = (from.max(start), to.min(end));
            let ours = payload.slice(Span::new(low - start, high - start));
            let theirs = run.view().slice(Span::new(low - from, high - from));
            let whole = |view: View<'_>| view.holes().next().is_none();
            whole(ours) && whole(theirs) && ours.bytes() != theirs.bytes()
        })
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}
