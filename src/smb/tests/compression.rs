//! Compressed messages in, messages out; and never more than was told, whatever the bytes are.

use proptest::prelude::*;

use super::compressors::{ALGORITHMS, Token, chain, chained, lz77, payload, unchained};
use super::lab::{Lab, check_data};
use super::wire::*;
use crate::bytes::{Buffer, FrameNo, Missing, Piece, Reader, Side, Span, Stop, Time, View, Why};
use crate::smb::{Packet, Plain, decompress, dissect};

/// The message in a unit, as far as it is wanted.
fn plain_of(unit: View<'_>, wanted: u32) -> Result<Plain, Stop> {
    match dissect(&mut Reader::new(unit, &mut ()), |_| panic!("a message without decompression"))? {
        Packet::Compressed(transform) => decompress(unit, &transform, wanted),
        other => panic!("{other:?}"),
    }
}

fn plain(unit: &[u8]) -> Result<Vec<u8>, Stop> {
    let plain = plain_of(View::new(unit, &[], &[]), u32::MAX)?;
    let bytes = plain.message.view().bytes().to_vec();
    assert_eq!(plain.whole, plain.message.len(), "the whole message is there");
    Ok(bytes)
}

/// A unit in which `data` stand for `size` octets behind a magic number.
fn around(algorithm: u16, size: usize, data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(size).unwrap();
    nbss(
        &[
            &b"\xfcSMB"[..],
            &size.to_le_bytes(),
            &algorithm.to_le_bytes(),
            b"\x00\x00\x04\x00\x00\x00",
            b"\xfeSMB",
            data,
        ]
        .concat(),
    )
}

/// Octets from hexadecimal digits.
fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

#[test]
fn the_examples_of_the_specification() {
    let alphabet = b"abcdefghijklmnopqrstuvwxyz";
    let hundred = b"abc".repeat(100);
    let check = |algorithm, data: &[u8], want: &[u8]| {
        let unit = around(algorithm, want.len(), data);
        assert_eq!(plain(&unit).as_deref(), Ok(&[b"\xfeSMB", want].concat()[..]), "{algorithm}");
    };
    // 3.1 Plain LZ77
    check(2, &[b"\x3f\x00\x00\x00", &alphabet[..]].concat(), alphabet);
    check(2, b"\xff\xff\xff\x1fabc\x17\x00\x0f\xff\x26\x01", &hundred);
    // 3.2 LZ77+Huffman
    let codes = |nonzero: &[(usize, &str)]| {
        let mut codes = vec![0; 256];
        for (at, digits) in nonzero {
            let digits = unhex(digits);
            codes[*at..at + digits.len()].copy_from_slice(&digits);
        }
        codes
    };
    let first = codes(&[(48, "50 55 55 55 55 55 55 55 55 55 55 45 44 04"), (128, "04")]);
    let bits = unhex("d8 52 3e d7 94 11 5b e9 19 5f f9 d6 7c df 8d 04 00 00 00 00");
    check(3, &[first, bits].concat(), alphabet);
    let second = codes(&[(48, "30 23"), (128, "02"), (143, "20")]);
    check(3, &[&second[..], b"\xa8\xdc\x00\x00\xff\x26\x01"].concat(), &hundred);
    // 3.3 LZNT1
    let song = b"F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E \
                 F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
    let data = unhex(
        "38 b0 88 46 23 20 00 20 47 20 41 00 10 a2 47 01 a0 45 20 44 00 08 45 01 50 79 00 c0 45 20 \
         05 24 13 88 05 b4 02 4a 44 ef 03 58 02 8c 09 16 01 48 45 00 be 00 9e 00 04 01 18 90 00",
    );
    check(1, &data, song);
}

/// Bytes as messages have them: a header, text that comes again, runs.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        prop::collection::vec(0u8..4, 0..300),
        (any::<u8>(), prop_oneof![0usize..400, 60_000usize..70_000])
            .prop_map(|(octet, n)| vec![octet; n]),
    ];
    prop::collection::vec(part, 0..8)
        .prop_map(|parts| [b"\xfeSMB".to_vec(), parts.concat()].concat())
}

