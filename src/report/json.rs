//! The JSON records: the one place where they are made.
//!
//! Keys are stable and never carry data; `schema.json` beside this file describes every record
//! and real output is tested against it. [`line()`] writes a record.

mod cause;
mod closed;
mod diff;
mod gate;
mod judged;
mod objects;
mod packet;
mod smb;

use std::io;
use std::sync::Arc;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value as Json, json};

use super::value::fields;
use crate::bytes::{FrameNo, Time, first_invisible, millionths};
use crate::call::{Call, Outcome, Party, Stub, Transport};
use crate::capture::{CaptureFile, Origins};
use crate::check::Rule;
use crate::ndr::Value;
use crate::pipeline::{Lost, Pdus, Summary};
use crate::protocol::{Grade, Registry};
use crate::rpc::names::{FAULTS, name};
use crate::rpc::{Auth, Message, SyntaxId, Transfer};
use crate::security::Mechanism;
use crate::skew::Skew;
pub use cause::cause;
pub use diff::diffs;
pub use gate::expectation;
pub use judged::{Judged, finding, tally};
pub use packet::{Packet, packet};

/// Version of the records' form.
pub const SCHEMA: u32 = 1;

/// [JSON Schema](https://json-schema.org/draft/2020-12/schema) of the records.
pub const JSON_SCHEMA: &str = include_str!("schema.json");

/// A record as it is written: one line, without its end.
///
/// What a terminal would act on is escaped, so that text from a packet does no harm where records
/// are looked at; who parses them gets the text as it was.
pub fn line(record: &Json) -> String {
    let mut line = Vec::new();
    // Neither a value of JSON nor a growing buffer refuses to be written.
    let _ = record.serialize(&mut Serializer::with_formatter(&mut line, Visible));
    String::from_utf8(line).unwrap_or_default()
}

/// Compact, with every invisible character escaped, not only those below U+0020.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        while let Some(at) = first_invisible(rest) {
            let (plain, from) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let mut chars = from.chars();
            if let Some(c) = chars.next() {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

/// The `rule` record: what the page of a rule says.
pub fn rule(rule: &Rule) -> Json {
    let (document, section) = rule.section();
    json!({
        "type": "rule",
        "id": &*rule.id,
        "document": document,
        "section": section,
        "party": rule.party.word(),
        "severity": rule.severity.word(),
        "observable": rule.observable.word(),
        "needs": rule.needs.words(),
        "checked": rule.is_checked(),
        "statement": rule.statement,
        "check": (!rule.check.is_empty()).then_some(&rule.check),
        "why": rule.why,
        "counterexample": rule.counterexample,
        "near_miss": rule.near_miss,
        "left_out": rule.left_out,
        "corrected": rule.corrected,
    })
}

/// The `capture` record. Counts are null where the input has not been read to its end. `skews` has
/// an entry for each file, or none at all where clocks were not compared.
pub fn capture(files: &[CaptureFile], skews: &[Option<Skew>], whole: bool) -> Json {
    json!({
        "type": "capture",
        "schema": SCHEMA,
        "version": env!("CARGO_PKG_VERSION"),
        "files": capture_files(files, skews, whole),
    })
}

fn capture_files(files: &[CaptureFile], skews: &[Option<Skew>], whole: bool) -> Json {
    let skew = |at: usize| {
        let Some(skew) = skews.get(at).copied().flatten() else { return Json::Null };
        json!({
            "of": files.get(skew.of).map(|file| &file.name),
            "ms": milliseconds(skew.ahead),
            "uncertainty_ms": milliseconds(skew.uncertainty),
            "packets": skew.packets,
            "both_ways": skew.both_ways,
        })
    };
    files.iter().enumerate().map(|(at, file)| capture_file(file, &skew(at), whole)).collect()
}

fn capture_file(file: &CaptureFile, skew: &Json, whole: bool) -> Json {
    let time = |pick: fn((Time, Time)) -> Time| file.times.map(pick).map(|time| time.to_string());
    json!({
        "name": file.name,
        "format": file.format,
        "compression": file.compression,
        "link_types": file.links.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "first_time": time(|(first, _)| first),
        "last_time": time(|(_, last)| last).filter(|_| whole),
        "skew": skew,
        "frames": whole.then_some(file.frames),
        "comments": file.comments,
        "blocks": file
            .blocks
            .iter()
            .map(|(kind, count)| json!({ "what": kind.to_string(), "count": count }))
            .collect::<Vec<_>>(),
        "skipped": file
            .skipped
            .iter()
            .map(|skipped| json!({ "what": skipped.what.to_string(), "count": skipped.count }))
            .collect::<Vec<_>>(),
        "problems": whole.then_some(file.problems),
    })
}

/// What is needed to write `call` records.
#[derive(Debug)]
pub struct Writer<'r> {
    /// Names of statuses.
    pub registry: &'r Registry,
    /// Names of the inputs.
    pub files: Vec<String>,
}

