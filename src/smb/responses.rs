//! What a response changes: it decides, since only what the server says holds.

use super::model::{
    Asked, Chain, Dialect, Handle, Logon, Pending, SessionKey, Target, Tree, TreeKind, Unit,
};
use super::negotiate::WILDCARD;
use super::protection::{Step, whole_message};
use super::requests::{pipe_name, token};
use super::{
    Body, Command, Created, Event, FileId, Greeting, LogonKind, Message, PipeId,
    SessionSetupAnswer, Smb, Status, TreeConnected,
};
use crate::bytes::{Guid, Side, Span, Time};
use crate::security::{Offer, ntlm, offer};

/// \[MS-ERREF\] 2.3.1
const STATUS_MEDIA_WRITE_PROTECTED: Status = Status(0xc000_00a2);

impl Smb {
    pub(super) fn response(
        &mut self,
        unit: Unit<'_>,
        chain: &mut Chain,
        m: &Message,
        out: &mut Vec<Event>,
    ) {
        let header = &m.header;
        if header.status == Status::PENDING {
            // 3.3.4.2 Sending an Interim Response: the answer comes later, under the same MessageId.
            return;
        }
        let at = (unit.connection, header.message_id);
        let pending = self.pending.remove(&at);
        if let Some(pending) = &pending {
            // An ASYNC header has no TreeId, and in a chain a server may leave the SessionId out.
            chain.tree = pending.tree.or(chain.tree);
            if pending.session_id != 0 {
                chain.session_id = pending.session_id;
            }
        }
        let key = self.key(unit, chain.session_id);
        let asked = pending.map(|Pending { asked, .. }| asked);
        match header.command {
            Command::NEGOTIATE => {
                let client = match asked {
                    Some(Asked::Negotiate { client }) => client,
                    _ => Guid::nil(),
                };
                self.negotiated(unit, m, client, out);
            }
            Command::SESSION_SETUP => {
                let logon = match asked {
                    Some(Asked::SessionSetup(logon)) => logon,
                    _ => Logon::default(),
                };
                let answer = match m.body {
                    Body::SessionSetupAnswer(answer) => Some(answer),
                    _ => None,
                };
                let message = whole_message(unit, m.span);
                let token = answer.map(|answer| answer.token).unwrap_or_default();
                let step = Step { unit, token, message };
                let goes_on = header.status == Status::MORE_PROCESSING_REQUIRED;
                let (id, session) = (header.message_id, key.id);
                let setup = self.setup_answered(step, id, session, goes_on);
                let anonymous = logon.anonymous;
                self.session_set_up(unit, key, header.status, answer, logon, out);
                if header.status == Status::SUCCESS {
                    let how = answer.map(SessionSetupAnswer::kind).unwrap_or_default();
                    let how = if anonymous { LogonKind::Anonymous } else { how };
                    let signed = message.filter(|_| header.is_signed());
                    self.keyed(unit, key, setup, how, signed);
                }
            }
            Command::LOGOFF if header.status == Status::SUCCESS => {
                self.drop_session(key, Some(Side::Client), out);
            }
            Command::TREE_CONNECT => {
                let path = match asked {
                    Some(Asked::TreeConnect { path }) => Some(path),
                    _ => None,
                };
                let connected = match m.body {
                    Body::TreeConnected(connected) => Some(connected),
                    _ => None,
                };
                // The request has no TreeId: the response's is the tree's.
                let tree = header.tree_id.or(chain.tree).zip(connected);
                self.tree_connected(key, header.status, path, tree, out);
            }
            Command::TREE_DISCONNECT if header.status == Status::SUCCESS => {
                if let Some(tree) = chain.tree {
                    self.drop_tree(key, tree, Some(Side::Client), out);
                }
            }
            Command::CREATE => self.created(unit, (key, chain.tree), m, asked, out),
            Command::CLOSE => {
                if let Some(Asked::Close(Target::Known(file))) = asked {
                    self.close_files(vec![(key, file)], Some(Side::Client), out);
                }
            }
            Command::READ | Command::WRITE | Command::IOCTL => {
                let target = match asked {
                    Some(Asked::Data(target)) => target,
                    Some(Asked::Write) => return self.wrote((key, chain.tree), header.status, out),
                    Some(Asked::Referral { path }) => {
                        return out.push(Event::Referral { path, status: header.status });
                    }
                    _ => Target::Nothing,
                };
                self.answered(unit, (key, chain.tree, target), m, out);
            }
            _ => {}
        }
    }

