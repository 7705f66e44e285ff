//! SMB: messages (pure), and who has which pipe open (state). What differs in SMB1 is in [`v1`].
//!
//! Takes the bytes of connections to port 445 or 139, gives what travelled through named pipes, and does
//! not know what that means. Section numbers are those of \[MS-SMB2\].
//!
//! ```text
//!  bytes of a connection ─► Smb::frame ─► unit ─► Smb::advance ─► Event::PipeData, PipeOpened, …
//!                                          │           └─ if it was compressed, or encrypted and there
//!                                          │              are keys: Plain ─► advance_plain
//!                                          └────► dissect ─► rows (at any time, from the unit alone)
//! ```
//!
//! INVARIANT: a session belongs to a server, not to a connection, since SMB3 spreads one session,
//! and the calls on one pipe, over several connections (3.1.4 "multichannel").

mod cache;
mod compression;
mod counters;
mod create;
mod event;
mod framing;
mod header;
mod io;
mod ioctl;
mod message;
mod model;
mod nbss;
mod negotiate;
mod pipes;
mod plausible;
mod protection;
mod requests;
mod responses;
mod servers;
mod session;
mod state;
mod status;
mod transform;
mod tree;
pub mod v1;

#[cfg(test)]
mod tests;

pub use compression::{Compression, CompressionTransform, Payload, Plain, decompress};
pub use counters::Counters;
pub use create::{Close, Create, Created};
pub use event::{ConnectionId, Event, Greeting, LogonKind, Pipe, PipeId};
pub use framing::{HEADER_MAX, plausible_start, resync, sender};
pub use header::{Command, FileId, Header};
pub use io::{Read, Write};
pub use ioctl::{Ioctl, IoctlAnswer};
pub use message::{Body, Message, Packet, dissect, dissect_opened, dissect_plain};
pub use nbss::{Nbss, NbssType, SessionPacket, SessionRefusal};
pub use negotiate::{Negotiate, Negotiated, dialect_name};
pub use protection::Closed;
pub use session::{SessionSetup, SessionSetupAnswer};
pub use state::Smb;
pub use status::Status;
pub use transform::Transform;
pub use tree::{ShareType, TreeConnect, TreeConnected};
