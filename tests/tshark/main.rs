//! An independent judge: what tshark makes of a capture, and what we make of it.
//!
//! Every call is compared in full: the frames it came in, its numbers, its protection, every
//! argument and every result. Where tshark is wrong or blind, a table says so, and why.

#[path = "../common/mod.rs"]
mod common;
mod dcom;
mod judge;
mod names;
#[path = "../common/oracle.rs"]
mod oracle;
mod pdml;
mod public;
mod servers;
mod table;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Truth, Visible, frames};
use judge::{Call, Judged, Side};
use serde_json::Value as Json;

/// Captures made from another by leaving frames out or by moving them: the judge of the copy is
/// what tshark shows of the whole one in the frames that are left. tshark itself waits for what is
/// missing when it is told to put segments in order, and shows little or nothing of what follows;
/// in `i-a-reorder` it loses an answer and two stubs even so.
const COPIES: &[(&str, &str)] = &[
    ("i-a-cutfile.pcap", "a-ntlm-sign-smb311.pcap"),
    ("i-a-drop5.pcap", "a-ntlm-sign-smb311.pcap"),
    ("i-a-nofirst10.pcap", "a-ntlm-sign-smb311.pcap"),
    ("i-a-oneside.pcap", "a-ntlm-sign-smb311.pcap"),
    ("i-a-reorder.pcap", "a-ntlm-sign-smb311.pcap"),
];

/// What tshark takes for PDUs and is data of files, as it says itself: it names their share a disk.
/// The lab wrote those data so that they look like the header of a request.
const IN_FILES: &[(&str, usize)] =
    &[("g-bulk-same-connection-sign.pcap", 41), ("g-bulk-same-connection-sign.pcap.gz", 41)];

/// Values that only we show: file, call, side, name, value, and why.
const OURS_ALONE: &[(&str, u64, &str, &str, &str, &str)] = &[(
    "e-py-bad_pdus.pcap",
    5,
    "request",
    "ShareName",
    "A",
    "the stub ends in the string: we keep what there is of it, tshark drops it",
)];

/// How much was compared.
#[derive(Default)]
struct Count {
    captures: usize,
    calls: usize,
    values: usize,
    pdus: u64,
}

/// Compares one capture with its judge.
struct Comparison<'a> {
    file: &'a str,
    wrong: Vec<String>,
    count: Count,
}

