//! What is expected of the end: how what was wanted ended, and which findings there are.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Result;
use super::calls::Shown;
use super::table::Count;
use super::unseen::Missed;
use crate::check::{Blame, Finding, Operation, Report, Severity};
use crate::gate::lasting;

/// What there is to look at when all is over.
pub(super) struct End<'a> {
    pub(super) report: &'a Report,
    pub(super) unseen: Missed<'a>,
}

/// How what the clients wanted is to end.
#[derive(Debug)]
pub(super) struct Outcome {
    /// One of these; any, if there are none.
    pub(super) outcomes: Vec<Operation>,
    /// So many shadow copy sets.
    pub(super) sets: Option<Count>,
    /// Stopped by one of these; by anything, if there are none.
    pub(super) causes: Vec<Arc<str>>,
}

impl Outcome {
    pub(super) fn result(&self, end: &End<'_>) -> Result {
        let report = end.report;
        let missed = end.unseen.why(true, None);
        let unknown = || "how it ended is not known".to_owned();
        let mut result = Result::met();
        if !self.outcomes.is_empty() {
            let said = |of: Operation| of.word().unwrap_or("none");
            let wanted: Vec<&str> = self.outcomes.iter().map(|of| said(*of)).collect();
            let what = format!("{}, expected {}", said(report.operation), wanted.join(" or "));
            let doubt = match report.operation {
                Operation::Unknown => Some(missed.clone().unwrap_or_else(unknown)),
                Operation::None => missed.clone(),
                _ => None,
            };
            result = result.and(match doubt {
                Some(doubt) => Result::unchecked(what, doubt),
                None if self.outcomes.contains(&report.operation) => Result::met(),
                None => Result::broken("outcome", what, Shown::default()),
            });
        }
        if let Some(count) = self.sets {
            let sets = u64::try_from(report.sets.len()).unwrap_or(u64::MAX);
            let sealed = (report.sealed_calls > 0).then(|| "calls are sealed".to_owned());
            let noun = if sets == 1 { "shadow copy set" } else { "shadow copy sets" };
            let what = format!("{sets} {noun}, expected {}", count.said());
            let untold = missed.clone().or(sealed);
            result = result.and(counted("sets", count, sets, (untold, &what)));
        }
        if !self.causes.is_empty() {
            let all = report.diagnoses.iter().enumerate();
            let stopped = all.filter(|(at, _)| lasting(report, *at) > 0);
            let mut found: Vec<&str> = Vec::new();
            for (_, diagnosis) in stopped {
                if !found.contains(&&*diagnosis.cause) {
                    found.push(&diagnosis.cause);
                }
            }
            let wanted: Vec<&str> = self.causes.iter().map(|id| &**id).collect();
            let is = found.iter().any(|id| wanted.contains(id));
            let what = match &*found {
                [] => "stopped by nothing that is known".to_owned(),
                found => format!("stopped by {}", found.join(", ")),
            };
            let what = format!("{what}, expected {}", wanted.join(" or "));
            result = result.and(match (missed, report.operation) {
                _ if is => Result::met(),
                (Some(missed), _) => Result::unchecked(what, missed),
                (None, Operation::Unknown) => Result::unchecked(what, unknown()),
                (None, _) => Result::broken("cause", what, Shown::default()),
            });
        }
        result
    }
}

/// Whether there are as many as there should be, where some may have been missed; `part` is asked for.
fn counted(
    part: &'static str,
    count: Count,
    found: u64,
    (missed, what): (Option<String>, &str),
) -> Result {
    if count.max.is_some_and(|max| found > max) {
        return Result::broken(part, what, Shown::default());
    }
    match missed {
        Some(missed) if count.max.is_some() || found < count.min => Result::unchecked(what, missed),
        _ if found < count.min => Result::broken(part, what, Shown::default()),
        _ => Result::met(),
    }
}

/// Findings that must, or must not, be there.
#[derive(Debug)]
pub(super) struct Findings {
    /// Of these rules; of any, if there are none.
    pub(super) rules: Option<BTreeSet<Arc<str>>>,
    pub(super) severity: Option<Severity>,
    pub(super) party: Option<Blame>,
    pub(super) count: Count,
    pub(super) found: u64,
}

impl Findings {
    pub(super) fn finding(&mut self, finding: &Finding) {
        let of = |rules: &BTreeSet<Arc<str>>| {
            std::iter::once(&finding.rule).chain(&finding.also).any(|rule| rules.contains(rule))
        };
        let meant = self.rules.as_ref().is_none_or(of)
            && self.severity.is_none_or(|severity| severity == finding.severity)
            && self.party.is_none_or(|party| party == finding.party);
        self.found += u64::from(meant);
    }

    pub(super) fn result(&self, end: &End<'_>) -> Result {
        let what = format!("{} found, expected {}", self.found, self.count.said());
        counted("count", self.count, self.found, (self.untold(end), &what))
    }

    /// Why there may be more than were found.
    fn untold(&self, end: &End<'_>) -> Option<String> {
        let report = end.report;
        let mut of = report.tallies.iter().filter(|tally| {
            tally.not_evaluable > 0
                && self.rules.as_ref().is_some_and(|rules| rules.contains(&tally.rule))
        });
        if let Some(tally) = of.next() {
            let why = tally.why.as_deref().unwrap_or("it is not known why");
            let times = match tally.not_evaluable {
                1 => "once".to_owned(),
                n => format!("{n} times"),
            };
            return Some(format!("{} could not be told {times}: {why}", tally.rule));
        }
        report.unreadable.first().cloned().or_else(|| end.unseen.why(true, None))
    }
}
