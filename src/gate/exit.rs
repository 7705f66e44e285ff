//! [`Exit`]: what a run ends with, and [`FailOn`], what somebody wants it to fail on.

use super::Counts;
use crate::check::Severity;

/// What makes a run fail. Each names only itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct FailOn {
    /// A finding that is an error.
    pub error: bool,
    /// A finding that is a warning.
    pub warning: bool,
    /// A finding that is a note.
    pub note: bool,
    /// What the clients wanted failed, or was not finished.
    pub operation: bool,
    /// Something that matters could not be seen.
    pub unchecked: bool,
}

impl FailOn {
    /// Whether findings of this severity are among it.
    pub fn has(self, severity: Severity) -> bool {
        match severity {
            Severity::Error => self.error,
            Severity::Warning => self.warning,
            Severity::Note => self.note,
        }
    }

    /// What a run ends with in which this happened.
    pub fn exit(self, happened: &Happened) -> Exit {
        let severities = [Severity::Error, Severity::Warning, Severity::Note];
        let found = severities.into_iter().any(|of| self.has(of) && happened.counts.of(of) > 0);
        let failed =
            found || self.operation && happened.operation || self.unchecked && happened.unchecked;
        match happened {
            Happened { unreadable: true, .. } => Exit::CouldNotRun,
            _ if failed => Exit::Failed,
            Happened { nothing: true, .. } => Exit::Nothing,
            _ => Exit::Fine,
        }
    }
}

/// What happened, as far as it can be failed on.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Happened {
    /// The findings that count.
    pub counts: Counts,
    /// What the clients wanted failed, or was not finished, for a reason that is not let pass.
    pub operation: bool,
    /// Something that matters was sealed or lost, or something expected could not be told.
    pub unchecked: bool,
    /// There was nothing to judge and nothing to explain.
    pub nothing: bool,
    /// An input, or the rest of one, could not be read.
    pub unreadable: bool,
}

/// What a run ends with. The number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing happened that is failed on.
    Fine,
    /// Something did.
    Failed,
    /// It could not run, or an input could not be read: the others would say more than is known.
    CouldNotRun,
    /// There was nothing to judge and nothing to explain.
    Nothing,
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failed => 1,
            Self::CouldNotRun => 2,
            Self::Nothing => 3,
        }
    }

    /// What it means, in a clause.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Fine => "nothing happened that --fail-on names",
            Self::Failed => "something happened that --fail-on names",
            Self::CouldNotRun => "an input, or the rest of one, could not be read",
            Self::Nothing => "there was nothing to judge",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to fail, with everything that can happen, told from the contract: 2 before 1 before
    /// 3 before 0.
    #[test]
    fn every_combination_has_its_code() {
        let bit = |bits: u32, n: u32| bits >> n & 1 == 1;
        let mut codes = [0_u32; 4];
        for asked in 0..1_u32 << 5 {
            let fail_on = FailOn {
                error: bit(asked, 0),
                warning: bit(asked, 1),
                note: bit(asked, 2),
                operation: bit(asked, 3),
                unchecked: bit(asked, 4),
            };
            for happened in 0..1_u32 << 7 {
                let some = |n| u64::from(bit(happened, n)) * 3;
                let what = Happened {
                    counts: Counts { errors: some(0), warnings: some(1), notes: some(2) },
                    operation: bit(happened, 3),
                    unchecked: bit(happened, 4),
                    nothing: bit(happened, 5),
                    unreadable: bit(happened, 6),
                };
                let named = asked & happened & 0x1f != 0;
                let code = match (what.unreadable, named, what.nothing) {
                    (true, ..) => 2,
                    (_, true, _) => 1,
                    (_, _, true) => 3,
                    _ => 0,
                };
                assert_eq!(fail_on.exit(&what).code(), code, "{fail_on:?} {what:?}");
                codes[usize::from(code)] += 1;
            }
        }
        assert_eq!(codes.iter().sum::<u32>(), 32 * 128);
        // Each way to end is one of many.
        assert!(codes.iter().all(|n| *n > 100), "{codes:?}");
    }
}
