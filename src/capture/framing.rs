//! Where a pcapng block starts and ends, and how to find the next one after damage.

use std::fmt;

use pcap_parser::{
    BOM_MAGIC, CB_MAGIC, DCB_MAGIC, DSB_MAGIC, EPB_MAGIC, IDB_MAGIC, ISB_MAGIC, NRB_MAGIC,
    SHB_MAGIC, SJE_MAGIC, SPB_MAGIC,
};

use super::window::{MAX_BLOCK, Window};
use crate::bytes::{Order, index};

/// How far behind a damaged block the next one is looked for. Larger than any packet, so that it
/// is found behind the packet that was damaged.
const RESYNC: usize = 1 << 20;

/// Bytes searched before more of the input is awaited.
const RESYNC_STEP: usize = 64 << 10;

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

/// The unsigned 32-bit integer at `at`.
fn number(order: Order, bytes: &[u8], at: usize) -> Option<u32> {
    let four = *bytes.get(at..)?.first_chunk()?;
    Some(match order {
        Order::Little => u32::from_le_bytes(four),
        Order::Big => u32::from_be_bytes(four),
    })
}

/// Type, length and byte order from the first twelve bytes of a block.
fn start(section: Order, bytes: &[u8]) -> Result<(u32, u32, Order), Broken> {
    const SHORT: Broken = Broken::Cut(12);
    let mut order = section;
    // The type of a section header reads the same in both orders.
    if number(order, bytes, 0) == Some(SHB_MAGIC) {
        let magic = number(Order::Big, bytes, 8).ok_or(SHORT)?;
        order = match magic {
            BOM_MAGIC => Order::Big,
            _ if magic.swap_bytes() == BOM_MAGIC => Order::Little,
            _ => return Err(Broken::NoByteOrder(magic)),
        };
    }
    let kind = number(order, bytes, 0).ok_or(SHORT)?;
    let len = number(order, bytes, 4).ok_or(SHORT)?;
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
        EPB_MAGIC => 32,
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
    match number(order, bytes, whole - 4) {
        Some(end) if end == len => Ok(Head { kind, len: whole, order }),
        end => Err(Broken::Ends(len, end.unwrap_or(0))),
    }
}

/// Whether `bytes` start with a whole block of a known type whose lengths agree.
fn plausible(section: Order, bytes: &[u8]) -> bool {
    let known = number(section, bytes, 0).and_then(shortest).is_some();
    known
        && start(section, bytes).is_ok_and(|(_, len, order)| {
            len % 4 == 0 && number(order, bytes, index(len) - 4) == Some(len)
        })
}

/// How far ahead the next block is that can be trusted.
///
/// Any byte may start it: damage need not keep the alignment. Bytes are awaited in growing steps,
/// and a block whose start was seen before its end is looked at again.
pub(super) fn resync(section: Order, window: &mut Window) -> Option<usize> {
    let mut want = RESYNC_STEP;
    loop {
        let more = window.fill(want);
        let bytes = window.held();
        let found = (1..bytes.len().min(RESYNC))
            .find(|at| bytes.get(*at..).is_some_and(|from| plausible(section, from)));
        if found.is_some() || !more || want > RESYNC {
            return found;
        }
        want *= 2;
    }
}
