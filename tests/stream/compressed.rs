//! The same SMB messages, compressed.

use proptest::prelude::*;

use super::compressors::{ALGORITHMS, chained, unchained};
use super::read::{read, read_watching};
use super::wire::{Trace, file};
use super::{CAPTURES, sizes};

/// How a message is sent.
#[derive(Clone, Copy, Debug)]
enum How {
    AsItIs,
    /// With an algorithm, but for the first octets.
    Unchained(u16, usize),
    Chained(u16),
}

impl How {
    fn apply(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::AsItIs => message.to_vec(),
            Self::Unchained(algorithm, offset) => {
                unchained(algorithm, message, offset.min(message.len()))
            }
            Self::Chained(algorithm) => chained(algorithm, message),
        }
    }
}

fn how() -> impl Strategy<Value = How> {
    let algorithm = || prop::sample::select(&ALGORITHMS[..]);
    prop_oneof![
        1 => Just(How::AsItIs),
        2 => (algorithm(), 0usize..200).prop_map(|(algorithm, offset)| How::Unchained(algorithm, offset)),
        2 => algorithm().prop_map(How::Chained),
    ]
}

/// SMB2 messages are sent as `hows` say in turn.
fn compressed(trace: &Trace, hows: &[How]) -> Trace {
    let mut hows = hows.iter().copied().cycle();
    trace.with_messages(|message| match message {
        [0xfe, b'S', b'M', b'B', ..] => hows.next().unwrap().apply(message),
        _ => message.to_vec(),
    })
}

#[test]
fn the_calls_are_the_same_in_the_same_frames() {
    for name in CAPTURES {
        let trace = Trace::open(name);
        let whole = read(&compressed(&trace, &[How::AsItIs]).bytes());
        assert_eq!(whole.timeless(), read(&trace.bytes()).timeless(), "{name}");
        for algorithm in ALGORITHMS {
            for how in [
                How::Unchained(algorithm, 0),
                How::Unchained(algorithm, 64),
                How::Chained(algorithm),
            ] {
                let part = read(&compressed(&trace, &[how]).bytes());
                assert_eq!(part.records(), whole.records(), "{name}, {how:?}");
                let (part, whole) = (part.summary, &whole.summary);
                assert_eq!(part.smb_messages, whole.smb_messages, "{name}, {how:?}");
                assert_eq!(part.smb_malformed, whole.smb_malformed, "{name}, {how:?}");
                assert_eq!(part.smb_compressed_unread, 0, "{name}, {how:?}");
                // SMB1 knows no compression.
                let smb2 = whole.smb_dialects.iter().any(|dialect| dialect != "1");
                let count = part.smb_compressed;
                assert_eq!(count > 20, smb2, "{name}, {how:?}: {count}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_mixture_in_any_segments_gives_the_same_calls(
        name in prop::sample::select(&CAPTURES[..]),
        hows in prop::collection::vec(how(), 1..20),
        sizes in sizes(),
    ) {
        let trace = Trace::open(name);
        let part = read(&compressed(&trace, &hows).recut(&sizes).bytes());
        let whole = read(&trace.bytes());
        prop_assert_eq!(part.unordered(), whole.unordered(), "{}", name);
        prop_assert_eq!(part.summary.smb_compressed_unread, 0);
    }
}

#[test]
fn a_stub_that_was_compressed_tells_every_frame_of_its_message() {
    let name = "e-py-fragmented.pcap";
    let trace = compressed(&Trace::open(name), &[How::Unchained(2, 0)]).recut(&[50]);
    let whole = read_watching(&file(name), None);
    let part = read_watching(&trace.bytes(), None);
    assert_eq!(part.calls.len(), whole.calls.len());
    let mut several = 0;
    for call in &part.calls {
        let request = call.rpc.request.as_ref().unwrap();
        assert!(request.pdus.iter().all(|pdu| pdu.view().pieces().all(|piece| piece.made)));
        several += usize::from(request.stub.view().frames().len() > 1);
        for frame in request.stub.view().frames() {
            assert!(request.frames.contains(&frame));
        }
    }
    assert!(several > 0, "a message was in more than one frame");
}
