//! The calls of real captures are what the lab knows was called and answered.
//!
//! `tests/data/calls.tsv` has the truth about the captures of this repository; it was written from
//! the lab's own table, and a test holds the two together where that table is at hand. Everything
//! else in the lab's folder is judged by the same comparison, and by what the clients logged.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/events.rs"]
mod events;
mod gaps;
mod logs;
mod opened;
mod plain;
mod sealed;
mod stubs;
mod survivors;
mod trailers;
mod twins;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Calls, Export, Truth, Visible};
use serde_json::Value as Json;

/// The committed table.
fn table() -> Vec<Truth> {
    let lines = include_str!("../data/calls.tsv").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut columns = line.split('\t');
            let file = columns.next().expect("the first column is the file").to_owned();
            let visible = match columns.next() {
                Some("clear") => Visible::Clear,
                Some("sealed") => Visible::Sealed,
                Some("encrypted") => Visible::Encrypted,
                Some("lossy") => Visible::Lossy,
                other => panic!("{file}: what is {other:?}?"),
            };
            Truth { file, visible, calls: common::calls(columns.next().unwrap_or_default()) }
        })
        .collect()
}

/// A call as the tables have it: `8:0`, `9:0x8004230c`, `13:FAULT(0x1c010002)`, `2:-` where no
/// answer is in the capture, and `?` for the opnum where no request is.
fn token(call: &Json) -> String {
    let opnum = call["opnum"].as_u64().map_or_else(|| "?".to_owned(), |opnum| opnum.to_string());
    let stub = |side: &str| call["stub"][side].as_str().unwrap_or("nothing").to_owned();
    let (result, outcome) = if let Some(fault) = call["fault"]["value"].as_str() {
        (format!("FAULT({fault})"), "fault")
    } else if let Some(status) = call["status"]["value"].as_str() {
        match status {
            "0x00000000" => ("0".to_owned(), "ok"),
            _ => (status.to_owned(), "failed"),
        }
    } else if (stub("request").as_str(), stub("response").as_str()) == ("sealed", "sealed") {
        ("sealed".to_owned(), "unknown")
    } else if call["frames"]["response"] == serde_json::json!([]) {
        ("-".to_owned(), "no_response")
    } else {
        (format!("{}/{}", stub("request"), stub("response")), "unknown")
    };
    let outcome = if opnum == "?" { "no_request" } else { outcome };
    if call["outcome"] != outcome {
        return format!("{opnum}:{result} is called {}", call["outcome"]);
    }
    format!("{opnum}:{result}")
}

/// The calls of an export, by connection, connections in the order of their first call.
fn connections(export: &Export) -> Calls {
    let mut order: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Calls::new();
    for call in &export.calls {
        let client = format!("{} {}", call["client"]["ip"], call["client"]["port"]);
        let next = order.len();
        let at = *order.entry(client).or_insert(next);
        if at == calls.len() {
            calls.push(Vec::new());
        }
        calls[at].push(token(call));
    }
    calls
}

/// Whether `seen` could be `whole` with something missing: calls, answers, or requests.
fn is_part(seen: &[String], whole: &[String]) -> bool {
    let mut rest = whole.iter().map(|call| call.split_once(':').expect("a call is opnum:status"));
    seen.iter().all(|call| {
        let (opnum, result) = call.split_once(':').expect("a call is opnum:status");
        let unread = result == "-" || result.contains('/');
        rest.any(|(o, r)| (opnum == "?" || opnum == o) && (unread || result == r))
    })
}

