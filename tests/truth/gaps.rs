//! Packets missing from what is sealed cost the PDUs they carried, and no others.

use std::sync::Arc;

use vshark::pipeline::{Pipeline, Summary};
use vshark::protocol::Registry;
use vshark::report::value;
use vshark::security::Secret;
use vshark::security::keys::{Account, AccountSecret, Keyring, keytab};

use crate::{common, events};

/// The lab's secrets.
fn ring() -> Arc<Keyring> {
    let mut ring = Keyring::default();
    ring.add_account(Account {
        domain: None,
        user: Some("fsadmin".to_owned()),
        secret: AccountSecret::Password(Secret::from(&b"Fsadmin-Pw1"[..])),
        from: "the test".to_owned(),
    });
    let file = common::captures().join("fslab-all.keytab");
    let found = keytab::read("the keytab", &std::fs::read(file).unwrap()).unwrap();
    found.keys.into_iter().for_each(|key| ring.add_kerberos(key));
    Arc::new(ring)
}

/// One direction of a call: its call id, the frames that carried it, its state and its values.
type Half = (u64, Vec<u64>, &'static str, String);

/// What is read of a capture: frames are numbered as in the whole.
fn read(
    records: &[(u64, &[u8])],
    head: &[u8],
    registry: &Registry,
    keys: &Arc<Keyring>,
) -> (Vec<Half>, Summary) {
    let octets = records.iter().fold(head.to_vec(), |mut octets, (_, record)| {
        octets.extend_from_slice(record);
        octets
    });
    let mut pipeline = Pipeline::new(registry).with_keys(Arc::clone(keys));
    let events = events::read(&mut events::capture(octets), &mut pipeline);
    let number = |frame: u64| records[usize::try_from(frame).unwrap() - 1].0;
    let mut halves = Vec::new();
    for call in events::calls(events) {
        for (stub, message) in
            [(&call.request, &call.rpc.request), (&call.response, &call.rpc.response)]
        {
            let Some(message) = message else { continue };
            let frames = message.frames.iter().map(|frame| number(frame.0)).collect();
            let values = stub.decoded.iter().flat_map(|decoded| &decoded.params);
            let values: Vec<_> =
                values.map(|(name, of)| format!("{name} {}", value::json(of))).collect();
            halves.push((call.rpc.n, frames, stub.readable.word(), values.join(" ")));
        }
    }
    (halves, pipeline.summary())
}

/// The head of a pcap file and its records.
fn split(file: &[u8]) -> (&[u8], Vec<(u64, &[u8])>) {
    let (head, mut rest) = file.split_at(24);
    let mut records = Vec::new();
    while !rest.is_empty() {
        let len = u32::from_le_bytes(rest[8..12].try_into().unwrap());
        let (record, more) = rest.split_at(16 + usize::try_from(len).unwrap());
        records.push((u64::try_from(records.len()).unwrap() + 1, record));
        rest = more;
    }
    (head, records)
}

/// Drops each frame in turn, then each pair of neighbours.
fn lose(name: &str, registry: &Registry, keys: &Arc<Keyring>) -> (usize, usize) {
    let file = std::fs::read(common::captures().join(name)).unwrap();
    let (head, records) = split(&file);
    let (whole, _) = read(&records, head, registry, keys);
    assert!(whole.iter().any(|half| half.2 == "unsealed"), "{name}");
    let (mut compared, mut opened) = (0, 0);
    for width in [1, 2] {
        for at in 0..records.len() + 1 - width {
            let mut fewer = records.clone();
            fewer.drain(at..at + width);
            // Without its tokens a context has no key; that is no loss of calls.
            let dropped = &records[at..at + width];
            let calls_only =
                dropped.iter().all(|(frame, _)| whole.iter().any(|half| half.1.contains(frame)));
            let (part, summary) = read(&fewer, head, registry, keys);
            for (_, frames, state, values) in part {
                // The same message, if nothing of it was lost.
                let same = whole.iter().find(|half| half.1 == frames);
                let Some((_, _, of_whole, meant)) = same else { continue };
                if !matches!(*of_whole, "unsealed") {
                    continue;
                }
                compared += 1;
                match state {
                    "unsealed" => {
                        opened += 1;
                        assert!(
                            values == *meant || values.is_empty(),
                            "{name} without {at}: {values}"
                        );
                    }
                    _ if calls_only => panic!("{name} without {at}: {frames:?} is {state}"),
                    "sealed" => assert!(!summary.rpc.closed.is_empty(), "{name} without {at}"),
                    _ => {}
                }
            }
        }
    }
    (compared, opened)
}

#[test]
fn what_is_lost_costs_no_more_than_itself() {
    let registry = Registry::embedded().unwrap();
    let keys = ring();
    for name in ["h-krb5-seal.pcap", "h-krb5-rc4-seal.pcap", "b-ntlm-seal-smb311.pcap"] {
        let (compared, opened) = lose(name, &registry, &keys);
        common::say(&format!("{name}: {opened} of {compared} messages that are there were opened"));
    }
}
