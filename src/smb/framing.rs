//! Where messages begin and end, and how much of each is worth holding.
//!
//! Bulk data is what most of a capture consists of and none of what we want. Of a READ or WRITE of
//! a file only the headers are asked for; the stream passes over the rest without a copy.

use memchr::memmem;

use super::compression::{COMPRESSION_SIZE, CompressionTransform, decompress};
use super::header::{COMPRESSED, SERVER_TO_REDIR, SMB1, SMB2, TRANSFORM};
use super::ioctl::{asks_referral, is_pipe_control};
use super::model::Handle;
use super::protection::SEALED_MAX;
use super::transform::TRANSFORM_SIZE;
use super::{Command, ConnectionId, FileId, Header, Nbss, NbssType, Plain, Smb, v1};
use crate::bytes::{Framed, Guid, Side, Stop, View, clamp, index};

/// Bytes after which [`Smb::frame`] no longer asks for more: the four of 2.1, the header, and the
/// fixed part of a WRITE request, of which `FileId` decides.
pub const HEADER_MAX: u32 = Nbss::SIZE + Header::SIZE + 48;

/// A message longer than this is skimmed whatever it is: no pipe carries such.
pub(super) const WHOLE_MAX: u32 = 1 << 20;

/// Data longer than this are no PDU, whose length has 16 bits.
pub(super) const PDU_MAX: u32 = 0xffff;

/// A compressed message longer than this is held no further than its header may reach. What is
/// worth decompressing is shorter, and most of what is not can only be told by decompressing it.
const COMPRESSED_MAX: u32 = HEADER_MAX + PDU_MAX;

/// Bytes in which the header of a message is, however it is compressed: a table of Huffman codes,
/// and two octets for each of its own.
const COMPRESSED_HEADER: u32 = 512;

/// Length below which it costs more to ask than to hold.
pub(super) const SMALL: u32 = 256;

/// Where the fields that decide lie in a unit.
const COMMAND: usize = 4 + 12;
const FLAGS: usize = 4 + 16;
const NEXT_COMMAND: usize = 4 + 20;
const MESSAGE_ID: usize = 4 + 24;
const TREE_ID: usize = 4 + 36;
const SESSION_ID: usize = 4 + 40;
const BODY: usize = 4 + 64;
/// The same of an encrypted one.
const SEALED_SESSION_ID: usize = 4 + 44;

impl Smb {
    /// How long the unit at the start of `head` is, and how much of it is wanted, given what is
    /// known of the connection.
    pub fn frame(&self, connection: ConnectionId, head: View<'_>) -> Framed {
        let bytes = head.bytes();
        if bytes.len() < index(Nbss::SIZE) {
            return match bytes.first() {
                None | Some(0 | 0x81..=0x85) => Framed::Need(Nbss::SIZE),
                Some(_) => Framed::Foreign,
            };
        }
        let Some(nbss) = Nbss::peek(bytes) else {
            return Framed::Foreign;
        };
        let whole = nbss.whole();
        if nbss.kind != NbssType::SESSION_MESSAGE || nbss.length == 0 {
            return skim(HEADER_MAX, whole);
        }
        if nbss.length < 4 {
            return Framed::Foreign;
        }
        let Some(magic) = array::<4>(bytes, 4) else {
            return Framed::Need(8);
        };
        match magic {
            SMB2 => self.frame_smb2(connection, bytes, whole),
            TRANSFORM => self.frame_sealed(connection, bytes, whole),
            COMPRESSED if whole > COMPRESSED_MAX => skim(COMPRESSED_HEADER, whole),
            COMPRESSED => Framed::Whole(whole),
            SMB1 => self.frame_smb1(connection, bytes, whole),
            _ => Framed::Foreign,
        }
    }

