//! `JUnit` XML, for the servers that run builds: a suite for what the clients wanted, one for each
//! server with a case for each rule that applied, one for what was expected, one for what could be
//! seen.
//!
//! What makes the exit code 1 is a `failure`, what makes it 2 or 3 an `error`, and nothing else is
//! either. What does not count is in the `system-out` of a case that passed. What could not be told
//! is skipped, with the reason.

mod cases;
mod xml;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use super::finding::Scene;
use super::gate::Gated;
use super::prose::count;
use crate::bytes::Time;
use crate::check::{Catalogue, Finding, Report, Severity};
use crate::gate::{Mark, PREFIX};
use xml::CaseResult;

/// Findings that are told in full of one rule at one server; the others are counted.
const MAX_TOLD: usize = 16;
/// Findings that are told in full.
const MAX_ALL_TOLD: usize = 4096;

/// A rule at a server; an expectation is at none.
type Key = (Option<IpAddr>, Arc<str>);

/// What was found of one rule at one server.
#[derive(Debug, Default)]
struct Held {
    /// Findings that fail the build, and those that do not.
    failing: u64,
    passing: u64,
    /// The first that fails, and how much it matters.
    first: Option<(String, Severity)>,
    /// Texts of those that fail, and of those that do not.
    texts: [Vec<String>; 2],
}

/// Suites that are being filled.
#[derive(Debug)]
pub struct Suites<'r> {
    scene: Scene<'r>,
    /// Added with each finding: no more than there are servers and rules. Nothing is removed.
    held: BTreeMap<Key, Held>,
    /// Rules that were broken together with another one, which has the finding. The same bound.
    also: BTreeMap<Key, Arc<str>>,
    told: usize,
}

/// What stands around the cases.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Names of the inputs.
    pub files: &'a [String],
    /// Time of the first frame.
    pub began: Option<Time>,
    /// The rules.
    pub rules: &'a Catalogue,
    /// Why nothing was judged, if nothing was.
    pub nothing: Option<&'a str>,
}

impl<'r> Suites<'r> {
    /// Suites without cases.
    pub fn new(scene: Scene<'r>) -> Self {
        Self { scene, held: BTreeMap::new(), also: BTreeMap::new(), told: 0 }
    }

    /// What times and names are taken from.
    pub fn scene(&mut self) -> &mut Scene<'r> {
        &mut self.scene
    }

    /// Takes a finding: whether it `fails` the build, and whether it is `shown`.
    pub fn finding(
        &mut self,
        finding: &Finding,
        mark: Mark,
        fails: bool,
        shown: bool,
    ) -> io::Result<()> {
        let server = finding.server.filter(|_| !finding.rule.starts_with(PREFIX));
        for rule in &finding.also {
            let key = (server, rule.clone());
            self.also.entry(key).or_insert_with(|| finding.rule.clone());
        }
        let text = self.text(finding, mark)?;
        let held = self.held.entry((server, finding.rule.clone())).or_default();
        if fails {
            held.failing += 1;
            held.first.get_or_insert_with(|| (finding.message.clone(), finding.severity));
        } else {
            held.passing += 1;
        }
        let [failing, passing] = &mut held.texts;
        let texts = if fails { failing } else { passing };
        if shown && texts.len() < MAX_TOLD && self.told < MAX_ALL_TOLD {
            texts.push(text);
            self.told += 1;
        }
        Ok(())
    }

    /// All there is to say of a finding, in lines.
    fn text(&self, finding: &Finding, mark: Mark) -> io::Result<String> {
        let mut out = anstream::StripStream::new(Vec::new());
        self.scene.write(finding, mark.allowed, None, &mut out)?;
        let mut text = String::from_utf8_lossy(&out.into_inner()).trim_end().to_owned();
        if mark.is_known() {
            text.push_str("\n     = known: it is in the baseline");
        }
        text.push_str("\n     = fingerprint: ");
        text.push_str(&finding.fingerprint);
        text.push('\n');
        Ok(text)
    }

    /// Writes all suites.
    pub fn finish(
        mut self,
        report: &Report,
        of: &Gated<'_>,
        frame: Frame<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for server in &report.servers {
            for address in &server.addresses {
                self.scene.name(*address, server.name.as_deref());
            }
        }
        xml::write(&self.suites(report, of, frame), out)
    }
}

impl Held {
    /// What became of its rule, and what is to be said of what fails nothing.
    fn result(&self) -> (CaseResult, String) {
        let [failing, passing] = &self.texts;
        let out = told(passing, self.passing);
        let result = match &self.first {
            None => CaseResult::Passed,
            Some((message, severity)) => CaseResult::Failed {
                message: match self.failing {
                    1 => message.clone(),
                    n => format!("{message} (and {} more)", n - 1),
                },
                kind: severity.word(),
                text: told(failing, self.failing),
            },
        };
        (result, out)
    }
}

/// Texts one after the other, and how many there are beyond.
fn told(texts: &[String], all: u64) -> String {
    let mut told = texts.join("\n");
    let beyond = all.saturating_sub(super::prose::len(texts));
    if beyond > 0 {
        if !told.is_empty() {
            told.push('\n');
        }
        told.push_str(&count(beyond, "finding"));
        told.push_str(" not shown\n");
    }
    told
}
