//! The screens of the terminal UI, whole, as `vshark --press` prints them after some keys.
//!
//! They are held against the texts beside this file, `CAPTURE-SCREEN-SIZE.txt`. Where a change of
//! the screens is meant, `UPDATE_EXPECT=1 cargo test --test screens` writes the texts anew, and
//! `git diff` shows what became of the screens.

#![cfg(feature = "tui")]

#[path = "../common/program.rs"]
#[expect(dead_code, reason = "pipes, refusals and files that are made are tried elsewhere")]
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use program::vshark;

/// Columns and rows: the smallest screen that everything has to work on, and a large one.
const SIZES: [&str; 2] = ["80x24", "200x60"];

/// A screen: its name, and the keys that lead to it.
type Screen = (&'static str, &'static str);

/// The screens of a capture.
struct Shown {
    /// What its texts are called.
    name: &'static str,
    file: &'static str,
    screens: &'static [Screen],
}

/// A backup that failed, at its call 7.
const FAILED: Shown = Shown {
    name: "failed",
    file: "captures/e-py-create_fails.pcap",
    screens: &[
        ("overview", ""),
        ("overview-end", "G"),
        ("calls", ": text:7 Enter"),
        ("calls-fields", ": text:7 Enter Tab j j"),
        ("calls-bytes-of-a-frame", ": text:7 Enter Tab Tab ]"),
        ("packets", ": text:7 Enter 3"),
        ("packets-fields", ": text:f57 Enter Tab G"),
        ("sequence", ": text:7 Enter 4"),
        ("state", ": text:7 Enter 5"),
        ("state-end", ": text:15 Enter 5"),
        ("findings", ": text:7 Enter 6"),
        ("statistics", "7"),
        ("objects", "8"),
        ("help", "?"),
        ("help-end", "? G"),
        ("filter-wrong", "2 f text:statsu"),
        ("filter-offers", "2 f text:sta"),
        ("filtered", "f text:status!=0 Enter"),
        ("filtered-to-nothing", "f text:status==5 Enter"),
        ("search-prompt", "2 /"),
        ("found", "2 / text:e_fail Enter"),
    ],
};

/// A backup that went well.
const WELL: Shown = Shown {
    name: "well",
    file: "captures/a-ntlm-sign-smb311.pcap",
    screens: &[
        ("overview", ""),
        ("calls", "2 G"),
        ("packets", "3 g g"),
        ("sequence", ": text:10 Enter 4"),
        ("state", ": text:12 Enter 5"),
        ("findings", "6"),
        ("statistics", "7"),
    ],
};

/// The same, sealed: there is little to see, and it has to be said why.
const SEALED: Shown = Shown {
    name: "sealed",
    file: "captures/b-ntlm-seal-smb311.pcap",
    screens: &[
        ("overview", ""),
        ("calls", "2"),
        ("packets", "3"),
        ("sequence", "4"),
        ("state", "5"),
        ("findings", "6"),
        ("statistics", "7"),
    ],
};

/// A server that forgets sets while the client pauses.
const EXPIRED: Shown = Shown {
    name: "expired",
    file: "captures/f-py-timer_expiry.pcap",
    screens: &[
        ("overview", ""),
        ("calls", ": text:9 Enter"),
        ("sequence", ": text:9 Enter 4"),
        ("state", ": text:9 Enter 5"),
        ("statistics", "7"),
    ],
};

/// Two clients, of which the second is refused.
const TWO: Shown = Shown {
    name: "two",
    file: "captures/g-two-clients-in-progress.pcap",
    screens: &[
        ("overview", ""),
        ("calls", ": text:9 Enter"),
        ("sequence", ": text:9 Enter 4"),
        ("state", ": text:9 Enter 5"),
        ("findings", "6"),
        ("statistics", "7"),
    ],
};

/// SMB is encrypted: there is no call, and every screen says so.
const ENCRYPTED: Shown = Shown {
    name: "encrypted",
    file: "captures/c-enc-AES-128-GCM-sign.pcap",
    screens: &[
        ("overview", ""),
        ("calls", "2"),
        ("packets", "3 G"),
        ("sequence", "4"),
        ("state", "5"),
        ("findings", "6"),
        ("statistics", "7"),
    ],
};

