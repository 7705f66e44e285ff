//! What is known of each interface: the registry of `dissectors/`, and typed views on top.
//!
//! Takes folders of IDL, `rules.toml` and `names.toml`, embedded or from disk, and gives
//! [`Interface`]s to decode with, or at least to name calls with, by UUID and major version. Above it,
//! [`fsrvp`] and [`scmp`] have the messages of \[MS-FSRVP\] and \[MS-SCMP\] as plain Rust, and [`dcom`]
//! those of \[MS-DCOM\] that tell of objects, with the names of its interfaces and classes. It knows
//! nothing of calls, connections or captures.
//!
//! ```text
//!  *.idl ──idl──► types ──bind──► Interface ──ndr──► Decoded ──serde──► fsrvp::Request
//!  rules.toml ────────────┘
//!  names.toml ──────────────────────► Interface without types
//! ```

pub mod dcom;
pub mod fsrvp;
mod load;
mod names;
mod rules;
pub mod scmp;

use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::bytes::{Guid, View};
use crate::idl::{Names, Operation, Types};
use crate::ndr::{self, Arg, Arguments, Context, Decoded, Direction, Unencodable};

pub(crate) use load::{CAUSES, PAGES, entries, read};
pub use load::{LoadError, read_text};
pub(crate) use rules::in_toml;

/// How well an interface is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grade {
    /// Its messages have types of their own and are judged.
    Typed,
    /// Its IDL is known.
    Idl,
    /// Its name and those of its operations are known, and no types.
    Names,
}

/// One interface, with the types and names to decode and show its calls.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its UUID.
    pub uuid: Guid,
    /// Major and minor version.
    pub version: (u16, u16),
    /// Its name in the IDL.
    pub name: Arc<str>,
    /// The protocol's name in filters, where it is not that of the interface.
    pub protocol: Option<Arc<str>>,
    /// Other names for parameters and members, with the IDL's.
    pub also: Arc<[(Arc<str>, Arc<str>)]>,
    /// A DCOM interface, whose stubs begin with `ORPCTHIS` or `ORPCTHAT`.
    pub object: bool,
    /// How well it is known.
    pub grade: Grade,
    /// Its operations, by opnum.
    pub operations: Vec<Operation>,
    /// The types of its file.
    pub types: Arc<Types>,
    /// Names of its own status codes.
    pub status: Arc<Names>,
    /// Parameters that name the instance a call is about, the strongest first.
    pub instance: Arc<[Arc<str>]>,
    /// Nonzero statuses that are success, by operation.
    success: Arc<[(Arc<str>, u32)]>,
}

impl Interface {
    /// The operation with this number.
    pub fn operation(&self, opnum: u16) -> Option<&Operation> {
        // Operations are in order, but those of IUnknown are not among them.
        let first = self.operations.first()?.opnum;
        let at = usize::from(opnum.checked_sub(first)?);
        self.operations.get(at).filter(|op| op.opnum == opnum)
    }

    /// Whether this status is success: zero, and `S_FALSE` where the operation has it.
    pub fn succeeded(&self, opnum: u16, status: u32) -> bool {
        let name = self.operation(opnum).map(|op| &op.name);
        let also = |(operation, code): &(Arc<str>, u32)| *code == status && Some(operation) == name;
        status == 0 || self.success.iter().any(also)
    }

    /// Decodes the parameters that follow `from` in `stub`; none for an unknown opnum, or where
    /// only names are known.
    pub fn decode(
        &self,
        opnum: u16,
        direction: Direction,
        stub: View<'_>,
        from: u32,
        context: Context,
    ) -> Option<Decoded> {
        let operation = self.operation(opnum).filter(|_| self.grade != Grade::Names)?;
        let types = &self.types;
        Some(ndr::decode(types, operation, direction, stub, from, context))
    }

    /// Makes values of loosely typed arguments; none for an unknown opnum. See [`ndr::build`].
    pub fn build<N: AsRef<str>>(
        &self,
        opnum: u16,
        direction: Direction,
        args: &[(N, Arg)],
    ) -> Option<Result<Arguments, Unencodable>> {
        let operation = self.operation(opnum)?;
        Some(ndr::build(&self.types, operation, direction, args))
    }

