//! Headers below the stream: link, tunnels, IP, TCP and UDP.
//!
//! Takes the bytes of one frame and gives what the layers above need of it ([`dissect()`], once per
//! frame, nothing allocated) or every field as rows for a person ([`rows()`], once per frame looked
//! at). Both are the same pure functions over a [`Reader`]. [`Fragments`] alone has state: it puts
//! IP datagrams together, whose payload [`Ip::dissect`] reads on.
//!
//! ```text
//!  frame ─► link ─► IPv4, IPv6 ─┬─► TCP, UDP, ICMP
//!            ▲                  ├─► fragment ─► Fragments ─► Datagram ─┐
//!            └──── tunnel ◄─────┴──────────────────────────────────────┘
//! ```
//!
//! What name resolution answers over UDP is read here too, from the payload alone ([`dns`]).
//!
//! **Lengths.** IP's lengths decide what is payload: what Ethernet pads a short frame with is not.
//! A length of zero is what a sender writes whose network card cuts the segment up; then the
//! frame's length on the wire decides. Such a segment is longer than what Ethernet pads, so nothing
//! of it is padding. A packet that is longer than any link takes, as a network card puts
//! together what it received, is like any other.
//!
//! **Tunnels** that say what they carry are opened, up to [`MAX_TUNNELS`] inside each other; the
//! others are named. VLANs and tunnels are no part of an address: a mirrored port shows a packet
//! once in its tunnel and once without, or in two VLANs, and it is the same packet. Networks that
//! use the same addresses and ports in several tunnels at the same time are not told apart.

pub mod dns;
mod fields;
mod fragments;
mod icmp;
mod ip;
mod link;
mod other;
#[cfg(test)]
mod tests;
mod transport;
mod tunnel;

use std::net::{IpAddr, SocketAddr};

use crate::bytes::{LinkType, Order, Reader, Sink, Span, Stop, Tree, View, Why};

pub use fragments::{
    Counters as FragmentCounters, Datagram, Fragments, MAX_AGE, MAX_DATAGRAMS, MAX_HELD,
};
pub use icmp::{Undelivered, UnreachableCode};
pub use other::{Other, Unseen};
pub use tunnel::MAX_TUNNELS;

/// What sets the limit where a frame was cut off.
const CAPTURED: &str = "the captured frame";

/// What sets the limit where a tunnel carries less than its payload says.
const CARRIED: &str = "the tunnel";

/// What sets the limit in a datagram that was put together.
const DATAGRAM: &str = "the datagram";

/// What a frame, or a datagram put together from several, carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dissected {
    /// A TCP segment.
    Tcp(Segment),
    /// A UDP datagram.
    Udp(UserDatagram),
    /// A part of an IP datagram, for [`Fragments`].
    Fragment(Fragment),
    /// Word that a TCP segment was not delivered.
    Undelivered(Undelivered),
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
    /// Identification of the IPv4 packet, which tells a segment sent again from a copy; IPv6 has
    /// none.
    pub identification: Option<u16>,
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
    /// Where the payload lies in what was dissected, as far as it was captured.
    pub payload: Span,
    /// Length of the payload on the wire; longer than `payload` when the frame was cut off.
    pub payload_len: u32,
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserDatagram {
    /// The sender.
    pub src: SocketAddr,
    /// The receiver.
    pub dst: SocketAddr,
    /// Where the payload lies in what was dissected, as far as it was captured.
    pub payload: Span,
    /// Length of the payload on the wire; longer than `payload` when the frame was cut off.
    pub payload_len: u32,
}

/// What an IP header says that its payload needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ip {
    /// The sender.
    pub src: IpAddr,
    /// The receiver.
    pub dst: IpAddr,
    /// Number of the protocol of the payload, or of the first extension header in it.
    pub protocol: u8,
    /// Identification of an IPv4 packet.
    pub identification: Option<u16>,
}

impl Ip {
    /// What a payload that was put together carries.
    pub fn dissect(&self, payload: View<'_>) -> Dissected {
        let mut walk = Walk::new(payload.len());
        walk.run(payload, DATAGRAM, |r, walk| ip::payload(self, r, walk))
    }

