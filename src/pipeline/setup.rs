//! [`Setup`]: the frames it takes, beside its own, to read a call again from a capture that has
//! nothing else.
//!
//! ```text
//!  SYN, SYN-ACK ─ NEGOTIATE ─ SESSION_SETUP ─ TREE_CONNECT of the pipes' share ─ CREATE ─ bind
//!  connection     connection   session         session                           pipe     pipe
//! ```
//! and, for each frame with bytes of a pipe, the rest of the SMB message it is part of and the
//! request that message answers: the answer to a READ does not say which pipe it is from. Where a
//! Kerberos ticket is shown, what a KDC gave it with is part of the logon ([`Tickets`]). What else
//! travelled on the connection between the fragments of one request or response is there too, since
//! a gap within it would be taken for a loss of its own; and all that a session's connections
//! carried up to the call, if they are several, since a gap in one of them may be any pipe's.
//!
//! What NTLM has sealed takes all that it sealed before ([`Setup::keystream`]): RC4 goes on from
//! message to message.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::tickets::Tickets;
use crate::bytes::{Ends, FrameNo, Reader, View};
use crate::rpc::{self, ChannelId, PacketType, pdu};
use crate::security::{Mechanism, krb};
use crate::smb::{self, Body, Command, ConnectionId, Message, Packet, ShareType, Status, v1};

/// Connections, sessions, channels and unanswered requests remembered, each; beyond it all are
/// forgotten, and what is read later has to do without.
const MAX_KNOWN: usize = 1 << 16;
/// Frames of the setup of one connection, session or channel.
const MAX_SETUP: usize = 256;
/// Connections and sessions of one channel.
const MAX_WAYS: usize = 64;
/// Frames with bytes of one pipe that are remembered, the latest.
const MAX_CARRIED: usize = 1 << 14;
/// Frames with SMB on one connection that are remembered, the latest.
const MAX_LATEST: usize = 1 << 12;
/// The same as [`MAX_CARRIED`] for all pipes together; beyond it a pipe starts anew.
const MAX_CARRIED_IN_ALL: usize = 1 << 18;
/// Frames with what is sealed on one channel, the earliest: what comes beyond cannot be opened without
/// all of them, and is not opened again.
const MAX_SEALED: usize = 1 << 16;
/// The same on all channels together.
const MAX_SEALED_IN_ALL: usize = 1 << 20;

type Frames = BTreeSet<FrameNo>;

/// Address of the server and `SessionId`; of SMB1 also the connection, in whose bounds a `UID` is.
type SessionKey = (IpAddr, u64);

/// A request, and whether it has an answer.
#[derive(Debug, Default)]
struct Asked {
    frames: Frames,
    answered: bool,
}

/// What is remembered of every connection, session and channel that is open.
#[derive(Debug, Default)]
pub(super) struct Setup {
    /// SYN frames by the ends of the connection in a fixed order. Added by a SYN, which replaces
    /// those of a connection before it.
    syns: FxHashMap<[SocketAddr; 2], Frames>,
    /// Added by the first SMB message, removed when the connection ends.
    connections: FxHashMap<ConnectionId, Connection>,
    /// Logon and trees. Added by responses; never removed.
    sessions: FxHashMap<SessionKey, Frames>,
    /// Added by the first bytes of a channel, removed when it ends.
    channels: FxHashMap<ChannelId, Channel>,
    /// Frames of SMB requests without their answer. Added by the request, removed by the answer, or,
    /// as SMB1 may answer in several messages, by the next request of that number.
    asked: FxHashMap<(ConnectionId, u64), Asked>,
    tickets: Tickets,
    /// Frames in all [`Channel::carried`].
    carried: usize,
    /// Frames in all [`Channel::sealed`].
    sealed: usize,
    current: Current,
}

#[derive(Debug)]
struct Connection {
    ends: Ends,
    /// Its NEGOTIATE.
    frames: Frames,
    /// All frames with SMB. Added by each message, bounded by [`MAX_LATEST`].
    latest: Frames,
}

#[derive(Debug, Default)]
struct Channel {
    /// Its CREATE, its binds.
    frames: Frames,
    connections: BTreeSet<ConnectionId>,
    sessions: BTreeSet<SessionKey>,
    /// What it takes to read the bytes of the pipe in a frame.
    carried: BTreeMap<FrameNo, Frames>,
    /// What NTLM may have sealed, as it came, with what it takes to read these bytes. Added by each such
    /// PDU, bounded by [`MAX_SEALED`].
    sealed: Arc<Vec<FrameNo>>,
}

/// The SMB message, or the bytes of a channel, being taken in.
#[derive(Debug, Default)]
struct Current {
    connection: Option<ConnectionId>,
    sessions: BTreeSet<SessionKey>,
    frames: Frames,
    channel: Option<ChannelId>,
}

