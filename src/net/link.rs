//! The link-layer header of a frame: everything in front of IP.

use super::fields::{hardware, peek};
use super::other::ETHERTYPES;
use super::{Dissected, Other, Unseen, Walk, ip, tunnel};
use crate::bytes::{LinkType, Order, Reader, Sink, Span, Stop};

/// VLAN tags passed over in one frame. More than two are a mistake of the network; a frame of
/// nothing but tags must not keep anyone busy.
const MAX_TAGS: usize = 8;

/// Below it, what stands for a type is a length (IEEE 802.3 3.2.6).
pub(super) const FIRST_TYPE: u16 = 0x600;

const PACKET_TYPES: &[(u64, &str)] =
    &[(0, "to us"), (1, "broadcast"), (2, "multicast"), (3, "to another host"), (4, "from us")];

/// Reads a frame of type `link`.
pub(super) fn read<S: Sink>(
    link: LinkType,
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    match link {
        LinkType::ETHERNET => ethernet(r, walk),
        LinkType::LINUX_SLL => cooked(r, walk),
        LinkType::LINUX_SLL2 => cooked2(r, walk),
        LinkType::NULL | LinkType::LOOP => loopback(r, walk),
        LinkType::RAW | LinkType::RAW_12 | LinkType::RAW_14 => ip::either(r, walk),
        LinkType::IPV4 => ip::ipv4(r, walk),
        LinkType::IPV6 => ip::ipv6(r, walk),
        LinkType::PPP | LinkType::PPP_HDLC => tunnel::ppp(r, walk),
        LinkType::PPP_ETHER => tunnel::pppoe(r, walk),
        LinkType::NFLOG => netfilter(r, walk),
        _ => Ok(Dissected::Other(Other::UnknownLink(link))),
    }
}

/// \[IEEE 802.3\] 3.2 Elements of the MAC frame, with a type; tags behind it.
pub(super) fn ethernet<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    walk.header = "link-layer header";
    let ethertype = r.group("Ethernet II", |r| {
        hardware(r, "Destination", 6)?;
        hardware(r, "Source", 6)?;
        ethertype(r)
    })?;
    payload(ethertype, r, walk)
}

/// A type, or, below [`FIRST_TYPE`], a length.
fn ethertype<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<u16, Stop> {
    let at = r.pos();
    let value = r.raw_u16()?;
    r.seek(at, "type")?;
    r.u16(if value < FIRST_TYPE { dec!("Length") } else { named!("Type", ETHERTYPES) })
}

/// [IEEE 802.1Q] 9.3 VLAN tags: as many as there are, up to [`MAX_TAGS`]; then what `next` says.
pub(super) fn payload<S: Sink>(
    mut next: u16,
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    for _ in 0..MAX_TAGS {
        if !matches!(next, 0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x9300) {
            break;
        }
        next = r.group("VLAN tag", |r| {
            let at = r.pos();
            let tag = r.u16(hex!("Tag Control Information"))?;
            if S::ROWS {
                let span = Span::new(at, r.pos());
                r.sink().row("VLAN identifier", (tag & 0xfff).to_string(), span);
                r.sink().row("Priority", (tag >> 13).to_string(), span);
            }
            ethertype(r)
        })?;
    }
    match next {
        0x0800 => ip::ipv4(r, walk),
        0x86dd => ip::ipv6(r, walk),
        0x8847 | 0x8848 => tunnel::mpls(r, walk),
        0x8864 => tunnel::pppoe(r, walk),
        ..FIRST_TYPE => llc(next, r, walk),
        0x0806 => Ok(Dissected::Other(Other::Arp)),
        0x8915 => Ok(Dissected::Other(Other::Unseen(Unseen::RoceV1))),
        n => Ok(Dissected::Other(Other::EtherType(n))),
    }
}

/// [IEEE 802] 9.3 Subnetwork Access Protocol, as \[RFC 1042\] has it for IP. Any other LLC header
/// is left alone.
fn llc<S: Sink>(len: u16, r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    if peek::<6, S>(r) != Some([0xaa, 0xaa, 3, 0, 0, 0]) {
        return Ok(Dissected::Other(Other::Ieee8023));
    }
    // A cooked header has small numbers of another meaning here; the length of a frame is never
    // less than these eight bytes.
    if let Some(len) = Some(u32::from(len)).filter(|len| *len > 8) {
        walk.end = walk.end.min(r.pos().saturating_add(len));
    }
    let next = r.group("Subnetwork Access Protocol", |r| {
        r.u8(hex!("DSAP"))?;
        r.u8(hex!("SSAP"))?;
        r.u8(hex!("Control"))?;
        r.bytes(dec!("Organization Code"), 3)?;
        r.u16(named!("Type", ETHERTYPES))
    })?;
    match next {
        ..FIRST_TYPE => Ok(Dissected::Other(Other::Ieee8023)),
        next => payload(next, r, walk),
    }
}

