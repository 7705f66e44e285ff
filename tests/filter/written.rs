//! `-w`: what is written and read again is what was chosen.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

use super::{BACKUP, common};

const FILTERS: &[&str] =
    &["n == 1", "opnum in {3..5}", "status != 0", "n & 1", "outcome != ok", "frames.request > 60"];

pub(super) fn vshark(arguments: &[&str], input: Option<&[u8]>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vshark"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("vshark runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.unwrap_or_default().to_vec();
    let writing = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("vshark ends");
    writing.join().expect("the input is written");
    output
}

/// The records of calls, without what depends on what else is in the capture.
pub(super) fn records(arguments: &[&str], input: Option<&[u8]>) -> Vec<Json> {
    let output = vshark(&[&["calls", "--json"], arguments].concat(), input);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut calls: Vec<Json> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    calls.sort_by_key(|call| call["n"].as_u64());
    for call in &mut calls {
        let call = call.as_object_mut().expect("a record");
        call.remove("n");
        call.remove("frames");
    }
    calls
}

pub(super) fn path(file: &Path) -> &str {
    file.to_str().expect("a plain path")
}

pub(super) fn temporary(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// In every recorded capture of this repository: signed, sealed, fragmented, two clients, lossy, cut
/// in small segments.
#[test]
fn what_was_chosen_is_read_again() {
    let mut compared = 0;
    for file in common::committed() {
        for filter in FILTERS {
            let chosen = records(&[path(&file), "-Y", filter], None);
            let written = vshark(&["calls", path(&file), "-Y", filter, "-w", "-"], None);
            assert_eq!(written.status.code(), Some(0), "{} {filter}", file.display());
            assert_eq!(
                records(&["-"], Some(&written.stdout)),
                chosen,
                "{} {filter}",
                file.display()
            );
            compared += chosen.len();
        }
    }
    assert!(compared > 300, "only {compared} calls");
}

/// Also where the input can be read only once.
/// A session over several connections is written whole up to the last call chosen: the others are
/// there too.
#[test]
fn what_was_chosen_of_several_connections_is_read_again_among_the_rest() {
    let file = common::captures().join("made-ndr64-multichannel.pcapng");
    for filter in FILTERS {
        let chosen = records(&[path(&file), "-Y", filter], None);
        let written = vshark(&["calls", path(&file), "-Y", filter, "-w", "-"], None);
        let again = records(&["-"], Some(&written.stdout));
        for call in &chosen {
            assert!(again.contains(call), "{filter}: {call}");
        }
    }
}

#[test]
fn what_was_written_before_outlives_an_input_that_cannot_be_read() {
    let file = temporary("outlives.pcapng");
    fs::write(&file, b"an earlier extract").expect("a file");
    let output = vshark(&["calls", "no-such-file.pcap", "-w", path(&file)], None);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read(&file).expect("it is there"), b"an earlier extract");
    let fresh = temporary("never-made.pcapng");
    let output = vshark(&["calls", "no-such-file.pcap", "-w", path(&fresh)], None);
    assert_eq!((output.status.code(), fresh.exists()), (Some(2), false));
}

#[test]
fn a_pipe_is_kept_to_be_read_again() {
    let file = common::captures().join(BACKUP);
    let bytes = fs::read(&file).expect("the capture is there");
    let arguments = ["-Y", "opnum == 4", "-w", "-"];
    let direct = vshark(&[&["calls", path(&file)], &arguments[..]].concat(), None);
    let piped = vshark(&[&["calls", "-"], &arguments[..]].concat(), Some(&bytes));
    assert!(direct.stdout.len() > 1000);
    assert_eq!(direct.stdout, piped.stdout);
    let packed =
        fs::read(common::captures().join("i-a-gzip.pcap.gz")).expect("the capture is there");
    let unpacked = vshark(&[&["calls", "-"], &arguments[..]].concat(), Some(&packed));
    assert_eq!(unpacked.stdout, direct.stdout);
}

/// tshark decodes what was written: the call, by name.
#[test]
fn tshark_reads_what_was_written() {
    let file = common::captures().join(BACKUP);
    let out = temporary("commit.pcapng");
    let written = vshark(&["calls", path(&file), "-Y", "opnum == 4", "-w", path(&out)], None);
    let said = String::from_utf8(written.stderr).expect("UTF-8");
    let listed = String::from_utf8(written.stdout).expect("UTF-8");
    assert!(listed.contains("CommitShadowCopySet"), "the call is listed too: {listed}");
    let frames = said.strip_prefix(&format!("vshark: {}: ", out.display())).expect(&said);
    assert!(frames.ends_with(" frames of 1 call\n"), "{said}");
    let tshark = Command::new("tshark")
        .args(["-n", "-r", path(&out), "-Y", "fsrvp", "-T", "fields"])
        .args(["-e", "fsrvp.opnum", "-e", "fsrvp.status", "-e", "frame.time_epoch"])
        .output();
    let Ok(tshark) = tshark else {
        return common::say("skipped: tshark is not installed");
    };
    let rows = String::from_utf8(tshark.stdout).expect("UTF-8");
    assert_eq!(rows, "4\t\t1795369758.698622000\n4\t0x00000000\t1795369758.729997000\n");
}

#[test]
fn an_input_is_never_written_over() {
    let bytes = fs::read(common::captures().join(BACKUP)).expect("the capture is there");
    let file = temporary("input.pcap");
    fs::write(&file, &bytes).expect("a file");
    let beside = temporary("./../tmp/input.pcap");
    let mut others = vec![file.clone(), beside];
    #[cfg(unix)]
    {
        let [hard, soft] = ["hard.pcap", "soft.pcap"].map(temporary);
        for link in [&hard, &soft] {
            let _ = fs::remove_file(link);
        }
        fs::hard_link(&file, &hard).expect("a link");
        std::os::unix::fs::symlink(&file, &soft).expect("a link");
        others.extend([hard, soft]);
    }
    for other in others {
        if !other.exists() {
            continue;
        }
        let output = vshark(&["calls", path(&file), "-w", path(&other)], None);
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        let expect =
            format!("vshark: {} is being read: name another file to write\n", other.display());
        assert_eq!((output.status.code(), said), (Some(2), expect));
        assert!(output.stdout.is_empty());
        assert_eq!(fs::read(&file).expect("it is there"), bytes);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_told_before_anything_is_read() {
    let file = common::captures().join(BACKUP);
    let out = temporary("no such folder/out.pcapng");
    let output = vshark(&["calls", path(&file), "-w", path(&out)], None);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(
        said.starts_with(&format!("vshark: {}: could not be written: ", out.display())),
        "{said}"
    );
}

/// No call, no frame, and still a capture.
#[test]
fn nothing_chosen_is_told() {
    let file = common::captures().join(BACKUP);
    let out = temporary("nothing.pcapng");
    let output = vshark(&["calls", path(&file), "-Y", "mgmt", "-w", path(&out)], None);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    let none = "vshark: none of the 16 calls is what the filter asks for\n";
    let wrote = format!("vshark: {}: 0 frames of 0 calls\n", out.display());
    assert_eq!((output.status.code(), said), (Some(0), format!("{none}{wrote}")));
    assert_eq!(records(&[path(&out)], None), Vec::<Json>::new());
}
