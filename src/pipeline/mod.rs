//! Runs the layers over the frames of a capture and gives one stream of events.
//!
//! ```text
//! frame ─► net ─► tcp ─┬─► smb ─► pipe bytes ─┐
//!              │       └──────────────────────┴─► rpc ─► Call (decoded) ─► Event
//!              └ udp ─► rpc::datagram, counted
//! ```
//!
//! Takes frames in capture order and keeps only what is open: flows, sessions, calls in flight.
//! It knows how the layers fit together, and nothing of files, rules or reports.

mod above;
mod carrier;
mod datagrams;
mod endpoints;
mod loss;
mod summary;
mod units;

use std::net::IpAddr;

use crate::bytes::{FrameNo, View, index};
use crate::call::Call;
use crate::capture::Frame;
use crate::net::{self, Dissected};
use crate::protocol::Registry;
use crate::rpc::datagram;
use crate::tcp::{Flows, Segment};
use above::Above;
pub use datagrams::{Datagrams, OfInterface};
pub use endpoints::Endpoints;
pub use loss::{Loss, Lost};
pub use summary::{InterfaceKey, Outcomes, Pdus, Summary};
pub use units::{Unit, UnitKind};

/// What happens while a capture is read.
#[derive(Debug)]
pub enum Event {
    /// A call is complete, or will never be.
    Call(Box<Call>),
    /// A message of which a watched frame carried a part.
    Unit(Unit),
}

/// The layers and their state.
#[derive(Debug)]
pub struct Pipeline<'r> {
    flows: Flows,
    above: Above<'r>,
    summary: Summary,
}

impl<'r> Pipeline<'r> {
    /// Layers that decode with `registry`.
    pub fn new(registry: &'r Registry) -> Self {
        Self { flows: Flows::default(), above: Above::new(registry), summary: Summary::default() }
    }

    /// Layers that also keep the PDUs of every call, and give the messages that `frame` carried.
    pub fn watching(registry: &'r Registry, frame: Option<FrameNo>) -> Self {
        Self { above: Above::watching(registry, frame), ..Self::new(registry) }
    }

    /// Takes a name that the capture itself gives an address: calls that complete from now on have
    /// it, unless the traffic tells another.
    pub fn name(&mut self, ip: IpAddr, name: String) {
        self.above.name(ip, name);
    }

    /// Takes the next frame; what happens is appended to `events`.
    pub fn frame(&mut self, frame: &Frame<'_>, events: &mut Vec<Event>) {
        self.summary.see_frame(frame);
        match net::dissect(frame.link, frame.data, frame.wire_len) {
            Dissected::Tcp(tcp) => {
                let (start, end) = (index(tcp.payload.start), index(tcp.payload.end));
                let segment = Segment {
                    header: tcp,
                    payload: frame.data.get(start..end).unwrap_or_default(),
                    frame: frame.no,
                    time: frame.time,
                };
                self.summary.tcp_segments += 1;
                self.flows.segment(&segment, &mut self.above);
            }
            Dissected::Udp(udp) => {
                self.summary.udp += 1;
                let (start, end) = (index(udp.payload.start), index(udp.payload.end));
                let payload = frame.data.get(start..end).unwrap_or_default();
                let view = View::new(payload, &[], &[]);
                if let Some(datagram) = datagram::dissect(view, udp.payload_len) {
                    self.summary.datagrams.see(datagram, self.above.registry());
                }
            }
            Dissected::Other(other) => self.summary.see_other(other),
        }
        self.above.drain(events);
    }

    /// The capture has ended: what is still open ends too.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        self.flows.finish(&mut self.above);
        self.above.finish();
        self.above.drain(events);
    }

    /// What was seen so far.
    pub fn summary(&self) -> Summary {
        let mut summary = self.summary.clone();
        summary.tcp = self.flows.counters();
        self.above.summarize(&mut summary);
        summary
    }
}

#[cfg(test)]
mod tests;