/// `LINKTYPE_LINUX_SLL` Linux cooked capture, version 1.
fn cooked<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    let protocol = r.group("Linux cooked capture v1", |r| {
        r.u16(named!("Packet type", PACKET_TYPES))?;
        r.u16(dec!("ARPHRD_ type"))?;
        let len = r.u16(dec!("Link-layer address length"))?;
        hardware_address(r, len.into())?;
        r.u16(named!("Protocol type", ETHERTYPES))
    })?;
    payload(protocol, r, walk)
}

/// `LINKTYPE_LINUX_SLL2` Linux cooked capture, version 2.
fn cooked2<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    let protocol = r.group("Linux cooked capture v2", |r| {
        let protocol = r.u16(named!("Protocol type", ETHERTYPES))?;
        r.u16(hex!("Reserved (MBZ)"))?;
        r.u32(dec!("Interface index"))?;
        r.u16(dec!("ARPHRD_ type"))?;
        r.u8(named!("Packet type", PACKET_TYPES))?;
        let len = r.u8(dec!("Link-layer address length"))?;
        hardware_address(r, len.into())?;
        Ok(protocol)
    })?;
    payload(protocol, r, walk)
}

/// The eight bytes of a cooked header of which `len` are an address.
fn hardware_address<S: Sink>(r: &mut Reader<'_, '_, S>, len: u32) -> Result<(), Stop> {
    let len = len.min(8);
    hardware(r, "Link-layer address", len)?;
    r.take(8 - len)?;
    Ok(())
}

/// `LINKTYPE_NULL`, `LINKTYPE_LOOP` An address family. Its byte order is the capturing host's in
/// one and the network's in the other; since no family is above 65535, the value tells.
fn loopback<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    let family = r.group("Loopback", |r| {
        let at = r.pos();
        if r.raw_u32()? > 0xffff {
            r.order = Order::Little;
        }
        r.seek(at, "family")?;
        let family = r.u32(dec!("Family"));
        r.order = Order::Big;
        family
    })?;
    match family {
        2 => ip::ipv4(r, walk),
        // Linux; NetBSD and OpenBSD; FreeBSD; macOS.
        10 | 24 | 28 | 30 => ip::ipv6(r, walk),
        n => Ok(Dissected::Other(Other::Family(n))),
    }
}

/// `LINKTYPE_NFLOG` A header and attributes, the last of which is the packet. Attributes are in the
/// byte order of the capturing host; since no type is above 255, the value tells.
fn netfilter<S: Sink>(r: &mut Reader<'_, '_, S>, walk: &mut Walk) -> Result<Dissected, Stop> {
    /// `NFULNL_CFG_CMD`'s type of the packet itself.
    const PAYLOAD: u16 = 9;
    /// Attributes read of one packet; about twenty exist.
    const MAX_ATTRIBUTES: usize = 64;
    const TYPES: &[(u64, &str)] =
        &[(1, "packet header"), (9, "payload"), (10, "prefix"), (11, "user id")];
    let family = r.group("Netfilter log", |r| {
        let family = r.u8(dec!("Address family"))?;
        r.u8(dec!("Version"))?;
        r.u16(dec!("Resource ID"))?;
        for _ in 0..MAX_ATTRIBUTES {
            let at = r.pos();
            r.take(2)?;
            let big = r.raw_u16()?;
            r.seek(at, "attribute")?;
            r.order = if big > 0xff { Order::Little } else { Order::Big };
            let len = r.u16(dec!("Attribute length"));
            let kind = r.u16(named!("Attribute type", TYPES));
            r.order = Order::Big;
            let Some(len) = u32::from(len?).checked_sub(4) else {
                return Err(Stop::malformed(at, "attribute shorter than its header"));
            };
            if kind? == PAYLOAD {
                walk.end = walk.end.min(r.pos().saturating_add(len));
                return Ok(family);
            }
            r.bytes(dec!("Attribute"), len)?;
            r.take(len.wrapping_neg() % 4)?;
        }
        Err(Stop::malformed(r.pos(), "no payload among the attributes"))
    })?;
    match family {
        2 => ip::ipv4(r, walk),
        10 => ip::ipv6(r, walk),
        n => Ok(Dissected::Other(Other::Family(n.into()))),
    }
}
