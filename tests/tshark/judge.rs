//! The calls of a capture as tshark has them.
//!
//! Takes the PDUs that tshark dissected and pairs requests with answers: those of one pipe with one
//! call id. What tshark shows of a stub becomes values by name, named as the interface names them.
//! A copy of a capture, with frames left out or moved, is judged by what the whole one shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::pdml::{self, Packet, Protocol};

/// Everything of DCE/RPC in a capture.
#[derive(Clone, Default)]
pub(crate) struct Judged {
    /// In the order of the requests.
    pub(crate) calls: Vec<Call>,
    /// PDUs: their type, and the frames that carried them.
    pub(crate) pdus: Vec<(u64, BTreeSet<u64>)>,
    /// SMB messages that are encrypted.
    pub(crate) encrypted: usize,
    /// What tshark takes for PDUs in the data of files.
    pub(crate) in_files: usize,
}

/// A call.
#[derive(Clone, Default)]
pub(crate) struct Call {
    pub(crate) id: u64,
    /// `None` where the request is not there.
    pub(crate) opnum: Option<u64>,
    pub(crate) file_id: Option<String>,
    /// Security provider and level, by number; of the bind, where no PDU of the call has them.
    pub(crate) protection: Option<(u64, u64)>,
    pub(crate) request: Side,
    pub(crate) response: Option<Side>,
    pub(crate) status: Option<u64>,
    pub(crate) fault: Option<u64>,
}

/// One direction of a call.
#[derive(Clone, Default)]
pub(crate) struct Side {
    pub(crate) frames: BTreeSet<u64>,
    /// Octets of the stub, where they are not encrypted.
    pub(crate) stub: Option<u64>,
    /// Name of the method, where there is a value.
    pub(crate) method: Option<String>,
    /// Values by name; `None` is a null pointer.
    pub(crate) values: BTreeMap<String, Option<String>>,
}

/// A pipe of a TCP stream, or else the stream itself.
type Channel = (Option<String>, Pipe);

/// SMB session and file. For SMB 1, whose files have numbers of their connection, the file alone.
type Pipe = (Option<String>, Option<String>);

/// What is open while PDUs are read.
#[derive(Default)]
struct State {
    judged: Judged,
    /// Place of the latest call of an id.
    latest: BTreeMap<(Channel, u64), usize>,
    binds: BTreeMap<Channel, (u64, u64)>,
    /// File that an SMB message speaks of; the answer to READ does not say it again.
    files: BTreeMap<(Option<String>, Option<String>), Pipe>,
}

/// Reads a capture.
pub(crate) fn read(capture: &Path) -> Judged {
    const PIPES: &str = "smb2.cmd == 8 || smb2.cmd == 9 || smb2.cmd == 11";
    const ENCRYPTED: &str = "smb2.header.transform.signature";
    let mut state = State::default();
    for packet in pdml::read(capture, &format!("dcerpc || {PIPES} || {ENCRYPTED}")) {
        state.packet(&packet);
    }
    let mut judged = state.judged;
    judged.sort();
    judged
}

impl Judged {
    /// What is left of `self` in a copy of its capture: `place` says where a frame is there.
    pub(crate) fn in_copy(&self, place: impl Fn(u64) -> Option<u64>) -> Self {
        let moved = |frames: &BTreeSet<u64>| -> Option<BTreeSet<u64>> {
            frames.iter().map(|frame| place(*frame)).collect()
        };
        let side = |side: &Side| Some(Side { frames: moved(&side.frames)?, ..side.clone() });
        let calls = self.calls.iter().filter_map(|call| {
            let (request, response) = (side(&call.request), call.response.as_ref().and_then(side));
            let call = call.clone();
            match (request, response) {
                (None, None) => None,
                (Some(request), Some(response)) => {
                    Some(Call { request, response: Some(response), ..call })
                }
                (Some(request), None) => {
                    Some(Call { request, response: None, status: None, fault: None, ..call })
                }
                // Without the request nobody knows what was asked, and so what the answer means.
                (None, Some(response)) => Some(Call {
                    opnum: None,
                    request: Side::default(),
                    response: Some(Side { method: None, values: BTreeMap::new(), ..response }),
                    status: None,
                    ..call
                }),
            }
        });
        let mut judged = Self { calls: calls.collect(), pdus: Vec::new(), ..self.clone() };
        let pdus = self.pdus.iter();
        judged.pdus.extend(pdus.filter_map(|(kind, frames)| Some((*kind, moved(frames)?))));
        judged.sort();
        judged
    }

