//! Binds and what servers say to them.

use vshark::pipeline::{BindAnswer, What};

use crate::{around, common, only, play, read, told};

fn binds(text: &str) -> Vec<String> {
    only(&told(text), &["bound"])
}

#[test]
fn accepted_with_every_protection() {
    for (auth, level) in [
        ("auth none", 1),
        ("auth ntlm connect", 2),
        ("auth spnego ntlm privacy", 6),
        ("auth kerberos integrity", 5),
    ] {
        let expected = format!("bound a8e0653c on FssagentRpc level {level} Accepted");
        let lines = binds(&format!("{auth}; A:8=0"));
        assert!(!lines.is_empty() && lines.iter().all(|line| *line == expected), "{lines:?}");
    }
    assert_eq!(binds("tcp 49667; A:8=0"), ["bound a8e0653c on tcp level 1 Accepted"]);
    assert_eq!(
        binds("ndr64; auth none; A:8=0"),
        ["bound a8e0653c on FssagentRpc level 1 Accepted"],
        "NDR is refused and NDR64 is taken: the interface is taken"
    );
}

#[test]
fn refused_in_every_way() {
    for (text, answer) in [
        ("A bind auth none refused protocol_version_not_supported", "Nak(4)"),
        ("A bind auth none refused provider_rejection", "Refused(2, 1)"),
        ("A bind auth none fault 5", "Fault(5)"),
    ] {
        assert_eq!(binds(text), [format!("bound a8e0653c on FssagentRpc level 1 {answer}")]);
    }
    let unknown = "A bind auth none abstract syntax 11111111-2222-3333-4444-555555555555 \
                   refused provider_rejection";
    assert_eq!(binds(unknown), ["bound 11111111 on FssagentRpc level 1 Refused(2, 1)"]);
}

#[test]
fn the_binding_of_a_pipe_is_before_what_is_asked_on_it() {
    let events = play("A:8=0; B:8=0");
    let bound = around(&events, |around| match &around.what {
        What::Bound(bound) => Some((bound.channel, bound.answer, around.server_name.clone())),
        _ => None,
    });
    assert_eq!(bound.len(), 2);
    assert_ne!(bound[0].0, bound[1].0);
    let name = Some("FS".to_owned());
    assert!(bound.iter().all(|(_, answer, of)| *answer == BindAnswer::Accepted && *of == name));
}

#[test]
fn a_bind_that_was_not_seen() {
    // The capture begins between the bind and its answer: the frames of the bind are lost.
    let events = read(&common::captures().join("i-a-drop5.pcap"));
    let unseen = around(&events, |around| match &around.what {
        What::Bound(bound) if bound.interface.is_none() => Some(bound.answer),
        _ => None,
    });
    assert!(unseen.iter().all(|answer| *answer == BindAnswer::Accepted), "{unseen:?}");
}
