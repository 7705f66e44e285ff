//! SARIF 2.1.0, for those who gather results of checks.
//!
//! Results are written as they come; rules, inputs and the invocation after them, where the order of
//! keys leaves them free to stand. A capture has no lines: where something is, is the file
//! (`artifactLocation`), the call (`logicalLocations`) and the frames (`properties`).

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::gate::Gated;
use super::json::line;
use crate::bytes::{FrameNo, Guid, Time};
use crate::capture::Origins;
use crate::check::{
    Attempt, Blame, Catalogue, Causes, Certainty, Diagnosis, Finding, Operation, Report, Severity,
    section,
};
use crate::gate::{Baseline, Exit, Expectation, Mark, Ruling, lasting};
use crate::protocol::Registry;

/// Where the schema of the format is.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";
/// The key of a fingerprint: the number changes when the same fault gets another.
const FINGERPRINT: &str = "vshark/v1";
/// The rule of what came to nothing where no cause is known.
const UNEXPLAINED: &str = "operation";

/// What there is to know beside the results.
#[derive(Clone, Copy, Debug)]
pub struct Lore<'a> {
    /// The rules.
    pub rules: &'a Catalogue,
    /// The causes.
    pub causes: &'a Causes,
    /// Names of methods.
    pub registry: &'a Registry,
}

/// A document that is being written.
#[derive(Debug)]
pub struct Document<'a> {
    lore: Lore<'a>,
    /// The inputs as URIs, each once.
    artifacts: Vec<String>,
    /// The place of each input among them.
    files: Vec<usize>,
    /// Where each frame is from, if there are several inputs.
    origins: Origins,
    /// The place of each rule that was referred to, no more than there are rules, causes and
    /// expectations.
    places: BTreeMap<Arc<str>, usize>,
    any: bool,
}

/// Where something showed.
#[derive(Clone, Copy)]
struct Spot<'a> {
    call: Option<u64>,
    method: Option<&'a str>,
    frames: &'a [FrameNo],
    time: Option<Time>,
    server: Option<IpAddr>,
    client: Option<IpAddr>,
    set: Option<Guid>,
}

impl<'a> Document<'a> {
    /// Nothing is written yet.
    pub fn new(lore: Lore<'a>, files: &[String]) -> Self {
        let uris: Vec<String> = files.iter().map(|file| uri(file)).collect();
        let mut places = BTreeMap::new();
        let mut artifacts = Vec::new();
        let mut place = |uri: &String| {
            *places.entry(uri.clone()).or_insert_with(|| {
                artifacts.push(uri.clone());
                artifacts.len() - 1
            })
        };
        let files = uris.iter().map(&mut place).collect();
        let (origins, places) = (Origins::default(), BTreeMap::new());
        Self { lore, artifacts, files, origins, places, any: false }
    }

    /// Where frames are from.
    pub fn origins(&mut self) -> &mut Origins {
        &mut self.origins
    }

