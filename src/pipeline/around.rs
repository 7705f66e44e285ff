//! [`Around`]: what happens around the calls and decides whether there are any.

use std::net::SocketAddr;

use crate::bytes::{FrameNo, Side, Time};
pub use crate::rpc::BindAnswer;
use crate::rpc::{Auth, ChannelId, SyntaxId};
pub use crate::smb::Greeting as Negotiated;
use crate::smb::{SessionRefusal, Status};

/// Something beside the calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// When it was seen.
    pub time: Time,
    /// The frame that showed it, if a frame did.
    pub frame: Option<FrameNo>,
    /// The client's end of the connection.
    pub client: SocketAddr,
    /// The server's.
    pub server: SocketAddr,
    /// The server's name, where the capture tells one.
    pub server_name: Option<String>,
    /// What happened.
    pub what: What,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A server has answered a negotiation. Where a client of SMB 1 and 2 begins with one of SMB 1,
    /// the first of two answers names no dialect.
    Negotiated(Box<Negotiated>),
    /// A server has told of itself in an NTLM challenge.
    Challenged(Box<Challenged>),
    /// A user is logged on, or a connection has joined the session.
    LoggedOn {
        /// `SessionId`; `UID` of SMB 1.
        session_id: u64,
        /// `DOMAIN\user`, where it was told in clear.
        user: Option<String>,
    },
    /// A user was not logged on.
    LogonRefused {
        /// `DOMAIN\user`, where it was told in clear.
        user: Option<String>,
        /// Why.
        status: Status,
    },
    /// There is no NetBIOS session.
    NetbiosRefused {
        /// The name that was called.
        called: Option<String>,
        /// Why.
        why: SessionRefusal,
    },
    /// A share was connected.
    TreeConnected {
        /// `\\server\share`.
        path: String,
    },
    /// A share was not connected.
    TreeRefused {
        /// `\\server\share`.
        path: String,
        /// Why.
        status: Status,
    },
    /// A pipe was opened.
    PipeOpened {
        /// What its bytes are known by to RPC.
        channel: ChannelId,
        /// Its name, where its CREATE was seen.
        name: Option<String>,
        /// `\\server\IPC$`
        tree_path: Option<String>,
    },
    /// A pipe was not opened.
    PipeRefused {
        /// Its name.
        name: String,
        /// Why.
        status: Status,
    },
    /// A pipe that was open gave or took nothing.
    PipeError {
        /// The pipe.
        channel: ChannelId,
        /// Its name.
        name: Option<String>,
        /// Why.
        status: Status,
    },
    /// A pipe, or a TCP connection that carried RPC, is gone, and so are the calls on it.
    ChannelClosed {
        /// Which.
        channel: ChannelId,
        /// Who ended it first: the client by CLOSE, LOGOFF, `TREE_DISCONNECT`, FIN or RST, the server by FIN
        /// or RST; nobody where the capture ended or it is not known.
        by: Option<Side>,
    },
    /// An interface was bound, or not; again with each `alter_context` that has it.
    Bound(Box<Bound>),
    /// A write to a file of a share whose name has an `@` in it, as those of shadow copies have; or the
    /// file was not opened because that share is write-protected.
    Wrote {
        /// `\\server\share`.
        path: String,
        /// What the server said.
        status: Status,
    },
    /// A connection that carried SMB ended, after the pipes that were only on it.
    Disconnected {
        /// Who sent the first FIN or RST.
        by: Option<Side>,
        /// Whether that was a RST.
        reset: bool,
    },
    /// Bytes of a connection that carries SMB or RPC, or might, are missing: calls may be, too. Once
    /// for each gap, and for a connection that begins in the middle. What the snap length cut off is
    /// told where messages are lost by it.
    Lost,
    /// The first encrypted SMB message of a connection: calls may be in those that follow.
    Sealed,
}

/// What a server says of itself in an NTLM CHALLENGE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenged {
    /// Major, minor and build of `Version`, if it is there.
    pub version: Option<(u8, u8, u16)>,
    /// `MsvAvNbComputerName`.
    pub computer: Option<String>,
    /// `MsvAvDnsComputerName`.
    pub dns_computer: Option<String>,
    /// Whether `MsvAvTimestamp` is there.
    pub timestamp: bool,
}

/// How a bind, or `alter_context`, ended for one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What its bytes are known by.
    pub channel: ChannelId,
    /// Name of the pipe; `None` if it is not known, or TCP carried it.
    pub pipe: Option<String>,
    /// Whether TCP carried it, without a pipe.
    pub tcp: bool,
    /// The interface that was asked for; `None` where the request was not seen.
    pub interface: Option<SyntaxId>,
    /// Security of the request.
    pub auth: Auth,
    /// What the server said.
    pub answer: BindAnswer,
}
