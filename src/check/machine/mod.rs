//! [`Machine`]: the transition table of a server, from `machine.toml`.
//!
//! Takes the table's text and answers one question: which row is for this operation, in this state,
//! with this answer? What a row does to a state is carried out in `effect.rs`.

mod answer;
mod guard;
mod load;

use std::sync::Arc;

pub use answer::{Answer, Answers};
pub use guard::Guard;
pub use load::MachineError;

use super::finding::Severity;

/// What a row can ask of the state: of a shadow copy set, or of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// There is no such set.
    Gone,
    /// `Started`
    Started,
    /// `Added`
    Added,
    /// `CreationInProgress`
    Creating,
    /// `Committed`
    Committed,
    /// `Exposed`
    Exposed,
    /// `Recovered`
    Recovered,
    /// `ContextSet` is FALSE, and no set is unfinished.
    Closed,
    /// `ContextSet` is FALSE, and a set is unfinished.
    ClosedSet,
    /// `ContextSet` is TRUE, and no set is unfinished.
    Open,
    /// `ContextSet` is TRUE, and a set is unfinished.
    OpenSet,
}

impl View {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Gone,
        Self::Started,
        Self::Added,
        Self::Creating,
        Self::Committed,
        Self::Exposed,
        Self::Recovered,
        Self::Closed,
        Self::ClosedSet,
        Self::Open,
        Self::OpenSet,
    ];
    /// Those of a set.
    pub const OF_SET: [Self; 7] = [
        Self::Gone,
        Self::Started,
        Self::Added,
        Self::Creating,
        Self::Committed,
        Self::Exposed,
        Self::Recovered,
    ];
    /// Those of the server.
    pub const OF_SERVER: [Self; 4] = [Self::Closed, Self::ClosedSet, Self::Open, Self::OpenSet];
    /// Those of a set that is not finished.
    pub const UNFINISHED: [Self; 5] =
        [Self::Started, Self::Added, Self::Creating, Self::Committed, Self::Exposed];

    /// Its word in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Started => "Started",
            Self::Added => "Added",
            Self::Creating => "CreationInProgress",
            Self::Committed => "Committed",
            Self::Exposed => "Exposed",
            Self::Recovered => "Recovered",
            Self::Closed => "closed",
            Self::ClosedSet => "closed+set",
            Self::Open => "open",
            Self::OpenSet => "open+set",
        }
    }
}

/// A set of views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Views(u16);

impl Views {
    /// All of them.
    pub const ALL: Self = Self(0x7ff);

    /// Whether `view` is in it.
    pub fn has(self, view: View) -> bool {
        self.0 & Self::bit(view) != 0
    }

    /// Adds one.
    pub fn add(&mut self, view: View) {
        self.0 |= Self::bit(view);
    }

    /// With another.
    #[must_use]
    pub fn with(mut self, view: View) -> Self {
        self.add(view);
        self
    }

    /// Those of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is all of them.
    pub fn is_all(self) -> bool {
        self == Self::ALL
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members.
    pub fn iter(self) -> impl Iterator<Item = View> {
        View::ALL.into_iter().filter(move |view| self.has(*view))
    }

    fn bit(view: View) -> u16 {
        let at = View::ALL.iter().position(|other| *other == view).unwrap_or_default();
        1 << at
    }
}

impl FromIterator<View> for Views {
    fn from_iter<I: IntoIterator<Item = View>>(views: I) -> Self {
        views.into_iter().fold(Self::default(), Self::with)
    }
}

/// Whether the operation names a set.
pub fn names_set(opnum: u16) -> bool {
    matches!(opnum, 3..=7 | 10..=12)
}

/// Whether the operation goes on for a while once it is accepted: Commit, Expose, Prepare.
pub fn takes_long(opnum: u16) -> bool {
    matches!(opnum, 4 | 5 | 12)
}

/// What a row does to the Message Sequence Timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// It runs out after so many seconds.
    Start(u32),
    /// It is stopped.
    Off,
    /// Nobody knows what it does then.
    Unknown,
}

/// The rules that say what a row does, by what they speak of.
#[derive(Clone, Debug, Default)]
pub struct Keeps {
    /// The status of the set.
    pub set: Vec<Arc<str>>,
    /// That the set is gone.
    pub gone: Vec<Arc<str>>,
    /// `ContextSet` and its owner.
    pub context: Vec<Arc<str>>,
    /// The Message Sequence Timer.
    pub timer: Vec<Arc<str>>,
    /// That finished sets stay.
    pub finished: Vec<Arc<str>>,
}

/// What an answer that must not be breaks.
#[derive(Clone, Debug)]
pub struct Breach {
    /// The rule.
    pub rule: Arc<str>,
    /// Others that say the same.
    pub also: Vec<Arc<str>>,
    /// The rule where the timer has brought the state.
    pub late: Option<Arc<str>>,
    /// If it matters less than the rule says.
    pub severity: Option<Severity>,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// States it is for.
    pub from: Views,
    /// What has to be true besides.
    pub when: Vec<Guard>,
    /// What is answered.
    pub answers: Answers,
    /// The set's state afterwards, one of these; empty: as before.
    pub to: Vec<View>,
    /// `ContextSet` afterwards; none: as before.
    pub context: Option<bool>,
    /// The timer afterwards; none: as before.
    pub timer: Option<Clock>,
    /// The rules that say so.
    pub keeps: Keeps,
    /// The rule that is broken, if this answer must not be.
    pub breaks: Option<Breach>,
    /// The peculiarity that a server must have for the row to be there.
    pub quirk: Option<Arc<str>>,
}

/// An operation.
#[derive(Clone, Debug)]
pub struct Method {
    /// Its name.
    pub name: Arc<str>,
    /// Its number.
    pub opnum: u16,
    /// Where it is specified.
    pub section: Arc<str>,
    /// Its rows; the first that fits counts.
    pub rows: Vec<Row>,
}

impl Row {
    /// Whether it is for every server and under every condition.
    pub fn is_unconditional(&self) -> bool {
        self.when.is_empty() && self.quirk.is_none()
    }
}

impl Method {
    /// The states that its rows can ask for.
    pub fn views(&self) -> &'static [View] {
        if names_set(self.opnum) { &View::OF_SET } else { &View::OF_SERVER }
    }

    /// The rows that can be the one for an answer in a state, of a server without peculiarities.
    pub fn leads(&self, view: View, answer: Answers) -> Vec<&Row> {
        let mut found = Vec::new();
        for row in &self.rows {
            if row.quirk.is_some() || !row.from.has(view) || !row.answers.contains(answer) {
                continue;
            }
            found.push(row);
            if row.when.is_empty() {
                break;
            }
        }
        found
    }
}

/// The table.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The operations, by opnum.
    pub methods: Vec<Method>,
}

impl Machine {
    /// The table of this program.
    pub fn embedded() -> Result<Self, MachineError> {
        load::parse(
            "ms-fsrvp/machine.toml",
            include_str!("../../../dissectors/ms-fsrvp/machine.toml"),
        )
    }

    /// Reads a table; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, MachineError> {
        load::parse(file, text)
    }

    /// The operation with this number.
    pub fn method(&self, opnum: u16) -> Option<&Method> {
        self.methods.get(usize::from(opnum)).filter(|method| method.opnum == opnum)
    }
}

#[cfg(test)]
#[path = "../tests/machine.rs"]
mod tests;
