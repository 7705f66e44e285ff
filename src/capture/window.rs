//! [`Window`]: the bytes of an input that are in memory, moving forwards, and to any place where the
//! format wants that.

use std::io::{self, ErrorKind, Read, SeekFrom};

use super::spool::{Input, spool};

/// Longest record or block that is read; one that claims more is reported, never allocated.
///
/// Wireshark's own limit for a packet of an ordinary link is 256 KiB and for a block 16 MiB.
pub const MAX_BLOCK: u32 = 16 << 20;

/// Bytes of the buffer before it has to grow. Until its first byte is consumed an input has only
/// [`FIRST`], so that a set of many files that wait for their turn costs little.
const USUAL: usize = 256 << 10;

/// Size of the buffer that finds out what an input is.
const FIRST: usize = 8 << 10;

/// Bytes read at once after a jump; each further read may be twice as long. Frames that lie in
/// another order than they are read in would otherwise each cost a whole buffer.
const AFTER_JUMP: usize = 4 << 10;

/// A reader and the bytes read ahead of it.
///
/// INVARIANT: `start <= end <= buffer.len()`, and `offset` is the place of `buffer[start]` in the
/// input, of which `buffer[..end]` is one piece.
pub(super) struct Window {
    input: Input,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    /// Most bytes to read at once.
    step: usize,
    ended: bool,
    error: Option<io::Error>,
}

impl Window {
    /// What flows out of a reader.
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self::of(Input::Stream(reader))
    }

    pub(super) fn of(input: Input) -> Self {
        Self {
            input,
            buffer: vec![0; FIRST],
            start: 0,
            end: 0,
            offset: 0,
            step: usize::MAX,
            ended: false,
            error: None,
        }
    }

    /// What is in memory from the current place on.
    pub(super) fn held(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Place in the input of the first of [`Window::held`].
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What the system said when reading failed; the input ends there.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// Whether the input ended because reading it failed.
    pub(super) fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// Reads until `n` bytes are in memory; false when the input ends before.
    ///
    /// It never waits for more than that: a live pipe's packet is seen when it arrives. The buffer
    /// doubles as bytes arrive, so a length that lies allocates no more than twice what is there.
    pub(super) fn fill(&mut self, n: usize) -> bool {
        while self.held().len() < n {
            if self.ended {
                return false;
            }
            self.make_room();
            let until = self.end.saturating_add(self.step).min(self.buffer.len());
            self.step = self.step.saturating_mul(2);
            let Some(room) = self.buffer.get_mut(self.end..until) else {
                return false;
            };
            match self.input.read(room) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end = self.end.saturating_add(read).min(self.buffer.len()),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => {
                    self.error = Some(e);
                    self.ended = true;
                }
            }
        }
        true
    }

    /// The next `n` bytes, or `None` when the input ends before.
    pub(super) fn get(&mut self, n: usize) -> Option<&[u8]> {
        if self.fill(n) { self.held().get(..n) } else { None }
    }

    /// Passes over `n` bytes that are in memory.
    pub(super) fn consume(&mut self, n: usize) {
        let n = n.min(self.held().len());
        self.start += n;
        self.offset = self.offset.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
    }

    /// Makes it possible to go to any place, which takes a copy of what only flows. To be called
    /// before anything was consumed. Gives the length of the input.
    pub(super) fn make_places(&mut self) -> io::Result<u64> {
        if let Input::Stream(stream) = &mut self.input {
            let held = self.buffer.get(self.start..self.end).unwrap_or_default();
            let (input, error) = spool(held, stream)?;
            self.input = input;
            // Told when the end is reached, if it is.
            self.error = self.error.take().or(error);
        }
        let here = self.offset;
        let end = self.place(SeekFrom::End(0))?;
        self.place(SeekFrom::Start(here))?;
        Ok(end)
    }

    /// Goes to a place of an input that has places; false when there is no way.
    pub(super) fn go_to(&mut self, place: u64) -> bool {
        let ahead = place.checked_sub(self.offset).and_then(|n| usize::try_from(n).ok());
        if let Some(ahead) = ahead.filter(|n| *n <= self.held().len()) {
            self.consume(ahead);
            return true;
        }
        match self.place(SeekFrom::Start(place)) {
            Ok(_) => true,
            Err(e) => {
                self.error = Some(e);
                self.ended = true;
                false
            }
        }
    }

    /// Forgets what is in memory and reads on elsewhere.
    fn place(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = self.input.seek(to).unwrap_or(Err(ErrorKind::NotSeekable.into()))?;
        (self.start, self.end, self.offset, self.ended) = (0, 0, place, false);
        self.step = AFTER_JUMP;
        Ok(place)
    }

    /// Makes place behind `end`: what is held moves to the front if it is less than what was
    /// consumed, so that a byte moves once however often a record claims to be long; a buffer that
    /// is full doubles, and is then at most twice as long as the longest record.
    fn make_room(&mut self) {
        if self.offset > 0 && self.buffer.len() < USUAL {
            self.buffer.resize(USUAL, 0);
        }
        if self.start >= self.end.saturating_sub(self.start) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len().saturating_mul(2), 0);
        }
    }
}

/// Reads on from the current place, as a decompressor wants it.
impl Read for Window {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if !self.fill(1) {
            return self.take_error().map_or(Ok(0), Err);
        }
        let held = self.held();
        let n = held.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..n), held.get(..n)) {
            to.copy_from_slice(from);
        }
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delivers at most `step` bytes a time, and is interrupted before each.
    struct Drip(Vec<u8>, usize, bool);

    impl Read for Drip {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.2 = !self.2;
            if self.2 {
                return Err(ErrorKind::Interrupted.into());
            }
            let n = self.1.min(self.0.len()).min(out.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0.drain(..n);
            Ok(n)
        }
    }

    #[test]
    fn short_reads_and_interruptions_are_invisible() {
        let wire: Vec<u8> = (0..40_000u32).map(|n| (n % 251) as u8).collect();
        let mut window = Window::new(Box::new(Drip(wire.clone(), 777, false)));
        let mut got = Vec::new();
        for n in [1, 4, 9000, 20_000, 3] {
            assert_eq!(window.offset(), got.len() as u64);
            got.extend_from_slice(window.get(n).unwrap());
            window.consume(n);
        }
        assert_eq!(got, wire[..got.len()]);
        assert!(window.get(20_000).is_none(), "the input ends before");
        assert_eq!(window.held(), &wire[got.len()..], "what is left is kept");
    }

    #[test]
    fn long_records_move_what_is_held_only_as_often_as_it_pays() {
        let mut window = Window::new(Box::new(Drip(vec![7; 1 << 20], 64 << 10, false)));
        let mut front = 0;
        while window.fill(512 << 10) {
            front += usize::from(window.start == 0);
            window.consume(16);
        }
        assert!(front <= 4, "moved {front} times");
        assert!(window.buffer.len() <= 1 << 20);
    }

    #[test]
    fn a_lying_length_allocates_no_more_than_what_is_there() {
        let mut window = Window::new(Box::new(Drip(vec![7; 100], 100, false)));
        assert!(!window.fill(1 << 30));
        assert!(window.buffer.len() <= FIRST);
    }
}
