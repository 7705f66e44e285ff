//! The frames of pcap files, and where those of one are in a copy that lost some.

use std::collections::BTreeMap;
use std::path::Path;

/// A frame of a pcap file.
pub(crate) struct Frame {
    /// What was captured of it.
    pub(crate) octets: Vec<u8>,
    /// Its length on the wire.
    pub(crate) wire_len: u32,
}

/// Where a frame is in a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its number there.
    pub(crate) frame: u64,
    /// Whether its end is missing there.
    pub(crate) cut: bool,
}

/// Where each frame of `whole` is in `copy`: the same octets or the first of them, each frame once.
pub(crate) fn places(whole: &Path, copy: &Path) -> BTreeMap<u64, Place> {
    let (whole, copy) = (read(whole), read(copy));
    let mut left: Vec<(u64, &Frame)> = (1..).zip(&copy).collect();
    let found = (1..).zip(&whole).filter_map(|(number, frame)| {
        let same = |(_, other): &(u64, &Frame)| {
            other.wire_len == frame.wire_len && frame.octets.starts_with(&other.octets)
        };
        let (place, other) = left.remove(left.iter().position(same)?);
        Some((number, Place { frame: place, cut: other.octets.len() < frame.octets.len() }))
    });
    found.collect()
}

/// The frames of a little-endian pcap file; of one that is cut off, those that are whole.
pub(crate) fn read(file: &Path) -> Vec<Frame> {
    const HEADER: usize = 24;
    const RECORD: usize = 16;
    let bytes = std::fs::read(file).expect("the capture can be read");
    assert!(bytes.starts_with(&[0xd4, 0xc3, 0xb2, 0xa1]), "not a little-endian pcap file");
    let mut rest = &bytes[HEADER..];
    let mut frames = Vec::new();
    while let Some((record, after)) = rest.split_at_checked(RECORD) {
        let number = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap());
        let (captured, wire_len) = (number(8), number(12));
        let Some((octets, after)) = after.split_at_checked(captured.try_into().unwrap()) else {
            break;
        };
        frames.push(Frame { octets: octets.to_vec(), wire_len });
        rest = after;
    }
    frames
}