    fn sort(&mut self) {
        self.calls.sort_by_key(|call| {
            let only = call.response.as_ref().map(|response| &response.frames);
            call.request.frames.last().or(only.and_then(BTreeSet::last)).copied()
        });
    }
}

impl State {
    fn packet(&mut self, packet: &Packet) {
        let mut stream = None;
        let mut pipe = (None, None);
        let mut on_disk = false;
        // Frames of the message at hand, where it came in several.
        let mut segments = BTreeSet::new();
        let mut frames = BTreeSet::from([packet.frame]);
        for (place, protocol) in packet.protocols.iter().enumerate() {
            segments.extend(protocol.all("tcp.segment").filter_map(pdml::number));
            match protocol.name.as_str() {
                "tcp" => stream = protocol.text("tcp.stream").map(str::to_owned),
                "nbss" => {
                    frames = std::mem::take(&mut segments);
                    frames.insert(packet.frame);
                }
                "smb2" => {
                    self.judged.encrypted +=
                        protocol.all("smb2.header.transform.signature").count();
                    pipe = self.pipe(stream.as_ref(), protocol);
                    // SMB2_SHARE_TYPE_DISK of [MS-SMB2] 2.2.10
                    on_disk = protocol.number("smb2.share_type") == Some(1);
                }
                "smb" => pipe = (None, protocol.text("smb.fid").map(str::to_owned)),
                // Where it is a question to a pipe, this names the file.
                "smb_pipe" => pipe.1 = protocol.text("smb.fid").map(str::to_owned).or(pipe.1),
                "dcerpc" if on_disk => self.judged.in_files += 1,
                "dcerpc" => {
                    let stub = packet.protocols[place + 1..]
                        .iter()
                        .take_while(|next| next.name != "dcerpc")
                        .find(|next| next.name == "fsrvp");
                    let channel = (stream.clone(), pipe.clone());
                    self.pdu(channel, &frames, protocol, stub);
                }
                _ => {}
            }
        }
    }

    /// Session and file of an SMB 2 message.
    fn pipe(&mut self, stream: Option<&String>, smb: &Protocol) -> Pipe {
        let owned = |name: &str| smb.text(name).map(str::to_owned);
        let message = (stream.cloned(), owned("smb2.msg_id"));
        if let Some(file) = owned("smb2.fid") {
            self.files.insert(message, (owned("smb2.sesid"), Some(file.clone())));
            return (owned("smb2.sesid"), Some(file));
        }
        self.files.get(&message).cloned().unwrap_or_default()
    }

