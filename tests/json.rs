//! What `vshark export`, `vshark calls --json`, `vshark check --json` and `vshark diff --json` write, held against `vshark export --schema` and
//! against values taken from other programs.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use jsonschema::Validator;
use serde_json::{Map, Value as Json, json};
use vshark::bytes::{FrameNo, LinkType, Time};
use vshark::capture::Capture;
use vshark::check::{
    Blame, Catalogue, Certainty, Conformance, Finding, Knowledge, Needs, Observable, Operation,
    Related, Report, Rule, ServerReport, SetReport, SetStep, SetTimer, Severity, Tally, Verdict,
};
use vshark::gate::{About, Allowed, Baseline, Exit, Expectation, FailOn, Gate, Mark, Ruling};
use vshark::pipeline::Pipeline;
use vshark::protocol::Registry;
use vshark::report;
use vshark::report::gate::Gated;
use vshark::rpc::PacketType;

const BACKUP: &str = "captures/a-ntlm-sign-smb311.pcap";
const LATER: &str = "captures/a5-spnego-sign.pcap";

/// The program in the folder of the project, so that names of captures are the same everywhere.
fn vshark(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vshark"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null());
    command
}

fn output(mut command: Command) -> String {
    let output = command.output().expect("vshark runs");
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

fn records(command: Command) -> Vec<Json> {
    let parse = |line: &str| serde_json::from_str(line).expect("a line is a JSON value");
    output(command).lines().map(parse).collect()
}

fn export(arguments: &[&str]) -> Vec<Json> {
    records(vshark(&[&["export"], arguments].concat()))
}

fn only<'r>(kind: &str, records: &'r [Json]) -> Vec<&'r Json> {
    records.iter().filter(|record| record["type"] == kind).collect()
}

fn schema() -> Json {
    serde_json::from_str(&output(vshark(&["export", "--schema"]))).expect("the schema is JSON")
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("the schema is one")
}

/// Every record is as the schema says.
fn valid(validator: &Validator, what: &str, records: &[Json]) {
    for record in records {
        if let Some(error) = validator.iter_errors(record).next() {
            // What is wrong within one kind of record is told by that kind alone.
            let kind = record["type"].as_str().unwrap_or_default();
            let mut alone = schema();
            alone["oneOf"] = json!([{ "$ref": format!("#/$defs/{kind}") }]);
            let alone = jsonschema::draft202012::new(&alone).expect("a schema");
            let why = alone.iter_errors(record).map(|e| format!("{}: {e}", e.instance_path()));
            panic!("{what}: {error}\n{}", why.collect::<Vec<_>>().join("\n"));
        }
    }
}

/// Every record is as the schema says, and they come as `capture`, any number of `call` and
/// `finding`, `summary`.
fn check(validator: &Validator, what: &str, records: &[Json]) {
    valid(validator, what, records);
    let kinds: Vec<_> = records.iter().map(|record| record["type"].as_str()).collect();
    let [Some("capture"), calls @ .., Some("summary")] = &*kinds else {
        panic!("{what}: {kinds:?}");
    };
    let between = [Some("call"), Some("finding")];
    assert!(calls.iter().all(|kind| between.contains(kind)), "{what}: {kinds:?}");
    let numbers: Vec<_> = only("call", records).iter().map(|call| call["n"].clone()).collect();
    let mut sorted: Vec<_> = numbers.iter().filter_map(Json::as_u64).collect();
    sorted.sort_unstable();
    assert!(sorted.iter().copied().eq(1..=numbers.len() as u64), "{what}: {numbers:?}");
}

/// A call lists the rules of all findings at it that were there before it was written, and none of
/// which there is no finding.
fn found_at_calls(what: &str, records: &[Json]) {
    let findings = only("finding", records);
    for (place, call) in records.iter().enumerate().filter(|(_, record)| record["type"] == "call") {
        let listed: Vec<&Json> = call["findings"].as_array().into_iter().flatten().collect();
        let there = |finding: &&&Json| finding["call"] == call["n"];
        for rule in &listed {
            let known = findings.iter().filter(there).any(|finding| finding["rule"] == **rule);
            assert!(known, "{what}: {rule} at call {}", call["n"]);
        }
        let before = only("finding", &records[..place]);
        for finding in before.iter().filter(there) {
            assert!(listed.contains(&&finding["rule"]), "{what}: {finding}");
        }
    }
}

