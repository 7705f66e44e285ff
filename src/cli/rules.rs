//! `vshark rules`

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use vshark::check::machine::Machine;
use vshark::check::{Catalogue, Rule};
use vshark::report::{json, machine, rules};

use super::args::{Rules, Shared};
use super::width;

/// Lists the rules, all or those that have to do with something, shows the page of one, or draws the
/// machine.
pub(super) fn run(args: &Rules, shared: &Shared, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if args.machine {
        machine::write(&Machine::embedded()?, out)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let catalogue = Catalogue::load(&shared.dissectors)?;
    let one = args.what.as_deref().and_then(|id| catalogue.get(id));
    let found: Vec<&Rule> = match (one, &args.what) {
        (Some(rule), _) => vec![rule],
        (None, Some(word)) => with(&catalogue, word)?,
        (None, None) => catalogue.iter().collect(),
    };
    if args.json {
        for rule in found {
            writeln!(out, "{}", json::line(&json::rule(rule)))?;
        }
    } else if let Some(rule) = one {
        rules::page(rule, width(), out)?;
    } else {
        rules::list(&found, width(), out)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The rules that have `word` in their id or text.
fn with<'c>(catalogue: &'c Catalogue, word: &str) -> anyhow::Result<Vec<&'c Rule>> {
    let lower = word.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&lower);
    let texts = |rule: &'c Rule| [&*rule.id, &rule.statement, &rule.check, &rule.why];
    let found: Vec<&Rule> =
        catalogue.iter().filter(|rule| texts(rule).into_iter().any(has)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let near = match &*catalogue.nearest(word) {
        [] => String::new(),
        near => format!("; the nearest: {}", near.join(", ")),
    };
    if Catalogue::is_id(word) {
        bail!("there is no rule {word}{near}");
    }
    bail!("no rule has `{word}` in its id or text{near}")
}
