//! ICMP Destination Unreachable (RFC 792, RFC 4443 3.1), where it is about a TCP segment.
//!
//! ```text
//!  type(1) code(1) checksum(2) unused(4) │ IP header of the packet │ ports(2+2), seq(4) …
//!                                        └ as much of the packet as the sender quotes ┘
//! ```

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::fields::{self, packed};
use super::other::PROTOCOLS;
use super::{Dissected, Ip, Other, Walk};
use crate::bytes::{Reader, Sink, Stop};

/// Protocol number of ICMP.
pub(super) const ICMP: u8 = 1;
/// Protocol number of ICMP for IPv6.
pub(super) const ICMPV6: u8 = 58;

const TCP: u8 = 6;

const CODES: &[(u64, &str)] = &[
    (0, "network unreachable"),
    (1, "host unreachable"),
    (2, "protocol unreachable"),
    (3, "port unreachable"),
    (4, "fragmentation needed"),
    (5, "source route failed"),
    (6, "network unknown"),
    (7, "host unknown"),
    (8, "source host isolated"),
    (9, "network administratively prohibited"),
    (10, "host administratively prohibited"),
    (11, "network unreachable for this type of service"),
    (12, "host unreachable for this type of service"),
    (13, "communication administratively prohibited"),
    (14, "host precedence violation"),
    (15, "precedence cutoff"),
];
const CODES_V6: &[(u64, &str)] = &[
    (0, "no route to the network"),
    (1, "communication administratively prohibited"),
    (2, "beyond the scope of the source address"),
    (3, "host unreachable"),
    (4, "port unreachable"),
    (5, "source address not allowed"),
    (6, "route rejected"),
    (7, "error in the source route"),
];

/// Code of a Destination Unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnreachableCode {
    /// RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1
    V4(u8),
    /// RFC 4443 3.1
    V6(u8),
}

impl UnreachableCode {
    /// Whether only the size of the packet is at fault: the sender sends smaller ones.
    pub fn is_about_size(self) -> bool {
        self == Self::V4(4)
    }
}

impl fmt::Display for UnreachableCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, code) = match self {
            Self::V4(code) => (CODES, *code),
            Self::V6(code) => (CODES_V6, *code),
        };
        match super::other::name(table, code.into()) {
            Some(name) => f.write_str(name),
            None => write!(f, "destination unreachable, code {code}"),
        }
    }
}

/// A TCP segment that was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Who says so.
    pub by: IpAddr,
    /// Why.
    pub code: UnreachableCode,
    /// The segment's sender.
    pub src: SocketAddr,
    /// Its receiver.
    pub dst: SocketAddr,
    /// Its sequence number.
    pub seq: u32,
}

impl Undelivered {
    /// What it is counted as.
    pub fn kind(&self) -> Other {
        Other::IpProtocol(if self.by.is_ipv6() { ICMPV6 } else { ICMP })
    }
}

/// A message of ICMP, or of ICMP for IPv6.
pub(super) fn read<S: Sink>(
    ip: &Ip,
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    walk.header = "ICMP message";
    let v6 = ip.src.is_ipv6();
    let unreachable = if v6 { 1 } else { 3 };
    let other = Dissected::Other(Other::IpProtocol(if v6 { ICMPV6 } else { ICMP }));
    if fields::peek(r) != Some([unreachable]) {
        return Ok(other);
    }
    let title = if v6 {
        "Internet Control Message Protocol v6"
    } else {
        "Internet Control Message Protocol"
    };
    r.group(title, |r| {
        r.u8(dec!("Type"))?;
        let code = if v6 {
            UnreachableCode::V6(r.u8(named!("Code", CODES_V6))?)
        } else {
            UnreachableCode::V4(r.u8(named!("Code", CODES))?)
        };
        r.u16(hex!("Checksum"))?;
        r.u32(hex!("Unused"))?;
        let quoted = r.group("Quoted packet", |r| if v6 { quoted_v6(r) } else { quoted_v4(r) })?;
        Ok(quoted.map_or(other, |(src, dst, seq)| {
            Dissected::Undelivered(Undelivered { by: ip.src, code, src, dst, seq })
        }))
    })
}

/// The ends and the sequence number of a segment that is quoted.
type Quoted = Option<(SocketAddr, SocketAddr, u32)>;

fn quoted_v4<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Quoted, Stop> {
    let start = r.pos();
    let [first] = r.array()?;
    packed(r, start, first.into(), &[("Version", 4), ("IHL", 4)]);
    let Some(options) = (u32::from(first & 0xf) * 4).checked_sub(20).filter(|_| first >> 4 == 4)
    else {
        return Err(Stop::malformed(start, format!("quoted packet begins with {first:#04x}")));
    };
    r.u8(hex!("Type of Service"))?;
    r.u16(dec!("Total Length"))?;
    r.u16(hex!("Identification"))?;
    let fragment = r.u16(hex!("Flags, Fragment Offset"))?;
    r.u8(dec!("Time to Live"))?;
    let protocol = r.u8(named!("Protocol", PROTOCOLS))?;
    r.u16(hex!("Header Checksum"))?;
    let src = fields::ipv4(r, "Source Address")?.into();
    let dst = fields::ipv4(r, "Destination Address")?.into();
    r.bytes(dec!("Options"), options)?;
    if protocol != TCP || fragment & 0x1fff != 0 {
        return Ok(None);
    }
    segment(src, dst, r)
}

fn quoted_v6<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Quoted, Stop> {
    let start = r.pos();
    let first = r.raw_u32()?;
    packed(r, start, first, &[("Version", 4), ("Traffic Class", 8), ("Flow Label", 20)]);
    if first >> 28 != 6 {
        return Err(Stop::malformed(start, format!("quoted packet of IP version {}", first >> 28)));
    }
    r.u16(dec!("Payload Length"))?;
    let protocol = r.u8(named!("Next Header", PROTOCOLS))?;
    r.u8(dec!("Hop Limit"))?;
    let src = fields::ipv6(r, "Source Address")?.into();
    let dst = fields::ipv6(r, "Destination Address")?.into();
    // One behind extension headers is not looked for: a SYN has none.
    if protocol == TCP { segment(src, dst, r) } else { Ok(None) }
}

/// The first eight octets of a TCP header: all that must be quoted.
fn segment<S: Sink>(src: IpAddr, dst: IpAddr, r: &mut Reader<'_, '_, S>) -> Result<Quoted, Stop> {
    let src = SocketAddr::new(src, r.u16(dec!("Source Port"))?);
    let dst = SocketAddr::new(dst, r.u16(dec!("Destination Port"))?);
    let seq = r.u32(dec!("Sequence Number"))?;
    Ok(Some((src, dst, seq)))
}
