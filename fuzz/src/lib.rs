//! What the fuzz targets run: one function a layer, any bytes in, nothing out, no panic.
//!
//! `tests/fuzz.rs` includes this file too and replays what was once found through the same
//! functions. An input is the smallest thing that drives a layer: a capture file, a frame behind
//! its link type, or a script of chunks with a few octets before each.
//!
//! To run a target, with a nightly compiler and cargo-fuzz:
//!
//! ```sh
//! mkdir -p fuzz/corpus/smb
//! cargo +nightly fuzz run smb fuzz/corpus/smb fuzz/seeds/smb -- -timeout=10 -rss_limit_mb=1024
//! ```
//!
//! An input that crashed goes to `tests/fuzz/smb/` under a name that says what it is, with the fix.

mod beside;
mod held;
mod krb;
mod objects;
mod talk;
mod token;
mod transform;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use vshark::bytes::{
    Both, Buffer, Ends, FrameNo, Framed, Layer, LinkType, Missing, Order, Piece, Reader, Side,
    Span, Stream, Time, Tree, View,
};
use vshark::call::{Call, Carrier, Transport};
use vshark::capture::{Capture, Origins};
use vshark::filter::{Column, Filter, Subject};
use vshark::idl::Syntax;
use vshark::ndr::tower::Tower;
use vshark::ndr::{self, Arg, Arguments, Context, Decoded, Direction};
use vshark::pipeline::{Event, Pipeline, Resolver};
use vshark::protocol::{Grade, Interface, Registry, fsrvp};
use vshark::report::{json, show, text, unseen, value};
use vshark::rpc::{self, ChannelId, Origin, Rpc, datagram, pdu, trailer};
use vshark::scenario::Scenario;
use vshark::security::keys;
use vshark::smb::{self, ConnectionId, Smb};
use vshark::tcp::{Flow, Flows, Interest, Receiver, Segment};
use vshark::{idl, net, security};

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the embedded dissectors load"));

/// What a target does with an input.
type Run = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Run); 21] = [
    ("capture", capture),
    ("pipeline", pipeline),
    ("link", link),
    ("fragments", fragments),
    ("tcp", tcp),
    ("smb", smb),
    ("rpc", rpc),
    ("ndr", ndr),
    ("idl", idl),
    ("filter", filter),
    ("scenario", scenario),
    ("judge", judge),
    ("lore", lore),
    ("diff", diff),
    ("objref", objref),
    ("activation", activation),
    ("objects", objects),
    ("keytab", keytab),
    ("ap_req", ap_req),
    ("transform", transform),
    ("token", token),
];

/// The octets of a script, taken from the front.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.u8()?, self.u8()?]))
    }

    /// A chunk behind its length; the last one may be short.
    fn chunk(&mut self) -> Option<&'a [u8]> {
        let len = usize::from(self.u16()?).min(self.0.len());
        let (chunk, rest) = self.0.split_at(len);
        self.0 = rest;
        Some(chunk)
    }
}

/// The bytes as if one frame had carried them.
fn piece(bytes: &[u8], frame: u64) -> Piece {
    let len = u32::try_from(bytes.len()).expect("an input is small");
    let time = Time::from_nanos(i128::from(frame) * 1_000_000);
    Piece { at: 0, len, frame: FrameNo(frame), offset: 54, time, made: false }
}

fn address(host: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(10, 0, 0, host), port).into()
}

fn ends(of: u8) -> Ends {
    Both { client: address(of & 1, 50_000 + u16::from(of)), server: address(8 + (of & 3), 445) }
}

/// Nothing that is written for a person has anything in it that a terminal would act on.
fn harmless(text: &str) {
    let bad = text.chars().find(|c| *c != '\n' && vshark::bytes::is_invisible(*c));
    assert_eq!(bad, None, "in {text:?}");
}

/// Without the colours, which are ours.
fn colourless(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).expect("what is written is UTF-8");
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(after.len());
        assert!(after[end..].starts_with('m'), "only colours: {after:?}");
        rest = &after[end + 1..];
    }
    plain.push_str(rest);
    plain
}

/// The rows of a unit: within it, and harmless.
fn check_rows(tree: &Tree) {
    for node in tree.nodes() {
        harmless(&node.value);
    }
}

