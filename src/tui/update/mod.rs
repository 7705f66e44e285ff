//! [`update()`]: what happens to the model when something is meant.

mod anew;
mod load;
mod moving;
mod take;

use ratatui::crossterm::event::{KeyEvent, KeyEventKind};

pub(super) use moving::Target;

use super::detail::{Detail, Subject};
use super::find::Search;
use super::job::Job;
use super::keys::{self, Found};
use super::layout::inside;
use super::line::{Prompt, Typed};
use super::model::{Chosen, Model, stand_in};
use super::msg::{Ask, Effect, Msg, View};
use super::write::Writing;
use crate::bytes::{FrameNo, printable};
use crate::call::Readable;
use crate::filter::Filter;
use crate::report::pages::{self, Page};
use crate::report::sealed::calls_take;
use crate::report::show;

/// What was typed before is remembered so often.
const MAX_HISTORY: usize = 200;
/// Jumps that can be gone back.
const MAX_JUMPS: usize = 100;

/// Does what is meant; gives what the program has to do.
pub fn update(model: &mut Model<'_>, msg: Msg) -> Option<Effect> {
    // What takes long is shown now and then, and when it is done.
    const SLICES: u32 = 32;
    let works = matches!(msg, Msg::Work);
    let effect = model.take(msg);
    model.slices = if works { model.slices.wrapping_add(1) } else { 0 };
    if model.slices.is_multiple_of(SLICES) || !model.is_busy() {
        model.refresh();
    }
    effect
}

