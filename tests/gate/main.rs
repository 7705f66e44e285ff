//! What a server that runs builds gets of `vshark check`: exit codes, what is let pass, baselines,
//! `JUnit` XML and SARIF.

#[path = "../common/program.rs"]
#[expect(dead_code, reason = "refusals and pipes are tried elsewhere")]
mod program;

mod allowed;
mod exits;
mod junit;
mod prints;
mod sarif;

use serde_json::Value as Json;

use program::{Run, made, vshark};

const BACKUP: &str = "captures/a-ntlm-sign-smb311.pcap";
const FAILED: &str = "captures/e-py-create_fails.pcap";
const DENIED: &str = "captures/e-py-denied-bob.pcap";
const SEALED: &str = "captures/b-ntlm-seal-smb311.pcap";
const ENCRYPTED: &str = "captures/c-enc-AES-128-GCM-sign.pcap";
const LOST: &str = "captures/i-a-drop5.pcap";
const CLIENTS: &str = "captures/g-two-clients-in-progress.pcap";
const MISSING: &str = "captures/there-is-none.pcap";

/// A run of `vshark check`.
fn check(arguments: &[&str]) -> Run {
    vshark(&[&["check"], arguments].concat())
}

/// The records of a run.
fn records(arguments: &[&str]) -> Vec<Json> {
    let run = check(&[&["--json"], arguments].concat());
    let parse = |line| serde_json::from_str(line).expect("a line is JSON");
    run.out.lines().map(parse).collect()
}

fn only<'r>(kind: &str, records: &'r [Json]) -> Vec<&'r Json> {
    records.iter().filter(|record| record["type"] == kind).collect()
}

fn summary(records: &[Json]) -> &Json {
    records.last().filter(|last| last["type"] == "summary").expect("a summary is the last")
}

/// A capture of a conversation.
fn played(name: &str, conversation: &str) -> String {
    let text = made(&format!("gate/{name}.txt"), conversation.as_bytes());
    let path = text.replace(".txt", ".pcapng");
    let run = vshark(&["scenario", &text, "-o", &path]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    path
}
