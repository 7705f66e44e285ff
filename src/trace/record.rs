//! What is written down of a message and of a call, and a call made of that again.

use serde::{Deserialize, Serialize};

use super::place::{Place, Why};
use super::store::Unreadable;
use super::{Trace, at};
use crate::bytes::{Buffer, FrameNo, Guid, Order, Time};
use crate::call::{Call, Transport};
use crate::protocol::Registry;
use crate::rpc::{self, ChannelId, Ending, Message, Transfer};
use crate::security::Verdict;

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Entry {
    Unit(UnitRecord),
    Call(Box<CallRecord>),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UnitRecord {
    pub(super) kind: u32,
    pub(super) bytes: Place,
}

/// A call. Numbers stand for what is in `Commons`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CallRecord {
    pub(super) n: u64,
    pub(super) channel: u64,
    pub(super) call_id: u32,
    pub(super) context_id: Option<u16>,
    pub(super) interface: Option<u32>,
    pub(super) ndr64: Option<bool>,
    pub(super) opnum: Option<u16>,
    pub(super) object: Option<[u8; 16]>,
    pub(super) auth: u32,
    pub(super) carrier: u32,
    /// Of the pipe, which the carrier goes without here.
    pub(super) file: Option<FileId>,
    pub(super) header_sign: Option<bool>,
    pub(super) near_loss: bool,
    pub(super) ending: End,
    pub(super) request: Option<Half>,
    pub(super) response: Option<Half>,
}

/// The `file_id` of a pipe, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum FileId {
    Guid([u8; 16]),
    Other(String),
}

impl FileId {
    /// That of this text.
    pub(super) fn of(text: &str) -> Self {
        let guid = text.parse::<Guid>().ok().filter(|guid| guid.to_string() == text);
        guid.map_or_else(|| Self::Other(text.to_owned()), |guid| Self::Guid(*guid.as_bytes()))
    }

    fn text(&self) -> String {
        match self {
            Self::Guid(bytes) => Guid::from_bytes(*bytes).to_string(),
            Self::Other(text) => text.clone(),
        }
    }
}

/// [`Ending`], as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum End {
    Response,
    Fault(u32),
    NoAnswer,
}

/// One direction of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Half {
    pub(super) stub: Place,
    pub(super) pdus: Vec<Place>,
    /// None: those of its PDUs.
    pub(super) frames: Option<Vec<u64>>,
    /// None: that of the last frame of its PDUs.
    pub(super) time: Option<i64>,
    pub(super) ends: u32,
    pub(super) fragments: u32,
    pub(super) flags: u8,
    pub(super) open_end: Option<Why>,
}

/// Bits of [`Half::flags`].
const BIG: u8 = 1;
const COMPLETE: u8 = 2;
const FROM_START: u8 = 4;
const SEALED: u8 = 8;
const UNSEALED: u8 = 16;
/// The two bits of a verdict: none, verified, not verifiable, bad.
const VERDICT: u8 = 32;

/// The bits of a verdict.
fn bits_of(verdict: Option<Verdict>) -> u8 {
    VERDICT
        * match verdict {
            None => 0,
            Some(Verdict::Verified) => 1,
            Some(Verdict::NotVerifiable) => 2,
            Some(Verdict::BadSignature) => 3,
        }
}

/// The verdict of these bits.
fn verdict_of(flags: u8) -> Option<Verdict> {
    match flags / VERDICT % 4 {
        1 => Some(Verdict::Verified),
        2 => Some(Verdict::NotVerifiable),
        3 => Some(Verdict::BadSignature),
        _ => None,
    }
}

impl Entry {
    /// Appends it.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        // Writing into memory cannot fail: every type has a form.
        if let Ok(bytes) = postcard::to_allocvec(self) {
            to.extend_from_slice(&bytes);
        }
    }

    /// Reads one, and how long it is.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let (entry, rest) = postcard::take_from_bytes(bytes).ok()?;
        Some((entry, bytes.len().saturating_sub(rest.len())))
    }

    /// The lowest frame that it travelled in.
    pub(super) fn low(&self) -> Option<u64> {
        match self {
            Self::Unit(unit) => unit.bytes.frames().min(),
            Self::Call(call) => call.halves().flat_map(Half::frames).min(),
        }
    }
}

impl CallRecord {
    fn halves(&self) -> impl Iterator<Item = &Half> {
        self.request.iter().chain(&self.response)
    }

