//! [`Symptom`]: something that went wrong, as it showed on the wire.

use std::net::IpAddr;
use std::sync::Arc;

use super::circumstance::{Circumstance, Circumstances};
use super::owners::Told;
use crate::bytes::{FrameNo, Guid, Time};
use crate::check::{say, scmp};
use crate::pipeline::ErrorCode;
use crate::protocol::fsrvp;
use crate::rpc::names::{FAULTS, PROVIDER_REASONS, REJECT_REASONS, RESULTS, named};
use crate::smb::Status;

worded! {
    /// How far a client had come when something went wrong, in the order in which clients come by.
    enum Stage;
    /// The name of a server is unknown.
    Name = "name",
    /// A server could not be reached.
    Connect = "connect",
    /// A Kerberos ticket was not given, or not taken.
    Ticket = "ticket",
    /// A user was not logged on.
    Logon = "logon",
    /// A share was not connected: `IPC$`, or that of a shadow copy.
    Share = "share",
    /// The pipe was not opened.
    Pipe = "pipe",
    /// The interface was not bound.
    Bind = "bind",
    /// The open pipe gave or took nothing any more, or the server ended it while something was asked.
    Hangup = "hangup",
    /// A call was answered with a failure or a fault.
    Call = "call",
    /// A call did what it is for, and something about it is worth telling.
    Done = "done",
    /// A call, or a bind, was not answered.
    Silence = "silence",
    /// Nothing was refused; the client did not go on.
    Stop = "stop",
    /// A write to the share of a shadow copy failed.
    Write = "write",
}

worded! {
    /// The protocol that something went wrong with.
    enum Protocol;
    /// \[MS-FSRVP\]
    Fsrvp = "fsrvp",
    /// \[MS-SCMP\], and the object calls that lead to it.
    Scmp = "scmp",
}

impl Protocol {
    /// Its methods, with the numbers that stand for them in a symptom.
    pub fn methods(self) -> &'static [(u16, &'static str)] {
        match self {
            Self::Fsrvp => fsrvp::OPERATIONS,
            Self::Scmp => &scmp::METHODS,
        }
    }
}

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// Nothing.
    None,
    /// An error of Kerberos (RFC 4120 7.5.9).
    Ticket(i32),
    /// An NTSTATUS of SMB.
    Nt(u32),
    /// What a method returned.
    Return(u32),
    /// A fault of the RPC runtime.
    Fault(u32),
    /// Result and reason of a presentation context (\[C706\] 12.6.3.1).
    Refused(u16, u16),
    /// Reason of a `bind_nak` (\[C706\] 12.6.4.5).
    Nak(u16),
}

/// What the sentences of a cause can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The account.
    User,
    /// The client's name or address.
    Client,
    /// The server's name or address.
    Server,
    /// The share.
    Share,
    /// The call, as `call 7`.
    Call,
    /// The method.
    Method,
    /// What was said.
    Status,
    /// The shadow copy set, by the beginning of its id.
    Set,
    /// Somebody else who has to do with it: who holds the server.
    Holder,
    /// The server that was named as the owner of the share.
    Owner,
    /// How far that has come.
    Progress,
    /// The host that a share was named on.
    Host,
    /// The context that was asked for.
    Context,
    /// What there was before: the share that is in the set, the set that was started.
    Earlier,
    /// The name of the share of a shadow copy, as the server told it.
    Exposed,
    /// What the server had refused before, in a sentence.
    Refusal,
    /// How long something took, or nothing happened.
    Gap,
    /// How long it could have taken.
    Limit,
    /// How long it takes until it can be tried again.
    Wait,
    /// The volume that shadow copies are of.
    Volume,
    /// The volume that holds their storage.
    Storage,
}

impl Slot {
    /// All of them, the word that stands for each in braces, and what is written where it is not known.
    pub const ALL: [(Self, &'static str, &'static str); 21] = [
        (Self::User, "user", "the backup's account"),
        (Self::Client, "client", "the backup host"),
        (Self::Server, "server", "the file server"),
        (Self::Share, "share", "the share"),
        (Self::Call, "call", "no call"),
        (Self::Method, "method", "a call"),
        (Self::Status, "status", "nothing"),
        (Self::Set, "set", "the shadow copy set"),
        (Self::Holder, "holder", "another client"),
        (Self::Owner, "owner", "another server"),
        (Self::Progress, "progress", "had begun"),
        (Self::Host, "host", "another host"),
        (Self::Context, "context", "the context"),
        (Self::Earlier, "earlier", "another one"),
        (Self::Exposed, "exposed", "another name"),
        (Self::Refusal, "refusal", "a call was refused"),
        (Self::Gap, "gap", "some time"),
        (Self::Limit, "limit", "the limit"),
        (Self::Wait, "wait", "half an hour"),
        (Self::Volume, "volume", "the volume"),
        (Self::Storage, "storage", "the volume for storage"),
    ];
}

