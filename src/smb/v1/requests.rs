//! What a request changes: mostly, that an answer is awaited.

use super::super::model::{Dialect, Handle, Logon, SessionKey, TreeKind, Unit};
use super::super::protection::Step;
use super::super::requests::{kept, pipe_name};
use super::super::{Event, FileId, PipeId, Smb};
use super::io::Read;
use super::model::{Asked, Pending, Progress, Target};
use super::transaction::{
    CALL_NMPIPE, RAW_READ_NMPIPE, RAW_WRITE_NMPIPE, READ_NMPIPE, TRANSACT_NMPIPE, WRITE_NMPIPE,
};
use super::{
    Body, Command, Credentials, Fid, Header, Message, Part, SessionSetup, Transaction, Write,
};
use crate::bytes::Side;
use crate::security::ntlm::Authenticate;

/// Who and where a command is.
#[derive(Clone, Copy)]
pub(super) struct Context<'v> {
    pub(super) unit: Unit<'v>,
    pub(super) key: SessionKey,
    pub(super) tree: u32,
    pub(super) signed: bool,
}

impl Smb {
    pub(in super::super) fn message_smb1(
        &mut self,
        unit: Unit<'_>,
        m: &Message,
        out: &mut Vec<Event>,
    ) {
        let header = &m.header;
        self.counters.smb1_message(header.command);
        if let Some(stop) = &m.stop {
            self.stopped(unit.connection, stop, out);
        }
        let Some(key) = self.key_smb1(unit.connection, header.uid) else {
            return;
        };
        let context = Context { unit, key, tree: header.tid.into(), signed: header.is_signed() };
        let begins = match header.command {
            Command::NEGOTIATE => true,
            Command::SESSION_SETUP_ANDX => !header.is_response(),
            _ => false,
        };
        if !begins {
            // A client that goes on to speak SMB2 says no more than that in SMB1.
            if let Some(connection) = self.connections.get(&unit.connection) {
                connection.dialect = Some(Dialect::Smb1);
            }
            self.join(unit.connection, key, out);
            self.share_tree(context);
        }
        if header.is_response() {
            self.response_smb1(context, m, out);
        } else {
            self.request_smb1(context, m, out);
        }
        self.verify_smb1(unit, header, out);
    }

    /// All sessions of a connection share its trees (2.2.1.6.2): finds out which tree this is if
    /// another session connected it.
    fn share_tree(&mut self, context: Context<'_>) {
        let Context { unit, key, tree, .. } = context;
        if self.trees.peek(&(key, tree)).is_some() {
            return;
        }
        let Some(connection) = self.connections.peek(&unit.connection) else {
            return;
        };
        let mut others = connection.sessions.iter().filter(|other| other.connection.is_some());
        let known = others.find_map(|other| self.trees.peek(&(*other, tree)));
        if let Some(known) = known.cloned() {
            self.note_tree(key, tree, known);
        }
    }

    fn request_smb1(&mut self, context: Context<'_>, m: &Message, out: &mut Vec<Event>) {
        let mut asked = Vec::new();
        // In a message, the file of the first command is that of all (3.3.5.2.1.1, "chained FID").
        let mut file = None;
        for block in &m.blocks {
            asked.push(self.command(context, &mut file, &block.body, &m.header, out));
        }
        let header = &m.header;
        let at = (context.unit.connection, header.id());
        if asked.iter().any(|asked| !matches!(asked, Asked::Nothing)) {
            let Header { command, uid, tid, .. } = *header;
            self.pending_smb1.insert(at, Pending { command, uid, tid, asked });
        } else if !goes_on(header.command) {
            // Numbers are used again: what had this one is answered, though that was not seen.
            self.pending_smb1.remove(&at);
        }
    }

