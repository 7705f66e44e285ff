//! Messages of the laboratory: every shorter one, and octets that are changed.

use crate::security::keys::{Keyring, id};
use crate::security::krb::message::{KdcMessage, ap_rep, ap_req, kdc_message};
use crate::security::krb::{Kdc, Step, step, ticket_shown};

/// Pieces of a seed of the fuzzer: an octet, a length of two, the message.
fn pieces(mut seed: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let [kind, a, b, rest @ ..] = seed else { return None };
        let (piece, rest) = rest.split_at(u16::from_le_bytes([*a, *b]).into());
        seed = rest;
        Some((*kind, piece))
    })
}

fn check(bytes: &[u8], reads: impl Fn(&[u8]) -> bool) {
    assert!(reads(bytes));
    for len in 0..bytes.len() {
        assert!(!reads(&bytes[..len]), "{len} of {} octets", bytes.len());
    }
    // Lengths are anywhere: whatever is read then, nothing is read beyond the end.
    for at in 0..bytes.len() {
        for octet in [0, 0x7f, 0x80, 0x84, 0xff] {
            let mut bad = bytes.to_vec();
            bad[at] = octet;
            let _ = reads(&bad);
        }
    }
}

#[test]
fn what_is_said_to_a_kdc_and_by_it() {
    let seed = include_bytes!("../../../../fuzz/seeds/ap_req/kdc-seal");
    let mut kinds = [0; 3];
    for (_, message) in pieces(seed) {
        match kdc_message(message) {
            Some(KdcMessage::TgsReq(request)) => {
                kinds[0] += 1;
                assert_eq!(request.ticket.name(), "krbtgt/FSLAB.TEST@FSLAB.TEST");
            }
            Some(KdcMessage::Rep(answer)) if answer.initial => {
                kinds[1] += 1;
                assert_eq!((&*answer.client, &*answer.realm), ("fsbackup", "FSLAB.TEST"));
                assert!(!answer.fast && answer.armored.is_none());
                assert_eq!(answer.salts[0].octets.as_deref(), Some(&b"FSLAB.TESTfsbackup"[..]));
            }
            Some(KdcMessage::Rep(answer)) => {
                kinds[2] += 1;
                assert!(answer.fast && answer.armored.is_some());
            }
            _ => continue,
        }
        check(message, |message| kdc_message(message).is_some());
    }
    assert_eq!(kinds, [2, 1, 2]);
    let mut kdc = Kdc::default();
    for (_, message) in pieces(seed) {
        kdc.message(message, &Keyring::default());
    }
}

#[test]
fn what_is_said_to_a_service_and_by_it() {
    let seed = include_bytes!("../../../../fuzz/seeds/ap_req/session-seal");
    // PDUs follow, which are in other pieces.
    let first: Vec<_> = pieces(seed).take(2).collect();
    let [(0, asked), (1, answered)] = first[..] else { panic!("other pieces") };
    check(asked, |bytes| ap_req(bytes).is_some());
    check(answered, |bytes| ap_rep(bytes).is_some());
    let asked = ap_req(asked).unwrap();
    assert_eq!(asked.ticket.name(), "host/fsm1.fslab.test@FSLAB.TEST");
    assert_eq!((asked.ticket.sealed.etype.0, asked.ticket.sealed.kvno), (18, Some(1)));
    assert!(asked.mutual_required && !asked.use_session_key);
}

/// Whoever has no key can still say which message gave what.
#[test]
fn what_leads_to_a_ticket_is_told_in_clear() {
    let kdc = include_bytes!("../../../../fuzz/seeds/ap_req/kdc-seal");
    let session = include_bytes!("../../../../fuzz/seeds/ap_req/session-seal");
    let (_, token) = pieces(session).next().unwrap();
    let shown = ticket_shown(token).unwrap();
    let (mut with, mut given) = (Vec::new(), Vec::new());
    for (_, message) in pieces(kdc) {
        match step(message) {
            Some(Step::Asked { with: Some(ticket) }) => with.push(ticket),
            Some(Step::Given { ticket, client }) => given.push((ticket, client)),
            _ => continue,
        }
        check(message, |message| step(message).is_some());
    }
    let user = || Some(("fsbackup".to_owned(), "FSLAB.TEST".to_owned()));
    assert_eq!(
        given.iter().map(|(_, client)| client.clone()).collect::<Vec<_>>(),
        [user(), None, None]
    );
    assert_eq!(with, [given[0].0; 2], "all is asked for with the first ticket");
    assert!(given[1..].iter().any(|(ticket, _)| *ticket == shown));
    assert_eq!(shown, id(ap_req(token).unwrap().ticket.sealed.cipher));
    check(token, |token| ticket_shown(token).is_some());
    assert_eq!(ticket_shown(b"NTLMSSP\0\x01\0\0\0"), None);
    assert_eq!(step(&[0x6a, 0]), Some(Step::Asked { with: None }));
    assert_eq!((step(&[]), step(&[0x6b, 0])), (None, None));
}
