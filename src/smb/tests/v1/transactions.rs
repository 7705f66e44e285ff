//! Questions to pipes, in one message and in many.

use super::wire::*;
use crate::bytes::Side;
use crate::smb::tests::lab::{CLIENT, check_data};
use crate::smb::tests::wire::pdu;
use crate::smb::{Event, PipeId, Status};

const OVERFLOW: u32 = 0x8000_0005;

/// What each event says of a pipe's data: who, how many, whether it starts, whether it goes on.
fn data(events: &[Event], of: PipeId) -> Vec<(Side, u32, bool, bool)> {
    let one = |event: &Event| match event {
        Event::PipeData { pipe, side, span, starts_message, continues } if *pipe == of => {
            (*side, span.len(), *starts_message, *continues)
        }
        other => panic!("{other:?}"),
    };
    events.iter().map(one).collect()
}

fn ask_pipe(client: &mut Client, total: usize, data: &[u8]) -> Msg {
    client.ask(IPC, transaction([TRANSACT, 0x4001], "\\PIPE\\", total, data))
}

#[test]
fn a_question_and_its_answer() {
    let mut client = Client::new();
    let pipe = client.pipe(0x4001);
    let ask = ask_pipe(&mut client, 64, &pdu(0, 64));
    check_data(&client.send(&ask), pipe, Side::Client, 64);
    let answer = ask.answer(vec![transacted(300, 0, &pdu(2, 300))]);
    check_data(&client.send(&answer), pipe, Side::Server, 300);
    assert_eq!(client.send(&answer), [], "a request is answered once");
    // The rest of a longer answer is read.
    client.send(&ask);
    let part = ask.answer(vec![transacted(100, 0, &pdu(2, 300)[..100])]);
    let first = client.send(&part.with(|m| m.status = OVERFLOW.to_le_bytes()));
    assert_eq!(data(&first, pipe), [(Side::Server, 100, true, true)]);
    let rest = client.call(IPC, read_andx(0x4001, 0), read_andx_answer(&pdu(2, 300)[100..]));
    assert_eq!(data(&rest, pipe), [(Side::Server, 200, false, false)]);
    // Refused.
    client.send(&ask);
    let status = Status(0xc000_00b0);
    assert_eq!(client.send(&ask.refuse(status.0)), [Event::PipeError { pipe, status }]);
}

#[test]
fn a_question_in_parts_and_an_answer_in_parts() {
    let mut client = Client::new();
    let pipe = client.pipe(0x4001);
    let question = pdu(0, 300);
    let ask = ask_pipe(&mut client, 300, &question[..100]);
    let mut events = client.send(&ask);
    let interim = ask.answer(vec![done(0x25)]);
    assert_eq!(client.send(&interim), []);
    for (from, to) in [(100, 200), (200, 300)] {
        let more = Msg { parts: vec![secondary(300, from, &question[from..to])], ..ask.clone() };
        events.extend(client.send(&more));
    }
    let said = [(100, true), (100, false), (100, false)];
    assert_eq!(data(&events, pipe), said.map(|(n, starts)| (Side::Client, n, starts, false)));
    let answer = pdu(2, 500);
    let mut events = Vec::new();
    for (from, to) in [(0, 200), (200, 400), (400, 500)] {
        let part = ask.answer(vec![transacted(500, from, &answer[from..to])]);
        events.extend(client.send(&part));
    }
    let heard = [(200, true, true), (200, false, true), (100, false, false)];
    assert_eq!(data(&events, pipe), heard.map(|(n, s, c)| (Side::Server, n, s, c)));
    let late = ask.answer(vec![transacted(500, 400, &answer[400..])]);
    assert_eq!(client.send(&late), [], "it is answered");
}

#[test]
fn parts_that_do_not_fit_tear_the_pipe() {
    let mut client = Client::new();
    let pipe = client.pipe(0x4001);
    let (question, answer) = (pdu(0, 300), pdu(2, 300));
    for displacement in [0, 50, 150] {
        let ask = ask_pipe(&mut client, 300, &question[..100]);
        client.send(&ask);
        let part = secondary(300, displacement, &question[100..200]);
        let more = Msg { parts: vec![part], ..ask.clone() };
        assert_eq!(client.send(&more), [Event::PipeTorn { pipe }], "at {displacement}");
        let rest = Msg { parts: vec![secondary(300, 200, &question[200..])], ..ask.clone() };
        assert_eq!(client.send(&rest), [], "what follows belongs to nothing");
        // The answer is whole all the same.
        let told = ask.answer(vec![transacted(64, 0, &pdu(2, 64))]);
        check_data(&client.send(&told), pipe, Side::Server, 64);
        let ask = ask_pipe(&mut client, 64, &pdu(0, 64));
        client.send(&ask);
        client.send(&ask.answer(vec![transacted(300, 0, &answer[..100])]));
        let part = ask.answer(vec![transacted(300, displacement, &answer[100..200])]);
        assert_eq!(client.send(&part), [Event::PipeTorn { pipe }], "at {displacement}");
        let part = ask.answer(vec![transacted(300, 200, &answer[200..])]);
        assert_eq!(client.send(&part), [], "what follows belongs to nothing");
    }
    assert!(client.smb().pipe(pipe).unwrap().suspect);
    // A part whose beginning was not seen.
    let lonely = client.ask(IPC, secondary(300, 0, &question[..100]));
    assert_eq!(client.send(&lonely), []);
}

