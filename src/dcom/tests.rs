//! Octets in, JSON out; every prefix stops politely and keeps what was there, and every value has
//! its bytes.

use std::sync::LazyLock;

use serde_json::{Value as Json, json};

mod write;

use super::*;
use crate::bytes::{Buffer, Guid, Missing, Order};
use crate::call::Call;
use crate::capture::Capture;
use crate::idl::Syntax;
use crate::ndr::{Number, Record, Units};
use crate::pipeline::{Event, Pipeline};
use crate::protocol::Registry;
use crate::report::value::{fields, json as shown};
use crate::rpc::Transfer;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().unwrap());

const NDR: Context = Context { syntax: Syntax::Ndr, order: Order::Little };
const NDR64: Context = Context { syntax: Syntax::Ndr64, order: Order::Little };
const BIG: Context = Context { syntax: Syntax::Ndr, order: Order::Big };

/// Octets of a stub before the reference, so that no offset is right by chance.
const BEFORE: usize = 12;

fn types() -> &'static Types {
    REGISTRY.dcom()
}

/// Octets from hexadecimal digits; what follows `#` is a comment.
fn hex(text: &str) -> Vec<u8> {
    let lines = text.lines().filter_map(|line| line.split('#').next());
    let digits: String = lines.flat_map(str::split_whitespace).collect();
    (0..digits.len() / 2)
        .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap())
        .collect()
}

fn clamped(n: usize) -> u32 {
    u32::try_from(n).unwrap()
}

/// An interface pointer to `octets` as NDR has read it, opened.
fn opened(octets: &[u8]) -> Decoded {
    let from = clamped(BEFORE);
    let at = Span::new(from, from + clamped(octets.len()));
    let pointer = InterfacePointer {
        referent: 1,
        of: None,
        objref: Some(octets.into()),
        at,
        object: None,
        stop: None,
    };
    let value = Value { data: Data::Interface(Box::new(pointer)), span: Span::new(0, 4) };
    let mut decoded = Decoded { params: vec![("p".into(), value)], ..Decoded::default() };
    open(&mut decoded, types());
    decoded
}

fn pointer(decoded: &Decoded) -> &InterfacePointer {
    match &decoded.params[0].1.data {
        Data::Interface(pointer) => pointer,
        other => panic!("{other:?}"),
    }
}

fn texts(decoded: &Decoded) -> Vec<&str> {
    decoded.notes.iter().map(|note| &*note.text).collect()
}

/// A value without others in it, and where it is.
type Leaf<'v> = (String, &'v Value, Order);

/// All leaves. In an OBJREF all is little-endian; in the octets of activation properties what NDR
/// has read is of the order `serialized`.
fn leaves<'v>(
    value: &'v Value,
    at: &str,
    order: Order,
    serialized: Order,
    found: &mut Vec<Leaf<'v>>,
) {
    match &value.data {
        Data::Unread | Data::Null | Data::Same(_) => {}
        Data::Pointer(pointer) => leaves(&pointer.to, at, order, serialized, found),
        Data::Record(record) => {
            for (name, value) in &record.fields {
                let is_property = at.contains(".properties[") && at.ends_with(']');
                let order = match (&*record.name, &**name) {
                    (_, "data") if is_property => Order::Little,
                    ("ActivationProperties", "header") => serialized,
                    _ if is_property => serialized,
                    _ => order,
                };
                leaves(value, &format!("{at}.{name}"), order, serialized, found);
            }
        }
        Data::List(list) => {
            for (n, value) in list.items.iter().enumerate() {
                leaves(value, &format!("{at}[{n}]"), order, serialized, found);
            }
        }
        Data::Union(union) => {
            leaves(&union.tag, &format!("{at}.tag"), order, serialized, found);
            if let Some((name, value)) = &union.arm {
                leaves(value, &format!("{at}.{name}"), order, serialized, found);
            }
        }
        Data::Interface(pointer) => match &pointer.object {
            Some(object) => leaves(object, at, Order::Little, serialized, found),
            None if pointer.objref.is_some() => found.push((at.to_owned(), value, order)),
            None => {}
        },
        _ => found.push((at.to_owned(), value, order)),
    }
}

