//! What stays closed says what it would take.
//!
//! `tests/data/sealed.tsv` has it for every capture that others made; it was judged against what
//! another dissector shows of their logons. Of the lab's own captures the secrets are known, and next to
//! nothing stays closed.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::common::{self, Export};

/// The captures of a folder.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let all = folder.read_dir().expect("it can be listed").map(|entry| entry.unwrap().path());
    let is = |path: &PathBuf, of: &str| path.extension().is_some_and(|ending| ending == of);
    let mut found: Vec<PathBuf> =
        all.filter(|path| ["pcap", "pcapng", "cap", "gz"].iter().any(|of| is(path, of))).collect();
    found.sort();
    assert!(!found.is_empty(), "{} is empty", folder.display());
    found
}

fn column(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn number(summary: &Json, at: &str) -> u64 {
    summary.pointer(at).and_then(Json::as_u64).unwrap_or_else(|| panic!("{at} is not counted"))
}

/// What an export says of what stays closed, as the table has it.
fn told(export: &Export, file: &str) -> Vec<String> {
    let summary = &export.summary;
    let list = |at: &str| summary.pointer(at).and_then(Json::as_array).cloned().unwrap();
    let (smb, rpc) = (list("/sealed/smb"), list("/sealed/rpc"));
    // Every message that stays closed is told of, and nothing else.
    let sum = |of: &[Json], what: &str| of.iter().map(|of| of[what].as_u64().unwrap()).sum::<u64>();
    let [encrypted, decrypted, bulk] = ["encrypted", "decrypted", "encrypted_bulk"]
        .map(|what| number(summary, &format!("/smb/{what}_messages")));
    assert_eq!(sum(&smb, "messages"), encrypted - decrypted - bulk, "{file}");
    assert_eq!(sum(&rpc, "pdus"), number(summary, "/rpc/signatures/not_verifiable"), "{file}");
    let closed =
        |call: &&Json| ["request", "response"].iter().any(|of| call["stub"][of] == "sealed");
    let sealed = rpc.iter().any(|of| of["sealed"] == true);
    assert!(sealed || export.calls.iter().find(closed).is_none(), "{file}");
    let smb = smb.iter().map(|of| ("smb encrypted", "messages", "session_id", of));
    let rpc = rpc.iter().map(|of| {
        (if of["sealed"] == true { "rpc sealed" } else { "rpc signed" }, "pdus", "first_frame", of)
    });
    smb.chain(rpc)
        .map(|(kind, count, place, of)| {
            let columns = [count, place, "user", "service", "etype", "kvno", "needs"];
            assert_eq!(of["tried"], serde_json::json!([]), "{file}: nothing fits");
            // What is told apart is told in words.
            let needs = of["needs"].as_str().unwrap();
            for part in
                ["service", "etype", "kvno"].iter().filter(|_| needs.starts_with("a key of "))
            {
                assert!(needs.contains(&column(&of[part])), "{file}: {part} in {needs}");
            }
            let columns = columns.map(|name| column(&of[name]));
            format!("{file}\t{kind}\t{}", columns.join("\t"))
        })
        .collect()
}

#[test]
fn public_captures_say_what_they_would_take() {
    let Some(folder) = common::shared("captures/public") else { return };
    let table: Vec<&str> =
        include_str!("../data/sealed.tsv").lines().filter(|line| !line.starts_with('#')).collect();
    let mut seen = Vec::new();
    for capture in captures(&folder) {
        seen.extend(told(&common::export(&capture), &common::file_name(&capture)));
    }
    assert_eq!(seen, table);
    common::say(&format!("sealed, of others: {} lines", seen.len()));
}

/// With the lab's secrets one of its captures stays closed: it has one direction alone, and so no
/// logon.
#[test]
fn captures_of_the_lab_open_all_but_one() {
    let lab = common::captures().join("lab.toml").to_string_lossy().into_owned();
    let mut seen = Vec::new();
    for part in ["captures/fsrvp", "captures/scmp"] {
        let Some(folder) = common::shared(part) else { return };
        for capture in captures(&folder) {
            let export = common::export_with(&capture, &["--keys", &lab]);
            seen.extend(told(&export, &common::file_name(&capture)));
        }
    }
    let oneside = "i-a-oneside.pcap\trpc signed\t16\t15\t-\t-\t-\t-\tthe logon, which is not in the \
        capture";
    assert_eq!(seen, [oneside]);
}
