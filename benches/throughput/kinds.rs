//! The kinds of captures that are measured, and how files of them are made.

use std::fs::File;
use std::io::{BufWriter, Read, Write, stdout};
use std::path::{Path, PathBuf};

use crate::grow::{Grown, Template, grow};

/// A kind of capture, and what it is made of.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    templates: &'static [&'static str],
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "bulk",
        about: "files read and written over SMB 3, eleven FSRVP calls for every 2.6 MB",
        templates: &["g-bulk-same-connection-sign.pcap.gz"],
    },
    Kind {
        name: "rpc",
        about: "FSRVP over SMB 2 and 3, little else",
        templates: &[
            "a-ntlm-sign-smb311.pcap",
            "a5-spnego-sign.pcap",
            "d-SMB2_02-sign.pcap",
            "e-py-create_fails.pcap",
            "g-two_pipes_one_session.pcap",
            "et-torture-create_simple-bigendian-sign.pcap",
        ],
    },
];

/// The kinds that are asked for.
pub(crate) fn kinds() -> impl Iterator<Item = Kind> {
    let only = std::env::var("VSHARK_BENCH_ONLY").ok();
    KINDS.into_iter().filter(move |kind| only.as_deref().is_none_or(|only| only == kind.name))
}

/// How large the captures are to be, in megabytes.
pub(crate) fn megabytes(unless_asked: u64) -> u64 {
    match std::env::var("VSHARK_BENCH_MB") {
        Ok(text) => text.parse().expect("VSHARK_BENCH_MB is a number of megabytes"),
        Err(_) => unless_asked,
    }
}

/// Where captures are made.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

impl Kind {
    /// What it is made of.
    pub(crate) fn templates(&self) -> Vec<Template> {
        let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
        self.templates.iter().map(|name| Template::read(&captures.join(name))).collect()
    }
}

/// Makes a file and reads it once, so that no program pays for the disk.
pub(crate) fn make(templates: &[Template], megabytes: u64, path: &Path) -> Grown {
    let file = File::create(path).expect("the target directory can be written to");
    let enough = |grown: &Grown| grown.bytes >= megabytes * 1_000_000;
    let grown = grow(templates, enough, BufWriter::new(file)).expect("the disk has room");
    let mut file = File::open(path).expect("it was made");
    let mut buffer = vec![0; 1 << 20];
    while file.read(&mut buffer).expect("it can be read") > 0 {}
    grown
}

pub(crate) fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// Says how large a capture became.
pub(crate) fn say_size(grown: &Grown) {
    say(&format!(
        "{} MB, {} packets, {} conversations",
        grown.bytes / 1_000_000,
        grown.frames,
        grown.repetitions
    ));
}

pub(crate) fn say(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

/// `VmHWM` of a process that runs: the most memory it ever had, in KiB. Only Linux tells.
pub(crate) fn high_water(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
