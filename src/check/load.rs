//! Folders of rule pages, embedded or on disk.
//!
//! ```toml
//! [rule."FSRVP-3.1.4.5-03"]
//! party = "server"         # client, server, both, transport
//! severity = "error"       # note, warning, error
//! observable = "full"      # full, partial, no
//! needs = ["cleartext"]    # timing, multi-client, all-clients, security-context, opnum-only,
//!                          # object-tracking
//! statement = "What it asks for, in a sentence."
//! check = "How it is checked."
//! why = "What happens to a backup if it is broken."
//! counterexample = "A:4(S1)=0"
//! near_miss = "A:4(S1)=BAD_STATE"
//! left_out = "Why it is not checked, if it is not."
//! corrected = "What was changed in it or in its examples, and why, if something was."
//! ```
//!
//! A page with `left_out` needs neither `check` nor examples.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::catalogue::{Key, Needs, Observable, Rule};
use super::finding::{Blame, Severity};
use crate::idl::Error;
use crate::protocol::{self, LoadError};
use crate::spelling;

/// The pages of a folder of `dissectors/`.
macro_rules! embed {
    ($folder:literal: $($file:literal)*) => {
        [$((
            concat!($folder, "/rules/", $file),
            include_str!(concat!("../../dissectors/", $folder, "/rules/", $file)),
        )),*]
    };
}

/// The embedded files, of each folder.
const EMBEDDED: [&[(&str, &str)]; 5] = [
    &embed!("ms-fsrvp":
        "types.toml"
        "general.toml"
        "server-3.1.4.1.toml"
        "server-3.1.4.2.toml"
        "server-3.1.4.3.toml"
        "server-3.1.4.4.toml"
        "server-3.1.4.5.toml"
        "server-3.1.4.6.toml"
        "server-3.1.4.7.toml"
        "server-3.1.4.8.toml"
        "server-3.1.4.9.toml"
        "server-3.1.4.10.toml"
        "server-3.1.4.11.toml"
        "server-3.1.4.12.toml"
        "server-3.1.4.13.toml"
        "timer.toml"
        "client.toml"
        "client-3.2.4.1.toml"
        "client-3.2.4.2.toml"
        "client-3.2.4.3.toml"
        "client-3.2.4.4.toml"
        "client-3.2.4.5.toml"
        "client-3.2.4.6.toml"
        "client-3.2.4.7.toml"
        "client-3.2.4.8.toml"
        "client-3.2.4.9.toml"
        "other.toml"
    ),
    &embed!("ms-scmp":
        "general.toml"
        "types.toml"
        "snapshot.toml"
        "volumes.toml"
        "mgmt.toml"
        "mgmt-3.1.1.4.1.toml"
        "mgmt-3.1.1.4.2.toml"
        "mgmt-3.1.1.4.3.toml"
        "enum-object.toml"
        "enum-object-cursor.toml"
        "enum-mgmt.toml"
        "enum-mgmt-cursor.toml"
        "diff.toml"
        "diff-3.1.4.4.2.toml"
        "diff-3.1.4.4.3.toml"
        "diff-3.1.4.4.4.toml"
        "diff-3.1.4.4.5.toml"
        "diff-3.1.4.4.6.toml"
        "client.toml"
    ),
    &embed!("ms-dcom":
        "references.toml"
        "exporter.toml"
    ),
    &embed!("ms-rpce": "protection.toml"),
    &embed!("ms-smb2": "protection.toml"),
];

/// What a page may say.
const KEYS: [&str; 11] = [
    "party",
    "severity",
    "observable",
    "needs",
    "statement",
    "check",
    "why",
    "counterexample",
    "near_miss",
    "left_out",
    "corrected",
];

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: BTreeMap<Spanned<String>, Page>,
}

type Page = BTreeMap<Spanned<String>, Spanned<Value>>;

/// The embedded rules.
pub(super) fn embedded() -> Result<BTreeMap<Key, Rule>, LoadError> {
    let mut rules = Rules::default();
    for (file, text) in EMBEDDED.into_iter().flatten() {
        rules.add(file, text)?;
    }
    Ok(rules.found)
}

/// The rules of `dir/rules/*.toml`, or of such folders in the folders of `dir`.
pub(super) fn directory(dir: &Path) -> Result<BTreeMap<Key, Rule>, LoadError> {
    let mut rules = Rules::default();
    for path in protocol::entries(dir)? {
        if is_pages(&path) {
            rules.add_folder(&path)?;
        } else if path.is_dir() {
            for path in protocol::entries(&path)?.iter().filter(|path| is_pages(path)) {
                rules.add_folder(path)?;
            }
        }
    }
    Ok(rules.found)
}

fn is_pages(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == protocol::PAGES) && path.is_dir()
}

/// The rules of one source, and the files they are from.
#[derive(Default)]
struct Rules {
    found: BTreeMap<Key, Rule>,
    files: BTreeMap<Key, String>,
}

impl Rules {
    fn add_folder(&mut self, dir: &Path) -> Result<(), LoadError> {
        for path in protocol::entries(dir)? {
            if path.extension().is_some_and(|ext| ext == "toml") {
                self.add(&path.display().to_string(), &protocol::read(&path)?)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, file: &str, text: &str) -> Result<(), Error> {
        let source = Source { file, text };
        let parsed: File = toml::from_str(text).map_err(|e| protocol::in_toml(file, text, &e))?;
        for (id, page) in &parsed.rule {
            let key = source.key(id)?;
            if let Some(other) = self.files.get(&key) {
                let place = if other == file { "this file" } else { other.as_str() };
                return source.fail(id, format!("{key} is in {place}, too"));
            }
            let rule = source.rule(id, page)?;
            self.files.insert(key.clone(), file.to_owned());
            self.found.insert(key, rule);
        }
        Ok(())
    }
}

/// A file, for the errors in it.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    pub(super) fn fail<T, U>(
        self,
        at: &Spanned<T>,
        message: impl Into<String>,
    ) -> Result<U, Error> {
        Err(Error::at(self.file, self.text, at.span().start, message))
    }

