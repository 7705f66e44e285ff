//! [`Around`]: what happens around the calls and decides whether there are any.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::bytes::{FrameNo, Side, Time};
pub use crate::net::UnreachableCode;
pub use crate::net::dns::{Rcode, Resolver};
pub use crate::rpc::BindAnswer;
use crate::rpc::{Auth, ChannelId, SyntaxId};
pub use crate::security::kerberos::{ErrorCode, KrbError};
pub use crate::smb::{Greeting as Negotiated, LogonKind};
use crate::smb::{SessionRefusal, Status};

/// Something beside the calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// When it was seen.
    pub time: Time,
    /// The frame that showed it, if a frame did.
    pub frame: Option<FrameNo>,
    /// The client's end of the connection; of names and tickets, who asked for them.
    pub client: SocketAddr,
    /// The server's end; of names, the resolver; of tickets, who refused them.
    pub server: SocketAddr,
    /// The server's name, where the capture tells one; of a server that cannot be reached, the name
    /// that the address was found under.
    pub server_name: Option<String>,
    /// What happened.
    pub what: What,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A connect to port 445, 139 or 135, or to one where an activation said that objects are, came to
    /// nothing. Told once for each attempt: at the RST
    /// that answers it, or when the client has long been silent after at least two SYNs that nothing
    /// answered. Never where nothing that is sent to the client is in the capture.
    Unreachable {
        /// How that showed.
        how: Unreached,
        /// SYNs the client sent, without copies of the same packet.
        syns: u32,
        /// When it sent the first.
        since: Time,
    },
    /// A resolver did not know a name that has to do with no address so far. The client may get the
    /// address elsewhere, under another suffix or from another resolver: see [`What::NameFound`].
    NameUnknown {
        /// The name as it was asked for; of NetBIOS, without padding and suffix.
        name: String,
        /// What kind of resolver that was.
        by: Resolver,
        /// What it said.
        code: Rcode,
    },
    /// A name whose first label the client was told is unknown has an address after all.
    NameFound {
        /// The name as it was asked for.
        name: String,
        /// What kind of resolver knew it.
        by: Resolver,
    },
    /// A Kerberos ticket was refused, other than in a way that clients deal with: by a KDC that did
    /// not give it, or by a service that did not take it.
    TicketRefused {
        /// Whose word it is.
        by: Refuser,
        /// What it said.
        error: Box<KrbError>,
    },
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
        /// As whom the server takes it.
        how: LogonKind,
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
    /// A client asked where a path of DFS leads.
    Referral {
        /// `\server\namespace…` as it was asked for, mostly with one backslash in front.
        path: String,
        /// What the server said.
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
    /// A bind or `alter_context` has no answer, and will have none, since its channel ends: see the
    /// [`What::ChannelClosed`] that follows. Not told where the answer may have been lost.
    BindUnanswered {
        /// What its bytes are known by.
        channel: ChannelId,
        /// Name of the pipe; `None` if it is not known, or TCP carried it.
        pipe: Option<String>,
        /// Whether TCP carried it, without a pipe.
        tcp: bool,
        /// The interfaces that were asked for.
        interfaces: Vec<SyntaxId>,
    },
    /// A pipe, or a TCP connection that carried RPC, is gone, and so are the calls on it.
    ChannelClosed {
        /// Which.
        channel: ChannelId,
        /// Who ended it first: the client by CLOSE, LOGOFF, `TREE_DISCONNECT`, FIN or RST, the server by FIN
        /// or RST; nobody where the capture ended or it is not known.
        by: Option<Side>,
        /// Whether that was a RST.
        reset: bool,
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
    /// The first encrypted SMB message of a connection that could not be opened: calls may be in those
    /// that follow.
    Sealed,
    /// An SMB message whose signature is wrong, though its key has verified others: it was changed on
    /// its way, or made by somebody else. Once for each frame.
    BadSignature {
        /// `SessionId`; `UID` of SMB 1.
        session_id: u64,
        /// `DOMAIN\user`, where it was told in clear.
        user: Option<String>,
        /// Who sent it, as it says.
        by: Side,
        /// Name of its command.
        command: String,
    },
}

/// How it showed that a server cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// RST answered the SYN: nothing listens on the port, or a firewall says so.
    Reset,
    /// ICMP said that the SYN was not delivered, and nothing else answered.
    Icmp {
        /// Who said so: a router, a firewall, or the server itself.
        by: IpAddr,
        /// Why.
        code: UnreachableCode,
    },
    /// Nothing answered.
    Silence,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset => f.write_str("answered with RST"),
            Self::Icmp { by, code } => write!(f, "{code} (ICMP from {by})"),
            Self::Silence => f.write_str("no answer"),
        }
    }
}

/// Who refuses a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuser {
    /// A key distribution centre: it does not give the ticket.
    Kdc,
    /// The service it is for: it does not take it.
    Service,
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
