//! Every public capture: the request, response and fault PDUs of each operation of each interface
//! are as many as the judge has rows.
//!
//! The captures are Windows, Samba and many other programs, of twenty years, on all transports.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value as Json;

use crate::{at_once, common, table};

/// Transport, interface, opnum and kind of a PDU; `-` where nobody knows.
type Pdu = (&'static str, String, String, String);
type Count = BTreeMap<Pdu, u64>;

/// Where the judge has to be asked differently: part of the name, the option of tshark, and why we
/// are right and what it says without it is not.
const ASKED_DIFFERENTLY: &[(&str, &str, &str)] = &[(
    "dce-gap-handling",
    "tcp.reassemble_out_of_order:FALSE",
    "215 octets before frame 11 were not captured. Frames 11 and 14 begin with the headers of whole \
     requests (05 00 00 03, opnums 0 and 3), and frame 12 is the fault that answers the first. \
     Told to put segments in order, tshark waits for the octets that never come and shows neither \
     request; told not to, it shows both.",
)];

/// Pipes of which the judge guesses the interface: part of the name, the pipe, and why there is
/// nothing to know.
const GUESSED: &[(&str, &str, &str)] = &[(
    "printerproblem",
    "0x802d",
    "This pipe was open before the capture began. The only bind in it is in frame 41, on the pipe \
     0x802e. Once the judge has seen that one it takes it for every pipe of the connection that \
     has none of its own; the pipe's requests before frame 41 it calls unknown, as we call all.",
)];

/// The judge's rows in numbers; those beside the capture were written by the same judge.
fn judged(judge: &Path, capture: &Path) -> Count {
    let name = common::file_name(capture);
    let differently = ASKED_DIFFERENTLY.iter().find(|(part, ..)| name.contains(part));
    let beside = capture.with_file_name(format!("{name}.rpc.tsv"));
    let text = match (differently, std::fs::read_to_string(beside)) {
        (Some((_, option, _)), _) => table::ask(judge, capture, &[option]),
        (None, Ok(text)) => text,
        (None, Err(_)) => table::ask(judge, capture, &[]),
    };
    let mut count = Count::new();
    for row in table::rows(&text) {
        let transport = if row["transport"] == "udp" { "udp" } else { "stream" };
        let of = ["iface_uuid", "opnum", "pkt_type"].map(|column| row[column].to_owned());
        let [mut interface, opnum, kind] = of;
        if GUESSED.iter().any(|(part, pipe, _)| name.contains(part) && row["pipe"] == *pipe) {
            "-".clone_into(&mut interface);
        }
        *count.entry((transport, interface, opnum, kind)).or_default() += 1;
    }
    count
}

/// What our summary says.
fn seen(summary: &Json) -> Count {
    let mut count = Count::new();
    for (transport, key) in [("stream", "calls"), ("udp", "datagrams")] {
        for of in summary[key].as_array().expect("a list") {
            let interface = of["interface"]["uuid"].as_str().unwrap_or("-");
            for operation in of["operations"].as_array().expect("a list") {
                let opnum = operation["opnum"].as_u64().map_or("-".to_owned(), |n| n.to_string());
                for (kind, key) in
                    [("request", "requests"), ("response", "responses"), ("fault", "faults")]
                {
                    let number = operation[key].as_u64().expect("a count");
                    let pdu = (transport, interface.to_owned(), opnum.clone(), kind.to_owned());
                    if number > 0 {
                        *count.entry(pdu).or_default() += number;
                    }
                }
            }
        }
    }
    count
}

/// What was compared.
#[derive(Default)]
struct Total {
    captures: usize,
    pdus: u64,
    wrong: Vec<String>,
}

fn compare(judge: &Path, capture: &Path, total: &Mutex<Total>) {
    let name = common::file_name(capture);
    let judged = judged(judge, capture);
    let export = common::export(capture);
    let seen = seen(&export.summary);
    let mut total = total.lock().expect("no comparison panics with it");
    if judged != seen {
        let every = judged.keys().chain(seen.keys().filter(|pdu| !judged.contains_key(pdu)));
        for pdu in every.filter(|pdu| judged.get(pdu) != seen.get(pdu)) {
            let (we, it) = (seen.get(pdu).unwrap_or(&0), judged.get(pdu).unwrap_or(&0));
            total.wrong.push(format!("{name}: {pdu:?}: we {we}, the judge {it}"));
        }
    }
    total.captures += 1;
    total.pdus += judged.values().sum::<u64>();
}

#[test]
fn every_public_capture_has_the_pdus_that_the_judge_sees() {
    let Some(judge) = table::judge() else { return };
    let Some(folder) = common::shared("captures/public") else { return };
    let captures = table::captures(&folder);
    let total = Mutex::new(Total::default());
    at_once(&captures, |capture| compare(&judge, capture, &total));
    let total = total.into_inner().expect("nobody panicked with it");
    assert!(total.wrong.is_empty(), "{}", total.wrong.join("\n"));
    println!("{} captures, {} PDUs", total.captures, total.pdus);
    assert!(total.captures == captures.len() && total.pdus > 1000);
}
