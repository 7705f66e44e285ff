//! What the judge says, for a person: what became of what was wanted and why, the findings, and
//! what there is to say of all of it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use anstyle::Style;

pub use super::finding::{Options, Scene};
use super::finding::{Remark, profile_name, style};
use super::gate::Gated;
use super::opening;
pub use super::opening::Line as OpeningLine;
pub use super::outcome::nothing_judged;
use super::outcome::{judged, operation, verdict};
use super::prose::{len, list, wrapped};
pub use super::storage::{Sheet, SheetRow};
use super::{storage, timeline};
use crate::bytes::printable;
use crate::check::{Blame, Finding, Report, ServerReport, Severity};
use crate::gate::Exit;

/// Findings that are alike are all shown if they are no more than this, unless they are notes;
/// otherwise only the first.
const ALIKE: usize = 3;
/// Calls that are named of those that are not shown.
const MOST_CALLS: usize = 16;
/// Groups that are held; findings beyond are counted.
const MAX_GROUPS: usize = 1024;
/// Sets, servers, rows of tables and sentences that are shown.
const MOST_SHOWN: usize = 20;
/// Addresses, shares and states in a line.
const MOST_LISTED: usize = 8;
/// Columns before what the summary says.
const COLUMN: usize = 13;

/// Findings that are told from each other only by where they were found.
type Alike = (bool, Arc<str>, Option<IpAddr>, Blame, Severity, Option<Arc<str>>);

#[derive(Debug)]
struct Group {
    /// Whether they are let pass.
    allowed: bool,
    /// The first of them, no more than [`ALIKE`].
    shown: Vec<Finding>,
    /// The others.
    others: u64,
    /// Calls of all of them, no more than [`MOST_CALLS`] beside the first.
    calls: Vec<u64>,
}

/// Writes findings, and the summary after them.
#[derive(Debug)]
pub struct CheckList<'r> {
    scene: Scene<'r>,
    /// Write findings as they come.
    live: bool,
    /// Findings that are held until all are known, in the order of the first of each group. Added
    /// as they come, no more than [`MAX_GROUPS`]; removed when they are written.
    groups: Vec<Group>,
    /// Where in `groups` those are that are alike.
    places: BTreeMap<Alike, usize>,
    /// Findings for which there was no room.
    beyond: u64,
}

impl<'r> CheckList<'r> {
    /// A list without findings. A `live` one writes them as they come; another shows only the first
    /// of those that are alike.
    pub fn new(scene: Scene<'r>, live: bool) -> Self {
        Self { scene, live, groups: Vec::new(), places: BTreeMap::new(), beyond: 0 }
    }

