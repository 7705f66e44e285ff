//! [`Session`]: a context of NTLM, from its three messages on: \[MS-NLMP\] 3.4.
//!
//! Each side has an RC4 handle that goes on from message to message, so one that is missing leaves
//! nobody knowing where in the keystream the next one stands. The number of a message tells that one
//! is missing, and its checksum which place is right: places are tried, within bounds.

use std::cmp::Ordering;

use rc4::{KeyInit as _, Rc4, StreamCipher as _};

use super::keys::{
    NEGOTIATE_EXTENDED_SESSIONSECURITY, NEGOTIATE_KEY_EXCH, key_exchange_key, seal_key, sign_key,
};
use super::keystream::Keystream;
use super::mac::{Handle, Mac, SIGNATURE};
use super::{Authenticate, Message, read};
use crate::bytes::{Both, Side};
use crate::security::keys::{AccountSecret, Keyring};
use crate::security::{Need, Opened, Protected, Secret};

/// Octets of keystream that a message which is missing may have taken: no PDU is longer.
const PDU_MAX: usize = 1 << 16;
/// Octets of keystream that are looked through for the place of one message.
const SEARCH_MAX: usize = 1 << 20;
/// Octets that are hashed to find places again, in one context: a tenth of a second. It bounds the
/// keystream that is held, too: looking at one more octet costs [`ATTEMPT`].
const BUDGET: usize = 1 << 24;
/// The same for nobody's contexts, which anybody can make.
const BUDGET_ANONYMOUS: usize = 1 << 17;
/// Messages that may be missing between two whose numbers are told by what is opened.
const NUMBERS_MAX: u32 = 1 << 10;
/// What an attempt costs beside the octets of the message.
const ATTEMPT: usize = 128;
/// Accounts that are tried for one logon.
const ACCOUNTS_MAX: usize = 64;

/// A context of NTLM: its three messages, and the state of its ciphers.
#[derive(Debug, Default)]
pub struct Session {
    server_challenge: Option<[u8; 8]>,
    /// Whose password it takes, and what was tried.
    need: Option<Need>,
    keys: Option<Keys>,
}

/// What a session key gives.
#[derive(Debug)]
struct Keys {
    session_key: Secret,
    extended: bool,
    key_exchange: bool,
    sign: Both<Secret>,
    streams: Both<Keystream>,
    /// Whether both sides use the client's handle, as some do without extended session security.
    shared: bool,
    /// Whether head and trailer are signed, once a message has told: with extended session security
    /// implementations sign them whatever was agreed upon.
    whole: Both<Option<bool>>,
    /// Number of the next message.
    next: Both<u32>,
    /// Whether a message was verified.
    proven: Both<bool>,
    /// Whether the place in the keystream is not known.
    astray: Both<bool>,
    budget: usize,
}

impl Session {
    /// Takes the next of the three messages.
    pub fn token(&mut self, side: Side, token: &[u8], keys: &Keyring) {
        match (side, read(token)) {
            (Side::Server, Ok(Message::Challenge(told))) => {
                *self = Self {
                    server_challenge: Some(told.server_challenge),
                    need: Some(Need::of("the logon, which is not in the capture")),
                    ..Self::default()
                };
            }
            (Side::Client, Ok(Message::Authenticate(told))) => self.authenticate(&told, keys),
            _ => {}
        }
    }

    fn authenticate(&mut self, told: &Authenticate, keys: &Keyring) {
        let user = told.account();
        let mut need = Need { user: Some(user.clone()), ..Need::default() };
        let Some(challenge) = self.server_challenge else {
            "the server's challenge, which is not in the capture".clone_into(&mut need.needs);
            self.need = Some(need);
            return;
        };
        need.needs = format!("the password or NT hash of {user}");
        let exchange = if told.anonymous {
            // [MS-NLMP] 3.2.5.1.2: the key of nobody is known to everybody.
            Some(Secret::from([0; 16]))
        } else {
            find(told, challenge, keys, &mut need)
        };
        let key_exchange = told.flags & NEGOTIATE_KEY_EXCH != 0;
        let session_key = exchange.and_then(|exchange| {
            if !key_exchange {
                return Some(exchange);
            }
            let mut key: [u8; 16] = told.proof.session_key.as_slice().try_into().ok()?;
            Rc4::new_from_slice(exchange.octets()).ok()?.apply_keystream(&mut key);
            Some(Secret::from(key))
        });
        self.keys = session_key.and_then(|key| Keys::new(key, told));
        self.need = Some(need);
    }

    /// `ExportedSessionKey`.
    pub fn session_key(&self) -> Option<&Secret> {
        self.keys.as_ref().map(|keys| &keys.session_key)
    }