impl Comparison<'_> {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, seen: &T, judged: &T) {
        if seen != judged {
            self.wrong.push(format!("{} {what}: we {seen:?}, tshark {judged:?}", self.file));
        }
    }

    fn capture(&mut self, export: &common::Export, judged: &Judged) {
        self.count.captures += 1;
        let mut types: BTreeMap<String, u64> = BTreeMap::new();
        for (kind, _) in &judged.pdus {
            *types.entry(pdu_name(*kind)).or_default() += 1;
            self.count.pdus += 1;
        }
        self.same("PDUs", &counts(&export.summary["rpc"]["pdus"]), &types);
        let encrypted = export.summary["smb"]["encrypted_messages"].as_u64();
        self.same("encrypted messages", &encrypted, &u64::try_from(judged.encrypted).ok());
        let file = IN_FILES.iter().find(|(file, _)| *file == self.file);
        let in_files = file.map_or(0, |(_, number)| *number);
        self.same("PDUs in files that are known", &in_files, &judged.in_files);
        self.same("calls", &export.calls.len(), &judged.calls.len());
        for (call, judged) in export.calls.iter().zip(&judged.calls) {
            self.call(call, judged);
        }
    }

    fn call(&mut self, call: &Json, judged: &Call) {
        self.count.calls += 1;
        let named = |what: &str| format!("call {}: {what}", call["n"]);
        self.same(&named("call_id"), &call["call_id"].as_u64(), &Some(judged.id));
        self.same(&named("opnum"), &call["opnum"].as_u64(), &judged.opnum);
        let file_id = call["smb"]["file_id"].as_str().map(str::to_owned);
        self.same(&named("file_id"), &file_id, &judged.file_id);
        let protection = protection(judged.protection);
        self.same(&named("auth.type"), &call["auth"]["type"], &protection.0.into());
        self.same(&named("auth.level"), &call["auth"]["level"], &protection.1.into());
        let hex = |number: Option<u64>| {
            number.map_or(Json::Null, |number| format!("0x{number:08x}").into())
        };
        self.same(&named("status"), &call["status"]["value"], &hex(judged.status));
        self.same(&named("fault"), &call["fault"]["value"], &hex(judged.fault));
        self.side(call, "request", &judged.request);
        // A fault has no stub: what tshark shows of one is not of the interface.
        let absent = Side::default();
        self.side(call, "response", judged.response.as_ref().unwrap_or(&absent));
    }

    fn side(&mut self, call: &Json, side: &str, judged: &Side) {
        let named = |what: &str| format!("call {}: {side} {what}", call["n"]);
        let frames = call["frames"][side].as_array().expect("frames are a list");
        let frames: BTreeSet<u64> = frames.iter().filter_map(Json::as_u64).collect();
        self.same(&named("frames"), &frames, &judged.frames);
        if let Some(method) = &judged.method {
            self.same(&named("method"), &call["method"].as_str(), &Some(method.as_str()));
        }
        if let Some(stub) = judged.stub {
            self.same(&named("stub"), &call["stub_bytes"][side].as_u64(), &Some(stub));
        }
        let mut seen = BTreeMap::new();
        flatten("", &call[side], &mut seen);
        self.count.values += judged.values.len();
        for (file, n, _, name, value, _) in OURS_ALONE.iter().filter(|alone| alone.2 == side) {
            if *file == self.file && call["n"] == *n {
                self.same(&named(name), &seen.remove(*name), &Some(Some((*value).to_owned())));
            }
        }
        self.same(&named("values"), &seen, &judged.values);
    }
}

/// The members of a record by path, numbers without their names.
fn flatten(path: &str, json: &Json, into: &mut BTreeMap<String, Option<String>>) {
    let value = match json {
        Json::Object(members) if members.contains_key("value") => Some(json["value"].to_string()),
        Json::Object(members) => {
            for (name, member) in members {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(&format!("{path}{dot}{name}"), member, into);
            }
            return;
        }
        // No record at all.
        Json::Null if path.is_empty() => return,
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    into.insert(path.to_owned(), value);
}

/// [C706] 12.6.4.1
fn pdu_name(kind: u64) -> String {
    match kind {
        0 => "request",
        2 => "response",
        3 => "fault",
        11 => "bind",
        12 => "bind_ack",
        13 => "bind_nak",
        14 => "alter_context",
        15 => "alter_context_resp",
        16 => "rpc_auth_3",
        other => return other.to_string(),
    }
    .to_owned()
}

/// [MS-RPCE] 2.2.1.1.7 and 2.2.1.1.8
fn protection(numbers: Option<(u64, u64)>) -> (&'static str, &'static str) {
    let Some((provider, level)) = numbers else { return ("none", "none") };
    let provider = match provider {
        9 => "spnego",
        10 => "ntlm",
        16 => "kerberos",
        _ => "other",
    };
    let level = match level {
        2 => "connect",
        3 => "call",
        4 => "packet",
        5 => "integrity",
        6 => "privacy",
        _ => "none",
    };
    (provider, level)
}

/// Counts of the summary such as `[{"what":"request","count":16}]`.
fn counts(json: &Json) -> BTreeMap<String, u64> {
    let entries = json.as_array().expect("counts are a list");
    let count = |entry: &Json| Some((entry["what"].as_str()?.to_owned(), entry["count"].as_u64()?));
    entries.iter().map(|entry| count(entry).expect("a count has a name and a number")).collect()
}

/// What `of` makes of each, two at a time: tshark takes long to start.
fn at_once<T: Sync, R: Send>(items: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    const AT_A_TIME: usize = 2;
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(at) else { break };
                    let made = of(item);
                    done.lock().expect("nobody panics with it").insert(at, made);
                }
            });
        }
    });
    done.into_inner().expect("nobody panicked with it").into_values().collect()
}

