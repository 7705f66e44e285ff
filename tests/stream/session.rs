//! SMB1 over the NetBIOS session service of port 139, which has packets of its own.

use proptest::prelude::*;

use super::channels::{Connection, messages};
use super::read::read;
use super::wire::{Trace, pcap};

/// RFC 1002 4.3.2: `FSS1` is asked for by `VM`; the same, granted.
const REQUEST: &[u8] = b"\x81\0\0\x44\
    \x20EGFDFDDBCACACACACACACACACACACACA\0\x20FGENCACACACACACACACACACACACACAAA\0";
const GRANTED: &[u8] = b"\x82\0\0\0";
/// RFC 1002 4.3.7
const KEEP_ALIVE: &[u8] = b"\x85\0\0\0";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn packets_without_messages_change_nothing(
        name in prop::sample::select(&["d-NT1-sign.pcap", "d-SMB2_02-sign.pcap"][..]),
        sizes in super::sizes(),
        alive in prop::collection::vec(any::<bool>(), 1..20),
        begins in prop_oneof![4 => Just(0usize), 1 => 1usize..3],
    ) {
        let trace = Trace::open(name);
        let mut connection = Connection { ports: (50_000, 139), said: [1000, 9000] };
        let all = messages(&trace);
        let mut said = vec![(all[0].time, true, REQUEST), (all[0].time, false, GRANTED)];
        for (n, message) in all.iter().enumerate() {
            if alive[n % alive.len()] {
                said.push((message.time, message.from_client, KEEP_ALIVE));
            }
            said.push((message.time, message.from_client, &message.bytes));
        }
        let mut frames = Vec::new();
        if begins == 0 {
            for from_client in [true, false] {
                frames.push((all[0].time, connection.packet(from_client, true, b"")));
            }
        }
        let mut sizes = sizes.iter().cycle();
        for (n, (time, from_client, bytes)) in said.into_iter().enumerate() {
            let mut rest = bytes;
            while !rest.is_empty() {
                let size = (*sizes.next().unwrap()).min(rest.len());
                let (part, later) = rest.split_at(size);
                let frame = connection.packet(from_client, false, part);
                if n >= begins {
                    frames.push((time, frame));
                }
                rest = later;
            }
        }
        let bare = |capture: &[u8]| {
            let mut records = read(capture).timeless();
            for record in &mut records {
                let record = record.as_object_mut().unwrap();
                // The machines have other addresses and ports.
                for party in ["client", "server"] {
                    let name = record[party]["name"].take();
                    record[party] = name;
                }
            }
            records
        };
        let reading = read(&pcap(&frames));
        prop_assert_eq!(reading.summary.smb_malformed, 0);
        prop_assert_eq!(reading.summary.tcp.lost_bytes, 0);
        prop_assert_eq!(bare(&pcap(&frames)), bare(&trace.bytes()), "{}", name);
    }
}
