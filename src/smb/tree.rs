//! 2.2.9 SMB2 `TREE_CONNECT` Request and 2.2.10 SMB2 `TREE_CONNECT` Response

use super::message::elsewhere;
use crate::bytes::{Reader, Sink, Stop};

/// 2.2.9 SMB2 `TREE_CONNECT` Request
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeConnect {
    /// `PathName`: `\\server\share`.
    pub path: String,
}

/// 2.2.10 SMB2 `TREE_CONNECT` Response
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeConnected {
    /// `ShareType`.
    pub share_type: ShareType,
    /// `ShareFlags`.
    pub share_flags: u32,
}

impl TreeConnected {
    /// Whether every message to the share is to be encrypted.
    pub fn encrypts(self) -> bool {
        self.share_flags & 0x8000 != 0
    }
}

/// 2.2.10 `ShareType`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShareType(pub u8);

impl ShareType {
    /// `SMB2_SHARE_TYPE_DISK`
    pub const DISK: Self = Self(1);
    /// `SMB2_SHARE_TYPE_PIPE`
    pub const PIPE: Self = Self(2);
    /// `SMB2_SHARE_TYPE_PRINT`
    pub const PRINT: Self = Self(3);
}

const FLAGS: &[(u64, &str)] = &[
    (1, "SMB2_TREE_CONNECT_FLAG_CLUSTER_RECONNECT"),
    (2, "SMB2_TREE_CONNECT_FLAG_REDIRECT_TO_OWNER"),
    (4, "SMB2_TREE_CONNECT_FLAG_EXTENSION_PRESENT"),
];
const SHARE_TYPES: &[(u64, &str)] = &[
    (1, "SMB2_SHARE_TYPE_DISK"),
    (2, "SMB2_SHARE_TYPE_PIPE"),
    (3, "SMB2_SHARE_TYPE_PRINT"),
];
const SHARE_FLAGS: &[(u64, &str)] = &[
    (0x0000_0001, "SMB2_SHAREFLAG_DFS"),
    (0x0000_0002, "SMB2_SHAREFLAG_DFS_ROOT"),
    (0x0000_0010, "SMB2_SHAREFLAG_AUTO_CACHING"),
    (0x0000_0020, "SMB2_SHAREFLAG_VDO_CACHING"),
    (0x0000_0100, "SMB2_SHAREFLAG_RESTRICT_EXCLUSIVE_OPENS"),
    (0x0000_0200, "SMB2_SHAREFLAG_FORCE_SHARED_DELETE"),
    (0x0000_0400, "SMB2_SHAREFLAG_ALLOW_NAMESPACE_CACHING"),
    (0x0000_0800, "SMB2_SHAREFLAG_ACCESS_BASED_DIRECTORY_ENUM"),
    (0x0000_1000, "SMB2_SHAREFLAG_FORCE_LEVELII_OPLOCK"),
    (0x0000_2000, "SMB2_SHAREFLAG_ENABLE_HASH_V1"),
    (0x0000_4000, "SMB2_SHAREFLAG_ENABLE_HASH_V2"),
    (0x0000_8000, "SMB2_SHAREFLAG_ENCRYPT_DATA"),
    (0x0004_0000, "SMB2_SHAREFLAG_IDENTITY_REMOTING"),
    (0x0010_0000, "SMB2_SHAREFLAG_COMPRESS_DATA"),
    (0x0020_0000, "SMB2_SHAREFLAG_ISOLATED_TRANSPORT"),
];
const CAPABILITIES: &[(u64, &str)] = &[
    (0x008, "SMB2_SHARE_CAP_DFS"),
    (0x010, "SMB2_SHARE_CAP_CONTINUOUS_AVAILABILITY"),
    (0x020, "SMB2_SHARE_CAP_SCALEOUT"),
    (0x040, "SMB2_SHARE_CAP_CLUSTER"),
    (0x080, "SMB2_SHARE_CAP_ASYMMETRIC"),
    (0x100, "SMB2_SHARE_CAP_REDIRECT_TO_OWNER"),
];

pub(super) fn request<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<TreeConnect, Stop> {
    r.u16(dec!("StructureSize"))?;
    let flags = r.u16(flags!("Flags", FLAGS))?;
    let offset = r.u16(dec!("PathOffset"))?.into();
    let len = r.u16(dec!("PathLength"))?.into();
    if flags & 4 != 0 {
        // 2.2.9.1 SMB2 TREE_CONNECT Request Extension; its contexts are left as they are.
        r.u32(dec!("TreeConnectContextOffset"))?;
        r.u16(dec!("TreeConnectContextCount"))?;
        r.bytes(dec!("Reserved"), 10)?;
    }
    let path = elsewhere(r, base, offset, len, "PathOffset", |r| {
        r.utf16(dec!("PathName"), len)
    })?;
    Ok(TreeConnect {
        path: path.unwrap_or_default(),
    })
}

pub(super) fn response<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<TreeConnected, Stop> {
    r.u16(dec!("StructureSize"))?;
    let share_type = ShareType(r.u8(named!("ShareType", SHARE_TYPES))?);
    r.u8(dec!("Reserved"))?;
    let share_flags = r.u32(flags!("ShareFlags", SHARE_FLAGS))?;
    r.u32(flags!("Capabilities", CAPABILITIES))?;
    r.u32(hex!("MaximalAccess"))?;
    Ok(TreeConnected {
        share_type,
        share_flags,
    })
}