impl Setup {
    /// A connection begins, or the other side agrees.
    pub(super) fn syn(&mut self, from: SocketAddr, to: SocketAddr, answer: bool, frame: FrameNo) {
        let frames = slot(&mut self.syns, ordered(from, to));
        if !answer {
            frames.clear();
        }
        note(frames, [frame]);
    }

    /// An SMB unit is about to be taken in.
    pub(super) fn smb(&mut self, connection: ConnectionId, ends: Ends, unit: View<'_>) {
        let frames: Frames = unit.frames().into_iter().collect();
        self.current =
            Current { connection: Some(connection), frames: frames.clone(), ..Current::default() };
        if self.connections.len() >= MAX_KNOWN {
            self.connections.clear();
        }
        let known = self.connections.entry(connection).or_insert_with(|| Connection {
            ends,
            frames: Frames::new(),
            latest: Frames::new(),
        });
        known.latest.extend(&frames);
        while known.latest.len() > MAX_LATEST {
            known.latest.pop_first();
        }
        if let Some(header) = Smb1::of(unit.bytes()) {
            return self.smb1(connection, ends, unit, header);
        }
        let mut none = ();
        // What cannot be read is told where it is read in earnest.
        let _ = smb::dissect(&mut Reader::new(unit, &mut none), |message| {
            self.message(connection, ends, unit, &message);
        });
    }

    /// The current unit was compressed, and this is what it says.
    pub(super) fn plain(&mut self, connection: ConnectionId, ends: Ends, plain: &smb::Plain) {
        let view = plain.message.view();
        let mut none = ();
        let _ = smb::dissect_plain(&mut Reader::new(view, &mut none), plain.whole, |message| {
            self.message(connection, ends, view, &message);
        });
    }

    /// The same for SMB 1, whose logon and trees are told by their commands alone.
    fn smb1(&mut self, connection: ConnectionId, ends: Ends, unit: View<'_>, header: Smb1) {
        let mut frames: Frames = unit.frames().into_iter().collect();
        let session = (ends.server.ip(), header.session(connection));
        note(&mut self.current.sessions, [session]);
        let asked = slot(&mut self.asked, (connection, header.request()));
        if !header.response {
            if asked.answered {
                *asked = Asked::default();
            }
            if header.command == Smb1::SESSION_SETUP_ANDX
                && let Some(token) = smb1_token(unit)
            {
                frames.extend(self.tickets.behind(token.bytes()));
            }
            // A request of several messages has one `MID`.
            return note(&mut asked.frames, frames);
        }
        asked.answered = true;
        let asked = asked.frames.clone();
        let whole = asked.iter().chain(&frames).copied();
        match header.command {
            Smb1::NEGOTIATE => {
                if let Some(connection) = self.connections.get_mut(&connection) {
                    note(&mut connection.frames, whole);
                }
            }
            Smb1::SESSION_SETUP_ANDX | Smb1::TREE_CONNECT_ANDX => {
                note(slot(&mut self.sessions, session), whole);
            }
            _ => {}
        }
        note(&mut self.current.frames, asked);
    }

    fn message(&mut self, connection: ConnectionId, ends: Ends, unit: View<'_>, message: &Message) {
        let mut frames: Frames = unit.frames().into_iter().collect();
        let header = &message.header;
        let session = (ends.server.ip(), header.session_id);
        if !matches!(header.session_id, 0 | u64::MAX) {
            note(&mut self.current.sessions, [session]);
        }
        let key = (connection, header.message_id);
        if !header.is_response() {
            if let Body::SessionSetup(setup) = &message.body {
                frames.extend(self.tickets.behind(unit.slice(setup.token).bytes()));
            }
            slot(&mut self.asked, key).frames = frames;
            return;
        }
        if header.status == Status::PENDING {
            return;
        }
        let asked = self.asked.remove(&key).unwrap_or_default().frames;
        let whole = asked.iter().chain(&frames).copied();
        match (header.command, &message.body) {
            (Command::NEGOTIATE, _) => {
                if let Some(connection) = self.connections.get_mut(&connection) {
                    note(&mut connection.frames, whole);
                }
            }
            (Command::SESSION_SETUP, _) => {
                note(slot(&mut self.sessions, session), whole);
            }
            (_, Body::TreeConnected(tree)) if tree.share_type == ShareType::PIPE => {
                note(slot(&mut self.sessions, session), whole);
            }
            _ => {}
        }
        note(&mut self.current.frames, asked);
    }

    /// The current SMB message opened a pipe.
    pub(super) fn opened(&mut self, channel: ChannelId) {
        let Current { connection, sessions, frames, .. } = &self.current;
        let channel = slot(&mut self.channels, channel);
        note(&mut channel.frames, frames.iter().copied());
        channel.meet(*connection, sessions);
    }

