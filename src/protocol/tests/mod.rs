mod drift;
mod loading;
mod names;
mod scmp;
mod servers;

use std::sync::Arc;

use serde_json::json;

use super::fsrvp::{self, Response, ShareMapping, Status};
use super::*;
use crate::bytes::{Order, Tree};
use crate::idl::Syntax;
use crate::report::value::{fields, json, text};

const NDR: Context = Context { syntax: Syntax::Ndr, order: Order::Little };
const NDR64: Context = Context { syntax: Syntax::Ndr64, order: Order::Little };

/// Bytes from hexadecimal digits; what follows `#` is a comment.
fn hex(text: &str) -> Vec<u8> {
    let digits: String = text
        .lines()
        .filter_map(|line| line.split('#').next())
        .collect::<String>()
        .split_whitespace()
        .collect();
    (0..digits.len() / 2)
        .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap())
        .collect()
}

fn fsrvp() -> (Registry, Arc<Interface>) {
    let registry = Registry::embedded().unwrap();
    let interface = registry.interface(fsrvp::UUID, 1).unwrap().clone();
    (registry, interface)
}

/// Decodes for an FSRVP operation.
fn decode(opnum: u16, direction: Direction, stub: &[u8], context: Context) -> Decoded {
    let (_, interface) = fsrvp();
    let view = View::new(stub, &[], &[]);
    interface.decode(opnum, direction, view, 0, context).unwrap()
}

/// As `smbd` 4.17 sent it.
const GET_SHARE_MAPPING: &str = "
    01000000                            # discriminant: Level
    00000200                            # ShareMapping1: referent
    cc241191c60ecc4eaf88a5bbaba75333    # ShadowCopySetId
    34cd9a1546e28e4f89bb1e447217b245    # ShadowCopyId
    04000200 08000200                   # ShareNameUNC, ShadowCopyShareName: referents
    fd49cea97add0113                    # CreationTimestamp: 0x1301dd7aa9ce49fd, as sent
    06000000 00000000 06000000          # max_count, offset, actual_count
    5c005c004600530031000000            # ShareNameUNC
    03000000 00000000 03000000
    730040000000                        # ShadowCopyShareName
    0000                                # padding
    00000000                            # return
";

/// The same, from the layout rules of \[MS-RPCE\] 2.2.5.
const GET_SHARE_MAPPING_64: &str = "
    01000000 00000000                   # discriminant, union alignment
    0000020000000000                    # ShareMapping1: referent
    cc241191c60ecc4eaf88a5bbaba75333    # ShadowCopySetId
    34cd9a1546e28e4f89bb1e447217b245    # ShadowCopyId
    0400020000000000 0800020000000000   # referents
    fd49cea97add0113                    # CreationTimestamp
    0600000000000000 0000000000000000 0600000000000000
    5c005c004600530031000000 00000000   # ShareNameUNC, padding
    0300000000000000 0000000000000000 0300000000000000
    730040000000                        # ShadowCopyShareName
    0000                                # padding
    00000000                            # return
";

#[test]
fn a_share_mapping_reads_the_same_from_both_syntaxes() {
    for (sample, context, structure, strings) in
        [(GET_SHARE_MAPPING, NDR, 8, 56), (GET_SHARE_MAPPING_64, NDR64, 16, 72)]
    {
        let stub = hex(sample);
        let decoded = decode(10, Direction::Out, &stub, context);
        assert_eq!(decoded.stop, None);
        assert_eq!(decoded.notes, []);
        assert_eq!(decoded.used as usize, stub.len());
        let mapping = decoded.param("ShareMapping").unwrap();
        let one = mapping.field("ShareMapping1").unwrap();
        assert_eq!(one.target().span.start, structure);
        let text = one.field("ShareNameUNC").unwrap().as_text().unwrap();
        assert_eq!(text.counts.max.unwrap().1.start, strings);
        assert_eq!(
            fields(&decoded.params),
            json!({"ShareMapping": {"ShareMapping1": {
                "ShadowCopySetId": "911124cc-0ec6-4ecc-af88-a5bbaba75333",
                "ShadowCopyId": "159acd34-e246-4f8e-89bb-1e447217b245",
                "ShareNameUNC": "\\\\FS1",
                "ShadowCopyShareName": "s@",
                "CreationTimestamp": "5941-02-25T12:01:00.1958909Z",
            }}})
        );
        let Response::GetShareMapping(typed) = Response::bind(10, &decoded).unwrap().unwrap()
        else {
            panic!("another operation");
        };
        let ShareMapping::ShareMapping1(Some(mapping)) = typed.share_mapping else {
            panic!("another arm");
        };
        assert_eq!(mapping.share_name_unc.as_deref(), Some("\\\\FS1"));
        assert_eq!(typed.status, Status::ZERO);
    }
}

