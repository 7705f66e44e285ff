//! [`Smb`]: who is connected, logged on, and has which pipe open.
//!
//! ```text
//!  ConnectionId ─► Connection ─► ServerId ◄─ ServerGuid, server's addresses
//!                      │             │
//!                      │      (ServerId, SessionId) ─► Session ─► Trees, Opens ─► Pipe
//!                      │
//!               (ConnectionId, MessageId) ─► Pending: what was asked
//! ```
//! Requests are in `requests.rs`, responses in `responses.rs`; this file has the tables.

use std::net::IpAddr;

use super::cache::Cache;
use super::plausible::is_one_pdu;
use super::{
    ConnectionId, Counters, Event, FileId, Message, Packet, Pipe, PipeId, ShareType, dialect_name,
    dissect,
};
use crate::bytes::{Ends, Guid, Missing, Reader, Side, Span, Stop, View, Why};

const CONNECTIONS_MAX: usize = 1 << 14;
const SERVERS_MAX: usize = 1 << 14;
const SESSIONS_MAX: usize = 1 << 12;
const TREES_MAX: usize = 1 << 14;
const OPENS_MAX: usize = 1 << 16;
const PIPES_MAX: usize = 1 << 16;
const PENDING_MAX: usize = 1 << 16;
/// Connections one session is remembered to use, and sessions one connection is.
const CHANNELS_MAX: usize = 64;

/// All that is known of SMB2 in a capture.
#[derive(Debug)]
pub struct Smb {
    /// Added by the first message of a connection, removed by `closed`.
    pub(super) connections: Cache<ConnectionId, Connection>,
    /// Added by the first connection to an address; never removed. The flag says that a
    /// `ServerGuid` was seen there.
    by_ip: Cache<IpAddr, (ServerId, bool)>,
    /// Added by NEGOTIATE responses; never removed.
    by_guid: Cache<Guid, ServerId>,
    /// Added by the first message of a session, removed by LOGOFF, by a session that replaces it,
    /// and by a refused logon.
    pub(super) sessions: Cache<SessionKey, Session>,
    /// Added by `TREE_CONNECT` responses, or when evidence shows what a tree is; removed by
    /// `TREE_DISCONNECT` responses and with the session.
    pub(super) trees: Cache<(SessionKey, u32), Tree>,
    /// Added by CREATE responses, or when data show what a handle is; removed by CLOSE responses
    /// and with the tree or session.
    pub(super) opens: Cache<(SessionKey, FileId), Open>,
    /// Added with the pipe's open, removed by `forget`.
    pub(super) pipes: Cache<PipeId, Tracked>,
    /// Added by requests whose answer matters, removed by their (last) response or `closed`.
    pub(super) pending: Cache<(ConnectionId, u64), Pending>,
    pub(super) counters: Counters,
    next_server: u32,
    next_pipe: u32,
}

/// A server, whatever addresses it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ServerId(u32);

/// A session: its `SessionId` is unique at its server only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SessionKey {
    pub(super) server: ServerId,
    pub(super) id: u64,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) server: ServerId,
    ip: IpAddr,
    pub(super) dialect: Option<u16>,
    /// Added by messages of the session, removed with the session.
    sessions: Vec<SessionKey>,
}

#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) established: bool,
    pub(super) user: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) server_name: Option<String>,
    pub(super) encrypted: bool,
    /// Open pipes: added and removed with the pipe's open.
    pub(super) pipes: Vec<PipeId>,
    /// Added by messages of the session, removed by `closed`.
    channels: Vec<ConnectionId>,
}

#[derive(Debug)]
pub(super) struct Tree {
    pub(super) kind: TreeKind,
    pub(super) path: Option<String>,
    pub(super) encrypted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TreeKind {
    Pipe,
    Disk,
}

impl TreeKind {
    pub(super) fn of(share_type: ShareType, path: Option<&str>) -> Self {
        let ipc = path.is_some_and(|path| {
            let share = path.rsplit('\\').next().unwrap_or_default();
            share.eq_ignore_ascii_case("IPC$")
        });
        if share_type == ShareType::PIPE || ipc { Self::Pipe } else { Self::Disk }
    }
}

/// What a `FileId` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handle {
    Pipe(PipeId),
    /// Anything that is no pipe.
    File,
    /// Its CREATE was not seen, or the tree's `TREE_CONNECT` was not.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) handle: Handle,
    pub(super) tree: Option<u32>,
    pub(super) name: Option<String>,
}

