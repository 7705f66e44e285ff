//! The Interface Definition Language: text of a specification's appendix in, type table out.
//!
//! Takes IDL files as text and gives a [`Module`]: interfaces with their operations, and the
//! [`Types`] that `ndr` reads values with. It knows nothing of bytes on a wire; the names and
//! formats that IDL cannot express are bound later ([`Types::bind`]).
//!
//! ```text
//!  text ──lexer, grammar──► declarations ──compile──► Module { interfaces, types }
//! ```
//!
//! The subset is what the protocols of this program use, from \[C706\] chapter 6, \[MS-RPCE\] 2.2.4
//! and the MIDL reference:
//!
//! - interface headers with `uuid`, `version`, `object`, `pointer_default`, `ms_union` and `local`;
//!   other attributes are read and ignored. `interface X : Y` continues `Y`'s operations;
//!   `IUnknown` is known and has three.
//! - `import`, resolved among the files given; `cpp_quote`; forward declarations; `const`.
//! - `typedef`, `struct`, `enum` (16 bit, or 32 bit with `v1_enum`), `union` (non-encapsulated
//!   with `switch_type` and `switch_is`, and encapsulated `union switch`), with `case` and
//!   `default` and empty arms.
//! - arrays of fixed size (several dimensions too), open arrays and pointers with `size_is`,
//!   `max_is`, `length_is`, `first_is`, `last_is`; `string`.
//! - pointers `ref`, `unique` and `ptr`; without attribute a parameter's outermost pointer is
//!   `ref`, also when it hides in a typedef, and any other follows `pointer_default`, which is
//!   `unique` when absent (\[MS-RPCE\] 2.2.4.9).
//! - `context_handle`; `handle_t`, which is never marshalled; interface pointers (`iid_is`, or an
//!   interface's name behind a pointer), which travel as `MInterfacePointer` (\[MS-DCOM\] 2.2.14).
//! - all base types, `hyper` and `__int64`, `error_status_t`, and the MIDL names `WCHAR`-like
//!   typedefs are made of. A structure with the tag `_GUID` is a GUID, and a pointer to one with the
//!   tag `tagMInterfacePointer` is an interface pointer.
//! - expressions with `?:`, the binary operators of C, and unary `*`, `-`, `~`, `!`. Member access
//!   is not in the subset.
//!
//! Not in it: pipes, `transmit_as` and `wire_marshal`, functions pointers, bit fields, libraries.

mod base;
mod compile;
mod define;
mod expand;
mod expr;
mod expression;
mod grammar;
mod layout;
mod lexer;
mod syntax;
mod types;

pub use compile::{Sources, compile};
pub use expr::{Expr, Operator, Unop};
pub use types::{
    Arm, Array, Field, Format, Interface, Kind, Layout, Module, Names, NamesKind, Operation,
    Parameter, Pointing, Record, Shape, Syntax, Type, TypeId, Types, Union,
};

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct Error {
    /// The file, by the name it was given.
    pub file: String,
    /// Line, 1-based.
    pub line: u32,
    /// Column in characters, 1-based.
    pub column: u32,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl Error {
    /// An error at byte `offset` of `text`.
    pub fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        Self {
            file: file.to_owned(),
            line: crate::bytes::clamp(before.matches('\n').count() + 1),
            column: crate::bytes::clamp(column + 1),
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests;
