//! What counts, on findings without a capture.

use std::sync::Arc;

use super::*;
use crate::bytes::Time;
use crate::check::{Attempt, Blame, Certainty, Knowledge, Operation};

fn finding(rule: &str, severity: Severity, nth: u32) -> Finding {
    Finding {
        rule: rule.into(),
        severity,
        party: Blame::Client,
        certainty: Certainty::Certain,
        message: "something".into(),
        call: None,
        opnum: None,
        method: None,
        frames: Vec::new(),
        time: Time::default(),
        related: Vec::new(),
        also: vec!["FSRVP-3.2.4.3-03".into()],
        set: None,
        server: None,
        client: None,
        spots: Vec::new(),
        known: None,
        fingerprint: format!("{rule}/client/-/{nth}"),
    }
}

fn allowed(typed: &[&str]) -> Result<Allowed, String> {
    let knowledge = Knowledge::load(&[]).unwrap();
    let typed: Vec<String> = typed.iter().map(|typed| (*typed).to_owned()).collect();
    Allowed::parse(&typed, &knowledge, &[Arc::from("EXPECT-commit-is-quick")])
}

fn baseline(text: &str) -> Result<Baseline, String> {
    Baseline::read("known.json", text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn what_is_allowed_is_named_in_any_form() {
    let ids = |typed: &[&str]| -> Vec<String> {
        allowed(typed).unwrap().entries().map(|(id, _)| id.to_owned()).collect()
    };
    assert_eq!(ids(&["3.1.4.5-3", "fsrvp-3.1.4.5-03"]), ["FSRVP-3.1.4.5-03"]);
    assert_eq!(ids(&["3.2.3", " FSRVP-3.2.4"]), ["FSRVP-3.2.3", "FSRVP-3.2.4"]);
    assert_eq!(ids(&["expect-commit-is-quick"]), ["EXPECT-commit-is-quick"]);
    let mut gate = Gate::new(
        FailOn { error: true, ..FailOn::default() },
        allowed(&["3.2.4.4", "3.2.4.4-05", "3.1.4.5-03"]).unwrap(),
        None,
    );
    let mark = gate.finding(&finding("FSRVP-3.2.4.4-05", Severity::Error, 1));
    assert!(mark.allowed && !mark.counts() && !gate.fails(Severity::Error, mark));
    // That another rule of the same fault is allowed is not enough.
    let mark = gate.finding(&finding("FSRVP-3.2.3-05", Severity::Error, 1));
    assert!(
        !mark.allowed && gate.fails(Severity::Error, mark) && !gate.fails(Severity::Note, mark)
    );
    assert_eq!(gate.counts(), Counts { errors: 1, ..Counts::default() });
    let told: Vec<_> = gate.allowed.entries().collect();
    assert_eq!(told, [("FSRVP-3.2.4.4", 1), ("FSRVP-3.2.4.4-05", 1), ("FSRVP-3.1.4.5-03", 0)]);
}

#[test]
fn what_is_unknown_is_refused_with_what_is_near() {
    for (typed, expect) in [
        (
            "FSRVP-3.1.4.5-99",
            "there is no rule, section or cause `FSRVP-3.1.4.5-99`; the nearest: FSRVP-3.1.4.5-",
        ),
        ("3.9", "there is no rule, section or cause `3.9`"),
        ("", "there is no rule, section or cause ``"),
        ("EXPECT-commit-is-quik", "; the nearest: EXPECT-commit-is-quick"),
    ] {
        let error = allowed(&[typed]).unwrap_err();
        assert!(error.contains(expect), "{typed}: {error}");
    }
}

#[test]
fn a_baseline_is_read_from_all_that_vshark_writes() {
    let count = |text: &str| baseline(text).unwrap().absent().map(|(_, n)| n).sum::<u64>();
    let finding = r#"{"type":"finding","rule":"X","also":[],"fingerprint":"a"}"#;
    let summary = r#"{"type":"summary","diagnosis":[{"cause":"FS-20","fingerprint":"b"}],"sets":[{"id":"x"}]}"#;
    assert_eq!(count(&format!("{{\"type\":\"capture\"}}\n{finding}\n{finding}\n{summary}\n")), 3);
    assert_eq!(count(&format!("[{finding}, \"a\", \"c\"]")), 3);
    assert_eq!(count(&format!("\u{feff}[{finding}]\n[]\n\"c\"")), 2);
    // What jq makes of records has no type, or lies over several lines.
    assert_eq!(count("{\n  \"fingerprint\": \"a\",\n  \"rule\": \"X\"\n}\n"), 1);
    assert_eq!(count("{\"type\":\"capture\"}"), 0);
    assert_eq!(count("[]"), 0);
}

/// What explains failures is there as often as it stopped an attempt for good.
#[test]
fn a_cause_is_known_as_often_as_it_stopped_something_for_good() {
    let of = |keys: &str| {
        let diagnosis = format!("{{\"cause\":\"FS-20\",\"fingerprint\":\"b\"{keys}}}");
        let summary = format!(
            "{{\"type\":\"summary\",\"attempts\":[{{\"set\":null}}],\"diagnosis\":[{diagnosis}]}}"
        );
        let mut counts = [summary, format!("[{diagnosis}]")].map(|text| {
            let mut known = baseline(&text).unwrap();
            let times = (0..9).filter(|_| known.take("b", 1)).count();
            let beside = (0..9).filter(|_| known.take_beside("b")).count();
            (times, beside)
        });
        counts.sort_unstable();
        assert_eq!(counts[0], counts[1]);
        counts[0]
    };
    assert_eq!(of(",\"attempts\":3,\"lasting\":2"), (2, 0));
    assert_eq!(of(",\"lasting\":0,\"attempts\":3"), (0, 1));
    assert_eq!(of(""), (1, 0));
    let many = format!("[{{\"fingerprint\":\"b\",\"lasting\":{}}}]", u64::MAX);
    let many = format!("[\"a\"]{many}");
    assert!(baseline(&many).unwrap_err().contains("more than 1048576 findings"));
    // One that stopped more than is known is new, and uses up what is.
    let mut known = baseline("[\"b\",\"b\",\"b\"]").unwrap();
    assert_eq!([2, 2, 1].map(|times| known.take("b", times)), [true, false, false]);
}

#[test]
fn what_is_no_baseline_is_told_with_its_line() {
    for (text, expect) in [
        ("", "known.json: expected the records of `vshark check --json` or `vshark export`, or"),
        (" \n\n", "known.json: expected the records"),
        ("{\"type\":\"capture\"}\n{\"type\":\"find", "known.json:2:13: EOF while parsing a string"),
        ("{\"type\":\"capture\"}\nFSRVP-3/client/-/1\n", "known.json:2:1: expected value"),
        (
            "operation    failed\n",
            "found no JSON; `vshark check --json FILE > known.json` makes one",
        ),
        ("note: nothing\n", "found no JSON; "),
        ("5", "known.json:1:1: invalid type: integer `5`, expected the records of"),
        ("{\"version\":\"2.1.0\",\"runs\":[]}", "found an object without a fingerprint"),
        ("{\"type\":\"finding\"}", "found an object without a fingerprint"),
        ("{\"type\":\"findings\"}", "found a record `findings`"),
        ("[\"\"]", "expected a fingerprint, found an empty text"),
        ("[{\"fingerprint\":7}]", "known.json:1:18: invalid type: integer `7`, expected a string"),
    ] {
        let error = baseline(text).unwrap_err();
        assert!(error.contains(expect), "{text:?}: {error}");
    }
    let utf16 = Baseline::read("known.json", &b"\xff\xfe[\0]\0"[..]).unwrap_err().to_string();
    assert!(utf16.starts_with("known.json: expected UTF-8, found UTF-16"), "{utf16}");
    let long = format!("[\"{}\"]", "x".repeat(600));
    assert!(baseline(&long).unwrap_err().contains("found a text of 600 octets"));
    // Where nothing is done with it, it may be long.
    let fingerprint = "x".repeat(600);
    let kind = |kind: &str| format!("{{\"fingerprint\":\"{fingerprint}\",\"type\":\"{kind}\"}}");
    assert!(baseline(&kind("expectation")).is_ok());
    assert!(baseline(&kind("finding")).unwrap_err().contains("found a text of 600 octets"));
}

/// Two sets in which the same went wrong have equal fingerprints.
#[test]
fn known_as_often_as_it_was_there() {
    let known =
        baseline(r#"["R/client/-/1","R/client/-/1","R/client/-/2","S/client/-/1"]"#).unwrap();
    let mut gate = Gate::new(FailOn::default(), Allowed::default(), Some(known));
    let marks: Vec<bool> =
        [1, 1, 1, 2].map(|nth| gate.finding(&finding("R", Severity::Warning, nth)).counts()).into();
    assert_eq!(marks, [false, false, true, false]);
    assert_eq!((gate.known(), gate.new_ones(), gate.counts().warnings), (3, 1, 1));
    let absent: Vec<_> = gate.baseline.as_ref().unwrap().absent().collect();
    assert_eq!(absent, [("S/client/-/1", 1)]);
}

#[test]
fn an_operation_that_came_to_nothing_counts_unless_all_that_stopped_it_is_let_pass() {
    use Operation::{Completed, Failed, Unfinished, Unknown};
    let attempt = |outcome, diagnosis| Attempt { outcome, diagnosis, ..Attempt::default() };
    let made_good = Attempt { retried: Some(1), ..attempt(Failed, Some(1)) };
    let report = |operation, attempts| Report { attempts, operation, ..Report::default() };
    let let_pass = Mark { allowed: true, known: None };
    let known = Mark { allowed: false, known: Some(true) };
    let new = Mark { allowed: false, known: Some(false) };
    for (operation, attempts, marks, counts) in [
        (Completed, vec![attempt(Completed, None)], vec![], false),
        (Unknown, vec![attempt(Unknown, Some(0))], vec![new], false),
        (Failed, vec![], vec![], true),
        (Failed, vec![attempt(Failed, None)], vec![], true),
        (Failed, vec![attempt(Failed, Some(0)), attempt(Completed, None)], vec![let_pass], false),
        (Unfinished, vec![attempt(Unfinished, Some(0))], vec![known], false),
        (Failed, vec![attempt(Failed, Some(0)), attempt(Failed, Some(1))], vec![known, new], true),
        (Failed, vec![attempt(Failed, Some(0)), attempt(Failed, None)], vec![known], true),
        // What a later attempt made good is not what the operation failed of.
        (Failed, vec![made_good, attempt(Failed, Some(0))], vec![known, new], false),
    ] {
        let report = report(operation, attempts);
        assert_eq!(operation_counts(&report, &marks), counts, "{report:?} {marks:?}");
    }
}
