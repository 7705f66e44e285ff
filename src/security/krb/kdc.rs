//! [`Kdc`]: what clients and KDCs say to each other, as far as it gives session keys of tickets.
//!
//! With the secret of a user the answer to its first request opens, and gives the session key of its
//! ticket-granting ticket; with that the answers to its other requests. What is found goes to the
//! [`Keyring`], where the sessions find it.

use std::collections::VecDeque;

use super::candidates::{Found, Owner, search};
use super::crypto::{self, Etype, Key};
use super::message::{self, ApReq, KdcMessage, KdcRep, Salt, usage};
use super::session::open_ticket;
use crate::security::keys::{Given, Keyring, same};

/// Requests whose answers are awaited. Added by requests; the oldest makes room.
const REQUESTS_MAX: usize = 64;
/// Clients whose salts are remembered. Added by `KRB-ERROR`; the oldest makes room.
const CLIENTS_MAX: usize = 256;

/// Salts that are taken for one answer, the latest first.
const SALTS_MAX: usize = 64;

/// The conversation with KDCs.
#[derive(Debug, Default)]
pub struct Kdc {
    /// The keys that the answer to a `TGS-REQ` may be sealed with.
    requests: VecDeque<Request>,
    /// What was said of salts before an answer.
    salts: VecDeque<Told>,
}

#[derive(Debug)]
struct Request {
    session_key: Key,
    subkey: Option<Key>,
}

#[derive(Debug)]
struct Told {
    realm: String,
    /// Empty where the KDC does not repeat it.
    client: String,
    salts: Vec<Salt>,
}

impl Kdc {
    /// Takes the next message of either side, without the length that TCP has before it.
    pub fn message(&mut self, message: &[u8], keys: &Keyring) {
        match message::kdc_message(message) {
            Some(KdcMessage::TgsReq(request)) => self.request(&request, keys),
            Some(KdcMessage::Rep(answer)) => self.answer(&answer, keys),
            Some(KdcMessage::Salts { realm, client, salts }) => {
                self.salts.retain(|told| told.realm != realm || told.client != client);
                self.salts.truncate(CLIENTS_MAX.saturating_sub(1));
                self.salts.push_front(Told { realm, client, salts });
            }
            None => {}
        }
    }

    fn request(&mut self, request: &ApReq<'_>, keys: &Keyring) {
        if keys.is_empty() {
            return;
        }
        let ticket = request.ticket.sealed.cipher;
        let learned =
            keys.learned(ticket).and_then(|(etype, secret)| Key::new(Etype(etype), secret));
        // Whoever has the key of the KDC itself needs no user's.
        let opened = || {
            let key = open_ticket(&request.ticket, keys).ok()?.key;
            keys.learn(ticket, key.etype().0, key.secret().clone());
            Some(key)
        };
        let Some(session_key) = learned.or_else(opened) else { return };
        let sealed = request.authenticator.cipher;
        let clear = crypto::decrypt(&session_key, usage::TGS_REQ_AUTHENTICATOR, sealed);
        let Some(authenticator) = clear.and_then(|clear| message::authenticator(&clear)) else {
            return;
        };
        self.requests.truncate(REQUESTS_MAX.saturating_sub(1));
        let subkey = authenticator.subkey.key().cloned();
        self.requests.push_front(Request { session_key, subkey });
    }

    fn answer(&mut self, answer: &KdcRep<'_>, keys: &Keyring) {
        let ticket = answer.ticket.sealed.cipher;
        let name = format!("{}@{}", answer.client, answer.realm);
        let (found, untried) = if answer.initial {
            let found = self.initial(answer, keys);
            (found.opened.map(|key| (key, None)), found.untried)
        } else {
            (self.further(answer), None)
        };
        // FAST hides who it is.
        let mut client = (!answer.fast).then(|| name.clone());
        let closed = match found {
            Some((key, told)) => {
                client = told.or(client);
                keys.learn(ticket, key.etype().0, key.secret().clone());
                None
            }
            None if answer.fast && answer.initial => {
                let fast = "the KDC's answer, which would give its session key, is under FAST, which is \
                            not opened";
                Some(fast.to_owned())
            }
            // With no key at hand nobody tried.
            None if keys.is_empty() => None,
            None if answer.initial => {
                let mut closed = format!(
                    "no secret of {name} opens the KDC's answer, which would give its session key"
                );
                if let Some(untried) = untried {
                    closed.push_str(" (");
                    closed.push_str(&untried);
                    closed.push(')');
                }
                Some(closed)
            }
            None => Some(
                "with the client's secret the KDC's answer would give its session key".to_owned(),
            ),
        };
        keys.see_given(ticket, Given { client, closed });
    }

    /// The session key in an `AS-REP`, with the client's secret.
    fn initial(&self, answer: &KdcRep<'_>, keys: &Keyring) -> Found<Key> {
        let KdcRep { client, realm, .. } = answer;
        let told = self.salts.iter().filter(|told| {
            same(&told.realm, realm) && (told.client.is_empty() || same(&told.client, client))
        });
        let salts = answer.salts.iter().chain(told.flat_map(|told| &told.salts));
        let salts: Vec<Salt> = salts.take(SALTS_MAX).cloned().collect();
        let owner = Owner { name: client, realm, any_account: false, salts: &salts };
        let open = |key: &Key| {
            let clear = crypto::decrypt(key, usage::AS_REP, answer.sealed.cipher)?;
            message::enc_kdc_rep_part(&clear)
        };
        search(keys, &owner, &answer.sealed, open)
    }

    /// The session key in a `TGS-REP`, with the keys of the request that it answers, and the client if
    /// FAST hides it.
    fn further(&self, answer: &KdcRep<'_>) -> Option<(Key, Option<String>)> {
        self.requests.iter().find_map(|Request { session_key, subkey }| {
            let subkey = subkey.as_ref();
            if answer.fast {
                return fast(answer, subkey?, session_key);
            }
            let opened = subkey
                .and_then(|key| reply(answer, key, usage::TGS_REP_SUBKEY))
                .or_else(|| reply(answer, session_key, usage::TGS_REP_SESSION_KEY));
            Some((opened?, None))
        })
    }
}

/// The session key in the sealed part of an answer.
fn reply(answer: &KdcRep<'_>, key: &Key, usage: u32) -> Option<Key> {
    if key.etype() != answer.sealed.etype {
        return None;
    }
    message::enc_kdc_rep_part(&crypto::decrypt(key, usage, answer.sealed.cipher)?)
}

/// The same under FAST, whose armor is of the keys of the request itself: RFC 6113 5.4.1.1, 5.4.3.
fn fast(answer: &KdcRep<'_>, subkey: &Key, session_key: &Key) -> Option<(Key, Option<String>)> {
    let armor = crypto::combine((subkey, b"subkeyarmor"), (session_key, b"ticketarmor"))?;
    let armored = answer.armored.filter(|armored| armored.etype == armor.etype())?;
    let clear = crypto::decrypt(&armor, usage::FAST_REP, armored.cipher)?;
    let response = message::fast_response(&clear)?;
    let key = match &response.strengthen {
        Some(key) => crypto::combine((key, b"strengthenkey"), (subkey, b"replykey"))?,
        None => subkey.clone(),
    };
    Some((reply(answer, &key, usage::TGS_REP_SUBKEY)?, response.client))
}
