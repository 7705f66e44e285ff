//! Declarations as they are written, before names are resolved.

use std::rc::Rc;
use std::sync::Arc;

use super::expr::{Operator, Unop};
use crate::bytes::Guid;

/// A name and where it stands: the number of bytes of the file from its first one on.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub text: Arc<str>,
    pub left: usize,
}

impl Name {
    /// The place of something that has no name.
    pub(super) fn at(left: usize) -> Self {
        let text = "".into();
        Self { text, left }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Import(Vec<Name>),
    /// `interface X;` makes a name known.
    Forward(Name),
    Interface(InterfaceDecl),
    Typedef {
        attrs: Vec<Attr>,
        spec: Spec,
        declarators: Vec<Declarator>,
    },
    Const {
        name: Name,
        value: Term,
    },
    /// `struct X {…};` and its like.
    Tagged(Spec),
    Operation(OperationDecl),
    /// Nothing that matters on the wire.
    Ignored,
}

#[derive(Clone, Debug)]
pub(super) struct InterfaceDecl {
    pub attrs: Vec<Attr>,
    pub name: Name,
    pub base: Option<Name>,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub(super) struct OperationDecl {
    pub attrs: Vec<Attr>,
    pub returns: Spec,
    pub pointers: usize,
    pub name: Name,
    pub params: Vec<FieldDecl>,
}

#[derive(Clone, Debug)]
pub(super) struct FieldDecl {
    pub attrs: Rc<[Attr]>,
    pub spec: Spec,
    pub declarator: Declarator,
}

#[derive(Clone, Debug)]
pub(super) struct Attr {
    pub name: Name,
    pub value: AttrValue,
}

#[derive(Clone, Debug)]
pub(super) enum AttrValue {
    None,
    /// `size_is(a,,b)`: an entry may be left out.
    Terms(Vec<Option<Term>>),
    Type(Spec),
    Uuid(Guid),
    Version(u16, u16),
    /// Text or anything else this program has no use for.
    Opaque,
}

#[derive(Clone, Debug)]
pub(super) struct Declarator {
    pub pointers: usize,
    pub name: Name,
    pub dims: Vec<Option<Term>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Int { width: u8, signed: bool },
    Float,
    Double,
    Boolean,
    Byte,
    Char,
    WideChar,
    Handle,
    Void,
}

#[derive(Clone, Debug)]
pub(super) enum Spec {
    Base(Base, Name),
    Named(Name),
    /// `struct tag`, `union tag`, `enum tag`, without a body.
    Tag(Name),
    Body(Rc<Body>),
}

/// A definition in braces. Two of them are never at the same place of a file.
#[derive(Debug)]
pub(super) struct Body {
    pub left: usize,
    pub tag: Option<Name>,
    pub kind: BodyKind,
}

#[derive(Debug)]
pub(super) enum BodyKind {
    Struct(Vec<FieldDecl>),
    Union(Vec<ArmDecl>),
    /// `union switch (on name) body { … }`.
    Switch {
        on: Spec,
        name: Name,
        body: Option<Name>,
        arms: Vec<ArmDecl>,
    },
    Enum(Vec<(Name, Option<Term>)>),
}

#[derive(Debug)]
pub(super) struct ArmDecl {
    pub labels: Vec<Term>,
    pub default: bool,
    pub field: Option<FieldDecl>,
}

/// An expression whose names are not resolved yet.
#[derive(Clone, Debug)]
pub(super) enum Term {
    Number(i64),
    Name(Name),
    Unary(Unop, Rc<Term>),
    Binary(Operator, Rc<(Term, Term)>),
    Choice(Rc<(Term, Term, Term)>),
}
