//! How stubs are written (6).

use crate::bytes::Side;
use crate::call::{Readable, Stub};
use crate::check::bench::{Bench, Topic};
use crate::check::finding::Blame;
use crate::check::rules::Case;
use crate::idl::Syntax;
use crate::ndr::{Context, Data, Direction, Text, Units, Value};
use crate::rpc::Transfer;

/// Octets that may follow the last parameter: alignment, and what stands before a trailer.
const PADDING: u32 = 7;
const BEFORE_TRAILER: u32 = 15;
/// Octets of a binding handle, if somebody sent one as a context handle.
const HANDLE: u32 = 20;

/// Looks at both stubs of a call.
pub(super) fn answered(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    layout(case, Side::Client, bench);
    layout(case, Side::Server, bench);
    let call = case.call;
    for (side, stub) in [(Side::Client, &call.request), (Side::Server, &call.response)] {
        let Some(decoded) = &stub.decoded else { continue };
        let mut found = Vec::new();
        for (name, value) in decoded.params.iter().filter(|_| decoded.stop.is_none()) {
            texts(name, name, value, &mut found);
        }
        for (path, name, text) in found {
            string(case, side, &path, name, text, bench);
        }
    }
    referent(case, bench);
}

/// 6-01, 6-05: nothing but padding follows the last parameter.
fn layout(case: &Case<'_, '_>, side: Side, bench: &mut Bench<'_>) {
    let (call, rule) = (case.call, "FSRVP-6-01");
    let (stub, direction, whose, party) = match side {
        Side::Client => (&call.request, Direction::In, "request", Blame::Client),
        Side::Server => (&call.response, Direction::Out, "response", Blame::Server),
    };
    match stub.readable {
        Readable::Sealed => return bench.unseen(rule, "the stub is encrypted"),
        Readable::Truncated | Readable::Lost => {
            return bench.unseen(rule, "part of the stub is not in the capture");
        }
        Readable::Clear | Readable::Unsealed | Readable::Malformed | Readable::Absent => {}
    }
    let Some(decoded) = &stub.decoded else { return };
    let left = over(stub, decoded.used);
    let room = if stub.trailer.is_some() { BEFORE_TRAILER } else { PADDING };
    let wrong = match &decoded.stop {
        Some(stop) if stub.readable == Readable::Malformed => Some(stop.to_string()),
        Some(_) => return,
        None if left > room => Some(format!("{left} octets follow its last parameter")),
        None => None,
    };
    let name = call.method().unwrap_or("the operation");
    let handle = wrong.is_some() && side == Side::Client && behind_a_handle(case);
    bench.expect(
        wrong.is_none(),
        Topic::Value("stub"),
        rule,
        case.place,
        || {
            let what = wrong.clone().unwrap_or_default();
            let handle = if handle { "; it reads well behind a handle of 20 octets" } else { "" };
            format!("The {whose} of {name} is not laid out as the IDL says: {what}{handle}")
        },
        |finding| {
            finding.party = party;
        },
    );
    if direction == Direction::In {
        bench.expect(
            !handle,
            Topic::Value("stub"),
            "FSRVP-6-05",
            case.place,
            || format!("The request of {name} begins with 20 octets that look like a binding handle, which is not sent"),
            |finding| {
                finding.party = Blame::Client;
            },
        );
    }
}

/// Octets of the parameters beyond where reading them ended.
fn over(stub: &Stub, used: u32) -> u32 {
    stub.trailer.map_or(stub.bytes, |trailer| trailer.start).saturating_sub(used)
}

