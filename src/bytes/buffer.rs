//! [`View`] (borrowed) and [`Buffer`] (owned): bytes with the frames they travelled in.

use super::{Time, clamp, index};

/// Number of a frame, 1-based over the input as merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameNo(pub u64);

/// A range of bytes of one unit (a frame, a message, a stub), end exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// `start..end`; an end before the start gives the empty span at `start`.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end: end.max(start) }
    }

    /// Number of bytes.
    pub fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers no byte.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Counts it from `by` bytes earlier.
    pub fn shift(&mut self, by: u32) {
        self.start = self.start.saturating_add(by);
        self.end = self.end.saturating_add(by);
    }
}

/// A run of bytes of a unit, and a frame they travelled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where the run starts, in the coordinates of the unit.
    pub at: u32,
    /// Number of bytes.
    pub len: u32,
    /// The frame that carried it.
    pub frame: FrameNo,
    /// Where the run starts within that frame; of bytes that were made, where what they were made
    /// from starts.
    pub offset: u32,
    /// When the frame was captured.
    pub time: Time,
    /// Whether the bytes are not in the frame as they are here: they were made, by decompression,
    /// from what this and other frames carried, each of which has a piece of the same extent.
    pub made: bool,
}

impl Piece {
    /// Whether both are of the same bytes.
    fn is_beside(&self, other: &Self) -> bool {
        (self.at, self.len) == (other.at, other.len)
    }
}

/// Why bytes that were on the wire are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The capture's snap length cut them off.
    Snapped,
    /// The packet that carried them is not in the capture.
    Lost,
    /// They are encrypted.
    Sealed,
    /// They were left out on purpose because a cap was reached.
    Capped,
}

impl Missing {
    /// What to say of such bytes.
    pub fn words(self) -> &'static str {
        match self {
            Self::Snapped => "cut off by the snap length",
            Self::Lost => "not in the capture",
            Self::Sealed => "encrypted",
            Self::Capped => "not kept",
        }
    }
}

/// A run of bytes that was on the wire but is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Where the run starts, in the coordinates of the unit.
    pub at: u32,
    /// Number of bytes.
    pub len: u32,
    /// Why they are missing.
    pub why: Missing,
}

/// Bytes borrowed from a unit, with their provenance.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    bytes: &'a [u8],
    /// Position of `bytes[0]` in the coordinates of `pieces` and `holes`.
    at: u32,
    pieces: &'a [Piece],
    holes: &'a [Hole],
}

impl<'a> View<'a> {
    /// The whole of a unit: `bytes[0]` is position 0 of `pieces` and `holes`.
    pub fn new(bytes: &'a [u8], pieces: &'a [Piece], holes: &'a [Hole]) -> Self {
        Self { bytes, at: 0, pieces, holes }
    }

    /// The bytes; those in a hole are zero and mean nothing.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Number of bytes, holes included.
    pub fn len(&self) -> u32 {
        clamp(self.bytes.len())
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The part `span` of it; what lies beyond the end is cut off.
    #[must_use]
    pub fn slice(&self, span: Span) -> View<'a> {
        let start = span.start.min(self.len());
        let end = span.end.clamp(start, self.len());
        View {
            bytes: self.bytes.get(index(start)..index(end)).unwrap_or_default(),
            at: self.at.saturating_add(start),
            ..*self
        }
    }

