//! Encrypted messages with keys, and signatures.

use std::sync::Arc;

use super::compressors::chained;
use super::lab::{CLIENT, Lab, check_data, ntlm_key, ntlm_password, ntlm_v1};
use super::wire::*;
use crate::bytes::{Framed, Missing, Piece, Side, Span, View};
use crate::security::Secret;
use crate::security::keys::{Keyring, SmbKey, SmbSecret};
use crate::security::ntlm::samples;
use crate::security::smb::{Cipher, Derivation, Preauth, Signing, seal};
use crate::smb::{Event, Smb};

fn key(octet: u8) -> Secret {
    Secret::new(vec![octet; 16])
}

fn give(smb: &mut Smb, secret: SmbSecret) {
    give_all(smb, [secret]);
}

fn give_all(smb: &mut Smb, secrets: impl IntoIterator<Item = SmbSecret>) {
    let mut ring = Keyring::default();
    for secret in secrets {
        ring.add_smb(SmbKey { session_id: SESSION, secret, from: "here".to_owned() });
    }
    smb.take_keys(Arc::new(ring));
}

fn directions(client: Option<u8>, server: Option<u8>) -> SmbSecret {
    let (client_to_server, server_to_client) = (client.map(key), server.map(key));
    SmbSecret::Directions { client_to_server, server_to_client }
}

/// A user who is logged on, and the keys of both directions.
fn lab() -> Lab {
    let mut lab = Lab::default();
    let (client_to_server, server_to_client) = (Some(key(1)), Some(key(2)));
    give(&mut lab.smb, SmbSecret::Directions { client_to_server, server_to_client });
    lab.negotiate(1, 1, 0xee);
    lab.log_on(1, 0);
    lab.connect_tree(1, "\\\\fss1\\IPC$", IPC, 2);
    lab.connect_tree(1, "\\\\fss1\\data", DISK, 1);
    lab
}

fn sealed(side: Side, message: &[u8]) -> Vec<u8> {
    let key = key(if side == Side::Client { 1 } else { 2 });
    nbss(&seal(Cipher::Aes128Gcm, &key, [9; 16], SESSION, message).unwrap())
}

fn sealed_unit(side: Side, unit: &[u8]) -> Vec<u8> {
    sealed(side, &unit[4..])
}

#[test]
fn what_was_encrypted_says_what_it_would_in_clear() {
    let mut lab = lab();
    let pipe = lab.pipe(0xf1);
    let call = lab.ask(9, IPC, write(0xf1, 0, &pdu(0, 400)));
    let unit = sealed_unit(Side::Client, &call.unit());
    assert_eq!(lab.frame(&unit), Framed::Whole(u32::try_from(unit.len()).unwrap()));
    assert_eq!(lab.frame(&unit[..20]), Framed::Need(56));
    check_data(&lab.unit(1, 1, &unit), pipe, Side::Client, 400);
    let answer = call.answer(read_answer(&pdu(2, 300))).with(|m| m.command = 8);
    lab.send(1, &call.clone().with(|m| (m.command, m.body) = (8, read(0xf1, 0))));
    check_data(
        &lab.unit(1, 1, &sealed_unit(Side::Server, &answer.unit())),
        pipe,
        Side::Server,
        300,
    );
    // Compressed before it was encrypted.
    let call = lab.ask(9, IPC, write(0xf1, 0, &pdu(0, 500)));
    let unit = sealed(Side::Client, &chained(2, &call.unit()[4..]));
    let (events, plain) = lab.take(1, 1, &unit, u32::try_from(unit.len()).unwrap());
    check_data(&events, pipe, Side::Client, 500);
    let plain = plain.unwrap();
    let (opened, _) = plain.opened().unwrap();
    assert!(opened.bytes().starts_with(b"\xfcSMB"));
    assert_eq!(plain.message.view().bytes(), &call.unit()[4..]);
    let counters = lab.smb.counters();
    assert_eq!((counters.sealed, counters.opened, counters.compressed), (3, 3, 1));
    assert_eq!(lab.smb.closed_sessions().count(), 0);
}

#[test]
fn a_pipe_that_was_opened_in_an_encrypted_message_is_encrypted() {
    let mut lab = lab();
    let ask = lab.ask(5, IPC, create("FssagentRpc"));
    assert_eq!(lab.unit(1, 1, &sealed_unit(Side::Client, &ask.unit())), []);
    let answer = ask.answer(created(0xf1, 0));
    let events = lab.unit(1, 1, &sealed_unit(Side::Server, &answer.unit()));
    let [Event::PipeOpened { pipe }] = events[..] else { panic!("{events:?}") };
    assert!(lab.smb.pipe(pipe).unwrap().encrypted);
    let off = lab.ask(2, 0, empty());
    lab.unit(1, 1, &sealed_unit(Side::Client, &off.unit()));
    let events = lab.unit(1, 1, &sealed_unit(Side::Server, &off.answer(empty()).unit()));
    assert_eq!(events, [Event::PipeClosed { pipe, by: CLIENT }]);
}

