//! A capture as packets that can be moved, cut, copied and written back.
//!
//! Reads what `captures/` has (pcap, little-endian, microseconds, Ethernet, IPv4) and keeps of each
//! TCP packet its headers and its payload apart. Checksums are not made good: nobody looks at them.

use std::collections::HashMap;

const ACK: u8 = 0x10;
const PSH: u8 = 0x08;
const RST: u8 = 0x04;
const SYN: u8 = 0x02;
const FIN: u8 = 0x01;

/// Address and port of the sender, then of the receiver.
pub(crate) type Way = ([u8; 6], [u8; 6]);

#[derive(Clone)]
pub(crate) struct Trace {
    head: Vec<u8>,
    pub(crate) packets: Vec<Packet>,
}

#[derive(Clone)]
pub(crate) struct Packet {
    /// Microseconds.
    pub(crate) time: u64,
    /// All up to the TCP payload; a frame that is not TCP, whole.
    head: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    /// Where the TCP header is.
    tcp: Option<usize>,
}

/// The bytes of a capture of `captures/`.
pub(crate) fn file(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name);
    std::fs::read(path).unwrap()
}

/// Where the records of a capture file begin; the last is its end.
pub(crate) fn boundaries(file: &[u8]) -> Vec<usize> {
    let mut at = 24;
    let mut all = vec![at];
    while at < file.len() {
        at += 16 + le32(file, at + 8);
        all.push(at);
    }
    all
}

/// Frames with their times in microseconds as a capture file.
pub(crate) fn pcap(frames: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut out = file("a-ntlm-sign-smb311.pcap")[..24].to_vec();
    for (time, frame) in frames {
        record(&mut out, *time, frame, usize::MAX);
    }
    out
}

fn record(out: &mut Vec<u8>, time: u64, frame: &[u8], snap: usize) {
    let kept = &frame[..frame.len().min(snap)];
    let second = 1_000_000;
    let (seconds, micros) = (time / second, time % second);
    let [caplen, len] = [kept.len(), frame.len()].map(|n| u64::try_from(n).unwrap());
    for word in [seconds, micros, caplen, len] {
        out.extend(u32::try_from(word).unwrap().to_le_bytes());
    }
    out.extend(kept);
}

impl Trace {
    pub(crate) fn open(name: &str) -> Self {
        let file = file(name);
        let starts = boundaries(&file);
        let packet = |at: &[usize]| {
            let stamp = le32(&file, at[0]) * 1_000_000 + le32(&file, at[0] + 4);
            Packet::new(u64::try_from(stamp).unwrap(), &file[at[0] + 16..at[1]])
        };
        Self { head: file[..24].to_vec(), packets: starts.windows(2).map(packet).collect() }
    }

    /// As a capture file, whose frames are cut at `snap` bytes.
    pub(crate) fn snapped(&self, snap: usize) -> Vec<u8> {
        let mut out = self.head.clone();
        for packet in &self.packets {
            record(&mut out, packet.time, &packet.frame(), snap);
        }
        out
    }

