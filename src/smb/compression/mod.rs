//! 2.2.42 SMB2 `COMPRESSION_TRANSFORM_HEADER`, and the message behind it.
//!
//! ```text
//!  2.2.42.1 not chained             2.2.42.2 chained
//!  ┌───────────┬─────────────┐      ┌───────────┬─────────────┐
//!  │ 0xFC 'SMB'│ original    │      │ 0xFC 'SMB'│ original    │
//!  ├─────┬─────┼─────────────┤      ├─────┬─────┼─────────────┤┐
//!  │ alg │ 0   │ offset      │      │ alg │ 1   │ length      ││ one for each payload: NONE,
//!  ├─────┴─────┴─────────────┤      ├─────┴─────┼─────────────┤│ a pattern, or compressed data
//!  │ data as they are        │      │(original) │ data        ││ behind their original size
//!  ├─────────────────────────┤      └───────────┴─────────────┘┘
//!  │ compressed data         │
//!  └─────────────────────────┘
//! ```
//! [`decompress`] takes no more than it is asked for: of most messages the header is enough.

mod huffman;
mod lz4;
mod lz77;
mod lznt1;
mod output;

use super::header::SMB2;
use super::negotiate::COMPRESSIONS;
use crate::bytes::{Buffer, Field, Reader, Sink, Span, Stop, View, Why, index};
use output::{Corrupt, Output};

/// Bytes of the shortest header with something behind it.
pub(super) const COMPRESSION_SIZE: u32 = 16;

/// Bytes of a message without compression: 8 MiB, the most data that clients and servers agree on,
/// and what 3.2.5.1.1.2 allows beside them. Who is told more disconnects.
const PLAIN_MAX: u32 = (8 << 20) + 256 + COMPRESSION_SIZE;

/// 2.2.3.1.3 `CompressionAlgorithms`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Compression(pub u16);

impl Compression {
    /// Not compressed.
    pub const NONE: Self = Self(0);
    /// \[MS-XCA\] 2.5
    pub const LZNT1: Self = Self(1);
    /// \[MS-XCA\] 2.4
    pub const LZ77: Self = Self(2);
    /// \[MS-XCA\] 2.2
    pub const LZ77_HUFFMAN: Self = Self(3);
    /// 2.2.42.2.2; in chains only.
    pub const PATTERN_V1: Self = Self(4);
    /// LZ4, without a frame.
    pub const LZ4: Self = Self(5);

    /// Its name in the specification.
    pub fn name(self) -> Option<&'static str> {
        let known = COMPRESSIONS.iter().find(|(value, _)| *value == u64::from(self.0));
        known.map(|(_, name)| *name)
    }

    /// Whether it can stand alone, and has an `OriginalPayloadSize` in a chain.
    fn is_lz(self) -> bool {
        [Self::LZNT1, Self::LZ77, Self::LZ77_HUFFMAN, Self::LZ4].contains(&self)
    }
}

/// 2.2.42 SMB2 `COMPRESSION_TRANSFORM_HEADER`, chained or not
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressionTransform {
    /// Bytes of the message without compression.
    pub message_size: u32,
    /// What the message is put together from, as far as it is here. Data before the compressed ones,
    /// which the header allows without a chain, are a payload of their own.
    pub payloads: Vec<Payload>,
    /// Whether the message goes on behind what is here, because it was skimmed.
    pub cut: bool,
}

/// 2.2.42.2.1 SMB2 `COMPRESSION_CHAINED_PAYLOAD_HEADER`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload {
    /// `CompressionAlgorithm`.
    pub algorithm: Compression,
    /// Where the data lie; of a pattern, its octet.
    pub data: Span,
    /// Bytes without compression.
    pub original_size: u32,
}

/// A message that was compressed, encrypted, or both.
#[derive(Clone, Debug)]
pub struct Plain {
    /// Its bytes without a transport header, or the first of them.
    pub message: Buffer,
    /// Length of the whole message.
    pub whole: u32,
    /// Whether it was encrypted.
    pub sealed: bool,
    /// What was encrypted, if that was the compressed message.
    pub(super) opened: Option<Buffer>,
}

const CHAINED: u16 = 0x0001;
const FLAGS: &[(u64, &str)] = &[(0x0001, "SMB2_COMPRESSION_FLAG_CHAINED")];

/// Reads header and payloads up to the end, behind which a message that was `cut` goes on.
pub(super) fn read<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    cut: bool,
) -> Result<CompressionTransform, Stop> {
    r.group("SMB2 COMPRESSION_TRANSFORM_HEADER", |r| {
        r.bytes(dec!("ProtocolId"), 4)?;
        let at = r.pos();
        let original_size = r.u32(dec!("OriginalCompressedSegmentSize"))?;
        if original_size > PLAIN_MAX {
            return Err(Stop::malformed(
                at,
                format!("OriginalCompressedSegmentSize {original_size} is of no message"),
            ));
        }
        let back = r.pos();
        r.raw_u16()?;
        let chained = r.raw_u16()? == CHAINED;
        r.seek(back, "CompressionAlgorithm")?;
        let mut payloads = Vec::new();
        let mut message_size = original_size;
        if chained {
            chain(r, cut, original_size, &mut payloads)?;
        } else {
            unchained(r, cut, original_size, &mut payloads)?;
            let sizes = payloads.iter().map(|payload| payload.original_size);
            message_size = sizes.fold(0, u32::saturating_add);
            if message_size > PLAIN_MAX {
                let message = format!("a message of {message_size} bytes is none");
                return Err(Stop::malformed(at, message));
            }
        }
        Ok(CompressionTransform { message_size, payloads, cut })
    })
}

