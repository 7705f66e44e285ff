//! What is remembered of a request until it is answered.

use super::super::model::Logon;
use super::super::{FileId, PipeId};
use super::Command;

/// `PID` and `MID`, which an answer shares with its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) struct RequestId {
    pub(super) pid: u32,
    pub(super) mid: u16,
}

/// A request without its answer.
#[derive(Debug)]
pub(in super::super) struct Pending {
    pub(super) command: Command,
    pub(super) uid: u16,
    pub(super) tid: u16,
    /// What each of its commands asks; no more than a message has.
    pub(super) asked: Vec<Asked>,
}

#[derive(Debug)]
pub(super) enum Asked {
    /// Nothing whose answer matters.
    Nothing,
    SessionSetup(Logon),
    TreeConnect {
        path: String,
    },
    Open {
        name: String,
    },
    Close(Target),
    /// To read or write.
    Data(Target),
    Transaction(Progress),
}

/// The file a command means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Known(FileId),
    /// The one that a command before it in the same message opens.
    Opened,
}

/// How far a transaction on a pipe has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    pub(super) file: Option<FileId>,
    /// The pipe; `None` if it is not known to be one.
    pub(super) pipe: Option<PipeId>,
    /// Bytes of the request that were seen.
    pub(super) sent: u32,
    /// Whether the client's data go through the pipe.
    pub(super) writes: bool,
    /// Whether the server's data come from the pipe.
    pub(super) reads: bool,
    /// Whether the pipe is opened and closed with it.
    pub(super) whole: bool,
    /// Bytes of the answer that were seen.
    pub(super) got: u32,
}

impl Pending {
    /// Whether a response with the same numbers is the answer, and not that to a request which was
    /// not seen. The answer to who logs on or connects a share has the new `UID` or `TID`.
    pub(super) fn is_answered_by(&self, command: Command, uid: u16, tid: u16) -> bool {
        let logs_on = command == Command::SESSION_SETUP_ANDX;
        let connects = command == Command::TREE_CONNECT_ANDX;
        command == self.command
            && (logs_on || uid == self.uid)
            && (logs_on || connects || tid == self.tid)
    }

    /// The transaction it is, if it is one; no command follows one.
    pub(super) fn transaction(&mut self) -> Option<&mut Progress> {
        match self.asked.last_mut() {
            Some(Asked::Transaction(progress)) => Some(progress),
            _ => None,
        }
    }
}
