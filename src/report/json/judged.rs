//! The records of what is judged, and what they add to the summary.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::super::gate::Gated;
use super::super::matrix::Row;
use super::super::value;
use super::{gate, objects};
use crate::bytes::Time;
use crate::check::{
    Attempt, Catalogue, Conformance, Diagnosis, Finding, Report, ServerReport, SetReport, SetStep,
    SetTimer, section,
};
use crate::gate::{Mark, PREFIX, lasting};
use crate::ndr::{Arg, Direction};
use crate::protocol::{Registry, fsrvp};

/// What was judged, for the `summary` record.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// What of it counts.
    pub gated: Gated<'a>,
    /// What the judge says.
    pub report: &'a Report,
    /// The rules.
    pub rules: &'a Catalogue,
    /// Names of flags.
    pub registry: &'a Registry,
}

/// The `finding` record.
pub fn finding(finding: &Finding, mark: Mark) -> Json {
    let related =
        |related: &crate::check::Related| json!({ "call": related.call, "note": related.note });
    json!({
        "type": "finding",
        "rule": &*finding.rule,
        "severity": finding.severity.word(),
        "party": finding.party.word(),
        "certainty": finding.certainty.word(),
        "spec": spec(&finding.rule),
        "message": finding.message,
        "call": finding.call,
        "frames": finding.frames.iter().map(|frame| frame.0).collect::<Vec<_>>(),
        "time": finding.time.to_string(),
        "related": finding.related.iter().map(related).collect::<Vec<_>>(),
        "also": ids(&finding.also),
        "set": finding.set.map(|set| set.to_string()),
        "fingerprint": finding.fingerprint,
        "known_deviation": finding.known.as_deref(),
        "allowed": mark.allowed,
        "in_baseline": mark.known,
    })
}

/// The `tally` record.
pub fn tally(row: &Row<'_>) -> Json {
    json!({
        "type": "tally",
        "rule": &*row.rule.id,
        "spec": spec(&row.rule.id),
        "party": row.rule.party.word(),
        "severity": row.rule.severity.word(),
        "statement": row.rule.statement,
        "result": row.result.word(),
        "passed": row.passed,
        "failed": row.failed,
        "not_evaluable": row.not_evaluable,
        "why": row.why,
    })
}

/// Ids of rules.
pub(super) fn ids(rules: &[Arc<str>]) -> Json {
    rules.iter().map(|id| &**id).collect()
}

fn spec(id: &str) -> Json {
    if id.starts_with(PREFIX) {
        return Json::Null;
    }
    let (document, section) = section(id);
    json!({ "document": document, "section": section })
}

/// Adds what was judged to a `summary` record.
pub(super) fn add(summary: &mut Map<String, Json>, judged: Judged<'_>) {
    let Judged { report, rules, registry, gated } = judged;
    let mut put = |key: &str, value: Json| summary.insert(key.to_owned(), value);
    put("operation", json!(report.operation.word()));
    put("stopped", json!(report.stopped));
    put("attempts", report.attempts.iter().map(|of| attempt(of, registry)).collect());
    let diagnoses = report.diagnoses.iter().enumerate();
    put(
        "diagnosis",
        diagnoses.map(|(at, of)| diagnosis(of, lasting(report, at), gated.mark(at))).collect(),
    );
    put("gate", gate::gate(&gated));
    put("conformance", report.conformance.iter().map(conformance).collect());
    put("servers", report.servers.iter().map(server).collect());
    put("sets", report.sets.iter().map(|of| set(of, registry)).collect());
    put("objects", report.objects.iter().map(|of| objects::object(of, registry)).collect());
    put("storage", report.storage.iter().map(objects::storage).collect());
    put(
        "judged",
        json!({
            "calls": report.judged_calls,
            "sealed_calls": report.sealed_calls,
            "unreadable": report.unreadable,
        }),
    );
    let tallies = report.tallies.iter().map(|tally| {
        json!({
            "rule": &*tally.rule,
            "passed": tally.passed,
            "failed": tally.failed,
            "not_evaluable": tally.not_evaluable,
            "why": tally.why.as_deref().filter(|_| tally.not_evaluable > 0),
        })
    });
    put(
        "rules",
        json!({
            "known": rules.iter().count(),
            "checked": rules.iter().filter(|rule| rule.is_checked()).count(),
            "tallies": tallies.collect::<Vec<_>>(),
        }),
    );
}

