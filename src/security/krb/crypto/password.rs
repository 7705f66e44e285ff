//! Keys that are made of passwords: RFC 3962 4, RFC 8009 4, RFC 4757 2.

use hmac::Hmac;
use md4::{Digest, Md4};
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use zeroize::Zeroizing;

use super::aes::{count_and_hash, fold_and_encrypt};
use super::{Etype, Key};
use crate::security::Secret;

/// Rounds that a message may ask for: a message that asks for more asks for time only.
const ROUNDS_MAX: u32 = 1 << 17;

/// The key that a password, in UTF-8, is with this salt. `rounds` as the KDC told them; `None` is as many as
/// the encryption type has by itself.
pub fn string_to_key(
    etype: Etype,
    password: &[u8],
    salt: &[u8],
    rounds: Option<u32>,
) -> Option<Key> {
    const LABEL: &[u8] = b"kerberos";
    let mut seed = Zeroizing::new(vec![0; etype.key_len()?]);
    let key = match etype {
        Etype::AES128 | Etype::AES256 => {
            let rounds = rounds.unwrap_or(4096);
            stretch::<Hmac<Sha1>>(password, salt, rounds, &mut seed)?;
            fold_and_encrypt(&seed, LABEL)?
        }
        Etype::AES128_SHA256 | Etype::AES256_SHA384 => {
            let rounds = rounds.unwrap_or(32_768);
            let salt = [etype.name()?.as_bytes(), &[0], salt].concat();
            let bits = if etype == Etype::AES128_SHA256 {
                stretch::<Hmac<Sha256>>(password, &salt, rounds, &mut seed)?;
                128
            } else {
                stretch::<Hmac<Sha384>>(password, &salt, rounds, &mut seed)?;
                256
            };
            count_and_hash(etype, &seed, LABEL, bits)?
        }
        Etype::RC4 => Zeroizing::new(nt_hash(password)?.octets().to_vec()),
        _ => return None,
    };
    Key::new(etype, Secret::from(&**key))
}

/// MD4 of a password in UTF-16, little-endian.
pub(super) fn nt_hash(password: &[u8]) -> Option<Secret> {
    let password = std::str::from_utf8(password).ok()?;
    let units = Zeroizing::new(password.encode_utf16().collect::<Vec<_>>());
    let mut digest = Md4::new();
    for unit in units.iter() {
        digest.update(unit.to_le_bytes());
    }
    Some(Secret::from(&*digest.finalize()))
}

fn stretch<F>(password: &[u8], salt: &[u8], rounds: u32, seed: &mut [u8]) -> Option<()>
where
    F: hmac::Mac + hmac::KeyInit + hmac::digest::Update + hmac::digest::FixedOutput + Clone + Sync,
{
    if !(1..=ROUNDS_MAX).contains(&rounds) {
        return None;
    }
    pbkdf2::pbkdf2::<F>(password, salt, rounds, seed).ok()
}
