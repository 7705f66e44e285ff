//! 2.2.3 SMB2 NEGOTIATE Request, 2.2.4 SMB2 NEGOTIATE Response, and their contexts

use super::message::{counted, elsewhere};
use crate::bytes::{Guid, Reader, Sink, Span, Stop};

/// 2.2.3 SMB2 NEGOTIATE Request
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negotiate {
    /// `SecurityMode`.
    pub security_mode: u16,
    /// `Capabilities`.
    pub capabilities: u32,
    /// `ClientGuid`.
    pub client_guid: Guid,
    /// `Dialects`.
    pub dialects: Vec<u16>,
    /// `NetName` of the context of that name: what the client calls the server.
    pub net_name: Option<String>,
}

/// 2.2.4 SMB2 NEGOTIATE Response
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negotiated {
    /// `SecurityMode`.
    pub security_mode: u16,
    /// `DialectRevision`.
    pub dialect: u16,
    /// `ServerGuid`.
    pub server_guid: Guid,
    /// `Capabilities`.
    pub capabilities: u32,
    /// `SystemTime`, a FILETIME.
    pub system_time: u64,
    /// `ServerStartTime`, a FILETIME.
    pub server_start_time: u64,
    /// Where the security token (`Buffer`) lies.
    pub token: Span,
    /// `Ciphers` of `SMB2_ENCRYPTION_CAPABILITIES`, of which a server gives one.
    pub cipher: Option<u16>,
    /// `SigningAlgorithms` of `SMB2_SIGNING_CAPABILITIES`, of which a server gives one.
    pub signing: Option<u16>,
}

/// Any SMB 2 dialect: the answer to an SMB1 NEGOTIATE with "SMB 2.???", after which the client
/// sends an SMB2 NEGOTIATE.
pub(super) const WILDCARD: u16 = 0x02ff;
const SMB311: u16 = 0x0311;

/// `2.0.2` to `3.1.1`.
pub fn dialect_name(dialect: u16) -> Option<&'static str> {
    DIALECTS.iter().find(|(value, _)| *value == u64::from(dialect)).map(|(_, name)| *name)
}

const DIALECTS: &[(u64, &str)] = &[
    (0x0202, "2.0.2"),
    (0x0210, "2.1"),
    (0x0300, "3.0"),
    (0x0302, "3.0.2"),
    (0x0311, "3.1.1"),
    (0x02ff, "2.???"),
];
const SECURITY_MODES: &[(u64, &str)] =
    &[(1, "SMB2_NEGOTIATE_SIGNING_ENABLED"), (2, "SMB2_NEGOTIATE_SIGNING_REQUIRED")];
pub(super) const CAPABILITIES: &[(u64, &str)] = &[
    (0x01, "SMB2_GLOBAL_CAP_DFS"),
    (0x02, "SMB2_GLOBAL_CAP_LEASING"),
    (0x04, "SMB2_GLOBAL_CAP_LARGE_MTU"),
    (0x08, "SMB2_GLOBAL_CAP_MULTI_CHANNEL"),
    (0x10, "SMB2_GLOBAL_CAP_PERSISTENT_HANDLES"),
    (0x20, "SMB2_GLOBAL_CAP_DIRECTORY_LEASING"),
    (0x40, "SMB2_GLOBAL_CAP_ENCRYPTION"),
    (0x80, "SMB2_GLOBAL_CAP_NOTIFICATIONS"),
];
const CONTEXT_TYPES: &[(u64, &str)] = &[
    (1, "SMB2_PREAUTH_INTEGRITY_CAPABILITIES"),
    (2, "SMB2_ENCRYPTION_CAPABILITIES"),
    (3, "SMB2_COMPRESSION_CAPABILITIES"),
    (5, "SMB2_NETNAME_NEGOTIATE_CONTEXT_ID"),
    (6, "SMB2_TRANSPORT_CAPABILITIES"),
    (7, "SMB2_RDMA_TRANSFORM_CAPABILITIES"),
    (8, "SMB2_SIGNING_CAPABILITIES"),
    (0x100, "SMB2_CONTEXTTYPE_RESERVED"),
];
const HASHES: &[(u64, &str)] = &[(1, "SHA-512")];
const CIPHERS: &[(u64, &str)] =
    &[(1, "AES-128-CCM"), (2, "AES-128-GCM"), (3, "AES-256-CCM"), (4, "AES-256-GCM")];
