//! [`Finding`]: one fault, whose it is, and how sure that is.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::bytes::{FrameNo, Guid, Side, Time};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; accuses nobody.
    Note,
    /// A departure from what is recommended, or a fault that may have another reason.
    Warning,
    /// A departure from what is required.
    Error,
}

impl Severity {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Whose doing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blame {
    /// The client's.
    Client,
    /// The server's.
    Server,
    /// What carries the calls.
    Transport,
    /// Either or both.
    Both,
}

impl Blame {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Transport => "transport",
            Self::Both => "both",
        }
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Something that is not in the capture would explain it.
    Possible,
    /// Nothing known explains it.
    Likely,
    /// Nothing can explain it.
    Certain,
}

impl Certainty {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// Another call that has to do with a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Its number.
    pub call: u64,
    /// What it has to do with it.
    pub note: String,
}

/// The octets of a stub that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Whose stub: the client's is the request's.
    pub side: Side,
    /// The parameter, such as `TimeOutInMilliseconds` or `return`.
    pub field: String,
    /// Where in the stub it begins.
    pub at: u32,
    /// The octets, the first of them where there are very many.
    pub octets: Vec<u8>,
    /// What they say.
    pub text: String,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken, such as `FSRVP-3.1.4.5-03`.
    pub rule: Arc<str>,
    /// How much it matters.
    pub severity: Severity,
    /// Whose doing it is.
    pub party: Blame,
    /// How sure it is.
    pub certainty: Certainty,
    /// One sentence with the values in it.
    pub message: String,
    /// Number of the call at which it showed, if it was a call.
    pub call: Option<u64>,
    /// Opnum of that call.
    pub opnum: Option<u16>,
    /// The method it calls, with its interface where that is not FSRVP's.
    pub method: Option<Arc<str>>,
    /// The frames that show it.
    pub frames: Vec<FrameNo>,
    /// When it showed.
    pub time: Time,
    /// Other calls that have to do with it.
    pub related: Vec<Related>,
    /// Other rules that the same fault breaks.
    pub also: Vec<Arc<str>>,
    /// The shadow copy set it is about.
    pub set: Option<Guid>,
    /// The server it happened at; none for what is of the whole capture.
    pub server: Option<IpAddr>,
    /// The client.
    pub client: Option<IpAddr>,
    /// The octets it is about.
    pub spots: Vec<Spot>,
    /// The profile by which it is a known deviation, if it is one.
    pub known: Option<Arc<str>>,
    /// Stable from run to run: no ids, addresses or times in it.
    pub fingerprint: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity.word(), self.rule, self.message)
    }
}
