//! [`Model`]: all that the screen shows, and where in it the user is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::detail::{Detail, Subject, closed_at_first};
use super::find::Search;
use super::found::Found;
use super::job::Job;
use super::ladder::Ladder;
use super::line::Prompt;
use super::list::List;
use super::msg::{Ask, Digest, View};
use super::objects::Item;
use super::rows::{Packet, Shown};
use super::theme::Theme;
use crate::bytes::FrameNo;
use crate::check::{Knowledge, Stand};
use crate::filter::{FieldName, Filter};
use crate::protocol::Registry;
use crate::report::text::TimeStyle;
use crate::trace::Trace;

/// What is known before the first screen.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names of the inputs.
    pub files: Vec<String>,
    /// How times are written.
    pub time: TimeStyle,
    /// How it is drawn.
    pub theme: Theme,
    /// Whether more may come after the end of the inputs.
    pub live: bool,
}

/// Which pane takes the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Focus {
    #[default]
    List,
    Fields,
    Bytes,
}

/// Which calls are shown.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) filter: Filter,
    /// As it was typed.
    pub(super) text: String,
    /// What it is called at the bottom.
    pub(super) title: String,
    /// Numbers of the calls that it is true of, ascending.
    pub(super) rows: Vec<u64>,
    /// The first call that was not asked yet.
    pub(super) next: u64,
    /// Calls before that which were not complete when it was their turn.
    pub(super) open: BTreeSet<u64>,
}

/// Where somebody was, and what there was, before everything is read again with more secrets.
#[derive(Debug)]
pub(super) struct Anew {
    /// Where the secrets are from, and how many.
    pub(super) from: String,
    /// What of them could not be read.
    pub(super) damaged: Vec<String>,
    pub(super) call: u64,
    /// The first frame that carried that call: its number may be another then.
    pub(super) carried: Option<FrameNo>,
    pub(super) frame: u64,
    pub(super) calls: u64,
    pub(super) sealed: u64,
    /// SMB messages that there was no key for.
    pub(super) encrypted: u64,
}

/// A sentence at the bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    /// Whether something went wrong.
    pub(super) bad: bool,
}

/// All that the screen shows.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Model<'k> {
    pub(super) registry: &'k Registry,
    pub(super) knowledge: &'k Knowledge,
    pub(super) options: Options,
    pub(super) trace: Trace,
    /// Columns and rows of the screen.
    pub(super) size: (u16, u16),
    pub(super) view: View,
    pub(super) focus: Focus,
    pub(super) zoom: bool,
    pub(super) theme: Theme,
    pub(super) time: TimeStyle,
    /// The list of each view.
    pub(super) lists: BTreeMap<View, List>,
    /// The call and the frame that are selected, by number; 0 while there is none.
    pub(super) call: u64,
    pub(super) frame: u64,
    pub(super) detail: Detail,
    /// Groups of fields that are closed, in all calls and frames.
    pub(super) closed: BTreeSet<String>,
    pub(super) chosen: Option<Chosen>,
    pub(super) prompt: Option<Prompt>,
    /// What was typed before, by what it was for.
    pub(super) history: BTreeMap<Ask, Vec<String>>,
    /// Names that filters know.
    pub(super) names: Vec<FieldName>,
    pub(super) search: Option<Search>,
    pub(super) job: Option<Job>,
    /// How often it was worked on what takes long since the last other message.
    pub(super) slices: u32,
    pub(super) marks: BTreeSet<Subject>,
    /// Where jumps came from.
    pub(super) jumps: Vec<(View, u64, u64)>,
    /// The first row of the help on the screen, while it is open.
    pub(super) help: Option<usize>,
    /// A key that began something.
    pub(super) begun: Option<String>,
    /// The first line of the rule's page on the screen.
    pub(super) page_top: usize,
    /// What was copied last.
    pub(super) copied: String,
    /// Whether the list goes along with what comes in.
    pub(super) follows: bool,

    pub(super) findings: Found,
    /// By server, in the order of the calls.
    pub(super) stands: BTreeMap<IpAddr, Vec<Stand>>,
    pub(super) digest: Digest,
    /// The rows of the view of objects, made of the digest.
    pub(super) items: Vec<Item>,
    /// What could not be read.
    pub(super) told: Vec<String>,
    pub(super) read: (u64, Option<u64>),
    pub(super) ended: bool,
    /// Whether an input, or the rest of one, could not be read.
    pub(super) unreadable: bool,
    pub(super) said: Option<Said>,
    /// While everything is read again.
    pub(super) anew: Option<Anew>,

    /// The calls, packets and ladder on the screen, made anew when something changes.
    pub(super) calls: Vec<Shown>,
    pub(super) packets: Vec<Packet>,
    pub(super) ladder: Ladder,
}