proptest! {
    #[test]
    fn what_was_compressed_comes_back(
        message in message(),
        offset in any::<prop::sample::Index>(),
        wanted in any::<prop::sample::Index>(),
    ) {
        let wanted = u32::try_from(wanted.index(message.len() + 1)).unwrap();
        for algorithm in ALGORITHMS {
            let offset = offset.index(message.len());
            for unit in [unchained(algorithm, &message, offset), chained(algorithm, &message)] {
                let unit = nbss(&unit);
                prop_assert!(plain(&unit).as_deref() == Ok(&message), "{algorithm}, {offset}");
                // The beginning alone, and of a unit of which only the beginning is here.
                let view = View::new(&unit, &[], &[]);
                let head = plain_of(view, wanted).unwrap();
                prop_assert_eq!(head.message.len(), wanted);
                prop_assert!(message.starts_with(head.message.view().bytes()));
                let here = view.slice(Span::new(0, 30 + wanted));
                if here.len() < view.len() && let Ok(head) = plain_of(here, u32::MAX) {
                    prop_assert!(message.starts_with(head.message.view().bytes()));
                    prop_assert_eq!(usize::try_from(head.whole).unwrap(), message.len());
                }
            }
        }
    }

    #[test]
    fn noise_is_no_more_than_was_told(
        algorithm in prop::sample::select(&ALGORITHMS[..]),
        size in 0u32..100_000,
        data in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            // Codes that are complete, so that something comes of them.
            prop::collection::vec(any::<u8>(), 0..100).prop_map(|data| [vec![0x99; 256], data].concat()),
        ],
    ) {
        let size = usize::try_from(size).unwrap();
        match plain(&around(algorithm, size, &data)) {
            Ok(message) => prop_assert_eq!(message.len(), 4 + size),
            Err(stop) => prop_assert!(stop.is_malformed()),
        }
        // In a chain: what was told of each, and of all.
        let told = [&u32::try_from(size).unwrap().to_le_bytes()[..], &data].concat();
        let mut part = payload(0, &told);
        part[..2].copy_from_slice(&algorithm.to_le_bytes());
        let unit = nbss(&chain(4 + size, &[payload(0, b"\xfeSMB"), part]));
        if let Ok(message) = plain(&unit) {
            prop_assert_eq!(message.len(), 4 + size);
        }
    }
}

#[test]
fn lengths_of_every_form() {
    for len in (3..40).chain([270, 279, 280, 281, 300, 65_535, 65_538, 65_539, 100_000, 8 << 20]) {
        let message = [&b"\xfeSMB"[..], &vec![b'a'; len + 1], b"yz"].concat();
        for algorithm in ALGORITHMS {
            let unit = nbss(&unchained(algorithm, &message, 4));
            assert!(plain(&unit).as_deref() == Ok(&message), "{len} with {algorithm}");
        }
    }
}

#[test]
fn a_chunk_of_lznt1_may_be_stored() {
    let text = b"stored and stored";
    let stored = [&b"\x10\x30"[..], text].concat();
    let mixed = [&stored[..], b"\x03\xb0\x02a\x00\x00"].concat();
    let unit = around(1, text.len() + 4, &mixed);
    assert_eq!(plain(&unit).unwrap(), b"\xfeSMBstored and storedaaaa");
}

/// A message with a run at its end, whose compressed form has every kind of payload.
fn sample() -> Vec<u8> {
    let data = [&b"some data, some data, and more data: "[..], &[0xaa; 300]].concat();
    Msg::ask(9, 7, IPC, write(0xf1, 0, &data)).unit()[4..].to_vec()
}

#[test]
fn every_shorter_message_is_malformed() {
    let message = sample();
    for algorithm in ALGORITHMS {
        for (what, whole) in [
            ("unchained", unchained(algorithm, &message, 0)),
            ("behind an offset", unchained(algorithm, &message, 80)),
            ("chained", chained(algorithm, &message)),
        ] {
            assert_eq!(plain(&nbss(&whole)).as_deref(), Ok(&message[..]));
            // Of Huffman codes, the last words may be the end of the data, which nobody asks for.
            let spare = if algorithm == 3 && what != "chained" { 4 } else { 0 };
            for n in 4..whole.len() - spare {
                let stop = plain(&nbss(&whole[..n])).map(|_| ());
                let stop = stop.expect_err(&format!("{algorithm} {what} at {n} octets"));
                assert!(stop.is_malformed(), "{algorithm} {what} at {n} octets: {stop}");
                // The same octets, if there is more that was not kept.
                let cut =
                    [&u32::try_from(whole.len()).unwrap().to_be_bytes()[..], &whole[..n]].concat();
                match plain_of(View::new(&cut, &[], &[]), u32::MAX) {
                    Ok(plain) => assert!(message.starts_with(plain.message.view().bytes())),
                    Err(stop) => assert_eq!(stop.why, Why::Missing(Missing::Capped)),
                }
            }
        }
    }
}

