//! The stub of a call, put together from the fragments that carry it.

use super::call::Message;
use super::pdu::Pdu;
use super::protection::Unsealed;
use super::{Common, Origin, STUB_BYTES};
use crate::bytes::{Buffer, FrameNo, Missing, Time, View, Why};
use crate::security::Verdict;

/// Octets of one stub; what comes beyond is a hole in it.
const MAX_STUB: u32 = 16 << 20;
/// Frames of one message that are remembered.
const MAX_FRAMES: usize = 1 << 16;

/// What hides a stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seal {
    Open,
    Closed,
    /// It is protected, and what would say how is missing, for this reason.
    Untold(Missing),
}

/// How a part of a stub was protected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cover {
    /// What hides it; of what was opened, what hid it.
    pub(super) seal: Seal,
    /// Whether it was opened.
    pub(super) opened: bool,
    /// Whether its signature is right; `None` where there is none.
    pub(super) verdict: Option<Verdict>,
}

impl Cover {
    /// What is told by what became of the PDU.
    pub(super) fn of(opened: Option<&Unsealed>) -> Self {
        Self {
            seal: Seal::Open,
            opened: opened.is_some_and(|opened| opened.stub.is_some()),
            verdict: opened.map(|opened| opened.verdict),
        }
    }
}

/// A PDU that carries part of a stub.
pub(super) struct Part<'a, 'v> {
    pub(super) origin: Origin,
    pub(super) unit: View<'v>,
    pub(super) pdu: &'a Pdu<'v>,
    pub(super) stub: View<'v>,
    pub(super) cover: Cover,
    pub(super) context_id: Option<u16>,
}

impl Part<'_, '_> {
    /// Adds this fragment to the message it belongs to; if that is torn, without the stub.
    pub(super) fn append_to(&self, slot: &mut Option<Message>, torn: bool, common: &mut Common) {
        let header = &self.pdu.header;
        let message = slot.get_or_insert_with(|| Message {
            stub: Buffer::default(),
            frames: Vec::new(),
            time: Time::default(),
            ends: self.origin.ends,
            order: header.order,
            fragments: 0,
            complete: false,
            from_start: header.is_first(),
            sealed: false,
            unsealed: false,
            verdict: None,
            open_end: None,
            pdus: Vec::new(),
        });
        let Cover { seal, opened, verdict } = self.cover;
        // What comes in clear beside what was opened is proved by nothing.
        let mixed = message.fragments > 0 && !self.stub.is_empty() && opened != message.unsealed;
        message.sealed |= seal == Seal::Closed && !opened || mixed && !message.stub.is_empty();
        message.unsealed |= opened;
        // Of a message in several PDUs the worst counts; one without a signature is worth nothing.
        message.verdict = match (message.verdict, verdict) {
            (None, None) => None,
            (_, now) if message.fragments == 0 => now,
            (before, now) => Some(
                before.unwrap_or(Verdict::NotVerifiable).max(now.unwrap_or(Verdict::NotVerifiable)),
            ),
        };
        if let (None, Some(Why::Missing(why))) =
            (&self.pdu.verifier, self.pdu.stop.as_ref().map(|stop| &stop.why))
            && header.auth_length != 0
        {
            message.open_end = Some(*why);
        }
        message.fragments = message.fragments.saturating_add(1);
        message.complete |= header.is_last();
        message.time = message.time.max(self.unit.time().unwrap_or_default());
        merge(&mut message.frames, &self.unit.frames());
        let room =
            MAX_STUB.saturating_sub(message.stub.len()).min(STUB_BYTES.saturating_sub(common.held));
        if torn {
            // A hole is there already.
        } else if let (Seal::Untold(why), true) = (seal, self.stub.len() <= room) {
            let len = self.stub.len().max(1);
            message.stub.push_hole(len, why);
            common.held += len;
        } else if self.stub.len() <= room {
            message.stub.push(self.stub);
            common.held += self.stub.len();
        } else if message.stub.view().holes().all(|hole| hole.why != Missing::Capped) {
            // One octet stands for all that is left out.
            message.stub.push_hole(1, Missing::Capped);
            common.held += 1;
        }
        if common.keep_pdus && message.pdus.len() < MAX_FRAMES && room > 0 {
            let mut pdu = Buffer::default();
            pdu.push(self.unit);
            message.pdus.push(pdu);
        }
    }
}

pub(super) fn release(common: &mut Common, message: Option<&Message>) {
    common.held = common.held.saturating_sub(message.map_or(0, |message| message.stub.len()));
}

/// Adds `more` to `frames`; both ascend and have nothing twice. What is beyond the cap is not kept.
fn merge(frames: &mut Vec<FrameNo>, more: &[FrameNo]) {
    for frame in more {
        match frames.last() {
            Some(last) if frame < last => {
                if let Err(place) = frames.binary_search(frame) {
                    frames.insert(place, *frame);
                }
            }
            Some(last) if frame == last => {}
            _ => frames.push(*frame),
        }
    }
    frames.truncate(MAX_FRAMES);
}
