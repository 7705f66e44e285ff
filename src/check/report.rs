//! [`Report`]: what was judged, and what came of it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::bench::Tally;
use super::dock::Dock;
use super::machine::View;
use super::server::Server;
use crate::bytes::{Guid, Time};

/// Whether a conversation kept the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No error was found, and everything could be read.
    Pass,
    /// An error was found.
    Fail,
    /// None was found, and not everything could be read.
    Inconclusive,
}

impl Verdict {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What became of what the client wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operation {
    /// It got it.
    Completed,
    /// It did not.
    Failed,
    /// It began and did not end.
    Unfinished,
    /// It cannot be told.
    Unknown,
    /// Nothing was wanted.
    #[default]
    None,
}

/// The verdict by one profile.
#[derive(Clone, Debug)]
pub struct Conformance {
    /// Its name.
    pub profile: Arc<str>,
    /// The verdict.
    pub verdict: Verdict,
    /// Findings of each severity.
    pub errors: u64,
    /// See above.
    pub warnings: u64,
    /// See above.
    pub notes: u64,
}

/// A server that was judged.
#[derive(Clone, Debug)]
pub struct ServerReport {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Its name, if one was told.
    pub name: Option<String>,
    /// The profile in force.
    pub profile: Arc<str>,
    /// By what the server was recognised, or why it was not.
    pub recognised: String,
    /// The clients that called it.
    pub clients: Vec<IpAddr>,
    /// Whether these are said to be all.
    pub all_clients: bool,
}

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
    /// How far it got.
    pub outcome: &'static str,
}

/// What was judged.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The verdict by the profiles in force, and by the specification alone.
    pub conformance: Vec<Conformance>,
    /// The servers.
    pub servers: Vec<ServerReport>,
    /// The sets.
    pub sets: Vec<SetReport>,
    /// How often each rule was looked at, in the order of their ids.
    pub tallies: Vec<Tally>,
    /// Calls judged.
    pub judged_calls: u64,
    /// Those of them of which something could not be read.
    pub sealed_calls: u64,
    /// What could not be seen, and what would make it visible, in sentences.
    pub unreadable: Vec<String>,
    /// What became of what the clients wanted.
    pub operation: Operation,
}

impl Conformance {
    pub(super) fn new(profile: Arc<str>) -> Self {
        Self { profile, verdict: Verdict::Pass, errors: 0, warnings: 0, notes: 0 }
    }

    pub(super) fn add(&mut self, server: &Server<'_>, dock: &Dock<'_>) {
        let [notes, warnings, errors] = server.bench.counts();
        self.errors += errors;
        self.warnings += warnings;
        self.notes += notes;
        self.verdict = match (self.verdict, dock.verdict(errors)) {
            (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
            (Verdict::Pass, verdict) => verdict,
            (Verdict::Inconclusive, _) => Verdict::Inconclusive,
        };
    }
}

impl Report {
    pub(super) fn add_sets(&mut self, server: &Server<'_>, dock: &Dock<'_>) {
        let Some(ip) = dock.addresses.first() else { return };
        for set in server.tracker.sets.iter() {
            let last = set.way.last().map(|(_, view, _)| *view);
            self.sets.push(SetReport {
                id: set.id,
                client_id: set.client_id,
                server: *ip,
                client: set.client,
                shares: set.copies.iter().map(|copy| copy.share.clone()).collect(),
                context: set.context,
                states: set
                    .way
                    .iter()
                    .map(|(time, view, call)| (*time, view.word(), *call))
                    .collect(),
                outcome: match last {
                    Some(View::Recovered) => "completed",
                    Some(View::Gone) if set.recovered.is_some() => "deleted",
                    Some(View::Gone) => "gone",
                    Some(_) => "unfinished",
                    None => "unknown",
                },
            });
        }
    }

    pub(super) fn add_tallies(&mut self, tallies: &BTreeMap<Arc<str>, Tally>) {
        for (rule, tally) in tallies {
            let at = self.tallies.binary_search_by(|known| known.rule.cmp(rule));
            let at = at.unwrap_or_else(|at| {
                self.tallies.insert(at, Tally::new(rule.clone()));
                at
            });
            let Some(sum) = self.tallies.get_mut(at) else { continue };
            sum.passed += tally.passed;
            sum.failed += tally.failed;
            sum.not_evaluable += tally.not_evaluable;
            if tally.why.is_some() {
                sum.why.clone_from(&tally.why);
            }
        }
    }

    pub(super) fn add_unreadable(&mut self, dock: &Dock<'_>) {
        let Some(ip) = dock.addresses.first() else { return };
        if dock.sealed > 0 {
            self.unreadable.push(format!(
                "{} of {} calls to {ip} cannot be read in full: what is sealed can be opened with the \
                 keys of the session",
                dock.sealed, dock.calls
            ));
        }
        if dock.lost > 0 {
            self.unreadable.push(format!(
                "packets of {ip} are missing {} times: calls may be missing, and the server may \
                 have been in any state after each",
                dock.lost
            ));
        }
    }

    /// What became of all.
    pub(super) fn finish(&mut self) {
        self.operation = match (self.judged_calls, self.sets.as_slice()) {
            (0, _) => Operation::None,
            (_, []) => Operation::Unknown,
            (_, sets) if sets.iter().any(|set| set.outcome == "unknown") => Operation::Unknown,
            (_, sets) if sets.iter().any(|set| set.outcome == "gone") => Operation::Failed,
            (_, sets) if sets.iter().any(|set| set.outcome == "unfinished") => {
                Operation::Unfinished
            }
            _ => Operation::Completed,
        };
    }
}
