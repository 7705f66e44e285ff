//! What stands in a request by itself: contexts, ids, names of shares, time-outs (2.2.2, 3.1.4, 3.2.3).

use super::super::Case;
use crate::bytes::{Guid, Side};
use crate::call::Readable;
use crate::check::act::is_unc;
use crate::check::bench::{Bench, Topic};
use crate::check::guards;
use crate::check::say;
use crate::protocol::fsrvp::{ContextValue, Request};

/// What stub alignment may add.
const PADDING: u32 = 7;
/// Milliseconds in which no server makes a copy.
const TOO_SHORT: u32 = 1000;

pub(super) fn asked(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    if case.act.opnum == 0 {
        empty(case, bench);
    }
    let Some(request) = &case.act.request else { return };
    nil_ids(case, request, bench);
    share(case, bench);
    time_out(case, bench);
    match request {
        Request::SetContext(of) => context(case, of.context, bench),
        Request::StartShadowCopySet(of) => {
            let kept = !of.client_shadow_copy_set_id.is_nil();
            let what = || "ClientShadowCopySetId is nil".to_owned();
            bench.expect(
                kept,
                Topic::Value("ClientShadowCopySetId"),
                "FSRVP-3.1.4.3-08",
                case.place,
                what,
                |f| {
                    f.with_octets(case.call, Side::Client, "ClientShadowCopySetId", "nil");
                },
            );
        }
        Request::GetShareMapping(of) => {
            let what = || format!("Level is {}; only 1 is defined", of.level);
            bench.expect(
                of.level == 1,
                Topic::Value("Level"),
                "FSRVP-3.1.4.11-01",
                case.place,
                what,
                |f| {
                    f.with_octets(case.call, Side::Client, "Level", "not 1");
                },
            );
        }
        _ => {}
    }
}

/// `GetSupportedVersion` has no parameters.
fn empty(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let stub = &case.call.request;
    if !stub.readable.is_clear() && stub.readable != Readable::Malformed {
        return;
    }
    let octets = stub.trailer.map_or(stub.bytes, |trailer| trailer.start.min(stub.bytes));
    let what =
        || format!("the stub of GetSupportedVersion has {octets} octets; it has no parameters");
    bench.expect(
        octets <= PADDING,
        Topic::Value("stub"),
        "FSRVP-3.1.4.1-04",
        case.place,
        what,
        |_| {},
    );
}

fn context(case: &Case<'_, '_>, context: ContextValue, bench: &mut Bench<'_>) {
    const NO_AUTO: u32 = ContextValue::ATTR_NO_AUTO_RECOVERY.0;
    const AUTO: u32 = ContextValue::ATTR_AUTO_RECOVERY.0;
    /// The five attributes that are defined.
    const DEFINED: u32 = 0x0040_001b;
    let rules = ["FSRVP-3.1.4.2-01", "FSRVP-2.2.2.1-01", "FSRVP-2.2.2.2-01", "FSRVP-2.2.2.2-02"];
    let [legal, bits, base, both] = rules;
    let undefined = context.0 & !DEFINED;
    let twice = context.0 & (AUTO | NO_AUTO) == AUTO | NO_AUTO;
    let bad_base = !ContextValue(context.0 & !(AUTO | NO_AUTO)).is_legal();
    let broken = [!context.is_legal(), undefined != 0, bad_base, twice];
    for (rule, broken) in rules.into_iter().zip(broken) {
        if !broken {
            bench.pass(rule);
        }
    }
    if context.is_legal() {
        return;
    }
    let (rule, why) = if undefined != 0 {
        (bits, format!("has the undefined bits {undefined:#x}"))
    } else if bad_base {
        (
            base,
            "is none of the contexts 0x0, 0x10, 0x19 and 0x9, with or without a recovery attribute"
                .to_owned(),
        )
    } else {
        (legal, "has both ATTR_AUTO_RECOVERY and ATTR_NO_AUTO_RECOVERY".to_owned())
    };
    let message = format!("Context {:#x} {why}", context.0);
    bench.fail(Topic::Value("Context"), rule, case.place, message, |finding| {
        finding.with_rules(
            [(legal, true), (base, bad_base), (both, twice)]
                .iter()
                .filter(|of| of.1)
                .map(|of| of.0),
        );
        finding.with_octets(case.call, Side::Client, "Context", &format!("{:#x}", context.0));
    });
}

fn nil_ids(case: &Case<'_, '_>, request: &Request, bench: &mut Bench<'_>) {
    let ids = guards::ids(request);
    if !ids.is_empty() {
        let kept = !ids.iter().any(Guid::is_nil);
        let name = say::method(case.act.opnum);
        let what = || format!("{name} names a set or copy by a nil id");
        bench.expect(
            kept,
            Topic::Value("ShadowCopySetId"),
            "FSRVP-3.1.4-10",
            case.place,
            what,
            |finding| {
                finding.with_octets(case.call, Side::Client, "ShadowCopySetId", "id of the set");
            },
        );
    }
    if let Request::AddToShadowCopySet(of) = request
        && of.client_shadow_copy_id.is_nil()
    {
        let message = "ClientShadowCopyId is nil; a server may refuse it".to_owned();
        bench.fail(
            Topic::Value("ClientShadowCopyId"),
            "FSRVP-3.2.4.2.2-04",
            case.place,
            message,
            |finding| {
                finding.with_rules(["FSRVP-3.1.4.4-21"]);
                finding.with_octets(case.call, Side::Client, "ClientShadowCopyId", "nil");
            },
        );
    }
}

fn share(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = match case.act.opnum {
        3 => "FSRVP-3.1.4.4-19",
        8 => "FSRVP-3.1.4.9-01",
        9 => "FSRVP-3.1.4.10-01",
        _ => return,
    };
    let Some(share) = case.act.share() else { return };
    let what = || format!(r"ShareName {share:?} is not of the form \\host\share");
    bench.expect(is_unc(share), Topic::Value("ShareName"), rule, case.place, what, |finding| {
        finding.with_octets(case.call, Side::Client, "ShareName", "not a UNC name");
    });
}

fn time_out(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let Some(time_out) = case.act.time_out() else { return };
    let (rule, usual) = match case.act.opnum {
        12 => ("FSRVP-3.2.3-03", 1_800_000),
        4 => ("FSRVP-3.2.3-04", 60_000),
        _ => ("FSRVP-3.2.3-05", 1_800_000),
    };
    let name = say::method(case.act.opnum);
    let topic = Topic::Value("TimeOutInMilliseconds");
    let what = || format!("TimeOutInMilliseconds of {name} is {time_out}; Windows sends {usual}");
    bench.expect(time_out == usual, topic, rule, case.place, what, |finding| {
        finding.with_octets(
            case.call,
            Side::Client,
            "TimeOutInMilliseconds",
            &format!("{time_out} ms"),
        );
    });
    let what = || {
        format!(
            "TimeOutInMilliseconds of {name} is {time_out}: no server makes a copy in that time"
        )
    };
    bench.expect(time_out >= TOO_SHORT, topic, "FSRVP-3.2.3-06", case.place, what, |finding| {
        finding.with_octets(
            case.call,
            Side::Client,
            "TimeOutInMilliseconds",
            &format!("{time_out} ms"),
        );
    });
}
