//! Servers with many clients, several nights in one capture, machines with several addresses and
//! accounts: what is told of one must not hide or spoil what is told of another.

use std::fmt::Write as _;

use vshark::check::{Operation, Report};

use crate::causes::{explained, list, report};

/// A backup of `\\fs\d` by `A`, as far as its Commit; and what is left to do then.
const BEGUN: &str =
    "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1; A:12(S1)=0; A:4(S1)=0\n";
const ENDED: &str = "A:5(S1)=0; A:10(C1,S1,\\\\fs\\d)=0; A:6(S1)=0\n";

use Operation::{Completed, Failed, Unfinished, Unknown};

/// What became of it all, of each attempt, and what stopped something.
#[track_caller]
fn ends(text: &str, all: Operation, each: &[Operation], causes: &[&str]) -> Report {
    let report = explained(text, "spec");
    let found: Vec<_> = report.attempts.iter().map(|of| of.outcome).collect();
    let stopping = report.diagnoses.iter().filter(|of| of.attempts > 0);
    let told: Vec<&str> = stopping.map(|of| &*of.cause).collect();
    let wanted = (all, each, causes);
    assert_eq!((report.operation, &*found, &*told), wanted, "{text}\n{}", list(&report));
    report
}

/// Users of the server who make no backups.
fn crowd(n: u32) -> String {
    (0..n).fold(String::new(), |mut text, n| {
        let (card, user) = (n / 150, n % 150);
        let name = format!("U{user}@10.9.{card}.{user}");
        let _ = writeln!(text, "{name} tree \\\\fs\\data\n{name} disconnect");
        text
    })
}

#[test]
fn a_backup_is_seen_among_many_users() {
    let missing = "Z create refused STATUS_OBJECT_NAME_NOT_FOUND";
    ends(&format!("{}{missing}", crowd(280)), Failed, &[Failed], &["FS-01"]);
    let denied = "Z auth ntlm integrity\nZ:1(ctx=0x0)=ACCESSDENIED";
    let text = format!("{BEGUN}{ENDED}{}{denied}", crowd(280));
    let report = ends(&text, Failed, &[Completed, Failed], &["FS-20"]);
    assert_eq!(report.unreadable, Vec::<String>::new());
    // A set that is given up is explained, too.
    let text = format!("{}{BEGUN}A:7(S1)=0", crowd(280));
    ends(&text, Failed, &[Failed], &["FS-60"]);
    // Where all of them are ours, that not all are looked at is said.
    let mut many = String::new();
    for user in 0..150 {
        let _ = writeln!(many, "U{user} smb 2.0.2");
    }
    for n in 0..258 {
        let (card, user) = (n / 150, n % 150);
        let _ = writeln!(many, "U{user}@10.9.{card}.{user}:0=0->1,1");
    }
    let report = explained(&format!("{many}{denied}"), "spec");
    assert_eq!(report.operation, Unknown, "{}", list(&report));
    let said = report.unreadable.concat();
    assert!(said.starts_with("there are more clients of 10.0.1.1 than are looked at"), "{said}");
}

