//! Network Monitor files, whole and damaged.

use super::build::{NetMon, NetMonFrame, SMALL, check, frames, open, pipe, problems};
use super::{Folder, Time};
use proptest::prelude::*;
use vshark::capture::Capture;

/// Ten plain frames, a second apart.
fn ten(minor: u8) -> NetMon {
    let frames = (0..10u8).map(|n| NetMonFrame {
        micros: 1_000_000 * i64::from(n),
        media: 1,
        utc: 10_000_000 * u64::from(n) + 1,
        len: 30,
        data: vec![b'a' + n; 20 + usize::from(n)],
    });
    NetMon { minor, frames: frames.collect(), ..NetMon::small() }
}

/// The letters of its frames that were read.
fn letters(capture: &mut Capture) -> String {
    frames(capture).iter().map(|line| line.chars().last().unwrap()).collect()
}

const LOCAL: &str = "expected times in UTC, found the local times of a machine whose time zone is not \
                     in the file: they are taken as UTC";

#[test]
fn every_version_has_its_own_end_of_a_frame_and_its_own_time() {
    for minor in 0..=3 {
        let mut made = ten(minor);
        let mut capture = open(&made.build());
        assert!(capture.advance());
        // By the local clock it is eight hours later.
        let hours = if minor == 3 { 0 } else { 8 };
        let first = if minor == 3 { 100 } else { 0 };
        assert_eq!(capture.frame().time.nanos(), hours * 3_600_000_000_000 + first);
        assert_eq!(letters(&mut capture), "bcdefghij", "2.{minor}");
        let wrong = problems(&mut capture);
        let told = wrong.iter().all(|w| w.ends_with(LOCAL));
        assert!(told && wrong.len() == usize::from(minor < 3), "{wrong:?}");
        // A frame may be older than the start.
        made.frames[0].micros = -1;
        made.frames[0].utc = 0;
        let mut capture = open(&made.build());
        assert!(capture.advance());
        assert_eq!(capture.frame().time.nanos(), 8 * 3_600_000_000_000 - 1000);
    }
    for (minor, major) in [(4, 2), (0, 1), (0, 3)] {
        let mut file = ten(3).build();
        file[4..6].copy_from_slice(&[minor, major]);
        let wrong = format!(
            "t, offset 0: expected version 2.0 to 2.3 of Network Monitor's format, found \
             {major}.{minor}"
        );
        check(&file, &[], &[&wrong]);
    }
}

#[test]
fn frames_are_read_where_the_table_says() {
    let mut made = NetMon { hole: 13, table_first: true, ..NetMon::small() };
    check(&made.build(), &SMALL, &[]);
    made.order = vec![2, 0, 1];
    let capture = check(
        &made.build(),
        &[
            "1 12000003000 Ethernet 90 last",
            "2 10000001000 Ethernet 5 first",
            "3 11000002000 Ethernet 0 ",
        ],
        &[],
    );
    let times = [10_000_001_000, 12_000_003_000].map(Time::from_nanos);
    assert_eq!(capture.files()[0].times, Some(times.into()));
    // Through a path, a pipe of any pace, and a decompressor it is the same.
    let folder = Folder::new("netmon");
    let path = folder.0.join("x.cap");
    let bytes = NetMon { order: vec![1, 0, 2], ..NetMon::small() }.build();
    std::fs::write(&path, &bytes).unwrap();
    let want = frames(&mut open(&bytes));
    assert_eq!(frames(&mut Capture::open(&[path])), want);
    let mut packed = open(&super::build::zstd(&bytes));
    assert_eq!(frames(&mut packed), want);
    let file = &packed.files()[0];
    assert_eq!((file.format, file.compression), (Some("netmon"), Some("zstd")));
}

#[test]
fn media_types_are_link_types_or_named() {
    let cases = [
        (1, Ok("Ethernet")),
        (0, Ok("Ethernet")),
        (2, Ok("Token Ring")),
        (7, Ok("raw IP")),
        (9, Ok("raw IP")),
        (0xE071, Ok("Linux cooked v1")),
        (6, Err("IEEE 802.11 frame")),
        (0xE083, Err("Message Analyzer WFP IPv4 frame")),
        (0xFFE0, Err("event trace (ETW) frame")),
        (0xFFFD, Err("network information frame")),
        (0xFFFF, Err("filter frame")),
        (0x7777, Err("frame of media type 0x7777")),
        (1, Ok("Ethernet")),
    ];
    let frame = |media| NetMonFrame { micros: 0, media, utc: 1, len: 1, data: b"x".to_vec() };
    let made = NetMon {
        frames: cases.iter().map(|(media, _)| frame(*media)).collect(),
        ..NetMon::small()
    };
    let mut capture = open(&made.build());
    let mut links = Vec::new();
    while capture.advance() {
        links.push((capture.frame().link.to_string(), capture.frame().no_in_file));
    }
    let named: Vec<_> = cases.iter().filter_map(|(_, link)| link.ok()).collect();
    assert_eq!(links.iter().map(|(link, _)| link.as_str()).collect::<Vec<_>>(), named);
    // Wireshark gives no number to network information, and one to the others.
    assert_eq!(links.last().unwrap().1, 12);
    let skipped: Vec<_> =
        capture.files()[0].skipped.iter().map(|skipped| skipped.what.to_string()).collect();
    assert_eq!(skipped, cases.iter().filter_map(|(_, link)| link.err()).collect::<Vec<_>>());
    assert!(problems(&mut capture).is_empty());
    // In 2.0 the file says it for all.
    let made = NetMon { minor: 0, media: 2, ..ten(0) };
    let mut capture = open(&made.build());
    assert!(capture.advance());
    assert_eq!(capture.frame().link.to_string(), "Token Ring");
}

