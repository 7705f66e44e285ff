//! [`rows`]: every field of the headers, for a person.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::link::{self, Network};
use crate::bytes::{LinkType, Reader, Sink, Span, Stop, Tree, View};

/// Protocol number of the Authentication Header, which IPv4 and IPv6 share.
const AUTHENTICATION: u8 = 51;

/// Protocol number of the Fragment Header.
const FRAGMENT: u8 = 44;

/// Extension headers shown of one IPv6 packet.
const MAX_EXTENSIONS: usize = 16;

const PROTOCOLS: &[(u64, &str)] = &[
    (0, "IPv6 hop-by-hop options"),
    (1, "ICMP"),
    (2, "IGMP"),
    (6, "TCP"),
    (17, "UDP"),
    (43, "IPv6 routing"),
    (44, "IPv6 fragment"),
    (47, "GRE"),
    (50, "IPsec ESP"),
    (51, "IPsec authentication"),
    (58, "ICMPv6"),
    (59, "no next header"),
    (60, "IPv6 destination options"),
    (132, "SCTP"),
];

const TCP_FLAGS: &[(u64, &str)] = &[
    (0x100, "AE"),
    (0x080, "CWR"),
    (0x040, "ECE"),
    (0x020, "URG"),
    (0x010, "ACK"),
    (0x008, "PSH"),
    (0x004, "RST"),
    (0x002, "SYN"),
    (0x001, "FIN"),
];

const IPV4_FLAGS: &[(u64, &str)] = &[(4, "reserved"), (2, "DF"), (1, "MF")];

/// Adds the headers of a frame to `tree`; one that is cut short ends with a row that says so.
pub fn rows(link: LinkType, frame: View<'_>, tree: &mut Tree) {
    let mut r = Reader::new(frame, tree);
    let read = r.within(frame.len(), "the captured frame", |r| headers(link, r));
    let end = Span::new(r.pos(), r.end());
    match read {
        Ok(None) => {}
        Ok(Some(other)) => tree.row("Not read further", other, end),
        Err(stop) => tree.row("Cut short", stop.to_string(), end),
    }
}

/// Reads as many headers as are known; gives the name of one that is not.
fn headers(link: LinkType, r: &mut Reader<'_, '_, Tree>) -> Result<Option<String>, Stop> {
    let (protocol, fragment) = match link::read(link, r)? {
        Ok(Network::Ipv4) => match r.group("Internet Protocol Version 4", ipv4)? {
            (AUTHENTICATION, fragment) => (extensions(r, AUTHENTICATION)?.0, fragment),
            other => other,
        },
        Ok(Network::Ipv6) => {
            let next = r.group("Internet Protocol Version 6", ipv6)?;
            extensions(r, next)?
        }
        Err(other) => return Ok(Some(other.to_string())),
    };
    if fragment {
        return Ok(Some("fragment of an IP packet".to_owned()));
    }
    match protocol {
        6 => r.group("Transmission Control Protocol", tcp)?,
        17 => r.group("User Datagram Protocol", udp)?,
        n => return Ok(Some(super::Other::IpProtocol(n).to_string())),
    }
    Ok(None)
}

/// Reads `len` bytes that hold several fields, each of them `bits` wide, most significant first.
fn packed(r: &mut Reader<'_, '_, Tree>, at: u32, value: u32, fields: &[(&str, u32)]) {
    let span = Span::new(at, r.pos());
    let mut left = span.len() * 8;
    for (name, bits) in fields {
        left = left.saturating_sub(*bits);
        let field = value.checked_shr(left).unwrap_or(0) & ((1 << bits) - 1);
        r.sink().row(name, field.to_string(), span);
    }
}

/// A row of names for the bits set.
fn flags(r: &mut Reader<'_, '_, Tree>, at: u32, value: u64, names: &[(u64, &str)]) {
    let set: Vec<_> =
        names.iter().filter(|(bit, _)| value & bit != 0).map(|(_, name)| *name).collect();
    let span = Span::new(at, r.pos());
    let text = format!("{value:#x} ({})", set.join(" | "));
    r.sink().row("Flags", text, span);
}

