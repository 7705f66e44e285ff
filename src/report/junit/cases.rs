//! Which cases there are, and what became of each.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::xml::{Case, CaseResult, Suite};
use super::{Frame, Suites};
use crate::bytes::printable;
use crate::check::{Attempt, Diagnosis, Operation, Report, ServerReport, Tally};
use crate::gate::{Exit, Expectation, Ruling};
use crate::report::finding::profile_name;
use crate::report::gate::Gated;
use crate::report::outcome::operation;
use crate::report::prose::list;

/// Calls that are named.
const MOST_LISTED: usize = 16;

impl Suites<'_> {
    /// All suites.
    pub(super) fn suites(&self, report: &Report, of: &Gated<'_>, frame: Frame<'_>) -> Vec<Suite> {
        let mut suites = vec![self.operation(report, of)];
        suites.extend(self.servers(report, frame));
        suites.extend(of.expectations.map(|all| self.expectations(all, of)));
        suites.push(seen(report, of, frame.nothing));
        for suite in &mut suites {
            suite.began = frame.began;
            let version = ("vshark", env!("CARGO_PKG_VERSION").to_owned());
            let inputs = frame.files.iter().map(|file| ("input", file.clone()));
            suite.properties.splice(0..0, std::iter::once(version).chain(inputs));
        }
        suites
    }

    /// What the clients wanted: each shadow copy set, and each attempt that never became one.
    fn operation(&self, report: &Report, of: &Gated<'_>) -> Suite {
        let (mut sets, mut others) = (0_u32, 0_u32);
        let mut cases = Vec::new();
        for attempt in &report.attempts {
            let name = if attempt.set.is_some() {
                sets += 1;
                format!("shadow copy set {sets}")
            } else {
                others += 1;
                format!("attempt {others} without a shadow copy set")
            };
            let diagnosis = attempt.diagnosis.and_then(|at| Some((at, report.diagnoses.get(at)?)));
            let set = report
                .sets
                .iter()
                .find(|set| Some(set.id) == attempt.set && Some(set.server) == attempt.server);
            let took = set.and_then(|set| {
                let [(first, ..), .., (last, ..)] = &*set.states else { return None };
                Some(last.since(*first))
            });
            cases.push(Case { took, ..self.attempt(name, attempt, diagnosis, of) });
        }
        let told = report.attempts.iter().any(Attempt::is_lasting);
        if cases.is_empty() || report.operation.came_to_nothing() && !told {
            cases.push(overall(report, of));
        }
        Suite { name: "operation".to_owned(), cases, ..Suite::default() }
    }

    fn attempt(
        &self,
        name: String,
        attempt: &Attempt,
        diagnosis: Option<(usize, &Diagnosis)>,
        of: &Gated<'_>,
    ) -> Case {
        let outcome = operation(attempt.outcome).0;
        let mut text = vec![format!("outcome: {outcome}")];
        let ends: Vec<String> = attempt
            .client
            .into_iter()
            .chain(attempt.server)
            .map(|ip| self.scene.host(ip))
            .collect();
        text.push(format!("between: {}", ends.join(" → ")));
        text.extend(attempt.user.as_deref().map(|user| format!("user: {}", printable(user))));
        if !attempt.shares.is_empty() {
            let shares: Vec<String> = attempt.shares.iter().map(|share| printable(share)).collect();
            text.push(format!("shares: {}", list(&shares, MOST_LISTED)));
        }
        text.extend(attempt.set.map(|set| format!("set: {set}")));
        text.extend(attempt.reached.map(|reached| format!("reached: {reached}")));
        let stopped = attempt.stopped.as_ref().map(|stop| printable(&stop.said));
        text.extend(stopped.as_ref().map(|said| format!("stopped: {said}")));
        text.extend(diagnosis.iter().flat_map(|(_, diagnosis)| explained(diagnosis)));
        let mark = diagnosis.map(|(at, _)| of.mark(at)).unwrap_or_default();
        if !mark.counts() {
            let why = if mark.allowed { "allowed" } else { "in the baseline" };
            text.push(format!("does not count: the cause is {why}"));
        }
        text.extend(attempt.retried.map(|_| "a later attempt made it good".to_owned()));
        let text = format!("{}\n", text.join("\n"));
        let title = diagnosis.map(|(_, of)| format!("{}: {}", of.cause, printable(&of.title)));
        let message = format!(
            "{outcome}{}",
            title.or(stopped).map(|why| format!(": {why}")).unwrap_or_default()
        );
        let fails = of.gate.fail_on.operation && attempt.is_lasting() && mark.counts();
        let (result, out) = match attempt.outcome {
            _ if fails => (CaseResult::Failed { message, kind: "operation", text }, String::new()),
            Operation::Unknown => (CaseResult::Skipped("it cannot be told".to_owned()), text),
            _ => (CaseResult::Passed, text),
        };
        Case { class: "vshark.operation".to_owned(), name, took: None, result, out }
    }

    /// A suite for each server, with a case for each rule that applied there.
    fn servers(&self, report: &Report, frame: Frame<'_>) -> Vec<Suite> {
        let mut suites: Vec<Suite> = Vec::new();
        for (n, server) in report.servers.iter().enumerate() {
            let address = server.addresses.first().map(|ip| self.scene.host(*ip));
            let own = server.name.as_deref().map(|name| printable(name).replace('.', "_"));
            let class = own.unwrap_or_else(|| format!("server{}", n.saturating_add(1)));
            suites.push(Suite {
                name: format!("conformance {}", address.unwrap_or_default()),
                began: None,
                properties: vec![
                    ("profile", profile_name(&server.profile)),
                    ("recognised", printable(&server.recognised)),
                ],
                cases: self.rules(server, &format!("vshark.conformance.{class}"), frame),
            });
        }
        suites
    }

    fn rules(&self, server: &ServerReport, class: &str, frame: Frame<'_>) -> Vec<Case> {
        let is_here = |ip: &Option<IpAddr>| ip.is_some_and(|ip| server.addresses.contains(&ip));
        let found = self.held.keys().filter(|(ip, _)| is_here(ip)).map(|(_, rule)| rule.clone());
        let mut ids: BTreeSet<_> = server.tallies.iter().map(|tally| tally.rule.clone()).collect();
        ids.extend(found);
        let case = |id: &std::sync::Arc<str>| {
            let keys = server.addresses.iter().map(|ip| (Some(*ip), id.clone()));
            let held = keys.clone().find_map(|key| self.held.get(&key));
            let also = keys.clone().find_map(|key| self.also.get(&key));
            let tally = server.tallies.iter().find(|tally| tally.rule == *id);
            let (result, out) = match (held, tally) {
                (Some(held), _) => held.result(),
                (None, Some(tally)) => (untold(tally, also.map(|id| &**id)), String::new()),
                (None, None) => return None,
            };
            let statement = frame.rules.get(id).map(|rule| printable(&rule.statement));
            let name = format!("{} {}", printable(id), statement.unwrap_or_default());
            let (class, name) = (class.to_owned(), name.trim_end().to_owned());
            Some(Case { class, name, took: None, result, out })
        };
        let place = |id: &str| frame.rules.iter().position(|rule| &*rule.id == id);
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_by_cached_key(|id| place(id));
        ids.iter().filter_map(case).collect()
    }

    /// What was expected.
    fn expectations(&self, all: &[Expectation], of: &Gated<'_>) -> Suite {
        let case = |one: &Expectation| {
            let (result, out) = match one.ruling {
                Ruling::Broken => match self.held.get(&(None, one.id.clone())) {
                    Some(held) => held.result(),
                    None => (CaseResult::Passed, one.why.clone()),
                },
                Ruling::Unchecked if of.gate.fail_on.unchecked => {
                    let (message, text) = (one.why.clone(), String::new());
                    (CaseResult::Failed { message, kind: "unchecked", text }, String::new())
                }
                Ruling::Unchecked => (CaseResult::Skipped(one.why.clone()), String::new()),
                Ruling::Met => (CaseResult::Passed, String::new()),
            };
            let class = format!("vshark.expectations.{}", one.about.word());
            Case { class, name: one.name.clone(), took: None, result, out }
        };
        let cases = all.iter().map(case).collect();
        Suite { name: "expectations".to_owned(), cases, ..Suite::default() }
    }
}

