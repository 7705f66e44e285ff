//! The rows of lists that are on the screen: calls and packets.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::model::Model;
use super::write::text_of;
use crate::bytes::{FrameNo, Reader, Time, View, millionths, printable};
use crate::call::{Call, Outcome, Party};
use crate::check::Severity;
use crate::net::{self, Dissected};
use crate::pipeline::{Unit, UnitKind};
use crate::report::brief;
use crate::rpc::{PacketType, pdu};
use crate::smb::{self, Status};
use crate::trace::Unreadable;

/// A call in the list.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) n: u64,
    pub(super) time: String,
    pub(super) client: String,
    pub(super) server: String,
    pub(super) method: String,
    pub(super) asked: String,
    pub(super) answered: String,
    pub(super) took: String,
    pub(super) outcome: Outcome,
    /// The gravest finding at it.
    pub(super) worst: Option<Severity>,
    pub(super) marked: bool,
    /// Why nothing of it can be shown.
    pub(super) error: Option<String>,
}

/// A packet in the list.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) no: u64,
    pub(super) time: String,
    pub(super) src: String,
    pub(super) dst: String,
    pub(super) protocol: &'static str,
    pub(super) len: u32,
    pub(super) about: String,
    /// Whether something in it failed.
    pub(super) bad: bool,
    pub(super) marked: bool,
}