/// Everything that can be said of a call.
fn report(call: &Call) {
    let writer = json::Writer { registry: &REGISTRY, files: vec!["a".into(), "b".into()] };
    harmless(&json::line(&writer.call(call, &Origins::default(), None)));
    let mut out = Vec::new();
    show::call(call, &REGISTRY, text::TimeStyle::Utc, &mut out).expect("memory takes it");
    harmless(&colourless(&out));
}

/// Any bytes as a capture file, read to its end.
pub fn capture(data: &[u8]) {
    let mut capture = Capture::from_reader("input", Box::new(Cursor::new(data.to_vec())));
    let mut last = 0;
    while capture.advance() {
        let frame = capture.frame();
        assert!(frame.no.0 > last, "frames are numbered upwards");
        last = frame.no.0;
        assert!(usize::try_from(frame.wire_len).expect("32 bits") >= frame.data.len());
        if let Some(comment) = frame.comment {
            let mut shown = Vec::new();
            show::comment(comment, &mut shown).expect("memory takes it");
            harmless(&colourless(&shown));
        }
        for problem in capture.problems() {
            let _ = problem.to_string();
        }
        let _ = capture.names();
        if last == 3 {
            capture.set_shift(0, i64::from(data[0]) - 99);
        }
    }
    let _ = json::line(&json::capture(capture.files(), &[], true));
}

/// Any bytes as a capture file, through all layers and every report.
pub fn pipeline(data: &[u8]) {
    let mut capture = Capture::from_reader("input", Box::new(Cursor::new(data.to_vec())));
    let watched = data.last().map(|last| FrameNo(u64::from(*last)));
    let mut pipeline = Pipeline::watching(&REGISTRY, watched);
    let mut list = text::CallList::new(&REGISTRY, text::Options::default());
    let mut out = Vec::new();
    let mut events = Vec::new();
    let mut see = |events: &mut Vec<Event>| {
        let (mut calls, mut units) = (Vec::new(), Vec::new());
        for event in events.drain(..) {
            match event {
                Event::Call(call) => calls.push(*call),
                Event::Unit(unit) => units.push(unit),
                Event::Asked(_) | Event::Around(_) => {}
            }
        }
        for call in &calls {
            report(call);
            list.call(call, &mut out).expect("memory takes it");
        }
        units
    };
    while capture.advance() {
        let frame = capture.frame();
        pipeline.frame(&frame, &mut events);
        let units = see(&mut events);
        if Some(frame.no) == watched {
            let pieces = [Piece { offset: 0, ..piece(frame.data, frame.no.0) }];
            let mut shown = Vec::new();
            let view = View::new(frame.data, &pieces, &[]);
            show::frame(frame.link, view, &units, text::TimeStyle::Utc, &mut shown)
                .expect("memory takes it");
            harmless(&colourless(&shown));
        }
    }
    pipeline.finish(&mut events);
    see(&mut events);
    list.finish(&mut out).expect("memory takes it");
    harmless(&colourless(&out));
    let _ = unseen::not_listed(&pipeline.summary());
}

/// One frame: the first octet chooses its link type, the second how much of it was cut off.
pub fn link(data: &[u8]) {
    const LINKS: [u16; 16] = [0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 105, 7, 9, 50, 51, 239];
    let mut script = Script(data);
    let (Some(link), Some(cut)) = (script.u8(), script.u8()) else { return };
    let link = LinkType(LINKS[usize::from(link) % LINKS.len()]);
    let frame = script.0;
    let len = u32::try_from(frame.len()).expect("an input is small");
    let pieces = [Piece { offset: 0, ..piece(frame, 1) }];
    let view = View::new(frame, &pieces, &[]);
    let found = net::dissect(link, view, len + u32::from(cut));
    if let net::Dissected::Udp(net::UserDatagram { payload, .. }) = found {
        let payload = view.slice(payload).bytes();
        for by in [53, 137, 5355].map(Resolver::of).into_iter().flatten() {
            let name = net::dns::answer(by, payload).map_or(0, |answer| answer.name.len());
            assert!(name <= 3 * 255, "a name has 255 octets, each of which may become three");
        }
        let _ = security::kerberos::error(payload);
    }
    match found {
        net::Dissected::Tcp(net::Segment { payload, payload_len, .. })
        | net::Dissected::Udp(net::UserDatagram { payload, payload_len, .. })
        | net::Dissected::Fragment(net::Fragment { payload, payload_len, .. }) => {
            assert!(payload.end <= len && payload.start <= payload.end);
            assert!(payload_len >= payload.len());
        }
        net::Dissected::Undelivered(lost) => harmless(&lost.code.to_string()),
        net::Dissected::Other(other) => harmless(&other.to_string()),
    }
    let mut tree = Tree::default();
    net::rows(link, view, &mut tree);
    check_rows(&tree);
    for node in tree.nodes() {
        assert!(node.span.end <= len, "{node:?} is beyond {len}");
    }
}

