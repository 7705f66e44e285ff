//! [`Recorder`]: what happens in a capture, as conversations.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use rustc_hash::FxHashMap;

use super::conversation::{Conversation, Kind, is_ipc};
use super::step::{Refusal, Setup, Stage, name};
use super::traits::{Trait, Value};
use crate::bytes::{Guid, Side};
use crate::call::{Call, Transport};
use crate::pipeline::{Around, BindAnswer, Bound, Event, Negotiated, What};
use crate::protocol::fsrvp;
use crate::rpc::ChannelId;

/// Conversations that are kept; when there are more, those go first that have nothing to do with
/// shadow copies.
const MAX_CONVERSATIONS: usize = 1024;
/// Steps that are kept, of all conversations together.
const MAX_STEPS: usize = 1 << 16;
/// Pipes that are followed until their interface is bound.
const MAX_CHANNELS: usize = 4096;
/// Machines that are known by their GUIDs.
const MAX_GUIDS: usize = 4096;
/// Pairs of addresses that lead to a conversation; beyond it only those that have one of their own.
const MAX_ENDS: usize = 4096;

/// What happened in a capture.
#[derive(Debug)]
pub struct Recording {
    /// Its conversations, in the order of their beginning.
    pub conversations: Vec<Conversation>,
    /// Whether there were more, which were not kept.
    pub full: bool,
    /// Whether a name was not found, or a ticket refused: whoever wanted it may not have come to its
    /// server.
    pub astray: bool,
}

/// How far a pipe of MS-FSRVP has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binding {
    /// It is open.
    Open,
    /// Its bind has no answer, and will have none.
    Unanswered,
    /// It is known how the bind ended.
    Told,
}

/// Two machines, by their addresses: the client's and the server's.
type Ends = (IpAddr, IpAddr);

/// Makes conversations of events.
#[derive(Debug, Default)]
pub struct Recorder {
    /// By a number that grows. Added by the first thing that happens; no more than
    /// [`MAX_CONVERSATIONS`].
    conversations: BTreeMap<usize, Conversation>,
    /// Which conversation is that of two machines; several addresses of one machine lead to one.
    /// Removed with the conversation. No more than [`MAX_ENDS`] and [`MAX_CONVERSATIONS`].
    by_ends: FxHashMap<Ends, usize>,
    /// The same by `ClientGuid` and `ServerGuid`. No more than [`MAX_GUIDS`]; removed with the
    /// conversation.
    by_guids: FxHashMap<(Guid, Guid), usize>,
    /// Pipes of MS-FSRVP that are open. Added when one is opened, or its bind has no answer, no more
    /// than [`MAX_CHANNELS`]; removed when it is closed.
    channels: FxHashMap<ChannelId, Binding>,
    /// Conversations there have been.
    number: usize,
    steps: usize,
    /// Events seen.
    known: u64,
    full: bool,
    astray: bool,
}

impl Recorder {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Something happened.
    pub fn event(&mut self, event: &Event) {
        self.known += 1;
        match event {
            Event::Call(call) => self.call(call),
            Event::Around(around) => self.around(around),
            Event::Asked(_) | Event::Unit(_) => {}
        }
    }

    /// The capture has ended.
    pub fn finish(self) -> Recording {
        let mut conversations: Vec<_> = self.conversations.into_values().collect();
        conversations.iter_mut().for_each(Conversation::finish);
        Recording { conversations, full: self.full, astray: self.astray }
    }

