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

/// A capture in which octets are others, each as long as before.
fn rewritten(name: &str, bytes: &[u8], others: &[(&[u8], &[u8])]) -> String {
    let mut bytes = bytes.to_vec();
    for (old, new) in others {
        let places: Vec<usize> =
            (0..bytes.len()).filter(|at| bytes[*at..].starts_with(old)).collect();
        assert!(!places.is_empty(), "{old:?} is not there");
        for at in places {
            bytes[at..at + old.len()].copy_from_slice(new);
        }
    }
    made(&format!("expect/{name}"), &bytes)
}

/// What came of the expectations of `text`: the records.
#[track_caller]
fn results(file: &str, text: &str) -> Vec<Json> {
    results_of(&[file], text)
}

#[track_caller]
fn results_of(files: &[&str], text: &str) -> Vec<Json> {
    let expect = made(&format!("expect/{:016x}.toml", hash(text)), text.as_bytes());
    let run = vshark(&[&["check", "--json", "--expect", &expect], files].concat());
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

/// Where a call may be missing, nobody can say that each stands where it should.
#[test]
fn what_may_be_missing_may_stand_elsewhere() {
    for key in ["after", "before"] {
        let text = format!(
            "[[call]]\nname = \"own\"\nmethod = \"AbortShadowCopySet\"\n{key} = \"commit\"\n\
             count = {{ min = 0 }}\n\
             [[call]]\nname = \"commit\"\nmethod = \"CommitShadowCopySet\"\ncount = {{ min = 0 }}\n"
        );
        check(BACKUP, &text, "met", "");
        let wanted = format!("own: each is expected {key} a call of `commit`; it cannot be told");
        check(ENCRYPTED, &text, "unchecked", &wanted);
        check(LOST, &text, "unchecked", "packets are missing");
        // Which calls are meant is not known.
        let sealed =
            text.replace("method = \"AbortShadowCopySet\"", "opnum = 4\nwhere = 'status != 0'");
        let sealed = sealed.replace("= \"commit\"", "= \"abort\"").replace("CommitS", "AbortS");
        check(SEALED, &sealed, "unchecked", "since call 10 is sealed");
    }
}

/// A share that the server did not add is in no set, and one of which nobody knows may be.
#[test]
fn calls_are_about_the_shares_that_were_added() {
    let conversation = |adds: &str| {
        format!(
            "auth ntlm integrity\nA:1(ctx=0)=0; A:2(cid=U1)=0->S1\n{adds}\n\
             A:12(S1)=0; A:4(S1)=0; A:5(S1)=0\n"
        )
    };
    let commit = |share: &str, count: &str| {
        format!("[[call]]\nname = \"x\"\nopnum = 4\nshare = '{share}'\ncount = {count}")
    };
    let adds = "A:3(S1,\\\\fs\\vol1)=0->C1; A:3(S1,\\\\fs\\vol2)=NOT_SUPPORTED";
    let refused = played("refused", &conversation(adds));
    check(&refused, &commit("vol1", "1"), "met", "");
    check(&refused, &commit("vol2", "0"), "met", "");
    check(&refused, &commit("vol2", "1"), "broken", "no calls of CommitShadowCopySet about vol2");
    check(&refused, "[[call]]\nopnum = 3\nshare = 'vol2'\ncount = 1", "met", "");
    let only = played("only", &conversation("A:3(S1,\\\\fs\\vol2)=NOT_SUPPORTED"));
    check(&only, &commit("vol2", "0"), "met", "");
    let adds = "A:3(S1,\\\\fs\\vol1)=0->C1; A:3(S1,\\\\fs\\vol2) unanswered";
    let unanswered = played("unanswered", &conversation(adds));
    check(&unanswered, &commit("vol1", "1"), "met", "");
    check(&unanswered, &commit("vol2", "0"), "unchecked", "no calls of CommitShadowCopySet");
    check(&unanswered, &commit("vol3", "0"), "met", "");
    let adds: Vec<String> = (1..=70).map(|n| format!("A:3(S1,\\\\fs\\vol{n})=0->C{n}")).collect();
    let many = played("many", &conversation(&adds.join("\n")));
    check(&many, &commit("vol64", "1"), "met", "");
    check(&many, &commit("vol65", "0"), "unchecked", "no calls of CommitShadowCopySet");
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

/// The first client and the first server of a conversation, at the ports of the second connection.
const SECOND: [[&[u8]; 2]; 2] = [
    [
        &[10, 0, 0, 1, 10, 0, 1, 1, 0xc2, 0x25, 1, 0xbd],
        &[10, 0, 0, 51, 10, 0, 1, 51, 0xc2, 0x25, 1, 0xbd],
    ],
    [
        &[10, 0, 1, 1, 10, 0, 0, 1, 1, 0xbd, 0xc2, 0x25],
        &[10, 0, 1, 51, 10, 0, 0, 51, 1, 0xbd, 0xc2, 0x25],
    ],
];

/// A client asks from both its addresses over the channels of one session.
#[test]
fn a_client_may_have_several_addresses() {
    let text = "[[order]]\nname = \"x\"\n\
                methods = [\"SetContext\", \"StartShadowCopySet\", \"AddToShadowCopySet\"]";
    let second = |name: &str, conversation: &str| {
        let path = played(name, conversation);
        let others = SECOND.map(|[old, new]| (old, new));
        rewritten(
            &format!("{name}-second.pcapng"),
            &std::fs::read(path).expect("it is there"),
            &others,
        )
    };
    let good = "A:1(ctx=0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1\n";
    let channels = second("channels", &format!("channels 2\n{good}"));
    check(&channels, text, "met", "");
    check(&channels, &format!("{text}\nstrict = true"), "met", "");
    let bad = "A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1; A:1(ctx=0)=0\n";
    let bad = second("channels-bad", &format!("channels 2\n{bad}"));
    check(&bad, text, "broken", "x: SetContext (call 3) is never followed by StartShadowCopySet");
    // Two sessions of what seems to be one client.
    let lines = "A:1(ctx=0)=0; A#2:2(cid=U1)=0->S1; A#2:3(S1,\\\\fs\\d)=0->C1\n";
    check(&second("lines", lines), text, "unchecked", "a client seems to have several addresses");
    check(&played("lines-one", lines), text, "met", "");
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
    let nothing = played("nothing", "A:mgmt.inq_stats(count=1)=0\nA close\n");
    check(&nothing, "outcome = \"none\"", "met", "");
    check(
        BACKUP,
        "cause = \"FS-20\"",
        "broken",
        "stopped by nothing that is known, expected FS-20",
    );
    let denied = "captures/e-py-denied-bob.pcap";
    check(denied, "cause = [\"FS-20\", \"FS-10\"]", "met", "");
    check(denied, "cause = \"FS-10\"", "broken", "stopped by FS-20, expected FS-10");
    check(ENCRYPTED, "cause = \"FS-20\"", "unchecked", "since at 10.77.0.1 SMB is encrypted");
    // What a later attempt made good stopped nothing.
    let again = "auth ntlm integrity\nA:1(ctx=0)=IN_PROGRESS\n";
    let cause = |file: &str| {
        let run = vshark(&["check", "--json", file]);
        let last = run.out.lines().last().expect("a summary").to_owned();
        let summary: Json = serde_json::from_str(&last).expect("JSON");
        let of = &summary["diagnosis"][0];
        (
            of["cause"].as_str().expect("a cause").to_owned(),
            of["attempts"].clone(),
            of["lasting"].clone(),
        )
    };
    let good = "A:1(ctx=0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1; A:12(S1)=0; A:4(S1)=0; \
                A:5(S1)=0; A:10(C1,S1)=0; A:6(S1)=0; A:11(S1,C1)=0\n";
    let failed = played("in-progress", again);
    let (id, attempts, lasting) = cause(&failed);
    assert_eq!((attempts, lasting), (1.into(), 1.into()));
    let expect = format!("cause = \"{id}\"");
    check(&failed, &expect, "met", "");
    let retried = played("retried", &format!("{again}wait 5min\n{good}"));
    assert_eq!(cause(&retried), (id, 1.into(), 0.into()));
    check(&retried, &expect, "broken", "stopped by nothing that is known");
}

/// A server of which nothing could be read is not judged, and may be the one that is meant.
#[test]
fn a_server_that_is_named_matters_though_another_is_judged() {
    let (old, new) = ([10, 77, 0, 1], [10, 99, 0, 9]);
    let other = rewritten("elsewhere.pcap", &capture(ENCRYPTED), &[(&old, &new)]);
    let of = |server: &str| {
        let text = format!("[[call]]\nname = \"x\"\nserver = \"{server}\"\nopnum = 4\ncount = 1");
        let none = text.replace("count = 1", "count = 0");
        [text, none].map(|text| {
            let results = results_of(&[BACKUP, &other], &text);
            results[0]["result"].as_str().unwrap_or_default().to_owned()
        })
    };
    assert_eq!(of("10.99.0.9"), ["unchecked", "unchecked"]);
    assert_eq!(of("10.77.0.1"), ["met", "broken"]);
    // What it is called is not known; of what is judged it is.
    assert_eq!(of("FSS9"), ["unchecked", "unchecked"]);
    assert_eq!(of("FSS1"), ["met", "broken"]);
}

/// What is broken of an expectation is in the fingerprint.
#[test]
fn another_part_of_it_has_another_fingerprint() {
    let failed = "captures/e-py-create_fails.pcap";
    let print = |file: &str, text: &str| {
        let results = results(file, text);
        results[0]["fingerprint"].as_str().unwrap_or_default().to_owned()
    };
    let operation = "[operation]\noutcome = \"completed\"\nsets = 2\n";
    assert_eq!(print(failed, operation), "EXPECT-operation/both/outcome/1");
    let operation = "[operation]\noutcome = \"failed\"\nsets = 1\ncause = \"FS-20\"";
    assert_eq!(print(failed, operation), "EXPECT-operation/both/sets+cause/1");
    let call = |rest: &str| print(BACKUP, &format!("[[call]]\nname = \"x\"\nopnum = 4\n{rest}\n"));
    assert_eq!(call("count = 2"), "EXPECT-x/both/count/1");
    assert_eq!(call("status = 5"), "EXPECT-x/both/status/1");
    assert_eq!(call("within = \"1ms\""), "EXPECT-x/both/within/1");
    let other = |name: &str| format!("[[call]]\nname = \"y\"\nmethod = \"{name}\"");
    let after = format!("after = \"y\"\n{}", other("ExposeShadowCopySet"));
    assert_eq!(call(&after), "EXPECT-x/both/after/1");
    let before = format!("before = \"y\"\n{}", other("PrepareShadowCopySet"));
    assert_eq!(call(&before), "EXPECT-x/both/before/1");
    let order = "[[order]]\nname = \"x\"\nmethods = [\"CommitShadowCopySet\", \"SetContext\"]";
    assert_eq!(print(BACKUP, order), "EXPECT-x/both/methods/1");
    let finding = "[[finding]]\nname = \"x\"\nseverity = \"error\"";
    assert_eq!(print(BACKUP, finding), "EXPECT-x/both/count/1");
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
