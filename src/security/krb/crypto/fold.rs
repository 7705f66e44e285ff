//! RFC 3961 5.1 n-fold: octets stretched or pressed to another length.

/// Spreads `octets` over `len` octets: copies of it, each turned right by 13 bits more, in a sum with
/// end-around carry. Nothing is spread over nothing.
pub(super) fn n_fold(octets: &[u8], len: usize) -> Vec<u8> {
    let mut folded = vec![0; len];
    let (Some(period), Some(bits)) =
        (common_multiple(octets.len(), len), octets.len().checked_mul(8))
    else {
        return folded;
    };
    let bit = |at: usize| {
        let octet = octets.get(at / 8).copied().unwrap_or_default();
        octet >> 7usize.saturating_sub(at % 8) & 1
    };
    let mut carry = 0u16;
    // Twice around: what the first carries out of the top goes in at the bottom.
    for at in (0..period).rev() {
        let turned = (at / octets.len()).wrapping_mul(13) % bits;
        let from = (at % octets.len()).wrapping_mul(8);
        let octet = (0..8usize).fold(0u8, |octet, n| {
            let place = from.wrapping_add(n).wrapping_add(bits).wrapping_sub(turned) % bits;
            octet << 1 | bit(place)
        });
        if let Some(sum) = folded.get_mut(at % len) {
            carry = carry.wrapping_add(u16::from(*sum)).wrapping_add(u16::from(octet));
            *sum = carry.to_le_bytes()[0];
            carry >>= 8;
        }
    }
    while carry != 0 {
        for sum in folded.iter_mut().rev() {
            carry = carry.wrapping_add(u16::from(*sum));
            *sum = carry.to_le_bytes()[0];
            carry >>= 8;
        }
    }
    folded
}

/// The least common multiple of two lengths that are not nothing.
fn common_multiple(a: usize, b: usize) -> Option<usize> {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    a.checked_div(divisor)?.checked_mul(b).filter(|multiple| *multiple > 0)
}

#[cfg(test)]
mod tests {
    use super::n_fold;
    use crate::security::krb::tests::hex;

    /// RFC 3961 A.1.
    #[test]
    fn published() {
        for (octets, folded) in [
            ("012345", "be072631276b1955"),
            ("password", "78a07b6caf85fa"),
            ("Rough Consensus, and Running Code", "bb6ed30870b7f0e0"),
            ("password", "59e4a8ca7c0385c3c37b3f6d2000247cb6e6bd5b3e"),
            (
                "MASSACHVSETTS INSTITVTE OF TECHNOLOGY",
                "db3b0d8f0b061e603282b308a50841229ad798fab9540c1b",
            ),
            ("Q", "518a54a215a8452a518a54a215a8452a518a54a215"),
            ("ba", "fb25d531ae8974499f52fd92ea9857c4ba24cf297e"),
            ("kerberos", "6b65726265726f73"),
            ("kerberos", "6b65726265726f737b9b5b2b93132b93"),
            ("kerberos", "8372c236344e5f1550cd0747e15d62ca7a5a3bcea4"),
        ] {
            let expected = hex(folded);
            assert_eq!(n_fold(octets.as_bytes(), expected.len()), expected, "{octets}");
        }
        assert_eq!(n_fold(b"", 4), [0; 4]);
        assert_eq!(n_fold(b"abc", 0), b"");
    }
}
