//! 3.1.4.1 Signing An Outgoing Message, and \[MS-CIFS\] 3.1.4.1.

use aes::Aes128;
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{AeadInOut, Nonce};
use cmac::Cmac;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

use crate::security::Secret;

/// 2.2.3.1.7 `SigningAlgorithms`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// `HMAC-SHA256`, and the only one of 2.0.2 and 2.1.
    HmacSha256,
    /// `AES-CMAC`, and what 3.x has unless something else is agreed on.
    AesCmac,
    /// `AES-GMAC`
    AesGmac,
}

/// Where fields of the header lie (2.2.1).
const COMMAND: usize = 12;
const FLAGS: usize = 16;
const MESSAGE_ID: usize = 24;
const SIGNATURE: usize = 48;
const HEADER: usize = 64;
/// CANCEL
const CANCEL: [u8; 2] = [12, 0];

impl Signing {
    /// The algorithm with this number in `SMB2_SIGNING_CAPABILITIES`.
    pub fn of(number: u16) -> Option<Self> {
        Some(match number {
            0 => Self::HmacSha256,
            1 => Self::AesCmac,
            2 => Self::AesGmac,
            _ => return None,
        })
    }

    /// The signature of a message, which begins with its header, whatever it has where signatures
    /// are. `None` if it is shorter than a header, or the key not of 16 octets.
    pub fn sign(self, key: &Secret, message: &[u8]) -> Option<[u8; 16]> {
        let before = message.get(..SIGNATURE)?;
        let behind = message.get(HEADER..)?;
        let key = key.octets();
        match self {
            Self::HmacSha256 => {
                let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
                let mac = mac.chain_update(before).chain_update([0; 16]).chain_update(behind);
                mac.finalize().into_bytes().first_chunk().copied()
            }
            Self::AesCmac => cmac(key, &[before, &[0; 16], behind]),
            Self::AesGmac => {
                let by_server = before.get(FLAGS)? & 1;
                let cancels = u8::from(before.get(COMMAND..)?.starts_with(&CANCEL)) << 1;
                let mut nonce = before.get(MESSAGE_ID..)?.get(..8)?.to_vec();
                nonce.extend([by_server | cancels, 0, 0, 0]);
                gmac(key, &nonce, &[before, &[0; 16], behind].concat())
            }
        }
    }
}

/// RFC 4493 AES-CMAC
pub(super) fn cmac(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 16]> {
    let mut mac = Cmac::<Aes128>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

/// SP800-38D 3 GMAC, with AES-128 and a nonce of 12 octets: GCM that encrypts nothing.
pub(super) fn gmac(key: &[u8], nonce: &[u8], message: &[u8]) -> Option<[u8; 16]> {
    let cipher = Aes128Gcm::new_from_slice(key).ok()?;
    let nonce = Nonce::<Aes128Gcm>::try_from(nonce).ok()?;
    let mut nothing = [];
    let tag = cipher.encrypt_inout_detached(&nonce, message, (&mut nothing[..]).into());
    Some(tag.ok()?.into())
}

/// The signature of a message of SMB 1, which begins with its header. The key is the session key of
/// a logon with extended security, as it is; who logs on without has the response to the challenge
/// behind it. `None` if the message is shorter than a header.
pub fn sign_smb1(key: &Secret, message: &[u8], sequence: u32) -> Option<[u8; 8]> {
    const SECURITY_FEATURES: usize = 14;
    let before = message.get(..SECURITY_FEATURES)?;
    let behind = message.get(SECURITY_FEATURES + 8..)?;
    let hash = Md5::new()
        .chain_update(key.octets())
        .chain_update(before)
        .chain_update(sequence.to_le_bytes())
        .chain_update([0; 4])
        .chain_update(behind);
    hash.finalize().first_chunk().copied()
}
