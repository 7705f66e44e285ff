//! What counts and what does not, and what was expected.

use serde_json::{Value as Json, json};

use super::super::gate::Gated;
use crate::gate::{Expectation, Ruling};

/// The `expectation` record.
pub fn expectation(of: &Expectation) -> Json {
    let calls = of.call.into_iter().chain(of.related.iter().map(|related| related.call));
    json!({
        "type": "expectation",
        "name": of.name,
        "rule": &*of.id,
        "about": of.about.word(),
        "severity": of.severity.word(),
        "line": of.line,
        "result": of.ruling.word(),
        "why": of.why,
        "calls": calls.collect::<Vec<_>>(),
        "fingerprint": of.fingerprint(),
    })
}

/// What the `summary` record says of it.
pub(super) fn gate(of: &Gated<'_>) -> Json {
    let allowed = of.gate.allowed.entries().map(|(id, found)| json!({ "id": id, "found": found }));
    let baseline = of.gate.baseline.as_ref().map(|known| {
        let absent = known
            .absent()
            .map(|(fingerprint, times)| json!({ "fingerprint": fingerprint, "count": times }));
        json!({
            "known": of.gate.known(),
            "new": of.gate.new_ones(),
            "absent": absent.collect::<Vec<_>>(),
        })
    });
    let expectations = of.expectations.map(|_| {
        json!({
            "met": of.ruled(Ruling::Met),
            "broken": of.ruled(Ruling::Broken),
            "unchecked": of.ruled(Ruling::Unchecked),
        })
    });
    json!({
        "allowed": allowed.collect::<Vec<_>>(),
        "baseline": baseline,
        "expectations": expectations,
    })
}
