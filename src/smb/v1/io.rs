//! 2.2.4.42 `SMB_COM_READ_ANDX`, 2.2.4.43 `SMB_COM_WRITE_ANDX`, and the older commands of their kind

use super::Fid;
use super::block::{Place, byte_count, bytes};
use crate::bytes::{Reader, Sink, Span, Stop};

/// A request to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// `FID`.
    pub fid: Fid,
    /// `Offset` into the file, its lower half; pipes are written at 0.
    pub offset: u32,
    /// Where the data lie; without the length in front of them, if they have one.
    pub data: Span,
    /// Whether a flag is set that only pipes have.
    pub for_pipe: bool,
    /// Whether the data begin a message of the pipe; they do not where the length of a longer one
    /// was told before.
    pub starts_message: bool,
    /// Whether it also closes the file.
    pub closes: bool,
}

/// A request to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// `FID`.
    pub fid: Fid,
    /// `Offset` into the file, its lower half; pipes are read at 0.
    pub offset: u32,
}

const RAW_MODE: u16 = 0x0004;
const MSG_START: u16 = 0x0008;
const WRITE_MODES: &[(u64, &str)] = &[
    (0x0001, "WritethroughMode"),
    (0x0002, "ReadBytesAvailable"),
    (0x0004, "RAW_MODE"),
    (0x0008, "MSG_START"),
];

/// `WordCount` from which on `OffsetHigh` follows in requests.
const LARGE_READ: u8 = 12;
const LARGE_WRITE: u8 = 14;

/// 2.2.4.42.1
pub(super) fn read_andx<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Read, Stop> {
    let read = place.words(r, |r| {
        let fid = Fid::read(r)?;
        let offset = r.u32(dec!("Offset"))?;
        r.u16(dec!("MaxCountOfBytesToReturn"))?;
        r.u16(dec!("MinCountOfBytesToReturn"))?;
        r.u32(hex!("Timeout_or_MaxCountHigh"))?;
        r.u16(dec!("Remaining"))?;
        if place.words >= LARGE_READ {
            r.u32(dec!("OffsetHigh"))?;
        }
        Ok(Read { fid, offset })
    })?;
    bytes(r, |_| Ok(read))
}

/// 2.2.4.42.2, and \[MS-SMB\] 2.2.4.2.2; gives where the data lie.
pub(super) fn read_andx_answer<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<Span, Stop> {
    let (len, offset) = place.words(r, |r| {
        r.u16(dec!("Available"))?;
        r.u16(dec!("DataCompactionMode"))?;
        r.u16(dec!("Reserved1"))?;
        let low = r.u16(dec!("DataLength"))?;
        let offset = r.u16(dec!("DataOffset"))?;
        let high = r.u16(dec!("DataLengthHigh"))?;
        Ok((u32::from(high) << 16 | u32::from(low), offset))
    })?;
    byte_count(r)?;
    place.buffer(r, offset, len, dec!("Data"), "DataOffset")
}

/// 2.2.4.43.1, and \[MS-SMB\] 2.2.4.3.1
pub(super) fn write_andx<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Write, Stop> {
    const LENGTH: u16 = 2;
    let (fid, file_offset, mode, len, offset) = place.words(r, |r| {
        let fid = Fid::read(r)?;
        let file_offset = r.u32(dec!("Offset"))?;
        r.u32(hex!("Timeout"))?;
        let mode = r.u16(flags!("WriteMode", WRITE_MODES))?;
        r.u16(dec!("Remaining"))?;
        let high = r.u16(dec!("DataLengthHigh"))?;
        let low = r.u16(dec!("DataLength"))?;
        let offset = r.u16(dec!("DataOffset"))?;
        if place.words >= LARGE_WRITE {
            r.u32(dec!("OffsetHigh"))?;
        }
        Ok((fid, file_offset, mode, u32::from(high) << 16 | u32::from(low), offset))
    })?;
    byte_count(r)?;
    // At the start of a message longer than one request, its length comes before it.
    let has_length = mode & (RAW_MODE | MSG_START) == RAW_MODE | MSG_START;
    let data = if has_length && len >= LENGTH.into() {
        place.buffer(r, offset, LENGTH.into(), dec!("MessageLength"), "DataOffset")?;
        let offset = offset.saturating_add(LENGTH);
        place.buffer(r, offset, len - u32::from(LENGTH), dec!("Data"), "DataOffset")?
    } else {
        place.buffer(r, offset, len, dec!("Data"), "DataOffset")?
    };
    let for_pipe = mode & (RAW_MODE | MSG_START) != 0;
    let starts_message = mode & (RAW_MODE | MSG_START) != RAW_MODE;
    Ok(Write { fid, offset: file_offset, data, for_pipe, starts_message, closes: false })
}

