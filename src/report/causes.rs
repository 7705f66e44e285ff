//! The causes of failed backups as text: a list, and the page of a cause.

use std::io::{self, Write};

use anstyle::Style;

use super::opening::side;
use super::rules::{DIM, HEAD, MOST_COLUMNS, Page};
use super::text::cut;
use crate::bytes::printable;
use crate::check::{Cause, Certainty, Circumstance, Circumstances, Protocol, Retry, Signs, Stage};

/// Writes a cause a line, cut to `width` where there is one.
pub fn list(causes: &[&Cause], width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let id = causes.iter().map(|cause| cause.id.chars().count()).max().unwrap_or_default();
    for cause in causes {
        let (sure, style) = match &cause.signs {
            Some(_) => (cause.confidence.word(), Style::new()),
            None => ("left out", DIM),
        };
        let start = format!("{:id$}  {sure:<8}  {:<9}  ", cause.id, cause.party.word());
        let line = format!("{start}{}", printable(&cause.general_title()));
        writeln!(out, "{style}{}{style:#}", cut(&line, width.unwrap_or(usize::MAX)))?;
    }
    Ok(())
}

/// Writes the page of a cause, its paragraphs broken where there is a `width`.
pub fn page(cause: &Cause, width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { width: width.map(|width| width.min(MOST_COLUMNS)), out };
    writeln!(page.out, "{HEAD}{}{HEAD:#}", cause.id)?;
    let is_managing = cause.protocol == Protocol::Scmp;
    let what = if is_managing { "Managing shadow copies" } else { "The backup" };
    page.lines(&format!("{what} failed because {}.", cause.general_title()), 2)?;
    writeln!(page.out)?;
    page.row("whose side", side(cause.party, is_managing))?;
    if cause.signs.is_some() {
        page.row("how sure", sure(cause.confidence))?;
    }
    page.row("run again?", &again(cause))?;
    if let Some(event) = cause.windows_event {
        page.row(
            "event",
            &format!(
                "{event} of Microsoft-Windows-FileShareShadowCopyProvider, on a Windows backup host"
            ),
        )?;
    }
    if let Some(reason) = &cause.left_out {
        page.paragraph("Why no capture shows it", reason)?;
    }
    if let Some(signs) = &cause.signs {
        page.head("What it looks like")?;
        for (head, what) in looks(signs, cause.protocol) {
            page.row(head, &what)?;
        }
        if cause.fallback {
            page.lines("It is told only where no other cause fits.", 2)?;
        }
    }
    let general = |text: &String| cause.in_general(text);
    page.paragraph("Why", &general(&cause.why))?;
    page.paragraph("What to do", &general(&cause.remedy))?;
    if let Some(apart) = &cause.tell_apart {
        page.paragraph("What else it may be", &general(apart))?;
    }
    if let Some(example) = &cause.example {
        page.example("This shows it", example)?;
    }
    if let Some(example) = &cause.near_miss {
        page.example("This comes near and does not", example)?;
    }
    if !cause.captures.is_empty() {
        page.paragraph("Captures that show it", &cause.captures.join(", "))?;
    }
    page.paragraph("Known from", &cause.source)
}

fn sure(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Certain => "certain where it shows",
        Certainty::Likely => "likely: what is seen may have another reason",
        Certainty::Possible => "possible, no more",
    }
}

fn again(cause: &Cause) -> String {
    match (&cause.retry_note, cause.retry) {
        (Some(note), _) => cause.in_general(note),
        (None, Retry::AfterRemedy) => "fails the same way until something is done".to_owned(),
        (None, Retry::Later) => "may succeed by itself, later".to_owned(),
        (None, Retry::Now) => "may succeed at once".to_owned(),
    }
}

/// Its signs, each with a heading.
fn looks(signs: &Signs, protocol: Protocol) -> Vec<(&'static str, String)> {
    let method = |opnum: &u16| {
        protocol.methods().iter().find(|(n, _)| n == opnum).map(|(_, name)| (*name).to_owned())
    };
    let known = |of: Circumstances| {
        let meant = |of: Circumstance| format!("{}: {}", of.word(), of.meaning());
        of.iter().map(meant).collect::<Vec<_>>()
    };
    let stage = |of: &Stage| format!("{}: {}", of.word(), of.meaning());
    let one = |of: Vec<String>| if of.is_empty() { of } else { vec![of.join(", ")] };
    let parts = [
        ("at", "or", signs.stages.iter().map(stage).collect()),
        ("methods", "", one(signs.opnums.iter().filter_map(method).collect())),
        ("answers", "", one(signs.codes.iter().map(ToString::to_string).collect())),
        ("known", "and", known(signs.when)),
        ("not", "nor", known(signs.unless)),
        ("found", "", one(signs.found.clone())),
    ];
    let rows = parts.into_iter().flat_map(|(first, others, what)| {
        what.into_iter()
            .enumerate()
            .map(move |(n, what)| (if n == 0 { first } else { others }, what))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Causes;

    #[test]
    fn every_page_has_words_that_fit_in_place_of_those_in_braces() {
        let causes = Causes::load(&[]).expect("the embedded causes load");
        for cause in causes.iter() {
            let mut out = Vec::new();
            page(cause, Some(80), &mut out).expect("memory takes it");
            let page = String::from_utf8(out).expect("a page is UTF-8");
            let page = anstream::adapter::strip_str(&page).to_string();
            let prose = page.split("\nThis shows it\n").next().unwrap_or_default();
            assert!(!prose.contains('{'), "{}: {prose}", cause.id);
            assert!(prose.contains("\nWhat to do\n"), "{prose}");
        }
    }
}
