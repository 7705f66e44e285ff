//! Each message read from a sample, from every shorter prefix, and with every length gone bad.

use super::wire::{self, Msg};
use crate::bytes::{Missing, Reader, Stop, Tree, View, Why};
use crate::smb::{Body, Message, Packet, SessionPacket, Status, dissect};

fn read(unit: &[u8]) -> (Vec<Message>, Result<Packet, Stop>, Tree) {
    let mut tree = Tree::default();
    let mut messages = Vec::new();
    let mut r = Reader::new(View::new(unit, &[], &[]), &mut tree);
    let packet = dissect(&mut r, |m| messages.push(m));
    (messages, packet, tree)
}

fn sample(name: &str) -> Vec<u8> {
    let mut all = wire::samples().into_iter();
    all.find(|(n, _)| *n == name).expect("a sample").1
}

fn body(name: &str) -> Body {
    let (mut messages, packet, _) = read(&sample(name));
    assert_eq!(packet, Ok(Packet::Messages), "{name}");
    let message = messages.pop().expect("one message");
    assert_eq!(message.stop, None, "{name}");
    message.body
}

/// The value of the first row of this name.
fn row(tree: &Tree, name: &str) -> String {
    let mut nodes = tree.nodes().iter();
    let node = nodes.find(|node| &*node.name == name);
    node.unwrap_or_else(|| panic!("no {name}")).value.to_string()
}

#[test]
fn every_sample_is_read_to_its_end_and_every_byte_has_a_row() {
    for (name, unit) in wire::samples() {
        body(name);
        let (_, _, tree) = read(&unit);
        let mut seen = vec![false; unit.len()];
        for node in tree.nodes().iter().filter(|node| !node.value.is_empty()) {
            let range =
                usize::try_from(node.span.start).unwrap()..usize::try_from(node.span.end).unwrap();
            seen[range].fill(true);
        }
        // Padding between parts, and what nothing points to, has none.
        let without = seen.iter().filter(|seen| !**seen).count();
        assert!(without <= 16, "{name}: {without} bytes without a row");
    }
}

#[test]
fn fields_have_the_names_and_values_of_the_specification() {
    let (_, _, tree) = read(&sample("create"));
    assert_eq!(row(&tree, "Command"), "CREATE (5)");
    assert_eq!(row(&tree, "SessionId"), "0x0000000048c1f2a3");
    assert_eq!(row(&tree, "Name"), "\"FssagentRpc\"");
    let (_, _, tree) = read(&sample("refused"));
    assert_eq!(row(&tree, "Status"), "STATUS_OBJECT_NAME_NOT_FOUND (0xc0000034)");
    let (_, _, tree) = read(&sample("negotiate"));
    assert_eq!(row(&tree, "NetName"), "\"fss1\"");
    assert_eq!(row(&tree, "Cipher"), "AES-128-GCM (2)");
}

#[test]
fn bodies_say_what_was_sent() {
    let Body::Negotiate(negotiate) = body("negotiate") else {
        panic!("no NEGOTIATE");
    };
    assert_eq!(negotiate.dialects, [0x0302, 0x0311]);
    assert_eq!(negotiate.net_name.as_deref(), Some("fss1"));
    assert!(
        matches!(body("negotiated"), Body::Negotiated(n) if n.dialect == 0x0311 && n.token.len() == 4)
    );
    assert!(matches!(body("tree_connect"), Body::TreeConnect(t) if t.path == "\\\\fss1\\IPC$"));
    assert!(matches!(body("create"), Body::Create(c) if c.name == "FssagentRpc"));
    assert!(
        matches!(body("read_answer"), Body::ReadAnswer(span) if (span.start, span.len()) == (84, 64))
    );
    assert!(matches!(body("write"), Body::Write(w) if (w.data.start, w.data.len()) == (116, 64)));
    assert!(matches!(body("ioctl"), Body::Ioctl(i) if (i.input.start, i.input.len()) == (124, 64)));
    assert!(matches!(body("refused"), Body::Error));
}

#[test]
fn every_shorter_message_stops_and_is_malformed() {
    for (name, unit) in wire::samples() {
        // The last byte of a READ request is there because the structure needs one; an error
        // response likewise; nothing says that they must be read.
        let needed = match name {
            "read" | "refused" => unit.len() - 1,
            "query_info" => unit.len() - 2,
            "create" => unit.len() - 8,
            _ => unit.len(),
        };
        for n in 4..needed {
            let short = wire::nbss(&unit[4..n]);
            let (messages, packet, _) = read(&short);
            let stop = packet.err().or_else(|| messages.into_iter().find_map(|m| m.stop));
            let stop = stop.unwrap_or_else(|| panic!("{name} at {n} bytes"));
            assert!(stop.is_malformed(), "{name} at {n} bytes: {stop}");
        }
    }
}

