//! Conversations in, events out.

use super::lab::{CLIENT, Lab, check_data};
use super::wire::*;
use crate::bytes::{Missing, Side, Span, View};
use crate::security::ntlm::samples as ntlm;
use crate::smb::{ConnectionId, Event, Status};

const NOT_FOUND: u32 = 0xc000_0034;
const OVERFLOW: u32 = 0x8000_0005;
const PENDING: u32 = 0x103;

#[test]
fn a_pipe_is_opened_used_and_closed() {
    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    let known = lab.smb.pipe(pipe).unwrap();
    assert_eq!(known.name.as_deref(), Some("FssagentRpc"));
    assert_eq!(known.dialect.as_deref(), Some("3.1.1"));
    assert_eq!(known.user.as_deref(), Some("FSLAB\\fsadmin"));
    assert_eq!(known.client_name.as_deref(), Some("CLIENT1"));
    assert_eq!(known.server_name.as_deref(), Some("FSS1"));
    assert_eq!(known.tree_path.as_deref(), Some("\\\\fss1\\IPC$"));
    assert_eq!((known.session_id, known.tree_id), (SESSION, Some(IPC)));
    assert_eq!(known.file_id.unwrap().to_string(), "f1f1f1f1-f1f1-f1f1-f1f1-f1f1f1f1f1f1");

    let ask = lab.ask(9, IPC, write(0xf1, 0, &pdu(0, 40)));
    check_data(&lab.send(1, &ask), pipe, Side::Client, 40);
    assert_eq!(lab.send(1, &ask.answer(written())), []);
    let ask = lab.ask(8, IPC, read(0xf1, 0));
    assert_eq!(lab.send(1, &ask), []);
    check_data(&lab.send(1, &ask.answer(read_answer(&pdu(2, 72)))), pipe, Side::Server, 72);
    let ask = lab.ask(11, IPC, ioctl(TRANSCEIVE, 0xf1, &pdu(0, 48))).with(|m| m.flags = SIGNED);
    let sent = lab.send(1, &ask);
    assert!(matches!(sent[..], [Event::PipeData { span, .. }] if span == Span::new(124, 172)));
    assert!(lab.smb.pipe(pipe).unwrap().signed);
    let answer = ask.answer(ioctl_answer(TRANSCEIVE, 0xf1, &pdu(2, 80)));
    check_data(&lab.send(1, &answer), pipe, Side::Server, 80);

    lab.smb.forget(pipe);
    assert!(lab.smb.pipe(pipe).is_some(), "open pipes are not forgotten");
    let ask = lab.ask(6, IPC, close(0xf1));
    assert_eq!(lab.send(1, &ask), []);
    assert_eq!(lab.send(1, &ask.answer(closed())), [Event::PipeClosed { pipe, by: CLIENT }]);
    assert!(lab.smb.pipe(pipe).is_some(), "until the caller says so");
    lab.smb.forget(pipe);
    assert!(lab.smb.pipe(pipe).is_none());
}

#[test]
fn one_pipe_over_three_connections_and_two_addresses() {
    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    // Connection 3 goes to another address of the server, as its ServerGuid says.
    lab.negotiate(3, 2, 0xee);
    let bind = lab.ask(9, IPC, write(0xf1, 0, &pdu(11, 72)));
    check_data(&lab.send(1, &bind), pipe, Side::Client, 72);
    let call = lab.ask(11, IPC, ioctl(TRANSCEIVE, 0xf1, &pdu(0, 48)));
    check_data(&lab.send(2, &call), pipe, Side::Client, 48);
    let ask = lab.ask(8, IPC, read(0xf1, 0));
    lab.unit(3, 2, &ask.unit());
    let answer = ask.answer(read_answer(&pdu(2, 64)));
    check_data(&lab.unit(3, 2, &answer.unit()), pipe, Side::Server, 64);
    // The same FileId at a server with another ServerGuid is another file.
    lab.negotiate(4, 4, 0xdd);
    let other = lab.ask(9, IPC, write(0xf1, 0, b"no RPC"));
    assert_eq!(lab.unit(4, 4, &other.unit()), []);
    // The pipe lives as long as one connection carries its session.
    let mut out = Vec::new();
    for connection in [1, 2] {
        lab.smb.closed(ConnectionId(connection), CLIENT, &mut out);
        assert_eq!(out, []);
    }
    lab.smb.closed(ConnectionId(3), Some(Side::Server), &mut out);
    assert_eq!(out, [Event::PipeClosed { pipe, by: Some(Side::Server) }]);
}

