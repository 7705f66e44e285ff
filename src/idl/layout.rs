//! Alignment and least size of every type, in both transfer syntaxes.
//!
//! \[C706\] 14.2.2 and 14.3; \[MS-RPCE\] 2.2.5. The alignment of a structure counts all arms of a
//! union in it, whichever is in use: that is what every MIDL compiler does.

use super::types::{Kind, Layout, Shape, Syntax, Type, TypeId, Types};
use crate::bytes::index;

/// Values within values; more than can be decoded.
pub(super) const DEPTH: usize = 256;

/// Fills in the layouts; the error is a type that contains itself, or too much.
pub(super) fn compute(types: &mut Types) -> Result<(), TypeId> {
    let mut known = vec![State::default(); types.list.len()];
    for n in 0..types.list.len() {
        let id = TypeId(crate::bytes::clamp(n));
        facts(types, &mut known, id, 0)?;
    }
    for (ty, state) in types.list.iter_mut().zip(known) {
        if let Some(facts) = state.facts {
            ty.layouts = facts.layouts;
            ty.deferred = facts.deferred;
            ty.checked = facts.checked;
        }
    }
    spread_checked(types);
    Ok(())
}

/// Marks what leads to something checked. What a pointer leads to may be known only after the
/// pointer, so this waits for the others.
fn spread_checked(types: &mut Types) {
    let mut users = vec![Vec::new(); types.list.len()];
    for (n, ty) in types.list.iter().enumerate() {
        for id in leads_to(ty) {
            if let Some(users) = users.get_mut(index(id.0)) {
                users.push(n);
            }
        }
    }
    let checked = types.list.iter().enumerate().filter(|(_, ty)| ty.checked);
    let mut open: Vec<usize> = checked.map(|(n, _)| n).collect();
    while let Some(n) = open.pop() {
        for user in users.get_mut(n).map(std::mem::take).unwrap_or_default() {
            if let Some(ty) = types.list.get_mut(user)
                && !std::mem::replace(&mut ty.checked, true)
            {
                open.push(user);
            }
        }
    }
}

#[derive(Clone, Copy, Default)]
struct State {
    entered: bool,
    facts: Option<Facts>,
}

#[derive(Clone, Copy, Default)]
struct Facts {
    layouts: [Layout; 2],
    deferred: bool,
    checked: bool,
}

fn leads_to(ty: &Type) -> Vec<TypeId> {
    match &ty.kind {
        Kind::Pointer { to, .. } => vec![*to],
        Kind::Array(array) => vec![array.of],
        Kind::Struct(record) => record.fields.iter().map(|field| field.ty).collect(),
        Kind::Union(union) => {
            union.arms.iter().filter_map(|arm| arm.field.as_ref()).map(|field| field.ty).collect()
        }
        _ => Vec::new(),
    }
}

fn facts(types: &Types, known: &mut Vec<State>, id: TypeId, depth: usize) -> Result<Facts, TypeId> {
    let ty = types.get(id);
    match known.get_mut(index(id.0)) {
        Some(State { facts: Some(facts), .. }) => return Ok(*facts),
        Some(state) if !state.entered && depth <= DEPTH => state.entered = true,
        _ => return Err(id),
    }
    let facts = match &ty.kind {
        Kind::Void | Kind::Handle => plain(1, 0),
        Kind::Integer { width, .. } | Kind::Float { width } => {
            plain(u32::from(*width), (*width).into())
        }
        Kind::Boolean | Kind::Byte | Kind::Char => plain(1, 1),
        Kind::WideChar => plain(2, 2),
        Kind::Enum { v1, .. } => both(|syntax| match syntax {
            Syntax::Ndr if !v1 => scalar(2, 2),
            _ => scalar(4, 4),
        }),
        Kind::Guid => plain(4, 16),
        Kind::ContextHandle => plain(4, 20),
        Kind::Pointer { .. } | Kind::Interface { .. } => {
            Facts { deferred: true, ..both(|syntax| scalar(word(syntax), word(syntax))) }
        }
        Kind::Struct(record) => {
            let mut sum = plain(1, 0);
            for field in &record.fields {
                sum = sum.and(facts(types, known, field.ty, depth + 1)?);
                sum.checked |= field.switch_is.is_some();
            }
            sum
        }
        Kind::Union(union) => {
            let switch = facts(types, known, union.switch, depth + 1)?;
            let mut widest = plain(1, 0);
            let mut least = [u32::MAX; 2];
            let arms = &union.arms;
            for arm in arms {
                let facts = match &arm.field {
                    Some(field) => facts(types, known, field.ty, depth + 1)?,
                    None => plain(1, 0),
                };
                for (least, layout) in least.iter_mut().zip(facts.layouts) {
                    *least = layout.least.min(*least);
                }
                widest = widest.and(facts);
            }
            let mut union = switch.and(widest);
            for (n, layout) in union.layouts.iter_mut().enumerate() {
                let at = |list: [Layout; 2]| list.into_iter().nth(n).unwrap_or_default();
                let arm = least.into_iter().nth(n).filter(|_| !arms.is_empty());
                layout.arms = at(widest.layouts).align;
                layout.least = at(switch.layouts).least.saturating_add(arm.unwrap_or_default());
            }
            union
        }
        Kind::Array(array) => {
            let of = facts(types, known, array.of, depth + 1)?;
            let mut facts = both(|syntax| {
                let element = pick(of.layouts, syntax);
                let counts = if array.shape.varying() { 2 * word(syntax) } else { 0 };
                Layout {
                    align: if counts == 0 {
                        element.align
                    } else {
                        element.align.max(word(syntax))
                    },
                    arms: 0,
                    least: match array.shape {
                        Shape::Fixed(n) => element.least.saturating_mul(n),
                        _ => counts,
                    },
                }
            });
            facts.deferred = of.deferred;
            facts.checked = of.checked
                || array.size_is.is_some()
                || array.length_is.is_some()
                || array.first_is.is_some();
            facts
        }
    };
    if let Some(state) = known.get_mut(index(id.0)) {
        state.facts = Some(facts);
    }
    Ok(facts)
}

impl Facts {
    /// Of a construct that holds both.
    fn and(self, other: Self) -> Self {
        let [a, b] = self.layouts;
        let [c, d] = other.layouts;
        let join = |x: Layout, y: Layout| Layout {
            align: x.align.max(y.align),
            arms: 0,
            least: x.least.saturating_add(y.least),
        };
        Self {
            layouts: [join(a, c), join(b, d)],
            deferred: self.deferred || other.deferred,
            checked: self.checked || other.checked,
        }
    }
}

/// Octets of a count and of a referent identifier.
fn word(syntax: Syntax) -> u32 {
    match syntax {
        Syntax::Ndr => 4,
        Syntax::Ndr64 => 8,
    }
}

fn pick([ndr, ndr64]: [Layout; 2], syntax: Syntax) -> Layout {
    match syntax {
        Syntax::Ndr => ndr,
        Syntax::Ndr64 => ndr64,
    }
}

fn scalar(align: u32, least: u32) -> Layout {
    Layout { align, arms: 0, least }
}

fn plain(align: u32, least: u32) -> Facts {
    both(|_| scalar(align, least))
}

fn both(of: impl Fn(Syntax) -> Layout) -> Facts {
    Facts { layouts: [of(Syntax::Ndr), of(Syntax::Ndr64)], ..Facts::default() }
}