#[test]
fn what_is_made_of_a_message_remembers_its_frames_and_no_more_than_is_wanted_is_kept() {
    let mut lab = lab();
    lab.open("backup.vhdx", DISK, 0xd1, 1 << 30);
    let put = lab.ask(9, DISK, write(0xd1, 0, &[7; 4000]));
    let unit = sealed_unit(Side::Client, &put.unit());
    let whole = u32::try_from(unit.len()).unwrap();
    let piece = Piece {
        at: 0,
        len: whole,
        frame: crate::bytes::FrameNo(7),
        offset: 54,
        time: crate::bytes::Time::default(),
        made: false,
    };
    let view = [piece];
    let view = View::new(&unit, &view, &[]);
    let mut out = Vec::new();
    let id = crate::smb::ConnectionId(1);
    let plain = lab.smb.advance(id, Lab::ends(1), view, whole, &mut out).unwrap();
    assert_eq!(plain.message.view().bytes(), &put.unit()[4..116]);
    assert_eq!(plain.whole, 64 + 48 + 4000);
    let pieces: Vec<_> = plain.message.view().pieces().collect();
    assert_eq!(pieces, [Piece { len: 112, made: true, ..piece }]);
    lab.smb.advance_plain(id, Lab::ends(1), &plain, &mut out);
    assert_eq!((out, lab.smb.counters().malformed), (vec![], 0));
}

#[test]
fn bulk_is_skimmed_and_what_is_damaged_is_counted() {
    let mut lab = lab();
    let bulk =
        sealed_unit(Side::Client, &lab.ask(9, DISK, write(0xd1, 0, &vec![7; 70_000])).unit());
    let whole = u32::try_from(bulk.len()).unwrap();
    assert_eq!(lab.frame(&bulk), Framed::Skim { keep: 56, whole });
    // Nothing has proven the keys yet.
    let (events, _) = lab.take(1, 1, &bulk[..56], whole);
    assert_eq!(events, [Event::Sealed]);
    let echo = lab.ask(13, 0, empty());
    let good = sealed_unit(Side::Client, &echo.unit());
    assert_eq!(lab.unit(1, 1, &good), []);
    lab.unit(1, 1, &sealed_unit(Side::Server, &echo.answer(empty()).unit()));
    let (events, _) = lab.take(1, 1, &bulk[..56], whole);
    assert_eq!((events, lab.smb.counters().sealed_bulk), (vec![], 1));
    for at in 8..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        // Of another session nothing is known.
        let known = !(48..56).contains(&at);
        let before = lab.smb.counters().sealed_bad;
        assert_eq!(lab.unit(1, 1, &bad), []);
        assert_eq!(lab.smb.counters().sealed_bad - before, u64::from(known), "octet {at}");
    }
    for len in 56..good.len() {
        let before = lab.smb.counters().opened;
        lab.unit(1, 1, &nbss(&good[4..len]));
        assert_eq!(lab.smb.counters().opened, before, "{len} octets");
    }
    // A byte that is missing is nobody's fault.
    let before = lab.smb.counters().sealed_bad;
    let hole = [crate::bytes::Hole { at: 60, len: 1, why: Missing::Lost }];
    let view = View::new(&good, &[], &hole);
    let whole = u32::try_from(good.len()).unwrap();
    let id = crate::smb::ConnectionId(1);
    assert!(lab.smb.advance(id, Lab::ends(1), view, whole, &mut Vec::new()).is_none());
    assert_eq!(lab.smb.counters().sealed_bad, before);
    // Nor is an end that is.
    assert_eq!(lab.take(1, 1, &good[..60], whole).0, []);
    assert_eq!((lab.smb.counters().sealed_bad, lab.smb.counters().sealed_torn), (before, 1));
}

