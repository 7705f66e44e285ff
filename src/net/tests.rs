//! Headers built field by field, whole, short and contradictory.

mod fragments;
mod icmp;
mod tunnels;

use super::*;
use crate::bytes::{FrameNo, Piece, Time, Tree, View, clamp};

/// Destination, source.
const MACS: &[u8] = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02";

const PAYLOAD: &[u8] = b"abcdef";

/// Ports 445 and 50000, sequence 7, acknowledgement 9, ACK and PSH, one option of four bytes.
fn tcp(payload: &[u8]) -> Vec<u8> {
    let header: [&[u8]; 7] = [
        b"\x01\xbd\xc3\x50",     // ports
        b"\0\0\0\x07\0\0\0\x09", // sequence, acknowledgement
        b"\x60\x18",             // data offset 6, ACK | PSH
        b"\x04\0",               // window
        b"\0\0\0\0",             // checksum, urgent pointer
        b"\x02\x04\x05\xb4",     // maximum segment size
        payload,
    ];
    header.concat()
}

fn ipv4(protocol: u8, fragment: u16, total: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let total = total.unwrap_or_else(|| 20 + u16::try_from(payload.len()).unwrap());
    let header: [&[u8]; 8] = [
        b"\x45\0", // version and header length, type of service
        &total.to_be_bytes(),
        b"\0\x01", // identification
        &fragment.to_be_bytes(),
        &[64, protocol, 0, 0], // time to live, protocol, checksum
        &[10, 0, 0, 1],
        &[10, 0, 0, 2],
        payload,
    ];
    header.concat()
}

fn ipv6(next: u8, len: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let len = len.unwrap_or_else(|| u16::try_from(payload.len()).unwrap());
    let header: [&[u8]; 6] = [
        b"\x60\0\0\0", // version, traffic class, flow label
        &len.to_be_bytes(),
        &[next, 64],
        b"\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01",
        b"\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02",
        payload,
    ];
    header.concat()
}

fn ethernet(tags: &[u8], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [MACS, tags, &ethertype.to_be_bytes(), payload].concat()
}

fn plain() -> Vec<u8> {
    ethernet(&[], 0x0800, &ipv4(6, 0x4000, None, &tcp(PAYLOAD)))
}

/// What of the frame was captured is `frame`.
fn cut(link: LinkType, frame: &[u8], wire_len: u32) -> Dissected {
    dissect(link, View::new(frame, &[], &[]), wire_len)
}

fn whole(link: LinkType, frame: &[u8]) -> Dissected {
    cut(link, frame, clamp(frame.len()))
}

#[track_caller]
fn segment(link: LinkType, frame: &[u8], wire_len: u32) -> Segment {
    match cut(link, frame, wire_len) {
        Dissected::Tcp(segment) => segment,
        other => panic!("{other:?}"),
    }
}

fn tree(link: LinkType, frame: &[u8]) -> Tree {
    let piece = Piece {
        at: 0,
        len: clamp(frame.len()),
        frame: FrameNo(1),
        offset: 0,
        time: Time::default(),
        made: false,
    };
    let mut tree = Tree::default();
    rows(link, View::new(frame, &[piece], &[]), &mut tree);
    tree
}

fn value(tree: &Tree, name: &str) -> String {
    let row = tree.nodes().iter().find(|row| &*row.name == name);
    row.map(|row| row.value.to_string()).unwrap_or_default()
}

