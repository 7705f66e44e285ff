//! Agreeing on interfaces and transfer syntaxes: `bind`, `alter_context` and their answers.

use super::names::{Names, PROVIDER_REASONS, REJECT_REASONS, RESULTS};
use super::pdu::Body;
use crate::bytes::{Guid, Reader, Sink, Stop};

/// \[C706\] 12.6.3.1 `p_syntax_id_t`: an interface or a transfer syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SyntaxId {
    /// Its UUID.
    pub uuid: Guid,
    /// Major version.
    pub major: u16,
    /// Minor version.
    pub minor: u16,
}

/// How the parameters of a call are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transfer {
    /// NDR 2.0, \[C706\] chapter 14.
    Ndr,
    /// NDR64 1.0, \[MS-RPCE\] 2.2.5.
    Ndr64,
}

impl SyntaxId {
    const NDR: Guid = uuid::uuid!("8a885d04-1ceb-11c9-9fe8-08002b104860");
    const NDR64: Guid = uuid::uuid!("71710533-beba-4937-8319-b5dbef9ccc36");
    /// The first octets of \[MS-RPCE\] 3.3.1.5.3 bind time feature negotiation; the rest are bits.
    const FEATURES: u64 = 0x6cb7_1c2c_9812_4540;

    /// Of a version as it travels, with the minor one in its upper half.
    pub(super) fn new(uuid: Guid, version: u32) -> Self {
        let half = |n: u32| u16::try_from(n & 0xffff).unwrap_or_default();
        Self { uuid, major: half(version), minor: half(version >> 16) }
    }

    /// The transfer syntax it stands for, if it is one that can be decoded.
    pub fn transfer(&self) -> Option<Transfer> {
        match (self.uuid, self.major) {
            (Self::NDR, 2) => Some(Transfer::Ndr),
            (Self::NDR64, 1) => Some(Transfer::Ndr64),
            _ => None,
        }
    }

    /// Whether it is no syntax but a question about features.
    pub fn is_feature_negotiation(&self) -> bool {
        self.uuid.as_u64_pair().0 == Self::FEATURES
    }
}

/// \[C706\] 12.6.3.1 `p_cont_elem_t`: a presentation context that the client proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextElement {
    /// Number by which requests will refer to it.
    pub id: u16,
    /// The interface.
    pub interface: SyntaxId,
    /// The transfer syntaxes the client offers for it.
    pub offered: Vec<SyntaxId>,
}

/// \[C706\] 12.6.3.1 `p_result_t`: the server's answer to one proposed context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextResult {
    /// 0 is acceptance.
    pub result: u16,
    /// Why not; for feature negotiation the accepted bits.
    pub reason: u16,
    /// The transfer syntax chosen.
    pub syntax: SyntaxId,
}

/// \[MS-RPCE\] 3.3.1.5.3 the bits of a feature negotiation.
const FEATURES: Names =
    &[(1, "SecurityContextMultiplexingSupported"), (2, "KeepConnectionOnOrphanSupported")];

/// \[C706\] 12.6.4.3 `bind` and 12.6.4.1 `alter_context`.
pub(super) fn bind<'v, S: Sink>(r: &mut Reader<'v, '_, S>) -> Result<Body<'v>, Stop> {
    r.u16(dec!("max_xmit_frag"))?;
    r.u16(dec!("max_recv_frag"))?;
    r.u32(hex!("assoc_group_id"))?;
    let count = r.u8(dec!("n_context_elem"))?;
    r.u8(dec!("reserved"))?;
    r.u16(hex!("reserved2"))?;
    let mut contexts = Vec::new();
    for _ in 0..count {
        contexts.push(r.group("p_cont_elem", |r| {
            let id = r.u16(dec!("p_cont_id"))?;
            let count = r.u8(dec!("n_transfer_syn"))?;
            r.u8(dec!("reserved"))?;
            let interface = r.group("abstract_syntax", syntax_id)?;
            let mut offered = Vec::new();
            for _ in 0..count {
                offered.push(r.group("transfer_syntax", syntax_id)?);
            }
            Ok(ContextElement { id, interface, offered })
        })?);
    }
    Ok(Body::Bind { contexts })
}

fn syntax_id<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<SyntaxId, Stop> {
    let uuid = r.guid(dec!("if_uuid"))?;
    let version = r.u32(hex!("if_version"))?;
    Ok(SyntaxId::new(uuid, version))
}

/// \[C706\] 12.6.4.4 `bind_ack` and 12.6.4.2 `alter_context_resp`.
pub(super) fn bind_ack<'v, S: Sink>(r: &mut Reader<'v, '_, S>) -> Result<Body<'v>, Stop> {
    r.u16(dec!("max_xmit_frag"))?;
    r.u16(dec!("max_recv_frag"))?;
    r.u32(hex!("assoc_group_id"))?;
    let length = r.u16(dec!("sec_addr_length"))?;
    r.bytes(dec!("sec_addr"), length.into())?;
    r.align(4)?;
    let count = r.u8(dec!("n_results"))?;
    r.u8(dec!("reserved"))?;
    r.u16(hex!("reserved2"))?;
    let mut results = Vec::new();
    for _ in 0..count {
        results.push(r.group("p_result", |r| {
            let result = r.u16(named!("result", RESULTS))?;
            let reason = if result == 3 {
                r.u16(flags!("features", FEATURES))?
            } else {
                r.u16(named!("reason", PROVIDER_REASONS))?
            };
            let syntax = syntax_id(r)?;
            Ok(ContextResult { result, reason, syntax })
        })?);
    }
    Ok(Body::BindAck { results })
}

/// \[MS-RPCE\] 2.2.2.9 `bind_nak`: the version list and the signature may be absent.
pub(super) fn bind_nak<'v, S: Sink>(r: &mut Reader<'v, '_, S>) -> Result<Body<'v>, Stop> {
    let reason = r.u16(named!("provider_reject_reason", REJECT_REASONS))?;
    if r.left() > 0 {
        let count = r.u8(dec!("n_protocols"))?;
        for _ in 0..count {
            r.group("p_rt_version", |r| {
                r.u8(dec!("major"))?;
                r.u8(dec!("minor"))
            })?;
        }
        if r.left() > 0 {
            r.sub(dec!("signature"), r.left())?;
        }
    }
    Ok(Body::BindNak { reason })
}
