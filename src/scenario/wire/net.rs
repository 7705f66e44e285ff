//! Ethernet, IPv4 and IPv6; TCP, a connection that both sides keep in order; UDP and ICMP.
//!
//! Nothing is lost between the two here: what the capture does not show was sent all the same, so
//! sequence and acknowledgment numbers go on.

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    Icmpv4Type, Icmpv6Type, IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv6Extensions,
    Ipv6Header, PacketBuilder, PacketBuilderStep, TcpHeader, TcpOptionElement, icmpv4, icmpv6,
};

use crate::bytes::{Both, Side, clamp};

/// A frame as it is on the wire.
pub(crate) type Frame = Vec<u8>;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// One TCP connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    ends: Both<End>,
    /// Octets of a segment's payload at most.
    mss: u16,
}

#[derive(Clone, Copy, Debug)]
struct End {
    address: SocketAddr,
    /// Sequence number of the next octet.
    seq: u32,
    /// What was acknowledged of the other side.
    acknowledged: u32,
    /// Identification of the next IPv4 packet.
    id: u16,
}

impl Connection {
    /// A connection between these two, with initial sequence numbers.
    pub(crate) fn new(ends: Both<SocketAddr>, initial: Both<u32>, mss: u16) -> Self {
        let end = |side: Side| End {
            address: ends[side],
            seq: initial[side],
            acknowledged: initial[side.other()],
            // Any number will do; from the other's, so that the two do not count alike.
            id: u16::try_from(initial[side.other()] & 0x7fff).unwrap_or_default(),
        };
        Self { ends: Both { client: end(Side::Client), server: end(Side::Server) }, mss }
    }

    /// SYN, SYN and ACK, ACK (RFC 9293 3.5), with the options Windows sends.
    pub(crate) fn open(&mut self) -> [Frame; 3] {
        let syn = self.segment(Side::Client, SYN, &[]);
        self.advance(Side::Client, 1);
        let answer = self.segment(Side::Server, SYN | ACK, &[]);
        self.advance(Side::Server, 1);
        [syn, answer, self.segment(Side::Client, ACK, &[])]
    }

    /// SYN, answered with RST: nobody listens.
    pub(crate) fn refuse(&mut self) -> [Frame; 2] {
        let syn = self.syn();
        self.advance(Side::Client, 1);
        [syn, self.segment(Side::Server, RST | ACK, &[])]
    }

    /// SYN, for the first time or again.
    pub(crate) fn syn(&mut self) -> Frame {
        self.segment(Side::Client, SYN, &[])
    }

    /// `side` says `bytes`, in as many segments as it takes.
    pub(crate) fn say(&mut self, side: Side, bytes: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut chunks = bytes.chunks(usize::from(self.mss.max(1))).peekable();
        while let Some(chunk) = chunks.next() {
            let push = if chunks.peek().is_none() { PSH } else { 0 };
            frames.push(self.segment(side, ACK | push, chunk));
            self.advance(side, clamp(chunk.len()));
        }
        frames
    }

    /// The acknowledgment of `side`, if it owes one.
    pub(crate) fn acknowledge(&mut self, side: Side) -> Option<Frame> {
        let owes = self.ends[side].acknowledged != self.ends[side.other()].seq;
        owes.then(|| self.segment(side, ACK, &[]))
    }

    /// The client has said all, the server too.
    pub(crate) fn close(&mut self) -> [Frame; 3] {
        let fin = self.segment(Side::Client, FIN | ACK, &[]);
        self.advance(Side::Client, 1);
        let answer = self.segment(Side::Server, FIN | ACK, &[]);
        self.advance(Side::Server, 1);
        [fin, answer, self.segment(Side::Client, ACK, &[])]
    }

    /// One side is gone.
    pub(crate) fn reset(&mut self, side: Side) -> Frame {
        self.segment(side, RST | ACK, &[])
    }

    fn advance(&mut self, side: Side, by: u32) {
        let end = &mut self.ends[side];
        end.seq = end.seq.wrapping_add(by);
    }

