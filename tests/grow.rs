//! What the benchmark makes of small captures is that many times their calls, and nothing is lost.

#[path = "common/events.rs"]
mod events;
#[path = "../benches/throughput/grow.rs"]
mod grow;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use grow::{Grown, Template, grow};
use vshark::bytes::Time;
use vshark::call::Call;
use vshark::pipeline::{Pipeline, Summary};
use vshark::protocol::Registry;

fn templates(names: &[&str]) -> Vec<Template> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    names.iter().map(|name| Template::read(&folder.join(name))).collect()
}

fn read(capture: Vec<u8>) -> (Vec<Call>, Summary) {
    let registry = Registry::embedded().expect("the dissectors load");
    let mut pipeline = Pipeline::new(&registry);
    let events = events::read(&mut events::capture(capture), &mut pipeline);
    (events::calls(events), pipeline.summary())
}

fn grown(templates: &[Template], repetitions: u64) -> (Grown, Vec<Call>, Summary) {
    let mut out = Vec::new();
    let enough = |grown: &Grown| grown.repetitions == repetitions;
    let grown = grow(templates, enough, &mut out).expect("memory has room");
    assert_eq!(grown.repetitions, repetitions);
    let (calls, summary) = read(out);
    (grown, calls, summary)
}

/// How often an operation was called and had a status.
type Told = BTreeMap<(Option<u16>, Option<u32>), u64>;

fn told(calls: &[Call], times: u64) -> Told {
    let mut told = Told::new();
    for call in calls {
        *told.entry((call.rpc.opnum, call.status)).or_default() += times;
    }
    told
}

fn check(names: &[&str], repetitions: u64) {
    let templates = templates(names);
    let n = u64::try_from(templates.len()).unwrap();
    let (once, calls, _) = grown(&templates, n);
    let (more, again, summary) = grown(&templates, n * repetitions);
    assert_eq!(more.frames, once.frames * repetitions);
    assert_eq!(more.bytes, once.bytes * repetitions);
    assert!(!calls.is_empty(), "{names:?}");
    assert_eq!(told(&again, 1), told(&calls, repetitions), "{names:?}");
    let clients: BTreeSet<_> = again.iter().map(|call| call.client.addr).collect();
    let conversations: BTreeSet<_> = calls.iter().map(|call| call.client.addr).collect();
    let times = usize::try_from(repetitions).unwrap();
    assert_eq!(clients.len(), conversations.len() * times, "each has addresses of its own");
    assert_eq!((summary.tcp.gaps, summary.tcp.conflicts), (0, 0), "{names:?}");
}

#[test]
fn dense_calls_are_repeated() {
    check(&["a-ntlm-sign-smb311.pcap", "e-py-create_fails.pcap"], 20);
}

#[test]
fn bulk_is_repeated() {
    check(&["g-bulk-same-connection-sign.pcap.gz"], 3);
}

#[test]
fn a_size_is_reached_checksums_stay_right_and_time_goes_on() {
    let mut out = Vec::new();
    let templates = templates(&["a-ntlm-sign-smb311.pcap"]);
    let grown = grow(&templates, |grown: &Grown| grown.bytes >= 9_000_000, &mut out).unwrap();
    assert!(grown.repetitions > 256 && grown.bytes >= 9_000_000 && out.len() > 9_000_000);
    let mut capture = events::capture(out);
    let (mut seen, mut last) = (0, Time::default());
    while capture.advance() {
        let frame = capture.frame();
        assert!(frame.time > last);
        last = frame.time;
        if frame.data[12..14] == [8, 0] {
            let words =
                frame.data[14..34].chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1]));
            let sum: u32 = words.sum();
            assert_eq!((sum & 0xffff) + (sum >> 16), 0xffff, "frame {}", frame.no.0);
            seen += 1;
        }
    }
    assert_eq!(seen, grown.frames);
}
