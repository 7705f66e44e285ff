//! Stubs, PDUs and SMB messages of the captures, cut after every octet.

use std::collections::BTreeSet;

use vshark::bytes::{FrameNo, Missing, Order, Reader, View, Why};
use vshark::call::{Call, Readable};
use vshark::idl::Syntax;
use vshark::ndr::{Context, Data, Decoded, Direction};
use vshark::pipeline::UnitKind;
use vshark::protocol::Interface;
use vshark::rpc::{Message, Transfer, pdu};
use vshark::smb::{self, Packet};

use super::noise::each_change;
use super::read::{REGISTRY, read, read_watching, within};
use super::wire::{boundaries, file};

/// All captures with calls in the clear.
const ALL: [&str; 17] = [
    "a-ntlm-sign-smb311.pcap",
    "a5-spnego-sign.pcap",
    "d-NT1-sign.pcap",
    "d-SMB2_02-sign.pcap",
    "e-py-bad_pdus.pcap",
    "e-py-create_fails.pcap",
    "e-py-denied-bob.pcap",
    "e-py-fragmented.pcap",
    "e03-ntlm-connect-level-denied.pcap",
    "et-torture-create_simple-bigendian-sign.pcap",
    "g-two-clients-in-progress.pcap",
    "g-two_pipes_one_session.pcap",
    "h-krb5-sign.pcap",
    "i-a-drop5.pcap",
    "i-a-vlan.pcap",
    "i-real-ipv6-sign.pcap",
    "i-real-mtu300-sign.pcap",
];

/// A stub and what is needed to decode it.
struct Sample<'a> {
    interface: &'a Interface,
    opnum: u16,
    direction: Direction,
    context: Context,
    stub: Vec<u8>,
}

impl Sample<'_> {
    fn decode(&self, stub: &[u8]) -> Decoded {
        let view = View::new(stub, &[], &[]);
        self.interface.decode(self.opnum, self.direction, view, 0, self.context).unwrap()
    }

    fn name(&self) -> String {
        let operation = &self.interface.operation(self.opnum).unwrap().name;
        format!("{operation} {:?} {:?} {:02x?}", self.direction, self.context, self.stub)
    }
}

fn samples(call: &Call) -> Vec<Sample<'_>> {
    let sample = |message: &Option<Message>, direction| {
        let (interface, message) = (call.interface.as_deref()?, message.as_ref()?);
        let opnum = call.rpc.opnum.filter(|opnum| interface.operation(*opnum).is_some())?;
        let syntax = match call.rpc.transfer? {
            Transfer::Ndr => Syntax::Ndr,
            Transfer::Ndr64 => Syntax::Ndr64,
        };
        let context = Context { syntax, order: message.order };
        let stub = message.stub.view().bytes().to_vec();
        Some(Sample { interface, opnum, direction, context, stub })
    };
    let request = sample(&call.rpc.request, Direction::In);
    let response = sample(&call.rpc.response, Direction::Out);
    let response = response.filter(|_| call.fault().is_none());
    request.into_iter().chain(response).collect()
}

/// Every shorter stub gives a part of the values, and says where and why it stopped.
fn check_prefixes(sample: &Sample<'_>) {
    let whole = sample.decode(&sample.stub);
    let used = usize::try_from(whole.used).unwrap();
    // Long strings are long runs of the same case.
    let step = if used > 400 { 37 } else { 1 };
    for len in (0..used).step_by(step) {
        let part = sample.decode(&sample.stub[..len]);
        let stop = part.stop.as_ref();
        let stop = stop.unwrap_or_else(|| panic!("{len} of {used} are enough: {}", sample.name()));
        assert!(usize::try_from(stop.at).unwrap() <= len, "{stop:?}, {len}: {}", sample.name());
        if let Err(what) = within(&part, &whole) {
            panic!("{len} of {used}: {what}: {}", sample.name());
        }
    }
    if whole.stop.is_some() {
        return;
    }
    let exact = sample.decode(&sample.stub[..used]);
    assert_eq!((&exact.params, &exact.ret, &exact.stop), (&whole.params, &whole.ret, &whole.stop));
}

#[test]
fn every_prefix_of_every_stub_gives_a_part_of_its_values() {
    let mut seen = BTreeSet::new();
    for name in ALL {
        for call in &read(&file(name)).calls {
            let readable = [call.request.readable, call.response.readable];
            if readable.contains(&Readable::Sealed) {
                continue;
            }
            for sample in samples(call) {
                check_prefixes(&sample);
                seen.insert((sample.opnum, sample.direction == Direction::In));
            }
        }
    }
    // All thirteen methods of FSRVP are there, both ways.
    assert_eq!(seen.len(), 26, "{seen:?}");
}

#[test]
fn any_octet_of_a_stub_may_be_anything() {
    let whole = read(&file("a-ntlm-sign-smb311.pcap"));
    for mut sample in whole.calls.iter().flat_map(samples) {
        let mut stub = std::mem::take(&mut sample.stub);
        each_change(&mut stub, |stub| {
            sample.decode(stub);
        });
    }
}