pub(super) const COMPRESSIONS: &[(u64, &str)] =
    &[(0, "NONE"), (1, "LZNT1"), (2, "LZ77"), (3, "LZ77+Huffman"), (4, "Pattern_V1"), (5, "LZ4")];
const COMPRESSION_FLAGS: &[(u64, &str)] = &[(1, "SMB2_COMPRESSION_CAPABILITIES_FLAG_CHAINED")];
const TRANSPORT_FLAGS: &[(u64, &str)] = &[(1, "SMB2_ACCEPT_TRANSPORT_LEVEL_SECURITY")];
const SIGNINGS: &[(u64, &str)] = &[(0, "HMAC-SHA256"), (1, "AES-CMAC"), (2, "AES-GMAC")];

pub(super) fn request<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Negotiate, Stop> {
    r.u16(dec!("StructureSize"))?;
    let count = r.u16(dec!("DialectCount"))?;
    let security_mode = r.u16(flags!("SecurityMode", SECURITY_MODES))?;
    r.u16(dec!("Reserved"))?;
    let capabilities = r.u32(flags!("Capabilities", CAPABILITIES))?;
    let client_guid = r.guid(dec!("ClientGuid"))?;
    let dialects = peek_dialects(r, count)?;
    let mut contexts = None;
    if dialects.contains(&SMB311) {
        let offset = r.u32(dec!("NegotiateContextOffset"))?;
        let count = r.u16(dec!("NegotiateContextCount"))?;
        r.u16(dec!("Reserved2"))?;
        contexts = Some((offset, count));
    } else {
        r.u64(hex!("ClientStartTime"))?;
    }
    for _ in &dialects {
        r.u16(named!("Dialect", DIALECTS))?;
    }
    let net_name = match contexts {
        Some((offset, count)) => read_contexts(r, base, offset, count)?.net_name,
        None => None,
    };
    Ok(Negotiate { security_mode, capabilities, client_guid, dialects, net_name })
}

/// What the eight bytes before the dialects mean depends on the dialects.
fn peek_dialects<S: Sink>(r: &mut Reader<'_, '_, S>, count: u16) -> Result<Vec<u16>, Stop> {
    let back = r.pos();
    r.take(8)?;
    counted(r, count.into(), 2, "DialectCount")?;
    let dialects = (0..count).map(|_| r.raw_u16()).collect();
    r.seek(back, "NegotiateContextOffset")?;
    dialects
}

pub(super) fn response<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Negotiated, Stop> {
    r.u16(dec!("StructureSize"))?;
    let security_mode = r.u16(flags!("SecurityMode", SECURITY_MODES))?;
    let dialect = r.u16(named!("DialectRevision", DIALECTS))?;
    let count = r.u16(dec!("NegotiateContextCount"))?;
    let server_guid = r.guid(dec!("ServerGuid"))?;
    let capabilities = r.u32(flags!("Capabilities", CAPABILITIES))?;
    r.u32(dec!("MaxTransactSize"))?;
    r.u32(dec!("MaxReadSize"))?;
    r.u32(dec!("MaxWriteSize"))?;
    let system_time = r.u64(hex!("SystemTime"))?;
    let server_start_time = r.u64(hex!("ServerStartTime"))?;
    let offset = r.u16(dec!("SecurityBufferOffset"))?;
    let len = r.u16(dec!("SecurityBufferLength"))?;
    let contexts = r.u32(dec!("NegotiateContextOffset"))?;
    let token = elsewhere(r, base, offset.into(), len.into(), "SecurityBufferOffset", |r| {
        let at = r.pos();
        r.sub(dec!("Buffer"), len.into())?;
        Ok(Span::new(at, r.pos()))
    })?
    .unwrap_or_default();
    let told = match dialect {
        SMB311 => read_contexts(r, base, contexts, count)?,
        _ => Contexts::default(),
    };
    Ok(Negotiated {
        security_mode,
        dialect,
        server_guid,
        capabilities,
        system_time,
        server_start_time,
        token,
        cipher: told.cipher,
        signing: told.signing,
    })
}