/// All captures of the repository, by their names in it.
fn captures() -> Vec<String> {
    let mut found = Vec::new();
    for folder in ["captures", "captures/scmp"] {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
        for entry in entries.expect("there are captures") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            if name.contains(".pcap") {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn all_captures_follow_the_schema() {
    let validator = validator();
    let mut outcomes = Vec::new();
    let captures = captures();
    assert!(captures.len() > 80, "{} captures", captures.len());
    for path in captures {
        let records = export(&[&path]);
        check(&validator, &path, &records);
        let listed = self::records(vshark(&["calls", "--json", &path]));
        for (listed, call) in listed.iter().zip(only("call", &records)) {
            // A list of calls judges nothing, which is not the same as finding nothing.
            let mut unjudged = call.clone();
            unjudged["findings"] = Json::Null;
            assert_eq!(*listed, unjudged, "{path}: `calls --json` differs");
            assert!(validator.is_valid(listed), "{path}");
        }
        assert_eq!(listed.len(), only("call", &records).len(), "{path}");
        found_at_calls(&path, &records);
        let judged = self::records(vshark(&["check", "--json", &path]));
        check(&validator, &path, &judged);
        assert!(only("finding", &judged).eq(&only("finding", &records)), "{path}");
        assert_eq!(judged.last(), records.last(), "{path}: the summaries differ");
        assert_eq!(only("call", &judged).len(), 0, "{path}");
        for call in listed {
            assert_eq!(call.get("files"), None, "{path}");
            outcomes.push(call["outcome"].as_str().unwrap_or_default().to_owned());
        }
    }
    outcomes.sort_unstable();
    outcomes.dedup();
    assert_eq!(outcomes, ["failed", "fault", "no_response", "ok", "unknown"]);
}

#[test]
fn several_files_tell_where_each_frame_is() {
    // The second file is the earlier one: its 117 frames come first.
    let records = export(&[LATER, BACKUP]);
    check(&validator(), "two files", &records);
    let names: Vec<_> =
        records[0]["files"].as_array().into_iter().flatten().map(|file| &file["name"]).collect();
    assert_eq!(names, [LATER, BACKUP]);
    let calls = only("call", &records);
    assert_eq!(calls.len(), 32);
    let mut alone = export(&[BACKUP]);
    alone.extend(export(&[LATER]));
    for (n, (merged, alone)) in calls.into_iter().zip(only("call", &alone)).enumerate() {
        let (name, before) = if n < 16 { (BACKUP, 0) } else { (LATER, 117) };
        for side in ["request", "response"] {
            let here = alone["frames"][side][0].as_u64().expect("one frame");
            assert_eq!(merged["files"][side], json!([[name, here]]));
            assert_eq!(merged["frames"][side], json!([here + before]));
        }
        let keys = |call: &Json| call.as_object().expect("an object").keys().cloned().collect();
        let mut expected: Vec<String> = keys(alone);
        expected.insert(3, "files".to_owned());
        assert_eq!(keys(merged), expected);
    }
}

#[test]
fn standard_input_has_its_numbers_in_the_summary() {
    let pipe = |file: &str| {
        let mut command = vshark(&["export", "-"]);
        command.stdin(File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("file"));
        records(command)
    };
    let records = pipe(BACKUP);
    check(&validator(), "standard input", &records);
    let (capture, summary) = (&records[0], &records[records.len() - 1]);
    let expected = json!({
        "name": "-", "format": "pcap", "compression": null, "link_types": [], "first_time": null,
        "last_time": null, "skew": null, "frames": null, "comments": [], "blocks": [],
        "skipped": [], "problems": null
    });
    assert_eq!(capture["files"], json!([expected]));
    assert_eq!(summary["files"][0]["frames"], 117);
    let last = &summary["files"][0]["last_time"];
    assert_eq!(last, "2026-11-22T17:49:18.780073000Z");
}

/// What two captures differ in: every capture beside one that went well, and some that have what the
/// others lack.
#[test]
fn what_is_compared_follows_the_schema() {
    let validator = validator();
    let mut outcomes = Vec::new();
    // The conversations that are compared are those of FSRVP.
    for name in captures().into_iter().filter(|name| !name.contains("/scmp/")) {
        let records = records(vshark(&["diff", "--json", BACKUP, &name]));
        valid(&validator, &name, &records);
        let kinds: Vec<_> = records.iter().map(|record| record["type"].as_str()).collect();
        let [Some("capture"), Some("capture"), diffs @ .., Some("diff_summary")] = &*kinds else {
            panic!("{name}: {kinds:?}");
        };
        assert!(diffs.iter().all(|kind| *kind == Some("diff")), "{name}: {kinds:?}");
        assert_eq!(records[0]["files"][0]["name"], BACKUP);
        assert_eq!(records[1]["files"][0]["name"], *name);
        let summary = records.last().expect("a record");
        assert_eq!(summary["compared"], diffs.len(), "{name}");
        outcomes.push(summary["outcome"].as_str().unwrap_or_default().to_owned());
    }
    outcomes.sort_unstable();
    outcomes.dedup();
    assert_eq!(outcomes, ["alike", "different", "undecided"]);
}

/// Where they part, as programs get it.
#[test]
fn a_parting_names_the_calls_of_both() {
    let (good, bad) =
        ("captures/g-bulk-same-connection-sign.pcap.gz", "captures/e-py-create_fails.pcap");
    let records = records(vshark(&["diff", "--json", good, bad]));
    let diff = only("diff", &records)[0];
    let call = |capture: &str| {
        let name = if capture == "good" { good } else { bad };
        let calls = self::records(vshark(&["calls", "--json", name]));
        let step = &diff["parting"]["steps"][capture];
        let call = calls.iter().find(|call| call["n"] == step["call"]).expect("the call").clone();
        for key in ["method", "opnum", "time", "elapsed_ms", "outcome", "status", "fault"] {
            assert_eq!(step[key], call[key], "{capture} {key}");
        }
        call["status"].clone()
    };
    assert_eq!(call("good"), json!({ "value": "0x00000000", "name": "ZERO" }));
    assert_eq!(call("bad"), json!({ "value": "0x80004005", "name": "E_FAIL" }));
    let outcome = json!([{ "part": "outcome", "name": null, "good": null, "bad": null }]);
    assert_eq!(diff["parting"]["changes"], outcome);
    assert_eq!(diff["ending"], Json::Null);
    let shares = json!({
        "of": "share", "method": null, "good": ["\\\\fss1\\fsrvp_share"],
        "bad": ["\\\\fss1\\failshare", "\\\\fss1\\fsrvp_share"]
    });
    assert_eq!(diff["differences"], json!([shares]));
}

/// A pcapng block, little-endian.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 12).expect("it is short").to_le_bytes();
    [&kind.to_le_bytes()[..], &len, body, &len].concat()
}

#[test]
fn a_capture_may_name_hosts_and_say_what_it_is() {
    // A capture in which the client tells no name, as pcapng with a comment and with names for both
    // sides.
    let plain = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/e-py-create_fails.pcap");
    let mut frames = Vec::new();
    let mut writer =
        vshark::capture::Writer::new(&mut frames, Some("made for a test")).expect("made");
    let mut capture = Capture::open(&[plain]);
    while capture.advance() {
        let f = capture.frame();
        writer.frame(f.link, f.time, f.wire_len, f.data).expect("it is written");
    }
    let section = u32::from_le_bytes(frames[4..8].try_into().expect("four bytes"));
    let (section, frames) = frames.split_at(usize::try_from(section).expect("it is short"));
    let names = block(
        4,
        b"\x01\0\x0f\0\x0a\x4d\0\x0bclient.lab\0\0\x01\0\x0a\0\x0a\x4d\0\x01wrong\0\0\0\0\0\0\0",
    );
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("named.pcapng");
    fs::write(&path, [section, &names, frames].concat()).expect("it is written");
    let records = export(&[path.to_str().expect("a path of text")]);
    check(&validator(), "named", &records);
    let file = &records[0]["files"][0];
    assert_eq!(file["comments"], json!(["made for a test"]));
    assert_eq!(file["skipped"], json!([{ "what": "name resolution block", "count": 1 }]));
    assert_eq!(file["blocks"][0], json!({ "what": "section header block", "count": 1 }));
    let calls = only("call", &records);
    assert_eq!(calls.len(), 15);
    for call in calls {
        // What the server says of itself goes before what the capture calls it.
        assert_eq!(
            (&call["client"]["name"], &call["server"]["name"]),
            (&json!("client.lab"), &json!("FSS1"))
        );
    }
}

#[test]
fn what_cannot_be_read_follows_the_schema_too() {
    let validator = validator();
    let records = export(&["captures/README.md", BACKUP, "captures/not-there.pcap"]);
    check(&validator, "unreadable among others", &records);
    assert_eq!(only("call", &records).len(), 16);
    for (file, format, problems) in [(0, None, 1), (1, Some("pcap"), 0), (2, None, 1)] {
        let file = &records[0]["files"][file];
        assert_eq!((file["format"].as_str(), &file["problems"]), (format, &json!(problems)));
    }
    let records = export(&["captures/README.md"]);
    check(&validator, "nothing readable", &records);
    assert_eq!(records.len(), 2);
}

/// [`BACKUP`] call 8. The values are tshark's (`-V`, frames 67 and 69); `stub_bytes` are its
/// `Alloc hint`, `elapsed_ms` its time from request to response, and `tree_id` is its 0x1b43802e.
/// The names of the machines are those of the NTLM messages in frames 11 and 12.
fn add_to_shadow_copy_set() -> Json {
    json!({
        "type": "call",
        "n": 8,
        "frames": { "request": [67], "response": [69] },
        "time": "2026-11-22T17:49:18.681230000Z",
        "elapsed_ms": 13.933,
        "client": { "ip": "10.77.0.11", "port": 34790, "name": "VM" },
        "server": { "ip": "10.77.0.1", "port": 445, "name": "FSS1" },
        "transport": "ncacn_np",
        "pipe": "FssagentRpc",
        "smb": {
            "dialect": "3.1.1",
            "session_id": "0x00000000ef61539f",
            "tree_id": 457_408_558,
            "file_id": "2af2bb17-0000-0000-063b-e9a900000000",
            "encrypted": false,
            "signed": true,
            "user": "FSLAB\\fsadmin"
        },
        "auth": {
            "type": "ntlm",
            "mechanism": "ntlm",
            "level": "integrity",
            "principal": "FSLAB\\fsadmin"
        },
        "signature": { "request": "not_verifiable", "response": "not_verifiable" },
        "stub": { "request": "clear", "response": "clear" },
        "stub_bytes": { "request": 84, "response": 20 },
        "syntax": "ndr",
        "interface": {
            "uuid": "a8e0653c-2744-4389-a61d-7373df8b2292",
            "version": "1.0",
            "name": "FileServerVssAgent"
        },
        "object": null,
        "orpc": null,
        "opnum": 3,
        "method": "AddToShadowCopySet",
        "call_id": 12,
        "request": {
            "ClientShadowCopyId": "9b45e4f3-3446-4a28-b2dd-000bd66139bf",
            "ShadowCopySetId": "958131cf-1bef-46c9-b6db-7eceda0998bd",
            "ShareName": "\\\\fss1\\fsrvp_share\\"
        },
        "response": { "pShadowCopyId": "9c027e62-0ab0-437a-b6fc-c9a865d3b113" },
        "status": { "value": "0x00000000", "name": "ZERO" },
        "fault": null,
        "outcome": "ok",
        "grade": "typed",
        "findings": []
    })
}

/// [`BACKUP`] call 12, likewise from frames 81 and 82.
fn get_share_mapping() -> Json {
    let mut call = add_to_shadow_copy_set();
    let mut put = |key: &str, value: Json| call[key] = value;
    put("n", json!(12));
    put("frames", json!({ "request": [81], "response": [82] }));
    put("time", json!("2026-11-22T17:49:18.734743000Z"));
    put("elapsed_ms", json!(0.222));
    put("stub_bytes", json!({ "request": 88, "response": 228 }));
    put("opnum", json!(10));
    put("method", json!("GetShareMapping"));
    put("call_id", json!(16));
    put(
        "request",
        json!({
            "ShadowCopyId": "9c027e62-0ab0-437a-b6fc-c9a865d3b113",
            "ShadowCopySetId": "958131cf-1bef-46c9-b6db-7eceda0998bd",
            "ShareName": "\\\\fss1\\fsrvp_share\\",
            "Level": 1
        }),
    );
    put(
        "response",
        json!({
            "ShareMapping": {
                "ShareMapping1": {
                    "ShadowCopySetId": "958131cf-1bef-46c9-b6db-7eceda0998bd",
                    "ShadowCopyId": "9c027e62-0ab0-437a-b6fc-c9a865d3b113",
                    "ShareNameUNC": "\\\\FSS1\\fsrvp_share",
                    "ShadowCopyShareName": "fsrvp_share@{9c027e62-0ab0-437a-b6fc-c9a865d3b113}",
                    "CreationTimestamp": "2026-11-22T17:49:18.0000000Z"
                }
            }
        }),
    );
    call
}

#[test]
fn whole_calls_are_as_other_programs_see_them() {
    let records = export(&[BACKUP]);
    let calls = only("call", &records);
    for expected in [add_to_shadow_copy_set(), get_share_mapping()] {
        let n = &expected["n"];
        let call = calls.iter().find(|call| call["n"] == *n).expect("the call is there");
        // Other programs do not judge.
        let mut call = (*call).clone();
        call["findings"] = json!([]);
        // As text too: the order of the keys is part of the form.
        let text = |json: &Json| serde_json::to_string_pretty(json).expect("JSON");
        assert_eq!(text(&call), text(&expected));
    }
}

/// [`BACKUP`] has 117 frames, 16 calls and 7 binds for tshark as well.
#[test]
fn the_summary_counts_what_other_programs_count() {
    let records = export(&[BACKUP]);
    let summary = only("summary", &records)[0];
    assert_eq!(summary["read"]["frames"], 117);
    assert_eq!(
        summary["rpc"]["pdus"],
        json!([
            { "what": "request", "count": 16 },
            { "what": "response", "count": 16 },
            { "what": "bind", "count": 7 },
            { "what": "bind_ack", "count": 7 },
            { "what": "rpc_auth_3", "count": 7 }
        ])
    );
    let [calls] = &**summary["calls"].as_array().expect("a list") else {
        panic!("more than one interface: {summary}");
    };
    assert_eq!(
        calls["outcomes"],
        json!([{ "what": "ok", "count": 14 }, { "what": "failed", "count": 2 }])
    );
}

/// Calls `act` with the place of every object in `json`, but for values named by an IDL.
/// A finding in which there is everything.
fn a_finding() -> Finding {
    Finding {
        rule: "FSRVP-3.1.4.5-03".into(),
        severity: Severity::Error,
        party: Blame::Server,
        certainty: Certainty::Likely,
        message: "CommitShadowCopySet was answered with success 61 s after the time-out".into(),
        call: Some(17),
        opnum: Some(4),
        method: None,
        frames: vec![FrameNo(120), FrameNo(122)],
        time: Time::from_nanos(1_795_369_758_123_456_000),
        related: vec![Related { call: 12, note: "began to prepare the set".into() }],
        also: vec!["FSRVP-3.1.5-02".into()],
        set: Some("958131cf-1bef-46c9-b6db-7eceda0998bd".parse().expect("a GUID")),
        server: Some("10.77.0.1".parse().expect("an address")),
        client: Some("10.77.0.11".parse().expect("an address")),
        spots: Vec::new(),
        known: Some("samba".into()),
        fingerprint: "FSRVP-3.1.4.5-03:server:CommitShadowCopySet:1".into(),
    }
}

/// A report in which there is everything.
fn a_report() -> Report {
    let time = Time::from_nanos(1_795_369_758_123_456_000);
    let tally = |rule: &str, passed, failed, not_evaluable, why: Option<&str>| Tally {
        rule: rule.into(),
        passed,
        failed,
        not_evaluable,
        why: why.map(str::to_owned),
    };
    Report {
        objects: Vec::new(),
        storage: Vec::new(),
        conformance: vec![Conformance {
            profile: "spec".into(),
            verdict: Verdict::Fail,
            errors: 1,
            warnings: 2,
            notes: 3,
            deviations: 4,
        }],
        servers: vec![ServerReport {
            addresses: vec!["10.77.0.1".parse().expect("an address")],
            name: Some("FSS1".into()),
            profile: "samba".into(),
            recognised: "recognised by its NTLM version".into(),
            clients: vec!["fd00::11".parse().expect("an address")],
            all_clients: true,
            tallies: Vec::new(),
        }],
        sets: vec![SetReport {
            id: "958131cf-1bef-46c9-b6db-7eceda0998bd".parse().expect("a GUID"),
            client_id: Some("1237f9b1-9923-496d-95fb-13bdd2baaee5".parse().expect("a GUID")),
            server: "10.77.0.1".parse().expect("an address"),
            client: Some("10.77.0.11".parse().expect("an address")),
            shares: vec!["\\\\FSS1\\vol1".into()],
            context: Some(0x10),
            states: vec![(time, "Started", 7), (time.plus(1), "Added", 8)],
            steps: vec![SetStep {
                call: 8,
                opnum: 3,
                method: "AddToShadowCopySet",
                asked: time,
                answered: Some(time.plus(1)),
                said: "ok".into(),
                failed: false,
                state: Some("Added"),
                timer: Some(1800),
                share: Some("\\\\FSS1\\vol1".into()),
                client: Some("10.77.0.11".parse().expect("an address")),
                left_out: 0,
            }],
            timer: Some(SetTimer { call: 8, since: time, seconds: 1800, ran_out: false }),
            outcome: Operation::Completed,
        }],
        tallies: vec![
            tally("FSRVP-3.1.4.5-03", 12, 1, 2, Some("the stub is sealed")),
            tally("FSRVP-3.1.4.5-04", 1, 0, 0, None),
        ],
        judged_calls: 14,
        sealed_calls: 2,
        unreadable: vec!["2 calls are sealed: a key would make them visible".into()],
        attempts: Vec::new(),
        diagnoses: Vec::new(),
        stopped: vec!["10.77.0.11 at 10.77.0.1: the pipe could not be opened".into()],
        operation: Operation::Completed,
    }
}

/// A rule, checked or not.
fn a_rule(left_out: Option<&str>) -> Rule {
    Rule {
        id: "FSRVP-3.1.4.5-03".into(),
        party: Blame::Server,
        statement: "The server answers in time.".into(),
        check: String::new(),
        why: String::new(),
        severity: Severity::Error,
        observable: Observable::Full,
        needs: Needs::default(),
        counterexample: None,
        near_miss: None,
        left_out: left_out.map(str::to_owned),
        corrected: None,
    }
}

/// A finding that is let pass.
const MARK: Mark = Mark { allowed: true, known: Some(false) };

/// An expectation that is not met.
fn an_expectation() -> Expectation {
    Expectation {
        name: "commit is quick".into(),
        id: "EXPECT-commit-is-quick".into(),
        about: About::Call,
        severity: Severity::Warning,
        line: 3,
        ruling: Ruling::Broken,
        parts: vec!["within"],
        why: "commit is quick: call 7 took 75.2 s, expected 60 s at most".into(),
        call: Some(7),
        opnum: Some(4),
        method: None,
        frames: vec![FrameNo(60)],
        time: Time::from_nanos(1_795_369_758_123_456_000),
        server: None,
        client: None,
        related: vec![Related { call: 9, note: "took 61 s".into() }],
    }
}

/// The summary of a judge who has everything to say of nothing.
fn a_summary(report: &Report) -> Json {
    let registry = Registry::embedded().expect("it is well-formed");
    let rules = Catalogue::default();
    let knowledge = Knowledge::load(&[]).expect("it is well-formed");
    let allowed = Allowed::parse(&["3.2.3".into()], &knowledge, &[]).expect("a section");
    let baseline = Baseline::read("known.json", &br#"["a", "a"]"#[..]).expect("a list");
    let gate = Gate::new(FailOn::default(), allowed, Some(baseline));
    let expectations = [an_expectation()];
    let gated =
        Gated { gate: &gate, expectations: Some(&expectations), diagnoses: &[], exit: Exit::Fine };
    let judged = report::json::Judged { gated, report, rules: &rules, registry: &registry };
    let capture =
        Capture::open(&[Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/there-is-none")]);
    let summary = Pipeline::new(&registry).summary();
    report::json::summary(&summary, capture.files(), &[], judged)
}

#[test]
fn what_is_judged_follows_the_schema() {
    let record = report::json::finding(&a_finding(), MARK);
    let expected = json!({
        "type": "finding",
        "rule": "FSRVP-3.1.4.5-03",
        "severity": "error",
        "party": "server",
        "certainty": "likely",
        "spec": { "document": "MS-FSRVP", "section": "3.1.4.5" },
        "message": "CommitShadowCopySet was answered with success 61 s after the time-out",
        "call": 17,
        "frames": [120, 122],
        "time": "2026-11-22T17:49:18.123456000Z",
        "related": [{ "call": 12, "note": "began to prepare the set" }],
        "also": ["FSRVP-3.1.5-02"],
        "set": "958131cf-1bef-46c9-b6db-7eceda0998bd",
        "fingerprint": "FSRVP-3.1.4.5-03:server:CommitShadowCopySet:1",
        "known_deviation": "samba",
        "allowed": true,
        "in_baseline": false
    });
    assert_eq!(record, expected);
    let keys = |json: &Json| json.as_object().expect("an object").keys().cloned().collect();
    let order: Vec<String> = keys(&record);
    assert_eq!(order, keys(&expected) as Vec<String>);
    let bare = Finding {
        call: None,
        frames: Vec::new(),
        related: Vec::new(),
        also: Vec::new(),
        set: None,
        known: None,
        ..a_finding()
    };
    let bare = report::json::finding(&bare, Mark::default());
    assert_eq!((&bare["call"], &bare["set"], &bare["known_deviation"]), Default::default());
    assert_eq!((&bare["allowed"], &bare["in_baseline"]), (&json!(false), &Json::Null));
    let expectation = an_expectation();
    let broken = expectation.finding().expect("it is a finding");
    let broken = report::json::finding(&broken, Mark::default());
    assert_eq!((&broken["rule"], &broken["spec"]), (&json!("EXPECT-commit-is-quick"), &Json::Null));
    let expectation = report::json::expectation(&expectation);
    assert_eq!(
        expectation,
        json!({
            "type": "expectation",
            "name": "commit is quick",
            "rule": "EXPECT-commit-is-quick",
            "about": "call",
            "severity": "warning",
            "line": 3,
            "result": "broken",
            "why": "commit is quick: call 7 took 75.2 s, expected 60 s at most",
            "calls": [7, 9],
            "fingerprint": "EXPECT-commit-is-quick/both/within/1"
        })
    );
    let summary = a_summary(&a_report());
    assert_eq!(
        summary["sets"][0]["context"],
        json!({ "value": 16, "flags": ["ATTR_NO_WRITERS"], "name": "CTX_FILE_SHARE_BACKUP" })
    );
    assert_eq!(summary["operation"], "completed");
    assert_eq!(summary["rules"]["tallies"][1]["why"], Json::Null);
    let nothing = a_summary(&Report { operation: Operation::None, ..a_report() });
    assert_eq!(nothing["operation"], Json::Null);
    assert_eq!(
        summary["gate"],
        json!({
            "allowed": [{ "id": "FSRVP-3.2.3", "found": 0 }],
            "baseline": {
                "known": 0, "new": 0, "absent": [{ "fingerprint": "a", "count": 2 }],
            },
            "expectations": { "met": 0, "broken": 1, "unchecked": 0 },
        })
    );
    let mut records = vec![record, bare, summary, nothing, broken, expectation];
    // All that can become of a rule.
    let tally = |passed, failed, not_evaluable| Tally {
        rule: "FSRVP-3.1.4.5-03".into(),
        passed,
        failed,
        not_evaluable,
        why: Some("the stub is sealed".into()),
    };
    let mut results = Vec::new();
    for (rule, tally, why) in [
        (a_rule(None), Some(tally(3, 0, 0)), json!(null)),
        (a_rule(None), Some(tally(3, 1, 1)), json!("the stub is sealed")),
        (a_rule(None), Some(tally(0, 0, 9)), json!("the stub is sealed")),
        (a_rule(None), None, json!(null)),
        (a_rule(Some("nobody can see it")), None, json!("nobody can see it")),
    ] {
        let tallies: Vec<Tally> = tally.into_iter().collect();
        for row in report::matrix::rows([&rule].into_iter(), &tallies) {
            let record = report::json::tally(&row);
            assert_eq!(record["why"], why);
            results.push(record["result"].clone());
            records.push(record);
        }
    }
    assert_eq!(results, ["passed", "failed", "not_evaluable", "not_exercised", "not_checked"]);
    valid(&validator(), "what is judged", &records);
}

fn objects(json: &Json, at: &str, act: &mut impl FnMut(&str, &Map<String, Json>)) {
    match json {
        Json::Object(object) => {
            act(at, object);
            for (key, value) in object {
                let place = format!("{at}/{key}");
                if !["/request", "/response"].contains(&&*place) {
                    objects(value, &place, act);
                }
            }
        }
        Json::Array(list) => {
            for (n, value) in list.iter().enumerate() {
                objects(value, &format!("{at}/{n}"), act);
            }
        }
        _ => {}
    }
}

#[test]
fn no_key_may_be_missing_and_none_added() {
    let validator = validator();
    let records = export(&["captures/i-a-drop5.pcap"]);
    let call = add_to_shadow_copy_set();
    assert!(validator.is_valid(&call));
    let finding = report::json::finding(&a_finding(), MARK);
    let rule = a_rule(None);
    let rule = report::json::tally(&report::matrix::rows([&rule].into_iter(), &[])[0]);
    let judged = a_summary(&a_report());
    let expectation = report::json::expectation(&an_expectation());
    let made = [&finding, &rule, &judged, &expectation];
    assert!(made.iter().all(|record| validator.is_valid(record)));
    let diffs = |bad: &str| self::records(vshark(&["diff", "--json", BACKUP, bad]));
    let compared = [
        diffs("captures/f-py-timer_expiry.pcap"),
        diffs("captures/i-a-drop5.pcap"),
        diffs("captures/e-py-denied-bob.pcap"),
    ]
    .concat();
    let [parting, unseen, user] = only("diff", &compared)[..] else { panic!("three are compared") };
    let compared = [parting, unseen, user, only("diff_summary", &compared)[0]];
    let mut damaged = 0;
    let exported = [&records[0], &call, &records[records.len() - 1]];
    for record in exported.into_iter().chain(made).chain(compared) {
        let mut refused = |at: &str, act: &dyn Fn(&mut Map<String, Json>)| {
            let mut wrong = record.clone();
            let object = wrong.pointer_mut(at).and_then(Json::as_object_mut).expect("an object");
            act(object);
            assert!(!validator.is_valid(&wrong), "accepted at {at:?}: {wrong}");
            damaged += 1;
        };
        objects(record, "", &mut |at, object| {
            refused(at, &|object| {
                object.insert("surplus".to_owned(), json!(1));
            });
            for key in object.keys() {
                refused(at, &|object| {
                    object.shift_remove(key);
                });
            }
        });
    }
    assert!(damaged > 150, "{damaged}");
}

#[test]
fn wrong_words_and_forms_are_refused() {
    let validator = validator();
    let refused = |record: &Json, at: &str, wrong: Json| {
        let mut record = record.clone();
        let value = record.pointer_mut(at).unwrap_or_else(|| panic!("{at} is there"));
        assert_ne!(*value, wrong, "{at}");
        *value = wrong;
        assert!(!validator.is_valid(&record), "accepted at {at}: {}", record.pointer(at).unwrap());
    };
    let call = add_to_shadow_copy_set();
    for (at, wrong) in [
        ("/type", json!("calls")),
        ("/n", json!(0)),
        ("/n", json!("8")),
        ("/frames/request", json!([0])),
        ("/frames/request", json!(67)),
        ("/time", json!("2026-11-22T17:49:18Z")),
        ("/time", json!("2026-11-22 17:49:18.681230000")),
        ("/time", json!("2026-13-22T17:49:18.681230000Z")),
        ("/time", json!(1_795_369_758.681_23)),
        ("/elapsed_ms", json!("13.933")),
        ("/client/ip", json!("fss1")),
        ("/client/port", json!(65536)),
        ("/transport", json!("ncacn_http")),
        ("/transport", json!("ncacn_ip_tcp")),
        ("/smb", json!(null)),
        ("/smb/dialect", json!("3.1")),
        ("/smb/session_id", json!("0xef61539f")),
        ("/smb/session_id", json!("00000000ef61539f")),
        ("/smb/tree_id", json!("0x1b43802e")),
        ("/smb/signed", json!("yes")),
        ("/auth/type", json!("NTLM")),
        ("/auth/mechanism", json!("spnego")),
        ("/auth/level", json!("pkt")),
        ("/stub/request", json!("encrypted")),
        ("/stub/response", json!(null)),
        ("/syntax", json!("NDR")),
        ("/interface", json!(null)),
        ("/interface/uuid", json!("A8E0653C-2744-4389-A61D-7373DF8B2292")),
        ("/interface/uuid", json!("{a8e0653c-2744-4389-a61d-7373df8b2292}")),
        ("/interface/version", json!(1)),
        ("/object", json!("none")),
        ("/opnum", json!(-1)),
        ("/call_id", json!(4_294_967_296_u64)),
        ("/request", json!([])),
        ("/request", json!({ "not a name": 1 })),
        ("/status", json!(null)),
        ("/status/value", json!("0x0")),
        ("/status/value", json!(0)),
        ("/fault", json!({ "value": "0x1c010002", "name": null })),
        ("/outcome", json!("success")),
        ("/outcome", json!("fault")),
        ("/grade", json!("known")),
        ("/grade", json!("raw")),
        ("/findings", json!(0)),
        ("/findings", json!(["a rule"])),
    ] {
        refused(&call, at, wrong);
    }
    let records = export(&[BACKUP]);
    let summary = &records[records.len() - 1];
    for (at, wrong) in [
        ("/files", json!([])),
        ("/files/0/format", json!("PCAP")),
        ("/files/0/frames", json!(-1)),
        ("/read/link_types/0/what", json!("ethernet")),
        ("/smb/messages/0/what", json!("Create")),
        ("/rpc/pdus/0/what", json!("Request")),
        ("/calls/0/outcomes/0/what", json!("good")),
        ("/calls/0/outcomes/0/count", json!(0)),
        ("/refusals", json!({ "pipe": 1 })),
    ] {
        refused(summary, at, wrong);
    }
    let finding = report::json::finding(&a_finding(), MARK);
    for (at, wrong) in [
        ("/rule", json!("fsrvp-3.1.4.5-03")),
        ("/severity", json!("fatal")),
        ("/party", json!("FSS1")),
        ("/certainty", json!(0.9)),
        ("/spec/document", json!("FSRVP")),
        ("/spec/section", json!("3.1.4.5.")),
        ("/message", json!("")),
        ("/call", json!(0)),
        ("/frames", json!([0])),
        ("/time", json!("17:49:18.123Z")),
        ("/related/0/call", json!("12")),
        ("/also", json!(null)),
        ("/set", json!("958131cf…")),
        ("/known_deviation", json!(true)),
        ("/allowed", json!(null)),
        ("/in_baseline", json!("yes")),
    ] {
        refused(&finding, at, wrong);
    }
    let expectation = report::json::expectation(&an_expectation());
    for (at, wrong) in [
        ("/rule", json!("EXPECT-")),
        ("/rule", json!("EXPECT-commit is quick")),
        ("/about", json!("calls")),
        ("/line", json!(0)),
        ("/result", json!("passed")),
        ("/calls", json!([0])),
    ] {
        refused(&expectation, at, wrong);
    }
    let judged = a_summary(&a_report());
    for (at, wrong) in [
        ("/operation", json!("none")),
        ("/conformance/0/verdict", json!("ok")),
        ("/conformance/0/errors", json!(-1)),
        ("/servers/0/addresses", json!([])),
        ("/servers/0/clients/0", json!("client")),
        ("/sets/0/context", json!(16)),
        ("/sets/0/states/0/time", json!(0)),
        ("/rules/tallies/0/rule", json!("")),
        ("/gate/allowed/0/found", json!(-1)),
        ("/gate/baseline/absent/0/count", json!(0)),
        ("/gate/expectations/met", json!(null)),
    ] {
        refused(&judged, at, wrong);
    }
    let rule = a_rule(None);
    let rule = report::json::tally(&report::matrix::rows([&rule].into_iter(), &[])[0]);
    for (at, wrong) in [
        ("/result", json!("failed")),
        ("/result", json!("skipped")),
        ("/passed", json!(1)),
        ("/failed", json!(1)),
    ] {
        refused(&rule, at, wrong);
    }
    for (at, wrong) in [("/schema", json!(2)), ("/version", json!("new")), ("/files", json!([]))] {
        refused(&records[0], at, wrong);
    }
    assert!(!validator.is_valid(&json!({ "type": "finding" })));
}

#[test]
fn the_schema_explains_every_key() {
    fn explained(schema: &Json, at: &str) {
        let properties = schema["properties"].as_object();
        // Conditions repeat keys that are explained where they are described.
        let condition = at.contains("/allOf/");
        for (key, property) in properties.into_iter().flatten().filter(|_| !condition) {
            let described = property["description"].as_str().is_some_and(|text| text.len() > 3);
            assert!(described, "{at}/properties/{key} has no description");
            if property["anyOf"][1]["type"] == "null" {
                let text = property["description"].as_str().unwrap_or_default().to_lowercase();
                assert!(text.contains("null"), "{at}/properties/{key}: when is it null?");
            }
        }
        match schema {
            Json::Object(object) => {
                object.iter().for_each(|(key, value)| explained(value, &format!("{at}/{key}")));
            }
            Json::Array(list) => {
                list.iter().enumerate().for_each(|(n, v)| explained(v, &format!("{at}/{n}")));
            }
            _ => {}
        }
    }
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    explained(&schema, "");
}

/// The schema lists the same names as the tables they come from.
#[test]
fn the_schema_knows_every_name() {
    let schema = schema();
    let words = |at: &str| -> Vec<String> {
        let list = schema.pointer(at).and_then(Json::as_array);
        let words = list.unwrap_or_else(|| panic!("no list at {at}"));
        words.iter().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    let pdus =
        words("/$defs/summary/properties/rpc/properties/pdus/items/properties/what/anyOf/0/enum");
    let named = (0..=255).filter_map(|n| PacketType(n).name());
    assert!(named.eq(pdus.iter()));
    let mut commands =
        words("/$defs/summary/properties/smb/properties/messages/items/properties/what/enum");
    assert_eq!(commands.pop().as_deref(), Some("unknown"));
    let named = (0..=u16::MAX).filter_map(|n| vshark::smb::Command(n).name());
    let named = named.chain((0..=u8::MAX).filter_map(|n| vshark::smb::v1::Command(n).name()));
    assert!(named.eq(commands.iter()));
    let mut links: Vec<_> = (0..=u16::MAX).map(|n| LinkType(n).to_string()).collect();
    let mut seen = std::collections::BTreeSet::new();
    links.retain(|name| !name.starts_with("link type ") && seen.insert(name.clone()));
    assert_eq!(links, words("/$defs/link_type/anyOf/0/enum"));
}
