mod datagrams;
mod loss;
mod parts;
mod trailers;

use proptest::prelude::*;

use super::pdu::{Body, Pdu};
use super::*;
use crate::bytes::{Buffer, FrameNo, Guid, Order, Piece, Span, Time};

const FSRVP: &str = "a8e0653c-2744-4389-a61d-7373df8b2292";
const MGMT: &str = "afa8bd80-7d8a-11c9-bef4-08002b102989";
const NDR: Syntax<'static> = ("8a885d04-1ceb-11c9-9fe8-08002b104860", 2);
const NDR64: Syntax<'static> = ("71710533-beba-4937-8319-b5dbef9ccc36", 1);
const FEATURES: Syntax<'static> = ("6cb71c2c-9812-4540-0300-000000000000", 1);
const NOTHING: Syntax<'static> = ("00000000-0000-0000-0000-000000000000", 0);

/// Writes integers in one byte order.
#[derive(Clone)]
struct Writer {
    order: Order,
    bytes: Vec<u8>,
}

impl Writer {
    fn u8(mut self, n: u8) -> Self {
        self.bytes.push(n);
        self
    }
    fn u16(mut self, n: u16) -> Self {
        self.bytes.extend(match self.order {
            Order::Little => n.to_le_bytes(),
            Order::Big => n.to_be_bytes(),
        });
        self
    }
    fn u32(mut self, n: u32) -> Self {
        self.bytes.extend(match self.order {
            Order::Little => n.to_le_bytes(),
            Order::Big => n.to_be_bytes(),
        });
        self
    }
    fn guid(mut self, text: &str) -> Self {
        let guid: Guid = text.parse().unwrap();
        self.bytes.extend(match self.order {
            Order::Little => guid.to_bytes_le(),
            Order::Big => *guid.as_bytes(),
        });
        self
    }
    fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }
    fn syntax(self, (uuid, version): Syntax<'_>) -> Self {
        self.guid(uuid).u32(version)
    }
}

impl From<Writer> for Vec<u8> {
    fn from(writer: Writer) -> Self {
        writer.bytes
    }
}

/// UUID and version.
type Syntax<'a> = (&'a str, u32);
/// Context id, interface, syntaxes offered.
type Proposal<'a> = (u16, &'a str, &'a [Syntax<'a>]);

/// How the PDUs of a test are written.
#[derive(Clone, Copy)]
struct Style {
    order: Order,
    /// `auth_type`, level, padding.
    auth: Option<(u8, u8, u8)>,
}

const PLAIN: Style = Style { order: Order::Little, auth: None };

impl Style {
    fn body(self) -> Writer {
        Writer { order: self.order, bytes: Vec::new() }
    }

    fn pdu(self, ptype: PacketType, flags: u8, call_id: u32, body: impl Into<Vec<u8>>) -> Vec<u8> {
        let mut tail = self.body();
        let mut auth_length = 0;
        if let Some((auth_type, level, pad)) = self.auth {
            auth_length = 16;
            tail = tail.raw(&vec![0xEE; pad.into()]).u8(auth_type).u8(level).u8(pad).u8(0).u32(7);
            tail = tail.raw(&[0x5A; 16]);
        }
        let body = body.into();
        let length = 16 + body.len() + tail.bytes.len();
        let drep = if self.order == Order::Little { 0x10 } else { 0 };
        self.body()
            .raw(&[5, 0, ptype.0, flags, drep, 0, 0, 0])
            .u16(u16::try_from(length).unwrap())
            .u16(auth_length)
            .u32(call_id)
            .raw(&body)
            .raw(&tail.bytes)
            .bytes
    }

