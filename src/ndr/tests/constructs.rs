//! Each construct of \[C706\] chapter 14 in NDR and, by \[MS-RPCE\] 2.2.5, in NDR64.

use super::*;

#[test]
fn base_types() {
    let f = "void f([in] byte a, [in] short b, [in] hyper c, [in] boolean d, [in] unsigned long e,
                    [in] small g, [in] wchar_t h, [in] float i, [in] double j);";
    let little = "
        01 00               # a, padding
        feff 00000000       # b, padding
        0100000000000080    # c
        01 000000           # d, padding
        ffffffff            # e
        ff 00 4100          # g, padding, h
        0000803f            # i
        000000000000f8bf    # j";
    let big = "
        01 00 fffe 00000000
        8000000000000001
        01 000000 ffffffff ff 00 0041
        3f800000 bff8000000000000";
    let expect = "{'a':1,'b':-2,'c':-9223372036854775807,'d':true,'e':4294967295,'g':-1,'h':65,\
                  'i':1.0,'j':-1.5}";
    check(f, NDR, little, expect);
    check(f, NDR64, little, expect);
    let order = Order::Big;
    check(f, Context { order, ..NDR }, big, expect);
    check(f, Context { order, ..NDR64 }, big, expect);
}

#[test]
fn enumerations_are_16_bit_in_ndr_unless_v1_enum() {
    let f = "typedef enum { A, B = 5 } E; typedef [v1_enum] enum { C = 1, D } V;
             void f([in] E e, [in] V v);";
    let expect = "{'e':{'value':5,'name':'B'},'v':{'value':9,'name':null}}";
    check(f, NDR, "0500 0000 09000000", expect);
    check(f, NDR64, "05000000 09000000", expect);
}

#[test]
fn structures_have_a_trailing_gap_in_ndr64_only() {
    let f = "typedef struct { hyper h; char c; } S; void f([in] S s, [in] char t);";
    let expect = "{'s':{'h':7,'c':1},'t':2}";
    check(f, NDR, "0700000000000000 01 02", expect);
    check(f, NDR64, "0700000000000000 01 00000000000000 02", expect);
}

#[test]
fn fixed_arrays_have_one_or_more_dimensions() {
    let f =
        "const long N = 1 << 1; void f([in] short a[N + 1], [in] byte b[2], [in] char m[N][2]);";
    let expect = "{'a':[1,2,3],'b':'abcd','m':[[1,2],[3,4]]}";
    check(f, NDR, "0100 0200 0300 abcd 0102 0304", expect);
    check(f, NDR64, "0100 0200 0300 abcd 0102 0304", expect);
}

#[test]
fn conformant_arrays_state_their_size() {
    let f = "void f([in] long n, [in, size_is(n)] short a[]);";
    check(f, NDR, "02000000 02000000 0100 0200", "{'n':2,'a':[1,2]}");
    check(
        f,
        NDR64,
        "03000000 00000000 0200000000000000 0100 0200",
        "{'n':3,'a':[1,2]}; max_count 2 of a differs from size_is (3)",
    );
    check_stop(
        f,
        NDR,
        "02000000 ffffffff 0100 0200",
        "{'n':2,'a':[1,2]}; field at offset 4 needs 4294967295 bytes, the stub leaves 4",
    );
}

#[test]
fn varying_arrays_state_offset_and_length() {
    let f = "void f([in] long n, [in, first_is(1), length_is(n)] short a[5]);";
    let expect = "{'n':2,'a':[8,9]}";
    check(f, NDR, "02000000 01000000 02000000 0800 0900", expect);
    check(f, NDR64, "02000000 00000000 0100000000000000 0200000000000000 0800 0900", expect);
}

#[test]
fn conformant_varying_arrays_state_all_three() {
    let f = "void f([in] long m, [in] long n, [in, max_is(m), last_is(n)] char *a);";
    let expect = "{'m':3,'n':1,'a':[8,9]}";
    check(f, NDR, "03000000 01000000 04000000 00000000 02000000 08 09", expect);
    check(
        f,
        NDR64,
        "03000000 01000000 0400000000000000 0000000000000000 0200000000000000 08 09",
        expect,
    );
    check(
        f,
        NDR,
        "03000000 01000000 01000000 00000000 02000000 08 09",
        "{'m':3,'n':1,'a':[8,9]}; offset 0 and actual_count 2 exceed max_count 1; \
         max_count 1 of a differs from size_is (4)",
    );
}

