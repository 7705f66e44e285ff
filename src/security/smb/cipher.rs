//! 3.1.4.3 Encrypting the Message, and back.

use aes::{Aes128, Aes256};
use aes_gcm::aead::consts::{U11, U16};
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use ccm::Ccm;

use crate::security::Secret;

type Aes128Ccm = Ccm<Aes128, U16, U11>;
type Aes256Ccm = Ccm<Aes256, U16, U11>;

/// 2.2.3.1.2 `Ciphers`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cipher {
    /// `AES-128-CCM`, and the only one of 3.0 and 3.0.2.
    Aes128Ccm,
    /// `AES-128-GCM`
    Aes128Gcm,
    /// `AES-256-CCM`
    Aes256Ccm,
    /// `AES-256-GCM`
    Aes256Gcm,
}

impl Cipher {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Aes128Gcm, Self::Aes128Ccm, Self::Aes256Gcm, Self::Aes256Ccm];

    /// The cipher with this number in `SMB2_ENCRYPTION_CAPABILITIES`.
    pub fn of(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::Aes128Ccm,
            2 => Self::Aes128Gcm,
            3 => Self::Aes256Ccm,
            4 => Self::Aes256Gcm,
            _ => return None,
        })
    }

    /// Its name in the specification.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128Ccm => "AES-128-CCM",
            Self::Aes128Gcm => "AES-128-GCM",
            Self::Aes256Ccm => "AES-256-CCM",
            Self::Aes256Gcm => "AES-256-GCM",
        }
    }

    /// Octets of its keys.
    pub fn key_len(self) -> usize {
        match self {
            Self::Aes128Ccm | Self::Aes128Gcm => 16,
            Self::Aes256Ccm | Self::Aes256Gcm => 32,
        }
    }

    /// Octets of `Nonce` that it takes.
    fn nonce_len(self) -> usize {
        match self {
            Self::Aes128Ccm | Self::Aes256Ccm => 11,
            Self::Aes128Gcm | Self::Aes256Gcm => 12,
        }
    }
}

/// Octets of the `TRANSFORM_HEADER` (2.2.41).
pub const TRANSFORM_SIZE: usize = 52;
/// `ProtocolId` and `Signature`: what is before the octets under the tag.
const TAG_AT: usize = 4;
const NONCE_AT: usize = 20;

/// The message in `sealed`, which begins with its `TRANSFORM_HEADER`; nothing if the key, the header
/// or any octet is another than it was sealed with.
pub fn open(cipher: Cipher, key: &Secret, sealed: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = sealed.split_at_checked(TRANSFORM_SIZE)?;
    let tag = header.get(TAG_AT..NONCE_AT)?;
    let under = header.get(NONCE_AT..)?;
    let nonce = under.get(..cipher.nonce_len())?;
    let mut body = body.to_vec();
    open_body(cipher, key, nonce, under, &mut body, tag)?;
    Some(body)
}

/// `message` behind its `TRANSFORM_HEADER`; nothing if the key is not of the cipher's length, or the
/// message too long for its length to be told. `nonce` has zeros behind what the cipher takes.
pub fn seal(
    cipher: Cipher,
    key: &Secret,
    nonce: [u8; 16],
    session_id: u64,
    message: &[u8],
) -> Option<Vec<u8>> {
    let size = u32::try_from(message.len()).ok()?;
    let mut under = Vec::with_capacity(TRANSFORM_SIZE - NONCE_AT);
    under.extend(nonce);
    under.extend(size.to_le_bytes());
    under.extend([0, 0]);
    under.extend(1u16.to_le_bytes());
    under.extend(session_id.to_le_bytes());
    let nonce = under.get(..cipher.nonce_len())?;
    let mut body = message.to_vec();
    let tag = seal_body(cipher, key, nonce, &under, &mut body)?;
    Some([&b"\xfdSMB"[..], &tag, &under, &body].concat())
}

/// Opens `body`, which has its tag apart; `under` is what the tag is over as well.
pub(super) fn open_body(
    cipher: Cipher,
    key: &Secret,
    nonce: &[u8],
    under: &[u8],
    body: &mut [u8],
    tag: &[u8],
) -> Option<()> {
    let key = key.octets();
    match cipher {
        Cipher::Aes128Ccm => open_with::<Aes128Ccm>(key, nonce, under, body, tag),
        Cipher::Aes128Gcm => open_with::<Aes128Gcm>(key, nonce, under, body, tag),
        Cipher::Aes256Ccm => open_with::<Aes256Ccm>(key, nonce, under, body, tag),
        Cipher::Aes256Gcm => open_with::<Aes256Gcm>(key, nonce, under, body, tag),
    }
}

/// Seals `body` and gives its tag, which is over `under` as well.
pub(super) fn seal_body(
    cipher: Cipher,
    key: &Secret,
    nonce: &[u8],
    under: &[u8],
    body: &mut [u8],
) -> Option<Vec<u8>> {
    let key = key.octets();
    match cipher {
        Cipher::Aes128Ccm => seal_with::<Aes128Ccm>(key, nonce, under, body),
        Cipher::Aes128Gcm => seal_with::<Aes128Gcm>(key, nonce, under, body),
        Cipher::Aes256Ccm => seal_with::<Aes256Ccm>(key, nonce, under, body),
        Cipher::Aes256Gcm => seal_with::<Aes256Gcm>(key, nonce, under, body),
    }
}

fn open_with<C: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &[u8],
    under: &[u8],
    body: &mut [u8],
    tag: &[u8],
) -> Option<()> {
    let cipher = C::new_from_slice(key).ok()?;
    let nonce = Nonce::<C>::try_from(nonce).ok()?;
    let tag = Tag::<C>::try_from(tag).ok()?;
    cipher.decrypt_inout_detached(&nonce, under, body.into(), &tag).ok()
}

fn seal_with<C: AeadInOut + KeyInit>(
    key: &[u8],
    nonce: &[u8],
    under: &[u8],
    body: &mut [u8],
) -> Option<Vec<u8>> {
    let cipher = C::new_from_slice(key).ok()?;
    let nonce = Nonce::<C>::try_from(nonce).ok()?;
    let tag = cipher.encrypt_inout_detached(&nonce, under, body.into()).ok()?;
    Some(tag.to_vec())
}
