//! Who has which keys: what NEGOTIATE agrees on, what a logon gives, what opens and verifies with it.
//!
//! ```text
//!  NEGOTIATE ─► Agreed ──┐  (of the connection)
//!  SESSION_SETUP ─► Setup ─┴─► Protection ─┬─► Sealer: opens encrypted messages ─► Plain
//!              Keyring ────┘ (of the session)└─► Signer: verifies, one of each connection
//! ```
//! The pure part, from keys to octets, is `security::smb`.
//!
//! INVARIANT: nobody is accused with a key that has not verified anything before.

mod closed;
mod logon;
mod opening;
#[cfg(test)]
mod tests;
mod verdict;
mod verdict_smb1;

pub use closed::Closed;
pub(super) use closed::ClosedSessions;
pub(super) use logon::{Setup, SetupId, Step};
pub(super) use opening::SEALED_MAX;
pub(super) use verdict::whole_message;
pub(super) use verdict_smb1::Mac;

use rustc_hash::FxHashMap;

use super::model::Dialect;
use super::{ConnectionId, Negotiated};
use crate::bytes::Both;
use crate::security::smb::{Cipher, Derivation, Preauth, Signing};
use crate::security::{Need, Secret};

/// Keys that are tried for one session, each with a cipher.
const SEALERS_MAX: usize = 16;
/// Keys that are tried for the signatures of one connection.
const SIGNERS_MAX: usize = 8;
/// Messages that none of the keys opens before they are no longer tried, if none ever did.
const FAILURES_MAX: u32 = 256;
/// Connections of a session whose keys are known.
const CHANNELS_MAX: usize = 1024;
/// Half sentences of what was tried.
const TRIED_MAX: usize = 8;

/// What two ends agree on in NEGOTIATE as far as it protects.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreed {
    /// `None` if they agreed on none, or the answer was not seen.
    cipher: Option<Cipher>,
    signing: Option<Signing>,
    /// What was said so far; `None` if a part of it was not seen.
    preauth: Option<Preauth>,
}

impl Agreed {
    /// A NEGOTIATE request, if all of it is here. It begins anew.
    pub(super) fn asked(&mut self, message: Option<&[u8]>) {
        *self = Self::default();
        self.preauth = message.map(|message| {
            let mut hash = Preauth::default();
            hash.update(message);
            hash
        });
    }

    /// The answer to it.
    pub(super) fn answered(&mut self, negotiated: &Negotiated, message: Option<&[u8]>) {
        let hash = self.preauth.take();
        match negotiated.dialect {
            SMB_311 => {
                self.cipher = negotiated.cipher.and_then(Cipher::of);
                self.signing = Some(Signing::AesCmac);
                if let Some(signing) = negotiated.signing {
                    self.signing = Signing::of(signing);
                }
                self.preauth = hash.zip(message).map(|(mut hash, message)| {
                    hash.update(message);
                    hash
                });
            }
            SMB_300 | SMB_302 => {
                self.cipher = Some(Cipher::Aes128Ccm);
                self.signing = Some(Signing::AesCmac);
            }
            _ => self.signing = Some(Signing::HmacSha256),
        }
    }
}

const SMB_300: u16 = 0x0300;
const SMB_302: u16 = 0x0302;
const SMB_311: u16 = 0x0311;

/// How the keys of a dialect are made; `None` if that takes what was said before, and it was not seen.
fn derivation(dialect: u16, preauth: Option<&Preauth>) -> Option<Derivation<'_>> {
    match dialect {
        SMB_300 | SMB_302 => Some(Derivation::Fixed),
        SMB_311 => preauth.map(Derivation::Preauth),
        _ => Some(Derivation::Direct),
    }
}

/// The revision of SMB2, if the answer to NEGOTIATE was seen.
fn revision(dialect: Option<Dialect>) -> Option<u16> {
    match dialect? {
        Dialect::Smb2(revision) => Some(revision),
        Dialect::Smb1 => None,
    }
}

/// Keys that seal.
#[derive(Debug)]
struct Sealer {
    cipher: Cipher,
    /// By who seals with them.
    keys: Both<Option<Secret>>,
    /// Whether both come from one session key: if one is right, so is the other.
    derived: bool,
    /// What they are, as half a sentence: `the session key given for it (--smb-key)`.
    what: String,
}

/// A key that signs.
#[derive(Debug)]
struct Signer {
    signing: Signing,
    key: Secret,
    /// Whether it has verified a message.
    proven: bool,
    what: String,
}

/// The keys of a session.
#[derive(Debug, Default)]
pub(super) struct Protection {
    /// Whether its keys were looked for.
    settled: bool,
    /// Those that may open it; of each side the one that did alone, once one did. At most
    /// [`SEALERS_MAX`].
    sealers: Vec<Sealer>,
    /// Whether the key of a side is known to be right.
    proven: Both<bool>,
    /// Messages that nothing opened.
    failures: u32,
    /// By connection. Added with the logon, removed with the connection or the session; at most
    /// [`CHANNELS_MAX`].
    signers: FxHashMap<ConnectionId, Vec<Signer>>,
    /// What is in the way.
    need: Need,
}

impl Protection {
    /// Whether it is worth trying to open something.
    fn may_open(&self) -> bool {
        let proven = self.proven.client || self.proven.server;
        !self.sealers.is_empty() && (proven || self.failures < FAILURES_MAX)
    }

    fn add_sealer(&mut self, sealer: Sealer) {
        if self.sealers.len() < SEALERS_MAX {
            self.sealers.push(sealer);
        }
    }

    /// Notes what was tried, each once.
    fn tried(&mut self, what: String) {
        let tried = &mut self.need.tried;
        if tried.len() < TRIED_MAX && !tried.contains(&what) {
            tried.push(what);
        }
    }

    fn add_signers(&mut self, connection: ConnectionId, signers: Vec<Signer>) {
        if self.signers.len() < CHANNELS_MAX || self.signers.contains_key(&connection) {
            self.signers.insert(connection, signers);
        }
    }

    /// A connection has ended.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.signers.remove(&connection);
    }

    /// Takes over what another has that was thought to be of another session.
    pub(super) fn absorb(&mut self, other: Self) {
        for (connection, signers) in other.signers {
            self.add_signers(connection, signers);
        }
        if !self.settled {
            self.settled = other.settled;
            self.sealers = other.sealers;
            self.proven = other.proven;
            self.failures = other.failures;
            self.need = other.need;
        }
    }
}
