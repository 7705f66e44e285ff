//! [`Call`]: what everybody above the layers speaks of.
//!
//! Takes a joined RPC call and what is known of its carrier, decodes its stubs as far as they can
//! be read, and says how it went. It knows nothing of rules, of other calls, or of how it is shown.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::bytes::{Buffer, FrameNo, Span, Stop, Time, View};
use crate::dcom;
use crate::idl::{Format, NamesKind, Syntax};
use crate::ndr::tower::Tower;
use crate::ndr::{Context, Data, Decoded, Direction, Note, Number, Value};
use crate::protocol::{Grade, Interface, Registry};
use crate::rpc::{self, Ending, Message, StubState, Transfer, trailer};

/// A remote procedure call as it was seen, decoded.
#[derive(Clone, Debug)]
pub struct Call {
    /// The call on the wire: numbers, frames, stubs, protection.
    pub rpc: rpc::Call,
    /// When the request was complete, or else the response.
    pub time: Time,
    /// Nanoseconds from the complete request to the complete answer.
    pub elapsed: Option<i64>,
    /// Who asked.
    pub client: Party,
    /// Who answered.
    pub server: Party,
    /// What carried it.
    pub transport: Transport,
    /// What is known of its interface.
    pub interface: Option<Arc<Interface>>,
    /// The request's stub.
    pub request: Stub,
    /// The response's stub.
    pub response: Stub,
    /// What the method returned.
    pub status: Option<u32>,
    /// How it went.
    pub outcome: Outcome,
    /// Frames beside its own that it takes to read it again, where somebody asked for them.
    pub setup: Vec<FrameNo>,
    /// Frames with what NTLM had sealed on its channel by the time it was complete, where somebody asked
    /// for them and it was opened: as RC4 goes on from message to message, it takes them, too.
    pub keystream: Option<Arc<Vec<FrameNo>>>,
}

/// One side of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Address and port.
    pub addr: SocketAddr,
    /// A name for the machine, where the capture tells one.
    pub name: Option<String>,
}

/// What carried a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// `ncacn_np`
    NamedPipe(Box<PipeUse>),
    /// `ncacn_ip_tcp`
    Tcp,
}

/// The pipe of a call and the SMB session it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PipeUse {
    /// Name of the pipe, where its CREATE was seen.
    pub name: Option<String>,
    /// Negotiated dialect, such as `3.1.1`; `1` is SMB 1.
    pub dialect: Option<String>,
    /// `SessionId`; `UID` of SMB 1.
    pub session_id: u64,
    /// `TreeId`; `TID` of SMB 1.
    pub tree_id: Option<u32>,
    /// `FileId`, as a GUID is written; `FID` of SMB 1, as `0x4001`.
    pub file_id: Option<String>,
    /// Whether the messages were encrypted.
    pub encrypted: bool,
    /// Whether the messages were signed.
    pub signed: bool,
    /// Who is logged on: `DOMAIN\user`.
    pub user: Option<String>,
}

/// Who carried a call, as the layers below know it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Carrier {
    /// What carried it.
    pub transport: Transport,
    /// Name of the client's machine.
    pub client_name: Option<String>,
    /// Name of the server.
    pub server_name: Option<String>,
}

/// How much of a stub could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Readable {
    /// All of it is there and in clear.
    Clear,
    /// The same: it was encrypted, was opened with a key and proved by its checksum.
    Unsealed,
    /// It is encrypted.
    Sealed,
    /// The snap length, or a cap of ours, cut it.
    Truncated,
    /// Part of it is not in the capture.
    Lost,
    /// It does not follow its own lengths, or the interface.
    Malformed,
    /// There is no such message, or it has no stub.
    Absent,
}

impl Readable {
    /// Whether all of it is there and can be read, whether or not it had to be opened.
    pub fn is_clear(self) -> bool {
        matches!(self, Self::Clear | Self::Unsealed)
    }

    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Unsealed => "unsealed",
            Self::Sealed => "sealed",
            Self::Truncated => "truncated",
            Self::Lost => "lost",
            Self::Malformed => "malformed",
            Self::Absent => "absent",
        }
    }
}

/// The stub of one direction.
#[derive(Clone, Debug)]
pub struct Stub {
    /// How much of it could be read.
    pub readable: Readable,
    /// Octets of it.
    pub bytes: u32,
    /// What comes before the parameters of an object call: `ORPCTHIS` or `ORPCTHAT`.
    pub orpc: Option<Decoded>,
    /// Its values, as far as they could be read; `None` if nobody knows how.
    pub decoded: Option<Decoded>,
    /// Where a verification trailer is.
    pub trailer: Option<Span>,
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The method returned success.
    Ok,
    /// The method returned an error.
    Failed,
    /// The RPC runtime of the server refused.
    Fault,
    /// No answer is in the capture.
    NoResponse,
    /// The answer is there but not what was asked.
    NoRequest,
    /// It was answered, and what it says cannot be read.
    Unknown,
}