    fn call(&mut self, call: &Call) {
        let nameless = is_nameless(call);
        if (call.rpc.request.is_none() || nameless)
            && let (known, Some(of)) = (self.known, self.of(call.client.addr, call.server.addr))
        {
            of.lost(call.time, known, call.client.addr.port(), nameless);
        }
        if !is_ours(call) {
            return;
        }
        if let Some(binding) = self.channels.get_mut(&call.rpc.channel) {
            *binding = Binding::Told;
        }
        let (known, full) = (self.known, self.steps >= MAX_STEPS);
        let (client, server) = (&call.client, &call.server);
        let Some(of) = self.of(client.addr, server.addr) else { return };
        of.becomes(Kind::ShadowCopies);
        client.name.iter().for_each(|name| of.client_named(name));
        server.name.iter().for_each(|name| of.server_named(name, true));
        of.calls += 1;
        learn(of, call);
        if full {
            of.beyond += 1;
        } else {
            of.call(call, known);
            self.steps += 1;
        }
    }

    fn around(&mut self, around: &Around) {
        if let What::Negotiated(told) = &around.what {
            self.same_machines(around, told);
        }
        let setup = self.setup(around);
        let (known, full) = (self.known, self.steps >= MAX_STEPS);
        let of = match around.what {
            _ if setup.is_some() => self.of(around.client, around.server),
            What::Lost | What::Sealed => self.of(around.client, around.server),
            // It tells something of a conversation, and makes none.
            _ => self.find(around.client, around.server),
        };
        let Some(of) = of else { return };
        around.server_name.iter().for_each(|name| of.server_named(name, true));
        match &around.what {
            What::Lost => of.lost(around.time, known, around.client.port(), false),
            What::Sealed => of.sealed(),
            what => told(of, what),
        }
        let Some((setup, kind)) = setup else { return };
        of.becomes(kind);
        if of.is_agreed(&setup) || of.repeats(&setup) {
            return;
        }
        if full {
            of.beyond += 1;
        } else {
            of.setup(setup, around, known);
            self.steps += 1;
        }
    }

    /// The step that something is, if it is one, and what it shows the conversation to be.
    fn setup(&mut self, around: &Around) -> Option<(Setup, Kind)> {
        let accepted = |stage, of: Option<&String>| Setup {
            stage,
            of: of.map(|of| name(of)),
            refusal: None,
            overcome: false,
        };
        let refused = |stage, of: Option<&String>, refusal| Setup {
            refusal: Some(refusal),
            ..accepted(stage, of)
        };
        let status = Refusal::Status;
        Some(match &around.what {
            What::Unreachable { how, .. } => {
                let port = format!("port {}", around.server.port());
                let refusal = Refusal::Unreached(*how);
                (refused(Stage::Connection, Some(&port), refusal), Kind::Other)
            }
            What::NameUnknown { .. } | What::TicketRefused { .. } => {
                self.astray = true;
                return None;
            }
            What::Negotiated(told) => {
                (accepted(Stage::Negotiation, Some(told.dialect.as_ref()?)), Kind::Other)
            }
            What::NetbiosRefused { called, why } => {
                (refused(Stage::Session, called.as_ref(), Refusal::Session(*why)), Kind::Refused)
            }
            What::LoggedOn { user, .. } => (accepted(Stage::Logon, user.as_ref()), Kind::Other),
            What::LogonRefused { user, status: why } => {
                (refused(Stage::Logon, user.as_ref(), status(*why)), Kind::Refused)
            }
            What::TreeConnected { path } => (accepted(Stage::Share, Some(path)), Kind::Other),
            What::TreeRefused { path, status: why } => {
                let kind = if is_ipc(path) { Kind::Refused } else { Kind::Other };
                (refused(Stage::Share, Some(path), status(*why)), kind)
            }
            What::PipeOpened { channel, name, .. } if is_pipe(name.as_deref()) => {
                if self.channels.len() < MAX_CHANNELS {
                    self.channels.insert(*channel, Binding::Open);
                }
                (accepted(Stage::Pipe, name.as_ref()), Kind::ShadowCopies)
            }
            What::PipeRefused { name, status: why } if is_pipe(Some(name)) => {
                (refused(Stage::Pipe, Some(name), status(*why)), Kind::ShadowCopies)
            }
            What::PipeError { channel, name, status: why } if is_pipe(name.as_deref()) => {
                let binding = self.channels.get_mut(channel);
                let setup = match binding.map(|of| std::mem::replace(of, Binding::Told)) {
                    Some(Binding::Open) => refused(Stage::Bind, None, Refusal::Ended(Some(*why))),
                    _ => refused(Stage::Use, None, status(*why)),
                };
                (setup, Kind::ShadowCopies)
            }
            What::BindUnanswered { channel, pipe, interfaces, .. } => {
                let ours = interfaces.iter().any(|interface| interface.uuid == fsrvp::UUID);
                if ours || interfaces.is_empty() && is_pipe(pipe.as_deref()) {
                    self.unanswered(*channel);
                }
                return None;
            }
            What::ChannelClosed { channel, by, .. } => {
                let binding = self.channels.remove(channel)?;
                let refusal = match by.filter(|_| binding == Binding::Unanswered)? {
                    Side::Server => Refusal::Ended(None),
                    Side::Client => Refusal::GivenUp,
                };
                (refused(Stage::Bind, None, refusal), Kind::ShadowCopies)
            }
            What::Bound(bound) if is_bound(bound) => {
                if let Some(known) = self.channels.get_mut(&bound.channel) {
                    *known = Binding::Told;
                }
                let setup = match bound.answer {
                    BindAnswer::Accepted => accepted(Stage::Bind, None),
                    answer => refused(Stage::Bind, None, Refusal::Bind(answer)),
                };
                (setup, Kind::ShadowCopies)
            }
            _ => return None,
        })
    }

