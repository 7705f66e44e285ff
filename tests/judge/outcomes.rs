//! What becomes of each thing that a client wanted, and of all of them together.

use vshark::check::{Operation, Options, Report};
use vshark::scenario::Scenario;

use crate::read::REGISTRY;
use crate::trial::{KNOWLEDGE, tried};

/// A set with one share, up to its Commit, by `A`.
const BEGUN: &str =
    "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1; A:12(S1)=0; A:4(S1)=0\n";
/// What is left to do then.
const ENDED: &str = "A:5(S1)=0; A:10(C1,S1,\\\\fs\\d)=0; A:6(S1)=0\n";

fn report(text: &str) -> Report {
    let scenario = Scenario::parse("conversation", text, &REGISTRY);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut capture = Vec::new();
    scenario.write(&mut capture).expect("memory takes it");
    let choice = KNOWLEDGE.choose("auto").expect("the profile is known");
    let options = Options { choice, all_clients: false, idle_start: scenario.starts_idle() };
    let mut judge = tried(&capture, options, 0);
    judge.take_findings();
    judge.report()
}

/// The same with another set: of another client, or the next one.
fn next(text: &str, client: &str) -> String {
    let text = text.replace("S1", "S2").replace("C1", "C2").replace("U1", "U2");
    text.replace("A:", &format!("{client}:"))
}

/// What became of it all, and of each attempt: with the place of the one that made it good.
#[track_caller]
fn becomes(text: &str, all: Operation, each: &[(Operation, Option<usize>)]) -> Report {
    let report = report(text);
    let found: Vec<_> = report.attempts.iter().map(|of| (of.outcome, of.retried)).collect();
    assert_eq!(found, each, "{text}");
    assert_eq!(report.operation, all, "{text}");
    report
}

use Operation::{Completed, Failed, Unfinished, Unknown};

#[test]
fn a_set_ends_as_its_last_calls_say() {
    becomes(&format!("{BEGUN}{ENDED}"), Completed, &[(Completed, None)]);
    let deleted = format!("{BEGUN}{ENDED}A:11(S1,C1,\\\\fs\\d)=0");
    becomes(&deleted, Completed, &[(Completed, None)]);
    // What was finished stays so.
    becomes(&format!("{BEGUN}{ENDED}A:7(S1)=0"), Completed, &[(Completed, None)]);
    becomes(&format!("{BEGUN}{ENDED}wait 2h\nA:0=0->1,1"), Completed, &[(Completed, None)]);
    becomes(BEGUN, Unfinished, &[(Unfinished, None)]);
    becomes(&format!("{BEGUN}A:7(S1)=0"), Failed, &[(Failed, None)]);
    // Its time has run out, as the next call of anybody shows.
    let late = format!("{BEGUN}wait 200s\nB:1(ctx=0x0)=0");
    becomes(&late, Failed, &[(Failed, None), (Unfinished, None)]);
    let lost = format!("{BEGUN}lose answer of A:5(S1)=0\nA:10(C1,S1,\\\\fs\\d)=0");
    becomes(&lost, Unknown, &[(Unknown, None)]);
}

#[test]
fn a_retry_makes_good_what_failed() {
    let refused = "A:1(ctx=0x0)=IN_PROGRESS\nwait 60s\n";
    let again = format!("{refused}{BEGUN}{ENDED}");
    becomes(&again, Completed, &[(Failed, Some(1)), (Completed, None)]);
    // Many refusals in a row are one attempt, told by the first.
    let hammered = format!("A:1(ctx=0x0)=IN_PROGRESS x4\n{BEGUN}{ENDED}");
    let told = becomes(&hammered, Completed, &[(Failed, Some(1)), (Completed, None)]);
    assert_eq!(told.attempts[0].stopped.as_ref().and_then(|stop| stop.call), Some(1));
    assert!(told.stopped.is_empty(), "{:?}", told.stopped);
    // A second retry is as good as the first.
    let failed = "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1; A:12(S1)=0\n\
                  A:4(S1)=0x80042314; A:7(S1)=0\nwait 30s\n";
    let thrice = format!("{failed}{}{}", next(failed, "A"), {
        let third = format!("{BEGUN}{ENDED}");
        third.replace("S1", "S3").replace("C1", "C3").replace("U1", "U3")
    });
    becomes(&thrice, Completed, &[(Failed, Some(2)), (Failed, Some(2)), (Completed, None)]);
}

