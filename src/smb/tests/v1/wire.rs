//! Messages of SMB1 made by hand, field by field, and a client that sends them.

use crate::bytes::{Framed, View};
use crate::security::ntlm::samples;
use crate::smb::tests::lab::Lab;
use crate::smb::tests::wire::nbss;
use crate::smb::{ConnectionId, Event, PipeId, Smb};

pub(super) const UID: u16 = 0x0800;
pub(super) const IPC: u16 = 0x0805;
pub(super) const DISK: u16 = 0x0809;

pub(super) const NT_STATUS: u16 = 0x4000;
pub(super) const UNICODE: u16 = 0x8000;
pub(super) const SIGNED: u16 = 0x0004;

/// A command: the words behind those of `AndX`, and the bytes. Both depend on where it begins,
/// counted from the header.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) command: u8,
    /// `WordCount`, if it is not what it should be.
    pub(super) count: Option<u8>,
    pub(super) words: Vec<u8>,
    pub(super) bytes: Bytes,
}

#[derive(Clone, Debug)]
pub(super) enum Bytes {
    Are(Vec<u8>),
    /// Text behind a pad octet if it needs one, after these bytes, then those.
    Text(Vec<u8>, Vec<u8>, Vec<u8>),
    /// Data, with the place in the words where their offset stands.
    At(usize, Vec<u8>),
    /// A name, and data with the place of their offset.
    Named(Vec<u8>, usize, Vec<u8>),
}

pub(super) fn part(command: u8, words: &[&[u8]], bytes: &[u8]) -> Part {
    let bytes = Bytes::Are(bytes.to_vec());
    Part { command, count: None, words: words.concat(), bytes }
}

impl Part {
    fn is_andx(&self) -> bool {
        matches!(self.command, 0x24 | 0x2d..=0x2f | 0x73..=0x75 | 0xa2)
    }

    /// As it stands `at` octets from the header, with the next command there behind it.
    fn lay(&self, at: usize, next: Option<u8>) -> Vec<u8> {
        let empty = self.words.is_empty() && self.count.is_none();
        let andx = if self.is_andx() && !empty { 4 } else { 0 };
        let mut words = self.words.clone();
        let start = at + 1 + andx + words.len() + 2;
        let aligned = |from: usize| vec![0; (start + from) % 2];
        let bytes = match &self.bytes {
            Bytes::Are(bytes) => bytes.clone(),
            Bytes::Text(before, text, after) => {
                [&before[..], &aligned(before.len()), text, after].concat()
            }
            Bytes::At(place, data) => {
                words[*place..place + 2].copy_from_slice(&len16(start + 1));
                [&[0xee][..], data].concat()
            }
            Bytes::Named(name, place, data) => {
                let before = [&aligned(0)[..], name].concat();
                words[*place..place + 2].copy_from_slice(&len16(start + before.len()));
                [&before[..], data].concat()
            }
        };
        let count = self.count.unwrap_or(u8::try_from(andx / 2 + words.len() / 2).unwrap());
        let end = start + bytes.len();
        let mut out = vec![count];
        if andx > 0 {
            let offset = if next.is_some() { end } else { 0xdede };
            out.extend([next.unwrap_or(0xff), 0]);
            out.extend(len16(offset));
        }
        out.extend(words);
        out.extend(len16(bytes.len()));
        out.extend(bytes);
        out
    }
}

/// A message: its header as far as tests vary it, and its commands.
#[derive(Clone, Debug)]
pub(super) struct Msg {
    pub(super) status: [u8; 4],
    pub(super) reply: bool,
    pub(super) flags2: u16,
    pub(super) tid: u16,
    pub(super) pid: u32,
    pub(super) uid: u16,
    pub(super) mid: u16,
    pub(super) parts: Vec<Part>,
}

impl Msg {
    pub(super) fn ask(mid: u16, tid: u16, parts: Vec<Part>) -> Self {
        let flags2 = NT_STATUS | UNICODE;
        Self { status: [0; 4], reply: false, flags2, tid, pid: 0x1_fffe, uid: UID, mid, parts }
    }

    pub(super) fn answer(&self, parts: Vec<Part>) -> Self {
        Self { reply: true, parts, ..self.clone() }
    }

