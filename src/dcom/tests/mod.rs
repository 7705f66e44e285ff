//! Octets in, JSON out; every prefix stops politely and keeps what was there, and every value has
//! its bytes.

use std::sync::LazyLock;

use serde_json::{Value as Json, json};

mod activation;
mod bindings;
mod captures;
mod leaves;
mod orpc;
mod references;
mod write;

use leaves::{cut_short, ends_in_octets, in_place, kept, lost};

use super::*;
use crate::bytes::Order;
use crate::idl::Syntax;
use crate::protocol::Registry;
use crate::report::value::{fields, json as shown};

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

fn orpc_of(direction: Direction, stub: &[u8], context: Context) -> Decoded {
    orpc(types(), direction, View::new(stub, &[], &[]), context)
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
