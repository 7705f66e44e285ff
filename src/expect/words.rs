//! The words of the file that are names: methods, statuses, rules, causes.

use std::collections::BTreeSet;
use std::sync::Arc;

use toml::Spanned;
use toml::de::DeValue;

use super::table::{At, Table, meant};
use crate::check::Knowledge;
use crate::idl::Error;
use crate::protocol::{Registry, fsrvp};
use crate::rpc::names::FAULTS;

/// What a call can return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// The method's own status.
    Status(u32),
    /// That of a fault of RPC.
    Fault(u32),
}

/// What is known of the protocol.
#[derive(Clone, Copy)]
pub(super) struct Lore<'a> {
    pub(super) knowledge: &'a Knowledge,
    pub(super) registry: &'a Registry,
}

impl Lore<'_> {
    /// What a name or a number stands for, with the word for it.
    pub(super) fn codes(
        self,
        table: Table<'_>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(String, Vec<Code>), Error> {
        let at = value.span().start;
        let number = match value.get_ref() {
            DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
            DeValue::String(text) if text.contains('+') => None,
            DeValue::String(text) => match text.strip_prefix("0x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            },
            _ => None,
        };
        if let Some(number) = number {
            let name = self.registry.status_name(self.fsrvp(), number);
            let said = name.map_or_else(|| format!("0x{number:08x}"), str::to_owned);
            return Ok((said, vec![Code::Status(number), Code::Fault(number)]));
        }
        let DeValue::String(name) = value.get_ref() else {
            return Err(table.error(at, "expected the name of a status, or a number of 32 bits"));
        };
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        let status = self.registry.statuses().filter(|(other, _)| is(other));
        let mut codes: Vec<Code> =
            status.filter_map(|(_, code)| Some(Code::Status(u32::try_from(code).ok()?))).collect();
        let faults = FAULTS.iter().filter(|(_, other)| is(other));
        let fault = |(code, _): &(u64, _)| Some(Code::Fault(u32::try_from(*code).ok()?));
        codes.extend(faults.filter_map(fault));
        if codes.is_empty() {
            let names = self.registry.statuses().map(|(name, _)| name);
            let hint = meant(name, names.chain(FAULTS.iter().map(|(_, name)| *name)));
            let hint = hint.unwrap_or_else(|| "`ZERO` is success".to_owned());
            return Err(table.error(at, format!("there is no status `{name}`; {hint}")));
        }
        Ok((name.to_string(), codes))
    }

    fn fsrvp(&self) -> Option<&crate::protocol::Interface> {
        self.registry.interface(fsrvp::UUID, fsrvp::VERSION.0).map(|interface| &**interface)
    }

    /// The rules of an id or a section, which must be such that a finding can be of one.
    pub(super) fn rules(
        self,
        table: Table<'_>,
        text: At<&str>,
    ) -> Result<(String, BTreeSet<Arc<str>>), Error> {
        let catalogue = &self.knowledge.catalogue;
        if let Some(rule) = catalogue.get(text.value) {
            if let Some(why) = &rule.left_out {
                let message = format!("{} is not checked: {why}", rule.id);
                return Err(table.error(text.at, message));
            }
            return Ok((rule.id.to_string(), BTreeSet::from([rule.id.clone()])));
        }
        let family = catalogue.family(text.value);
        if family.is_empty() {
            let near = match &*catalogue.nearest(text.value) {
                [] => "; `vshark rules` lists them".to_owned(),
                near => format!("; did you mean `{}`?", near.join("` or `")),
            };
            let message = format!("there is no rule or section `{}`{near}", text.value);
            return Err(table.error(text.at, message));
        }
        let ids = family.iter().filter(|rule| rule.is_checked()).map(|rule| rule.id.clone());
        Ok((format!("section {}", text.value), ids.collect()))
    }

    /// The id of a cause.
    pub(super) fn cause(self, table: Table<'_>, text: At<&str>) -> Result<Arc<str>, Error> {
        let causes = &self.knowledge.causes;
        causes.get(text.value).map(|cause| cause.id.clone()).ok_or_else(|| {
            let hint = meant(text.value, causes.iter().map(|cause| &*cause.id));
            let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            table.error(text.at, format!("there is no cause `{}`{hint}", text.value))
        })
    }
}

/// The number of a method, in whatever case.
pub(super) fn method(table: Table<'_>, name: At<&str>) -> Result<u16, Error> {
    let is = |(_, other): &&(u16, &str)| other.eq_ignore_ascii_case(name.value);
    fsrvp::OPERATIONS.iter().find(is).map(|(opnum, _)| *opnum).ok_or_else(|| {
        let names = || fsrvp::OPERATIONS.iter().map(|(_, name)| *name);
        // `Commit` is how people call CommitShadowCopySet.
        let begins = |of: &&str| {
            of.get(..name.value.len()).is_some_and(|of| of.eq_ignore_ascii_case(name.value))
        };
        let hint = match names().find(begins) {
            Some(long) => format!("did you mean `{long}`?"),
            None => meant(name.value, names())
                .unwrap_or_else(|| "calls of other interfaces are chosen by `where`".to_owned()),
        };
        table.error(name.at, format!("MS-FSRVP has no method `{}`; {hint}", name.value))
    })
}
