//! Conversations that are really sealed and signed, opened again with their secrets: the values are
//! those of the same conversation in clear, and without the secret there are none.

use std::fmt::Write as _;
use std::sync::Arc;

use vshark::call::{Call, Readable};
use vshark::pipeline::{Pipeline, Summary};
use vshark::rpc::Message;
use vshark::scenario::Scenario;
use vshark::security::Verdict;
use vshark::security::keys::Keyring;

use super::events;
use super::read::{REGISTRY, calls, capture, values};

/// Several pipes, texts that take several fragments, an answer that is late, a fault.
const TALK: &str = r"
A:0()=0->1,1; A:1(ctx=0x10)=0
B:8(\\fs\d)=0->TRUE,FS
A:2(cid=U1)=0->S1
A:3(S1,'\\fileserver.lab.test\a share with a name that takes more than one small fragment')=0->C1
A:4(S1,to=60000) unanswered
A#2:9(\\fs\d)=0->TRUE,0x3
B:10(C1,S1,'\\fileserver.lab.test\a share with a name that takes more than one small fragment',L=1)=0
A:4=0
A:5(S1,to=1800000)=fault 0x1c010002
A:6(S1)=0
";

const OBJECTS: &str = r"
A activates ->m1
A:m1.QVSS(P,0x1D)=0->e1
A:e1.Next(2)=0->[VA,VB]; A:e1.Next(1)=S_FALSE->[]
A:m1.GPMI(P,Diff)=0->d1
A:d1.QDAF(VA)=0->e2; A:e2.Next(4)=S_FALSE->[(VA,VB)]
A:release(e1,e2,d1,m1)
";

/// The secrets that a conversation may have, and one that is not its own.
const SECRETS: [(&str, &str, &str); 6] = [
    ("ntlm", "password 'correct horse'", "password 'wrong horse'"),
    (
        "kerberos",
        "key 17:000102030405060708090a0b0c0d0e0f",
        "key 17:000102030405060708090a0b0c0d0e0e",
    ),
    (
        "kerberos",
        "key 18:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "key 18:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1e",
    ),
    (
        "kerberos",
        "key 19:000102030405060708090a0b0c0d0e0f",
        "key aes128-cts-hmac-sha256-128:ff0102030405060708090a0b0c0d0e0f",
    ),
    (
        "kerberos",
        "key 20:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "key 20:010102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ),
    (
        "kerberos",
        "key 23:000102030405060708090a0b0c0d0e0f",
        "key 23:800102030405060708090a0b0c0d0e0f",
    ),
];

