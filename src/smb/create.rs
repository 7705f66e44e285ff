//! 2.2.13 SMB2 CREATE Request, 2.2.14 SMB2 CREATE Response, 2.2.15 and 2.2.16 SMB2 CLOSE

use super::FileId;
use super::message::{apart, elsewhere};
use crate::bytes::{Reader, Sink, Stop};

/// 2.2.13 SMB2 CREATE Request
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The file's name, relative to the share.
    pub name: String,
}

/// 2.2.14 SMB2 CREATE Response
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Created {
    /// `CreateAction`.
    pub action: u32,
    /// `EndofFile`.
    pub end_of_file: u64,
    /// `FileAttributes`.
    pub attributes: u32,
    /// `FileId`.
    pub file_id: FileId,
}

impl Created {
    /// Whether no pipe looks like this: it has a size, is a directory, or was made by the request.
    pub(super) fn is_surely_file(self) -> bool {
        const FILE_OPENED: u32 = 1;
        const DIRECTORY: u32 = 0x10;
        self.end_of_file != 0 || self.attributes & DIRECTORY != 0 || self.action != FILE_OPENED
    }
}

/// 2.2.15 SMB2 CLOSE Request
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// `FileId`.
    pub file_id: FileId,
}

const OPLOCKS: &[(u64, &str)] = &[
    (0x00, "SMB2_OPLOCK_LEVEL_NONE"),
    (0x01, "SMB2_OPLOCK_LEVEL_II"),
    (0x08, "SMB2_OPLOCK_LEVEL_EXCLUSIVE"),
    (0x09, "SMB2_OPLOCK_LEVEL_BATCH"),
    (0xff, "SMB2_OPLOCK_LEVEL_LEASE"),
];
pub(super) const IMPERSONATIONS: &[(u64, &str)] =
    &[(0, "Anonymous"), (1, "Identification"), (2, "Impersonation"), (3, "Delegate")];
pub(super) const ATTRIBUTES: &[(u64, &str)] = &[
    (0x0001, "FILE_ATTRIBUTE_READONLY"),
    (0x0002, "FILE_ATTRIBUTE_HIDDEN"),
    (0x0004, "FILE_ATTRIBUTE_SYSTEM"),
    (0x0010, "FILE_ATTRIBUTE_DIRECTORY"),
    (0x0020, "FILE_ATTRIBUTE_ARCHIVE"),
    (0x0080, "FILE_ATTRIBUTE_NORMAL"),
    (0x0100, "FILE_ATTRIBUTE_TEMPORARY"),
    (0x0200, "FILE_ATTRIBUTE_SPARSE_FILE"),
    (0x0400, "FILE_ATTRIBUTE_REPARSE_POINT"),
    (0x0800, "FILE_ATTRIBUTE_COMPRESSED"),
    (0x1000, "FILE_ATTRIBUTE_OFFLINE"),
    (0x4000, "FILE_ATTRIBUTE_ENCRYPTED"),
];
pub(super) const ACCESS: &[(u64, &str)] = &[
    (0x0000_0001, "FILE_READ_DATA"),
    (0x0000_0002, "FILE_WRITE_DATA"),
    (0x0000_0004, "FILE_APPEND_DATA"),
    (0x0000_0008, "FILE_READ_EA"),
    (0x0000_0010, "FILE_WRITE_EA"),
    (0x0000_0020, "FILE_EXECUTE"),
    (0x0000_0040, "FILE_DELETE_CHILD"),
    (0x0000_0080, "FILE_READ_ATTRIBUTES"),
    (0x0000_0100, "FILE_WRITE_ATTRIBUTES"),
    (0x0001_0000, "DELETE"),
    (0x0002_0000, "READ_CONTROL"),
    (0x0004_0000, "WRITE_DAC"),
    (0x0008_0000, "WRITE_OWNER"),
    (0x0010_0000, "SYNCHRONIZE"),
    (0x0200_0000, "MAXIMUM_ALLOWED"),
    (0x1000_0000, "GENERIC_ALL"),
    (0x2000_0000, "GENERIC_EXECUTE"),
    (0x4000_0000, "GENERIC_WRITE"),
    (0x8000_0000, "GENERIC_READ"),
];
pub(super) const SHARE_ACCESS: &[(u64, &str)] =
    &[(1, "FILE_SHARE_READ"), (2, "FILE_SHARE_WRITE"), (4, "FILE_SHARE_DELETE")];
pub(super) const DISPOSITIONS: &[(u64, &str)] = &[
    (0, "FILE_SUPERSEDE"),
    (1, "FILE_OPEN"),
    (2, "FILE_CREATE"),
    (3, "FILE_OPEN_IF"),
    (4, "FILE_OVERWRITE"),
    (5, "FILE_OVERWRITE_IF"),
];
pub(super) const OPTIONS: &[(u64, &str)] = &[
    (0x0000_0001, "FILE_DIRECTORY_FILE"),
    (0x0000_0002, "FILE_WRITE_THROUGH"),
    (0x0000_0004, "FILE_SEQUENTIAL_ONLY"),
    (0x0000_0008, "FILE_NO_INTERMEDIATE_BUFFERING"),
    (0x0000_0010, "FILE_SYNCHRONOUS_IO_ALERT"),
    (0x0000_0020, "FILE_SYNCHRONOUS_IO_NONALERT"),
    (0x0000_0040, "FILE_NON_DIRECTORY_FILE"),
    (0x0000_0800, "FILE_RANDOM_ACCESS"),
    (0x0000_1000, "FILE_DELETE_ON_CLOSE"),
    (0x0000_2000, "FILE_OPEN_BY_FILE_ID"),
    (0x0000_4000, "FILE_OPEN_FOR_BACKUP_INTENT"),
    (0x0020_0000, "FILE_OPEN_REPARSE_POINT"),
    (0x0040_0000, "FILE_OPEN_NO_RECALL"),
];
pub(super) const ACTIONS: &[(u64, &str)] =
    &[(0, "FILE_SUPERSEDED"), (1, "FILE_OPENED"), (2, "FILE_CREATED"), (3, "FILE_OVERWRITTEN")];
