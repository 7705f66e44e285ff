//! What clients are, and are not, held responsible for by 3.2.4.

use vshark::check::{Blame, Severity};

use crate::trial::played;

/// The way to a set with a share, and further.
const STARTED: &str = r"
A:8(\\fs\d)=0->TRUE,FS
A closes
A:0()=0->1,1
A:1(ctx=0x0)=0
A:2(cid=U1)=0->S1
";
const ADDED: &str = r"A:3(ccid=V1,S1,\\fs\d)=0->C1
";
const PREPARED: &str = "A:12(S1,to=1800000)=0\n";
const COMMITTED: &str = "A:4(S1,to=60000)=0\n";
const EXPOSED: &str = r"A:5(S1,to=1800000)=0
A:10(C1,S1,\\fs\d,L=1)=0->\\fs\d@{C1}
";

/// Plays a scenario and compares what is said of its clients, notes left out where `notes` is false.
#[track_caller]
fn check(all_clients: bool, notes: bool, text: &str, expect: &[&str]) {
    let findings = played(text, "spec", all_clients, 0);
    let shown = |severity| notes || severity > Severity::Note;
    let found: Vec<String> = findings
        .iter()
        .filter(|finding| finding.party == Blame::Client && shown(finding.severity))
        .filter(|finding| finding.rule.starts_with("FSRVP-3.2.4"))
        .map(|finding| {
            format!("{} {}", finding.severity.word(), finding.rule.trim_start_matches("FSRVP-"))
        })
        .collect();
    assert_eq!(found, expect, "{text}\n{findings:#?}");
}

fn lab(steps: &[&str], expect: &[&str]) {
    check(true, false, &steps.concat(), expect);
}

#[test]
fn a_client_that_follows_the_figures_is_right() {
    let way = [
        STARTED,
        ADDED,
        PREPARED,
        COMMITTED,
        EXPOSED,
        "A:6(S1)=0\nA:0()=0->1,1\nA:11(S1,C1,\\\\fs\\d)=0\nA closes\n",
    ];
    check(true, true, &way.concat(), &[]);
    check(false, true, &way.concat(), &[]);
}

#[test]
fn what_failed_may_be_tried_again() {
    let again = "A:12(S1,to=1800000)=WAIT_FAILED\nA:12(S1,to=1800000)=0\n";
    lab(
        &[
            STARTED,
            ADDED,
            again,
            "A:4(S1,to=60000)=WAIT_FAILED\n",
            COMMITTED,
            EXPOSED,
            "A:6(S1)=0\n",
        ],
        &[],
    );
    lab(&[STARTED, ADDED, PREPARED, "A:4(S1,to=60000)=FSSAGENT_E_TIMEOUT\n", COMMITTED], &[]);
    lab(
        &[STARTED, ADDED, again, "A:4(S1,to=60000)=0x80042314\nA:5(S1,to=1800000)=BAD_STATE\n"],
        &["error 3.2.4.3-03"],
    );
}

#[test]
fn shares_are_added_to_one_set() {
    let more = "A#2:3(ccid=V2,S1,\\\\fs\\e)=0->C2\n";
    lab(&[STARTED, ADDED, more, PREPARED, COMMITTED], &[]);
    let twice = "A:3(ccid=V2,S1,\\\\FS.corp.example\\D\\)=ALREADY_EXISTS\n";
    lab(&[STARTED, ADDED, twice], &["error 3.2.4.2.2-02"]);
    // Two shares of one name on two hosts of a cluster are two shares.
    lab(&[STARTED, ADDED, "A:3(ccid=V2,S1,\\\\other\\d)=0->C2\n"], &[]);
}

#[test]
fn what_was_not_seen_may_have_been_right() {
    // The answer to Prepare, or the call itself, is not in the capture.
    lab(&[STARTED, ADDED, "lose answer of A:12(S1,to=1800000)=0\n", COMMITTED], &[]);
    lab(&[STARTED, ADDED, "lose request of A:12(S1,to=1800000)=0\n", COMMITTED], &[]);
    lab(&[STARTED, ADDED, "A:12(S1,to=1800000) unanswered 180 s\nA closes\n", COMMITTED], &[]);
    lab(&["mid-capture\n", PREPARED, COMMITTED, EXPOSED, "A:6(S1)=0\n"], &[]);
    lab(&["mid-capture\n", "A:6(S1)=0\nA:6(S1)=BAD_STATE\n"], &["error 3.2.4.5-02"]);
}

#[test]
fn only_opnums_give_no_more_than_notes() {
    let sealed = "A:1(enc)\nA:2(enc)\nA:3(enc)\nA:5(enc)\nA:6(enc)\n";
    check(true, false, sealed, &[]);
    check(true, true, sealed, &["note 3.2.4.2.1-06", "note 3.2.4.4-02"]);
}

#[test]
fn the_question_may_be_asked_of_another_server() {
    let moved = r"
A->fs:8(\\fs\d)=0->TRUE,NODE1
A closes
A->NODE1:0()=0->1,1
A:1(ctx=0x0)=0
A:2(cid=U1)=0->S1
";
    lab(&[moved, ADDED, PREPARED, COMMITTED], &[]);
    let foreign = "A->fs1:8(\\\\fs\\d)=0->TRUE,FS1\n";
    lab(&[foreign], &["warning 3.2.4.1-01"]);
}

#[test]
fn a_set_is_not_left_behind() {
    let later = "A closes\nwait 1900s\nB:9(\\\\fs\\d)=0->FALSE,0\n";
    lab(&[STARTED, ADDED, PREPARED, COMMITTED, EXPOSED, later], &["warning 3.2.4.5-04"]);
    lab(&[STARTED, ADDED, later], &["warning 3.2.4.9-01"]);
    lab(&[STARTED, ADDED, "A:7(S1)=0\n", later], &[]);
    // A client that comes back may have its reasons, and a server that is started again, too.
    lab(&[STARTED, ADDED, "A closes\nA:0()=0->1,1\nwait 1900s\nB:9(\\\\fs\\d)=0->FALSE,0\n"], &[]);
    lab(&[STARTED, ADDED, "server restart\nwait 1900s\nB:9(\\\\fs\\d)=0->FALSE,0\n"], &[]);
}

#[test]
fn ids_are_those_of_the_server() {
    lab(&[STARTED, ADDED, "A:12(U1,to=1800000)=MISMATCH\n"], &["error 3.2.4.2.2-05"]);
    // Others may have issued it to others.
    check(false, false, &[STARTED, ADDED, "A:12(S9,to=1800000)=MISMATCH\n"].concat(), &[]);
    lab(&[STARTED, ADDED, "A:12(S9,to=1800000)=MISMATCH\n"], &["error 3.2.4.2.2-12"]);
}
