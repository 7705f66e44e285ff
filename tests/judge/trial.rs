//! A capture, or a conversation written as text, before the judge.

use std::sync::{Arc, LazyLock};

use vshark::check::{Finding, Judge, Knowledge, Options};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::scenario::Scenario;
use vshark::security::keys::Keyring;

use super::events;

pub(crate) static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the embedded dissectors load"));

pub(crate) static KNOWLEDGE: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::load(&[]).expect("the rules can be read"));

/// Everything that happens in a capture.
pub(crate) fn events(file: Vec<u8>) -> Vec<Event> {
    opened(file, Keyring::default())
}

/// The same, with what opens it.
fn opened(file: Vec<u8>, keys: Keyring) -> Vec<Event> {
    let mut pipeline = Pipeline::new(&REGISTRY).with_keys(Arc::new(keys));
    events::read(&mut events::capture(file), &mut pipeline)
}

/// A judge who has seen a whole capture, whose clocks may differ by so many nanoseconds.
pub(crate) fn tried(capture: &[u8], options: Options, clock_error: i64) -> Judge<'static> {
    judged(events(capture.to_vec()), options, clock_error)
}

fn judged(events: Vec<Event>, options: Options, clock_error: i64) -> Judge<'static> {
    let mut judge = Judge::new(&KNOWLEDGE, options);
    judge.allow(clock_error);
    for event in events {
        judge.event(&event);
    }
    judge.finish();
    judge
}

/// What is found in a conversation, with the secrets that it tells. Its capture begins when the server has nothing to do, unless the
/// text says otherwise.
pub(crate) fn played(
    text: &str,
    profile: &str,
    all_clients: bool,
    clock_error: i64,
) -> Vec<Finding> {
    let scenario = Scenario::parse("conversation", text, &REGISTRY);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut capture = Vec::new();
    scenario.write(&mut capture).expect("memory takes it");
    let choice = KNOWLEDGE.choose(profile).expect("the profile is known");
    let options = Options { choice, all_clients, idle_start: scenario.starts_idle() };
    judged(opened(capture, scenario.keyring()), options, clock_error).take_findings()
}

/// Whether a finding is about a rule, alone or beside others.
pub(crate) fn names(finding: &Finding, rule: &str) -> bool {
    &*finding.rule == rule || finding.also.iter().any(|also| &**also == rule)
}
