//! Packets inside packets: what can be opened is, the rest is named.
//!
//! A tunnel over UDP is taken for one only where its port, its flags and its reserved fields all
//! say so; anything else on the port stays a UDP datagram.

use super::fields::{packed, peek};
use super::other::ETHERTYPES;
use super::{CARRIED, Dissected, Other, Unseen, Walk, ip, link};
use crate::bytes::{Reader, Sink, Stop};

/// Tunnels opened inside each other.
pub const MAX_TUNNELS: usize = 4;

/// Labels of one MPLS stack.
const MAX_LABELS: usize = 16;

const GRE_CHECKSUM: u16 = 0x8000;
const GRE_ROUTING: u16 = 0x4000;
const GRE_KEY: u16 = 0x2000;
const GRE_SEQUENCE: u16 = 0x1000;
const GRE_VERSION: u16 = 0x0007;

const GRE_FLAGS: &[(u64, &str)] =
    &[(0x8000, "C"), (0x4000, "R"), (0x2000, "K"), (0x1000, "S"), (0x0001, "version 1")];

const PPP_PROTOCOLS: &[(u64, &str)] =
    &[(0x0021, "IPv4"), (0x0057, "IPv6"), (0x8021, "IPCP"), (0x8057, "IPV6CP"), (0xc021, "LCP")];

/// Reads what a tunnel carries, unless too many are inside each other already. A tunnel that ends
/// before what it carries does is no fault of the sender: switches cut what they mirror.
pub(super) fn inside<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
    read: impl FnOnce(&mut Reader<'_, '_, S>, &mut Walk) -> Result<Dissected, Stop>,
) -> Result<Dissected, Stop> {
    if walk.tunnels >= MAX_TUNNELS {
        return Ok(Dissected::Other(Other::TooDeep));
    }
    walk.tunnels += 1;
    let left = walk.end.saturating_sub(r.pos());
    r.within(left, CARRIED, |r| read(r, walk))
}

/// \[RFC 2784\] 2.1, \[RFC 2890\] 2 Generic Routing Encapsulation.
pub(super) fn gre<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    walk.header = "GRE header";
    let (flags, protocol) = r.group("Generic Routing Encapsulation", |r| {
        let flags = r.u16(flags!("Flags", GRE_FLAGS))?;
        let protocol = r.u16(named!("Protocol Type", ETHERTYPES))?;
        if flags & (GRE_ROUTING | GRE_VERSION) != 0 {
            return Ok((flags, protocol));
        }
        if flags & GRE_CHECKSUM != 0 {
            r.u16(hex!("Checksum"))?;
            r.u16(hex!("Reserved1"))?;
        }
        if flags & GRE_KEY != 0 {
            r.u32(hex!("Key"))?;
        }
        if flags & GRE_SEQUENCE != 0 {
            r.u32(dec!("Sequence Number"))?;
        }
        Ok((flags, protocol))
    })?;
    match (flags & GRE_VERSION, protocol) {
        (1, 0x880b) => Ok(Dissected::Other(Other::Tunnel("PPTP"))),
        (0, _) if flags & GRE_ROUTING == 0 => match protocol {
            0x6558 => inside(r, walk, link::ethernet),
            // Type I is a frame without any header of ERSPAN, which shows in the missing number.
            0x88be if flags & GRE_SEQUENCE == 0 => inside(r, walk, link::ethernet),
            0x88be => erspan2(r, walk),
            0x22eb => erspan3(r, walk),
            ..link::FIRST_TYPE => Ok(Dissected::Other(Other::Tunnel("GRE of another payload"))),
            protocol => inside(r, walk, |r, walk| link::payload(protocol, r, walk)),
        },
        _ => Ok(Dissected::Other(Other::Tunnel("GRE of another version"))),
    }
}

/// ERSPAN type II, as draft-foschiano-erspan 4.2 describes it.
fn erspan2<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    walk.header = "ERSPAN header";
    r.group("ERSPAN type II", |r| {
        mirror(r, 1)?;
        let at = r.pos();
        let word = r.raw_u32()?;
        packed(r, at, word, &[("Reserved", 12), ("Index", 20)]);
        Ok(())
    })?;
    inside(r, walk, link::ethernet)
}

