//! References to objects of every kind, whole, cut short and spoiled.

use super::*;

#[test]
fn a_standard_reference_is_read() {
    let more = json!({
        "entries": 13, "security_offset": 7, "bindings": bindings(), "security": security()
    });
    let sample = sample(&[STANDARD, STDOBJREF, BINDINGS]);
    check(&sample, Order::Little, &expected(1, "OBJREF_STANDARD", true, &more));
}

#[test]
fn a_reference_may_tell_no_bindings() {
    let more = json!({ "entries": 0, "security_offset": 0, "bindings": [], "security": [] });
    let sample = sample(&[STANDARD, STDOBJREF, "0000 0000"]);
    check(&sample, Order::Little, &expected(1, "OBJREF_STANDARD", true, &more));
}

#[test]
fn a_reference_with_a_handler_is_read() {
    let clsid = "0b5a2c52-3eb9-470a-96e2-6c6d4570e40f";
    let more = json!({
        "clsid": clsid, "entries": 13, "security_offset": 7, "bindings": bindings(),
        "security": security()
    });
    let handler = "522c5a0b b93e 0a47 96e26c6d4570e40f";
    let sample = sample(&[HANDLER, STDOBJREF, handler, BINDINGS]);
    check(&sample, Order::Little, &expected(2, "OBJREF_HANDLER", true, &more));
}

const OCTETS: &str = "
    524f4643 0000 0000 0000000000000000     # a class nobody knows
    00000000 04000000 deadbeef              # cbExtension, size, pObjectData";

#[test]
fn a_custom_reference_of_an_unknown_class_keeps_its_octets() {
    let more = json!({
        "clsid": "43464f52-0000-0000-0000-000000000000", "extension": 0, "reserved": 4,
        "data": "deadbeef"
    });
    let sample = sample(&[CUSTOM, OCTETS]);
    check(&sample, Order::Little, &expected(4, "OBJREF_CUSTOM", false, &more));
}

#[test]
fn an_extended_reference_is_read() {
    let more = json!({
        "signature1": "0x4e535956", "entries": 13, "security_offset": 7, "bindings": bindings(),
        "security": security(), "elements": 1, "signature2": "0x4e535956", "context": "c0ffee"
    });
    let sample = sample(&[EXTENDED, STDOBJREF, "5659534e", BINDINGS, "01000000 5659534e c0ffee"]);
    check(&sample, Order::Little, &expected(8, "OBJREF_EXTENDED", true, &more));
}

#[test]
fn a_reference_that_is_none_says_why() {
    let standard = sample(&[STANDARD, STDOBJREF, BINDINGS]);
    let (said, read) = spoiled(&standard, 0, b"M");
    assert_eq!(said, "", "it is what it was");
    assert_eq!(read["entries"], 13);
    let (said, read) = spoiled(&standard, 0, b"W");
    let why = "the OBJREF is not whole: the signature is 0x574f4557, not MEOW at offset 0";
    assert_eq!(said, why);
    assert_eq!(read, json!({ "signature": "0x574f4557" }));
    // A kind that is none, and two at once.
    for kind in [0_u8, 3, 16] {
        let (said, read) = spoiled(&standard, 4, &[kind]);
        let why = format!("the OBJREF is not whole: there is no kind {kind} of OBJREF at offset 4");
        assert_eq!(said, why);
        let iid = "00000000-0000-0000-c000-000000000046";
        assert_eq!(
            read,
            json!({
                "signature": "0x574f454d", "objref": { "value": kind, "name": null }, "iid": iid
            })
        );
    }
    let extended = sample(&[EXTENDED, STDOBJREF, "5659534e", BINDINGS, "01000000 5659534e c0ffee"]);
    for (at, read) in [(64, "entries"), (102, "context")] {
        let (said, json) = spoiled(&extended, at, b"U");
        assert!(said.contains("the signature is 0x4e535955, not VYSN"), "{said}");
        assert_eq!(json.get(read), None);
    }
}

/// The counts of bindings: `wNumEntries` is at 64 and `wSecurityOffset` behind it.
#[test]
fn counts_of_bindings_that_are_wrong_say_so() {
    let good = sample(&[STANDARD, STDOBJREF, BINDINGS]);
    let cases: [(usize, u16, &str, Json, Json); 8] = [
        // More than there are: what is there is read.
        (64, 14, "field at offset 94 needs 2 bytes, the OBJREF leaves 0", bindings(), security()),
        (64, 0xffff, "needs 131044 bytes, the OBJREF leaves 0", bindings(), security()),
        // The second end is left over.
        (64, 12, "", bindings(), security()),
        (64, 11, "bindings without an end at offset 90", bindings(), security()),
        (64, 6, "wSecurityOffset 7 of 6 entries at offset 68", bindings(), Json::Null),
        (66, 14, "wSecurityOffset 14 of 13 entries at offset 68", bindings(), Json::Null),
        (66, 0xffff, "wSecurityOffset 65535 of 13 entries at offset 68", bindings(), Json::Null),
        // In the middle of the address, which then has no end and is read as a service.
        (66, 3, "bindings without an end at offset 70", Json::Null, Json::Null),
    ];
    for (at, count, why, bindings, security) in cases {
        let (said, read) = spoiled(&good, at, &count.to_le_bytes());
        assert!(said.contains(why) && said.is_empty() == why.is_empty(), "{count}: {said}");
        if !bindings.is_null() {
            assert_eq!(read["bindings"], bindings, "{count}");
            assert_eq!(read.get("security").unwrap_or(&Json::Null), &security, "{count}");
        }
    }
    let (_, read) = spoiled(&good, 66, &3_u16.to_le_bytes());
    assert_eq!(read["bindings"][0], json!({ "wTowerId": { "value": 7, "name": "ncacn_ip_tcp" } }));
}

#[test]
fn protocol_sequences_without_a_name_are_numbers() {
    let (said, read) = spoiled(&sample(&[STANDARD, STDOBJREF, BINDINGS]), 68, &[0x99]);
    assert_eq!(said, "");
    assert_eq!(read["bindings"][0]["wTowerId"], json!({ "value": 0x99, "name": null }));
}
