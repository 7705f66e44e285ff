//! [`Smb`]: who is connected, logged on, and has which pipe open.
//!
//! ```text
//!  ConnectionId ─► Connection ─► ServerId ◄─ ServerGuid, server's addresses
//!                      │             │
//!                      │      (ServerId, SessionId) ─► Session ─► Trees, Opens ─► Pipe
//!                      │
//!               (ConnectionId, MessageId) ─► Pending: what was asked
//! ```
//! This file has the tables; what changes them is in `requests.rs` and `responses.rs`, with
//! `servers.rs` and `pipes.rs` below those.

use std::net::IpAddr;
use std::sync::Arc;

use super::cache::Cache;
use super::model::{
    Chain, Connection, Open, Pending, ServerId, Session, SessionKey, Tracked, Tree, Unit,
};
use super::protection::{ClosedSessions, Setup, SetupId};
use super::{
    Closed, Command, ConnectionId, Counters, Event, FileId, Message, Packet, Pipe, PipeId, Plain,
    SessionPacket, dissect, dissect_opened, dissect_plain, framing, v1,
};
use crate::bytes::{Ends, Guid, Missing, Reader, Side, Stop, View, Why};
use crate::security::keys::Keyring;

const CONNECTIONS_MAX: usize = 1 << 14;
const SERVERS_MAX: usize = 1 << 14;
const SESSIONS_MAX: usize = 1 << 12;
const TREES_MAX: usize = 1 << 14;
const OPENS_MAX: usize = 1 << 16;
const PIPES_MAX: usize = 1 << 16;
const PENDING_MAX: usize = 1 << 16;
const SETUPS_MAX: usize = 1 << 12;

/// All that is known of SMB in a capture.
#[derive(Debug)]
pub struct Smb {
    /// Added by the first message of a connection, removed by `closed`.
    pub(super) connections: Cache<ConnectionId, Connection>,
    /// Added by the first connection to an address; never removed. The flag says that a
    /// `ServerGuid` was seen there.
    pub(super) by_ip: Cache<IpAddr, (ServerId, bool)>,
    /// Added by NEGOTIATE responses; never removed.
    pub(super) by_guid: Cache<Guid, ServerId>,
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
    /// Added by requests whose answer matters, removed by their (last) response. Those of a
    /// connection that has ended are never asked for again and go when the cap is reached.
    pub(super) pending: Cache<(ConnectionId, u64), Pending>,
    /// The same for SMB1, where a request has other numbers. Those of a connection that has ended
    /// go in the same way.
    pub(super) pending_smb1: Cache<(ConnectionId, v1::RequestId), v1::Pending>,
    /// Added by requests to log on, removed by the last answer. Those without one go when the cap is
    /// reached.
    pub(super) setups: Cache<(ConnectionId, SetupId), Setup>,
    pub(super) closed_sessions: ClosedSessions,
    pub(super) counters: Counters,
    /// What may open what is sealed.
    pub(super) keys: Arc<Keyring>,
    pub(super) next_server: u32,
    pub(super) next_pipe: u32,
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
            pending_smb1: Cache::new(PENDING_MAX),
            setups: Cache::new(SETUPS_MAX),
            closed_sessions: ClosedSessions::default(),
            counters: Counters::default(),
            keys: Arc::default(),
            next_server: 0,
            next_pipe: 0,
        }
    }
}

impl Smb {
    /// Opens with these secrets what is sealed from now on.
    pub fn take_keys(&mut self, keys: Arc<Keyring>) {
        self.keys = keys;
    }

    /// Takes in one unit as [`Smb::frame`] cut it: `message` begins with its four-byte header, and
    /// is shorter than `whole` if it was skimmed. Who asks and who answers is taken from the
    /// messages themselves.
    ///
    /// A message that was compressed, or encrypted and could be opened, is given back, for
    /// [`Smb::advance_plain`].
    pub fn advance(
        &mut self,
        connection: ConnectionId,
        ends: Ends,
        message: View<'_>,
        whole: u32,
        out: &mut Vec<Event>,
    ) -> Option<Plain> {
        let server = self.connect(connection, ends);
        let complete = message.len() >= whole;
        let unit = Unit { connection, server, view: message, complete, sealed: false };
        let mut chain = Chain::default();
        let mut none = ();
        let mut r = Reader::new(message, &mut none);
        let packet = dissect(&mut r, |m| self.message(unit, &mut chain, &m, out));
        match packet {
            Ok(Packet::Messages | Packet::Unknown) => {}
            Ok(Packet::Session(packet)) => self.session_packet(connection, packet, out),
            Ok(Packet::Sealed(transform)) => return self.sealed(unit, transform, whole, out),
            Ok(Packet::Compressed(transform)) => {
                self.counters.compressed(&transform.payloads);
                match self.plain(connection, message, &transform) {
                    Ok(plain) => return Some(plain),
                    Err(stop) => self.unread(connection, &stop, out),
                }
            }
            Ok(Packet::Smb1(m)) => self.message_smb1(unit, &m, out),
            Err(stop) if framing::is_compressed(message.bytes()) => {
                self.counters.compressed(&[]);
                self.unread(connection, &stop, out);
            }
            Err(stop) => self.stopped(connection, &stop, out),
        }
        None
    }

