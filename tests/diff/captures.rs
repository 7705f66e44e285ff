//! Recordings of backups that failed, beside such that went well.
//!
//! What is expected is from the lab: `tests/data/calls.tsv` has what tshark and the clients' own logs say
//! was called and answered in each, and captures/README.md what each shows.

use std::fmt::Write as _;

use crate::{capture, common, one, said};

/// A client of Samba, which asks much before it begins.
const SAMBA: &str = "a-ntlm-sign-smb311.pcap";
/// The Python client, which begins at once.
const PYTHON: &str = "g-bulk-same-connection-sign.pcap.gz";

/// The good capture, the bad one, where they part, and where what came of it does if that is later:
/// call, method and status of both.
#[rustfmt::skip]
const TRUTH: &[(&str, &str, &[&str])] = &[
    // The snapshot script of the server fails. The two clients of the first line have different contexts.
    (SAMBA, "e-py-create_fails.pcap", &[
        "6 SetContext 0 | 3 SetContext 0 | Context CTX_BACKUP | ATTR_AUTO_RECOVERY CTX_BACKUP",
        "10 CommitShadowCopySet 0 | 7 CommitShadowCopySet 0x80004005 | outcome",
    ]),
    (PYTHON, "e-py-create_fails.pcap", &[
        "7 CommitShadowCopySet 0 | 7 CommitShadowCopySet 0x80004005 | outcome",
    ]),
    // The server's process crashes at the bind: the pipe breaks.
    (SAMBA, "e00-bind-worker-crash.pcap", &[
        "bind ok | bind Ended(Some(Status(3221225996))) | outcome",
    ]),
    // An ordinary user.
    (SAMBA, "e-rpcclient-bob.pcap", &[
        "1 IsPathSupported 0 | 1 IsPathSupported 0x80070005 | outcome",
    ]),
    (SAMBA, "e-py-denied-bob.pcap", &[
        "2 GetSupportedVersion 0 | 1 GetSupportedVersion 0x80070005 | outcome",
    ]),
    // Authentication level connect.
    (SAMBA, "e03-ntlm-connect-level-denied.pcap", &[
        "1 IsPathSupported 0 | 1 IsPathSupported fault 0x00000005 | outcome",
    ]),
    // The message sequence timer of the server runs out.
    (PYTHON, "f-py-timer_expiry.pcap", &[
        "4 StartShadowCopySet 0 | 4 StartShadowCopySet 0x80042301 | outcome",
    ]),
    // Commit before a share is added.
    (PYTHON, "e-py-commit_before_add.pcap", &[
        "5 AddToShadowCopySet 0 | 5 CommitShadowCopySet 0x80042301 | ",
    ]),
    // A set that the server never gave: the first that uses it is a second Add.
    (PYTHON, "e-py-wrong_set_id.pcap", &[
        "6 PrepareShadowCopySet 0 | 6 AddToShadowCopySet 0x80070057 | ",
    ]),
    // The share once more.
    (PYTHON, "e-py-add_twice.pcap", &[
        "6 PrepareShadowCopySet 0 | 6 AddToShadowCopySet 0x8004230d | ",
    ]),
    // Abort of nothing, to begin with.
    (PYTHON, "e-py-aborts.pcap", &[
        "1 IsPathSupported 0 | 1 AbortShadowCopySet 0x80070057 | ",
    ]),
    // Operations that do not exist.
    (PYTHON, "e-py-bad_pdus.pcap", &[
        "1 IsPathSupported 0 | 1 ? fault 0x1c010002 | ",
    ]),
    // A path of six thousand letters.
    (PYTHON, "e-py-fragmented.pcap", &[
        "1 IsPathSupported 0 | 1 IsPathSupported 0x80070057 | outcome",
    ]),
    // Two pipes that begin each for itself.
    (PYTHON, "g-two_pipes_one_session.pcap", &[
        "5 AddToShadowCopySet 0 | 4 SetContext 0 | ",
    ]),
    // Both add the share twice, which is the test suite's doing. Then Delete with the id of a set that
    // nobody made.
    ("et-torture-create_simple-bigendian-sign.pcap", "et-torture-bad_id-sign.pcap", &[
        "11 DeleteShareMapping 0 | 11 DeleteShareMapping 0x80042308 | \
         ShadowCopySetId the one that call 4 returned one that no call returned; outcome",
    ]),
    (SAMBA, "et-torture-bad_id-sign.pcap", &[
        "6 SetContext 0 | 3 SetContext 0 | Context CTX_BACKUP | ATTR_AUTO_RECOVERY CTX_BACKUP",
        "9 PrepareShadowCopySet 0 | 6 AddToShadowCopySet 0x8004230d | ",
    ]),
    // Without authentication, which the server should refuse and does not: this client asked for
    // another context.
    (SAMBA, "a4-noauth-rpc.pcap", &[
        "6 SetContext 0 | 6 SetContext 0 | \
         Context CTX_BACKUP | ATTR_AUTO_RECOVERY CTX_APP_ROLLBACK | ATTR_AUTO_RECOVERY",
    ]),
];

