//! Opens encrypted messages: 3.2.5.1.1 and 3.3.5.2.1 Decrypting the Message.

use super::super::framing::{HEADER_MAX, PDU_MAX};
use super::super::header::{COMPRESSED, SMB2};
use super::super::model::{SessionKey, Unit};
use super::super::transform::TRANSFORM_SIZE;
use super::super::{ConnectionId, Event, Nbss, Packet, Plain, Smb, Transform, dissect};
use super::{FAILURES_MAX, Protection};
use crate::bytes::{Both, Buffer, Framed, Reader, Side, Stop, View, clamp, index};
use crate::security::Need;
use crate::security::smb::open;

/// An encrypted message longer than this is held no further than its header: no pipe carries such.
pub(in super::super) const SEALED_MAX: u32 = TRANSFORM_SIZE + HEADER_MAX + PDU_MAX;

/// What became of an encrypted message.
enum Attempt {
    Opened(Vec<u8>),
    /// It is longer than what pipes carry, of a session that can be opened.
    Bulk,
    /// It is not what its sender sealed: others of the session opened.
    Bad,
    /// Bytes of it are not in the capture.
    Missing,
    Closed,
}

impl Smb {
    /// Whether there are keys that may open a session.
    pub(in super::super) fn may_open(&self, connection: ConnectionId, session: u64) -> bool {
        let key = self.key_of(connection, session);
        let known = key.and_then(|key| self.sessions.peek(&key)).map(|known| &known.protection);
        match known.filter(|protection| protection.settled) {
            Some(protection) => protection.may_open(),
            None => self.keys.smb(session).next().is_some(),
        }
    }

    /// Takes an encrypted message of `whole` octets, and gives what is in it.
    pub(in super::super) fn sealed(
        &mut self,
        unit: Unit<'_>,
        transform: Transform,
        whole: u32,
        out: &mut Vec<Event>,
    ) -> Option<Plain> {
        self.counters.sealed += 1;
        self.counters.sealed_bytes += u64::from(whole);
        let key = self.key(unit, transform.session_id);
        if self.sessions.peek(&key).is_none() && self.keys.smb(key.id).next().is_some() {
            self.join(unit.connection, key, out);
        }
        self.settle(unit.connection, key);
        let session = self.sessions.get(&key);
        let attempt =
            session.map_or(Attempt::Closed, |session| session.protection.attempt(unit, whole));
        match attempt {
            Attempt::Opened(message) => {
                self.counters.opened += 1;
                let plain = self.unsealed(unit, &message, out);
                if plain.is_none() {
                    self.lost(unit.connection, out);
                }
                return plain;
            }
            Attempt::Bulk => {
                self.counters.sealed_bulk += 1;
                return None;
            }
            Attempt::Bad => {
                self.counters.sealed_bad += 1;
                self.lost(unit.connection, out);
            }
            Attempt::Missing => {
                self.counters.sealed_torn += 1;
                self.note_closed(unit, key, Some("all of its bytes, some of which are missing"));
                self.lost(unit.connection, out);
            }
            Attempt::Closed => self.note_closed(unit, key, None),
        }
        let seen = self.connections.get(&unit.connection);
        if seen.is_some_and(|seen| !std::mem::replace(&mut seen.sealed, true)) {
            out.push(Event::Sealed);
        }
        None
    }

    /// What was in an encrypted message: as much of it as would have been asked for in clear.
    fn unsealed(&mut self, unit: Unit<'_>, message: &[u8], out: &mut Vec<Event>) -> Option<Plain> {
        let connection = unit.connection;
        let whole = clamp(message.len());
        if message.starts_with(&COMPRESSED) {
            // The length of a transport header is one of 24 bits, and the message shorter.
            let framed = [&whole.to_be_bytes(), message].concat();
            let mut inner = Buffer::default();
            inner.push_made(&framed, unit.view);
            let mut opened = Buffer::default();
            opened.push_made(message, unit.view);
            let plain = self.expanded(connection, inner.view());
            return match plain {
                Ok(plain) => Some(Plain { sealed: true, opened: Some(opened), ..plain }),
                Err(stop) => {
                    self.unread(connection, &stop, out);
                    None
                }
            };
        }
        if !message.starts_with(&SMB2) {
            self.counters.malformed += 1;
            return None;
        }
        let framed = [&[0; 4], message].concat();
        let keep = match self.frame_smb2(connection, &framed, whole.saturating_add(Nbss::SIZE)) {
            Framed::Skim { keep, .. } => keep.saturating_sub(Nbss::SIZE),
            _ => whole,
        };
        let mut kept = Buffer::default();
        kept.push_made(message.get(..index(keep)).unwrap_or(message), unit.view);
        Some(Plain { message: kept, whole, sealed: true, opened: None })
    }