/// What the contexts say, as far as it is wanted.
#[derive(Debug, Default)]
struct Contexts {
    net_name: Option<String>,
    /// The first of `Ciphers`.
    cipher: Option<u16>,
    /// The first of `SigningAlgorithms`.
    signing: Option<u16>,
}

/// 2.2.3.1 SMB2 `NEGOTIATE_CONTEXT`, as many as the count says.
fn read_contexts<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    base: u32,
    offset: u32,
    count: u16,
) -> Result<Contexts, Stop> {
    let mut told = Contexts::default();
    if count == 0 {
        return Ok(told);
    }
    r.seek(base.saturating_add(offset), "NegotiateContextOffset")?;
    counted(r, count.into(), 8, "NegotiateContextCount")?;
    for n in 0..count {
        if n > 0 {
            let over = r.pos().saturating_sub(base) % 8;
            if over != 0 {
                r.take(8 - over)?;
            }
        }
        r.group("NegotiateContext", |r| {
            let kind = r.u16(named!("ContextType", CONTEXT_TYPES))?;
            let len = r.u16(dec!("DataLength"))?.into();
            r.u32(dec!("Reserved"))?;
            let start = r.pos();
            r.take(len)?;
            r.seek(start, "DataLength")?;
            r.within(len, "DataLength", |r| context(r, kind, len, &mut told))?;
            r.seek(start.saturating_add(len), "DataLength")
        })?;
    }
    Ok(told)
}

fn context<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    kind: u16,
    len: u32,
    told: &mut Contexts,
) -> Result<(), Stop> {
    match kind {
        1 => {
            let count = r.u16(dec!("HashAlgorithmCount"))?;
            let salt = r.u16(dec!("SaltLength"))?;
            counted(r, count.into(), 2, "HashAlgorithmCount")?;
            for _ in 0..count {
                r.u16(named!("HashAlgorithm", HASHES))?;
            }
            r.bytes(dec!("Salt"), salt.into())?;
        }
        2 => {
            let count = r.u16(dec!("CipherCount"))?;
            counted(r, count.into(), 2, "CipherCount")?;
            for _ in 0..count {
                let cipher = r.u16(named!("Cipher", CIPHERS))?;
                told.cipher.get_or_insert(cipher);
            }
        }
        3 => {
            let count = r.u16(dec!("CompressionAlgorithmCount"))?;
            r.u16(dec!("Padding"))?;
            r.u32(flags!("Flags", COMPRESSION_FLAGS))?;
            counted(r, count.into(), 2, "CompressionAlgorithmCount")?;
            for _ in 0..count {
                r.u16(named!("CompressionAlgorithm", COMPRESSIONS))?;
            }
        }
        5 => told.net_name = Some(r.utf16(dec!("NetName"), len)?),
        6 => {
            r.u32(flags!("Flags", TRANSPORT_FLAGS))?;
        }
        7 => {
            let count = r.u16(dec!("TransformCount"))?;
            r.u16(dec!("Reserved1"))?;
            r.u32(dec!("Reserved2"))?;
            counted(r, count.into(), 2, "TransformCount")?;
            for _ in 0..count {
                r.u16(hex!("RDMATransformId"))?;
            }
        }
        8 => {
            let count = r.u16(dec!("SigningAlgorithmCount"))?;
            counted(r, count.into(), 2, "SigningAlgorithmCount")?;
            for _ in 0..count {
                let signing = r.u16(named!("SigningAlgorithm", SIGNINGS))?;
                told.signing.get_or_insert(signing);
            }
        }
        _ => {
            r.bytes(dec!("Data"), len)?;
        }
    }
    Ok(())
}
