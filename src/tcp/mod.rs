//! TCP flows and their passive reassembly.
//!
//! Takes the segments of a capture in capture order, whatever order, loss and repetition that
//! has, and gives each direction's bytes in stream order through [`Receiver`].
//! It knows nothing of what the bytes mean; the receiver may say that it does not want them.
//!
//! **Order between the directions.** A segment acknowledges what its sender had received before it
//! spoke. It is delivered only after those bytes: an answer never overtakes its question, in
//! whatever order the capture has them.
//!
//! **Giving up.** Bytes that do not come are waited for until [`REORDER_SEGMENTS`] segments or
//! [`REORDER_BYTES`] bytes of the flow wait behind them, or the capture's clock has gone on by
//! [`REORDER_WAIT`]: the time a sender may take to repeat them. If the other side acknowledges
//! them they were only not captured, and [`ACKED_WAIT`] is enough. Then they are a gap. Bytes that
//! come after all are dropped and counted. Waiting is short because sessions may be spread over
//! several flows, whose order against each other is that of the capture.
//!
//! **Beginning.** Without a SYN a direction begins where the other side's first acknowledgment, or
//! else the first segment, says; a SYN that is captured after that is too late.
//!
//! **Conflicts.** The first copy of a byte wins. A later copy that differs is counted while the
//! first is still held; what has been delivered is not kept for comparing.
//!
//! **Copies.** A packet that was recorded twice, at two places or by two captures, is a repetition
//! like any other: its bytes are delivered once, as carried by the frame that came first.

mod half;
mod parts;
mod receiver;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::SocketAddr;

use rustc_hash::FxHashMap;

use crate::bytes::{Both, Missing, Piece, Side, Span, Time, View};
use half::{Half, Ready};

pub use half::End;
pub use parts::parts;
pub use receiver::{Flow, FlowId, Interest, Receiver, Segment};

/// Segments of one flow that may wait for a missing one.
pub const REORDER_SEGMENTS: usize = 64;
/// Bytes of one flow that may wait for a missing segment.
pub const REORDER_BYTES: usize = 1 << 20;
/// Time on the capture's clock after which a missing segment is given up, in nanoseconds.
pub const REORDER_WAIT: i64 = 2_000_000_000;
/// The same for bytes that the other side acknowledges, in nanoseconds.
pub const ACKED_WAIT: i64 = 100_000_000;
/// Bytes that may wait in all flows together.
pub const HELD_BYTES: usize = 32 << 20;
/// Flows remembered; beyond it, those silent for longest are forgotten.
pub const MAX_FLOWS: usize = 1 << 16;

/// Flows that have closed and are remembered, for what is sent once more.
const MAX_CLOSED: usize = 1 << 12;

/// Deadlines remembered. A flow has few, but a clock that stands still lets none of them come.
const MAX_DEADLINES: usize = 4 * MAX_FLOWS;

/// The addresses of a flow, the lower one first.
type Key = (SocketAddr, SocketAddr);

/// What reassembly met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Flows seen.
    pub flows: u64,
    /// Segments with payload that had been delivered before.
    pub repeated: u64,
    /// Segments that came before their turn.
    pub out_of_order: u64,
    /// Segments whose bytes differ from the first copy of them.
    pub conflicts: u64,
    /// Gaps given up, and the bytes in them.
    pub gaps: u64,
    /// Bytes in those gaps.
    pub lost_bytes: u64,
    /// Bytes cut off by the snap length, in flows somebody wanted.
    pub snapped_bytes: u64,
}

/// All flows of a capture.
#[derive(Debug, Default)]
pub struct Flows {
    /// Added by the first segment of a connection; removed when [`MAX_CLOSED`] others have closed
    /// after it, or [`MAX_FLOWS`] is reached, oldest first, or replaced when the addresses are used
    /// again.
    table: FxHashMap<Key, State>,
    /// Flows that have closed, in that order. Added when one closes; removed beyond [`MAX_CLOSED`].
    closed: VecDeque<(Key, FlowId)>,
    /// Flows in which something waits, by the time at which it is given up. Added when a flow
    /// starts waiting or has to wait less; removed when that time comes, or when there are more
    /// than [`MAX_DEADLINES`] of which most are of flows that are gone.
    deadlines: BinaryHeap<Reverse<(Time, FlowId, Key)>>,
    now: Time,
    held_bytes: usize,
    counters: Counters,
}

