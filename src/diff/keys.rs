//! What steps are told apart by: what was asked, and how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::align::Token;
use super::conversation::{Conversation, is_ipc};
use super::step::{Act, Exchange, Refusal, Stage, Step};
use super::{Pair, Which};
use crate::call::Outcome;
use crate::pipeline::BindAnswer;
use crate::protocol::fsrvp::Request;

/// What is asked by a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Of what kind the share is, and whether a refusal was overcome.
    Setup(Stage, Share, bool),
    Call(Option<u16>),
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

pub(super) fn key(step: &Step) -> Key {
    match &step.act {
        Act::Setup(setup) => {
            let share = match setup.of.as_deref().filter(|_| setup.stage == Stage::Share) {
                Some(of) if is_ipc(of) => Share::Ipc,
                Some(of) if of.contains('@') => Share::Exposed,
                _ => Share::Other,
            };
            Key::Setup(setup.stage, share, setup.overcome)
        }
        Act::Call(call) => Key::Call(call.opnum),
    }
}

pub(super) fn end(step: &Step) -> End {
    match &step.act {
        Act::Setup(setup) => match setup.refusal {
            None => (0, 0, 0),
            Some(Refusal::Status(status)) => (1, status.0, 0),
            Some(Refusal::Session(why)) => (2, why.0.into(), 0),
            Some(Refusal::Bind(answer)) => match answer {
                BindAnswer::Accepted => (0, 0, 0),
                BindAnswer::Refused(result, reason) => (3, result.into(), reason.into()),
                BindAnswer::Nak(reason) => (4, reason.into(), 0),
                BindAnswer::Fault(status) => (5, status, 0),
            },
            Some(Refusal::Ended(status)) => (6, status.map_or(0, |status| status.0), 0),
        },
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

/// Questions that change nothing at the server: `GetSupportedVersion`, `IsPathSupported` and
/// `IsPathShadowCopied`.
pub(super) fn is_question(opnum: Option<u16>) -> bool {
    matches!(opnum, Some(0 | 8 | 9))
}

/// Both lists as the alignment takes them. The numbers are the same whichever list comes first.
pub(super) fn tokens(conversations: Pair<&Conversation>) -> Pair<Vec<Token>> {
    let steps = || Which::BOTH.into_iter().flat_map(|which| &conversations[which].steps);
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let keys: BTreeSet<Key> = steps().map(key).collect();
    let keys: BTreeMap<Key, u32> = keys.into_iter().zip(0..).collect();
    let token = |step: &Step| Token {
        key: keys.get(&key(step)).copied().unwrap_or(number(keys.len())),
        weighty: !matches!(key(step), Key::Call(opnum) if is_question(opnum)),
    };
    conversations.map(|of| of.steps.iter().map(token).collect())
}

/// The keys of which a conversation has several.
pub(super) fn recurring(of: &Conversation) -> BTreeSet<Key> {
    let mut seen = BTreeSet::new();
    of.steps.iter().map(key).filter(|key| !seen.insert(*key)).collect()
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
