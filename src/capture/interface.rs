//! `[pcapng]` 4.2 Interface Description Block: what is needed of it to read the packets.

use pcap_parser::InterfaceDescriptionBlock;

use super::fields::{options, u64_at};
use crate::bytes::{LinkType, Order, Time};

const NANOS: i128 = 1_000_000_000;

/// An interface of a section.
pub(super) struct Interface {
    pub(super) link: LinkType,
    /// Most bytes captured of a packet; `None` when there is no limit.
    pub(super) snaplen: Option<u32>,
    /// Octets of the frame check sequence that its packets end in.
    pub(super) fcs: u32,
    unit: Unit,
    /// Nanoseconds to add to every time stamp.
    offset: i128,
}

/// The unit of time stamps.
enum Unit {
    /// So many nanoseconds.
    Nanos(i128),
    /// One of so many parts of a nanosecond.
    Parts(i128),
    /// A second divided by two to this power.
    Binary(u32),
}

impl Unit {
    /// `if_tsresol`: the most significant bit says whether the rest is a negative power of 2 or of
    /// 10.
    fn new(resolution: u8) -> Self {
        let power = u32::from(resolution & 0x7f);
        if resolution & 0x80 != 0 {
            return Self::Binary(power);
        }
        match 9u32.checked_sub(power) {
            Some(up) => Self::Nanos(10i128.pow(up)),
            // Finer than any stamp of 64 bits reaches when the power does not fit: all are zero.
            None => Self::Parts(10i128.checked_pow(power - 9).unwrap_or(i128::MAX)),
        }
    }
}

impl Interface {
    /// `rest` is what follows the fixed fields. Options are read from their bytes: `pcap-parser`
    /// gives base-2 resolutions up and takes the offset to be little-endian always.
    pub(super) fn new(order: Order, block: &InterfaceDescriptionBlock<'_>, rest: &[u8]) -> Self {
        const IF_TSRESOL: u16 = 9;
        const IF_FCSLEN: u16 = 13;
        const IF_TSOFFSET: u16 = 14;
        let mut interface = Self {
            link: LinkType(u16::try_from(block.linktype.0).unwrap_or(u16::MAX)),
            snaplen: Some(block.snaplen).filter(|n| *n != 0),
            fcs: 0,
            unit: Unit::new(6),
            offset: 0,
        };
        for option in options(order, rest) {
            match option {
                (IF_TSRESOL, &[resolution]) => interface.unit = Unit::new(resolution),
                (IF_FCSLEN, &[octets]) => interface.fcs = octets.into(),
                (IF_TSOFFSET, value) if value.len() == 8 => {
                    let seconds = u64_at(order, value, 0).unwrap_or_default().cast_signed();
                    interface.offset = i128::from(seconds) * NANOS;
                }
                _ => {}
            }
        }
        interface
    }

    /// A time stamp of this interface, rounded down to nanoseconds.
    pub(super) fn time(&self, high: u32, low: u32) -> Time {
        let stamp = i128::from(u64::from(high) << 32 | u64::from(low));
        let nanos = match self.unit {
            Unit::Nanos(nanos) => stamp * nanos,
            Unit::Parts(parts) => stamp / parts,
            Unit::Binary(power) => (stamp * NANOS) >> power,
        };
        Time::from_nanos(nanos + self.offset)
    }
}
