//! What the judge says of values and of shares where the examples of the rules do not reach: spellings,
//! clocks, restarts, clients that are not in the capture.

use vshark::check::{Certainty, Finding, Severity};

use crate::trial::{names, played};

const EXPOSED: &str = r"
A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1
A:12(S1,to=1800000)=0; A:4(S1,to=60000)=0; A:5(S1,to=1800000)=0
";

fn judged(text: &str, profile: &str, all_clients: bool) -> Vec<Finding> {
    played(text, profile, all_clients, 0)
}

/// The finding that has this rule, alone or beside others.
fn with<'f>(findings: &'f [Finding], rule: &str) -> Option<&'f Finding> {
    let rule = format!("FSRVP-{rule}");
    findings.iter().find(|finding| names(finding, &rule))
}

#[track_caller]
fn broken(text: &str, rule: &str) -> Finding {
    let found = judged(text, "spec", true);
    with(&found, rule).unwrap_or_else(|| panic!("no {rule} in {found:?}\n{text}")).clone()
}

#[track_caller]
fn kept(text: &str, rules: &[&str]) {
    let found = judged(text, "spec", true);
    for rule in rules {
        let finding = with(&found, rule);
        assert!(finding.is_none(), "{}\n{text}", finding.expect("it is there"));
    }
}

#[test]
fn every_spelling_of_an_exposed_name_is_taken() {
    let rules = ["3.1.4.6-17", "3.1.4.6-18", "3.1.4.6-19", "3.1.4.6-20", "3.1.4.6-21"];
    for name in [r"\\fs\D@{c1}", "d@{C1}", r"\\other.lab\d@{C1}", r"\\fs\d@{C1}\"] {
        kept(&format!("{EXPOSED}A:10(C1,S1,\\\\fs\\d\\,L=1)=0->{{exposed='{name}'}}"), &rules);
    }
    let hidden = EXPOSED.replace(r"\d)", r"\d$)");
    for name in ["d$@{C1}$", "d${C1}$"] {
        kept(&format!("{hidden}A:10(C1,S1,\\\\fs\\d$,L=1)=0->{{exposed='{name}'}}"), &rules);
    }
    for (name, rule) in
        [("d{C1}", "3.1.4.6-17"), ("d@{C2}", "3.1.4.6-17"), ("e@{C1}", "3.1.4.6-18")]
    {
        broken(&format!("{EXPOSED}A:10(C1,S1,\\\\fs\\d,L=1)=0->{{exposed='{name}'}}"), rule);
    }
}

#[test]
fn a_name_that_is_missing_is_one_fault() {
    let found =
        broken(&format!("{EXPOSED}A:10(C1,S1,\\\\fs\\d,L=1)=0->{{exposed=null}}"), "3.1.4.11-16");
    assert_eq!(&*found.rule, "FSRVP-3.1.4.6-25");
    let octets: Vec<&[u8]> = found.spots.iter().map(|spot| &*spot.octets).collect();
    assert_eq!(octets, [[0; 4]], "the null pointer");
    let found =
        broken(&format!("{EXPOSED}A:10(C1,S1,\\\\fs\\d,L=1)=0->{{copy=C2}}"), "3.1.4.11-14");
    let octets: Vec<usize> = found.spots.iter().map(|spot| spot.octets.len()).collect();
    assert_eq!(octets, [16], "the id that was returned");
}