/// Fragments of few datagrams: which and whether more follow, where, how long, how much of it was
/// captured, and when. What is put together is read on.
pub fn fragments(data: &[u8]) {
    let mut script = Script(data);
    let mut fragments = net::Fragments::default();
    let bytes: Vec<u8> = data.iter().cycle().take(2048).copied().collect();
    let mut now = 1_000_000_000i128;
    for frame in 1.. {
        let (Some(flags), Some(offset), Some(len)) = (script.u8(), script.u8(), script.u8()) else {
            break;
        };
        let (Some(cut), Some(step)) = (script.u8(), script.u8()) else { break };
        now += match step {
            0xff => 31_000_000_000,
            0xfe => -31_000_000_000,
            n => i128::from(n) * 1_000_000,
        };
        let four = flags & 1 == 0;
        let end = |host: u8| match address(host, 0).ip() {
            std::net::IpAddr::V4(ip) if !four => ip.to_ipv6_mapped().into(),
            ip => ip,
        };
        let protocol = [6, 17, 4, 47][usize::from(flags >> 6)];
        let more = flags & 2 == 0;
        let unit = if more { 8 } else { 1 };
        let payload_len = (u32::from(len) + 1) * unit;
        let kept = payload_len.saturating_sub(u32::from(cut));
        let fragment = net::Fragment {
            ip: net::Ip {
                src: end(1),
                dst: end(2),
                protocol,
                identification: four.then_some(u16::from(flags >> 2 & 15)),
            },
            identification: u32::from(flags >> 2 & 15),
            offset: u32::from(offset) * 8,
            more,
            payload: Span::new(0, kept),
            payload_len,
        };
        let from = usize::from(offset) % 64;
        let bytes = bytes.get(from..).unwrap_or_default();
        let payload = &bytes[..bytes.len().min(usize::try_from(kept).expect("small"))];
        let pieces = [Piece { time: Time::from_nanos(now), ..piece(payload, frame) }];
        let time = Time::from_nanos(now);
        let whole = fragments.take(&fragment, View::new(payload, &pieces, &[]), time);
        if let Some(whole) = whole {
            let view = whole.bytes.view();
            let carried: u32 = view.pieces().map(|piece| piece.len).sum();
            let missing: u32 = view.holes().map(|hole| hole.len).sum();
            assert_eq!(carried + missing, view.len(), "each byte is carried or missing, once");
            let mut tree = Tree::default();
            whole.ip.rows(view, &mut tree);
            check_rows(&tree);
            if let net::Dissected::Tcp(tcp) = whole.ip.dissect(view) {
                let (mut said, mut on_wire) = (0, 0);
                vshark::tcp::parts(tcp, view.slice(tcp.payload), (FrameNo(frame), time), |part| {
                    said += part.payload.len();
                    on_wire += part.header.payload_len;
                });
                assert!(said <= usize::try_from(on_wire).expect("small"));
                assert_eq!(on_wire, tcp.payload_len);
            }
        }
    }
    let counters = fragments.counters();
    assert!(counters.datagrams + counters.incomplete <= counters.fragments);
}

