//! What signatures are worth; what stays sealed and what it would take.

use serde_json::{Map, Value as Json, json};

use crate::call::Call;
use crate::pipeline::Summary;
use crate::rpc::Message;
use crate::security::{Need, Verdict};

/// `signature` of a `call` record.
pub(super) fn of_call(call: &Call) -> Json {
    let of = |message: Option<&Message>| json!(message.and_then(|m| m.verdict).map(Verdict::name));
    json!({ "request": of(call.rpc.request.as_ref()), "response": of(call.rpc.response.as_ref()) })
}

/// `rpc.signatures` of the `summary` record.
pub(super) fn signatures(summary: &Summary) -> Json {
    let of = |verdict| summary.rpc.signatures.get(&verdict).copied().unwrap_or_default();
    json!({
        "verified": of(Verdict::Verified),
        "bad": of(Verdict::BadSignature),
        "not_verifiable": of(Verdict::NotVerifiable),
    })
}

/// `sealed` of the `summary` record.
pub(super) fn closed(summary: &Summary) -> Json {
    let sessions = summary.smb_closed.iter().map(|closed| {
        let mut record = need(&closed.need);
        record.insert("server".to_owned(), json!(closed.server.to_string()));
        record.insert("session_id".to_owned(), json!(format!("0x{:016x}", closed.session_id)));
        record.insert("messages".to_owned(), json!(closed.messages));
        if closed.need.user.is_none() {
            record.insert("user".to_owned(), json!(closed.user));
        }
        Json::Object(record)
    });
    let pdus = summary.rpc.closed.iter().map(|closed| {
        let mut record = need(&closed.need);
        record.insert("sealed".to_owned(), json!(closed.sealed));
        record.insert("pdus".to_owned(), json!(closed.pdus));
        record.insert("first_frame".to_owned(), json!(closed.first.map(|frame| frame.0)));
        Json::Object(record)
    });
    json!({ "smb": sessions.collect::<Vec<_>>(), "rpc": pdus.collect::<Vec<_>>() })
}

fn need(need: &Need) -> Map<String, Json> {
    let Need { user, service, etype, kvno, needs, tried } = need;
    [
        ("user", json!(user)),
        ("service", json!(service)),
        ("etype", json!(etype)),
        ("kvno", json!(kvno)),
        ("needs", json!(needs)),
        ("tried", json!(tried)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}
