//! Datagrams put together from parts in any order, beside a model that knows nothing but octets.

use proptest::prelude::*;

use super::super::fragments::{Counters, Datagram};
use super::*;
use crate::bytes::{Buffer, Missing};

const FOUR: ([&str; 2], Option<u16>) = (["10.0.0.1", "10.0.0.2"], Some(1));
const SIX: ([&str; 2], Option<u16>) = (["fd00::1", "fd00::2"], None);

fn part(family: ([&str; 2], Option<u16>), offset: usize, len: usize, more: bool) -> Fragment {
    let ([src, dst], identification) = family;
    let ip =
        Ip { src: src.parse().unwrap(), dst: dst.parse().unwrap(), protocol: 6, identification };
    Fragment {
        ip,
        identification: 1,
        offset: clamp(offset),
        more,
        payload: Span::new(0, clamp(len)),
        payload_len: clamp(len),
    }
}

/// Parts as frames carry them, each with the next number.
#[derive(Default)]
struct Lab {
    fragments: Fragments,
    frame: u64,
    now: i64,
}

impl Lab {
    fn take(&mut self, fragment: &Fragment, bytes: &[u8]) -> Option<Datagram> {
        self.frame += 1;
        let (len, time) = (clamp(bytes.len()), Time::from_nanos(self.now.into()));
        let piece = Piece { at: 0, len, frame: FrameNo(self.frame), offset: 34, time, made: false };
        self.fragments.take(fragment, View::new(bytes, &[piece], &[]), time)
    }

    fn counters(&self) -> Counters {
        self.fragments.counters()
    }
}

fn octets(datagram: &Datagram) -> Vec<u8> {
    let view = datagram.bytes.view();
    let carried: u32 = view.pieces().map(|piece| piece.len).sum();
    let holes: u32 = view.holes().map(|hole| hole.len).sum();
    assert_eq!(carried + holes, view.len(), "every byte has its frame or is in a hole");
    view.bytes().to_vec()
}

proptest! {
    #[test]
    fn any_cut_order_and_repetition_gives_the_datagram(
        six in any::<bool>(),
        len in 9usize..3000,
        cuts in prop::collection::vec(1usize..375, 1..20),
        order in prop::collection::vec(any::<usize>(), 60),
        again in prop::collection::vec(any::<usize>(), 0..10),
    ) {
        let family = if six { SIX } else { FOUR };
        let bytes: Vec<u8> = (0..len).map(|n| u8::try_from(n * 7 % 251).unwrap()).collect();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut * 8).filter(|end| *end < len).collect();
        ends.extend([8, len]);
        ends.sort_unstable();
        ends.dedup();
        let mut from = 0;
        let mut parts = Vec::new();
        for end in ends {
            parts.push((from, end));
            from = end;
        }
        for n in again {
            parts.push(parts[n % parts.len()]);
        }
        let keys: Vec<_> = order.iter().cycle().copied().take(parts.len()).collect();
        let mut numbered: Vec<_> = keys.into_iter().zip(parts.iter().copied()).enumerate().collect();
        numbered.sort_by_key(|(n, (key, _))| (key.wrapping_mul(n + 1), *n));
        let mut lab = Lab::default();
        let mut given = Vec::new();
        for (_, (_, (from, end))) in numbered {
            let fragment = part(family, from, end - from, end < len);
            given.extend(lab.take(&fragment, &bytes[from..end]));
        }
        prop_assert_eq!(given.len(), 1);
        prop_assert_eq!(octets(&given[0]), bytes);
        let counters = lab.counters();
        prop_assert_eq!(counters.conflicts + counters.overlaps + counters.incomplete, 0);
        prop_assert_eq!(counters.fragments, u64::try_from(parts.len()).unwrap());
    }

    #[test]
    fn overlaps_are_as_a_model_of_octets_has_them(
        parts in prop::collection::vec((0usize..12, 1usize..6, any::<u8>(), 0usize..4), 1..60),
    ) {
        let mut model: Vec<Option<u8>> = Vec::new();
        let mut end = None;
        let mut conflicts = 0;
        let mut lab = Lab::default();
        for (start, units, fill, last) in parts {
            let (more, start) = (last > 0, start * 8);
            let to = start + units * 8;
            let given = lab.take(&part(FOUR, start, to - start, more), &vec![fill; to - start]);
            let far = model.iter().rposition(Option::is_some).map_or(0, |at| at + 1);
            let refused = match (end, more) {
                (Some(end), true) => to > end,
                (Some(end), false) => to != end,
                (None, true) => false,
                (None, false) => far > to,
            };
            if refused {
                conflicts += 1;
                prop_assert_eq!(lab.counters().conflicts, conflicts);
                prop_assert!(given.is_none());
                continue;
            }
            if !more {
                end = Some(to);
            }
            if model.len() < to {
                model.resize(to, None);
            }
            conflicts += u64::from(model[start..to].iter().flatten().any(|byte| *byte != fill));
            for byte in &mut model[start..to] {
                *byte = byte.or(Some(fill));
            }
            prop_assert_eq!(lab.counters().conflicts, conflicts);
            let whole = end.is_some_and(|end| model[..end].iter().all(Option::is_some));
            prop_assert_eq!(given.is_some(), whole);
            if let Some(given) = given {
                let expected: Vec<u8> = model.iter().flatten().copied().collect();
                prop_assert_eq!(octets(&given), expected);
                return Ok(());
            }
        }
        prop_assert_eq!(lab.counters().incomplete, 1);
    }
}

