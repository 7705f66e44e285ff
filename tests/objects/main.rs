//! The judge of \[MS-SCMP\] against conversations that nobody wrote: a server of objects and clients
//! that break no rule, faults seeded into what they say, and captures that were damaged afterwards.
//!
//! `VSHARK_SEED=n` prints the conversation of a seed; `VSHARK_COUNT=n` says how many the tests take.

#[path = "../judge/dice.rs"]
mod dice;
#[path = "../common/events.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod events;
mod faults;
mod innocent;
#[path = "../judge/packets.rs"]
mod packets;
mod recall;
mod soundness;
mod talk;
#[path = "../judge/trial.rs"]
mod trial;
mod world;

use vshark::scenario::Scenario;

use talk::Talk;
use trial::REGISTRY;

fn number_of(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seeds of a test: that of `VSHARK_SEED`, or as many as usual.
fn seeds(usual: u64) -> Vec<u64> {
    match number_of("VSHARK_SEED") {
        Some(seed) => vec![seed],
        None => (0..number_of("VSHARK_COUNT").unwrap_or(usual)).collect(),
    }
}

fn is_shown() -> bool {
    number_of("VSHARK_SEED").is_some()
}

/// The capture of a conversation.
fn capture(talk: &Talk) -> Vec<u8> {
    let text = talk.text();
    let scenario = Scenario::parse("talk", &text, &REGISTRY);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut file = Vec::new();
    scenario.write(&mut file).expect("memory takes it");
    file
}