/// The judge of a capture.
fn judged(capture: &Path) -> Judged {
    /// What was copied: several are copies of one.
    static WHOLE: Mutex<BTreeMap<PathBuf, Judged>> = Mutex::new(BTreeMap::new());
    let file = common::file_name(capture);
    let Some((_, whole)) = COPIES.iter().find(|(copy, _)| *copy == file) else {
        return judge::read(capture);
    };
    let whole = capture.with_file_name(whole);
    let places = frames::places(&whole, capture);
    let mut known = WHOLE.lock().expect("nobody panics with it");
    let judged = known.entry(whole).or_insert_with_key(|whole| judge::read(whole)).clone();
    drop(known);
    judged.in_copy(|frame| places.get(&frame).filter(|p| !p.cut).map(|p| p.frame))
}

/// Compares captures, and says how much was compared.
fn compare<'a>(captures: impl Iterator<Item = (&'a Path, bool)>) {
    let (mut wrong, mut total) = (Vec::new(), Count::default());
    let captures: Vec<_> = captures.collect();
    let both = |(capture, _): &(&Path, bool)| (common::export(capture), judged(capture));
    for ((capture, readable), (export, judged)) in captures.iter().zip(at_once(&captures, both)) {
        let file = common::file_name(capture);
        let mut comparison = Comparison { file: &file, wrong: Vec::new(), count: Count::default() };
        comparison.capture(&export, &judged);
        let Count { captures, calls, values, pdus } = comparison.count;
        wrong.append(&mut comparison.wrong);
        if *readable && values == 0 {
            wrong.push(format!("{file}: no value was compared"));
        }
        if *readable && !export.said.is_empty() {
            wrong.push(format!("{file}: {}", export.said));
        }
        total.captures += captures;
        total.calls += calls;
        total.values += values;
        total.pdus += pdus;
    }
    assert!(wrong.is_empty(), "{} differences\n{}", wrong.len(), wrong.join("\n"));
    assert_ne!(total.captures, 0, "nothing was compared");
    println!(
        "{} captures, {} PDUs, {} calls, {} arguments and results",
        total.captures, total.pdus, total.calls, total.values
    );
}

#[test]
fn committed_captures_are_what_tshark_makes_of_them() {
    if !oracle::is_installed() {
        return;
    }
    let captures = common::committed();
    compare(captures.iter().map(|capture| (capture.as_path(), false)));
}

#[test]
fn the_captures_of_the_lab_are_what_tshark_makes_of_them() {
    if !oracle::is_installed() {
        return;
    }
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    let captures: Vec<_> = common::shared_truth(&folder)
        .iter()
        // What is committed is compared above.
        .filter(|truth| !same(&folder.join(&truth.file), &common::captures().join(&truth.file)))
        .map(|truth: &Truth| {
            let readable = truth.visible == Visible::Clear && !truth.calls.is_empty();
            (folder.join(&truth.file), readable)
        })
        .collect();
    compare(captures.iter().map(|(capture, readable)| (capture.as_path(), *readable)));
}

/// Whether two files have the same octets.
fn same(one: &Path, other: &Path) -> bool {
    std::fs::read(one).ok() == std::fs::read(other).ok()
}

/// What captures/README.md says is missing is what is missing.
#[test]
fn four_packets_are_missing_in_the_lossy_copy() {
    let folder = common::captures();
    let places =
        frames::places(&folder.join("a-ntlm-sign-smb311.pcap"), &folder.join("i-a-drop5.pcap"));
    let missing: Vec<u64> = (1..=117).filter(|frame| !places.contains_key(frame)).collect();
    assert_eq!(missing, [16, 64, 66, 76]);
}
