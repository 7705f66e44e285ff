//! How far the clocks of several captures are apart, from packets seen by more than one of them.
//!
//! Takes the files of one input and gives a [`Skew`] for each whose clock could be compared. It
//! reads them before the layers do, and knows nothing of streams.
//!
//! A packet is the same in two files when its addresses, ports, numbers, flags, length and the
//! first bytes of its payload are, and the identification of IPv4. Time to live, checksums, link
//! layer and tunnels differ from place to place and do not count. What is there twice in a file,
//! as a segment sent again is, is left out; copies less than a millisecond apart are one packet
//! that was recorded at two places of the same machine.
//!
//! ```text
//!   first file's side           other file's side         difference of the two times
//!     ├───────── packet ──────────►│                      skew + delay  ≥ skew
//!     │◄──────── packet ───────────┤                      skew − delay  ≤ skew
//! ```
//!
//! Packets of one direction bound the skew from above, those of the other from below; the estimate
//! is the middle, and half the distance is how wrong it can be. Where the bounds cross, because the
//! clocks do not run equally fast, it is the middle of the two medians, and what is farthest from
//! it says how wrong it can be. With one direction only it is the median.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use crate::bytes::{Span, Time, View};
use crate::capture::{Capture, Frame};
use crate::net::{self, Dissected};

/// Packets kept of all files together; when there are more, every second one is forgotten, by what
/// it is, so that the same are kept of every file.
const MAX_SAMPLES: usize = 1 << 19;

/// Bytes looked at in all files together.
const MAX_BYTES: u64 = 1 << 30;

/// How far clocks may be apart, in nanoseconds: a day, and a mistaken time zone.
const WINDOW: i64 = 26 * 3_600_000_000_000;

/// Packets that two files must share.
const MIN_PACKETS: usize = 3;

/// The longest time between two records of one packet in the same file, in nanoseconds. A sender
/// waits longer before it repeats a packet (\[RFC 6298\] 2.4).
const COPY: i64 = 1_000_000;

/// Bytes of a payload that must be the same.
const TELLING: u32 = 64;

/// How far the clock of a file is ahead of that of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// The file whose clock is taken to be right: the first one that can be compared with it.
    pub of: usize,
    /// Nanoseconds its clock is ahead.
    pub ahead: i64,
    /// How many nanoseconds the estimate may be off.
    pub uncertainty: i64,
    /// Packets it rests on.
    pub packets: u64,
    /// Whether they went in both directions; if not, the delay of the network is part of the
    /// estimate.
    pub both_ways: bool,
}

/// Compares the clocks of files, in their order. `None` where a file has no packets in common with
/// an earlier one, and for the first. What cannot be read is told when it is read in earnest.
pub fn estimate(paths: &[PathBuf]) -> Vec<Option<Skew>> {
    let starts: Vec<Option<Time>> = paths.iter().map(first_time).collect();
    let budget = MAX_BYTES / u64::try_from(paths.len().max(1)).unwrap_or(1);
    let mut samples = Samples::up_to(MAX_SAMPLES);
    for (file, path) in paths.iter().enumerate() {
        let others = starts.iter().enumerate().filter(|(other, _)| *other != file);
        let Some(from) = others.filter_map(|(_, start)| *start).min() else { continue };
        let mut left = budget;
        let mut capture = Capture::open(std::slice::from_ref(path));
        while left > 0 && capture.advance() {
            let frame = capture.frame();
            if from.since(frame.time) <= WINDOW {
                left = left.saturating_sub(u64::from(frame.wire_len).min(1 << 16));
                samples.see(file, &frame);
            }
        }
    }
    compare(&samples.finish(), paths.len())
}

fn first_time(path: &PathBuf) -> Option<Time> {
    let mut capture = Capture::open(std::slice::from_ref(path));
    capture.advance().then(|| capture.frame().time)
}

/// A packet that a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    /// What tells it from all others.
    print: u64,
    file: usize,
    time: Time,
    way: Way,
}

/// Between which machines a packet went, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    pair: u64,
    forward: bool,
}

