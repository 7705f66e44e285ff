//! Fingerprints: two recordings of the same fault have the same.

use super::{made, only, played, records};

/// The fingerprints of the findings, sorted, each as often as it is there.
fn prints(file: &str) -> Vec<String> {
    let records = records(&[file, "--profile", "spec"]);
    let text = |of: &&serde_json::Value| of["fingerprint"].as_str().map(str::to_owned);
    let mut prints: Vec<String> = only("finding", &records).iter().filter_map(text).collect();
    prints.sort();
    prints
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
    let told = &super::summary(&told)["gate"]["baseline"];
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
