//! [`Session`]: a line of a client to a server: its TCP connections, its SMB session, its pipes.
//!
//! What a statement does not say is done here as Windows does it: connect, negotiate, log on,
//! connect to `IPC$`, open the pipe. With several channels, each request takes the next one and is
//! answered on it.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use super::association::Association;
use super::film::{Film, Phase};
use super::settings::Settings;
use super::signing::ChannelKey;
use super::steps::Line;
use super::wire::auth::{self, Names};
use super::wire::net::{Connection, Frame};
use super::wire::octets::{chance, random_guid};
use super::wire::smb::{self, Header, command};
use crate::bytes::{Both, Guid, Side, Time};
use crate::smb::Status;

/// Delay after which a side acknowledges what it has no answer to.
pub(super) const DELAYED_ACK: i64 = 40_000_000;

/// A client's line to a server.
pub(super) struct Session {
    pub(super) line: Line,
    pub(super) settings: Rc<Settings>,
    pub(super) ends: Both<Peer>,
    pub(super) channels: Vec<Channel>,
    pub(super) id: u64,
    pub(super) logged_on: bool,
    /// Whether it is a guest who is logged on.
    pub(super) guest: bool,
    /// Trees by path. Added by `TREE_CONNECT`, as many as statements name.
    pub(super) trees: Vec<(String, u32)>,
    pub(super) associations: Vec<Association>,
    /// Whose turn it is among the channels.
    turn: usize,
    /// Numbers that have to differ: trees, files, asynchronous requests.
    pub(super) numbers: u32,
    /// When the server was started.
    pub(super) started: Time,
    /// Whether the next message is changed on its way.
    pub(super) tampered: bool,
}

/// One end of a line.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) guid: Guid,
}

/// A TCP connection of a line.
pub(super) struct Channel {
    connection: Connection,
    message_id: u64,
    /// When something was last said on it.
    pub(super) spoken: Time,
    /// Whether SMB has been negotiated on it, or it carries RPC alone.
    negotiated: bool,
    pub(super) key: ChannelKey,
}

/// A request on its way: what its answer needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    channel: usize,
    pub(super) header: Header,
    async_id: Option<u64>,
}

impl Asked {
    /// Whether it is an IOCTL.
    pub(super) fn is_transceive(&self) -> bool {
        self.header.command == command::IOCTL
    }
}

impl Session {
    pub(super) fn new(
        line: Line,
        settings: Rc<Settings>,
        ends: Both<Peer>,
        id: u64,
        started: Time,
    ) -> Self {
        Self {
            line,
            settings,
            ends,
            channels: Vec::new(),
            id,
            logged_on: false,
            guest: false,
            trees: Vec::new(),
            associations: Vec::new(),
            turn: 0,
            numbers: 0,
            started,
            tampered: false,
        }
    }

    /// A number nobody has yet.
    pub(super) fn number(&mut self) -> u32 {
        self.numbers = self.numbers.saturating_add(1);
        self.numbers
    }

    /// Where chance comes from on this line.
    pub(super) fn seed(&self) -> u64 {
        chance(self.id)
    }

    fn names(&self, film: &Film<'_>) -> Names {
        Names {
            domain: self.settings.domain.clone(),
            user: self.settings.user.clone(),
            workstation: self.ends.client.name.clone(),
            server: self.ends.server.name.clone(),
            time: film.now,
            seed: self.seed(),
            secrets: self.settings.secrets.clone(),
        }
    }

    /// The names in the tokens of an association.
    pub(super) fn names_of(&self, film: &Film<'_>, number: u64) -> Names {
        let names = self.names(film);
        Names { seed: chance(names.seed ^ number), ..names }
    }

    /// A TCP connection that nobody has said anything on, to this port or the usual one.
    pub(super) fn connection(&self, film: &mut Film<'_>, port: Option<u16>) -> Connection {
        let (client, mut server) = (self.ends.client.address, self.ends.server.address);
        server.set_port(port.unwrap_or(server.port()));
        self.connection_of(film, Both { client, server })
    }

    /// One between these two, from the client's next port.
    pub(super) fn connection_of(
        &self,
        film: &mut Film<'_>,
        Both { mut client, server }: Both<SocketAddr>,
    ) -> Connection {
        client.set_port(film.port());
        let port = u64::from(client.port());
        let ends = Both { client, server };
        let number_of =
            |side| u32::try_from(chance(self.seed() ^ port ^ side) >> 32).unwrap_or_default();
        let initial = Both { client: number_of(0), server: number_of(1 << 32) };
        film.tick(200);
        Connection::new(ends, initial, self.settings.mss())
    }

    /// Opens a TCP connection. Gives its number.
    pub(super) fn open(&mut self, film: &mut Film<'_>, port: Option<u16>) -> io::Result<usize> {
        let number = self.channels.len();
        let mut connection = self.connection(film, port);
        for frame in connection.open() {
            film.frame(&frame)?;
            film.tick(150);
        }
        let negotiated = self.settings.direct();
        let (spoken, key) = (film.now, ChannelKey::default());
        self.channels.push(Channel { connection, message_id: 0, spoken, negotiated, key });
        Ok(number)
    }

