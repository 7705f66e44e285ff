//! The keys of sessions in captures are those that the servers wrote down, octet by octet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::{ConnectionId, Smb};
use crate::bytes::{Both, Ends};
use crate::capture::Capture;
use crate::pipeline::tests::captures::{file, run};
use crate::pipeline::{Event, Pipeline, UnitKind};
use crate::protocol::Registry;
use crate::security::Secret;
use crate::security::keys::{self, Keyring, SmbKey, SmbSecret, keytab};

/// What a session signs and seals with.
#[derive(Debug, PartialEq, Eq)]
struct Keys {
    signing: Vec<Secret>,
    sealing: Vec<Both<Option<Secret>>>,
}

/// The messages of a capture of one connection, each with its four-byte header. It takes keys: what
/// nothing opens is skimmed.
fn messages(path: &Path, ring: Keyring) -> Vec<Vec<u8>> {
    let registry = Registry::embedded().unwrap();
    let pipeline = Pipeline::tracing(&registry).with_keys(Arc::new(ring));
    let mut messages = Vec::new();
    run(Capture::open(&[path.to_owned()]), pipeline, |event| {
        if let Event::Unit(unit) = event
            && unit.kind == UnitKind::Smb
        {
            messages.push(unit.bytes.view().bytes().to_vec());
        }
    });
    messages
}

/// The keys of a session once it has sealed something, and how many of its messages opened.
fn keys_of(messages: &[Vec<u8>], session: u64, ring: Keyring) -> (Option<Keys>, u64) {
    let ends =
        Ends { client: "10.0.0.9:50000".parse().unwrap(), server: "10.0.0.1:445".parse().unwrap() };
    let (connection, mut smb, mut found) = (ConnectionId(1), Smb::default(), None);
    smb.take_keys(Arc::new(ring));
    for message in messages {
        let len = u32::try_from(message.len()).unwrap();
        let view = crate::bytes::View::new(message, &[], &[]);
        if let Some(plain) = smb.advance(connection, ends, view, len, &mut Vec::new()) {
            smb.advance_plain(connection, ends, &plain, &mut Vec::new());
        }
        let mut of = smb.sessions.iter_mut().filter(|(key, _)| key.id == session);
        let Some((_, session)) = of.next() else { continue };
        let protection = &session.protection;
        if !protection.sealers.is_empty() {
            let signers = protection.signers.get(&connection);
            found = Some(Keys {
                signing: signers.into_iter().flatten().map(|of| of.key.clone()).collect(),
                sealing: protection.sealers.iter().map(|of| of.keys.clone()).collect(),
            });
        }
    }
    (found, smb.counters().opened)
}

/// A ring with the key of a session, as it was written down.
fn session_key(session: u64, key: &Secret) -> Keyring {
    let mut ring = Keyring::default();
    let secret = SmbSecret::Session(key.clone());
    ring.add_smb(SmbKey { session_id: session, secret, from: "here".to_owned() });
    ring
}

/// The secrets of the laboratory.
fn lab() -> Keyring {
    let text = std::fs::read_to_string(file("lab.toml")).unwrap();
    let mut ring = keys::file::parse("lab.toml", &text).unwrap().ring;
    let octets = std::fs::read(file("fslab-all.keytab")).unwrap();
    for key in keytab::read("fslab-all.keytab", &octets).unwrap().keys {
        ring.add_kerberos(key);
    }
    ring
}

/// A line of a file `*.keys`: the session, and its keys by name.
fn line(name: &str) -> (u64, impl Fn(&str) -> Secret) {
    let text = std::fs::read_to_string(file(name)).unwrap();
    let value = move |of: &str| {
        let mut words = text.split_whitespace();
        let value = words.find_map(|word| word.strip_prefix(of)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("{of} is not there")).to_owned()
    };
    let session = keys::session_id(&value("SessionId")).unwrap();
    (session, move |of| keys::octets(&value(of)).unwrap())
}

#[test]
fn what_the_server_wrote_down() {
    let folder = std::fs::read_dir(file("")).unwrap();
    let mut names: Vec<_> = folder.map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|of| of == "keys"));
    assert_eq!(names.len(), 4, "{names:?}");
    for name in names {
        let name = name.to_str().unwrap();
        let (session, of) = line(name);
        let messages = messages(&file(name).with_extension("pcap"), lab());
        let right = Keys {
            signing: vec![of("SigningKey")],
            sealing: vec![Both {
                client: Some(of("ServerInKey")),
                server: Some(of("ServerOutKey")),
            }],
        };
        for ring in [session_key(session, &of("SessionKey")), lab()] {
            let (found, opened) = keys_of(&messages, session, ring);
            // What is secret is not printed.
            assert!(found.as_ref() == Some(&right), "{name}");
            assert!(opened > 80, "{name}: {opened} messages");
        }
        // Of a logon of 3.1.1 every octet counts.
        let mut other = messages.clone();
        // A NEGOTIATE of SMB1 and its answer do not count: the first message is a request of SMB2.
        let asks =
            |message: &&mut Vec<u8>| message[4..].starts_with(b"\xfeSMB") && message[20] == 0;
        let first = other.iter_mut().find(asks);
        *first.unwrap().last_mut().unwrap() ^= 1;
        let ring = session_key(session, &of("SessionKey"));
        let (found, opened) = keys_of(&other, session, ring);
        let fixed = name.contains("SMB3_00");
        assert_eq!(found.as_ref() == Some(&right), fixed, "{name}");
        assert_eq!(opened > 0, fixed, "{name}");
    }
}

/// Wireshark's test suite has these keys, and does not care which is whose. Its captures are not
/// always there.
#[test]
fn what_wireshark_has_written_down() {
    let folder = std::env::var_os("VSHARK_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from)
        .join("captures/public");
    if !folder.exists() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let table = include_str!("../../../tests/data/smb-keys.tsv");
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let [name, session, key, server, client] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let session = keys::session_id(session).unwrap();
        let ring = || session_key(session, &keys::octets(key).unwrap());
        let capture = folder.join(format!("wireshark-4.0.17__{name}.pcap.gz"));
        let messages = messages(&capture, ring());
        let (found, opened) = keys_of(&messages, session, ring());
        let (client, server) = (keys::octets(client), keys::octets(server));
        let turned = Both { client: server.clone(), server: client.clone() };
        let sealing = found.unwrap().sealing;
        assert!(sealing == [Both { client, server }] || sealing == [turned], "{name}");
        assert_eq!(opened, 2, "{name}");
    }
}
