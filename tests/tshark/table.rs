//! The judge `../shared/tools/tshark_rpc.py`: it pairs tshark's PDUs, follows binds by pipe, and
//! writes a row a PDU.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common;

/// A row by column.
pub(crate) type Row<'t> = BTreeMap<&'t str, &'t str>;

/// Where the judge is, if it can be run; says so if not.
pub(crate) fn judge() -> Option<PathBuf> {
    if !crate::oracle::is_installed() {
        return None;
    }
    let python = Command::new("python3").arg("--version").output();
    if !python.is_ok_and(|output| output.status.success()) {
        common::say("skipped: python3 is not installed");
        return None;
    }
    common::shared("tools/tshark_rpc.py")
}

/// What the judge writes of a capture, with these options of tshark.
pub(crate) fn ask(judge: &Path, capture: &Path, options: &[&str]) -> String {
    let options = options.iter().flat_map(|option| ["--ws", option]);
    let output = Command::new("python3").arg(judge).arg(capture).args(options).output();
    let output = output.expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it writes UTF-8")
}

/// Its rows.
pub(crate) fn rows(table: &str) -> Vec<Row<'_>> {
    let mut lines = table.lines();
    let columns: Vec<&str> = lines.next().expect("there is a heading").split('\t').collect();
    lines.map(|line| columns.iter().copied().zip(line.split('\t')).collect()).collect()
}

/// The captures in a folder, sorted; what else is there has one of these endings.
pub(crate) fn captures(folder: &Path) -> Vec<PathBuf> {
    const NO_CAPTURES: [&str; 3] = ["tsv", "md", "keytab"];
    let other = |path: &Path| {
        let ending = path.extension().unwrap_or_default();
        NO_CAPTURES.iter().any(|other| ending == *other)
    };
    let files = std::fs::read_dir(folder).expect("it can be listed");
    let mut files: Vec<PathBuf> = files
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.is_file() && !other(path))
        .collect();
    files.sort();
    files
}
