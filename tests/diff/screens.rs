//! `vshark diff` as somebody meets it who types its name.

#[path = "../common/program.rs"]
#[expect(dead_code, reason = "no run of two captures ends with nothing to tell")]
mod program;

use program::{capture, made, piped, vshark};
use vshark::bytes::is_invisible;

const BACKUP: &str = "captures/a-ntlm-sign-smb311.pcap";
const AGAIN: &str = "captures/i-a-pcapng.pcapng";
const GOOD: &str = "captures/g-bulk-same-connection-sign.pcap.gz";
const FAILED: &str = "captures/e-py-create_fails.pcap";
const SEALED: &str = "captures/b-ntlm-seal-smb311.pcap";
const ENCRYPTED: &str = "captures/c-enc-AES-128-GCM-sign.pcap";

#[test]
fn the_place_where_they_part_is_shown_from_both_sides() {
    let run = vshark(&["diff", GOOD, FAILED]);
    let (head, rest) = run.out.split_once("\n\n").expect("a head");
    assert_eq!(
        head,
        "GOOD  captures/g-bulk-same-connection-sign.pcap.gz\n      \
               10.77.0.11 → FSS1 (10.77.0.1), 22 Nov 2026 18:15:06Z, 11 calls\n\
         BAD   captures/e-py-create_fails.pcap\n      \
               10.77.0.11 → FSS1 (10.77.0.1), 22 Nov 2026 18:13:23Z, 15 calls"
    );
    let (place, rest) = rest.split_once("\n\n").expect("a place");
    assert_eq!(
        place,
        "11 steps are alike, up to PrepareShadowCopySet.\n\
         They part at CommitShadowCopySet: GOOD succeeds, BAD gets E_FAIL (0x80004005).\n  \
         GOOD  call 7       +0.700 s  set 59704db0… within 180 s → ok after 47 ms\n  \
         BAD   call 7       +0.518 s  set 5945a284… within 180 s → E_FAIL (0x80004005) after 8.0 ms"
    );
    assert!(
        rest.starts_with("After that (1 different, 3 only in GOOD, 7 only in BAD)\n"),
        "{rest}"
    );
    let end = format!("\n\nvshark check {FAILED} says why\n");
    assert!(rest.ends_with(&end), "{rest}");
    assert_eq!((run.code, &*run.err), (Some(1), ""));
}

#[test]
fn what_differs_throughout_is_told_once() {
    let run = vshark(&["diff", BACKUP, "captures/e-rpcclient-bob.pcap"]);
    let (_, rest) = run.out.split_once("What else differs\n").expect("it is told");
    let words: Vec<Vec<&str>> =
        rest.lines().take(3).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["GOOD", "BAD"]);
    assert_eq!(words[1], ["user", "FSLAB\\fsadmin", "FSLAB\\bob"]);
    assert_eq!(words[2], Vec::<&str>::new(), "{rest}");
}

#[test]
fn exit_codes_say_what_is_known() {
    let code = |good: &str, bad: &str| vshark(&["diff", good, bad]).code;
    assert_eq!(code(BACKUP, AGAIN), Some(0));
    // Another dialect, other authentication, another server.
    assert_eq!(code(BACKUP, "captures/d-NT1-sign.pcap"), Some(0));
    assert_eq!(code(BACKUP, "captures/h-krb5-sign.pcap"), Some(0));
    assert_eq!(code(BACKUP, FAILED), Some(1));
    assert_eq!(code(FAILED, BACKUP), Some(1));
    assert_eq!(code(BACKUP, "captures/there-is-none.pcap"), Some(2));
    assert_eq!(code("captures/README.md", BACKUP), Some(2));
    assert_eq!(code(BACKUP, SEALED), Some(3));
    assert_eq!(code(BACKUP, ENCRYPTED), Some(3));
    assert_eq!(code(ENCRYPTED, ENCRYPTED), Some(3));
    assert_eq!(code(BACKUP, "captures/i-a-drop5.pcap"), Some(3));
}

#[test]
fn two_captures_are_compared_no_more_and_no_less() {
    let refusal = |arguments: &[&str]| {
        let run = vshark(&[&["diff"], arguments].concat());
        run.refusal(2).to_owned()
    };
    let two = |given: &str| {
        format!(
            "two captures are compared, and {given} given: vshark diff GOOD BAD, the backup that went \
             well first"
        )
    };
    assert_eq!(refusal(&[]), two("none is"));
    assert_eq!(refusal(&[BACKUP]), two("1 is"));
    assert_eq!(refusal(&[BACKUP, AGAIN, FAILED]), two("3 are"));
    assert_eq!(refusal(&["-", "-"]), "only one of the two captures can be standard input");
    assert_eq!(
        refusal(&[BACKUP, AGAIN, "-Y", "fsrvp"]),
        "-Y chooses calls, and whole conversations are compared: leave it out"
    );
}

#[test]
fn either_may_come_through_a_pipe() {
    let bad = piped(&["diff", GOOD, "-"], &capture(FAILED));
    let good = piped(&["diff", "-", FAILED], &capture(GOOD));
    let files = vshark(&["diff", GOOD, FAILED]);
    let named = |text: &str| text.replace(GOOD, "standard input").replace(FAILED, "standard input");
    for run in [bad, good] {
        assert_eq!((run.code, &*run.err), (Some(1), ""));
        let tail = |text: &str| {
            let text = named(text);
            let (text, _) = text.rsplit_once("\nvshark check ").expect("the last line");
            text.to_owned()
        };
        assert_eq!(tail(&run.out), tail(&files.out));
    }
}

