//! The first screen: what was wanted, what became of it and why; the shadow copy sets; the findings;
//! what could not be seen. Each row leads to where it comes from.

use super::super::model::Model;
use super::super::objects::name;
use super::super::text::{Row, columns, cut, fit, wrap};
use super::super::theme::Role;
use super::super::update::Target;
use crate::bytes::printable;
use crate::check::{Blame, Operation, SetReport, Severity, Verdict};
use crate::report::brief::short;
use crate::report::check::OpeningLine;
use crate::report::unseen::{not_listed, not_told};

/// Columns of the words that rows begin with.
const HEAD: usize = 13;
/// Sets, findings and sentences that are listed here.
const MOST_SETS: usize = 100;
const MOST_FINDINGS: usize = 12;
const MOST_SENTENCES: usize = 20;

/// A row and where it leads.
type Led = (Row, Option<Target>);

/// The title: both verdicts, as far as they are known.
pub(super) fn title(model: &Model<'_>) -> String {
    let report = &model.digest.report;
    let so_far = if model.ended { "" } else { " so far" };
    let operation = match report.operation {
        Operation::Unfinished if !model.ended => "running",
        _ if model.unreadable && model.trace.frames() == 0 => "nothing could be read",
        operation => operation.word().unwrap_or("nothing wanted"),
    };
    let rules = report.conformance.iter().map(|of| {
        let verdict = match of.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Inconclusive => "inconclusive",
        };
        format!("{} {verdict}", of.profile)
    });
    let rules: Vec<String> = rules.collect();
    if rules.is_empty() {
        return format!("operation: {operation}{so_far}");
    }
    format!("operation: {operation}{so_far}; rules: {}", rules.join(", "))
}

/// All rows.
pub(in crate::tui) fn rows(model: &Model<'_>) -> Vec<Row> {
    led(model).into_iter().map(|(row, _)| row).collect()
}

/// Where a row leads.
pub(in crate::tui) fn target(model: &Model<'_>, row: usize) -> Option<Target> {
    led(model).into_iter().nth(row)?.1
}

/// Why there is nothing to list, in a few rows.
pub(super) fn nothing(model: &Model<'_>) -> Vec<String> {
    if model.chosen.is_some() {
        let calls = model.trace.complete();
        return vec![format!("no call is what the filter asks for, of {calls}: Esc shows all")];
    }
    if !model.ended {
        return vec!["no call so far".to_owned()];
    }
    let width = usize::from(model.size.0).saturating_sub(4);
    let why = not_listed(&model.digest.summary);
    let why = why.map_or_else(|| "there is no call".to_owned(), |why| printable(&why));
    let mut rows = wrap(&why, width);
    rows.extend(model.told.iter().flat_map(|sentence| wrap(sentence, width)));
    rows
}