#[test]
fn what_the_snap_length_cut_is_a_hole() {
    let mut lab = Lab::default();
    assert!(lab.take(&part(FOUR, 16, 8, false), b"qr").is_none());
    let whole = lab.take(&part(FOUR, 0, 16, true), b"abcdefghijkl").unwrap();
    assert_eq!(octets(&whole), b"abcdefghijkl\0\0\0\0qr\0\0\0\0\0\0");
    let holes: Vec<_> =
        whole.bytes.view().holes().map(|hole| (hole.at, hole.len, hole.why)).collect();
    assert_eq!(holes, [(12, 4, Missing::Snapped), (18, 6, Missing::Snapped)]);
    let pieces: Vec<_> =
        whole.bytes.view().pieces().map(|piece| (piece.at, piece.frame.0, piece.offset)).collect();
    assert_eq!(pieces, [(0, 2, 34), (16, 1, 34)]);
}

#[test]
fn a_receiver_of_ipv6_drops_what_overlaps() {
    let mut lab = Lab::default();
    assert!(lab.take(&part(SIX, 0, 16, true), &[1; 16]).is_none());
    assert!(lab.take(&part(SIX, 0, 16, true), &[1; 16]).is_none(), "an exact copy is none");
    assert!(lab.take(&part(SIX, 8, 16, false), &[1; 16]).is_none());
    assert!(lab.take(&part(SIX, 16, 8, false), &[1; 8]).is_none());
    let expected = Counters { fragments: 4, repeated: 2, dropped: 1, ..Counters::default() };
    assert_eq!(lab.counters(), expected);
}

#[test]
fn copies_of_a_datagram_are_no_new_one_and_a_number_may_be_used_again() {
    let mut lab = Lab::default();
    let (first, last) = (part(FOUR, 0, 8, true), part(FOUR, 8, 8, false));
    assert!(lab.take(&first, b"aaaaaaaa").is_none());
    assert!(lab.take(&last, b"bbbbbbbb").is_some());
    assert!(lab.take(&first, b"aaaaaaaa").is_none());
    assert!(lab.take(&last, b"bbbbbbbb").is_none());
    assert!(lab.take(&first, b"cccccccc").is_none());
    assert_eq!(octets(&lab.take(&last, b"dddddddd").unwrap()), b"ccccccccdddddddd");
    let expected = Counters { fragments: 6, datagrams: 2, repeated: 2, ..Counters::default() };
    assert_eq!(lab.counters(), expected);
}

#[test]
fn what_never_comes_is_given_up_and_counted() {
    let mut lab = Lab::default();
    assert!(lab.take(&part(FOUR, 0, 8, true), &[1; 8]).is_none());
    assert_eq!(lab.counters().incomplete, 1, "at the end of the capture");
    lab.now = MAX_AGE + 1;
    assert!(lab.take(&part(FOUR, 8, 8, false), &[1; 8]).is_none(), "the first part is too old");
    assert_eq!(lab.counters().incomplete, 2);
}

#[test]
fn what_waits_is_bounded() {
    let mut lab = Lab::default();
    let count = u32::try_from(MAX_DATAGRAMS).unwrap() + 100;
    for identification in 0..count {
        let fragment = Fragment { identification, ..part(SIX, 0, 8, true) };
        assert!(lab.take(&fragment, &[1; 8]).is_none());
    }
    let last = |identification| Fragment { identification, ..part(SIX, 8, 8, false) };
    assert!(lab.take(&last(0), &[1; 8]).is_none(), "the oldest are gone");
    assert!(lab.take(&last(count - 1), &[1; 8]).is_some());
    assert_eq!(lab.counters().incomplete, u64::from(count));
    let big = vec![1; 32768];
    for identification in 0..2000 {
        let fragment = Fragment { identification, ..part(FOUR, 0, big.len(), true) };
        assert!(lab.take(&fragment, &big).is_none());
        // The clock stands still and every datagram is begun again.
        assert!(lab.fragments.held() <= MAX_HELD, "{}", lab.fragments.held());
    }
}

#[test]
fn a_datagram_is_read_on_like_a_packet() {
    let whole = tcp(PAYLOAD);
    let mut lab = Lab::default();
    assert!(lab.take(&part(SIX, 0, 24, true), &whole[..24]).is_none());
    let datagram = lab.take(&part(SIX, 24, 6, false), &whole[24..]).unwrap();
    let Dissected::Tcp(found) = datagram.ip.dissect(datagram.bytes.view()) else { panic!() };
    assert_eq!((found.seq, found.payload, found.payload_len), (7, Span::new(24, 30), 6));
    let mut tree = Tree::default();
    datagram.ip.rows(datagram.bytes.view(), &mut tree);
    assert_eq!(value(&tree, "Sequence Number"), "7");
    // A header of which bytes were cut off is short; one that does not fit is malformed.
    let mut cut = Buffer::default();
    cut.push(View::new(&whole[..10], &[], &[]));
    cut.push_hole(20, Missing::Snapped);
    let short = datagram.ip.dissect(cut.view());
    assert_eq!(short, Dissected::Other(Other::Short("TCP header")));
    let tiny = View::new(&whole[..10], &[], &[]);
    assert_eq!(datagram.ip.dissect(tiny), Dissected::Other(Other::Malformed("TCP header")));
}
