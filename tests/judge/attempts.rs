//! What was tried, how far it got, what stopped it, and what is told of it: of real captures, and of
//! conversations in which something is missing.

use std::fmt::Write as _;
use std::fs;

use vshark::check::{Options, Report};
use vshark::scenario::Scenario;

use crate::read::REGISTRY;
use crate::trial::{KNOWLEDGE, tried};

fn report(capture: &[u8], profile: &str, idle_start: bool) -> Report {
    let choice = KNOWLEDGE.choose(profile).expect("the profile is known");
    let options = Options { choice, all_clients: false, idle_start };
    let mut judge = tried(capture, options, 0);
    judge.take_findings();
    judge.report()
}

fn real(name: &str) -> Report {
    let path = format!("{}/captures/{name}.pcap", env!("CARGO_MANIFEST_DIR"));
    report(&fs::read(path).expect("it is there"), "auto", false)
}

fn made(text: &str, profile: &str) -> Report {
    let scenario = Scenario::parse("conversation", text, &REGISTRY);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut capture = Vec::new();
    scenario.write(&mut capture).expect("memory takes it");
    report(&capture, profile, scenario.starts_idle())
}

/// The operation, the attempts, a line each, and the diagnoses, a line each.
fn told(report: &Report) -> String {
    let mut told = format!("{}\n", report.operation.word().unwrap_or("none"));
    for of in &report.attempts {
        let stopped = of.stopped.as_ref();
        let _ = writeln!(
            told,
            "{}: {}; reached {}; {}; {}",
            of.user.as_deref().unwrap_or("?"),
            of.shares.join(", "),
            of.reached.unwrap_or("nothing"),
            of.outcome.word().unwrap_or("none"),
            stopped.map_or("not stopped", |stop| stop.said.as_str()),
        );
    }
    for of in &report.diagnoses {
        let _ = writeln!(
            told,
            "{} of {} attempts, calls {:?}, {}",
            of.cause,
            of.attempts,
            of.evidence,
            of.share.as_deref().unwrap_or("no share")
        );
    }
    told
}

#[track_caller]
fn check(report: &Report, expect: &[&str]) {
    let told = told(report);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines, expect, "{told}");
}

#[test]
fn a_snapshot_that_fails_twice_is_one_diagnosis() {
    check(
        &real("e-py-create_fails"),
        &[
            "failed",
            r"FSLAB\fsadmin: \\fss1\failshare; reached Added; failed; CommitShadowCopySet (call 7) returned E_FAIL",
            r"FSLAB\fsadmin: \\fss1\fsrvp_share, \\fss1\failshare; reached Added; failed; CommitShadowCopySet (call 14) returned E_FAIL",
            r"FS-4B-4005-S of 2 attempts, calls [7, 14], \\fss1\failshare",
        ],
    );
}

#[test]
fn a_set_that_is_aborted_after_an_error_fails_by_the_error() {
    check(
        &real("e-py-add_twice"),
        &[
            "failed",
            r"FSLAB\fsadmin: \\fss1\fsrvp_share, \\fss1\data2; reached Added; failed; AddToShadowCopySet (call 6) returned FSRVP_E_OBJECT_ALREADY_EXISTS",
            r"FS-33 of 1 attempts, calls [6], \\fss1\fsrvp_share",
        ],
    );
    check(
        &real("e-py-commit_before_add"),
        &[
            "failed",
            r"FSLAB\fsadmin: ; reached Started; failed; CommitShadowCopySet (call 5) returned FSRVP_E_BAD_STATE",
            "FS-72 of 1 attempts, calls [5, 4], no share",
        ],
    );
}

#[test]
fn a_set_is_stopped_by_what_was_asked_of_another_in_its_place() {
    check(
        &real("e-py-wrong_set_id"),
        &[
            "failed",
            r"FSLAB\fsadmin: \\fss1\fsrvp_share; reached Added; failed; AddToShadowCopySet (call 6) returned E_INVALIDARG",
            r"FS-70 of 1 attempts, calls [6], \\fss1\data2",
            r"FS-55-02 of 0 attempts, calls [12], \\fss1\fsrvp_share",
        ],
    );
}

#[test]
fn sets_that_nobody_refused_were_given_up_by_their_client() {
    let given_up = |shares: &str, reached: &str, call: u8| {
        format!(
            r"FSLAB\fsadmin: {shares}; reached {reached}; failed; the client aborted the set (call {call})"
        )
    };
    let completed = r"FSLAB\fsadmin: \\fss1\fsrvp_share; reached Recovered; completed; not stopped";
    check(
        &real("e-py-aborts"),
        &[
            "completed",
            &given_up("", "Started", 6),
            &given_up(r"\\fss1\fsrvp_share", "Added", 13),
            &given_up(r"\\fss1\fsrvp_share", "Added", 21),
            completed,
            completed,
            completed,
            "FS-60 of 3 attempts, calls [6, 13, 21], no share",
        ],
    );
}

