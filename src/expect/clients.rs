//! [`Clients`]: which client of which server a call is of.
//!
//! A client is told by its address, and by its SMB session: over several channels, one session has
//! several addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::call::{Call, Party, Transport};

/// Clients of servers that are followed; those beyond are not.
const MAX_PAIRS: usize = 4096;
/// SMB sessions by which addresses are known to be of one client.
const MAX_SESSIONS: usize = 4096;

/// Clients of servers, by number.
#[derive(Debug, Default)]
pub(super) struct Clients {
    /// By the addresses of client and server. Added with the first call, no more than [`MAX_PAIRS`].
    pairs: BTreeMap<(IpAddr, IpAddr), usize>,
    /// By SMB session. Added with its first call, no more than [`MAX_SESSIONS`].
    sessions: BTreeMap<u64, Vec<Session>>,
    /// How many sessions there are.
    known: usize,
    /// By the name of a client and its server. Added with the first call, no more than [`MAX_PAIRS`].
    names: BTreeMap<(String, Host), usize>,
    /// How many clients there are: no more than pairs.
    all: usize,
    /// There were more than are followed.
    beyond: bool,
    /// One client may have been taken for several.
    several: bool,
}

/// A server by its name; by its address where it has none.
type Host = (Option<String>, Option<IpAddr>);

/// An SMB session at a server: ids are of one server, and others may have the same.
#[derive(Debug)]
struct Session {
    server: Party,
    client: Option<String>,
    /// Whose it is.
    of: usize,
}

impl Clients {
    /// Whose call it is; nobody's if there are too many.
    pub(super) fn who(&mut self, call: &Call) -> Option<usize> {
        let Call { client, server, .. } = call;
        let pair = (client.addr.ip(), server.addr.ip());
        let by_pair = self.pairs.get(&pair).copied();
        if by_pair.is_none() && self.pairs.len() >= MAX_PAIRS {
            self.beyond = true;
            return None;
        }
        let session = session(call);
        let by_session = session.and_then(|id| self.of_session(id, client, server));
        self.several |= by_session.is_some_and(|of| by_pair.is_some_and(|other| other != of));
        let of = by_session.or(by_pair).unwrap_or_else(|| {
            self.all += 1;
            self.all - 1
        });
        self.pairs.entry(pair).or_insert(of);
        if let Some(id) = session.filter(|_| by_session.is_none()) {
            if self.known < MAX_SESSIONS {
                let (server, client) = (server.clone(), client.name.clone());
                self.sessions.entry(id).or_default().push(Session { server, client, of });
                self.known += 1;
            } else {
                self.beyond = true;
            }
        }
        if let Some(name) = &client.name {
            let lower = |name: &String| name.to_lowercase();
            let address = Some(server.addr.ip()).filter(|_| server.name.is_none());
            let key = (lower(name), (server.name.as_ref().map(lower), address));
            match self.names.get(&key) {
                Some(known) => self.several |= *known != of,
                None if self.names.len() >= MAX_PAIRS => self.beyond = true,
                None => _ = self.names.insert(key, of),
            }
        }
        Some(of)
    }

    /// Whose session it is, if it has been seen.
    fn of_session(&mut self, id: u64, client: &Party, server: &Party) -> Option<usize> {
        let differ = |a: &Option<String>, b: &Option<String>| {
            a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| !a.eq_ignore_ascii_case(b))
        };
        for known in self.sessions.get(&id)? {
            if differ(&known.server.name, &server.name) || differ(&known.client, &client.name) {
                continue;
            }
            let named = known.server.name.is_some() && server.name.is_some();
            if named || known.server.addr.ip() == server.addr.ip() {
                return Some(known.of);
            }
            // Another address of the same server, or another server.
            self.several = true;
        }
        None
    }

    /// Why one of them may have done more than is known.
    pub(super) fn doubt(&self) -> Option<String> {
        let beyond = || format!("there are more than {MAX_PAIRS} clients or sessions");
        let several = || "a client seems to have several addresses".to_owned();
        self.beyond.then(beyond).or_else(|| self.several.then(several))
    }
}

/// The SMB session of a call, where its id is of a whole server: SMB 1 has ids of a connection, of 16
/// bits.
fn session(call: &Call) -> Option<u64> {
    let Transport::NamedPipe(pipe) = &call.transport else { return None };
    Some(pipe.session_id).filter(|id| *id > u16::MAX.into() && pipe.dialect.as_deref() != Some("1"))
}