    /// A bind has no answer. It is told when its pipe is closed, by who closes it.
    fn unanswered(&mut self, channel: ChannelId) {
        let known = self.channels.get(&channel);
        let room = known.is_some() || self.channels.len() < MAX_CHANNELS;
        if room && known != Some(&Binding::Told) {
            self.channels.insert(channel, Binding::Unanswered);
        }
    }

    /// Machines that say who they are, are the same at other addresses.
    fn same_machines(&mut self, around: &Around, told: &Negotiated) {
        let Some(guids) = told.client_guid.zip(told.server_guid) else { return };
        if guids.0.is_nil() || guids.1.is_nil() {
            return;
        }
        let ends = (around.client.ip(), around.server.ip());
        let at = self.by_ends.get(&ends).copied();
        match (at, self.by_guids.get(&guids).copied()) {
            (None, Some(at)) if self.by_ends.len() < MAX_ENDS => {
                self.by_ends.insert(ends, at);
            }
            (_, None) if self.by_guids.len() < MAX_GUIDS => {
                self.of(around.client, around.server);
                let at = self.by_ends.get(&ends).copied();
                at.and_then(|at| self.by_guids.insert(guids, at));
            }
            _ => {}
        }
    }

    /// The conversation of two machines; `None` where there are too many.
    fn of(&mut self, client: SocketAddr, server: SocketAddr) -> Option<&mut Conversation> {
        let ends = (client.ip(), server.ip());
        if !self.by_ends.contains_key(&ends) {
            if self.conversations.len() >= MAX_CONVERSATIONS {
                self.make_room()?;
            }
            self.number += 1;
            self.by_ends.insert(ends, self.number);
            let new = Conversation::new(client.ip(), server.ip());
            self.conversations.insert(self.number, new);
        }
        self.find(client, server)
    }

    /// The conversation of two machines, if there is one.
    fn find(&mut self, client: SocketAddr, server: SocketAddr) -> Option<&mut Conversation> {
        self.conversations.get_mut(self.by_ends.get(&(client.ip(), server.ip()))?)
    }