impl Outcome {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Fault => "fault",
            Self::NoResponse => "no_response",
            Self::NoRequest => "no_request",
            Self::Unknown => "unknown",
        }
    }
}

impl Call {
    /// Decodes a call.
    pub fn new(rpc: rpc::Call, carrier: Carrier, registry: &Registry) -> Self {
        let interface =
            rpc.interface.and_then(|syntax| registry.interface(syntax.uuid, syntax.major)).cloned();
        let of = interface.as_deref();
        let request = Stub::of(&rpc, rpc.request.as_ref(), Direction::In, of, registry);
        let response = match rpc.ending {
            Ending::Fault(_) => Stub::absent(),
            _ => Stub::of(&rpc, rpc.response.as_ref(), Direction::Out, of, registry),
        };
        let asked = rpc.request.as_ref().filter(|message| message.complete);
        let answered = rpc.response.as_ref().filter(|message| message.complete);
        let elapsed = asked.zip(answered).map(|(a, b)| b.time.since(a.time));
        let first = rpc.request.as_ref().or(rpc.response.as_ref());
        let time = first.map(|message| message.time).unwrap_or_default();
        let status = response.status();
        let outcome = outcome(&rpc, interface.as_deref(), status);
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        let (client, server) = first.map_or((unspecified, unspecified), |message| {
            (message.ends.client, message.ends.server)
        });
        Self {
            time,
            elapsed,
            client: Party { addr: client, name: carrier.client_name },
            server: Party { addr: server, name: carrier.server_name },
            transport: carrier.transport,
            interface,
            request,
            response,
            status,
            outcome,
            setup: Vec::new(),
            keystream: None,
            rpc,
        }
    }

    /// Name of the method, where the interface is known.
    pub fn method(&self) -> Option<&str> {
        let operation = self.interface.as_deref()?.operation(self.rpc.opnum?)?;
        Some(&operation.name)
    }

    /// Name of the interface, where it is known.
    pub fn interface_name(&self) -> Option<&str> {
        self.interface.as_deref().map(|interface| &*interface.name)
    }

    /// How well its interface is known; `None` if not even its name is.
    pub fn grade(&self) -> Option<Grade> {
        self.interface.as_deref().map(|interface| interface.grade)
    }

    /// The fault status, if the call ended in one.
    pub fn fault(&self) -> Option<u32> {
        match self.rpc.ending {
            Ending::Fault(status) => Some(status),
            _ => None,
        }
    }

    /// Whether SMB had encrypted a side of it, which was opened. A share may ask for encryption and
    /// yet be spoken to in clear: what tells is that the PDUs are no bytes of any frame.
    pub fn was_encrypted(&self, side: &Message) -> bool {
        let whole = side.pdus.first().unwrap_or(&side.stub).view();
        let mut pieces = whole.pieces();
        self.pipe().is_some_and(|pipe| pipe.encrypted) && pieces.all(|piece| piece.made)
    }

    /// The pipe and session, if a pipe carried it.
    pub fn pipe(&self) -> Option<&PipeUse> {
        match &self.transport {
            Transport::NamedPipe(pipe) => Some(pipe),
            Transport::Tcp => None,
        }
    }
}

fn outcome(rpc: &rpc::Call, interface: Option<&Interface>, status: Option<u32>) -> Outcome {
    match (rpc.ending, status) {
        (Ending::Fault(_), _) => Outcome::Fault,
        (Ending::NoAnswer, _) if rpc.request.is_some() => Outcome::NoResponse,
        _ if rpc.request.is_none() => Outcome::NoRequest,
        (_, None) => Outcome::Unknown,
        (_, Some(status)) => {
            let known = interface.zip(rpc.opnum);
            let success = known.is_some_and(|(interface, n)| interface.succeeded(n, status));
            if success { Outcome::Ok } else { Outcome::Failed }
        }
    }
}

impl Stub {
    fn absent() -> Self {
        Self { readable: Readable::Absent, bytes: 0, orpc: None, decoded: None, trailer: None }
    }

