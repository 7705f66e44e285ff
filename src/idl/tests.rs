//! IDL in, a table as text or an error out.

use super::*;

fn compile_one(text: &str) -> Result<Module, Error> {
    let sources: Sources = [("t.idl".to_owned(), text.to_owned())].into();
    compile("t.idl", &sources)
}

/// One line an operation: what each parameter is.
fn table(text: &str) -> String {
    let module = match compile_one(text) {
        Ok(module) => module,
        Err(error) => panic!("{error}"),
    };
    let mut out = String::new();
    for interface in &module.interfaces {
        for op in &interface.operations {
            let params: Vec<_> = op
                .params
                .iter()
                .map(|p| {
                    let way = match (p.input, p.output) {
                        (true, true) => "in out",
                        (true, false) => "in",
                        _ => "out",
                    };
                    format!("{way} {}: {}", p.field.name, show(&module.types, p.field.ty))
                })
                .collect();
            let line = format!("{} {}({})\n", op.opnum, op.name, params.join(", "));
            out.push_str(&line);
        }
    }
    out
}

fn show(types: &Types, id: TypeId) -> String {
    let ty = types.get(id);
    match &ty.kind {
        Kind::Pointer { kind, to } => {
            let kind = match kind {
                Pointing::Ref => "ref",
                Pointing::Unique => "unique",
                Pointing::Full => "ptr",
            };
            format!("{kind} {}", show(types, *to))
        }
        Kind::Array(array) => {
            let string = if array.string { " string" } else { "" };
            format!("{:?}{string} of {}", array.shape, show(types, array.of))
        }
        Kind::Interface { of, iid_is } => format!("interface {of:?} {iid_is:?}"),
        Kind::ContextHandle => "context".to_owned(),
        _ => ty.name.to_string(),
    }
}

#[track_caller]
fn check(declarations: &str, expect: &str) {
    let text =
        format!("[uuid(00000000-0000-0000-0000-000000000001)] interface t {{ {declarations} }}");
    assert_eq!(table(&text).trim_end(), expect);
}

#[test]
fn pointer_attributes_follow_midl() {
    let types = "typedef wchar_t *LPWSTR; typedef [unique, string] wchar_t *PWSZ;
                 typedef LPWSTR *TWICE;";
    for (declaration, expect) in [
        ("void f([in] long *a);", "ref long"),
        ("void f([in, unique] long *a);", "unique long"),
        ("void f([in, ptr] long *a);", "ptr long"),
        ("void f([in] long **a);", "ref unique long"),
        ("void f([in, string] LPWSTR a);", "ref ConformantVarying string of wchar_t"),
        ("void f([in] PWSZ a);", "unique ConformantVarying string of wchar_t"),
        ("void f([in] PWSZ *a);", "ref unique ConformantVarying string of wchar_t"),
        ("void f([in, string] LPWSTR *a);", "ref unique ConformantVarying string of wchar_t"),
        ("void f([in, string] TWICE a);", "ref unique ConformantVarying string of wchar_t"),
        (
            "void f([in, size_is(4), string] LPWSTR *a);",
            "ref Conformant of unique ConformantVarying string of wchar_t",
        ),
        ("void f([in, size_is(,2)] long **a);", "ref unique Conformant of long"),
        ("void f([in, string] char a[8]);", "Varying(8) string of char"),
        ("void f([in, string] char a[*]);", "ConformantVarying string of char"),
        ("void f([in, string] wchar_t a[2][8]);", "Fixed(2) of Varying(8) string of wchar_t"),
    ] {
        check(&format!("{types} {declaration}"), &format!("0 f(in a: {expect})"));
    }
}

#[test]
fn pointer_default_is_for_embedded_pointers() {
    for (header, expect) in [("", "unique"), (", pointer_default(ptr)", "ptr")] {
        let text = format!(
            "[uuid(00000000-0000-0000-0000-000000000001){header}]
             interface t {{ void f([in] long **a); }}"
        );
        assert_eq!(table(&text), format!("0 f(in a: ref {expect} long)\n"));
    }
}

#[test]
fn objects_and_handles() {
    let text = "
        interface IThing;
        typedef [context_handle] void *H;
        [object, uuid(00000000-0000-0000-0000-000000000001)] interface IBase : IUnknown {
            long A([in] IThing *x, [out] IThing **y);
        };
        [object, uuid(00000000-0000-0000-0000-000000000002)] interface IThing : IBase {
            long B([in] handle_t b, [in] H h, [out] H *g, [in] long *iid, [out, iid_is(iid)] void **v);
        };";
    assert_eq!(
        table(text),
        "3 A(in x: interface Some(\"IThing\") None, out y: ref interface Some(\"IThing\") None)\n\
         3 A(in x: interface Some(\"IThing\") None, out y: ref interface Some(\"IThing\") None)\n\
         4 B(in h: context, out g: ref context, in iid: ref long, \
         out v: ref interface None Some(\"iid\"))\n"
    );
}

