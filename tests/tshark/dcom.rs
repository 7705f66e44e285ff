//! Objects of Windows: what tshark reads of activations, of references to objects and of
//! `IRemUnknown` in public captures, beside what we read, frame by frame.
//!
//! Of the interfaces that are known to us by name only, what tshark reads is counted and not
//! compared: nothing of ours is there to be wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::{common, oracle, pdml};

/// The captures: part of the name, activations in it, and frames whose values are compared.
const CAPTURES: &[(&str, usize, usize)] = &[
    ("LM_WMI_ProcessCallCreate", 1, 8),
    ("empire_msbuild_dcerpc_wmi_smb", 4, 58),
    ("empire_dcom_shellwindows", 1, 74),
    ("dcerpc-ctxids", 1, 72),
    ("MS-CERSOD_Example1", 1, 4),
    // All of its objects are of an interface that neither knows.
    ("bug-6191", 0, 0),
];

/// What is compared: the name tshark has for it.
const FIELDS: [&str; 18] = [
    "dcom.this.uuid",
    "dcom.clsid",
    "dcom.iid",
    "dcom.oxid",
    "dcom.oid",
    "dcom.ipid",
    "dcom.stdobjref.public_refs",
    "dcom.dualstringarray.network_addr",
    "dcom.dualstringarray.tower_id",
    "dcom.hresult",
    "isystemactivator.customhdr.clsid",
    "isystemactivator.customhdr.datasize",
    "isystemactivator.properties.instninfo.clsid",
    "isystemactivator.properties.instninfo.iid",
    "isystemactivator.properties.iid",
    "isystemactivator.properties.retval",
    "isystemactivator.properties.scmresp.oxid",
    "isystemactivator.properties.scmresp.rmtunknid",
];

/// Values by the name of their field, each list sorted.
type Values = BTreeMap<&'static str, Vec<String>>;

/// What tshark reads in each frame.
fn judged(capture: &Path) -> BTreeMap<u64, Values> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-T", "fields", "-E", "aggregator=|", "-Y"]);
    command.arg("dcerpc && (dcom || isystemactivator || oxid || remunk || remunk2)");
    command.args(["-e", "frame.number"]).arg("-r").arg(capture);
    for field in FIELDS {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark runs");
    let text = String::from_utf8(output.stdout).expect("tshark writes UTF-8");
    let frames = text.lines().map(|line| {
        let mut columns = line.split('\t');
        let frame = columns.next().and_then(pdml::number).expect("a frame has a number");
        let mut values = Values::new();
        for (field, column) in FIELDS.iter().zip(columns) {
            for value in column.split('|').filter(|value| !value.is_empty()) {
                add(&mut values, field, plain(value));
            }
        }
        (frame, values)
    });
    frames.collect()
}

/// `0x0007` and `7` are the same.
fn plain(text: &str) -> String {
    pdml::number(text).map_or_else(|| text.to_owned(), |number| number.to_string())
}

fn add(values: &mut Values, field: &'static str, value: String) {
    let list = values.entry(field).or_default();
    list.push(value);
    list.sort();
}

/// What we read of one side of a call.
fn seen(call: &Json, side: &str) -> Values {
    let mut values = Values::new();
    if let Some(object) = call["object"].as_str() {
        // The response has none of its own; tshark shows that of the request.
        add(&mut values, "dcom.ipid", object.to_owned());
    }
    match side {
        "request" => leaf(&mut values, "dcom.this.uuid", &call["orpc"]["this"]["cid"]),
        // tshark calls what ServerAlive2 returns an error_status_t, which it is.
        _ if call["method"] == "ServerAlive2" => {}
        _ => leaf(&mut values, "dcom.hresult", &call["status"]),
    }
    walk(&call[side], &mut values);
    values
}

fn leaf(values: &mut Values, field: &'static str, value: &Json) {
    match value {
        Json::Null => {}
        Json::Array(elements) => elements.iter().for_each(|value| leaf(values, field, value)),
        Json::Object(members) => leaf(values, field, &members["value"]),
        Json::String(text) => add(values, field, plain(text)),
        other => add(values, field, other.to_string()),
    }
}

