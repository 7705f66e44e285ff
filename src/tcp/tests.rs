use proptest::prelude::*;

use super::*;
use crate::bytes::FrameNo;
use crate::net;

/// Collects what is delivered: per side, bytes with `None` for those in a gap.
#[derive(Default)]
struct Collect {
    streams: Both<Vec<Option<u8>>>,
    order: Vec<(Side, usize)>,
    closed: usize,
    end: Option<End>,
    flows: Vec<FlowId>,
}

impl Receiver for Collect {
    fn data(&mut self, flow: &Flow, side: Side, view: View<'_>) -> Interest {
        assert_eq!(self.closed, 0, "data after the end");
        if self.flows.last() != Some(&flow.id) {
            self.flows.push(flow.id);
        }
        let carried: u32 = view.pieces().map(|piece| piece.len).sum();
        assert_eq!(carried, view.len(), "every byte has its frame");
        self.streams[side].extend(view.bytes().iter().map(|byte| Some(*byte)));
        self.order.push((side, self.streams[side].len()));
        Interest::Keep
    }

    fn gap(&mut self, _: &Flow, side: Side, len: u64, _: Missing) {
        let len = usize::try_from(len).unwrap();
        assert!(len < 1 << 20, "a gap of {len}");
        let end = self.streams[side].len() + len;
        self.streams[side].resize(end, None);
    }

    fn closed(&mut self, flow: &Flow) {
        self.closed += 1;
        self.end = flow.end;
    }
}

#[derive(Clone, Debug)]
struct Packet {
    from: Side,
    seq: u32,
    ack: Option<u32>,
    syn: bool,
    fin: bool,
    rst: bool,
    payload: Vec<u8>,
    wire_len: u32,
}

const ISN: Both<u32> = Both { client: u32::MAX - 20, server: 7 };

/// A packet of the established connection; `at` counts from the first byte of the stream.
fn packet(from: Side, at: usize, payload: &[u8], acked: usize) -> Packet {
    let seq = |side: Side, at: usize| ISN[side].wrapping_add(1).wrapping_add(clamp(at));
    Packet {
        from,
        seq: seq(from, at),
        ack: Some(seq(from.other(), acked)),
        syn: false,
        fin: false,
        rst: false,
        payload: payload.to_vec(),
        wire_len: clamp(payload.len()),
    }
}

fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap()
}

fn syn(from: Side) -> Packet {
    let ack = (from == Side::Server).then(|| ISN.client.wrapping_add(1));
    Packet { seq: ISN[from], syn: true, ack, ..packet(from, 0, b"", 0) }
}

/// The packet as a segment in the frame `no`.
fn segment(p: &Packet, no: u64) -> Segment<'_> {
    let addr = |side: Side| match side {
        Side::Client => "10.0.0.1:50000".parse().unwrap(),
        Side::Server => "10.0.0.2:445".parse().unwrap(),
    };
    Segment {
        header: net::Segment {
            src: addr(p.from),
            dst: addr(p.from.other()),
            identification: None,
            seq: p.seq,
            ack: p.ack,
            syn: p.syn,
            fin: p.fin,
            rst: p.rst,
            psh: false,
            payload: Span::new(54, 54 + clamp(p.payload.len())),
            payload_len: p.wire_len,
        },
        payload: &p.payload,
        frame: FrameNo(no),
        time: Time::from_nanos(i128::from(no) * 1000),
    }
}

/// Feeds packets a microsecond apart.
fn feed(flows: &mut Flows, to: &mut Collect, packets: &[Packet], start: u64) {
    for (n, p) in packets.iter().enumerate() {
        let no = start + u64::try_from(n).unwrap();
        flows.segment(&segment(p, no), to);
    }
}

fn run(packets: &[Packet]) -> Collect {
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    feed(&mut flows, &mut to, packets, 1);
    flows.finish(&mut to);
    to
}

fn text(stream: &[Option<u8>]) -> String {
    stream.iter().map(|byte| byte.map_or('_', char::from)).collect()
}

