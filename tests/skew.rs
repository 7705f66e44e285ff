//! Two captures of one conversation, whose clocks differ: compared, told and allowed for.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

const BACKUP: &str = "a-ntlm-sign-smb311.pcap";

/// A frame, and when it was captured, in microseconds.
type Frames = Vec<(u64, Vec<u8>)>;

struct Run {
    capture: Json,
    calls: Vec<Json>,
    summary: Json,
    said: String,
}

fn export(files: &[&Path]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_vshark"))
        .arg("export")
        .args(files)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut records: Vec<Json> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = records.pop().unwrap();
    let capture = records.remove(0);
    records.retain(|record| record["type"] == "call");
    records.sort_by_key(|call| call["n"].as_u64());
    Run { capture, calls: records, summary, said: String::from_utf8(output.stderr).unwrap() }
}

impl Run {
    /// The calls without what depends on where they were captured.
    fn calls(&self) -> Vec<Json> {
        let strip = |call: &Json| {
            let mut call = call.clone();
            for key in ["frames", "files", "time", "elapsed_ms", "findings"] {
                call.as_object_mut().unwrap().remove(key);
            }
            call
        };
        self.calls.iter().map(strip).collect()
    }

    fn skew(&self, file: usize) -> &Json {
        assert_eq!(self.capture["files"][file]["skew"], self.summary["files"][file]["skew"]);
        &self.capture["files"][file]["skew"]
    }
}

fn backup() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(BACKUP)
}

fn read() -> (Vec<u8>, Frames) {
    let file = std::fs::read(backup()).unwrap();
    let word = |at: usize| u64::from(u32::from_le_bytes(file[at..at + 4].try_into().unwrap()));
    let mut frames = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let end = at + 16 + usize::try_from(word(at + 8)).unwrap();
        frames.push((word(at) * 1_000_000 + word(at + 4), file[at + 16..end].to_vec()));
        at = end;
    }
    (file[..24].to_vec(), frames)
}

fn write(name: &str, head: &[u8], frames: &Frames) -> PathBuf {
    let mut out = head.to_vec();
    for (time, frame) in frames {
        let len = u64::try_from(frame.len()).unwrap();
        for word in [time / 1_000_000, time % 1_000_000, len, len] {
            out.extend(u32::try_from(word).unwrap().to_le_bytes());
        }
        out.extend(frame);
    }
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, out).unwrap();
    path
}

/// Whether an Ethernet frame with IPv4 in it goes to port 445.
fn to_server(frame: &[u8]) -> bool {
    frame.get(36..38) == Some(&[1, 0xbd])
}

/// The same packets as the server sees them, 0.3 ms away, by a clock `ahead` microseconds ahead.
fn at_server(frames: &Frames, ahead: i64) -> Frames {
    let moved = |(time, frame): &(u64, Vec<u8>)| {
        let delay = if to_server(frame) { 300 } else { -300 };
        let mut frame = frame.clone();
        frame[..12].copy_from_slice(b"\x02\x99\x99\x99\x99\x01\x02\x99\x99\x99\x99\x02");
        if frame[12..14] == [8, 0] {
            frame[22] -= 1;
            frame[24..26].copy_from_slice(&[0xab, 0xcd]);
        }
        (time.checked_add_signed(ahead + delay).unwrap(), frame)
    };
    let mut frames: Frames = frames.iter().map(moved).collect();
    frames.sort_by_key(|(time, _)| *time);
    frames
}

/// Without every `n`th packet from the `from`th on.
fn thinned(frames: &Frames, n: usize, from: usize) -> Frames {
    let kept = |at: &usize| *at < from || !(at - from).is_multiple_of(n);
    (0..frames.len()).filter(kept).map(|at| frames[at].clone()).collect()
}

#[test]
fn both_sides_of_a_conversation_are_one() {
    let (head, frames) = read();
    let client = write("skew-client.pcap", &head, &thinned(&frames, 8, 3));
    for ahead in [37_500_000, -37_500_000, 3_600_000_000] {
        let far = at_server(&thinned(&frames, 4, 1), ahead);
        let server = write(&format!("skew-server{ahead}.pcap"), &head, &far);
        let whole = export(&[&backup()]);
        assert_eq!(whole.calls.len(), 16);
        let both = export(&[&client, &server]);
        assert_eq!(both.calls(), whole.calls(), "{}", both.said);
        assert_eq!(both.summary["lost"]["bytes"], 0);
        assert_eq!(both.summary["tcp"]["conflicting_segments"], 0);
        assert_eq!(both.skew(0), &Json::Null);
        let skew = both.skew(1);
        let [ms, off] = ["ms", "uncertainty_ms"].map(|key| skew[key].as_f64().unwrap());
        let wanted = f64::from(i32::try_from(ahead / 1000).unwrap());
        assert!((ms - wanted).abs() <= off, "{skew}");
        assert!(off <= 0.31, "{skew}");
        assert_eq!(skew["both_ways"], true);
        assert!(skew["packets"].as_u64().unwrap() > 20, "{skew}");
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        let told = format!(
            "vshark: {}: its clock is {}.000000 s {way} that of {}, give or take 0.000300 s, by {} \
             packets seen in both; its times are corrected\n",
            server.display(),
            ahead.abs() / 1_000_000,
            client.display(),
            skew["packets"],
        );
        let told = told.replace("37.000000", "37.500000");
        assert_eq!(both.said, told);
        // What a call took is what it took, give or take the way between the two places.
        for (call, same) in both.calls.iter().zip(&whole.calls) {
            let [ours, theirs] = [call, same].map(|call| call["elapsed_ms"].as_f64().unwrap());
            assert!((ours - theirs).abs() <= 0.7, "{ours} where {theirs} was");
        }
    }
}

#[test]
fn one_direction_gives_an_estimate_that_says_so() {
    let (head, frames) = read();
    let towards = |frames: Frames| frames.into_iter().filter(|(_, f)| to_server(f)).collect();
    let client = write("skew-one-client.pcap", &head, &frames);
    let server = write("skew-one-server.pcap", &head, &towards(at_server(&frames, 5_000_000)));
    let both = export(&[&client, &server]);
    assert_eq!(both.skew(1)["both_ways"], false);
    assert_eq!(both.skew(1)["ms"], 5000.3);
    assert!(both.said.contains("all in one direction"), "{}", both.said);
}

#[test]
fn a_ring_buffers_set_and_the_same_file_twice_are_left_alone() {
    let (head, frames) = read();
    let whole = export(&[&backup()]);
    let (early, late) = frames.split_at(frames.len() / 2);
    let first = write("skew-ring1.pcap", &head, &early.to_vec());
    let second = write("skew-ring2.pcap", &head, &late.to_vec());
    let ring = export(&[&second, &first]);
    assert_eq!(ring.calls(), whole.calls());
    assert_eq!((ring.skew(0), ring.skew(1)), (&Json::Null, &Json::Null));
    assert_eq!(ring.said, "");
    let same = backup();
    let twice = export(&[&same, &same]);
    assert_eq!(twice.calls(), whole.calls());
    assert_eq!(
        (&twice.skew(1)["ms"], &twice.skew(1)["uncertainty_ms"]),
        (&0.0.into(), &0.0.into())
    );
    assert_eq!(twice.said, "");
}

#[test]
fn an_input_that_cannot_be_read_twice_is_not_compared() {
    let same = backup();
    let run = export(&[&same, Path::new("-")]);
    assert!(run.said.contains("the clocks of the inputs are not compared"), "{}", run.said);
    assert_eq!(run.skew(0), &Json::Null);
}
