use etherparse::PacketBuilder;

pub(crate) mod captures;

use super::*;
use crate::bytes::{LinkType, Side, Time};
use crate::call::{Outcome, Transport};

/// One TCP connection, written as frames.
struct Lab<'r> {
    pipeline: Pipeline<'r>,
    events: Vec<Event>,
    no: u64,
    ports: [u16; 2],
    /// Bytes said by the client and by the server.
    said: [u32; 2],
}

impl<'r> Lab<'r> {
    fn new(registry: &'r Registry, client_port: u16, server_port: u16) -> Self {
        Self {
            pipeline: Pipeline::new(registry),
            events: Vec::new(),
            no: 0,
            ports: [client_port, server_port],
            said: [0, 0],
        }
    }

    fn packet(&mut self, from: Side, syn: bool, payload: &[u8]) {
        let (me, you) = if from == Side::Client { (0, 1) } else { (1, 0) };
        let seq = 1000 * (u32::try_from(me).unwrap() + 1) + self.said[me] + u32::from(!syn);
        let ip = [[10, 0, 0, 1], [10, 0, 0, 2]];
        let builder = PacketBuilder::ethernet2([0; 6], [0; 6]).ipv4(ip[me], ip[you], 64).tcp(
            self.ports[me],
            self.ports[you],
            seq,
            8192,
        );
        let ack = 1000 * (u32::try_from(you).unwrap() + 1) + self.said[you] + 1;
        let builder = match (syn, from) {
            (true, Side::Client) => builder.syn(),
            (true, Side::Server) => builder.syn().ack(ack),
            (false, _) => builder.ack(ack),
        };
        let mut data = Vec::new();
        builder.write(&mut data, payload).unwrap();
        self.said[me] += u32::try_from(payload.len()).unwrap();
        self.frame(&data);
    }

    fn frame(&mut self, data: &[u8]) {
        self.no += 1;
        self.pipeline.frame(&frame(self.no, data), &mut self.events);
    }

    /// A packet that was sent and not captured.
    fn lose(&mut self, from: Side, payload: &[u8]) {
        let me = usize::from(from == Side::Server);
        self.said[me] += u32::try_from(payload.len()).unwrap();
    }

    fn handshake(&mut self) {
        self.packet(Side::Client, true, b"");
        self.packet(Side::Server, true, b"");
    }

    fn calls(mut self) -> (Vec<Call>, Summary) {
        self.pipeline.finish(&mut self.events);
        (captures::calls_of(self.events), self.pipeline.summary())
    }
}

/// A frame of Ethernet, one a millisecond.
fn frame(no: u64, data: &[u8]) -> Frame<'_> {
    Frame {
        no: FrameNo(no),
        time: Time::from_nanos(i128::from(no) * 1_000_000),
        link: LinkType::ETHERNET,
        data,
        offset: 0,
        wire_len: u32::try_from(data.len()).unwrap(),
        comment: None,
        file: 0,
        no_in_file: no,
    }
}

fn pdu(ptype: u8, call_id: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(16 + body.len()).unwrap();
    let mut pdu = vec![5, 0, ptype, 3, 0x10, 0, 0, 0, length, 0, 0, 0, call_id, 0, 0, 0];
    pdu.extend_from_slice(body);
    pdu
}

/// `GetSupportedVersion` from bind to answer.
fn conversation() -> Vec<(Side, Vec<u8>)> {
    let versions = [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    let mut said = binding(crate::protocol::fsrvp::UUID, 1);
    said.push((Side::Client, pdu(0, 2, &[0; 8])));
    said.push((Side::Server, pdu(2, 2, &versions)));
    said
}

/// A bind and its answer.
fn binding(interface: uuid::Uuid, major: u8) -> Vec<(Side, Vec<u8>)> {
    let interface = interface.to_bytes_le();
    let ndr = uuid::uuid!("8a885d04-1ceb-11c9-9fe8-08002b104860").to_bytes_le();
    let mut bind = vec![0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0];
    bind.extend([&interface[..], &[major, 0, 0, 0], &ndr, &[2, 0, 0, 0]].concat());
    let mut ack = vec![0xb8, 0x10, 0xb8, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    ack.extend([&ndr[..], &[2, 0, 0, 0]].concat());
    vec![(Side::Client, pdu(11, 1, &bind)), (Side::Server, pdu(12, 1, &ack))]
}

fn check(calls: &[Call]) {
    let [call] = calls else { panic!("{} calls", calls.len()) };
    assert_eq!((call.method(), call.outcome), (Some("GetSupportedVersion"), Outcome::Ok));
    assert_eq!(call.transport, Transport::Tcp);
    assert_eq!(call.client.addr.ip().to_string(), "10.0.0.1");
    assert_eq!(call.elapsed, Some(1_000_000));
}

#[test]
fn rpc_is_found_by_its_content_on_any_port() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 44_322);
    lab.handshake();
    for (side, bytes) in conversation() {
        lab.packet(side, false, &bytes);
    }
    check(&lab.calls().0);
}

