//! Declarations to a type table: files, names, interfaces.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::expand::{Shaped, Use};
use super::expr::Expr;
use super::syntax::{
    Attr, AttrValue, Base, Body, BodyKind, Declarator, FieldDecl, InterfaceDecl, Item, Name,
    OperationDecl, Spec, Term,
};
use super::types::{Interface, Module, Operation, Parameter, Pointing, TypeId, Types};
use super::{Error, grammar, layout};

/// Operations of all interfaces of a file and its imports; each has those it inherits.
const OPERATIONS: usize = 1 << 16;

/// Text of IDL files by name, to find imports in.
pub type Sources = BTreeMap<String, String>;

/// Compiles `file`, which is one of `sources`; its imports are looked up there too.
pub fn compile(file: &str, sources: &Sources) -> Result<Module, Error> {
    let mut compiler = Compiler::default();
    let root = compiler.load(file, sources, None)?;
    let mut module = Module::default();
    let parsed = std::mem::take(&mut compiler.parsed);
    for (scope, decl) in &parsed {
        let interface = compiler.interface(*scope, decl)?;
        module.interfaces.extend(interface.filter(|_| scope.file == root));
    }
    compiler.named_types()?;
    module.types = std::mem::take(&mut compiler.types);
    layout::compute(&mut module.types).map_err(|id| {
        let message = format!(
            "`{}` contains itself, or is nested deeper than {}",
            module.types.get(id).name,
            layout::DEPTH
        );
        compiler.error_in_body(id, message)
    })?;
    Ok(module)
}

/// What holds for the declarations of a file or of an interface in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    pub file: usize,
    pub pointer_default: Pointing,
    pub ms_union: bool,
}

/// What a name stands for.
#[derive(Debug)]
pub(super) struct Typedef {
    pub scope: Scope,
    pub attrs: Rc<[Attr]>,
    pub spec: Spec,
    pub declarator: Declarator,
    /// What the definition in it is to be called.
    pub called: Option<Arc<str>>,
}

/// The definition a tag stands for.
#[derive(Clone, Debug)]
pub(super) struct Tagged {
    pub scope: Scope,
    pub attrs: Rc<[Attr]>,
    pub body: Rc<Body>,
    pub called: Option<Arc<str>>,
}

#[derive(Default)]
pub(super) struct Compiler {
    files: Vec<(String, String)>,
    parsed: Vec<(Scope, InterfaceDecl)>,
    pub(super) typedefs: FxHashMap<Arc<str>, Rc<Typedef>>,
    pub(super) tags: FxHashMap<Arc<str>, Tagged>,
    pub(super) consts: FxHashMap<Arc<str>, i64>,
    pub(super) interfaces: FxHashSet<Arc<str>>,
    done: FxHashMap<Arc<str>, Interface>,
    /// Operations of all interfaces in `done`.
    operations: usize,
    pub(super) types: Types,
    pub(super) scalars: FxHashMap<Arc<str>, TypeId>,
    pub(super) bodies: FxHashMap<(usize, usize), TypeId>,
    pub(super) shaped: FxHashMap<Arc<str>, Shaped>,
}

impl Compiler {
    /// An error at `name`, which is in the file of `scope`.
    pub(super) fn error(&self, scope: Scope, name: &Name, message: impl Into<String>) -> Error {
        let (file, text) = self.files.get(scope.file).map_or(("", ""), |(file, text)| (file, text));
        Error::at(file, text, text.len().saturating_sub(name.left), message)
    }

    /// An error at the definition of `id`.
    fn error_in_body(&self, id: TypeId, message: String) -> Error {
        let found = self.bodies.iter().find(|(_, body)| **body == id);
        let (file, left) = found.map_or((0, 0), |(at, _)| *at);
        let scope = Scope { file, pointer_default: Pointing::Unique, ms_union: false };
        self.error(scope, &Name::at(left), message)
    }