/// Any bytes as a keytab, and as a file of keys.
pub fn keytab(data: &[u8]) {
    match keys::keytab::read("input", data) {
        Ok(found) => {
            assert!(!found.keys.is_empty() && found.keys.len() <= keys::keytab::MAX_KEYS);
            let octets: usize = found.keys.iter().map(|key| key.key.octets().len()).sum();
            assert!(octets <= data.len(), "no key is longer than the file");
            for damaged in &found.damaged {
                harmless(&damaged.to_string());
            }
        }
        Err(error) => harmless(&error.to_string()),
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    match keys::file::parse("input", text) {
        Ok(found) => assert!(found.ring.len() + found.keytabs.len() <= data.len()),
        Err(error) => {
            harmless(&error.to_string());
            assert!(error.to_string().len() < 400, "an error is of its own words: {error}");
        }
    }
}

/// What the receiver of a flow is promised.
#[derive(Default)]
struct Heard {
    said: BTreeMap<u32, Both<u64>>,
    closed: BTreeMap<u32, bool>,
    ignore: u32,
}

impl Receiver for Heard {
    fn data(&mut self, flow: &Flow, side: Side, view: View<'_>) -> Interest {
        assert!(!view.is_empty(), "there is something in what is delivered");
        assert!(view.pieces().next().is_some_and(|piece| piece.len == view.len()));
        assert_eq!(self.closed.get(&flow.id.0), None, "nothing comes after the end");
        self.said.entry(flow.id.0).or_default()[side] += u64::from(view.len());
        if flow.id.0 % 8 == 7 && self.ignore > 0 {
            self.ignore -= 1;
            return Interest::Ignore;
        }
        Interest::Keep
    }

    fn gap(&mut self, flow: &Flow, _: Side, len: u64, _: Missing) {
        assert!(len > 0, "a gap has a length");
        assert_eq!(self.closed.get(&flow.id.0), None, "nothing comes after the end");
    }

    fn closed(&mut self, flow: &Flow) {
        assert_eq!(self.closed.insert(flow.id.0, true), None, "a flow ends once");
    }
}

/// Segments: flags and side, distance of the sequence and acknowledgment numbers, time, length.
pub fn tcp(data: &[u8]) {
    let mut script = Script(data);
    let mut flows = Flows::default();
    let mut heard = Heard { ignore: 3, ..Heard::default() };
    let bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
    let mut now = 1_000_000_000i128;
    for frame in 1.. {
        let (Some(flags), Some(seq), Some(ack)) = (script.u8(), script.u8(), script.u8()) else {
            break;
        };
        let (Some(len), Some(step)) = (script.u8(), script.u8()) else { break };
        // Far distances, to meet the turn of the numbers, and near ones, to meet each other.
        let number = |n: u8, base: u32| match n {
            0xf0..=0xff => base.wrapping_add(u32::from(n) << 28),
            n => base.wrapping_add(u32::from(n) * 16),
        };
        let base = if flags & 0x80 == 0 { 100 } else { u32::MAX - 600 };
        now += match step {
            0xff => 3_000_000_000,
            0xfe => -5_000_000_000,
            n => i128::from(n) * 1_000_000,
        };
        let port = 50_000 + u16::from(flags >> 5 & 1);
        let (client, server) = (address(1, port), address(2, 445));
        let (src, dst) = if flags & 1 == 0 { (client, server) } else { (server, client) };
        let whole = usize::from(len & 0x7f) * if flags & 0x40 == 0 { 1 } else { 32 };
        let kept = if len & 0x80 == 0 { whole } else { whole / 2 };
        let header = net::Segment {
            src,
            dst,
            identification: None,
            seq: number(seq, base),
            ack: (flags & 2 != 0).then(|| number(ack, base)),
            syn: flags & 4 != 0,
            fin: flags & 8 != 0,
            rst: flags & 16 != 0,
            psh: false,
            payload: Span::new(54, 54 + u32::try_from(kept).expect("small")),
            payload_len: u32::try_from(whole).expect("small"),
        };
        let segment = Segment {
            header,
            payload: &bytes[..kept],
            frame: FrameNo(frame),
            time: Time::from_nanos(now),
        };
        flows.segment(&segment, &mut heard);
    }
    flows.finish(&mut heard);
    let opened = flows.counters().flows;
    assert!(u64::try_from(heard.closed.len()).expect("few") <= opened);
}

/// SMB on some connections, and what becomes of its messages.
struct OnSmb<'a> {
    smb: &'a mut Smb,
    connection: ConnectionId,
    ends: Ends,
    side: Side,
    events: Vec<smb::Event>,
}

