//! TCP and UDP headers.

use std::net::SocketAddr;

use super::fields::{flags, packed};
use super::{Dissected, Ip, Segment, UserDatagram, Walk, tunnel};
use crate::bytes::{Reader, Sink, Stop};

const TCP_FLAGS: &[(u32, &str)] = &[
    (0x100, "AE"),
    (0x080, "CWR"),
    (0x040, "ECE"),
    (0x020, "URG"),
    (0x010, "ACK"),
    (0x008, "PSH"),
    (0x004, "RST"),
    (0x002, "SYN"),
    (0x001, "FIN"),
];

/// \[RFC 9293\] 3.1 Header Format. Options that the snap length cut off do not matter.
pub(super) fn tcp<S: Sink>(
    ip: &Ip,
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    walk.header = "TCP header";
    let start = r.pos();
    r.group("Transmission Control Protocol", |r| {
        let src = r.u16(dec!("Source Port"))?;
        let dst = r.u16(dec!("Destination Port"))?;
        let seq = r.u32(dec!("Sequence Number"))?;
        let ack = r.u32(dec!("Acknowledgment Number"))?;
        let at = r.pos();
        let word = r.raw_u16()?;
        packed(r, at, word.into(), &[("Data Offset", 4)]);
        flags(r, at, u32::from(word & 0x1ff), TCP_FLAGS);
        r.u16(dec!("Window"))?;
        r.u16(hex!("Checksum"))?;
        r.u16(dec!("Urgent Pointer"))?;
        let header = u32::from(word >> 12) * 4;
        let payload_at = start.saturating_add(header);
        let Some(options) = payload_at.checked_sub(r.pos()).filter(|_| payload_at <= walk.end)
        else {
            return Err(Stop::malformed(at, format!("TCP header of {header} bytes")));
        };
        if S::ROWS && options > 0 {
            r.group("Options", |r| {
                r.within(options, "Data Offset", |r| tcp_options(r, payload_at))
            })?;
        }
        let (payload, payload_len) = walk.payload(r, payload_at);
        let bit = |bit: u16| word & bit != 0;
        Ok(Dissected::Tcp(Segment {
            src: SocketAddr::new(ip.src, src),
            dst: SocketAddr::new(ip.dst, dst),
            identification: ip.identification,
            seq,
            ack: bit(0x10).then_some(ack),
            syn: bit(0x02),
            fin: bit(0x01),
            rst: bit(0x04),
            psh: bit(0x08),
            payload,
            payload_len,
        }))
    })
}

/// \[RFC 9293\] 3.2 Specific Option Definitions; \[RFC 7323\] 2.2, 3.2; \[RFC 2018\] 2, 3.
fn tcp_options<S: Sink>(r: &mut Reader<'_, '_, S>, end: u32) -> Result<(), Stop> {
    while r.pos() < end {
        let at = r.pos();
        let [kind] = r.array()?;
        match kind {
            0 | 1 => {
                r.seek(at, "option")?;
                if kind == 1 {
                    r.u8(dec!("No-Operation"))?;
                    continue;
                }
                r.u8(dec!("End of Option List"))?;
                if r.pos() < end {
                    r.bytes(dec!("Padding"), end - r.pos())?;
                }
                return Ok(());
            }
            _ => {}
        }
        let [len] = r.array()?;
        let Some(body) = u32::from(len).checked_sub(2) else {
            return Err(Stop::malformed(at, format!("TCP option of {len} bytes")));
        };
        match (kind, body) {
            (2, 2) => r.u16(dec!("Maximum Segment Size")).map(drop)?,
            (3, 1) => r.u8(dec!("Window Scale")).map(drop)?,
            (4, 0) => r.bytes(dec!("SACK Permitted"), 0).map(drop)?,
            (5, n) => r.bytes(dec!("SACK"), n).map(drop)?,
            (8, 8) => {
                r.u32(dec!("Timestamp Value"))?;
                r.u32(dec!("Timestamp Echo Reply"))?;
            }
            (_, n) => r.bytes(dec!("Option"), n).map(drop)?,
        }
    }
    Ok(())
}

/// \[RFC 768\] Format. A length of zero leaves it to IP, as in a jumbogram.
pub(super) fn udp<S: Sink>(
    ip: &Ip,
    r: &mut Reader<'_, '_, S>,
    walk: &mut Walk,
) -> Result<Dissected, Stop> {
    walk.header = "UDP header";
    let start = r.pos();
    let (src, dst, len) = r.group("User Datagram Protocol", |r| {
        let src = r.u16(dec!("Source Port"))?;
        let dst = r.u16(dec!("Destination Port"))?;
        let len = r.u16(dec!("Length"))?;
        r.u16(hex!("Checksum"))?;
        Ok((src, dst, len))
    })?;
    if len > 0 {
        walk.end = walk.end.min(start.saturating_add(len.into()));
    }
    let Some(left) = walk.end.checked_sub(r.pos()) else {
        return Err(Stop::malformed(start, format!("UDP length {len} is shorter than its header")));
    };
    if let Some(found) = r.within(left, "Length", |r| tunnel::over_udp(src, dst, r, walk))? {
        return Ok(found);
    }
    let (payload, payload_len) = walk.payload(r, r.pos());
    Ok(Dissected::Udp(UserDatagram {
        src: SocketAddr::new(ip.src, src),
        dst: SocketAddr::new(ip.dst, dst),
        payload,
        payload_len,
    }))
}
