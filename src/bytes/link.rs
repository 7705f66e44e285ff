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
    /// Raw IP as some writers number it (`DLT_RAW` of most systems).
    pub const RAW_12: Self = Self(12);
    /// Raw IP as other writers number it (`DLT_RAW` of OpenBSD).
    pub const RAW_14: Self = Self(14);
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
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// Names of the registry for what a Windows or Linux machine may capture; the rest is a number.
const NAMES: &[(LinkType, &str)] = &[
    (LinkType::NULL, "BSD loopback"),
    (LinkType::ETHERNET, "Ethernet"),
    (LinkType(6), "Token Ring"),
    (LinkType(9), "PPP"),
    (LinkType(10), "FDDI"),
    (LinkType::RAW_12, "raw IP"),
    (LinkType::RAW_14, "raw IP"),
    (LinkType::RAW, "raw IP"),
    (LinkType(105), "IEEE 802.11"),
    (LinkType::LOOP, "OpenBSD loopback"),
    (LinkType::LINUX_SLL, "Linux cooked v1"),
    (LinkType(127), "IEEE 802.11 with radiotap"),
    (LinkType(220), "Linux USB"),
    (LinkType::IPV4, "raw IPv4"),
    (LinkType::IPV6, "raw IPv6"),
    (LinkType(239), "Linux netfilter log"),
    (LinkType(249), "Windows USBPcap"),
    (LinkType(252), "Wireshark upper PDU"),
    (LinkType::LINUX_SLL2, "Linux cooked v2"),
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
