//! How the client uses the time that the Message Sequence Timer leaves it (3.1.5).

use super::super::Case;
use super::memory::Memory;
use super::subject;
use crate::check::bench::{Bench, Topic};
use crate::check::finding::Certainty;
use crate::check::say;
use crate::check::tracker::{SECOND, Step};
use crate::check::world::{SetNo, TimerState};

pub(super) fn answered(memory: &Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let Some((step, status)) = case.step.zip(case.act.answer.status()) else { return };
    let Some(no) = step.set else { return };
    if status == 0 {
        narrow(case, step, no, bench);
    } else if say::is_unknown_set(case.act.opnum, status) && step.contradiction.is_none() {
        for_nothing(memory, case, step, no, bench);
    }
}

/// The client asked things that did not help, until its set was gone.
fn for_nothing(
    memory: &Memory,
    case: &Case<'_, '_>,
    step: &Step<'_>,
    no: SetNo,
    bench: &mut Bench<'_>,
) {
    let expiry = step.before.iter().find_map(|world| {
        world.gone.iter().find(|(set, _)| *set == no).and_then(|(_, trail)| trail.late())
    });
    let Some((late, client)) = expiry.zip(memory.client(case.act.client)) else { return };
    let between: Vec<u64> =
        client.idle.iter().filter(|(at, _)| *at > late.since).map(|(_, n)| *n).collect();
    let Some(last) = between.last() else { return };
    let message = format!(
        "{} finds no set: {}; the calls between, {} of them, do not touch the timer",
        subject(case),
        say::late(late, case.act.asked),
        between.len()
    );
    bench.fail(Topic::Explained, "FSRVP-3.1.5-11", case.place, message, |finding| {
        finding.certainty = finding.certainty.min(Certainty::Likely);
        finding.with_call(late.call, format!("started the timer, for {} s", late.seconds));
        finding.with_call(*last, "did not touch the timer");
    });
}

/// The client came late, though not too late.
fn narrow(case: &Case<'_, '_>, step: &Step<'_>, no: SetNo, bench: &mut Bench<'_>) {
    let rule = "FSRVP-3.1.5-12";
    let armed = step.before.iter().find_map(|world| match world.timer.state {
        TimerState::Armed(armed)
            if world.unfinished.as_ref().is_some_and(|u| u.set == Some(no)) =>
        {
            Some(armed)
        }
        _ => None,
    });
    let Some(armed) = armed else { return };
    let gap = case.act.asked.since(armed.since);
    let all = i64::from(armed.seconds).saturating_mul(SECOND);
    let kept = gap <= all / 5 * 4;
    let what = || {
        format!(
            "{} comes {} after {} (call {}), of the {} s that the timer leaves",
            subject(case),
            say::seconds(gap),
            say::method(armed.opnum),
            armed.call,
            armed.seconds
        )
    };
    bench.expect(kept, Topic::Time, rule, case.place, what, |finding| {
        finding.with_call(armed.call, "started the timer");
    });
}
