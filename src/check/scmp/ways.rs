//! How clients come to the service: activation, binds, security, and what happens beside the calls.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use super::calls::E_ACCESSDENIED;
use super::message::Query;
use super::{Case, interface_name};
use crate::bytes::{Guid, Side, Time, index};
use crate::call::{Outcome, Transport};
use crate::check::bench::{Bench, Place, Topic};
use crate::check::chart::is_weak;
use crate::check::finding::Blame;
use crate::ndr::Value;
use crate::objects::{Moved, Said};
use crate::pipeline::{Around, BindAnswer, Bound, What};
use crate::protocol::dcom;
use crate::rpc::names::{PROVIDER_REASONS, RESULTS, named};
use crate::rpc::{Auth, ChannelId};

/// Connections, users and methods of one server that are told apart.
const MAX_KNOWN: usize = 4096;
/// Octets of a request that are remembered.
const MAX_REQUEST: usize = 4096;
/// Levels of authentication: [MS-RPCE] 2.2.1.1.8.
const NONE: u8 = 1;
const INTEGRITY: u8 = 5;
const PRIVACY: u8 = 6;
/// Result of a presentation context, and its reason: it is not known here.
const NOT_SUPPORTED: (u16, u16) = (2, 1);

/// What is remembered of the ways.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// Interfaces of which the server has handed out references. Added by answers, no more than
    /// [`MAX_KNOWN`]; empty again when it may have been started anew.
    given: BTreeSet<Guid>,
    /// Connections whose security was told of. Added by the first call on each, no more than
    /// [`MAX_KNOWN`].
    told: BTreeSet<(ChannelId, u8)>,
    /// Whether a user was let do something, by connection, interface and opnum. Added by answers, no
    /// more than [`MAX_KNOWN`].
    allowed: FxHashMap<(ChannelId, Guid, u16), (bool, u64)>,
    /// Calls without an answer. Added when that is known, no more than [`MAX_KNOWN`]; removed with the
    /// connection, whose end follows at once.
    unanswered: Vec<(ChannelId, String, Place)>,
    /// What each object last refused: the request, the result, how often in a row and since when.
    /// Added by failures, no more than [`MAX_KNOWN`].
    refused: FxHashMap<Guid, Refused>,
}

/// A request that fails again and again.
#[derive(Debug)]
struct Refused {
    request: Vec<u8>,
    opnum: u16,
    status: u32,
    times: u32,
    since: Time,
}

impl Ways {
    /// A call is over.
    pub(super) fn answered(&mut self, case: &Case<'_>, bench: &mut Bench<'_>) {
        let ours = interface_name(case.interface).is_some();
        orpc(case, bench);
        for moved in &case.moved {
            if let Moved::Issued { reference, .. } = moved
                && self.given.len() < MAX_KNOWN
            {
                self.given.insert(reference.iid);
            }
        }
        if ours {
            self.protected(case, bench);
            transport(case, bench);
            self.access(case, bench);
        }
        match case.interface {
            dcom::IREMOTESCMACTIVATOR | dcom::IACTIVATION => activation(case, bench),
            dcom::IREMUNKNOWN | dcom::IREMUNKNOWN2 if case.opnum == 5 => {
                let auth = &case.call.rpc.auth;
                bench.expect(
                    *auth == Auth::UNTOLD || auth.level > NONE,
                    Topic::Security,
                    "SCMP-2.1-05",
                    &case.place,
                    || "references were released without authentication".to_owned(),
                    |_| {},
                );
            }
            _ => {}
        }
        if ours {
            self.answer(case, bench);
            self.again(case, bench);
        }
    }

    /// A call that has no answer, or a late one.
    fn answer(&mut self, case: &Case<'_>, bench: &mut Bench<'_>) {
        /// Nanoseconds.
        const LONG: i64 = 30_000_000_000;
        if case.call.outcome == Outcome::NoResponse {
            if !case.call.rpc.near_loss && self.unanswered.len() < MAX_KNOWN {
                let place = case.place.clone();
                self.unanswered.push((case.call.rpc.channel, case.method(), place));
            }
            return;
        }
        let Some(elapsed) = case.call.elapsed else { return };
        bench.expect(
            elapsed <= LONG,
            Topic::Time,
            "DCOM-2.1-03",
            &case.place,
            || format!("{} took {} s", case.method(), elapsed / 1_000_000_000),
            |_| {},
        );
    }

