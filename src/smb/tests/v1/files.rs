//! What is no pipe, what may be one, and what is not worth holding.

use super::wire::*;
use crate::bytes::{Framed, Side};
use crate::smb::tests::lab::check_data;
use crate::smb::tests::wire::{nbss, pdu};
use crate::smb::{Event, plausible_start, resync, sender};

/// Whether more than the headers is asked for, of the whole as of its beginning.
#[track_caller]
fn skimmed(client: &Client, msg: &Msg) -> bool {
    let unit = msg.unit();
    let skimmed = matches!(client.frame(&unit), Framed::Skim { keep: 116, .. });
    assert_eq!(client.frame(&unit[..116]), client.frame(&unit), "by its headers");
    skimmed
}

#[test]
fn file_data_that_look_like_rpc_are_file_data() {
    let mut client = Client::new();
    assert_eq!(client.call(DISK, nt_create("\\backup.vhdx"), nt_created(0xd1, 0)), []);
    let (request, answer) = (pdu(0, 4000), pdu(2, 4000));
    for fid in [0xd1, 0xd2] {
        let put = client.ask(DISK, write_andx(fid, 0, 0, &request));
        assert!(skimmed(&client, &put));
        assert_eq!(client.send(&put), []);
        let put = client.ask(DISK, write(fid, &pdu(0, 64)));
        assert_eq!(client.send(&put), []);
        let get = client.ask(DISK, read_andx(fid, 0));
        assert_eq!(client.send(&get), []);
        let got = get.answer(vec![read_andx_answer(&answer)]);
        assert!(skimmed(&client, &got));
        assert_eq!(client.send(&got), []);
    }
    // A file of this FID closed, the FID is a pipe's.
    client.call(DISK, close(0xd1), done(0x04));
    client.pipe(0xd1);
    let put = client.ask(IPC, write_andx(0xd1, 0, 8, &request));
    assert!(!skimmed(&client, &put));
}

#[test]
fn unknown_trees_are_told_by_what_they_hold() {
    let mut client = Client::new();
    // What the server calls a file makes the tree a disk, and all its other handles files.
    assert_eq!(client.call(0x77, nt_create("\\a.bin"), nt_created(0xd1, 0)), []);
    let put = client.ask(0x77, write_andx(0xd2, 0, 0, &pdu(0, 400)));
    assert_eq!(client.send(&put), []);
    // What it calls a pipe makes it a tree of pipes.
    let opened = client.call(0x78, open_andx("\\PIPE\\srvsvc"), opened_andx(0xf1, 1));
    assert!(matches!(opened[..], [Event::PipeOpened { .. }]), "{opened:?}");
    // A place inside a file is none in a pipe.
    let put = client.ask(0x79, write_andx(0xd3, 65536, 0, &pdu(0, 400)));
    assert_eq!(client.send(&put), []);
    // Only a pipe is written to like this.
    let put = client.ask(0x79, write_andx(0xf2, 0, 8, &pdu(0, 400)));
    let events = client.send(&put);
    let [Event::PipeOpened { pipe }, ..] = events[..] else { panic!("{events:?}") };
    check_data(&events[1..], pipe, Side::Client, 400);
    // Only a tree of pipes takes a question to a pipe.
    let ask = client.ask(0x7a, transaction([TRANSACT, 0xf3], "\\PIPE\\", 64, b"the middle"));
    let events = client.send(&ask);
    let [Event::PipeOpened { pipe }, Event::PipeData { .. }] = events[..] else {
        panic!("{events:?}");
    };
    assert!(client.smb().pipe(pipe).unwrap().suspect);
}

