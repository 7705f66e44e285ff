//! Captures as packets, and what can happen to them: some are lost or swapped, a beginning was missed,
//! clients and directions were not captured.

use std::io::Cursor;
use std::net::IpAddr;

use vshark::bytes::{LinkType, Time};
use vshark::capture::{Capture, Writer};

use crate::dice::Dice;

/// A packet of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    link: LinkType,
    pub(crate) time: Time,
    wire_len: u32,
    pub(crate) data: Vec<u8>,
}

impl Packet {
    /// From where to where it goes, if IP carries it over Ethernet or in the cooked format of Linux.
    pub(crate) fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        let (protocol, ip) = self.network()?;
        let (at, len) = match protocol {
            0x0800 => (ip + 12, 4),
            0x86DD => (ip + 8, 16),
            _ => return None,
        };
        let address = |at: usize| -> Option<IpAddr> {
            let octets = self.data.get(at..at + len)?;
            <[u8; 4]>::try_from(octets)
                .map(IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
                .ok()
        };
        Some((address(at)?, address(at + len)?))
    }

    /// The connection it is of, whichever way it goes, if TCP is in IP that has no options.
    pub(crate) fn connection(&self) -> Option<[(IpAddr, u16); 2]> {
        let (from, to) = self.ends()?;
        let (protocol, ip) = self.network()?;
        let at = if protocol == 0x0800 { ip + 20 } else { ip + 40 };
        let mut both = [(from, self.word(at)?), (to, self.word(at + 2)?)];
        both.sort_unstable();
        Some(both)
    }

    fn word(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes(self.data.get(at..at + 2)?.try_into().ok()?))
    }

    /// `EtherType`, and where IP begins.
    fn network(&self) -> Option<(u16, usize)> {
        Some(match self.link {
            LinkType::LINUX_SLL2 => (self.word(0)?, 20),
            _ if self.word(12)? == 0x8100 => (self.word(16)?, 18),
            _ => (self.word(12)?, 14),
        })
    }
}

pub(crate) fn packets(file: Vec<u8>) -> Vec<Packet> {
    let mut capture = Capture::from_reader("made", Box::new(Cursor::new(file)));
    let mut packets = Vec::new();
    while capture.advance() {
        let frame = capture.frame();
        let (link, time, wire_len) = (frame.link, frame.time, frame.wire_len);
        packets.push(Packet { link, time, wire_len, data: frame.data.to_vec() });
    }
    packets
}

pub(crate) fn file(packets: &[Packet]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, None).expect("memory takes it");
    for Packet { link, time, wire_len, data } in packets {
        writer.frame(*link, *time, *wire_len, data).expect("memory takes it");
    }
    file
}

/// What can happen to a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// A packet is missing.
    Drop(usize),
    /// The first packets are missing.
    DropFirst(usize),
    /// All packets but the first are missing.
    KeepFirst(usize),
    /// Two neighbours change places; the times stay.
    Swap(usize),
    /// What a client says and hears is missing.
    HideClient(IpAddr),
    /// What is sent by this address is missing.
    HideFrom(IpAddr),
}

/// Whether a packet and the next came so close together that a network may exchange them.
fn near(packets: &[Packet], at: usize) -> bool {
    const MOST: i64 = 500_000_000;
    match (packets.get(at), packets.get(at + 1)) {
        (Some(first), Some(second)) => second.time.since(first.time) < MOST,
        _ => false,
    }
}

impl Mishap {
    /// One that can happen to these packets.
    pub(crate) fn any(packets: &[Packet], dice: &mut Dice) -> Self {
        let at = dice.below(packets.len().saturating_sub(1).max(1));
        match dice.range(0, 8) {
            3..5 if near(packets, at) => Self::Swap(at),
            0..5 => Self::Drop(at),
            5..7 => Self::DropFirst(at),
            _ => packets[at].ends().map_or(Self::Drop(at), |(from, _)| Self::HideFrom(from)),
        }
    }

    pub(crate) fn happen(self, packets: &mut Vec<Packet>) {
        match self {
            Self::Drop(at) => {
                packets.remove(at);
            }
            Self::DropFirst(count) => {
                packets.drain(..count);
            }
            Self::KeepFirst(count) => packets.truncate(count),
            Self::Swap(at) => {
                let (first, second) = (packets[at].time, packets[at + 1].time);
                packets.swap(at, at + 1);
                packets[at].time = first;
                packets[at + 1].time = second;
            }
            Self::HideClient(client) => packets.retain(|packet| {
                packet.ends().is_none_or(|(from, to)| from != client && to != client)
            }),
            Self::HideFrom(sender) => {
                packets.retain(|packet| packet.ends().is_none_or(|(from, _)| from != sender));
            }
        }
    }
}