    /// The same request on the same object, again and again, although it fails in the same way.
    fn again(&mut self, case: &Case<'_>, bench: &mut Bench<'_>) {
        /// Nanoseconds.
        const SOON: i64 = 1_000_000_000;
        /// How often.
        const OFTEN: u32 = 3;
        let (Some(object), Some(request)) = (case.call.rpc.object, &case.call.rpc.request) else {
            return;
        };
        let Some(status) = case.status.filter(|_| case.failed()) else {
            self.refused.remove(&object);
            return;
        };
        let stub = case.call.request.arguments(&request.stub).bytes();
        let from = case.call.request.orpc.as_ref().map_or(0, |orpc| orpc.used);
        let asked = stub.get(index(from)..).unwrap_or_default();
        let now = case.call.time;
        let known = self.refused.get_mut(&object).filter(|known| {
            known.opnum == case.opnum
                && known.status == status
                && known.request == asked
                && now.since(known.since) <= SOON
        });
        let Some(known) = known else {
            if asked.len() <= MAX_REQUEST && self.refused.len() < MAX_KNOWN {
                let (request, opnum) = (asked.to_vec(), case.opnum);
                let refused = Refused { request, opnum, status, times: 1, since: now };
                self.refused.insert(object, refused);
            }
            return;
        };
        known.times = known.times.saturating_add(1);
        let times = known.times;
        bench.expect(
            times != OFTEN,
            Topic::Order,
            "SCMP-3.1.1.4-06",
            &case.place,
            || format!("{} was asked the same {times} times, and failed each time", case.method()),
            |_| {},
        );
    }

    /// How calls are protected; told once for each connection and level.
    fn protected(&mut self, case: &Case<'_>, bench: &mut Bench<'_>) {
        let auth: &Auth = &case.call.rpc.auth;
        if *auth == Auth::UNTOLD {
            return;
        }
        let level = auth.level;
        let first = self.told.len() < MAX_KNOWN && self.told.insert((case.call.rpc.channel, level));
        if first {
            bench.expect(
                level >= PRIVACY,
                Topic::Security,
                "SCMP-2.1-03",
                &case.place,
                || {
                    let how = match level {
                        INTEGRITY => "signed and not sealed",
                        NONE => "not authenticated",
                        _ => "authenticated, and neither signed nor sealed",
                    };
                    format!("calls to {} are {how}: Windows seals them", case.method())
                },
                |_| {},
            );
        }
        // 3.1.1.4: a server knows who asks.
        let nobody = level <= NONE || auth.principal.as_deref() == Some("\\");
        if case.succeeded() {
            bench.expect(
                !nobody,
                Topic::Security,
                "SCMP-3.1.1.4-01",
                &case.place,
                || format!("{} was answered for somebody who did not say who he is", case.method()),
                |_| {},
            );
            let changes = case.interface == super::message::DIFF && matches!(case.opnum, 3 | 4);
            if changes {
                bench.expect(
                    !nobody,
                    Topic::Security,
                    "SCMP-3.1.1.4-02",
                    &case.place,
                    || format!("{} changed the server for nobody in particular", case.method()),
                    |_| {},
                );
            }
        }
    }

