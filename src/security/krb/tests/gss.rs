//! Tokens that others have published, and tokens that are made here, of every encryption type and both
//! ways to turn them.

use super::hex;
use crate::bytes::Side;
use crate::security::digest::hmac_md5;
use crate::security::krb::crypto::{self, Etype, Key};
use crate::security::krb::gss::{ContextKeys, Fault, open};
use crate::security::krb::message::Subkey;
use crate::security::krb::protect::{Choice, protect};
use crate::security::{Protected, Secret};

const HEAD: &[u8] = b"a head of twenty-four oc";
const BODY: &[u8] = b"a body, with its padding of four";
const TRAILER: &[u8] = b"trailer.";

fn key(etype: i32, octet: u8) -> Key {
    let len = Etype(etype).key_len().unwrap();
    Key::new(Etype(etype), Secret::new(vec![octet; len])).unwrap()
}

fn keys(etype: i32, acceptor: bool) -> ContextKeys {
    ContextKeys {
        ticket: key(etype, 1),
        initiator: Subkey::Readable(key(etype, 2)),
        acceptor: if acceptor { Subkey::Readable(key(etype, 3)) } else { Subkey::Absent },
    }
}

fn protected<'a>(sealed: bool, body: &'a [u8], signature: &'a [u8]) -> Protected<'a> {
    Protected { sealed, header_signed: true, head: HEAD, body, trailer: TRAILER, signature }
}

/// One key, of the ticket or of the server.
fn only(etype: i32, digits: &str, of_server: bool) -> ContextKeys {
    let given = Key::new(Etype(etype), Secret::new(hex(digits))).unwrap();
    let acceptor = if of_server { Subkey::Readable(given.clone()) } else { Subkey::Absent };
    let ticket = if of_server { key(etype, 1) } else { given };
    ContextKeys { ticket, initiator: Subkey::Absent, acceptor }
}

/// What has neither head nor trailer.
fn bare<'a>(sealed: bool, body: &'a [u8], signature: &'a [u8]) -> Protected<'a> {
    Protected { sealed, header_signed: false, head: &[], body, trailer: &[], signature }
}

