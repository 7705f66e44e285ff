//! `vshark check --expect`: what is met, what is broken, and what cannot be told.

#[path = "common/program.rs"]
#[expect(dead_code, reason = "what cannot be read is tried elsewhere")]
mod program;

use serde_json::Value as Json;

use program::{capture, made, piped, vshark};

const BACKUP: &str = "captures/a-ntlm-sign-smb311.pcap";
const SEALED: &str = "captures/b-ntlm-seal-smb311.pcap";
const LOST: &str = "captures/i-a-drop5.pcap";
const ENCRYPTED: &str = "captures/c-enc-AES-128-GCM-sign.pcap";

/// A capture of a conversation.
fn played(name: &str, conversation: &str) -> String {
    let text = made(&format!("expect/{name}.txt"), conversation.as_bytes());
    let path = text.replace(".txt", ".pcapng");
    let run = vshark(&["scenario", &text, "-o", &path]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    path
}

/// What came of the expectations of `text`: the records.
#[track_caller]
fn results(file: &str, text: &str) -> Vec<Json> {
    let expect = made(&format!("expect/{:016x}.toml", hash(text)), text.as_bytes());
    let run = vshark(&["check", "--json", file, "--expect", &expect]);
    assert!(!run.out.is_empty(), "{}", run.err);
    let parse = |line| serde_json::from_str::<Json>(line).expect("JSON");
    let records: Vec<Json> = run.out.lines().map(parse).collect();
    let results: Vec<Json> =
        records.iter().filter(|of| of["type"] == "expectation").cloned().collect();
    // What is broken is a finding, and nothing else is.
    for result in &results {
        let finding =
            records.iter().find(|of| of["type"] == "finding" && of["rule"] == result["rule"]);
        assert_eq!(finding.is_some(), result["result"] == "broken", "{result}");
        if let Some(finding) = finding {
            for key in ["fingerprint", "severity"] {
                assert_eq!(finding[key], result[key], "{result}");
            }
            assert_eq!(finding["message"], result["why"]);
        }
    }
    results
}

fn hash(text: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What came of one expectation, and why.
#[track_caller]
fn check(file: &str, text: &str, expect: &str, why: &str) {
    let results = results(file, text);
    let result = results.first().expect("there is one");
    assert_eq!(result["result"], expect, "{text}: {result}");
    let said = result["why"].as_str().unwrap_or_default();
    assert!(said.contains(why), "{text}: {said}");
    assert_eq!(said.is_empty(), expect == "met", "{text}: {said}");
}

#[test]
fn calls_are_counted() {
    let check = |rest: &str, expect: &str, why: &str| {
        check(BACKUP, &format!("[[call]]\n{rest}"), expect, why);
    };
    check("method = \"CommitShadowCopySet\"", "met", "");
    check("method = \"commitshadowcopyset\"\ncount = 1", "met", "");
    check("opnum = 9\ncount = { min = 2, max = 2 }", "met", "");
    check(
        "opnum = 9\ncount = { max = 1 }",
        "broken",
        "2 calls of IsPathShadowCopied, expected at most 1",
    );
    check(
        "opnum = 7",
        "broken",
        "AbortShadowCopySet: no calls of AbortShadowCopySet, expected at least 1",
    );
    check("opnum = 7\ncount = 0", "met", "");
    check("opnum = 4\ncount = 0", "broken", "1 call of CommitShadowCopySet, expected none");
    check("opnum = 4\ncount = 3", "broken", "1 call of CommitShadowCopySet, expected 3");
    check("count = 16", "met", "");
    check("server = \"fss1\"\ncount = 16", "met", "");
    check("server = \"10.77.0.1\"\nclient = \"10.77.0.11\"\ncount = 16", "met", "");
    check("server = \"FSS2\"", "broken", "no calls of MS-FSRVP to FSS2, expected at least 1");
    check("where = 'status == FSRVP_E_NOT_SUPPORTED'\ncount = 2", "met", "");
    check("where = 'fsrvp.ShareName contains \"fsrvp_share\"'\nopnum = 3\ncount = 1", "met", "");
    check("where = 'n > 16'\ncount = 0", "met", "");
    // A call is about a share that it names, or whose set it names.
    check("share = 'fsrvp_share'\nopnum = 4\ncount = 1", "met", "");
    check("share = '\\\\fss1\\FSRVP_SHARE'\nopnum = 4\ncount = 1", "met", "");
    check("share = 'fsrvp'\ncount = 0", "met", "");
    check("share = 'fsrvp_share'\nopnum = 1\ncount = 0", "met", "");
}

#[test]
fn every_call_is_held_against_what_is_expected_of_each() {
    let check = |rest: &str, expect: &str, why: &str| {
        check(BACKUP, &format!("[[call]]\nname = \"x\"\n{rest}"), expect, why);
    };
    check("opnum = 4\nstatus = \"ZERO\"", "met", "");
    check("opnum = 4\nstatus = 0", "met", "");
    check("opnum = 4\nstatus = \"0x00000000\"", "met", "");
    check("opnum = 4\nstatus = \"E_FAIL\"", "broken", "x: call 10 returned ZERO, expected E_FAIL");
    check("opnum = 9\nstatus = [\"ZERO\", \"fsrvp_e_not_supported\"]", "met", "");
    check(
        "opnum = 9\nstatus = \"ZERO\"",
        "broken",
        "x: call 3 returned FSRVP_E_NOT_SUPPORTED, and another, expected ZERO",
    );
    check("within = \"1m\"", "met", "");
    check("opnum = 4\nwithin = \"1ms\"", "broken", "expected 0.001 s at most");
    check(
        "opnum = 4\nwithin = \"1ms\"\nstatus = 5\ncount = 2",
        "broken",
        "1 call of CommitShadowCopySet, expected 2",
    );
    let faults = "captures/e-py-bad_pdus.pcap";
    let text = "[[call]]\nname = \"x\"\nwhere = 'fault'\nstatus = \"nca_s_op_rng_error\"";
    self::check(faults, text, "broken", "x: call ");
    let both = "[[call]]\nwhere = 'fault == nca_s_op_rng_error'\nstatus = \"nca_s_op_rng_error\"";
    self::check(faults, both, "met", "");
}

#[test]
fn calls_stand_before_and_after_others() {
    let check = |own: &str, beside: &str, other: &str, expect: &str, why: &str| {
        let text = format!(
            "[[call]]\nname = \"own\"\nmethod = \"{own}\"\n{beside} = \"other\"\n\
             [[call]]\nname = \"other\"\nmethod = \"{other}\"\ncount = {{ min = 0 }}\n"
        );
        check(BACKUP, &text, expect, why);
    };
    check("CommitShadowCopySet", "after", "PrepareShadowCopySet", "met", "");
    check("PrepareShadowCopySet", "before", "CommitShadowCopySet", "met", "");
    let why = "own: call 9 comes after no call of `other`";
    check("PrepareShadowCopySet", "after", "CommitShadowCopySet", "broken", why);
    let why = "own: call 10 comes before no call of `other`";
    check("CommitShadowCopySet", "before", "PrepareShadowCopySet", "broken", why);
    check("CommitShadowCopySet", "before", "AbortShadowCopySet", "broken", why);
    // Each of several: the first IsPathShadowCopied comes before everything else.
    check("IsPathShadowCopied", "after", "SetContext", "broken", "call 3 comes after no call");
    check("IsPathShadowCopied", "after", "GetSupportedVersion", "met", "");
}

#[test]
fn calls_come_in_an_order() {
    let check = |file: &str, methods: &str, strict: bool, expect: &str, why: &str| {
        let methods: Vec<String> = methods.split(' ').map(|name| format!("\"{name}\"")).collect();
        let text = format!(
            "[[order]]\nname = \"x\"\nmethods = [{}]\nstrict = {strict}",
            methods.join(", ")
        );
        check(file, &text, expect, why);
    };
    let (set, start, add) = ("SetContext", "StartShadowCopySet", "AddToShadowCopySet");
    let (prepare, commit) = ("PrepareShadowCopySet", "CommitShadowCopySet");
    check(BACKUP, &format!("{set} {start} {add} {prepare} {commit}"), true, "met", "");
    check(BACKUP, &format!("{set} {add} {commit}"), false, "met", "");
    let why = "x: SetContext (call 6) is not followed by AddToShadowCopySet";
    check(BACKUP, &format!("{set} {add} {commit}"), true, "broken", why);
    let why = "x: CommitShadowCopySet (call 10) is never followed by PrepareShadowCopySet";
    check(BACKUP, &format!("{commit} {prepare}"), false, "broken", why);
    check(
        BACKUP,
        "AbortShadowCopySet SetContext",
        false,
        "broken",
        "x: nobody called AbortShadowCopySet",
    );
    // It is enough that it is so once, and one client alone does it.
    let twice =
        "A:0()=0; A:1(ctx=0)=0; A:0()=0; A:2(cid=U1)=0->S1; A:1(ctx=0)=0; A:2(cid=U2)=0->S2\n";
    check(&played("twice", twice), &format!("{set} {start}"), true, "met", "");
    let apart = "A:1(ctx=0)=0; B:2(cid=U1)=0->S1\n";
    check(&played("apart", apart), &format!("{set} {start}"), false, "broken", "never followed");
}

#[test]
fn the_end_is_as_expected() {
    let check = |file: &str, rest: &str, expect: &str, why: &str| {
        check(file, &format!("[operation]\n{rest}"), expect, why);
    };
    let failed = "captures/e-py-create_fails.pcap";
    check(BACKUP, "outcome = \"completed\"\nsets = 1", "met", "");
    check(failed, "outcome = [\"failed\", \"unfinished\"]\nsets = { min = 1 }", "met", "");
    check(
        failed,
        "outcome = \"completed\"\nsets = 1",
        "broken",
        "operation: failed, expected completed; 2 shadow copy sets, expected 1",
    );
    check(SEALED, "outcome = \"completed\"", "unchecked", "since how it ended is not known");
    check(SEALED, "sets = 1", "unchecked", "since calls are sealed");
    check(ENCRYPTED, "outcome = \"none\"", "unchecked", "since at 10.77.0.1 SMB is encrypted");
    let nothing = played("nothing", "A:mgmt.inq_stats(count=1)=0\n");
    check(&nothing, "outcome = \"none\"", "met", "");
    check(
        BACKUP,
        "cause = \"FS-20\"",
        "broken",
        "stopped by nothing that is known, expected FS-20",
    );
}

#[test]
fn findings_are_there_or_not() {
    let check = |file: &str, rest: &str, expect: &str, why: &str| {
        check(file, &format!("[[finding]]\nname = \"x\"\n{rest}"), expect, why);
    };
    let failed = "captures/e-py-create_fails.pcap";
    check(failed, "rule = \"FSRVP-3.2.4.3-03\"", "met", "");
    check(failed, "rule = \"3.2.4.3-3\"\ncount = 0", "broken", "x: 1 found, expected none");
    // A rule that is broken with another one is broken.
    check(failed, "rule = \"FSRVP-3-02\"\ncount = 1", "met", "");
    check(failed, "rule = \"3.2.4.3\"\nseverity = \"error\"\nparty = \"client\"", "met", "");
    check(failed, "party = \"server\"\nseverity = \"error\"\ncount = 0", "met", "");
    check(failed, "severity = \"error\"\ncount = { max = 5 }", "met", "");
    check(BACKUP, "severity = \"error\"", "broken", "x: 0 found, expected at least 1");
    check(
        SEALED,
        "severity = \"error\"\ncount = 0",
        "unchecked",
        "16 of 16 calls to 10.77.0.1 are sealed",
    );
    check(
        SEALED,
        "severity = \"error\"",
        "unchecked",
        "x: 0 found, expected at least 1; it cannot be told",
    );
}

/// What could not be seen is never met.
#[test]
fn what_cannot_be_told_is_unchecked() {
    let check = |file: &str, rest: &str, expect: &str, why: &str| {
        check(file, &format!("[[call]]\nname = \"x\"\n{rest}"), expect, why);
    };
    // Which operation it is, a sealed call shows, and when it was answered.
    check(SEALED, "opnum = 4\ncount = 1\nwithin = \"1m\"", "met", "");
    check(SEALED, "opnum = 4\nstatus = \"ZERO\"", "unchecked", "since call 10 is sealed");
    check(SEALED, "opnum = 4\nwithin = \"1ms\"", "broken", "call 10 took ");
    check(SEALED, "share = 'fsrvp_share'\nopnum = 4", "unchecked", "since call 10 is sealed");
    check(SEALED, "where = 'status != 0'\ncount = 0", "unchecked", "no calls where status != 0");
    check(SEALED, "where = 'opnum == 7 && status != 0'\ncount = 0", "met", "");
    // Where packets are missing there may be more.
    check(LOST, "opnum = 4", "met", "");
    check(LOST, "opnum = 4\ncount = 1", "unchecked", "at 10.77.0.1 packets are missing");
    check(LOST, "opnum = 4\ncount = 0", "broken", "1 call of CommitShadowCopySet, expected none");
    check(LOST, "opnum = 7", "unchecked", "no calls of AbortShadowCopySet, expected at least 1");
    check(LOST, "opnum = 4\nstatus = \"ZERO\"", "unchecked", "packets are missing");
    check(LOST, "server = \"10.77.0.99\"\ncount = 0", "met", "");
    check(ENCRYPTED, "opnum = 4\ncount = 0", "unchecked", "SMB is encrypted");
    let order = "[[order]]\nmethods = [\"CommitShadowCopySet\", \"PrepareShadowCopySet\"]";
    self::check(LOST, order, "unchecked", "packets are missing");
    // An answer that is not there says nothing.
    let open = played("open", "A:1(ctx=0)=0; A:2(cid=U1) unanswered\n");
    check(
        &open,
        "opnum = 2\nstatus = \"ZERO\"",
        "unchecked",
        "since the answer to call 2 is not in the capture",
    );
    check(&open, "where = 'outcome == \"no_response\"'\ncount = 0", "broken", "1 call where");
}

#[test]
fn unchecked_is_told_and_fails_where_it_is_asked() {
    let expect = made("expect/sealed.toml", b"[[call]]\nopnum = 4\nstatus = \"ZERO\"\n");
    let run = |file: &str, fail_on: &str| {
        vshark(&["check", file, "--expect", &expect, "--fail-on", fail_on])
    };
    let sealed = run(SEALED, "error,operation");
    assert_eq!(sealed.code, Some(3), "{}", sealed.out);
    let text = sealed.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("expected 1 expectation: 1 unchecked unchecked (line 1): CommitShadowCopySet: of each is expected ZERO; it cannot be told, since call 10 is sealed"), "{text}");
    // An answer that was never seen is no call that was sealed or lost, but it matters here.
    let open = played(
        "late",
        "auth ntlm integrity\nA:1(ctx=0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1; A:4(S1) unanswered\n",
    );
    assert_eq!(run(&open, "unchecked").code, Some(1));
    assert_eq!(run(&open, "error").code, Some(0));
    assert_eq!(run(BACKUP, "unchecked").code, Some(0));
}

#[test]
fn the_severity_and_the_place_of_a_broken_one_are_told() {
    let text = "[[call]]\nname = \"commit is quick\"\nopnum = 4\nwithin = \"1ms\"\nseverity = \"warning\"\n";
    let expect = made("expect/severity.toml", text.as_bytes());
    let run = |fail_on: &str| vshark(&["check", BACKUP, "--expect", &expect, "--fail-on", fail_on]);
    assert_eq!(run("error,operation").code, Some(0));
    let warned = run("warning");
    assert_eq!(warned.code, Some(1));
    let told: Vec<&str> =
        warned.out.split("\n\n").filter(|part| part.starts_with("warning[EXPECT-")).collect();
    let [told] = told[..] else { panic!("{}", warned.out) };
    assert!(
        told.starts_with("warning[EXPECT-commit-is-quick]: commit is quick: call 10 took "),
        "{told}"
    );
    assert!(told.contains("--> call 10 CommitShadowCopySet, frames "), "{told}");
    assert!(told.contains("= by: --expect, and no rule of a specification"), "{told}");
    let allowed = ["--allow", "EXPECT-commit-is-quick"];
    let run = vshark(
        &[&["check", BACKUP, "--expect", &expect, "--fail-on", "warning"][..], &allowed].concat(),
    );
    assert_eq!(run.code, Some(0), "{}", run.out);
}

#[test]
fn a_pipe_is_held_against_the_same() {
    let text = "[operation]\noutcome = \"completed\"\n[[call]]\nopnum = 9\nstatus = \"ZERO\"\n\
                [[order]]\nmethods = [\"SetContext\", \"CommitShadowCopySet\"]\n";
    let expect = made("expect/pipe.toml", text.as_bytes());
    let of = |out: &str| -> Vec<Json> {
        let parse = |line| serde_json::from_str::<Json>(line).expect("JSON");
        out.lines().map(parse).filter(|of: &Json| of["type"] == "expectation").collect()
    };
    let read = vshark(&["check", "--json", BACKUP, "--expect", &expect]);
    let piped = piped(&["check", "--json", "-", "--expect", &expect], &capture(BACKUP));
    assert_eq!((read.code, of(&read.out)), (piped.code, of(&piped.out)));
    assert_eq!(of(&read.out).len(), 3);
}

/// The example of the README, with what it says of two captures.
#[test]
fn the_example_of_the_readme_is_as_it_says() {
    let readme = String::from_utf8(capture("README.md")).expect("UTF-8");
    let example = readme.split("```toml\n").find(|part| part.starts_with("[operation]"));
    let example = example.and_then(|part| part.split("```").next()).expect("it is there");
    let results = |file| {
        let told = results(file, example);
        let result = |of: &Json| of["result"].as_str().map(str::to_owned).unwrap_or_default();
        told.iter().map(result).collect::<Vec<_>>()
    };
    assert_eq!(results(BACKUP), ["met"; 5]);
    let failed = "captures/e-py-create_fails.pcap";
    assert_eq!(results(failed), ["broken", "broken", "met", "met", "broken"]);
    let expect = made("expect/readme.toml", example.as_bytes());
    let run = vshark(&["check", failed, "--expect", &expect]);
    let told: Vec<&str> =
        run.out.lines().filter(|line| line.starts_with("error[EXPECT-")).collect();
    assert_eq!(told.len(), 3, "{}", run.out);
    for line in told {
        assert!(readme.lines().any(|other| other == line), "{line}");
    }
}

/// What else was in an input that could not be read is not known.
#[test]
fn an_input_that_cannot_be_read_leaves_things_open() {
    let expect = made("expect/cut.toml", b"[[call]]\nopnum = 7\ncount = 0\n");
    let run = vshark(&["check", "--json", BACKUP, "captures/there-is-none", "--expect", &expect]);
    assert_eq!(run.code, Some(2));
    assert!(run.out.contains("\"result\":\"unchecked\""), "{}", run.out);
    assert!(
        run.out.contains("since an input, or the rest of one, could not be read"),
        "{}",
        run.out
    );
}