    /// What times and names are taken from.
    pub fn scene(&mut self) -> &mut Scene<'r> {
        &mut self.scene
    }

    /// Takes a finding, which may be `allowed`: let pass.
    pub fn finding(
        &mut self,
        finding: Finding,
        allowed: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.live {
            return self.scene.write(&finding, allowed, None, out);
        }
        let alike = (
            allowed,
            finding.rule.clone(),
            finding.server,
            finding.party,
            finding.severity,
            finding.known.clone(),
        );
        if self.groups.len() >= MAX_GROUPS && !self.places.contains_key(&alike) {
            self.beyond += 1;
            return Ok(());
        }
        let place = *self.places.entry(alike).or_insert(self.groups.len());
        if place == self.groups.len() {
            let (shown, calls) = (Vec::new(), Vec::new());
            self.groups.push(Group { allowed, shown, others: 0, calls });
        }
        if let Some(group) = self.groups.get_mut(place) {
            group.take(finding);
        }
        Ok(())
    }

    /// The beginning of what there is to say: what was wanted, what stopped it, what to do.
    pub fn opening(&mut self, report: &Report, gated: &Gated<'_>) -> Vec<OpeningLine> {
        for server in &report.servers {
            for address in &server.addresses {
                self.scene.name(*address, server.name.as_deref());
            }
        }
        opening::lines(report, gated, &self.faults(gated), &self.scene)
    }

    /// The findings held that make the run fail, by whose they are.
    fn faults(&self, gated: &Gated<'_>) -> Vec<(Blame, u64)> {
        let mut faults: Vec<(Blame, u64)> = Vec::new();
        for group in self.groups.iter().filter(|group| !group.allowed) {
            let Some(first) = group.shown.first() else { continue };
            if first.known.is_some() || !gated.gate.fail_on.has(first.severity) {
                continue;
            }
            let n = group.others + len(&group.shown);
            match faults.iter_mut().find(|(party, _)| *party == first.party) {
                Some((_, all)) => *all += n,
                None => faults.push((first.party, n)),
            }
        }
        faults
    }

    /// Writes what is held.
    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.places.clear();
        let mut groups = std::mem::take(&mut self.groups);
        groups.sort_by_key(|group| {
            let first = group.shown.first();
            first.map(|of| (group.allowed, Reverse(of.severity), of.known.is_some()))
        });
        for group in groups {
            let more = group.more();
            let shown = if more.is_some() { 1 } else { ALIKE };
            for finding in group.shown.iter().take(shown) {
                self.scene.write(finding, group.allowed, more.clone(), out)?;
            }
        }
        match std::mem::take(&mut self.beyond) {
            0 => Ok(()),
            more => writeln!(out, "and {more} more findings (--json has all)\n"),
        }
    }

    /// Writes what is held, and what there is to say of all of it; `findings` is how many there
    /// were, on this list or not.
    pub fn finish(
        &mut self,
        report: &Report,
        findings: u64,
        gated: &Gated<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let opening = self.opening(report, gated);
        let nothing = nothing_judged(report, findings).map(|nothing| match gated.exit {
            Exit::CouldNotRun => format!("{nothing}, in what could be read"),
            _ => nothing,
        });
        for OpeningLine { head, text, colour, .. } in opening {
            self.headed(head, colour, &text, Style::new(), out)?;
        }
        if let Some(nothing) = nothing.as_deref().filter(|_| report.servers.is_empty()) {
            self.line("judged", nothing, Style::new(), out)?;
            self.unseen(report, out)?;
            return self.gated(report, gated, out);
        }
        self.unseen(report, out)?;
        writeln!(out)?;
        self.timelines(report, out)?;
        self.flush(out)?;
        self.storage(report, out)?;
        let (said, colour) = operation(report.operation);
        let said = match stopper(report) {
            Some(title) => format!("{said}: {}", printable(title)),
            None => said.to_owned(),
        };
        self.line("operation", &said, colour, out)?;
        for (n, conformance) in report.conformance.iter().enumerate() {
            let (said, colour) = verdict(conformance);
            self.line(if n == 0 { "conformance" } else { "" }, &said, colour, out)?;
        }
        let servers = report.servers.iter().map(|server| (self.server(server), Style::new()));
        self.lines("server", servers.collect(), out)?;
        let judged = nothing.unwrap_or_else(|| judged(report, self.scene.rules()));
        self.line("judged", &judged, Style::new(), out)?;
        self.gated(report, gated, out)
    }

    /// What was asked of each set, and when.
    fn timelines(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let red = style(Severity::Error);
        for set in report.sets.iter().take(MOST_SHOWN) {
            let (head, rows) = timeline::rows(set, &self.scene);
            self.headed("timeline", Style::new().bold(), &head, Style::new(), out)?;
            for row in rows {
                let colour = if row.failed { red } else { Style::new() };
                let mark = if row.failed { "!" } else { " " };
                let place = format!("{mark} {}", row.place);
                let indent = " ".repeat(place.chars().count());
                let lines = wrapped(&place, &indent, &row.text, self.scene.options.width);
                for line in lines {
                    writeln!(out, "{colour}{line}{colour:#}")?;
                }
            }
            writeln!(out)?;
        }
        match report.sets.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => writeln!(out, "and {more} more shadow copy sets (--json has all)\n"),
        }
    }

    /// What is stored where, as tables.
    pub fn sheets(&self, report: &Report) -> Vec<Sheet> {
        storage::sheets(report, &self.scene)
    }

    /// What is stored where.
    fn storage(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        for mut sheet in self.sheets(report) {
            let beyond = sheet.rows.len().saturating_sub(MOST_SHOWN);
            sheet.rows.truncate(MOST_SHOWN);
            let head = Style::new().bold();
            writeln!(out, "{head}{}{head:#}", sheet.head)?;
            for line in sheet.told(self.scene.options.width.saturating_sub(2)) {
                writeln!(out, "  {line}")?;
            }
            match beyond {
                0 => writeln!(out)?,
                more => writeln!(out, "  and {more} more (--json has all)\n")?,
            }
        }
        Ok(())
    }

    /// What could not be seen.
    fn unseen(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let unseen = report.unreadable.iter().map(|said| (printable(said), Style::new()));
        self.lines("not seen", unseen.collect(), out)
    }

    /// Several lines with one heading.
    pub(super) fn lines(
        &self,
        head: &str,
        lines: Vec<(String, Style)>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let beyond = lines.len().saturating_sub(MOST_SHOWN);
        for (n, (line, colour)) in lines.into_iter().take(MOST_SHOWN).enumerate() {
            self.line(if n == 0 { head } else { "" }, &line, colour, out)?;
        }
        match beyond {
            0 => Ok(()),
            more => self.line("", &format!("and {more} more (--json has all)"), Style::new(), out),
        }
    }

    /// A heading and what it is about; `colour` is that of what stands before the first space.
    fn line(&self, head: &str, text: &str, colour: Style, out: &mut dyn Write) -> io::Result<()> {
        self.headed(head, Style::new().dimmed(), text, colour, out)
    }

    /// A heading with its colour, and what it is about.
    fn headed(
        &self,
        head: &str,
        dim: Style,
        text: &str,
        colour: Style,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let indent = format!("{:<COLUMN$}", "");
        let lines = wrapped(&indent, &indent, text, self.scene.options.width);
        for (n, line) in lines.iter().enumerate() {
            let line = line.get(COLUMN..).unwrap_or_default();
            if n == 0 {
                let (first, rest) = line.split_at(line.find([' ', ';']).unwrap_or(line.len()));
                writeln!(out, "{dim}{head:<COLUMN$}{dim:#}{colour}{first}{colour:#}{rest}")?;
            } else {
                writeln!(out, "{indent}{line}")?;
            }
        }
        Ok(())
    }

    fn server(&self, server: &ServerReport) -> String {
        let addresses = list(&server.addresses, MOST_LISTED);
        let name = match &server.name {
            Some(name) => format!("{} ({addresses})", printable(name)),
            None => addresses,
        };
        let clients: Vec<String> = server.clients.iter().map(|ip| self.scene.host(*ip)).collect();
        let all = if server.all_clients { ", which are all" } else { ", and maybe others" };
        let clients = match clients.len() {
            0 => String::new(),
            1 => format!("; client {}{}", clients.concat(), all.replace("are all", "is all")),
            _ => format!("; clients {}{all}", list(&clients, MOST_LISTED)),
        };
        let profile = profile_name(&server.profile);
        format!("{name}: held against {profile} ({}){clients}", printable(&server.recognised))
    }
}

