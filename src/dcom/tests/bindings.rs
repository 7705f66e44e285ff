//! Arrays of bindings that are NDR by themselves.

use super::*;
use crate::bytes::{Buffer, Missing};
use crate::ndr::Record;

const SERVER_ALIVE2: &str = "
    0500 0700 00000200                      # pComVersion, ppdsaOrBindings
    0d000000 0d00 0700                      # max_count, wNumEntries, wSecurityOffset
    0700 6800 5b00 3100 5d00 0000 0000
    0a00 ffff 7500 0000 0000 0000 0000      # and padding
    00000000 00000000                       # pReserved, return";

/// The same, each number turned round.
const SERVER_ALIVE2_BIG: &str = "
    0005 0007 00020000
    0000000d 000d 0007
    0007 0068 005b 0031 005d 0000 0000
    000a ffff 0075 0000 0000 0000 0000
    00000000 00000000";

fn alive(stub: &[u8], context: Context) -> Decoded {
    let interface = REGISTRY.interface(crate::protocol::dcom::IOBJECTEXPORTER, 0).unwrap();
    let view = View::new(stub, &[], &[]);
    let mut decoded = interface.decode(5, Direction::Out, view, 0, context).unwrap();
    open(&mut decoded, types());
    decoded
}

#[test]
fn bindings_of_a_stub_are_read() {
    for (sample, context) in [(SERVER_ALIVE2, NDR), (SERVER_ALIVE2_BIG, BIG)] {
        let stub = hex(sample);
        let whole = alive(&stub, context);
        assert_eq!((whole.stop.clone(), texts(&whole)), (None, Vec::new()));
        let array = &fields(&whole.params)["ppdsaOrBindings"]["aStringArray"];
        assert_eq!(*array, json!({ "bindings": bindings(), "security": security() }));
        assert_eq!(in_place(&whole, &stub, context.order, Order::Little), 11);
        for len in 0..stub.len() {
            let part = alive(&stub[..len], context);
            assert!(part.stop.is_some(), "{len}");
            // The stop says all of it.
            assert_eq!(texts(&part), [""; 0], "{len}");
            in_place(&part, &stub[..len], context.order, Order::Little);
            kept(&part, &whole, len, context.order, Order::Little);
        }
    }
    let stub = patched(&hex(SERVER_ALIVE2), 14, &[14]);
    let decoded = alive(&stub, NDR);
    let why = "the bindings are not whole: wSecurityOffset 14 of 13 entries at offset 16";
    assert_eq!(texts(&decoded), [why]);
}

/// Bytes that the capture lacks are nobody's fault.
#[test]
fn bindings_with_a_hole_are_not_called_wrong() {
    let bytes = hex(SERVER_ALIVE2);
    let mut stub = Buffer::default();
    stub.push(View::new(&bytes[..26], &[], &[]));
    stub.push_hole(26, Missing::Snapped);
    let interface = REGISTRY.interface(crate::protocol::dcom::IOBJECTEXPORTER, 0).unwrap();
    let mut decoded = interface.decode(5, Direction::Out, stub.view(), 0, NDR).unwrap();
    open(&mut decoded, types());
    assert!(!decoded.stop.as_ref().unwrap().is_malformed());
    assert_eq!(texts(&decoded), [""; 0]);
    let array = &fields(&decoded.params)["ppdsaOrBindings"]["aStringArray"];
    let binding = json!({ "wTowerId": { "value": 7, "name": "ncacn_ip_tcp" } });
    assert_eq!(array["bindings"], json!([binding]));
}

#[test]
fn a_record_of_another_name_is_left_alone() {
    let record =
        Record { name: "ARRAY".into(), fields: vec![("aStringArray".into(), Value::default())] };
    let value = Value { data: Data::Record(Box::new(record)), span: Span::default() };
    let mut decoded = Decoded { params: vec![("p".into(), value)], ..Decoded::default() };
    let before = decoded.clone();
    open(&mut decoded, types());
    assert_eq!(decoded, before);
}
