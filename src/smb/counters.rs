//! [`Counters`]: what was seen, for the summary.

use std::collections::{BTreeMap, BTreeSet};

use super::model::Dialect;
use super::{Command, Compression, Payload, v1};
use crate::security::Verdict;

/// What was seen, over all connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// By command; the last counts unknown ones.
    messages: [u64; 21],
    dialects: BTreeSet<Dialect>,
    /// Sessions that were established.
    pub sessions: u64,
    /// Encrypted messages.
    pub sealed: u64,
    /// Bytes of them.
    pub sealed_bytes: u64,
    /// Those of them that were opened.
    pub opened: u64,
    /// Those of them that could have been, and are longer than what pipes carry.
    pub sealed_bulk: u64,
    /// Those of them that do not open, with keys that have opened others of their session.
    pub sealed_bad: u64,
    /// Those of them that there are keys for, and of which bytes are missing.
    pub sealed_torn: u64,
    /// Signatures that are right.
    pub verified: u64,
    /// Signatures that are wrong, by keys that have verified others.
    pub bad_signatures: u64,
    /// Signatures that nobody can tell about: without a key, or of messages that are not here whole.
    pub not_verifiable: u64,
    /// Compressed messages.
    pub compressed: u64,
    /// Those of them in which an algorithm occurs, by its number.
    compressions: [u64; 6],
    /// Those of them that could not be decompressed.
    pub compressed_unread: u64,
    /// SMB1 messages, by their first command.
    smb1: BTreeMap<v1::Command, u64>,
    /// Messages that could not be read for a fault of their sender.
    pub malformed: u64,
}

impl Counters {
    /// Requests and responses seen of each command, without those that did not occur; commands
    /// without a name are counted as one, [`Command`] 0xffff.
    pub fn messages(&self) -> impl Iterator<Item = (Command, u64)> {
        let commands = (0..20).map(Command).chain([Command(u16::MAX)]);
        let counted = commands.zip(self.messages);
        counted.filter(|(_, count)| *count > 0)
    }

    /// Compressed messages in which each algorithm occurs, without those that do not. A chain can
    /// have several.
    pub fn compressions(&self) -> impl Iterator<Item = (Compression, u64)> {
        (0..).map(Compression).zip(self.compressions).filter(|(_, count)| *count > 0)
    }

    /// Names of the dialects that were negotiated, ascending.
    pub fn dialects(&self) -> impl Iterator<Item = String> {
        self.dialects.iter().map(Dialect::to_string)
    }

    /// The same of SMB1, by the first command of each message.
    pub fn smb1_messages(&self) -> impl Iterator<Item = (v1::Command, u64)> {
        self.smb1.iter().map(|(command, count)| (*command, *count))
    }

    /// A signature was looked at.
    pub(super) fn signed(&mut self, verdict: Verdict) {
        let count = match verdict {
            Verdict::Verified => &mut self.verified,
            Verdict::BadSignature => &mut self.bad_signatures,
            Verdict::NotVerifiable => &mut self.not_verifiable,
        };
        *count += 1;
    }

    pub(super) fn smb1_message(&mut self, command: v1::Command) {
        *self.smb1.entry(command).or_default() += 1;
    }

    pub(super) fn message(&mut self, command: Command) {
        let at = usize::from(command.0).min(self.messages.len() - 1);
        if let Some(count) = self.messages.get_mut(at) {
            *count += 1;
        }
    }

    pub(super) fn compressed(&mut self, payloads: &[Payload]) {
        self.compressed += 1;
        for (n, count) in (0..).zip(&mut self.compressions).skip(1) {
            let used = payloads.iter().any(|payload| payload.algorithm == Compression(n));
            *count += u64::from(used);
        }
    }

    pub(super) fn dialect(&mut self, dialect: Dialect) {
        // A server has a handful; a hostile one has no more than this of our memory.
        const DIALECTS_MAX: usize = 64;
        if self.dialects.len() < DIALECTS_MAX {
            self.dialects.insert(dialect);
        }
    }
}
