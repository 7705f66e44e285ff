//! What takes long, and is done a little at a time between two keys: choosing calls by a filter,
//! looking for something, writing a list.

use super::detail::{Detail, Subject};
use super::find::{Hit, Search};
use super::model::{Chosen, Model};
use super::msg::{Effect, View};
use super::rows::Shown;
use crate::bytes::FrameNo;
use crate::call::Call;
use crate::filter::Subject as Asked;
use crate::report::json;

/// Calls or frames that are looked at in one go.
const SLICE: u64 = 64;

/// What is going on.
#[derive(Debug)]
pub(super) enum Job {
    /// Looking for something.
    Find {
        search: Search,
        forward: bool,
        /// The row that comes next, and how many are left.
        next: usize,
        left: usize,
        /// Whether it has come by the end of the list.
        around: bool,
    },
    /// Writing a text.
    Text { text: String, name: String },
    /// Writing the list of calls or packets.
    Write { json: bool, view: View, next: usize, name: String },
}

impl Model<'_> {
    /// Does a little of what takes long.
    pub(super) fn work(&mut self) -> Option<Effect> {
        self.choose();
        match self.job.take()? {
            Job::Find { search, forward, next, left, around } => {
                self.go_on_finding(search, forward, (next, left), around);
                None
            }
            Job::Write { json, view, next, name } => {
                Some(self.go_on_writing(json, view, next, name))
            }
            Job::Text { text, name } if text.is_empty() => {
                Some(Effect::Close(format!("{name}: written")))
            }
            Job::Text { text, name } => {
                self.job = Some(Job::Text { text: String::new(), name });
                Some(Effect::Write(text))
            }
        }
    }

    /// Asks the next calls whether they are shown.
    fn choose(&mut self) {
        let Some(mut chosen) = self.chosen.take() else { return };
        let late: Vec<u64> =
            chosen.open.iter().copied().filter(|n| self.trace.has_call(*n)).collect();
        for n in late {
            chosen.open.remove(&n);
            if self.is_chosen(&chosen, n) {
                let at = chosen.rows.partition_point(|of| *of < n);
                chosen.rows.insert(at, n);
            }
        }
        for _ in 0..SLICE {
            let n = chosen.next;
            if n > self.trace.calls() {
                break;
            }
            chosen.next += 1;
            if !self.trace.has_call(n) {
                chosen.open.insert(n);
            } else if self.is_chosen(&chosen, n) {
                chosen.rows.push(n);
            }
        }
        self.chosen = Some(chosen);
    }

    fn is_chosen(&self, chosen: &Chosen, n: u64) -> bool {
        let Ok(Some(call)) = self.trace.call(n, false, self.registry) else { return false };
        chosen.filter.matches(&self.asked(&call))
    }

    fn asked<'a>(&'a self, call: &'a Call) -> Asked<'a> {
        Asked {
            call,
            registry: self.registry,
            origins: self.trace.origins(),
            files: &self.options.files,
        }
    }

    /// Begins to look for something, from the row that is selected.
    pub(super) fn find(&mut self, search: Search, forward: bool, fresh: bool) {
        let len = self.rows();
        if len == 0 {
            return self.complain("there is nothing to look through");
        }
        // First in what is open.
        if self.view.has_detail() && self.detail.error.is_none() {
            let after = self.detail.visible.get(self.detail.list.at).copied();
            let after = after.filter(|_| !fresh);
            if let Some(hit) = search.place(&self.detail, after, forward)
                && (fresh || self.focus != super::model::Focus::List)
            {
                self.hit(hit);
                return self.say(format!("{}: found", search.text));
            }
        }
        let at = self.list().at;
        let next = step(at, len, forward).0;
        self.job = Some(Job::Find { search, forward, next, left: len, around: false });
    }

    fn go_on_finding(
        &mut self,
        search: Search,
        forward: bool,
        (mut next, mut left): (usize, usize),
        mut around: bool,
    ) {
        let len = self.rows();
        for _ in 0..SLICE {
            if left == 0 || len == 0 {
                let among = match &self.chosen {
                    Some(_) if self.view != View::Packets => " in the calls that the filter shows",
                    _ => "",
                };
                return self.complain(format!("{}: not found{among}", search.text));
            }
            if let Some(hit) = self.look(&search, next, forward) {
                self.list_mut().at = next;
                self.follow_list();
                if hit != Hit::Row {
                    self.refresh_detail();
                    self.hit(hit);
                }
                let way = match (around, forward) {
                    (false, _) => "",
                    (true, true) => ", from the beginning again",
                    (true, false) => ", from the end again",
                };
                return self.say(format!("{}: found{way}", search.text));
            }
            let (to, wrapped) = step(next, len, forward);
            next = to;
            around |= wrapped;
            left -= 1;
        }
        self.say(format!("looking for {}: {left} rows to go (Esc stops)", search.text));
        self.job = Some(Job::Find { search, forward, next, left, around });
    }

    /// Whether a row of the list has it, and where in its fields and bytes.
    fn look(&self, search: &Search, row: usize, forward: bool) -> Option<Hit> {
        let detail = match self.view {
            View::Calls | View::Sequence => {
                let n = self.call_at(row)?;
                let shown = self.calls_in(row..row.saturating_add(1));
                if shown.first().is_some_and(|shown| search.is_in(&text_of(shown))) {
                    return Some(Hit::Row);
                }
                self.detail_of(Subject::Call(n))
            }
            View::Packets => {
                let no = u64::try_from(row).ok()?.checked_add(1)?;
                let packets = self.packets_in(row..row.saturating_add(1));
                if packets.first().is_some_and(|packet| search.is_in(&packet.about)) {
                    return Some(Hit::Row);
                }
                self.detail_of(Subject::Frame(no))
            }
            _ => {
                let text = super::view::row_text(self, row);
                return search.is_in(&text).then_some(Hit::Row);
            }
        };
        search.place(&detail, None, forward)
    }

    /// Selects what was found in the fields or bytes that are open.
    fn hit(&mut self, hit: Hit) {
        self.focus = match hit {
            Hit::Row => super::model::Focus::List,
            Hit::Field(row) => {
                self.detail.reveal(row, &mut self.closed);
                self.detail.select(self.detail.list.at);
                super::model::Focus::Fields
            }
            Hit::Bytes(page, at) => {
                let root = |field: &super::detail::Field| field.page == Some(page);
                if let Some(row) = self.detail.fields.iter().position(root) {
                    self.detail.reveal(row, &mut self.closed);
                    self.detail.tab = 0;
                    self.detail.select(self.detail.list.at);
                    self.detail.point(at, &mut self.closed);
                }
                super::model::Focus::Bytes
            }
        };
    }

    /// The fields and bytes of something else than what is open.
    fn detail_of(&self, subject: Subject) -> Detail {
        let mut detail = Detail::default();
        self.fill(&mut detail, subject);
        detail
    }

    /// Writes the next rows of a list.
    fn go_on_writing(&mut self, json: bool, view: View, next: usize, name: String) -> Effect {
        let rows = next..next.saturating_add(usize::try_from(SLICE).unwrap_or(64));
        let text = match (view, json) {
            (View::Packets, false) => {
                let of = self.packets_in(rows.clone());
                let line = |of: &super::rows::Packet| {
                    format!(
                        "{} {} {} {} {} {}",
                        of.no, of.time, of.src, of.dst, of.protocol, of.about
                    )
                };
                lines(of.iter().map(line))
            }
            (_, false) => {
                let of = self.calls_in(rows.clone());
                lines(of.iter().map(text_of))
            }
            (View::Packets, true) => {
                let of = rows.clone().filter_map(|row| u64::try_from(row).ok()).map(|row| row + 1);
                let calls = of.take_while(|no| *no <= self.trace.frames());
                lines(calls.filter_map(|no| self.packet_json(no)))
            }
            (_, true) => {
                let calls = rows.clone().map_while(|row| self.call_at(row));
                lines(calls.filter_map(|n| self.call_json(n)))
            }
        };
        let len = match view {
            View::Packets => usize::try_from(self.trace.frames()).unwrap_or(usize::MAX),
            _ => self.calls_listed(),
        };
        if rows.start >= len {
            return Effect::Close(format!("{name}: {len} rows"));
        }
        self.job = Some(Job::Write { json, view, next: rows.end, name });
        Effect::Write(text)
    }

    fn call_json(&self, n: u64) -> Option<String> {
        let call = self.trace.call(n, false, self.registry).ok()??;
        let writer = json::Writer { registry: self.registry, files: self.options.files.clone() };
        Some(json::line(&writer.call(&call, self.trace.origins(), None)))
    }

    fn packet_json(&self, no: u64) -> Option<String> {
        let about = self.trace.about(FrameNo(no));
        let packets =
            self.packets_in(usize::try_from(no - 1).unwrap_or(0)..usize::try_from(no).unwrap_or(0));
        let (packet, about) = packets.first().zip(about)?;
        let record = json::packet(&json::Packet {
            frame: no,
            time: about.time,
            source: &packet.src,
            destination: &packet.dst,
            protocol: packet.protocol,
            captured: about.len,
            length: about.wire_len,
            about: &packet.about,
        });
        Some(json::line(&record))
    }
}

/// A row of the list of calls as text.
pub(super) fn text_of(shown: &Shown) -> String {
    let Shown { n, time, client, server, method, asked, answered, took, error, .. } = shown;
    match error {
        Some(error) => format!("{n} {error}"),
        None => format!("{n} {time} {client} {server} {method} {asked} → {answered} {took}"),
    }
}

/// The row after another, around the end of the list, and whether it went around.
fn step(at: usize, len: usize, forward: bool) -> (usize, bool) {
    match (at, forward) {
        (at, true) if at.saturating_add(1) >= len => (0, true),
        (at, true) => (at + 1, false),
        (0, false) => (len.saturating_sub(1), true),
        (at, false) => (at.min(len) - 1, false),
    }
}

/// Each on a line of its own.
pub(super) fn lines(of: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for line in of {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