    fn load(
        &mut self,
        file: &str,
        sources: &Sources,
        from: Option<(Scope, &Name)>,
    ) -> Result<usize, Error> {
        if let Some(known) = self.files.iter().position(|(name, _)| name == file) {
            return Ok(known);
        }
        let Some(text) = sources.get(file) else {
            let message = format!("there is no file `{file}` beside this one or in common");
            return Err(match from {
                Some((scope, name)) => self.error(scope, name, message),
                None => Error::at(file, "", 0, message),
            });
        };
        let number = self.files.len();
        self.files.push((file.to_owned(), text.clone()));
        let scope = Scope { file: number, pointer_default: Pointing::Unique, ms_union: false };
        self.collect(scope, grammar::parse(file, text)?, sources)?;
        Ok(number)
    }

    /// Makes the names of `items` known.
    fn collect(&mut self, scope: Scope, items: Vec<Item>, sources: &Sources) -> Result<(), Error> {
        for item in items {
            match item {
                Item::Import(files) => {
                    for name in &files {
                        self.load(&name.text, sources, Some((scope, name)))?;
                    }
                }
                Item::Forward(name) => {
                    self.interfaces.insert(name.text);
                }
                Item::Interface(mut decl) => {
                    let mut inner = scope;
                    inner.ms_union |= has(&decl.attrs, "ms_union");
                    if let Some(kind) = self.pointer_default(scope, &decl.attrs)? {
                        inner.pointer_default = kind;
                    }
                    self.interfaces.insert(decl.name.text.clone());
                    let (operations, others) = std::mem::take(&mut decl.items)
                        .into_iter()
                        .partition(|item| matches!(item, Item::Operation(_)));
                    self.collect(inner, others, sources)?;
                    decl.items = operations;
                    self.parsed.push((inner, decl));
                }
                Item::Typedef { attrs, spec, declarators } => {
                    self.typedef(scope, &attrs.into(), &spec, declarators)?;
                }
                Item::Const { name, value } => {
                    let value = self.constant(scope, &name, &value)?;
                    self.consts.insert(name.text, value);
                }
                Item::Tagged(spec) => self.definition(scope, &none(), &spec, None)?,
                Item::Operation(decl) => {
                    let message = "an operation must be inside an interface";
                    return Err(self.error(scope, &decl.name, message));
                }
                Item::Ignored => {}
            }
        }
        Ok(())
    }

    fn typedef(
        &mut self,
        scope: Scope,
        attrs: &Rc<[Attr]>,
        spec: &Spec,
        declarators: Vec<Declarator>,
    ) -> Result<(), Error> {
        let called = declarators
            .iter()
            .find(|d| d.pointers == 0 && d.dims.is_empty())
            .map(|d| d.name.text.clone());
        self.definition(scope, attrs, spec, called.clone())?;
        for declarator in declarators {
            let name = declarator.name.text.clone();
            let typedef = Typedef {
                scope,
                attrs: attrs.clone(),
                spec: spec.clone(),
                declarator,
                called: called.clone(),
            };
            self.typedefs.insert(name, Rc::new(typedef));
        }
        Ok(())
    }

    /// Notes the tag and the constants of a definition and of those inside it.
    fn definition(
        &mut self,
        scope: Scope,
        attrs: &Rc<[Attr]>,
        spec: &Spec,
        called: Option<Arc<str>>,
    ) -> Result<(), Error> {
        let Spec::Body(body) = spec else {
            return Ok(());
        };
        if let Some(tag) = &body.tag {
            let tagged = Tagged { scope, attrs: attrs.clone(), body: body.clone(), called };
            self.tags.insert(tag.text.clone(), tagged);
        }
        let inner = |field: &FieldDecl| (field.attrs.clone(), field.spec.clone());
        let fields: Vec<_> = match &body.kind {
            BodyKind::Struct(fields) => fields.iter().map(inner).collect(),
            BodyKind::Union(arms) | BodyKind::Switch { arms, .. } => {
                arms.iter().filter_map(|arm| arm.field.as_ref().map(inner)).collect()
            }
            BodyKind::Enum(labels) => {
                let mut next = 0i64;
                for (name, value) in labels {
                    if let Some(value) = value {
                        next = self.constant(scope, name, value)?;
                    }
                    self.consts.insert(name.text.clone(), next);
                    next = next.wrapping_add(1);
                }
                Vec::new()
            }
        };
        for (attrs, spec) in fields {
            self.definition(scope, &attrs, &spec, None)?;
        }
        Ok(())
    }