/// 2.2.4.43.2
pub(super) fn written_andx<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<(), Stop> {
    place.words(r, |r| {
        r.u16(dec!("Count"))?;
        r.u16(dec!("Available"))?;
        r.u16(dec!("CountHigh"))
    })?;
    bytes(r, |_| Ok(()))
}

/// 2.2.4.11.1 `SMB_COM_READ`
pub(super) fn read<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Read, Stop> {
    let read = place.words(r, |r| {
        let fid = Fid::read(r)?;
        r.u16(dec!("CountOfBytesToRead"))?;
        let offset = r.u32(dec!("ReadOffsetInBytes"))?;
        r.u16(dec!("EstimateOfRemainingBytesToBeRead"))?;
        Ok(Read { fid, offset })
    })?;
    bytes(r, |_| Ok(read))
}

/// 2.2.4.11.2; gives where the data lie.
pub(super) fn read_answer<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Span, Stop> {
    place.words(r, |r| r.u16(dec!("CountOfBytesReturned")))?;
    bytes(r, |r| {
        r.u8(hex!("BufferFormat"))?;
        let len = r.u16(dec!("CountOfBytesRead"))?;
        data(r, len)
    })
}

/// 2.2.4.12.1 `SMB_COM_WRITE`
pub(super) fn write<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Write, Stop> {
    let (fid, offset) = place.words(r, |r| {
        let fid = Fid::read(r)?;
        r.u16(dec!("CountOfBytesToWrite"))?;
        let offset = r.u32(dec!("WriteOffsetInBytes"))?;
        r.u16(dec!("EstimateOfRemainingBytesToBeWritten"))?;
        Ok((fid, offset))
    })?;
    let data = bytes(r, |r| {
        r.u8(hex!("BufferFormat"))?;
        let len = r.u16(dec!("DataLength"))?;
        data(r, len)
    })?;
    Ok(Write { fid, offset, data, for_pipe: false, starts_message: true, closes: false })
}

/// 2.2.4.40.1 `SMB_COM_WRITE_AND_CLOSE`
pub(super) fn write_and_close<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<Write, Stop> {
    let (fid, len, offset) = place.words(r, |r| {
        let fid = Fid::read(r)?;
        let len = r.u16(dec!("CountOfBytesToWrite"))?;
        let offset = r.u32(dec!("WriteOffsetInBytes"))?;
        r.u32(hex!("LastWriteTime"))?;
        Ok((fid, len, offset))
    })?;
    let data = bytes(r, |r| {
        r.u8(dec!("Pad"))?;
        data(r, len)
    })?;
    Ok(Write { fid, offset, data, for_pipe: false, starts_message: true, closes: true })
}

/// 2.2.4.12.2 and 2.2.4.40.2
pub(super) fn written<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<(), Stop> {
    place.words(r, |r| r.u16(dec!("CountOfBytesWritten")))?;
    bytes(r, |_| Ok(()))
}

fn data<S: Sink>(r: &mut Reader<'_, '_, S>, len: u16) -> Result<Span, Stop> {
    let at = r.pos();
    r.sub(dec!("Data"), len.into())?;
    Ok(Span::new(at, r.pos()))
}
