//! \[MS-NLMP\] 4.2: user `User` of `Domain` with the password `Password`.

use super::super::keys::{key_exchange_key, seal_key, sign_key};
use super::super::*;
use crate::bytes::Side;
use crate::security::keys::{Account, AccountSecret, Keyring};
use crate::security::{Opened, Protected, Secret, Verdict};

const CHALLENGE: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
pub(super) const EXTENDED: u32 = 0x0008_0000;
pub(super) const KEY_EXCH: u32 = 0x4000_0000;
pub(super) const SEAL_128: u32 = 0x2000_0000;
const SEAL_56: u32 = 0x8000_0000;
const LM_KEY: u32 = 0x80;

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

fn password(text: &str) -> AccountSecret {
    AccountSecret::Password(Secret::from(text.as_bytes()))
}

fn told(flags: u32, lm: &str, nt: &str) -> Authenticate {
    Authenticate {
        flags,
        domain: "Domain".to_owned(),
        user: "User".to_owned(),
        proof: Proof { lm: hex(lm), nt: hex(nt), session_key: Vec::new() },
        ..Authenticate::default()
    }
}

/// 4.2.4: version 2, with the client's challenge `aa…` at the time 0.
pub(super) fn v2_response() -> String {
    let temp = "0101000000000000 0000000000000000 aaaaaaaaaaaaaaaa 00000000\
        02000c00 44006f006d00610069006e00 01000c00 530065007200760065007200 00000000 00000000";
    format!("68cd0ab851e51c96aabc927bebef6a1c {temp}")
}

#[test]
fn the_key_that_a_response_proves() {
    let key = |told: &Authenticate, secret: &AccountSecret| {
        key_exchange_key(secret, told, CHALLENGE).map(|key| key.octets().to_vec())
    };
    // 4.2.2.1.2 and 4.2.2.2.1 NTLMv1
    let v1_response = "67c43011f30298a2ad35ece64f16331c44bdbed927841f94";
    let lm_response = "98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13";
    let v1 = told(0, lm_response, v1_response);
    let base = hex("d87262b0cde4b1cb7499becccdf10784");
    assert_eq!(key(&v1, &password("Password")), Some(base.clone()));
    let hash = AccountSecret::NtHash(Secret::new(hex("a4f49c406510bdcab6824ee7c30fd852")));
    assert_eq!(key(&v1, &hash), Some(base));
    // 4.2.2.1.3: with NTLMSSP_NEGOTIATE_LM_KEY, and with NTLMSSP_REQUEST_NON_NT_SESSION_KEY
    let lm_key = told(LM_KEY, lm_response, v1_response);
    assert_eq!(key(&lm_key, &password("Password")), Some(hex("b09e379f7fbecb1eaf0afdcb0383c8a0")));
    let other = told(0x0040_0000, lm_response, v1_response);
    let lm_hash = hex("e52cac67419a9a220000000000000000");
    assert_eq!(key(&other, &password("Password")), Some(lm_hash));
    // 4.2.3 NTLMv1 with client challenge
    let lm = "aaaaaaaaaaaaaaaa00000000000000000000000000000000";
    let ess = told(EXTENDED, lm, "7537f803ae367128ca458204bde7caf81e97ed2683267232");
    assert_eq!(key(&ess, &password("Password")), Some(hex("eb93429a8bd952f8b89c55b87f475edc")));
    // 4.2.4 NTLMv2
    let v2 = told(EXTENDED, "", &v2_response());
    let base = hex("8de40ccadbc14a82f15cb0ad0de95ca3");
    assert_eq!(key(&v2, &password("Password")), Some(base.clone()));
    assert_eq!(key(&v2, &hash), Some(base));
    for wrong in [v1, lm_key, other, ess, v2] {
        assert_eq!(key(&wrong, &password("password")), None);
    }
}

#[test]
fn sealing_and_signing_keys() {
    let seal = |flags, key: &str| hex_of(&seal_key(Side::Client, flags, &Secret::new(hex(key))));
    // 4.2.4.4 and 4.2.3.4
    let random = "55555555555555555555555555555555";
    assert_eq!(seal(EXTENDED | SEAL_128, random), "59f600973cc4960a25480a7c196e4c58");
    let exchange = "eb93429a8bd952f8b89c55b87f475edc";
    assert_eq!(seal(EXTENDED | SEAL_56, exchange), "04dd7f014d8504d265a25cc86a3a7c06");
    // 3.4.5.3, without extended session security
    assert_eq!(seal(SEAL_128, random), random);
    assert_eq!(seal(LM_KEY | SEAL_56, random), "55555555555555a0");
    assert_eq!(seal(LM_KEY, random), "5555555555e538b0");
    let sign = |key: &str| hex_of(&sign_key(Side::Client, &Secret::new(hex(key))));
    assert_eq!(sign(random), "4788dc861b4782f35d43fd98fe1a2d39");
    assert_eq!(sign(exchange), "60e799be5c72fc92922ae8ebe961fb8d");
}