    pub(super) fn refuse(&self, status: u32) -> Self {
        let last = self.parts.last().unwrap().command;
        let parts = vec![part(last, &[], b"")];
        Self { status: status.to_le_bytes(), ..self.answer(parts) }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn unit(&self) -> Vec<u8> {
        let [low, high] = [self.pid & 0xffff, self.pid >> 16].map(|n| u16::try_from(n).unwrap());
        let signature = if self.flags2 & SIGNED == 0 { [0; 8] } else { [0x5a; 8] };
        let mut out = [
            &b"\xffSMB"[..],                     // Protocol
            &[self.parts[0].command],            // Command
            &self.status,                        // Status
            &[0x18 | u8::from(self.reply) << 7], // Flags
            &self.flags2.to_le_bytes(),          // Flags2
            &high.to_le_bytes(),                 // PIDHigh
            &signature,                          // SecurityFeatures
            &[0; 2],                             // Reserved
            &self.tid.to_le_bytes(),             // TID
            &low.to_le_bytes(),                  // PIDLow
            &self.uid.to_le_bytes(),             // UID
            &self.mid.to_le_bytes(),             // MID
        ]
        .concat();
        for (n, part) in self.parts.iter().enumerate() {
            let next = self.parts.get(n + 1).map(|part| part.command);
            out.extend(part.lay(out.len(), next));
        }
        nbss(&out)
    }
}

pub(super) fn len16(n: usize) -> [u8; 2] {
    u16::try_from(n).unwrap().to_le_bytes()
}

fn text(text: &str) -> Vec<u8> {
    [samples::utf16(text), vec![0, 0]].concat()
}

pub(super) fn negotiate() -> Part {
    part(0x72, &[], b"\x02PC NETWORK PROGRAM 1.0\0\x02NT LM 0.12\0")
}

fn negotiated_words(capabilities: u32, challenge: u8) -> Vec<u8> {
    [
        &b"\x01\x00"[..],            // DialectIndex
        b"\x03",                     // SecurityMode
        b"\x32\x00\x01\x00",         // MaxMpxCount, MaxNumberVcs
        b"\x04\x41\x00\x00",         // MaxBufferSize
        b"\x00\x00\x01\x00",         // MaxRawSize
        b"\xe7\x6f\x00\x00",         // SessionKey
        &capabilities.to_le_bytes(), // Capabilities
        &[0x11; 8],                  // SystemTime
        b"\x00\x00",                 // ServerTimeZone
        &[challenge],                // ChallengeLength
    ]
    .concat()
}

/// With a challenge and names.
pub(super) fn negotiated() -> Part {
    let names = [&[0x77; 8][..], &text("FSLAB"), &text("FSS1")].concat();
    part(0x72, &[&negotiated_words(0xf3fd, 8)], &names)
}

/// With extended security.
pub(super) fn negotiated_extended() -> Part {
    part(
        0x72,
        &[&negotiated_words(0x8000_f3fd, 0)],
        &[&[0xee; 16][..], b"\x60\x02\x06\x00"].concat(),
    )
}

/// Of the dialects before NT LM 0.12.
pub(super) fn negotiated_lanman() -> Part {
    part(0x72, &[b"\x01\x00\x03\x00\x04\x41\x32\x00\x01\x00\x03\x00", &[0; 14]], b"12345678")
}

pub(super) fn session_setup(token: &[u8]) -> Part {
    let words = [
        &b"\x04\x41\x32\x00\x01\x00"[..], // MaxBufferSize, MaxMpxCount, VcNumber
        &[0; 4],                          // SessionKey
        &len16(token.len()),              // SecurityBlobLength
        &[0; 4],                          // Reserved
        b"\xd4\x00\x00\x80",              // Capabilities
    ];
    let names = [text("Windows"), text("5.1")].concat();
    Part { bytes: Bytes::Text(token.to_vec(), names, vec![]), ..part(0x73, &words, b"") }
}

/// A logon by name, with passwords of 24 octets.
pub(super) fn session_setup_by_name(account: &str, domain: &str) -> Part {
    let words = [
        &b"\x04\x41\x32\x00\x01\x00"[..], // MaxBufferSize, MaxMpxCount, VcNumber
        &[0; 4],                          // SessionKey
        b"\x18\x00\x18\x00",              // OEMPasswordLen, UnicodePasswordLen
        &[0; 4],                          // Reserved
        b"\xd4\x00\x00\x00",              // Capabilities
    ];
    let names = [text(account), text(domain), text("Windows"), text("4.0")].concat();
    Part { bytes: Bytes::Text(vec![0x99; 48], names, vec![]), ..part(0x73, &words, b"") }
}

/// The same before NT LM 0.12, in an OEM code page.
pub(super) fn session_setup_lanman(account: &str, domain: &str) -> Part {
    let words = [
        &b"\x04\x41\x32\x00\x01\x00"[..], // MaxBufferSize, MaxMpxCount, VcNumber
        &[0; 4],                          // SessionKey
        b"\x18\x00",                      // PasswordLength
        &[0; 4],                          // Reserved
    ];
    let names = format!("{account}\0{domain}\0DOS\0LM\0");
    part(0x73, &words, &[&[0x99; 24][..], names.as_bytes()].concat())
}

pub(super) fn session_set_up(token: &[u8]) -> Part {
    let names = [text("Windows"), text("5.1")].concat();
    let words = [&b"\x00\x00"[..], &len16(token.len())]; // Action, SecurityBlobLength
    Part { bytes: Bytes::Text(token.to_vec(), names, vec![]), ..part(0x73, &words, b"") }
}

/// The answer to a logon by name.
pub(super) fn session_set_up_by_name(action: u8) -> Part {
    let names = [text("Windows"), text("4.0"), text("FSLAB")].concat();
    Part { bytes: Bytes::Text(vec![], names, vec![]), ..part(0x73, &[&[action, 0]], b"") }
}

pub(super) fn logoff() -> Part {
    Part { count: Some(2), ..part(0x74, &[], b"") }
}

pub(super) fn tree_connect(path: &str) -> Part {
    let words = [&b"\x08\x00"[..], b"\x01\x00"]; // Flags, PasswordLength
    let bytes = Bytes::Text(vec![0], text(path), b"?????\0".to_vec());
    Part { bytes, ..part(0x75, &words, b"") }
}

pub(super) fn tree_connected(service: &str) -> Part {
    let service = [service.as_bytes(), b"\0"].concat();
    let words = [&b"\x01\x00"[..], b"\xff\x01\x1f\x00", b"\x00\x00\x00\x00"];
    Part { bytes: Bytes::Text(service, text("NTFS"), vec![]), ..part(0x75, &words, b"") }
}

pub(super) fn tree_connect_old(path: &str) -> Part {
    part(0x70, &[], format!("\x04{path}\0\x04\0\x04IPC\0").as_bytes())
}

pub(super) fn tree_connected_old(tid: u16) -> Part {
    part(0x70, &[b"\x04\x41", &tid.to_le_bytes()], b"")
}

pub(super) fn tree_disconnect() -> Part {
    part(0x71, &[], b"")
}

pub(super) fn nt_create(name: &str) -> Part {
    let words = [
        &b"\x00"[..],                        // Reserved
        &len16(name.len() * 2),              // NameLength
        b"\x16\x00\x00\x00\x00\x00\x00\x00", // Flags, RootDirectoryFID
        b"\x9f\x01\x02\x00",                 // DesiredAccess
        &[0; 8],                             // AllocationSize
        b"\x80\x00\x00\x00\x03\x00\x00\x00", // ExtFileAttributes, ShareAccess
        b"\x01\x00\x00\x00\x40\x00\x00\x00", // CreateDisposition, CreateOptions
        b"\x02\x00\x00\x00\x03",             // ImpersonationLevel, SecurityFlags
    ];
    Part { bytes: Bytes::Text(vec![], text(name), vec![]), ..part(0xa2, &words, b"") }
}

fn created_words(fid: u16, kind: u16) -> Vec<u8> {
    [
        &b"\x00"[..],        // OpLockLevel
        &fid.to_le_bytes(),  // FID
        b"\x01\x00\x00\x00", // CreateDisposition
        &[0; 32],            // CreateTime to LastChangeTime
        b"\x80\x00\x00\x00", // ExtFileAttributes
        &[0; 16],            // AllocationSize, EndOfFile
        &kind.to_le_bytes(), // ResourceType
        b"\xff\x05\x00",     // NMPipeStatus, Directory
    ]
    .concat()
}

/// `kind` 0 is a file, 2 a pipe.
pub(super) fn nt_created(fid: u16, kind: u16) -> Part {
    part(0xa2, &[&created_words(fid, kind)], b"")
}

/// Says that it has 42 words, and has 50.
pub(super) fn nt_created_extended(fid: u16, kind: u16) -> Part {
    Part { count: Some(42), ..part(0xa2, &[&created_words(fid, kind), &[0xab; 32]], b"") }
}

pub(super) fn open_andx(name: &str) -> Part {
    let words = [
        &b"\x00\x00\x42\x00\x06\x00\x00\x00"[..], // Flags, AccessMode, SearchAttrs, FileAttrs
        &[0; 4],                                  // CreationTime
        b"\x01\x00",                              // OpenMode
        &[0; 12],                                 // AllocationSize, Timeout, Reserved
    ];
    Part { bytes: Bytes::Text(vec![], text(name), vec![]), ..part(0x2d, &words, b"") }
}

pub(super) fn opened_andx(fid: u16, kind: u16) -> Part {
    let words = [
        &fid.to_le_bytes()[..], // FID
        &[0; 10],               // FileAttrs, LastWriteTime, FileDataSize
        b"\x02\x00",            // AccessRights
        &kind.to_le_bytes(),    // ResourceType
        b"\xff\x05\x01\x00",    // NMPipeStatus, OpenResults
        &[0; 6],                // Reserved
    ];
    part(0x2d, &words, b"")
}

pub(super) fn open(name: &str) -> Part {
    let words = [&b"\x42\x00\x06\x00"[..]]; // AccessMode, SearchAttributes
    Part { bytes: Bytes::Text(vec![4], text(name), vec![]), ..part(0x02, &words, b"") }
}

pub(super) fn opened(fid: u16) -> Part {
    part(0x02, &[&fid.to_le_bytes(), &[0; 10], b"\x02\x00"], b"")
}

pub(super) fn close(fid: u16) -> Part {
    part(0x04, &[&fid.to_le_bytes(), &[0xff; 4]], b"")
}

/// An answer that says no more than that.
pub(super) fn done(command: u8) -> Part {
    part(command, &[], b"")
}

pub(super) fn read_andx(fid: u16, offset: u32) -> Part {
    let words = [
        &fid.to_le_bytes()[..], // FID
        &offset.to_le_bytes(),  // Offset
        b"\x00\x04\x00\x04",    // MaxCountOfBytesToReturn, MinCountOfBytesToReturn
        &[0xff; 4],             // Timeout
        b"\x00\x00",            // Remaining
        &[0; 4],                // OffsetHigh
    ];
    part(0x2e, &words, b"")
}

pub(super) fn read_andx_answer(data: &[u8]) -> Part {
    let words = [
        &b"\x00\x00\x00\x00\x00\x00"[..], // Available, DataCompactionMode, Reserved1
        &len16(data.len() & 0xffff),      // DataLength
        b"\x00\x00",                      // DataOffset
        &len16(data.len() >> 16),         // DataLengthHigh
        &[0; 8],                          // Reserved2
    ];
    Part { bytes: Bytes::At(8, data.to_vec()), ..part(0x2e, &words, b"") }
}

pub(super) fn write_andx(fid: u16, offset: u32, mode: u16, data: &[u8]) -> Part {
    let words = [
        &fid.to_le_bytes()[..],      // FID
        &offset.to_le_bytes(),       // Offset
        &[0; 4],                     // Timeout
        &mode.to_le_bytes(),         // WriteMode
        b"\x00\x00",                 // Remaining
        &len16(data.len() >> 16),    // DataLengthHigh
        &len16(data.len() & 0xffff), // DataLength
        b"\x00\x00",                 // DataOffset
        &[0; 4],                     // OffsetHigh
    ];
    Part { bytes: Bytes::At(18, data.to_vec()), ..part(0x2f, &words, b"") }
}

pub(super) fn written_andx(len: u16) -> Part {
    part(0x2f, &[&len.to_le_bytes(), &[0; 6]], b"")
}

pub(super) fn read(fid: u16) -> Part {
    part(0x0a, &[&fid.to_le_bytes(), b"\x00\x04", &[0; 4], b"\x00\x00"], b"")
}

pub(super) fn read_answer(data: &[u8]) -> Part {
    let bytes = [&[1][..], &len16(data.len()), data].concat();
    part(0x0a, &[&len16(data.len()), &[0; 8]], &bytes)
}

pub(super) fn write(fid: u16, data: &[u8]) -> Part {
    let words = [&fid.to_le_bytes()[..], &len16(data.len()), &[0; 4], b"\x00\x00"];
    part(0x0b, &words, &[&[1][..], &len16(data.len()), data].concat())
}

pub(super) fn write_and_close(fid: u16, data: &[u8]) -> Part {
    let words = [&fid.to_le_bytes()[..], &len16(data.len()), &[0; 8]];
    part(0x2c, &words, &[&[0][..], data].concat())
}

/// The answer to either.
pub(super) fn written(command: u8, len: u16) -> Part {
    part(command, &[&len.to_le_bytes()], b"")
}

pub(super) const TRANSACT: u16 = 0x26;

/// The first request of a transaction: `total` bytes of data, of which these are there.
pub(super) fn transaction(setup: [u16; 2], name: &str, total: usize, data: &[u8]) -> Part {
    let setup = setup.map(u16::to_le_bytes).concat();
    let words = [
        &b"\x00\x00"[..],    // TotalParameterCount
        &len16(total),       // TotalDataCount
        b"\x00\x00\x00\x04", // MaxParameterCount, MaxDataCount
        b"\x00\x00\x00\x00", // MaxSetupCount, Reserved1, Flags
        &[0; 6],             // Timeout, Reserved2
        b"\x00\x00\x00\x00", // ParameterCount, ParameterOffset
        &len16(data.len()),  // DataCount
        b"\x00\x00",         // DataOffset
        b"\x02\x00",         // SetupCount, Reserved3
        &setup,              // Setup
    ];
    Part { bytes: Bytes::Named(text(name), 24, data.to_vec()), ..part(0x25, &words, b"") }
}

pub(super) fn secondary(total: usize, displacement: usize, data: &[u8]) -> Part {
    let words = [
        &b"\x00\x00"[..],     // TotalParameterCount
        &len16(total),        // TotalDataCount
        &[0; 6],              // ParameterCount, ParameterOffset, ParameterDisplacement
        &len16(data.len()),   // DataCount
        b"\x00\x00",          // DataOffset
        &len16(displacement), // DataDisplacement
    ];
    Part { bytes: Bytes::At(12, data.to_vec()), ..part(0x26, &words, b"") }
}

pub(super) fn transacted(total: usize, displacement: usize, data: &[u8]) -> Part {
    let words = [
        &b"\x00\x00"[..],     // TotalParameterCount
        &len16(total),        // TotalDataCount
        &[0; 8],              // Reserved1, ParameterCount, -Offset, -Displacement
        &len16(data.len()),   // DataCount
        b"\x00\x00",          // DataOffset
        &len16(displacement), // DataDisplacement
        b"\x00\x00",          // SetupCount, Reserved2
    ];
    Part { bytes: Bytes::At(14, data.to_vec()), ..part(0x25, &words, b"") }
}

/// Every kind of message, each a unit.
pub(in super::super) fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let pdu = crate::smb::tests::wire::pdu;
    let ask = |name, part: Part| (name, Msg::ask(7, IPC, vec![part]).unit());
    let oem = |name, part: Part| {
        (name, Msg::ask(7, IPC, vec![part]).with(|m| m.flags2 &= !UNICODE).unit())
    };
    let told = |name, part: Part| {
        let asked = Msg::ask(7, IPC, vec![]);
        (name, asked.answer(vec![part]).unit())
    };
    vec![
        ask("negotiate", negotiate()),
        told("negotiated", negotiated()),
        told("negotiated_extended", negotiated_extended()),
        told("negotiated_lanman", negotiated_lanman()),
        told("negotiated_core", part(0x72, &[b"\x00\x00"], b"")),
        ask("session_setup", session_setup(&samples::authenticate())),
        ask("session_setup_by_name", session_setup_by_name("fsadmin", "FSLAB")),
        oem("session_setup_lanman", session_setup_lanman("FSADMIN", "FSLAB")),
        told("session_set_up", session_set_up(&samples::challenge())),
        told("session_set_up_by_name", session_set_up_by_name(0)),
        ask("logoff", logoff()),
        ask("tree_connect", tree_connect("\\\\FSS1\\IPC$")),
        told("tree_connected", tree_connected("IPC")),
        ask("tree_connect_old", tree_connect_old("\\\\FSS1\\IPC$")),
        told("tree_connected_old", tree_connected_old(IPC)),
        ask("tree_disconnect", tree_disconnect()),
        ask("nt_create", nt_create("\\FssagentRpc")),
        told("nt_created", nt_created(0x4001, 2)),
        told("nt_created_extended", nt_created_extended(0x4001, 2)),
        ask("open_andx", open_andx("\\PIPE\\FssagentRpc")),
        told("opened_andx", opened_andx(0x4001, 2)),
        ask("open", open("\\PIPE\\FssagentRpc")),
        told("opened", opened(0x4001)),
        ask("close", close(0x4001)),
        told("closed", done(0x04)),
        ask("read_andx", read_andx(0x4001, 0)),
        told("read_andx_answer", read_andx_answer(&pdu(2, 64))),
        ask("write_andx", write_andx(0x4001, 0, 8, &pdu(0, 64))),
        told("written_andx", written_andx(64)),
        ask("read", read(0x4001)),
        told("read_answer", read_answer(&pdu(2, 64))),
        ask("write", write(0x4001, &pdu(0, 64))),
        told("written", written(0x0b, 64)),
        ask("write_and_close", write_and_close(0x4001, &pdu(0, 64))),
        ask("transaction", transaction([TRANSACT, 0x4001], "\\PIPE\\", 64, &pdu(0, 64))),
        ask("secondary", secondary(64, 32, &pdu(0, 64)[32..])),
        told("transacted", transacted(64, 0, &pdu(2, 64))),
        told("echo", part(0x2b, &[b"\x01\x00"], b"ping")),
    ]
}

