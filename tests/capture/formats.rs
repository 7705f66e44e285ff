//! What the formats have beside frames: versions, options, comments, names, compression.

use std::net::IpAddr;

use super::build::{
    BIG, LITTLE, SMALL, check, frames, gzip, lz4, open, pipe, problems, small, zstd,
};
use vshark::capture::Capture;

#[test]
fn every_sample_says_the_same_and_what_it_is() {
    let formats = [
        ("pcap", None),
        ("pcap", None),
        ("pcapng", None),
        ("pcapng", None),
        ("pcap", None),
        ("pcap", None),
        ("pcapng", None),
        ("pcapng", None),
        ("pcap", None),
        ("pcapng", Some("gzip")),
        ("pcap", Some("zstd")),
        ("pcap", Some("lz4")),
        ("netmon", None),
    ];
    for (which, (format, compression)) in formats.into_iter().enumerate() {
        let capture = check(&small(which), &SMALL, &[]);
        let file = &capture.files()[0];
        assert_eq!((file.format, file.compression), (Some(format), compression), "{which}");
    }
}

#[test]
fn old_versions_of_pcap_have_their_lengths_in_another_order() {
    for build in [LITTLE, BIG] {
        for version in [(2, 0), (2, 1), (2, 2), (543, 0)] {
            let file =
                [build.pcap_of(version, 0xA1B2_C3D4, 1), build.record(1, 0, 90, 2, b"xy")].concat();
            check(&file, &["1 1000000000 Ethernet 90 xy"], &[]);
        }
        // Of 2.3 there are both kinds.
        let file = [
            build.pcap_of((2, 3), 0xA1B2_C3D4, 1),
            build.record(1, 0, 90, 2, b"xy"),
            build.record(2, 0, 2, 90, b"zu"),
        ];
        check(&file.concat(), &["1 1000000000 Ethernet 90 xy", "2 2000000000 Ethernet 90 zu"], &[]);
        for (version, said) in [((1, 4), "1.4"), ((2, 5), "2.5"), ((543, 1), "543.1")] {
            let wrong = format!(
                "t, offset 0: expected version 2.0 to 2.4 of the pcap format, found {said}"
            );
            check(&build.pcap_of(version, 0xA1B2_C3D4, 1), &[], &[&wrong]);
        }
    }
}

