//! Whether signatures of SMB 1 are right: \[MS-CIFS\] 3.1.5.1.
//!
//! A connection has one key, that of the first user who logs on over it, and counts its messages: the
//! request that logs on is 0, its answer 1, and each request after it takes two numbers, of which the
//! second is its answer's, whether that comes or not. `NT_CANCEL` alone, which is never answered,
//! takes one (\[MS-CIFS\] 3.3.5.2.3). A server that breaks an oplock counts nothing, and the signature
//! of that message is never verified (\[MS-SMB\] 3.2.5.1).
//!
//! Only logons with extended security give a key here: behind the key of one without, \[MS-CIFS\]
//! 3.1.4.1 has the response to the challenge, and such a logon is not followed. What it signs is
//! counted as not verifiable.

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
/// Numbers that are tried before the expected one: an odd message may have been counted.
const BEHIND: u32 = 8;
/// Requests in a row whose numbers are not found before few are tried again.
const UNFOUND_MAX: u32 = 64;

/// The key of a connection, and how far it has counted.
#[derive(Debug)]
pub(in super::super) struct Mac {
    key: Secret,
    /// Number of the next request.
    next: u32,
    /// Whether the key has verified a message.
    proven: bool,
    /// Whether messages may have been missed since, or counted wrongly.
    torn: bool,
    /// Requests whose number was not found, since one's was.
    unfound: u32,
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
                unfound: 0,
                awaited: FxHashMap::default(),
            });
        }
    }

    /// Messages of a connection may have been missed.
    pub(in super::super) fn tear_mac(&mut self, connection: ConnectionId) {
        let mac = self.connections.get(&connection).and_then(|of| of.mac.as_mut());
        if let Some(mac) = mac {
            mac.torn = true;
            mac.unfound = 0;
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
        if header.breaks_oplock() {
            return;
        }
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
        let searched = self.torn && self.unfound < UNFOUND_MAX;
        let ahead = if searched { AHEAD_TORN } else { AHEAD };
        let found = message.and_then(|message| {
            let numbers = self.next..=self.next.saturating_add(ahead);
            let behind = self.next.saturating_sub(BEHIND)..self.next;
            let mut numbers = numbers.chain(behind.rev());
            numbers.find(|number| self.signs(header, *number, message))
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
            self.unfound = 0;
            return Verdict::Verified;
        }
        if message.is_none() {
            return Verdict::NotVerifiable;
        }
        // Whether this one counted as it should is not known: the next are not measured by it.
        self.unfound = self.unfound.saturating_add(1);
        let accused = self.proven && !std::mem::replace(&mut self.torn, true);
        if accused { Verdict::BadSignature } else { Verdict::NotVerifiable }
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