    /// As a capture file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.snapped(usize::MAX)
    }

    /// The same with other packets.
    pub(crate) fn with(&self, packets: Vec<Packet>) -> Self {
        Self { head: self.head.clone(), packets }
    }

    /// The directions of all connections.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let mut ways: Vec<_> = self.packets.iter().filter_map(Packet::way).collect();
        ways.sort_unstable();
        ways.dedup();
        ways
    }

    /// Addresses and ports of the servers: SMB, the endpoint mapper and Kerberos.
    pub(crate) fn servers(&self) -> Vec<[u8; 6]> {
        let ports = [445u16, 135, 88].map(u16::to_be_bytes);
        self.ways()
            .into_iter()
            .map(|way| way.0)
            .filter(|end| ports.contains(&[end[4], end[5]]))
            .collect()
    }

    /// Adds `by` to the sequence numbers of `way`, and to the acknowledgments of the other.
    pub(crate) fn shift(&mut self, way: Way, by: u32) {
        for packet in &mut self.packets {
            if packet.way() == Some(way) {
                packet.set_seq(packet.seq().wrapping_add(by));
            } else if packet.way() == Some((way.1, way.0))
                && let Some(ack) = packet.ack()
            {
                packet.set_ack(ack.wrapping_add(by));
            }
        }
    }

    /// The same streams in segments of other sizes, which are taken from `sizes` in turn. What one
    /// side says without being answered is put together first. Bare acknowledgments are left out.
    pub(crate) fn recut(&self, sizes: &[usize]) -> Self {
        let mut sizes = sizes.iter().copied().cycle();
        let mut out = Vec::new();
        let mut open: Option<Packet> = None;
        let mut flush = |open: &mut Option<Packet>, out: &mut Vec<Packet>| {
            let Some(packet) = open.take() else { return };
            let mut at = 0;
            while at < packet.payload.len() {
                let end = (at + sizes.next().unwrap()).min(packet.payload.len());
                let mut piece = packet.part(at, end);
                if end < packet.payload.len() {
                    piece.clear(FIN | PSH);
                }
                out.push(piece);
                at = end;
            }
        };
        for packet in &self.packets {
            if packet.is_bare_ack() {
                continue;
            }
            match &mut open {
                Some(whole) if whole.continues_with(packet) => whole.append(packet),
                _ => {
                    flush(&mut open, &mut out);
                    if packet.payload.is_empty() || packet.flag(SYN | RST) {
                        out.push(packet.clone());
                    } else {
                        open = Some(packet.clone());
                    }
                }
            }
        }
        flush(&mut open, &mut out);
        self.with(out)
    }

    /// The same SMB messages, but as `change` makes them; it gets and gives them without their
    /// four-byte header. Bare acknowledgments are left out.
    pub(crate) fn with_messages(&self, mut change: impl FnMut(&[u8]) -> Vec<u8>) -> Self {
        let smb = 445u16.to_be_bytes();
        let mut next: HashMap<Way, u32> = HashMap::new();
        let mut begun: HashMap<Way, Vec<u8>> = HashMap::new();
        let mut out = self.recut(&[usize::MAX]).packets;
        for packet in &mut out {
            let Some(way) = packet.way().filter(|(a, b)| [&a[4..], &b[4..]].contains(&&smb[..]))
            else {
                continue;
            };
            let rest = begun.entry(way).or_default();
            rest.append(&mut packet.payload);
            while let Some(header) = rest.first_chunk::<4>() {
                let whole = 4 + usize::try_from(u32::from_be_bytes(*header)).unwrap();
                if rest.len() < whole {
                    break;
                }
                let message = change(&rest[4..whole]);
                packet.payload.extend(len32(&message).to_be_bytes());
                packet.payload.extend(message);
                rest.drain(..whole);
            }
            let seq = *next.entry(way).or_insert(packet.seq());
            packet.set_seq(seq);
            let turns = u32::from(packet.flag(SYN)) + u32::from(packet.flag(FIN));
            next.insert(way, packet.end().wrapping_add(turns));
            if let Some(ack) = packet.ack() {
                packet.set_ack(next.get(&(way.1, way.0)).copied().unwrap_or(ack));
            }
        }
        self.with(out)
    }

    /// Some packets repeat bytes before their own that were sent and not acknowledged: an element
    /// of `picks` that is not zero says how far back such a packet goes, at most.
    pub(crate) fn overlapping(&self, picks: &[u16]) -> Self {
        let mut sent: HashMap<Way, (u32, Vec<u8>)> = HashMap::new();
        let mut acked: HashMap<Way, u32> = HashMap::new();
        let mut picks = picks.iter().copied().cycle();
        let mut out = Vec::new();
        for packet in &self.packets {
            let mut packet = packet.clone();
            if let Some(way) = packet.way() {
                if let Some(ack) = packet.ack() {
                    acked.insert((way.1, way.0), ack);
                }
                if !packet.payload.is_empty() {
                    let (first, stream) =
                        sent.entry(way).or_insert_with(|| (packet.seq(), Vec::new()));
                    assert_eq!(len32(stream), packet.seq().wrapping_sub(*first), "no gaps");
                    stream.extend(&packet.payload);
                    let floor = acked.get(&way).map_or(0, |ack| ack.wrapping_sub(*first));
                    let own = len32(stream) - len32(&packet.payload);
                    let back = u32::from(picks.next().unwrap());
                    let from = own.saturating_sub(back).max(floor).min(own);
                    packet.set_seq(first.wrapping_add(from));
                    packet.payload = stream[usize::try_from(from).unwrap()..].to_vec();
                }
            }
            out.push(packet);
        }
        self.with(out)
    }

    /// The packets of each direction permuted among their places, none further than `reach` of
    /// them. The SYN stays first, a RST where it is (nothing is awaited after it), and so does every
    /// time. An element of `copies` says where from
    /// and how far on a packet is repeated.
    ///
    /// What is displaced by so much waits for at most twice as much, when both directions are:
    /// that stays below `tcp::ACKED_WAIT` and `tcp::REORDER_SEGMENTS`.
    pub(crate) fn disturbed(
        &self,
        picks: &[usize],
        reach: usize,
        copies: &[(usize, usize)],
    ) -> Self {
        const LONGEST: u64 = 45_000;
        const FARTHEST: usize = 30;
        let mut out = self.packets.clone();
        let mut picks = picks.iter().copied().cycle();
        for way in self.ways() {
            let mine = |place: &usize| self.packets[*place].way() == Some(way);
            let places: Vec<_> = (0..out.len()).filter(mine).collect();
            let mut rest = &places[..];
            while let Some(first) = rest.first().copied() {
                let start = &self.packets[first];
                let together = |place: &&usize| {
                    **place - first <= FARTHEST
                        && self.packets[**place].time - start.time <= LONGEST
                        && (**place == first
                            || !start.flag(SYN | RST) && !self.packets[**place].flag(RST))
                };
                let run = rest.iter().take_while(together).count();
                let mut order: Vec<_> =
                    (0..run).map(|n| (n + picks.next().unwrap() % reach, n)).collect();
                order.sort_unstable();
                for (place, (_, n)) in rest.iter().zip(order) {
                    let time = self.packets[*place].time;
                    out[*place] = Packet { time, ..self.packets[rest[n]].clone() };
                }
                rest = &rest[run..];
            }
        }
        for (from, by) in copies {
            let from = from % out.len();
            let to = (from + 1 + by).min(out.len());
            let time = out[to - 1].time;
            out.insert(to, Packet { time, ..out[from].clone() });
        }
        self.with(out)
    }
}

