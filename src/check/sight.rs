//! [`Sight`]: how much of what happened at a server could be read.

use std::collections::BTreeSet;
use std::ops::AddAssign;

use super::signatures::is_wrong;
use crate::call::{Call, Outcome, Readable, Transport};
use crate::pipeline::What;
use crate::security::Mechanism;

/// Keys that are named.
const MAX_KEYS: usize = 8;

/// What was read of a server, and what could not be.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// Calls.
    pub(super) calls: u64,
    /// Those of them that are sealed.
    pub(super) sealed: u64,
    /// Those that are cut off.
    pub(super) cut: u64,
    /// Those of which a part is not in the capture, or the answer.
    pub(super) partial: u64,
    /// Gaps in what was captured.
    pub(super) lost: u64,
    /// Connections on which SMB is encrypted.
    pub(super) encrypted: u64,
    /// What would open the sealed calls. Added by them, no more than [`MAX_KEYS`].
    keys: BTreeSet<String>,
    /// The same of encrypted SMB.
    smb_keys: BTreeSet<String>,
}

impl Sight {
    /// A call is over.
    pub(super) fn call(&mut self, call: &Call) {
        let is = |readable| [call.request.readable, call.response.readable].contains(&readable);
        self.calls += 1;
        if is_wrong(call) {
            // All of it is seen, and counts for nothing.
            return;
        }
        let missing = matches!(call.outcome, Outcome::NoRequest | Outcome::NoResponse);
        if is(Readable::Sealed) && self.keys.len() < MAX_KEYS {
            self.keys.insert(key_of(call));
        }
        let which = match () {
            () if is(Readable::Sealed) => &mut self.sealed,
            () if is(Readable::Truncated) => &mut self.cut,
            () if is(Readable::Lost) || missing => &mut self.partial,
            () => return,
        };
        *which += 1;
    }

    /// Something beside the calls, on a session of `user`.
    pub(super) fn around(&mut self, what: &What, user: Option<&str>) {
        self.lost += u64::from(matches!(what, What::Lost));
        if matches!(what, What::Sealed) {
            self.encrypted += 1;
            if self.smb_keys.len() < MAX_KEYS {
                let password =
                    user.map_or_else(String::new, |user| format!("the password of {user}, "));
                self.smb_keys.insert(format!(
                    "{password}a keytab of the server if the logon is by Kerberos, or the key of the \
                     SMB session"
                ));
            }
        }
    }

    /// Calls that were read in full.
    pub(super) fn read(&self) -> u64 {
        self.calls.saturating_sub(self.sealed + self.cut + self.partial)
    }

    /// Whether everything could be read.
    pub(super) fn is_full(&self) -> bool {
        self.read() == self.calls && self.lost == 0 && self.encrypted == 0
    }

    /// What could not be read, and what would show it, in sentences; `of` says whose it is, as in
    /// ` to 10.0.0.1`.
    pub(super) fn sentences(&self, of: &str) -> Vec<String> {
        let Self { calls, sealed, cut, partial, lost, encrypted, .. } = *self;
        let mut told = Vec::new();
        let mut calls_are = |n: u64, what: &str| {
            let (are, which) =
                (if n == 1 { "is" } else { "are" }, if calls == 1 { "call" } else { "calls" });
            if n > 0 {
                told.push(format!("{n} of {calls} {which}{of} {are} {what}"));
            }
        };
        calls_are(
            sealed,
            &format!(
                "sealed: of these only the operation is seen. What opens them is {} \
                 (--keys). A capture of calls that are signed and not sealed \
                 would show the rest, too",
                any_of(&self.keys)
            ),
        );
        calls_are(cut, "cut off: a capture of whole packets (-s 0) would show the rest");
        calls_are(
            partial,
            "not all in the capture: one that begins before, ends after, and drops no packet would \
             show the rest",
        );
        if lost > 0 {
            let times = if lost == 1 { "once".to_owned() } else { format!("{lost} times") };
            let on = if of.is_empty() { "" } else { " on connections" };
            told.push(format!(
                "packets{on}{of} are missing {times}, and calls with them perhaps: a larger buffer \
                 (-B), whole packets (-s 0), both directions or an earlier start would show them"
            ));
        }
        if encrypted > 0 {
            let connections = if encrypted == 1 { "connection" } else { "connections" };
            told.push(format!(
                "{encrypted} {connections}{of} carried encrypted SMB, and calls perhaps. What opens \
                 it is {} (--keys). A capture without SMB \
                 encryption would show them, too",
                any_of(&self.smb_keys)
            ));
        }
        told
    }
}

/// What would open a sealed call.
fn key_of(call: &Call) -> String {
    const NTLM: u8 = 10;
    const KERBEROS: u8 = 16;
    let auth = &call.rpc.auth;
    let smb_user = match &call.transport {
        Transport::NamedPipe(pipe) => pipe.user.as_deref(),
        Transport::Tcp => None,
    };
    let user = auth.principal.as_deref().or(smb_user).unwrap_or("the user");
    let server = call.server.name.as_deref().unwrap_or("the server");
    match (&auth.mechanism, auth.auth_type) {
        (Some(Mechanism::Ntlm), _) | (None, NTLM) => {
            format!("the password of {user}, or its NT hash (the calls are sealed by NTLM)")
        }
        (Some(Mechanism::Kerberos), _) | (None, KERBEROS) => {
            format!("a keytab of the account of {server} (the calls are sealed by Kerberos)")
        }
        _ => format!("the password of {user}, or a keytab of {server}"),
    }
}

fn any_of(keys: &BTreeSet<String>) -> String {
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    if keys.is_empty() { "a key".to_owned() } else { keys.join("; or ") }
}

impl AddAssign for Sight {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.sealed += other.sealed;
        self.cut += other.cut;
        self.partial += other.partial;
        self.lost += other.lost;
        self.encrypted += other.encrypted;
        self.keys.extend(other.keys);
        self.smb_keys.extend(other.smb_keys);
    }
}
