//! `Asked`, before the `Call` it announces.

use std::collections::BTreeMap;

use vshark::call::{Call, Outcome, Readable};
use vshark::pipeline::Event;
use vshark::protocol::fsrvp;
use vshark::rpc::Ending;

use crate::{common, play, read};

/// Checks that each request of FSRVP is told of once, before its call, as the call has it, and
/// gives how many there are.
fn pairs(events: &[Event]) -> usize {
    let mut asked: BTreeMap<u64, &Call> = BTreeMap::new();
    let mut pairs = 0;
    for event in events {
        match event {
            Event::Asked(call) => {
                assert_eq!(
                    (call.rpc.ending, call.outcome),
                    (Ending::NoAnswer, Outcome::NoResponse)
                );
                assert!(call.rpc.response.is_none() && call.response.readable == Readable::Absent);
                assert!(asked.insert(call.rpc.n, call).is_none(), "call {}", call.rpc.n);
            }
            Event::Call(call) => {
                let ours = call.rpc.interface.is_some_and(|of| of.uuid == fsrvp::UUID);
                let request = call.rpc.request.as_ref().filter(|message| message.complete);
                let (true, Some(request)) = (ours, request) else {
                    assert!(!asked.contains_key(&call.rpc.n), "call {}", call.rpc.n);
                    continue;
                };
                let asked = asked.remove(&call.rpc.n).expect("what was answered was asked");
                let told = asked.rpc.request.as_ref().unwrap();
                assert_eq!((&told.frames, told.time), (&request.frames, request.time));
                assert_eq!(asked.time, call.time);
                assert_eq!(
                    (asked.rpc.opnum, asked.rpc.transfer),
                    (call.rpc.opnum, call.rpc.transfer)
                );
                assert_eq!(
                    (asked.client.addr, asked.server.addr),
                    (call.client.addr, call.server.addr)
                );
                assert_eq!(asked.request.readable, call.request.readable);
                let text = |call: &Call| format!("{:?}", call.request.decoded);
                assert_eq!(text(asked), text(call));
                pairs += 1;
            }
            _ => {}
        }
    }
    assert!(asked.is_empty(), "every call ends, with the capture if not before");
    pairs
}

#[test]
fn every_call_is_asked_before_it_is_answered() {
    let events = play("A:8=0; A:0=0; A:1(ctx=0)=0; A:2(cid=U1)=0->S1; A:5(S1)=0");
    assert_eq!(pairs(&events), 5);
    let kinds = events.iter().filter_map(|event| match event {
        Event::Asked(call) => Some(('?', call.rpc.n)),
        Event::Call(call) => Some(('!', call.rpc.n)),
        _ => None,
    });
    let expected: Vec<_> = (1..=5).flat_map(|n| [('?', n), ('!', n)]).collect();
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
}

#[test]
fn only_what_is_judged_is_told_of_by_itself() {
    let events = play("A:8=0; A:mgmt.0=0; interface srvsvc; B:15(stub=00000000)=stub 00000000");
    assert_eq!(pairs(&events), 1);
}

#[test]
fn a_request_that_was_lost_was_not_asked() {
    let events = play("A:8=0; lose request of A:0=0; A:1(ctx=0)=0");
    assert_eq!(pairs(&events), 2);
    let lost = events
        .iter()
        .any(|event| matches!(event, Event::Call(call) if call.outcome == Outcome::NoRequest));
    assert!(lost);
}

#[test]
fn a_request_whose_bind_was_not_seen_was_not_asked() {
    let events = play("A:8=0; capture from here; A:0=0");
    assert_eq!(pairs(&events), 0);
}

#[test]
fn fragments_and_overlapping_calls() {
    let events = play(
        "io write-read; fragment 192; A:3(S1,\\\\fs\\d)=0->C1\n\
         A:4(S1) unanswered; B:8=0; A:4=0",
    );
    assert_eq!(pairs(&events), 3);
}

#[test]
fn the_calls_of_recorded_captures_pair_up() {
    let mut total = 0;
    for path in common::committed() {
        total += pairs(&read(&path));
    }
    assert!(total > 100, "{total} calls");
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    let mut total = 0;
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "pcap") {
            total += pairs(&read(&path));
        }
    }
    assert!(total > 100, "{total} calls");
}
