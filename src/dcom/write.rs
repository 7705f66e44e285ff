//! The way back: references to objects, bindings, activation properties and texts of errors as the
//! octets that the rest of this module reads.
//!
//! What is NDR in them is made of [`Arg`]s by the types of \[MS-DCOM\]. Nothing here knows which objects
//! there are.

use std::sync::Arc;

use super::objref::{CUSTOM, EXTENDED, EXTENDED_SIGNATURE, HANDLER, SIGNATURE, STANDARD};
use crate::bytes::{Guid, Order, clamp};
use crate::idl::{Field, Operation, Parameter, Syntax, Types};
use crate::ndr::{self, Arg, Context, Direction, Unencodable, Value};
use crate::protocol::dcom::{CLSID_ERROR_EXTENSION, CLSID_ERROR_OBJECT, PROPERTIES};

/// Where an object is reached, and how it is to be spoken to (\[MS-DCOM\] 2.2.19).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bindings {
    /// Protocol identifiers and addresses.
    pub strings: Vec<(u16, String)>,
    /// Security providers, authorization services and principal names.
    pub security: Vec<(u16, u16, String)>,
}

impl Bindings {
    /// The units of `aStringArray`, and `wSecurityOffset`, which counts them.
    pub fn units(&self) -> (Vec<u16>, u16) {
        let mut units = Vec::new();
        for (tower, address) in &self.strings {
            units.push(*tower);
            units.extend(address.encode_utf16().chain([0]));
        }
        units.push(0);
        let offset = u16::try_from(units.len()).unwrap_or(u16::MAX);
        for (service, authorization, name) in &self.security {
            units.extend([*service, *authorization]);
            units.extend(name.encode_utf16().chain([0]));
        }
        units.push(0);
        (units, offset)
    }

    /// The members of a `DUALSTRINGARRAY`.
    pub fn arg(&self) -> Arg {
        let (units, offset) = self.units();
        let units = units.into_iter().map(|unit| Arg::from(u32::from(unit))).collect();
        record([("wSecurityOffset", u32::from(offset).into()), ("aStringArray", Arg::List(units))])
    }

    /// `DUALSTRINGARRAY` in an `OBJREF`.
    fn octets(&self, out: &mut Vec<u8>) {
        let (units, offset) = self.units();
        let entries = u16::try_from(units.len()).unwrap_or(u16::MAX);
        out.extend(entries.to_le_bytes());
        out.extend(offset.to_le_bytes());
        out.extend(units.into_iter().take(entries.into()).flat_map(u16::to_le_bytes));
    }
}

/// `STDOBJREF` (\[MS-DCOM\] 2.2.18.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standard {
    /// `SORF_NOPING` or nothing.
    pub flags: u32,
    /// Public references that come with it.
    pub public_refs: u32,
    /// Object exporter.
    pub oxid: u64,
    /// Object.
    pub oid: u64,
    /// Interface pointer.
    pub ipid: Guid,
}

impl Standard {
    /// Its members.
    pub fn arg(&self) -> Arg {
        record([
            ("flags", self.flags.into()),
            ("cPublicRefs", self.public_refs.into()),
            ("oxid", self.oxid.into()),
            ("oid", self.oid.into()),
            ("ipid", self.ipid.into()),
        ])
    }

    fn octets(&self, out: &mut Vec<u8>) {
        out.extend(self.flags.to_le_bytes());
        out.extend(self.public_refs.to_le_bytes());
        out.extend(self.oxid.to_le_bytes());
        out.extend(self.oid.to_le_bytes());
        out.extend(self.ipid.to_bytes_le());
    }
}

/// What a reference to an object is (\[MS-DCOM\] 2.2.18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objref {
    /// `OBJREF_STANDARD`
    Standard(Standard, Bindings),
    /// `OBJREF_HANDLER`, with the class of the handler.
    Handler(Standard, Guid, Bindings),
    /// `OBJREF_CUSTOM`: the class that reads it, and what it reads.
    Custom(Guid, Vec<u8>),
    /// `OBJREF_EXTENDED`, without a context.
    Extended(Standard, Bindings),
}

