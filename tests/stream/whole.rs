//! Changes of form: the end of the file, the sizes of reads, sequence numbers, ports used again.

use std::io::{self, Cursor, Read};

use proptest::prelude::*;
use vshark::call::Outcome;
use vshark::capture::Capture;
use vshark::pipeline::Pipeline;

use super::CAPTURES;
use super::read::{REGISTRY, Reading, losses, read, read_from};
use super::wire::{Trace, Way, boundaries, file};

/// A reader that gives as many bytes at a time as `sizes` say.
struct Pieces {
    from: Cursor<Vec<u8>>,
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = self.sizes.next().unwrap().min(buf.len());
        self.from.read(&mut buf[..len])
    }
}

/// What the first `len` bytes of a capture file tell is what the whole tells of those calls.
fn check_prefix(name: &str, file: &[u8], len: usize, whole: &Reading) {
    let part = read(&file[..len]);
    if let Err(what) = losses(&part, whole) {
        panic!("{name}, the first {len} bytes: {what}");
    }
    // What was asked before the end is not changed by what comes after it.
    for (part, whole) in part.calls.iter().zip(&whole.calls) {
        let same = |a: &vshark::call::Call| (a.rpc.n, a.rpc.opnum, a.rpc.interface, a.rpc.transfer);
        assert_eq!(same(part), same(whole), "{name}, the first {len} bytes");
        let complete = part.rpc.request.as_ref().is_some_and(|request| request.complete);
        if complete {
            assert_eq!(part.request.decoded, whole.request.decoded, "{name}, {len} bytes");
        }
        let answered = part.outcome != Outcome::NoResponse;
        assert!(
            !answered || part.response.decoded == whole.response.decoded,
            "{name}, {len} bytes"
        );
    }
}

#[test]
fn a_prefix_of_a_capture_tells_a_prefix_of_its_calls() {
    for name in CAPTURES {
        let file = file(name);
        let whole = read(&file);
        let step = file.len() / 60;
        for len in (0..file.len()).step_by(step) {
            check_prefix(name, &file, len, &whole);
        }
    }
}

#[test]
fn a_capture_may_end_after_any_packet() {
    for name in ["a-ntlm-sign-smb311.pcap", "e-py-fragmented.pcap"] {
        let file = file(name);
        let whole = read(&file);
        for len in boundaries(&file) {
            check_prefix(name, &file, len, &whole);
        }
        assert_eq!(read(&file[..boundaries(&file).pop().unwrap()]).records(), whole.records());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn sizes_of_reads_change_nothing(
        name in prop::sample::select(&CAPTURES[..]),
        sizes in prop::collection::vec(1usize..5000, 1..6),
        small in any::<bool>(),
    ) {
        let sizes: Vec<_> = sizes.into_iter().map(|n| if small { n % 20 + 1 } else { n }).collect();
        let file = file(name);
        let whole = read(&file);
        let pieces = Pieces { from: Cursor::new(file), sizes: sizes.into_iter().cycle() };
        let pieces = Capture::from_reader("t", Box::new(pieces));
        let part = read_from(pieces, Pipeline::new(&REGISTRY));
        prop_assert_eq!(part.records(), whole.records());
        prop_assert_eq!(format!("{:?}", part.summary), format!("{:?}", whole.summary));
    }

    #[test]
    fn sequence_numbers_may_wrap_anywhere(
        name in prop::sample::select(&CAPTURES[..]),
        wraps in prop::collection::vec(any::<prop::sample::Index>(), 8),
    ) {
        let mut trace = Trace::open(name);
        let whole = read(&trace.bytes());
        for (way, wrap) in trace.ways().into_iter().zip(wraps) {
            // The direction goes through zero within one of its packets, or at its edge.
            let mut seqs: Vec<_> = sent(&trace, way);
            seqs.dedup();
            let zero = *wrap.get(&seqs);
            trace.shift(way, zero.wrapping_neg());
        }
        prop_assert_eq!(read(&trace.bytes()).records(), whole.records());
    }

    #[test]
    fn ports_used_again_are_other_connections(
        name in prop::sample::select(&CAPTURES[..]),
        shifts in prop::collection::vec(1u32.., 8),
        pause in prop::sample::select(vec![1_000u64, 1_000_000, 3_600_000_000]),
    ) {
        let first = Trace::open(name);
        let once = read(&first.bytes());
        let mut second = first.clone();
        for (way, shift) in first.ways().into_iter().zip(shifts) {
            second.shift(way, shift);
        }
        let length = first.packets.last().unwrap().time - first.packets[0].time;
        for packet in &mut second.packets {
            packet.time += length + pause;
        }
        let both = first.with([&first.packets[..], &second.packets].concat());
        let twice = read(&both.bytes());
        let count = once.calls.len();
        prop_assert_eq!(twice.calls.len(), 2 * count);
        let shown = |reading: &Reading| -> Vec<_> {
            let mut records = reading.timeless();
            for (n, record) in records.iter_mut().enumerate() {
                record["n"] = (n % count + 1).into();
            }
            records
        };
        let (once, twice) = (shown(&once), shown(&twice));
        prop_assert_eq!(&twice[..count], &once[..]);
        prop_assert_eq!(&twice[count..], &once[..]);
    }
}

/// Sequence numbers within the packets of one direction: of the first byte, of one in the middle,
/// and of the one after the last.
fn sent(trace: &Trace, way: Way) -> Vec<u32> {
    let mine = trace.packets.iter().filter(|packet| packet.way() == Some(way));
    mine.flat_map(|packet| {
        let half = packet.end().wrapping_sub(packet.seq()) / 2;
        [packet.seq(), packet.seq().wrapping_add(half), packet.end()]
    })
    .collect()
}
