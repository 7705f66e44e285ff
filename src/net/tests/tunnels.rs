//! Packets inside packets: opened whole and cut anywhere, with bad lengths, and named if not opened.

use super::*;

fn udp(dst: u16, payload: &[u8]) -> Vec<u8> {
    let len = 8 + u16::try_from(payload.len()).unwrap();
    [b"\xc3\x50", &dst.to_be_bytes()[..], &len.to_be_bytes(), b"\0\0", payload].concat()
}

fn over_ip(protocol: u8, payload: &[&[u8]]) -> Vec<u8> {
    ethernet(&[], 0x0800, &ipv4(protocol, 0, None, &payload.concat()))
}

fn over_udp(port: u16, payload: &[&[u8]]) -> Vec<u8> {
    over_ip(17, &[&udp(port, &payload.concat())])
}

/// The frame carries [`PAYLOAD`]; a prefix of it carries less of it, or says nothing wrong.
#[track_caller]
fn opened(link: LinkType, frame: &[u8]) {
    let len = clamp(frame.len());
    let good = segment(link, frame, len);
    let bytes = View::new(frame, &[], &[]).slice(good.payload).bytes();
    assert_eq!((bytes, good.payload_len, good.seq), (PAYLOAD, 6, 7));
    let shown = tree(link, frame);
    let innermost = shown.nodes().iter().rfind(|row| &*row.name == "Sequence Number");
    assert_eq!(innermost.map(|row| &*row.value), Some("7"));
    for row in shown.nodes() {
        assert!(!row.value.contains("(unknown)"), "{row:?}");
    }
    for kept in 0..good.payload.end {
        match cut(link, &frame[..kept as usize], len) {
            Dissected::Tcp(short) => {
                assert_eq!(Segment { payload: good.payload, ..short }, good, "cut at {kept}");
                assert!(short.payload.end <= kept);
            }
            Dissected::Other(Other::Malformed(_)) => panic!("malformed when cut at {kept}"),
            Dissected::Udp(_) | Dissected::Other(_) => assert!(kept < good.payload.start),
            Dissected::Fragment(part) => panic!("{part}"),
            Dissected::Undelivered(told) => panic!("{told:?}"),
        }
        for row in tree(link, &frame[..kept as usize]).nodes() {
            assert!(row.span.end <= kept, "{row:?}");
        }
    }
}

#[track_caller]
fn named(link: LinkType, frame: &[u8], name: &str) {
    match whole(link, frame) {
        Dissected::Other(other) => assert_eq!(other.to_string(), name),
        found => panic!("{name}: {found:?}"),
    }
    let rows = tree(link, frame);
    let last = rows.nodes().last().unwrap();
    assert!(matches!(&*last.name, "Not read further" | "Cut short"), "{last:?}");
}

