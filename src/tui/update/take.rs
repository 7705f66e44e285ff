//! What is taken along: marks, copies, files.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::super::detail::{Detail, Subject};
use super::super::job::{Job, lines};
use super::super::model::{Focus, Model};
use super::super::msg::{Ask, Copied, Effect, View};
use super::super::view;
use super::Target;
use crate::bytes::{Buffer, FrameNo, Span};
use crate::report::json;

/// Octets that a clipboard is given; terminals take no more than about that.
const MAX_COPY: usize = 74_000;

impl Model<'_> {
    pub(super) fn mark(&mut self) {
        let subject = match self.view {
            View::Packets => Subject::Frame(self.frame),
            _ => Subject::Call(self.call),
        };
        if matches!(subject, Subject::Call(0) | Subject::Frame(0)) {
            return self.complain("there is nothing to mark");
        }
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
            Copied::Tree => {
                let rows = 0..self.rows().min(10_000);
                Some(lines(rows.map(|row| view::row_text(self, row))))
            }
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
                self.complain("there is no call whose packets could be saved");
                return None;
            }
            self.say(format!("saving packets of {} to {name}", count(calls.len())));
            return Some(Effect::SavePackets(path, calls));
        }
        let json = path.extension().is_some_and(|ending| {
            ending.eq_ignore_ascii_case("json") || ending.eq_ignore_ascii_case("ndjson")
        });
        let name = name.to_owned();
        let listed = matches!(self.view, View::Calls | View::Packets);
        self.job = Some(if ask == Ask::SaveCopy {
            Job::Text { text: format!("{}\n", self.copied), name }
        } else if listed {
            Job::Write { json, view: self.view, next: 0, name }
        } else if let Some(text) = self.whole_view(json) {
            Job::Text { text, name }
        } else {
            self.complain("this view is saved as text: name a file that does not end in .json");
            return None;
        });
        Some(Effect::Create(path))
    }

    /// A view without a long list, whole.
    fn whole_view(&self, json: bool) -> Option<String> {
        if !json {
            let rows = 0..view::text_rows(self);
            return Some(lines(rows.map(|row| view::row_text(self, row))));
        }
        if self.view != View::Findings {
            return None;
        }
        let record = |finding| json::line(&json::finding(finding, crate::gate::Mark::default()));
        Some(lines(self.findings.iter().map(record)))
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
                _ if self.call > 0 => vec![self.call],
                _ => Vec::new(),
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
        for byte in bytes.view().slice(span).bytes() {
            let _ = write!(text, "{byte:02x}");
        }
    }
    Some(text)
}
