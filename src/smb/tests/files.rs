//! What is no pipe, what may be one, and what is not worth holding.

use super::lab::{Lab, check_data};
use super::wire::*;
use crate::bytes::{Framed, Side};
use crate::smb::{Event, Status};

#[test]
fn file_data_that_look_like_rpc_are_file_data() {
    let mut lab = Lab::new();
    lab.open("backup.vhdx", DISK, 0xd1, 1 << 30);
    let fake = pdu(0, 4000);
    let put = lab.ask(9, DISK, write(0xd1, 0, &fake));
    assert!(matches!(lab.frame(&put.unit()), Framed::Skim { whole: 4116, .. }));
    assert_eq!(lab.send(1, &put), []);
    // A handle nobody saw being opened, on a tree that is known.
    let put = lab.ask(9, DISK, write(0xd2, 0, &fake));
    assert!(matches!(lab.frame(&put.unit()), Framed::Skim { .. }));
    assert_eq!(lab.send(1, &put), []);
    let get = lab.ask(8, DISK, read(0xd1, 0));
    lab.send(1, &get);
    let answer = get.answer(read_answer(&pdu(2, 4000)));
    assert!(matches!(lab.frame(&answer.unit()), Framed::Skim { .. }));
    assert_eq!(lab.send(1, &answer), []);
}

#[test]
fn writes_to_shares_of_copies_are_told_with_their_answers() {
    let mut lab = Lab::new();
    let (copies, path) = (0x21, "\\\\fss1\\data@{8f0a}");
    lab.connect_tree(1, path, copies, 1);
    let told = |status| [Event::Wrote { path: path.to_owned(), status: Status(status) }];
    let small = lab.ask(9, copies, write(0xd1, 0, b"small"));
    assert_eq!(lab.send(1, &small), []);
    assert_eq!(lab.send(1, &small.answer(written())), told(0));
    // Of one that is long only the header is asked for.
    let long = lab.ask(9, copies, write(0xd1, 65536, &vec![7; 70_000]));
    assert!(matches!(lab.frame(&long.unit()), Framed::Skim { keep: 116, whole: 70_116 }));
    let (events, _) = lab.take(1, 1, &long.unit()[..116], 70_116);
    assert_eq!(events, []);
    assert_eq!(lab.send(1, &long.refuse(0xc000_00a2)), told(0xc000_00a2));
    // In a chain, with the CREATE before it.
    let open = lab.ask(5, copies, create("new.bin"));
    let put = lab.ask(9, copies, write(0xff, 0, b"small")).with(|m| m.flags |= RELATED);
    assert_eq!(lab.unit(1, 1, &compound(&[open.clone(), put.clone()])), []);
    let answers = [open.answer(created(0xd3, 0)), put.answer(written())];
    assert_eq!(lab.unit(1, 1, &compound(&answers)), told(0));
    // Who may not write may not even open the file for it; what else is refused was no write.
    let open = lab.ask(5, copies, create("new.bin"));
    lab.send(1, &open);
    assert_eq!(lab.send(1, &open.refuse(0xc000_00a2)), told(0xc000_00a2));
    let open = lab.ask(5, copies, create("gone.bin"));
    lab.send(1, &open);
    assert_eq!(lab.send(1, &open.refuse(0xc000_0034)), []);
    let open = lab.ask(5, DISK, create("new.bin"));
    lab.send(1, &open);
    assert_eq!(lab.send(1, &open.refuse(0xc000_00a2)), []);
    let put = lab.ask(9, DISK, write(0xd1, 0, b"elsewhere"));
    lab.send(1, &put);
    assert_eq!(lab.send(1, &put.answer(written())), []);
}

#[test]
fn unknown_trees_are_told_by_what_they_hold() {
    let mut lab = Lab::new();
    let unknown = 0x77;
    // One file with a size makes the tree a disk, and all its other handles files.
    lab.open("a.bin", unknown, 0xd1, 4096);
    let put = lab.ask(9, unknown, write(0xd2, 0, &pdu(0, 400)));
    assert_eq!(lab.send(1, &put), []);
    // A place inside a file is none in a pipe.
    let put = lab.ask(9, 0x78, write(0xd3, 65536, &pdu(0, 400)));
    assert_eq!(lab.send(1, &put), []);
    // FSCTL_PIPE_WAIT is for trees of pipes only.
    let wait = lab.ask(11, 0x79, ioctl(0x0011_0018, 0xff, b""));
    lab.send(1, &wait);
    let opened = lab.open("winreg", 0x79, 0xf9, 0);
    assert!(matches!(opened[..], [Event::PipeOpened { .. }]), "{opened:?}");
}

