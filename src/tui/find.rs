//! [`Search`]: text or bytes that somebody looks for, and where they are.

use memchr::memmem;

use super::detail::Detail;
use crate::report::pages::Page;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Text, in names and values and in bytes, whatever its case.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A search, and how it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) text: String,
    pub(super) pattern: Pattern,
}

/// Where something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// In the row of the list.
    Row,
    /// In a row of the fields.
    Field(usize),
    /// In the bytes of a page, from here on.
    Bytes(usize, u32),
}

impl Search {
    /// Reads what was typed: `x de ad be ef` is bytes, everything else is text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let pattern = match text.strip_prefix("x ") {
            Some(digits) => Pattern::Bytes(bytes(digits)?),
            None => Pattern::Text(text.to_lowercase()),
        };
        Ok(Self { text: text.to_owned(), pattern })
    }

    /// Whether a row of a list has it.
    pub(super) fn is_in(&self, row: &str) -> bool {
        match &self.pattern {
            Pattern::Text(text) => row.to_lowercase().contains(text),
            Pattern::Bytes(_) => false,
        }
    }

    /// Where it is among fields and bytes: the first place after the row `after`, or the last before
    /// it.
    pub(super) fn place(
        &self,
        detail: &Detail,
        after: Option<usize>,
        forward: bool,
    ) -> Option<Hit> {
        let len = detail.fields.len();
        let rows: Vec<usize> = match (after, forward) {
            (None, true) => (0..len).collect(),
            (None, false) => (0..len).rev().collect(),
            (Some(at), true) => (at.saturating_add(1)..len).collect(),
            (Some(at), false) => (0..at.min(len)).rev().collect(),
        };
        for row in rows {
            let Some(field) = detail.fields.get(row) else { continue };
            if self.is_in(&field.name) || self.is_in(&field.value) {
                return Some(Hit::Field(row));
            }
            // The bytes of a page are looked at where it begins, so that each place has an order.
            if let (0, Some(page)) = (field.depth, field.page)
                && let Some(at) = detail.pages.get(page).and_then(|of| self.in_bytes(of))
            {
                return Some(Hit::Bytes(page, at));
            }
        }
        None
    }

    /// Where it is in the bytes of a page.
    fn in_bytes(&self, page: &Page) -> Option<u32> {
        let bytes = page.bytes.view().bytes();
        let at = match &self.pattern {
            Pattern::Bytes(pattern) => memmem::find(bytes, pattern)?,
            // What is among the values is found there.
            Pattern::Text(text) => text_in(bytes, text)?,
        };
        u32::try_from(at).ok()
    }
}

/// Where text is, in ASCII or in UTF-16 as Windows writes it.
fn text_in(bytes: &[u8], text: &str) -> Option<usize> {
    let lower: Vec<u8> = bytes.to_ascii_lowercase();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    memmem::find(&lower, text.as_bytes()).or_else(|| memmem::find(&lower, &wide))
}

/// Bytes in hexadecimal, with or without spaces.
fn bytes(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != ':')
        .map(|c| c.to_digit(16).ok_or_else(|| format!("`{c}` is no hexadecimal digit")))
        .collect::<Result<_, _>>()?;
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return Err("bytes have two hexadecimal digits each: x de ad be ef".to_owned());
    }
    let byte = |pair: &[u32]| {
        let value = pair.iter().fold(0, |value, digit| value * 16 + digit);
        u8::try_from(value).unwrap_or_default()
    };
    Ok(digits.chunks_exact(2).map(byte).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_text_are_told_apart() {
        let pattern = |text: &str| Search::parse(text).map(|search| search.pattern);
        assert_eq!(pattern("x de ad"), Ok(Pattern::Bytes(vec![0xde, 0xad])));
        // A status is looked for as it is written.
        assert_eq!(pattern("0x80004005"), Ok(Pattern::Text("0x80004005".to_owned())));
        assert_eq!(pattern("Share"), Ok(Pattern::Text("share".to_owned())));
        assert!(pattern("x d").is_err() && pattern("x zz").is_err() && pattern("x ").is_err());
    }

    #[test]
    fn text_is_found_in_both_encodings() {
        assert_eq!(text_in(b"..Fss1", "fss1"), Some(2));
        assert_eq!(text_in(b".F\0s\0s\x001\0", "fss1"), Some(1));
        assert_eq!(text_in(b"", "x"), None);
    }
}
