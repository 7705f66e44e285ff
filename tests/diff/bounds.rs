//! What is kept of a capture does not grow with it.

use std::net::SocketAddr;

use vshark::bytes::{Guid, Time};
use vshark::diff::{Kind, Outcome, Pair, Recorder, compare};
use vshark::pipeline::{Around, Event, Negotiated, Unreached, What};
use vshark::report::diff::{Diff, Options};
use vshark::report::text::TimeStyle;
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
    let mut text = Vec::new();
    let options = Options { time: TimeStyle::Delta, width: 80 };
    let files = Pair { good: "good", bad: "bad" };
    Diff::new(&crate::REGISTRY, files, options).write(&compared, &mut text).expect("memory");
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(text.contains("GOOD has more conversations than are kept"), "{text}");
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

/// Very many who do nothing that matters leave nobody out.
#[test]
fn those_who_come_to_nothing_are_forgotten() {
    let record = |all: u32| {
        let mut recorder = Recorder::new();
        recorder.event(&event(1, refused(0xc000_0034)));
        for n in 2..all {
            let how = Unreached::Reset;
            let since = Time::from_secs(0);
            recorder.event(&event(n, What::Unreachable { how, syns: 1, since }));
            let path = "\\lab\\dfs".to_owned();
            recorder.event(&event(n + all, What::Referral { path, status: Status(0) }));
        }
        recorder.finish()
    };
    let (few, many) = (record(3), record(10_000));
    assert!(!many.full);
    assert!(many.conversations.len() <= 1024, "{}", many.conversations.len());
    assert_eq!(few.conversations.len(), 2);
    let compared = compare(Pair { good: &few, bad: &many });
    assert_eq!(compared.outcome(), Outcome::Alike);
}

/// A machine may have very many addresses.
#[test]
fn addresses_are_bounded() {
    let mut recorder = Recorder::new();
    for n in 0..6000 {
        let told = Negotiated {
            client_guid: Some(Guid::from_bytes([1; 16])),
            server_guid: Some(Guid::from_bytes([2; 16])),
            dialect: Some("3.1.1".to_owned()),
            ..Negotiated::default()
        };
        recorder.event(&event(n, What::Negotiated(Box::new(told))));
    }
    let conversations = recorder.finish().conversations.len();
    assert!((2..=1024).contains(&conversations), "{conversations}");
}

/// What is agreed is not remembered where it is no step.
#[test]
fn agreements_are_bounded() {
    let mut recorder = Recorder::new();
    for n in 0..1 << 16 {
        recorder.event(&event(1, refused(n)));
    }
    let before = format!("{recorder:?}").len();
    for n in 0..2000 {
        let path = format!("\\\\fs\\share{n}");
        recorder.event(&event(1, What::TreeConnected { path }));
    }
    let after = format!("{recorder:?}").len();
    assert!(after < before + 100, "{before}, {after}");
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
