//! \[MS-XCA\] 2.4 Plain LZ77 Decompression Algorithm Details
//!
//! ```text
//!  flags, 32 bit     token, token, …  one for each flag, the highest first
//!  ┌──────────────┐  0: ┌─────────┐   1: ┌──────────────────┬────────┐ ┌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┐
//!  │ 0 0 1 0 … 1  │     │ literal │      │ distance-1, 13 b │ len, 3 │ ┊ rest of len  ┊
//!  └──────────────┘     └─────────┘      └──────────────────┴────────┘ └╌╌╌╌╌╌╌╌╌╌╌╌╌╌┘
//! ```
//! A length that does not fit goes on in four bits; two such share an octet, which stands where the
//! first of them is needed. What does not fit there goes on in one, two or four octets.

use super::output::{Corrupt, Input, Output};

pub(super) fn decode(bytes: &[u8], out: &mut Output) -> Result<(), Corrupt> {
    let mut input = Input(bytes);
    let (mut flags, mut left) = (0, 0);
    // The upper half of an octet whose lower half was used.
    let mut half = None;
    while !out.is_full() {
        if left == 0 {
            flags = input.u32()?;
            left = u32::BITS;
        }
        let matched = flags >> 31 != 0;
        (flags, left) = (flags << 1, left - 1);
        if !matched {
            out.literal(input.u8()?)?;
            continue;
        }
        let token = usize::from(input.u16()?);
        let length = match token % 8 {
            7 => long(&mut input, &mut half)?,
            length => length,
        };
        out.copy(token / 8 + 1, length + 3)?;
    }
    Ok(())
}

/// A length of seven or more.
fn long(input: &mut Input<'_>, half: &mut Option<u8>) -> Result<usize, Corrupt> {
    let four = if let Some(upper) = half.take() {
        upper
    } else {
        let both = input.u8()?;
        *half = Some(both >> 4);
        both & 15
    };
    match four {
        15 => input.long_length(7 + 15),
        four => Ok(7 + usize::from(four)),
    }
}