    fn pdu(
        &mut self,
        channel: Channel,
        frames: &BTreeSet<u64>,
        pdu: &Protocol,
        stub: Option<&Protocol>,
    ) {
        // The protocol is there twice where tshark shows what it reassembled.
        let Some(kind) = pdu.number("dcerpc.pkt_type") else { return };
        self.judged.pdus.push((kind, frames.clone()));
        let protection = pdu.number("dcerpc.auth_type").zip(pdu.number("dcerpc.auth_level"));
        let call_id = pdu.number("dcerpc.cn_call_id").expect("a PDU has a call id");
        let first = pdu.number("dcerpc.cn_flags").expect("a PDU has flags") & 1 != 0;
        match kind {
            11 | 14 => {
                if let Some(protection) = protection {
                    self.binds.insert(channel, protection);
                }
            }
            0 => {
                if first {
                    let call = Call {
                        id: call_id,
                        opnum: pdu.number("dcerpc.opnum"),
                        file_id: channel.1.1.clone(),
                        protection: protection.or_else(|| self.binds.get(&channel).copied()),
                        ..Call::default()
                    };
                    self.latest.insert((channel.clone(), call_id), self.judged.calls.len());
                    self.judged.calls.push(call);
                }
                let Some(place) = self.latest.get(&(channel, call_id)) else { return };
                let side = &mut self.judged.calls[*place].request;
                side.read(frames, pdu, stub);
            }
            2 | 3 => {
                let Some(place) = self.latest.get(&(channel, call_id)) else { return };
                let call = &mut self.judged.calls[*place];
                call.response.get_or_insert_default().read(frames, pdu, stub);
                call.fault = (kind == 3).then(|| pdu.number("dcerpc.cn_status")).flatten();
                call.status = stub.and_then(|stub| stub.number("fsrvp.status"));
            }
            _ => {}
        }
    }
}

impl Side {
    fn read(&mut self, frames: &BTreeSet<u64>, pdu: &Protocol, stub: Option<&Protocol>) {
        self.frames.extend(frames);
        let length = |field: &pdml::Field| {
            let text = field.show.strip_prefix("Complete stub data (")?;
            pdml::number(text.split(' ').next()?)
        };
        self.stub = pdu.fields.iter().find_map(length).or(self.stub);
        let Some(stub) = stub else { return };
        for field in &stub.fields {
            if let Some((name, value)) = self.value(field) {
                self.values.insert(name, value);
            }
        }
    }

    /// A field as the interface names it, and its value.
    fn value(&mut self, field: &pdml::Field) -> Option<(String, Option<String>)> {
        const MAPPING: &str = "ShareMapping.ShareMapping1";
        if field.name == "dcerpc.null_pointer" {
            let to = field.label.strip_prefix("NULL Pointer: Pointer to ").expect("it has a name");
            let name = to.split(' ').next().expect("it has a name");
            let name = if name == "ShareMapping1" { MAPPING } else { name };
            return Some((name.to_owned(), None));
        }
        let field_name = field.name.strip_prefix("fsrvp.")?;
        // Containers, and what is no parameter.
        if matches!(
            field_name,
            "opnum"
                | "status"
                | "fsrvp_GetShareMapping.ShareMapping"
                | "fssagent_share_mapping.ShareMapping1"
        ) {
            return None;
        }
        let (scope, member) = field_name.split_once('.').expect("a field has a scope");
        let name = match (scope, member) {
            ("fssagent_share_mapping_1", "tstamp") => {
                return Some((format!("{MAPPING}.CreationTimestamp"), Some(time(&field.show))));
            }
            ("fssagent_share_mapping_1", member) => format!("{MAPPING}.{member}"),
            (method, member) => {
                self.method = method.strip_prefix("fsrvp_").map(str::to_owned);
                member.to_owned()
            }
        };
        // Numbers may be shown in hexadecimal; GUIDs and names do not begin so.
        let value = match pdml::number(&field.show) {
            Some(number) if field.show.starts_with("0x") => number.to_string(),
            _ => field.show.clone(),
        };
        Some((name, Some(value)))
    }
}

/// `Nov 22, 2026 17:49:18.000000000 UTC` as RFC 3339 with the 100 ns that a FILETIME has; newer
/// versions of tshark write RFC 3339 themselves.
fn time(show: &str) -> String {
    let formats = ["%b %d, %Y %H:%M:%S%.f UTC", "%Y-%m-%dT%H:%M:%S%.fZ"];
    let time = formats
        .iter()
        .find_map(|format| jiff::fmt::strtime::parse(format, show).ok()?.to_datetime().ok())
        .unwrap_or_else(|| panic!("{show} is no time"));
    format!("{}.{:07}Z", time.strftime("%Y-%m-%dT%H:%M:%S"), time.subsec_nanosecond() / 100)
}
