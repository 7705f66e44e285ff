//! Where a pcapng block starts and ends, and how to find the next one after damage.

use std::fmt;

use pcap_parser::{
    BOM_MAGIC, CB_MAGIC, DCB_MAGIC, DSB_MAGIC, EPB_MAGIC, IDB_MAGIC, ISB_MAGIC, NRB_MAGIC,
    SHB_MAGIC, SJE_MAGIC, SPB_MAGIC,
};

use super::fields::u32_at;
use super::resync::{Start, resync};
use super::window::{MAX_BLOCK, Window};
use crate::bytes::{Order, index};

/// Longest block that is believed behind damage: longer than any packet, and few enough bytes to
/// wait for where the block is none.
const LONGEST_BELIEVED: u32 = 1 << 20;

/// `[pcapng]` appendix A Packet Block, which the Enhanced Packet Block replaced.
pub(super) const PB_MAGIC: u32 = 2;

/// A whole block in memory, with the same length at both its ends.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) kind: u32,
    pub(super) len: usize,
    /// Byte order of the block; differs from the section's only in a Section Header Block.
    pub(super) order: Order,
}

/// Why no block could be framed.
pub(super) enum Broken {
    /// The input ends here, as it should.
    End,
    /// The input ends inside a block of so many bytes, if its length is true.
    Cut(u32),
    /// The length cannot be.
    Length(u32),
    /// The lengths at the two ends differ.
    Ends(u32, u32),
    /// A section header without a byte-order magic.
    NoByteOrder(u32),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("the input ends here"),
            Self::Cut(whole) => {
                write!(f, "expected {whole} bytes of a block, found the end of the input")
            }
            Self::Length(len) => write!(
                f,
                "expected a block of at most {MAX_BLOCK} bytes, found one that claims {len}"
            ),
            Self::Ends(start, end) => write!(
                f,
                "expected the length at the end of the block to be {start} as at its start, found \
                 {end}"
            ),
            Self::NoByteOrder(magic) => write!(
                f,
                "expected the byte-order magic 0x1a2b3c4d of a section header, found {magic:#010x}"
            ),
        }
    }
}

/// Type, length and byte order from the first twelve bytes of a block.
fn start(section: Order, bytes: &[u8]) -> Result<(u32, u32, Order), Broken> {
    const SHORT: Broken = Broken::Cut(12);
    let mut order = section;
    // The type of a section header reads the same in both orders.
    if u32_at(order, bytes, 0) == Some(SHB_MAGIC) {
        let magic = u32_at(Order::Big, bytes, 8).ok_or(SHORT)?;
        order = match magic {
            BOM_MAGIC => Order::Big,
            _ if magic.swap_bytes() == BOM_MAGIC => Order::Little,
            _ => return Err(Broken::NoByteOrder(magic)),
        };
    }
    let kind = u32_at(order, bytes, 0).ok_or(SHORT)?;
    let len = u32_at(order, bytes, 4).ok_or(SHORT)?;
    if len < shortest(kind).unwrap_or(12) || len > MAX_BLOCK {
        return Err(Broken::Length(len));
    }
    Ok((kind, len, order))
}

/// The shortest a block of this type may be; `None` for a type nobody would look for.
fn shortest(kind: u32) -> Option<u32> {
    Some(match kind {
        SHB_MAGIC => 28,
        IDB_MAGIC | DSB_MAGIC => 20,
        EPB_MAGIC | PB_MAGIC => 32,
        SPB_MAGIC | CB_MAGIC | DCB_MAGIC => 16,
        ISB_MAGIC => 24,
        NRB_MAGIC | SJE_MAGIC => 12,
        _ => return None,
    })
}

/// Frames the block at the current place and reads the whole of it into memory.
pub(super) fn head(section: Order, window: &mut Window) -> Result<Head, Broken> {
    if !window.fill(12) {
        return Err(match window.held() {
            [] => Broken::End,
            _ => Broken::Cut(12),
        });
    }
    let (kind, len, order) = start(section, window.held())?;
    let whole = index(len);
    let Some(bytes) = window.get(whole) else {
        return Err(Broken::Cut(len));
    };
    match u32_at(order, bytes, whole - 4) {
        Some(end) if end == len => Ok(Head { kind, len: whole, order }),
        end => Err(Broken::Ends(len, end.unwrap_or(0))),
    }
}

/// Moves to the next block that can be trusted; gives how far it was and its byte order.
///
/// That of the section before is expected, and a section header says its own. Where the header of a
/// section was lost, `either` order will do, but only at a distance that keeps the alignment: three
/// bytes away the zeros of one order make it look like the other.
pub(super) fn next_block(
    section: Order,
    either: bool,
    window: &mut Window,
) -> Option<(u64, Order)> {
    let other = match section {
        Order::Little => Order::Big,
        Order::Big => Order::Little,
    };
    let found = resync(window, |far, bytes, ended| match plausible(section, bytes, ended) {
        _ if either && far % 4 != 0 => Start::No,
        Start::No if either => plausible(other, bytes, ended),
        start => start,
    })?;
    let order = match plausible(section, window.held(), true) {
        Start::Yes => section,
        _ => other,
    };
    Some((found, order))
}

/// Whether `bytes` start with a whole block of a known type whose lengths agree.
fn plausible(section: Order, bytes: &[u8], ended: bool) -> Start {
    let more = if ended { Start::No } else { Start::More };
    let Some(kind) = u32_at(section, bytes, 0) else { return more };
    if shortest(kind).is_none() {
        return Start::No;
    }
    match start(section, bytes) {
        Ok((_, len, order)) if len % 4 == 0 && len <= LONGEST_BELIEVED => {
            match u32_at(order, bytes, index(len) - 4) {
                Some(end) if end == len => Start::Yes,
                Some(_) => Start::No,
                None => more,
            }
        }
        Err(Broken::Cut(_)) => more,
        _ => Start::No,
    }
}
