//! What stands beside a capture: the files that say what is known, what is expected and what causes
//! there are, and a second capture to compare with.

use vshark::check::Causes;
use vshark::diff::{Pair, Recorder, Recording, compare};
use vshark::expect::Expectations;
use vshark::gate::Baseline;
use vshark::report::diff::{Diff, Options};
use vshark::report::text::TimeStyle;
use vshark::report::{causes, json};

use super::talk::{KNOWLEDGE, captured};
use super::{REGISTRY, colourless, harmless};

/// An octet that says what it is, and a file: a baseline, expectations, or causes.
pub(super) fn lore(data: &[u8]) {
    let Some((kind, file)) = data.split_first() else { return };
    if kind % 3 == 0 {
        match Baseline::read("known.json", file) {
            Ok(baseline) => assert!(baseline.absent().all(|(_, n)| n > 0)),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        return;
    }
    let Ok(text) = std::str::from_utf8(file) else { return };
    if kind % 3 == 1 {
        match Expectations::parse("lab.toml", text, &KNOWLEDGE, &REGISTRY) {
            Ok(expected) => {
                let report = vshark::check::Report::default();
                for one in expected.finish(&report, None) {
                    harmless(&json::line(&json::expectation(&one)));
                }
            }
            Err(error) => assert!(error.line > 0 && error.column > 0),
        }
        return;
    }
    let mut all = Causes::default();
    if let Err(error) = all.add("causes.toml", text) {
        assert!(error.line > 0 && error.column > 0);
        return;
    }
    for cause in all.iter() {
        let mut page = Vec::new();
        causes::page(cause, Some(80), &mut page).expect("memory takes it");
        harmless(&colourless(&page));
        harmless(&json::line(&json::cause(cause)));
    }
}

/// How long the first is, in two octets, and two captures.
pub(super) fn diff(data: &[u8]) {
    let Some((len, rest)) = data.split_first_chunk() else { return };
    let middle = usize::from(u16::from_le_bytes(*len)).min(rest.len());
    let (good, bad) = rest.split_at(middle);
    let pair = Pair { good: recorded(good), bad: recorded(bad) };
    let compared = compare(pair.as_ref());
    let mut out = Vec::new();
    let options = Options { time: TimeStyle::Utc, width: Options::WIDTH };
    let names = Pair { good: "good", bad: "bad" };
    Diff::new(&REGISTRY, names, options).write(&compared, &mut out).expect("memory takes it");
    harmless(&colourless(&out));
    for record in json::diffs(&compared, &REGISTRY) {
        harmless(&json::line(&record));
    }
    // Nothing differs from itself.
    let same = compare(Pair { good: &pair.good, bad: &pair.good });
    assert!(same.comparisons.iter().all(|of| of.parting.is_none()), "a capture beside itself");
}

fn recorded(file: &[u8]) -> Recording {
    let mut recorder = Recorder::new();
    for event in captured(file) {
        recorder.event(&event);
    }
    recorder.finish()
}
