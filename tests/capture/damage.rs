//! What is cut off, contradicts itself, or is noise.

use proptest::prelude::*;
use vshark::capture::{Capture, MAX_BLOCK, MAX_PROBLEMS};

use super::build::{BIG, LITTLE, LIVE, SAMPLES, SMALL, check, frames, open, pipe, problems, small};

#[test]
fn a_cut_tail_costs_the_last_record_and_is_told_once() {
    for which in 0..LIVE {
        let whole = small(which);
        let header = if whole.starts_with(&[10, 13]) { 28 } else { 24 };
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
    for bad in [LITTLE.packet(0, 1, 8, 8, b"damaged!"), LITTLE.obsolete(0, 1, 8, b"damaged!", &[])]
    {
        one_block_damaged(&head, &bad);
    }
}

fn one_block_damaged(head: &[u8], bad: &[u8]) {
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
        let mut block = bad.to_vec();
        block[at..at + 4].copy_from_slice(&LITTLE.u32(value));
        let mut capture = open(&[head, &block, &good].concat());
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
                 bytes of 1 at 1970-01-01T00:00:02.000000000Z, and no record that can be trusted \
                 follows; reading of this file stops here";
    check(&file.concat(), &["1 1000000000 Ethernet 1 x"], &[wrong]);
}

/// What is done to the bytes of a record.
type Damage = Box<dyn Fn(&mut Vec<u8>)>;

/// A pcap file of ten records, with damage done to the fourth.
fn ten(damage: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut file = LITTLE.pcap(0xA1B2_C3D4, 1);
    for n in 0..10u8 {
        let data = vec![b'a' + n; 20 + usize::from(n)];
        let len = u32::try_from(data.len()).unwrap();
        let mut record = LITTLE.record(1_700_000_000 + u32::from(n), 5, len, len, &data);
        if n == 3 {
            damage(&mut record);
        }
        file.extend(record);
    }
    file
}

#[test]
fn damage_in_a_pcap_file_costs_the_records_it_is_in() {
    let put = |at: usize, value: u32| {
        move |record: &mut Vec<u8>| record[at..at + 4].copy_from_slice(&LITTLE.u32(value))
    };
    let cases: [(&str, Damage); 8] = [
        (
            "a time of 1970 before a hole",
            Box::new(|record| {
                record[..4].fill(0);
                record.extend([0xEE; 30]);
            }),
        ),
        ("a length near 2^32", Box::new(put(8, u32::MAX))),
        ("a length beyond the file, longer than the packet was", Box::new(put(8, 100_000))),
        ("a length that leads into the next record", Box::new(put(8, 25))),
        (
            "microseconds that cannot be, and a length",
            Box::new(|record| {
                record[4..12].fill(0xEE);
            }),
        ),
        ("a hole of zeros", Box::new(|record| record.fill(0))),
        ("a hole longer than any packet", Box::new(|record| *record = vec![0xEE; 3 << 20])),
        ("bytes that are missing", Box::new(|record| drop(record.drain(5..11)))),
    ];
    for (what, damage) in cases {
        let mut capture = open(&ten(damage));
        let got = frames(&mut capture);
        let letters: String = got.iter().map(|line| line.chars().last().unwrap()).collect();
        assert_eq!(letters, "abcefghij", "{what}");
        let wrong = problems(&mut capture);
        assert_eq!(wrong.len(), 1, "{what}: {wrong:?}");
        let at = 24 + 3 * 16 + 20 + 21 + 22;
        let start = format!("t, offset {at}: expected a packet record, found one that claims ");
        assert!(wrong[0].starts_with(&start), "{what}: {wrong:?}");
        assert!(wrong[0].contains("; reading goes on "), "{what}: {wrong:?}");
        assert_eq!(capture.files()[0].skipped[0].count, 1, "{what}");
    }
}

#[test]
fn a_record_that_is_only_odd_is_read() {
    // A captured length beyond the packet's, microseconds beyond a second; a clock that was reset.
    let file = [
        LITTLE.pcap(0xA1B2_C3D4, 1),
        LITTLE.record(1_700_000_000, 5, 3, 1, b"abc"),
        LITTLE.record(1_700_000_000, 1_000_006, 1, 1, b"d"),
        LITTLE.record(1_700_000_001, 0, 1, 1, b"e"),
        LITTLE.record(1, 0, 0, 0, b""),
        LITTLE.record(2, 0, 1, 1, b"f"),
        LITTLE.record(2, 7, 3, 1, b"ghi"),
    ];
    let want = [
        "1 1700000000000005000 Ethernet 3 abc",
        "2 1700000001000006000 Ethernet 1 d",
        "3 1700000001000000000 Ethernet 1 e",
        "4 1000000000 Ethernet 0 ",
        "5 2000000000 Ethernet 1 f",
        "6 2000007000 Ethernet 3 ghi",
    ];
    check(&file.concat(), &want, &[]);
}

#[test]
fn a_capture_within_a_packet_is_not_mistaken_for_the_one_around_it() {
    // The outer file is cut off inside a packet that carries a whole pcap file of the same day.
    let inner = ten(|_| {});
    let len = u32::try_from(inner.len()).unwrap();
    let file = [
        LITTLE.pcap(0xA1B2_C3D4, 1),
        LITTLE.record(1_700_000_000, 5, 1, 1, b"x"),
        LITTLE.record(1_700_000_001, 5, len + 9, len + 9, &inner),
    ];
    let whole = 16 + len + 9;
    let wrong = format!(
        "t, offset 41: the input ends inside a packet record: {} bytes are left over where {whole} \
         were expected",
        whole - 9
    );
    check(&file.concat(), &["1 1700000000000005000 Ethernet 1 x"], &[&wrong]);
    // The same in pcapng.
    let inner = LITTLE.small_pcapng();
    let len = u32::try_from(inner.len()).unwrap();
    let mut file = [LITTLE.section(), LITTLE.interface(1, 0, &[])].concat();
    file.extend(LITTLE.packet(0, 1, len, len, &inner));
    file.truncate(file.len() - 5);
    let wrong = format!(
        "t, offset 48: the input ends inside a block: {} bytes are left over where {} were expected",
        len + 27,
        len + 32
    );
    check(&file, &[], &[&wrong]);
}

#[test]
fn a_lost_interface_keeps_its_number() {
    let mut lost = LITTLE.interface(101, 0, &[]);
    lost[16] = 0xff;
    let file = [
        LITTLE.section(),
        LITTLE.interface(1, 0, &[]),
        lost,
        LITTLE.interface(113, 0, &[]),
        LITTLE.packet(2, 7, 1, 1, b"x"),
        LITTLE.packet(1, 8, 1, 1, b"y"),
        LITTLE.packet(0, 9, 1, 1, b"z"),
    ];
    let mut capture = open(&file.concat());
    let got = frames(&mut capture);
    assert_eq!(got, ["1 7000 Linux cooked v1 1 x", "3 9000 Ethernet 1 z"]);
    let wrong = problems(&mut capture);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong[1].ends_with("found interface 1, whose description is damaged"), "{wrong:?}");
}

