//! From a declaration to its type: typedefs followed, attributes put where they belong.
//!
//! A C declaration is a chain of arrays and pointers that ends in a type. [`Shaped`] is that chain
//! with the attributes of every typedef on the way at the link they mean: `string` at the last,
//! `size_is(a,b)` at the first and second, `unique` at the outermost pointer. Only when a
//! declaration is used is it known whether an outermost pointer is a parameter's.

use std::rc::Rc;
use std::sync::Arc;

use super::Error;
use super::compile::{Compiler, Scope, Tagged, Typedef, has};
use super::expr::{Expr, Operator};
use super::syntax::{Attr, AttrValue, Base, Declarator, FieldDecl, Name, Spec, Term};
use super::types::{Array, Field, Kind, Pointing, Shape, Type, TypeId};
use crate::bytes::clamp;

/// Typedefs of typedefs, and definitions within definitions, or behind their pointers.
pub(super) const DEPTH: u32 = 64;
/// Pointers to pointers and dimensions of arrays, those of typedefs included.
const LINKS: usize = 64;
/// Elements of an array whose size the IDL fixes.
const FIXED: u32 = 1 << 20;

/// Where a declaration is used: its file, and the parameters or members beside it.
#[derive(Clone, Copy)]
pub(super) struct Use<'a> {
    pub scope: Scope,
    pub siblings: &'a [Arc<str>],
}

#[derive(Clone, Debug)]
pub(super) enum Shaped {
    Leaf(TypeId),
    /// `void`, which only a pointer may lead to.
    Void,
    /// `handle_t`.
    Handle,
    /// The name of an interface.
    Object(Arc<str>),
    Link(Box<Link>),
}

impl Shaped {
    /// Number of links.
    fn links(&self) -> usize {
        let mut links = 0;
        let mut shaped = self;
        while let Self::Link(link) = shaped {
            links += 1;
            shaped = &link.to;
        }
        links
    }
}

/// What a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dim {
    Pointer,
    /// `[n]`
    Fixed(u32),
    /// `[]` or `[*]`
    Open,
}

/// A pointer, or one dimension of an array.
#[derive(Clone, Debug)]
pub(super) struct Link {
    to: Shaped,
    dim: Dim,
    kind: Option<Pointing>,
    string: bool,
    context: bool,
    iid_is: Option<Arc<str>>,
    size_is: Option<Expr>,
    length_is: Option<Expr>,
    first_is: Option<Expr>,
}

impl Link {
    fn new(to: Shaped, dim: Dim) -> Self {
        Self {
            to,
            dim,
            kind: None,
            string: false,
            context: false,
            iid_is: None,
            size_is: None,
            length_is: None,
            first_is: None,
        }
    }

    /// The array a pointer with `size_is` or `string` leads to, or that this dimension is.
    fn shape(&self) -> Option<Shape> {
        let sized = self.size_is.is_some();
        let varying = self.string || self.length_is.is_some() || self.first_is.is_some();
        match self.dim {
            Dim::Pointer if !sized && !varying => None,
            Dim::Fixed(n) if varying => Some(Shape::Varying(n)),
            Dim::Fixed(n) if !sized => Some(Shape::Fixed(n)),
            _ if varying => Some(Shape::ConformantVarying),
            _ => Some(Shape::Conformant),
        }
    }
}

impl Compiler {
    /// A parameter or member; none when it is never marshalled.
    pub(super) fn field(
        &mut self,
        site: Use<'_>,
        decl: &FieldDecl,
        parameter: bool,
        depth: u32,
    ) -> Result<Option<Field>, Error> {
        let name = &decl.declarator.name;
        let shaped = self.shaped(site, &decl.attrs, &decl.spec, &decl.declarator, depth)?;
        if matches!(shaped, Shaped::Handle) {
            return Ok(None);
        }
        let ty = self.finish(site.scope, name, shaped, parameter)?;
        let switch_is = match terms(&decl.attrs, "switch_is") {
            Some([Some(term)]) => Some(self.expr(site.scope, site.siblings, term)?),
            _ => None,
        };
        Ok(Some(Field { name: name.text.clone(), ty, switch_is, format: None }))
    }

