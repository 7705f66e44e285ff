//! [`Input`] and [`Output`]: what all decoders read from and write to.
//!
//! Everything a decoder could do wrong is in here: it reads nothing past the end, writes nothing past
//! the size that was told, and copies nothing from before its start.

use crate::bytes::index;

/// Why compressed bytes cannot be what their sender meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Corrupt {
    /// The input ends before the output is complete.
    Ends,
    /// More comes out than was told.
    Long,
    /// A match refers to what lies before the start of the output.
    Before,
    /// The lengths of the Huffman codes are of no complete code.
    Codes,
    /// The length of a match is written in a longer form than it needs, shorter than that form says.
    Length,
}

impl Corrupt {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Ends => "compressed data end too early",
            Self::Long => "compressed data are of more than their original size",
            Self::Before => "compressed data refer to what lies before them",
            Self::Codes => "lengths of Huffman codes do not make a code",
            Self::Length => "length of a match is less than its form says",
        }
    }
}

/// Compressed bytes, taken from the front.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Corrupt::Ends)?;
        self.0 = rest;
        Ok(*array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Corrupt> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Corrupt> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Corrupt> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next `n` bytes, or as many as there are.
    pub(super) fn up_to(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(n).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    /// The long forms of the length of a match, beyond `short`, which all shorter forms can say:
    /// an octet, or 255 and two octets, or those zero and four octets (\[MS-XCA\] 2.2.4, 2.4.4).
    pub(super) fn long_length(&mut self, short: usize) -> Result<usize, Corrupt> {
        let octet = self.u8()?;
        if octet != u8::MAX {
            return Ok(short + usize::from(octet));
        }
        let length = match self.u16()? {
            0 => index(self.u32()?),
            length => length.into(),
        };
        if length < short { Err(Corrupt::Length) } else { Ok(length) }
    }
}

/// Decompressed bytes.
pub(super) struct Output {
    bytes: Vec<u8>,
    /// Matches reach back to here.
    start: usize,
    /// More than these are not wanted.
    wanted: usize,
    /// More than these cannot be.
    size: usize,
}

impl Output {
    /// Room for `size` bytes, of which the first `wanted` are. It is taken as they come: what is told
    /// may be a lie.
    pub(super) fn new(size: usize, wanted: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, wanted: wanted.min(size), size }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether all that is wanted is there.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= self.wanted
    }

    /// Bytes since the start of the part.
    pub(super) fn since_start(&self) -> usize {
        self.bytes.len().saturating_sub(self.start)
    }

    /// Runs `decode` on a part of at most `most` bytes, which knows nothing of what was before it.
    pub(super) fn part(
        &mut self,
        most: usize,
        decode: impl FnOnce(&mut Self) -> Result<(), Corrupt>,
    ) -> Result<(), Corrupt> {
        let outer = self.size;
        self.start = self.bytes.len();
        self.size = outer.min(self.start.saturating_add(most));
        let result = decode(self);
        self.size = outer;
        result
    }

    /// Bytes that may still be written, of `len` that are to come; at least that many are wanted.
    fn room(&self, len: usize) -> Result<usize, Corrupt> {
        let at = self.bytes.len();
        if len > self.size.saturating_sub(at) {
            return Err(Corrupt::Long);
        }
        Ok(len.min(self.wanted.saturating_sub(at)))
    }

    pub(super) fn literal(&mut self, byte: u8) -> Result<(), Corrupt> {
        if self.room(1)? > 0 {
            self.bytes.push(byte);
        }
        Ok(())
    }

    pub(super) fn literals(&mut self, bytes: &[u8]) -> Result<(), Corrupt> {
        let room = self.room(bytes.len())?;
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
        Ok(())
    }

    pub(super) fn repeat(&mut self, byte: u8, len: usize) -> Result<(), Corrupt> {
        let room = self.room(len)?;
        self.bytes.resize(self.bytes.len() + room, byte);
        Ok(())
    }

    /// Copies `len` bytes from `distance` before the end, which may be less than `len`.
    pub(super) fn copy(&mut self, distance: usize, len: usize) -> Result<(), Corrupt> {
        let from = self.bytes.len().checked_sub(distance).filter(|from| *from >= self.start);
        let from = from.filter(|_| distance > 0).ok_or(Corrupt::Before)?;
        let mut left = self.room(len)?;
        while left > 0 {
            // What lies between is a multiple of the distance: it repeats itself.
            let n = left.min(self.bytes.len() - from);
            self.bytes.extend_from_within(from..from + n);
            left -= n;
        }
        Ok(())
    }
}
