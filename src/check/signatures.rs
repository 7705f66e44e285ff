//! Messages whose signature is wrong: that they are is a finding, and what they say counts for nothing.
//! So is a request that says in its verification trailer what was not said in clear.
//!
//! ```text
//!  events ─► Distrust ─► calls, without what nobody can trust ─► the rules
//!                                    └─► Signatures ─► findings
//! ```

use std::collections::VecDeque;

use super::bench::{Bench, Place, Topic};
use super::finding::Certainty;
use crate::bytes::{FrameNo, Side};
use crate::call::{Call, Outcome, Readable, Stub};
use crate::pipeline::{Around, What};
use crate::rpc::{Message, trailer};
use crate::security::Verdict;

/// Frames with a wrong signature of SMB that are remembered; the oldest is forgotten.
const MAX_FRAMES: usize = 256;
/// Messages of SMB that wait for the call they carry; the oldest is told without one.
const MAX_WAITING: usize = 64;
/// A PDU of RPC.
const PDU: &str = "RPCE-2.2.2.11-01";
/// What a request repeats of the bind and the header.
const TRAILER: &str = "RPCE-2.2.2.13-01";
/// A message of SMB.
const SMB: &str = "SMB2-3.1.5.1-01";

/// What is not to be trusted.
#[derive(Debug, Default)]
pub(super) struct Distrust {
    /// Added by [`Distrust::see`]; beyond [`MAX_FRAMES`] the oldest goes.
    frames: VecDeque<FrameNo>,
}

impl Distrust {
    /// Notes a frame whose signature of SMB is wrong.
    pub(super) fn see(&mut self, around: &Around) {
        if let (What::BadSignature { .. }, Some(frame)) = (&around.what, around.frame) {
            if self.frames.len() >= MAX_FRAMES {
                self.frames.pop_front();
            }
            self.frames.push_back(frame);
        }
    }

    /// The call without what its messages say whose signature is wrong; nothing, if none is.
    pub(super) fn without(&self, call: &Call) -> Option<Box<Call>> {
        let wrong = |message: &Option<Message>| {
            message.as_ref().is_some_and(|message| {
                message.verdict == Some(Verdict::BadSignature)
                    || !self.frames.is_empty()
                        && message.frames.iter().any(|frame| self.frames.contains(frame))
            })
        };
        let (asked, answered) = (wrong(&call.rpc.request), wrong(&call.rpc.response));
        if !asked && !answered {
            return None;
        }
        // As if nobody could read it.
        let nothing = || Stub {
            readable: Readable::Sealed,
            bytes: 0,
            orpc: None,
            decoded: None,
            trailer: None,
        };
        let mut call = Box::new(call.clone());
        if asked {
            call.request = nothing();
        }
        for (wrong, message) in [(asked, &mut call.rpc.request), (answered, &mut call.rpc.response)]
        {
            if let Some(message) = message.as_mut().filter(|_| wrong) {
                message.verdict = Some(Verdict::BadSignature);
            }
        }
        // Nor what an answer says to a request that may have been another one.
        if call.rpc.response.is_some() && call.outcome != Outcome::Fault {
            call.response = nothing();
            call.status = None;
            call.outcome = Outcome::Unknown;
        }
        Some(call)
    }
}

/// A message of SMB whose signature is wrong.
#[derive(Debug)]
struct Waiting {
    place: Place,
    frame: Option<FrameNo>,
    what: String,
}

/// Wrong signatures at one server.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    /// Added by `around`; removed by the call that they carry, or at the end.
    waiting: Vec<Waiting>,
}

impl Signatures {
    pub(super) fn around(&mut self, around: &Around, bench: &mut Bench<'_>) {
        let What::BadSignature { by, command, .. } = &around.what else { return };
        if self.waiting.len() >= MAX_WAITING {
            let oldest = self.waiting.remove(0);
            untold(oldest, bench);
        }
        let (client, server) = (around.client.ip(), around.server.ip());
        let what = match by {
            Side::Client => format!("the SMB request {command} from {client} to {server}"),
            Side::Server => format!("the SMB answer to {command} from {server} to {client}"),
        };
        let place = Place::around(around.time, around.frame, Some(client));
        self.waiting.push(Waiting { place, frame: around.frame, what });
    }

