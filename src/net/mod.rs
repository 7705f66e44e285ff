//! Headers below the stream: link, IP, TCP and UDP.
//!
//! Takes the bytes of one frame and gives what the layers above need of it ([`dissect()`], once per
//! frame, nothing allocated) or every field as rows for a person ([`rows()`], once per frame looked
//! at). Keeps no state: fragments are named, not reassembled.
//!
//! ```text
//!  frame ─► link (Ethernet, VLAN, cooked, raw, loopback) ─► IPv4, IPv6 ─► TCP, UDP
//!           link.rs, by hand for both                       dissect: etherparse; rows: rows.rs
//! ```

mod dissect;
mod link;
mod rows;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;

use crate::bytes::{LinkType, Span};

pub use dissect::dissect;
pub use rows::rows;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dissected {
    /// A TCP segment.
    Tcp(Segment),
    /// A UDP datagram.
    Udp(Datagram),
    /// Anything else.
    Other(Other),
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four control bits of the header, under their names"
)]
pub struct Segment {
    /// The sender.
    pub src: SocketAddr,
    /// The receiver.
    pub dst: SocketAddr,
    /// Sequence number of the first byte of the payload (of SYN when that is set).
    pub seq: u32,
    /// Acknowledgement number, when the ACK bit says that there is one.
    pub ack: Option<u32>,
    /// Synchronises sequence numbers.
    pub syn: bool,
    /// No more data from the sender.
    pub fin: bool,
    /// Resets the connection.
    pub rst: bool,
    /// Push.
    pub psh: bool,
    /// Where the payload lies in the frame, as far as it was captured.
    pub payload: Span,
    /// Length of the payload on the wire; longer than `payload` when the frame was cut off.
    pub payload_len: u32,
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The sender.
    pub src: SocketAddr,
    /// The receiver.
    pub dst: SocketAddr,
    /// Where the payload lies in the frame, as far as it was captured.
    pub payload: Span,
    /// Length of the payload on the wire; longer than `payload` when the frame was cut off.
    pub payload_len: u32,
}

/// Why a frame is neither TCP nor UDP; for counting, and for saying what was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Other {
    /// Address resolution.
    Arp,
    /// An IEEE 802.3 frame with a length where Ethernet II has a type.
    Ieee8023,
    /// Another type of Ethernet payload.
    EtherType(u16),
    /// Another address family on a loopback link.
    Family(u32),
    /// A fragment of an IPv4 packet.
    Ipv4Fragment,
    /// A fragment of an IPv6 packet.
    Ipv6Fragment,
    /// Another protocol above IP.
    IpProtocol(u8),
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
            Self::EtherType(n) => write!(f, "EtherType {n:#06x}"),
            Self::Family(n) => write!(f, "address family {n}"),
            Self::Ipv4Fragment => f.write_str("IPv4 fragment"),
            Self::Ipv6Fragment => f.write_str("IPv6 fragment"),
            Self::IpProtocol(n) => match n {
                1 => f.write_str("ICMP"),
                2 => f.write_str("IGMP"),
                47 => f.write_str("GRE"),
                50 => f.write_str("IPsec ESP"),
                58 => f.write_str("ICMPv6"),
                132 => f.write_str("SCTP"),
                n => write!(f, "IP protocol {n}"),
            },
            Self::UnknownLink(link) => write!(f, "unknown link type {} ({link})", link.0),
            Self::Short(header) => write!(f, "too short for {header}"),
            Self::Malformed(header) => write!(f, "malformed {header}"),
        }
    }
}
