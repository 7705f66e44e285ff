//! SMB 2 and 3 messages: \[MS-SMB2\] 2.2.

use super::octets::{Octets, noise, utf16};
use crate::bytes::{Guid, Time};
use crate::smb::Status;

/// A dialect by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Dialect(pub(crate) u16);

impl Dialect {
    pub(crate) const V2_0_2: Self = Self(0x0202);
    pub(crate) const V2_1: Self = Self(0x0210);
    pub(crate) const V3_0: Self = Self(0x0300);
    pub(crate) const V3_0_2: Self = Self(0x0302);
    pub(crate) const V3_1_1: Self = Self(0x0311);
    pub(crate) const ALL: [Self; 5] =
        [Self::V2_0_2, Self::V2_1, Self::V3_0, Self::V3_0_2, Self::V3_1_1];
}

/// Commands (\[MS-SMB2\] 2.2.1.2).
pub(crate) mod command {
    pub(crate) const NEGOTIATE: u16 = 0;
    pub(crate) const SESSION_SETUP: u16 = 1;
    pub(crate) const LOGOFF: u16 = 2;
    pub(crate) const TREE_CONNECT: u16 = 3;
    pub(crate) const TREE_DISCONNECT: u16 = 4;
    pub(crate) const CREATE: u16 = 5;
    pub(crate) const CLOSE: u16 = 6;
    pub(crate) const READ: u16 = 8;
    pub(crate) const WRITE: u16 = 9;
    pub(crate) const IOCTL: u16 = 11;
}

/// What an open file or pipe is called: persistent and volatile part.
pub(crate) type FileId = [u8; 16];

/// \[MS-SMB2\] 2.2.1, as far as it varies here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) command: u16,
    pub(crate) message_id: u64,
    pub(crate) session_id: u64,
    pub(crate) tree_id: u32,
    /// Credits the client asks for or the server grants.
    pub(crate) credits: u16,
    pub(crate) signed: bool,
    pub(crate) dialect: Dialect,
}

impl Header {
    /// A request in its NetBIOS session message.
    pub(crate) fn request(self, body: &[u8]) -> Vec<u8> {
        self.message(0, 0, None, body)
    }

    /// The answer to it; with an `AsyncId` once it was said to be pending.
    pub(crate) fn response(self, status: Status, async_id: Option<u64>, body: &[u8]) -> Vec<u8> {
        self.message(1, status.0, async_id, body)
    }

    fn message(self, flags: u32, status: u32, async_id: Option<u64>, body: &[u8]) -> Vec<u8> {
        let signed = if self.signed { 8 } else { 0 };
        let is_async = if async_id.is_some() { 2 } else { 0 };
        let charge = u16::from(self.dialect > Dialect::V2_0_2 && self.command != 0);
        let octets = Octets::new()
            .bytes(b"\xfeSMB")
            .u16(64)
            .u16(charge)
            .u32(status)
            .u16(self.command)
            .u16(self.credits)
            .u32(flags | signed | is_async)
            .u32(0)
            .u64(self.message_id);
        let octets = match async_id {
            Some(id) => octets.u64(id),
            None => octets.u32(0xfeff).u32(self.tree_id),
        };
        let octets = octets.u64(self.session_id);
        let octets = if self.signed {
            let seed = self.session_id ^ self.message_id.rotate_left(48) ^ u64::from(flags);
            octets.bytes(&noise(seed, 16))
        } else {
            octets.zeros(16)
        };
        let message = octets.bytes(body).done();
        let len = crate::bytes::clamp(message.len());
        [&len.to_be_bytes()[..], &message].concat()
    }
}

/// \[MS-SMB2\] 2.2.2 ERROR Response
pub(crate) fn error() -> Vec<u8> {
    Octets::new().u16(9).zeros(7).done()
}

/// Capabilities: DFS, LEASING, `LARGE_MTU`, `MULTI_CHANNEL`, `PERSISTENT_HANDLES`,
/// `DIRECTORY_LEASING`, ENCRYPTION.
fn capabilities(dialect: Dialect) -> u32 {
    match dialect {
        Dialect::V2_0_2 => 0x01,
        Dialect::V2_1 => 0x07,
        _ => 0x7f,
    }
}

/// \[MS-SMB2\] 2.2.3
pub(crate) fn negotiate(newest: Dialect, client: Guid, server: &str) -> Vec<u8> {
    let dialects: Vec<_> = Dialect::ALL.into_iter().filter(|d| *d <= newest).collect();
    let v311 = newest == Dialect::V3_1_1;
    let octets = Octets::new()
        .u16(36)
        .len16(dialects.len())
        .u16(1)
        .u16(0)
        .u32(if newest >= Dialect::V3_0 { capabilities(newest) } else { 0 })
        .guid(if newest > Dialect::V2_0_2 { client } else { Guid::nil() });
    let end = dialects.len().saturating_mul(2).saturating_add(100);
    let octets =
        if v311 { octets.len32(end.next_multiple_of(8)).u16(4).u16(0) } else { octets.zeros(8) };
    let octets = dialects.iter().fold(octets, |octets, dialect| octets.u16(dialect.0));
    if !v311 {
        return octets.done();
    }
    let seed = u64::from_le_bytes(octets.len().to_le_bytes());
    let octets = octets.zeros(end.next_multiple_of(8).saturating_sub(end));
    let octets = preauth_integrity(octets, seed);
    // AES-128-GCM, AES-128-CCM, AES-256-GCM, AES-256-CCM
    let ciphers = Octets::new().u16(4).u16(2).u16(1).u16(4).u16(3).done();
    let octets = context(octets, 2, &ciphers);
    // SIGNING: AES-GMAC, AES-CMAC, HMAC-SHA256
    let signing = Octets::new().u16(3).u16(2).u16(1).u16(0).done();
    let octets = context(octets, 8, &signing);
    let name = utf16(server);
    octets.u16(5).len16(name.len()).u32(0).bytes(&name).done()
}

