//! The command line: arguments, the commands, exit codes. Everything else is in the library.

mod args;
mod calls;
mod export;
mod input;
mod show;

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::Parser;
use vshark::bytes::printable;
use vshark::protocol::Registry;

use args::{Args, Color, Command, Format};

/// Could not run, or an input could not be read.
const COULD_NOT_RUN: u8 = 2;

/// Parses, runs, and turns what went wrong into one sentence and an exit code.
pub(crate) fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(code) => code,
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let registry = Registry::load(&args.shared.dissectors)?;
    let choice = match args.shared.color {
        Color::Auto => AutoStream::choice(&io::stdout()),
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    let mut out = io::BufWriter::new(AutoStream::new(io::stdout().lock(), choice));
    let code = match &args.command {
        Some(Command::Calls(calls)) => calls::run(calls, &args.shared, &registry, &mut out)?,
        Some(Command::Show(show)) => show::run(show, &args.shared, &registry, &mut out)?,
        Some(Command::Export(export)) => export::run(export, &registry, &mut out)?,
        None => {
            let calls =
                args::Calls { input: args.input.clone(), format: Format::Text, json: false };
            calls::run(&calls, &args.shared, &registry, &mut out)?
        }
    };
    out.flush()?;
    Ok(code)
}

/// A sentence for the person at the terminal, on one line whatever names are in it.
fn say(sentence: &str) {
    let _ = writeln!(io::stderr(), "vshark: {}", printable(sentence));
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
