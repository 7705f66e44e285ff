//! [`Talk`]: a conversation as data, and as text of the scenario language.

use std::fmt::Write as _;

use crate::server::Server;
use crate::table::Before;

/// A GUID by its symbol: a letter and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(pub(crate) char, pub(crate) u32);

impl Id {
    pub(crate) const NIL: Self = Self('-', 0);

    pub(crate) fn text(self) -> String {
        if self == Self::NIL { "nil".to_owned() } else { format!("{}{}", self.0, self.1) }
    }
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Version,
    Context(u32),
    Start(Id),
    Add {
        ccid: Id,
        set: Id,
        share: String,
    },
    Commit {
        set: Id,
        timeout: u32,
    },
    Expose {
        set: Id,
        timeout: u32,
    },
    Recovery(Id),
    Abort(Id),
    Supported(String),
    Copied(String),
    Mapping {
        copy: Id,
        set: Id,
        share: String,
        level: u32,
    },
    Delete {
        set: Id,
        copy: Id,
        share: String,
    },
    Prepare {
        set: Id,
        timeout: u32,
    },
    /// An opnum that the interface does not have, with octets for a stub.
    Beyond(u16),
}

impl Ask {
    pub(crate) fn opnum(&self) -> u16 {
        match self {
            Self::Version => 0,
            Self::Context(_) => 1,
            Self::Start(_) => 2,
            Self::Add { .. } => 3,
            Self::Commit { .. } => 4,
            Self::Expose { .. } => 5,
            Self::Recovery(_) => 6,
            Self::Abort(_) => 7,
            Self::Supported(_) => 8,
            Self::Copied(_) => 9,
            Self::Mapping { .. } => 10,
            Self::Delete { .. } => 11,
            Self::Prepare { .. } => 12,
            Self::Beyond(opnum) => *opnum,
        }
    }

    /// The shadow copy set it is about.
    pub(crate) fn set(&self) -> Option<Id> {
        match self {
            Self::Recovery(set)
            | Self::Abort(set)
            | Self::Add { set, .. }
            | Self::Commit { set, .. }
            | Self::Expose { set, .. }
            | Self::Mapping { set, .. }
            | Self::Delete { set, .. }
            | Self::Prepare { set, .. } => Some(*set),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let opnum = self.opnum();
        let args = match self {
            Self::Version => String::new(),
            Self::Context(context) => format!("ctx={context:#x}"),
            Self::Start(id) => format!("cid={}", id.text()),
            Self::Add { ccid, set, share } => {
                format!("ccid={},{},'{share}'", ccid.text(), set.text())
            }
            Self::Commit { set, timeout }
            | Self::Expose { set, timeout }
            | Self::Prepare { set, timeout } => format!("{},to={timeout}", set.text()),
            Self::Recovery(set) | Self::Abort(set) => set.text(),
            Self::Supported(share) | Self::Copied(share) => format!("'{share}'"),
            Self::Mapping { copy, set, share, level } => {
                format!("{},{},'{share}',L={level}", copy.text(), set.text())
            }
            Self::Delete { set, copy, share } => {
                format!("{},{},'{share}'", set.text(), copy.text())
            }
            Self::Beyond(_) => "stub=8ae31371".to_owned(),
        };
        format!("{opnum}({args})")
    }
}

/// What a share mapping says; what is `None` is said as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) set: Option<Id>,
    pub(crate) copy: Option<Id>,
    pub(crate) unc: Option<String>,
    pub(crate) exposed: Option<String>,
    pub(crate) timestamp: Option<i64>,
}

/// The results of a call beside its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    /// None, or what the scenario language makes of a failure.
    Nothing,
    Versions(u32, u32),
    Id(Id),
    Owner(bool, Option<String>),
    Copied(bool, u32),
    Mapping(Mapping),
    NullName,
    NullMapping,
    Tag(u32),
    /// A fault with the status.
    Fault,
    /// A response of these octets, without a status.
    Octets,
}

/// How a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u32,
    pub(crate) out: Out,
}

impl Reply {
    pub(crate) fn of(status: u32) -> Self {
        Self { status, out: Out::Nothing }
    }

    pub(crate) fn with(out: Out) -> Self {
        Self { status: 0, out }
    }