impl Model<'_> {
    /// The calls in these rows of the list.
    pub(super) fn calls_in(&self, rows: std::ops::Range<usize>) -> Vec<Shown> {
        let mut before = rows.start.checked_sub(1).and_then(|row| self.time_of(row));
        let mut shown = Vec::new();
        for n in rows.map_while(|row| self.call_at(row)) {
            let call = self.trace.call(n, false, self.registry);
            let mut row = self.shown(n, &call, before);
            row.worst = self.findings.worst(n);
            row.marked = self.marks.contains(&super::detail::Subject::Call(n));
            before = call.ok().flatten().map(|call| call.time).or(before);
            shown.push(row);
        }
        shown
    }

    /// A call as text.
    pub(super) fn call_text(&self, n: u64) -> String {
        text_of(&self.shown(n, &self.trace.call(n, false, self.registry), None))
    }

    fn time_of(&self, row: usize) -> Option<Time> {
        let call = self.trace.call(self.call_at(row)?, false, self.registry);
        call.ok().flatten().map(|call| call.time)
    }

    fn shown(
        &self,
        n: u64,
        call: &Result<Option<Call>, Unreadable>,
        before: Option<Time>,
    ) -> Shown {
        let empty = Shown {
            n,
            time: String::new(),
            client: String::new(),
            server: String::new(),
            method: String::new(),
            asked: String::new(),
            answered: String::new(),
            took: String::new(),
            outcome: Outcome::Unknown,
            worst: None,
            marked: false,
            error: None,
        };
        let call = match call {
            Ok(Some(call)) => call,
            Ok(None) => return Shown { asked: "not complete so far".to_owned(), ..empty },
            Err(error) => return Shown { error: Some(printable(&error.to_string())), ..empty },
        };
        let zone = self.time.zone();
        Shown {
            time: self.time.cell(call.time, &zone, self.trace.began(), before),
            client: party(&call.client),
            server: party(&call.server),
            method: printable(&brief::method(call)),
            asked: printable(&brief::asked(call, self.registry)),
            answered: printable(&brief::answered(call, self.registry)),
            took: call.elapsed.map(took).unwrap_or_default(),
            outcome: call.outcome,
            ..empty
        }
    }

    /// The packets in these rows of the list.
    pub(super) fn packets_in(&self, rows: std::ops::Range<usize>) -> Vec<Packet> {
        let frames = self.trace.frames();
        let numbers = rows.filter_map(|row| u64::try_from(row).ok()).map(|row| row + 1);
        numbers.take_while(|no| *no <= frames).map(|no| self.packet(no)).collect()
    }

    fn packet(&self, no: u64) -> Packet {
        let frame = FrameNo(no);
        let about = self.trace.about(frame);
        let zone = self.time.zone();
        let before = self.trace.time_before(frame);
        let cell = |time| self.time.cell(time, &zone, self.trace.began(), before);
        let mut packet = Packet {
            no,
            time: about.map(|about| cell(about.time)).unwrap_or_default(),
            src: String::new(),
            dst: String::new(),
            protocol: "",
            len: about.map_or(0, |about| about.wire_len),
            about: String::new(),
            bad: false,
            marked: self.marks.contains(&super::detail::Subject::Frame(no)),
        };
        let (frame, units) =
            match self.trace.frame(frame).and_then(|of| Ok((of, self.trace.units(frame)?))) {
                Ok((Some(frame), units)) => (frame, units),
                Ok((None, _)) => {
                    let about = "no packet under this number".to_owned();
                    return Packet { about, ..packet };
                }
                Err(error) => {
                    return Packet { about: printable(&error.to_string()), bad: true, ..packet };
                }
            };
        let view = frame.bytes.view();
        headers(&net::dissect(frame.link, view, frame.about.wire_len), &mut packet);
        let mut said: Vec<String> = Vec::new();
        let carried = self.trace.calls_in(FrameNo(no));
        for n in &carried {
            said.extend(self.carried(*n, FrameNo(no), &mut packet.bad));
        }
        for unit in &units {
            let last = unit.bytes.view().frames().last() == Some(&FrameNo(no));
            if last {
                said.extend(unit_words(unit, !carried.is_empty(), &mut packet));
            } else if packet.protocol == "TCP" {
                "continues".clone_into(&mut packet.about);
                packet.protocol = match unit.kind {
                    UnitKind::Smb | UnitKind::Opened => "SMB",
                    UnitKind::Rpc => "RPC",
                    UnitKind::Ip(_) => "IP",
                };
            }
        }
        if !carried.is_empty() {
            packet.protocol = "RPC";
        }
        if !said.is_empty() {
            said.dedup();
            packet.about = printable(&said.join(", "));
        }
        packet
    }

    /// What a call is to a frame that carried a part of it.
    fn carried(&self, n: u64, frame: FrameNo, bad: &mut bool) -> Option<String> {
        let call = self.trace.call(n, false, self.registry).ok()??;
        let method = brief::method(&call);
        let has = |of: &Option<crate::rpc::Message>| {
            of.as_ref().is_some_and(|message| message.frames.contains(&frame))
        };
        if has(&call.rpc.response) {
            *bad |= matches!(call.outcome, Outcome::Failed | Outcome::Fault);
            return Some(format!("call {n} ← {} {method}", brief::result(&call, self.registry)));
        }
        has(&call.rpc.request).then(|| format!("call {n} → {method}"))
    }
}

/// Source, destination and protocol of a frame.
fn headers(found: &Dissected, packet: &mut Packet) {
    let ends = |packet: &mut Packet, src: &SocketAddr, dst: &SocketAddr| {
        packet.src = src.to_string();
        packet.dst = dst.to_string();
    };
    match found {
        Dissected::Tcp(tcp) => {
            ends(packet, &tcp.src, &tcp.dst);
            packet.protocol = "TCP";
            let flags =
                [(tcp.syn, "SYN"), (tcp.fin, "FIN"), (tcp.rst, "RST"), (tcp.ack.is_some(), "ACK")];
            let set: Vec<&str> =
                flags.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
            packet.about = format!("{} {} bytes", set.join(" "), tcp.payload_len);
            packet.bad = tcp.rst;
        }
        Dissected::Udp(udp) => {
            ends(packet, &udp.src, &udp.dst);
            packet.protocol = "UDP";
            packet.about = format!("{} bytes", udp.payload_len);
        }
        Dissected::Fragment(_) => {
            packet.protocol = "IP";
            "part of a datagram".clone_into(&mut packet.about);
        }
        Dissected::Undelivered(told) => {
            packet.src = told.by.to_string();
            packet.dst = told.src.to_string();
            packet.protocol = "ICMP";
            packet.about = format!("not delivered: {}", told.code);
            packet.bad = true;
        }
        Dissected::Other(other) => packet.about = other.to_string(),
    }
}

