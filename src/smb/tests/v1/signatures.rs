//! Signatures, and what is counted for them.

use super::wire::*;
use crate::bytes::Side;
use crate::security::ntlm::samples;
use crate::security::smb::sign_smb1;
use crate::smb::Event;
use crate::smb::tests::lab::{ntlm_key, ntlm_password, ntlm_v1};

/// A client whose password is known.
fn client() -> Client {
    let mut client = Client::stranger();
    client.lab.smb.take_keys(ntlm_password());
    let ask = client.ask(0, negotiate()).with(|m| m.uid = 0);
    client.send(&ask);
    client.send(&ask.answer(vec![negotiated_extended()]));
    let (challenge, authenticate) = ntlm_v1();
    let first = client.ask(0, session_setup(samples::NEGOTIATE)).with(|m| m.uid = 0);
    client.send(&first);
    let more = first.answer(vec![session_set_up(&challenge)]);
    client.send(&more.with(|m| (m.uid, m.status) = (UID, 0xc000_0016_u32.to_le_bytes())));
    let second = client.ask(0, session_setup(&authenticate));
    client.send(&second);
    let answer = second.answer(vec![session_set_up(b"")]);
    assert_eq!(send(&mut client, &answer, 1).len(), 1);
    assert_eq!(counted(&client), (1, 0, 0));
    client
}

/// Sends a message that is signed with this number.
fn send(client: &mut Client, msg: &Msg, number: u32) -> Vec<Event> {
    let mut unit = msg.clone().with(|m| m.flags2 |= SIGNED).unit();
    let signature = sign_smb1(&ntlm_key(), &unit[4..], number).unwrap();
    unit[18..26].copy_from_slice(&signature);
    client.lab.unit(1, 1, &unit)
}

fn echo(client: &mut Client) -> Msg {
    client.ask(IPC, part(0x2b, &[b"\x01\x00"], b"ping"))
}

/// Asks with this number, and is answered with the next.
fn call(client: &mut Client, number: u32) {
    let ask = echo(client);
    assert_eq!(send(client, &ask, number), []);
    assert_eq!(send(client, &ask.answer(ask.parts.clone()), number + 1), []);
}

/// Signatures that are right, wrong, and neither.
fn counted(client: &Client) -> (u64, u64, u64) {
    let counters = client.smb().counters();
    (counters.verified, counters.bad_signatures, counters.not_verifiable)
}

const BAD: u16 = 0x5a5a;

/// A message whose signature is of nothing.
fn odd(client: &mut Client) -> Vec<Event> {
    let ask = echo(client).with(|m| (m.tid, m.flags2) = (BAD, m.flags2 | SIGNED));
    client.send(&ask)
}

/// Whether the client's user is accused of one message.
fn accused(events: &[Event]) -> bool {
    matches!(events, [Event::BadSignature { session_id, user, by: Side::Client, .. }]
        if *session_id == u64::from(UID) && user.as_deref() == Some("FSLAB\\fsadmin"))
}

#[test]
fn a_server_that_breaks_an_oplock_counts_nothing() {
    let mut client = client();
    call(&mut client, 2);
    let locking = part(0x24, &[&[0; 12]], b"");
    let breaks = Msg::ask(0xffff, DISK, vec![locking]).with(|m| m.flags2 |= SIGNED);
    assert_eq!(client.send(&breaks), []);
    assert_eq!(counted(&client), (3, 0, 0));
    call(&mut client, 4);
    // The client's answer to it is a request, and is not answered.
    let answer = client.ask(DISK, breaks.parts[0].clone());
    send(&mut client, &answer, 6);
    call(&mut client, 8);
    assert_eq!(counted(&client), (8, 0, 0));
}

#[test]
fn a_cancel_takes_one_number() {
    let mut client = client();
    let ask = echo(&mut client);
    send(&mut client, &ask, 2);
    let cancel = ask.clone().with(|m| m.parts = vec![part(0xa4, &[], b"")]);
    send(&mut client, &cancel, 4);
    send(&mut client, &ask.answer(ask.parts.clone()), 3);
    call(&mut client, 5);
    assert_eq!(counted(&client), (6, 0, 0));
}

#[test]
fn one_odd_message_costs_one_verdict() {
    let mut client = client();
    call(&mut client, 2);
    // The server counts it.
    assert!(accused(&odd(&mut client)));
    call(&mut client, 6);
    assert_eq!(counted(&client), (5, 1, 0));
    // It does not.
    assert!(accused(&odd(&mut client)));
    call(&mut client, 8);
    assert_eq!(counted(&client), (7, 2, 0));
    // Of very many between nothing was seen, not even that they are missing.
    let ask = echo(&mut client);
    assert!(accused(&send(&mut client, &ask, 100)));
    assert_eq!(send(&mut client, &ask.answer(ask.parts.clone()), 101), []);
    call(&mut client, 102);
    assert_eq!(counted(&client), (9, 3, 1));
    assert!(accused(&odd(&mut client)));
}

#[test]
fn a_logon_of_which_no_key_is_known_is_not_verified() {
    let mut client = Client::stranger();
    client.lab.smb.take_keys(ntlm_password());
    let ask = client.ask(0, negotiate()).with(|m| m.uid = 0);
    client.send(&ask);
    client.send(&ask.answer(vec![negotiated()]));
    let ask = client.ask(0, session_setup_by_name("fsadmin", "FSLAB")).with(|m| m.uid = 0);
    client.send(&ask);
    client.send(&ask.answer(vec![session_set_up_by_name(0)]).with(|m| m.uid = UID));
    for number in [2, 4, 6] {
        call(&mut client, number);
    }
    assert_eq!(counted(&client), (0, 0, 6));
}