impl OnSmb<'_> {
    fn settle(&mut self, unit: Option<View<'_>>) {
        for event in self.events.drain(..) {
            match event {
                smb::Event::PipeData { pipe, span, .. } => {
                    let unit = unit.expect("data come with a message");
                    assert!(span.end <= unit.len() && !span.is_empty());
                    assert!(self.smb.pipe(pipe).is_some(), "a pipe is known while it is open");
                }
                smb::Event::PipeClosed { pipe, .. } => self.smb.forget(pipe),
                _ => {}
            }
        }
    }
}

impl Layer for OnSmb<'_> {
    const HEADER: u32 = smb::HEADER_MAX;

    fn frame(&mut self, head: View<'_>) -> Framed {
        self.smb.frame(self.connection, head)
    }

    fn unit(&mut self, unit: View<'_>, whole: u32) {
        assert!(unit.len() <= whole);
        let plain = self.smb.advance(self.connection, self.ends, unit, whole, &mut self.events);
        self.settle(Some(unit));
        if let Some(plain) = plain {
            self.smb.advance_plain(self.connection, self.ends, &plain, &mut self.events);
            self.settle(Some(plain.message.view()));
        }
        let mut tree = Tree::default();
        let mut shown = Vec::new();
        let a = smb::dissect(&mut Reader::new(unit, &mut tree), |message| shown.push(message));
        let mut plain = Vec::new();
        let b = smb::dissect(&mut Reader::new(unit, &mut ()), |message| plain.push(message));
        assert_eq!((&a, shown), (&b, plain), "rows change nothing");
        check_rows(&tree);
        if let Ok(smb::Packet::Compressed(transform)) = a {
            decompress(unit, &transform);
        }
    }

    fn resync(&mut self, bytes: &[u8]) -> Option<u32> {
        smb::resync(self.side, bytes)
    }

    fn desync(&mut self, _: u32) {
        self.smb.lost(self.connection, &mut self.events);
        self.settle(None);
    }
}

/// What is in a compressed unit: no more than was told, every byte from somewhere, and the same at
/// its beginning if no more is wanted.
fn decompress(unit: View<'_>, transform: &smb::CompressionTransform) {
    let Ok(whole) = smb::decompress(unit, transform, u32::MAX) else { return };
    let bytes = whole.message.view();
    assert_eq!(whole.whole, transform.message_size);
    assert!(if transform.cut { bytes.len() <= whole.whole } else { bytes.len() == whole.whole });
    let carried = bytes
        .pieces()
        .try_fold(0, |end, piece| (piece.at <= end).then_some(end.max(piece.at + piece.len)));
    assert!(unit.pieces().next().is_none() || carried == Some(bytes.len()));
    for wanted in [0, 1, 64, 4096] {
        let head = smb::decompress(unit, transform, wanted).expect("a part of what there is");
        assert_eq!(head.message.len(), wanted.min(bytes.len()));
        assert!(bytes.bytes().starts_with(head.message.view().bytes()));
    }
    let mut tree = Tree::default();
    let _ = smb::dissect_plain(&mut Reader::new(bytes, &mut tree), whole.whole, |_| {});
    check_rows(&tree);
}

/// Chunks of the two directions of four connections: a control octet before each.
pub fn smb(data: &[u8]) {
    let mut script = Script(data);
    let mut smb = Smb::default();
    let mut streams: Vec<Both<Stream>> = (0..4).map(|_| Both::default()).collect();
    for frame in 1.. {
        let Some(control) = script.u8() else { break };
        let of = control & 3;
        let side = if control & 4 == 0 { Side::Client } else { Side::Server };
        let connection = ConnectionId(of.into());
        let stream = &mut streams[usize::from(of)][side];
        let mut layer =
            OnSmb { smb: &mut smb, connection, ends: ends(of), side, events: Vec::new() };
        match control >> 3 {
            1 => {
                let Some(len) = script.u16() else { break };
                stream.gap(len.into(), Missing::Lost, &mut layer);
            }
            2 => {
                smb.closed(connection, None, &mut Vec::new());
                streams[usize::from(of)] = Both::default();
            }
            3 => {
                let Some(len) = script.u16() else { break };
                stream.gap(u64::from(len) << 16, Missing::Snapped, &mut layer);
            }
            _ => {
                let Some(chunk) = script.chunk() else { break };
                let _ = smb::plausible_start(chunk);
                stream.feed(View::new(chunk, &[piece(chunk, frame)], &[]), &mut layer);
            }
        }
    }
}

