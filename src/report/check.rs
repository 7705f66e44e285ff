//! What the judge says, for a person: what became of what was wanted and why, the findings, and
//! what there is to say of all of it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::Arc;

use anstyle::Style;

use super::brief::short;
pub use super::finding::{Options, Scene};
use super::finding::{Remark, profile_name};
use super::opening::{self, Line};
pub use super::outcome::nothing_judged;
use super::outcome::{judged, operation, verdict};
use super::prose::{len, list, wrapped};
use crate::bytes::{Time, millionths, printable};
use crate::check::{Blame, Finding, Operation, Report, ServerReport, SetReport, Severity};

/// Findings that are alike are all shown if they are no more than this, unless they are notes;
/// otherwise only the first.
const ALIKE: usize = 3;
/// Calls that are named of those that are not shown.
const MOST_CALLS: usize = 16;
/// Groups that are held; findings beyond are counted.
const MAX_GROUPS: usize = 1024;
/// Sets, servers and sentences that are shown.
const MOST_SHOWN: usize = 20;
/// Addresses, shares and states in a line.
const MOST_LISTED: usize = 8;
/// Columns before what the summary says.
const COLUMN: usize = 13;

/// Findings that are told from each other only by where they were found.
type Alike = (Arc<str>, IpAddr, Blame, Severity, Option<Arc<str>>);

#[derive(Debug)]
struct Group {
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

    /// Takes a finding.
    pub fn finding(&mut self, finding: Finding, out: &mut dyn Write) -> io::Result<()> {
        if self.live {
            return self.scene.write(&finding, None, out);
        }
        let alike = (
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
            self.groups.push(Group { shown: Vec::new(), others: 0, calls: Vec::new() });
        }
        if let Some(group) = self.groups.get_mut(place) {
            group.take(finding);
        }
        Ok(())
    }

