//! Every rule with how often it was kept and broken: a sheet that a lab hands to a vendor.
//!
//! ```text
//! [MS-FSRVP] 3.1.4.5
//! FSRVP-3.1.4.5-03      failed               12       2  What the rule asks for
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};

use super::finding::profile_name;
use super::outcome::verdict;
use super::prose::{list, wrapped};
use crate::bytes::{Time, printable};
use crate::check::{Report, Rule, Tally};

/// Columns of a line.
const WIDTH: usize = 100;
/// Columns before the statement of a rule.
const STATEMENT: usize = 54;
/// Addresses and names in a line.
const MOST_LISTED: usize = 8;

/// What became of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It was broken.
    Failed,
    /// It was kept whenever it applied.
    Passed,
    /// It applied, and whether it was kept could not be told.
    NotEvaluable,
    /// It never applied.
    NotExercised,
    /// Nobody looks.
    NotChecked,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Passed, Self::Failed, Self::NotEvaluable, Self::NotExercised, Self::NotChecked];

    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Passed => "passed",
            Self::NotEvaluable => "not_evaluable",
            Self::NotExercised => "not_exercised",
            Self::NotChecked => "not_checked",
        }
    }

    fn style(self) -> Style {
        let colour = |colour| Style::new().fg_color(Some(Color::Ansi(colour)));
        match self {
            Self::Failed => colour(AnsiColor::Red).bold(),
            Self::Passed => colour(AnsiColor::Green),
            Self::NotEvaluable => colour(AnsiColor::Yellow),
            Self::NotExercised | Self::NotChecked => Style::new().dimmed(),
        }
    }
}

/// A rule and what became of it.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// What became of it.
    pub result: Standing,
    /// How often it was kept.
    pub passed: u64,
    /// How often it was broken.
    pub failed: u64,
    /// How often that could not be told.
    pub not_evaluable: u64,
    /// Why not, or why nobody looks.
    pub why: Option<&'a str>,
}

/// A row for each rule, in the order of their sections and numbers.
pub fn rows<'a>(rules: impl Iterator<Item = &'a Rule>, tallies: &'a [Tally]) -> Vec<Row<'a>> {
    let tallies: BTreeMap<&str, &Tally> =
        tallies.iter().map(|tally| (&*tally.rule, tally)).collect();
    let mut rows: Vec<Row<'a>> =
        rules.map(|rule| row(rule, tallies.get(&*rule.id).copied())).collect();
    rows.sort_by_cached_key(|row| order(&row.rule.id));
    rows
}

fn row<'a>(rule: &'a Rule, tally: Option<&'a Tally>) -> Row<'a> {
    let (passed, failed, not_evaluable) =
        tally.map_or((0, 0, 0), |tally| (tally.passed, tally.failed, tally.not_evaluable));
    let result = match (failed, passed, not_evaluable) {
        (1.., ..) => Standing::Failed,
        (0, 1.., _) => Standing::Passed,
        (0, 0, 1..) => Standing::NotEvaluable,
        (0, 0, 0) if rule.is_checked() => Standing::NotExercised,
        (0, 0, 0) => Standing::NotChecked,
    };
    let why = match result {
        Standing::NotChecked => rule.left_out.as_deref(),
        _ => tally.filter(|_| not_evaluable > 0).and_then(|tally| tally.why.as_deref()),
    };
    Row { rule, result, passed, failed, not_evaluable, why }
}

/// What ids are ordered by: their numbers as numbers, what stands between them as text.
fn order(id: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = id;
    while !rest.is_empty() {
        let (text, from) =
            rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let digits = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (number, after) = from.split_at(digits);
        parts.push((text.to_owned(), number.parse().unwrap_or(u64::MAX)));
        rest = after;
    }
    parts
}

/// What stands above the table.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// Names of the inputs.
    pub files: &'a [String],
    /// Time of the first and of the last frame.
    pub times: Option<(Time, Time)>,
}

