//! Captures of conversations, and what is read in them.

use std::io::Cursor;
use std::sync::LazyLock;

use vshark::call::{Call, Readable};
use vshark::capture::Capture;
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::scenario::Scenario;

use crate::talk::{Out, Talk};

pub(crate) static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the embedded dissectors load"));

/// The capture of a conversation.
pub(crate) fn capture(talk: &Talk) -> Result<Vec<u8>, String> {
    let text = talk.text();
    let scenario = Scenario::parse("talk", &text, &REGISTRY).map_err(|error| error.to_string())?;
    let mut file = Vec::new();
    scenario.write(&mut file).map_err(|error| error.to_string())?;
    Ok(file)
}

/// Everything that happens in a capture.
pub(crate) fn events(file: Vec<u8>) -> Vec<Event> {
    let mut capture = Capture::from_reader("made", Box::new(Cursor::new(file)));
    let mut pipeline = Pipeline::new(&REGISTRY);
    let mut events = Vec::new();
    while capture.advance() {
        pipeline.frame(&capture.frame(), &mut events);
    }
    pipeline.finish(&mut events);
    events
}

/// The calls of a capture, by their numbers.
pub(crate) fn calls(file: Vec<u8>) -> Vec<Call> {
    let of = |event| match event {
        Event::Call(call) => Some(*call),
        _ => None,
    };
    let mut calls: Vec<Call> = events(file).into_iter().filter_map(of).collect();
    calls.sort_by_key(|call| call.rpc.n);
    calls
}

/// Writes the capture of a conversation, reads it, and says what differs; or how many calls it has.
pub(crate) fn back(talk: &Talk) -> Result<usize, String> {
    let seen = calls(capture(talk)?);
    let asked = talk.asked();
    if asked.len() != seen.len() {
        return Err(format!("{} calls were made, {} read", asked.len(), seen.len()));
    }
    let first = seen.first().map(|call| call.time);
    for (n, (written, seen)) in
        asked.iter().map(|n| (*n, &talk.calls[*n])).zip(&seen).map(|((n, w), s)| (n, (w, s)))
    {
        let wrong = |what: &str| Err(format!("call {}: {what}", n + 1));
        if seen.rpc.opnum != Some(written.ask.opnum()) {
            return wrong("another opnum");
        }
        if seen.client.addr.ip().to_string() != talk.clients[written.who].address {
            return wrong("another client");
        }
        // A conversation that ends while a call runs has its reply, and nobody hears it.
        let ends = written.reply.is_some()
            && (talk.steps.contains(&crate::talk::Step::Call(n))
                || talk.steps.contains(&crate::talk::Step::Answer(n)));
        if seen.rpc.response.is_some() != ends {
            return wrong("answered, or not");
        }
        let sealed = talk.clients[written.who].sealed;
        if (seen.request.readable == Readable::Sealed) != sealed {
            return wrong("sealed, or not");
        }
        match &written.reply {
            Some(reply)
                if ends && !sealed && reply.out != Out::Fault && reply.out != Out::Octets =>
            {
                if seen.status != Some(reply.status) {
                    return wrong(&format!("{:#x} became {:x?}", reply.status, seen.status));
                }
            }
            _ => {}
        }
        // The two clocks, in milliseconds: the margins of the clients rest on this.
        let at = i64::try_from(written.at - talk.calls[asked[0]].at).unwrap();
        let apart = first.map_or(0, |first| seen.time.since(first) / 1_000_000 - at);
        if apart.abs() > 4_000 {
            return wrong(&format!("{apart} ms late"));
        }
    }
    Ok(seen.len())
}
