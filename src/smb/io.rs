//! 2.2.19 to 2.2.22: SMB2 READ and SMB2 WRITE, requests and responses

use super::FileId;
use super::message::buffer;
use crate::bytes::{Reader, Sink, Span, Stop};

/// 2.2.19 SMB2 READ Request
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// `FileId`.
    pub file_id: FileId,
    /// `Offset` into the file.
    pub offset: u64,
    /// `Length`: bytes wanted.
    pub length: u32,
}

/// 2.2.21 SMB2 WRITE Request
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// `FileId`.
    pub file_id: FileId,
    /// `Offset` into the file.
    pub offset: u64,
    /// Where the data (`Buffer`) lie.
    pub data: Span,
}

const READ_FLAGS: &[(u64, &str)] = &[
    (1, "SMB2_READFLAG_READ_UNBUFFERED"),
    (2, "SMB2_READFLAG_REQUEST_COMPRESSED"),
];
const WRITE_FLAGS: &[(u64, &str)] = &[
    (1, "SMB2_WRITEFLAG_WRITE_THROUGH"),
    (2, "SMB2_WRITEFLAG_WRITE_UNBUFFERED"),
];
const CHANNELS: &[(u64, &str)] = &[
    (0, "SMB2_CHANNEL_NONE"),
    (1, "SMB2_CHANNEL_RDMA_V1"),
    (2, "SMB2_CHANNEL_RDMA_V1_INVALIDATE"),
    (3, "SMB2_CHANNEL_RDMA_TRANSFORM"),
];

pub(super) fn read_request<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Read, Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u8(dec!("Padding"))?;
    r.u8(flags!("Flags", READ_FLAGS))?;
    let length = r.u32(dec!("Length"))?;
    let offset = r.u64(dec!("Offset"))?;
    let file_id = FileId::read(r)?;
    r.u32(dec!("MinimumCount"))?;
    r.u32(named!("Channel", CHANNELS))?;
    r.u32(dec!("RemainingBytes"))?;
    let at = r.u16(dec!("ReadChannelInfoOffset"))?.into();
    let len = r.u16(dec!("ReadChannelInfoLength"))?.into();
    buffer(r, base, at, len, dec!("Buffer"), "ReadChannelInfoOffset")?;
    Ok(Read {
        file_id,
        offset,
        length,
    })
}

/// Gives where the data lie.
pub(super) fn read_response<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Span, Stop> {
    r.u16(dec!("StructureSize"))?;
    let at = r.u8(dec!("DataOffset"))?.into();
    r.u8(dec!("Reserved"))?;
    let len = r.u32(dec!("DataLength"))?;
    r.u32(dec!("DataRemaining"))?;
    r.u32(hex!("Flags"))?;
    buffer(r, base, at, len, dec!("Buffer"), "DataOffset")
}

pub(super) fn write_request<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Write, Stop> {
    r.u16(dec!("StructureSize"))?;
    let at = r.u16(dec!("DataOffset"))?.into();
    let len = r.u32(dec!("Length"))?;
    let offset = r.u64(dec!("Offset"))?;
    let file_id = FileId::read(r)?;
    r.u32(named!("Channel", CHANNELS))?;
    r.u32(dec!("RemainingBytes"))?;
    let info_at = r.u16(dec!("WriteChannelInfoOffset"))?.into();
    let info_len = r.u16(dec!("WriteChannelInfoLength"))?.into();
    r.u32(flags!("Flags", WRITE_FLAGS))?;
    let field = dec!("WriteChannelInfo");
    buffer(r, base, info_at, info_len, field, "WriteChannelInfoOffset")?;
    let data = buffer(r, base, at, len, dec!("Buffer"), "DataOffset")?;
    Ok(Write {
        file_id,
        offset,
        data,
    })
}

pub(super) fn write_response<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<(), Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u16(dec!("Reserved"))?;
    r.u32(dec!("Count"))?;
    r.u32(dec!("Remaining"))?;
    r.u16(dec!("WriteChannelInfoOffset"))?;
    r.u16(dec!("WriteChannelInfoLength"))?;
    Ok(())
}