#[test]
fn comments_are_on_their_frames() {
    let made = NetMon { comments: vec![(2, "the end \u{20ac}"), (0, "one")], ..NetMon::small() };
    let mut capture = open(&made.build());
    let mut said = Vec::new();
    while capture.advance() {
        said.push(capture.frame().comment.map(str::to_owned));
    }
    assert_eq!(said, [Some("one".to_owned()), None, Some("the end \u{20ac}".to_owned())]);
    // Before 2.2 nobody sets where they are.
    let made = NetMon { minor: 1, ..made };
    let mut capture = open(&made.build());
    assert!(capture.advance());
    assert_eq!(capture.frame().comment, None);
}

#[test]
fn an_entry_of_the_table_that_leads_nowhere_costs_one_frame() {
    let whole = ten(3).build();
    let table = whole.len() - 40;
    for place in [0u32, 127, u32::MAX, u32::try_from(whole.len()).unwrap() - 3] {
        let mut file = whole.clone();
        file[table + 12..table + 16].copy_from_slice(&place.to_le_bytes());
        let mut capture = open(&file);
        assert_eq!(letters(&mut capture), "abcefghij", "{place}");
        let wrong = problems(&mut capture);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        let start = format!("t, offset {place}: expected a frame here, as the frame table says");
        assert!(wrong[0].starts_with(&start), "{wrong:?}");
        assert_eq!(capture.files()[0].skipped[0].what.to_string(), "damaged block");
    }
    // A frame that claims more than there is.
    for claim in [5000, 1 << 21, u32::MAX] {
        let mut file = whole.clone();
        let at = 128 + (16 + 20 + 15) + (16 + 21 + 15) + 12;
        file[at..at + 4].copy_from_slice(&claim.to_le_bytes());
        let mut capture = open(&file);
        assert_eq!(letters(&mut capture), "abdefghij", "{claim}");
        let wrong = problems(&mut capture);
        assert!(wrong[0].ends_with(&format!("found one that claims {claim} octets")), "{wrong:?}");
    }
}

#[test]
fn a_table_that_lists_a_frame_over_and_over_ends() {
    let made = NetMon { order: vec![9; 100_000], ..ten(3) };
    let mut capture = open(&made.build());
    let read: usize =
        std::iter::from_fn(|| capture.advance().then(|| capture.frame().data.len())).sum();
    assert!(read < 500_000, "{read}");
    assert!(!problems(&mut capture).is_empty());
}

/// A length that lies takes more of the file than there is for the frame, and the others stay.
#[test]
fn a_length_that_lies_costs_its_frame_alone() {
    for minor in 0..=3 {
        let mut file = ten(minor).build();
        let behind = [0, 2, 6, 15][usize::from(minor)];
        let third = 128 + (16 + 20 + behind) + (16 + 21 + behind);
        assert_eq!(file[third + 12], 22);
        file[third + 12] = 200;
        let got = letters(&mut open(&file));
        assert!(got.starts_with("ab") && got.ends_with("defghij"), "2.{minor}: {got}");
    }
}

#[test]
fn without_its_table_the_frames_are_found_one_after_another() {
    for minor in 0..=3 {
        let whole = ten(minor).build();
        let behind = [0, 2, 6, 15][usize::from(minor)];
        let mut at = 128;
        let ends: Vec<usize> = (20..30)
            .map(|len| {
                at += 16 + len + behind;
                at
            })
            .collect();
        for cut in 64..whole.len() {
            let mut capture = open(&whole[..cut]);
            let got = letters(&mut capture);
            let there = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(got, "abcdefghij"[..got.len()], "2.{minor} cut at {cut}");
            // One or two frames alone are no proof, unless the last ends where the file does.
            assert!(got.len() == there || there < 3, "2.{minor} cut at {cut}: {got} of {there}");
            let wrong = problems(&mut capture);
            assert!(wrong[0].contains("; frames are looked for without it"), "{wrong:?}");
        }
        // The header may be shorter, and something else may lie between.
        let mut file = whole[..72].to_vec();
        file.extend(&whole[128..ends[4]]);
        file.extend([0xEE; 3000]);
        file.extend(&whole[ends[4]..ends[9]]);
        file[28..32].fill(0);
        let mut capture = open(&file);
        assert_eq!(letters(&mut capture), "abcdefghij", "2.{minor}");
    }
}

proptest! {
    #[test]
    fn any_change_is_survived(
        changes in prop::collection::vec((0usize..1000, any::<u8>()), 1..6),
        minor in 0u8..4,
        cut in 1usize..1000,
    ) {
        let made = NetMon { comments: vec![(1, "one"), (2, "two")], ..ten(minor) };
        let mut bytes = made.build();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(cut);
        let mut capture = Capture::from_reader("-", pipe(&bytes, &[7]));
        let mut held = 0;
        while capture.advance() {
            held += capture.frame().data.len();
        }
        prop_assert!(held < 4096);
    }
}