/// A rule of which there is no finding.
fn untold(tally: &Tally, also: Option<&str>) -> CaseResult {
    match (tally.failed, tally.passed, also) {
        (1.., _, Some(rule)) => {
            CaseResult::Skipped(format!("broken by a fault that is told as {rule}"))
        }
        (1.., _, None) => {
            CaseResult::Skipped("broken by a fault that is told elsewhere".to_owned())
        }
        (0, 1.., _) => CaseResult::Passed,
        (0, 0, _) => {
            let why = tally.why.as_deref().unwrap_or("it could not be told");
            CaseResult::Skipped(why.to_owned())
        }
    }
}

/// How what the clients wanted ended, where no attempt says it.
fn overall(report: &Report, of: &Gated<'_>) -> Case {
    let outcome = operation(report.operation).0;
    let text: Vec<String> = report.stopped.iter().map(|said| printable(said)).collect();
    let text = text.join("\n");
    let (result, out) = match report.operation {
        Operation::None => (CaseResult::Skipped("nothing was tried".to_owned()), text),
        Operation::Unknown => (CaseResult::Skipped("it cannot be told".to_owned()), text),
        ended if ended.came_to_nothing() && of.gate.fail_on.operation => {
            let message = outcome.to_owned();
            (CaseResult::Failed { message, kind: "operation", text }, String::new())
        }
        _ => (CaseResult::Passed, text),
    };
    let name = "what the clients wanted".to_owned();
    Case { class: "vshark.operation".to_owned(), name, took: None, result, out }
}

