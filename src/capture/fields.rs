//! Integers in either byte order, and the lists of typed values that pcapng keeps behind them.

use crate::bytes::Order;

/// The unsigned 16-bit integer at `at`.
pub(super) fn u16_at(order: Order, bytes: &[u8], at: usize) -> Option<u16> {
    let two = *bytes.get(at..)?.first_chunk()?;
    Some(match order {
        Order::Little => u16::from_le_bytes(two),
        Order::Big => u16::from_be_bytes(two),
    })
}

/// The unsigned 32-bit integer at `at`.
pub(super) fn u32_at(order: Order, bytes: &[u8], at: usize) -> Option<u32> {
    let four = *bytes.get(at..)?.first_chunk()?;
    Some(match order {
        Order::Little => u32::from_le_bytes(four),
        Order::Big => u32::from_be_bytes(four),
    })
}

/// The unsigned 64-bit integer at `at`.
pub(super) fn u64_at(order: Order, bytes: &[u8], at: usize) -> Option<u64> {
    let eight = *bytes.get(at..)?.first_chunk()?;
    Some(match order {
        Order::Little => u64::from_le_bytes(eight),
        Order::Big => u64::from_be_bytes(eight),
    })
}

/// `[pcapng]` 3.5 Options: code and value of each, without padding. The records of a Name
/// Resolution Block have the same form.
///
/// Ends at the end mark, where the bytes end, or at a length that leads outside.
pub(super) fn options(order: Order, bytes: &[u8]) -> Options<'_> {
    Options { order, bytes }
}

/// What [`options()`] gives.
pub(super) struct Options<'a> {
    order: Order,
    bytes: &'a [u8],
}

impl Options<'_> {
    /// Whether the list, read to its end, ended at a length that leads outside.
    pub(super) fn led_outside(&self) -> bool {
        !self.bytes.is_empty() && u16_at(self.order, self.bytes, 0) != Some(0)
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let code = u16_at(self.order, self.bytes, 0).filter(|code| *code != 0)?;
        let len = usize::from(u16_at(self.order, self.bytes, 2)?);
        let value = self.bytes.get(4..4 + len)?;
        self.bytes = self.bytes.get(4 + len.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_end_at_their_mark_or_where_they_lead_outside() {
        let all = b"\x01\0\x03\0abc\0\x02\0\0\0\0\0\0\0\x09\0\x01\0x\0\0\0";
        let codes =
            |bytes: &[u8]| options(Order::Little, bytes).map(|(code, _)| code).collect::<Vec<_>>();
        assert_eq!(codes(&all[..]), [1, 2]);
        assert_eq!(options(Order::Little, all).next(), Some((1, &b"abc"[..])));
        for cut in 0..all.len() {
            let got = codes(&all[..cut]);
            // A value counts as soon as it is whole, its padding missing or not.
            let want = match cut {
                ..7 => &[][..],
                7..12 => &[1],
                _ => &[1, 2],
            };
            assert_eq!(got, want, "cut at {cut}");
        }
        let outside = b"\x02\0\0\0\x01\0\xff\xffabc\0";
        assert_eq!(codes(outside), [2]);
        for (bytes, led) in
            [(&outside[..], true), (&all[..], false), (&all[..8], false), (b"", false)]
        {
            let mut list = options(Order::Little, bytes);
            list.by_ref().for_each(drop);
            assert_eq!(list.led_outside(), led);
        }
    }
}
