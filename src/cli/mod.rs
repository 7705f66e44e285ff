//! The command line: arguments, the commands, exit codes. Everything else is in the library.

mod args;
mod calls;
mod check;
mod diff;
mod docs;
mod export;
mod extract;
mod input;
mod interrupt;
mod judging;
mod progress;
mod rules;
mod scenario;
mod secrets;
mod select;
mod show;
#[cfg(feature = "tui")]
mod tui;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{CommandFactory, Parser};
use vshark::bytes::printable;
use vshark::filter;
use vshark::protocol::Registry;
use vshark::spelling;

use args::{Args, CheckFormat, Color, Command, DiffFormat, Format};
use progress::Clear;

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
            point(&error);
            ExitCode::from(COULD_NOT_RUN)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.command.is_some() && !args.calls.input.paths().is_empty() {
        anyhow::bail!("name the captures after the command: vshark calls FILE…");
    }
    if !matches!(args.command, Some(Command::Calls(_)) | None) && args.calls.is_asked() {
        anyhow::bail!("-e, -w, --header and --format belong to `vshark calls`");
    }
    if args.command.is_some() && (args.judging.is_asked() || args.calls.input.follow) {
        anyhow::bail!("--profile, --all-clients, --idle-start and -f stand behind the command");
    }
    let registry = Registry::load(&args.shared.dissectors)?;
    let calls = match &args.command {
        Some(Command::Show(show)) => {
            let mut out = coloured(args.shared.color);
            return show::run(show, &args.shared, &registry, &mut out);
        }
        Some(Command::Check(check)) => {
            return match check.format() {
                CheckFormat::Text => {
                    let mut out = coloured(args.shared.color);
                    check::run(check, &args.shared, &registry, &mut out)
                }
                _ => check::run(check, &args.shared, &registry, &mut plain()),
            };
        }
        Some(Command::Diff(compared)) => {
            return match compared.format() {
                DiffFormat::Text => {
                    let mut out = coloured(args.shared.color);
                    diff::run(compared, &args.shared, &registry, &mut out)
                }
                DiffFormat::Json => diff::run(compared, &args.shared, &registry, &mut plain()),
            };
        }
        Some(Command::Export(export)) => {
            return export::run(export, &args.shared, &registry, &mut plain());
        }
        Some(Command::Scenario(made)) => return scenario::run(made, &registry),
        Some(Command::Names(names)) => return docs::names(names, &registry, &mut plain()),
        Some(Command::Rules(rules)) if rules.json => {
            return rules::run(rules, &args.shared, &mut plain());
        }
        Some(Command::Rules(rules)) => {
            return rules::run(rules, &args.shared, &mut coloured(args.shared.color));
        }
        Some(Command::Completions(to)) => return docs::completions(to, &registry, &mut plain()),
        Some(Command::Man) => return docs::man(&mut plain()),
        Some(Command::Calls(calls)) => calls.with(&args.calls),
        None => {
            misspelled(&args.calls.input.paths())?;
            #[cfg(feature = "tui")]
            if tui::is_wanted(args) {
                return tui::run(args, &registry);
            }
            args.calls.clone()
        }
    };
    match calls.format()? {
        Format::Text => {
            calls::run(&calls, &args.shared, &registry, &mut coloured(args.shared.color))
        }
        Format::Json | Format::Fields => calls::run(&calls, &args.shared, &registry, &mut plain()),
    }
}

/// A first word that is no file, and nearly a command, was meant as one.
fn misspelled(paths: &[PathBuf]) -> anyhow::Result<()> {
    let Some(word) = paths.first().filter(|path| !path.exists()).and_then(|path| path.to_str())
    else {
        return Ok(());
    };
    let commands = Args::command();
    let names = commands.get_subcommands().map(clap::Command::get_name);
    match &*spelling::nearest(word, names) {
        [] => Ok(()),
        near => anyhow::bail!(
            "{}: there is no such file and no such command; the nearest: {}",
            printable(word),
            near.join(", ")
        ),
    }
}

/// Standard output for records.
fn plain() -> impl Write {
    io::BufWriter::new(Clear(io::stdout().lock()))
}

/// Standard output for people, with colours where they are wanted.
fn coloured(color: Color) -> impl Write {
    let choice = match color {
        Color::Auto => AutoStream::choice(&io::stdout()),
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    io::BufWriter::new(Clear(AutoStream::new(io::stdout().lock(), choice)))
}

/// Columns of the terminal, if there is one.
fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// A sentence for the person at the terminal, on one line whatever names are in it.
fn say(sentence: &str) {
    progress::erase();
    let _ = writeln!(io::stderr(), "vshark: {}", printable(sentence));
}

/// Where an expression is wrong, in the two lines that show it.
fn point(error: &anyhow::Error) {
    if let Some(error) = error.chain().find_map(|cause| cause.downcast_ref::<filter::Error>()) {
        let [expression, carets] = error.pointed();
        let _ = writeln!(io::stderr(), "  {expression}\n  {carets}");
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
