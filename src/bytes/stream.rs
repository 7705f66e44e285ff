//! [`Stream`]: one direction of a byte stream cut into units, written once for every layer.
//!
//! A layer says how long the unit at the front is ([`Layer::frame`]) and takes whole units
//! ([`Layer::unit`]). The stream does the rest: it joins what arrives in parts, copies nothing
//! when a unit arrives whole, passes over payload nobody wants, keeps a unit whose middle was
//! lost (with a [`Hole`](super::Hole) in it), and after losing its place looks for the next unit.

use super::{Buffer, Missing, Span, View};

/// What the bytes at the front of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed {
    /// This many bytes are needed to say.
    Need(u32),
    /// A unit of this many bytes.
    Whole(u32),
    /// A unit of `whole` bytes of which only the first `keep` are wanted.
    Skim {
        /// Bytes given to [`Layer::unit`].
        keep: u32,
        /// Length of the unit.
        whole: u32,
    },
    /// No unit of this layer.
    Foreign,
}

/// A layer that lives on a byte stream.
pub trait Layer {
    /// Bytes after which [`Layer::frame`] no longer answers [`Framed::Need`].
    const HEADER: u32;

    /// How long the unit at the start of `head` is.
    fn frame(&mut self, head: View<'_>) -> Framed;

    /// Takes a unit of `whole` bytes; `unit` is shorter when it was skimmed.
    fn unit(&mut self, unit: View<'_>, whole: u32);

    /// The first place in `bytes` where a unit plausibly starts; asked after losing the place.
    fn resync(&mut self, bytes: &[u8]) -> Option<u32>;

    /// The place in the stream was lost: `dropped` bytes belong to no unit that could be told.
    fn desync(&mut self, dropped: u32);
}

/// One direction of a byte stream.
#[derive(Debug, Default)]
pub struct Stream {
    /// A unit that is not complete; while searching, bytes without a known place.
    part: Buffer,
    /// Length at which `part` is worth another look.
    need: u32,
    /// Bytes still to pass over of a skimmed unit.
    skip: u32,
    searching: bool,
}

impl Stream {
    /// A stream that starts in the middle: the first unit has to be found.
    pub fn midstream() -> Self {
        Self { searching: true, ..Self::default() }
    }

    /// Bytes held.
    pub fn held(&self) -> u32 {
        self.part.len()
    }

    /// Whether a unit has begun and not ended.
    pub fn inside_unit(&self) -> bool {
        self.skip > 0 || (!self.searching && !self.part.is_empty())
    }

    /// Forgets a unit that has begun; the next byte is expected to start a unit.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// Takes the next bytes.
    pub fn feed<L: Layer>(&mut self, view: View<'_>, layer: &mut L) {
        let mut from = 0;
        for hole in view.holes() {
            self.feed_solid(view.slice(Span::new(from, hole.at)), layer);
            self.gap(hole.len.into(), hole.why, layer);
            from = hole.at.saturating_add(hole.len);
        }
        self.feed_solid(view.from(from), layer);
    }

    /// `len` bytes are missing here.
    pub fn gap<L: Layer>(&mut self, len: u64, why: Missing, layer: &mut L) {
        let mut left = len;
        let skipped = left.min(self.skip.into());
        self.skip -= u32::try_from(skipped).unwrap_or(self.skip);
        left -= skipped;
        if left == 0 {
            return;
        }
        if !self.searching && !self.part.is_empty() {
            // `part` is within one unit. If the unit's length is known the hole can lie in it.
            let room = u64::from(self.need.saturating_sub(self.part.len()));
            match layer.frame(self.part.view()) {
                Framed::Whole(_) | Framed::Skim { .. } if room > 0 => {
                    let here = u32::try_from(left.min(room)).unwrap_or(u32::MAX);
                    self.part.push_hole(here, why);
                    self.settle(layer);
                    return self.gap(left - u64::from(here), why, layer);
                }
                _ => {}
            }
        }
        layer.desync(self.part.len());
        self.part.clear();
        self.searching = true;
    }

    fn feed_solid<L: Layer>(&mut self, mut view: View<'_>, layer: &mut L) {
        while !view.is_empty() {
            let skipped = self.skip.min(view.len());
            self.skip -= skipped;
            view = view.from(skipped);
            if view.is_empty() {
                return;
            }
            if self.searching {
                self.part.push(view);
                self.search(layer);
                return;
            }
            if self.part.is_empty() {
                let used = self.units(view, layer);
                view = view.from(used);
                if self.skip == 0 && !view.is_empty() {
                    self.part.push(view);
                    if self.searching {
                        self.search(layer);
                    }
                    return;
                }
            } else {
                let want = self.need.saturating_sub(self.part.len()).max(1);
                self.part.push(view.slice(Span::new(0, want)));
                view = view.from(want);
                self.settle(layer);
            }
        }
    }

    /// Hands out the units at the start of `view`; gives the number of bytes that are done with.
    fn units<L: Layer>(&mut self, view: View<'_>, layer: &mut L) -> u32 {
        let mut at = 0;
        loop {
            let rest = view.from(at);
            let left = rest.len();
            if left == 0 {
                return at;
            }
            match layer.frame(rest) {
                Framed::Need(n) | Framed::Whole(n) if n > left => {
                    self.need = n;
                    return at;
                }
                Framed::Skim { keep, whole } if keep.min(whole) > left => {
                    self.need = keep.min(whole);
                    return at;
                }
                Framed::Whole(n) if n > 0 => {
                    layer.unit(rest.slice(Span::new(0, n)), n);
                    at += n;
                }
                Framed::Skim { keep, whole } if whole > 0 => {
                    layer.unit(rest.slice(Span::new(0, keep.min(whole))), whole);
                    at += whole.min(left);
                    self.skip = whole.saturating_sub(left);
                }
                // A layer that asks for what it has is as lost as one that says so.
                _ => {
                    self.searching = true;
                    return at;
                }
            }
        }
    }

    /// Looks at `part` again, which has grown to what was needed.
    fn settle<L: Layer>(&mut self, layer: &mut L) {
        if self.part.len() < self.need {
            return;
        }
        let part = std::mem::take(&mut self.part);
        let used = self.units(part.view(), layer);
        self.part = part;
        self.part.consume(used);
        if self.searching {
            self.search(layer);
        }
    }

    /// Looks for the next unit in `part`.
    fn search<L: Layer>(&mut self, layer: &mut L) {
        let mut part = std::mem::take(&mut self.part);
        // What is done with goes at the end: a place may be lost as often as there are units.
        let mut done = 0;
        while self.searching && done < part.len() {
            let rest = part.view().from(done);
            let Some(at) = layer.resync(rest.bytes()) else {
                // The start of a header may be at the end of what is here.
                let drop = rest.len().saturating_sub(L::HEADER.saturating_sub(1));
                layer.desync(drop);
                done += drop;
                break;
            };
            if at > 0 {
                layer.desync(at);
            }
            self.searching = false;
            let used = self.units(rest.from(at), layer);
            done += at + used;
            if self.searching && used == 0 {
                // The layer disowned the place it had found: go past it.
                layer.desync(1);
                done += 1;
            }
        }
        part.consume(done);
        self.part = part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::clamp;
    use proptest::prelude::*;

    /// Units are `0xAA`, a length octet that counts the whole, then zeros.
    /// Units longer than 100 are skimmed to 4.
    #[derive(Default)]
    struct Toy {
        units: Vec<(u32, u32, bool)>,
        dropped: u32,
    }

    impl Layer for Toy {
        const HEADER: u32 = 2;

        fn frame(&mut self, head: View<'_>) -> Framed {
            match head.bytes() {
                [0xAA] => Framed::Need(2),
                [0xAA, n, ..] if *n > 100 => Framed::Skim { keep: 4, whole: (*n).into() },
                [0xAA, n, ..] if *n >= 2 => Framed::Whole((*n).into()),
                _ => Framed::Foreign,
            }
        }

        fn unit(&mut self, unit: View<'_>, whole: u32) {
            self.units.push((unit.len(), whole, unit.holes().next().is_some()));
        }

        fn resync(&mut self, bytes: &[u8]) -> Option<u32> {
            bytes.windows(2).position(|w| w[0] == 0xAA && w[1] >= 2).map(clamp)
        }

        fn desync(&mut self, dropped: u32) {
            self.dropped += dropped;
        }
    }

    fn unit(len: u8) -> Vec<u8> {
        let mut unit = vec![0; len.into()];
        unit[..2].copy_from_slice(&[0xAA, len]);
        unit
    }

    fn feed(stream: &mut Stream, toy: &mut Toy, bytes: &[u8]) {
        stream.feed(View::new(bytes, &[], &[]), toy);
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_units(
            lens in prop::collection::vec(2u8..=255, 1..20),
            cuts in prop::collection::vec(1usize..70, 0..200),
        ) {
            let wire: Vec<u8> = lens.iter().flat_map(|n| unit(*n)).collect();
            let mut toy = Toy::default();
            let mut stream = Stream::default();
            let mut rest = &wire[..];
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                feed(&mut stream, &mut toy, now);
                rest = later;
            }
            feed(&mut stream, &mut toy, rest);
            let want: Vec<_> = lens
                .iter()
                .map(|n| (if *n > 100 { 4 } else { (*n).into() }, (*n).into(), false))
                .collect();
            prop_assert_eq!(toy.units, want);
            prop_assert_eq!(toy.dropped, 0);
            prop_assert!(!stream.inside_unit());
        }

        #[test]
        fn noise_never_hangs_or_panics(
            chunks in prop::collection::vec((prop::collection::vec(0xA8u8..=0xAC, 0..30), 0u64..50), 0..30)
        ) {
            let mut toy = Toy::default();
            let mut stream = Stream::midstream();
            for (chunk, gap) in chunks {
                feed(&mut stream, &mut toy, &chunk);
                stream.gap(gap, Missing::Lost, &mut toy);
                prop_assert!(stream.held() < 300);
            }
        }
    }

    #[test]
    fn a_hole_inside_a_unit_costs_only_its_bytes() {
        let (mut toy, mut stream) = (Toy::default(), Stream::default());
        feed(&mut stream, &mut toy, &unit(50)[..10]);
        stream.gap(20, Missing::Lost, &mut toy);
        feed(&mut stream, &mut toy, &unit(50)[30..]);
        feed(&mut stream, &mut toy, &unit(7));
        assert_eq!(toy.units, [(50, 50, true), (7, 7, false)]);
        assert_eq!(toy.dropped, 0);
    }

    #[test]
    fn a_hole_inside_skipped_payload_costs_nothing() {
        let (mut toy, mut stream) = (Toy::default(), Stream::default());
        feed(&mut stream, &mut toy, &unit(200)[..10]);
        stream.gap(150, Missing::Lost, &mut toy);
        feed(&mut stream, &mut toy, &unit(200)[160..]);
        feed(&mut stream, &mut toy, &unit(7));
        assert_eq!(toy.units, [(4, 200, false), (7, 7, false)]);
    }

    #[test]
    fn after_losing_a_header_the_next_unit_is_found() {
        let (mut toy, mut stream) = (Toy::default(), Stream::default());
        feed(&mut stream, &mut toy, &[0xAA]);
        stream.gap(30, Missing::Lost, &mut toy);
        feed(&mut stream, &mut toy, &[0, 0, 0, 0xAA]);
        feed(&mut stream, &mut toy, &unit(9)[1..]);
        assert_eq!(toy.units, [(9, 9, false)]);
        assert_eq!(toy.dropped, 4);
    }

    #[test]
    fn a_hole_past_the_end_of_a_unit_ends_it_and_loses_the_place() {
        let (mut toy, mut stream) = (Toy::default(), Stream::default());
        feed(&mut stream, &mut toy, &unit(50)[..10]);
        stream.gap(60, Missing::Snapped, &mut toy);
        feed(&mut stream, &mut toy, &unit(5));
        assert_eq!(toy.units, [(50, 50, true), (5, 5, false)]);
    }
}