    fn negotiated(&mut self, unit: Unit<'_>, m: &Message, client: Guid, out: &mut Vec<Event>) {
        let Body::Negotiated(negotiated) = &m.body else {
            return;
        };
        let told = |guid: Guid| Some(guid).filter(|guid| !guid.is_nil());
        let dialect = Some(negotiated.dialect).filter(|dialect| *dialect != WILDCARD);
        out.push(Event::Negotiated(Box::new(Greeting {
            dialect: dialect.map(|dialect| Dialect::Smb2(dialect).to_string()),
            server_guid: told(negotiated.server_guid),
            client_guid: told(client),
            started: Time::from_filetime(negotiated.server_start_time),
            now: Time::from_filetime(negotiated.system_time),
            capabilities: negotiated.capabilities,
            ..Greeting::offering(unit, negotiated.token)
        })));
        self.identify(unit.connection, negotiated.server_guid);
        if negotiated.dialect == WILDCARD {
            return;
        }
        let dialect = Dialect::Smb2(negotiated.dialect);
        self.counters.dialect(dialect);
        let message = whole_message(unit, m.span);
        if let Some(connection) = self.connections.get(&unit.connection) {
            connection.dialect = Some(dialect);
            connection.agreed.answered(negotiated, message);
        }
    }

    /// The answer to a request to log on, whose session is `key`.
    pub(super) fn session_set_up(
        &mut self,
        unit: Unit<'_>,
        key: SessionKey,
        status: Status,
        answer: Option<SessionSetupAnswer>,
        logon: Logon,
        out: &mut Vec<Event>,
    ) {
        let Logon { fresh, previous, user, anonymous, client_name } = logon;
        if status.is_error() && status != Status::MORE_PROCESSING_REQUIRED {
            if self.sessions.peek(&key).is_some_and(|s| !s.established) {
                self.drop_session(key, None, out);
            }
            out.push(Event::SessionRefused { user, status });
            return;
        }
        let Some(answer) = answer else {
            return;
        };
        if fresh && self.sessions.peek(&key).is_some_and(|s| s.established) {
            // The server gave the id away again: the end of the old session was not seen.
            self.drop_session(key, None, out);
            self.join(unit.connection, key, out);
        }
        if status == Status::SUCCESS && previous != 0 && previous != key.id {
            let old = SessionKey { id: previous, ..key };
            self.drop_session(old, None, out);
        }
        let told = token(unit, answer.token);
        let (ntlm, refusal) = told.map(|told| (told.ntlm, told.refusal)).unwrap_or_default();
        if let Some(error) = refusal {
            out.push(Event::TicketRefused(Box::new(error)));
        }
        let server_name = match ntlm {
            Some(ntlm::Message::Challenge(challenge)) => {
                let info = &challenge.target_info;
                let name = info.nb_computer_name.as_ref().or(info.dns_computer_name.as_ref());
                let name = name.cloned();
                out.push(Event::Challenged(Box::new(challenge)));
                name
            }
            _ => None,
        };
        let Some(session) = self.session(key, out) else {
            return;
        };
        session.server_name = server_name.or(session.server_name.take());
        if status != Status::SUCCESS {
            return;
        }
        session.user = user.or(session.user.take());
        session.client_name = client_name.or(session.client_name.take());
        session.encrypted |= answer.encrypts();
        let user = session.user.clone();
        if !std::mem::replace(&mut session.established, true) {
            self.counters.sessions += 1;
        }
        let how = if anonymous { LogonKind::Anonymous } else { answer.kind() };
        out.push(Event::SessionEstablished { session_id: key.id, user, how });
    }

    /// The answer to a request for the share `path`.
    pub(super) fn tree_connected(
        &mut self,
        key: SessionKey,
        status: Status,
        path: Option<String>,
        tree: Option<(u32, TreeConnected)>,
        out: &mut Vec<Event>,
    ) {
        if status.is_error() {
            let path = path.unwrap_or_default();
            out.push(Event::TreeRefused { path, status });
            return;
        }
        if let Some(path) = &path {
            out.push(Event::TreeConnected { path: path.clone() });
        }
        if let Some((tree, connected)) = tree {
            let new = Tree {
                kind: TreeKind::of(connected.share_type, path.as_deref()),
                path,
                encrypted: connected.encrypts(),
            };
            self.note_tree(key, tree, new);
        }
    }

    fn created(
        &mut self,
        unit: Unit<'_>,
        of: (SessionKey, Option<u32>),
        m: &Message,
        asked: Option<Asked>,
        out: &mut Vec<Event>,
    ) {
        let (key, tree) = of;
        let (name, early, followers) = match asked {
            Some(Asked::Create { name, early, followers }) => (Some(name), early, followers),
            _ => (None, None, Vec::new()),
        };
        if m.header.status.is_error() {
            self.open_refused(of, name, m.header.status, out);
            // Only who opens a file to write to it is told so.
            if m.header.status == STATUS_MEDIA_WRITE_PROTECTED {
                self.wrote(of, m.header.status, out);
            }
            if let Some(pipe) = early {
                self.end_pipe(pipe, None, out);
            }
            return;
        }
        let Body::Created(created) = m.body else {
            return;
        };
        let file = created.file_id;
        for message_id in followers {
            if let Some(pending) = self.pending.get(&(unit.connection, message_id))
                && let Asked::Close(target) | Asked::Data(target) = &mut pending.asked
            {
                *target = Target::Known(file);
            }
        }
        match self.tree_kind(key, tree) {
            Some(TreeKind::Pipe) => {
                let name = name.as_deref().map(pipe_name);
                self.pipe_created(unit, of, file, early, name, out);
            }
            Some(TreeKind::Disk) => self.bind(key, file, Handle::File, tree, None, out),
            None => self.unknown_created(of, created, name.as_deref(), out),
        }
    }

