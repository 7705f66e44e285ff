//! 2.2.5 SMB2 `SESSION_SETUP` Request, 2.2.6 its Response, 2.2.7 and 2.2.8 SMB2 LOGOFF

use super::LogonKind;
use super::message::buffer;
use super::negotiate::CAPABILITIES;
use crate::bytes::{Reader, Sink, Span, Stop};

/// 2.2.5 SMB2 `SESSION_SETUP` Request
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSetup {
    /// `Flags`.
    pub flags: u8,
    /// `PreviousSessionId`: the session this one replaces.
    pub previous_session_id: u64,
    /// Where the security token (`Buffer`) lies.
    pub token: Span,
}

/// 2.2.6 SMB2 `SESSION_SETUP` Response
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSetupAnswer {
    /// `SessionFlags`.
    pub session_flags: u16,
    /// Where the security token (`Buffer`) lies.
    pub token: Span,
}

impl SessionSetup {
    /// `SMB2_SESSION_FLAG_BINDING`: the connection joins a session.
    pub const BINDING: u8 = 1;
}

impl SessionSetupAnswer {
    /// `SMB2_SESSION_FLAG_IS_GUEST`
    pub const IS_GUEST: u16 = 1;
    /// `SMB2_SESSION_FLAG_IS_NULL`
    pub const IS_NULL: u16 = 2;

    /// As whom the server takes the client.
    pub fn kind(self) -> LogonKind {
        if self.session_flags & Self::IS_NULL != 0 {
            LogonKind::Anonymous
        } else if self.session_flags & Self::IS_GUEST != 0 {
            LogonKind::Guest
        } else {
            LogonKind::User
        }
    }

    /// Whether every message of the session is to be encrypted.
    pub fn encrypts(self) -> bool {
        self.session_flags & 4 != 0
    }
}

const SETUP_FLAGS: &[(u64, &str)] = &[(1, "SMB2_SESSION_FLAG_BINDING")];
const SECURITY_MODES: &[(u64, &str)] =
    &[(1, "SMB2_NEGOTIATE_SIGNING_ENABLED"), (2, "SMB2_NEGOTIATE_SIGNING_REQUIRED")];
const SESSION_FLAGS: &[(u64, &str)] = &[
    (1, "SMB2_SESSION_FLAG_IS_GUEST"),
    (2, "SMB2_SESSION_FLAG_IS_NULL"),
    (4, "SMB2_SESSION_FLAG_ENCRYPT_DATA"),
];

pub(super) fn request<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<SessionSetup, Stop> {
    r.u16(dec!("StructureSize"))?;
    let flags = r.u8(flags!("Flags", SETUP_FLAGS))?;
    r.u8(flags!("SecurityMode", SECURITY_MODES))?;
    r.u32(flags!("Capabilities", CAPABILITIES))?;
    r.u32(dec!("Channel"))?;
    let offset = r.u16(dec!("SecurityBufferOffset"))?.into();
    let len = r.u16(dec!("SecurityBufferLength"))?.into();
    let previous_session_id = r.u64(hex!("PreviousSessionId"))?;
    let token = buffer(r, base, offset, len, dec!("Buffer"), "SecurityBufferOffset")?;
    Ok(SessionSetup { flags, previous_session_id, token })
}

pub(super) fn response<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    base: u32,
) -> Result<SessionSetupAnswer, Stop> {
    r.u16(dec!("StructureSize"))?;
    let session_flags = r.u16(flags!("SessionFlags", SESSION_FLAGS))?;
    let offset = r.u16(dec!("SecurityBufferOffset"))?.into();
    let len = r.u16(dec!("SecurityBufferLength"))?.into();
    let token = buffer(r, base, offset, len, dec!("Buffer"), "SecurityBufferOffset")?;
    Ok(SessionSetupAnswer { session_flags, token })
}

/// The four bytes of 2.2.7, 2.2.8 (LOGOFF), 2.2.11 and 2.2.12 (`TREE_DISCONNECT`).
pub(super) fn empty<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<(), Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u16(dec!("Reserved"))?;
    Ok(())
}
