//! 2.2.4.55 `SMB_COM_TREE_CONNECT_ANDX` and 2.2.4.50 `SMB_COM_TREE_CONNECT`, and \[MS-SMB\] 2.2.4.7

use super::super::ShareType;
use super::block::{Place, bytes};
use super::text::{oem, string};
use crate::bytes::{Reader, Sink, Stop};

/// A request to connect a share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeConnect {
    /// `Path`: `\\server\share`.
    pub path: String,
}

/// The answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeConnected {
    /// What `Service` says the share is; `None` where the answer does not tell.
    pub share_type: Option<ShareType>,
    /// `TID`, where it does not stand in the header.
    pub tid: Option<u16>,
}

const FLAGS: &[(u64, &str)] = &[
    (1, "TREE_CONNECT_ANDX_DISCONNECT_TID"),
    (4, "TREE_CONNECT_ANDX_EXTENDED_SIGNATURES"),
    (8, "TREE_CONNECT_ANDX_EXTENDED_RESPONSE"),
];
const SUPPORT: &[(u64, &str)] = &[
    (1, "SMB_SUPPORT_SEARCH_BITS"),
    (2, "SMB_SHARE_IS_IN_DFS"),
    (0x20, "SMB_EXTENDED_SIGNATURES"),
];

/// 2.2.4.55.1
pub(super) fn connect_andx<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<TreeConnect, Stop> {
    let password = place.words(r, |r| {
        r.u16(flags!("Flags", FLAGS))?;
        r.u16(dec!("PasswordLength"))
    })?;
    bytes(r, |r| {
        r.sub(dec!("Password"), password.into())?;
        let path = string(r, place, dec!("Path"))?;
        oem(r, dec!("Service"))?;
        Ok(TreeConnect { path })
    })
}

/// 2.2.4.55.2, and \[MS-SMB\] 2.2.4.7.2
pub(super) fn connected_andx<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<TreeConnected, Stop> {
    const EXTENDED_WORDS: u8 = 7;
    place.words(r, |r| {
        if place.words > 2 {
            r.u16(flags!("OptionalSupport", SUPPORT))?;
        }
        if place.words >= EXTENDED_WORDS {
            r.u32(hex!("MaximalShareAccessRights"))?;
            r.u32(hex!("GuestMaximalShareAccessRights"))?;
        }
        Ok(())
    })?;
    bytes(r, |r| {
        let service = oem(r, dec!("Service"))?;
        if r.left() > 0 {
            string(r, place, dec!("NativeFileSystem"))?;
        }
        let share_type = match &*service {
            "" => None,
            "IPC" => Some(ShareType::PIPE),
            "LPT1:" => Some(ShareType::PRINT),
            _ => Some(ShareType::DISK),
        };
        Ok(TreeConnected { share_type, tid: None })
    })
}

/// 2.2.4.50.1: three strings, each behind its format.
pub(super) fn connect<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<TreeConnect, Stop> {
    place.words(r, |_| Ok(()))?;
    bytes(r, |r| {
        r.u8(hex!("BufferFormat1"))?;
        let path = oem(r, dec!("Path"))?;
        r.u8(hex!("BufferFormat2"))?;
        oem(r, dec!("Password"))?;
        r.u8(hex!("BufferFormat3"))?;
        oem(r, dec!("Service"))?;
        Ok(TreeConnect { path })
    })
}

/// 2.2.4.50.2
pub(super) fn connected<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<TreeConnected, Stop> {
    let tid = place.words(r, |r| {
        r.u16(dec!("MaxBufferSize"))?;
        r.u16(hex!("TID"))
    })?;
    bytes(r, |_| Ok(()))?;
    Ok(TreeConnected { share_type: None, tid: Some(tid) })
}
