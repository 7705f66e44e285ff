//! \[MS-XCA\] 2.2 LZ77+Huffman Decompression Algorithm Details
//!
//! ```text
//!  block: 65536 bytes, or what is left
//!  ┌───────────────────────┬──────────┬──────────┬╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┬──────────┬───
//!  │ 512 lengths of 4 bits │ 16 bits  │ 16 bits  ┊ octets of a length  ┊ 16 bits  │ …
//!  └───────────────────────┴──────────┴──────────┴╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┴──────────┴───
//!  symbol 0..255: a literal       256..511: four bits, how many bits the distance has; four of length
//! ```
//! The bits are read ahead in words of sixteen, the highest first; octets that say more of a length
//! stand where the reader ahead is.

use super::output::{Corrupt, Input, Output};
use crate::bytes::index;

const BLOCK: usize = 1 << 16;
/// Bits of the longest code.
const LONGEST: u32 = 15;

pub(super) fn decode(bytes: &[u8], out: &mut Output) -> Result<(), Corrupt> {
    let mut input = Input(bytes);
    let mut codes = Codes::default();
    while !out.is_full() {
        codes.read(&input.array()?)?;
        let mut bits = Bits::new(&mut input);
        let end = out.bytes().len().saturating_add(BLOCK);
        while out.bytes().len() < end && !out.is_full() {
            let symbol = codes.next(&mut bits)?;
            // The symbol that ends the data, 256, stands where nothing is wanted any more.
            let [low, kind] = symbol.to_le_bytes();
            if kind == 0 {
                out.literal(low)?;
                continue;
            }
            let length = match usize::from(low % 16) {
                15 => bits.input.long_length(15)?,
                length => length,
            };
            let distance = bits.number(u32::from(low / 16))?;
            out.copy(distance, length + 3)?;
        }
    }
    Ok(())
}

/// The symbol and the length of the code that 15 bits begin with, for all of them.
#[derive(Default)]
struct Codes(Vec<(u16, u8)>);

impl Codes {
    fn read(&mut self, lengths: &[u8; 256]) -> Result<(), Corrupt> {
        let lengths = lengths.iter().flat_map(|both| [both & 15, both >> 4]);
        let mut symbols: Vec<_> = (0..512u16).zip(lengths).filter(|(_, len)| *len > 0).collect();
        // Codes ascend with their length, and among those of a length with the symbol.
        symbols.sort_by_key(|(_, len)| *len);
        self.0.clear();
        for (symbol, len) in symbols {
            let places = 1 << (LONGEST - u32::from(len));
            self.0.resize(self.0.len() + places, (symbol, len));
        }
        if self.0.len() == 1 << LONGEST { Ok(()) } else { Err(Corrupt::Codes) }
    }

    fn next(&self, bits: &mut Bits<'_, '_>) -> Result<u16, Corrupt> {
        let ahead = bits.ahead >> (u32::BITS - LONGEST);
        let (symbol, len) = self.0.get(index(ahead)).copied().ok_or(Corrupt::Codes)?;
        bits.skip(len.into())?;
        Ok(symbol)
    }
}

/// The bits of a block.
struct Bits<'i, 'a> {
    input: &'i mut Input<'a>,
    /// The next bits, the first of them the highest.
    ahead: u32,
    /// How many of them there are beyond 16.
    extra: u32,
    /// How many of them are behind the end of the input: they were read ahead and are not there.
    absent: u32,
}

impl<'i, 'a> Bits<'i, 'a> {
    fn new(input: &'i mut Input<'a>) -> Self {
        let mut bits = Self { input, ahead: 0, extra: 16, absent: 0 };
        bits.ahead = bits.word() << 16;
        bits.ahead |= bits.word();
        bits
    }

    fn word(&mut self) -> u32 {
        self.input.u16().map_or_else(
            |_| {
                self.absent += 16;
                0
            },
            u32::from,
        )
    }

    /// Passes over up to 15 bits.
    fn skip(&mut self, n: u32) -> Result<(), Corrupt> {
        if n + self.absent > 16 + self.extra {
            return Err(Corrupt::Ends);
        }
        self.ahead <<= n;
        if let Some(extra) = self.extra.checked_sub(n) {
            self.extra = extra;
        } else {
            let lacking = n - self.extra;
            self.ahead |= self.word() << lacking;
            self.extra = 16 - lacking;
        }
        Ok(())
    }

    /// A number of at most 15 bits behind a one.
    fn number(&mut self, n: u32) -> Result<usize, Corrupt> {
        let bits = self.ahead.checked_shr(u32::BITS - n).unwrap_or_default();
        self.skip(n)?;
        Ok(index(1 << n | bits))
    }
}
