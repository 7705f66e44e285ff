//! AES in CBC mode with ciphertext stealing, and its keys: RFC 3962, RFC 8009.

use ::aes::cipher::consts::U16;
use ::aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit};
use ::aes::{Aes128, Aes256, Block};
use cts::{CbcCs3, Decrypt, Encrypt};
use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384};
use zeroize::Zeroizing;

use super::fold::n_fold;
use super::{Etype, Key};

const BLOCK: usize = 16;

/// What a derived key is for: RFC 3961 5.3, the last octet of the constant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Kc
    Checksum,
    /// Ke
    Encryption,
    /// Ki
    Integrity,
}

impl Purpose {
    fn octet(self) -> u8 {
        match self {
            Self::Checksum => 0x99,
            Self::Encryption => 0xaa,
            Self::Integrity => 0x55,
        }
    }
}

/// The key for one usage and purpose.
pub(super) fn derive(key: &Key, usage: u32, purpose: Purpose) -> Option<Zeroizing<Vec<u8>>> {
    let [a, b, c, d] = usage.to_be_bytes();
    let constant = [a, b, c, d, purpose.octet()];
    match key.etype() {
        Etype::AES128 | Etype::AES256 => fold_and_encrypt(key.octets(), &constant),
        etype => {
            let bits: u32 = match (etype, purpose) {
                (Etype::AES128_SHA256, _) => 128,
                (_, Purpose::Encryption) => 256,
                _ => 192,
            };
            count_and_hash(etype, key.octets(), &constant, bits)
        }
    }
}

/// RFC 3961 5.1 `DK`: the constant, folded to a block and encrypted again and again.
pub(super) fn fold_and_encrypt(key: &[u8], constant: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut derived = Zeroizing::new(Vec::with_capacity(key.len()));
    let mut block = Zeroizing::new(n_fold(constant, BLOCK));
    while derived.len() < key.len() {
        block = Zeroizing::new(encrypt(key, &block)?);
        derived.extend_from_slice(&block);
    }
    derived.truncate(key.len());
    Some(derived)
}

/// RFC 8009 3 `KDF-HMAC-SHA2`.
pub(super) fn count_and_hash(
    etype: Etype,
    key: &[u8],
    label: &[u8],
    bits: u32,
) -> Option<Zeroizing<Vec<u8>>> {
    count_and_hash_in(etype, key, label, &[], bits)
}

/// The same with a context.
pub(super) fn count_and_hash_in(
    etype: Etype,
    key: &[u8],
    label: &[u8],
    context: &[u8],
    bits: u32,
) -> Option<Zeroizing<Vec<u8>>> {
    const ONE: [u8; 4] = [0, 0, 0, 1];
    let parts = [&ONE[..], label, &[0], context, &bits.to_be_bytes()];
    let mut derived = match etype {
        Etype::AES128_SHA256 => hash::<Sha256>(key, &parts)?,
        Etype::AES256_SHA384 => hash::<Sha384>(key, &parts)?,
        _ => return None,
    };
    derived.truncate(usize::try_from(bits / 8).ok()?);
    Some(Zeroizing::new(derived))
}

/// The checksum with the key for this usage, cut to its length.
pub(super) fn hmac(key: &Key, usage: u32, purpose: Purpose, parts: &[&[u8]]) -> Option<Vec<u8>> {
    let derived = derive(key, usage, purpose)?;
    let mut mac = match key.etype() {
        Etype::AES128 | Etype::AES256 => hash::<Sha1>(&derived, parts)?,
        Etype::AES128_SHA256 => hash::<Sha256>(&derived, parts)?,
        Etype::AES256_SHA384 => hash::<Sha384>(&derived, parts)?,
        _ => return None,
    };
    mac.truncate(key.etype().mac_len()?);
    Some(mac)
}

fn hash<D: EagerHash>(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>>
where
    Hmac<D>: Mac + KeyInit,
{
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().to_vec())
}

/// From an initial vector of zeros; `None` where there is less than a block.
pub(super) fn encrypt(key: &[u8], clear: &[u8]) -> Option<Vec<u8>> {
    let mut octets = clear.to_vec();
    match key.len() {
        16 => encrypt_with::<Aes128>(key, &mut octets)?,
        _ => encrypt_with::<Aes256>(key, &mut octets)?,
    }
    Some(octets)
}

/// The other way.
pub(super) fn decrypt(key: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut octets = Zeroizing::new(sealed.to_vec());
    match key.len() {
        16 => decrypt_with::<Aes128>(key, &mut octets)?,
        _ => decrypt_with::<Aes256>(key, &mut octets)?,
    }
    Some(octets)
}

fn encrypt_with<C>(key: &[u8], octets: &mut [u8]) -> Option<()>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    let cipher = C::new_from_slice(key).ok()?;
    // RFC 3962 5: one block has nothing to be swapped with.
    if let Ok(block) = <&mut [u8; BLOCK]>::try_from(&mut *octets) {
        cipher.encrypt_block(block.into());
        return Some(());
    }
    CbcCs3::inner_iv_init(cipher, &Block::default()).encrypt(octets).ok()
}

fn decrypt_with<C>(key: &[u8], octets: &mut [u8]) -> Option<()>
where
    C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    let cipher = C::new_from_slice(key).ok()?;
    if let Ok(block) = <&mut [u8; BLOCK]>::try_from(&mut *octets) {
        cipher.decrypt_block(block.into());
        return Some(());
    }
    CbcCs3::inner_iv_init(cipher, &Block::default()).decrypt(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::krb::tests::hex;

    /// RFC 3962 B, and one block alone.
    #[test]
    fn rfc_3962_ciphertext_stealing() {
        let text = b"I would like the General Gau's Chicken, please, and wonton soup.";
        let key = b"chicken teriyaki";
        for (len, sealed) in [
            (17, "c6353568f2bf8cb4d8a580362da7ff7f 97"),
            (31, "fc00783e0efdb2c1d445d4c8eff7ed22 97687268d6ecccc0c07b25e25ecfe5"),
            (32, "39312523a78662d5be7fcbcc98ebf5a8 97687268d6ecccc0c07b25e25ecfe584"),
        ] {
            assert_eq!(encrypt(key, &text[..len]), Some(hex(sealed)), "{len}");
        }
        for key in [&b"chicken teriyaki"[..], b"chicken teriyakichicken teriyaki"] {
            for len in 0..text.len() {
                let sealed = encrypt(key, &text[..len]);
                assert_eq!(sealed.is_some(), len >= 16, "{len}");
                if let Some(sealed) = sealed {
                    assert_eq!(*decrypt(key, &sealed).unwrap(), text[..len], "{len}");
                }
            }
        }
    }
}
