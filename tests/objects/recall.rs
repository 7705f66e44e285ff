//! Faults that a whole capture shows are found.

use std::collections::{BTreeMap, BTreeSet};

use crate::faults::{self, Fault};
use crate::soundness::accusations;
use crate::talk::{self, Seeded, Talk};
use crate::trial::names;
use crate::{capture, is_shown, seeds};

/// A conversation with a fault of this kind: of the first seed that has a place for it.
fn seeded(fault: &Fault, number: u64) -> Option<Talk> {
    /// Seeds that are tried for one.
    const TRIES: u64 = 40;
    (0..TRIES).find_map(|n| talk::talk(number * TRIES + n, Some(fault)))
}

/// Of the kinds of faults 95 of 100 are found, each by the rule that it breaks.
#[test]
fn faults_are_found() {
    let kinds = faults::all();
    let (mut found, mut all) = (0, 0);
    let (mut placed, mut homeless) = (BTreeSet::new(), BTreeSet::new());
    let mut missed: BTreeMap<&str, Vec<(u64, Vec<String>)>> = BTreeMap::new();
    for number in seeds(1_200) {
        let kind = &kinds[usize::try_from(number).unwrap() % kinds.len()];
        let Some(talk) = seeded(kind, number) else {
            homeless.insert(&kind.name);
            continue;
        };
        placed.insert(&kind.name);
        let Seeded { line, rules } = talk.seeded.as_ref().expect("it has a fault");
        let seen = accusations(&capture(&talk), true, true);
        if is_shown() {
            println!("# {} at line {line}: {rules:?}\n{}", kind.name, talk.text());
            println!("{seen:#?}");
        }
        all += 1;
        if rules.iter().any(|rule| seen.iter().any(|seen| names(seen, rule))) {
            found += 1;
        } else {
            let instead = seen.iter().map(|seen| seen.rule.to_string()).collect();
            missed.entry(&kind.name).or_default().push((number, instead));
        }
    }
    for (kind, seeds) in &missed {
        let (seed, instead) = &seeds[0];
        println!("missed {} times, as with VSHARK_SEED={seed}: {kind} {instead:?}", seeds.len());
    }
    homeless.retain(|kind| !placed.contains(kind));
    assert!(homeless.is_empty(), "there is no place for {homeless:?}");
    println!("{found} of {all} faults of {} kinds found", kinds.len());
    assert!(found * 100 >= all * 95, "{found} of {all} faults were found");
}
