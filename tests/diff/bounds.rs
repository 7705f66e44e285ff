//! What is kept of a capture does not grow with it.

use std::net::SocketAddr;

use vshark::bytes::Time;
use vshark::diff::{Kind, Outcome, Pair, Recorder, compare};
use vshark::pipeline::{Around, Event, What};
use vshark::smb::Status;

/// Something that happens between client `n` and a server.
fn event(n: u32, what: What) -> Event {
    let [_, a, b, c] = n.to_be_bytes();
    let client = SocketAddr::from(([10, a, b, c], 50000));
    let server = SocketAddr::from(([10, 200, 0, 1], 445));
    let time = Time::from_secs(i64::from(n));
    Event::Around(Box::new(Around { time, frame: None, client, server, server_name: None, what }))
}

fn refused(status: u32) -> What {
    What::PipeRefused { name: "FssagentRpc".to_owned(), status: Status(status) }
}

fn connected() -> What {
    What::TreeConnected { path: "\\\\fs\\public".to_owned() }
}

/// Of many conversations those stay that are about shadow copies.
#[test]
fn conversations_are_bounded() {
    let mut recorder = Recorder::new();
    recorder.event(&event(1, refused(0xc000_0034)));
    for n in 2..10_000 {
        recorder.event(&event(n, connected()));
    }
    let recording = recorder.finish();
    assert!(recording.full);
    assert!(recording.conversations.len() <= 1024, "{}", recording.conversations.len());
    let ours: Vec<_> =
        recording.conversations.iter().filter(|of| of.kind == Kind::ShadowCopies).collect();
    assert_eq!(ours.len(), 1);
    // Nobody knows what the others were.
    let compared = compare(Pair { good: &recording, bad: &recording });
    assert_eq!(compared.outcome(), Outcome::Undecided);
    // Where all are about shadow copies the first stay.
    let mut recorder = Recorder::new();
    for n in 0..2000 {
        recorder.event(&event(n, refused(0xc000_0034)));
    }
    let recording = recorder.finish();
    assert!(recording.full);
    assert_eq!(recording.conversations.len(), 1024);
    assert_eq!(recording.conversations[0].client.ip.to_string(), "10.0.0.0");
}

#[test]
fn steps_are_bounded() {
    let record = |last: u32| {
        let mut recorder = Recorder::new();
        for n in 0..70_000 {
            recorder.event(&event(1, refused(n)));
        }
        recorder.event(&event(1, refused(last)));
        recorder.finish()
    };
    let (good, bad) = (record(1), record(2));
    let conversation = &good.conversations[0];
    assert_eq!(conversation.steps.len(), 1 << 16);
    assert_eq!(conversation.beyond, 70_001 - (1 << 16));
    // What was not kept was not compared.
    let compared = compare(Pair { good: &good, bad: &bad });
    assert_eq!(compared.outcome(), Outcome::Undecided);
}

/// What comes again and again is one step.
#[test]
fn repetitions_are_one_step() {
    let mut recorder = Recorder::new();
    for _ in 0..1000 {
        recorder.event(&event(1, refused(0xc000_0034)));
    }
    let recording = recorder.finish();
    let [step] = &*recording.conversations[0].steps else { panic!("one step") };
    assert_eq!(step.repeated, 999);
}

/// Names are kept in part.
#[test]
fn names_are_bounded() {
    let mut recorder = Recorder::new();
    let user = Some("é".repeat(100_000));
    let status = Status(0xc000_006d);
    recorder.event(&event(1, What::LogonRefused { user, status }));
    let recording = recorder.finish();
    let text = format!("{:?}", recording.conversations[0].steps[0]);
    assert!(text.len() < 2000, "{}", text.len());
}
