//! Two captures side by side: where their shadow-copy conversations part, and what else differs.
//!
//! Takes the [`Event`](crate::pipeline::Event)s of one capture and of another, and gives
//! [`Comparison`]s. It compares and judges nothing: what is against the rules is the business of
//! [`check`](crate::check). It makes no text but the values of what differs.
//!
//! ```text
//!  events of GOOD ─► Recorder ─► Recording ─┐
//!                                           ├─ pairing ─► align ─► compare ─► Comparison
//!  events of BAD ──► Recorder ─► Recording ─┘             (steps)  (values, ids, names)
//! ```
//!
//! | file | what it is for |
//! |---|---|
//! | `step.rs` | [`Step`]: what a client asked, and what came of it |
//! | `recorder.rs` | events to [`Conversation`]s: one for each client and server |
//! | `conversation.rs` | what is kept of one |
//! | `pairing.rs` | which conversation of one capture belongs to which of the other |
//! | `keys.rs` | what steps are told apart by |
//! | `align.rs` | which step of one belongs to which of the other |
//! | `roles.rs` | ids and shares, known by the part they play |
//! | `values.rs` | what two steps differ in |
//! | `weights.rs` | what it weighs that only one side has a step |
//! | `compare.rs` | the walk along both: where they part |
//! | `traits.rs` | what differs throughout: names, dialect, authentication, time-outs |
//! | `clock.rs` | answers and pauses that are longer in one |
//!
//! # Steps
//!
//! A step is a call of MS-FSRVP, or what has to happen before one: the dialect, the logon, `IPC$`,
//! the pipe, the bind; and a connect that came to nothing. What was agreed once and is agreed again (Windows and Samba open pipe after
//! pipe) is no step again. Steps are in the order in which they were asked.
//!
//! # What is a difference
//!
//! Conversations *part* at the first step whose meaning differs: another method, another answer,
//! another value, a step that only one has. Ids are equal where they play the same part: those that
//! Start or Add returned in steps that belong to each other. So are shares, unless both captures
//! name several of the same, or copy one of the same first: then names are compared. Addresses, times
//! and session ids are no difference.
//!
//! Questions that change nothing at the server (`IsPathSupported`, `GetSupportedVersion`,
//! `IsPathShadowCopied`) weigh less: where only one of both asks, that is the parting only if there
//! is no other; where it is asked once more with the same answer, or at another place, it is none. The
//! same goes for a question about another share, and for a refusal that was overcome: the next attempt
//! was let in.
//!
//! What differs throughout is told beside: [`Difference`]. It is not where conversations part.
//!
//! What could not be read, sealed or lost or encrypted, is neither equal nor different: [`Unseen`].
//!
//! # Symmetry
//!
//! What is told of GOOD and BAD is told of BAD and GOOD with the names exchanged, but for the order
//! of the comparisons: the alignment always begins with the same of both lists, whoever gave it.

mod align;
mod clock;
mod compare;
mod conversation;
mod keys;
mod pairing;
mod recorder;
mod roles;
mod step;
mod traits;
mod values;
mod weights;

use std::ops::{Index, IndexMut};

pub use clock::{Delay, Delayed};
pub use compare::{Comparison, Gap, Lone, Parting, Row, Unseen, Verdict};
pub use conversation::{Conversation, Host, Kind};
pub use pairing::{Compared, Outcome, compare};
pub use recorder::{Recorder, Recording};
pub use step::{Act, Exchange, Refusal, Setup, Stage, Step};
pub use traits::{Difference, Trait, Value};
pub use values::{Change, Part};
pub use weights::Weight;

/// One of the two captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// The one that is named first: how it should be.
    Good,
    /// The other.
    Bad,
}

impl Which {
    /// Both, the good one first.
    pub const BOTH: [Self; 2] = [Self::Good, Self::Bad];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Good => Self::Bad,
            Self::Bad => Self::Good,
        }
    }

    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }
}

/// One `T` for each capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pair<T> {
    /// The good one's.
    pub good: T,
    /// The bad one's.
    pub bad: T,
}

impl<T> Pair<T> {
    /// What `of` makes of each.
    pub fn map<U>(self, mut of: impl FnMut(T) -> U) -> Pair<U> {
        Pair { good: of(self.good), bad: of(self.bad) }
    }

    /// A reference to each.
    pub fn as_ref(&self) -> Pair<&T> {
        Pair { good: &self.good, bad: &self.bad }
    }

    /// Each with its counterpart of another pair.
    pub fn zip<U>(self, other: Pair<U>) -> Pair<(T, U)> {
        Pair { good: (self.good, other.good), bad: (self.bad, other.bad) }
    }

    /// What `of` makes for each.
    pub fn of(mut of: impl FnMut(Which) -> T) -> Self {
        Self { good: of(Which::Good), bad: of(Which::Bad) }
    }

    /// Both with their names exchanged.
    #[must_use]
    pub fn swap(self) -> Self {
        Self { good: self.bad, bad: self.good }
    }
}

impl<T> Index<Which> for Pair<T> {
    type Output = T;

    fn index(&self, which: Which) -> &T {
        match which {
            Which::Good => &self.good,
            Which::Bad => &self.bad,
        }
    }
}

impl<T> IndexMut<Which> for Pair<T> {
    fn index_mut(&mut self, which: Which) -> &mut T {
        match which {
            Which::Good => &mut self.good,
            Which::Bad => &mut self.bad,
        }
    }
}
