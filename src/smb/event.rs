//! What [`Smb`](super::Smb) tells those above it.

use super::{FileId, SessionRefusal, Status};
use crate::bytes::{Guid, Side, Span, Time};
use crate::security::kerberos::KrbError;
use crate::security::ntlm;

/// A connection, numbered by the caller; not to be used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// A pipe that is or was open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipeId(pub u32);

/// Something that happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Bytes travelled through a pipe.
    PipeData {
        /// The pipe.
        pipe: PipeId,
        /// Who sent them.
        side: Side,
        /// Where they lie in the message given to `advance`.
        span: Span,
        /// Whether they begin a message of the pipe.
        starts_message: bool,
        /// Whether the server said that more of the message follows (`STATUS_BUFFER_OVERFLOW`).
        continues: bool,
    },
    /// A pipe was opened, or data showed that a handle is one. Always the first of a pipe.
    ///
    /// Where a chain of requests opens a pipe and writes to it at once, this comes with the request;
    /// should the server refuse, `PipeRefused` and `PipeClosed` follow.
    PipeOpened {
        /// The pipe.
        pipe: PipeId,
    },
    /// The server did not open a pipe.
    PipeRefused {
        /// Its name.
        name: String,
        /// Why.
        status: Status,
    },
    /// The server refused to take from, or give to, an open pipe.
    PipeError {
        /// The pipe.
        pipe: PipeId,
        /// Why.
        status: Status,
    },
    /// Bytes were lost that may have been the pipe's, in either direction.
    PipeTorn {
        /// The pipe.
        pipe: PipeId,
    },
    /// The pipe is gone: closed, its tree, session or last connection ended, or a cap was reached.
    PipeClosed {
        /// The pipe; [`Smb::forget`](super::Smb::forget) it when done.
        pipe: PipeId,
        /// Who ended it: the client by CLOSE, LOGOFF or `TREE_DISCONNECT`, either by ending the
        /// last connection; `None` where that is not known.
        by: Option<Side>,
    },
    /// A server has answered a negotiation.
    Negotiated(Box<Greeting>),
    /// A server has told of itself in an NTLM challenge.
    Challenged(Box<ntlm::Challenge>),
    /// A share was connected.
    TreeConnected {
        /// `\\server\share`.
        path: String,
    },
    /// A write to a file of a share whose name has an `@` in it was answered, or the file was not opened
    /// because that share is write-protected.
    Wrote {
        /// `\\server\share`.
        path: String,
        /// What the server said.
        status: Status,
    },
    /// A client asked where a path of DFS leads.
    Referral {
        /// The path.
        path: String,
        /// What the server said.
        status: Status,
    },
    /// A service did not take a Kerberos ticket.
    TicketRefused(Box<KrbError>),
    /// The first encrypted message of a connection that stays closed.
    Sealed,
    /// A message whose signature is wrong, by a key that has verified others; once for each unit.
    BadSignature {
        /// `SessionId`; `UID` of SMB1.
        session_id: u64,
        /// `DOMAIN\user`, if it was told in the clear.
        user: Option<String>,
        /// Who sent it, as it says.
        by: Side,
        /// Name of its command.
        command: String,
    },
    /// The server did not connect a share.
    TreeRefused {
        /// `\\server\share`.
        path: String,
        /// Why.
        status: Status,
    },
    /// The server did not log a user on.
    SessionRefused {
        /// `DOMAIN\user`, if it was told in the clear.
        user: Option<String>,
        /// Why.
        status: Status,
    },
    /// The server has no NetBIOS session for the name it was called by.
    NetbiosRefused {
        /// The name, if it was seen.
        called: Option<String>,
        /// Why.
        why: SessionRefusal,
    },
    /// A user is logged on, for the first time or again, or a connection joined the session.
    SessionEstablished {
        /// `SessionId`; `UID` of SMB1.
        session_id: u64,
        /// `DOMAIN\user`, if it was told in the clear.
        user: Option<String>,
        /// As whom the server takes it.
        how: LogonKind,
    },
}

/// As whom a server takes whoever logs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LogonKind {
    /// As who they say they are.
    #[default]
    User,
    /// As a guest: `SMB2_SESSION_FLAG_IS_GUEST`, or `SMB_SETUP_GUEST` of SMB1.
    Guest,
    /// As nobody: `SMB2_SESSION_FLAG_IS_NULL`, or NTLM's anonymous.
    Anonymous,
}

/// What a server says of itself in NEGOTIATE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// `1`, or `2.0.2` to `3.1.1`; `None` where the dialect is still to be chosen.
    pub dialect: Option<String>,
    /// `ServerGuid`.
    pub server_guid: Option<Guid>,
    /// `ClientGuid` of the request.
    pub client_guid: Option<Guid>,
    /// `ServerStartTime`, if it is told and not zero.
    pub started: Option<Time>,
    /// `SystemTime`.
    pub now: Option<Time>,
    /// `Capabilities`.
    pub capabilities: u32,
    /// Object identifiers of the mechanisms that its SPNEGO token offers, dotted.
    pub mechanisms: Vec<String>,
    /// The hint name of its SPNEGO token, such as `not_defined_in_RFC4178@please_ignore`.
    pub hint: Option<String>,
}

/// What is known of a pipe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pipe {
    /// Its name without `\` and `PIPE\`, such as `FssagentRpc`; `None` if the CREATE was not seen.
    pub name: Option<String>,
    /// `1`, or `2.0.2` to `3.1.1`; `None` if the NEGOTIATE was not seen.
    pub dialect: Option<String>,
    /// `SessionId`; `UID` of SMB1.
    pub session_id: u64,
    /// `TreeId`, `TID` of SMB1; `None` if only an ASYNC header was seen.
    pub tree_id: Option<u32>,
    /// `FileId`; `None` until the server has told it.
    pub file_id: Option<FileId>,
    /// `DOMAIN\user`, from NTLM.
    pub user: Option<String>,
    /// Whether session or share ask for encryption, or the messages that opened it were encrypted.
    pub encrypted: bool,
    /// Whether the last message that carried its bytes was signed.
    pub signed: bool,
    /// `\\server\IPC$`.
    pub tree_path: Option<String>,
    /// The server's name: as NTLM has it, else from the path of the tree.
    pub server_name: Option<String>,
    /// The client's name, as NTLM has it.
    pub client_name: Option<String>,
    /// Whether bytes were lost that may have been the pipe's: a PDU begun may never end.
    pub suspect: bool,
}