#[test]
fn a_handle_not_seen_opened_becomes_a_pipe_with_its_first_whole_pdu() {
    let mut client = Client::stranger();
    let part = client.ask(0x77, write_andx(0xf1, 0, 0, &pdu(0, 400)[..300]));
    assert!(!skimmed(&client, &part));
    assert_eq!(client.send(&part), []);
    let call = client.ask(0x77, write_andx(0xf1, 0, 0, &pdu(0, 400)));
    let events = client.send(&call);
    let [Event::PipeOpened { pipe }, ref data] = events[..] else { panic!("{events:?}") };
    check_data(std::slice::from_ref(data), pipe, Side::Client, 400);
    let known = client.smb().pipe(pipe).unwrap();
    assert_eq!((&known.name, known.suspect), (&None, false));
    assert_eq!(known.dialect.as_deref(), Some("1"), "the messages show it");
    // By its answer, too.
    let get = client.ask(0x78, read_andx(0xf2, 0));
    client.send(&get);
    let events = client.send(&get.answer(vec![read_andx_answer(&pdu(2, 64))]));
    let [Event::PipeOpened { pipe }, ref data] = events[..] else { panic!("{events:?}") };
    check_data(std::slice::from_ref(data), pipe, Side::Server, 64);
}

#[test]
fn bulk_costs_its_headers_only() {
    let mut client = Client::new();
    client.pipe(0xf1);
    client.call(DISK, nt_create("\\big"), nt_created(0xd1, 0));
    let block = vec![0; 60_000];
    let cases = [
        (client.ask(DISK, write_andx(0xd1, 0, 0, &block)), true),
        (client.ask(IPC, write_andx(0xf1, 0, 0, &block)), false),
        (client.ask(0x77, write_andx(0xaa, 0, 0, &block)), false),
        (client.ask(DISK, write(0xd1, &block)), true),
        (client.ask(IPC, write(0xf1, &block)), false),
        (client.ask(DISK, write_and_close(0xd1, &block)), true),
        (client.ask(IPC, transaction([TRANSACT, 0xf1], "\\PIPE\\", 60_000, &block)), false),
        (client.ask(DISK, part(0x32, &[&[0; 30]], &block)), true),
        (client.ask(DISK, read_andx(0xd1, 0)).answer(vec![read_andx_answer(&block)]), true),
    ];
    for (n, (msg, expect)) in cases.into_iter().enumerate() {
        assert_eq!(skimmed(&client, &msg), expect, "case {n}");
    }
    let ask = client.ask(IPC, read_andx(0xf1, 0));
    client.send(&ask);
    let answer = ask.answer(vec![read_andx_answer(&block)]);
    assert!(!skimmed(&client, &answer));
    // Larger than a ByteCount can say: [MS-SMB] 2.2.4.3.1.
    let mut large = client.ask(DISK, write_andx(0xd1, 0, 0, b"x")).unit();
    large.resize(300_000, 0);
    let length = u32::try_from(large.len() - 4).unwrap().to_be_bytes();
    large[..4].copy_from_slice(&length);
    assert_eq!(client.frame(&large[..116]), Framed::Skim { keep: 116, whole: 300_000 });
    assert_eq!(client.frame(&nbss(&[&b"\xffSMB"[..], &[0; 30]].concat())), Framed::Foreign);
}

#[test]
fn a_flow_is_recognised_by_its_first_bytes() {
    for (name, unit) in samples() {
        assert!(plausible_start(&unit[..8]), "{name}");
        let side = if unit[13] & 0x80 == 0 { Side::Client } else { Side::Server };
        assert_eq!(sender(&unit), Some(side), "{name}");
        assert_eq!(resync(side, &unit), Some(0), "{name}");
        assert_eq!(resync(side.other(), &unit), None, "{name}");
    }
    // The server asks for an oplock back.
    let breaks = Msg::ask(0xffff, DISK, vec![part(0x24, &[&[0; 12]], b"")]);
    assert_eq!(sender(&breaks.unit()), Some(Side::Server));
    let locks = Msg::ask(7, DISK, vec![part(0x24, &[&[0; 12]], b"")]);
    assert_eq!(sender(&locks.unit()), Some(Side::Client));
    let noise = [&nbss(&[&b"\xffSMB\xf0"[..], &[0; 40]].concat())[..], &breaks.unit()].concat();
    assert_eq!(resync(Side::Server, &noise), Some(49));
}
