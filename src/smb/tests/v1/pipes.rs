//! Who is logged on, what is open, and what went through it.

use super::wire::*;
use crate::bytes::Side;
use crate::smb::tests::lab::{CLIENT, check_data};
use crate::smb::tests::wire::pdu;
use crate::smb::{ConnectionId, Event, FileId, LogonKind, Status, v1::Fid};

const DENIED: u32 = 0xc000_0022;
const NOT_FOUND: u32 = 0xc000_0034;
const OVERFLOW: u32 = 0x8000_0005;

#[test]
fn a_pipe_knows_its_session() {
    let mut client = Client::stranger();
    let ask = client.ask(0, negotiate()).with(|m| m.uid = 0);
    client.send(&ask);
    client.send(&ask.answer(vec![negotiated_extended()]));
    let events = client.log_on();
    let user = Some("FSLAB\\fsadmin".to_owned());
    let [Event::Challenged(challenge), established] = &events[..] else { panic!("{events:?}") };
    assert_eq!(challenge.target_info.nb_computer_name.as_deref(), Some("FSS1"));
    let session_id = UID.into();
    assert_eq!(
        *established,
        Event::SessionEstablished { session_id, user: user.clone(), how: LogonKind::User }
    );
    client.connect("\\\\FSS1\\IPC$", IPC, "IPC");
    let pipe = client.pipe(0x4001);
    let known = client.smb().pipe(pipe).unwrap();
    assert_eq!(known.name.as_deref(), Some("FssagentRpc"));
    assert_eq!(known.dialect.as_deref(), Some("1"));
    assert_eq!((known.session_id, known.tree_id), (UID.into(), Some(IPC.into())));
    assert_eq!(known.file_id, Some(FileId::Smb1(Fid(0x4001))));
    assert_eq!(known.file_id.unwrap().to_string(), "0x4001");
    assert_eq!((&known.user, known.signed), (&user, false));
    assert_eq!(known.tree_path.as_deref(), Some("\\\\FSS1\\IPC$"));
    assert!(known.client_name.is_some() && known.server_name.is_some());
    assert_eq!(client.smb().counters().dialects().collect::<Vec<_>>(), ["1"]);
    let call = client.ask(IPC, write_andx(0x4001, 0, 8, &pdu(11, 72))).with(|m| m.flags2 |= SIGNED);
    check_data(&client.send(&call), pipe, Side::Client, 72);
    assert!(client.smb().pipe(pipe).unwrap().signed);
    let plain = client.ask(IPC, write_andx(0x4001, 0, 8, &pdu(0, 72)));
    client.send(&plain);
    assert!(!client.smb().pipe(pipe).unwrap().signed);
}

#[test]
fn logons_by_name_and_refused_ones() {
    let mut client = Client::stranger();
    let anonymous = "NT AUTHORITY\\ANONYMOUS LOGON";
    for (setup, user) in [
        (session_setup_by_name("fsadmin", "FSLAB"), "FSLAB\\fsadmin"),
        (session_setup_by_name("fsadmin", ""), "fsadmin"),
        (session_setup_by_name("", ""), anonymous),
    ] {
        let how = if user == anonymous { LogonKind::Anonymous } else { LogonKind::User };
        let user = Some(user.to_owned());
        let ask = client.ask(0, setup).with(|m| m.uid = 0);
        client.send(&ask);
        let refused = client.send(&ask.refuse(DENIED));
        let status = Status(DENIED);
        assert_eq!(refused, [Event::SessionRefused { user: user.clone(), status }]);
        client.send(&ask);
        let events =
            client.send(&ask.answer(vec![session_set_up_by_name(0)]).with(|m| m.uid = UID));
        assert_eq!(
            events.last(),
            Some(&Event::SessionEstablished { session_id: UID.into(), user, how })
        );
    }
    let ask = client.ask(0, session_setup_by_name("bob", "")).with(|m| m.uid = 0);
    client.send(&ask);
    let events = client.send(&ask.answer(vec![session_set_up_by_name(1)]).with(|m| m.uid = UID));
    let guest =
        |event: &Event| matches!(event, Event::SessionEstablished { how: LogonKind::Guest, .. });
    assert!(events.last().is_some_and(guest), "{events:?}");
    let ask = client.ask(0, session_setup_lanman("FSADMIN", "FSLAB"));
    let ask = ask.with(|m| (m.uid, m.flags2) = (0, 0));
    client.send(&ask);
    let refused = client.send(&ask.refuse(0).with(|m| m.status = [2, 0, 2, 0]));
    let [Event::SessionRefused { user, status }] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!(user.as_deref(), Some("FSLAB\\FSADMIN"));
    assert_eq!(status.to_string(), "ERRSRV/ERRbadpw (0x00020002)");
}

