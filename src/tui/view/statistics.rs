//! How many calls of each method there were, how they went, how long they took; who spoke to whom;
//! what was lost or sealed, and why.

use hdrhistogram::Histogram;

use super::super::model::Model;
use super::super::rows::took;
use super::super::statistics::OfMethod;
use super::super::text::{Row, fit, right, wrap};
use super::super::theme::Role;
use super::super::update::Target;
use crate::bytes::printable;
use crate::report::unseen::not_told;

/// Heights of a bar.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The upper ends of the columns of a histogram, in microseconds: from 100 µs to 10 min, three to
/// each power of ten.
const ENDS: [u64; 20] = [
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    180_000_000,
    600_000_000,
];
/// Rows before the methods.
const BEFORE: usize = 1;

/// All rows.
pub(in crate::tui) fn rows(model: &Model<'_>) -> Vec<Row> {
    let statistics = &model.digest.statistics;
    let width = usize::from(model.size.0);
    let wide = width >= 110;
    let name = statistics.methods.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    // The figures take 60 columns.
    let name = name.clamp(12, if wide { 40 } else { width.saturating_sub(60).clamp(12, 40) });
    let head = format!(
        " {}  {} {} {}  {} {} {} {}",
        fit("method", name),
        right("calls", 6),
        right("failed", 6),
        right("open", 5),
        right("min", 8),
        right("median", 8),
        right("p95", 8),
        right("max", 8)
    );
    let histogram = if wide { "  100 µs … 10 min" } else { "" };
    let mut rows = vec![Row::one(format!("{head}{histogram}"), Role::Dim)];
    for (method, of) in &statistics.methods {
        rows.push(of_method(method, of, name, wide));
    }
    if statistics.methods.is_empty() {
        let text = if model.ended { "  no call" } else { "  no call so far" };
        rows.push(Row::one(text, Role::Dim));
    }
    if statistics.beyond > 0 {
        let text = format!("  {} calls of more methods", statistics.beyond);
        rows.push(Row::one(text, Role::Dim));
    }
    rows.push(Row::new());
    rows.push(Row::one(" Who spoke to whom", Role::Head));
    for ((client, server), of) in &statistics.pairs {
        let host = |name: &Option<String>, ip: &std::net::IpAddr| match name {
            Some(name) => format!("{} ({ip})", printable(name)),
            None => ip.to_string(),
        };
        let zone = model.time.zone();
        let cell = |time| model.time.cell(time, &zone, model.trace.began(), None);
        let row = Row::one(
            format!("   {} → {}", host(&of.client, client), host(&of.server, server)),
            Role::Name,
        )
        .add(format!("  {} calls", of.calls), Role::Plain)
        .add(format!(", {} failed", of.failed), if of.failed > 0 { Role::Bad } else { Role::Plain })
        .add(format!(", {}, {} to {}", of.carried, cell(of.first), cell(of.last)), Role::Dim);
        rows.push(row);
    }
    add_rest(model, &mut rows, width);
    rows
}

/// What was read, lost and sealed.
fn add_rest(model: &Model<'_>, rows: &mut Vec<Row>, width: usize) {
    let summary = &model.digest.summary;
    rows.push(Row::new());
    rows.push(Row::one(" What was read", Role::Head));
    let smb: u64 = summary.smb_messages.values().sum();
    let text = format!(
        "frames: {}, TCP segments: {}, connections: {}, SMB messages: {smb}, RPC PDUs: {}, calls: {}",
        summary.frames,
        summary.tcp_segments,
        summary.tcp.flows,
        summary.pdus(),
        summary.calls()
    );
    let mut say = |text: &str, role| {
        let lines = wrap(text, width.saturating_sub(4));
        rows.extend(lines.into_iter().map(|line| Row::one(format!("   {line}"), role)));
    };
    say(&text, Role::Plain);
    let weight = model.trace.weight();
    let size = match weight >> 20 {
        0 => format!("{} KiB", weight >> 10),
        mebi => format!("{mebi} MiB"),
    };
    say(&format!("the index of all that takes {size} of memory"), Role::Dim);
    if !summary.smb_dialects.is_empty() {
        say(&format!("SMB dialects: {}", summary.smb_dialects.join(", ")), Role::Plain);
    }
    let unseen = not_told(summary, &model.digest.report);
    let sentences = model.digest.report.unreadable.iter().chain(&unseen);
    let mut lost: Vec<String> = sentences.map(|sentence| printable(sentence)).collect();
    lost.dedup();
    if !lost.is_empty() {
        rows.push(Row::new());
        rows.push(Row::one(" What was lost, sealed or not read, and why", Role::Head));
        for sentence in lost {
            let lines = wrap(&sentence, width.saturating_sub(4));
            rows.extend(lines.into_iter().map(|line| Row::one(format!("   {line}"), Role::Doubt)));
        }
    }
}

/// Where a row leads.
pub(in crate::tui) fn target(model: &Model<'_>, row: usize) -> Option<Target> {
    let at = row.checked_sub(BEFORE)?;
    filter(model, at).map(|_| Target::Method(at))
}

/// What shows the calls of the method at a place.
pub(in crate::tui) fn filter<'m>(model: &'m Model<'_>, at: usize) -> Option<&'m str> {
    model.digest.statistics.methods.values().nth(at).map(|of| of.filter.as_str())
}

fn of_method(method: &str, of: &OfMethod, name: usize, wide: bool) -> Row {
    let count = |n: u64| if n == 0 { "-".to_owned() } else { n.to_string() };
    // Of sealed calls nobody knows.
    let failed = if of.failed == 0 && of.unknown > 0 { "?".to_owned() } else { count(of.failed) };
    let mut row = Row::one(format!(" {}  ", fit(&printable(method), name)), Role::Name)
        .add(format!("{} ", right(&of.calls.to_string(), 6)), Role::Plain)
        .add(format!("{} ", right(&failed, 6)), if of.failed > 0 { Role::Bad } else { Role::Dim })
        .add(
            format!("{}  ", right(&count(of.incomplete), 5)),
            if of.incomplete > 0 { Role::Doubt } else { Role::Dim },
        );
    let times = of.times.as_ref().filter(|times| !times.is_empty());
    let Some(times) = times else {
        row.push("no response time is known", Role::Dim);
        return row;
    };
    let micros =
        [times.min(), times.value_at_quantile(0.5), times.value_at_quantile(0.95), times.max()];
    for micros in micros {
        // The same end of a step for all: of one call they are one time.
        let micros = times.lowest_equivalent(micros);
        let nanos = i64::try_from(micros.saturating_mul(1000)).unwrap_or(i64::MAX);
        row.push(format!("{} ", right(&took(nanos), 8)), Role::Plain);
    }
    if wide {
        row.push(format!(" {}", bars(times)), Role::Good);
    }
    if of.sealed > 0 {
        row.push(format!("  {} sealed", of.sealed), Role::Doubt);
    }
    row
}

/// How the response times are distributed.
fn bars(times: &Histogram<u32>) -> String {
    let mut from = 0;
    let counts = ENDS.map(|end| {
        let n = times.count_between(from, end);
        from = end + 1;
        n
    });
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let height = |n: u64| {
        let height = if n == 0 { 0 } else { (n * 8).div_ceil(most) };
        usize::try_from(height).ok().and_then(|height| BARS.get(height)).copied().unwrap_or('█')
    };
    counts.into_iter().map(height).collect()
}