#[derive(Debug)]
struct State {
    flow: Flow,
    halves: Both<Half>,
    ignored: bool,
    closed: bool,
    /// Whether a packet from this side was seen.
    seen: Both<bool>,
    /// Whether nothing but SYNs of the client was seen.
    only_syns: bool,
    /// When the earliest entry in `deadlines` for this flow is due.
    queued: Option<Time>,
    last_seen: Time,
}

impl Flows {
    /// What reassembly met so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether `client` tries to connect to `server`, and nothing but its SYNs was seen of that.
    pub fn has_only_syns(&self, client: SocketAddr, server: SocketAddr) -> bool {
        let state = self.table.get(&key(client, server));
        state.is_some_and(|state| state.only_syns && state.flow.ends.client == client)
    }

    /// Takes the next segment of the capture.
    pub fn segment(&mut self, segment: &Segment<'_>, to: &mut impl Receiver) {
        self.now = self.now.max(segment.time);
        self.expire(to);
        let key = key(segment.header.src, segment.header.dst);
        if let Some(state) = self.table.get_mut(&key) {
            let side = state.side(segment);
            let over = state.closed || state.ignored;
            let again = !segment.header.syn && state.closed && !segment.payload.is_empty();
            if segment.header.syn && state.halves[side].is_new_connection(segment, over)
                || again && state.halves[side].is_elsewhere(segment)
            {
                if let Some(mut state) = self.table.remove(&key) {
                    self.finish_flow(&mut state, to);
                }
                self.open(key, segment, to);
            }
        } else {
            self.open(key, segment, to);
        }
        let Some(state) = self.table.get_mut(&key) else {
            return;
        };
        state.last_seen = self.now;
        state.only_syns &= segment.header.syn && segment.header.ack.is_none();
        let side = state.side(segment);
        if !std::mem::replace(&mut state.seen[side], true) {
            to.begins(&state.flow, side);
        }
        if state.ignored || state.closed {
            return;
        }
        let before = state.held_bytes();
        state.take(segment, self.now, &mut self.counters, to);
        if state.must_give_up(self.now, self.held_bytes) {
            state.give_up(self.now, self.held_bytes, &mut self.counters, to);
        }
        self.held_bytes = (self.held_bytes + state.held_bytes()).saturating_sub(before);
        state.queue(key, &mut self.deadlines);
        if state.closed {
            let id = state.flow.id;
            self.forget_closed(key, id, to);
        }
        if self.deadlines.len() > MAX_DEADLINES {
            let table = &self.table;
            self.deadlines.retain(|Reverse((due, id, key))| {
                let state = table.get(key).filter(|state| state.flow.id == *id);
                state.is_some_and(|state| state.queued == Some(*due))
            });
        }
    }

    /// The capture has ended: gives up all that is waited for and closes every flow.
    pub fn finish(&mut self, to: &mut impl Receiver) {
        let mut rest: Vec<_> = self.table.drain().map(|(_, state)| state).collect();
        rest.sort_unstable_by_key(|state| state.flow.id);
        for state in &mut rest {
            self.finish_flow(state, to);
        }
        self.deadlines.clear();
    }

    fn open(&mut self, key: Key, segment: &Segment<'_>, to: &mut impl Receiver) {
        if self.table.len() >= MAX_FLOWS {
            self.evict(to);
        }
        let from_client = match (segment.header.syn, segment.header.ack) {
            (true, None) => true,
            (true, Some(_)) => false,
            _ => segment.header.dst.port() < segment.header.src.port(),
        };
        let (client, server) = if from_client {
            (segment.header.src, segment.header.dst)
        } else {
            (segment.header.dst, segment.header.src)
        };
        let id = FlowId(u32::try_from(self.counters.flows).unwrap_or(u32::MAX));
        self.counters.flows += 1;
        let midstream = !segment.header.syn;
        let flow = Flow { id, ends: Both { client, server }, midstream, end: None };
        let state = State {
            flow,
            halves: Both::default(),
            ignored: false,
            closed: false,
            seen: Both::default(),
            only_syns: true,
            queued: None,
            last_seen: self.now,
        };
        self.table.insert(key, state);
    }