    /// One side says something on a channel.
    pub(super) fn say(
        &mut self,
        film: &mut Film<'_>,
        channel: usize,
        side: Side,
        bytes: &[u8],
    ) -> io::Result<()> {
        let Some(channel) = self.channels.get_mut(channel) else { return Ok(()) };
        film.tick(if side == Side::Client { 120 } else { 250 });
        for frame in channel.connection.say(side, bytes) {
            film.frame(&frame)?;
        }
        channel.spoken = film.now;
        Ok(())
    }

    /// The acknowledgments that are owed, when they are due.
    pub(super) fn owed(&mut self) -> Vec<(Time, Frame)> {
        let mut frames = Vec::new();
        for channel in &mut self.channels {
            for side in Side::BOTH {
                let frame = channel.connection.acknowledge(side);
                frames.extend(frame.map(|frame| (channel.spoken.plus(DELAYED_ACK), frame)));
            }
        }
        frames
    }

    fn header(&self, command: u16, tree_id: u32, message_id: u64) -> Header {
        let named = !self.settings.user.is_empty() && !self.guest;
        // NEGOTIATE is of a connection, whoever is logged on.
        let logged_on = self.logged_on && command != command::NEGOTIATE;
        let established = logged_on && command != command::SESSION_SETUP;
        Header {
            command,
            message_id,
            session_id: if logged_on { self.id } else { 0 },
            tree_id,
            credits: if command == command::SESSION_SETUP { 31 } else { 1 },
            signed: established && named && self.settings.signing,
            dialect: self.settings.dialect,
        }
    }

    /// The client asks on the next channel.
    pub(super) fn ask(
        &mut self,
        film: &mut Film<'_>,
        command: u16,
        tree_id: u32,
        body: &[u8],
    ) -> io::Result<Asked> {
        let channel = self.turn.checked_rem(self.channels.len()).unwrap_or_default();
        self.turn = self.turn.wrapping_add(1);
        self.ask_on(film, channel, command, tree_id, body)
    }

    pub(super) fn ask_on(
        &mut self,
        film: &mut Film<'_>,
        channel: usize,
        command: u16,
        tree_id: u32,
        body: &[u8],
    ) -> io::Result<Asked> {
        let mut message_id = 0;
        if let Some(channel) = self.channels.get_mut(channel) {
            message_id = channel.message_id;
            channel.message_id = channel.message_id.saturating_add(1);
        }
        let header = self.header(command, tree_id, message_id);
        let message = self.signed(channel, header, header.request(body));
        self.say(film, channel, Side::Client, &message)?;
        Ok(Asked { channel, header, async_id: None })
    }

    /// The server says that its answer takes time.
    pub(super) fn interim(&mut self, film: &mut Film<'_>, asked: &mut Asked) -> io::Result<()> {
        let id = self.number();
        asked.async_id = Some(u64::from(id));
        // An interim response is not signed.
        let header = Header { signed: false, ..asked.header };
        let message = header.response(Status::PENDING, asked.async_id, &smb::error());
        self.say(film, asked.channel, Side::Server, &message)
    }

    /// The server answers.
    pub(super) fn answer(
        &mut self,
        film: &mut Film<'_>,
        asked: &Asked,
        status: Status,
        body: &[u8],
    ) -> io::Result<()> {
        // What was granted with the interim response is not granted again.
        let credits = if asked.async_id.is_some() { 0 } else { asked.header.credits };
        let header = Header { credits, ..asked.header };
        let message = header.response(status, asked.async_id, body);
        let message = self.signed(asked.channel, header, message);
        self.say(film, asked.channel, Side::Server, &message)
    }

    /// Request and answer; refused with this status, if there is one.
    fn exchange(
        &mut self,
        film: &mut Film<'_>,
        (command, tree_id): (u16, u32),
        request: &[u8],
        answer: &[u8],
        refused: Option<u32>,
    ) -> io::Result<bool> {
        let asked = self.ask(film, command, tree_id, request)?;
        match refused {
            Some(status) => self.answer(film, &asked, Status(status), &smb::error())?,
            None => self.answer(film, &asked, Status::SUCCESS, answer)?,
        }
        Ok(refused.is_none())
    }

    /// TCP and the negotiation, where they are not there yet.
    pub(super) fn connect(&mut self, film: &mut Film<'_>) -> io::Result<()> {
        if self.channels.is_empty() && !self.settings.direct() {
            self.open(film, None)?;
            self.negotiate(film, 0)?;
        }
        Ok(())
    }

