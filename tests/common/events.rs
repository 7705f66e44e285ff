//! What the pipeline makes of a capture.

use std::io::Cursor;

use vshark::call::Call;
use vshark::capture::Capture;
use vshark::pipeline::{Event, Pipeline};

/// A capture that is in memory, opened.
pub(crate) fn capture(octets: impl Into<Vec<u8>>) -> Capture {
    Capture::from_reader("made", Box::new(Cursor::new(octets.into())))
}

/// Reads a capture to its end; `take` is given each event as it comes.
pub(crate) fn run(capture: &mut Capture, pipeline: &mut Pipeline<'_>, mut take: impl FnMut(Event)) {
    let mut events = Vec::new();
    while capture.advance() {
        pipeline.frame(&capture.frame(), &mut events);
        events.drain(..).for_each(&mut take);
    }
    pipeline.finish(&mut events);
    events.into_iter().for_each(take);
}

/// All that happens in a capture.
pub(crate) fn read(capture: &mut Capture, pipeline: &mut Pipeline<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    run(capture, pipeline, |event| events.push(event));
    events
}

/// The calls among events, in the order in which they end.
pub(crate) fn calls(events: impl IntoIterator<Item = Event>) -> Vec<Call> {
    let call = |event| match event {
        Event::Call(call) => Some(*call),
        _ => None,
    };
    events.into_iter().filter_map(call).collect()
}
