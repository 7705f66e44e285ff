//! Verification trailers of real clients repeat what their binds and headers say.

use std::path::PathBuf;
use std::sync::Arc;

use vshark::capture::Capture;
use vshark::pipeline::Pipeline;
use vshark::protocol::Registry;
use vshark::rpc::trailer;
use vshark::security::keys::{Keyring, file, keytab};

use crate::{common, events};

/// The lab's secrets.
fn lab() -> Arc<Keyring> {
    let folder = common::captures();
    let text = std::fs::read_to_string(folder.join("lab.toml")).unwrap();
    let file::Keys { mut ring, keytabs } = file::parse("lab.toml", &text).unwrap();
    for of in keytabs {
        let octets = std::fs::read(folder.join(of.path)).unwrap();
        for key in keytab::read("a keytab", &octets).unwrap().keys {
            ring.add_kerberos(key);
        }
    }
    Arc::new(ring)
}

/// How many trailers there are in captures, and those that say something else.
fn trailers(folder: PathBuf) -> (usize, Vec<String>) {
    let (registry, keys) = (Registry::embedded().unwrap(), lab());
    let (mut count, mut odd) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().unwrap_or_default();
        if !["pcap", "pcapng", "cap", "gz"].iter().any(|of| ending == *of) {
            continue;
        }
        let mut pipeline = Pipeline::new(&registry).with_keys(Arc::clone(&keys));
        let read = events::read(&mut Capture::open(std::slice::from_ref(&path)), &mut pipeline);
        for call in events::calls(read) {
            let Some(span) = call.request.trailer else { continue };
            count += 1;
            if let Some((said, is)) = trailer::at_odds(&call.rpc, span) {
                odd.push(format!("{}, call {}: {said}, and {is}", path.display(), call.rpc.n));
            }
        }
    }
    (count, odd)
}

#[test]
fn trailers_of_the_repository() {
    let (fsrvp, odd) = trailers(common::captures());
    assert_eq!(odd, [""; 0]);
    let (scmp, odd) = trailers(common::captures().join("scmp"));
    assert_eq!(odd, [""; 0]);
    common::say(&format!("trailers: {fsrvp} and {scmp}"));
    assert!(fsrvp > 0);
}

#[test]
fn trailers_of_others() {
    let Some(folder) = common::shared("captures/public") else { return };
    let (count, odd) = trailers(folder);
    assert_eq!(odd, [""; 0]);
    common::say(&format!("trailers of others: {count}"));
    assert!(count > 0);
}