impl Writer<'_> {
    /// The `call` record; `origins` says where each frame came from, if there are several inputs,
    /// and `rules` are those found broken at it so far, if it was judged.
    pub fn call(&self, call: &Call, origins: &Origins, rules: Option<&[Arc<str>]>) -> Json {
        let rpc = &call.rpc;
        let mut record = Map::new();
        let mut put = |key: &str, value: Json| record.insert(key.to_owned(), value);
        put("type", json!("call"));
        put("n", json!(rpc.n));
        put("frames", both(call, frames));
        if self.files.len() > 1 {
            put("files", both(call, |message| self.in_files(message, origins)));
        }
        put("time", json!(call.time.to_string()));
        put("elapsed_ms", call.elapsed.map_or(Json::Null, milliseconds));
        put("client", party(&call.client));
        put("server", party(&call.server));
        put("transport", json!(transport_word(call)));
        put("pipe", json!(call.pipe().and_then(|pipe| pipe.name.as_deref())));
        put("smb", smb(call));
        put("auth", auth(&rpc.auth));
        put("signature", closed::of_call(call));
        put(
            "stub",
            json!({
                "request": call.request.readable.word(),
                "response": call.response.readable.word(),
            }),
        );
        put(
            "stub_bytes",
            json!({
                "request": call.request.bytes,
                "response": call.response.bytes,
            }),
        );
        put("syntax", json!(syntax_word(call)));
        put("interface", interface(call));
        put("object", json!(rpc.object.map(|object| object.to_string())));
        put("orpc", orpc(call));
        put("opnum", json!(rpc.opnum));
        put("method", json!(call.method()));
        put("call_id", json!(rpc.call_id));
        put("request", arguments(&call.request));
        put("response", arguments(&call.response));
        put("status", self.status(call));
        put("fault", fault(call.fault()));
        put("outcome", json!(call.outcome.word()));
        put("grade", json!(grade_word(call)));
        put("findings", rules.map_or(Json::Null, judged::ids));
        Json::Object(record)
    }

    fn status(&self, call: &Call) -> Json {
        let Some(status) = call.status else { return Json::Null };
        let name = self.registry.status_name(call.interface.as_deref(), status);
        json!({ "value": format!("0x{status:08x}"), "name": name })
    }

    fn in_files(&self, message: &Message, origins: &Origins) -> Json {
        let origin = |frame: &FrameNo| {
            let (file, no) = origins.of(*frame)?;
            Some(json!([self.files.get(file)?, no]))
        };
        message.frames.iter().filter_map(origin).collect()
    }
}

fn both(call: &Call, of: impl Fn(&Message) -> Json) -> Json {
    let side = |message: Option<&Message>| message.map_or_else(|| json!([]), &of);
    json!({
        "request": side(call.rpc.request.as_ref()),
        "response": side(call.rpc.response.as_ref()),
    })
}

fn frames(message: &Message) -> Json {
    message.frames.iter().map(|frame| frame.0).collect()
}

/// Nanoseconds in milliseconds: six decimals are exact up to 2^53 ns, which is 104 days.
fn milliseconds(nanos: i64) -> Json {
    millionths(nanos).parse::<f64>().map_or(Json::Null, |ms| json!(ms))
}

fn party(party: &Party) -> Json {
    json!({ "ip": party.addr.ip().to_string(), "port": party.addr.port(), "name": party.name })
}

fn smb(call: &Call) -> Json {
    call.pipe().map_or(Json::Null, |pipe| {
        json!({
            "dialect": pipe.dialect,
            "session_id": format!("0x{:016x}", pipe.session_id),
            "tree_id": pipe.tree_id,
            "file_id": pipe.file_id,
            "encrypted": pipe.encrypted,
            "signed": pipe.signed,
            "user": pipe.user,
        })
    })
}

