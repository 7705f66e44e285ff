//! [`Client`] and [`Pipe`]: what is remembered of who asks, and of what carries it.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::figures::Walk;
use crate::bytes::{Guid, Time};
use crate::check::act::{Act, host_of, share_key};
use crate::check::bench::Place;
use crate::protocol::fsrvp::Response;
use crate::rpc::ChannelId;

/// Answers to `IsPathSupported` kept of one client.
const MAX_PATHS: usize = 512;
/// Ids of failed Starts kept of one client, and calls that did not touch the timer.
const MAX_FEW: usize = 64;

/// What a client has asked and was answered.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// Whether all its requests since the server was idle have been seen.
    pub(super) whole: bool,
    /// Whether some of its calls are encrypted together with what carries them.
    pub(super) blind: bool,
    /// What it was told of paths, the oldest first. Added by `IsPathSupported`; the oldest is removed.
    pub(super) paths: VecDeque<Path>,
    /// Whether it was told more than that.
    pub(super) more_paths: bool,
    /// Its first `IsPathSupported`, and `GetSupportedVersion`.
    pub(super) asked_path: Option<u64>,
    pub(super) asked_version: Option<u64>,
    /// The last answer to `GetSupportedVersion`: the call and `MinVersion`.
    pub(super) version: Option<(u64, u32)>,
    /// The last `SetContext`, if it failed.
    pub(super) context_failed: Option<(u64, u32)>,
    /// Whether it has set the context.
    pub(super) opened: Opened,
    /// How many `SetContext` came in a row, when the last one was, where, and whether it failed.
    pub(super) row: u32,
    pub(super) set_context: Option<(Time, Place, bool)>,
    /// How often it asked for a set.
    pub(super) starts: u64,
    /// The last Start, if it failed.
    pub(super) start_failed: Option<(u64, u32)>,
    /// Ids in answers of Starts that failed. Added by Start; the oldest is removed.
    pub(super) void: VecDeque<(Guid, u64)>,
    /// Its last Abort of a set with shares.
    pub(super) aborted: Option<(Time, u64)>,
    /// Its last call.
    pub(super) last: Option<Last>,
    /// Calls that did not touch the timer. Added by these; the oldest is removed.
    pub(super) idle: VecDeque<(Time, u64)>,
    /// Which opnums came in this round.
    pub(super) walk: Walk,
    /// When it closed its last pipe.
    pub(super) closed: Option<Time>,
    /// An Abort after which it did nothing so far.
    pub(super) after_abort: Option<(Time, Place, ChannelId)>,
}

/// Whether a client has set the context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Opened {
    /// It cannot be told.
    #[default]
    Unknown,
    /// It has not since the capture began.
    Never,
    /// It ended its sequence by this call.
    Ended(u64),
    /// By this call.
    Yes(u64),
}

/// What `IsPathSupported` said of a share.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) host: Option<String>,
    pub(super) key: String,
    pub(super) call: u64,
    /// The status, and if that is 0 whether the share is supported.
    pub(super) said: Result<bool, u32>,
    /// `OwnerMachineName`
    pub(super) owner: Option<String>,
}

/// A call that is over, or not yet.
#[derive(Debug)]
pub(super) struct Last {
    pub(super) n: u64,
    pub(super) opnum: u16,
    pub(super) asked: Time,
    pub(super) set: Option<Guid>,
    pub(super) copy: Option<Guid>,
    /// Its status, if it failed.
    pub(super) failed: Option<u32>,
}

/// A pipe, or what else carries RPC.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) client: IpAddr,
    /// The server as the client calls it, in lower case.
    pub(super) host: Option<String>,
    /// Whether all its calls have been seen.
    pub(super) fresh: bool,
    /// How many calls it carried.
    pub(super) calls: u64,
    /// The `IsPathSupported` it carried, while nothing else followed.
    pub(super) path: Option<u64>,
    /// Whether it carried a `GetSupportedVersion`.
    pub(super) version: bool,
    /// Whether it was said that it does not lead to the owner.
    pub(super) told_owner: bool,
    /// The Abort of a Recovered set that was its last call.
    pub(super) last_abort: Option<Place>,
}

impl Pipe {
    pub(super) fn new(client: IpAddr) -> Self {
        Self {
            client,
            host: None,
            fresh: false,
            calls: 0,
            path: None,
            version: false,
            told_owner: false,
            last_abort: None,
        }
    }
}

impl Client {
    /// An answer that can be read.
    pub(super) fn answered(&mut self, act: &Act, status: u32) {
        let done = act.answered.unwrap_or(act.asked);
        let failed = (status != 0).then_some((act.n, status));
        if let Some(last) = self.last.as_mut().filter(|last| last.n == act.n) {
            last.failed = (status != 0).then_some(status);
        }
        if matches!(act.opnum, 0 | 8 | 9) || failed.is_some() {
            push(&mut self.idle, MAX_FEW, (done, act.n));
        }
        match (act.opnum, &act.response) {
            (0, Some(Response::GetSupportedVersion(of))) if status == 0 => {
                self.version = Some((act.n, of.min_version.0));
            }
            (0, _) => self.version = None,
            (1, _) => {
                self.context_failed = failed;
                if let Some((_, _, refused)) = &mut self.set_context {
                    *refused = failed.is_some();
                }
                if failed.is_none() {
                    self.opened = Opened::Yes(act.n);
                }
            }
            (2, _) => {
                self.start_failed = failed;
                if let Some(id) = act.started().filter(|id| failed.is_some() && !id.is_nil()) {
                    push(&mut self.void, MAX_FEW, (id, act.n));
                }
            }
            (6 | 7, _) if failed.is_none() => self.opened = Opened::Ended(act.n),
            (8, response) => {
                let said = match response {
                    Some(Response::IsPathSupported(of)) if status == 0 => {
                        Ok((of.supported_by_this_provider.0 != 0, of.owner_machine_name.clone()))
                    }
                    _ if status == 0 => {
                        self.more_paths = true;
                        return;
                    }
                    _ => Err(status),
                };
                let Some(share) = act.share() else {
                    self.more_paths = true;
                    return;
                };
                self.more_paths |= self.paths.len() >= MAX_PATHS;
                let path = Path {
                    host: host_of(share),
                    key: share_key(share),
                    call: act.n,
                    owner: said.as_ref().ok().and_then(|(_, owner)| owner.clone()),
                    said: said.map(|(supported, _)| supported),
                };
                push(&mut self.paths, MAX_PATHS, path);
            }
            _ => {}
        }
    }

    /// Calls may have been missed: what failed may have succeeded since.
    pub(super) fn doubt(&mut self) {
        self.whole = false;
        self.more_paths = true;
        self.version = None;
        self.context_failed = None;
        if !matches!(self.opened, Opened::Yes(_)) {
            self.opened = Opened::Unknown;
        }
        self.row = 0;
        self.set_context = None;
        self.start_failed = None;
        self.last = None;
        self.walk = Walk::default();
        self.closed = None;
        self.after_abort = None;
    }
}

/// Adds one, and removes the oldest if there are too many.
fn push<T>(few: &mut VecDeque<T>, most: usize, one: T) {
    if few.len() >= most {
        few.pop_front();
    }
    few.push_back(one);
}