#[test]
fn a_handle_not_seen_opened_becomes_a_pipe_with_its_first_whole_pdu() {
    let mut lab = Lab::default();
    let part = lab.ask(9, 0x77, write(0xf1, 0, &pdu(0, 400)[..300]));
    assert!(matches!(lab.frame(&part.unit()), Framed::Whole(_)));
    assert_eq!(lab.send(1, &part), []);
    let call = lab.ask(9, 0x77, write(0xf1, 0, &pdu(0, 400)));
    let events = lab.send(1, &call);
    let [Event::PipeOpened { pipe }, ref data] = events[..] else {
        panic!("{events:?}");
    };
    check_data(std::slice::from_ref(data), pipe, Side::Client, 400);
    let known = lab.smb.pipe(pipe).unwrap();
    assert_eq!((&known.name, &known.dialect, known.suspect), (&None, &None, false));
    let ask = lab.ask(8, 0x77, read(0xf1, 0));
    lab.send(1, &ask);
    let half = &pdu(2, 500)[..250];
    check_data(&lab.send(1, &ask.answer(read_answer(half))), pipe, Side::Server, 250);
}

#[test]
fn a_handle_on_a_known_tree_of_pipes_needs_no_proof_but_is_suspect() {
    let mut lab = Lab::new();
    let part = lab.ask(9, IPC, write(0xf7, 0, b"the middle of something"));
    let events = lab.send(1, &part);
    let [Event::PipeOpened { pipe }, _] = events[..] else {
        panic!("{events:?}");
    };
    assert!(lab.smb.pipe(pipe).unwrap().suspect);
}

#[test]
fn answers_alone_are_enough_to_know_a_pipe() {
    let mut lab = Lab::default();
    let tree = Msg::ask(3, 1, IPC, vec![]).answer(tree_connected(2));
    lab.send(1, &tree);
    let open = Msg::ask(5, 2, IPC, vec![]).answer(created(0xf1, 0));
    let events = lab.send(1, &open);
    let [Event::PipeOpened { pipe }] = events[..] else {
        panic!("{events:?}");
    };
    let answer = Msg::ask(11, 3, IPC, vec![]).answer(ioctl_answer(TRANSCEIVE, 0xf1, &pdu(2, 64)));
    check_data(&lab.send(1, &answer), pipe, Side::Server, 64);
}

#[test]
fn bulk_costs_its_headers_only() {
    let mut lab = Lab::new();
    lab.pipe(0xf1);
    lab.open("big", DISK, 0xd1, 1 << 40);
    let headers_only = |framed| matches!(framed, Framed::Skim { keep: 116, .. });
    let block = vec![0; 60_000];
    let cases = [
        (lab.ask(9, DISK, write(0xd1, 0, &block)), true),
        (lab.ask(9, IPC, write(0xf1, 0, &block)), false),
        (lab.ask(9, 0x77, write(0xaa, 0, &block)), false),
        (lab.ask(9, 0x77, write(0xaa, 0, &vec![0; 100_000])), true),
        (lab.ask(8, DISK, vec![]).answer(read_answer(&block)), true),
        (lab.ask(16, DISK, block.clone()), true),
        (lab.ask(11, DISK, ioctl(0x0014_40f2, 0xd1, &block)), true),
        (lab.ask(11, IPC, ioctl(TRANSCEIVE, 0xf1, &block)), false),
        (lab.ask(9, IPC, write(0xf1, 0, &vec![0; 2 << 20])), true),
    ];
    for (n, (msg, skimmed)) in cases.into_iter().enumerate() {
        let unit = msg.unit();
        assert_eq!(headers_only(lab.frame(&unit)), skimmed, "case {n}");
        let framed = lab.frame(&unit[..116]);
        assert_eq!(headers_only(framed), skimmed, "case {n}, by its headers");
    }
    let ask = lab.ask(8, IPC, read(0xf1, 0));
    lab.send(1, &ask);
    assert!(!headers_only(lab.frame(&ask.answer(read_answer(&block)).unit())));
    let sealed = nbss(&[&b"\xfdSMB"[..], &[0; 2000]].concat());
    assert_eq!(lab.frame(&sealed), Framed::Skim { keep: 56, whole: 2008 });
}

#[test]
fn sealed_compressed_and_old_messages_are_counted() {
    let mut lab = Lab::default();
    let sealed = nbss(&[&b"\xfdSMB"[..], &[0; 100]].concat());
    assert_eq!(lab.unit(1, 1, &sealed), [Event::Sealed]);
    assert_eq!(lab.unit(1, 1, &sealed), [], "only the first is told of");
    let compressed = nbss(&[&b"\xfcSMB"[..], &[0; 100]].concat());
    assert_eq!(lab.unit(1, 1, &compressed), []);
    assert_eq!(lab.unit(1, 1, &nbss(b"\xffSMBr")), []);
    lab.negotiate(1, 1, 0xee);
    let counters = lab.smb.counters();
    assert_eq!((counters.sealed, counters.sealed_bytes, counters.compressed), (2, 216, 1));
    assert_eq!(counters.dialects().collect::<Vec<_>>(), ["3.1.1"]);
}
