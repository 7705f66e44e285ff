//! Runs the layers over the frames of a capture and gives one stream of events.
//!
//! ```text
//! frame ─► net ─► tcp ─┬─► smb ─► pipe bytes ─┐
//!              │       └──────────────────────┴─► rpc ─► Call (decoded) ─► Event
//!              ├ udp ─► rpc::datagram, counted; what resolvers and KDCs refuse ─► Event
//!              └ SYN, RST, icmp ─► who cannot be reached ─► Event
//! ```
//!
//! Takes frames in capture order and keeps only what is open: flows, sessions, calls in flight.
//! It knows how the layers fit together, and nothing of files, rules or reports.

mod above;
mod around;
mod before;
mod carrier;
mod datagrams;
mod endpoints;
mod flow;
mod loss;
mod names;
mod reach;
mod setup;
mod summary;
mod tell;
mod tickets;
mod units;

use std::net::IpAddr;
use std::sync::Arc;

use crate::bytes::{FrameNo, Piece, Time, View, clamp};
use crate::call::Call;
use crate::capture::Frame;
use crate::net::{self, Dissected, Fragments, Other};
use crate::protocol::Registry;
use crate::rpc::datagram;
use crate::security::keys::Keyring;
use crate::tcp::{self, Flows};
use above::Above;
pub use around::{
    Around, BindAnswer, Bound, Challenged, ErrorCode, KrbError, LogonKind, Negotiated, Rcode,
    Refuser, Resolver, UnreachableCode, Unreached, What,
};
pub use datagrams::{Datagrams, OfInterface};
pub use endpoints::Endpoints;
pub use loss::{Loss, Lost};
pub use summary::{InterfaceKey, Outcomes, Pdus, Signatures, Summary};
pub use units::{Unit, UnitKind};

/// Datagrams put together inside each other: fragments in tunnels that are fragments.
const MAX_NESTED: usize = 4;

/// What happens while a capture is read, in the order in which that was seen: the binding of an
/// interface before what is asked of it, the calls that a pipe leaves without an answer before its
/// end.
#[derive(Debug)]
pub enum Event {
    /// A call is complete, or will never be.
    Call(Box<Call>),
    /// The request of a call is complete; `Call` with the same number follows. Only of interfaces
    /// whose calls are judged ([`Grade::Typed`](crate::protocol::Grade::Typed)).
    Asked(Box<Call>),
    /// Something beside the calls happened.
    Around(Box<Around>),
    /// A message that somebody wants to see: of which a watched frame carried a part, or any.
    Unit(Unit),
}

/// The layers and their state.
#[derive(Debug)]
pub struct Pipeline<'r> {
    fragments: Fragments,
    flows: Flows,
    above: Above<'r>,
    summary: Summary,
}

impl<'r> Pipeline<'r> {
    /// Layers that decode with `registry`.
    pub fn new(registry: &'r Registry) -> Self {
        Self {
            fragments: Fragments::default(),
            flows: Flows::default(),
            above: Above::new(registry),
            summary: Summary::default(),
        }
    }

    /// Layers that also keep the PDUs of every call, and give the messages that `frame` carried.
    pub fn watching(registry: &'r Registry, frame: Option<FrameNo>) -> Self {
        Self { above: Above::watching(registry, frame), ..Self::new(registry) }
    }

    /// Layers that also keep the PDUs of every call, and give every message.
    pub fn tracing(registry: &'r Registry) -> Self {
        Self { above: Above::tracing(registry), ..Self::new(registry) }
    }

    /// Layers that also say which frames it takes to read each call again.
    pub fn keeping_setup(registry: &'r Registry) -> Self {
        Self { above: Above::keeping_setup(registry), ..Self::new(registry) }
    }

    /// Opens with these secrets what is sealed.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<Keyring>) -> Self {
        self.above.take_keys(keys);
        self
    }

    /// Takes a name that the capture itself gives an address: calls that complete from now on have
    /// it, unless the traffic tells another.
    pub fn name(&mut self, ip: IpAddr, name: String) {
        self.above.name(ip, name);
    }

    /// Takes the next frame; what happens is appended to `events`.
    pub fn frame(&mut self, frame: &Frame<'_>, events: &mut Vec<Event>) {
        self.summary.see_frame(frame);
        self.above.begin_frame(frame.no, frame.time);
        self.above.expire(frame.time, &self.flows);
        let (len, time) = (clamp(frame.data.len()), frame.time);
        let pieces = [Piece { at: 0, len, frame: frame.no, offset: 0, time, made: false }];
        let view = View::new(frame.data, &pieces, &[]);
        let found = net::dissect(frame.link, view, frame.wire_len);
        self.take(found, view, (frame.no, time), 0);
        self.above.drain(events);
    }

    /// Takes what was `found` in `view`: a frame, or a datagram that the frame `at` completed.
    fn take(&mut self, found: Dissected, view: View<'_>, at: (FrameNo, Time), nested: usize) {
        match found {
            Dissected::Tcp(tcp) => {
                self.summary.tcp_segments += 1;
                let Self { flows, above, .. } = self;
                tcp::parts(tcp, view.slice(tcp.payload), at, |part| {
                    if part.header.syn || part.header.rst {
                        above.handshake(part, flows);
                    }
                    flows.segment(part, above);
                });
            }
            Dissected::Udp(udp) => {
                self.summary.udp += 1;
                let payload = view.slice(udp.payload);
                self.above.user_datagram(&udp, payload);
                if let Some(datagram) = datagram::dissect(payload, udp.payload_len) {
                    self.summary.datagrams.see(datagram, self.above.registry());
                }
            }
            Dissected::Fragment(_) if nested == MAX_NESTED => {
                self.summary.see_other(Other::TooDeep);
            }
            Dissected::Fragment(part) => {
                let whole = self.fragments.take(&part, view.slice(part.payload), at.1);
                if let Some(whole) = whole {
                    self.above.see_datagram(&whole);
                    let view = whole.bytes.view();
                    self.take(whole.ip.dissect(view), view, at, nested + 1);
                }
            }
            Dissected::Undelivered(told) => {
                self.above.undelivered(&told, at.0);
                self.summary.see_other(told.kind());
            }
            Dissected::Other(other) => self.summary.see_other(other),
        }
    }

    /// The capture has ended: what is still open ends too.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        self.above.begin_end();
        self.above.give_up(&self.flows);
        self.flows.finish(&mut self.above);
        self.above.finish();
        self.above.drain(events);
    }

    /// What was seen so far.
    pub fn summary(&self) -> Summary {
        let mut summary = self.summary.clone();
        summary.fragments = self.fragments.counters();
        summary.tcp = self.flows.counters();
        self.above.summarize(&mut summary);
        summary
    }
}

#[cfg(test)]
pub(crate) mod tests;
