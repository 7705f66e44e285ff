//! No bytes, random or nearly right, make anything panic, hang or grow.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::{v1, wire};
use crate::bytes::{Ends, Framed, Layer, Missing, Reader, Side, Stream, Tree, View};
use crate::smb::{ConnectionId, Event, HEADER_MAX, Smb, dissect, plausible_start, resync, sender};

struct Feed<'s> {
    smb: &'s mut Smb,
    side: Side,
    events: Vec<Event>,
}

fn ends() -> Ends {
    let at = |port| SocketAddr::from(([10, 0, 0, 1], port));
    Ends { client: at(50000), server: at(445) }
}

const ONE: ConnectionId = ConnectionId(1);

impl Layer for Feed<'_> {
    const HEADER: u32 = HEADER_MAX;

    fn frame(&mut self, head: View<'_>) -> Framed {
        self.smb.frame(ONE, head)
    }

    fn unit(&mut self, unit: View<'_>, whole: u32) {
        let out = &mut self.events;
        if let Some(plain) = self.smb.advance(ONE, ends(), unit, whole, out) {
            self.smb.advance_plain(ONE, ends(), &plain, out);
        }
    }

    fn resync(&mut self, bytes: &[u8]) -> Option<u32> {
        resync(self.side, bytes)
    }

    fn desync(&mut self, _: u32) {
        self.smb.lost(ONE, &mut self.events);
    }
}

/// The samples in a row, some bytes changed.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let flips = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12);
    let picks = prop::collection::vec(any::<prop::sample::Index>(), 1..12);
    (picks, flips).prop_map(|(picks, flips)| {
        let samples = [wire::samples(), v1::wire::samples()].concat();
        let mut bytes: Vec<u8> =
            picks.iter().flat_map(|pick| pick.get(&samples).1.clone()).collect();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn dissecting_survives(bytes in prop_oneof![mutated(), prop::collection::vec(any::<u8>(), 0..300)]) {
        let mut tree = Tree::default();
        let _ = dissect(&mut Reader::new(View::new(&bytes, &[], &[]), &mut tree), |_| ());
        let _ = (plausible_start(&bytes), sender(&bytes), resync(Side::Client, &bytes));
        // Rows never lie outside the bytes.
        for node in tree.nodes() {
            prop_assert!(usize::try_from(node.span.end).unwrap() <= bytes.len());
        }
    }

    #[test]
    fn a_connection_survives(
        parts in prop::collection::vec((mutated(), any::<bool>(), 0u64..300), 1..6),
        cut in 1usize..400,
    ) {
        let mut smb = Smb::default();
        let mut streams = [Stream::default(), Stream::midstream()];
        for (bytes, server, gap) in parts {
            let side = if server { Side::Server } else { Side::Client };
            let stream = &mut streams[usize::from(server)];
            let mut feed = Feed { smb: &mut smb, side, events: Vec::new() };
            for chunk in bytes.chunks(cut) {
                stream.feed(View::new(chunk, &[], &[]), &mut feed);
            }
            stream.gap(gap, Missing::Lost, &mut feed);
            prop_assert!(stream.held() <= 1 << 20);
        }
        let mut out = Vec::new();
        smb.closed(ONE, None, &mut out);
    }
}

#[test]
fn after_a_gap_the_next_message_is_found() {
    let mut smb = Smb::default();
    let mut feed = Feed { smb: &mut smb, side: Side::Client, events: Vec::new() };
    let mut stream = Stream::default();
    let samples = wire::samples();
    let unit = &samples.iter().find(|(name, _)| *name == "create").unwrap().1;
    stream.feed(View::new(&unit[..3], &[], &[]), &mut feed);
    stream.gap(50, Missing::Lost, &mut feed);
    let rest = [&b"xxSMBxx\0\0\0\x40\xfeSMB"[..], &unit[..]].concat();
    stream.feed(View::new(&rest, &[], &[]), &mut feed);
    let counted: Vec<_> = smb.counters().messages().collect();
    assert_eq!(counted, [(crate::smb::Command::CREATE, 1)]);
}

#[test]
fn a_flow_is_recognised_by_its_first_bytes() {
    for (name, unit) in wire::samples() {
        assert!(plausible_start(&unit[..8]), "{name}");
        let side = if unit[20] & 1 == 0 { Side::Client } else { Side::Server };
        assert_eq!(sender(&unit), Some(side), "{name}");
        assert_eq!(resync(side, &unit), Some(0), "{name}");
        assert_eq!(resync(side.other(), &unit), None, "{name}");
    }
    assert!(!plausible_start(b"\x05\x00\x0b\x03\x10\x00\x00\x00"));
    assert!(!plausible_start(b"GET / HT") && !plausible_start(b""));
}