    fn shaped(
        &mut self,
        site: Use<'_>,
        attrs: &Rc<[Attr]>,
        spec: &Spec,
        declarator: &Declarator,
        depth: u32,
    ) -> Result<Shaped, Error> {
        let scope = site.scope;
        let mut shaped = self.spec(scope, attrs, spec, None, depth)?;
        let links = declarator.pointers.saturating_add(declarator.dims.len());
        if shaped.links().saturating_add(links) > LINKS {
            let message = format!("more than {LINKS} pointers and dimensions");
            return Err(self.error(scope, &declarator.name, message));
        }
        for _ in 0..declarator.pointers {
            shaped = Shaped::Link(Box::new(Link::new(shaped, Dim::Pointer)));
        }
        for dim in declarator.dims.iter().rev() {
            let size = match dim {
                None => Dim::Open,
                Some(term) => {
                    let size = u32::try_from(self.constant(scope, &declarator.name, term)?).ok();
                    Dim::Fixed(size.filter(|n| *n <= FIXED).ok_or_else(|| {
                        let message = format!("the size of an array is at most {FIXED}");
                        self.error(scope, &declarator.name, message)
                    })?)
                }
            };
            shaped = Shaped::Link(Box::new(Link::new(shaped, size)));
        }
        self.apply(site, attrs, &declarator.name, shaped)
    }

    /// What comes before the declarator.
    pub(super) fn spec(
        &mut self,
        scope: Scope,
        attrs: &Rc<[Attr]>,
        spec: &Spec,
        called: Option<Arc<str>>,
        depth: u32,
    ) -> Result<Shaped, Error> {
        match spec {
            Spec::Base(Base::Void, _) => Ok(Shaped::Void),
            Spec::Base(Base::Handle, _) => Ok(Shaped::Handle),
            Spec::Base(base, name) => Ok(Shaped::Leaf(self.scalar(&name.text, kind_of(*base)))),
            Spec::Named(name) => self.named(scope, name, depth),
            Spec::Tag(name) => match self.tags.get(&name.text).cloned() {
                Some(tagged) => Ok(Shaped::Leaf(self.body(&tagged, depth)?)),
                None => {
                    Err(self.error(scope, name, format!("nothing has the tag `{}`", name.text)))
                }
            },
            Spec::Body(body) => {
                let tagged = Tagged { scope, attrs: attrs.clone(), body: body.clone(), called };
                Ok(Shaped::Leaf(self.body(&tagged, depth)?))
            }
        }
    }

    pub(super) fn scalar(&mut self, name: &Arc<str>, kind: Kind) -> TypeId {
        if let Some(known) = self.scalars.get(name) {
            return *known;
        }
        let id = self.add(Type::new(name.clone(), kind));
        self.scalars.insert(name.clone(), id);
        id
    }

    pub(super) fn add(&mut self, ty: Type) -> TypeId {
        let id = TypeId(clamp(self.types.list.len()));
        self.types.list.push(ty);
        id
    }

    /// What a typedef's name, or an interface's, stands for.
    pub(super) fn named(&mut self, from: Scope, name: &Name, depth: u32) -> Result<Shaped, Error> {
        if let Some(known) = self.shaped.get(&name.text) {
            return Ok(known.clone());
        }
        if depth > DEPTH {
            let message = format!("`{}` is nested deeper than {DEPTH}, or in itself", name.text);
            return Err(self.error(from, name, message));
        }
        let Some(typedef) = self.typedefs.get(&name.text).cloned() else {
            if self.interfaces.contains(&name.text) || &*name.text == "IUnknown" {
                return Ok(Shaped::Object(name.text.clone()));
            }
            return Err(self.error(from, name, format!("unknown type `{}`", name.text)));
        };
        if is_marshaled_pointer(&typedef) {
            return Ok(Shaped::Object("IUnknown".into()));
        }
        let site = Use { scope: typedef.scope, siblings: &[] };
        let declarator = &typedef.declarator;
        let mut shaped = if let Spec::Body(_) = typedef.spec {
            let (attrs, spec) = (&typedef.attrs, &typedef.spec);
            self.spec(typedef.scope, attrs, spec, typedef.called.clone(), depth + 1)?;
            self.shaped(site, attrs, spec, declarator, depth + 1)?
        } else {
            self.shaped(site, &typedef.attrs, &typedef.spec, declarator, depth + 1)?
        };
        if let Shaped::Leaf(id) = shaped {
            let ty = self.types.get(id);
            let plain = matches!(
                ty.kind,
                Kind::Integer { .. }
                    | Kind::Boolean
                    | Kind::Char
                    | Kind::WideChar
                    | Kind::Byte
                    | Kind::Float { .. }
            );
            if plain {
                let kind = ty.kind.clone();
                shaped = Shaped::Leaf(self.scalar(&name.text, kind));
            }
        }
        self.shaped.insert(name.text.clone(), shaped.clone());
        Ok(shaped)
    }