#[test]
fn two_addresses_used_before_the_guid_was_seen_become_one_server() {
    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    let early = lab.ask(16, IPC, vec![0x29, 0]);
    lab.unit(2, 2, &early.unit());
    lab.negotiate(5, 2, 0xee);
    let call = lab.ask(9, IPC, write(0xf1, 0, &pdu(0, 40)));
    check_data(&lab.unit(2, 2, &call.unit()), pipe, Side::Client, 40);
}

#[test]
fn a_chain_opens_writes_and_reads() {
    let mut lab = Lab::new();
    let chain = [
        lab.ask(5, IPC, create("srvsvc")),
        lab.ask(9, u32::MAX, write(0xff, 0, &pdu(11, 72))),
        lab.ask(8, u32::MAX, read(0xff, 0)),
    ];
    let related = |m: &mut Msg| (m.flags, m.session) = (m.flags | RELATED, u64::MAX);
    let [open, bind, ask] = chain;
    let (bind, ask) = (bind.with(related), ask.with(related));
    let sent = lab.unit(1, 1, &compound(&[open.clone(), bind.clone(), ask.clone()]));
    let [Event::PipeOpened { pipe }, ref data] = sent[..] else {
        panic!("{sent:?}");
    };
    check_data(std::slice::from_ref(data), pipe, Side::Client, 72);
    let answers = [
        open.answer(created(0xf2, 0)),
        bind.answer(written()),
        ask.answer(read_answer(&pdu(12, 68))),
    ];
    check_data(&lab.unit(1, 1, &compound(&answers)), pipe, Side::Server, 68);
    let call = lab.ask(9, IPC, write(0xf2, 0, &pdu(0, 40)));
    check_data(&lab.send(1, &call), pipe, Side::Client, 40);
    assert_eq!(lab.smb.pipe(pipe).unwrap().name.as_deref(), Some("srvsvc"));
}

#[test]
fn a_chain_whose_create_is_refused_takes_its_pipe_back() {
    let mut lab = Lab::new();
    let open = lab.ask(5, IPC, create("nopipe"));
    let bind = lab.ask(9, IPC, write(0xff, 0, &pdu(11, 72)));
    let bind = bind.with(|m| m.flags |= RELATED);
    let sent = lab.unit(1, 1, &compound(&[open.clone(), bind]));
    let [Event::PipeOpened { pipe }, _] = sent[..] else {
        panic!("{sent:?}");
    };
    let refused = lab.send(1, &open.refuse(NOT_FOUND));
    let name = "nopipe".to_owned();
    let status = Status(NOT_FOUND);
    assert_eq!(
        refused,
        [Event::PipeRefused { name, status }, Event::PipeClosed { pipe, by: None }]
    );
}

#[test]
fn an_interim_response_is_not_the_answer() {
    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    let ask = lab.ask(8, IPC, read(0xf1, 0));
    lab.send(1, &ask);
    let interim = ask.refuse(PENDING).with(|m| (m.flags, m.tree) = (RESPONSE | ASYNC, 77));
    assert_eq!(lab.send(1, &interim), []);
    let answer = ask.answer(read_answer(&pdu(2, 64)));
    let answer = answer.with(|m| (m.flags, m.tree) = (RESPONSE | ASYNC, 77));
    check_data(&lab.send(1, &answer), pipe, Side::Server, 64);
    assert_eq!(lab.send(1, &answer), [], "a request is answered once");
}