/// \[MS-SMB2\] 2.2.3.1: a context and its padding.
fn context(octets: Octets, kind: u16, data: &[u8]) -> Octets {
    let octets = octets.u16(kind).len16(data.len()).u32(0).bytes(data);
    let over = data.len().next_multiple_of(8).saturating_sub(data.len());
    octets.zeros(over)
}

/// SHA-512 and a salt.
fn preauth_integrity(octets: Octets, seed: u64) -> Octets {
    let data = Octets::new().u16(1).u16(32).u16(1).bytes(&noise(seed, 32)).done();
    context(octets, 1, &data)
}

/// What a server says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    pub(crate) guid: Guid,
    pub(crate) now: Time,
    pub(crate) started: Time,
}

/// \[MS-SMB2\] 2.2.4
pub(crate) fn negotiated(dialect: Dialect, server: Server, token: &[u8]) -> Vec<u8> {
    let v311 = dialect == Dialect::V3_1_1;
    let most: u32 = if dialect == Dialect::V2_0_2 { 1 << 16 } else { 1 << 23 };
    let end = token.len().saturating_add(128);
    let octets = Octets::new()
        .u16(65)
        .u16(1)
        .u16(dialect.0)
        .u16(if v311 { 3 } else { 0 })
        .guid(server.guid)
        // ENCRYPTION is negotiated in a context of its own in 3.1.1.
        .u32(if v311 { 0x2f } else { capabilities(dialect) })
        .u32(most)
        .u32(most)
        .u32(most)
        .filetime(server.now)
        .filetime(server.started)
        .u16(128)
        .len16(token.len())
        .len32(if v311 { end.next_multiple_of(8) } else { 0 })
        .bytes(token);
    if !v311 {
        return octets.done();
    }
    let seed = server.guid.as_u64_pair().0;
    let octets = octets.zeros(end.next_multiple_of(8).saturating_sub(end));
    let octets = preauth_integrity(octets, seed);
    let octets = context(octets, 2, &Octets::new().u16(1).u16(2).done());
    octets.u16(8).u16(4).u32(0).u16(1).u16(2).done()
}

/// \[MS-SMB2\] 2.2.5; `binding` says that a session gets one more channel.
pub(crate) fn session_setup(binding: bool, token: &[u8]) -> Vec<u8> {
    Octets::new()
        .u16(25)
        .u8(u8::from(binding))
        .u8(1)
        .u32(1)
        .u32(0)
        .u16(88)
        .len16(token.len())
        .u64(0)
        .bytes(token)
        .done()
}

/// \[MS-SMB2\] 2.2.6, with `SessionFlags`.
pub(crate) fn session_set_up(flags: u16, token: &[u8]) -> Vec<u8> {
    Octets::new().u16(9).u16(flags).u16(72).len16(token.len()).bytes(token).done()
}

/// `SMB2_SESSION_FLAG_IS_GUEST`
pub(crate) const IS_GUEST: u16 = 1;
/// `SMB2_SESSION_FLAG_IS_NULL`
pub(crate) const IS_NULL: u16 = 2;

/// \[MS-SMB2\] 2.2.9
pub(crate) fn tree_connect(path: &str) -> Vec<u8> {
    let path = utf16(path);
    Octets::new().u16(9).u16(0).u16(72).len16(path.len()).bytes(&path).done()
}

/// \[MS-SMB2\] 2.2.10
pub(crate) fn tree_connected(pipe: bool) -> Vec<u8> {
    let (kind, flags) = if pipe { (2, 0x30) } else { (1, 0x800) };
    Octets::new().u16(16).u8(kind).u8(0).u32(flags).u32(0).u32(0x001f_01ff).done()
}

/// LOGOFF and `TREE_DISCONNECT`, both ways.
pub(crate) fn empty() -> Vec<u8> {
    Octets::new().u16(4).u16(0).done()
}

/// \[MS-SMB2\] 2.2.13, for reading and writing, without contexts.
pub(crate) fn create(name: &str) -> Vec<u8> {
    let name = utf16(name);
    let octets = Octets::new()
        .u16(57)
        .u16(0)
        .u32(2)
        .zeros(16)
        .u32(0x0012_019f)
        .u32(0)
        .u32(7)
        .u32(1)
        .u32(0x0040_0040)
        .u16(120)
        .len16(name.len())
        .u32(0)
        .u32(0)
        .bytes(&name);
    // One octet of buffer at least.
    if name.is_empty() { octets.zeros(1).done() } else { octets.done() }
}

