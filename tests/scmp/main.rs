//! What vshark says of calls to shadow copy management is what the programs that made them wrote
//! down of their own objects.
//!
//! Beside each `captures/scmp/NAME.pcap` is `NAME.truth.json`. `mapping.rs` has every key of it and
//! where the same is in ours; what it does not know is a failure, so that nothing goes unread.

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "where the captures are is all that is wanted here")]
mod common;
#[path = "../common/events.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod events;
mod mapping;
mod read;
mod truth;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use vshark::security::Secret;
use vshark::security::keys::{Account, AccountSecret, Keyring};

use read::{Keys, Said};
use truth::{Count, compare};

/// The captures, each with its truth.
fn pairs() -> Vec<(PathBuf, Json)> {
    let folder = common::captures().join("scmp");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("captures/scmp is there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), truth_of(&path))).collect()
}

fn truth_of(capture: &Path) -> Json {
    let text = std::fs::read_to_string(capture.with_extension("truth.json"));
    serde_json::from_str(&text.expect("a truth is beside it")).expect("the truth is JSON")
}

fn capture(name: &str) -> PathBuf {
    common::captures().join("scmp").join(name).with_extension("pcap")
}

#[test]
fn every_call_is_what_was_made() {
    let (mut all, mut wrong, mut captures) = (Count::default(), Vec::new(), 0);
    for (path, truth) in pairs() {
        captures += 1;
        let name = common::file_name(&path);
        let comparison = compare(&truth, &read::read(&path));
        let Count { clear, clear_values, sealed, sealed_values, bindings } = comparison.count;
        println!(
            "{name}: {clear} calls with {clear_values} values in clear, {sealed} calls with \
             {sealed_values} values sealed, {bindings} interfaces bound"
        );
        all.clear += clear;
        all.clear_values += clear_values;
        all.sealed += sealed;
        all.sealed_values += sealed_values;
        all.bindings += bindings;
        wrong.extend(
            comparison.differences.iter().map(|difference| format!("{name}: {difference}")),
        );
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    common::say(&format!("compared in {captures} captures: {all:?}"));
    // A table that forgets to compare something is seen here.
    assert_eq!(captures, 51);
    assert_eq!((all.clear, all.sealed), (420, 159));
    assert!(all.clear_values >= 20_180 && all.sealed_values >= 5_255, "{all:?}");
}

/// The secrets of the lab.
fn lab() -> Keys {
    let mut ring = Keyring::default();
    for password in ["Sh4dow!Copy", "wrong-password"] {
        ring.add_account(Account {
            domain: Some("LAB".to_owned()),
            user: Some("backupop".to_owned()),
            secret: AccountSecret::Password(Secret::from(password.as_bytes())),
            from: "the test".to_owned(),
        });
    }
    Keys { file: Some(common::captures().join("lab.toml")), ring: Arc::new(ring) }
}

#[test]
fn every_sealed_call_opens_and_is_what_was_made() {
    let (mut all, mut wrong, mut opened, mut verified) = (Count::default(), Vec::new(), 0, 0);
    let keys = lab();
    for (path, truth) in pairs() {
        let name = common::file_name(&path);
        let said = read::read_with(&path, &keys);
        for call in &said.calls {
            let level = call["auth"]["level"].as_str().unwrap_or_default();
            for side in ["request", "response"] {
                let stub = call["stub"][side].as_str().unwrap_or_default();
                let verdict = &call["signature"][side];
                opened += usize::from(stub == "unsealed");
                verified += usize::from(verdict == "verified");
                let there = call["frames"][side] != json!([]);
                let fault = side == "response" && call["outcome"] == "fault";
                let as_it_should = match level {
                    "privacy" => matches!(stub, "unsealed" | "absent"),
                    _ => stub != "unsealed",
                };
                let signed = matches!(level, "packet" | "integrity" | "privacy");
                if !as_it_should || signed && there && !fault && verdict != "verified" {
                    wrong.push(format!("{name}: call {}: {side} {stub} {verdict}", call["n"]));
                }
            }
        }
        let comparison = compare(&truth, &said);
        let Count { clear, clear_values, sealed, sealed_values, .. } = comparison.count;
        all.clear += clear;
        all.clear_values += clear_values;
        all.sealed += sealed;
        all.sealed_values += sealed_values;
        wrong.extend(
            comparison.differences.iter().map(|difference| format!("{name}: {difference}")),
        );
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    common::say(&format!("{opened} stubs opened, {verified} signatures verified: {all:?}"));
    assert_eq!((all.clear, all.sealed, all.sealed_values), (579, 0, 0));
}

/// Every value of a document, as a pointer.
fn leaves(json: &Json, at: &str, found: &mut Vec<String>) {
    match json {
        Json::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                leaves(
                    value,
                    &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Json::Array(elements) if !elements.is_empty() => {
            for (n, value) in elements.iter().enumerate() {
                leaves(value, &format!("{at}/{n}"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

/// Another value of the same kind.
fn other(value: &Json) -> Json {
    match value {
        Json::Null => json!("0x00000001"),
        Json::Bool(value) => json!(!value),
        Json::Number(number) => json!(number.as_i64().expect("it is not that large") ^ 1),
        Json::String(text) => {
            let last = text.chars().last().unwrap_or('x');
            let start = &text[..text.len() - last.len_utf8().min(text.len())];
            json!(format!("{start}{}", if last == '1' { '2' } else { '1' }))
        }
        Json::Array(_) => json!([1]),
        Json::Object(_) => json!({ "more": 1 }),
    }
}

/// The captures that have all methods, faults, extensions, both byte orders and both syntaxes.
const VARIED: [&str; 9] = [
    "mgmt-connect",
    "oldact-connect",
    "orpcext-connect",
    "be-snaps-none",
    "ndr64-ex42-connect",
    "err-fault-opnum8",
    "err-bindnak",
    "err-ctxreject",
    "ex43-privacy",
];

/// One call alone: what the truth says of it, and what is told.
fn one(truth: &Json, said: &Said, n: usize) -> (Json, Said) {
    let mut truth = truth.clone();
    truth["calls"] = json!([truth["calls"][n]]);
    (
        truth,
        Said {
            calls: vec![said.calls[n].clone()],
            opened: said.opened,
            bindings: said.bindings.clone(),
        },
    )
}

/// Any value of the truth that is changed is a difference: nothing is passed over but what the
/// mapping says is for people.
#[test]
fn a_truth_that_is_altered_differs() {
    // The first is made sure of below; the second repeats `hresult`; the others are words.
    const WORDS: &[&str] = &["/seq", "/client_decoded_hresult", "/in_from", "/note"];
    let mut altered = 0;
    for name in VARIED {
        let path = capture(name);
        let (truth, said) = (truth_of(&path), read::read(&path));
        assert_eq!(compare(&truth, &said).differences, [""; 0], "{name}");
        for n in 0..said.calls.len() {
            let (truth, said) = one(&truth, &said, n);
            let mut places = Vec::new();
            leaves(&truth["calls"][0], "/calls/0", &mut places);
            places.retain(|place| !WORDS.iter().any(|word| place.ends_with(word)));
            for place in places {
                let mut truth = truth.clone();
                let value = truth.pointer_mut(&place).expect("it is there");
                // What is sealed is not seen, whatever it is.
                let sealed = name.ends_with("-privacy")
                    && place.split('/').any(|step| mapping::SEALED.contains(&step));
                *value = other(value);
                let differs = !compare(&truth, &said).differences.is_empty();
                assert_eq!(differs, !sealed, "{name} call {} {place}", n + 1);
                altered += 1;
            }
        }
    }
    assert!(altered > 3700, "{altered} values were altered");
}

/// Any value of ours that is changed is a difference, but those that the truth does not tell.
#[test]
fn a_record_that_is_altered_differs() {
    const NOT_TOLD: &[&str] = &[
        // Derived from the number beside it, or names of flags.
        "/name",
        "/flags",
        // Of a reference: its counts, and its security bindings; of bindings elsewhere, the towers.
        "/aStringArray/bindings/0/wTowerId/value",
        "/entries",
        "/security_offset",
        "/wNumEntries",
        "/wSecurityOffset",
        "/wAuthnSvc/value",
        "/wAuthzSvc",
        "/aPrincName",
        // Of a reference by activation properties: what the generators chose not to write down.
        "/reserved",
        "/reserved1",
        "/pResults/0/name",
    ];
    let mut altered = 0;
    for name in VARIED {
        let path = capture(name);
        let truth = truth_of(&path);
        let said = read::read(&path);
        for n in 0..said.calls.len() {
            let (truth, said) = one(&truth, &said, n);
            // The generator sent one call by hand, and did not write down its ORPCTHIS.
            let by_hand = said.calls[0]["method"] == "Opnum08NotUsedOnWire";
            let mut places = Vec::new();
            for part in ["request", "response", "orpc", "status", "fault", "interface", "object"] {
                leaves(&said.calls[0][part], &format!("/{part}"), &mut places);
            }
            for place in places {
                let properties = place.contains("ActProperties/");
                let flag = place.rsplit('/').nth(1) == Some("flags");
                let unwritten = by_hand && place.starts_with("/orpc/this");
                if properties
                    || flag
                    || unwritten
                    || NOT_TOLD.iter().any(|word| place.ends_with(word))
                {
                    continue;
                }
                let mut said = Said {
                    calls: said.calls.clone(),
                    opened: said.opened,
                    bindings: said.bindings.clone(),
                };
                let value = said.calls[0].pointer_mut(&place).expect("it is there");
                *value = other(value);
                let differs = !compare(&truth, &said).differences.is_empty();
                assert!(differs, "{name} call {} {place}", n + 1);
                altered += 1;
            }
        }
    }
    assert!(altered > 1900, "{altered} values were altered");
}

/// Alters what was written down, or what is told.
type Alter = fn(&mut Json, &mut Said);

#[test]
fn what_is_not_known_differs() {
    let path = capture("snaps-connect");
    let (truth, said) = (truth_of(&path), read::read(&path));
    let differences = |alter: Alter| {
        let mut truth = truth.clone();
        let mut said = Said {
            calls: said.calls.clone(),
            opened: said.opened,
            bindings: said.bindings.clone(),
        };
        alter(&mut truth, &mut said);
        compare(&truth, &said).differences
    };
    assert_eq!(differences(|_, _| {}), [""; 0]);
    let unknown = "no row knows this key";
    let cases: [(&str, Alter); 7] = [
        (unknown, |truth, _| truth["colour"] = json!(1)),
        (unknown, |truth, _| truth["calls"][4]["colour"] = json!(1)),
        (unknown, |truth, _| truth["calls"][4]["in"]["colour"] = json!(1)),
        (unknown, |truth, _| truth["bindings"][0]["contexts"][0]["colour"] = json!(1)),
        ("no row knows this method", |truth, _| truth["calls"][4]["method"] = json!("Paint")),
        ("the truth does not have it", |_, said| said.calls[4]["request"]["colour"] = json!(1)),
        ("are told", |_, said| said.calls.truncate(20)),
    ];
    for (n, (wanted, alter)) in cases.into_iter().enumerate() {
        let found = differences(alter);
        assert!(found.iter().any(|difference| difference.contains(wanted)), "{n}: {found:?}");
    }
    // The order of the calls is that of the truth's numbers.
    let swapped = differences(|truth, _| {
        let (a, b) = (truth["calls"][3]["seq"].clone(), truth["calls"][4]["seq"].clone());
        (truth["calls"][3]["seq"], truth["calls"][4]["seq"]) = (b, a);
    });
    assert!(!swapped.is_empty());
    assert!(!differences(|_, said| said.bindings.swap(0, 1)).is_empty());
}
