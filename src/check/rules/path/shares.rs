//! Which shares there are, by tree connects and by what the server has answered (3.1.4.4, 3.1.4.9,
//! 3.1.4.10).

use rustc_hash::FxHashMap;

use super::share_path;
use crate::bytes::{Side, Time};
use crate::check::act::Act;
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Finding};
use crate::check::profile::BAD_ARGUMENTS;
use crate::check::rules::Case;
use crate::check::say;
use crate::check::tracker::SECOND;
use crate::protocol::fsrvp::{Response, Status};

/// Shares remembered.
const MAX_SHARES: usize = 4096;
/// Octets of the path of a tree that is remembered.
const MAX_PATH: usize = 2048;
/// For how long shares are taken to stay as they are.
const FRESH: i64 = 15 * 60 * SECOND;

const NOT_FOUND: u32 = Status::FSRVP_E_OBJECT_NOT_FOUND.0;
const NOT_SUPPORTED: u32 = Status::FSRVP_E_NOT_SUPPORTED.0;

/// Something that was learned of a share: when, and by which call, if by a call.
#[derive(Clone, Copy, Debug)]
struct Learned {
    time: Time,
    call: Option<u64>,
}

/// What is known of a share.
#[derive(Clone, Debug, Default)]
struct Share {
    /// It does not exist.
    missing: Option<Learned>,
    /// `IsPathSupported` returned `FSRVP_E_NOT_SUPPORTED`.
    refused: Option<Learned>,
    /// `IsPathSupported` said TRUE.
    supported: Option<Learned>,
}

/// The shares by path. Added by tree connects and answers; when there are too many, all are forgotten.
#[derive(Debug, Default)]
pub(super) struct Shares {
    known: FxHashMap<String, Share>,
}

impl Shares {
    /// The server was started again, or calls may have been missed.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// A tree connect succeeded, or there is no such share.
    pub(super) fn connected(&mut self, path: &str, exists: bool, time: Time) {
        if path.contains('@') || path.len() > MAX_PATH {
            return;
        }
        self.share(path).missing = (!exists).then_some(Learned { time, call: None });
    }

    fn share(&mut self, path: &str) -> &mut Share {
        let key = share_path(path);
        if self.known.len() >= MAX_SHARES && !self.known.contains_key(&key) {
            self.known.clear();
        }
        self.known.entry(key).or_default()
    }

    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let (Some(path), Some(status)) = (case.act.share(), case.act.answer.status()) else {
            return;
        };
        let known = self.known.get(&share_path(path)).cloned().unwrap_or_default();
        let look = Look { case, bench, path, status };
        match case.act.opnum {
            3 => look.added(&known),
            8 => look.supported(&known),
            9 => look.copied(&known),
            _ => return,
        }
        self.learn(path, case.act, status);
    }

    /// What an answer tells of its share.
    fn learn(&mut self, path: &str, act: &Act, status: u32) {
        let time = act.answered.unwrap_or(act.asked);
        let learned = Some(Learned { time, call: Some(act.n) });
        let share = self.share(path);
        if status == NOT_FOUND {
            *share = Share { missing: learned, ..Share::default() };
        } else if status == NOT_SUPPORTED && act.opnum == 8 {
            *share = Share { refused: learned, ..Share::default() };
        } else if act.answer.is_success() {
            share.missing = None;
            let told = matches!(&act.response, Some(Response::IsPathSupported(of)) if of.supported_by_this_provider.is_true());
            if told {
                *share = Share { supported: learned, ..Share::default() };
            }
        }
    }
}

/// An answer about a share.
struct Look<'a, 'b, 'k, 't> {
    case: &'a Case<'a, 't>,
    bench: &'a mut Bench<'k>,
    path: &'b str,
    status: u32,
}