#[test]
fn refusals_of_shares_and_pipes() {
    let mut client = Client::new();
    let ask = client.ask(0xffff, tree_connect("\\\\FSS1\\SECRET"));
    client.send(&ask);
    let (path, status) = ("\\\\FSS1\\SECRET".to_owned(), Status(DENIED));
    assert_eq!(client.send(&ask.refuse(DENIED)), [Event::TreeRefused { path, status }]);
    let ask = client.ask(IPC, nt_create("\\FssagentRpc"));
    client.send(&ask);
    let (name, status) = ("FssagentRpc".to_owned(), Status(NOT_FOUND));
    assert_eq!(client.send(&ask.refuse(NOT_FOUND)), [Event::PipeRefused { name, status }]);
    let ask = client.ask(DISK, nt_create("\\no such file"));
    client.send(&ask);
    assert_eq!(client.send(&ask.refuse(NOT_FOUND)), []);
    let pipe = client.pipe(0x4001);
    let ask = client.ask(IPC, read_andx(0x4001, 0));
    client.send(&ask);
    let status = Status(DENIED);
    assert_eq!(client.send(&ask.refuse(DENIED)), [Event::PipeError { pipe, status }]);
}

#[test]
fn every_way_to_open_write_and_read() {
    let mut client = Client::new();
    for (open, answer) in [
        (nt_create("\\PIPE\\srvsvc"), nt_created(0x4001, 2)),
        (nt_create("\\srvsvc"), nt_created_extended(0x4001, 2)),
        (open_andx("\\PIPE\\srvsvc"), opened_andx(0x4001, 2)),
        (open("\\PIPE\\srvsvc"), opened(0x4001)),
    ] {
        let events = client.call(IPC, open, answer);
        // The handle is given again without having been closed.
        let Some(Event::PipeOpened { pipe }) = events.last() else { panic!("{events:?}") };
        let pipe = *pipe;
        assert_eq!(client.smb().pipe(pipe).unwrap().name.as_deref(), Some("srvsvc"));
        let ways = [
            (write_andx(0x4001, 0, 8, &pdu(0, 64)), written_andx(64)),
            (write_andx(0x4001, u32::MAX, 0, &pdu(0, 64)), written_andx(64)),
            (write(0x4001, &pdu(0, 64)), written(0x0b, 64)),
        ];
        for (ask, answer) in ways {
            check_data(&client.call(IPC, ask, answer), pipe, Side::Client, 64);
        }
        for (ask, answer) in [
            (read_andx(0x4001, 0), read_andx_answer(&pdu(2, 64))),
            (read(0x4001), read_answer(&pdu(2, 64))),
        ] {
            check_data(&client.call(IPC, ask, answer), pipe, Side::Server, 64);
        }
        assert_eq!(
            client.call(IPC, close(0x4001), done(0x04)),
            [Event::PipeClosed { pipe, by: CLIENT }]
        );
        let (ask, answer) = (read_andx(0x4001, 0), read_andx_answer(b"nobody"));
        let again = client.call(IPC, ask, answer);
        assert!(matches!(again[0], Event::PipeOpened { .. }), "the close was told: {again:?}");
    }
}

#[test]
fn a_write_that_closes() {
    let mut client = Client::new();
    let pipe = client.pipe(0x4001);
    let events = client.call(IPC, write_and_close(0x4001, &pdu(0, 64)), written(0x2c, 64));
    check_data(&events[..1], pipe, Side::Client, 64);
    assert_eq!(events[1..], [Event::PipeClosed { pipe, by: CLIENT }]);
}

#[test]
fn a_message_read_in_parts() {
    let mut client = Client::new();
    let pipe = client.pipe(0x4001);
    let whole = pdu(2, 300);
    let mut flags = Vec::new();
    for (range, status) in [(0..100, OVERFLOW), (100..200, OVERFLOW), (200..300, 0), (0..50, 0)] {
        let ask = client.ask(IPC, read_andx(0x4001, 0));
        client.send(&ask);
        let answer = ask.answer(vec![read_andx_answer(&whole[range])]);
        let answer = answer.with(|m| m.status = status.to_le_bytes());
        match client.send(&answer)[..] {
            [Event::PipeData { pipe: of, starts_message, continues, .. }] if of == pipe => {
                flags.push((starts_message, continues));
            }
            ref other => panic!("{other:?}"),
        }
    }
    assert_eq!(flags, [(true, true), (false, true), (false, false), (true, false)]);
}

