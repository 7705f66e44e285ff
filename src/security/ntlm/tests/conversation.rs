//! Conversations of many messages: what is missing, late, changed, or signed in another way.

use rc4::{KeyInit, Rc4, StreamCipher};

use super::super::keys::{seal_key, sign_key};
use super::super::*;
use super::vectors::{EXTENDED, KEY_EXCH, SEAL_128, hex, session, v2_response};
use crate::bytes::Side;
use crate::security::digest::hmac_md5;
use crate::security::{Opened, Protected, Secret, Verdict};

/// How one side seals, written down apart from the code that opens.
struct Sealer {
    extended: bool,
    sign: Secret,
    cipher: Rc4,
    number: u32,
    /// Whether head and trailer are signed.
    whole: bool,
}

/// A message as it travels.
#[derive(Clone)]
struct Sent {
    side: Side,
    sealed: bool,
    body: Vec<u8>,
    signature: Vec<u8>,
    clear: Vec<u8>,
}

const HEAD: &[u8] = b"the header";
const TRAILER: &[u8] = b"trailer.";

impl Sealer {
    fn new(side: Side, flags: u32, key: &Secret) -> Self {
        Self {
            extended: flags & EXTENDED != 0,
            sign: sign_key(side, key),
            cipher: Rc4::new_from_slice(seal_key(side, flags, key).octets()).unwrap(),
            number: 0,
            whole: true,
        }
    }

    fn send(&mut self, side: Side, sealed: bool, clear: &[u8]) -> Sent {
        let mut body = clear.to_vec();
        if sealed {
            self.cipher.apply_keystream(&mut body);
        }
        let signed = if self.whole { [HEAD, clear, TRAILER].concat() } else { clear.to_vec() };
        let number = self.number.to_le_bytes();
        self.number += 1;
        let mut signature = vec![1, 0, 0, 0];
        if self.extended {
            let mut sum = hmac_md5(self.sign.octets(), &[&number, &signed])[..8].to_vec();
            self.cipher.apply_keystream(&mut sum);
            signature.extend([&sum[..], &number].concat());
        } else {
            let mut rest = [[0; 4], crc32fast::hash(&signed).to_le_bytes(), number].concat();
            self.cipher.apply_keystream(&mut rest);
            // What was sent as padding counts for nothing.
            rest[..4].fill(0);
            signature.extend(rest);
        }
        Sent { side, sealed, body, signature, clear: clear.to_vec() }
    }
}

fn open(session: &mut Session, sent: &Sent) -> Opened {
    let pdu = Protected {
        sealed: sent.sealed,
        header_signed: true,
        head: HEAD,
        body: &sent.body,
        trailer: TRAILER,
        signature: &sent.signature,
    };
    session.open(sent.side, &pdu)
}

fn is_open(session: &mut Session, sent: &Sent) {
    let opened = open(session, sent);
    let body = sent.sealed.then(|| sent.clear.clone());
    assert_eq!(opened, Opened::verified(body));
}

/// A context with key exchange, and both its sides.
fn talk(flags: u32) -> (Session, Sealer, Sealer) {
    let flags = flags | KEY_EXCH | SEAL_128;
    let session = session(flags, "", &v2_response(), "c5dad2544fc9799094ce1ce90bc9d03e");
    let key = session.session_key().unwrap().clone();
    let [client, server] = Side::BOTH.map(|side| Sealer::new(side, flags, &key));
    (session, client, server)
}

#[test]
fn both_sides_go_on_by_themselves() {
    for flags in [EXTENDED, 0] {
        let (mut session, mut client, mut server) = talk(flags);
        for n in 0..20u8 {
            let sealed = n % 3 != 1;
            is_open(&mut session, &client.send(Side::Client, sealed, &vec![n; usize::from(n) * 7]));
            is_open(&mut session, &server.send(Side::Server, sealed, &[n; 5]));
        }
    }
}

#[test]
fn both_sides_may_share_a_handle() {
    let (mut session, mut both, _) = talk(0);
    for n in 0..10u8 {
        let side = if n % 2 == 0 { Side::Client } else { Side::Server };
        is_open(&mut session, &both.send(side, true, &[n; 9]));
    }
}

