//! What is missing, sealed or never answered is not taken for anything else.

use vshark::diff::{Act, Outcome, Pair, Recording, Step, Unseen, Which, compare};

use crate::made::{BACKUP, with};
use crate::{capture, common, file, one, place, played, recorded, said};

/// The capture with only those frames whose numbers, from 1 on, are wanted.
fn frames(bytes: &[u8], wanted: impl Fn(usize) -> bool) -> Vec<u8> {
    let all = crate::properties::frames(bytes);
    let left: Vec<&[u8]> = (1..).zip(all).filter(|(n, _)| wanted(*n)).map(|(_, of)| of).collect();
    [&bytes[..24], &left.concat()].concat()
}

/// Compares a capture with what is left of it.
#[track_caller]
fn check_rest(name: &str, good: &Recording, what: &str, rest: Vec<u8>) {
    let bad = recorded(rest);
    let compared = compare(Pair { good, bad: &bad });
    for of in &compared.comparisons {
        let parting = place(of, of.parting.as_ref());
        let different = compared.outcome() == Outcome::Different;
        assert!(!different, "{name} without {what}: {parting}");
    }
}

/// Whatever the beginning is that a capture lacks, nothing is told to differ.
#[test]
fn a_beginning_that_is_missing_makes_no_difference() {
    for name in [
        "a-ntlm-sign-smb311.pcap",
        "d-SMB2_02-sign.pcap",
        "d-NT1-sign.pcap",
        "g-two_pipes_one_session.pcap",
        "g-two-clients-in-progress.pcap",
    ] {
        let bytes = file(&common::captures().join(name));
        let good = recorded(bytes.clone());
        for first in 1..crate::properties::frames(&bytes).len() {
            let what = format!("frames 1-{first}");
            check_rest(name, &good, &what, frames(&bytes, |n| n > first));
        }
    }
}

/// Nor where several packets are lost.
#[test]
fn a_burst_that_is_lost_makes_no_difference() {
    for name in ["a-ntlm-sign-smb311.pcap", "g-two_pipes_one_session.pcap"] {
        let bytes = file(&common::captures().join(name));
        let good = recorded(bytes.clone());
        let count = crate::properties::frames(&bytes).len();
        for len in [3, 5, 8] {
            for first in 1..count.saturating_sub(len) {
                let last = first + len - 1;
                let gone = frames(&bytes, |n| n < first || n > last);
                check_rest(name, &good, &format!("frames {first}-{last}"), gone);
            }
        }
    }
}

/// Of calls on a pipe whose opening and bind are not in the capture nobody knows what they ask.
#[test]
fn a_capture_that_starts_in_the_middle_is_not_known_to_differ() {
    let text = BACKUP.replace("A:10(", "A close\nA:10(");
    let late = BACKUP.replace("A:5(", "capture from here\nA:5(").replace("A:10(", "A close\nA:10(");
    let (good, bad) = (played(&text), played(&late));
    assert_eq!(one(&good, &good, said), ["alike"]);
    for pair in [Pair { good: &good, bad: &bad }, Pair { good: &bad, bad: &good }] {
        one(pair.good, pair.bad, |of| {
            assert_eq!(said(of), ["undecided"]);
            let gaps = of.expect("they are compared").gaps();
            assert!(gaps.iter().any(|gap| gap.why == Unseen::Missing), "{gaps:?}");
        });
    }
    // What ended as nothing did in the other differs all the same.
    let failed = late.replace("A:6(S1)=0", "A:6(S1)=0x80004005");
    let told = one(&good, &played(&failed), said);
    assert_eq!(told[0], "different");
    assert!(told[1].contains("RecoveryCompleteShadowCopySet 0x80004005"), "{told:?}");
}

/// Where steps of a side are missing, one that it has in excess may belong to one that was lost.
#[test]
fn steps_in_excess_of_the_side_that_lacks_some_are_not_known_to_differ() {
    let bytes = file(&common::captures().join("a-ntlm-sign-smb311.pcap"));
    let good = recorded(bytes.clone());
    let bad = recorded(frames(&bytes, |n| !(49..=53).contains(&n)));
    assert_eq!(one(&good, &bad, said), ["undecided"]);
    assert_eq!(one(&bad, &good, said), ["undecided"]);
}