/// What a message is, in a few words; those of RPC go without saying where calls are named.
fn unit_words(unit: &Unit, calls: bool, packet: &mut Packet) -> Vec<String> {
    let view = unit.bytes.view();
    match unit.kind {
        UnitKind::Ip(_) => Vec::new(),
        UnitKind::Rpc => {
            packet.protocol = "RPC";
            let ptype =
                pdu::dissect(&mut Reader::new(view, &mut ())).ok().map(|pdu| pdu.header.ptype);
            let plain = matches!(
                ptype,
                Some(PacketType::REQUEST | PacketType::RESPONSE | PacketType::FAULT)
            );
            let name = ptype.and_then(PacketType::name).filter(|_| !(calls && plain));
            name.map(str::to_owned).into_iter().collect()
        }
        UnitKind::Smb => smb_words(view, false, calls, packet),
        UnitKind::Opened => smb_words(view, true, calls, packet),
    }
}

fn smb_words(view: View<'_>, opened: bool, calls: bool, packet: &mut Packet) -> Vec<String> {
    let mut words = Vec::new();
    let mut bad = false;
    packet.protocol = "SMB2";
    let each = |message: smb::Message| {
        let header = &message.header;
        let mut text = header.command.name().unwrap_or("?").to_owned();
        if header.is_response() {
            text.push_str(" response");
            if header.status != Status::SUCCESS {
                let status =
                    header.status.name().map_or_else(|| header.status.to_string(), str::to_owned);
                let _ = write!(text, " {status}");
                bad |=
                    header.status.is_error() && header.status != Status::MORE_PROCESSING_REQUIRED;
            }
        }
        // Of a pipe the call says it all.
        if !(calls && ["READ", "WRITE", "IOCTL"].iter().any(|name| text.starts_with(name)) && !bad)
        {
            words.push(text);
        }
    };
    let mut none = ();
    let mut r = Reader::new(view, &mut none);
    let found = if opened { smb::dissect_opened(&mut r, each) } else { smb::dissect(&mut r, each) };
    packet.bad |= bad;
    match found {
        Ok(smb::Packet::Sealed(_)) => words.push("encrypted".to_owned()),
        Ok(smb::Packet::Compressed(_)) => words.push("compressed".to_owned()),
        Ok(smb::Packet::Session(_)) => {
            packet.protocol = "NBSS";
            words.push("session".to_owned());
        }
        Ok(smb::Packet::Smb1(message)) => {
            packet.protocol = "SMB1";
            let names = message.blocks.iter().filter_map(|block| block.command.name());
            let answer = if message.header.is_response() { " response" } else { "" };
            words.extend(names.map(|name| format!("{name}{answer}")));
        }
        Ok(smb::Packet::Messages | smb::Packet::Unknown) | Err(_) => {}
    }
    words
}

/// A machine by its name, or else by its address.
pub(super) fn party(party: &Party) -> String {
    match &party.name {
        Some(name) => printable(name),
        None => party.addr.ip().to_string(),
    }
}

/// How long something took.
pub(super) fn took(nanos: i64) -> String {
    let millis = nanos / 1_000_000;
    match millis {
        0..10 => {
            let text = millionths(nanos);
            format!("{} ms", text.get(..text.len().saturating_sub(4)).unwrap_or(&text))
        }
        10_000..600_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        600_000.. => format!("{} min", millis / 60_000),
        _ => format!("{millis} ms"),
    }
}
