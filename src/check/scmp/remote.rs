//! Calls of objects, of references to them, and of pings: whether who calls holds what it speaks of.

use super::Case;
use super::message::{DIFF, ENUM_MGMT, ENUM_OBJECT, MGMT, interface_name};
use super::references::RUNDOWN;
use crate::bytes::{Guid, Stop};
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Blame, Certainty, Severity};
use crate::ndr::Data;
use crate::objects::{self, Moved, Object, Phase, Said, Table, Use, Wanted};
use crate::protocol::dcom;

/// `RPC_E_DISCONNECTED`
const DISCONNECTED: u32 = 0x8001_0108;
/// What says that there is no such object: that, `RPC_E_INVALID_OBJECT` and `RPC_E_INVALID_IPID`.
const NOT_THERE: [u32; 3] = [DISCONNECTED, 0x8001_0114, 0x8001_0113];

/// Looks at a call, before which its object stood as `case` says.
pub(super) fn check(case: &Case<'_>, table: &Table, bench: &mut Bench<'_>) {
    whole(case, bench);
    match case.interface {
        dcom::IREMOTESCMACTIVATOR | dcom::IACTIVATION => activation(case, bench),
        dcom::IREMUNKNOWN | dcom::IREMUNKNOWN2 => remote_unknown(case, table, bench),
        dcom::IOBJECTEXPORTER => ping(case, table, bench),
        interface if interface_name(interface).is_some() => used(case, table, bench),
        _ => {}
    }
    for moved in &case.moved {
        match moved {
            Moved::Released { count, before, .. } => released(case, *count, *before, bench),
            Moved::Added(count) => nothing(case, *count, bench),
            Moved::Issued { .. } => {}
        }
    }
}

/// A call to \[MS-SCMP\]: whether its object may be called.
fn used(case: &Case<'_>, table: &Table, bench: &mut Bench<'_>) {
    let place = &case.place;
    let answered = match (case.call.fault(), case.status) {
        (Some(_), _) => "; the server refused it",
        (None, Some(_)) => "; the server answered it all the same",
        _ => "",
    };
    let Some(ipid) = case.call.rpc.object else { return };
    match case.stands {
        Use::Held => {
            bench.pass("SCMP-3.2.4.1-06");
            bench.pass("SCMP-2.1-08");
        }
        Use::Released { call } => bench.fail(
            Topic::Order,
            "SCMP-3.2.4.1-06",
            place,
            format!(
                "{} was called on an object after the client had released its last reference \
                 (call {call}){answered}",
                case.method()
            ),
            |finding| {
                finding.with_call(call, "the last reference was released");
            },
        ),
        Use::Invalid { call } => bench.fail(
            Topic::Order,
            "SCMP-3.2.4.1-01",
            place,
            format!(
                "{} was called on an object that came with an error (call {call}){answered}",
                case.method()
            ),
            |finding| {
                finding.with_call(call, "the error");
            },
        ),
        // Where the server serves it, the reference came by a way that the capture does not have.
        Use::Unknown if !case.call.fault().is_some_and(|fault| NOT_THERE.contains(&fault)) => {}
        Use::Unknown => {
            let rule = match case.interface {
                ENUM_OBJECT => "SCMP-3.1.2-01",
                ENUM_MGMT => "SCMP-3.1.3-01",
                DIFF => "SCMP-3.1.1.4.1-09",
                _ => "SCMP-2.1-08",
            };
            bench.fail(
                Topic::Order,
                rule,
                place,
                format!(
                    "{} was called on the object {ipid}, which no answer in the capture has handed \
                     out{answered}",
                    case.method()
                ),
                |finding| {
                    finding.with_rules(["SCMP-2.1-08", "SCMP-3.1.1.4-04"]);
                    if matches!(case.interface, ENUM_OBJECT | ENUM_MGMT) {
                        finding.with_rules(["SCMP-3.2.4.1-04"]);
                    }
                },
            );
        }
        Use::Unsure => {}
    }
    let Some(object) = table.object(ipid) else { return };
    if let Some(iid) = object.iid.filter(|_| object.origin.is_seen()) {
        bench.expect(
            iid == case.interface,
            Topic::Order,
            "SCMP-1.9-01",
            place,
            || {
                let name = interface_name(iid).map_or_else(|| iid.to_string(), str::to_owned);
                format!("{} was called on a reference to {name}{answered}", case.method())
            },
            |finding| {
                finding.party = Blame::Client;
                finding.with_call(object.origin.call(), "the reference");
            },
        );
    }
    unpinged(case, object, table, bench);
}

