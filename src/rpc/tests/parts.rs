//! How the fragments of one message were protected: the worst of them counts.

use super::super::part::{Cover, Part, Seal};
use super::*;
use crate::security::Verdict;

const OPENED: Cover = Cover { seal: Seal::Closed, opened: true, verdict: Some(Verdict::Verified) };
const SIGNED: Cover = Cover { seal: Seal::Open, opened: false, verdict: Some(Verdict::Verified) };
const BAD: Cover = Cover { seal: Seal::Open, opened: false, verdict: Some(Verdict::BadSignature) };
const SHUT: Cover =
    Cover { seal: Seal::Closed, opened: false, verdict: Some(Verdict::NotVerifiable) };
const BARE: Cover = Cover { seal: Seal::Open, opened: false, verdict: None };

/// A message of fragments with these covers.
fn message(parts: &[(Cover, &[u8])]) -> Message {
    let mut common = Common::default();
    let mut slot = None;
    for (n, (cover, octets)) in parts.iter().enumerate() {
        let flags = u8::from(n == 0) | u8::from(n + 1 == parts.len()) << 1;
        let unit = PLAIN.fragment(2, 0, 8, octets, flags);
        let unit = View::new(&unit, &[], &[]);
        let pdu = pdu::dissect(&mut Reader::new(unit, &mut ())).unwrap();
        let Some(Body::Request { stub, .. }) = pdu.body else { panic!("no request") };
        let origin = origin(Side::Client);
        let part = Part { origin, unit, pdu: &pdu, stub, cover: *cover, context_id: Some(0) };
        part.append_to(&mut slot, false, &mut common);
    }
    slot.unwrap()
}

#[test]
fn what_comes_in_clear_beside_what_was_opened_is_not_shown() {
    for (parts, state) in [
        (&[(OPENED, &b"a"[..]), (OPENED, b"b")][..], StubState::Unsealed),
        (&[(OPENED, b"a"), (BARE, b"b")], StubState::Sealed),
        (&[(BARE, b"a"), (OPENED, b"b")], StubState::Sealed),
        (&[(OPENED, b"a"), (SIGNED, b"b")], StubState::Sealed),
        (&[(OPENED, b"a"), (SHUT, b"b")], StubState::Sealed),
        (&[(SHUT, b"a"), (OPENED, b"b")], StubState::Sealed),
        (&[(SIGNED, b"a"), (SIGNED, b"b")], StubState::Clear),
        (&[(BARE, b"a"), (BARE, b"b")], StubState::Clear),
        // There is nothing in it to be proved.
        (&[(OPENED, b"a"), (BARE, b"")], StubState::Unsealed),
    ] {
        assert_eq!(message(parts).stub_state(), state, "{parts:?}");
    }
}

#[test]
fn the_worst_signature_of_the_fragments_counts() {
    let verdicts = [
        (SIGNED, Some(Verdict::Verified)),
        (SHUT, Some(Verdict::NotVerifiable)),
        (BARE, Some(Verdict::NotVerifiable)),
        (BAD, Some(Verdict::BadSignature)),
    ];
    for (cover, verdict) in verdicts {
        for parts in [[(SIGNED, &b"a"[..]), (cover, b"b")], [(cover, b"a"), (SIGNED, b"b")]] {
            assert_eq!(message(&parts).verdict, verdict, "{parts:?}");
        }
    }
    assert_eq!(message(&[(BARE, b"a"), (BARE, b"b")]).verdict, None);
    assert_eq!(message(&[(BARE, b"a"), (BAD, b"b")]).verdict, Some(Verdict::BadSignature));
}
