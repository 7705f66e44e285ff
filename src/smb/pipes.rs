//! Which handles are pipes, and what is known of each.

use super::model::{Asked, Dialect, Handle, Open, SessionKey, Target, Tracked, TreeKind, Unit};
use super::plausible::is_one_pdu;
use super::{ConnectionId, Event, FileId, Pipe, PipeId, Smb};
use crate::bytes::{Side, Span};

impl Smb {
    /// What the answer to a request will be about.
    pub(super) fn asked(&self, connection: ConnectionId, message_id: u64) -> Option<Handle> {
        let pending = self.pending.peek(&(connection, message_id))?;
        let Asked::Data(target) = pending.asked else {
            return None;
        };
        Some(match target {
            Target::Known(file) => {
                let key = self.key_of(connection, pending.session_id)?;
                self.handle(key, pending.tree, file)
            }
            Target::Created(_) | Target::Nothing => Handle::Unknown,
        })
    }

    /// What a handle is.
    pub(super) fn handle(&self, key: SessionKey, tree: Option<u32>, file: FileId) -> Handle {
        match self.opens.peek(&(key, file)).map(|open| open.handle) {
            Some(known @ (Handle::Pipe(_) | Handle::File)) => known,
            Some(Handle::Unknown) | None => match self.tree_kind(key, tree) {
                Some(TreeKind::Disk) => Handle::File,
                Some(TreeKind::Pipe) | None => Handle::Unknown,
            },
        }
    }

    pub(super) fn tree_kind(&self, key: SessionKey, tree: Option<u32>) -> Option<TreeKind> {
        self.trees.peek(&(key, tree?)).map(|tree| tree.kind)
    }

    /// The pipe a handle is; a handle not known becomes one if its tree says so, or if `data` are
    /// wholly one PDU and the tree does not say otherwise.
    pub(super) fn pipe_of(
        &mut self,
        unit: Unit<'_>,
        of: (SessionKey, Option<u32>, FileId),
        data: (Span, Side),
        out: &mut Vec<Event>,
    ) -> Option<PipeId> {
        let (key, tree, file) = of;
        let known = self.opens.get(&(key, file));
        let name = match known {
            Some(open) => match open.handle {
                Handle::Pipe(pipe) => return Some(pipe),
                Handle::File => return None,
                Handle::Unknown => open.name.clone(),
            },
            None => None,
        };
        let (span, side) = data;
        let aligned = {
            let header = Span::new(span.start, span.start.saturating_add(16));
            unit.view.hole_in(header).is_none() && is_one_pdu(unit.view.slice(span).bytes(), side)
        };
        match self.tree_kind(key, tree) {
            Some(TreeKind::Pipe) => {}
            None if aligned => {}
            Some(TreeKind::Disk) | None => return None,
        }
        let pipe = self.open_pipe(unit, key, tree, Some(file), name, out);
        if let Some(tracked) = self.pipes.get(&pipe) {
            tracked.pipe.suspect = !aligned;
        }
        Some(pipe)
    }

    /// A new pipe, under this `FileId` if that is known.
    pub(super) fn open_pipe(
        &mut self,
        unit: Unit<'_>,
        key: SessionKey,
        tree: Option<u32>,
        file_id: Option<FileId>,
        name: Option<String>,
        out: &mut Vec<Event>,
    ) -> PipeId {
        let id = PipeId(self.next_pipe);
        self.next_pipe = self.next_pipe.wrapping_add(1);
        let connection = self.connections.peek(&unit.connection);
        let dialect = connection.and_then(|c| c.dialect).and_then(Dialect::name);
        let names = connection.map(|c| c.names.clone()).unwrap_or_default();
        let share = tree.and_then(|tree| self.trees.peek(&(key, tree)));
        let tree_path = share.and_then(|tree| tree.path.clone());
        let mut pipe = Pipe {
            dialect: dialect.map(str::to_owned),
            session_id: key.id,
            tree_id: tree,
            file_id,
            encrypted: unit.sealed || share.is_some_and(|tree| tree.encrypted),
            server_name: names
                .server
                .or_else(|| tree_path.as_deref().and_then(host).map(str::to_owned)),
            client_name: names.client,
            tree_path,
            name,
            ..Pipe::default()
        };
        if let Some(session) = self.session(key, out) {
            session.pipes.insert(id);
            session.heard.insert(id);
            pipe.user.clone_from(&session.user);
            if session.client_name.is_some() {
                pipe.client_name.clone_from(&session.client_name);
            }
            pipe.encrypted |= session.encrypted;
            if session.server_name.is_some() {
                pipe.server_name.clone_from(&session.server_name);
            }
        }
        let tracked = Tracked { pipe, session: key, open: true, mid_message: false };
        for (old, gone) in self.pipes.insert(id, tracked) {
            self.lose_pipe(old, &gone, out);
        }
        if let Some(file) = file_id {
            let name = self.pipes.peek(&id).and_then(|tracked| tracked.pipe.name.clone());
            self.bind(key, file, Handle::Pipe(id), tree, name, out);
        }
        out.push(Event::PipeOpened { pipe: id });
        id
    }

