//! What comes before a conversation: names, tickets, connects; from scenarios, and frame by frame.

use std::net::IpAddr;

use etherparse::PacketBuilder;
use vshark::bytes::{FrameNo, LinkType, Time};
use vshark::capture::Frame;
use vshark::pipeline::{Event, Pipeline, Unreached, What};

use crate::{REGISTRY, around, common, lines, only, play, read, told};

/// The words of what is told before a conversation.
const BEFORE: &[&str] = &["unreachable", "name", "ticket"];

/// Frames between 10.0.0.1, .2, … and a server, 10.0.1.1.
#[derive(Default)]
struct Lab {
    frames: Vec<(i64, Vec<u8>)>,
}

const SYN: u8 = 1;
const ACK: u8 = 2;
const RST: u8 = 4;

const CLIENT: ([u8; 4], u16) = ([10, 0, 0, 1], 50_000);
const SERVER: ([u8; 4], u16) = ([10, 0, 1, 1], 445);

impl Lab {
    /// A segment, after so many milliseconds: flags, numbers.
    fn tcp(
        mut self,
        ms: i64,
        (from, to): (([u8; 4], u16), ([u8; 4], u16)),
        flags: u8,
        (seq, ack): (u32, u32),
    ) -> Self {
        let mut builder = PacketBuilder::ethernet2([2; 6], [4; 6])
            .ipv4(from.0, to.0, 64)
            .tcp(from.1, to.1, seq, 8192);
        if flags & SYN != 0 {
            builder = builder.syn();
        }
        if flags & ACK != 0 {
            builder = builder.ack(ack);
        }
        if flags & RST != 0 {
            builder = builder.rst();
        }
        let mut frame = Vec::new();
        builder.write(&mut frame, &[]).unwrap();
        self.frames.push((ms, frame));
        self
    }

    fn syn(self, ms: i64, seq: u32) -> Self {
        self.tcp(ms, (CLIENT, SERVER), SYN, (seq, 0))
    }

    /// The server accepts.
    fn accept(self, ms: i64, seq: u32) -> Self {
        self.tcp(ms, (SERVER, CLIENT), SYN | ACK, (9000, seq + 1))
    }

    fn refuse(self, ms: i64, seq: u32) -> Self {
        self.tcp(ms, (SERVER, CLIENT), RST | ACK, (0, seq + 1))
    }

