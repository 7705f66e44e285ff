//! [`dissect`]: addresses, numbers and the place of the payload, for every frame of a capture.

use std::net::{IpAddr, SocketAddr};

use etherparse::err::{ipv4, ipv6, ipv6_exts};
use etherparse::{
    IpNumber, LaxIpPayloadSlice, LaxIpv4Slice, LaxIpv6Slice, TcpHeaderSlice, UdpHeaderSlice,
};

use super::link::{self, Network};
use super::{Datagram, Dissected, Other, Segment};
use crate::bytes::{LinkType, Reader, Span, View, clamp, index};

/// Length of a TCP header without options.
const TCP: usize = 20;

/// Length of the longest TCP header.
const TCP_LONGEST: usize = 60;

/// Length of a UDP header.
const UDP: u32 = 8;

/// What the frame carries; `wire_len` is its length before the snap length cut it.
///
/// IP's lengths decide what is payload: what Ethernet pads a short frame with is not. A length of
/// zero is what a sender writes whose network card cuts the segment up; then `wire_len` decides.
pub fn dissect(link: LinkType, frame: &[u8], wire_len: u32) -> Dissected {
    let mut no_rows = ();
    let mut r = Reader::new(View::new(frame, &[], &[]), &mut no_rows);
    let packet = match link::read(link, &mut r) {
        Ok(Ok(network)) => network,
        Ok(Err(other)) => return Dissected::Other(other),
        Err(_) => return Dissected::Other(Other::Short("link-layer header")),
    };
    let at = r.pos();
    let bytes = frame.get(index(at)..).unwrap_or_default();
    let wire_len = wire_len.max(clamp(frame.len())).saturating_sub(at);
    let packet = match packet {
        Network::Ipv4 => ipv4(bytes, wire_len),
        Network::Ipv6 => ipv6(bytes, wire_len),
    };
    packet.and_then(|packet| packet.transport(at)).unwrap_or_else(Dissected::Other)
}

/// An IP packet with its headers taken off.
struct Packet<'a> {
    src: IpAddr,
    dst: IpAddr,
    protocol: IpNumber,
    /// What was captured of the payload.
    payload: &'a [u8],
    /// Where the payload starts, from the start of the packet.
    start: u32,
    /// Length of the payload on the wire.
    len: u32,
}

impl<'a> Packet<'a> {
    /// A packet of `whole` bytes with `start` bytes of headers.
    fn new(
        (src, dst): (IpAddr, IpAddr),
        payload: &LaxIpPayloadSlice<'a>,
        start: usize,
        whole: u32,
        name: &'static str,
    ) -> Result<Self, Other> {
        let start = clamp(start);
        Ok(Self {
            src,
            dst,
            protocol: payload.ip_number,
            payload: payload.payload,
            start,
            len: whole.checked_sub(start).ok_or(Other::Malformed(name))?,
        })
    }

    /// Reads the transport header of a packet that starts `at` bytes into the frame.
    fn transport(&self, at: u32) -> Result<Dissected, Other> {
        match self.protocol {
            IpNumber::TCP => self.tcp(at + self.start).map(Dissected::Tcp),
            IpNumber::UDP => self.udp(at + self.start).map(Dissected::Udp),
            IpNumber(n) => Err(Other::IpProtocol(n)),
        }
    }

    /// What was captured of `len` bytes of payload behind `header` bytes.
    fn captured(&self, at: u32, header: u32, len: u32) -> Span {
        let captured = clamp(self.payload.len());
        let start = header.min(captured);
        let end = start.saturating_add(len).min(captured);
        Span::new(at + start, at + end)
    }