    /// A call is over.
    pub(super) fn answered(&mut self, call: &Call, place: &Place, bench: &mut Bench<'_>) {
        for (side, message) in messages(call) {
            let carries = |waiting: &mut Waiting| {
                waiting.frame.is_some_and(|frame| message.frames.contains(&frame))
            };
            let carriers: Vec<_> = self.waiting.extract_if(.., carries).collect();
            for Waiting { what, .. } in &carriers {
                wrong(SMB, what, reaction(call, side), place, bench);
            }
            if carriers.is_empty() {
                of_message(call, (side, message), place, bench);
            }
        }
        of_trailer(call, place, bench);
    }

    /// The capture has ended.
    pub(super) fn finish(&mut self, bench: &mut Bench<'_>) {
        for waiting in std::mem::take(&mut self.waiting) {
            untold(waiting, bench);
        }
    }
}

/// What the PDUs of a call are signed with.
pub(super) fn of_call(call: &Call, place: &Place, bench: &mut Bench<'_>) {
    for message in messages(call) {
        of_message(call, message, place, bench);
    }
    of_trailer(call, place, bench);
}

/// \[MS-RPCE\] 2.2.2.13: a client repeats in a request, where nobody can change it, what it said in clear.
fn of_trailer(call: &Call, place: &Place, bench: &mut Bench<'_>) {
    let Some(trailer) = call.request.trailer else { return };
    let Some((said, is)) = trailer::at_odds(&call.rpc, trailer) else {
        return bench.pass(TRAILER);
    };
    let method = call.method().unwrap_or("a call");
    let (client, server) = (call.client.addr.ip(), call.server.addr.ip());
    let message = format!(
        "the verification trailer of {method} from {client} to {server} has {said}, and in clear there \
         was {is}: something changed the bind or the header on their way, or the client writes its \
         trailers wrongly; a server has to refuse the call, and {}. Capture at both ends and compare",
        reaction(call, Side::Client)
    );
    bench.fail(Topic::Transport, TRAILER, place, message, |finding| {
        finding.certainty = Certainty::Likely;
    });
}

fn of_message(
    call: &Call,
    (side, message): (Side, &Message),
    place: &Place,
    bench: &mut Bench<'_>,
) {
    match message.verdict {
        Some(Verdict::Verified) => bench.pass(PDU),
        Some(Verdict::BadSignature) => {
            let method = call.method().unwrap_or("a call");
            let (client, server) = (call.client.addr.ip(), call.server.addr.ip());
            let what = match side {
                Side::Client => format!("the request of {method} from {client} to {server}"),
                Side::Server => format!("the answer to {method} from {server} to {client}"),
            };
            wrong(PDU, &what, reaction(call, side), place, bench);
        }
        Some(Verdict::NotVerifiable) | None => {}
    }
}

/// Whether a message of a call has a wrong signature.
pub(super) fn is_wrong(call: &Call) -> bool {
    messages(call).any(|(_, message)| message.verdict == Some(Verdict::BadSignature))
}

fn messages(call: &Call) -> impl Iterator<Item = (Side, &Message)> {
    let both = [(Side::Client, &call.rpc.request), (Side::Server, &call.rpc.response)];
    both.into_iter().filter_map(|(side, message)| Some((side, message.as_ref()?)))
}

/// What became of a message that `side` has sent.
fn reaction(call: &Call, side: Side) -> &'static str {
    match (side, call.outcome) {
        (Side::Server, _) => "whether the client took it, only what it does next can show",
        (_, Outcome::NoResponse) => "the server did not answer it",
        (_, Outcome::Fault) => "the server refused it with a fault",
        _ => "the server answered as if nothing were",
    }
}

/// One that carried no call that is seen.
fn untold(Waiting { place, what, .. }: Waiting, bench: &mut Bench<'_>) {
    wrong(SMB, &what, "what became of it is not to be seen", &place, bench);
}

fn wrong(rule: &str, what: &str, reaction: &str, place: &Place, bench: &mut Bench<'_>) {
    let message = format!(
        "{what} has a wrong signature, though the key is right, which has verified others: something \
         changed it on its way, or the memory or network card of one of both computers is bad; \
         {reaction}. Capture at both ends and compare"
    );
    bench.fail(Topic::Transport, rule, place, message, |finding| {
        finding.certainty = Certainty::Likely;
    });
}