    /// A compressed message that was in an encrypted one.
    fn expanded(&mut self, connection: ConnectionId, unit: View<'_>) -> Result<Plain, Stop> {
        match dissect(&mut Reader::new(unit, &mut ()), |_| {}) {
            Ok(Packet::Compressed(transform)) => {
                self.counters.compressed(&transform.payloads);
                self.plain(connection, unit, &transform)
            }
            Ok(_) => Err(Stop::malformed(0, "what is encrypted is no message")),
            Err(stop) => {
                self.counters.compressed(&[]);
                Err(stop)
            }
        }
    }

    /// Notes that a message of a session stays closed, and why.
    fn note_closed(&mut self, unit: Unit<'_>, key: SessionKey, missing: Option<&str>) {
        let ip = self.connections.peek(&unit.connection).map(|of| of.ip);
        let session = self.sessions.peek(&key);
        let user = session.and_then(|session| session.user.as_deref());
        let protection = session.map(|session| &session.protection);
        if let Some(ip) = ip {
            self.closed_sessions.note(ip, key, user, || {
                if let Some(missing) = missing {
                    return Need::of(missing);
                }
                let settled = protection.filter(|protection| protection.settled);
                settled.map_or_else(
                    || Need::of("the beginning of the session, which is not in the capture"),
                    |protection| protection.need.clone(),
                )
            });
        }
    }
}

impl Protection {
    fn attempt(&mut self, unit: Unit<'_>, whole: u32) -> Attempt {
        if !self.may_open() {
            return Attempt::Closed;
        }
        let here = unit.complete && unit.view.holes().next().is_none();
        if !here {
            let proven = self.proven.client || self.proven.server;
            return match (proven, whole > SEALED_MAX) {
                (true, true) => Attempt::Bulk,
                (_, false) => Attempt::Missing,
                (false, true) => Attempt::Closed,
            };
        }
        // Half of what two say is worse than nothing: it looks as if the other did not answer.
        let lacks = |side: &Side| self.sealers.iter().all(|sealer| sealer.keys[*side].is_none());
        if Side::BOTH.iter().any(lacks) {
            let what = self.sealers.iter().map(|sealer| sealer.what.clone()).next();
            let what = what.unwrap_or_default();
            self.tried(format!("{what} is of one direction only, and it takes both"));
            return Attempt::Closed;
        }
        let sealed = unit.view.from(Nbss::SIZE).bytes();
        for (at, sealer) in self.sealers.iter().enumerate() {
            for side in Side::BOTH {
                let Some(key) = &sealer.keys[side] else { continue };
                let Some(message) = open(sealer.cipher, key, sealed) else { continue };
                if !self.proven[side] {
                    self.prove(at, side);
                }
                return Attempt::Opened(message);
            }
        }
        if self.proven.client && self.proven.server {
            return Attempt::Bad;
        }
        self.failures = self.failures.saturating_add(1).min(FAILURES_MAX);
        let what: Vec<String> = self
            .sealers
            .iter()
            .map(|sealer| format!("{} does not open it with {}", sealer.what, sealer.cipher.name()))
            .collect();
        for what in what {
            self.tried(what);
        }
        Attempt::Closed
    }

    /// The key of a side is that of the sealer at this place: those of others for it are wrong, and
    /// so is what they have for the other side, if it comes from the same session key.
    fn prove(&mut self, at: usize, side: Side) {
        self.proven[side] = true;
        let Some(right) = self.sealers.get(at) else { return };
        let (cipher, derived) = (right.cipher, right.derived);
        if derived {
            self.proven = Both { client: true, server: true };
        }
        let mut place = 0..;
        self.sealers.retain_mut(|sealer| {
            if place.next() == Some(at) {
                return true;
            }
            sealer.keys[side] = None;
            let left = Side::BOTH.iter().any(|side| sealer.keys[*side].is_some());
            left && !derived && !sealer.derived && sealer.cipher == cipher
        });
    }
}

impl Plain {
    /// Whether it was compressed.
    pub(in super::super) fn was_compressed(&self) -> bool {
        !self.sealed || self.opened.is_some()
    }

    /// What was in the encrypted message: the message, or what it was compressed to. Behind what is
    /// here, `whole` octets are told.
    pub fn opened(&self) -> Option<(View<'_>, u32)> {
        if !self.sealed {
            return None;
        }
        Some(match &self.opened {
            Some(opened) => (opened.view(), opened.len()),
            None => (self.message.view(), self.whole),
        })
    }
}
