//! The rules of the source tree that no compiler checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules a module may use. It stands below them: a row refers to earlier rows only.
const MODULES: &[(&str, &[&str])] = &[
    ("bytes", &[]),
    ("spelling", &[]),
    ("capture", &["bytes"]),
    ("net", &["bytes"]),
    ("skew", &["bytes", "capture", "net"]),
    ("tcp", &["bytes", "net"]),
    ("security", &["bytes"]),
    ("smb", &["bytes", "security"]),
    ("rpc", &["bytes", "security"]),
    ("idl", &["bytes"]),
    ("ndr", &["bytes", "idl"]),
    ("protocol", &["bytes", "idl", "ndr"]),
    ("dcom", &["bytes", "idl", "ndr", "protocol"]),
    (
        "scenario",
        &[
            "bytes", "capture", "dcom", "idl", "ndr", "protocol", "rpc", "security", "smb",
            "spelling",
        ],
    ),
    ("call", &["bytes", "dcom", "idl", "ndr", "protocol", "rpc"]),
    ("objects", &["bytes", "call", "ndr", "protocol"]),
    (
        "pipeline",
        &[
            "bytes", "call", "capture", "net", "objects", "protocol", "rpc", "security", "smb",
            "tcp",
        ],
    ),
    ("trace", &["bytes", "call", "capture", "pipeline", "protocol", "rpc", "security"]),
    (
        "check",
        &[
            "bytes", "call", "idl", "ndr", "objects", "pipeline", "protocol", "rpc", "security",
            "smb", "spelling",
        ],
    ),
    ("diff", &["bytes", "call", "ndr", "pipeline", "protocol", "rpc", "security", "smb"]),
    ("gate", &["bytes", "check", "spelling"]),
    (
        "report",
        &[
            "bytes", "call", "capture", "check", "diff", "gate", "idl", "ndr", "net", "objects",
            "pipeline", "protocol", "rpc", "security", "skew", "smb",
        ],
    ),
    (
        "filter",
        &["bytes", "call", "capture", "idl", "ndr", "protocol", "report", "rpc", "spelling"],
    ),
    (
        "expect",
        &[
            "bytes", "call", "check", "filter", "gate", "idl", "pipeline", "protocol", "rpc",
            "spelling",
        ],
    ),
    (
        "tui",
        &[
            "bytes", "call", "check", "filter", "gate", "net", "objects", "pipeline", "protocol",
            "report", "rpc", "smb", "trace",
        ],
    ),
];

/// Lines of a source file; a file of tests may be longer.
const MAX_LINES: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `dir` with this ending, with their path from the root.
fn files(dir: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(dir)];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{ending} in {dir}");
    found
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The module a file of the library belongs to.
fn module(path: &str) -> &str {
    let inner = path.strip_prefix("src/").unwrap();
    inner.split('/').next().unwrap().trim_end_matches(".rs")
}

/// Modules that `text` names as `crate::module` or in a group `crate::{module, …}`.
fn used(text: &str) -> BTreeSet<&str> {
    let mut used = BTreeSet::new();
    for (at, path) in text.match_indices("crate::") {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        if text[line..at].trim_start().starts_with("//") {
            continue;
        }
        let rest = &text[at + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            used.insert(word(rest));
            continue;
        };
        // What stands in the outermost braces begins with a module.
        let (mut depth, mut begins) = (0, true);
        for (at, c) in group.char_indices() {
            if begins && c.is_alphabetic() {
                used.insert(word(&group[at..]));
                begins = false;
            }
            depth += i32::from(c == '{') - i32::from(c == '}');
            begins |= c == ',' && depth == 0;
            if depth < 0 {
                break;
            }
        }
    }
    used.remove("");
    used
}

/// The identifier at the start of `text`.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn modules_depend_downwards_only() {
    for (place, (name, uses)) in MODULES.iter().enumerate() {
        for used in *uses {
            let at = MODULES.iter().position(|(other, _)| other == used);
            assert!(
                at.is_some_and(|at| at < place),
                "{name} may use {used}, which is not below it"
            );
        }
    }
    let mut seen = BTreeSet::new();
    for (path, text) in files("src", "rs") {
        let program = path == "src/main.rs" || path.starts_with("src/cli/");
        if path == "src/lib.rs" || program || is_test(&path) {
            continue;
        }
        let module = module(&path);
        seen.insert(module.to_owned());
        let Some((_, may)) = MODULES.iter().find(|(name, _)| *name == module) else {
            panic!("{path}: module {module} is not in the table of tests/tidy.rs");
        };
        for used in used(&text).into_iter().filter(|used| *used != module) {
            assert!(may.contains(&used), "{path}: {module} must not use {used}");
        }
    }
    let named: BTreeSet<_> = MODULES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(seen, named, "the table of tests/tidy.rs and the modules of src/");
}

#[test]
fn the_reader_of_crate_paths_reads_them() {
    let text = "use crate::bytes::Time;\n// crate::no\nuse crate::{\n    rpc::{self, call::Call},\n    \
                tcp::Flow,\n};\ncrate::net::rows()";
    assert_eq!(used(text), BTreeSet::from(["bytes", "rpc", "tcp", "net"]));
}

#[test]
fn the_program_uses_the_library_from_outside_only() {
    for (path, text) in files("src/cli", "rs") {
        assert_eq!(used(&text), BTreeSet::new(), "{path} uses crate::");
    }
}

#[test]
fn the_architecture_page_lists_the_modules_in_their_order() {
    let page = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rows: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("//! | [`"))
        .map(|row| row.split('`').next().unwrap())
        .collect();
    let table: Vec<_> = MODULES.iter().map(|(name, _)| *name).collect();
    assert_eq!(rows, table);
    for word in
        page.split('`').filter(|word| word.starts_with("src/") || word.starts_with("dissectors/c"))
    {
        assert!(
            root().join(word).exists(),
            "the architecture page names {word}, which is not there"
        );
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    for (path, text) in files("src", "rs") {
        if is_test(&path) {
            continue;
        }
        assert!(text.starts_with("//! "), "{path} does not begin with what it is for");
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        assert!(lines <= MAX_LINES, "{path} has {lines} lines");
    }
}

#[test]
fn nothing_is_silenced_without_a_reason() {
    for (path, text) in files("src", "rs").into_iter().chain(files("tests", "rs")) {
        for (n, line) in text.lines().enumerate() {
            let line = line.trim_start();
            assert!(
                !line.starts_with("#[allow(") && !line.starts_with("#![allow("),
                "{path}:{}: expect, with a reason, instead of allow",
                n + 1
            );
        }
        for (at, _) in text.match_indices("[expect(") {
            let inside = text[at..].split(")]").next().unwrap();
            let quoted = text[..at].ends_with('"');
            assert!(quoted || inside.contains("reason = "), "{path}: {inside}…");
        }
    }
}

#[test]
fn no_path_of_a_machine_is_in_the_tree() {
    let texts = ["src", "tests"].into_iter().flat_map(|dir| files(dir, "rs"));
    for (path, text) in texts.chain(files("dissectors", "toml")).chain(files("dissectors", "idl")) {
        for place in ["home", "root", "work"].map(|place| format!("\"/{place}/")) {
            assert!(!text.contains(&place), "{path} names {place}…");
        }
    }
    assert!(Path::new(&root()).join("README.md").exists());
}
