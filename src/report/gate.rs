//! What counts and what does not, for a person, behind what the judge says.

use std::io::{self, Write};

use anstyle::Style;

use super::check::CheckList;
use super::outcome::colour;
use super::prose::{count, len, list};
use crate::bytes::printable;
use crate::check::Report;
use crate::gate::{Exit, Expectation, Gate, Mark, Ruling, operation_counts};

/// Fingerprints in a line.
const MOST_LISTED: usize = 8;

/// What counts, and what somebody expected.
#[derive(Clone, Copy, Debug)]
pub struct Gated<'a> {
    /// What is let pass, and what is known.
    pub gate: &'a Gate,
    /// What was expected, and what became of it; `None` where nothing was asked for.
    pub expectations: Option<&'a [Expectation]>,
    /// The marks of the diagnoses, each in its place.
    pub diagnoses: &'a [Mark],
    /// What the run ends with.
    pub exit: Exit,
}

impl Gated<'_> {
    /// The mark of a diagnosis.
    pub(super) fn mark(&self, diagnosis: usize) -> Mark {
        self.diagnoses.get(diagnosis).copied().unwrap_or_default()
    }

    /// How many expectations became this.
    pub(super) fn ruled(&self, ruling: Ruling) -> u64 {
        let all = self.expectations.unwrap_or_default().iter();
        u64::try_from(all.filter(|of| of.ruling == ruling).count()).unwrap_or(u64::MAX)
    }
}

impl CheckList<'_> {
    /// Writes what is let pass, what is known, and what was expected.
    pub(super) fn gated(
        &self,
        report: &Report,
        of: &Gated<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let plain = |lines: Vec<String>| lines.into_iter().map(|line| (line, Style::new()));
        self.lines("allowed", plain(allowed(of.gate)).collect(), out)?;
        self.lines("baseline", plain(baseline(of.gate)).collect(), out)?;
        if report.operation.came_to_nothing() && !operation_counts(report, of.diagnoses) {
            let said =
                "that the operation failed does not count: what stopped it is allowed or known";
            self.lines("", plain(vec![said.to_owned()]).collect(), out)?;
        }
        self.lines("expected", expected(of), out)
    }
}

/// What is let pass.
fn allowed(gate: &Gate) -> Vec<String> {
    let mut lines = Vec::new();
    let found: Vec<String> = gate
        .allowed
        .entries()
        .filter(|(_, found)| *found > 0)
        .map(|(id, found)| format!("{} ({})", printable(id), times(found)))
        .collect();
    if !found.is_empty() {
        lines.push(format!("{}; it does not count", found.join(", ")));
    }
    let stale: Vec<String> = gate
        .allowed
        .entries()
        .filter(|(_, found)| *found == 0)
        .map(|(id, _)| printable(id))
        .collect();
    if !stale.is_empty() {
        lines.push(format!("{} never occurred", stale.join(", ")));
    }
    lines
}

fn times(n: u64) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

/// What is known.
fn baseline(gate: &Gate) -> Vec<String> {
    let Some(baseline) = &gate.baseline else { return Vec::new() };
    let (known, new) = (count(gate.known(), "known finding"), gate.new_ones());
    let mut lines = vec![format!("{known}, not shown; {new} new")];
    let absent: Vec<String> = baseline
        .absent()
        .map(|(fingerprint, n)| match n {
            1 => printable(fingerprint),
            n => format!("{} ({n} times)", printable(fingerprint)),
        })
        .collect();
    if !absent.is_empty() {
        lines.push(format!("known, but not there this time: {}", list(&absent, MOST_LISTED)));
    }
    lines
}

/// What was expected; nothing where nobody asked.
fn expected(of: &Gated<'_>) -> Vec<(String, Style)> {
    let Some(all) = of.expectations else { return Vec::new() };
    let counted = [Ruling::Broken, Ruling::Unchecked, Ruling::Met]
        .map(|ruling| (of.ruled(ruling), ruling))
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, ruling)| format!("{n} {}", ruling.word()));
    let said =
        format!("{}: {}", count(len(all), "expectation"), counted.collect::<Vec<_>>().join(", "));
    let mut lines = vec![(said, Style::new())];
    for one in all.iter().filter(|one| one.ruling == Ruling::Unchecked) {
        let said = format!("unchecked (line {}): {}", one.line, printable(&one.why));
        lines.push((said, colour(anstyle::AnsiColor::Yellow)));
    }
    lines
}
