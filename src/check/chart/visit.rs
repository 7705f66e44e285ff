//! [`Visit`]: what is known of a client at a server.

use crate::bytes::{Side, Time};
use crate::call::{Call, Transport};
use crate::pipeline::{Around, LogonKind, What};
use crate::protocol::fsrvp;
use crate::rpc::Auth;

/// What is known of a client at this server.
#[derive(Debug, Default)]
pub(super) struct Visit {
    /// What it is called.
    pub(super) name: Option<String>,
    /// The account it is logged on with, where that was told in clear, and as whom the server took it.
    pub(super) user: Option<String>,
    pub(super) logon: LogonKind,
    /// Whether it has been logged on in several ways, so that nobody knows as whom it does something.
    pub(super) several: bool,
    /// Whether it called, or came for our pipe.
    pub(super) ours: bool,
    /// Whether anybody was ever logged on.
    pub(super) logged_on: bool,
    /// The SMB dialect it speaks.
    pub(super) dialect: Option<String>,
    /// When the server last let it in somewhere: on a connection, a session, a share, a pipe.
    pub(super) met: Option<Time>,
    /// When it opened our pipe.
    pub(super) pipe_opened: Option<Time>,
    /// How often it was refused the pipe since it last got it.
    pub(super) pipe_refused: u32,
    /// When it ended a pipe or connection that was ours.
    pub(super) closed: Option<Time>,
    /// When it was last heard of.
    pub(super) heard: Time,
}

impl Visit {
    /// Something beside the calls; `closes` says that it is the end of a pipe of ours.
    pub(super) fn meet(&mut self, around: &Around, closes: bool) {
        let is_pipe = |name: &str| name.eq_ignore_ascii_case(fsrvp::PIPE);
        // Where nobody ended it, the capture did.
        let ends = matches!(
            around.what,
            What::ChannelClosed { by: None, .. } | What::Disconnected { by: None, .. }
        );
        if ends {
            return;
        }
        self.heard = self.heard.max(around.time);
        let mut met = || self.met = self.met.max(Some(around.time));
        match &around.what {
            What::LoggedOn { user, how, .. } => {
                met();
                self.several |= self.logged_on && (self.user != *user || self.logon != *how);
                if user.is_some() || *how == LogonKind::Anonymous {
                    self.user.clone_from(user);
                }
                self.logon = *how;
                self.logged_on = true;
            }
            What::Negotiated(told) => {
                met();
                if told.dialect.is_some() {
                    self.dialect.clone_from(&told.dialect);
                }
            }
            What::TreeConnected { .. } => met(),
            What::PipeOpened { name, .. } => {
                met();
                if name.as_deref().is_some_and(is_pipe) {
                    self.ours = true;
                    self.pipe_opened = Some(around.time);
                    self.pipe_refused = 0;
                }
            }
            What::PipeRefused { name, .. } if is_pipe(name) => {
                self.ours = true;
                self.pipe_refused = self.pipe_refused.saturating_add(1);
            }
            What::ChannelClosed { by: Some(Side::Client), .. } if closes => {
                self.closed = Some(around.time);
            }
            _ => {}
        }
    }
}

/// Who is logged on to the session of a call.
pub(super) fn user_of(call: &Call) -> Option<String> {
    match &call.transport {
        Transport::NamedPipe(pipe) => pipe.user.clone(),
        Transport::Tcp => None,
    }
}

/// Whether nobody in particular is logged on.
pub(in crate::check) fn is_nobody(user: &str) -> bool {
    let name = user.rsplit('\\').next().unwrap_or(user);
    name.is_empty()
        || ["anonymous", "guest", "ANONYMOUS LOGON"].iter().any(|of| name.eq_ignore_ascii_case(of))
}

/// Whether somebody on the way could change the call (\[MS-FSRVP\] 2.1 wants integrity at least).
pub(in crate::check) fn is_weak(auth: &Auth) -> bool {
    const INTEGRITY: u8 = 5;
    *auth != Auth::UNTOLD && (auth.auth_type == 0 || auth.level < INTEGRITY)
}

pub(super) fn has_old_dialect(call: &Call) -> bool {
    let Transport::NamedPipe(pipe) = &call.transport else { return false };
    pipe.dialect.as_deref().is_some_and(is_old)
}

/// Whether a dialect is older than 3.0.
pub(super) fn is_old(dialect: &str) -> bool {
    !dialect.starts_with('3')
}
