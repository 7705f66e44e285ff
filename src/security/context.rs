//! [`Context`]: one security context, from its first token on.

use super::keys::Keyring;
use super::tokens::{Carried, Mechanism, carried};
use super::{Need, Opened, Protected, Secret, krb, ntlm};
use crate::bytes::Side;

/// A security context: takes its tokens in order, and opens what it protects.
#[derive(Debug, Default)]
pub struct Context {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// No token was seen.
    #[default]
    Unseen,
    Ntlm(Box<ntlm::Session>),
    Kerberos(Box<krb::Session>),
    /// A mechanism that nothing here opens.
    Other,
}

impl Context {
    /// Takes the next token, whatever wraps it.
    pub fn token(&mut self, side: Side, token: &[u8], keys: &Keyring) {
        let Some(Carried { mechanism, inner }) = carried(token) else {
            // Not even a mechanism is named: what follows is opened by nothing here.
            if matches!(self.state, State::Unseen) {
                self.state = State::Other;
            }
            return;
        };
        match (&mut self.state, mechanism) {
            (State::Ntlm(_), Some(Mechanism::Ntlm) | None)
            | (State::Kerberos(_), Some(Mechanism::Kerberos) | None) => {}
            // What SPNEGO's client tried first may be what the server does not take.
            (_, Some(Mechanism::Ntlm)) if inner.is_some() => {
                self.state = State::Ntlm(Box::default());
            }
            (_, Some(Mechanism::Kerberos)) if inner.is_some() => {
                self.state = State::Kerberos(Box::default());
            }
            (State::Unseen, Some(Mechanism::Other)) => self.state = State::Other,
            _ => return,
        }
        let Some(inner) = inner else { return };
        match &mut self.state {
            State::Ntlm(session) => session.token(side, inner, keys),
            State::Kerberos(session) => session.token(side, inner, keys),
            State::Unseen | State::Other => {}
        }
    }

    /// The key that others derive theirs from, if the secrets at hand give it.
    pub fn session_key(&self) -> Option<&Secret> {
        match &self.state {
            State::Ntlm(session) => session.session_key(),
            State::Kerberos(session) => session.session_key(),
            State::Unseen | State::Other => None,
        }
    }

    /// Who the client is, where only an opened ticket tells it: `user@REALM`.
    pub fn client(&self) -> Option<String> {
        match &self.state {
            State::Kerberos(session) => session.session_key().and_then(|_| session.need().user),
            // It says so in clear.
            State::Ntlm(_) | State::Unseen | State::Other => None,
        }
    }

    /// Opens a PDU, or checks its signature. PDUs of one side come in their order.
    pub fn open(&mut self, side: Side, pdu: &Protected<'_>) -> Opened {
        match &mut self.state {
            State::Ntlm(session) => session.open(side, pdu),
            State::Kerberos(session) => session.open(side, pdu),
            State::Unseen | State::Other => Opened::closed(self.need()),
        }
    }

    /// Seals a PDU, whose body is in clear, or signs it, as its sender does: gives the body as it
    /// travels, and the signature. `confounder` is chance. PDUs of one side come in their order.
    pub fn protect(
        &mut self,
        side: Side,
        pdu: &Protected<'_>,
        confounder: &[u8; 16],
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        match &mut self.state {
            State::Ntlm(session) => session.protect(side, pdu),
            State::Kerberos(session) => session.protect(side, pdu, confounder),
            State::Unseen | State::Other => None,
        }
    }

    /// Octets of a signature that is made here; `None` without a key to sign with.
    pub fn signature_len(&self, sealed: bool) -> Option<usize> {
        match &self.state {
            State::Ntlm(session) => session.signature_len(),
            State::Kerberos(session) => session.signature_len(sealed),
            State::Unseen | State::Other => None,
        }
    }

    /// What it would take to open it; nothing, where there is a session key.
    pub fn need(&self) -> Need {
        match &self.state {
            State::Ntlm(session) => session.need(),
            State::Kerberos(session) => session.need(),
            State::Unseen => Need::of("the beginning of the session, which is not in the capture"),
            State::Other => {
                Need::of("a mechanism that cannot be opened: neither NTLM nor Kerberos")
            }
        }
    }
}
