//! The judge against captures of real traffic: Samba 4.17 as the server; `rpcclient`, `smbtorture`
//! and a Python client that breaks rules on purpose as clients.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use vshark::check::{Blame, Certainty, Options, Report, Severity};

use crate::common;
use crate::disturb::{self, Mishap, Packet};
use crate::number_of;
use crate::trial::{KNOWLEDGE, tried};
use crate::verdict::{Seen, found};

use Blame::{Client, Server};
use Severity::{Error, Warning};

pub(crate) type Accusation = (&'static str, Blame, Severity);

/// A client that leaves nothing to protect the calls, and a server that answers all the same.
const NO_AUTHENTICATION: &[Accusation] = &[
    ("FSRVP-3.1.4-03", Client, Error),
    ("FSRVP-3.1.4-05", Server, Error),
    ("FSRVP-3.1.4-06", Server, Warning),
];
/// A share is added to the set that it is in.
const ADDED_TWICE: &[Accusation] = &[("FSRVP-3.2.4.2.2-02", Client, Error)];

/// The captures, and who is accused of what in each when the server is recognised.
const CAPTURES: &[(&str, &[Accusation])] = &[
    ("a-ntlm-sign-smb311.pcap", &[]),
    ("a4-noauth-rpc.pcap", NO_AUTHENTICATION),
    ("a5-spnego-sign.pcap", &[]),
    ("b-ntlm-seal-smb311.pcap", &[]),
    ("b2-spnego-seal.pcap", &[]),
    ("c-enc-AES-128-GCM-sign.pcap", &[]),
    ("c-enc-AES-256-GCM-sign.pcap", &[]),
    ("c-enc-SMB3_00-sign.pcap", &[]),
    ("d-NT1-sign.pcap", &[]),
    ("d-SMB2_02-sign.pcap", &[]),
    ("d-SMB2_10-seal.pcap", &[]),
    ("d-SMB3_11-sign.pcap", &[]),
    // It goes on with sets that it has aborted, and never asks for the mapping of a copy.
    (
        "e-py-aborts.pcap",
        &[("FSRVP-3.2.4.6-03", Client, Warning), ("FSRVP-3.2.4.4-05", Client, Warning)],
    ),
    ("e-py-add_twice.pcap", ADDED_TWICE),
    (
        "e-py-bad_pdus.pcap",
        &[
            ("FSRVP-1.7-01", Client, Error),
            ("FSRVP-6-01", Client, Warning),
            ("FSRVP-6-02", Client, Warning),
            ("FSRVP-3.1.4.9-01", Client, Error),
        ],
    ),
    (
        "e-py-commit_before_add.pcap",
        &[
            ("FSRVP-3.2.4.2.2-10", Client, Error),
            ("FSRVP-3.2.4.3-03", Client, Error),
            ("FSRVP-3.2.4.5-02", Client, Error),
        ],
    ),
    // Commit fails and Expose follows; the second set is committed unprepared.
    (
        "e-py-create_fails.pcap",
        &[("FSRVP-3.2.4.3-03", Client, Error), ("FSRVP-3.2.4.2.2-08", Client, Warning)],
    ),
    // Refused by SetContext, it calls StartShadowCopySet.
    ("e-py-denied-bob.pcap", &[("FSRVP-3.2.4.2.1-10", Client, Error)]),
    // A share that IsPathSupported has refused is added, and a set that is not exposed is mapped.
    (
        "e-py-fragmented.pcap",
        &[("FSRVP-3.2.4.2.1-03", Client, Warning), ("FSRVP-3.2.4.4-08", Client, Error)],
    ),
    // Of ids that nobody knows only the nil one is surely wrong: others may be from before.
    ("e-py-wrong_set_id.pcap", &[("FSRVP-3.1.4-10", Client, Error)]),
    ("e-rpcclient-bob.pcap", &[]),
    ("e00-bind-worker-crash.pcap", &[]),
    ("e03-ntlm-connect-level-denied.pcap", &[("FSRVP-3.1.4-04", Client, Error)]),
    ("et-torture-bad_id-sign.pcap", ADDED_TWICE),
    ("et-torture-create_simple-bigendian-sign.pcap", ADDED_TWICE),
    ("et-torture-create_simple-sign.pcap", ADDED_TWICE),
    (
        "f-py-timer_expiry.pcap",
        &[("FSRVP-3.2.4.2.2-08", Client, Warning), ("FSRVP-3.2.4.4-05", Client, Warning)],
    ),
    ("g-bulk-same-connection-sign.pcap", &[]),
    ("g-bulk-same-connection-sign.pcap.gz", &[]),
    // The first client never asks for the mapping of its copy.
    ("g-two-clients-in-progress.pcap", &[("FSRVP-3.2.4.4-05", Client, Warning)]),
    ("g-two_pipes_one_session.pcap", &[]),
    ("h-krb5-rc4-seal.pcap", &[]),
    ("h-krb5-seal.pcap", &[]),
    ("h-krb5-sign.pcap", &[]),
    ("h-krb5-smbenc-sign.pcap", &[]),
    ("h-krb5-spnego-seal.pcap", &[]),
    ("i-a-cutfile.pcap", &[]),
    ("i-a-drop5.pcap", &[]),
    ("i-a-dup.pcap", &[]),
    ("i-a-gzip.pcap.gz", &[]),
    ("i-a-nofirst10.pcap", &[]),
    ("i-a-nsec.pcap", &[]),
    ("i-a-oneside.pcap", &[]),
    ("i-a-pcapng.pcapng", &[]),
    ("i-a-reorder.pcap", &[]),
    ("i-a-snap96.pcap", &[]),
    ("i-a-vlan.pcap", &[]),
    ("i-real-ipv6-sign.pcap", &[]),
    ("i-real-mtu300-sign.pcap", &[]),
    ("i-real-sll2-any.pcap", &[]),
];

/// What somebody says who knows no more than the capture.
fn options(profile: &str) -> Options {
    let choice = KNOWLEDGE.choose(profile).expect("the profile is known");
    Options { choice, all_clients: false, idle_start: false }
}

pub(crate) fn judged(capture: &[u8], profile: &str) -> Vec<Seen> {
    found(capture, options(profile))
}

pub(crate) fn report(capture: &[u8], profile: &str) -> Report {
    tried(capture, options(profile), 0).report()
}

/// The captures of a folder that were recorded.
pub(crate) fn recorded(folder: &Path) -> Vec<PathBuf> {
    let is_capture = |path: &PathBuf| {
        let name = common::file_name(path);
        let ends = [".pcap", ".pcapng", ".gz"].iter().any(|end| name.ends_with(end));
        ends && !name.starts_with("made-")
    };
    let entries = std::fs::read_dir(folder).expect("the folder of captures is there");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("it can be listed").path()).filter(is_capture).collect();
    paths.sort();
    paths
}

