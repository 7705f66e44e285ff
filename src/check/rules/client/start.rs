//! The way to a set: `IsPathSupported`, `GetSupportedVersion`, `SetContext`, Start (3.2.4.2).

use std::net::IpAddr;

use super::super::Case;
use super::memory::{Memory, Strangers, is_set_busy};
use super::people::{Client, Opened};
use super::{subject, wrong};
use crate::bytes::{Guid, Side};
use crate::check::act::{host_of, share_key};
use crate::check::bench::{Bench, Place, Topic};
use crate::check::finding::{Certainty, Severity};
use crate::check::guards::ABORT_BLOCK;
use crate::check::say;
use crate::check::tracker::SECOND;
use crate::check::world::TimerState;
use crate::protocol::fsrvp::Request;

/// After how long a server may be done with what the client has begun.
pub(super) const SHORT_TIMER: i64 = 180 * SECOND;

pub(super) fn asked(memory: &Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let Some(client) = memory.client(case.act.client) else { return };
    if case.act.opnum <= 2 {
        same_pipe(memory, case, bench);
    }
    match case.act.opnum {
        1 => {
            version_first(memory, client, case, bench);
            version_too_high(client, case, "FSRVP-3.2.4.2.1-07", &["FSRVP-3.2.3-07"], bench);
            in_a_row(client, case, bench);
        }
        2 => {
            context_first(memory, client, case, bench);
            again(memory, case, bench);
            after_abort(client, case, bench);
        }
        3 => {
            set_first(memory, client, case, bench);
            path_first(memory, client, case, bench);
        }
        11 => version_too_high(client, case, "FSRVP-3.2.4.8-02", &[], bench),
        _ => {}
    }
}

/// The connection that `IsPathSupported` was asked on is closed.
fn same_pipe(memory: &Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.2.1-04";
    match memory.pipes.get(&case.act.channel).map(|pipe| pipe.path) {
        Some(Some(path)) => {
            let message = format!(
                "{} goes over the connection that IsPathSupported was asked on",
                subject(case)
            );
            bench.fail(Topic::Transport, rule, case.place, message, |finding| {
                if case.act.request.is_none() {
                    finding.at_most(Severity::Note, Certainty::Possible);
                }
                finding.with_call(path, "IsPathSupported on the same connection");
            });
        }
        Some(None) => bench.pass(rule),
        None => {}
    }
}

/// `GetSupportedVersion` comes before `SetContext`; on which connection is left to the client here.
fn version_first(memory: &Memory, client: &Client, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.2.1-06";
    let pipe = memory.pipes.get(&case.act.channel);
    if client.asked_version.is_some() {
        bench.pass(rule);
    } else if client.whole || pipe.is_some_and(|pipe| pipe.fresh && !pipe.version) {
        let message = "SetContext comes without a GetSupportedVersion before".to_owned();
        wrong(case, bench, rule, message, |finding| {
            if !client.whole {
                finding.at_most(Severity::Note, Certainty::Possible);
            }
        });
    } else {
        bench.unseen(rule, "the beginning of the conversation was not seen");
    }
}

fn version_too_high(
    client: &Client,
    case: &Case<'_, '_>,
    rule: &str,
    also: &[&str],
    bench: &mut Bench<'_>,
) {
    let Some((call, min)) = client.version else { return };
    let what =
        || format!("{} follows, although the server wants version {min} at least", subject(case));
    bench.expect(min <= 1, Topic::Order, rule, case.place, what, |finding| {
        finding.with_rules(also.iter().copied());
        finding.with_call(call, "GetSupportedVersion told MinVersion");
    });
}

/// `SetContext` is followed by Start.
fn in_a_row(client: &Client, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.2.1-11";
    let Some((since, place, refused)) = &client.set_context else { return };
    let gap = case.act.asked.since(*since);
    // To ask again after a refusal is right; to ask for ever is not.
    if client.row == 0 || (*refused && client.row != 2) {
        return;
    }
    let message = if gap > SHORT_TIMER + bench.slack && !refused {
        format!(
            "SetContext comes again after {}, with no StartShadowCopySet between",
            say::seconds(gap)
        )
    } else {
        format!("{} SetContext in a row, with no StartShadowCopySet between", client.row + 1)
    };
    wrong(case, bench, rule, message, |finding| {
        if let Some(call) = place.call {
            finding.with_call(call, "the SetContext before");
        }
    });
}

