//! How it went, in words: what became of what was wanted, and whether the rules were kept.

use anstyle::{AnsiColor, Color, Style};

use super::finding::profile_name;
use super::prose::count;
use crate::check::{Catalogue, Conformance, Operation, Report, Severity, Tally, Verdict};

/// Why nothing was judged, in a sentence; `None` if something was, or if there is something to
/// explain.
pub fn nothing_judged(report: &Report, findings: u64) -> Option<String> {
    let tried = report.operation.came_to_nothing();
    if report.judged_calls > 0 || tried {
        return None;
    }
    Some(match report.sealed_calls {
        0 if findings > 0 => return None,
        0 if report.servers.is_empty() && report.operation == Operation::Unknown => {
            "nothing: no call about shadow copies was seen, and whether one was meant is not known"
                .to_owned()
        }
        0 if report.servers.is_empty() => {
            "nothing: no call about shadow copies was seen, and no attempt at one".to_owned()
        }
        0 => "nothing: no call about shadow copies could be read".to_owned(),
        1 => "nothing: the only call is sealed".to_owned(),
        sealed => format!("nothing: all of {sealed} calls are sealed"),
    })
}

/// How much was judged, and by how many rules.
pub(super) fn judged(report: &Report, rules: &Catalogue) -> String {
    if report.judged_calls == 0 && report.sealed_calls == 0 {
        return "no call".to_owned();
    }
    let number = |of: &dyn Fn(&Tally) -> bool| {
        u64::try_from(report.tallies.iter().filter(|tally| of(tally)).count()).unwrap_or(u64::MAX)
    };
    let is_note =
        |tally: &Tally| rules.get(&tally.rule).is_some_and(|rule| rule.severity == Severity::Note);
    let kept = number(&|tally| tally.passed > 0 && tally.failed == 0);
    let broken = number(&|tally| tally.failed > 0);
    let notes = match number(&|tally| tally.failed > 0 && is_note(tally)) {
        0 => String::new(),
        notes if notes == broken => " (only for notes)".to_owned(),
        notes => format!(" ({notes} only for {})", if notes == 1 { "a note" } else { "notes" }),
    };
    let untold = number(&|tally| tally.passed == 0 && tally.failed == 0 && tally.not_evaluable > 0);
    let sealed = match report.sealed_calls {
        0 => String::new(),
        1 => ", and 1 that is sealed".to_owned(),
        sealed => format!(", and {sealed} that are sealed"),
    };
    let (calls, kept) = (count(report.judged_calls, "call"), count(kept, "rule"));
    format!("{calls}{sealed}; {kept} kept, {broken} broken{notes}, {untold} not evaluable")
}

/// What stands out in a colour.
pub(super) fn colour(of: AnsiColor) -> Style {
    Style::new().bold().fg_color(Some(Color::Ansi(of)))
}

/// How what was wanted ended, and its colour.
pub(super) fn operation(operation: Operation) -> (&'static str, Style) {
    match operation {
        Operation::Completed => ("completed", colour(AnsiColor::Green)),
        Operation::Failed => ("failed", colour(AnsiColor::Red)),
        Operation::Unfinished => ("unfinished", colour(AnsiColor::Yellow)),
        Operation::Unknown => ("unknown", colour(AnsiColor::Yellow)),
        Operation::None => ("none: nothing was tried", Style::new()),
    }
}

/// A verdict, whose first word has its colour.
pub(super) fn verdict(of: &Conformance) -> (String, Style) {
    let (word, style) = match of.verdict {
        Verdict::Pass => ("pass", colour(AnsiColor::Green)),
        Verdict::Fail => ("fail", colour(AnsiColor::Red)),
        Verdict::Inconclusive => ("inconclusive", colour(AnsiColor::Yellow)),
    };
    let mut counts =
        vec![count(of.errors, "error"), count(of.warnings, "warning"), count(of.notes, "note")];
    if of.deviations > 0 {
        counts.push(count(of.deviations, "known deviation"));
    }
    (format!("{word} by {}: {}", profile_name(&of.profile), counts.join(", ")), style)
}
