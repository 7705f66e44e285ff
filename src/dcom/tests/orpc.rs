//! `ORPCTHIS` and `ORPCTHAT`, and the text of an error in them.

use super::*;

const THIS: &str = "
    0500 0700 01000000 00000000             # version, flags, reserved1
    33221100 5544 7766 8899aabbccddeeff";

const THIS_BIG: &str = "
    0005 0007 00000001 00000000
    00112233 4455 6677 8899aabbccddeeff";

/// Reads a sample that is well, and all that is shorter.
#[track_caller]
fn check_orpc(direction: Direction, sample: &str, context: Context, expect: &Json) {
    let stub = hex(sample);
    let whole = orpc_of(direction, &stub, context);
    assert_eq!((whole.stop.clone(), texts(&whole)), (None, Vec::new()));
    assert_eq!(whole.used as usize, stub.len());
    assert_eq!(shown(&whole.params[0].1), *expect);
    in_place(&whole, &stub, context.order, Order::Little);
    for len in 0..stub.len() {
        let part = orpc_of(direction, &stub[..len], context);
        let stop = part.stop.clone().expect("a prefix is short");
        assert!(stop.is_malformed() && stop.at as usize <= len, "{len}: {stop}");
        in_place(&part, &stub[..len], context.order, Order::Little);
        kept(&part, &whole, len, context.order, Order::Little);
    }
}

fn this(extensions: &Json) -> Json {
    json!({
        "version": { "MajorVersion": 5, "MinorVersion": 7 },
        "flags": { "value": 1, "flags": ["ORPCF_LOCAL"], "name": null },
        "reserved1": 0,
        "cid": "00112233-4455-6677-8899-aabbccddeeff",
        "extensions": extensions
    })
}

#[test]
fn what_comes_before_the_parameters_is_read() {
    use Direction::{In, Out};
    check_orpc(In, &format!("{THIS} 00000000"), NDR, &this(&Json::Null));
    check_orpc(In, &format!("{THIS} 00000000 0000000000000000"), NDR64, &this(&Json::Null));
    check_orpc(In, &format!("{THIS_BIG} 00000000"), BIG, &this(&Json::Null));
    let that = json!({
        "flags": { "value": 0, "flags": [], "name": null }, "extensions": null
    });
    check_orpc(Out, "00000000 00000000", NDR, &that);
    check_orpc(Out, "00000000 00000000 0000000000000000", NDR64, &that);
}

/// One extension, and the null that makes their number even.
const EXTENSIONS: &str = "
    00000200 01000000 00000000 04000200     # extensions; size, reserved, extent
    02000000 08000200 00000000              # max_count, [0], [1]
    10000000 03000000 0000 0000 0000000000000000 # max_count of data, id, and
    0b000000 4142434445464748 494a4b00 00000000 # size, data";

#[test]
fn extensions_are_read() {
    let extensions = json!({
        "size": 1, "reserved": 0,
        "extent": [
            {
                "id": "00000003-0000-0000-0000-000000000000", "size": 11,
                "data": "4142434445464748494a4b0000000000"
            },
            null
        ]
    });
    let sample = format!("{THIS} {EXTENSIONS}");
    check_orpc(Direction::In, &sample, NDR, &this(&extensions));
    // Their number, the number of pointers, and the size of one, all larger than what is there.
    let stub = hex(&sample);
    for at in [32, 44, 56, 76] {
        let stub = patched(&stub, at, &[0xf0, 0xff, 0xff, 0x7f]);
        let decoded = orpc_of(Direction::In, &stub, NDR);
        let said = decoded.stop.is_some() || !decoded.notes.is_empty();
        assert!(said, "{at}: {}", fields(&decoded.params));
        in_place(&decoded, &stub, Order::Little, Order::Little);
        assert_eq!(shown(&decoded.params[0].1)["cid"], "00112233-4455-6677-8899-aabbccddeeff");
    }
}

