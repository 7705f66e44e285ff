//! The wire against what the IDL says of sizes, lengths and discriminants.
//!
//! Runs over the finished values, because an operand may come after what it measures. Where an
//! operand travels in the other direction, nothing is said.

use super::decode::{Decoded, Note};
use super::value::{Counts, Data, Value};
use crate::bytes::Span;
use crate::idl::{Array, Expr, Field, Kind, Operation, TypeId, Types};

/// The values beside the one that is measured.
type Beside<'a> = &'a [(std::sync::Arc<str>, Value)];

pub(super) fn operation(
    types: &Types,
    operation: &Operation,
    decoded: &Decoded,
    notes: &mut Vec<Note>,
) {
    for param in &operation.params {
        if param.field.switch_is.is_none() && !types.get(param.field.ty).checked {
            continue;
        }
        if let Some(value) = decoded.param(&param.field.name) {
            field(types, &param.field, value, &decoded.params, notes);
        }
    }
}

/// The same for one value of the type `ty`.
pub(super) fn one(types: &Types, ty: TypeId, name: &str, value: &Value, notes: &mut Vec<Note>) {
    if types.get(ty).checked {
        walk(types, ty, name, value, &[], notes);
    }
}

fn field(types: &Types, field: &Field, value: &Value, beside: Beside<'_>, notes: &mut Vec<Note>) {
    if let (Some(expr), Data::Union(union)) = (&field.switch_is, &value.target().data)
        && let (Some(want), Some(tag)) = (eval(expr, beside), union.tag.as_i64())
        && want != tag
    {
        notes.push(Note {
            span: union.tag.span,
            text: format!("discriminant {tag} of {} differs from switch_is ({want})", field.name),
        });
    }
    walk(types, field.ty, &field.name, value, beside, notes);
}

fn walk(
    types: &Types,
    id: TypeId,
    name: &str,
    value: &Value,
    beside: Beside<'_>,
    notes: &mut Vec<Note>,
) {
    let ty = types.get(id);
    match (&ty.kind, &value.data) {
        // A top-level reference pointer has no value of its own.
        (Kind::Pointer { to, .. }, data) => {
            let value = match data {
                Data::Pointer(pointer) => &pointer.to,
                _ => value,
            };
            if types.get(*to).checked {
                walk(types, *to, name, value, beside, notes);
            }
        }
        (Kind::Array(array), Data::List(list)) => {
            bounds(array, name, &list.counts, beside, notes);
            if types.get(array.of).checked {
                for item in &list.items {
                    walk(types, array.of, name, item, beside, notes);
                }
            }
        }
        (Kind::Array(array), Data::Text(text)) => {
            bounds(array, name, &text.counts, beside, notes);
        }
        (Kind::Array(array), Data::Bytes(bytes)) => {
            bounds(array, name, &bytes.counts, beside, notes);
        }
        (Kind::Struct(record), Data::Record(read)) if ty.checked => {
            for (of, (_, value)) in record.fields.iter().zip(&read.fields) {
                field(types, of, value, &read.fields, notes);
            }
        }
        (Kind::Union(union), Data::Union(read)) if ty.checked => {
            let arm = read.tag.as_i64().and_then(|tag| union.arm(tag));
            if let (Some(of), Some((_, value))) =
                (arm.and_then(|arm| arm.field.as_ref()), &read.arm)
            {
                field(types, of, value, &[], notes);
            }
        }
        _ => {}
    }
}

fn bounds(array: &Array, name: &str, counts: &Counts, beside: Beside<'_>, notes: &mut Vec<Note>) {
    let mut hold = |expr: &Option<Expr>, sent: Option<(u64, Span)>, what: [&str; 2]| {
        if let (Some(expr), Some((sent, span))) = (expr, sent)
            && let Some(want) = eval(expr, beside)
            && u64::try_from(want) != Ok(sent)
        {
            let [count, attribute] = what;
            let text = format!("{count} {sent} of {name} differs from {attribute} ({want})");
            notes.push(Note { span, text });
        }
    };
    hold(&array.size_is, counts.max, ["max_count", "size_is"]);
    hold(&array.first_is, counts.offset, ["offset", "first_is"]);
    if !array.string {
        hold(&array.length_is, counts.actual, ["actual_count", "length_is"]);
    }
}

fn eval(expr: &Expr, beside: Beside<'_>) -> Option<i64> {
    expr.value(&|name| {
        let found = beside.iter().find(|(of, _)| &**of == name);
        found.and_then(|(_, value)| value.as_i64())
    })
}