    /// Bytes of a channel come, in the current SMB message if it is a pipe.
    pub(super) fn bytes(&mut self, channel: ChannelId, pipe: bool, view: View<'_>) {
        self.current.channel = Some(channel);
        if !pipe {
            return;
        }
        let Current { connection, sessions, frames, .. } = &self.current;
        let channel = slot(&mut self.channels, channel);
        channel.meet(*connection, sessions);
        let before = channel.carried.len();
        for frame in view.frames() {
            note(channel.carried.entry(frame).or_default(), frames.iter().copied());
        }
        while channel.carried.len() > MAX_CARRIED {
            channel.carried.pop_first();
        }
        self.carried = (self.carried + channel.carried.len()).saturating_sub(before);
        if self.carried > MAX_CARRIED_IN_ALL {
            self.carried = self.carried.saturating_sub(channel.carried.len());
            channel.carried.clear();
        }
    }

    /// A PDU of the channel whose bytes came.
    pub(super) fn pdu(&mut self, unit: View<'_>) {
        let Some(channel) = self.current.channel else { return };
        let mut none = ();
        let Ok(pdu) = pdu::dissect(&mut Reader::new(unit, &mut none)) else { return };
        let setup = is_setup(pdu.header.ptype);
        let sealed = !setup && pdu.verifier.as_ref().is_some_and(may_be_ntlm);
        if !setup && !sealed {
            return;
        }
        let channel = slot(&mut self.channels, channel);
        for frame in unit.frames() {
            let rest = channel.carried.get(&frame).into_iter().flatten().copied();
            if setup {
                note(&mut channel.frames, rest.chain([frame]));
                continue;
            }
            let frames = Arc::make_mut(&mut channel.sealed);
            for frame in rest.chain([frame]) {
                let full = frames.len() >= MAX_SEALED || self.sealed >= MAX_SEALED_IN_ALL;
                if !full && frames.last() != Some(&frame) {
                    frames.push(frame);
                    self.sealed += 1;
                }
            }
        }
        if let Some(token) = pdu.verifier.filter(|_| setup) {
            note(&mut channel.frames, self.tickets.behind(token.value.bytes()));
        }
    }

    /// A message of a KDC or to one, which is complete with the frame `now`.
    pub(super) fn kdc(&mut self, ends: Ends, message: View<'_>, now: Option<FrameNo>) {
        let Some(step) = krb::step(message.bytes()) else { return };
        let mut frames: Frames = message.frames().into_iter().chain(now).collect();
        frames.extend(self.syns_of(ends));
        self.tickets.take(ends, step, frames);
    }

    /// The frames of what NTLM has sealed on the channel of a call until now, and of the call itself, if
    /// NTLM has sealed it and it is opened.
    pub(super) fn keystream(&self, call: &rpc::Call) -> Option<Arc<Vec<FrameNo>>> {
        let opened = call.request.iter().chain(&call.response).any(|message| message.unsealed);
        if !opened || call.auth.mechanism != Some(Mechanism::Ntlm) {
            return None;
        }
        self.channels.get(&call.channel).map(|channel| Arc::clone(&channel.sealed))
    }

    /// The frames it takes to read a call again, beside its own, ascending.
    pub(super) fn of(&self, call: &rpc::Call) -> Vec<FrameNo> {
        let mut frames = Frames::new();
        let messages = || call.request.iter().chain(&call.response);
        for message in messages() {
            frames.extend(self.syns_of(message.ends));
        }
        if let Some(channel) = self.channels.get(&call.channel) {
            frames.extend(&channel.frames);
            for frame in messages().flat_map(|message| &message.frames) {
                frames.extend(channel.carried.get(frame).into_iter().flatten());
            }
            let last = messages().filter_map(|message| message.frames.last()).max();
            for connection in channel.connections.iter().filter_map(|c| self.connections.get(c)) {
                frames.extend(self.syns_of(connection.ends));
                frames.extend(&connection.frames);
                // On one of several connections, who knows what a gap has taken from the pipe.
                if let Some(last) = last.filter(|_| channel.connections.len() > 1) {
                    frames.extend(connection.latest.range(..=last));
                }
                for message in messages() {
                    if let (Some(first), Some(last)) =
                        (message.frames.first(), message.frames.last())
                    {
                        frames.extend(connection.latest.range(first..=last));
                    }
                }
            }
            for session in channel.sessions.iter().filter_map(|id| self.sessions.get(id)) {
                frames.extend(session);
            }
        }
        for frame in messages().flat_map(|message| &message.frames) {
            frames.remove(frame);
        }
        frames.into_iter().collect()
    }

    fn syns_of(&self, ends: Ends) -> impl Iterator<Item = FrameNo> {
        self.syns.get(&ordered(ends.client, ends.server)).into_iter().flatten().copied()
    }

