//! `vshark check` as somebody meets it who gates a build with it.

#[path = "common/program.rs"]
#[expect(dead_code, reason = "how a refusal looks is tried elsewhere")]
mod program;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use program::{capture, command, made, piped, vshark};

const BACKUP: &str = "captures/a-ntlm-sign-smb311.pcap";

/// The head of a pcap file of Ethernet frames.
const EMPTY: [u8; 24] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

/// A pcap file of one ARP packet.
fn without_calls() -> Vec<u8> {
    let frame = [&[0xff; 6][..], &[2; 6], &[8, 6], &[0; 46]].concat();
    let len = u32::try_from(frame.len()).expect("it is short").to_le_bytes();
    let time = 1_795_369_758_u32.to_le_bytes();
    [&EMPTY[..], &time, &[0; 4], &len, &len, &frame].concat()
}

fn kinds(out: &str) -> Vec<String> {
    let kind = |line| {
        let record: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        record["type"].as_str().expect("every record has a type").to_owned()
    };
    out.lines().map(kind).collect()
}

#[test]
fn nothing_to_judge_is_said_and_has_a_code_of_its_own() {
    let file = made("without-calls.pcap", &without_calls());
    let nothing = "nothing: no call about shadow copies was seen, and no attempt at one";
    let run = vshark(&["check", &file]);
    assert_eq!((run.code, &*run.out), (Some(3), &*format!("judged       {nothing}\n")));
    assert!(run.err.starts_with("vshark: no RPC call in 1 frame; seen: "), "{}", run.err);
    let run = vshark(&["check", "--json", &file]);
    assert_eq!((run.code, kinds(&run.out)), (Some(3), vec!["capture".into(), "summary".into()]));
    assert!(run.err.starts_with(&format!("vshark: judged {nothing}\n")), "{}", run.err);
    // It is nothing that could be failed on.
    let all = "error,warning,note,operation";
    assert_eq!(vshark(&["check", &file, "--fail-on", all]).code, Some(3));
    let empty = made("empty-but-for-its-head.pcap", &EMPTY);
    let run = vshark(&["check", &empty]);
    assert_eq!(run.code, Some(3));
    assert_eq!(run.err, "vshark: there is no frame in the input\n");
}

#[test]
fn what_cannot_be_read_has_the_code_2_and_hides_nothing_else() {
    let text = made("no-capture.pcap", b"this is not a capture at all, whatever its name says");
    let file = made("without-calls-either.pcap", &without_calls());
    let alone = vshark(&["check", &text]);
    assert_eq!(alone.code, Some(2));
    assert!(
        alone.err.starts_with(&format!("vshark: {text}, offset 0: expected ")),
        "{}",
        alone.err
    );
    for inputs in [[&*text, &*file], [&*file, &*text], [&*file, "captures/there-is-none"]] {
        let run = vshark(&[&["check"][..], &inputs].concat());
        assert_eq!(run.code, Some(2), "{inputs:?}");
        assert!(run.out.starts_with("judged "), "{}", run.out);
    }
    let run = vshark(&["check", "--fail-on", "unchecked", BACKUP, &text]);
    assert_eq!(run.code, Some(2), "it goes before 1");
}

#[test]
fn wrong_arguments_are_refused_in_a_sentence() {
    let check = |arguments: &[&str], expect: &str| {
        let run = vshark(&[&["check"], arguments].concat());
        assert_eq!((run.code, &*run.out), (Some(2), ""), "{arguments:?}");
        assert!(run.err.contains(expect), "{arguments:?}: {}", run.err);
    };
    check(&[], "no capture given: name a pcap");
    check(&[BACKUP, "--profile", "sambaa"], "samba");
    check(&[BACKUP, "--profile", "captures/there-is-none.toml"], "captures/there-is-none.toml");
    check(&[BACKUP, "--fail-on", "warnings"], "'warning'");
    check(&[BACKUP, "--fail-on", ""], "--fail-on");
    check(&[BACKUP, "--format", "fields"], "[possible values: text, json");
    check(&[BACKUP, "--format", "text", "--json"], "cannot be used with");
    check(&[BACKUP, "-Y", "outcome = ok"], "filter");
    check(&[BACKUP, "-e", "n"], "unexpected argument '-e'");
    let run = vshark(&["export", BACKUP, "--profile", "sambaa"]);
    assert_eq!((run.code, &*run.out), (Some(2), ""));
    assert!(run.err.contains("samba"), "{}", run.err);
    for profile in ["auto", "spec", "windows", "windows2012", "samba"] {
        let run = vshark(&["check", BACKUP, "--profile", profile, "--all-clients", "--idle-start"]);
        assert_ne!(run.code, Some(2), "{profile}: {}", run.err);
    }
}