#[test]
fn answers_belong_to_process_and_number() {
    let mut client = Client::new();
    let (one, two) = (client.pipe(0x4001), client.pipe(0x4002));
    let first = client.ask(IPC, read_andx(0x4001, 0));
    let second = Msg { pid: 77, ..client.ask(IPC, read_andx(0x4002, 0)) };
    let second = Msg { mid: first.mid, ..second };
    client.send(&first);
    client.send(&second);
    let answer = |ask: &Msg| ask.answer(vec![read_andx_answer(&pdu(2, 64))]);
    check_data(&client.send(&answer(&second)), two, Side::Server, 64);
    check_data(&client.send(&answer(&first)), one, Side::Server, 64);
    assert_eq!(client.send(&answer(&first)), [], "a request is answered once");
    // The high half of the process counts as well.
    let far = Msg { pid: first.pid | 0x20_0000, ..first.clone() };
    client.send(&first);
    assert_eq!(client.send(&answer(&far)), []);
    // A request to cancel has the number of what it cancels, and no answer.
    let cancel = Msg { parts: vec![part(0xa4, &[], b"")], ..first.clone() };
    assert_eq!(client.send(&cancel), []);
    check_data(&client.send(&answer(&first)), one, Side::Server, 64);
}

#[test]
fn numbers_are_used_again() {
    let mut client = Client::new();
    client.pipe(0x4001);
    client.call(DISK, nt_create("\\data"), nt_created(0xd1, 0));
    let asked = client.ask(IPC, read_andx(0x4001, 0));
    // Its answer is lost. The next with its number is about a file.
    client.send(&asked);
    let next = Msg { tid: DISK, parts: vec![read_andx(0xd1, 0)], ..asked.clone() };
    client.send(&next);
    let data = next.answer(vec![read_andx_answer(&pdu(2, 64))]);
    assert_eq!(client.send(&data), []);
    // So it is if that request is lost as well, or was another's, or another command.
    for other in [
        data.clone(),
        data.clone().with(|m| (m.tid, m.uid) = (IPC, UID + 1)),
        data.with(|m| (m.tid, m.parts) = (IPC, vec![read_answer(&pdu(2, 64))])),
    ] {
        client.send(&asked);
        assert_eq!(client.send(&other), []);
        assert_eq!(client.send(&asked.answer(vec![read_andx_answer(b"late")])), []);
    }
}

#[test]
fn a_handle_used_after_its_close_is_another() {
    let mut client = Client::new();
    let pipe = client.pipe(0x4001);
    let asks = [
        write_andx(0x4001, 0, 8, &pdu(0, 64)),
        transaction([TRANSACT, 0x4001], "\\PIPE\\", 64, &pdu(0, 64)),
    ];
    let mut last = pipe;
    for ask in asks {
        let read = client.ask(IPC, read_andx(0x4001, 0));
        let close = client.ask(IPC, close(0x4001));
        client.send(&read);
        client.send(&close);
        // What was asked before is still answered.
        let answer = read.answer(vec![read_andx_answer(&pdu(2, 64))]);
        check_data(&client.send(&answer), last, Side::Server, 64);
        // The answer to the close is lost, and all about the next open.
        let ask = client.ask(IPC, ask);
        let events = client.send(&ask);
        let [
            Event::PipeClosed { pipe: old, by: CLIENT },
            Event::PipeOpened { pipe: new },
            ref data,
        ] = events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(old, last);
        check_data(std::slice::from_ref(data), new, Side::Client, 64);
        assert_eq!(client.smb().pipe(new).unwrap().name, None);
        last = new;
    }
}