/// Start comes after the client's own `SetContext`.
fn context_first(memory: &Memory, client: &Client, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let owner_rule = "FSRVP-3.1.4.3-02";
    if memory.is_waiting(case, |act| matches!(act.opnum, 1 | 6 | 7)) {
        return;
    }
    let readable = case.act.request.is_some();
    if let Some((call, status)) = client.context_failed {
        let status = say::code(status);
        let message =
            format!("StartShadowCopySet comes although SetContext (call {call}) returned {status}");
        wrong(case, bench, "FSRVP-3.2.4.2.1-10", message, |finding| {
            // Its earlier context may still be there.
            if matches!(client.opened, Opened::Yes(_)) {
                finding.at_most(Severity::Warning, Certainty::Likely);
            }
            finding.with_call(call, "SetContext failed");
        });
    } else if matches!(client.opened, Opened::Yes(_)) {
        bench.pass("FSRVP-3.2.4.2.1-10");
    }
    let other = memory.clients().find_map(|(ip, other)| {
        let Opened::Yes(call) = other.opened else { return None };
        let strangers = memory.strangers(ip, case.act.client);
        (strangers != Strangers::No && owns(memory, case, ip)).then_some((ip, call, strangers))
    });
    let related = match client.opened {
        Opened::Yes(_) => return bench.pass(owner_rule),
        Opened::Unknown => {
            return bench.unseen(owner_rule, "what the client did before was not seen");
        }
        Opened::Never => None,
        Opened::Ended(call) => Some(call),
    };
    if !readable {
        return;
    }
    let perhaps = other.is_some_and(|(_, _, strangers)| strangers == Strangers::Perhaps);
    let since = related.map_or("since the capture began".to_owned(), |call| {
        format!("since call {call} ended its sequence")
    });
    let message = format!("StartShadowCopySet comes without a SetContext of this client {since}");
    wrong(case, bench, owner_rule, message, |finding| {
        if perhaps {
            finding.at_most(Severity::Note, Certainty::Possible);
        }
        if let Some(call) = related {
            finding.with_call(call, "ended the sequence of this client");
        }
    });
    if let Some((ip, call, _)) = other {
        let message = format!("StartShadowCopySet comes while the context is that of {ip}");
        wrong(case, bench, "FSRVP-3.1.4.3-17", message, |finding| {
            if perhaps {
                finding.at_most(Severity::Note, Certainty::Possible);
            }
            finding.with_call(call, format!("SetContext of {ip}"));
        });
    }
}

/// Whether the server may still hold the context for this client.
fn owns(memory: &Memory, case: &Case<'_, '_>, ip: IpAddr) -> bool {
    case.tracker.worlds.iter().any(|world| {
        let over = match world.timer.state {
            TimerState::Armed(armed) => case.act.asked > armed.latest,
            _ => false,
        };
        let owner = world.open.and_then(|open| open.owner);
        !over && owner.is_some_and(|owner| memory.key(owner) == ip)
    })
}

/// A set is started once.
fn again(memory: &Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.2-01";
    let Some(Request::StartShadowCopySet(of)) = &case.act.request else { return };
    let key = memory.key(case.act.client);
    let alive = |id: &&Guid| {
        memory.sets.get(id).is_some_and(|set| {
            set.client == Some(key)
                && set.client_id == Some(of.client_shadow_copy_set_id)
                && case.act.asked.since(set.touched) < SHORT_TIMER - bench.slack
        })
    };
    match memory.watched.iter().find(alive) {
        None => bench.pass(rule),
        Some(_) if memory.is_waiting(case, |act| act.names_set() || act.opnum == 1) => {}
        Some(id) => {
            let start = memory.sets.get(id).and_then(|set| set.start);
            let client_id = say::short(of.client_shadow_copy_set_id);
            let message = format!(
                "ClientShadowCopySetId {client_id} is started again, while its set {} is unfinished",
                say::short(*id)
            );
            wrong(case, bench, rule, message, |finding| {
                finding.with_octets(
                    case.call,
                    Side::Client,
                    "ClientShadowCopySetId",
                    "the same as before",
                );
                if let Some(call) = start {
                    finding.with_call(call, "started the set");
                }
            });
        }
    }
}