    fn udp(mut self, ms: i64, from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> Self {
        let mut frame = Vec::new();
        let builder = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(from.0, to.0, 64);
        builder.udp(from.1, to.1).write(&mut frame, payload).unwrap();
        self.frames.push((ms, frame));
        self
    }

    /// Something is said to the client, so that one knows it would be seen.
    fn heard(self) -> Self {
        self.udp(0, ([10, 0, 9, 9], 123), (CLIENT.0, 123), b"time")
    }

    /// Nothing but time passes until then.
    fn until(self, ms: i64) -> Self {
        self.udp(ms, ([10, 0, 8, 8], 123), ([10, 0, 8, 9], 123), b"time")
    }

    fn events(&self) -> Vec<Event> {
        let mut pipeline = Pipeline::new(&REGISTRY);
        let mut events = Vec::new();
        for (no, (ms, data)) in (1..).zip(&self.frames) {
            let frame = Frame {
                no: FrameNo(no),
                time: Time::from_nanos(i128::from(*ms) * 1_000_000),
                link: LinkType::ETHERNET,
                wire_len: u32::try_from(data.len()).unwrap(),
                data,
                offset: 0,
                comment: None,
                file: 0,
                no_in_file: no,
            };
            pipeline.frame(&frame, &mut events);
        }
        pipeline.finish(&mut events);
        events
    }

    #[track_caller]
    fn tells(&self, expect: &[&str]) {
        assert_eq!(only(&lines(&self.events()), BEFORE), expect);
    }
}

const REFUSED: &str = "unreachable answered with RST, 1 SYN";

#[test]
fn nobody_answers() {
    let lab = Lab::default().heard().syn(0, 7).syn(1000, 7).syn(3000, 7);
    let silence = "unreachable no answer, 3 SYN";
    lab.tells(&[silence]);
    // It is told when the client has been silent for twice as long as before.
    let lab = lab.until(6900).until(7600).until(9000);
    let events = lab.events();
    let at = around(&events, |around| match around.what {
        What::Unreachable { how: Unreached::Silence, syns: 3, since } => {
            Some((around.time, around.frame, since, around.client, around.server))
        }
        _ => None,
    });
    let time = |ms: i64| Time::from_nanos(i128::from(ms) * 1_000_000);
    let (client, server) = ("10.0.0.1:50000".parse().unwrap(), "10.0.1.1:445".parse().unwrap());
    assert_eq!(at, [(time(7600), Some(FrameNo(4)), time(0), client, server)]);
    assert!(matches!(events[..], [Event::Around(_)]), "{events:?}");
}

#[test]
fn silence_is_told_once() {
    let lab = Lab::default().heard().syn(0, 7).syn(1000, 7).until(4000);
    lab.tells(&["unreachable no answer, 2 SYN"]);
    // Packets in between were lost: it was not over.
    let lab = lab.syn(7000, 7).syn(15_000, 7).until(40_000);
    lab.tells(&["unreachable no answer, 2 SYN"]);
}

#[test]
fn what_is_not_known_to_be_silence() {
    // Who sends one SYN may have been answered; the capture may end too soon to tell.
    Lab::default().heard().syn(0, 7).until(600_000).tells(&[]);
    Lab::default().heard().syn(0, 7).syn(500, 7).tells(&[]);
    // The same packet recorded twice.
    Lab::default().heard().syn(0, 7).syn(1, 7).syn(2, 7).until(60_000).tells(&[]);
    // Nothing is seen that is sent to this client, or that this server sends.
    Lab::default().syn(0, 7).syn(1000, 7).until(60_000).tells(&[]);
    // Another port.
    let web = (SERVER.0, 80);
    let lab = Lab::default().heard().tcp(0, (CLIENT, web), SYN, (7, 0));
    lab.tcp(1000, (CLIENT, web), SYN, (7, 0)).until(60_000).tells(&[]);
    // The SYN and ACK was not captured, what followed was.
    let lab = Lab::default().heard().syn(0, 7).syn(1000, 7);
    lab.tcp(1100, (CLIENT, SERVER), ACK, (8, 9001)).until(60_000).tells(&[]);
    let lab = Lab::default().heard().syn(0, 7).syn(1000, 7);
    lab.tcp(1100, (SERVER, CLIENT), ACK, (9001, 8)).until(60_000).tells(&[]);
}

#[test]
fn an_answer_that_comes_late_is_an_answer() {
    let lab = Lab::default().heard().syn(0, 7).syn(1000, 7).syn(3000, 7);
    lab.accept(3100, 7).tcp(3101, (CLIENT, SERVER), ACK, (8, 9001)).until(60_000).tells(&[]);
}

#[test]
fn what_shows_that_an_answer_would_be_seen() {
    // A packet to the client, of another connection.
    let other = ((CLIENT.0, 40_000), ([10, 0, 1, 2], 80));
    let lab = Lab::default().syn(0, 7).syn(1000, 7);
    lab.tcp(1100, (other.1, other.0), ACK, (1, 1)).until(60_000).tells(&[SILENCE_2]);
    // A packet from the server, to somebody else.
    let lab = Lab::default().syn(0, 7).syn(1000, 7);
    lab.tcp(1100, (SERVER, ([10, 0, 0, 2], 40_000)), ACK, (1, 1)).tells(&[SILENCE_2]);
    // A packet to somebody else, from somebody else.
    let lab = Lab::default().syn(0, 7).syn(1000, 7);
    lab.tcp(1100, (other.1, ([10, 0, 0, 2], 40_000)), ACK, (1, 1)).tells(&[]);
}

const SILENCE_2: &str = "unreachable no answer, 2 SYN";

#[test]
fn a_server_refuses() {
    let lab = Lab::default().syn(0, 7).refuse(1, 7);
    lab.tells(&[REFUSED]);
    let events = lab.events();
    let Event::Around(told) = &events[0] else { panic!("{events:?}") };
    assert_eq!((told.frame, told.time), (Some(FrameNo(2)), Time::from_nanos(1_000_000)));
    // Windows tries twice more, half a second later each.
    lab.syn(500, 7).refuse(501, 7).syn(1000, 7).refuse(1001, 7).until(9000).tells(&[REFUSED]);
    for port in [139, 135] {
        let server = (SERVER.0, port);
        let lab = Lab::default().tcp(0, (CLIENT, server), SYN, (7, 0));
        lab.tcp(1, (server, CLIENT), RST | ACK, (0, 8)).tells(&[REFUSED]);
    }
}

#[test]
fn a_reset_that_answers_no_syn() {
    // Of an older connection; without an acknowledgment; of one that was accepted.
    Lab::default().syn(0, 7).refuse(1, 6_000_000).accept(2, 7).tells(&[]);
    let lab = Lab::default().syn(0, 7).tcp(1, (SERVER, CLIENT), RST, (0, 0));
    lab.accept(2, 7).tells(&[]);
    Lab::default().syn(0, 7).accept(1, 7).refuse(2, 7).tells(&[]);
    // The SYN and ACK was not captured, what followed was.
    let lab = Lab::default().syn(0, 7).tcp(1, (CLIENT, SERVER), ACK, (8, 9001));
    lab.refuse(2, 7).tells(&[]);
    // The capture begins after the SYN.
    Lab::default().refuse(2, 7).tells(&[]);
    // The client resets what it began itself.
    Lab::default().syn(0, 7).tcp(1, (CLIENT, SERVER), RST, (8, 0)).until(60_000).tells(&[]);
}

#[test]
fn a_port_is_used_again() {
    // Refused twice; refused, then accepted; in vain, then accepted; accepted, then in vain.
    let twice = Lab::default().syn(0, 7).refuse(1, 7).syn(5000, 4_000_000).refuse(5001, 4_000_000);
    twice.tells(&[REFUSED; 2]);
    Lab::default()
        .syn(0, 7)
        .refuse(1, 7)
        .syn(5000, 4_000_000)
        .accept(5001, 4_000_000)
        .tells(&[REFUSED]);
    let lab = Lab::default().heard().syn(0, 7).syn(1000, 7).syn(1500, 4_000_000);
    lab.accept(1501, 4_000_000).tells(&[SILENCE_2]);
    let lab = Lab::default().syn(0, 7).accept(1, 7).tcp(2, (CLIENT, SERVER), RST | ACK, (8, 9001));
    lab.syn(5000, 4_000_000).syn(6000, 4_000_000).until(60_000).tells(&[SILENCE_2]);
}

#[test]
fn each_client_has_its_own() {
    let other = ([10, 0, 0, 2], 50_000);
    let lab = Lab::default().heard().syn(0, 7).tcp(10, (other, SERVER), SYN, (70, 0));
    let lab = lab.syn(1000, 7).tcp(1010, (other, SERVER), SYN, (70, 0));
    // The other is answered in the end.
    let lab = lab.tcp(1011, (SERVER, other), SYN | ACK, (9000, 71)).until(60_000);
    let events = lab.events();
    let clients = around(&events, |around| match around.what {
        What::Unreachable { .. } => Some(around.client.ip()),
        _ => None,
    });
    assert_eq!(clients, [IpAddr::from(CLIENT.0)]);
}

#[test]
fn many_attempts_are_bounded() {
    // The server says something to somebody, so that one knows it would be seen.
    let mut lab = Lab::default().udp(0, (SERVER.0, 123), ([10, 0, 8, 8], 123), b"time");
    for n in 0..6000_u16 {
        let [high, low] = n.to_be_bytes();
        let client = ([10, 1, high, low], 20_000);
        let ms = i64::from(n / 10);
        lab = lab.tcp(ms, (client, SERVER), SYN, (7, 0));
        lab = lab.tcp(ms + 1000, (client, SERVER), SYN, (7, 0));
    }
    lab.frames.sort_by_key(|(ms, _)| *ms);
    let told = only(&lines(&lab.until(60_000).events()), &["unreachable"]);
    assert_eq!(told.len(), 4096);
}

/// Of one client at one server few are followed at the same time: those that were refused make room
/// for others.
#[test]
fn attempts_of_one_client_are_bounded() {
    let mut lab = Lab::default().heard();
    for port in 0..6000 {
        let client = (CLIENT.0, 20_000 + port);
        let ms = i64::from(port / 10);
        lab = lab.tcp(ms, (client, SERVER), SYN, (7, 0));
        lab = lab.tcp(ms + 1000, (client, SERVER), SYN, (7, 0));
    }
    lab.frames.sort_by_key(|(ms, _)| *ms);
    let told = only(&lines(&lab.until(60_000).events()), &["unreachable"]);
    assert_eq!(told.len(), 16);
    let mut lab = Lab::default().heard();
    for port in 0..200 {
        let client = (CLIENT.0, 20_000 + port);
        let ms = i64::from(port);
        lab = lab.tcp(ms, (client, SERVER), SYN, (7, 0));
        lab = lab.tcp(ms, (SERVER, client), RST | ACK, (0, 8));
    }
    assert_eq!(only(&lines(&lab.events()), &["unreachable"]).len(), 200);
}

#[test]
fn scenarios_of_connects() {
    for (text, expect) in [
        ("A connect refused", REFUSED),
        ("A connect refused RST", REFUSED),
        ("ipv6; A connect refused", REFUSED),
        (
            "A connect refused ICMP; wait 5s; A name X",
            "unreachable communication administratively prohibited (ICMP from 10.0.2.2), 1 SYN",
        ),
        (
            "ipv6; A connect refused ICMP; wait 5s; A name X",
            "unreachable communication administratively prohibited (ICMP from fd00::2:2), 1 SYN",
        ),
        ("A name FS; A connect unanswered", "unreachable no answer, 5 SYN"),
        ("tcp 135; A name FS; A connect unanswered", "unreachable no answer, 5 SYN"),
    ] {
        assert_eq!(told(text), [expect], "{text}");
    }
    // Nothing that is sent to the client is there to be seen.
    assert_eq!(told("A connect unanswered"), [""; 0]);
    // A router is overruled by the server, and a later connect is another.
    let lines = told("A name FS; A connect unanswered; A:8=0; B name FS; B connect refused");
    assert_eq!(lines[0], "unreachable no answer, 5 SYN");
    assert_eq!(lines[1], "negotiated 3.1.1");
    assert_eq!(only(&lines, BEFORE)[1..], [REFUSED]);
}

#[test]
fn a_server_that_is_silent_has_the_name_it_was_looked_for_by() {
    let name = |text: &str| {
        let events = play(text);
        around(&events, |around| match around.what {
            What::Unreachable { .. } => Some(around.server_name.clone()),
            _ => None,
        })
    };
    let of = |name: &str| [Some(name.to_owned())];
    assert_eq!(name("A name FS.lab.test; A connect unanswered"), of("FS.lab.test"));
    assert_eq!(name("ipv6; A name FS.lab.test; A connect refused"), of("FS.lab.test"));
    assert_eq!(name("A name FS netbios; A connect refused"), of("FS"));
    assert_eq!(name("A connect refused"), [None]);
}

#[test]
fn names_that_do_not_resolve() {
    for (text, expect) in [
        ("A name nas.lab.test unknown", "name nas.lab.test unknown to DNS: NXDOMAIN"),
        ("A name nas unknown SERVFAIL", "name nas unknown to DNS: SERVFAIL"),
        ("ipv6; A name nas unknown REFUSED", "name nas unknown to DNS: REFUSED"),
        ("A name nas unknown netbios", "name NAS unknown to NetBIOS name service: NAM_ERR"),
    ] {
        let events = play(text);
        assert_eq!(lines(&events), [expect], "{text}");
        let ends = around(&events, |around| Some((around.client.ip(), around.server.ip())));
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let expect = if text.starts_with("ipv6") {
            (ip("fd00::1"), ip("fd00::2:1"))
        } else {
            (ip("10.0.0.1"), ip("10.0.2.1"))
        };
        assert_eq!(ends, [expect], "{text}");
    }
    assert_eq!(told("A name FS; A name FS netbios"), [""; 0]);
}

#[test]
fn names_that_are_found_after_all() {
    let unknown = "name fs.a.test unknown to DNS: NXDOMAIN";
    // Under another suffix, by another resolver.
    for (found, by) in [("fs.b.test", "DNS"), ("FS", "DNS"), ("FS netbios", "NetBIOS name service")]
    {
        let lines = told(&format!("A name fs.a.test unknown; A name {found}"));
        let name = found.split(' ').next().unwrap();
        assert_eq!(lines, [unknown.to_owned(), format!("name {name} found by {by}")]);
    }
    // Another name; another client.
    assert_eq!(told("A name fs.a.test unknown; A name fs2.a.test"), [unknown]);
    assert_eq!(told("A name fs.a.test unknown; B name fs.a.test"), [unknown]);
    // It is told once, and is unknown again later, but not if only one kind of address is.
    let again = "A name fs.a.test unknown; A name fs.a.test; A name fs.a.test; wait 10s; A name fs.a.test unknown";
    assert_eq!(told(again), [unknown, "name fs.a.test found by DNS", unknown]);
    assert_eq!(told("A name fs.a.test; A name fs.a.test unknown"), [""; 0]);
}

#[test]
fn tickets_that_are_refused() {
    for (text, expect) in [
        (
            "A ticket cifs/fs1 refused KDC_ERR_S_PRINCIPAL_UNKNOWN",
            "ticket refused by Kdc cifs/fs1 for ?: KDC_ERR_S_PRINCIPAL_UNKNOWN (7)",
        ),
        (
            "A ticket cifs/fs1.lab.test refused SKEW udp",
            "ticket refused by Kdc cifs/fs1.lab.test for ?: KRB_AP_ERR_SKEW (37)",
        ),
        (
            "segment 100; A ticket cifs/fs1 refused 18",
            "ticket refused by Kdc cifs/fs1 for ?: KDC_ERR_CLIENT_REVOKED (18)",
        ),
    ] {
        let events = play(text);
        assert_eq!(lines(&events), [expect], "{text}");
        let server = around(&events, |around| Some(around.server.to_string()));
        assert_eq!(server, ["10.0.2.1:88"]);
    }
    // One that several segments carry is put together.
    assert_eq!(
        told("segment 64; A ticket cifs/fs1 refused 18"),
        ["ticket refused by Kdc cifs/fs1 for ?: KDC_ERR_CLIENT_REVOKED (18)"]
    );
    // Clients deal with these.
    for step in ["PREAUTH_REQUIRED", "RESPONSE_TOO_BIG udp", "WRONG_REALM"] {
        assert_eq!(told(&format!("A ticket krbtgt/LAB refused {step}")), [""; 0]);
    }
    // The server itself does not take it.
    let lines = told("A logon refused KRB_AP_ERR_MODIFIED");
    let expect = "ticket refused by Service cifs/fs for ?: KRB_AP_ERR_MODIFIED (41)";
    assert_eq!(lines[..2], ["negotiated 3.1.1", expect]);
}

#[test]
fn guests_and_nobody() {
    let how = |text: &str| only(&told(text), &["logged on"]);
    assert_eq!(how("A logon"), [r"logged on LAB\backup"]);
    assert_eq!(how("A logon guest"), [r"logged on LAB\backup as Guest"]);
    assert_eq!(how("channels 2; A logon guest").len(), 2);
    let nobody = r"logged on NT AUTHORITY\ANONYMOUS LOGON as Anonymous";
    assert_eq!(how("user anonymous; A logon"), [nobody]);
}

#[test]
fn where_dfs_leads() {
    let lines = told(r"A referral \\lab\dfs\data; A referral \\lab\dfs\x refused STATUS_NOT_FOUND");
    let expect =
        [r"referral \\lab\dfs\data STATUS_SUCCESS", r"referral \\lab\dfs\x STATUS_NOT_FOUND"];
    assert_eq!(only(&lines, &["referral"]), expect);
}

/// No capture of this repository has what was not there; those that have it are held against
/// another reader elsewhere.
#[test]
fn recorded_captures_tell_nothing_that_was_not() {
    let mut files = common::committed();
    for file in
        common::shared("captures/fsrvp").iter().flat_map(|folder| folder.read_dir().unwrap())
    {
        files.push(file.unwrap().path());
    }
    let is_capture = |file: &std::path::Path| {
        let name = common::file_name(file);
        [".pcap", ".pcapng", ".pcap.gz"].iter().any(|ending| name.ends_with(ending))
    };
    for file in files.iter().filter(|file| is_capture(file)) {
        let told = only(&lines(&read(file)), BEFORE);
        assert_eq!(told, [""; 0], "{}", file.display());
    }
}
