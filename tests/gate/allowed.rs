//! What is let pass, and what is known.

use super::{BACKUP, CLIENTS, DENIED, FAILED, check, made, only, played, records, summary};

/// A text without the ends of its lines.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_allowed_is_no_error_and_is_told() {
    let run = check(&[FAILED, "--fail-on", "error", "--allow", "3.2.4.3-3,fsrvp-3.1.4.13-03"]);
    assert_eq!(run.code, Some(0), "{}", run.out);
    assert!(!run.out.contains("error["), "{}", run.out);
    assert!(
        run.out.contains("allowed[FSRVP-3.2.4.3-03]: ExposeShadowCopySet of set"),
        "{}",
        run.out
    );
    let text = flat(&run.out);
    assert!(text.contains("= allowed: --allow lets it pass; it would be an error"), "{text}");
    assert!(
        text.contains(
            "allowed FSRVP-3.2.4.3-03 (once); it does not count FSRVP-3.1.4.13-03 never occurred"
        ),
        "{text}"
    );
    // The verdicts are as they were.
    assert!(text.contains("conformance fail by Samba: 1 error, 1 warning"), "{text}");
    let records = records(&[FAILED, "--allow", "3.2.4.3,FSRVP-3.2.3"]);
    let of = |rule: &str| -> Vec<bool> {
        let findings = only("finding", &records);
        let own =
            findings.iter().filter(|of| of["rule"].as_str().is_some_and(|id| id.starts_with(rule)));
        own.map(|of| of["allowed"] == true).collect()
    };
    assert!(of("FSRVP-3.2.4.3-").iter().all(|allowed| *allowed));
    assert!(of("FSRVP-3.2.3-").len() > 1 && of("FSRVP-3.2.3-").iter().all(|allowed| *allowed));
    assert!(of("FSRVP-3.2.4.2").iter().all(|allowed| !allowed));
    let told = &summary(&records)["gate"]["allowed"];
    assert_eq!((&told[0]["id"], &told[0]["found"]), (&"FSRVP-3.2.4.3".into(), &1.into()));
    assert_eq!(told[1]["found"], of("FSRVP-3.2.3-").len());
}

/// A rule that is broken beside another one does not excuse it.
#[test]
fn only_the_rule_of_a_finding_lets_it_pass() {
    let run = check(&[FAILED, "--fail-on", "error", "--allow", "FSRVP-3.2.4.4-02,FSRVP-3-02"]);
    assert_eq!(run.code, Some(1));
    assert!(run.out.contains("error[FSRVP-3.2.4.3-03]"), "{}", run.out);
    assert!(flat(&run.out).contains("FSRVP-3.2.4.4-02, FSRVP-3-02 never occurred"), "{}", run.out);
}

#[test]
fn what_is_known_is_not_shown_and_what_is_new_is() {
    let known = made("gate/known.json", check(&["--json", FAILED]).out.as_bytes());
    let all = "error,warning,note";
    let run = check(&[FAILED, "--baseline", &known, "--fail-on", all]);
    assert_eq!(run.code, Some(0), "{}", run.out);
    assert!(!run.out.contains("error[") && !run.out.contains("note["), "{}", run.out);
    assert!(
        run.out.contains("\nbaseline     10 known findings, not shown; 0 new\n"),
        "{}",
        run.out
    );
    // Another capture has some of it, and more.
    let records = records(&[CLIENTS, "--baseline", &known]);
    let findings = only("finding", &records);
    let known_ones = findings.iter().filter(|of| of["in_baseline"] == true).count();
    let told = &summary(&records)["gate"]["baseline"];
    assert_eq!(
        (&told["known"], &told["new"]),
        (&known_ones.into(), &(findings.len() - known_ones).into())
    );
    assert!(known_ones > 0 && known_ones < findings.len());
    let absent: u64 = told["absent"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|of| of["count"].as_u64())
        .sum();
    let here: usize = 10 - known_ones;
    assert!(absent >= u64::try_from(here).expect("a number"), "{told}");
    let run = check(&[CLIENTS, "--baseline", &known]);
    assert!(flat(&run.out).contains("new known, but not there this time: "), "{}", run.out);
    // What was known is gone altogether.
    let run = check(&[BACKUP, "--baseline", &known, "--fail-on", all]);
    assert!(run.out.contains("FSRVP-3.2.4.3-03/client/ExposeShadowCopySet/1"), "{}", run.out);
}

/// A list of fingerprints that jq made will do.
#[test]
fn a_baseline_may_be_a_list_of_fingerprints() {
    let list = b"[\"FSRVP-3.2.4.3-03/client/ExposeShadowCopySet/1\"]";
    let known = made("gate/list.json", list);
    let run = check(&[FAILED, "--baseline", &known, "--fail-on", "error"]);
    assert_eq!(run.code, Some(0), "{}", run.out);
    assert!(run.out.contains("baseline     1 known finding, not shown; 9 new\n"), "{}", run.out);
}

/// A known cause lets the operation pass, and so does one that is allowed; another one does not.
#[test]
fn the_operation_passes_with_its_cause() {
    let run = |rest: &[&str]| check(&[&[DENIED, "--fail-on", "operation"], rest].concat());
    assert_eq!(run(&[]).code, Some(1));
    let allowed = run(&["--allow", "fs-20"]);
    assert_eq!(allowed.code, Some(0), "{}", allowed.out);
    let text = flat(&allowed.out);
    assert!(text.contains("allowed FS-20 (once); it does not count"), "{text}");
    assert!(text.contains("does not count: what stopped it is allowed or known"), "{text}");
    let known = made("gate/cause.json", check(&["--json", DENIED]).out.as_bytes());
    let known = run(&["--baseline", &known]);
    assert_eq!(known.code, Some(0), "{}", known.out);
    assert_eq!(run(&["--allow", "3.2.4"]).code, Some(1));
    let other = made("gate/no-cause.json", check(&["--json", BACKUP]).out.as_bytes());
    assert_eq!(run(&["--baseline", &other]).code, Some(1));
}

