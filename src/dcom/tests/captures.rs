//! The stubs of captures: every value, and every prefix.

use std::path::PathBuf;

use super::*;
use crate::call::Call;
use crate::capture::Capture;
use crate::pipeline::tests::captures;
use crate::rpc::Transfer;

fn calls(capture: Capture) -> Vec<Call> {
    captures::calls(capture, &REGISTRY)
}

fn of_file(name: &str) -> Vec<Call> {
    calls(captures::open(&format!("scmp/{name}")))
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
    let (mut values, mut found) = (0, 0);
    let of_scmp = |path: &PathBuf| path.parent() == Some(&captures::file("scmp"));
    for path in captures::all().into_iter().filter(of_scmp) {
        found += 1;
        let name = path.display();
        for call in calls(Capture::open(std::slice::from_ref(&path))) {
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
        for call in of_file(name) {
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

/// A reference is little-endian in a stub that is not.
#[test]
fn a_reference_in_a_big_endian_stub_is_little_endian() {
    let calls = of_file("be-ex41-none.pcap");
    let call = calls.iter().find(|call| call.method() == Some("QueryVolumesSupportedForSnapshots"));
    let call = call.unwrap();
    assert_eq!(call.rpc.response.as_ref().unwrap().order, Order::Big);
    let decoded = call.response.decoded.as_ref().unwrap();
    let enumerator = decoded.param("ppEnum").unwrap();
    let Data::Interface(pointer) = &enumerator.target().data else { panic!("{enumerator:?}") };
    assert!(pointer.objref.as_deref().unwrap().starts_with(b"MEOW\x01\0\0\0"));
    assert_eq!(shown(enumerator)["public_refs"], 5);
}
