//! Captures built here, byte by byte, and what the reader makes of them.

mod build;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "where the captures are is all that is wanted here")]
mod common;
mod conformance;
mod damage;
mod formats;
mod netmon;

use std::io::{self, Read};
use std::path::PathBuf;

use proptest::prelude::*;
use vshark::bytes::{LinkType, Time};
use vshark::capture::Capture;

use build::{BIG, LITTLE, LIVE, SAMPLES, SMALL, check, frames, pipe, problems, small};

#[test]
fn both_formats_in_both_byte_orders() {
    for build in [LITTLE, BIG] {
        let capture = check(&build.small_pcap(), &SMALL, &[]);
        let file = &capture.files()[0];
        assert_eq!((file.format, file.frames, file.snaplen), (Some("pcap"), 3, 65535));
        let capture = check(&build.small_pcapng(), &SMALL, &[]);
        let file = &capture.files()[0];
        assert_eq!((file.format, file.frames), (Some("pcapng"), 3));
        assert_eq!(file.links, [LinkType::ETHERNET]);
        let times = [10_000_001_000, 12_000_003_000].map(Time::from_nanos);
        assert_eq!(file.times, Some(times.into()));
        assert_eq!(file.skipped[0].what.to_string(), "interface statistics block");
    }
}

#[test]
fn pcap_with_nanoseconds_and_a_frame_check_sequence() {
    for build in [LITTLE, BIG] {
        let file =
            [build.pcap(0xA1B2_3C4D, 0x2400_0001), build.record(4_000_000_000, 7, 5, 5, b"xFCS.")];
        check(&file.concat(), &["1 4000000000000000007 Ethernet 1 x"], &[]);
    }
}

