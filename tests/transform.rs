//! Encrypted and signed SMB, with keys: what opens, what is verified, and why the rest stays closed.
//!
//! The keys are those that the server wrote down itself (`*.keys` beside the captures), and those
//! published with captures of others.

#[path = "common/mod.rs"]
#[expect(dead_code, reason = "where the captures are is all that is wanted here")]
mod common;
#[path = "common/events.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod events;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use vshark::call::Call;
use vshark::capture::Capture;
use vshark::pipeline::{Event, Pipeline, Signatures, Summary, UnitKind, What};
use vshark::protocol::Registry;
use vshark::security::Secret;
use vshark::security::keys::{Account, AccountSecret, Keyring, SmbKey, SmbSecret};

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the embedded dissectors load"));

/// The conversation that all of the lab's captures with encryption have.
const BACKUP: &str = "8:0 0:0 9:0x8004230c 8:0 0:0 1:0 2:0 3:0 12:0 4:0 5:0 10:0 9:0x8004230c \
                      10:0 6:0 11:0";

fn lab(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures").join(name)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().map(|c| u8::try_from(c.to_digit(16).expect("hex")).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// `SessionId` as it is on the wire.
fn session_id(text: &str) -> u64 {
    u64::from_le_bytes(unhex(text).try_into().expect("eight octets"))
}

fn secret(text: &str) -> Secret {
    Secret::new(unhex(text))
}

fn key(session: u64, secret: SmbSecret) -> SmbKey {
    SmbKey { session_id: session, secret, from: "a test".to_owned() }
}

fn ring(keys: impl IntoIterator<Item = SmbKey>) -> Keyring {
    let mut ring = Keyring::default();
    keys.into_iter().for_each(|key| ring.add_smb(key));
    ring
}

/// What the server wrote down of a session.
struct Known {
    session_id: u64,
    session: SmbSecret,
    directions: SmbSecret,
}

fn known(capture: &str) -> Known {
    let text = fs::read_to_string(lab(&capture.replace(".pcap", ".keys"))).unwrap();
    let of = |name: &str| {
        let mut words = text.split_whitespace();
        words.find_map(|word| word.strip_prefix(name)?.strip_prefix('=')).expect(name)
    };
    Known {
        session_id: session_id(of("SessionId")),
        session: SmbSecret::Session(secret(of("SessionKey"))),
        directions: SmbSecret::Directions {
            client_to_server: Some(secret(of("ServerInKey"))),
            server_to_client: Some(secret(of("ServerOutKey"))),
        },
    }
}

struct Seen {
    calls: Vec<Call>,
    events: Vec<Event>,
    summary: Summary,
}

/// Reads a capture from frame `from` on.
fn read(capture: &Path, from: u64, keys: Keyring) -> Seen {
    let mut capture = Capture::open(&[capture.to_owned()]);
    for _ in 1..from {
        assert!(capture.advance());
    }
    let mut pipeline = Pipeline::tracing(&REGISTRY).with_keys(Arc::new(keys));
    let events = events::read(&mut capture, &mut pipeline);
    let calls = events.iter().filter_map(|event| match event {
        Event::Call(call) => Some((**call).clone()),
        _ => None,
    });
    Seen { calls: calls.collect(), summary: pipeline.summary(), events }
}

impl Seen {
    /// Calls of FSRVP as `opnum:status`.
    fn backup(&self) -> String {
        let of =
            self.calls.iter().filter(|call| call.interface_name() == Some("FileServerVssAgent"));
        let token = |call: &Call| {
            let status = match call.status {
                Some(0) => "0".to_owned(),
                Some(status) => format!("0x{status:08x}"),
                None => "?".to_owned(),
            };
            format!("{}:{status}", call.rpc.opnum.unwrap_or(u16::MAX))
        };
        of.map(token).collect::<Vec<_>>().join(" ")
    }

    fn is_sealed(&self) -> bool {
        let sealed =
            |event: &Event| matches!(event, Event::Around(around) if around.what == What::Sealed);
        self.events.iter().any(sealed)
    }

    #[track_caller]
    fn all_open(&self) {
        let summary = &self.summary;
        assert!(summary.smb_sealed > 0);
        let rest = (summary.smb_opened + summary.smb_sealed_bulk, summary.smb_sealed_bad);
        assert_eq!(rest, (summary.smb_sealed, 0), "{:?}", summary.smb_closed);
        assert_eq!(summary.smb_closed, []);
        assert!(!self.is_sealed());
    }
}

const LAB: [&str; 4] = [
    "c-enc-AES-128-GCM-sign.pcap",
    "c-enc-AES-256-GCM-sign.pcap",
    "c-enc-SMB3_00-sign.pcap",
    "h-krb5-smbenc-sign.pcap",
];

#[test]
fn a_session_key_opens_everything_and_verifies_the_logon() {
    for name in LAB {
        let known = known(name);
        let seen = read(&lab(name), 1, ring([key(known.session_id, known.session)]));
        println!("{name}: {:?}", seen.summary.smb_signatures);
        seen.all_open();
        assert_eq!(seen.backup(), BACKUP, "{name}");
        // The answer to the logon is signed; all others are encrypted.
        let Signatures { verified, bad, .. } = seen.summary.smb_signatures;
        assert!(verified > 0 && bad == 0, "{name}");
        let pipes = seen.calls.iter().filter_map(Call::pipe);
        assert!(pipes.clone().count() > 0 && pipes.into_iter().all(|pipe| pipe.encrypted));
    }
}

#[test]
fn keys_of_both_directions_open_everything() {
    for name in LAB {
        let known = known(name);
        let seen = read(&lab(name), 1, ring([key(known.session_id, known.directions)]));
        seen.all_open();
        assert_eq!(seen.backup(), BACKUP, "{name}");
        assert_eq!(seen.summary.smb_signatures.verified, 0, "{name}");
    }
}

#[test]
fn a_wrong_key_opens_nothing_and_that_is_told() {
    for name in LAB {
        let known = known(name);
        let wrong = SmbSecret::Session(Secret::new(vec![7; 16]));
        let seen = read(&lab(name), 1, ring([key(known.session_id, wrong)]));
        assert_eq!((seen.summary.smb_opened, seen.summary.smb_signatures.bad), (0, 0));
        assert_eq!(seen.backup(), "");
        assert!(seen.is_sealed());
        let [closed] = &seen.summary.smb_closed[..] else { panic!("{:?}", seen.summary) };
        assert_eq!(closed.messages, seen.summary.smb_sealed);
        assert_eq!(closed.session_id, known.session_id);
        let why = closed.need.to_string();
        println!("{name}: {why}");
        assert!(
            why.contains("the session key given for it (a test) does not open it with "),
            "{why}"
        );
        assert!(why.contains("(a test) does not verify the answer to the logon"), "{why}");
    }
}

#[test]
fn no_key_opens_nothing_and_that_is_told() {
    for name in LAB {
        let seen = read(&lab(name), 1, Keyring::default());
        assert_eq!(seen.summary.smb_opened, 0);
        let [closed] = &seen.summary.smb_closed[..] else { panic!("{:?}", seen.summary) };
        assert_eq!(closed.messages, seen.summary.smb_sealed);
        assert!(seen.is_sealed());
    }
}

/// What was published with captures of others.
const PUBLIC: &str = include_str!("data/smb-keys.tsv");

#[test]
fn captures_of_others_open_with_their_published_keys() {
    let Some(folder) = common::shared("captures/public") else { return };
    for line in PUBLIC.lines().filter(|line| !line.starts_with('#')) {
        let [name, session, session_key, server, client] = line.split('\t').collect::<Vec<_>>()[..]
        else {
            panic!("{line}")
        };
        let capture = folder.join(format!("wireshark-4.0.17__{name}.pcap.gz"));
        let session = session_id(session);
        let by_session = || key(session, SmbSecret::Session(secret(session_key)));
        let by_directions = || {
            let [client_to_server, server_to_client] =
                [client, server].map(|key| Some(secret(key)));
            key(session, SmbSecret::Directions { client_to_server, server_to_client })
        };
        for keys in [ring([by_session()]), ring([by_directions()])] {
            let seen = read(&capture, 1, keys);
            seen.all_open();
            let trees = seen.events.iter().filter_map(|event| match event {
                Event::Around(around) => match &around.what {
                    What::TreeConnected { path } => Some(path.as_str()),
                    _ => None,
                },
                _ => None,
            });
            assert!(trees.into_iter().any(|path| path.ends_with("\\IPC$")), "{name}");
        }
        // Without NEGOTIATE and logon: the cipher is found by trying.
        read(&capture, 7, ring([by_directions()])).all_open();
        let seen = read(&capture, 7, ring([by_session()]));
        if name.starts_with("smb300") {
            seen.all_open();
        } else {
            assert_eq!(seen.summary.smb_opened, 0, "{name}: the key depends on what was before");
            assert!(!seen.summary.smb_closed.is_empty());
        }
    }
}

#[test]
fn what_was_opened_is_shown_behind_what_it_was_in() {
    let name = LAB[0];
    let known = known(name);
    let seen = read(&lab(name), 1, ring([key(known.session_id, known.session)]));
    let units: Vec<_> = seen
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Unit(unit) if unit.kind != UnitKind::Rpc => Some(unit),
            _ => None,
        })
        .collect();
    let opened = units.windows(2).filter(|pair| pair[1].kind == UnitKind::Opened);
    let mut count = 0;
    for pair in opened {
        count += 1;
        let [sealed, opened] = [0, 1].map(|at| pair[at].bytes.view());
        assert!(sealed.bytes()[4..].starts_with(b"\xfdSMB"));
        assert!(opened.bytes().starts_with(b"\xfeSMB"));
        assert_eq!(opened.len() + 4 + 52, sealed.len());
        assert_eq!(opened.frames(), sealed.frames());
        assert!(opened.pieces().all(|piece| piece.made));
    }
    assert_eq!(count, seen.summary.smb_opened);
}