fn attempt(of: &Attempt, registry: &Registry) -> Json {
    json!({
        "server": of.server.map(|server| server.to_string()),
        "server_name": of.server_name,
        "client": of.client.map(|client| client.to_string()),
        "user": of.user,
        "set": of.set.map(|set| set.to_string()),
        "shares": of.shares,
        "task": of.task,
        "context": of.context.and_then(|context| flags(context, registry)),
        "began": of.began.map(|time| time.to_string()),
        "reached": of.reached,
        "outcome": of.outcome.word(),
        "stopped": of.stopped.as_ref().map(|stop| json!({
            "call": stop.call,
            "frame": stop.frame.map(|frame| frame.0),
            "time": stop.time.to_string(),
            "what": stop.said,
        })),
        "diagnosis": of.diagnosis,
        "retried": of.retried,
    })
}

fn diagnosis(of: &Diagnosis, lasting: u64, mark: Mark) -> Json {
    let alternative =
        |(cause, title): &(Arc<str>, String)| json!({ "cause": &**cause, "title": title });
    json!({
        "cause": &*of.cause,
        "title": of.title,
        "confidence": of.confidence.word(),
        "party": of.party.word(),
        "explanation": of.explanation,
        "remedy": of.remedy,
        "retryable": of.retry.can_help(),
        "retry": of.retry.word(),
        "retry_note": of.retry_note,
        "tell_apart": of.tell_apart,
        "alternatives": of.alternatives.iter().map(alternative).collect::<Vec<_>>(),
        "windows_event": of.windows_event,
        "evidence": of.evidence,
        "frames": of.frames.iter().map(|frame| frame.0).collect::<Vec<_>>(),
        "time": of.time.to_string(),
        "server": of.server.map(|server| server.to_string()),
        "client": of.client.map(|client| client.to_string()),
        "user": of.user,
        "share": of.share,
        "set": of.set.map(|set| set.to_string()),
        "attempts": of.attempts,
        "lasting": lasting,
        "fingerprint": of.fingerprint,
        "allowed": mark.allowed,
        "in_baseline": mark.known,
    })
}

fn conformance(of: &Conformance) -> Json {
    json!({
        "profile": &*of.profile,
        "verdict": of.verdict.word(),
        "errors": of.errors,
        "warnings": of.warnings,
        "notes": of.notes,
        "known_deviations": of.deviations,
    })
}

fn server(server: &ServerReport) -> Json {
    json!({
        "addresses": server.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "name": server.name,
        "profile": &*server.profile,
        "recognised": server.recognised,
        "clients": server.clients.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "all_clients": server.all_clients,
    })
}

fn set(set: &SetReport, registry: &Registry) -> Json {
    let state = |(time, state, call): &(Time, &'static str, u64)| json!({ "state": state, "time": time.to_string(), "call": call });
    json!({
        "id": set.id.to_string(),
        "client_id": set.client_id.map(|id| id.to_string()),
        "server": set.server.to_string(),
        "client": set.client.map(|client| client.to_string()),
        "shares": set.shares,
        "context": set.context.and_then(|context| flags(context, registry)),
        "states": set.states.iter().map(state).collect::<Vec<_>>(),
        "steps": set.steps.iter().map(step).collect::<Vec<_>>(),
        "timer": set.timer.as_ref().map(timer),
        "outcome": set.outcome.word(),
    })
}

fn step(step: &SetStep) -> Json {
    json!({
        "call": step.call,
        "opnum": step.opnum,
        "method": step.method,
        "time": step.asked.to_string(),
        "answered": step.answered.map(|time| time.to_string()),
        "said": step.said,
        "failed": step.failed,
        "state": step.state,
        "timer": step.timer,
        "share": step.share,
        "client": step.client.map(|client| client.to_string()),
        "left_out": step.left_out,
    })
}

fn timer(timer: &SetTimer) -> Json {
    json!({
        "call": timer.call,
        "since": timer.since.to_string(),
        "seconds": timer.seconds,
        "ran_out": timer.ran_out,
    })
}

/// A context, as the parameter of `SetContext` is written.
fn flags(context: u32, registry: &Registry) -> Option<Json> {
    const SET_CONTEXT: u16 = 1;
    let interface = registry.interface(fsrvp::UUID, fsrvp::VERSION.0)?;
    let given = [("Context", Arg::Number(context.into()))];
    let built = interface.build(SET_CONTEXT, Direction::In, &given)?.ok()?;
    built.params.first().map(|(_, context)| value::json(context))
}
