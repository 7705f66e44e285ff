//! 3.1.4.2 Generating Cryptographic Keys

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Cipher, Preauth};
use crate::bytes::Both;
use crate::security::Secret;

/// How keys come from a session key, which the dialect decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derivation<'a> {
    /// 2.0.2 and 2.1: the session key signs.
    Direct,
    /// 3.0 and 3.0.2.
    Fixed,
    /// 3.1.1, by what was said before.
    Preauth(&'a Preauth),
}

/// Octets of `SessionKey`, and of each key that signs.
const SESSION_KEY: usize = 16;

impl Derivation<'_> {
    /// `SigningKey`, 16 octets. What a session key has behind its first 16 counts for no signature.
    pub fn signing_key(self, session_key: &Secret) -> Secret {
        let key = session_key.sized(SESSION_KEY);
        match self {
            Self::Direct => key,
            Self::Fixed => derive(&key, b"SMB2AESCMAC\0", b"SmbSign\0", SESSION_KEY),
            Self::Preauth(hash) => derive(&key, b"SMBSigningKey\0", hash.octets(), SESSION_KEY),
        }
    }

    /// `EncryptionKey` and `DecryptionKey`, by who encrypts with them; `None` where the dialect has
    /// none. A cipher of 256 bits takes all of `FullSessionKey`.
    pub fn cipher_keys(self, full_session_key: &Secret, cipher: Cipher) -> Option<Both<Secret>> {
        let len = cipher.key_len();
        let key = match len {
            SESSION_KEY => full_session_key.sized(SESSION_KEY),
            _ => full_session_key.clone(),
        };
        let of = |label: &[u8], context: &[u8]| derive(&key, label, context, len);
        Some(match self {
            Self::Direct => return None,
            Self::Fixed => Both {
                client: of(b"SMB2AESCCM\0", b"ServerIn \0"),
                server: of(b"SMB2AESCCM\0", b"ServerOut\0"),
            },
            Self::Preauth(hash) => Both {
                client: of(b"SMBC2SCipherKey\0", hash.octets()),
                server: of(b"SMBS2CCipherKey\0", hash.octets()),
            },
        })
    }
}

/// SP800-108 5.1, KDF in Counter Mode, with HMAC-SHA256 and a counter of 32 bits: the first `len`
/// octets of the first block, which has 32.
pub(super) fn derive(key: &Secret, label: &[u8], context: &[u8], len: usize) -> Secret {
    let bits: u32 = if len == SESSION_KEY { 128 } else { 256 };
    // HMAC takes a key of any length.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(key.octets()) else {
        return Secret::default();
    };
    let block = mac
        .chain_update(1u32.to_be_bytes())
        .chain_update(label)
        .chain_update([0])
        .chain_update(context)
        .chain_update(bits.to_be_bytes())
        .finalize();
    Secret::from(<[u8; 32]>::from(block.into_bytes())).sized(len)
}