impl Model<'_> {
    fn take(&mut self, msg: Msg) -> Option<Effect> {
        match msg {
            Msg::Key(key) => return self.key(key),
            Msg::Paste(text) => self.paste(&text),
            Msg::Resize(width, height) => {
                self.size = (width, height);
                self.list_objects();
            }
            Msg::Click(x, y) => return self.click(x, y),
            Msg::Wheel(x, y, by) => self.wheel(x, y, by),
            Msg::Show(view) => {
                self.show(view);
                self.go_along();
            }
            Msg::Turn(by) => {
                self.turn(by);
                self.go_along();
            }
            Msg::Move(by) => self.step(by),
            Msg::Page(by) => self.page(by),
            Msg::First => self.step(i64::MIN / 2),
            Msg::Last => self.last(),
            Msg::Focus(next) => self.turn_focus(next),
            Msg::Enter => self.enter(),
            Msg::Leave => self.leave(),
            Msg::Left => self.sideways(false),
            Msg::Right => self.sideways(true),
            Msg::Toggle => _ = self.detail.toggle(None, &mut self.closed),
            Msg::ToggleAll => self.detail.toggle_all(&mut self.closed),
            Msg::Tab(next) => self.tab(next),
            Msg::Zoom => self.zoom = self.view.has_panes() && !self.zoom,
            Msg::Ask(ask) => self.ask(ask),
            Msg::Again(forward) => match self.search.clone() {
                Some(search) => self.find(search, forward, false),
                None => self.complain("nothing was looked for so far: / looks for something"),
            },
            Msg::Mark => self.mark(),
            Msg::NextMark => self.next_mark(),
            Msg::Times => self.turn_times(),
            Msg::Colours => {
                self.theme = self.theme.next();
                self.say(format!("colours: {}", self.theme.word()));
            }
            Msg::Help => self.help = if self.help.is_some() { None } else { Some(0) },
            Msg::Copy(what) => return self.copy(what),
            Msg::FollowPipe => self.follow_pipe(),
            Msg::FollowSet => self.follow_set(),
            Msg::Follow => {
                if self.ended {
                    self.complain("all was read: nothing more comes in");
                    return None;
                }
                self.follows = !self.follows;
                let now = if self.follows { "goes along with" } else { "stays, whatever" };
                self.say(format!("the list {now} what comes in"));
                self.go_along();
            }
            Msg::Back => self.back(),
            Msg::Redraw => return Some(Effect::Redraw),
            Msg::Suspend => return Some(Effect::Suspend),
            Msg::Quit => return Some(Effect::Quit),
            Msg::Loaded(loaded) => self.load(*loaded),
            Msg::Work => return self.work(),
            Msg::Anew(from, damaged) => self.begin_anew(from, damaged),
            Msg::Done(Ok(text)) => self.say(text),
            Msg::Done(Err(text)) => {
                self.job = None;
                self.complain(text);
            }
        }
        None
    }

    fn key(&mut self, key: KeyEvent) -> Option<Effect> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        if self.prompt.is_some() {
            return self.type_key(key);
        }
        self.said = None;
        let begun = self.begun.take();
        match keys::find(begun.as_deref(), &keys::name(key)) {
            Found::Msg(msg) if self.help.is_some() => self.in_help(msg),
            Found::Msg(msg) => self.take(msg),
            Found::Begins => {
                self.begun = Some(keys::name(key));
                None
            }
            Found::Nothing => {
                if self.help.take().is_none() && begun.is_none() {
                    self.say("no such key: ? shows the keys");
                }
                None
            }
        }
    }

    /// While the help is open, keys move in it or close it.
    fn in_help(&mut self, msg: Msg) -> Option<Effect> {
        let top = self.help.unwrap_or(0);
        let moved = |by: i64| {
            let by = isize::try_from(by).unwrap_or_default();
            Some(top.saturating_add_signed(by).min(super::view::help::len()))
        };
        let page = i64::from(self.size.1) / 2;
        self.help = match msg {
            Msg::Move(by) => moved(by),
            Msg::Page(by) => moved(by.saturating_mul(page)),
            Msg::First => Some(0),
            Msg::Last => moved(1000),
            Msg::Redraw | Msg::Suspend | Msg::Colours => return self.take(msg),
            _ => None,
        };
        None
    }

    fn type_key(&mut self, key: KeyEvent) -> Option<Effect> {
        let mut prompt = self.prompt.take()?;
        self.said = None;
        let none = Vec::new();
        let history = self.history.get(&prompt.ask).unwrap_or(&none);
        match prompt.key(key, history) {
            Typed::On => {
                prompt.check(self.registry, &self.names);
                self.prompt = Some(prompt);
                None
            }
            Typed::Leave => None,
            Typed::Enter => self.answer(prompt),
        }
    }

    fn paste(&mut self, text: &str) {
        if let Some(prompt) = &mut self.prompt {
            prompt.paste(text);
            prompt.check(self.registry, &self.names);
        }
    }

    fn ask(&mut self, ask: Ask) {
        let text = match ask {
            Ask::Filter => self.chosen.as_ref().map(|of| of.text.clone()).unwrap_or_default(),
            Ask::SavePackets => "selected.pcapng".to_owned(),
            Ask::SaveView => format!("{}.txt", self.view.title().to_lowercase()),
            Ask::SaveCopy => "copied.txt".to_owned(),
            Ask::Search | Ask::GoTo | Ask::Keys => String::new(),
        };
        if ask == Ask::SaveCopy && self.copied.is_empty() {
            return self.complain("nothing was copied so far: y v, y y, y t or y x copies");
        }
        let mut prompt = Prompt::new(ask, text);
        prompt.check(self.registry, &self.names);
        self.prompt = Some(prompt);
    }

    /// A line is done.
    fn answer(&mut self, mut prompt: Prompt) -> Option<Effect> {
        let text = prompt.input.value().trim().to_owned();
        let effect = match prompt.ask {
            Ask::Filter => {
                if let Err(error) = self.filter(&text) {
                    prompt.check(self.registry, &self.names);
                    self.complain(error);
                    self.prompt = Some(prompt);
                    return None;
                }
                None
            }
            Ask::Search if text.is_empty() => None,
            Ask::Search => {
                match Search::parse(&text) {
                    Ok(search) => {
                        self.search = Some(search.clone());
                        self.find(search, true, true);
                    }
                    Err(error) => self.complain(error),
                }
                None
            }
            Ask::GoTo => {
                self.go_to(&text);
                None
            }
            Ask::Keys => self.take_keys(&text),
            Ask::SavePackets | Ask::SaveView | Ask::SaveCopy => self.save(prompt.ask, &text),
        };
        if !text.is_empty() {
            let history = self.history.entry(prompt.ask).or_default();
            history.retain(|before| *before != text);
            history.push(text);
            if history.len() > MAX_HISTORY {
                history.remove(0);
            }
        }
        effect
    }

    /// Shows the calls that an expression is true of; all, if there is none.
    pub(super) fn filter(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            self.chosen = None;
            self.sync();
            return Ok(());
        }
        let filter =
            Filter::parse(text, self.registry).map_err(|error| printable(&error.to_string()))?;
        self.chosen = Some(Chosen {
            filter,
            text: text.to_owned(),
            title: text.to_owned(),
            rows: Vec::new(),
            next: 1,
            open: std::collections::BTreeSet::new(),
        });
        if !matches!(self.view, View::Calls | View::Sequence) {
            self.show(View::Calls);
        }
        Ok(())
    }

    fn follow_pipe(&mut self) {
        let here = self.call_here();
        let call = here.and_then(|n| self.trace.call(n, false, self.registry).ok().flatten());
        let Some(call) = call else {
            return self.complain("this row is of no call: there is no pipe to follow");
        };
        let text = match call.pipe() {
            Some(pipe) => {
                let session = format!("smb.session_id == 0x{:x}", pipe.session_id);
                match &pipe.file_id {
                    Some(file) => format!("{session} && smb.file_id == \"{file}\""),
                    None => session,
                }
            }
            None => format!(
                "ip.addr == {} && tcp.port == {}",
                call.client.addr.ip(),
                call.client.addr.port()
            ),
        };
        self.follow(&text, "same pipe (p shows all)");
    }

    fn follow_set(&mut self) {
        let here = self.call_here();
        let stand = here.and_then(|n| self.stands.values().find_map(|of| stand_in(of, n)));
        if let Some(set) = stand.and_then(|stand| stand.set) {
            let text = format!("fsrvp.ShadowCopySetId == {set} || fsrvp.pShadowCopySetId == {set}");
            return self.follow(&text, "same set (s shows all)");
        }
        let Some(text) = self.calls_of_object(here) else {
            return self.complain("this row is of no call about a shadow copy set or an object");
        };
        self.follow(&text, "same object (s shows all)");
    }

    /// Shows these calls only, or all again if it is these already.
    fn follow(&mut self, text: &str, title: &str) {
        let same = self.chosen.as_ref().is_some_and(|chosen| chosen.text == text);
        if let Err(error) = self.filter(if same { "" } else { text }) {
            self.complain(error);
        }
        if let Some(chosen) = &mut self.chosen {
            title.clone_into(&mut chosen.title);
        }
    }

    /// Out of what is open: what takes long, a zoom, a pane, a filter.
    fn leave(&mut self) {
        if let Some(job) = self.job.take() {
            match job {
                Job::Seek(_) => self.say("stopped"),
                Job::Write(Writing { name, .. }) => {
                    self.complain(format!("stopped: there is no {name}"));
                }
            }
        } else if self.zoom {
            self.zoom = false;
        } else if self.focus != super::model::Focus::List {
            self.focus = super::model::Focus::List;
        } else if self.chosen.take().is_some() {
            self.say("all calls are shown again");
            self.sync();
        }
    }

    fn turn_times(&mut self) {
        use crate::report::text::TimeStyle;
        let (next, word) = match self.time {
            TimeStyle::Utc => (TimeStyle::Local, "local"),
            TimeStyle::Local => (TimeStyle::Relative, "seconds since the first frame"),
            TimeStyle::Relative => (TimeStyle::Delta, "seconds since the row before"),
            TimeStyle::Delta => (TimeStyle::Utc, "UTC"),
        };
        self.time = next;
        self.detail.subject = None;
        self.say(format!("times: {word}"));
    }

    /// Makes what is on the screen fit the rest of the model.
    pub(super) fn refresh(&mut self) {
        self.settle();
        let height = inside(self.layout().list);
        let len = self.rows();
        self.list_mut().show(height, len);
        let top = self.list().top;
        match self.view {
            View::Calls => self.calls = self.calls_in(top..top.saturating_add(height)),
            View::Packets => self.packets = self.packets_in(top..top.saturating_add(height)),
            View::Sequence => {
                self.ladder = self.ladder_around(self.list().at);
            }
            _ => {}
        }
        if self.view.has_detail() {
            self.refresh_detail();
        }
    }

    /// Once all calls were asked, one that is not shown cannot be selected.
    fn settle(&mut self) {
        if !matches!(self.view, View::Calls | View::Sequence) {
            return;
        }
        let row = self.row_of(self.call);
        let found = self.call_at(row) == Some(self.call);
        let done = self.chosen.as_ref().is_none_or(|chosen| chosen.next > self.trace.calls());
        let len = self.calls_listed();
        if found {
            self.list_mut().at = row;
        } else if done && len > 0 {
            let at = row.min(len - 1);
            self.list_mut().at = at;
            self.call = self.call_at(at).unwrap_or(self.call);
        }
    }

    /// Shows the fields and bytes of what is selected.
    pub(super) fn refresh_detail(&mut self) {
        let Some(subject) = self.subject() else {
            self.detail = Detail::default();
            return;
        };
        let again = match subject {
            Subject::Call(n) => self.detail.error.is_some() && self.trace.has_call(n),
            Subject::Frame(_) => false,
        };
        if self.detail.subject != Some(subject) || again {
            let mut detail = std::mem::take(&mut self.detail);
            self.fill(&mut detail, subject);
            self.detail = detail;
        }
        if let Some(frame) = self.detail.frame_shown()
            && self.detail.frame.as_ref().is_none_or(|(of, _)| *of != frame)
        {
            let bytes = match self.trace.frame(frame) {
                Ok(Some(stored)) => Ok(stored.bytes),
                Ok(None) => Err("there is no such frame".to_owned()),
                Err(error) => Err(printable(&error.to_string())),
            };
            self.detail.frame = Some((frame, bytes));
        }
        self.show_cursor();
    }

    /// Puts the fields and bytes of a call or frame into `detail`.
    pub(super) fn fill(&self, detail: &mut Detail, subject: Subject) {
        let failed = |error: &crate::trace::Unreadable| printable(&error.to_string());
        match subject {
            Subject::Call(n) => match self.trace.call(n, true, self.registry) {
                Ok(Some(call)) => {
                    let head = show::head(&call, self.registry);
                    let title = format!("call {n}: {} {}", head.method, head.result);
                    let mut facts = show::facts(&call, self.time);
                    let stubs = [&call.request, &call.response];
                    if stubs.iter().any(|stub| stub.readable == Readable::Sealed) {
                        let takes = calls_take(&self.digest.summary);
                        facts.extend(takes.into_iter().map(|takes| ("sealed", takes)));
                    }
                    detail.set(
                        subject,
                        title,
                        facts,
                        pages::of_call(&call, self.registry),
                        &self.closed,
                    );
                }
                Ok(None) => detail.fail(subject, format!("call {n} is not complete so far")),
                Err(error) => detail.fail(subject, failed(&error)),
            },
            Subject::Frame(no) => {
                let frame = FrameNo(no);
                let read =
                    self.trace.frame(frame).and_then(|of| Ok((of, self.trace.units(frame)?)));
                match read {
                    Ok((Some(stored), units)) => {
                        let view = stored.bytes.view();
                        let mut pages = pages::of_frame(stored.link, view, &units, self.time);
                        pages.extend(self.stubs_in(frame));
                        let note = self.trace.comment(frame).map(printable);
                        let facts = note.map(|note| ("comment", note)).into_iter().collect();
                        let title = format!("frame {no}");
                        detail.set(subject, title, facts, pages, &self.closed);
                    }
                    Ok((None, _)) => {
                        detail.fail(subject, format!("there is no packet under the number {no}"));
                    }
                    Err(error) => detail.fail(subject, failed(&error)),
                }
            }
        }
    }
}

impl Model<'_> {
    /// The arguments that a frame carried a part of, as pages.
    fn stubs_in(&self, frame: FrameNo) -> Vec<Page> {
        let mut stubs = Vec::new();
        for n in self.trace.calls_in(frame) {
            let call = self.trace.call(n, false, self.registry).ok().flatten();
            let pages = call.as_ref().map(|call| pages::of_call(call, self.registry));
            let pages = pages.unwrap_or_default();
            for page in pages {
                if page.bytes.view().pieces().any(|piece| piece.frame == frame) {
                    let title = format!("call {n}, {}", page.title);
                    stubs.push(Page { title, ..page });
                }
            }
        }
        stubs
    }

    /// Remembers where a jump comes from.
    fn jump(&mut self) {
        if self.jumps.len() >= MAX_JUMPS {
            self.jumps.remove(0);
        }
        self.jumps.push((self.view, self.call, self.frame));
    }

    fn back(&mut self) {
        let Some((view, call, frame)) = self.jumps.pop() else {
            return self.complain("there was no jump to go back from");
        };
        self.turn_to(view);
        (self.call, self.frame) = (call, frame);
        self.sync();
    }
}