#[test]
fn a_failure_of_another_night_is_one_by_itself() {
    let night = "A disconnect\nwait 24h\n";
    let done = format!("{BEGUN}{ENDED}");
    let text = format!("{done}{night}A:8(\\\\fs\\d)=NOT_FOUND");
    ends(&text, Failed, &[Completed, Failed], &["FS-30"]);
    let text = format!("A:8(\\\\fs\\d)=NOT_FOUND\n{night}{done}");
    ends(&text, Failed, &[Failed, Completed], &["FS-30"]);
    let text = format!("A create refused STATUS_OBJECT_NAME_NOT_FOUND\n{night}{done}");
    ends(&text, Failed, &[Failed, Completed], &["FS-01"]);
    // In the same night it was held up.
    let text = format!("A:8(\\\\fs\\d)=NOT_FOUND\nwait 60s\n{done}");
    ends(&text, Completed, &[Completed], &[]);
    // What is done behind a set, however late, stops no backup.
    let text = format!("{done}{night}A:11(S1,C1,\\\\fs\\d)=NOT_FOUND");
    ends(&text, Completed, &[Completed], &[]);
    // A logon that is refused to one of ours.
    let refused = "A logon refused STATUS_LOGON_FAILURE";
    let user = "A user FSLAB\\bob\n";
    let text = format!("{user}{done}{night}{refused}");
    ends(&text, Failed, &[Completed, Failed], &["FS-23-01"]);
    let text = format!("{user}{done}{night}{refused}\n{night}{}", next(&done));
    ends(&text, Failed, &[Completed, Failed, Completed], &["FS-23-01"]);
    // Nobody in particular, and an account that made no backup before.
    let nobody =
        format!("{user}{done}{night}A#2 user anonymous\nA#2 logon refused STATUS_LOGON_FAILURE");
    ends(&nobody, Completed, &[Completed], &[]);
    let other =
        format!("{user}{done}{night}A#2 user FSLAB\\eve\nA#2 logon refused STATUS_LOGON_FAILURE");
    ends(&other, Unknown, &[Completed, Unknown], &["FS-23-01"]);
    // It comes in a moment later, or somebody else does not.
    ends(&format!("{user}{done}{night}{refused}\nA logon"), Completed, &[Completed], &[]);
    let other = "B user FSLAB\\eve\nB logon refused STATUS_LOGON_FAILURE";
    ends(&format!("{user}{done}{other}"), Completed, &[Completed], &[]);
}

fn next(text: &str) -> String {
    text.replace("S1", "S2").replace("C1", "C2").replace("U1", "U2")
}

#[test]
fn what_is_lost_of_others_changes_nothing() {
    let denied = "A auth ntlm integrity\nA:1(ctx=0x0)=ACCESSDENIED\n";
    let lost = "B:0=0->1,1\nlose answer of B:0=0->1,1\nB:0=0->1,1";
    let report = explained(&format!("{denied}{lost}"), "spec");
    let found: Vec<_> = report.attempts.iter().map(|of| of.outcome).collect();
    assert_eq!(found, [Failed, Completed], "{}", list(&report));
    let own = "A:0=0->1,1\nlose answer of A:0=0->1,1\nA:0=0->1,1";
    ends(&format!("{denied}{own}"), Unknown, &[Unknown], &[]);
}

#[test]
fn what_was_refused_is_in_no_snapshot() {
    let both = "A:1(ctx=0x0)=0; A:2(cid=U2)=0->S2; A:3(S2,\\\\fs\\d)=0->C2; \
                A:3(S2,\\\\fs\\e)=NOT_SUPPORTED; A:12(S2)=0; A:4(S2)=0; A:5(S2)=0; \
                A:10(C2,S2,\\\\fs\\d)=0; A:6(S2)=0";
    let first = "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\e)=NOT_SUPPORTED; A:7(S1)=0";
    let report =
        ends(&format!("{first}\nwait 60s\n{both}"), Failed, &[Failed, Completed], &["FS-32"]);
    assert_eq!(report.attempts[1].shares, [r"\\fs\d"]);
    assert_eq!(report.attempts[0].retried, None);
    // It was cleaned away after it had failed.
    let text =
        format!("{BEGUN}A:5(S1)=0; A:10(C1,S1,\\\\fs\\d)=0x80070005; A:11(S1,C1,\\\\fs\\d)=0");
    let report = explained(&text, "spec");
    assert_eq!(report.operation, Failed, "{}", list(&report));
}

#[test]
fn who_was_too_early_and_went_on_was_stopped_by_something_else() {
    let begun = "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1; ";
    for early in ["A:10(C1,S1,\\\\fs\\d)=BAD_STATE", "A:5(S1)=BAD_STATE"] {
        let text = format!("{begun}{early}; A:12(S1)=0; A:4(S1)=0x80042306; A:7(S1)=0");
        ends(&text, Failed, &[Failed], &["FS-4B-2306"]);
        let text = format!("{begun}{early}; A:7(S1)=0");
        let report = explained(&text, "spec");
        assert_ne!(&*report.diagnoses[0].cause, "FS-60", "{}", list(&report));
    }
    // Asked once more while the first is at work, it is refused, and the first fails later.
    let text = format!(
        "{begun}A:12(S1)=0; A:4(S1) unanswered\nA#2:4(S1)=BAD_STATE\n\
                        wait 60s\nA:4=0x80042306; A:7(S1)=0"
    );
    ends(&text, Failed, &[Failed], &["FS-4B-2306"]);
    // What somebody else asks of the set does not stop it.
    let text = format!("{begun}B:10(C1,S1,\\\\fs\\d)=BAD_STATE\nA:7(S1)=0");
    let report = explained(&text, "spec");
    let told: Vec<_> = report.diagnoses.iter().map(|of| &*of.cause).collect();
    assert!(told.contains(&"FS-60"), "{told:?}");
}

