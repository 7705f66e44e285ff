//! Captures of a laboratory: clients of Samba, RPC over SMB, a KDC.

use std::path::PathBuf;
use std::sync::Arc;

use super::{kerberos, password};
use crate::bytes::{Reader, Side};
use crate::capture::Capture;
use crate::pipeline::tests::captures;
use crate::pipeline::{Event, Pipeline, UnitKind};
use crate::protocol::Registry;
use crate::rpc::pdu::{self, PacketType};
use crate::security::keys::Keyring;
use crate::security::{Context, Need, Protected, Verdict};

/// The machine that has the pipes, `FSM1$@FSLAB.TEST`.
const FSM1_AES256: &str = "14a57ff02f0c52e30c16bb6ed9e6ac26b2e1c6fb8cbb7034d7816d364b97d12c";
const FSM1_RC4: &str = "ada8ffedd5308fb1c9d9985f570cb7fd";
/// `krbtgt@FSLAB.TEST`
const KRBTGT_AES256: &str = "9809f2423b6f8e7ec92d8eb544726f043d84b3a56a255b7986ac7c921bd2ec4f";
/// `fsbackup@FSLAB.TEST`
const FSBACKUP_AES256: &str = "3de77af8dfcf1334cb56c7bc68f0ffaaf0a80e4785dbd1843f7d1e86db2bbd7f";

/// A PDU that has a signature.
#[derive(Clone)]
struct Signed {
    side: Side,
    sealed: bool,
    bytes: Vec<u8>,
    head: usize,
    /// Octets of the signature.
    signature: usize,
}

impl Signed {
    fn protected(&self, header_signed: bool) -> Protected<'_> {
        let (rest, signature) = self.bytes.split_at(self.bytes.len() - self.signature);
        let (rest, trailer) = rest.split_at(rest.len() - 8);
        let (head, body) = rest.split_at(self.head);
        Protected { sealed: self.sealed, header_signed, head, body, trailer, signature }
    }
}

/// A context with what both sides agreed on.
#[derive(Default)]
struct Bound {
    context: Context,
    header_signing: [bool; 2],
}

/// What a capture has of RPC.
#[derive(Default)]
struct Read {
    contexts: Vec<Bound>,
    /// Each with the context that opens it, and what it says then.
    opened: Vec<(usize, Signed, Option<Vec<u8>>)>,
    closed: Vec<Vec<Need>>,
}

/// Reads a capture. Which pipe a PDU is of is not told here: one of the contexts opens it, or none.
fn read(path: &PathBuf, keys: Keyring) -> Read {
    let registry = Registry::embedded().unwrap();
    let keys = Arc::new(keys);
    let pipeline = Pipeline::tracing(&registry).with_keys(Arc::clone(&keys));
    let mut read = Read::default();
    captures::run(Capture::open(std::slice::from_ref(path)), pipeline, |event| {
        if let Event::Unit(unit) = event
            && unit.kind == UnitKind::Rpc
        {
            read.pdu(unit.bytes.view().bytes(), &keys);
        }
    });
    read
}

impl Read {
    fn pdu(&mut self, bytes: &[u8], keys: &Keyring) {
        let view = crate::bytes::View::new(bytes, &[], &[]);
        let pdu = pdu::dissect(&mut Reader::new(view, &mut ())).unwrap();
        let Some(verifier) = pdu.verifier else { return };
        let token = verifier.value.bytes();
        let side = match pdu.header.ptype {
            PacketType::BIND
            | PacketType::ALTER_CONTEXT
            | PacketType::AUTH3
            | PacketType::REQUEST => Side::Client,
            _ => Side::Server,
        };
        match pdu.header.ptype {
            PacketType::REQUEST | PacketType::RESPONSE => {
                let head = if pdu.header.flags & 0x80 != 0 { 40 } else { 24 };
                self.signed(Signed {
                    side,
                    sealed: verifier.auth_level == 6,
                    bytes: bytes.to_vec(),
                    head,
                    signature: token.len(),
                });
            }
            ptype => {
                if ptype == PacketType::BIND {
                    self.contexts.push(Bound::default());
                }
                let bound = self.contexts.last_mut().unwrap();
                let place = usize::from(side == Side::Server);
                bound.header_signing[place] |= pdu.header.flags & 4 != 0;
                bound.context.token(side, token, keys);
            }
        }
    }

    fn signed(&mut self, signed: Signed) {
        let mut whys = Vec::new();
        for (place, bound) in self.contexts.iter_mut().enumerate() {
            let protected = signed.protected(bound.header_signing == [true; 2]);
            let opened = bound.context.open(signed.side, &protected);
            assert_eq!(opened.body.is_some(), signed.sealed && opened.verdict == Verdict::Verified);
            if opened.verdict == Verdict::Verified {
                self.opened.push((place, signed, opened.body));
                return;
            }
            whys.push(opened.why.unwrap());
        }
        self.closed.push(whys);
    }
}

