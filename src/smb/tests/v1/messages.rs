//! Each message read from a sample, from every shorter prefix, and with every length gone bad.

use super::wire::*;
use crate::bytes::{Missing, Reader, Span, Stop, Tree, View, Why};
use crate::smb::tests::wire::{nbss, pdu};
use crate::smb::v1::{Body, Command, Credentials, Fid, Message};
use crate::smb::{Packet, ShareType, Status, dissect};

fn read(unit: &[u8]) -> (Result<Message, Stop>, Tree) {
    let mut tree = Tree::default();
    let packet = dissect(&mut Reader::new(View::new(unit, &[], &[]), &mut tree), |_| {});
    let message = packet.map(|packet| match packet {
        Packet::Smb1(message) => message,
        other => panic!("{other:?}"),
    });
    (message, tree)
}

fn whole(unit: &[u8]) -> Message {
    let message = read(unit).0.expect("a message");
    assert_eq!(message.stop, None);
    message
}

fn sample(name: &str) -> Vec<u8> {
    let mut all = samples().into_iter();
    all.find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn body(name: &str) -> Body {
    whole(&sample(name)).blocks.pop().expect("a block").body
}

/// The bytes of the unit at a span.
fn at(name: &str, span: Span) -> Vec<u8> {
    View::new(&sample(name), &[], &[]).slice(span).bytes().to_vec()
}

/// The value of the first row of this name.
fn row(unit: &[u8], name: &str) -> String {
    let (_, tree) = read(unit);
    let node = tree.nodes().iter().find(|node| &*node.name == name);
    node.unwrap_or_else(|| panic!("no {name}")).value.to_string()
}

#[test]
fn every_sample_is_read_to_its_end_and_every_byte_has_a_row() {
    for (name, unit) in samples() {
        let message = whole(&unit);
        assert_eq!(message.blocks.len(), 1, "{name}");
        let (_, tree) = read(&unit);
        let mut seen = vec![0; unit.len()];
        for node in tree.nodes().iter().filter(|node| !node.value.is_empty()) {
            let range =
                usize::try_from(node.span.start).unwrap()..usize::try_from(node.span.end).unwrap();
            seen[range].iter_mut().for_each(|seen| *seen += 1);
        }
        // The end of a text has none, nor has padding in front of data.
        let without = seen.iter().filter(|seen| **seen == 0).count();
        assert!(without <= 8, "{name}: {without} bytes without a row");
        assert!(seen.iter().all(|seen| *seen <= 1), "{name}: a byte has two rows");
    }
}

#[test]
fn fields_have_the_names_and_values_of_the_specification() {
    let unit = sample("nt_create");
    assert_eq!(row(&unit, "Command"), "SMB_COM_NT_CREATE_ANDX (162)");
    assert_eq!(row(&unit, "PIDHigh"), "1");
    assert_eq!(row(&unit, "UID"), "0x0800");
    assert_eq!(row(&unit, "FileName"), "\"\\FssagentRpc\"");
    assert_eq!(row(&sample("nt_created"), "ResourceType"), "FileTypeMessageModePipe (2)");
    assert_eq!(row(&sample("transaction"), "Subcommand"), "TRANS_TRANSACT_NMPIPE (38)");
    assert_eq!(row(&sample("tree_connected"), "Service"), "\"IPC\"");
    assert_eq!(row(&sample("session_setup_lanman"), "AccountName"), "\"FSADMIN\"");
    assert_eq!(row(&sample("negotiate"), "DialectString"), "\"PC NETWORK PROGRAM 1.0\"");
    assert_eq!(row(&sample("echo"), "Bytes"), "4 bytes: 70696e67");
}

#[test]
fn bodies_say_what_was_sent() {
    let message = whole(&sample("close"));
    let header = message.header;
    assert_eq!((header.pid, header.mid, header.tid, header.uid), (0x1_fffe, 7, IPC, UID));
    assert!(!header.is_response() && header.is_unicode() && !header.is_signed());
    assert_eq!(message.blocks[0].body, Body::Close(Fid(0x4001)));
    assert!(
        matches!(body("negotiated"), Body::Negotiated(n) if n.dialect_index == 1 && n.server_name.as_deref() == Some("FSS1"))
    );
    assert!(
        matches!(body("negotiated_extended"), Body::Negotiated(n) if n.dialect_index == 1 && n.server_name.is_none())
    );
    assert!(matches!(body("negotiated_core"), Body::Negotiated(n) if n.dialect_index == 0));
    for (name, account) in
        [("session_setup_by_name", "fsadmin"), ("session_setup_lanman", "FSADMIN")]
    {
        let Body::SessionSetup(setup) = body(name) else { panic!("{name}") };
        let (account, domain) = (account.to_owned(), "FSLAB".to_owned());
        assert_eq!(setup.credentials, Credentials::Names { account, domain });
    }
    let Body::SessionSetup(setup) = body("session_setup") else { panic!() };
    let Credentials::Token(token) = setup.credentials else { panic!() };
    assert!(at("session_setup", token).starts_with(b"NTLMSSP\0\x03"));
    let Body::SessionSetUp(answer) = body("session_set_up") else { panic!() };
    assert!(at("session_set_up", answer.token).starts_with(b"NTLMSSP\0\x02"));
    assert!(!answer.guest);
    for name in ["tree_connect", "tree_connect_old"] {
        assert!(matches!(body(name), Body::TreeConnect(t) if t.path == "\\\\FSS1\\IPC$"), "{name}");
    }
    assert!(
        matches!(body("tree_connected"), Body::TreeConnected(t) if t.share_type == Some(ShareType::PIPE))
    );
    assert!(matches!(body("tree_connected_old"), Body::TreeConnected(t) if t.tid == Some(IPC)));
    assert!(matches!(body("nt_create"), Body::Open(o) if o.name == "\\FssagentRpc"));
    for name in ["open_andx", "open"] {
        assert!(matches!(body(name), Body::Open(o) if o.name == "\\PIPE\\FssagentRpc"), "{name}");
    }
    for name in ["nt_created", "nt_created_extended", "opened_andx"] {
        assert!(
            matches!(body(name), Body::Opened(o) if o.fid == Fid(0x4001) && o.resource_type == Some(2)),
            "{name}"
        );
    }
    assert!(matches!(body("opened"), Body::Opened(o) if o.resource_type.is_none()));
    for name in ["read_andx_answer", "read_answer"] {
        let Body::ReadAnswer(span) = body(name) else { panic!("{name}") };
        assert_eq!(at(name, span), pdu(2, 64), "{name}");
    }
    for name in ["write_andx", "write", "write_and_close"] {
        let Body::Write(write) = body(name) else { panic!("{name}") };
        assert_eq!((write.fid, at(name, write.data)), (Fid(0x4001), pdu(0, 64)), "{name}");
        assert_eq!(
            (write.for_pipe, write.closes),
            (name == "write_andx", name == "write_and_close")
        );
    }
    let Body::Transaction(transaction) = body("transaction") else { panic!() };
    assert_eq!((transaction.subcommand, transaction.fid), (Some(TRANSACT), Some(Fid(0x4001))));
    assert_eq!(at("transaction", transaction.part.data), pdu(0, 64));
    let Body::TransactionSecondary(part) = body("secondary") else { panic!() };
    assert_eq!((part.total, part.displacement), (64, 32));
    assert_eq!(at("secondary", part.data), pdu(0, 64)[32..]);
    let Body::TransactionAnswer(part) = body("transacted") else { panic!() };
    assert_eq!(at("transacted", part.data), pdu(2, 64));
    assert_eq!((body("closed"), body("echo")), (Body::Empty, Body::Other));
}

/// Bytes at the end that nothing says must be read, since what is behind them is all the same.
fn optional(name: &str) -> usize {
    match name {
        // Texts may end where the bytes do.
        "negotiate" | "session_setup_lanman" | "tree_connect_old" | "tree_connect" => 1,
        _ => 0,
    }
}

#[test]
fn every_shorter_message_stops_and_is_malformed() {
    for (name, unit) in samples() {
        for n in 8..unit.len() - optional(name) {
            let stop = match read(&nbss(&unit[4..n])).0 {
                Ok(message) => message.stop,
                Err(stop) => Some(stop),
            };
            let stop = stop.unwrap_or_else(|| panic!("{name} at {n} of {} bytes", unit.len()));
            assert!(stop.is_malformed(), "{name} at {n} bytes: {stop}");
        }
    }
}

#[test]
fn a_unit_cut_by_the_caller_is_nobodys_fault() {
    for (name, unit) in samples() {
        for n in 8..unit.len() {
            let stop = match read(&unit[..n]).0 {
                Ok(message) => message.stop,
                Err(stop) => Some(stop),
            };
            if let Some(stop) = stop {
                assert_eq!(stop.why, Why::Missing(Missing::Capped), "{name} at {n} bytes");
            }
        }
    }
}

#[test]
fn a_bad_length_or_offset_stops() {
    // The offset of the field behind the header, its width, and a value that cannot be.
    const WORDS: usize = 1;
    const ANDX: usize = 5;
    let bad: &[(&str, usize, &[u8])] = &[
        ("session_setup", ANDX + 10, &[0xff, 0xff]), // SecurityBlobLength
        ("session_setup_by_name", ANDX + 10, &[0xff, 0xff]), // OEMPasswordLen
        ("session_setup_by_name", ANDX + 12, &[0xff, 0xff]), // UnicodePasswordLen
        ("session_setup_lanman", ANDX + 10, &[0xff, 0xff]), // PasswordLength
        ("session_set_up", ANDX + 2, &[0xff, 0xff]), // SecurityBlobLength
        ("negotiated", WORDS + 33, &[0xff]),         // ChallengeLength
        ("tree_connect", ANDX + 2, &[0xff, 0xff]),   // PasswordLength
        ("read_andx_answer", ANDX + 6, &[0xff, 0xff]), // DataLength
        ("read_andx_answer", ANDX + 8, &[0xff, 0xff]), // DataOffset
        ("read_andx_answer", ANDX + 8, &[31, 0]),    // … into the header
        ("read_andx_answer", ANDX + 10, &[1, 0]),    // DataLengthHigh
        ("read_answer", WORDS + 13, &[0xff, 0xff]),  // CountOfBytesRead
        ("write_andx", ANDX + 14, &[1, 0]),          // DataLengthHigh
        ("write_andx", ANDX + 16, &[0xff, 0xff]),    // DataLength
        ("write_andx", ANDX + 18, &[0xff, 0xff]),    // DataOffset
        ("write_andx", ANDX + 18, &[31, 0]),         // … into the header
        ("write", WORDS + 13, &[0xff, 0xff]),        // DataLength
        ("write_and_close", WORDS + 2, &[0xff, 0xff]), // CountOfBytesToWrite
        ("transaction", WORDS + 18, &[0xff, 0xff]),  // ParameterCount
        ("transaction", WORDS + 22, &[0xff, 0xff]),  // DataCount
        ("transaction", WORDS + 24, &[0xff, 0xff]),  // DataOffset
        ("transaction", WORDS + 24, &[31, 0]),       // … into the header
        ("secondary", WORDS + 4, &[0xff, 0xff]),     // ParameterCount
        ("secondary", WORDS + 10, &[0xff, 0xff]),    // DataCount
        ("secondary", WORDS + 12, &[0xff, 0xff]),    // DataOffset
        ("transacted", WORDS + 6, &[0xff, 0xff]),    // ParameterCount
        ("transacted", WORDS + 12, &[0xff, 0xff]),   // DataCount
        ("transacted", WORDS + 14, &[0xff, 0xff]),   // DataOffset
    ];
    for (name, at, value) in bad {
        let mut unit = sample(name);
        unit[36 + at..36 + at + value.len()].copy_from_slice(value);
        let stop = read(&unit).0.expect("a header").stop;
        assert!(stop.as_ref().is_some_and(Stop::is_malformed), "{name} at {at}: {stop:?}");
    }
    for (name, unit) in samples() {
        // `WordCount` and `ByteCount` of every command.
        let mut long = unit.clone();
        long[36] = 0xff;
        let stop = read(&long).0.expect("a header").stop;
        assert!(stop.is_some_and(|stop| stop.is_malformed()), "{name}: WordCount");
        let words = if name == "nt_created_extended" { 50 } else { usize::from(unit[36]) };
        let mut long = unit;
        long[37 + 2 * words..][..2].fill(0xff);
        let stop = read(&long).0.expect("a header").stop;
        assert!(stop.is_some_and(|stop| stop.is_malformed()), "{name}: ByteCount");
    }
}

#[test]
fn too_few_words_for_their_fields_stop() {
    for (name, unit) in samples() {
        let count = unit[36];
        // Those whose shorter forms say the same.
        let same = ["tree_connected", "logoff", "nt_created_extended", "echo", "negotiated_lanman"];
        if count == 0 || same.contains(&name) {
            continue;
        }
        let mut short = unit.clone();
        short[36] = count / 2;
        let message = read(&short).0.expect("a header");
        let told = whole(&unit).blocks;
        assert!(message.stop.is_some() || message.blocks != told, "{name}");
    }
}

#[test]
fn commands_are_chained_by_offsets_that_go_forward() {
    let parts = vec![nt_create("\\srvsvc"), read_andx(0xffff, 0)];
    let unit = Msg::ask(1, IPC, parts).unit();
    let message = whole(&unit);
    let commands: Vec<_> = message.blocks.iter().map(|block| block.command).collect();
    assert_eq!(commands, [Command::NT_CREATE_ANDX, Command::READ_ANDX]);
    for bad in [0u16, 32, 33, 84, 0xffff] {
        let mut unit = unit.clone();
        unit[39..41].copy_from_slice(&bad.to_le_bytes());
        let stop = read(&unit).0.expect("a header").stop;
        assert!(stop.is_some_and(|stop| stop.is_malformed()), "AndXOffset {bad}");
    }
    let many = vec![logoff(); 40];
    let message = read(&Msg::ask(1, IPC, many).unit()).0.expect("a header");
    assert_eq!(message.blocks.len(), 16);
    assert!(message.stop.is_some_and(|stop| stop.is_malformed()));
}

#[test]
fn errors_of_dos_have_names_too() {
    let ask = Msg::ask(1, IPC, vec![nt_create("\\nopipe")]);
    for (class, code, name, error) in [
        (1, 2, "ERRbadfile", true),
        (2, 5, "ERRinvtid", true),
        (3, 19, "ERRnowrite", true),
        (1, 234, "ERRmoredata", false),
        (0, 0, "SUCCESS", false),
    ] {
        let answer = ask.refuse(0).with(|m| {
            m.flags2 = UNICODE;
            m.status = [class, 0, code, 0];
        });
        let message = whole(&answer.unit());
        assert_eq!(message.header.status.is_error(), error, "{name}");
        if class != 0 {
            assert!(row(&answer.unit(), "ErrorCode").contains(name), "{name}");
        }
    }
    let more = ask.refuse(0).with(|m| (m.flags2, m.status) = (0, [1, 0, 234, 0]));
    assert_eq!(whole(&more.unit()).header.status, Status::BUFFER_OVERFLOW);
    assert_eq!(Status(0x0005_0002).to_string(), "ERRSRV/ERRinvtid (0x00050002)");
}

#[test]
fn a_length_in_front_of_the_data_is_no_data() {
    let long = [&b"\x00\x10"[..], &pdu(0, 60)].concat();
    for (mode, data, starts) in [(0xc, 60, true), (0x8, 62, true), (0x4, 62, false), (0, 62, true)]
    {
        let unit = Msg::ask(1, IPC, vec![write_andx(0x4001, 0, mode, &long)]).unit();
        let Body::Write(write) = whole(&unit).blocks.pop().unwrap().body else { panic!() };
        assert_eq!((write.data.len(), write.starts_message), (data, starts), "mode {mode}");
    }
    // Too short to have one.
    let unit = Msg::ask(1, IPC, vec![write_andx(0x4001, 0, 0xc, b"x")]).unit();
    let Body::Write(write) = whole(&unit).blocks.pop().unwrap().body else { panic!() };
    assert_eq!(write.data.len(), 1);
}
