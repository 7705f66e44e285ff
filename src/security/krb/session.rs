//! [`Session`]: a context of Kerberos (RFC 4121, \[MS-KILE\] 3.4.5).

use super::candidates::{Owner, search};
use super::crypto::{self, Etype, Key};
use super::gss::{self, ContextKeys, Fault};
use super::message::{self, AP_REP, AP_REQ, ApReq, EncTicketPart, Sealed, Subkey, Ticket, usage};
use super::protect::{self, Choice, FILLER};
use crate::bytes::{Both, Side};
use crate::security::der;
use crate::security::kerberos::KRB_ERROR;
use crate::security::keys::{Keyring, Sought};
use crate::security::tokens::{GSS, OID};
use crate::security::{Need, Opened, Protected, Secret};

/// A context of Kerberos: its tokens in order, and what they agree on.
#[derive(Debug, Default)]
pub struct Session {
    /// Whether a ticket was seen.
    begun: bool,
    /// Whether the client wants the server's answer, without which the keys are not settled.
    mutual: bool,
    answered: bool,
    keys: Option<ContextKeys>,
    /// PDUs protected here.
    sent: Both<u32>,
    /// Whether a PDU of a side was verified: then the keys are right.
    proven: Both<bool>,
    /// Whether head and trailer are signed, once a PDU has told: what both sides agreed on may not be in
    /// the capture.
    whole: Option<bool>,
    need: Need,
}

impl Session {
    /// Takes the next token: AP-REQ, AP-REP, with or without the frame of GSS-API.
    pub fn token(&mut self, side: Side, token: &[u8], keys: &Keyring) {
        let message = unframed(token);
        match message.first() {
            Some(&AP_REQ) => self.begin(message, keys),
            Some(&AP_REP) => self.answer(side, message),
            Some(&KRB_ERROR) if !self.answered => {
                self.keys = None;
                self.need =
                    Need { needs: "a ticket that the server takes".into(), ..self.need.clone() };
            }
            _ => {}
        }
    }

    /// The key that others derive theirs from: the subkey the server chose, else the client's, else
    /// that of the ticket. `None` also while the server's answer is still to come.
    pub fn session_key(&self) -> Option<&Secret> {
        let keys = self.keys.as_ref().filter(|_| self.answered || !self.mutual)?;
        Some(keys.session_key().ok()?.secret())
    }

    /// Opens a PDU, or checks its signature.
    pub fn open(&mut self, side: Side, pdu: &Protected<'_>) -> Opened {
        let Some(keys) = &self.keys else { return Opened::closed(self.need()) };
        let agreed = pdu.header_signed;
        let other = if self.whole.is_none() { Some(!agreed) } else { None };
        let open = |header_signed| {
            let body = gss::open(keys, side, &Protected { header_signed, ..*pdu })?;
            Ok((body, header_signed))
        };
        let opened = match (open(self.whole.unwrap_or(agreed)), other) {
            (Err(fault @ Fault::Wrong(_)), Some(other)) => open(other).map_err(|_| fault),
            (first, _) => first,
        };
        match opened {
            Ok((body, whole)) => {
                self.whole = Some(whole);
                self.proven[side] = true;
                Opened::verified(body)
            }
            Err(Fault::Wrong(why)) if self.proven[side] => Opened::bad(self.about(why)),
            Err(fault) => Opened::closed(self.about(&self.words(fault))),
        }
    }

    /// What is in the way, where nobody is to blame.
    fn words(&self, fault: Fault) -> String {
        match fault {
            Fault::NoAcceptorKey if self.answered => NO_SUBKEY.to_owned(),
            Fault::NoAcceptorKey => NO_ANSWER.to_owned(),
            Fault::Subkey(Some(etype)) => {
                format!("a subkey of an encryption type that can be read, which {etype} cannot")
            }
            Fault::Subkey(None) => "a subkey that can be read".to_owned(),
            Fault::Unknown(why) => why.to_owned(),
            Fault::Wrong(_) => UNPROVEN.to_owned(),
        }
    }

