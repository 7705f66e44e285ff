//! `names.toml`: interfaces of which only the names are known.
//!
//! ```toml
//! [[interface]]
//! name = "IObjectExporter"
//! uuid = "99fcfec4-5260-101b-bbcb-00aa0021347a"
//! version = "0.0"
//! object = false     # may be left out; the first method of an object is opnum 3
//! methods = ["ResolveOxid", "SimplePing"]
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::{Grade, Interface};
use crate::bytes::Guid;
use crate::idl::{Error, Operation};

/// Number of the first method of an object interface: \[MS-DCOM\] 3.1.1.5.1 reserves those before
/// it for `IUnknown`, whose methods do not travel.
const AFTER_IUNKNOWN: u16 = 3;

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    interface: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    uuid: Spanned<String>,
    version: Spanned<String>,
    #[serde(default)]
    object: bool,
    methods: Vec<Spanned<String>>,
}

/// The interfaces of a file.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Interface>, Error> {
    let parsed: File =
        toml::from_str(text).map_err(|error| super::rules::in_toml(file, text, &error))?;
    let mut known = BTreeSet::new();
    let mut interfaces = Vec::with_capacity(parsed.interface.len());
    for entry in &parsed.interface {
        let interface = entry.interface(file, text)?;
        if !known.insert((interface.uuid, interface.version.0)) {
            let at = entry.uuid.span().start;
            return Err(Error::at(file, text, at, "this interface is there twice"));
        }
        interfaces.push(interface);
    }
    Ok(interfaces)
}

impl Entry {
    fn interface(&self, file: &str, text: &str) -> Result<Interface, Error> {
        let error = |at: &Spanned<String>, expected: &str| {
            let message = format!("expected {expected}, found `{}`", at.get_ref());
            Error::at(file, text, at.span().start, message)
        };
        let uuid = self.uuid.get_ref().parse::<Guid>();
        let uuid = uuid.map_err(|_| error(&self.uuid, "a UUID"))?;
        let version = version(self.version.get_ref());
        let version = version.ok_or_else(|| error(&self.version, "a version such as 1.0"))?;
        let mut names = BTreeSet::new();
        let mut operations = Vec::with_capacity(self.methods.len());
        let mut opnum = Some(if self.object { AFTER_IUNKNOWN } else { 0 });
        for method in &self.methods {
            let Some(number) = opnum else {
                return Err(error(method, "at most 65536 methods"));
            };
            if !names.insert(method.get_ref()) {
                return Err(error(method, "every method once"));
            }
            let name = Arc::from(method.get_ref().as_str());
            operations.push(Operation { opnum: number, name, params: Vec::new(), returns: None });
            opnum = number.checked_add(1);
        }
        Ok(Interface {
            uuid,
            version,
            name: self.name.as_str().into(),
            protocol: None,
            also: Arc::default(),
            object: self.object,
            grade: Grade::Names,
            operations,
            types: Arc::default(),
            status: Arc::default(),
            instance: Arc::default(),
            success: Arc::default(),
        })
    }
}

/// `major.minor`
fn version(text: &str) -> Option<(u16, u16)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
