//! `vshark check`

mod form;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use vshark::capture::{Capture, Frame, Origins};
use vshark::check::{Knowledge, Report};
use vshark::expect::Expectations;
use vshark::gate::{Allowed, Baseline, Exit, Expectation, Gate, Ruling};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::{Registry, read_text};
use vshark::report::check::nothing_judged;
use vshark::report::gate::Gated;
use vshark::report::json::{self, Judged};

use super::args::{Check, CheckFormat, FailOn, Shared};
use super::input::{Inputs, Observer, Run};
use super::judging::{Told, Trial, knowledge};
use super::say;
use super::secrets::keyring;
use super::select::Selection;
use form::{Ending, Form};

/// Judges, and writes what there is to say.
pub(super) fn run(
    args: &Check,
    shared: &Shared,
    registry: &Registry,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let paths = args.input.paths();
    let selection = Selection::new(shared.filter.as_deref(), registry, &paths)?;
    let knowledge = knowledge(shared)?;
    let expectations = args.expect.as_deref().map(|file| expected(file, &knowledge, registry));
    let expectations = expectations.transpose()?;
    let gate = gate(args, &knowledge, expectations.as_ref())?;
    let mut trial = Trial::new(&args.judging, &knowledge, gate)?;
    let keys = keyring(&shared.secrets)?;
    let inputs = Inputs::new(&paths, false)?.following(args.input.follow);
    let live = inputs.is_live();
    let form = Form::new(args, shared, &knowledge, registry, &selection.files, live)?;
    let mut run = Run::open(&inputs, Pipeline::new(registry).with_keys(keys));
    trial.allow(run.skews());
    let is_json = args.format() == CheckFormat::Json;
    if is_json {
        let record = json::capture(run.capture().files(), run.skews(), false);
        writeln!(out, "{}", json::line(&record))?;
        if live {
            out.flush()?;
        }
    }
    form.begin(out)?;
    let mut session = Session { form, trial, expectations, selection, out, live };
    run.go(&mut session)?;
    session.trial.finish();
    session.write_findings()?;
    let report = session.trial.report(&run.summary());
    let results = session.expectations(&report, run.is_unreadable())?;
    let Session { form, mut trial, selection, out, .. } = session;
    trial.tell_hidden();
    let marks = trial.gate().diagnoses(&report);
    let nothing = nothing_judged(&report, trial.found());
    let untold = |of: &Expectation| of.ruling == Ruling::Unchecked;
    let untold = results.as_deref().unwrap_or_default().iter().any(untold);
    let exit = trial.exit(&report, &marks, untold, run.is_unreadable());
    let found = trial.found();
    let gated =
        Gated { gate: trial.gate(), expectations: results.as_deref(), diagnoses: &marks, exit };
    let end = Ending { report: &report, gated, found, nothing: nothing.as_deref() };
    form.finish(&end, &knowledge, &selection, &run, out)?;
    if is_json {
        let judged = Judged { report: &report, rules: &knowledge.catalogue, registry, gated };
        let summary = json::summary(&run.summary(), run.capture().files(), run.skews(), judged);
        writeln!(out, "{}", json::line(&summary))?;
    }
    out.flush()?;
    let told = args.format() == CheckFormat::Text && !args.matrix;
    tell(&run, nothing.as_deref(), told);
    Ok(exit.code().into())
}

/// What is let pass, and what is failed on.
fn gate(
    args: &Check,
    knowledge: &Knowledge,
    expectations: Option<&Expectations>,
) -> anyhow::Result<Gate> {
    let ids = expectations.map(Expectations::ids).unwrap_or_default();
    let allowed = Allowed::parse(&args.allow, knowledge, &ids);
    let allowed = allowed.map_err(|error| anyhow!("--allow: {error}"))?;
    let baseline = args.baseline.as_deref().map(|path| {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("--baseline: {name}"))?;
        Baseline::read(&name, file).context("--baseline")
    });
    let named = |what| args.fail_on.contains(&what);
    let fail_on = vshark::gate::FailOn {
        error: named(FailOn::Error),
        warning: named(FailOn::Warning),
        note: named(FailOn::Note),
        operation: named(FailOn::Operation),
        unchecked: named(FailOn::Unchecked),
    };
    Ok(Gate::new(fail_on, allowed, baseline.transpose()?))
}

/// What somebody expects.
fn expected(
    path: &Path,
    knowledge: &Knowledge,
    registry: &Registry,
) -> anyhow::Result<Expectations> {
    let name = path.display().to_string();
    let text = read_text(path).with_context(|| format!("--expect: {name}"))?;
    Expectations::parse(&name, &text, knowledge, registry).context("--expect")
}

/// Silence must not be taken for health. That nothing was judged may have been `told`.
fn tell(run: &Run<'_>, nothing: Option<&str>, told: bool) {
    if let Some(sentence) = run.interrupted() {
        say(&sentence);
    }
    let Some(nothing) = nothing else { return };
    if !told {
        say(&format!("judged {nothing}"));
    }
    if run.summary().calls() == 0
        && let Some(sentence) = run.not_listed()
    {
        say(&sentence);
    }
}

struct Session<'r, 'o> {
    form: Form<'r>,
    trial: Trial<'r>,
    expectations: Option<Expectations>,
    selection: Selection<'r>,
    out: &'o mut dyn Write,
    live: bool,
}

impl Session<'_, '_> {
    fn write_findings(&mut self) -> anyhow::Result<()> {
        let findings = self.trial.findings(&self.selection);
        if findings.is_empty() {
            return Ok(());
        }
        for told in findings {
            if let Some(expectations) = &mut self.expectations {
                expectations.finding(&told.finding);
            }
            self.write(told)?;
        }
        if self.live {
            self.out.flush()?;
        }
        Ok(())
    }

    fn write(&mut self, told: Told) -> io::Result<()> {
        let fails = self.trial.gate().fails(told.finding.severity, told.mark);
        self.form.finding(told, fails, self.out)
    }

    /// What came of what was expected; those that are broken are findings.
    fn expectations(
        &mut self,
        report: &Report,
        unreadable: bool,
    ) -> anyhow::Result<Option<Vec<Expectation>>> {
        let Some(expectations) = &self.expectations else { return Ok(None) };
        let cut = unreadable.then_some(Exit::CouldNotRun.meaning());
        let results = expectations.finish(report, cut);
        for result in &results {
            self.form.expectation(result, self.out)?;
            let Some(finding) = result.finding() else { continue };
            let mark = self.trial.gate().finding(&finding);
            self.write(Told { finding, mark, shown: true })?;
        }
        Ok(Some(results))
    }
}

impl Observer for Session<'_, '_> {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.trial.time(frame.time);
        self.form.frame(frame, self.selection.files.len() > 1);
    }

    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()> {
        self.form.see(&event);
        let Self { trial, expectations, selection, .. } = self;
        if let Some(expectations) = expectations {
            expectations.event(&event, |call| selection.subject(call, origins));
        }
        trial.event(&event, selection, origins);
        Ok(())
    }

    fn after(&mut self, _: &Capture, _: &Pipeline<'_>) -> anyhow::Result<()> {
        self.write_findings()
    }
}
