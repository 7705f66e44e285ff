//! With the lab's secrets everything that is sealed or encrypted opens, and is what was called.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::{connections, table};
use crate::common::{self, Calls, Export, Truth, Visible};

/// `captures/lab.toml`
fn lab() -> String {
    common::captures().join("lab.toml").to_string_lossy().into_owned()
}

/// How much was opened.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    captures: usize,
    calls: usize,
    unsealed_stubs: usize,
    verified: u64,
    decrypted: u64,
    smb_verified: u64,
}

/// What stays closed of what should be open.
fn shut(export: &Export, count: &mut Count) -> Vec<String> {
    let mut wrong = Vec::new();
    count.captures += 1;
    for call in &export.calls {
        let n = &call["n"];
        let signed =
            matches!(call["auth"]["level"].as_str(), Some("packet" | "integrity" | "privacy"));
        count.calls += 1;
        for side in ["request", "response"] {
            let stub = call["stub"][side].as_str().unwrap_or_default();
            let there = call["frames"][side] != serde_json::json!([]);
            let verdict = &call["signature"][side];
            count.unsealed_stubs += usize::from(stub == "unsealed");
            if stub == "sealed" {
                wrong.push(format!("call {n}: the {side} is sealed"));
            }
            if call["auth"]["level"] == "privacy" && stub == "clear" {
                wrong.push(format!("call {n}: the {side} was never sealed"));
            }
            let is_fault = side == "response" && call["outcome"] == "fault";
            if signed && there && !is_fault && verdict != "verified" {
                wrong.push(format!("call {n}: the signature of the {side} is {verdict}"));
            }
        }
    }
    let summary = &export.summary;
    let number = |at: &str| summary.pointer(at).and_then(Json::as_u64).expect("it is counted");
    for (what, at) in [("smb", "/sealed/smb"), ("rpc", "/sealed/rpc")] {
        let closed = summary.pointer(at).and_then(Json::as_array).expect("it is a list");
        wrong.extend(closed.iter().map(|closed| format!("{what} stays closed: {closed}")));
    }
    let [encrypted, decrypted, bulk] = ["encrypted", "decrypted", "encrypted_bulk"]
        .map(|what| number(&format!("/smb/{what}_messages")));
    if encrypted != decrypted + bulk {
        wrong.push(format!("of {encrypted} encrypted messages {decrypted} are open"));
    }
    for bad in ["/smb/signatures/bad", "/rpc/signatures/bad", "/smb/encrypted_bad_messages"] {
        if number(bad) > 0 {
            wrong.push(format!("{bad} is {}", number(bad)));
        }
    }
    count.verified += number("/rpc/signatures/verified");
    count.smb_verified += number("/smb/signatures/verified");
    count.decrypted += decrypted;
    wrong
}

/// What a capture does not show with the lab's secrets.
fn differences(capture: &Path, truth: &Truth, count: &mut Count) -> Vec<String> {
    let export = common::export_with(capture, &["--keys", &lab()]);
    let mut wrong = shut(&export, count);
    let seen = connections(&export);
    if seen != truth.calls {
        wrong.push(format!("\n  expected {:?}\n  seen     {seen:?}", truth.calls));
    }
    wrong.iter().map(|wrong| format!("{}: {wrong}", truth.file)).collect()
}

/// What was called in those of which the table only knows that they are encrypted.
fn encrypted(file: &str) -> Option<Calls> {
    const BACKUP: &str = "8:0 0:0 9:0x8004230c 8:0 0:0 1:0 2:0 3:0 12:0 4:0 5:0 10:0 \
        9:0x8004230c 10:0 6:0 11:0";
    let of = [
        "c-enc-AES-128-GCM-sign",
        "c-enc-AES-256-GCM-sign",
        "c-enc-SMB3_00-sign",
        "h-krb5-smbenc-sign",
    ];
    of.iter().any(|name| file.starts_with(name)).then(|| common::calls(BACKUP))
}

