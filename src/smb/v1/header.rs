//! 2.2.3.1 The SMB Header

use std::fmt;

use super::super::Status;
use super::super::header::SMB1;
use super::model::RequestId;
use crate::bytes::{Reader, Sink, Stop};

/// 2.2.2.1 SMB Command Codes
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Command(pub u8);

macro_rules! commands {
    ($($name:ident = $value:literal $text:literal;)+) => {
        impl Command {
            $(#[doc = concat!("`", $text, "`")] pub const $name: Self = Self($value);)+
        }
        const COMMANDS: &[(u64, &str)] = &[$(($value, $text),)+];
    };
}

commands! {
    CREATE_DIRECTORY = 0x00 "SMB_COM_CREATE_DIRECTORY";
    DELETE_DIRECTORY = 0x01 "SMB_COM_DELETE_DIRECTORY";
    OPEN = 0x02 "SMB_COM_OPEN";
    CREATE = 0x03 "SMB_COM_CREATE";
    CLOSE = 0x04 "SMB_COM_CLOSE";
    FLUSH = 0x05 "SMB_COM_FLUSH";
    DELETE = 0x06 "SMB_COM_DELETE";
    RENAME = 0x07 "SMB_COM_RENAME";
    QUERY_INFORMATION = 0x08 "SMB_COM_QUERY_INFORMATION";
    SET_INFORMATION = 0x09 "SMB_COM_SET_INFORMATION";
    READ = 0x0a "SMB_COM_READ";
    WRITE = 0x0b "SMB_COM_WRITE";
    LOCK_BYTE_RANGE = 0x0c "SMB_COM_LOCK_BYTE_RANGE";
    UNLOCK_BYTE_RANGE = 0x0d "SMB_COM_UNLOCK_BYTE_RANGE";
    CREATE_TEMPORARY = 0x0e "SMB_COM_CREATE_TEMPORARY";
    CREATE_NEW = 0x0f "SMB_COM_CREATE_NEW";
    CHECK_DIRECTORY = 0x10 "SMB_COM_CHECK_DIRECTORY";
    PROCESS_EXIT = 0x11 "SMB_COM_PROCESS_EXIT";
    SEEK = 0x12 "SMB_COM_SEEK";
    LOCK_AND_READ = 0x13 "SMB_COM_LOCK_AND_READ";
    WRITE_AND_UNLOCK = 0x14 "SMB_COM_WRITE_AND_UNLOCK";
    READ_RAW = 0x1a "SMB_COM_READ_RAW";
    READ_MPX = 0x1b "SMB_COM_READ_MPX";
    READ_MPX_SECONDARY = 0x1c "SMB_COM_READ_MPX_SECONDARY";
    WRITE_RAW = 0x1d "SMB_COM_WRITE_RAW";
    WRITE_MPX = 0x1e "SMB_COM_WRITE_MPX";
    WRITE_COMPLETE = 0x20 "SMB_COM_WRITE_COMPLETE";
    QUERY_SERVER = 0x21 "SMB_COM_QUERY_SERVER";
    SET_INFORMATION2 = 0x22 "SMB_COM_SET_INFORMATION2";
    QUERY_INFORMATION2 = 0x23 "SMB_COM_QUERY_INFORMATION2";
    LOCKING_ANDX = 0x24 "SMB_COM_LOCKING_ANDX";
    TRANSACTION = 0x25 "SMB_COM_TRANSACTION";
    TRANSACTION_SECONDARY = 0x26 "SMB_COM_TRANSACTION_SECONDARY";
    IOCTL = 0x27 "SMB_COM_IOCTL";
    IOCTL_SECONDARY = 0x28 "SMB_COM_IOCTL_SECONDARY";
    COPY = 0x29 "SMB_COM_COPY";
    MOVE = 0x2a "SMB_COM_MOVE";
    ECHO = 0x2b "SMB_COM_ECHO";
    WRITE_AND_CLOSE = 0x2c "SMB_COM_WRITE_AND_CLOSE";
    OPEN_ANDX = 0x2d "SMB_COM_OPEN_ANDX";
    READ_ANDX = 0x2e "SMB_COM_READ_ANDX";
    WRITE_ANDX = 0x2f "SMB_COM_WRITE_ANDX";
    CLOSE_AND_TREE_DISC = 0x31 "SMB_COM_CLOSE_AND_TREE_DISC";
    TRANSACTION2 = 0x32 "SMB_COM_TRANSACTION2";
    TRANSACTION2_SECONDARY = 0x33 "SMB_COM_TRANSACTION2_SECONDARY";
    FIND_CLOSE2 = 0x34 "SMB_COM_FIND_CLOSE2";
    TREE_CONNECT = 0x70 "SMB_COM_TREE_CONNECT";
    TREE_DISCONNECT = 0x71 "SMB_COM_TREE_DISCONNECT";
    NEGOTIATE = 0x72 "SMB_COM_NEGOTIATE";
    SESSION_SETUP_ANDX = 0x73 "SMB_COM_SESSION_SETUP_ANDX";
    LOGOFF_ANDX = 0x74 "SMB_COM_LOGOFF_ANDX";
    TREE_CONNECT_ANDX = 0x75 "SMB_COM_TREE_CONNECT_ANDX";
    QUERY_INFORMATION_DISK = 0x80 "SMB_COM_QUERY_INFORMATION_DISK";
    SEARCH = 0x81 "SMB_COM_SEARCH";
    FIND = 0x82 "SMB_COM_FIND";
    FIND_UNIQUE = 0x83 "SMB_COM_FIND_UNIQUE";
    FIND_CLOSE = 0x84 "SMB_COM_FIND_CLOSE";
    NT_TRANSACT = 0xa0 "SMB_COM_NT_TRANSACT";
    NT_TRANSACT_SECONDARY = 0xa1 "SMB_COM_NT_TRANSACT_SECONDARY";
    NT_CREATE_ANDX = 0xa2 "SMB_COM_NT_CREATE_ANDX";
    NT_CANCEL = 0xa4 "SMB_COM_NT_CANCEL";
    NT_RENAME = 0xa5 "SMB_COM_NT_RENAME";
    OPEN_PRINT_FILE = 0xc0 "SMB_COM_OPEN_PRINT_FILE";
    WRITE_PRINT_FILE = 0xc1 "SMB_COM_WRITE_PRINT_FILE";
    CLOSE_PRINT_FILE = 0xc2 "SMB_COM_CLOSE_PRINT_FILE";
    GET_PRINT_QUEUE = 0xc3 "SMB_COM_GET_PRINT_QUEUE";
    READ_BULK = 0xd8 "SMB_COM_READ_BULK";
    WRITE_BULK = 0xd9 "SMB_COM_WRITE_BULK";
    WRITE_BULK_DATA = 0xda "SMB_COM_WRITE_BULK_DATA";
    INVALID = 0xfe "SMB_COM_INVALID";
    NO_ANDX_COMMAND = 0xff "SMB_COM_NO_ANDX_COMMAND";
}

impl Command {
    /// Its name in the specification.
    pub fn name(self) -> Option<&'static str> {
        COMMANDS.iter().find(|(value, _)| *value == u64::from(self.0)).map(|(_, name)| *name)
    }

    /// The values a field of this type can have.
    pub(super) const NAMES: &[(u64, &str)] = COMMANDS;

    /// 2.2.3.4 Batched Messages (`AndX`): whether another command may follow it.
    pub(super) fn is_andx(self) -> bool {
        matches!(
            self,
            Self::LOCKING_ANDX
                | Self::OPEN_ANDX
                | Self::READ_ANDX
                | Self::WRITE_ANDX
                | Self::SESSION_SETUP_ANDX
                | Self::LOGOFF_ANDX
                | Self::TREE_CONNECT_ANDX
                | Self::NT_CREATE_ANDX
        )
    }

    /// Whether its requests and responses are read field by field.
    pub(super) fn is_parsed(self) -> bool {
        matches!(
            self,
            Self::OPEN
                | Self::CLOSE
                | Self::READ
                | Self::WRITE
                | Self::TRANSACTION
                | Self::TRANSACTION_SECONDARY
                | Self::WRITE_AND_CLOSE
                | Self::OPEN_ANDX
                | Self::READ_ANDX
                | Self::WRITE_ANDX
                | Self::TREE_CONNECT
                | Self::TREE_DISCONNECT
                | Self::NEGOTIATE
                | Self::SESSION_SETUP_ANDX
                | Self::LOGOFF_ANDX
                | Self::TREE_CONNECT_ANDX
                | Self::NT_CREATE_ANDX
        )
    }
}

