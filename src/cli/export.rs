//! `vshark export`

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use vshark::capture::{Capture, Frame, Origins};
use vshark::check::Finding;
use vshark::gate::{Exit, Gate, Mark};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::report::gate::Gated;
use vshark::report::json::{self, Judged};

use super::args::{Export, Shared};
use super::input::{Inputs, Observer, Run, allow_for, is_stream};
use super::judging::{Trial, knowledge};
use super::secrets::keyring;
use super::select::Selection;

/// Calls whose rules are kept until they are written.
const MAX_CALLS: usize = 1 << 16;

/// Writes all records.
pub(super) fn run(
    args: &Export,
    shared: &Shared,
    registry: &Registry,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if args.schema {
        out.write_all(json::JSON_SCHEMA.as_bytes())?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let paths = args.input.paths();
    let selection = Selection::new(shared.filter.as_deref(), registry, &paths)?;
    let knowledge = knowledge(shared)?;
    let mut trial = Trial::new(&args.judging, &knowledge, Gate::default())?;
    let keys = keyring(&shared.secrets)?;
    let inputs = Inputs::new(&paths, false)?.following(args.input.follow);
    let mut run = Run::open(&inputs, Pipeline::new(registry).with_keys(keys));
    trial.allow(run.skews());
    write_capture(&paths, inputs.is_live(), &run, out)?;
    let json = json::Writer { registry, files: selection.files.clone() };
    let mut records = Records { json, selection, trial, rules: BTreeMap::new(), out };
    run.go(&mut records)?;
    records.trial.finish();
    let findings = records.findings();
    records.write_findings(&findings)?;
    let report = records.trial.report(&run.summary());
    // Nothing is let pass, and nothing failed on.
    let (expectations, diagnoses, exit) = (None, &[][..], Exit::Fine);
    let gated = Gated { gate: records.trial.gate(), expectations, diagnoses, exit };
    let judged = Judged { report: &report, rules: &knowledge.catalogue, registry, gated };
    let summary = json::summary(&run.summary(), run.capture().files(), run.skews(), judged);
    writeln!(out, "{}", json::line(&summary))?;
    out.flush()?;
    Ok(run.exit_code())
}

/// The first record. It says how much there is, so files are read through once before; what comes
/// from a pipe cannot be, and then the numbers are in the `summary` record alone.
fn write_capture(
    paths: &[PathBuf],
    live: bool,
    run: &Run<'_>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let record = if live || paths.iter().any(|path| is_stream(path)) {
        json::capture(run.capture().files(), run.skews(), false)
    } else {
        let mut whole = Capture::open(paths);
        allow_for(run.skews(), &mut whole);
        while whole.advance() {}
        json::capture(whole.files(), run.skews(), true)
    };
    writeln!(out, "{}", json::line(&record))?;
    Ok(())
}

struct Records<'r, 'o> {
    json: json::Writer<'r>,
    selection: Selection<'r>,
    trial: Trial<'r>,
    /// Rules found broken at calls that are not written yet, by number. Added with each finding,
    /// removed with its call; the earliest goes when there are more than [`MAX_CALLS`].
    rules: BTreeMap<u64, Vec<Arc<str>>>,
    out: &'o mut dyn Write,
}

impl Records<'_, '_> {
    /// Findings that are to be written, with their rules noted for their calls.
    fn findings(&mut self) -> Vec<Finding> {
        let told = self.trial.findings(&self.selection);
        let findings: Vec<Finding> =
            told.into_iter().filter(|told| told.shown).map(|told| told.finding).collect();
        for finding in &findings {
            let Some(call) = finding.call else { continue };
            let rules = self.rules.entry(call).or_default();
            if !rules.contains(&finding.rule) {
                rules.push(finding.rule.clone());
            }
            if self.rules.len() > MAX_CALLS {
                self.rules.pop_first();
            }
        }
        findings
    }

    fn write_findings(&mut self, findings: &[Finding]) -> io::Result<()> {
        let line = |finding| json::line(&json::finding(finding, Mark::default()));
        findings.iter().try_for_each(|finding| writeln!(self.out, "{}", line(finding)))
    }
}

impl Observer for Records<'_, '_> {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.trial.time(frame.time);
    }

    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()> {
        self.trial.event(&event, &self.selection, origins);
        let findings = self.findings();
        if let Event::Call(call) = event {
            let rules = self.rules.remove(&call.rpc.n).unwrap_or_default();
            if self.selection.shows(&call, origins) {
                let record = self.json.call(&call, origins, Some(&rules));
                writeln!(self.out, "{}", json::line(&record))?;
            }
        }
        Ok(self.write_findings(&findings)?)
    }

    fn after(&mut self, _: &Capture, _: &Pipeline<'_>) -> anyhow::Result<()> {
        let findings = self.findings();
        Ok(self.write_findings(&findings)?)
    }
}