/// The frame carries [`PAYLOAD`], the rows agree with the segment, and no prefix of it panics,
/// gives bytes it has not, or changes what was sent.
#[track_caller]
fn check(link: LinkType, frame: &[u8]) {
    let len = clamp(frame.len());
    let good = segment(link, frame, len);
    assert_eq!(good.payload_len, clamp(PAYLOAD.len()));
    let span = good.payload.start as usize..good.payload.end as usize;
    assert_eq!(&frame[span], PAYLOAD);
    assert_eq!((good.src.port(), good.dst.port()), (445, 50000));
    assert_eq!((good.seq, good.ack, good.psh, good.syn), (7, Some(9), true, false));
    let shown = tree(link, frame);
    assert_eq!(value(&shown, "Source Address"), good.src.ip().to_string());
    assert_eq!(value(&shown, "Destination Address"), good.dst.ip().to_string());
    assert_eq!(value(&shown, "Sequence Number"), "7");
    assert_eq!(value(&shown, "Maximum Segment Size"), "1460");
    assert_eq!(value(&shown, "Cut short"), "");
    for kept in 0..good.payload.end {
        let prefix = &frame[..kept as usize];
        match cut(link, prefix, len) {
            Dissected::Tcp(short) => {
                let payload = short.payload;
                assert!(payload.start <= payload.end && payload.end <= kept);
                let expected = Segment { payload, ..good };
                assert_eq!(short, expected, "cut at {kept}");
                assert_eq!(payload.len(), kept.saturating_sub(good.payload.start));
            }
            Dissected::Other(Other::Short(_)) => assert!(kept < good.payload.start),
            other => panic!("cut at {kept}: {other:?}"),
        }
        let last = tree(link, prefix).nodes().last().unwrap().clone();
        let is_short = kept < good.payload.start;
        assert_eq!(&*last.name == "Cut short", is_short, "cut at {kept}: {last:?}");
        assert!(last.span.end <= kept);
    }
}

#[test]
fn every_link_layer() {
    let (four, six) = (ipv4(6, 0, None, &tcp(PAYLOAD)), ipv6(6, None, &tcp(PAYLOAD)));
    let sll = |protocol: &[u8], packet: &[u8]| {
        [b"\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0", protocol, packet].concat()
    };
    let sll2 = |protocol: &[u8], packet: &[u8]| {
        let rest = b"\0\0\0\0\0\x02\0\x01\x04\x06\x02\0\0\0\0\x01\0\0";
        [protocol, rest, packet].concat()
    };
    check(LinkType::ETHERNET, &plain());
    check(LinkType::ETHERNET, &ethernet(&[], 0x86dd, &six));
    check(LinkType::LINUX_SLL, &sll(b"\x08\0", &four));
    check(LinkType::LINUX_SLL, &sll(b"\x86\xdd", &six));
    check(LinkType::LINUX_SLL2, &sll2(b"\x08\0", &four));
    check(LinkType::LINUX_SLL2, &sll2(b"\x81\0", &[b"\0\x05\x86\xdd", &six[..]].concat()));
    check(LinkType::RAW, &four);
    check(LinkType::RAW_12, &six);
    check(LinkType::RAW_14, &four);
    check(LinkType::IPV4, &four);
    check(LinkType::IPV6, &six);
    check(LinkType::NULL, &[b"\x02\0\0\0", &four[..]].concat());
    check(LinkType::NULL, &[b"\0\0\0\x02", &four[..]].concat());
    check(LinkType::NULL, &[b"\x1e\0\0\0", &six[..]].concat());
    check(LinkType::LOOP, &[b"\0\0\0\x18", &six[..]].concat());
}

#[test]
fn vlan_tags_of_all_kinds_up_to_eight() {
    let packet = ipv4(6, 0, None, &tcp(PAYLOAD));
    check(LinkType::ETHERNET, &ethernet(b"\x81\0\x20\x05", 0x0800, &packet));
    check(LinkType::ETHERNET, &ethernet(b"\x88\xa8\0\x05\x91\0\0\x06", 0x0800, &packet));
    check(LinkType::ETHERNET, &ethernet(&b"\x81\0\0\x05".repeat(8), 0x0800, &packet));
    let shown = tree(LinkType::ETHERNET, &ethernet(b"\x81\0\x20\x05", 0x0800, &packet));
    assert_eq!(value(&shown, "VLAN identifier"), "5");
    assert_eq!(value(&shown, "Priority"), "1");
    let nine = ethernet(&b"\x81\0\0\x05".repeat(9), 0x0800, &packet);
    let too_many = Dissected::Other(Other::EtherType(0x8100));
    assert_eq!(whole(LinkType::ETHERNET, &nine), too_many);
}

