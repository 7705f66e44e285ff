//! IP packets: their headers, what their lengths say, and whether they are fragments.

use super::fields::{self, flags, packed};
use super::other::PROTOCOLS;
use super::{Dissected, Fragment, Ip, Other, Walk, icmp, transport, tunnel};
use crate::bytes::{Reader, Sink, Stop};

/// Protocol number of the Authentication Header, which IPv4 and IPv6 share.
const AUTHENTICATION: u8 = 51;

/// Protocol number of the Fragment Header.
const FRAGMENT: u8 = 44;

/// Extension headers passed over in one packet.
const MAX_EXTENSIONS: usize = 16;

/// Longest payload of a datagram: its length has 16 bits in the header of either version.
const MAX_DATAGRAM: u32 = 0xffff;

const IPV4_FLAGS: &[(u32, &str)] = &[(4, "reserved"), (2, "DF"), (1, "MF")];

/// A packet of either version: its first four bits tell.
pub(super) fn either<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    let at = r.pos();
    let [first] = r.array()?;
    r.seek(at, "packet")?;
    match first >> 4 {
        4 => ipv4(r, walk),
        6 => ipv6(r, walk),
        n => {
            walk.header = "IP version";
            Err(Stop::malformed(at, format!("IP version {n} where 4 or 6 was expected")))
        }
    }
}

/// \[RFC 791\] 3.1 Internet Header Format.
pub(super) fn ipv4<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    walk.header = "IPv4 header";
    let start = r.pos();
    let (ip, whole, fragment) = r.group("Internet Protocol Version 4", |r| {
        let [first] = r.array()?;
        packed(r, start, first.into(), &[("Version", 4), ("IHL", 4)]);
        if first >> 4 != 4 {
            let text = format!("IP version {} where 4 was expected", first >> 4);
            return Err(Stop::malformed(start, text));
        }
        r.u8(hex!("Type of Service"))?;
        let total = r.u16(dec!("Total Length"))?;
        let identification = r.u16(hex!("Identification"))?;
        let at = r.pos();
        let fragment = r.raw_u16()?;
        flags(r, at, u32::from(fragment >> 13), IPV4_FLAGS);
        packed(r, at, (fragment & 0x1fff).into(), &[("Fragment Offset", 16)]);
        r.u8(dec!("Time to Live"))?;
        let protocol = r.u8(named!("Protocol", PROTOCOLS))?;
        r.u16(hex!("Header Checksum"))?;
        let src = fields::ipv4(r, "Source Address")?.into();
        let dst = fields::ipv4(r, "Destination Address")?.into();
        let header = u32::from(first & 0xf) * 4;
        match header.checked_sub(20) {
            Some(0) => {}
            Some(options) => r.bytes(dec!("Options"), options).map(drop)?,
            None => {
                return Err(Stop::malformed(start, format!("IPv4 header of {header} bytes")));
            }
        }
        let whole = match total {
            0 => walk.end.saturating_sub(start),
            total => total.into(),
        };
        if whole < header {
            let text = format!("Total Length {whole} is shorter than the header ({header})");
            return Err(Stop::malformed(start, text));
        }
        let ip = Ip { src, dst, protocol, identification: Some(identification) };
        Ok((ip, whole, fragment))
    })?;
    walk.end = start.saturating_add(whole);
    let left = walk.end.saturating_sub(r.pos());
    let (offset, more) = (u32::from(fragment & 0x1fff) * 8, fragment & 0x2000 != 0);
    if offset == 0 && !more {
        return r.within(left, "Total Length", |r| payload(&ip, r, walk));
    }
    let identification = ip.identification.unwrap_or_default().into();
    part(Part { ip, identification, offset, more }, r, walk)
}

