//! Records one behind another, and how those of a frame are found among them.

use super::record::Entry;

/// Records of a stretch.
pub(super) const STRETCH: usize = 64;

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) segment: u32,
    pub(super) at: u32,
}

/// A few records that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Where the first begins, and where the last ends.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The frame that was read when the last of them was recorded: no record before it is of a later
    /// one.
    pub(super) done: u64,
    /// The lowest frame that any of them travelled in.
    pub(super) low: u64,
}

/// The records of a batch.
#[derive(Debug)]
struct Segment {
    bytes: Vec<u8>,
    stretches: Vec<Stretch>,
    done: u64,
    low: u64,
}

/// All records.
#[derive(Debug, Default)]
pub(super) struct Log {
    segments: Vec<Segment>,
}

impl Log {
    /// Adds the records of a batch; gives the number of their segment.
    pub(super) fn push(&mut self, mut bytes: Vec<u8>, mut stretches: Vec<Stretch>) -> u32 {
        bytes.shrink_to_fit();
        stretches.shrink_to_fit();
        let number = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
        if bytes.is_empty() {
            return number;
        }
        let before = self.segments.last().map_or(0, |last| last.done);
        let done = stretches.last().map_or(0, |last| last.done).max(before);
        let low = stretches.iter().map(|of| of.low).min().unwrap_or(u64::MAX);
        self.segments.push(Segment { bytes, stretches, done, low });
        number
    }

    /// The record at a place.
    pub(super) fn entry(&self, spot: Spot) -> Option<Entry> {
        let segment = self.segments.get(usize::try_from(spot.segment).ok()?)?;
        let bytes = segment.bytes.get(usize::try_from(spot.at).ok()?..)?;
        Entry::read(bytes).map(|(entry, _)| entry)
    }

    /// Records among which are all that travelled in a frame, in their order.
    pub(super) fn around(&self, frame: u64) -> impl Iterator<Item = Entry> {
        // A record is not complete before the last of its frames is read.
        let first = self.segments.partition_point(|segment| segment.done < frame);
        let rest = self.segments.get(first..).unwrap_or_default();
        let near = rest.iter().filter(move |segment| segment.low <= frame);
        near.flat_map(move |segment| {
            let near = move |of: &&Stretch| of.low <= frame && frame <= of.done;
            segment.stretches.iter().filter(near).flat_map(move |of| {
                let mut place = usize::try_from(of.start).unwrap_or(usize::MAX);
                let end = usize::try_from(of.end).unwrap_or_default();
                std::iter::from_fn(move || {
                    let bytes = segment.bytes.get(place..end).filter(|bytes| !bytes.is_empty())?;
                    let (entry, len) = Entry::read(bytes)?;
                    place += len;
                    Some(entry)
                })
            })
        })
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        let of = |segment: &Segment| {
            segment.bytes.capacity() + segment.stretches.capacity() * size_of::<Stretch>()
        };
        self.segments.iter().map(of).sum()
    }
}
