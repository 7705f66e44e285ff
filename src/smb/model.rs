//! The things [`Smb`](super::Smb) remembers, and the ids they are found by.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet};

use super::protection::{Agreed, Mac, Protection};
use super::{ConnectionId, FileId, Message, Pipe, PipeId, ShareType, dialect_name};
use crate::bytes::{Both, Guid, View};

/// A server, whatever addresses it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ServerId(pub(super) u32);

/// A session: its `SessionId` is unique at its server only, in SMB1 (`UID`) on its connection only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SessionKey {
    pub(super) server: ServerId,
    pub(super) id: u64,
    /// The connection of a session of SMB1.
    pub(super) connection: Option<ConnectionId>,
}

/// What two ends agreed to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dialect {
    /// Any of SMB1.
    Smb1,
    /// `DialectRevision` of SMB2.
    Smb2(u16),
}

impl Dialect {
    /// `1`, or `2.0.2` to `3.1.1`.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Smb1 => Some("1"),
            Self::Smb2(revision) => dialect_name(revision),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self) {
            (None, Self::Smb2(revision)) => write!(f, "0x{revision:04x}"),
            (name, _) => f.write_str(name.unwrap_or_default()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) server: ServerId,
    pub(super) ip: IpAddr,
    pub(super) dialect: Option<Dialect>,
    /// What the two call themselves outside of any session.
    pub(super) names: Both<Option<String>>,
    /// Added by messages of the session, removed with the session.
    pub(super) sessions: Vec<SessionKey>,
    /// Whether an encrypted message was seen that stays closed.
    pub(super) sealed: bool,
    /// What protects its messages.
    pub(super) agreed: Agreed,
    /// What signs those of SMB1.
    pub(super) mac: Option<Mac>,
}

#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) established: bool,
    pub(super) user: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) server_name: Option<String>,
    pub(super) encrypted: bool,
    pub(super) protection: Protection,
    /// Open pipes: added and removed with the pipe's open. There may be very many.
    pub(super) pipes: BTreeSet<PipeId>,
    /// Those of them that were opened, or said something, since bytes were last lost.
    pub(super) heard: BTreeSet<PipeId>,
    /// What `opens` has of this session, by tree: added and removed with it.
    pub(super) files: FxHashMap<Option<u32>, FxHashSet<FileId>>,
    /// What `trees` has of this session: added with it, removed by `TREE_DISCONNECT`.
    pub(super) trees: FxHashSet<u32>,
    /// Added by messages of the session, removed by `closed`.
    pub(super) channels: Vec<ConnectionId>,
}

impl Session {
    /// Notes that `opens` no longer has a file.
    pub(super) fn forget_file(&mut self, tree: Option<u32>, file: FileId) {
        if let Some(files) = self.files.get_mut(&tree)
            && files.remove(&file)
            && files.is_empty()
        {
            self.files.remove(&tree);
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) kind: TreeKind,
    pub(super) path: Option<String>,
    pub(super) encrypted: bool,
}

impl Tree {
    /// Whether the name of the share has an `@` in it, as those of shadow copies have.
    pub(super) fn is_marked(&self) -> bool {
        let path = self.path.as_deref().map(|path| path.trim_end_matches('\\'));
        path.and_then(|path| path.rsplit('\\').next()).is_some_and(|share| share.contains('@'))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TreeKind {
    Pipe,
    Disk,
}

impl TreeKind {
    pub(super) fn of(share_type: ShareType, path: Option<&str>) -> Self {
        let ipc = path.is_some_and(|path| {
            let share = path.rsplit('\\').next().unwrap_or_default();
            share.eq_ignore_ascii_case("IPC$")
        });
        if share_type == ShareType::PIPE || ipc { Self::Pipe } else { Self::Disk }
    }
}

/// What a `FileId` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handle {
    Pipe(PipeId),
    /// Anything that is no pipe.
    File,
    /// Its CREATE was not seen, or the tree's `TREE_CONNECT` was not.
    Unknown,
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) handle: Handle,
    pub(super) tree: Option<u32>,
    pub(super) name: Option<String>,
    /// In SMB1: the client has asked to close it.
    pub(super) closing: bool,
}

/// A pipe with what only this module needs to know of it.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) pipe: Pipe,
    pub(super) session: SessionKey,
    pub(super) open: bool,
    /// The server has sent the beginning of a message and not its end.
    pub(super) mid_message: bool,
}

/// What a request to log on says.
#[derive(Debug, Default)]
pub(super) struct Logon {
    /// Whether it begins a session, as opposed to going on with one.
    pub(super) fresh: bool,
    /// The session it replaces; 0 is none.
    pub(super) previous: u64,
    pub(super) user: Option<String>,
    /// Whether it is nobody in particular.
    pub(super) anonymous: bool,
    pub(super) client_name: Option<String>,
}

/// A request without its answer.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) session_id: u64,
    pub(super) tree: Option<u32>,
    pub(super) asked: Asked,
}

#[derive(Debug)]
pub(super) enum Asked {
    Negotiate {
        client: Guid,
    },
    SessionSetup(Logon),
    Logoff,
    TreeConnect {
        path: String,
    },
    TreeDisconnect,
    Create {
        name: String,
        /// The pipe, if it had to be told of before the answer.
        early: Option<PipeId>,
        /// `MessageId`s of the requests of its chain that mean the file it opens.
        followers: Vec<u64>,
    },
    Close(Target),
    /// READ, WRITE or IOCTL.
    Data(Target),
    /// WRITE to a file of a share that [is marked](Tree::is_marked).
    Write,
    /// IOCTL that asks where a path of DFS leads.
    Referral {
        path: String,
    },
}

/// The file a request means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Target {
    Known(FileId),
    /// The one that the CREATE with this `MessageId` opens.
    Created(u64),
    #[default]
    Nothing,
}

/// What the messages of a chain take over from those before them.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) session_id: u64,
    pub(super) tree: Option<u32>,
    pub(super) file: Target,
    /// Whether a signature in it was told to be bad.
    pub(super) bad: bool,
}

/// The unit being taken in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit<'v> {
    pub(super) connection: ConnectionId,
    pub(super) server: ServerId,
    pub(super) view: View<'v>,
    /// Whether nothing at its end was left out.
    pub(super) complete: bool,
    /// Whether it was encrypted.
    pub(super) sealed: bool,
}

impl Chain {
    /// 3.3.5.2.7.2: a related request means the session, tree and file of the one before it.
    pub(super) fn next(&mut self, m: &Message) {
        let header = &m.header;
        let related = header.is_related();
        if !related || header.session_id != u64::MAX {
            self.session_id = header.session_id;
        }
        if !related {
            self.tree = header.tree_id;
            self.file = Target::Nothing;
        } else if header.tree_id.is_some_and(|tree| tree != u32::MAX) {
            self.tree = header.tree_id;
        }
    }
}
