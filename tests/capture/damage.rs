//! What is cut off, contradicts itself, or is noise.

use proptest::prelude::*;
use vshark::capture::{Capture, MAX_BLOCK, MAX_PROBLEMS};

use super::build::{BIG, LITTLE, SMALL, check, frames, open, pipe, problems, small};

#[test]
fn a_cut_tail_costs_the_last_record_and_is_told_once() {
    for (whole, header) in [(LITTLE.small_pcap(), 24), (BIG.small_pcapng(), 28)] {
        let mut unnoticed = Vec::new();
        for cut in 0..=whole.len() {
            let mut capture = open(&whole[..cut]);
            let got = frames(&mut capture);
            assert_eq!(got, SMALL[..got.len()], "cut at {cut}");
            let wrong = problems(&mut capture);
            assert!(wrong.len() <= 1, "{wrong:?}");
            if wrong.is_empty() {
                unnoticed.push(cut);
            } else if cut > header {
                assert!(wrong[0].contains("bytes are left over where"), "{wrong:?}");
            }
            if cut > header {
                assert_eq!(capture.files()[0].bytes, u64::try_from(cut).unwrap());
            }
        }
        // Only where a record ends.
        assert_eq!(unnoticed[0], header);
        assert_eq!(unnoticed.last(), Some(&whole.len()));
        assert!(unnoticed.len() <= 6, "{unnoticed:?}");
    }
}

#[test]
fn damage_in_the_middle_costs_one_block() {
    let head = [LITTLE.section(), LITTLE.interface(1, 0, &[])].concat();
    let bad = LITTLE.packet(0, 1, 8, 8, b"damaged!");
    let good = [LITTLE.packet(0, 2, 1, 1, b"y"), LITTLE.packet(0, 3, 1, 1, b"z")].concat();
    for (at, value) in [
        // Lengths that cannot be.
        (4, 0),
        (4, 7),
        (4, u32::MAX),
        // Lengths that disagree, one beyond the end of the file.
        (4, 44),
        (4, 5000),
        (bad.len() - 4, 48),
        // A packet longer than its block; an interface that is not described.
        (20, 5000),
        (8, 3),
    ] {
        let mut block = bad.clone();
        block[at..at + 4].copy_from_slice(&LITTLE.u32(value));
        let mut capture = open(&[&head[..], &block, &good].concat());
        let got = frames(&mut capture);
        assert_eq!(got.len(), 2, "{at} {value}: {got:?}");
        assert!(got[0].ends_with("2000 Ethernet 1 y") && got[1].ends_with('z'), "{got:?}");
        let wrong = problems(&mut capture);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        let start = format!("t, offset {}: expected ", head.len());
        assert!(wrong[0].starts_with(&start), "{wrong:?}");
        assert_eq!(capture.files()[0].skipped[0].what.to_string(), "damaged block");
    }
}

#[test]
fn bytes_that_are_too_many_are_passed_over() {
    let mut file = [LITTLE.section(), LITTLE.interface(1, 0, &[])].concat();
    file.extend(vec![0xEE; 70_001]);
    file.extend(LITTLE.packet(0, 2, 1, 1, b"y"));
    let mut capture = open(&file);
    assert_eq!(frames(&mut capture), ["1 2000 Ethernet 1 y"]);
    let wrong = problems(&mut capture);
    assert!(wrong[0].ends_with("reading goes on 70001 bytes further"), "{wrong:?}");
}

#[test]
fn noise_without_end_stops_the_file_and_not_the_others() {
    let mut file = [LITTLE.section(), LITTLE.interface(1, 0, &[])].concat();
    file.resize(4 << 20, 0xEE);
    let mut capture = Capture::from_readers([
        ("bad".to_owned(), pipe(&file, &[usize::MAX])),
        ("good".to_owned(), pipe(&LITTLE.small_pcap(), &[9])),
    ]);
    assert_eq!(frames(&mut capture), SMALL);
    let found = capture.problems();
    assert!(found[0].fatal && found[0].file == "bad", "{found:?}");
}

#[test]
fn a_length_that_lies_is_a_problem() {
    let file = [
        LITTLE.pcap(0xA1B2_C3D4, 1),
        LITTLE.record(1, 0, 1, 1, b"x"),
        LITTLE.record(2, 0, MAX_BLOCK + 1, 1, b"y"),
    ];
    let wrong = "t, offset 41: expected a packet record, found one that claims 16777217 captured \
                 bytes where 1048576 is the most; reading of this file stops here";
    check(&file.concat(), &["1 1000000000 Ethernet 1 x"], &[wrong]);
}

#[test]
fn problems_without_end_are_counted() {
    let mut file = [LITTLE.section(), LITTLE.interface(1, 0, &[])].concat();
    for _ in 0..3 * MAX_PROBLEMS {
        file.extend(LITTLE.packet(9, 0, 0, 0, b""));
    }
    let mut capture = open(&file);
    assert!(!capture.advance());
    let found = problems(&mut capture);
    assert_eq!(found.len(), MAX_PROBLEMS + 1);
    assert!(found[MAX_PROBLEMS].ends_with("only counted"));
    assert_eq!(capture.files()[0].problems, 300);
}

proptest! {
    #[test]
    fn any_change_is_survived(
        changes in prop::collection::vec((0usize..1000, any::<u8>()), 1..6),
        which in 0usize..5,
        cut in 1usize..1000,
    ) {
        let mut bytes = small(which);
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(cut);
        let mut capture = open(&bytes);
        let mut held = 0;
        while capture.advance() {
            held += capture.frame().data.len();
        }
        prop_assert!(held < 4096);
    }
}