/// Encrypted messages with keys in the ring.
pub fn transform(data: &[u8]) {
    transform::transform(data);
}

/// Chunks of the two directions of four channels: a control octet before each.
pub fn rpc(data: &[u8]) {
    let mut script = Script(data);
    let mut rpc = Rpc::keeping_pdus();
    let mut out = Vec::new();
    let mut watch = |unit: View<'_>| {
        let mut tree = Tree::default();
        let shown = pdu::dissect(&mut Reader::new(unit, &mut tree));
        let plain = pdu::dissect(&mut Reader::new(unit, &mut ()));
        assert_eq!(format!("{shown:?}"), format!("{plain:?}"), "rows change nothing");
        check_rows(&tree);
    };
    for frame in 1.. {
        let Some(control) = script.u8() else { break };
        let channel = ChannelId(u64::from(control & 3) + (u64::from(control & 2) << 32));
        let side = if control & 4 == 0 { Side::Client } else { Side::Server };
        let ends = ends(control & 3);
        let origin = Origin { channel, ends, side };
        match control >> 3 {
            1 => {
                let Some(len) = script.u16() else { break };
                rpc.gap(origin, len.into(), Missing::Lost, &mut out, &mut watch);
            }
            2 => rpc.close(channel, &mut out),
            3 => rpc.lost(channel, ends, &mut out, &mut watch),
            4 => rpc.begin_midstream(channel),
            control => {
                let Some(chunk) = script.chunk() else { break };
                let view = [piece(chunk, frame)];
                let view = View::new(chunk, &view, &[]);
                if control == 5 {
                    rpc.resume(origin, view);
                }
                let _ = rpc::find(chunk);
                let _ = trailer::find(view, Order::Little);
                let _ = security::peek(chunk);
                let _ = datagram::dissect(view, view.len());
                harmless(&Tower::read(chunk).to_string());
                rpc.feed(origin, view, &mut out, &mut watch);
            }
        }
        hear(&mut out);
    }
    rpc.finish(&mut out);
    hear(&mut out);
}

fn hear(out: &mut Vec<rpc::Event>) {
    for event in out.drain(..) {
        if let rpc::Event::Call(call) = event {
            let carrier =
                Carrier { transport: Transport::Tcp, client_name: None, server_name: None };
            report(&Call::new(*call, carrier, &REGISTRY));
        }
    }
}

/// A stub: octets for interface, operation, direction and syntax, byte order and a hole, then it.
pub fn ndr(data: &[u8]) {
    let mut script = Script(data);
    let (Some(of), Some(opnum), Some(how)) = (script.u8(), script.u8(), script.u8()) else {
        return;
    };
    let typed = REGISTRY.iter().filter(|interface| interface.grade != Grade::Names);
    let mut interfaces: Vec<_> = typed.collect();
    interfaces.sort_by_key(|interface| (interface.uuid != fsrvp::UUID, interface.uuid));
    let Some(interface) = interfaces.get(usize::from(of) % interfaces.len()) else { return };
    let direction = if how & 1 == 0 { Direction::In } else { Direction::Out };
    let context = Context {
        syntax: if how & 2 == 0 { Syntax::Ndr } else { Syntax::Ndr64 },
        order: if how & 4 == 0 { Order::Little } else { Order::Big },
    };
    let mut stub = Buffer::default();
    if how & 8 != 0 {
        let Some(at) = script.u8() else { return };
        let (before, after) = script.0.split_at(usize::from(at).min(script.0.len()));
        stub.push(View::new(before, &[piece(before, 1)], &[]));
        stub.push_hole(u32::from(at & 7), Missing::Lost);
        stub.push(View::new(after, &[piece(after, 2)], &[]));
    } else {
        stub.push(View::new(script.0, &[piece(script.0, 1)], &[]));
    }
    decode(interface, u16::from(opnum % 64), direction, stub.view(), context);
}

