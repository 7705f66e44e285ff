//! What a request changes: mostly, that an answer is awaited.

use super::ioctl::{self, FSCTL_PIPE_TRANSCEIVE, is_pipe_control};
use super::model::{
    Asked, Chain, Handle, Logon, Pending, SessionKey, Target, Tree, TreeKind, Unit,
};
use super::protection::{Step, whole_message};
use super::{Body, Command, Event, FileId, Ioctl, Message, PipeId, SessionSetup, Smb};
use crate::bytes::{Side, Span};
use crate::security::{Token, ntlm, peek};

/// Characters kept of the name of a file or share: no pipe has a longer one.
const NAME_MAX: usize = 1024;

/// Requests of one chain that are remembered to mean the file its CREATE opens.
const FOLLOWERS_MAX: usize = 16;

impl Smb {
    pub(super) fn request(
        &mut self,
        unit: Unit<'_>,
        chain: &mut Chain,
        m: &Message,
        out: &mut Vec<Event>,
    ) {
        match &m.body {
            Body::Negotiate(negotiate) => {
                let message = whole_message(unit, m.span);
                if let Some(connection) = self.connections.get(&unit.connection) {
                    connection.agreed.asked(message);
                }
                self.ask(unit, chain, m, Asked::Negotiate { client: negotiate.client_guid });
            }
            Body::SessionSetup(setup) => self.ask_session_setup(unit, chain, m, *setup),
            Body::Logoff => self.ask(unit, chain, m, Asked::Logoff),
            Body::TreeConnect(tree) => {
                let path = kept(&tree.path);
                self.ask(unit, chain, m, Asked::TreeConnect { path });
            }
            Body::TreeDisconnect => self.ask(unit, chain, m, Asked::TreeDisconnect),
            Body::Create(create) => {
                let asked =
                    Asked::Create { name: kept(&create.name), early: None, followers: Vec::new() };
                self.ask(unit, chain, m, asked);
                chain.file = Target::Created(m.header.message_id);
            }
            Body::Close(close) => {
                let target = chain.target(close.file_id);
                self.ask(unit, chain, m, Asked::Close(target));
            }
            Body::Read(read) => {
                let target = chain.target(read.file_id);
                if self.may_be_pipe(unit, chain, target, read.offset) {
                    self.ask(unit, chain, m, Asked::Data(target));
                }
            }
            Body::Write(write) => {
                let target = chain.target(write.file_id);
                if self.may_be_pipe(unit, chain, target, write.offset)
                    && let Some(pipe) = self.pipe_written(unit, chain, target, write.data, out)
                {
                    self.ask(unit, chain, m, Asked::Data(target));
                    self.say(pipe, m, write.data, out);
                } else {
                    self.ask_write(unit, chain, m);
                }
            }
            Body::Ioctl(ioctl) => self.ask_ioctl(unit, chain, m, *ioctl, out),
            // One of which only the header was asked for.
            Body::Other if m.header.command == Command::WRITE => self.ask_write(unit, chain, m),
            _ => {}
        }
    }

    fn ask(&mut self, unit: Unit<'_>, chain: &Chain, m: &Message, asked: Asked) {
        let message_id = m.header.message_id;
        if let Asked::Close(Target::Created(create)) | Asked::Data(Target::Created(create)) = asked
            && let Some(pending) = self.pending.get(&(unit.connection, create))
            && let Asked::Create { followers, .. } = &mut pending.asked
            && followers.len() < FOLLOWERS_MAX
        {
            followers.push(message_id);
        }
        let pending = Pending { session_id: chain.session_id, tree: chain.tree, asked };
        self.pending.insert((unit.connection, message_id), pending);
    }

    fn ask_session_setup(
        &mut self,
        unit: Unit<'_>,
        chain: &Chain,
        m: &Message,
        setup: SessionSetup,
    ) {
        let logon = Logon {
            fresh: chain.session_id == 0,
            previous: setup.previous_session_id,
            ..Logon::by_token(unit, setup.token)
        };
        let binding = setup.flags & SessionSetup::BINDING != 0;
        let step = Step { unit, token: setup.token, message: whole_message(unit, m.span) };
        self.setup_asked(step, m.header.message_id, chain.session_id, binding);
        self.ask(unit, chain, m, Asked::SessionSetup(logon));
    }

    /// A write that goes to no pipe matters if its share is marked.
    fn ask_write(&mut self, unit: Unit<'_>, chain: &Chain, m: &Message) {
        let key = self.key(unit, chain.session_id);
        let tree = chain.tree.and_then(|tree| self.trees.peek(&(key, tree)));
        if tree.is_some_and(Tree::is_marked) {
            self.ask(unit, chain, m, Asked::Write);
        }
    }

    fn ask_ioctl(
        &mut self,
        unit: Unit<'_>,
        chain: &Chain,
        m: &Message,
        ioctl: Ioctl,
        out: &mut Vec<Event>,
    ) {
        if let Some(path) = ioctl::referral(unit.view.slice(ioctl.input), ioctl.ctl_code) {
            return self.ask(unit, chain, m, Asked::Referral { path: kept(&path) });
        }
        if !is_pipe_control(ioctl.ctl_code) {
            return;
        }
        let key = self.key(unit, chain.session_id);
        // Only a tree of pipes takes this; a server would refuse it on any other.
        self.learn_tree(key, chain.tree, TreeKind::Pipe);
        let target = chain.target(ioctl.file_id);
        if target == Target::Nothing || ioctl.ctl_code != FSCTL_PIPE_TRANSCEIVE {
            return;
        }
        let pipe = self.pipe_written(unit, chain, target, ioctl.input, out);
        self.ask(unit, chain, m, Asked::Data(target));
        if let Some(pipe) = pipe {
            self.say(pipe, m, ioctl.input, out);
        }
    }

