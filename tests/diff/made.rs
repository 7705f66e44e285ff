//! Conversations that were made up, each a little different from a backup that goes well.

use vshark::diff::{Delayed, Pair, Trait, Value, Weight, compare};

use crate::{one, played, said};

/// A backup of one share.
pub(crate) const BACKUP: &str = "\
server FS1; user LAB\\backup; auth ntlm integrity
A->FS1:8(\\\\FS1\\d)=0->TRUE,FS1
A:0()=0->1,1
A:1(ctx=0x0)=0
A:2(cid=U1)=0->S1
A:3(ccid=V1,S1,\\\\FS1\\d)=0->C1
A:12(S1,to=1800000)=0
A:4(S1,to=60000)=0
A:5(S1,to=1800000)=0
A:10(C1,S1,\\\\FS1\\d,L=1)=0->{exposed='d@{C1}'}
A:6(S1)=0
A:11(S1,C1,\\\\FS1\\d)=0
A disconnect
";

/// The backup with something else instead of part of it.
#[track_caller]
pub(crate) fn with(changes: &[(&str, &str)]) -> String {
    let mut text = BACKUP.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in\n{text}");
        text = text.replace(from, to);
    }
    text
}

/// What is said of a backup and one that is a little different.
#[track_caller]
fn check(changes: &[(&str, &str)], expect: &[&str]) {
    let told = one(&played(BACKUP), &played(&with(changes)), said);
    assert_eq!(told, expect, "{changes:?}");
}

/// What differs throughout.
#[track_caller]
fn differences(changes: &[(&str, &str)], expect: &[(Trait, &str, &str)]) {
    one(&played(BACKUP), &played(&with(changes)), |of| {
        let of = of.expect("they are compared");
        assert_eq!(said(Some(of)), ["alike"], "{changes:?}");
        let told: Vec<_> = of
            .differences
            .iter()
            .map(|of| {
                let word = |value: &Value| match value {
                    Value::Text(text) => text.to_string(),
                    other => format!("{other:?}"),
                };
                let words = of
                    .values
                    .as_ref()
                    .map(|values| values.iter().map(word).collect::<Vec<_>>().join(", "));
                (of.of, words.good, words.bad)
            })
            .collect();
        let told: Vec<_> =
            told.iter().map(|(of, good, bad)| (*of, good.as_str(), bad.as_str())).collect();
        assert_eq!(told, expect, "{changes:?}");
    });
}

#[test]
fn ids_addresses_and_times_are_no_difference() {
    check(&[], &["alike"]);
    check(&[("S1", "S7"), ("C1", "C7"), ("U1", "U7"), ("V1", "V7")], &["alike"]);
    check(&[("A->FS1:", "A@10.9.9.9:"), ("server FS1", "server FS1 address 10.8.8.8")], &["alike"]);
    check(&[("A->", "ipv6; A->")], &["alike"]);
    check(&[("user LAB", "start 2026-03-03T03:03:03Z; user LAB")], &["alike"]);
    // A pause shorter than a second is none.
    check(&[("A:4(", "wait 900 ms; A:4(")], &["alike"]);
}

#[test]
fn another_answer() {
    check(
        &[("A:4(S1,to=60000)=0", "A:4(S1,to=60000)=0x80004005")],
        &["different", "7 CommitShadowCopySet 0 | 7 CommitShadowCopySet 0x80004005 | outcome"],
    );
    check(
        &[("A:8(", "A:8("), ("=0->TRUE,FS1", "=0->FALSE,FS1")][1..],
        &[
            "different",
            "1 IsPathSupported 0 | 1 IsPathSupported 0 | SupportedByThisProvider TRUE FALSE",
        ],
    );
    check(
        &[("A:6(S1)=0", "A:6(S1)=fault ERROR_ACCESS_DENIED")],
        &[
            "different",
            "10 RecoveryCompleteShadowCopySet 0 | \
             10 RecoveryCompleteShadowCopySet fault 0x00000005 | outcome",
        ],
    );
    check(
        &[("=0->{exposed='d@{C1}'}", "=0->null")],
        &["different", "9 GetShareMapping 0 | 9 GetShareMapping 0 | ShareMapping there null"],
    );
    check(
        &[("A:0()=0->1,1", "A:0()=0->1,2")],
        &["different", "2 GetSupportedVersion 0 | 2 GetSupportedVersion 0 | MaxVersion 1 2"],
    );
}