#[test]
fn the_matrix_says_what_it_is_about() {
    let run = vshark(&["check", "--matrix", BACKUP]);
    let version = env!("CARGO_PKG_VERSION");
    let head = format!(
        "Conformance with the rules of vshark {version}\n\ninput     {BACKUP}\n\
         captured  2026-11-22 17:49:18Z to 2026-11-22 17:49:18Z\n"
    );
    assert!(run.out.starts_with(&head), "{}", run.out);
    assert!(run.out.contains("\nrule  "), "{}", run.out);
    assert!(run.out.lines().all(|line| line.chars().count() <= 100), "{}", run.out);
    let run = vshark(&["check", "--matrix", "--json", BACKUP]);
    let kinds = kinds(&run.out);
    let [first, rules @ .., last] = &*kinds else { panic!("{kinds:?}") };
    assert_eq!((&**first, &**last), ("capture", "summary"));
    assert!(rules.iter().all(|kind| kind == "tally"), "{kinds:?}");
}

#[test]
fn a_pipe_is_judged_as_the_file_would_be() {
    for format in ["text", "json"] {
        let piped = piped(&["check", "-", "--format", format], &capture(BACKUP));
        let read = vshark(&["check", BACKUP, "--format", format]);
        assert_eq!(piped.code, read.code);
        if format == "json" {
            assert_eq!(kinds(&piped.out), kinds(&read.out));
        } else {
            assert!(read.out.contains("judged  "), "{}", read.out);
            let summary = |out: &str| out.rsplit("\n\n").next().map(str::to_owned);
            assert_eq!(summary(&piped.out), summary(&read.out));
        }
    }
}

/// A run that reads from a pipe which has had a backup and stays open.
struct Live {
    child: Child,
    stdin: ChildStdin,
    out: BufReader<ChildStdout>,
    /// The first line it wrote.
    first: String,
}

impl Live {
    fn begin(arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("vshark runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(&capture(BACKUP)).expect("vshark reads");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        out.read_line(&mut first).expect("a line");
        Self { child, stdin, out, first }
    }
}

/// What was read up to the interruption is judged, though the writer goes on.
#[cfg(unix)]
#[test]
fn an_interrupted_read_is_judged_as_far_as_it_went() {
    let Live { mut child, stdin, mut out, first } = Live::begin(&["check", "--json", "-"]);
    // The capture record is there before anything is read.
    assert_eq!(kinds(&first), ["capture"]);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill runs").success());
    let (mut rest, mut said) = (String::new(), String::new());
    out.read_to_string(&mut rest).expect("UTF-8");
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
    child.wait().expect("vshark ends");
    drop(stdin);
    assert_eq!(kinds(&rest).last().map(String::as_str), Some("summary"));
    assert!(said.starts_with("vshark: interrupted after "), "{said}");
}

/// `spec` is no second profile beside itself.
#[test]
fn what_is_held_against_the_specification_is_counted_once() {
    let run = vshark(&["check", "--profile", "spec", "captures/g-two-clients-in-progress.pcap"]);
    let lines = |word: &str| run.out.lines().filter(|line| line.contains(word)).count();
    assert_eq!((lines("by the specification:"), lines("3dcc24a8…")), (1, 1), "{}", run.out);
}

/// A profile that somebody wrote excuses what it says, and the specification excuses nothing still.
#[test]
fn a_profile_of_ones_own_is_none_of_the_programs() {
    let excuse = "[[profile]]\nexcuses = [\"FSRVP-3.2.4.4-05\"]\n";
    let file = made("own-profile.toml", excuse.as_bytes());
    let run = vshark(&["check", "--profile", &file, "captures/g-two-clients-in-progress.pcap"]);
    let said = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("own-profile.toml: 0 errors, 0 warnings, "), "{said}");
    assert!(said.contains("by the specification: 0 errors, 1 warning, "), "{said}");
}

