//! What the judge is given: any capture, and any conversation of few clients, servers, sets and
//! copies, whose octets are made here without asking whether anybody would say them.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::LazyLock;

use vshark::bytes::{Buffer, Ends, FrameNo, Guid, Order, Piece, Side, Time, View};
use vshark::call::{Call, Carrier, PipeUse, Transport};
use vshark::capture::Capture;
use vshark::check::{Finding, Judge, Knowledge, Options};
use vshark::gate::{Exit, Gate, Mark};
use vshark::pipeline::{Around, BindAnswer, Bound, Challenged, Event, Negotiated, Pipeline, What};
use vshark::protocol::fsrvp;
use vshark::report::check::{CheckList, Options as Form, Scene};
use vshark::report::gate::Gated;
use vshark::report::json;
use vshark::report::text::TimeStyle;
use vshark::rpc::{self, Auth, ChannelId, Ending, SyntaxId, Transfer};
use vshark::smb::Status;

use super::{REGISTRY, Script, address, colourless, harmless};

pub(super) static KNOWLEDGE: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::load(&[]).expect("the embedded rules load"));

/// How a conversation is judged, by the bits of an octet.
fn options(flags: u8) -> Options {
    let profile = ["auto", "spec", "windows", "windows2012", "samba"][usize::from(flags >> 3) % 5];
    Options {
        choice: KNOWLEDGE.choose(profile).expect("it is one of ours"),
        all_clients: flags & 1 != 0,
        idle_start: flags & 2 != 0,
    }
}

/// What a judge finds, asked after each event or only in the end; and what a person reads of it.
fn judged(flags: u8, events: &[Event]) -> (Vec<Finding>, String) {
    let mut judge = Judge::new(&KNOWLEDGE, options(flags));
    let form = Form { time: TimeStyle::Utc, width: Form::WIDTH };
    let mut list = CheckList::new(Scene::new(&REGISTRY, &KNOWLEDGE.catalogue, form), false);
    let (mut all, mut out) = (Vec::new(), Vec::new());
    let mut told = |judge: &mut Judge<'_>, list: &mut CheckList<'_>| {
        for finding in judge.take_findings() {
            harmless(&json::line(&json::finding(&finding, Mark::default())));
            list.finding(finding.clone(), false, &mut out).expect("memory takes it");
            all.push(finding);
        }
    };
    for event in events {
        list.scene().see(event);
        judge.event(event);
        if flags & 4 != 0 {
            told(&mut judge, &mut list);
        }
    }
    judge.finish();
    told(&mut judge, &mut list);
    let report = judge.report();
    let all_told = u64::try_from(all.len()).expect("they are few");
    let counted = report.conformance.iter().find(|of| &*of.profile != "spec");
    if let Some(of) = counted.filter(|_| report.servers.len() == 1) {
        let known = all.iter().filter(|finding| finding.known.is_some()).count();
        let own = all_told - u64::try_from(known).expect("they are few");
        assert_eq!(of.errors + of.warnings + of.notes, own, "what is counted was told");
    }
    let mut gate = Gate::default();
    let marks = gate.diagnoses(&report);
    let gated = Gated { gate: &gate, expectations: None, diagnoses: &marks, exit: Exit::Fine };
    list.finish(&report, all_told, &gated, &mut out).expect("memory takes it");
    (all, colourless(&out))
}

/// Judges, and asserts what is true of every judgment.
pub(super) fn judge_events(flags: u8, events: &[Event]) {
    /// Findings that one event may give: a rule, or a few, by each file of rules.
    const MOST: usize = 64;
    let (findings, text) = judged(flags, events);
    harmless(&text);
    assert!(findings.len() <= (events.len() + 1) * MOST, "{} findings", findings.len());
    let calls: BTreeSet<u64> = events.iter().filter_map(number).collect();
    for finding in &findings {
        let named = finding.call.into_iter().chain(finding.related.iter().map(|of| of.call));
        let missing = named.into_iter().find(|call| !calls.contains(call));
        assert_eq!(missing, None, "there is no such call: {finding:?}");
        assert!(KNOWLEDGE.catalogue.get(&finding.rule).is_some(), "{}", finding.rule);
        assert!(finding.message.chars().count() <= 1024, "{}", finding.message);
        assert!(!finding.also.contains(&finding.rule), "{finding:?}");
    }
    let (again, _) = judged(flags, events);
    assert_eq!(findings, again, "the same events give the same findings");
}

/// The number of a call.
fn number(event: &Event) -> Option<u64> {
    match event {
        Event::Call(call) | Event::Asked(call) => Some(call.rpc.n),
        _ => None,
    }
}

