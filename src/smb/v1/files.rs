//! 2.2.4.64 `SMB_COM_NT_CREATE_ANDX`, 2.2.4.41 `SMB_COM_OPEN_ANDX`, 2.2.4.3 `SMB_COM_OPEN` and
//! 2.2.4.5 `SMB_COM_CLOSE`

use super::super::create::{
    ACCESS, ACTIONS, ATTRIBUTES, DISPOSITIONS, IMPERSONATIONS, OPTIONS, SHARE_ACCESS,
};
use super::Fid;
use super::block::{Place, bytes};
use super::text::string;
use crate::bytes::{Reader, Sink, Stop};

/// A request to open a file or pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// `FileName`, relative to the share.
    pub name: String,
}

/// The answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// `FID`.
    pub fid: Fid,
    /// `ResourceType`: 0 a file, 1 and 2 a pipe, 3 a printer; `None` where the answer has none.
    pub resource_type: Option<u16>,
}

impl Opened {
    /// Whether it is a pipe; `None` where nothing says so.
    pub(super) fn is_pipe(self) -> Option<bool> {
        self.resource_type.map(|kind| matches!(kind, 1 | 2))
    }
}

const CREATE_FLAGS: &[(u64, &str)] = &[
    (0x02, "NT_CREATE_REQUEST_OPLOCK"),
    (0x04, "NT_CREATE_REQUEST_OPBATCH"),
    (0x08, "NT_CREATE_OPEN_TARGET_DIR"),
    (0x10, "NT_CREATE_REQUEST_EXTENDED_RESPONSE"),
];
const SECURITY_FLAGS: &[(u64, &str)] =
    &[(1, "SMB_SECURITY_CONTEXT_TRACKING"), (2, "SMB_SECURITY_EFFECTIVE_ONLY")];
const OPLOCKS: &[(u64, &str)] = &[
    (0, "No oplock granted"),
    (1, "Exclusive oplock granted"),
    (2, "Batch oplock granted"),
    (3, "Level II oplock granted"),
];
const RESOURCE_TYPES: &[(u64, &str)] = &[
    (0, "FileTypeDisk"),
    (1, "FileTypeByteModePipe"),
    (2, "FileTypeMessageModePipe"),
    (3, "FileTypePrinter"),
    (0xffff, "FileTypeUnknown"),
];
const OPEN_FLAGS: &[(u64, &str)] = &[
    (0x01, "REQ_ATTRIB"),
    (0x02, "REQ_OPLOCK"),
    (0x04, "REQ_OPLOCK_BATCH"),
    (0x10, "SMB_OPEN_EXTENDED_RESPONSE"),
];

/// `WordCount` of the extended answers to `NT_CREATE_ANDX`: what servers say, and what they send
/// (\[MS-SMB\] 2.2.4.9.2).
pub(super) const EXTENDED_WORDS: u8 = 42;
pub(super) const EXTENDED_WORDS_SENT: u32 = 50;

/// 2.2.4.64.1
pub(super) fn nt_create<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Open, Stop> {
    place.words(r, |r| {
        r.u8(dec!("Reserved"))?;
        r.u16(dec!("NameLength"))?;
        r.u32(flags!("Flags", CREATE_FLAGS))?;
        r.u32(hex!("RootDirectoryFID"))?;
        r.u32(flags!("DesiredAccess", ACCESS))?;
        r.u64(dec!("AllocationSize"))?;
        r.u32(flags!("ExtFileAttributes", ATTRIBUTES))?;
        r.u32(flags!("ShareAccess", SHARE_ACCESS))?;
        r.u32(named!("CreateDisposition", DISPOSITIONS))?;
        r.u32(flags!("CreateOptions", OPTIONS))?;
        r.u32(named!("ImpersonationLevel", IMPERSONATIONS))?;
        r.u8(flags!("SecurityFlags", SECURITY_FLAGS))
    })?;
    name(r, place)
}

