//! [`Step`]: what a client asked of a server, and what came of it.

use std::sync::Arc;

use crate::bytes::{FrameNo, Time};
use crate::call::{Call, Outcome, Readable};
use crate::ndr::text;
use crate::pipeline::{BindAnswer, Unreached};
use crate::protocol::fsrvp::{OPERATIONS, Request, Response, ShareMapping};
use crate::smb::{SessionRefusal, Status};

/// Characters of a name that are kept; what comes behind them is not compared.
const MAX_NAME: usize = 300;

/// One step of a conversation.
#[derive(Clone, Debug)]
pub struct Step {
    /// When it was asked; of what came before the calls, when it was answered.
    pub time: Time,
    /// When it was over, as far as that is known; `time` otherwise.
    pub end: Time,
    /// The frame that showed it; of a call, the last of its request.
    pub frame: Option<FrameNo>,
    /// How many times more it came, one after the other.
    pub repeated: u32,
    /// Its place in the order in which things became known, which that of losses can be held against.
    pub(super) known: u64,
    /// The client's port, which tells connections apart.
    pub(super) port: u16,
    /// What it was.
    pub act: Act,
}

/// What a step was.
#[derive(Clone, Debug)]
pub enum Act {
    /// What has to happen before calls can be made.
    Setup(Setup),
    /// A call.
    Call(Box<Exchange>),
}

/// What has to happen before calls can be made, in the order in which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The server is connected to; a step only where that came to nothing.
    Connection,
    /// The NetBIOS session; a step only where it was refused.
    Session,
    /// The dialect is agreed.
    Negotiation,
    /// A user is logged on.
    Logon,
    /// A share is connected.
    Share,
    /// The pipe is opened.
    Pipe,
    /// The interface is bound.
    Bind,
    /// The pipe is used, which is a step only where it failed.
    Use,
}

impl Stage {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Session => "session",
            Self::Negotiation => "negotiation",
            Self::Logon => "logon",
            Self::Share => "share",
            Self::Pipe => "pipe",
            Self::Bind => "bind",
            Self::Use => "use",
        }
    }
}

/// One of them, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Which.
    pub stage: Stage,
    /// The port, the called name, the dialect, the user, the share or the pipe, where it is known.
    pub of: Option<Arc<str>>,
    /// Why it was refused, if it was.
    pub refusal: Option<Refusal>,
    /// It was refused, and a later attempt was let in before anything else was done.
    pub overcome: bool,
}

impl Setup {
    /// Whether it was agreed, which may have happened before.
    pub(super) fn is_agreed(&self) -> bool {
        self.refusal.is_none()
    }

    /// Whether it bound the interface.
    pub(super) fn is_bound(&self) -> bool {
        self.stage == Stage::Bind && self.is_agreed()
    }
}

/// Why something was refused before, or beside, the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody took it.
    Unreached(Unreached),
    /// By SMB.
    Status(Status),
    /// By NetBIOS.
    Session(SessionRefusal),
    /// By RPC; never [`BindAnswer::Accepted`].
    Bind(BindAnswer),
    /// The pipe ended before the bind was answered: with this status, or closed by the server.
    Ended(Option<Status>),
    /// The client closed the pipe before the bind was answered.
    GivenUp,
}

/// A call of MS-FSRVP with its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Number of the call.
    pub n: u64,
    /// Number of the operation, if the request was seen.
    pub opnum: Option<u16>,
    /// What was asked, if all of it could be read.
    pub asked: Option<Request>,
    /// What was answered, if all of it could be read.
    pub answered: Option<Response>,
    /// `Context` of `SetContext` by its names.
    pub context: Option<Arc<str>>,
    /// How much of the request could be read.
    pub request: Readable,
    /// How much of the response could be read.
    pub response: Readable,
    /// How it went.
    pub outcome: Outcome,
    /// What the method returned.
    pub status: Option<u32>,
    /// The status of a fault.
    pub fault: Option<u32>,
    /// Nanoseconds from the complete request to the complete answer.
    pub elapsed: Option<i64>,
    /// Its answer may be among bytes that were lost.
    pub near_loss: bool,
}

/// A name from the wire, no longer than [`MAX_NAME`].
pub(super) fn name(of: &str) -> Arc<str> {
    kept(of).into()
}

fn kept(of: &str) -> &str {
    let end = of.char_indices().nth(MAX_NAME).map_or(of.len(), |(end, _)| end);
    of.get(..end).unwrap_or(of)
}