/// Windows refuses a new set for half an hour after an Abort.
fn after_abort(client: &Client, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.1.4.3-16";
    let Some((since, call)) = client.aborted else { return };
    let gap = case.act.asked.since(since);
    let what = || {
        format!(
            "StartShadowCopySet comes {} after this client aborted a set with shares: Windows refuses it for 1800 s",
            say::seconds(gap)
        )
    };
    bench.expect(gap >= ABORT_BLOCK, Topic::Order, rule, case.place, what, |finding| {
        finding.with_call(call, "AbortShadowCopySet");
    });
}

/// There is a set to add to.
fn set_first(memory: &Memory, client: &Client, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.2-02";
    let Some(id) = case.act.set() else { return };
    if client.starts > 0 {
        return bench.pass(rule);
    }
    if !client.whole {
        return bench.unseen(rule, "the beginning of the conversation was not seen");
    }
    let other = memory.sets.get(&id).and_then(|set| Some((set.client?, set.start?)));
    let strangers = other.map(|(ip, _)| memory.strangers(ip, case.act.client));
    let whose = other.map_or(String::new(), |(ip, _)| format!("; the set is that of {ip}"));
    let message =
        format!("{} comes, although this client has started no set{whose}", subject(case));
    wrong(case, bench, rule, message, |finding| {
        if strangers == Some(Strangers::Perhaps) {
            finding.at_most(Severity::Note, Certainty::Possible);
        }
        if let Some((_, call)) = other {
            finding.with_call(call, "started the set");
        }
    });
}

/// `IsPathSupported` comes first, and its answer counts.
fn path_first(memory: &Memory, client: &Client, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.2.1-01";
    let Some(share) = case.act.share() else { return };
    let (host, key) = (host_of(share), share_key(share));
    let of_name = || client.paths.iter().rev().filter(|path| path.key == key);
    if memory.is_waiting(case, |act| act.opnum == 8) {
        return;
    }
    if let Some(path) = of_name().find(|path| path.host == host)
        && path.said != Ok(true)
        && !client.more_paths
    {
        let (rule, said) = match path.said {
            Ok(_) => ("FSRVP-3.2.4.2.1-02", "FALSE".to_owned()),
            Err(status) => ("FSRVP-3.2.4.2.1-03", say::code(status)),
        };
        let message = format!(
            "{} names {share}, for which IsPathSupported (call {}) said {said}",
            subject(case),
            path.call
        );
        return wrong(case, bench, rule, message, |finding| {
            finding.with_call(path.call, format!("IsPathSupported said {said}"));
        });
    }
    if of_name().any(|path| path.said == Ok(true)) {
        for rule in [rule, "FSRVP-3.2.4.2.1-02", "FSRVP-3.2.4.2.1-03"] {
            bench.pass(rule);
        }
        return;
    }
    // It is asked once, for the share by which the set is started; and of the host of the share,
    // which need not be this server.
    let first =
        memory.set_of(case.act).is_some_and(|set| set.shares.is_empty() && set.refused.is_empty());
    let here = host
        .as_deref()
        .zip(memory.pipes.get(&case.act.channel).and_then(|pipe| pipe.host.as_deref()));
    let is_host = here
        .is_some_and(|(host, called)| super::target::label(host) == super::target::label(called));
    if !first || is_set_busy(case) {
        return;
    }
    if !client.whole || client.more_paths || of_name().next().is_some() {
        return bench.unseen(rule, "the beginning of the conversation was not seen");
    }
    let message =
        format!("{} names {share}, for which IsPathSupported was not asked", subject(case));
    wrong(case, bench, rule, message, |finding| {
        finding.at_most(Severity::Warning, Certainty::Likely);
        if !is_host {
            finding.at_most(Severity::Note, Certainty::Possible);
        }
        if let Some(call) = memory.set_of(case.act).and_then(|set| set.start) {
            finding.with_call(call, "started the set");
        }
    });
}

/// A set was started without a question, and no share was ever named.
pub(super) fn never_asked(place: &Place, bench: &mut Bench<'_>) {
    let message =
        "StartShadowCopySet comes without an IsPathSupported before it at this server".to_owned();
    bench.fail(Topic::Order, "FSRVP-3.2.4.2.1-01", place, message, |finding| {
        finding.at_most(Severity::Note, Certainty::Possible);
    });
}
