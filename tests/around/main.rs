//! The events beside the calls: requests that are complete, and what happens around.

mod asked;
#[path = "../common/mod.rs"]
mod common;

use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::LazyLock;

use vshark::capture::Capture;
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::scenario::Scenario;

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the embedded dissectors load"));

/// The events of the capture of a scenario.
fn play(text: &str) -> Vec<Event> {
    let scenario = Scenario::parse("scenario", text, &REGISTRY).expect("a scenario");
    let mut file = Vec::new();
    scenario.write(&mut file).expect("memory takes it");
    events(Box::new(Cursor::new(file)))
}

/// The events of a capture.
fn read(path: &Path) -> Vec<Event> {
    events(Box::new(std::fs::File::open(path).expect("the capture is there")))
}

fn events(from: Box<dyn Read + Send>) -> Vec<Event> {
    let mut capture = Capture::from_reader("t", from);
    let mut pipeline = Pipeline::new(&REGISTRY);
    let mut events = Vec::new();
    while capture.advance() {
        pipeline.frame(&capture.frame(), &mut events);
    }
    pipeline.finish(&mut events);
    events
}
