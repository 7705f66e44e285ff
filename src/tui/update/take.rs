//! What is taken along: marks, copies, files.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::super::detail::{Detail, Subject};
use super::super::job::Job;
use super::super::model::{Focus, Model};
use super::super::msg::{Ask, Copied, Effect, View};
use super::super::view;
use super::super::write::{What, Writing, lines};
use super::Target;
use crate::bytes::{Buffer, FrameNo, Span};
use crate::report::json;

/// Octets that a clipboard is given; terminals take no more than about that.
const MAX_COPY: usize = 74_000;

impl Model<'_> {
    /// The call that the selected row is of, or leads to.
    pub(super) fn call_here(&self) -> Option<u64> {
        let at = self.list().at;
        let of_finding = |at| self.findings.get(at)?.call;
        match self.view {
            View::Overview => match view::overview::target(self, at)? {
                Target::Call(n) | Target::Answer(n) | Target::State(n) => Some(n),
                Target::Finding(at) => of_finding(at),
                Target::Frame(no) => self.trace.calls_in(FrameNo(no)).first().copied(),
                Target::Item(at) => self.item_call(at),
                Target::Method(_) => None,
            },
            View::Findings => of_finding(at),
            View::Objects => self.item_call(at),
            View::Packets => self.trace.calls_in(FrameNo(self.frame)).first().copied(),
            View::Statistics => None,
            View::Calls | View::Sequence | View::State => (self.call > 0).then_some(self.call),
        }
    }

    pub(super) fn mark(&mut self) {
        let subject = match self.view {
            View::Packets => Some(Subject::Frame(self.frame)).filter(|_| self.frame > 0),
            _ => self.call_here().map(Subject::Call),
        };
        let Some(subject) = subject else {
            return self.complain("this row is of no call that could be marked");
        };
        if !self.marks.remove(&subject) {
            self.marks.insert(subject);
        }
        self.say(format!("{} marked", count(self.marks.len())));
    }

    pub(super) fn next_mark(&mut self) {
        let (here, packets) = match self.view {
            View::Packets => (Subject::Frame(self.frame), true),
            _ => (Subject::Call(self.call), false),
        };
        let of_kind = |of: &&Subject| matches!(of, Subject::Frame(_)) == packets;
        let after = self.marks.iter().filter(of_kind).find(|of| **of > here);
        let next = after.or_else(|| self.marks.iter().find(of_kind)).copied();
        match next {
            Some(Subject::Call(n)) => self.go(Some(Target::Call(n))),
            Some(Subject::Frame(no)) => self.go(Some(Target::Frame(no))),
            None => self.complain("nothing is marked: m marks the row"),
        }
    }

    pub(super) fn copy(&mut self, what: Copied) -> Option<Effect> {
        let in_detail = self.view.has_detail();
        let field = self.detail.selected().filter(|_| in_detail);
        let text = match what {
            Copied::Value if in_detail && self.focus != Focus::List => field.map(|field| {
                if field.value.is_empty() { &field.name } else { &field.value }.clone()
            }),
            Copied::Row if in_detail && self.focus != Focus::List => field.map(row),
            Copied::Value | Copied::Row => Some(view::row_text(self, self.list().at)),
            Copied::Tree if in_detail => Some(tree(&self.detail)),
            Copied::Tree => Some(lines(view::all_text(self).into_iter())),
            Copied::Hex if in_detail => hex(&self.detail),
            Copied::Hex => None,
        };
        let text = text.map(|text| text.trim_end().to_owned()).filter(|text| !text.is_empty());
        let Some(text) = text else {
            self.complain("there is nothing to copy here");
            return None;
        };
        self.copied.clone_from(&text);
        if text.len() > MAX_COPY {
            self.complain("that is too long for a clipboard: Y saves it to a file");
            return None;
        }
        let first = text.lines().next().unwrap_or_default().to_owned();
        let more = if text.lines().count() > 1 { " and more" } else { "" };
        self.say(format!("copied: {first}{more}"));
        Some(Effect::Copy(text))
    }

    pub(super) fn save(&mut self, ask: Ask, name: &str) -> Option<Effect> {
        if name.is_empty() {
            return None;
        }
        let path = PathBuf::from(name);
        if ask == Ask::SavePackets {
            let calls = self.calls_to_save();
            if calls.is_empty() {
                self.complain("this row is of no call whose packets could be saved");
                return None;
            }
            self.say(format!("saving packets of {} to {name}", count(calls.len())));
            return Some(Effect::SavePackets(path, calls));
        }
        let json = path.extension().is_some_and(|ending| {
            ending.eq_ignore_ascii_case("json") || ending.eq_ignore_ascii_case("ndjson")
        });
        if !self.is_free() {
            return None;
        }
        let what = match (ask, self.view) {
            (Ask::SaveCopy, _) => {
                What::Text(Some(format!("{}\n", self.copied)), "written".to_owned())
            }
            (_, View::Calls) => What::Calls(0, json),
            (_, View::Packets) => What::Packets(0, json),
            (_, View::Findings) if json => {
                let mark = crate::gate::Mark::default();
                let record = |finding| json::line(&json::finding(finding, mark));
                let said = format!("{} findings", self.findings.len());
                What::Text(Some(lines(self.findings.iter().map(record))), said)
            }
            _ if json => {
                let text = "this view is saved as text: name a file that does not end in .json";
                self.complain(text);
                return None;
            }
            (_, view) => {
                let text = lines(view::all_text(self).into_iter());
                let said = match view {
                    View::Sequence => "the calls around the selected one",
                    _ => "the view as it is now",
                };
                What::Text(Some(text), said.to_owned())
            }
        };
        self.job = Some(Job::Write(Writing { name: name.to_owned(), what }));
        Some(Effect::Create(path))
    }

    /// The marked calls and those of marked frames; the selected one if nothing is marked.
    fn calls_to_save(&self) -> Vec<u64> {
        let of = |mark: &Subject| match mark {
            Subject::Call(n) => vec![*n],
            Subject::Frame(no) => self.trace.calls_in(FrameNo(*no)),
        };
        let mut calls: Vec<u64> = self.marks.iter().flat_map(of).collect();
        if self.marks.is_empty() {
            calls = match self.view {
                View::Packets => self.trace.calls_in(FrameNo(self.frame)),
                _ => self.call_here().into_iter().collect(),
            };
        }
        calls.sort_unstable();
        calls.dedup();
        calls
    }
}

fn count(n: usize) -> String {
    match n {
        1 => "1 row".to_owned(),
        n => format!("{n} rows"),
    }
}

/// A row of fields as text.
fn row(field: &super::super::detail::Field) -> String {
    let indent = "  ".repeat(field.depth);
    if field.value.is_empty() {
        return format!("{indent}{}", field.name);
    }
    format!("{indent}{}: {}", field.name, field.value)
}

/// All fields as text, whether their groups are open or not.
fn tree(detail: &Detail) -> String {
    let rows = detail.fields.iter().map(|field| format!("{}\n", row(field)));
    format!("{}\n{}", detail.title, rows.collect::<String>())
}

/// The bytes of the selected field.
fn hex(detail: &Detail) -> Option<String> {
    let bytes: &Buffer = detail.shown()?;
    let spans: Vec<Span> = detail.lit();
    let mut text = String::new();
    for span in spans {
        for at in span.start..span.end {
            let one = Span::new(at, at.saturating_add(1));
            match bytes.view().slice(one).bytes() {
                // A byte that is not there is none.
                _ if bytes.view().hole_in(one).is_some() => text.push_str(".."),
                [byte] => _ = write!(text, "{byte:02x}"),
                _ => {}
            }
        }
    }
    Some(text)
}
