//! What a response changes: it decides, since only what the server says holds.

use super::super::model::{Dialect, Handle, Logon, SessionKey, TreeKind};
use super::super::protection::Step;
use super::super::requests::{kept, pipe_name};
use super::super::{
    Event, FileId, Greeting, LogonKind, PipeId, SessionSetupAnswer, ShareType, Smb, Status,
    TreeConnected as Connected,
};
use super::model::{Asked, Pending, Progress, Target};
use super::requests::Context;
use super::{Body, Command, Header, Message, Opened, Part};
use crate::bytes::{Side, Span, Time};

impl Smb {
    pub(super) fn response_smb1(
        &mut self,
        context: Context<'_>,
        m: &Message,
        out: &mut Vec<Event>,
    ) {
        let at = (context.unit.connection, m.header.id());
        let Header { command, uid, tid, .. } = m.header;
        let pending = self.pending_smb1.remove(&at);
        let pending = pending.filter(|pending| pending.is_answered_by(command, uid, tid));
        let mut asked = pending.map(|pending| pending.asked).unwrap_or_default().into_iter();
        // The file that a command of this message has opened.
        let mut file = None;
        for (n, block) in m.blocks.iter().enumerate() {
            // An error is that of the last command that was carried out (2.2.3.4).
            let last = n + 1 == m.blocks.len();
            let status = if last { m.header.status } else { Status::SUCCESS };
            let asked = asked.next().unwrap_or(Asked::Nothing);
            if let Asked::Transaction(progress) = asked {
                if let Some(progress) = self.transacted(context, progress, status, &block.body, out)
                {
                    let asked = vec![Asked::Transaction(progress)];
                    self.pending_smb1.insert(at, Pending { command, uid, tid, asked });
                }
                return;
            }
            let said = (block.command, &block.body, m.header.mid);
            self.answer(context, said, asked, status, &mut file, out);
        }
    }

    fn answer(
        &mut self,
        context: Context<'_>,
        (command, body, mid): (Command, &Body, u16),
        asked: Asked,
        status: Status,
        opened: &mut Option<FileId>,
        out: &mut Vec<Event>,
    ) {
        let (unit, key, tree) = (context.unit, context.key, Some(context.tree));
        match (command, body) {
            (_, Body::Negotiated(negotiated)) => {
                const NONE: u16 = 0xffff;
                if negotiated.dialect_index == NONE {
                    return;
                }
                self.counters.dialect(Dialect::Smb1);
                out.push(Event::Negotiated(Box::new(Greeting {
                    dialect: Some(Dialect::Smb1.to_string()),
                    server_guid: negotiated.server_guid.filter(|guid| !guid.is_nil()),
                    now: Time::from_filetime(negotiated.system_time),
                    capabilities: negotiated.capabilities,
                    ..Greeting::offering(unit, negotiated.token)
                })));
                if let Some(connection) = self.connections.get(&unit.connection) {
                    connection.dialect = Some(Dialect::Smb1);
                    if let Some(name) = &negotiated.server_name {
                        connection.names.server = Some(kept(name));
                    }
                }
            }
            (Command::SESSION_SETUP_ANDX, body) => {
                let logon = match asked {
                    Asked::SessionSetup(logon) => logon,
                    _ => Logon::default(),
                };
                let answer = match body {
                    Body::SessionSetUp(answer) => Some(SessionSetupAnswer {
                        session_flags: u16::from(answer.guest) * SessionSetupAnswer::IS_GUEST,
                        token: answer.token,
                    }),
                    _ => None,
                };
                let token = answer.map(|answer| answer.token).unwrap_or_default();
                let step = Step { unit, token, message: None };
                let goes_on = status == Status::MORE_PROCESSING_REQUIRED;
                let setup = self.setup_answered(step, mid.into(), key.id, goes_on);
                let anonymous = logon.anonymous;
                self.session_set_up(unit, key, status, answer, logon, out);
                if status == Status::SUCCESS {
                    let how = answer.map(SessionSetupAnswer::kind).unwrap_or_default();
                    let how = if anonymous { LogonKind::Anonymous } else { how };
                    self.keyed_smb1(unit.connection, setup, how);
                }
            }
            (Command::LOGOFF_ANDX, _) if status == Status::SUCCESS => {
                self.drop_session(key, Some(Side::Client), out);
            }
            (Command::TREE_CONNECT_ANDX | Command::TREE_CONNECT, body) => {
                let path = match asked {
                    Asked::TreeConnect { path } => Some(path),
                    _ => None,
                };
                let connected = match body {
                    Body::TreeConnected(connected) => Some((
                        connected.tid.map_or(context.tree, u32::from),
                        Connected {
                            share_type: connected.share_type.unwrap_or(ShareType::DISK),
                            share_flags: 0,
                        },
                    )),
                    _ => None,
                };
                self.tree_connected(key, status, path, connected, out);
            }
            (Command::TREE_DISCONNECT, _) if status == Status::SUCCESS => {
                self.drop_tree_smb1(context, out);
            }
            (Command::NT_CREATE_ANDX | Command::OPEN_ANDX | Command::OPEN, body) => {
                let name = match asked {
                    Asked::Open { name } => Some(name),
                    _ => None,
                };
                if status.is_error() {
                    self.open_refused((key, tree), name, status, out);
                } else if let Body::Opened(answer) = body {
                    *opened = Some(FileId::Smb1(answer.fid));
                    self.opened_smb1(context, *answer, name.as_deref(), out);
                }
            }
            (_, body) => {
                let (target, closes) = match asked {
                    Asked::Close(target) => (target, true),
                    Asked::Data(target) => (target, false),
                    _ => return,
                };
                let file = match target {
                    Target::Known(file) => Some(file),
                    Target::Opened => *opened,
                };
                let Some(file) = file else { return };
                let data = match body {
                    Body::ReadAnswer(data) => *data,
                    _ => Span::default(),
                };
                self.answered_smb1(context, file, status, data, out);
                if closes {
                    self.close_files(vec![(key, file)], Some(Side::Client), out);
                }
            }
        }
    }

