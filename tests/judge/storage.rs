//! The judge against captures of managing shadow copies (\[MS-SCMP\]): go-msrpc and Impacket, which know
//! nothing of this program, in conversations that keep to the specification, that break it on purpose,
//! and that fail.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use vshark::check::{Blame, Certainty, Operation, Options, Severity};

use crate::common;
use crate::disturb;
use crate::real::{Accusation, file, judged, mishaps, recorded, report, told};
use crate::trial::KNOWLEDGE;
use crate::verdict::found;

use Blame::{Client, Server};
use Operation::{Completed, Failed, Unknown};
use Severity::{Error, Warning};

/// A capture: its name without `.pcap`, who is accused of what, what is told to be the cause, and how
/// it ended.
struct Known(&'static str, &'static [Accusation], &'static [&'static str], Operation);

/// Objects are called without authentication.
const OPEN: &[Accusation] = &[("SCMP-3.1.1.4-01", Server, Warning)];
/// The members of a set of shadow copies do not agree in how many there are.
const UNEVEN: &[Accusation] = &[("SCMP-2.2.3.3-04", Server, Warning)];
/// What is told of a client that left with references, of each kind of object.
const LEFT: [&str; 4] =
    ["SCMP-3.2.4.1-03", "SCMP-3.1.1.4.1-03", "SCMP-3.1.4.4.6-12", "SCMP-3.1.1.4.3-12"];

const KNOWN: &[Known] = &[
    Known("be-ex41-none", OPEN, &[], Completed),
    Known("be-ex42-none", OPEN, &[], Completed),
    Known("be-snaps-none", &[OPEN[0], UNEVEN[0]], &[], Completed),
    Known("err-accessdenied", &[], &["SC-08"], Failed),
    Known("err-activation-denied", &[], &["SC-02"], Failed),
    Known("err-badpassword-privacy", &[], &["SC-14"], Failed),
    // Who is not let in cannot release what it has been given.
    Known("err-bindnak", &[], &["SC-13"], Failed),
    Known("err-ctxreject", &[("SCMP-1.7-03", Server, Warning)], &["SC-12"], Failed),
    Known("err-fault-badstub", &[], &["SC-10"], Failed),
    Known("err-fault-opnum8", &[("SCMP-3.1.4.4-01", Client, Error)], &["SC-11"], Failed),
    Known("err-fault-wrong-ipid", &[("SCMP-2.1-08", Client, Warning)], &["SC-09"], Failed),
    // What was refused was wrong to ask for: other providers, no interface of storage, no names.
    Known(
        "err-hresults",
        &[
            ("SCMP-3.1.1.4.1-01", Client, Error),
            ("SCMP-3.1.1.4.1-02", Client, Error),
            ("SCMP-3.1.1.4.2-01", Client, Error),
            ("SCMP-3.1.1.4.3-02", Client, Error),
            ("SCMP-3.1.1.4.3-01", Client, Warning),
            ("SCMP-3.1.4.4.2-01", Client, Warning),
            ("SCMP-3.1.4.4.2-02", Client, Warning),
            ("SCMP-3.1.4.4.4-01", Client, Warning),
            ("SCMP-3.1.4.4.5-01", Client, Warning),
            ("SCMP-3.1.4.4.6-01", Client, Warning),
        ],
        &["SC-04", "SC-05", "SC-06", "SC-07", "SC-07-02", "SC-07-03", "SC-15"],
        Failed,
    ),
    Known("ex41-connect", &[], &[], Completed),
    Known("ex41-integrity", &[], &[], Completed),
    Known("ex41-none", OPEN, &[], Completed),
    Known("ex41-privacy", &[], &[], Unknown),
    Known("ex42-connect", &[], &[], Completed),
    Known("ex42-integrity", &[], &[], Completed),
    Known("ex42-none", OPEN, &[], Completed),
    Known("ex42-privacy", &[], &[], Unknown),
    Known("ex43-connect", &[], &[], Completed),
    Known("ex43-integrity", &[], &[], Completed),
    Known("ex43-none", OPEN, &[], Completed),
    Known("ex43-privacy", &[], &[], Unknown),
    Known("imp-ex41-connect", &[], &[], Unknown),
    Known("imp-ex41-integrity", &[], &[], Unknown),
    Known("imp-ex41-privacy", &[], &[], Unknown),
    Known("imp-snaps-connect", &[], &[], Unknown),
    Known("imp-snaps-integrity", &[], &[], Unknown),
    Known("imp-snaps-privacy", &[], &[], Unknown),
    Known("large-connect", UNEVEN, &[], Completed),
    Known("large-privacy", &[], &[], Unknown),
    Known("mgmt-connect", &[], &[], Completed),
    Known("ndr64-ex41-connect", &[], &[], Completed),
    Known("ndr64-ex41-privacy", &[], &[], Unknown),
    Known("ndr64-ex42-connect", &[], &[], Completed),
    Known("ndr64-ex42-privacy", &[], &[], Unknown),
    Known("ndr64-snaps-connect", UNEVEN, &[], Completed),
    Known("oldact-connect", &[], &[], Completed),
    Known("orpcext-connect", &[], &[], Completed),
    Known("snaps-connect", UNEVEN, &[], Completed),
    Known("snaps-integrity", UNEVEN, &[], Completed),
    Known("snaps-privacy", &[], &[], Unknown),
    Known("verify-integrity", &[], &[], Completed),
    // Made to break a rule. Next of no elements succeeds, of both enumerators.
    Known(
        "viol-celt0-ok",
        &[("SCMP-3.1.3.1-04", Server, Error), ("SCMP-3.1.2.1-04", Server, Error)],
        &[],
        Completed,
    ),
    Known("viol-lcontext-bits", &[("SCMP-3.1.1.4.2-02", Client, Error)], &[], Completed),
    // Of four kinds of objects none is released, on no connection that was captured.
    Known("viol-never-released", UNEVEN, &[], Completed),
    Known("viol-use-after-release-zombie", &[("SCMP-3.2.4.1-06", Client, Error)], &[], Completed),
    // More is used than is allocated, and more allocated than allowed.
    Known(
        "viol-used-gt-alloc",
        &[("SCMP-2.2.3.9-03", Server, Error), ("SCMP-2.2.3.9-02", Server, Error)],
        &[],
        Completed,
    ),
    Known(
        "viol-wrong-arm",
        &[("SCMP-3.1.1.4.2-11", Server, Error), ("SCMP-2.2.2.2-01", Server, Error)],
        &[],
        Completed,
    ),
    // A provider that nobody has is asked for, and answered for; then none at all.
    Known(
        "viol-wrong-provider-ok",
        &[
            ("SCMP-3.1.1.4.1-01", Client, Error),
            ("SCMP-3.1.1.4.1-04", Server, Warning),
            ("SCMP-3.1.1.4.2-01", Client, Error),
            ("SCMP-3.1.1.4.2-04", Server, Error),
            ("SCMP-3.1.1.4.2-05", Server, Warning),
            ("SCMP-3.1.1.4.3-02", Client, Error),
            ("SCMP-3.1.1.4.3-04", Server, Error),
            ("SCMP-3.1.1.4.3-05", Server, Warning),
        ],
        &[],
        Completed,
    ),
];