    /// Puts attributes at the links they mean.
    fn apply(
        &mut self,
        site: Use<'_>,
        attrs: &[Attr],
        name: &Name,
        mut shaped: Shaped,
    ) -> Result<Shaped, Error> {
        for attr in attrs {
            let kind = match &*attr.name.text {
                "ref" => Pointing::Ref,
                "unique" => Pointing::Unique,
                "ptr" => Pointing::Full,
                _ => continue,
            };
            if let Some(pointer) = find(&mut shaped, |link| link.dim == Dim::Pointer) {
                pointer.kind = Some(kind);
            } else if let Shaped::Link(array) = &mut shaped
                && array.dim == Dim::Open
            {
                // An open array that has such an attribute is passed by that pointer.
                array.dim = Dim::Pointer;
                array.kind = Some(kind);
            }
        }
        if has(attrs, "context_handle")
            && let Some(link) = find(&mut shaped, |link| link.dim == Dim::Pointer)
        {
            link.context = true;
        }
        if has(attrs, "string") {
            let types = &self.types;
            let chars = |link: &Link| match link.to {
                Shaped::Leaf(id) => matches!(
                    types.get(id).kind,
                    Kind::Char | Kind::WideChar | Kind::Byte | Kind::Integer { width: 1 | 2, .. }
                ),
                _ => false,
            };
            match find(&mut shaped, chars) {
                Some(link) => link.string = true,
                None => return Err(self.error(site.scope, name, "[string] has no characters")),
            }
        }
        if let Some([Some(Term::Name(iid))]) = terms(attrs, "iid_is") {
            let end = |link: &Link| matches!(link.to, Shaped::Void | Shaped::Object(_));
            if let Some(link) = find(&mut shaped, end) {
                link.iid_is = Some(iid.text.clone());
            }
        } else if let Some([Some(term)]) = terms(attrs, "iid_is") {
            let end = |link: &Link| matches!(link.to, Shaped::Void | Shaped::Object(_));
            if let (Expr::Unary(_, inner), Some(link)) =
                (self.expr(site.scope, site.siblings, term)?, find(&mut shaped, end))
                && let Expr::Name(iid) = *inner
            {
                link.iid_is = Some(iid);
            }
        }
        self.bounds(site, attrs, name, &mut shaped)?;
        Ok(shaped)
    }

    fn bounds(
        &self,
        site: Use<'_>,
        attrs: &[Attr],
        name: &Name,
        shaped: &mut Shaped,
    ) -> Result<(), Error> {
        let plus_one = |expr| Expr::Binary(Operator::Add, Box::new((expr, Expr::Number(1))));
        let mut last = Vec::new();
        for which in ["size_is", "max_is", "length_is", "first_is", "last_is"] {
            let Some(list) = terms(attrs, which) else {
                continue;
            };
            for (level, term) in list.iter().enumerate() {
                let Some(term) = term else { continue };
                let expr = self.expr(site.scope, site.siblings, term)?;
                let Some(link) = level_of(shaped, level) else {
                    let message = format!("{which} is for an array or a pointer");
                    return Err(self.error(site.scope, name, message));
                };
                match which {
                    "size_is" => link.size_is = Some(expr),
                    "max_is" => link.size_is = Some(plus_one(expr)),
                    "length_is" => link.length_is = Some(expr),
                    "first_is" => link.first_is = Some(expr),
                    _ => last.push((level, expr)),
                }
            }
        }
        for (level, expr) in last {
            if let Some(link) = level_of(shaped, level) {
                let first = link.first_is.clone().unwrap_or(Expr::Number(0));
                let span = Expr::Binary(Operator::Sub, Box::new((expr, first)));
                link.length_is = Some(plus_one(span));
            }
        }
        Ok(())
    }