/// DCOM: what is held for long is pinged.
fn unpinged(case: &Case<'_>, object: &Object, table: &Table, bench: &mut Bench<'_>) {
    let held = case.call.time.since(object.since);
    if !object.origin.is_seen() || object.unpinged || held < RUNDOWN || table.is_blind() {
        return;
    }
    let pinged = object.oid.and_then(|oid| table.pinged(oid));
    let gone = case.call.fault() == Some(DISCONNECTED);
    bench.expect(
        pinged.is_some(),
        Topic::Time,
        "DCOM-3.1.2.5.1.3-01",
        &case.place,
        || {
            format!(
                "the object has been held for {} s without a ping: a server gives up after about {} s",
                held / 1_000_000_000,
                RUNDOWN / 1_000_000_000
            )
        },
        |finding| {
            finding.with_call(object.origin.call(), "it was handed out");
            if !gone {
                finding.at_most(Severity::Note, Certainty::Possible);
            }
        },
    );
}

/// References that are not whole.
fn whole(case: &Case<'_>, bench: &mut Bench<'_>) {
    for (stub, party) in [(&case.call.request, Blame::Client), (&case.call.response, Blame::Server)]
    {
        if !stub.readable.is_clear() {
            continue;
        }
        for (name, value) in objects::interface_pointers(stub) {
            let Data::Interface(pointer) = &value.target().data else { continue };
            let stop: Option<&Stop> = pointer.stop.as_ref();
            bench.expect(
                stop.is_none(),
                Topic::Value("objref"),
                "DCOM-2.2.18-01",
                &case.place,
                || {
                    let why = stop.map(ToString::to_string).unwrap_or_default();
                    format!("the reference in {name} is not well-formed: {why}")
                },
                |finding| finding.party = party,
            );
        }
    }
}

/// An activation: what was asked for, and what came of it.
fn activation(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(Said::Activated(activation)) = Said::of(case.call) else { return };
    let ours = |iid: &Guid| interface_name(*iid).is_some();
    if !activation.wanted.iter().any(ours) {
        return;
    }
    let place = &case.place;
    let readable = case.call.request.readable.is_clear();
    if readable {
        let first = activation.wanted.iter().filter(|iid| ours(iid)).all(|iid| *iid == MGMT);
        bench.expect(
            first,
            Topic::Order,
            "SCMP-3.2.3-01",
            place,
            || "an interface other than IVssSnapshotMgmt was asked for by activation".to_owned(),
            |finding| {
                finding.with_rules(["SCMP-3.1.1.4.1-09"]);
            },
        );
        let class = activation.class.unwrap_or_default();
        bench.expect(
            class == super::message::CLASS,
            Topic::Value("class"),
            "SCMP-3.2.3-02",
            place,
            || format!("IVssSnapshotMgmt was asked of the class {class}, not of VssSnapshotMgmt"),
            |_| {},
        );
    }
    if let Some(level) = activation.impersonation {
        bench.expect(
            level == 2,
            Topic::Security,
            "SCMP-2.1-04",
            place,
            || format!("the client lets the server impersonate at level {level}, not identify (2)"),
            |_| {},
        );
    }
    if activation.status != Some(0) || !case.call.response.readable.is_clear() {
        return;
    }
    let none = activation.results.iter().all(|of: &Wanted| of.status & 0x8000_0000 != 0);
    let told = activation.results.iter().all(|of| match (&of.reference, of.status) {
        (Some(reference), 0) => of.iid.is_none_or(|iid| iid == reference.iid),
        (None, 0) => false,
        _ => true,
    });
    bench.expect(
        told && (activation.results.is_empty() || !none),
        Topic::State,
        "DCOM-2.2.22.2.9-01",
        place,
        || "the activation succeeded, and gave no interface that was asked for".to_owned(),
        |_| {},
    );
}

