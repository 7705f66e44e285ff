//! [`Receiver`]: who takes what flows carry, and what it is told of them.

use super::End;
use crate::bytes::{Ends, FrameNo, Missing, Side, Time, View};
use crate::net;

/// A flow: one TCP connection. Never used twice, even when the addresses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u32);

/// A segment, or a part of one, as one frame carried it ([`parts`](super::parts())).
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// What its headers say; `payload` is its place in the frame.
    pub header: net::Segment,
    /// The payload that was captured.
    pub payload: &'a [u8],
    /// The frame.
    pub frame: FrameNo,
    /// When the frame was captured.
    pub time: Time,
}

/// What a receiver knows of a flow.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Its identity.
    pub id: FlowId,
    /// Its addresses. Without a SYN the lower port is taken for the server's.
    pub ends: Ends,
    /// Whether its beginning is not in the capture.
    pub midstream: bool,
    /// What began its end, if it was seen.
    pub end: Option<End>,
}

/// Whether a receiver wants more of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Go on.
    Keep,
    /// Nothing of this flow is wanted any more; it costs a table look-up per packet from now on.
    Ignore,
}

/// Takes what flows carry, in stream order.
pub trait Receiver {
    /// The first packet from `side` was seen; it may have no bytes.
    fn begins(&mut self, _flow: &Flow, _side: Side) {}
    /// The next bytes from `side`.
    fn data(&mut self, flow: &Flow, side: Side, view: View<'_>) -> Interest;
    /// `len` bytes from `side` are missing here.
    fn gap(&mut self, flow: &Flow, side: Side, len: u64, why: Missing);
    /// Nothing more will come of this flow.
    fn closed(&mut self, flow: &Flow);
}
