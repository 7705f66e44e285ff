//! The NetBIOS session service of port 139.

use super::lab::Lab;
use crate::bytes::{Framed, Reader, Tree, View};
use crate::smb::{Event, Packet, SessionPacket, SessionRefusal, dissect, plausible_start, sender};

/// RFC 1001 14.1: 16 octets as 32 letters, behind their number.
fn name(name: &str, suffix: u8, scope: &[u8]) -> Vec<u8> {
    let octets = format!("{name:<15}").into_bytes().into_iter().chain([suffix]);
    let letters = octets.flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]);
    [&[32][..], &letters.collect::<Vec<_>>(), scope, &[0]].concat()
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 0, high, low][..], body].concat()
}

fn request(called: &str, scope: &[u8]) -> Vec<u8> {
    packet(0x81, &[name(called, 0x20, scope), name("VM", 0, scope)].concat())
}

fn read(unit: &[u8]) -> (Result<Packet, crate::bytes::Stop>, Vec<(String, String)>) {
    let mut tree = Tree::default();
    let packet = dissect(&mut Reader::new(View::new(unit, &[], &[]), &mut tree), |_| {});
    let rows = tree.nodes().iter().map(|node| (node.name.to_string(), node.value.to_string()));
    (packet, rows.collect())
}

#[test]
fn every_packet_is_read() {
    let asks = || SessionPacket::Request { called: "FSS1".into(), calling: "VM".into() };
    for (unit, expect) in [
        (request("FSS1", b""), asks()),
        (request("FSS1", b"\x03lab\x04test"), asks()),
        (packet(0x82, b""), SessionPacket::Positive),
        (packet(0x83, b"\x82"), SessionPacket::Negative(SessionRefusal(0x82))),
        (
            packet(0x84, b"\x0a\x00\x00\x07\x00\x8b"),
            SessionPacket::Retarget { ip: [10, 0, 0, 7].into(), port: 139 },
        ),
        (packet(0x85, b""), SessionPacket::KeepAlive),
    ] {
        assert_eq!(read(&unit).0, Ok(Packet::Session(expect)));
        for n in 4..unit.len() {
            let short = packet(unit[0], &unit[4..n]);
            assert!(read(&short).0.is_err_and(|stop| stop.is_malformed()), "{n} of {unit:?}");
            assert!(read(&unit[..n]).0.is_err_and(|stop| !stop.is_malformed()), "{n} of {unit:?}");
        }
    }
    let (_, rows) = read(&request("FSS1", b""));
    assert!(rows.contains(&("CALLED NAME".into(), "\"FSS1\"".into())), "{rows:?}");
    let (_, rows) = read(&packet(0x83, b"\x82"));
    assert!(
        rows.contains(&("ERROR_CODE".into(), "called name not present (130)".into())),
        "{rows:?}"
    );
    let mut bad = request("FSS1", b"");
    bad[4] = 31;
    assert!(read(&bad).0.is_err_and(|stop| stop.is_malformed()));
}

#[test]
fn names_are_known_before_any_logon() {
    let mut lab = Lab::default();
    assert!(
        plausible_start(&request("FSS1", b"")) && plausible_start(&request("FSS1", b"\x03lab"))
    );
    assert_eq!(lab.unit(1, 1, &request("FSS1", b"")), []);
    assert_eq!(lab.unit(1, 1, &packet(0x82, b"")), []);
    let pipe = lab.pipe_of_stranger();
    let known = lab.smb.pipe(pipe).unwrap();
    assert_eq!(known.client_name.as_deref(), Some("VM"));
    assert_eq!(known.server_name.as_deref(), Some("FSS1"));
    // What a client says that does not know the name.
    let mut lab = Lab::default();
    lab.unit(1, 1, &request("*SMBSERVER", b""));
    let pipe = lab.pipe_of_stranger();
    assert_eq!(lab.smb.pipe(pipe).unwrap().server_name, None);
}

#[test]
fn packets_with_nothing_in_them_may_come_before_a_message() {
    let tree = super::wire::Msg::ask(4, 1, 5, super::wire::empty());
    for msg in [tree.clone(), tree.answer(super::wire::empty())] {
        let unit = [b"\x82\0\0\0\x85\0\0\0\x85\0\0\0", &msg.unit()[..]].concat();
        assert!(plausible_start(&unit[..20]) && !plausible_start(&unit[..18]));
        assert_eq!(sender(&unit), sender(&msg.unit()));
        assert!(sender(&unit).is_some());
    }
    assert!(!plausible_start(b"\x82\0\0\0\x85\0\0\0"));
}

#[test]
fn a_session_can_be_denied() {
    let mut lab = Lab::default();
    lab.unit(1, 1, &request("FSS9", b""));
    let denied = lab.unit(1, 1, &packet(0x83, b"\x82"));
    let (called, why) = (Some("FSS9".to_owned()), SessionRefusal(0x82));
    assert_eq!(denied, [Event::NetbiosRefused { called, why }]);
    assert_eq!(why.to_string(), "called name not present");
    assert_eq!(SessionRefusal(7).to_string(), "error 0x07");
}

#[test]
fn lengths_have_17_bits() {
    let lab = Lab::default();
    let framed = |head: &[u8]| lab.frame(head);
    assert_eq!(framed(b"\x85\0\0\0"), Framed::Skim { keep: 4, whole: 4 });
    assert_eq!(framed(b"\x81\x01\xff\xff"), Framed::Skim { keep: 116, whole: 0x1_ffff + 4 });
    assert_eq!(framed(b"\x81\x02\0\0"), Framed::Foreign);
    assert_eq!(framed(b"\x86\0\0\0"), Framed::Foreign);
    assert_eq!(framed(b"\0\0\0\0"), Framed::Skim { keep: 4, whole: 4 });
}
