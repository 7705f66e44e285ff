//! 2.2.4.52 `SMB_COM_NEGOTIATE`, 2.2.4.53 `SMB_COM_SESSION_SETUP_ANDX`, and their extended forms
//! in \[MS-SMB\] 2.2.4.5 and 2.2.4.6

use super::block::{Place, bytes};
use super::text::{oem, string};
use crate::bytes::{Guid, Reader, Sink, Span, Stop};

/// The answer to `SMB_COM_NEGOTIATE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negotiated {
    /// `DialectIndex`: which of the offered dialects is spoken; 0xffff is none.
    pub dialect_index: u16,
    /// `Capabilities`.
    pub capabilities: u32,
    /// `SystemTime`, a FILETIME.
    pub system_time: u64,
    /// `ServerGUID`, where it is told.
    pub server_guid: Option<Guid>,
    /// Where the security token (`SecurityBlob`) lies.
    pub token: Span,
    /// `ServerName`, where it is told.
    pub server_name: Option<String>,
}

/// A request of `SMB_COM_SESSION_SETUP_ANDX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSetup {
    /// Who logs on.
    pub credentials: Credentials,
}

/// A response of `SMB_COM_SESSION_SETUP_ANDX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSetUp {
    /// `SMB_SETUP_GUEST` of `Action`: the server takes the client as a guest.
    pub guest: bool,
    /// Where the security token (`SecurityBlob`) lies.
    pub token: Span,
}

/// Who logs on, and how that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// By a security token (`SecurityBlob`), which lies here.
    Token(Span),
    /// By name, with hashed passwords beside it.
    Names {
        /// `AccountName`; empty for an anonymous logon.
        account: String,
        /// `PrimaryDomain`.
        domain: String,
    },
}

const SECURITY_MODES: &[(u64, &str)] = &[
    (1, "NEGOTIATE_USER_SECURITY"),
    (2, "NEGOTIATE_ENCRYPT_PASSWORDS"),
    (4, "NEGOTIATE_SECURITY_SIGNATURES_ENABLED"),
    (8, "NEGOTIATE_SECURITY_SIGNATURES_REQUIRED"),
];
const EXTENDED_SECURITY: u32 = 0x8000_0000;
const CAPABILITIES: &[(u64, &str)] = &[
    (0x0000_0001, "CAP_RAW_MODE"),
    (0x0000_0002, "CAP_MPX_MODE"),
    (0x0000_0004, "CAP_UNICODE"),
    (0x0000_0008, "CAP_LARGE_FILES"),
    (0x0000_0010, "CAP_NT_SMBS"),
    (0x0000_0020, "CAP_RPC_REMOTE_APIS"),
    (0x0000_0040, "CAP_STATUS32"),
    (0x0000_0080, "CAP_LEVEL_II_OPLOCKS"),
    (0x0000_0100, "CAP_LOCK_AND_READ"),
    (0x0000_0200, "CAP_NT_FIND"),
    (0x0000_1000, "CAP_DFS"),
    (0x0000_2000, "CAP_INFOLEVEL_PASSTHRU"),
    (0x0000_4000, "CAP_LARGE_READX"),
    (0x0000_8000, "CAP_LARGE_WRITEX"),
    (0x0001_0000, "CAP_LWIO"),
    (0x0080_0000, "CAP_UNIX"),
    (0x0200_0000, "CAP_COMPRESSED_DATA"),
    (0x2000_0000, "CAP_DYNAMIC_REAUTH"),
    (0x4000_0000, "CAP_PERSISTENT_HANDLES"),
    (0x8000_0000, "CAP_EXTENDED_SECURITY"),
];
const ACTIONS: &[(u64, &str)] = &[(1, "SMB_SETUP_GUEST"), (2, "SMB_SETUP_USE_LANMAN_KEY")];

/// 2.2.4.52.1: a list of dialects.
pub(super) fn negotiate<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<(), Stop> {
    place.words(r, |_| Ok(()))?;
    bytes(r, |r| {
        while r.left() > 0 {
            r.u8(hex!("BufferFormat"))?;
            oem(r, dec!("DialectString"))?;
        }
        Ok(())
    })
}

