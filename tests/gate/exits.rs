//! The exit code of whole runs, held against what their records say happened. Every combination of
//! what can happen is tried in `src/gate/exit.rs`.

use std::collections::BTreeSet;

use super::{BACKUP, DENIED, FAILED, LOST, MISSING, SEALED};
use super::{check, made, only, records, summary};

const WORDS: [&str; 5] = ["error", "warning", "note", "operation", "unchecked"];

/// What the records say happened that can be failed on, and whether nothing was judged.
fn happened(arguments: &[&str]) -> (BTreeSet<&'static str>, bool) {
    let records = records(arguments);
    let summary = summary(&records);
    let findings = only("finding", &records);
    let mut happened: BTreeSet<&str> = WORDS
        .into_iter()
        .filter(|word| {
            let counts = |of: &&&serde_json::Value| {
                of["severity"] == *word && of["allowed"] == false && of["in_baseline"] != true
            };
            findings.iter().any(|of| counts(&of))
        })
        .collect();
    let nothing = |outcome: &serde_json::Value| *outcome == "failed" || *outcome == "unfinished";
    let counts = |attempt: &serde_json::Value| {
        let diagnosis = attempt["diagnosis"].as_u64().and_then(|n| usize::try_from(n).ok());
        let diagnosis = diagnosis.map(|n| &summary["diagnosis"][n]);
        attempt["retried"].is_null()
            && diagnosis.is_none_or(|of| of["allowed"] == false && of["in_baseline"] != true)
    };
    let attempts = summary["attempts"].as_array().expect("a list");
    let came_to_nothing: Vec<_> = attempts.iter().filter(|of| nothing(&of["outcome"])).collect();
    if nothing(&summary["operation"])
        && (came_to_nothing.is_empty() || came_to_nothing.iter().any(|of| counts(of)))
    {
        happened.insert("operation");
    }
    let unchecked = only("expectation", &records).iter().any(|of| of["result"] == "unchecked");
    let judged = &summary["judged"];
    let unseen = judged["unreadable"].as_array().is_some_and(|list| !list.is_empty());
    if unchecked || unseen || judged["sealed_calls"] != 0 {
        happened.insert("unchecked");
    }
    let found = findings.iter().any(|of| !of["spec"].is_null());
    let sealed = judged["sealed_calls"] != 0;
    let nothing = judged["calls"] == 0 && !nothing(&summary["operation"]) && (sealed || !found);
    (happened, nothing)
}

#[test]
fn whole_runs_end_with_what_their_records_say() {
    let baseline = |name: &str, file: &str| {
        made(&format!("gate/exit-{name}.json"), check(&["--json", file]).out.as_bytes())
    };
    let (failed, backup) = (baseline("failed", FAILED), baseline("backup", BACKUP));
    let expect =
        made("gate/exit.toml", b"[[call]]\nmethod = \"CommitShadowCopySet\"\nstatus = \"ZERO\"\n");
    let modes: [Vec<&str>; 6] = [
        vec!["--allow", "FSRVP-3.2.4.3-03,FS-20"],
        vec!["--allow", "1,2,3"],
        vec!["--baseline", &failed],
        vec!["--baseline", &backup],
        vec!["--expect", &expect],
        vec!["--expect", &expect, "--allow", "EXPECT-CommitShadowCopySet", "-Y", "n == 1"],
    ];
    let mut codes = [0; 4];
    for file in [BACKUP, FAILED, DENIED, SEALED, LOST] {
        for mode in &modes {
            let given: Vec<&str> = [&[file][..], mode].concat();
            // What is not shown counts all the same.
            let told: Vec<&str> =
                given.iter().copied().filter(|word| !["-Y", "n == 1"].contains(word)).collect();
            let (happened, nothing) = happened(&told);
            for fail_on in WORDS
                .into_iter()
                .chain(["error,operation", "error,warning,note,operation,unchecked"])
            {
                let named = fail_on.split(',').any(|word| happened.contains(word));
                let code = if named {
                    1
                } else if nothing {
                    3
                } else {
                    0
                };
                let run = check(&[&given[..], &["--fail-on", fail_on]].concat());
                assert_eq!(run.code, Some(code), "{given:?} --fail-on {fail_on}: {}", run.out);
                codes[usize::try_from(code).expect("it is small")] += 1;
            }
        }
    }
    assert!(codes[0] > 50 && codes[1] > 30 && codes[3] > 5, "{codes:?}");
    for unreadable in [[MISSING, FAILED], [FAILED, MISSING]] {
        for mode in &modes {
            let run = check(&[&unreadable[..], mode].concat());
            assert_eq!(run.code, Some(2), "{unreadable:?} {mode:?}");
        }
    }
}

/// What nobody names is refused before anything is read.
#[test]
fn what_cannot_be_used_is_refused() {
    let refused = |arguments: &[&str], expect: &str| {
        let run = check(&[arguments, &[BACKUP]].concat());
        assert!(run.refusal(2).starts_with(expect), "{arguments:?}: {}", run.err);
    };
    refused(
        &["--allow", "FSRVP-3.1.4.5-99"],
        "--allow: there is no rule, section or cause `FSRVP-3.1.4.5-99`; the nearest: FSRVP-3.1.4.5-",
    );
    refused(&["--allow", "3.2.3,9.9"], "--allow: there is no rule, section or cause `9.9`");
    refused(&["--baseline", "captures/there-is-none"], "--baseline: captures/there-is-none: ");
    let what = "expected the records of `vshark check --json` or `vshark export`, or a JSON array \
                of findings or of fingerprints, found no JSON; `vshark check --json FILE > known.json` \
                makes one";
    refused(&["--baseline", BACKUP], &format!("--baseline: {BACKUP}: {what}"));
    let text = made("gate/exit-text.txt", check(&[FAILED]).out.as_bytes());
    refused(&["--baseline", &text], &format!("--baseline: {text}: {what}"));
    refused(&["--baseline", "captures"], "--baseline: captures: ");
    refused(&["--expect", "captures/there-is-none"], "--expect: captures/there-is-none: ");
    refused(&["--expect", BACKUP], &format!("--expect: {BACKUP}: "));
    refused(&["--matrix", "--format", "junit"], "--matrix is text or JSON");
    refused(&["--matrix", "--format", "sarif"], "--matrix is text or JSON");
}
