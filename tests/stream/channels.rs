//! SMB3 multichannel: one session's messages spread over several connections.
//!
//! Windows sends a bind over one connection, a request over another and takes the answer from a
//! third. A recorded session is dealt out that way; its calls must not change.

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::read::read;
use super::wire::{Trace, Way, pcap};

/// An SMB message with its four-byte header.
pub(crate) struct Message {
    pub(crate) time: u64,
    pub(crate) from_client: bool,
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    /// `MessageId`, which an answer shares with its request; `None` for what builds the session.
    fn id(&self) -> Option<u64> {
        let smb = self.bytes.get(4..)?;
        let command = u16::from_le_bytes(smb.get(12..14)?.try_into().ok()?);
        let id = u64::from_le_bytes(smb.get(24..32)?.try_into().ok()?);
        (smb.starts_with(b"\xfeSMB") && command > 1).then_some(id)
    }
}

/// The messages of a capture with one connection, in the order in which they were complete.
pub(crate) fn messages(trace: &Trace) -> Vec<Message> {
    let server = trace.servers()[0];
    let mut streams: [Vec<u8>; 2] = [Vec::new(), Vec::new()];
    let mut all = Vec::new();
    for packet in &trace.packets {
        let Some((from, _)): Option<Way> = packet.way() else { continue };
        let from_client = from != server;
        let stream = &mut streams[usize::from(from_client)];
        stream.extend(&packet.payload);
        while let [0, a, b, c, ..] = stream[..] {
            let end = 4 + usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap();
            if stream.len() < end {
                break;
            }
            let bytes = stream.drain(..end).collect();
            all.push(Message { time: packet.time, from_client, bytes });
        }
    }
    all
}

/// One connection being written.
pub(crate) struct Connection {
    /// The client's, and the server's.
    pub(crate) ports: (u16, u16),
    /// Bytes said by the server and by the client.
    pub(crate) said: [u32; 2],
}

impl Connection {
    pub(crate) fn packet(&mut self, from_client: bool, syn: bool, payload: &[u8]) -> Vec<u8> {
        let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let (me, you) = (usize::from(from_client), usize::from(!from_client));
        let builder = PacketBuilder::ethernet2([0; 6], [0; 6]);
        let builder = if from_client {
            builder.ipv4(client, server, 64)
        } else {
            builder.ipv4(server, client, 64)
        };
        let (mine, theirs) = self.ports;
        let (from, to) = if from_client { (mine, theirs) } else { (theirs, mine) };
        let builder = builder.tcp(from, to, self.said[me], 8192);
        let builder = match (syn, from_client) {
            (true, true) => builder.syn(),
            (true, false) => builder.syn().ack(self.said[you]),
            (false, _) => builder.ack(self.said[you]).psh(),
        };
        let mut frame = Vec::new();
        builder.write(&mut frame, payload).unwrap();
        self.said[me] += u32::try_from(payload.len()).unwrap() + u32::from(syn);
        frame
    }
}

/// The messages on several connections, as `deal` says by their id.
fn dealt(messages: &[Message], deal: &[usize]) -> Vec<u8> {
    let mut connections: Vec<_> =
        (0..4).map(|n| Connection { ports: (50_000 + n, 445), said: [1000, 9000] }).collect();
    let mut frames = Vec::new();
    let start = messages.first().map_or(0, |message| message.time);
    for connection in &mut connections {
        for from_client in [true, false] {
            frames.push((start, connection.packet(from_client, true, b"")));
        }
    }
    for message in messages {
        let which = message.id().map_or(0, |id| deal[usize::try_from(id).unwrap() % deal.len()]);
        // Ethernet carries 1460 bytes of it at a time.
        for part in message.bytes.chunks(1460) {
            let frame = connections[which].packet(message.from_client, false, part);
            frames.push((message.time, frame));
        }
    }
    pcap(&frames)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_session_may_be_spread_over_any_connections(
        name in prop::sample::select(&[
            "a-ntlm-sign-smb311.pcap",
            "a5-spnego-sign.pcap",
            "b-ntlm-seal-smb311.pcap",
            "e-py-fragmented.pcap",
            "g-two_pipes_one_session.pcap",
            "i-real-mtu300-sign.pcap",
        ][..]),
        deal in prop::collection::vec(0usize..4, 1..40),
    ) {
        let trace = Trace::open(name);
        let bare = |capture: &[u8]| {
            let mut records = read(capture).timeless();
            for record in &mut records {
                let record = record.as_object_mut().unwrap();
                // The machines have other addresses, and so the ports.
                record.remove("client").unwrap();
                record.remove("server").unwrap();
                // Each connection negotiates for itself; here only the first is seen to.
                record["smb"].as_object_mut().unwrap().remove("dialect").unwrap();
            }
            records
        };
        let spread = bare(&dealt(&messages(&trace), &deal));
        prop_assert_eq!(spread, bare(&trace.bytes()), "{}", name);
    }
}