    /// A pipe had to go for the cap.
    fn lose_pipe(&mut self, id: PipeId, gone: &Tracked, out: &mut Vec<Event>) {
        if let Some(session) = self.sessions.get(&gone.session) {
            session.pipes.remove(&id);
            session.heard.remove(&id);
        }
        if let Some(file) = gone.pipe.file_id {
            let tree = self.opens.remove(&(gone.session, file)).map(|open| open.tree);
            if let Some((tree, session)) = tree.zip(self.sessions.get(&gone.session)) {
                session.forget_file(tree, file);
            }
        }
        if gone.open {
            out.push(Event::PipeClosed { pipe: id, by: None });
        }
    }

    /// Notes what a handle is.
    pub(super) fn bind(
        &mut self,
        key: SessionKey,
        file: FileId,
        handle: Handle,
        tree: Option<u32>,
        name: Option<String>,
        out: &mut Vec<Event>,
    ) {
        let open = Open { handle, tree, name, closing: false };
        // If there is one, the server gave the id away again: the CLOSE was not seen.
        if let Some(old) = self.opens.remove(&(key, file)) {
            self.end_opens(vec![((key, file), old)], None, out);
        }
        let gone = self.opens.insert((key, file), open);
        if let Some(session) = self.sessions.get(&key) {
            session.files.entry(tree).or_default().insert(file);
        }
        self.end_opens(gone, None, out);
    }

    /// Closes everything that is open in a tree of a session.
    pub(super) fn drop_tree(
        &mut self,
        key: SessionKey,
        tree: u32,
        by: Option<Side>,
        out: &mut Vec<Event>,
    ) {
        self.trees.remove(&(key, tree));
        let Some(session) = self.sessions.get(&key) else { return };
        session.trees.remove(&tree);
        let files = session.files.remove(&Some(tree)).unwrap_or_default();
        self.close_files(files.into_iter().map(|file| (key, file)).collect(), by, out);
    }

    /// Notes that a pipe said something: from now on a loss may be its.
    pub(super) fn hear(&mut self, pipe: PipeId, signed: bool) {
        if let Some(tracked) = self.pipes.get(&pipe) {
            tracked.pipe.signed = signed;
            if let Some(session) = self.sessions.get(&tracked.session)
                && session.pipes.contains(&pipe)
            {
                session.heard.insert(pipe);
            }
        }
    }

    /// Closes these files.
    pub(super) fn close_files(
        &mut self,
        files: Vec<(SessionKey, FileId)>,
        by: Option<Side>,
        out: &mut Vec<Event>,
    ) {
        let gone = files.into_iter().filter_map(|at| Some((at, self.opens.remove(&at)?))).collect();
        self.end_opens(gone, by, out);
    }

    pub(super) fn end_opens(
        &mut self,
        gone: Vec<((SessionKey, FileId), Open)>,
        by: Option<Side>,
        out: &mut Vec<Event>,
    ) {
        for ((key, file), open) in gone {
            if let Some(session) = self.sessions.get(&key) {
                session.forget_file(open.tree, file);
            }
            if let Handle::Pipe(pipe) = open.handle {
                self.end_pipe(pipe, by, out);
            }
        }
    }

    pub(super) fn end_pipe(&mut self, pipe: PipeId, by: Option<Side>, out: &mut Vec<Event>) {
        let Some(tracked) = self.pipes.get(&pipe).filter(|tracked| tracked.open) else {
            return;
        };
        tracked.open = false;
        let (key, file) = (tracked.session, tracked.pipe.file_id);
        if let Some(session) = self.sessions.get(&key) {
            session.pipes.remove(&pipe);
            session.heard.remove(&pipe);
        }
        // Should its handle be heard of again, it is a pipe whose beginning was not seen.
        if let Some(open) = file.and_then(|file| self.opens.get(&(key, file)))
            && open.handle == Handle::Pipe(pipe)
        {
            open.handle = Handle::Unknown;
        }
        out.push(Event::PipeClosed { pipe, by });
    }
}

/// `server` of `\\server\share`.
fn host(path: &str) -> Option<&str> {
    let mut parts = path.trim_start_matches('\\').split('\\');
    parts.next().filter(|host| !host.is_empty())
}