/// ERSPAN type III, as draft-foschiano-erspan 4.3 describes it.
fn erspan3<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    walk.header = "ERSPAN header";
    let frame_type = r.group("ERSPAN type III", |r| {
        mirror(r, 2)?;
        r.u32(dec!("Timestamp"))?;
        r.u16(dec!("SGT"))?;
        let at = r.pos();
        let word = r.raw_u16()?;
        let parts = [("P", 1), ("FT", 5), ("Hw ID", 6), ("D", 1), ("Gra", 2), ("O", 1)];
        packed(r, at, word.into(), &parts);
        if word & 1 != 0 {
            r.bytes(dec!("Platform Specific SubHeader"), 8)?;
        }
        Ok(word >> 10 & 0x1f)
    })?;
    match frame_type {
        0 => inside(r, walk, link::ethernet),
        2 => inside(r, walk, ip::either),
        _ => Ok(Dissected::Other(Other::Tunnel("ERSPAN of another frame type"))),
    }
}

/// The first word of either ERSPAN header.
fn mirror<S: Sink>(r: &mut Reader<'_, '_, S>, version: u32) -> Result<(), Stop> {
    let at = r.pos();
    let word = r.raw_u32()?;
    let parts = [("Ver", 4), ("VLAN", 12), ("COS", 3), ("En", 2), ("T", 1), ("Session ID", 10)];
    packed(r, at, word, &parts);
    if word >> 28 != version {
        return Err(Stop::malformed(at, format!("ERSPAN version {}", word >> 28)));
    }
    Ok(())
}

/// \[RFC 3032\] 2.1 The Label Stack. It does not say what it carries; IP is told by its version,
/// as routers do (\[RFC 4928\] 3), and only by that.
pub(super) fn mpls<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    walk.header = "MPLS label stack";
    let ended = r.group("MPLS label stack", |r| {
        for _ in 0..MAX_LABELS {
            let at = r.pos();
            let word = r.raw_u32()?;
            packed(r, at, word, &[("Label", 20), ("TC", 3), ("S", 1), ("TTL", 8)]);
            if word & 0x100 != 0 {
                return Ok(true);
            }
        }
        Ok(false)
    })?;
    let at = r.pos();
    let [first] = r.array()?;
    r.seek(at, "packet")?;
    match first >> 4 {
        4 if ended => inside(r, walk, ip::ipv4),
        6 if ended => inside(r, walk, ip::ipv6),
        _ => Ok(Dissected::Other(Other::Tunnel("MPLS without IP in it"))),
    }
}

/// \[RFC 2516\] 4 Payloads, of the session stage.
pub(super) fn pppoe<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    walk.header = "PPPoE header";
    let (code, len) = r.group("PPP over Ethernet", |r| {
        r.u8(hex!("VER and TYPE"))?;
        let code = r.u8(hex!("CODE"))?;
        r.u16(hex!("SESSION_ID"))?;
        Ok((code, r.u16(dec!("LENGTH"))?))
    })?;
    if code != 0 {
        return Ok(Dissected::Other(Other::Tunnel("PPPoE discovery")));
    }
    walk.end = walk.end.min(r.pos().saturating_add(len.into()));
    r.within(len.into(), "LENGTH", |r| ppp(r, walk))
}

/// \[RFC 1661\] 2 PPP Encapsulation, with or without the octets of \[RFC 1662\] 3.1 before it, its
/// protocol compressed or not.
pub(super) fn ppp<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    walk.header = "PPP header";
    let protocol = r.group("Point-to-Point Protocol", |r| {
        if peek::<2, S>(r) == Some([0xff, 3]) {
            r.u8(hex!("Address"))?;
            r.u8(hex!("Control"))?;
        }
        match peek::<1, S>(r) {
            Some([n]) if n & 1 != 0 => r.u8(named!("Protocol", PPP_PROTOCOLS)).map(u16::from),
            _ => r.u16(named!("Protocol", PPP_PROTOCOLS)),
        }
    })?;
    match protocol {
        0x0021 => inside(r, walk, ip::ipv4),
        0x0057 => inside(r, walk, ip::ipv6),
        n => Ok(Dissected::Other(Other::PppProtocol(n))),
    }
}