    /// Writes the beginning.
    pub fn begin(out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"results\":[")
    }

    /// Writes a finding.
    pub fn finding(
        &mut self,
        finding: &Finding,
        mark: Mark,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Finding { call, server, client, set, .. } = *finding;
        let method = finding.method.as_deref();
        let (frames, time) = (&*finding.frames, Some(finding.time));
        let spot = Spot { call, method, frames, time, server, client, set };
        let mut result = self.result(&finding.rule, finding.severity, &finding.message, mark);
        put(&mut result, "locations", json!([self.location(&spot)]));
        let related = finding.related.iter().map(|related| (related.call, &*related.note));
        put(&mut result, "relatedLocations", self.related(related, frames));
        put(&mut result, "partialFingerprints", json!({ FINGERPRINT: finding.fingerprint }));
        put(
            &mut result,
            "properties",
            json!({
                "party": finding.party.word(),
                "certainty": finding.certainty.word(),
                "also": finding.also.iter().map(|id| &**id).collect::<Vec<_>>(),
                "knownDeviation": finding.known.as_deref(),
            }),
        );
        self.write(&result, out)
    }

    /// Writes the end: what the clients wanted, what could not be told, what is known and was not
    /// found, and what stands around the results.
    pub fn finish(
        mut self,
        report: &Report,
        of: &Gated<'_>,
        notes: &[String],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for (at, diagnosis) in report.diagnoses.iter().enumerate() {
            let stops = lasting(report, at) > 0;
            let severity = if stops { Severity::Error } else { Severity::Note };
            self.diagnosis(diagnosis, severity, of.mark(at), out)?;
        }
        let unexplained = |attempt: &&Attempt| {
            attempt.is_lasting()
                && attempt.diagnosis.is_none_or(|at| report.diagnoses.get(at).is_none())
        };
        for attempt in report.attempts.iter().filter(unexplained) {
            self.attempt(attempt, of, out)?;
        }
        for one in of.expectations.unwrap_or_default() {
            if one.ruling == Ruling::Unchecked {
                self.unchecked(one, of, out)?;
            }
        }
        for (fingerprint, times) in of.gate.baseline.iter().flat_map(Baseline::absent) {
            for _ in 0..times {
                self.absent(fingerprint, out)?;
            }
        }
        let verdicts = report
            .conformance
            .iter()
            .map(|of| json!({ "profile": &*of.profile, "verdict": of.verdict.word() }));
        let artifacts = self
            .artifacts
            .iter()
            .map(|uri| json!({ "location": { "uri": uri }, "roles": ["analysisTarget"] }));
        let rest = json!({
            "tool": { "driver": self.driver(of) },
            "invocations": [invocation(report, of, notes)],
            "artifacts": artifacts.collect::<Vec<_>>(),
            "properties": {
                "operation": report.operation.word(),
                "conformance": verdicts.collect::<Vec<_>>(),
            },
        });
        let rest = line(&rest);
        writeln!(out, "\n],{}]}}", rest.strip_prefix('{').unwrap_or(&rest))
    }

    /// Why something came to nothing, or what is worth a look.
    fn diagnosis(
        &mut self,
        of: &Diagnosis,
        severity: Severity,
        mark: Mark,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let message = format!("{}. {} {}", of.title, of.explanation, of.remedy);
        let mut result = self.result(&of.cause, severity, &message, mark);
        let spot = Spot {
            call: of.evidence.first().copied(),
            method: None,
            frames: &of.frames,
            time: Some(of.time),
            server: of.server,
            client: of.client,
            set: of.set,
        };
        put(&mut result, "locations", json!([self.location(&spot)]));
        let related = of.evidence.iter().skip(1).map(|call| (*call, "shows it, too"));
        put(&mut result, "relatedLocations", self.related(related, &of.frames));
        put(&mut result, "partialFingerprints", json!({ FINGERPRINT: of.fingerprint }));
        put(
            &mut result,
            "properties",
            json!({
                "party": of.party.word(),
                "certainty": of.confidence.word(),
                "attempts": of.attempts,
                "remedy": of.remedy,
                "retry": of.retry.word(),
                "windowsEvent": of.windows_event,
                "share": of.share,
                "user": of.user,
            }),
        );
        self.write(&result, out)
    }

    /// What came to nothing, and it is not known why.
    fn attempt(&mut self, of: &Attempt, gated: &Gated<'_>, out: &mut dyn Write) -> io::Result<()> {
        let stop = of.stopped.as_ref();
        let why = stop.map(|stop| format!(": {}", stop.said)).unwrap_or_default();
        let message = match of.outcome {
            Operation::Unfinished => format!("what the client wanted was not finished{why}"),
            _ => format!("what the client wanted failed{why}"),
        };
        let mark = Mark { known: gated.gate.baseline.as_ref().map(|_| false), ..Mark::default() };
        let mut result = self.result(&UNEXPLAINED.into(), Severity::Error, &message, mark);
        let frames: Vec<FrameNo> = stop.and_then(|stop| stop.frame).into_iter().collect();
        let spot = Spot {
            call: stop.and_then(|stop| stop.call),
            method: None,
            frames: &frames,
            time: stop.map(|stop| stop.time).or(of.began),
            server: of.server,
            client: of.client,
            set: of.set,
        };
        put(&mut result, "locations", json!([self.location(&spot)]));
        self.write(&result, out)
    }

    /// What was expected, and cannot be told.
    fn unchecked(
        &mut self,
        of: &Expectation,
        gated: &Gated<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mark = Mark { known: gated.gate.baseline.as_ref().map(|_| false), ..Mark::default() };
        let mut result = self.result(&of.id, Severity::Note, &of.why, mark);
        put(&mut result, "kind", json!("open"));
        put(&mut result, "level", json!("none"));
        let spot = Spot::nowhere(of.server, of.client);
        put(&mut result, "locations", json!([self.location(&spot)]));
        self.write(&result, out)
    }

    /// What is known and was not found this time.
    fn absent(&mut self, fingerprint: &str, out: &mut dyn Write) -> io::Result<()> {
        let rule: Arc<str> = fingerprint.split('/').next().unwrap_or(fingerprint).into();
        let message = "this is in the baseline, and was not found this time";
        let mut result = self.result(&rule, Severity::Note, message, Mark::default());
        put(&mut result, "kind", json!("pass"));
        put(&mut result, "level", json!("none"));
        put(&mut result, "baselineState", json!("absent"));
        put(&mut result, "locations", json!([self.location(&Spot::nowhere(None, None))]));
        put(&mut result, "partialFingerprints", json!({ FINGERPRINT: fingerprint }));
        self.write(&result, out)
    }

    /// A result, as far as all have the same.
    fn result(
        &mut self,
        rule: &Arc<str>,
        severity: Severity,
        message: &str,
        mark: Mark,
    ) -> Map<String, Json> {
        let next = self.places.len();
        let place = *self.places.entry(rule.clone()).or_insert(next);
        let mut result = Map::new();
        put(&mut result, "ruleId", json!(&**rule));
        put(&mut result, "ruleIndex", json!(place));
        put(&mut result, "kind", json!("fail"));
        put(&mut result, "level", json!(severity.word()));
        put(&mut result, "message", json!({ "text": message }));
        if let Some(known) = mark.known {
            put(&mut result, "baselineState", json!(if known { "unchanged" } else { "new" }));
        }
        let why =
            [(mark.allowed, "--allow lets it pass"), (mark.is_known(), "it is in the baseline")];
        let why = why.into_iter().filter(|(is, _)| *is).map(
            |(_, why)| json!({ "kind": "external", "status": "accepted", "justification": why }),
        );
        if !mark.counts() {
            put(&mut result, "suppressions", why.collect());
        }
        result
    }

    fn write(&mut self, result: &Map<String, Json>, out: &mut dyn Write) -> io::Result<()> {
        let comma = if std::mem::replace(&mut self.any, true) { "," } else { "" };
        write!(out, "{comma}\n{}", line(&Json::Object(result.clone())))
    }

    /// Where something showed.
    fn location(&self, spot: &Spot<'_>) -> Json {
        let mut location = self.file(spot.frames);
        if let Some(call) = spot.call {
            put(&mut location, "logicalLocations", json!([logical(call, spot.method)]));
        }
        let mut properties = Map::new();
        if !spot.frames.is_empty() {
            let frames: Vec<u64> = spot.frames.iter().map(|frame| frame.0).collect();
            put(&mut properties, "frames", json!(frames));
        }
        let texts = [
            ("call", spot.call.map(|call| json!(call))),
            ("time", spot.time.map(|time| json!(time.to_string()))),
            ("client", spot.client.map(|ip| json!(ip.to_string()))),
            ("server", spot.server.map(|ip| json!(ip.to_string()))),
            ("set", spot.set.map(|set| json!(set.to_string()))),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                put(&mut properties, key, value);
            }
        }
        put(&mut location, "properties", Json::Object(properties));
        Json::Object(location)
    }

    /// Other calls, in the file that has these frames.
    fn related<'n>(&self, calls: impl Iterator<Item = (u64, &'n str)>, frames: &[FrameNo]) -> Json {
        let related = calls.enumerate().map(|(n, (call, note))| {
            let mut location = self.file(frames);
            put(&mut location, "id", json!(n));
            put(&mut location, "message", json!({ "text": format!("call {call}: {note}") }));
            put(&mut location, "logicalLocations", json!([logical(call, None)]));
            Json::Object(location)
        });
        related.collect()
    }

    /// The input that the first of these frames is from.
    fn file(&self, frames: &[FrameNo]) -> Map<String, Json> {
        let place = frames.first().and_then(|frame| self.origins.of(*frame));
        let file = place.map_or(0, |(file, _)| file);
        let at = self.files.get(file).copied().unwrap_or_default();
        let uri = self.artifacts.get(at).map_or("", String::as_str);
        let place = json!({ "artifactLocation": { "uri": uri, "index": at } });
        Map::from_iter([("physicalLocation".to_owned(), place)])
    }

    /// The program, and the rules that results refer to.
    fn driver(&self, of: &Gated<'_>) -> Json {
        let mut ids: Vec<(&Arc<str>, usize)> =
            self.places.iter().map(|(id, place)| (id, *place)).collect();
        ids.sort_by_key(|(_, place)| *place);
        json!({
            "name": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "shortDescription": { "text": env!("CARGO_PKG_DESCRIPTION") },
            "rules": ids.into_iter().map(|(id, _)| self.rule(id, of)).collect::<Vec<_>>(),
        })
    }

    fn rule(&self, id: &str, of: &Gated<'_>) -> Json {
        if let Some(rule) = self.lore.rules.get(id) {
            let (document, section) = section(&rule.id);
            let text = if rule.check.is_empty() { &rule.statement } else { &rule.check };
            return json!({
                "id": id,
                "shortDescription": { "text": rule.statement },
                "fullDescription": { "text": text },
                "help": { "text": rule.why },
                "defaultConfiguration": { "level": rule.severity.word() },
                "properties": properties(&format!("[{document}] {section}"), rule.party),
            });
        }
        if let Some(cause) = self.lore.causes.get(id) {
            let text = |text: &str| json!({ "text": cause.in_general(text) });
            return json!({
                "id": id,
                "shortDescription": text(&cause.title),
                "fullDescription": text(&cause.why),
                "help": text(&cause.remedy),
                "defaultConfiguration": { "level": "error" },
                "properties": {
                    "party": cause.party.word(),
                    "certainty": Certainty::word(cause.confidence),
                    "tags": ["backup"],
                },
            });
        }
        let mut expectations = of.expectations.unwrap_or_default().iter();
        if let Some(one) = expectations.find(|one| &*one.id == id) {
            return json!({
                "id": id,
                "shortDescription": { "text": one.name },
                "fullDescription": { "text": "Somebody expects this of the capture (--expect)." },
                "defaultConfiguration": { "level": one.severity.word() },
                "properties": { "line": one.line, "tags": ["expectation"] },
            });
        }
        let text = match id {
            UNEXPLAINED => "what a client wants is to come to a good end",
            _ => "this version of vshark does not know the rule",
        };
        json!({
            "id": id,
            "shortDescription": { "text": text },
            "defaultConfiguration": { "level": "error" },
        })
    }
}

