//! 2.2.3.2 Parameter Block and 2.2.3.3 Data Block: what every command consists of
//!
//! ```text
//!  ┌───────────┬───────────────────┬───────────┬───────────────────┐
//!  │ WordCount │ Words, 2 bytes each │ ByteCount │ Bytes             │
//!  └───────────┴───────────────────┴───────────┴───────────────────┘
//! ```

use super::super::message::apart;
use super::Header;
use crate::bytes::{Field, Reader, Sink, Span, Stop, Why};

/// What the fields of a block are read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Where the header begins, from which offsets count.
    pub(super) base: u32,
    /// Whether text is UTF-16.
    pub(super) unicode: bool,
    /// `WordCount`.
    pub(super) words: u8,
    /// Where `Words` end.
    pub(super) words_end: u32,
}

impl Place {
    /// Runs `read` on what is left of `Words`.
    pub(super) fn words<T, S: Sink>(
        self,
        r: &mut Reader<'_, '_, S>,
        read: impl FnOnce(&mut Reader<'_, '_, S>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let left = self.words_end.saturating_sub(r.pos());
        let value = r.within(left, "WordCount", |r| {
            let value = read(r)?;
            rest(r, dec!("Words"), self.words_end)?;
            Ok(value)
        })?;
        r.seek(self.words_end, "WordCount")?;
        Ok(value)
    }

    /// `len` bytes at `offset` from the header; gives where they lie. `ByteCount` does not limit
    /// them: it has 16 bits, and data can be longer (\[MS-SMB\] 2.2.4.3.1).
    pub(super) fn buffer<S: Sink>(
        self,
        r: &mut Reader<'_, '_, S>,
        offset: u16,
        len: u32,
        field: &'static Field,
        what: &'static str,
    ) -> Result<Span, Stop> {
        let offset = u32::from(offset);
        if len > 0 && offset < Header::SIZE {
            return Err(Stop::malformed(
                r.pos(),
                format!("{what} {offset} points into the header"),
            ));
        }
        let span = apart(r, self.base, offset, len, what, |r| {
            let at = r.pos();
            r.sub(field, len)?;
            Ok(Span::new(at, r.pos()))
        })?;
        Ok(span.unwrap_or_default())
    }
}

/// Runs `read` on `Bytes`.
pub(super) fn bytes<T, S: Sink>(
    r: &mut Reader<'_, '_, S>,
    read: impl FnOnce(&mut Reader<'_, '_, S>) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let end = byte_count(r)?;
    let count = end.saturating_sub(r.pos());
    r.within(count, "ByteCount", |r| {
        let value = read(r)?;
        rest(r, dec!("Bytes"), end)?;
        Ok(value)
    })
}

/// Reads `ByteCount`; gives where `Bytes` end.
pub(super) fn byte_count<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<u32, Stop> {
    let at = r.pos();
    let count = r.u16(dec!("ByteCount"))?.into();
    if count > r.left() {
        return Err(Stop {
            at,
            why: Why::Short { need: count, left: r.left(), limit: "the message" },
        });
    }
    Ok(r.pos().saturating_add(count))
}

/// A row for what is left up to `end`, which nobody asks for.
fn rest<S: Sink>(r: &mut Reader<'_, '_, S>, field: &'static Field, end: u32) -> Result<(), Stop> {
    let left = end.saturating_sub(r.pos());
    if left > 0 {
        r.sub(field, left)?;
    }
    Ok(())
}