impl Slot {
    /// What is written where it is not known, of a conversation of this protocol.
    pub(in crate::check) fn unknown(self, protocol: Protocol) -> &'static str {
        match (protocol, self) {
            (Protocol::Scmp, Self::User) => "the account",
            (Protocol::Scmp, Self::Client) => "the managing computer",
            (Protocol::Scmp, Self::Server) => "the server",
            _ => Self::ALL.iter().find(|(of, ..)| *of == self).map_or("", |(.., words)| words),
        }
    }
}

/// Something that went wrong.
#[derive(Clone, Debug)]
pub(in crate::check) struct Symptom {
    pub(in crate::check) protocol: Protocol,
    pub(in crate::check) stage: Stage,
    pub(in crate::check) code: Code,
    pub(in crate::check) opnum: Option<u16>,
    /// Number of the call, the frame that showed it, and when.
    pub(in crate::check) call: Option<u64>,
    pub(in crate::check) frame: Option<FrameNo>,
    pub(in crate::check) time: Time,
    pub(in crate::check) client: Option<IpAddr>,
    /// The account, where it was told in clear.
    pub(in crate::check) user: Option<String>,
    pub(in crate::check) set: Option<Guid>,
    pub(in crate::check) share: Option<String>,
    /// What was known around it when it showed. What shows later is added when somebody asks.
    pub(in crate::check) circumstances: Circumstances,
    /// What else the sentences may name.
    pub(in crate::check) values: Vec<(Slot, String)>,
    /// Other calls that have to do with it.
    pub(in crate::check) related: Vec<u64>,
    /// What was found at the call: the rules.
    pub(in crate::check) found: Vec<Arc<str>>,
    /// The same in a sentence, for who knows the protocol.
    pub(in crate::check) said: String,
}

/// What failures have in common that are alike: stage, operation, code, client, set and share.
pub(super) type Likeness = (Stage, Option<u16>, Code, Option<IpAddr>, Option<Guid>, Option<String>);

impl Symptom {
    /// What it has in common with those that are like it.
    pub(super) fn likeness(&self) -> Likeness {
        (self.stage, self.opnum, self.code, self.client, self.set, self.share.clone())
    }

    /// Something of which no more is known.
    pub(in crate::check) fn new(stage: Stage, code: Code, time: Time, said: String) -> Self {
        Self {
            protocol: Protocol::Fsrvp,
            stage,
            code,
            opnum: None,
            call: None,
            frame: None,
            time,
            client: None,
            user: None,
            set: None,
            share: None,
            circumstances: Circumstances::default(),
            values: Vec::new(),
            related: Vec::new(),
            found: Vec::new(),
            said,
        }
    }

    /// The method it is about.
    pub(in crate::check) fn method(&self) -> Option<&'static str> {
        let opnum = self.opnum?;
        let known = self.protocol.methods().iter().find(|(n, _)| *n == opnum);
        Some(known.map_or("an unknown operation", |(_, name)| name))
    }

    /// The client had been told that the share is another server's.
    pub(in crate::check) fn send_on(&mut self, told: &Told) {
        self.circumstances.set(Circumstance::Redirected, true);
        self.values.push((Slot::Owner, told.owner.clone()));
        self.related.push(told.call);
        if self.share.is_none() {
            self.share = Some(told.share.clone());
        }
    }
}

impl Code {
    /// What was said, for a person; nothing where nothing was.
    pub(in crate::check) fn text(self) -> Option<String> {
        Some(match self {
            Self::None => return None,
            Self::Ticket(code) => ErrorCode(code).to_string(),
            Self::Nt(status) => Status(status).to_string(),
            Self::Return(status) => {
                let number = format!("0x{status:08x}");
                match say::code(status) {
                    name if name == number => number,
                    name => format!("{name} ({number})"),
                }
            }
            Self::Fault(status) => format!("fault {}", named(FAULTS, status.into())),
            Self::Refused(result, reason) => format!(
                "{}, {}",
                named(RESULTS, result.into()),
                named(PROVIDER_REASONS, reason.into())
            ),
            Self::Nak(reason) => named(REJECT_REASONS, reason.into()),
        })
    }
}
