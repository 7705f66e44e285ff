//! All captures beside all others, held against a dull walk along `tests/data/calls.tsv`.

use crate::common::{Truth, Visible};
use crate::{capture, common, number};
use vshark::diff::{Act, Pair, Part, Which, compare};

/// The captures that have one client and show everything.
fn clear() -> Vec<Truth> {
    let text = include_str!("../data/calls.tsv");
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let rows = lines.map(|line| {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        let (file, visible, calls) = (cell(), cell(), cell());
        let visible = if visible == "clear" { Visible::Clear } else { Visible::Lossy };
        Truth { file: file.to_owned(), visible, calls: common::calls(calls) }
    });
    rows.filter(|row| row.visible == Visible::Clear && row.calls.len() < 2).collect()
}

/// The calls that change something at the server, with their numbers.
fn deeds(truth: &Truth) -> Vec<(u64, &str, &str)> {
    let calls = truth.calls.first().map(Vec::as_slice).unwrap_or_default();
    (1..)
        .zip(calls)
        .map(|(n, call)| {
            let (opnum, status) = call.split_once(':').expect("opnum:status");
            (n, opnum, status)
        })
        .filter(|(_, opnum, _)| !["0", "8", "9"].contains(opnum))
        .collect()
}

/// Where two lists of deeds part when one walks along both.
fn dull(good: &Truth, bad: &Truth) -> Option<(Option<u64>, Option<u64>)> {
    let (good, bad) = (deeds(good), deeds(bad));
    (0..good.len().max(bad.len()))
        .map(|at| (good.get(at), bad.get(at)))
        .find(|(good, bad)| good.map(|of| (of.1, of.2)) != bad.map(|of| (of.1, of.2)))
        .map(|(good, bad)| (good.map(|of| of.0), bad.map(|of| of.0)))
}

/// Nothing parts later than the dull walk says. Where it parts earlier, a question was answered
/// otherwise, a value differs, or it did not come to calls.
#[test]
fn nothing_parts_later_than_it_does() {
    let all = clear();
    let recordings: Vec<_> = all.iter().map(|truth| capture(&truth.file)).collect();
    let mut equal = 0;
    for (good, good_recorded) in all.iter().zip(&recordings) {
        for (bad, bad_recorded) in all.iter().zip(&recordings) {
            let compared = compare(Pair { good: good_recorded, bad: bad_recorded });
            let what = format!("{} and {}", good.file, bad.file);
            let [of] = &*compared.comparisons else { panic!("{what}") };
            let ending = of.ending.as_ref().or(of.parting.as_ref());
            let Some((n_good, n_bad)) = dull(good, bad) else { continue };
            let ending = ending.unwrap_or_else(|| panic!("{what}: part at {n_good:?}, {n_bad:?}"));
            let told = Which::BOTH.map(|which| of.step(which, ending.steps[which]));
            let [told_good, told_bad] = told.map(number);
            let later = |told: Option<u64>, walked: Option<u64>| match (told, walked) {
                (Some(told), Some(walked)) => told > walked,
                _ => false,
            };
            assert!(
                !later(told_good, n_good) && !later(told_bad, n_bad),
                "{what}: part at {n_good:?}, {n_bad:?}, told {told_good:?}, {told_bad:?}"
            );
            if (told_good, told_bad) == (n_good, n_bad) {
                equal += 1;
                continue;
            }
            let question = |step: Option<&vshark::diff::Step>| match step.map(|step| &step.act) {
                Some(Act::Call(call)) => matches!(call.opnum, Some(0 | 8 | 9)),
                Some(Act::Setup(_)) => true,
                None => false,
            };
            let value = ending.changes.iter().any(|change| change.part != Part::Outcome);
            let earlier = value || told.into_iter().any(question);
            assert!(earlier, "{what}: {told_good:?}, {told_bad:?}");
        }
    }
    assert!(equal > 100, "{equal} part where a dull walk says");
}