#[test]
fn what_is_deleted_by_a_wrong_id_stops_nothing() {
    check(
        &real("et-torture-bad_id-sign"),
        &[
            "completed",
            r"FSLAB\fsadmin: \\FSS1\fsrvp_share\; reached Exposed; completed; not stopped",
            r"FS-55-02 of 0 attempts, calls [11, 12, 10], \\FSS1\fsrvp_share",
        ],
    );
}

/// A set with a share, up to Prepare.
const PREPARED: &str = r"A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1; A:12(S1)=0;";

#[test]
fn a_refused_share_stops_only_who_does_not_go_on_without_it() {
    // Another share does not make it good.
    check(
        &made(
            r"A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1; A:3(S1,\\fs\e)=NOT_SUPPORTED
              A:3(S1,\\fs\f)=0->C2; A:7(S1)=0",
            "windows",
        ),
        &[
            "failed",
            r"LAB\backup: \\fs\d, \\fs\e, \\fs\f; reached Added; failed; AddToShadowCopySet (call 4) returned FSRVP_E_NOT_SUPPORTED",
            r"FS-31 of 1 attempts, calls [4], \\fs\e",
        ],
    );
    // Who commits has gone on, and the share is missing from the backup.
    check(
        &made(
            r"A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1; A:3(S1,\\fs\e)=NOT_SUPPORTED
              A:4(S1)=0x80042306; A:7(S1)=0",
            "windows",
        ),
        &[
            "failed",
            r"LAB\backup: \\fs\d, \\fs\e; reached Added; failed; CommitShadowCopySet (call 5) returned 0x80042306",
            r"FS-4B-2306 of 1 attempts, calls [5], \\fs\d",
            r"FS-31 of 0 attempts, calls [4], \\fs\e",
        ],
    );
}

#[test]
fn a_copy_that_nobody_could_open_is_no_backup() {
    let opened = |tree: &str| {
        format!(
            r"{PREPARED} A:4(S1)=0; A:5(S1)=0; A:10(C1,S1,\\fs\d,1)=0->d@{{C1}}
              {tree}
              A:6(S1)=0; A:11(S1,C1,\\fs\d)=0"
        )
    };
    let refused = r"A tree \\fs\d@{C1} refused STATUS_BAD_NETWORK_NAME";
    let report = made(&opened(refused), "windows");
    assert_eq!(report.operation.word(), Some("failed"), "{}", told(&report));
    assert_eq!(&*report.diagnoses[0].cause, "FS-50-02");
    // The second time it is there.
    let report = made(&opened(&format!("{refused}\nA tree \\\\fs\\d@{{C1}}")), "windows");
    assert_eq!(report.operation.word(), Some("completed"), "{}", told(&report));
}

#[test]
fn what_was_not_seen_is_not_claimed() {
    let causes = |text: &str, profile: &str| -> Vec<String> {
        made(text, profile).diagnoses.iter().map(|of| of.cause.to_string()).collect()
    };
    let empty = r"A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:4(S1)=BAD_STATE; A:7(S1)=0";
    assert_eq!(causes(empty, "windows"), ["FS-72"]);
    // An Add may be among what is lost.
    let lost = r"A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; lose answer of A:3(S1,\\fs\d)=0->C1
                 A:4(S1)=BAD_STATE; A:7(S1)=0";
    assert!(!causes(lost, "windows").contains(&"FS-72".to_owned()));
    // So may be the Start of the set.
    let strange =
        r"A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1; A:12(S2)=MISMATCH; A:7(S1)=0";
    assert_eq!(causes(strange, "windows"), ["FS-70"]);
    let lost = r"A:1(ctx=0x0)=0; lose answer of A:2(cid=U2)=0->S2
                 A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1; A:12(S2)=MISMATCH; A:7(S1)=0";
    assert!(!causes(lost, "windows").contains(&"FS-70".to_owned()));
    // A set that the capture joins late.
    let joined = r"mid-capture; A:4(S1)=BAD_STATE; A:7(S1)=0";
    assert_eq!(causes(joined, "windows"), ["FS-99-02"]);
}

#[test]
fn another_failure_is_another_diagnosis() {
    let twice = |first: &str, second: &str| {
        let set = |n: u8, code: &str| {
            format!(
                r"A:1(ctx=0x0)=0; A:2(cid=U{n})=0->S{n}; A:3(S{n},\\fs\d)=0->C{n}; A:4(S{n})={code}; A:7(S{n})=0"
            )
        };
        made(&format!("{}\nwait 1900s\n{}", set(1, first), set(2, second)), "windows")
    };
    let report = twice("0x80042310", "0x80042310");
    assert_eq!(report.diagnoses.len(), 1, "{}", told(&report));
    assert_eq!(report.diagnoses[0].attempts, 2);
    // One cause, two codes: the sentences tell each.
    let report = twice("0x80042310", "0x80042320");
    assert_eq!(report.diagnoses.len(), 2, "{}", told(&report));
    let prints: Vec<_> = report.diagnoses.iter().map(|of| &*of.fingerprint).collect();
    let commit = "FS-4B/server/CommitShadowCopySet";
    assert_eq!(prints, [format!("{commit}/0x80042310/1"), format!("{commit}/0x80042320/1")]);
}
