//! `vshark export`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use vshark::capture::{Capture, Origins};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::report::json;

use super::args::Export;
use super::input::{Observer, Run, allow_for, is_stream};

/// Writes all records.
pub(super) fn run(
    args: &Export,
    registry: &Registry,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if args.schema {
        out.write_all(json::JSON_SCHEMA.as_bytes())?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let paths = args.input.paths();
    let mut run = Run::open(&paths, Pipeline::new(registry))?;
    write_capture(&paths, &run, out)?;
    let files = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let mut records = Records { json: json::Writer { registry, files }, out };
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
    out: &'o mut dyn Write,
}

impl Observer for Records<'_, '_> {
    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()> {
        match event {
            Event::Call(call) => {
                writeln!(self.out, "{}", json::line(&self.json.call(&call, origins)))?;
            }
            Event::Unit(_) => {}
        }
        Ok(())
    }
}
