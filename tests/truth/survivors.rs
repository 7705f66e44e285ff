//! What survives in a copy that lost packets, worked out from the packets of the whole capture: of
//! each call the halves whose frames are there, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use crate::common::frames::{self, Frame, Place};
use crate::common::{self, Export};

/// The capture that the copies were made from.
const WHOLE: &str = "a-ntlm-sign-smb311.pcap";

/// Octets of a frame before its SMB body: Ethernet, IPv4, TCP with time stamps, four of framing, and
/// the SMB header. Of a frame that was cut before its end there, no PDU is left.
const HEADERS: usize = 14 + 20 + 32 + 4 + 64;

/// What is left of one half of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Half {
    /// All frames, under these numbers.
    Whole(Vec<u64>),
    Gone,
}

impl Half {
    fn of(call: &Json, side: &str, places: &BTreeMap<u64, Place>) -> Self {
        let frames = call["frames"][side].as_array().expect("frames are a list");
        let place = |frame: &Json| {
            places.get(&frame.as_u64().expect("a frame is a number")).filter(|place| !place.cut)
        };
        let left: Vec<u64> = frames.iter().filter_map(place).map(|place| place.frame).collect();
        assert!(left.is_empty() || left.len() == frames.len(), "half of a half: {call}");
        if left.is_empty() { Self::Gone } else { Self::Whole(left) }
    }

    fn frames(&self) -> Json {
        match self {
            Self::Whole(frames) => frames.as_slice().into(),
            Self::Gone => Json::Array(Vec::new()),
        }
    }
}

/// What of `copy` is not what the packets left in it must show.
pub(crate) fn differences(copy: &Path, seen: &Export) -> Vec<String> {
    let whole = copy.with_file_name(WHOLE);
    let places = frames::places(&whole, copy);
    let (all, left) = (frames::read(&whole), frames::read(copy));
    assert_eq!(places.len(), left.len(), "every frame of the copy is one of the whole");
    let cut = places.values().filter(|place| place.cut);
    for place in cut {
        let index = usize::try_from(place.frame - 1).expect("a frame number");
        assert!(left[index].octets.len() < HEADERS, "frame {}", place.frame);
    }
    let mut wrong = Vec::new();
    let mut same = |what: &str, seen: &Json, expected: &Json| {
        if seen != expected {
            wrong.push(format!("{}: {what} is {seen}, not {expected}", common::file_name(copy)));
        }
    };
    let calls = common::export(&whole).calls;
    let halves = |call: &Json| ["request", "response"].map(|side| Half::of(call, side, &places));
    let survive: Vec<(&Json, [Half; 2])> = calls
        .iter()
        .map(|call| (call, halves(call)))
        .filter(|(_, [request, response])| (request, response) != (&Half::Gone, &Half::Gone))
        .collect();
    same("the number of calls", &seen.calls.len().into(), &survive.len().into());
    // Who asked for which interface is told by the client.
    let client = survive.iter().any(|(_, [request, _])| *request != Half::Gone);
    let mut touched = Vec::new();
    for ((call, [request, response]), seen) in survive.iter().zip(&seen.calls) {
        let mut same = |key: &str, expected: &Json| {
            same(&format!("call {}: {key}", seen["n"]), &seen[key], expected);
        };
        same(
            "frames",
            &serde_json::json!({
                "request": request.frames(),
                "response": response.frames(),
            }),
        );
        same("call_id", &call["call_id"]);
        same("interface", if client { &call["interface"] } else { &Json::Null });
        let (asked, answered) = (*request != Half::Gone, *response != Half::Gone);
        for key in ["opnum", "method", "request"] {
            same(key, if asked { &call[key] } else { &Json::Null });
        }
        for key in ["response", "status", "fault", "elapsed_ms"] {
            same(key, if asked && answered { &call[key] } else { &Json::Null });
        }
        same(
            "outcome",
            &match (asked, answered) {
                (true, true) => call["outcome"].clone(),
                (true, false) => "no_response".into(),
                (false, _) => "no_request".into(),
            },
        );
        // Where the capture only ends, nothing is known to be missing.
        let last = call["frames"]["response"].as_array().and_then(|f| f.last()?.as_u64());
        let later = places.keys().any(|frame| Some(*frame) > last);
        if !asked || !answered && later {
            touched.push(seen["n"].clone());
        }
    }
    let lost = &seen.summary["lost"];
    let mut numbers = lost["calls"]["numbers"].as_array().expect("a list").clone();
    numbers.sort_by_key(Json::as_u64);
    same("the calls that are touched", &numbers.into(), &touched.into());
    let (bytes, snapped) = missing(&all, &left, &places);
    same("what is lost of SMB", &lost["smb"]["bytes"], &bytes.into());
    same("what is lost in all", &lost["bytes"], &bytes.into());
    same("what is cut", &lost["smb"]["snapped_bytes"], &snapped.into());
    wrong
}

/// Octets of TCP payload that are missing between the first and the last of each direction, and
/// those that are cut off.
fn missing(all: &[Frame], left: &[Frame], places: &BTreeMap<u64, Place>) -> (u64, u64) {
    let mut lost = 0;
    for sender in [0, 1] {
        let numbered = (1..).zip(all).filter(|(_, frame)| direction(frame) == sender);
        let there: Vec<(bool, u64)> =
            numbered.map(|(n, frame)| (places.contains_key(&n), payload(frame))).collect();
        let first = there.iter().position(|(there, _)| *there);
        let last = there.iter().rposition(|(there, _)| *there);
        let between = first.zip(last).map_or(&[][..], |(first, last)| &there[first..=last]);
        lost += between.iter().filter(|(there, _)| !there).map(|(_, len)| len).sum::<u64>();
    }
    let cut = |frame: &Frame| u64::from(frame.wire_len) - frame.octets.len() as u64;
    (lost, left.iter().map(cut).sum())
}

/// Who sent a frame, by the ports: the server's is the lower.
fn direction(frame: &Frame) -> usize {
    let port = |at: usize| u16::from_be_bytes([frame.octets[at], frame.octets[at + 1]]);
    usize::from(port(34) < port(36))
}

/// Octets of TCP payload of a frame of Ethernet and IPv4.
fn payload(frame: &Frame) -> u64 {
    let total = u64::from(u16::from_be_bytes([frame.octets[16], frame.octets[17]]));
    let ip = u64::from(frame.octets[14] & 0xf) * 4;
    let tcp = u64::from(frame.octets[14 + 20 + 12] >> 4) * 4;
    total - ip - tcp
}