/// Whether a request follows the IDL if its first 20 octets are left out.
fn behind_a_handle(case: &Case<'_, '_>) -> bool {
    let call = case.call;
    let read = || {
        let interface = call.interface.as_deref()?;
        let message = call.rpc.request.as_ref()?;
        let syntax = match call.rpc.transfer? {
            Transfer::Ndr => Syntax::Ndr,
            Transfer::Ndr64 => Syntax::Ndr64,
        };
        let context = Context { syntax, order: message.order };
        let view = call.request.arguments(&message.stub);
        let decoded = interface.decode(case.act.opnum, Direction::In, view, HANDLE, context)?;
        let good = decoded.stop.is_none() && decoded.notes.is_empty();
        Some(good && over(&call.request, decoded.used) <= PADDING)
    };
    read().unwrap_or(false)
}

/// All strings in a value, with their path and name.
fn texts<'v>(
    path: &str,
    name: &'v str,
    value: &'v Value,
    found: &mut Vec<(String, &'v str, &'v Text)>,
) {
    match &value.target().data {
        Data::Text(text) => found.push((path.to_owned(), name, text)),
        Data::Record(record) => {
            for (name, value) in &record.fields {
                texts(&format!("{path}.{name}"), name, value, found);
            }
        }
        Data::Union(union) => {
            if let Some((name, value)) = &union.arm {
                texts(&format!("{path}.{name}"), name, value, found);
            }
        }
        _ => {}
    }
}

/// 6-02: a string is whole, from its beginning, with one NUL at its end.
fn string(
    case: &Case<'_, '_>,
    side: Side,
    path: &str,
    name: &str,
    text: &Text,
    bench: &mut Bench<'_>,
) {
    let wrong = unlike(text);
    bench.expect(
        wrong.is_none(),
        Topic::Value("string"),
        "FSRVP-6-02",
        case.place,
        || {
            let what = wrong.clone().unwrap_or_default();
            format!("{name} \"{text}\" is not a string as [MS-RPCE] and the IDL have it: {what}")
        },
        |finding| {
            finding.party = match side {
                Side::Client => Blame::Client,
                Side::Server => Blame::Server,
            };
            finding.with_octets(case.call, side, path, "the string");
        },
    );
}

/// What is wrong with the form of a string.
fn unlike(text: &Text) -> Option<String> {
    let counts = &text.counts;
    let number = |count: Option<(u64, crate::bytes::Span)>| count.map(|(n, _)| n);
    let (max, offset, actual) =
        (number(counts.max)?, number(counts.offset)?, number(counts.actual)?);
    if offset != 0 {
        return Some(format!("its offset is {offset}, not 0"));
    }
    if actual > max {
        return Some(format!("its actual count {actual} is above its maximum count {max}"));
    }
    if u64::try_from(text.len()).ok() != Some(actual) {
        return Some(format!("its actual count {actual} counts octets, not characters"));
    }
    if !text.terminated() {
        return Some("it does not end in a NUL".to_owned());
    }
    let early = match &text.units {
        Units::Wide(units) => units.split_last().is_some_and(|(_, units)| units.contains(&0)),
        Units::Narrow(units) => units.split_last().is_some_and(|(_, units)| units.contains(&0)),
    };
    early.then(|| "a NUL stands before its end".to_owned())
}

/// 6-03: `ShareName` has no referent identifier.
fn referent(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let Some(decoded) = case.call.request.decoded.as_ref().filter(|read| read.stop.is_none())
    else {
        return;
    };
    let Some(Text { counts, .. }) = decoded.param("ShareName").and_then(Value::as_text) else {
        return;
    };
    // Two GUIDs, or nothing, come before it.
    let begins = if matches!(case.act.opnum, 8 | 9) { 0 } else { 32 };
    let Some((_, at)) = counts.max else { return };
    bench.expect(
        at.start <= begins,
        Topic::Value("ShareName"),
        "FSRVP-6-03",
        case.place,
        || {
            "ShareName is sent with a referent id before it, although it is a reference pointer at \
             top level, which has none"
                .to_owned()
        },
        |finding| {
            finding.party = Blame::Client;
            finding.with_octets(
                case.call,
                Side::Client,
                "ShareName",
                "what follows the referent id",
            );
        },
    );
}