    /// A tree is gone for all sessions of its connection.
    fn drop_tree_smb1(&mut self, context: Context<'_>, out: &mut Vec<Event>) {
        let connection = self.connections.peek(&context.unit.connection);
        let sessions = connection.map(|connection| connection.sessions.clone());
        let of_smb1 = |key: &SessionKey| key.connection.is_some();
        for key in sessions.unwrap_or_default().into_iter().filter(of_smb1) {
            self.drop_tree(key, context.tree, Some(Side::Client), out);
        }
    }

    fn opened_smb1(
        &mut self,
        context: Context<'_>,
        opened: Opened,
        name: Option<&str>,
        out: &mut Vec<Event>,
    ) {
        let (key, tree) = (context.key, Some(context.tree));
        let name = name.map(pipe_name);
        let file = FileId::Smb1(opened.fid);
        let kind = self.tree_kind(key, tree).or_else(|| {
            let kind = if opened.is_pipe()? { TreeKind::Pipe } else { TreeKind::Disk };
            self.learn_tree(key, tree, kind);
            Some(kind)
        });
        match kind {
            Some(TreeKind::Pipe) => {
                self.open_pipe(context.unit, key, tree, Some(file), name, out);
            }
            Some(TreeKind::Disk) => self.bind(key, file, Handle::File, tree, None, out),
            None => self.bind(key, file, Handle::Unknown, tree, name, out),
        }
    }

    /// The answer to reading or writing.
    fn answered_smb1(
        &mut self,
        context: Context<'_>,
        file: FileId,
        status: Status,
        data: Span,
        out: &mut Vec<Event>,
    ) {
        let Some(pipe) = self.answering(context, file, data, out) else {
            return;
        };
        if status.is_error() {
            out.push(Event::PipeError { pipe, status });
            return;
        }
        self.heard(pipe, data, context.signed, status == Status::BUFFER_OVERFLOW, out);
    }

    /// The pipe an answer is of; one that was not known becomes one by its data.
    fn answering(
        &mut self,
        context: Context<'_>,
        file: FileId,
        data: Span,
        out: &mut Vec<Event>,
    ) -> Option<PipeId> {
        if !data.is_empty() {
            let of = (context.key, Some(context.tree), file);
            return self.pipe_of(context.unit, of, (data, Side::Server), out);
        }
        match self.opens.get(&(context.key, file)).map(|open| open.handle) {
            Some(Handle::Pipe(pipe)) => Some(pipe),
            _ => None,
        }
    }

    /// A response of a transaction; gives its progress if more is to come.
    fn transacted(
        &mut self,
        context: Context<'_>,
        mut progress: Progress,
        status: Status,
        body: &Body,
        out: &mut Vec<Event>,
    ) -> Option<Progress> {
        let part = match body {
            Body::TransactionAnswer(part) => *part,
            // The interim response, after which the client sends the rest (3.3.5.30).
            Body::Empty if !status.is_error() => return Some(progress),
            _ => Part::default(),
        };
        let data = if progress.reads { part.data } else { Span::default() };
        if progress.pipe.is_none()
            && let Some(file) = progress.file
        {
            progress.pipe = self.answering(context, file, data, out);
        }
        let pipe = self.while_open(progress.pipe)?;
        if status.is_error() {
            out.push(Event::PipeError { pipe, status });
        }
        let torn = u32::from(part.displacement) != progress.got && !data.is_empty();
        if torn {
            self.tear(pipe, out);
        }
        progress.got = progress.got.saturating_add(part.data.len());
        let more = !torn && !part.data.is_empty() && progress.got < part.total.into();
        if !torn && !status.is_error() {
            let continues = more || status == Status::BUFFER_OVERFLOW;
            self.heard(pipe, data, context.signed, continues, out);
        }
        if !more && progress.whole {
            self.end_pipe(pipe, Some(Side::Client), out);
        }
        more.then_some(progress)
    }
}
