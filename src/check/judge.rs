//! [`Judge`]: takes what happens, in order, and says what was wrong with it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Catalogue, Finding};
use crate::bytes::{Guid, Time};
use crate::pipeline::Event;
use crate::spelling::nearest;

/// Names of the profiles that are built in.
const PROFILES: [&str; 4] = ["spec", "windows", "windows2012", "samba"];

/// What is judged by.
#[derive(Debug)]
pub struct Knowledge {
    /// The rules.
    pub catalogue: Catalogue,
}

/// Why it could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LoadError(String);

impl Knowledge {
    /// What is built in, with what `dirs` add or replace.
    pub fn load(_dirs: &[PathBuf]) -> Result<Self, LoadError> {
        Ok(Self { catalogue: Catalogue::default() })
    }
}

/// Which profile each server is held against.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The one that the server is recognised by.
    Auto,
    /// This one, for all.
    Named(Arc<str>),
    /// What a file says.
    File(Profiles),
}

/// What a profile file says.
#[derive(Clone, Debug)]
pub struct Profiles;

impl Choice {
    /// A name, or the path of a profile file.
    pub fn parse(text: &str, _knowledge: &Knowledge) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if PROFILES.contains(&text) {
            return Ok(Self::Named(text.into()));
        }
        if std::path::Path::new(text).is_file() {
            return Ok(Self::File(Profiles));
        }
        let near = nearest(text, PROFILES.into_iter().chain(["auto"]));
        let meant = if near.is_empty() { PROFILES.join(", ") } else { near.join(" or ") };
        Err(format!("there is no profile and no file `{text}`: did you mean {meant}?"))
    }
}

/// How to judge.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which profile each server is held against.
    pub choice: Choice,
    /// The capture has all clients of its servers.
    pub all_clients: bool,
    /// The servers had nothing going on when the capture began.
    pub idle_start: bool,
}

/// Holds what happens against the rules.
#[derive(Debug)]
pub struct Judge<'k> {
    _knowledge: &'k Knowledge,
}

impl<'k> Judge<'k> {
    /// A judge who has seen nothing.
    pub fn new(knowledge: &'k Knowledge, _options: Options) -> Self {
        Self { _knowledge: knowledge }
    }

    /// Something happened.
    pub fn event(&mut self, _event: &Event) {}

    /// It is this late.
    pub fn time(&mut self, _now: Time) {}

    /// The capture has ended.
    pub fn finish(&mut self) {}

    /// The findings since the last time, in order.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        Vec::new()
    }

    /// What there is to say of all of it.
    pub fn report(&self) -> Report {
        Report::default()
    }
}

/// What a judge says in the end.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Whether the specification was kept: by the profile in force, and by `spec`.
    pub conformance: Vec<Conformance>,
    /// The servers.
    pub servers: Vec<ServerReport>,
    /// The shadow copy sets.
    pub sets: Vec<SetReport>,
    /// How often each rule was kept and broken.
    pub tallies: Vec<Tally>,
    /// Calls that were judged.
    pub judged_calls: u64,
    /// Calls of which only the opnum could be judged.
    pub sealed_calls: u64,
    /// What could not be seen and what would make it visible, a sentence each.
    pub unreadable: Vec<String>,
    /// How what the clients wanted ended.
    pub operation: Operation,
}

/// Whether both sides kept the specification.
#[derive(Clone, Debug)]
pub struct Conformance {
    /// By which profile.
    pub profile: Arc<str>,
    /// The verdict.
    pub verdict: Verdict,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// Findings that are notes.
    pub notes: u64,
}

/// What is said of conformance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was kept.
    Pass,
    /// It was not.
    Fail,
    /// Too little could be seen.
    Inconclusive,
}

/// A server that was judged.
#[derive(Clone, Debug)]
pub struct ServerReport {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Its name.
    pub name: Option<String>,
    /// The profile it is held against.
    pub profile: Arc<str>,
    /// From what it was recognised, or why it was not.
    pub recognised: String,
    /// Its clients.
    pub clients: Vec<IpAddr>,
    /// Whether these are all.
    pub all_clients: bool,
}

/// A shadow copy set.
#[derive(Clone, Debug)]
pub struct SetReport {
    /// `ShadowCopySetId`
    pub id: Guid,
    /// `ClientShadowCopySetId`
    pub client_id: Option<Guid>,
    /// Its server.
    pub server: IpAddr,
    /// Its client.
    pub client: Option<IpAddr>,
    /// The shares in it.
    pub shares: Vec<String>,
    /// Its context.
    pub context: Option<u32>,
    /// The states it was in: since when, and by which call.
    pub states: Vec<(Time, &'static str, u64)>,
    /// How it ended.
    pub outcome: &'static str,
}

/// How often a rule was kept and broken.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Its id.
    pub rule: Arc<str>,
    /// How often it was kept.
    pub passed: u64,
    /// How often it was broken.
    pub failed: u64,
    /// How often that could not be told.
    pub not_evaluable: u64,
    /// Why not.
    pub why: Option<String>,
}

/// How what the clients wanted ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operation {
    /// They have it.
    Completed,
    /// They do not.
    Failed,
    /// The capture ends before.
    Unfinished,
    /// It cannot be told.
    Unknown,
    /// Nothing was wanted.
    #[default]
    None,
}