#[test]
fn options_that_lead_outside_are_told() {
    let mut options = [LITTLE.option(9, &[9]), LITTLE.option(14, &[0; 8])].concat();
    options[10] = 9;
    let file = [
        LITTLE.section(),
        LITTLE.interface(1, 0, &options),
        LITTLE.noted(7, 1, b"x", &[1, 0, 99, 0]),
    ];
    let wrong = "t, offset 28: expected options within the interface description block, found one \
                 that leads outside: what follows it is not known, the resolution of time stamps if \
                 it is there";
    check(&file.concat(), &["1 7 Ethernet 1 x"], &[wrong]);
}

#[test]
fn a_lost_section_header_forgets_the_interfaces_and_the_byte_order() {
    for (first, second) in [(LITTLE, BIG), (BIG, LITTLE), (BIG, BIG)] {
        let mut lost = second.section();
        lost[8] = 0;
        let file = [
            first.section(),
            first.interface(1, 0, &[]),
            first.packet(0, 1, 1, 1, b"x"),
            lost,
            second.interface(113, 0, &[]),
            second.packet(0, 2, 1, 1, b"y"),
        ];
        let mut capture = open(&file.concat());
        assert_eq!(frames(&mut capture), ["1 1000 Ethernet 1 x", "2 2000 Linux cooked v1 1 y"]);
        let wrong = problems(&mut capture);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].contains("expected the byte-order magic"), "{wrong:?}");
    }
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
        which in 0..SAMPLES,
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