fn walk(json: &Json, values: &mut Values) {
    if let Json::Array(elements) = json {
        for element in elements {
            walk(element, values);
        }
    }
    let Json::Object(members) = json else { return };
    let objref = members.contains_key("signature");
    let standard = members.contains_key("oxid");
    for (key, value) in members {
        let field = match &**key {
            "iid" if objref => "dcom.iid",
            "clsid" if objref => "dcom.clsid",
            "iids" => "dcom.iid",
            "oxid" => "dcom.oxid",
            "oid" => "dcom.oid",
            "ipid" | "ripid" => "dcom.ipid",
            "public_refs" => "dcom.stdobjref.public_refs",
            "cPublicRefs" if standard => "dcom.stdobjref.public_refs",
            "hResult" => "dcom.hresult",
            "aNetworkAddr" => "dcom.dualstringarray.network_addr",
            "wTowerId" => "dcom.dualstringarray.tower_id",
            "pclsid" => "isystemactivator.customhdr.clsid",
            "pSizes" => "isystemactivator.customhdr.datasize",
            "classId" => "isystemactivator.properties.instninfo.clsid",
            "pIID" => "isystemactivator.properties.instninfo.iid",
            "piid" => "isystemactivator.properties.iid",
            "phresults" => "isystemactivator.properties.retval",
            "Oxid" => "isystemactivator.properties.scmresp.oxid",
            "ipidRemUnknown" => "isystemactivator.properties.scmresp.rmtunknid",
            _ => {
                walk(value, values);
                continue;
            }
        };
        leaf(values, field, value);
    }
}

fn capture(folder: &Path, part: &str) -> Option<PathBuf> {
    let mut files = std::fs::read_dir(folder).expect("it can be listed");
    files.find_map(|entry| {
        let path = entry.expect("an entry").path();
        let kind = path.extension().and_then(|extension| extension.to_str());
        let is_one = common::file_name(&path).contains(part);
        (is_one && matches!(kind, Some("pcap" | "pcapng" | "cap"))).then_some(path)
    })
}

#[test]
fn objects_of_windows_are_what_tshark_makes_of_them() {
    let Some(folder) = common::shared("captures/public") else { return };
    if !oracle::is_installed() {
        return;
    }
    let (mut wrong, mut values, mut by_name) = (Vec::new(), 0, 0);
    for (part, activations, frames) in CAPTURES {
        let Some(capture) = capture(&folder, part) else {
            common::say(&format!("skipped: {part} is not in ../shared"));
            continue;
        };
        let judged = judged(&capture);
        let (mut activated, mut compared) = (0, 0);
        for call in &common::export(&capture).calls {
            let what = format!("{part} call {} {}", call["n"], call["method"]);
            let method = call["method"].as_str().unwrap_or_default();
            let activation = matches!(method, "RemoteCreateInstance" | "RemoteGetClassObject");
            for side in ["request", "response"] {
                if call["stub"][side] == "malformed" {
                    wrong.push(format!("{what}: the {side} is called malformed"));
                }
                let frame = call["frames"][side].as_array().and_then(|all| all.last()?.as_u64());
                let Some(judged) = frame.and_then(|frame| judged.get(&frame)) else { continue };
                if call[side].is_null() {
                    by_name += usize::from(call["stub"][side] == "clear");
                    continue;
                }
                compared += 1;
                activated += usize::from(activation && side == "request");
                let seen = seen(call, side);
                values += judged.values().map(Vec::len).sum::<usize>();
                for field in FIELDS {
                    let (we, it) = (seen.get(field), judged.get(field));
                    if we != it {
                        wrong.push(format!("{what} {side} {field}: we {we:?}, tshark {it:?}"));
                    }
                }
            }
        }
        if (activated, compared) != (*activations, *frames) {
            wrong.push(format!("{part}: {activated} activations, {compared} frames"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    common::say(&format!("{values} values of objects; {by_name} stubs by name only"));
    assert!(values > 1000);
}
