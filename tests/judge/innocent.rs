//! Conversations in which nobody is to blame, though it looks as if somebody were.

use vshark::check::{Blame, Finding, Severity};

use crate::trial::played;

const BEGUN: &str =
    "auth ntlm integrity\nA:1(ctx=0x0)=0\nA:2(cid=U1)=0->S1\nA:3(S1,\\\\fs\\d)=0->C1\n";

/// What is above a note of what the server does, in a capture with all clients.
fn against_the_server(profile: &str, text: &str) -> Vec<String> {
    let accuses = |found: &Finding| found.severity > Severity::Note && found.party == Blame::Server;
    let found = played(text, profile, true, 0).into_iter().filter(accuses);
    found.map(|found| found.to_string()).collect()
}

#[track_caller]
fn innocent(profile: &str, text: &str) {
    let found = against_the_server(profile, text);
    assert!(found.is_empty(), "{found:#?}\n{text}");
}

#[test]
fn a_restart_may_take_an_unfinished_set() {
    let restarted = format!("{BEGUN}server restart\nA:1(ctx=0x0)=0\n");
    innocent("spec", &format!("{restarted}A:2(cid=U2)=0->S2\n"));
    innocent("spec", &format!("{restarted}A:2(cid=U2)=IN_PROGRESS\n"));
    innocent("spec", &format!("{BEGUN}server restart\nA:3(S1,\\\\fs\\e)=MISMATCH\n"));
}

#[test]
fn of_many_calls_in_flight_any_may_have_come_first() {
    let many = "A#2:7(S1) unanswered\nA#3:0() unanswered\nA#4:0() unanswered\nA#5:0() unanswered\n\
                A#6:0() unanswered\nA#7:12(S1,to=1800000)=MISMATCH\nA#2:7=0\n";
    innocent("spec", &format!("{BEGUN}{many}"));
}

#[test]
fn an_error_of_the_shadow_copy_service_may_have_a_number_of_the_protocols() {
    for error in ["0x80042302", "IN_PROGRESS", "NOT_FOUND", "ALREADY_EXISTS"] {
        let passed = format!("A:12(S1)=0\nA:4(S1,to=60000)={error}\nwait 200s\nA:4(S1)=MISMATCH\n");
        innocent("spec", &format!("{BEGUN}{passed}"));
        let passed = format!("A:12(S1)={error}\nwait 200s\nA:12(S1)=MISMATCH\n");
        innocent("spec", &format!("{BEGUN}{passed}"));
    }
}

#[test]
fn samba_goes_back_after_a_time_out_and_takes_nil_ids() {
    let late = "A:12(S1)=0\nA:4(S1,to=1000) after 2 s =WAIT_TIMEOUT\nA:12(S1)=0\n";
    innocent("samba", &format!("{BEGUN}{late}"));
    let exposed = "A:12(S1)=0\nA:4(S1)=0\nA:5(S1)=0\nB:1(ctx=0x0)=0\nB:2(cid=nil)=0->S2\n";
    innocent("samba", &format!("{BEGUN}{exposed}"));
}

#[test]
fn shares_of_one_name_may_be_of_two_hosts() {
    innocent("spec", &format!("{BEGUN}A:3(S1,\\\\other\\d)=0->C2\n"));
}

#[test]
fn an_abort_before_the_capture_may_block() {
    let blocked = "mid-capture\nauth ntlm integrity\nA:1(ctx=0x0)=0\nA:2(cid=U1)=IN_PROGRESS\n\
                   wait 60s\nA:1(ctx=0x0)=0\nA:2(cid=U2)=IN_PROGRESS\n";
    innocent("windows", blocked);
}

#[test]
fn a_timer_that_a_refusal_stopped_may_run() {
    let stopped = "A:12(S1)=0\nA:4(S1)=0\nA:5(S1)=0\nA:10(C9,S1,\\\\fs\\d,L=1)=E_INVALIDARG\n\
                   wait 300s\nA:6(S1)=MISMATCH\n";
    innocent("spec", &format!("{BEGUN}{stopped}"));
}

#[test]
fn a_set_may_be_of_a_context_that_was_lost() {
    let text = "auth ntlm integrity\nA:1(ctx=0x19)=0\nA:2(cid=U1)=0->S1\nA:7(S1)=0\n\
                lose answer of A:1(ctx=0x10)=0\nA:2(cid=U2)=0->S2\nA:3(S2,\\\\fs\\d)=0->C1\n\
                A:12(S2)=0\nA:4(S2)=0\nA:5(S2)=0\nA:10(C1,S2,\\\\fs\\d,L=1)=0->\\\\fs\\d@{C1}\nA:6(S2)=0\n\
                wait 400s\nA:11(S2,C1,\\\\fs\\d)=NOT_FOUND\n";
    innocent("spec", text);
}

#[test]
fn the_runtime_may_run_out_of_memory() {
    innocent("spec", &format!("{BEGUN}A:12(S1)=0\nA:4(S1)=fault 0x1c00001b\n"));
}