    fn bind(self, contexts: &[Proposal<'_>]) -> Vec<u8> {
        self.pdu(PacketType::BIND, 3, 1, self.proposals(contexts))
    }

    fn proposals(self, contexts: &[Proposal<'_>]) -> Writer {
        let count = u8::try_from(contexts.len()).unwrap();
        let mut body = self.body().u16(4280).u16(4280).u32(0).u8(count).u8(0).u16(0);
        for (id, interface, offered) in contexts {
            body = body.u16(*id).u8(u8::try_from(offered.len()).unwrap()).u8(0);
            body = body.syntax((interface, 1));
            for syntax in *offered {
                body = body.syntax(*syntax);
            }
        }
        body
    }

    fn bind_ack(self, results: &[(u16, u16, Syntax<'_>)]) -> Vec<u8> {
        self.pdu(PacketType::BIND_ACK, 3, 1, self.results(results))
    }

    fn results(self, results: &[(u16, u16, Syntax<'_>)]) -> Writer {
        let count = u8::try_from(results.len()).unwrap();
        // The address of 3 octets ends 1 octet before a multiple of four.
        let mut body = self.body().u16(4280).u16(4280).u32(9).u16(3).raw(b"ab\0");
        body = body.raw(&[0; 3]).u8(count).u8(0).u16(0);
        for (result, reason, syntax) in results {
            body = body.u16(*result).u16(*reason).syntax(*syntax);
        }
        body
    }

    fn request(self, call_id: u32, context: u16, opnum: u16, stub: &[u8]) -> Vec<u8> {
        self.fragment(call_id, context, opnum, stub, 3)
    }

    fn fragment(self, call_id: u32, context: u16, opnum: u16, stub: &[u8], flags: u8) -> Vec<u8> {
        let body = self.body().u32(0).u16(context).u16(opnum).raw(stub);
        self.pdu(PacketType::REQUEST, flags, call_id, body)
    }

    fn response(self, call_id: u32, stub: &[u8], flags: u8) -> Vec<u8> {
        let body = self.body().u32(0).u16(0).u16(0).raw(stub);
        self.pdu(PacketType::RESPONSE, flags, call_id, body)
    }

    fn fault(self, call_id: u32, status: u32) -> Vec<u8> {
        let body = self.body().u32(0).u16(0).u16(0).u32(status).u32(0);
        self.pdu(PacketType::FAULT, 3, call_id, body)
    }

    /// A bind to FSRVP in context 0, and its acceptance.
    fn bound(self) -> Vec<(Side, Vec<u8>)> {
        vec![
            (Side::Client, self.bind(&[(0, FSRVP, &[NDR])])),
            (Side::Server, self.bind_ack(&[(0, 0, NDR)])),
        ]
    }
}

fn origin(side: Side) -> Origin {
    let ends =
        Both { client: "10.0.0.1:50000".parse().unwrap(), server: "10.0.0.2:445".parse().unwrap() };
    Origin { channel: ChannelId(1), ends, side }
}

/// Feeds each chunk as a frame of its own.
fn feed(rpc: &mut Rpc, chunks: &[(Side, Vec<u8>)]) -> Vec<Event> {
    let mut out = Vec::new();
    for (n, (side, bytes)) in chunks.iter().enumerate() {
        let no = u64::try_from(n).unwrap() + 1;
        let len = clamp(bytes.len());
        let time = Time::from_nanos(no.into());
        let piece = Piece { at: 0, len, frame: FrameNo(no), offset: 0, time, made: false };
        rpc.feed(origin(*side), View::new(bytes, &[piece], &[]), &mut out, &mut |_| {});
    }
    out
}

/// The calls of a whole conversation.
fn calls(chunks: &[(Side, Vec<u8>)]) -> Vec<Call> {
    let mut rpc = Rpc::default();
    let mut out = feed(&mut rpc, chunks);
    rpc.finish(&mut out);
    let mut calls: Vec<_> = out
        .into_iter()
        .filter_map(|event| match event {
            Event::Call(call) => Some(*call),
            _ => None,
        })
        .collect();
    calls.sort_by_key(|call| call.n);
    calls
}

fn stub(message: Option<&Message>) -> String {
    let stub = message.map(|message| message.stub.view().bytes().to_vec());
    String::from_utf8(stub.unwrap_or_default()).unwrap()
}

fn interface_name(interface: Option<SyntaxId>) -> &'static str {
    match interface.map(|interface| interface.uuid.to_string()).as_deref() {
        Some(FSRVP) => "fsrvp",
        Some(MGMT) => "mgmt",
        Some(_) => "other",
        None => "?",
    }
}

/// One line per call, for comparing.
fn line(call: &Call) -> String {
    let name = interface_name(call.interface);
    format!(
        "{} {name} {:?} {:?} {:?} -> {:?} {:?}",
        call.n,
        call.transfer,
        call.opnum,
        stub(call.request.as_ref()),
        stub(call.response.as_ref()),
        call.ending
    )
}

/// What the server said to binds.
fn answers(events: &[Event]) -> Vec<(Vec<String>, BindAnswer)> {
    let bound = events.iter().filter_map(|event| match event {
        Event::Bound(bound) => Some(bound),
        _ => None,
    });
    let names = |interfaces: &[SyntaxId]| {
        interfaces.iter().map(|interface| interface_name(Some(*interface)).to_owned()).collect()
    };
    bound.map(|bound| (names(&bound.interfaces), bound.answer)).collect()
}

fn lines(chunks: &[(Side, Vec<u8>)]) -> Vec<String> {
    calls(chunks).iter().map(line).collect()
}

#[test]
fn a_call_is_joined_and_its_interface_comes_from_the_bind() {
    let mut chunks = PLAIN.bound();
    chunks.push((Side::Client, PLAIN.request(2, 0, 8, b"ask")));
    chunks.push((Side::Server, PLAIN.response(2, b"answer", 3)));
    let calls = calls(&chunks);
    assert_eq!(line(&calls[0]), r#"1 fsrvp Some(Ndr) Some(8) "ask" -> "answer" Response"#);
    let request = calls[0].request.as_ref().unwrap();
    assert_eq!((&request.frames[..], request.time), (&[FrameNo(3)][..], Time::from_nanos(3)));
    assert_eq!(request.stub_state(), StubState::Clear);
    assert_eq!(calls[0].auth, Auth::NONE);
}

#[test]
fn fragments_of_several_calls_may_interleave() {
    let mut chunks = PLAIN.bound();
    for (id, opnum, part, flags) in
        [(2, 3, "ab", 1), (3, 4, "xy", 1), (2, 3, "cd", 0), (3, 4, "z", 2), (2, 3, "e", 2)]
    {
        chunks.push((Side::Client, PLAIN.fragment(id, 0, opnum, part.as_bytes(), flags)));
    }
    chunks.push((Side::Server, PLAIN.response(3, b"second ", 1)));
    chunks.push((Side::Server, PLAIN.response(2, b"first", 3)));
    chunks.push((Side::Server, PLAIN.response(3, b"call", 2)));
    assert_eq!(
        lines(&chunks),
        [
            r#"1 fsrvp Some(Ndr) Some(3) "abcde" -> "first" Response"#,
            r#"2 fsrvp Some(Ndr) Some(4) "xyz" -> "second call" Response"#,
        ]
    );
}

#[test]
fn each_context_has_its_interface_and_syntax() {
    let mut chunks = vec![
        (
            Side::Client,
            PLAIN.bind(&[(0, FSRVP, &[NDR]), (1, FSRVP, &[NDR64]), (2, FSRVP, &[FEATURES])]),
        ),
        (Side::Server, PLAIN.bind_ack(&[(2, 2, NOTHING), (0, 0, NDR64), (3, 3, NOTHING)])),
    ];
    let alter = PLAIN.proposals(&[(5, MGMT, &[NDR, NDR64])]);
    chunks.push((Side::Client, PLAIN.pdu(PacketType::ALTER_CONTEXT, 3, 4, alter)));
    let answer = PLAIN.results(&[(0, 0, NDR)]);
    chunks.push((Side::Server, PLAIN.pdu(PacketType::ALTER_CONTEXT_RESP, 3, 4, answer)));
    chunks.push((Side::Client, PLAIN.request(5, 1, 0, b"a")));
    chunks.push((Side::Client, PLAIN.request(6, 5, 4, b"b")));
    chunks.push((Side::Client, PLAIN.request(7, 2, 1, b"c")));
    assert_eq!(
        lines(&chunks),
        [
            r#"1 fsrvp Some(Ndr64) Some(0) "a" -> "" NoAnswer"#,
            r#"2 mgmt Some(Ndr) Some(4) "b" -> "" NoAnswer"#,
            r#"3 ? None Some(1) "c" -> "" NoAnswer"#,
        ]
    );
    let events = feed(&mut Rpc::default(), &chunks);
    let [fsrvp, mgmt] = ["fsrvp", "mgmt"].map(str::to_owned);
    let expected = [(vec![fsrvp], BindAnswer::Accepted), (vec![mgmt], BindAnswer::Accepted)];
    assert_eq!(answers(&events), expected, "one context of the interface is accepted");
}

#[test]
fn an_interface_of_which_no_context_is_accepted_is_refused() {
    let chunks = [
        (Side::Client, PLAIN.bind(&[(0, FSRVP, &[NDR]), (1, FSRVP, &[NDR64])])),
        (Side::Server, PLAIN.bind_ack(&[(2, 1, NOTHING), (2, 1, NOTHING)])),
    ];
    let events = feed(&mut Rpc::default(), &chunks);
    assert_eq!(answers(&events), [(vec!["fsrvp".to_owned()], BindAnswer::Refused(2, 1))]);
}

/// A call to FSRVP during which context 0 is proposed to be the management interface, then a call
/// of `opnum` in that context after the answer.
fn altered(answer: &[(u16, u16, Syntax<'_>)], opnum: u16) -> Vec<String> {
    let mut chunks = PLAIN.bound();
    chunks.push((Side::Client, PLAIN.request(2, 0, 8, b"ask")));
    let alter = PLAIN.proposals(&[(0, MGMT, &[NDR])]);
    chunks.push((Side::Client, PLAIN.pdu(PacketType::ALTER_CONTEXT, 3, 4, alter)));
    let answer = PLAIN.results(answer);
    chunks.push((Side::Server, PLAIN.pdu(PacketType::ALTER_CONTEXT_RESP, 3, 4, answer)));
    chunks.push((Side::Server, PLAIN.response(2, b"answer", 3)));
    chunks.push((Side::Client, PLAIN.request(5, 0, opnum, b"ask")));
    lines(&chunks)
}

#[test]
fn a_call_keeps_the_interface_it_began_with_and_a_refusal_changes_nothing() {
    let first = r#"1 fsrvp Some(Ndr) Some(8) "ask" -> "answer" Response"#;
    let refused = altered(&[(2, 1, NOTHING)], 8);
    assert_eq!(refused, [first, r#"2 fsrvp Some(Ndr) Some(8) "ask" -> "" NoAnswer"#]);
    let accepted = altered(&[(0, 0, NDR)], 4);
    assert_eq!(accepted, [first, r#"2 mgmt Some(Ndr) Some(4) "ask" -> "" NoAnswer"#]);
}

#[test]
fn a_fault_that_answers_a_bind_is_a_refusal_and_no_call() {
    let alter = PLAIN.proposals(&[(1, MGMT, &[NDR])]);
    let mut chunks = PLAIN.bound();
    chunks.push((Side::Client, PLAIN.pdu(PacketType::ALTER_CONTEXT, 3, 4, alter)));
    chunks.push((Side::Server, PLAIN.fault(4, 5)));
    let mut rpc = Rpc::default();
    let mut events = feed(&mut rpc, &chunks);
    rpc.finish(&mut events);
    let [fsrvp, mgmt] = ["fsrvp", "mgmt"].map(str::to_owned);
    let expected = [(vec![fsrvp], BindAnswer::Accepted), (vec![mgmt], BindAnswer::Fault(5))];
    assert_eq!(answers(&events), expected);
    assert_eq!(events.len(), 2, "no call: {events:?}");
}

#[test]
fn pdus_cut_before_their_body_are_calls_of_which_little_is_known() {
    let mut rpc = Rpc::default();
    let mut out = feed(&mut rpc, &PLAIN.bound());
    let mut cut = |side: Side, pdu: &[u8], out: &mut Vec<Event>| {
        let mut buffer = Buffer::default();
        buffer.push(View::new(&pdu[..18], &[], &[]));
        buffer.push_hole(clamp(pdu.len()) - 18, Missing::Snapped);
        rpc.feed(origin(side), buffer.view(), out, &mut |_| {});
    };
    cut(Side::Client, &PLAIN.request(2, 0, 8, b"some question"), &mut out);
    cut(Side::Server, &PLAIN.response(2, b"some answer", 3), &mut out);
    let [Event::Bound(_), Event::Call(call)] = &out[..] else { panic!("{out:?}") };
    assert_eq!((call.opnum, call.context_id, call.interface), (None, None, None));
    for message in [&call.request, &call.response] {
        assert_eq!(message.as_ref().unwrap().stub_state(), StubState::Truncated);
    }
    assert_eq!(call.ending, Ending::Response);
}

#[test]
fn a_stub_full_of_signatures_is_searched_at_its_end_only() {
    let trap = [&trailer::SIGNATURE[..], &[0x09, 0, 8, 0]].concat().repeat(40_000);
    assert_eq!(trailer::find(View::new(&trap, &[], &[]), Order::Little), None);
}

#[test]
fn without_the_bind_the_interface_stays_unknown_even_with_an_object() {
    let body = PLAIN.body().u32(0).u16(0).u16(4).guid(FSRVP).raw(b"ask");
    let chunks = [(Side::Client, PLAIN.pdu(PacketType::REQUEST, 0x83, 2, body))];
    let calls = calls(&chunks);
    assert_eq!(line(&calls[0]), r#"1 ? None Some(4) "ask" -> "" NoAnswer"#);
    assert_eq!(calls[0].object, Some(FSRVP.parse().unwrap()));
}

#[test]
fn without_the_answer_to_the_bind_a_single_offer_tells_the_syntax() {
    let request = (Side::Client, PLAIN.request(2, 0, 0, b""));
    let one = (Side::Client, PLAIN.bind(&[(0, FSRVP, &[NDR64])]));
    assert_eq!(
        lines(&[one, request.clone()]),
        [r#"1 fsrvp Some(Ndr64) Some(0) "" -> "" NoAnswer"#,]
    );
    let two = (Side::Client, PLAIN.bind(&[(0, FSRVP, &[NDR, NDR64])]));
    assert_eq!(lines(&[two, request]), [r#"1 fsrvp None Some(0) "" -> "" NoAnswer"#]);
}

#[test]
fn an_answer_without_its_request_is_a_call_too() {
    let mut chunks = PLAIN.bound();
    chunks.push((Side::Server, PLAIN.response(2, b"answer", 3)));
    assert_eq!(lines(&chunks), [r#"1 fsrvp Some(Ndr) None "" -> "answer" Response"#]);
}

#[test]
fn faults_orphans_and_used_ids_end_calls() {
    let mut chunks = PLAIN.bound();
    chunks.push((Side::Client, PLAIN.request(2, 0, 13, b"a")));
    chunks.push((Side::Server, PLAIN.fault(2, 0x1c01_0002)));
    chunks.push((Side::Client, PLAIN.request(3, 0, 1, b"b")));
    chunks.push((Side::Client, PLAIN.pdu(PacketType::ORPHANED, 3, 3, PLAIN.body())));
    chunks.push((Side::Client, PLAIN.request(4, 0, 2, b"c")));
    chunks.push((Side::Client, PLAIN.request(4, 0, 3, b"d")));
    chunks.push((Side::Server, PLAIN.response(4, b"ok", 3)));
    assert_eq!(
        lines(&chunks),
        [
            r#"1 fsrvp Some(Ndr) Some(13) "a" -> "" Fault(469827586)"#,
            r#"2 fsrvp Some(Ndr) Some(1) "b" -> "" NoAnswer"#,
            r#"3 fsrvp Some(Ndr) Some(2) "c" -> "" NoAnswer"#,
            r#"4 fsrvp Some(Ndr) Some(3) "d" -> "ok" Response"#,
        ]
    );
}

#[test]
fn big_endian_is_read_as_well() {
    let big = Style { order: Order::Big, auth: None };
    let mut chunks = big.bound();
    chunks.push((Side::Client, big.request(2, 0, 8, b"ask")));
    chunks.push((Side::Server, PLAIN.response(2, b"answer", 3)));
    let calls = calls(&chunks);
    assert_eq!(line(&calls[0]), r#"1 fsrvp Some(Ndr) Some(8) "ask" -> "answer" Response"#);
    assert_eq!(calls[0].request.as_ref().unwrap().order, Order::Big);
    assert_eq!(calls[0].response.as_ref().unwrap().order, Order::Little);
}

#[test]
fn the_security_trailer_and_its_padding_are_no_arguments() {
    let signed = Style { order: Order::Little, auth: Some((9, 5, 11)) };
    let mut chunks = signed.bound();
    chunks.push((Side::Client, signed.request(2, 0, 8, b"ask")));
    chunks.push((Side::Server, signed.response(2, b"answer", 3)));
    let calls = calls(&chunks);
    assert_eq!(line(&calls[0]), r#"1 fsrvp Some(Ndr) Some(8) "ask" -> "answer" Response"#);
    assert_eq!((calls[0].auth.auth_type, calls[0].auth.level), (9, 5));
}

#[test]
fn privacy_seals_the_stub_but_not_the_fault() {
    let sealed = Style { order: Order::Little, auth: Some((10, 6, 0)) };
    let mut chunks = sealed.bound();
    chunks.push((Side::Client, sealed.request(2, 0, 8, b"ask")));
    chunks.push((Side::Server, sealed.fault(2, 5)));
    let calls = calls(&chunks);
    assert_eq!(calls[0].request.as_ref().unwrap().stub_state(), StubState::Sealed);
    assert_eq!(calls[0].ending, Ending::Fault(5));
}

#[test]
fn at_connect_level_requests_need_no_trailer() {
    let connect = Style { order: Order::Little, auth: Some((10, 2, 0)) };
    let mut chunks = connect.bound();
    chunks.push((Side::Client, PLAIN.request(2, 0, 8, b"ask")));
    assert_eq!(calls(&chunks)[0].auth.level, 2);
    let signed = Style { order: Order::Little, auth: Some((10, 5, 0)) };
    let mut chunks = signed.bound();
    chunks.push((Side::Client, PLAIN.request(2, 0, 8, b"ask")));
    assert_eq!(calls(&chunks)[0].auth, Auth::NONE, "a request that is not signed is not protected");
}

#[test]
fn a_hole_in_a_stub_is_lost_and_the_next_call_is_found() {
    let mut rpc = Rpc::default();
    let mut out = feed(&mut rpc, &PLAIN.bound());
    let request = PLAIN.request(2, 0, 8, b"0123456789");
    let mut watch = |_: View<'_>| {};
    let client = origin(Side::Client);
    rpc.feed(client, View::new(&request[..26], &[], &[]), &mut out, &mut watch);
    rpc.gap(client, 4, Missing::Lost, &mut out, &mut watch);
    rpc.feed(client, View::new(&request[30..], &[], &[]), &mut out, &mut watch);
    // A whole PDU and the header of the next are lost; the one after it is found.
    let next = PLAIN.request(4, 0, 9, b"there");
    rpc.gap(client, 90, Missing::Lost, &mut out, &mut watch);
    rpc.feed(
        client,
        View::new(&[&b"rest of a stub"[..], &next].concat(), &[], &[]),
        &mut out,
        &mut watch,
    );
    rpc.finish(&mut out);
    let calls: Vec<_> = out
        .iter()
        .filter_map(|event| match event {
            Event::Call(call) => Some((call.opnum, call.request.as_ref()?.stub_state())),
            _ => None,
        })
        .collect();
    assert_eq!(calls, [(Some(8), StubState::Lost), (Some(9), StubState::Clear)]);
    assert_eq!(rpc.counters().passed_over, 14);
}

#[test]
fn a_request_whose_first_fragment_is_missing_is_not_taken_for_a_whole_one() {
    let mut chunks = PLAIN.bound();
    chunks.push((Side::Client, PLAIN.fragment(2, 0, 8, b"tail", 2)));
    let calls = calls(&chunks);
    assert_eq!(calls[0].request.as_ref().unwrap().stub_state(), StubState::Lost);
}

#[test]
fn a_refusal_as_a_whole_is_of_each_interface_once() {
    let body = PLAIN.body().u16(8).u8(1).u8(5).u8(0);
    let proposals: [Proposal<'_>; 3] =
        [(0, FSRVP, &[NDR]), (1, FSRVP, &[NDR64]), (2, MGMT, &[NDR])];
    let chunks = [
        (Side::Client, PLAIN.bind(&proposals)),
        (Side::Server, PLAIN.pdu(PacketType::BIND_NAK, 3, 1, body)),
    ];
    let events = feed(&mut Rpc::default(), &chunks);
    let both = ["fsrvp", "mgmt"].map(str::to_owned).to_vec();
    assert_eq!(answers(&events), [(both, BindAnswer::Nak(8))]);
}

#[test]
fn an_answer_to_a_bind_that_was_not_seen_is_of_no_interface() {
    for (results, answer) in [
        (&[(0, 0, NDR), (2, 1, NOTHING)][..], BindAnswer::Accepted),
        (&[(3, 3, NOTHING), (2, 1, NOTHING)], BindAnswer::Refused(2, 1)),
    ] {
        let events = feed(&mut Rpc::default(), &[(Side::Server, PLAIN.bind_ack(results))]);
        assert_eq!(answers(&events), [(vec![], answer)]);
        let [Event::Bound(bound)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((bound.auth.as_ref(), bound.frame), (None, Some(FrameNo(1))));
    }
}

#[test]
fn requests_of_announced_interfaces_are_told_of_with_their_last_fragment() {
    let mut rpc = Rpc::default();
    rpc.announce(uuid::uuid!("a8e0653c-2744-4389-a61d-7373df8b2292"), 1);
    let mut chunks = PLAIN.bound();
    chunks.push((Side::Client, PLAIN.fragment(2, 0, 8, b"be", 1)));
    let events = feed(&mut rpc, &chunks);
    assert!(matches!(events[..], [Event::Bound(_)]), "{events:?}");
    let events = feed(&mut rpc, &[(Side::Client, PLAIN.fragment(2, 0, 8, b"gin", 2))]);
    let [Event::Asked(call)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(line(call), r#"1 fsrvp Some(Ndr) Some(8) "begin" -> "" NoAnswer"#);
    let events = feed(&mut rpc, &[(Side::Server, PLAIN.response(2, b"end", 3))]);
    let [Event::Call(call)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(line(call), r#"1 fsrvp Some(Ndr) Some(8) "begin" -> "end" Response"#);
}

#[test]
fn a_place_that_is_lost_is_told_once() {
    let mut rpc = Rpc::default();
    let lost = |events: Vec<Event>| {
        events.iter().filter(|event| matches!(event, Event::Lost { .. })).count()
    };
    let noise = || (Side::Client, vec![0x77; 100]);
    assert_eq!(lost(feed(&mut rpc, &[noise(), noise()])), 0, "nothing was found yet");
    let found = [(Side::Client, PLAIN.request(2, 0, 8, b"ask")), noise(), noise()];
    assert_eq!(lost(feed(&mut rpc, &found)), 1);
    assert_eq!(lost(feed(&mut rpc, &found)), 1);
}

#[test]
fn bind_nak_says_why() {
    let body = PLAIN.body().u16(8).u8(1).u8(5).u8(0);
    let chunks = [
        (Side::Client, PLAIN.bind(&[(0, FSRVP, &[NDR])])),
        (Side::Server, PLAIN.pdu(PacketType::BIND_NAK, 3, 1, body)),
    ];
    let events = feed(&mut Rpc::default(), &chunks);
    assert_eq!(answers(&events), [(vec!["fsrvp".to_owned()], BindAnswer::Nak(8))]);
}

/// One PDU of every kind, in both byte orders and with a security trailer.
fn samples() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for order in [Order::Little, Order::Big] {
        for auth in [None, Some((9, 5, 3))] {
            let style = Style { order, auth };
            all.push(style.bind(&[(0, FSRVP, &[NDR]), (1, FSRVP, &[NDR64, FEATURES])]));
            all.push(style.bind_ack(&[(0, 0, NDR), (2, 1, NOTHING)]));
            all.push(style.request(2, 0, 8, b"some stub"));
            all.push(style.response(2, b"some stub", 3));
            all.push(style.fault(2, 5));
            let nak = style.body().u16(4).u8(1).u8(5).u8(0);
            all.push(style.pdu(PacketType::BIND_NAK, 3, 1, nak));
            all.push(style.pdu(PacketType::AUTH3, 3, 1, style.body().u32(0)));
            all.push(style.pdu(PacketType::CO_CANCEL, 3, 1, style.body()));
            all.push(style.pdu(PacketType::SHUTDOWN, 3, 1, style.body()));
        }
    }
    all
}

fn dissect(bytes: &[u8]) -> Result<Pdu<'_>, Stop> {
    let mut none = ();
    pdu::dissect(&mut Reader::new(View::new(bytes, &[], &[]), &mut none))
}

#[test]
fn every_sample_is_read_to_its_end_and_every_shorter_prefix_stops() {
    for sample in samples() {
        let whole = dissect(&sample).unwrap();
        assert_eq!(whole.stop, None, "{sample:02x?}");
        assert!(plausible_and_long(&sample));
        for len in 0..sample.len() {
            match dissect(&sample[..len]) {
                Ok(pdu) => assert!(pdu.stop.is_some(), "{len} of {sample:02x?}"),
                Err(stop) => assert!(len < 16, "{stop}"),
            }
        }
    }
}

fn plausible_and_long(bytes: &[u8]) -> bool {
    pdu::frag_length(bytes) == Some(clamp(bytes.len()))
}

#[test]
fn a_lying_length_is_a_stop_that_names_it() {
    let signed = Style { order: Order::Little, auth: Some((9, 5, 0)) };
    let mut auth = signed.request(2, 0, 8, b"stub");
    auth[10..12].copy_from_slice(&400u16.to_le_bytes());
    let stop = dissect(&auth).unwrap().stop.unwrap();
    assert_eq!(stop.to_string(), "auth_length 400 leaves no room in the PDU at offset 10");

    let mut address = PLAIN.bind_ack(&[(0, 0, NDR)]);
    address[24..26].copy_from_slice(&999u16.to_le_bytes());
    let stop = dissect(&address).unwrap().stop.unwrap();
    assert!(stop.to_string().starts_with("field at offset 26 needs 999 bytes"), "{stop}");

    let mut count = PLAIN.bind(&[(0, FSRVP, &[NDR])]);
    count[24] = 200;
    let pdu = dissect(&count).unwrap();
    assert!(pdu.body.is_none() && pdu.stop.is_some());

    let mut pad = signed.request(2, 0, 8, b"stub");
    let at = pad.len() - 16 - 6;
    pad[at] = 255;
    let Some(Body::Request { stub, .. }) = dissect(&pad).unwrap().body else {
        let stop = dissect(&pad).unwrap().stop;
        assert!(stop.is_some(), "padding longer than the stub eats the header");
        return;
    };
    assert!(stub.is_empty());
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_calls(cuts in prop::collection::vec(1usize..40, 0..60)) {
        let mut chunks = PLAIN.bound();
        chunks.push((Side::Client, [
            PLAIN.fragment(2, 0, 8, b"some", 1),
            PLAIN.fragment(2, 0, 8, b"thing", 2),
            PLAIN.request(3, 0, 0, b""),
        ].concat()));
        let answers = [PLAIN.response(3, b"version", 3), PLAIN.response(2, b"yes", 3)];
        chunks.push((Side::Server, answers.concat()));
        let want = lines(&chunks);
        prop_assert_eq!(want.len(), 2);
        let mut cut: Vec<(Side, Vec<u8>)> = Vec::new();
        let mut sizes = cuts.iter().copied().chain(std::iter::repeat(7));
        for (side, bytes) in &chunks {
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(sizes.next().unwrap().min(rest.len()));
                cut.push((*side, now.to_vec()));
                rest = later;
            }
        }
        prop_assert_eq!(lines(&cut), want);
    }

    #[test]
    fn broken_pdus_never_panic(
        pick in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        hole in prop::option::of((0u32..80, 1u32..40)),
    ) {
        let mut bytes = pick.get(&samples()).clone();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let mut buffer = Buffer::default();
        let view = View::new(&bytes, &[], &[]);
        match hole {
            Some((at, len)) => {
                buffer.push(view.slice(Span::new(0, at)));
                buffer.push_hole(len, Missing::Lost);
                buffer.push(view.from(at + len));
            }
            None => buffer.push(view),
        }
        let mut tree = crate::bytes::Tree::default();
        let _ = pdu::dissect(&mut Reader::new(buffer.view(), &mut tree));
        let mut rpc = Rpc::default();
        let mut out = Vec::new();
        for side in [Side::Client, Side::Server] {
            rpc.feed(origin(side), buffer.view(), &mut out, &mut |_| {});
            rpc.resume(origin(side), buffer.view());
        }
        rpc.finish(&mut out);
        let _ = trailer::find(buffer.view(), Order::Big);
    }
}

#[test]
fn a_ticket_that_the_server_does_not_take() {
    let error = crate::security::kerberos::samples::UNKNOWN;
    let mut ack = PLAIN.bind_ack(&[(0, 0, NDR)]);
    assert_eq!(ack.len() % 4, 0);
    ack.extend([16, 5, 0, 0, 7, 0, 0, 0]); // Kerberos, integrity, no padding, context 7
    ack.extend(error);
    let length = u16::try_from(ack.len()).unwrap().to_le_bytes();
    ack[8..10].copy_from_slice(&length);
    ack[10] = u8::try_from(error.len()).unwrap();
    let refused = |chunks: &[(Side, Vec<u8>)]| {
        let out = feed(&mut Rpc::default(), chunks);
        let told = out.into_iter().filter_map(|event| match event {
            Event::TicketRefused { error, .. } => error.service,
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    let bind = PLAIN.bound().swap_remove(0);
    assert_eq!(refused(&[bind.clone(), (Side::Server, ack.clone())]), ["cifs/fs1"]);
    // Another version of Kerberos is no Kerberos.
    let version = ack.len() - error.len() + 8;
    ack[version] = 4;
    assert!(refused(&[bind, (Side::Server, ack)]).is_empty());
}
