//! Conversations in which nobody is to blame, though it looks as if somebody were: what random ones have
//! shown of the judge.

use vshark::check::Severity;

use crate::trial::played;

/// Nothing more than a note is found in a conversation.
#[track_caller]
fn innocent(text: &str) {
    let mut found = played(&format!("dcom; auth ntlm integrity\n{text}"), "spec", true, 0);
    found.retain(|found| found.severity > Severity::Note);
    assert!(found.is_empty(), "{found:#?}\n{text}");
}

const BEGUN: &str = "A activates ->m1\nA:m1.GPMI(P,Diff)=0->d1\n";

/// Where no list has told what a letter stands for, it may be of any volume.
#[test]
fn a_letter_may_be_of_any_volume() {
    innocent(&format!(
        r"{BEGUN}A:d1.ADD('A:\',VB,10GB)=0
A:d1.QDAF('A:\')=0->e1; A:e1.Next(4)=S_FALSE->[(VA,VB)]
A:d1.QDAO(VB)=0->e2; A:e2.Next(4)=S_FALSE->[(VA,VB)]"
    ));
    innocent(&format!(
        r"{BEGUN}A:d1.QDAF(VA)=0->e1; A:e1.Next(4)=S_FALSE->[]
A:d1.ADD('a:\',VB,10GB)=0; A:d1.CHG(VA,VB,20GB)=0"
    ));
    innocent(&format!(
        r"{BEGUN}A:d1.ADD(VB,'A:\',10GB)=0
A:d1.QVSD(VB)=0->e1; A:e1.Next(4)=S_FALSE->[VA]"
    ));
}

#[test]
fn the_limit_may_be_one_association() {
    innocent(&format!(
        "{BEGUN}A:d1.QDAF(VA)=0->e1; A:e1.Next(4)=S_FALSE->[]\nA:d1.ADD(VA,VB,10GB)=0
A:d1.ADD(VA,VC,10GB)=VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED"
    ));
}

#[test]
fn a_server_may_delete_copies_before_their_storage() {
    innocent(&format!(
        "{BEGUN}A:d1.QDAF(VA)=0->e1; A:e1.Next(4)=S_FALSE->[(VA,VB)]
A:m1.QSBV(VA,P)=0->s1; A:s1.Next(4)=S_FALSE->[S1]
A:d1.CHG(VA,VB,0)=0
A:m1.QSBV(VA,P)=0->s2; A:s2.Next(4)=S_FALSE->[]"
    ));
}

#[test]
fn a_copy_may_be_listed_with_another_name_of_its_volume() {
    let other = r"\\?\Volume{11111111-aaaa-4b01-8c01-000000000001}\";
    innocent(&format!(
        r"{BEGUN}A:m1.QSBV('X:\',P)=0->s1; A:s1.Next(1)=0->[{{S1, vol=VA}}]
A:m1.QSBV('X:\',P)=0->s2; A:s2.Next(1)=0->[{{S1, vol='{other}'}}]"
    ));
}

#[test]
fn who_breaks_off_has_left_nothing() {
    innocent(&format!("{BEGUN}A reset\n"));
    innocent(&format!(
        "{BEGUN}A reset\nA activates ->m2; A:m2.QVSS()=0->e1\nA:release(e1,m2)\nA disconnect"
    ));
}

#[test]
fn who_was_not_seen_where_the_objects_are_has_not_left() {
    innocent("A activates ->m1\nA disconnect");
}

#[test]
fn an_interface_is_not_there_before_it_was_handed_out() {
    let reason = "provider_rejection abstract_syntax_not_supported";
    innocent(&format!(
        "{BEGUN}A bind IVssEnumMgmtObject refused {reason}
A:m1.QVSS()=0->e1; A:e1.Next(1)=S_FALSE->[]; A:release(e1,d1,m1)\nA disconnect"
    ));
}

/// The exporter that told it may have done so before the capture.
#[test]
fn a_remote_unknown_that_was_never_seen_may_be_one() {
    innocent(&format!(
        "{BEGUN}A:release(d1)=0 object=00000001-0002-0003-0405-060708090a0b
A:release(m1)\nA disconnect"
    ));
}
