//! [`Preauth`]: what both sides said before they had a key.

use sha2::{Digest, Sha512};

/// 3.1.1 `PreauthIntegrityHashValue`: a chain of SHA-512 over NEGOTIATE, and, on a copy for each logon,
/// over `SESSION_SETUP` up to the last request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preauth([u8; 64]);

impl Default for Preauth {
    fn default() -> Self {
        Self([0; 64])
    }
}

impl Preauth {
    /// The hash of messages that are not here.
    #[cfg(test)]
    pub(super) fn after(octets: Vec<u8>) -> Self {
        Self(octets.try_into().unwrap())
    }

    /// Takes the next message, from its header on, without what TCP has before it.
    pub fn update(&mut self, message: &[u8]) {
        let hash = Sha512::new().chain_update(self.0).chain_update(message).finalize();
        self.0 = hash.into();
    }

    /// The hash so far.
    pub fn octets(&self) -> &[u8; 64] {
        &self.0
    }
}
