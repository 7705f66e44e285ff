//! Reading back: the calls of a scenario against the calls of its capture.

use std::sync::LazyLock;

use serde_json::Value as Json;
use vshark::call::{Call, Readable};
use vshark::ndr::Value;
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::report::value;
use vshark::scenario::{Answered, Scenario, Written};

use super::events;

pub(crate) static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the embedded dissectors load"));

/// The capture of a scenario.
pub(crate) fn capture(scenario: &Scenario) -> Vec<u8> {
    let mut file = Vec::new();
    scenario.write(&mut file).expect("memory takes it");
    file
}

/// The calls of a capture, by their numbers.
pub(crate) fn calls(file: Vec<u8>) -> Vec<Call> {
    let mut capture = events::capture(file);
    let events = events::read(&mut capture, &mut Pipeline::new(&REGISTRY));
    assert!(capture.problems().is_empty(), "a capture made here can be read");
    calls_of(events)
}

/// Those among events, by their numbers.
pub(crate) fn calls_of(events: Vec<Event>) -> Vec<Call> {
    let mut calls = events::calls(events);
    calls.sort_by_key(|call| call.rpc.n);
    calls
}

/// Parses a scenario, writes its capture, reads it, and says what differs.
pub(crate) fn check(text: &str) -> Result<usize, String> {
    let scenario = Scenario::parse("scenario", text, &REGISTRY).map_err(|e| e.to_string())?;
    let written = scenario.calls();
    let seen = calls(capture(&scenario));
    compare(&written, &seen)?;
    Ok(seen.len())
}

fn compare(written: &[Written], seen: &[Call]) -> Result<(), String> {
    if written.len() != seen.len() {
        return Err(format!("{} calls were written, {} read", written.len(), seen.len()));
    }
    for (n, (written, seen)) in written.iter().zip(seen).enumerate() {
        one(written, seen).map_err(|wrong| format!("call {}: {wrong}", n + 1))?;
    }
    // No two clients have the same address.
    for (a, one) in written.iter().zip(seen) {
        let taken = |(b, other): &(&Written, &Call)| {
            one.client.addr.ip() == other.client.addr.ip() && a.client_number != b.client_number
        };
        if let Some((b, _)) = written.iter().zip(seen).find(taken) {
            return Err(format!("{} and {} by {}", a.client, b.client, one.client.addr));
        }
    }
    Ok(())
}

fn one(written: &Written, seen: &Call) -> Result<(), String> {
    let interface = seen.interface.as_ref().map(|interface| interface.uuid);
    same("interface", &Some(written.interface.uuid), &interface)?;
    same("opnum", &Some(written.opnum), &seen.rpc.opnum)?;
    let fault = match &written.answer {
        Some(Answered::Fault(status)) => Some(*status),
        _ => None,
    };
    same("fault", &fault, &seen.fault())?;
    same("answered", &written.answer.is_some(), &seen.rpc.response.is_some())?;
    if written.sealed {
        same("request", &Readable::Sealed, &seen.request.readable)?;
        return Ok(());
    }
    if let Some(arguments) = &written.request {
        same("request", &Readable::Clear, &seen.request.readable)?;
        let decoded = seen.request.decoded.as_ref().ok_or("the request is not decoded")?;
        same("arguments", &values(&arguments.params), &values(&decoded.params))?;
        same("notes", &Vec::new(), &decoded.notes)?;
    }
    if let Some(Answered::Results(results)) = &written.answer {
        same("response", &Readable::Clear, &seen.response.readable)?;
        let decoded = seen.response.decoded.as_ref().ok_or("the response is not decoded")?;
        same("results", &values(&results.params), &values(&decoded.params))?;
        // The management interface has its status among the results.
        let among = results.params.iter().find(|(name, _)| &**name == "status");
        let status = results.ret.as_ref().or(among.map(|(_, value)| value));
        let status = status.and_then(Value::as_u32);
        same("status", &status, &seen.status)?;
        same("notes", &Vec::new(), &decoded.notes)?;
    }
    Ok(())
}

pub(crate) fn values(params: &[(std::sync::Arc<str>, Value)]) -> Vec<(String, Json)> {
    params.iter().map(|(name, of)| (name.to_string(), value::json(of))).collect()
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, written: &T, seen: &T) -> Result<(), String> {
    if written == seen {
        return Ok(());
    }
    Err(format!("{what}: written {written:?}, read {seen:?}"))
}