/// A loss on another connection has nothing to do with a call that hangs.
#[test]
fn a_call_that_hangs_is_seen_whatever_is_lost_later() {
    let (before, _) = BACKUP.split_once("A:4(S1").expect("it commits");
    let again =
        "A#2->FS1:8(\\\\FS1\\d)=0->TRUE,FS1\nlose answer of A#2:0()=0->1,1\nA#2:0()=0->1,1\n";
    let bad = format!("{before}A:4(S1,to=60000) unanswered\nwait 600s\n{again}");
    let told = one(&played(BACKUP), &played(&bad), said);
    let place = "7 CommitShadowCopySet 0 | 7 CommitShadowCopySet no_response | outcome";
    assert_eq!(told, ["different", place]);
}

/// A bind whose answer was lost was answered.
#[test]
fn only_a_bind_without_an_answer_is_refused() {
    let (settings, _) = BACKUP.split_once("A->FS1").expect("a server");
    let unanswered = |end: &str| format!("{settings}A->FS1 bind unanswered\n{end}\n");
    let told = |end: &str| one(&played(BACKUP), &played(&unanswered(end)), said);
    assert_eq!(told("FS1 restart"), ["different", "bind ok | bind Ended(None) | outcome"]);
    assert_eq!(told("A close\nA disconnect"), ["different", "bind ok | bind GivenUp | outcome"]);
    // The capture ends.
    assert_eq!(told(""), ["different", "bind ok | end | "]);
    // The server goes, after calls that show that the bind was answered.
    let restarted = with(&[("A disconnect", "FS1 restart")]);
    let bytes = crate::written(&restarted);
    let good = recorded(bytes.clone());
    assert_eq!(one(&good, &good, said), ["alike"]);
    for lost in 0..blocks(&bytes).iter().filter(|block| is_packet(block)).count() {
        let mut n = 0..;
        let stays = |block: &&[u8]| !is_packet(block) || n.next() != Some(lost);
        let left: Vec<&[u8]> = blocks(&bytes).into_iter().filter(stays).collect();
        let bad = recorded(left.concat());
        one(&good, &bad, |of| {
            let of = of.expect("they are compared");
            let told = said(Some(of));
            assert_ne!(told[0], "different", "without frame {}: {told:?}", lost + 1);
            let refused = |step: &Step| match &step.act {
                Act::Setup(setup) => setup.refusal.is_some(),
                Act::Call(_) => false,
            };
            let steps = &of.conversations.bad.steps;
            assert!(!steps.iter().any(refused), "without frame {}", lost + 1);
        });
    }
}

/// The blocks of a pcapng file.
fn blocks(pcapng: &[u8]) -> Vec<&[u8]> {
    let mut rest = pcapng;
    let mut blocks = Vec::new();
    while rest.len() >= 12 {
        let len = u32::from_le_bytes(rest[4..8].try_into().unwrap());
        let (block, after) = rest.split_at(usize::try_from(len).unwrap());
        blocks.push(block);
        rest = after;
    }
    blocks
}

/// Whether a block of pcapng has a packet.
fn is_packet(block: &[u8]) -> bool {
    block.starts_with(&[6, 0, 0, 0])
}

/// A share that is connected beside calls whose arguments are sealed may be what they are about.
#[test]
fn a_share_beside_sealed_calls_is_no_difference() {
    let connects = ("A:6(S1)", "A tree \\\\FS1\\d\nA:6(S1)");
    let sealed = ("auth ntlm integrity", "auth ntlm privacy");
    let (clear, hidden) = (played(&with(&[connects])), played(&with(&[connects, sealed])));
    assert_eq!(one(&clear, &hidden, said), ["undecided"]);
    assert_eq!(one(&hidden, &clear, said), ["undecided"]);
    assert_eq!(one(&hidden, &hidden, said), ["undecided"]);
    // Where they are clear it is told.
    let place = "share ok | 10 RecoveryCompleteShadowCopySet 0 |  (beside)";
    assert_eq!(one(&clear, &played(BACKUP), said), ["different", place]);
}

/// What is alike is alike for certain.
#[test]
fn sealed_steps_are_not_counted_as_alike() {
    let (good, bad) = (capture("b-ntlm-seal-smb311.pcap"), capture("e-rpcclient-bob.pcap"));
    one(&good, &bad, |of| {
        let of = of.expect("they are compared");
        let last = of.rows.iter().rev().find(|row| row.is_alike()).expect("some are");
        let step = of.step(Which::Bad, last.steps.bad).expect("both have it");
        assert!(step.call().is_none(), "{step:?}");
    });
}