/// A custom reference of the class of errors; its marks are at 72, 92 and 120.
const ERROR: &str = "
    4d454f57 04000000 00000000 0000 0000 c000000000000046
    1b030000 0000 0000 c000000000000046     # clsid
    00000000 50000000                       # cbExtension, size
    00000000 07000000                       # dwVersion, dwHelpContext
    00000000 0000 0000 c000000000000046     # iid
    ffffffff 02000000 00000000 02000000 5300 0000
    ffffffff 04000000 00000000 04000000 6e00 6f00 2100 0000
    00000000";

fn error() -> Json {
    json!({
        "signature": "0x574f454d",
        "objref": { "value": 4, "name": "OBJREF_CUSTOM" },
        "iid": "00000000-0000-0000-c000-000000000046",
        "clsid": "0000031b-0000-0000-c000-000000000046",
        "extension": 0,
        "reserved": 80,
        "data": {
            "dwVersion": 0, "dwHelpContext": 7, "iid": "00000000-0000-0000-c000-000000000046",
            "dwSourceSignature": "0xffffffff",
            "Source": "S",
            "dwDescriptionSignature": "0xffffffff",
            "Description": "no!",
            "dwHelpFileSignature": "0x00000000"
        }
    })
}

#[test]
fn the_text_of_an_error_is_read() {
    check(&hex(ERROR), Order::Little, &error());
    // What ORPCTHAT carries it in.
    let error_octets = hex(ERROR);
    let filled = error_octets.len().next_multiple_of(8);
    let mut stub = hex("
        00000000 00000200 01000000 00000000 04000200
        02000000 08000200 00000000");
    stub.extend(clamped(filled).to_le_bytes());
    stub.extend(hex("1c030000 0000 0000 c000000000000046"));
    stub.extend(clamped(error_octets.len()).to_le_bytes());
    let at = stub.len();
    stub.extend(&error_octets);
    stub.resize(at + filled, 0xee);
    let decoded = orpc_of(Direction::Out, &stub, NDR);
    assert_eq!((decoded.stop.clone(), texts(&decoded)), (None, Vec::new()));
    let extent = &shown(&decoded.params[0].1)["extensions"]["extent"][0];
    assert_eq!(extent["id"], "0000031c-0000-0000-c000-000000000046");
    assert_eq!(extent["data"], error());
    assert_eq!(in_place(&decoded, &stub, Order::Little, Order::Little), 19);
    // One that is spoiled says so, at its bytes.
    let spoiled = patched(&stub, at, b"W");
    let decoded = orpc_of(Direction::Out, &spoiled, NDR);
    let [note] = &decoded.notes[..] else { panic!("{:?}", decoded.notes) };
    assert!(note.text.contains("not MEOW"), "{}", note.text);
    assert_eq!(note.span.start as usize, at);
    // Other extensions keep their octets.
    let other = patched(&stub, 36, &[0x1d]);
    let decoded = orpc_of(Direction::Out, &other, NDR);
    let data = &shown(&decoded.params[0].1)["extensions"]["extent"][0]["data"];
    assert!(data.as_str().unwrap().starts_with("4d454f57"));
}

#[test]
fn what_is_wrong_with_the_text_of_an_error_is_said() {
    let good = hex(ERROR);
    let cases: [(&str, usize, u32, &str); 5] = [
        ("mark", 72, 1, "the mark before Source is 0x00000001 at offset 72"),
        ("mark", 92, 0xffff_fffe, "the mark before Description is 0xfffffffe at offset 92"),
        ("mark", 116, 0xffff_ffff, "field at offset 120 needs 4 bytes, the OBJREF leaves 0"),
        ("dwActual", 84, 0xffff_ffff, "needs 4294967295 bytes"),
        ("dwActual", 104, 100, "field at offset 108 needs 200 bytes, the OBJREF leaves 12"),
    ];
    for (what, at, number, why) in cases {
        let (said, read) = spoiled(&good, at, &number.to_le_bytes());
        assert!(said.contains(why), "{what}: {said}");
        assert_eq!(read["data"]["dwHelpContext"], 7, "{what}");
    }
}
