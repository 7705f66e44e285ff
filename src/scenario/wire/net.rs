//! Ethernet, IPv4 and IPv6, TCP: a connection that both sides keep in order.
//!
//! Nothing is lost between the two here: what the capture does not show was sent all the same, so
//! sequence and acknowledgment numbers go on.

use std::net::{IpAddr, SocketAddr};

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
        let syn = self.segment(Side::Client, SYN, &[]);
        self.advance(Side::Client, 1);
        [syn, self.segment(Side::Server, RST | ACK, &[])]
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

    /// The server is gone.
    pub(crate) fn reset(&mut self) -> Frame {
        self.segment(Side::Server, RST | ACK, &[])
    }

    fn advance(&mut self, side: Side, by: u32) {
        let end = &mut self.ends[side];
        end.seq = end.seq.wrapping_add(by);
    }

    fn segment(&mut self, side: Side, flags: u8, payload: &[u8]) -> Frame {
        let (from, to) = (self.ends[side], self.ends[side.other()]);
        let acknowledges = flags & ACK != 0;
        let mut tcp = Vec::with_capacity(payload.len().saturating_add(40));
        tcp.extend(from.address.port().to_be_bytes());
        tcp.extend(to.address.port().to_be_bytes());
        tcp.extend(from.seq.to_be_bytes());
        tcp.extend(if acknowledges { to.seq } else { 0 }.to_be_bytes());
        let options = if flags & SYN != 0 { self.options() } else { Vec::new() };
        let words = 5u8.saturating_add(u8::try_from(options.len() / 4).unwrap_or_default());
        tcp.extend([words << 4, flags]);
        // 64 KiB before the scale is known, 2 MiB (shifted by 8) afterwards.
        let window: u16 = match flags {
            _ if flags & SYN != 0 => 64240,
            _ if flags & RST != 0 => 0,
            _ => 8212,
        };
        tcp.extend(window.to_be_bytes());
        // The checksum, below, and the urgent pointer.
        tcp.extend([0; 4]);
        tcp.extend(options);
        tcp.extend_from_slice(payload);
        let sum = checksum(&[&pseudo_header(from.address.ip(), to.address.ip(), &tcp), &tcp]);
        if let Some(place) = tcp.get_mut(16..18) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
        let end = &mut self.ends[side];
        end.id = end.id.wrapping_add(1);
        if acknowledges {
            end.acknowledged = to.seq;
        }
        frame(from.address.ip(), to.address.ip(), end.id, &tcp)
    }

    /// Maximum segment size, window scale, selective acknowledgments permitted.
    fn options(&self) -> Vec<u8> {
        let [m0, m1] = self.mss.to_be_bytes();
        vec![2, 4, m0, m1, 1, 3, 3, 8, 1, 1, 4, 2]
    }
}

/// RFC 9293 3.1, and RFC 8200 8.1 for IPv6.
fn pseudo_header(from: IpAddr, to: IpAddr, tcp: &[u8]) -> Vec<u8> {
    let mut header = [address(from), address(to)].concat();
    header.extend(clamp(tcp.len()).to_be_bytes());
    header.extend([0, 0, 0, 6]);
    header
}

/// RFC 1071, over parts of which all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let word = match *pair {
            [high, low] => u16::from_be_bytes([high, low]),
            [high] => u16::from_be_bytes([high, 0]),
            _ => 0,
        };
        sum = sum.wrapping_add(word.into());
        sum = (sum & 0xffff).wrapping_add(sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

fn address(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// A locally administered address made of the end of the IP address.
fn mac(ip: IpAddr) -> [u8; 6] {
    match *address(ip).as_slice() {
        [.., a, b, c, d] => [0x02, 0x00, a, b, c, d],
        _ => [0x02; 6],
    }
}

/// Ethernet and IP before a TCP segment.
fn frame(from: IpAddr, to: IpAddr, id: u16, tcp: &[u8]) -> Frame {
    let mut frame = Vec::with_capacity(tcp.len().saturating_add(54));
    frame.extend(mac(to));
    frame.extend(mac(from));
    let len = u16::try_from(tcp.len()).unwrap_or(u16::MAX);
    if from.is_ipv4() {
        let mut header = vec![0x45, 0];
        header.extend(len.saturating_add(20).to_be_bytes());
        header.extend(id.to_be_bytes());
        // Do not fragment; time to live 128; TCP; the checksum, below.
        header.extend([0x40, 0, 128, 6, 0, 0]);
        header.extend(address(from));
        header.extend(address(to));
        let sum = checksum(&[&header]);
        if let Some(place) = header.get_mut(10..12) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
        frame.extend([0x08, 0x00]);
        frame.extend(header);
    } else {
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(len.to_be_bytes());
        frame.extend([6, 128]);
        frame.extend(address(from));
        frame.extend(address(to));
    }
    frame.extend_from_slice(tcp);
    frame
}