/// A pipe with what only this module needs to know of it.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) pipe: Pipe,
    pub(super) session: SessionKey,
    open: bool,
    /// The server has sent the beginning of a message and not its end.
    pub(super) mid_message: bool,
}

/// A request without its answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) session_id: u64,
    pub(super) tree: Option<u32>,
    pub(super) asked: Asked,
}

#[derive(Debug)]
pub(super) enum Asked {
    SessionSetup {
        /// Whether it begins a session, as opposed to going on with one.
        fresh: bool,
        previous: u64,
        user: Option<String>,
        client_name: Option<String>,
    },
    Logoff,
    TreeConnect {
        path: String,
    },
    TreeDisconnect,
    Create {
        name: String,
        /// The pipe, if it had to be told of before the answer.
        early: Option<PipeId>,
        /// `MessageId`s of the requests of its chain that mean the file it opens.
        followers: Vec<u64>,
    },
    Close(Target),
    /// READ, WRITE or IOCTL.
    Data(Target),
}

/// The file a request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Known(FileId),
    /// The one that the CREATE with this `MessageId` opens.
    Created(u64),
    Nothing,
}

/// What the messages of a chain take over from those before them.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) session_id: u64,
    pub(super) tree: Option<u32>,
    pub(super) file: Target,
}

/// The unit being taken in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit<'v> {
    pub(super) connection: ConnectionId,
    pub(super) server: ServerId,
    pub(super) view: View<'v>,
}

impl Default for Smb {
    fn default() -> Self {
        Self {
            connections: Cache::new(CONNECTIONS_MAX),
            by_ip: Cache::new(SERVERS_MAX),
            by_guid: Cache::new(SERVERS_MAX),
            sessions: Cache::new(SESSIONS_MAX),
            trees: Cache::new(TREES_MAX),
            opens: Cache::new(OPENS_MAX),
            pipes: Cache::new(PIPES_MAX),
            pending: Cache::new(PENDING_MAX),
            counters: Counters::default(),
            next_server: 0,
            next_pipe: 0,
        }
    }
}

impl Smb {
    /// Takes in one unit as [`Smb::frame`] cut it: `message` begins with its four-byte header, and
    /// is shorter than `whole` if it was skimmed. Who asks and who answers is taken from the
    /// messages themselves; `side` counts where they do not say.
    pub fn advance(
        &mut self,
        connection: ConnectionId,
        ends: Ends,
        side: Side,
        message: View<'_>,
        whole: u32,
        out: &mut Vec<Event>,
    ) {
        let unit = Unit { connection, server: self.connect(connection, ends), view: message };
        let mut chain = Chain { session_id: 0, tree: None, file: Target::Nothing };
        let mut none = ();
        let mut r = Reader::new(message, &mut none);
        let packet = dissect(&mut r, |m| self.message(unit, &mut chain, &m, out));
        match packet {
            Ok(Packet::Messages | Packet::Session(_) | Packet::Unknown) => {}
            Ok(Packet::Sealed(_)) => {
                self.counters.sealed += 1;
                self.counters.sealed_bytes += u64::from(whole);
                out.push(Event::Sealed { side, bytes: whole });
            }
            Ok(Packet::Compressed(_)) => {
                self.counters.compressed += 1;
                out.push(Event::Compressed);
            }
            Ok(Packet::Smb1) => {
                self.counters.smb1 += 1;
                out.push(Event::Smb1);
            }
            Err(stop) => self.stopped(connection, &stop, out),
        }
    }

    /// What is known of a pipe, from `PipeOpened` until [`Smb::forget`].
    pub fn pipe(&self, pipe: PipeId) -> Option<&Pipe> {
        self.pipes.peek(&pipe).map(|tracked| &tracked.pipe)
    }

    /// Drops what is known of a pipe that is closed; one that is open stays.
    pub fn forget(&mut self, pipe: PipeId) {
        if self.pipes.peek(&pipe).is_some_and(|tracked| !tracked.open) {
            self.pipes.remove(&pipe);
        }
    }

    /// Bytes of a connection were lost: all open pipes of its sessions become suspect.
    pub fn lost(&mut self, connection: ConnectionId) {
        let Some(seen) = self.connections.peek(&connection) else {
            return;
        };
        for key in &seen.sessions {
            let pipes = self.sessions.peek(key).map(|s| s.pipes.as_slice());
            for pipe in pipes.unwrap_or_default() {
                if let Some(tracked) = self.pipes.get(pipe) {
                    tracked.pipe.suspect = true;
                }
            }
        }
    }