/// A user logged on over connection 1, IPC$ and a disk connected.
pub(super) struct Client {
    pub(super) lab: Lab,
    mid: u16,
}

impl Client {
    /// Connected, and no more.
    pub(super) fn stranger() -> Self {
        Self { lab: Lab::default(), mid: 0 }
    }

    pub(super) fn new() -> Self {
        let mut client = Self::stranger();
        let ask = client.ask(0, negotiate()).with(|m| m.uid = 0);
        client.send(&ask);
        client.send(&ask.answer(vec![negotiated_extended()]));
        client.log_on();
        client.connect("\\\\FSS1\\IPC$", IPC, "IPC");
        client.connect("\\\\FSS1\\DATA", DISK, "A:");
        client
    }

    pub(super) fn smb(&self) -> &Smb {
        &self.lab.smb
    }

    pub(super) fn ask(&mut self, tid: u16, part: Part) -> Msg {
        self.asks(tid, vec![part])
    }

    pub(super) fn asks(&mut self, tid: u16, parts: Vec<Part>) -> Msg {
        self.mid += 1;
        Msg::ask(self.mid, tid, parts)
    }

    pub(super) fn send(&mut self, msg: &Msg) -> Vec<Event> {
        self.lab.unit(1, 1, &msg.unit())
    }

