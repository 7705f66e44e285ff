//! What is refused before a call is looked at, and what is said.

use vshark::bytes::is_invisible;
use vshark::filter::{Column, Filter};

use super::REGISTRY;

/// `marked` has the expression and, below it, the carets.
#[track_caller]
fn check(marked: &str, expect: &str) {
    let (text, carets) = marked.split_once('\n').expect("two lines");
    let error = Filter::parse(text, &REGISTRY).expect_err(text);
    assert_eq!(error.message, expect);
    let carets = carets.trim_end().to_owned();
    assert_eq!(error.pointed(), &[text.to_owned(), carets.clone()]);
    assert_eq!(error.column, carets.find('^').expect("a caret") + 1);
}

#[test]
fn an_unknown_name_has_the_nearest_one_offered() {
    check(
        "fsrvp && stauts != 0\n         ^^^^^^",
        "there is no field `stauts`; did you mean `status`?",
    );
    check(
        "fsrvp.ShareNam contains \"x\"\n^^^^^^^^^^^^^^",
        "there is no field `fsrvp.ShareNam`; did you mean `fsrvp.ShareName`?",
    );
    check(
        "dcerpc.opnom == 3\n^^^^^^^^^^^^",
        "there is no field `dcerpc.opnom`; did you mean `dcerpc.opnum`?",
    );
    check("http.host\n^^^^^^^^^", "there is no field `http.host`; `vshark names` lists them");
    check("fsrvp.\n^^^^^^", "there is no field `fsrvp.`; did you mean `fsrvp`?");
    // It is a parameter of requests only.
    check(
        "response.TimeOutInMilliseconds\n^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "there is no field `response.TimeOutInMilliseconds`; `vshark names` lists them",
    );
}

#[test]
fn a_value_a_field_cannot_have_is_refused() {
    check("opnum == abc\n         ^^^", "expected a number or a name for `opnum`, found `abc`");
    check(
        "status == FSRVP_E_BAD_STAT\n          ^^^^^^^^^^^^^^^^",
        "expected a number or a name for `status`, found `FSRVP_E_BAD_STAT`; did you mean \
         `FSRVP_E_BAD_STATE`?",
    );
    check(
        "fsrvp.Context & ATTR_NO_WRITER\n                ^^^^^^^^^^^^^^",
        "expected a number or the name of a flag for `fsrvp.Context`, found `ATTR_NO_WRITER`; did \
         you mean `ATTR_NO_WRITERS`?",
    );
    check(
        "elapsed > 1x\n          ^^",
        "expected a length of time such as 1.5s or 20ms for `elapsed`, found `1x`",
    );
    check(
        "ip.addr == 10.0.0\n           ^^^^^^",
        "expected an IP address or network such as 10.0.0.0/8 for `ip.addr`, found `10.0.0`",
    );
    check(
        "interface.uuid == 3\n                  ^",
        "expected a GUID for `interface.uuid`, found `3`",
    );
    check(
        "time > yesterday\n       ^^^^^^^^^",
        "expected a time such as 2026-11-22T18:13:24Z for `time`, found `yesterday`",
    );
    check(
        "smb.signed == maybe\n              ^^^^^",
        "expected true or false for `smb.signed`, found `maybe`",
    );
}

#[test]
fn a_word_a_field_never_says_is_refused() {
    check(
        "outcome == fialed\n           ^^^^^^",
        "`outcome` never says `fialed`, but failed, fault, no_request, no_response, ok, unknown; \
         did you mean `failed`?",
    );
    check(
        "not method in {SetContext, \"Comit\"}\n                           ^^^^^^^",
        "`method` never says `Comit`",
    );
    check(
        "interface.name == FileServerVssAgnet\n                  ^^^^^^^^^^^^^^^^^^",
        "`interface.name` never says `FileServerVssAgnet`; did you mean `FileServerVssAgent`?",
    );
}