fn all_leaves(decoded: &Decoded, order: Order, serialized: Order) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    let ret = decoded.ret.as_ref().map(|value| ("return", value));
    for (name, value) in decoded.params.iter().map(|(name, value)| (&**name, value)).chain(ret) {
        leaves(value, name, order, serialized, &mut found);
    }
    found
}

/// The octets of a value as they travel in this order.
fn octets(value: &Value, order: Order) -> Vec<u8> {
    match &value.data {
        Data::Number(Number { bits, width, .. }) => {
            let width = usize::from(*width);
            match order {
                Order::Little => bits.to_le_bytes()[..width].to_vec(),
                Order::Big => bits.to_be_bytes()[8 - width..].to_vec(),
            }
        }
        Data::Boolean(octet) => vec![*octet],
        Data::Guid(guid) => match order {
            Order::Little => guid.to_bytes_le().to_vec(),
            Order::Big => guid.as_bytes().to_vec(),
        },
        Data::Text(text) => match &text.units {
            Units::Wide(units) => units
                .iter()
                .flat_map(|unit| match order {
                    Order::Little => unit.to_le_bytes(),
                    Order::Big => unit.to_be_bytes(),
                })
                .collect(),
            Units::Narrow(units) => units.to_vec(),
        },
        Data::Bytes(bytes) => bytes.bytes.to_vec(),
        other => panic!("no leaf: {other:?}"),
    }
}

/// Every leaf is where it says; gives how many there are.
#[track_caller]
fn in_place(decoded: &Decoded, stub: &[u8], order: Order, serialized: Order) -> usize {
    let found = all_leaves(decoded, order, serialized);
    for (name, value, order) in &found {
        let (span, wanted) = match &value.data {
            Data::Interface(pointer) => (pointer.at, pointer.objref.as_deref().unwrap().to_vec()),
            _ => (value.span, octets(value, *order)),
        };
        let range = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
        let there = stub.get(range).unwrap_or_else(|| panic!("{name}: {span:?} of {}", stub.len()));
        assert_eq!(there, wanted, "{name} at {span:?}");
    }
    for note in &decoded.notes {
        assert!(
            note.span.start <= note.span.end && note.span.end as usize <= stub.len(),
            "{note:?}"
        );
    }
    found.len()
}

/// What was read of the first `len` octets of a stub is what was read of all of it, and nothing that
/// lies in them is lost.
#[track_caller]
fn kept(part: &Decoded, whole: &Decoded, len: usize, order: Order, serialized: Order) {
    assert_eq!(lost(part, whole, len, order, serialized), [""; 0], "{len}");
}

/// Checks that what was read of the first `len` octets is as it was, and gives the leaves that lie in
/// them and were not read.
#[track_caller]
fn lost(
    part: &Decoded,
    whole: &Decoded,
    len: usize,
    order: Order,
    serialized: Order,
) -> Vec<String> {
    let (part, whole) = (all_leaves(part, order, serialized), all_leaves(whole, order, serialized));
    for (name, value, _) in &part {
        let same = whole.iter().find(|(other, ..)| other == name);
        let (_, same, _) = same.unwrap_or_else(|| panic!("{len}: {name} is not there"));
        match (&value.data, &same.data) {
            // Octets without a form of their own, as far as they go.
            (Data::Bytes(part), Data::Bytes(whole)) => {
                assert!(whole.bytes.starts_with(&part.bytes), "{len}: {name}");
            }
            // A text of which the end is missing has what its counts say, as far as they go.
            (Data::Text(part), Data::Text(whole)) if same.span.end as usize > len => {
                let (part, whole) = (&part.counts, &whole.counts);
                for (part, whole) in [
                    (part.max, whole.max),
                    (part.offset, whole.offset),
                    (part.actual, whole.actual),
                ] {
                    assert!(part.is_none_or(|_| part == whole), "{len}: {name}");
                }
            }
            _ => assert_eq!(value, same, "{len}: {name}"),
        }
    }
    let mut lost = Vec::new();
    for (name, value, _) in &whole {
        if name.contains(".properties[") && name.ends_with("].clsid") {
            // The class is told where the header tells it, too.
            continue;
        }
        if value.span.end as usize <= len && !part.iter().any(|(other, ..)| other == name) {
            lost.push(name.clone());
        }
    }
    lost
}