    /// Whether reading or writing `offset` of a file can be reading or writing a pipe. A place in
    /// the file other than its start says it is none, if nothing said what it is before.
    fn may_be_pipe(&mut self, unit: Unit<'_>, chain: &Chain, target: Target, offset: u64) -> bool {
        let key = self.key(unit, chain.session_id);
        let Target::Known(file) = target else {
            return self.tree_kind(key, chain.tree) != Some(TreeKind::Disk);
        };
        match self.handle(key, chain.tree, file) {
            Handle::Pipe(_) => true,
            Handle::File => false,
            Handle::Unknown if offset == 0 => true,
            Handle::Unknown => self.tree_kind(key, chain.tree) == Some(TreeKind::Pipe),
        }
    }

    /// The pipe that `data` are written to.
    fn pipe_written(
        &mut self,
        unit: Unit<'_>,
        chain: &Chain,
        target: Target,
        data: Span,
        out: &mut Vec<Event>,
    ) -> Option<PipeId> {
        let key = self.key(unit, chain.session_id);
        match target {
            Target::Known(file) => {
                let of = (key, chain.tree, file);
                self.pipe_of(unit, of, (data, Side::Client), out)
            }
            Target::Created(create) => self.early_pipe(unit, chain, key, create, out),
            Target::Nothing => None,
        }
    }

    /// The pipe that a CREATE of the same chain is about to open.
    fn early_pipe(
        &mut self,
        unit: Unit<'_>,
        chain: &Chain,
        key: SessionKey,
        create: u64,
        out: &mut Vec<Event>,
    ) -> Option<PipeId> {
        if self.tree_kind(key, chain.tree) != Some(TreeKind::Pipe) {
            return None;
        }
        let at = (unit.connection, create);
        let Asked::Create { name, early, .. } = &self.pending.get(&at)?.asked else {
            return None;
        };
        if early.is_some() {
            return *early;
        }
        let name = Some(pipe_name(name));
        let pipe = self.open_pipe(unit, key, chain.tree, None, name, out);
        if let Asked::Create { early, .. } = &mut self.pending.get(&at)?.asked {
            *early = Some(pipe);
        }
        Some(pipe)
    }

    /// Notes what kind of tree it must be, if its `TREE_CONNECT` was not seen.
    pub(super) fn learn_tree(&mut self, key: SessionKey, tree: Option<u32>, kind: TreeKind) {
        if let Some(tree) = tree
            && self.trees.peek(&(key, tree)).is_none()
        {
            let learned = Tree { kind, path: None, encrypted: false };
            self.note_tree(key, tree, learned);
        }
    }

    pub(super) fn note_tree(&mut self, key: SessionKey, id: u32, tree: Tree) {
        for ((key, id), _) in self.trees.insert((key, id), tree) {
            if let Some(session) = self.sessions.get(&key) {
                session.trees.remove(&id);
            }
        }
        if let Some(session) = self.sessions.get(&key) {
            session.trees.insert(id);
        }
    }
}

impl Smb {
    /// Each write to a pipe in message mode is a message (\[MS-SMB2\] 3.3.5.13).
    fn say(&mut self, pipe: PipeId, m: &Message, span: Span, out: &mut Vec<Event>) {
        self.said(pipe, span, m.header.is_signed(), true, out);
    }

    /// A client has written to a pipe.
    pub(super) fn said(
        &mut self,
        pipe: PipeId,
        span: Span,
        signed: bool,
        starts_message: bool,
        out: &mut Vec<Event>,
    ) {
        if span.is_empty() {
            return;
        }
        self.hear(pipe, signed);
        let side = Side::Client;
        out.push(Event::PipeData { pipe, side, span, starts_message, continues: false });
    }
}

impl Logon {
    /// What a security token says of who logs on.
    pub(super) fn by_token(unit: Unit<'_>, span: Span) -> Self {
        match token(unit, span).and_then(|token| token.ntlm) {
            Some(ntlm::Message::Authenticate(who)) => Self {
                user: Some(who.account()),
                anonymous: who.anonymous,
                client_name: Some(kept(&who.workstation)).filter(|name| !name.is_empty()),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}

impl Chain {
    /// The file meant by this `FileId`, which becomes the chain's.
    fn target(&self, file_id: FileId) -> Target {
        if file_id == FileId::PREVIOUS { self.file } else { Target::Known(file_id) }
    }
}

/// A security token; none if part of it is missing, for names would be read from the hole.
pub(super) fn token(unit: Unit<'_>, span: Span) -> Option<Token> {
    let view = unit.view.slice(span);
    view.holes().next().is_none().then(|| peek(view.bytes()))?
}

/// The part of a name that is remembered.
pub(super) fn kept(name: &str) -> String {
    name.chars().take(NAME_MAX).collect()
}

/// The name without leading backslashes and `PIPE\`.
pub(super) fn pipe_name(name: &str) -> String {
    let name = name.trim_start_matches('\\');
    match name.split_at_checked(5) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("PIPE\\") => rest.to_owned(),
        _ => name.to_owned(),
    }
}