    /// A connection ended. Sessions stay, since other connections may carry them; but the pipes of
    /// a session whose last connection this was are closed with it (3.3.7.1).
    pub fn closed(&mut self, connection: ConnectionId, out: &mut Vec<Event>) {
        self.pending.drain(|(of, _), _| *of == connection);
        let Some(gone) = self.connections.remove(&connection) else {
            return;
        };
        for key in gone.sessions {
            let Some(session) = self.sessions.get(&key) else {
                continue;
            };
            session.channels.retain(|channel| *channel != connection);
            if session.channels.is_empty() {
                self.drop_opens(key, None, out);
            }
        }
    }

    /// What was seen.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn message(&mut self, unit: Unit<'_>, chain: &mut Chain, m: &Message, out: &mut Vec<Event>) {
        self.counters.message(m.header.command);
        if let Some(stop) = &m.stop {
            self.stopped(unit.connection, stop, out);
        }
        chain.next(m);
        if chain.session_id != 0 {
            self.join(unit.connection, self.key(unit, chain.session_id), out);
        }
        if m.header.is_response() {
            self.response(unit, chain, m, out);
        } else {
            self.request(unit, chain, m, out);
        }
    }

    fn stopped(&mut self, connection: ConnectionId, stop: &Stop, out: &mut Vec<Event>) {
        match stop.why {
            // What the caller left out on purpose is no pipe's.
            Why::Missing(Missing::Capped) => {}
            Why::Missing(_) => self.lost(connection),
            _ => {
                self.counters.malformed += 1;
                out.push(Event::Malformed(stop.clone()));
            }
        }
    }

    pub(super) fn key(&self, unit: Unit<'_>, id: u64) -> SessionKey {
        // A NEGOTIATE response in the same unit may have told who the server is.
        let server = self.connections.peek(&unit.connection);
        let server = server.map_or(unit.server, |connection| connection.server);
        SessionKey { server, id }
    }

    fn connect(&mut self, connection: ConnectionId, ends: Ends) -> ServerId {
        if let Some(known) = self.connections.get(&connection) {
            return known.server;
        }
        let ip = ends.server.ip();
        let server = match self.by_ip.get(&ip) {
            Some((server, _)) => *server,
            None => self.new_server(ip, false),
        };
        let new = Connection { server, ip, dialect: None, sessions: Vec::new() };
        self.connections.insert(connection, new);
        server
    }

    fn new_server(&mut self, ip: IpAddr, identified: bool) -> ServerId {
        let server = ServerId(self.next_server);
        self.next_server = self.next_server.wrapping_add(1);
        self.by_ip.insert(ip, (server, identified));
        server
    }

    /// The server of a connection has told its `ServerGuid`: its addresses become one server.
    pub(super) fn identify(&mut self, connection: ConnectionId, guid: Guid) {
        let Some(ip) = self.connections.peek(&connection).map(|c| c.ip) else {
            return;
        };
        if guid.is_nil() {
            return;
        }
        let (now, identified) = match self.by_ip.get(&ip) {
            Some(known) => *known,
            None => (self.new_server(ip, false), false),
        };
        let server = match self.by_guid.get(&guid) {
            Some(server) => *server,
            // Another machine has taken over the address.
            None if identified => self.new_server(ip, true),
            None => now,
        };
        self.by_guid.insert(guid, server);
        self.by_ip.insert(ip, (server, true));
        if server == now {
            return;
        }
        if identified {
            if let Some(moved) = self.connections.get(&connection) {
                moved.server = server;
            }
        } else {
            self.merge(now, server);
        }
    }

    /// What was thought to be the server `old` is `new`.
    fn merge(&mut self, old: ServerId, new: ServerId) {
        let moved = |key: SessionKey| SessionKey { server: new, id: key.id };
        for (_, connection) in self.connections.iter_mut() {
            if connection.server == old {
                connection.server = new;
            }
            for key in connection.sessions.iter_mut().filter(|k| k.server == old) {
                *key = moved(*key);
            }
        }
        for (_, tracked) in self.pipes.iter_mut() {
            if tracked.session.server == old {
                tracked.session = moved(tracked.session);
            }
        }
        for (key, session) in self.sessions.drain(|key, _| key.server == old) {
            match self.sessions.get(&moved(key)) {
                Some(known) => {
                    known.pipes.extend(session.pipes);
                    known.channels.extend(session.channels);
                }
                None => drop(self.sessions.insert(moved(key), session)),
            }
        }
        for ((key, id), tree) in self.trees.drain(|(key, _), _| key.server == old) {
            self.trees.insert((moved(key), id), tree);
        }
        for ((key, id), open) in self.opens.drain(|(key, _), _| key.server == old) {
            self.opens.insert((moved(key), id), open);
        }
    }

    /// The session, made if it is new.
    pub(super) fn session(
        &mut self,
        key: SessionKey,
        out: &mut Vec<Event>,
    ) -> Option<&mut Session> {
        if self.sessions.peek(&key).is_none() {
            for (old, session) in self.sessions.insert(key, Session::default()) {
                self.end_session(old, &session, out);
            }
        }
        self.sessions.get(&key)
    }

    /// Notes that a connection carries a session.
    pub(super) fn join(&mut self, connection: ConnectionId, key: SessionKey, out: &mut Vec<Event>) {
        let Some(seen) = self.connections.get(&connection) else {
            return;
        };
        if seen.sessions.contains(&key) || seen.sessions.len() >= CHANNELS_MAX {
            return;
        }
        seen.sessions.push(key);
        if let Some(session) = self.session(key, out)
            && session.channels.len() < CHANNELS_MAX
        {
            session.channels.push(connection);
        }
    }

    pub(super) fn drop_session(&mut self, key: SessionKey, out: &mut Vec<Event>) {
        if let Some(session) = self.sessions.remove(&key) {
            self.end_session(key, &session, out);
        }
    }

    fn end_session(&mut self, key: SessionKey, session: &Session, out: &mut Vec<Event>) {
        for channel in &session.channels {
            if let Some(connection) = self.connections.get(channel) {
                connection.sessions.retain(|known| *known != key);
            }
        }
        self.trees.drain(|(of, _), _| *of == key);
        self.drop_opens(key, None, out);
        for pipe in &session.pipes {
            self.end_pipe(*pipe, out);
        }
    }

    /// Closes everything that is open in a session, or in one tree of it.
    pub(super) fn drop_opens(&mut self, key: SessionKey, tree: Option<u32>, out: &mut Vec<Event>) {
        let all = tree.is_none();
        let gone = self.opens.drain(|(of, _), open| *of == key && (all || open.tree == tree));
        self.end_opens(gone, out);
    }

    pub(super) fn end_opens(
        &mut self,
        gone: Vec<((SessionKey, FileId), Open)>,
        out: &mut Vec<Event>,
    ) {
        for (_, open) in gone {
            if let Handle::Pipe(pipe) = open.handle {
                self.end_pipe(pipe, out);
            }
        }
    }

    pub(super) fn end_pipe(&mut self, pipe: PipeId, out: &mut Vec<Event>) {
        let Some(tracked) = self.pipes.get(&pipe).filter(|tracked| tracked.open) else {
            return;
        };
        tracked.open = false;
        let key = tracked.session;
        if let Some(session) = self.sessions.get(&key) {
            session.pipes.retain(|open| *open != pipe);
        }
        out.push(Event::PipeClosed { pipe });
    }

    /// What the answer to a request will be about.
    pub(super) fn asked(&self, connection: ConnectionId, message_id: u64) -> Option<Handle> {
        let pending = self.pending.peek(&(connection, message_id))?;
        let Asked::Data(target) = pending.asked else {
            return None;
        };
        Some(match target {
            Target::Known(file) => self.handle(connection, pending.session_id, pending.tree, file),
            Target::Created(_) | Target::Nothing => Handle::Unknown,
        })
    }

    /// What a handle is.
    pub(super) fn handle(
        &self,
        connection: ConnectionId,
        session_id: u64,
        tree: Option<u32>,
        file: FileId,
    ) -> Handle {
        let Some(seen) = self.connections.peek(&connection) else {
            return Handle::Unknown;
        };
        let key = SessionKey { server: seen.server, id: session_id };
        match self.opens.peek(&(key, file)).map(|open| open.handle) {
            Some(known @ (Handle::Pipe(_) | Handle::File)) => known,
            Some(Handle::Unknown) | None => match self.tree_kind(key, tree) {
                Some(TreeKind::Disk) => Handle::File,
                Some(TreeKind::Pipe) | None => Handle::Unknown,
            },
        }
    }

    pub(super) fn tree_kind(&self, key: SessionKey, tree: Option<u32>) -> Option<TreeKind> {
        self.trees.peek(&(key, tree?)).map(|tree| tree.kind)
    }

    /// The pipe a handle is; a handle not known becomes one if its tree says so, or if `data` are
    /// wholly one PDU and the tree does not say otherwise.
    pub(super) fn pipe_of(
        &mut self,
        unit: Unit<'_>,
        of: (SessionKey, Option<u32>, FileId),
        data: (Span, Side),
        out: &mut Vec<Event>,
    ) -> Option<PipeId> {
        let (key, tree, file) = of;
        let known = self.opens.get(&(key, file));
        let name = match known {
            Some(open) => match open.handle {
                Handle::Pipe(pipe) => return Some(pipe),
                Handle::File => return None,
                Handle::Unknown => open.name.clone(),
            },
            None => None,
        };
        let (span, side) = data;
        let aligned = {
            let header = Span::new(span.start, span.start.saturating_add(16));
            unit.view.hole_in(header).is_none() && is_one_pdu(unit.view.slice(span).bytes(), side)
        };
        match self.tree_kind(key, tree) {
            Some(TreeKind::Pipe) => {}
            None if aligned => {}
            Some(TreeKind::Disk) | None => return None,
        }
        let pipe = self.open_pipe(unit, key, tree, Some(file), name, out);
        if let Some(tracked) = self.pipes.get(&pipe) {
            tracked.pipe.suspect = !aligned;
        }
        Some(pipe)
    }

    /// A new pipe, under this `FileId` if that is known.
    pub(super) fn open_pipe(
        &mut self,
        unit: Unit<'_>,
        key: SessionKey,
        tree: Option<u32>,
        file_id: Option<FileId>,
        name: Option<String>,
        out: &mut Vec<Event>,
    ) -> PipeId {
        let id = PipeId(self.next_pipe);
        self.next_pipe = self.next_pipe.wrapping_add(1);
        let dialect = self.connections.peek(&unit.connection).and_then(|c| c.dialect);
        let share = tree.and_then(|tree| self.trees.peek(&(key, tree)));
        let tree_path = share.and_then(|tree| tree.path.clone());
        let mut pipe = Pipe {
            dialect: dialect.and_then(dialect_name).map(str::to_owned),
            session_id: key.id,
            tree_id: tree,
            file_id,
            encrypted: share.is_some_and(|tree| tree.encrypted),
            server_name: tree_path.as_deref().and_then(host).map(str::to_owned),
            tree_path,
            name,
            ..Pipe::default()
        };
        if let Some(session) = self.session(key, out) {
            session.pipes.push(id);
            pipe.user.clone_from(&session.user);
            pipe.client_name.clone_from(&session.client_name);
            pipe.encrypted |= session.encrypted;
            if session.server_name.is_some() {
                pipe.server_name.clone_from(&session.server_name);
            }
        }
        let tracked = Tracked { pipe, session: key, open: true, mid_message: false };
        for (old, gone) in self.pipes.insert(id, tracked) {
            self.lose_pipe(old, &gone, out);
        }
        if let Some(file) = file_id {
            self.bind(key, file, Handle::Pipe(id), tree, None, out);
        }
        out.push(Event::PipeOpened { pipe: id });
        id
    }

    /// A pipe had to go for the cap.
    fn lose_pipe(&mut self, id: PipeId, gone: &Tracked, out: &mut Vec<Event>) {
        if let Some(session) = self.sessions.get(&gone.session) {
            session.pipes.retain(|open| *open != id);
        }
        if let Some(file) = gone.pipe.file_id {
            self.opens.remove(&(gone.session, file));
        }
        if gone.open {
            out.push(Event::PipeClosed { pipe: id });
        }
    }

    /// Notes what a handle is.
    pub(super) fn bind(
        &mut self,
        key: SessionKey,
        file: FileId,
        handle: Handle,
        tree: Option<u32>,
        name: Option<String>,
        out: &mut Vec<Event>,
    ) {
        let open = Open { handle, tree, name };
        if let Some(Handle::Pipe(old)) = self.opens.remove(&(key, file)).map(|o| o.handle) {
            // The server gave the id away again: the CLOSE was not seen.
            self.end_pipe(old, out);
        }
        let gone = self.opens.insert((key, file), open);
        self.end_opens(gone, out);
    }
}

impl Chain {
    /// 3.3.5.2.7.2: a related request means the session, tree and file of the one before it.
    fn next(&mut self, m: &Message) {
        let header = &m.header;
        let related = header.is_related();
        if !related || header.session_id != u64::MAX {
            self.session_id = header.session_id;
        }
        if !related {
            self.tree = header.tree_id;
            self.file = Target::Nothing;
        } else if header.tree_id.is_some_and(|tree| tree != u32::MAX) {
            self.tree = header.tree_id;
        }
    }
}

/// `server` of `\\server\share`.
fn host(path: &str) -> Option<&str> {
    let mut parts = path.trim_start_matches('\\').split('\\');
    parts.next().filter(|host| !host.is_empty())
}
