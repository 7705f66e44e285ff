//! `vshark rules`

use std::io::Write;
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use vshark::check::machine::Machine;
use vshark::check::{Catalogue, Cause, Causes, Rule};
use vshark::report::{causes as report, json, machine, rules};

use super::args::{Rules, Shared};
use super::width;

/// Lists the rules, or the causes, all or those that have to do with something, shows the page of one,
/// or draws the machine.
pub(super) fn run(args: &Rules, shared: &Shared, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    if args.machine {
        machine::write(&Machine::embedded()?, out)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let catalogue = Catalogue::load(&shared.dissectors)?;
    let causes = Causes::load(&shared.dissectors)?;
    let cause = args.what.as_deref().and_then(|id| causes.get(id));
    if args.causes || cause.is_some() {
        return of_causes(args, &causes, cause, out);
    }
    let one = args.what.as_deref().and_then(|id| catalogue.get(id));
    let found: Vec<&Rule> = match (one, &args.what) {
        (Some(rule), _) => vec![rule],
        (None, Some(word)) => match with(&catalogue, word) {
            rules if !rules.is_empty() => rules,
            // What somebody looks for may have a cause, and no rule.
            _ if about(&causes, word).is_ok() => return of_causes(args, &causes, None, out),
            _ => return Err(none(&catalogue, &causes, word)),
        },
        (None, None) => catalogue.iter().collect(),
    };
    if args.json {
        for rule in found {
            writeln!(out, "{}", json::line(&json::rule(rule)))?;
        }
    } else if let Some(rule) = one {
        rules::page(rule, width(), out)?;
        let others = args.what.as_deref().map(|id| catalogue.others(id)).unwrap_or_default();
        rules::others(&others, width(), out)?;
    } else {
        rules::list(&found, width(), out)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The same of causes, of which `one` may be meant.
fn of_causes(
    args: &Rules,
    causes: &Causes,
    one: Option<&Cause>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let found: Vec<&Cause> = match (one, args.what.as_deref()) {
        (Some(cause), _) => vec![cause],
        (None, Some(word)) => about(causes, word)?,
        (None, None) => causes.iter().collect(),
    };
    if args.json {
        for cause in found {
            writeln!(out, "{}", json::line(&json::cause(cause)))?;
        }
    } else if let Some(cause) = one {
        report::page(cause, width(), out)?;
    } else {
        report::list(&found, width(), out)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The causes that have `word` in their id or text.
fn about<'c>(causes: &'c Causes, word: &str) -> anyhow::Result<Vec<&'c Cause>> {
    let found: Vec<&Cause> = causes.iter().filter(|cause| cause.has(word)).collect();
    if found.is_empty() {
        bail!("no cause has `{word}` in its id, text or codes{}", hint(&causes.nearest(word)));
    }
    Ok(found)
}

fn hint<S: AsRef<str>>(near: &[S]) -> String {
    match near {
        [] => String::new(),
        near => {
            let near: Vec<&str> = near.iter().map(AsRef::as_ref).collect();
            format!("; the nearest: {}", near.join(", "))
        }
    }
}

/// The rules that have `word` in their id or text.
fn with<'c>(catalogue: &'c Catalogue, word: &str) -> Vec<&'c Rule> {
    let lower = word.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&lower);
    let texts = |rule: &'c Rule| [&*rule.id, &rule.statement, &rule.check, &rule.why];
    catalogue.iter().filter(|rule| texts(rule).into_iter().any(has)).collect()
}

/// That nothing has `word` in its id or text.
fn none(catalogue: &Catalogue, causes: &Causes, word: &str) -> anyhow::Error {
    if let near @ [_, ..] = &*causes.nearest(word) {
        return anyhow!("there is no rule or cause {word}{}", hint(near));
    }
    let near = hint(&catalogue.nearest(word));
    if Catalogue::is_id(word) {
        return anyhow!("there is no rule {word}{near}");
    }
    anyhow!("no rule and no cause has `{word}` in its id or text{near}")
}
