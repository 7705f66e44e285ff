//! Word of segments that were not delivered.

use std::net::SocketAddr;

use super::*;

/// Type, code, checksum, unused.
fn message(kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    [&[kind, code, 0, 0, 0, 0, 0, 0], quoted].concat()
}

/// An IPv4 frame around what follows ICMP's header.
fn over_ipv4(kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    ethernet(&[], 0x0800, &ipv4(1, 0, None, &message(kind, code, quoted)))
}

fn over_ipv6(kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    ethernet(&[], 0x86dd, &ipv6(58, None, &message(kind, code, quoted)))
}

fn undelivered(frame: &[u8]) -> Option<Undelivered> {
    match whole(LinkType::ETHERNET, frame) {
        Dissected::Undelivered(told) => Some(told),
        _ => None,
    }
}

/// The quoted segment is the one of [`tcp`], of which no more than eight octets are needed.
#[track_caller]
fn check_quoted(frame: &[u8], code: UnreachableCode, quoted: usize) {
    let told = undelivered(frame).expect("it is told");
    let v6 = told.by.is_ipv6();
    let ip = |last: u8| if v6 { format!("[fd00::{last}]") } else { format!("10.0.0.{last}") };
    let at = |last, port: u16| format!("{}:{port}", ip(last)).parse::<SocketAddr>().unwrap();
    let expect =
        Undelivered { by: at(1, 0).ip(), code, src: at(1, 445), dst: at(2, 50000), seq: 7 };
    assert_eq!(told, expect);
    for n in 0..frame.len() {
        let short = cut(LinkType::ETHERNET, &frame[..n], clamp(frame.len()));
        let enough = n >= frame.len() - quoted + 8;
        assert_eq!(short == Dissected::Undelivered(expect), enough, "{n} bytes");
    }
    let rows = tree(LinkType::ETHERNET, frame);
    assert_eq!(value(&rows, "Sequence Number"), "7");
    assert!(value(&rows, "Code").contains(&code.to_string()), "{}", value(&rows, "Code"));
    assert_eq!(value(&rows, "Cut short") + &value(&rows, "Not read further"), "");
}

#[test]
fn segments_that_are_quoted() {
    let segment = tcp(PAYLOAD);
    let quoted = ipv4(6, 0x4000, None, &segment);
    for code in [1, 3, 13] {
        let frame = over_ipv4(3, code, &quoted);
        check_quoted(&frame, UnreachableCode::V4(code), segment.len());
    }
    // No more than a router has to quote.
    let frame = over_ipv4(3, 9, &quoted[..28]);
    check_quoted(&frame, UnreachableCode::V4(9), 8);
    let quoted = ipv6(6, None, &segment);
    for code in [0, 1, 4] {
        let frame = over_ipv6(1, code, &quoted);
        check_quoted(&frame, UnreachableCode::V6(code), segment.len());
    }
}

#[test]
fn options_of_the_quoted_packet_are_passed_over() {
    let mut quoted = ipv4(6, 0, None, &[b"\x01\x01\x01\0", tcp(b"").as_slice()].concat());
    quoted[0] = 0x46;
    let told = undelivered(&over_ipv4(3, 3, &quoted)).unwrap();
    assert_eq!((told.src.port(), told.seq), (445, 7));
    // A header that is shorter than a header.
    quoted[0] = 0x44;
    let bad = whole(LinkType::ETHERNET, &over_ipv4(3, 3, &quoted));
    assert_eq!(bad, Dissected::Other(Other::Malformed("ICMP message")));
}

#[test]
fn what_quotes_no_segment_is_icmp() {
    let udp = ipv4(17, 0, None, &tcp(b""));
    let later = ipv4(6, 0x0001, None, &tcp(b""));
    let segment = ipv4(6, 0, None, &tcp(b""));
    for frame in [
        over_ipv4(3, 3, &udp),
        over_ipv4(3, 3, &later),
        over_ipv4(8, 0, b"echo"),
        over_ipv4(11, 0, &segment),
    ] {
        let icmp = Dissected::Other(Other::IpProtocol(1));
        assert_eq!(whole(LinkType::ETHERNET, &frame), icmp);
    }
    let icmp = Dissected::Other(Other::IpProtocol(58));
    for frame in [over_ipv6(135, 0, b"solicitation"), over_ipv6(1, 0, &ipv6(17, None, b"abcdefgh"))]
    {
        assert_eq!(whole(LinkType::ETHERNET, &frame), icmp);
    }
    // Neither belongs over the other.
    let frame = ethernet(&[], 0x0800, &ipv4(58, 0, None, &message(1, 0, &segment)));
    assert_eq!(whole(LinkType::ETHERNET, &frame), icmp);
    assert!(UnreachableCode::V4(4).is_about_size() && !UnreachableCode::V6(4).is_about_size());
}