#[test]
fn nothing_to_compare_is_said_with_what_there_is() {
    let nothing = made("empty-diff.pcap", &capture(BACKUP)[..24]);
    let run = vshark(&["diff", BACKUP, &nothing]);
    assert_eq!((run.code, &*run.out), (Some(3), ""));
    let [first, second] = *run.sentences() else { panic!("{}", run.err) };
    let sentence =
        "nothing to compare: there is no shadow-copy conversation, and no attempt at one, in ";
    assert_eq!(first, format!("{sentence}{nothing}"));
    assert_eq!(second, format!("{nothing}: there is no frame in the input"));
}

/// A failure that only one capture shows is told, and sealed steps are not said to be alike.
#[test]
fn what_one_shows_to_have_failed_is_told_beside_what_the_other_hides() {
    let run = vshark(&["diff", SEALED, "captures/e-rpcclient-bob.pcap"]);
    let told = "At IsPathSupported, call 1, BAD gets E_ACCESSDENIED (0x80070005); what GOOD gets is not \
                seen (sealed).";
    let text = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(told), "{}", run.out);
    assert!(text.contains("5 steps are alike, up to the bind."), "{}", run.out);
}

/// Two questions of one kind are told apart by what they are about.
#[test]
fn questions_are_named_with_their_shares() {
    let text = |share: &str| {
        format!("server FS1\nA->FS1:8(\\\\FS1\\d)=0->TRUE,FS1\nA:8(\\\\FS1\\{share})=0->TRUE,FS1\n")
    };
    let (good, bad) = (played("asks-e.pcapng", &text("e")), played("asks-x.pcapng", &text("x")));
    let run = vshark(&["diff", &good, &bad]);
    let told = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "They part only in what changes nothing at the server, after IsPathSupported, GOOD \
                    goes on with IsPathSupported \\\\FS1\\e, BAD goes on with IsPathSupported \\\\FS1\\x.";
    assert!(told.contains(sentence), "{}", run.out);
}

#[test]
fn what_may_be_why_there_is_nothing_is_pointed_to() {
    let conversation = "server FS1\nA name fs1.lab.test unknown\n";
    let nothing = played("unknown-name.pcapng", conversation);
    let run = vshark(&["diff", BACKUP, &nothing]);
    assert_eq!((run.code, &*run.out), (Some(3), ""));
    let why = format!(
        "{nothing}: a name was not found, or a ticket refused, which may be why: vshark check {nothing} \
         says more"
    );
    assert!(run.sentences().iter().any(|told| *told == why), "{}", run.err);
}

/// A capture of a conversation.
fn played(name: &str, conversation: &str) -> String {
    made(name, &crate::written(conversation))
}

#[test]
fn text_from_packets_does_no_harm() {
    let text = |share: &str| {
        format!(
            "server FS1; user LAB\\x\nA->FS1:1(ctx=0x0)=0\nA:2(cid=U1)=0->S1\nA:3(S1,{share})=0->C1\n"
        )
    };
    let good = played("harm-good.pcapng", &text("\\\\FS1\\d"));
    let evil = "'\\\\FS1\\\u{1b}[2J\u{202e}gnp.exe'";
    let bad = played("harm-bad.pcapng", &text(evil).replace("C1\n", "C1\nA:5(S1)=BAD_STATE\n"));
    for arguments in [&["diff"][..], &["diff", "--json"], &["diff", "--color", "never"]] {
        let run = vshark(&[arguments, &[&good, &bad]].concat());
        assert_eq!(run.code, Some(1), "{}", run.err);
        let harmful = run.out.lines().any(|line| line.chars().any(is_invisible));
        assert!(!harmful, "{:?}", run.out);
        assert!(run.out.contains("gnp.exe"), "{}", run.out);
    }
}

#[test]
fn lines_are_no_longer_than_they_need_be() {
    for bad in [FAILED, "captures/e-py-fragmented.pcap", "captures/g-two-clients-in-progress.pcap"]
    {
        let run = vshark(&["diff", BACKUP, bad]);
        for line in run.out.lines() {
            let width = line.chars().count();
            // A name is not broken.
            let longest =
                line.split(' ').map(|word| word.chars().count()).max().unwrap_or_default();
            assert!(width <= 100 || longest > 60, "{width}: {line}");
        }
    }
}

#[test]
fn colours_are_for_those_who_see_them() {
    let plain = vshark(&["diff", GOOD, FAILED]).out;
    assert!(!plain.contains('\u{1b}'));
    let coloured = vshark(&["diff", "--color", "always", GOOD, FAILED]).out;
    assert!(coloured.contains("\u{1b}[31m"), "{coloured}");
    let json = vshark(&["diff", "--json", "--color", "always", GOOD, FAILED]).out;
    assert!(!json.contains('\u{1b}'));
}

#[test]
fn times_are_written_as_asked() {
    let line = |style: &str| {
        let run = vshark(&["diff", "--time", style, GOOD, FAILED]);
        let line = run.out.lines().find(|line| line.starts_with("  BAD   call 7"));
        line.expect("a line").split_whitespace().nth(3).expect("a time").to_owned()
    };
    // Frames 26 (the negotiation's answer), 57 and 60 (the requests of calls 6 and 7).
    assert_eq!((&*line("utc"), &*line("relative")), ("+0.518", "+0.518"));
    assert_eq!(line("delta"), "+0.002");
}