impl<'k> Model<'k> {
    /// Nothing has been read yet.
    pub fn new(registry: &'k Registry, knowledge: &'k Knowledge, options: Options) -> Self {
        Self {
            registry,
            knowledge,
            trace: Trace::default(),
            size: (80, 24),
            view: View::default(),
            focus: Focus::default(),
            zoom: false,
            theme: options.theme,
            time: options.time,
            lists: BTreeMap::new(),
            call: 0,
            frame: 0,
            detail: Detail::default(),
            closed: closed_at_first(),
            chosen: None,
            prompt: None,
            history: BTreeMap::new(),
            names: crate::filter::names(registry),
            search: None,
            job: None,
            slices: 0,
            marks: BTreeSet::new(),
            jumps: Vec::new(),
            help: None,
            begun: None,
            page_top: 0,
            copied: String::new(),
            follows: options.live,
            findings: Found::default(),
            stands: BTreeMap::new(),
            digest: Digest::default(),
            items: Vec::new(),
            told: Vec::new(),
            read: (0, None),
            ended: false,
            unreadable: false,
            said: None,
            anew: None,
            calls: Vec::new(),
            packets: Vec::new(),
            ladder: Ladder::default(),
            options,
        }
    }

    /// Whether there is something to do that takes long: `Msg::Work` goes on with it.
    pub fn is_busy(&self) -> bool {
        self.is_choosing() || self.job.is_some()
    }

    /// Whether a file is being written; if it is not any more, without [`Effect::Close`](super::Effect),
    /// that was given up.
    pub fn is_writing(&self) -> bool {
        matches!(self.job, Some(Job::Write(_)))
    }

    /// What the program ends with when the user quits: whether something could not be read.
    pub fn has_failed(&self) -> bool {
        self.unreadable
    }

    /// Sentences about what could not be read.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.told.iter().map(String::as_str)
    }

    /// Shows only the calls that an expression is true of, from the beginning; one that is wrong is
    /// told at the bottom.
    pub fn filter_first(&mut self, text: &str) {
        let view = self.view;
        if let Err(error) = self.filter(text) {
            self.complain(error);
        }
        self.view = view;
    }

    pub(super) fn list(&self) -> List {
        self.lists.get(&self.view).copied().unwrap_or_default()
    }

    pub(super) fn list_mut(&mut self) -> &mut List {
        self.lists.entry(self.view).or_default()
    }

    /// How many calls are listed.
    pub(super) fn calls_listed(&self) -> usize {
        match &self.chosen {
            Some(chosen) => chosen.rows.len(),
            None => usize::try_from(self.trace.calls()).unwrap_or(usize::MAX),
        }
    }

    /// The number of the call in a row of the list.
    pub(super) fn call_at(&self, row: usize) -> Option<u64> {
        if let Some(chosen) = &self.chosen {
            return chosen.rows.get(row).copied();
        }
        let n = u64::try_from(row).ok()?.checked_add(1)?;
        (n <= self.trace.calls()).then_some(n)
    }

    /// The row of a call, or where it would be.
    pub(super) fn row_of(&self, n: u64) -> usize {
        match &self.chosen {
            Some(chosen) => chosen.rows.partition_point(|of| *of < n),
            None => usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX),
        }
    }

    /// How many rows the list of the view has.
    pub(super) fn rows(&self) -> usize {
        match self.view {
            View::Overview => super::view::overview::rows(self).len(),
            View::Calls | View::Sequence => self.calls_listed(),
            View::Packets => usize::try_from(self.trace.frames()).unwrap_or(usize::MAX),
            View::State => self.way().len(),
            View::Findings => self.findings.len(),
            View::Statistics => super::view::statistics::rows(self).len(),
            View::Objects => self.items.len(),
        }
    }

    /// What the fields and bytes are to be of.
    pub(super) fn subject(&self) -> Option<Subject> {
        match self.view {
            View::Packets => (self.frame > 0).then_some(Subject::Frame(self.frame)),
            _ => (self.call > 0).then_some(Subject::Call(self.call)),
        }
    }

    /// How the server of the selected call stood around it.
    pub(super) fn stand(&self) -> Option<&Stand> {
        self.stands.values().find_map(|of| stand_in(of, self.call))
    }

    /// How a server stood around a call.
    pub(super) fn stand_of(&self, server: IpAddr, call: u64) -> Option<&Stand> {
        let known = self.stands.get(&server).and_then(|of| stand_in(of, call));
        // It may be known by another address.
        known.or_else(|| self.stands.values().find_map(|of| stand_in(of, call)))
    }

    /// The stands of the server of the selected call, in the order of the calls; of the first server
    /// where the call has none.
    pub(super) fn way(&self) -> &[Stand] {
        let server = self.stand().map(|stand| stand.server);
        let of = server.and_then(|server| self.stands.get(&server));
        of.or_else(|| self.stands.values().next()).map_or(&[], Vec::as_slice)
    }

    /// Says something at the bottom.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.said = Some(Said { text: text.into(), bad: false });
    }

    /// Says what went wrong.
    pub(super) fn complain(&mut self, text: impl Into<String>) {
        self.said = Some(Said { text: text.into(), bad: true });
    }

    /// The frame that the selected field, or else the call, travelled in first.
    pub(super) fn frame_of_selection(&self) -> Option<FrameNo> {
        let field = self.detail.selected()?;
        let page = self.detail.pages.get(field.page?)?;
        let view = page.bytes.view();
        let frames = view.slice(field.span).frames();
        frames.first().copied().or_else(|| view.frames().first().copied())
    }
}

pub(super) fn stand_in(stands: &[Stand], call: u64) -> Option<&Stand> {
    let at = stands.binary_search_by_key(&call, |stand| stand.call).ok()?;
    stands.get(at)
}