fn parsed(text: &str) -> Scenario {
    Scenario::parse("scenario", text, &REGISTRY).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The calls of a capture with keys, and what is said of all of it.
fn opened(file: Vec<u8>, keys: Keyring) -> (Vec<Call>, Summary) {
    let mut pipeline = Pipeline::new(&REGISTRY).with_keys(Arc::new(keys));
    let events = events::read(&mut events::capture(file), &mut pipeline);
    (super::read::calls_of(events), pipeline.summary().clone())
}

/// The messages of a call, unless it is a fault, which has no signature.
fn halves(call: &Call) -> impl Iterator<Item = (&Message, Readable, String)> {
    let asked = call.rpc.request.as_ref().map(|m| (m, &call.request));
    let answered = call.rpc.response.as_ref().filter(|_| call.fault().is_none());
    let answered = answered.map(|m| (m, &call.response));
    [asked, answered].into_iter().flatten().map(|(message, half)| {
        let decoded = half.decoded.as_ref().map(|of| values(&of.params)).unwrap_or_default();
        (message, half.readable, of_any_level(&format!("{decoded:?}")))
    })
}

/// Values without the level that the server of objects hints at: that of the conversation.
fn of_any_level(values: &str) -> String {
    match values.split_once("authnHint") {
        Some((before, hint)) => {
            format!("{before}{}", hint.split_once('}').map_or("", |(_, behind)| behind))
        }
        None => values.to_owned(),
    }
}

/// What a conversation says: method, status, fault and values of each call.
fn told(calls: &[Call]) -> Vec<String> {
    let values = |call: &Call| halves(call).map(|(_, _, values)| values).collect::<Vec<_>>();
    let one = |call: &Call| {
        format!("{:?} {:?} {:?} {:?}", call.rpc.opnum, call.status, call.fault(), values(call))
    };
    calls.iter().map(one).collect()
}

/// Checks one conversation: gives the number of PDUs whose signature was verified.
fn check(head: &str, secret: &str, other: &str, sealed: bool, talk: &str) -> u64 {
    let bare = head.split(';').filter(|word| !word.trim_start().starts_with("auth"));
    let clear = calls(capture(&parsed(&format!("{}\n{talk}", bare.collect::<Vec<_>>().join(";")))));
    let scenario = parsed(&format!("{secret}; {head}\n{talk}"));
    let file = capture(&scenario);

    let (seen, summary) = opened(file.clone(), scenario.keyring());
    assert!(clear.iter().any(|call| call.status == Some(0)), "{head}");
    assert!(told(&seen) == told(&clear), "other values: {head}; {secret}");
    let mut protected = 0;
    for call in &seen {
        for (message, readable, _) in halves(call) {
            protected += 1;
            assert_eq!(message.verdict, Some(Verdict::Verified), "{head}; {secret}: {call:?}");
            let right = if sealed { Readable::Unsealed } else { Readable::Clear };
            assert_eq!(readable, right, "{head}; {secret}");
        }
    }
    assert!(protected >= 8, "{head}");
    let verified = summary.rpc.signatures.get(&Verdict::Verified).copied().unwrap_or_default();
    assert!(verified >= protected, "{head}");
    assert_eq!(summary.rpc.signatures.len(), 1, "{head}; {secret}: {:?}", summary.rpc.signatures);
    let smb = summary.smb_signatures;
    assert_eq!((smb.bad, smb.not_verifiable), (0, 0), "{head}; {secret}");
    assert_eq!(smb.verified > 8, !head.contains("tcp") && !head.contains("dcom"), "{head}");

    let other = parsed(&format!("{other}; A:0()=0")).keyring();
    assert_eq!(other.len(), 1);
    let (seen, summary) = opened(file, other);
    assert_eq!(summary.rpc.signatures.keys().collect::<Vec<_>>(), [&Verdict::NotVerifiable]);
    assert_eq!((summary.smb_signatures.bad, summary.smb_signatures.verified), (0, 0), "{head}");
    for (message, readable, _) in seen.iter().flat_map(halves) {
        let right = if sealed { Readable::Sealed } else { Readable::Clear };
        assert_eq!((message.verdict, readable), (Some(Verdict::NotVerifiable), right), "{head}");
    }
    verified
}

/// No capture has types 19 and 20: what is made here of the published vectors is what opens.
#[test]
fn what_is_sealed_with_a_secret_opens_with_it_alone() {
    let axes: [&[&str]; 5] = [
        &["", "spnego "],
        &["integrity", "privacy", "packet"],
        &["ndr", "ndr64"],
        &["fragment 4280", "fragment 192"],
        &["smb 2.0.2", "smb 2.1; io write-read", "smb 3.0; channels 2", "smb 3.1.1; channels 3"],
    ];
    let all: usize = axes.iter().map(|axis| axis.len()).product();
    let mut verified = 0;
    for (place, (mechanism, secret, other)) in SECRETS.into_iter().enumerate() {
        // Every pair of words of two axes, with each secret.
        for number in (0..all).filter(|number| (number + place) % 5 < 2) {
            let mut rest = number;
            let [spnego, level, syntax, fragment, smb] = axes.map(|axis| {
                let word = axis[rest % axis.len()];
                rest /= axis.len();
                word
            });
            let mut head = format!("{smb}; {syntax}; {fragment}; auth {spnego}{mechanism} {level}");
            if number % 3 == 0 {
                write!(head, "; trailer on; object on").unwrap();
            }
            if number % 7 == 0 {
                write!(head, "; big-endian").unwrap();
            }
            verified += check(&head, secret, other, level == "privacy", TALK);
        }
    }
    println!("{verified} PDUs verified");
}

#[test]
fn so_is_what_tcp_carries() {
    for (mechanism, secret, other) in SECRETS {
        for spnego in ["", "spnego "] {
            for (level, sealed) in [("integrity", false), ("privacy", true)] {
                for syntax in ["ndr", "ndr64"] {
                    let auth = format!("{syntax}; auth {spnego}{mechanism} {level}");
                    check(&format!("tcp 5000; fragment 192; {auth}"), secret, other, sealed, TALK);
                    check(&format!("dcom; {auth}"), secret, other, sealed, OBJECTS);
                }
            }
        }
    }
}

/// A key for one mechanism says nothing of the other, and the same text is the same octets.
#[test]
fn without_its_secret_it_is_noise() {
    let noise = "auth ntlm privacy\nA:0()=0";
    let (password, key) = (SECRETS[0].1, SECRETS[1].1);
    let made = |text: &str| capture(&parsed(text));
    assert!(made(noise) == made(&format!("{key}; {noise}")));
    assert!(made(noise) != made(&format!("{password}; {noise}")));
    let (seen, _) = opened(made(noise), parsed(&format!("{password}; {noise}")).keyring());
    assert!(seen.iter().flat_map(halves).all(|(_, readable, _)| readable == Readable::Sealed));
    assert!(parsed(noise).keyring().is_empty());
    let two = parsed(&format!("{password}; {noise}; {key}; B:0()=0; A:1(ctx=0)=0"));
    assert_eq!(two.keyring().len(), 2);
}

#[test]
fn a_key_that_is_none() {
    for (text, message) in [
        ("key 17:00", "expected 32 hexadecimal digits for a key of aes128-cts-hmac-sha1-96"),
        ("key 16:00", "expected a key of type 17, 18, 19, 20 or 23"),
        ("key 0011", "expected a key of type 17, 18, 19, 20 or 23"),
        ("key", "expected a key, such as 17: and 32 hexadecimal digits"),
        ("password", "expected a password"),
    ] {
        let error = Scenario::parse("scenario", text, &REGISTRY).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