    /// Whether a user is let do now what it was not before, and the other way round.
    fn access(&mut self, case: &Case<'_>, bench: &mut Bench<'_>) {
        let denied = case.status == Some(E_ACCESSDENIED) || case.call.fault() == Some(5);
        if !denied && !case.succeeded() {
            return;
        }
        if denied {
            bench.fail(
                Topic::Explained,
                "SCMP-2.1-07",
                &case.place,
                format!(
                    "{} was denied{}: the account is in none of the groups that may manage shadow \
                     copies",
                    case.method(),
                    case.call
                        .rpc
                        .auth
                        .principal
                        .as_deref()
                        .map(|user| format!(" to {user}"))
                        .unwrap_or_default()
                ),
                |finding| {
                    finding.with_rules(["SCMP-1.5-02"]);
                },
            );
        }
        let key = (case.call.rpc.channel, case.interface, case.opnum);
        let n = case.call.rpc.n;
        let known = self.allowed.get(&key).copied();
        if self.allowed.len() < MAX_KNOWN || known.is_some() {
            self.allowed.insert(key, (!denied, n));
        }
        let (Some((before, call)), Some(rule)) = (known, access_rule(case)) else { return };
        bench.expect(
            before != denied,
            Topic::State,
            rule,
            &case.place,
            || {
                let now = if denied { "denied" } else { "granted" };
                format!("{} was {now} to an account, other than before", case.method())
            },
            |finding| {
                finding.with_call(call, "the same was asked before");
            },
        );
    }

    /// Something beside the calls.
    pub(super) fn around(&mut self, around: &Around, bench: &mut Bench<'_>) {
        match &around.what {
            What::ChannelClosed { channel, by, .. } => {
                if *by != Some(Side::Client) {
                    self.given.clear();
                }
                return self.ended(*channel, by.is_some(), bench);
            }
            What::Unreachable { how, syns, .. } => {
                let place = Place::around(around.time, around.frame, Some(around.client.ip()));
                return bench.fail(
                    Topic::Explained,
                    "DCOM-2.1-02",
                    &place,
                    format!(
                        "the activation named port {} for objects, and the client did not reach it: \
                         {how}, {syns} times",
                        around.server.port()
                    ),
                    |_| {},
                );
            }
            _ => {}
        }
        let What::Bound(bound) = &around.what else { return };
        let Some(syntax) = bound.interface else { return };
        let place = Place::around(around.time, around.frame, Some(around.client.ip()));
        if let Some(name) = interface_name(syntax.uuid) {
            self.bound(bound, (syntax.major, syntax.minor), name, &place, bench);
        }
    }

    /// A connection is gone: what it has not answered stays so, unless the capture has ended.
    fn ended(&mut self, channel: ChannelId, surely: bool, bench: &mut Bench<'_>) {
        for (of, method, place) in std::mem::take(&mut self.unanswered) {
            if of != channel || !surely {
                bench.unseen("DCOM-2.1-03", "the capture ends before the answer");
                continue;
            }
            bench.fail(
                Topic::Time,
                "DCOM-2.1-03",
                &place,
                format!("{method} was not answered before its connection ended"),
                |_| {},
            );
        }
    }

    fn bound(
        &self,
        bound: &Bound,
        version: (u16, u16),
        name: &str,
        place: &Place,
        bench: &mut Bench<'_>,
    ) {
        bench.expect(
            version == (0, 0),
            Topic::Transport,
            "SCMP-2.1-02",
            place,
            || {
                let (major, minor) = version;
                format!("{name} was bound with version {major}.{minor}; its version is 0.0")
            },
            |finding| finding.party = Blame::Client,
        );
        bench.expect(
            bound.tcp,
            Topic::Transport,
            "SCMP-1.7-01",
            place,
            || {
                let pipe = bound.pipe.as_deref().unwrap_or("?");
                format!("{name} was bound over the pipe {pipe}: it is served over TCP only")
            },
            |_| {},
        );
        let given = bound.interface.is_some_and(|of| self.given.contains(&of.uuid));
        if let BindAnswer::Refused(result, reason) = bound.answer {
            let unknown = (result, reason) == NOT_SUPPORTED && version == (0, 0);
            bench.expect(
                !(unknown && given),
                Topic::State,
                "SCMP-1.7-03",
                place,
                || {
                    format!(
                        "the server does not know {name} ({}, {}), and has handed out references to \
                         it",
                        named(RESULTS, result.into()),
                        named(PROVIDER_REASONS, reason.into())
                    )
                },
                |_| {},
            );
        }
    }
}

