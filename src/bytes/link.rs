//! [`LinkType`]: what the bytes of a frame start with.

use std::fmt;

/// The link-layer header type of a frame, by its LINKTYPE_ number of the tcpdump registry.
///
/// The reader of captures writes it and the reader of headers reads it; it lives here so that
/// neither depends on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: the address family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// IEEE 802.3 Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP, with or without the octets of HDLC before it.
    pub const PPP: Self = Self(9);
    /// Raw IP as some writers number it (`DLT_RAW` of most systems).
    pub const RAW_12: Self = Self(12);
    /// Raw IP as other writers number it (`DLT_RAW` of OpenBSD).
    pub const RAW_14: Self = Self(14);
    /// PPP in HDLC framing.
    pub const PPP_HDLC: Self = Self(50);
    /// PPP over Ethernet, without the Ethernet.
    pub const PPP_ETHER: Self = Self(51);
    /// Raw IP; the first four bits say whether version 4 or 6.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: the address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux netfilter log: attributes, one of which is the packet.
    pub const NFLOG: Self = Self(239);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// Names of the registry for what people meet; the rest is a number.
const NAMES: &[(LinkType, &str)] = &[
    (LinkType::NULL, "BSD loopback"),
    (LinkType::ETHERNET, "Ethernet"),
    (LinkType(6), "Token Ring"),
    (LinkType(7), "ARCNET"),
    (LinkType(8), "SLIP"),
    (LinkType::PPP, "PPP"),
    (LinkType(10), "FDDI"),
    (LinkType::RAW_12, "raw IP"),
    (LinkType::RAW_14, "raw IP"),
    (LinkType::PPP_HDLC, "PPP in HDLC framing"),
    (LinkType::PPP_ETHER, "PPPoE"),
    (LinkType(100), "ATM LLC"),
    (LinkType::RAW, "raw IP"),
    (LinkType(104), "Cisco HDLC"),
    (LinkType(105), "IEEE 802.11"),
    (LinkType(107), "Frame Relay"),
    (LinkType::LOOP, "OpenBSD loopback"),
    (LinkType::LINUX_SLL, "Linux cooked v1"),
    (LinkType(117), "OpenBSD packet filter log"),
    (LinkType(119), "IEEE 802.11 with Prism header"),
    (LinkType(122), "IP over Fibre Channel"),
    (LinkType(127), "IEEE 802.11 with radiotap"),
    (LinkType(138), "IP over FireWire"),
    (LinkType(143), "DOCSIS"),
    (LinkType(163), "IEEE 802.11 with AVS header"),
    (LinkType(187), "Bluetooth HCI H4"),
    (LinkType(189), "Linux USB"),
    (LinkType(192), "per-packet information"),
    (LinkType(195), "IEEE 802.15.4"),
    (LinkType(197), "Endace ERF"),
    (LinkType(201), "Bluetooth HCI H4 with direction"),
    (LinkType(204), "PPP with direction"),
    (LinkType(220), "Linux USB, padded"),
    (LinkType(224), "Fibre Channel FC-2"),
    (LinkType(225), "Fibre Channel FC-2 with delimiters"),
    (LinkType(227), "SocketCAN"),
    (LinkType::IPV4, "raw IPv4"),
    (LinkType::IPV6, "raw IPv6"),
    (LinkType(230), "IEEE 802.15.4 without FCS"),
    (LinkType(231), "D-Bus"),
    (LinkType::NFLOG, "Linux netfilter log"),
    (LinkType(240), "Hilscher netANALYZER"),
    (LinkType(242), "IP over InfiniBand"),
    (LinkType(247), "InfiniBand"),
    (LinkType(249), "Windows USBPcap"),
    (LinkType(251), "Bluetooth LE"),
    (LinkType(252), "Wireshark upper PDU"),
    (LinkType(253), "Linux netlink"),
    (LinkType(254), "Bluetooth Linux monitor"),
    (LinkType(258), "Apple pktap"),
    (LinkType(266), "macOS USB"),
    (LinkType(272), "nRF Bluetooth LE sniffer"),
    (LinkType(274), "Ethernet preemption"),
    (LinkType::LINUX_SLL2, "Linux cooked v2"),
    (LinkType(283), "IEEE 802.15.4 TAP"),
];

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(link, _)| link == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "link type {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unnamed_link_types_print_their_number() {
        assert_eq!(LinkType::LINUX_SLL2.to_string(), "Linux cooked v2");
        assert_eq!(LinkType(147).to_string(), "link type 147");
    }
}
