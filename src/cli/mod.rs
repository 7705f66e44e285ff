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

use args::{Args, Color, Command};

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
    if args.command.is_some() && !args.calls.input.paths().is_empty() {
        anyhow::bail!("name the captures after the command: vshark calls FILE…");
    }
    let listed = match &args.command {
        Some(Command::Show(show)) => {
            let mut out = coloured(args.shared.color);
            return show::run(show, &args.shared, &registry, &mut out);
        }
        Some(Command::Export(export)) => return export::run(export, &registry, &mut plain()),
        Some(Command::Calls(calls)) => calls,
        None => &args.calls,
    };
    if listed.is_json() || args.calls.is_json() {
        calls::run(listed, &args.shared, &registry, true, &mut plain())
    } else {
        calls::run(listed, &args.shared, &registry, false, &mut coloured(args.shared.color))
    }
}

/// Standard output for records.
fn plain() -> impl Write {
    io::BufWriter::new(io::stdout().lock())
}

/// Standard output for people, with colours where they are wanted.
fn coloured(color: Color) -> impl Write {
    let choice = match color {
        Color::Auto => AutoStream::choice(&io::stdout()),
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    io::BufWriter::new(AutoStream::new(io::stdout().lock(), choice))
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
