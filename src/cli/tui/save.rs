//! Packets of calls, saved while the UI goes on.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::bail;
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;

use super::super::extract::{Extract, Wanted};
use super::super::input::Inputs;

/// Writes the frames of these calls, and those that they cannot be read without, to a new capture;
/// gives what was written, in a sentence.
pub(super) fn packets(
    path: &Path,
    calls: &[u64],
    inputs: &Inputs,
    registry: &Registry,
) -> anyhow::Result<String> {
    if path.exists() {
        bail!("{} is there already: name another file", path.display());
    }
    let extract = Extract::create(path, inputs.paths())?;
    let mut left: BTreeSet<u64> = calls.iter().copied().collect();
    let mut wanted = Wanted::default();
    let mut pipeline = Pipeline::keeping_setup(registry);
    let mut events = Vec::new();
    let mut capture = inputs.again();
    let mut take = |events: &mut Vec<Event>| {
        for event in events.drain(..) {
            if let Event::Call(call) = event
                && left.remove(&call.rpc.n)
            {
                wanted.add(&call);
            }
        }
        left.is_empty()
    };
    let mut done = false;
    while !done && capture.advance() {
        pipeline.frame(&capture.frame(), &mut events);
        done = take(&mut events);
    }
    if !done {
        pipeline.finish(&mut events);
        take(&mut events);
    }
    let written = extract.write(&wanted, inputs);
    if written.is_err() {
        let _ = std::fs::remove_file(path);
    }
    written
}
