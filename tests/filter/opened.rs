//! `-w` of what secrets have opened: the same secrets open what is written.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::common;
use super::written::{path, records, temporary, vshark};

/// The user of the Kerberos captures, and no key of any service.
const USER: &str = "--password=FSLAB.TEST\\fsbackup%Fsbackup-Pw1!";

fn capture(name: &str) -> PathBuf {
    common::captures().join(name)
}

fn lab() -> String {
    format!("--keys={}", path(&capture("lab.toml")))
}

/// The calls that a filter chooses, and those of the capture that they are written to.
#[track_caller]
fn both(file: &Path, secret: &str, filter: &str, name: &str) -> (Vec<Json>, Vec<Json>) {
    let out = temporary(name);
    let chosen = records(&[path(file), secret, "-Y", filter], None);
    let written = vshark(&["calls", path(file), secret, "-Y", filter, "-w", path(&out)], None);
    let said = String::from_utf8(written.stderr).expect("UTF-8");
    let wrote = said.lines().last().expect("what was written");
    assert!(!wrote.contains("cannot be opened"), "{wrote}");
    (chosen, records(&[path(&out), secret], None))
}

fn is_sealed(call: &Json) -> bool {
    ["request", "response"].iter().any(|side| call["stub"][side] == "sealed")
}

/// What the KDC said is written, too: it is what gave the session key.
#[test]
fn what_a_ticket_opened_is_opened_again() {
    let names = ["h-krb5-seal", "h-krb5-spnego-seal", "h-krb5-rc4-seal", "h-krb5-smbenc-sign"];
    for name in names {
        let file = capture(&format!("{name}.pcap"));
        for (filter, count) in [("n > 0", 16), ("n == 16", 1), ("n == 3", 1)] {
            let (chosen, again) = both(&file, USER, filter, "ticket.pcapng");
            assert_eq!(chosen.len(), count, "{name} {filter}");
            assert!(!chosen.iter().any(is_sealed), "{name} {filter}");
            assert_eq!(again, chosen, "{name} {filter}");
        }
    }
}

/// NTLM's RC4 goes on from message to message: what it sealed before is written, too.
#[test]
fn what_ntlm_sealed_in_the_middle_is_opened_again() {
    let file = capture("scmp/large-privacy.pcap");
    let all = records(&[path(&file), &lab()], None);
    assert!(all.len() > 8 && !all.iter().any(is_sealed), "{all:#?}");
    for (n, call) in (1..).zip(&all) {
        let (chosen, again) = both(&file, &lab(), &format!("n == {n}"), "middle.pcapng");
        assert_eq!(chosen, std::slice::from_ref(call));
        assert!(again.contains(call), "call {n}: {again:#?}");
        assert!(again.iter().all(|call| all.contains(call)), "call {n}");
    }
}

/// Without the secret nothing is opened, and nothing is written that only opening would take.
#[test]
fn what_stays_sealed_takes_no_keystream() {
    let file = capture("scmp/large-privacy.pcap");
    let write = |secrets: &[&str]| {
        let arguments = ["calls", path(&file), "-Y", "n == 8", "-w", "-"];
        let written = vshark(&[&arguments, secrets].concat(), None).stdout;
        records(&["-"], Some(&written))
    };
    let without = write(&[]);
    assert_eq!((without.len(), write(&[&lab()]).len()), (1, 6));
    assert!(is_sealed(&without[0]), "{without:#?}");
}