/// 2.2.1.6.1 FID: names an open file or pipe within a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fid(pub u16);

impl Fid {
    pub(super) fn read<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Self, Stop> {
        r.u16(hex!("FID")).map(Self)
    }
}

impl fmt::Display for Fid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04x}", self.0)
    }
}

const REPLY: u8 = 0x80;
/// `MID` of the request to break an oplock.
pub(super) const BREAK_MID: u16 = 0xffff;
const FLAGS: &[(u64, &str)] = &[
    (0x01, "SMB_FLAGS_LOCK_AND_READ_OK"),
    (0x02, "SMB_FLAGS_BUF_AVAIL"),
    (0x08, "SMB_FLAGS_CASE_INSENSITIVE"),
    (0x10, "SMB_FLAGS_CANONICALIZED_PATHS"),
    (0x20, "SMB_FLAGS_OPLOCK"),
    (0x40, "SMB_FLAGS_OPBATCH"),
    (0x80, "SMB_FLAGS_REPLY"),
];

const SECURITY_SIGNATURE: u16 = 0x0004;
const NT_STATUS: u16 = 0x4000;
const UNICODE: u16 = 0x8000;
const FLAGS2: &[(u64, &str)] = &[
    (0x0001, "SMB_FLAGS2_LONG_NAMES"),
    (0x0002, "SMB_FLAGS2_EAS"),
    (0x0004, "SMB_FLAGS2_SMB_SECURITY_SIGNATURE"),
    (0x0008, "SMB_FLAGS2_COMPRESSED"),
    (0x0010, "SMB_FLAGS2_SMB_SECURITY_SIGNATURE_REQUIRED"),
    (0x0040, "SMB_FLAGS2_IS_LONG_NAME"),
    (0x0400, "SMB_FLAGS2_REPARSE_PATH"),
    (0x0800, "SMB_FLAGS2_EXTENDED_SECURITY"),
    (0x1000, "SMB_FLAGS2_DFS"),
    (0x2000, "SMB_FLAGS2_PAGING_IO"),
    (0x4000, "SMB_FLAGS2_NT_STATUS"),
    (0x8000, "SMB_FLAGS2_UNICODE"),
];