/// An octet that says how to judge, and any capture; or a conversation, where the octet is odd.
pub(super) fn judge(data: &[u8]) {
    let Some((flags, rest)) = data.split_first() else { return };
    let events = match flags & 1 {
        0 => captured(rest),
        _ => talk(rest),
    };
    judge_events(flags >> 1, &events);
}

/// All that happens in a capture.
pub(super) fn captured(file: &[u8]) -> Vec<Event> {
    let mut capture = Capture::from_reader("input", Box::new(Cursor::new(file.to_vec())));
    let mut pipeline = Pipeline::new(&REGISTRY);
    let mut events = Vec::new();
    while capture.advance() {
        pipeline.frame(&capture.frame(), &mut events);
    }
    pipeline.finish(&mut events);
    events
}

/// What is said between few, octet by octet.
struct Talk<'a> {
    script: Script<'a>,
    now: i64,
    n: u64,
    events: Vec<Event>,
    /// Calls that wait for their answer.
    waiting: Vec<Call>,
}

/// A conversation: for each thing that happens its kind, and what else it needs.
fn talk(data: &[u8]) -> Vec<Event> {
    let mut talk = Talk {
        script: Script(data),
        now: 1_700_000_000_000_000_000,
        n: 0,
        events: Vec::new(),
        waiting: Vec::new(),
    };
    while talk.events.len() < 512 && talk.step().is_some() {}
    for call in std::mem::take(&mut talk.waiting) {
        talk.events.push(Event::Call(Box::new(call)));
    }
    talk.events
}

/// A GUID out of four, or nil.
fn guid(of: u8) -> Guid {
    match of & 7 {
        0 => Guid::nil(),
        of => Guid::from_u128(u128::from(of) << 96 | 0x4000_8000_0000_0000_0000),
    }
}

fn put(stub: &mut Vec<u8>, word: u32) {
    while !stub.len().is_multiple_of(4) {
        stub.push(0);
    }
    stub.extend(word.to_le_bytes());
}

fn put_guid(stub: &mut Vec<u8>, of: u8) {
    while !stub.len().is_multiple_of(4) {
        stub.push(0);
    }
    stub.extend(guid(of).to_bytes_le());
}

fn put_text(stub: &mut Vec<u8>, text: &str) {
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let count = u32::try_from(units.len()).expect("it is short");
    for word in [count, 0, count] {
        put(stub, word);
    }
    stub.extend(units.into_iter().flat_map(u16::to_le_bytes));
}

/// The name of a share, good or bad.
fn share(of: u8) -> String {
    match of & 15 {
        0 => String::new(),
        1 => r"\\".to_owned(),
        2 => "\\\\fs\\\u{1b}[31mred\u{202e}".to_owned(),
        3 => format!(r"\\fs\{}", "x".repeat(5000)),
        4 => format!(r"\\fs\{}y", "x".repeat(5000)),
        5 => r"\\fs.example.com\data\".to_owned(),
        6 => r"\\10.0.0.8\DATA".to_owned(),
        7 => format!(r"\\fs\data@{{{}}}", guid(of >> 4)),
        8 | 9 => r"\\fs\data".to_owned(),
        10 => r"\\other\data".to_owned(),
        _ => r"\\fs\logs".to_owned(),
    }
}

const STATUSES: [u32; 16] = [
    0,
    0,
    0,
    0,
    0,
    0,
    0x8004_2301,
    0x8004_2308,
    0x8004_230c,
    0x8004_2316,
    0x8004_2501,
    0x8007_0005,
    0x8007_0057,
    0x8000_4005,
    0x0000_0102,
    0x7fff_ffff,
];

