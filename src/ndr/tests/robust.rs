//! Whatever comes, decoding ends, soon, and says why.

use proptest::prelude::*;

use super::*;
use crate::bytes::{Buffer, Missing, Tree, Why};

#[test]
fn a_hole_stops_and_is_nobodys_fault() {
    let module = interface("void f([in] long a, [in, string] wchar_t *s, [in] long b);");
    let mut stub = Buffer::default();
    let bytes = hex("01000000 04000000 00000000 04000000 4100 4200");
    stub.push(View::new(&bytes, &[], &[]));
    stub.push_hole(8, Missing::Snapped);
    let operation = &module.interfaces[0].operations[0];
    let decoded = decode(&module.types, operation, Direction::In, stub.view(), 0, NDR);
    let stop = decoded.stop.unwrap();
    assert_eq!((stop.at, stop.why), (20, Why::Missing(Missing::Snapped)));
    assert_eq!(fields(&decoded.params).to_string(), r#"{"a":1,"s":"AB"}"#);
}

#[test]
fn recursion_ends() {
    let module = interface("typedef struct _N { struct _N *next; } N; void f([in] N n);");
    let decoded = request(&module, &[1; 4096], NDR);
    let stop = decoded.stop.unwrap().to_string();
    assert!(stop.starts_with("values are nested deeper than 96"), "{stop}");
}

#[test]
fn elements_of_no_size_are_capped() {
    let module = interface("typedef struct { char a[0]; } E; void f([in, size_is(1)] E e[]);");
    let decoded = request(&module, &hex("ffffffff"), NDR);
    assert!(decoded.stop.is_some());
    let Data::List(list) = &decoded.params[0].1.data else {
        panic!("no list");
    };
    assert_eq!(list.items.len(), 4096);
}

#[test]
fn values_are_capped() {
    let module = interface("void f([in, size_is(1)] char e[]);");
    let mut stub = vec![0xff; (1 << 20) + 100];
    stub[3] = 0;
    let decoded = request(&module, &stub, NDR);
    assert_eq!(decoded.stop.unwrap().why, Why::Missing(Missing::Capped));
}

const EVERYTHING: &str = "
    typedef [context_handle] void *H;
    typedef struct _N { char n; [unique] struct _N *next; [ptr] long *f; [size_is(n)] short a[]; } N;
    typedef [switch_type(short)] union { [case(1)] char c; [case(2)] N *n; [default]; } U;
    typedef union switch (short t) u { case 1: hyper h; case 0: GUID g; default: ; } V;
    typedef struct { short t; [switch_is(t)] U u; V v[2]; [string] wchar_t *s; } S;
    void f([in] short n, [in, size_is(n), length_is(n)] S *s, [in, unique] N *p, [in] H h,
           [in, string] char *c, [in, size_is(n)] byte b[], [in, iid_is(x)] void *i,
           [in, string] wchar_t *w);";

proptest! {
    #[test]
    fn noise_never_panics_or_hangs(
        bytes in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..400),
        ndr64: bool,
        big: bool,
    ) {
        static MODULE: std::sync::LazyLock<Module> =
            std::sync::LazyLock::new(|| interface(EVERYTHING));
        let context = Context {
            syntax: if ndr64 { Syntax::Ndr64 } else { Syntax::Ndr },
            order: if big { Order::Big } else { Order::Little },
        };
        let decoded = request(&MODULE, &bytes, context);
        prop_assert!(decoded.used as usize <= bytes.len());
        let mut tree = Tree::default();
        rows(&decoded, &|_| None, &mut tree);
        for node in tree.nodes() {
            prop_assert!(node.span.end as usize <= bytes.len(), "{node:?}");
        }
        let _ = fields(&decoded.params).to_string();
        for (_, value) in &decoded.params {
            let _ = text(value);
        }
    }
}
