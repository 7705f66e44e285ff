//! [`Counters`]: what was seen, for the summary.

use std::collections::BTreeSet;

use super::{Command, Compression, Payload, dialect_name};

/// What was seen, over all connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// By command; the last counts unknown ones.
    messages: [u64; 21],
    dialects: BTreeSet<u16>,
    /// Sessions that were established.
    pub sessions: u64,
    /// Encrypted messages.
    pub sealed: u64,
    /// Bytes of them.
    pub sealed_bytes: u64,
    /// Compressed messages.
    pub compressed: u64,
    /// Those of them in which an algorithm occurs, by its number.
    compressions: [u64; 6],
    /// Those of them that could not be decompressed.
    pub compressed_unread: u64,
    /// SMB1 messages.
    pub smb1: u64,
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
        self.dialects.iter().map(|dialect| match dialect_name(*dialect) {
            Some(name) => name.to_owned(),
            None => format!("0x{dialect:04x}"),
        })
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

    pub(super) fn dialect(&mut self, dialect: u16) {
        // A server has a handful; a hostile one has no more than this of our memory.
        const DIALECTS_MAX: usize = 64;
        if self.dialects.len() < DIALECTS_MAX {
            self.dialects.insert(dialect);
        }
    }
}
