use super::*;
use crate::bytes::Time;
use crate::bytes::{Guid, is_invisible};
use crate::check::{
    Attempt, Catalogue, Certainty, Code, Conformance, Diagnosis, Operation, Retry, SetReport,
    SetStep, SetTimer, Stop, Tally, Verdict,
};
use crate::gate::{Exit, Gate, Mark};
use crate::protocol::Registry;
use crate::report::finding::tests::finding;
use crate::report::text::TimeStyle;

/// What is known of an attempt if nothing is.
fn attempt(server: IpAddr) -> Attempt {
    Attempt { server: Some(server), outcome: Operation::Unknown, ..Attempt::default() }
}

/// A cause that stopped so many attempts.
fn diagnosis(cause: &str, attempts: u64) -> Diagnosis {
    Diagnosis {
        cause: cause.into(),
        title: "FS1 could not take the snapshot".into(),
        confidence: Certainty::Likely,
        party: Blame::Server,
        explanation: "The server's own snapshot service failed.".into(),
        remedy: "Look at its log.".into(),
        retry: Retry::AfterRemedy,
        retry_note: None,
        tell_apart: Some("Either this or that.".into()),
        alternatives: vec![("FS-4A".into(), "it waited in vain".into())],
        windows_event: Some(1007),
        evidence: vec![5],
        frames: Vec::new(),
        time: Time::from_nanos(1_795_369_758_000_000_000),
        server: Some("10.0.1.1".parse().unwrap()),
        client: None,
        user: None,
        share: None,
        set: None,
        attempts,
        fingerprint: format!("{cause}/server/1"),
        code: Code::None,
        about: Vec::new(),
    }
}

/// A report in which there is everything.
pub(crate) fn report() -> Report {
    let time = |ms: i128| Time::from_nanos(1_795_369_758_000_000_000 + ms * 1_000_000);
    let client = "10.0.0.1".parse().unwrap();
    let server = "10.0.1.1".parse().unwrap();
    let step = |call: u64, method, ms, took, said: &str, state| SetStep {
        call,
        opnum: 0,
        method,
        asked: time(ms),
        answered: Some(time(ms + took)),
        said: said.into(),
        failed: said != "ok",
        state,
        timer: Some(180),
        share: (method == "AddToShadowCopySet").then(|| "\\\\FS1\\vol1".into()),
        client: Some(client),
        left_out: u64::from(call == 4),
    };
    let tally = |rule: &str, passed, failed, not_evaluable, why: Option<&str>| Tally {
        rule: rule.into(),
        passed,
        failed,
        not_evaluable,
        why: why.map(str::to_owned),
    };
    let conformance = |profile: &str, verdict, errors, notes| Conformance {
        profile: profile.into(),
        verdict,
        errors,
        warnings: 1,
        notes,
        deviations: u64::from(profile == "samba"),
    };
    Report {
        objects: Vec::new(),
        storage: Vec::new(),
        conformance: vec![
            conformance("samba", Verdict::Inconclusive, 0, 3),
            conformance("spec", Verdict::Fail, 1, 2),
        ],
        servers: vec![ServerReport {
            addresses: vec!["10.0.1.1".parse().unwrap(), "fd00::1".parse().unwrap()],
            name: Some("FS1".into()),
            profile: "samba".into(),
            recognised: "its negotiation offers what Samba does".into(),
            clients: vec!["10.0.0.1".parse().unwrap()],
            all_clients: false,
            tallies: Vec::new(),
        }],
        sets: vec![SetReport {
            id: Guid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
            client_id: None,
            server: "10.0.1.1".parse().unwrap(),
            client: Some("10.0.0.1".parse().unwrap()),
            shares: vec!["\\\\FS1\\vol1".into(), "\\\\FS1\\\u{1b}c".into()],
            context: Some(0x10),
            states: vec![
                (time(123), "Started", 3),
                (time(124), "Added", 4),
                (time(61_123), "CreationInProgress", 5),
            ],
            steps: vec![
                step(3, "StartShadowCopySet", 123, 1, "ok", Some("Started")),
                step(4, "AddToShadowCopySet", 124, 20, "ok", Some("Added")),
                step(5, "CommitShadowCopySet", 61_123, 2500, "E_FAIL", Some("Added")),
            ],
            timer: Some(SetTimer { call: 5, since: time(63_623), seconds: 180, ran_out: false }),
            outcome: Operation::Failed,
        }],
        tallies: vec![
            tally("FSRVP-3.1.4.5-03", 12, 2, 1, Some("the time-out could not be read")),
            tally("FSRVP-3.1.4.10-01", 3, 0, 0, None),
            tally("FSRVP-3.1.4.2-02", 0, 0, 4, Some("the stub is sealed")),
        ],
        judged_calls: 14,
        sealed_calls: 2,
        unreadable: vec!["2 calls are sealed: a key would make them visible".into()],
        attempts: vec![
            Attempt {
                server: Some(server),
                client: Some(client),
                user: Some("LAB\\\u{1b}bob".into()),
                set: Some(Guid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)),
                shares: vec!["\\\\FS1\\vol1".into(), "\\\\FS1\\\u{1b}c".into()],
                began: Some(time(123)),
                reached: Some("Added"),
                stopped: Some(Stop {
                    call: Some(5),
                    frame: None,
                    time: time(63_623),
                    said: "CommitShadowCopySet (call 5) returned E_FAIL".into(),
                }),
                outcome: Operation::Failed,
                diagnosis: Some(0),
                ..attempt(server)
            },
            Attempt { outcome: Operation::Completed, ..attempt(server) },
        ],
        diagnoses: vec![diagnosis("FS-4B", 2), diagnosis("FS-57", 0)],
        stopped: vec!["10.0.0.1 at 10.0.1.1: the pipe could not be opened".into()],
        operation: Operation::Failed,
    }
}

