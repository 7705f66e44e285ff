//! Messages that were changed on their way: that is found, and nothing of what they say.

use vshark::check::{Blame, Certainty, Finding, Severity};

use crate::trial::{names, played};

const PDU: &str = "RPCE-2.2.2.11-01";
const SMB: &str = "SMB2-3.1.5.1-01";
const TRAILER: &str = "RPCE-2.2.2.13-01";

/// What protects a conversation, and the rule that its signatures have.
const WAYS: [(&str, &str); 6] = [
    ("password x; auth ntlm integrity", PDU),
    ("password x; auth spnego ntlm privacy", PDU),
    (
        "key 18:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f; auth kerberos integrity",
        PDU,
    ),
    ("key 19:000102030405060708090a0b0c0d0e0f; auth spnego kerberos privacy", PDU),
    ("password x", SMB),
    ("password x; smb 2.1", SMB),
];

fn found(text: &str) -> Vec<Finding> {
    played(text, "spec", true, 0)
}

/// The one finding about signatures; and the rules of all others.
fn split(found: Vec<Finding>, rule: &str) -> (Finding, Vec<String>) {
    let (mut its, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|of| names(of, rule));
    assert_eq!(its.len(), 1, "{its:?} {others:?}");
    (its.remove(0), others.iter().map(|of| of.rule.to_string()).collect())
}

#[test]
fn a_changed_message_is_found_and_its_content_is_not_judged() {
    let before = "A:0()=0->1,1; A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1";
    for (way, rule) in WAYS {
        let right: Vec<_> =
            found(&format!("{way}\n{before}")).iter().map(|of| of.rule.to_string()).collect();
        for (half, call, from, reaction) in [
            // A set that is not known; a status that is none.
            (
                "request",
                "A:4(S7,to=60000)=0",
                "from 10.0.0.1 to 10.0.1.1",
                "the server answered as if nothing were",
            ),
            ("answer", "A:0()=0x12345", "from 10.0.1.1 to 10.0.0.1", "whether the client took it"),
        ] {
            let clear = found(&format!("{way}\n{before}; {call}"));
            assert!(clear.len() > right.len(), "{way}: {call}");
            assert!(!clear.iter().any(|of| names(of, rule)), "{way}");
            let text = format!("{way}\n{before}; {call} tampered {half}");
            let (finding, others) = split(found(&text), rule);
            let message = &finding.message;
            assert!(message.contains(from) && message.contains(reaction), "{message}");
            assert!(message.contains("Capture at both ends"), "{message}");
            assert_eq!(finding.party, Blame::Transport);
            assert_eq!((finding.severity, finding.certainty), (Severity::Error, Certainty::Likely));
            assert!(!finding.frames.is_empty());
            // What is said of the calls before it is said still.
            let new: Vec<_> = others.iter().filter(|rule| !right.contains(rule)).collect();
            assert!(new.is_empty(), "{text}: {new:?}");
        }
    }
}

#[test]
fn what_the_server_does_is_told() {
    for (answer, reaction) in [
        ("=fault 5", "the server refused it with a fault"),
        (" unanswered", "the server did not answer it"),
        ("=0", "the server answered as if nothing were"),
    ] {
        for (way, rule) in WAYS {
            let text = format!("{way}\nA:0()=0; A:7(S1){answer} tampered request");
            let (finding, _) = split(found(&text), rule);
            assert!(finding.message.contains(reaction), "{text}: {}", finding.message);
        }
    }
}

#[test]
fn so_it_is_with_objects() {
    let head = "dcom; password x; auth ntlm";
    for level in ["integrity", "privacy"] {
        let talk = |next: &str| {
            format!(
                "{head} {level}\nA activates ->m1; A:m1.QVSS(P,0x1D)=0->e1\n\
                 A:e1.Next(2)=0->{next}; A:release(e1,m1)"
            )
        };
        let rules = |found: Vec<Finding>| -> Vec<String> {
            found.iter().map(|of| of.rule.to_string()).collect()
        };
        let right = rules(found(&talk("[VA,VB]")));
        assert!(rules(found(&talk("[VA]"))).len() > right.len(), "an element is missing");
        for half in ["request", "answer"] {
            let (finding, others) = split(found(&talk(&format!("[VA] tampered {half}"))), PDU);
            assert!(finding.message.contains("Next"), "{}", finding.message);
            assert_eq!(others, right, "{level} {half}");
        }
    }
}

/// What the client repeats of its bind is not what was bound.
#[test]
fn a_bind_that_was_changed_is_found() {
    let dcom = "dcom; A activates ->m1; A:m1.QVSS(P,0x1D)=fault 5";
    for (way, talk, sees) in [
        ("", "A:0()=fault 5", true),
        ("ndr64; big-endian", "A:0()=fault 5", true),
        ("password x; auth ntlm integrity", "A:0()=fault 5", true),
        ("password x; auth spnego ntlm privacy", "A:0()=fault 5", true),
        ("auth ntlm privacy", "A:0()=fault 5", false),
        ("", dcom, true),
        ("password x; auth ntlm privacy", dcom, true),
    ] {
        let text = |trailer: &str| format!("{way}; trailer {trailer}\n{talk}");
        assert!(!found(&text("on")).iter().any(|of| names(of, TRAILER)), "{way}: {talk}");
        let all = found(&text("wrong"));
        let its: Vec<_> = all.iter().filter(|of| names(of, TRAILER)).collect();
        assert_eq!(!its.is_empty(), sees, "{way}: {talk}: {all:?}");
        // Each association has one, also the one that activates.
        let refused = its.iter().filter(|of| of.message.contains("refused it with a fault"));
        assert_eq!(refused.count(), usize::from(sees), "{way}: {talk}: {its:?}");
        for finding in its {
            assert_eq!(finding.party, Blame::Transport);
            assert_eq!(finding.certainty, Certainty::Likely);
        }
    }
}

#[test]
fn without_the_secret_nobody_is_accused() {
    for text in [
        "auth ntlm integrity\nA:0()=0; A:7(S1)=0 tampered request",
        "A:0()=0; A:7(S1)=0 tampered request",
        "auth kerberos privacy\nA:0()=0; A:7(S1)=0 tampered answer",
    ] {
        assert!(!found(text).iter().any(|of| names(of, PDU) || names(of, SMB)), "{text}");
    }
}
