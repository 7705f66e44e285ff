//! `vshark export`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use vshark::capture::{Capture, Origins};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::report::json;

use super::args::{Export, Shared};
use super::input::{Inputs, Observer, Run, allow_for, is_stream};
use super::select::Selection;

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
    let mut run = Run::open(&Inputs::new(&paths, false)?, Pipeline::new(registry));
    write_capture(&paths, &run, out)?;
    let json = json::Writer { registry, files: selection.files.clone() };
    let mut records = Records { json, selection, out };
    run.go(&mut records)?;
    let summary = json::summary(&run.summary(), run.capture().files(), run.skews());
    writeln!(out, "{}", json::line(&summary))?;
    out.flush()?;
    Ok(run.exit_code())
}

/// The first record. It says how much there is, so files are read through once before; what comes
/// from a pipe cannot be, and then the numbers are in the `summary` record alone.
fn write_capture(paths: &[PathBuf], run: &Run<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    let record = if paths.iter().any(|path| is_stream(path)) {
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
    out: &'o mut dyn Write,
}

impl Observer for Records<'_, '_> {
    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()> {
        match event {
            Event::Call(call) if self.selection.shows(&call, origins) => {
                writeln!(self.out, "{}", json::line(&self.json.call(&call, origins)))?;
            }
            _ => {}
        }
        Ok(())
    }
}