/// Every PDU of this capture that has a signature is verified with these keys.
fn check(name: &str, keys: Keyring, count: usize) -> Read {
    let mut read = read(&captures::file(name), keys);
    assert_eq!(read.closed.first(), None, "{name}");
    assert_eq!(read.opened.len(), count, "{name}");
    for (place, signed, body) in read.opened.clone() {
        let bound = &mut read.contexts[place];
        assert!(bound.context.session_key().is_some());
        assert_eq!(bound.header_signing, [true; 2], "Samba signs headers");
        if let Some(body) = body {
            assert_eq!(body.len(), signed.protected(true).body.len());
        }
        // Each octet that is under the signature, and each of the signature itself.
        let len = signed.bytes.len();
        for at in (0..len).step_by(7) {
            if signed.protected(true).signature[0] == 0x60 && at == len - signed.signature + 1 {
                // The length of its frame may be with or without the body, and says nothing.
                continue;
            }
            let mut bad = signed.clone();
            bad.bytes[at] ^= 1;
            let opened = bound.context.open(signed.side, &bad.protected(true));
            assert_ne!(opened.verdict, Verdict::Verified, "{name}, octet {at} of {len}");
            assert_eq!(opened.body, None);
            if at < len - signed.signature {
                assert_eq!(opened.verdict, Verdict::BadSignature, "{name}, octet {at}");
            }
        }
        let turned = bound.context.open(signed.side.other(), &signed.protected(true));
        assert_eq!(turned.verdict, Verdict::BadSignature, "its own, sent back");
        for cut in 0..signed.signature {
            let mut protected = signed.protected(true);
            protected.signature = &protected.signature[..cut];
            assert_ne!(bound.context.open(signed.side, &protected).verdict, Verdict::Verified);
        }
    }
    read
}

fn fsm1() -> Keyring {
    let mut keys = kerberos("FSM1$@FSLAB.TEST", 18, Some(1), FSM1_AES256);
    for key in kerberos("FSM1$@FSLAB.TEST", 23, Some(1), FSM1_RC4).kerberos() {
        keys.add_kerberos(key.clone());
    }
    keys
}

#[test]
fn with_the_key_of_the_service() {
    check("h-krb5-sign.pcap", fsm1(), 32);
    check("h-krb5-seal.pcap", fsm1(), 32);
    check("h-krb5-spnego-seal.pcap", fsm1(), 32);
    check("h-krb5-rc4-seal.pcap", fsm1(), 32);
}

#[test]
fn with_the_password_of_the_user() {
    for name in ["h-krb5-sign.pcap", "h-krb5-seal.pcap", "h-krb5-rc4-seal.pcap"] {
        let read = check(name, password("fsbackup", Some("FSLAB.TEST"), "Fsbackup-Pw1!"), 32);
        let need = read.contexts[0].context.need();
        assert_eq!(need.user.as_deref(), Some("fsbackup@FSLAB.TEST"));
        assert_eq!((need.needs.as_str(), need.tried.len()), ("", 0));
    }
}

#[test]
fn with_what_else_opens_the_answers_of_the_kdc() {
    check("h-krb5-seal.pcap", kerberos("krbtgt@FSLAB.TEST", 18, None, KRBTGT_AES256), 32);
    check("h-krb5-seal.pcap", kerberos("fsbackup@FSLAB.TEST", 18, Some(2), FSBACKUP_AES256), 32);
}

/// Nothing is opened with these keys; this is what it takes, and what was tried.
fn check_closed(keys: Keyring, tried: &[&str]) {
    let read = read(&captures::file("h-krb5-seal.pcap"), keys);
    assert_eq!((read.opened.len(), read.closed.len()), (0, 32));
    for bound in &read.contexts {
        assert_eq!(bound.context.session_key(), None);
        let need = bound.context.need();
        assert_eq!(need.service.as_deref(), Some("host/fsm1.fslab.test@FSLAB.TEST"));
        assert_eq!(need.etype.as_deref(), Some("aes256-cts-hmac-sha1-96"));
        assert_eq!(need.kvno, Some(1));
        let service = "a key of host/fsm1.fslab.test@FSLAB.TEST, aes256-cts-hmac-sha1-96, kvno 1";
        assert_eq!(need.needs, service);
        assert_eq!(need.tried, tried);
    }
}

#[test]
fn with_keys_that_are_not_right() {
    const NO_SECRET: &str = "with the client's secret the KDC's answer would give its session key";
    let service = "host/fsm1.fslab.test@FSLAB.TEST";
    let wrong = "00".repeat(32);
    check_closed(Keyring::default(), &[]);
    let one = |kvno| {
        format!(
            "the one key of that encryption type does not open it: that of {service}, kvno {kvno} \
             (lab.keytab)"
        )
    };
    check_closed(kerberos(service, 18, Some(1), &wrong), &[NO_SECRET, &one(1)]);
    let version = "lab.keytab has kvno 7";
    check_closed(kerberos(service, 18, Some(7), &wrong), &[NO_SECRET, version, &one(7)]);
    let etype = "lab.keytab has no key of that encryption type for it";
    check_closed(kerberos(service, 23, Some(1), FSM1_RC4), &[NO_SECRET, etype]);
    let other = "no key that was given is of that encryption type";
    check_closed(kerberos("FSM1$", 23, Some(1), FSM1_RC4), &[NO_SECRET, other]);
    let account = "the one secret of an account does not open it";
    check_closed(password("fsbackup", None, "Fsbackup-Pw2!"), &[NO_SECRET, account]);
}

/// Windows on both sides; not of this laboratory, so it is not always there.
#[test]
fn of_windows() {
    const DC1_AES256: &str = "85abb9b61dc2fa49d4cc04317bbd108f8f79df28239155ed7b144c5d2ebcf016";
    let folder = std::env::var_os("VSHARK_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let name = "captures/public/secdev+scapy__test__pcaps__dcerpc_privacy_krb.pcapng.gz";
    let path = folder.join(name);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return;
    }
    let read = read(&path, kerberos("ldap/dc1.domain.local@DOMAIN.LOCAL", 18, None, DC1_AES256));
    assert_eq!(read.closed.first(), None);
    assert_eq!(read.opened.len(), 12);
    assert!(read.opened.iter().all(|(_, signed, body)| signed.sealed && body.is_some()));
}
