//! Captures of conversations, and what is read in them.

use vshark::call::{Call, Readable};
use vshark::pipeline::Event;
use vshark::scenario::Scenario;

use crate::talk::{Out, Step, Talk};
pub(crate) use crate::trial::{REGISTRY, events};

/// The capture of a conversation.
pub(crate) fn capture(talk: &Talk) -> Result<Vec<u8>, String> {
    let text = talk.text();
    let scenario = Scenario::parse("talk", &text, &REGISTRY).map_err(|error| error.to_string())?;
    let mut file = Vec::new();
    scenario.write(&mut file).map_err(|error| error.to_string())?;
    Ok(file)
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
    for (n, seen_) in asked.iter().zip(&seen) {
        one(talk, *n, seen_).map_err(|wrong| format!("call {}: {wrong}", n + 1))?;
        // The two clocks, in milliseconds: the margins of the clients rest on this.
        let passed = seen_.time.since(seen[0].time) / 1_000_000;
        let meant = i64::try_from(talk.calls[*n].at - talk.calls[asked[0]].at).unwrap();
        if (passed - meant).abs() > 4_000 {
            return Err(format!("call {}: after {passed} ms instead of {meant}", n + 1));
        }
    }
    Ok(seen.len())
}

fn one(talk: &Talk, n: usize, seen: &Call) -> Result<(), String> {
    let written = &talk.calls[n];
    let client = &talk.clients[written.who];
    same("opnum", &Some(written.ask.opnum()), &seen.rpc.opnum)?;
    same("client", &client.address, &seen.client.addr.ip().to_string())?;
    // A conversation that ends while a call runs has its reply, and nobody hears it.
    let heard = talk.steps.iter().any(|step| *step == Step::Call(n) || *step == Step::Answer(n));
    let reply = written.reply.as_ref().filter(|_| heard);
    same("answered", &reply.is_some(), &seen.rpc.response.is_some())?;
    same("sealed", &client.sealed, &(seen.request.readable == Readable::Sealed))?;
    let Some(reply) = reply.filter(|_| !client.sealed) else { return Ok(()) };
    match reply.out {
        Out::Fault => same("fault", &Some(reply.status), &seen.fault()),
        Out::Octets => Ok(()),
        _ => same("status", &Some(reply.status), &seen.status),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, written: &T, seen: &T) -> Result<(), String> {
    if written == seen { Ok(()) } else { Err(format!("{what}: {written:?} became {seen:?}")) }
}