#[test]
fn another_value() {
    check(
        &[("ctx=0x0", "ctx=0x10")],
        &[
            "different",
            "3 SetContext 0 | 3 SetContext 0 | Context CTX_BACKUP CTX_FILE_SHARE_BACKUP",
        ],
    );
    // What comes of it differs later.
    check(
        &[("ctx=0x0", "ctx=0x9"), ("A:5(S1,to=1800000)=0", "A:5(S1,to=1800000)=BAD_STATE")],
        &[
            "different",
            "3 SetContext 0 | 3 SetContext 0 | Context CTX_BACKUP CTX_APP_ROLLBACK",
            "8 ExposeShadowCopySet 0 | 8 ExposeShadowCopySet 0x80042301 | outcome",
        ],
    );
    // A set that nobody has.
    check(
        &[("A:4(S1", "A:4(S9")],
        &[
            "different",
            "7 CommitShadowCopySet 0 | 7 CommitShadowCopySet 0 | \
             ShadowCopySetId the one that call 4 returned one that no call returned",
        ],
    );
    // The share that was asked about is not the one that is added.
    check(
        &[("A:3(ccid=V1,S1,\\\\FS1\\d)", "A:3(ccid=V1,S1,\\\\FS1\\e)")],
        &[
            "different",
            "5 AddToShadowCopySet 0 | 5 AddToShadowCopySet 0 | ShareName \\\\FS1\\d \\\\FS1\\e",
        ],
    );
    check(
        &[("\\\\FS1\\d,L=1)=0", "\\\\FS1\\d,L=2)=0"), ("->{exposed='d@{C1}'}", "->tag 2")],
        &[
            "different",
            "9 GetShareMapping 0 | 9 GetShareMapping 0 | Level 1 2; ShareMapping there empty",
        ],
    );
}

#[test]
fn another_order() {
    check(
        &[(
            "A:12(S1,to=1800000)=0\nA:4(S1,to=60000)=0",
            "A:4(S1,to=60000)=0\nA:12(S1,to=1800000)=0",
        )],
        &["different", "6 PrepareShadowCopySet 0 | 6 CommitShadowCopySet 0 | "],
    );
    // Of two shares, the second first.
    let two = |first: &str, second: &str| {
        let add = format!(
            "A:3(ccid=V1,S1,\\\\FS1\\{first})=0->C1\nA:3(ccid=V2,S1,\\\\FS1\\{second})=0->C2"
        );
        with(&[("A:3(ccid=V1,S1,\\\\FS1\\d)=0->C1", &add)])
    };
    let told = one(&played(&two("d", "e")), &played(&two("e", "d")), said);
    let place = "5 AddToShadowCopySet 0 | 5 AddToShadowCopySet 0 | ShareName \\\\FS1\\d \\\\FS1\\e";
    assert_eq!(told, ["different", place]);
}

#[test]
fn a_step_more_or_less() {
    check(
        &[("A:12(S1,to=1800000)=0\n", "")],
        &["different", "6 PrepareShadowCopySet 0 | 6 CommitShadowCopySet 0 | "],
    );
    check(
        &[("A:5(S1", "A:7(S1)=0\nA:5(S1")],
        &["different", "8 ExposeShadowCopySet 0 | 8 AbortShadowCopySet 0 | "],
    );
    check(
        &[("A:6(S1)=0\nA:11(S1,C1,\\\\FS1\\d)=0\n", "")],
        &["different", "10 RecoveryCompleteShadowCopySet 0 | end | "],
    );
    check(
        &[("A disconnect", "A:1(ctx=0x0)=0\nA disconnect")],
        &["different", "end | 12 SetContext 0 | "],
    );
    // A second attempt parts at the first, and what follows is alike again.
    let again = [("A:2(cid=U1)=0->S1", "A:2(cid=U9)=IN_PROGRESS\nwait 5 s\nA:2(cid=U1)=0->S1")];
    check(
        &again,
        &["different", "4 StartShadowCopySet 0 | 4 StartShadowCopySet 0x80042316 | outcome"],
    );
    one(&played(BACKUP), &played(&with(&again)), |of| {
        let of = of.expect("they are compared");
        let alike = of.rows.iter().filter(|row| row.verdict == vshark::diff::Verdict::Same).count();
        assert_eq!((of.rows.len(), alike), (5 + 12, 5 + 10));
    });
}

