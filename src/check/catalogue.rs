//! [`Catalogue`]: the rules of a specification, with a page for each.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::finding::{Blame, Severity};

/// How much of a rule a capture can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Observable {
    /// Decidable from the calls of a complete capture.
    Full,
    /// Decidable sometimes, or with other traffic.
    Partial,
    /// Never.
    No,
}

/// What it takes to decide a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Needs {
    /// Stubs that can be read.
    pub cleartext: bool,
    /// Trustworthy times.
    pub timing: bool,
    /// Several clients.
    pub multi_client: bool,
    /// That the capture has all clients of the server.
    pub all_clients: bool,
    /// The bind, or the logon.
    pub security_context: bool,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `FSRVP-3.1.4.5-03`
    pub id: Arc<str>,
    /// Whose duty it is.
    pub party: Blame,
    /// What it asks for, in a sentence.
    pub statement: String,
    /// How it is checked.
    pub check: String,
    /// Why it matters to somebody whose backup depends on it.
    pub why: String,
    /// How much breaking it matters at most.
    pub severity: Severity,
    /// How much of it a capture can show.
    pub observable: Observable,
    /// What it takes to decide it.
    pub needs: Needs,
    /// A conversation that breaks it, in the scenario language.
    pub counterexample: Option<String>,
    /// One that comes near and does not.
    pub near_miss: Option<String>,
    /// Why it is not checked, if it is not.
    pub left_out: Option<String>,
    /// What was corrected in its examples, and why.
    pub corrected: Option<String>,
}

impl Rule {
    /// Whether it is checked.
    pub fn is_checked(&self) -> bool {
        self.left_out.is_none()
    }

    /// The document, such as `MS-FSRVP`, and the section, such as `3.1.4.5`.
    pub fn section(&self) -> (String, &str) {
        section(&self.id)
    }
}

/// The document and the section that the id of a rule names.
pub fn section(id: &str) -> (String, &str) {
    let mut parts = id.rsplitn(2, '-');
    parts.next();
    let (document, section) =
        parts.next().and_then(|rest| rest.split_once('-')).unwrap_or(("", ""));
    (format!("MS-{document}"), section)
}

/// All rules, by id.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    rules: BTreeMap<Arc<str>, Rule>,
}

impl Catalogue {
    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id)
    }

    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }
}