/// Reads a sample that is well, and all that is shorter.
#[track_caller]
fn check(sample: &[u8], serialized: Order, expect: &Json) {
    let whole = opened(sample);
    assert_eq!(texts(&whole), [""; 0]);
    assert_eq!(pointer(&whole).stop, None);
    assert_eq!(shown(&whole.params[0].1), *expect);
    let stub = [vec![0xee; BEFORE], sample.to_vec()].concat();
    assert!(in_place(&whole, &stub, Order::Little, serialized) > 0);
    for len in 0..sample.len() {
        let part = opened(&sample[..len]);
        in_place(&part, &stub[..BEFORE + len], Order::Little, serialized);
        kept(&part, &whole, BEFORE + len, Order::Little, serialized);
        let Some(stop) = &pointer(&part).stop else {
            // Only octets that have no form may be cut without anybody noticing.
            let open = texts(&whole).is_empty() && ends_in_octets(&whole);
            assert!(open, "{len} of {}", sample.len());
            continue;
        };
        assert!(stop.is_malformed() && stop.at as usize <= len, "{len}: {stop}");
        let noted = part.notes.last().unwrap();
        assert!(noted.text.starts_with("the OBJREF is not whole: "), "{}", noted.text);
        assert_eq!(noted.span.start as usize, BEFORE + stop.at as usize);
    }
}

fn ends_in_octets(decoded: &Decoded) -> bool {
    let leaves = all_leaves(decoded, Order::Little, Order::Little);
    matches!(leaves.last(), Some((_, Value { data: Data::Bytes(_), .. }, _)))
}

/// The sample with octets in another place.
fn patched(sample: &[u8], at: usize, octets: &[u8]) -> Vec<u8> {
    let mut sample = sample.to_vec();
    sample[at..at + octets.len()].copy_from_slice(octets);
    sample
}

/// What is said of a reference with other octets, and what was read of it.
fn spoiled(sample: &[u8], at: usize, octets: &[u8]) -> (String, Json) {
    let sample = patched(sample, at, octets);
    let decoded = opened(&sample);
    let stub = [vec![0xee; BEFORE], sample].concat();
    in_place(&decoded, &stub, Order::Little, Order::Little);
    (texts(&decoded).join("; "), shown(&decoded.params[0].1))
}

// What references begin with: the signature, their kind, IUnknown.
const STANDARD: &str = "4d454f57 01000000 00000000 0000 0000 c000000000000046";
const HANDLER: &str = "4d454f57 02000000 00000000 0000 0000 c000000000000046";
const CUSTOM: &str = "4d454f57 04000000 00000000 0000 0000 c000000000000046";
const EXTENDED: &str = "4d454f57 08000000 00000000 0000 0000 c000000000000046";

const STDOBJREF: &str = "
    00100000 05000000                       # flags, cPublicRefs
    0102030405060708 1112131415161718       # oxid, oid
    33221100 5544 7766 8899aabbccddeeff     # ipid";

const BINDINGS: &str = "
    0d00 0700                               # wNumEntries, wSecurityOffset
    0700 6800 5b00 3100 5d00 0000           # ncacn_ip_tcp h[1]
    0000
    0a00 ffff 7500 0000                     # NTLM, as u
    0000 0000";

fn sample(parts: &[&str]) -> Vec<u8> {
    hex(&parts.join("\n"))
}

fn bindings() -> Json {
    json!([{ "wTowerId": { "value": 7, "name": "ncacn_ip_tcp" }, "aNetworkAddr": "h[1]" }])
}