    fn key(self, id: &Spanned<String>) -> Result<Key, Error> {
        let found = id.get_ref();
        match Key::parse(found).filter(|key| key.to_string() == *found) {
            Some(key) => Ok(key),
            None => {
                self.fail(id, format!("expected an id such as FSRVP-3.1.4.5-03, found `{found}`"))
            }
        }
    }

    fn rule(self, id: &Spanned<String>, page: &Page) -> Result<Rule, Error> {
        for key in page.keys() {
            self.known(key, key.get_ref(), &KEYS)?;
        }
        let observable = self.word(
            id,
            page,
            "observable",
            [Observable::Full, Observable::Partial, Observable::No].map(|of| (of.word(), of)),
        )?;
        let rule = Rule {
            id: id.get_ref().as_str().into(),
            party: self.word(
                id,
                page,
                "party",
                [Blame::Client, Blame::Server, Blame::Both, Blame::Transport]
                    .map(|of| (of.word(), of)),
            )?,
            severity: self.word(
                id,
                page,
                "severity",
                [Severity::Note, Severity::Warning, Severity::Error].map(|of| (of.word(), of)),
            )?,
            observable,
            needs: self.needs(id, page)?,
            statement: self.needed(id, page, "statement")?,
            check: self.text(page, "check")?.unwrap_or_default(),
            why: self.needed(id, page, "why")?,
            counterexample: self.text(page, "counterexample")?,
            near_miss: self.text(page, "near_miss")?,
            left_out: self.text(page, "left_out")?,
            corrected: self.text(page, "corrected")?,
        };
        // What is left out says why; what is checked, how, and what it looks like.
        let wanted: &[&str] = match (observable, &rule.left_out) {
            (Observable::No, _) | (_, Some(_)) => &["left_out"],
            _ => &["check", "counterexample", "near_miss"],
        };
        for key in wanted {
            self.needed(id, page, key)?;
        }
        Ok(rule)
    }

    fn needs(self, id: &Spanned<String>, page: &Page) -> Result<Needs, Error> {
        let expected = || format!("expected a list of {}", alternatives(&Needs::WORDS));
        let value = self.value(id, page, "needs")?;
        let Value::Array(words) = value.get_ref() else {
            return self.fail(value, expected());
        };
        let mut needs = Needs::default();
        for word in words {
            let Value::String(word) = word else {
                return self.fail(value, expected());
            };
            self.known(value, word, &Needs::WORDS)?;
            if let Some(flag) = needs.flag(word) {
                *flag = true;
            }
        }
        Ok(needs)
    }

    fn word<T: Copy, const N: usize>(
        self,
        id: &Spanned<String>,
        page: &Page,
        key: &str,
        words: [(&'static str, T); N],
    ) -> Result<T, Error> {
        let value = self.value(id, page, key)?;
        let found = self.string(value)?;
        self.known(value, found, &words.map(|(word, _)| word))?;
        match words.into_iter().find(|(word, _)| *word == found) {
            Some((_, of)) => Ok(of),
            None => self.fail(value, format!("`{found}` is no {key}")),
        }
    }

    /// A text that has to be there, and to say something.
    fn needed(self, id: &Spanned<String>, page: &Page, key: &str) -> Result<String, Error> {
        let value = self.value(id, page, key)?;
        Ok(self.string(value)?.trim_end().to_owned())
    }

    fn text(self, page: &Page, key: &str) -> Result<Option<String>, Error> {
        let value = page.iter().find(|(found, _)| found.get_ref() == key);
        value.map(|(_, value)| Ok(self.string(value)?.trim_end().to_owned())).transpose()
    }

    fn value<'p>(
        self,
        id: &Spanned<String>,
        page: &'p Page,
        key: &str,
    ) -> Result<&'p Spanned<Value>, Error> {
        match page.iter().find(|(found, _)| found.get_ref() == key) {
            Some((_, value)) => Ok(value),
            None => self.fail(id, format!("{} lacks `{key}`", id.get_ref())),
        }
    }

    fn string(self, value: &Spanned<Value>) -> Result<&str, Error> {
        match value.get_ref() {
            Value::String(text) if !text.trim().is_empty() => Ok(text),
            Value::String(_) => self.fail(value, "expected a text that says something"),
            other => self.fail(value, format!("expected a text, found {}", other.type_str())),
        }
    }

    /// Fails unless `found` is one of `words`.
    pub(super) fn known<T>(
        self,
        at: &Spanned<T>,
        found: &str,
        words: &[&str],
    ) -> Result<(), Error> {
        if words.contains(&found) {
            return Ok(());
        }
        let near = spelling::nearest(found, words.iter().copied());
        let near = match near.first() {
            Some(near) => format!(" (`{near}`?)"),
            None => String::new(),
        };
        self.fail(at, format!("expected {}, found `{found}`{near}", alternatives(words)))
    }
}

/// `a, b or c`
fn alternatives(words: &[&str]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        words => words.join(", "),
    }
}

#[cfg(test)]
#[path = "tests/load.rs"]
mod tests;