/// Writes the sheet, with colours where they are shown.
pub fn write(
    head: &Head<'_>,
    rows: &[Row<'_>],
    report: &Report,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "Conformance with the rules of vshark {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out)?;
    for file in head.files {
        line("input", &printable(file), out)?;
    }
    if let Some((first, last)) = head.times {
        line("captured", &format!("{} to {}", second(first), second(last)), out)?;
    }
    for server in &report.servers {
        let addresses = list(&server.addresses, MOST_LISTED);
        let name = server.name.as_deref().map(printable);
        let name = name.map_or_else(|| addresses.clone(), |name| format!("{name} ({addresses})"));
        let profile = profile_name(&server.profile);
        let by = printable(&server.recognised);
        line("server", &format!("{name}: held against {profile} ({by})"), out)?;
    }
    for conformance in &report.conformance {
        line("verdict", &verdict(conformance).0, out)?;
    }
    line("rules", &totals(rows), out)?;
    writeln!(out)?;
    let head = "rule                  result          passed  failed  statement";
    let dim = Style::new().dimmed();
    writeln!(out, "{dim}{head}{dim:#}")?;
    let mut before = None;
    for row in rows {
        let section = row.rule.section();
        if before.as_ref() != Some(&section) {
            let (document, section) = &section;
            writeln!(out, "\n[{}] {}", printable(document), printable(section))?;
        }
        before = Some(section);
        write_row(row, out)?;
    }
    Ok(())
}

fn line(head: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let lines = wrapped(&format!("{head:<10}"), &" ".repeat(10), text, WIDTH);
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn write_row(row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (id, result) = (printable(&row.rule.id), row.result.word().replace('_', " "));
    let number = |n: u64| if n == 0 { "-".to_owned() } else { n.to_string() };
    let (passed, failed) = (number(row.passed), number(row.failed));
    let style = row.result.style();
    let indent = " ".repeat(STATEMENT);
    let mut lines = wrapped(&indent, &indent, &printable(&row.rule.statement), WIDTH);
    if row.not_evaluable > 0 || row.why.is_some() {
        let what = match row.not_evaluable {
            0 => "why".to_owned(),
            1 => "not evaluable once".to_owned(),
            n => format!("not evaluable {n} times"),
        };
        let why = row.why.map(|why| format!(": {}", printable(why))).unwrap_or_default();
        lines.extend(wrapped(&indent, &indent, &format!("({what}{why})"), WIDTH));
    }
    for (n, line) in lines.iter().enumerate() {
        let said = line.get(STATEMENT..).unwrap_or_default();
        if n == 0 {
            let numbers = format!("  {passed:>6}  {failed:>6}  {said}");
            writeln!(out, "{id:<20}  {style}{result:<14}{style:#}{}", numbers.trim_end())?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// How many rules became what.
fn totals(rows: &[Row<'_>]) -> String {
    let count = |result| rows.iter().filter(|row| row.result == result).count();
    let each = Standing::ALL.map(|of| format!("{} {}", count(of), of.word().replace('_', " ")));
    format!("{}: {}", rows.len(), each.join(", "))
}

/// Day and second, UTC.
fn second(time: Time) -> String {
    time.timestamp().strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::check::tests::report;
    use crate::report::finding::tests::rule;

    fn sheet_rules() -> Vec<Rule> {
        let mut left_out = rule("FSRVP-3.1.4.2-10");
        left_out.left_out = Some("no capture shows what the server keeps on its disk".into());
        let mut ids: Vec<Rule> =
            ["FSRVP-3.1.4.10-01", "FSRVP-3.1.4.2-02", "FSRVP-3.1.4.2-03", "FSRVP-3.1.4.5-03"]
                .map(rule)
                .into();
        ids.push(left_out);
        for rule in &mut ids {
            rule.statement =
                format!("{} asks for something that takes some words to say.", rule.id);
        }
        ids
    }

    #[test]
    fn a_sheet_has_every_rule() {
        let (rules, report) = (sheet_rules(), report());
        let rows = rows(rules.iter(), &report.tallies);
        let files = ["backup\u{7}.pcapng".to_owned()];
        let time = Time::from_nanos(1_795_369_758_123_456_000);
        let head = Head { files: &files, times: Some((time, time.plus(90_000_000_000))) };
        let mut out = anstream::StripStream::new(Vec::new());
        write(&head, &rows, &report, &mut out).unwrap();
        let text = String::from_utf8(out.into_inner()).unwrap();
        let expect = format!(
            "\
Conformance with the rules of vshark {}

input     backup\\u{{7}}.pcapng
captured  2026-11-22 17:49:18Z to 2026-11-22 17:50:48Z
server    FS1 (10.0.1.1, fd00::1): held against Samba (its negotiation offers what Samba does)
verdict   inconclusive by Samba: 0 errors, 1 warning, 3 notes, 1 known deviation
verdict   fail by the specification: 1 error, 1 warning, 2 notes
rules     5: 1 passed, 1 failed, 1 not evaluable, 1 not exercised, 1 not checked

rule                  result          passed  failed  statement

[MS-FSRVP] 3.1.4.2
FSRVP-3.1.4.2-02      not evaluable        -       -  FSRVP-3.1.4.2-02 asks for something that takes
                                                      some words to say.
                                                      (not evaluable 4 times: the stub is sealed)
FSRVP-3.1.4.2-03      not exercised        -       -  FSRVP-3.1.4.2-03 asks for something that takes
                                                      some words to say.
FSRVP-3.1.4.2-10      not checked          -       -  FSRVP-3.1.4.2-10 asks for something that takes
                                                      some words to say.
                                                      (why: no capture shows what the server keeps
                                                      on its disk)

[MS-FSRVP] 3.1.4.5
FSRVP-3.1.4.5-03      failed              12       2  FSRVP-3.1.4.5-03 asks for something that takes
                                                      some words to say.
                                                      (not evaluable once: the time-out could not be
                                                      read)

[MS-FSRVP] 3.1.4.10
FSRVP-3.1.4.10-01     passed               3       -  FSRVP-3.1.4.10-01 asks for something that
                                                      takes some words to say.
",
            env!("CARGO_PKG_VERSION")
        );
        assert_eq!(text, expect, "\n{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn a_failure_outweighs_what_was_kept() {
        let tally = |passed, failed, not_evaluable| Tally {
            rule: "X".into(),
            passed,
            failed,
            not_evaluable,
            why: None,
        };
        let rule = rule("X");
        let result = |tally: Tally| row(&rule, Some(&tally)).result;
        assert_eq!(result(tally(9, 1, 9)), Standing::Failed);
        assert_eq!(result(tally(1, 0, 9)), Standing::Passed);
        assert_eq!(result(tally(0, 0, 1)), Standing::NotEvaluable);
        assert_eq!(result(tally(0, 0, 0)), Standing::NotExercised);
        assert_eq!(row(&rule, None).result, Standing::NotExercised);
    }
}
