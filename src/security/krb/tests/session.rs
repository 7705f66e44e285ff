use super::*;
use crate::security::Verdict;

fn key(octet: u8) -> Key {
    Key::new(Etype::AES256, [octet; 32].into()).unwrap()
}

fn session() -> Session {
    let keys = ContextKeys {
        ticket: key(1),
        initiator: Subkey::Readable(key(2)),
        acceptor: Subkey::Absent,
    };
    Session { begun: true, keys: Some(keys), ..Session::default() }
}

/// A MIC token of the client, over `over`.
fn mic(key: &Key, over: &[&[u8]]) -> Vec<u8> {
    let header = [4, 4, 0, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 1];
    let mac = crypto::checksum(key, 25, &[over, &[&header]].concat()).unwrap();
    [&header[..], &mac].concat()
}

fn open(session: &mut Session, header_signed: bool, signature: &[u8]) -> Opened {
    let pdu = Protected {
        sealed: false,
        header_signed,
        head: b"head",
        body: b"body",
        trailer: b"trailer.",
        signature,
    };
    session.open(Side::Client, &pdu)
}

/// Before a message of its side is verified, the keys may be those of somebody else.
#[test]
fn nobody_is_accused_before_the_keys_are_proven() {
    let right = mic(&key(2), &[b"head", b"body", b"trailer."]);
    let wrong = mic(&key(3), &[b"head", b"body", b"trailer."]);
    let mut session = session();
    let opened = open(&mut session, true, &wrong);
    assert_eq!(opened.verdict, Verdict::NotVerifiable);
    assert_eq!(opened.why.unwrap().needs, UNPROVEN);
    assert_eq!(open(&mut session, true, &right).verdict, Verdict::Verified);
    assert_eq!(open(&mut session, true, &wrong).verdict, Verdict::BadSignature);
    // Nothing of the server's was verified.
    let pdu = Protected {
        sealed: false,
        header_signed: true,
        head: b"",
        body: b"",
        trailer: b"",
        signature: &right,
    };
    assert_eq!(session.open(Side::Server, &pdu).verdict, Verdict::NotVerifiable);
}

/// The first that is verified tells, and the others are held to it.
#[test]
fn what_is_under_the_signature_a_message_tells() {
    let whole = mic(&key(2), &[b"head", b"body", b"trailer."]);
    let bare = mic(&key(2), &[b"body"]);
    for (first, other) in [(&whole, &bare), (&bare, &whole)] {
        for agreed in [true, false] {
            let mut session = session();
            assert_eq!(open(&mut session, agreed, first).verdict, Verdict::Verified);
            assert_eq!(open(&mut session, !agreed, first).verdict, Verdict::Verified);
            assert_eq!(open(&mut session, agreed, other).verdict, Verdict::BadSignature);
        }
    }
}

#[test]
fn a_subkey_that_cannot_be_read_is_told() {
    // RFC 4120 5.5.2: times and, in [2], a subkey of des-cbc-md5; the same with a key that is too short.
    let part = |etype| {
        let mut part = b"\x7b\x14\x30\x12\xa2\x10\x30\x0e\xa0\x03\x02\x01".to_vec();
        part.extend([etype, 0xa1, 7, 4, 5, 1, 2, 3, 4, 5]);
        message::enc_ap_rep_part(&part).unwrap().subkey
    };
    let type_3 = "a subkey of an encryption type that can be read, which des-cbc-md5 cannot";
    for (etype, needs) in [(3, type_3), (18, "a subkey that can be read")] {
        let mut session = session();
        assert_eq!(session.session_key(), Some(key(2).secret()));
        session.keys.as_mut().unwrap().acceptor = part(etype);
        assert_eq!(session.session_key(), None);
        assert_eq!(session.need().needs, needs);
        let mut of_server = mic(&key(1), &[b"body"]);
        of_server[2] = 4;
        assert_eq!(open(&mut session, false, &of_server).why.unwrap().needs, needs);
    }
    assert!(matches!(
        message::enc_ap_rep_part(b"\x7b\x02\x30\x00").unwrap().subkey,
        Subkey::Absent
    ));
}