/// 2.2.3.1 The SMB Header
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// `Command` of the first block.
    pub command: Command,
    /// `Status`; an error of DOS is given as [`Status`] describes.
    pub status: Status,
    /// `Flags`.
    pub flags: u8,
    /// `Flags2`.
    pub flags2: u16,
    /// `SecurityFeatures`: the signature, where messages are signed.
    pub security_features: [u8; 8],
    /// `TID`.
    pub tid: u16,
    /// `PIDHigh` and `PIDLow`.
    pub pid: u32,
    /// `UID`.
    pub uid: u16,
    /// `MID`.
    pub mid: u16,
}

impl Header {
    /// Bytes of the header.
    pub const SIZE: u32 = 32;

    /// Whether a server sent it.
    pub fn is_response(&self) -> bool {
        self.flags & REPLY != 0
    }

    /// Whether a server asks with it to break an oplock (3.3.4.2): a request that goes the other way.
    pub(in super::super) fn breaks_oplock(&self) -> bool {
        !self.is_response() && self.command == Command::LOCKING_ANDX && self.mid == BREAK_MID
    }

    /// Whether it is signed: Windows sets the flag wherever it could be, and then signs or leaves
    /// the signature empty.
    pub fn is_signed(&self) -> bool {
        self.flags2 & SECURITY_SIGNATURE != 0 && self.security_features != [0; 8]
    }

    /// Whether text is UTF-16, not of an OEM code page.
    pub fn is_unicode(&self) -> bool {
        self.flags2 & UNICODE != 0
    }

    /// What tells the request from others that have no answer yet (3.2.4.1.2, "MID generation").
    pub(in super::super) fn id(&self) -> RequestId {
        RequestId { pid: self.pid, mid: self.mid }
    }

    pub(super) fn read<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Self, Stop> {
        const FLAGS2_AT: u32 = 10;
        let base = r.pos();
        // What an error is depends on it.
        r.seek(base.saturating_add(FLAGS2_AT).min(r.end()), "Flags2")?;
        let flags2 = r.raw_u16()?;
        r.seek(base, "Protocol")?;
        r.group("SMB header", |r| Self::fields(r, flags2))
    }

    fn fields<S: Sink>(r: &mut Reader<'_, '_, S>, flags2: u16) -> Result<Self, Stop> {
        let base = r.pos();
        if r.bytes(dec!("Protocol"), 4)? != SMB1 {
            return Err(Stop::malformed(base, "Protocol is not 0xFF 'SMB'"));
        }
        let command = Command(r.u8(named!("Command", COMMANDS))?);
        let status = if flags2 & NT_STATUS == 0 { Status::dos(r)? } else { Status::read(r)? };
        let flags = r.u8(flags!("Flags", FLAGS))?;
        r.u16(flags!("Flags2", FLAGS2))?;
        let pid_high = r.u16(dec!("PIDHigh"))?;
        let at = r.pos();
        let security_features = r.bytes(dec!("SecurityFeatures"), 8)?;
        let security_features =
            security_features.try_into().map_err(|_| Stop::malformed(at, "internal length"))?;
        r.u16(dec!("Reserved"))?;
        let tid = r.u16(hex!("TID"))?;
        let pid_low = r.u16(dec!("PIDLow"))?;
        let uid = r.u16(hex!("UID"))?;
        let mid = r.u16(dec!("MID"))?;
        let pid = u32::from(pid_high) << 16 | u32::from(pid_low);
        Ok(Self { command, status, flags, flags2, security_features, tid, pid, uid, mid })
    }
}