impl Spot<'_> {
    /// In the capture, at no call.
    fn nowhere(server: Option<IpAddr>, client: Option<IpAddr>) -> Self {
        Self { call: None, method: None, frames: &[], time: None, server, client, set: None }
    }
}

/// A call, with the name of its method where that is known.
fn logical(call: u64, method: Option<&str>) -> Json {
    match method {
        Some(method) => json!({
            "name": method,
            "fullyQualifiedName": format!("call {call} {method}"),
            "kind": "function",
        }),
        None => json!({ "fullyQualifiedName": format!("call {call}"), "kind": "function" }),
    }
}

fn put(object: &mut Map<String, Json>, key: &str, value: Json) {
    object.insert(key.to_owned(), value);
}

fn properties(section: &str, party: Blame) -> Json {
    json!({ "section": section, "party": party.word(), "tags": ["conformance"] })
}

/// The run: what it ended with, and what could not be seen.
fn invocation(report: &Report, of: &Gated<'_>, notes: &[String]) -> Json {
    let note = |level: &'static str| move |text: &String| json!({ "level": level, "message": { "text": text } });
    let unseen = report.unreadable.iter().map(note("warning"));
    let notes: Vec<Json> = notes.iter().map(note("error")).chain(unseen).collect();
    json!({
        "executionSuccessful": of.exit != Exit::CouldNotRun,
        "exitCode": of.exit.code(),
        "exitCodeDescription": of.exit.meaning(),
        "toolExecutionNotifications": notes,
    })
}

