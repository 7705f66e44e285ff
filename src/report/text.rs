//! The list of calls for a person: aligned, coloured by outcome, readable at 100 columns.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};
use jiff::tz::TimeZone;

use super::brief;
use crate::bytes::{Time, printable};
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
}

/// How the list is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How times are written.
    pub time: TimeStyle,
    /// Columns of the terminal; lines are cut there. `None` cuts nothing.
    pub width: Option<usize>,
    /// Write calls as they come, without waiting to see how wide the columns must be.
    pub eager: bool,
}

/// Writes calls in the order of their requests.
#[derive(Debug)]
pub struct CallList<'r> {
    registry: &'r Registry,
    options: Options,
    zone: TimeZone,
    /// Calls that wait for an earlier one. Added as they complete; bounded by [`WINDOW`].
    waiting: BTreeMap<u64, Row>,
    /// Rows in order, while the widths are not fixed yet; bounded by [`SAMPLE`].
    sample: Vec<Row>,
    next: u64,
    widths: Option<Widths>,
    /// Client and server have no columns: they are the same in all rows, and told above them.
    paired: bool,
    pair: Option<[String; 2]>,
    day: String,
    start: Option<Time>,
    before: Option<Time>,
}

#[derive(Debug)]
struct Row {
    n: u64,
    time: Time,
    cells: [String; 5],
    outcome: Outcome,
}

type Widths = [usize; 4];

impl Row {
    /// Client and server.
    fn pair(&self) -> [&str; 2] {
        let [client, server, ..] = &self.cells;
        [client, server]
    }
}

impl<'r> CallList<'r> {
    /// A list that names statuses as `registry` does.
    pub fn new(registry: &'r Registry, options: Options) -> Self {
        let zone = match options.time {
            TimeStyle::Local => TimeZone::system(),
            _ => TimeZone::UTC,
        };
        Self {
            registry,
            options,
            zone,
            waiting: BTreeMap::new(),
            sample: Vec::new(),
            next: 1,
            widths: None,
            paired: false,
            pair: None,
            day: String::new(),
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
            cells: [
                party(&call.client),
                party(&call.server),
                printable(&brief::method(call)),
                printable(&brief::result(call, self.registry)),
                brief::details(call),
            ],
            outcome: call.outcome,
        };
        if row.n < self.next {
            // One of those that were given up waiting for.
            return self.write_in_order(row, out);
        }
        self.waiting.insert(row.n, row);
        while let Some(row) = self.waiting.remove(&self.next) {
            self.next += 1;
            self.write_in_order(row, out)?;
        }
        if self.waiting.len() > WINDOW
            && let Some((n, row)) = self.waiting.pop_first()
        {
            self.next = n + 1;
            self.write_in_order(row, out)?;
        }
        Ok(())
    }

    /// Writes what still waits.
    pub fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        for row in std::mem::take(&mut self.waiting).into_values() {
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
        const LEAST: Widths = [6, 6, 4, 2];
        const MOST: Widths = [24, 24, 44, 36];
        let rows = std::mem::take(&mut self.sample);
        if self.widths.is_none() && !rows.is_empty() {
            let mut widths = LEAST;
            if self.options.eager {
                widths = [15, 15, 29, 12];
            }
            for row in &rows {
                for ((width, cell), most) in widths.iter_mut().zip(&row.cells).zip(MOST) {
                    *width = cell.chars().count().min(most).max(*width);
                }
            }
            self.fit(&mut widths, &rows);
            self.widths = Some(widths);
        }
        rows.iter().try_for_each(|row| self.write(row, out))
    }

    /// Makes room for the details where the terminal is too narrow for everything: a client and a
    /// server that are always the same need no columns, and a rare long cell may push its own row
    /// to the right.
    fn fit(&mut self, widths: &mut Widths, rows: &[Row]) {
        /// Number and time, with the gaps behind them.
        const FIXED: usize = 4 + 2 + 15 + 2;
        const GAP: usize = 2;
        const DETAILS: usize = 40;
        let Some(width) = self.options.width else { return };
        let details = |row: &Row| row.cells.last().map_or(0, |cell| cell.chars().count());
        let details = rows.iter().map(details).max().unwrap_or(0).min(DETAILS);
        let [client, server, method, result] = widths;
        let columns = [&client, &server, &method, &result].map(|column| **column + GAP);
        let mut lacks = (FIXED + details + columns.iter().sum::<usize>()).saturating_sub(width);
        if lacks == 0 {
            return;
        }
        let same = rows.windows(2).all(|two| matches!(two, [a, b] if a.pair() == b.pair()));
        if same && !self.options.eager {
            lacks = lacks.saturating_sub(*client + *server + 2 * GAP);
            self.paired = true;
        }
        for (column, least) in [(result, 6), (method, 20), (client, 15), (server, 15)] {
            let spare = column.saturating_sub(least).min(lacks);
            *column -= spare;
            lacks -= spare;
        }
    }

