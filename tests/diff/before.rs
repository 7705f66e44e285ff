//! Servers that are not reached.

use crate::made::BACKUP;
use crate::{one, played, said};

#[track_caller]
fn check(bad: &str, expect: &[&str]) {
    let bad = format!("server FS1; user LAB\\backup; auth ntlm integrity\n{bad}\n");
    assert_eq!(one(&played(BACKUP), &played(&bad), said), expect, "{bad}");
}

#[test]
fn a_connect_that_comes_to_nothing_is_a_step() {
    check(
        "A->FS1 connect refused",
        &["different", "negotiation ok | connection Unreached(Reset) | outcome"],
    );
    check(
        "A name FS1\nA->FS1 connect unanswered",
        &["different", "negotiation ok | connection Unreached(Silence) | outcome"],
    );
    // Neither is reached.
    let refused = played("server FS1\nA->FS1 connect refused\n");
    assert_eq!(one(&refused, &refused, said), ["alike"]);
    let silent = played("server FS1\nA name FS1\nA->FS1 connect unanswered\n");
    let told = one(&refused, &silent, said);
    let place = "connection Unreached(Reset) | connection Unreached(Silence) | outcome";
    assert_eq!(told, ["different", place]);
}

/// The next attempt gets through.
#[test]
fn a_connect_that_was_overcome_weighs_little() {
    let overcome = BACKUP.replace("A->FS1:8", "A->FS1 connect refused\nA#2->FS1:8");
    let place = "negotiation ok | connection Unreached(Reset) |  (beside)";
    assert_eq!(one(&played(BACKUP), &played(&overcome), said), ["different", place]);
    let failed = overcome.replace("A:4(S1,to=60000)=0", "A:4(S1,to=60000)=0x80004005");
    let place = "7 CommitShadowCopySet 0 | 7 CommitShadowCopySet 0x80004005 | outcome";
    assert_eq!(one(&played(BACKUP), &played(&failed), said), ["different", place]);
}

/// A server that the client does not reach either has nothing to do with it.
#[test]
fn others_that_are_not_reached_are_nothing_to_compare() {
    let elsewhere = "server FS7 address 10.7.7.7\nA->FS7 connect refused\n";
    assert_eq!(one(&played(BACKUP), &played(elsewhere), said), ["nothing"]);
}
