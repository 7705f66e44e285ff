//! LZ4, as blocks: the "LZ4 Block Format Description" that \[MS-SMB2\] names \[LZ4\].
//!
//! ```text
//!  ┌──────────────────────┬╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┬──────────┬──────────────┬╌╌╌╌╌╌╌╌╌╌╌╌╌╌┐
//!  │ literals, 4 │ len, 4 │ more literals  │ literals │ distance, 16 │ more length  │
//!  └──────────────────────┴╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌┴──────────┴──────────────┴╌╌╌╌╌╌╌╌╌╌╌╌╌╌┘
//! ```
//! A number of 15 goes on in the octets behind it, up to one that is not 255. The last sequence has
//! literals only.

use super::output::{Corrupt, Input, Output};

pub(super) fn decode(bytes: &[u8], out: &mut Output) -> Result<(), Corrupt> {
    let mut input = Input(bytes);
    while !out.is_full() {
        let token = input.u8()?;
        let len = number(&mut input, token >> 4)?;
        let literals = input.up_to(len);
        out.literals(literals)?;
        if out.is_full() {
            break;
        }
        let distance = input.u16()?;
        out.copy(distance.into(), number(&mut input, token & 15)?.saturating_add(4))?;
    }
    Ok(())
}

fn number(input: &mut Input<'_>, four: u8) -> Result<usize, Corrupt> {
    let mut number = usize::from(four);
    if four == 15 {
        loop {
            let octet = input.u8()?;
            number = number.saturating_add(octet.into());
            if octet != u8::MAX {
                break;
            }
        }
    }
    Ok(number)
}
