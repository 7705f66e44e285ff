//! Bytes in, JSON out, one construct at a time; the samples follow the layout rules of the
//! standards, field by field.

mod build;
mod constructs;
mod random;
mod robust;
mod scmp;
mod tower;

use std::sync::Arc;

use super::*;
use crate::bytes::{Order, View};
use crate::idl::{self, Module, Sources, Syntax};
use crate::report::value::fields;

const NDR: Context = Context { syntax: Syntax::Ndr, order: Order::Little };
const NDR64: Context = Context { syntax: Syntax::Ndr64, order: Order::Little };

/// Bytes from hexadecimal digits; what follows `#` is a comment.
fn hex(text: &str) -> Vec<u8> {
    let digits: String = text
        .lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(|line| line.split_whitespace())
        .collect();
    (0..digits.len() / 2)
        .map(|n| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).unwrap())
        .collect()
}

fn compile(text: &str) -> Module {
    let dtyp = include_str!("../../../dissectors/common/ms-dtyp.idl");
    let sources: Sources = [("t.idl", text), ("ms-dtyp.idl", dtyp)]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into();
    match idl::compile("t.idl", &sources) {
        Ok(module) => module,
        Err(error) => panic!("{error}"),
    }
}

/// An interface around `declarations`, the last of which is the operation to test.
fn interface(declarations: &str) -> Module {
    compile(&format!(
        "import \"ms-dtyp.idl\"; [uuid(00000000-0000-0000-0000-000000000001)]\n\
         interface t {{ {declarations} }}"
    ))
}

fn request(module: &Module, stub: &[u8], context: Context) -> Decoded {
    let operation = module.interfaces[0].operations.last().unwrap();
    let stub = View::new(stub, &[], &[]);
    decode(&module.types, operation, Direction::In, stub, 0, context)
}

/// Decodes `sample` as the request of the last operation; every prefix must stop, not panic.
#[track_caller]
fn check(declarations: &str, context: Context, sample: &str, expect: &str) {
    let module = interface(declarations);
    let stub = hex(sample);
    let decoded = request(&module, &stub, context);
    assert_eq!(decoded.stop, None, "{}", fields(&decoded.params));
    assert_eq!(decoded.used as usize, stub.len());
    let notes: Vec<_> = decoded.notes.iter().map(|n| n.text.as_str()).collect();
    let found = fields(&decoded.params).to_string();
    let found = [vec![found.as_str()], notes].concat().join("; ");
    assert_eq!(found.replace('"', "'"), expect);
    let mut again = Vec::new();
    let operation = module.interfaces[0].operations.last().unwrap();
    let encoded =
        encode(&module.types, operation, Direction::In, &decoded.params, None, context, &mut again);
    assert_eq!(encoded, Ok(()));
    assert_eq!(again, stub);
    for len in 0..stub.len() {
        let decoded = request(&module, &stub[..len], context);
        let stop = decoded.stop.expect("a prefix is short");
        assert!(stop.is_malformed() && stop.at as usize <= len, "{len}: {stop}");
    }
}

/// The sample must stop with this sentence.
#[track_caller]
fn check_stop(declarations: &str, context: Context, sample: &str, expect: &str) {
    let module = interface(declarations);
    let decoded = request(&module, &hex(sample), context);
    let found = decoded.stop.expect("this is malformed").to_string();
    let found = format!("{}; {found}", fields(&decoded.params));
    assert_eq!(found.replace('"', "'"), expect);
}
