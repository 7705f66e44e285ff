//! [`Secret`]: octets that nobody may see.

use std::fmt;

use zeroize::Zeroizing;

/// A key or a password. It is never printed, and its memory is wiped when it is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes over `octets`; whoever has a copy wipes it.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The octets, for a cipher and for nothing else.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The first `len` octets; behind the end of a shorter one are zeros.
    #[must_use]
    pub fn sized(&self, len: usize) -> Self {
        let there = self.0.iter().copied().chain(std::iter::repeat(0));
        // Made in one allocation: a vector that grows leaves its contents behind.
        let mut octets = Vec::with_capacity(len);
        octets.extend(there.take(len));
        Self::new(octets)
    }
}

impl From<&[u8]> for Secret {
    fn from(octets: &[u8]) -> Self {
        Self::new(octets.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Secret {
    fn from(octets: [u8; N]) -> Self {
        let octets = Zeroizing::new(octets);
        Self::new(octets.to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sees_it() {
        let secret = Secret::from(*b"hunter2!");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret Some(Secret)");
        assert_eq!(secret.sized(4).octets(), b"hunt");
        assert_eq!(secret.sized(10).octets(), b"hunter2!\0\0");
    }
}
