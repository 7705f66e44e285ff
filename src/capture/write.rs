//! [`Writer`]: frames into a pcapng file.
//!
//! Takes frames in the order they are to stand, writes one section, an interface per link type when
//! it first appears, and an Enhanced Packet Block a frame. Times keep all their nanoseconds.

use std::io::{self, Write};

use crate::bytes::{LinkType, Time, clamp};

/// `[pcapng]` 4.2 Interface Description Block: `if_tsresol` in powers of ten.
const NANOSECONDS: u8 = 9;

/// Writes a pcapng file, little-endian.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    /// Link types by interface number; added by the first frame of each.
    links: Vec<LinkType>,
}

impl<W: Write> Writer<W> {
    /// Begins the file. `comment` is kept in its section header, where other tools show it.
    pub fn new(mut out: W, comment: Option<&str>) -> io::Result<Self> {
        const BYTE_ORDER_MAGIC: u32 = 0x1A2B_3C4D;
        let mut body = Vec::new();
        body.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        body.extend(1u16.to_le_bytes());
        body.extend(0u16.to_le_bytes());
        // The length of the section is not known.
        body.extend(u64::MAX.to_le_bytes());
        if let Some(comment) = comment {
            option(&mut body, 1, comment.as_bytes());
        }
        let program = concat!("vshark ", env!("CARGO_PKG_VERSION"));
        option(&mut body, 4, program.as_bytes());
        option(&mut body, 0, &[]);
        block(&mut out, 0x0A0D_0D0A, &body)?;
        Ok(Self { out, links: Vec::new() })
    }

    /// Appends a frame: what was captured of `wire_len` octets.
    pub fn frame(
        &mut self,
        link: LinkType,
        time: Time,
        wire_len: u32,
        data: &[u8],
    ) -> io::Result<()> {
        let interface = match self.links.iter().position(|known| *known == link) {
            Some(interface) => interface,
            None => self.interface(link)?,
        };
        // What lies outside the 64 bits of the format (before 1970, after 2554) is clamped.
        let nanos = u64::try_from(time.nanos()).unwrap_or_default();
        let bytes = nanos.to_be_bytes();
        let (high, low) = bytes.split_at(4);
        let half = |half: &[u8]| u32::from_be_bytes(half.try_into().unwrap_or_default());
        let mut body = Vec::with_capacity(data.len().saturating_add(24));
        for word in [clamp(interface), half(high), half(low), clamp(data.len())] {
            body.extend(word.to_le_bytes());
        }
        body.extend(wire_len.max(clamp(data.len())).to_le_bytes());
        body.extend(data);
        pad(&mut body);
        block(&mut self.out, 6, &body)
    }

    /// Hands on what is buffered.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn interface(&mut self, link: LinkType) -> io::Result<usize> {
        let mut body = Vec::new();
        body.extend(link.0.to_le_bytes());
        body.extend(0u16.to_le_bytes());
        // No limit to the length of a packet.
        body.extend(0u32.to_le_bytes());
        option(&mut body, 9, &[NANOSECONDS]);
        option(&mut body, 0, &[]);
        block(&mut self.out, 1, &body)?;
        self.links.push(link);
        Ok(self.links.len() - 1)
    }
}

/// `[pcapng]` 3.1 General Block Structure.
fn block(out: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let len = clamp(body.len()).saturating_add(12).to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&len)?;
    out.write_all(body)?;
    out.write_all(&len)
}

/// `[pcapng]` 3.5 Options. A value longer than an option can say is cut.
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
    body.extend(code.to_le_bytes());
    body.extend(len.to_le_bytes());
    body.extend(value.iter().take(len.into()));
    pad(body);
}

/// Fills up to a multiple of four.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::capture::Capture;

    #[test]
    fn what_is_written_is_read_again() {
        let frames: [(LinkType, i128, u32, &[u8]); 4] = [
            (LinkType::ETHERNET, 1_795_590_000_123_456_789, 5, b"abcde"),
            (LinkType::RAW, 1_795_590_000_123_456_790, 900, b"snapped"),
            (LinkType::ETHERNET, 1_795_590_001_000_000_000, 0, b""),
            (LinkType::RAW, 1_795_590_002_999_999_999, 8, b"12345678"),
        ];
        let mut file = Vec::new();
        let mut writer = Writer::new(&mut file, Some("made")).unwrap();
        for (link, nanos, wire_len, data) in frames {
            let time = Time::from_nanos(nanos);
            writer.frame(link, time, wire_len, data).unwrap();
        }
        let mut capture = Capture::from_reader("made", Box::new(Cursor::new(file)));
        for (link, nanos, wire_len, data) in frames {
            assert!(capture.advance());
            let frame = capture.frame();
            assert_eq!((frame.link, frame.wire_len, frame.data), (link, wire_len, data));
            assert_eq!(i128::from(frame.time.nanos()), nanos);
        }
        assert!(!capture.advance());
        assert!(capture.problems().is_empty());
    }
}