impl Packet {
    fn new(time: u64, frame: &[u8]) -> Self {
        const IP: usize = 14;
        let tcp = IP + 4 * usize::from(frame[IP] & 0xf);
        if frame[12..14] != [0x08, 0x00] || frame[IP + 9] != 6 {
            return Self { time, head: frame.to_vec(), payload: Vec::new(), tcp: None };
        }
        let end = IP + usize::from(u16::from_be_bytes([frame[IP + 2], frame[IP + 3]]));
        let data = tcp + 4 * usize::from(frame[tcp + 12] >> 4);
        let (head, payload) = (frame[..data].to_vec(), frame[data..end].to_vec());
        Self { time, head, payload, tcp: Some(tcp) }
    }

    fn frame(&self) -> Vec<u8> {
        let mut frame = [&self.head[..], &self.payload].concat();
        if self.tcp.is_some() {
            let total = u16::try_from(frame.len() - 14).unwrap();
            frame[16..18].copy_from_slice(&total.to_be_bytes());
        }
        frame
    }

    /// Which direction of which connection it belongs to; none if it is not TCP.
    pub(crate) fn way(&self) -> Option<Way> {
        let tcp = self.tcp?;
        let end = |ip: usize, port: usize| {
            let bytes = [&self.head[ip..ip + 4], &self.head[port..port + 2]].concat();
            bytes.try_into().unwrap()
        };
        Some((end(26, tcp), end(30, tcp + 2)))
    }

    pub(crate) fn seq(&self) -> u32 {
        self.be32(4)
    }

    pub(crate) fn ack(&self) -> Option<u32> {
        self.flag(ACK).then(|| self.be32(8))
    }

    /// One past the last sequence number.
    pub(crate) fn end(&self) -> u32 {
        self.seq().wrapping_add(len32(&self.payload))
    }

    fn is_bare_ack(&self) -> bool {
        self.flag(ACK) && !self.flag(SYN | FIN | RST) && self.payload.is_empty()
    }

    fn flag(&self, mask: u8) -> bool {
        self.tcp.is_some_and(|tcp| self.head[tcp + 13] & mask != 0)
    }

    fn clear(&mut self, mask: u8) {
        self.head[self.tcp.unwrap() + 13] &= !mask;
    }

    fn be32(&self, at: usize) -> u32 {
        let at = self.tcp.unwrap() + at;
        u32::from_be_bytes(self.head[at..at + 4].try_into().unwrap())
    }

    fn set(&mut self, at: usize, n: u32) {
        let at = self.tcp.unwrap() + at;
        self.head[at..at + 4].copy_from_slice(&n.to_be_bytes());
    }

    fn set_seq(&mut self, seq: u32) {
        self.set(4, seq);
    }

    fn set_ack(&mut self, ack: u32) {
        self.set(8, ack);
    }

    /// A packet with the payload `start..end` of this one.
    fn part(&self, start: usize, end: usize) -> Self {
        let mut part = Self { payload: self.payload[start..end].to_vec(), ..self.clone() };
        part.set_seq(self.seq().wrapping_add(len32(&self.payload[..start])));
        part
    }

    fn continues_with(&self, next: &Self) -> bool {
        self.way() == next.way()
            && self.end() == next.seq()
            && !next.payload.is_empty()
            && !self.flag(FIN)
            && !next.flag(SYN | RST)
            && self.payload.len() + next.payload.len() < 60_000
    }

    fn append(&mut self, next: &Self) {
        let (seq, payload) = (self.seq(), std::mem::take(&mut self.payload));
        *self = next.clone();
        self.set_seq(seq);
        self.payload = [payload, next.payload.clone()].concat();
    }
}

fn le32(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()).try_into().unwrap()
}

fn len32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}
