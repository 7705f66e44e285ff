//! Where each frame is, in 24 bytes.

use crate::bytes::{FrameNo, LinkType, Time};

/// What is known of a frame without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// When it was captured.
    pub time: Time,
    /// What its bytes start with.
    pub link: LinkType,
    /// Bytes captured.
    pub len: u32,
    /// Its length on the wire.
    pub wire_len: u32,
    /// Which of the inputs it is from.
    pub file: usize,
    /// Where its bytes begin in that, once it is unpacked.
    pub offset: u64,
}

/// A frame, packed. A number without a packet has no file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    time: i64,
    offset: u32,
    len: u32,
    wire_len: u32,
    /// The high bits of `offset`.
    high: u8,
    link: u8,
    file: u16,
}

/// The file of a number that has no packet, and of what cannot be packed.
const NONE: u16 = u16::MAX;
/// The link type that stands in another table.
const OTHER: u8 = u8::MAX;

impl Packed {
    /// A number without a packet.
    pub(super) const UNSEEN: Self =
        Self { time: 0, offset: 0, len: 0, wire_len: 0, high: 0, link: 0, file: NONE };

    /// Packs what fits: offsets up to a tebibyte, 65,535 files, link types below 255. What does not
    /// can be told of, and not be read again.
    pub(super) fn new(about: &About) -> Self {
        let low = u32::try_from(about.offset & 0xffff_ffff).unwrap_or_default();
        let high = u8::try_from(about.offset >> 32);
        let file = u16::try_from(about.file).ok().filter(|_| high.is_ok());
        Self {
            time: about.time.nanos(),
            offset: low,
            len: about.len,
            wire_len: about.wire_len,
            high: high.unwrap_or_default(),
            link: u8::try_from(about.link.0).unwrap_or(OTHER),
            file: file.unwrap_or(NONE),
        }
    }

    fn about(self) -> About {
        About {
            time: Time::from_nanos(self.time.into()),
            // What is not below 255 is nothing that is read.
            link: LinkType(self.link.into()),
            len: if self.file == NONE { 0 } else { self.len },
            wire_len: self.wire_len,
            file: self.file.into(),
            offset: u64::from(self.high) << 32 | u64::from(self.offset),
        }
    }
}

/// All frames, by number.
#[derive(Debug, Default)]
pub(super) struct Frames(Vec<Packed>);

impl Frames {
    pub(super) fn push(&mut self, packed: Packed) {
        self.0.push(packed);
    }

    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn about(&self, frame: FrameNo) -> Option<About> {
        let place = usize::try_from(frame.0.checked_sub(1)?).ok()?;
        self.0.get(place).map(|packed| packed.about())
    }

    pub(super) fn time(&self, frame: FrameNo) -> Time {
        self.about(frame).map(|about| about.time).unwrap_or_default()
    }

    pub(super) fn first_time(&self) -> Option<Time> {
        let seen = self.0.iter().find(|packed| packed.file != NONE || packed.time != 0)?;
        Some(seen.about().time)
    }

    pub(super) fn weight(&self) -> usize {
        self.0.capacity() * size_of::<Packed>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_fits_in_24_bytes_and_comes_out_as_it_was() {
        assert_eq!(size_of::<Packed>(), 24);
        let about = About {
            time: Time::from_nanos(1_795_369_758_123_456_789),
            link: LinkType::ETHERNET,
            len: 16 << 20,
            wire_len: u32::MAX,
            file: 65_534,
            offset: 0xff_1234_5678,
        };
        assert_eq!(Packed::new(&about).about(), about);
        let beyond = About { offset: 1 << 40, ..about };
        assert_eq!(Packed::new(&beyond).about().len, 0, "it cannot be read again");
        assert_eq!(Packed::UNSEEN.about().len, 0);
    }
}