    /// Writes what is held.
    fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.places.clear();
        let mut groups = std::mem::take(&mut self.groups);
        groups.sort_by_key(|group| {
            group.shown.first().map(|first| (Reverse(first.severity), first.known.is_some()))
        });
        for group in groups {
            let more = group.more();
            let shown = if more.is_some() { 1 } else { ALIKE };
            for finding in group.shown.iter().take(shown) {
                self.scene.write(finding, more.clone(), out)?;
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
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for server in &report.servers {
            for address in &server.addresses {
                self.scene.name(*address, server.name.as_deref());
            }
        }
        let nothing = nothing_judged(report, findings);
        for Line { head, text, colour } in opening::lines(report, &self.scene) {
            self.headed(head, colour, &text, Style::new(), out)?;
        }
        if let Some(nothing) = nothing.as_deref().filter(|_| report.servers.is_empty()) {
            self.line("judged", nothing, Style::new(), out)?;
            return self.unseen(report, out);
        }
        writeln!(out)?;
        self.flush(out)?;
        let (said, colour) = operation(report.operation);
        self.line("operation", said, colour, out)?;
        for (n, conformance) in report.conformance.iter().enumerate() {
            let (said, colour) = verdict(conformance);
            self.line(if n == 0 { "conformance" } else { "" }, &said, colour, out)?;
        }
        let servers = report.servers.iter().map(|server| (self.server(server), Style::new()));
        self.lines("server", servers.collect(), out)?;
        let sets = report.sets.iter().map(|set| (self.set(set), operation(set.outcome).1));
        self.lines("set", sets.collect(), out)?;
        self.unseen(report, out)?;
        let judged = nothing.unwrap_or_else(|| judged(report, self.scene.rules()));
        self.line("judged", &judged, Style::new(), out)
    }

    /// What could not be seen.
    fn unseen(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let unseen = report.unreadable.iter().map(|said| (printable(said), Style::new()));
        self.lines("not seen", unseen.collect(), out)
    }

    /// Several lines with one heading.
    fn lines(
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

    fn set(&self, set: &SetReport) -> String {
        let shares: Vec<String> = set.shares.iter().map(|share| printable(share)).collect();
        let shares = if shares.is_empty() { String::new() } else { list(&shares, MOST_LISTED) };
        let start = set.states.first().map(|(time, ..)| *time);
        let mut states: Vec<String> = set
            .states
            .iter()
            .map(|(time, state, _)| match start {
                Some(start) if start != *time => format!("{state} +{}s", seconds(*time, start)),
                _ => format!("{state} {}", self.scene.clock(*time)),
            })
            .collect();
        if set.outcome == Operation::Failed
            && set.states.last().is_none_or(|(_, s, _)| *s != "gone")
        {
            states.push("gone".to_owned());
        }
        let states = match states.len().checked_sub(MOST_LISTED) {
            Some(more @ 1..) => {
                let kept: Vec<String> = states.into_iter().skip(more).collect();
                format!("{more} states, then {}", kept.join(" → "))
            }
            _ => states.join(" → "),
        };
        let parts = [shares, short(set.id), states];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}; {}", operation(set.outcome).0, parts.join("; "))
    }
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

fn seconds(time: Time, since: Time) -> String {
    let text = millionths(time.since(since) / 1000);
    text.get(..text.len().saturating_sub(3)).unwrap_or_default().to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::bytes::{Guid, is_invisible};
    use crate::check::{Catalogue, Conformance, Tally, Verdict};
    use crate::protocol::Registry;
    use crate::report::finding::tests::finding;
    use crate::report::text::TimeStyle;

    /// A report in which there is everything.
    pub(crate) fn report() -> Report {
        let time = |ms: i128| Time::from_nanos(1_795_369_758_000_000_000 + ms * 1_000_000);
        let tally = |rule: &str, passed, failed, not_evaluable, why: Option<&str>| Tally {
            rule: rule.into(),
            passed,
            failed,
            not_evaluable,
            why: why.map(str::to_owned),
        };
        let conformance = |profile: &str, verdict, errors, notes| Conformance {
            profile: profile.into(),
            verdict,
            errors,
            warnings: 1,
            notes,
            deviations: u64::from(profile == "samba"),
        };
        Report {
            conformance: vec![
                conformance("samba", Verdict::Inconclusive, 0, 3),
                conformance("spec", Verdict::Fail, 1, 2),
            ],
            servers: vec![ServerReport {
                addresses: vec!["10.0.1.1".parse().unwrap(), "fd00::1".parse().unwrap()],
                name: Some("FS1".into()),
                profile: "samba".into(),
                recognised: "its negotiation offers what Samba does".into(),
                clients: vec!["10.0.0.1".parse().unwrap()],
                all_clients: false,
            }],
            sets: vec![SetReport {
                id: Guid::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
                client_id: None,
                server: "10.0.1.1".parse().unwrap(),
                client: Some("10.0.0.1".parse().unwrap()),
                shares: vec!["\\\\FS1\\vol1".into(), "\\\\FS1\\\u{1b}c".into()],
                context: Some(0x10),
                states: vec![
                    (time(123), "Started", 3),
                    (time(124), "Added", 4),
                    (time(61_123), "CreationInProgress", 5),
                ],
                outcome: Operation::Failed,
            }],
            tallies: vec![
                tally("FSRVP-3.1.4.5-03", 12, 2, 1, Some("the time-out could not be read")),
                tally("FSRVP-3.1.4.10-01", 3, 0, 0, None),
                tally("FSRVP-3.1.4.2-02", 0, 0, 4, Some("the stub is sealed")),
            ],
            judged_calls: 14,
            sealed_calls: 2,
            unreadable: vec!["2 calls are sealed: a key would make them visible".into()],
            attempts: Vec::new(),
            diagnoses: Vec::new(),
            stopped: vec!["10.0.0.1 at 10.0.1.1: the pipe could not be opened".into()],
            operation: Operation::Failed,
        }
    }

    fn write(live: bool, findings: Vec<Finding>, report: &Report) -> (String, String) {
        let registry = Registry::embedded().unwrap();
        let rules = Catalogue::default();
        let options = Options { time: TimeStyle::Utc, width: 80 };
        let mut list = CheckList::new(Scene::new(&registry, &rules, options), live);
        let text = |out: anstream::StripStream<Vec<u8>>| {
            let text = String::from_utf8(out.into_inner()).unwrap();
            assert!(text.lines().all(|line| !line.chars().any(is_invisible)), "{text:?}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            text
        };
        let (mut before, mut after) =
            (anstream::StripStream::new(Vec::new()), anstream::StripStream::new(Vec::new()));
        let count = len(&findings);
        for finding in findings {
            list.finding(finding, &mut before).unwrap();
        }
        list.finish(report, count, &mut after).unwrap();
        (text(before), text(after))
    }

    #[test]
    fn the_summary_says_how_it_went_and_why_that_is_known() {
        let (_, text) = write(false, Vec::new(), &report());
        let expect = "\
operation    failed
stopped      10.0.0.1 at 10.0.1.1: the pipe could not be opened
conformance  inconclusive by Samba: 0 errors, 1 warning, 3 notes, 1 known
             deviation
             fail by the specification: 1 error, 1 warning, 2 notes
server       FS1 (10.0.1.1, fd00::1): held against Samba (its negotiation offers
             what Samba does); client 10.0.0.1, and maybe others
set          failed; \\\\FS1\\vol1, \\\\FS1\\\\u{1b}c; 01020304…; Started 17:49:18.123Z
             → Added +0.001s → CreationInProgress +61.000s → gone
not seen     2 calls are sealed: a key would make them visible
judged       14 calls, and 2 that are sealed; 1 rule kept, 1 broken, 1 not
             evaluable
";
        assert_eq!(text, expect, "\n{text}");
    }

    #[test]
    fn what_is_alike_is_shown_once() {
        let at = |call: u64, rule: &str| Finding { call: Some(call), ..finding(rule) };
        let mut findings: Vec<_> = (1..=40).map(|call| at(call, "A")).collect();
        findings.extend((50..53).map(|call| at(call, "B")));
        findings.insert(1, Finding { call: None, ..finding("C") });
        let (before, text) = write(false, findings.clone(), &report());
        assert_eq!(before, "");
        let told: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("error[") || line.contains("more like it"))
            .collect();
        let full = |rule: &str| {
            format!(
                "error[{rule}]: CommitShadowCopySet was answered with success 61 s after the \
                 time-out"
            )
        };
        let more = "     = and 39 more like it: calls 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,";
        let b = full("B");
        assert_eq!(told, [&*full("A"), more, &*full("C"), &*b, &*b, &*b]);
        assert!(text.contains("\n       15, 16, 17, and 23 beyond\n\n"), "{text}");
        // Who watches sees each, and at once.
        let (before, text) = write(true, findings, &report());
        assert_eq!(before.lines().filter(|line| line.starts_with("error[")).count(), 44);
        assert!(text.starts_with("operation "), "{text}");
    }

    #[test]
    fn more_groups_than_are_held_are_written() {
        let findings = (0..=MAX_GROUPS).map(|n| finding(&format!("R{n}"))).collect();
        let (before, text) = write(false, findings, &report());
        assert_eq!(before.lines().filter(|line| line.starts_with("error[")).count(), MAX_GROUPS);
        assert!(text.starts_with(&format!("error[R{MAX_GROUPS}]")));
    }

    #[test]
    fn nothing_judged_is_no_health() {
        let nothing = |sealed_calls, operation| Report {
            judged_calls: 0,
            sealed_calls,
            operation,
            ..report()
        };
        let stranger = Report { servers: Vec::new(), ..nothing(0, Operation::None) };
        let (_, text) = write(false, Vec::new(), &stranger);
        let unseen = "not seen     2 calls are sealed: a key would make them visible\n";
        let nothing_at_all =
            "judged       nothing: no call of MS-FSRVP was seen, and no attempt at one\n";
        assert_eq!(text, format!("{nothing_at_all}{unseen}"));
        let (_, text) = write(false, Vec::new(), &nothing(7, Operation::Unknown));
        let sealed = "judged       nothing: all of 7 calls are sealed\n";
        assert!(text.starts_with("operation    unknown\n"), "{text}");
        assert!(text.ends_with(&format!("{unseen}{sealed}")), "{text}");
        // A refusal is something to explain, and so is a finding.
        assert_eq!(nothing_judged(&nothing(0, Operation::Failed), 0), None);
        assert_eq!(nothing_judged(&nothing(0, Operation::Unknown), 1), None);
        // But what can be said of sealed calls is no judgement of them.
        assert!(nothing_judged(&nothing(7, Operation::Unknown), 1).is_some());
    }
}
