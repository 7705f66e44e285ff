use super::super::unseen::{not_listed, not_told};
use super::*;
use crate::bytes::FrameNo;
use crate::call::Outcome;
use crate::check::Report;
use crate::security::Verdict;
use crate::smb;

fn told(change: impl FnOnce(&mut Summary)) -> String {
    let mut summary = Summary::default();
    summary.frames = 9;
    change(&mut summary);
    let told = not_listed(&summary).unwrap();
    told.strip_prefix("no RPC call in 9 frames; seen: ").unwrap().to_owned()
}

#[test]
fn what_keys_were_there_for_is_not_said_to_lack_them() {
    let sealed = |sealed, opened, bulk, bad, torn| {
        told(|summary| {
            summary.smb_sealed = sealed;
            summary.smb_opened = opened;
            summary.smb_sealed_bulk = bulk;
            summary.smb_sealed_bad = bad;
            summary.smb_sealed_torn = torn;
        })
    };
    assert_eq!(sealed(9, 7, 2, 0, 0), "nothing else");
    assert_eq!(
        sealed(9, 7, 1, 1, 0),
        "1 encrypted SMB message that does not open, though its key does others: it was changed \
         on its way"
    );
    assert_eq!(
        sealed(9, 1, 0, 2, 1),
        "5 encrypted SMB messages, which no key at hand opens, and calls in them perhaps; 2 encrypted SMB \
         messages that do not open, though their keys do others: they were changed on their way; 1 \
         encrypted SMB message that does not open, since bytes of it are missing"
    );
}

#[test]
fn wrong_signatures_of_rpc_are_told() {
    let wrong = |count| {
        told(|summary| {
            summary.rpc.signatures.insert(Verdict::Verified, 7);
            summary.rpc.signatures.insert(Verdict::BadSignature, count);
        })
    };
    assert_eq!(wrong(0), "nothing else");
    assert_eq!(wrong(1), "1 PDU of RPC whose signature is wrong");
    assert_eq!(wrong(3), "3 PDUs of RPC whose signatures are wrong");
}

#[test]
fn one_stays_closed_and_more_stay_closed() {
    let session = |messages| {
        let closed = smb::Closed {
            server: [10, 0, 0, 1].into(),
            session_id: 7,
            user: None,
            need: Need::of("a key"),
            messages,
        };
        told(|summary| summary.smb_closed = vec![closed])
    };
    let rest = "of SMB session 0x0000000000000007";
    assert_eq!(session(1), format!("1 encrypted message {rest} stays closed: it takes a key"));
    assert_eq!(session(2), format!("2 encrypted messages {rest} stay closed: it takes a key"));
    let pdus = |pdus, sealed, tried: &[&str]| {
        let mut need = Need::of("a key");
        need.tried = tried.iter().map(|what| (*what).to_owned()).collect();
        let closed = Closed { need, sealed, pdus, first: Some(FrameNo(5)) };
        told(|summary| summary.rpc.closed = vec![closed])
    };
    assert_eq!(pdus(1, true, &[]), "1 PDU stays sealed, in frame 5: it takes a key");
    assert_eq!(pdus(2, true, &[]), "2 PDUs stay sealed, from frame 5 on: it takes a key");
    // What is only signed is read without a key.
    assert_eq!(pdus(2, false, &[]), "nothing else");
    assert_eq!(
        pdus(2, false, &["that of here is not it"]),
        "the signatures of 2 PDUs are not verified, from frame 5 on: it takes a key; that of here \
         is not it"
    );
}

#[test]
fn what_the_report_tells_is_not_told_again() {
    let mut summary = Summary::default();
    summary.frames = 9;
    let calls = summary.calls.entry(None).or_default();
    calls.outcomes.insert(Outcome::Unknown, 5);
    calls.sealed = 5;
    let mut need = Need::of("a key");
    need.tried = vec!["that of here is not it".to_owned()];
    summary.rpc.closed = vec![Closed { need, sealed: true, pdus: 2, first: None }];
    let mut report = Report::default();
    let pdus = "2 PDUs stay sealed: it takes a key; that of here is not it";
    let calls = "calls sealed by RPC, which no key at hand opens";
    assert_eq!(not_told(&summary, &report), [format!("5 {calls}"), pdus.to_owned()]);
    report.sealed_calls = 3;
    assert_eq!(not_told(&summary, &report), [format!("2 more {calls}"), pdus.to_owned()]);
    (report.sealed_calls, report.unreadable) = (5, does_not_fit(&summary));
    assert_eq!(not_told(&summary, &report), [""; 0]);
}