#[test]
fn the_size_of_an_open_array_goes_before_its_structure() {
    let f = "typedef struct { char n; [size_is(n)] short a[]; } S;
             typedef struct { hyper h; S s; } T;
             void f([in] S s, [in] T t);";
    let expect = "{'s':{'n':3,'a':[1,2,3]},'t':{'h':7,'s':{'n':1,'a':[9]}}}";
    let ndr = "
        03000000 03 00 0100 0200 0300       # max_count, s.n, padding, s.a
        01000000                            # max_count of t.s.a
        0700000000000000 01 00 0900         # t.h, t.s.n, padding, t.s.a";
    check(f, NDR, &format!("{ndr} # no gap"), expect);
    let ndr64 = "
        0300000000000000 03 00 0100 0200 0300
        0100000000000000
        0700000000000000 01 00 0900";
    check(f, NDR64, ndr64, expect);
}

#[test]
fn pointees_follow_the_outermost_construct_in_order() {
    let f = "typedef struct { long n; short *p; [string] wchar_t *s; } S;
             void f([in] S a[2], [in] long last);";
    let expect = "{'a':[{'n':1,'p':258,'s':'A'},{'n':2,'p':null,'s':'B'}],'last':5}";
    let ndr = "
        01000000 00000200 04000200          # a[0]
        02000000 00000000 08000200          # a[1]
        0201 0000                           # *a[0].p, padding
        02000000 00000000 02000000 41000000 # a[0].s
        02000000 00000000 02000000 42000000 # a[1].s
        05000000";
    check(f, NDR, ndr, expect);
    let ndr64 = "
        01000000 00000000 0000020000000000 0400020000000000
        02000000 00000000 0000000000000000 0800020000000000
        0201 000000000000
        0200000000000000 0000000000000000 0200000000000000 41000000 00000000
        0200000000000000 0000000000000000 0200000000000000 42000000
        05000000";
    check(f, NDR64, ndr64, expect);
}

#[test]
fn a_pointee_brings_its_own_pointees_before_the_next() {
    let f = "typedef struct _N { char v; struct _N *next; } N;
             void f([in, unique] N *a, [in] N b);";
    let expect = "{'a':{'v':1,'next':{'v':2,'next':null}},'b':{'v':3,'next':null}}";
    let ndr = "
        01000000 01000000 02000000          # a, a.v, a.next
        02000000 00000000                   # a.next.v, a.next.next
        03000000 00000000";
    check(f, NDR, ndr, expect);
}

#[test]
fn full_pointers_may_point_where_another_does() {
    let f = "typedef [ptr] long *P; typedef struct { P a; P b; } S; void f([in] S s);";
    check(f, NDR, "04000000 04000000 07000000", "{'s':{'a':7,'b':{'referent':'0x00000004'}}}");
}

#[test]
fn a_union_repeats_its_discriminant() {
    let f = "typedef [switch_type(short)] union { [case(1)] char c; [case(2,3)] hyper h; [default]; } U;
             void f([in] short t, [in, switch_is(t)] U u, [in] char last);";
    let expect = "{'t':2,'u':{'h':7},'last':5}";
    check(f, NDR, "0200 0200 00000000 0700000000000000 05", expect);
    check(f, NDR64, "0200 000000000000 0200 000000000000 0700000000000000 05", expect);
    check(f, NDR, "0100 0100 09 05", "{'t':1,'u':{'c':9},'last':5}");
    check(
        f,
        NDR,
        "0100 0900 05",
        "{'t':1,'u':{},'last':5}; discriminant 9 of u differs from switch_is (1)",
    );
    let bare = "typedef [switch_type(short)] union { [case(1)] char c; } U;
                void f([in] short t, [in, switch_is(t)] U u);";
    check_stop(
        bare,
        NDR,
        "0100 0900",
        "{'t':1,'u':{}}; no arm of union U has the discriminant 9 at offset 2",
    );
}

#[test]
fn ms_union_aligns_the_arm_as_the_widest() {
    let f =
        "typedef [ms_union, switch_type(short)] union { [case(1)] char c; [case(2)] hyper h; } U;
             void f([in] short t, [in, switch_is(t)] U u);";
    check(f, NDR, "0100 0100 00000000 09", "{'t':1,'u':{'c':9}}");
}