#[test]
fn a_unit_cut_by_the_caller_is_nobodys_fault() {
    for (name, unit) in wire::samples() {
        for n in 8..unit.len() {
            let (messages, packet, _) = read(&unit[..n]);
            let stops = messages.into_iter().filter_map(|m| m.stop).chain(packet.err());
            for stop in stops {
                assert_eq!(stop.why, Why::Missing(Missing::Capped), "{name} at {n} bytes");
            }
        }
    }
}

#[test]
fn a_bad_length_or_offset_stops() {
    // The offset of the field in its body, and its width.
    let bad: &[(&str, usize, usize)] = &[
        ("negotiate", 2, 2),  // DialectCount
        ("negotiate", 28, 4), // NegotiateContextOffset
        ("negotiate", 32, 2), // NegotiateContextCount
        ("negotiate", 42, 2), // DataLength
        ("negotiate", 48, 2), // HashAlgorithmCount
        ("negotiate", 50, 2), // SaltLength
        ("negotiate", 64, 2), // CipherCount
        ("negotiate", 80, 2), // CompressionAlgorithmCount
        ("negotiated", 56, 2),
        ("negotiated", 58, 2),
        ("negotiated", 60, 4),
        ("session_setup", 12, 2),
        ("session_setup", 14, 2),
        ("session_set_up", 4, 2),
        ("session_set_up", 6, 2),
        ("tree_connect", 4, 2),
        ("tree_connect", 6, 2),
        ("create", 44, 2),
        ("create", 46, 2),
        ("create", 48, 4),
        ("create", 52, 4),
        ("create", 80, 4), // Next
        ("create", 86, 2), // NameLength of the context
        ("read_answer", 2, 1),
        ("read_answer", 4, 4),
        ("write", 2, 2),
        ("write", 4, 4),
        ("ioctl", 24, 4),
        ("ioctl", 28, 4),
        ("ioctl_answer", 32, 4),
        ("ioctl_answer", 36, 4),
        ("refused", 4, 4),
    ];
    for (name, at, width) in bad {
        let mut unit = sample(name);
        unit[68 + at..68 + at + width].fill(0xff);
        let (messages, _, _) = read(&unit);
        let stop = messages[0].stop.as_ref();
        assert!(stop.is_some_and(Stop::is_malformed), "{name} at {at}: {stop:?}");
    }
    let mut unit = sample("write");
    unit[70..72].copy_from_slice(&[8, 0]);
    assert!(read(&unit).0[0].stop.is_some(), "data in the header");
}

#[test]
fn a_chain_ends_where_next_command_says() {
    let chain = [Msg::ask(5, 1, 5, wire::create("srvsvc")), Msg::ask(6, 2, 5, wire::close(0xff))];
    let unit = wire::compound(&chain);
    let (messages, packet, _) = read(&unit);
    assert_eq!(packet, Ok(Packet::Messages));
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0].span.end, messages[1].span.start);
    for bad in [[1, 0, 0, 0], [0xff, 0xff, 0, 0], [0xff; 4]] {
        let mut unit = unit.clone();
        unit[24..28].copy_from_slice(&bad);
        assert!(read(&unit).1.is_err_and(|stop| stop.is_malformed()));
    }
}

#[test]
fn transforms_and_other_packets_are_told_apart() {
    let sealed = [&b"\xfdSMB"[..], &[1; 32], b"\x40\0\0\0\0\0\x01\0", &[9; 8], &[0; 64]].concat();
    let (_, packet, _) = read(&wire::nbss(&sealed));
    assert!(matches!(packet, Ok(Packet::Sealed(t)) if t.original_message_size == 64));
    let compressed = b"\xfcSMB\x00\x10\0\0\x01\0\0\0\0\0\0\0data";
    let (_, packet, _) = read(&wire::nbss(compressed));
    assert!(matches!(packet, Ok(Packet::Compressed(t)) if t.original_size == 4096));
    assert_eq!(read(&wire::nbss(b"GET / HTTP")).1, Ok(Packet::Unknown));
    assert_eq!(read(b"\x85\0\0\0").1, Ok(Packet::Session(SessionPacket::KeepAlive)));
}

#[test]
fn the_async_form_has_no_tree() {
    let msg = Msg::ask(11, 7, 0x44, vec![]).refuse(0x103);
    let (messages, _, _) = read(&msg.with(|m| m.flags |= wire::ASYNC).unit());
    let header = messages[0].header;
    assert_eq!((header.async_id, header.tree_id), (Some(0x44), None));
    assert_eq!(header.status, Status::PENDING);
    assert_eq!(messages[0].body, Body::Error);
}