#[test]
fn a_failure_is_explained_behind_many_others() {
    let polls: String = (0..1100).map(|_| "Z:9(\\\\fs\\d)=NOT_SUPPORTED\n").collect();
    let text = format!("{polls}{BEGUN}");
    let text = text.replace("A:4(S1)=0", "A:4(S1)=0x80042306; A:7(S1)=0");
    let report = explained(&text, "spec");
    let told: Vec<_> =
        report.diagnoses.iter().filter(|of| of.set.is_some()).map(|of| &*of.cause).collect();
    assert_eq!(told, ["FS-4B-2306"], "{}", list(&report));
}

#[test]
fn an_account_is_named_only_where_it_is_the_only_one() {
    let text = "A user FSLAB\\alice\nA tree \\\\fs\\data\nA#2 user FSLAB\\BACKUP1$\n\
                A#2 auth kerberos integrity\nA#2:8(\\\\fs\\d)=ACCESSDENIED";
    let report = explained(text, "spec");
    assert!(!list(&report).contains("alice"), "{}", list(&report));
    let text = "A user FSLAB\\bob\nA tree \\\\fs\\IPC$\nA#2 user anonymous\nA#2 logon\n\
                A create refused STATUS_ACCESS_DENIED";
    let report = explained(text, "spec");
    assert!(!list(&report).contains("nobody"), "{}", list(&report));
    assert_eq!(&*report.diagnoses[0].cause, "FS-26", "{}", list(&report));
}

#[test]
fn a_closed_pipe_of_another_kind_is_no_end() {
    let begun = "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1\n";
    let closed = "A#2 pipe srvsvc\nA#2 create srvsvc\nwait 1s\nA#2 close\nwait 2s\n";
    ends(&format!("{begun}{closed}"), Unfinished, &[Unfinished], &["FS-63"]);
    // The holder of the server has not left, and it still uses its copy.
    let report = explained(&format!("{begun}{closed}B:1(ctx=0x0)=IN_PROGRESS"), "spec");
    let told: Vec<_> = report.diagnoses.iter().map(|of| &*of.cause).collect();
    assert!(!told.contains(&"FS-44"), "{told:?}");
}

#[test]
fn a_question_is_no_shadow_copy_and_a_displaced_cause_is_not_told() {
    let text = "A->FS1:8(\\\\fs1\\d)=0->{supported=1, owner=FS2}\n\
                A->FS1:1(ctx=0)=0; A->FS1:2(cid=U1)=0->S1; A->FS1:3(S1,\\\\fs1\\d)=NOT_FOUND; \
                A->FS1:3(S1,\\\\fs1\\e)=0->C1; A->FS1:12(S1)=0; A->FS1:4(S1)=0; A->FS1:5(S1)=0; \
                A->FS1:10(C1,S1,\\\\fs1\\e)=0; A->FS1:6(S1)=0";
    let report = explained(text, "spec");
    let told: Vec<_> = report.diagnoses.iter().map(|of| &*of.cause).collect();
    assert!(!told.contains(&"FS-30"), "{}", list(&report));
    // What another server refused first, and then did, ends no job.
    let begun = "A->FS1:1(ctx=0x0)=0; A->FS1:2(cid=U1)=0->S1; A->FS1:3(S1,\\\\fs1\\d)=0->C1\n\
                 A->FS2:1(ctx=0x0)=0; A->FS2:2(cid=U2)=0->S2; A->FS2:3(S2,\\\\fs2\\e)=0x80042308\n";
    let good = "A->FS2:3(S2,\\\\fs2\\e)=0->C2\n";
    for (again, cause) in [("", "FS-60-02"), (good, "FS-60")] {
        let report = explained(&format!("{begun}{again}A->FS1:7(S1)=0"), "spec");
        let told: Vec<_> = report.diagnoses.iter().map(|of| &*of.cause).collect();
        assert!(told.contains(&cause), "{cause} {told:?}");
    }
}

