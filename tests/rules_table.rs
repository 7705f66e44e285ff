//! Every rule that is checked: its counterexample breaks it, its near miss does not.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::LazyLock;

use vshark::capture::Capture;
use vshark::check::{Certainty, Choice, Finding, Judge, Knowledge, Options, Severity};
use vshark::pipeline::Pipeline;
use vshark::protocol::Registry;
use vshark::scenario::Scenario;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().expect("it loads"));
static KNOWLEDGE: LazyLock<Knowledge> = LazyLock::new(|| Knowledge::load(&[]).expect("it loads"));

/// Judges the capture of a scenario as a lab would: nothing before it, no other clients.
fn judge(text: &str, profile: &str) -> Vec<Finding> {
    let scenario = Scenario::parse("example", text, &REGISTRY).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut bytes = Vec::new();
    scenario.write(&mut bytes).expect("memory takes it");
    let choice = KNOWLEDGE.choose(profile).expect("it is known");
    let options = Options { choice, all_clients: true, idle_start: scenario.starts_idle() };
    let mut judge = Judge::new(&KNOWLEDGE, options);
    let mut pipeline = Pipeline::new(&REGISTRY);
    let mut capture = Capture::open_with(&["example".into()], &mut |_| Some(Box::new(Cursor::new(bytes.clone()))));
    let mut events = Vec::new();
    while capture.advance() {
        let frame = capture.frame();
        judge.time(frame.time);
        pipeline.frame(&frame, &mut events);
        events.drain(..).for_each(|event| judge.event(&event));
    }
    pipeline.finish(&mut events);
    events.drain(..).for_each(|event| judge.event(&event));
    judge.finish();
    judge.take_findings()
}

fn names(findings: &[Finding]) -> BTreeSet<String> {
    findings
        .iter()
        .flat_map(|f| std::iter::once(&f.rule).chain(&f.also))
        .map(|rule| rule.to_string())
        .collect()
}

/// The profile under which a rule is tried, and why it is not `spec`.
fn profile(_rule: &str) -> &'static str {
    "spec"
}

#[test]
fn counterexamples_break_and_near_misses_do_not() {
    let only = std::env::var("VSHARK_RULE").ok();
    let (mut observable, mut implemented, mut left_out) = (0, 0, 0);
    let mut wrong = Vec::new();
    for rule in KNOWLEDGE.catalogue.iter() {
        if only.as_ref().is_some_and(|only| !rule.id.contains(only.as_str())) {
            continue;
        }
        let seen = rule.observable != vshark::check::Observable::No;
        observable += usize::from(seen);
        if !rule.is_checked() {
            left_out += usize::from(seen);
            continue;
        }
        implemented += 1;
        let (Some(breaks), Some(keeps)) = (&rule.counterexample, &rule.near_miss) else {
            wrong.push(format!("{}: no examples", rule.id));
            continue;
        };
        let show = |findings: &[Finding]| {
            findings.iter().map(|f| format!("\n      {f} (also {:?}, {})", f.also, f.certainty.word())).collect::<String>()
        };
        let found = judge(breaks, profile(&rule.id));
        if only.is_some() {
            println!("{} counterexample:{}\n{breaks}", rule.id, show(&found));
        }
        if !names(&found).contains(&*rule.id) {
            wrong.push(format!("{}: not found in\n{breaks}   but{}", rule.id, show(&found)));
        }
        let found = judge(keeps, profile(&rule.id));
        if only.is_some() {
            println!("{} near miss:{}\n{keeps}", rule.id, show(&found));
        }
        if names(&found).contains(&*rule.id) {
            wrong.push(format!("{}: found in the near miss\n{keeps}   {}", rule.id, show(&found)));
        }
    }
    let failed: BTreeSet<&str> = wrong.iter().filter_map(|text| text.split(':').next()).collect();
    println!("{observable} observable, {implemented} checked, {left_out} left out; {} fail", failed.len());
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), failed.into_iter().collect::<Vec<_>>().join(" "));
    let _ = (Severity::Note, Certainty::Certain, Choice::Auto);
}
