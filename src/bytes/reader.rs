//! [`Reader`]: a field is read once, and its value, its row and its bytes come from that one line.

use std::borrow::Cow;
use std::fmt;

use super::{Field, Guid, Missing, Scalar, Sink, Span, View, clamp, index};

/// Byte order of the integers being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// Where reading ended before the unit did, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Offset of the field that could not be read, from the start of the unit.
    pub at: u32,
    /// The reason.
    pub why: Why,
}

/// Why reading ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The bytes exist but are not in the capture, or are sealed. Never a fault of the sender.
    Missing(Missing),
    /// The field needs more bytes than a length leaves.
    Short {
        /// Bytes the field needs.
        need: u32,
        /// Bytes that were left.
        left: u32,
        /// The length that set the limit, by its name in the specification.
        limit: &'static str,
    },
    /// A value that cannot be.
    Malformed(Cow<'static, str>),
}

impl Stop {
    /// A value at `at` that cannot be.
    pub fn malformed(at: u32, what: impl Into<Cow<'static, str>>) -> Self {
        Self { at, why: Why::Malformed(what.into()) }
    }

    /// Whether the sender is to blame, as opposed to the capture.
    pub fn is_malformed(&self) -> bool {
        !matches!(self.why, Why::Missing(_))
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Missing(Missing::Snapped) => {
                write!(f, "bytes from offset {} on were cut off by the snap length", self.at)
            }
            Why::Missing(Missing::Lost) => {
                write!(f, "bytes at offset {} are not in the capture", self.at)
            }
            Why::Missing(Missing::Sealed) => write!(f, "bytes at offset {} are sealed", self.at),
            Why::Missing(Missing::Capped) => {
                write!(f, "bytes from offset {} on were not kept", self.at)
            }
            Why::Short { need, left, limit } => {
                write!(f, "field at offset {} needs {need} bytes, {limit} leaves {left}", self.at)
            }
            Why::Malformed(what) => write!(f, "{what} at offset {}", self.at),
        }
    }
}

impl std::error::Error for Stop {}

/// Reads the fields of one unit in their order on the wire.
///
/// No method panics; a field that is short, or in a hole, is a [`Stop`] and the position stays.
#[derive(Debug)]
pub struct Reader<'v, 's, S: Sink> {
    view: View<'v>,
    pos: u32,
    end: u32,
    limit: &'static str,
    /// Byte order of multi-byte integers and of the integers inside a GUID.
    pub order: Order,
    sink: &'s mut S,
}

impl<'v, 's, S: Sink> Reader<'v, 's, S> {
    /// Reads `view` from its start, little-endian; rows go to `sink`.
    pub fn new(view: View<'v>, sink: &'s mut S) -> Self {
        let end = view.len();
        Self { view, pos: 0, end, limit: "the message", order: Order::Little, sink }
    }

    /// Offset of the next byte, from the start of the unit.
    pub fn pos(&self) -> u32 {
        self.pos
    }

    /// Offset one past the last byte that may be read.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Bytes left up to the innermost limit.
    pub fn left(&self) -> u32 {
        self.end.saturating_sub(self.pos)
    }