/// A conversation in turns: lengths of what client and server say alternately, cut into packets.
fn conversation(turns: &[u8], mtu: usize) -> (Vec<Packet>, Both<Vec<Option<u8>>>) {
    let mut packets = vec![syn(Side::Client), syn(Side::Server)];
    let mut said: Both<Vec<Option<u8>>> = Both::default();
    for (n, len) in turns.iter().enumerate() {
        let side = if n % 2 == 0 { Side::Client } else { Side::Server };
        let bytes: Vec<u8> = (0..*len).map(|i| i ^ u8::try_from(n).unwrap()).collect();
        for chunk in bytes.chunks(mtu) {
            let at = said[side].len();
            packets.push(packet(side, at, chunk, said[side.other()].len()));
            said[side].extend(chunk.iter().map(|byte| Some(*byte)));
        }
    }
    (packets, said)
}

/// The packets with those of each direction permuted among their places, none further than
/// `reach` places, and some repeated. The SYN stays the first of its direction.
fn disturbed(packets: &[Packet], picks: &[u8], reach: usize) -> Vec<Packet> {
    let mut out = packets.to_vec();
    for side in Side::BOTH {
        let places: Vec<usize> =
            (0..out.len()).filter(|place| packets[*place].from == side).collect();
        let mut order: Vec<usize> = (0..places.len()).collect();
        // No packet is passed by more than half of those that may wait for it.
        let near = |n: usize, other: usize| {
            places.get(other).is_some_and(|place| place - places[n] < REORDER_SEGMENTS / 2)
        };
        let pick = |n: usize| {
            let wanted = picks.get(n).map_or(0, |pick| usize::from(*pick) % reach);
            (0..=wanted).rev().find(|by| near(n, n + by)).unwrap_or(0)
        };
        order.sort_by_key(|n| if *n == 0 { 0 } else { n + pick(*n) });
        for (place, n) in places.iter().zip(order) {
            out[*place] = packets[places[n]].clone();
        }
    }
    let mut n = 0;
    for pick in picks {
        n = (n + usize::from(*pick)) % out.len();
        out.insert(n, out[n].clone());
    }
    out
}

