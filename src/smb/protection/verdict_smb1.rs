//! Whether signatures of SMB 1 are right: \[MS-CIFS\] 3.1.5.1.
//!
//! A connection has one key, that of the first user who logs on over it, and counts its messages: the
//! request that logs on is 0, its answer 1, and each request after it has the next even number, and
//! its answer the odd one behind it. A request without an answer takes one number alone.

use rustc_hash::FxHashMap;

use super::super::model::Unit;
use super::super::{ConnectionId, Event, LogonKind, Smb, v1};
use super::Setup;
use crate::bytes::Side;
use crate::security::smb::sign_smb1;
use crate::security::{Secret, Verdict};

/// Requests whose answer has a known number.
const AWAITED_MAX: usize = 4096;
/// Numbers that are tried behind the expected one.
const AHEAD: u32 = 8;
/// The same where messages may have been lost.
const AHEAD_TORN: u32 = 512;

/// The key of a connection, and how far it has counted.
#[derive(Debug)]
pub(in super::super) struct Mac {
    key: Secret,
    /// Number of the next request.
    next: u32,
    /// Whether the key has verified a message.
    proven: bool,
    /// Whether messages may have been missed since.
    torn: bool,
    /// Numbers of answers, by request. Added by requests, removed by answers.
    awaited: FxHashMap<v1::RequestId, u32>,
}

impl Smb {
    /// A logon of SMB1 has succeeded.
    pub(in super::super) fn keyed_smb1(
        &mut self,
        connection: ConnectionId,
        setup: Option<Setup>,
        how: LogonKind,
    ) {
        let Some(setup) = setup.filter(|_| how == LogonKind::User) else {
            return;
        };
        let Some(key) = setup.context().session_key() else { return };
        if let Some(connection) = self.connections.get(&connection)
            && connection.mac.is_none()
        {
            connection.mac = Some(Mac {
                key: key.clone(),
                next: 2,
                proven: false,
                torn: false,
                awaited: FxHashMap::default(),
            });
        }
    }

    /// Messages of a connection may have been missed.
    pub(in super::super) fn tear_mac(&mut self, connection: ConnectionId) {
        let mac = self.connections.get(&connection).and_then(|of| of.mac.as_mut());
        if let Some(mac) = mac {
            mac.torn = true;
            mac.awaited.clear();
        }
    }

    /// Looks at the signature of a message, and counts what it finds. The answer to a logon is
    /// looked at once its key is known.
    pub(in super::super) fn verify_smb1(
        &mut self,
        unit: Unit<'_>,
        header: &v1::Header,
        out: &mut Vec<Event>,
    ) {
        let view = unit.view.from(super::super::Nbss::SIZE);
        let whole = unit.complete && view.holes().next().is_none();
        let message = Some(view.bytes()).filter(|_| whole && header.is_signed());
        let of = self.connections.get(&unit.connection).and_then(|of| of.mac.as_mut());
        let verdict = of.map_or(Verdict::NotVerifiable, |mac| mac.verdict(header, message));
        if !header.is_signed() {
            return;
        }
        self.counters.signed(verdict);
        if verdict == Verdict::BadSignature {
            let key = self.key_smb1(unit.connection, header.uid);
            let user = key.and_then(|key| self.sessions.peek(&key)?.user.clone());
            let by = if header.is_response() { Side::Server } else { Side::Client };
            let session_id = header.uid.into();
            let command = header.command;
            let unnamed = || format!("command {}", command.0);
            let command = command.name().map_or_else(unnamed, str::to_owned);
            out.push(Event::BadSignature { session_id, user, by, command });
        }
    }
}

impl Mac {
    /// Counts a message, and says what its signature is worth if there is one to look at.
    fn verdict(&mut self, header: &v1::Header, message: Option<&[u8]>) -> Verdict {
        if header.is_response() {
            let logs_on = header.command == v1::Command::SESSION_SETUP_ANDX && !self.proven;
            let number = self.awaited.remove(&header.id());
            let number = number.or_else(|| logs_on.then_some(1));
            return match number.zip(message) {
                Some((number, message)) => self.judge(header, number, message),
                None => Verdict::NotVerifiable,
            };
        }
        let ahead = if self.torn { AHEAD_TORN } else { AHEAD };
        let numbers = self.next..=self.next.saturating_add(ahead);
        let found = message.and_then(|message| {
            numbers.into_iter().find(|number| self.signs(header, *number, message))
        });
        let number = found.unwrap_or(self.next);
        let step = if header.command == v1::Command::NT_CANCEL { 1 } else { 2 };
        self.next = number.saturating_add(step);
        if self.awaited.len() >= AWAITED_MAX {
            self.awaited.clear();
        }
        if step == 2 {
            self.awaited.insert(header.id(), number.saturating_add(1));
        }
        if found.is_some() {
            self.proven = true;
            self.torn = false;
            return Verdict::Verified;
        }
        match message {
            Some(_) if self.proven && !self.torn => Verdict::BadSignature,
            _ => Verdict::NotVerifiable,
        }
    }

    fn judge(&mut self, header: &v1::Header, number: u32, message: &[u8]) -> Verdict {
        if self.signs(header, number, message) {
            self.proven = true;
            return Verdict::Verified;
        }
        if self.proven && !self.torn { Verdict::BadSignature } else { Verdict::NotVerifiable }
    }

    fn signs(&self, header: &v1::Header, number: u32, message: &[u8]) -> bool {
        sign_smb1(&self.key, message, number) == Some(header.security_features)
    }
}