/// Questions hide nothing, and weigh nothing where they only repeat what was asked.
#[test]
fn questions_weigh_little() {
    let again = ("A:1(ctx=0x0)=0", "A:8(\\\\fs1\\d\\)=0->TRUE,FS1\nA:0()=0->1,1\nA:1(ctx=0x0)=0");
    check(&[again], &["alike"]);
    let failed = ("A:4(S1,to=60000)=0", "A:4(S1,to=60000)=FSSAGENT_E_TIMEOUT");
    check(
        &[again, failed],
        &["different", "7 CommitShadowCopySet 0 | 9 CommitShadowCopySet 0x80042500 | outcome"],
    );
    // One that was not asked before is where they part, if they do nowhere else.
    let another = ("A:6(S1)=0", "A:9(\\\\FS1\\d)=0->FALSE,0\nA:6(S1)=0");
    check(
        &[another],
        &["different", "10 RecoveryCompleteShadowCopySet 0 | 10 IsPathShadowCopied 0 |  (beside)"],
    );
    let gone = ("A:11(S1,C1,\\\\FS1\\d)=0", "A:11(S1,C1,\\\\FS1\\d)=OBJECT_NOT_FOUND");
    check(
        &[another, gone],
        &["different", "11 DeleteShareMapping 0 | 12 DeleteShareMapping 0x80042308 | outcome"],
    );
    // With another answer it is no repetition.
    let otherwise = ("A:6(S1)=0", "A:8(\\\\FS1\\d)=0->FALSE,FS1\nA:6(S1)=0");
    check(
        &[otherwise],
        &["different", "10 RecoveryCompleteShadowCopySet 0 | 10 IsPathSupported 0 |  (beside)"],
    );
}

#[test]
fn what_comes_before_the_calls() {
    let refused = |statement: &str, place: &str| {
        let bad = format!("server FS1; user LAB\\backup\nA->FS1 {statement}\n");
        let told = one(&played(BACKUP), &played(&bad), said);
        assert_eq!(told, ["different", place], "{statement}");
    };
    let status = |code: u32| format!("Status(Status({code}))");
    refused(
        "logon refused STATUS_LOGON_FAILURE",
        &format!("logon ok | logon {} | outcome", status(0xc000_006d)),
    );
    refused(
        "tree \\\\FS1\\ipc$ refused BAD_NETWORK_NAME",
        &format!("share ok | share {} | outcome", status(0xc000_00cc)),
    );
    refused(
        "create refused STATUS_OBJECT_NAME_NOT_FOUND",
        &format!("pipe ok | pipe {} | outcome", status(0xc000_0034)),
    );
    refused(
        "bind refused provider_rejection abstract_syntax_not_supported",
        "bind ok | bind Bind(Refused(2, 1)) | outcome",
    );
    refused("bind fault ERROR_ACCESS_DENIED", "bind ok | bind Bind(Fault(5)) | outcome");
    // What was overcome weighs little.
    let overcome = ("A->FS1:8", "A->FS1 logon refused STATUS_LOGON_FAILURE\nA#2->FS1:8");
    one(&played(BACKUP), &played(&with(&[overcome])), |of| {
        let of = of.expect("they are compared");
        let parting = of.parting.as_ref().expect("they part");
        assert_eq!(parting.weight, Weight::Beside, "{:?}", said(Some(of)));
    });
    let failed = ("A:4(S1,to=60000)=0", "A:4(S1,to=60000)=0x80004005");
    let told = one(&played(BACKUP), &played(&with(&[overcome, failed])), said);
    let place = "7 CommitShadowCopySet 0 | 7 CommitShadowCopySet 0x80004005 | outcome";
    assert_eq!(told, ["different", place]);
}

