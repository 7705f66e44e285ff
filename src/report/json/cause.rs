//! The record of a cause.

use serde_json::{Value as Json, json};

use crate::check::{Cause, Circumstance, Circumstances};

/// The `cause` record.
pub fn cause(cause: &Cause) -> Json {
    let signs = cause.signs.clone().unwrap_or_default();
    let name = |opnum: &u16| {
        cause.protocol.methods().iter().find(|(n, _)| n == opnum).map(|(_, name)| *name)
    };
    let words = |of: Circumstances| of.iter().map(Circumstance::word).collect::<Vec<_>>();
    json!({
        "type": "cause",
        "id": &*cause.id,
        "title": cause.title,
        "party": cause.party.word(),
        "confidence": cause.signs.as_ref().map(|_| cause.confidence.word()),
        "stages": signs.stages.iter().map(|of| of.word()).collect::<Vec<_>>(),
        "methods": signs.opnums.iter().filter_map(name).collect::<Vec<_>>(),
        "codes": signs.codes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "when": words(signs.when),
        "unless": words(signs.unless),
        "found": signs.found,
        "over": cause.over,
        "fallback": cause.fallback,
        "beside": cause.beside,
        "explanation": cause.why,
        "remedy": cause.remedy,
        "retry": cause.retry.word(),
        "retry_note": cause.retry_note,
        "tell_apart": cause.tell_apart,
        "windows_event": cause.windows_event,
        "example": cause.example,
        "near_miss": cause.near_miss,
        "captures": cause.captures,
        "source": cause.source,
        "left_out": cause.left_out,
    })
}
