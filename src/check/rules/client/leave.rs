//! What a client leaves behind: sets that nobody finishes, copies, open pipes (3.2.4.5, 3.2.4.9).

use super::memory::Memory;
use super::start::{SHORT_TIMER, never_asked};
use crate::bytes::{Guid, Side, Time};
use crate::check::bench::{Bench, Place, Topic};
use crate::check::finding::{Certainty, Severity};
use crate::check::say;
use crate::check::tracker::SECOND;
use crate::pipeline::{Around, What};

/// The longest that the timer leaves a set.
const LONG_TIMER: i64 = 1800 * SECOND;

/// It is `now`: sets whose time has run out, and pipes that nobody closes.
pub(super) fn sweep(memory: &mut Memory, now: Time, bench: &mut Bench<'_>) {
    let slack = bench.slack;
    let late = |since: Time| now.since(since) > LONG_TIMER + slack;
    let is_late = |id: &&Guid| memory.sets.get(*id).is_some_and(|set| late(set.touched));
    let over: Vec<Guid> = memory.watched.iter().filter(is_late).copied().collect();
    for id in &over {
        abandoned(memory, *id, now, bench);
    }
    memory.watched.retain(|id| !over.contains(id));
    for client in memory.clients_mut() {
        let Some((since, place, _)) = client.after_abort.take_if(|(since, ..)| late(*since)) else {
            continue;
        };
        let message = format!(
            "the pipe was left open for {} after AbortShadowCopySet",
            say::seconds(now.since(since))
        );
        bench.fail(Topic::Order, "FSRVP-3.2.4.9-02", &place, message, |_| {});
    }
}

/// A set was left to the timer.
fn abandoned(memory: &Memory, id: Guid, now: Time, bench: &mut Bench<'_>) {
    let Some(set) = memory.sets.get(&id) else { return };
    let Some(key) = set.client else { return };
    let closed = memory.client(key).and_then(|client| client.closed);
    // What has expired before its client left was not left behind.
    let in_time = |at: Time| at.since(set.touched) < SHORT_TIMER;
    let gone = closed
        .is_some_and(|at| in_time(at) && memory.last_asked(key).is_none_or(|asked| asked <= at));
    let (short, gap) = (say::short(id), say::seconds(now.since(set.touched)));
    let (rule, message) = if let Some((call, status)) = set.abort_failed {
        let status = say::code(status);
        let message = format!(
            "set {short} is left after AbortShadowCopySet (call {call}) returned {status}: nothing came for {gap}"
        );
        ("FSRVP-3.2.4.6-04", message)
    } else if set.exposed.is_some() {
        let message = format!(
            "set {short} is Exposed, and neither RecoveryCompleteShadowCopySet nor AbortShadowCopySet came for {gap}"
        );
        ("FSRVP-3.2.4.5-04", message)
    } else if gone {
        let message = format!(
            "the client has closed its connection and left set {short} unfinished: no AbortShadowCopySet came for {gap}"
        );
        ("FSRVP-3.2.4.9-01", message)
    } else {
        return;
    };
    let place = Place { set: Some(id), ..set.place.clone() };
    bench.fail(Topic::Order, rule, &place, message, |finding| {
        finding.at_most(finding.severity, Certainty::Likely);
        if rule == "FSRVP-3.2.4.5-04" && gone {
            finding.with_rules(["FSRVP-3.2.4.9-01"]);
        }
        if let Some(call) = set.start.filter(|call| place.call != Some(*call)) {
            finding.with_call(call, "started the set");
        }
    });
}

/// A pipe is closed right after a finished set was aborted.
pub(super) fn around(memory: &Memory, around: &Around, bench: &mut Bench<'_>) {
    let What::ChannelClosed { channel, by: Some(Side::Client), .. } = &around.what else {
        return;
    };
    let Some(place) = memory.pipes.get(channel).and_then(|pipe| pipe.last_abort.as_ref()) else {
        return;
    };
    let message =
        "AbortShadowCopySet deletes a set that was finished, right before the connection closes"
            .to_owned();
    bench.fail(Topic::Order, "FSRVP-3.2.4.9-03", place, message, |finding| {
        finding.at_most(Severity::Warning, Certainty::Likely);
    });
}

/// The capture has ended.
pub(super) fn finish(memory: &Memory, now: Time, bench: &mut Bench<'_>) {
    for set in memory.sets.values() {
        if let Some(place) = &set.unasked {
            never_asked(place, bench);
        }
    }
    let rest = |id: &Guid| memory.sets.get(id).is_some_and(|set| set.whole);
    for (id, set) in memory.sets.iter().filter(|(id, _)| rest(id)) {
        let deleted = set.shares.iter().filter_map(|share| share.deleted).next_back();
        let left = set.shares.iter().filter(|share| share.deleted.is_none()).count();
        let Some((call, ip)) = deleted.filter(|_| left > 0 && set.aborted.is_none()) else {
            continue;
        };
        if memory.client(ip).is_none_or(|client| client.closed.is_none()) {
            continue;
        }
        let message = format!(
            "the client is gone, and of set {} {left} of {} copies are left",
            say::short(*id),
            set.shares.len()
        );
        bench.fail(Topic::Order, "FSRVP-3.2.4.8-03", &set.place, message, |finding| {
            finding.at_most(Severity::Note, Certainty::Possible);
            finding.with_call(call, "deleted a copy");
        });
    }
    for (_, client) in memory.clients() {
        let Some((since, place, false)) = &client.set_context else { continue };
        let gap = now.since(*since);
        if gap > SHORT_TIMER + bench.slack {
            let message =
                format!("no StartShadowCopySet came for {} after SetContext", say::seconds(gap));
            bench.fail(Topic::Order, "FSRVP-3.2.4.2.1-11", place, message, |finding| {
                finding.at_most(Severity::Note, Certainty::Possible);
            });
        }
    }
}