/// Somebody else at the same machine may fail to log on; and where the client itself does, what it does
/// not do any more is the difference.
#[test]
fn a_logon_that_is_refused_in_the_middle() {
    let other = ("A:4(S1", "A#2 logon refused STATUS_LOGON_FAILURE\nA#1:4(S1");
    one(&played(BACKUP), &played(&with(&[other])), |of| {
        let of = of.expect("they are compared");
        let parting = of.parting.as_ref().expect("they part");
        assert_eq!(parting.weight, Weight::Beside, "{:?}", said(Some(of)));
    });
    let (before, _) = BACKUP.split_once("A:4(S1").expect("it commits");
    let own = format!("{before}A close\nA disconnect\nA#2 logon refused STATUS_LOGON_FAILURE\n");
    let told = one(&played(BACKUP), &played(&own), said);
    let place = "7 CommitShadowCopySet 0 | logon Status(Status(3221225581)) | ";
    assert_eq!(told, ["different", place]);
}

/// The share that exposes the shadow copy is not the one that it is a copy of.
#[test]
fn the_exposed_share_is_connected_or_not() {
    let connects =
        |more: &str| with(&[("A:6(S1)", &format!("A tree \\\\FS1\\d@{{C1}}{more}\nA:6(S1)"))]);
    let good = connects("");
    assert_eq!(one(&played(&good), &played(&good), said), ["alike"]);
    let bad = connects(" refused BAD_NETWORK_NAME");
    let place = "share ok | share Status(Status(3221225676)) | outcome";
    assert_eq!(one(&played(&good), &played(&bad), said), ["different", place]);
    let share = with(&[("A:6(S1)", "A tree \\\\FS1\\d\nA:6(S1)")]);
    let told = one(&played(&good), &played(&share), said);
    assert_eq!(told, ["different", "share ok | share ok |  (beside)"]);
}

/// Where an attempt is missing it is not known which of the others is the one that failed.
#[test]
fn what_may_belong_elsewhere_is_not_different() {
    let twice = "A:2(cid=U8)=0->S8\nA:7(S8)=0\nA:2(cid=U1)=IN_PROGRESS\nA:2(cid=U1)=0->S1";
    let good = with(&[("A:2(cid=U1)=0->S1", twice)]);
    let lost = twice.replace("A:2(cid=U8)=0->S8", "lose request, answer of A:2(cid=U8)=0->S8");
    let bad = with(&[("A:2(cid=U1)=0->S1", &lost)]);
    assert_eq!(one(&played(&good), &played(&good), said), ["alike"]);
    assert_eq!(one(&played(&good), &played(&bad), said), ["undecided"]);
}

#[test]
fn what_differs_throughout_is_told_and_no_parting() {
    let auth = |auth_type, level, mechanism: &str| {
        format!("Auth {{ auth_type: {auth_type}, level: {level}, mechanism: {mechanism} }}")
    };
    let ntlm = auth(10, 5, "Some(Ntlm)");
    differences(
        &[("auth ntlm integrity", "auth ntlm connect")],
        &[(Trait::Authentication, &ntlm, &auth(10, 2, "Some(Ntlm)"))],
    );
    differences(
        &[("auth ntlm integrity", "auth none")],
        &[(Trait::Authentication, &ntlm, &auth(0, 1, "None"))],
    );
    differences(&[("server FS1", "smb 3.0; server FS1")], &[(Trait::Dialect, "3.1.1", "3.0")]);
    differences(
        &[("server FS1", "ndr64; server FS1")],
        &[(Trait::Syntax, "Syntax(Ndr)", "Syntax(Ndr64)")],
    );
    differences(
        &[("server FS1", "big-endian; server FS1")],
        &[(Trait::ByteOrder, "Order(Little)", "Order(Big)")],
    );
    differences(&[("LAB\\backup", "LAB\\bob")], &[(Trait::User, "LAB\\backup", "LAB\\bob")]);
    differences(&[("\\d", "\\data")], &[(Trait::Share, "\\\\FS1\\d", "\\\\FS1\\data")]);
    differences(
        &[("A:4(S1,to=60000)", "A:4(S1,to=30000)")],
        &[(Trait::TimeOut(4), "Milliseconds(60000)", "Milliseconds(30000)")],
    );
    differences(&[("TRUE,FS1", "TRUE,NODE2")], &[(Trait::Owner, "FS1", "NODE2")]);
    // Over TCP there are no pipe, no share, no logon and no dialect.
    differences(&[("server FS1", "tcp 49667; server FS1")], &[(Trait::Transport, "Pipe", "Tcp")]);
    // Another server, whose name is in every share.
    differences(&[("FS1", "FS2")], &[(Trait::Owner, "FS1", "FS2")]);
}

