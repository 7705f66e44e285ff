//! [`Octets`]: integers and texts one behind the other, in one byte order.

use crate::bytes::{Guid, Order, Time};

/// Octets as they are put together.
#[derive(Clone, Debug)]
pub(crate) struct Octets {
    bytes: Vec<u8>,
    order: Order,
}

impl Octets {
    /// Nothing yet, integers little-endian.
    pub(crate) fn new() -> Self {
        Self::in_order(Order::Little)
    }

    /// Nothing yet, integers in this order.
    pub(crate) fn in_order(order: Order) -> Self {
        Self { bytes: Vec::new(), order }
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn put<const N: usize>(mut self, little: [u8; N]) -> Self {
        let mut octets = little;
        if self.order == Order::Big {
            octets.reverse();
        }
        self.bytes.extend(octets);
        self
    }

    pub(crate) fn u8(self, n: u8) -> Self {
        self.put([n])
    }

    pub(crate) fn u16(self, n: u16) -> Self {
        self.put(n.to_le_bytes())
    }

    pub(crate) fn u32(self, n: u32) -> Self {
        self.put(n.to_le_bytes())
    }

    pub(crate) fn u64(self, n: u64) -> Self {
        self.put(n.to_le_bytes())
    }

    /// A length in 16 bits; the parts made here are far shorter.
    pub(crate) fn len16(self, n: usize) -> Self {
        self.u16(u16::try_from(n).unwrap_or(u16::MAX))
    }

    /// A length in 32 bits.
    pub(crate) fn len32(self, n: usize) -> Self {
        self.u32(crate::bytes::clamp(n))
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(crate) fn zeros(mut self, n: usize) -> Self {
        self.bytes.resize(self.bytes.len().saturating_add(n), 0);
        self
    }

    /// Zeros up to a multiple of `to`.
    pub(crate) fn pad(mut self, to: usize) -> Self {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
        self
    }

    /// A GUID as \[MS-DTYP\] 2.3.4.2 has it: three integers in this order, eight octets.
    pub(crate) fn guid(self, guid: Guid) -> Self {
        let (a, b, c, rest) = guid.as_fields();
        self.u32(a).u16(b).u16(c).bytes(rest)
    }

    /// A FILETIME (\[MS-DTYP\] 2.3.3).
    pub(crate) fn filetime(self, time: Time) -> Self {
        self.u64(filetime(time))
    }
}

/// A text in UTF-16LE.
pub(crate) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Intervals of 100 ns since 1601.
pub(crate) fn filetime(time: Time) -> u64 {
    /// Of 1970.
    const EPOCH: u64 = 116_444_736_000_000_000;
    EPOCH.saturating_add_signed(time.nanos().div_euclid(100))
}

/// A number that looks like chance and is the same each time: what a real sender draws at random.
pub(crate) fn chance(seed: u64) -> u64 {
    // The finalizer of SplitMix64, Steele et al. 2014.
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Octets that look like chance: a signature, a checksum, what is sealed.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let words = (0u64..).flat_map(|n| chance(seed ^ n.rotate_left(40)).to_le_bytes());
    words.take(len).collect()
}

/// A GUID that looks like chance (RFC 9562 version 4).
pub(crate) fn random_guid(seed: u64) -> Guid {
    let wide = u128::from(chance(seed)) << 64 | u128::from(chance(!seed));
    uuid::Builder::from_random_bytes(wide.to_be_bytes()).into_uuid()
}