/// \[MS-SMB2\] 2.2.14
pub(crate) fn created(file: FileId, size: u64) -> Vec<u8> {
    Octets::new()
        .u16(89)
        .u16(0)
        .u32(1)
        .zeros(32)
        .u64(size.next_multiple_of(4096))
        .u64(size)
        .u32(0x80)
        .u32(0)
        .bytes(&file)
        .zeros(8)
        .done()
}

/// \[MS-SMB2\] 2.2.15
pub(crate) fn close(file: FileId) -> Vec<u8> {
    Octets::new().u16(24).u16(0).u32(0).bytes(&file).done()
}

/// \[MS-SMB2\] 2.2.16
pub(crate) fn closed() -> Vec<u8> {
    Octets::new().u16(60).zeros(58).done()
}

/// \[MS-SMB2\] 2.2.19
pub(crate) fn read(file: FileId, length: u32) -> Vec<u8> {
    let octets = Octets::new().u16(49).u8(0x50).u8(0).u32(length).u64(0);
    octets.bytes(&file).zeros(16).u8(0).done()
}

/// \[MS-SMB2\] 2.2.20
pub(crate) fn read_answer(data: &[u8]) -> Vec<u8> {
    Octets::new().u16(17).u16(0x50).len32(data.len()).u64(0).bytes(data).done()
}

/// \[MS-SMB2\] 2.2.21
pub(crate) fn write(file: FileId, data: &[u8]) -> Vec<u8> {
    let octets = Octets::new().u16(49).u16(0x70).len32(data.len()).u64(0);
    octets.bytes(&file).zeros(16).bytes(data).done()
}

/// \[MS-SMB2\] 2.2.22
pub(crate) fn written(count: usize) -> Vec<u8> {
    Octets::new().u16(17).u16(0).len32(count).u64(0).done()
}

const PIPE_TRANSCEIVE: u32 = 0x0011_c017;
const DFS_GET_REFERRALS: u32 = 0x0006_0194;
/// What stands where an IOCTL is about no file.
const NO_FILE: FileId = [0xff; 16];

/// `FSCTL_PIPE_TRANSCEIVE`, with data to write; the answer has `most` octets at most.
pub(crate) fn transceive(file: FileId, input: &[u8], most: u32) -> Vec<u8> {
    ioctl(PIPE_TRANSCEIVE, file, input, most)
}

/// Its answer.
pub(crate) fn transceived(file: FileId, output: &[u8]) -> Vec<u8> {
    ioctl_answer(PIPE_TRANSCEIVE, file, output)
}

/// `FSCTL_DFS_GET_REFERRALS`: \[MS-DFSC\] 2.2.2 `REQ_GET_DFS_REFERRAL`, as of no file.
pub(crate) fn referral(path: &str) -> Vec<u8> {
    const VERSION: u16 = 4;
    let request = Octets::new().u16(VERSION).bytes(&utf16(path)).u16(0).done();
    ioctl(DFS_GET_REFERRALS, NO_FILE, &request, 4096)
}

/// Its answer: \[MS-DFSC\] 2.2.4 `RESP_GET_DFS_REFERRAL`, that `path` leads to `target`.
pub(crate) fn referred(path: &str, target: &str) -> Vec<u8> {
    /// Octets of an entry of version 4 without its texts.
    const ENTRY: u16 = 34;
    let text = |text: &str| [utf16(text), vec![0, 0]].concat();
    let (path, target) = (text(path), text(target));
    let header = Octets::new().len16(path.len().saturating_sub(2)).u16(1).u32(2);
    // A storage server, the first of its set, good for 300 seconds; then where the texts are.
    let entry = header.u16(4).u16(ENTRY).u16(0).u16(4).u32(300).u16(ENTRY).u16(ENTRY);
    let answer = entry
        .len16(path.len().saturating_add(ENTRY.into()))
        .zeros(16)
        .bytes(&path)
        .bytes(&target)
        .done();
    ioctl_answer(DFS_GET_REFERRALS, NO_FILE, &answer)
}

/// \[MS-SMB2\] 2.2.31
fn ioctl(code: u32, file: FileId, input: &[u8], most: u32) -> Vec<u8> {
    Octets::new()
        .u16(57)
        .u16(0)
        .u32(code)
        .bytes(&file)
        .u32(120)
        .len32(input.len())
        .u32(0)
        .u32(120)
        .u32(0)
        .u32(most)
        .u32(1)
        .u32(0)
        .bytes(input)
        .done()
}

/// \[MS-SMB2\] 2.2.32
fn ioctl_answer(code: u32, file: FileId, output: &[u8]) -> Vec<u8> {
    Octets::new()
        .u16(49)
        .u16(0)
        .u32(code)
        .bytes(&file)
        .u32(112)
        .u32(0)
        .u32(112)
        .len32(output.len())
        .u64(0)
        .bytes(output)
        .done()
}
