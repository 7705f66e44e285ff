//! SMB1: messages (pure), and what they change (state).
//!
//! The messages are those that pipes need. What they say ends in the same tables as that of SMB2,
//! so that nobody above can tell which of the two carried the bytes of a pipe. Section numbers are
//! those of \[MS-CIFS\], unless \[MS-SMB\] is named.
//!
//! ```text
//!  ┌────────┬────────────────────────────────────┬────────────────────────────────────┬─ …
//!  │ header │ WordCount, Words, ByteCount, Bytes │ WordCount, Words, ByteCount, Bytes │
//!  └────────┴────────────────────────────────────┴────────────────────────────────────┴─ …
//!    Command of the first block ──┘  AndXCommand, AndXOffset of the next ──┘
//! ```
//!
//! INVARIANT: in SMB1 a session, a tree and a file belong to their connection (2.2.1.6), unlike in
//! SMB2; their keys name it.

mod block;
mod connect;
mod files;
mod framing;
mod header;
mod io;
mod logon;
mod message;
mod model;
mod requests;
mod responses;
mod text;
mod transaction;

pub use connect::{TreeConnect, TreeConnected};
pub use files::{Open, Opened};
pub use header::{Command, Fid, Header};
pub use io::Write;
pub use logon::{Credentials, Negotiated, SessionSetUp, SessionSetup};
pub use message::{Block, Body, Message};
pub use transaction::{Part, Transaction};

pub(super) use framing::{is_server_request, seen_sane};
pub(super) use message::read;
pub(super) use model::{Pending, RequestId};