#[test]
fn the_committed_captures_open() {
    let (mut wrong, mut count) = (Vec::new(), Count::default());
    for mut truth in table() {
        if truth.visible == Visible::Lossy {
            continue;
        }
        if let Some(calls) = encrypted(&truth.file) {
            truth.calls = calls;
        }
        let capture = common::captures().join(&truth.file);
        wrong.extend(differences(&capture, &truth, &mut count));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    common::say(&format!("opened of the repository: {count:?}"));
}

#[test]
fn the_captures_of_the_lab_open() {
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    let (mut wrong, mut count) = (Vec::new(), Count::default());
    for mut truth in common::shared_truth(&folder) {
        if truth.visible == Visible::Lossy {
            continue;
        }
        if let Some(calls) = encrypted(&truth.file) {
            truth.calls = calls;
        }
        wrong.extend(differences(&folder.join(&truth.file), &truth, &mut count));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    common::say(&format!("opened of the lab: {count:?}"));
}

/// A capture that others made, and its secret as a file of keys.
type Public = (&'static str, &'static str);

/// What `SECRETS.md` beside them has.
const PUBLIC: [Public; 7] = [
    (
        "wireshark-4.0.17__smb300-aes-128-ccm.pcap.gz",
        "[[smb_session]]\nid = \"1900009c003c0000\"\nkey = \"9a9ea16a0cdbeb6064772318073f172f\"",
    ),
    (
        "wireshark-4.0.17__smb311-aes-128-ccm.pcap.gz",
        "[[smb_session]]\nid = \"2900009c003c0000\"\nkey = \"f1fa528d3cd182cca67bd4596dabd885\"",
    ),
    (
        "wireshark-4.0.17__smb311-aes-128-gcm.pcap.gz",
        "[[smb_session]]\nid = \"3900000000400000\"\nkey = \"e79161ded03bda1449b2c8e58f753953\"",
    ),
    (
        "wireshark-4.0.17__smb311-aes-256-ccm.pcap.gz",
        "[[smb_session]]\nid = \"d6fdb96d00000000\"\nkey = \"6b559c2e60519e344581d086a6d3d050\"",
    ),
    (
        "wireshark-4.0.17__smb311-aes-256-gcm.pcap.gz",
        "[[smb_session]]\nid = \"56dc03ab00000000\"\nkey = \"6a5004adfbdef1abd5879800675324e5\"",
    ),
    (
        "secdev+scapy__test__pcaps__dcerpc_privacy_ntlm.pcapng.gz",
        "[[password]]\ndomain = \"DOMAIN\"\nuser = \"Administrator\"\npassword = \"Password123!\"",
    ),
    (
        "secdev+scapy__test__pcaps__dcerpc_privacy_krb.pcapng.gz",
        "[[kerberos_key]]\nprincipal = \"ldap/dc1.domain.local\"\netype = 18\n\
         key = \"85abb9b61dc2fa49d4cc04317bbd108f8f79df28239155ed7b144c5d2ebcf016\"",
    ),
];

#[test]
fn public_captures_open_with_the_secrets_that_are_known_of_them() {
    let Some(folder) = common::shared("captures/public") else { return };
    let (mut wrong, mut count) = (Vec::new(), Count::default());
    for (name, secret) in PUBLIC {
        let capture: PathBuf = folder.join(name);
        let keys = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.toml"));
        std::fs::write(&keys, secret).expect("it can be written");
        let export = common::export_with(&capture, &["--keys", &keys.to_string_lossy()]);
        wrong.extend(shut(&export, &mut count).iter().map(|wrong| format!("{name}: {wrong}")));
        if export.summary["smb"]["encrypted_messages"] == 0 && count.unsealed_stubs == 0 {
            wrong.push(format!("{name}: nothing was sealed"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    common::say(&format!("opened of others: {count:?}"));
}

/// Nothing is shown as opened with a wrong secret, and what was tried is told.
#[test]
fn a_wrong_secret_opens_nothing() {
    let wrong = "[[password]]\npassword = \"Fsadmin-Pw2\"\n[[kerberos_key]]\netype = 18\n\
        key = \"85abb9b61dc2fa49d4cc04317bbd108f8f79df28239155ed7b144c5d2ebcf016\"";
    let keys = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrong.toml");
    std::fs::write(&keys, wrong).expect("it can be written");
    let mut sealed = 0;
    for truth in table() {
        if !matches!(truth.visible, Visible::Sealed | Visible::Encrypted) {
            continue;
        }
        sealed += 1;
        let capture = common::captures().join(&truth.file);
        let (export, blind) = (
            common::export_with(&capture, &["--keys", &keys.to_string_lossy()]),
            common::export(&capture),
        );
        for (call, unopened) in export.calls.iter().zip(&blind.calls) {
            assert_eq!(call["stub"], unopened["stub"], "{}", truth.file);
            assert_eq!(call["request"], Json::Null, "{}", truth.file);
            assert_eq!(call["response"], Json::Null, "{}", truth.file);
        }
        assert_eq!(export.calls.len(), blind.calls.len(), "{}", truth.file);
        assert_eq!(export.summary["smb"]["decrypted_messages"], 0, "{}", truth.file);
        let of =
            |what: &str| export.summary["sealed"][what].as_array().cloned().unwrap_or_default();
        let closed = [of("smb"), of("rpc")].concat();
        assert!(!closed.is_empty(), "{}: nobody says why", truth.file);
        let untried = closed.iter().filter(|closed| closed["tried"] == serde_json::json!([]));
        assert_eq!(untried.collect::<Vec<_>>(), Vec::<&Json>::new(), "{}", truth.file);
    }
    assert!(sealed >= 5, "{sealed} captures");
}
