//! A judge at work: which findings there are, and which of them are shown.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};
use vshark::bytes::Time;
use vshark::capture::Origins;
use vshark::check::{Finding, Judge, Knowledge, Options, Report};
use vshark::gate::{Exit, Gate, Happened, Mark, operation_counts};
use vshark::pipeline::{Event, Summary};
use vshark::report::check::nothing_judged;
use vshark::report::sealed::does_not_fit;
use vshark::skew::Skew;

use super::args::{Judging, Shared};
use super::say;
use super::select::Selection;

/// Calls of which it is known whether they are shown.
const MAX_CALLS: usize = 1 << 16;

/// What is judged by.
pub(super) fn knowledge(shared: &Shared) -> anyhow::Result<Knowledge> {
    Knowledge::load(&shared.dissectors).map_err(|error| anyhow!("{error}"))
}

/// A finding, and what is done with it.
pub(super) struct Told {
    pub(super) finding: Finding,
    /// Whether it counts.
    pub(super) mark: Mark,
    /// Whether it is at a call that is asked for.
    pub(super) shown: bool,
}

/// A judge, who sees everything, what of it counts, and a selection of calls, which says what of it is shown.
pub(super) struct Trial<'k> {
    judge: Judge<'k>,
    gate: Gate,
    /// Whether calls are shown, by number, if they are chosen. Added as they are seen; the earliest
    /// goes when there are more than [`MAX_CALLS`].
    shown: BTreeMap<u64, bool>,
    /// Findings of the judge, and those of them that are not shown.
    found: u64,
    hidden: u64,
}

impl<'k> Trial<'k> {
    /// Nothing has happened yet.
    pub(super) fn new(
        args: &Judging,
        knowledge: &'k Knowledge,
        gate: Gate,
    ) -> anyhow::Result<Self> {
        let choice = match knowledge.choose(&args.profile) {
            Ok(choice) => choice,
            Err(error) => bail!("--profile: {error}"),
        };
        let Judging { all_clients, idle_start, .. } = *args;
        let judge = Judge::new(knowledge, Options { choice, all_clients, idle_start });
        Ok(Self { judge, gate, shown: BTreeMap::new(), found: 0, hidden: 0 })
    }

    /// The clocks of the inputs may still differ by what their comparison leaves open.
    pub(super) fn allow(&mut self, skews: &[Option<Skew>]) {
        let most = skews.iter().flatten().map(|skew| skew.uncertainty).max();
        self.judge.allow(most.unwrap_or_default());
    }

    /// It is this late.
    pub(super) fn time(&mut self, now: Time) {
        self.judge.time(now);
    }

    /// Something happened.
    pub(super) fn event(&mut self, event: &Event, selection: &Selection<'_>, origins: &Origins) {
        if let Event::Call(call) | Event::Asked(call) = event
            && selection.chooses()
        {
            self.shown.insert(call.rpc.n, selection.shows(call, origins));
            if self.shown.len() > MAX_CALLS {
                self.shown.pop_first();
            }
        }
        self.judge.event(event);
    }

    /// The findings since the last time. Where calls are chosen, those at other calls are not shown:
    /// what shows before the answer is there goes by what was asked.
    pub(super) fn findings(&mut self, selection: &Selection<'_>) -> Vec<Told> {
        let mut told = Vec::new();
        for finding in self.judge.take_findings() {
            let chosen = |call: u64| self.shown.get(&call).copied().unwrap_or_default();
            let shown = !selection.chooses() || finding.call.is_some_and(chosen);
            self.found += 1;
            self.hidden += u64::from(!shown);
            told.push(Told { mark: self.gate.finding(&finding), finding, shown });
        }
        told
    }

    /// The judge.
    #[cfg(feature = "tui")]
    pub(super) fn judge(&self) -> &Judge<'k> {
        &self.judge
    }

    /// What counts.
    pub(super) fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    /// The capture has ended.
    pub(super) fn finish(&mut self) {
        self.judge.finish();
    }

    /// What there is to say of all of it.
    pub(super) fn report(&self, summary: &Summary) -> Report {
        let mut report = self.judge.report();
        report.unreadable.extend(does_not_fit(summary));
        report
    }

    /// Says how many findings are not shown.
    pub(super) fn tell_hidden(&self) {
        match self.hidden {
            0 => {}
            1 => say("1 finding is not shown: it is not at a call that the filter asks for"),
            n => {
                let what = "findings are not shown: they are not at calls that the filter asks for";
                say(&format!("{n} {what}"));
            }
        }
    }

    /// What the run ends with; `untold` says whether there is something that could not be told.
    pub(super) fn exit(
        &mut self,
        report: &Report,
        marks: &[Mark],
        untold: bool,
        unreadable: bool,
    ) -> Exit {
        let nothing = nothing_judged(report, self.found).is_some();
        self.gate.fail_on.exit(&Happened {
            counts: self.gate.counts(),
            operation: operation_counts(report, marks),
            unchecked: report.sealed_calls > 0 || !report.unreadable.is_empty() || untold,
            nothing,
            unreadable,
        })
    }

    /// How many findings of the judge there were, shown or not.
    pub(super) fn found(&self) -> u64 {
        self.found
    }
}
