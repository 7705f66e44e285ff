//! \[MS-NLMP\] 2.2.2.9 `NTLMSSP_MESSAGE_SIGNATURE`, and 3.4.4 how it is computed.

use crate::security::digest::hmac_md5;
use crate::security::{Protected, Secret};

/// Octets of a signature.
pub(super) const SIGNATURE: usize = 16;
/// `Version`
const VERSION: [u8; 4] = [1, 0, 0, 0];

/// A signature as it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mac([u8; 12]);

impl Mac {
    /// Reads a signature of version 1.
    pub(super) fn read(octets: &[u8]) -> Option<Self> {
        let (version, rest) = octets.split_first_chunk::<4>()?;
        let rest = rest.try_into().ok()?;
        (*version == VERSION).then_some(Self(rest))
    }

    /// Whether nothing is signed: \[MS-NLMP\] 3.4.4, where only `ALWAYS_SIGN` was agreed upon.
    pub(super) fn is_dummy(self) -> bool {
        self.0 == [0; 12]
    }

    /// `SeqNum`, which is in clear with extended session security only.
    pub(super) fn number(self, extended: bool) -> Option<u32> {
        let [.., a, b, c, d] = self.0;
        extended.then_some(u32::from_le_bytes([a, b, c, d]))
    }
}

/// How one side signs and seals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle<'k> {
    /// Extended session security: \[MS-NLMP\] 3.4.4.2, else 3.4.4.1.
    pub(super) extended: bool,
    /// Whether the checksum is encrypted.
    pub(super) key_exchange: bool,
    /// `SigningKey`.
    pub(super) sign: &'k Secret,
}

impl Handle<'_> {
    /// Octets of keystream that a message takes.
    pub(super) fn used(&self, pdu: &Protected<'_>) -> usize {
        let signature = match (self.extended, self.key_exchange) {
            (true, true) => 8,
            (true, false) => 0,
            (false, _) => 12,
        };
        signature + if pdu.sealed { pdu.body.len() } else { 0 }
    }

    /// Checks a message with the keystream at its place: gives the body, if it was sealed, and the
    /// number of the message.
    pub(super) fn verify(
        &self,
        pdu: &Protected<'_>,
        Mac(signature): &Mac,
        mut keystream: impl Iterator<Item = u8>,
    ) -> Option<(Option<Vec<u8>>, u32)> {
        let mut next = || keystream.next().unwrap_or_default();
        let body: Option<Vec<u8>> =
            pdu.sealed.then(|| pdu.body.iter().map(|octet| octet ^ next()).collect());
        let clear = body.as_deref().unwrap_or(pdu.body);
        let [told @ .., n0, n1, n2, n3] = *signature;
        if self.extended {
            let number = [n0, n1, n2, n3];
            let mut sum = self.sum(number, pdu, clear);
            if self.key_exchange {
                for octet in &mut sum {
                    *octet ^= next();
                }
            }
            return (sum == told).then_some((body, u32::from_le_bytes(number)));
        }
        // `RandomPad`, of which only the place in the keystream counts.
        let [_, _, _, _, told @ ..] = told;
        let _: [u8; 4] = std::array::from_fn(|_| next());
        let mut hash = crc32fast::Hasher::new();
        let [head, trailer] = around(pdu);
        for part in [head, clear, trailer] {
            hash.update(part);
        }
        let mut sum = hash.finalize().to_le_bytes();
        for octet in &mut sum {
            *octet ^= next();
        }
        let number = [n0, n1, n2, n3].map(|octet| octet ^ next());
        (sum == told).then_some((body, u32::from_le_bytes(number)))
    }

    /// Seals a message, whose body is in clear, or signs it, with the keystream at its place: gives the
    /// body as it travels, and the signature. `None` without extended session security.
    pub(super) fn make(
        &self,
        pdu: &Protected<'_>,
        number: u32,
        mut keystream: impl Iterator<Item = u8>,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        if !self.extended {
            return None;
        }
        let mut next = || keystream.next().unwrap_or_default();
        let mut body = pdu.body.to_vec();
        if pdu.sealed {
            for octet in &mut body {
                *octet ^= next();
            }
        }
        let number = number.to_le_bytes();
        let mut sum = self.sum(number, pdu, pdu.body);
        if self.key_exchange {
            for octet in &mut sum {
                *octet ^= next();
            }
        }
        Some((body, [&VERSION[..], &sum, &number].concat()))
    }

    /// \[MS-NLMP\] 3.4.4.2 `Checksum`, before it is encrypted.
    fn sum(&self, number: [u8; 4], pdu: &Protected<'_>, clear: &[u8]) -> [u8; 8] {
        let [head, trailer] = around(pdu);
        let [sum @ .., _, _, _, _, _, _, _, _] =
            *hmac_md5(self.sign.octets(), &[&number, head, clear, trailer]);
        sum
    }
}

/// What is under the signature before the body and behind it.
fn around<'a>(pdu: &Protected<'a>) -> [&'a [u8]; 2] {
    if pdu.header_signed { [pdu.head, pdu.trailer] } else { [&[], &[]] }
}
