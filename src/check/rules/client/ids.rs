//! Whose ids the client uses: the server's, of its own sets (3.2.4.2.2, 3.2.3).

use super::super::Case;
use super::known::Known;
use super::memory::{Memory, Strangers, is_set_busy};
use super::{subject, wrong};
use crate::bytes::{Guid, Side};
use crate::check::act::share_key;
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Severity};
use crate::check::guards;
use crate::check::say;

pub(super) fn asked(memory: &Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let Some(request) = &case.act.request else { return };
    if guards::ids(request).iter().any(Guid::is_nil) {
        return;
    }
    let Some(id) = case.act.set() else { return };
    if memory.is_issued(case, id) {
        for rule in
            ["FSRVP-3.2.4.2.2-05", "FSRVP-3.1.4.3-18"].into_iter().chain(rule_of(case.act.opnum))
        {
            bench.pass(rule);
        }
        if let Some(set) = memory.sets.get(&id) {
            foreign(memory, set, case, bench);
            copy(memory, set, id, case, bench);
        }
    } else {
        unknown(memory, id, case, bench);
        if let Some(copy) = case.act.copy() {
            client_copy(memory, copy, case, bench);
        }
    }
}

/// The rule that an operation uses an id of the server.
fn rule_of(opnum: u16) -> Option<&'static str> {
    Some(match opnum {
        4 => "FSRVP-3.2.4.3-02",
        5 => "FSRVP-3.2.4.4-03",
        6 => "FSRVP-3.2.4.5-03",
        7 => "FSRVP-3.2.4.6-02",
        11 => "FSRVP-3.2.4.8-04",
        12 => "FSRVP-3.2.4.2.2-12",
        _ => return None,
    })
}

/// The server never gave this id.
fn unknown(memory: &Memory, id: Guid, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    // The answer to a Start that issues it may be under way.
    if case.tracker.flying.iter().any(|flying| flying.act.opnum == 2) {
        return;
    }
    let client = memory.client(case.act.client);
    let opnum = case.act.opnum;
    let sent = memory.client_sets.get(&id).copied();
    let void = client
        .and_then(|client| client.void.iter().find(|(of, _)| *of == id))
        .map(|(_, call)| *call);
    let failed =
        client.and_then(|client| client.start_failed).filter(|_| matches!(opnum, 3 | 4 | 12));
    let complete = case.tracker.all_ids_known && !case.others;
    let mut rules: Vec<&str> = Vec::new();
    let (why, call, note) = if let Some(call) = sent {
        rules.push("FSRVP-3.2.4.2.2-05");
        (
            "it is the client's own ClientShadowCopySetId",
            Some(call),
            "sent it as ClientShadowCopySetId",
        )
    } else if let Some(call) = void {
        ("the StartShadowCopySet that returned it failed", Some(call), "StartShadowCopySet failed")
    } else if complete {
        ("the server has issued no such id", None, "")
    } else {
        if let Some(rule) = rule_of(opnum) {
            bench.unseen(rule, "the id may have been issued before the capture, or to others");
        }
        return;
    };
    if void.is_some() {
        rules.push("FSRVP-3.1.4.3-18");
    }
    rules.extend(rule_of(opnum));
    if failed.is_some() {
        rules.push("FSRVP-3.2.4.2.1-12");
    }
    let Some((main, also)) = rules.split_first() else { return };
    let message = format!("{} names an id that is not the server's: {why}", subject(case));
    bench.fail(Topic::Order, main, case.place, message, |finding| {
        finding.with_rules(also.iter().copied());
        if sent.is_none() && !complete {
            finding.at_most(Severity::Note, Certainty::Possible);
        }
        finding.with_octets(case.call, Side::Client, "ShadowCopySetId", "not issued");
        if let Some(call) = call {
            finding.with_call(call, note);
        }
        if let Some((start, status)) = failed.filter(|(start, _)| Some(*start) != call) {
            finding.with_call(start, format!("StartShadowCopySet returned {}", say::code(status)));
        }
    });
}