#[test]
fn the_first_bytes_may_come_one_by_one() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 135);
    lab.handshake();
    for (side, bytes) in conversation() {
        for byte in bytes {
            lab.packet(side, false, &[byte]);
        }
    }
    let (calls, _) = lab.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].rpc.request.as_ref().unwrap().frames.len(), 24);
    assert_eq!(calls[0].outcome, Outcome::Ok);
}

#[test]
fn without_the_handshake_the_content_tells_who_asks() {
    let registry = Registry::embedded().unwrap();
    // The client has the lower port, which is taken for the server's until a PDU says otherwise.
    let mut lab = Lab::new(&registry, 1024, 50_000);
    for (side, bytes) in conversation() {
        lab.packet(side, false, &bytes);
    }
    check(&lab.calls().0);
}

#[test]
fn what_is_neither_smb_nor_rpc_is_left_alone() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 80);
    lab.handshake();
    lab.packet(Side::Client, false, b"GET / HTTP/1.1\r\nHost: example.test\r\n\r\n");
    for (side, bytes) in conversation() {
        lab.packet(side, false, &bytes);
    }
    let (calls, summary) = lab.calls();
    assert!(calls.is_empty(), "RPC inside another protocol is not RPC");
    assert_eq!((summary.foreign_flows, summary.tcp_segments, summary.frames), (1, 7, 7));
}

#[test]
fn watching_a_frame_gives_the_messages_it_carried() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 135);
    lab.pipeline = Pipeline::watching(&registry, Some(FrameNo(5)));
    lab.handshake();
    for (side, bytes) in conversation() {
        lab.packet(side, false, &bytes);
    }
    let units: Vec<_> = lab
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Unit(unit) => Some((unit.kind, unit.bytes.len())),
            _ => None,
        })
        .collect();
    assert_eq!(units, [(UnitKind::Rpc, 24)]);
}

#[test]
fn smb_that_cannot_be_seen_is_named_where_nothing_is_listed() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 5445);
    lab.handshake();
    // [RFC 5044] 7.1.1: key, flags, revision, length of private data, private data.
    lab.packet(Side::Client, false, b"MPA ID Req Frame\x40\x01\0\x08private.");
    lab.packet(Side::Server, false, b"MPA ID Rep Frame\x40\x01\0\x08private.");
    for (side, bytes) in conversation() {
        lab.packet(side, false, &bytes);
    }
    let (calls, summary) = lab.calls();
    assert!(calls.is_empty());
    assert_eq!(summary.unseen.into_iter().collect::<Vec<_>>(), [(net::Unseen::Iwarp, 1)]);

    let mut lab = Lab::new(&registry, 50_000, 443);
    let quic = [&b"\xc3\0\0\0\x01\x08"[..], &[7; 1200]].concat();
    for _ in 0..2 {
        let builder =
            PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        let mut data = Vec::new();
        builder.udp(50_000, 443).write(&mut data, &quic).unwrap();
        lab.frame(&data);
    }
    let (_, summary) = lab.calls();
    let told = crate::report::unseen::not_listed(&summary).unwrap();
    let expected = "no RPC call in 2 frames; seen: 2 packets of QUIC (may be SMB over QUIC), whose \
                    payload no capture shows";
    assert_eq!(told, expected);
}

#[test]
fn both_sides_may_begin_within_a_pdu() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 44_322);
    for side in [Side::Client, Side::Server] {
        lab.packet(side, false, &[0x5a; 40]);
    }
    for (side, bytes) in conversation() {
        lab.packet(side, false, &bytes);
    }
    check(&lab.calls().0);
}

#[test]
fn a_connection_may_begin_with_the_octet_of_a_probe() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 44_322);
    lab.packet(Side::Client, false, &[0]);
    for (side, bytes) in conversation() {
        lab.packet(side, false, &bytes);
    }
    check(&lab.calls().0);
}