    /// Opens a PDU, or checks its signature. PDUs of one side come in their order; some may be missing.
    pub fn open(&mut self, side: Side, pdu: &Protected<'_>) -> Opened {
        let Some(keys) = &mut self.keys else { return Opened::closed(self.need()) };
        let Some(signature) = Mac::read(pdu.signature) else {
            return Opened::closed(Need::of(format!(
                "a signature of NTLM, which has {SIGNATURE} octets and begins with version 1"
            )));
        };
        if signature.is_dummy() {
            return Opened::closed(Need::of("a signature: the one that is there is a placeholder"));
        }
        keys.open(side, pdu, &signature)
    }

    /// Seals a PDU, whose body is in clear, or signs it: gives the body as it travels, and the
    /// signature. PDUs of one side come in their order. `None` without a session key, or without
    /// extended session security.
    pub fn protect(&mut self, side: Side, pdu: &Protected<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
        let keys = self.keys.as_mut()?;
        let number = keys.next[side];
        let used = keys.handle(side).used(pdu);
        keys.streams[side].prepare(used);
        let place = keys.streams[side].behind();
        let made = keys.handle(side).make(pdu, number, keys.streams[side].from(place))?;
        keys.streams[side].move_to(place.saturating_add(used));
        keys.next[side] = number.wrapping_add(1);
        Some(made)
    }

    /// Octets of a signature, where there is a key to sign with.
    pub fn signature_len(&self) -> Option<usize> {
        self.keys.as_ref().map(|_| SIGNATURE)
    }

    /// Whose password it takes.
    pub fn need(&self) -> Need {
        let unseen = || Need::of("the beginning of the session, which is not in the capture");
        self.need.clone().unwrap_or_else(unseen)
    }
}

/// The key that the logon proves knowledge of, if one of the secrets is that of the user.
fn find(
    told: &Authenticate,
    challenge: [u8; 8],
    keys: &Keyring,
    need: &mut Need,
) -> Option<Secret> {
    /// `RC4_HMAC`, whose keys are NT hashes.
    const RC4_HMAC: i32 = 23;
    /// Secrets that are told one by one; of more only how many there are.
    const TOLD_MAX: usize = 4;
    let mut tried = Vec::new();
    for account in keys.accounts(&told.domain, &told.user).into_iter().take(ACCOUNTS_MAX) {
        if let Some(key) = key_exchange_key(&account.secret, told, challenge) {
            return Some(key);
        }
        let what = match account.secret {
            AccountSecret::Password(_) => "password",
            AccountSecret::NtHash(_) => "NT hash",
        };
        tried.push(format!("the {what} of {} is not it", account.from));
    }
    // Who gives a file twice is told once.
    tried.dedup();
    match (tried.len(), tried.first(), keys.all_accounts().first()) {
        (0, _, Some(other)) => {
            let user = other.user.as_deref().unwrap_or_default();
            let domain = other.domain.as_deref().map_or_else(String::new, |of| format!("{of}\\"));
            need.tried.push(format!(
                "no password or NT hash that was given is that user's, the first is of {domain}{user}"
            ));
        }
        (n, Some(first), _) if n > TOLD_MAX => {
            need.tried
                .push(format!("none of the {n} secrets for that user is it, the first: {first}"));
        }
        _ => need.tried.extend(tried),
    }
    let of_user = |principal: &str| {
        let name = principal.split('@').next().unwrap_or_default();
        name.to_lowercase() == told.user.to_lowercase()
    };
    let hashes = keys
        .kerberos()
        .iter()
        .filter(|key| key.etype == RC4_HMAC && key.principal.as_deref().is_some_and(of_user));
    for key in hashes.take(ACCOUNTS_MAX) {
        let hash = AccountSecret::NtHash(key.key.clone());
        if let Some(found) = key_exchange_key(&hash, told, challenge) {
            return Some(found);
        }
        need.tried.push(format!("the arcfour key of {} is not it", key.from));
    }
    None
}

impl Keys {
    fn new(session_key: Secret, told: &Authenticate) -> Option<Self> {
        let flags = told.flags;
        let sign = Both {
            client: sign_key(Side::Client, &session_key),
            server: sign_key(Side::Server, &session_key),
        };
        let stream = |side| Keystream::new(seal_key(side, flags, &session_key).octets());
        Some(Self {
            streams: Both { client: stream(Side::Client)?, server: stream(Side::Server)? },
            sign,
            extended: flags & NEGOTIATE_EXTENDED_SESSIONSECURITY != 0,
            key_exchange: flags & NEGOTIATE_KEY_EXCH != 0,
            shared: false,
            whole: Both::default(),
            next: Both::default(),
            proven: Both::default(),
            astray: Both::default(),
            budget: if told.anonymous { BUDGET_ANONYMOUS } else { BUDGET },
            session_key,
        })
    }