    /// Everything from `start` on.
    #[must_use]
    pub fn from(&self, start: u32) -> View<'a> {
        self.slice(Span::new(start, self.len()))
    }

    /// The pieces that carried these bytes, clipped and in this view's own coordinates.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> + use<'a> {
        let (from, to) = (self.at, self.at.saturating_add(self.len()));
        let first = self.pieces.partition_point(|p| p.at.saturating_add(p.len) <= from);
        let tail = self.pieces.get(first..).unwrap_or_default();
        tail.iter().take_while(move |p| p.at < to).map(move |p| {
            let start = p.at.max(from);
            let end = p.at.saturating_add(p.len).min(to);
            let offset = if p.made { 0 } else { start - p.at };
            Piece {
                at: start - from,
                len: end - start,
                offset: p.offset.saturating_add(offset),
                ..*p
            }
        })
    }

    /// The holes in these bytes, clipped and in this view's own coordinates.
    pub fn holes(&self) -> impl Iterator<Item = Hole> + use<'a> {
        let (from, to) = (self.at, self.at.saturating_add(self.len()));
        // They ascend and never overlap: a unit may have as many as it has bytes.
        let first = self.holes.partition_point(|h| h.at.saturating_add(h.len) <= from);
        let tail = self.holes.get(first..).unwrap_or_default();
        tail.iter().take_while(move |h| h.at < to).map(move |h| {
            let start = h.at.max(from);
            let end = h.at.saturating_add(h.len).min(to);
            Hole { at: start - from, len: end - start, why: h.why }
        })
    }

    /// The first hole that touches `span`, as far as it lies in it.
    pub fn hole_in(&self, span: Span) -> Option<Hole> {
        if self.holes.is_empty() || span.start >= self.len() {
            return None;
        }
        let hole = self.slice(span).holes().next()?;
        Some(Hole { at: hole.at.saturating_add(span.start), ..hole })
    }

    /// The frames that carried these bytes, ascending, each once.
    pub fn frames(&self) -> Vec<FrameNo> {
        let mut frames: Vec<_> = self.pieces().map(|p| p.frame).collect();
        frames.sort_unstable();
        frames.dedup();
        frames
    }

    /// When the last of these bytes was captured: the moment the unit was complete.
    pub fn time(&self) -> Option<Time> {
        self.pieces().map(|p| p.time).max()
    }
}

/// Bytes put together from views, with their provenance.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    holes: Vec<Hole>,
}

