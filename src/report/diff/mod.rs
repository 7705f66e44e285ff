//! What differs between two captures, for a person: the place where they part, what comes after it,
//! and what else differs.
//!
//! ```text
//! GOOD  monday.pcapng
//!       BK1 (10.0.0.1) → FS1 (10.0.1.1), 22 Nov 02:00:14Z, 16 calls
//! BAD   tuesday.pcapng
//!       …
//! They part at CommitShadowCopySet: …
//!   GOOD  call 10  +0.410 s  what was asked → what was answered
//!   BAD   call 7   …
//! After that …                  a table of the next steps, side by side
//! What else differs …           a table of what differs throughout
//! Not compared …
//! ```

mod beside;
mod sentence;
mod table;
pub(super) mod words;

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};
use jiff::tz::TimeZone;

pub use super::finding::Options;
use super::prose::{count, len, wrapped};
use super::text::{TimeStyle, cut};
use crate::bytes::{millionths, printable};
use crate::diff::{
    Compared, Comparison, Conversation, Host, Outcome, Pair, Parting, Row, Step, Verdict, Which,
};
use crate::protocol::Registry;
use table::{Cell, Table};

/// Comparisons that are shown.
const MOST_SHOWN: usize = 8;
/// Rows that are shown after the parting.
const MOST_AFTER: usize = 6;
/// Columns of what was asked, and of what was answered.
const MOST_SAID: usize = 120;
/// Columns before what is said of one of the captures.
const LABEL: &str = "      ";
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Writes what came of comparing two captures.
#[derive(Debug)]
pub struct Diff<'r> {
    registry: &'r Registry,
    options: Options,
    files: Pair<&'r str>,
}

impl<'r> Diff<'r> {
    /// Names statuses as `registry` does; `files` are the names of the captures.
    pub fn new(registry: &'r Registry, files: Pair<&'r str>, options: Options) -> Self {
        let options = Options { width: options.width.max(Options::NARROWEST), ..options };
        Self { registry, options, files }
    }

    /// Writes all of it.
    pub fn write(&self, compared: &Compared<'_>, out: &mut dyn Write) -> io::Result<()> {
        let single = match &*compared.comparisons {
            [only] if compared.lone.is_empty() => Some(only),
            _ => None,
        };
        for which in Which::BOTH {
            self.file(which, compared, single, out)?;
        }
        for comparison in compared.comparisons.iter().take(MOST_SHOWN) {
            writeln!(out)?;
            if single.is_none() {
                self.between(comparison, out)?;
                writeln!(out)?;
            }
            self.comparison(comparison, out)?;
        }
        match compared.comparisons.len().saturating_sub(MOST_SHOWN) {
            0 => {}
            more => writeln!(out, "\nand {more} more conversations (--json has all)")?,
        }
        self.lone(compared, out)?;
        for which in Which::BOTH.into_iter().filter(|which| compared.full[*which]) {
            let text = format!(
                "{} has more conversations than are kept: some are forgotten, and nobody knows what \
                 they were.",
                label(which)
            );
            writeln!(out)?;
            self.paragraph("", "", &text, out)?;
        }
        if compared.outcome() == Outcome::Different {
            let bad = match self.files.bad {
                "-" => "of the bad capture".to_owned(),
                file => printable(file),
            };
            writeln!(out, "\n{BOLD}vshark check {bad}{BOLD:#} says why")?;
        }
        Ok(())
    }

    /// A capture, and its conversation if there is but one.
    fn file(
        &self,
        which: Which,
        compared: &Compared<'_>,
        single: Option<&Comparison<'_>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let label = label(which);
        let style = style(which);
        let name = match self.files[which] {
            "-" => "standard input".to_owned(),
            name => printable(name),
        };
        writeln!(out, "{style}{label:<5}{style:#} {BOLD}{name}{BOLD:#}")?;
        let more = compared.conversations[which];
        let about = match single {
            Some(only) => self.conversation(only.conversations[which]),
            None => match more {
                0 => "no conversation about shadow copies".to_owned(),
                1 => "1 conversation about shadow copies".to_owned(),
                more => format!("{more} conversations about shadow copies"),
            },
        };
        self.paragraph(LABEL, LABEL, &about, out)
    }

    /// Who speaks with whom, since when, and how much.
    fn conversation(&self, of: &Conversation) -> String {
        let host = |host: &Host| match &host.name {
            Some(name) => format!("{} ({})", printable(name), host.ip),
            None => host.ip.to_string(),
        };
        let zone = match self.options.time {
            TimeStyle::Local => TimeZone::system(),
            _ => TimeZone::UTC,
        };
        let since = of.steps.first().map_or(String::new(), |step| {
            let time = step.time.timestamp().to_zoned(zone);
            let format = match self.options.time {
                TimeStyle::Local => "%-d %b %Y %H:%M:%S%:z",
                _ => "%-d %b %Y %H:%M:%SZ",
            };
            format!(", {}", time.strftime(format))
        });
        let (client, server) = (host(&of.client), host(&of.server));
        format!("{client} → {server}{since}, {}", count(of.calls, "call"))
    }