fn ipv4_address(r: &mut Reader<'_, '_, Tree>, name: &str) -> Result<(), Stop> {
    let at = r.pos();
    let address = Ipv4Addr::from(r.array::<4>()?);
    let span = Span::new(at, r.pos());
    r.sink().row(name, address.to_string(), span);
    Ok(())
}

fn ipv6_address(r: &mut Reader<'_, '_, Tree>, name: &str) -> Result<(), Stop> {
    let at = r.pos();
    let address = Ipv6Addr::from(r.array::<16>()?);
    let span = Span::new(at, r.pos());
    r.sink().row(name, address.to_string(), span);
    Ok(())
}

/// \[RFC 791\] 3.1 Internet Header Format.
fn ipv4(r: &mut Reader<'_, '_, Tree>) -> Result<(u8, bool), Stop> {
    let at = r.pos();
    let [first] = r.array()?;
    packed(r, at, first.into(), &[("Version", 4), ("IHL", 4)]);
    r.u8(hex!("Type of Service"))?;
    r.u16(dec!("Total Length"))?;
    r.u16(hex!("Identification"))?;
    let fragment_at = r.pos();
    let fragment = r.raw_u16()?;
    flags(r, fragment_at, u64::from(fragment >> 13), IPV4_FLAGS);
    packed(r, fragment_at, (fragment & 0x1fff).into(), &[("Fragment Offset", 16)]);
    r.u8(dec!("Time to Live"))?;
    let protocol = r.u8(named!("Protocol", PROTOCOLS))?;
    r.u16(hex!("Header Checksum"))?;
    ipv4_address(r, "Source Address")?;
    ipv4_address(r, "Destination Address")?;
    if first >> 4 != 4 {
        return Err(Stop::malformed(at, format!("IP version {} where 4 was expected", first >> 4)));
    }
    let header = u32::from(first & 0xf) * 4;
    match header.checked_sub(20) {
        Some(0) => {}
        Some(options) => {
            r.bytes(dec!("Options"), options)?;
        }
        None => {
            return Err(Stop::malformed(at, format!("IPv4 header of {header} bytes")));
        }
    }
    Ok((protocol, fragment & 0x3fff != 0))
}

/// \[RFC 8200\] 3 IPv6 Header Format.
fn ipv6(r: &mut Reader<'_, '_, Tree>) -> Result<u8, Stop> {
    let at = r.pos();
    let first = r.raw_u32()?;
    packed(r, at, first, &[("Version", 4), ("Traffic Class", 8), ("Flow Label", 20)]);
    r.u16(dec!("Payload Length"))?;
    let next = r.u8(named!("Next Header", PROTOCOLS))?;
    r.u8(dec!("Hop Limit"))?;
    ipv6_address(r, "Source Address")?;
    ipv6_address(r, "Destination Address")?;
    match first >> 28 {
        6 => Ok(next),
        n => Err(Stop::malformed(at, format!("IP version {n} where 6 was expected"))),
    }
}

/// \[RFC 8200\] 4 IPv6 Extension Headers: what follows them, and whether it is a fragment.
fn extensions(r: &mut Reader<'_, '_, Tree>, mut next: u8) -> Result<(u8, bool), Stop> {
    let mut fragment = false;
    for _ in 0..MAX_EXTENSIONS {
        let name = match next {
            0 => "Hop-by-Hop Options",
            43 => "Routing Header",
            FRAGMENT => "Fragment Header",
            AUTHENTICATION => "Authentication Header",
            60 => "Destination Options",
            _ => break,
        };
        next = r.group(name, |r| {
            if next == FRAGMENT {
                let (after, is_fragment) = fragment_header(r)?;
                fragment = fragment || is_fragment;
                return Ok(after);
            }
            let after = r.u8(named!("Next Header", PROTOCOLS))?;
            let len = u32::from(r.u8(dec!("Hdr Ext Len"))?);
            // The one counts units of four bytes less two, the others units of eight less one.
            let unit = if next == AUTHENTICATION { 4 } else { 8 };
            r.bytes(dec!("Data"), len * unit + 6)?;
            Ok(after)
        })?;
    }
    Ok((next, fragment))
}