impl Buffer {
    /// The whole as a view.
    pub fn view(&self) -> View<'_> {
        View::new(&self.bytes, &self.pieces, &self.holes)
    }

    /// Number of bytes, holes included.
    pub fn len(&self) -> u32 {
        clamp(self.bytes.len())
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends a copy of `view`.
    pub fn push(&mut self, view: View<'_>) {
        let at = self.len();
        self.bytes.extend_from_slice(view.bytes());
        let mut made = Vec::new();
        for piece in view.pieces() {
            let piece = Piece { at: piece.at.saturating_add(at), ..piece };
            if !piece.made || made.last().is_some_and(|last| !piece.is_beside(last)) {
                self.note_made(&mut made);
            }
            if piece.made {
                made.push(piece);
            } else {
                self.note_piece(piece);
            }
        }
        self.note_made(&mut made);
        for hole in view.holes() {
            self.note_hole(Hole { at: hole.at.saturating_add(at), ..hole });
        }
    }

    /// Appends bytes that were made from `source`: all its frames carried each of them. Of more than
    /// 64 frames, the first and the last are told.
    pub fn push_made(&mut self, bytes: &[u8], source: View<'_>) {
        // Each message in these bytes has a piece for every frame: a message in that many is either
        // long, and then nobody wants what is in it, or sent so that it costs us much.
        const FRAMES: usize = 64;
        let (at, len) = (self.len(), clamp(bytes.len()));
        if len == 0 {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        let mut pieces: Vec<Piece> = source.pieces().collect();
        pieces.sort_by_key(|piece| piece.frame);
        pieces.dedup_by_key(|piece| piece.frame);
        if pieces.len() > FRAMES {
            let last = pieces.pop();
            pieces.truncate(FRAMES - 1);
            pieces.extend(last);
        }
        let mut made =
            pieces.into_iter().map(|piece| Piece { at, len, made: true, ..piece }).collect();
        self.note_made(&mut made);
    }

    fn note_piece(&mut self, piece: Piece) {
        match self.pieces.last_mut() {
            Some(last)
                if !last.made
                    && last.frame == piece.frame
                    && last.at.saturating_add(last.len) == piece.at
                    && last.offset.saturating_add(last.len) == piece.offset =>
            {
                last.len = last.len.saturating_add(piece.len);
            }
            _ if piece.len > 0 => self.pieces.push(piece),
            _ => {}
        }
    }

    /// Takes the pieces of one run of bytes that were made, which may go on with the run before it.
    fn note_made(&mut self, run: &mut Vec<Piece>) {
        let start = self.pieces.len().checked_sub(run.len());
        let before = start.and_then(|start| self.pieces.get_mut(start..)).unwrap_or_default();
        let goes_on = |(before, piece): (&Piece, &Piece)| {
            before.made
                && (before.frame, before.offset) == (piece.frame, piece.offset)
                && before.at.saturating_add(before.len) == piece.at
        };
        if before.len() == run.len() && before.iter().zip(&*run).all(goes_on) {
            for (before, piece) in before.iter_mut().zip(run.drain(..)) {
                before.len = before.len.saturating_add(piece.len);
            }
        } else {
            self.pieces.append(run);
        }
    }

    /// Appends `len` bytes that are missing.
    pub fn push_hole(&mut self, len: u32, why: Missing) {
        let at = self.len();
        self.bytes.resize(self.bytes.len().saturating_add(index(len)), 0);
        self.note_hole(Hole { at, len, why });
    }

    fn note_hole(&mut self, hole: Hole) {
        match self.holes.last_mut() {
            Some(last) if last.why == hole.why && last.at.saturating_add(last.len) == hole.at => {
                last.len = last.len.saturating_add(hole.len);
            }
            _ if hole.len > 0 => self.holes.push(hole),
            _ => {}
        }
    }

    /// Removes the first `n` bytes.
    pub fn consume(&mut self, n: u32) {
        if n >= self.len() {
            self.clear();
            return;
        }
        let rest = self.view().from(n);
        let pieces = rest.pieces().collect();
        let holes = rest.holes().collect();
        self.bytes.drain(..index(n));
        self.pieces = pieces;
        self.holes = holes;
    }

    /// Removes everything; the allocation is kept unless it is large.
    pub fn clear(&mut self) {
        const KEEP: usize = 1 << 16;
        if self.bytes.capacity() > KEEP {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.pieces.clear();
        self.holes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(at: u32, len: u32, frame: u64, offset: u32) -> Piece {
        let time = Time::from_nanos(frame.into());
        Piece { at, len, frame: FrameNo(frame), offset, time, made: false }
    }

    /// frame 7 carries "abcd", then two bytes are lost, then frame 9 carries "gh".
    fn sample() -> Buffer {
        let mut b = Buffer::default();
        b.push(View::new(b"abcd", &[piece(0, 4, 7, 54)], &[]));
        b.push_hole(2, Missing::Lost);
        b.push(View::new(b"gh", &[piece(0, 2, 9, 54)], &[]));
        b
    }

    #[test]
    fn a_slice_keeps_the_provenance_of_its_bytes() {
        let b = sample();
        let v = b.view().slice(Span::new(2, 7));
        assert_eq!(v.bytes(), b"cd\0\0g");
        assert_eq!(v.pieces().collect::<Vec<_>>(), [piece(0, 2, 7, 56), piece(4, 1, 9, 54)]);
        let holes: Vec<_> = v.holes().collect();
        assert_eq!(holes, [Hole { at: 2, len: 2, why: Missing::Lost }]);
        assert_eq!(v.frames(), [FrameNo(7), FrameNo(9)]);
        assert_eq!(v.time(), Some(Time::from_nanos(9)));
        assert!(v.hole_in(Span::new(0, 2)).is_none());
        assert!(v.hole_in(Span::new(0, 3)).is_some());
    }

    #[test]
    fn a_hole_is_found_by_any_byte_of_it_and_only_by_those() {
        let mut b = Buffer::default();
        for n in 0..50u32 {
            b.push(View::new(b"xyz", &[piece(0, 3, n.into(), 0)], &[]));
            let why = if n % 2 == 0 { Missing::Lost } else { Missing::Snapped };
            b.push_hole(n % 3, why);
        }
        let view = b.view().from(2);
        let all: Vec<_> = view.holes().collect();
        for start in 0..=view.len() {
            for end in start..view.len() + 2 {
                let touches = |h: &&Hole| h.at < end && h.at + h.len > start;
                let want = all.iter().find(touches).map(|h| (h.at.max(start), h.why));
                let got = view.hole_in(Span::new(start, end)).map(|h| (h.at, h.why));
                assert_eq!(got, want, "{start}..{end}");
            }
        }
    }

    #[test]
    fn consuming_the_front_moves_the_coordinates() {
        let mut b = sample();
        b.consume(5);
        assert_eq!(b.view().bytes(), b"\0gh");
        assert_eq!(b.view().pieces().collect::<Vec<_>>(), [piece(1, 2, 9, 54)]);
        b.consume(9);
        assert!(b.is_empty() && b.view().pieces().next().is_none());
    }

    #[test]
    fn neighbouring_bytes_of_a_frame_are_one_piece() {
        let mut b = Buffer::default();
        let whole = [piece(0, 4, 7, 54)];
        let v = View::new(b"abcd", &whole, &[]);
        b.push(v.slice(Span::new(0, 1)));
        b.push(v.slice(Span::new(1, 4)));
        assert_eq!(b.view().pieces().collect::<Vec<_>>(), whole);
    }

    #[test]
    fn every_frame_of_the_source_carried_each_byte_that_was_made() {
        let source = sample();
        let mut b = Buffer::default();
        b.push(source.view().slice(Span::new(0, 2)));
        b.push_made(b"xyz", source.view());
        b.push_made(b"", source.view());
        let made = |at, len, frame| Piece { made: true, ..piece(at, len, frame, 54) };
        let all = [piece(0, 2, 7, 54), made(2, 3, 7), made(2, 3, 9)];
        assert_eq!(b.view().pieces().collect::<Vec<_>>(), all);
        let last = b.view().from(4);
        assert_eq!(last.bytes(), b"z");
        assert_eq!(last.pieces().collect::<Vec<_>>(), [made(0, 1, 7), made(0, 1, 9)]);
        assert_eq!(
            (last.frames(), last.time()),
            (vec![FrameNo(7), FrameNo(9)], Some(Time::from_nanos(9)))
        );
        b.consume(3);
        assert_eq!(b.view().frames(), [FrameNo(7), FrameNo(9)]);
        let mut again = Buffer::default();
        again.push(b.view().slice(Span::new(0, 1)));
        again.push(b.view().from(1));
        assert_eq!(again.view().bytes(), b"yz");
        assert_eq!(again.view().pieces().collect::<Vec<_>>(), [made(0, 2, 7), made(0, 2, 9)]);
        // Another run may have fewer frames.
        again.push_made(b"!", source.view().from(6));
        let frames = |at| again.view().slice(Span::new(at, at + 1)).frames();
        assert_eq!(frames(1), [FrameNo(7), FrameNo(9)]);
        assert_eq!(frames(2), [FrameNo(9)]);
    }

    #[test]
    fn of_many_frames_the_first_and_the_last_are_told() {
        let mut source = Buffer::default();
        for n in 0..1000 {
            source.push(View::new(b"x", &[piece(0, 1, n, 54)], &[]));
        }
        let mut b = Buffer::default();
        for _ in 0..100 {
            b.push_made(b"made", source.view());
        }
        let frames = b.view().slice(Span::new(77, 78)).frames();
        assert_eq!((frames.len(), frames[0], frames[63]), (64, FrameNo(0), FrameNo(999)));
        assert_eq!(b.view().pieces().count(), 64, "one run");
        assert_eq!(b.view().time(), Some(Time::from_nanos(999)));
    }

    #[test]
    fn slices_out_of_range_are_cut() {
        let b = sample();
        assert_eq!(b.view().slice(Span { start: 6, end: 99 }).bytes(), b"gh");
        assert!(b.view().slice(Span { start: 99, end: 3 }).is_empty());
    }
}