    fn text(&self) -> String {
        let status = format!("={:#x}", self.status);
        let results = match &self.out {
            Out::Fault => return format!("=fault {:#x}", self.status),
            Out::Octets => return "=stub 00000000".to_owned(),
            Out::Nothing => String::new(),
            Out::Versions(min, max) => format!("{min},{max}"),
            Out::Id(id) => id.text(),
            Out::Owner(supported, owner) => {
                let owner = owner.as_ref().map_or("null".to_owned(), |owner| format!("'{owner}'"));
                format!("{},{owner}", if *supported { "TRUE" } else { "FALSE" })
            }
            Out::Copied(present, compat) => {
                format!("{},{compat:#x}", if *present { "TRUE" } else { "FALSE" })
            }
            Out::Mapping(of) => {
                let members = [
                    of.set.map(|id| format!("set={}", id.text())),
                    of.copy.map(|id| format!("copy={}", id.text())),
                    of.unc.as_ref().map(|unc| format!("unc='{unc}'")),
                    of.exposed.as_ref().map(|name| format!("exposed='{name}'")),
                    of.timestamp.map(|timestamp| format!("ts={timestamp}")),
                ];
                let members: Vec<_> = members.into_iter().flatten().collect();
                if members.is_empty() {
                    String::new()
                } else {
                    format!("{{{}}}", members.join(", "))
                }
            }
            Out::NullName => "{exposed=null}".to_owned(),
            Out::NullMapping => "null".to_owned(),
            Out::Tag(tag) => format!("tag {tag}"),
        };
        if results.is_empty() { status } else { format!("{status}->{results}") }
    }
}

/// A call, and everything the server thought of it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) who: usize,
    pub(crate) line: u32,
    pub(crate) ask: Ask,
    pub(crate) reply: Option<Reply>,
    /// Milliseconds from request to answer.
    pub(crate) takes: u64,
    /// When it is asked, in milliseconds since the beginning.
    pub(crate) at: u64,
    /// The situation in which it was asked.
    pub(crate) before: Before,
    /// The server when it had answered; `None` until then, or where nobody heard the answer.
    pub(crate) after: Option<Box<Server>>,
}

/// What happens, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Milliseconds in which nobody says anything.
    Wait(u64),
    /// The call with this number is asked and answered.
    Call(usize),
    /// The call with this number is asked.
    Ask(usize),
    /// The call with this number is answered.
    Answer(usize),
    /// A client closes its pipes on a line.
    Close(usize, u32),
    /// A client logs off, on all its lines.
    Leave(usize, u32),
    Restart,
}

/// A client as the conversation names it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) name: char,
    pub(crate) address: String,
    /// Settings of its own.
    pub(crate) settings: Vec<String>,
    /// Whether its stubs are sealed.
    pub(crate) sealed: bool,
}

/// A conversation.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub(crate) settings: Vec<String>,
    pub(crate) clients: Vec<Client>,
    pub(crate) calls: Vec<Call>,
    pub(crate) steps: Vec<Step>,
    pub(crate) restarted: bool,
}

impl Talk {
    /// Calls of the conversation in the order in which they are asked.
    pub(crate) fn asked(&self) -> Vec<usize> {
        let of = |step: &Step| match step {
            Step::Call(n) | Step::Ask(n) => Some(*n),
            _ => None,
        };
        self.steps.iter().filter_map(of).collect()
    }

    /// Leaves out what happens behind a step.
    pub(crate) fn cut_behind(&mut self, step: usize) {
        self.steps.truncate(step + 1);
    }

    /// The text of the scenario.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from("server FS\n");
        for setting in &self.settings {
            let _ = writeln!(text, "{setting}");
        }
        for client in &self.clients {
            let _ = writeln!(text, "client {} address {}", client.name, client.address);
            for setting in &client.settings {
                let _ = writeln!(text, "{} {setting}", client.name);
            }
        }
        for step in &self.steps {
            let _ = writeln!(text, "{}", self.line(step));
        }
        text
    }

    fn name(&self, who: usize, line: u32) -> String {
        format!("{}#{line}", self.clients[who].name)
    }

    fn line(&self, step: &Step) -> String {
        match step {
            Step::Wait(ms) => format!("wait {ms} ms"),
            Step::Call(n) => {
                let call = &self.calls[*n];
                let reply = call.reply.as_ref().expect("such a call has a reply");
                let takes = if call.takes > 0 {
                    format!(" after {} ms ", call.takes)
                } else {
                    String::new()
                };
                let name = self.name(call.who, call.line);
                format!("{name}:{}{takes}{}", call.ask.text(), reply.text())
            }
            Step::Ask(n) => {
                let call = &self.calls[*n];
                format!("{}:{} unanswered", self.name(call.who, call.line), call.ask.text())
            }
            Step::Answer(n) => {
                let call = &self.calls[*n];
                let reply = call.reply.as_ref().expect("such a call has a reply");
                let name = self.name(call.who, call.line);
                format!("{name}:{}{}", call.ask.opnum(), reply.text())
            }
            Step::Close(who, line) => format!("{} close", self.name(*who, *line)),
            Step::Leave(who, line) => format!("{} disconnect", self.name(*who, *line)),
            Step::Restart => "server restart".to_owned(),
        }
    }
}