/// Shadow copies and their storage are managed; there is no set.
const MANAGED: Shown = Shown {
    name: "managed",
    file: "captures/scmp/mgmt-connect.pcap",
    screens: &[
        ("overview", ""),
        ("calls", ": text:17 Enter"),
        ("state", "5"),
        ("objects", "8"),
        ("objects-of-a-clone", ": text:17 Enter 8"),
        ("objects-found", "8 / text:c:\\ Enter n"),
        ("objects-page", ": text:17 Enter 8 Tab G"),
        ("calls-of-an-object", ": text:17 Enter 8 s"),
    ],
};

/// A client leaves without releasing anything.
const LEAKED: Shown = Shown {
    name: "leaked",
    file: "captures/scmp/viol-never-released.pcap",
    screens: &[("overview", ""), ("objects", "8 G")],
};

/// The same protocol, sealed: objects are known by the calls on them.
const UNKNOWN: Shown = Shown {
    name: "unknown",
    file: "captures/scmp/snaps-privacy.pcap",
    screens: &[("overview", ""), ("calls", "2"), ("objects", "8")],
};

const ALL: [Shown; 9] = [FAILED, WELL, SEALED, EXPIRED, TWO, ENCRYPTED, MANAGED, LEAKED, UNKNOWN];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens")
}

fn updates() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1")
}

fn file_name(shown: &Shown, screen: &str, size: &str) -> String {
    format!("{}-{screen}-{size}.txt", shown.name)
}

/// What is wrong with a screen, if anything is.
fn compare(name: &str, screen: &str) -> Option<String> {
    let path = folder().join(name);
    if updates() {
        fs::write(&path, screen).expect("tests/screens can be written to");
        return None;
    }
    let Ok(expected) = fs::read_to_string(&path) else {
        return Some(format!(
            "tests/screens/{name} is not there: look at the screen, and make it with \
             UPDATE_EXPECT=1\n{screen}"
        ));
    };
    let expected = expected.replace("\r\n", "\n");
    if expected == screen {
        return None;
    }
    let (mut theirs, mut ours) = (expected.lines(), screen.lines());
    for row in 1.. {
        let (expected, shown) = (theirs.next(), ours.next());
        if expected != shown || expected.is_none() {
            let line = |line: Option<&str>| line.unwrap_or("(no more lines)").to_owned();
            return Some(format!(
                "tests/screens/{name}, line {row}\n  expected {}\n  is       {}",
                line(expected),
                line(shown)
            ));
        }
    }
    None
}

#[track_caller]
fn check(shown: &Shown) {
    let mut wrong = Vec::new();
    for (screen, keys) in shown.screens {
        for size in SIZES {
            let text = vshark(&["--size", size, "--press", keys, shown.file]).ok();
            wrong.extend(compare(&file_name(shown, screen, size), &text));
        }
    }
    let hint = "if that is meant, UPDATE_EXPECT=1 writes the texts anew";
    assert!(wrong.is_empty(), "{}\n{hint}", wrong.join("\n"));
}

#[test]
fn a_backup_that_failed() {
    check(&FAILED);
}

#[test]
fn a_backup_that_went_well() {
    check(&WELL);
}

#[test]
fn a_backup_that_is_sealed() {
    check(&SEALED);
}

#[test]
fn a_server_that_forgets() {
    check(&EXPIRED);
}

#[test]
fn two_clients() {
    check(&TWO);
}

#[test]
fn nothing_that_can_be_seen() {
    check(&ENCRYPTED);
}

#[test]
fn storage_that_is_managed() {
    check(&MANAGED);
}

#[test]
fn objects_that_are_not_released() {
    check(&LEAKED);
}

#[test]
fn objects_of_which_little_is_known() {
    check(&UNKNOWN);
}

#[test]
fn each_text_is_of_a_screen() {
    let named: BTreeSet<String> = ALL
        .iter()
        .flat_map(|shown| shown.screens.iter().map(move |(screen, _)| (shown, *screen)))
        .flat_map(|(shown, screen)| SIZES.map(|size| file_name(shown, screen, size)))
        .collect();
    for entry in fs::read_dir(folder()).expect("tests/screens is there") {
        let name = entry.expect("it can be listed").file_name().to_string_lossy().into_owned();
        let text = Path::new(&name).extension().is_some_and(|ending| ending == "txt");
        assert!(!text || named.contains(&name), "tests/screens/{name} is of no screen");
    }
}