#[test]
fn what_does_not_matter_is_read_over() {
    check(
        "cpp_quote(\"#define X \\\"(a\\\"\") /* a { comment */ ; // another [\n\
         import \"t.idl\"; const wchar_t *NAME = \"text\"; typedef struct T { int x; } T, *PT;\n\
         [fault_status, helpstring(\"no (really)\")] error_status_t f([in] const struct T t,\n\
         [in, range(0, 5)] const unsigned long int n);",
        "0 f(in t: T, in n: unsigned long int)",
    );
}

#[test]
fn expressions_have_the_precedence_of_c() {
    for (expression, value) in [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2 % 2 - 1", 0),
        ("1 << 2 + 1", 8),
        ("6 & 3 | 8", 10),
        ("0x10 >> 1 == 8 ? 1 ? 5 : 6 : 7", 5),
        ("-1 + ~0", -2),
        ("1 < 2 && 0 || 3 != 3", 0),
        ("'A' - !0", 64),
    ] {
        let text = format!(
            "typedef [v1_enum] enum {{ V = {expression} }} E;
             [uuid(00000000-0000-0000-0000-000000000001)] interface t {{ void f([in] E e); }}"
        );
        let module = compile_one(&text).unwrap();
        let id = module.types.named("E").unwrap();
        let Kind::Enum { names, .. } = &module.types.get(id).kind else {
            panic!("no enumeration");
        };
        assert_eq!(names.values[0].0, value, "{expression}");
    }
}

#[test]
fn errors_say_where_and_what_was_expected() {
    let cases = [
        ("struct S {\n  long a\n};", "t.idl:3:1: expected `;`, found `};`"),
        ("typedef long;", "t.idl:1:13: expected a name, found `;`"),
        ("[uuid(xyz)] interface t {}", "t.idl:1:7: expected a UUID, found `xyz)]`"),
        ("typedef FOO BAR;", "t.idl:1:9: unknown type `FOO`"),
        ("typedef A B; typedef B A;", "t.idl:1:22: `B` is nested deeper than 64, or in itself"),
        ("interface t { }", "t.idl:1:11: the interface `t` has no uuid"),
        (
            "[uuid(00000000-0000-0000-0000-000000000001)] interface t {\n\
         \x20 void f([in, size_is(m)] long *a, [in] long n);\n}",
            "t.idl:2:23: there is no parameter, member or constant `m`",
        ),
        (
            "typedef struct { [size_is(2)] char a[]; long b; } S;",
            "t.idl:1:36: only the last member may be an array of open size",
        ),
        (
            "typedef struct _S { struct _S s; } S;",
            "t.idl:1:9: `S` contains itself, or is nested deeper than 256",
        ),
        ("const long N = 1 / 0;", "t.idl:1:12: the value does not fit 64 bits"),
        (
            "typedef union { long a; } U;",
            "t.idl:1:17: expected [case(…)] or [default], found `long`",
        ),
        (
            "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
            "t.idl:1:65: brackets are nested deeper than 64",
        ),
        ("interface t {", "t.idl:1:14: expected `}`, the file ends"),
    ];
    let found = cases.map(|(text, _)| match compile_one(text) {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    });
    let expect = cases.map(|(_, expect)| expect.to_owned());
    assert_eq!(found.join("\n"), expect.join("\n"));
}

proptest::proptest! {
    #[test]
    fn noise_is_an_error_and_no_panic(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "typedef", "struct", "union", "switch", "enum", "interface", "t", "long", "*", "[",
                "]", "(", ")", "{", "}", ";", ",", "in", "size_is", "case", "default", "1", "\"", "?",
                ":", "const", "=", "uuid", "wchar_t", "void", "-", "/*", "é", "'",
            ]),
            0..40,
        ),
    ) {
        let _ = compile_one(&words.join(" "));
    }
}

/// What no person writes must not exhaust the stack, nor take time that grows with its square.
#[test]
fn depths_have_limits() {
    let chain = |link: &str| {
        let link = |n: u32| format!("struct s{n} {{ struct s{} {link}; }};", n + 1);
        (0..20_000).map(link).collect::<Vec<_>>().concat() + "struct s20000 { long x; };"
    };
    let with = |text: String| compile("t.idl", &Sources::from([("t.idl".to_owned(), text)]));
    let typedefs = (1..20_000).map(|n| format!("typedef t{n} *t{};", n - 1)).collect::<Vec<_>>();
    for text in [
        chain("*p"),
        chain("v"),
        format!("typedef long {}t;", "*".repeat(100_000)),
        format!("typedef long t{};", "[1]".repeat(100_000)),
        typedefs.concat() + "typedef long t19999;",
        format!("const long X = 1{};", "+1".repeat(100_000)),
        format!("const long X = 1{};", "?1:1".repeat(100_000)),
    ] {
        with(text).unwrap_err();
    }
    with(format!("const long X = 1{};", "+1".repeat(200))).unwrap();
}
