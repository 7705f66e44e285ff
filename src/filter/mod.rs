//! The filter language: which calls are shown, and what of them.
//!
//! Takes an expression in Wireshark's manner and gives a [`Filter`] to ask of each call; takes the
//! name of a field and gives a [`Column`]. The names are those of the JSON records, of the
//! interfaces' IDL, and Wireshark's own; [`names()`] lists them. It knows nothing of how a call is
//! shown, and nothing of the command line.
//!
//! ```text
//!  text ─grammar─► Expr ─compile, with the Registry─► Node ─asked of a Subject─► yes, no
//! ```
//!
//! # What expressions mean
//!
//! [`REFERENCE`] is the manual. Two things are decided there that a reader of this code must know:
//!
//! - A field has no value, one, or several (frames, addresses, arrays). A comparison holds if any
//!   value does what is asked; `!=` and `===` if there is one and all do. So every comparison with
//!   a field that is absent is false, and `not` before it is true.
//! - What can be found wrong is found wrong before a call is looked at: an unknown name, a value
//!   that a field cannot have, a word it never says.

mod argument;
mod compile;
mod error;
mod eval;
mod grammar;
mod item;
mod lexer;
mod literal;
mod names;
mod places;
mod resolve;
mod syntax;

use std::collections::BTreeSet;

use crate::call::Call;
use crate::capture::Origins;
use crate::protocol::{Interface, Registry};
use compile::Compiler;
pub use error::Error;
use eval::{Node, Source};
pub use item::Kind;
use names::KNOWN;
use resolve::{sorted, usual_name};
use syntax::{Name, Place};

/// The language, explained to those who use it.
pub const REFERENCE: &str = include_str!("reference.txt");

/// A call, and what its fields are read with.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The call.
    pub call: &'a Call,
    /// Names of statuses.
    pub registry: &'a Registry,
    /// Where each frame came from, if there are several inputs.
    pub origins: &'a Origins,
    /// Names of the inputs.
    pub files: &'a [String],
}

impl<'a> Subject<'a> {
    /// Names of the inputs that the call's frames are from, each once.
    fn files(&self) -> Vec<&'a str> {
        if let [only] = self.files {
            return vec![only];
        }
        let rpc = &self.call.rpc;
        let messages = rpc.request.iter().chain(&rpc.response);
        let mut places: Vec<usize> = messages
            .flat_map(|message| &message.frames)
            .filter_map(|frame| Some(self.origins.of(*frame)?.0))
            .collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|place| Some(&**self.files.get(place)?)).collect()
    }
}

/// An expression, compiled.
#[derive(Debug)]
pub struct Filter {
    node: Node,
    text: String,
}

impl Filter {
    /// Reads an expression. Names are looked up among the interfaces of `registry`.
    pub fn parse(text: &str, registry: &Registry) -> Result<Self, Error> {
        let expr = grammar::parse(text)?;
        let node = Compiler::new(text, registry).node(&expr)?;
        Ok(Self { node, text: expr.to_string() })
    }

    /// Whether a call is what is asked for.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.node.answer(subject, false) == Some(true)
    }

    /// The same, or `None` where that depends on what cannot be read: a stub that is sealed or not
    /// all in the capture, an answer that is not in it, a bind that was not seen.
    pub fn answer(&self, subject: &Subject<'_>) -> Option<bool> {
        self.node.answer(subject, true)
    }
}

/// The expression, in one way of writing it.
impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A field by its name, to be written for each call.
#[derive(Debug)]
pub struct Column {
    name: String,
    source: Source,
}

impl Column {
    /// The field of this name.
    pub fn parse(name: &str, registry: &Registry) -> Result<Self, Error> {
        let place = Place { start: 0, end: name.len() };
        let named = Name { text: name.to_owned(), place };
        let found = Compiler::new(name, registry).field(&named)?;
        Ok(Self { name: named.text, source: found.source })
    }

    /// The name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its values in a call, a comma between them; empty where there is none. Nothing in it does
    /// anything to a terminal, and there is no tab in it.
    pub fn text(&self, subject: &Subject<'_>) -> String {
        let mut values = Vec::new();
        self.source.read(subject, &mut |item| values.push(item.text()));
        crate::bytes::printable(&values.join(","))
    }
}

/// A name that filters and columns know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName {
    /// The name.
    pub name: String,
    /// Other names for the same.
    pub also: Vec<String>,
    /// What its values are.
    pub kinds: Vec<Kind>,
    /// What it says.
    pub what: String,
}

/// All names: those every call has, in the order of the JSON record, then those of each interface.
pub fn names(registry: &Registry) -> Vec<FieldName> {
    let known = KNOWN.iter().map(|known| FieldName {
        name: known.name.to_owned(),
        also: known.also.iter().map(|also| (*also).to_owned()).collect(),
        kinds: vec![known.kind],
        what: known.what.to_owned(),
    });
    let mut names: Vec<FieldName> = known.collect();
    let mut seen = BTreeSet::new();
    // Interfaces of one protocol share names.
    let own = sorted(registry).into_iter().flat_map(of_interface);
    names.extend(own.filter(|field| seen.insert(field.name.clone())));
    names
}

fn of_interface(interface: &Interface) -> Vec<FieldName> {
    let protocol = usual_name(interface);
    let field = |name: &str, kinds: &[Kind], what: String| FieldName {
        name: format!("{protocol}.{name}"),
        also: Vec::new(),
        kinds: kinds.to_vec(),
        what,
    };
    let of = &interface.name;
    let mut names = vec![
        FieldName {
            name: protocol.to_owned(),
            also: Vec::new(),
            kinds: vec![Kind::Presence],
            what: format!("calls of {of}"),
        },
        field("opnum", &[Kind::Number], format!("number of the operation of {of}")),
        field("status", &[Kind::Number], format!("what the method of {of} returned")),
    ];
    for operation in &interface.operations {
        let what = format!("calls of {}", operation.name);
        names.push(field(&operation.name, &[Kind::Presence], what));
    }
    for (name, declared) in places::all(interface) {
        let also = interface.also.iter().filter(|(_, own)| **own == *name);
        let also = also.map(|(also, _)| format!("{protocol}.{also}")).collect();
        let what = format!("{name} in {of}");
        names.push(FieldName { also, ..field(&name, &declared.kinds, what) });
    }
    names
}