#[test]
fn the_true_first_difference_is_found() {
    let mut wrong = String::new();
    for (good, bad, expect) in TRUTH {
        let told = one(&capture(good), &capture(bad), said);
        if told[0] != "different" || told[1..] != **expect {
            let _ = writeln!(wrong, "{good} and {bad}: {told:#?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Two clients, of which the second finds the server taken: the first is held against the same
/// client, the second against it too.
#[test]
fn a_client_that_only_one_has_is_held_against_the_most_alike() {
    let (good, bad) = (capture(PYTHON), capture("g-two-clients-in-progress.pcap"));
    let compared = vshark::diff::compare(vshark::diff::Pair { good: &good, bad: &bad });
    let told: Vec<(String, bool, Vec<String>)> = compared
        .comparisons
        .iter()
        .map(|of| {
            let client = of.conversations.bad.client.ip.to_string();
            (client, of.lone.is_some(), said(Some(of)))
        })
        .collect();
    // What ends otherwise is told first.
    let taken = "4 StartShadowCopySet 0 | 9 StartShadowCopySet 0x80042316 | outcome";
    let unmapped = "9 GetShareMapping 0 | 13 RecoveryCompleteShadowCopySet 0 | ";
    let different = |place: &str| vec!["different".to_owned(), place.to_owned()];
    assert_eq!(
        told,
        [
            ("10.77.0.12".to_owned(), true, different(taken)),
            ("10.77.0.11".to_owned(), false, different(unmapped)),
        ]
    );
    assert!(compared.lone.is_empty());
}

/// Recordings of the same conversation, whatever carried it.
#[test]
fn the_same_conversation_is_alike() {
    let same = [
        "a5-spnego-sign.pcap",
        "d-NT1-sign.pcap",
        "d-SMB2_02-sign.pcap",
        "h-krb5-sign.pcap",
        "i-a-gzip.pcap.gz",
        "i-a-pcapng.pcapng",
        "i-a-vlan.pcap",
        "i-real-ipv6-sign.pcap",
        "i-real-mtu300-sign.pcap",
        "i-real-sll2-any.pcap",
    ];
    let good = capture(SAMBA);
    for name in same {
        assert_eq!(one(&good, &capture(name), said), ["alike"], "{name}");
    }
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    for name in ["d-SMB3_11-sign.pcap", "i-a-dup.pcap", "i-a-nsec.pcap", "i-a-reorder.pcap"] {
        let bad = crate::recorded(crate::file(&folder.join(name)));
        assert_eq!(one(&good, &bad, said), ["alike"], "{name}");
    }
}

/// What was sealed, encrypted or lost is neither alike nor different.
#[test]
fn what_cannot_be_read_is_not_taken_for_anything() {
    let good = capture(SAMBA);
    let check = |name: &str, bad: &vshark::diff::Recording, expect: &[(&str, &str, usize)]| {
        one(&good, bad, |of| {
            let of = of.unwrap_or_else(|| panic!("{name}: nothing is compared"));
            assert_eq!(said(Some(of)), ["undecided"], "{name}");
            let unseen: Vec<_> = of
                .gaps()
                .iter()
                .map(|gap| (gap.which.word(), gap.why.word(), gap.rows.len()))
                .collect();
            assert_eq!(unseen, expect, "{name}");
        });
    };
    let committed = [
        ("b-ntlm-seal-smb311.pcap", &[("bad", "sealed", 16)][..]),
        // The share, the pipe, the bind and the calls.
        ("c-enc-AES-128-GCM-sign.pcap", &[("bad", "encrypted", 19)]),
        // The opening of the first pipe, and the answers to calls 6 and 7.
        ("i-a-drop5.pcap", &[("bad", "lost", 2), ("bad", "missing", 1)]),
    ];
    for (name, expect) in committed {
        check(name, &capture(name), expect);
    }
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    let others = [
        ("h-krb5-seal.pcap", &[("bad", "sealed", 16)][..]),
        // Without the negotiation; and only what the server sent.
        ("i-a-nofirst10.pcap", &[("bad", "missing", 1)]),
        ("i-a-oneside.pcap", &[("bad", "missing", 19)]),
        ("i-a-snap96.pcap", &[("bad", "missing", 21)]),
    ];
    for (name, expect) in others {
        check(name, &crate::recorded(crate::file(&folder.join(name))), expect);
    }
}
