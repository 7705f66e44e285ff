//! `vshark diff`

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use vshark::capture::{CaptureFile, Origins};
use vshark::diff::{Compared, Outcome, Pair, Recorder, Recording, Which, compare};
use vshark::pipeline::{Event, Pipeline};
use vshark::protocol::Registry;
use vshark::report::diff::{Diff, Options};
use vshark::report::json;
use vshark::security::keys::Keyring;

use super::args::{self, DiffFormat, Shared};
use super::input::{Inputs, Observer, Run, is_stdin};
use super::secrets::keyring;
use super::width;
use super::{COULD_NOT_RUN, say};

/// They differ in meaning.
const DIFFERENT: u8 = 1;
/// Nobody knows.
const UNDECIDED: u8 = 3;

/// Compares two captures, and writes what there is to say.
pub(super) fn run(
    args: &args::Diff,
    shared: &Shared,
    registry: &Registry,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let [good, bad] = &*args.captures else {
        bail!(
            "two captures are compared, and {} given: vshark diff GOOD BAD, the backup that went \
             well first",
            match args.captures.len() {
                0 => "none is".to_owned(),
                1 => "1 is".to_owned(),
                n => format!("{n} are"),
            }
        );
    };
    if is_stdin(good) && is_stdin(bad) {
        bail!("only one of the two captures can be standard input");
    }
    if shared.filter.is_some() {
        bail!("-Y chooses calls, and whole conversations are compared: leave it out");
    }
    let paths = Pair { good, bad };
    let keys = keyring(&shared.secrets)?;
    let reads = Pair { good: read(good, registry, keys.clone())?, bad: read(bad, registry, keys)? };
    let compared = compare(reads.as_ref().map(|read| &read.recording));
    let names = paths.map(|path| path.display().to_string());
    match args.format() {
        DiffFormat::Json => {
            for read in [&reads.good, &reads.bad] {
                writeln!(out, "{}", json::line(&json::capture(&read.files, &[], true)))?;
            }
            for record in json::diffs(&compared, registry) {
                writeln!(out, "{}", json::line(&record))?;
            }
        }
        DiffFormat::Text if !compared.comparisons.is_empty() => {
            let width = width().unwrap_or(Options::WIDTH);
            let options = Options { time: shared.time.into(), width };
            let names = names.as_ref().map(String::as_str);
            Diff::new(registry, names, options).write(&compared, out)?;
        }
        DiffFormat::Text => {}
    }
    out.flush()?;
    tell(&reads, &compared, &names);
    let unreadable = reads.good.unreadable || reads.bad.unreadable;
    Ok(if unreadable { COULD_NOT_RUN } else { code(compared.outcome()) }.into())
}

/// The exit code, both inputs having been read.
fn code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Alike => 0,
        Outcome::Different => DIFFERENT,
        Outcome::Undecided => UNDECIDED,
    }
}

/// What was read of a capture.
struct Reading {
    recording: Recording,
    files: Vec<CaptureFile>,
    unreadable: bool,
    /// What a capture without conversations has, in a sentence.
    seen: Option<String>,
}

fn read(path: &PathBuf, registry: &Registry, keys: Arc<Keyring>) -> anyhow::Result<Reading> {
    let paths = std::slice::from_ref(path);
    let inputs = Inputs::new(paths, false)?;
    let mut run = Run::open(&inputs, Pipeline::new(registry).with_keys(keys));
    let mut recorder = Seen(Recorder::new());
    run.go(&mut recorder)?;
    if let Some(sentence) = run.interrupted() {
        say(&sentence);
    }
    Ok(Reading {
        recording: recorder.0.finish(),
        files: run.capture().files().to_vec(),
        unreadable: run.is_unreadable(),
        seen: run.not_listed(),
    })
}

struct Seen(Recorder);

impl Observer for Seen {
    fn event(&mut self, event: Event, _: &Origins) -> anyhow::Result<()> {
        self.0.event(&event);
        Ok(())
    }
}

/// Silence must not be taken for agreement.
fn tell(reads: &Pair<Reading>, compared: &Compared<'_>, names: &Pair<String>) {
    if !compared.comparisons.is_empty() {
        return;
    }
    for which in Which::BOTH {
        let name = match &*names[which] {
            "-" => "standard input",
            name => name,
        };
        if compared.conversations[which] > 0 {
            continue;
        }
        say(&format!(
            "nothing to compare: there is no shadow-copy conversation, and no attempt at one, in {name}"
        ));
        if reads[which].recording.astray {
            say(&format!(
                "{name}: a name was not found, or a ticket refused, which may be why: vshark check \
                 {name} says more"
            ));
        }
        if let Some(seen) = &reads[which].seen {
            say(&format!("{name}: {seen}"));
        }
    }
}