    fn handle(&self, side: Side) -> Handle<'_> {
        Handle { extended: self.extended, key_exchange: self.key_exchange, sign: &self.sign[side] }
    }

    fn open(&mut self, side: Side, pdu: &Protected<'_>, signature: &Mac) -> Opened {
        let of = if self.shared { Side::Client } else { side };
        let used = self.handle(side).used(pdu);
        if let Some(opened) = self.at_place(side, of, pdu, signature) {
            return opened;
        }
        if !self.extended
            && !self.shared
            && side == Side::Server
            && !self.astray.client
            && let Some(opened) = self.at_place(side, Side::Client, pdu, signature)
        {
            self.shared = true;
            return opened;
        }
        let gap = signature.number(self.extended).map(|number| number.wrapping_sub(self.next[of]));
        if gap == Some(0) && self.proven[side] && !self.astray[of] {
            // Nothing is missing, and the key is right.
            let stream = &mut self.streams[of];
            let place = stream.behind();
            stream.prepare(used);
            stream.move_to(place.saturating_add(used));
            self.next[of] = self.next[of].wrapping_add(1);
            return Opened::bad(Need::of("an unchanged message: its checksum is wrong"));
        }
        if let Some(opened) = self.search(side, of, pdu, signature, gap) {
            return opened;
        }
        self.astray[of] = true;
        let needs = if self.proven[side] || self.budget == 0 {
            "all messages before it: some are not in the capture, and where in the keystream this one \
             stands cannot be found"
        } else {
            "a session key that fits: the one that the logon gives does not"
        };
        Opened::closed(Need::of(needs))
    }

    /// Opens what stands at the place where the keystream of `of` is.
    fn at_place(
        &mut self,
        side: Side,
        of: Side,
        pdu: &Protected<'_>,
        signature: &Mac,
    ) -> Option<Opened> {
        let used = self.handle(side).used(pdu);
        self.streams[of].prepare(used);
        let place = self.streams[of].behind();
        self.attempt(side, of, pdu, signature, place)
    }

    /// Opens what stands at `place` of the keystream of `of`, and goes on from there.
    fn attempt(
        &mut self,
        side: Side,
        of: Side,
        pdu: &Protected<'_>,
        signature: &Mac,
        place: usize,
    ) -> Option<Opened> {
        let handle = self.handle(side);
        let used = handle.used(pdu);
        let agreed = pdu.header_signed;
        let ways =
            self.whole[side].map_or([Some(agreed), Some(!agreed)], |whole| [Some(whole), None]);
        let (body, number, whole) = ways.into_iter().flatten().find_map(|header_signed| {
            let pdu = Protected { header_signed, ..*pdu };
            let keystream = self.streams[of].from(place);
            let (body, number) = handle.verify(&pdu, signature, keystream)?;
            Some((body, number, header_signed))
        })?;
        let next = number.wrapping_add(1);
        // A number that travels encrypted has to be one of the next, too.
        if !self.extended && number.wrapping_sub(self.next[of]) >= NUMBERS_MAX {
            return None;
        }
        self.whole[side] = Some(whole);
        // One that comes late leaves the place where it is.
        if place >= self.streams[of].behind() {
            self.streams[of].move_to(place.saturating_add(used));
            self.next[of] = next;
            self.astray[of] = false;
        }
        self.proven[side] = true;
        Some(Opened::verified(body))
    }

    /// Takes the cost of looking for a place from the budget, if that is enough.
    fn pay(&mut self, cost: usize) -> bool {
        let rest = self.budget.checked_sub(cost);
        self.budget = rest.unwrap_or_default();
        rest.is_some()
    }

    /// Looks for the place of a message that does not stand where the next one should.
    fn search(
        &mut self,
        side: Side,
        of: Side,
        pdu: &Protected<'_>,
        signature: &Mac,
        gap: Option<u32>,
    ) -> Option<Opened> {
        /// A number that is lower by less than this is of a message that comes late.
        const LATE: u32 = 1 << 16;
        let used = self.handle(side).used(pdu);
        let cost = pdu.body.len().saturating_add(pdu.head.len()).saturating_add(ATTEMPT);
        let place = self.streams[of].behind();
        let late = gap.is_some_and(|gap| gap.wrapping_neg() < LATE && gap != 0);
        let missing = gap.and_then(|gap| usize::try_from(gap).ok()).unwrap_or(1).max(1);
        if !pdu.sealed && !late {
            // Each took the same.
            let jump = used.saturating_mul(missing);
            if self.pay(jump.saturating_mul(ATTEMPT)) {
                self.streams[of].prepare(jump.saturating_add(used));
                let at = place.saturating_add(jump);
                if let Some(opened) = self.attempt(side, of, pdu, signature, at) {
                    return Some(opened);
                }
            }
        }
        let places: Box<dyn Iterator<Item = usize>> = if late {
            Box::new((0..place).rev())
        } else {
            let far = missing.saturating_mul(PDU_MAX).min(SEARCH_MAX);
            Box::new((place.saturating_add(1))..place.saturating_add(far))
        };
        for at in places {
            if !self.pay(cost) {
                return None;
            }
            if at.cmp(&place) != Ordering::Less {
                self.streams[of].prepare(at.saturating_sub(place).saturating_add(used));
            }
            if let Some(opened) = self.attempt(side, of, pdu, signature, at) {
                return Some(opened);
            }
        }
        None
    }
}