#[test]
fn every_resolution_and_offset_of_time_stamps() {
    let cases = [
        (0, 7, 7_000_000_000),
        (3, 7, 7_000_000),
        (6, 1_700_000_000_000_001, 1_700_000_000_000_001_000),
        (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        (12, 3_567_587_327_999, 3_567_587_327),
        (19, 9_999_999_999, 0),
        (127, u64::MAX, 0),
        (0x80, 7, 7_000_000_000),
        (0x94, 3 << 19, 1_500_000_000),
        (0xA0, 1 << 31, 500_000_000),
        (0xFF, u64::MAX, 0),
    ];
    for build in [LITTLE, BIG] {
        for (resolution, stamp, nanos) in cases {
            for offset in [0i64, 3600, -3600] {
                let options = [
                    build.option(9, &[resolution]),
                    build.option(14, &build.u64(offset.cast_unsigned())),
                    build.option(0, &[]),
                ];
                let file = [
                    build.section(),
                    build.interface(276, 0, &options.concat()),
                    build.packet(0, stamp, 1, 1, b"x"),
                ];
                let want = nanos + offset * 1_000_000_000;
                check(&file.concat(), &[&format!("1 {want} Linux cooked v2 1 x")], &[]);
            }
        }
    }
}

#[test]
fn sections_may_change_the_byte_order_and_forget_interfaces() {
    let file = [
        LITTLE.section(),
        LITTLE.interface(1, 0, &[]),
        LITTLE.interface(101, 0, &[]),
        LITTLE.packet(1, 1, 1, 1, b"a"),
        BIG.section(),
        BIG.interface(113, 0, &[]),
        BIG.packet(0, 2, 1, 1, b"b"),
        BIG.packet(1, 3, 1, 1, b"c"),
    ];
    let at = file[..7].concat().len();
    let wrong =
        format!("t, offset {at}: expected a packet of one of 1 interfaces, found interface 1");
    let want = ["1 1000 raw IP 1 a", "2 2000 Linux cooked v1 1 b"];
    check(&file.concat(), &want, &[&wrong]);
}

#[test]
fn a_simple_packet_is_as_long_as_the_shortest_of_three_lengths() {
    let file = [
        LITTLE.section(),
        LITTLE.interface(1, 6, &[]),
        LITTLE.packet(0, 5, 1, 1, b"x"),
        LITTLE.simple(3, b"abc"),
        LITTLE.simple(90, b"abcdef"),
        LITTLE.simple(90, b"abcd"),
    ];
    let want = [
        "1 5000 Ethernet 1 x",
        "2 5000 Ethernet 3 abc",
        "3 5000 Ethernet 90 abcdef",
        "4 5000 Ethernet 90 abcd",
    ];
    check(&file.concat(), &want, &[]);
}

#[test]
fn blocks_that_wireshark_numbers_are_numbered() {
    let file = [
        LITTLE.section(),
        LITTLE.block(0x0BAD, &[0; 8]),
        LITTLE.interface(1, 0, &[]),
        LITTLE.block(4, &[0; 4]),
        LITTLE.packet(0, 0, 1, 1, b"x"),
        LITTLE.block(0x4000_0BAD, &[0; 8]),
        LITTLE.packet(0, 0, 1, 1, b"y"),
    ];
    check(&file.concat(), &["2 0 Ethernet 1 x", "4 0 Ethernet 1 y"], &[]);
}

#[test]
fn several_inputs_are_one_sequence_in_time_order() {
    let file = |times: &[u32], name: &[u8]| {
        let records = times.iter().map(|t| LITTLE.record(*t, 0, 1, 1, name));
        [LITTLE.pcap(0xA1B2_C3D4, 1), records.collect::<Vec<_>>().concat()].concat()
    };
    // The second goes back in time once: its own order is kept.
    let mut capture = Capture::from_readers([
        ("a".to_owned(), pipe(&file(&[1, 4, 6, 9], b"a"), &[11])),
        ("b".to_owned(), pipe(&file(&[2, 5, 3, 6], b"b"), &[usize::MAX])),
        ("c".to_owned(), pipe(b"", &[1])),
    ]);
    let mut got = Vec::new();
    while capture.advance() {
        let f = capture.frame();
        let (no, name) = (f.no.0, &capture.files()[f.file].name);
        got.push(format!("{no} {name}{} {}", f.no_in_file, f.time.nanos() / 1_000_000_000));
        assert_eq!(f.data, name.as_bytes());
    }
    let want = ["1 a1 1", "2 b1 2", "3 a2 4", "4 b2 5", "5 b3 3", "6 a3 6", "7 b4 6", "8 a4 9"];
    assert_eq!(got, want);
    let wrong =
        ["c, offset 0: expected a pcap, pcapng or Network Monitor capture, found an empty file"];
    assert_eq!(problems(&mut capture), wrong);
    assert!(!capture.advance() && capture.frame().data.is_empty());
}

#[test]
fn a_shift_moves_a_file_before_the_merge() {
    let file = |times: &[u32]| {
        let records = times.iter().map(|t| LITTLE.record(*t, 0, 1, 1, b"x"));
        [LITTLE.pcap(0xA1B2_C3D4, 1), records.collect::<Vec<_>>().concat()].concat()
    };
    let order = |capture: &mut Capture| {
        let mut got = Vec::new();
        while capture.advance() {
            let f = capture.frame();
            got.push((f.file, f.no_in_file, f.time.nanos() / 1_000_000_000));
        }
        got
    };
    let both = || {
        Capture::from_readers([
            ("a".to_owned(), pipe(&file(&[10, 20, 30]), &[usize::MAX])),
            ("b".to_owned(), pipe(&file(&[115, 125]), &[usize::MAX])),
        ])
    };
    let mut capture = both();
    capture.set_shift(1, -100_000_000_000);
    capture.set_shift(7, 1);
    let shifted = [(0, 1, 10), (1, 1, 15), (0, 2, 20), (1, 2, 25), (0, 3, 30)];
    assert_eq!(order(&mut capture), shifted);
    let times = [15, 25].map(|s| Time::from_nanos(s * 1_000_000_000));
    assert_eq!(capture.files()[1].times, Some(times.into()));
    // In the middle: what was given out stays, what waits is moved, and back again.
    let mut capture = both();
    assert!(capture.advance());
    capture.set_shift(0, 500_000_000_000);
    capture.set_shift(1, -100_000_000_000);
    assert_eq!(capture.frame().time.nanos(), 10_000_000_000);
    assert_eq!(order(&mut capture), [(1, 1, 15), (1, 2, 25), (0, 2, 520), (0, 3, 530)]);
    let mut capture = both();
    capture.set_shift(1, i64::MIN);
    capture.set_shift(1, -100_000_000_000);
    assert!(capture.advance());
    capture.set_shift(1, 0);
    let got = order(&mut capture);
    assert_eq!(got, [(0, 2, 20), (0, 3, 30), (1, 1, 115), (1, 2, 125)]);
}

/// A directory of this test's own, removed when it is done with.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vshark-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn many_files_are_merged_without_holding_them_open() {
    let folder = Folder::new("ring");
    let mut paths = Vec::new();
    for n in 0..200 {
        // Given newest first; each overlaps the next, and each ends inside a record, which is told
        // once although the file is opened twice.
        let records = (0..3).flat_map(|k| LITTLE.record(2 * (200 - n) + k, 0, 1, 1, b"x"));
        let mut bytes = LITTLE.pcap(0xA1B2_C3D4, 1);
        bytes.extend(records);
        bytes.push(0);
        let path = folder.0.join(format!("{n}.pcap"));
        std::fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    let mut capture = Capture::open(&paths);
    let (mut last, mut count) = (Time::default(), 0);
    while capture.advance() {
        assert!(capture.frame().time >= last);
        last = capture.frame().time;
        count += 1;
    }
    assert_eq!(count, 600);
    assert_eq!(capture.problems().len(), 200);
    let files = capture.files();
    assert!(files.iter().all(|f| f.frames == 3 && f.problems == 1));
}

#[test]
fn a_capture_that_was_split_reads_like_the_whole_in_any_order() {
    let whole = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/a-ntlm-sign-smb311.pcap");
    let folder = Folder::new("split");
    let out = folder.0.join("part.pcapng");
    let split = std::process::Command::new("editcap").args(["-c", "3", whole]).arg(&out).output();
    if split.is_err() {
        common::say("skipped: editcap is not installed");
        return;
    }
    let entries = std::fs::read_dir(&folder.0).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert_eq!(paths.len(), 39);
    let read = |paths: &[PathBuf]| {
        let mut capture = Capture::open(paths);
        let mut got = Vec::new();
        while capture.advance() {
            let f = capture.frame();
            got.push((f.no, f.time, f.wire_len, f.data.to_vec()));
        }
        assert_eq!(capture.problems(), []);
        got
    };
    let want = read(&[whole.into()]);
    assert_eq!(want.len(), 117);
    // Every seventh, so that none stands beside its neighbour.
    for step in [1, 7, 38] {
        let order: Vec<_> = (0..39).map(|n| paths[n * step % 39].clone()).collect();
        assert!(read(&order) == want, "in steps of {step}");
    }
}

#[test]
fn paths_that_are_no_captures_are_problems() {
    let folder = Folder::new("bad");
    let (missing, good) = (folder.0.join("missing"), folder.0.join("good"));
    std::fs::write(&good, LITTLE.small_pcap()).unwrap();
    let mut capture = Capture::open(&[folder.0.clone(), missing, good]);
    assert_eq!(frames(&mut capture), SMALL);
    let wrong = problems(&mut capture);
    assert_eq!(wrong.len(), 2);
    assert!(wrong[0].contains("found a directory"), "{wrong:?}");
    assert!(wrong[1].contains("could not open it"), "{wrong:?}");
}

/// Fails the test when more is asked of it than the frames wanted so far need.
struct Live(Vec<u8>);

impl Read for Live {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        assert!(!self.0.is_empty(), "waited for a packet that was not sent yet");
        let n = self.0.len().min(out.len());
        out[..n].copy_from_slice(&self.0[..n]);
        self.0.drain(..n);
        Ok(n)
    }
}