    /// \[RFC 9293\] 3.1 Header Format. Options that the snap length cut off do not matter.
    fn tcp(&self, at: u32) -> Result<Segment, Other> {
        const NAME: &str = "TCP header";
        let mut whole = [0; TCP_LONGEST];
        let header = match TcpHeaderSlice::from_slice(self.payload) {
            Ok(header) => header,
            Err(_) if self.payload.len() < TCP => return Err(Other::Short(NAME)),
            Err(_) => {
                let captured = self.payload.len().min(TCP_LONGEST);
                if let (Some(to), Some(from)) =
                    (whole.get_mut(..captured), self.payload.get(..captured))
                {
                    to.copy_from_slice(from);
                }
                TcpHeaderSlice::from_slice(&whole).map_err(|_| Other::Malformed(NAME))?
            }
        };
        let header_len = u32::from(header.data_offset()) * 4;
        let payload_len = self.len.checked_sub(header_len).ok_or(Other::Malformed(NAME))?;
        Ok(Segment {
            src: SocketAddr::new(self.src, header.source_port()),
            dst: SocketAddr::new(self.dst, header.destination_port()),
            seq: header.sequence_number(),
            ack: header.ack().then(|| header.acknowledgment_number()),
            syn: header.syn(),
            fin: header.fin(),
            rst: header.rst(),
            psh: header.psh(),
            payload: self.captured(at, header_len, payload_len),
            payload_len,
        })
    }

    /// \[RFC 768\] Format. A length of zero leaves it to IP, as in a jumbogram.
    fn udp(&self, at: u32) -> Result<Datagram, Other> {
        const NAME: &str = "UDP header";
        let header = UdpHeaderSlice::from_slice(self.payload).map_err(|_| Other::Short(NAME))?;
        let whole = match u32::from(header.length()) {
            0 => self.len,
            len => len.min(self.len),
        };
        let payload_len = whole.checked_sub(UDP).ok_or(Other::Malformed(NAME))?;
        Ok(Datagram {
            src: SocketAddr::new(self.src, header.source_port()),
            dst: SocketAddr::new(self.dst, header.destination_port()),
            payload: self.captured(at, UDP, payload_len),
            payload_len,
        })
    }
}

/// \[RFC 791\] 3.1 Internet Header Format.
fn ipv4(bytes: &[u8], wire_len: u32) -> Result<Packet<'_>, Other> {
    const NAME: &str = "IPv4 header";
    let (packet, stop) = LaxIpv4Slice::from_slice(bytes).map_err(|e| match e {
        ipv4::HeaderSliceError::Len(_) => Other::Short(NAME),
        ipv4::HeaderSliceError::Content(_) => Other::Malformed(NAME),
    })?;
    if packet.is_payload_fragmented() {
        return Err(Other::Ipv4Fragment);
    }
    if stop.is_some() {
        return Err(Other::Short("IP authentication header"));
    }
    let header = packet.header();
    let authentication = packet.extensions().auth.map_or(0, |a| a.slice().len());
    Packet::new(
        (header.source_addr().into(), header.destination_addr().into()),
        packet.payload(),
        header.slice().len() + authentication,
        match header.total_len() {
            0 => wire_len,
            len => len.into(),
        },
        NAME,
    )
}

/// \[RFC 8200\] 3 IPv6 Header Format, 4 IPv6 Extension Headers.
fn ipv6(bytes: &[u8], wire_len: u32) -> Result<Packet<'_>, Other> {
    const NAME: &str = "IPv6 header";
    const EXTENSION: &str = "IPv6 extension header";
    let (packet, stop) = LaxIpv6Slice::from_slice(bytes).map_err(|e| match e {
        ipv6::HeaderSliceError::Len(_) => Other::Short(NAME),
        ipv6::HeaderSliceError::Content(_) => Other::Malformed(NAME),
    })?;
    if packet.is_payload_fragmented() {
        return Err(Other::Ipv6Fragment);
    }
    if let Some((error, _)) = stop {
        return Err(match error {
            ipv6_exts::HeaderSliceError::Len(_) => Other::Short(EXTENSION),
            ipv6_exts::HeaderSliceError::Content(_) => Other::Malformed(EXTENSION),
        });
    }
    let header = packet.header();
    let fixed = header.slice().len();
    Packet::new(
        (header.source_addr().into(), header.destination_addr().into()),
        packet.payload(),
        fixed + packet.extensions().slice().len(),
        match header.payload_length() {
            0 => wire_len,
            len => u32::from(len) + clamp(fixed),
        },
        EXTENSION,
    )
}