    /// The server did not open a file; told if it was to be a pipe.
    pub(super) fn open_refused(
        &self,
        of: (SessionKey, Option<u32>),
        name: Option<String>,
        status: Status,
        out: &mut Vec<Event>,
    ) {
        let (key, tree) = of;
        if self.tree_kind(key, tree) == Some(TreeKind::Pipe) {
            let name = pipe_name(&name.unwrap_or_default());
            out.push(Event::PipeRefused { name, status });
        }
    }

    fn pipe_created(
        &mut self,
        unit: Unit<'_>,
        of: (SessionKey, Option<u32>),
        file: FileId,
        early: Option<PipeId>,
        name: Option<String>,
        out: &mut Vec<Event>,
    ) {
        let (key, tree) = of;
        let Some(pipe) = early else {
            self.open_pipe(unit, key, tree, Some(file), name, out);
            return;
        };
        if let Some(tracked) = self.pipes.get(&pipe) {
            tracked.pipe.file_id = Some(file);
        }
        self.bind(key, file, Handle::Pipe(pipe), tree, None, out);
    }

    /// A CREATE on a tree whose `TREE_CONNECT` was not seen.
    fn unknown_created(
        &mut self,
        of: (SessionKey, Option<u32>),
        created: Created,
        name: Option<&str>,
        out: &mut Vec<Event>,
    ) {
        let (key, tree) = of;
        let mut handle = Handle::Unknown;
        if created.is_surely_file() {
            handle = Handle::File;
            self.learn_tree(key, tree, TreeKind::Disk);
        }
        let name = name.map(pipe_name);
        self.bind(key, created.file_id, handle, tree, name, out);
    }

    /// The answer to a WRITE to a file of a share that is marked.
    fn wrote(
        &mut self,
        (key, tree): (SessionKey, Option<u32>),
        status: Status,
        out: &mut Vec<Event>,
    ) {
        let tree = tree.and_then(|tree| self.trees.peek(&(key, tree)));
        let marked = tree.filter(|tree| tree.is_marked());
        if let Some(path) = marked.and_then(|tree| tree.path.clone()) {
            out.push(Event::Wrote { path, status });
        }
    }

    /// The answer to a READ, WRITE or IOCTL.
    fn answered(
        &mut self,
        unit: Unit<'_>,
        of: (SessionKey, Option<u32>, Target),
        m: &Message,
        out: &mut Vec<Event>,
    ) {
        let (key, tree, target) = of;
        let status = m.header.status;
        let (data, named) = match &m.body {
            Body::ReadAnswer(data) => (*data, None),
            Body::IoctlAnswer(answer) if super::ioctl::is_pipe_control(answer.ctl_code) => {
                (answer.output, Some(answer.file_id))
            }
            _ => (Span::default(), None),
        };
        let file = match (target, named) {
            (Target::Known(file), _) => file,
            // Its request was not seen, but the answer to an IOCTL names the file.
            (_, Some(file)) if file != FileId::PREVIOUS => file,
            _ => return,
        };
        let carries = status == Status::SUCCESS || status == Status::BUFFER_OVERFLOW;
        let of = (key, tree, file);
        let pipe = if carries && !data.is_empty() {
            self.pipe_of(unit, of, (data, Side::Server), out)
        } else {
            match self.opens.get(&(key, file)).map(|open| open.handle) {
                Some(Handle::Pipe(pipe)) => Some(pipe),
                _ => None,
            }
        };
        let Some(pipe) = pipe else {
            return;
        };
        if status.is_error() {
            out.push(Event::PipeError { pipe, status });
        }
        if carries {
            let continues = status == Status::BUFFER_OVERFLOW;
            self.heard(pipe, data, m.header.is_signed(), continues, out);
        }
    }

    /// A server has given what it read from a pipe; `continues` if there is more of the message.
    pub(super) fn heard(
        &mut self,
        pipe: PipeId,
        data: Span,
        signed: bool,
        continues: bool,
        out: &mut Vec<Event>,
    ) {
        if data.is_empty() {
            return;
        }
        let mut starts_message = true;
        if let Some(tracked) = self.pipes.get(&pipe) {
            starts_message = !std::mem::replace(&mut tracked.mid_message, continues);
        }
        self.hear(pipe, signed);
        out.push(Event::PipeData {
            pipe,
            side: Side::Server,
            span: data,
            starts_message,
            continues,
        });
    }
}

impl Greeting {
    /// What the security token of a NEGOTIATE response says.
    pub(super) fn offering(unit: Unit<'_>, span: Span) -> Self {
        let view = unit.view.slice(span);
        let whole = view.holes().next().is_none();
        let Offer { mechanisms, hint } = offer(view.bytes()).filter(|_| whole).unwrap_or_default();
        Self { mechanisms, hint, ..Self::default() }
    }
}
