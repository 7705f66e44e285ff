//! `vshark check` as somebody meets it who gates a build with it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const BACKUP: &str = "captures/a-ntlm-sign-smb311.pcap";

/// What came of a run.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The program in the folder of the project, without the tester's wishes about colour and time.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vshark"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null());
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TZ"] {
        command.env_remove(variable);
    }
    command
}

fn vshark(arguments: &[&str]) -> Run {
    command(arguments).output().expect("vshark runs").into()
}

/// A file made for a test.
fn made(name: &str, bytes: &[u8]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, bytes).expect("it can be written");
    path.to_string_lossy().into_owned()
}

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
    let nothing = "nothing: no call of MS-FSRVP was seen, and no attempt at one";
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
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(BACKUP)).expect("a capture");
    for format in ["text", "json"] {
        let mut command = command(&["check", "-", "--format", format]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("vshark runs");
        child.stdin.take().expect("a pipe").write_all(&bytes).expect("vshark reads");
        let piped = Run::from(child.wait_with_output().expect("vshark ends"));
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

/// What was read up to the interruption is judged, though the writer goes on.
#[cfg(unix)]
#[test]
fn an_interrupted_read_is_judged_as_far_as_it_went() {
    use std::io::{BufRead, BufReader, Read};
    let mut command = command(&["check", "--json", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("vshark runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(BACKUP)).expect("a capture");
    stdin.write_all(&bytes).expect("vshark reads");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    // The capture record is there before anything is read.
    let mut first = String::new();
    out.read_line(&mut first).expect("a line");
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
    let notes = run.out.lines().filter(|line| line.starts_with("note[")).count();
    assert!(run.out.contains(&format!("{notes} notes\n")), "{}", run.out);
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
    let file = made("taken-name.toml", b"\n[[profile]]\ntitle = \"samba\"\n");
    let run = vshark(&["check", "--profile", &file, "captures/g-two-clients-in-progress.pcap"]);
    assert_eq!(run.code, Some(2));
    let expect = "taken-name.toml:2:1: `samba` is the name of a profile of this program\n";
    assert!(run.err.ends_with(expect), "{}", run.err);
}
