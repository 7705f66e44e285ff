//! \[MS-XCA\] 2.5 LZNT1 Algorithm Details
//!
//! ```text
//!  chunk: at most 4096 bytes, decompressed by itself
//!  ┌────────────────────────────┬───────┬────────┬───┬───────┬───
//!  │ 15: compressed  0..12: n-1 │ flags │ 8 data │   │ flags │ …     n bytes after the header
//!  └────────────────────────────┴───────┴────────┴───┴───────┴───
//!  flag 0: a literal   flag 1: ┌───────────────────┬───────────────┐ 16 bits; the more of the chunk
//!  the lowest first            │ distance-1, 4..12 │ length-3, rest│ is there, the longer the distance
//!                              └───────────────────┴───────────────┘
//! ```

use super::output::{Corrupt, Input, Output};

const CHUNK: usize = 4096;

pub(super) fn decode(bytes: &[u8], out: &mut Output) -> Result<(), Corrupt> {
    let mut input = Input(bytes);
    while !out.is_full() {
        let header = input.u16()?;
        if header == 0 {
            // End_of_buffer
            return Err(Corrupt::Ends);
        }
        let len = usize::from(header & 0x0fff) + 1;
        let data = input.up_to(len);
        out.part(
            CHUNK,
            |out| {
                if header & 0x8000 == 0 { out.literals(data) } else { chunk(data, out) }
            },
        )?;
        if data.len() < len && !out.is_full() {
            return Err(Corrupt::Ends);
        }
    }
    Ok(())
}

fn chunk(data: &[u8], out: &mut Output) -> Result<(), Corrupt> {
    let mut input = Input(data);
    while !input.0.is_empty() {
        let flags = input.u8()?;
        for bit in 0..8 {
            if input.0.is_empty() || out.is_full() {
                return Ok(());
            }
            if flags >> bit & 1 == 0 {
                out.literal(input.u8()?)?;
                continue;
            }
            let token = usize::from(input.u16()?);
            let seen = out.since_start().saturating_sub(1);
            let split = 16 - (usize::BITS - seen.leading_zeros()).clamp(4, 12);
            out.copy((token >> split) + 1, (token & ((1 << split) - 1)) + 3)?;
        }
    }
    Ok(())
}
