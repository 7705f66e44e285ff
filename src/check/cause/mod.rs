//! [`Causes`]: why backups fail, what it looks like on the wire, and what to do.
//!
//! `causes.toml` has a page for each cause. Its signs are a stage, methods, codes, and circumstances
//! ([`Circumstance`](super::Circumstance)) that must or must not hold; a cause fits a symptom when all of its signs do. Of
//! causes that fit, one that says `over` of another displaces it, and a `fallback` gives way to any
//! other. When several are left the surest is told, with the others as alternatives.

mod load;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::chart::{Circumstances, Code, Protocol, Slot, Stage, Symptom};
use super::finding::{Blame, Certainty};
use super::say;
use crate::pipeline::ErrorCode;
use crate::rpc::names::{FAULTS, named};
use crate::smb::Status;
use crate::spelling;
use words::slots;
pub(super) use words::{clause, filled};

/// Whether it helps to run the job again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It fails again until something is changed.
    AfterRemedy,
    /// It may succeed by itself, later.
    Later,
    /// It may succeed at once.
    Now,
}

impl Retry {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AfterRemedy, Self::Later, Self::Now];

    /// Its word in `causes.toml` and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::AfterRemedy => "after-remedy",
            Self::Later => "later",
            Self::Now => "now",
        }
    }

    /// Whether a retry can help although nothing is changed.
    pub fn can_help(self) -> bool {
        self != Self::AfterRemedy
    }
}

/// Codes: those that are `value` where `mask` has bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Of which kind; with its value left out.
    kind: Code,
    value: u32,
    mask: u32,
}

impl Pattern {
    fn fits(self, code: Code) -> bool {
        let same = |value: u32| value & self.mask == self.value & self.mask;
        match (self.kind, code) {
            (Code::Nt(_) | Code::Return(_), Code::Nt(value) | Code::Return(value))
            | (Code::Fault(_), Code::Fault(value)) => same(value),
            (kind, code) => kind == code,
        }
    }
}

impl Pattern {
    /// Its number, in hexadecimal.
    fn number(self) -> String {
        digits(self.value, self.mask)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, value, mask } = *self;
        match kind {
            Code::Fault(_) if mask == u32::MAX => {
                write!(f, "fault {}", named(FAULTS, value.into()))
            }
            Code::Fault(_) => write!(f, "fault {}", digits(value, mask)),
            Code::Return(_) if mask == u32::MAX => match Status(value).name() {
                Some(name) => f.write_str(name),
                None => f.write_str(&say::code(value)),
            },
            Code::Return(_) => f.write_str(&digits(value, mask)),
            Code::Ticket(code) => write!(f, "{}", ErrorCode(code)),
            other => f.write_str(&other.text().unwrap_or_default()),
        }
    }
}

/// A number in hexadecimal, with `*` for digits that are not given.
fn digits(value: u32, mask: u32) -> String {
    let digit = |place: u32| match mask >> place & 0xf {
        0 => Some('*'),
        _ => char::from_digit(value >> place & 0xf, 16),
    };
    let digits: String = (0..8).rev().filter_map(|place| digit(place * 4)).collect();
    format!("0x{digits}")
}

/// What a cause looks like.
#[derive(Clone, Debug, Default)]
pub struct Signs {
    /// Stages, one of which it is.
    pub stages: Vec<Stage>,
    /// Opnums, one of which it is, if there are any.
    pub opnums: Vec<u16>,
    /// Codes, one of which it is, if there are any.
    pub codes: Vec<Pattern>,
    /// What must be known.
    pub when: Circumstances,
    /// What must not be.
    pub unless: Circumstances,
    /// Rules, one of which must have been found at the call, if there are any.
    pub found: Vec<String>,
}

impl Signs {
    fn fit(&self, symptom: &Symptom, late: Circumstances) -> bool {
        let known = symptom.circumstances.and(late);
        self.stages.contains(&symptom.stage)
            && (self.opnums.is_empty() || symptom.opnum.is_some_and(|n| self.opnums.contains(&n)))
            && (self.codes.is_empty() || self.codes.iter().any(|of| of.fits(symptom.code)))
            && known.has_all(self.when)
            && !known.has_any(self.unless)
            && (self.found.is_empty()
                || symptom.found.iter().any(|rule| self.found.iter().any(|of| **of == **rule)))
    }
}

