//! One direction of a flow: what was delivered, what waits, what is missing.
//!
//! Sequence numbers are unwrapped to 64 bits once, at the door; inside there is no wrap.

use std::collections::BTreeMap;

use super::{Counters, Segment};
use crate::bytes::{Missing, Piece, Side, Span, Time, clamp, index};

/// How far before the first byte seen a late SYN may lie to belong to the same connection.
const LATE_SYN: u64 = 1 << 24;

/// How far ahead of what was delivered a RST may be: a receive window.
const RST_WINDOW: u64 = 1 << 20;

/// The first FIN or RST of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Who sent it.
    pub by: Side,
    /// Whether it is a RST.
    pub reset: bool,
}

/// Bytes that wait for their turn.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Box<[u8]>,
    pub(super) piece: Piece,
    /// Bytes at the start that were delivered meanwhile.
    pub(super) skip: u32,
    /// Since when it waits, by the capture's clock as it was then.
    since: Time,
    /// What the sender had received when it sent this, in the other direction's numbers.
    ack: Option<u64>,
}

/// What may be delivered now.
#[derive(Debug)]
pub(super) enum Ready {
    Data(Held),
    Gap(u64, Missing),
}

#[derive(Debug, Default)]
pub(super) struct Half {
    /// Any sequence number of this direction, unwrapped; the next ones are unwrapped next to it.
    reference: Option<u64>,
    /// The first byte of the stream, where a SYN told it.
    start: Option<u64>,
    /// The next byte to deliver; unknown until the first byte of the stream is.
    next: Option<u64>,
    /// What the other side has acknowledged.
    acknowledged: u64,
    /// Bytes before this are not waited for by the other direction.
    conceded: u64,
    /// Bytes that wait, by sequence number; ranges never overlap. Added by segments out of turn,
    /// removed by delivery; the flow's caps bound it.
    held: BTreeMap<u64, Held>,
    held_bytes: usize,
    /// Ranges the snap length cut off, start to end. Added with the segment, removed when passed.
    snapped: BTreeMap<u64, u64>,
    /// Where a FIN or RST ends the stream, and when that was seen.
    end: Option<(u64, Time)>,
    reset: bool,
}

impl Half {
    /// `seq` as a 64-bit number: the one congruent to it that is nearest to what was seen last.
    pub(super) fn unwrap(&mut self, seq: u32) -> u64 {
        const TURN: u64 = 1 << 32;
        let Some(near) = self.reference else {
            let first = TURN + u64::from(seq);
            self.reference = Some(first);
            return first;
        };
        let base = near & !(TURN - 1);
        let guess = base + u64::from(seq);
        if guess > near + TURN / 2 {
            guess.saturating_sub(TURN)
        } else if guess + TURN / 2 < near {
            guess + TURN
        } else {
            guess
        }
    }

    /// Forgets all but where the stream began.
    pub(super) fn forget(&mut self) {
        *self = Self { start: self.start, reference: self.reference, ..Self::default() };
    }

    /// Whether a SYN starts another connection between the same addresses.
    pub(super) fn is_new_connection(&mut self, segment: &Segment<'_>, closed: bool) -> bool {
        let low = self.next.or_else(|| self.held.keys().next().copied());
        let first = self.unwrap(segment.header.seq) + 1;
        match (self.start, low) {
            // The same number again is a late copy, unless nothing came of the first attempt.
            (Some(start), _) => first != start || closed && self.next == Some(start),
            (None, Some(low)) => closed || first > low || low - first > LATE_SYN,
            (None, None) => closed,
        }
    }

    /// Whether a segment of a flow that has ended can be no late copy: its numbers are elsewhere.
    pub(super) fn is_elsewhere(&mut self, segment: &Segment<'_>) -> bool {
        let seq = self.unwrap(segment.header.seq);
        self.next.is_none_or(|next| seq.abs_diff(next) > LATE_SYN)
    }

    /// Everything before this has been delivered, given up or conceded. A FIN counts as a byte.
    pub(super) fn passed(&self) -> u64 {
        let fin = u64::from(self.ended());
        self.next.map_or(0, |next| next.saturating_add(fin)).max(self.conceded)
    }