/// Packets of all files, thinned out as they become too many.
#[derive(Debug)]
struct Samples {
    /// Added by packets; halved when there are too many.
    kept: Vec<Sample>,
    most: usize,
    /// Bits of a print that must be zero.
    mask: u64,
}

impl Samples {
    fn up_to(most: usize) -> Self {
        Self { kept: Vec::new(), most, mask: 0 }
    }

    fn see(&mut self, file: usize, frame: &Frame<'_>) {
        let view = View::new(frame.data, &[], &[]);
        let Dissected::Tcp(tcp) = net::dissect(frame.link, view, frame.wire_len) else { return };
        let payload = view.slice(tcp.payload).slice(Span::new(0, TELLING)).bytes();
        let mut print = DefaultHasher::new();
        (tcp.src, tcp.dst, tcp.identification, tcp.seq, tcp.ack).hash(&mut print);
        (tcp.syn, tcp.fin, tcp.rst, tcp.psh, tcp.payload_len, payload).hash(&mut print);
        let print = print.finish();
        if print & self.mask != 0 {
            return;
        }
        let (src, dst) = (tcp.src.ip(), tcp.dst.ip());
        let mut pair = DefaultHasher::new();
        (src.min(dst), src.max(dst)).hash(&mut pair);
        let way = Way { pair: pair.finish(), forward: src < dst };
        self.kept.push(Sample { print, file, time: frame.time, way });
        while self.kept.len() > self.most && self.mask < u64::MAX {
            self.mask = self.mask << 1 | 1;
            let mask = self.mask;
            self.kept.retain(|sample| sample.print & mask == 0);
        }
    }

    /// The packets by what they are, each once per file.
    fn finish(mut self) -> Vec<Sample> {
        self.kept.sort_unstable();
        let mut once = Vec::new();
        for same in self.kept.chunk_by(|a, b| (a.print, a.file) == (b.print, b.file)) {
            let times = same.first().zip(same.last());
            if let Some((first, last)) = times
                && last.time.since(first.time) <= COPY
            {
                once.push(*first);
            }
        }
        once
    }
}

/// How far two clocks are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Apart {
    ahead: i64,
    uncertainty: i64,
    packets: usize,
    both_ways: bool,
}

/// Compares each file with the others, over other files where two have nothing in common.
fn compare(samples: &[Sample], files: usize) -> Vec<Option<Skew>> {
    // Of each packet that several files have, the first of them with each of the others.
    let mut shared: BTreeMap<(usize, usize), Vec<(Way, i64)>> = BTreeMap::new();
    for same in samples.chunk_by(|a, b| a.print == b.print) {
        let Some((first, others)) = same.split_first() else { continue };
        for other in others {
            let apart = (other.way, other.time.since(first.time));
            shared.entry((first.file, other.file)).or_default().push(apart);
        }
    }
    let mut edges: Vec<(usize, usize, Apart)> =
        shared.into_iter().filter_map(|((a, b), seen)| Some((a, b, apart(&seen)?))).collect();
    edges.sort_by_key(|(a, b, apart)| (usize::MAX - apart.packets, *a, *b));
    let mut skews: Vec<Option<Skew>> = vec![None; files];
    let mut reached = vec![false; files];
    for root in 0..files {
        if std::mem::replace(reached.get_mut(root).unwrap_or(&mut false), true) {
            continue;
        }
        // The edge with the most packets that leads to a file not reached yet, until none does.
        while let Some((from, to, apart)) = edges.iter().find_map(|(a, b, apart)| {
            let is = |file: &usize| reached.get(*file).copied().unwrap_or(true);
            match (is(a), is(b)) {
                (true, false) => Some((*a, *b, *apart)),
                (false, true) => Some((*b, *a, Apart { ahead: -apart.ahead, ..*apart })),
                _ => None,
            }
        }) {
            let before = skews.get(from).copied().flatten();
            let (ahead, uncertainty) = before.map_or((0, 0), |skew| (skew.ahead, skew.uncertainty));
            if let (Some(skew), Some(reached)) = (skews.get_mut(to), reached.get_mut(to)) {
                *reached = true;
                *skew = Some(Skew {
                    of: root,
                    ahead: ahead.saturating_add(apart.ahead),
                    uncertainty: uncertainty.saturating_add(apart.uncertainty),
                    packets: u64::try_from(apart.packets).unwrap_or(u64::MAX),
                    both_ways: apart.both_ways && before.is_none_or(|skew| skew.both_ways),
                });
            }
        }
    }
    skews
}

