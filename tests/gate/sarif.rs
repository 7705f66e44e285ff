//! SARIF, held against the part of the standard that vshark writes (`tests/data/sarif.json`), the
//! exit code and the records.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Map, Value as Json, json};

use super::program::{capture, piped};
use super::{
    BACKUP, CLIENTS, DENIED, FAILED, MISSING, SEALED, check, made, only, records, summary,
};

fn validator() -> Validator {
    let schema: Json = serde_json::from_str(include_str!("../data/sarif.json")).expect("JSON");
    jsonschema::draft202012::new(&schema).expect("a schema")
}

/// The document of a run, which is valid, and says what the exit code does.
fn sarif(validator: &Validator, arguments: &[&str]) -> Json {
    let run = check(&[&["--format", "sarif"], arguments].concat());
    let document: Json =
        serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
    if let Some(error) = validator.iter_errors(&document).next() {
        panic!("{arguments:?}: {}: {error}", error.instance_path());
    }
    let invocation = &document["runs"][0]["invocations"][0];
    assert_eq!(invocation["exitCode"].as_i64(), run.code.map(i64::from), "{arguments:?}");
    assert_eq!(invocation["executionSuccessful"], run.code != Some(2), "{arguments:?}");
    let rules = document["runs"][0]["tool"]["driver"]["rules"].as_array().expect("a list");
    let mut referred = BTreeSet::new();
    for result in results(&document) {
        let at = result["ruleIndex"].as_u64().and_then(|at| usize::try_from(at).ok());
        let at = at.expect("a place");
        assert_eq!(rules[at]["id"], result["ruleId"], "{arguments:?}");
        referred.insert(at);
        let related = result["relatedLocations"].as_array().into_iter().flatten();
        let ids: Vec<_> = related.map(|of| of["id"].as_u64()).collect();
        let unique: BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), unique.len());
    }
    assert_eq!(
        referred.len(),
        rules.len(),
        "{arguments:?}: there are rules that nothing refers to"
    );
    document
}

fn results(document: &Json) -> &[Json] {
    document["runs"][0]["results"].as_array().expect("a list")
}

/// The results that are findings, by rule.
fn of_rule<'d>(document: &'d Json, start: &str) -> Vec<&'d Json> {
    let starts = |of: &&Json| of["ruleId"].as_str().is_some_and(|id| id.starts_with(start));
    results(document).iter().filter(starts).collect()
}

#[test]
fn all_captures_give_a_valid_document() {
    let validator = validator();
    let known = made("gate/sarif-known.json", check(&["--json", FAILED]).out.as_bytes());
    let expect = made(
        "gate/sarif.toml",
        b"[operation]\noutcome = \"completed\"\n[[call]]\nmethod = \"CommitShadowCopySet\"\nstatus = \"ZERO\"\n",
    );
    let modes: [&[&str]; 5] = [
        &["--fail-on", "unchecked"],
        &["--expect", &expect],
        &["--baseline", &known, "--expect", &expect],
        &["--allow", "1,2,3", "--fail-on", "error"],
        &["-Y", "n == 8"],
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).expect("there are captures") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if name.contains(".pcap") {
            sarif(&validator, &[&format!("captures/{name}")]);
            read += 1;
        }
    }
    assert!(read > 20, "{read} captures");
    for file in [FAILED, DENIED, SEALED] {
        for mode in modes {
            sarif(&validator, &[&[file], mode].concat());
        }
    }
    sarif(&validator, &[MISSING, FAILED]);
    sarif(&validator, &[MISSING]);
    let run = piped(&["check", "--format", "sarif", "-"], &capture(FAILED));
    let document: Json = serde_json::from_str(&run.out).expect("JSON");
    assert!(validator.is_valid(&document), "{document}");
    assert_eq!(document["runs"][0]["artifacts"][0]["location"]["uri"], "stdin");
}

/// An input is there once, and results are in the one that they are from.
#[test]
fn the_same_input_twice_is_one_artifact() {
    let document = sarif(&validator(), &[FAILED, FAILED, BACKUP]);
    let artifacts = document["runs"][0]["artifacts"].as_array().expect("a list");
    let uris: Vec<_> = artifacts.iter().map(|of| &of["location"]["uri"]).collect();
    assert_eq!(uris, [FAILED, BACKUP]);
    let mut places = BTreeSet::new();
    for result in results(&document) {
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        let at = place["index"].as_u64().and_then(|at| usize::try_from(at).ok()).expect("a place");
        assert_eq!(&place["uri"], uris[at]);
        places.insert(at);
    }
    assert_eq!(places.len(), 2);
}

#[test]
fn results_are_the_findings() {
    let document = sarif(&validator(), &[FAILED]);
    let records = records(&[FAILED]);
    let findings = only("finding", &records);
    let told = of_rule(&document, "FSRVP-");
    assert_eq!(told.len(), findings.len());
    for (result, finding) in told.iter().zip(&findings) {
        assert_eq!(result["ruleId"], finding["rule"]);
        assert_eq!(result["level"], finding["severity"]);
        assert_eq!(result["message"]["text"], finding["message"]);
        assert_eq!(result["partialFingerprints"]["vshark/v1"], finding["fingerprint"]);
        let place = &result["locations"][0];
        assert_eq!(place["properties"]["frames"], finding["frames"]);
        let related = finding["related"].as_array().map(Vec::len);
        assert_eq!(result["relatedLocations"].as_array().map(Vec::len), related);
        assert_eq!(
            place["physicalLocation"]["artifactLocation"],
            json!({ "uri": FAILED, "index": 0 })
        );
        assert!(result.get("baselineState").is_none() && result.get("suppressions").is_none());
    }
    let [expose] = of_rule(&document, "FSRVP-3.2.4.3-03")[..] else { panic!("it is not there") };
    let place = &expose["locations"][0]["logicalLocations"][0];
    assert_eq!(place["fullyQualifiedName"], "call 8 ExposeShadowCopySet");
}

