//! What sits on TCP: which flow carries what, and how SMB and RPC feed each other.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::before::is_kdc;
use super::carrier::Machines;
use super::flow::{OnFlow, begin, channel, on_flow, pipe_channel, turn};
use super::names::Names;
use super::reach::Reach;
use super::units::{UnitKind, Watch};
use super::{Event, Signatures, Summary, What};
use crate::bytes::{Both, Ends, FrameNo, Framed, Layer, Missing, Side, Stream, Time, View};
use crate::net::{self, Unseen};
use crate::protocol::{Grade, Registry};
use crate::rpc::{self, Origin, Rpc, pdu};
use crate::security::keys::Keyring;
use crate::security::krb::Kdc;
use crate::smb::{self, ConnectionId, PipeId, Smb};
use crate::tcp::{Flow, FlowId, Interest, Receiver, Segment};

/// Bytes after which the start of a flow tells what it carries.
const TELLING: u32 = 24;
/// \[RFC 5044\] 7.1.1 MPA Request: its key.
const MPA_REQUEST: &[u8] = b"MPA ID Req Frame";
/// Chunks of a flow that begins in the middle that are looked at before it is given up.
const PATIENCE: u32 = 64;
/// Bytes of incomplete messages in all streams together; beyond it a stream starts anew.
const PART_BYTES: u64 = 64 << 20;

/// Everything above TCP.
#[derive(Debug)]
pub(super) struct Above<'r> {
    pub(super) registry: &'r Registry,
    /// Added by the first data of a flow, removed when it closes or is foreign.
    pub(super) flows: FxHashMap<FlowId, OnFlow>,
    pub(super) smb: Smb,
    pub(super) rpc: Rpc,
    pub(super) machines: Machines,
    pub(super) reach: Reach,
    pub(super) names: Names,
    pub(super) kdc: Kdc,
    pub(super) watch: Watch,
    /// What may open what is sealed.
    pub(super) keys: Arc<Keyring>,
    pub(super) events: Vec<Event>,
    /// Used and emptied within one call.
    pub(super) smb_events: Vec<smb::Event>,
    pub(super) rpc_events: Vec<rpc::Event>,
    held: u64,
    pub(super) counts: Summary,
    /// The frame being read, and its time; the last time once there are no more.
    pub(super) now: (Option<FrameNo>, Time),
    /// The connection on which a bad signature was last told, and in which frame.
    pub(super) unsigned: Option<(Ends, Option<FrameNo>)>,
    /// The connection that was last told to miss bytes, and in which frame.
    pub(super) lost: Option<(Ends, Option<FrameNo>)>,
}

impl<'r> Above<'r> {
    pub(super) fn new(registry: &'r Registry) -> Self {
        Self::with(registry, Rpc::default())
    }

    fn with(registry: &'r Registry, mut rpc: Rpc) -> Self {
        for interface in registry.iter().filter(|interface| interface.grade == Grade::Typed) {
            rpc.announce(interface.uuid, interface.version.0);
        }
        Self {
            registry,
            flows: FxHashMap::default(),
            smb: Smb::default(),
            rpc,
            machines: Machines::default(),
            reach: Reach::default(),
            names: Names::default(),
            kdc: Kdc::default(),
            watch: Watch::default(),
            keys: Arc::default(),
            events: Vec::new(),
            smb_events: Vec::new(),
            rpc_events: Vec::new(),
            held: 0,
            counts: Summary::default(),
            now: (None, Time::default()),
            unsigned: None,
            lost: None,
        }
    }

    pub(super) fn watching(registry: &'r Registry, frame: Option<FrameNo>) -> Self {
        Self { watch: Watch::new(frame), ..Self::with(registry, Rpc::keeping_pdus()) }
    }

    pub(super) fn tracing(registry: &'r Registry) -> Self {
        Self { watch: Watch::all(), ..Self::with(registry, Rpc::keeping_pdus()) }
    }