    fn command(
        &mut self,
        context: Context<'_>,
        file: &mut Option<Target>,
        body: &Body,
        header: &Header,
        out: &mut Vec<Event>,
    ) -> Asked {
        let mut target = |smb: &mut Self, fid: Fid, out: &mut Vec<Event>| {
            *file.get_or_insert_with(|| {
                let file = FileId::Smb1(fid);
                smb.use_file(context.key, file, out);
                Target::Known(file)
            })
        };
        match body {
            Body::SessionSetup(setup) => {
                if let Credentials::Token(token) = setup.credentials {
                    let step = Step { unit: context.unit, token, message: None };
                    self.setup_asked(step, header.mid.into(), header.uid.into(), false);
                }
                Asked::SessionSetup(logon(context, setup))
            }
            Body::TreeConnect(tree) => Asked::TreeConnect { path: kept(&tree.path) },
            Body::Open(open) => {
                *file = Some(Target::Opened);
                Asked::Open { name: kept(&open.name) }
            }
            Body::Close(fid) => {
                let target = target(self, *fid, out);
                if let Target::Known(file) = target
                    && let Some(open) = self.opens.get(&(context.key, file))
                {
                    open.closing = true;
                }
                Asked::Close(target)
            }
            Body::Read(Read { fid, offset }) => {
                let target = target(self, *fid, out);
                if self.may_be_pipe_smb1(context, target, *offset) {
                    return Asked::Data(target);
                }
                Asked::Nothing
            }
            Body::Write(write) => {
                let target = target(self, write.fid, out);
                self.write(context, target, *write, out)
            }
            Body::Transaction(transaction) => self.transaction(context, transaction, out),
            Body::TransactionSecondary(part) => {
                self.secondary(context, header, *part, out);
                Asked::Nothing
            }
            _ => Asked::Nothing,
        }
    }

    /// A request means this file. There are few FIDs, so each is soon given again: one that is used
    /// after it was to be closed is another file, though neither end nor beginning was seen.
    fn use_file(&mut self, key: SessionKey, file: FileId, out: &mut Vec<Event>) {
        if self.opens.peek(&(key, file)).is_some_and(|open| open.closing) {
            self.close_files(vec![(key, file)], Some(Side::Client), out);
        }
    }

    /// Whether reading or writing here can be reading or writing a pipe, as with SMB2.
    fn may_be_pipe_smb1(&self, context: Context<'_>, target: Target, offset: u32) -> bool {
        let kind = self.tree_kind(context.key, Some(context.tree));
        let Target::Known(file) = target else {
            return kind != Some(TreeKind::Disk);
        };
        match self.handle(context.key, Some(context.tree), file) {
            Handle::Pipe(_) => true,
            Handle::File => false,
            // Some clients write to pipes at the end, whatever that may mean.
            Handle::Unknown => offset == 0 || offset == u32::MAX || kind == Some(TreeKind::Pipe),
        }
    }

    fn write(
        &mut self,
        context: Context<'_>,
        target: Target,
        write: Write,
        out: &mut Vec<Event>,
    ) -> Asked {
        if write.for_pipe {
            self.learn_tree(context.key, Some(context.tree), TreeKind::Pipe);
        }
        // No command that writes may follow one that opens.
        let Target::Known(file) = target else { return Asked::Nothing };
        let may = self.may_be_pipe_smb1(context, target, write.offset);
        let of = (context.key, Some(context.tree), file);
        let pipe = may.then(|| self.pipe_of(context.unit, of, (write.data, Side::Client), out));
        match pipe.flatten() {
            Some(pipe) => {
                self.said(pipe, write.data, context.signed, write.starts_message, out);
            }
            None if write.closes => {}
            None => return Asked::Nothing,
        }
        if write.closes { Asked::Close(target) } else { Asked::Data(target) }
    }