    /// The unit being read.
    pub fn view(&self) -> View<'v> {
        self.view
    }

    /// Where the rows go.
    pub fn sink(&mut self) -> &mut S {
        self.sink
    }

    /// Moves to `pos`, which may lie before the current position but not past the limit.
    pub fn seek(&mut self, pos: u32, what: &'static str) -> Result<(), Stop> {
        if pos > self.end {
            return Err(Stop::malformed(self.pos, format!("{what} {pos} points past the end")));
        }
        self.pos = pos;
        Ok(())
    }

    /// Skips to the next multiple of `to` from the start of the unit.
    pub fn align(&mut self, to: u32) -> Result<(), Stop> {
        let over = self.pos % to.max(1);
        if over != 0 {
            self.take(to - over)?;
        }
        Ok(())
    }

    /// Runs `read` with the limit lowered to `len` bytes from here, named `limit` in a [`Stop`].
    ///
    /// The position afterwards is where `read` left it.
    pub fn within<T>(
        &mut self,
        len: u32,
        limit: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let outer = (self.end, self.limit);
        let end = self.pos.saturating_add(len);
        if end <= self.end {
            (self.end, self.limit) = (end, limit);
        }
        let result = read(self);
        (self.end, self.limit) = outer;
        result
    }

    /// Runs `read` with its rows gathered under `name`.
    pub fn group<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.sink.enter(name, self.pos);
        let result = read(self);
        self.sink.leave(self.pos);
        result
    }

    /// The next `n` bytes without a row; for engines that write rows of their own.
    #[inline]
    pub fn take(&mut self, n: u32) -> Result<&'v [u8], Stop> {
        let span = self.check(n)?;
        self.pos = span.end;
        Ok(self.view.bytes().get(index(span.start)..index(span.end)).unwrap_or_default())
    }

    /// The next `N` bytes without a row.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let at = self.pos;
        let bytes = self.take(clamp(N))?;
        bytes.try_into().map_err(|_| Stop::malformed(at, "internal length"))
    }

    #[inline]
    fn check(&self, n: u32) -> Result<Span, Stop> {
        let left = self.left();
        if n > left {
            let why = Why::Short { need: n, left, limit: self.limit };
            return Err(Stop { at: self.pos, why });
        }
        let span = Span::new(self.pos, self.pos + n);
        match self.view.hole_in(span) {
            Some(hole) => Err(Stop { at: hole.at.max(self.pos), why: Why::Missing(hole.why) }),
            None => Ok(span),
        }
    }

    fn leaf(&mut self, field: &'static Field, start: u32, value: Scalar<'_>) {
        if S::ROWS {
            self.sink.leaf(field, Span::new(start, self.pos), value);
        }
    }

    /// An unsigned octet.
    pub fn u8(&mut self, field: &'static Field) -> Result<u8, Stop> {
        let at = self.pos;
        let [value] = self.array::<1>()?;
        self.leaf(field, at, Scalar::U(value.into()));
        Ok(value)
    }

    /// An unsigned 16-bit integer.
    pub fn u16(&mut self, field: &'static Field) -> Result<u16, Stop> {
        let at = self.pos;
        let value = self.raw_u16()?;
        self.leaf(field, at, Scalar::U(value.into()));
        Ok(value)
    }

    /// An unsigned 32-bit integer.
    pub fn u32(&mut self, field: &'static Field) -> Result<u32, Stop> {
        let at = self.pos;
        let value = self.raw_u32()?;
        self.leaf(field, at, Scalar::U(value.into()));
        Ok(value)
    }

    /// An unsigned 64-bit integer.
    pub fn u64(&mut self, field: &'static Field) -> Result<u64, Stop> {
        let at = self.pos;
        let value = self.raw_u64()?;
        self.leaf(field, at, Scalar::U(value));
        Ok(value)
    }

    /// A GUID: its first three members are integers in the current byte order.
    pub fn guid(&mut self, field: &'static Field) -> Result<Guid, Stop> {
        let at = self.pos;
        let value = self.raw_guid()?;
        self.leaf(field, at, Scalar::Guid(value));
        Ok(value)
    }

    /// `n` bytes.
    pub fn bytes(&mut self, field: &'static Field, n: u32) -> Result<&'v [u8], Stop> {
        let at = self.pos;
        let bytes = self.take(n)?;
        self.leaf(field, at, Scalar::Bytes(bytes));
        Ok(bytes)
    }

    /// `n` bytes with their provenance, to be read by another layer. Holes in them are no [`Stop`].
    pub fn sub(&mut self, field: &'static Field, n: u32) -> Result<View<'v>, Stop> {
        let at = self.pos;
        let left = self.left();
        if n > left {
            let why = Why::Short { need: n, left, limit: self.limit };
            return Err(Stop { at, why });
        }
        self.pos = at + n;
        let view = self.view.slice(Span::new(at, self.pos));
        self.leaf(field, at, Scalar::Bytes(view.bytes()));
        Ok(view)
    }

    /// `n` bytes of UTF-16, little-endian; unpaired surrogates become U+FFFD.
    pub fn utf16(&mut self, field: &'static Field, n: u32) -> Result<String, Stop> {
        let at = self.pos;
        let bytes = self.take(n)?;
        let text: String = char::decode_utf16(
            bytes.chunks_exact(2).map(|c| u16::from_le_bytes(c.try_into().unwrap_or_default())),
        )
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
        self.leaf(field, at, Scalar::Text(&text));
        Ok(text)
    }

    /// `n` bytes of text of an OEM code page, which is not told: what is no UTF-8 becomes U+FFFD.
    pub fn oem(&mut self, field: &'static Field, n: u32) -> Result<String, Stop> {
        let at = self.pos;
        let text = String::from_utf8_lossy(self.take(n)?).into_owned();
        self.leaf(field, at, Scalar::Text(&text));
        Ok(text)
    }

    /// An unsigned 16-bit integer without a row.
    #[inline]
    pub fn raw_u16(&mut self) -> Result<u16, Stop> {
        let bytes = self.array()?;
        Ok(match self.order {
            Order::Little => u16::from_le_bytes(bytes),
            Order::Big => u16::from_be_bytes(bytes),
        })
    }

    /// An unsigned 32-bit integer without a row.
    #[inline]
    pub fn raw_u32(&mut self) -> Result<u32, Stop> {
        let bytes = self.array()?;
        Ok(match self.order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        })
    }

    /// An unsigned 64-bit integer without a row.
    #[inline]
    pub fn raw_u64(&mut self) -> Result<u64, Stop> {
        let bytes = self.array()?;
        Ok(match self.order {
            Order::Little => u64::from_le_bytes(bytes),
            Order::Big => u64::from_be_bytes(bytes),
        })
    }

    /// A GUID without a row.
    pub fn raw_guid(&mut self) -> Result<Guid, Stop> {
        let bytes = self.array()?;
        Ok(match self.order {
            Order::Little => Guid::from_bytes_le(bytes),
            Order::Big => Guid::from_bytes(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{Buffer, Tree};

    const A: Field = Field::hex("a");
    const B: Field = Field::dec("b");
    const G: Field = Field::dec("g");

    fn view(bytes: &[u8]) -> View<'_> {
        View::new(bytes, &[], &[])
    }

    #[test]
    fn one_line_gives_value_row_and_bytes() {
        let mut tree = Tree::default();
        let mut r = Reader::new(view(&[1, 0, 0, 0, 0, 2]), &mut tree);
        assert_eq!(r.u32(&A), Ok(1));
        r.order = Order::Big;
        assert_eq!(r.u16(&B), Ok(2));
        let rows: Vec<_> = tree.nodes().iter().map(|n| (&*n.name, &*n.value, n.span)).collect();
        assert_eq!(rows, [("a", "0x00000001", Span::new(0, 4)), ("b", "2", Span::new(4, 6)),]);
    }

    #[test]
    fn a_short_field_names_the_length_that_cut_it() {
        let mut none = ();
        let mut r = Reader::new(view(&[0; 8]), &mut none);
        let stop = r.within(6, "frag_length", |r| {
            r.u32(&A)?;
            r.u32(&B)
        });
        let why = Why::Short { need: 4, left: 2, limit: "frag_length" };
        assert_eq!(stop, Err(Stop { at: 4, why }));
        assert_eq!(r.u32(&B), Ok(0), "the outer limit is back");
    }

    #[test]
    fn a_hole_stops_the_reader_and_is_nobodys_fault() {
        let mut b = Buffer::default();
        b.push(view(&[1, 0, 0, 0]));
        b.push_hole(4, Missing::Lost);
        b.push(view(&[9]));
        let mut none = ();
        let mut r = Reader::new(b.view(), &mut none);
        assert_eq!(r.u32(&A), Ok(1));
        let stop = r.guid(&G).unwrap_err();
        assert!(!r.sub(&G, 4).unwrap().is_empty(), "sub passes holes on");
        assert_eq!(r.u8(&B), Ok(9), "what lies behind the hole can be read");
        assert!(stop.is_malformed(), "16 bytes do not fit at all");
        let mut none = ();
        let mut r = Reader::new(b.view(), &mut none);
        r.u16(&A).unwrap();
        assert_eq!(r.u32(&A), Err(Stop { at: 4, why: Why::Missing(Missing::Lost) }));
    }

    #[test]
    fn guids_follow_the_byte_order() {
        let wire = *b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";
        let mut none = ();
        let mut r = Reader::new(view(&wire), &mut none);
        let little = r.guid(&G).unwrap().to_string();
        assert_eq!(little, "04030201-0605-0807-090a-0b0c0d0e0f10");
        let mut none = ();
        let mut r = Reader::new(view(&wire), &mut none);
        r.order = Order::Big;
        assert_eq!(r.guid(&G).unwrap().to_string(), "01020304-0506-0708-090a-0b0c0d0e0f10");
    }
}
