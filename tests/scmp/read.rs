//! What vshark says of a capture: the records of `vshark calls --json`, and beside each what the
//! library knows of that call and no record tells.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use vshark::bytes::Order;
use vshark::call::Call;
use vshark::capture::Capture;
use vshark::ndr::Data;
use vshark::pipeline::{Around, BindAnswer, Event, Pipeline, What};
use vshark::protocol::Registry;
use vshark::rpc::Message;
use vshark::security::keys::Keyring;

use super::events;

/// What was said of a capture.
pub(crate) struct Said {
    /// The `call` records in the order of their numbers, each with `wire`.
    pub(crate) calls: Vec<Json>,
    /// Whether there were secrets.
    pub(crate) opened: bool,
    /// What became of each interface that was asked for.
    pub(crate) bindings: Vec<Json>,
}

pub(crate) fn read(path: &Path) -> Said {
    read_with(path, &Keys::default())
}

/// The secrets of a capture: as a file, and as the library takes them.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) file: Option<PathBuf>,
    pub(crate) ring: Arc<Keyring>,
}

/// The same with secrets.
pub(crate) fn read_with(path: &Path, keys: &Keys) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_vshark"))
        .args(["calls", "--json"])
        .args(keys.file.iter().flat_map(|file| ["--keys".as_ref(), file.as_os_str()]))
        .arg(path)
        .output()
        .expect("vshark runs");
    let text = String::from_utf8(output.stdout).expect("vshark writes UTF-8");
    let mut calls: Vec<Json> =
        text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect();
    calls.sort_by_key(|call| call["n"].as_u64());
    let registry = Registry::embedded().expect("it is well");
    let mut pipeline = Pipeline::tracing(&registry).with_keys(Arc::clone(&keys.ring));
    let mut capture = Capture::open(&[path.to_owned()]);
    let mut bindings = Vec::new();
    for event in events::read(&mut capture, &mut pipeline) {
        match event {
            Event::Call(call) => {
                let at = usize::try_from(call.rpc.n).expect("there are few") - 1;
                extend(&mut calls[at], &call);
            }
            Event::Around(around) => bindings.extend(binding(&around, &registry)),
            Event::Asked(_) | Event::Unit(_) => {}
        }
    }
    Said { calls, opened: keys.file.is_some(), bindings }
}

fn order(message: &Message) -> &'static str {
    match message.order {
        Order::Little => "little-endian",
        Order::Big => "big-endian",
    }
}

/// Puts `wire` into a record, and into a fault whether the call was executed.
fn extend(record: &mut Json, call: &Call) {
    /// `PFC_DID_NOT_EXECUTE`, [C706] 12.6.3.1
    const DID_NOT_EXECUTE: u8 = 0x20;
    let message = |message: Option<&Message>| {
        message.map(|message| {
            let pdus: Vec<_> = message.pdus.iter().map(|pdu| pdu.view().bytes().to_vec()).collect();
            assert_eq!(pdus.len(), usize::try_from(message.fragments).unwrap(), "all are kept");
            json!({ "fragments": message.fragments, "order": order(message) })
        })
    };
    let decoded = call.response.decoded.as_ref();
    let rgelt =
        decoded.and_then(|decoded| decoded.params.iter().find(|(name, _)| &**name == "rgelt"));
    let counts = rgelt.map(|(_, value)| match &value.target().data {
        Data::List(list) => {
            json!({ "max": list.counts.max.map(|c| c.0), "actual": list.counts.actual.map(|c| c.0) })
        }
        other => panic!("rgelt is {other:?}"),
    });
    record["wire"] = json!({
        "context_id": call.rpc.context_id,
        "request": message(call.rpc.request.as_ref()),
        "response": message(call.rpc.response.as_ref()),
        "rgelt": counts,
    });
    if call.fault().is_some() {
        let pdu = call.rpc.response.as_ref().and_then(|message| message.pdus.first());
        let flags = pdu.expect("it is kept").view().bytes()[3];
        record["fault"]["did_not_execute"] = json!(flags & DID_NOT_EXECUTE != 0);
    }
}

fn binding(around: &Around, registry: &Registry) -> Option<Json> {
    let What::Bound(bound) = &around.what else { return None };
    let syntax = bound.interface.expect("binds are seen");
    let known = registry.interface(syntax.uuid, syntax.major);
    Some(json!({
        "client_port": around.client.port(),
        "server_port": around.server.port(),
        "interface": known.map(|interface| interface.name.to_string()),
        "iid": syntax.uuid.to_string(),
        "version": format!("{}.{}", syntax.major, syntax.minor),
        "auth_type": match bound.auth.auth_type { 0 => json!("none"), 10 => json!("ntlm"), n => json!(n) },
        "auth_level": match bound.auth.level {
            1 => json!("none"),
            2 => json!("connect"),
            5 => json!("integrity"),
            6 => json!("privacy"),
            n => json!(n),
        },
        "answer": match bound.answer {
            BindAnswer::Accepted => "acceptance".to_owned(),
            // p_result_t and p_provider_reason_t, [C706] 12.6.3.1
            BindAnswer::Refused(2, 1) => "provider_rejection: abstract_syntax_not_supported".to_owned(),
            BindAnswer::Nak(reason) => format!("bind_nak reason {reason}"),
            other => format!("{other:?}"),
        },
    }))
}