    /// Asks and is answered; what both say.
    pub(super) fn call(&mut self, tid: u16, ask: Part, answer: Part) -> Vec<Event> {
        let ask = self.ask(tid, ask);
        let mut events = self.send(&ask);
        events.extend(self.send(&ask.answer(vec![answer])));
        events
    }

    pub(super) fn log_on(&mut self) -> Vec<Event> {
        let first = self.ask(0, session_setup(samples::NEGOTIATE)).with(|m| m.uid = 0);
        self.send(&first);
        let more = first.answer(vec![session_set_up(&samples::challenge())]);
        let more = more.with(|m| (m.uid, m.status) = (UID, 0xc000_0016_u32.to_le_bytes()));
        let mut events = self.send(&more);
        let second = self.ask(0, session_setup(&samples::authenticate()));
        events.extend(self.send(&second));
        events.extend(self.send(&second.answer(vec![session_set_up(b"")])));
        events
    }

    pub(super) fn connect(&mut self, path: &str, tid: u16, service: &str) {
        let ask = self.ask(0xffff, tree_connect(path));
        self.send(&ask);
        self.send(&ask.answer(vec![tree_connected(service)]).with(|m| m.tid = tid));
    }

    /// Opens a pipe and tells its id.
    pub(super) fn pipe(&mut self, fid: u16) -> PipeId {
        match self.call(IPC, nt_create("\\FssagentRpc"), nt_created(fid, 2))[..] {
            [Event::PipeOpened { pipe }] => pipe,
            ref other => panic!("{other:?}"),
        }
    }

    pub(super) fn frame(&self, unit: &[u8]) -> Framed {
        self.lab.smb.frame(ConnectionId(1), View::new(unit, &[], &[]))
    }
}