fn led(model: &Model<'_>) -> Vec<Led> {
    let mut rows: Vec<Led> = Vec::new();
    let width = usize::from(model.size.0);
    for sentence in model.told.iter().take(MOST_SENTENCES) {
        add(&mut rows, width, ("NOT READ", Role::Bad), sentence, None);
    }
    // What was not asked for so far may be yet.
    let told = |line: &&OpeningLine| model.ended || line.head != "NOTHING";
    for line in model.digest.opening.iter().filter(told) {
        let frame = line.frame.map(|frame| Target::Frame(frame.0));
        let target = line.call.map(Target::Answer).or(frame);
        let role = role(line.head);
        add(&mut rows, width, (line.head, role), &line.text, target);
    }
    let judged = model.ended && !(model.unreadable && model.trace.frames() == 0);
    if let Some(nothing) = model.digest.nothing.as_ref().filter(|_| judged) {
        add(&mut rows, width, ("judged", Role::Head), nothing, None);
    }
    if rows.is_empty() {
        for text in nothing(model) {
            rows.push((Row::one(format!(" {text}"), Role::Dim), None));
        }
    }
    add_sets(model, &mut rows, width);
    add_objects(model, &mut rows, width);
    add_findings(model, &mut rows, width);
    let unseen = &model.digest.report.unreadable;
    let beyond = if model.ended && model.trace.complete() > 0 {
        not_told(&model.digest.summary, &model.digest.report)
    } else {
        Vec::new()
    };
    if !unseen.is_empty() || !beyond.is_empty() {
        heading(&mut rows, "Not seen");
        for sentence in unseen.iter().chain(&beyond).take(MOST_SENTENCES) {
            add(&mut rows, width, ("", Role::Plain), &printable(sentence), None);
        }
        if stays_closed(model) {
            let text = "K takes a file of keys, and reads everything again";
            add(&mut rows, width, ("", Role::Plain), text, None);
        }
    }
    heading(&mut rows, "Read");
    for (n, name) in model.options.files.iter().enumerate() {
        if n < MOST_SENTENCES {
            add(&mut rows, width, ("", Role::Plain), &printable(name), None);
        }
    }
    for server in &model.digest.report.servers {
        let addresses: Vec<String> = server.addresses.iter().map(ToString::to_string).collect();
        let name = server.name.as_deref().map(printable).unwrap_or_default();
        let text = format!(
            "{name} {} judged as {}: {}",
            addresses.join(", "),
            server.profile,
            printable(&server.recognised)
        );
        add(&mut rows, width, ("server", Role::Dim), text.trim(), None);
    }
    rows
}

/// Whether everything was read, and keys might open more of it.
pub(super) fn stays_closed(model: &Model<'_>) -> bool {
    let summary = &model.digest.summary;
    model.ended && (summary.sealed_calls() > 0 || summary.smb_without_keys() > 0)
}

fn heading(rows: &mut Vec<Led>, text: &str) {
    rows.push((Row::new(), None));
    rows.push((Row::one(format!(" {text}"), Role::Head), None));
}

/// A text with the word before it, in as many rows as it takes.
fn add(
    rows: &mut Vec<Led>,
    width: usize,
    (head, role): (&str, Role),
    text: &str,
    target: Option<Target>,
) {
    let indent = if head.is_empty() { 2 } else { HEAD };
    for (n, line) in wrap(text, width.saturating_sub(indent + 2)).into_iter().enumerate() {
        let before = if n == 0 { fit(head, indent) } else { " ".repeat(indent) };
        rows.push((Row::one(format!(" {before}"), role).add(line, Role::Plain), target));
    }
}

/// How the word before a text is drawn.
fn role(head: &str) -> Role {
    match head {
        "FAILED" | "UNFINISHED" | "BUT" => Role::Bad,
        "COMPLETED" | "RETRIED" => Role::Good,
        "UNKNOWN" | "NOTHING" | "RUNNING" => Role::Doubt,
        _ => Role::Head,
    }
}

fn add_sets(model: &Model<'_>, rows: &mut Vec<Led>, width: usize) {
    let sets = &model.digest.report.sets;
    if sets.is_empty() {
        return;
    }
    heading(rows, "Shadow copy sets (Enter shows the states)");
    for set in sets.iter().take(MOST_SETS) {
        let call = set.steps.iter().find(|step| step.failed).or_else(|| set.steps.first());
        let target = call.map(|step| Target::State(step.call));
        rows.push((of_set(set, model.ended, width), target));
    }
    if sets.len() > MOST_SETS {
        let more = sets.len() - MOST_SETS;
        rows.push((Row::one(format!("   and {more} more: see State"), Role::Dim), None));
    }
}

