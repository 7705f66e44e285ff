//! 2.2.41 SMB2 `TRANSFORM_HEADER` and 2.2.42 SMB2 `COMPRESSION_TRANSFORM_HEADER`

use super::negotiate::COMPRESSIONS;
use crate::bytes::{Reader, Sink, Stop};

/// 2.2.41 SMB2 `TRANSFORM_HEADER`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transform {
    /// `OriginalMessageSize`.
    pub original_message_size: u32,
    /// `SessionId`.
    pub session_id: u64,
}

/// 2.2.42 SMB2 `COMPRESSION_TRANSFORM_HEADER`, chained or not
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressionTransform {
    /// `OriginalCompressedSegmentSize`.
    pub original_size: u32,
    /// `CompressionAlgorithm` of the first payload.
    pub algorithm: u16,
}

/// Bytes of the longer of the two headers; nothing behind them is read.
pub(super) const TRANSFORM_SIZE: u32 = 52;
pub(super) const COMPRESSION_SIZE: u32 = 16;

const ENCRYPTED: &[(u64, &str)] = &[(1, "Encrypted")];
const CHAINED: &[(u64, &str)] = &[(1, "SMB2_COMPRESSION_FLAG_CHAINED")];

pub(super) fn encrypted<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Transform, Stop> {
    r.group("SMB2 TRANSFORM_HEADER", |r| {
        r.bytes(dec!("ProtocolId"), 4)?;
        r.bytes(dec!("Signature"), 16)?;
        r.bytes(dec!("Nonce"), 16)?;
        let original_message_size = r.u32(dec!("OriginalMessageSize"))?;
        r.u16(dec!("Reserved"))?;
        // `EncryptionAlgorithm` in 3.0 and 3.0.2, with the same value.
        r.u16(flags!("Flags", ENCRYPTED))?;
        let session_id = r.u64(hex!("SessionId"))?;
        Ok(Transform {
            original_message_size,
            session_id,
        })
    })
}

pub(super) fn compressed<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<CompressionTransform, Stop> {
    r.group("SMB2 COMPRESSION_TRANSFORM_HEADER", |r| {
        r.bytes(dec!("ProtocolId"), 4)?;
        let original_size = r.u32(dec!("OriginalCompressedSegmentSize"))?;
        let algorithm = r.u16(named!("CompressionAlgorithm", COMPRESSIONS))?;
        let chained = r.u16(flags!("Flags", CHAINED))? & 1 != 0;
        if chained {
            r.u32(dec!("Length"))?;
        } else {
            r.u32(dec!("Offset"))?;
        }
        Ok(CompressionTransform {
            original_size,
            algorithm,
        })
    })
}