fn security() -> Json {
    json!([{
        "wAuthnSvc": { "value": 10, "name": "RPC_C_AUTHN_WINNT" },
        "wAuthzSvc": "0xffff",
        "aPrincName": "u"
    }])
}

/// The members that all kinds begin with, and those of STDOBJREF.
fn expected(kind: u32, name: &str, standard: bool, more: &Json) -> Json {
    let mut all = json!({
        "signature": "0x574f454d",
        "objref": { "value": kind, "name": name },
        "iid": "00000000-0000-0000-c000-000000000046",
    });
    if standard {
        for (key, value) in [
            ("flags", json!({ "value": 0x1000, "flags": ["SORF_NOPING"], "name": null })),
            ("public_refs", json!(5)),
            ("oxid", json!("0x0807060504030201")),
            ("oid", json!("0x1817161514131211")),
            ("ipid", json!("00112233-4455-6677-8899-aabbccddeeff")),
        ] {
            all[key] = value;
        }
    }
    for (key, value) in more.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

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

// Activation properties.

/// Numbers and octets in one byte order, as NDR has them.
struct Ndr {
    order: Order,
    octets: Vec<u8>,
}

impl Ndr {
    fn new(order: Order) -> Self {
        Self { order, octets: Vec::new() }
    }

    fn align(mut self, to: usize) -> Self {
        self.octets.resize(self.octets.len().next_multiple_of(to), 0);
        self
    }

    fn u16(mut self, n: u16) -> Self {
        self.octets.extend(match self.order {
            Order::Little => n.to_le_bytes(),
            Order::Big => n.to_be_bytes(),
        });
        self
    }

    fn u32s(mut self, numbers: impl IntoIterator<Item = u32>) -> Self {
        self = self.align(4);
        for n in numbers {
            self.octets.extend(match self.order {
                Order::Little => n.to_le_bytes(),
                Order::Big => n.to_be_bytes(),
            });
        }
        self
    }

    fn guid(mut self, guid: Guid) -> Self {
        self.octets.extend(match self.order {
            Order::Little => guid.to_bytes_le(),
            Order::Big => *guid.as_bytes(),
        });
        self
    }

    fn octets(mut self, octets: &[u8]) -> Self {
        self.octets.extend(octets);
        self
    }

    /// With the two headers of a serialized type in front, filled up to a multiple of eight.
    fn serialized(self) -> Vec<u8> {
        let order = self.order;
        let body = self.align(8).octets;
        let marks = match order {
            Order::Little => [1, 0x10],
            Order::Big => [1, 0],
        };
        let header = Ndr { order, octets: marks.to_vec() };
        let header = header.u16(8).octets(&[0xcc; 4]).u32s([clamped(body.len()), 0]);
        [header.octets, body].concat()
    }
}

/// `InstantiationInfoData` for one interface.
fn instantiation(order: Order) -> Vec<u8> {
    Ndr::new(order)
        .guid(Guid::from_u128(0x0b5a_2c52_3eb9_470a_96e2_6c6d_4570_e40f))
        .u32s([0x10, 0, 0, 1, 0, 0x2_0000, 88])
        .u16(5)
        .u16(7)
        .u32s([1])
        .guid(Guid::from_u128(0xfa7d_f749_66e7_4986_a27f_e2f0_4ae5_3772))
        .serialized()
}

/// `ActivationContextInfoData` with a reference in it.
fn context_info(reference: &[u8]) -> Vec<u8> {
    let len = clamped(reference.len());
    Ndr::new(Order::Little).u32s([0, 0, 0, 0, 0x2_0000, 0, len, len]).octets(reference).serialized()
}

const INSTANTIATION: u32 = 0x1ab;
const CONTEXT: u32 = 0x1a5;

fn com(first: u32) -> Guid {
    Guid::from_u128(u128::from(first) << 96 | 0xc000_0000_0000_0046)
}

/// A custom reference with activation properties. In the reference `dwSize` is at 48; the header's
/// two headers are at 56, and it itself at 72.
fn activation(order: Order, properties: &[(Guid, Vec<u8>)]) -> Vec<u8> {
    let count = clamped(properties.len());
    let of_header = |total: u32, size: u32| {
        let mut header = Ndr::new(order)
            .u32s([total, size, 0, 2, count])
            .guid(Guid::nil())
            .u32s([0x2_0000, 0x2_0004, 0, count]);
        for (class, _) in properties {
            header = header.guid(*class);
        }
        let sizes = properties.iter().map(|(_, octets)| clamped(octets.len()));
        header.u32s([count]).u32s(sizes).serialized()
    };
    let size = clamped(of_header(0, 0).len());
    let body: Vec<u8> = properties.iter().flat_map(|(_, octets)| octets.clone()).collect();
    let total = size + clamped(body.len());
    Ndr { order: Order::Little, octets: hex(CUSTOM) }
        .guid(CLSID_ACTIVATION_PROPERTIES_IN)
        .u32s([0, total + 8, total, 0])
        .octets(&of_header(total, size))
        .octets(&body)
        .octets
}

const CLSID_ACTIVATION_PROPERTIES_IN: Guid = crate::protocol::dcom::CLSID_ACTIVATION_PROPERTIES_IN;

/// One that is known, and one that is not.
fn two_properties(order: Order) -> Vec<u8> {
    let unknown = hex("0011223344556677");
    activation(order, &[(com(INSTANTIATION), instantiation(order)), (com(0x9999), unknown)])
}

fn two_properties_expected() -> Json {
    expected(
        4,
        "OBJREF_CUSTOM",
        false,
        &json!({
            "clsid": "00000338-0000-0000-c000-000000000046",
            "extension": 0,
            "reserved": 216,
            "data": {
                "dwSize": 208,
                "dwReserved": 0,
                "header": {
                    "totalSize": 208, "headerSize": 112, "dwReserved": 0, "destCtx": 2, "cIfs": 2,
                    "classInfoClsid": "00000000-0000-0000-0000-000000000000",
                    "pclsid": [
                        "000001ab-0000-0000-c000-000000000046",
                        "00009999-0000-0000-c000-000000000046"
                    ],
                    "pSizes": [88, 8],
                    "pdwReserved": null
                },
                "properties": [
                    {
                        "clsid": "000001ab-0000-0000-c000-000000000046",
                        "InstantiationInfo": {
                            "classId": "0b5a2c52-3eb9-470a-96e2-6c6d4570e40f",
                            "classCtx": {
                                "value": 16, "flags": ["CLSCTX_REMOTE_SERVER"], "name": null
                            },
                            "actvflags": 0, "fIsSurrogate": 0, "cIID": 1, "instFlag": 0,
                            "pIID": ["fa7df749-66e7-4986-a27f-e2f04ae53772"],
                            "thisSize": 88,
                            "clientCOMVersion": { "MajorVersion": 5, "MinorVersion": 7 }
                        }
                    },
                    {
                        "clsid": "00009999-0000-0000-c000-000000000046",
                        "data": "0011223344556677"
                    }
                ]
            }
        }),
    )
}

#[test]
fn activation_properties_are_read() {
    check(&two_properties(Order::Little), Order::Little, &two_properties_expected());
}

/// The two headers say what follows: big-endian properties in a reference that is not.
#[test]
fn activation_properties_may_be_big_endian() {
    check(&two_properties(Order::Big), Order::Big, &two_properties_expected());
}

#[test]
fn what_is_wrong_with_activation_properties_is_said() {
    let good = two_properties(Order::Little);
    // The properties: their first is at 168, its class at 184.
    let first = 56 + 112;
    assert_eq!(good[first..first + 2], [1, 0x10]);
    let number = |n: u32| n.to_le_bytes().to_vec();
    let cases: [(&str, usize, Vec<u8>, &str); 19] = [
        // These say what others say too, and nothing is found by them.
        ("cbExtension", 40, number(8), ""),
        ("size", 44, number(0xffff_ffff), ""),
        ("dwSize", 48, number(0), ""),
        ("totalSize", 72, number(0xffff_ffff), ""),
        ("version", 56, vec![2], "type serialization version 2 at offset 56"),
        ("byte order", 57, vec![0x11], "there is no byte order 0x11 at offset 57"),
        ("CommonHeaderLength", 58, vec![9], "CommonHeaderLength is 9, not 8"),
        ("ObjectBufferLength", 64, number(1000), "ObjectBufferLength 1000 of 192 bytes"),
        ("ObjectBufferLength", 64, number(40), "field at offset 112"),
        ("headerSize", 76, number(10_000), "headerSize 10000 of 208 bytes at offset 56"),
        ("headerSize", 76, number(0xffff_ffff), "headerSize 4294967295 of 208 bytes"),
        ("headerSize", 76, number(104), "type serialization version 88 at offset 160"),
        ("cIfs", 88, number(3), "max_count 2"),
        ("max_count of pclsid", 120, number(0xffff_ffff), "CustomHeader leaves 44"),
        ("max_count of pSizes", 156, number(0x1000_0000), "CustomHeader leaves"),
        ("pSizes", 160, number(0xffff_ffff), "needs 4294967295 bytes, the OBJREF leaves 96"),
        ("pSizes", 160, number(8), "needs 4 bytes, the OBJREF leaves 0"),
        ("ObjectBufferLength", first + 8, number(73), "ObjectBufferLength 73 of 72 bytes"),
        ("cIID", first + 16 + 28, number(7), "max_count 1"),
    ];
    for (what, at, octets, why) in cases {
        let (said, read) = spoiled(&good, at, &octets);
        assert!(said.contains(why) && said.is_empty() == why.is_empty(), "{what}: {said}");
        assert_eq!(read["clsid"], "00000338-0000-0000-c000-000000000046", "{what}");
    }
    // A size that is too large takes nothing from what is there.
    let (_, read) = spoiled(&good, 160, &number(0xffff_ffff));
    let class = &read["data"]["properties"][0]["InstantiationInfo"]["classId"];
    assert_eq!(class, "0b5a2c52-3eb9-470a-96e2-6c6d4570e40f");
    assert_eq!(read["data"]["properties"].as_array().unwrap().len(), 1);
    // Of two that are spoiled the first is told.
    let both = patched(&good, first, &[3]);
    let (said, read) = spoiled(&both, 164, &number(9));
    assert!(said.contains("type serialization version 3 at offset 168"), "{said}");
    assert_eq!(read["data"]["properties"][1]["data"], "0011223344556677");
}

/// Notes within references within properties have their bytes too.
#[test]
fn a_note_deep_inside_is_at_its_bytes() {
    let inner = sample(&[STANDARD, STDOBJREF, BINDINGS]);
    let inner = patched(&inner, 66, &14_u16.to_le_bytes());
    let outer = activation(Order::Little, &[(com(CONTEXT), context_info(&inner))]);
    let place = outer.windows(4).rposition(|four| four == b"MEOW").unwrap();
    let decoded = opened(&outer);
    let [note] = &decoded.notes[..] else { panic!("{:?}", decoded.notes) };
    assert!(note.text.contains("wSecurityOffset 14 of 13 entries at offset 68"), "{}", note.text);
    assert_eq!(note.span.start as usize, BEFORE + place + 68);
    assert_eq!(note.span.end as usize, BEFORE + place + inner.len());
    // Whoever looks for the text of NDR finds it as well.
    let count = patched(&outer, outer.len() - inner.len() - 8, &[0xff, 0xff]);
    let decoded = opened(&count);
    assert!(!decoded.notes.is_empty());
    let stub = [vec![0xee; BEFORE], count].concat();
    in_place(&decoded, &stub, Order::Little, Order::Little);
}

#[test]
fn references_within_references_end() {
    let mut octets = sample(&[STANDARD, STDOBJREF, BINDINGS]);
    for _ in 0..20 {
        octets.resize(octets.len().next_multiple_of(8), 0);
        octets = activation(Order::Little, &[(com(CONTEXT), context_info(&octets))]);
    }
    let decoded = opened(&octets);
    assert_eq!(texts(&decoded), ["references nested deeper than 6 are not opened"]);
    let stub = [vec![0xee; BEFORE], octets].concat();
    let note = decoded.notes[0].span;
    assert_eq!(&stub[note.start as usize..][..4], b"MEOW");
    in_place(&decoded, &stub, Order::Little, Order::Little);
    let (mut value, mut deep) = (&decoded.params[0].1, 0);
    while let Some(Data::List(list)) =
        value.field("data").and_then(|data| data.field("properties")).map(|value| &value.data)
    {
        value = list.items[0].field("ActivationContextInfo").unwrap();
        value = value.field("pIFDClientCtx").unwrap().target();
        deep += 1;
    }
    assert_eq!(deep, 6);
    // Their octets are kept.
    assert!(shown(value)["objref"].as_str().unwrap().starts_with("4d454f57"));
}

/// What a reference can make of its octets is bounded by them.
#[test]
fn many_properties_of_nothing_are_no_more_than_their_octets() {
    let properties: Vec<(Guid, Vec<u8>)> =
        (0..5000).map(|_| (com(INSTANTIATION), Vec::new())).collect();
    let octets = activation(Order::Little, &properties);
    let decoded = opened(&octets);
    let list = decoded.params[0].1.field("data").unwrap().field("properties").unwrap();
    let Data::List(list) = &list.data else { panic!("{list:?}") };
    assert_eq!(list.items.len(), 5000);
    assert!(octets.len() > 5000 * 20);
    assert_eq!(decoded.notes.len(), 1, "one sentence is enough");
    // Counts beyond what is there.
    let huge = patched(&octets, 88, &[0xff; 4]);
    let huge = patched(&huge, 120, &[0xff; 4]);
    assert_eq!(opened(&huge).params[0].1.field("data").unwrap().field("properties"), None);
}

// ORPCTHIS and ORPCTHAT.

const THIS: &str = "
    0500 0700 01000000 00000000             # version, flags, reserved1
    33221100 5544 7766 8899aabbccddeeff";

const THIS_BIG: &str = "
    0005 0007 00000001 00000000
    00112233 4455 6677 8899aabbccddeeff";

fn orpc_of(direction: Direction, stub: &[u8], context: Context) -> Decoded {
    orpc(types(), direction, View::new(stub, &[], &[]), context)
}

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

// Arrays of bindings that are NDR by themselves.

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

// Real stubs.

fn calls(name: &str) -> Vec<Call> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/scmp");
    let mut capture = Capture::open(&[folder.join(name)]);
    let mut pipeline = Pipeline::new(&REGISTRY);
    let mut events = Vec::new();
    while capture.advance() {
        pipeline.frame(&capture.frame(), &mut events);
    }
    pipeline.finish(&mut events);
    let calls = events.into_iter().filter_map(|event| match event {
        Event::Call(call) => Some(*call),
        _ => None,
    });
    calls.collect()
}