    /// Whether the frame carried a part of it.
    pub(super) fn is_in(&self, frame: FrameNo) -> bool {
        self.halves().flat_map(Half::frames).any(|of| of == frame.0)
    }
}

impl Half {
    /// What is written down of a message; `ends` is the number of its ends.
    pub(super) fn of(message: &Message, ends: u32) -> Self {
        let pdus: Vec<Place> = message.pdus.iter().map(|pdu| Place::of(pdu.view())).collect();
        let frames: Vec<u64> = message.frames.iter().map(|frame| frame.0).collect();
        let last = message.pdus.iter().filter_map(|pdu| pdu.view().time()).max();
        let bit = |bit: u8, is: bool| if is { bit } else { 0 };
        Self {
            stub: Place::of(message.stub.view()),
            frames: (frames_of(&pdus) != frames).then_some(frames),
            time: (last != Some(message.time)).then(|| message.time.nanos()),
            ends,
            fragments: message.fragments,
            flags: bit(BIG, message.order == Order::Big)
                | bit(COMPLETE, message.complete)
                | bit(FROM_START, message.from_start)
                | bit(SEALED, message.sealed)
                | bit(UNSEALED, message.unsealed)
                | bits_of(message.verdict),
            open_end: message.open_end.map(Why::from),
            pdus,
        }
    }

    /// The frames that carried it, ascending.
    fn frames(&self) -> Vec<u64> {
        self.frames.clone().unwrap_or_else(|| frames_of(&self.pdus))
    }
}

fn frames_of(pdus: &[Place]) -> Vec<u64> {
    let mut frames: Vec<u64> = pdus.iter().flat_map(Place::frames).collect();
    frames.sort_unstable();
    frames.dedup();
    frames
}

impl Trace {
    /// The call of a record, decoded as it was the first time.
    pub(super) fn rebuild(
        &self,
        record: &CallRecord,
        pdus: bool,
        registry: &Registry,
    ) -> Result<Option<Call>, Unreadable> {
        let commons = &self.commons;
        let known = at(&commons.auths, record.auth).zip(at(&commons.carriers, record.carrier));
        let Some((auth, carrier)) = known else { return Ok(None) };
        let half = |half: &Option<Half>| {
            half.as_ref().map(|half| self.message(half, pdus)).transpose().map(Option::flatten)
        };
        let call = rpc::Call {
            channel: ChannelId(record.channel),
            n: record.n,
            call_id: record.call_id,
            context_id: record.context_id,
            interface: record.interface.and_then(|n| at(&commons.syntaxes, n)).copied(),
            transfer: record.ndr64.map(|ndr64| if ndr64 { Transfer::Ndr64 } else { Transfer::Ndr }),
            opnum: record.opnum,
            object: record.object.map(Guid::from_bytes),
            auth: auth.clone(),
            request: half(&record.request)?,
            response: half(&record.response)?,
            header_sign: record.header_sign,
            near_loss: record.near_loss,
            ending: match record.ending {
                End::Response => Ending::Response,
                End::Fault(status) => Ending::Fault(status),
                End::NoAnswer => Ending::NoAnswer,
            },
        };
        let mut carrier = carrier.clone();
        if let Transport::NamedPipe(pipe) = &mut carrier.transport {
            pipe.file_id = record.file.as_ref().map(FileId::text);
        }
        Ok(Some(Call::new(call, carrier, registry)))
    }

    fn message(&self, half: &Half, pdus: bool) -> Result<Option<Message>, Unreadable> {
        let Some(ends) = at(&self.commons.ends, half.ends) else { return Ok(None) };
        let time = half.time.map(|nanos| Time::from_nanos(nanos.into()));
        let pdus_of = || half.pdus.iter().map(|pdu| self.restore(pdu));
        Ok(Some(Message {
            stub: self.restore(&half.stub)?,
            frames: half.frames().into_iter().map(FrameNo).collect(),
            time: time.unwrap_or_else(|| self.latest(half.pdus.iter())),
            ends: *ends,
            order: if half.flags & BIG != 0 { Order::Big } else { Order::Little },
            fragments: half.fragments,
            complete: half.flags & COMPLETE != 0,
            from_start: half.flags & FROM_START != 0,
            sealed: half.flags & SEALED != 0,
            unsealed: half.flags & UNSEALED != 0,
            verdict: verdict_of(half.flags),
            open_end: half.open_end.map(Into::into),
            pdus: if pdus { pdus_of().collect::<Result<Vec<Buffer>, _>>()? } else { Vec::new() },
        }))
    }
}
