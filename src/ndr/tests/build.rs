//! Arguments by hand in, bytes or one sentence out.

use super::*;

fn arg(json: &str) -> Vec<(String, Arg)> {
    match serde_json::from_str(json).unwrap() {
        Arg::Record(members) => members,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn built(declarations: &str, direction: Direction, context: Context, json: &str) -> Vec<u8> {
    let module = interface(declarations);
    let operation = module.interfaces[0].operations.last().unwrap();
    let types = &module.types;
    let arguments = build(types, operation, direction, &arg(json)).unwrap();
    let Arguments { params, ret } = &arguments;
    let mut stub = Vec::new();
    encode(types, operation, direction, params, ret.as_ref(), context, &mut stub).unwrap();
    let view = View::new(&stub, &[], &[]);
    let decoded = decode(types, operation, direction, view, 0, context);
    assert_eq!((decoded.stop, decoded.used as usize), (None, stub.len()));
    stub
}

/// The request of the last operation, in NDR.
#[track_caller]
fn check_build(declarations: &str, json: &str, expect: &str) {
    assert_eq!(built(declarations, Direction::In, NDR, json), hex(expect), "{json}");
}

#[track_caller]
fn check_response(declarations: &str, json: &str, expect: &str) {
    assert_eq!(built(declarations, Direction::Out, NDR, json), hex(expect), "{json}");
}

/// Why the request of the last operation cannot be sent in NDR.
#[track_caller]
fn check_error(declarations: &str, json: &str, expect: &str) {
    let module = interface(declarations);
    let operation = module.interfaces[0].operations.last().unwrap();
    let built = build(&module.types, operation, Direction::In, &arg(json));
    let result = built.and_then(|Arguments { params, .. }| {
        let mut stub = Vec::new();
        let out = &mut stub;
        encode(&module.types, operation, Direction::In, &params, None, NDR, out).map(|()| stub)
    });
    assert_eq!(result.unwrap_err().to_string().replace('"', "'"), expect);
}

#[test]
fn integers_are_digits_names_or_records() {
    let f = "typedef [v1_enum] enum _E { A, B = 5 } E;
             void f([in] E a, [in] E b, [in] E c, [in] long d, [in] unsigned long e);";
    let expect = "05000000 05000000 05000000 050000 80 10000000";
    let json =
        r#"{"a": "B", "b": 5, "c": {"value": 5, "name": "B"}, "d": 2147483653, "e": "0x10"}"#;
    check_build(f, json, expect);
    check_error(f, r#"{"a": "C"}"#, "a: expected a number or a name of E, found 'C'");
    check_error(f, r#"{"a": 1, "b": 1}"#, "c: expected E, found nothing");
    let g = "void g([in] short a);";
    check_error(g, r#"{"a": 65536}"#, "a: expected a signed integer of 16 bits, found 65536");
    check_error(g, r#"{"a": 1, "b": 2}"#, "b: expected no such parameter of g, found 2");
}

#[test]
fn counts_follow_from_arrays() {
    let f = "void f([in] long n, [in, size_is(n)] short a[]);";
    check_build(f, r#"{"a": [1, 2]}"#, "02000000 02000000 0100 0200");
    check_build(f, r#"{"n": 7, "a": [1, 2]}"#, "07000000 02000000 0100 0200");
    let g = "void g([in, max_is(m), last_is(n)] char *a, [in] long m, [in] long *n);";
    let expect = "02000000 00000000 02000000 08 09 0000 01000000 01000000";
    check_build(g, r#"{"a": [8, 9]}"#, expect);
    let expect = "06000000 00000000 02000000 08 09 0000 05000000 01000000";
    check_build(g, r#"{"a": [8, 9], "m": 5}"#, expect);
    let h = "typedef struct { short octets; [size_is(octets / 2)] wchar_t *p; } S;
             void h([in] S s, [in] S t);";
    let expect = "0400 0000 00000200 02000000 4100 4200 0000 0000 00000000";
    check_build(h, r#"{"s": {"p": [65, 66]}, "t": {}}"#, expect);
}
