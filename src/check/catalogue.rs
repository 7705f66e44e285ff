//! [`Catalogue`]: the rules of a specification, with a page for each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::finding::{Blame, Severity};
use super::load;
use crate::protocol::LoadError;
use crate::spelling;

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

impl Observable {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::No => "no",
        }
    }
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
    /// No more than the opnums, which sealed calls show, too.
    pub opnum_only: bool,
    /// The calls that issued the objects in question, and those that released them.
    pub object_tracking: bool,
}

impl Needs {
    /// The words that rules and JSON have for them.
    pub const WORDS: [&str; 7] = [
        "cleartext",
        "timing",
        "multi-client",
        "all-clients",
        "security-context",
        "opnum-only",
        "object-tracking",
    ];

    /// The flag that has this word.
    pub(super) fn flag(&mut self, word: &str) -> Option<&mut bool> {
        Some(match word {
            "cleartext" => &mut self.cleartext,
            "timing" => &mut self.timing,
            "multi-client" => &mut self.multi_client,
            "all-clients" => &mut self.all_clients,
            "security-context" => &mut self.security_context,
            "opnum-only" => &mut self.opnum_only,
            "object-tracking" => &mut self.object_tracking,
            _ => return None,
        })
    }

    /// The words of what is needed.
    pub fn words(mut self) -> Vec<&'static str> {
        let needed = |word: &&str| self.flag(word).is_some_and(|flag| *flag);
        Self::WORDS.into_iter().filter(needed).collect()
    }
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
    /// How it is checked; empty if a capture never shows it.
    pub check: String,
    /// Why it matters to somebody whose backup depends on it.
    pub why: String,
    /// How much breaking it matters at most.
    pub severity: Severity,
    /// How much of it a capture can show.
    pub observable: Observable,
    /// What it takes to decide it.
    pub needs: Needs,
    /// A conversation that breaks it, in the scenario language; there is one if it is checked.
    pub counterexample: Option<String>,
    /// One that comes near and does not.
    pub near_miss: Option<String>,
    /// Why it is not checked, if it is not.
    pub left_out: Option<String>,
    /// What was corrected in it or in its examples, and why.
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

/// The document that is meant where none is named and several have the section.
const USUAL: &str = "FSRVP";

/// All rules, by document, in the order of their sections.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    rules: BTreeMap<Key, Rule>,
}

impl Catalogue {
    /// The rules that come with the program.
    pub fn embedded() -> Result<Self, LoadError> {
        Self::load(&[])
    }

    /// The embedded rules, and those of each directory, which replace what has the same id.
    ///
    /// A directory holds `rules/*.toml`, or folders that do.
    pub fn load(dirs: &[PathBuf]) -> Result<Self, LoadError> {
        let mut catalogue = Self { rules: load::embedded()? };
        for dir in dirs {
            catalogue.rules.extend(load::directory(dir)?);
        }
        Ok(catalogue)
    }

    /// The rule with this id, in any case, with or without the document in front. Without, it is
    /// that of MS-FSRVP if there is one, and then there may be [`others`](Self::others).
    pub fn get(&self, id: &str) -> Option<&Rule> {
        if let Some(key) = Key::parse(id) {
            return self.rules.get(&key);
        }
        let (section, number) = place(id)?;
        let at = |key: &Key| key.section == section && key.number == number;
        let found = || self.rules.iter().filter(|(key, _)| at(key));
        let usual = found().find(|(key, _)| key.document == USUAL).or_else(|| found().next());
        usual.map(|(_, rule)| rule)
    }

    /// The rules that an id could mean as well which has no document in front: those of this
    /// section and number that [`get`](Self::get) does not return.
    pub fn others(&self, id: &str) -> Vec<&Rule> {
        let (Some((section, number)), Some(one)) = (place(id), self.get(id)) else {
            return Vec::new();
        };
        let is = |key: &Key| key.section == section && key.number == number;
        let found = self.rules.iter().filter(|(key, rule)| is(key) && rule.id != one.id);
        found.map(|(_, rule)| rule).collect()
    }