fn decode(
    interface: &Interface,
    opnum: u16,
    direction: Direction,
    stub: View<'_>,
    context: Context,
) {
    let Some(decoded) = interface.decode(opnum, direction, stub, 0, context) else { return };
    assert!(decoded.used <= stub.len());
    for (_, value) in &decoded.params {
        harmless(&value::text(value));
        harmless(&json::line(&value::json(value)));
        let _ = value.as_i64();
    }
    let mut tree = Tree::default();
    ndr::rows(&decoded, &|_| None, &mut tree);
    check_rows(&tree);
    for node in tree.nodes() {
        let Span { start, end } = node.span;
        assert!(start <= end && end <= stub.len(), "{node:?} is beyond the stub");
    }
    for note in &decoded.notes {
        harmless(&note.text);
    }
    match direction {
        Direction::In => drop(fsrvp::Request::bind(opnum, &decoded)),
        Direction::Out => drop(fsrvp::Response::bind(opnum, &decoded)),
    }
    if decoded.stop.is_none() {
        encode(interface, opnum, direction, decoded, context);
    }
}

/// What was read to its end can be written, and reads the same again.
fn encode(
    interface: &Interface,
    opnum: u16,
    direction: Direction,
    decoded: Decoded,
    context: Context,
) {
    let odd = !decoded.notes.is_empty();
    let shown =
        |decoded: &Decoded| (value::fields(&decoded.params), decoded.ret.as_ref().map(value::json));
    let before = shown(&decoded);
    let write = |arguments: &Arguments| {
        let mut stub = Vec::new();
        let written = interface.encode(opnum, direction, arguments, context, &mut stub);
        written.expect("the operation is known").map(|()| stub)
    };
    let stub = write(&decoded.into()).expect("what was read can be written");
    let again = interface.decode(opnum, direction, View::new(&stub, &[], &[]), 0, context);
    let again = again.expect("the operation is known");
    // What is odd may be put right, or be taken otherwise where nothing follows it.
    if !odd {
        assert_eq!(again.stop, None, "what was written can be read");
        assert_eq!(shown(&again), before);
        assert_eq!(write(&again.into()).as_ref(), Ok(&stub));
    }
}

/// Text as an IDL file that may import the common types. What compiles decodes a few bytes.
pub fn idl(data: &[u8]) {
    const COMMON: &str = include_str!("../../dissectors/common/ms-dtyp.idl");
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut sources = idl::Sources::new();
    sources.insert("ms-dtyp.idl".to_owned(), COMMON.to_owned());
    sources.insert("input.idl".to_owned(), text.to_owned());
    let module = match idl::compile("input.idl", &sources) {
        Ok(module) => module,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    let stub: Vec<u8> = (0..=255u8).map(|n| if n % 4 == 0 { 2 } else { 0 }).collect();
    let view = View::new(&stub, &[], &[]);
    for operation in module.interfaces.iter().flat_map(|interface| &interface.operations) {
        for syntax in [Syntax::Ndr, Syntax::Ndr64] {
            let context = Context { syntax, order: Order::Little };
            for direction in [Direction::In, Direction::Out] {
                let types = &module.types;
                let decoded = ndr::decode(types, operation, direction, view, 0, context);
                let mut tree = Tree::default();
                ndr::rows(&decoded, &|_| None, &mut tree);
                check_rows(&tree);
                let (params, ret) = (&decoded.params, decoded.ret.as_ref());
                let mut out = Vec::new();
                let written =
                    ndr::encode(types, operation, direction, params, ret, context, &mut out);
                assert!(written.is_ok() || out.is_empty());
                let args: &[(&str, Arg)] = &[];
                let _ = ndr::build(types, operation, direction, args);
            }
        }
    }
}

/// Text as a filter and as the name of a column, over calls whose request is this very text.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = Filter::parse(text, &REGISTRY).map(|filter| {
        let written = filter.to_string();
        let again = Filter::parse(&written, &REGISTRY).expect("what is written can be read");
        assert_eq!(written, again.to_string(), "and is written the same");
        (filter, again)
    });
    if let Err(error) = &read {
        error.pointed().iter().for_each(|line| harmless(line));
        let _ = error.to_string();
    }
    let column = Column::parse(text, &REGISTRY);
    let files = ["a".to_owned(), "b".to_owned()];
    for opnum in 0..13 {
        let call = asked(opnum, data);
        let subject = Subject {
            call: &call,
            registry: &REGISTRY,
            origins: &Origins::default(),
            files: &files,
        };
        if let Ok((filter, again)) = &read {
            assert_eq!(filter.matches(&subject), again.matches(&subject), "and means the same");
        }
        if let Ok(column) = &column {
            harmless(&column.text(&subject));
        }
    }
}