    fn write(&mut self, row: &Row, out: &mut dyn Write) -> io::Result<()> {
        let widths = self.widths.unwrap_or([0; 4]);
        let (day, time) = self.time(row.time);
        let [client, server, method, result, details] = &row.cells;
        let dim = Style::new().dimmed();
        let pair = self.paired.then(|| row.pair().map(ToOwned::to_owned));
        let other = pair != self.pair;
        if other {
            let line = format!("client {client}, server {server}");
            writeln!(out, "{dim}{}{dim:#}", self.cut(&line))?;
            self.pair = pair;
        }
        if day != self.day || other || self.before.is_none() {
            let heads = ["client", "server", "call", "result", "asked → answered"];
            let line = self.line("n", &day, heads, widths);
            writeln!(out, "{dim}{}{dim:#}", self.cut(&line))?;
            self.day = day;
        }
        self.before = Some(row.time);
        let cells = [&**client, server, method, result, details];
        let text = self.line(&row.n.to_string(), &time, cells, widths);
        let style = style(row.outcome);
        writeln!(out, "{style}{}{style:#}", self.cut(&text))
    }

    fn cut<'t>(&self, line: &'t str) -> std::borrow::Cow<'t, str> {
        match self.options.width {
            Some(width) if line.chars().count() > width => {
                let kept: String = line.chars().take(width.saturating_sub(1)).collect();
                format!("{kept}…").into()
            }
            _ => line.into(),
        }
    }

    fn line(&self, n: &str, time: &str, cells: [&str; 5], widths: Widths) -> String {
        let [client, server, method, result, details] = cells;
        let [w1, w2, w3, w4] = widths;
        let parties =
            if self.paired { String::new() } else { format!("{client:<w1$}  {server:<w2$}  ") };
        let line = format!("{n:>4}  {time:<15}  {parties}{method:<w3$}  {result:<w4$}  {details}");
        line.trim_end().to_owned()
    }

    /// Head of the time column, and the time.
    fn time(&self, time: Time) -> (String, String) {
        let seconds = |since: Option<Time>| {
            let nanos = since.map_or(0, |since| time.since(since));
            let sign = if nanos < 0 { "-" } else { "" };
            let micros = nanos.unsigned_abs() / 1000;
            format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
        };
        match self.options.time {
            TimeStyle::Relative => ("seconds".to_owned(), seconds(self.start)),
            TimeStyle::Delta => ("+ seconds".to_owned(), seconds(self.before)),
            TimeStyle::Utc | TimeStyle::Local => {
                let zoned = time.timestamp().to_zoned(self.zone.clone());
                let zone = if self.options.time == TimeStyle::Utc { "UTC" } else { "%Z" };
                let head = zoned.strftime(&format!("%Y-%m-%d {zone}")).to_string();
                (head, zoned.strftime("%H:%M:%S%.6f").to_string())
            }
        }
    }
}

fn party(party: &Party) -> String {
    match &party.name {
        Some(name) => printable(name),
        None => party.addr.ip().to_string(),
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

/// What the list does not show although it was there, in a sentence: what a capture without calls
/// did have, or what keeps calls of a capture from being seen; `None` if nothing does.
pub fn not_listed(summary: &Summary) -> Option<String> {
    if summary.frames == 0 {
        return Some("there is no frame in the input".to_owned());
    }
    let mut seen: Vec<String> = Vec::new();
    let mut add = |count: u64, one: &str, many: &str| {
        if count > 0 {
            seen.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    };
    let listed = summary.calls() > 0;
    if !listed {
        let pdus = "none of them a request or its answer";
        let one = "DCE/RPC PDU, neither a request nor an answer";
        add(summary.pdus(), one, &format!("DCE/RPC PDUs, {pdus}"));
    }
    add(
        summary.smb_sealed,
        "encrypted SMB message, whose calls cannot be seen without keys",
        "encrypted SMB messages, whose calls cannot be seen without keys",
    );
    add(
        summary.calls.values().map(|of| of.sealed).sum(),
        "call sealed by RPC, whose arguments cannot be seen without keys",
        "calls sealed by RPC, whose arguments cannot be seen without keys",
    );
    add(summary.smb_compressed, "compressed SMB message", "compressed SMB messages");
    if !listed {
        add(summary.smb1, "SMB 1 message", "SMB 1 messages");
        let others = summary.smb_messages.values().sum();
        add(others, "other SMB message", "other SMB messages");
        add(summary.tcp_segments, "TCP segment", "TCP segments");
        add(summary.tcp.flows, "TCP connection", "TCP connections");
        add(summary.udp, "UDP datagram", "UDP datagrams");
        for (what, count) in &summary.other {
            add(*count, &format!("frame of {what}"), &format!("frames of {what}"));
        }
    }
    let missing = "missing from TCP streams: packets that were not captured";
    add(summary.tcp.lost_bytes, &format!("byte {missing}"), &format!("bytes {missing}"));
    let cut = "cut off by the snap length of the capture";
    add(summary.tcp.snapped_bytes, &format!("byte {cut}"), &format!("bytes {cut}"));
    if listed {
        let seen = seen.join("; ");
        return (!seen.is_empty()).then(|| format!("not everything can be shown: {seen}"));
    }
    for (what, count) in &summary.refusals {
        seen.push(if *count > 1 { format!("{what} ({count} times)") } else { what.clone() });
    }
    let frames = summary.frames;
    let frames = if frames == 1 { "1 frame".to_owned() } else { format!("{frames} frames") };
    let seen = if seen.is_empty() { "nothing else".to_owned() } else { seen.join("; ") };
    Some(format!("no RPC call in {frames}; seen: {seen}"))
}