    pub(super) fn registry(&self) -> &'r Registry {
        self.registry
    }

    /// Opens with these secrets what is sealed from now on.
    pub(super) fn take_keys(&mut self, keys: Arc<Keyring>) {
        self.smb.take_keys(Arc::clone(&keys));
        self.rpc.take_keys(Arc::clone(&keys));
        self.keys = keys;
    }

    /// What the capture calls a machine.
    pub(super) fn name(&mut self, ip: IpAddr, name: String) {
        self.machines.name(ip, name);
    }

    pub(super) fn keeping_setup(registry: &'r Registry) -> Self {
        Self { watch: Watch::keeping_setup(), ..Self::new(registry) }
    }

    /// A frame is about to be read.
    pub(super) fn begin_frame(&mut self, frame: FrameNo, time: Time) {
        self.now = (Some(frame), time);
    }

    /// There are no more frames; what is still open is about to end.
    pub(super) fn begin_end(&mut self) {
        self.now.0 = None;
    }

    /// A connection begins.
    pub(super) fn syn(&mut self, segment: &Segment<'_>) {
        let header = &segment.header;
        self.watch
            .setup(|setup| setup.syn(header.src, header.dst, header.ack.is_some(), segment.frame));
    }

    /// Hands over what has happened.
    pub(super) fn drain(&mut self, to: &mut Vec<Event>) {
        to.append(&mut self.events);
        to.extend(self.watch.units.drain(..).map(Event::Unit));
    }

    /// An IP datagram was put together.
    pub(super) fn see_datagram(&mut self, datagram: &net::Datagram) {
        self.watch.see(UnitKind::Ip(datagram.ip), datagram.bytes.view());
    }

    pub(super) fn finish(&mut self) {
        self.rpc.finish(&mut self.rpc_events);
        self.take_calls();
    }

    pub(super) fn summarize(&self, summary: &mut Summary) {
        let smb = self.smb.counters();
        let named = |name: Option<&str>| name.unwrap_or("unknown").to_owned();
        summary.smb_messages =
            smb.messages().map(|(command, count)| (named(command.name()), count)).collect();
        for (command, count) in smb.smb1_messages() {
            summary.smb1 += count;
            *summary.smb_messages.entry(named(command.name())).or_default() += count;
        }
        summary.smb_dialects = smb.dialects().collect();
        summary.smb_sealed = smb.sealed;
        summary.smb_sealed_bytes = smb.sealed_bytes;
        summary.smb_opened = smb.opened;
        summary.smb_sealed_bulk = smb.sealed_bulk;
        summary.smb_sealed_bad = smb.sealed_bad;
        summary.smb_sealed_torn = smb.sealed_torn;
        summary.smb_signatures = Signatures {
            verified: smb.verified,
            bad: smb.bad_signatures,
            not_verifiable: smb.not_verifiable,
        };
        summary.smb_closed = self.smb.closed_sessions().cloned().collect();
        summary.smb_compressed = smb.compressed;
        summary.smb_compressions = smb
            .compressions()
            .map(|(algorithm, count)| (algorithm.name().unwrap_or_default().to_owned(), count))
            .collect();
        summary.smb_compressed_unread = smb.compressed_unread;
        summary.smb_malformed = smb.malformed;
        summary.rpc = self.rpc.counters().clone();
        for (what, count) in &self.counts.unseen {
            *summary.unseen.entry(*what).or_default() += count;
        }
        summary.foreign_flows = self.counts.foreign_flows;
        summary.calls = self.counts.calls.clone();
        summary.loss = self.counts.loss.clone();
        summary.endpoints = self.counts.endpoints.clone();
        summary.refusals = self.counts.refusals.clone();
    }

    /// Looks at the start of a flow, or at a chunk of one that began in the middle.
    fn decide(&mut self, flow: &Flow, side: Side, view: View<'_>) -> Interest {
        if !self.flows.contains_key(&flow.id) && flow.midstream && has_known_port(flow) {
            self.lose(flow.ends);
        }
        let state = self.flows.entry(flow.id).or_insert_with(|| OnFlow::undecided(flow));
        let OnFlow::Undecided { early, torn, looked_at } = state else { return Interest::Keep };
        let midstream = torn.client || torn.server;
        let start;
        let view = if early[side].is_empty() && view.len() >= TELLING {
            view
        } else {
            early[side].push(view);
            if early[side].len() < TELLING {
                return Interest::Keep;
            }
            start = std::mem::take(&mut early[side]);
            // A side that begins in the middle may begin with the end of something, if only with
            // the octet of a keep-alive probe.
            let stray = torn[side] && !tells(start.view()) && tells(view);
            if stray { view } else { start.view() }
        };
        let bytes = view.bytes();
        let found = if smb::plausible_start(bytes) {
            let sender = smb::sender(bytes).unwrap_or(side);
            Some(on_flow(flow, side, sender, |ends, swapped| {
                let [client, server] = Side::BOTH.map(|side| begin(torn[turn(side, swapped)]));
                let streams = Box::new(Both { client, server });
                OnFlow::Smb { ends, swapped, streams, lost: *torn }
            }))
        } else if pdu::plausible(bytes) {
            let sender = pdu_sender(bytes).unwrap_or(side);
            if midstream {
                self.rpc.begin_midstream(channel(flow.id));
            }
            Some(on_flow(flow, side, sender, |ends, swapped| OnFlow::Rpc { ends, swapped }))
        } else {
            None
        };
        if let Some(found) = found {
            let waiting = match std::mem::replace(state, found) {
                OnFlow::Undecided { early, .. } => early,
                _ => Both::default(),
            };
            if midstream && !has_known_port(flow) {
                self.lose(flow.ends);
            }
            self.take(flow, side, view);
            let other = side.other();
            self.take(flow, other, waiting[other].view());
            return Interest::Keep;
        }
        if bytes.starts_with(MPA_REQUEST) {
            self.counts.see_unseen(Unseen::Iwarp);
            self.flows.remove(&flow.id);
            return Interest::Ignore;
        }
        if is_kdc(flow) {
            let [client, server] = Side::BOTH.map(|side| begin(torn[side]));
            let streams = Box::new(Both { client, server });
            let waiting = match std::mem::replace(state, OnFlow::Kdc { streams }) {
                OnFlow::Undecided { early, .. } => early,
                _ => Both::default(),
            };
            self.counts.foreign_flows += 1;
            self.kdc(flow, side, view);
            let other = side.other();
            self.kdc(flow, other, waiting[other].view());
            return Interest::Keep;
        }
        *looked_at += 1;
        // SMB is worth waiting for on its ports: a capture may begin within a long transfer.
        if midstream && (has_known_port(flow) || *looked_at < PATIENCE) {
            return Interest::Keep;
        }
        self.flows.remove(&flow.id);
        self.counts.foreign_flows += 1;
        Interest::Ignore
    }

    /// Gives bytes to the layer the flow carries.
    fn take(&mut self, flow: &Flow, side: Side, view: View<'_>) {
        self.on_stream(flow.id, side, |stream, layer| stream.feed(view, layer));
        if let Some(OnFlow::Rpc { ends, swapped }) = self.flows.get(&flow.id) {
            let origin =
                Origin { channel: channel(flow.id), ends: *ends, side: turn(side, *swapped) };
            self.feed(origin, false, view);
        }
    }

    /// Gives RPC the bytes of a channel.
    fn feed(&mut self, origin: Origin, pipe: bool, view: View<'_>) {
        self.watch.setup(|setup| setup.bytes(origin.channel, pipe, view));
        let watch = &mut self.watch;
        self.rpc.feed(origin, view, &mut self.rpc_events, &mut |unit| {
            watch.see(UnitKind::Rpc, unit);
        });
        self.take_calls();
    }

    /// Runs `act` on the SMB stream of one side of a flow, if it carries SMB.
    fn on_stream(
        &mut self,
        flow: FlowId,
        side: Side,
        act: impl FnOnce(&mut Stream, &mut OnSmb<'_, 'r>),
    ) {
        let Some(OnFlow::Smb { ends, swapped, streams, lost }) = self.flows.get_mut(&flow) else {
            return;
        };
        let (ends, side) = (*ends, turn(side, *swapped));
        let lost = lost[side];
        let mut stream = std::mem::take(&mut streams[side]);
        let before = u64::from(stream.held());
        let mut layer = OnSmb { above: self, connection: ConnectionId(flow.0), ends, side, lost };
        act(&mut stream, &mut layer);
        let mut lost = layer.lost;
        self.held = (self.held + u64::from(stream.held())).saturating_sub(before);
        if self.held > PART_BYTES && stream.held() > 0 {
            self.held = self.held.saturating_sub(stream.held().into());
            stream = Stream::midstream();
            lost = true;
            self.lose(ends);
            self.smb.lost(ConnectionId(flow.0), &mut self.smb_events);
            self.take_smb(ends, None);
        }
        if let Some(OnFlow::Smb { streams, lost: of, .. }) = self.flows.get_mut(&flow) {
            streams[side] = stream;
            of[side] = lost;
        }
    }

    pub(super) fn pipe_data(
        &mut self,
        pipe: PipeId,
        ends: Ends,
        side: Side,
        view: View<'_>,
        starts_message: bool,
    ) {
        let origin = Origin { channel: pipe_channel(pipe), ends, side };
        let suspect = self.smb.pipe(pipe).is_some_and(|pipe| pipe.suspect);
        if suspect && starts_message {
            self.rpc.resume(origin, view);
        }
        self.feed(origin, true, view);
    }
}