/// The captures, with what is known of each; every file of the folder is one of them.
fn all() -> Vec<(Vec<u8>, &'static Known)> {
    let paths = recorded(&common::captures().join("scmp"));
    assert_eq!(paths.len(), KNOWN.len());
    let known = |name: &str| {
        let found = KNOWN.iter().find(|known| Some(known.0) == name.strip_suffix(".pcap"));
        found.unwrap_or_else(|| panic!("{name} is not in the table"))
    };
    paths.iter().map(|path| (file(path), known(&common::file_name(path)))).collect()
}

#[test]
fn captures_of_managing_accuse_whom_they_show_to_be_wrong_and_nobody_else() {
    let mut wrong = String::new();
    for (capture, Known(name, expected, ..)) in all() {
        let seen = judged(&capture, "auto");
        let accusing: Vec<_> = seen.iter().filter(|seen| seen.severity > Severity::Note).collect();
        let is: BTreeSet<Accusation> = accusing
            .iter()
            .filter_map(|seen| {
                let same = |of: &&Accusation| of.0 == seen.rule;
                let rule = KNOWN.iter().flat_map(|known| known.1).find(same)?.0;
                Some((rule, seen.party, seen.severity))
            })
            .collect();
        let strange = accusing.iter().any(|seen| expected.iter().all(|of| of.0 != seen.rule));
        if strange || is != expected.iter().copied().collect() {
            let _ = writeln!(wrong, "{name}: expected {expected:?}, found{}", told(&accusing));
        }
        // Conversations that keep to the specification have no error, whatever else is told.
        let is_well = !name.starts_with("viol-") && !name.starts_with("err-");
        assert!(!is_well || expected.iter().all(|of| of.2 < Error), "{name}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Where all connections are known to be in the capture, what was not released there never was; else it is
/// a note.
#[test]
fn what_was_never_released_is_told() {
    let capture = file(&common::captures().join("scmp/viol-never-released.pcap"));
    for (all_clients, severity) in [(false, Severity::Note), (true, Warning)] {
        let choice = KNOWLEDGE.choose("auto").expect("the profile is known");
        let seen = found(&capture, Options { choice, all_clients, idle_start: false });
        for rule in LEFT {
            let of: Vec<_> = seen.iter().filter(|seen| seen.rule == rule).collect();
            assert!(
                matches!(of[..], [of] if of.party == Client && of.severity == severity),
                "{rule} {all_clients}: {}",
                told(&of)
            );
        }
    }
}

#[test]
fn what_failed_is_explained_and_what_succeeded_is_not() {
    let mut wrong = String::new();
    for (capture, Known(name, _, causes, outcome)) in all() {
        let report = report(&capture, "auto");
        let is: BTreeSet<&str> = report.diagnoses.iter().map(|of| &*of.cause).collect();
        let ends: BTreeSet<_> =
            report.attempts.iter().map(|of| format!("{:?}", of.outcome)).collect();
        if is != causes.iter().copied().collect() || ends != [format!("{outcome:?}")].into() {
            let _ = writeln!(wrong, "{name}: {is:?}, {ends:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whatever part is missing of a capture without a fault, nobody is accused; of one with faults of one
/// side only, not the other.
#[test]
fn damaged_captures_of_managing_accuse_nobody_else() {
    let mut wrong = String::new();
    let mut tried = 0;
    for (capture, Known(name, expected, ..)) in all() {
        let accused: BTreeSet<Blame> = expected.iter().map(|(_, party, _)| *party).collect();
        let packets = disturb::packets(capture);
        for mishap in mishaps(&packets) {
            let mut left = packets.clone();
            mishap.happen(&mut left);
            tried += 1;
            for seen in judged(&disturb::file(&left), "auto") {
                let surely = seen.accuses() && seen.certainty > Certainty::Possible;
                if surely && !accused.contains(&seen.party) {
                    let _ = writeln!(wrong, "{name} {mishap:?}: {} {}", seen.rule, seen.message);
                }
            }
        }
    }
    println!("{tried} damaged captures");
    assert!(wrong.is_empty(), "{wrong}");
}