#[test]
fn answers_and_pauses_that_are_longer() {
    let delays = |changes: &[(&str, &str)]| {
        one(&played(BACKUP), &played(&with(changes)), |of| {
            let of = of.expect("they are compared");
            assert_eq!(said(Some(of))[0], "alike", "{changes:?}");
            let told = of.delays.iter().map(|delay| {
                let n = crate::number(of.step(delay.longer(), Some(delay.steps[delay.longer()])));
                (delay.what, n.expect("a call"), delay.nanos.bad / 1_000_000_000)
            });
            told.collect::<Vec<_>>()
        })
    };
    let slow = ("A:4(S1,to=60000)=0", "A:4(S1,to=60000) after 31 s =0");
    assert_eq!(delays(&[slow]), [(Delayed::Answer, 7, 31)]);
    let pause = ("A:6(S1)=0", "wait 100 s\nA:6(S1)=0");
    assert_eq!(delays(&[pause]), [(Delayed::Pause, 10, 100)]);
    assert_eq!(delays(&[slow, pause]), [(Delayed::Answer, 7, 31), (Delayed::Pause, 10, 100)]);
    assert_eq!(delays(&[("A:4(S1,to=60000)=0", "A:4(S1,to=60000) after 800 ms =0")]), []);
}

#[test]
fn an_answer_that_never_comes() {
    let waits = ("A:4(S1,to=60000)=0", "A:4(S1,to=60000) unanswered");
    check(
        &[waits],
        &["different", "7 CommitShadowCopySet 0 | 7 CommitShadowCopySet no_response | outcome"],
    );
    // One that was lost may have come.
    let lost = ("A:4(S1,to=60000)=0", "lose answer of A:4(S1,to=60000)=0");
    check(&[lost], &["undecided"]);
    let lost = ("A:4(S1,to=60000)=0", "lose request of A:4(S1,to=60000)=0");
    check(&[lost], &["undecided"]);
}

#[test]
fn what_is_sealed_is_told_by_its_methods() {
    let sealed = ("auth ntlm integrity", "auth ntlm privacy");
    check(&[sealed], &["undecided"]);
    check(
        &[sealed, ("A:12(S1,to=1800000)=0\n", "")],
        &["different", "6 PrepareShadowCopySet 0 | 6 CommitShadowCopySet unknown | "],
    );
    // Both sealed.
    let bad = with(&[sealed]);
    let told = one(&played(&bad), &played(&bad), said);
    assert_eq!(told, ["undecided"]);
}

/// The calls of a backup: by this client, from this address, with ids of this number, of this share.
fn calls(client: &str, address: &str, n: u32, share: &str) -> String {
    let (_, calls) = BACKUP.split_once('\n').expect("a line of settings");
    let calls = calls.replace("A->FS1:", &format!("{client}@{address}:"));
    let calls = calls.replace("A:", &format!("{client}:")).replace("A d", &format!("{client} d"));
    let ids = ["S1", "C1", "U1", "V1"].into_iter().fold(calls, |calls, id| {
        calls
            .replace(&format!("({id}"), &format!("({}{n}", &id[..1]))
            .replace(&format!(",{id}"), &format!(",{}{n}", &id[..1]))
            .replace(&format!("->{id}"), &format!("->{}{n}", &id[..1]))
            .replace(&format!("={id}"), &format!("={}{n}", &id[..1]))
            .replace(&format!("{{{id}}}"), &format!("{{{}{n}}}", &id[..1]))
    });
    ids.replace("\\FS1\\d", &format!("\\FS1\\{share}"))
}

/// The clients of the comparisons, how these ended, and whether one had no partner.
fn pairs(good: &str, bad: &str) -> Vec<(String, String, String, bool)> {
    let settings = "server FS1; user LAB\\backup; auth ntlm integrity\n";
    let (good, bad) = (played(&format!("{settings}{good}")), played(&format!("{settings}{bad}")));
    let compared = compare(Pair { good: &good, bad: &bad });
    assert!(compared.lone.is_empty());
    let told = compared.comparisons.iter().map(|of| {
        let ips = of.conversations.map(|of| of.client.ip.to_string());
        (ips.good, ips.bad, of.outcome().word().to_owned(), of.lone.is_some())
    });
    told.collect()
}

