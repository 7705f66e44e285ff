//! The type table: what is known of every value of an interface before it is read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::expr::Expr;
use crate::bytes::{Guid, index};

/// Transfer syntax a layout is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// \[C706\] chapter 14.
    Ndr,
    /// \[MS-RPCE\] 2.2.5.
    Ndr64,
}

/// Number of a type in its [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub(super) u32);

/// All types an IDL file declares or uses.
#[derive(Clone, Debug, Default)]
pub struct Types {
    pub(super) list: Vec<Type>,
    pub(super) by_name: BTreeMap<Arc<str>, TypeId>,
}

impl Types {
    /// The type with this number.
    pub fn get(&self, id: TypeId) -> &Type {
        static NONE: std::sync::LazyLock<Type> =
            std::sync::LazyLock::new(|| Type::new("void".into(), Kind::Void));
        self.list.get(index(id.0)).unwrap_or(&NONE)
    }

    /// The type a file gave this name with `typedef`, or as the tag of a structure.
    pub fn named(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// All types.
    pub fn iter(&self) -> impl Iterator<Item = &Type> {
        self.list.iter()
    }

    /// Binds `format` to the type `name`, or to the member `field` of it; false if there is none.
    pub fn bind(&mut self, name: &str, field: Option<&str>, format: &Format) -> bool {
        let mut found = false;
        for ty in self.list.iter_mut().filter(|ty| &*ty.name == name) {
            match (field, &mut ty.kind) {
                (None, Kind::Integer { .. } | Kind::Enum { .. }) => {
                    ty.format = format.clone();
                    found = true;
                }
                (Some(field), Kind::Struct(record)) => {
                    for member in record.fields.iter_mut().filter(|f| &*f.name == field) {
                        member.format = Some(format.clone());
                        found = true;
                    }
                }
                _ => {}
            }
        }
        found
    }
}

/// One type.
#[derive(Clone, Debug)]
pub struct Type {
    /// Its name in the IDL; constructed on the spot, what it is made of.
    pub name: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// How its value is written.
    pub format: Format,
    /// Whether anything of it travels after the construct it is in.
    pub deferred: bool,
    /// Whether anything in it has a `size_is` or its like to hold the wire against.
    pub checked: bool,
    /// Alignment and size in NDR and in NDR64.
    pub(super) layouts: [Layout; 2],
}

impl Type {
    pub(super) fn new(name: Arc<str>, kind: Kind) -> Self {
        Self {
            name,
            kind,
            format: Format::Decimal,
            deferred: false,
            checked: false,
            layouts: [Layout::default(); 2],
        }
    }

    /// Alignment and size.
    pub fn layout(&self, syntax: Syntax) -> Layout {
        let [ndr, ndr64] = self.layouts;
        match syntax {
            Syntax::Ndr => ndr,
            Syntax::Ndr64 => ndr64,
        }
    }
}

/// Alignment and size of a type in one transfer syntax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Offset from the start of the stub is a multiple of this.
    pub align: u32,
    /// For a union: largest alignment of its arms.
    pub arms: u32,
    /// It takes at least this many octets, padding and what is deferred not counted.
    pub least: u32,
}

/// What a type is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Nothing: the return type of an operation that has none.
    Void,
    /// `handle_t`, which is never marshalled.
    Handle,
    /// An integer of `width` octets.
    Integer {
        /// 1, 2, 4 or 8.
        width: u8,
        /// Two's complement.
        signed: bool,
    },
    /// IEEE 754, 4 or 8 octets.
    Float {
        /// 4 or 8.
        width: u8,
    },
    /// One octet, zero or not.
    Boolean,
    /// An octet nothing is known of.
    Byte,
    /// An octet of text.
    Char,
    /// A UTF-16 code unit.
    WideChar,
    /// 16 bits in NDR, or 32 with `v1_enum` and in NDR64 (\[MS-RPCE\] 2.2.5.2.1).
    Enum {
        /// Declared `v1_enum`.
        v1: bool,
        /// Its constants.
        names: Arc<Names>,
    },
    /// A GUID.
    Guid,
    /// A structure.
    Struct(Record),
    /// A union.
    Union(Union),
    /// An array or a string.
    Array(Box<Array>),
    /// A pointer.
    Pointer {
        /// Its attribute.
        kind: Pointing,
        /// What it points to.
        to: TypeId,
    },
    /// A pointer to an `MInterfacePointer` (\[MS-DCOM\] 2.2.14).
    Interface {
        /// Name of the interface, where the IDL says it.
        of: Option<Arc<str>>,
        /// The `iid_is` expression's name.
        iid_is: Option<Arc<str>>,
    },
    /// `ndr_context_handle` (\[C706\] appendix N).
    ContextHandle,
}

/// Attribute of a pointer: \[C706\] 6.3.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointing {
    /// Never null, never changes.
    Ref,
    /// May be null; nothing else points there.
    Unique,
    /// May be null, and may point where another does.
    Full,
}

/// A structure's members.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// In their order.
    pub fields: Vec<Field>,
    /// Its last member is a conformant array, so the structure begins with that array's size.
    pub conformant: bool,
}

/// A member of a structure or the content of a union's arm.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: TypeId,
    /// Names the discriminant, for a union.
    pub switch_is: Option<Expr>,
    /// Bound by the rules of the protocol; otherwise the type's format holds.
    pub format: Option<Format>,
}