    pub(super) fn negotiate(&mut self, film: &mut Film<'_>, channel: usize) -> io::Result<()> {
        let dialect = self.settings.dialect;
        let request = smb::negotiate(dialect, self.ends.client.guid, &self.ends.server.name);
        let server =
            smb::Server { guid: self.ends.server.guid, now: film.now, started: self.started };
        let answer = smb::negotiated(dialect, server, &auth::spnego_hint());
        let asked = self.ask_on(film, channel, command::NEGOTIATE, 0, &request)?;
        self.answer(film, &asked, Status::SUCCESS, &answer)?;
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.negotiated = true;
        }
        Ok(())
    }

    /// The tree of a share, connected where it is not yet; `None` if that is refused.
    pub(super) fn tree(
        &mut self,
        film: &mut Film<'_>,
        path: &str,
        refused: Option<u32>,
    ) -> io::Result<Option<u32>> {
        let known = self.trees.iter().find(|(of, _)| of.eq_ignore_ascii_case(path));
        if let (Some((_, id)), None) = (known, refused) {
            return Ok(Some(*id));
        }
        let pipe = path.to_uppercase().ends_with(r"\IPC$");
        let id = self.number();
        let asked = self.ask(film, command::TREE_CONNECT, 0, &smb::tree_connect(path))?;
        if let Some(status) = refused {
            self.answer(film, &asked, Status(status), &smb::error())?;
            return Ok(None);
        }
        let answered = Asked { header: Header { tree_id: id, ..asked.header }, ..asked };
        self.answer(film, &answered, Status::SUCCESS, &smb::tree_connected(pipe))?;
        self.trees.push((path.to_owned(), id));
        Ok(Some(id))
    }

    /// The tree of pipes.
    pub(super) fn ipc(&mut self, film: &mut Film<'_>) -> io::Result<u32> {
        let known = self.trees.iter().rev().find(|(of, _)| of.to_uppercase().ends_with("IPC$"));
        if let Some((_, id)) = known {
            return Ok(*id);
        }
        let path = format!(r"\\{}\IPC$", self.ends.server.name);
        Ok(self.tree(film, &path, None)?.unwrap_or_default())
    }

    /// Opens a file or pipe of a tree; `None` if that is refused.
    pub(super) fn create(
        &mut self,
        film: &mut Film<'_>,
        tree: u32,
        name: &str,
        refused: Option<u32>,
    ) -> io::Result<Option<smb::FileId>> {
        let number = self.number();
        let id = random_guid(self.seed() ^ u64::from(number)).into_bytes();
        let request = smb::create(name);
        let made =
            self.exchange(film, (command::CREATE, tree), &request, &smb::created(id, 0), refused)?;
        Ok(made.then_some(id))
    }

    /// Writes `data`, one message.
    pub(super) fn write(
        &mut self,
        film: &mut Film<'_>,
        tree: u32,
        file: smb::FileId,
        data: &[u8],
        refused: Option<u32>,
    ) -> io::Result<()> {
        let asked = self.ask(film, command::WRITE, tree, &smb::write(file, data))?;
        film.phase = Phase::Between;
        match refused {
            Some(status) => self.answer(film, &asked, Status(status), &smb::error()),
            None => self.answer(film, &asked, Status::SUCCESS, &smb::written(data.len())),
        }
    }

    /// Closes a file or pipe.
    pub(super) fn close(
        &mut self,
        film: &mut Film<'_>,
        tree: u32,
        file: smb::FileId,
    ) -> io::Result<()> {
        let request = smb::close(file);
        self.exchange(film, (command::CLOSE, tree), &request, &smb::closed(), None)?;
        Ok(())
    }

    /// DFS is asked where `path` leads: to the share of its last part, unless it is refused.
    pub(super) fn referral(
        &mut self,
        film: &mut Film<'_>,
        path: &str,
        refused: Option<u32>,
    ) -> io::Result<()> {
        let tree = self.ipc(film)?;
        let share = path.rsplit('\\').next().unwrap_or_default();
        let target = format!(r"\{}\{share}", self.ends.server.name);
        let answer = smb::referred(path, &target);
        self.exchange(film, (command::IOCTL, tree), &smb::referral(path), &answer, refused)?;
        Ok(())
    }

    /// The trees are disconnected, the session ends, and so do its connections.
    pub(super) fn log_off(&mut self, film: &mut Film<'_>) -> io::Result<()> {
        if self.logged_on {
            for (_, tree) in std::mem::take(&mut self.trees) {
                let both = smb::empty();
                self.exchange(film, (command::TREE_DISCONNECT, tree), &both, &both, None)?;
            }
            let both = smb::empty();
            self.exchange(film, (command::LOGOFF, 0), &both, &both, None)?;
            self.logged_on = false;
            self.forget_keys();
            // The next logon on the connection begins another session.
            self.id = self.id.saturating_add(0x1_0000_0000);
        }
        Ok(())
    }

    /// Every connection is closed.
    pub(super) fn disconnect(&mut self, film: &mut Film<'_>) -> io::Result<()> {
        for mut channel in std::mem::take(&mut self.channels) {
            for frame in channel.connection.close() {
                film.frame(&frame)?;
                film.tick(100);
            }
        }
        Ok(())
    }

    /// One side is gone.
    pub(super) fn reset(&mut self, film: &mut Film<'_>, side: Side) -> io::Result<()> {
        for mut channel in std::mem::take(&mut self.channels) {
            film.tick(10);
            film.frame(&channel.connection.reset(side))?;
        }
        Ok(())
    }
}
