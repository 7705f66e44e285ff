//! What becomes of exposed shares: tree connects and writes (2.2.2.1, 3.1.4.6, 3.1.4.7, 3.1.4.12).

use rustc_hash::FxHashMap;

use crate::bytes::{Guid, Time};
use crate::check::act::share_key;
use crate::check::bench::{Bench, Place, Topic};
use crate::check::exposed_name::ExposedName;
use crate::check::finding::{Certainty, Finding};
use crate::check::machine::Answer;
use crate::check::rules::Case;
use crate::check::say;
use crate::pipeline::Around;
use crate::protocol::fsrvp::{ContextValue, Request};
use crate::smb::Status;

/// Copies remembered, and deleted mappings.
const MAX_COPIES: usize = 8192;
/// `STATUS_MEDIA_WRITE_PROTECTED`
const WRITE_PROTECTED: Status = Status(0xc000_00a2);

/// A copy whose set was exposed.
#[derive(Clone, Debug)]
struct Exposed {
    set: Guid,
    context: Option<ContextValue>,
    /// The call that exposed it.
    call: u64,
    /// Whether recovery may be complete.
    perhaps: bool,
    /// When recovery was surely complete, and by which call.
    recovered: Option<(Time, u64)>,
}

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// By the id of the copy. Added by `ExposeShadowCopySet`; when there are too many, all are forgotten.
    exposed: FxHashMap<Guid, Exposed>,
    /// Copies and shares whose mapping was deleted, by the call that did it. Added by
    /// `DeleteShareMapping`; when there are too many, all are forgotten.
    deleted: FxHashMap<(Guid, String), u64>,
}

impl Shares {
    /// Calls may have been missed.
    pub(super) fn forget(&mut self) {
        for exposed in self.exposed.values_mut() {
            exposed.perhaps = true;
        }
    }

    pub(super) fn asked(&mut self, case: &Case<'_, '_>) {
        if case.act.opnum != 6 {
            return;
        }
        let set = case.act.set();
        for exposed in
            self.exposed.values_mut().filter(|exposed| set.is_none_or(|id| id == exposed.set))
        {
            exposed.perhaps = true;
        }
    }

    pub(super) fn answered(&mut self, case: &Case<'_, '_>) {
        let act = case.act;
        let done = act.answered.unwrap_or(act.asked);
        match (&act.request, act.answer.is_success()) {
            (Some(Request::ExposeShadowCopySet(_)), true) => self.expose(case),
            (Some(Request::RecoveryCompleteShadowCopySet(of)), true) => {
                for exposed in
                    self.exposed.values_mut().filter(|of_| of_.set == of.shadow_copy_set_id)
                {
                    exposed.recovered = Some((done, act.n));
                }
            }
            (Some(Request::RecoveryCompleteShadowCopySet(of)), false) => {
                // A refusal leaves it as it was.
                let refused = matches!(act.answer, Answer::Status(_) | Answer::Refused(_));
                for exposed in
                    self.exposed.values_mut().filter(|of_| of_.set == of.shadow_copy_set_id)
                {
                    exposed.perhaps = !refused || exposed.recovered.is_some();
                }
            }
            (Some(Request::DeleteShareMapping(of)), true) => {
                if self.deleted.len() >= MAX_COPIES {
                    self.deleted.clear();
                }
                self.deleted.insert((of.shadow_copy_id, share_key(&of.share_name)), act.n);
            }
            _ => {}
        }
    }

    fn expose(&mut self, case: &Case<'_, '_>) {
        let set = case.step.and_then(|step| step.set).and_then(|no| case.tracker.sets.get(no));
        let Some(set) = set else { return };
        for copy in &set.copies {
            if self.exposed.len() >= MAX_COPIES {
                self.exposed.clear();
            }
            let exposed = Exposed {
                set: set.id,
                context: set.context.map(ContextValue),
                call: case.act.n,
                perhaps: false,
                recovered: None,
            };
            self.exposed.insert(copy.id, exposed);
        }
    }

    /// 3.1.4.12-08: the exposed share of a deleted mapping is gone.
    pub(super) fn connected(
        &self,
        around: &Around,
        path: &str,
        exists: bool,
        bench: &mut Bench<'_>,
    ) {
        let Some(name) = ExposedName::parse(path) else { return };
        let Some(call) = self.deleted.get(&(name.id, name.share)) else { return };
        bench.expect(
            !exists,
            Topic::Order,
            "FSRVP-3.1.4.12-08",
            &place(around, None),
            || format!("A tree connect to \"{path}\" succeeded, although its mapping was deleted (call {call})"),
            |finding| {
                finding.certainty = Certainty::Likely;
                finding.with_call(*call, "DeleteShareMapping deleted the mapping");
            },
        );
    }

    /// 2.2.2.1-03, 2.2.2.1-06, 3.1.4.6-24, 3.1.4.7-06: when an exposed share can be written to.
    pub(super) fn wrote(&self, around: &Around, path: &str, status: Status, bench: &mut Bench<'_>) {
        let Some(name) = ExposedName::parse(path) else { return };
        let Some(exposed) = self.exposed.get(&name.id) else { return };
        let Some(context) = exposed.context else {
            for rule in
                ["FSRVP-2.2.2.1-03", "FSRVP-2.2.2.1-06", "FSRVP-3.1.4.6-24", "FSRVP-3.1.4.7-06"]
            {
                bench.unseen(rule, "the context of the set is not known");
            }
            return;
        };
        let auto = context.contains(ContextValue::ATTR_AUTO_RECOVERY);
        let never = context.contains(ContextValue::ATTR_NO_AUTO_RECOVERY);
        let place = place(around, Some(exposed.set));
        let (set, written) = (say::short(exposed.set), !status.is_error());
        let refused = status == WRITE_PROTECTED;
        if never && (written || refused) {
            bench.expect(
                !written,
                Topic::State,
                "FSRVP-2.2.2.1-03",
                &place,
                || format!("A write to \"{path}\" succeeded, although set {set} has ATTR_NO_AUTO_RECOVERY and is read-only"),
                |finding| related(finding, exposed.call, "ExposeShadowCopySet exposed the copy"),
            );
        }
        match exposed.recovered {
            Some((_, call)) if !never && (written || refused) => {
                if !written && auto {
                    bench.pass("FSRVP-2.2.2.1-06");
                }
                bench.expect(
                    !written,
                    Topic::State,
                    "FSRVP-3.1.4.7-06",
                    &place,
                    || format!("A write to \"{path}\" succeeded after RecoveryCompleteShadowCopySet (call {call}), which makes the copy read-only"),
                    |finding| {
                        if auto {
                            finding.with_rules(["FSRVP-2.2.2.1-06"]);
                        }
                        related(finding, call, "RecoveryCompleteShadowCopySet sealed the copy");
                    },
                );
            }
            None if auto && !never && !exposed.perhaps && (written || refused) => bench.expect(
                !refused,
                Topic::State,
                "FSRVP-3.1.4.6-24",
                &place,
                || format!("A write to \"{path}\" was refused as {status} before RecoveryCompleteShadowCopySet, although set {set} has ATTR_AUTO_RECOVERY"),
                |finding| related(finding, exposed.call, "ExposeShadowCopySet exposed the copy"),
            ),
            _ => {}
        }
    }
}

fn place(around: &Around, set: Option<Guid>) -> Place {
    Place { set, ..Place::around(around.time, around.frame, Some(around.client.ip())) }
}

/// What was on its way when the call was answered cannot be told from what came after it.
fn related(finding: &mut Finding, call: u64, note: &str) {
    finding.certainty = Certainty::Likely;
    finding.with_call(call, note);
}
