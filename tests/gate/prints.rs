//! Fingerprints: two recordings of the same fault have the same.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{made, only, played, records, summary};

/// The fingerprints of the findings, sorted, each as often as it is there.
fn prints(file: &str) -> Vec<String> {
    let records = records(&[file, "--profile", "spec"]);
    let text = |of: &&Json| of["fingerprint"].as_str().map(str::to_owned);
    let mut prints: Vec<String> = only("finding", &records).iter().filter_map(text).collect();
    prints.sort();
    prints
}

/// The fingerprints of what stopped something.
fn causes(file: &str) -> Vec<String> {
    let records = records(&[file]);
    let all = summary(&records)["diagnosis"].as_array().expect("a list");
    let stopping = all.iter().filter(|of| of["lasting"] != 0);
    stopping.filter_map(|of| of["fingerprint"].as_str().map(str::to_owned)).collect()
}

/// A conversation with faults of both sides, in two sets, with ids from `first` on.
fn conversation(setting: &str, first: u32, share: &str, pause: u32) -> String {
    let set = |n: u32| {
        format!(
            "A:SetContext(ctx=CTX_BACKUP)=0\nA:StartShadowCopySet(cid=U{n})=0->S{n}\n\
             A:AddToShadowCopySet(ccid=V{n},S{n},{share})=0->C{n}\nwait {pause}s\n\
             A:CommitShadowCopySet(S{n}, to=61000)=0x80004005\n\
             A:ExposeShadowCopySet(S{n})=BAD_STATE\nA:AbortShadowCopySet(S{n})=0\n"
        )
    };
    format!("{setting}\nauth ntlm integrity\n{}{}", set(first), set(first + 1))
}

#[test]
fn two_runs_of_the_same_fault_have_the_same() {
    let setting = "server FS1 address 10.1.0.1; client A address 10.1.0.9";
    let one = played("print-one", &conversation(setting, 1, "\\\\FS1\\vol1", 1));
    let setting = "start 2025-03-04T05:06:07Z; server NAS address 192.168.7.7; \
                   client A address 192.168.7.20";
    let other = played("print-other", &conversation(setting, 31, "\\\\NAS\\data", 5));
    let prints_of_one = prints(&one);
    assert_eq!(prints_of_one, prints(&other));
    // The sets are two, and each has its own.
    let twice: Vec<&String> =
        prints_of_one.iter().filter(|print| print.starts_with("FSRVP-3.2.4.3-03/")).collect();
    assert_eq!(twice, ["FSRVP-3.2.4.3-03/client/ExposeShadowCopySet/1"; 2], "{prints_of_one:?}");
    let known = made("gate/print-one.json", super::check(&["--json", &one]).out.as_bytes());
    let told = records(&[&other, "--baseline", &known]);
    let told = &summary(&told)["gate"]["baseline"];
    assert_eq!((&told["new"], &told["absent"]), (&0.into(), &serde_json::json!([])), "{told}");
}

/// The same test of smbtorture, little- and big-endian: the one has all that the other has.
#[test]
fn two_recordings_of_the_same_test_have_the_same() {
    let little = prints("captures/et-torture-create_simple-sign.pcap");
    let big = prints("captures/et-torture-create_simple-bigendian-sign.pcap");
    assert!(!little.is_empty());
    assert_eq!(little, big);
}

/// Another rule, another side, another method, or once more in a set.
#[test]
fn different_findings_have_different_ones() {
    let of = |name: &str, rest: &str| {
        let text = format!(
            "auth ntlm integrity\nA:1(ctx=0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1\n{rest}\n"
        );
        prints(&played(&format!("print-{name}"), &text))
    };
    let mut all = Vec::new();
    for (name, rest) in [
        ("early-expose", "A:5(S1)=BAD_STATE"),
        ("early-commit", "A:4(S1)=BAD_STATE"),
        ("let-expose", "A:5(S1)=0"),
        ("wrong-code", "A:12(S1)=0; A:4(S1)=BAD_STATE"),
        ("twice", "A:5(S1)=BAD_STATE; A:5(S1)=BAD_STATE"),
    ] {
        let found = of(name, rest);
        assert!(!found.is_empty(), "{name}");
        all.push(found);
    }
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "{all:?}");
    let twice: BTreeSet<_> =
        all[4].iter().filter(|of| of.contains("/ExposeShadowCopySet/")).collect();
    assert!(twice.len() > 1, "{:?}", all[4]);
}

/// Another cause; where a cause tells what was said, another code or another method.
#[test]
fn different_causes_have_different_ones() {
    let of = |name: &str, share: &str, rest: &str| {
        let add =
            if rest.contains("A:3") { String::new() } else { format!("A:3(S1,{share})=0->C1; ") };
        let text = format!(
            "auth ntlm integrity\nA:1(ctx=0)=0; A:2(cid=U1)=0->S1; {add}{rest}; A:7(S1)=0\n"
        );
        let found = causes(&played(&format!("cause-{name}"), &text));
        let [print] = &found[..] else { panic!("{name}: {found:?}") };
        assert!(!print.contains(share.rsplit('\\').next().unwrap_or(share)), "{print}");
        print.clone()
    };
    let all = [
        of("one", r"\\fs\payroll", "A:12(S1)=0; A:4(S1)=0x80049998"),
        of("code", r"\\fs\payroll", "A:12(S1)=0; A:4(S1)=0x80049999"),
        of("method", r"\\fs\payroll", r"A:3(S1,\\fs\payroll)=0x80049998"),
        of("cause", r"\\fs\payroll", r"A:3(S1,\\fs\payroll)=NOT_SUPPORTED"),
        of("fault", r"\\fs\payroll", "A:12(S1)=0; A:4(S1)=fault 0x80049998"),
    ];
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len(), "{all:?}");
    assert_eq!(all[0], of("same", r"\\other\accounts", "A:12(S1)=0; A:4(S1)=0x80049998"));
}