#[test]
fn clocks_may_differ_and_time_zones_may_not() {
    let copy = |time: &str| {
        format!(
            r"
start 2026-01-15T11:59:50Z
A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1
at 12:00:00
A:3(S1,\\fs\d)=0->C1; A:12(S1,to=1800000)=0
at 12:00:20
A:4(S1,to=60000)=0; A:5(S1,to=1800000)=0; A:10(C1,S1,\\fs\d,L=1)=0->{{ts={time}}}
"
        )
    };
    let rules = ["2.2.1.1-04", "2.2.1.1-05", "3.1.4.4-18"];
    for time in ["2026-01-15T11:51:00Z", "2026-01-15T12:09:00Z"] {
        kept(&copy(time), &rules);
    }
    let found = broken(&copy("2026-01-15T06:30:05Z"), "2.2.1.1-05");
    assert_eq!((found.severity, found.certainty), (Severity::Warning, Certainty::Possible));
    assert!(found.message.contains("-330 minutes"), "{}", found.message);
    // 20 minutes are no time zone.
    kept(&copy("2026-01-15T12:20:10Z"), &["2.2.1.1-05"]);
    let found = broken(&copy("2026-01-15T12:22:00Z"), "3.1.4.4-18");
    assert_eq!(found.severity, Severity::Note);
    for time in ["0", "-1", "1768478400", "1768478400000"] {
        assert_eq!(broken(&copy(time), "2.2.1.1-04").severity, Severity::Error, "{time}");
    }
    // A clock that is years ahead is wrong, but it counts as it should.
    assert_eq!(broken(&copy("2031-01-15T12:00:00Z"), "2.2.1.1-04").certainty, Certainty::Possible);
    // What was not seen to be added accuses nobody.
    let unseen = r"mid-capture
A:10(C1,S1,\\fs\d,L=1)=0->{ts=2026-01-15T02:00:00Z}";
    kept(unseen, &rules);
}

#[test]
fn opnums_that_do_not_exist_reach_the_judge_sealed_or_not() {
    let found = judged("A:13(stub=00000000)=fault nca_s_op_rng_error", "spec", true);
    assert_eq!(with(&found, "1.7-01").expect("told").severity, Severity::Error);
    assert!(with(&found, "3.1.4-01").is_none());
    let found = judged("auth ntlm privacy\nA:13(enc)=fault nca_s_op_rng_error", "spec", true);
    assert_eq!(with(&found, "1.7-01").expect("told").severity, Severity::Note);
}

#[test]
fn only_faults_that_the_runtime_does_not_raise_are_exceptions() {
    for fault in ["0x00000005", "0x1c010014", "0x000006f7", "0x0000000e"] {
        kept(&format!("A:4(S1,to=60000)=fault {fault}"), &["3.1.4-02"]);
    }
    broken("A:4(S1,to=60000)=fault 0xC0000005", "3.1.4-02");
}

#[test]
fn a_stub_may_end_in_padding_or_a_trailer_only() {
    kept("A:1(stub=0000000000000000)=0", &["6-01", "6-05"]);
    for order in ["little-endian", "big-endian"] {
        for syntax in ["ndr", "ndr64"] {
            let text =
                format!("{order}\n{syntax}\ntrailer on\nA:0()=0->1,1\nA:8(\\\\fs\\d)=0->TRUE,FS");
            kept(&text, &["6-01", "6-02", "6-03", "6-05"]);
        }
    }
    broken("A:1(stub=000000000000000000000000)=0", "6-01");
    let handle = "A:1(stub=000000000000000000000000000000000000000000000000)=fault 0x000006f7";
    assert_eq!(&*broken(handle, "6-05").rule, "FSRVP-6-01");
}

#[test]
fn a_restart_may_change_what_a_server_says() {
    let versions = "A:0()=0->1,1\nA:0()=0->1,2";
    broken(versions, "3.1.4.1-01");
    kept("A:0()=0->1,1\nserver restart\nA:0()=0->1,2", &["3.1.4.1-01"]);
    let missing = "A tree \\\\fs\\z refused STATUS_BAD_NETWORK_NAME";
    let supported = "A:8(\\\\fs\\z)=0->TRUE,FS";
    broken(&format!("{missing}\n{supported}"), "3.1.4.9-02");
    kept(&format!("{missing}\nserver restart\n{supported}"), &["3.1.4.9-02"]);
    kept(&format!("{missing}\nA tree \\\\fs\\z\n{supported}"), &["3.1.4.9-02"]);
    kept(&format!("{missing}\nwait 20min\n{supported}"), &["3.1.4.9-02"]);
    kept(
        "A tree \\\\other\\z refused STATUS_BAD_NETWORK_NAME\nA:8(\\\\fs\\z)=0->TRUE,FS",
        &["3.1.4.9-02"],
    );
    kept(
        "A tree \\\\fs\\z refused STATUS_ACCESS_DENIED\nA:8(\\\\fs\\z)=0->TRUE,FS",
        &["3.1.4.9-02"],
    );
}