/// How far two clocks are apart by the differences of time of the packets that both saw.
fn apart(seen: &[(Way, i64)]) -> Option<Apart> {
    if seen.len() < MIN_PACKETS {
        return None;
    }
    let mut pairs: BTreeMap<u64, [Vec<i64>; 2]> = BTreeMap::new();
    for (way, by) in seen {
        let [back, forth] = pairs.entry(way.pair).or_default();
        if way.forward { forth } else { back }.push(*by);
    }
    // Towards the other file, and from it: its clock seems to be farther ahead one way than the
    // other. Which way that is differs from pair to pair.
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for [a, b] in pairs.values_mut() {
        if let (Some(a_by), Some(b_by)) = (median(a), median(b)) {
            let (high, low) = if a_by > b_by { (a, b) } else { (b, a) };
            there.append(high);
            back.append(low);
        }
    }
    let bounds = there.iter().min().copied().zip(back.iter().max().copied());
    if let Some((most, least)) = bounds.filter(|(most, least)| least <= most) {
        let uncertainty = half(most.saturating_sub(least));
        let packets = there.len() + back.len();
        return Some(Apart { ahead: least + uncertainty, uncertainty, packets, both_ways: true });
    }
    if let Some((high, low)) = median(&mut there).zip(median(&mut back)) {
        there.append(&mut back);
        let ahead = low + half(high.saturating_sub(low));
        return Some(around(ahead, &there, true));
    }
    let mut all: Vec<i64> = seen.iter().map(|(_, by)| *by).collect();
    median(&mut all).map(|ahead| around(ahead, &all, false))
}

/// An estimate that is as wrong as the farthest of what it rests on.
fn around(ahead: i64, all: &[i64], both_ways: bool) -> Apart {
    let farthest = all.iter().map(|by| by.saturating_sub(ahead).saturating_abs()).max();
    Apart { ahead, uncertainty: farthest.unwrap_or_default(), packets: all.len(), both_ways }
}

/// Half of a distance, rounded up.
fn half(n: i64) -> i64 {
    n / 2 + n % 2
}

