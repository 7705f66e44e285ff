//! Moving about: rows, panes, views, the mouse.

use ratatui::layout::{Position, Rect};

use super::super::detail::Subject;
use super::super::layout::inside;
use super::super::model::{Focus, Model};
use super::super::msg::{Effect, View};
use super::super::view;
use crate::bytes::{Buffer, FrameNo};

/// Where something leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Target {
    /// To a call.
    Call(u64),
    /// To what a call was answered.
    Answer(u64),
    /// To a frame.
    Frame(u64),
    /// To a finding, by its place.
    Finding(usize),
    /// To the state of the server at a call.
    State(u64),
    /// To the calls of a method, by its place among the statistics.
    Method(usize),
    /// To a row of the view of objects.
    Item(usize),
}

impl Model<'_> {
    pub(super) fn turn(&mut self, by: i64) {
        let len = i64::try_from(View::ALL.len()).unwrap_or(1);
        let at = i64::try_from(self.view.place()).unwrap_or(0);
        let to = usize::try_from((at + by).rem_euclid(len)).unwrap_or(0);
        self.show(View::ALL.get(to).copied().unwrap_or_default());
    }

    /// To a view, with the same call or frame selected.
    pub(super) fn show(&mut self, to: View) {
        if self.view == to {
            return;
        }
        match (self.view, to) {
            (_, View::Packets) => {
                let frame = match self.detail.subject {
                    Some(Subject::Call(n)) if n == self.call => self.frame_of_selection(),
                    _ => None,
                };
                let frame = frame.or_else(|| self.frame_of_call());
                self.frame = frame.map_or(self.frame, |frame| frame.0);
            }
            (View::Packets, _) => {
                let calls = self.trace.calls_in(FrameNo(self.frame));
                if !calls.contains(&self.call) {
                    self.call = calls.first().copied().unwrap_or(self.call);
                }
            }
            _ => {}
        }
        self.turn_to(to);
        self.sync();
    }

    /// Another view is open; keys go to its list.
    pub(super) fn turn_to(&mut self, to: View) {
        (self.view, self.zoom, self.focus, self.page_top) = (to, false, Focus::List, 0);
    }

    pub(super) fn frame_of_call(&self) -> Option<FrameNo> {
        let call = self.trace.call(self.call, false, self.registry).ok()??;
        let message = call.rpc.request.as_ref().or(call.rpc.response.as_ref())?;
        message.frames.first().copied()
    }

    /// Moves the list to what is selected.
    pub(in crate::tui) fn sync(&mut self) {
        let at = match self.view {
            View::Calls | View::Sequence => Some(self.row_of(self.call)),
            View::Packets => usize::try_from(self.frame.saturating_sub(1)).ok(),
            View::State => self.way().iter().position(|stand| stand.call >= self.call),
            View::Findings => {
                let here = self.findings.get(self.list().at).and_then(|of| of.call);
                self.findings.place_of(self.call).filter(|_| here != Some(self.call))
            }
            View::Objects => {
                let here = self.item_call(self.list().at);
                self.item_of(self.call).filter(|_| here != Some(self.call))
            }
            View::Overview | View::Statistics => None,
        };
        let height = inside(self.layout().list);
        if let Some(at) = at {
            let list = self.list_mut();
            list.at = at;
            if !(list.top..list.top.saturating_add(height)).contains(&at) {
                // What comes after it is seen, too.
                list.top = at.saturating_sub(height / 3);
            }
        }
    }

    /// Selects what the row of the list is.
    pub(in crate::tui) fn follow_list(&mut self) {
        let at = self.list().at;
        match self.view {
            View::Calls | View::Sequence => self.call = self.call_at(at).unwrap_or(self.call),
            View::Packets => {
                self.frame = u64::try_from(at).map_or(0, |at| at + 1).min(self.trace.frames());
            }
            View::State => {
                let call = self.way().get(at).map(|stand| stand.call);
                self.call = call.unwrap_or(self.call);
            }
            View::Findings => {
                let finding = self.findings.get(at);
                let call = finding.and_then(|finding| finding.call);
                let frame = finding.and_then(|finding| finding.frames.first());
                (self.call, self.frame) =
                    (call.unwrap_or(self.call), frame.map_or(self.frame, |frame| frame.0));
            }
            View::Objects => self.call = self.item_call(at).unwrap_or(self.call),
            View::Overview | View::Statistics => {}
        }
    }

    /// So many rows down, in the pane that takes the keys.
    pub(super) fn step(&mut self, by: i64) {
        if self.view.has_page() && self.focus != Focus::List {
            let most = view::side::len(self).saturating_sub(inside(self.layout().side));
            let by = isize::try_from(by).unwrap_or(if by < 0 { isize::MIN } else { isize::MAX });
            self.page_top = self.page_top.saturating_add_signed(by).min(most);
            return;
        }
        match self.focus {
            Focus::List => {
                let len = self.rows();
                self.follows = false;
                self.list_mut().step(by, len);
                self.page_top = 0;
                self.follow_list();
            }
            Focus::Fields => {
                let mut list = self.detail.list;
                list.step(by, self.detail.visible.len());
                self.detail.select(list.at);
            }
            Focus::Bytes => {
                let row = i64::from(view::bytes::per_row(self.layout().bytes));
                self.byte(by.saturating_mul(row));
            }
        }
    }

    /// So many bytes further.
    fn byte(&mut self, by: i64) {
        let len = i64::from(self.detail.shown().map_or(0, Buffer::len));
        let at = i64::from(self.detail.cursor).saturating_add(by).clamp(0, (len - 1).max(0));
        self.detail.point(u32::try_from(at).unwrap_or(0), &mut self.closed);
    }

    pub(super) fn page(&mut self, by: i64) {
        let layout = self.layout();
        let pane = match self.focus {
            Focus::List => layout.list,
            _ if self.view.has_page() => layout.side,
            Focus::Fields => layout.fields,
            Focus::Bytes => layout.bytes,
        };
        let rows = i64::try_from(inside(pane).max(2) - 1).unwrap_or(1);
        self.step(by.saturating_mul(rows));
    }

    pub(super) fn last(&mut self) {
        self.step(i64::MAX / 2);
        self.follows |= self.options.live && self.focus == Focus::List && !self.ended;
    }

    pub(super) fn turn_focus(&mut self, next: bool) {
        if !self.view.has_panes() {
            return;
        }
        self.focus = match (self.focus, next) {
            (Focus::List, _) if self.view.has_page() => Focus::Fields,
            (_, _) if self.view.has_page() => Focus::List,
            (Focus::List, true) | (Focus::Bytes, false) => Focus::Fields,
            (Focus::Fields, true) | (Focus::List, false) => Focus::Bytes,
            (Focus::Bytes, true) | (Focus::Fields, false) => Focus::List,
        };
    }

    pub(super) fn sideways(&mut self, right: bool) {
        let by = if right { 1 } else { -1 };
        match (self.view, self.focus) {
            (View::Calls | View::Packets, Focus::List) if right => self.focus = Focus::Fields,
            (View::State | View::Sequence, _) => self.step(by),
            (_, Focus::Bytes) => self.byte(by),
            (_, Focus::Fields) => {
                if !self.detail.toggle(Some(right), &mut self.closed) {
                    match self.detail.parent() {
                        Some(parent) if !right => self.detail.select(parent),
                        None if !right => self.focus = Focus::List,
                        _ => self.step(1),
                    }
                }
            }
            (_, Focus::List) => {}
        }
    }

    /// The bytes of the next buffer or frame.
    pub(super) fn tab(&mut self, next: bool) {
        let len = self.detail.frames.len() + 1;
        let step = if next { 1 } else { len - 1 };
        self.detail.tab = (self.detail.tab + step) % len;
        let at = self.detail.lit().first().map_or(0, |span| span.start);
        self.detail.cursor = at;
    }

    /// Moves the bytes so that the cursor is on the screen.
    pub(super) fn show_cursor(&mut self) {
        let pane = self.layout().bytes;
        let (row, height) = (view::bytes::per_row(pane), inside(pane).max(1));
        let line = |at: u32| crate::bytes::index(at / row.max(1));
        let at = line(self.detail.cursor);
        // Where fields are gone through, all of the field is to be seen, if there is room.
        let lit = self.detail.lit();
        let end = lit.iter().find(|span| span.end > self.detail.cursor);
        let end = end.filter(|_| self.focus != Focus::Bytes).map_or(at, |span| line(span.end - 1));
        let end = end.min(at.saturating_add(height - 1));
        if at < self.detail.top {
            self.detail.top = at;
        } else if end.saturating_sub(self.detail.top) >= height {
            self.detail.top = end + 1 - height;
        }
        let len = self.detail.shown().map_or(0, Buffer::len);
        let all = crate::bytes::index(len.div_ceil(row.max(1)));
        self.detail.top = self.detail.top.min(all.saturating_sub(height));
        let fields = inside(self.layout().fields);
        let len = self.detail.visible.len();
        self.detail.list.show(fields, len);
    }

    pub(super) fn enter(&mut self) {
        let at = self.list().at;
        match (self.view, self.focus) {
            (View::Calls | View::Packets, Focus::List) => self.focus = Focus::Fields,
            (View::Calls | View::Packets, Focus::Fields) => {
                if !self.detail.toggle(None, &mut self.closed) {
                    self.focus = Focus::Bytes;
                }
            }
            (View::Calls, Focus::Bytes) => {
                self.jump();
                self.show(View::Packets);
            }
            (View::Packets, Focus::Bytes) => {}
            (View::Overview, _) => {
                let target = view::overview::target(self, at);
                self.go(target);
            }
            (View::Statistics, _) => {
                let target = view::statistics::target(self, at);
                self.go(target);
            }
            (View::Findings, _) => {
                let finding = self.findings.get(at);
                let call = finding.and_then(|of| of.call).map(Target::Call);
                let frame = finding.and_then(|of| of.frames.first()).map(|of| Target::Frame(of.0));
                self.go(call.or(frame));
            }
            (View::Objects, _) => {
                let answer = self.object_at(at).is_some_and(|of| of.origin != "adopted");
                let of = if answer { Target::Answer } else { Target::Call };
                self.go(self.item_call(at).map(of));
            }
            (View::Sequence | View::State, _) => self.go(Some(Target::Call(self.call))),
        }
    }

    pub(super) fn go(&mut self, target: Option<Target>) {
        let Some(target) = target else {
            return self.say("there is nowhere to go from this row");
        };
        self.jump();
        // Who goes somewhere stays there.
        self.follows = false;
        match target {
            Target::Call(n) | Target::Answer(n) => {
                // A filter that is still at work may not have come to it.
                let hidden = self.chosen.as_ref().is_some_and(|of| !self.is_chosen(of, n));
                if hidden && self.chosen.take().is_some() {
                    self.say("the filter is off: it hid this call");
                }
                self.turn_to(View::Calls);
                self.call = n;
            }
            Target::Frame(no) => {
                self.turn_to(View::Packets);
                self.frame = no;
            }
            Target::State(n) => {
                self.turn_to(View::State);
                self.call = n;
            }
            Target::Finding(at) => {
                self.turn_to(View::Findings);
                self.list_mut().at = at;
                return self.follow_list();
            }
            Target::Item(at) => {
                self.turn_to(View::Objects);
                self.list_mut().at = at;
                return self.follow_list();
            }
            Target::Method(at) => {
                let filter = view::statistics::filter(self, at).map(str::to_owned);
                if let Some(filter) = filter
                    && let Err(error) = self.filter(&filter)
                {
                    self.complain(error);
                }
                return;
            }
        }
        self.sync();
        if matches!(target, Target::Answer(_)) {
            self.refresh_detail();
            self.detail.select_answer();
        }
    }

    /// To a call or frame by number: `7`, `f57`.
    pub(super) fn go_to(&mut self, text: &str) {
        let frame = text.strip_prefix('f').or_else(|| text.strip_prefix("frame "));
        let (number, of_frame) = match frame {
            Some(number) => (number, true),
            None => (text.strip_prefix("call ").unwrap_or(text), self.view == View::Packets),
        };
        let Ok(number) = number.trim().parse::<u64>() else {
            return self.complain("a number is expected: 7 for a call, f57 for a frame");
        };
        let (most, what) =
            if of_frame { (self.trace.frames(), "frame") } else { (self.trace.calls(), "call") };
        if number == 0 || number > most {
            return self.complain(match most {
                0 => format!("there is no {what} so far"),
                _ => format!("there is no {what} {number}: they are numbered 1 to {most}"),
            });
        }
        match (of_frame, self.view) {
            // Who looks at states or arrows goes on doing so.
            (false, View::State) => self.go(Some(Target::State(number))),
            (false, View::Sequence) => {
                self.call = number;
                self.sync();
            }
            (false, _) => self.go(Some(Target::Call(number))),
            (true, _) => self.go(Some(Target::Frame(number))),
        }
    }

    pub(super) fn click(&mut self, x: u16, y: u16) -> Option<Effect> {
        if self.help.take().is_some() || self.prompt.is_some() {
            return None;
        }
        let layout = self.layout();
        let inside = |pane: Rect| pane.contains(Position { x, y });
        let row = |pane: Rect| usize::from(y.saturating_sub(pane.y)).checked_sub(1);
        if inside(layout.tabs) {
            let tab = view::tabs(self).into_iter().find(|(_, columns)| columns.contains(&x));
            if let Some((view, _)) = tab {
                self.show(view);
            }
        } else if inside(layout.list) {
            let row = row(layout.list)?;
            let again = self.focus == Focus::List;
            self.focus = Focus::List;
            self.follows = false;
            if self.view == View::Sequence {
                self.call = view::sequence::call_at(self, row).unwrap_or(self.call);
                self.sync();
                return None;
            }
            if self.view == View::State {
                return None;
            }
            let before = self.list().at;
            let at = self.list().top.saturating_add(row);
            if at >= self.rows() {
                return None;
            }
            self.list_mut().at = at;
            self.follow_list();
            if again && at == before && !self.view.has_detail() {
                self.enter();
            }
        } else if inside(layout.side) {
            self.focus = Focus::Fields;
        } else if inside(layout.fields) {
            let row = row(layout.fields)?;
            let at = self.detail.list.top.saturating_add(row);
            let again = self.focus == Focus::Fields && self.detail.list.at == at;
            self.focus = Focus::Fields;
            if at < self.detail.visible.len() {
                self.detail.select(at);
                if again {
                    self.detail.toggle(None, &mut self.closed);
                }
            }
        } else if inside(layout.bytes) {
            self.focus = Focus::Bytes;
            match view::bytes::at(self, layout.bytes, x, y) {
                Some(at) => self.detail.point(at, &mut self.closed),
                None if y == layout.bytes.y => self.tab(true),
                None => {}
            }
        }
        None
    }

    pub(super) fn wheel(&mut self, x: u16, y: u16, by: i64) {
        if let Some(top) = self.help {
            let by = isize::try_from(by).unwrap_or_default();
            self.help = Some(top.saturating_add_signed(by).min(view::help::len()));
            return;
        }
        let layout = self.layout();
        let over = |pane: Rect| pane.contains(Position { x, y });
        if over(layout.fields) {
            let height = inside(layout.fields);
            let mut list = self.detail.list;
            list.scroll(by, height, self.detail.visible.len());
            self.detail.select(list.at);
            self.detail.list.top = list.top;
        } else if over(layout.bytes) {
            let row = i64::from(view::bytes::per_row(layout.bytes));
            self.byte(by.saturating_mul(row));
        } else if over(layout.side) {
            self.focus = Focus::Fields;
            self.step(by);
        } else if over(layout.list) && matches!(self.view, View::Sequence | View::State) {
            self.focus = Focus::List;
            self.step(by);
        } else if over(layout.list) {
            let (height, len) = (inside(layout.list), self.rows());
            self.follows = false;
            self.list_mut().scroll(by, height, len);
            self.follow_list();
        }
    }
}
