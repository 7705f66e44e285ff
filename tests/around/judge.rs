//! An independent judge: what tshark makes of tickets and names in recorded captures.

use std::path::{Path, PathBuf};
use std::process::Command;

use vshark::pipeline::{Resolver, What};

use crate::{around, common, oracle, read};

/// Errors of Kerberos that clients deal with.
const STEPS: [&str; 4] = ["25", "52", "68", "91"];

/// Frame, what it is about, code.
type Told = Vec<(u64, String, String)>;

/// What tshark shows of refusals by KDCs and resolvers.
fn judged(capture: &Path) -> Told {
    const FIELDS: [&str; 7] = [
        "frame.number",
        "kerberos.error_code",
        "kerberos.SNameString",
        "dns.flags.rcode",
        "dns.qry.type",
        "dns.qry.name",
        "udp.srcport",
    ];
    let filter = "(kerberos.error_code && (udp.srcport == 88 || tcp.srcport == 88)) || \
                  (dns.flags.response == 1 && dns.flags.rcode > 0 && udp.srcport == 53)";
    let output = Command::new("tshark")
        .args(["-n", "-r"])
        .arg(capture)
        .args(["-Y", filter, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=/"])
        .args(FIELDS.iter().flat_map(|field| ["-e", field]))
        .output()
        .expect("tshark runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [frame, error, service, rcode, kind, name, _] = cells[..] else { panic!("{line}") };
        let frame = frame.parse().expect("a number");
        if !error.is_empty() {
            let refused = !STEPS.contains(&error);
            return refused.then(|| (frame, service.to_owned(), error.to_owned()));
        }
        let address = ["1", "28"].contains(&kind);
        let failed = ["2", "3", "5"].contains(&rcode);
        (address && failed).then(|| (frame, name.to_owned(), rcode.to_owned()))
    });
    rows.collect()
}

/// The same as we tell it.
fn told(capture: &Path) -> Told {
    let events = read(capture);
    around(&events, |around| {
        let frame = around.frame?.0;
        match &around.what {
            What::TicketRefused { error, .. } if around.server.port() == 88 => {
                let service = error.service.clone().unwrap_or_default();
                Some((frame, service, error.code.0.to_string()))
            }
            What::NameUnknown { name, by: Resolver::Dns, code } => {
                Some((frame, name.clone(), code.0.to_string()))
            }
            _ => None,
        }
    })
}

#[test]
fn tshark_sees_the_same_refusals_of_kdcs_and_resolvers() {
    if !oracle::is_installed() {
        return;
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in ["captures/public", "captures/fsrvp"] {
        let Some(folder) = common::shared(folder) else { continue };
        files.extend(folder.read_dir().unwrap().map(|file| file.unwrap().path()));
    }
    files.retain(|file| {
        let name = common::file_name(file);
        // Of the lab's own, those that ask a KDC for tickets.
        let lab = file.parent().is_some_and(|folder| folder.ends_with("fsrvp"));
        let capture = [".pcap", ".pcapng", ".cap"].iter().any(|ending| name.ends_with(ending));
        capture && (!lab || name.starts_with("h-krb5"))
    });
    files.sort();
    let mut refusals = 0;
    for file in &files {
        let judged = judged(file);
        assert_eq!(told(file), judged, "{}", file.display());
        refusals += judged.len();
    }
    assert!(files.is_empty() || refusals > 40, "{refusals}");
}
