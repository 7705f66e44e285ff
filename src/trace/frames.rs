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

/// A frame, packed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    time: i64,
    offset: u32,
    len: u32,
    wire_len: u32,
    /// The high bits of `offset`.
    high: u8,
    /// The place of the link type among those of [`Frames`], or what [`OTHER`] and [`UNSEEN`] say.
    link: u8,
    file: u16,
}

/// The file of what cannot be packed.
const NONE: u16 = u16::MAX;
/// The link type of a number that has no packet.
const UNSEEN: u8 = u8::MAX;
/// The link type of frames whose own is behind that many others.
const OTHER: u8 = u8::MAX - 1;

impl Packed {
    /// A number without a packet.
    pub(super) const UNSEEN: Self =
        Self { time: 0, offset: 0, len: 0, wire_len: 0, high: 0, link: UNSEEN, file: NONE };

    /// Packs what fits: offsets up to a tebibyte, 65,535 files, 254 link types. What does not can be
    /// told of, and not be read again. `link` is the place of the link type among all.
    pub(super) fn new(about: &About, link: u32) -> Self {
        let low = u32::try_from(about.offset & 0xffff_ffff).unwrap_or_default();
        let high = u8::try_from(about.offset >> 32);
        let file = u16::try_from(about.file).ok().filter(|_| high.is_ok());
        Self {
            time: about.time.nanos(),
            offset: low,
            len: about.len,
            wire_len: about.wire_len,
            high: high.unwrap_or_default(),
            link: u8::try_from(link).unwrap_or(OTHER).min(OTHER),
            file: file.unwrap_or(NONE),
        }
    }

    fn is_seen(self) -> bool {
        self.link != UNSEEN
    }

    fn time(self) -> Time {
        Time::from_nanos(self.time.into())
    }
}

/// All frames, by number.
#[derive(Debug, Default)]
pub(super) struct Frames {
    packed: Vec<Packed>,
    /// Link types, in the order in which they were met. Added by batches; there are 65,536.
    links: Vec<LinkType>,
}

impl Frames {
    pub(super) fn push(&mut self, packed: Packed) {
        self.packed.push(packed);
    }

    /// Takes link types that were not met before.
    pub(super) fn know(&mut self, links: Vec<LinkType>) {
        self.links.extend(links);
    }

    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.packed.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn about(&self, frame: FrameNo) -> Option<About> {
        let place = usize::try_from(frame.0.checked_sub(1)?).ok()?;
        let packed = self.packed.get(place).copied().filter(|packed| packed.is_seen())?;
        let link = Some(packed.link).filter(|link| *link != OTHER).map(usize::from);
        Some(About {
            time: packed.time(),
            // Nothing of this type is read.
            link: link.and_then(|link| self.links.get(link)).copied().unwrap_or(LinkType(u16::MAX)),
            len: if packed.file == NONE { 0 } else { packed.len },
            wire_len: packed.wire_len,
            file: packed.file.into(),
            offset: u64::from(packed.high) << 32 | u64::from(packed.offset),
        })
    }

    pub(super) fn time(&self, frame: FrameNo) -> Time {
        self.about(frame).map(|about| about.time).unwrap_or_default()
    }

    pub(super) fn first_time(&self) -> Option<Time> {
        self.packed.iter().find(|packed| packed.is_seen()).map(|packed| packed.time())
    }

    /// When the packet before this one was captured.
    pub(super) fn time_before(&self, frame: FrameNo) -> Option<Time> {
        let place = usize::try_from(frame.0.checked_sub(1)?).ok()?;
        let mut before = self.packed.get(..place)?.iter().rev();
        before.find(|packed| packed.is_seen()).map(|packed| packed.time())
    }

    pub(super) fn weight(&self) -> usize {
        self.packed.capacity() * size_of::<Packed>() + self.links.capacity() * size_of::<LinkType>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> About {
        About {
            time: Time::from_nanos(1_795_369_758_123_456_789),
            link: LinkType::LINUX_SLL2,
            len: 16 << 20,
            wire_len: u32::MAX,
            file: 65_534,
            offset: 0xff_1234_5678,
        }
    }

    fn frames(packed: &[Packed], links: Vec<LinkType>) -> Frames {
        Frames { packed: packed.to_vec(), links }
    }

    #[test]
    fn a_frame_fits_in_24_bytes_and_comes_out_as_it_was() {
        assert_eq!(size_of::<Packed>(), 24);
        let beyond = About { offset: 1 << 40, ..frame() };
        let packed = [Packed::new(&frame(), 0), Packed::new(&beyond, 0)];
        let frames = frames(&packed, vec![LinkType::LINUX_SLL2]);
        assert_eq!(frames.about(FrameNo(1)), Some(frame()));
        let beyond = frames.about(FrameNo(2)).map(|about| about.len);
        assert_eq!(beyond, Some(0), "it cannot be read again");
        assert_eq!(frames.about(FrameNo(3)), None);
    }

    #[test]
    fn any_link_type_comes_out_as_it_was_up_to_254_of_them() {
        let links: Vec<LinkType> = (0..300).map(|link| LinkType(link * 200)).collect();
        let of = |at: u32, link: &LinkType| Packed::new(&About { link: *link, ..frame() }, at);
        let packed: Vec<Packed> = (0..).zip(&links).map(|(at, link)| of(at, link)).collect();
        let frames = frames(&packed, links.clone());
        for (no, link) in (1..).zip(links) {
            let expected = if no <= 254 { link } else { LinkType(u16::MAX) };
            assert_eq!(frames.about(FrameNo(no)).map(|about| about.link), Some(expected));
        }
    }

    #[test]
    fn a_number_without_a_packet_has_nothing_to_tell() {
        let packed = [Packed::UNSEEN, Packed::new(&frame(), 0), Packed::UNSEEN, Packed::UNSEEN];
        let frames = frames(&packed, vec![LinkType::LINUX_SLL2]);
        assert_eq!(frames.about(FrameNo(1)), None);
        assert_eq!(frames.first_time(), Some(frame().time));
        let before = [1, 2, 4].map(|no| frames.time_before(FrameNo(no)));
        assert_eq!(before, [None, None, Some(frame().time)]);
    }
}
