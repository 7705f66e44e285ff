//! Every rule that is checked, through the whole program: its counterexample breaks it, its near
//! miss does not.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use vshark::check::Observable;
use vshark::scenario::Scenario;

use crate::read::REGISTRY;
use crate::server::Profile;
use crate::verdict::{KNOWLEDGE, Options, Seen, judge};

/// Judges the capture of an example as a lab would: it has all clients, and it begins when the
/// server has nothing to do, unless the example says otherwise.
fn seen(text: &str) -> Vec<Seen> {
    let scenario = Scenario::parse("example", text, &REGISTRY);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut capture = Vec::new();
    scenario.write(&mut capture).expect("memory takes it");
    let starts_idle = scenario.starts_idle();
    judge(&capture, Options { profile: Profile::Spec, all_clients: true, starts_idle })
}

fn names(rule: &str, seen: &[Seen]) -> bool {
    seen.iter().any(|seen| seen.rule == rule || seen.also.iter().any(|also| also == rule))
}

fn list(seen: &[Seen]) -> String {
    seen.iter().fold(String::new(), |mut list, Seen { rule, also, message, .. }| {
        let _ = write!(list, "\n    {rule} {also:?}: {message}");
        list
    })
}

/// `VSHARK_RULE=3.1.4.5` tries the rules with this in their id, and prints what is found.
#[test]
fn every_rule_is_broken_by_its_counterexample_and_not_by_its_near_miss() {
    let only = std::env::var("VSHARK_RULE").ok();
    let chosen = |id: &str| only.as_ref().is_none_or(|only| id.contains(only.as_str()));
    let (mut observable, mut checked, mut left_out) = (0, 0, 0);
    let mut wrong = Vec::new();
    let mut failed = BTreeSet::new();
    for rule in KNOWLEDGE.catalogue.iter().filter(|rule| chosen(&rule.id)) {
        observable += u32::from(rule.observable != Observable::No);
        if !rule.is_checked() {
            left_out += u32::from(rule.observable != Observable::No);
            continue;
        }
        checked += 1;
        let examples = [(&rule.counterexample, true), (&rule.near_miss, false)];
        for (example, breaks) in examples {
            let example = example.as_ref().expect("a rule that is checked has examples");
            let seen = seen(example);
            if only.is_some() {
                println!("{} ({breaks}):\n{example}{}", rule.id, list(&seen));
            }
            if names(&rule.id, &seen) != breaks {
                let what = if breaks { "is not found in" } else { "is found in the near miss" };
                wrong.push(format!("{} {what}\n{example}{}", rule.id, list(&seen)));
                failed.insert(rule.id.to_string());
            }
        }
    }
    println!("{observable} rules are observable, {checked} checked, {left_out} left out");
    assert!(wrong.is_empty(), "{}\n{} rules: {failed:?}", wrong.join("\n"), failed.len());
}
