//! What of that which was judged counts: whether a build goes on.
//!
//! Takes the findings and the diagnoses of the judge and says of each whether it counts
//! ([`Mark`]): it does not if its rule is [`Allowed`], or if it is in a [`Baseline`]. What counts is
//! held against what somebody wants to fail on ([`FailOn`]), and that gives the [`Exit`]. It
//! changes no verdict: who broke which rule is the judge's to say.
//!
//! [`Expectation`] is what became of something that somebody expects of a capture; who finds that
//! out is above.

mod allow;
mod baseline;
mod exit;
mod expectation;

use crate::check::{Attempt, Finding, Report, Severity};
pub use allow::Allowed;
pub use baseline::{Baseline, BaselineError};
pub use exit::{Exit, FailOn, Happened};
pub use expectation::{About, Expectation, PREFIX, Ruling};

/// Whether something that was found counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Its rule, or its cause, is allowed.
    pub allowed: bool,
    /// Whether it is in the baseline; `None` where there is none.
    pub known: Option<bool>,
}

impl Mark {
    /// Whether it counts.
    pub fn counts(self) -> bool {
        !self.allowed && !self.is_known()
    }

    /// Whether it is in the baseline.
    pub fn is_known(self) -> bool {
        self.known == Some(true)
    }
}

/// Findings by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub errors: u64,
    /// Warnings.
    pub warnings: u64,
    /// Notes.
    pub notes: u64,
}

impl Counts {
    /// All of them.
    pub fn all(self) -> u64 {
        self.errors + self.warnings + self.notes
    }

    /// Of this severity.
    pub fn of(self, severity: Severity) -> u64 {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.warnings,
            Severity::Note => self.notes,
        }
    }

    fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => self.notes += 1,
        }
    }
}

/// What is let pass, and what is failed on.
#[derive(Debug, Default)]
pub struct Gate {
    /// What is failed on.
    pub fail_on: FailOn,
    /// Rules and causes that are let pass.
    pub allowed: Allowed,
    /// What is known, if somebody has said.
    pub baseline: Option<Baseline>,
    /// The findings that count.
    counts: Counts,
    /// Findings that are in the baseline.
    known: u64,
    /// Findings that are not.
    new: u64,
}

impl Gate {
    /// Nothing was found yet.
    pub fn new(fail_on: FailOn, allowed: Allowed, baseline: Option<Baseline>) -> Self {
        Self { fail_on, allowed, baseline, ..Self::default() }
    }

    /// Takes a finding.
    pub fn finding(&mut self, finding: &Finding) -> Mark {
        let mark = self.mark(&finding.rule, &finding.fingerprint);
        if mark.counts() {
            self.counts.add(finding.severity);
        }
        self.known += u64::from(mark.is_known());
        self.new += u64::from(!mark.is_known());
        mark
    }

    /// Takes what explains how the operation ended, each in its place. It is known if it stopped no
    /// more attempts for good than the baseline has; what stopped none is known by itself.
    pub fn diagnoses(&mut self, report: &Report) -> Vec<Mark> {
        let all = report.diagnoses.iter().enumerate();
        let marks = all.map(|(at, of)| {
            let known = self.baseline.as_mut().map(|baseline| match lasting(report, at) {
                0 => baseline.take_beside(&of.fingerprint),
                times => baseline.take(&of.fingerprint, times),
            });
            Mark { allowed: self.allowed.take(&of.cause), known }
        });
        marks.collect()
    }

    fn mark(&mut self, id: &str, fingerprint: &str) -> Mark {
        // Both are asked, so that neither list looks stale because of the other.
        let known = self.baseline.as_mut().map(|baseline| baseline.take(fingerprint, 1));
        Mark { allowed: self.allowed.take(id), known }
    }

    /// Whether a finding with this mark is one that is failed on.
    pub fn fails(&self, severity: Severity, mark: Mark) -> bool {
        mark.counts() && self.fail_on.has(severity)
    }

    /// How many findings count.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many findings are in the baseline.
    pub fn known(&self) -> u64 {
        self.known
    }

    /// How many findings are not.
    pub fn new_ones(&self) -> u64 {
        self.new
    }
}

/// Whether what the clients wanted came to nothing in a way that counts: some attempt did that no
/// later one made good, and what stopped it, if it is known, is neither allowed nor in the baseline.
/// `marks` are those of the diagnoses.
pub fn operation_counts(report: &Report, marks: &[Mark]) -> bool {
    if !report.operation.came_to_nothing() {
        return false;
    }
    let mut stopped = report.attempts.iter().filter(|of| of.is_lasting()).peekable();
    let excused = |diagnosis: Option<usize>| {
        diagnosis.and_then(|at| marks.get(at)).is_some_and(|mark| !mark.counts())
    };
    stopped.peek().is_none() || stopped.any(|attempt| !excused(attempt.diagnosis))
}

/// How many attempts a diagnosis, by its place, stopped that no later one made good.
pub fn lasting(report: &Report, diagnosis: usize) -> u64 {
    let stopped = |of: &&Attempt| of.diagnosis == Some(diagnosis) && of.is_lasting();
    u64::try_from(report.attempts.iter().filter(stopped).count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