    /// Appends arguments to `stub`; none for an unknown opnum. See [`ndr::encode`].
    pub fn encode(
        &self,
        opnum: u16,
        direction: Direction,
        arguments: &Arguments,
        context: Context,
        stub: &mut Vec<u8>,
    ) -> Option<Result<(), Unencodable>> {
        let operation = self.operation(opnum)?;
        let Arguments { params, ret } = arguments;
        let types = &self.types;
        Some(ndr::encode(types, operation, direction, params, ret.as_ref(), context, stub))
    }
}

/// All interfaces known. Loaded once, then only read.
#[derive(Clone, Debug)]
pub struct Registry {
    interfaces: FxHashMap<(Guid, u16), Arc<Interface>>,
    /// Names of status codes that every interface shares.
    common: Arc<Names>,
    /// The types of \[MS-DCOM\], which every object interface uses.
    dcom: Arc<Types>,
}

impl Registry {
    /// The interfaces embedded in the program.
    pub fn embedded() -> Result<Self, LoadError> {
        Self::load(&[])
    }

    /// The embedded interfaces and those of `dirs`, which add or replace by UUID and major version.
    /// A table of names replaces no IDL.
    ///
    /// A directory holds `*.idl`, `rules.toml` and `names.toml`, or folders that do. Imports are looked up in the
    /// same folder, in the folder `common` beside it, and among the embedded common files.
    pub fn load(dirs: &[PathBuf]) -> Result<Self, LoadError> {
        let mut registry = Self {
            interfaces: FxHashMap::default(),
            common: Arc::new(load::common_status()?),
            dcom: Arc::default(),
        };
        for interface in load::embedded(&registry.common)? {
            if interface.uuid == dcom::IREMUNKNOWN {
                registry.dcom = interface.types.clone();
            }
            registry.add(interface);
        }
        for dir in dirs {
            for interface in load::directory(dir, &registry.common)? {
                registry.add(interface);
            }
        }
        Ok(registry)
    }

    fn add(&mut self, interface: Interface) {
        let key = (interface.uuid, interface.version.0);
        let known = self.interfaces.get(&key).is_some_and(|known| known.grade != Grade::Names);
        if known && interface.grade == Grade::Names {
            return;
        }
        self.interfaces.insert(key, Arc::new(interface));
    }

    /// The interface with this UUID and major version.
    pub fn interface(&self, uuid: Guid, major: u16) -> Option<&Arc<Interface>> {
        self.interfaces.get(&(uuid, major))
    }

    /// What is known to have this GUID: an interface of whatever version, a class, a provider.
    pub fn name_of(&self, guid: Guid) -> Option<&str> {
        let other = dcom::NAMES.iter().chain(&scmp::NAMES).find(|(known, _)| *known == guid);
        let property = || dcom::PROPERTIES.iter().find(|(known, ..)| *known == guid);
        let interface = || (0..=3).find_map(|major| self.interface(guid, major));
        let name = other.map(|(_, name)| *name).or_else(|| property().map(|(_, name, _)| *name));
        name.or_else(|| interface().map(|known| &*known.name))
    }

    /// The types of \[MS-DCOM\].
    pub fn dcom(&self) -> &Types {
        &self.dcom
    }

    /// All interfaces, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Interface>> {
        self.interfaces.values()
    }

    /// Names of all status codes, with the codes; a name may have several.
    pub fn statuses(&self) -> impl Iterator<Item = (&str, i64)> {
        let own = self.interfaces.values().flat_map(|interface| &interface.status.values);
        self.common.values.iter().chain(own).map(|(code, name)| (&**name, *code))
    }

    /// The status codes an interface names, or those every interface shares.
    pub fn statuses_of<'a>(
        &'a self,
        interface: Option<&'a Interface>,
    ) -> impl Iterator<Item = (u32, &'a str)> {
        let names = interface.map_or(&self.common, |interface| &interface.status);
        let code = |code: i64| u32::try_from(code).ok();
        names.values.iter().filter_map(move |(value, name)| Some((code(*value)?, &**name)))
    }

    /// Name of a status code: the interface's own, or else the one every interface shares.
    pub fn status_name<'a>(
        &'a self,
        interface: Option<&'a Interface>,
        code: u32,
    ) -> Option<&'a str> {
        let own = interface.and_then(|interface| interface.status.value(code.into()));
        own.or_else(|| self.common.value(code.into())).map(|name| &**name)
    }
}

#[cfg(test)]
mod tests;