/// A capture of a conversation.
fn played(name: &str, conversation: &str) -> String {
    let text = made(&format!("{name}.txt"), conversation.as_bytes());
    let path = text.replace(".txt", ".pcapng");
    let run = vshark(&["scenario", &text, "-o", &path]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    path
}

/// Asks whether a share is supported, and is told that it is.
const ASKED: &str = "auth ntlm integrity\nA:8(\\\\fs\\d)=0->TRUE,FS\nA close\n";

/// A backup up to a step, by a client that is allowed to.
fn backup(steps: &str) -> String {
    format!("{ASKED}A close\nA:0()=0->1,1\nA:1(ctx=0x0)=0\n{steps}")
}

/// What the summary says of the operation, of what stopped it, and of each set.
#[track_caller]
fn ends(name: &str, conversation: &str, operation: Option<&str>, stopped: &[&str], sets: &[&str]) {
    let run = vshark(&["check", "--json", &played(name, conversation)]);
    let last = run.out.lines().last().expect("there is a summary");
    let summary: serde_json::Value = serde_json::from_str(last).expect("it is JSON");
    let text = |of: &serde_json::Value| of.as_str().unwrap_or_default().to_owned();
    let list = |key: &str| summary[key].as_array().cloned().unwrap_or_default();
    assert_eq!(summary["operation"].as_str(), operation, "{name}: {summary}");
    let told: Vec<String> = list("stopped").iter().map(text).collect();
    assert_eq!(told.len(), stopped.len(), "{name}: {told:?}");
    for (told, expect) in told.iter().zip(stopped) {
        assert!(told.ends_with(expect), "{name}: {told}");
    }
    let outcomes: Vec<String> = list("sets").iter().map(|set| text(&set["outcome"])).collect();
    assert_eq!(outcomes, sets, "{name}");
    let failed = matches!(operation, Some("failed" | "unfinished"));
    let run = vshark(&["check", "--fail-on", "operation", &played(name, conversation)]);
    assert_eq!(run.code == Some(1), failed, "{name}: {:?}", run.code);
}

#[test]
fn what_was_wanted_ended_somehow() {
    let steps = |steps: &str| backup(steps);
    let done = "A:2(cid=U1)=0->S1\nA:3(ccid=V1,S1,\\\\fs\\d)=0->C1\nA:12(S1)=0\nA:4(S1)=0\nA:5(S1)=0\n\
                A:10(C1,S1,\\\\fs\\d,L=1)=0->{exposed='d@{C1}'}\nA:6(S1)=0\n";
    ends("done", &steps(done), Some("completed"), &[], &["completed"]);
    let deleted = format!("{done}A:11(S1,C1,\\\\fs\\d)=0\n");
    ends("deleted", &steps(&deleted), Some("completed"), &[], &["completed"]);
    ends(
        "begun",
        &steps("A:2(cid=U1)=0->S1\nA:3(ccid=V1,S1,\\\\fs\\d)=0->C1\n"),
        Some("unfinished"),
        &[],
        &["unfinished"],
    );
    let aborted = "A:2(cid=U1)=0->S1\nA:3(ccid=V1,S1,\\\\fs\\d)=0->C1\nA:12(S1)=0\nA:4(S1)=0x80004005\nA:7(S1)=0\n";
    ends("aborted", &steps(aborted), Some("failed"), &[], &["failed"]);
    // One that came to nothing is made good by the next for the same share, and by no other.
    let second = format!(
        "{aborted}A:1(ctx=0x0)=0\nA:2(cid=U2)=0->S2\n{}",
        done["A:2(cid=U1)=0->S1\n".len()..].replace("S1", "S2").replace("C1", "C2")
    );
    ends("second", &steps(&second), Some("completed"), &[], &["failed", "completed"]);
    let other = second
        .replace("S2,\\\\fs\\d", "S2,\\\\fs\\e")
        .replace("C2,S2,\\\\fs\\d", "C2,S2,\\\\fs\\e");
    ends("other", &steps(&other), Some("failed"), &[], &["failed", "completed"]);
    ends("context-only", &steps(""), Some("unfinished"), &[], &[]);
    let denied = ["StartShadowCopySet (call 4) returned E_ACCESSDENIED"];
    ends("denied", &steps("A:2(cid=U9)=E_ACCESSDENIED\n"), Some("failed"), &denied, &[]);
    // Who is let in the second time has not been stopped.
    let again = format!("A:2(cid=U9)=IN_PROGRESS\n{done}");
    ends("again", &steps(&again), Some("completed"), &[], &["completed"]);
    ends("asked", ASKED, Some("completed"), &[], &[]);
}

#[test]
fn a_refusal_before_the_first_call_is_a_failed_operation() {
    let missing =
        ["the pipe FssagentRpc could not be opened: STATUS_OBJECT_NAME_NOT_FOUND (0xc0000034)"];
    let create = "A create refused STATUS_OBJECT_NAME_NOT_FOUND\n";
    ends("no-pipe", create, Some("failed"), &missing, &[]);
    let later = format!("{create}{ASKED}");
    ends("late-pipe", &later, Some("completed"), &[], &[]);
    let logon = "A logon refused STATUS_LOGON_FAILURE\n";
    ends(
        "no-logon",
        logon,
        Some("failed"),
        &["was refused: STATUS_LOGON_FAILURE (0xc000006d)"],
        &[],
    );
    let later = format!("{logon}{ASKED}");
    ends("late-logon", &later, Some("completed"), &[], &[]);
    let bind = "A bind refused provider_rejection abstract_syntax_not_supported\n";
    let refused =
        ["the interface was not bound: provider_rejection, abstract_syntax_not_supported"];
    ends("no-interface", bind, Some("failed"), &refused, &[]);
}

#[test]
fn exit_codes_say_what_happened() {
    let check = |files: &[&str], fail_on: &str, code: i32| {
        let run = vshark(&[&["check", "--fail-on", fail_on][..], files].concat());
        assert_eq!(run.code, Some(code), "{files:?} {fail_on}: {}", run.out);
    };
    let denied = "captures/e-py-denied-bob.pcap";
    let sealed = "captures/b-ntlm-seal-smb311.pcap";
    let encrypted = "captures/c-enc-AES-128-GCM-sign.pcap";
    let lost = "captures/i-a-drop5.pcap";
    for (fail_on, codes) in [
        ("error,operation", [0, 1, 3, 3, 0]),
        ("error", [0, 1, 3, 3, 0]),
        ("warning", [0, 0, 3, 3, 0]),
        ("note", [1, 1, 1, 3, 1]),
        ("operation", [0, 1, 3, 3, 0]),
        ("unchecked", [0, 0, 1, 1, 1]),
    ] {
        for (file, code) in [BACKUP, denied, sealed, encrypted, lost].into_iter().zip(codes) {
            check(&[file], fail_on, code);
        }
    }
    check(&[BACKUP, "captures/there-is-none.pcap"], "error,operation", 2);
    check(&[denied, "captures/there-is-none.pcap"], "error,operation", 2);
    check(&[sealed, BACKUP], "error,operation", 0);
}

#[test]
fn what_cannot_be_seen_is_told_with_what_would_show_it() {
    let check = |file: &str, expect: &str| {
        let run = vshark(&["check", file]);
        let text = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(expect), "{file}: {text}");
    };
    check("captures/b-ntlm-seal-smb311.pcap", "16 of 16 calls to 10.77.0.1 are sealed: of these");
    check("captures/b-ntlm-seal-smb311.pcap", "judged nothing: all of 16 calls are sealed");
    check("captures/c-enc-AES-128-GCM-sign.pcap", "not seen 1 connection carried encrypted SMB");
    check("captures/i-a-drop5.pcap", "2 of 16 calls to 10.77.0.1 are not all in the capture");
    // What is malformed is there to be seen.
    let run = vshark(&["check", "captures/e-py-bad_pdus.pcap"]);
    assert!(!run.out.contains("not seen"), "{}", run.out);
}