fn median(of: &mut [i64]) -> Option<i64> {
    of.sort_unstable();
    of.get(of.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture;

    fn way(forward: bool) -> Way {
        Way { pair: 1, forward }
    }

    fn check(seen: &[(bool, i64)], ahead: i64, uncertainty: i64, both_ways: bool) {
        let seen: Vec<_> = seen.iter().map(|(forward, by)| (way(*forward), *by)).collect();
        let packets = seen.len();
        assert_eq!(apart(&seen), Some(Apart { ahead, uncertainty, packets, both_ways }));
    }

    #[test]
    fn both_directions_bound_the_skew() {
        // Delays 300 to 900 one way and 200 to 500 the other, the clock 10_000 ahead.
        let seen = [(true, 10_300), (true, 10_900), (false, 9_800), (false, 9_500)];
        check(&seen, 10_050, 250, true);
        // The same seen from the other side.
        let seen = seen.map(|(forward, by)| (!forward, -by));
        check(&seen, -10_050, 250, true);
        check(&[(true, 0), (false, 0), (true, 0)], 0, 0, true);
    }

    #[test]
    fn clocks_that_drift_are_met_in_the_middle() {
        // The clock gains 100 from packet to packet, which is more than the delay of 10.
        let seen: Vec<_> =
            (0..10).map(|n| (n % 2 == 0, n * 100 + if n % 2 == 0 { 10 } else { -10 })).collect();
        let all: Vec<_> = seen.iter().map(|(forward, by)| (way(*forward), *by)).collect();
        let found = apart(&all).unwrap();
        assert!((400..=500).contains(&found.ahead), "{found:?}");
        assert!(seen.iter().all(|(_, by)| (by - found.ahead).abs() <= found.uncertainty));
    }

    #[test]
    fn one_direction_gives_the_median_and_too_few_packets_nothing() {
        check(&[(true, 7), (true, 5), (true, 90)], 7, 83, false);
        assert_eq!(apart(&[(way(true), 7), (way(false), 5)]), None);
    }

    #[test]
    fn files_are_compared_over_others_and_only_where_they_share_packets() {
        let sample = |print: u64, file: usize, time: i64| Sample {
            print,
            file,
            time: Time::from_nanos(time.into()),
            way: way(print.is_multiple_of(2)),
        };
        let mut samples = Vec::new();
        for n in 0..6 {
            let at = i64::try_from(n).unwrap() * 1000;
            // 2 and 0 share some, 2 and 3 share others; 1 shares nothing; 5 shares with 4.
            samples.push(vec![sample(n, 0, at), sample(n, 2, at + 50)]);
            samples.push(vec![sample(n + 100, 2, at + 50), sample(n + 100, 3, at - 7)]);
            samples.push(vec![sample(n + 200, 1, at)]);
            samples.push(vec![sample(n + 300, 4, at), sample(n + 300, 5, at)]);
        }
        let mut samples = samples.concat();
        samples.sort_unstable();
        let skews = compare(&samples, 6);
        let found: Vec<_> = skews.iter().map(|skew| skew.map(|s| (s.of, s.ahead))).collect();
        assert_eq!(found, [None, None, Some((0, 50)), Some((0, -7)), None, Some((4, 0))]);
    }

    #[test]
    fn what_is_there_twice_is_left_out_unless_it_is_a_copy() {
        let sample = |print: u64, time: i64| Sample {
            print,
            file: 0,
            time: Time::from_nanos(time.into()),
            way: way(true),
        };
        let again =
            [sample(1, 0), sample(1, 200_000_000), sample(2, 5), sample(2, 900), sample(3, 0)];
        let samples = Samples { kept: again.to_vec(), ..Samples::up_to(9) }.finish();
        assert_eq!(samples, [sample(2, 5), sample(3, 0)]);
    }

    /// A capture file of packets without payload, each 1 ms after the one before.
    fn file(packets: u32, ahead: i64) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = capture::Writer::new(&mut out, None).unwrap();
        for n in 0..packets {
            let way = n % 2 == 0;
            let [src, dst] = if way { [1, 2] } else { [2, 1] };
            let packet: [&[u8]; 6] = [
                b"\x45\0\0\x28\0\0\0\0\x40\x06\0\0", // IPv4 without options, 40 bytes, TCP
                &[10, 0, 0, src, 10, 0, 0, dst],
                b"\x01\xbd\x01\xbd",
                &n.to_be_bytes(),
                &n.to_be_bytes(),
                b"\x50\x10\0\0\0\0\0\0",
            ];
            let nanos = i128::from(n) * 1_000_000 + i128::from(ahead);
            let time = Time::from_nanos(nanos + if way { 100 } else { -100 });
            writer.frame(crate::bytes::LinkType::RAW, time, 40, &packet.concat()).unwrap();
        }
        out
    }

    #[test]
    fn a_sample_of_many_packets_is_the_same_in_each_file() {
        let mut samples = Samples::up_to(1000);
        for (n, ahead) in [0, 5_000_000].into_iter().enumerate() {
            let reader = std::io::Cursor::new(file(10_000, ahead));
            let mut capture = Capture::from_reader("t", Box::new(reader));
            while capture.advance() {
                samples.see(n, &capture.frame());
                assert!(samples.kept.len() <= 1000);
            }
        }
        let [None, Some(skew)] = compare(&samples.finish(), 2)[..] else { panic!() };
        assert_eq!((skew.ahead, skew.uncertainty, skew.both_ways), (5_000_000, 0, true));
        assert!(skew.packets > 100, "{skew:?}");
    }
}
