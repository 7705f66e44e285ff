//! The list of calls for a person: aligned, coloured by outcome, readable at 100 columns.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};
use jiff::tz::TimeZone;

use super::brief;
use crate::bytes::{Time, millionths, printable};
use crate::call::{Call, Outcome, Party};
use crate::pipeline::Summary;
use crate::protocol::Registry;

/// Calls that may wait for an earlier one that is not complete, so that they are listed in the
/// order of their requests.
const WINDOW: usize = 1000;
/// Calls that are looked at to find the widths of the columns.
const SAMPLE: usize = 200;

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeStyle {
    /// Time of day, UTC.
    #[default]
    Utc,
    /// Time of day, in the zone of this machine.
    Local,
    /// Seconds since the first frame.
    Relative,
    /// Seconds since the call before.
    Delta,
}

impl TimeStyle {
    /// Date and time, in RFC 3339. Differences need a list; a single call has its time in UTC.
    pub fn whole(self, time: Time) -> String {
        match self {
            Self::Local => {
                let zoned = time.timestamp().to_zoned(TimeZone::system());
                zoned.strftime("%Y-%m-%dT%H:%M:%S%.9f%:z").to_string()
            }
            _ => time.to_string(),
        }
    }

    /// The zone of times of day.
    pub fn zone(self) -> TimeZone {
        if self == Self::Local { TimeZone::system() } else { TimeZone::UTC }
    }

    /// Head of a column of times, where `time` stands first.
    pub fn head(self, time: Time, zone: &TimeZone) -> String {
        match self {
            Self::Relative => "seconds".to_owned(),
            Self::Delta => "+ seconds".to_owned(),
            Self::Utc | Self::Local => {
                let zoned = time.timestamp().to_zoned(zone.clone());
                let name = if self == Self::Utc { "UTC" } else { "%Z" };
                zoned.strftime(&format!("%e %b {name}")).to_string().trim_start().to_owned()
            }
        }
    }

    /// A time in a column: the time of day in `zone`, or seconds since `start` or since `before`.
    pub fn cell(
        self,
        time: Time,
        zone: &TimeZone,
        start: Option<Time>,
        before: Option<Time>,
    ) -> String {
        let since =
            |since: Option<Time>| millionths(since.map_or(0, |since| time.since(since)) / 1000);
        match self {
            Self::Relative => since(start),
            Self::Delta => since(before),
            Self::Utc | Self::Local => {
                let zoned = time.timestamp().to_zoned(zone.clone());
                zoned.strftime("%H:%M:%S%.3f").to_string()
            }
        }
    }
}

/// How the list is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How times are written.
    pub time: TimeStyle,
    /// Columns of the terminal; lines are cut there. `None` cuts nothing.
    pub width: Option<usize>,
    /// Write calls as they come: without waiting for those asked before them, and without waiting
    /// to see how wide the columns must be.
    pub eager: bool,
}

/// Writes calls in the order of their requests.
#[derive(Debug)]
pub struct CallList<'r> {
    registry: &'r Registry,
    options: Options,
    zone: TimeZone,
    /// Calls that wait for an earlier one. Added as they complete; bounded by [`WINDOW`].
    /// Those that are not to be listed only let the others pass.
    waiting: BTreeMap<u64, Option<Row>>,
    /// Rows in order, while the widths are not fixed yet; bounded by [`SAMPLE`].
    sample: Vec<Row>,
    next: u64,
    widths: Option<Widths>,
    day: Option<String>,
    between: String,
    start: Option<Time>,
    before: Option<Time>,
}

#[derive(Debug)]
struct Row {
    n: u64,
    time: Time,
    client: String,
    server: String,
    /// Both, with their addresses.
    between: String,
    method: String,
    asked: String,
    answered: String,
    outcome: Outcome,
}

/// Widths of the columns between the time and what was asked.
#[derive(Clone, Copy, Debug)]
struct Widths {
    /// Client and server; `None` where all calls are between the same two, who are then named in
    /// a line of their own.
    parties: Option<(usize, usize)>,
    method: usize,
}

impl<'r> CallList<'r> {
    /// A list that names statuses as `registry` does.
    pub fn new(registry: &'r Registry, options: Options) -> Self {
        let zone = options.time.zone();
        Self {
            registry,
            options,
            zone,
            waiting: BTreeMap::new(),
            sample: Vec::new(),
            next: 1,
            widths: None,
            day: None,
            between: String::new(),
            start: None,
            before: None,
        }
    }