    /// The rules of a section and of those within it, such as `FSRVP-3.2.4` or `3.2.4`: none if it
    /// has none. Without a document it is that of MS-FSRVP if that has rules there.
    pub fn family(&self, section: &str) -> Vec<&Rule> {
        let (document, of) = match section.rsplit_once('-') {
            Some((document, of)) => (Some(document), of),
            None => (None, section),
        };
        let Some(of) = numbers(of) else { return Vec::new() };
        let within = || self.rules.iter().filter(|(key, _)| key.section.starts_with(&of));
        let has = |named: &str| within().any(|(key, _)| key.document == named);
        let document = match document {
            Some(named) => named.to_ascii_uppercase(),
            None if has(USUAL) => USUAL.to_owned(),
            None => within().next().map(|(key, _)| key.document.clone()).unwrap_or_default(),
        };
        within().filter(|(key, _)| key.document == document).map(|(_, rule)| rule).collect()
    }

    /// Whether `text` has the form of an id, with or without the document in front.
    pub fn is_id(text: &str) -> bool {
        Key::parse(text).is_some() || place(text).is_some()
    }

    /// All of them, in the order of their sections: 3.1.4.2 comes before 3.1.4.10.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// The ids that somebody who wrote `id` probably meant: at most three, of the same section
    /// if there is one.
    pub fn nearest(&self, id: &str) -> Vec<&str> {
        let has_document = id.starts_with(|c: char| c.is_ascii_alphabetic());
        let written = |rule: &Rule| match rule.id.split_once('-') {
            Some((_, rest)) if !has_document => rest.to_owned(),
            _ => rule.id.to_string(),
        };
        let ids: Vec<String> = self.iter().map(written).collect();
        let beside = |other: &&str| match (id.rsplit_once('-'), other.rsplit_once('-')) {
            (Some((section, _)), Some((other, _))) => section.eq_ignore_ascii_case(other),
            _ => false,
        };
        let all = || ids.iter().map(String::as_str);
        let mut near = spelling::nearest(id, all().filter(beside));
        if near.is_empty() {
            near = spelling::nearest(id, all());
        }
        near.iter().filter_map(|id| Some(&*self.get(id)?.id)).collect()
    }
}

/// What an id says, in the order in which rules are read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    document: String,
    section: Vec<u32>,
    number: u32,
}

impl Key {
    /// Of an id with its document, in any case.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let (document, rest) = id.split_once('-')?;
        if !document.starts_with(|c: char| c.is_ascii_alphabetic())
            || !document.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return None;
        }
        let (section, number) = place(rest)?;
        Some(Self { document: document.to_ascii_uppercase(), section, number })
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let section: Vec<String> = self.section.iter().map(u32::to_string).collect();
        write!(f, "{}-{}-{:02}", self.document, section.join("."), self.number)
    }
}

/// Section and number of what follows the document: `3.1.4.5-03`.
fn place(text: &str) -> Option<(Vec<u32>, u32)> {
    let (section, of) = text.split_once('-')?;
    Some((numbers(section)?, number(of)?))
}

