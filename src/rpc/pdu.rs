//! Connection-oriented DCE/RPC PDUs: \[C706\] 12.6 and \[MS-RPCE\] 2.2.2, read purely.

use super::bind::{ContextElement, ContextResult, bind, bind_ack, bind_nak};
use super::names::{AUTH_LEVELS, AUTH_TYPES, FAULTS, PFC_FLAGS, PTYPES, name};
use crate::bytes::{Guid, Order, Reader, Sink, Span, Stop, View, Why, index};

/// Octets of the header that every PDU begins with.
pub const HEADER: u32 = 16;
/// `PFC_FIRST_FRAG`: the first fragment of a call.
pub const FIRST_FRAG: u8 = 0x01;
/// `PFC_LAST_FRAG`: the last fragment of a call.
pub const LAST_FRAG: u8 = 0x02;
const OBJECT_UUID: u8 = 0x80;
/// Octets of the security trailer before its value.
pub(super) const SEC_TRAILER: u32 = 8;

/// \[C706\] 12.6.4 PTYPE: what kind of PDU it is. Unknown numbers pass through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PacketType(pub u8);

impl PacketType {
    /// A request, or a fragment of one.
    pub const REQUEST: Self = Self(0);
    /// A response, or a fragment of one.
    pub const RESPONSE: Self = Self(2);
    /// The answer to a request that could not be carried out.
    pub const FAULT: Self = Self(3);
    /// Opens an association.
    pub const BIND: Self = Self(11);
    /// Accepts a bind.
    pub const BIND_ACK: Self = Self(12);
    /// Refuses a bind.
    pub const BIND_NAK: Self = Self(13);
    /// Adds presentation contexts or goes on with authentication.
    pub const ALTER_CONTEXT: Self = Self(14);
    /// Answers an `alter_context`.
    pub const ALTER_CONTEXT_RESP: Self = Self(15);
    /// The third leg of an authentication; has no answer.
    pub const AUTH3: Self = Self(16);
    /// The server asks the client to end the association.
    pub const SHUTDOWN: Self = Self(17);
    /// The client cancels a call.
    pub const CO_CANCEL: Self = Self(18);
    /// The client gives up a call whose request is not complete.
    pub const ORPHANED: Self = Self(19);

    /// Its name, or `None` when the number is no type of this protocol.
    pub fn name(self) -> Option<&'static str> {
        name(PTYPES, self.0)
    }

    /// Whether only a client sends it; `None` where both do or nobody knows.
    pub fn from_client(self) -> Option<bool> {
        match self {
            Self::REQUEST
            | Self::BIND
            | Self::ALTER_CONTEXT
            | Self::AUTH3
            | Self::CO_CANCEL
            | Self::ORPHANED => Some(true),
            Self::RESPONSE
            | Self::FAULT
            | Self::BIND_ACK
            | Self::BIND_NAK
            | Self::ALTER_CONTEXT_RESP
            | Self::SHUTDOWN => Some(false),
            _ => None,
        }
    }
}

/// The header of every PDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What kind it is.
    pub ptype: PacketType,
    /// `pfc_flags`.
    pub flags: u8,
    /// Byte order of its integers and of its stub.
    pub order: Order,
    /// Octets of the whole PDU.
    pub frag_length: u16,
    /// Octets of the security trailer's value.
    pub auth_length: u16,
    /// Joins requests and answers.
    pub call_id: u32,
}

impl Header {
    /// Whether it is the first fragment.
    pub fn is_first(&self) -> bool {
        self.flags & FIRST_FRAG != 0
    }

    /// Whether it is the last fragment.
    pub fn is_last(&self) -> bool {
        self.flags & LAST_FRAG != 0
    }
}

/// What follows the header.
#[derive(Clone, Debug)]
pub enum Body<'v> {
    /// `request`
    Request {
        /// Presentation context.
        context_id: u16,
        /// Number of the operation.
        opnum: u16,
        /// Object UUID.
        object: Option<Guid>,
        /// Parameters, or a fragment of them.
        stub: View<'v>,
    },
    /// `response`
    Response {
        /// Presentation context.
        context_id: u16,
        /// Results, or a fragment of them.
        stub: View<'v>,
    },
    /// `fault`
    Fault {
        /// Presentation context.
        context_id: u16,
        /// Why the call failed.
        status: u32,
    },
    /// `bind` and `alter_context`
    Bind {
        /// What the client proposes.
        contexts: Vec<ContextElement>,
    },
    /// `bind_ack` and `alter_context_resp`
    BindAck {
        /// The answers, in the order of the proposals.
        results: Vec<ContextResult>,
    },
    /// `bind_nak`
    BindNak {
        /// Why.
        reason: u16,
    },
    /// Any other kind.
    Other,
}