    /// An encrypted message is held if something may open it.
    fn frame_sealed(&self, connection: ConnectionId, bytes: &[u8], whole: u32) -> Framed {
        let header = Nbss::SIZE + TRANSFORM_SIZE;
        if whole > SEALED_MAX || whole < header {
            return skim(header, whole);
        }
        match array(bytes, SEALED_SESSION_ID).map(u64::from_le_bytes) {
            None => Framed::Need(header),
            Some(session) if self.may_open(connection, session) => Framed::Whole(whole),
            Some(_) => skim(header, whole),
        }
    }

    pub(super) fn frame_smb2(&self, connection: ConnectionId, bytes: &[u8], whole: u32) -> Framed {
        if whole < Nbss::SIZE + Header::SIZE {
            return Framed::Foreign;
        }
        if whole <= SMALL {
            return Framed::Whole(whole);
        }
        if bytes.len() < index(HEADER_MAX) {
            return Framed::Need(HEADER_MAX);
        }
        let compound = u32_at(bytes, NEXT_COMMAND) != 0;
        let wanted = compound || self.is_wanted(connection, bytes, whole);
        if wanted && whole <= WHOLE_MAX { Framed::Whole(whole) } else { skim(HEADER_MAX, whole) }
    }

    /// The message in a compressed unit: all of it, or only its headers if nothing else is of use.
    pub(super) fn plain(
        &self,
        connection: ConnectionId,
        unit: View<'_>,
        transform: &CompressionTransform,
    ) -> Result<Plain, Stop> {
        let head = decompress(unit, transform, HEADER_MAX - Nbss::SIZE)?;
        if transform.cut {
            return Ok(head);
        }
        let whole = head.whole.saturating_add(Nbss::SIZE);
        // A few octets can be made a megabyte; what a pipe carries is shorter.
        if whole > PDU_MAX + HEADER_MAX {
            return Ok(head);
        }
        let bytes = [&[0; 4], head.message.view().bytes()].concat();
        match self.frame_smb2(connection, &bytes, whole) {
            Framed::Whole(_) => decompress(unit, transform, whole),
            _ => Ok(head),
        }
    }

    /// Whether more than the headers of a single message is of use.
    fn is_wanted(&self, connection: ConnectionId, bytes: &[u8], whole: u32) -> bool {
        let command = Command(array(bytes, COMMAND).map_or(0, u16::from_le_bytes));
        let response = u32_at(bytes, FLAGS) & SERVER_TO_REDIR != 0;
        let file = match (command, response) {
            (Command::READ, true) => {
                let message_id = u64_at(bytes, MESSAGE_ID);
                // Without its request nobody can tell whose data these are.
                return match self.asked(connection, message_id) {
                    Some(Handle::Pipe(_)) => true,
                    Some(Handle::Unknown) => whole <= PDU_MAX + HEADER_MAX,
                    Some(Handle::File) | None => false,
                };
            }
            (Command::WRITE, false) => file_at(bytes, BODY + 16),
            (Command::IOCTL, _) => {
                let ctl_code = u32_at(bytes, BODY + 4);
                if !is_pipe_control(ctl_code) {
                    return !response && asks_referral(ctl_code);
                }
                file_at(bytes, BODY + 8)
            }
            (command, _) => return command.is_parsed(),
        };
        let (session, tree) = (u64_at(bytes, SESSION_ID), u32_at(bytes, TREE_ID));
        let key = self.key_of(connection, session);
        match key.map_or(Handle::Unknown, |key| self.handle(key, Some(tree), file)) {
            Handle::Pipe(_) => true,
            Handle::Unknown => whole <= PDU_MAX + HEADER_MAX,
            Handle::File => false,
        }
    }
}

pub(super) fn skim(keep: u32, whole: u32) -> Framed {
    Framed::Skim { keep: keep.min(whole), whole }
}

pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    array(bytes, at).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    array(bytes, at).map_or(0, u64::from_le_bytes)
}

fn file_at(bytes: &[u8], at: usize) -> FileId {
    FileId::Smb2(Guid::from_bytes_le(array(bytes, at).unwrap_or_default()))
}

