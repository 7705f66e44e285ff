//! The link-layer header of a frame: everything in front of IP.

use std::fmt::Write as _;

use super::Other;
use crate::bytes::{LinkType, Order, Reader, Sink, Span, Stop};

/// VLAN tags passed over in one frame. More than two are a mistake of the network; a frame of
/// nothing but tags must not keep anyone busy.
const MAX_TAGS: usize = 8;

/// What follows the link-layer header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    Ipv4,
    Ipv6,
}

/// What comes next, or why nothing is read on.
type Next = Result<Network, Other>;

const ETHERTYPES: &[(u64, &str)] = &[
    (0x0800, "IPv4"),
    (0x0806, "ARP"),
    (0x8035, "RARP"),
    (0x8100, "802.1Q"),
    (0x86dd, "IPv6"),
    (0x8847, "MPLS"),
    (0x8863, "PPPoE discovery"),
    (0x8864, "PPPoE session"),
    (0x88a8, "802.1ad"),
    (0x88cc, "LLDP"),
    (0x9100, "QinQ"),
];

const PACKET_TYPES: &[(u64, &str)] =
    &[(0, "to us"), (1, "broadcast"), (2, "multicast"), (3, "to another host"), (4, "from us")];

/// Reads the header of a frame of type `link` and leaves the reader behind it.
pub(super) fn read<S: Sink>(link: LinkType, r: &mut Reader<'_, '_, S>) -> Result<Next, Stop> {
    r.order = Order::Big;
    match link {
        LinkType::ETHERNET => ethernet(r),
        LinkType::LINUX_SLL => cooked(r),
        LinkType::LINUX_SLL2 => cooked2(r),
        LinkType::NULL | LinkType::LOOP => loopback(r),
        LinkType::RAW | LinkType::RAW_12 | LinkType::RAW_14 => version(r),
        LinkType::IPV4 => Ok(Ok(Network::Ipv4)),
        LinkType::IPV6 => Ok(Ok(Network::Ipv6)),
        _ => Ok(Err(Other::UnknownLink(link))),
    }
}

/// A row for `len` bytes of a hardware address.
fn address<S: Sink>(r: &mut Reader<'_, '_, S>, name: &str, len: u32) -> Result<(), Stop> {
    let at = r.pos();
    let bytes = r.take(len)?;
    if S::ROWS {
        let mut text = String::new();
        for (i, byte) in bytes.iter().enumerate() {
            let colon = if i > 0 { ":" } else { "" };
            let _ = write!(text, "{colon}{byte:02x}");
        }
        let span = Span::new(at, r.pos());
        r.sink().row(name, text, span);
    }
    Ok(())
}

/// \[IEEE 802.3\] 3.2 Elements of the MAC frame, with a type; tags behind it.
fn ethernet<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Next, Stop> {
    let ethertype = r.group("Ethernet II", |r| {
        address(r, "Destination", 6)?;
        address(r, "Source", 6)?;
        ethertype(r)
    })?;
    tags(r, ethertype)
}

/// A type, or, below 0x600, a length.
fn ethertype<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<u16, Stop> {
    let at = r.pos();
    let value = r.raw_u16()?;
    r.seek(at, "type")?;
    r.u16(if value < 0x600 { dec!("Length") } else { named!("Type", ETHERTYPES) })
}

/// [IEEE 802.1Q] 9.3 VLAN tags: as many as there are, up to [`MAX_TAGS`].
fn tags<S: Sink>(r: &mut Reader<'_, '_, S>, mut next: u16) -> Result<Next, Stop> {
    for _ in 0..MAX_TAGS {
        if !matches!(next, 0x8100 | 0x88a8 | 0x9100) {
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
    Ok(match next {
        0x0800 => Ok(Network::Ipv4),
        0x86dd => Ok(Network::Ipv6),
        0x0806 => Err(Other::Arp),
        ..0x600 => Err(Other::Ieee8023),
        n => Err(Other::EtherType(n)),
    })
}

/// `LINKTYPE_LINUX_SLL` Linux cooked capture, version 1.
fn cooked<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Next, Stop> {
    let protocol = r.group("Linux cooked capture v1", |r| {
        r.u16(named!("Packet type", PACKET_TYPES))?;
        r.u16(dec!("ARPHRD_ type"))?;
        let len = r.u16(dec!("Link-layer address length"))?;
        hardware_address(r, len.into())?;
        r.u16(named!("Protocol type", ETHERTYPES))
    })?;
    tags(r, protocol)
}

/// `LINKTYPE_LINUX_SLL2` Linux cooked capture, version 2.
fn cooked2<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Next, Stop> {
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
    tags(r, protocol)
}

/// The eight bytes of a cooked header of which `len` are an address.
fn hardware_address<S: Sink>(r: &mut Reader<'_, '_, S>, len: u32) -> Result<(), Stop> {
    let len = len.min(8);
    address(r, "Link-layer address", len)?;
    r.take(8 - len)?;
    Ok(())
}

/// `LINKTYPE_NULL`, `LINKTYPE_LOOP` An address family. Its byte order is the capturing host's in
/// one and the network's in the other; since no family is above 65535, the value tells.
fn loopback<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Next, Stop> {
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
    Ok(match family {
        2 => Ok(Network::Ipv4),
        // Linux; NetBSD and OpenBSD; FreeBSD; macOS.
        10 | 24 | 28 | 30 => Ok(Network::Ipv6),
        n => Err(Other::Family(n)),
    })
}

/// `LINKTYPE_RAW` No header: the first four bits of the packet tell.
fn version<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Next, Stop> {
    let at = r.pos();
    let [first] = r.array()?;
    r.seek(at, "packet")?;
    Ok(match first >> 4 {
        4 => Ok(Network::Ipv4),
        6 => Ok(Network::Ipv6),
        _ => Err(Other::Malformed("IP version")),
    })
}