/// The verdicts count what is told.
#[test]
fn numbers_agree_with_the_findings() {
    let mut deviations = 0;
    for file in
        [BACKUP, "captures/g-two-clients-in-progress.pcap", "captures/e-py-create_fails.pcap"]
    {
        let run = vshark(&["check", "--json", file]);
        let records: Vec<serde_json::Value> =
            run.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let summary = records.last().expect("a summary");
        let findings: Vec<_> = records.iter().filter(|of| of["type"] == "finding").collect();
        let number = |severity: &str| {
            let own = |of: &&&serde_json::Value| {
                of["severity"] == severity && of["known_deviation"].is_null()
            };
            findings.iter().filter(own).count() as u64
        };
        let known = findings.iter().filter(|of| !of["known_deviation"].is_null()).count() as u64;
        let verdict = &summary["conformance"][0];
        assert_eq!(verdict["profile"], "samba");
        let told = ["errors", "warnings", "notes", "known_deviations"].map(|key| &verdict[key]);
        assert_eq!(told, [number("error"), number("warning"), number("note"), known], "{file}");
        assert_eq!(verdict["verdict"] == "fail", number("error") > 0, "{file}");
        deviations += known;
        // A rule that is broken for certain is broken in the tallies, and the sheet has the same.
        let tallies = summary["rules"]["tallies"].as_array().expect("a list");
        let failed = |rule: &serde_json::Value| {
            tallies
                .iter()
                .find(|of| of["rule"] == *rule)
                .map_or(0, |of| of["failed"].as_u64().unwrap_or(0))
        };
        for finding in &findings {
            let sure = finding["known_deviation"].is_null() && finding["certainty"] != "possible";
            assert!(!sure || failed(&finding["rule"]) > 0, "{file}: {finding}");
        }
        let sheet = vshark(&["check", "--matrix", "--json", file]);
        for line in sheet.out.lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            if row["type"] == "tally" {
                assert_eq!(row["failed"].as_u64(), Some(failed(&row["rule"])), "{file}: {row}");
            }
        }
    }
    assert!(deviations > 0, "there are known deviations in these captures");
}