    /// Takes in what [`Smb::advance`] gave back. Spans of events are those of `plain.message`.
    pub fn advance_plain(
        &mut self,
        connection: ConnectionId,
        ends: Ends,
        plain: &Plain,
        out: &mut Vec<Event>,
    ) {
        let view = plain.message.view();
        let server = self.connect(connection, ends);
        let complete = view.len() >= plain.whole;
        let unit = Unit { connection, server, view, complete, sealed: plain.sealed };
        let mut chain = Chain::default();
        let mut none = ();
        let mut r = Reader::new(view, &mut none);
        let each = |m: Message| self.message(unit, &mut chain, &m, out);
        let read = if complete && !plain.was_compressed() {
            dissect_opened(&mut r, each)
        } else {
            dissect_plain(&mut r, plain.whole, each)
        };
        if let Err(stop) = read {
            self.stopped(connection, &stop, out);
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
    pub fn lost(&mut self, connection: ConnectionId, out: &mut Vec<Event>) {
        self.tear_mac(connection);
        let Some(seen) = self.connections.peek(&connection) else {
            return;
        };
        for key in &seen.sessions {
            // What was torn before and has said nothing since has nothing more to lose.
            let heard = self.sessions.get(key).map(|s| std::mem::take(&mut s.heard));
            for pipe in heard.unwrap_or_default() {
                if let Some(tracked) = self.pipes.get(&pipe) {
                    tracked.pipe.suspect = true;
                    out.push(Event::PipeTorn { pipe });
                }
            }
        }
    }

    /// A connection ended. Sessions stay, since other connections may carry them; but the pipes of
    /// a session whose last connection this was are closed with it (3.3.7.1). Those of SMB1 end.
    /// `by` is who ended it, where that is known.
    pub fn closed(&mut self, connection: ConnectionId, by: Option<Side>, out: &mut Vec<Event>) {
        let Some(gone) = self.connections.remove(&connection) else {
            return;
        };
        for key in gone.sessions {
            let Some(session) = self.sessions.get(&key) else {
                continue;
            };
            session.channels.retain(|channel| *channel != connection);
            session.protection.forget(connection);
            if key.connection.is_some() {
                self.drop_session(key, by, out);
            } else if session.channels.is_empty() {
                for pipe in session.pipes.clone() {
                    self.end_pipe(pipe, by, out);
                }
            }
        }
    }

    /// What was seen.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Sessions of which encrypted messages stay closed, and why.
    pub fn closed_sessions(&self) -> impl Iterator<Item = &Closed> {
        self.closed_sessions.iter()
    }

    fn message(&mut self, unit: Unit<'_>, chain: &mut Chain, m: &Message, out: &mut Vec<Event>) {
        self.counters.message(m.header.command);
        if let Some(stop) = &m.stop {
            self.stopped(unit.connection, stop, out);
        }
        chain.next(m);
        if !matches!(chain.session_id, 0 | u64::MAX) {
            self.join(unit.connection, self.key(unit, chain.session_id), out);
        }
        let session = self.session_of(unit, chain, m);
        // The key of the answer that ends a logon comes from that logon.
        let logs_on = m.header.command == Command::SESSION_SETUP && m.header.is_response();
        if !logs_on {
            self.verify(unit, chain, session, m, out);
        }
        if m.header.is_response() {
            self.response(unit, chain, m, out);
        } else {
            self.request(unit, chain, m, out);
        }
        if logs_on {
            self.verify(unit, chain, session, m, out);
        }
    }

    /// The session of a message; in a chain a server may leave it out.
    fn session_of(&self, unit: Unit<'_>, chain: &Chain, m: &Message) -> u64 {
        let asked = || self.pending.peek(&(unit.connection, m.header.message_id));
        match chain.session_id {
            0 | u64::MAX => asked().map_or(chain.session_id, |asked| asked.session_id),
            known => known,
        }
    }

    /// A message could not be decompressed.
    pub(super) fn unread(&mut self, connection: ConnectionId, stop: &Stop, out: &mut Vec<Event>) {
        self.counters.compressed_unread += 1;
        self.stopped(connection, stop, out);
    }

    pub(super) fn stopped(&mut self, connection: ConnectionId, stop: &Stop, out: &mut Vec<Event>) {
        match stop.why {
            // What the caller left out on purpose is no pipe's.
            Why::Missing(Missing::Capped) => {}
            Why::Missing(_) => self.lost(connection, out),
            _ => self.counters.malformed += 1,
        }
    }

    /// What two machines call themselves before they say anything else (RFC 1002 4.3.2).
    fn session_packet(
        &mut self,
        connection: ConnectionId,
        packet: SessionPacket,
        out: &mut Vec<Event>,
    ) {
        /// What a client calls a server whose name it does not know.
        const ANY_SERVER: &str = "*SMBSERVER";
        let Some(seen) = self.connections.get(&connection) else {
            return;
        };
        match packet {
            SessionPacket::Request { called, calling } => {
                let known = |name: String| Some(name).filter(|name| !name.is_empty());
                seen.names.client = known(calling);
                seen.names.server = known(called).filter(|name| name != ANY_SERVER);
            }
            SessionPacket::Negative(why) => {
                out.push(Event::NetbiosRefused { called: seen.names.server.clone(), why });
            }
            _ => {}
        }
    }

    pub(super) fn key(&self, unit: Unit<'_>, id: u64) -> SessionKey {
        // A NEGOTIATE response in the same unit may have told who the server is.
        let known = self.key_of(unit.connection, id);
        known.unwrap_or(SessionKey { server: unit.server, id, connection: None })
    }

    pub(super) fn key_of(&self, connection: ConnectionId, id: u64) -> Option<SessionKey> {
        let server = self.connections.peek(&connection)?.server;
        Some(SessionKey { server, id, connection: None })
    }
}
