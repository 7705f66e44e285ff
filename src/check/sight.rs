//! [`Sight`]: how much of what happened at a server could be read.

use std::ops::AddAssign;

use crate::call::{Call, Outcome, Readable};
use crate::pipeline::What;

/// What was read of a server, and what could not be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sight {
    /// Calls.
    pub(super) calls: u64,
    /// Those of them that are sealed.
    pub(super) sealed: u64,
    /// Those that are cut off.
    pub(super) cut: u64,
    /// Those of which a part is not in the capture, or the answer.
    pub(super) partial: u64,
    /// Gaps in what was captured.
    pub(super) lost: u64,
    /// Connections on which SMB is encrypted.
    pub(super) encrypted: u64,
}

impl Sight {
    /// A call is over.
    pub(super) fn call(&mut self, call: &Call) {
        let is = |readable| [call.request.readable, call.response.readable].contains(&readable);
        self.calls += 1;
        let missing = matches!(call.outcome, Outcome::NoRequest | Outcome::NoResponse);
        let which = match () {
            () if is(Readable::Sealed) => &mut self.sealed,
            () if is(Readable::Truncated) => &mut self.cut,
            () if is(Readable::Lost) || missing => &mut self.partial,
            () => return,
        };
        *which += 1;
    }

    /// Something beside the calls.
    pub(super) fn around(&mut self, what: &What) {
        self.lost += u64::from(matches!(what, What::Lost));
        self.encrypted += u64::from(matches!(what, What::Sealed));
    }

    /// Calls that were read in full.
    pub(super) fn read(&self) -> u64 {
        self.calls.saturating_sub(self.sealed + self.cut + self.partial)
    }

    /// Whether everything could be read.
    pub(super) fn is_full(&self) -> bool {
        self.read() == self.calls && self.lost == 0 && self.encrypted == 0
    }

    /// What could not be read, and what would show it, in sentences; `of` says whose it is, as in
    /// ` to 10.0.0.1`.
    pub(super) fn sentences(&self, of: &str) -> Vec<String> {
        let Self { calls, sealed, cut, partial, lost, encrypted } = *self;
        let mut told = Vec::new();
        let mut calls_are = |n: u64, what: &str| {
            let (are, which) =
                (if n == 1 { "is" } else { "are" }, if calls == 1 { "call" } else { "calls" });
            if n > 0 {
                told.push(format!("{n} of {calls} {which}{of} {are} {what}"));
            }
        };
        calls_are(
            sealed,
            "sealed: of these only the operation is seen; calls that are signed and not sealed \
             would show the rest",
        );
        calls_are(cut, "cut off: a capture of whole packets (-s 0) would show the rest");
        calls_are(
            partial,
            "not all in the capture: one that begins before, ends after, and drops no packet would \
             show the rest",
        );
        if lost > 0 {
            let times = if lost == 1 { "once".to_owned() } else { format!("{lost} times") };
            let on = if of.is_empty() { "" } else { " on connections" };
            told.push(format!(
                "packets{on}{of} are missing {times}, and calls with them perhaps: a larger buffer \
                 (-B), whole packets (-s 0), both directions or an earlier start would show them"
            ));
        }
        if encrypted > 0 {
            let connections = if encrypted == 1 { "connection" } else { "connections" };
            told.push(format!(
                "{encrypted} {connections}{of} carried encrypted SMB, and calls perhaps: a capture \
                 without SMB encryption would show them"
            ));
        }
        told
    }
}

impl AddAssign for Sight {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.sealed += other.sealed;
        self.cut += other.cut;
        self.partial += other.partial;
        self.lost += other.lost;
        self.encrypted += other.encrypted;
    }
}