#[test]
fn every_prefix_keeps_what_it_has() {
    for (sample, context) in [(GET_SHARE_MAPPING, NDR), (GET_SHARE_MAPPING_64, NDR64)] {
        let stub = hex(sample);
        for len in 0..stub.len() {
            let decoded = decode(10, Direction::Out, &stub[..len], context);
            let stop = decoded.stop.expect("a prefix is short");
            assert!(stop.is_malformed() && stop.at as usize <= len, "{len}: {stop}");
            assert!(
                Response::bind(10, &decode(10, Direction::Out, &stub[..len], context))
                    .unwrap()
                    .is_err()
            );
        }
        let most = decode(10, Direction::Out, &stub[..stub.len() - 5], context);
        let name = &json(most.param("ShareMapping").unwrap())["ShareMapping1"]["ShareNameUNC"];
        assert_eq!(name, "\\\\FS1");
    }
}

/// As Samba's `rpcclient` and `smbd` 4.17 sent them, and what they say.
#[test]
fn a_real_conversation_reads() {
    let calls = [
        (8, Direction::In, SHARE_NAME, r#"{"ShareName":"\\\\FSS1\\fsrvp_share\\"}"#),
        (
            8,
            Direction::Out,
            "01000000 00000200 05000000 00000000 05000000 46005300530031000000 0000 00000000",
            r#"{"SupportedByThisProvider":1,"OwnerMachineName":"FSS1"}"#,
        ),
        (
            0,
            Direction::Out,
            "01000000 01000000 00000000",
            r#"{"MinVersion":{"value":1,"name":"FSRVP_RPC_VERSION_1"},"MaxVersion":{"value":1,"name":"FSRVP_RPC_VERSION_1"}}"#,
        ),
        (
            9,
            Direction::Out,
            "00000000 00000000 0c230480",
            r#"{"ShadowCopyPresent":0,"ShadowCopyCompatibility":{"value":0,"flags":[],"name":null}}"#,
        ),
        (
            1,
            Direction::In,
            "09004000",
            r#"{"Context":{"value":4194313,"flags":["ATTR_PERSISTENT","ATTR_NO_AUTO_RELEASE","ATTR_AUTO_RECOVERY"],"name":null}}"#,
        ),
        (
            12,
            Direction::In,
            "cc241191c60ecc4eaf88a5bbaba75333 80a90300",
            r#"{"ShadowCopySetId":"911124cc-0ec6-4ecc-af88-a5bbaba75333","TimeOutInMilliseconds":240000}"#,
        ),
    ];
    for (opnum, direction, stub, expect) in calls {
        let stub = hex(stub);
        let decoded = decode(opnum, direction, &stub, NDR);
        assert_eq!(decoded.stop, None);
        assert_eq!(decoded.used as usize, stub.len());
        assert_eq!(fields(&decoded.params).to_string(), expect);
    }
}

const SHARE_NAME: &str = "
    14000000 00000000 14000000
    5c005c0046005300530031005c00660073007200760070005f00730068006100720065005c000000";

#[test]
fn what_follows_the_parameters_is_left_to_the_caller() {
    let mut stub = hex(SHARE_NAME);
    let end = stub.len();
    stub.extend(hex("8ae3137102f43671 0100 0400 00000000"));
    assert_eq!(decode(8, Direction::In, &stub, NDR).used as usize, end);
    assert_eq!(decode(0, Direction::In, &stub, NDR).used, 0);
}

#[test]
fn contexts_and_statuses_have_short_forms() {
    for (stub, expect, name) in [
        ("00000000", "CTX_BACKUP", Some("CTX_BACKUP")),
        ("09000000", "CTX_APP_ROLLBACK", Some("CTX_APP_ROLLBACK")),
        ("12000000", "CTX_FILE_SHARE_BACKUP | ATTR_NO_AUTO_RECOVERY", None),
        ("09004000", "CTX_APP_ROLLBACK | ATTR_AUTO_RECOVERY", None),
        ("04000000", "0x4", None),
        ("01000004", "ATTR_PERSISTENT | 0x4000000", None),
    ] {
        let decoded = decode(1, Direction::In, &hex(stub), NDR);
        let value = decoded.param("Context").unwrap();
        assert_eq!(text(value), expect);
        assert_eq!(json(value)["name"].as_str(), name);
    }
    let failed = decode(1, Direction::Out, &hex("16230480"), NDR).ret.unwrap();
    assert_eq!(text(&failed), "FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS (0x80042316)");
    let passed_through = decode(4, Direction::Out, &hex("14230480"), NDR).ret.unwrap();
    assert_eq!(
        json(&passed_through),
        json!({"value": "0x80042314", "name": "VSS_E_HOLD_WRITES_TIMEOUT"})
    );
    let (registry, interface) = fsrvp();
    let name = |code| registry.status_name(Some(&interface), code);
    assert_eq!(name(0x8004_230c), Some("FSRVP_E_NOT_SUPPORTED"));
    assert_eq!(name(0x8007_0005), Some("E_ACCESSDENIED"));
    assert_eq!(name(0xffff_ffff), Some("FSRVP_E_WAIT_FAILED"));
    assert_eq!(name(0x1234), None);
    assert_eq!(registry.status_name(None, 0x8004_230c), Some("VSS_E_VOLUME_NOT_SUPPORTED"));
}

#[test]
fn rows_show_every_field_with_its_bytes() {
    let decoded = decode(10, Direction::Out, &hex(GET_SHARE_MAPPING), NDR);
    let mut tree = Tree::default();
    ndr::rows(&decoded, &|_| None, &mut tree);
    let lines: Vec<String> = tree
        .nodes()
        .iter()
        .map(|n| {
            let indent = "  ".repeat(n.depth.into());
            let span = (n.span.start, n.span.end);
            format!("{indent}{} {} {span:?}", n.name, n.value)
        })
        .collect();
    let expect = r#"
ShareMapping (FSSAGENT_SHARE_MAPPING)  (0, 8)
  discriminant 1 (0, 4)
  ShareMapping1.referent 0x00020000 (4, 8)
  ShareMapping1 (FSSAGENT_SHARE_MAPPING_1)  (8, 56)
    ShadowCopySetId 911124cc-0ec6-4ecc-af88-a5bbaba75333 (8, 24)
    ShadowCopyId 159acd34-e246-4f8e-89bb-1e447217b245 (24, 40)
    ShareNameUNC.referent 0x00020004 (40, 44)
    ShareNameUNC.max_count 6 (56, 60)
    ShareNameUNC.offset 0 (60, 64)
    ShareNameUNC.actual_count 6 (64, 68)
    ShareNameUNC "\\FS1" (68, 80)
    ShadowCopyShareName.referent 0x00020008 (44, 48)
    ShadowCopyShareName.max_count 3 (80, 84)
    ShadowCopyShareName.offset 0 (84, 88)
    ShadowCopyShareName.actual_count 3 (88, 92)
    ShadowCopyShareName "s@" (92, 98)
    CreationTimestamp 5941-02-25T12:01:00.1958909Z (48, 56)
return ZERO (0x00000000) (100, 104)"#;
    assert_eq!(lines.join("\n"), expect.trim_start());
}