#[test]
fn tunnels_over_ip() {
    let (four, six) = (ipv4(6, 0, None, &tcp(PAYLOAD)), ipv6(6, None, &tcp(PAYLOAD)));
    let frame = plain();
    for packet in [
        over_ip(4, &[&four]),
        over_ip(41, &[&six]),
        ethernet(&[], 0x86dd, &ipv6(4, None, &four)),
        over_ip(47, &[b"\0\0\x08\0", &four]),
        over_ip(47, &[b"\xb0\0\x86\xdd", b"\0\0\0\0", b"\0\0\0\x07", b"\0\0\0\x01", &six]),
        over_ip(47, &[b"\x20\0\x65\x58", b"\0\0\x01\0", &frame]),
        // ERSPAN type I, II (VLAN 5, session 9) and III, without and with its subheader.
        over_ip(47, &[b"\0\0\x88\xbe", &frame]),
        over_ip(47, &[b"\x10\0\x88\xbe", b"\0\0\0\x01", b"\x10\x05\0\x09", b"\0\0\0\x03", &frame]),
        over_ip(
            47,
            &[b"\x10\0\x22\xeb", b"\0\0\0\x01", b"\x20\x05\0\x09", b"\0\0\0\0\0\0\0\0", &frame],
        ),
        over_ip(
            47,
            &[
                b"\x10\0\x22\xeb",
                b"\0\0\0\x01",
                b"\x20\x05\0\x09",
                b"\0\0\0\0\0\0\0\x01",
                &[0; 8],
                &frame,
            ],
        ),
    ] {
        opened(LinkType::ETHERNET, &packet);
    }
    let erspan = over_ip(47, &[b"\x10\0\x88\xbe", b"\0\0\0\x01", b"\x20\x05\0\x09", &[0; 40]]);
    named(LinkType::ETHERNET, &erspan, "malformed ERSPAN header");
    for (packet, name) in [
        (over_ip(47, &[b"\x30\x01\x88\x0b", b"\0\x04\0\0\0\0\0\0"]), "PPTP"),
        (over_ip(47, &[b"\x40\0\x08\0", &[0; 20]]), "GRE of another version"),
        (over_ip(47, &[b"\0\0\x88\x3e", &[0; 20]]), "WCCP"),
        (over_ip(47, &[b"\0\0\0\0"]), "GRE of another payload"),
        (over_ip(47, &[b"\x20\0\x08\0"]), "malformed GRE header"),
    ] {
        named(LinkType::ETHERNET, &packet, name);
    }
}

#[test]
fn tunnels_over_udp() {
    let frame = plain();
    let tagged = ethernet(b"\x81\0\0\x07", 0x0800, &ipv4(6, 0, None, &tcp(PAYLOAD)));
    for packet in [
        over_udp(4789, &[b"\x08\0\0\0", b"\0\x12\x34\0", &frame]),
        over_udp(8472, &[b"\x08\0\0\0", b"\0\0\x01\0", &tagged]),
        over_udp(4789, &[b"\x88\x08\0\x21", b"\0\0\x01\0", &frame]),
        over_udp(6081, &[b"\0\0\x65\x58", b"\0\0\x01\0", &frame]),
        over_udp(6081, &[b"\x01\x40\x08\0", b"\0\0\x01\0", b"\x01\x02\x80\0", &frame[14..]]),
    ] {
        opened(LinkType::ETHERNET, &packet);
    }
    let shown =
        tree(LinkType::ETHERNET, &over_udp(4789, &[b"\x08\0\0\0", b"\0\x12\x34\0", &frame]));
    assert_eq!(value(&shown, "VXLAN Network Identifier (VNI)"), 0x1234.to_string());
    // Flags, reserved bits and versions that do not belong to the tunnel of the port.
    for packet in [
        over_udp(4789, &[b"\0\0\0\0", b"\0\0\x01\0", &frame]),
        over_udp(4789, &[b"\x08\0\0\x01", b"\0\0\x01\0", &frame]),
        over_udp(4789, &[b"\x08\0\0\0", b"\0\0\x01\x01", &frame]),
        over_udp(4789, &[b"\x08\0\0\0"]),
        over_udp(4790, &[b"\x08\0\0\0", b"\0\0\x01\0", &frame]),
        over_udp(6081, &[b"\x40\0\x65\x58", b"\0\0\x01\0", &frame]),
        over_udp(6081, &[b"\0\0\x12\x34", b"\0\0\x01\0", &frame]),
    ] {
        assert!(matches!(whole(LinkType::ETHERNET, &packet), Dissected::Udp(_)), "{packet:?}");
    }
    let options = over_udp(6081, &[b"\x3f\0\x65\x58", b"\0\0\x01\0", &frame]);
    named(LinkType::ETHERNET, &options, "malformed Geneve header");
}