/// That what was wanted came to nothing is a result of its own, under the cause where one is known.
#[test]
fn what_stopped_the_operation_is_a_result() {
    let validator = validator();
    for file in [FAILED, DENIED] {
        let (document, records) = (sarif(&validator, &[file]), records(&[file]));
        let causes = summary(&records)["diagnosis"].as_array().expect("a list").clone();
        for attempt in summary(&records)["attempts"].as_array().expect("a list") {
            let cause = attempt["diagnosis"].as_u64().and_then(|at| usize::try_from(at).ok());
            let id = cause.map_or_else(|| json!("operation"), |at| causes[at]["cause"].clone());
            let told = results(&document).iter().find(|of| of["ruleId"] == id);
            let told = told.unwrap_or_else(|| panic!("{file}: {id} is not there"));
            assert_eq!((&told["kind"], &told["level"]), (&json!("fail"), &json!("error")));
        }
    }
    let document = sarif(&validator, &[DENIED]);
    let [denied] = of_rule(&document, "FS-")[..] else { panic!("it is not explained") };
    let text = denied["message"]["text"].as_str().unwrap_or_default();
    assert!(text.contains("Backup Operators"), "{text}");
}

#[test]
fn what_does_not_count_is_suppressed() {
    let validator = validator();
    let document = sarif(&validator, &[FAILED, "--allow", "FSRVP-3.2.4.3-03"]);
    let [expose] = of_rule(&document, "FSRVP-3.2.4.3-03")[..] else { panic!("it is not there") };
    assert_eq!(expose["suppressions"][0]["justification"], "--allow lets it pass");
    let known = made("gate/sarif-state.json", check(&["--json", FAILED]).out.as_bytes());
    let document = sarif(&validator, &[CLIENTS, "--baseline", &known]);
    let states: BTreeSet<&str> =
        results(&document).iter().filter_map(|of| of["baselineState"].as_str()).collect();
    assert_eq!(states, BTreeSet::from(["absent", "new", "unchanged"]));
    for result in results(&document) {
        let suppressed = result.get("suppressions").is_some();
        assert_eq!(suppressed, result["baselineState"] == "unchanged", "{result}");
    }
}

/// Several inputs: each result is in the one that has its frames.
#[test]
fn a_result_is_in_its_file() {
    let document = sarif(&validator(), &[FAILED, BACKUP]);
    let uris: BTreeSet<&str> = results(&document)
        .iter()
        .filter_map(|of| of["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str())
        .collect();
    assert_eq!(uris, BTreeSet::from([FAILED, BACKUP]));
    let [expose] = of_rule(&document, "FSRVP-3.2.4.3-03")[..] else { panic!("it is not there") };
    let place = &expose["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(*place, json!({ "uri": FAILED, "index": 0 }));
}

#[test]
fn what_cannot_be_told_is_open_and_what_cannot_be_seen_a_notification() {
    let expect = made(
        "gate/sarif-open.toml",
        b"[[call]]\nmethod = \"CommitShadowCopySet\"\nstatus = \"ZERO\"\n",
    );
    let document = sarif(&validator(), &[SEALED, "--expect", &expect]);
    let [open] = of_rule(&document, "EXPECT-")[..] else { panic!("it is not there") };
    assert_eq!((&open["kind"], &open["level"]), (&json!("open"), &json!("none")));
    let notes = &document["runs"][0]["invocations"][0]["toolExecutionNotifications"];
    let notes: Vec<&str> = notes
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|of| of["message"]["text"].as_str())
        .collect();
    assert!(notes.iter().any(|note| note.starts_with("judged nothing: ")), "{notes:?}");
    assert!(notes.iter().any(|note| note.contains("are sealed")), "{notes:?}");
}

/// The schema is strict: nothing may be missing that is needed, and nothing added.
#[test]
fn a_broken_document_is_refused() {
    let validator = validator();
    let document = sarif(&validator, &[FAILED, "--allow", "3.2.4.3"]);
    let refused = |at: &str, act: &dyn Fn(&mut Map<String, Json>)| {
        let mut broken = document.clone();
        act(broken.pointer_mut(at).and_then(Json::as_object_mut).unwrap_or_else(|| panic!("{at}")));
        assert!(!validator.is_valid(&broken), "accepted: {at}");
    };
    let result = results(&document).iter().position(|of| of.get("suppressions").is_some());
    let result = format!("/runs/0/results/{}", result.expect("one is allowed"));
    for (at, key) in [
        (String::new(), "version"),
        ("/runs/0".into(), "tool"),
        ("/runs/0/tool/driver".into(), "name"),
        ("/runs/0/tool/driver/rules/0".into(), "id"),
        ("/runs/0/invocations/0".into(), "executionSuccessful"),
        (result.clone(), "message"),
        (format!("{result}/suppressions/0"), "kind"),
        (format!("{result}/locations/0/physicalLocation"), "artifactLocation"),
    ] {
        refused(&at, &|object| _ = object.shift_remove(key));
        refused(&at, &|object| _ = object.insert("surplus".into(), json!(1)));
        refused(&at, &|object| _ = object.insert(key.into(), json!(7)));
    }
    refused(&result, &|object| _ = object.insert("level".into(), json!("fatal")));
    refused(&result, &|object| _ = object.insert("kind".into(), json!("open")));
    refused(&result, &|object| _ = object.insert("ruleIndex".into(), json!(-1)));
    refused(&format!("{result}/locations/0/physicalLocation/artifactLocation"), &|object| {
        object.insert("uri".into(), json!("a b.pcap"));
    });
}