fn hex_of(secret: &Secret) -> String {
    use std::fmt::Write as _;
    secret.octets().iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").unwrap();
        text
    })
}

/// A context after these messages, with the password of the examples.
pub(super) fn session(flags: u32, lm: &str, nt: &str, key: &str) -> Session {
    let mut keys = Keyring::default();
    keys.add_account(Account {
        domain: None,
        user: Some("user".to_owned()),
        secret: password("Password"),
        from: "the test".to_owned(),
    });
    let challenge =
        [&b"NTLMSSP\0\x02\0\0\0"[..], &[0; 8], &flags.to_le_bytes(), &CHALLENGE, &[0; 16]].concat();
    let mut session = Session::default();
    session.token(Side::Server, &challenge, &keys);
    session.token(Side::Client, &authenticate(flags, lm, nt, key), &keys);
    session
}

fn authenticate(flags: u32, lm: &str, nt: &str, key: &str) -> Vec<u8> {
    let parts = [
        hex(lm),
        hex(nt),
        samples::utf16("Domain"),
        samples::utf16("User"),
        samples::utf16("COMPUTER"),
        hex(key),
    ];
    let mut message = b"NTLMSSP\0\x03\0\0\0".to_vec();
    let mut at = 64;
    for part in &parts {
        let len = u16::try_from(part.len()).unwrap().to_le_bytes();
        message.extend([&len[..], &len, &u32::try_from(at).unwrap().to_le_bytes()].concat());
        at += part.len();
    }
    message.extend((flags | 1).to_le_bytes());
    message.extend(parts.concat());
    message
}

fn open(session: &mut Session, sealed: &str, signature: &str) -> Opened {
    let (body, signature) = (hex(sealed), hex(signature));
    let pdu = Protected {
        sealed: true,
        header_signed: false,
        head: b"head",
        body: &body,
        trailer: b"trailer.",
        signature: &signature,
    };
    session.open(Side::Client, &pdu)
}

/// What is sealed in all examples.
fn plaintext() -> Vec<u8> {
    samples::utf16("Plaintext")
}

#[test]
fn what_was_sealed_is_opened() {
    let lm = "98def7b87f88aa5dafe2df779688a172def11c7d5ccdef13";
    let v1 = "67c43011f30298a2ad35ece64f16331c44bdbed927841f94";
    // 4.2.2.4
    let mut plain = session(KEY_EXCH | SEAL_128, lm, v1, "518822b1b3f350c8958682ecbb3e3cb7");
    assert_eq!(hex_of(plain.session_key().unwrap()), "55".repeat(16));
    let sealed = "56fe04d861f9319af0d7238a2e3b4d457fb8";
    let opened = open(&mut plain, sealed, "01000000 00000000 09dcd1df2e459d36");
    assert_eq!(opened, Opened::verified(Some(plaintext())));
    // 4.2.3.4
    let lm = "aaaaaaaaaaaaaaaa00000000000000000000000000000000";
    let nt = "7537f803ae367128ca458204bde7caf81e97ed2683267232";
    let mut extended = session(EXTENDED | SEAL_56, lm, nt, "");
    let sealed = "a02372f6530273f3aa1eb90190ce5200c99d";
    let opened = open(&mut extended, sealed, "01000000 ff2aeb52f681793a 00000000");
    assert_eq!(opened, Opened::verified(Some(plaintext())));
    // 4.2.4.4
    let exchanged = "c5dad2544fc9799094ce1ce90bc9d03e";
    let flags = EXTENDED | KEY_EXCH | SEAL_128;
    let mut v2 = session(flags, "", &v2_response(), exchanged);
    let sealed = "54e50165bf1936dc996020c1811b0f06fb5f";
    let signature = "01000000 7fb38ec5c55d4976 00000000";
    let opened = open(&mut v2, sealed, signature);
    assert_eq!(opened, Opened::verified(Some(plaintext())));
    // A changed octet, of either, opens nothing.
    for (sealed, signature) in [
        ("55e50165bf1936dc996020c1811b0f06fb5f", signature),
        (sealed, "01000000 7fb38ec5c55d4977 00000000"),
    ] {
        let mut v2 = session(flags, "", &v2_response(), exchanged);
        let opened = open(&mut v2, sealed, signature);
        assert_eq!((opened.verdict, opened.body), (Verdict::NotVerifiable, None));
    }
}
