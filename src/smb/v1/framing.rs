//! How much of an SMB1 message is worth holding, and what a header looks like in a stream.

use super::super::framing::{PDU_MAX, SMALL, WHOLE_MAX, array, skim};
use super::super::model::{Handle, SessionKey};
use super::super::{ConnectionId, FileId, HEADER_MAX, Nbss, Smb};
use super::header::BREAK_MID;
use super::model::{Asked, RequestId, Target};
use super::{Command, Fid, Header};
use crate::bytes::{Framed, index};

/// Where the fields that decide lie in a unit.
const COMMAND: usize = 4 + 4;
const FLAGS: usize = 4 + 9;
const PID_HIGH: usize = 4 + 12;
const TID: usize = 4 + 24;
const PID_LOW: usize = 4 + 26;
const UID: usize = 4 + 28;
const MID: usize = 4 + 30;
const WORDS: usize = 4 + 32 + 1;
/// Behind `AndXCommand`, `AndXReserved` and `AndXOffset`.
const ANDX_WORDS: usize = WORDS + 4;

const REPLY: u8 = 0x80;

/// Bytes of the shortest message: header, `WordCount` and `ByteCount`.
const LEAST: u32 = Nbss::SIZE + Header::SIZE + 3;

impl Smb {
    pub(in super::super) fn frame_smb1(
        &self,
        connection: ConnectionId,
        bytes: &[u8],
        whole: u32,
    ) -> Framed {
        if whole < LEAST {
            return Framed::Foreign;
        }
        if whole <= SMALL {
            return Framed::Whole(whole);
        }
        if bytes.len() < index(HEADER_MAX) {
            return Framed::Need(HEADER_MAX);
        }
        let wanted = self.is_wanted_smb1(connection, bytes, whole);
        if wanted && whole <= WHOLE_MAX { Framed::Whole(whole) } else { skim(HEADER_MAX, whole) }
    }

    /// Whether more than the parameters of the first command is of use.
    fn is_wanted_smb1(&self, connection: ConnectionId, bytes: &[u8], whole: u32) -> bool {
        let command = Command(bytes.get(COMMAND).copied().unwrap_or_default());
        let response = bytes.get(FLAGS).is_some_and(|flags| flags & REPLY != 0);
        let handle = match (command, response) {
            (Command::READ_ANDX | Command::READ, true) => {
                // Without its request nobody can tell whose data these are.
                match self.asked_smb1(connection, command, bytes) {
                    Some(handle) => handle,
                    None => return false,
                }
            }
            (Command::WRITE_ANDX, false) => self.handle_at(connection, bytes, ANDX_WORDS),
            (Command::WRITE | Command::WRITE_AND_CLOSE, false) => {
                self.handle_at(connection, bytes, WORDS)
            }
            (command, _) => return command.is_parsed(),
        };
        match handle {
            Handle::Pipe(_) => true,
            Handle::Unknown => whole <= PDU_MAX + HEADER_MAX,
            Handle::File => false,
        }
    }

    /// What the handle at this place of a unit is.
    fn handle_at(&self, connection: ConnectionId, bytes: &[u8], at: usize) -> Handle {
        let file = FileId::Smb1(Fid(u16_at(bytes, at)));
        let key = self.key_smb1(connection, u16_at(bytes, UID));
        key.map_or(Handle::Unknown, |key| self.handle(key, Some(u16_at(bytes, TID).into()), file))
    }

    pub(in super::super) fn key_smb1(
        &self,
        connection: ConnectionId,
        uid: u16,
    ) -> Option<SessionKey> {
        let key = self.key_of(connection, uid.into())?;
        Some(SessionKey { connection: Some(connection), ..key })
    }

    /// What the answer to a request to read will be about.
    fn asked_smb1(
        &self,
        connection: ConnectionId,
        command: Command,
        bytes: &[u8],
    ) -> Option<Handle> {
        let (pid_high, pid_low) = (u16_at(bytes, PID_HIGH), u16_at(bytes, PID_LOW));
        let pid = u32::from(pid_high) << 16 | u32::from(pid_low);
        let id = RequestId { pid, mid: u16_at(bytes, MID) };
        let pending = self.pending_smb1.peek(&(connection, id))?;
        if !pending.is_answered_by(command, u16_at(bytes, UID), u16_at(bytes, TID)) {
            return None;
        }
        let Some(Asked::Data(target)) = pending.asked.first() else {
            return None;
        };
        Some(match target {
            Target::Known(file) => {
                let key = self.key_smb1(connection, pending.uid)?;
                self.handle(key, Some(pending.tid.into()), *file)
            }
            Target::Opened => Handle::Unknown,
        })
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    array(bytes, at).map_or(0, u16::from_le_bytes)
}

/// Whether a header that was found in a stream has a command, and `Flags`, which say who sent it.
pub(in super::super) fn seen_sane(unit: &[u8]) -> bool {
    let command = unit.get(COMMAND).map(|command| Command(*command));
    command.is_some_and(|command| command.name().is_some()) && unit.get(FLAGS).is_some()
}

/// Whether a server sent it: all its responses, and the request to break an oplock (3.3.4.2).
pub(in super::super) fn is_server_request(unit: &[u8]) -> bool {
    let reply = unit.get(FLAGS).is_some_and(|flags| flags & REPLY != 0);
    let mid = array(unit, MID).map(u16::from_le_bytes);
    let breaks = unit.get(COMMAND) == Some(&Command::LOCKING_ANDX.0) && mid == Some(BREAK_MID);
    reply || breaks
}