/// \[MS-RPCE\] 2.2.2.11 `sec_trailer`.
#[derive(Clone, Copy, Debug)]
pub struct Verifier<'v> {
    /// Security provider.
    pub auth_type: u8,
    /// Authentication level.
    pub auth_level: u8,
    /// Which of the association's security contexts it belongs to.
    pub context_id: u32,
    /// Token, signature or checksum.
    pub value: View<'v>,
}

/// A PDU as far as it could be read.
#[derive(Clone, Debug)]
pub struct Pdu<'v> {
    /// The header.
    pub header: Header,
    /// What follows it; `None` if it could not be read.
    pub body: Option<Body<'v>>,
    /// The security trailer.
    pub verifier: Option<Verifier<'v>>,
    /// Where and why reading stopped early.
    pub stop: Option<Stop>,
}

/// Whether `bytes` begin with a plausible header; fewer than [`HEADER`] bytes never do.
pub fn plausible(bytes: &[u8]) -> bool {
    let [5, 0 | 1, ptype, _, d0, d1, 0, 0, l0, l1, a0, a1, ..] = *bytes else {
        return false;
    };
    if bytes.len() < 16 {
        return false;
    }
    let (frag, auth) = match d0 & 0xf0 {
        0x10 => (u16::from_le_bytes([l0, l1]), u16::from_le_bytes([a0, a1])),
        0x00 => (u16::from_be_bytes([l0, l1]), u16::from_be_bytes([a0, a1])),
        _ => return false,
    };
    let trailer = if auth == 0 { 0 } else { u32::from(auth) + SEC_TRAILER };
    PacketType(ptype).name().is_some()
        && d0 & 0x0f <= 1
        && d1 <= 3
        && u32::from(frag) >= HEADER + trailer
}

/// The `frag_length` of a plausible header.
pub fn frag_length(bytes: &[u8]) -> Option<u32> {
    let &[_, _, _, _, drep, _, _, _, l0, l1, ..] = bytes else {
        return None;
    };
    let length = [l0, l1];
    let length =
        if drep & 0xf0 == 0 { u16::from_be_bytes(length) } else { u16::from_le_bytes(length) };
    plausible(bytes).then_some(length.into())
}

/// Reads a PDU; rows go to the reader's sink. `Err` only if not even the header is there.
pub fn dissect<'v, S: Sink>(r: &mut Reader<'v, '_, S>) -> Result<Pdu<'v>, Stop> {
    let header = r.group("header", header)?;
    let body_length = u32::from(header.frag_length).saturating_sub(HEADER);
    let mut pdu = Pdu { header, body: None, verifier: None, stop: None };
    if body_length > r.left() {
        let why =
            Why::Short { need: body_length, left: r.left(), limit: "what is there of the PDU" };
        pdu.stop = Some(Stop { at: r.pos(), why });
    }
    let read = r.within(body_length, "frag_length", |r| {
        let trailer = trailer_length(r, &header)?;
        let stub_length = r.left() - trailer.total;
        let start = r.pos();
        let body =
            r.within(stub_length, "frag_length less the security trailer", |r| body(r, &header));
        match body {
            Ok(body) => pdu.body = Some(body),
            Err(stop) => pdu.stop = pdu.stop.take().or(Some(stop)),
        }
        if trailer.total > 0 {
            r.seek(start + stub_length, "security trailer")?;
            pdu.verifier = Some(r.group("sec_trailer", |r| verifier(r, trailer.pad))?);
        }
        Ok(())
    });
    if let Err(stop) = read {
        pdu.stop = pdu.stop.or(Some(stop));
    }
    if let (Some(stop), true) = (&pdu.stop, S::ROWS) {
        let text = stop.to_string();
        r.sink().row("stopped", text, Span::new(stop.at, stop.at));
    }
    Ok(pdu)
}