/// The word for what carried a call.
pub fn transport_word(call: &Call) -> &'static str {
    match call.transport {
        Transport::NamedPipe(_) => "ncacn_np",
        Transport::Tcp => "ncacn_ip_tcp",
    }
}

/// The word for the transfer syntax of a call, where it is known.
pub fn syntax_word(call: &Call) -> Option<&'static str> {
    call.rpc.transfer.map(|transfer| match transfer {
        Transfer::Ndr => "ndr",
        Transfer::Ndr64 => "ndr64",
    })
}

/// The word for how well the interface of a call is known.
pub fn grade_word(call: &Call) -> &'static str {
    match call.grade() {
        Some(Grade::Typed) => "typed",
        Some(Grade::Idl) => "idl",
        Some(Grade::Names) | None => "raw",
    }
}

/// Major and minor version of an interface, as one.
pub fn version(syntax: SyntaxId) -> String {
    format!("{}.{}", syntax.major, syntax.minor)
}

/// The words for a provider and a level of \[MS-RPCE\] 2.2.1.1.7 and 2.2.1.1.8.
pub fn auth_words(auth: &Auth) -> (&'static str, &'static str) {
    let provider = match auth.auth_type {
        0 => "none",
        9 => "spnego",
        10 => "ntlm",
        16 => "kerberos",
        68 => "netlogon",
        _ => "other",
    };
    let level = match auth.level {
        2 => "connect",
        3 => "call",
        4 => "packet",
        5 => "integrity",
        6 => "privacy",
        _ => "none",
    };
    (provider, level)
}

/// The mechanism that protects a call, where it is known.
pub fn mechanism_word(auth: &Auth) -> Option<&'static str> {
    match (auth.auth_type, auth.mechanism) {
        (10, _) | (9, Some(Mechanism::Ntlm)) => Some("ntlm"),
        (16, _) | (9, Some(Mechanism::Kerberos)) => Some("kerberos"),
        _ => None,
    }
}

fn auth(auth: &Auth) -> Json {
    let (provider, level) = auth_words(auth);
    json!({
        "type": provider,
        "mechanism": mechanism_word(auth),
        "level": level,
        "principal": auth.principal,
    })
}

fn interface(call: &Call) -> Json {
    call.rpc.interface.map_or(Json::Null, |syntax| {
        json!({
            "uuid": syntax.uuid.to_string(),
            "version": version(syntax),
            "name": call.interface_name(),
        })
    })
}

/// What an object call and an activation carry beside what they are for.
fn orpc(call: &Call) -> Json {
    let [this, that] = [&call.request, &call.response].map(Stub::orpc);
    if this.or(that).is_none() {
        return Json::Null;
    }
    let one = |value: Option<&Value>| value.map_or(Json::Null, super::value::json);
    json!({ "this": one(this), "that": one(that) })
}

fn arguments(stub: &Stub) -> Json {
    stub.decoded.as_ref().map_or(Json::Null, |decoded| fields(&decoded.params))
}

fn fault(status: Option<u32>) -> Json {
    status.map_or(
        Json::Null,
        |status| json!({ "value": format!("0x{status:08x}"), "name": name(FAULTS, status) }),
    )
}

/// The `summary` record.
pub fn summary(
    summary: &Summary,
    files: &[CaptureFile],
    skews: &[Option<Skew>],
    judged: Judged<'_>,
) -> Json {
    let mut record = what_was_read(summary, files, skews);
    if let Some(record) = record.as_object_mut() {
        judged::add(record, judged);
    }
    record
}

