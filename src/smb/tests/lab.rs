//! A server, its connections, and a user who is logged on.

use std::net::SocketAddr;
use std::sync::Arc;

use super::wire::*;
use crate::bytes::{Ends, Framed, Side, View};
use crate::security::Secret;
use crate::security::keys::{Account, AccountSecret, Keyring};
use crate::security::ntlm::samples as ntlm;
use crate::smb::{ConnectionId, Event, PipeId, Plain, Smb};

/// A logon by NTLM as it is published (\[MS-NLMP\] 4.2.2): the tokens of the server and the client.
pub(super) fn ntlm_v1() -> (Vec<u8>, Vec<u8>) {
    let (mut challenge, mut authenticate) = (ntlm::challenge(), ntlm::authenticate());
    challenge[24..32].copy_from_slice(b"\x01\x23\x45\x67\x89\xab\xcd\xef");
    let response = b"\x67\xc4\x30\x11\xf3\x02\x98\xa2\xad\x35\xec\xe6\
        \x4f\x16\x33\x1c\x44\xbd\xbe\xd9\x27\x84\x1f\x94";
    let at = authenticate.len() - response.len();
    authenticate[at..].copy_from_slice(response);
    (challenge, authenticate)
}

/// The session key of [`ntlm_v1`].
pub(super) fn ntlm_key() -> Secret {
    let key = b"\xd8\x72\x62\xb0\xcd\xe4\xb1\xcb\x74\x99\xbe\xcc\xcd\xf1\x07\x84";
    Secret::from(&key[..])
}

/// The password of [`ntlm_v1`].
pub(super) fn ntlm_password() -> Arc<Keyring> {
    let mut ring = Keyring::default();
    let secret = AccountSecret::Password(Secret::from(&b"Password"[..]));
    ring.add_account(Account { domain: None, user: None, secret, from: "here".to_owned() });
    Arc::new(ring)
}

/// Who ended a pipe.
pub(super) const CLIENT: Option<Side> = Some(Side::Client);

/// Several connections to one server, the last octet of whose address is told with each.
#[derive(Default)]
pub(super) struct Lab {
    pub(super) smb: Smb,
    mid: u64,
}

impl Lab {
    /// A user logged on over connection 1, IPC$ and a disk connected.
    pub(super) fn new() -> Self {
        let mut lab = Self::default();
        lab.negotiate(1, 1, 0xee);
        lab.log_on(1, 0);
        lab.connect_tree(1, "\\\\fss1\\IPC$", IPC, 2);
        lab.connect_tree(1, "\\\\fss1\\data", DISK, 1);
        lab
    }

    pub(super) fn ends(ip: u8) -> Ends {
        Ends {
            client: SocketAddr::from(([10, 0, 0, 99], 50000)),
            server: SocketAddr::from(([10, 0, 0, ip], 445)),
        }
    }

    pub(super) fn unit(&mut self, connection: u32, ip: u8, unit: &[u8]) -> Vec<Event> {
        self.take(connection, ip, unit, u32::try_from(unit.len()).unwrap()).0
    }

    /// A unit of `whole` bytes, and the message in it if that was compressed.
    pub(super) fn take(
        &mut self,
        connection: u32,
        ip: u8,
        unit: &[u8],
        whole: u32,
    ) -> (Vec<Event>, Option<Plain>) {
        let mut out = Vec::new();
        let (id, ends) = (ConnectionId(connection), Self::ends(ip));
        let plain = self.smb.advance(id, ends, View::new(unit, &[], &[]), whole, &mut out);
        if let Some(plain) = &plain {
            self.smb.advance_plain(id, ends, plain, &mut out);
        }
        (out, plain)
    }

    pub(super) fn send(&mut self, connection: u32, msg: &Msg) -> Vec<Event> {
        self.unit(connection, 1, &msg.unit())
    }

    pub(super) fn ask(&mut self, command: u16, tree: u32, body: Vec<u8>) -> Msg {
        self.mid += 1;
        Msg::ask(command, self.mid, tree, body)
    }

    pub(super) fn negotiate(&mut self, connection: u32, ip: u8, guid: u8) {
        let ask = self.ask(0, 0, negotiate()).with(|m| m.session = 0);
        self.unit(connection, ip, &ask.unit());
        self.unit(connection, ip, &ask.answer(negotiated(guid)).unit());
    }

    pub(super) fn log_on(&mut self, connection: u32, previous: u64) -> Vec<Event> {
        let first = self.ask(1, 0, session_setup(ntlm::NEGOTIATE, previous));
        let first = first.with(|m| m.session = 0);
        self.send(connection, &first);
        let more = first.answer(session_set_up(&ntlm::challenge()));
        let more = more.with(|m| (m.session, m.status) = (SESSION, 0xc000_0016));
        let mut events = self.send(connection, &more);
        let second = self.ask(1, 0, session_setup(&ntlm::authenticate(), previous));
        self.send(connection, &second);
        events.extend(self.send(connection, &second.answer(session_set_up(b""))));
        events
    }

    pub(super) fn connect_tree(&mut self, connection: u32, path: &str, tree: u32, kind: u8) {
        let ask = self.ask(3, 0, tree_connect(path));
        self.send(connection, &ask);
        let answer = ask.answer(tree_connected(kind)).with(|m| m.tree = tree);
        self.send(connection, &answer);
    }

    pub(super) fn open(&mut self, name: &str, tree: u32, file: u8, size: u64) -> Vec<Event> {
        let ask = self.ask(5, tree, create(name));
        self.send(1, &ask);
        self.send(1, &ask.answer(created(file, size)))
    }

    /// Opens a pipe and tells its id.
    pub(super) fn pipe(&mut self, file: u8) -> PipeId {
        match self.open("\\PIPE\\FssagentRpc", IPC, file, 0)[..] {
            [Event::PipeOpened { pipe }] => pipe,
            ref other => panic!("{other:?}"),
        }
    }

    /// Gives data of a handle that nobody saw being opened, by which it is known to be a pipe.
    pub(super) fn pipe_of_stranger(&mut self) -> PipeId {
        let call = self.ask(9, 0x77, write(0xf1, 0, &pdu(0, 400)));
        match self.send(1, &call)[..] {
            [Event::PipeOpened { pipe }, _] => pipe,
            ref other => panic!("{other:?}"),
        }
    }

    pub(super) fn frame(&self, unit: &[u8]) -> Framed {
        self.smb.frame(ConnectionId(1), View::new(unit, &[], &[]))
    }
}

/// Data of one PDU sized `len` as the only event, beginning and ending a message.
#[track_caller]
pub(super) fn check_data(events: &[Event], of: PipeId, by: Side, len: u32) {
    match events {
        [Event::PipeData { pipe, side, span, starts_message: true, continues: false, .. }] => {
            assert_eq!((*pipe, *side, span.len()), (of, by, len));
        }
        other => panic!("{other:?}"),
    }
}
