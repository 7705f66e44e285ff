//! Two captures side by side: where their conversations part.

mod before;
mod beside;
mod bounds;
mod captures;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "where the captures are, and what was called in them, is all")]
mod common;
#[path = "../common/events.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod events;
mod made;
mod missing;
mod order;
mod properties;
mod screens;

use std::path::Path;
use std::sync::LazyLock;

use vshark::diff::{
    Act, Comparison, Outcome, Pair, Part, Parting, Recorder, Recording, Step, Which, compare,
};
use vshark::pipeline::Pipeline;
use vshark::protocol::Registry;
use vshark::scenario::Scenario;

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the embedded dissectors load"));

/// What happens in a capture.
fn recorded(capture: Vec<u8>) -> Recording {
    let mut recorder = Recorder::new();
    let (mut capture, mut pipeline) = (events::capture(capture), Pipeline::new(&REGISTRY));
    events::run(&mut capture, &mut pipeline, |event| recorder.event(&event));
    recorder.finish()
}

fn file(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A capture of `captures/`.
fn capture(name: &str) -> Recording {
    recorded(file(&common::captures().join(name)))
}

/// The capture of a conversation, as octets.
fn written(text: &str) -> Vec<u8> {
    let scenario = Scenario::parse("conversation", text, &REGISTRY);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut file = Vec::new();
    scenario.write(&mut file).expect("memory takes it");
    file
}

fn played(text: &str) -> Recording {
    recorded(written(text))
}

/// Compares two captures, whose conversations are one each, and gives what `of` says of them.
fn one<T>(good: &Recording, bad: &Recording, of: impl FnOnce(Option<&Comparison<'_>>) -> T) -> T {
    let compared = compare(Pair { good, bad });
    assert!(compared.comparisons.len() < 2, "{} comparisons", compared.comparisons.len());
    of(compared.comparisons.first())
}

/// A step on one line: number, method and what it returned, or what came before the calls.
fn step(of: &Comparison<'_>, which: Which, at: Option<usize>) -> String {
    let Some(step) = of.step(which, at) else { return "end".to_owned() };
    match &step.act {
        Act::Setup(setup) => {
            let end = setup.refusal.map_or("ok".to_owned(), |refusal| format!("{refusal:?}"));
            format!("{} {end}", setup.stage.word())
        }
        Act::Call(call) => {
            let method = call.method().map_or("?".to_owned(), str::to_owned);
            let end = match (call.status, call.fault) {
                (_, Some(fault)) => format!("fault 0x{fault:08x}"),
                (Some(0), _) => "0".to_owned(),
                (Some(status), _) => format!("0x{status:08x}"),
                (None, None) => call.outcome.word().to_owned(),
            };
            format!("{} {method} {end}", call.n)
        }
    }
}

/// Where they part on one line: both steps, and what they differ in.
fn place(of: &Comparison<'_>, parting: Option<&Parting>) -> String {
    let Some(parting) = parting else { return "nowhere".to_owned() };
    let [good, bad] = Which::BOTH.map(|which| step(of, which, parting.steps[which]));
    let changes: Vec<String> = parting
        .changes
        .iter()
        .map(|change| match change.part {
            Part::Outcome => "outcome".to_owned(),
            _ => format!("{} {} {}", change.name, change.values.good, change.values.bad),
        })
        .collect();
    let weight = match parting.weight.word() {
        "meaning" => "",
        _ => " (beside)",
    };
    format!("{good} | {bad} | {}{weight}", changes.join("; "))
}

/// What came of a comparison, on one line each: the outcome, the parting, the ending if there is one.
fn said(of: Option<&Comparison<'_>>) -> Vec<String> {
    let Some(of) = of else { return vec!["nothing".to_owned()] };
    let mut said = vec![of.outcome().word().to_owned()];
    if of.outcome() == Outcome::Different {
        said.push(place(of, of.parting.as_ref()));
    }
    if of.ending.is_some() {
        said.push(place(of, of.ending.as_ref()));
    }
    said
}

/// The number of the call that a step is.
fn number(step: Option<&Step>) -> Option<u64> {
    Some(step?.call()?.n)
}
