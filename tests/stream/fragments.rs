//! Captures whose IP packets are cut into fragments say what they said before.

use proptest::prelude::*;
use vshark::bytes::View;
use vshark::pipeline::UnitKind;

use crate::read::{Reading, read, read_watching};
use crate::wire;

/// Frames of a capture with their times.
fn frames(name: &str) -> Vec<(u64, Vec<u8>)> {
    let file = wire::file(name);
    let word = |at: usize| u64::from(u32::from_le_bytes(file[at..at + 4].try_into().unwrap()));
    let starts = wire::boundaries(&file);
    let frame = |at: &[usize]| {
        (word(at[0]) * 1_000_000 + word(at[0] + 4), file[at[0] + 16..at[1]].to_vec())
    };
    starts.windows(2).map(frame).collect()
}

/// The frame as fragments of these sizes in turn; as it is, if it carries no IP or little.
fn cut(frame: &[u8], id: u32, sizes: &mut impl Iterator<Item = usize>) -> Vec<Vec<u8>> {
    let (link, packet) = frame.split_at(14);
    let be16 = |at: usize| usize::from(u16::from_be_bytes([packet[at], packet[at + 1]]));
    let (header, end) = match &link[12..] {
        [0x08, 0] => (usize::from(packet[0] & 15) * 4, be16(2)),
        [0x86, 0xdd] => (40, 40 + be16(4)),
        _ => return vec![frame.to_vec()],
    };
    let payload = &packet[header..end];
    let mut parts = Vec::new();
    let mut at = 0;
    while at < payload.len() {
        let to = payload.len().min(at + sizes.next().unwrap() * 8);
        let more = to < payload.len();
        let mut head = packet[..header].to_vec();
        if header == 40 {
            let len = u16::try_from(8 + to - at).unwrap();
            head[4..6].copy_from_slice(&len.to_be_bytes());
            let next = std::mem::replace(&mut head[6], 44);
            head.extend([next, 0]);
            head.extend((u16::try_from(at).unwrap() | u16::from(more)).to_be_bytes());
            head.extend(id.to_be_bytes());
        } else {
            let len = u16::try_from(header + to - at).unwrap();
            head[2..4].copy_from_slice(&len.to_be_bytes());
            head[4..6].copy_from_slice(&u16::try_from(id % 0x10000).unwrap().to_be_bytes());
            let word = u16::try_from(at / 8).unwrap() | if more { 0x2000 } else { 0 };
            head[6..8].copy_from_slice(&word.to_be_bytes());
        }
        parts.push([link, &head, &payload[at..to]].concat());
        at = to;
    }
    if parts.is_empty() { vec![frame.to_vec()] } else { parts }
}

/// The capture in fragments, some of them twice, none further than a few places from its own.
fn fragmented(name: &str, sizes: &[usize], picks: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut sizes = sizes.iter().copied().cycle();
    let mut out = Vec::new();
    for (id, (time, frame)) in (1..).zip(frames(name)) {
        out.extend(cut(&frame, id, &mut sizes).into_iter().map(|part| (time, part)));
    }
    let mut order: Vec<usize> = (0..out.len()).collect();
    let pick = |n: usize| usize::from(picks[n % picks.len()]);
    order.sort_by_key(|n| n + pick(*n) % 4);
    let again = |n: &usize| if pick(*n) % 16 == 3 { vec![*n, *n] } else { vec![*n] };
    order.iter().flat_map(again).map(|n| out[n].clone()).collect()
}

/// Every octet of every stub is in the frame that is said to have carried it.
fn check_provenance(reading: &Reading, frames: &[(u64, Vec<u8>)]) {
    for call in &reading.calls {
        for message in [&call.rpc.request, &call.rpc.response].into_iter().flatten() {
            let view = message.stub.view();
            for piece in view.pieces() {
                let (_, frame) = &frames[usize::try_from(piece.frame.0).unwrap() - 1];
                let carried = View::new(frame, &[], &[]).from(piece.offset).bytes();
                let at = piece.at as usize;
                let stub = &view.bytes()[at..at + piece.len as usize];
                assert!(carried.starts_with(stub), "call {}: {piece:?}", call.rpc.n);
                assert!(message.frames.contains(&piece.frame));
            }
        }
    }
}

/// An Ethernet frame inside VXLAN between two switches.
fn in_vxlan(inner: &[u8]) -> Vec<u8> {
    let len = |extra: usize| u16::try_from(inner.len() + extra).unwrap().to_be_bytes();
    let parts: [&[u8]; 12] = [
        &[0x02; 12],             // link layer addresses
        b"\x08\0\x45\0",         // IPv4, version and header length, type of service
        &len(36),                // total length
        b"\0\0\0\0",             // identification, fragment
        b"\x40\x11\0\0",         // time to live, UDP, checksum
        b"\xc0\xa8\0\x01",       // source
        b"\xc0\xa8\0\x02",       // destination
        b"\xd0\0\x12\xb5",       // ports
        &len(16),                // length
        b"\0\0",                 // checksum
        b"\x08\0\0\0\0\0\x05\0", // flags, network 5
        inner,
    ];
    parts.concat()
}

