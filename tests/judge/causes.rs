//! Every cause that a capture shows: its example gives it, with its confidence and remedy, its near
//! miss does not, and the captures that it names do.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use vshark::check::{Cause, Options, Report, Slot};
use vshark::scenario::Scenario;

use crate::read::REGISTRY;
use crate::trial::{KNOWLEDGE, tried};

/// What is said of a conversation whose servers are held against a profile.
pub(crate) fn explained(text: &str, profile: &str) -> Report {
    let scenario = Scenario::parse("conversation", text, &REGISTRY);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut capture = Vec::new();
    scenario.write(&mut capture).expect("memory takes it");
    report(&capture, profile, scenario.starts_idle())
}

pub(crate) fn report(capture: &[u8], profile: &str, idle_start: bool) -> Report {
    let choice = KNOWLEDGE.choose(profile).expect("the profile is known");
    let options = Options { choice, all_clients: false, idle_start };
    let mut judge = tried(capture, options, 0);
    judge.take_findings();
    judge.report()
}

pub(crate) fn list(report: &Report) -> String {
    report.diagnoses.iter().fold(String::new(), |mut list, of| {
        let _ = write!(
            list,
            "\n    {} ({}, {} attempts, calls {:?}): {}\n      {}\n      {}",
            of.cause,
            of.confidence.word(),
            of.attempts,
            of.evidence,
            of.title,
            of.explanation,
            of.remedy
        );
        list
    })
}

/// Whether the cause is told as its page says: as what stopped an attempt, unless it is one that
/// stops nothing.
fn tells(report: &Report, cause: &Cause) -> bool {
    report.diagnoses.iter().any(|of| {
        of.cause == cause.id
            && (cause.beside || of.attempts > 0)
            && of.confidence <= cause.confidence
            && (!of.alternatives.is_empty() || of.confidence == cause.confidence)
            && Slot::ALL.iter().all(|(_, word, _)| !of.remedy.contains(&format!("{{{word}}}")))
            && is_filled(&of.remedy, &cause.remedy)
            && is_filled(&of.explanation, &cause.why)
    })
}

/// Whether a text is this one of a cause, with something in place of each word in braces.
fn is_filled(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    let mut parts = pattern.split('{');
    let begins = parts.next().is_some_and(|first| match rest.strip_prefix(first) {
        Some(behind) => {
            rest = behind;
            true
        }
        None => false,
    });
    begins
        && parts.all(|part| {
            let behind = part.split_once('}').map_or(part, |(_, behind)| behind);
            let at = if behind.is_empty() { Some(0) } else { rest.find(behind) };
            match at.and_then(|at| rest.get(at + behind.len()..)) {
                Some(next) => {
                    rest = next;
                    true
                }
                None => false,
            }
        })
        && text.len() > 20
}

/// `VSHARK_CAUSE=FS-4` tries the causes with this in their id, and prints what is told.
#[test]
fn every_cause_is_told_of_its_example_and_not_of_its_near_miss() {
    let only = std::env::var("VSHARK_CAUSE").ok();
    let chosen = |id: &str| only.as_ref().is_none_or(|only| id.contains(only.as_str()));
    let mut wrong = Vec::new();
    let (mut tried, mut left_out) = (0, 0);
    for cause in KNOWLEDGE.causes.iter().filter(|cause| chosen(&cause.id)) {
        if cause.signs.is_none() {
            left_out += 1;
            continue;
        }
        tried += 1;
        let real = cause.captures.iter().map(|name| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name);
            let capture = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (name.clone(), report(&capture, "auto", false), true)
        });
        let profile = cause.profile.as_deref().unwrap_or("auto");
        let made = [(&cause.example, true), (&cause.near_miss, false)].map(|(text, fits)| {
            let text = text.as_ref().unwrap_or_else(|| panic!("{} lacks an example", cause.id));
            (text.clone(), explained(text, profile), fits)
        });
        for (what, report, fits) in made.into_iter().chain(real) {
            if only.is_some() {
                println!("{} ({fits}):\n{what}{}", cause.id, list(&report));
            }
            if tells(&report, cause) != fits {
                let is = if fits { "is not told of" } else { "is told of its near miss" };
                wrong.push(format!("{} {is}\n{what}{}", cause.id, list(&report)));
            }
        }
    }
    println!("{tried} causes show in a capture, {left_out} do not");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What one cause says of others is true of some.
#[test]
fn causes_speak_of_causes_and_rules_that_exist() {
    let ids: BTreeSet<&str> = KNOWLEDGE.causes.iter().map(|cause| &*cause.id).collect();
    for cause in KNOWLEDGE.causes.iter() {
        for other in &cause.over {
            assert!(ids.contains(&**other), "{} is over {other}, which is none", cause.id);
        }
        for rule in cause.signs.iter().flat_map(|signs| &signs.found) {
            assert!(KNOWLEDGE.catalogue.get(rule).is_some(), "{}: no rule {rule}", cause.id);
        }
    }
}
