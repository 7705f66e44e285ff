//! The judges: lists of blocks that come with a set of pcapng files made to be read right, and what
//! tshark reads of captures.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vshark::capture::{BlockKind, Capture};

use super::common::{self, say};

/// Block types by the names of the lists.
const KINDS: &[(&str, u32)] = &[
    ("SHB", 0x0A0D_0D0A),
    ("IDB", 1),
    ("PB", 2),
    ("SPB", 3),
    ("NRB", 4),
    ("ISB", 5),
    ("EPB", 6),
    ("CB", 0x0BAD),
    ("DCB", 0x4000_0BAD),
];

fn kind(name: &str) -> BlockKind {
    BlockKind(KINDS.iter().find(|(known, _)| *known == name).expect("a block type").1)
}

/// What a list says: how many blocks of each type, and all of them in their order.
fn expected(list: &str) -> (BTreeMap<u32, u64>, Vec<BlockKind>) {
    let mut counts = BTreeMap::new();
    for line in list.lines().filter_map(|line| line.strip_prefix('\t')) {
        let (name, count) = line.split_once(": ").expect("a name and a number");
        counts.insert(kind(name).0, count.parse().expect("a number"));
    }
    let sequence = list.lines().find_map(|line| line.strip_prefix("Block sequence: "));
    (counts, sequence.expect("a sequence").split(", ").map(kind).collect())
}

fn counted(capture: &Capture) -> BTreeMap<u32, u64> {
    capture.files()[0].blocks.iter().map(|(kind, count)| (kind.0, *count)).collect()
}

/// The blocks that were read since they were last counted, in the order of their numbers.
fn since(before: &mut BTreeMap<u32, u64>, capture: &Capture) -> Vec<u32> {
    let now = counted(capture);
    let mut new = Vec::new();
    for (kind, count) in &now {
        let more = count - before.get(kind).copied().unwrap_or(0);
        new.extend((0..more).map(|_| *kind));
    }
    *before = now;
    new
}

#[test]
fn the_pcapng_test_set_is_read_block_for_block() {
    let Some(folder) = common::shared("captures/public") else { return };
    let mut read = 0;
    for path in captures(&folder, "hadrielk") {
        let name = common::file_name(&path);
        // `…__output_be__basic__test001.pcapng` has `output_be_basic_test001.txt`.
        let Some((_, test)) = name.split_once("__") else { continue };
        let Some(test) = test.strip_suffix(".pcapng") else { continue };
        let list = folder.join("hadrielk-expected").join(test.replace("__", "_") + ".txt");
        let (counts, sequence) = expected(&fs::read_to_string(list).expect("there is a list"));
        let mut capture = Capture::open(&[path]);
        // The blocks up to each packet, and behind the last: within such a stretch the counts do not
        // tell their order.
        let is_packet = |kind: &BlockKind| matches!(kind.0, 2 | 3 | 6);
        let mut stretches = sequence.split_inclusive(is_packet);
        let mut before = BTreeMap::new();
        let sorted = |stretch: Option<&[BlockKind]>| {
            let mut kinds: Vec<_> = stretch.unwrap_or_default().iter().map(|kind| kind.0).collect();
            kinds.sort_unstable();
            kinds
        };
        while capture.advance() {
            assert_eq!(since(&mut before, &capture), sorted(stretches.next()), "{name}");
        }
        assert_eq!(since(&mut before, &capture), sorted(stretches.next()), "{name}: the end");
        assert_eq!(stretches.next(), None, "{name}: blocks that were not read");
        assert_eq!(counted(&capture), counts, "{name}");
        assert_eq!(capture.problems(), [], "{name}");
        read += 1;
    }
    assert_eq!(read, 48);
}

/// A frame as both can say it: number, length, captured length, and nanoseconds, which tshark does
/// not have for a packet without a time stamp, where ours are those of the packet before.
type Line = (u64, u32, usize, Option<i64>);

/// Files whose name begins like this.
fn captures(folder: &Path, start: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| common::file_name(path).starts_with(start));
    paths.sort();
    paths
}

/// Every frame, and how much was passed over.
fn ours(path: &Path) -> (Vec<Line>, u64) {
    let mut capture = Capture::open(&[path.to_path_buf()]);
    let mut lines = Vec::new();
    while capture.advance() {
        let f = capture.frame();
        lines.push((f.no_in_file, f.wire_len, f.data.len(), Some(f.time.nanos())));
    }
    let skipped = capture.files()[0].skipped.iter().map(|skipped| skipped.count).sum();
    (lines, skipped)
}

/// What tshark says; `None` where it does not read the file.
fn theirs(path: &Path) -> Option<Vec<Line>> {
    let fields = ["frame.number", "frame.len", "frame.cap_len", "frame.time_epoch"];
    let output = Command::new("tshark")
        .args(["-n", "-T", "fields"])
        .args(fields.iter().flat_map(|field| ["-e", field]))
        .arg("-r")
        .arg(path)
        .env("TZ", "UTC")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<Line> = text.lines().map(line).collect();
    (output.status.success() || !lines.is_empty()).then_some(lines)
}

/// A line of tshark.
fn line(text: &str) -> Line {
    let [number, len, kept, time] = text.split('\t').collect::<Vec<_>>()[..] else {
        panic!("tshark: {text}");
    };
    let nanos = |time: &str| {
        let (seconds, part) = time.split_once('.').unwrap_or((time, "0"));
        let nanos: i64 = format!("{part:0<9}").parse().expect("nine digits");
        seconds.parse::<i64>().expect("seconds") * 1_000_000_000 + nanos
    };
    let time = Some(time).filter(|time| !time.is_empty()).map(nanos);
    let [number, len, kept] = [number, len, kept].map(|n| n.parse::<u32>().expect("a number"));
    (number.into(), len, usize::try_from(kept).expect("it is short"), time)
}

#[test]
fn frames_are_those_of_tshark() {
    if Command::new("tshark").arg("--version").output().is_err() {
        say("skipped: tshark is not installed");
        return;
    }
    let Some(folder) = common::shared("captures/public") else { return };
    let (mut files, mut frames) = (0, 0);
    let mut wrong = Vec::new();
    for path in captures(&folder, "") {
        let name = common::file_name(&path);
        let is_capture = [".pcap", ".pcapng", ".cap", ".gz", ".zst", ".lz4"];
        if !is_capture.iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        let Some(theirs) = theirs(&path) else {
            say(&format!("{name}: tshark reads nothing of it"));
            continue;
        };
        files += 1;
        let (ours, skipped) = ours(&path);
        frames += ours.len();
        let known: BTreeMap<u64, &Line> = theirs.iter().map(|line| (line.0, line)).collect();
        let same = |ours: &&Line| {
            known.get(&ours.0).is_some_and(|theirs| {
                (ours.1, ours.2, ours.3) == (theirs.1, theirs.2, theirs.3.or(ours.3))
            })
        };
        if let Some(line) = ours.iter().find(|line| !same(line)) {
            wrong.push(format!("{name}: we {line:?}, tshark {:?}", known.get(&line.0)));
        }
        // What has a number and is no packet, we pass over and count.
        let missing = theirs.len().saturating_sub(ours.len());
        if u64::try_from(missing).is_ok_and(|missing| missing > skipped) {
            wrong.push(format!("{name}: we {} frames, tshark {}", ours.len(), theirs.len()));
        }
    }
    say(&format!("compared {frames} frames of {files} captures with tshark"));
    assert_eq!(wrong, [""; 0], "{}", wrong.join("\n"));
}
