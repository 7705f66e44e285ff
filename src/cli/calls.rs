//! `vshark calls`

use std::io::{IsTerminal, Write, stdout};
use std::path::Path;
use std::process::ExitCode;

use vshark::capture::{Frame, Origins};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::report::json;
use vshark::report::text::{CallList, Options};

use super::args::{Calls, Shared};
use super::input::{Observer, Run};
use super::say;

/// Lists the calls, as text or as records.
pub(super) fn run(
    args: &Calls,
    shared: &Shared,
    registry: &Registry,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let paths = args.input.paths();
    let mut run = Run::open(&paths, Pipeline::new(registry))?;
    if json {
        let files = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let live = paths.iter().any(|path| path.as_path() == Path::new("-"));
        let mut list = JsonList { json: json::Writer { registry, files }, out, live };
        run.go(&mut list)?;
        out.flush()?;
        tell_not_listed(&run);
        return Ok(run.exit_code());
    }
    let eager = paths.iter().any(|path| path.as_path() == Path::new("-"));
    let options = Options { time: shared.time.into(), width: width(), eager };
    let mut list = TextList { list: CallList::new(registry, options), out, eager };
    run.go(&mut list)?;
    list.list.finish(out)?;
    out.flush()?;
    tell_not_listed(&run);
    Ok(run.exit_code())
}

/// Silence must not be taken for health.
fn tell_not_listed(run: &Run<'_>) {
    if let Some(sentence) = run.not_listed() {
        say(&sentence);
    }
}

/// Columns of the terminal, if there is one.
fn width() -> Option<usize> {
    if !stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

struct TextList<'r, 'o> {
    list: CallList<'r>,
    out: &'o mut dyn Write,
    eager: bool,
}

impl Observer for TextList<'_, '_> {
    fn frame(&mut self, frame: &Frame<'_>) {
        self.list.see_time(frame.time);
    }

    fn event(&mut self, event: Event, _: &Origins) -> anyhow::Result<()> {
        if let Event::Call(call) = event {
            self.list.call(&call, self.out)?;
            if self.eager {
                self.out.flush()?;
            }
        }
        Ok(())
    }
}

struct JsonList<'r, 'o> {
    json: json::Writer<'r>,
    out: &'o mut dyn Write,
    live: bool,
}

impl Observer for JsonList<'_, '_> {
    fn event(&mut self, event: Event, origins: &Origins) -> anyhow::Result<()> {
        if let Event::Call(call) = event {
            writeln!(self.out, "{}", json::line(&self.json.call(&call, origins)))?;
            if self.live {
                self.out.flush()?;
            }
        }
        Ok(())
    }
}
