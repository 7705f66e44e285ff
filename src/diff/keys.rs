//! What steps are told apart by: what was asked, and how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::align::Token;
use super::conversation::{Conversation, is_ipc};
use super::roles::literal;
use super::step::{Act, Exchange, Refusal, Stage, Step};
use super::{Pair, Which};
use crate::call::Outcome;
use crate::pipeline::{BindAnswer, UnreachableCode, Unreached};
use crate::protocol::fsrvp::Request;

/// What is asked by a step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Of what kind the share is, and whether a refusal was overcome.
    Setup(Stage, Share, bool),
    /// The operation, and of a question the share, where names are compared as they are.
    Call(Option<u16>, Option<String>),
}

/// Kinds of shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Share {
    /// Not a share at all, or an ordinary one.
    Other,
    /// That of the pipes.
    Ipc,
    /// One with an `@` in its name, as those of shadow copies have.
    Exposed,
}

/// How it ended.
pub(super) type End = (u8, u32, u32);

/// What tells the steps of two conversations apart.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    conversations: Pair<&'a Conversation>,
    /// Whether questions about different shares are different questions. Not where it cannot be read
    /// of all what they are about.
    named: bool,
}

impl<'a> Keys<'a> {
    pub(super) fn new(conversations: Pair<&'a Conversation>) -> Self {
        let told = |call: &Exchange| call.asked.is_some() || !is_question(call.opnum);
        let told = |of: &Conversation| of.steps.iter().filter_map(Step::call).all(told);
        let named = literal(conversations) && Which::BOTH.iter().all(|at| told(conversations[*at]));
        Self { conversations, named }
    }

    pub(super) fn of(&self, which: Which, step: &Step) -> Key {
        let call = match &step.act {
            Act::Setup(setup) => {
                let share = match setup.of.as_deref().filter(|_| setup.stage == Stage::Share) {
                    Some(of) if is_ipc(of) => Share::Ipc,
                    Some(of) if of.contains('@') => Share::Exposed,
                    _ => Share::Other,
                };
                // Whoever has a dialect was connected.
                let stage = match setup.stage {
                    Stage::Connection => Stage::Negotiation,
                    stage => stage,
                };
                return Key::Setup(stage, share, setup.overcome);
            }
            Act::Call(call) => call,
        };
        let share = call.share().filter(|_| self.named && is_question(call.opnum));
        Key::Call(call.opnum, share.map(|share| self.conversations[which].share_key(share)))
    }

    /// All steps of one side by what they asked, and how they ended.
    pub(super) fn deeds(&self, which: Which) -> BTreeSet<(Key, End)> {
        let steps = self.conversations[which].steps.iter();
        steps.map(|step| (self.of(which, step), end(step))).collect()
    }

    /// What one side has several times.
    pub(super) fn recurring(&self, which: Which) -> BTreeSet<Key> {
        let mut seen = BTreeSet::new();
        let keys = self.conversations[which].steps.iter().map(|step| self.of(which, step));
        keys.filter(|key| !seen.insert(key.clone())).collect()
    }
}

pub(super) fn end(step: &Step) -> End {
    match &step.act {
        Act::Setup(setup) => setup.refusal.map_or((0, 0, 0), refused),
        Act::Call(call) => match call.outcome {
            Outcome::Ok => (0, call.status.unwrap_or_default(), 0),
            Outcome::Failed => (1, call.status.unwrap_or_default(), 0),
            Outcome::Fault => (2, call.fault.unwrap_or_default(), 0),
            Outcome::NoResponse => (3, 0, 0),
            Outcome::NoRequest => (4, 0, 0),
            Outcome::Unknown => (5, 0, 0),
        },
    }
}

/// How a refusal ended it. Who said that a server cannot be reached is no difference.
pub(super) fn refused(refusal: Refusal) -> End {
    match refusal {
        Refusal::Status(status) => (1, status.0, 0),
        Refusal::Session(why) => (2, why.0.into(), 0),
        Refusal::Bind(answer) => match answer {
            BindAnswer::Accepted => (0, 0, 0),
            BindAnswer::Refused(result, reason) => (3, result.into(), reason.into()),
            BindAnswer::Nak(reason) => (4, reason.into(), 0),
            BindAnswer::Fault(status) => (5, status, 0),
        },
        Refusal::Ended(None) => (6, 0, 0),
        Refusal::Ended(Some(status)) => (6, status.0, 1),
        Refusal::GivenUp => (7, 0, 0),
        Refusal::Unreached(how) => match how {
            Unreached::Reset => (8, 0, 0),
            Unreached::Silence => (8, 1, 0),
            Unreached::Icmp { code: UnreachableCode::V4(code), .. } => (9, code.into(), 0),
            Unreached::Icmp { code: UnreachableCode::V6(code), .. } => (10, code.into(), 0),
        },
    }
}

/// Questions that change nothing at the server: `GetSupportedVersion`, `IsPathSupported` and
/// `IsPathShadowCopied`.
pub(super) fn is_question(opnum: Option<u16>) -> bool {
    matches!(opnum, Some(0 | 8 | 9))
}

/// Both lists as the alignment takes them. The numbers are the same whichever list comes first.
pub(super) fn tokens(by: &Keys<'_>) -> Pair<Vec<Token>> {
    let keys = Pair::of(|which| -> Vec<Key> {
        by.conversations[which].steps.iter().map(|step| by.of(which, step)).collect()
    });
    let all: BTreeSet<&Key> = keys.good.iter().chain(&keys.bad).collect();
    let all: BTreeMap<&Key, u32> = all.into_iter().zip(0..).collect();
    let token = |key: &Key| Token {
        key: all.get(key).copied().unwrap_or(u32::MAX),
        weighty: !matches!(key, Key::Call(opnum, _) if is_question(*opnum)),
    };
    keys.as_ref().map(|keys| keys.iter().map(token).collect())
}

/// A number for what was asked and how it was answered, whatever the share's name is written like.
pub(super) fn signature(of: &Conversation, call: &Exchange) -> u64 {
    let mut hasher = FxHasher::default();
    call.opnum.hash(&mut hasher);
    call.share().map(|share| of.share_key(share)).hash(&mut hasher);
    if let Some(Request::GetShareMapping(ask)) = &call.asked {
        (ask.shadow_copy_set_id, ask.shadow_copy_id, ask.level).hash(&mut hasher);
    }
    (call.outcome, call.status, call.fault).hash(&mut hasher);
    format!("{:?}", call.answered).hash(&mut hasher);
    hasher.finish()
}
