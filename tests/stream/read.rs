//! Reads a capture file through the library, and compares what two of them gave.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::LazyLock;

use serde_json::Value as Json;
use vshark::bytes::FrameNo;
use vshark::call::{Call, Outcome, Readable, Stub};
use vshark::capture::{Capture, Origins};
use vshark::ndr::{Data, Decoded, Units, Value};
use vshark::pipeline::{Event, Pipeline, Summary, Unit};
use vshark::protocol::Registry;
use vshark::report::json::Writer;
use vshark::rpc::{Ending, Message};

use super::events;

pub(crate) static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().unwrap());

/// What a capture file gave.
pub(crate) struct Reading {
    pub(crate) calls: Vec<Call>,
    pub(crate) units: Vec<Unit>,
    pub(crate) summary: Summary,
}

/// Reads a capture file.
pub(crate) fn read(file: &[u8]) -> Reading {
    read_from(events::capture(file), Pipeline::new(&REGISTRY))
}

/// Reads a capture file, with the PDUs of every call and the messages that a frame carried.
pub(crate) fn read_watching(file: &[u8], frame: Option<FrameNo>) -> Reading {
    read_from(events::capture(file), Pipeline::watching(&REGISTRY, frame))
}

pub(crate) fn read_from(mut capture: Capture, mut pipeline: Pipeline<'_>) -> Reading {
    let (mut calls, mut units) = (Vec::new(), Vec::new());
    for event in events::read(&mut capture, &mut pipeline) {
        match event {
            Event::Call(call) => calls.push(*call),
            Event::Unit(unit) => units.push(unit),
            Event::Asked(_) | Event::Around(_) => {}
        }
    }
    Reading { calls, units, summary: pipeline.summary() }
}

impl Reading {
    /// The records of the calls, as `vshark export` writes them.
    pub(crate) fn records(&self) -> Vec<Json> {
        let writer = Writer { registry: &REGISTRY, files: vec!["t".to_owned()] };
        self.calls.iter().map(|call| writer.call(call, &Origins::default(), None)).collect()
    }

    /// The same without frames and times, and with the octets of the stubs.
    pub(crate) fn timeless(&self) -> Vec<Json> {
        let mut records = self.records();
        for (record, call) in records.iter_mut().zip(&self.calls) {
            let record = record.as_object_mut().unwrap();
            for key in ["frames", "time", "elapsed_ms"] {
                record.remove(key).unwrap();
            }
            let octets = |message: &Option<Message>| {
                message.as_ref().map(|message| message.stub.view().bytes().to_vec())
            };
            let octets = [octets(&call.rpc.request), octets(&call.rpc.response)];
            record.insert("octets".to_owned(), serde_json::json!(octets));
        }
        records
    }

    /// The same without the numbers of the calls, in an order of their own: connections that run
    /// beside each other have none.
    pub(crate) fn unordered(&self) -> BTreeMap<String, Json> {
        let strip = |mut record: Json| {
            record.as_object_mut().unwrap().remove("n").unwrap();
            record
        };
        self.keys().into_iter().zip(self.timeless().into_iter().map(strip)).collect()
    }

    /// What tells each call from the others, in any part of the same capture.
    fn keys(&self) -> Vec<String> {
        self.calls.iter().map(key).collect()
    }

    /// The calls by what tells them apart.
    pub(crate) fn by_key(&self) -> BTreeMap<String, &Call> {
        let map: BTreeMap<_, _> = self.keys().into_iter().zip(&self.calls).collect();
        assert_eq!(map.len(), self.calls.len(), "a call is there twice: {:?}", self.keys());
        map
    }
}

fn key(call: &Call) -> String {
    let file = call.pipe().and_then(|pipe| pipe.file_id.as_deref()).unwrap_or("no file");
    format!("{} {file} {}", call.client.addr, call.rpc.call_id)
}

/// How much less a part of a capture told than the whole.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Calls that lack bytes of their request or answer.
    pub(crate) damaged: Vec<String>,
    /// Calls that have all their bytes, and lack what the bind says of them.
    pub(crate) nameless: Vec<String>,
}

