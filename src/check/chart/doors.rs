//! [`Doors`]: the pipes of ours that are open, and what waits there for an answer.
//!
//! ```text
//!  opened ──bind──► bound ──calls──►
//!     │               │
//!     └─the server ends it, or the pipe fails─► what waits is not answered: `Hangup`
//! ```

use rustc_hash::FxHashMap;

use super::circumstance::Circumstance;
use super::refusal::Refusal;
use super::symptom::{Code, Stage};
use super::{PATIENCE, SymptomNo};
use crate::bytes::{Side, Time};
use crate::pipeline::{Around, BindAnswer, What};
use crate::protocol::fsrvp;
use crate::rpc::ChannelId;

/// Channels that are followed; beyond it all are forgotten.
const MAX_DOORS: usize = 4096;
/// Nanoseconds that a client waits for an answer at least.
const HASTY: i64 = 10_000_000_000;
/// Calls of one channel that were not answered and are explained by its end.
const MAX_SILENT: usize = 16;

/// A pipe, or a TCP connection with RPC.
#[derive(Debug, Default)]
struct Door {
    /// When it was opened, where that was seen.
    opened: Option<Time>,
    /// Whether something was answered on it.
    bound: bool,
    /// What it failed with.
    failed: Option<u32>,
    /// Whether a bind of ours has no answer.
    waits: bool,
    /// Calls that had no answer. Added by these, no more than [`MAX_SILENT`].
    silent: Vec<SymptomNo>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Doors {
    /// Added when a pipe of ours is opened or used; removed when it ends.
    all: FxHashMap<ChannelId, Door>,
}

/// What the end of a channel shows.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// A bind that has no answer.
    pub(super) refusal: Option<Refusal>,
    /// Calls that have none because the server ended it.
    pub(super) hung_up: Vec<SymptomNo>,
}

impl Doors {
    fn door(&mut self, channel: ChannelId) -> &mut Door {
        if self.all.len() >= MAX_DOORS && !self.all.contains_key(&channel) {
            self.all.clear();
        }
        self.all.entry(channel).or_default()
    }

    /// Something beside the calls.
    pub(super) fn around(&mut self, around: &Around) -> Ended {
        let is_pipe = |name: &str| name.eq_ignore_ascii_case(fsrvp::PIPE);
        match &around.what {
            What::PipeOpened { channel, name: Some(name), .. } if is_pipe(name) => {
                self.door(*channel).opened = Some(around.time);
            }
            What::Bound(bound) if bound.answer == BindAnswer::Accepted => {
                if let Some(door) = self.all.get_mut(&bound.channel) {
                    door.bound = true;
                }
            }
            What::PipeError { channel, name: Some(name), status } if is_pipe(name) => {
                self.door(*channel).failed = Some(status.0);
            }
            What::BindUnanswered { channel, pipe, interfaces, .. } => {
                let ours = interfaces.iter().any(|of| of.uuid == fsrvp::UUID)
                    || interfaces.is_empty() && pipe.as_deref().is_some_and(is_pipe);
                if ours {
                    self.door(*channel).waits = true;
                }
            }
            What::ChannelClosed { channel, by, .. } => {
                let door = self.all.remove(channel);
                return door.map(|door| door.closed(*by, around.time)).unwrap_or_default();
            }
            _ => {}
        }
        Ended::default()
    }

    /// A call was answered there.
    pub(super) fn answered(&mut self, channel: ChannelId) {
        self.door(channel).bound = true;
    }

    /// Whether a channel is one of ours.
    pub(super) fn has(&self, channel: ChannelId) -> bool {
        self.all.contains_key(&channel)
    }

    /// A call will have no answer.
    pub(super) fn silent(&mut self, channel: ChannelId, symptom: SymptomNo) {
        let door = self.door(channel);
        if door.silent.len() < MAX_SILENT {
            door.silent.push(symptom);
        }
    }

    /// What a pipe has failed with.
    pub(super) fn failed(&self, channel: ChannelId) -> Option<u32> {
        self.all.get(&channel)?.failed
    }

    /// Whether nothing was answered on a pipe, since it was opened.
    pub(super) fn is_unbound(&self, channel: ChannelId) -> bool {
        self.all.get(&channel).is_some_and(|door| door.opened.is_some() && !door.bound)
    }
}

impl Door {
    fn closed(self, by: Option<Side>, now: Time) -> Ended {
        let by_server = by == Some(Side::Server);
        let hung_up = if by_server { self.silent } else { Vec::new() };
        let hasty = self.opened.is_some_and(|opened| now.since(opened) < HASTY);
        let long = || self.opened.is_some_and(|opened| now.since(opened) > PATIENCE);
        // What it failed with has been told.
        let waits = self.waits && self.failed.is_none();
        let mut refusal = match by {
            _ if !waits => return Ended { refusal: None, hung_up },
            Some(Side::Server) => {
                let said =
                    "the server ended the pipe, or its connection, and did not answer the bind";
                Refusal::new(Stage::Hangup, Code::None, said.to_owned())
            }
            Some(Side::Client) => {
                let said = "the bind was not answered until the client gave up";
                Refusal::new(Stage::Silence, Code::None, said.to_owned())
            }
            None if long() => {
                let said = "the bind was not answered";
                Refusal::new(Stage::Silence, Code::None, said.to_owned())
            }
            None => return Ended { refusal: None, hung_up },
        };
        refusal.circumstances.set(Circumstance::Unbound, true);
        refusal.circumstances.set(Circumstance::ServerClosed, by_server);
        refusal.circumstances.set(Circumstance::Hasty, hasty && !by_server);
        Ended { refusal: Some(refusal), hung_up }
    }
}
