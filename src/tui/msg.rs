//! What is meant, not which key says it; and what the program has to do that the model cannot.

use std::path::PathBuf;

use ratatui::crossterm::event::KeyEvent;

use crate::check::{Finding, Report, Stand};
use crate::pipeline::Summary;
use crate::report::check::{OpeningLine, Sheet};
use crate::trace::Batch;

use super::statistics::Statistics;

/// The views, in the order of their tabs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// What was wanted, what became of it, and why.
    #[default]
    Overview,
    /// All calls, with fields and bytes.
    Calls,
    /// All frames, with fields and bytes.
    Packets,
    /// A ladder of clients and servers.
    Sequence,
    /// The state machine at the selected call.
    State,
    /// What breaks the rules.
    Findings,
    /// How many, how long, what was lost.
    Statistics,
    /// What is stored where, and the objects by which that is managed.
    Objects,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Calls,
        Self::Packets,
        Self::Sequence,
        Self::State,
        Self::Findings,
        Self::Statistics,
        Self::Objects,
    ];

    /// Its name on the tab.
    pub fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Calls => "Calls",
            Self::Packets => "Packets",
            Self::Sequence => "Sequence",
            Self::State => "State",
            Self::Findings => "Findings",
            Self::Statistics => "Statistics",
            Self::Objects => "Objects",
        }
    }

    /// Its place among all.
    pub(super) fn place(self) -> usize {
        Self::ALL.iter().position(|view| *view == self).unwrap_or_default()
    }

    /// Whether keys can go to other panes than its list.
    pub(super) fn has_panes(self) -> bool {
        self.has_detail() || self.has_page()
    }

    /// Whether it has a list with a page about what is selected beside or below it.
    pub(super) fn has_page(self) -> bool {
        matches!(self, Self::Findings | Self::Objects)
    }

    /// Whether it has a list with the fields and bytes of what is selected below.
    pub(super) fn has_detail(self) -> bool {
        matches!(self, Self::Calls | Self::Packets)
    }
}

/// What the line at the bottom asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// Which calls are shown.
    Filter,
    /// Text or bytes to look for.
    Search,
    /// The number of a call or frame.
    GoTo,
    /// Where packets are saved.
    SavePackets,
    /// Where the view is saved.
    SaveView,
    /// Where what was copied is saved.
    SaveCopy,
    /// Where secrets are.
    Keys,
}

/// What is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The value of the field; in a list the row.
    Value,
    /// The row.
    Row,
    /// All fields.
    Tree,
    /// The bytes of the field, in hexadecimal.
    Hex,
}

/// What is meant.
#[derive(Debug)]
pub enum Msg {
    /// A key that stands for something, or a letter of a line.
    Key(KeyEvent),
    /// The screen has so many columns and rows.
    Resize(u16, u16),
    /// The button was pressed at a column and row.
    Click(u16, u16),
    /// The wheel was turned there, by so many rows.
    Wheel(u16, u16, i64),
    /// Text was pasted.
    Paste(String),
    /// To another view.
    Show(View),
    /// To the view so many tabs further.
    Turn(i64),
    /// So many rows down.
    Move(i64),
    /// So many screens down.
    Page(i64),
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Keys go to the next pane, or the one before.
    Focus(bool),
    /// Into what is selected.
    Enter,
    /// Out of what is open.
    Leave,
    /// Left: closes a group, goes to the one around it, or a byte back.
    Left,
    /// Right: opens a group, or a byte further.
    Right,
    /// Opens or closes a group.
    Toggle,
    /// Opens or closes all groups.
    ToggleAll,
    /// The bytes of the next frame or buffer, or of the one before.
    Tab(bool),
    /// The pane takes the whole screen, or no longer.
    Zoom,
    /// Asks for a line.
    Ask(Ask),
    /// The next that was looked for, or the one before.
    Again(bool),
    /// Marks the row, or no longer.
    Mark,
    /// To the next that is marked.
    NextMark,
    /// The next way of writing times.
    Times,
    /// The next theme.
    Colours,
    /// The keys, or no longer.
    Help,
    /// Copies.
    Copy(Copied),
    /// Only calls on this pipe are shown, or all again.
    FollowPipe,
    /// Only calls on this shadow copy set or object are shown, or all again.
    FollowSet,
    /// The list follows what comes in, or no longer.
    Follow,
    /// Back to where a jump came from.
    Back,
    /// Draw everything anew.
    Redraw,
    /// Stop for now.
    Suspend,
    /// End.
    Quit,
    /// More was read.
    Loaded(Box<Loaded>),
    /// There is time to work on what takes long.
    Work,
    /// Everything is read again, with more secrets: where they are from and how many, and what of
    /// them could not be read.
    Anew(String, Vec<String>),
    /// An effect was carried out, or why it was not.
    Done(Result<String, String>),
}

/// More of the capture.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Where everything lies.
    pub batch: Batch,
    /// What was found.
    pub findings: Vec<Finding>,
    /// How servers stood around calls.
    pub stands: Vec<Stand>,
    /// Whether `stands` replaces what was told before.
    pub anew: bool,
    /// What there is to say of all that was read so far, if that was made.
    pub digest: Option<Box<Digest>>,
    /// What could not be read, in sentences.
    pub told: Vec<String>,
    /// Bytes read, and bytes in all, where that is known.
    pub read: (u64, Option<u64>),
    /// Whether that was all.
    pub ended: bool,
    /// Whether an input, or the rest of one, could not be read.
    pub unreadable: bool,
}

impl Loaded {
    /// Whether there is something in it beside where things lie.
    pub fn has_news(&self) -> bool {
        let Self { findings, stands, digest, told, ended, .. } = self;
        !findings.is_empty() || !stands.is_empty() || digest.is_some() || !told.is_empty() || *ended
    }
}

/// What there is to say of all that was read so far.
#[derive(Debug, Default)]
pub struct Digest {
    /// What was judged.
    pub report: Report,
    /// The beginning of what `check` says.
    pub opening: Vec<OpeningLine>,
    /// What is stored where, as tables.
    pub sheets: Vec<Sheet>,
    /// What was read, lost and sealed.
    pub summary: Summary,
    /// How many, and how long.
    pub statistics: Statistics,
    /// Why nothing was judged, if so.
    pub nothing: Option<String>,
}

/// What the program has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// End.
    Quit,
    /// Stop until the shell goes on with it.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Hand text to the clipboard of the terminal.
    Copy(String),
    /// Write the packets of these calls to a new capture.
    SavePackets(PathBuf, Vec<u64>),
    /// Take the secrets of a file, and read everything again with them.
    TakeKeys(PathBuf),
    /// Begin a file.
    Create(PathBuf),
    /// Go on with it.
    Write(String),
    /// It is whole; this is what to say then.
    Close(String),
}
