//! RFC 6113 5.1 `KRB-FX-CF2`: one key of two, as FAST wants it.

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::aes::{count_and_hash_in, encrypt, fold_and_encrypt};
use super::{Etype, Key};
use crate::security::Secret;

/// The key of both keys and their peppers, of the type of the first.
pub(in super::super) fn combine(a: (&Key, &[u8]), b: (&Key, &[u8])) -> Option<Key> {
    let etype = a.0.etype();
    let len = etype.key_len()?;
    let (x, y) = (stretched(a.0, a.1, len)?, stretched(b.0, b.1, len)?);
    let mixed = x.iter().zip(y.iter()).map(|(x, y)| x ^ y).collect();
    Key::new(etype, Secret::new(mixed))
}

/// RFC 6113 5.1 `PRF+`.
fn stretched(key: &Key, pepper: &[u8], len: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(Vec::new());
    for count in 1..=u8::MAX {
        octets.extend_from_slice(&prf(key, &[&[count], pepper].concat())?);
        if octets.len() >= len {
            octets.truncate(len);
            return Some(octets);
        }
    }
    None
}

/// RFC 3962 6, RFC 8009 5, RFC 4757 with HMAC-SHA1: the pseudo-random function of each type.
fn prf(key: &Key, octets: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    match key.etype() {
        Etype::AES128 | Etype::AES256 => {
            let digest = Sha1::digest(octets);
            let sealed = encrypt(&fold_and_encrypt(key.octets(), b"prf")?, digest.get(..16)?)?;
            Some(Zeroizing::new(sealed))
        }
        Etype::RC4 => {
            let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(key.octets()).ok()?;
            mac.update(octets);
            Some(Zeroizing::new(mac.finalize().into_bytes().to_vec()))
        }
        etype => {
            let bits = if etype == Etype::AES128_SHA256 { 256 } else { 384 };
            count_and_hash_in(etype, key.octets(), b"prf", octets, bits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::krb::crypto::string_to_key;
    use crate::security::krb::tests::hex;

    /// RFC 6113 A; RFC 8009 A has the function of the last two alone.
    #[test]
    fn published() {
        for (etype, right) in [
            (17, "97df97e4b798b29eb31ed7280287a92a"),
            (18, "4d6ca4e629785c1f01baf55e2e548566b9617ae3a96868c337cb93b5e72b1c7b"),
            (23, "24d7f6b6bae4e5c00d2082c5ebab3672"),
        ] {
            let [a, b] = [b"key1", b"key2"]
                .map(|word| string_to_key(Etype(etype), word, word, None).unwrap());
            let made = combine((&a, b"a"), (&b, b"b")).unwrap();
            assert_eq!(made.octets(), hex(right), "{etype}");
        }
        for (etype, key, right) in [
            (
                19,
                "3705D96080C17728A0E800EAB6E0D23C",
                "9D188616F63852FE86915BB840B4A886FF3E6BB0F819B49B893393D393854295",
            ),
            (
                20,
                "6D404D37FAF79F9DF0D33568D320669800EB4836472EA8A026D16B7182460C52",
                "9801F69A368C2BF675E59521E177D9A07F67EFE1CFDE8D3C
              8D6F6A0256E3B17DB3C1B62AD1B8553360D17367EB1514D2",
            ),
        ] {
            let key = Key::new(Etype(etype), Secret::new(hex(key))).unwrap();
            assert_eq!(*prf(&key, b"test").unwrap(), hex(right));
        }
    }
}