    fn of(
        rpc: &rpc::Call,
        message: Option<&Message>,
        direction: Direction,
        interface: Option<&Interface>,
        registry: &Registry,
    ) -> Self {
        let Some(message) = message else { return Self::absent() };
        let state = message.stub_state();
        let mut stub = Self {
            readable: match state {
                StubState::Clear => Readable::Clear,
                StubState::Unsealed => Readable::Unsealed,
                StubState::Sealed => Readable::Sealed,
                StubState::Truncated => Readable::Truncated,
                StubState::Lost => Readable::Lost,
            },
            bytes: message.stub.len(),
            ..Self::absent()
        };
        if state == StubState::Sealed || !message.from_start {
            return stub;
        }
        if direction == Direction::In {
            let at = trailer::find(message.stub.view(), message.order);
            stub.trailer = at.map(|at| Span::new(at, message.stub.len()));
        }
        let nothing = message.stub.view().hole_in(Span::new(0, 1)).is_some();
        let Some((transfer, opnum)) = rpc.transfer.zip(rpc.opnum).filter(|_| !nothing) else {
            return stub;
        };
        let syntax = match transfer {
            Transfer::Ndr => Syntax::Ndr,
            Transfer::Ndr64 => Syntax::Ndr64,
        };
        let view = stub.arguments(&message.stub);
        let context = Context { syntax, order: message.order };
        let Some(interface) = interface else { return stub };
        let types = registry.dcom();
        if interface.object {
            stub.orpc = Some(dcom::orpc(types, direction, view, context));
        }
        let (from, stop) =
            stub.orpc.as_ref().map_or((0, None), |orpc| (orpc.used, orpc.stop.clone()));
        stub.decoded = match stop {
            // What comes before the parameters is not whole, and they cannot be found.
            Some(stop) => Some(Decoded { stop: Some(stop), used: from, ..Decoded::default() }),
            None => interface.decode(opnum, direction, view, from, context),
        };
        if let Some(decoded) = &mut stub.decoded {
            dcom::open(decoded, types);
        }
        stub.weigh(state, view);
        stub
    }

    /// `ORPCTHIS` or `ORPCTHAT`: before the parameters of an object call, or one of the parameters of
    /// an activation.
    pub fn orpc(&self) -> Option<&Value> {
        let named =
            |name: &str| ["orpcthis", "orpcthat"].iter().any(|of| name.eq_ignore_ascii_case(of));
        let before = self.orpc.iter().flat_map(|orpc| &orpc.params).next();
        let among = || {
            let mut parameters = self.decoded.iter().flat_map(|decoded| &decoded.params);
            parameters.find(|(name, _)| named(name))
        };
        before.or_else(among).map(|(_, value)| value)
    }

    /// The protocol towers among its values: what an endpoint mapper is asked and tells.
    pub fn towers(&self) -> Vec<Tower> {
        let mut towers = Vec::new();
        for (_, value) in self.decoded.iter().flat_map(|decoded| &decoded.params) {
            Tower::all_in(value, &mut towers);
        }
        towers
    }

    /// The part of a stub that is arguments.
    pub fn arguments<'a>(&self, stub: &'a Buffer) -> View<'a> {
        let end = self.trailer.map_or(stub.len(), |trailer| trailer.start);
        stub.view().slice(Span::new(0, end))
    }

    /// Says what decoding showed of the stub.
    fn weigh(&mut self, state: StubState, view: View<'_>) {
        /// Octets that may follow the last argument: padding before a trailer or a signature.
        const PADDING: u32 = 15;
        let Some(decoded) = &mut self.decoded else { return };
        let stopped = decoded.stop.as_ref().is_some_and(Stop::is_malformed);
        let whole = matches!(state, StubState::Clear | StubState::Unsealed);
        if whole && stopped {
            self.readable = Readable::Malformed;
        } else if decoded.stop.is_none() && view.len() > decoded.used.saturating_add(PADDING) {
            let span = Span::new(decoded.used, view.len());
            let text = format!("{} bytes follow the last parameter", span.len());
            decoded.notes.push(Note { span, text });
            if whole {
                self.readable = Readable::Malformed;
            }
        }
    }

    /// What the method returned, as a status; or where that is none, the parameter that is. What
    /// does not follow the interface has none.
    fn status(&self) -> Option<u32> {
        if self.readable == Readable::Malformed {
            return None;
        }
        let decoded = self.decoded.as_ref()?;
        let returned = decoded.ret.as_ref().filter(|value| {
            !matches!(
                number(value),
                Some(Number { format: Format::Boolean | Format::Names(_), .. })
            ) || is_status(value)
        });
        let parameter = || decoded.params.iter().map(|(_, value)| value).rfind(|v| is_status(v));
        let status = number(returned.or_else(parameter)?)?;
        u32::try_from(status.raw()).ok().filter(|_| status.width == 4)
    }
}

fn number(value: &Value) -> Option<&Number> {
    match &value.target().data {
        Data::Number(number) => Some(number),
        _ => None,
    }
}

/// Whether the rules of its interface say that a value is a status.
fn is_status(value: &Value) -> bool {
    let format = number(value).map(|number| &number.format);
    matches!(format, Some(Format::Names(names)) if names.kind == NamesKind::Status)
}