#[test]
fn who_may_not_call_is_stopped_by_the_first_call() {
    let text = "A auth ntlm integrity\nA:0=ACCESSDENIED; A:1(ctx=0x0)=ACCESSDENIED";
    let report = ends(text, Failed, &[Failed], &["FS-20"]);
    assert_eq!(report.attempts[0].stopped.as_ref().and_then(|stop| stop.call), Some(1));
    // What it was let do before is another matter.
    let text = "A auth ntlm integrity\nA:0=0->1,1; A:1(ctx=0x0)=ACCESSDENIED";
    let report = ends(text, Failed, &[Failed], &["FS-20"]);
    assert_eq!(report.attempts[0].stopped.as_ref().and_then(|stop| stop.call), Some(2));
}

#[test]
fn a_machine_with_several_network_cards_is_one_client() {
    let text = format!("{BEGUN}A@10.5.0.1:7(S1)=0\nA@10.5.0.1 close");
    ends(&text, Failed, &[Failed], &["FS-60"]);
    // Another machine is not.
    let text = format!("{BEGUN}B:7(S1)=0\nB close");
    let report = explained(&text, "spec");
    assert_eq!(&*report.diagnoses[0].cause, "FS-60-01", "{}", list(&report));
    let denied =
        "A auth ntlm integrity\nA:8(\\\\fs\\d)=0->TRUE,FS\nA@10.5.0.1:1(ctx=0x0)=ACCESSDENIED";
    ends(denied, Failed, &[Failed], &["FS-20"]);
}

#[test]
fn what_failed_for_good_is_told_first() {
    let text =
        "A:8(\\\\fs\\d)=0->TRUE,FS\nwait 5s\nB auth ntlm integrity\nB:1(ctx=0x0)=ACCESSDENIED";
    let report = ends(text, Failed, &[Unknown, Failed], &["FS-20", "FS-63"]);
    assert_eq!(
        report.attempts.iter().map(|of| of.diagnosis).collect::<Vec<_>>(),
        [Some(1), Some(0)]
    );
}

#[test]
fn a_copy_that_somebody_else_cannot_read_is_no_failed_backup() {
    let share = "\\\\fs\\d@{C1}";
    let done = format!("{BEGUN}{ENDED}");
    let barred = format!("tree {share} refused STATUS_ACCESS_DENIED");
    ends(&format!("{done}B {barred}"), Completed, &[Completed], &[]);
    let report = explained(&format!("{done}A {barred}"), "spec");
    assert_eq!(report.operation, Failed, "{}", list(&report));
}

/// A capture that ends anywhere is of a backup that is completed only when it was.
#[test]
fn a_backup_is_not_completed_where_the_capture_ends() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/a-ntlm-sign-smb311.pcap");
    let capture = std::fs::read(path).expect("it is there");
    let (mut at, mut outcomes) = (24, Vec::new());
    while at < capture.len() {
        let len = &capture[at + 8..at + 12];
        at +=
            16 + usize::try_from(u32::from_le_bytes(len.try_into().expect("four"))).expect("fits");
        let report = report(&capture[..at], "auto", false);
        if outcomes.last() != Some(&report.operation) {
            outcomes.push(report.operation);
        }
        let open = matches!(report.operation, Unknown | Unfinished);
        assert!(!open || !report.unreadable.is_empty(), "at octet {at} nothing is not seen");
    }
    // Where it ends in the middle of a call, what became of it is not known.
    assert_eq!(outcomes.first(), Some(&Operation::None));
    let done = outcomes.iter().position(|of| *of == Completed);
    assert_eq!(done, Some(outcomes.len() - 1), "{outcomes:?}");
    assert!(!outcomes.contains(&Failed), "{outcomes:?}");
}
