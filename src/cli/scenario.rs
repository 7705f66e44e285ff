//! `vshark scenario`

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use vshark::protocol::Registry;
use vshark::scenario::{MAX_TEXT, Scenario};

use super::args;
use super::extract::is_same;

/// Writes the capture of a scenario.
pub(super) fn run(args: &args::Scenario, registry: &Registry) -> anyhow::Result<ExitCode> {
    let (name, text) = read(&args.file)?;
    let scenario = Scenario::parse(&name, &text, registry)?;
    if is_dash(&args.output) {
        if io::stdout().is_terminal() {
            bail!("a capture is not for a terminal: name a file with -o, or redirect the output");
        }
        let mut out = BufWriter::new(io::stdout().lock());
        scenario.write(&mut out)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = args.output.display();
    if is_same(&args.file, &args.output) {
        bail!("{name} is being read: name another file to write");
    }
    let file = File::create(&args.output).with_context(|| format!("{name}: cannot be written"))?;
    let mut out = BufWriter::new(file);
    let written = scenario.write(&mut out).and_then(|()| out.flush());
    if written.is_err() {
        // Half a capture would be taken for one that was cut.
        drop(out);
        let _ = fs::remove_file(&args.output);
    }
    written.with_context(|| format!("{name}: cannot be written"))?;
    Ok(ExitCode::SUCCESS)
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The text of a scenario and its name in errors, no more of it than a scenario may have.
fn read(path: &Path) -> anyhow::Result<(String, String)> {
    let most = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = Vec::new();
    let name = if is_dash(path) {
        io::stdin().lock().take(most).read_to_end(&mut text).context("standard input")?;
        "standard input".to_owned()
    } else {
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("{name}: cannot be read"))?;
        file.take(most)
            .read_to_end(&mut text)
            .with_context(|| format!("{name}: cannot be read"))?;
        name
    };
    match String::from_utf8(text) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            bail!("{name}: expected a scenario in UTF-8, found something else at offset {at}")
        }
    }
}
