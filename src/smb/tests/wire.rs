//! Messages made by hand, field by field.

use crate::security::ntlm::samples;

pub(super) const SESSION: u64 = 0x48c1_f2a3;
pub(super) const IPC: u32 = 5;
pub(super) const DISK: u32 = 9;

/// One message: its header as far as tests vary it, and its body.
#[derive(Clone, Debug)]
pub(super) struct Msg {
    pub(super) command: u16,
    pub(super) status: u32,
    pub(super) flags: u32,
    pub(super) mid: u64,
    /// `TreeId`, or `AsyncId` with `ASYNC`.
    pub(super) tree: u32,
    pub(super) session: u64,
    pub(super) body: Vec<u8>,
}

pub(super) const RESPONSE: u32 = 1;
pub(super) const ASYNC: u32 = 2;
pub(super) const RELATED: u32 = 4;
pub(super) const SIGNED: u32 = 8;

impl Msg {
    pub(super) fn ask(command: u16, mid: u64, tree: u32, body: Vec<u8>) -> Self {
        Self { command, status: 0, flags: 0, mid, tree, session: SESSION, body }
    }

    pub(super) fn answer(&self, body: Vec<u8>) -> Self {
        Self { flags: RESPONSE, body, ..self.clone() }
    }

    pub(super) fn refuse(&self, status: u32) -> Self {
        Self { status, ..self.answer(error()) }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn bytes(&self, next: u32) -> Vec<u8> {
        let mut tree = (u64::from(self.tree) << 32).to_le_bytes();
        if self.flags & ASYNC != 0 {
            tree = u64::from(self.tree).to_le_bytes();
        }
        [
            &b"\xfeSMB"[..],             // ProtocolId
            &b"\x40\x00"[..],            // StructureSize
            b"\x01\x00",                 // CreditCharge
            &self.status.to_le_bytes(),  // Status
            &self.command.to_le_bytes(), // Command
            b"\x1f\x00",                 // CreditRequest
            &self.flags.to_le_bytes(),   // Flags
            &next.to_le_bytes(),         // NextCommand
            &self.mid.to_le_bytes(),     // MessageId
            &tree,                       // Reserved and TreeId, or AsyncId
            &self.session.to_le_bytes(), // SessionId
            &[0x5a; 16],                 // Signature
            &self.body,
        ]
        .concat()
    }

    pub(super) fn unit(&self) -> Vec<u8> {
        compound(std::slice::from_ref(self))
    }
}

/// A chain of messages in one unit.
pub(super) fn compound(chain: &[Msg]) -> Vec<u8> {
    let mut all = Vec::new();
    for (n, msg) in chain.iter().enumerate() {
        let len = (64 + msg.body.len()).next_multiple_of(8);
        let last = n + 1 == chain.len();
        let mut bytes = msg.bytes(if last { 0 } else { u32::try_from(len).unwrap() });
        if !last {
            bytes.resize(len, 0);
        }
        all.extend(bytes);
    }
    nbss(&all)
}

pub(super) fn nbss(message: &[u8]) -> Vec<u8> {
    let len = u32::try_from(message.len()).unwrap();
    [&len.to_be_bytes()[..], message].concat()
}

fn len16(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap().to_le_bytes()
}

fn len32(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap().to_le_bytes()
}

pub(super) fn error() -> Vec<u8> {
    b"\x09\x00\x00\x00\x00\x00\x00\x00\x00".to_vec()
}

/// 3.1.1 and 3.0.2, with four contexts.
pub(super) fn negotiate() -> Vec<u8> {
    let name = samples::utf16("fss1");
    [
        &b"\x24\x00"[..],                            // StructureSize
        &b"\x02\x00"[..],                            // DialectCount
        b"\x01\x00",                                 // SecurityMode
        b"\x00\x00",                                 // Reserved
        b"\x7f\x00\x00\x00",                         // Capabilities
        &[0xc1; 16],                                 // ClientGuid
        b"\x68\x00\x00\x00",                         // NegotiateContextOffset: 104
        b"\x04\x00",                                 // NegotiateContextCount
        b"\x00\x00",                                 // Reserved2
        b"\x02\x03\x11\x03",                         // Dialects
        b"\x01\x00\x08\x00\x00\x00\x00\x00",         // PREAUTH_INTEGRITY, 8 bytes
        b"\x01\x00\x02\x00\x01\x00\xaa\xbb",         // one hash, salt of two
        b"\x02\x00\x06\x00\x00\x00\x00\x00",         // ENCRYPTION, 6 bytes
        b"\x02\x00\x02\x00\x01\x00\x00\x00",         // GCM, CCM; padding
        b"\x03\x00\x0a\x00\x00\x00\x00\x00",         // COMPRESSION, 10 bytes
        b"\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00", // LZNT1, chained
        b"\x00\x00\x00\x00\x00\x00",                 // padding
        b"\x05\x00\x08\x00\x00\x00\x00\x00",         // NETNAME, 8 bytes
        &name,
    ]
    .concat()
}

pub(super) fn negotiated(guid: u8) -> Vec<u8> {
    [
        &b"\x41\x00"[..],                                    // StructureSize
        &b"\x01\x00"[..],                                    // SecurityMode
        b"\x11\x03",                                         // DialectRevision
        b"\x01\x00",                                         // NegotiateContextCount
        &[guid; 16],                                         // ServerGuid
        b"\x2f\x00\x00\x00",                                 // Capabilities
        &[0; 12],            // MaxTransactSize, MaxReadSize, MaxWriteSize
        &[0; 16],            // SystemTime, ServerStartTime
        b"\x80\x00",         // SecurityBufferOffset: 128
        b"\x04\x00",         // SecurityBufferLength
        b"\x88\x00\x00\x00", // NegotiateContextOffset: 136
        b"\x60\x02\x06\x00", // Buffer
        &[0; 4],             // padding
        b"\x08\x00\x04\x00\x00\x00\x00\x00\x01\x00\x02\x00", // SIGNING: AES-GMAC
    ]
    .concat()
}

pub(super) fn session_setup(token: &[u8], previous: u64) -> Vec<u8> {
    [
        &b"\x19\x00"[..],        // StructureSize
        &b"\x00"[..],            // Flags
        b"\x01",                 // SecurityMode
        &[0; 8],                 // Capabilities, Channel
        b"\x58\x00",             // SecurityBufferOffset: 88
        &len16(token),           // SecurityBufferLength
        &previous.to_le_bytes(), // PreviousSessionId
        token,
    ]
    .concat()
}

pub(super) fn session_set_up(token: &[u8]) -> Vec<u8> {
    [
        &b"\x09\x00"[..], // StructureSize
        &b"\x00\x00"[..], // SessionFlags
        b"\x48\x00",      // SecurityBufferOffset: 72
        &len16(token),    // SecurityBufferLength
        token,
    ]
    .concat()
}

pub(super) fn tree_connect(path: &str) -> Vec<u8> {
    let path = samples::utf16(path);
    [
        &b"\x09\x00\x00\x00"[..], // StructureSize, Flags
        b"\x48\x00",              // PathOffset: 72
        &len16(&path),            // PathLength
        &path,
    ]
    .concat()
}

/// `kind` 1 is a disk, 2 a pipe.
pub(super) fn tree_connected(kind: u8) -> Vec<u8> {
    [&[0x10, 0, kind, 0][..], &[0; 8], b"\xff\x01\x1f\x00"].concat()
}

/// LOGOFF and `TREE_DISCONNECT`, both ways.
pub(super) fn empty() -> Vec<u8> {
    b"\x04\x00\x00\x00".to_vec()
}

pub(super) fn create(name: &str) -> Vec<u8> {
    let name = samples::utf16(name);
    let padded = name.len().next_multiple_of(8);
    let contexts = 120 + u32::try_from(padded).unwrap();
    [
        &b"\x39\x00\x00\x00"[..], // StructureSize, SecurityFlags, RequestedOplockLevel
        b"\x02\x00\x00\x00",      // ImpersonationLevel
        &[0; 16],                 // SmbCreateFlags, Reserved
        b"\x9f\x01\x12\x00",      // DesiredAccess
        &[0; 4],                  // FileAttributes
        b"\x07\x00\x00\x00",      // ShareAccess
        b"\x01\x00\x00\x00",      // CreateDisposition
        b"\x40\x00\x00\x00",      // CreateOptions
        b"\x78\x00",              // NameOffset: 120
        &len16(&name),            // NameLength
        &contexts.to_le_bytes(),  // CreateContextsOffset
        b"\x18\x00\x00\x00",      // CreateContextsLength
        &name,
        &vec![0; padded - name.len()],
        b"\x00\x00\x00\x00",                 // Next
        b"\x10\x00\x04\x00",                 // NameOffset, NameLength
        b"\x00\x00\x00\x00\x00\x00\x00\x00", // Reserved, DataOffset, DataLength
        b"MxAc\x00\x00\x00\x00",
    ]
    .concat()
}

/// `size` is 0 for a pipe.
pub(super) fn created(file: u8, size: u64) -> Vec<u8> {
    [
        &b"\x59\x00\x00\x00"[..], // StructureSize, OplockLevel, Flags
        b"\x01\x00\x00\x00",      // CreateAction
        &[0; 32],                 // CreationTime to ChangeTime
        &[0; 8],                  // AllocationSize
        &size.to_le_bytes(),      // EndofFile
        b"\x80\x00\x00\x00",      // FileAttributes
        &[0; 4],                  // Reserved2
        &[file; 16],              // FileId
        &[0; 8],                  // CreateContextsOffset, CreateContextsLength
    ]
    .concat()
}

pub(super) fn close(file: u8) -> Vec<u8> {
    [&b"\x18\x00\x00\x00\x00\x00\x00\x00"[..], &[file; 16]].concat()
}

pub(super) fn closed() -> Vec<u8> {
    [&b"\x3c\x00"[..], &[0; 58]].concat()
}

pub(super) fn read(file: u8, offset: u64) -> Vec<u8> {
    [
        &b"\x31\x00\x50\x00"[..], // StructureSize, Padding, Flags
        b"\x00\x10\x00\x00",      // Length
        &offset.to_le_bytes(),    // Offset
        &[file; 16],              // FileId
        &[0; 16],                 // MinimumCount, Channel, RemainingBytes, ReadChannelInfo
        b"\x00",                  // Buffer
    ]
    .concat()
}

pub(super) fn read_answer(data: &[u8]) -> Vec<u8> {
    [
        &b"\x11\x00\x50\x00"[..], // StructureSize, DataOffset: 80, Reserved
        &len32(data),             // DataLength
        &[0; 8],                  // DataRemaining, Flags
        data,
    ]
    .concat()
}

pub(super) fn write(file: u8, offset: u64, data: &[u8]) -> Vec<u8> {
    [
        &b"\x31\x00\x70\x00"[..], // StructureSize, DataOffset: 112
        &len32(data),             // Length
        &offset.to_le_bytes(),    // Offset
        &[file; 16],              // FileId
        &[0; 16],                 // Channel, RemainingBytes, WriteChannelInfo, Flags
        data,
    ]
    .concat()
}

pub(super) fn written() -> Vec<u8> {
    [&b"\x11\x00\x00\x00"[..], &[0; 12]].concat()
}

pub(super) const TRANSCEIVE: u32 = 0x0011_c017;

pub(super) fn ioctl(code: u32, file: u8, input: &[u8]) -> Vec<u8> {
    [
        &b"\x39\x00\x00\x00"[..], // StructureSize, Reserved
        &code.to_le_bytes(),      // CtlCode
        &[file; 16],              // FileId
        b"\x78\x00\x00\x00",      // InputOffset: 120
        &len32(input),            // InputCount
        &[0; 12],                 // MaxInputResponse, OutputOffset, OutputCount
        b"\x00\x10\x00\x00",      // MaxOutputResponse
        b"\x01\x00\x00\x00",      // Flags
        &[0; 4],                  // Reserved2
        input,
    ]
    .concat()
}

pub(super) fn ioctl_answer(code: u32, file: u8, output: &[u8]) -> Vec<u8> {
    [
        &b"\x31\x00\x00\x00"[..], // StructureSize, Reserved
        &code.to_le_bytes(),      // CtlCode
        &[file; 16],              // FileId
        &[0; 8],                  // InputOffset, InputCount
        b"\x70\x00\x00\x00",      // OutputOffset: 112
        &len32(output),           // OutputCount
        &[0; 8],                  // Flags, Reserved2
        output,
    ]
    .concat()
}

/// A whole RPC PDU of `len` bytes: type 0 is a request, 2 a response.
pub(super) fn pdu(kind: u8, len: u16) -> Vec<u8> {
    let mut pdu = b"\x05\x00\x00\x03\x10\x00\x00\x00".to_vec();
    pdu[2] = kind;
    pdu.extend(len.to_le_bytes());
    pdu.resize(len.into(), 0);
    pdu
}

/// Every kind of message, each a unit.
pub(super) fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let one = |name, command, flags, body| {
        let msg = Msg::ask(command, 7, IPC, body).with(|m| m.flags = flags);
        (name, msg.unit())
    };
    vec![
        one("negotiate", 0, 0, negotiate()),
        one("negotiated", 0, RESPONSE, negotiated(0xee)),
        one("session_setup", 1, 0, session_setup(&samples::authenticate(), 3)),
        one("session_set_up", 1, RESPONSE, session_set_up(&samples::challenge())),
        one("logoff", 2, 0, empty()),
        one("logged_off", 2, RESPONSE, empty()),
        one("tree_connect", 3, 0, tree_connect("\\\\fss1\\IPC$")),
        one("tree_connected", 3, RESPONSE, tree_connected(2)),
        one("tree_disconnect", 4, 0, empty()),
        one("tree_disconnected", 4, RESPONSE, empty()),
        one("create", 5, 0, create("FssagentRpc")),
        one("created", 5, RESPONSE, created(0xf1, 0)),
        one("close", 6, 0, close(0xf1)),
        one("closed", 6, RESPONSE, closed()),
        one("read", 8, 0, read(0xf1, 0)),
        one("read_answer", 8, RESPONSE, read_answer(&pdu(2, 64))),
        one("write", 9, 0, write(0xf1, 0, &pdu(0, 64))),
        one("written", 9, RESPONSE, written()),
        one("ioctl", 11, 0, ioctl(TRANSCEIVE, 0xf1, &pdu(0, 64))),
        one("ioctl_answer", 11, RESPONSE, ioctl_answer(TRANSCEIVE, 0xf1, &pdu(2, 64))),
        ("refused", Msg::ask(5, 7, IPC, vec![]).refuse(0xc000_0034).unit()),
        one("query_info", 16, 0, b"\x29\x00\x01\x05".to_vec()),
    ]
}
