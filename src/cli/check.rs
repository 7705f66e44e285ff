//! `vshark check`

use std::io::{self, Write};
use std::process::ExitCode;

use vshark::capture::{Frame, Origins};
use vshark::check::{Finding, Knowledge, Operation, Report};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::report::check::{CheckList, Options, Scene, nothing_judged};
use vshark::report::json::{self, Judged};
use vshark::report::matrix;

use super::args::{Check, CheckFormat, FailOn, Shared};
use super::input::{Inputs, Observer, Run, is_stdin};
use super::judging::{Counts, Trial, knowledge};
use super::select::Selection;
use super::width;
use super::{COULD_NOT_RUN, say};

/// Something happened that `--fail-on` names.
const FAILED: u8 = 1;
/// There was nothing to judge.
const NOTHING: u8 = 3;

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
    let mut trial = Trial::new(&args.judging, &knowledge)?;
    let live = paths.iter().any(|path| is_stdin(path));
    let form = match (args.format(), args.matrix) {
        (format, true) => Form::Matrix(format),
        (CheckFormat::Json, false) => Form::Json,
        (CheckFormat::Text, false) => {
            let width = width().unwrap_or(Options::WIDTH);
            let options = Options { time: shared.time.into(), width };
            let scene = Scene::new(registry, &knowledge.catalogue, options);
            Form::Text(Box::new(CheckList::new(scene, live)))
        }
    };
    let mut run = Run::open(&Inputs::new(&paths, false)?, Pipeline::new(registry));
    trial.allow(run.skews());
    let is_json = args.format() == CheckFormat::Json;
    if is_json {
        let record = json::capture(run.capture().files(), run.skews(), false);
        writeln!(out, "{}", json::line(&record))?;
        if live {
            out.flush()?;
        }
    }
    let mut session = Session { form, trial, selection, out, live };
    run.go(&mut session)?;
    session.trial.finish();
    session.write_findings()?;
    let Session { form, trial, selection, out, .. } = session;
    trial.tell_hidden();
    let (report, counts) = (trial.report(), trial.counts());
    form.finish(
        &Judgement { report: &report, counts, knowledge: &knowledge },
        &selection,
        &run,
        out,
    )?;
    if is_json {
        let judged = Judged { report: &report, rules: &knowledge.catalogue, registry };
        let summary = json::summary(&run.summary(), run.capture().files(), run.skews(), judged);
        writeln!(out, "{}", json::line(&summary))?;
    }
    out.flush()?;
    let nothing = nothing_judged(&report, counts.all());
    let told = args.format() == CheckFormat::Text && !args.matrix;
    tell(&run, nothing.as_deref(), told);
    Ok(match code(args, &report, counts, nothing.is_some()) {
        _ if run.is_unreadable() => COULD_NOT_RUN,
        code => code,
    }
    .into())
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

/// The exit code, all inputs having been read.
fn code(args: &Check, report: &Report, counts: Counts, nothing: bool) -> u8 {
    let happened = |what: &FailOn| match what {
        FailOn::Error => counts.errors > 0,
        FailOn::Warning => counts.warnings > 0,
        FailOn::Note => counts.notes > 0,
        FailOn::Operation => {
            matches!(report.operation, Operation::Failed | Operation::Unfinished)
        }
        FailOn::Unchecked => report.sealed_calls > 0 || !report.unreadable.is_empty(),
    };
    match args.fail_on.iter().any(happened) {
        true => FAILED,
        false if nothing => NOTHING,
        false => 0,
    }
}

/// What came of it, and by what.
struct Judgement<'a> {
    report: &'a Report,
    counts: Counts,
    knowledge: &'a Knowledge,
}

/// How findings are written.
enum Form<'r> {
    Text(Box<CheckList<'r>>),
    Json,
    /// Not at all: the rules are, in the end.
    Matrix(CheckFormat),
}

impl Form<'_> {
    /// Writes what comes after the findings, as far as the summary record does not say it.
    fn finish(
        self,
        of: &Judgement<'_>,
        selection: &Selection<'_>,
        run: &Run<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Judgement { report, counts, knowledge } = *of;
        let rows = || matrix::rows(knowledge.catalogue.iter(), &report.tallies);
        match self {
            Self::Text(mut list) => list.finish(report, counts.all(), out),
            Self::Json => Ok(()),
            Self::Matrix(CheckFormat::Text) => {
                let head = matrix::Head { files: &selection.files, times: run.summary().times };
                matrix::write(&head, &rows(), report, out)
            }
            Self::Matrix(CheckFormat::Json) => {
                rows().iter().try_for_each(|row| writeln!(out, "{}", json::line(&json::tally(row))))
            }
        }
    }
}

