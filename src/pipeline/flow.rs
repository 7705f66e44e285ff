//! What a flow carries, and the channels on which RPC is found: flows and pipes under one number.

use crate::bytes::{Both, Buffer, Ends, Side, Stream};
use crate::rpc::ChannelId;
use crate::smb::PipeId;
use crate::tcp::{Flow, FlowId};

/// What a flow carries.
#[derive(Debug)]
pub(super) enum OnFlow {
    /// `torn` is where the beginning is missing.
    Undecided {
        early: Both<Buffer>,
        torn: Both<bool>,
        looked_at: u32,
    },
    Smb {
        ends: Ends,
        swapped: bool,
        streams: Box<Both<Stream>>,
        /// Whether the place in a stream was lost, and nothing found since.
        lost: Both<bool>,
    },
    Rpc {
        ends: Ends,
        swapped: bool,
    },
    /// What is at the port of a KDC and is neither.
    Kdc {
        streams: Box<Both<Stream>>,
    },
}

impl OnFlow {
    /// Client and server, if it is known which is which.
    pub(super) fn ends(&self) -> Option<Ends> {
        match self {
            Self::Undecided { .. } | Self::Kdc { .. } => None,
            Self::Smb { ends, .. } | Self::Rpc { ends, .. } => Some(*ends),
        }
    }

    pub(super) fn undecided(flow: &Flow) -> Self {
        let torn = Both { client: flow.midstream, server: flow.midstream };
        Self::Undecided { early: Both::default(), torn, looked_at: 0 }
    }
}

/// A decision, with the roles exchanged if `side` turned out to be `sender`.
pub(super) fn on_flow(
    flow: &Flow,
    side: Side,
    sender: Side,
    make: impl FnOnce(Ends, bool) -> OnFlow,
) -> OnFlow {
    let swapped = side != sender;
    make(if swapped { flow.ends.swapped() } else { flow.ends }, swapped)
}

pub(super) fn turn(side: Side, swapped: bool) -> Side {
    if swapped { side.other() } else { side }
}

pub(super) fn begin(torn: bool) -> Stream {
    if torn { Stream::midstream() } else { Stream::default() }
}

const PIPE_CHANNELS: u64 = 1 << 32;

pub(super) fn channel(flow: FlowId) -> ChannelId {
    ChannelId(flow.0.into())
}

pub(super) fn pipe_channel(pipe: PipeId) -> ChannelId {
    ChannelId(PIPE_CHANNELS + u64::from(pipe.0))
}

pub(super) fn pipe_of(channel: ChannelId) -> Option<PipeId> {
    Some(PipeId(u32::try_from(channel.0.checked_sub(PIPE_CHANNELS)?).ok()?))
}