/// What stopped the first attempt that nothing made good.
fn stopper(report: &Report) -> Option<&str> {
    if !report.operation.came_to_nothing() {
        return None;
    }
    let mut lasting = report.attempts.iter().filter(|of| of.is_lasting());
    let diagnosis = lasting.find_map(|of| report.diagnoses.get(of.diagnosis?))?;
    Some(&diagnosis.title)
}

impl Group {
    fn take(&mut self, finding: Finding) {
        if self.calls.len() <= MOST_CALLS {
            self.calls.extend(finding.call);
        }
        let most = if finding.severity == Severity::Note { 1 } else { ALIKE };
        if self.shown.len() < most {
            self.shown.push(finding);
        } else {
            self.others += 1;
        }
    }

    /// How many more there are like the first, and where, if only that is shown.
    fn more(&self) -> Option<Remark> {
        let first = self.shown.first().filter(|_| self.others > 0)?;
        let more = self.others + len(&self.shown) - 1;
        let calls = self.calls.get(usize::from(first.call.is_some())..).unwrap_or_default();
        let calls = match (calls, more.saturating_sub(len(calls))) {
            ([], _) => "at no call".to_owned(),
            ([call], 0) => format!("call {call}"),
            (calls, 0) => format!("calls {}", list(calls, MOST_CALLS)),
            (calls, beyond) => format!("calls {}, and {beyond} beyond", list(calls, MOST_CALLS)),
        };
        Some((format!("and {more} more like it"), calls))
    }
}

#[cfg(test)]
#[path = "tests/check.rs"]
pub(super) mod tests;