/// A call of FSRVP with any stub.
fn asked(opnum: u16, stub: &[u8]) -> Call {
    let mut bytes = Buffer::default();
    bytes.push(View::new(stub, &[piece(stub, 1)], &[]));
    let request = rpc::Message {
        stub: bytes,
        frames: vec![FrameNo(1)],
        time: Time::default(),
        ends: ends(0),
        order: Order::Little,
        fragments: 1,
        complete: true,
        from_start: true,
        sealed: false,
        unsealed: false,
        verdict: None,
        open_end: None,
        pdus: Vec::new(),
    };
    let (major, minor) = fsrvp::VERSION;
    let call = rpc::Call {
        channel: ChannelId(0),
        n: 1,
        call_id: 1,
        context_id: None,
        interface: Some(rpc::SyntaxId { uuid: fsrvp::UUID, major, minor }),
        transfer: Some(rpc::Transfer::Ndr),
        opnum: Some(opnum),
        object: None,
        auth: rpc::Auth::NONE,
        header_sign: None,
        response: Some(request.clone()),
        request: Some(request),
        ending: rpc::Ending::Response,
        near_loss: false,
    };
    let carrier = Carrier { transport: Transport::Tcp, client_name: None, server_name: None };
    Call::new(call, carrier, &REGISTRY)
}

/// Text as a scenario. What is understood and short is played, and its capture is read.
pub fn scenario(data: &[u8]) {
    /// Statements written out, so that an input takes milliseconds.
    const MOST: usize = 200;
    let Ok(text) = std::str::from_utf8(data) else { return };
    let scenario = match Scenario::parse("input", text, &REGISTRY) {
        Ok(scenario) => scenario,
        Err(error) => {
            assert!(error.line > 0 && error.column > 0);
            return;
        }
    };
    if scenario.calls().len() > MOST || text.len() > 4096 {
        return;
    }
    let mut file = Vec::new();
    if scenario.write(&mut file).is_err() {
        return;
    }
    let mut capture = Capture::from_reader("made", Box::new(Cursor::new(file)));
    let mut pipeline = Pipeline::new(&REGISTRY);
    let mut events = Vec::new();
    while capture.advance() {
        pipeline.frame(&capture.frame(), &mut events);
    }
    assert!(capture.problems().is_empty(), "what is written can be read");
    pipeline.finish(&mut events);
    assert_eq!(pipeline.summary().rpc.malformed, 0, "no PDU that is written is malformed");
}

/// How to judge, and a capture or a conversation to be judged.
pub fn judge(data: &[u8]) {
    talk::judge(data);
}

/// A file of what is known, of what is expected, or of causes.
pub fn lore(data: &[u8]) {
    beside::lore(data);
}

/// Two captures to be compared.
pub fn diff(data: &[u8]) {
    beside::diff(data);
}

/// A reference to an object.
pub fn objref(data: &[u8]) {
    objects::objref(data);
}

/// An activation, or what else carries references.
pub fn activation(data: &[u8]) {
    objects::activation(data);
}

/// Calls on objects, and what becomes of references.
pub fn objects(data: &[u8]) {
    held::held(data);
}

/// Tokens of a security context, and what it protects.
pub fn token(data: &[u8]) {
    token::token(data);
}

/// Tokens of Kerberos and what keys open of them, messages of a KDC, and PDUs.
pub fn ap_req(data: &[u8]) {
    krb::ap_req(data);
}