    /// Forgets the quarter of the flows that has been silent for longest.
    fn evict(&mut self, to: &mut impl Receiver) {
        let mut ages: Vec<_> =
            self.table.iter().map(|(key, state)| (state.last_seen, state.flow.id, *key)).collect();
        ages.sort_unstable();
        for (_, _, key) in ages.into_iter().take(MAX_FLOWS / 4) {
            if let Some(mut state) = self.table.remove(&key) {
                self.finish_flow(&mut state, to);
            }
        }
    }

    fn finish_flow(&mut self, state: &mut State, to: &mut impl Receiver) {
        self.held_bytes = self.held_bytes.saturating_sub(state.held_bytes());
        while !state.ignored && state.force(&mut self.counters, to) {}
        state.close(to);
    }

    /// Gives up what has been waited for long enough.
    fn expire(&mut self, to: &mut impl Receiver) {
        while let Some(Reverse((due, id, key))) = self.deadlines.peek().copied() {
            if due > self.now {
                return;
            }
            self.deadlines.pop();
            let Some(state) = self.table.get_mut(&key).filter(|state| state.flow.id == id) else {
                continue;
            };
            let (before, closed) = (state.held_bytes(), state.closed);
            state.queued = None;
            state.give_up(self.now, self.held_bytes, &mut self.counters, to);
            self.held_bytes = (self.held_bytes + state.held_bytes()).saturating_sub(before);
            state.queue(key, &mut self.deadlines);
            if state.closed && !closed {
                self.forget_closed(key, id, to);
            }
        }
    }

    /// A flow has closed; forgets the one that closed [`MAX_CLOSED`] flows before it.
    fn forget_closed(&mut self, key: Key, id: FlowId, to: &mut impl Receiver) {
        self.closed.push_back((key, id));
        if self.closed.len() <= MAX_CLOSED {
            return;
        }
        let Some((key, id)) = self.closed.pop_front() else { return };
        if self.table.get(&key).is_some_and(|state| state.flow.id == id)
            && let Some(mut state) = self.table.remove(&key)
        {
            self.finish_flow(&mut state, to);
        }
    }
}

/// The addresses of a segment, the lower one first.
fn key(src: SocketAddr, dst: SocketAddr) -> Key {
    if src <= dst { (src, dst) } else { (dst, src) }
}

impl State {
    fn side(&self, segment: &Segment<'_>) -> Side {
        if segment.header.src == self.flow.ends.client { Side::Client } else { Side::Server }
    }

    fn held_bytes(&self) -> usize {
        self.halves.client.held_bytes() + self.halves.server.held_bytes()
    }

    fn held_segments(&self) -> usize {
        self.halves.client.held_segments() + self.halves.server.held_segments()
    }

    /// When what waits is given up.
    fn due(&self) -> Option<Time> {
        let acked = Side::BOTH.iter().any(|side| self.halves[*side].lacks_acknowledged());
        let wait = if acked { ACKED_WAIT } else { REORDER_WAIT };
        let [client, server] = Side::BOTH.map(|side| self.halves[side].waiting_since());
        client.into_iter().chain(server).min().map(|since| since.plus(wait))
    }

    /// Sees to it that the flow is looked at when something in it is due.
    fn queue(&mut self, key: Key, deadlines: &mut BinaryHeap<Reverse<(Time, FlowId, Key)>>) {
        if let Some(due) = self.due()
            && self.queued.is_none_or(|queued| due < queued)
        {
            self.queued = Some(due);
            deadlines.push(Reverse((due, self.flow.id, key)));
        }
    }

    fn must_give_up(&self, now: Time, held_in_all: usize) -> bool {
        self.held_segments() > REORDER_SEGMENTS
            || self.held_bytes() > REORDER_BYTES
            || (held_in_all > HELD_BYTES && self.held_bytes() > 0)
            || self.due().is_some_and(|due| due <= now)
    }

    fn give_up(
        &mut self,
        now: Time,
        held_in_all: usize,
        counters: &mut Counters,
        to: &mut impl Receiver,
    ) {
        while !self.ignored && self.must_give_up(now, held_in_all) && self.force(counters, to) {}
        self.settle_end(counters, to);
    }