    /// 2.2.4.33.1: the first request of a transaction.
    fn transaction(
        &mut self,
        context: Context<'_>,
        transaction: &Transaction,
        out: &mut Vec<Event>,
    ) -> Asked {
        let Some(subcommand) = transaction.subcommand else {
            return Asked::Nothing;
        };
        let (unit, key, tree) = (context.unit, context.key, Some(context.tree));
        // Only a tree of pipes takes this; a server would refuse it on any other.
        self.learn_tree(key, tree, TreeKind::Pipe);
        let (writes, reads) = match subcommand {
            TRANSACT_NMPIPE | CALL_NMPIPE => (true, true),
            RAW_WRITE_NMPIPE | WRITE_NMPIPE => (true, false),
            RAW_READ_NMPIPE | READ_NMPIPE => (false, true),
            // What is peeked at is read again, and the others carry no data of the pipe.
            _ => return Asked::Nothing,
        };
        let part = transaction.part;
        let file = transaction.fid.map(FileId::Smb1);
        if let Some(file) = file {
            self.use_file(key, file, out);
        }
        let pipe = match file {
            Some(file) if writes && !part.data.is_empty() => {
                self.pipe_of(unit, (key, tree, file), (part.data, Side::Client), out)
            }
            Some(_) => None,
            None => {
                let name = Some(kept(&pipe_name(&transaction.name)));
                Some(self.open_pipe(unit, key, tree, None, name, out))
            }
        };
        let whole = file.is_none();
        let mut progress = Progress { file, pipe, sent: 0, writes, reads, whole, got: 0 };
        self.transaction_part(context, &mut progress, part, out);
        Asked::Transaction(progress)
    }

    /// 2.2.4.34.1: a request that goes on with a transaction.
    fn secondary(
        &mut self,
        context: Context<'_>,
        header: &Header,
        part: Part,
        out: &mut Vec<Event>,
    ) {
        let at = (context.unit.connection, header.id());
        let pending = self.pending_smb1.get(&at).and_then(Pending::transaction);
        let Some(mut progress) = pending.map(|progress| *progress) else {
            return;
        };
        self.transaction_part(context, &mut progress, part, out);
        if let Some(pending) = self.pending_smb1.get(&at).and_then(Pending::transaction) {
            *pending = progress;
        }
    }

    /// Data of the request. They come in order, since the client waits and TCP keeps it.
    fn transaction_part(
        &mut self,
        context: Context<'_>,
        progress: &mut Progress,
        part: Part,
        out: &mut Vec<Event>,
    ) {
        let Some(pipe) = self.while_open(progress.pipe).filter(|_| progress.writes) else {
            return;
        };
        if u32::from(part.displacement) != progress.sent {
            // Something between was not seen: what follows belongs to nothing.
            self.tear(pipe, out);
            progress.pipe = None;
            return;
        }
        let starts = progress.sent == 0;
        progress.sent = progress.sent.saturating_add(part.data.len());
        self.said(pipe, part.data, context.signed, starts, out);
    }

    /// The pipe, if it was not closed since it was asked.
    pub(super) fn while_open(&self, pipe: Option<PipeId>) -> Option<PipeId> {
        pipe.filter(|pipe| self.pipes.peek(pipe).is_some_and(|tracked| tracked.open))
    }

    /// Bytes of this pipe are missing.
    pub(super) fn tear(&mut self, pipe: PipeId, out: &mut Vec<Event>) {
        if let Some(tracked) = self.pipes.get(&pipe) {
            tracked.pipe.suspect = true;
            tracked.mid_message = false;
            out.push(Event::PipeTorn { pipe });
        }
    }
}

/// Whether a request has the number of another, which it is about.
fn goes_on(command: Command) -> bool {
    matches!(
        command,
        Command::NT_CANCEL
            | Command::TRANSACTION_SECONDARY
            | Command::TRANSACTION2_SECONDARY
            | Command::NT_TRANSACT_SECONDARY
    )
}

/// What a request to log on says, by token or by name.
fn logon(context: Context<'_>, setup: &SessionSetup) -> Logon {
    let fresh = context.key.id == 0;
    match &setup.credentials {
        Credentials::Token(span) => Logon { fresh, ..Logon::by_token(context.unit, *span) },
        Credentials::Names { account, domain } => {
            let who = Authenticate {
                anonymous: account.is_empty(),
                user: kept(account),
                domain: kept(domain),
                ..Default::default()
            };
            let anonymous = who.anonymous;
            Logon { fresh, user: Some(who.account()), anonymous, ..Logon::default() }
        }
    }
}