/// A union: \[C706\] 6.3.4.
#[derive(Clone, Debug)]
pub struct Union {
    /// Type of the discriminant on the wire.
    pub switch: TypeId,
    /// Name of the discriminant, when the union is encapsulated, and of the union in it.
    pub encapsulated: Option<(Arc<str>, Arc<str>)>,
    /// The arm is aligned as the widest of them: \[MS-RPCE\] 2.2.4.5.
    pub ms_union: bool,
    /// The arms; the default arm is the one without labels, or is marked.
    pub arms: Vec<Arm>,
}

impl Union {
    /// The arm for this discriminant.
    pub fn arm(&self, tag: i64) -> Option<&Arm> {
        let labelled = self.arms.iter().find(|arm| arm.labels.contains(&tag));
        labelled.or_else(|| self.arms.iter().find(|arm| arm.default))
    }
}

/// One arm of a union.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Values of the discriminant that choose it.
    pub labels: Vec<i64>,
    /// Chosen when no other is.
    pub default: bool,
    /// What it holds, if anything.
    pub field: Option<Field>,
}

/// An array.
#[derive(Clone, Debug)]
pub struct Array {
    /// Type of the elements.
    pub of: TypeId,
    /// What the wire says of its size.
    pub shape: Shape,
    /// Its elements are characters up to a terminator.
    pub string: bool,
    /// What `size_is` or `max_is` says `max_count` is.
    pub size_is: Option<Expr>,
    /// What `length_is` or `last_is` says `actual_count` is.
    pub length_is: Option<Expr>,
    /// What `first_is` says `offset` is.
    pub first_is: Option<Expr>,
}

/// How the size of an array travels: \[C706\] 14.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Not at all.
    Fixed(u32),
    /// `offset` and `actual_count` before the elements.
    Varying(u32),
    /// `max_count` before the array or the structure that ends in it.
    Conformant,
    /// Both.
    ConformantVarying,
}

impl Shape {
    /// Whether a `max_count` travels.
    pub fn conformant(self) -> bool {
        matches!(self, Self::Conformant | Self::ConformantVarying)
    }

    /// Whether `offset` and `actual_count` travel.
    pub fn varying(self) -> bool {
        matches!(self, Self::Varying(_) | Self::ConformantVarying)
    }
}

/// How a number is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Decimal.
    #[default]
    Decimal,
    /// Hexadecimal with all its digits.
    Hex,
    /// Zero or not, `FALSE` or `TRUE`.
    Boolean,
    /// Intervals of 100 ns since 1601 (\[MS-DTYP\] 2.3.3).
    FileTime,
    /// Names of values or bits.
    Names(Arc<Names>),
}

/// A table of names for numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Name of the table, that of the specification where it has one.
    pub name: Arc<str>,
    /// Whether values are chosen from it or summed up of it.
    pub kind: NamesKind,
    /// Names of values; of combinations, in a set of flags.
    pub values: Vec<(i64, Arc<str>)>,
    /// Names of bits, ascending.
    pub bits: Vec<(u64, Arc<str>)>,
    /// Bits that may be added to any combination without changing its name.
    pub beside: u64,
}

/// What a table of names is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NamesKind {
    /// One of these values.
    #[default]
    Enumeration,
    /// A sum of bits.
    Flags,
    /// A status code, written in hexadecimal.
    Status,
}

impl Names {
    /// Name of this very value.
    pub fn value(&self, value: i64) -> Option<&Arc<str>> {
        let found = self.values.iter().find(|(n, _)| *n == value);
        found.map(|(_, name)| name)
    }

    /// Names of the bits set that have one, and the bits that have none.
    pub fn flags(&self, value: u64) -> (Vec<Arc<str>>, u64) {
        let mut rest = value;
        let mut names = Vec::new();
        for (bit, name) in &self.bits {
            if value & bit == *bit && *bit != 0 {
                names.push(name.clone());
                rest &= !bit;
            }
        }
        (names, rest)
    }
}

/// What an IDL file gives.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Its interfaces; those of imported files are not among them.
    pub interfaces: Vec<Interface>,
    /// The types of all of them.
    pub types: Types,
}

/// One interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: Arc<str>,
    /// Its UUID.
    pub uuid: Guid,
    /// Major and minor version; 0.0 for objects.
    pub version: (u16, u16),
    /// It is a DCOM interface: calls begin with `ORPCTHIS` and `ORPCTHAT`.
    pub object: bool,
    /// Its operations and those of its base, by opnum.
    pub operations: Vec<Operation>,
}

impl Interface {
    /// The operation with this number.
    pub fn operation(&self, opnum: u16) -> Option<&Operation> {
        self.operations.iter().find(|op| op.opnum == opnum)
    }
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its number.
    pub opnum: u16,
    /// Its name.
    pub name: Arc<str>,
    /// Its parameters, without those that are never marshalled.
    pub params: Vec<Parameter>,
    /// Type of what it returns, if anything.
    pub returns: Option<Field>,
}

/// One parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// It travels in the request.
    pub input: bool,
    /// It travels in the response.
    pub output: bool,
    /// Name, type, and what is bound to it.
    pub field: Field,
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ndr => "ndr",
            Self::Ndr64 => "ndr64",
        })
    }
}