#[test]
fn below_ip() {
    let (four, six) = (ipv4(6, 0, None, &tcp(PAYLOAD)), ipv6(6, None, &tcp(PAYLOAD)));
    let pppoe = |len: usize, packet: &[&[u8]]| {
        let len = u16::try_from(len).unwrap().to_be_bytes();
        ethernet(&[], 0x8864, &[b"\x11\0\0\x07", &len[..], &packet.concat()].concat())
    };
    let snap = |ethertype: &[u8], packet: &[u8]| {
        let len = u16::try_from(packet.len() + 8).unwrap();
        ethernet(&[], len, &[b"\xaa\xaa\x03\0\0\0", ethertype, packet].concat())
    };
    let sll = b"\0\0\0\x01\0\x06\x02\0\0\0\0\x01\0\0";
    for (link, packet) in [
        (LinkType::ETHERNET, ethernet(&[], 0x8847, &[b"\0\x01\x01\x40", &four[..]].concat())),
        (
            LinkType::ETHERNET,
            ethernet(&[], 0x8847, &[b"\0\x01\0\x40", b"\0\x02\x01\x40", &six[..]].concat()),
        ),
        (LinkType::ETHERNET, pppoe(four.len() + 2, &[b"\0\x21", &four])),
        (LinkType::ETHERNET, pppoe(six.len() + 1, &[b"\x57", &six, b"padding"])),
        (LinkType::ETHERNET, snap(b"\x08\0", &four)),
        (LinkType::ETHERNET, snap(b"\x81\0", &[b"\0\x05\x86\xdd", &six[..]].concat())),
        (LinkType::ETHERNET, ethernet(b"\x88\xa8\0\x05\x81\0\0\x06", 0x0800, &four)),
        (LinkType::ETHERNET, ethernet(b"\x91\0\0\x05\x91\0\0\x06", 0x86dd, &six)),
        (LinkType::LINUX_SLL, [&sll[..], b"\x88\xa8\0\x05\x81\0\0\x06\x08\0", &four].concat()),
        (LinkType::PPP, [b"\xff\x03\0\x21", &four[..]].concat()),
        (LinkType::PPP, [b"\0\x57", &six[..]].concat()),
        (LinkType::PPP_HDLC, [b"\xff\x03\x21", &four[..]].concat()),
    ] {
        opened(link, &packet);
    }
    for (packet, name) in [
        (ethernet(&[], 0x8847, b"\0\x01\x01\x40\0\0\0\0\x02\0\0"), "MPLS without IP in it"),
        (ethernet(&[], 0x8847, &b"\0\x01\0\x40".repeat(20)), "MPLS without IP in it"),
        (pppoe(1, &[b"\0\x21", &four]), "malformed PPP header"),
        (pppoe(20, &[b"\0\x21", &four]), "too short for IPv4 header"),
        (pppoe(6, &[b"\xc0\x21\x01\x01\0\x04"]), "PPP protocol 0xc021"),
        (ethernet(&[], 0x8864, b"\x11\x09\0\0\0\0"), "PPPoE discovery"),
        (snap(b"\0\x26", &four), "IEEE 802.3 with LLC"),
        (ethernet(&[], 38, &[0x42; 38]), "IEEE 802.3 with LLC"),
        (ethernet(&[], 0x88e5, &[0; 40]), "MACsec"),
    ] {
        named(LinkType::ETHERNET, &packet, name);
    }
}

#[test]
fn a_netfilter_log_in_either_byte_order() {
    let four = ipv4(6, 0, None, &tcp(PAYLOAD));
    let len = u16::try_from(4 + four.len()).unwrap();
    let log = |bytes: fn(u16) -> [u8; 2], len: u16| {
        let attributes: [&[u8]; 8] = [
            b"\x02\0\0\x05", // family, version, resource
            &bytes(8),
            &bytes(1),
            b"\x08\0\x03\0", // protocol, hook
            &bytes(5),
            &bytes(10),
            b"\0\0\0\0", // an empty prefix and what fills it up
            &bytes(len),
        ];
        [attributes.concat(), bytes(9).to_vec(), four.clone()].concat()
    };
    opened(LinkType::NFLOG, &log(u16::to_be_bytes, len));
    opened(LinkType::NFLOG, &log(u16::to_le_bytes, len));
    let short = log(u16::to_le_bytes, 3);
    named(LinkType::NFLOG, &short, "malformed link-layer header");
    let mut family = log(u16::to_le_bytes, len);
    family[0] = 7;
    named(LinkType::NFLOG, &family, "address family 7");
}