#[test]
fn ipv6_extension_headers_are_passed_over() {
    let options = |next: u8| [next, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let hop_by_hop = options(60);
    let destination = options(44);
    let whole_fragment = [51, 0, 0, 0, 0, 0, 0, 1];
    let authentication = [6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    let chain: [&[u8]; 5] =
        [&hop_by_hop, &destination, &whole_fragment, &authentication, &tcp(PAYLOAD)];
    check(LinkType::IPV6, &ipv6(0, None, &chain.concat()));
    check(LinkType::IPV4, &ipv4(51, 0, None, &[&authentication, &tcp(PAYLOAD)[..]].concat()));
    let fragment = [6, 0, 0, 1, 0, 0, 0, 1];
    let frame = ipv6(44, None, &[&fragment, &tcp(b"12345678")[..]].concat());
    assert!(matches!(whole(LinkType::IPV6, &frame), Dissected::Fragment(_)));
    let shown = tree(LinkType::IPV6, &frame);
    let expected = "fragment of IP datagram 0x0001: its bytes from 0 to 32";
    assert_eq!(value(&shown, "Not read further"), expected);
}

#[test]
fn padding_is_no_payload() {
    let mut frame = ethernet(&[], 0x0800, &ipv4(6, 0, None, &tcp(b"")));
    frame.resize(60, 0);
    let ack = segment(LinkType::ETHERNET, &frame, 60);
    assert_eq!((ack.payload.len(), ack.payload_len), (0, 0));
}

#[test]
fn a_length_left_to_the_network_card_is_the_frames() {
    let big = tcp(&[7; 3000]);
    for frame in [
        ethernet(&[], 0x0800, &ipv4(6, 0, Some(0), &big)),
        ethernet(&[], 0x86dd, &ipv6(6, Some(0), &big)),
    ] {
        let sent = segment(LinkType::ETHERNET, &frame, clamp(frame.len()));
        assert_eq!((sent.payload.len(), sent.payload_len), (3000, 3000));
        let snapped = segment(LinkType::ETHERNET, &frame[..100], clamp(frame.len()));
        assert_eq!(snapped.payload_len, 3000);
        assert_eq!(snapped.payload.end, 100);
    }
}

#[test]
fn udp_takes_the_shorter_of_two_lengths() {
    let udp = |len: u8| [b"\0\x58\xc3\x50\0", &[len][..], b"\0\0", PAYLOAD].concat();
    for (len, payload_len) in [(14, 6), (12, 4), (200, 6), (0, 6)] {
        let frame = ipv4(17, 0, None, &udp(len));
        let Dissected::Udp(datagram) = whole(LinkType::IPV4, &frame) else {
            panic!("no datagram");
        };
        assert_eq!((datagram.src.port(), datagram.dst.port()), (88, 50000));
        assert_eq!(datagram.payload, Span::new(28, 28 + payload_len));
        assert_eq!(datagram.payload_len, payload_len);
    }
    let frame = ipv4(17, 0, None, &udp(7));
    assert_eq!(whole(LinkType::IPV4, &frame), Dissected::Other(Other::Malformed("UDP header")));
    assert_eq!(value(&tree(LinkType::IPV4, &frame), "Length"), "7");
}

#[test]
fn what_is_no_segment_is_named() {
    let mut offset = tcp(PAYLOAD);
    offset[12] = 0x40;
    for (link, frame, name) in [
        (LinkType(147), vec![0; 40], "unknown link type 147 (link type 147)"),
        (LinkType::ETHERNET, vec![0; 13], "too short for link-layer header"),
        (LinkType::ETHERNET, ethernet(&[], 0x0806, &[0; 28]), "ARP"),
        (LinkType::ETHERNET, ethernet(&[], 38, &[0x42; 38]), "IEEE 802.3 with LLC"),
        (LinkType::ETHERNET, ethernet(&[], 0x88cc, &[]), "LLDP"),
        (LinkType::ETHERNET, ethernet(&[], 0x1234, &[]), "EtherType 0x1234"),
        (LinkType::ETHERNET, ethernet(&[], 0x86dd, &plain()[14..]), "malformed IPv6 header"),
        (LinkType::NULL, vec![0, 0, 0, 7], "address family 7"),
        (LinkType::RAW, vec![0x50; 40], "malformed IP version"),
        (LinkType::RAW, ipv4(1, 0, None, &[8; 8]), "ICMP"),
        (LinkType::RAW, ipv4(50, 0, None, &[8; 8]), "IPsec ESP"),
        (LinkType::RAW, ipv4(200, 0, None, &[8; 8]), "IP protocol 200"),
        (LinkType::RAW, ipv4(6, 0x2000, None, &[0; 7]), "malformed IP fragment"),
        (LinkType::RAW, ipv4(6, 0x1fff, None, &[0; 8]), "malformed IP fragment"),
        (LinkType::RAW, ipv4(6, 3, None, &[]), "malformed IP fragment"),
        (LinkType::RAW, ipv4(6, 0, Some(19), &tcp(b"")), "malformed IPv4 header"),
        (LinkType::RAW, ipv4(6, 0, Some(41), &tcp(b"")), "malformed TCP header"),
        (LinkType::RAW, ipv4(6, 0, None, &offset), "malformed TCP header"),
    ] {
        match whole(link, &frame) {
            Dissected::Other(other) => assert_eq!(other.to_string(), name),
            found => panic!("{name}: {found:?}"),
        }
        assert!(link == LinkType(147) || !tree(link, &frame).nodes().is_empty());
    }
}

#[test]
fn rows_cover_the_bytes_they_show() {
    let frame = plain();
    let shown = tree(LinkType::ETHERNET, &frame);
    let spans: Vec<_> = shown
        .nodes()
        .iter()
        .filter(|row| row.depth == 0)
        .map(|row| (&*row.name, row.span))
        .collect();
    assert_eq!(
        spans,
        [
            ("Ethernet II", Span::new(0, 14)),
            ("Internet Protocol Version 4", Span::new(14, 34)),
            ("Transmission Control Protocol", Span::new(34, 58)),
        ]
    );
    for (name, text, span) in [
        ("Source", "02:00:00:00:00:02", Span::new(6, 12)),
        ("Type", "IPv4 (2048)", Span::new(12, 14)),
        ("Version", "4", Span::new(14, 15)),
        ("IHL", "5", Span::new(14, 15)),
        ("Total Length", "50", Span::new(16, 18)),
        ("Flags", "0x2 (DF)", Span::new(20, 22)),
        ("Fragment Offset", "0", Span::new(20, 22)),
        ("Protocol", "TCP (6)", Span::new(23, 24)),
        ("Destination Address", "10.0.0.2", Span::new(30, 34)),
        ("Data Offset", "6", Span::new(46, 48)),
        ("Window", "1024", Span::new(48, 50)),
        ("Maximum Segment Size", "1460", Span::new(56, 58)),
    ] {
        let row = shown.nodes().iter().find(|row| &*row.name == name).unwrap();
        assert_eq!((&*row.value, row.span), (text, span), "{name}");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_panics_or_points_outside(
        link in proptest::sample::select(vec![0u16, 1, 12, 101, 108, 113, 228, 229, 276, 9]),
        start in proptest::sample::select(vec![plain(), ipv6(0, None, &tcp(PAYLOAD)), vec![]]),
        changes in proptest::collection::vec((0usize..90, proptest::num::u8::ANY), 0..8),
        noise in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
        wire_len in proptest::num::u32::ANY,
    ) {
        let mut frame = [start, noise].concat();
        for (at, value) in changes {
            if let Some(byte) = frame.get_mut(at) {
                *byte = value;
            }
        }
        let len = clamp(frame.len());
        if let Dissected::Tcp(Segment { payload, payload_len, .. })
            | Dissected::Udp(UserDatagram { payload, payload_len, .. }) =
            cut(LinkType(link), &frame, wire_len)
        {
            assert!(payload.start <= payload.end && payload.end <= len);
            assert!(payload.len() <= payload_len);
        }
        for row in tree(LinkType(link), &frame).nodes() {
            assert!(row.span.start <= row.span.end && row.span.end <= len, "{row:?}");
        }
    }
}