impl Look<'_, '_, '_, '_> {
    /// Something that still holds, and was learned before the call.
    fn fresh(&self, learned: Option<Learned>) -> Option<Learned> {
        let asked = self.case.act.asked;
        learned.filter(|learned| {
            let age = asked.since(learned.time);
            (0..=FRESH).contains(&age)
        })
    }

    fn is_success(&self) -> bool {
        self.case.act.answer.is_success()
    }

    /// A rule, where something was learned: whether the answer agrees.
    fn agree(
        &mut self,
        learned: Option<Learned>,
        kept: bool,
        rule: &str,
        what: impl FnOnce(&str, &str) -> String,
    ) {
        let Some(learned) = self.fresh(learned) else { return };
        let (case, path) = (self.case, self.path);
        let message = || {
            let returned = format!(
                "{} of \"{path}\" returned {}",
                say::method(case.act.opnum),
                say::code(self.status)
            );
            let by = match learned.call {
                Some(call) => format!("call {call}"),
                None => "a tree connect before it".to_owned(),
            };
            what(&returned, &by)
        };
        let refine = |finding: &mut Finding| {
            finding.certainty = Certainty::Likely;
            if let Some(call) = learned.call {
                finding.with_call(call, "what the server said of the share before");
            }
            finding.with_octets(case.call, Side::Client, "ShareName", path);
        };
        self.bench.expect(kept, Topic::Value("ShareName"), rule, case.place, message, refine);
    }

    /// 3.1.4.4-01 to -04
    fn added(mut self, share: &Share) {
        let ok = self.is_success();
        self.agree(share.missing, !ok, "FSRVP-3.1.4.4-01", |returned, by| {
            format!("{returned}, although by {by} there is no such share")
        });
        let other = Status::FSRVP_E_SHADOWCOPYSET_ID_MISMATCH.0 == self.status
            || Status::FSRVP_E_BAD_STATE.0 == self.status;
        self.agree(share.missing, !other, "FSRVP-3.1.4.4-02", |returned, by| {
            format!("{returned}, although by {by} there is no such share, which is looked at first")
        });
        self.agree(share.refused, !ok, "FSRVP-3.1.4.4-03", |returned, by| {
            format!("{returned}, although by {by} the share is not supported")
        });
        let refused = self.status == NOT_SUPPORTED || self.status == NOT_FOUND;
        self.agree(share.supported, !refused, "FSRVP-3.1.4.4-04", |returned, by| {
            format!("{returned}, although by {by} the share is supported")
        });
        if share.missing.is_none() && self.status == NOT_FOUND {
            self.bench.pass("FSRVP-3.1.4.4-01");
        }
    }

    /// 3.1.4.9-02, 3.1.4.9-03
    fn supported(mut self, share: &Share) {
        let lenient = self.bench.profile.quirks.contains(BAD_ARGUMENTS);
        let bad = self.status == Status::E_INVALIDARG.0 && !lenient;
        let ok = self.is_success();
        self.agree(share.missing, !ok && !bad, "FSRVP-3.1.4.9-02", |returned, by| {
            format!("{returned}, although by {by} there is no such share; expected FSRVP_E_OBJECT_NOT_FOUND")
        });
        self.agree(share.refused, !ok, "FSRVP-3.1.4.9-03", |returned, by| {
            format!("{returned}, although by {by} the share is not supported")
        });
        let refused = self.status == NOT_SUPPORTED;
        self.agree(share.supported, !refused, "FSRVP-3.1.4.9-03", |returned, by| {
            format!("{returned}, although by {by} the share is supported")
        });
        if self.status == NOT_FOUND {
            self.bench.pass("FSRVP-3.1.4.9-02");
        }
    }

    /// 3.1.4.10-02
    fn copied(mut self, share: &Share) {
        let ok = self.is_success();
        self.agree(share.missing, !ok, "FSRVP-3.1.4.10-02", |returned, by| {
            format!("{returned}, although by {by} there is no such share; expected FSRVP_E_OBJECT_NOT_FOUND")
        });
    }
}