/// What there is to see of each server whose shadow copies are managed.
fn add_objects(model: &Model<'_>, rows: &mut Vec<Led>, width: usize) {
    let report = &model.digest.report;
    let mut seen = Vec::new();
    for of in &report.storage {
        let objects = report.objects.iter().filter(|object| object.server == of.server);
        let states = format!(" ({})", super::objects::counts(objects.clone()));
        let areas = of.areas.iter().filter(|area| area.there);
        let counts = [
            (objects.count(), "object", states),
            (areas.count(), "diff area", String::new()),
            (of.changes.len(), "change", String::new()),
        ];
        let counts = counts.into_iter().filter(|(n, ..)| *n > 0);
        let counts = counts
            .map(|(n, what, more)| format!("{n} {what}{}{more}", if n == 1 { "" } else { "s" }));
        let counts: Vec<String> = counts.collect();
        if let Some(first) = model.first_item_of(of.server).filter(|_| !counts.is_empty()) {
            seen.push((first, format!("{}: {}", name(&model.digest, of), counts.join("; "))));
        }
    }
    if seen.is_empty() {
        return;
    }
    heading(rows, "Objects and storage (Enter shows them)");
    for (first, text) in seen.into_iter().take(MOST_SETS) {
        add(rows, width, ("", Role::Plain), &text, Some(Target::Item(first)));
    }
}

fn of_set(set: &SetReport, ended: bool, width: usize) -> Row {
    let (word, role) = match set.outcome {
        Operation::Completed => ("completed", Role::Good),
        Operation::Failed => ("failed", Role::Bad),
        Operation::Unfinished if !ended => ("running", Role::Doubt),
        Operation::Unfinished => ("unfinished", Role::Bad),
        Operation::Unknown => ("unknown", Role::Doubt),
        Operation::None => ("", Role::Dim),
    };
    let shares: Vec<String> = set.shares.iter().map(|share| printable(share)).collect();
    let shares = if shares.is_empty() { "no share".to_owned() } else { shares.join(", ") };
    let mut way: Vec<&str> = set.states.iter().map(|(_, state, _)| *state).collect();
    way.dedup();
    // Where it ended matters most: what there is no room for is left out before it.
    let room = (width / 2).saturating_sub(14);
    let mut shown = way.join(" → ");
    while columns(&shown) > room && way.len() > 1 {
        way.remove(0);
        shown = format!("… → {}", way.join(" → "));
    }
    let row = Row::one(format!("   {}  ", fit(word, 11)), role)
        .add(format!("{}  ", short(set.id)), Role::Dim)
        .add(format!("{}  ", fit(&shown, room)), Role::Name);
    let left = width.saturating_sub(row.columns());
    row.add(cut(&shares, left), Role::Plain)
}

fn add_findings(model: &Model<'_>, rows: &mut Vec<Led>, width: usize) {
    let count = |severity| model.findings.count(severity);
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let counts: Vec<String> = severities
        .into_iter()
        .map(|severity| (count(severity), severity.word()))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}{}", if n == 1 { "" } else { "s" }))
        .collect();
    if counts.is_empty() {
        return;
    }
    heading(rows, &format!("Findings: {} (Enter shows the rule)", counts.join(", ")));
    for (at, finding) in model.findings.from(0).take(MOST_FINDINGS) {
        let call = finding.call.map(|n| format!("call {n}: ")).unwrap_or_default();
        let text = format!("{call}{}", printable(&finding.message));
        let row = Row::one(
            format!("   {} ", fit(finding.severity.word(), 8)),
            of_severity(finding.severity),
        )
        .add(format!("{} ", fit(by(finding.party), 7)), Role::Dim)
        .add(cut(&text, width.saturating_sub(20)), Role::Plain);
        rows.push((row, Some(Target::Finding(at))));
    }
    if model.findings.len() > MOST_FINDINGS {
        let more = model.findings.len() - MOST_FINDINGS;
        rows.push((
            Row::one(format!("   and {more} more"), Role::Dim),
            Some(Target::Finding(MOST_FINDINGS)),
        ));
    }
}

/// How a severity is drawn.
pub(super) fn of_severity(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Bad,
        Severity::Warning => Role::Doubt,
        Severity::Note => Role::Dim,
    }
}

/// Whose doing it is.
pub(super) fn by(party: Blame) -> &'static str {
    match party {
        Blame::Client => "client",
        Blame::Server => "server",
        Blame::Transport => "network",
        Blame::Both => "both",
    }
}