#[test]
fn a_bad_size_or_length_is_malformed() {
    let message = sample();
    let check = |what: &str, unit: &[u8], at: usize, old: u32, new: u32| {
        let mut unit = unit.to_vec();
        let field = &mut unit[at..at + 4];
        assert_eq!(field, old.to_le_bytes(), "{what}");
        field.copy_from_slice(&new.to_le_bytes());
        let stop = plain(&nbss(&unit)).expect_err(&format!("{what} {new}"));
        assert!(stop.is_malformed(), "{what} {new}: {stop}");
    };
    let size = u32::try_from(message.len()).unwrap();
    for algorithm in ALGORITHMS {
        let unit = unchained(algorithm, &message, 80);
        let rest = u32::try_from(unit.len()).unwrap() - 16;
        for bad in [0, size - 81, size - 79, 9 << 20, u32::MAX] {
            // What is left over behind data that are complete is nobody's business.
            if bad > size - 80 {
                check("OriginalCompressedSegmentSize", &unit, 4, size - 80, bad);
            }
        }
        for bad in [rest + 1, 9 << 20, u32::MAX] {
            check("Offset", &unit, 12, 80, bad);
        }
        let unit = chained(algorithm, &message);
        for bad in [0, size - 1, size + 1, 9 << 20, u32::MAX] {
            check("OriginalCompressedSegmentSize", &unit, 4, size, bad);
        }
        for bad in [0, 63, 65, u32::MAX] {
            check("Length of the first", &unit, 12, 64, bad);
        }
        let second = 8 + 8 + 64;
        let length = u32::from_le_bytes(unit[second + 4..second + 8].try_into().unwrap());
        for bad in [0, 3, 4, length - 1, length + 1, u32::MAX] {
            check("Length of the second", &unit, second + 4, length, bad);
        }
        let middle = size - 64 - 300;
        for bad in [0, middle - 1, middle + 1, u32::MAX] {
            check("OriginalPayloadSize", &unit, second + 8, middle, bad);
        }
        let last = unit.len() - 16;
        for bad in [0, 7, 9, u32::MAX] {
            check("Length of the pattern", &unit, last + 4, 8, bad);
        }
        for bad in [0, 299, 301, u32::MAX] {
            check("Repetitions", &unit, last + 12, 300, bad);
        }
    }
    let mut unit = unchained(2, &message, 80);
    for algorithm in [0u16, 4, 6, u16::MAX] {
        unit[8..10].copy_from_slice(&algorithm.to_le_bytes());
        assert!(plain(&nbss(&unit)).is_err_and(|stop| stop.is_malformed()), "{algorithm}");
    }
    let mut unit = chained(2, &message);
    for algorithm in [6u16, u16::MAX] {
        unit[80..82].copy_from_slice(&algorithm.to_le_bytes());
        assert!(plain(&nbss(&unit)).is_err_and(|stop| stop.is_malformed()), "{algorithm}");
    }
}

#[test]
fn flags_behind_the_first_mean_nothing() {
    let message = sample();
    let mut unit = chained(2, &message);
    unit[82..84].copy_from_slice(&[0xff, 0xff]);
    assert_eq!(plain(&nbss(&unit)).as_deref(), Ok(&message[..]));
}

