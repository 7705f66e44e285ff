//! What operations return, and opnums that are none (2.2.4, 3, 3.1.4).

use crate::bytes::{Guid, Side};
use crate::call::Readable;
use crate::check::act::is_runtime;
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Blame, Certainty, Finding, Severity};
use crate::check::guards::ids;
use crate::check::machine::{Answer, View};
use crate::check::profile::BAD_ARGUMENTS;
use crate::check::rules::Case;
use crate::check::say;
use crate::ndr;
use crate::protocol::fsrvp::Status;
use crate::rpc::Ending;

/// The highest opnum of the only version (1.7).
const LAST: u16 = 12;

/// Looks at what was answered.
pub(super) fn answered(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    if case.act.opnum > LAST {
        return unknown_method(case, bench);
    }
    bench.pass("FSRVP-1.7-01");
    bench.pass("FSRVP-3.1.4-01");
    match case.act.answer {
        Answer::Status(status) => {
            bench.pass("FSRVP-3.1.4-02");
            returned(case, status, bench);
            time_out(case, status, bench);
            arguments(case, status, bench);
        }
        Answer::Refused(fault) | Answer::Fault(fault) => exception(case, fault, bench),
        _ => {}
    }
}

/// 1.7-01, 3.1.4-01: there are no methods above 12.
fn unknown_method(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let opnum = case.act.opnum;
    let seal = |finding: &mut Finding| sealed(case, finding);
    bench.fail(
        Topic::Value("opnum"),
        "FSRVP-1.7-01",
        case.place,
        format!("Opnum {opnum} was called, although the only version of the protocol has 0 to 12"),
        |finding| {
            finding.party = Blame::Client;
            seal(finding);
        },
    );
    match case.call.rpc.ending {
        Ending::NoAnswer => {}
        ending => bench.expect(
            matches!(ending, Ending::Fault(_)),
            Topic::Value("opnum"),
            "FSRVP-3.1.4-01",
            case.place,
            || format!("Opnum {opnum}, which does not exist, was answered by a response; expected a fault"),
            |finding| {
                finding.party = Blame::Server;
                seal(finding);
            },
        ),
    }
}

/// 3.1.4-02: the methods throw nothing; what the runtime raises by itself is no matter.
fn exception(case: &Case<'_, '_>, fault: u32, bench: &mut Bench<'_>) {
    if is_runtime(fault) {
        return bench.pass("FSRVP-3.1.4-02");
    }
    if fault <= 0xffff {
        let why = "the fault is a code of Win32, which the runtime raises as well: out of memory, too busy";
        return bench.unseen("FSRVP-3.1.4-02", why);
    }
    let name = say::method(case.act.opnum);
    bench.fail(
        Topic::Value("return"),
        "FSRVP-3.1.4-02",
        case.place,
        format!("{name} ended in fault 0x{fault:08x}, which the RPC runtime does not raise by itself; a method throws no exceptions"),
        |finding| sealed(case, finding),
    );
}

/// 2.2.4-01, 3-01, 3.1.4.5-15: which statuses there are.
fn returned(case: &Case<'_, '_>, status: u32, bench: &mut Bench<'_>) {
    let name = say::method(case.act.opnum);
    let value = case.call.response.decoded.as_ref().and_then(|read| read.ret.as_ref());
    let called = value.map_or_else(|| say::code(status), ndr::text);
    let spot = |finding: &mut Finding| {
        finding.with_octets(case.call, Side::Server, "return", &called);
    };
    let listed = Status(status).is_listed();
    bench.expect(
        status == 0 || status >= 0x8000_0000 || listed,
        Topic::Value("return"),
        "FSRVP-3-01",
        case.place,
        || {
            format!(
                "{name} returned {called}, which is no error by its severity bit and still not ZERO"
            )
        },
        spot,
    );
    if case.act.opnum == 4 && !listed && status >= 0x8000_0000 {
        let message = format!(
            "Commit passed on {called}, an error of a single shadow copy; the set is taken to be alive"
        );
        bench.fail(Topic::Value("return"), "FSRVP-3.1.4.5-15", case.place, message, spot);
    }
    bench.expect(
        listed,
        Topic::Value("return"),
        "FSRVP-2.2.4-01",
        case.place,
        || format!("{name} returned {called}, which is none of the codes of section 2.2.4"),
        spot,
    );
}

/// 3.1.4.5-09, 3.1.4.6-08: which of the two codes for a time-out.
fn time_out(case: &Case<'_, '_>, status: u32, bench: &mut Bench<'_>) {
    let (rule, right) = match case.act.opnum {
        4 => ("FSRVP-3.1.4.5-09", Status::FSSAGENT_E_TIMEOUT.0),
        5 => ("FSRVP-3.1.4.6-08", Status::FSRVP_E_WAIT_TIMEOUT.0),
        12 => ("FSRVP-3.1.4.13-07", Status::FSRVP_E_WAIT_TIMEOUT.0),
        _ => return,
    };
    if ![Status::FSSAGENT_E_TIMEOUT.0, Status::FSRVP_E_WAIT_TIMEOUT.0].contains(&status) {
        return;
    }
    let (name, code, expected) = (say::method(case.act.opnum), say::code(status), say::code(right));
    bench.expect(
        status == right,
        Topic::Value("return"),
        rule,
        case.place,
        || format!("{name} reported its time-out as {code} (0x{status:08x}); its own code for that is {expected} (0x{right:08x})"),
        |finding| {
            finding.at_most(Severity::Note, Certainty::Certain);
            finding.with_octets(case.call, Side::Server, "return", &code);
        },
    );
}

/// 3.1.4-09, 3.1.4-11: what is an argument that is NULL, and what is not.
fn arguments(case: &Case<'_, '_>, status: u32, bench: &mut Bench<'_>) {
    let Some(request) = &case.act.request else { return };
    let name = say::method(case.act.opnum);
    let nil = ids(request).iter().any(Guid::is_nil);
    let mismatch = status == Status::FSRVP_E_SHADOWCOPYSET_ID_MISMATCH.0;
    if nil && (mismatch || status == Status::E_INVALIDARG.0) && !matches!(case.act.opnum, 7 | 11) {
        bench.expect(
            !mismatch,
            Topic::Value("ShadowCopySetId"),
            "FSRVP-3.1.4-09",
            case.place,
            || {
                format!(
                    "{name} with a nil id returned {}; the general rule asks for E_INVALIDARG",
                    say::code(status)
                )
            },
            |finding| {
                finding.at_most(Severity::Note, Certainty::Certain);
            },
        );
    }
    // A server that does not know the set may say the same.
    let known = case.step.is_some_and(|step| !step.views.is_empty() && !step.views.has(View::Gone));
    let strict = !bench.profile.quirks.contains(BAD_ARGUMENTS);
    if case.act.time_out() == Some(0) && known && strict && !nil {
        bench.expect(
            status != Status::E_INVALIDARG.0,
            Topic::Value("TimeOutInMilliseconds"),
            "FSRVP-3.1.4-11",
            case.place,
            || format!("{name} with a time-out of 0 returned E_INVALIDARG, although zero is a number like any other"),
            |finding| {
                finding.with_octets(case.call, Side::Client, "TimeOutInMilliseconds", "zero");
            },
        );
    }
}

/// Little comes of a call that cannot be read.
fn sealed(case: &Case<'_, '_>, finding: &mut Finding) {
    if case.call.request.readable == Readable::Sealed {
        finding.at_most(Severity::Note, Certainty::Possible);
    }
}