#[test]
fn what_is_lost_is_counted_and_the_calls_it_touches_are_named() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 44_322);
    lab.handshake();
    let answer = &conversation()[3].1;
    for (side, bytes) in &conversation()[..2] {
        lab.packet(*side, false, bytes);
    }
    let ask = |lab: &mut Lab<'_>, id| lab.packet(Side::Client, false, &pdu(0, id, &[0; 8]));
    ask(&mut lab, 1);
    lab.packet(Side::Server, false, &[&answer[..12], &[1], &answer[13..]].concat());
    // Both answers are in one hole, which is met before the second is asked.
    ask(&mut lab, 2);
    lab.lose(Side::Server, answer);
    ask(&mut lab, 3);
    lab.lose(Side::Server, answer);
    ask(&mut lab, 4);
    lab.packet(Side::Server, false, &[&answer[..12], &[4], &answer[13..]].concat());
    // An answer whose request was lost.
    lab.lose(Side::Client, &pdu(0, 5, &[0; 8]));
    lab.packet(Side::Server, false, &[&answer[..12], &[5], &answer[13..]].concat());
    // One that nobody answered before the capture ended.
    ask(&mut lab, 6);
    let (calls, summary) = lab.calls();
    let mut outcomes: Vec<_> = calls.iter().map(|call| (call.rpc.n, call.outcome)).collect();
    outcomes.sort_unstable();
    let expected = [
        (1, Outcome::Ok),
        (2, Outcome::NoResponse),
        (3, Outcome::NoResponse),
        (4, Outcome::Ok),
        (5, Outcome::NoRequest),
        (6, Outcome::NoResponse),
    ];
    assert_eq!(outcomes, expected);
    let mut loss = summary.loss;
    loss.calls.sort_unstable();
    let lost = 2 * u64::try_from(answer.len()).unwrap() + 24;
    let expected = Loss {
        rpc: Lost { gaps: 2, bytes: lost, snapped_bytes: 0 },
        without_answer: 3,
        without_request: 1,
        touched: 3,
        calls: vec![2, 3, 5],
        ..Loss::default()
    };
    assert_eq!(loss, expected);
}

#[test]
fn connectionless_rpc_is_counted_by_interface() {
    let registry = Registry::embedded().unwrap();
    let mut pipeline = Pipeline::new(&registry);
    let oxid = uuid::uuid!("99fcfec4-5260-101b-bbcb-00aa0021347a").to_bytes_le();
    let mut send = |no, ptype, first| {
        let mut rpc = vec![first, ptype, 0, 0, 0x10, 0, 0, 0];
        rpc.extend([&[0; 16][..], &oxid, &[1; 16], &[0; 4], &[0; 4], &[0; 4]].concat());
        rpc.extend([5, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0]);
        let mut data = Vec::new();
        let builder =
            PacketBuilder::ethernet2([0; 6], [0; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        builder.udp(40_000, 40_001).write(&mut data, &rpc).unwrap();
        pipeline.frame(&frame(no, &data), &mut Vec::new());
    };
    for (no, ptype, first) in [(1, 0, 4), (2, 2, 4), (3, 3, 4), (4, 1, 4), (5, 0, 5)] {
        send(no, ptype, first);
    }
    let summary = pipeline.summary();
    assert_eq!((summary.udp, summary.datagrams.total()), (5, 4));
    let [(key, of)] = &summary.datagrams.interfaces.into_iter().collect::<Vec<_>>()[..] else {
        panic!("one interface");
    };
    assert_eq!((key.unwrap().1, of.name.as_deref()), (0, Some("IObjectExporter")));
    let once = Pdus { requests: 1, responses: 1, faults: 1 };
    assert_eq!((of.datagrams, of.operations.get(&5)), (4, Some(&once)));
}

#[test]
fn what_an_endpoint_mapper_tells_is_a_label() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 44_322);
    lab.handshake();
    for (side, bytes) in binding(uuid::uuid!("e1af8308-5d1f-11c9-91a4-08002b14a0fa"), 3) {
        lab.packet(side, false, &bytes);
    }
    let fsrvp = crate::protocol::fsrvp::UUID.to_bytes_le();
    let tower = [
        &[2, 0, 19, 0, 0x0d][..],
        &fsrvp,
        &[1, 0, 2, 0, 0, 0],
        &[1, 0, 0x07, 2, 0, 0xc2, 0x00], // TCP port 49664
    ]
    .concat();
    let len = u8::try_from(tower.len()).unwrap();
    let mut answer = vec![0; 8]; // alloc_hint, context, cancel_count
    answer.extend([0; 20]); // entry_handle
    answer.extend([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]); // one tower
    answer.extend([2, 0, 0, 0, len, 0, 0, 0, len, 0, 0, 0]);
    answer.extend(&tower);
    answer.resize(answer.len().next_multiple_of(4), 0);
    answer.extend([0; 4]); // status
    for id in [2, 3] {
        lab.packet(Side::Client, false, &pdu(0, id, &[0, 0, 0, 0, 0, 0, 3, 0]));
        lab.packet(Side::Server, false, &pdu(2, id, &answer));
    }
    let (calls, summary) = lab.calls();
    assert_eq!((calls[0].method(), calls[0].outcome), (Some("ept_map"), Outcome::Ok));
    let interface = (crate::protocol::fsrvp::UUID, 1, Some("FileServerVssAgent".to_owned()));
    let told = (interface, [10, 0, 0, 2].into(), "ncacn_ip_tcp:[49664]".to_owned());
    assert_eq!(summary.endpoints, Endpoints { known: [told].into(), beyond: 0 });
}

