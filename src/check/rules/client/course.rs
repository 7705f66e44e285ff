//! The way of a set: Add, Prepare, Commit, Expose, `GetShareMapping`, `RecoveryComplete`, and Abort
//! or `DeleteShareMapping` (3.2.4.2.2 to 3.2.4.9).

use super::super::Case;
use super::known::{Failed, Known};
use super::memory::{Memory, Strangers, is_set_busy};
use super::target::{is_address, label};
use super::{subject, unless_others, wrong};
use crate::bytes::Side;
use crate::check::act::host_of;
use crate::check::bench::{Bench, Topic};
use crate::check::say;
use crate::protocol::fsrvp::{Request, Status};

/// The client goes on after a failure instead of telling its application.
const GOES_ON: &str = "FSRVP-3-02";

pub(super) fn asked(memory: &mut Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    if case.act.request.is_none() {
        return;
    }
    let Some(set) = memory.set_of(case.act) else { return };
    if is_aborted(memory, set, case, bench) {
        return;
    }
    // What is under way may change all of it.
    let busy = is_set_busy(case);
    if !busy {
        match case.act.opnum {
            3 => add(set, case, bench),
            12 => prepare(set, case, bench),
            4 => commit(set, case, bench),
            5 => expose(set, case, bench),
            10 => mapping(set, case, bench),
            6 => recovery(set, case, bench),
            11 => delete(memory, set, case, bench),
            _ => {}
        }
    }
    hosts(memory, case, bench);
}

/// Goes on after a failure: one finding, under all rules that say so.
fn goes_on(case: &Case<'_, '_>, bench: &mut Bench<'_>, rules: &[&str], of: u16, failed: Failed) {
    let Some((main, also)) = rules.split_first() else { return };
    let (call, status) = failed;
    let (name, code) = (say::method(of), say::code(status));
    let message = format!("{} comes although {name} (call {call}) returned {code}", subject(case));
    wrong(case, bench, main, message, |finding| {
        finding.with_rules(also.iter().copied());
        finding.with_rules([GOES_ON].into_iter().filter(|_| *main != GOES_ON));
        if [Status::FSRVP_E_WAIT_TIMEOUT.0, Status::FSRVP_E_WAIT_FAILED.0].contains(&status) {
            finding.with_rules(["FSRVP-2.2.4-02"]);
        }
        finding.with_call(call, format!("{name} returned {code}"));
    });
}

/// A later step was done before an earlier one.
fn after(case: &Case<'_, '_>, bench: &mut Bench<'_>, rule: &str, done: Option<(u16, u64)>) {
    let Some((opnum, call)) = done else { return bench.pass(rule) };
    let name = say::method(opnum);
    let message = format!("{} comes after {name} (call {call}) succeeded", subject(case));
    wrong(case, bench, rule, message, |finding| {
        finding.with_call(call, format!("{name} succeeded"));
    });
}

/// An earlier step is missing.
fn without(case: &Case<'_, '_>, bench: &mut Bench<'_>, rule: &str, set: &Known, missing: &str) {
    let message = format!("{} comes without {missing}", subject(case));
    wrong(case, bench, rule, message, |finding| {
        unless_others(case, finding);
        if let Some(call) = set.start {
            finding.with_call(call, "started the set");
        }
    });
}

const NOT_WHOLE: &str = "not all calls on the set were seen";

fn add(set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let done = [(6, set.recovered), (5, set.exposed), (4, set.committed)];
    let done = done.into_iter().find_map(|(opnum, call)| Some((opnum, call?)));
    after(case, bench, "FSRVP-3.2.4.2.2-01", done);
    if done.is_some() {
        return;
    }
    let prepared = set.prepared.filter(|_| set.commit_failed.is_none()).map(|call| (12, call));
    after(case, bench, "FSRVP-3.2.4.2.2-09", prepared);
    let Some(Request::AddToShadowCopySet(of)) = &case.act.request else { return };
    match set.twin(&of.share_name) {
        None => bench.pass("FSRVP-3.2.4.2.2-02"),
        Some(share) => {
            let before = if share.name == of.share_name {
                "before".to_owned()
            } else {
                format!("as {}", share.name)
            };
            let message =
                format!("{} names {}, which was added {before}", subject(case), of.share_name);
            wrong(case, bench, "FSRVP-3.2.4.2.2-02", message, |finding| {
                finding.with_octets(case.call, Side::Client, "ShareName", "added before");
                finding.with_call(share.call, "added the share");
            });
        }
    }
    let id = of.client_shadow_copy_id;
    let same = |id| set.shares.iter().find(|share| share.client_id == id);
    let twin = same(id).filter(|_| !id.is_nil());
    let what = || format!("ClientShadowCopyId {} is in the set already", say::short(id));
    bench.expect(
        twin.is_none(),
        Topic::Value("ClientShadowCopyId"),
        "FSRVP-3.2.4.2.2-04",
        case.place,
        what,
        |finding| {
            finding.with_octets(case.call, Side::Client, "ClientShadowCopyId", "sent before");
            if let Some(share) = twin {
                finding.with_call(share.call, "sent it first");
            }
        },
    );
}