    fn segment(&mut self, side: Side, flags: u8, payload: &[u8]) -> Frame {
        let (from, to) = (self.ends[side], self.ends[side.other()]);
        let has = |flag: u8| flags & flag != 0;
        // 64 KiB before the scale is known, 2 MiB (shifted by 8) afterwards.
        let window = match flags {
            _ if has(SYN) => 64240,
            _ if has(RST) => 0,
            _ => 8212,
        };
        let mut tcp = TcpHeader::new(from.address.port(), to.address.port(), from.seq, window);
        (tcp.fin, tcp.syn, tcp.rst, tcp.psh, tcp.ack) =
            (has(FIN), has(SYN), has(RST), has(PSH), has(ACK));
        if tcp.ack {
            tcp.acknowledgment_number = to.seq;
        }
        if tcp.syn {
            // They fill twelve of the forty octets there are.
            let _ = tcp.set_options(&[
                TcpOptionElement::MaximumSegmentSize(self.mss),
                TcpOptionElement::Noop,
                TcpOptionElement::WindowScale(8),
                TcpOptionElement::Noop,
                TcpOptionElement::Noop,
                TcpOptionElement::SelectiveAcknowledgementPermitted,
            ]);
        }
        let end = &mut self.ends[side];
        end.id = end.id.wrapping_add(1);
        if tcp.ack {
            end.acknowledged = to.seq;
        }
        frame(from.address.ip(), to.address.ip(), end.id, tcp, payload)
    }
}

/// Hops a packet of Windows has before it.
const HOPS: u8 = 128;

/// Ethernet and IP before a TCP segment.
fn frame(from: IpAddr, to: IpAddr, id: u16, tcp: TcpHeader, payload: &[u8]) -> Frame {
    let builder = packet(from, to, id, IpNumber::TCP).tcp_header(tcp);
    let mut frame = Vec::with_capacity(builder.size(payload.len()));
    // Only a payload beyond 64 KiB cannot be written, and a segment size has sixteen bits.
    let _ = builder.write(&mut frame, payload);
    frame
}

/// A UDP datagram.
pub(crate) fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Frame {
    let id = from.port() ^ to.port();
    let builder = packet(from.ip(), to.ip(), id, IpNumber::UDP).udp(from.port(), to.port());
    let mut frame = Vec::with_capacity(builder.size(payload.len()));
    // As above: what is said in one datagram here is short.
    let _ = builder.write(&mut frame, payload);
    frame
}

/// A router tells `to` by ICMP that it may not send this `frame`, and quotes it.
pub(crate) fn prohibited(by: IpAddr, to: IpAddr, frame: &[u8]) -> Frame {
    /// Octets of the Ethernet header.
    const ETHERNET: usize = 14;
    let quoted = frame.get(ETHERNET..).unwrap_or_default();
    let mut out = Vec::new();
    // As above: a SYN is short.
    let _ = if by.is_ipv4() {
        let why = icmpv4::DestUnreachableHeader::FilterProhibited;
        let message = Icmpv4Type::DestinationUnreachable(why);
        packet(by, to, 1, IpNumber::ICMP).icmpv4(message).write(&mut out, quoted)
    } else {
        let message = Icmpv6Type::DestinationUnreachable(icmpv6::DestUnreachableCode::Prohibited);
        packet(by, to, 1, IpNumber::IPV6_ICMP).icmpv6(message).write(&mut out, quoted)
    };
    out
}

/// Ethernet and IP. Both ends have addresses of one family.
fn packet(from: IpAddr, to: IpAddr, id: u16, protocol: IpNumber) -> PacketBuilderStep<IpHeaders> {
    let ethernet = PacketBuilder::ethernet2(mac(from), mac(to));
    let ip = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let header = Ipv4Header {
                identification: id,
                dont_fragment: true,
                time_to_live: HOPS,
                protocol,
                source: from.octets(),
                destination: to.octets(),
                ..Ipv4Header::default()
            };
            IpHeaders::Ipv4(header, Ipv4Extensions::default())
        }
        (from, to) => {
            let header = Ipv6Header {
                next_header: protocol,
                hop_limit: HOPS,
                source: octets(from),
                destination: octets(to),
                ..Ipv6Header::default()
            };
            IpHeaders::Ipv6(header, Ipv6Extensions::default())
        }
    };
    ethernet.ip(ip)
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// A locally administered address made of the end of the IP address.
fn mac(ip: IpAddr) -> [u8; 6] {
    let [.., a, b, c, d] = octets(ip);
    [0x02, 0x00, a, b, c, d]
}