    /// Seals a PDU, whose body is in clear, or signs it: gives the body as it travels, and the
    /// signature. `confounder` is chance. `None` without the keys.
    pub fn protect(
        &mut self,
        side: Side,
        pdu: &Protected<'_>,
        confounder: &[u8; 16],
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let choice = Choice { number: self.sent[side], confounder, filler: FILLER };
        let made = protect::protect(self.keys.as_ref()?, side, pdu, choice)?;
        self.sent[side] = self.sent[side].wrapping_add(1);
        Some(made)
    }

    /// Octets of a signature, where there is a key to sign with.
    pub fn signature_len(&self, sealed: bool) -> Option<usize> {
        protect::signature_len(self.keys.as_ref()?, sealed)
    }

    /// Whose key it takes, or what else is in the way.
    pub fn need(&self) -> Need {
        if !self.begun {
            return Need::of(
                "the beginning of the session, with its ticket, which is not in the capture",
            );
        }
        if self.keys.is_some() && self.mutual && !self.answered {
            return self.about(NO_ANSWER);
        }
        if let Some(fault) = self.keys.as_ref().and_then(|keys| keys.session_key().err()) {
            return self.about(&self.words(fault));
        }
        self.need.clone()
    }

    /// The same, with something else in the way.
    fn about(&self, needs: &str) -> Need {
        Need { needs: needs.to_owned(), tried: Vec::new(), ..self.need.clone() }
    }

    /// A client asks for a session, perhaps for a new one.
    fn begin(&mut self, message: &[u8], keys: &Keyring) {
        *self = Self { begun: true, ..Self::default() };
        let Some(asked) = message::ap_req(message) else {
            self.need = Need::of("an AP-REQ that can be read");
            return;
        };
        let ApReq { ticket, authenticator, .. } = &asked;
        self.mutual = asked.mutual_required;
        self.need = needed(&asked, keys);
        // The authenticator proves the session key; where it cannot be read, a ticket still does.
        let open = |session_key: &Key| {
            let clear =
                crypto::decrypt(session_key, usage::AP_REQ_AUTHENTICATOR, authenticator.cipher)?;
            message::authenticator(&clear)
        };
        let learned = keys.learned(ticket.sealed.cipher).and_then(|(etype, secret)| {
            let key = Key::new(Etype(etype), secret)?;
            let authenticator = open(&key)?;
            Some((key, authenticator))
        });
        let opened = learned.or_else(|| {
            let found = open_ticket(ticket, keys);
            match found {
                Ok(EncTicketPart { key, client }) => {
                    self.need.user = Some(client);
                    let authenticator = open(&key);
                    if authenticator.is_none() {
                        self.need.needs = String::from(UNFIT);
                        self.need.tried.clear();
                    }
                    authenticator.map(|authenticator| (key, authenticator))
                }
                Err(tried) => {
                    self.need.tried.extend(tried);
                    None
                }
            }
        });
        if let Some((ticket, authenticator)) = opened {
            self.need =
                Need { user: Some(authenticator.client), tried: Vec::new(), ..self.need.clone() };
            self.need.needs = String::new();
            self.keys = Some(ContextKeys {
                ticket,
                initiator: authenticator.subkey,
                acceptor: Subkey::Absent,
            });
        }
    }

    /// The server's answer; in DCE style the client sends one too, which says nothing new.
    fn answer(&mut self, side: Side, message: &[u8]) {
        if !self.begun || side != Side::Server {
            return;
        }
        let Some(keys) = &mut self.keys else { return };
        let part = message::ap_rep(message).and_then(|sealed| {
            let clear = crypto::decrypt(&keys.ticket, usage::AP_REP, sealed.cipher)?;
            message::enc_ap_rep_part(&clear)
        });
        if let Some(part) = part {
            keys.acceptor = part.subkey;
            self.answered = true;
        }
    }
}