fn write(live: bool, findings: Vec<Finding>, report: &Report) -> (String, String) {
    let registry = Registry::embedded().unwrap();
    let rules = Catalogue::default();
    let options = Options { time: TimeStyle::Utc, width: 80 };
    let mut list = CheckList::new(Scene::new(&registry, &rules, options), live);
    let text = |out: anstream::StripStream<Vec<u8>>| {
        let text = String::from_utf8(out.into_inner()).unwrap();
        assert!(text.lines().all(|line| !line.chars().any(is_invisible)), "{text:?}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        text
    };
    let (mut before, mut after) =
        (anstream::StripStream::new(Vec::new()), anstream::StripStream::new(Vec::new()));
    let count = len(&findings);
    for finding in findings {
        list.finding(finding, false, &mut before).unwrap();
    }
    let gate = Gate::default();
    let gated = Gated { gate: &gate, expectations: None, diagnoses: &[], exit: Exit::Fine };
    list.finish(report, count, &gated, &mut after).unwrap();
    (text(before), text(after))
}

#[test]
fn the_summary_says_how_it_went_and_why_that_is_known() {
    let (_, text) = write(false, Vec::new(), &report());
    let expect = "\
FAILED       on the file server: FS1 could not take the snapshot
what         shadow copy of \\\\FS1\\vol1, \\\\FS1\\\\u{1b}c on FS1 (10.0.1.1), by
             LAB\\\\u{1b}bob from 10.0.0.1, 22 Nov 17:49:18 UTC; got as far as
             adding the share, stopped at call 5
why          The server's own snapshot service failed.
what to do   Look at its log.
run again?   fails the same way until that is done
how sure     likely; or: it waited in vain (FS-4A); `vshark rules FS-4B` has
             more; a Windows backup host logs event 1007 of
             FileShareShadowCopyProvider
or else?     Either this or that.
COMPLETED    questions, and no shadow copy, on FS1 (10.0.1.1)
worth a look FS1 could not take the snapshot
  why        The server's own snapshot service failed.
  do         Look at its log.
  sure       likely; or: it waited in vain (FS-4A); `vshark rules FS-57` has
             more; a Windows backup host logs event 1007 of
             FileShareShadowCopyProvider
not seen     2 calls are sealed: a key would make them visible

timeline     set 01020304… of \\\\FS1\\vol1, \\\\FS1\\\\u{1b}c: failed, from 22 Nov
             17:49:18 UTC
    +0.000 s call 3    StartShadowCopySet → ok, Started; 180 s to go on
           … 1 call not shown (--json has more)
    +0.001 s call 4    AddToShadowCopySet \\\\FS1\\vol1 → ok, Added; 180 s to go on
           ┆ 60.979 s without a call (the server waits 180 s)
!  +61.000 s call 5    CommitShadowCopySet → E_FAIL after 2.500 s; 180 s to go
                       on
             the server gives the set up at 22 Nov 17:53:21 UTC, 180 s after
             call 5, if nobody goes on

operation    failed: FS1 could not take the snapshot
conformance  inconclusive by Samba: 0 errors, 1 warning, 3 notes, 1 known
             deviation
             fail by the specification: 1 error, 1 warning, 2 notes
server       FS1 (10.0.1.1, fd00::1): held against Samba (its negotiation offers
             what Samba does); client 10.0.0.1, and maybe others
judged       14 calls, and 2 that are sealed; 1 rule kept, 1 broken, 1 not
             evaluable
";
    assert_eq!(text, expect, "\n{text}");
}

/// The first words and texts of what a report opens with.
fn opened(report: &Report, gated: &Gated<'_>) -> Vec<(&'static str, String)> {
    let registry = Registry::embedded().unwrap();
    let rules = Catalogue::default();
    let options = Options { time: TimeStyle::Utc, width: 80 };
    let scene = Scene::new(&registry, &rules, options);
    let lines = opening::lines(report, gated, &[(Blame::Client, 1)], &scene);
    lines.into_iter().map(|line| (line.head, line.text)).collect()
}

#[test]
fn what_ended_alike_is_one_line_and_what_cannot_be_told_is_said() {
    let server = "10.0.1.1".parse().unwrap();
    let gate = Gate::default();
    let gated = Gated { gate: &gate, expectations: None, diagnoses: &[], exit: Exit::Fine };
    let ended = |outcome, s: i128| Attempt {
        outcome,
        began: Some(Time::from_nanos(1_795_369_758_000_000_000 + s * 1_000_000_000)),
        ..attempt(server)
    };
    let attempts = vec![
        ended(Operation::Completed, 0),
        ended(Operation::Failed, 1),
        ended(Operation::Completed, 2),
        ended(Operation::Completed, 3),
    ];
    let several = Report { attempts, operation: Operation::Failed, ..Report::default() };
    let what = "shadow copies on 10.0.1.1";
    let asked = "questions, and no shadow copy, on 10.0.1.1";
    let expect = [
        (
            "COMPLETED",
            format!("{asked} (3 times, from 22 Nov 17:49:18 UTC to 22 Nov 17:49:21 UTC)"),
        ),
        ("FAILED", format!("{what}, 22 Nov 17:49:19 UTC")),
    ];
    assert_eq!(opened(&several, &gated), expect);
    let many = |n| {
        let names = (0..n).map(|n| Attempt {
            shares: vec![format!("\\\\FS1\\{n}")],
            ..ended(Operation::Completed, 0)
        });
        Report { attempts: names.collect(), ..Report::default() }
    };
    assert_eq!(opened(&many(40), &gated).len(), 40);
    let beyond = opened(&many(43), &gated);
    assert_eq!(beyond.len(), 41);
    assert_eq!(beyond.last(), Some(&("", "and 3 more attempts (--json has all)".to_owned())));
    assert_eq!(opened(&Report::default(), &gated), []);
    let unknown = Report { operation: Operation::Unknown, ..Report::default() };
    assert_eq!(opened(&unknown, &gated).first().map(|(head, _)| *head), Some("UNKNOWN"));
}

#[test]
fn what_is_let_pass_and_what_fails_the_run_is_said_at_once() {
    let mut report = report();
    let allowed = Mark { allowed: true, known: None };
    let known = Mark { allowed: false, known: Some(true) };
    let mut gate = Gate::default();
    gate.fail_on.error = true;
    let first = |report: &Report, gate: &Gate, mark| {
        let marks = [mark, Mark::default()];
        let gated = Gated { gate, expectations: None, diagnoses: &marks, exit: Exit::Failed };
        opened(report, &gated).remove(0).1
    };
    let title = "on the file server: FS1 could not take the snapshot";
    assert_eq!(first(&report, &gate, Mark::default()), title);
    assert_eq!(first(&report, &gate, allowed), format!("{title} (allowed)"));
    assert_eq!(first(&report, &gate, known), format!("{title} (known)"));
    // Two more attempts that the same stopped.
    let again = Attempt { shares: vec!["\\\\FS1\\x".into()], ..report.attempts[0].clone() };
    let nameless = Attempt { shares: Vec::new(), stopped: None, ..again.clone() };
    report.attempts.extend([again, nameless]);
    let marks = [known, Mark::default()];
    let told = |gate: &Gate| {
        let gated = Gated { gate, expectations: None, diagnoses: &marks, exit: Exit::Failed };
        opened(&report, &gated)
    };
    let also = "2 more attempts failed for the same reason: \\\\FS1\\x (call 5), one";
    assert!(told(&gate).contains(&("also", also.to_owned())), "{:?}", told(&gate));
    let but = |gate: &Gate| told(gate).into_iter().find(|(head, _)| *head == "BUT");
    assert_eq!(but(&gate), None);
    gate.finding(&finding("FSRVP-3.1.4.5-03"));
    let text = "1 error (1 by the backup program) against the specification, which stopped nothing: \
                each is told below";
    assert_eq!(but(&gate), Some(("BUT", text.to_owned())));
    // That the operation failed is reason enough where it counts.
    gate.fail_on.operation = true;
    report.diagnoses.clear();
    let marks = [Mark::default(); 2];
    let gated = Gated { gate: &gate, expectations: None, diagnoses: &marks, exit: Exit::Failed };
    assert!(opened(&report, &gated).iter().all(|(head, _)| *head != "BUT"));
}

#[test]
fn what_is_alike_is_shown_once() {
    let at = |call: u64, rule: &str| Finding { call: Some(call), ..finding(rule) };
    let mut findings: Vec<_> = (1..=40).map(|call| at(call, "A")).collect();
    findings.extend((50..53).map(|call| at(call, "B")));
    findings.insert(1, Finding { call: None, ..finding("C") });
    let (before, text) = write(false, findings.clone(), &report());
    assert_eq!(before, "");
    let told: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("error[") || line.contains("more like it"))
        .collect();
    let full = |rule: &str| {
        format!(
            "error[{rule}]: CommitShadowCopySet was answered with success 61 s after the \
                 time-out"
        )
    };
    let more = "     = and 39 more like it: calls 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,";
    let b = full("B");
    assert_eq!(told, [&*full("A"), more, &*full("C"), &*b, &*b, &*b]);
    assert!(text.contains("\n       15, 16, 17, and 23 beyond\n\n"), "{text}");
    // Who watches sees each, and at once.
    let (before, text) = write(true, findings, &report());
    assert_eq!(before.lines().filter(|line| line.starts_with("error[")).count(), 44);
    assert!(text.starts_with("FAILED  "), "{text}");
}

