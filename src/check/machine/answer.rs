//! [`Answer`]: what a server said to a call, as far as rules tell answers apart.

use crate::protocol::fsrvp::Status;

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The operation returned this.
    Status(u32),
    /// The RPC runtime refused before anything was done.
    Refused(u32),
    /// A fault after which nobody knows what was done.
    Fault(u32),
    /// It was answered, and the answer cannot be read; success, if its length tells.
    Hidden(Option<bool>),
    /// There is no answer.
    None,
    /// The operation was accepted and goes on.
    Begins,
}

/// The statuses that the table has names for, with those names.
const NAMED: [(&str, u32); 15] = [
    ("BAD_STATE", Status::FSRVP_E_BAD_STATE.0),
    ("IN_PROGRESS", Status::FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS.0),
    ("NOT_FOUND", Status::FSRVP_E_OBJECT_NOT_FOUND.0),
    ("NOT_SUPPORTED", Status::FSRVP_E_NOT_SUPPORTED.0),
    ("ALREADY_EXISTS", Status::FSRVP_E_OBJECT_ALREADY_EXISTS.0),
    ("UNSUPPORTED_CONTEXT", Status::FSRVP_E_UNSUPPORTED_CONTEXT.0),
    ("MISMATCH", Status::FSRVP_E_SHADOWCOPYSET_ID_MISMATCH.0),
    ("TIMEOUT", Status::FSSAGENT_E_TIMEOUT.0),
    ("WAIT_TIMEOUT", Status::FSRVP_E_WAIT_TIMEOUT.0),
    ("WAIT_FAILED", Status::FSRVP_E_WAIT_FAILED.0),
    ("E_INVALIDARG", Status::E_INVALIDARG.0),
    ("E_ACCESSDENIED", Status::E_ACCESSDENIED.0),
    ("0x80042302", 0x8004_2302),
    ("0x80042311", 0x8004_2311),
    ("0", 0),
];
const OTHER: u32 = 1 << 15;
const BEGINS: u32 = 1 << 16;
const ANY: u32 = OTHER | (OTHER - 1);
const ZERO: u32 = 1 << 14;

/// A set of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers(u32);

impl Answers {
    /// The answers that a word of the table stands for.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        match word {
            "any" => Some(Self(ANY)),
            "other" => Some(Self(OTHER)),
            "begins" => Some(Self(BEGINS)),
            _ => NAMED.iter().position(|(name, _)| *name == word).map(|at| Self(1 << at)),
        }
    }

    /// The words of the table.
    pub(super) fn words() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name).chain(["any", "other", "begins"])
    }

    /// Those of both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a server that said `answer` may have said one of these.
    pub fn has(self, answer: Answer) -> bool {
        let bits = match answer {
            Answer::Begins => BEGINS,
            Answer::Status(status) => Self::bit(status),
            Answer::Refused(_) => return false,
            Answer::Fault(_) | Answer::None | Answer::Hidden(None) => ANY,
            Answer::Hidden(Some(true)) => ZERO,
            Answer::Hidden(Some(false)) => ANY & !ZERO,
        };
        self.0 & bits != 0
    }

    /// Each answer by itself: every status that has a name, `other`, and `begins`.
    pub fn each() -> impl Iterator<Item = Self> {
        (0..=16).map(|at| Self(1 << at))
    }

    /// The words for what is in it, but for `any`.
    pub fn named(self) -> impl Iterator<Item = &'static str> {
        let other = [("other", OTHER), ("begins", BEGINS)];
        let named = NAMED.iter().enumerate().map(|(at, (name, _))| (*name, 1 << at));
        named.chain(other).filter(move |(_, bit)| self.0 & bit != 0).map(|(name, _)| name)
    }

    /// Whether all of `other` is in it.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The statuses in it that have names, zero among them.
    pub fn statuses(self) -> impl Iterator<Item = u32> {
        NAMED
            .iter()
            .enumerate()
            .filter(move |(at, _)| self.0 & (1 << at) != 0)
            .map(|(_, named)| named.1)
    }

    /// Whether it is every answer.
    pub fn is_any(self) -> bool {
        self.0 & ANY == ANY
    }

    /// Whether it has statuses without a name.
    pub fn has_other(self) -> bool {
        self.0 & OTHER != 0
    }

    /// Success is zero, or any other `HRESULT` that is no error, but for 0x102 (2.2.4, 3).
    fn bit(status: u32) -> u32 {
        match NAMED.iter().position(|(_, code)| *code == status) {
            Some(at) => 1 << at,
            None if status < 0x8000_0000 => ZERO,
            None => OTHER,
        }
    }
}

impl Answer {
    /// Whether it is known to be success.
    pub fn is_success(self) -> bool {
        match self {
            Self::Status(status) => Answers::bit(status) == ZERO,
            Self::Hidden(success) => success == Some(true),
            _ => false,
        }
    }

    /// Whether only a server that has the set answers so.
    pub fn is_of_a_set(self) -> bool {
        self.is_success() || self == Self::Status(Status::FSRVP_E_BAD_STATE.0)
    }

    /// Whether it is known to be a refusal or a failure.
    pub fn is_failure(self) -> bool {
        match self {
            Self::Status(status) => Answers::bit(status) != ZERO,
            Self::Refused(_) => true,
            Self::Hidden(success) => success == Some(false),
            _ => false,
        }
    }

    /// The status, if one was read.
    pub fn status(self) -> Option<u32> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }
}
