//! [`Step`]: what happens, one thing after the other, every word understood.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use super::object::Object;
use super::settings::Settings;
use super::syntax::Lost;
use super::wire::rpc::{SyntaxId, Verdict};
use crate::bytes::{Both, Guid, Side, Time};
use crate::idl::Types;
use crate::ndr::{Arguments, Value};
use crate::protocol::Interface;

/// A client or a server.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) name: String,
    /// Where it says itself what its address is.
    pub(super) address: Option<IpAddr>,
}

/// A connection of a client to a server: one of several, and from which address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) client: usize,
    pub(super) server: usize,
    pub(super) number: u8,
    pub(super) from: Option<IpAddr>,
}

/// One step.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A call, or the request of one that is answered later.
    Call(Rc<Call>),
    /// The answer to the oldest call that waits there for one to this opnum.
    Answer(Rc<Call>),
    Event(Rc<Event>),
    /// Nobody says anything for so many nanoseconds.
    Wait(u64),
    /// It gets to be this time.
    At(Time),
    /// What was sent before is not in the capture.
    CaptureFromHere,
    /// A server starts anew: its connections are gone.
    Restart(usize),
}

/// Something other than a call.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) line: Line,
    pub(super) settings: Rc<Settings>,
    pub(super) kind: EventKind,
    /// The NTSTATUS it is refused with, where it is.
    pub(super) refused: Option<u32>,
}

#[derive(Clone, Debug)]
pub(super) enum EventKind {
    Connect,
    /// TCP comes to nothing, to the usual port or to this one.
    Vain(Vain, Option<u16>),
    Logon(Logon),
    /// The address of a name is asked for.
    Name(Lookup),
    /// A ticket for a service is asked for and not given.
    Ticket(Ticket),
    /// DFS is asked where this path leads.
    Referral(String),
    /// `TREE_CONNECT` to this path.
    Tree(String),
    /// CREATE of the pipe.
    Create,
    Bind(SyntaxId, BindAnswer),
    /// A bind to a port of DCOM, or an `alter_context` where a connection is there that may be used.
    Present {
        syntax: SyntaxId,
        answer: BindAnswer,
        port: u16,
        new: bool,
    },
    /// A file of this share is written to.
    Write(String),
    /// CLOSE of the pipes.
    Close,
    Logoff,
    /// FIN.
    Disconnect,
    /// RST of the client.
    Reset,
}

/// Why there is no TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vain {
    /// RST.
    Reset,
    /// A router says by ICMP that it is prohibited.
    Icmp,
    /// Nobody answers.
    Silence,
}

/// How a logon goes, unless it is refused with an NTSTATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logon {
    Usual,
    /// The server takes whoever it is as a guest.
    Guest,
    /// The server refuses the Kerberos ticket with this error.
    Ticket(u8),
}

/// A question for the address of a name.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    pub(super) name: String,
    /// NetBIOS instead of DNS.
    pub(super) netbios: bool,
    /// `RCODE`, or the server whose name it is.
    pub(super) answer: Result<usize, u8>,
}

/// A question for a ticket.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) service: String,
    pub(super) error: u8,
    /// UDP instead of TCP.
    pub(super) udp: bool,
}

/// How a bind is answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum BindAnswer {
    Ack(Verdict),
    /// Not at all.
    Nothing,
    /// The pipe fails with this NTSTATUS.
    Pipe(u32),
    /// `bind_nak` with this reason.
    Nak(u16),
    Fault(u32),
}

/// A call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) line: Line,
    pub(super) settings: Rc<Settings>,
    pub(super) interface: Arc<Interface>,
    pub(super) opnum: u16,
    pub(super) request: Stub,
    pub(super) answer: Option<Answer>,
    /// Nanoseconds from request to answer.
    pub(super) delay: Option<u64>,
    /// Stubs are not readable.
    pub(super) sealed: bool,
    /// Whose message is changed on its way.
    pub(super) tampered: Option<Side>,
    pub(super) lost: Vec<Lost>,
    /// How it travels, where it belongs to DCOM.
    pub(super) dcom: Option<Rc<Dcom>>,
}

/// How a call of DCOM travels.
#[derive(Clone, Debug)]
pub(super) struct Dcom {
    /// Port of the server, unless a pipe carries it.
    pub(super) port: u16,
    /// The object UUID of its requests.
    pub(super) uuid: Option<Guid>,
    /// The interface of its presentation context.
    pub(super) context: SyntaxId,
    /// `ORPCTHIS` and `ORPCTHAT`, of object calls.
    pub(super) heads: Both<Option<Value>>,
    /// Where the types of the two are.
    pub(super) types: Arc<Types>,
    /// Level of its security trailers, where it is not that of the association.
    pub(super) level: Option<u8>,
    /// Discriminants of elements of the answer, by number, that are not those of their arms.
    pub(super) discriminants: Vec<(usize, u32)>,
    /// Octets behind the stub of the request.
    pub(super) extra: Vec<u8>,
    /// The object that is called.
    pub(super) called: Option<Rc<Object>>,
}

/// What a stub has.
#[derive(Clone, Debug)]
pub(super) enum Stub {
    Arguments(Arguments),
    Octets(Vec<u8>),
}

/// How a call is answered.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Response(Stub),
    Fault(u32),
    /// The pipe fails with this NTSTATUS.
    Pipe(u32),
}

impl Call {
    /// The object UUID of its requests.
    pub(super) fn object(&self) -> Option<Guid> {
        let said = self.settings.object.then_some(self.interface.uuid);
        self.dcom.as_ref().map_or(said, |dcom| dcom.uuid)
    }

    /// The interface that is bound for it.
    pub(super) fn context(&self) -> SyntaxId {
        let (major, minor) = self.settings.version.unwrap_or(self.interface.version);
        let of = SyntaxId(self.interface.uuid, major, minor);
        self.dcom.as_ref().map_or(of, |dcom| dcom.context)
    }
}