/// \[RFC 8200\] 4.5 Fragment Header.
fn fragment_header(r: &mut Reader<'_, '_, Tree>) -> Result<(u8, bool), Stop> {
    let next = r.u8(named!("Next Header", PROTOCOLS))?;
    r.u8(hex!("Reserved"))?;
    let at = r.pos();
    let offset = r.raw_u16()?;
    packed(r, at, offset.into(), &[("Fragment Offset", 13), ("Res", 2), ("M flag", 1)]);
    r.u32(hex!("Identification"))?;
    Ok((next, offset & 0xfff9 != 0))
}

/// \[RFC 9293\] 3.1 Header Format.
fn tcp(r: &mut Reader<'_, '_, Tree>) -> Result<(), Stop> {
    let start = r.pos();
    r.u16(dec!("Source Port"))?;
    r.u16(dec!("Destination Port"))?;
    r.u32(dec!("Sequence Number"))?;
    r.u32(dec!("Acknowledgment Number"))?;
    let at = r.pos();
    let word = r.raw_u16()?;
    packed(r, at, word.into(), &[("Data Offset", 4)]);
    flags(r, at, u64::from(word & 0x1ff), TCP_FLAGS);
    r.u16(dec!("Window"))?;
    r.u16(hex!("Checksum"))?;
    r.u16(dec!("Urgent Pointer"))?;
    let header = u32::from(word >> 12) * 4;
    match header.checked_sub(r.pos() - start) {
        Some(0) => {}
        Some(options) => {
            let end = r.pos() + options;
            r.group("Options", |r| r.within(options, "Data Offset", |r| tcp_options(r, end)))?;
        }
        None => return Err(Stop::malformed(at, format!("TCP header of {header} bytes"))),
    }
    Ok(())
}

/// \[RFC 9293\] 3.2 Specific Option Definitions; \[RFC 7323\] 2.2, 3.2; \[RFC 2018\] 2, 3.
fn tcp_options(r: &mut Reader<'_, '_, Tree>, end: u32) -> Result<(), Stop> {
    while r.pos() < end {
        let at = r.pos();
        let [kind] = r.array()?;
        match kind {
            0 | 1 => {
                r.seek(at, "option")?;
                if kind == 1 {
                    r.u8(dec!("No-Operation"))?;
                    continue;
                }
                r.u8(dec!("End of Option List"))?;
                if r.pos() < end {
                    r.bytes(dec!("Padding"), end - r.pos())?;
                }
                return Ok(());
            }
            _ => {}
        }
        let [len] = r.array()?;
        let Some(body) = u32::from(len).checked_sub(2) else {
            return Err(Stop::malformed(at, format!("TCP option of {len} bytes")));
        };
        match (kind, body) {
            (2, 2) => r.u16(dec!("Maximum Segment Size")).map(drop)?,
            (3, 1) => r.u8(dec!("Window Scale")).map(drop)?,
            (4, 0) => r.bytes(dec!("SACK Permitted"), 0).map(drop)?,
            (5, n) => r.bytes(dec!("SACK"), n).map(drop)?,
            (8, 8) => {
                r.u32(dec!("Timestamp Value"))?;
                r.u32(dec!("Timestamp Echo Reply"))?;
            }
            (_, n) => r.bytes(dec!("Option"), n).map(drop)?,
        }
    }
    Ok(())
}

/// \[RFC 768\] Format.
fn udp(r: &mut Reader<'_, '_, Tree>) -> Result<(), Stop> {
    r.u16(dec!("Source Port"))?;
    r.u16(dec!("Destination Port"))?;
    r.u16(dec!("Length"))?;
    r.u16(hex!("Checksum"))?;
    Ok(())
}
