//! Definitions in braces: structures, unions, enumerations.

use std::sync::Arc;

use super::Error;
use super::compile::{Compiler, Scope, Tagged, has, none};
use super::expand::{DEPTH, Shaped, Use};
use super::syntax::{ArmDecl, AttrValue, BodyKind, FieldDecl, Name, Spec};
use super::types::{Arm, Kind, Names, NamesKind, Record, Type, TypeId, Union};

impl Compiler {
    /// The type of a definition in braces.
    pub(super) fn body(&mut self, tagged: &Tagged, depth: u32) -> Result<TypeId, Error> {
        let Tagged { scope, body, .. } = tagged;
        let key = (scope.file, body.left);
        if let Some(known) = self.bodies.get(&key) {
            return Ok(*known);
        }
        if depth > DEPTH {
            let message = format!("definitions are nested deeper than {DEPTH}");
            return Err(self.error(*scope, &Name::at(body.left), message));
        }
        let tag = body.tag.as_ref().map(|tag| tag.text.clone());
        let called = tagged.called.clone().or(tag.clone());
        let name = called.unwrap_or_else(|| match &body.kind {
            BodyKind::Struct(_) => "struct".into(),
            BodyKind::Enum(_) => "enum".into(),
            _ => "union".into(),
        });
        // A member may point back here, so the number is given before the members are known.
        let id = self.add(Type::new(name.clone(), Kind::Void));
        self.bodies.insert(key, id);
        let kind = match &body.kind {
            BodyKind::Struct(_) if tag.as_deref() == Some("_GUID") || &*name == "GUID" => {
                Kind::Guid
            }
            BodyKind::Struct(fields) => Kind::Struct(self.record(*scope, fields, depth)?),
            BodyKind::Enum(labels) => {
                let mut names =
                    Names { name: name.clone(), kind: NamesKind::Enumeration, ..Names::default() };
                for (label, _) in labels {
                    let value = self.consts.get(&label.text).copied().unwrap_or(0);
                    names.values.push((value, label.text.clone()));
                }
                Kind::Enum { v1: has(&tagged.attrs, "v1_enum"), names: Arc::new(names) }
            }
            BodyKind::Union(arms) => {
                let switch = tagged.attrs.iter().find_map(|attr| match &attr.value {
                    AttrValue::Type(spec) => Some(spec.clone()),
                    _ => None,
                });
                let switch = match switch {
                    Some(spec) => self.switch_type(*scope, &spec, depth)?,
                    None => self.scalar(&"unsigned long".into(), ULONG),
                };
                self.union(tagged, switch, None, arms, depth)?
            }
            BodyKind::Switch { on, name, body, arms } => {
                let switch = self.switch_type(*scope, on, depth)?;
                let inner =
                    body.as_ref().map_or_else(|| "tagged_union".into(), |body| body.text.clone());
                let encapsulated = Some((name.text.clone(), inner));
                self.union(tagged, switch, encapsulated, arms, depth)?
            }
        };
        if let Some(ty) = self.types.list.get_mut(crate::bytes::index(id.0)) {
            ty.kind = kind;
        }
        Ok(id)
    }

    fn switch_type(&mut self, scope: Scope, spec: &Spec, depth: u32) -> Result<TypeId, Error> {
        if let Shaped::Leaf(id) = self.spec(scope, &none(), spec, None, depth)? {
            Ok(id)
        } else {
            let at = match spec {
                Spec::Base(_, name) | Spec::Named(name) | Spec::Tag(name) => name.clone(),
                Spec::Body(body) => Name::at(body.left),
            };
            Err(self.error(scope, &at, "a union is switched by a number"))
        }
    }

    fn record(&mut self, scope: Scope, decls: &[FieldDecl], depth: u32) -> Result<Record, Error> {
        let siblings: Vec<Arc<str>> =
            decls.iter().map(|f| f.declarator.name.text.clone()).collect();
        let site = Use { scope, siblings: &siblings };
        let mut record = Record::default();
        for (at, decl) in decls.iter().enumerate() {
            let field = self.field(site, decl, false, depth + 1)?;
            if let Some(field) = field {
                if self.conformant(field.ty) {
                    if at + 1 != decls.len() {
                        let message = "only the last member may be an array of open size";
                        return Err(self.error(scope, &decl.declarator.name, message));
                    }
                    record.conformant = true;
                }
                record.fields.push(field);
            }
        }
        Ok(record)
    }

    fn conformant(&self, id: TypeId) -> bool {
        match &self.types.get(id).kind {
            Kind::Array(array) => array.shape.conformant(),
            Kind::Struct(record) => record.conformant,
            _ => false,
        }
    }

    fn union(
        &mut self,
        tagged: &Tagged,
        switch: TypeId,
        encapsulated: Option<(Arc<str>, Arc<str>)>,
        decls: &[ArmDecl],
        depth: u32,
    ) -> Result<Kind, Error> {
        let scope = tagged.scope;
        let site = Use { scope, siblings: &[] };
        let at = Name::at(tagged.body.left);
        let mut arms = Vec::new();
        for decl in decls {
            let mut labels = Vec::new();
            for label in &decl.labels {
                labels.push(self.constant(scope, &at, label)?);
            }
            let field = match &decl.field {
                Some(field) => self.field(site, field, false, depth + 1)?,
                None => None,
            };
            arms.push(Arm { labels, default: decl.default, field });
        }
        // [MS-RPCE] 2.2.4.5: not for encapsulated unions.
        let ms_union = encapsulated.is_none() && (scope.ms_union || has(&tagged.attrs, "ms_union"));
        Ok(Kind::Union(Union { switch, encapsulated, ms_union, arms }))
    }
}

const ULONG: Kind = Kind::Integer { width: 4, signed: false };
