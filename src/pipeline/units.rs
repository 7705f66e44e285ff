//! Messages kept because somebody wants to look at a frame they travelled in.

use crate::bytes::{Buffer, FrameNo, View};
use crate::net;

/// What a unit is, which says how to dissect it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// The payload of an IP datagram that was put together from fragments.
    Ip(net::Ip),
    /// An SMB message with its four-byte header.
    Smb,
    /// A DCE/RPC PDU.
    Rpc,
}

/// A whole message, with the frames that carried it.
#[derive(Clone, Debug)]
pub struct Unit {
    /// What it is.
    pub kind: UnitKind,
    /// Its bytes.
    pub bytes: Buffer,
}

/// Keeps the units of one frame.
#[derive(Debug, Default)]
pub(super) struct Watch {
    frame: Option<FrameNo>,
    pub(super) units: Vec<Unit>,
}

impl Watch {
    pub(super) fn new(frame: Option<FrameNo>) -> Self {
        Self { frame, units: Vec::new() }
    }

    /// Keeps `view` if the frame carried a part of it.
    pub(super) fn see(&mut self, kind: UnitKind, view: View<'_>) {
        if let Some(frame) = self.frame
            && view.pieces().any(|piece| piece.frame == frame)
        {
            let mut bytes = Buffer::default();
            bytes.push(view);
            self.units.push(Unit { kind, bytes });
        }
    }
}