#[test]
fn a_frame_is_given_as_soon_as_it_has_arrived() {
    for which in 0..LIVE {
        let mut capture = Capture::from_reader("-", Box::new(Live(small(which))));
        for _ in SMALL {
            assert!(capture.advance());
        }
    }
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_frames(
        sizes in prop::collection::vec(1usize..90, 1..20),
        which in 0..SAMPLES,
    ) {
        let mut capture = Capture::from_reader("-", pipe(&small(which), &sizes));
        prop_assert_eq!(frames(&mut capture), SMALL);
        prop_assert!(capture.problems().is_empty());
    }

    #[test]
    fn packets_of_all_lengths_survive(
        lens in prop::collection::vec(0u32..300_000, 1..9),
        sizes in prop::collection::vec(1usize..70_000, 1..5),
        ng in any::<bool>(),
    ) {
        let data = |len: u32| vec![len.to_le_bytes()[0]; usize::try_from(len).unwrap()];
        let mut file = if ng {
            [BIG.section(), BIG.interface(1, 0, &[])].concat()
        } else {
            BIG.pcap(0xA1B2_C3D4, 1)
        };
        for len in &lens {
            file.extend(if ng {
                BIG.packet(0, 0, *len, *len, &data(*len))
            } else {
                BIG.record(1, 0, *len, *len, &data(*len))
            });
        }
        let mut capture = Capture::from_reader("-", pipe(&file, &sizes));
        for len in lens {
            prop_assert!(capture.advance());
            prop_assert!(capture.frame().data == data(len));
        }
        prop_assert!(!capture.advance());
        prop_assert!(capture.problems().is_empty());
    }

}
