//! [`SetReport`]: a shadow copy set, and what was asked of it.

use std::net::IpAddr;

use super::diary::Entry;
use super::dock::Dock;
use super::machine::View;
use super::report::Operation;
use super::say;
use super::server::Server;
use super::stand::Standing;
use super::tracker::{SECOND, Tracker};
use super::world::SetNo;
use crate::bytes::{Guid, Time};

/// A shadow copy set.
#[derive(Clone, Debug)]
pub struct SetReport {
    /// Its id.
    pub id: Guid,
    /// The client's id of it.
    pub client_id: Option<Guid>,
    /// Its server.
    pub server: IpAddr,
    /// Who started it.
    pub client: Option<IpAddr>,
    /// Its shares, as they were added.
    pub shares: Vec<String>,
    /// The context it was started under.
    pub context: Option<u32>,
    /// When it became what, by which call.
    pub states: Vec<(Time, &'static str, u64)>,
    /// What was asked of it, in the order of the requests: from the `SetContext` that it was begun
    /// with, with what failed.
    pub steps: Vec<SetStep>,
    /// The server's timer as the last call left it running, if that is known.
    pub timer: Option<SetTimer>,
    /// What became of it.
    pub outcome: Operation,
}

/// A call about a shadow copy set.
#[derive(Clone, Debug)]
pub struct SetStep {
    /// Number of the call.
    pub call: u64,
    /// Its operation, and the name of that.
    pub opnum: u16,
    /// See above.
    pub method: &'static str,
    /// When its request was complete.
    pub asked: Time,
    /// When its answer was, if there is one.
    pub answered: Option<Time>,
    /// What was answered, in a few words: `ok`, the name or number of a status, `fault …`,
    /// `no answer`; or why that is not known: `sealed`, `cut off`, `lost`, `unreadable`.
    pub said: String,
    /// Whether it was refused, failed, or was not answered.
    pub failed: bool,
    /// What the set was then, where that is known.
    pub state: Option<&'static str>,
    /// Seconds that the server's timer then had; none where it was stopped, or is not known.
    pub timer: Option<u64>,
    /// The share that it names.
    pub share: Option<String>,
    /// Who asked.
    pub client: Option<IpAddr>,
    /// How many steps are left out before this one, because there are too many.
    pub left_out: u64,
}

/// The Message Sequence Timer (3.1.2) as a call left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetTimer {
    /// Number of the call.
    pub call: u64,
    /// When that was answered.
    pub since: Time,
    /// How many seconds it had then.
    pub seconds: u64,
    /// Whether these were over when the capture ended.
    pub ran_out: bool,
}

/// What was asked of a set, and how it then stood by the profile in force.
pub(super) fn steps(server: &Server<'_>, dock: &Dock<'_>, set: Guid) -> Vec<SetStep> {
    let step = |(entry, left_out): (&Entry, u64)| {
        let standing = server.standings.of(entry.call);
        SetStep {
            call: entry.call,
            opnum: entry.opnum,
            method: say::method(entry.opnum),
            asked: entry.asked,
            answered: entry.answered,
            said: entry.said(),
            failed: entry.failed(),
            state: standing.and_then(Standing::view).map(View::word),
            timer: standing.and_then(Standing::seconds).map(u64::from),
            share: entry.share.as_deref().map(str::to_owned),
            client: Some(entry.client),
            left_out,
        }
    };
    dock.diary.of(set).into_iter().map(step).collect()
}

/// The timer that runs for a set when the capture ends, or did when it last was heard of.
pub(super) fn timer(tracker: &Tracker<'_>, set: SetNo, now: Time) -> Option<SetTimer> {
    let (call, since, seconds) = match (tracker.running(Some(set)), tracker.expired_by(set)) {
        (Some(armed), _) => (armed.call, armed.since, armed.seconds),
        (None, late) => late.map(|late| (late.call, late.since, late.seconds))?,
    };
    let ran_out = now.since(since) > i64::from(seconds) * SECOND;
    Some(SetTimer { call, since, seconds: seconds.into(), ran_out })
}