/// Why a backup fails.
#[derive(Clone, Debug)]
pub struct Cause {
    /// `FS-20`
    pub id: Arc<str>,
    /// The protocol that somebody wanted something by.
    pub protocol: Protocol,
    /// In a clause.
    pub title: String,
    /// Whose doing, or on whose side something must be done.
    pub party: Blame,
    /// How sure it is at most.
    pub confidence: Certainty,
    /// What it looks like; nothing that a capture shows if it is left out.
    pub signs: Option<Signs>,
    /// Causes that are not meant where this one is.
    pub over: Vec<String>,
    /// Only where no other is known.
    pub fallback: bool,
    /// It is worth telling though it stops nothing.
    pub beside: bool,
    /// What happened, for somebody who runs backups; names in braces ([`Slot`]).
    pub why: String,
    /// What to do.
    pub remedy: String,
    /// Whether it helps to run the job again.
    pub retry: Retry,
    /// When, or why not, where that is not plain.
    pub retry_note: Option<String>,
    /// Either, or: what else it may be, and where to look to tell them apart.
    pub tell_apart: Option<String>,
    /// Event of the provider `Microsoft-Windows-FileShareShadowCopyProvider` that a Windows client logs.
    pub windows_event: Option<u32>,
    /// What the servers of its examples are held against, where that matters.
    pub profile: Option<String>,
    /// A conversation that shows it, in the scenario language, and one that comes near.
    pub example: Option<String>,
    /// See above.
    pub near_miss: Option<String>,
    /// Real captures that show it, by name.
    pub captures: Vec<String>,
    /// Where it is known from.
    pub source: String,
    /// Why no capture shows it, if none does.
    pub left_out: Option<String>,
}

impl Cause {
    /// A text of a cause, as it fits every case.
    pub fn in_general(&self, text: &str) -> String {
        words::general(text, self.protocol)
    }

    /// Its title, as it fits every case.
    pub fn general_title(&self) -> String {
        words::general(&format!(" {}", self.title), self.protocol).trim_start().to_owned()
    }

    /// Whether a word is in its id, its text, or the codes it is known by, in any case.
    pub fn has(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&word);
        let codes = self.signs.iter().flat_map(|signs| &signs.codes);
        [&*self.id, &self.title, &self.why, &self.remedy].into_iter().any(has)
            || codes.into_iter().any(|code| has(&code.to_string()) || has(&code.number()))
    }

    /// Whether what is told of it names this.
    pub(super) fn tells(&self, slot: Slot) -> bool {
        let word = Slot::ALL.iter().find(|(of, ..)| *of == slot).map(|(_, word, _)| *word);
        let told = slots(&self.title).chain(slots(&self.why));
        told.into_iter().any(|(_, of)| Some(of) == word)
    }
}

/// All causes.
#[derive(Clone, Debug, Default)]
pub struct Causes {
    all: BTreeMap<Arc<str>, Cause>,
}

impl Causes {
    /// All of them, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Cause> {
        self.all.values()
    }

    /// The cause with this id, in any case.
    pub fn get(&self, id: &str) -> Option<&Cause> {
        self.all.get(&*id.to_ascii_uppercase())
    }

    /// The ids that somebody who wrote `id` probably meant: at most three.
    pub fn nearest(&self, id: &str) -> Vec<String> {
        spelling::nearest(id, self.all.keys().map(|id| &**id))
    }

    /// The causes that fit a symptom, of which more is known by now, the surest first.
    pub(super) fn of(&self, symptom: &Symptom, late: Circumstances, beside: bool) -> Vec<&Cause> {
        let fits = |cause: &&Cause| {
            let signs = cause.signs.as_ref();
            cause.protocol == symptom.protocol
                && signs.is_some_and(|signs| signs.fit(symptom, late))
        };
        let fitting: Vec<&Cause> = self.iter().filter(fits).collect();
        let some = fitting.iter().any(|cause| !cause.fallback);
        let displaced = |cause: &Cause| {
            cause.fallback && some
                || fitting.iter().any(|other| other.over.iter().any(|id| **id == *cause.id))
        };
        let told = |cause: &&&Cause| (!beside || cause.beside) && !displaced(cause);
        let mut kept: Vec<&Cause> = fitting.iter().filter(told).copied().collect();
        kept.sort_by_key(|cause| std::cmp::Reverse(cause.confidence));
        kept
    }
}