#[test]
fn samba_may_refuse_an_unknown_share_as_an_argument() {
    let text = "A tree \\\\fs\\z refused STATUS_BAD_NETWORK_NAME\nA:8(\\\\fs\\z)=E_INVALIDARG";
    let found = judged(text, "spec", true);
    assert!(with(&found, "3.1.4.9-02").is_some(), "{found:?}");
    let found = judged(text, "samba", true);
    assert!(with(&found, "3.1.4.9-02").is_none_or(|f| f.known.is_some()), "{found:?}");
}

#[test]
fn presence_is_held_against_what_is_known_for_certain() {
    let committed = &EXPOSED.replace("A:5(S1,to=1800000)=0", "");
    let absent = |before: &str| format!("{before}A:9(\\\\fs\\d)=0->FALSE,0");
    let found = judged(&absent(committed), "spec", true);
    assert_eq!(with(&found, "3.1.4.10-03").expect("told").severity, Severity::Error);
    let found = judged(&absent(committed), "spec", false);
    assert_eq!(with(&found, "3.1.4.10-03").expect("told").severity, Severity::Note);
    kept(&absent(&committed.replace("\\fs\\", "\\other\\")), &["3.1.4.10-03"]);
    kept(&absent(&format!("{committed}A:7(S1)=0\n")), &["3.1.4.10-03"]);
    kept(&absent(&format!("{committed}A:7(S1) unanswered\n")), &["3.1.4.10-03"]);
    kept(&absent(&format!("{committed}wait 190s\n")), &["3.1.4.10-03"]);
    kept(&absent(&format!("mid-capture{committed}lose request of A:7(S1)=0\n")), &["3.1.4.10-03"]);
    // A Commit that is under way may be done.
    let early = r"
A:9(\\fs\d)=0->FALSE,0
A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\e)=0->C1; A:12(S1,to=1800000)=0
A:4(S1,to=60000) unanswered
B:9(\\fs\d)=0->TRUE,0
";
    kept(early, &["3.1.4.10-04", "3.1.4.10-05"]);
    broken(&early.replace("A:4(S1,to=60000) unanswered\n", ""), "3.1.4.10-04");
}

#[test]
fn writes_are_held_against_recovery() {
    let auto = &EXPOSED.replace("ctx=0x0", "ctx=0x400000");
    let write = "A write \\\\fs\\d@{C1}";
    let protected = "A write \\\\fs\\d@{c1} refused STATUS_MEDIA_WRITE_PROTECTED";
    let rules = ["2.2.2.1-03", "2.2.2.1-06", "3.1.4.6-24", "3.1.4.7-06"];
    kept(&format!("{auto}{write}"), &rules);
    kept(&format!("{auto}A:6(S1)=0\n{protected}"), &rules);
    kept(&format!("{auto}A write \\\\fs\\d@{{C1}} refused STATUS_ACCESS_DENIED"), &rules);
    kept(&format!("{auto}A:6(S1)=0\nA write \\\\fs\\d@{{C2}}"), &rules);
    kept(&format!("{auto}A:6(S1) unanswered\n{protected}"), &rules);
    kept(&format!("{auto}A:6(S1) unanswered\n{write}"), &rules);
    let found = broken(&format!("{auto}A:6(S1)=0\n{write}"), "2.2.2.1-06");
    assert_eq!(&*found.rule, "FSRVP-3.1.4.7-06");
    broken(&format!("{auto}{protected}"), "3.1.4.6-24");
    let never = &EXPOSED.replace("ctx=0x0", "ctx=0x2");
    kept(&format!("{never}{protected}"), &rules);
    broken(&format!("{never}{write}"), "2.2.2.1-03");
    kept(&format!("mid-capture\nA:5(S1,to=1800000)=0\nA:6(S1)=0\n{write}"), &rules);
}