#[test]
fn chains() {
    let mut client = Client::stranger();
    let logon = vec![
        session_setup_by_name("fsadmin", "FSLAB"),
        tree_connect("\\\\FSS1\\IPC$"),
        nt_create("\\srvsvc"),
    ];
    let ask = client.asks(0, logon).with(|m| m.uid = 0);
    client.send(&ask);
    let answer =
        ask.answer(vec![session_set_up_by_name(0), tree_connected("IPC"), nt_created(0x4001, 2)]);
    let events = client.send(&answer.with(|m| (m.uid, m.tid) = (UID, IPC)));
    let [Event::SessionEstablished { .. }, Event::TreeConnected { .. }, Event::PipeOpened { pipe }] =
        events[..]
    else {
        panic!("{events:?}");
    };
    assert_eq!(client.smb().pipe(pipe).unwrap().user.as_deref(), Some("FSLAB\\fsadmin"));
    let both = vec![write_andx(0x4001, 0, 8, &pdu(11, 72)), read_andx(0xffff, 0)];
    let ask = client.asks(IPC, both);
    check_data(&client.send(&ask), pipe, Side::Client, 72);
    let answer = ask.answer(vec![written_andx(72), read_andx_answer(&pdu(12, 68))]);
    check_data(&client.send(&answer), pipe, Side::Server, 68);
    // What is read belongs to what the same message opens.
    let ask = client.asks(IPC, vec![nt_create("\\wkssvc"), read_andx(0xffff, 0)]);
    assert_eq!(client.send(&ask), []);
    let answer = ask.answer(vec![nt_created(0x4002, 2), read_andx_answer(&pdu(2, 64))]);
    let events = client.send(&answer);
    let Event::PipeOpened { pipe } = events[0] else { panic!("{events:?}") };
    check_data(&events[1..], pipe, Side::Server, 64);
    // The first of two is refused: the second was never carried out.
    let ask = client.asks(IPC, vec![nt_create("\\nopipe"), read_andx(0xffff, 0)]);
    client.send(&ask);
    let refused = Msg { parts: vec![part(0xa2, &[], b"")], ..ask.refuse(NOT_FOUND) };
    let (name, status) = ("nopipe".to_owned(), Status(NOT_FOUND));
    assert_eq!(client.send(&refused), [Event::PipeRefused { name, status }]);
    // The second is refused: the first holds.
    let ask = client.asks(IPC, vec![nt_create("\\samr"), read_andx(0xffff, 0)]);
    client.send(&ask);
    let half = ask.answer(vec![nt_created(0x4003, 2), part(0x2e, &[], b"")]);
    let events = client.send(&half.with(|m| m.status = DENIED.to_le_bytes()));
    let [Event::PipeOpened { pipe }, Event::PipeError { pipe: of, .. }] = events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(pipe, of);
}

#[test]
fn all_ends_close_pipes() {
    let closed =
        |events: Vec<Event>, pipe| assert_eq!(events, [Event::PipeClosed { pipe, by: CLIENT }]);
    let mut client = Client::new();
    let pipe = client.pipe(0x4001);
    closed(client.call(IPC, tree_disconnect(), done(0x71)), pipe);
    client.connect("\\\\FSS1\\IPC$", IPC, "IPC");
    let pipe = client.pipe(0x4001);
    closed(client.call(IPC, logoff(), logoff()), pipe);
    client.log_on();
    client.connect("\\\\FSS1\\IPC$", IPC, "IPC");
    let pipe = client.pipe(0x4001);
    // Another connection has its own sessions, even if their numbers are the same.
    let other = client.ask(IPC, close(0x4001));
    assert_eq!(client.lab.unit(2, 1, &other.unit()), []);
    assert_eq!(client.lab.unit(2, 1, &other.answer(vec![done(0x04)]).unit()), []);
    let mut out = Vec::new();
    client.lab.smb.closed(ConnectionId(2), CLIENT, &mut out);
    assert_eq!(out, []);
    client.lab.smb.closed(ConnectionId(1), CLIENT, &mut out);
    closed(out, pipe);
}

#[test]
fn sessions_of_a_connection_share_its_trees() {
    let mut client = Client::new();
    let open = client.ask(IPC, nt_create("\\srvsvc")).with(|m| m.uid = UID + 1);
    client.send(&open);
    let events = client.send(&open.answer(vec![opened(0x4001)]).with(|m| {
        m.parts = vec![Part { command: 0xa2, ..nt_created(0x4001, 0xffff) }];
    }));
    let [Event::PipeOpened { pipe }] = events[..] else { panic!("{events:?}") };
    let known = client.smb().pipe(pipe).unwrap();
    assert_eq!(known.session_id, u64::from(UID) + 1);
    assert_eq!(known.tree_path.as_deref(), Some("\\\\FSS1\\IPC$"));
    let gone = client.call(IPC, tree_disconnect(), done(0x71));
    assert_eq!(gone, [Event::PipeClosed { pipe, by: CLIENT }]);
}

#[test]
fn the_oldest_way_to_a_pipe() {
    let mut client = Client::stranger();
    let ask =
        client.ask(0, tree_connect_old("\\\\FSS1\\IPC$")).with(|m| (m.uid, m.flags2) = (0, 0));
    client.send(&ask);
    client.send(&ask.answer(vec![tree_connected_old(3)]));
    let plain = |m: &mut Msg| (m.uid, m.flags2) = (0, 0);
    let ask = client.ask(3, part(0x02, &[b"\x42\0\x06\0"], b"\x04\\PIPE\\srvsvc\0")).with(plain);
    client.send(&ask);
    let events = client.send(&ask.answer(vec![opened(5)]));
    let [Event::PipeOpened { pipe }] = events[..] else { panic!("{events:?}") };
    let known = client.smb().pipe(pipe).unwrap();
    assert_eq!((known.name.as_deref(), known.session_id), (Some("srvsvc"), 0));
    assert_eq!(known.server_name.as_deref(), Some("FSS1"));
}
