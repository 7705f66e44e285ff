//! 2.2.41 SMB2 `TRANSFORM_HEADER`

use crate::bytes::{Reader, Sink, Stop};

/// 2.2.41 SMB2 `TRANSFORM_HEADER`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transform {
    /// `OriginalMessageSize`.
    pub original_message_size: u32,
    /// `SessionId`.
    pub session_id: u64,
}

/// Bytes of the header; nothing behind it is read.
pub(super) const TRANSFORM_SIZE: u32 = 52;

const ENCRYPTED: &[(u64, &str)] = &[(1, "Encrypted")];

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
        Ok(Transform { original_message_size, session_id })
    })
}
