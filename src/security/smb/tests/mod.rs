//! Published keys, and everything that is damaged.

mod published;
mod vectors;

use proptest::prelude::*;

use super::kdf::derive;
use super::*;
use crate::security::Secret;

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap())
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn secret(text: &str) -> Secret {
    Secret::new(unhex(text))
}

#[test]
fn keys_as_servers_wrote_them_down() {
    // Wireshark's test of SMB 3.0.
    let key = secret("9a9ea16a0cdbeb6064772318073f172f");
    let keys = Derivation::Fixed.cipher_keys(&key, Cipher::Aes128Ccm).unwrap();
    assert_eq!(keys.server.octets(), unhex("8be6cc53d4beba29387e69aef035d497"));
    assert_eq!(keys.client.octets(), unhex("bff985870e81784d533fdc09497b8eab"));
    // Samba, `captures/c-enc-SMB3_00-sign.keys`.
    let key = secret("ffce0b2364642472b1162e208df59fc4");
    let signing = Derivation::Fixed.signing_key(&key);
    assert_eq!(signing.octets(), unhex("e7e07526b87880a961b4be60835a77a3"));
    let application = derive(&key, b"SMB2APP\0", b"SmbRpc\0", 16);
    assert_eq!(application.octets(), unhex("e72e91cffc53cf8b83b2fdc847b8ab8d"));
    let keys = Derivation::Fixed.cipher_keys(&key, Cipher::Aes128Ccm).unwrap();
    assert_eq!(keys.client.octets(), unhex("17cd5057bbecd0bcbec48b20de989f02"));
    assert_eq!(keys.server.octets(), unhex("9f84f9a87c0897912caa06a5bb26be7f"));
}

#[test]
fn a_session_key_counts_as_far_as_a_cipher_takes_it() {
    let long = Secret::new((0..32).collect());
    let short = long.sized(16);
    let preauth = Preauth::default();
    let how = Derivation::Preauth(&preauth);
    assert_eq!(how.signing_key(&long), how.signing_key(&short));
    assert_eq!(Derivation::Direct.signing_key(&long), short);
    for cipher in Cipher::ALL {
        let keys = [&long, &short].map(|key| how.cipher_keys(key, cipher).unwrap());
        assert_eq!(keys[0] == keys[1], cipher.key_len() == 16, "{}", cipher.name());
        assert_eq!(keys[0].client.octets().len(), cipher.key_len());
        assert_ne!(keys[0].client, keys[0].server);
        assert!(Derivation::Direct.cipher_keys(&long, cipher).is_none());
    }
}

#[test]
fn the_hash_is_a_chain() {
    let (mut once, mut twice) = (Preauth::default(), Preauth::default());
    once.update(b"ab");
    twice.update(b"a");
    twice.update(b"b");
    assert_ne!(once, twice);
    // SHA-512 of 64 zeros.
    let mut zeros = Preauth::default();
    zeros.update(b"");
    assert_eq!(zeros.octets()[..4], unhex("7be9fda4"));
}

/// A message with a header of SMB2, whose signature is `signature`.
fn message(flags: u8, command: u8, signature: u8) -> Vec<u8> {
    let mut message = vec![0; 64];
    message[..4].copy_from_slice(b"\xfeSMB");
    message[12] = command;
    message[16] = flags;
    message[24] = 9;
    message[48..].fill(signature);
    message.extend(b"what it says");
    message
}

#[test]
fn a_signature_is_of_all_but_itself() {
    let key = Secret::new(vec![3; 16]);
    for signing in [0, 1, 2].map(|number| Signing::of(number).unwrap()) {
        let good = signing.sign(&key, &message(8, 5, 0)).unwrap();
        assert_eq!(signing.sign(&key, &message(8, 5, 0xff)), Some(good));
        for at in (0..76).filter(|at| !(48..64).contains(at)) {
            let mut other = message(8, 5, 0);
            other[at] ^= 0x40;
            assert_ne!(signing.sign(&key, &other), Some(good), "{signing:?}, octet {at}");
        }
        assert_ne!(signing.sign(&Secret::new(vec![4; 16]), &message(8, 5, 0)), Some(good));
        for len in 0..64 {
            assert_eq!(signing.sign(&key, &message(8, 5, 0)[..len]), None);
        }
    }
    assert_eq!(Signing::of(3), None);
    // AES has no other keys.
    assert_eq!(Signing::AesCmac.sign(&Secret::new(vec![3; 15]), &message(8, 5, 0)), None);
    assert_eq!(Signing::AesGmac.sign(&Secret::new(vec![3; 32]), &message(8, 5, 0)), None);
}

#[test]
fn a_signature_of_smb_1_is_of_its_number_too() {
    let key = Secret::new(vec![3; 16]);
    let message = b"\xffSMB\x25\0\0\0\0\x18\x07\xc8\0\0SIGNATURwhat it says";
    let good = sign_smb1(&key, message, 2).unwrap();
    assert_ne!(sign_smb1(&key, message, 3), Some(good));
    let mut signed = message.to_vec();
    signed[14..22].copy_from_slice(&good);
    assert_eq!(sign_smb1(&key, &signed, 2), Some(good));
    signed[22] ^= 1;
    assert_ne!(sign_smb1(&key, &signed, 2), Some(good));
    for len in 0..22 {
        assert_eq!(sign_smb1(&key, &message[..len], 2), None);
    }
}

fn ciphers() -> impl Strategy<Value = Cipher> {
    prop::sample::select(Cipher::ALL.to_vec())
}

proptest! {
    #[test]
    fn what_was_sealed_opens_and_nothing_else_does(
        cipher in ciphers(),
        other in ciphers(),
        key in prop::collection::vec(any::<u8>(), 32),
        nonce in any::<[u8; 16]>(),
        message in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let key = Secret::new(key).sized(cipher.key_len());
        let sealed = seal(cipher, &key, nonce, 7, &message).unwrap();
        prop_assert_eq!(sealed.len(), TRANSFORM_SIZE + message.len());
        let opened = open(cipher, &key, &sealed);
        prop_assert_eq!(opened.as_deref(), Some(&message[..]));
        if other != cipher {
            prop_assert_eq!(open(other, &key, &sealed), None);
        }
        for len in 0..sealed.len() {
            prop_assert_eq!(open(cipher, &key, &sealed[..len]), None);
        }
        // `ProtocolId` is under no tag.
        let mut bad = sealed;
        let at = 4 + at.index(bad.len() - 4);
        bad[at] ^= flip;
        prop_assert_eq!(open(cipher, &key, &bad), None, "octet {}", at);
    }

    #[test]
    fn any_octets_are_survived(
        cipher in ciphers(),
        sealed in prop::collection::vec(any::<u8>(), 0..120),
        len in 0usize..40,
    ) {
        prop_assert_eq!(open(cipher, &Secret::new(vec![1; len]), &sealed), None);
    }
}