#[test]
fn data_that_cannot_be_are_malformed() {
    let full = vec![0x99; 256];
    let over = [vec![0x11], vec![0x99; 255]].concat();
    let lacking = [vec![0x90], vec![0x99; 255]].concat();
    // Symbol 287, a match of 18 and more, then octets that say how much more.
    let match_of = |octets: &[u8]| [&full[..], b"\x80\x8f\x00\x00", octets].concat();
    let behind = lz77(&[Token::Literal(b'a'), Token::Match { distance: 2, len: 3 }]);
    let cases: [(&str, u16, &[u8]); 12] = [
        ("LZ77: before the start", 2, &behind),
        ("LZ77: longer than told", 2, b"\xff\xff\xff\x7fa\x07\x00\x0f\xff\xff\xff"),
        (
            "LZ77: a long length below what is short",
            2,
            b"\xff\xff\xff\x7fa\x07\x00\x0f\xff\x15\x00",
        ),
        ("LZ77: the same in four octets", 2, b"\xff\xff\xff\x7fa\x07\x00\x0f\xff\0\0\x15\0\0\0"),
        ("LZNT1: before the start", 1, b"\x03\xb0\x02a\x00\x20"),
        ("LZNT1: before the chunk", 1, b"\x00\x30a\x02\xb0\x01\x00\x00"),
        ("LZ4: before the start", 5, b"\x10a\x02\x00"),
        ("LZ4: no distance", 5, b"\x10a\x00\x00"),
        ("Huffman: too many codes", 3, &[&over[..], &[0; 8]].concat()),
        ("Huffman: too few codes", 3, &[&lacking[..], &[0; 8]].concat()),
        ("Huffman: before the start", 3, &match_of(&[0])),
        ("Huffman: a long length below what is short", 3, &match_of(&[255, 14, 0])),
    ];
    for (what, algorithm, data) in cases {
        let stop = plain(&around(algorithm, 50, data)).expect_err(what);
        assert!(stop.is_malformed() && !stop.to_string().contains("too early"), "{what}: {stop}");
    }
    for ends in [&b"\x00\x30a\x00\x00more"[..], b"\x02\xb0\x02a\x00\x03\x30more"] {
        let stop = plain(&around(1, 5, ends)).expect_err("an end, or half a match");
        assert!(stop.to_string().contains("too early"), "{stop}");
    }
    // A chunk of LZNT1 is of 4096 octets.
    let chunk = |len: u16| [b"\x03\xb0\x02a", &(len - 3).to_le_bytes()[..]].concat();
    assert_eq!(plain(&around(1, 4096, &chunk(4095))).unwrap().len(), 4100);
    assert!(plain(&around(1, 4098, &chunk(4097))).is_err());
    let nested = unchained(2, &unchained(2, &sample(), 0), 0);
    assert!(plain(&nbss(&nested)).is_err(), "no SMB2 message");
}

fn piece(at: u32, len: u32, frame: u64) -> Piece {
    let time = Time::from_nanos(i128::from(frame));
    Piece { at, len, frame: FrameNo(frame), offset: 54, time, made: false }
}

#[test]
fn octets_tell_the_frames_they_were_made_from() {
    let message = sample();
    let unit = nbss(&unchained(2, &message, 80));
    let len = u32::try_from(unit.len()).unwrap();
    let pieces = [piece(0, 60, 7), piece(60, len - 60, 9)];
    let plain = plain_of(View::new(&unit, &pieces, &[]), u32::MAX).unwrap();
    let view = plain.message.view();
    // Behind 20 octets of headers the message goes on as it is.
    let before: Vec<_> = view.slice(Span::new(0, 80)).pieces().collect();
    assert_eq!(before, [Piece { offset: 54 + 20, ..piece(0, 40, 7) }, piece(40, 40, 9)]);
    for at in 80..view.len() {
        let octet = view.slice(Span::new(at, at + 1));
        assert_eq!(octet.frames(), [FrameNo(7), FrameNo(9)], "{at}");
        assert!(octet.pieces().all(|piece| piece.made), "{at}");
    }
    assert_eq!(view.time(), Some(Time::from_nanos(9)));
}

#[test]
fn what_has_a_hole_is_not_decompressed() {
    let unit = nbss(&unchained(2, &sample(), 80));
    let mut torn = Buffer::default();
    torn.push(View::new(&unit[..50], &[], &[]));
    torn.push_hole(2, Missing::Lost);
    torn.push(View::new(&unit[52..], &[], &[]));
    let stop = plain_of(torn.view(), u32::MAX).expect_err("octets are missing");
    assert_eq!(stop.why, Why::Missing(Missing::Lost));
}

