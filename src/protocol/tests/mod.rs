use std::sync::Arc;

use serde_json::json;

use super::fsrvp::{self, Response, ShareMapping, Status};
use super::*;
use crate::bytes::Order;
use crate::idl::Syntax;
use crate::report::value::{fields, json};

const NDR: Context = Context { syntax: Syntax::Ndr, order: Order::Little };
const NDR64: Context = Context { syntax: Syntax::Ndr64, order: Order::Little };

/// Bytes from hexadecimal digits; what follows `#` is a comment.
fn hex(text: &str) -> Vec<u8> {
    let digits: String = text
        .lines()
        .flat_map(|line| line.split('#').next())
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

/// The same, from the layout rules of [MS-RPCE] 2.2.5.
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
