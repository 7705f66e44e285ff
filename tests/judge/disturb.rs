//! Captures after something has happened to them: packets lost or swapped, a beginning that was
//! missed, clients and directions that were not captured, stubs that were sealed.

use std::io::Cursor;
use std::net::IpAddr;

use vshark::bytes::{LinkType, Time};
use vshark::capture::{Capture, Writer};

use crate::dice::Dice;
use crate::talk::Talk;

/// A packet of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    link: LinkType,
    time: Time,
    wire_len: u32,
    data: Vec<u8>,
}

impl Packet {
    /// From where to where it goes, if IP carries it over Ethernet or in the cooked format of Linux.
    pub(crate) fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        let word = |at: usize| -> Option<u16> {
            Some(u16::from_be_bytes(self.data.get(at..at + 2)?.try_into().ok()?))
        };
        // EtherType, and where IP begins.
        let (protocol, ip) = match self.link {
            LinkType::LINUX_SLL2 => (word(0)?, 20),
            _ if word(12)? == 0x8100 => (word(16)?, 18),
            _ => (word(12)?, 14),
        };
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

/// Seals the stubs of all clients.
pub(crate) fn seal(talk: &mut Talk) {
    for client in &mut talk.clients {
        client.sealed = true;
        for setting in &mut client.settings {
            *setting = setting.replace("integrity", "privacy");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;
    use crate::server::Profile;
    use crate::world::{self, Wish};

    fn talk(seed: u64, clients: usize) -> Talk {
        world::talk(seed, Wish { profile: Profile::Spec, clients, restarts: false }).0
    }

    fn after(talk: &Talk, mishap: Mishap) -> (Vec<Packet>, Vec<Packet>) {
        let before = packets(read::capture(talk).unwrap());
        let mut after = before.clone();
        mishap.happen(&mut after);
        // What is written is what is read.
        assert_eq!(packets(file(&after)), after);
        (before, after)
    }

    #[test]
    fn packets_are_dropped_and_swapped() {
        let talk = talk(1, 1);
        let (before, dropped) = after(&talk, Mishap::Drop(7));
        assert_eq!((before.len() - 1, &before[8]), (dropped.len(), &dropped[7]));
        let (before, late) = after(&talk, Mishap::DropFirst(9));
        assert_eq!(before[9..], late[..]);
        let (before, swapped) = after(&talk, Mishap::Swap(7));
        assert_eq!((&before[7].data, before[7].time), (&swapped[8].data, swapped[7].time));
        assert_eq!((&before[8].data, before[8].time), (&swapped[7].data, swapped[8].time));
        assert!(swapped.is_sorted_by_key(|packet| packet.time));
    }

    #[test]
    fn a_client_and_a_direction_are_hidden() {
        let mut hidden = 0;
        for seed in 0..20 {
            let talk = talk(seed, 3);
            let addresses: Vec<IpAddr> =
                talk.clients.iter().map(|client| client.address.parse().unwrap()).collect();
            let all = read::calls(read::capture(&talk).unwrap());
            let (_, left) = after(&talk, Mishap::HideClient(addresses[0]));
            let calls = read::calls(file(&left));
            let others = all.iter().filter(|call| call.client.addr.ip() != addresses[0]).count();
            assert_eq!(calls.len(), others, "seed {seed}");
            assert!(calls.iter().all(|call| call.client.addr.ip() != addresses[0]));
            hidden += all.len() - others;
            let server = all[0].server.addr.ip();
            let (before, asked) = after(&talk, Mishap::HideFrom(server));
            assert!(asked.len() < before.len() && !asked.is_empty());
            assert!(read::calls(file(&asked)).iter().all(|call| call.rpc.response.is_none()));
        }
        assert!(hidden > 20);
    }

    #[test]
    fn sealed_conversations_are_read_back_sealed() {
        for seed in 0..20 {
            let mut talk = talk(seed, 2);
            seal(&mut talk);
            read::back(&talk).unwrap();
        }
    }

    #[test]
    fn nothing_that_happens_to_a_capture_breaks_the_layers() {
        let mut dice = Dice::new(5);
        for seed in 0..100 {
            let mut packets = packets(read::capture(&talk(seed, 2)).unwrap());
            for _ in 0..3 {
                Mishap::any(&packets, &mut dice).happen(&mut packets);
                if packets.len() < 3 {
                    break;
                }
            }
            read::calls(file(&packets));
        }
    }
}
