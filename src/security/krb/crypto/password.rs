//! Keys that are made of passwords: RFC 3962 4, RFC 8009 4, RFC 4757 2.

use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use zeroize::Zeroizing;

use super::aes::{count_and_hash, fold_and_encrypt};
use super::{Etype, Key};
use crate::security::Secret;
use crate::security::digest::nt_hash;

/// How many times the usual rounds a message may ask for. Nobody has proved what it says of them, and
/// KDCs take the usual ones: who asks for many more asks for time only.
const ROUNDS_TIMES: u32 = 4;

/// RFC 3962 4, RFC 8009 4: the rounds that an encryption type has by itself; RC4 has none.
fn usual_rounds(etype: Etype) -> Option<u32> {
    match etype {
        Etype::AES128 | Etype::AES256 => Some(4096),
        Etype::AES128_SHA256 | Etype::AES256_SHA384 => Some(32_768),
        _ => None,
    }
}

/// The rounds it takes to make a key of this type, with those that a KDC told; `None` if it told too
/// many, and for what is made without any.
pub fn rounds(etype: Etype, told: Option<u32>) -> Option<u32> {
    let usual = usual_rounds(etype)?;
    let fit = 1..=usual.saturating_mul(ROUNDS_TIMES);
    Some(told.unwrap_or(usual)).filter(|rounds| fit.contains(rounds))
}

/// How often a block is hashed with that many rounds: what it costs.
pub fn work(etype: Etype, rounds: u32) -> u64 {
    // Only this key is longer than the hash.
    let blocks = if etype == Etype::AES256 { 2 } else { 1 };
    u64::from(rounds).saturating_mul(blocks)
}

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
            stretch::<Hmac<Sha1>>(password, salt, self::rounds(etype, rounds)?, &mut seed)?;
            fold_and_encrypt(&seed, LABEL)?
        }
        Etype::AES128_SHA256 | Etype::AES256_SHA384 => {
            let rounds = self::rounds(etype, rounds)?;
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

fn stretch<F>(password: &[u8], salt: &[u8], rounds: u32, seed: &mut [u8]) -> Option<()>
where
    F: hmac::Mac + hmac::KeyInit + hmac::digest::Update + hmac::digest::FixedOutput + Clone + Sync,
{
    pbkdf2::pbkdf2::<F>(password, salt, rounds, seed).ok()
}
