//! 2.2.1 SMB2 Packet Header

use std::fmt;

use super::Status;
use super::v1::Fid;
use crate::bytes::{Guid, Reader, Sink, Stop};

/// 2.2.1 Command
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Command(pub u16);

macro_rules! commands {
    ($($name:ident = $value:literal;)+) => {
        impl Command {
            $(#[doc = concat!("`", stringify!($name), "`")] pub const $name: Self = Self($value);)+
        }
        const COMMANDS: &[(u64, &str)] = &[$(($value, stringify!($name)),)+];
    };
}

commands! {
    NEGOTIATE = 0;
    SESSION_SETUP = 1;
    LOGOFF = 2;
    TREE_CONNECT = 3;
    TREE_DISCONNECT = 4;
    CREATE = 5;
    CLOSE = 6;
    FLUSH = 7;
    READ = 8;
    WRITE = 9;
    LOCK = 10;
    IOCTL = 11;
    CANCEL = 12;
    ECHO = 13;
    QUERY_DIRECTORY = 14;
    CHANGE_NOTIFY = 15;
    QUERY_INFO = 16;
    SET_INFO = 17;
    OPLOCK_BREAK = 18;
    SERVER_TO_CLIENT_NOTIFICATION = 19;
}

impl Command {
    /// Its name in the specification, without the prefix `SMB2`.
    pub fn name(self) -> Option<&'static str> {
        COMMANDS.iter().find(|(value, _)| *value == u64::from(self.0)).map(|(_, name)| *name)
    }

    /// Whether its requests and responses are read field by field.
    pub(super) fn is_parsed(self) -> bool {
        matches!(
            self,
            Self::NEGOTIATE
                | Self::SESSION_SETUP
                | Self::LOGOFF
                | Self::TREE_CONNECT
                | Self::TREE_DISCONNECT
                | Self::CREATE
                | Self::CLOSE
                | Self::READ
                | Self::WRITE
                | Self::IOCTL
        )
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "command {}", self.0),
        }
    }
}

/// What names an open file or pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileId {
    /// 2.2.14.1 `SMB2_FILEID`: `Persistent` and `Volatile`, written as the GUID they look like.
    Smb2(Guid),
    /// `FID` of SMB1.
    Smb1(Fid),
}

impl FileId {
    /// In a related request: the file of the request before it (3.3.5.2.7.2).
    pub const PREVIOUS: Self = Self::Smb2(Guid::max());

    pub(super) fn read<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Self, Stop> {
        r.guid(dec!("FileId")).map(Self::Smb2)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smb2(guid) => guid.fmt(f),
            Self::Smb1(fid) => fid.fmt(f),
        }
    }
}

/// The magic numbers a message can begin with.
pub(super) const SMB2: [u8; 4] = *b"\xfeSMB";
pub(super) const TRANSFORM: [u8; 4] = *b"\xfdSMB";
pub(super) const COMPRESSED: [u8; 4] = *b"\xfcSMB";
pub(super) const SMB1: [u8; 4] = *b"\xffSMB";

pub(super) const SERVER_TO_REDIR: u32 = 0x0000_0001;
const ASYNC_COMMAND: u32 = 0x0000_0002;
const RELATED_OPERATIONS: u32 = 0x0000_0004;
const SIGNED: u32 = 0x0000_0008;

const FLAGS: &[(u64, &str)] = &[
    (0x0000_0001, "SMB2_FLAGS_SERVER_TO_REDIR"),
    (0x0000_0002, "SMB2_FLAGS_ASYNC_COMMAND"),
    (0x0000_0004, "SMB2_FLAGS_RELATED_OPERATIONS"),
    (0x0000_0008, "SMB2_FLAGS_SIGNED"),
    (0x1000_0000, "SMB2_FLAGS_DFS_OPERATIONS"),
    (0x2000_0000, "SMB2_FLAGS_REPLAY_OPERATION"),
];

