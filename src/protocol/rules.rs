//! `rules.toml`: what the IDL cannot say, bound to the types it says it of.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::idl::{Error, Format, Module, Names, NamesKind, Operation};

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    #[serde(default)]
    table: BTreeMap<String, Table>,
    #[serde(default)]
    bind: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    status: BTreeMap<String, u32>,
    #[serde(default)]
    success: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    #[serde(default)]
    instance: Instance,
    #[serde(default)]
    filter: Filter,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: TableKind,
    #[serde(default)]
    bits: BTreeMap<String, u64>,
    #[serde(default)]
    values: BTreeMap<String, i64>,
    #[serde(default)]
    beside: Vec<Spanned<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TableKind {
    Enumeration,
    Flags,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Instance {
    #[serde(default)]
    parameters: Vec<String>,
}

/// What filters call things beside what the IDL does.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    protocol: Option<String>,
    #[serde(default)]
    also: BTreeMap<String, String>,
}

/// What the rules of a folder say besides names.
#[derive(Clone, Debug, Default)]
pub(super) struct Bound {
    pub status: Arc<Names>,
    pub instance: Arc<[Arc<str>]>,
    pub success: Arc<[(Arc<str>, u32)]>,
    pub protocol: Option<Arc<str>>,
    pub also: Arc<[(Arc<str>, Arc<str>)]>,
}

/// Parses a file.
pub(super) fn parse(file: &str, text: &str) -> Result<Rules, Error> {
    toml::from_str(text).map_err(|error| in_toml(file, text, &error))
}

/// What the parser of TOML says, as an error of ours.
pub(crate) fn in_toml(file: &str, text: &str, error: &toml::de::Error) -> Error {
    let at = error.span().map_or(0, |span| span.start);
    let message = error.message().lines().collect::<Vec<_>>().join("; ");
    Error::at(file, text, at, message)
}

impl Rules {
    /// The status codes alone, as a table of `name`.
    pub(super) fn status(&self, name: &str) -> Names {
        let mut values: Vec<(i64, Arc<str>)> =
            self.status.iter().map(|(name, code)| ((*code).into(), name.as_str().into())).collect();
        values.sort();
        Names { name: name.into(), kind: NamesKind::Status, values, ..Names::default() }
    }

    /// Binds everything to the types and operations of a folder; `common` names other statuses.
    pub(super) fn bind(
        &self,
        file: &str,
        text: &str,
        modules: &mut [Module],
        common: &Names,
    ) -> Result<Bound, Error> {
        let error = |at: &Spanned<String>, message: String| {
            Err(Error::at(file, text, at.span().start, message))
        };
        let status = Arc::new(self.status("status"));
        let mut all = status.as_ref().clone();
        let known = |(code, _): &&(i64, Arc<str>)| status.value(*code).is_none();
        all.values.extend(common.values.iter().filter(known).cloned());
        let statuses = Format::Names(Arc::new(all));
        self.bind_status(modules, &statuses);
        let mut tables = BTreeMap::new();
        for (name, table) in &self.table {
            for bit in &table.beside {
                if !table.bits.contains_key(bit.get_ref()) {
                    return error(bit, format!("`{}` is none of the bits", bit.get_ref()));
                }
            }
            tables.insert(name.as_str(), Format::Names(Arc::new(table.names(name))));
        }
        for (what, how) in &self.bind {
            let format = match how.get_ref().as_str() {
                "decimal" => Format::Decimal,
                "hex" => Format::Hex,
                "boolean" => Format::Boolean,
                "filetime" => Format::FileTime,
                "status" => statuses.clone(),
                name => match tables.get(name) {
                    Some(format) => format.clone(),
                    None => {
                        return error(
                            how,
                            format!(
                                "expected decimal, hex, boolean, filetime, status or the name of \
                                 a table, found `{name}`"
                            ),
                        );
                    }
                },
            };
            if !bind_one(modules, what.get_ref(), &format) {
                return error(
                    what,
                    format!(
                        "expected Operation.Parameter, Operation.return, Type or Type.Member of \
                         this folder's IDL, found `{}`",
                        what.get_ref()
                    ),
                );
            }
        }
        let mut success = Vec::new();
        for (operation, codes) in &self.success {
            let exists = modules
                .iter()
                .flat_map(|module| &module.interfaces)
                .flat_map(|interface| &interface.operations)
                .any(|op| &*op.name == operation.get_ref().as_str());
            if !exists {
                return error(
                    operation,
                    format!("there is no operation `{}`", operation.get_ref()),
                );
            }
            for code in codes {
                let value = |names: &Names| {
                    let found = names.values.iter().find(|(_, n)| &**n == code.get_ref().as_str());
                    found.and_then(|(value, _)| u32::try_from(*value).ok())
                };
                let Some(value) = value(&status).or_else(|| value(common)) else {
                    return error(code, format!("there is no status `{}`", code.get_ref()));
                };
                success.push((operation.get_ref().as_str().into(), value));
            }
        }
        Ok(Bound {
            status,
            instance: self.instance.parameters.iter().map(|name| name.as_str().into()).collect(),
            success: success.into(),
            protocol: self.filter.protocol.as_deref().map(Into::into),
            also: {
                let also = self.filter.also.iter();
                also.map(|(also, name)| (also.as_str().into(), name.as_str().into())).collect()
            },
        })
    }

    /// What an operation returns in 32 bits is a status, unless bound otherwise.
    fn bind_status(&self, modules: &mut [Module], format: &Format) {
        if self.status.is_empty() {
            return;
        }
        for field in operations(modules).filter_map(|op| op.returns.as_mut()) {
            field.format = Some(format.clone());
        }
    }
}

impl Table {
    fn names(&self, name: &str) -> Names {
        let mut bits: Vec<(u64, Arc<str>)> =
            self.bits.iter().map(|(name, bit)| (*bit, name.as_str().into())).collect();
        bits.sort();
        let mut values: Vec<(i64, Arc<str>)> =
            self.values.iter().map(|(name, value)| (*value, name.as_str().into())).collect();
        values.sort();
        let beside = self.beside.iter().filter_map(|b| self.bits.get(b.get_ref()));
        Names {
            name: name.into(),
            kind: match self.kind {
                TableKind::Enumeration => NamesKind::Enumeration,
                TableKind::Flags => NamesKind::Flags,
            },
            values,
            bits,
            beside: beside.fold(0, |all, bit| all | bit),
        }
    }
}

fn operations(modules: &mut [Module]) -> impl Iterator<Item = &mut Operation> {
    modules
        .iter_mut()
        .flat_map(|module| &mut module.interfaces)
        .flat_map(|interface| &mut interface.operations)
}

/// Binds `Type`, `Type.Member`, `Operation.Parameter` or `Operation.return`; false if none exists.
fn bind_one(modules: &mut [Module], what: &str, format: &Format) -> bool {
    let (of, member) = match what.split_once('.') {
        Some((of, member)) => (of, Some(member)),
        None => (what, None),
    };
    let mut found = false;
    for module in modules.iter_mut() {
        found |= module.types.bind(of, member, format);
    }
    for operation in operations(modules).filter(|op| &*op.name == of) {
        let params = operation.params.iter_mut().map(|param| &mut param.field);
        for field in params.chain(&mut operation.returns) {
            if Some(&*field.name) == member {
                field.format = Some(format.clone());
                found = true;
            }
        }
    }
    found
}