#[test]
fn a_pipe_is_used_through_compressed_messages() {
    for algorithm in ALGORITHMS {
        let mut lab = Lab::new();
        let pipe = lab.pipe(0xf1);
        let ask = lab.ask(9, IPC, write(0xf1, 0, &pdu(0, 400)));
        let unit = nbss(&unchained(algorithm, &ask.unit()[4..], 0));
        check_data(&lab.unit(1, 1, &unit), pipe, Side::Client, 400);
        let ask = lab.ask(8, IPC, read(0xf1, 0));
        let chain = compound(&[ask.clone(), lab.ask(6, IPC, close(0xf1))]);
        let unit = nbss(&chained(algorithm, &chain[4..]));
        assert_eq!(lab.unit(1, 1, &unit), []);
        let unit = nbss(&chained(algorithm, &ask.answer(read_answer(&pdu(2, 900))).unit()[4..]));
        check_data(&lab.unit(1, 1, &unit), pipe, Side::Server, 900);
        let counters = lab.smb.counters();
        assert_eq!(
            (counters.compressed, counters.compressed_unread, counters.malformed),
            (3, 0, 0)
        );
        let used: Vec<_> = counters.compressions().map(|(used, n)| (used.0, n)).collect();
        assert!(used.contains(&(algorithm, 3)), "{used:?}");
    }
}

#[test]
fn of_the_data_of_files_nothing_is_decompressed() {
    let mut lab = Lab::new();
    lab.open("big.bin", DISK, 0xd1, 1 << 30);
    let ask = lab.ask(9, DISK, write(0xd1, 0, &vec![0; 1 << 20]));
    for unit in [unchained(3, &ask.unit()[4..], 0), chained(2, &ask.unit()[4..])] {
        let unit = nbss(&unit);
        let (events, plain) = lab.take(1, 1, &unit, u32::try_from(unit.len()).unwrap());
        assert_eq!(events, []);
        let plain = plain.unwrap();
        assert_eq!((plain.message.len(), plain.whole), (112, (1 << 20) + 112));
    }
    let writes = lab.smb.counters().messages().find(|(command, _)| command.0 == 9);
    assert_eq!(writes.map(|(_, n)| n), Some(2));
    assert_eq!(lab.smb.counters().malformed, 0);
}

#[test]
fn a_long_compressed_message_is_skimmed_to_its_header() {
    let mut lab = Lab::new();
    let mut state = 1u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    })
    .take(200_000)
    .collect();
    let ask = lab.ask(9, DISK, write(0xd1, 0, &noise));
    for algorithm in ALGORITHMS {
        let unit = nbss(&unchained(algorithm, &ask.unit()[4..], 0));
        let crate::bytes::Framed::Skim { keep, whole } = lab.frame(&unit[..8]) else {
            panic!("{algorithm}: {:?}", lab.frame(&unit[..8]));
        };
        let here = usize::try_from(keep).unwrap();
        let (events, plain) = lab.take(1, 1, &unit[..here], whole);
        assert_eq!((events, plain.unwrap().message.len()), (vec![], 112), "{algorithm}");
    }
    assert_eq!(lab.smb.counters().malformed, 0);
}

#[test]
fn what_cannot_be_decompressed_is_counted() {
    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    let mut unit = nbss(&unchained(2, &sample(), 80));
    unit[8] ^= 1;
    assert_eq!(lab.unit(1, 1, &unit), []);
    assert_eq!(lab.unit(1, 1, &nbss(b"\xfcSMB\x00\x00")), []);
    let counters = lab.smb.counters();
    assert_eq!((counters.compressed, counters.compressed_unread, counters.malformed), (2, 2, 2));
    // What was lost may have been a pipe's, and is no fault of the sender.
    let mut torn = Buffer::default();
    torn.push(View::new(&unit[..50], &[], &[]));
    torn.push_hole(40, Missing::Lost);
    torn.push(View::new(&unit[90..], &[], &[]));
    let mut out = Vec::new();
    let (id, ends) = (crate::smb::ConnectionId(1), Lab::ends(1));
    assert!(lab.smb.advance(id, ends, torn.view(), torn.len(), &mut out).is_none());
    assert_eq!(out, [crate::smb::Event::PipeTorn { pipe }]);
    assert_eq!((lab.smb.counters().compressed_unread, lab.smb.counters().malformed), (3, 2));
}