#[test]
fn one_direction_alone_opens_nothing() {
    let mut lab = lab();
    let secret = SmbSecret::Directions { client_to_server: Some(key(1)), server_to_client: None };
    let mut other = Lab::default();
    std::mem::swap(&mut lab, &mut other);
    give(&mut lab.smb, secret);
    let ask = lab.ask(13, 0, empty());
    assert_eq!(lab.unit(1, 1, &sealed_unit(Side::Client, &ask.unit())), [Event::Sealed]);
    assert_eq!(lab.unit(1, 1, &sealed_unit(Side::Server, &ask.answer(empty()).unit())), []);
    let counters = lab.smb.counters();
    assert_eq!((counters.opened, counters.sealed_bad), (0, 0));
    let closed: Vec<_> = lab.smb.closed_sessions().collect();
    let [closed] = closed[..] else { panic!("{closed:?}") };
    let told = closed.need.to_string();
    let why = "; the key given for it (here) is of one direction only, and it takes both";
    assert!(told.ends_with(why), "{told}");
    assert_eq!((closed.session_id, closed.messages), (SESSION, 2));
}

/// Sends a question and its answer, both encrypted.
fn talk(lab: &mut Lab) {
    let ask = lab.ask(13, 0, empty());
    lab.unit(1, 1, &sealed_unit(Side::Client, &ask.unit()));
    lab.unit(1, 1, &sealed_unit(Side::Server, &ask.answer(empty()).unit()));
}

#[test]
fn directions_that_are_given_one_by_one_open_both() {
    let both = [directions(None, Some(2)), directions(Some(1), None)];
    let amid = [
        directions(Some(7), None),
        directions(Some(8), Some(2)),
        SmbSecret::Session(key(9)),
        directions(Some(1), Some(9)),
    ];
    for (what, keys) in [("both", &both[..]), ("amid", &amid)] {
        let mut lab = Lab::default();
        give_all(&mut lab.smb, keys.iter().cloned());
        talk(&mut lab);
        talk(&mut lab);
        let counters = lab.smb.counters();
        assert_eq!((counters.opened, counters.sealed_bad), (4, 0), "{what}");
        // Now that both are known to be right, what they do not open is bad.
        let mut bad = sealed_unit(Side::Client, &lab.ask(13, 0, empty()).unit());
        *bad.last_mut().unwrap() ^= 1;
        lab.unit(1, 1, &bad);
        assert_eq!(lab.smb.counters().sealed_bad, 1, "{what}");
    }
}

#[test]
fn a_key_of_one_direction_that_is_right_does_not_vouch_for_the_other() {
    let mut lab = Lab::default();
    give(&mut lab.smb, directions(Some(1), Some(7)));
    talk(&mut lab);
    let counters = lab.smb.counters();
    assert_eq!((counters.opened, counters.sealed_bad), (1, 0));
    let told = lab.smb.closed_sessions().next().unwrap().need.to_string();
    assert!(told.contains("the key given for it (here) does not open it with AES-128-"), "{told}");
}

fn accuses(event: &Event) -> bool {
    matches!(event, Event::BadSignature { .. })
}

/// A user who logs on over a connection with the password, all of whose messages are signed with
/// `by`, if there is one. The key of the logon, which signs its last answer.
fn log_on(lab: &mut Lab, connection: u32, binding: bool, by: Option<&Secret>) -> Secret {
    let mut hash = Preauth::default();
    let mut send = |lab: &mut Lab, msg: &Msg, by: Option<&Secret>| {
        let unit = by.map_or_else(|| msg.unit(), |by| signed_with(Signing::AesGmac, msg, by));
        let events = lab.unit(connection, 1, &unit);
        assert!(!events.iter().any(accuses), "{events:?}");
        hash.update(&unit[4..]);
        Derivation::Preauth(&hash).signing_key(&ntlm_key())
    };
    let ask = lab.ask(0, 0, negotiate()).with(|m| m.session = 0);
    send(lab, &ask, None);
    send(lab, &ask.answer(negotiated(0xee)), None);
    let (challenge, authenticate) = ntlm_v1();
    let setup = |token: &[u8]| {
        let mut body = session_setup(token, 0);
        body[2] = u8::from(binding);
        body
    };
    let first = lab.ask(1, 0, setup(samples::NEGOTIATE));
    let first = first.with(|m| m.session = if binding { SESSION } else { 0 });
    send(lab, &first, by);
    let more = first.answer(session_set_up(&challenge));
    send(lab, &more.with(|m| (m.session, m.status) = (SESSION, 0xc000_0016)), by);
    let second = lab.ask(1, 0, setup(&authenticate));
    let key = send(lab, &second, by);
    send(lab, &second.answer(session_set_up(b"")), Some(&key));
    key
}

/// A question that is signed with `by`.
fn echo_by(lab: &mut Lab, connection: u32, by: &Secret) -> Vec<Event> {
    let echo = lab.ask(13, 0, empty());
    lab.unit(connection, 1, &signed_with(Signing::AesGmac, &echo, by))
}