const CREATED_FLAGS: &[(u64, &str)] = &[(1, "SMB2_CREATE_FLAG_REPARSEPOINT")];
const CLOSE_FLAGS: &[(u64, &str)] = &[(1, "SMB2_CLOSE_FLAG_POSTQUERY_ATTRIB")];

pub(super) fn request<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Create, Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u8(dec!("SecurityFlags"))?;
    r.u8(named!("RequestedOplockLevel", OPLOCKS))?;
    r.u32(named!("ImpersonationLevel", IMPERSONATIONS))?;
    r.u64(hex!("SmbCreateFlags"))?;
    r.u64(hex!("Reserved"))?;
    r.u32(flags!("DesiredAccess", ACCESS))?;
    r.u32(flags!("FileAttributes", ATTRIBUTES))?;
    r.u32(flags!("ShareAccess", SHARE_ACCESS))?;
    r.u32(named!("CreateDisposition", DISPOSITIONS))?;
    r.u32(flags!("CreateOptions", OPTIONS))?;
    let name_offset = r.u16(dec!("NameOffset"))?.into();
    let name_len = r.u16(dec!("NameLength"))?.into();
    let offset = r.u32(dec!("CreateContextsOffset"))?;
    let len = r.u32(dec!("CreateContextsLength"))?;
    let name = elsewhere(r, base, name_offset, name_len, "NameOffset", |r| {
        r.utf16(dec!("Name"), name_len)
    })?;
    elsewhere(r, base, offset, len, "CreateContextsOffset", contexts)?;
    Ok(Create { name: name.unwrap_or_default() })
}

pub(super) fn response<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Created, Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u8(named!("OplockLevel", OPLOCKS))?;
    r.u8(flags!("Flags", CREATED_FLAGS))?;
    let action = r.u32(named!("CreateAction", ACTIONS))?;
    r.u64(hex!("CreationTime"))?;
    r.u64(hex!("LastAccessTime"))?;
    r.u64(hex!("LastWriteTime"))?;
    r.u64(hex!("ChangeTime"))?;
    r.u64(dec!("AllocationSize"))?;
    let end_of_file = r.u64(dec!("EndofFile"))?;
    let attributes = r.u32(flags!("FileAttributes", ATTRIBUTES))?;
    r.u32(dec!("Reserved2"))?;
    let file_id = FileId::read(r)?;
    let offset = r.u32(dec!("CreateContextsOffset"))?;
    let len = r.u32(dec!("CreateContextsLength"))?;
    elsewhere(r, base, offset, len, "CreateContextsOffset", contexts)?;
    Ok(Created { action, end_of_file, attributes, file_id })
}

/// 2.2.13.2 SMB2 `CREATE_CONTEXT` Request Values: a list linked by `Next`.
fn contexts<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<(), Stop> {
    loop {
        let base = r.pos();
        let next = r.group("CreateContext", |r| {
            let next = r.u32(dec!("Next"))?;
            let name_offset = r.u16(dec!("NameOffset"))?.into();
            let name_len = r.u16(dec!("NameLength"))?.into();
            r.u16(dec!("Reserved"))?;
            let offset = r.u16(dec!("DataOffset"))?.into();
            let len = r.u32(dec!("DataLength"))?;
            apart(r, base, name_offset, name_len, "NameOffset", |r| {
                r.bytes(dec!("Name"), name_len)
            })?;
            apart(r, base, offset, len, "DataOffset", |r| r.bytes(dec!("Data"), len))?;
            Ok(next)
        })?;
        // Each is longer than its own fields, so the list ends.
        match next {
            0 => return Ok(()),
            1..16 => {
                return Err(Stop::malformed(
                    base,
                    format!("Next {next} points into the context itself"),
                ));
            }
            _ => r.seek(base.saturating_add(next), "Next")?,
        }
    }
}

pub(super) fn close_request<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Close, Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u16(flags!("Flags", CLOSE_FLAGS))?;
    r.u32(dec!("Reserved"))?;
    let file_id = FileId::read(r)?;
    Ok(Close { file_id })
}

pub(super) fn close_response<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<(), Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u16(flags!("Flags", CLOSE_FLAGS))?;
    r.u32(dec!("Reserved"))?;
    r.u64(hex!("CreationTime"))?;
    r.u64(hex!("LastAccessTime"))?;
    r.u64(hex!("LastWriteTime"))?;
    r.u64(hex!("ChangeTime"))?;
    r.u64(dec!("AllocationSize"))?;
    r.u64(dec!("EndofFile"))?;
    r.u32(flags!("FileAttributes", ATTRIBUTES))?;
    Ok(())
}
