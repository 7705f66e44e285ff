//! NTLM: its messages, the published examples of its keys (\[MS-NLMP\] 4.2), and contexts that open.

use super::*;

#[test]
fn negotiate_has_flags_and_version() {
    let Ok(Message::Negotiate(got)) = read(samples::NEGOTIATE) else {
        panic!("no NEGOTIATE_MESSAGE");
    };
    let version = got.version.unwrap();
    assert_eq!((version.major, version.minor, version.build), (10, 0, 14393));
    assert!(got.domain.is_empty() && got.workstation.is_empty());
}

#[test]
fn challenge_names_the_server() {
    let Ok(Message::Challenge(got)) = read(&samples::challenge()) else {
        panic!("no CHALLENGE_MESSAGE");
    };
    assert_eq!(got.target_name, "FSLAB");
    assert_eq!(got.target_info.nb_computer_name.as_deref(), Some("FSS1"));
    assert_eq!(got.target_info.dns_computer_name.as_deref(), Some("fss1.fslab.test"));
    assert_eq!(got.target_info.dns_tree_name, None);
    assert!(got.target_info.timestamp);
}

#[test]
fn authenticate_names_the_user() {
    let Ok(Message::Authenticate(got)) = read(&samples::authenticate()) else {
        panic!("no AUTHENTICATE_MESSAGE");
    };
    assert_eq!(got.account(), "FSLAB\\fsadmin");
    assert_eq!(got.workstation, "CLIENT1");
    assert!(!got.anonymous);
}

#[test]
fn nobody_is_anonymous() {
    let nobody = [&b"NTLMSSP\0\x03\0\0\0"[..], &[0; 48], b"\x01\x0a\0\0"].concat();
    let Ok(Message::Authenticate(got)) = read(&nobody) else {
        panic!("no AUTHENTICATE_MESSAGE");
    };
    assert!(got.anonymous);
    assert_eq!(got.account(), "NT AUTHORITY\\ANONYMOUS LOGON");
}

#[test]
fn every_shorter_prefix_stops() {
    let challenge = samples::challenge();
    for n in 0..challenge.len() {
        assert!(read(&challenge[..n]).is_err(), "{n} bytes");
    }
    // The NT response at the end is not read.
    let authenticate = samples::authenticate();
    for n in 0..authenticate.len() - 24 {
        assert!(read(&authenticate[..n]).is_err(), "{n} bytes");
    }
}

#[test]
fn a_length_or_offset_past_the_end_stops() {
    for at in [12, 16, 40, 44] {
        let mut bad = samples::challenge();
        bad[at..at + 2].copy_from_slice(&[0xff, 0x7f]);
        assert!(read(&bad).unwrap_err().is_malformed(), "offset {at}");
    }
}

mod conversation;
mod vectors;
