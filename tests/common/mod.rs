//! What the tests at the program's boundary share: running it, its records, and where captures and
//! the truth about them are.
//!
//! It knows the form of the records and of `truth.tsv`, and nothing of what is expected.

pub(crate) mod frames;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

/// What `vshark export` says of a capture.
pub(crate) struct Export {
    /// The `call` records, in the order of their numbers.
    pub(crate) calls: Vec<Json>,
    /// The `summary` record.
    pub(crate) summary: Json,
    /// What was said on standard error.
    pub(crate) said: String,
}

/// Runs `vshark export`.
pub(crate) fn export(capture: &Path) -> Export {
    export_with(capture, &[])
}

/// The same with options, such as keys.
pub(crate) fn export_with(capture: &Path, options: &[&str]) -> Export {
    let output = Command::new(env!("CARGO_BIN_EXE_vshark"))
        .arg("export")
        .args(options)
        .arg(capture)
        .output()
        .expect("vshark runs");
    let said = String::from_utf8(output.stderr).expect("vshark speaks UTF-8");
    let text = String::from_utf8(output.stdout).expect("vshark writes UTF-8");
    let records: Vec<Json> =
        text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect();
    let of = |kind: &'static str| -> Vec<Json> {
        records.iter().filter(|record| record["type"] == kind).cloned().collect()
    };
    let mut calls = of("call");
    calls.sort_by_key(|call| call["n"].as_u64());
    let summary = of("summary").pop().unwrap_or_else(|| panic!("no summary: {said}"));
    Export { calls, summary, said }
}

/// How much of its calls a capture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visible {
    /// Everything.
    Clear,
    /// Which operations there are; the stubs are sealed by RPC.
    Sealed,
    /// Nothing: SMB is encrypted.
    Encrypted,
    /// Part: packets are missing, or octets of them.
    Lossy,
}

/// The calls of a capture as `opnum:status`, by connection.
pub(crate) type Calls = Vec<Vec<String>>;

/// A line of a table of truth.
pub(crate) struct Truth {
    /// Name of the file.
    pub(crate) file: String,
    /// How much there is to see.
    pub(crate) visible: Visible,
    /// What was called, and what was answered.
    pub(crate) calls: Calls,
}

/// Reads `8:0 0:0 | 8:0`. A slash stands where a client connected anew without calling.
pub(crate) fn calls(text: &str) -> Calls {
    text.split('|')
        .map(|side| side.split_whitespace().filter(|call| *call != "/").map(str::to_owned))
        .map(Iterator::collect::<Vec<_>>)
        .filter(|side| !side.is_empty())
        .collect()
}

/// Where the captures of this repository are.
pub(crate) fn captures() -> PathBuf {
    root().join("captures")
}

/// The captures of this repository that were recorded; those made from scenarios (`made-*`) are held
/// against their texts.
pub(crate) fn committed() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(captures())
        .expect("captures/ is there")
        .map(|entry| entry.expect("captures/ can be listed").path())
        // Beside them are their README and their secrets.
        .filter(|path| {
            let is = |of: &str| path.extension().is_some_and(|extension| extension == of);
            ["pcap", "pcapng", "gz"].into_iter().any(is)
        })
        .filter(|path| !file_name(path).starts_with("made-"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "captures/ is empty");
    files
}

/// The name of a file, as the tables have it.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().expect("a capture has a name").to_string_lossy().into_owned()
}

/// `../shared/PART`, which has more captures than are committed; `VSHARK_SHARED` names it where it
/// is elsewhere. Says so where there is none.
pub(crate) fn shared(part: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("VSHARK_SHARED")
        .map_or_else(|| root().join("../shared"), PathBuf::from)
        .join(part);
    if !folder.exists() {
        say(&format!("skipped: ../shared is not there ({part} is wanted)"));
        return None;
    }
    Some(folder)
}

/// The truth about the captures beside `truth.tsv`, whose columns are name, file, packets, dialect,
/// authentication, calls, and where that truth comes from.
pub(crate) fn shared_truth(folder: &Path) -> Vec<Truth> {
    let text = std::fs::read_to_string(folder.join("truth.tsv")).expect("truth.tsv can be read");
    let lines = text.lines().skip(1).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let [_, file, _, _, protection, sequence, source] =
                line.split('\t').collect::<Vec<_>>()[..]
            else {
                panic!("truth.tsv: {line}");
            };
            let visible = if source.contains("SMB3 encrypted") || file.contains("smbenc") {
                Visible::Encrypted
            } else if source.contains("bytes lost") {
                Visible::Lossy
            } else if protection.ends_with("/privacy") {
                Visible::Sealed
            } else {
                Visible::Clear
            };
            Truth { file: file.to_owned(), visible, calls: calls(sequence) }
        })
        .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Says something that is seen even where the tests pass, whose printing is withheld.
pub(crate) fn say(what: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{what}");
}
