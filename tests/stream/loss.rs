//! Parts of a capture: packets lost, the beginning missing, one direction only, frames cut short.

use proptest::prelude::*;
use vshark::bytes::FrameNo;
use vshark::call::{Call, Outcome, Readable};

use super::read::{Losses, Reading, losses, read};
use super::wire::Trace;
use super::{CAPTURES, sizes};

/// Checks that the part is true; says what it lacks.
fn check(what: &str, part: &Reading, whole: &Reading) -> Losses {
    losses(part, whole).unwrap_or_else(|wrong| panic!("{what}: {wrong}"))
}

/// In the order of the requests; calls without an answer are told when their pipe ends.
fn in_order(reading: &Reading) -> Vec<&Call> {
    let mut calls: Vec<_> = reading.calls.iter().collect();
    calls.sort_by_key(|call| call.rpc.n);
    calls
}

/// Without the capture whose stubs are too short: where their `auth_pad_length` is lost as well,
/// padding is read in place of what they lack.
fn well_formed() -> Vec<&'static str> {
    CAPTURES.into_iter().filter(|name| *name != "e-py-bad_pdus.pcap").collect()
}

fn without(trace: &Trace, n: usize) -> Reading {
    let mut packets = trace.packets.clone();
    packets.remove(n);
    read(&trace.with(packets).bytes())
}

#[test]
fn a_lost_packet_harms_one_call_or_the_name_of_one_pipe() {
    for name in CAPTURES {
        let trace = Trace::open(name);
        let whole = read(&trace.bytes());
        for n in 0..trace.packets.len() {
            let what = format!("{name} without packet {}", n + 1);
            let losses = check(&what, &without(&trace, n), &whole);
            assert!(losses.damaged.len() <= 1, "{what}: {losses:?}");
            // Who loses a bind loses the interface of every call on that pipe, and nothing else.
            let pipe = |key: &String| key.rsplit_once(' ').unwrap().0.to_owned();
            let mut pipes: Vec<_> = losses.nameless.iter().map(pipe).collect();
            pipes.dedup();
            assert!(pipes.len() <= 1, "{what}: {losses:?}");
        }
    }
}

#[test]
fn a_lost_fragment_is_a_hole_and_not_a_shorter_stub() {
    let trace = Trace::open("e-py-fragmented.pcap");
    let whole = read(&trace.bytes());
    // Frame 33 is the last but one fragment of the first request, all of it and nothing else.
    let part = without(&trace, 32);
    let [first, whole] = [&part, &whole].map(|reading| in_order(reading)[0]);
    assert_eq!((first.rpc.n, first.request.readable), (1, Readable::Lost));
    assert!(first.request.bytes < whole.request.bytes);
    assert!(first.request.decoded.as_ref().unwrap().stop.is_some());
}

#[test]
fn a_name_is_not_read_from_a_token_with_a_hole() {
    let trace = Trace::open("i-real-mtu300-sign.pcap");
    // The second of the three segments of the NTLM AUTHENTICATE of the session's logon.
    let part = without(&trace, 14);
    assert!(part.calls.iter().all(|call| call.client.name.is_none()));
    assert!(read(&trace.bytes()).calls.iter().all(|call| call.client.name.is_some()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn lost_segments_make_nothing_wrong(
        name in prop::sample::select(well_formed()),
        sizes in sizes(),
        lost in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
        picks in prop::collection::vec(0usize..4, 1..100),
    ) {
        let trace = Trace::open(name);
        let whole = read(&trace.bytes());
        let mut cut = trace.recut(&sizes);
        for at in lost {
            let at = at.index(cut.packets.len());
            cut.packets.remove(at);
        }
        if let Err(wrong) = losses(&read(&cut.disturbed(&picks, 4, &[]).bytes()), &whole) {
            prop_assert!(false, "{name}: {wrong}");
        }
    }
}

#[test]
fn a_capture_may_begin_with_any_packet() {
    for name in CAPTURES {
        let trace = Trace::open(name);
        let whole = read(&trace.bytes());
        for first in 0..trace.packets.len() {
            let what = format!("{name} from packet {} on", first + 1);
            let part = read(&trace.with(trace.packets[first..].to_vec()).bytes());
            let losses = check(&what, &part, &whole);
            // Whatever was asked after the beginning is there.
            let after = |frame: &FrameNo| usize::try_from(frame.0).unwrap() > first + 1;
            for (key, call) in whole.by_key() {
                let asked = call.rpc.request.as_ref().unwrap();
                if asked.frames.iter().all(after) {
                    assert!(!losses.damaged.contains(&key), "{what}: {losses:?}");
                }
            }
        }
    }
}

#[test]
fn one_direction_alone_is_half_of_every_call() {
    for name in CAPTURES {
        let trace = Trace::open(name);
        let whole = read(&trace.bytes());
        let servers: Vec<_> = trace.servers();
        for from_server in [false, true] {
            let what = format!("{name}, from the server: {from_server}");
            let mut packets = trace.packets.clone();
            packets.retain(|packet| {
                packet.way().is_some_and(|way| servers.contains(&way.0) == from_server)
            });
            let part = read(&trace.with(packets).bytes());
            check(&what, &part, &whole);
            let half = if from_server { Outcome::NoRequest } else { Outcome::NoResponse };
            assert!(part.calls.iter().all(|call| call.outcome == half), "{what}");
            if !from_server {
                assert_eq!(part.calls.len(), whole.calls.len(), "{what}");
                for (part, whole) in in_order(&part).into_iter().zip(in_order(&whole)) {
                    assert_eq!(part.request.decoded, whole.request.decoded, "{what}");
                }
            }
        }
    }
}

#[test]
fn frames_cut_short_make_nothing_wrong() {
    for name in CAPTURES {
        let trace = Trace::open(name);
        let whole = read(&trace.bytes());
        for snap in (0..60).step_by(10).chain(60..=200).chain((200..1600).step_by(31)) {
            let what = format!("{name}, {snap} bytes of each frame");
            let part = read(&trace.snapped(snap));
            check(&what, &part, &whole);
            // No packet is missing, so nothing may be called lost.
            assert_eq!(part.summary.tcp.lost_bytes, 0, "{what}");
            for call in &part.calls {
                let readable = [call.request.readable, call.response.readable];
                assert!(!readable.contains(&Readable::Lost), "{what}: {readable:?}");
            }
        }
    }
}