/// Checks that all that `part` says, `whole` says too; tells what it does not say.
pub(crate) fn losses(part: &Reading, whole: &Reading) -> Result<Losses, String> {
    let (all, mut some) = (whole.by_key(), BTreeMap::new());
    let mut losses = Losses::default();
    for call in &part.calls {
        let key = key(call);
        let of = all.get(&key).ok_or_else(|| format!("call {key} is invented"))?;
        // When losses hide that two pipes are one, a question and its answer stay apart.
        let apart = |other: &Call| {
            let halves =
                [&call.rpc, &other.rpc].map(|c| (c.request.is_some(), c.response.is_some()));
            halves == [(true, false), (false, true)] || halves == [(false, true), (true, false)]
        };
        let other = some.insert(key.clone(), call);
        check(other.is_none_or(apart), || format!("call {key} is there twice"))?;
        agree(call, of).map_err(|what| format!("call {key} (n {}): {what}", of.rpc.n))?;
    }
    for (key, of) in all {
        match some.get(&key) {
            Some(call) if !same_octets(call, of) => losses.damaged.push(key),
            None => losses.damaged.push(key),
            Some(call) if call.interface.is_none() && of.interface.is_some() => {
                losses.nameless.push(key);
            }
            Some(call) => {
                let same = call.outcome == of.outcome
                    && decoded(&call.request) == decoded(&of.request)
                    && decoded(&call.response) == decoded(&of.response);
                check(same, || format!("call {key} has all its bytes and says less"))?;
            }
        }
    }
    let (part, whole) = (&part.summary, &whole.summary);
    check(part.rpc.malformed <= whole.rpc.malformed, || "a PDU became malformed".to_owned())?;
    check(part.smb_malformed <= whole.smb_malformed, || "a message became malformed".to_owned())?;
    Ok(losses)
}

fn same_octets(a: &Call, b: &Call) -> bool {
    let same =
        |a: &Option<Message>, b: &Option<Message>| a.as_ref().map(octets) == b.as_ref().map(octets);
    same(&a.rpc.request, &b.rpc.request)
        && same(&a.rpc.response, &b.rpc.response)
        && a.rpc.ending == b.rpc.ending
}

fn octets(message: &Message) -> (bool, bool, usize, Vec<u8>) {
    let view = message.stub.view();
    (message.complete, message.from_start, view.holes().count(), view.bytes().to_vec())
}

fn decoded(stub: &Stub) -> Option<Vec<&Value>> {
    let decoded = stub.decoded.as_ref()?;
    Some(decoded.params.iter().map(|(_, value)| value).chain(&decoded.ret).collect())
}