#[test]
fn profiles_may_come_from_a_file() {
    let check = |name: &str, text: &str| {
        let file = made(&format!("{name}.toml"), text.as_bytes());
        let run = vshark(&["check", BACKUP, "--profile", &file]);
        (run.err.replace(&file, "FILE"), run.out.replace(&file, "FILE"))
    };
    // Everything that a profile can say, for one server and for the others.
    let (err, out) = check(
        "lab",
        "[[profile]]\nserver = \"FSS1\"\nbase = \"samba\"\ntitle = \"the lab's filer\"\n\
         excuses = [\"FSRVP-3.2.3-03\"]\nretry_limit = 3\ntimer = true\n\
         quirks = [\"SetContext discards nothing\"]\n\n[[profile]]\nbase = \"windows\"\n",
    );
    assert_eq!(err, "");
    assert!(out.contains("known deviation of the lab's filer"), "{out}");
    assert!(out.contains("conformance  pass by FILE: "), "{out}");
    assert!(out.contains("             pass by the specification: "), "{out}");
    // The note that is excused is told as known.
    let excused = out.split("\n\n").find(|told| told.starts_with("note[FSRVP-3.2.3-03]"));
    assert!(excused.is_some_and(|told| told.contains("known deviation")), "{out}");
    for (text, expect) in [
        ("", "FILE:1:1: expected a [[profile]], found none"),
        ("[[profile]]\nbase = \"samb\"", "FILE:2:8: unknown profile `samb`; did you mean `samba`?"),
        (
            "[[profile]]\nexcuses = [\"FSRVP-3.1.4.5-99\"]",
            "FILE:2:12: unknown rule `FSRVP-3.1.4.5-99`; did you mean ",
        ),
        (
            "[[profile]]\n\nquirks = [\"Commit needs Add\"]",
            "FILE:3:11: unknown quirk `Commit needs Add`; did you mean `Commit needs Added`?",
        ),
        ("[[profile]]\nexcuse = []", "FILE:2:1: unknown key `excuse`; did you mean `excuses`?"),
        ("[[profile]]\nwhatever = 1", "FILE:2:1: unknown key `whatever`; known are `title`, "),
        (
            "[[profile]]\nretry_limit = 999",
            "FILE:2:15: invalid value: integer `999`, expected a number from 0 to 255",
        ),
        ("[[profile]]\ntimer = 1", "FILE:2:9: invalid type: integer `1`, expected a boolean"),
        ("[profile]", "FILE:1:1: invalid type: expected [[profile]], in two brackets"),
    ] {
        let (err, out) = check("wrong", text);
        assert!(err.starts_with(&format!("vshark: --profile: {expect}")), "{text}: {err}");
        assert_eq!(out, "", "{text}");
    }
    let run = vshark(&["rules", "FSRVP-3.1.4.5-99"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("the nearest: FSRVP-3.1.4.5-"), "{}", run.err);
}

/// Findings are there before the input ends.
#[test]
fn a_pipe_reports_as_it_goes() {
    // More may come.
    let Live { mut child, stdin, first, .. } = Live::begin(&["check", "-"]);
    assert!(first.starts_with("note[FSRVP-"), "{first}");
    drop(stdin);
    child.wait().expect("vshark ends");
}