/// A call of `IRemUnknown`.
fn remote_unknown(case: &Case<'_>, table: &Table, bench: &mut Bench<'_>) {
    let Some(ipid) = case.call.rpc.object else { return };
    let told: Vec<Guid> =
        table.exporters().filter_map(|(_, exporter)| exporter.rem_unknown).collect();
    // One that was never seen may have been told by an exporter that was not seen either.
    let known = table.object(ipid).filter(|object| object.origin.is_seen());
    let other = known.is_some() && !told.contains(&ipid);
    if !told.is_empty() && !table.is_blind() {
        bench.expect(
            !other,
            Topic::Order,
            "DCOM-3.1.1.5.6-01",
            &case.place,
            || {
                format!(
                    "IRemUnknown was called on {ipid}, which is a reference to another interface"
                )
            },
            |finding| {
                finding.party = Blame::Client;
            },
        );
    }
    // 1.7: an enumerator is no manager.
    let Some(Said::Queried { of, results }) = Said::of(case.call) else { return };
    let Some(asked) = table.object(of).and_then(|object| object.iid) else { return };
    for Wanted { iid, status, .. } in results {
        let Some(iid) = iid.filter(|_| interface_name(asked).is_some()) else { continue };
        let Some(name) = interface_name(iid) else { continue };
        let fits = asked == iid;
        // The object that gives shadow copies may well be the one that has their storage.
        let manages = [MGMT, DIFF].contains(&asked) && [MGMT, DIFF].contains(&iid);
        bench.expect(
            fits || manages || status != 0,
            Topic::State,
            "SCMP-1.7-02",
            &case.place,
            || {
                let was = interface_name(asked).unwrap_or_default();
                format!("the object of {was} gave {name}, which it does not implement")
            },
            |_| {},
        );
    }
}

/// References that a client does not have.
fn released(
    case: &Case<'_>,
    count: objects::Count,
    before: Option<(i64, i64)>,
    bench: &mut Bench<'_>,
) {
    nothing(case, count, bench);
    let Some((public, private)) = before else { return };
    let fits = i64::from(count.public) <= public && i64::from(count.private) <= private;
    bench.expect(
        fits,
        Topic::Order,
        "DCOM-3.1.1.5.6.1-01",
        &case.place,
        || {
            format!(
                "{} public and {} private references to {} were released, of {public} and {private}: \
                 others that hold the object may lose it",
                count.public, count.private, count.ipid
            )
        },
        |finding| {
            case.weaken(finding, None);
        },
    );
}

/// A count of nothing.
fn nothing(case: &Case<'_>, count: objects::Count, bench: &mut Bench<'_>) {
    bench.expect(
        count.public > 0 || count.private > 0,
        Topic::Value("InterfaceRefs"),
        "DCOM-2.2.24-01",
        &case.place,
        || format!("no reference to {} was counted: neither public nor private", count.ipid),
        |_| {},
    );
}

/// Whether any interface pointer of an object is held.
fn is_live(table: &Table, oid: u64) -> bool {
    table.objects().into_iter().any(|object| object.oid == Some(oid) && object.is_held())
}

/// Pings name sets that there are.
fn ping(case: &Case<'_>, table: &Table, bench: &mut Bench<'_>) {
    /// `OR_INVALID_SET`
    const INVALID_SET: u32 = 0x778;
    let set = match Said::of(case.call) {
        Some(Said::Pinged { set }) => set,
        Some(Said::Changed { asked, .. }) if asked != 0 => asked,
        _ => return,
    };
    bench.expect(
        case.status != Some(INVALID_SET),
        Topic::Order,
        "DCOM-3.1.2.5.1.2-01",
        &case.place,
        || format!("the set 0x{set:016x} was pinged, which the server does not know"),
        |_| {},
    );
    // What is released need not be pinged.
    let Some(known) = table.ping_set(set).filter(|known| known.sure) else { return };
    let over = |object: &&Object| match object.phase {
        Phase::Released { time, .. } => case.call.time.since(time) > RUNDOWN,
        _ => false,
    };
    let kept = table.objects().into_iter().find(|object| {
        over(object)
            && object.oid.is_some_and(|oid| known.oids.contains(&oid) && !is_live(table, oid))
    });
    bench.expect(
        kept.is_none(),
        Topic::Time,
        "DCOM-3.1.2.5.1.3-02",
        &case.place,
        || "an object is pinged that was released long ago".to_owned(),
        |finding| {
            if let Some(Phase::Released { call, .. }) = kept.map(|object| object.phase) {
                finding.with_call(call, "it was released");
            }
        },
    );
}