impl Objref {
    /// The octets of a reference for the interface `iid`.
    pub fn octets(&self, iid: Guid) -> Vec<u8> {
        let kind = match self {
            Self::Standard(..) => STANDARD,
            Self::Handler(..) => HANDLER,
            Self::Custom(..) => CUSTOM,
            Self::Extended(..) => EXTENDED,
        };
        let mut out = Vec::new();
        out.extend(SIGNATURE.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(iid.to_bytes_le());
        match self {
            Self::Standard(standard, bindings) => {
                standard.octets(&mut out);
                bindings.octets(&mut out);
            }
            Self::Handler(standard, class, bindings) => {
                standard.octets(&mut out);
                out.extend(class.to_bytes_le());
                bindings.octets(&mut out);
            }
            Self::Custom(class, data) => {
                out.extend(class.to_bytes_le());
                out.extend(0u32.to_le_bytes());
                // Ignored when read; Windows puts the size there, and its own eight octets.
                out.extend(clamp(data.len()).saturating_add(8).to_le_bytes());
                out.extend(data);
            }
            Self::Extended(standard, bindings) => {
                standard.octets(&mut out);
                out.extend(EXTENDED_SIGNATURE.to_le_bytes());
                bindings.octets(&mut out);
                // One element of a context, of which nothing follows.
                out.extend(1u32.to_le_bytes());
                out.extend(EXTENDED_SIGNATURE.to_le_bytes());
            }
        }
        out
    }
}

/// A structure's members.
pub fn record<const N: usize>(members: [(&str, Arg); N]) -> Arg {
    Arg::Record(members.into_iter().map(|(name, arg)| (name.to_owned(), arg)).collect())
}

/// Makes a value of the type `name`; what is not given is zero or null.
pub fn value(types: &Types, name: &str, arg: Arg) -> Result<Value, Unencodable> {
    let Some(ty) = types.named(name) else { return Ok(Value::default()) };
    // A parameter of that type is all that is made of it.
    let field = Field { name: Arc::from(name), ty, switch_is: None, format: None };
    let param = Parameter { input: false, output: true, field };
    let operation =
        Operation { opnum: 0, name: Arc::from(name), params: vec![param], returns: None };
    let mut made = ndr::build(types, &operation, Direction::Out, &[(name, arg)])?;
    Ok(made.params.pop().map(|(_, value)| value).unwrap_or_default())
}

/// Octets of the two headers of a serialized type.
const HEADERS: usize = 16;

/// A value with the headers of type serialization version 1 (\[MS-RPCE\] 2.2.6), little-endian.
fn serialized(types: &Types, name: &str, arg: Arg) -> Result<Vec<u8>, Unencodable> {
    let mut body = Vec::new();
    if let Some(ty) = types.named(name) {
        let value = value(types, name, arg)?;
        let context = Context { syntax: Syntax::Ndr, order: Order::Little };
        ndr::encode_type(types, ty, &value, context, &mut body)?;
    }
    body.resize(body.len().next_multiple_of(8), 0);
    let mut out = vec![1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc];
    out.extend(clamp(body.len()).to_le_bytes());
    out.extend([0; 4]);
    out.extend(body);
    Ok(out)
}

/// The octets of activation properties, `pObjectData` of a custom reference: each by the name of its
/// type, in their order (\[MS-DCOM\] 2.2.22).
pub fn properties(types: &Types, list: &[(&str, Arg)]) -> Result<Vec<u8>, Unencodable> {
    let (mut classes, mut sizes, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
    for (ty, arg) in list {
        let known = PROPERTIES.iter().find(|(.., of)| of == ty);
        let mut arg = arg.clone();
        if *ty == "InstantiationInfoData" {
            // It says how long it is, which does not depend on that.
            let size = serialized(types, ty, arg.clone())?.len();
            if let Arg::Record(members) = &mut arg {
                members.push(("thisSize".to_owned(), clamp(size).into()));
            }
        }
        let body = serialized(types, ty, arg)?;
        classes.push(Arg::from(known.map(|(class, ..)| *class).unwrap_or_default()));
        sizes.push(Arg::from(clamp(body.len())));
        bodies.extend(body);
    }
    let header = |header: usize, total: usize| {
        record([
            ("totalSize", clamp(total).into()),
            ("headerSize", clamp(header).into()),
            // MSHCTX_DIFFERENTMACHINE
            ("destCtx", 2u32.into()),
            ("cIfs", clamp(list.len()).into()),
            ("pclsid", Arg::List(classes.clone())),
            ("pSizes", Arg::List(sizes.clone())),
        ])
    };
    let size = serialized(types, "CustomHeader", header(0, 0))?.len();
    let total = size.saturating_add(bodies.len());
    let mut out = Vec::with_capacity(total.saturating_add(HEADERS));
    out.extend(clamp(total).to_le_bytes());
    out.extend([0; 4]);
    out.extend(serialized(types, "CustomHeader", header(size, total))?);
    out.extend(bodies);
    Ok(out)
}

/// An extension of `ORPCTHIS` or `ORPCTHAT`: its identifier and octets, which are filled up to whole
/// units of eight (\[MS-DCOM\] 2.2.21.1).
pub type Extension = (Guid, Vec<u8>);

/// The members of an `ORPC_EXTENT_ARRAY`.
pub fn extensions(list: &[Extension]) -> Arg {
    let mut extents: Vec<Arg> = Vec::new();
    for (id, data) in list {
        let mut octets = data.clone();
        octets.resize(octets.len().next_multiple_of(8), 0);
        extents.push(record([
            ("id", (*id).into()),
            ("size", clamp(data.len()).into()),
            ("data", Arg::Bytes(octets)),
        ]));
    }
    extents.resize(extents.len().next_multiple_of(2), Arg::Null);
    record([
        ("size", clamp(list.len()).into()),
        ("reserved", 0u32.into()),
        ("extent", Arg::List(extents)),
    ])
}

/// The extension that carries the text of an error (\[MS-DCOM\] 2.2.21.2).
pub fn error(iid: Guid, source: &str, description: &str) -> Extension {
    let mut out = Vec::new();
    out.extend([0; 8]);
    out.extend(iid.to_bytes_le());
    for text in [source, description] {
        let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let len = clamp(units.len()).to_le_bytes();
        out.extend(u32::MAX.to_le_bytes());
        out.extend(len);
        out.extend([0; 4]);
        out.extend(len);
        out.extend(units.into_iter().flat_map(u16::to_le_bytes));
    }
    // No file of help.
    out.extend([0; 4]);
    (CLSID_ERROR_EXTENSION, Objref::Custom(CLSID_ERROR_OBJECT, out).octets(CLSID_ERROR_OBJECT))
}