#[test]
fn subcommands_carry_data_one_way_both_ways_or_not_at_all() {
    const CLIENT: Option<Side> = Some(Side::Client);
    const SERVER: Option<Side> = Some(Side::Server);
    let mut client = Client::new();
    let pipe = client.pipe(0x4001);
    for (subcommand, asked, answered) in [
        (0x26, CLIENT, SERVER), // TRANSACT
        (0x31, CLIENT, None),   // RAW_WRITE
        (0x37, CLIENT, None),   // WRITE
        (0x11, None, SERVER),   // RAW_READ
        (0x36, None, SERVER),   // READ
        (0x23, None, None),     // PEEK
        (0x21, None, None),     // QUERY_STATE
        (0x01, None, None),     // SET_STATE
    ] {
        let question = pdu(0, 64);
        let ask = client.ask(IPC, transaction([subcommand, 0x4001], "\\PIPE\\", 64, &question));
        let expect = |side: Option<Side>| {
            side.map(|side| (side, 64, true, false)).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(data(&client.send(&ask), pipe), expect(asked), "0x{subcommand:x}");
        let answer = ask.answer(vec![transacted(64, 0, &pdu(2, 64))]);
        assert_eq!(data(&client.send(&answer), pipe), expect(answered), "0x{subcommand:x}");
    }
    // To wait for a pipe says nothing but that there are pipes here; a mailslot is none.
    for (setup, name) in [([0x53, 0], "\\PIPE\\srvsvc"), ([0x26, 0x4001], "\\MAILSLOT\\BROWSE")] {
        let ask = client.ask(IPC, transaction(setup, name, 64, &pdu(0, 64)));
        assert_eq!(client.send(&ask), [], "{name}");
        assert_eq!(client.send(&ask.answer(vec![transacted(64, 0, &pdu(2, 64))])), [], "{name}");
    }
}

#[test]
fn nothing_goes_through_a_pipe_that_was_closed_meanwhile() {
    let mut client = Client::new();
    for fid in [0x4001, 0x4002] {
        let pipe = client.pipe(fid);
        let (question, answer) = (pdu(0, 300), pdu(2, 300));
        let setup = [TRANSACT, fid];
        let ask = client.ask(IPC, transaction(setup, "\\PIPE\\", 300, &question[..100]));
        client.send(&ask);
        if fid == 0x4002 {
            client.send(&ask.answer(vec![transacted(300, 0, &answer[..100])]));
        }
        assert_eq!(
            client.call(IPC, close(fid), done(0x04)),
            [Event::PipeClosed { pipe, by: CLIENT }]
        );
        client.lab.smb.forget(pipe);
        let more = Msg { parts: vec![secondary(300, 100, &question[100..])], ..ask.clone() };
        assert_eq!(client.send(&more), []);
        let rest = ask.answer(vec![transacted(300, 100, &answer[100..])]);
        assert_eq!(client.send(&rest), []);
    }
}

#[test]
fn a_call_opens_asks_and_closes() {
    let mut client = Client::new();
    let ask = client.ask(IPC, transaction([0x54, 0], "\\PIPE\\srvsvc", 64, &pdu(0, 64)));
    let events = client.send(&ask);
    let Event::PipeOpened { pipe } = events[0] else { panic!("{events:?}") };
    check_data(&events[1..], pipe, Side::Client, 64);
    assert_eq!(client.smb().pipe(pipe).unwrap().name.as_deref(), Some("srvsvc"));
    let events = client.send(&ask.answer(vec![transacted(64, 0, &pdu(2, 64))]));
    check_data(&events[..1], pipe, Side::Server, 64);
    assert_eq!(events[1..], [Event::PipeClosed { pipe, by: CLIENT }]);
}
