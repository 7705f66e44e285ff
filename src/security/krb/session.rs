//! [`Session`]: a context of Kerberos (RFC 4121, \[MS-KILE\] 3.4.5).

use crate::bytes::Side;
use crate::security::keys::Keyring;
use crate::security::{Need, Opened, Protected, Secret};

/// A context of Kerberos: its tokens in order, and what they agree on.
#[derive(Debug, Default)]
pub struct Session {}

impl Session {
    /// Takes the next token: AP-REQ, AP-REP, with or without the frame of GSS-API.
    pub fn token(&mut self, _side: Side, _token: &[u8], _keys: &Keyring) {}

    /// The key that others derive theirs from: the subkey the server chose, else the client's, else
    /// that of the ticket.
    pub fn session_key(&self) -> Option<&Secret> {
        None
    }

    /// Opens a PDU, or checks its signature.
    pub fn open(&self, _side: Side, _pdu: &Protected<'_>) -> Opened {
        Opened::closed(self.need())
    }

    /// Whose key it takes.
    pub fn need(&self) -> Need {
        Need::of("")
    }
}