/// What `truth` expects and `capture` does not show, in words.
fn differences(capture: &Path, truth: &Truth) -> Vec<String> {
    let export = common::export(capture);
    let seen = connections(&export);
    let smb = |key: &str| export.summary["smb"][key].as_u64().expect("SMB messages are counted");
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, what: String| {
        if !holds {
            wrong.push(format!("{}: {what}", truth.file));
        }
    };
    let differ = |expected: &Calls| format!("\n  expected {expected:?}\n  seen     {seen:?}");
    match truth.visible {
        Visible::Clear => {
            expect(seen == truth.calls, differ(&truth.calls));
            expect(export.said.is_empty(), format!("said {}", export.said));
        }
        Visible::Sealed => {
            let sealed = |call: &String| {
                format!("{}:sealed", call.split_once(':').map_or(call.as_str(), |(op, _)| op))
            };
            let expected: Calls =
                truth.calls.iter().map(|side| side.iter().map(sealed).collect()).collect();
            expect(seen == expected, differ(&expected));
        }
        Visible::Encrypted => {
            expect(seen.is_empty(), format!("calls seen: {seen:?}"));
            expect(smb("encrypted_messages") > 0, "no encrypted message is counted".to_owned());
        }
        Visible::Lossy => {
            let whole = truth.calls.concat();
            let seen = seen.concat();
            expect(is_part(&seen, &whole), format!("{seen:?} is no part of {whole:?}"));
            wrong.extend(survivors::differences(capture, &export));
        }
    }
    wrong
}

fn check(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn committed_captures_show_the_calls_that_were_made() {
    let table = table();
    let listed: Vec<String> = table.iter().map(|truth| truth.file.clone()).collect();
    let there: Vec<String> =
        common::committed().iter().map(|path| common::file_name(path)).collect();
    assert_eq!(listed, there, "calls.tsv lists the captures of captures/, sorted");
    let mut wrong = Vec::new();
    for truth in &table {
        // What is committed is known exactly, also where packets are missing.
        let exactly = match truth.visible {
            Visible::Lossy => Visible::Clear,
            visible => visible,
        };
        let capture = common::captures().join(&truth.file);
        if truth.visible == Visible::Lossy {
            wrong.extend(survivors::differences(&capture, &common::export(&capture)));
        }
        let truth =
            Truth { visible: exactly, file: truth.file.clone(), calls: truth.calls.clone() };
        wrong.extend(differences(&capture, &truth));
    }
    check(&wrong);
    println!("{} captures", table.len());
}

#[test]
fn the_table_says_what_the_lab_says() {
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    let lab = common::shared_truth(&folder);
    for truth in table() {
        // What is large was compressed for this repository.
        let plain = truth.file.strip_suffix(".gz");
        let is = |known: &&Truth| known.file == truth.file || Some(known.file.as_str()) == plain;
        let known = lab.iter().find(is).expect("the lab knows it");
        assert_eq!(truth.visible, known.visible, "{}", truth.file);
        match truth.visible {
            Visible::Encrypted => assert!(truth.calls.is_empty(), "{}", truth.file),
            Visible::Lossy => {
                let (seen, whole) = (truth.calls.concat(), known.calls.concat());
                assert!(is_part(&seen, &whole), "{}: {seen:?} of {whole:?}", truth.file);
            }
            _ => assert_eq!(truth.calls, known.calls, "{}", truth.file),
        }
    }
}

#[test]
fn the_captures_of_the_lab_show_the_calls_that_were_made() {
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    let mut wrong = Vec::new();
    let mut number: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for truth in common::shared_truth(&folder) {
        wrong.extend(differences(&folder.join(&truth.file), &truth));
        let (captures, calls) = number.entry(format!("{:?}", truth.visible)).or_default();
        *captures += 1;
        *calls += truth.calls.iter().map(Vec::len).sum::<usize>();
    }
    check(&wrong);
    for (visible, (captures, calls)) in number {
        println!("{visible}: {captures} captures, {calls} calls made");
    }
}

/// The comparison itself can tell a difference.
#[test]
fn a_part_is_in_order_and_agrees() {
    let part = |seen: &str, whole: &str| {
        is_part(&common::calls(seen).concat(), &common::calls(whole).concat())
    };
    assert!(part("8:0 2:- ?:0", "8:0 0:0 2:0 3:0"));
    assert!(part("", "8:0"));
    assert!(!part("2:0 8:0", "8:0 2:0"), "the order is another");
    assert!(!part("8:0x80070005", "8:0"), "the status is another");
    assert!(!part("8:0 8:0", "8:0"), "there was one call");
}