/// Octets written one after the other, each number aligned to its size, as NDR64 has it.
fn ndr64(order: Order, parts: &[(usize, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (width, n) in parts {
        out.resize(out.len().next_multiple_of(*width), 0);
        match order {
            Order::Little => out.extend(&n.to_le_bytes()[..*width]),
            Order::Big => out.extend(&n.to_be_bytes()[8 - *width..]),
        }
    }
    out
}

#[test]
fn every_prefix_of_a_stub_in_ndr64_gives_a_part_of_its_values() {
    let fsrvp = "a8e0653c-2744-4389-a61d-7373df8b2292".parse().unwrap();
    let interface = &**REGISTRY.interface(fsrvp, 1).unwrap();
    // \\a\b\ with its three counts.
    let text: Vec<_> = r"\\a\b\".encode_utf16().chain([0]).map(u64::from).collect();
    let length = u64::try_from(text.len()).unwrap();
    let string: Vec<_> = [(8, length), (8, 0), (8, length)]
        .into_iter()
        .chain(text.iter().map(|unit| (2, *unit)))
        .collect();
    // SupportedByThisProvider, a pointer to OwnerMachineName, the name, the result.
    let answer = [&[(4, 1), (8, 0x2_0000)][..], &string, &[(4, 0)]].concat();
    let version = [(4, 1), (4, 1), (4, 0)];
    for order in [Order::Little, Order::Big] {
        let context = Context { syntax: Syntax::Ndr64, order };
        for (opnum, direction, parts, values) in [
            (0, Direction::Out, &version[..], 3),
            (8, Direction::In, &string, 1),
            (8, Direction::Out, &answer, 3),
            (9, Direction::In, &string, 1),
        ] {
            let stub = ndr64(order, parts);
            let mut sample = Sample { interface, opnum, direction, context, stub };
            let whole = sample.decode(&sample.stub);
            let read = whole.params.iter().map(|(_, value)| value).chain(&whole.ret);
            let read = read.filter(|value| value.target().data != Data::Unread).count();
            assert_eq!((read, &whole.stop), (values, &None), "{}", sample.name());
            check_prefixes(&sample);
            let mut stub = std::mem::take(&mut sample.stub);
            each_change(&mut stub, |stub| {
                sample.decode(stub);
            });
        }
    }
}

/// Every PDU that belongs to a call of a capture.
pub(crate) fn pdus(name: &str) -> Vec<Vec<u8>> {
    let reading = read_watching(&file(name), None);
    let messages = reading.calls.iter().flat_map(|call| [&call.rpc.request, &call.rpc.response]);
    let pdus = messages.flatten().flat_map(|message| &message.pdus);
    pdus.map(|pdu| pdu.view().bytes().to_vec()).collect()
}

/// Every SMB message of a capture, with its four-byte header, and every PDU that is in no call.
fn watched(name: &str, kind: UnitKind) -> Vec<Vec<u8>> {
    let file = file(name);
    let frames = u64::try_from(boundaries(&file).len()).unwrap();
    let units = (1..frames).flat_map(|no| read_watching(&file, Some(FrameNo(no))).units);
    let units = units.filter(|unit| unit.kind == kind);
    let units: BTreeSet<_> = units.map(|unit| unit.bytes.view().bytes().to_vec()).collect();
    units.into_iter().collect()
}

/// Every SMB message of a capture, with its four-byte header.
pub(crate) fn messages(name: &str) -> Vec<Vec<u8>> {
    watched(name, UnitKind::Smb)
}

#[test]
fn every_prefix_of_a_pdu_stops_where_it_ends() {
    let names = ["a5-spnego-sign.pcap", "b-ntlm-seal-smb311.pcap", "e-py-bad_pdus.pcap"];
    let bigendian = "et-torture-create_simple-bigendian-sign.pcap";
    for name in names.into_iter().chain([bigendian]) {
        let all: BTreeSet<_> = pdus(name).into_iter().chain(watched(name, UnitKind::Rpc)).collect();
        assert!(all.len() > 20, "{name}: {}", all.len());
        for whole in all {
            let read = |bytes| {
                pdu::dissect(&mut Reader::new(View::new(bytes, &[], &[]), &mut ()))
                    .map(|pdu| (pdu.header, pdu.stop))
            };
            let (header, stop) = read(&whole[..]).unwrap();
            assert_eq!((stop, usize::from(header.frag_length)), (None, whole.len()));
            for len in 0..whole.len() {
                match read(&whole[..len]) {
                    Ok((part, stop)) => assert!(part == header && stop.is_some(), "{name} {len}"),
                    Err(_) => assert!(len < 16, "{name} {len}"),
                }
            }
        }
    }
}

#[test]
fn every_prefix_of_an_smb_message_is_nobodys_fault() {
    for name in [
        "a-ntlm-sign-smb311.pcap",
        "c-enc-AES-128-GCM-sign.pcap",
        "d-NT1-sign.pcap",
        "d-SMB2_02-sign.pcap",
    ] {
        let all = messages(name);
        assert!(all.len() > 60, "{name}: {}", all.len());
        for whole in all {
            let read = |bytes| {
                let mut seen = 0;
                let view = View::new(bytes, &[], &[]);
                let packet = smb::dissect(&mut Reader::new(view, &mut ()), |_| seen += 1);
                (packet, seen)
            };
            let (packet, count) = read(&whole[..]);
            assert!(packet.is_ok(), "{name}: {packet:?}");
            for len in 0..whole.len() {
                let (part, seen) = read(&whole[..len]);
                assert!(seen <= count, "{name} {len}");
                match part {
                    Ok(Packet::Smb1(message)) => {
                        let blamed = message.stop.is_some_and(|stop| stop.is_malformed());
                        assert!(!blamed, "{name} {len}");
                    }
                    Ok(_) => {}
                    Err(stop) if len < 4 => assert!(stop.is_malformed(), "{name} {len}"),
                    Err(stop) => {
                        assert_eq!(stop.why, Why::Missing(Missing::Capped), "{name} {len}");
                    }
                }
            }
        }
    }
}