/// What a UDP datagram carries that is not left to the layers above.
pub(super) fn over_udp<S: Sink>(
    src: u16,
    dst: u16,
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Option<Dissected>, Stop> {
    let named = |other: Other| Ok(Some(Dissected::Other(other)));
    let either = |port: u16| src == port || dst == port;
    match dst {
        // The registered port, and the one Linux uses when it is told none.
        4789 | 8472 if is_vxlan(r) => return vxlan(r, walk).map(Some),
        6081 if is_geneve(r) => return geneve(r, walk).map(Some),
        4791 => return named(Other::Unseen(Unseen::RoceV2)),
        _ => {}
    }
    if either(3544) {
        return named(Other::Tunnel("Teredo"));
    }
    if either(443) || either(445) {
        return if is_quic(r) { named(Other::Unseen(Unseen::Quic)) } else { Ok(None) };
    }
    if either(51820) && is_wireguard(r) {
        return named(Other::Tunnel("WireGuard"));
    }
    // A security association has no number of zero, which marks the negotiation of keys instead.
    if either(4500) && peek::<4, S>(r).is_some_and(|spi| spi != [0; 4]) {
        return named(Other::Tunnel("IPsec ESP in UDP"));
    }
    Ok(None)
}

/// \[RFC 7348\] 5 VXLAN Frame Format, and the group policy that draft-smith-vxlan-group-policy 2.1
/// puts into its reserved bits.
fn is_vxlan<S: Sink>(r: &mut Reader<'_, '_, S>) -> bool {
    match peek::<8, S>(r) {
        Some([0x08, 0, 0, 0, _, _, _, 0]) => true,
        Some([0x88, policy, _, _, _, _, _, 0]) => policy & !0x48 == 0,
        _ => false,
    }
}

fn vxlan<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    walk.header = "VXLAN header";
    r.group("Virtual eXtensible LAN", |r| {
        r.u16(hex!("Flags"))?;
        r.u16(hex!("Group Policy ID"))?;
        let at = r.pos();
        let word = r.raw_u32()?;
        packed(r, at, word, &[("VXLAN Network Identifier (VNI)", 24), ("Reserved", 8)]);
        Ok(())
    })?;
    inside(r, walk, link::ethernet)
}

/// \[RFC 8926\] 3.4 Tunnel Header Fields: version 0, and zero in what is reserved.
fn is_geneve<S: Sink>(r: &mut Reader<'_, '_, S>) -> bool {
    match peek::<8, S>(r) {
        Some([first, bits, high, low, _, _, _, 0]) => {
            let protocol = u16::from_be_bytes([high, low]);
            first >> 6 == 0 && bits << 2 == 0 && matches!(protocol, 0x6558 | 0x0800 | 0x86dd)
        }
        _ => false,
    }
}

fn geneve<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    walk.header = "Geneve header";
    let protocol = r.group("Generic Network Virtualization Encapsulation", |r| {
        let at = r.pos();
        let word = r.raw_u16()?;
        packed(r, at, word.into(), &[("Ver", 2), ("Opt Len", 6), ("O", 1), ("C", 1), ("Rsvd.", 6)]);
        let protocol = r.u16(named!("Protocol Type", ETHERTYPES))?;
        let at = r.pos();
        let identifier = r.raw_u32()?;
        packed(r, at, identifier, &[("Virtual Network Identifier (VNI)", 24), ("Reserved", 8)]);
        r.bytes(dec!("Variable-Length Options"), u32::from(word >> 8 & 0x3f) * 4)?;
        Ok(protocol)
    })?;
    match protocol {
        0x6558 => inside(r, walk, link::ethernet),
        protocol => inside(r, walk, |r, walk| link::payload(protocol, r, walk)),
    }
}

/// \[RFC 9000\] 17.2 Long Header Packets, of version 1 or of \[RFC 9369\] version 2. The packets
/// that follow them on a connection have nothing to be told by.
fn is_quic<S: Sink>(r: &mut Reader<'_, '_, S>) -> bool {
    match peek::<6, S>(r) {
        Some([first, version @ .., id_len]) => {
            first & 0xc0 == 0xc0
                && matches!(version, [0, 0, 0, 1] | [0x6b, 0x33, 0x43, 0xcf])
                && id_len <= 20
        }
        None => false,
    }
}

/// The paper of `WireGuard`, 5.4: one of four types and three reserved bytes.
fn is_wireguard<S: Sink>(r: &mut Reader<'_, '_, S>) -> bool {
    matches!(peek::<4, S>(r), Some([1..=4, 0, 0, 0]))
}
