//! The little of DER that SPNEGO and Kerberos need: one element after another, every length checked.

/// One element: its identifier octet and its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) value: &'a [u8],
}

/// The element at the start of `bytes`, and what follows it.
///
/// `None` unless it is complete. Identifiers of more than one octet and indefinite lengths do not
/// occur in either and are not read.
pub(super) fn element(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    if tag & 0x1f == 0x1f {
        return None;
    }
    let (len, rest) = length(rest)?;
    let (value, rest) = rest.split_at_checked(len)?;
    Some((Element { tag, value }, rest))
}

/// The elements in `bytes`, up to the first that is not complete.
pub(super) fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    std::iter::from_fn(move || {
        let (first, rest) = element(bytes)?;
        bytes = rest;
        Some(first)
    })
}

/// The contents of the element at the start of `bytes` if it has this tag.
pub(super) fn open(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    element(bytes).filter(|(first, _)| first.tag == tag).map(|(first, _)| first.value)
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((first.into(), rest));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return None;
    }
    let (octets, rest) = rest.split_at_checked(count)?;
    let len = octets.iter().fold(0u64, |len, octet| (len << 8) | u64::from(*octet));
    Some((usize::try_from(len).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_short_and_long() {
        assert_eq!(open(&[0x04, 2, 1, 2, 9], 0x04), Some(&[1, 2][..]));
        assert_eq!(open(&[0x04, 0x81, 1, 7], 0x04), Some(&[7][..]));
        assert_eq!(open(&[0x04, 0x82, 0, 1, 7], 0x04), Some(&[7][..]));
    }

    #[test]
    fn what_is_not_complete_is_nothing() {
        for bytes in [
            &[][..],
            &[0x04],
            &[0x04, 3, 1, 2],
            &[0x04, 0x80, 1],
            &[0x04, 0x85, 0, 0, 0, 0, 0],
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 1, 1],
        ] {
            assert_eq!(element(bytes), None, "{bytes:?}");
        }
    }
}