    fn pointer_default(&self, scope: Scope, attrs: &[Attr]) -> Result<Option<Pointing>, Error> {
        let Some(attr) = attrs.iter().find(|a| &*a.name.text == "pointer_default") else {
            return Ok(None);
        };
        match &attr.value {
            AttrValue::Terms(terms) => match terms.as_slice() {
                [Some(Term::Name(kind))] => match &*kind.text {
                    "ref" => Ok(Some(Pointing::Ref)),
                    "unique" => Ok(Some(Pointing::Unique)),
                    "ptr" => Ok(Some(Pointing::Full)),
                    _ => Err(self.error(scope, kind, "expected `ref`, `unique` or `ptr`")),
                },
                _ => Err(self.error(scope, &attr.name, "expected `ref`, `unique` or `ptr` in it")),
            },
            _ => Err(self.error(scope, &attr.name, "expected `ref`, `unique` or `ptr` in it")),
        }
    }

    /// The value of an expression of constants, which is at `name`.
    pub(super) fn constant(&self, scope: Scope, name: &Name, term: &Term) -> Result<i64, Error> {
        let expr = self.expr(scope, &[], term)?;
        expr.value(&|_| None)
            .ok_or_else(|| self.error(scope, name, "the value does not fit 64 bits"))
    }

    /// `term` with constants put in and names found among `siblings`.
    pub(super) fn expr(
        &self,
        scope: Scope,
        siblings: &[Arc<str>],
        term: &Term,
    ) -> Result<Expr, Error> {
        Ok(match term {
            Term::Number(n) => Expr::Number(*n),
            Term::Name(name) => {
                if let Some(found) = siblings.iter().find(|s| **s == name.text) {
                    Expr::Name(found.clone())
                } else if let Some(value) = self.consts.get(&name.text) {
                    Expr::Number(*value)
                } else {
                    let beside = if siblings.is_empty() {
                        "there is no constant"
                    } else {
                        "there is no parameter, member or constant"
                    };
                    return Err(self.error(scope, name, format!("{beside} `{}`", name.text)));
                }
            }
            Term::Unary(op, operand) => {
                Expr::Unary(*op, Box::new(self.expr(scope, siblings, operand)?))
            }
            Term::Binary(op, operands) => {
                let (a, b) = &**operands;
                let a = self.expr(scope, siblings, a)?;
                let b = self.expr(scope, siblings, b)?;
                Expr::Binary(*op, Box::new((a, b)))
            }
            Term::Choice(operands) => {
                let (condition, yes, no) = &**operands;
                Expr::Choice(Box::new((
                    self.expr(scope, siblings, condition)?,
                    self.expr(scope, siblings, yes)?,
                    self.expr(scope, siblings, no)?,
                )))
            }
        })
    }