/// A path as a URI reference (RFC 3986): relative as it was, absolute with `file:` before it.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    if path == "-" {
        return "stdin".to_owned();
    }
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let drive = path.as_bytes().get(1) == Some(&b':') && cfg!(windows);
    let (scheme, path) = match &*path {
        share if share.starts_with("//") && cfg!(windows) => ("file:", share),
        rooted if rooted.starts_with('/') => ("file://", rooted),
        own if drive => ("file:///", own),
        own => ("", own),
    };
    let mut uri = scheme.to_owned();
    for byte in path.bytes() {
        // A colon would be taken for the end of a scheme.
        let plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if plain || byte == b':' && drive {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references() {
        for (path, expect) in [
            ("captures/a b.pcap", "captures/a%20b.pcap"),
            ("a:b%#?.pcapng", "a%3Ab%25%23%3F.pcapng"),
            ("größe.pcap", "gr%C3%B6%C3%9Fe.pcap"),
            ("../x.pcap", "../x.pcap"),
            ("-", "stdin"),
        ] {
            assert_eq!(uri(path), expect);
        }
        #[cfg(unix)]
        for (path, expect) in
            [("/var/log/x.pcap", "file:///var/log/x.pcap"), ("back\\slash", "back%5Cslash")]
        {
            assert_eq!(uri(path), expect);
        }
        #[cfg(windows)]
        for (path, expect) in [
            ("C:\\a b\\x.pcap", "file:///C:/a%20b/x.pcap"),
            ("\\\\srv\\share\\x.pcap", "file://srv/share/x.pcap"),
            ("captures\\x.pcap", "captures/x.pcap"),
        ] {
            assert_eq!(uri(path), expect);
        }
    }
}