fn shorten(of: &mut String) {
    of.truncate(kept(of).len());
    of.shrink_to_fit();
}

impl Step {
    /// The call, if it is one.
    pub fn call(&self) -> Option<&Exchange> {
        match &self.act {
            Act::Call(exchange) => Some(exchange),
            Act::Setup(_) => None,
        }
    }

    /// Whether it is a connect that came to nothing.
    pub(super) fn is_connect(&self) -> bool {
        self.setup().is_some_and(|setup| setup.stage == Stage::Connection)
    }

    /// Whether it was agreed, which may have happened before.
    pub(super) fn is_agreed(&self) -> bool {
        self.setup().is_some_and(Setup::is_agreed)
    }

    /// What had to happen before the calls, if it is that.
    pub(super) fn setup(&self) -> Option<&Setup> {
        match &self.act {
            Act::Setup(setup) => Some(setup),
            Act::Call(_) => None,
        }
    }
}

impl Exchange {
    /// What is kept of a call.
    pub(super) fn new(call: &Call) -> Self {
        let opnum = call.rpc.opnum;
        let asked = call.request.decoded.as_ref().zip(opnum);
        let context = asked.and_then(|(decoded, _)| decoded.param("Context"));
        let answered = call.response.decoded.as_ref().zip(opnum);
        let mut asked = asked.and_then(|(decoded, n)| Request::bind(n, decoded)?.ok());
        let mut answered = answered.and_then(|(decoded, n)| Response::bind(n, decoded)?.ok());
        asked.iter_mut().for_each(shorten_request);
        answered.iter_mut().for_each(shorten_response);
        Self {
            n: call.rpc.n,
            opnum,
            asked,
            answered,
            context: context.map(|context| name(&text(context))),
            request: call.request.readable,
            response: call.response.readable,
            outcome: call.outcome,
            status: call.status,
            fault: call.fault(),
            elapsed: call.elapsed,
            near_loss: call.rpc.near_loss,
        }
    }

    /// Name of the operation, if it is one.
    pub fn method(&self) -> Option<&'static str> {
        OPERATIONS.iter().find(|(opnum, _)| Some(*opnum) == self.opnum).map(|(_, name)| *name)
    }

    /// Whether it is an operation that has a share, or may be one.
    pub(super) fn names_share(&self) -> bool {
        matches!(self.opnum, Some(3 | 8..=11) | None)
    }

    /// The share it is about.
    pub(super) fn share(&self) -> Option<&str> {
        Some(match self.asked.as_ref()? {
            Request::AddToShadowCopySet(ask) => &ask.share_name,
            Request::IsPathSupported(ask) => &ask.share_name,
            Request::IsPathShadowCopied(ask) => &ask.share_name,
            Request::GetShareMapping(ask) => &ask.share_name,
            Request::DeleteShareMapping(ask) => &ask.share_name,
            _ => return None,
        })
    }

    /// The time-out it has, in milliseconds.
    pub(super) fn time_out(&self) -> Option<u32> {
        Some(match self.asked.as_ref()? {
            Request::CommitShadowCopySet(ask) => ask.time_out_in_milliseconds,
            Request::ExposeShadowCopySet(ask) => ask.time_out_in_milliseconds,
            Request::PrepareShadowCopySet(ask) => ask.time_out_in_milliseconds,
            _ => return None,
        })
    }
}

fn shorten_request(request: &mut Request) {
    match request {
        Request::AddToShadowCopySet(ask) => shorten(&mut ask.share_name),
        Request::IsPathSupported(ask) => shorten(&mut ask.share_name),
        Request::IsPathShadowCopied(ask) => shorten(&mut ask.share_name),
        Request::GetShareMapping(ask) => shorten(&mut ask.share_name),
        Request::DeleteShareMapping(ask) => shorten(&mut ask.share_name),
        _ => {}
    }
}

fn shorten_response(response: &mut Response) {
    match response {
        Response::IsPathSupported(answer) => {
            answer.owner_machine_name.iter_mut().for_each(shorten);
        }
        Response::GetShareMapping(answer) => {
            if let ShareMapping::ShareMapping1(Some(mapping)) = &mut answer.share_mapping {
                mapping.share_name_unc.iter_mut().for_each(shorten);
                mapping.shadow_copy_share_name.iter_mut().for_each(shorten);
            }
        }
        _ => {}
    }
}