    /// The type of a chain, now that it is known where it stands.
    fn finish(
        &mut self,
        scope: Scope,
        name: &Name,
        shaped: Shaped,
        parameter: bool,
    ) -> Result<TypeId, Error> {
        let link = match shaped {
            Shaped::Leaf(id) => return Ok(id),
            Shaped::Link(link) => link,
            Shaped::Void => return Err(self.error(scope, name, "void has no value")),
            Shaped::Handle => return Err(self.error(scope, name, "a handle_t cannot be here")),
            Shaped::Object(object) => {
                let message = format!("an interface is passed by pointer: `{object} *`");
                return Err(self.error(scope, name, message));
            }
        };
        if link.context {
            return Ok(self.scalar(&"context_handle".into(), Kind::ContextHandle));
        }
        if link.dim == Dim::Pointer {
            let of = match &link.to {
                Shaped::Object(of) => Some(Some(of.clone())),
                Shaped::Void if link.iid_is.is_some() => Some(None),
                _ => None,
            };
            if let Some(of) = of {
                let called = of.as_deref().unwrap_or("void");
                let ty = Type::new(
                    format!("{called} *").into(),
                    Kind::Interface { of: of.clone(), iid_is: link.iid_is.clone() },
                );
                return Ok(self.add(ty));
            }
        }
        let shape = link.shape();
        let inner = self.finish(scope, name, link.to, false)?;
        let called = self.types.get(inner).name.clone();
        let target = match shape {
            None => inner,
            Some(shape) => {
                let suffix = match shape {
                    Shape::Fixed(n) | Shape::Varying(n) => format!("{called}[{n}]"),
                    _ => format!("{called}[]"),
                };
                let array = Array {
                    of: inner,
                    shape,
                    string: link.string,
                    size_is: link.size_is,
                    length_is: link.length_is,
                    first_is: link.first_is,
                };
                self.add(Type::new(suffix.into(), Kind::Array(Box::new(array))))
            }
        };
        if link.dim != Dim::Pointer {
            return Ok(target);
        }
        let kind =
            link.kind.unwrap_or(if parameter { Pointing::Ref } else { scope.pointer_default });
        let called = format!("{called} *").into();
        Ok(self.add(Type::new(called, Kind::Pointer { kind, to: target })))
    }
}

/// `MInterfacePointer`, which is what travels of an interface that is passed by pointer.
fn is_marshaled_pointer(typedef: &Typedef) -> bool {
    let Declarator { pointers, dims, .. } = &typedef.declarator;
    let Spec::Body(body) = &typedef.spec else { return false };
    let tag = body.tag.as_ref().map(|tag| &*tag.text);
    *pointers == 0 && dims.is_empty() && tag == Some("tagMInterfacePointer")
}

fn kind_of(base: Base) -> Kind {
    match base {
        Base::Int { width, signed } => Kind::Integer { width, signed },
        Base::Float => Kind::Float { width: 4 },
        Base::Double => Kind::Float { width: 8 },
        Base::Boolean => Kind::Boolean,
        Base::Byte => Kind::Byte,
        Base::Char => Kind::Char,
        Base::WideChar => Kind::WideChar,
        Base::Handle => Kind::Handle,
        Base::Void => Kind::Void,
    }
}

/// The expressions of the attribute `name`.
fn terms<'a>(attrs: &'a [Attr], name: &str) -> Option<&'a [Option<Term>]> {
    attrs.iter().find_map(|attr| match &attr.value {
        AttrValue::Terms(terms) if &*attr.name.text == name => Some(terms.as_slice()),
        _ => None,
    })
}

/// The first link from the outside that `wanted` accepts.
fn find(shaped: &mut Shaped, wanted: impl Fn(&Link) -> bool) -> Option<&mut Link> {
    let Shaped::Link(link) = shaped else {
        return None;
    };
    if wanted(link) { Some(link) } else { find(&mut link.to, wanted) }
}

fn level_of(shaped: &mut Shaped, level: usize) -> Option<&mut Link> {
    let Shaped::Link(link) = shaped else {
        return None;
    };
    match level {
        0 => Some(link),
        n => level_of(&mut link.to, n - 1),
    }
}