/// The set is another client's.
fn foreign(memory: &Memory, set: &Known, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = match case.act.opnum {
        4 => "FSRVP-3.2.4.3-01",
        5 => "FSRVP-3.2.4.4-01",
        6 => "FSRVP-3.2.4.5-01",
        7 => "FSRVP-3.2.4.6-01",
        _ => return,
    };
    let Some(owner) = set.client else { return };
    let strangers = memory.strangers(owner, case.act.client);
    if strangers == Strangers::No {
        return bench.pass(rule);
    }
    let message =
        format!("{} comes from {}, but {owner} started it", subject(case), case.act.client);
    wrong(case, bench, rule, message, |finding| {
        finding.at_most(Severity::Warning, Certainty::Likely);
        // One machine may have several addresses, and tell a `ClientGuid` for each.
        if strangers == Strangers::Perhaps || case.act.opnum == 6 {
            finding.at_most(Severity::Note, Certainty::Possible);
        }
        if let Some(call) = set.start {
            finding.with_call(call, "started the set");
        }
    });
}

/// Copy, set and share belong together.
fn copy(memory: &Memory, set: &Known, id: Guid, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = match case.act.opnum {
        10 => "FSRVP-3.2.4.4-07",
        11 => "FSRVP-3.2.4.8-04",
        _ => return,
    };
    let Some((copy, share)) = case.act.copy().zip(case.act.share()) else { return };
    if client_copy(memory, copy, case, bench) || is_set_busy(case) {
        return;
    }
    let short = say::short(copy);
    let (message, call) = match set.share(copy) {
        Some(known) if known.key == share_key(share) => return bench.pass(rule),
        Some(known) => {
            let added = &known.name;
            (
                format!(
                    "{} names copy {short} with {share}, but it was added as {added}",
                    subject(case)
                ),
                Some(known.call),
            )
        }
        None => match memory.copies.get(&copy) {
            Some(other) if *other != id => {
                let call =
                    memory.sets.get(other).and_then(|set| set.share(copy)).map(|share| share.call);
                (
                    format!(
                        "{} names copy {short}, which is in set {}",
                        subject(case),
                        say::short(*other)
                    ),
                    call,
                )
            }
            // In full: it may resemble one that is.
            _ if set.whole && !case.others => {
                (format!("{} names copy {copy}, which is not in it", subject(case)), None)
            }
            _ => return bench.unseen(rule, "not all copies of the set are known"),
        },
    };
    wrong(case, bench, rule, message, |finding| {
        finding.with_octets(case.call, Side::Client, "ShadowCopyId", "the copy");
        finding.with_octets(case.call, Side::Client, "ShareName", "the share");
        if let Some(call) = call {
            finding.with_call(call, "added the copy");
        }
    });
}

/// Whether the copy is named by the client's own id.
fn client_copy(memory: &Memory, copy: Guid, case: &Case<'_, '_>, bench: &mut Bench<'_>) -> bool {
    let rule = "FSRVP-3.2.4.4-06";
    let sent = memory.client_copies.get(&copy).filter(|_| !memory.copies.contains_key(&copy));
    let Some(call) = sent else {
        bench.pass(rule);
        return false;
    };
    // The answer to an Add that issues it may be under way.
    if case.tracker.flying.iter().any(|flying| flying.act.opnum == 3) {
        return true;
    }
    let message = format!(
        "{} names copy {}, which is the client's own ClientShadowCopyId",
        subject(case),
        say::short(copy)
    );
    wrong(case, bench, rule, message, |finding| {
        if case.act.opnum == 11 {
            finding.with_rules(["FSRVP-3.2.4.8-04"]);
        }
        finding.with_octets(case.call, Side::Client, "ShadowCopyId", "not issued");
        finding.with_call(*call, "sent it as ClientShadowCopyId");
    });
    true
}

/// An id from before the capture is nobody's fault.
pub(super) fn answered(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let Some(status) = case.act.answer.status() else { return };
    let Some(set) = case.act.set().and_then(|id| case.tracker.sets.find(id)) else { return };
    let unseen = case.tracker.sets.get(set).is_some_and(|set| !set.issued && set.way.is_empty());
    if case.idle || !unseen || !say::is_unknown_set(case.act.opnum, status) {
        return;
    }
    let message = format!(
        "{} returned {}: the id may be from before the capture, out of what the client keeps",
        subject(case),
        say::code(status)
    );
    bench.fail(Topic::Explained, "FSRVP-3.2.3-02", case.place, message, |finding| {
        finding.at_most(Severity::Note, Certainty::Possible);
    });
}