#[test]
fn a_connection_that_joins_signs_with_the_session_s_key_and_then_with_its_own() {
    let mut lab = Lab::default();
    lab.smb.take_keys(ntlm_password());
    let first = log_on(&mut lab, 1, false, None);
    assert_eq!(lab.smb.counters().verified, 1);
    let second = log_on(&mut lab, 2, true, Some(&first));
    assert_ne!(first, second);
    // Both requests, the answer between them, and the last one.
    assert_eq!(lab.smb.counters().verified, 5);
    for (connection, own, other) in [(1, &first, &second), (2, &second, &first)] {
        assert_eq!(echo_by(&mut lab, connection, own), []);
        assert!(echo_by(&mut lab, connection, other).iter().any(accuses), "{connection}");
    }
    let counters = lab.smb.counters();
    let seen = (counters.verified, counters.bad_signatures, counters.not_verifiable);
    assert_eq!(seen, (7, 2, 0));
}

#[test]
fn who_logs_on_again_keeps_the_keys() {
    let mut lab = Lab::default();
    lab.smb.take_keys(ntlm_password());
    let key = log_on(&mut lab, 1, false, None);
    let (challenge, authenticate) = ntlm_v1();
    let mut send = |msg: &Msg| {
        let events = lab.unit(1, 1, &signed_with(Signing::AesGmac, msg, &key));
        assert!(!events.iter().any(accuses), "{events:?}");
    };
    let first = Msg::ask(1, 90, 0, session_setup(samples::NEGOTIATE, 0));
    send(&first);
    send(&first.answer(session_set_up(&challenge)).with(|m| m.status = 0xc000_0016));
    let second = Msg::ask(1, 91, 0, session_setup(&authenticate, 0));
    send(&second);
    send(&second.answer(session_set_up(b"")));
    send(&Msg::ask(13, 92, 0, empty()));
    let counters = lab.smb.counters();
    let seen = (counters.verified, counters.bad_signatures, counters.not_verifiable);
    assert_eq!(seen, (6, 0, 0));
}

fn signed_with(signing: Signing, msg: &Msg, key: &Secret) -> Vec<u8> {
    let mut unit = msg.clone().with(|m| m.flags |= SIGNED).unit();
    let signature = signing.sign(key, &unit[4..]).unwrap();
    unit[52..68].copy_from_slice(&signature);
    unit
}

/// A message signed as 2.1 does it.
fn signed(msg: &Msg, octet: u8) -> Vec<u8> {
    signed_with(Signing::HmacSha256, msg, &key(octet))
}

#[test]
fn only_a_key_that_has_verified_something_accuses() {
    let mut lab = Lab::default();
    give(&mut lab.smb, SmbSecret::Session(key(3)));
    let ask = lab.ask(0, 0, negotiate()).with(|m| m.session = 0);
    lab.send(1, &ask);
    let mut answer = negotiated(0xee);
    answer[4..6].copy_from_slice(&[0x10, 0x02]);
    lab.send(1, &ask.answer(answer));
    let send = |lab: &mut Lab, octet| {
        let echo = lab.ask(13, 0, empty());
        lab.unit(1, 1, &signed(&echo, octet))
    };
    let (by, command) = (Side::Client, "ECHO".to_owned());
    let bad = [Event::BadSignature { session_id: SESSION, user: None, by, command }];
    assert_eq!(send(&mut lab, 4), [], "who knows which of them is wrong");
    assert_eq!(send(&mut lab, 3), []);
    assert_eq!(send(&mut lab, 4), bad);
    let counters = lab.smb.counters();
    let seen = (counters.verified, counters.bad_signatures, counters.not_verifiable);
    assert_eq!(seen, (1, 1, 1));
    // All messages of a chain, each by itself, and one event for all that are wrong.
    let echoes = [lab.ask(13, 0, empty()), lab.ask(13, 0, empty())];
    let chain = compound(&echoes.map(|m| m.with(|m| m.flags |= SIGNED)));
    assert_eq!(lab.unit(1, 1, &chain), bad);
    let mut good = chain;
    for span in [Span::new(4, 76), Span::new(76, 144)] {
        let of = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
        let signature = Signing::HmacSha256.sign(&key(3), &good[of.clone()]).unwrap();
        good[of.start + 48..of.start + 64].copy_from_slice(&signature);
    }
    assert_eq!(lab.unit(1, 1, &good), []);
    assert_eq!((lab.smb.counters().verified, lab.smb.counters().bad_signatures), (3, 3));
    // One that is not here whole.
    let (events, _) = lab.take(1, 1, &good[..100], u32::try_from(good.len()).unwrap());
    assert_eq!((events, lab.smb.counters().bad_signatures), (vec![], 3));
}