#[test]
fn an_encapsulated_union_carries_its_discriminant() {
    let f = "typedef union switch (long tag) value { case 1: case 4: long *p; default: ; } U;
             void f([in] U u);";
    check(f, NDR, "04000000 01000000 07000000", "{'u':{'p':7}}");
    check(f, NDR, "09000000", "{'u':{}}");
}

#[test]
fn strings_keep_their_units() {
    let f =
        "void f([in, string] wchar_t *w, [in, string] char c[8], [in, unique, string] wchar_t *n);";
    let ndr = "
        04000000 00000000 04000000 c400 00d8 4100 0000   # w, with an unpaired surrogate
        00000000 03000000 686900 00                      # c, padding
        00000000                                         # n";
    let expect = "{'w':'Ä\\\\u{d800}A','c':'hi','n':null}";
    check(f, NDR, ndr, expect);
    let big = "
        00000004 00000000 00000004 00c4 d800 0041 0000
        00000000 00000003 686900 00
        00000000";
    let order = Order::Big;
    check(f, Context { order, ..NDR }, big, expect);
}

#[test]
fn odd_strings_are_read_and_noted() {
    let f = "void f([in, string] wchar_t *w);";
    check_note(
        f,
        "02000000 00000000 02000000 41004200",
        "{'w':'AB'}; the string has no terminator",
    );
    check_note(
        f,
        "30750000 02000000 00000000 02000000 41000000",
        "{'w':'A'}; a referent identifier precedes the string of a top-level reference pointer",
    );
    check_note(
        f,
        "06000000 00000000 06000000 410042000000",
        "{'w':'AB'}; actual_count 6 counts octets, not characters",
    );
    check_stop(
        f,
        NDR,
        "ffffff00 00000000 ffffff00 41004200",
        "{'w':'AB'}; field at offset 8 needs 33554430 bytes, the stub leaves 4",
    );
}

/// As [`check`], where a prefix may be a sound message of another reading.
#[track_caller]
fn check_note(declarations: &str, sample: &str, expect: &str) {
    let module = interface(declarations);
    let decoded = request(&module, &hex(sample), NDR);
    assert_eq!(decoded.stop, None);
    let notes: Vec<_> = decoded.notes.iter().map(|n| n.text.as_str()).collect();
    let found = format!("{}; {}", fields(&decoded.params), notes.join("; "));
    assert_eq!(found.replace('"', "'"), expect);
}

#[test]
fn handles_are_twenty_octets_or_nothing() {
    let f = "typedef [context_handle] void *H; void f([in] handle_t b, [in] H h, [in] char last);";
    let ndr = "00000000 04030201 0605 0807 090a0b0c0d0e0f10 05";
    let expect = "{'h':{'attributes':0,'uuid':'01020304-0506-0708-090a-0b0c0d0e0f10'},'last':5}";
    check(f, NDR, ndr, expect);
}

#[test]
fn guids_follow_the_byte_order() {
    let f = "void f([in] GUID g, [in, unique] GUID *p);";
    let expect = "{'g':'01020304-0506-0708-090a-0b0c0d0e0f10','p':null}";
    check(f, NDR, "04030201 0605 0807 090a0b0c0d0e0f10 00000000", expect);
    let order = Order::Big;
    let big = "01020304 0506 0708 090a0b0c0d0e0f10 00000000";
    check(f, Context { order, ..NDR }, big, expect);
}

#[test]
fn an_empty_array_needs_no_padding() {
    let f = "void f([in, size_is(0)] hyper a[], [in] long last);";
    check(f, NDR, "00000000 05000000", "{'a':[],'last':5}");
}

#[test]
fn arrays_of_strings_and_pointers_to_pointers() {
    let f = "void f([in] long n, [in, size_is(n), string] wchar_t **a, [in, unique] long **p);";
    let ndr = "
        02000000 02000000 01000000 00000000     # n, max_count, a[0], a[1]
        02000000 00000000 02000000 41000000     # *a[0]
        01000000 02000000 07000000              # p, *p, **p";
    check(f, NDR, ndr, "{'n':2,'a':['A',null],'p':7}");
}