    pub(super) fn held_segments(&self) -> usize {
        self.held.len()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Whether everything up to the FIN or RST has been delivered.
    pub(super) fn ended(&self) -> bool {
        self.end.is_some_and(|(end, _)| self.next.is_some_and(|next| next >= end))
            && self.held.is_empty()
    }

    /// Whether a FIN or RST says where it ends.
    pub(super) fn ends(&self) -> bool {
        self.end.is_some()
    }

    pub(super) fn was_reset(&self) -> bool {
        self.reset && self.ended()
    }

    /// Since when something waits here.
    pub(super) fn waiting_since(&self) -> Option<Time> {
        if self.held.is_empty() && self.end.is_none() {
            return None;
        }
        let oldest = self.held.values().map(|held| held.since).min();
        let end = self.end.filter(|_| !self.ended()).map(|(_, time)| time);
        oldest.into_iter().chain(end).min()
    }

    /// What the first bytes that wait acknowledge.
    pub(super) fn first_ack(&self) -> Option<u64> {
        self.held.values().next().and_then(|held| held.ack)
    }

    /// The other direction no longer waits for bytes before `ack`; or for any, as long as nothing
    /// at all was seen of this one.
    pub(super) fn concede(&mut self, ack: Option<u64>) {
        self.conceded = match (self.next, ack) {
            (Some(_), Some(ack)) => self.conceded.max(ack),
            _ => u64::MAX,
        };
    }

    /// The other side acknowledges everything before `ack`; with a SYN, that is nothing but ours.
    pub(super) fn acknowledge(&mut self, ack: u64, syn: bool) {
        self.acknowledged = self.acknowledged.max(ack);
        if syn {
            self.start = self.start.or(Some(ack));
        }
        if self.next.is_none() {
            let held = self.held.keys().next().copied();
            self.begin(held.map_or(ack, |held| held.min(ack)));
        }
    }

    /// Whether bytes are missing that the other side acknowledges: they will not be sent again.
    pub(super) fn lacks_acknowledged(&self) -> bool {
        self.next.is_some() && self.passed() < self.acknowledged
    }

    /// The stream begins, or is taken up, at `first`.
    fn begin(&mut self, first: u64) {
        self.next = Some(first);
        self.reference = Some(first);
        self.conceded = 0;
    }

    /// Takes a segment. Gives the part of its payload that is due at once, if any; the rest is
    /// held or dropped.
    pub(super) fn accept(
        &mut self,
        segment: &Segment<'_>,
        ack: Option<u64>,
        passed: u64,
        now: Time,
        counters: &mut Counters,
    ) -> Option<Span> {
        let seq = self.unwrap(segment.header.seq);
        let start = if segment.header.syn { seq + 1 } else { seq };
        if segment.header.syn {
            self.start = self.start.or(Some(start));
            if self.next.is_none() {
                self.begin(start);
            }
        }
        let captured = clamp(segment.payload.len());
        let wire_end = start + u64::from(segment.header.payload_len.max(captured));
        // A receiver heeds a RST only where it stands (RFC 5961 3); one from elsewhere is forged, or
        // left over from another connection.
        let near = self.next.is_none_or(|next| {
            wire_end >= next.saturating_sub(1) && wire_end - next.min(wire_end) <= RST_WINDOW
        });
        if segment.header.rst && self.next.is_none() && self.held.is_empty() {
            // A refusal: nothing was ever said.
            self.begin(wire_end);
        }
        if segment.header.fin || segment.header.rst && near {
            self.reset |= segment.header.rst && near;
            // The number of a RST counts the FIN before it, even where the FIN is captured later.
            let after = |end| self.reset && end == wire_end + 1;
            if self.end.is_none_or(|(end, _)| (wire_end > end || after(end)) && !segment.header.rst)
            {
                self.end = Some((wire_end, now));
            }
        }
        let seen = start + u64::from(captured);
        if wire_end > seen {
            self.note_snapped(seen, wire_end);
        }
        if captured == 0 {
            return None;
        }
        if self.next.is_some_and(|next| seen <= next) {
            counters.repeated += 1;
            return None;
        }
        let due = self.next.filter(|next| {
            start <= *next
                && ack.is_none_or(|ack| ack <= passed)
                && self.held.keys().next().is_none_or(|first| *first >= seen)
        });
        if let Some(next) = due {
            self.next = Some(seen);
            self.reference = Some(seen);
            Some(Span::new(clamp_u64(next - start), captured))
        } else {
            self.hold(segment, start, ack, now, counters);
            None
        }
    }

    fn note_snapped(&mut self, from: u64, to: u64) {
        /// Ranges remembered; more than that many snapped segments out of turn are not plausible.
        const MAX_SNAPPED: usize = 1024;
        if self.snapped.len() < MAX_SNAPPED && self.next.is_none_or(|next| to > next) {
            let end = self.snapped.entry(from).or_default();
            *end = to.max(*end);
        }
    }

    /// Keeps the parts of the payload that are not kept yet; the first copy of a byte wins.
    fn hold(
        &mut self,
        segment: &Segment<'_>,
        start: u64,
        ack: Option<u64>,
        now: Time,
        counters: &mut Counters,
    ) {
        let end = start + u64::from(clamp(segment.payload.len()));
        let mut from = self.next.map_or(start, |next| next.max(start));
        let mut conflict = false;
        while from < end {
            // The range that covers `from`, or else the next one after it.
            let before = self.held.range(..=from).next_back();
            let cover = before.map(|(at, held)| (*at, at + u64::from(held.piece.len), held));
            if let Some((at, to, held)) = cover.filter(|(_, to, _)| *to > from) {
                let ours = slice(segment.payload, start, from, to.min(end));
                let theirs = slice(&held.bytes, at, from, to.min(end));
                conflict |= ours != theirs;
                from = to;
                continue;
            }
            let to = self.held.range(from..).next().map_or(end, |(at, _)| end.min(*at));
            let bytes: Box<[u8]> = slice(segment.payload, start, from, to).into();
            self.held_bytes += bytes.len();
            let offset = segment.header.payload.start.saturating_add(clamp_u64(from - start));
            let piece = Piece {
                at: 0,
                len: clamp(bytes.len()),
                frame: segment.frame,
                offset,
                time: segment.time,
                made: false,
            };
            self.held.insert(from, Held { bytes, piece, skip: 0, since: now, ack });
            from = to;
        }
        counters.conflicts += u64::from(conflict);
    }

    /// What is due next. `passed` is how far the other direction has come.
    pub(super) fn ready(&mut self, passed: u64) -> Option<Ready> {
        let next = self.next?;
        let first = self.held.first_key_value();
        let first = first.map(|(at, held)| (*at, at + u64::from(held.piece.len), held.ack));
        if let Some((at, to, ack)) = first.filter(|(at, _, _)| *at <= next) {
            if to > next && ack.is_some_and(|ack| ack > passed) {
                return None;
            }
            let mut held = self.held.remove(&at)?;
            self.held_bytes -= held.bytes.len();
            if to <= next {
                return self.ready(passed);
            }
            held.skip = clamp_u64(next - at);
            self.next = Some(to);
            self.reference = Some(to);
            return Some(Ready::Data(held));
        }
        while let Some((from, to)) = self.snapped.first_key_value().map(|(a, b)| (*a, *b)) {
            if to <= next {
                self.snapped.remove(&from);
                continue;
            }
            if from > next {
                break;
            }
            let to = first.map_or(to, |(at, _, _)| to.min(at));
            self.next = Some(to);
            self.reference = Some(to);
            return Some(Ready::Gap(to - next, Missing::Snapped));
        }
        None
    }

    /// If bytes are missing before what waits here, passes over them and gives their number: zero
    /// when the beginning of the stream is what is missing. `None` if none are missing.
    pub(super) fn skip_hole(&mut self) -> Option<u64> {
        let known = [
            self.held.keys().next().copied(),
            self.snapped.keys().next().copied(),
            self.end.map(|(end, _)| end).filter(|end| self.next.is_none_or(|next| *end > next)),
        ];
        let first = known.into_iter().flatten().min()?;
        match self.next {
            None => {
                self.begin(first);
                Some(0)
            }
            Some(next) if first > next => {
                self.next = Some(first);
                self.reference = Some(first);
                Some(first - next)
            }
            Some(_) => None,
        }
    }
}

/// The bytes `from..to` of a range that starts at `base`.
fn slice(bytes: &[u8], base: u64, from: u64, to: u64) -> &[u8] {
    let (start, end) = (clamp_u64(from - base), clamp_u64(to - base));
    bytes.get(index(start)..index(end)).unwrap_or_default()
}

/// A distance within one segment, which always fits.
fn clamp_u64(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