/// All captures there are: those of this repository, and the shared ones that it lacks.
fn all() -> Vec<PathBuf> {
    let mut by_name: BTreeMap<String, PathBuf> = BTreeMap::new();
    let shared = common::shared("captures/fsrvp");
    for path in shared.iter().flat_map(|folder| recorded(folder)) {
        by_name.insert(common::file_name(&path), path);
    }
    for path in recorded(&common::captures()) {
        by_name.insert(common::file_name(&path), path);
    }
    by_name.into_values().collect()
}

fn of(name: &str) -> &'static [Accusation] {
    let found = CAPTURES.iter().find(|(file, _)| *file == name);
    found.unwrap_or_else(|| panic!("{name} is not in the table")).1
}

pub(crate) fn file(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("a capture can be read")
}

pub(crate) fn told(seen: &[&Seen]) -> String {
    seen.iter().fold(String::new(), |text, Seen { rule, party, message, .. }| {
        format!("{text}\n    {rule} {party:?}: {message}")
    })
}

#[test]
fn real_captures_accuse_whom_they_show_to_be_wrong_and_nobody_else() {
    let mut wrong = String::new();
    for path in all() {
        let name = common::file_name(&path);
        let seen = judged(&file(&path), "auto");
        let accusing: Vec<&Seen> =
            seen.iter().filter(|seen| seen.severity > Severity::Note).collect();
        let is: BTreeSet<(&str, Blame, Severity)> =
            accusing.iter().map(|seen| (seen.rule.as_str(), seen.party, seen.severity)).collect();
        let expected: BTreeSet<Accusation> = of(&name).iter().copied().collect();
        if is != expected {
            let _ = writeln!(wrong, "{name}: expected {expected:?}, found{}", told(&accusing));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Everything that is tried on the packets of a capture: each packet missing, exchanged with the
/// next, the first or the last of what is left; each address silent or out of sight. `VSHARK_COUNT`
/// says in how many places each.
pub(crate) fn mishaps(packets: &[Packet]) -> Vec<Mishap> {
    let count = packets.len();
    let most = number_of("VSHARK_COUNT").unwrap_or(8);
    let step = count / usize::try_from(most).unwrap() + 1;
    // Every kind at places of its own.
    let places = |kind: usize| (kind * step / 4..count).step_by(step);
    let addresses: BTreeSet<IpAddr> =
        packets.iter().filter_map(Packet::ends).flat_map(|(from, to)| [from, to]).collect();
    let mut mishaps = Vec::new();
    mishaps.extend(places(0).map(Mishap::Drop));
    mishaps.extend(places(1).filter(|at| at + 1 < count).map(Mishap::Swap));
    mishaps.extend(places(2).map(Mishap::DropFirst));
    mishaps.extend(places(3).map(Mishap::KeepFirst));
    mishaps.extend(addresses.iter().copied().map(Mishap::HideFrom));
    mishaps.extend(addresses.iter().copied().map(Mishap::HideClient));
    mishaps
}

/// Whatever part of a real capture is missing, nobody is accused who has done nothing: the server
/// only where the whole capture has a reason to, and the clients of captures without a fault never.
#[test]
fn damaged_real_captures_accuse_nobody_else() {
    let mut wrong: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut tried = 0;
    for path in all() {
        let name = common::file_name(&path);
        let accused: BTreeSet<Blame> = of(&name).iter().map(|(_, party, _)| *party).collect();
        // Without its beginning, a capture may not show whose server it is. What its deviations from
        // the specification are is then told, and rightly so where a client provokes them.
        let profile = if accused.is_empty() { "auto" } else { "samba" };
        let packets = disturb::packets(file(&path));
        assert!(!packets.is_empty(), "{name}");
        for mishap in mishaps(&packets) {
            let mut left = packets.clone();
            mishap.happen(&mut left);
            tried += 1;
            for seen in judged(&disturb::file(&left), profile) {
                let surely = seen.accuses() && seen.certainty > Certainty::Possible;
                if surely && !accused.contains(&seen.party) {
                    let at = format!("{name} {mishap:?}: {}", seen.message);
                    wrong.entry((seen.rule, format!("{:?}", seen.party))).or_default().push(at);
                }
            }
        }
    }
    println!("{tried} damaged captures");
    for ((rule, party), found) in &wrong {
        println!("{rule} against {party}, {} times, as {}", found.len(), found[0]);
    }
    assert!(wrong.is_empty(), "{} rules accuse somebody who has done nothing", wrong.len());
}

/// What Samba is known to do otherwise is no fault of it where it is recognised, and is named; the
/// specification alone has none of that.
#[test]
fn deviations_of_samba_are_known_where_it_is_recognised() {
    let deviations = [
        // An unknown set is E_INVALIDARG.
        ("e-py-wrong_set_id.pcap", "FSRVP-3.1.4.5-01"),
        // SetContext is accepted while the set of another client is in progress.
        ("g-two-clients-in-progress.pcap", "FSRVP-3.1.4.2-05"),
        // IsPathShadowCopied answers nobody.
        ("a-ntlm-sign-smb311.pcap", "FSRVP-3.1.4.10-10"),
        // The exposed share is told without its host.
        ("a-ntlm-sign-smb311.pcap", "FSRVP-2.2.1.1-03"),
        // The message sequence timer is its own.
        ("f-py-timer_expiry.pcap", "FSRVP-2.2.4-03"),
    ];
    for (name, rule) in deviations {
        let capture = file(&common::captures().join(name));
        // The lab knows: there are no other clients, and nothing was before.
        let seen = |profile: &str| -> Vec<Seen> {
            let choice = KNOWLEDGE.choose(profile).expect("the profile is known");
            found(&capture, Options { choice, all_clients: true, idle_start: true })
                .into_iter()
                .filter(|seen| seen.rule == rule || seen.also.iter().any(|also| also == rule))
                .collect()
        };
        for profile in ["auto", "samba"] {
            let seen = seen(profile);
            assert!(!seen.is_empty(), "{name} {rule}");
            for seen in seen {
                assert_eq!(seen.known.as_deref(), Some("Samba"), "{name} {}", seen.message);
                assert_eq!(seen.severity, Severity::Note, "{name} {}", seen.message);
            }
        }
        let seen = seen("spec");
        assert!(!seen.is_empty() && seen.iter().all(|seen| seen.known.is_none()), "{name} {rule}");
    }
}

/// A server is recognised by what it says of itself, in every capture that has it.
#[test]
fn samba_is_recognised() {
    let mut recognised = 0;
    for path in all() {
        let name = common::file_name(&path);
        let report = report(&file(&path), "auto");
        for server in &report.servers {
            recognised += 1;
            assert_eq!(&*server.profile, "samba", "{name}: {}", server.recognised);
            // The ServerGuid, unless the negotiation is what is missing.
            let by = if name == "i-a-nofirst10.pcap" { "NTLM version" } else { "ServerGuid" };
            assert!(server.recognised.contains(by), "{name}: {}", server.recognised);
        }
    }
    assert!(recognised >= 20, "{recognised}");
}

/// What is sealed is followed by its opnums, and accuses nobody.
#[test]
fn sealed_real_captures_are_followed() {
    let report = report(&file(&common::captures().join("b-ntlm-seal-smb311.pcap")), "auto");
    assert_eq!((report.judged_calls, report.sealed_calls), (0, 16));
    assert!(report.tallies.iter().any(|tally| tally.passed > 0));
}

/// The names of shares in this capture fill several fragments.
#[test]
fn messages_do_not_repeat_what_is_endless() {
    let seen = judged(&file(&common::captures().join("e-py-fragmented.pcap")), "auto");
    assert!(seen.iter().any(|seen| seen.message.contains('…')));
    for seen in seen {
        assert!(seen.message.chars().count() < 300, "{}", seen.message);
    }
}

/// A set that Samba does not know any more is explained, each time that it shows.
#[test]
fn sets_that_samba_let_expire_are_explained() {
    let seen = judged(&file(&common::captures().join("f-py-timer_expiry.pcap")), "auto");
    let explained: Vec<u64> = seen
        .iter()
        .filter(|seen| seen.rule == "FSRVP-3.1.5-01" && seen.party == Server)
        .filter_map(|seen| seen.call)
        .collect();
    // Commit, Commit after Prepare, Expose, and the Abort that follows it.
    assert_eq!(explained, [15, 22, 30, 31]);
}