/// \[MS-KILE\] 4.5. What is sealed there has one octet of padding, as RFC 4757 7.3 has it and RPC has
/// not.
#[test]
fn ms_kile_sealed_with_rc4() {
    let keys = only(23, "81a2cb90af7fc2d19554a150d8185359", false);
    let sealed = hex("8ed63f0ac83815335b72e293bae1f660");
    let clear = hex("112233445566778899aabbccddeeff 01");
    let token = hex("603b06092a864886f71201020202011100 1000ffffe29e8bbc6348e740ebaa61
         9244a156a13b5cf65e3c21b9aa");
    let opened = open(&keys, Side::Client, &bare(true, &sealed, &token));
    assert_eq!(opened, Ok(Some(clear.clone())));
    let opened = open(&keys, Side::Server, &bare(true, &sealed, &token));
    assert!(matches!(opened, Err(Fault::Wrong(_))), "{opened:?}");
    // Made again; in RPC the length of the frame is without the body.
    let mut confounder = [0; 16];
    confounder[..8].copy_from_slice(&hex("5256f3fb630cf12a"));
    let choice = Choice { number: 0x60cb_acd3, confounder: &confounder, filler: 0 };
    let made = protect(&keys, Side::Client, &bare(true, &clear, &[]), choice).unwrap();
    let mut right = token;
    right[1] -= 16;
    assert_eq!(made, (sealed, right));
}

/// The MIC tokens in the tests of gokrb5.
#[test]
fn signed_by_others() {
    let keys = only(17, "14f9bde6b50ec508201a97f74c4e5bd3", false);
    let body = hex("deadbeef");
    for (side, number, token) in [
        (Side::Server, 0x575e_85d6, "040401ffffffffff00000000575e85d6c34d12ba3e5b1b1310cd9cb3"),
        (Side::Client, 0, "040400ffffffffff00000000000000009649ca09d2f1bc51ff6e5ca3"),
    ] {
        let token = hex(token);
        assert_eq!(open(&keys, side, &bare(false, &body, &token)), Ok(None));
        let other = open(&keys, side, &bare(false, &body[1..], &token));
        assert!(matches!(other, Err(Fault::Wrong(_))), "{other:?}");
        let choice = Choice { number, confounder: &[0; 16], filler: 0 };
        let made = protect(&keys, side, &bare(false, &body, &[]), choice);
        assert_eq!(made, Some((body.clone(), token)));
    }
}

/// Wrap tokens of clients: two in the tests of rskrb5, not turned and turned, and one that impacket
/// has made, which has EC.
#[test]
fn sealed_by_others() {
    let key = "14f9bde6b50ec508201a97f74c4e5bd3";
    let subkey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let cases: [(ContextKeys, &[u8], &str); 3] = [
        (
            only(17, key, false),
            b"\x01\x01\x00\x00",
            "050402ff000000000000000000000000debcb2b270f4152cfe1cde9c62f90d12
             a59afda0127a094f4b18e8d8b8fc253c63239cc38ef96b6ce3e92c754f8a97b3",
        ),
        (
            only(17, key, false),
            b"\x01\x01\x00\x00",
            "050402ff00000009000000000000000741b1ec99c834f8c7d3debcb2b270f415
             2cfe1cde9c62f90d12bde6bc91659577018ad4118b1e18e27263239cc39150a9",
        ),
        (
            only(18, subkey, true),
            b"magnetite drs stub!!",
            "050406ff000c001c0000000000000000f94e5ae8af1c914e16a2d758e458ad80
             618986bbf42fb83b4091214ee903bcbda88c380b98611540dbe13562fdcd48cf
             f3f69a0788a4c001 adb513385a3c38fc4b7d9b93c9d1674a6546c47f",
        ),
    ];
    for (keys, clear, octets) in cases {
        let octets = hex(octets);
        // As in RPC, the last of it are as many octets as there are in clear.
        let split = |octets: &[u8]| {
            let (token, body) = octets.split_at(octets.len() - clear.len());
            open(&keys, Side::Client, &bare(true, body, token))
        };
        assert_eq!(split(&octets), Ok(Some(clear.to_vec())));
        for at in (8..octets.len()).chain(2..3) {
            let mut bad = octets.clone();
            bad[at] ^= 0x40;
            assert!(split(&bad).is_err(), "octet {at}");
        }
    }
}

/// A Wrap token of the server, and the body sealed.
fn wrap(key: &Key, ec: u8, rrc: u8, turned: usize) -> (Vec<u8>, Vec<u8>) {
    let header = [5, 4, 7, 0xff, 0, ec, 0, rrc, 0, 0, 0, 0, 0, 0, 0, 9];
    let mut copy = header;
    copy[7] = 0;
    let end = [&vec![0xff; ec.into()][..], &copy].concat();
    let clear = [&[0x77; 16][..], BODY, &end].concat();
    let sealed = crypto::encrypt_unchecked(key, 22, &clear).unwrap();
    let over = if key.etype().is_checked_sealed() { &sealed } else { &clear };
    let (confounder, rest) = over.split_at(16);
    let (body, end) = rest.split_at(BODY.len());
    let mac = crypto::mac(key, 22, &[confounder, HEAD, body, TRAILER, end]).unwrap();
    let mut stream = [sealed, mac].concat();
    stream.rotate_right(turned);
    let body = stream.split_off(stream.len() - BODY.len());
    ([&header[..], &stream].concat(), body)
}

#[test]
fn sealed_with_every_type() {
    for etype in [17, 18, 19, 20] {
        let keys = keys(etype, true);
        let of_server = keys.acceptor.key().unwrap();
        let mac = u8::try_from(of_server.etype().mac_len().unwrap()).unwrap();
        // Samba; Windows, which adds EC to RRC.
        // A header says how far it is turned, which may be more than once round.
        let round = 32 + mac + u8::try_from(BODY.len()).unwrap();
        for (ec, rrc, turned) in
            [(0, 16 + mac, 16 + mac), (16, 16 + mac, 32 + mac), (0, 16 + mac + round, 16 + mac)]
        {
            let (token, body) = wrap(of_server, ec, rrc, turned.into());
            let opened = open(&keys, Side::Server, &protected(true, &body, &token));
            assert_eq!(opened, Ok(Some(BODY.to_vec())), "{etype} {ec}");
            for at in 0..token.len() {
                let mut bad = token.clone();
                bad[at] ^= 0x20;
                let opened = open(&keys, Side::Server, &protected(true, &body, &bad));
                // Of the header, RRC and EC are not under the signature: they lead astray, or nowhere.
                assert!(opened.is_err(), "{etype} {ec} octet {at}");
                let opened = open(&keys, Side::Server, &protected(true, &body, &token[..at]));
                assert!(opened.is_err(), "{etype} {ec} {at} octets");
            }
            let without = self::keys(etype, false);
            let opened = open(&without, Side::Server, &protected(true, &body, &token));
            assert_eq!(opened, Err(Fault::NoAcceptorKey));
            let other = open(&keys, Side::Client, &protected(true, &body, &token));
            assert!(matches!(other, Err(Fault::Wrong(_))));
            let clear = open(&keys, Side::Server, &protected(false, &body, &token));
            assert!(matches!(clear, Err(Fault::Unknown(_))), "it seals what is in clear");
        }
    }
}

#[test]
fn signed_with_every_type() {
    for etype in [17, 18, 19, 20] {
        let keys = keys(etype, true);
        // Without the flag it is the key of the client's own.
        for (flags, key) in [(0, &keys.initiator), (4, &keys.acceptor)] {
            let header = [4, 4, flags, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 1];
            let parts = [HEAD, BODY, TRAILER, &header];
            let mac = crypto::checksum(key.key().unwrap(), 25, &parts).unwrap();
            let token = [&header[..], &mac].concat();
            let signed = protected(false, BODY, &token);
            assert_eq!(open(&keys, Side::Client, &signed), Ok(None), "{etype}");
            let bare = Protected { header_signed: false, ..signed };
            assert!(matches!(open(&keys, Side::Client, &bare), Err(Fault::Wrong(_))));
            for at in 2..token.len() {
                let mut bad = token.clone();
                bad[at] ^= 0x40;
                let opened = open(&keys, Side::Client, &protected(false, BODY, &bad));
                assert!(matches!(opened, Err(Fault::Wrong(_))), "{etype} octet {at}");
            }
        }
    }
}

/// RFC 4757 7.2.
#[test]
fn signed_with_rc4() {
    let keys = keys(23, false);
    let key = keys.initiator.key().unwrap();
    let header = [1, 1, 0x11, 0, 0xff, 0xff, 0xff, 0xff];
    let checksum = crypto::checksum(key, 15, &[&header, HEAD, BODY, TRAILER]).unwrap();
    let checksum = &checksum[..8];
    let of_sequence = hmac_md5(key.octets(), &[&[0; 4]]);
    let of_sequence = hmac_md5(&*of_sequence, &[checksum]);
    let mut sequence = [0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff];
    crypto::rc4(&*of_sequence, &mut sequence).unwrap();
    let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
    let token = [&[0x60, 35][..], oid, &header, &sequence, checksum].concat();
    let signed = protected(false, BODY, &token);
    assert_eq!(open(&keys, Side::Server, &signed), Ok(None));
    assert!(matches!(open(&keys, Side::Client, &signed), Err(Fault::Wrong(_))), "sent back");
    // Only the order of tokens protects the number, which is in the first four octets of its field.
    for at in (13..21).chain(25..token.len()) {
        let mut bad = token.clone();
        bad[at] ^= 1;
        let opened = open(&keys, Side::Server, &protected(false, BODY, &bad));
        assert!(matches!(opened, Err(Fault::Wrong(_))), "octet {at}");
    }
    for len in 0..token.len() {
        let opened = open(&keys, Side::Server, &protected(false, BODY, &token[..len]));
        assert!(opened.is_err(), "{len} octets");
    }
}

/// Nobody is to blame for what is not looked at.
#[test]
fn what_does_not_fit_is_not_wrong() {
    let keys = keys(18, true);
    let (token, body) = wrap(keys.acceptor.key().unwrap(), 0, 28, 28);
    let longer = [&token[..], &[0]].concat();
    for token in [&token[..token.len() - 1], &longer] {
        let opened = open(&keys, Side::Server, &protected(true, &body, token));
        assert!(matches!(opened, Err(Fault::Unknown(_))), "{opened:?}");
    }
    let header = [4, 4, 4, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 1];
    for len in [0, 11, 13] {
        let token = [&header[..], &vec![0; len]].concat();
        let opened = open(&keys, Side::Client, &protected(false, BODY, &token));
        assert!(matches!(opened, Err(Fault::Unknown(_))), "{len}: {opened:?}");
    }
    // RFC 4121 has no tokens of RC4.
    let rc4 = self::keys(23, true);
    let opened = open(&rc4, Side::Server, &protected(true, &body, &token));
    assert!(matches!(opened, Err(Fault::Unknown(_))), "{opened:?}");
    let token = [&header[..], &[0; 16]].concat();
    let opened = open(&rc4, Side::Client, &protected(false, BODY, &token));
    assert!(matches!(opened, Err(Fault::Unknown(_))), "{opened:?}");
}

/// The key of the ticket is not taken for a subkey that is there.
#[test]
fn a_subkey_that_cannot_be_read() {
    let unread = || Subkey::Unreadable(Some(Etype(3)));
    let fault = Some(Fault::Subkey(Some(Etype(3))));
    for etype in [18, 23] {
        let of_client = ContextKeys { initiator: unread(), ..keys(etype, false) };
        let of_server = ContextKeys { acceptor: unread(), ..keys(etype, false) };
        for (flags, keys) in [(0, &of_client), (4, &of_server)] {
            let token = [&[4, 4, flags, 255, 255, 255, 255, 255][..], &[0; 20]].concat();
            let opened = open(keys, Side::Client, &protected(false, BODY, &token));
            assert_eq!(opened.err(), fault, "{flags}");
            assert_eq!(keys.session_key().err(), fault);
            let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
            let token = [&[0x60, 35][..], oid, &[0; 24]].concat();
            let opened = open(keys, Side::Client, &protected(false, BODY, &token));
            assert_eq!(opened.err(), fault, "{flags}");
        }
    }
}