/// \[C706\] 12.6.3.1 the common header.
fn header<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Header, Stop> {
    let at = r.pos();
    let version = r.u8(dec!("rpc_vers"))?;
    r.u8(dec!("rpc_vers_minor"))?;
    if version != 5 {
        return Err(Stop::malformed(at, format!("rpc_vers {version} where 5 was expected")));
    }
    let ptype = PacketType(r.u8(named!("PTYPE", PTYPES))?);
    let flags = r.u8(flags!("pfc_flags", PFC_FLAGS))?;
    let [drep, ..] = *r.bytes(hex!("packed_drep"), 4)? else {
        return Err(Stop::malformed(r.pos(), "packed_drep is empty"));
    };
    r.order = if drep & 0xf0 == 0 { Order::Big } else { Order::Little };
    let frag_length = r.u16(dec!("frag_length"))?;
    let auth_length = r.u16(dec!("auth_length"))?;
    let call_id = r.u32(dec!("call_id"))?;
    Ok(Header { ptype, flags, order: r.order, frag_length, auth_length, call_id })
}

/// How many octets at the end of a PDU are no stub: padding, trailer and value.
struct TrailerLength {
    pad: u32,
    total: u32,
}

fn trailer_length<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    header: &Header,
) -> Result<TrailerLength, Stop> {
    if header.auth_length == 0 {
        return Ok(TrailerLength { pad: 0, total: 0 });
    }
    let value = u32::from(header.auth_length) + SEC_TRAILER;
    let left = r.left();
    if value > left {
        let what = format!("auth_length {} leaves no room in the PDU", header.auth_length);
        return Err(Stop::malformed(10, what));
    }
    // auth_pad_length is the third octet of the trailer, which can only be found from the end.
    let start = r.pos() + left - value;
    let pad = r.view().bytes().get(index(start + 2)).copied().unwrap_or(0);
    let pad = if header.ptype == PacketType::AUTH3 { 0 } else { u32::from(pad) };
    Ok(TrailerLength { pad: pad.min(left - value), total: (value + pad).min(left) })
}

/// \[MS-RPCE\] 2.2.2.11 `sec_trailer` with the padding before it.
fn verifier<'v, S: Sink>(r: &mut Reader<'v, '_, S>, pad: u32) -> Result<Verifier<'v>, Stop> {
    if pad > 0 {
        r.sub(dec!("auth_pad"), pad)?;
    }
    let auth_type = r.u8(named!("auth_type", AUTH_TYPES))?;
    let auth_level = r.u8(named!("auth_level", AUTH_LEVELS))?;
    r.u8(dec!("auth_pad_length"))?;
    r.u8(dec!("auth_reserved"))?;
    let context_id = r.u32(dec!("auth_context_id"))?;
    let value = r.sub(dec!("auth_value"), r.left())?;
    Ok(Verifier { auth_type, auth_level, context_id, value })
}

fn body<'v, S: Sink>(r: &mut Reader<'v, '_, S>, header: &Header) -> Result<Body<'v>, Stop> {
    match header.ptype {
        PacketType::REQUEST => {
            r.u32(dec!("alloc_hint"))?;
            let context_id = r.u16(dec!("p_cont_id"))?;
            let opnum = r.u16(dec!("opnum"))?;
            let with_object = header.flags & OBJECT_UUID != 0;
            let object = if with_object { Some(r.guid(dec!("object"))?) } else { None };
            let stub = r.sub(dec!("stub_data"), r.left())?;
            Ok(Body::Request { context_id, opnum, object, stub })
        }
        PacketType::RESPONSE => {
            r.u32(dec!("alloc_hint"))?;
            let context_id = r.u16(dec!("p_cont_id"))?;
            r.u8(dec!("cancel_count"))?;
            r.u8(dec!("reserved"))?;
            let stub = r.sub(dec!("stub_data"), r.left())?;
            Ok(Body::Response { context_id, stub })
        }
        PacketType::FAULT => {
            r.u32(dec!("alloc_hint"))?;
            let context_id = r.u16(dec!("p_cont_id"))?;
            r.u8(dec!("cancel_count"))?;
            r.u8(dec!("reserved"))?;
            let status = r.u32(named!("status", FAULTS))?;
            if r.left() >= 4 {
                r.u32(hex!("reserved2"))?;
            }
            if r.left() > 0 {
                r.sub(dec!("stub_data"), r.left())?;
            }
            Ok(Body::Fault { context_id, status })
        }
        PacketType::BIND | PacketType::ALTER_CONTEXT => bind(r),
        PacketType::BIND_ACK | PacketType::ALTER_CONTEXT_RESP => bind_ack(r),
        PacketType::BIND_NAK => bind_nak(r),
        _ => {
            if r.left() > 0 {
                r.sub(dec!("stub_data"), r.left())?;
            }
            Ok(Body::Other)
        }
    }
}