/// A set of share `d`, of which `rest` comes behind the start.
fn set(n: u32, rest: &str) -> String {
    let rest = rest.replace("S1", &format!("S{n}")).replace("C1", &format!("C{n}"));
    format!("A:1(ctx=0)=0; A:2(cid=U{n})=0->S{n}; {rest}\n")
}

/// What stopped nothing for good, or something else, or not so often, excuses no failure.
#[test]
fn a_baseline_excuses_no_failure_that_it_does_not_have() {
    const GOOD: &str = r"A:12(S1)=0; A:4(S1)=0; A:5(S1)=0; A:10(C1,S1)=0; A:6(S1)=0; A:11(S1,C1)=0";
    let play = |name: &str, text: &str| {
        played(&format!("excuse-{name}"), &format!("auth ntlm integrity\n{text}"))
    };
    let code = |known: &str, file: &str| {
        let name = format!("gate/{}.json", known.rsplit('/').next().unwrap_or_default());
        let known = made(&name, check(&["--json", known]).out.as_bytes());
        check(&[file, "--baseline", &known, "--fail-on", "operation"]).code
    };
    let refused = "A:1(ctx=0)=IN_PROGRESS\n";
    let good = set(1, &format!(r"A:3(S1,\\fs\d)=0->C1; {GOOD}"));
    let retried = play("retried", &format!("{refused}wait 5min\n{good}"));
    let failed = play("failed", refused);
    assert_eq!(code(&failed, &failed), Some(0));
    assert_eq!(code(&retried, &failed), Some(1));
    assert_eq!(code(&retried, &retried), Some(0));
    // A share that could not be added beside one that could.
    let add = r"A:3(S1,\\fs\vol2)=NOT_SUPPORTED";
    let beside = play("beside", &set(1, &format!(r"A:3(S1,\\fs\vol1)=0->C1; {add}; {GOOD}")));
    let alone = play("alone", &set(1, &format!("{add}; A:7(S1)=0")));
    assert_eq!(code(&alone, &alone), Some(0));
    assert_eq!(code(&beside, &alone), Some(1));
    assert_eq!(code(&beside, &beside), Some(0));
    // As often as it was there.
    let one = |n| set(n, r"A:3(S1,\\fs\d)=0->C1; A:12(S1)=0; A:4(S1)=0x80042310; A:7(S1)=0");
    let once = play("once", &one(1));
    let thrice = play("thrice", &[one(1), one(2), one(3)].concat());
    assert_eq!(code(&once, &thrice), Some(1));
    assert_eq!(code(&thrice, &once), Some(0));
    assert_eq!(code(&thrice, &thrice), Some(0));
    // Two faults of which no more is known than what was said.
    let commit = r"A:3(S1,\\fs\d)=0->C1; A:12(S1)=0; A:4(S1)=0x80049998; A:7(S1)=0";
    let commit = play("commit", &set(1, commit));
    let add = play("add", &set(1, r"A:3(S1,\\fs\payroll)=0x80049999; A:7(S1)=0"));
    assert_eq!(code(&commit, &commit), Some(0));
    assert_eq!(code(&commit, &add), Some(1));
    assert_eq!(code(&add, &commit), Some(1));
}

/// What is worth a look is known by itself.
#[test]
fn what_stopped_nothing_is_in_the_baseline_too() {
    let text = "auth ntlm integrity\nA:1(ctx=0)=IN_PROGRESS\nwait 5min\n";
    let good = r"A:3(S1,\\fs\d)=0->C1; A:12(S1)=0; A:4(S1)=0; A:5(S1)=0; A:10(C1,S1)=0; A:6(S1)=0; A:11(S1,C1)=0";
    let file = played("known-beside", &format!("{text}{}", set(1, good)));
    let known = made("gate/beside.json", check(&["--json", &file]).out.as_bytes());
    let again = records(&[&file, "--baseline", &known]);
    let told = summary(&again);
    assert_eq!(told["diagnosis"][0]["in_baseline"], true, "{told}");
    assert_eq!(told["gate"]["baseline"]["absent"], serde_json::json!([]));
    let other = records(&[BACKUP, "--baseline", &known]);
    let absent = &summary(&other)["gate"]["baseline"]["absent"];
    assert!(absent.to_string().contains("FS-"), "{absent}");
}

/// Whatever is expected, and however it is called, the records are a baseline.
#[test]
fn own_records_are_a_baseline() {
    let methods = vec!["\"RecoveryCompleteShadowCopySet\""; 40].join(", ");
    let text = format!("[[order]]\nmethods = [{methods}]\n");
    let expect = made("gate/long.toml", text.as_bytes());
    let known = check(&["--json", BACKUP, "--expect", &expect]);
    assert_eq!(known.code, Some(1), "{}", known.err);
    let known = made("gate/long.json", known.out.as_bytes());
    let again = check(&[BACKUP, "--expect", &expect, "--baseline", &known]);
    assert_eq!(again.code, Some(0), "{}{}", again.out, again.err);
    let other = made("gate/long-more.toml", format!("{text}[operation]\nsets = 2\n").as_bytes());
    let other = check(&[BACKUP, "--expect", &other, "--baseline", &known]);
    assert_eq!(other.code, Some(1), "{}{}", other.out, other.err);
}
