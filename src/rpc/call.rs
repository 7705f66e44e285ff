//! A call: a request and its answer, joined once; everybody above speaks of calls.

use super::ChannelId;
use super::bind::{SyntaxId, Transfer};
use crate::bytes::{Buffer, Ends, FrameNo, Guid, Missing, Order, Time};
use crate::security::{Mechanism, Verdict};

/// How much of a stub can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StubState {
    /// All of it is there and in clear.
    Clear,
    /// The same, after it was opened and proved.
    Unsealed,
    /// It is encrypted at packet privacy.
    Sealed,
    /// The snap length cut it.
    Truncated,
    /// Part of it is not in the capture.
    Lost,
}

/// How a message was protected: \[MS-RPCE\] 2.2.2.11.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Auth {
    /// Security provider by its number; 0 is none.
    pub auth_type: u8,
    /// Authentication level by its number; 1 is none, and 0 that what tells it was not seen.
    pub level: u8,
    /// The mechanism inside, where a token told it.
    pub mechanism: Option<Mechanism>,
    /// Who the client says it is, where a token told it: `DOMAIN\user`.
    pub principal: Option<String>,
}

impl Auth {
    /// No authentication.
    pub const NONE: Self = Self { auth_type: 0, level: 1, mechanism: None, principal: None };
    /// Whether there is any was told by what was not seen.
    pub const UNTOLD: Self = Self { level: 0, ..Self::NONE };
}

/// One direction of a call, put together from its fragments.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is so or not, whatever the others are")]
pub struct Message {
    /// The parameters as they travelled, without security trailers and their padding.
    pub stub: Buffer,
    /// All frames that carried its PDUs.
    pub frames: Vec<FrameNo>,
    /// When the last byte of it was captured.
    pub time: Time,
    /// The connection that carried its first fragment.
    pub ends: Ends,
    /// Byte order of the stub.
    pub order: Order,
    /// Number of PDUs.
    pub fragments: u32,
    /// Whether its last fragment was seen.
    pub complete: bool,
    /// Whether its first fragment was seen.
    pub from_start: bool,
    /// Whether its stub is encrypted, and was not opened.
    pub sealed: bool,
    /// Whether its stub was encrypted, and was opened: what is here is in clear, and proved.
    pub unsealed: bool,
    /// What its signatures are worth, the worst of them; `None` where it has none.
    pub verdict: Option<Verdict>,
    /// Why it is not known where the stub ends, if it is not: the length of the padding behind it
    /// is missing, and up to 15 octets of what is here may be padding.
    pub open_end: Option<Missing>,
    /// The PDUs themselves, where somebody asked for them to be kept.
    pub pdus: Vec<Buffer>,
}

impl Message {
    /// How much of the stub can be read.
    pub fn stub_state(&self) -> StubState {
        if self.sealed {
            return StubState::Sealed;
        }
        if !self.from_start {
            return StubState::Lost;
        }
        let hole = self.stub.view().holes().next().map(|hole| hole.why);
        match hole.or(self.open_end) {
            Some(Missing::Snapped | Missing::Capped) => StubState::Truncated,
            Some(_) => StubState::Lost,
            None if !self.complete => StubState::Lost,
            None if self.unsealed => StubState::Unsealed,
            None => StubState::Clear,
        }
    }
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// A response came.
    Response,
    /// A fault came, with this status.
    Fault(u32),
    /// Nothing came.
    NoAnswer,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Call {
    /// The channel that carried it.
    pub channel: ChannelId,
    /// 1-based, in the order of the requests.
    pub n: u64,
    /// Joins the PDUs of a call within its association.
    pub call_id: u32,
    /// Presentation context, if the PDU was long enough to tell.
    pub context_id: Option<u16>,
    /// The interface, if its bind was seen.
    pub interface: Option<SyntaxId>,
    /// The transfer syntax, if it is known.
    pub transfer: Option<Transfer>,
    /// Number of the operation, if the request was seen.
    pub opnum: Option<u16>,
    /// Object UUID of the request.
    pub object: Option<Guid>,
    /// How the request, or else the response, was protected.
    pub auth: Auth,
    /// Whether the client had offered to sign headers; `None` if its bind was not seen, or where nothing
    /// is signed.
    pub header_sign: Option<bool>,
    /// The request.
    pub request: Option<Message>,
    /// The response or fault.
    pub response: Option<Message>,
    /// Whether its answer may be among bytes of its channel that were lost.
    pub near_loss: bool,
    /// How it ended.
    pub ending: Ending,
}
