//! What is wrong with a call by itself: opnums, faults, results, strings.

use super::message::{self, Ask, DIFF, Name, Text};
use super::{Case, interface_name};
use crate::bytes::Side;
use crate::call::{Outcome, Readable};
use crate::check::bench::{Bench, Topic};
use crate::check::finding::Blame;
use crate::rpc::names::{FAULTS, named};

/// What servers answer whose code failed: an access violation, an exception of C++, and DCOM's word for
/// both.
const EXCEPTIONS: [u32; 3] = [0xc000_0005, 0xe06d_7363, 0x8001_0105];
/// `nca_s_op_rng_error`, and the same of Windows.
const NO_SUCH_OPNUM: [u32; 2] = [0x1c01_0002, 0x0000_06d1];
/// `S_FALSE`
pub(super) const S_FALSE: u32 = 1;
/// `E_INVALIDARG`
pub(super) const E_INVALIDARG: u32 = 0x8007_0057;
/// `E_ACCESSDENIED`
pub(super) const E_ACCESSDENIED: u32 = 0x8007_0005;

/// Looks at a call to \[MS-SCMP\].
pub(super) fn check(case: &Case<'_>, bench: &mut Bench<'_>) {
    opnum(case, bench);
    object(case, bench);
    fault(case, bench);
    result(case, bench);
    strings(case, bench);
}

/// 1.8, 3.1.1.4 and 3.1.4.4: there are so many methods, and no others.
fn opnum(case: &Case<'_>, bench: &mut Bench<'_>) {
    if case.call.rpc.request.is_none() {
        return;
    }
    let Case { opnum, interface, ref place, .. } = *case;
    let known = message::INTERFACES.iter().find(|(of, ..)| *of == interface);
    let Some((_, name, last)) = known.copied() else { return };
    let asked = format!("opnum {opnum} of {name} was called");
    let refused = match case.call.fault() {
        Some(status) => format!("; the server refused it: {}", named(FAULTS, status.into())),
        None => "; the server did not refuse it".to_owned(),
    };
    let local = (interface, opnum) == (DIFF, 8);
    bench.expect(
        opnum >= 3,
        Topic::Order,
        "SCMP-3.1.1.4-03",
        place,
        || {
            format!(
                "{asked}, which stands for a method of IUnknown: in DCOM those are calls of \
                 IRemUnknown{refused}"
            )
        },
        |_| {},
    );
    if interface == DIFF {
        bench.expect(
            !local,
            Topic::Order,
            "SCMP-3.1.4.4-01",
            place,
            || format!("{asked}, which is never on the wire{refused}"),
            |_| {},
        );
    }
    bench.expect(
        opnum <= last || local,
        Topic::Order,
        "SCMP-1.8-01",
        place,
        || format!("{asked}, which has none beyond {last}{refused}"),
        |_| {},
    );
}

/// 2.1: every call is one on an object.
fn object(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(request) = case.call.rpc.request.as_ref().filter(|request| request.from_start) else {
        return;
    };
    let has = case.call.rpc.object.is_some();
    let torn = case
        .call
        .request
        .orpc
        .as_ref()
        .is_some_and(|orpc| orpc.stop.as_ref().is_some_and(crate::bytes::Stop::is_malformed));
    let whole = !request.sealed && case.call.request.readable != Readable::Lost;
    bench.expect(
        has && !(whole && torn),
        Topic::Transport,
        "SCMP-2.1-01",
        &case.place,
        || {
            let what = if has { "does not begin with ORPCTHIS" } else { "names no object" };
            format!("a request of {} {what}: it is no call of DCOM", case.method())
        },
        |finding| finding.party = Blame::Client,
    );
}