#[test]
fn a_frame_check_sequence_is_no_part_of_the_frame() {
    for (network, kept) in [
        // Two pairs of octets, and that bit 26 says so; all other bits are not of the link type.
        (0x2400_0001, ["abcdef", "abcde", "abc"]),
        (0x2FFF_0001, ["abcdef", "abcde", "abc"]),
        (0x2000_0001, ["abcdefFCS.", "abcde", "abcFCS."]),
        (0x03FF_0001, ["abcdefFCS.", "abcde", "abcFCS."]),
    ] {
        let file = [
            LITTLE.pcap(0xA1B2_C3D4, network),
            LITTLE.record(1, 0, 10, 10, b"abcdefFCS."),
            // Cut by the snap length before the check sequence, and within it.
            LITTLE.record(2, 0, 5, 90, b"abcde"),
            LITTLE.record(3, 0, 7, 7, b"abcFCS."),
        ];
        let fcs = if network & 0x0400_0000 == 0 { 0 } else { 4 };
        let want = [10, 90, 7].map(|len| len - fcs);
        let want: Vec<_> = (1..)
            .zip(want)
            .zip(kept)
            .map(|((n, len), data)| format!("{n} {n}000000000 Ethernet {len} {data}"))
            .collect();
        check(&file.concat(), &want.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    }
    for build in [LITTLE, BIG] {
        let flags = |octets: u32| build.option(2, &build.u32(octets << 5 | 1));
        let file = [
            build.section(),
            build.interface(1, 0, &build.option(13, &[4])),
            build.noted(1, 10, b"abcdefFCS.", &[]),
            build.noted(2, 10, b"abcdefghF.", &flags(2)),
            build.noted(3, 10, b"abcdefFCS.", &flags(0)),
            build.simple(10, b"abcdefFCS."),
            build.noted(4, 2, b"F.", &[]),
        ];
        let want = [
            "1 1000 Ethernet 6 abcdef",
            "2 2000 Ethernet 8 abcdefgh",
            "3 3000 Ethernet 6 abcdef",
            "4 3000 Ethernet 6 abcdef",
            "5 4000 Ethernet 0 ",
        ];
        check(&file.concat(), &want, &[]);
    }
}

#[test]
fn comments_are_kept_where_they_stand() {
    for build in [LITTLE, BIG] {
        let magic = build.words(&[0x1A2B_3C4D]);
        let version = [build.u16(1), build.u16(0)].concat();
        let noted = |texts: &[&str]| {
            let options = texts.iter().map(|text| build.option(1, text.as_bytes()));
            [options.collect::<Vec<_>>().concat(), build.option(0, &[])].concat()
        };
        let section = [magic, version, vec![0xff; 8], noted(&["of the file", "again"])].concat();
        let file = [
            build.block(0x0A0D_0D0A, &section),
            build.interface(1, 0, &noted(&["of the interface"])),
            build.noted(1, 1, b"x", &noted(&["of the", "packet"])),
            build.noted(2, 1, b"y", &[]),
            build.obsolete(0, 3, 1, b"z", &noted(&["old \u{fc}"])),
        ];
        let mut capture = open(&file.concat());
        let mut said = Vec::new();
        while capture.advance() {
            said.push(capture.frame().comment.map(str::to_owned));
        }
        assert_eq!(said, [Some("of the\npacket".to_owned()), None, Some("old \u{fc}".to_owned())]);
        let comments = &capture.files()[0].comments;
        assert_eq!(*comments, ["of the file", "again", "of the interface"]);
        assert!(problems(&mut capture).is_empty());
    }
}

#[test]
fn comments_without_end_are_cut() {
    let long = "x".repeat(60_000);
    let options = LITTLE.option(1, long.as_bytes());
    let mut file = [LITTLE.section(), LITTLE.interface(1, 0, &options)].concat();
    for _ in 0..200 {
        file.extend(LITTLE.interface(1, 0, &options));
    }
    file.extend(LITTLE.noted(1, 1, b"x", &options));
    let mut capture = open(&file);
    assert!(capture.advance());
    assert_eq!(capture.frame().comment.map(str::len), Some(4096));
    let comments = &capture.files()[0].comments;
    assert_eq!((comments.len(), comments[0].len()), (64, 4096));
}

#[test]
fn names_of_addresses_are_handed_up() {
    for build in [LITTLE, BIG] {
        let v6: IpAddr = "fe80::1".parse().unwrap();
        let IpAddr::V6(octets) = v6 else { unreachable!("it is one") };
        let records = [
            build.option(1, b"\x0a\0\0\x01fs1.lab\0also\0"),
            build.option(3, b"\x02\0\0\0\0\x01mac\0"),
            build.option(2, &[&octets.octets()[..], b"six.lab\0"].concat()),
            build.option(1, b"\x0a\0\0\x02"),
            build.option(1, b"\x0a\0"),
            build.option(0, &[]),
            // An option of the block, not a record.
            build.option(1, b"\x0a\0\0\x03no\0"),
        ];
        let file = [
            build.section(),
            build.interface(1, 0, &[]),
            build.block(4, &records.concat()),
            build.packet(0, 1, 1, 1, b"x"),
        ];
        let mut capture = check(&file.concat(), &["1 1000 Ethernet 1 x"], &[]);
        let v4: IpAddr = "10.0.0.1".parse().unwrap();
        let names = [(v4, "fs1.lab".to_owned()), (v6, "six.lab".to_owned())];
        assert_eq!(capture.names(), names);
        assert!(capture.names().is_empty(), "each is given once");
    }
}

#[test]
fn blocks_that_are_not_packets_are_counted_by_name() {
    let kinds = [4, 5, 9, 10, 0x0BAD, 0x4000_0BAD, 0x8000_0001, 0x1234];
    let mut file = [LITTLE.section(), LITTLE.interface(1, 0, &[])].concat();
    for kind in kinds.into_iter().chain([5]) {
        file.extend(LITTLE.block(kind, &[0; 12]));
    }
    file.extend(LITTLE.packet(0, 1, 1, 1, b"x"));
    // Secrets of TLS, and of a type that nobody knows.
    for kind in [0x544c_534b, 7] {
        file.extend(LITTLE.block(10, &LITTLE.words(&[kind, 4, 0x7372_6168])));
    }
    // Wireshark numbers the journal and the two custom blocks.
    let capture = check(&file, &["4 1000 Ethernet 1 x"], &[]);
    let file = &capture.files()[0];
    let skipped: Vec<_> = file.skipped.iter().map(|s| format!("{} {}", s.count, s.what)).collect();
    let want = [
        "1 name resolution block",
        "2 interface statistics block",
        "1 systemd journal block",
        "1 decryption secrets block: secrets of type 0x00000000, of no use here",
        "1 custom block",
        "1 custom (not to be copied) block",
        "1 process information block",
        "1 block of type 0x00001234",
        "1 decryption secrets block: TLS key log, of no use here",
        "1 decryption secrets block: secrets of type 0x00000007, of no use here",
    ];
    assert_eq!(skipped, want);
    let blocks: u64 = file.blocks.iter().map(|(_, count)| count).sum();
    assert_eq!(blocks, 14);
}

/// Skippable frames, which may stand anywhere between the others in both formats.
fn skippable(len: u8) -> Vec<u8> {
    let mut frame = vec![0x50 | len & 0xf, 0x2a, 0x4d, 0x18, len, 0, 0, 0];
    frame.resize(8 + usize::from(len), 0xEE);
    frame
}

#[test]
fn compressed_in_several_members_and_cut() {
    type Pack = fn(&[u8]) -> Vec<u8>;
    let kinds: [(&str, Pack); 3] = [("gzip", gzip), ("zstd", zstd), ("lz4", lz4)];
    for (name, pack) in kinds {
        for plain in [LITTLE.small_pcap(), BIG.small_pcapng()] {
            let (a, b) = plain.split_at(plain.len() / 2);
            let mut parts = vec![pack(a), pack(b)];
            if name != "gzip" {
                parts = vec![skippable(3), pack(a), skippable(0), skippable(200), pack(b)];
                parts.push(skippable(1));
            }
            let packed = parts.concat();
            let capture = check(&packed, &SMALL, &[]);
            assert_eq!(capture.files()[0].compression, Some(name));
            let mut whole = 0;
            for cut in 4..packed.len() {
                let mut capture = open(&packed[..cut]);
                let got = frames(&mut capture);
                assert_eq!(got, SMALL[..got.len()], "{name} cut at {cut}");
                let wrong = problems(&mut capture);
                // Only between two members nothing seems to be missing but what is in the second.
                whole += usize::from(wrong.is_empty());
                assert!(wrong.len() <= 1, "{name} cut at {cut}: {wrong:?}");
                assert!(!wrong.is_empty() || got.len() == SMALL.len() || cut >= parts[0].len());
            }
            assert!(whole <= 3, "{name}: {whole} cuts went unnoticed");
        }
    }
}

#[test]
fn damage_to_a_compressed_stream_is_one_sentence() {
    type Pack = fn(&[u8]) -> Vec<u8>;
    let kinds: [(&str, Pack); 3] = [("gzip", gzip), ("zstd", zstd), ("lz4", lz4)];
    let mut plain = LITTLE.pcap(0xA1B2_C3D4, 1);
    let noise: Vec<u8> = (0..600u32).map(|n| ((n * n) >> 3 & 0xff) as u8).collect();
    for n in 0..2000 {
        plain.extend(LITTLE.record(n, 0, 600, 600, &noise));
    }
    for (name, pack) in kinds {
        let mut packed = pack(&plain);
        let at = packed.len() - packed.len() / 4;
        packed[at..].fill(0xff);
        let mut capture = Capture::from_reader("t", pipe(&packed, &[usize::MAX]));
        let got = frames(&mut capture).len();
        assert!(got < 2000, "{name}: {got}");
        let found = capture.problems();
        let last = found.last().unwrap();
        assert!(last.fatal && last.unpacked, "{found:?}");
        let start = format!("expected more {name} compressed data, unpacking it failed: ");
        assert!(last.message.starts_with(&start), "{found:?}");
        assert_eq!(capture.files()[0].compression, Some(name));
    }
    // What follows is neither another member nor nothing.
    for (name, pack) in &kinds[1..] {
        let mut capture = open(&[pack(&LITTLE.small_pcap()), b"trailing".to_vec()].concat());
        assert_eq!(frames(&mut capture), SMALL);
        let wrong = problems(&mut capture);
        assert!(wrong[0].ends_with("what follows the compressed data is none"), "{name} {wrong:?}");
    }
}

#[test]
fn what_other_programs_compressed_is_read() {
    // `captures/e-py-create_fails.pcap` through `zstd --ultra -22`, `lz4 -9 -BD --content-size`, and
    // `lz4 -l`, which writes the older format.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/compressed");
    let plain = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/e-py-create_fails.pcap");
    let want = frames(&mut Capture::open(&[plain.into()]));
    assert!(want.len() > 20);
    for (name, compression) in
        [("a.pcap.zst", "zstd"), ("a.pcap.lz4", "lz4"), ("l.pcap.lz4", "lz4")]
    {
        let mut capture = Capture::open(&[format!("{folder}/{name}").into()]);
        assert_eq!(frames(&mut capture), want, "{name}");
        assert!(problems(&mut capture).is_empty());
        assert_eq!(capture.files()[0].compression, Some(compression));
    }
}