impl Receiver for Above<'_> {
    fn begins(&mut self, flow: &Flow, side: Side) {
        self.hear(flow.ends[side], flow.ends[side.other()]);
    }

    fn data(&mut self, flow: &Flow, side: Side, view: View<'_>) -> Interest {
        match self.flows.get(&flow.id) {
            None | Some(OnFlow::Undecided { .. }) => self.decide(flow, side, view),
            Some(OnFlow::Kdc { .. }) => {
                self.kdc(flow, side, view);
                Interest::Keep
            }
            Some(OnFlow::Smb { .. } | OnFlow::Rpc { .. }) => {
                self.take(flow, side, view);
                Interest::Keep
            }
        }
    }

    fn gap(&mut self, flow: &Flow, side: Side, len: u64, why: Missing) {
        let ends = self.flows.get(&flow.id).and_then(OnFlow::ends);
        match self.flows.get(&flow.id) {
            Some(OnFlow::Kdc { .. }) => return self.kdc_gap(flow, side, len, why),
            // What was cut off is told where it makes a message unreadable.
            Some(OnFlow::Smb { .. } | OnFlow::Rpc { .. }) if why == Missing::Snapped => {}
            Some(OnFlow::Undecided { torn, .. }) if torn[side] => {}
            None | Some(OnFlow::Undecided { .. }) if !has_known_port(flow) => {}
            _ => self.lose(ends.unwrap_or(flow.ends)),
        }
        match self.flows.get(&flow.id) {
            Some(OnFlow::Smb { .. }) => self.counts.loss.smb.see(len, why),
            Some(OnFlow::Rpc { .. }) => self.counts.loss.rpc.see(len, why),
            Some(OnFlow::Undecided { .. } | OnFlow::Kdc { .. }) | None => {}
        }
        self.on_stream(flow.id, side, |stream, layer| stream.gap(len, why, layer));
        match self.flows.get_mut(&flow.id) {
            Some(OnFlow::Rpc { ends, swapped }) => {
                let side = turn(side, *swapped);
                let origin = Origin { channel: channel(flow.id), ends: *ends, side };
                let watch = &mut self.watch;
                self.rpc.gap(origin, len, why, &mut self.rpc_events, &mut |unit| {
                    watch.see(UnitKind::Rpc, unit);
                });
                self.take_calls();
            }
            Some(OnFlow::Smb { .. } | OnFlow::Kdc { .. }) => {}
            Some(OnFlow::Undecided { .. }) | None => {
                let state = self.flows.entry(flow.id).or_insert_with(|| OnFlow::undecided(flow));
                if let OnFlow::Undecided { early, torn, .. } = state {
                    early[side].clear();
                    torn[side] = true;
                }
            }
        }
    }

    fn closed(&mut self, flow: &Flow) {
        match self.flows.remove(&flow.id) {
            Some(OnFlow::Smb { ends, streams, swapped, .. }) => {
                let by = flow.end.map(|end| turn(end.by, swapped));
                let held: u32 = Side::BOTH.iter().map(|side| streams[*side].held()).sum();
                self.held = self.held.saturating_sub(held.into());
                self.smb.closed(ConnectionId(flow.id.0), by, &mut self.smb_events);
                self.take_smb(ends, None);
                self.watch.setup(|setup| setup.disconnected(ConnectionId(flow.id.0)));
                let reset = flow.end.is_some_and(|end| end.reset);
                self.around(self.moment(None), ends, None, What::Disconnected { by, reset });
            }
            Some(OnFlow::Rpc { ends, swapped }) => {
                let by = flow.end.map(|end| turn(end.by, swapped));
                self.rpc.close(channel(flow.id), &mut self.rpc_events);
                self.take_calls();
                self.watch.setup(|setup| setup.closed(channel(flow.id)));
                let reset = flow.end.is_some_and(|end| end.reset);
                let what = What::ChannelClosed { channel: channel(flow.id), by, reset };
                self.around(self.moment(None), ends, None, what);
            }
            Some(OnFlow::Undecided { .. } | OnFlow::Kdc { .. }) | None => {}
        }
    }
}