/// The numbers of a section, such as `3.1.4`.
fn numbers(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(number).collect()
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedded() -> Catalogue {
        Catalogue::embedded().expect("the embedded rules load")
    }

    #[test]
    fn sections_are_sorted_by_their_numbers() {
        let catalogue = embedded();
        let at = |id: &str| catalogue.iter().position(|rule| &*rule.id == id).expect(id);
        assert!(at("FSRVP-3.1.4.2-20") < at("FSRVP-3.1.4.10-01"));
        assert!(at("FSRVP-3.1.4-14") < at("FSRVP-3.1.4.1-01"));
        assert!(at("FSRVP-1.7-01") < at("FSRVP-6-06"));
    }

    #[test]
    fn an_id_is_found_however_it_is_written() {
        let catalogue = embedded();
        for id in ["FSRVP-3.1.4.5-03", "fsrvp-3.1.4.5-03", "3.1.4.5-03", "3.1.4.5-3"] {
            assert_eq!(catalogue.get(id).map(|rule| &*rule.id), Some("FSRVP-3.1.4.5-03"), "{id}");
        }
        for id in ["", "-", "FSRVP", "3.1.4.5", "3.1.4.5-", "3..5-03", "SCMP-3.1.4.5-03", "3-+1"] {
            assert_eq!(catalogue.get(id), None, "{id}");
        }
        let huge = format!("3.1.4.5-{}", "9".repeat(100));
        assert_eq!(catalogue.get(&huge), None);
    }

    #[test]
    fn a_family_is_a_section_with_all_in_it() {
        let catalogue = embedded();
        let ids = |section: &str| -> Vec<String> {
            catalogue.family(section).iter().map(|rule| rule.id.to_string()).collect()
        };
        assert!(
            ids("3.2.3").len() > 2 && ids("3.2.3").iter().all(|id| id.starts_with("FSRVP-3.2.3-"))
        );
        assert_eq!(ids("fsrvp-3.2.3"), ids("3.2.3"));
        let client = ids("3.2.4");
        assert!(client.iter().any(|id| id.starts_with("FSRVP-3.2.4.3-")), "{client:?}");
        assert!(client.iter().all(|id| id.starts_with("FSRVP-3.2.4")), "{client:?}");
        // 3.1.4.1 is no beginning of 3.1.4.10.
        assert!(ids("3.1.4.1").iter().all(|id| id.starts_with("FSRVP-3.1.4.1-")));
        for none in ["", "FSRVP", "FSRVP-", "SCMP-3.2.2", "3.2.3-", "3.2.", "9.9", "3.2.3-01"] {
            assert!(ids(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn an_unknown_id_has_near_ones() {
        let catalogue = embedded();
        let near = ["FSRVP-3.1.4.13-06", "FSRVP-3.1.4.13-10", "FSRVP-3.1.4.13-11"];
        assert_eq!(catalogue.nearest("fsrvp-3.1.4.13-16"), near);
        assert_eq!(catalogue.nearest("FSRPV-3.1.4.9-09"), ["FSRVP-3.1.4.9-09"]);
        assert_eq!(catalogue.nearest("4.2-02"), ["FSRVP-4.2-01"]);
        assert_eq!(catalogue.nearest("1.6-02"), ["SCMP-1.5-02", "SCMP-1.7-02", "FSRVP-1.9-02"]);
        assert!(catalogue.nearest("nonsense").is_empty());
    }

    #[test]
    fn without_a_document_it_is_the_usual_one_and_the_others_are_told() {
        let catalogue = embedded();
        let id = |id: &str| catalogue.get(id).map(|rule| rule.id.to_string());
        let others = |id: &str| -> Vec<String> {
            catalogue.others(id).iter().map(|rule| rule.id.to_string()).collect()
        };
        assert_eq!(id("1.7-01").as_deref(), Some("FSRVP-1.7-01"));
        assert_eq!(others("1.7-01"), ["SCMP-1.7-01"]);
        assert_eq!(others("2.1-1"), ["DCOM-2.1-01", "SCMP-2.1-01"]);
        assert_eq!(id("3.1.2.1-04").as_deref(), Some("SCMP-3.1.2.1-04"));
        for alone in ["3.1.2.1-04", "FSRVP-1.7-01", "SCMP-1.7-01", "3.1.4.5-03", "9.9-09", "x"] {
            assert!(others(alone).is_empty(), "{alone}");
        }
        let of = |section: &str| {
            catalogue.family(section).iter().map(|rule| rule.section().0).collect::<Vec<_>>()
        };
        assert!(of("3.2.3").iter().all(|document| document == "MS-FSRVP"));
        assert!(!of("3.1.2.1").is_empty());
        assert!(of("3.1.2.1").iter().all(|document| document == "MS-SCMP"));
        assert!(of("scmp-3.2.3").iter().all(|document| document == "MS-SCMP"));
    }

    #[test]
    fn a_rule_knows_its_section() {
        let catalogue = embedded();
        let rule = catalogue.get("FSRVP-3.2.4.2.1-14").expect("it is there");
        assert_eq!(rule.section(), ("MS-FSRVP".to_owned(), "3.2.4.2.1"));
        let rule = catalogue.get("FSRVP-6-03").expect("it is there");
        assert_eq!(rule.section(), ("MS-FSRVP".to_owned(), "6"));
    }
}
