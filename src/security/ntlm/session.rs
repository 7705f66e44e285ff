//! [`Session`]: a context of NTLM.

use crate::bytes::Side;
use crate::security::keys::Keyring;
use crate::security::{Need, Opened, Protected, Secret};

/// A context of NTLM: its three messages, and the state of its ciphers.
#[derive(Debug, Default)]
pub struct Session {
    /// Whether SPNEGO had it sign the list of mechanisms.
    pub mic: bool,
}

impl Session {
    /// Takes the next of the three messages.
    pub fn token(&mut self, _side: Side, _token: &[u8], _keys: &Keyring) {}

    /// `ExportedSessionKey`.
    pub fn session_key(&self) -> Option<&Secret> {
        None
    }

    /// Opens a PDU, or checks its signature.
    pub fn open(&mut self, _side: Side, _pdu: &Protected<'_>) -> Opened {
        Opened::closed(self.need())
    }

    /// Whose password it takes.
    pub fn need(&self) -> Need {
        Need::of("")
    }
}