#[test]
fn tunnels_nest_up_to_a_bound() {
    let mut packet = ipv4(6, 0, None, &tcp(PAYLOAD));
    for _ in 0..MAX_TUNNELS {
        packet = ipv4(4, 0, None, &packet);
    }
    opened(LinkType::RAW, &packet);
    packet = ipv4(47, 0, None, &[b"\0\0\x08\0", &packet[..]].concat());
    let deep = "more tunnels inside each other than are opened";
    named(LinkType::RAW, &packet, deep);
}

#[test]
fn the_length_of_a_tunnel_bounds_what_is_in_it() {
    // The inner packet leaves its length to the network card: the outer one has it. Ethernet pads.
    let inner = ethernet(&[], 0x0800, &ipv4(6, 0, Some(0), &tcp(PAYLOAD)));
    let mut frame = over_udp(4789, &[b"\x08\0\0\0", b"\0\0\x01\0", &inner]);
    frame.extend([0xee; 9]);
    let found = segment(LinkType::ETHERNET, &frame, clamp(frame.len()));
    assert_eq!(found.payload_len, 6);
    // The inner packet claims more than the outer one has room for: a switch has cut it.
    let inner = ethernet(&[], 0x0800, &ipv4(6, 0, None, &tcp(PAYLOAD)));
    let frame = over_udp(4789, &[b"\x08\0\0\0", b"\0\0\x01\0", &inner[..40]]);
    named(LinkType::ETHERNET, &frame, "too short for TCP header");
    let mut frame = over_udp(4789, &[b"\x08\0\0\0", b"\0\0\x01\0", &inner[..inner.len() - 2]]);
    frame.extend([0xee; 9]);
    let found = segment(LinkType::ETHERNET, &frame, clamp(frame.len()));
    assert_eq!((found.payload.len(), found.payload_len), (4, 6));
}

#[test]
fn what_may_be_smb_or_a_sealed_tunnel_is_named() {
    let initial = |version: &[u8]| [b"\xc3", version, b"\x08", &[7; 40][..]].concat();
    let quic = "QUIC (may be SMB over QUIC)";
    for (packet, name) in [
        (over_udp(443, &[&initial(b"\0\0\0\x01")]), quic),
        (over_udp(445, &[&initial(b"\x6b\x33\x43\xcf")]), quic),
        (over_udp(4791, &[&[0; 16]]), "RoCE v2 (may be SMB over RDMA)"),
        (ethernet(&[], 0x8915, &[0; 60]), "RoCE v1 (may be SMB over RDMA)"),
        (over_udp(3544, &[&[0; 16]]), "Teredo"),
        (over_udp(51820, &[b"\x04\0\0\0", &[9; 28]]), "WireGuard"),
        (over_udp(4500, &[b"\0\0\0\x09", &[9; 28]]), "IPsec ESP in UDP"),
        (over_ip(50, &[&[9; 28]]), "IPsec ESP"),
        (over_ip(115, &[&[9; 28]]), "L2TP"),
    ] {
        named(LinkType::ETHERNET, &packet, name);
    }
    for packet in [
        // Another version, a short header, a connection identifier that is too long, another port.
        over_udp(443, &[&initial(b"\0\0\0\x02")]),
        over_udp(443, &[b"\x43", &initial(b"\0\0\0\x01")[1..]]),
        over_udp(443, &[b"\xc3\0\0\0\x01\x15", &[7; 40]]),
        over_udp(8443, &[&initial(b"\0\0\0\x01")]),
        over_udp(51820, &[b"\x05\0\0\0", &[9; 28]]),
        over_udp(4500, &[b"\0\0\0\0", &[9; 28]]),
        over_udp(443, &[b"\xc3"]),
    ] {
        assert!(matches!(whole(LinkType::ETHERNET, &packet), Dissected::Udp(_)), "{packet:?}");
    }
}
