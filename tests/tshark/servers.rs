//! Arguments and results of the interfaces beside shadow copies, the endpoint mapper, the Server
//! service and remote management, are what tshark makes of them.
//!
//! Names differ: tshark has Samba's, we have the documents'. So each of our names stands beside
//! tshark's, and of every call the values under it are compared, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::pdml::{self, Packet};
use crate::{common, table};

/// Part of the names of captures with such calls in clear.
const CAPTURES: &[&str] =
    &["MS-GPOD", "MS-STOROD", "MS-VSOD", "MS-FASOD", "kerberos_tso", "rpcdump", "filecontainer"];

/// tshark's field, and our name for it.
const NAMES: &[(&str, &str)] = &[
    ("srvsvc.srvsvc_NetSrvGetInfo.server_unc", "ServerName"),
    ("srvsvc.srvsvc_NetSrvGetInfo.level", "Level"),
    ("srvsvc.srvsvc_NetSrvInfo101.platform_id", "sv101_platform_id"),
    ("srvsvc.srvsvc_NetSrvInfo101.server_name", "sv101_name"),
    ("srvsvc.srvsvc_NetSrvInfo101.version_major", "sv101_version_major"),
    ("srvsvc.srvsvc_NetSrvInfo101.version_minor", "sv101_version_minor"),
    ("srvsvc.srvsvc_NetSrvInfo101.comment", "sv101_comment"),
    ("srvsvc.srvsvc_NetShareGetInfo.server_unc", "ServerName"),
    ("srvsvc.srvsvc_NetShareGetInfo.share_name", "NetName"),
    ("srvsvc.srvsvc_NetShareGetInfo.level", "Level"),
    ("srvsvc.srvsvc_NetShareInfo1.name", "shi1_netname"),
    ("srvsvc.srvsvc_NetShareInfo1.type", "shi1_type"),
    ("srvsvc.srvsvc_NetShareInfo1.comment", "shi1_remark"),
    ("srvsvc.srvsvc_NetShareEnumAll.server_unc", "ServerName"),
    ("srvsvc.werror", "(status)"),
    ("mgmt.proto", "authn_proto"),
    ("mgmt.princ_size", "princ_name_size"),
    ("mgmt.princ_name", "princ_name"),
    ("mgmt.rc", "status"),
    ("epm.inq_type", "inquiry_type"),
    ("epm.ver_opt", "vers_option"),
    ("epm.max_ents", "max_ents"),
    ("epm.num_ents", "num_ents"),
    ("epm.object", "object"),
    ("epm.annotation", "annotation"),
    ("epm.max_towers", "max_towers"),
    ("epm.num_towers", "num_towers"),
    ("epm.rc", "status"),
    ("epm.tower.proto_id", "(protocol)"),
    ("epm.uuid", "(uuid)"),
    ("epm.proto.tcp_port", "(7)"),
    ("epm.proto.ip", "(9)"),
    ("epm.proto.named_pipe", "(15)"),
    ("epm.proto.netbios_name", "(17)"),
];

/// tshark 4.0 reads a union by level as it stands in NDR, not in NDR64: it takes the level after
/// the discriminant for the pointer, and the pointer's referent (131072, which is 0x20000) for the
/// number of shares.
fn misread(call: &Json) -> bool {
    call["method"] == "NetrShareEnum" && call["syntax"] == "ndr64"
}

type Values = BTreeMap<&'static str, Vec<String>>;

/// Our values by name.
fn ours(name: &str, json: &Json, into: &mut Values) {
    let known = NAMES.iter().find(|(_, ours)| *ours == name).map(|(_, ours)| *ours);
    let mut put = |name: &'static str, value: &Json| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        into.entry(name).or_default().push(plain(&text));
    };
    match json {
        Json::Null => {}
        Json::Object(members) if members.contains_key("floors") => {
            for floor in json["floors"].as_array().expect("floors are a list") {
                let protocol =
                    floor["protocol"]["value"].as_u64().expect("a protocol has a number");
                put("(protocol)", &protocol.into());
                match protocol {
                    7 => put("(7)", &floor["port"]),
                    9 => put("(9)", &floor["address"]),
                    13 => put("(uuid)", &floor["uuid"]),
                    // tshark takes a local port for a pipe.
                    15 | 16 => put("(15)", &floor["name"]),
                    17 => put("(17)", &floor["name"]),
                    _ => {}
                }
            }
        }
        Json::Object(members) if members.contains_key("value") => {
            if let Some(known) = known {
                put(known, &json["value"]);
            }
        }
        Json::Object(members) => members.iter().for_each(|(name, json)| ours(name, json, into)),
        Json::Array(items) => items.iter().for_each(|json| ours(name, json, into)),
        value => {
            if let Some(known) = known {
                put(known, value);
            }
        }
    }
}

/// tshark's values by our name.
fn theirs(packet: &Packet, call: &Json) -> Values {
    let mut values = Values::new();
    let fields = packet.protocols.iter().flat_map(|protocol| &protocol.fields);
    for field in fields {
        if let Some((_, ours)) = NAMES.iter().find(|(theirs, _)| *theirs == field.name) {
            // In ept_map tshark calls the object a UUID.
            let object = call["method"] == "ept_map"
                && field.name == "epm.uuid"
                && field.label.starts_with("UUID: ")
                && !field.label.contains('(');
            let ours = if object && values.is_empty() { "object" } else { ours };
            values.entry(ours).or_default().push(plain(&field.show));
        }
    }
    values
}

/// A number as decimal digits, whatever it is written in.
fn plain(text: &str) -> String {
    pdml::number(text).map_or_else(|| text.to_owned(), |number| number.to_string())
}

#[test]
fn the_interfaces_beside_are_what_tshark_makes_of_them() {
    if table::judge().is_none() {
        return;
    }
    let Some(folder) = common::shared("captures/public") else { return };
    let (mut wrong, mut compared, mut methods) = (Vec::new(), 0, BTreeSet::new());
    for path in table::captures(&folder) {
        let file = common::file_name(&path);
        if !CAPTURES.iter().any(|part| file.contains(part)) {
            continue;
        }
        let packets = pdml::read(&path, "srvsvc || mgmt || epm");
        let packets: BTreeMap<u64, &Packet> =
            packets.iter().map(|packet| (packet.frame, packet)).collect();
        for call in common::export(&path).calls {
            let name = call["interface"]["name"].as_str();
            if !matches!(name, Some("srvsvc" | "mgmt" | "epm")) {
                continue;
            }
            for side in ["request", "response"] {
                let frames = call["frames"][side].as_array().expect("frames are a list");
                let last = frames.last().and_then(Json::as_u64);
                let Some(packet) = last.and_then(|frame| packets.get(&frame)) else { continue };
                if side == "response" && misread(&call) {
                    continue;
                }
                let theirs = theirs(packet, &call);
                let mut ours_of = Values::new();
                ours("", &call[side], &mut ours_of);
                if side == "response" && name == Some("srvsvc") {
                    ours("(status)", &call["status"], &mut ours_of);
                }
                for (name, mut values) in theirs {
                    let mut ours = ours_of.remove(name).unwrap_or_default();
                    values.sort();
                    ours.sort();
                    compared += values.len();
                    if ours != values {
                        let at = format!("{file}: call {} {side} {name}", call["n"]);
                        wrong.push(format!("{at}\n  we     {ours:?}\n  tshark {values:?}"));
                    }
                }
                methods.insert(call["method"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{compared} values of {methods:?}");
    assert!(compared > 2000 && methods.len() >= 5, "{compared} values of {methods:?}");
}
