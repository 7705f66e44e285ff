//! Answers and pauses that are longer in one capture than in the other.

use super::compare::{Parting, Row};
use super::conversation::Conversation;
use super::{Pair, Which};

/// How much longer one must be: five times, and a second.
const TIMES: i64 = 5;
const NANOS: i64 = 1_000_000_000;
/// Delays that are kept.
const MAX_DELAYS: usize = 1000;

/// What took longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delayed {
    /// The answer.
    Answer,
    /// The client's pause before it asked.
    Pause,
}

/// Something that took longer in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// What.
    pub what: Delayed,
    /// Of which steps.
    pub steps: Pair<usize>,
    /// How long it took, in nanoseconds.
    pub nanos: Pair<i64>,
}

/// The delays of steps that belong to each other: of all answers, and of the pauses until the
/// conversations part for the last time of `partings`.
pub(super) fn delays(
    conversations: Pair<&Conversation>,
    rows: &[Row],
    partings: &[&Parting],
) -> Vec<Delay> {
    let pauses = conversations.map(pauses);
    let last = partings.last().map(|parting| parting.row);
    let mut delays: Vec<Delay> = Vec::new();
    let mut see = |what: Delayed, steps: Pair<usize>| {
        let took = Pair::of(|which| match what {
            Delayed::Pause => pauses[which].get(steps[which]).copied().flatten(),
            Delayed::Answer => {
                let step = conversations[which].steps.get(steps[which]);
                step.and_then(|step| step.call()?.elapsed)
            }
        });
        let Pair { good: Some(good), bad: Some(bad) } = took else { return };
        let delay = Delay { what, steps, nanos: Pair { good, bad } };
        let longer = is_longer(good.max(bad), good.min(bad));
        if longer && delays.len() < MAX_DELAYS && !delays.contains(&delay) {
            delays.push(delay);
        }
    };
    for (n, row) in rows.iter().enumerate() {
        if let Some(parting) = partings.iter().find(|parting| parting.row == n)
            && !parting.changes.is_empty()
            && let Pair { good: Some(good), bad: Some(bad) } = parting.steps
        {
            see(Delayed::Pause, Pair { good, bad });
        }
        let Pair { good: Some(good), bad: Some(bad) } = row.steps else { continue };
        if last.is_none_or(|last| n <= last) {
            see(Delayed::Pause, Pair { good, bad });
        }
        see(Delayed::Answer, Pair { good, bad });
    }
    delays
}

fn is_longer(more: i64, less: i64) -> bool {
    let less = less.max(0);
    more.saturating_sub(less) >= NANOS && more >= less.saturating_mul(TIMES)
}

/// How long the client paused before each step, as far as there was one before it.
fn pauses(of: &Conversation) -> Vec<Option<i64>> {
    let mut end = None;
    let pause = |step: &super::Step| {
        let pause = end.map(|end| step.time.since(end).max(0));
        end = Some(end.map_or(step.end, |end| step.end.max(end)));
        pause
    };
    of.steps.iter().map(pause).collect()
}

impl Delay {
    /// In which capture it took longer.
    pub fn longer(&self) -> Which {
        if self.nanos.bad > self.nanos.good { Which::Bad } else { Which::Good }
    }
}