/// Whether everything could be seen, and something was.
fn seen(report: &Report, of: &Gated<'_>, nothing: Option<&str>) -> Suite {
    let case = |name: &str, result| Case {
        class: "vshark.visibility".to_owned(),
        name: name.to_owned(),
        took: None,
        result,
        out: String::new(),
    };
    let read = match of.exit {
        Exit::CouldNotRun => CaseResult::Error(of.exit.meaning().to_owned()),
        _ => CaseResult::Passed,
    };
    let judged = match (nothing, of.exit) {
        (Some(nothing), Exit::Nothing) => CaseResult::Error(format!("judged {nothing}")),
        (Some(nothing), _) => CaseResult::Skipped(format!("judged {nothing}")),
        (None, _) => CaseResult::Passed,
    };
    let unseen: Vec<String> = report.unreadable.iter().map(|said| printable(said)).collect();
    let visible = match unseen.first() {
        None if report.sealed_calls == 0 => CaseResult::Passed,
        _ if of.gate.fail_on.unchecked => CaseResult::Failed {
            message: unseen.first().cloned().unwrap_or_default(),
            kind: "unchecked",
            text: format!("{}\n", unseen.join("\n")),
        },
        _ => CaseResult::Skipped(unseen.join("; ")),
    };
    let cases = vec![
        case("every input could be read", read),
        case("there was something to judge", judged),
        case("everything could be seen", visible),
    ];
    Suite { name: "visibility".to_owned(), cases, ..Suite::default() }
}

/// Why something came to nothing, in lines.
fn explained(of: &Diagnosis) -> Vec<String> {
    let mut lines = vec![
        format!("cause: {} {} ({})", of.cause, printable(&of.title), of.confidence.word()),
        format!("what happened: {}", printable(&of.explanation)),
        format!("what to do: {}", printable(&of.remedy)),
    ];
    let more = [("retry", &of.retry_note), ("to tell apart", &of.tell_apart)];
    let more = more.into_iter().filter_map(|(head, text)| Some((head, text.as_deref()?)));
    lines.extend(more.map(|(head, text)| format!("{head}: {}", printable(text))));
    if !of.evidence.is_empty() {
        lines.push(format!("calls: {}", list(&of.evidence, MOST_LISTED)));
    }
    lines.push(format!("fingerprint: {}", of.fingerprint));
    lines
}