/// \[RFC 8200\] 3 IPv6 Header Format.
pub(super) fn ipv6<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    walk.header = "IPv6 header";
    let start = r.pos();
    let (ip, len) = r.group("Internet Protocol Version 6", |r| {
        let first = r.raw_u32()?;
        packed(r, start, first, &[("Version", 4), ("Traffic Class", 8), ("Flow Label", 20)]);
        if first >> 28 != 6 {
            let text = format!("IP version {} where 6 was expected", first >> 28);
            return Err(Stop::malformed(start, text));
        }
        let len = r.u16(dec!("Payload Length"))?;
        let protocol = r.u8(named!("Next Header", PROTOCOLS))?;
        r.u8(dec!("Hop Limit"))?;
        let src = fields::ipv6(r, "Source Address")?.into();
        let dst = fields::ipv6(r, "Destination Address")?.into();
        Ok((Ip { src, dst, protocol, identification: None }, len))
    })?;
    if len > 0 {
        walk.end = r.pos().saturating_add(len.into());
    }
    let left = walk.end.saturating_sub(r.pos());
    r.within(left, "Payload Length", |r| payload(&ip, r, walk))
}

/// What an IP packet carries, behind \[RFC 8200\] 4 IPv6 Extension Headers and \[RFC 4302\]
/// authentication.
pub(super) fn payload<S: Sink>(
    ip: &Ip,
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    let mut next = ip.protocol;
    for _ in 0..MAX_EXTENSIONS {
        let name = match (next, ip.src.is_ipv6()) {
            (0, true) => "Hop-by-Hop Options",
            (43, true) => "Routing Header",
            (FRAGMENT, true) => "Fragment Header",
            (60, true) => "Destination Options",
            (AUTHENTICATION, _) => "Authentication Header",
            _ => break,
        };
        walk.header = "IP extension header";
        if next == FRAGMENT {
            let found = r.group(name, |r| fragment_header(ip, r))?;
            if found.offset > 0 || found.more {
                return part(found, r, walk);
            }
            next = found.ip.protocol;
            continue;
        }
        next = r.group(name, |r| {
            let after = r.u8(named!("Next Header", PROTOCOLS))?;
            let len = u32::from(r.u8(dec!("Hdr Ext Len"))?);
            // The one counts units of four bytes less two, the others units of eight less one.
            let unit = if next == AUTHENTICATION { 4 } else { 8 };
            r.bytes(dec!("Data"), len * unit + 6)?;
            Ok(after)
        })?;
    }
    match next {
        6 => transport::tcp(ip, r, walk),
        17 => transport::udp(ip, r, walk),
        4 => tunnel::inside(r, walk, ipv4),
        41 => tunnel::inside(r, walk, ipv6),
        47 => tunnel::gre(r, walk),
        n @ (icmp::ICMP | icmp::ICMPV6) if (n == icmp::ICMPV6) == ip.src.is_ipv6() => {
            icmp::read(ip, r, walk)
        }
        n => Ok(Dissected::Other(Other::IpProtocol(n))),
    }
}

/// What is known of a fragment before its payload.
struct Part {
    ip: Ip,
    identification: u32,
    offset: u32,
    more: bool,
}

/// \[RFC 8200\] 4.5 Fragment Header.
fn fragment_header<S: Sink>(ip: &Ip, r: &mut Reader<'_, '_, S>) -> Result<Part, Stop> {
    let protocol = r.u8(named!("Next Header", PROTOCOLS))?;
    r.u8(hex!("Reserved"))?;
    let at = r.pos();
    let word = r.raw_u16()?;
    packed(r, at, word.into(), &[("Fragment Offset", 13), ("Res", 2), ("M flag", 1)]);
    let identification = r.u32(hex!("Identification"))?;
    let (offset, more) = (u32::from(word & 0xfff8), word & 1 != 0);
    Ok(Part { ip: Ip { protocol, ..*ip }, identification, offset, more })
}

/// The payload of a fragment. Its receiver drops one that ends between two units of eight bytes
/// although more is to follow, and one that would make the datagram too long (\[RFC 8200\] 4.5).
fn part<S: Sink>(
    Part { ip, identification, offset, more }: Part,
    r: &Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    walk.header = "IP fragment";
    let (payload, payload_len) = walk.payload(r, r.pos());
    let uneven = more && payload_len % 8 != 0;
    if payload_len == 0 || uneven || offset.saturating_add(payload_len) > MAX_DATAGRAM {
        let text = format!("fragment of {payload_len} bytes at {offset} of a datagram");
        return Err(Stop::malformed(r.pos(), text));
    }
    Ok(Dissected::Fragment(Fragment { ip, identification, offset, more, payload, payload_len }))
}
