//! Looking for text or bytes, row by row of a list, and in the fields and bytes of each.

use super::detail::{Detail, Subject};
use super::find::{Hit, Search};
use super::job::{Job, SLICE};
use super::model::{Focus, Model};
use super::msg::View;
use super::write::text_of;
use crate::bytes::FrameNo;

/// A search that goes on.
#[derive(Debug)]
pub(super) struct Seeking {
    search: Search,
    forward: bool,
    /// The view whose list it is: in another there is another list.
    view: View,
    /// The row that comes next, and how many are left.
    next: usize,
    left: usize,
    /// Whether it has come by the end of the list.
    around: bool,
}

impl Model<'_> {
    /// Begins to look for something, from the row that is selected; a `fresh` search takes that, too.
    pub(super) fn find(&mut self, search: Search, forward: bool, fresh: bool) {
        if !self.is_free() {
            return;
        }
        let len = self.rows();
        if len == 0 {
            return self.complain("there is nothing to look through");
        }
        // First in what is open.
        if self.view.has_detail() && self.detail.error.is_none() {
            let after = self.detail.visible.get(self.detail.list.at).copied();
            let after = after.filter(|_| !fresh);
            if let Some(hit) = search.place(&self.detail, after, forward)
                && (fresh || self.focus != Focus::List)
            {
                self.hit(hit);
                return self.say(format!("{}: found", search.text));
            }
        }
        let (next, around) = step(self.list().at, len, forward);
        let view = self.view;
        self.job = Some(Job::Seek(Seeking { search, forward, view, next, left: len, around }));
    }

    pub(super) fn go_on_seeking(&mut self, mut seeking: Seeking) {
        if seeking.view != self.view {
            return self.say(format!("{}: given up in another view", seeking.search.text));
        }
        let len = self.rows();
        for _ in 0..SLICE {
            let text = &seeking.search.text;
            if seeking.left == 0 || len == 0 {
                let among = match &self.chosen {
                    Some(_) if self.view != View::Packets => " in the calls that the filter shows",
                    _ => "",
                };
                let so_far = if self.ended && !self.is_choosing() { "" } else { " so far" };
                return self.complain(format!("{text}: not found{among}{so_far}"));
            }
            if let Some(hit) = self.look(&seeking.search, seeking.next, seeking.forward) {
                let way = match (seeking.around, seeking.forward) {
                    (false, _) => "",
                    (true, true) => ", from the beginning again",
                    (true, false) => ", from the end again",
                };
                let said = format!("{text}: found{way}");
                self.list_mut().at = seeking.next;
                self.follow_list();
                self.refresh_detail();
                self.hit(hit);
                return self.say(said);
            }
            let (next, wrapped) = step(seeking.next, len, seeking.forward);
            seeking.next = next;
            seeking.around |= wrapped;
            seeking.left -= 1;
        }
        let (text, left) = (&seeking.search.text, seeking.left);
        self.say(format!("looking for {text}: {left} rows to go (Esc stops)"));
        self.job = Some(Job::Seek(seeking));
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
                // There may be very many numbers without a packet.
                self.trace.about(FrameNo(no))?;
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

    /// Selects what was found in the fields or bytes that are open, where they are.
    fn hit(&mut self, hit: Hit) {
        if !self.view.has_detail() {
            return;
        }
        self.focus = match hit {
            Hit::Row => Focus::List,
            Hit::Field(row) => {
                self.detail.reveal(row, &mut self.closed);
                self.detail.select(self.detail.list.at);
                Focus::Fields
            }
            Hit::Bytes(page, at) => {
                let root = |field: &super::detail::Field| field.page == Some(page);
                if let Some(row) = self.detail.fields.iter().position(root) {
                    self.detail.reveal(row, &mut self.closed);
                    self.detail.tab = 0;
                    self.detail.select(self.detail.list.at);
                    self.detail.point(at, &mut self.closed);
                }
                Focus::Bytes
            }
        };
    }

    /// The fields and bytes of something else than what is open.
    fn detail_of(&self, subject: Subject) -> Detail {
        let mut detail = Detail::default();
        self.fill(&mut detail, subject);
        detail
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
