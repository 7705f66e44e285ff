//! What is wrong with a text is told with its place, and what may have been meant.

use vshark::scenario::{MAX_STEPS, Scenario};

use super::read::REGISTRY;

/// Holds what is said of texts against what is expected, all of them at once.
fn check_all(texts: &[(&str, &str)]) {
    let said = |text| match Scenario::parse("s", text, &REGISTRY) {
        Ok(_) => "this is understood".to_owned(),
        Err(error) => error.to_string(),
    };
    let wrong = texts.iter().filter(|(text, expect)| said(text) != *expect);
    let wrong: Vec<_> = wrong.map(|(text, expect)| (text, expect, said(text))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn check(text: &str, expect: &str) {
    check_all(&[(text, expect)]);
}

#[test]
fn errors_have_a_place_and_a_hint() {
    check_all(&[
        (
            "A:1(ctx=0)=BAD_STAT",
            "s:1:12: there is no status `BAD_STAT`; did you mean FSRVP_E_BAD_STATE?",
        ),
        (
            "A:0()=0\nA:SetContxt()=0",
            "s:2:3: FileServerVssAgent has no method `SetContxt`; did you mean SetContext?",
        ),
        ("A:4(S1,tmo=1)=0", "s:1:8: CommitShadowCopySet has no parameter `tmo`; did you mean to?"),
        ("A:4(S1,5,6)=0", "s:1:10: CommitShadowCopySet takes no more arguments"),
        ("A:4(X,to=5)=0", "s:1:5: expected a GUID, nil or a symbol such as S1, found `X`"),
        (
            "A:1(ctx=4294967296)=0",
            "s:1:9: Context: expected an unsigned integer of 32 bits, found \"4294967296\" of SetContext",
        ),
        ("A:1(ctx=0=0", "s:1:12: expected `)`, the file ends"),
        (
            "A:0()=fault nca_s_op_rng_eror",
            "s:1:13: there is no fault `nca_s_op_rng_eror`; did you mean nca_s_op_rng_error?",
        ),
        ("A:0()=0->1,2,3", "s:1:14: GetSupportedVersion has no more results"),
        ("smb 4", "s:1:5: expected 2.0.2, 2.1, 3.0, 3.0.2 or 3.1.1, found `4`"),
        ("A clsoe", "s:1:3: expected a statement, found `clsoe`; did you mean close?"),
        ("chanels 3", "s:1:9: expected a statement, found `3`"),
        ("wait long", "s:1:6: expected a time such as 190s, 500 ms or 3 min, found `long`"),
        ("fragment 10", "s:1:10: expected a length from 192 to 5840, found `10`"),
        (
            "A logon refused STATUS_LOGON_FAILUR",
            "s:1:17: there is no NTSTATUS `STATUS_LOGON_FAILUR`; did you mean STATUS_LOGON_FAILURE?",
        ),
        ("A name", "s:1:3: expected a name after `name`"),
        ("A name FS nowhere", "s:1:11: expected the end of the statement, found `nowhere`"),
        ("A ticket cifs/fs", "s:1:10: expected `refused` after `cifs/fs`"),
        (
            "A ticket cifs/fs refused KDC_ERR_S_PRINCIPAL_UNKNOW",
            "s:1:26: there is no error of Kerberos `KDC_ERR_S_PRINCIPAL_UNKNOW`; did you mean \
             KDC_ERR_S_PRINCIPAL_UNKNOWN?",
        ),
        ("A ticket cifs/fs refused 200", "s:1:26: there is no error of Kerberos `200`"),
        ("A connect refused by", "s:1:19: expected the end of the statement, found `by`"),
        ("A logon guest refused", "s:1:15: expected the end of the statement, found `refused`"),
        (
            "A bind refused STATUS_PIPE_BROKN",
            "s:1:16: there is no NTSTATUS `STATUS_PIPE_BROKN`; did you mean STATUS_PIPE_BROKEN?",
        ),
        (
            "A:4(S1)=pipe PIPE_BROKN",
            "s:1:14: there is no NTSTATUS `PIPE_BROKN`; did you mean STATUS_PIPE_BROKEN?",
        ),
        ("tcp 135; A:4(S1)=pipe PIPE_BROKEN", "s:1:23: over TCP there is no pipe"),
        ("A:nothere.0()=0", "s:1:3: there is no interface `nothere`"),
        (
            "A:13(5)=0",
            "s:1:6: FileServerVssAgent has no opnum 13: its stub can be given as stub=… only",
        ),
        ("A:0(stub=123)=0", "s:1:10: expected two hexadecimal digits an octet, found `123)=0`"),
        ("(A:0()=0", "s:1:9: expected `)`, the file ends"),
        ("(A:0()=0)", "s:1:10: expected how many times, such as x3, the file ends"),
        ("at 11:00:00", "s:1:4: it is later than that already: 2026-01-15T12:00:00.000000000Z"),
        ("A:0()=0 nonsense", "s:1:9: expected the end of the statement, found `nonsense`"),
    ]);
}

#[test]
fn texts_that_would_take_everything_are_refused() {
    let steps = format!("s:1:2: more than {MAX_STEPS} steps");
    check("(((A:0()=0) x1000) x1000) x1000", &steps.replace(":2:", ":4:"));
    check("A:0()=0 x4000000000", &steps.replace(":2:", ":1:"));
    let long = format!("(A:8(\"{}\")=0) x9000", "x".repeat(20_000));
    check(&long, "s:1:2: more than 64 MiB of text, repetitions counted");
    check("((((() x1000000) x1000000) x1000000) x100000) x1000000", &steps.replace(":2:", ":5:"));
    check(&"(".repeat(40), "s:1:33: brackets are nested deeper than 32");
    let long = " ".repeat((1 << 20) + 1);
    check(&long, "s:1:1: a scenario has at most 1048576 octets, this has 1048577");
}

/// As many octets as a capture may have, and no more.
#[test]
fn a_capture_that_would_be_too_long_is_refused() {
    let scenario = "fragment 5840; A:8('\\\\fs\\".to_owned() + &"d".repeat(60_000) + "')=0 x2000";
    let scenario = Scenario::parse("s", &scenario, &REGISTRY).unwrap();
    let error = scenario.write(&mut std::io::sink()).unwrap_err();
    assert_eq!(error.to_string(), "the capture would be longer than 256 MiB");
}

#[test]
fn the_same_text_gives_the_same_octets() {
    let text = "auth ntlm privacy; channels 2; A:1(ctx=0)=0; A:2()=0; wait 1 h; B:0()=0";
    let made = || super::read::capture(&Scenario::parse("s", text, &REGISTRY).unwrap());
    assert_eq!(made(), made());
}
