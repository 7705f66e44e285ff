//! The findings, and the page of the rule that is selected.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::super::layout::inside;
use super::super::model::{Focus, Model};
use super::super::text::{Row, cut, fit, wrap};
use super::super::theme::Role;
use super::overview::{by, of_severity};
use super::side::Page;
use super::{header, lines};
use crate::bytes::{Side, printable};
use crate::check::Finding;
use crate::report::rules;

/// Columns from which the list says which rule it is.
const WITH_RULE: usize = 90;

/// Draws the list.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let wide = width >= WITH_RULE;
    let head = if wide {
        "   severity  by       call  rule, what"
    } else {
        "   severity  by       call  what"
    };
    let mut drawn = vec![header(model, head, area.width, model.focus == Focus::List)];
    if model.findings.is_empty() {
        let text = match &model.digest.nothing {
            _ if !model.ended => "nothing was found so far".to_owned(),
            // Where nothing was judged that is no good news.
            Some(nothing) => {
                let why = nothing.strip_prefix("nothing: ").unwrap_or(nothing);
                format!("nothing could be judged: {}", printable(why))
            }
            None => "nothing was found".to_owned(),
        };
        for line in wrap(&text, width.saturating_sub(4)) {
            drawn.push(Row::one(format!("  {line}"), Role::Dim).line(width, model.theme, None));
        }
    }
    let list = model.list();
    let shown = model.findings.from(list.top).take(inside(area));
    for (at, finding) in shown {
        let over = (at == list.at).then_some(if model.focus == Focus::List {
            Role::Selected
        } else {
            Role::Held
        });
        drawn.push(row(finding, width).line(width, model.theme, over));
    }
    lines(frame, area, drawn);
}

fn row(finding: &Finding, width: usize) -> Row {
    let call = finding.call.map(|n| n.to_string()).unwrap_or_default();
    let known = if finding.known.is_some() { " (known deviation)" } else { "" };
    // Its page is below, with the rule for its title.
    let rule = if width >= WITH_RULE { format!("{}  ", finding.rule) } else { String::new() };
    let row =
        Row::one(format!("   {}", fit(finding.severity.word(), 10)), of_severity(finding.severity))
            .add(format!("{} {call:>5}  ", fit(by(finding.party), 7)), Role::Plain)
            .add(rule, Role::Name);
    let room = width.saturating_sub(row.columns());
    row.add(cut(&format!("{}{known}", printable(&finding.message)), room), Role::Plain)
}

/// A finding as text.
pub(super) fn text(model: &Model<'_>, at: usize) -> String {
    let Some(finding) = model.findings.get(at) else { return String::new() };
    let call = finding.call.map(|n| format!(" call {n}")).unwrap_or_default();
    let (severity, party, certainty) =
        (finding.severity.word(), by(finding.party), finding.certainty.word());
    let message = printable(&finding.message);
    format!("{severity} {} by {party}, {certainty}{call}: {message}", finding.rule)
}

/// What there is to say of the finding that is selected, and of its rule.
pub(super) fn page(model: &Model<'_>, width: usize) -> Page {
    let mut rows: Vec<Row> = Vec::new();
    let Some(finding) = model.findings.get(model.list().at) else {
        return ("rule".to_owned(), rows);
    };
    let mut say = |text: &str, role| {
        let lines = wrap(text, width.saturating_sub(2)).into_iter();
        rows.extend(lines.map(|line| Row::one(format!(" {line}"), role)));
    };
    say(&printable(&finding.message), Role::Head);
    for spot in &finding.spots {
        let octets: Vec<String> =
            spot.octets.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let side = match spot.side {
            Side::Client => "request",
            Side::Server => "response",
        };
        let text = format!(
            "{} at byte {} of the {side}: {} ({})",
            spot.field,
            spot.at,
            octets.join(" "),
            printable(&spot.text)
        );
        say(&text, Role::Plain);
    }
    for related in finding.related.iter().take(6) {
        say(&format!("call {}: {}", related.call, printable(&related.note)), Role::Dim);
    }
    if let Some(known) = &finding.known {
        say(&format!("a known deviation of {known}"), Role::Dim);
    }
    if let Some(rule) = model.knowledge.catalogue.get(&finding.rule) {
        rows.push(Row::new());
        let mut page = Vec::new();
        // Writing into memory cannot fail.
        let _ = rules::page(rule, Some(width.saturating_sub(2)), &mut page);
        let page = String::from_utf8_lossy(&page).into_owned();
        let plain = anstream::adapter::strip_str(&page).to_string();
        rows.extend(
            plain.lines().map(|line| Row::one(format!(" {}", printable(line)), Role::Plain)),
        );
    }
    (format!("{}, {}", finding.rule, finding.certainty.word()), rows)
}
