//! Scenarios of the repository, and what their calls are, written by hand.

use std::path::Path;

use super::common;
use super::read::{REGISTRY, calls, capture, check};
use vshark::report::value;
use vshark::scenario::Scenario;

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// Client port or line, opnum, arguments, answer.
fn told(name: &str) -> Vec<String> {
    let scenario = Scenario::parse(name, &text(name), &REGISTRY).unwrap();
    let calls = calls(capture(&scenario));
    let told = calls.iter().map(|call| {
        let texts = |stub: &vshark::call::Stub| {
            let params = stub.decoded.iter().flat_map(|decoded| &decoded.params);
            let params = params.filter(|(_, value)| value.as_guid().is_none());
            params.map(|(_, of)| value::text(of)).collect::<Vec<_>>().join(",")
        };
        let answer = match (call.fault(), call.status) {
            (Some(fault), _) => format!("fault {fault:#x}"),
            (None, Some(status)) => format!("{status:#x}"),
            (None, None) => "nothing".to_owned(),
        };
        let opnum = call.rpc.opnum.unwrap();
        let client = call.client.addr.ip();
        format!("{client} {opnum}({}) {answer} {}", texts(&call.request), texts(&call.response))
    });
    told.map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn a_backup_is_told() {
    let expect = [
        r#"10.0.0.1 8("\\FS1\data\") 0x0 TRUE,"FS1""#,
        "10.0.0.1 0() 0x0 FSRVP_RPC_VERSION_1,FSRVP_RPC_VERSION_1",
        "10.0.0.1 1(CTX_APP_ROLLBACK) 0x0",
        "10.0.0.1 2() 0x0",
        r#"10.0.0.1 3("\\FS1\data\") 0x0"#,
        "10.0.0.1 12(1800000) 0x0",
        "10.0.0.1 4(60000) 0x0",
        "10.0.0.1 5(1800000) 0x0",
    ];
    let told = told("backup.txt");
    assert_eq!(told.len(), 12);
    for (told, expect) in told.iter().zip(expect) {
        assert_eq!(told, expect);
    }
    assert!(told[8].contains("data@{C9B220B4-2720-4073-B621-F65FC334438B}"), "{}", told[8]);
    assert_eq!(told[9], "10.0.0.1 6() 0x0");
    assert_eq!(told[11], r#"10.0.0.1 11("\\FS1\data\") 0x0"#);
}

#[test]
fn two_clients_are_told() {
    let expect = "\
        10.0.0.1 1(CTX_BACKUP) 0x0\n10.0.0.1 2() 0x0\n\
        10.0.0.2 1(CTX_BACKUP) 0x80042316\n10.0.0.2 2() 0x80042301";
    let told = told("two-clients.txt");
    assert_eq!(told[..4].join("\n"), expect);
    assert_eq!(told.len(), 4 + 4 + 2 + 1 + 2 + 2 + 1);
    assert_eq!(told[10], r#"10.0.0.1 3("\\fs\d") 0x80042501"#);
    assert_eq!(told[12], "10.0.0.1 7() 0x80070057");
}

#[test]
fn overlapping_calls_are_told() {
    let told = told("overlap.txt");
    let answers: Vec<_> =
        told.iter().skip(4).map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_eq!(answers, ["0x80042500", "0x80042301", "0x80042301", "nothing", "0x0"]);
}

/// The captures made for the repository are what their texts give today.
#[test]
fn committed_captures_are_what_their_texts_give() {
    let frames = |file: Vec<u8>| {
        let mut capture = crate::events::capture(file);
        let mut frames = Vec::new();
        while capture.advance() {
            let frame = capture.frame();
            frames.push((frame.time, frame.wire_len, frame.data.to_vec()));
        }
        frames
    };
    for (made, from) in
        [("made-ndr64-multichannel", "multichannel.txt"), ("made-overlap", "overlap.txt")]
    {
        let path = common::captures().join(made).with_extension("pcapng");
        let committed = frames(std::fs::read(path).unwrap());
        let scenario = Scenario::parse(from, &text(from), &REGISTRY).unwrap();
        assert!(committed.len() > 50, "{made} has frames");
        assert!(committed == frames(capture(&scenario)), "{made}: vshark scenario {from} -o …");
    }
}

#[test]
fn all_scenarios_are_read_back() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Err(wrong) = check(&text(&name)) {
            panic!("{name}: {wrong}");
        }
        read += 1;
    }
    assert!(read >= 6, "{read} scenarios");
}
