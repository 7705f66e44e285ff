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
    match &args.command {
        Some(Command::Calls(calls)) if calls.is_json() => {
            calls::run(calls, &args.shared, &registry, &mut plain())
        }
        Some(Command::Export(export)) => export::run(export, &registry, &mut plain()),
        Some(Command::Calls(calls)) => {
            calls::run(calls, &args.shared, &registry, &mut coloured(args.shared.color))
        }
        Some(Command::Show(show)) => {
            show::run(show, &args.shared, &registry, &mut coloured(args.shared.color))
        }
        None => {
            let calls =
                args::Calls { input: args.input.clone(), format: Format::Text, json: false };
            calls::run(&calls, &args.shared, &registry, &mut coloured(args.shared.color))
        }
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