/// What happens around the calls.
fn around(events: &[Event]) -> Vec<&What> {
    let around = events.iter().filter_map(|event| match event {
        Event::Around(around) => Some(&around.what),
        _ => None,
    });
    around.collect()
}

#[test]
fn a_beginning_that_is_missing_is_told_as_soon_as_it_may_matter() {
    let registry = Registry::embedded().unwrap();
    for (port, at_once) in [(44_322, false), (135, true), (445, true)] {
        let mut lab = Lab::new(&registry, 50_000, port);
        for side in Side::BOTH {
            lab.packet(side, false, &[0x5a; 40]);
        }
        assert_eq!(lab.events.len(), usize::from(at_once), "port {port}");
        for (side, bytes) in conversation() {
            lab.packet(side, false, &bytes);
        }
        let told = around(&lab.events);
        assert!(matches!(told[..], [What::Lost, What::Bound(_)]), "port {port}: {told:?}");
        check(&lab.calls().0);
    }
}

#[test]
fn other_traffic_tells_nothing() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 8080);
    lab.packet(Side::Client, false, &[0x5a; 400]);
    lab.lose(Side::Client, &[0x5a; 400]);
    lab.packet(Side::Client, false, &[0x5a; 400]);
    lab.pipeline.finish(&mut lab.events);
    assert!(lab.events.is_empty(), "{:?}", lab.events);
}

#[test]
fn a_netbios_session_that_is_denied() {
    let registry = Registry::embedded().unwrap();
    let mut lab = Lab::new(&registry, 50_000, 139);
    lab.handshake();
    // RFC 1001 14.1: each half octet of the name is a letter.
    let name = |name: &str| {
        let octets = format!("{name:<16}").into_bytes().into_iter();
        let letters = octets.flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]);
        [&[32][..], &letters.collect::<Vec<_>>(), &[0]].concat()
    };
    let request = [&b"\x81\0\0\x44"[..], &name("FS1"), &name("CLIENT")].concat();
    lab.packet(Side::Client, false, &request);
    lab.packet(Side::Server, false, b"\x83\0\0\x01\x82");
    let [Event::Around(denied)] = &lab.events[..] else { panic!("{:?}", lab.events) };
    let called = Some("FS1".to_owned());
    let why = crate::smb::SessionRefusal(0x82);
    assert_eq!(denied.what, What::NetbiosRefused { called, why });
    assert_eq!((denied.frame, denied.server.port()), (Some(FrameNo(4)), 139));
    let refusals: Vec<_> = lab.pipeline.summary().refusals.into_iter().collect();
    let text = "NetBIOS session with FS1: called name not present";
    assert_eq!(refusals, [(text.to_owned(), 1)]);
}

/// RFC 4120 7.2.2: what a KDC says over TCP has its length before it, whatever segments carry it.
#[test]
fn what_a_kdc_says_may_span_segments() {
    use crate::security::kerberos::samples::UNKNOWN;
    let registry = Registry::embedded().unwrap();
    let behind_length =
        |message: &[u8]| [&u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat();
    let (request, answer) = (behind_length(&[0x6c; 40]), behind_length(UNKNOWN));
    let told = |before: &[&[u8]], segments: &[&[u8]], handshake| {
        let mut lab = Lab::new(&registry, 50_000, 88);
        if handshake {
            lab.handshake();
        }
        lab.packet(Side::Client, false, &request);
        for segment in before.iter().chain(segments) {
            lab.packet(Side::Server, false, segment);
        }
        lab.pipeline.finish(&mut lab.events);
        let told = around(&lab.events);
        told.iter().filter(|what| matches!(what, What::TicketRefused { .. })).count()
    };
    for cut in 0..answer.len() {
        let (a, b) = answer.split_at(cut);
        assert_eq!(told(&[], &[a, b], true), 1, "cut at {cut}");
        assert_eq!(told(&[], &[a], true), 0, "cut off at {cut}");
    }
    // The beginning is missing, or is of something that nobody says.
    assert_eq!(told(&[&[0x5a; 30]], &[&answer], false), 1);
    assert_eq!(told(&[&[0xff; 30]], &[&answer], true), 1);
}