    /// Which two conversations are compared.
    fn between(&self, of: &Comparison<'_>, out: &mut dyn Write) -> io::Result<()> {
        for which in Which::BOTH {
            let (label, style) = (label(which), style(which));
            let about = self.conversation(of.conversations[which]);
            writeln!(out, "{style}{label:<5}{style:#} {about}")?;
        }
        if let Some(which) = of.lone {
            let other = label(which.other());
            let text = format!(
                "The client {} is only in {}: it is compared with the most alike of {other}.",
                of.conversations[which].client.ip,
                label(which),
            );
            self.paragraph(LABEL, LABEL, &text, out)?;
        }
        Ok(())
    }

    fn comparison(&self, of: &Comparison<'_>, out: &mut dyn Write) -> io::Result<()> {
        if let Some(alike) = sentence::alike(of) {
            self.paragraph("", "", &alike, out)?;
        }
        for parting in of.parting.iter().chain(&of.ending) {
            let sentence = sentence::parting(of, parting, self.registry);
            for line in wrapped("", "", &sentence, self.options.width) {
                writeln!(out, "{BOLD}{line}{BOLD:#}")?;
            }
            let same = !parting.changes.is_empty();
            for which in Which::BOTH {
                self.side(of, which, parting.steps[which], same, out)?;
            }
            for remark in sentence::pauses(of, parting) {
                self.paragraph("  ", "  ", &remark, out)?;
            }
        }
        if let Some(all_the_same) = sentence::answers(of) {
            self.paragraph("", "", all_the_same, out)?;
        }
        for failure in sentence::failures(of, self.registry) {
            self.paragraph("", "", &failure, out)?;
        }
        if let Some(last) = of.ending.as_ref().or(of.parting.as_ref()) {
            self.after(of, last, out)?;
        }
        beside::rows(of).write("What else differs", self.options.width, out)?;
        let unseen = sentence::unseen(of);
        if !unseen.is_empty() {
            writeln!(out, "\n{DIM}Not compared{DIM:#}")?;
            for text in unseen {
                self.paragraph("  ", "    ", &text, out)?;
            }
        }
        Ok(())
    }

    /// What one side goes on with where they part; `same` is whether it is the same on both.
    fn side(
        &self,
        of: &Comparison<'_>,
        which: Which,
        at: Option<usize>,
        same: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (label, style) = (label(which), style(which));
        let head = format!("  {style}{label:<5}{style:#} ");
        let Some(step) = of.step(which, at) else {
            return writeln!(out, "{head}nothing more");
        };
        let place = match (step.call(), step.frame) {
            (Some(call), _) => format!("call {}", call.n),
            (None, Some(frame)) => format!("frame {}", frame.0),
            (None, None) => String::new(),
        };
        let mut said = Vec::new();
        if !same {
            said.push(words::name(step));
        }
        said.push(cut(&words::asked(step), MOST_SAID));
        said.push(format!("→ {}", cut(&words::answered(step, self.registry), MOST_SAID)));
        if let Some(elapsed) = step.call().and_then(|call| call.elapsed) {
            said.push(unbroken(&format!("after {}", sentence::span(elapsed))));
        }
        if step.repeated > 0 {
            said.push(unbroken(&format!("({} times)", step.repeated.saturating_add(1))));
        }
        said.retain(|said| !said.is_empty());
        let time = self.time(of.conversations[which], at);
        let place = format!("{place:<10} {time:>10}  ");
        let indent = " ".repeat(8 + place.chars().count());
        let lines = wrapped(&indent, &indent, &printable(&said.join(" ")), self.options.width);
        let colour = if words::is_wrong(step) { wrong() } else { Style::new() };
        for (n, line) in lines.iter().enumerate() {
            let line = line.get(indent.len()..).unwrap_or_default().replace(UNBROKEN, " ");
            match n {
                0 => writeln!(out, "{head}{place}{colour}{line}{colour:#}")?,
                _ => writeln!(out, "{indent}{colour}{line}{colour:#}")?,
            }
        }
        Ok(())
    }

    /// When a step was asked: since the first of its conversation, or since the one before.
    fn time(&self, of: &Conversation, at: Option<usize>) -> String {
        let step = |at: usize| of.steps.get(at).map(|step| step.time);
        let since = match (self.options.time, at) {
            (TimeStyle::Delta, Some(at)) => at.checked_sub(1).and_then(step).or(step(at)),
            _ => step(0),
        };
        let nanos = at.and_then(step).zip(since).map_or(0, |(time, since)| time.since(since));
        let micros = millionths(nanos / 1000);
        let millis = micros.get(..micros.len().saturating_sub(3)).unwrap_or_default();
        format!("+{millis} s")
    }

