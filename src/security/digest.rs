//! What NTLM and RC4 of Kerberos both compute: `HMAC-MD5`, and the hash of a password.

use hmac::{Hmac, KeyInit, Mac};
use md4::{Digest, Md4};
use md5::Md5;
use zeroize::Zeroizing;

use super::Secret;

/// `HMAC_MD5(key, parts)` (RFC 2104).
pub(super) fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 16]> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = <Hmac<Md5> as KeyInit>::new_from_slice(key) else {
        return Zeroizing::default();
    };
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// \[MS-NLMP\] 3.3.1 `NTOWFv1`: MD4 of a password, which is given in UTF-8, in UTF-16, little-endian.
pub(super) fn nt_hash(password: &[u8]) -> Option<Secret> {
    let text = std::str::from_utf8(password).ok()?;
    let mut digest = Md4::new();
    for unit in text.encode_utf16() {
        digest.update(unit.to_le_bytes());
    }
    Some(Secret::from(&*digest.finalize()))
}