/// 2.2.4.64.2, and \[MS-SMB\] 2.2.4.9.2
pub(super) fn nt_created<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Opened, Stop> {
    let opened = place.words(r, |r| {
        r.u8(named!("OpLockLevel", OPLOCKS))?;
        let fid = Fid::read(r)?;
        r.u32(named!("CreateDisposition", ACTIONS))?;
        r.u64(hex!("CreateTime"))?;
        r.u64(hex!("LastAccessTime"))?;
        r.u64(hex!("LastWriteTime"))?;
        r.u64(hex!("LastChangeTime"))?;
        r.u32(flags!("ExtFileAttributes", ATTRIBUTES))?;
        r.u64(dec!("AllocationSize"))?;
        r.u64(dec!("EndOfFile"))?;
        let resource_type = Some(r.u16(named!("ResourceType", RESOURCE_TYPES))?);
        r.u16(hex!("NMPipeStatus"))?;
        r.u8(dec!("Directory"))?;
        if place.words >= EXTENDED_WORDS {
            r.guid(dec!("VolumeGUID"))?;
            r.u64(hex!("FileId"))?;
            r.u32(hex!("MaximalAccessRights"))?;
            r.u32(hex!("GuestMaximalAccessRights"))?;
        }
        Ok(Opened { fid, resource_type })
    })?;
    bytes(r, |_| Ok(opened))
}

/// 2.2.4.41.1
pub(super) fn open_andx<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Open, Stop> {
    place.words(r, |r| {
        r.u16(flags!("Flags", OPEN_FLAGS))?;
        r.u16(hex!("AccessMode"))?;
        r.u16(hex!("SearchAttrs"))?;
        r.u16(hex!("FileAttrs"))?;
        r.u32(hex!("CreationTime"))?;
        r.u16(hex!("OpenMode"))?;
        r.u32(dec!("AllocationSize"))?;
        r.u32(dec!("Timeout"))?;
        r.u32(dec!("Reserved"))
    })?;
    name(r, place)
}

/// 2.2.4.41.2, and \[MS-SMB\] 2.2.4.1.2
pub(super) fn opened_andx<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<Opened, Stop> {
    let opened = place.words(r, |r| {
        let fid = Fid::read(r)?;
        r.u16(hex!("FileAttrs"))?;
        r.u32(hex!("LastWriteTime"))?;
        r.u32(dec!("FileDataSize"))?;
        r.u16(hex!("AccessRights"))?;
        let resource_type = Some(r.u16(named!("ResourceType", RESOURCE_TYPES))?);
        r.u16(hex!("NMPipeStatus"))?;
        r.u16(dec!("OpenResults"))?;
        Ok(Opened { fid, resource_type })
    })?;
    bytes(r, |_| Ok(opened))
}

/// 2.2.4.3.1
pub(super) fn open<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Open, Stop> {
    place.words(r, |r| {
        r.u16(hex!("AccessMode"))?;
        r.u16(hex!("SearchAttributes"))
    })?;
    bytes(r, |r| {
        r.u8(hex!("BufferFormat"))?;
        let name = string(r, place, dec!("FileName"))?;
        Ok(Open { name })
    })
}

/// 2.2.4.3.2
pub(super) fn opened<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Opened, Stop> {
    let fid = place.words(r, |r| {
        let fid = Fid::read(r)?;
        r.u16(hex!("FileAttrs"))?;
        r.u32(hex!("LastModified"))?;
        r.u32(dec!("FileSize"))?;
        r.u16(hex!("AccessMode"))?;
        Ok(fid)
    })?;
    bytes(r, |_| Ok(Opened { fid, resource_type: None }))
}

/// 2.2.4.5.1
pub(super) fn close<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Fid, Stop> {
    let fid = place.words(r, |r| {
        let fid = Fid::read(r)?;
        r.u32(hex!("LastTimeModified"))?;
        Ok(fid)
    })?;
    bytes(r, |_| Ok(fid))
}

fn name<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Open, Stop> {
    let name = bytes(r, |r| string(r, place, dec!("FileName")))?;
    Ok(Open { name })
}
