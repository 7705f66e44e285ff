//! Messages kept because somebody wants to look at a frame they travelled in.

use super::setup::Setup;
use crate::bytes::{Buffer, FrameNo, Missing, View};
use crate::net;

/// What a unit is, which says how to dissect it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnitKind {
    /// The payload of an IP datagram that was put together from fragments.
    Ip(net::Ip),
    /// An SMB message with its four-byte header.
    Smb,
    /// What was in an encrypted SMB message, which comes before it: a message, or a compressed one,
    /// without a header of the transport.
    Opened,
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

/// Whose units are kept.
#[derive(Clone, Copy, Debug, Default)]
enum Wanted {
    #[default]
    Nobodys,
    /// Those of which this frame carried a part.
    Of(FrameNo),
    All,
}

/// Keeps the units of one frame, or all of them until they are handed over, and what it takes to read calls again, where that is wanted.
#[derive(Debug, Default)]
pub(super) struct Watch {
    wanted: Wanted,
    pub(super) units: Vec<Unit>,
    pub(super) setup: Option<Box<Setup>>,
}

impl Watch {
    pub(super) fn new(frame: Option<FrameNo>) -> Self {
        Self { wanted: frame.map_or(Wanted::Nobodys, Wanted::Of), ..Self::default() }
    }

    pub(super) fn all() -> Self {
        Self { wanted: Wanted::All, ..Self::default() }
    }

    pub(super) fn keeping_setup() -> Self {
        Self { setup: Some(Box::default()), ..Self::default() }
    }

    /// Tells what follows calls' setup, if it is followed.
    pub(super) fn setup(&mut self, tell: impl FnOnce(&mut Setup)) {
        self.setup.as_deref_mut().map(tell);
    }

    /// Keeps `view` if it is wanted.
    pub(super) fn see(&mut self, kind: UnitKind, view: View<'_>) {
        self.see_beginning(kind, view, view.len());
    }

    /// Keeps `view`, which is the beginning of a message of `whole` bytes, if it is wanted.
    pub(super) fn see_beginning(&mut self, kind: UnitKind, view: View<'_>, whole: u32) {
        if let (UnitKind::Rpc, Some(setup)) = (kind, &mut self.setup) {
            setup.pdu(view);
        }
        let wanted = match self.wanted {
            Wanted::Nobodys => false,
            Wanted::Of(frame) => view.pieces().any(|piece| piece.frame == frame),
            Wanted::All => true,
        };
        if wanted {
            let mut bytes = Buffer::default();
            bytes.push(view);
            bytes.push_hole(whole.saturating_sub(view.len()), Missing::Capped);
            self.units.push(Unit { kind, bytes });
        }
    }
}
