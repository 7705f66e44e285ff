//! Connection-oriented DCE/RPC: PDUs (pure) and associations (state). Of the connectionless
//! protocol only the header is read ([`datagram`]).
//!
//! Takes the bytes of a *channel* (a TCP connection or a named pipe: RPC does not know which) and
//! gives joined [`Call`]s. RPC is recognised by its content, never by port or pipe name, and the
//! interface of a call comes from its presentation context or stays unknown.
//!
//! ```text
//! channel bytes ─► Stream (cut into PDUs) ─► pdu::dissect ─► Association ─► Call
//! ```

mod association;
mod bind;
mod call;
mod contexts;
pub mod datagram;
pub mod names;
mod part;
pub mod pdu;
mod protection;
pub mod trailer;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::bytes::{
    Both, Ends, FrameNo, Framed, Guid, Layer, Missing, Reader, Side, Stop, Stream, Time, View,
    clamp, index,
};
use crate::security::kerberos::KrbError;
use crate::security::keys::Keyring;
use crate::security::{Need, Verdict};
use association::Association;
pub use bind::{ContextElement, ContextResult, SyntaxId, Transfer};
pub use call::{Auth, Call, Ending, Message, StubState};
pub use pdu::PacketType;

/// Octets of stubs kept for calls that are not complete, all together; what comes beyond is a
/// hole in the stub.
pub const STUB_BYTES: u32 = 64 << 20;

/// Octets of PDUs that have begun and not ended, in all channels together; beyond it a channel
/// looks for its next PDU.
pub const PART_BYTES: u64 = 32 << 20;

/// Who carries RPC; the caller's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u64);

/// What RPC has to say.
#[derive(Debug)]
pub enum Event {
    /// A call is complete, or will never be.
    Call(Box<Call>),
    /// The request of a call is complete; `Call` with the same number follows. Only of interfaces
    /// that were [announced](Rpc::announce).
    Asked(Box<Call>),
    /// A bind or `alter_context` was answered.
    Bound(Box<Bound>),
    /// The server did not take the Kerberos ticket of a bind or `alter_context`.
    TicketRefused {
        /// The channel.
        channel: ChannelId,
        /// The connection that carried the answer.
        ends: Ends,
        /// Why.
        error: Box<KrbError>,
    },
    /// A bind or `alter_context` was the last PDU of a channel that has ended. Not told where an
    /// answer may have been among bytes that were lost.
    Unanswered(Box<Unanswered>),
    /// The place in the bytes of a channel that has carried PDUs was lost: calls may be, too.
    Lost {
        /// The channel.
        channel: ChannelId,
        /// The connection that carried what came last.
        ends: Ends,
    },
}

/// The answer to a bind or `alter_context`, for one interface or for all that it offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The channel.
    pub channel: ChannelId,
    /// The connection that carried the answer.
    pub ends: Ends,
    /// When the answer was complete.
    pub time: Time,
    /// The last of the frames that carried it.
    pub frame: Option<FrameNo>,
    /// Which interfaces were asked for; none where the request was not seen.
    pub interfaces: Vec<SyntaxId>,
    /// How the request was protected; `None` where that is not known.
    pub auth: Option<Auth>,
    /// What the server said.
    pub answer: BindAnswer,
}

/// A bind or `alter_context` that nobody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The channel.
    pub channel: ChannelId,
    /// The connection that carried it.
    pub ends: Ends,
    /// The last of the frames that carried it.
    pub frame: Option<FrameNo>,
    /// Which interfaces were asked for.
    pub interfaces: Vec<SyntaxId>,
}

/// What a server says to a bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindAnswer {
    /// It takes a context of the interface.
    Accepted,
    /// It takes none: `p_cont_def_result_t` and `p_provider_reason_t`.
    Refused(u16, u16),
    /// `bind_nak` with this reason: \[C706\] 12.6.4.5 `provider_reject_reason`.
    Nak(u16),
    /// A fault with this status.
    Fault(u32),
}

/// What was seen, for the summary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// PDUs by type.
    pub pdus: BTreeMap<PacketType, u64>,
    /// PDUs that break their own lengths.
    pub malformed: u64,
    /// Octets of channels that belong to no PDU.
    pub passed_over: u64,
    /// PDUs with a signature, by what it is worth.
    pub signatures: BTreeMap<Verdict, u64>,
    /// Why PDUs stay sealed, or signatures unverified. Added by these, up to a cap, from which on they are
    /// counted with the last; never removed.
    pub closed: Vec<Closed>,
}

