//! The rule catalogue as text: a list, and the page of a rule.

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};

use super::text::cut;
use crate::bytes::printable;
use crate::check::{Blame, Needs, Observable, Rule, Severity};

pub(super) const HEAD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
/// Columns of a paragraph: longer lines are hard to read.
pub(super) const MOST_COLUMNS: usize = 100;

/// Writes a rule a line, cut to `width` where there is one.
pub fn list(rules: &[&Rule], width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let id = rules.iter().map(|rule| rule.id.chars().count()).max().unwrap_or_default();
    for rule in rules {
        let (severity, style) = if rule.is_checked() {
            (rule.severity.word(), colour(rule.severity))
        } else {
            ("left out", DIM)
        };
        let start = format!("{:id$}  {severity:<8}  {:<9}  ", rule.id, rule.party.word());
        let line = format!("{start}{}", printable(&rule.statement));
        writeln!(out, "{style}{}{style:#}", cut(&line, width.unwrap_or(usize::MAX)))?;
    }
    Ok(())
}

fn colour(severity: Severity) -> Style {
    let colour = |colour| Style::new().fg_color(Some(Color::Ansi(colour)));
    match severity {
        Severity::Error => colour(AnsiColor::Red),
        Severity::Warning => colour(AnsiColor::Yellow),
        Severity::Note => Style::new(),
    }
}

/// Writes the page of a rule, its paragraphs broken where there is a `width`.
pub fn page(rule: &Rule, width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { width: width.map(|width| width.min(MOST_COLUMNS)), out };
    let (document, section) = rule.section();
    let style = colour(rule.severity).bold();
    writeln!(page.out, "{style}{}{style:#}", rule.id)?;
    page.lines(&rule.statement, 2)?;
    writeln!(page.out)?;
    page.row("section", &format!("{document} {section}"))?;
    page.row("whose duty", duty(rule.party))?;
    page.row("severity", severity(rule.severity))?;
    page.row("visible", visible(rule.observable))?;
    if rule.needs != Needs::default() {
        page.row("takes", &takes(rule.needs))?;
    }
    if let Some(reason) = &rule.left_out {
        page.paragraph("Not checked", reason)?;
    }
    if !rule.check.is_empty() {
        page.paragraph("How it is checked", &rule.check)?;
    }
    page.paragraph("Why it matters", &rule.why)?;
    if let Some(example) = &rule.counterexample {
        page.example("This breaks it", example)?;
    }
    if let Some(example) = &rule.near_miss {
        page.example("This comes near and does not", example)?;
    }
    if let Some(corrected) = &rule.corrected {
        page.paragraph("What was corrected", corrected)?;
    }
    Ok(())
}

/// Writes, below a page, the rules that somebody could have meant who left the document out.
pub fn others(rules: &[&Rule], width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{HEAD}Other documents have a rule of this number{HEAD:#}")?;
    let mut lines = Vec::new();
    list(rules, width.map(|width| width.saturating_sub(2)), &mut lines)?;
    for line in String::from_utf8_lossy(&lines).lines() {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

fn duty(party: Blame) -> &'static str {
    match party {
        Blame::Client => "the client's",
        Blame::Server => "the server's",
        Blame::Both => "of client and server",
        Blame::Transport => "of what carries the calls",
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error: a departure from what is required",
        Severity::Warning => "warning: against a recommendation, or with another possible reason",
        Severity::Note => "note: worth knowing, accuses nobody",
    }
}

fn visible(observable: Observable) -> &'static str {
    match observable {
        Observable::Full => "in every complete capture",
        Observable::Partial => "sometimes, or with other traffic",
        Observable::No => "never",
    }
}

/// What it takes to decide a rule, in words.
fn takes(needs: Needs) -> String {
    let said = |word: &str| match word {
        "cleartext" => "calls that can be read",
        "timing" => "times that can be trusted",
        "multi-client" => "the calls of several clients",
        "all-clients" => "the calls of all clients of the server",
        "security-context" => "the bind or the logon",
        "object-tracking" => "the calls that issued and released the objects",
        _ => "the opnums, which sealed calls show, too",
    };
    needs.words().into_iter().map(said).collect::<Vec<_>>().join("; ")
}

/// Where a page goes, and how wide it is.
pub(super) struct Page<'o> {
    pub(super) width: Option<usize>,
    pub(super) out: &'o mut dyn Write,
}

impl Page<'_> {
    /// A heading and what it is about, which goes on below itself.
    pub(super) fn row(&mut self, name: &str, value: &str) -> io::Result<()> {
        const INDENT: usize = 14;
        write!(self.out, "  {DIM}{name:<12}{DIM:#}")?;
        self.broken(value, INDENT, true)
    }

    pub(super) fn head(&mut self, head: &str) -> io::Result<()> {
        writeln!(self.out, "\n{HEAD}{head}{HEAD:#}")
    }

    pub(super) fn paragraph(&mut self, head: &str, text: &str) -> io::Result<()> {
        self.head(head)?;
        self.lines(text, 2)
    }

    /// A conversation, as it can be given to `vshark scenario`.
    pub(super) fn example(&mut self, head: &str, text: &str) -> io::Result<()> {
        self.head(head)?;
        text.lines().try_for_each(|line| writeln!(self.out, "  {}", printable(line)))
    }

    /// A paragraph that is broken between words; a word that is too long stays whole.
    pub(super) fn lines(&mut self, text: &str, indent: usize) -> io::Result<()> {
        self.broken(text, indent, false)
    }

    /// The same; the first line may have been `begun`.
    fn broken(&mut self, text: &str, indent: usize, mut begun: bool) -> io::Result<()> {
        let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(indent));
        let text = printable(text);
        let mut line = String::new();
        for word in text.split_whitespace() {
            let longer = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && longer > room {
                let indent = if std::mem::take(&mut begun) { 0 } else { indent };
                writeln!(self.out, "{:indent$}{line}", "")?;
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        let indent = if begun { 0 } else { indent };
        writeln!(self.out, "{:indent$}{line}", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Catalogue;

    fn page_of(id: &str, width: Option<usize>) -> String {
        let catalogue = Catalogue::embedded().expect("the embedded rules load");
        let mut out = Vec::new();
        page(catalogue.get(id).expect("a rule"), width, &mut out).expect("memory takes it");
        let text = String::from_utf8(out).expect("a page is UTF-8");
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn paragraphs_are_as_wide_as_the_terminal_and_no_wider() {
        for width in [20, 60, 80, 300] {
            let page = page_of("FSRVP-3.1.4.5-03", Some(width));
            let prose = page.lines().skip_while(|line| *line != "Why it matters").skip(1);
            let prose: Vec<_> = prose.take_while(|line| !line.is_empty()).collect();
            let widest = prose.iter().map(|line| line.chars().count()).max().expect("a line");
            assert!(widest <= width.min(100) && widest + 20 > width.min(100), "{width}: {widest}");
        }
        assert!(page_of("FSRVP-3.1.4.5-03", None).lines().any(|line| line.len() > 130));
    }

    #[test]
    fn a_rule_that_is_left_out_says_why() {
        let page = page_of("FSRVP-2.1-04", None);
        assert!(page.contains("\nNot checked\n  How the identity gets"), "{page}");
        assert!(!page.contains("How it is checked") && !page.contains("breaks"), "{page}");
    }
}