#[test]
fn a_message_read_in_parts() {
    let mut lab = Lab::new();
    let whole = pdu(2, 300);
    let pipe = lab.pipe(0xf1);
    let ask = lab.ask(11, IPC, ioctl(TRANSCEIVE, 0xf1, &pdu(0, 48)));
    lab.send(1, &ask);
    let first = ask.answer(ioctl_answer(TRANSCEIVE, 0xf1, &whole[..100]));
    let mut events = lab.send(1, &first.with(|m| m.status = OVERFLOW));
    for (range, status) in [(100..200, OVERFLOW), (200..300, 0)] {
        let ask = lab.ask(8, IPC, read(0xf1, 0));
        lab.send(1, &ask);
        let answer = ask.answer(read_answer(&whole[range]));
        events.extend(lab.send(1, &answer.with(|m| m.status = status)));
    }
    let flags: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::PipeData { pipe: of, starts_message, continues, span, .. } => {
                assert_eq!((*of, span.len()), (pipe, 100));
                (*starts_message, *continues)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(flags, [(true, true), (false, true), (false, false)]);
}

#[test]
fn what_the_server_refuses_is_told() {
    let mut lab = Lab::new();
    let open = lab.ask(5, IPC, create("FssagentRpc"));
    lab.send(1, &open);
    let (name, status) = ("FssagentRpc".to_owned(), Status(NOT_FOUND));
    assert_eq!(lab.send(1, &open.refuse(NOT_FOUND)), [Event::PipeRefused { name, status }]);
    let open = lab.ask(5, DISK, create("missing.txt"));
    lab.send(1, &open);
    assert_eq!(lab.send(1, &open.refuse(NOT_FOUND)), [], "no pipe");

    let tree = lab.ask(3, 0, tree_connect("\\\\fss1\\secret"));
    lab.send(1, &tree);
    let (path, status) = ("\\\\fss1\\secret".to_owned(), Status(0xc000_0022));
    assert_eq!(lab.send(1, &tree.refuse(status.0)), [Event::TreeRefused { path, status }]);

    let setup = lab.ask(1, 0, session_setup(&ntlm::authenticate(), 0));
    let setup = setup.with(|m| m.session = 0x999);
    lab.send(1, &setup);
    let (user, status) = (Some("FSLAB\\fsadmin".to_owned()), Status(0xc000_006d));
    assert_eq!(lab.send(1, &setup.refuse(status.0)), [Event::SessionRefused { user, status }]);

    let pipe = lab.pipe(0xf1);
    let call = lab.ask(11, IPC, ioctl(TRANSCEIVE, 0xf1, &pdu(0, 48)));
    lab.send(1, &call);
    let status = Status(0xc000_00b0);
    assert_eq!(lab.send(1, &call.refuse(status.0)), [Event::PipeError { pipe, status }]);
}

#[test]
fn the_end_of_a_tree_or_session_closes_its_pipes() {
    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    let ask = lab.ask(4, IPC, empty());
    lab.send(1, &ask);
    assert_eq!(lab.send(1, &ask.answer(empty())), [Event::PipeClosed { pipe, by: CLIENT }]);

    lab.connect_tree(1, "\\\\fss1\\IPC$", IPC, 2);
    let pipe = lab.pipe(0xf1);
    let ask = lab.ask(2, 0, empty());
    lab.send(1, &ask);
    assert_eq!(lab.send(1, &ask.answer(empty())), [Event::PipeClosed { pipe, by: CLIENT }]);

    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    let events = lab.log_on(1, 0);
    assert!(
        events.contains(&Event::PipeClosed { pipe, by: None }),
        "the id is given to a new session"
    );
}

#[test]
fn a_session_that_replaces_another_closes_its_pipes() {
    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    let ask = lab.ask(1, 0, session_setup(&ntlm::authenticate(), SESSION));
    let ask = ask.with(|m| m.session = 0);
    lab.send(2, &ask);
    let answer = ask.answer(session_set_up(b"")).with(|m| m.session = 0x5e55);
    let events = lab.send(2, &answer);
    assert!(events.contains(&Event::PipeClosed { pipe, by: None }), "{events:?}");
}

#[test]
fn a_loss_makes_open_pipes_suspect() {
    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    let mut out = Vec::new();
    lab.smb.lost(ConnectionId(9), &mut out);
    assert!(!lab.smb.pipe(pipe).unwrap().suspect && out.is_empty());
    lab.smb.lost(ConnectionId(1), &mut out);
    assert!(lab.smb.pipe(pipe).unwrap().suspect);
    assert_eq!(out, [Event::PipeTorn { pipe }]);
    out.clear();
    lab.smb.lost(ConnectionId(1), &mut out);
    assert_eq!(out, [], "it has said nothing since");
    let said = lab.ask(9, IPC, write(0xf1, 0, &pdu(0, 24)));
    lab.send(1, &said);
    lab.smb.lost(ConnectionId(1), &mut out);
    assert_eq!(out, [Event::PipeTorn { pipe }]);
}

#[test]
fn a_hole_in_a_write_is_passed_on_and_one_in_a_header_is_a_loss() {
    let mut lab = Lab::new();
    let pipe = lab.pipe(0xf1);
    let call = lab.ask(9, IPC, write(0xf1, 0, &pdu(0, 400))).unit();
    let mut cut = crate::bytes::Buffer::default();
    cut.push(View::new(&call[..200], &[], &[]));
    cut.push_hole(316, Missing::Snapped);
    let mut out = Vec::new();
    let whole = cut.len();
    let (one, ends) = (ConnectionId(1), Lab::ends(1));
    lab.smb.advance(one, ends, cut.view(), whole, &mut out);
    check_data(&out, pipe, Side::Client, 400);
    let mut cut = crate::bytes::Buffer::default();
    cut.push(View::new(&call[..80], &[], &[]));
    cut.push_hole(436, Missing::Lost);
    out.clear();
    lab.smb.advance(one, ends, cut.view(), whole, &mut out);
    assert_eq!(out, [Event::PipeTorn { pipe }]);
    assert!(lab.smb.pipe(pipe).unwrap().suspect);
}
