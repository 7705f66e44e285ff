//! Network Data Representation: one engine over the type table, in both directions.
//!
//! Takes a stub (`bytes`), an operation and its [`Types`](crate::idl::Types), and gives values
//! that know their bytes. It never fails: what was read before a fault is kept beside the
//! [`Stop`](crate::bytes::Stop) that says where and why reading ended. It knows nothing of any
//! protocol, of PDUs, or of what follows the parameters in a stub ([`Decoded::used`]).
//!
//! ```text
//!  parameter ──► flat part ──► deferred parts, depth first      (14.3.12.3 of \[C706\])
//!                │              pointees of element 0, element 1, …
//!                └ max_count of a structure that ends in an open array comes before it
//! ```
//!
//! NDR is \[C706\] chapter 14, NDR64 is \[MS-RPCE\] 2.2.5. Both are read from the same table; only
//! [`Layout`](crate::idl::Layout)s, the width of counts and referents, and padding differ.
//! Sizes and lengths the IDL states are held against the wire afterwards, and what disagrees is a
//! [`Note`], because the wire describes itself.
//!
//! [`encode()`] goes the other way, from values to the stub they were read from; [`build()`] makes
//! values of what people and JSON files give. A value that does not fit is [`Unencodable`].

mod arg;
mod array;
mod build;
mod check;
mod construct;
mod decode;
mod encode;
mod error;
mod leaf;
mod rows;
mod serde;
mod text;
pub mod tower;
mod value;

pub use self::serde::{BindError, Fields, bits, guid, read};
pub use arg::Arg;
pub use build::{Arguments, build};
pub use decode::{Context, Decoded, Direction, Note, decode, decode_type};
pub use encode::{encode, encode_type};
pub use error::Unencodable;
pub use rows::{Naming, rows};
pub use text::{filetime, hex, hexadecimal, text};
pub use value::{
    Bytes, ContextHandle, Counts, Data, InterfacePointer, List, Number, Pointer, Record, Text,
    Union, Units, Value,
};

#[cfg(test)]
mod tests;
