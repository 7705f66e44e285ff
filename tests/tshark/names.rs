//! Methods are named as tshark names them, or in other words for the same: the tables of names
//! and the IDL have the right name at the right number.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value as Json;

use crate::{common, table};

/// Part of the names of captures whose requests tshark names.
const CAPTURES: &[&str] = &[
    "20-fids",
    "kerberos_tso",
    "rpcdump",
    "WMI_ProcessCallCreate",
    "empire_msbuild",
    "shellwindows",
    "MS-GPOD",
    "MS-VSOD",
    "MS-STOROD",
    "MS-CERSOD",
    "MS-FASOD",
    "MS-ADOD",
    "privacy_krb",
    "privacy_ntlm",
    "bug-6191",
    "printerproblem",
    "filecontainer",
];

/// Words that one of them puts before the names of an interface.
const PREFIXES: &[&str] = &[
    "Lsar", "lsa_", "Samr", "IDL_DRS", "Ds", "Netr", "Net", "BaseReg", "Witnessr", "ept_", "Rpc",
    "R",
];

/// Interface, opnum, and tshark's name where it is another word than the document's.
const OTHER_WORDS: &[(&str, u64, &str)] = &[
    ("samr", 1, "Close"),
    ("samr", 5, "LookupDomain"),
    ("samr", 6, "EnumDomains"),
    ("samr", 3, "QuerySecurity"),
    ("samr", 13, "EnumDomainUsers"),
    ("samr", 17, "LookupNames"),
    ("samr", 36, "QueryUserInfo"),
    ("samr", 37, "SetUserInfo"),
    ("lsarpc", 13, "lsa_EnumTrustDom"),
    ("srvsvc", 15, "NetShareEnumAll"),
    ("srvsvc", 21, "NetSrvGetInfo"),
    ("winreg", 2, "OpenHKLM"),
    ("winreg", 3, "OpenHKPD"),
    ("drsuapi", 16, "DsGetDomainControllerInfo"),
    ("winspool", 41, "PlayDiscriptOnPrinterIC"),
    ("winspool", 65, "RFFPCNEX"),
    ("winspool", 67, "RFNPCNEX"),
    // It is newer than this tshark.
    ("svcctl", 64, "Unknown operation 64"),
];

/// A name in small letters, and what remains of it without such a word.
fn forms(name: &str) -> Vec<String> {
    let without = PREFIXES.iter().filter_map(|prefix| name.strip_prefix(prefix));
    std::iter::once(name).chain(without).map(str::to_lowercase).collect()
}

/// What tshark calls the request in a frame that has one, by frame and call id.
fn named(capture: &std::path::Path) -> BTreeMap<(u64, u64), String> {
    let output = Command::new("tshark")
        .args(["-n", "-Y", "dcerpc.pkt_type == 0", "-T", "fields"])
        .args(["-e", "frame.number", "-e", "dcerpc.cn_call_id", "-e", "_ws.col.Info", "-r"])
        .arg(capture)
        .output()
        .expect("tshark runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let name = |line: &str| {
        let [frame, call, info] = line.split('\t').collect::<Vec<_>>()[..] else { return None };
        // A frame with several PDUs has several call ids, and one name.
        let (frame, call) = (frame.parse().ok()?, call.parse().ok()?);
        let (name, _) = info.split_once(" request")?;
        Some(((frame, call), name.to_owned()))
    };
    text.lines().filter_map(name).collect()
}

#[test]
fn methods_have_the_names_tshark_gives_them() {
    if table::judge().is_none() {
        return;
    }
    let Some(folder) = common::shared("captures/public") else { return };
    let mut compared = BTreeMap::new();
    let mut wrong = Vec::new();
    for path in table::captures(&folder) {
        let name = common::file_name(&path);
        if !CAPTURES.iter().any(|part| name.contains(part)) {
            continue;
        }
        let named = named(&path);
        for call in common::export(&path).calls {
            let frame = call["frames"]["request"].as_array().and_then(|frames| frames.last());
            let at = frame.and_then(Json::as_u64).zip(call["call_id"].as_u64());
            let (Some(theirs), Some(ours), Some(interface), Some(opnum)) = (
                at.and_then(|at| named.get(&at)),
                call["method"].as_str(),
                call["interface"]["name"].as_str(),
                call["opnum"].as_u64(),
            ) else {
                continue;
            };
            let same = forms(ours).iter().any(|form| forms(theirs).contains(form));
            if !same && !OTHER_WORDS.contains(&(interface, opnum, theirs)) {
                wrong.push(format!("{name}: {interface} {opnum}: we {ours}, tshark {theirs}"));
            }
            compared.insert((interface.to_owned(), opnum), ours.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} methods", compared.len());
    assert!(compared.len() >= 40, "{compared:?}");
}