    /// The steps after the parting, side by side.
    fn after(&self, of: &Comparison<'_>, parting: &Parting, out: &mut dyn Write) -> io::Result<()> {
        let shown = parting.steps;
        let told = |row: &Row| {
            Which::BOTH
                .iter()
                .all(|which| row.steps[*which].is_none() || row.steps[*which] == shown[*which])
        };
        let rest: Vec<&Row> = of.rows.iter().skip(parting.row).filter(|row| !told(row)).collect();
        let goes_on = |which: Which| rest.iter().any(|row| row.steps[which].is_some());
        let (good, bad) = (goes_on(Which::Good), goes_on(Which::Bad));
        if rest.iter().all(|row| row.verdict == Verdict::Same && row.is_seen()) {
            let last = rest.last().and_then(|row| of.step(Which::Good, row.steps.good));
            let last = last.map(words::place).unwrap_or_default();
            let text = match len(&rest) {
                0 => return Ok(()),
                1 => format!("After that 1 step is alike, {last}."),
                n => format!("After that {n} steps are alike, up to {last}."),
            };
            writeln!(out)?;
            return self.paragraph("", "", &printable(&text), out);
        }
        if good != bad {
            let which = if good { Which::Good } else { Which::Bad };
            let last = rest.last().and_then(|row| of.step(which, row.steps[which]));
            let text = format!(
                "After that only {} goes on: {}, up to {}.",
                label(which),
                count(len(&rest), "step"),
                last.map(words::place).unwrap_or_default()
            );
            writeln!(out)?;
            return self.paragraph("", "", &printable(&text), out);
        }
        let mut table = Table::new(["", "GOOD", "BAD"].map(str::to_owned));
        for row in rest.iter().take(MOST_AFTER) {
            let steps = Pair::of(|which| of.step(which, row.steps[which]));
            let Some(step) = steps.good.or(steps.bad) else { continue };
            let [good, bad] = Which::BOTH.map(|which| self.cell(steps[which]));
            table.row([Cell::plain(words::name(step)), good, bad]);
        }
        let head = format!("After that ({})", tally(&rest));
        table.write(&head, self.options.width, out)?;
        match rest.len().saturating_sub(MOST_AFTER) {
            0 => Ok(()),
            more => writeln!(out, "  {DIM}and {more} more (--json has all){DIM:#}"),
        }
    }

    fn cell(&self, step: Option<&Step>) -> Cell {
        let Some(step) = step else { return Cell::plain("–".to_owned()) };
        let result = words::result(step, self.registry);
        let text = match step.call() {
            Some(call) => format!("{:>3}  {result}", call.n),
            None => format!("  ·  {result}"),
        };
        Cell { text, style: if words::is_wrong(step) { wrong() } else { Style::new() } }
    }

    /// Conversations that nothing was compared with.
    fn lone(&self, compared: &Compared<'_>, out: &mut dyn Write) -> io::Result<()> {
        for lone in compared.lone.iter().take(MOST_SHOWN) {
            let about = self.conversation(lone.conversation);
            let text = format!("only in {}: {about}", label(lone.which));
            writeln!(out)?;
            self.paragraph("", LABEL, &text, out)?;
        }
        match compared.lone.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => writeln!(out, "and {more} more that only one has (--json has all)"),
        }
    }

    fn paragraph(
        &self,
        first: &str,
        rest: &str,
        text: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let lines = wrapped(first, rest, text, self.options.width);
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))
    }
}

/// A space at which no line is broken, until it is written.
const UNBROKEN: char = '\u{a0}';

/// Words that stay on one line.
fn unbroken(words: &str) -> String {
    words.replace(' ', &UNBROKEN.to_string())
}

/// How many rows there are of each kind.
fn tally(rows: &[&Row]) -> String {
    let number =
        |is: &dyn Fn(&Row) -> bool| len(&rows.iter().filter(|row| is(row)).collect::<Vec<_>>());
    let only = |which: Which| move |row: &Row| row.steps[which.other()].is_none();
    let parts = [
        (number(&|row| row.verdict == Verdict::Same), "alike"),
        (number(&|row| matches!(row.verdict, Verdict::Differs(_))), "different"),
        (number(&only(Which::Good)), "only in GOOD"),
        (number(&only(Which::Bad)), "only in BAD"),
    ];
    let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// What a capture is called.
pub(super) fn label(which: Which) -> &'static str {
    match which {
        Which::Good => "GOOD",
        Which::Bad => "BAD",
    }
}

fn style(which: Which) -> Style {
    let colour = match which {
        Which::Good => AnsiColor::Green,
        Which::Bad => AnsiColor::Red,
    };
    Style::new().bold().fg_color(Some(Color::Ansi(colour)))
}

fn wrong() -> Style {
    Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)))
}
