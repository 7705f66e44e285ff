//! What was opened is judged like what never was sealed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::common;

/// Sealed captures and twins in which the same was done and could be read, of the lab's folders.
const TWINS: [(&str, &str); 17] = [
    ("fsrvp/b-ntlm-seal-smb311", "fsrvp/a-ntlm-sign-smb311"),
    ("fsrvp/b2-spnego-seal", "fsrvp/a5-spnego-sign"),
    ("fsrvp/c-enc-AES-128-GCM-sign", "fsrvp/a-ntlm-sign-smb311"),
    ("fsrvp/c-enc-AES-256-GCM-sign", "fsrvp/a-ntlm-sign-smb311"),
    ("fsrvp/c-enc-SMB3_00-sign", "fsrvp/a-ntlm-sign-smb311"),
    ("fsrvp/d-SMB2_10-seal", "fsrvp/d-SMB2_02-sign"),
    ("fsrvp/h-krb5-rc4-seal", "fsrvp/h-krb5-sign"),
    ("fsrvp/h-krb5-seal", "fsrvp/h-krb5-sign"),
    ("fsrvp/h-krb5-smbenc-sign", "fsrvp/h-krb5-sign"),
    ("fsrvp/h-krb5-spnego-seal", "fsrvp/h-krb5-sign"),
    ("scmp/ex41-privacy", "scmp/ex41-integrity"),
    ("scmp/ex42-privacy", "scmp/ex42-integrity"),
    ("scmp/ex43-privacy", "scmp/ex43-integrity"),
    ("scmp/large-privacy", "scmp/large-connect"),
    ("scmp/ndr64-ex41-privacy", "scmp/ndr64-ex41-connect"),
    ("scmp/ndr64-ex42-privacy", "scmp/ndr64-ex42-connect"),
    ("scmp/snaps-privacy", "scmp/snaps-integrity"),
];

/// Rules about the level itself, which is what twins differ in.
const OF_LEVEL: [&str; 2] = ["DCOM-2.1-01", "SCMP-2.1-03"];

/// What `check` says of a capture, without times, ids and frames.
#[derive(Debug, PartialEq)]
struct Ruling {
    code: Option<i32>,
    operation: Json,
    verdicts: Vec<Json>,
    causes: Vec<Json>,
    findings: Vec<[Json; 5]>,
}

fn ruling(capture: &Path, keys: bool) -> Ruling {
    let lab = common::captures().join("lab.toml");
    let options: &[&std::ffi::OsStr] =
        if keys { &["--keys".as_ref(), lab.as_os_str()] } else { &[] };
    let output = Command::new(env!("CARGO_BIN_EXE_vshark"))
        .args(["check", "--json"])
        .args(options)
        .arg(capture)
        .output()
        .expect("vshark runs");
    let text = String::from_utf8(output.stdout).expect("vshark writes UTF-8");
    let records: Vec<Json> =
        text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect();
    let summary = records.iter().find(|record| record["type"] == "summary").expect("it has one");
    let all = |list: &Json, key: &str| -> Vec<Json> {
        list.as_array().into_iter().flatten().map(|of| of[key].clone()).collect()
    };
    let findings = records.iter().filter(|record| record["type"] == "finding");
    let mut findings: Vec<[Json; 5]> = findings
        .filter(|of| !OF_LEVEL.iter().any(|rule| of["rule"] == *rule))
        .map(|of| ["rule", "severity", "party", "certainty", "call"].map(|key| of[key].clone()))
        .collect();
    findings.sort_by_key(|finding| format!("{finding:?}"));
    Ruling {
        code: output.status.code(),
        operation: summary["operation"].clone(),
        verdicts: all(&summary["conformance"], "verdict"),
        causes: all(&summary["diagnosis"], "cause"),
        findings,
    }
}

#[test]
fn what_was_opened_is_judged_like_its_readable_twin() {
    let Some(folder) = common::shared("captures") else { return };
    let of = |name: &str| -> PathBuf { folder.join(format!("{name}.pcap")) };
    for (sealed, readable) in TWINS {
        let opened = ruling(&of(sealed), true);
        assert_eq!(opened, ruling(&of(readable), false), "{sealed} and {readable}");
        assert!(!opened.verdicts.is_empty() && opened.operation.is_string(), "{sealed}");
        // Without keys it is another matter.
        assert_ne!(opened, ruling(&of(sealed), false), "{sealed}");
    }
}