/// The rule about who may call a method.
fn access_rule(case: &Case<'_>) -> Option<&'static str> {
    use super::message::{DIFF, MGMT};
    let query = |query: Query| match query {
        Query::Volumes => "SCMP-3.1.1.4.2-15",
        Query::Snapshots => "SCMP-3.1.1.4.3-15",
        Query::DiffVolumes => "SCMP-3.1.4.4.4-15",
        Query::AreasFor => "SCMP-3.1.4.4.5-15",
        Query::AreasOn => "SCMP-3.1.4.4.6-15",
    };
    Some(match (case.interface, case.opnum) {
        (MGMT, 3) => "SCMP-3.1.1.4.1-07",
        (MGMT, 4) => query(Query::Volumes),
        (MGMT, 5) => query(Query::Snapshots),
        (DIFF, 3) => "SCMP-3.1.4.4.2-10",
        (DIFF, 4) => "SCMP-3.1.4.4.3-14",
        (DIFF, 5) => query(Query::DiffVolumes),
        (DIFF, 6) => query(Query::AreasFor),
        (DIFF, 7) => query(Query::AreasOn),
        _ => return None,
    })
}

/// 1.7: TCP is what carries it.
fn transport(case: &Case<'_>, bench: &mut Bench<'_>) {
    bench.expect(
        matches!(case.call.transport, Transport::Tcp),
        Topic::Transport,
        "SCMP-1.7-01",
        &case.place,
        || format!("{} was called over a named pipe: it is served over TCP only", case.method()),
        |_| {},
    );
}

/// `ORPCTHIS`: its version, what is reserved, and the causality.
fn orpc(case: &Case<'_>, bench: &mut Bench<'_>) {
    let Some(this) = case.call.request.orpc() else { return };
    let number = |value: Option<&Value>| value.and_then(Value::as_u32);
    let version = this.field("version");
    let major = number(version.and_then(|version| version.field("MajorVersion")));
    let minor = number(version.and_then(|version| version.field("MinorVersion")));
    let reserved = number(this.field("reserved1"));
    let (Some(major), Some(minor), Some(reserved)) = (major, minor, reserved) else { return };
    bench.expect(
        major == 5 && (1..=7).contains(&minor) && reserved == 0,
        Topic::Value("ORPCTHIS"),
        "DCOM-2.2.13.3-01",
        &case.place,
        || format!("ORPCTHIS has version {major}.{minor} and reserved1 {reserved}"),
        |_| {},
    );
    if let Some(cid) = this.field("cid").and_then(Value::as_guid) {
        bench.expect(
            !cid.is_nil(),
            Topic::Value("ORPCTHIS"),
            "DCOM-2.2.1-01",
            &case.place,
            || "the causality of a call is nil".to_owned(),
            |_| {},
        );
    }
}

/// An activation that failed.
fn activation(case: &Case<'_>, bench: &mut Bench<'_>) {
    /// `REGDB_E_CLASSNOTREG`, `CO_E_SERVER_EXEC_FAILURE` and `E_RPC_SERVER_UNAVAILABLE`
    const NOT_THERE: [u32; 3] = [0x8004_0154, 0x8008_0005, 0x8007_06ba];
    let Some(Said::Activated(activation)) = Said::of(case.call) else { return };
    if !activation.wanted.iter().any(|iid| interface_name(*iid).is_some()) {
        return;
    }
    let Some(status) = activation.status.or(case.call.fault()) else { return };
    bench.expect(
        !NOT_THERE.contains(&status),
        Topic::State,
        "SCMP-3.1.1.3-01",
        &case.place,
        || format!("the server has no service for shadow copies: 0x{status:08x}"),
        |_| {},
    );
    let denied = [E_ACCESSDENIED, 5].contains(&status);
    let weak = is_weak(&case.call.rpc.auth);
    if weak {
        bench.fail(
            Topic::Security,
            "DCOM-2.1-01",
            &case.place,
            if denied {
                "an activation that is not signed was denied: servers of Windows demand packet \
                 integrity since CVE-2021-26414 (KB5004442), and log event 10036"
                    .to_owned()
            } else {
                "an activation that is not signed was taken: servers of Windows deny it since \
                 CVE-2021-26414 (KB5004442)"
                    .to_owned()
            },
            |_| {},
        );
    }
    if denied {
        bench.fail(
            Topic::Explained,
            "SCMP-1.5-02",
            &case.place,
            "the activation was denied: the account may not launch or reach the service",
            |_| {},
        );
    }
}