/// One direction of a connection that carries SMB.
struct OnSmb<'a, 'r> {
    above: &'a mut Above<'r>,
    connection: ConnectionId,
    ends: Ends,
    side: Side,
    /// Whether the place in the stream was lost, and nothing found since.
    lost: bool,
}

impl Layer for OnSmb<'_, '_> {
    const HEADER: u32 = smb::HEADER_MAX;

    fn frame(&mut self, head: View<'_>) -> Framed {
        self.above.smb.frame(self.connection, head)
    }

    fn unit(&mut self, unit: View<'_>, whole: u32) {
        self.lost = false;
        self.above.watch.see(UnitKind::Smb, unit);
        let Self { connection, ends, .. } = *self;
        let above = &mut *self.above;
        above.watch.setup(|setup| setup.smb(connection, ends, unit));
        let plain = above.smb.advance(connection, ends, unit, whole, &mut above.smb_events);
        above.take_smb(ends, Some(unit));
        if let Some(plain) = plain {
            if let Some((opened, whole)) = plain.opened() {
                above.watch.see_beginning(UnitKind::Opened, opened, whole);
            }
            above.watch.setup(|setup| setup.plain(connection, ends, &plain));
            above.smb.advance_plain(connection, ends, &plain, &mut above.smb_events);
            above.take_smb(ends, Some(plain.message.view()));
        }
    }

    fn resync(&mut self, bytes: &[u8]) -> Option<u32> {
        smb::resync(self.side, bytes)
    }

    fn desync(&mut self, _: u32) {
        if !std::mem::replace(&mut self.lost, true) {
            self.above.lose(self.ends);
        }
        self.above.smb.lost(self.connection, &mut self.above.smb_events);
        self.above.take_smb(self.ends, None);
    }
}

/// Whether SMB or the endpoint mapper is usually served at this port.
fn has_known_port(flow: &Flow) -> bool {
    [445, 139, 135].contains(&flow.ends.server.port())
}

/// Whether these are the first bytes of a message.
fn tells(view: View<'_>) -> bool {
    smb::plausible_start(view.bytes()) || pdu::plausible(view.bytes())
}

/// Who sends such a PDU, where only one side does.
fn pdu_sender(bytes: &[u8]) -> Option<Side> {
    let ptype = rpc::PacketType(*bytes.get(2)?);
    Some(if ptype.from_client()? { Side::Client } else { Side::Server })
}