#[test]
fn only_a_retry_does() {
    let failed = "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1; A:12(S1)=0\n\
                  A:4(S1)=0x80042314; A:7(S1)=0\n";
    let good = next(&format!("{BEGUN}{ENDED}"), "A");
    let both = |first: &str, second: &str| format!("{first}wait 30s\n{second}");
    let alone = [(Failed, None), (Completed, None)];
    // Another share, another client, another job of the next night.
    becomes(&both(failed, &good.replace("\\\\fs\\d", "\\\\fs\\e")), Failed, &alone);
    becomes(&both(failed, &next(&format!("{BEGUN}{ENDED}"), "B")), Failed, &alone);
    becomes(&format!("{failed}wait 24h\n{good}"), Failed, &alone);
    // What came before is no retry.
    let before = format!("{BEGUN}{ENDED}wait 30s\n{}", next(failed, "A"));
    becomes(&before, Failed, &[(Completed, None), (Failed, None)]);
    // One that fails for good, too.
    let worse = both("A:1(ctx=0x0)=IN_PROGRESS\n", failed);
    becomes(&worse, Failed, &[(Failed, None), (Failed, None)]);
}

#[test]
fn an_attempt_tells_what_was_wanted() {
    let user = "A user FSLAB\\jobs\nA auth ntlm integrity\n";
    let text = format!("{user}A:8(\\\\fs\\d)=0->TRUE,FS; A:1(ctx=0x9)=IN_PROGRESS");
    let report = report(&text);
    let [attempt] = report.attempts.as_slice() else { panic!("{:?}", report.attempts) };
    assert_eq!(attempt.shares, [r"\\fs\d"]);
    assert_eq!((attempt.context, attempt.user.as_deref()), (Some(9), Some(r"FSLAB\jobs")));
    assert_eq!(attempt.reached, Some("IsPathSupported"));
}

/// Each step of a set, with what the server's timer then had.
#[test]
fn the_steps_of_a_set_are_kept() {
    let text = format!(
        "A:1(ctx=0x0)=0; A:2(cid=U8)=IN_PROGRESS; {BEGUN}A:5(S1)=E_FAIL\nwait 300s\n\
                        B:0=0->1,1"
    );
    let report = report(&text);
    let [set] = report.sets.as_slice() else { panic!("{:?}", report.sets) };
    let steps: Vec<_> = set
        .steps
        .iter()
        .map(|step| (step.call, step.said.as_str(), step.failed, step.state, step.timer))
        .collect();
    let ok = |call, state, timer| (call, "ok", false, state, timer);
    let expect = [
        ok(1, None, Some(180)),
        (2, "FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS", true, None, None),
        ok(3, None, Some(180)),
        ok(4, Some("Started"), Some(180)),
        ok(5, Some("Added"), Some(1800)),
        ok(6, Some("Added"), Some(1800)),
        ok(7, Some("Committed"), Some(180)),
        (8, "E_FAIL", true, Some("Committed"), Some(180)),
    ];
    assert_eq!(steps, expect);
    let timer = set.timer.expect("it has run out");
    assert_eq!((timer.call, timer.seconds, timer.ran_out), (8, 180, true));
}

/// A set that somebody does nothing but ask about is told by its beginning and its end.
#[test]
fn many_steps_are_left_out_in_the_middle() {
    let text = format!("{BEGUN}A:5(S1)=0; A:10(C1,S1,\\\\fs\\d)=0 x200\nA:6(S1)=0");
    let report = report(&text);
    let steps = &report.sets[0].steps;
    let left_out: u64 = steps.iter().map(|step| step.left_out).sum();
    assert_eq!(u64::try_from(steps.len()).expect("it is small") + left_out, 207);
    assert!(left_out > 0 && steps.len() < 150, "{} {left_out}", steps.len());
    assert_eq!(steps.last().map(|step| step.opnum), Some(6));
    let calls: Vec<u64> = steps.iter().map(|step| step.call).collect();
    assert!(calls.is_sorted(), "{calls:?}");
}
