//! Which connections lead to one server, and which sessions they carry.

use std::net::IpAddr;

use super::model::{Connection, ServerId, Session, SessionKey};
use super::protection::Agreed;
use super::{ConnectionId, Event, Smb};
use crate::bytes::{Both, Ends, Guid, Side};

/// Connections one session is remembered to use, and sessions one connection is.
const CHANNELS_MAX: usize = 1024;

impl Smb {
    pub(super) fn connect(&mut self, connection: ConnectionId, ends: Ends) -> ServerId {
        if let Some(known) = self.connections.get(&connection) {
            return known.server;
        }
        let ip = ends.server.ip();
        let server = match self.by_ip.get(&ip) {
            Some((server, _)) => *server,
            None => self.new_server(ip, false),
        };
        let names = Both::default();
        let sessions = Vec::new();
        let new = Connection {
            server,
            ip,
            dialect: None,
            names,
            sessions,
            sealed: false,
            agreed: Agreed::default(),
            mac: None,
        };
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
        let moved = |key: SessionKey| SessionKey { server: new, ..key };
        for (_, connection) in self.connections.iter_mut() {
            if connection.server == old {
                connection.server = new;
            }
            for key in connection.sessions.iter_mut().filter(|k| k.server == old) {
                *key = moved(*key);
            }
        }
        for (key, session) in self.sessions.drain(|key, _| key.server == old) {
            let to = moved(key);
            for id in &session.trees {
                if let Some(tree) = self.trees.remove(&(key, *id)) {
                    self.trees.insert((to, *id), tree);
                }
            }
            for pipe in &session.pipes {
                if let Some(tracked) = self.pipes.get(pipe) {
                    tracked.session = to;
                }
            }
            for file in session.files.values().flatten() {
                if let Some(open) = self.opens.remove(&(key, *file)) {
                    self.opens.insert((to, *file), open);
                }
            }
            match self.sessions.get(&to) {
                Some(known) => {
                    known.pipes.extend(session.pipes);
                    known.heard.extend(session.heard);
                    known.channels.extend(session.channels);
                    for (tree, files) in session.files {
                        known.files.entry(tree).or_default().extend(files);
                    }
                    known.trees.extend(session.trees);
                    known.protection.absorb(session.protection);
                }
                None => drop(self.sessions.insert(to, session)),
            }
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
                self.end_session(old, &session, None, out);
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

    pub(super) fn drop_session(&mut self, key: SessionKey, by: Option<Side>, out: &mut Vec<Event>) {
        if let Some(session) = self.sessions.remove(&key) {
            self.end_session(key, &session, by, out);
        }
    }

    fn end_session(
        &mut self,
        key: SessionKey,
        session: &Session,
        by: Option<Side>,
        out: &mut Vec<Event>,
    ) {
        for channel in &session.channels {
            if let Some(connection) = self.connections.get(channel) {
                connection.sessions.retain(|known| *known != key);
            }
        }
        for id in &session.trees {
            self.trees.remove(&(key, *id));
        }
        let files = session.files.values().flatten().map(|file| (key, *file)).collect();
        self.close_files(files, by, out);
        for pipe in &session.pipes {
            self.end_pipe(*pipe, by, out);
        }
    }
}