/// The stubs of a call, each with what [`Call`] made of it.
fn stubs(
    call: &Call,
) -> impl Iterator<Item = (Direction, &crate::rpc::Message, &crate::call::Stub)> {
    let request = call.rpc.request.iter().map(|of| (Direction::In, of, &call.request));
    let response = call.rpc.response.iter().map(|of| (Direction::Out, of, &call.response));
    request.chain(response).filter(|(_, _, stub)| stub.decoded.is_some())
}

/// What [`Call`] does with a stub, for as much of it as there is.
fn decode(call: &Call, direction: Direction, stub: &[u8], order: Order) -> [Decoded; 2] {
    let syntax = match call.rpc.transfer.unwrap() {
        Transfer::Ndr => Syntax::Ndr,
        Transfer::Ndr64 => Syntax::Ndr64,
    };
    let context = Context { syntax, order };
    let interface = call.interface.as_ref().unwrap();
    let before =
        if interface.object { orpc_of(direction, stub, context) } else { Decoded::default() };
    if before.stop.is_some() {
        return [before, Decoded::default()];
    }
    let view = View::new(stub, &[], &[]);
    let opnum = call.rpc.opnum.unwrap();
    let mut decoded = interface.decode(opnum, direction, view, before.used, context).unwrap();
    open(&mut decoded, types());
    [before, decoded]
}