/// Clients belong to each other by who they are, then by what they are about, then by their order.
#[test]
fn several_clients_are_paired() {
    let row = |good: &str, bad: &str, outcome: &str, lone| {
        (good.to_owned(), bad.to_owned(), outcome.to_owned(), lone)
    };
    let failed = |text: &str| text.replace("A:4(S1,to=60000)=0", "A:4(S1,to=60000)=0x80004005");
    let (a, b) = (calls("A", "10.0.0.1", 1, "d"), calls("B", "10.0.0.2", 5, "e"));
    let good = format!("{a}{b}");
    // The second client comes first in the bad capture.
    assert_eq!(
        pairs(&good, &format!("{b}{}", failed(&a))),
        [
            row("10.0.0.1", "10.0.0.1", "different", false),
            row("10.0.0.2", "10.0.0.2", "alike", false),
        ]
    );
    // At other addresses, the shares tell.
    let moved =
        format!("{}{}", calls("B", "10.5.0.2", 5, "e"), failed(&calls("A", "10.5.0.1", 1, "d")));
    assert_eq!(
        pairs(&good, &moved),
        [
            row("10.0.0.1", "10.5.0.1", "different", false),
            row("10.0.0.2", "10.5.0.2", "alike", false),
        ]
    );
    // One that only one capture has is held against the most alike.
    assert_eq!(
        pairs(&a, &good),
        [
            row("10.0.0.1", "10.0.0.2", "different", true),
            row("10.0.0.1", "10.0.0.1", "alike", false),
        ]
    );
}

/// Servers with many connections, and clients that begin anew.
#[test]
fn connections_are_one_conversation() {
    check(&[("server FS1", "channels 3; server FS1")], &["alike"]);
    let anew = ("A:4(S1,to=60000)=0", "A#2:4(S1,to=60000)=0");
    check(&[anew], &["alike"]);
    check(&[("A:1(ctx", "A close\nA:1(ctx")], &["alike"]);
}

#[test]
fn there_may_be_nothing_to_compare() {
    let nothing = "server FS1\nA->FS1 tree \\\\FS1\\public\nA disconnect\n";
    // The client comes to the server, and goes no further.
    let told = one(&played(BACKUP), &played(nothing), said);
    assert_eq!(told[0], "different");
    // Somebody else at another server has nothing to do with it.
    let elsewhere = "server FS7 address 10.7.7.7; pipe srvsvc\nZ@10.6.6.6:mgmt.0=0\nZ disconnect\n";
    assert_eq!(one(&played(BACKUP), &played(elsewhere), said), ["nothing"]);
    assert_eq!(one(&played(nothing), &played(nothing), said), ["nothing"]);
}

/// Very long conversations are compared as far as they can be, and what is left is told.
#[test]
fn long_conversations_are_bounded() {
    let text = |n: usize, status: &str| {
        format!("server FS1\nA->FS1:1(ctx=0x0)=0\n(A:1(ctx=0x0)=0; A:6(S1)={status}) x{n}\n")
    };
    let (long, same) = (played(&text(1100, "BAD_STATE")), played(&text(1100, "BAD_STATE")));
    assert_eq!(one(&long, &same, said), ["alike"]);
    // Nothing in the middle fits together, and the middle is longer than can be put side by side.
    let other = |n: usize| format!("server FS1\nA->FS1:1(ctx=0x0)=0\n(A:5(S1)=BAD_STATE) x{n}\n");
    let other = played(&other(2500));
    one(&long, &other, |of| {
        let of = of.expect("they are compared");
        let place = "2 SetContext 0 | 2 ExposeShadowCopySet 0x80042301 | ";
        assert_eq!(said(Some(of)), ["different", place]);
        let left = of.left;
        assert!(left.good > 0 && left.bad > 0, "{left:?}");
        let rows = of.rows.len();
        let steps = of.conversations.good.steps.len() + of.conversations.bad.steps.len();
        assert!(rows + left.good + left.bad <= steps, "{rows} rows, {left:?} left of {steps}");
    });
}