fn empty(set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) -> bool {
    let rule = "FSRVP-3.2.4.2.2-10";
    if !set.shares.is_empty() {
        bench.pass(rule);
        return false;
    }
    if !set.whole {
        bench.unseen(rule, NOT_WHOLE);
        return false;
    }
    without(case, bench, rule, set, "a share in the set");
    if let Some((_, failed)) = set.refused.last() {
        goes_on(case, bench, &[GOES_ON], 3, *failed);
    }
    true
}

fn prepare(set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    if empty(set, case, bench) {
        return;
    }
    let rule = "FSRVP-3.2.4.2.2-07";
    let Some((share, (call, status))) = set.refused.last() else { return bench.pass(rule) };
    let status = say::code(*status);
    let message = format!(
        "{} goes on without {share}, for which AddToShadowCopySet returned {status}",
        subject(case)
    );
    wrong(case, bench, rule, message, |finding| {
        finding.with_call(*call, format!("AddToShadowCopySet returned {status}"));
    });
}

fn commit(set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let done = set.committed.map(|call| (4, call));
    after(case, bench, "FSRVP-3.2.4.3-04", done);
    if done.is_some() || empty(set, case, bench) {
        return;
    }
    let (fails, first) = ("FSRVP-3.2.4.2.2-11", "FSRVP-3.2.4.2.2-08");
    match (set.prepared, set.prepare_failed) {
        (None, Some(failed)) => goes_on(case, bench, &[fails, first], 12, failed),
        (Some(_), Some(failed)) => goes_on(case, bench, &[fails], 12, failed),
        (Some(_), None) => {
            bench.pass(fails);
            bench.pass(first);
        }
        (None, None) if !set.whole => bench.unseen(first, NOT_WHOLE),
        (None, None) => without(
            case,
            bench,
            first,
            set,
            "a PrepareShadowCopySet since the last share was added",
        ),
    }
}

fn expose(set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let (fails, first) = ("FSRVP-3.2.4.3-03", "FSRVP-3.2.4.4-02");
    if set.committed.is_some() {
        bench.pass(fails);
        bench.pass(first);
        bench.pass("FSRVP-3.2.1.2-01");
    } else if let Some(failed) = set.commit_failed {
        let timeouts = [Status::FSSAGENT_E_TIMEOUT.0, Status::FSRVP_E_WAIT_TIMEOUT.0];
        let mut rules = vec![fails];
        rules.extend(set.whole.then_some(first));
        rules.extend(timeouts.contains(&failed.1).then_some("FSRVP-3.2.1.2-01"));
        goes_on(case, bench, &rules, 4, failed);
    } else if set.whole {
        without(case, bench, first, set, "a CommitShadowCopySet that succeeded");
    } else {
        bench.unseen(first, NOT_WHOLE);
    }
}

fn mapping(set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let (first, fails) = ("FSRVP-3.2.4.4-08", "FSRVP-3.2.4.4-04");
    let gone = case.act.copy().and_then(|id| set.share(id)).and_then(|share| share.deleted);
    deleted(gone, case, bench);
    if let Some(call) = set.recovered {
        let message = format!(
            "{} comes after the set was finished: the client has the answer itself",
            subject(case)
        );
        return wrong(case, bench, "FSRVP-3.2.4.7-01", message, |finding| {
            finding.with_call(call, "finished the set");
        });
    }
    if set.exposed.is_some() {
        bench.pass(first);
        bench.pass(fails);
    } else if let Some(failed) = set.expose_failed {
        let rules = if set.whole { vec![fails, first] } else { vec![fails] };
        goes_on(case, bench, &rules, 5, failed);
    } else if set.whole {
        without(case, bench, first, set, "an ExposeShadowCopySet that succeeded");
    } else {
        bench.unseen(first, NOT_WHOLE);
    }
}

fn recovery(set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.5-02";
    if let Some(call) = set.recovered {
        return after(case, bench, rule, Some((6, call)));
    }
    if set.exposed.is_some() {
        bench.pass(rule);
    } else if let Some(failed) = set.expose_failed {
        let rules =
            if set.whole { vec![rule, "FSRVP-3.2.4.4-04"] } else { vec!["FSRVP-3.2.4.4-04"] };
        return goes_on(case, bench, &rules, 5, failed);
    } else if set.whole {
        return without(case, bench, rule, set, "an ExposeShadowCopySet that succeeded");
    } else {
        bench.unseen(rule, NOT_WHOLE);
    }
    match set.shares.iter().find_map(|share| share.mapping_failed) {
        Some(failed) => goes_on(case, bench, &["FSRVP-3.2.4.4-09"], 10, failed),
        None => bench.pass("FSRVP-3.2.4.4-09"),
    }
    let rule = "FSRVP-3.2.4.4-05";
    let left = |share: &&super::known::Share| !share.asked && share.deleted.is_none();
    match set.shares.iter().find(left) {
        _ if !set.whole => bench.unseen(rule, NOT_WHOLE),
        None => bench.pass(rule),
        Some(share) => {
            let (copy, name) = (say::short(share.id), &share.name);
            let message = format!(
                "{} comes before GetShareMapping was asked for copy {copy} of {name}",
                subject(case)
            );
            wrong(case, bench, rule, message, |finding| {
                unless_others(case, finding);
                finding.with_call(share.call, "added the copy");
            });
        }
    }
}

