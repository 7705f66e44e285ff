//! [`Allowed`]: rules and causes that somebody lets pass.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::check::{Knowledge, section};
use crate::spelling::nearest;

/// Rules and causes that are let pass, as somebody named them.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    all: Vec<Entry>,
}

/// One that was named, and what is meant by it.
#[derive(Clone, Debug)]
struct Entry {
    /// The id, or the section, in its usual form.
    id: String,
    ids: BTreeSet<Arc<str>>,
    /// How often something of it was found.
    found: u64,
}

impl Allowed {
    /// Reads what was typed: the id of a rule, in any form that the catalogue takes; a section, for
    /// its rules and those of the sections in it; the id of a cause; or one of `expectations`.
    pub fn parse(
        typed: &[String],
        knowledge: &Knowledge,
        expectations: &[Arc<str>],
    ) -> Result<Self, String> {
        let mut all: Vec<Entry> = Vec::new();
        for typed in typed {
            let (id, ids) = meant(typed.trim(), knowledge, expectations)
                .ok_or_else(|| unknown(typed.trim(), knowledge, expectations))?;
            if all.iter().all(|known| known.id != id) {
                all.push(Entry { id, ids, found: 0 });
            }
        }
        Ok(Self { all })
    }

    /// Whether what was found under this id is let pass.
    pub(super) fn take(&mut self, id: &str) -> bool {
        let mut allowed = false;
        for entry in self.all.iter_mut().filter(|entry| entry.ids.contains(id)) {
            entry.found += 1;
            allowed = true;
        }
        allowed
    }

    /// What was named, and how often something of it was found.
    pub fn entries(&self) -> impl Iterator<Item = (&str, u64)> {
        self.all.iter().map(|entry| (&*entry.id, entry.found))
    }
}

/// What a word means, in its usual form, and the ids of it.
fn meant(
    typed: &str,
    knowledge: &Knowledge,
    expectations: &[Arc<str>],
) -> Option<(String, BTreeSet<Arc<str>>)> {
    let one = |id: &Arc<str>| (id.to_string(), BTreeSet::from([id.clone()]));
    if let Some(rule) = knowledge.catalogue.get(typed) {
        return Some(one(&rule.id));
    }
    if let Some(cause) = knowledge.causes.get(typed) {
        return Some(one(&cause.id));
    }
    if let Some(id) = expectations.iter().find(|id| id.eq_ignore_ascii_case(typed)) {
        return Some(one(id));
    }
    family(typed, knowledge)
}

/// The rules of a section and of those within it, if there are any.
fn family(typed: &str, knowledge: &Knowledge) -> Option<(String, BTreeSet<Arc<str>>)> {
    let rules = knowledge.catalogue.family(typed);
    let (document, _) = section(&rules.first()?.id);
    let document = document.strip_prefix("MS-").unwrap_or(&document);
    let of = typed.rsplit('-').next().unwrap_or(typed);
    Some((format!("{document}-{of}"), rules.iter().map(|rule| rule.id.clone()).collect()))
}

fn unknown(typed: &str, knowledge: &Knowledge, expectations: &[Arc<str>]) -> String {
    let causes = knowledge.causes.iter().map(|cause| &*cause.id);
    let others = nearest(typed, causes.chain(expectations.iter().map(|id| &**id)));
    let mut near: Vec<&str> = knowledge.catalogue.nearest(typed);
    near.extend(others.iter().map(String::as_str));
    let near = match &*near {
        [] => "; `vshark rules` lists them".to_owned(),
        near => format!("; the nearest: {}", near.join(", ")),
    };
    format!("there is no rule, section or cause `{typed}`{near}")
}
