//! [`Closed`]: sessions whose encrypted messages stay closed, and why.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::model::SessionKey;
use crate::security::Need;

/// Sessions told of; those beyond are counted with all that is encrypted, and nothing else.
const CLOSED_MAX: usize = 256;

/// A session whose encrypted messages, or some of them, stay closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Address of the server.
    pub server: IpAddr,
    /// `SessionId`.
    pub session_id: u64,
    /// `DOMAIN\user`, where it was told in clear.
    pub user: Option<String>,
    /// What it would take, and what was tried.
    pub need: Need,
    /// Messages that stay closed.
    pub messages: u64,
}

/// All of them, at most [`CLOSED_MAX`]: added by their first such message, never removed.
#[derive(Debug, Default)]
pub(in super::super) struct ClosedSessions(BTreeMap<(IpAddr, u64), Closed>);

impl ClosedSessions {
    /// Counts a message. Why it stays closed is asked for as long as that may change.
    pub(super) fn note(
        &mut self,
        server: IpAddr,
        key: SessionKey,
        user: Option<&str>,
        need: impl FnOnce() -> Need,
    ) {
        const CHANGES: u64 = 4;
        let at = (server, key.id);
        if self.0.len() >= CLOSED_MAX && !self.0.contains_key(&at) {
            return;
        }
        let closed = self.0.entry(at).or_insert_with(|| Closed {
            server,
            session_id: key.id,
            user: None,
            need: Need::default(),
            messages: 0,
        });
        closed.messages += 1;
        if closed.user.is_none() {
            closed.user = user.map(str::to_owned);
        }
        if closed.messages <= CHANGES {
            closed.need = need();
        }
    }

    /// By server and session.
    pub(in super::super) fn iter(&self) -> impl Iterator<Item = &Closed> {
        self.0.values()
    }
}
