//! What is neither TCP nor UDP, by name: [`Other`], and [`Unseen`] where SMB may be in it.

use std::fmt;

use crate::bytes::LinkType;

/// What follows an Ethernet header, by the registry of the IEEE.
pub(super) const ETHERTYPES: &[(u64, &str)] = &[
    (0x0800, "IPv4"),
    (0x0806, "ARP"),
    (0x22eb, "ERSPAN III"),
    (0x2fff, "BBN VINES"),
    (0x6558, "transparent Ethernet bridging"),
    (0x8035, "RARP"),
    (0x8100, "802.1Q"),
    (0x8137, "IPX"),
    (0x86dd, "IPv6"),
    (0x8808, "Ethernet flow control"),
    (0x8809, "LACP"),
    (0x880b, "PPP"),
    (0x883e, "WCCP"),
    (0x8847, "MPLS"),
    (0x8848, "MPLS multicast"),
    (0x8863, "PPPoE discovery"),
    (0x8864, "PPPoE session"),
    (0x886d, "Intel teaming"),
    (0x888e, "802.1X"),
    (0x88a2, "ATA over Ethernet"),
    (0x88a8, "802.1ad"),
    (0x88be, "ERSPAN II"),
    (0x88cc, "LLDP"),
    (0x88e5, "MACsec"),
    (0x88e7, "802.1ah"),
    (0x88f7, "PTP"),
    (0x8903, "FabricPath"),
    (0x8906, "FCoE"),
    (0x8909, "Cisco MetaData"),
    (0x8914, "FCoE initialization"),
    (0x8915, "RoCE"),
    (0x8926, "VN-Tag"),
    (0x893f, "802.1BR E-Tag"),
    (0x894f, "NSH"),
    (0x9100, "QinQ"),
];

/// Assigned Internet Protocol Numbers.
pub(super) const PROTOCOLS: &[(u64, &str)] = &[
    (0, "IPv6 hop-by-hop options"),
    (1, "ICMP"),
    (2, "IGMP"),
    (4, "IPv4"),
    (6, "TCP"),
    (17, "UDP"),
    (41, "IPv6"),
    (43, "IPv6 routing"),
    (44, "IPv6 fragment"),
    (47, "GRE"),
    (50, "IPsec ESP"),
    (51, "IPsec authentication"),
    (58, "ICMPv6"),
    (59, "no next header"),
    (60, "IPv6 destination options"),
    (88, "EIGRP"),
    (89, "OSPF"),
    (94, "IP-within-IP"),
    (97, "EtherIP"),
    (103, "PIM"),
    (108, "IPComp"),
    (112, "VRRP"),
    (115, "L2TP"),
    (132, "SCTP"),
    (135, "IPv6 mobility"),
];

/// Why a frame is neither TCP nor UDP; for counting, and for saying what was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Other {
    /// Address resolution.
    Arp,
    /// An IEEE 802.3 frame with a length where Ethernet II has a type, and no such type in it.
    Ieee8023,
    /// Another type of Ethernet payload.
    EtherType(u16),
    /// Another address family on a loopback link.
    Family(u32),
    /// Another protocol above IP.
    IpProtocol(u8),
    /// Another protocol above PPP.
    PppProtocol(u16),
    /// A tunnel that cannot be opened: its payload is encrypted, or of a kind not read.
    Tunnel(&'static str),
    /// Tunnels in tunnels, more than are opened.
    TooDeep,
    /// Something that may carry SMB and cannot be read.
    Unseen(Unseen),
    /// A link type whose headers are not known here.
    UnknownLink(LinkType),
    /// The frame ends inside this header.
    Short(&'static str),
    /// A field of this header contradicts the others.
    Malformed(&'static str),
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arp => f.write_str("ARP"),
            Self::Ieee8023 => f.write_str("IEEE 802.3 with LLC"),
            Self::EtherType(n) => match name(ETHERTYPES, u64::from(*n)) {
                Some(name) => f.write_str(name),
                None => write!(f, "EtherType {n:#06x}"),
            },
            Self::Family(n) => write!(f, "address family {n}"),
            Self::IpProtocol(n) => match name(PROTOCOLS, u64::from(*n)) {
                Some(name) => f.write_str(name),
                None => write!(f, "IP protocol {n}"),
            },
            Self::PppProtocol(n) => write!(f, "PPP protocol {n:#06x}"),
            Self::Tunnel(name) => f.write_str(name),
            Self::TooDeep => f.write_str("more tunnels inside each other than are opened"),
            Self::Unseen(what) => what.fmt(f),
            Self::UnknownLink(link) => write!(f, "unknown link type {} ({link})", link.0),
            Self::Short(header) => write!(f, "too short for {header}"),
            Self::Malformed(header) => write!(f, "malformed {header}"),
        }
    }
}

/// What may carry SMB in a form that a capture does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unseen {
    /// \[RFC 9000\] 17.2, \[RFC 9369\] 3: a long header packet of QUIC version 1 or 2 on the ports
    /// that Windows uses for SMB. What it carries is negotiated inside the encryption, and every
    /// browser talks like this too.
    Quic,
    /// InfiniBand transport over Ethernet, version 1: SMB Direct, or other storage.
    RoceV1,
    /// The same over UDP.
    RoceV2,
    /// \[RFC 5044\] 7.1: RDMA over a TCP connection that begins with an MPA request.
    Iwarp,
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quic => "QUIC (may be SMB over QUIC)",
            Self::RoceV1 => "RoCE v1 (may be SMB over RDMA)",
            Self::RoceV2 => "RoCE v2 (may be SMB over RDMA)",
            Self::Iwarp => "iWARP (may be SMB over RDMA)",
        })
    }
}

/// The name of a number.
pub(super) fn name(table: &[(u64, &'static str)], number: u64) -> Option<&'static str> {
    table.iter().find(|(n, _)| *n == number).map(|(_, name)| *name)
}