/// PDUs that stay closed for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// What it would take.
    pub need: Need,
    /// Whether they are sealed, as opposed to signed.
    pub sealed: bool,
    /// How many.
    pub pdus: u64,
    /// The frame that completed the first of them.
    pub first: Option<FrameNo>,
}

/// What is kept for all associations together.
#[derive(Debug, Default)]
struct Common {
    /// Number of the last call.
    calls: u64,
    /// Octets of stubs held.
    held: u32,
    /// Calls that wait for an answer, in all associations.
    in_flight: usize,
    /// Octets of PDUs that have begun and not ended.
    parts: u64,
    keep_pdus: bool,
    /// Interfaces, by UUID and major version, whose requests are told of by themselves. Added by
    /// [`Rpc::announce`]; never removed.
    announced: FxHashSet<(Guid, u16)>,
    /// What may open what is sealed.
    keys: Arc<Keyring>,
    counters: Counters,
}

/// All associations of a capture.
#[derive(Debug, Default)]
pub struct Rpc {
    /// Added by the first bytes of a channel, removed by [`Rpc::close`].
    channels: FxHashMap<ChannelId, Channel>,
    common: Common,
}

#[derive(Debug, Default)]
struct Channel {
    streams: Both<Stream>,
    association: Association,
    /// Whether the place in a stream is known: what came last was a PDU.
    found: Both<bool>,
}

/// Where bytes of a channel come from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The channel.
    pub channel: ChannelId,
    /// The connection that carried them.
    pub ends: Ends,
    /// Who sent them.
    pub side: Side,
}

impl Rpc {
    /// A state that keeps the PDUs of every call, for showing them.
    pub fn keeping_pdus() -> Self {
        Self { common: Common { keep_pdus: true, ..Common::default() }, ..Self::default() }
    }

    /// Opens with these secrets what is sealed from now on.
    pub fn take_keys(&mut self, keys: Arc<Keyring>) {
        self.common.keys = keys;
    }

    /// Asks to be told of the requests of an interface when they are complete.
    pub fn announce(&mut self, interface: Guid, major: u16) {
        self.common.announced.insert((interface, major));
    }

    /// What was seen so far.
    pub fn counters(&self) -> &Counters {
        &self.common.counters
    }

    /// Says that `channel` begins in the middle, so that its first PDU has to be found.
    pub fn begin_midstream(&mut self, channel: ChannelId) {
        let streams = Both { client: Stream::midstream(), server: Stream::midstream() };
        self.channels.insert(channel, Channel { streams, ..Channel::default() });
    }

