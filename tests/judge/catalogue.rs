//! Every rule that is checked, through the whole program: its counterexample breaks it, its near
//! miss does not.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use vshark::check::{Finding, Observable, Rule};

use crate::trial::{KNOWLEDGE, names, played};

/// Documents that have pages, and no judge.
const NOT_JUDGED_YET: [&str; 0] = [];

fn list(found: &[Finding]) -> String {
    found.iter().fold(String::new(), |mut list, found| {
        let _ = write!(list, "\n    {found} {:?}", found.also);
        list
    })
}

/// `VSHARK_RULE=3.1.4.5` tries the rules with this in their id, and prints what is found.
#[test]
fn every_rule_is_broken_by_its_counterexample_and_not_by_its_near_miss() {
    let only = std::env::var("VSHARK_RULE").ok();
    let chosen = |rule: &Rule| {
        only.as_ref().is_none_or(|only| rule.id.contains(only.as_str()))
            && !NOT_JUDGED_YET.contains(&&*rule.section().0)
    };
    let (mut observable, mut checked, mut left_out) = (0, 0, 0);
    let mut wrong = Vec::new();
    let mut failed = BTreeSet::new();
    for rule in KNOWLEDGE.catalogue.iter().filter(|rule| chosen(rule)) {
        observable += u32::from(rule.observable != Observable::No);
        if !rule.is_checked() {
            left_out += u32::from(rule.observable != Observable::No);
            continue;
        }
        checked += 1;
        let examples = [(&rule.counterexample, true), (&rule.near_miss, false)];
        for (example, breaks) in examples {
            let example = example.as_ref().expect("a rule that is checked has examples");
            // As a lab judges: it has all clients.
            let seen = played(example, "spec", true, 0);
            if only.is_some() {
                println!("{} ({breaks}):\n{example}{}", rule.id, list(&seen));
            }
            if seen.iter().any(|found| names(found, &rule.id)) != breaks {
                let what = if breaks { "is not found in" } else { "is found in the near miss" };
                wrong.push(format!("{} {what}\n{example}{}", rule.id, list(&seen)));
                failed.insert(rule.id.to_string());
            }
        }
    }
    println!("{observable} rules are observable, {checked} checked, {left_out} left out");
    assert!(wrong.is_empty(), "{}\n{} rules: {failed:?}", wrong.join("\n"), failed.len());
}
