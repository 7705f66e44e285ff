//! What SMB tells before there are calls, and when there will be none.

use vshark::bytes::Time;
use vshark::pipeline::What;

use crate::{around, common, only, play, read, told};

const BEGIN: [&str; 7] = [
    "negotiated 3.1.1",
    "challenged by FS",
    r"logged on LAB\backup",
    r"tree \\FS\IPC$",
    r"pipe FssagentRpc of \\FS\IPC$",
    "bound a8e0653c on FssagentRpc level 1 Accepted",
    "? 1",
];

#[test]
fn a_conversation_begins() {
    let lines = told("A:8=0");
    assert_eq!(lines[..7], BEGIN);
    assert_eq!(lines[7..], ["! 1", "closed by nobody", "disconnected by nobody false"]);
}

#[test]
fn the_frame_is_the_one_that_completed_the_message() {
    let (whole, parts) = (play("A:8=0"), play("segment 16; A:8=0"));
    let frames = |events| around(events, |around| around.frame.map(|frame| (frame.0, around.time)));
    let (whole, parts) = (frames(&whole), frames(&parts));
    assert_eq!((whole.len(), parts.len()), (6, 6));
    // NEGOTIATE answers follow SYN, SYN and ACK, ACK and the request.
    assert_eq!(whole[0].0, 5);
    assert!(parts[0].0 > 20, "{parts:?}");
    for frames in [whole, parts] {
        assert!(frames.is_sorted(), "{frames:?}");
    }
}

#[test]
fn a_server_tells_of_itself() {
    let events = play("start 2026-03-01T10:00:00Z; A:8=0; wait 5s; FS restart; wait 30s; A:8=0");
    let told = around(&events, |around| match &around.what {
        What::Negotiated(told) => Some((around.time, told.clone())),
        _ => None,
    });
    let [(at, first), (again, second)] = &told[..] else { panic!("{told:?}") };
    let begin: Time = Time::from_secs(1_772_359_200);
    assert!(first.started.unwrap() < begin && first.now.unwrap() >= begin);
    assert!(at.since(first.now.unwrap()) < 1_000_000_000);
    let started = second.started.unwrap();
    assert!(started > *at && started < *again && again.since(started) > 29_000_000_000);
    assert_eq!(first.server_guid, second.server_guid);
    assert!(first.server_guid.is_some() && first.client_guid.is_some());
    assert_eq!(first.dialect.as_deref(), Some("3.1.1"));
    assert_eq!(first.capabilities, 0x2f);
    assert_eq!(first.mechanisms.last().map(String::as_str), Some("1.3.6.1.4.1.311.2.2.10"));
    assert_eq!(first.hint.as_deref(), Some("not_defined_in_RFC4178@please_ignore"));
    let told = around(&events, |around| match &around.what {
        What::Challenged(told) => Some(told.clone()),
        _ => None,
    });
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].computer.as_deref(), Some("FS"));
    assert!(told[0].timestamp && told[0].version.is_some());
}

#[test]
fn every_dialect_is_named() {
    for dialect in ["2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"] {
        let lines = told(&format!("smb {dialect}; A:8=0"));
        assert_eq!(lines[0], format!("negotiated {dialect}"));
    }
}

#[test]
fn a_recorded_server_tells_of_itself() {
    let told = |file: &str| {
        let events = read(&common::captures().join(file));
        let told = around(&events, |around| match &around.what {
            What::Negotiated(told) => Some(told.clone()),
            _ => None,
        });
        told.last().expect("there is a negotiation").clone()
    };
    let samba = told("a-ntlm-sign-smb311.pcap");
    assert!(samba.server_guid.is_some() && samba.client_guid.is_some() && samba.now.is_some());
    assert_eq!(samba.started, None, "it tells zero");
    assert_eq!(samba.dialect.as_deref(), Some("3.1.1"));
    assert!(samba.mechanisms.contains(&"1.3.6.1.4.1.311.2.2.10".to_owned()), "{samba:?}");
    let old = told("d-NT1-sign.pcap");
    assert_eq!(old.dialect.as_deref(), Some("1"));
    assert!(old.server_guid.is_some() && old.now.is_some() && old.capabilities != 0);
    assert!(old.mechanisms.contains(&"1.3.6.1.4.1.311.2.2.10".to_owned()), "{old:?}");
}

#[test]
fn refusals() {
    for (text, refused) in [
        ("A logon refused STATUS_LOGON_FAILURE", r"logon refused LAB\backup STATUS_LOGON_FAILURE"),
        (
            r"A tree \\FS\IPC$ refused STATUS_ACCESS_DENIED",
            r"tree refused \\FS\IPC$ STATUS_ACCESS_DENIED",
        ),
        (
            "A create refused STATUS_OBJECT_NAME_NOT_FOUND",
            "pipe refused FssagentRpc STATUS_OBJECT_NAME_NOT_FOUND",
        ),
    ] {
        let lines = told(text);
        let refusals = only(&lines, &["logon refused", "tree refused", "pipe refused"]);
        assert_eq!(refusals, [refused], "{lines:?}");
    }
    assert_eq!(told("A connect refused"), ["unreachable answered with RST, 1 SYN"]);
}

#[test]
fn writes_to_exposed_copies() {
    let lines = told(
        "A:8=0\nA write \\\\FS\\d\nA write \\\\FS\\d@{C1}\n\
         A write \\\\FS\\e@{C2} refused STATUS_MEDIA_WRITE_PROTECTED",
    );
    let wrote = only(&lines, &["wrote"]);
    assert_eq!(wrote.len(), 2, "{lines:?}");
    assert!(wrote[0].starts_with(r"wrote \\FS\d@{") && wrote[0].ends_with("STATUS_SUCCESS"));
    assert!(wrote[1].starts_with(r"wrote \\FS\e@{"));
    assert!(wrote[1].ends_with("STATUS_MEDIA_WRITE_PROTECTED"), "{wrote:?}");
    assert_eq!(only(&lines, &["tree"]).len(), 4);
}

#[test]
fn encrypted_messages_are_told_once() {
    let lines = crate::lines(&read(&common::captures().join("c-enc-AES-128-GCM-sign.pcap")));
    let connections = only(&lines, &["disconnected"]).len();
    assert_eq!(only(&lines, &["sealed"]).len(), connections, "{lines:?}");
}