#[test]
fn an_operator_that_a_field_does_not_have_is_refused() {
    check("opnum contains \"3\"\n^^^^^", "`opnum` is a number; `contains` looks into text");
    check(
        "client.ip matches \"10\"\n^^^^^^^^^",
        "`client.ip` is an IP address; `matches` looks into text",
    );
    check("method & 1\n^^^^^^", "`method` is text, not a number that has bits");
    check("fsrvp == 1\n^^^^^", "`fsrvp` is there or not, and has no value to compare with");
    check("ip.addr > 10.0.0.0/8\n          ^^^^^^^^^^", "a network has no order: use `==`");
    check(
        "interface.uuid < a8e0653c-2744-4389-a61d-7373df8b2292\n                 \
         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "`interface.uuid` is a GUID, which has no order",
    );
    check(
        "method matches \"(\"\n               ^^^",
        "this is no regular expression: unclosed group",
    );
    let large = Filter::parse("method matches \"(a{1000}){1000}\"", &REGISTRY).unwrap_err();
    assert_eq!(large.message, "this is no regular expression: it is too large");
}

#[test]
fn what_is_no_expression_is_refused_at_its_place() {
    let end = "expected an operator such as `==` or `contains`, or `and`, `or`, or the end, found";
    check("opnum = 3\n      ^", "expected `==` (a single `=` compares nothing), found `=`");
    check("opnum == 3 status\n           ^^^^^^", &format!("{end} `status`"));
    check("opnum ==\n        ^", "expected a value, found the end");
    check("opnum == and\n         ^^^", "expected a value, found `and`");
    check(
        "opnum == 3 or\n             ^",
        "expected the name of a field, `not` or `(`, found the end",
    );
    check("== 3\n^^", "expected the name of a field, `not` or `(`, found `==`");
    check("3 == opnum\n^", "expected the name of a field, `not` or `(`, found `3`");
    check("(opnum == 3\n           ^", "expected `)`, `and`, `or` or an operator, found the end");
    check(
        "opnum == 3)\n          ^",
        "expected the end (there is no `(` for this parenthesis), found `)`",
    );
    check("opnum in {}\n          ^", "expected a value, found `}`");
    check("opnum in {1..}\n             ^", "expected a value, found `}`");
    check("opnum in {1 2}\n            ^^", "expected `,`, `..` or `}`, found `2}`");
    check("opnum in 3\n         ^", "expected `{` and the values, found `3`");
    check(
        "method[0:3] == a\n      ^^^^^",
        "expected an operator (parts of a field cannot be taken), found `[0:3]`",
    );
    check(
        "pipe == \"open\n        ^^^^^",
        "expected the quotation mark that ends this text, found `\"open`",
    );
    check(
        "request.ShareName == \"\\\\fs1\\dol\"\n                           ^^^^^",
        "expected one of the escapes \\\\ \\\" \\' \\n \\r \\t \\xHH \\uHHHH \\UHHHHHHHH (a backslash \
         is written \\\\, or the text r\"…\"), found `\\dol\"`",
    );
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |n: usize| format!("{}n == 1{}", "(".repeat(n), ")".repeat(n));
    assert!(Filter::parse(&deep(60), &REGISTRY).is_ok());
    let error = Filter::parse(&deep(10_000), &REGISTRY).unwrap_err();
    assert!(error.message.contains("fewer parentheses"), "{}", error.message);
    let error = Filter::parse(&"!".repeat(10_000), &REGISTRY).unwrap_err();
    assert!(error.message.contains("fewer parentheses"), "{}", error.message);
    let error = Filter::parse(&"n or ".repeat(20_000), &REGISTRY).unwrap_err();
    assert_eq!(error.message, "the filter has 100000 bytes, more than 65536");
    // What is merely long is no deeper.
    let long = vec!["n == 1"; 5_000].join(" or ");
    assert!(Filter::parse(&long, &REGISTRY).is_ok());
}

#[test]
fn what_is_shown_does_nothing_to_a_terminal() {
    let error = Filter::parse("n == 1 \u{1b}[31m\u{202e} and", &REGISTRY).unwrap_err();
    for text in error.pointed() {
        assert!(!text.contains(is_invisible), "{text:?}");
    }
    assert_eq!(error.pointed()[1].find('^'), Some("n == 1 ".len()));
}

#[test]
fn a_column_is_a_field() {
    let error = Column::parse("fsrvp.ShareNam", &REGISTRY).unwrap_err();
    assert_eq!(
        (error.column, &*error.message),
        (1, "there is no field `fsrvp.ShareNam`; did you mean `fsrvp.ShareName`?")
    );
    assert!(Column::parse("n == 1", &REGISTRY).is_err());
    assert!(Column::parse("", &REGISTRY).is_err());
}