fn what_was_read(summary: &Summary, files: &[CaptureFile], skews: &[Option<Skew>]) -> Json {
    let time = |pick: fn((Time, Time)) -> Time| summary.times.map(pick).map(|t| t.to_string());
    json!({
        "type": "summary",
        "files": capture_files(files, skews, true),
        "read": {
            "frames": summary.frames,
            "first_time": time(|(first, _)| first),
            "last_time": time(|(_, last)| last),
            "link_types": counts(summary.links.iter().map(|(link, n)| (link.to_string(), *n))),
            "tcp_segments": summary.tcp_segments,
            "udp_datagrams": summary.udp,
            "other": counts(summary.other.iter().map(|(what, n)| (what.clone(), *n))),
            "unseen": counts(summary.unseen.iter().map(|(what, n)| (what.to_string(), *n))),
        },
        "ip": {
            "fragments": summary.fragments.fragments,
            "datagrams": summary.fragments.datagrams,
            "repeated_fragments": summary.fragments.repeated,
            "overlapping_fragments": summary.fragments.overlaps,
            "conflicting_fragments": summary.fragments.conflicts,
            "dropped_datagrams": summary.fragments.dropped,
            "incomplete_datagrams": summary.fragments.incomplete,
        },
        "tcp": {
            "flows": summary.tcp.flows,
            "repeated_segments": summary.tcp.repeated,
            "out_of_order_segments": summary.tcp.out_of_order,
            "conflicting_segments": summary.tcp.conflicts,
            "foreign_flows": summary.foreign_flows,
        },
        "lost": lost(summary),
        "smb": smb::smb(summary),
        "rpc": {
            "pdus": counts(summary.rpc.pdus.iter().map(|(ptype, n)| {
                (ptype.name().map_or_else(|| ptype.0.to_string(), str::to_owned), *n)
            })),
            "malformed_pdus": summary.rpc.malformed,
            "signatures": closed::signatures(summary),
            "bytes_passed_over": summary.rpc.passed_over,
            "datagrams": counts(summary.datagrams.types.iter().map(|(ptype, n)| {
                (ptype.name().map_or_else(|| ptype.0.to_string(), str::to_owned), *n)
            })),
        },
        "sealed": closed::closed(summary),
        "calls": summary.calls.iter().map(|(key, of)| json!({
            "interface": key.as_ref().map(|(uuid, major, name)| json!({
                "uuid": uuid.to_string(), "major": major, "name": name,
            })),
            "outcomes": counts(of.outcomes.iter().map(|(o, n)| (Outcome::word(*o).to_owned(), *n))),
            "sealed": of.sealed,
            "operations": operations(of.pdus.iter().map(|(opnum, pdus)| (*opnum, *pdus))),
        })).collect::<Vec<_>>(),
        "datagrams": summary.datagrams.interfaces.iter().map(|(key, of)| json!({
            "interface": key.map(|(uuid, major)| json!({
                "uuid": uuid.to_string(), "major": major, "name": of.name,
            })),
            "datagrams": of.datagrams,
            "operations": operations(of.operations.iter().map(|(opnum, pdus)| (Some(*opnum), *pdus))),
        })).collect::<Vec<_>>(),
        "endpoints": summary.endpoints.known.iter().map(|((uuid, major, name), server, binding)| {
            json!({
                "interface": { "uuid": uuid.to_string(), "major": major, "name": name },
                "server": server.to_string(),
                "binding": binding,
            })
        }).collect::<Vec<_>>(),
        "endpoints_not_kept": summary.endpoints.beyond,
        "refusals": counts(summary.refusals.iter().map(|(what, n)| (what.clone(), *n))),
    })
}

fn lost(summary: &Summary) -> Json {
    let loss = &summary.loss;
    let of = |lost: Lost| {
        let Lost { gaps, bytes, snapped_bytes } = lost;
        json!({ "gaps": gaps, "bytes": bytes, "snapped_bytes": snapped_bytes })
    };
    json!({
        "gaps": summary.tcp.gaps,
        "bytes": summary.tcp.lost_bytes,
        "snapped_bytes": summary.tcp.snapped_bytes,
        "smb": of(loss.smb),
        "rpc": of(loss.rpc),
        "calls": {
            "lost_stubs": loss.lost_stubs,
            "truncated_stubs": loss.truncated_stubs,
            "without_answer": loss.without_answer,
            "without_request": loss.without_request,
            "touched": loss.touched,
            "numbers": loss.calls,
        },
    })
}

fn operations(of: impl Iterator<Item = (Option<u16>, Pdus)>) -> Json {
    of.map(|(opnum, pdus)| {
        let Pdus { requests, responses, faults } = pdus;
        json!({ "opnum": opnum, "requests": requests, "responses": responses, "faults": faults })
    })
    .collect()
}

/// Named counts, the name being data and so no key.
fn counts(of: impl Iterator<Item = (String, u64)>) -> Json {
    of.map(|(what, count)| json!({ "what": what, "count": count })).collect()
}
