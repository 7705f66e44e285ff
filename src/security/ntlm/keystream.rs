//! [`Keystream`]: the octets of an RC4 handle, those that come and, for a while, those that were.

use std::collections::VecDeque;

use rc4::{KeyInit, Rc4, StreamCipher};
use zeroize::Zeroize;

/// Octets behind the place that are kept, for messages that come late.
const BEHIND_MAX: usize = 1 << 14;
/// Octets made at a time.
const STEP: usize = 256;

/// What one RC4 handle gives, and the place of the next message in it.
pub(super) struct Keystream {
    cipher: Rc4,
    /// Octets from `behind` before the place on. Added by `window`, removed by `advance` beyond
    /// [`BEHIND_MAX`].
    octets: VecDeque<u8>,
    behind: usize,
}

impl Keystream {
    /// A new handle; `None` if the key is empty.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let cipher = Rc4::new_from_slice(key).ok()?;
        Some(Self { cipher, octets: VecDeque::new(), behind: 0 })
    }

    /// Octets behind the place that are still here.
    pub(super) fn behind(&self) -> usize {
        self.behind
    }

    /// Makes `len` octets from the place on.
    pub(super) fn prepare(&mut self, len: usize) {
        let wanted = self.behind.saturating_add(len);
        while self.octets.len() < wanted {
            let mut more = [0; STEP];
            self.cipher.write_keystream(&mut more);
            self.octets.extend(more);
            more.zeroize();
        }
    }

    /// The octets from `from` on, counted from the oldest that is here: the place is at
    /// [`behind`](Self::behind). Only what was [prepared](Self::prepare).
    pub(super) fn from(&self, from: usize) -> impl Iterator<Item = u8> {
        self.octets.range(from.min(self.octets.len())..).copied()
    }

    /// Moves the place to `to`, counted like that.
    pub(super) fn move_to(&mut self, to: usize) {
        self.behind = to.min(self.octets.len());
        let old = self.behind.saturating_sub(BEHIND_MAX);
        self.octets.drain(..old);
        self.behind -= old;
    }
}

impl Drop for Keystream {
    fn drop(&mut self) {
        self.octets.make_contiguous().zeroize();
    }
}

impl std::fmt::Debug for Keystream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keystream")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_looked_at_from_every_place() {
        // RFC 6229, 40-bit key 0x0102030405, offsets 0 and 16.
        let mut stream = Keystream::new(&[1, 2, 3, 4, 5]).unwrap();
        stream.prepare(24);
        let first = [0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27, 0xcc, 0xc3];
        assert_eq!(stream.from(0).take(10).collect::<Vec<_>>(), first);
        stream.move_to(16);
        assert_eq!(stream.behind(), 16);
        let second = [0x69, 0x82, 0x94, 0x4f, 0x18, 0xfc];
        assert_eq!(stream.from(16).take(6).collect::<Vec<_>>(), second);
        stream.prepare(300_000);
        stream.move_to(200_016);
        assert_eq!(stream.behind(), BEHIND_MAX);
        assert!(Keystream::new(&[]).is_none());
    }
}
