//! Clients that do not come to a service, or are sent on to another: what became of what they wanted,
//! as somebody who knows nothing of the servers judges it.

use std::fs;

use vshark::check::{Operation, Report};

use crate::causes::{explained, list, report};
use crate::trial::{names, played};

/// What became of all, and the causes of what was stopped, in order.
#[track_caller]
fn ends(text: &str, operation: Operation, causes: &[&str]) -> Report {
    let report = explained(text, "auto");
    let stopping = report.diagnoses.iter().filter(|of| of.attempts > 0);
    let found: Vec<&str> = stopping.map(|of| &*of.cause).collect();
    assert_eq!((report.operation, &*found), (operation, causes), "{text}{}", list(&report));
    report
}

use Operation::{Completed, Failed, None, Unfinished, Unknown};

/// Asks FS1 for a share whose owner is another server.
const SENT_ON: &str = r"A->FS1:8(\\fs1\d)=0->{supported=1, owner=FS2}";

/// A whole backup of a share of a server.
fn backup(server: &str) -> String {
    format!(
        r"A->{server}:1(ctx=0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\{server}\d)=0->C1; A:12(S1)=0
A:4(S1)=0; A:5(S1)=0; A:10(C1,S1,\\{server}\d)=0; A:6(S1)=0
"
    )
}

#[test]
fn a_service_that_breaks_off_before_it_has_answered_fails_what_was_wanted() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/e00-bind-worker-crash.pcap");
    let report = report(&fs::read(path).expect("the capture is there"), "auto", false);
    assert_eq!(report.operation, Failed);
    let [diagnosis] = &*report.diagnoses else { panic!("{}", list(&report)) };
    assert_eq!((&*diagnosis.cause, diagnosis.attempts), ("FS-10", 1));
    assert_eq!(report.attempts.len(), 1);
    for ending in ["server restart", "FS restart", "wait 200s\nB name X"] {
        ends(
            &format!("A bind unanswered\nwait 5s\n{ending}\n"),
            Failed,
            &[if ending.contains("wait") { "FS-10-03" } else { "FS-10" }],
        );
    }
    // The capture ends while the client may still wait.
    ends("A bind unanswered\nwait 5s\nB name X\n", Unknown, &["FS-63"]);
    // Another bind is answered.
    ends("A bind unanswered\nwait 5s\nserver restart\nA:8(\\\\fs\\d)=0\nA close", Completed, &[]);
}

#[test]
fn a_pipe_that_fails_is_not_given_up_by_its_client() {
    let text = r"A:1(ctx=0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1; A:12(S1)=0
A:4(S1)=pipe STATUS_PIPE_BROKEN
A close";
    ends(text, Unfinished, &["FS-10-02"]);
    let findings = played(text, "windows", false, 0);
    let given_up = findings.iter().find(|finding| names(finding, "FSRVP-3.2.2-02"));
    assert!(given_up.is_none(), "{given_up:?}");
}

#[test]
fn other_names_of_the_same_server_are_no_other_server() {
    for owner in ["FS1", "fs1", "FS1.lab.example", "10.0.1.1"] {
        let text = format!("A->FS1:8(\\\\fs1\\d)=0->{{supported=1, owner={owner}}}\n");
        ends(&format!("{text}A->FS1 close"), Completed, &[]);
        // What comes next is not in the capture.
        ends(&text, Unknown, &["FS-63"]);
    }
    // The server tells its own name when somebody logs on.
    let alias = r"A->FS1 tree \\files.lab.example\IPC$
A->FS1:8(\\files\d)=0->{supported=1, owner=FS1}";
    ends(&format!("{alias}\nA->FS1 close"), Completed, &[]);
    // With Kerberos it does not: it may go by this name, too.
    let unsaid = r"A auth kerberos integrity
A->FS1:8(\\fs1\d)=0->{supported=1, owner=NODE1}";
    ends(&format!("{unsaid}\nA->FS1 close"), Completed, &[]);
    // What is not supported has no owner.
    ends(r"A->FS1:8(\\fs1\d)=0->{supported=0, owner=FS2}", Failed, &["FS-31-03"]);
}

#[test]
fn who_goes_on_at_the_owner_is_judged_there() {
    ends(&format!("{SENT_ON}\n{}", backup("FS2")), Completed, &[]);
    let refused = "A->FS2 create refused STATUS_OBJECT_NAME_NOT_FOUND";
    let report = ends(&format!("{SENT_ON}\n{refused}"), Failed, &["FS-01"]);
    assert!(report.diagnoses[0].title.starts_with("FS2 does not"), "{}", list(&report));
    // A logon tells nothing of what it is for, but for who was sent there.
    let refused = "A->FS2 logon refused STATUS_LOGON_FAILURE";
    let report = ends(&format!("{SENT_ON}\n{refused}"), Failed, &["FS-23-01"]);
    assert!(report.diagnoses[0].title.starts_with("FS2 does not"), "{}", list(&report));
    assert_eq!(report.attempts.len(), 1);
    assert_eq!(report.attempts[0].shares, [r"\\fs1\d"]);
}