/// 3.1.1.4: no exceptions but those of RPC.
fn fault(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(status) = case.call.fault() else {
        if case.answered.is_some() {
            bench.pass("SCMP-3.1.1.4-08");
        }
        return;
    };
    let text = named(FAULTS, status.into());
    bench.expect(
        !EXCEPTIONS.contains(&status),
        Topic::Value("return"),
        "SCMP-3.1.1.4-08",
        &case.place,
        || format!("{} ended in {text}: the server's own code failed", case.method()),
        |_| {},
    );
    let known = (3..=7).contains(&case.opnum)
        && message::INTERFACES
            .iter()
            .any(|(of, _, last)| *of == case.interface && case.opnum <= *last);
    if known {
        bench.expect(
            !NO_SUCH_OPNUM.contains(&status),
            Topic::Value("return"),
            "SCMP-7-05",
            &case.place,
            || format!("{} is a method of the interface, and was answered {text}", case.method()),
            |_| {},
        );
    }
}

/// 3.1.1.4: zero, or an error; `S_FALSE` of two methods.
fn result(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(status) = case.status else { return };
    let own = match case.ask {
        Some(Ask::Next { .. }) => Some("1-06"),
        Some(Ask::Skip { .. }) => Some("2-04"),
        Some(Ask::Reset) => Some("3-01"),
        Some(Ask::Clone { .. }) => Some("4-06"),
        _ => None,
    };
    let may_be_false = matches!(case.ask, Some(Ask::Next { .. } | Ask::Skip { .. }));
    let fits = status == 0 || status & 0x8000_0000 != 0 || status == S_FALSE && may_be_false;
    let rule = own.map_or_else(
        || "SCMP-3.1.1.4-05".to_owned(),
        |rule| format!("SCMP-{}.{rule}", enumerator_section(case)),
    );
    bench.expect(
        fits,
        Topic::Value("return"),
        &rule,
        &case.place,
        || {
            format!(
                "{} returned 0x{status:08x}, which is neither success nor an error of COM",
                case.method()
            )
        },
        |finding| {
            if own.is_some() {
                finding.with_rules(["SCMP-3.1.1.4-05"]);
            }
            finding.with_octets(case.call, Side::Server, "return", "not a result of COM");
        },
    );
    // 3.2.4.1: results are those of COM, whose errors begin with 8.
    bench.expect(
        status & 0xf000_0000 != 0xc000_0000,
        Topic::Value("return"),
        "SCMP-3.2.4.1-05",
        &case.place,
        || format!("{} returned 0x{status:08x}, which looks like an NTSTATUS", case.method()),
        |_| {},
    );
}

/// `3.1.2` or `3.1.3`, by the interface of an enumerator.
pub(super) fn enumerator_section(case: &Case<'_>) -> &'static str {
    if case.interface == message::ENUM_OBJECT { "3.1.2" } else { "3.1.3" }
}

/// 2.2.1.2: strings end where they say they do.
fn strings(case: &Case<'_>, bench: &mut Bench<'_>) {
    let mut sent: Vec<(&'static str, &Text)> = Vec::new();
    match &case.ask {
        Some(Ask::Query { volume: Some(Name(Some(text))), .. }) => sent.push(("the volume", text)),
        Some(Ask::Size { volume, storage, .. }) => {
            sent.extend(volume.iter().map(|text| ("the volume", text)));
            sent.extend(storage.iter().map(|text| ("the volume for storage", text)));
        }
        _ => {}
    }
    for (what, text) in &sent {
        let fault = text.fault.as_deref().unwrap_or_default();
        bench.expect(
            text.fault.is_none(),
            Topic::Value("name"),
            "SCMP-2.2.1.2-01",
            &case.place,
            || format!("{what} in a request of {} is no proper string: {fault}", case.method()),
            |finding| finding.party = Blame::Client,
        );
    }
    // 3.1.1.4: a server that checks what it gets refuses what breaks its own counts.
    let bad = sent.iter().any(|(_, text)| text.fault.is_some())
        || case.call.request.readable == Readable::Malformed;
    if bad && interface_name(case.interface).is_some() {
        bench.expect(
            !matches!(case.call.outcome, Outcome::Ok),
            Topic::State,
            "SCMP-3.1.1.4-09",
            &case.place,
            || {
                format!(
                    "the request of {} breaks the rules of its encoding, and the server answered it \
                     as if it did not",
                    case.method()
                )
            },
            |_| {},
        );
    }
}