/// 2.2.4.52.2, and \[MS-SMB\] 2.2.4.5.2. The form depends on the dialect chosen.
pub(super) fn negotiated<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<Negotiated, Stop> {
    const NT_WORDS: u8 = 17;
    const LANMAN_WORDS: u8 = 13;
    if place.words != NT_WORDS {
        let dialect_index = place.words(r, |r| {
            let dialect_index = r.u16(dec!("DialectIndex"))?;
            if place.words == LANMAN_WORDS {
                r.u16(flags!("SecurityMode", SECURITY_MODES))?;
                r.u16(dec!("MaxBufferSize"))?;
                r.u16(dec!("MaxMpxCount"))?;
                r.u16(dec!("MaxNumberVcs"))?;
                r.u16(dec!("RawMode"))?;
                r.u32(hex!("SessionKey"))?;
            }
            Ok(dialect_index)
        })?;
        bytes(r, |_| Ok(()))?;
        return Ok(Negotiated { dialect_index, ..Negotiated::default() });
    }
    let (mut told, challenge) = place.words(r, |r| {
        let dialect_index = r.u16(dec!("DialectIndex"))?;
        r.u8(flags!("SecurityMode", SECURITY_MODES))?;
        r.u16(dec!("MaxMpxCount"))?;
        r.u16(dec!("MaxNumberVcs"))?;
        r.u32(dec!("MaxBufferSize"))?;
        r.u32(dec!("MaxRawSize"))?;
        r.u32(hex!("SessionKey"))?;
        let capabilities = r.u32(flags!("Capabilities", CAPABILITIES))?;
        let system_time = r.u64(hex!("SystemTime"))?;
        r.u16(dec!("ServerTimeZone"))?;
        let told = Negotiated { dialect_index, capabilities, system_time, ..Negotiated::default() };
        Ok((told, r.u8(dec!("ChallengeLength"))?))
    })?;
    let server_name = bytes(r, |r| {
        if told.capabilities & EXTENDED_SECURITY != 0 {
            told.server_guid = Some(r.guid(dec!("ServerGUID"))?);
            let (at, len) = (r.pos(), r.left());
            r.sub(dec!("SecurityBlob"), len)?;
            told.token = Span::new(at, r.pos());
            return Ok(None);
        }
        r.bytes(dec!("Challenge"), challenge.into())?;
        if r.left() == 0 {
            return Ok(None);
        }
        // Neither is aligned, and older servers leave out the second.
        let place = Place { base: r.pos(), ..place };
        string(r, place, dec!("DomainName"))?;
        string(r, place, dec!("ServerName")).map(Some)
    })?;
    let server_name = server_name.filter(|name| !name.is_empty());
    Ok(Negotiated { server_name, ..told })
}

/// 2.2.4.53.1, and \[MS-SMB\] 2.2.4.6.1, which `WordCount` tells apart.
pub(super) fn session_setup<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<SessionSetup, Stop> {
    const EXTENDED_WORDS: u8 = 12;
    const NT_WORDS: u8 = 13;
    let (oem_password, unicode_password) = place.words(r, |r| {
        r.u16(dec!("MaxBufferSize"))?;
        r.u16(dec!("MaxMpxCount"))?;
        r.u16(dec!("VcNumber"))?;
        r.u32(hex!("SessionKey"))?;
        let lengths = match place.words {
            EXTENDED_WORDS => (r.u16(dec!("SecurityBlobLength"))?, 0),
            NT_WORDS => (r.u16(dec!("OEMPasswordLen"))?, r.u16(dec!("UnicodePasswordLen"))?),
            _ => (r.u16(dec!("PasswordLength"))?, 0),
        };
        r.u32(dec!("Reserved"))?;
        if matches!(place.words, EXTENDED_WORDS | NT_WORDS) {
            r.u32(flags!("Capabilities", CAPABILITIES))?;
        }
        Ok(lengths)
    })?;
    let credentials = bytes(r, |r| {
        let credentials = if place.words == EXTENDED_WORDS {
            let at = r.pos();
            r.sub(dec!("SecurityBlob"), oem_password.into())?;
            Credentials::Token(Span::new(at, r.pos()))
        } else {
            r.sub(dec!("OEMPassword"), oem_password.into())?;
            r.sub(dec!("UnicodePassword"), unicode_password.into())?;
            let account = string(r, place, dec!("AccountName"))?;
            let domain = string(r, place, dec!("PrimaryDomain"))?;
            Credentials::Names { account, domain }
        };
        string(r, place, dec!("NativeOS"))?;
        string(r, place, dec!("NativeLanMan"))?;
        Ok(credentials)
    })?;
    Ok(SessionSetup { credentials })
}

/// 2.2.4.53.2, and \[MS-SMB\] 2.2.4.6.2
pub(super) fn session_set_up<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<SessionSetUp, Stop> {
    const EXTENDED_WORDS: u8 = 4;
    const GUEST: u16 = 1;
    let (action, token) = place.words(r, |r| {
        let action = r.u16(flags!("Action", ACTIONS))?;
        let extended = place.words == EXTENDED_WORDS;
        Ok((action, if extended { r.u16(dec!("SecurityBlobLength"))? } else { 0 }))
    })?;
    bytes(r, |r| {
        let at = r.pos();
        r.sub(dec!("SecurityBlob"), token.into())?;
        let token = Span::new(at, r.pos());
        string(r, place, dec!("NativeOS"))?;
        string(r, place, dec!("NativeLanMan"))?;
        if r.left() > 0 {
            string(r, place, dec!("PrimaryDomain"))?;
        }
        Ok(SessionSetUp { guest: action & GUEST != 0, token })
    })
}