fn delete(memory: &Memory, set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let Some(copy) = case.act.copy() else { return };
    deleted(set.share(copy).and_then(|share| share.deleted), case, bench);
    let rule = "FSRVP-3.2.4.8-07";
    if set.exposed.is_some() || set.recovered.is_some() {
        bench.pass(rule);
    } else if set.whole && set.aborted.is_none() {
        let state = if set.committed.is_some() { "Committed" } else { "not even Committed" };
        let message =
            format!("{} comes while the set is {state}: it is for finished sets", subject(case));
        wrong(case, bench, rule, message, |finding| {
            unless_others(case, finding);
            if let Some(call) = set.committed.or(set.start) {
                finding.with_call(call, "brought the set this far");
            }
        });
    } else {
        bench.unseen(rule, NOT_WHOLE);
    }
    run(memory, case, bench);
    whole_set(memory, set, case, bench);
}

/// A copy that this client has deleted is forgotten.
fn deleted(gone: Option<(u64, std::net::IpAddr)>, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.8-06";
    let own = gone.filter(|(_, ip)| *ip == case.act.client);
    let Some((call, _)) = own else { return bench.pass(rule) };
    let copy = case.act.copy().map(say::short).unwrap_or_default();
    let message =
        format!("{} names copy {copy} again, which this client has deleted", subject(case));
    wrong(case, bench, rule, message, |finding| {
        finding.with_call(call, "deleted it");
    });
}

/// A run of deletions ends with the first error.
fn run(memory: &Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.8-05";
    let last = memory.client(case.act.client).and_then(|client| client.last.as_ref());
    let Some(last) = last.filter(|last| last.opnum == 11 && last.set == case.act.set()) else {
        return;
    };
    let Some(status) = last.failed.filter(|_| last.copy != case.act.copy()) else {
        return bench.pass(rule);
    };
    let status = say::code(status);
    let message = format!(
        "{} goes on with the next copy, although the one before (call {}) returned {status}",
        subject(case),
        last.n
    );
    wrong(case, bench, rule, message, |finding| {
        finding.with_call(last.n, format!("DeleteShareMapping returned {status}"));
    });
}

/// To delete a whole set begins with `GetSupportedVersion`.
fn whole_set(memory: &Memory, set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.8-01";
    let left = set
        .shares
        .iter()
        .filter(|share| share.deleted.is_none() && Some(share.id) != case.act.copy());
    if set.shares.len() < 2 || left.count() > 0 || !set.whole {
        return;
    }
    let Some(pipe) = memory.pipes.get(&case.act.channel) else { return };
    if !pipe.version && !pipe.fresh {
        return bench.unseen(rule, "the beginning of the conversation was not seen");
    }
    let message = format!(
        "{} deletes the last copy of the set, and no GetSupportedVersion came first",
        subject(case)
    );
    if pipe.version {
        bench.pass(rule);
    } else {
        wrong(case, bench, rule, message, |_| {});
    }
}

/// A set that this client has aborted is forgotten.
fn is_aborted(memory: &Memory, set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) -> bool {
    let own = set.aborted.filter(|(_, ip)| memory.strangers(*ip, case.act.client) == Strangers::No);
    let call = own.map(|(call, _)| (7, call));
    after(case, bench, "FSRVP-3.2.4.6-03", call);
    call.is_some()
}

/// How the host of a share is written.
fn hosts(memory: &mut Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.2.4.2.1-14";
    let share = case.act.share().filter(|_| case.act.opnum == 3);
    let Some((share, id)) = share.zip(case.act.set()) else { return };
    let Some((host, set)) = host_of(share).zip(memory.sets.get_mut(&id)) else { return };
    let other = set.shares.iter().find(|other| {
        host_of(&other.name).is_some_and(|other| other != host && label(&other) == label(&host))
    });
    let (message, related) = match other {
        Some(other) => (
            format!("{share} spells its host otherwise than {} in the same set", other.name),
            Some(other.call),
        ),
        None if set.told_host => return,
        None if is_address(&host) => {
            (format!("{share} has an address for its host; Windows writes the plain name"), None)
        }
        None if label(&host) != host => (
            format!("{share} has a qualified name for its host; Windows writes the plain name"),
            None,
        ),
        None => return bench.pass(rule),
    };
    set.told_host = true;
    bench.fail(Topic::Value("ShareName"), rule, case.place, message, |finding| {
        finding.with_octets(case.call, Side::Client, "ShareName", "the host");
        if let Some(call) = related {
            finding.with_call(call, "spelt it otherwise");
        }
    });
}