#[test]
fn who_is_sent_on_and_does_not_come_there_has_nothing() {
    let unknown = format!("{SENT_ON}\nA name FS2.lab.example unknown\nA name FS2 unknown netbios");
    ends(&unknown, Failed, &["FS-04"]);
    // It was found after all: what then happened is not in the capture.
    ends(&format!("{unknown}\nA name FS2 netbios"), Unknown, &["FS-04-05"]);
    // A name that somebody else does not know, or another name.
    ends(&format!("{SENT_ON}\nB name FS2 unknown"), Unknown, &["FS-04-05"]);
    ends(&format!("{SENT_ON}\nA name FS3 unknown"), Unknown, &["FS-04-05"]);
    // One share is done, and the other is elsewhere.
    let both = format!(
        "A->FS1:8(\\\\fs1\\d)=0->{{supported=1, owner=FS1}}\n{}{}\nA name FS2 unknown",
        backup("FS1"),
        SENT_ON.replace(r"\d", r"\e")
    );
    let report = ends(&both, Failed, &["FS-04"]);
    assert_eq!(report.attempts.len(), 2, "{}", list(&report));
    // A server that makes the copy nevertheless.
    ends(&format!("{SENT_ON}\n{}A name FS2 unknown", backup("FS1")), Completed, &[]);
    // Where packets are missing nobody can tell.
    let lost = format!("{SENT_ON}\nA:0()=0\nlose answer of A:0()=0\nA:0()=0");
    ends(&lost, Unknown, &[]);
}

#[test]
fn a_connection_that_fails_is_no_failed_backup_by_itself() {
    let silent = "A name FS\nA connect unanswered\nwait 30s\n";
    let report = ends(silent, Unknown, &["FS-13"]);
    assert_eq!(report.diagnoses[0].confidence.word(), "possible");
    // It comes through in the end, or on the other port.
    ends(&format!("{silent}A logon"), None, &[]);
    // Somebody else makes backups: this may be anything.
    ends(&format!("{silent}{}", backup("FS2").replace('A', "B")), Completed, &[]);
    // Machines ask for these by themselves, and for many names nobody knows which mattered.
    ends("A name wpad.lab.example unknown", None, &[]);
    let many: Vec<String> = (0..9).map(|n| format!("A name N{n} unknown\n")).collect();
    let many = many.concat();
    ends(&many, None, &[]);
    let report = ends("A name FS9 unknown", Unknown, &["FS-12"]);
    assert_eq!(
        (report.attempts[0].server, &*report.diagnoses[0].fingerprint),
        (Option::None, "FS-12/transport/1")
    );
}

#[test]
fn what_is_refused_first_and_then_let_in_is_no_failure() {
    let late = "A create refused STATUS_PIPE_NOT_AVAILABLE\nwait 3s\n";
    ends(&format!("{late}{}", backup("FS")), Completed, &[]);
    let denied = "A user LAB\\HOST$\nA auth ntlm integrity\nA:1(ctx=0)=ACCESSDENIED\n";
    ends(denied, Failed, &["FS-21"]);
    let other = "A disconnect\nA user LAB\\backup\nA auth ntlm integrity\n";
    // What the machine's account was refused the person's got; both are told.
    ends(&format!("{denied}{other}{}", backup("FS")), Completed, &["FS-21"]);
    ends(&format!("A logon refused STATUS_LOGON_FAILURE\n{}", backup("FS")), Completed, &[]);
}

#[test]
fn a_shadow_copy_that_nobody_gets_into_is_none() {
    let made = r"A:1(ctx=0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1; A:12(S1)=0
A:4(S1)=0; A:5(S1)=0; A:10(C1,S1,\\fs\d)=0; A:6(S1)=0
";
    let refused = "A tree \\\\fs\\d@{C1} refused STATUS_ACCESS_DENIED\n";
    let report = ends(&format!("{made}{refused}"), Failed, &["FS-24"]);
    assert_eq!(report.attempts.len(), 1);
    assert!(report.diagnoses[0].title.contains(r"\\fs\d"), "{}", list(&report));
    // It cleans up, which changes nothing.
    let deleted = "A->FS:11(S1,C1,\\\\fs\\d)=0\n";
    ends(&format!("{made}{refused}{deleted}"), Failed, &["FS-24"]);
    // Somebody gets in, before or after.
    let read = "B tree \\\\fs\\d@{C1}\n";
    ends(&format!("{made}{read}{refused}"), Completed, &[]);
    ends(&format!("{made}{refused}{read}"), Completed, &[]);
    // What is deleted is not there any more.
    let gone = "A tree \\\\fs\\d@{C1} refused STATUS_BAD_NETWORK_NAME\n";
    ends(&format!("{made}{read}{deleted}{gone}"), Completed, &[]);
}

#[test]
fn a_guest_is_nobody_whatever_name_it_gives() {
    let text = "A auth ntlm integrity\nA logon guest\nA:8(\\\\fs\\d)=ACCESSDENIED";
    ends(text, Failed, &["FS-23"]);
}