    /// Takes the time of a frame; relative times count from the first.
    pub fn see_time(&mut self, time: Time) {
        self.start.get_or_insert(time);
    }

    /// Takes a call.
    pub fn call(&mut self, call: &Call, out: &mut dyn Write) -> io::Result<()> {
        let row = Row {
            n: call.rpc.n,
            time: call.time,
            client: party(&call.client),
            server: party(&call.server),
            between: format!("{} → {}", in_full(&call.client), in_full(&call.server)),
            method: printable(&brief::method(call)),
            asked: printable(&brief::asked(call, self.registry)),
            answered: printable(&brief::answered(call, self.registry)),
            outcome: call.outcome,
        };
        if self.options.eager || row.n < self.next {
            // Somebody is watching, or it is one of those that were given up waiting for.
            return self.write_in_order(row, out);
        }
        self.wait(row.n, Some(row), out)
    }

    /// Takes the number of a call that is not to be listed; nobody waits for it any more.
    pub fn pass(&mut self, n: u64, out: &mut dyn Write) -> io::Result<()> {
        if self.options.eager || n < self.next { Ok(()) } else { self.wait(n, None, out) }
    }

    fn wait(&mut self, n: u64, row: Option<Row>, out: &mut dyn Write) -> io::Result<()> {
        self.waiting.insert(n, row);
        while let Some(row) = self.waiting.remove(&self.next) {
            self.next += 1;
            row.map_or(Ok(()), |row| self.write_in_order(row, out))?;
        }
        if self.waiting.len() > WINDOW
            && let Some((n, row)) = self.waiting.pop_first()
        {
            self.next = n + 1;
            row.map_or(Ok(()), |row| self.write_in_order(row, out))?;
        }
        Ok(())
    }

    /// Writes what still waits.
    pub fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        for row in std::mem::take(&mut self.waiting).into_values().flatten() {
            self.write_in_order(row, out)?;
        }
        self.fix_widths(out)
    }

    fn write_in_order(&mut self, row: Row, out: &mut dyn Write) -> io::Result<()> {
        if self.widths.is_some() {
            return self.write(&row, out);
        }
        self.sample.push(row);
        if self.options.eager || self.sample.len() >= SAMPLE {
            self.fix_widths(out)
        } else {
            Ok(())
        }
    }

    fn fix_widths(&mut self, out: &mut dyn Write) -> io::Result<()> {
        const MOST_PARTY: usize = 24;
        const MOST_METHOD: usize = 44;
        const NARROW: usize = 110;
        let rows = std::mem::take(&mut self.sample);
        if self.widths.is_none() && !rows.is_empty() {
            let widest = |of: fn(&Row) -> &String, most: usize| {
                rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0).min(most)
            };
            let parties = (
                widest(|row| &row.client, MOST_PARTY).max("client".len()),
                widest(|row| &row.server, MOST_PARTY).max("server".len()),
            );
            let first = rows.first().map(|row| &row.between);
            let same = rows.iter().all(|row| Some(&row.between) == first);
            let method = widest(|row| &row.method, MOST_METHOD);
            // Where there is little room the parties stand above the calls: what was answered is
            // worth more.
            let narrow = self.options.width.is_some_and(|width| width < NARROW);
            self.widths = Some(if self.options.eager {
                let parties = (!narrow).then_some((15, 15));
                Widths { parties, method: method.max(29) }
            } else {
                Widths { parties: (!same && !narrow).then_some(parties), method }
            });
        }
        rows.iter().try_for_each(|row| self.write(row, out))
    }

    fn write(&mut self, row: &Row, out: &mut dyn Write) -> io::Result<()> {
        let widths = self.widths.unwrap_or(Widths { parties: None, method: 0 });
        let dim = Style::new().dimmed();
        let (day, time) = self.time(row.time);
        if widths.parties.is_none() && self.between != row.between {
            writeln!(out, "{dim}{}{dim:#}", self.cut(&row.between))?;
            self.between.clone_from(&row.between);
        }
        if self.day.as_ref() != Some(&day) {
            let head = columns("n ", &day, ("client", "server"), "call", widths);
            writeln!(out, "{dim}{}{dim:#}", self.cut(&format!("{head}asked → answered")))?;
            self.day = Some(day);
        }
        self.before = Some(row.time);
        let parties = (&*row.client, &*row.server);
        let number = format!("{}{}", row.n, mark(row.outcome));
        let start = columns(&number, &time, parties, &row.method, widths);
        let room = self.options.width.map(|width| width.saturating_sub(start.chars().count()));
        let error = row.outcome != Outcome::Ok;
        let said = fit(&row.asked, &row.answered, error, room.unwrap_or(usize::MAX));
        let style = style(row.outcome);
        writeln!(out, "{style}{}{style:#}", self.cut(&format!("{start}{said}")))
    }

    fn cut(&self, line: &str) -> String {
        cut(line, self.options.width.unwrap_or(usize::MAX))
    }

    /// Head of the time column, and the time.
    fn time(&self, time: Time) -> (String, String) {
        let style = self.options.time;
        let cell = style.cell(time, &self.zone, self.start, self.before);
        (style.head(time, &self.zone), cell)
    }
}

