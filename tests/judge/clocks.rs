//! Captures whose clocks could not be compared to the second are given that much more time.

use crate::trial::played;

/// The rules broken by a Commit that comes so many seconds after the Add, whose timer is 1800 s.
fn late_by(seconds: u32, clock_error: i64) -> Vec<String> {
    let text = format!(
        "A auth ntlm integrity\nA:0()=0->1,1; A:1(ctx=0)=0; A:2(cid=U1)=0->S1\n\
         A:3(S1,\\\\fs\\d)=0->C1; wait {seconds}s; A:12(S1,to=1800000)=0"
    );
    let found = played(&text, "spec", true, clock_error);
    found.into_iter().map(|finding| finding.rule.to_string()).collect()
}

#[test]
fn the_timer_is_given_what_the_clocks_may_be_off() {
    let late = "FSRVP-3.1.5-02".to_owned();
    assert!(late_by(1820, 0).contains(&late));
    assert!(!late_by(1820, 30_000_000_000).contains(&late));
    assert!(late_by(1840, 30_000_000_000).contains(&late));
}