proptest! {
    #[test]
    fn any_order_and_repetition_gives_the_same_streams(
        // Five turns of the other side, all of which may wait for one packet, are less than
        // REORDER_SEGMENTS.
        turns in prop::collection::vec(0u8..12, 1..40),
        mtu in 1usize..8,
        picks in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let (packets, said) = conversation(&turns, mtu);
        let to = run(&disturbed(&packets, &picks, 6));
        prop_assert_eq!(text(&to.streams.client), text(&said.client));
        prop_assert_eq!(text(&to.streams.server), text(&said.server));
        prop_assert_eq!(to.closed, 1);
    }

    #[test]
    fn an_answer_never_overtakes_its_question(
        turns in prop::collection::vec(1u8..40, 2..10),
        picks in prop::collection::vec(any::<u8>(), 0..30),
    ) {
        let (packets, _) = conversation(&turns, 16);
        let mut seen = Both::<usize>::default();
        for (side, len) in run(&disturbed(&packets, &picks, 4)).order {
            seen[side] = len;
            // What the server has said so far was said after these many bytes of the client.
            let (mut asked, mut said) = (0, 0);
            for (n, turn) in turns.iter().enumerate() {
                if n % 2 == 0 { asked += usize::from(*turn) } else { said += usize::from(*turn) }
                if n % 2 == 1 && seen.server > said - usize::from(*turn) {
                    prop_assert!(seen.client >= asked, "{:?} {:?}", turns, seen);
                }
            }
        }
    }

    #[test]
    fn overlapping_copies_of_the_same_bytes_change_nothing(
        cuts in prop::collection::vec((0usize..200, 1usize..60), 1..60),
    ) {
        let bytes: Vec<u8> = (0..200u8).collect();
        let mut packets = vec![syn(Side::Client)];
        for (at, len) in cuts {
            let end = (at + len).min(bytes.len());
            packets.push(packet(Side::Client, at, &bytes[at..end], 0));
        }
        for (at, chunk) in bytes.chunks(50).enumerate() {
            packets.push(packet(Side::Client, at * 50, chunk, 0));
        }
        let to = run(&packets);
        let want: Vec<_> = bytes.iter().map(|byte| Some(*byte)).collect();
        prop_assert_eq!(text(&to.streams.client), text(&want));
    }

    #[test]
    fn lost_packets_are_gaps_and_nothing_else_changes(
        turns in prop::collection::vec(1u8..80, 1..12),
        lost in prop::collection::vec(any::<bool>(), 200),
    ) {
        let (packets, said) = conversation(&turns, 20);
        let kept: Vec<_> = packets
            .iter()
            .zip(&lost)
            .filter(|(p, lost)| !**lost || p.syn)
            .map(|(p, _)| p.clone())
            .collect();
        let to = run(&kept);
        for side in Side::BOTH {
            for (got, want) in to.streams[side].iter().zip(&said[side]) {
                prop_assert!(got.is_none() || got == want);
            }
            let there = to.streams[side].iter().flatten().count();
            let sent: usize = kept.iter().filter(|p| p.from == side).map(|p| p.payload.len()).sum();
            prop_assert_eq!(there, sent, "every byte that was captured is delivered");
        }
    }

    #[test]
    fn nonsense_is_survived(
        packets in prop::collection::vec(
            (any::<bool>(), any::<u32>(), any::<Option<u32>>(), 0u8..64, 0usize..40, 0u32..100),
            0..100),
    ) {
        struct Deaf;
        impl Receiver for Deaf {
            fn data(&mut self, _: &Flow, _: Side, _: View<'_>) -> Interest { Interest::Keep }
            fn gap(&mut self, _: &Flow, _: Side, _: u64, _: Missing) {}
            fn closed(&mut self, _: &Flow) {}
        }
        let mut flows = Flows::default();
        for (n, (way, seq, ack, flags, len, more)) in packets.into_iter().enumerate() {
            let (a, b) = ("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap());
            let (src, dst) = if way { (a, b) } else { (b, a) };
            let header = net::Segment {
                src,
                dst,
                identification: None,
                seq,
                ack,
                syn: flags & 0x07 == 0x07,
                fin: flags & 0x18 == 0x18,
                rst: flags & 0x30 == 0x30,
                psh: false,
                payload: Span::new(0, clamp(len)),
                payload_len: clamp(len) + more,
            };
            let time = Time::from_nanos(i128::try_from(n).unwrap() << 28);
            let payload = &vec![0; len];
            flows.segment(
                &Segment { header, payload, frame: FrameNo(1), time },
                &mut Deaf,
            );
        }
        flows.finish(&mut Deaf);
    }
}

#[test]
fn sequence_numbers_wrap() {
    let to = run(&[
        syn(Side::Client),
        packet(Side::Client, 0, b"before the turn ", 0),
        packet(Side::Client, 16, b"and after it", 0),
    ]);
    assert_eq!(text(&to.streams.client), "before the turn and after it");
}

#[test]
fn the_first_copy_of_a_byte_wins_and_a_conflict_is_counted() {
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    let packets = [
        syn(Side::Client),
        syn(Side::Server),
        packet(Side::Client, 2, b"cdef", 0),
        packet(Side::Client, 0, b"abXX", 0),
        packet(Side::Client, 4, b"efgh", 0),
    ];
    feed(&mut flows, &mut to, &packets, 1);
    assert_eq!(text(&to.streams.client), "abcdefgh");
    assert_eq!(flows.counters().conflicts, 1);
    assert_eq!(flows.counters().repeated, 0);
}

#[test]
fn a_capture_may_begin_in_the_middle() {
    let to = run(&[
        packet(Side::Server, 104, b"efgh", 10),
        packet(Side::Server, 100, b"abcd", 10),
        packet(Side::Client, 10, b"xy", 108),
    ]);
    assert_eq!(text(&to.streams.server), "abcdefgh");
    assert_eq!(text(&to.streams.client), "xy");
}

#[test]
fn one_direction_is_enough() {
    let packets: Vec<_> = (0..200).map(|n| packet(Side::Client, n * 2, b"ab", n * 300)).collect();
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    feed(&mut flows, &mut to, &packets, 1);
    assert!(to.streams.client.len() >= 200, "most of it before the end");
    flows.finish(&mut to);
    assert_eq!(to.streams.client.len(), 400);
    assert_eq!(flows.counters().lost_bytes, 0);
}

#[test]
fn a_hole_is_given_up_when_the_clock_goes_on() {
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    feed(&mut flows, &mut to, &[syn(Side::Client), packet(Side::Client, 3, b"later", 0)], 1);
    assert_eq!(text(&to.streams.client), "");
    let elsewhere = net::Segment {
        src: "10.9.9.9:9".parse().unwrap(),
        dst: "10.9.9.8:8".parse().unwrap(),
        ..segment(&syn(Side::Client), 3).header
    };
    let time = Time::from_nanos(i128::from(REORDER_WAIT) * 2);
    let other = Segment { header: elsewhere, payload: b"", frame: FrameNo(3), time };
    flows.segment(&other, &mut to);
    assert_eq!(text(&to.streams.client), "___later");
    assert_eq!(flows.counters().lost_bytes, 3);
}

#[test]
fn a_hole_is_given_up_when_too_much_waits_behind_it() {
    let mut packets = vec![syn(Side::Client)];
    packets.extend((0..=REORDER_SEGMENTS).map(|n| packet(Side::Client, 5 + n, b"x", 0)));
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    feed(&mut flows, &mut to, &packets, 1);
    assert_eq!(to.streams.client.len(), 5 + REORDER_SEGMENTS + 1);
}

#[test]
fn what_the_snap_length_cut_is_a_gap_at_once() {
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    let cut = Packet { wire_len: 10, ..packet(Side::Client, 0, b"abcd", 0) };
    let packets = [syn(Side::Client), syn(Side::Server), cut, packet(Side::Client, 10, b"kl", 0)];
    feed(&mut flows, &mut to, &packets, 1);
    assert_eq!(text(&to.streams.client), "abcd______kl");
    assert_eq!(flows.counters().snapped_bytes, 6);
    assert_eq!(flows.counters().lost_bytes, 0);
}

#[test]
fn addresses_used_again_are_another_flow() {
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    feed(&mut flows, &mut to, &[syn(Side::Client), packet(Side::Client, 0, b"one", 0)], 1);
    to.closed = 0;
    let again = Packet { seq: 5_000_000, ..syn(Side::Client) };
    let data = Packet { seq: 5_000_001, ..packet(Side::Client, 0, b"two", 0) };
    feed(&mut flows, &mut to, &[again, syn(Side::Server)], 4);
    assert_eq!(to.closed, 1, "the first connection is over");
    to.closed = 0;
    feed(&mut flows, &mut to, &[data], 6);
    assert_eq!(to.flows.len(), 2);
    assert_eq!(text(&to.streams.client), "onetwo");
}

#[test]
fn both_ends_or_a_reset_close_the_flow() {
    let fin = |from, at| Packet { fin: true, ..packet(from, at, b"", 0) };
    let mut packets =
        vec![syn(Side::Client), syn(Side::Server), fin(Side::Server, 0), fin(Side::Client, 3)];
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    feed(&mut flows, &mut to, &packets, 1);
    assert_eq!(to.closed, 0, "three bytes before the client's end are awaited");
    feed(&mut flows, &mut to, &[packet(Side::Client, 0, b"abc", 0)], 9);
    assert_eq!((text(&to.streams.client).as_str(), to.closed), ("abc", 1));

    packets.truncate(2);
    packets.push(packet(Side::Client, 0, b"abc", 0));
    packets.push(Packet { rst: true, ..packet(Side::Server, 0, b"", 3) });
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    feed(&mut flows, &mut to, &packets, 1);
    assert_eq!((text(&to.streams.client).as_str(), to.closed), ("abc", 1));
}

#[test]
fn the_first_fin_or_reset_tells_who_ended_a_flow() {
    let begin = [syn(Side::Client), syn(Side::Server), packet(Side::Client, 0, b"abc", 0)];
    let fin = |from, at| Packet { fin: true, ..packet(from, at, b"", 3) };
    let reset = |from, at| Packet { rst: true, ..packet(from, at, b"", 3) };
    let end = |last: &[Packet]| run(&[&begin[..], last].concat()).end;
    let ended = |by, reset| Some(End { by, reset });
    let (client, server) = (Side::Client, Side::Server);
    assert_eq!(end(&[]), None);
    assert_eq!(end(&[fin(server, 0), fin(client, 3)]), ended(server, false));
    assert_eq!(end(&[fin(client, 3), reset(server, 0)]), ended(client, false));
    assert_eq!(end(&[fin(client, 3)]), ended(client, false), "nobody answers");
    assert_eq!(end(&[reset(server, 0), fin(client, 3)]), ended(server, true));
    assert_eq!(end(&[reset(server, 9 << 20), fin(client, 3)]), ended(client, false), "forged");
}

#[test]
fn a_reset_that_overtakes_the_fin_loses_nothing() {
    let fin = Packet { fin: true, ..packet(Side::Client, 3, b"", 0) };
    let reset = Packet { rst: true, ..packet(Side::Client, 4, b"", 0) };
    let packets = [syn(Side::Client), packet(Side::Client, 0, b"abc", 0), reset, fin];
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    feed(&mut flows, &mut to, &packets, 1);
    assert_eq!((text(&to.streams.client).as_str(), to.closed), ("abc", 1));
    assert_eq!(flows.counters().lost_bytes, 0);
}

#[test]
fn a_clock_that_goes_back_loses_nothing() {
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    // Three seconds ahead, then back: what waits has not waited long.
    feed(&mut flows, &mut to, &[syn(Side::Client), syn(Side::Server)], 3_000_000);
    let swapped = [packet(Side::Client, 3, b"def", 0), packet(Side::Client, 0, b"abc", 0)];
    feed(&mut flows, &mut to, &swapped, 1);
    assert_eq!(text(&to.streams.client), "abcdef");
    assert_eq!(flows.counters().lost_bytes, 0);
}

#[test]
fn a_reset_from_elsewhere_is_not_believed() {
    for away in [0u32.wrapping_sub(400_000), 1_000_000_000] {
        let (mut flows, mut to) = (Flows::default(), Collect::default());
        let reset = packet(Side::Server, 0, b"", 3);
        let reset = Packet { rst: true, seq: reset.seq.wrapping_add(away), ..reset };
        let packets = [
            syn(Side::Client),
            syn(Side::Server),
            packet(Side::Client, 0, b"abc", 0),
            reset,
            packet(Side::Client, 3, b"def", 0),
        ];
        feed(&mut flows, &mut to, &packets, 1);
        flows.finish(&mut to);
        assert_eq!((text(&to.streams.client).as_str(), to.closed), ("abcdef", 1), "{away}");
        assert_eq!(flows.counters().lost_bytes, 0);
    }
}

#[test]
fn a_refused_connection_may_be_tried_again_with_the_same_number() {
    // The answer to a SYN that nobody wants has no number of its own.
    let refused = Packet { rst: true, seq: 0, ..packet(Side::Server, 0, b"", 0) };
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    feed(&mut flows, &mut to, &[syn(Side::Client), refused], 1);
    assert_eq!(to.closed, 1);
    to.closed = 0;
    let again = [syn(Side::Client), syn(Side::Server), packet(Side::Client, 0, b"abc", 0)];
    feed(&mut flows, &mut to, &again, 9);
    assert_eq!(text(&to.streams.client), "abc");
}

#[test]
fn a_flow_nobody_wants_does_not_hide_the_next_one() {
    /// Wants nothing that begins with an H.
    struct Picky(Vec<FlowId>);
    impl Receiver for Picky {
        fn data(&mut self, flow: &Flow, _: Side, view: View<'_>) -> Interest {
            self.0.push(flow.id);
            if view.bytes().starts_with(b"H") { Interest::Ignore } else { Interest::Keep }
        }
        fn gap(&mut self, _: &Flow, _: Side, _: u64, _: Missing) {}
        fn closed(&mut self, _: &Flow) {}
    }
    let mut flows = Flows::default();
    let mut to = Picky(Vec::new());
    for (n, payload) in [b"HTTP", b"RPC!"].into_iter().enumerate() {
        for p in [syn(Side::Client), syn(Side::Server), packet(Side::Client, 0, payload, 0)] {
            // The second connection has numbers of its own.
            let away = 5_000_000 * clamp(n);
            let p = Packet {
                seq: p.seq.wrapping_add(away),
                ack: p.ack.map(|ack| ack.wrapping_add(away)),
                ..p
            };
            flows.segment(&segment(&p, u64::try_from(n).unwrap()), &mut to);
        }
    }
    assert_eq!(to.0.len(), 2);
    assert_ne!(to.0[0], to.0[1]);
}

#[test]
fn after_the_end_the_addresses_may_go_on_elsewhere_without_a_syn() {
    let fin = |from, at| Packet { fin: true, ..packet(from, at, b"", 0) };
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    let whole = [
        syn(Side::Client),
        syn(Side::Server),
        packet(Side::Client, 0, b"one", 0),
        fin(Side::Client, 3),
        fin(Side::Server, 0),
    ];
    feed(&mut flows, &mut to, &whole, 1);
    assert_eq!(to.closed, 1);
    to.closed = 0;
    // A late copy changes nothing; data with other numbers are another connection.
    feed(&mut flows, &mut to, &[packet(Side::Client, 0, b"one", 0)], 9);
    let far = 1 << 28;
    let again = [packet(Side::Client, far, b"two", far), packet(Side::Server, far, b"!", far + 3)];
    feed(&mut flows, &mut to, &again, 10);
    flows.finish(&mut to);
    assert_eq!(text(&to.streams.client), "onetwo");
}

#[test]
fn an_acknowledged_fin_holds_nothing_up() {
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    let mut packets = vec![
        syn(Side::Client),
        syn(Side::Server),
        Packet { fin: true, ..packet(Side::Server, 0, b"", 0) },
    ];
    // The FIN counts as a byte in what the client acknowledges from now on.
    packets.extend((0..5).map(|n| packet(Side::Client, n, b"x", 1)));
    feed(&mut flows, &mut to, &packets, 1);
    assert_eq!(text(&to.streams.client), "xxxxx");
    assert_eq!(flows.counters().out_of_order, 0);
}

#[test]
fn flows_that_closed_long_ago_are_forgotten() {
    let (mut flows, mut to) = (Flows::default(), Collect::default());
    let reset = Packet { rst: true, ..packet(Side::Server, 0, b"", 0) };
    let rounds = MAX_CLOSED + 100;
    for round in 0..rounds {
        let ip = std::net::Ipv4Addr::from(0x0a00_0000 + clamp(round));
        for packet in [&syn(Side::Client), &reset] {
            let mut segment = segment(packet, 2 * u64::try_from(round).unwrap());
            let client = match packet.from {
                Side::Client => &mut segment.header.src,
                Side::Server => &mut segment.header.dst,
            };
            client.set_ip(ip.into());
            // The first one stays open.
            if round > 0 || packet.syn {
                flows.segment(&segment, &mut to);
            }
        }
    }
    assert_eq!(to.closed, rounds - 1);
    assert_eq!(flows.table.len(), MAX_CLOSED + 1, "those that closed last, and the open one");
    assert_eq!(flows.closed.len(), MAX_CLOSED);
    flows.finish(&mut to);
    assert_eq!(to.closed, rounds, "each closes once");
}
