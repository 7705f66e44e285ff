//! [`Expectation`]: what became of something that somebody expects of a capture.

use std::net::IpAddr;
use std::sync::Arc;

use crate::bytes::{FrameNo, Time};
use crate::check::{Blame, Certainty, Finding, Related, Severity};

/// What the ids of expectations begin with. No rule of a specification does.
pub const PREFIX: &str = "EXPECT-";

/// Whether what was expected is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ruling {
    /// It is.
    Met,
    /// It cannot be told.
    Unchecked,
    /// It is not.
    Broken,
}

impl Ruling {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Unchecked => "unchecked",
            Self::Broken => "broken",
        }
    }
}

/// What an expectation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// How what the clients wanted ended.
    Operation,
    /// Calls.
    Call,
    /// The order of calls.
    Order,
    /// Findings.
    Finding,
}

impl About {
    /// Its word in the file, and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Call => "call",
            Self::Order => "order",
            Self::Finding => "finding",
        }
    }
}

/// Something that was expected, and what became of it.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Its name, as it was written or made up.
    pub name: String,
    /// The name in the form of an id, behind [`PREFIX`].
    pub id: Arc<str>,
    /// What it is about.
    pub about: About,
    /// How much it matters.
    pub severity: Severity,
    /// The line of the file on which it begins, 1-based.
    pub line: u32,
    /// Whether it is so.
    pub ruling: Ruling,
    /// Why not, or why that cannot be told; what was seen, where it is so.
    pub why: String,
    /// The keys of it in the file that are broken.
    pub parts: Vec<&'static str>,
    /// The call that shows it, if one does.
    pub call: Option<u64>,
    /// Its opnum.
    pub opnum: Option<u16>,
    /// The name of its method.
    pub method: Option<Arc<str>>,
    /// The frames of that call.
    pub frames: Vec<FrameNo>,
    /// When.
    pub time: Time,
    /// The server.
    pub server: Option<IpAddr>,
    /// The client.
    pub client: Option<IpAddr>,
    /// Other calls that show it.
    pub related: Vec<Related>,
}

impl Expectation {
    /// The finding that a broken one is.
    pub fn finding(&self) -> Option<Finding> {
        (self.ruling == Ruling::Broken).then(|| Finding {
            rule: self.id.clone(),
            severity: self.severity,
            party: Blame::Both,
            certainty: Certainty::Certain,
            message: self.why.clone(),
            call: self.call,
            opnum: self.opnum,
            method: self.method.clone(),
            frames: self.frames.clone(),
            time: self.time,
            related: self.related.clone(),
            also: Vec::new(),
            set: None,
            server: self.server,
            client: self.client,
            spots: Vec::new(),
            known: None,
            fingerprint: self.fingerprint(),
        })
    }

    /// Stable from run to run, and another one where something else of it is broken.
    pub fn fingerprint(&self) -> String {
        let parts = if self.parts.is_empty() { "-".to_owned() } else { self.parts.join("+") };
        format!("{}/{}/{parts}/1", self.id, Blame::Both.word())
    }
}