fn columns(
    n: &str,
    time: &str,
    (client, server): (&str, &str),
    method: &str,
    widths: Widths,
) -> String {
    let Widths { parties, method: w } = widths;
    let parties =
        parties.map_or_else(String::new, |(w1, w2)| format!("{client:<w1$}  {server:<w2$}  "));
    format!("{n:>5} {time:<12}  {parties}{method:<w$}  ")
}

/// Question and answer in `room` columns. The answer keeps at least half of them, and an error all
/// that it needs.
fn fit(asked: &str, answered: &str, error: bool, room: usize) -> String {
    let arrow = if asked.is_empty() { "→ " } else { " → " };
    let (a, b) = (asked.chars().count(), answered.chars().count());
    let room = room.saturating_sub(arrow.chars().count());
    if a.saturating_add(b) <= room {
        return format!("{asked}{arrow}{answered}");
    }
    let least = if error { room } else { room / 2 };
    let answer = b.min(least.max(room.saturating_sub(a)));
    format!("{}{arrow}{}", cut(asked, room.saturating_sub(answer)), cut(answered, answer))
}

/// `text` in at most `width` columns, its end replaced by an ellipsis if it is longer.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

fn party(party: &Party) -> String {
    match &party.name {
        Some(name) => printable(name),
        None => party.addr.ip().to_string(),
    }
}

/// Name and address.
fn in_full(party: &Party) -> String {
    let ip = party.addr.ip();
    match &party.name {
        Some(name) => format!("{} ({ip})", printable(name)),
        None => ip.to_string(),
    }
}

/// What stands behind the number of a call, for those who see no colours.
fn mark(outcome: Outcome) -> char {
    match outcome {
        Outcome::Ok | Outcome::Unknown => ' ',
        Outcome::Failed | Outcome::Fault => '!',
        Outcome::NoResponse | Outcome::NoRequest => '?',
    }
}

/// The colour of an outcome.
pub fn style(outcome: Outcome) -> Style {
    let colour = |colour| Style::new().fg_color(Some(Color::Ansi(colour)));
    match outcome {
        Outcome::Ok => colour(AnsiColor::Green),
        Outcome::Failed => colour(AnsiColor::Red),
        Outcome::Fault => colour(AnsiColor::Red).bold(),
        Outcome::NoResponse | Outcome::NoRequest => colour(AnsiColor::Yellow),
        Outcome::Unknown => Style::new().dimmed(),
    }
}

/// What there was up to an interruption, in a sentence: frames, and calls by how they went.
pub fn so_far(summary: &Summary) -> String {
    let mut outcomes: BTreeMap<Outcome, u64> = BTreeMap::new();
    for (outcome, count) in summary.calls.values().flat_map(|of| &of.outcomes) {
        *outcomes.entry(*outcome).or_default() += count;
    }
    let outcomes: Vec<String> =
        outcomes.iter().map(|(outcome, n)| format!("{n} {}", outcome.word())).collect();
    let outcomes =
        if outcomes.is_empty() { String::new() } else { format!(" ({})", outcomes.join(", ")) };
    let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (frames, calls) = (count(summary.frames, "frame"), count(summary.calls(), "call"));
    format!("interrupted after {frames} with {calls}{outcomes}")
}