const UNFIT: &str = "an authenticator that the session key of its ticket opens";
const NO_SUBKEY: &str =
    "the subkey that it names, which the server's answer (AP-REP) does not have";
const UNPROVEN: &str = "keys that fit: with those that the tokens give its signature is not right, nor was one \
                        of its side before";
const NO_ANSWER: &str = "the server's answer to the ticket (AP-REP), which is not in the capture";

/// What opens a ticket, or what was tried. It is searched once: a client shows its ticket again and again.
pub(super) fn open_ticket(
    ticket: &Ticket<'_>,
    keys: &Keyring,
) -> Result<EncTicketPart, Vec<String>> {
    let Sealed { etype, kvno, cipher } = ticket.sealed;
    let (etype, kvno) = (etype.0.to_le_bytes(), kvno.map(u32::to_le_bytes));
    // Of all this only the cipher is protected: under another name other keys are tried.
    let id: [&[u8]; 5] = [
        ticket.service.as_bytes(),
        ticket.realm.as_bytes(),
        &etype,
        kvno.as_ref().map_or(&[], |kvno| kvno),
        cipher,
    ];
    match keys.sought(&id) {
        Some(Sought::Opened { etype, key, client }) => {
            let key = Key::new(Etype(etype), key);
            return key.map(|key| EncTicketPart { key, client }).ok_or_else(Vec::new);
        }
        Some(Sought::Closed(tried)) => return Err(tried),
        None => {}
    }
    let owner =
        Owner { name: &ticket.service, realm: &ticket.realm, any_account: true, salts: &[] };
    let found = search(keys, &owner, &ticket.sealed, |key| {
        let clear = crypto::decrypt(key, usage::TICKET, cipher)?;
        message::enc_ticket_part(&clear)
    });
    let sought = match &found.opened {
        Some(EncTicketPart { key, client }) => Sought::Opened {
            etype: key.etype().0,
            key: key.secret().clone(),
            client: client.clone(),
        },
        None => Sought::Closed(found.tried.clone()),
    };
    keys.see_sought(&id, sought);
    found.opened.ok_or(found.tried)
}

/// What it takes to open the ticket of an `AP-REQ`.
fn needed(asked: &ApReq<'_>, keys: &Keyring) -> Need {
    use std::fmt::Write as _;
    let ticket = &asked.ticket;
    let (service, etype) = (ticket.name(), ticket.sealed.etype.to_string());
    let needs = if asked.use_session_key {
        format!("the session key of the ticket that {service} itself has (user to user)")
    } else if ticket.sealed.etype.key_len().is_none() {
        format!("a ticket of an encryption type that can be opened, which {etype} cannot")
    } else {
        let mut needs = format!("a key of {service}, {etype}");
        if let Some(kvno) = ticket.sealed.kvno {
            // A String takes it.
            let _ = write!(needs, ", kvno {kvno}");
        }
        needs
    };
    let given = keys.given(ticket.sealed.cipher);
    Need {
        user: given.as_ref().and_then(|given| given.client.clone()),
        service: Some(service),
        etype: Some(etype),
        kvno: ticket.sealed.kvno,
        needs,
        tried: given.and_then(|given| given.closed).into_iter().collect(),
    }
}

/// The message in a token: RFC 4121 4.1 puts a frame and two octets before it.
pub(super) fn unframed(token: &[u8]) -> &[u8] {
    let in_frame = || {
        let (oid, rest) = der::element(der::open(token, GSS)?)?;
        (oid.tag == OID).then_some(rest)
    };
    let inner = in_frame().unwrap_or(token);
    match inner {
        [1..=3, 0, message @ ..] => message,
        _ => inner,
    }
}

#[cfg(test)]
#[path = "tests/session.rs"]
mod tests;
