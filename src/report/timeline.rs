//! The timeline of a shadow copy set: what was asked of it, what it then was, what its server's timer
//! had, and when nothing happened.

use super::brief::short;
use super::finding::Scene;
use super::outcome::operation;
use super::prose::{count, list};
use crate::bytes::{Time, millionths, printable};
use crate::check::{SetReport, SetStep};

/// Steps of a set that are shown: the first and the last.
const MOST_STEPS: usize = 24;
/// Shares in a line.
const MOST_SHARES: usize = 4;
const SECOND: i64 = 1_000_000_000;
/// Nanoseconds without a call that are worth a line.
const IDLE: i64 = 10 * SECOND;
/// Nanoseconds that an answer may take without being told.
const QUICK: i64 = SECOND;

/// A line of a timeline.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Whether it is a failure.
    pub(super) failed: bool,
    /// When, and which call.
    pub(super) place: String,
    pub(super) text: String,
}

/// The timeline of a set, after a line that says which it is.
pub(super) fn rows(set: &SetReport, scene: &Scene<'_>) -> (String, Vec<Row>) {
    let shares: Vec<String> = set.shares.iter().map(|share| printable(share)).collect();
    let of = if shares.is_empty() {
        String::new()
    } else {
        format!(" of {}", list(&shares, MOST_SHARES))
    };
    let (outcome, _) = operation(set.outcome);
    let start = set.steps.first().map(|step| step.asked);
    let since = start.map(|start| format!(", from {}", scene.moment(start))).unwrap_or_default();
    let head = format!("set {}{of}: {outcome}{since}", short(set.id));
    let mut rows = Vec::new();
    let Some(start) = start else { return (head, rows) };
    let hidden = set.steps.len().saturating_sub(MOST_STEPS);
    let mut left_out = 0;
    let mut before: Option<&SetStep> = None;
    for (at, step) in set.steps.iter().enumerate() {
        left_out += step.left_out;
        if hidden > 0 && (MOST_STEPS / 2..MOST_STEPS / 2 + hidden).contains(&at) {
            left_out += 1;
        } else {
            if left_out > 0 {
                let what = count(std::mem::take(&mut left_out), "call");
                rows.push(remark("…", format!("{what} not shown (--json has more)")));
            }
            rows.extend(before.and_then(|before| gap(before, step.asked)));
            rows.push(row(step, before.and_then(|before| before.state), start));
        }
        before = Some(step);
    }
    if let Some(timer) = &set.timer {
        let seconds = i64::try_from(timer.seconds).unwrap_or(i64::MAX);
        let ends = scene.moment(timer.since.plus(seconds.saturating_mul(SECOND)));
        let (call, seconds) = (timer.call, timer.seconds);
        let text = if timer.ran_out {
            format!("the server gave the set up at {ends}, {seconds} s after call {call}")
        } else {
            format!(
                "the server gives the set up at {ends}, {seconds} s after call {call}, if nobody \
                 goes on"
            )
        };
        rows.push(remark("", text));
    }
    (head, rows)
}

/// A line that is about no call.
fn remark(mark: &str, text: String) -> Row {
    Row { failed: false, place: format!("{mark:>10} "), text }
}

/// A long time without a call.
fn gap(before: &SetStep, next: Time) -> Option<Row> {
    let idle = next.since(before.answered.unwrap_or(before.asked));
    if idle < IDLE {
        return None;
    }
    let waits = match before.timer {
        Some(timer) => format!(" (the server waits {timer} s)"),
        None => String::new(),
    };
    Some(remark("┆", format!("{} without a call{waits}", seconds(idle))))
}

fn row(step: &SetStep, was: Option<&str>, start: Time) -> Row {
    let share = step.share.as_deref().map(|share| format!(" {}", printable(share)));
    let mut said = printable(&step.said);
    if let Some(state) = step.state.filter(|state| Some(*state) != was) {
        said.extend([", ", state]);
    }
    let took = step.answered.map(|answered| answered.since(step.asked)).filter(|n| *n >= QUICK);
    let took = took.map(|took| format!(" after {}", seconds(took))).unwrap_or_default();
    let timer = step.timer.map(|timer| format!("; {timer} s to go on")).unwrap_or_default();
    let (at, share) = (seconds(step.asked.since(start)), share.unwrap_or_default());
    Row {
        failed: step.failed,
        place: format!("{:>10} call {:<4} ", format!("+{at}"), step.call),
        text: format!("{}{share} → {said}{took}{timer}", step.method),
    }
}

/// Seconds, to the millisecond.
fn seconds(nanos: i64) -> String {
    let text = millionths(nanos / 1000);
    format!("{} s", text.get(..text.len().saturating_sub(3)).unwrap_or_default())
}
