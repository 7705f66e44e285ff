//! What weighs little, or nothing.

use crate::made::{BACKUP, with};
use crate::{one, played, said};

#[track_caller]
fn check(good: &str, bad: &str, expect: &[&str]) {
    assert_eq!(one(&played(good), &played(bad), said), expect, "{bad}");
}

/// The backup, and what is asked at its beginning.
fn asks(questions: &str) -> String {
    let (first, rest) = BACKUP.split_once("A->FS1").expect("a server");
    let (_, rest) = rest.split_once('\n').expect("a first question");
    format!("{first}{}{rest}", questions.replacen('A', "A->FS1", 1))
}

/// A share that was only asked about is not taken for the one that is copied.
#[test]
fn a_share_that_is_asked_about_in_passing() {
    let probed = asks("A:8(\\\\FS1\\other)=0->TRUE,FS1\nA:8(\\\\FS1\\d)=0->TRUE,FS1\n");
    check(BACKUP, &probed, &["different", "1 IsPathSupported 0 | 1 IsPathSupported 0 |  (beside)"]);
    let failed = probed.replace("A:4(S1,to=60000)=0", "A:4(S1,to=60000)=0x80004005");
    let place = "7 CommitShadowCopySet 0 | 8 CommitShadowCopySet 0x80004005 | outcome";
    check(BACKUP, &failed, &["different", place]);
    check(
        &failed,
        BACKUP,
        &["different", "8 CommitShadowCopySet 0x80004005 | 7 CommitShadowCopySet 0 | outcome"],
    );
}

/// Two shares, of which the failed backup comes to one.
#[test]
fn one_share_of_two_is_known_by_its_name() {
    let two = "A:3(ccid=V1,S1,\\\\FS1\\d)=0->C1\nA:3(ccid=V2,S1,\\\\FS1\\e)=0->C2";
    let good = with(&[("A:3(ccid=V1,S1,\\\\FS1\\d)=0->C1", two)]);
    let only = "A:3(ccid=V1,S1,\\\\FS1\\e)=0->C1";
    let bad = with(&[("A:3(ccid=V1,S1,\\\\FS1\\d)=0->C1", only)]);
    let told = one(&played(&good), &played(&bad), said);
    assert_eq!(told[0], "different");
    assert!(told[1].starts_with("5 AddToShadowCopySet 0 | "), "{told:?}");
}

/// The order of questions, and where they are asked, changes nothing at the server.
#[test]
fn questions_in_another_order() {
    let (d, e) = ("A:8(\\\\FS1\\d)=0->TRUE,FS1\n", "A:8(\\\\FS1\\e)=0->TRUE,FS1\n");
    let good = asks(&format!("{d}{e}"));
    check(&good, &asks(&format!("{e}{d}")), &["alike"]);
    check(&good, &asks(&format!("{d}{d}{e}")), &["alike"]);
    check(
        BACKUP,
        &asks(&format!("A:0()=0->1,1\n{d}")).replacen("\nA:0()=0->1,1\nA:1", "\nA:1", 1),
        &["alike"],
    );
    // About one more share.
    let more = asks(&format!("A:8(\\\\FS1\\x)=0->TRUE,FS1\n{d}{e}"));
    check(&good, &more, &["different", "1 IsPathSupported 0 | 1 IsPathSupported 0 |  (beside)"]);
    let other =
        asks(&format!("{e}{d}")).replace("A:4(S1,to=60000)=0", "A:4(S1,to=60000)=0x80004005");
    let place = "8 CommitShadowCopySet 0 | 8 CommitShadowCopySet 0x80004005 | outcome";
    check(&good, &other, &["different", place]);
}

/// A question about another share differs in what it asks, and that alone weighs little.
#[test]
fn a_question_about_another_share() {
    let last = |share: &str| format!("A:9(\\\\FS1\\{share})=0->FALSE,0\n");
    let with_last = |share: &str| with(&[("A:6(S1)=0", &format!("{}A:6(S1)=0", last(share)))]);
    let told = one(&played(&with_last("d")), &played(&with_last("e")), said);
    assert_eq!(told[0], "different");
    assert!(told[1].ends_with(" (beside)"), "{told:?}");
    // Where shares are known by their part.
    let rest = |first: &str| {
        format!(
            "server FS1; user LAB\\backup\nA->FS1:8(\\\\FS1\\{first})=0->TRUE,FS1\n\
             A:8(\\\\FS1\\{first})=0->TRUE,FS1\nA:1(ctx=0x0)=0\n"
        )
    };
    let moved = rest("e").replacen("\nA:8(\\\\FS1\\e)", "\nA:8(\\\\FS1\\f)", 1);
    let place =
        "2 IsPathSupported 0 | 2 IsPathSupported 0 | ShareName \\\\FS1\\d \\\\FS1\\f (beside)";
    check(&rest("d"), &moved, &["different", place]);
}

/// Whoever comes later to the same server from the same machine, and does nothing there.
#[test]
fn what_comes_after_the_backup_and_leads_nowhere() {
    for later in ["A#2->FS1 tree \\\\10.0.0.99\\IPC$", "user LAB\\bob; A#2->FS1 logon"] {
        let more = format!("{BACKUP}{later}\n");
        check(BACKUP, &more, &["alike"]);
        check(&more, BACKUP, &["alike"]);
    }
    // One that opens the pipe once more under another name is one that goes on.
    let (before, _) = BACKUP.split_once("A->FS1").expect("a server");
    let stops = format!("{before}A->FS1 logon\n");
    let told = one(&played(BACKUP), &played(&stops), said);
    assert_eq!(told, ["different", "share ok | end | "]);
}