#[test]
fn findings_beyond_those_that_are_held_are_counted() {
    let findings = (0..MAX_GROUPS + 3).map(|n| finding(&format!("R{n}"))).collect();
    let (before, text) = write(false, findings, &report());
    assert_eq!(before, "");
    assert_eq!(text.lines().filter(|line| line.starts_with("error[")).count(), MAX_GROUPS);
    assert!(text.contains("\nand 3 more findings (--json has all)\n"), "{text}");
}

#[test]
fn nothing_judged_is_no_health() {
    let nothing =
        |sealed_calls, operation| Report { judged_calls: 0, sealed_calls, operation, ..report() };
    let stranger = Report {
        servers: Vec::new(),
        attempts: Vec::new(),
        diagnoses: Vec::new(),
        ..nothing(0, Operation::None)
    };
    let (_, text) = write(false, Vec::new(), &stranger);
    let unseen = "not seen     2 calls are sealed: a key would make them visible\n";
    let nothing_at_all =
        "judged       nothing: no call about shadow copies was seen, and no attempt at one\n";
    assert_eq!(text, format!("{nothing_at_all}{unseen}"));
    let (_, text) = write(false, Vec::new(), &nothing(7, Operation::Unknown));
    let sealed = "judged       nothing: all of 7 calls are sealed\n";
    assert!(text.contains("\noperation    unknown\n"), "{text}");
    assert!(text.contains(&format!("\n{unseen}\n")), "{text}");
    assert!(text.ends_with(sealed), "{text}");
    // A refusal is something to explain, and so is a finding.
    assert_eq!(nothing_judged(&nothing(0, Operation::Failed), 0), None);
    assert_eq!(nothing_judged(&nothing(0, Operation::Unknown), 1), None);
    // But what can be said of sealed calls is no judgement of them.
    assert!(nothing_judged(&nothing(7, Operation::Unknown), 1).is_some());
}