    /// Forgets the earlier half of those conversations that matter least; `None` where all matter.
    fn make_room(&mut self) -> Option<()> {
        // Those that never came to anything may go as if they had not been.
        let worth = |of: &Conversation| {
            Some(of.kind).filter(|kind| *kind > Kind::Other || !of.is_unreached())
        };
        let least = self.conversations.values().map(worth).min()?;
        self.full |= least.is_some();
        if least == Some(Kind::ShadowCopies) {
            return None;
        }
        let alike = self.conversations.iter().filter(|(_, of)| worth(of) == least);
        let alike: Vec<usize> = alike.map(|(at, _)| *at).collect();
        for at in alike.iter().take(alike.len().div_ceil(2)) {
            let gone = self.conversations.remove(at);
            self.steps = self.steps.saturating_sub(gone.map_or(0, |of| of.steps.len()));
        }
        let Self { conversations, by_ends, by_guids, .. } = self;
        by_ends.retain(|_, at| conversations.contains_key(at));
        by_guids.retain(|_, at| conversations.contains_key(at));
        Some(())
    }
}

/// What something beside the calls shows of its conversation.
fn told(of: &mut Conversation, what: &What) {
    match what {
        What::Negotiated(told) => {
            told.dialect.iter().for_each(|told| of.is(Trait::Dialect, Value::Text(name(told))));
        }
        What::Challenged(told) => {
            if let Some((major, minor, build)) = told.version {
                of.is(Trait::ServerVersion, Value::Version(major, minor, build));
            }
            let names = [&told.computer, &told.dns_computer];
            names.into_iter().flatten().for_each(|name| of.server_named(name, true));
        }
        What::LoggedOn { user, .. } | What::LogonRefused { user, .. } => {
            if let Some(user) = user {
                of.is(Trait::User, Value::Text(name(user)));
            }
        }
        What::TreeConnected { path } | What::TreeRefused { path, .. } => {
            let host = path.strip_prefix("\\\\").and_then(|path| path.split('\\').next());
            if let Some(host) = host {
                of.server_named(host, false);
            }
        }
        // What was accepted shows in the calls.
        What::Bound(bound) if is_bound(bound) && bound.answer != BindAnswer::Accepted => {
            of.is(Trait::Authentication, Value::auth(&bound.auth));
        }
        _ => {}
    }
}

/// What a call shows of its conversation.
fn learn(of: &mut Conversation, call: &Call) {
    of.is(Trait::Authentication, Value::auth(&call.rpc.auth));
    if let Some(user) = &call.rpc.auth.principal {
        of.is(Trait::User, Value::Text(name(user)));
    }
    call.rpc.transfer.iter().for_each(|syntax| of.is(Trait::Syntax, Value::Syntax(*syntax)));
    if let Some(request) = &call.rpc.request {
        of.is(Trait::ByteOrder, Value::Order(request.order));
    }
    match &call.transport {
        Transport::Tcp => of.is(Trait::Transport, Value::Tcp),
        Transport::NamedPipe(pipe) => {
            of.is(Trait::Transport, Value::Pipe);
            pipe.dialect.iter().for_each(|told| of.is(Trait::Dialect, Value::Text(name(told))));
            pipe.user.iter().for_each(|user| of.is(Trait::User, Value::Text(name(user))));
            of.is(Trait::Signing, Value::Yes(pipe.signed));
            of.is(Trait::Encryption, Value::Yes(pipe.encrypted));
        }
    }
}

fn is_pipe(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.eq_ignore_ascii_case(fsrvp::PIPE))
}

fn is_bound(bound: &Bound) -> bool {
    match bound.interface {
        Some(interface) => interface.uuid == fsrvp::UUID,
        None => is_pipe(bound.pipe.as_deref()),
    }
}

/// Whether nobody knows what a call is: neither its bind was seen, nor how its pipe was opened.
fn is_nameless(call: &Call) -> bool {
    call.rpc.interface.is_none() && call.pipe().is_some_and(|pipe| pipe.name.is_none())
}

/// Whether a call is one of MS-FSRVP: by its interface, or where its bind was not seen, by its pipe.
fn is_ours(call: &Call) -> bool {
    match call.rpc.interface {
        Some(interface) => interface.uuid == fsrvp::UUID,
        None => is_pipe(call.pipe().and_then(|pipe| pipe.name.as_deref())),
    }
}
