//! Encryption types of Kerberos (RFC 3961): [`Etype`], [`Key`], and what is done with them.
//!
//! Takes keys and octets; knows no message.
//!
//! INVARIANT: [`decrypt`] gives octets only where the checksum is right. `decrypt_unchecked` is for
//! those who have to compute it over more than these octets, and do.

mod aes;
mod arcfour;
mod combine;
mod fold;
mod password;

use std::fmt;

use zeroize::Zeroizing;

use crate::security::Secret;
pub(super) use arcfour::rc4;
pub(super) use combine::combine;
pub use password::{rounds, string_to_key, work};

/// RFC 3961 8 an encryption type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Etype(pub i32);

impl Etype {
    /// `aes128-cts-hmac-sha1-96` (RFC 3962)
    pub const AES128: Self = Self(17);
    /// `aes256-cts-hmac-sha1-96` (RFC 3962)
    pub const AES256: Self = Self(18);
    /// `aes128-cts-hmac-sha256-128` (RFC 8009)
    pub const AES128_SHA256: Self = Self(19);
    /// `aes256-cts-hmac-sha384-192` (RFC 8009)
    pub const AES256_SHA384: Self = Self(20);
    /// `rc4-hmac` (RFC 4757)
    pub const RC4: Self = Self(23);

    /// Its name, as IANA has it.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            1 => "des-cbc-crc",
            3 => "des-cbc-md5",
            16 => "des3-cbc-sha1-kd",
            17 => "aes128-cts-hmac-sha1-96",
            18 => "aes256-cts-hmac-sha1-96",
            19 => "aes128-cts-hmac-sha256-128",
            20 => "aes256-cts-hmac-sha384-192",
            23 => "rc4-hmac",
            24 => "rc4-hmac-exp",
            25 => "camellia128-cts-cmac",
            26 => "camellia256-cts-cmac",
            _ => return None,
        })
    }

    /// Octets of a key; `None` for what cannot be opened here.
    pub fn key_len(self) -> Option<usize> {
        match self {
            Self::AES128 | Self::AES128_SHA256 | Self::RC4 => Some(16),
            Self::AES256 | Self::AES256_SHA384 => Some(32),
            _ => None,
        }
    }

    /// Octets of the checksum behind, or with RC4 before, what is sealed.
    pub(super) fn mac_len(self) -> Option<usize> {
        match self {
            Self::AES128 | Self::AES256 => Some(12),
            Self::AES128_SHA256 | Self::RC4 => Some(16),
            Self::AES256_SHA384 => Some(24),
            _ => None,
        }
    }

    /// Octets of the confounder.
    pub(super) fn confounder_len(self) -> usize {
        if self == Self::RC4 { 8 } else { 16 }
    }

    /// Whether the checksum is over what is sealed (RFC 8009 5), as opposed to what is in clear.
    pub(super) fn is_checked_sealed(self) -> bool {
        matches!(self, Self::AES128_SHA256 | Self::AES256_SHA384)
    }
}

impl fmt::Display for Etype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "encryption type {}", self.0),
        }
    }
}

/// A key with its encryption type. INVARIANT: it is as long as that type wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    etype: Etype,
    secret: Secret,
}

impl Key {
    /// `None` where the type cannot be opened here, or the key is not one of it.
    pub fn new(etype: Etype, secret: Secret) -> Option<Self> {
        (etype.key_len()? == secret.octets().len()).then_some(Self { etype, secret })
    }

    /// Its encryption type.
    pub fn etype(&self) -> Etype {
        self.etype
    }

    /// The key itself.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(super) fn octets(&self) -> &[u8] {
        self.secret.octets()
    }
}

/// What is sealed, in clear and without its confounder; `None` unless the checksum is right.
pub fn decrypt(key: &Key, usage: u32, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if key.etype == Etype::RC4 {
        return arcfour::decrypt(key.octets(), usage, sealed);
    }
    let body = sealed.len().checked_sub(key.etype.mac_len()?)?;
    let (body, mac) = sealed.split_at_checked(body)?;
    let plain = decrypt_unchecked(key, usage, body)?;
    let checked: &[u8] = if key.etype.is_checked_sealed() { body } else { &plain };
    let right = self::mac(key, usage, &[checked])?;
    let plain = plain.get(key.etype.confounder_len()..)?;
    (right == mac).then(|| Zeroizing::new(plain.to_vec()))
}

/// Seals `plain` behind this confounder.
pub fn encrypt(key: &Key, usage: u32, confounder: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    if confounder.len() != key.etype.confounder_len() {
        return None;
    }
    if key.etype == Etype::RC4 {
        return arcfour::encrypt(key.octets(), usage, confounder, plain);
    }
    let clear = Zeroizing::new([confounder, plain].concat());
    let mut sealed = encrypt_unchecked(key, usage, &clear)?;
    let checked: &[u8] = if key.etype.is_checked_sealed() { &sealed } else { &clear };
    let mac = mac(key, usage, &[checked])?;
    sealed.extend(mac);
    Some(sealed)
}

/// RFC 3961 3 `get_mic`: the checksum of what is not sealed.
pub fn checksum(key: &Key, usage: u32, parts: &[&[u8]]) -> Option<Vec<u8>> {
    match key.etype {
        Etype::RC4 => Some(arcfour::checksum(key.octets(), usage, parts)),
        _ => aes::hmac(key, usage, aes::Purpose::Checksum, parts),
    }
}

/// The confounder and what is behind it, of AES, with no look at the checksum; `sealed` is without it.
pub(super) fn decrypt_unchecked(
    key: &Key,
    usage: u32,
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    aes::decrypt(&aes::derive(key, usage, aes::Purpose::Encryption)?, sealed)
}

/// Seals a confounder and what is behind it, with AES and no checksum.
pub(super) fn encrypt_unchecked(key: &Key, usage: u32, clear: &[u8]) -> Option<Vec<u8>> {
    aes::encrypt(&aes::derive(key, usage, aes::Purpose::Encryption)?, clear)
}

/// The checksum that goes with what is sealed, of AES: over what is in clear, or with
/// [`Etype::is_checked_sealed`] over what is not.
pub(super) fn mac(key: &Key, usage: u32, parts: &[&[u8]]) -> Option<Vec<u8>> {
    /// RFC 8009 5: the cipher state comes first, which is a block of zeros.
    const STATE: [u8; 16] = [0; 16];
    if key.etype.is_checked_sealed() {
        let mut all: Vec<&[u8]> = Vec::with_capacity(parts.len().saturating_add(1));
        all.push(&STATE);
        all.extend(parts);
        return aes::hmac(key, usage, aes::Purpose::Integrity, &all);
    }
    aes::hmac(key, usage, aes::Purpose::Integrity, parts)
}