struct Session<'r, 'o> {
    form: Form<'r>,
    trial: Trial<'r>,
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
        findings.into_iter().try_for_each(|finding| self.write(finding))?;
        if self.live {
            self.out.flush()?;
        }
        Ok(())
    }

    fn write(&mut self, finding: Finding) -> io::Result<()> {
        match &mut self.form {
            Form::Text(list) => list.finding(finding, self.out),
            Form::Json => writeln!(self.out, "{}", json::line(&json::finding(&finding))),
            Form::Matrix(_) => Ok(()),
        }
    }
}

impl Observer for Session<'_, '_> {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.trial.time(frame.time);
        if let Form::Text(list) = &mut self.form {
            list.scene().see_time(frame.time);
        }
    }

    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()> {
        if let Form::Text(list) = &mut self.form {
            list.scene().see(&event);
        }
        self.trial.event(&event, &self.selection, origins);
        Ok(())
    }

    fn after(&mut self) -> anyhow::Result<()> {
        self.write_findings()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::{Args, Command};
    use super::*;

    /// What came of a read of which nothing is known but what is given.
    fn report(operation: Operation, judged_calls: u64, sealed_calls: u64) -> Report {
        Report { judged_calls, sealed_calls, operation, ..Report::default() }
    }

    #[track_caller]
    fn check(typed: &str, report: &Report, [errors, warnings, notes]: [u64; 3], expect: u8) {
        let words = format!("vshark check {typed} x.pcap");
        let args = Args::try_parse_from(words.split_whitespace()).unwrap();
        let Some(Command::Check(args)) = args.command else { panic!("{words}") };
        let counts = Counts { errors, warnings, notes };
        let nothing = nothing_judged(report, counts.all()).is_some();
        assert_eq!(code(&args, report, counts, nothing), expect, "{words}");
    }

    #[test]
    fn the_exit_code_is_1_only_for_what_is_named() {
        use Operation::{Completed, Failed, None, Unfinished, Unknown};
        check("", &report(Completed, 14, 0), [0, 0, 0], 0);
        check("", &report(Completed, 14, 0), [0, 3, 3], 0);
        check("", &report(Completed, 14, 0), [1, 0, 0], 1);
        check("", &report(Failed, 14, 0), [0, 0, 0], 1);
        check("", &report(Unfinished, 14, 0), [0, 0, 0], 1);
        check("", &report(Unknown, 14, 0), [0, 0, 0], 0);
        check("--fail-on error", &report(Failed, 14, 0), [0, 0, 0], 0);
        check("--fail-on warning", &report(Failed, 14, 0), [5, 0, 5], 0);
        check("--fail-on warning,note", &report(Completed, 14, 0), [0, 0, 1], 1);
        check("--fail-on error --fail-on note", &report(Completed, 14, 0), [0, 0, 1], 1);
        check("--fail-on operation", &report(Failed, 14, 0), [0, 0, 0], 1);
        check("--fail-on unchecked", &report(Completed, 14, 2), [9, 9, 9], 1);
        check("--fail-on unchecked", &report(Completed, 14, 0), [9, 9, 9], 0);
        let lost = Report { unreadable: vec!["9 bytes".into()], ..report(Completed, 14, 0) };
        check("--fail-on unchecked", &lost, [0, 0, 0], 1);
        check("", &lost, [0, 0, 0], 0);
        // Nothing to judge, unless there is something to explain, or it is just that which is asked.
        check("", &report(None, 0, 0), [0, 0, 0], 3);
        check("", &report(Unknown, 0, 5), [0, 0, 0], 3);
        check("--fail-on unchecked", &report(Unknown, 0, 5), [0, 0, 0], 1);
        check("", &report(Failed, 0, 0), [0, 0, 0], 1);
        check("--fail-on error", &report(Failed, 0, 0), [0, 0, 0], 0);
        check("", &report(None, 0, 0), [0, 0, 1], 0);
    }
}
