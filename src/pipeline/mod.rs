//! Runs the layers over the frames of a capture and gives one stream of events.
//!
//! ```text
//! frame ─► net ─► tcp ─┬─► smb ─► pipe bytes ─┐
//!                      └──────────────────────┴─► rpc ─► Call (decoded) ─► Event
//! ```
//!
//! Takes frames in capture order and keeps only what is open: flows, sessions, calls in flight.
//! It knows how the layers fit together, and nothing of files, rules or reports.

mod above;
mod setup;
mod summary;
mod units;

use crate::bytes::{FrameNo, index};
use crate::call::Call;
use crate::capture::Frame;
use crate::net::{self, Dissected};
use crate::protocol::Registry;
use crate::tcp::{Flows, Segment};
use above::Above;
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

    /// Layers that also say which frames it takes to read each call again.
    pub fn keeping_setup(registry: &'r Registry) -> Self {
        Self { above: Above::keeping_setup(registry), ..Self::new(registry) }
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
                if tcp.syn {
                    self.above.syn(&segment);
                }
                self.flows.segment(&segment, &mut self.above);
            }
            Dissected::Udp(_) => self.summary.udp += 1,
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
