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
    check_error(
        g,
        r#"{"a": 1, "b": 2}"#,
        "b: expected a parameter of g in this direction, found 2",
    );
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

#[test]
fn a_terminator_is_added_to_text_only() {
    let f =
        "void f([in, string] wchar_t *s, [in, string] char t[8], [in, unique, string] wchar_t *u);";
    let expect = "
        02000000 00000000 02000000 4100 0000    # s
        00000000 03000000 c9 42 00 00           # t, padding
        00000200 01000000 00000000 01000000 00d8";
    check_build(f, r#"{"s": "A", "t": "ÉB", "u": [55296]}"#, expect);
    let error = "t: expected characters of this width, found 'Ω'";
    check_error(f, r#"{"s": "A", "t": "Ω"}"#, error);
    let error = "t: expected at most 8 elements, found 9";
    check_error(f, r#"{"s": "A", "t": "12345678"}"#, error);
}

#[test]
fn pointers_are_numbered_as_they_are_written() {
    let f = "typedef struct _N { long v; [unique] struct _N *a; [ref] long *b; [ptr] long *c; } N;
             void f([in, unique] N *n, [in, unique] long *last);";
    let json = r#"{"n": {"v": 1, "a": {"v": 2, "b": 3}, "b": 4, "c": 5}, "last": 6}"#;
    let expect = "
        00000200
        01000000 04000200 08000200 0c000200     # n
        02000000 00000000 10000200 00000000     # n.a
        03000000                                # n.a.b
        04000000 05000000                       # n.b, n.c
        14000200 06000000";
    check_build(f, json, expect);
    check_build(f, "{}", "00000000 00000000");
    check_error(f, r#"{"n": {"v": 1}}"#, "n.b: expected long *, found nothing");
    let error = "n.a.b: expected a number, found 'x'";
    check_error(f, r#"{"n": {"v": 1, "b": 1, "a": {"v": 1, "b": "x"}}}"#, error);
    check_error(f, r#"{"n": {"w": 1}}"#, "n.w: expected a member of N, found 1");
    check_error(f, r#"{"n": 7}"#, "n: expected N, found 7");
}

const UNION: &str = "typedef [switch_type(long)] union {
        [case(1)] short a; [case(2, 3)] long b; [case(4)] ; [default] byte c;
    } U;
    typedef struct { long t; [switch_is(t)] U u; } S;
    void f([in] S s);";

#[test]
fn an_arm_gives_the_discriminant_and_a_discriminant_the_arm() {
    let check = |json, expect| check_build(UNION, json, expect);
    check(r#"{"s": {"u": {"a": 7}}}"#, "01000000 01000000 0700");
    check(r#"{"s": {"u": {"b": 7}}}"#, "02000000 02000000 07000000");
    check(r#"{"s": {"t": 3, "u": {"b": 7}}}"#, "03000000 03000000 07000000");
    check(r#"{"s": {"u": {}}}"#, "04000000 04000000");
    check(r#"{"s": {"u": {"c": 7}}}"#, "00000000 00000000 07");
    check(r#"{"s": {"t": 1, "u": {"discriminant": 9, "c": 7}}}"#, "01000000 09000000 07");
    let error = |json, expect| check_error(UNION, json, expect);
    error(r#"{"s": {"t": 1, "u": {"b": 7}}}"#, "s.u: expected a, which 1 chooses, found b");
    error(r#"{"s": {"t": 4, "u": {"b": 7}}}"#, "s.u: expected nothing, which 4 chooses, found b");
    error(r#"{"s": {"u": {"x": 7}}}"#, "s.u.x: expected an arm of U, found 7");
    error(r#"{"s": {"u": {"a": 1, "b": 7}}}"#, "s.u.b: expected one arm, found 7");
}

#[test]
fn what_a_response_does_not_say_is_zero() {
    let f = "typedef struct { long a; byte b[2]; [unique] long *c; } S;
             long f([in] long level, [out] S *s, [out, string] wchar_t **t, [out] GUID *g,
                    [out, size_is(level)] short a[], [out, size_is(level), length_is(*n)] char *c,
                    [out] long *n);";
    let expect = "
        00000000 0000 0000 00000000 00000000    # s, t
        00000000 0000 0000 0000000000000000     # g
        01000000 0500 0000                      # a
        03000000 00000000 02000000 08 09 0000   # c
        02000000 57000780";
    check_response(f, r#"{"level": 3, "a": [5], "c": [8, 9], "return": -2147024809}"#, expect);
    check_error(
        f,
        r#"{"level": 1, "n": 1}"#,
        "n: expected a parameter of f in this direction, found 1",
    );
}

#[test]
fn octets_handles_and_interface_pointers() {
    let f = "typedef [context_handle] void *H;
             void f([in] H h, [in] byte b[2], [in] IUnknown *i, [in] IUnknown *j, [in] boolean y,
                    [in] float x);";
    let json = r#"{"h": {"attributes": 1, "uuid": "01020304-0506-0708-090a-0b0c0d0e0f10"},
                   "b": "abcd", "i": {"objref": "0102"}, "y": true, "x": 1}"#;
    let expect = "
        01000000 04030201 0605 0807 090a0b0c0d0e0f10
        abcd 0000 00000200 02000000 02000000 0102 0000
        00000000 01 000000 0000803f";
    check_build(f, json, expect);
    check_error(f, r#"{"h": null, "b": "abc"}"#, "b: expected octets, found 'abc'");
    check_error(f, r#"{"h": null, "b": "ab"}"#, "b: expected 2 elements, found 1");
    check_error(f, r#"{"h": 1}"#, "h: expected a context handle, found 1");
}

#[test]
fn a_value_is_held_against_its_type_when_it_is_encoded() {
    let f = "typedef enum { A } E; void f([in] E e, [in, ptr] long *p, [in, ptr] long *q);";
    let error = "e: expected a signed integer of 16 bits, found 70000";
    check_error(f, r#"{"e": 70000}"#, error);
    let module = interface(f);
    let operation = &module.interfaces[0].operations[0];
    let mut params = build(&module.types, operation, Direction::In, &arg(r#"{"e": 1}"#)).unwrap();
    let params = &mut params.params;
    let error = |params: &[(Arc<str>, Value)]| {
        let mut stub = vec![1, 2, 3];
        let out = &mut stub;
        let result = encode(&module.types, operation, Direction::In, params, None, NDR, out);
        assert_eq!(stub, [1, 2, 3], "nothing is left of what failed");
        result.unwrap_err().to_string()
    };
    params[2].1.data = Data::Same(5);
    let expect = "q: expected the referent identifier of a full pointer before this one, \
                  found 0x00000005";
    assert_eq!(error(params), expect);
    let to = params[0].1.clone();
    let to = |referent| Data::Pointer(Box::new(Pointer { referent, to: to.clone() }));
    (params[1].1.data, params[2].1.data) = (to(5), to(5));
    let expect = "q: expected a referent identifier that no pointer before this one has, \
                  found 0x00000005";
    assert_eq!(error(params), expect);
    params[2].1.data = to(1 << 32);
    assert_eq!(error(params), "q: expected a referent identifier of 32 bits, found 4294967296");
    params.truncate(2);
    assert_eq!(error(params), "q: expected long *, found nothing");
}

#[test]
fn what_makes_too_many_values_ends() {
    let f = "typedef struct _S { [ref] struct _S *a; [ref] struct _S *b; } S; void f([out] S *s);";
    let module = interface(f);
    let operation = &module.interfaces[0].operations[0];
    let result = build::<&str>(&module.types, operation, Direction::Out, &[]);
    assert!(result.unwrap_err().to_string().ends_with("found more"));
}
