//! What explains an answer that was right (3.1.3, 3.1.5, and the notes of 3.1.4).

use std::net::IpAddr;

use super::Case;
use crate::bytes::Time;
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Severity};
use crate::check::machine::{Answer, View};
use crate::check::say;
use crate::check::tracker::{Outcome, SECOND};
use crate::check::world::{Late, TimerState, Why};
use crate::protocol::fsrvp::Status;

/// Callers remembered.
const MAX_CALLERS: usize = 256;

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Who made the last calls. The oldest goes.
    callers: Vec<(u64, IpAddr)>,
    /// When `GetShareMapping` was last refused so that the timer stands still.
    stopped: Option<(u64, Time)>,
    /// The last sealed call that starts the timer: operation, call, answered.
    sealed: Option<(u16, u64, Time)>,
}

impl Rules {
    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let act = case.act;
        self.sealed(case, bench);
        if let Some(step) = case.step.filter(|step| step.contradiction.is_none()) {
            let outcomes = step.outcomes.as_slice();
            match (act.opnum, act.answer) {
                (_, Answer::Status(0)) => self.success(case, outcomes, bench),
                (opnum, Answer::Status(status)) if say::is_unknown_set(opnum, status) => {
                    expired(case, outcomes, bench);
                }
                (4..=7 | 12, Answer::Status(status)) if status == Status::E_INVALIDARG.0 => {
                    disowned(case, bench);
                }
                (1, Answer::Status(_)) => self.stopped_for_good(case, outcomes, bench),
                (2, Answer::Status(status)) => not_started(case, status, outcomes, bench),
                (4 | 5 | 12, Answer::Status(status)) if status == Status::FSRVP_E_BAD_STATE.0 => {
                    abandoned(case, outcomes, bench);
                }
                _ => {}
            }
            let stops = outcomes
                .iter()
                .any(|o| o.row.keeps.timer.iter().any(|rule| &**rule == "FSRVP-3.1.4.11-19"));
            if stops && act.opnum == 10 {
                self.stopped = act.answered.map(|answered| (act.n, answered));
            } else if outcomes.iter().any(|outcome| outcome.row.timer.is_some()) {
                self.stopped = None;
            }
        }
        if self.callers.len() >= MAX_CALLERS {
            self.callers.remove(0);
        }
        self.callers.push((act.n, act.client));
    }

    /// A success that only looks late.
    fn success(&self, case: &Case<'_, '_>, outcomes: &[Outcome<'_>], bench: &mut Bench<'_>) {
        let act = case.act;
        if act.opnum == 7
            && !outcomes.is_empty()
            && outcomes.iter().all(|o| o.view == View::Recovered && o.before.unfinished.is_some())
        {
            let message =
                "the abort of a finished set has closed the context of another set, which is \
                           unfinished: a Start will be refused, and others may take the context"
                    .to_owned();
            bench.fail(Topic::Explained, "FSRVP-3.1.4.8-10", case.place, message, |_| {});
        }
        if let Some((call, since)) = self.stopped {
            let idle = act.asked.since(since);
            if idle > 180 * SECOND && act.names_set() {
                let message = format!(
                    "{} succeeds {} after GetShareMapping (call {call}) was refused: that refusal stops \
                     the timer and does not start it again",
                    say::method(act.opnum),
                    say::seconds(idle)
                );
                bench.fail(Topic::Explained, "FSRVP-3.1.4.11-19", case.place, message, |finding| {
                    finding.with_call(call, "stopped the timer");
                });
            }
        }
        self.rearmed(case, outcomes, bench);
    }

    /// The timer was started again by another client.
    fn rearmed(&self, case: &Case<'_, '_>, outcomes: &[Outcome<'_>], bench: &mut Bench<'_>) {
        let act = case.act;
        let Some(outcome) = outcomes.first() else { return };
        let TimerState::Armed(armed) = outcome.before.timer.state else { return };
        let by = self.callers.iter().rfind(|(n, _)| *n == armed.call);
        let idle = act.asked.since(armed.since);
        let Some((_, by)) = by.filter(|(_, by)| *by != act.client && idle > 180 * SECOND) else {
            return;
        };
        let message = format!(
            "{} is in time {} after the client's own last call, because {} (call {}) of {by} has \
             started the timer again: there is one for the whole server",
            say::method(act.opnum),
            say::seconds(idle),
            say::method(armed.opnum),
            armed.call
        );
        bench.fail(Topic::Explained, "FSRVP-3.1.5-09", case.place, message, |finding| {
            finding.with_call(armed.call, "started the timer");
        });
    }

    /// The context is blocked for as long as the server runs.
    fn stopped_for_good(
        &self,
        case: &Case<'_, '_>,
        outcomes: &[Outcome<'_>],
        bench: &mut Bench<'_>,
    ) {
        let act = case.act;
        let refused = act.answer == Answer::Status(Status::FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS.0);
        let Some((call, since)) = self.stopped.filter(|_| refused && !outcomes.is_empty()) else {
            return;
        };
        let idle = act.asked.since(since);
        if idle > 1800 * SECOND {
            let message = format!(
                "the context is still taken {} after GetShareMapping (call {call}) was refused: that \
                 stopped the timer, and nothing will free the context but its owner or a restart",
                say::seconds(idle)
            );
            bench.fail(Topic::Explained, "FSRVP-3.1.4.11-20", case.place, message, |finding| {
                finding.with_call(call, "stopped the timer");
            });
        }
    }

    /// 3.1.5-13: with stubs that cannot be read, a long gap is all that shows.
    fn sealed(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let act = case.act;
        let hidden = act.request.is_none() || matches!(act.answer, Answer::Hidden(_));
        if let Some((opnum, call, since)) = self.sealed.filter(|_| hidden) {
            let most = if matches!(opnum, 3 | 10 | 12) { 1800 } else { 180 };
            let gap = act.asked.since(since);
            if matches!(act.opnum, 3..=6 | 10 | 12) && gap > most * SECOND {
                let message = format!(
                    "{} follows {} after {} of silence, and {} leaves {most} s at most: the set has \
                     probably expired",
                    say::method(act.opnum),
                    say::method(opnum),
                    say::seconds(gap),
                    say::method(opnum)
                );
                bench.fail(Topic::Explained, "FSRVP-3.1.5-13", case.place, message, |finding| {
                    finding.at_most(Severity::Note, Certainty::Possible);
                    finding.with_call(call, "was the last to start the timer");
                });
            }
        }
        if matches!(act.opnum, 1..=5 | 10 | 12) {
            self.sealed = act.answered.filter(|_| hidden).map(|at| (act.opnum, act.n, at));
        }
    }
}

/// The set is unknown because its time has run out.
fn expired(case: &Case<'_, '_>, outcomes: &[Outcome<'_>], bench: &mut Bench<'_>) {
    let (act, tracker) = (case.act, case.tracker);
    let Some(step) = case.step else { return };
    let set = step.set.and_then(|no| tracker.sets.get(no));
    let lates: Vec<Option<Late>> = outcomes
        .iter()
        .map(|outcome| tracker.trail(&outcome.before, outcome.view, act, step.set).late().cloned())
        .collect();
    let Some(Some(late)) = lates.first().cloned().filter(|_| lates.iter().all(Option::is_some))
    else {
        return;
    };
    let was = set.and_then(|set| set.way.iter().rfind(|(_, view, _)| *view != View::Gone));
    let was = was.map(|(_, view, _)| *view);
    let mut message = format!("the set has expired: {}", say::late(&late, act.asked));
    if was == Some(View::Exposed) {
        message += "; the shares it had exposed went with it, since RecoveryComplete had not come";
    }
    let trail = outcomes.first().map(|o| tracker.trail(&o.before, o.view, act, step.set));
    let arming: Vec<String> =
        trail.iter().flat_map(|trail| trail.rules.iter()).map(ToString::to_string).collect();
    bench.fail(Topic::Explained, "FSRVP-3.1.5-01", case.place, message, |finding| {
        finding.with_call(late.call, format!("started the timer, for {} s", late.seconds));
        // Why it was so short.
        let short = "FSRVP-3.1.4.4-11";
        finding.with_rules(arming.iter().any(|of| of == short).then_some(short));
        if was == Some(View::Exposed) {
            finding.with_rules(["FSRVP-3.1.5-07"]);
        }
    });
}

/// A server with times of its own does not know a set that it has issued.
fn disowned(case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let act = case.act;
    let set = case.step.and_then(|step| step.set).and_then(|no| case.tracker.sets.get(no));
    let Some(set) = set.filter(|set| set.issued && !set.dead && !bench.profile.timer) else {
        return;
    };
    let Some((since, view, call)) = set.way.last().copied() else { return };
    let message = format!(
        "{} of set {} returned E_INVALIDARG {} after it was {}: this server answers so when it has no such set; \
         its timer, which may be shorter than that of the specification, another client or a restart may have ended the set",
        say::method(act.opnum),
        say::short(set.id),
        say::seconds(act.asked.since(since)),
        view.word()
    );
    bench.fail(Topic::Explained, "FSRVP-3.1.5-01", case.place, message, |finding| {
        finding.at_most(Severity::Note, Certainty::Possible);
        finding.with_call(call, "was the last that the set went on with");
    });
}

/// A Start that was rightly refused.
fn not_started(case: &Case<'_, '_>, status: u32, outcomes: &[Outcome<'_>], bench: &mut Bench<'_>) {
    let act = case.act;
    let all = |is: &dyn Fn(&Outcome<'_>) -> bool| !outcomes.is_empty() && outcomes.iter().all(is);
    if status == Status::FSRVP_E_BAD_STATE.0 {
        let late = outcomes.first().and_then(|outcome| outcome.before.context.late());
        if let Some(late) = late.filter(|_| all(&|o| o.before.context.late().is_some())) {
            let message = format!("there is no context any more: {}", say::late(late, act.asked));
            bench.fail(Topic::Explained, "FSRVP-3.1.5-04", case.place, message, |finding| {
                finding.with_call(late.call, format!("started the timer, for {} s", late.seconds));
            });
        }
        return;
    }
    if status != Status::FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS.0 {
        return;
    }
    if all(&|o| o.before.unfinished.is_none()) {
        let abort = case.tracker.aborts.last();
        let ago = abort.map_or(0, |abort| act.asked.since(abort.answered));
        if let Some(abort) = abort.filter(|_| ago <= 1800 * SECOND) {
            let message = format!(
                "the server starts no set because one was aborted {} ago (call {}): Windows refuses for \
                 30 minutes after the abort of a set that was Added or further",
                say::seconds(ago),
                abort.call
            );
            bench.fail(Topic::Explained, "FSRVP-3.1.4.3-14", case.place, message, |finding| {
                finding.with_call(abort.call, "aborted a set");
            });
        }
        return;
    }
    let orphan = |outcome: &Outcome<'_>| {
        let trail = outcome.before.unfinished.as_ref().map(|unfinished| &unfinished.trail);
        trail.is_some_and(|trail| trail.rules.iter().any(|rule| &**rule == "FSRVP-3.1.3-04"))
    };
    if all(&orphan) {
        let message =
            "a set that was unfinished when its context ended is still in the server's table: \
                       SetContext once more, or 180 s of patience, removes it"
                .to_owned();
        bench.fail(Topic::Explained, "FSRVP-3.1.3-04", case.place, message, |_| {});
    }
}

/// A call is refused because an earlier one, whose client had given it up, has gone on.
fn abandoned(case: &Case<'_, '_>, outcomes: &[Outcome<'_>], bench: &mut Bench<'_>) {
    let given_up =
        |n: u64| case.tracker.flying.iter().any(|flying| flying.given_up && flying.act.n == n);
    let by = |outcome: &Outcome<'_>| {
        let trail = outcome.before.unfinished.as_ref().map(|unfinished| &unfinished.trail.why);
        match trail {
            Some(Why::Call(n, opnum)) if given_up(*n) => Some((*n, *opnum)),
            _ => None,
        }
    };
    let mut all = outcomes.iter().map(by);
    let Some(Some((n, opnum))) = all.next() else { return };
    if all.all(|other| other == Some((n, opnum))) {
        let message = format!(
            "{} is refused because {} (call {n}), which was given up without an answer, has gone on",
            say::method(case.act.opnum),
            say::method(opnum)
        );
        bench.fail(Topic::Explained, "FSRVP-3.2.5-02", case.place, message, |finding| {
            finding.with_call(n, "was given up without an answer");
        });
    }
}