/// Bytes by which a header is recognised in the middle of a stream: up to `NextCommand`.
const RECOGNISED: usize = 4 + 24;

/// The first place in `bytes`, sent by `side`, where a unit plausibly starts.
pub fn resync(side: Side, bytes: &[u8]) -> Option<u32> {
    memmem::find_iter(bytes, b"SMB")
        .filter_map(|at| at.checked_sub(5))
        .find(|at| {
            let unit = bytes.get(*at..).unwrap_or_default();
            unit.len() >= RECOGNISED && Seen::at(unit).is_some_and(|seen| seen.may_be(side))
        })
        .map(clamp)
}

/// Whether the unit at the start of `bytes` is a compressed message.
pub(super) fn is_compressed(bytes: &[u8]) -> bool {
    array(bytes, 4) == Some(COMPRESSED)
}

/// Whether a flow that begins with `bytes` (eight are enough, but for what may come before a message)
/// is SMB on TCP.
pub fn plausible_start(bytes: &[u8]) -> bool {
    let bytes = past_session_packets(bytes);
    match (Nbss::peek(bytes), array(bytes, 4)) {
        (Some(nbss), Some(magic)) if nbss.kind == NbssType::SESSION_MESSAGE => {
            nbss.length >= 20 && [SMB2, TRANSFORM, COMPRESSED, SMB1].contains(&magic)
        }
        // RFC 1002 4.3.2 SESSION REQUEST: two encoded names, of 34 bytes if they have no scope.
        (Some(nbss), Some(name)) => {
            nbss.kind == NbssType::SESSION_REQUEST && nbss.length >= 68 && name.first() == Some(&32)
        }
        _ => false,
    }
}

/// Who sent the message at the start of `bytes`; `None` where that cannot be told, as with
/// encrypted messages.
pub fn sender(bytes: &[u8]) -> Option<Side> {
    match Seen::at(past_session_packets(bytes))? {
        Seen::By(side) => Some(side),
        Seen::ByEither => None,
    }
}

/// What comes after packets of the NetBIOS session service that have nothing in them: a positive
/// response, or one that keeps the connection alive.
fn past_session_packets(mut bytes: &[u8]) -> &[u8] {
    while let [0x82 | 0x85, 0, 0, 0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// A message that starts at a place, and who sent it.
enum Seen {
    By(Side),
    /// The header does not say.
    ByEither,
}

impl Seen {
    fn may_be(&self, side: Side) -> bool {
        match self {
            Self::By(by) => *by == side,
            Self::ByEither => true,
        }
    }

    fn at(unit: &[u8]) -> Option<Self> {
        let nbss = Nbss::peek(unit).filter(|n| n.kind == NbssType::SESSION_MESSAGE)?;
        match array::<4>(unit, 4)? {
            SMB2 => {
                let size = array(unit, 8).map(u16::from_le_bytes)?;
                let command = array(unit, COMMAND).map(u16::from_le_bytes)?;
                let flags = array(unit, FLAGS).map(u32::from_le_bytes)?;
                let next = array(unit, NEXT_COMMAND).map(u32::from_le_bytes)?;
                let sane = u32::from(size) == Header::SIZE
                    && Command(command).name().is_some()
                    && flags & !0x3000_007f == 0
                    && nbss.length >= Header::SIZE
                    && next < nbss.length
                    && next % 8 == 0;
                sane.then_some(Self::of(flags & SERVER_TO_REDIR != 0))
            }
            TRANSFORM => (nbss.length > TRANSFORM_SIZE).then_some(Self::ByEither),
            COMPRESSED => (nbss.length > COMPRESSION_SIZE).then_some(Self::ByEither),
            SMB1 => {
                let sane = nbss.length >= v1::Header::SIZE + 3 && v1::seen_sane(unit);
                sane.then(|| Self::of(v1::is_server_request(unit)))
            }
            _ => None,
        }
    }

    fn of(by_server: bool) -> Self {
        Self::By(if by_server { Side::Server } else { Side::Client })
    }
}