    /// A channel has ended, and its calls were told.
    pub(super) fn closed(&mut self, channel: ChannelId) {
        if let Some(gone) = self.channels.remove(&channel) {
            self.carried = self.carried.saturating_sub(gone.carried.len());
            self.sealed = self.sealed.saturating_sub(gone.sealed.len());
        }
    }

    /// A connection has ended. A session may go on over others, and its pipes were opened here, so
    /// what it takes to read them is kept until too much is.
    pub(super) fn disconnected(&mut self, connection: ConnectionId) {
        let used = |channel: &Channel| channel.connections.contains(&connection);
        if !self.channels.values().any(used) {
            self.connections.remove(&connection);
        }
    }
}

/// \[MS-CIFS\] 2.2.3.1 The SMB Header, as far as it says which answer belongs to which request.
#[derive(Clone, Copy, Debug)]
struct Smb1 {
    command: u8,
    response: bool,
    uid: u16,
    mid: u16,
}

impl Smb1 {
    const NEGOTIATE: u8 = 0x72;
    const SESSION_SETUP_ANDX: u8 = 0x73;
    const TREE_CONNECT_ANDX: u8 = 0x75;

    /// The header of a unit, which follows four octets of the transport.
    fn of(unit: &[u8]) -> Option<Self> {
        /// `SMB_FLAGS_REPLY`
        const REPLY: u8 = 0x80;
        let header = unit.get(4..)?.strip_prefix(b"\xffSMB")?;
        let octet = |at: usize| header.get(at).copied();
        let word = |at: usize| Some(u16::from_le_bytes([octet(at)?, octet(at + 1)?]));
        let response = octet(5)? & REPLY != 0;
        Some(Self { command: octet(0)?, response, uid: word(24)?, mid: word(26)? })
    }

    /// Where no `SessionId` of SMB 2 and no `MessageId` is.
    fn session(self, connection: ConnectionId) -> u64 {
        (1 << 63) | u64::from(connection.0) << 16 | u64::from(self.uid)
    }

    fn request(self) -> u64 {
        (1 << 63) | u64::from(self.mid)
    }
}

/// The security token in a request of SMB 1 to log on.
fn smb1_token(unit: View<'_>) -> Option<View<'_>> {
    let mut none = ();
    let Ok(Packet::Smb1(message)) = smb::dissect(&mut Reader::new(unit, &mut none), |_| ()) else {
        return None;
    };
    message.blocks.iter().find_map(|block| match &block.body {
        v1::Body::SessionSetup(setup) => match setup.credentials {
            v1::Credentials::Token(token) => Some(unit.slice(token)),
            v1::Credentials::Names { .. } => None,
        },
        _ => None,
    })
}

impl Channel {
    /// Notes a way its bytes take.
    fn meet(&mut self, connection: Option<ConnectionId>, sessions: &BTreeSet<SessionKey>) {
        if self.connections.len() < MAX_WAYS && self.sessions.len() < MAX_WAYS {
            self.connections.extend(connection);
            self.sessions.extend(sessions);
        }
    }
}

/// The entry of a bounded table.
fn slot<K: Eq + std::hash::Hash, V: Default>(table: &mut FxHashMap<K, V>, key: K) -> &mut V {
    if table.len() >= MAX_KNOWN && !table.contains_key(&key) {
        table.clear();
    }
    table.entry(key).or_default()
}

/// Adds to a bounded set.
fn note<T: Ord>(set: &mut BTreeSet<T>, more: impl IntoIterator<Item = T>) {
    for item in more {
        if set.len() < MAX_SETUP {
            set.insert(item);
        }
    }
}

fn ordered(a: SocketAddr, b: SocketAddr) -> [SocketAddr; 2] {
    if a <= b { [a, b] } else { [b, a] }
}

/// Whether a PDU agrees on how others are read.
fn is_setup(ptype: PacketType) -> bool {
    [
        PacketType::BIND,
        PacketType::BIND_ACK,
        PacketType::BIND_NAK,
        PacketType::ALTER_CONTEXT,
        PacketType::ALTER_CONTEXT_RESP,
        PacketType::AUTH3,
    ]
    .contains(&ptype)
}

/// Whether a PDU may be sealed by NTLM, which SPNEGO may hide.
fn may_be_ntlm(verifier: &pdu::Verifier<'_>) -> bool {
    /// `RPC_C_AUTHN_GSS_NEGOTIATE`, `RPC_C_AUTHN_WINNT`
    const NTLM: [u8; 2] = [9, 10];
    /// `RPC_C_AUTHN_LEVEL_PKT_PRIVACY`
    const PRIVACY: u8 = 6;
    verifier.auth_level == PRIVACY && NTLM.contains(&verifier.auth_type)
}
