//! Windows talking to Windows: the public captures of Microsoft's own documents, judged by
//! `../shared/tools/tshark_rpc.py`, call by call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::table::{self, Row};
use crate::{common, pdml};

/// The captures, and how many requests the judge finds in each.
const CAPTURES: &[(&str, usize)] =
    &[("MS-VSOD_Section_3.2_Example_1", 14), ("MS-STOROD_Example6", 60), ("MS-FASOD_Example2", 3)];

/// What both say of a call, in words: operation, interface, transfer syntax, object, carrier, and
/// the answer.
type Calls = BTreeMap<(u64, u64), String>;

fn judged(table: &str) -> Calls {
    let rows = table::rows(table);
    let number = |row: &Row<'_>, column: &str| pdml::number(row[column]).expect("a number");
    let mut calls = Calls::new();
    // Call and first frame of its request, which answers name: the frame of its last fragment.
    let mut asked: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let mut first = BTreeMap::new();
    for row in &rows {
        let call = number(row, "call_id");
        match row["pkt_type"] {
            "request" => {
                let frame = number(row, "frame");
                let pipe = (row["tcp_stream"], row["pipe"], call);
                if row["flags"].contains('F') {
                    first.insert(pipe, frame);
                }
                if row["flags"].contains('L') {
                    asked.insert((call, first[&pipe]), frame);
                    let transfer = match row["xfer"].trim_end_matches('?') {
                        "ndr32" => "ndr",
                        other => other,
                    };
                    let what = format!(
                        "{} opnum {} of {} in {transfer}, object {}, auth {}/{}",
                        row["transport"],
                        row["opnum"],
                        row["iface_uuid"],
                        row["obj_uuid"],
                        row["auth_type"],
                        row["auth_level"]
                    );
                    calls.insert((frame, call), what);
                }
            }
            kind @ ("response" | "fault") if row["flags"].contains('L') => {
                let frame = asked.get(&(call, number(row, "req_frame"))).expect("a request");
                let said = calls.get_mut(&(*frame, call)).expect("a request");
                *said += &answer(kind, number(row, "frame"), row["status"]);
            }
            _ => {}
        }
    }
    calls
}

fn seen(calls: &[Json]) -> Calls {
    let text = |json: &Json| json.as_str().unwrap_or("-").to_owned();
    let last = |json: &Json| json.as_array().and_then(|frames| frames.last()?.as_u64());
    let calls = calls.iter().map(|call| {
        let transport = match call["transport"].as_str() {
            Some("ncacn_np") => "np",
            _ => "tcp",
        };
        let mut said = format!(
            "{transport} opnum {} of {} in {}, object {}, auth {}",
            call["opnum"],
            text(&call["interface"]["uuid"]),
            text(&call["syntax"]),
            text(&call["object"]),
            protection(&call["auth"])
        );
        if let Some(frame) = last(&call["frames"]["response"]) {
            said += &match call["fault"]["value"].as_str() {
                Some(fault) => answer("fault", frame, fault),
                None => answer("response", frame, ""),
            };
        }
        let frame = last(&call["frames"]["request"]).expect("the request was seen");
        ((frame, call["call_id"].as_u64().expect("a call has an id")), said)
    });
    calls.collect()
}

/// An answer in words; only a fault has a status here.
fn answer(kind: &str, frame: u64, status: &str) -> String {
    let status = if kind == "fault" { status } else { "" };
    format!(": {kind} in {frame} {status}")
}

/// The numbers of [MS-RPCE] 2.2.1.1.7 and 2.2.1.1.8.
fn protection(auth: &Json) -> String {
    let provider = match auth["type"].as_str() {
        Some("spnego") => "9",
        Some("ntlm") => "10",
        Some("kerberos") => "16",
        Some("netlogon") => "68",
        _ => "-",
    };
    let level = match auth["level"].as_str() {
        Some("connect") => "2",
        Some("call") => "3",
        Some("packet") => "4",
        Some("integrity") => "5",
        Some("privacy") => "6",
        _ => "-",
    };
    format!("{provider}/{level}")
}

fn capture(folder: &Path, part: &str) -> Option<PathBuf> {
    table::captures(folder).into_iter().find(|path| common::file_name(path).contains(part))
}

#[test]
fn captures_of_windows_are_what_tshark_makes_of_them() {
    let Some(judge) = table::judge() else { return };
    let Some(folder) = common::shared("captures/public") else { return };
    for (part, requests) in CAPTURES {
        let Some(capture) = capture(&folder, part) else {
            common::say(&format!("skipped: {part} is not in ../shared"));
            continue;
        };
        let judged = judged(&table::ask(&judge, &capture, &[]));
        assert_eq!(judged.len(), *requests, "{part}: requests of the judge");
        let seen = seen(&common::export(&capture).calls);
        let differences: Vec<String> = judged
            .keys()
            .chain(seen.keys().filter(|call| !judged.contains_key(call)))
            .filter(|call| judged.get(call) != seen.get(call))
            .map(|call| {
                format!("{call:?}\n  we     {:?}\n  tshark {:?}", seen.get(call), judged.get(call))
            })
            .collect();
        assert!(differences.is_empty(), "{part}\n{}", differences.join("\n"));
        println!("{part}: {} calls", seen.len());
    }
}