/// 2.2.42.1 SMB2 `COMPRESSION_TRANSFORM_HEADER_UNCHAINED`
fn unchained<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    cut: bool,
    original_size: u32,
    payloads: &mut Vec<Payload>,
) -> Result<(), Stop> {
    let at = r.pos();
    let algorithm = Compression(r.u16(named!("CompressionAlgorithm", COMPRESSIONS))?);
    r.u16(flags!("Flags", FLAGS))?;
    let offset = r.u32(dec!("Offset"))?;
    if !algorithm.is_lz() {
        return Err(Stop::malformed(at, format!("CompressionAlgorithm {}", algorithm.0)));
    }
    if offset > 0 {
        let data = data(r, dec!("Data"), cut, offset)?;
        payloads.push(Payload { algorithm: Compression::NONE, data, original_size: offset });
    }
    let data = data(r, dec!("CompressedData"), cut, r.left())?;
    payloads.push(Payload { algorithm, data, original_size });
    Ok(())
}

/// 2.2.42.2 SMB2 `COMPRESSION_TRANSFORM_HEADER_CHAINED`: 2.2.42.2.1 payloads up to the end.
fn chain<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    cut: bool,
    original_size: u32,
    payloads: &mut Vec<Payload>,
) -> Result<(), Stop> {
    /// With `OriginalPayloadSize`.
    const HEADER: u32 = 12;
    let mut told = 0u32;
    let begun = |r: &Reader<'_, '_, S>| if cut { r.left() >= HEADER } else { r.left() > 0 };
    while begun(r) {
        let at = r.pos();
        let payload = r.group("SMB2_COMPRESSION_CHAINED_PAYLOAD_HEADER", |r| payload(r, cut))?;
        told = told.saturating_add(payload.original_size);
        if told > original_size {
            return Err(Stop::malformed(at, "payloads exceed OriginalCompressedSegmentSize"));
        }
        payloads.push(payload);
    }
    if told < original_size && !cut {
        return Err(Stop::malformed(
            r.pos(),
            "payloads fall short of OriginalCompressedSegmentSize",
        ));
    }
    Ok(())
}

fn payload<S: Sink>(r: &mut Reader<'_, '_, S>, cut: bool) -> Result<Payload, Stop> {
    let at = r.pos();
    let algorithm = Compression(r.u16(named!("CompressionAlgorithm", COMPRESSIONS))?);
    // Of those behind the first nothing is asked: senders leave in them what was there.
    r.u16(flags!("Flags", FLAGS))?;
    let length = r.u32(dec!("Length"))?;
    match algorithm {
        Compression::NONE => {
            let data = data(r, dec!("Data"), cut, length)?;
            Ok(Payload { algorithm, data, original_size: length })
        }
        Compression::PATTERN_V1 if length == 8 => {
            let start = r.pos();
            r.u8(hex!("Pattern"))?;
            r.u8(dec!("Reserved1"))?;
            r.u16(dec!("Reserved2"))?;
            let original_size = r.u32(dec!("Repetitions"))?;
            Ok(Payload { algorithm, data: Span::new(start, start + 1), original_size })
        }
        algorithm if algorithm.is_lz() && length >= 4 => {
            let original_size = r.u32(dec!("OriginalPayloadSize"))?;
            let data = data(r, dec!("CompressedData"), cut, length - 4)?;
            Ok(Payload { algorithm, data, original_size })
        }
        Compression(algorithm) => {
            Err(Stop::malformed(at, format!("Length {length} of CompressionAlgorithm {algorithm}")))
        }
    }
}

/// `len` bytes, or those of them that are here.
fn data<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    field: &'static Field,
    cut: bool,
    len: u32,
) -> Result<Span, Stop> {
    let start = r.pos();
    r.sub(field, if cut { len.min(r.left()) } else { len })?;
    Ok(Span::new(start, r.pos()))
}

/// 3.1.5.3 Decompressing the Chained Message, and the same without a chain: the first `wanted` bytes
/// of the message in `view`, where `transform` was read.
pub fn decompress(
    view: View<'_>,
    transform: &CompressionTransform,
    wanted: u32,
) -> Result<Plain, Stop> {
    if let Some(hole) = view.holes().next() {
        return Err(Stop { at: hole.at, why: Why::Missing(hole.why) });
    }
    let mut message = Buffer::default();
    for payload in &transform.payloads {
        let wanted = wanted.saturating_sub(message.len());
        let data = view.slice(payload.data);
        if payload.algorithm == Compression::NONE {
            message.push(data.slice(Span::new(0, wanted)));
            continue;
        }
        let mut out = Output::new(index(payload.original_size), index(wanted));
        match expand(payload, data.bytes(), &mut out) {
            Ok(()) => {}
            Err(Corrupt::Ends) if transform.cut => {}
            Err(corrupt) => return Err(Stop::malformed(payload.data.start, corrupt.words())),
        }
        message.push_made(out.bytes(), view);
    }
    let head = Span::new(0, 4);
    let magic = message.view().slice(head);
    if magic.len() == 4 && magic.bytes() != SMB2 {
        return Err(Stop::malformed(0, "what is compressed is no SMB2 message"));
    }
    Ok(Plain { message, whole: transform.message_size, sealed: false, opened: None })
}

fn expand(payload: &Payload, data: &[u8], out: &mut Output) -> Result<(), Corrupt> {
    match payload.algorithm {
        Compression::LZNT1 => lznt1::decode(data, out),
        Compression::LZ77 => lz77::decode(data, out),
        Compression::LZ77_HUFFMAN => huffman::decode(data, out),
        Compression::LZ4 => lz4::decode(data, out),
        _ => {
            let octet = data.first().copied().ok_or(Corrupt::Ends)?;
            out.repeat(octet, index(payload.original_size))
        }
    }
}
