//! Activation properties within a reference.

use super::*;
use crate::bytes::Guid;

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