    /// Takes a segment: delivers it at once if it is its turn, holds it otherwise.
    fn take(
        &mut self,
        segment: &Segment<'_>,
        now: Time,
        counters: &mut Counters,
        to: &mut impl Receiver,
    ) {
        let side = self.side(segment);
        let other = &mut self.halves[side.other()];
        let ack = segment.header.ack.map(|ack| other.unwrap(ack));
        if let Some(ack) = ack.filter(|_| !segment.header.rst) {
            other.acknowledge(ack, segment.header.syn);
        }
        let passed = self.halves[side.other()].passed();
        let half = &mut self.halves[side];
        let held_before = half.held_segments();
        let now_due = half.accept(segment, ack, passed, now, counters);
        if self.flow.end.is_none() && half.ends() {
            self.flow.end = Some(End { by: side, reset: segment.header.rst });
        }
        if let Some(span) = now_due {
            let piece = Piece {
                at: 0,
                len: span.len(),
                frame: segment.frame,
                offset: segment.header.payload.start.saturating_add(span.start),
                time: segment.time,
                made: false,
            };
            let (start, end) = (crate::bytes::index(span.start), crate::bytes::index(span.end));
            let bytes = segment.payload.get(start..end).unwrap_or_default();
            let interest = to.data(&self.flow, side, View::new(bytes, &[piece], &[]));
            self.heed(interest);
        }
        let grew = self.halves[side].held_segments() > held_before;
        counters.out_of_order += u64::from(now_due.is_none() && grew);
        self.drain(counters, to);
        self.settle_end(counters, to);
    }

    fn heed(&mut self, interest: Interest) {
        if interest == Interest::Ignore {
            self.ignored = true;
            self.halves.client.forget();
            self.halves.server.forget();
        }
    }

    /// Delivers all whose turn has come.
    fn drain(&mut self, counters: &mut Counters, to: &mut impl Receiver) {
        let mut idle = 0;
        let mut side = Side::Client;
        while idle < 2 && !self.ignored {
            let passed = self.halves[side.other()].passed();
            if let Some(ready) = self.halves[side].ready(passed) {
                idle = 0;
                self.deliver(side, &ready, counters, to);
            } else {
                idle += 1;
                side = side.other();
            }
        }
    }

    /// Closes the flow when both directions have ended or one was reset.
    fn settle_end(&mut self, counters: &mut Counters, to: &mut impl Receiver) {
        if self.halves.client.was_reset() || self.halves.server.was_reset() {
            while !self.ignored && self.force(counters, to) {}
            self.close(to);
        } else if self.halves.client.ended() && self.halves.server.ended() {
            self.close(to);
        }
    }

    fn deliver(
        &mut self,
        side: Side,
        ready: &Ready,
        counters: &mut Counters,
        to: &mut impl Receiver,
    ) {
        match ready {
            Ready::Data(held) => {
                let view = View::new(&held.bytes, std::slice::from_ref(&held.piece), &[]);
                let skipped = Span::new(held.skip, view.len());
                let interest = to.data(&self.flow, side, view.slice(skipped));
                self.heed(interest);
            }
            Ready::Gap(len, why) => {
                if why == &Missing::Snapped {
                    counters.snapped_bytes += len;
                } else {
                    counters.gaps += 1;
                    counters.lost_bytes += len;
                }
                to.gap(&self.flow, side, *len, *why);
            }
        }
    }

    /// Gives up one thing that is waited for and delivers what that sets free; `false` if nothing
    /// is waited for.
    fn force(&mut self, counters: &mut Counters, to: &mut impl Receiver) -> bool {
        let oldest = |side: Side| self.halves[side].waiting_since();
        let side = match (oldest(Side::Client), oldest(Side::Server)) {
            (None, None) => return false,
            (Some(client), Some(server)) if server < client => Side::Server,
            (None, Some(_)) => Side::Server,
            _ => Side::Client,
        };
        // What is missing may be the other side's bytes that this side acknowledges.
        let gap = match self.halves[side].skip_hole() {
            Some(gap) => Some((side, gap)),
            None => self.halves[side.other()].skip_hole().map(|gap| (side.other(), gap)),
        };
        match gap {
            Some((_, 0)) => {}
            Some((side, len)) => {
                self.deliver(side, &Ready::Gap(len, Missing::Lost), counters, to);
            }
            None => {
                let ack = self.halves[side].first_ack();
                self.halves[side.other()].concede(ack);
            }
        }
        self.drain(counters, to);
        true
    }

    fn close(&mut self, to: &mut impl Receiver) {
        if !self.closed {
            self.closed = true;
            to.closed(&self.flow);
        }
    }
}

#[cfg(test)]
mod tests;
