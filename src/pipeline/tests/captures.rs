//! The captures of the repository, and what the pipeline makes of a capture, for the tests of all
//! modules.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use crate::call::Call;
use crate::capture::Capture;
use crate::pipeline::{Event, Pipeline};
use crate::protocol::Registry;

/// A file in `captures/`.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name)
}

/// All captures: of FSRVP, then of SCMP, beside each of which is its truth.
pub(crate) fn all() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for (folder, least) in [("", 20), ("scmp", 50)] {
        let entries = std::fs::read_dir(file(folder)).unwrap();
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.unwrap().path())
            // Beside them are their README, their truth and their secrets.
            .filter(|path| {
                let is = |of: &str| path.extension().is_some_and(|ending| ending == of);
                ["pcap", "pcapng", "gz"].into_iter().any(is)
            })
            .collect();
        assert!(found.len() > least, "{} of {folder:?}", found.len());
        found.sort();
        paths.extend(found);
    }
    paths
}

/// A capture of the repository, opened.
pub(crate) fn open(name: &str) -> Capture {
    Capture::open(&[file(name)])
}

/// A capture that was made for a test, opened.
pub(crate) fn made(octets: Vec<u8>) -> Capture {
    Capture::from_reader("made", Box::new(Cursor::new(octets)))
}

/// Reads a capture to its end; `take` is given each event as it comes.
pub(crate) fn run(mut capture: Capture, mut pipeline: Pipeline<'_>, mut take: impl FnMut(Event)) {
    let mut events = Vec::new();
    while capture.advance() {
        pipeline.frame(&capture.frame(), &mut events);
        events.drain(..).for_each(&mut take);
    }
    pipeline.finish(&mut events);
    events.into_iter().for_each(take);
}

/// All that happens in a capture.
pub(crate) fn events(capture: Capture, registry: &Registry) -> Vec<Event> {
    let mut events = Vec::new();
    run(capture, Pipeline::new(registry), |event| events.push(event));
    events
}

/// The calls of a capture, in the order in which they end.
pub(crate) fn calls(capture: Capture, registry: &Registry) -> Vec<Call> {
    calls_of(events(capture, registry))
}

/// The calls among events.
pub(crate) fn calls_of(events: Vec<Event>) -> Vec<Call> {
    let call = |event| match event {
        Event::Call(call) => Some(*call),
        _ => None,
    };
    events.into_iter().filter_map(call).collect()
}