fn check(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

fn same<T: PartialEq + Debug>(what: &str, part: Option<T>, whole: Option<T>) -> Result<(), String> {
    match (part, whole) {
        (Some(part), Some(whole)) if part == whole => Ok(()),
        (None, _) => Ok(()),
        (part, whole) => Err(format!("{what}: {part:?} is not {whole:?}")),
    }
}

/// Whether what `part` says of a call is true, `whole` being the truth.
fn agree(part: &Call, whole: &Call) -> Result<(), String> {
    let (p, w) = (&part.rpc, &whole.rpc);
    same("server", Some(part.server.addr), Some(whole.server.addr))?;
    same("client's name", part.client.name.as_ref(), whole.client.name.as_ref())?;
    // Where NTLM does not tell the server's name, the path of the share does.
    let (name, ip) = (part.server.name.as_ref(), part.server.addr.ip().to_string());
    let address = name == Some(&ip);
    let told = |name: Option<&String>| name.map(|name| name.to_ascii_uppercase());
    same("server's name", told(name.filter(|_| !address)), told(whole.server.name.as_ref()))?;
    same("opnum", p.opnum, w.opnum)?;
    same("interface", p.interface, w.interface)?;
    same("transfer syntax", p.transfer, w.transfer)?;
    same("object", p.object, w.object)?;
    same("context", p.context_id, w.context_id)?;
    same("provider", Some(p.auth.auth_type).filter(|t| *t != 0), Some(w.auth.auth_type))?;
    same("level", Some(p.auth.level).filter(|l| *l > 1), Some(w.auth.level))?;
    same("principal", p.auth.principal.as_ref(), w.auth.principal.as_ref())?;
    same("status", part.status, whole.status)?;
    same("fault", part.fault(), whole.fault())?;
    same("order", p.request.as_ref().map(|m| m.order), w.request.as_ref().map(|m| m.order))?;
    match (part.pipe(), whole.pipe()) {
        (Some(p), Some(w)) => {
            same("pipe", p.name.as_ref(), w.name.as_ref())?;
            same("dialect", p.dialect.as_ref(), w.dialect.as_ref())?;
            same("session", Some(p.session_id), Some(w.session_id))?;
            same("tree", p.tree_id, w.tree_id)?;
            same("user", p.user.as_ref(), w.user.as_ref())?;
            check(!p.encrypted || w.encrypted, || "encrypted".to_owned())?;
            check(!p.signed || w.signed, || "signed".to_owned())?;
        }
        (p, w) => check(p.is_none() && w.is_none(), || "transport".to_owned())?,
    }
    let outcomes = [whole.outcome, Outcome::NoRequest, Outcome::NoResponse, Outcome::Unknown];
    check(outcomes.contains(&part.outcome), || format!("outcome {:?}", part.outcome))?;
    check(p.ending == w.ending || p.ending == Ending::NoAnswer, || "ending".to_owned())?;
    stub("request", (&part.request, p.request.as_ref()), (&whole.request, w.request.as_ref()))?;
    stub("response", (&part.response, p.response.as_ref()), (&whole.response, w.response.as_ref()))
}

fn stub(
    name: &str,
    (part, message): (&Stub, Option<&Message>),
    (whole, of): (&Stub, Option<&Message>),
) -> Result<(), String> {
    let Some(message) = message else {
        return check(part.readable == Readable::Absent, || format!("{name} without a message"));
    };
    let of = of.ok_or_else(|| format!("{name} is invented"))?;
    check(message.fragments <= of.fragments, || format!("{name} has more fragments"))?;
    if message.from_start {
        let (view, truth) = (message.stub.view(), of.stub.view().bytes());
        // Where auth_pad_length is lost, the padding is not told from the stub.
        let pad = view.len().saturating_sub(of.stub.len());
        check(pad <= 15, || format!("{name} is longer by {pad}"))?;
        for piece in view.pieces() {
            let (at, len): (usize, usize) =
                (piece.at.try_into().unwrap(), piece.len.try_into().unwrap());
            let end = (at + len).min(truth.len()).max(at);
            check(at >= truth.len() || view.bytes()[at..end] == truth[at..end], || {
                format!("{name} differs in {at}..{end}")
            })?;
        }
        let solid = message.complete && view.holes().next().is_none();
        check(!solid || view.len() >= of.stub.len(), || format!("{name} lacks a fragment"))?;
        check(part.readable != Readable::Clear || solid, || format!("{name} is called clear"))?;
    }
    let blamed = part.readable == Readable::Malformed && whole.readable != Readable::Malformed;
    check(!blamed, || format!("{name} became malformed: {:?}", part.decoded))?;
    if let Some(decoded) = &part.decoded {
        let whole = whole.decoded.as_ref().ok_or_else(|| format!("{name} is decoded"))?;
        within(decoded, whole).map_err(|what| format!("{name}: {what}"))?;
    }
    Ok(())
}

/// Checks that every value of `part` is one of `whole`, in the same place.
pub(crate) fn within(part: &Decoded, whole: &Decoded) -> Result<(), String> {
    fields(&part.params, &whole.params)?;
    match (&part.ret, &whole.ret) {
        (Some(part), Some(whole)) => value("the result", part, whole),
        (part, _) => check(part.is_none(), || "a result appears".to_owned()),
    }
}

fn fields<N: AsRef<str>>(part: &[(N, Value)], whole: &[(N, Value)]) -> Result<(), String> {
    check(part.len() <= whole.len(), || "more fields".to_owned())?;
    for ((name, part), (of, whole)) in part.iter().zip(whole) {
        check(name.as_ref() == of.as_ref(), || format!("{} for {}", name.as_ref(), of.as_ref()))?;
        value(name.as_ref(), part, whole)?;
    }
    Ok(())
}

fn value(name: &str, part: &Value, whole: &Value) -> Result<(), String> {
    match (&part.data, &whole.data) {
        (Data::Unread, _) => Ok(()),
        (Data::Pointer(a), Data::Pointer(b)) if a.referent == b.referent => {
            value(name, &a.to, &b.to)
        }
        (Data::Record(a), Data::Record(b)) => fields(&a.fields, &b.fields),
        (Data::List(a), Data::List(b)) if a.items.len() <= b.items.len() => {
            a.items.iter().zip(&b.items).try_for_each(|(a, b)| value(name, a, b))
        }
        (Data::Union(a), Data::Union(b)) => {
            value(name, &a.tag, &b.tag)?;
            fields(a.arm.as_slice(), b.arm.as_slice())
        }
        (Data::Interface(a), Data::Interface(b)) if a.objref.is_none() => {
            check(a.referent == b.referent, || format!("{name}: another pointer"))
        }
        // What is there of a string or of octets is given, under the size they were announced with.
        (Data::Text(a), Data::Text(b)) => {
            let starts = match (&a.units, &b.units) {
                (Units::Wide(a), Units::Wide(b)) => b.starts_with(a),
                (Units::Narrow(a), Units::Narrow(b)) => b.starts_with(a),
                _ => false,
            };
            check(starts && a.counts == b.counts, || format!("{name}: {a} is not {b}"))
        }
        (Data::Bytes(a), Data::Bytes(b)) => {
            let starts = b.bytes.starts_with(&a.bytes) && a.counts == b.counts;
            check(starts, || format!("{name}: other octets"))
        }
        (a, b) => {
            check(a == b && part.span == whole.span, || format!("{name}: {a:?} is not {b:?}"))
        }
    }
}