fn password(user: &str, password: &str) -> Account {
    Account {
        domain: None,
        user: Some(user.to_owned()),
        secret: AccountSecret::Password(Secret::from(password.as_bytes())),
        from: "a test".to_owned(),
    }
}

/// Everybody who has an account in the lab.
fn accounts() -> Keyring {
    let mut ring = Keyring::default();
    ring.add_account(password("fsadmin", "Fsadmin-Pw1"));
    ring
}

#[test]
fn a_password_opens_what_ntlm_has_logged_on() {
    for name in &LAB[..3] {
        let seen = read(&lab(name), 1, accounts());
        seen.all_open();
        assert_eq!(seen.backup(), BACKUP, "{name}");
        let expected = Signatures { verified: 1, bad: 0, not_verifiable: 0 };
        assert_eq!(seen.summary.smb_signatures, expected, "{name}");
    }
}

#[test]
fn a_password_verifies_what_is_signed() {
    for name in ["a-ntlm-sign-smb311.pcap", "d-SMB2_02-sign.pcap", "d-NT1-sign.pcap"] {
        let seen = read(&lab(name), 1, accounts());
        println!("{name}: {:?}", seen.summary.smb_signatures);
        let Signatures { verified, bad, not_verifiable } = seen.summary.smb_signatures;
        assert!(verified > 40, "{name}");
        assert_eq!(bad, 0, "{name}");
        assert!(not_verifiable < 4, "{name}");
    }
}

#[test]
fn nothing_of_the_lab_is_accused() {
    let Some(folder) = common::shared("captures/fsrvp") else { return };
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|of| of.unwrap().path()).collect();
    files.sort();
    let mut verified = 0;
    for file in files.iter().filter(|file| file.to_string_lossy().contains(".pcap")) {
        let summary = read(file, 1, accounts()).summary;
        let name = file.file_name().unwrap().to_string_lossy();
        println!(
            "{name}: {:?} of {} encrypted {}",
            summary.smb_signatures, summary.smb_sealed, summary.smb_opened
        );
        assert_eq!((summary.smb_signatures.bad, summary.smb_sealed_bad), (0, 0), "{name}");
        verified += summary.smb_signatures.verified;
    }
    assert!(verified > 1000);
}