    fn interface(
        &mut self,
        scope: Scope,
        decl: &InterfaceDecl,
    ) -> Result<Option<Interface>, Error> {
        let mut uuid = None;
        let mut version = (0, 0);
        for attr in &decl.attrs {
            match &attr.value {
                AttrValue::Uuid(value) => uuid = Some(*value),
                AttrValue::Version(major, minor) => version = (*major, *minor),
                _ => {}
            }
        }
        let mut operations = Vec::new();
        let mut opnum: u16 = 0;
        if let Some(base) = &decl.base {
            if let Some(base) = self.done.get(&base.text) {
                operations.clone_from(&base.operations);
                opnum = operations.last().map_or(3, |op| op.opnum.saturating_add(1));
            } else if &*base.text == "IUnknown" {
                opnum = 3;
            } else {
                let message = format!("the interface `{}` is not declared before", base.text);
                return Err(self.error(scope, base, message));
            }
        }
        for item in &decl.items {
            if let Item::Operation(operation) = item {
                operations.push(self.operation(scope, opnum, operation)?);
                opnum = opnum.saturating_add(1);
            }
        }
        self.operations = self.operations.saturating_add(operations.len());
        if self.operations > OPERATIONS {
            let message = format!("more than {OPERATIONS} operations, inherited ones included");
            return Err(self.error(scope, &decl.name, message));
        }
        let local = has(&decl.attrs, "local");
        let Some(uuid) = uuid.or(local.then_some(crate::bytes::Guid::nil())) else {
            let message = format!("the interface `{}` has no uuid", decl.name.text);
            return Err(self.error(scope, &decl.name, message));
        };
        let interface = Interface {
            name: decl.name.text.clone(),
            uuid,
            version,
            object: has(&decl.attrs, "object"),
            operations,
        };
        self.done.insert(decl.name.text.clone(), interface.clone());
        Ok(Some(interface).filter(|_| !local))
    }

    fn operation(
        &mut self,
        scope: Scope,
        opnum: u16,
        decl: &OperationDecl,
    ) -> Result<Operation, Error> {
        let siblings: Vec<Arc<str>> =
            decl.params.iter().map(|p| p.declarator.name.text.clone()).collect();
        let site = Use { scope, siblings: &siblings };
        let mut params = Vec::new();
        for param in &decl.params {
            let output = has(&param.attrs, "out");
            let field = self.field(site, param, true, 0)?;
            params.extend(field.map(|field| Parameter {
                input: !output || has(&param.attrs, "in"),
                output,
                field,
            }));
        }
        let returns = match &decl.returns {
            Spec::Base(Base::Void, _) if decl.pointers == 0 => None,
            spec => {
                let field = FieldDecl {
                    attrs: decl.attrs.iter().filter(|a| is_type(a)).cloned().collect(),
                    spec: spec.clone(),
                    declarator: Declarator {
                        pointers: decl.pointers,
                        name: Name { text: "return".into(), left: decl.name.left },
                        dims: Vec::new(),
                    },
                };
                self.field(site, &field, false, 0)?
            }
        };
        Ok(Operation { opnum, name: decl.name.text.clone(), params, returns })
    }

    /// Lowers every typedef that stands for a whole type, so that it can be decoded by name.
    fn named_types(&mut self) -> Result<(), Error> {
        let mut names: Vec<Arc<str>> = self.typedefs.keys().cloned().collect();
        names.sort();
        for name in names {
            if let Some(typedef) = self.typedefs.get(&name).cloned() {
                let at = &typedef.declarator.name;
                if let Shaped::Leaf(id) = self.named(typedef.scope, at, 0)? {
                    self.types.by_name.insert(name, id);
                }
            }
        }
        let mut tags: Vec<Arc<str>> = self.tags.keys().cloned().collect();
        tags.sort();
        for tag in tags {
            if let Some(tagged) = self.tags.get(&tag).cloned() {
                let id = self.body(&tagged, 0)?;
                self.types.by_name.entry(tag).or_insert(id);
            }
        }
        Ok(())
    }
}

/// Whether `attrs` holds `name`.
pub(super) fn has(attrs: &[Attr], name: &str) -> bool {
    attrs.iter().any(|attr| &*attr.name.text == name)
}

/// No attributes.
pub(super) fn none() -> Rc<[Attr]> {
    Rc::new([])
}

fn is_type(attr: &Attr) -> bool {
    matches!(&*attr.name.text, "ref" | "unique" | "ptr" | "string")
}