/// 2.2.1 SMB2 Packet Header, in its ASYNC (2.2.1.1) or SYNC (2.2.1.2) form
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// `CreditCharge`.
    pub credit_charge: u16,
    /// `Status`; zero in a request, where the bytes are `ChannelSequence`.
    pub status: Status,
    /// `Command`.
    pub command: Command,
    /// `CreditRequest` or `CreditResponse`.
    pub credits: u16,
    /// `Flags`.
    pub flags: u32,
    /// `NextCommand`: where the next message of the chain starts; 0 in the last.
    pub next_command: u32,
    /// `MessageId`.
    pub message_id: u64,
    /// `AsyncId` in the ASYNC form.
    pub async_id: Option<u64>,
    /// `TreeId` in the SYNC form.
    pub tree_id: Option<u32>,
    /// `SessionId`.
    pub session_id: u64,
    /// `Signature`.
    pub signature: [u8; 16],
}

impl Header {
    /// Bytes of the header.
    pub const SIZE: u32 = 64;

    /// Whether a server sent it.
    pub fn is_response(&self) -> bool {
        self.flags & SERVER_TO_REDIR != 0
    }

    /// Whether it belongs to the request before it in its chain.
    pub fn is_related(&self) -> bool {
        self.flags & RELATED_OPERATIONS != 0
    }

    /// Whether `signature` counts.
    pub fn is_signed(&self) -> bool {
        self.flags & SIGNED != 0
    }

    pub(super) fn read<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Self, Stop> {
        let base = r.pos();
        // What the fields before `Flags` are depends on them.
        r.seek(base.saturating_add(16).min(r.end()), "Flags")?;
        let flags = r.raw_u32()?;
        r.seek(base, "ProtocolId")?;
        r.group("SMB2 header", |r| Self::fields(r, flags))
    }

    fn fields<S: Sink>(r: &mut Reader<'_, '_, S>, flags: u32) -> Result<Self, Stop> {
        let base = r.pos();
        if r.bytes(dec!("ProtocolId"), 4)? != SMB2 {
            return Err(Stop::malformed(base, "ProtocolId is not 0xFE 'SMB'"));
        }
        let size = r.u16(dec!("StructureSize"))?;
        if u32::from(size) != Self::SIZE {
            return Err(Stop::malformed(
                base + 4,
                format!("StructureSize {size} of the header is not 64"),
            ));
        }
        let credit_charge = r.u16(dec!("CreditCharge"))?;
        let mut status = Status::SUCCESS;
        if flags & SERVER_TO_REDIR == 0 {
            r.u16(dec!("ChannelSequence"))?;
            r.u16(dec!("Reserved"))?;
        } else {
            status = Status::read(r)?;
        }
        let command = Command(r.u16(named!("Command", COMMANDS))?);
        let credits = if flags & SERVER_TO_REDIR == 0 {
            r.u16(dec!("CreditRequest"))?
        } else {
            r.u16(dec!("CreditResponse"))?
        };
        r.u32(flags!("Flags", FLAGS))?;
        let next_command = r.u32(dec!("NextCommand"))?;
        let message_id = r.u64(dec!("MessageId"))?;
        let (mut async_id, mut tree_id) = (None, None);
        if flags & ASYNC_COMMAND == 0 {
            r.u32(hex!("Reserved"))?;
            tree_id = Some(r.u32(hex!("TreeId"))?);
        } else {
            async_id = Some(r.u64(dec!("AsyncId"))?);
        }
        let session_id = r.u64(hex!("SessionId"))?;
        let at = r.pos();
        let signature = r.bytes(dec!("Signature"), 16)?;
        let signature = signature.try_into().map_err(|_| Stop::malformed(at, "internal length"))?;
        Ok(Self {
            credit_charge,
            status,
            command,
            credits,
            flags,
            next_command,
            message_id,
            async_id,
            tree_id,
            session_id,
            signature,
        })
    }
}