    /// Adds the headers in such a payload to `tree`.
    pub fn rows(&self, payload: View<'_>, tree: &mut Tree) {
        let mut walk = Walk::new(payload.len());
        walk.rows(payload, DATAGRAM, tree, |r, walk| ip::payload(self, r, walk));
    }
}

/// A part of an IP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// What its IP header says.
    pub ip: Ip,
    /// Identification of the datagram: 16 bits in IPv4, 32 in IPv6.
    pub identification: u32,
    /// Where this part belongs in the datagram.
    pub offset: u32,
    /// Whether more of it follows.
    pub more: bool,
    /// Where the part lies in what was dissected, as far as it was captured.
    pub payload: Span,
    /// Its length on the wire; longer than `payload` when the frame was cut off.
    pub payload_len: u32,
}

/// What a frame of type `link` carries; `wire_len` is its length before the snap length cut it.
pub fn dissect(link: LinkType, frame: View<'_>, wire_len: u32) -> Dissected {
    let mut walk = Walk::new(wire_len.max(frame.len()));
    walk.run(frame, CAPTURED, |r, walk| link::read(link, r, walk))
}

/// Adds the headers of a frame to `tree`; one that is cut short ends with a row that says so.
pub fn rows(link: LinkType, frame: View<'_>, tree: &mut Tree) {
    // How much of the frame was cut off does not show in its headers.
    let mut walk = Walk::new(u32::MAX);
    walk.rows(frame, CAPTURED, tree, |r, walk| link::read(link, r, walk));
}

/// The way through the headers of a frame or datagram.
#[derive(Debug)]
struct Walk {
    /// The header being read, to say where reading ended.
    header: &'static str,
    /// Where the innermost payload ends on the wire; beyond what there is when that was cut off.
    end: u32,
    /// Tunnels entered.
    tunnels: usize,
}

impl Walk {
    fn new(end: u32) -> Self {
        Self { header: "link-layer header", end, tunnels: 0 }
    }

    /// Reads the headers of `view`, whose end has the name `limit`.
    fn run<'v>(
        &mut self,
        view: View<'v>,
        limit: &'static str,
        read: impl FnOnce(&mut Reader<'v, '_, ()>, &mut Self) -> Result<Dissected, Stop>,
    ) -> Dissected {
        let mut no_rows = ();
        let mut r = Reader::new(view, &mut no_rows);
        r.order = Order::Big;
        let read = r.within(view.len(), limit, |r| read(r, self));
        read.unwrap_or_else(|stop| {
            Dissected::Other(match stop.why {
                Why::Missing(_) | Why::Short { limit: CAPTURED | CARRIED, .. } => {
                    Other::Short(self.header)
                }
                Why::Short { .. } | Why::Malformed(_) => Other::Malformed(self.header),
            })
        })
    }

    /// The same, with the rows of the headers.
    fn rows<'v>(
        &mut self,
        view: View<'v>,
        limit: &'static str,
        tree: &mut Tree,
        read: impl FnOnce(&mut Reader<'v, '_, Tree>, &mut Self) -> Result<Dissected, Stop>,
    ) {
        let mut r = Reader::new(view, tree);
        r.order = Order::Big;
        let read = r.within(view.len(), limit, |r| read(r, self));
        let end = Span::new(r.pos(), r.end());
        match read {
            Ok(Dissected::Tcp(_) | Dissected::Udp(_) | Dissected::Undelivered(_)) => {}
            Ok(Dissected::Fragment(part)) => tree.row("Not read further", part.to_string(), end),
            Ok(Dissected::Other(other)) => tree.row("Not read further", other.to_string(), end),
            Err(stop) => tree.row("Cut short", stop.to_string(), end),
        }
    }

    /// What was captured of a payload that starts at `start`, and its length on the wire.
    fn payload<S: Sink>(&self, r: &Reader<'_, '_, S>, start: u32) -> (Span, u32) {
        let end = self.end.min(r.end());
        (Span::new(start.min(end), end), self.end.saturating_sub(start))
    }
}

impl std::fmt::Display for Fragment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = self.offset.saturating_add(self.payload_len);
        write!(
            f,
            "fragment of IP datagram {:#06x}: its bytes from {}",
            self.identification, self.offset
        )?;
        if self.more { write!(f, " to {end}") } else { f.write_str(" to its end") }
    }
}