#[test]
fn a_tunnel_changes_no_call_even_in_fragments_and_beside_what_is_in_it() {
    for name in ["a-ntlm-sign-smb311.pcap", "i-real-ipv6-sign.pcap"] {
        let before = read(&wire::file(name));
        let inner = frames(name);
        let tunneled: Vec<_> = inner.iter().map(|(time, frame)| (*time, in_vxlan(frame))).collect();
        let same = |frames: &[(u64, Vec<u8>)]| {
            let after = read(&wire::pcap(frames));
            assert_eq!(after.timeless(), before.timeless());
            assert_eq!(after.summary.tcp.conflicts, 0);
            check_provenance(&after, frames);
            after
        };
        same(&tunneled);
        // A mirrored port shows each packet inside its tunnel and outside.
        let both: Vec<_> =
            inner.iter().zip(&tunneled).flat_map(|(a, b)| [a.clone(), b.clone()]).collect();
        same(&both);
        // The packet is cut before the tunnel, after it, and both.
        let mut id = 1;
        let mut again = |frames: &[(u64, Vec<u8>)], size: usize| -> Vec<(u64, Vec<u8>)> {
            let cut = frames.iter().flat_map(|(time, frame)| {
                id += 1;
                let parts = cut(frame, id, &mut std::iter::repeat(size));
                parts.into_iter().map(|part| (*time, part)).collect::<Vec<_>>()
            });
            cut.collect()
        };
        let early = again(&inner, 20);
        let tunnel = |frames: &[(u64, Vec<u8>)]| -> Vec<(u64, Vec<u8>)> {
            frames.iter().map(|(time, frame)| (*time, in_vxlan(frame))).collect()
        };
        same(&tunnel(&early));
        let late = again(&tunneled, 20);
        same(&late);
        let twice = again(&tunnel(&early), 9);
        assert!(same(&twice).summary.fragments.datagrams > 100);
    }
}

#[test]
fn lengths_left_to_the_network_card_change_no_call() {
    for name in ["a-ntlm-sign-smb311.pcap", "i-real-ipv6-sign.pcap"] {
        let before = read(&wire::file(name));
        let mut zeroed = frames(name);
        for (_, frame) in zeroed.iter_mut().filter(|(_, frame)| frame.len() > 60) {
            match frame[12..14] {
                [8, 0] => frame[16..18].fill(0),
                [0x86, 0xdd] => frame[18..20].fill(0),
                _ => {}
            }
        }
        let after = read(&wire::pcap(&zeroed));
        assert_eq!(after.records(), before.records());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn fragments_of_any_size_give_the_same_calls(
        name in prop::sample::select(vec![
            "a-ntlm-sign-smb311.pcap",
            "e-py-fragmented.pcap",
            "g-two_pipes_one_session.pcap",
            "i-real-ipv6-sign.pcap",
        ]),
        sizes in prop::collection::vec(prop_oneof![1usize..4, 4usize..40, 20usize..180], 1..12),
        picks in prop::collection::vec(any::<u8>(), 1..60),
    ) {
        let before = read(&wire::file(name));
        let cut = fragmented(name, &sizes, &picks);
        let after = read(&wire::pcap(&cut));
        prop_assert_eq!(after.unordered(), before.unordered());
        prop_assert_eq!(after.summary.fragments.incomplete, 0);
        prop_assert_eq!(after.summary.fragments.conflicts, 0);
        prop_assert_eq!(after.summary.tcp.gaps, 0);
        check_provenance(&after, &cut);
    }
}

#[test]
fn a_frame_with_a_fragment_shows_the_datagram_it_is_part_of() {
    let cut = fragmented("a-ntlm-sign-smb311.pcap", &[8], &[0]);
    let before = read(&wire::pcap(&cut));
    let request = before.calls[0].rpc.request.as_ref().unwrap();
    let frame = *request.frames.last().unwrap();
    let watched = read_watching(&wire::pcap(&cut), Some(frame));
    let kinds: Vec<_> = watched.units.iter().map(|unit| unit.kind).collect();
    let [UnitKind::Ip(ip), UnitKind::Smb, UnitKind::Rpc] = kinds[..] else { panic!("{kinds:?}") };
    assert_eq!(ip.protocol, 6);
    let view = watched.units[0].bytes.view();
    assert!(view.frames().len() > 2 && view.frames().contains(&frame));
}

#[test]
fn a_missing_fragment_costs_its_datagram_only() {
    let name = "a-ntlm-sign-smb311.pcap";
    let mut cut = fragmented(name, &[8], &[0]);
    let whole = read(&wire::pcap(&cut));
    // The last fragment of some request.
    let request = whole.calls[5].rpc.request.as_ref().unwrap();
    let frame = usize::try_from(request.frames.last().unwrap().0).unwrap();
    cut.remove(frame - 1);
    let part = read(&wire::pcap(&cut));
    assert_eq!(part.summary.fragments.incomplete, 1);
    assert!(part.summary.tcp.lost_bytes > 0);
    let losses = crate::read::losses(&part, &whole).unwrap();
    assert_eq!(losses.damaged.len(), 1, "{losses:?}");
}
