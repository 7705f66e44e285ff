//! Where values can be in the parameters of an operation, by the type table.
//!
//! References to objects, arrays of bindings and the properties of an activation are octets to the
//! IDL; what [`dcom`](crate::dcom) makes of them has its places here too.

use std::collections::{BTreeMap, BTreeSet};

use super::argument::{Declared, Facet, MAX_DEPTH, Step};
use super::item::Kind;
use crate::idl::{self, Field, Format, Operation, TypeId, Types};
use crate::ndr::Direction;
use crate::protocol::Interface;
use crate::protocol::dcom::{IREMOTESCMACTIVATOR, PROPERTIES};

/// Places in the parameters of one operation that are looked at.
const MAX_PLACES: usize = 1 << 14;

/// What is at a place.
#[derive(Clone, Copy)]
pub(super) enum What<'t> {
    /// A value of a type, with a format of its own.
    Type(&'t Types, TypeId, Option<&'t Format>),
    /// A value that was read out of octets.
    Opened(Kind),
}

/// The type a value has when pointers and arrays are looked through; strings and octets are whole.
pub(super) fn under(types: &Types, mut ty: TypeId) -> TypeId {
    // A type that leads to itself through pointers alone has no values.
    for _ in 0..MAX_DEPTH {
        ty = match &types.get(ty).kind {
            idl::Kind::Pointer { to, .. } => *to,
            idl::Kind::Array(array) => match types.get(array.of).kind {
                idl::Kind::Byte => return ty,
                _ if array.string => return ty,
                _ => array.of,
            },
            _ => return ty,
        };
    }
    ty
}

/// What is done at a place: the way there, and what is there.
type AtPlace<'f> = &'f mut dyn FnMut(&[Step<'_>], What<'_>);

/// Members of an `OBJREF` (\[MS-DCOM\] 2.2.18).
const OBJREF: [(&str, Kind); 8] = [
    ("objref", Kind::Number),
    ("iid", Kind::Guid),
    ("flags", Kind::Number),
    ("public_refs", Kind::Number),
    ("oxid", Kind::Number),
    ("oid", Kind::Number),
    ("ipid", Kind::Guid),
    ("clsid", Kind::Guid),
];

/// Names and kinds of members.
type Members = &'static [(&'static str, Kind)];

/// Bindings (\[MS-DCOM\] 2.2.19), by the list they are in and the type.
const BINDINGS: [(&str, &str, Members); 2] = [
    ("bindings", "STRINGBINDING", &[("wTowerId", Kind::Number), ("aNetworkAddr", Kind::Text)]),
    (
        "security",
        "SECURITYBINDING",
        &[("wAuthnSvc", Kind::Number), ("wAuthzSvc", Kind::Number), ("aPrincName", Kind::Text)],
    ),
];

/// The array of bindings that is read out of a `DUALSTRINGARRAY`.
const STRINGS: (&str, &str) = ("DUALSTRINGARRAY", "aStringArray");

/// Goes to every parameter of an operation, and everything in them.
pub(super) fn each_place(
    interface: &Interface,
    operation: &Operation,
    direction: Option<Direction>,
    act: AtPlace<'_>,
) {
    let activates = interface.uuid == IREMOTESCMACTIVATOR;
    let types = &interface.types;
    let mut walk = Walk { types, activates, open: Vec::new(), left: MAX_PLACES, act };
    for param in &operation.params {
        let travels = match direction {
            Some(Direction::In) => param.input,
            Some(Direction::Out) => param.output,
            None => true,
        };
        if travels {
            let mut way = vec![Step { field: &param.field.name, of: "" }];
            walk.field(&param.field, &mut way);
        }
    }
}

struct Walk<'t, 'f> {
    types: &'t Types,
    /// Whether references are to activation properties.
    activates: bool,
    /// Types that are being looked into.
    open: Vec<TypeId>,
    left: usize,
    act: AtPlace<'f>,
}

impl<'t> Walk<'t, '_> {
    fn field(&mut self, field: &'t Field, way: &mut Vec<Step<'t>>) {
        if self.left == 0 || way.len() > MAX_DEPTH {
            return;
        }
        self.left -= 1;
        if way.last().is_some_and(|step| (step.of, step.field) == STRINGS) {
            (self.act)(way, What::Opened(Kind::Presence));
            return self.bindings(STRINGS.0, way);
        }
        (self.act)(way, What::Type(self.types, field.ty, field.format.as_ref()));
        self.inside(field.ty, way);
    }

    fn inside(&mut self, ty: TypeId, way: &mut Vec<Step<'t>>) {
        let inner = under(self.types, ty);
        if self.open.contains(&inner) {
            return;
        }
        let ty = self.types.get(inner);
        let fields: Vec<&Field> = match &ty.kind {
            idl::Kind::Struct(record) => record.fields.iter().collect(),
            idl::Kind::Union(union) => {
                union.arms.iter().filter_map(|arm| arm.field.as_ref()).collect()
            }
            idl::Kind::Interface { .. } => return self.reference(way),
            _ => return,
        };
        self.open.push(inner);
        for field in fields {
            way.push(Step { field: &field.name, of: &ty.name });
            self.field(field, way);
            way.pop();
        }
        self.open.pop();
    }

    /// What is read out of an interface pointer.
    fn reference(&mut self, way: &mut Vec<Step<'t>>) {
        const OF: &str = "OBJREF";
        self.opened(OF, &OBJREF, way);
        self.bindings(OF, way);
        // Those within properties are references to objects.
        if !std::mem::take(&mut self.activates) {
            return;
        }
        way.push(Step { field: "data", of: OF });
        way.push(Step { field: "properties", of: "ActivationProperties" });
        for (_, name, of) in PROPERTIES {
            way.push(Step { field: name, of: name });
            (self.act)(way, What::Opened(Kind::Presence));
            if let Some(ty) = self.types.named(of) {
                self.inside(ty, way);
            }
            way.pop();
        }
        way.pop();
        way.pop();
        self.activates = true;
    }

    fn bindings(&mut self, of: &'t str, way: &mut Vec<Step<'t>>) {
        for (list, binding, members) in BINDINGS {
            way.push(Step { field: list, of });
            (self.act)(way, What::Opened(Kind::Presence));
            self.opened(binding, members, way);
            way.pop();
        }
    }

    fn opened(&mut self, of: &'t str, members: &[(&'t str, Kind)], way: &mut Vec<Step<'t>>) {
        for (field, kind) in members {
            way.push(Step { field, of });
            (self.act)(way, What::Opened(*kind));
            way.pop();
        }
    }
}

/// Names of all parameters and what is in them, each once.
pub(super) fn all(interface: &Interface) -> Vec<(String, Declared)> {
    let mut found: BTreeMap<String, Declared> = BTreeMap::new();
    for operation in &interface.operations {
        each_place(interface, operation, None, &mut |way, what| {
            let Some(step) = way.last() else { return };
            match found.get_mut(step.field) {
                Some(declared) => declared.see(what, Facet::Value),
                None => found.entry(step.field.to_owned()).or_default().see(what, Facet::Value),
            }
        });
    }
    for declared in found.values_mut() {
        declared.kinds.sort_unstable();
        declared.kinds.dedup();
    }
    found.into_iter().collect()
}

/// Names of all parameters that travel this way, and of what is in them, each once.
pub(super) fn sent(interface: &Interface, direction: Direction) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    for operation in &interface.operations {
        each_place(interface, operation, Some(direction), &mut |way, _| {
            if let Some(step) = way.last()
                && !found.contains(step.field)
            {
                found.insert(step.field.to_owned());
            }
        });
    }
    found
}