/// Every value of every stub in clear, of both byte orders and syntaxes, is at its bytes.
#[test]
fn every_value_of_the_captures_is_at_its_bytes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/scmp");
    let (mut values, mut found) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "pcap") {
            continue;
        }
        found += 1;
        let name = path.display();
        for call in calls(path.file_name().unwrap().to_str().unwrap()) {
            for (_, message, stub) in stubs(&call) {
                let bytes = message.stub.view().bytes();
                for decoded in stub.orpc.iter().chain(&stub.decoded) {
                    assert_eq!((&decoded.stop, texts(decoded)), (&None, Vec::new()), "{name}");
                    values += in_place(decoded, bytes, message.order, Order::Little);
                }
            }
        }
    }
    assert_eq!(found, 51);
    assert!(values > 14_000, "{values} values");
}

/// Every prefix of an activation and of what else has references in it, little-endian, big-endian
/// and NDR64.
#[test]
fn every_prefix_of_real_stubs_keeps_what_is_there() {
    let mut cut = 0;
    for name in ["mgmt-connect.pcap", "be-ex42-none.pcap", "ndr64-ex42-connect.pcap"] {
        let mut seen = std::collections::BTreeSet::new();
        for call in calls(name) {
            if !seen.insert((call.interface_name().map(str::to_owned), call.rpc.opnum)) {
                continue;
            }
            for (direction, message, _) in stubs(&call) {
                let bytes = message.stub.view().bytes();
                let whole = decode(&call, direction, bytes, message.order);
                for len in 0..bytes.len() {
                    let part = decode(&call, direction, &bytes[..len], message.order);
                    for (part, whole) in part.iter().zip(&whole) {
                        in_place(part, &bytes[..len], message.order, Order::Little);
                        // What comes before the parameters is not whole, and they are not read.
                        if part.params.is_empty() && whole.used as usize > len {
                            continue;
                        }
                        let order = message.order;
                        let lost = lost(part, whole, len, order, Order::Little);
                        // NDR reads elements for which there is room.
                        let element = lost.iter().all(|name| {
                            let of = name.rfind(']').map(|end| &name[..end]);
                            of.is_some_and(|of| cut_short(whole, of, len))
                        });
                        assert!(element, "{name}, {len} octets: {lost:?}");
                    }
                    cut += 1;
                }
            }
        }
    }
    assert!(cut > 4000, "{cut} prefixes");
}

/// Whether part of an element lies behind the first `len` octets.
fn cut_short(whole: &Decoded, element: &str, len: usize) -> bool {
    let leaves = all_leaves(whole, Order::Little, Order::Little);
    leaves.iter().any(|(name, value, _)| name.starts_with(element) && value.span.end as usize > len)
}

/// A reference is little-endian in a stub that is not.
#[test]
fn a_reference_in_a_big_endian_stub_is_little_endian() {
    let calls = calls("be-ex41-none.pcap");
    let call = calls.iter().find(|call| call.method() == Some("QueryVolumesSupportedForSnapshots"));
    let call = call.unwrap();
    assert_eq!(call.rpc.response.as_ref().unwrap().order, Order::Big);
    let decoded = call.response.decoded.as_ref().unwrap();
    let enumerator = decoded.param("ppEnum").unwrap();
    let Data::Interface(pointer) = &enumerator.target().data else { panic!("{enumerator:?}") };
    assert!(pointer.objref.as_deref().unwrap().starts_with(b"MEOW\x01\0\0\0"));
    assert_eq!(shown(enumerator)["public_refs"], 5);
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