impl Talk<'_> {
    fn step(&mut self) -> Option<()> {
        let (kind, who) = (self.script.u8()?, self.script.u8()?);
        self.pass();
        match kind {
            0..=0x9f => {
                let call = self.ask(kind % 13, who)?;
                self.events.push(Event::Asked(Box::new(call.clone())));
                self.waiting.push(call);
                if kind < 0x80 {
                    self.answer(0);
                }
            }
            0xa0..=0xaf => self.answer(usize::from(who)),
            0xb0..=0xb7 => {
                // What is given up.
                if !self.waiting.is_empty() {
                    let at = usize::from(who) % self.waiting.len();
                    let call = self.waiting.remove(at);
                    self.events.push(Event::Call(Box::new(call)));
                }
            }
            kind => self.around(kind, who),
        }
        Some(())
    }

    /// Time goes on, mostly.
    fn pass(&mut self) {
        const SECOND: i64 = 1_000_000_000;
        let step = match self.script.u8().unwrap_or(0) {
            0xff => i64::MAX,
            0xfe => i64::MIN,
            0xfd => -60 * SECOND,
            0xfc => 3600 * SECOND * 24 * 365,
            n @ 0xe0.. => i64::from(n & 15) * 181 * SECOND,
            n @ 0xc0.. => i64::from(n & 31) * 10 * SECOND,
            n => i64::from(n) * SECOND / 16,
        };
        self.now = self.now.saturating_add(step);
    }

    fn ends(who: u8) -> Ends {
        let client: SocketAddr = address(who & 3, 50_000 + u16::from(who >> 2 & 3));
        Ends { client, server: address(8 + (who >> 4 & 1), 445) }
    }

    fn channel(who: u8) -> ChannelId {
        ChannelId(u32::from(who & 0x1f).into())
    }

    fn message(&self, stub: &[u8], who: u8, cut: bool) -> rpc::Message {
        let len = u32::try_from(stub.len()).expect("it is short");
        let frame = FrameNo(self.n * 2);
        let time = Time::from_nanos(i128::from(self.now));
        let piece = Piece { at: 0, len, frame, offset: 54, time, made: false };
        let mut bytes = Buffer::default();
        bytes.push(View::new(stub, &[piece], &[]));
        rpc::Message {
            stub: bytes,
            frames: vec![frame],
            time,
            ends: Self::ends(who),
            order: Order::Little,
            fragments: 1,
            complete: !cut,
            from_start: true,
            sealed: who & 0x40 != 0,
            unsealed: false,
            verdict: None,
            open_end: None,
            pdus: Vec::new(),
        }
    }

    fn ask(&mut self, opnum: u8, who: u8) -> Option<Call> {
        let (a, b) = (self.script.u8()?, self.script.u8()?);
        let mut stub = Vec::new();
        let id = |stub: &mut Vec<u8>| put_guid(stub, a);
        match opnum {
            1 => {
                put(&mut stub, [0, 9, 0x19, 0x10, 0x0040_0009, 0x0040_0012, 7][usize::from(a % 7)]);
            }
            2 | 6 | 7 => id(&mut stub),
            3 => {
                put_guid(&mut stub, b);
                id(&mut stub);
                put_text(&mut stub, &share(b));
            }
            4 | 5 | 12 => {
                id(&mut stub);
                put(&mut stub, [0, 60_000, 1_800_000, u32::MAX][usize::from(b % 4)]);
            }
            8 | 9 => put_text(&mut stub, &share(b)),
            10 | 11 => {
                put_guid(&mut stub, if opnum == 10 { b } else { a });
                put_guid(&mut stub, if opnum == 10 { a } else { b });
                put_text(&mut stub, &share(b >> 3));
                if opnum == 10 {
                    put(&mut stub, 1 + u32::from(b == 0xff));
                }
            }
            _ => {}
        }
        self.n += 1;
        let (major, minor) = fsrvp::VERSION;
        let call = rpc::Call {
            channel: Self::channel(who),
            n: self.n,
            call_id: 1,
            context_id: None,
            interface: (who & 0xe0 != 0xe0).then_some(SyntaxId { uuid: fsrvp::UUID, major, minor }),
            transfer: Some(Transfer::Ndr),
            opnum: Some(u16::from(opnum)),
            object: None,
            auth: Auth { auth_type: 9 + (who >> 7), level: 5 + (who >> 6 & 1), ..Auth::NONE },
            header_sign: None,
            request: (a != 0xff).then(|| self.message(&stub, who, false)),
            response: None,
            ending: Ending::NoAnswer,
            near_loss: false,
        };
        Some(self.carried(call))
    }

    fn carried(&self, call: rpc::Call) -> Call {
        let pipe = PipeUse {
            name: Some(fsrvp::PIPE.to_owned()),
            dialect: None,
            session_id: 1,
            tree_id: None,
            file_id: None,
            encrypted: false,
            signed: false,
            user: self.n.is_multiple_of(5).then(|| r"FS\guest".to_owned()),
        };
        let name = Some("fs".to_owned());
        let transport = Transport::NamedPipe(Box::new(pipe));
        Call::new(call, Carrier { transport, client_name: None, server_name: name }, &REGISTRY)
    }

    /// The answer to one that waits, the last or another.
    fn answer(&mut self, from_end: usize) {
        let Some(at) = self.waiting.len().checked_sub(1) else { return };
        let call = self.waiting.remove(at - from_end % (at + 1));
        let (Some(a), Some(b)) = (self.script.u8(), self.script.u8()) else { return };
        self.pass();
        let status = STATUSES[usize::from(a & 15)];
        let mut stub = Vec::new();
        match call.rpc.opnum {
            Some(0) => {
                put(&mut stub, 1 + u32::from(b & 1));
                put(&mut stub, 1);
            }
            Some(2 | 3) => put_guid(&mut stub, b),
            Some(8) => {
                put(&mut stub, u32::from(b & 1));
                put(&mut stub, u32::from(b & 2) << 8);
                if b & 2 != 0 {
                    put_text(&mut stub, share(b >> 4).trim_start_matches('\\'));
                }
            }
            Some(9) => {
                put(&mut stub, u32::from(b & 1));
                put(&mut stub, u32::from(b >> 1 & 7));
            }
            Some(10) => self.mapping(b, &mut stub),
            _ => {}
        }
        put(&mut stub, status);
        let mut rpc = call.rpc;
        let who = u8::try_from(rpc.channel.0 & 0x1f).expect("five bits");
        rpc.ending = match a >> 4 {
            0xf => Ending::Fault([5, 0x1c01_0002, 0x1c00_000d, 0x6f7][usize::from(b & 3)]),
            _ => Ending::Response,
        };
        rpc.response = Some(self.message(&stub, who | a & 0x40, a >> 4 == 0xe));
        let call = self.carried(rpc);
        self.events.push(Event::Call(Box::new(call)));
    }

    fn mapping(&mut self, b: u8, stub: &mut Vec<u8>) {
        put(stub, 1);
        put(stub, u32::from(b & 1) << 9);
        if b & 1 == 0 {
            return;
        }
        put_guid(stub, b >> 1);
        put_guid(stub, b >> 4);
        put(stub, 0x300);
        put(stub, 0x400);
        while !stub.len().is_multiple_of(8) {
            stub.push(0);
        }
        let time = match b & 3 {
            1 => u64::MAX,
            _ => u64::try_from(self.now / 100).unwrap_or(0).saturating_add(116_444_736_000_000_000),
        };
        stub.extend(time.to_le_bytes());
        put_text(stub, &share(b >> 3));
        put_text(stub, share(7 | b & 0xf0).trim_start_matches(r"\\fs\"));
    }

    /// Something beside the calls.
    fn around(&mut self, kind: u8, who: u8) {
        let arg = self.script.u8().unwrap_or(0);
        let channel = Self::channel(who);
        let by = [None, Some(Side::Client), Some(Side::Server)][usize::from(arg % 3)];
        let status = Status(if arg & 1 == 0 { 0 } else { 0xc000_00cc });
        let time = |secs: u8| Time::from_secs(1_700_000_000 + i64::from(secs));
        let what = match kind & 15 {
            0 => What::Lost,
            1 => What::Sealed,
            2 | 3 => What::ChannelClosed { channel, by, reset: false },
            4 => What::Disconnected { by, reset: arg & 8 != 0 },
            5 => What::TreeConnected { path: share(arg) },
            6 => What::TreeRefused { path: share(arg), status: Status(0xc000_00cc) },
            7 => What::Wrote { path: share(arg), status },
            8 => What::PipeOpened {
                channel,
                name: Some(fsrvp::PIPE.to_owned()),
                tree_path: Some(r"\\fs\IPC$".to_owned()),
            },
            9 => What::PipeRefused { name: fsrvp::PIPE.to_owned(), status },
            10 => What::Challenged(Box::new(Challenged {
                version: Some((if arg & 1 == 0 { 6 } else { 10 }, 1, u16::from(arg >> 1) * 300)),
                computer: Some(share(arg)),
                ..Challenged::default()
            })),
            11..=13 => What::Negotiated(Box::new(Negotiated {
                dialect: Some("3.1.1".to_owned()),
                server_guid: Some(guid(arg)),
                client_guid: Some(guid(arg >> 3)),
                started: Some(time(arg)),
                now: Some(time(arg)),
                ..Negotiated::default()
            })),
            _ => What::Bound(Box::new(Bound {
                channel,
                pipe: (arg & 1 == 0).then(|| fsrvp::PIPE.to_owned()),
                tcp: arg & 2 != 0,
                interface: Some(SyntaxId { uuid: fsrvp::UUID, major: 1, minor: 0 }),
                auth: Auth::NONE,
                answer: match arg >> 2 & 3 {
                    0 | 1 => BindAnswer::Accepted,
                    2 => BindAnswer::Nak(1),
                    _ => BindAnswer::Fault(5),
                },
            })),
        };
        let ends = Self::ends(who);
        self.events.push(Event::Around(Box::new(Around {
            time: Time::from_nanos(i128::from(self.now)),
            frame: None,
            client: ends.client,
            server: ends.server,
            server_name: None,
            what,
        })));
    }
}