#[test]
fn what_is_missing_costs_no_more_than_itself() {
    for (flags, sealed) in [(EXTENDED, true), (EXTENDED, false), (0, true)] {
        let (mut session, mut client, _) = talk(flags);
        for n in 0..30u8 {
            let sent = client.send(Side::Client, sealed, &vec![n; 40 + usize::from(n)]);
            if n % 5 != 2 && n % 7 != 3 {
                is_open(&mut session, &sent);
            }
        }
    }
}

#[test]
fn what_comes_late_or_twice_is_opened() {
    let (mut session, mut client, _) = talk(EXTENDED);
    let sent: Vec<Sent> = (0..6).map(|n| client.send(Side::Client, true, &[n; 30])).collect();
    for n in [0, 2, 1, 1, 3, 5, 4, 0] {
        is_open(&mut session, &sent[n]);
    }
}

#[test]
fn headers_may_be_signed_by_one_side_alone() {
    let (mut session, mut client, mut server) = talk(EXTENDED);
    server.whole = false;
    for n in 0..5 {
        is_open(&mut session, &client.send(Side::Client, true, &[n; 30]));
        is_open(&mut session, &server.send(Side::Server, true, &[n; 30]));
    }
}

#[test]
fn who_has_verified_nothing_accuses_nobody() {
    for sealed in [true, false] {
        let (mut session, mut client, _) = talk(EXTENDED);
        let mut bad = client.send(Side::Client, sealed, b"changed on the way");
        bad.body[3] ^= 1;
        assert_eq!(open(&mut session, &bad).verdict, Verdict::NotVerifiable);
        let (mut session, mut client, _) = talk(EXTENDED);
        is_open(&mut session, &client.send(Side::Client, sealed, b"as it was sent"));
        let mut bad = client.send(Side::Client, sealed, b"changed on the way");
        bad.body[3] ^= 1;
        let opened = open(&mut session, &bad);
        assert_eq!((opened.verdict, opened.body), (Verdict::BadSignature, None));
        // And what follows is opened again.
        is_open(&mut session, &client.send(Side::Client, sealed, b"as it was sent"));
    }
}

#[test]
fn a_signature_that_is_none_is_not_one() {
    let (mut session, mut client, _) = talk(EXTENDED);
    let sent = client.send(Side::Client, true, b"text");
    for signature in [&b""[..], &sent.signature[..15], &[&[2], &sent.signature[1..]].concat()] {
        let other = Sent { signature: signature.to_vec(), ..sent.clone() };
        assert_eq!(open(&mut session, &other).verdict, Verdict::NotVerifiable);
    }
    let dummy = Sent { signature: hex("01000000 00000000 00000000 00000000"), ..sent.clone() };
    assert_eq!(open(&mut session, &dummy).verdict, Verdict::NotVerifiable);
    is_open(&mut session, &sent);
}

/// A number that says that very much is missing costs neither time nor memory without end.
#[test]
fn a_hostile_number_is_given_up() {
    let (mut session, mut client, _) = talk(EXTENDED);
    for number in [131_071_u32, 0x7fff_ffff, 0xffff_fff0] {
        let mut sent = client.send(Side::Client, false, b"text");
        sent.signature[12..].copy_from_slice(&number.to_le_bytes());
        for _ in 0..3 {
            assert_eq!(open(&mut session, &sent).verdict, Verdict::NotVerifiable);
        }
    }
}

/// Nobody's key is known to everybody.
#[test]
fn nobody_is_opened_without_a_password() {
    let flags = EXTENDED | SEAL_128;
    let message =
        [&b"NTLMSSP\0\x03\0\0\0"[..], &[0; 48], &(flags | 1 | 0x800).to_le_bytes()].concat();
    let mut session = Session::default();
    let keys = crate::security::keys::Keyring::default();
    let challenge =
        [&b"NTLMSSP\0\x02\0\0\0"[..], &[0; 8], &flags.to_le_bytes(), &[7; 8], &[0; 16]].concat();
    session.token(Side::Server, &challenge, &keys);
    session.token(Side::Client, &message, &keys);
    assert_eq!(session.session_key().unwrap().octets(), [0; 16]);
}