    /// Takes the next bytes of one direction of a channel. Every PDU is shown to `watch`.
    pub fn feed(
        &mut self,
        origin: Origin,
        view: View<'_>,
        out: &mut Vec<Event>,
        watch: &mut dyn FnMut(View<'_>),
    ) {
        self.channels.entry(origin.channel).or_default();
        self.on_stream(origin, out, watch, |stream, layer| stream.feed(view, layer));
    }

    /// Bytes of one direction of a channel are missing here.
    pub fn gap(
        &mut self,
        origin: Origin,
        len: u64,
        why: Missing,
        out: &mut Vec<Event>,
        watch: &mut dyn FnMut(View<'_>),
    ) {
        self.on_stream(origin, out, watch, |stream, layer| stream.gap(len, why, layer));
    }

    /// Runs `act` on one direction of a channel, and keeps count of what its streams hold.
    fn on_stream(
        &mut self,
        origin: Origin,
        out: &mut Vec<Event>,
        watch: &mut dyn FnMut(View<'_>),
        act: impl FnOnce(&mut Stream, &mut Cutter<'_>),
    ) {
        let Some(channel) = self.channels.get_mut(&origin.channel) else { return };
        let Channel { streams, association, found } = channel;
        let (stream, found) = (&mut streams[origin.side], &mut found[origin.side]);
        let common = &mut self.common;
        let before = u64::from(stream.held());
        act(stream, &mut Cutter { origin, association, found, common, out, watch });
        let after = u64::from(stream.held());
        common.parts = (common.parts + after).saturating_sub(before);
        if common.parts > PART_BYTES && after > 0 {
            common.parts -= after;
            association.lost(origin.side, common);
            *stream = Stream::midstream();
        }
    }

    /// Bytes of a channel were lost, nobody knows how many: both directions have to be found again.
    pub fn lost(
        &mut self,
        channel: ChannelId,
        ends: Ends,
        out: &mut Vec<Event>,
        watch: &mut dyn FnMut(View<'_>),
    ) {
        for side in Side::BOTH {
            self.gap(Origin { channel, ends, side }, u64::MAX, Missing::Lost, out, watch);
        }
    }

    /// A new message of a pipe begins after something was lost. If it looks like a PDU, one that
    /// had begun before will never be complete.
    pub fn resume(&mut self, origin: Origin, view: View<'_>) {
        let mut unheard = Vec::new();
        self.on_stream(origin, &mut unheard, &mut |_| {}, |stream, _| {
            if stream.inside_unit() && pdu::plausible(view.bytes()) {
                stream.restart();
            }
        });
    }

    /// A channel has ended: calls that wait for an answer will get none.
    pub fn close(&mut self, channel: ChannelId, out: &mut Vec<Event>) {
        if let Some(mut channel) = self.channels.remove(&channel) {
            let held = Side::BOTH.map(|side| u64::from(channel.streams[side].held()));
            self.common.parts = self.common.parts.saturating_sub(held.iter().sum());
            channel.association.close(&mut self.common, out);
        }
    }

    /// The capture has ended: closes every channel.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        let mut rest: Vec<_> = self.channels.drain().collect();
        rest.sort_unstable_by_key(|(id, _)| *id);
        for (_, mut channel) in rest {
            channel.association.close(&mut self.common, out);
        }
    }
}

/// Cuts one direction of a channel into PDUs.
struct Cutter<'s> {
    origin: Origin,
    association: &'s mut Association,
    found: &'s mut bool,
    common: &'s mut Common,
    out: &'s mut Vec<Event>,
    watch: &'s mut dyn FnMut(View<'_>),
}

impl Layer for Cutter<'_> {
    const HEADER: u32 = pdu::HEADER;

    fn frame(&mut self, head: View<'_>) -> Framed {
        if head.len() < pdu::HEADER {
            return Framed::Need(pdu::HEADER);
        }
        pdu::frag_length(head.bytes()).map_or(Framed::Foreign, Framed::Whole)
    }

    fn unit(&mut self, unit: View<'_>, _: u32) {
        (self.watch)(unit);
        *self.found = true;
        let mut none = ();
        match pdu::dissect(&mut Reader::new(unit, &mut none)) {
            Ok(pdu) => {
                let malformed = pdu.stop.as_ref().is_some_and(Stop::is_malformed);
                self.common.counters.malformed += u64::from(malformed);
                *self.common.counters.pdus.entry(pdu.header.ptype).or_default() += 1;
                self.association.advance(self.origin, unit, &pdu, self.common, self.out);
            }
            Err(stop) => self.common.counters.malformed += u64::from(stop.is_malformed()),
        }
    }

    fn resync(&mut self, bytes: &[u8]) -> Option<u32> {
        find(bytes)
    }

    fn desync(&mut self, dropped: u32) {
        self.common.counters.passed_over += u64::from(dropped);
        self.association.lost(self.origin.side, self.common);
        // What never was RPC cannot be lost.
        if std::mem::take(self.found) {
            let Origin { channel, ends, .. } = self.origin;
            self.out.push(Event::Lost { channel, ends });
        }
    }
}

/// The first place in `bytes` where a PDU plausibly starts.
pub fn find(bytes: &[u8]) -> Option<u32> {
    /// `max_count` 5 and `offset` 0 of a string in a stub; else the middle of a big-endian request.
    const STRING: [u8; 8] = [5, 0, 0, 0, 0, 0, 0, 0];
    memchr::memchr_iter(5, bytes)
        .find(|at| {
            let rest = bytes.get(*at..).unwrap_or_default();
            if rest.starts_with(&STRING) {
                return false;
            }
            // What follows the PDU, if it is here, must be one too.
            pdu::frag_length(rest).is_some_and(|length| {
                let next = rest.get(index(length)..).unwrap_or_default();
                next.len() < index(pdu::HEADER) || pdu::plausible(next)
            })
        })
        .map(clamp)
}

#[cfg(test)]
mod tests;
