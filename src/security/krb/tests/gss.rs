//! Tokens that are made here, of every encryption type and both ways to turn them.

use crate::bytes::Side;
use crate::security::krb::crypto::{self, Etype, Key};
use crate::security::krb::gss::{ContextKeys, Fault, open};
use crate::security::krb::protect::{Choice, FILLER, protect, signature_len};
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
        initiator: Some(key(etype, 2)),
        acceptor: acceptor.then(|| key(etype, 3)),
    }
}

fn protected<'a>(sealed: bool, body: &'a [u8], signature: &'a [u8]) -> Protected<'a> {
    Protected { sealed, header_signed: true, head: HEAD, body, trailer: TRAILER, signature }
}

/// A token of this side, and the body as it travels.
fn made(keys: &ContextKeys, side: Side, sealed: bool, filler: u8) -> (Vec<u8>, Vec<u8>) {
    let choice = Choice { number: 9, confounder: &[0x77; 16], filler };
    let (body, token) = protect(keys, side, &protected(sealed, BODY, &[]), choice).unwrap();
    (token, body)
}

#[test]
fn sealed_with_every_type() {
    for etype in [17, 18, 19, 20] {
        let keys = keys(etype, true);
        let mac = u8::try_from(Etype(etype).mac_len().unwrap()).unwrap();
        // Samba; Windows, which adds EC to RRC.
        for ec in [0, 16] {
            let (token, body) = made(&keys, Side::Server, true, ec);
            // [MS-KILE] 3.4.5.4.1: RRC is of the copy of the header and the HMAC alone.
            assert_eq!(token[..8], [5, 4, 7, 0xff, 0, ec, 0, 16 + mac]);
            assert_eq!(body.len(), BODY.len());
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

/// What is made here is as long as was said before, and opens on the other side.
#[test]
fn made_and_opened() {
    for etype in [17, 18, 19, 20, 23] {
        for (acceptor, sealed) in [(false, false), (false, true), (true, false), (true, true)] {
            let keys = keys(etype, acceptor);
            for side in Side::BOTH {
                let (token, body) = made(&keys, side, sealed, FILLER);
                assert_eq!(signature_len(&keys, sealed), Some(token.len()), "{etype} {sealed}");
                let pdu = protected(sealed, &body, &token);
                assert_eq!(open(&keys, side, &pdu), Ok(sealed.then(|| BODY.to_vec())), "{etype}");
                assert!(open(&keys, side.other(), &pdu).is_err(), "{etype} sent back");
                let bare = Protected { header_signed: false, ..pdu };
                assert!(open(&keys, side, &bare).is_err(), "{etype} without its head");
            }
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
            let mac = crypto::checksum(key.as_ref().unwrap(), 25, &parts).unwrap();
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
    let keys = ContextKeys { acceptor: None, ..keys(23, false) };
    let key = keys.initiator.as_ref().unwrap();
    let header = [1, 1, 0x11, 0, 0xff, 0xff, 0xff, 0xff];
    let checksum = crypto::checksum(key, 15, &[&header, HEAD, BODY, TRAILER]).unwrap();
    let checksum = &checksum[..8];
    let of_sequence = crypto::hmac_md5(key.octets(), &[&[0; 4]]).unwrap();
    let of_sequence = crypto::hmac_md5(&of_sequence, &[checksum]).unwrap();
    let mut sequence = [0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff];
    crypto::rc4(&of_sequence, &mut sequence).unwrap();
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
