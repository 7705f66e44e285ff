//! Whether `IsPathShadowCopied` tells what the sets show (3.1.4.10, 3.1.4.12).

use rustc_hash::FxHashMap;

use crate::bytes::Side;
use crate::check::act::{host_of, share_key};
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Finding, Severity};
use crate::check::machine::{Answer, View, Views};
use crate::check::rules::Case;
use crate::check::say;
use crate::check::sets::{Copy, Set};
use crate::check::tri::Tri;
use crate::protocol::fsrvp::{Request, Response, Status};

/// Shares remembered as not shadow-copied.
const MAX_SHARES: usize = 4096;
/// Refusals of a Commit after which nothing has changed.
const REFUSALS: [u32; 4] = [
    Status::FSRVP_E_BAD_STATE.0,
    Status::FSRVP_E_SHADOWCOPYSET_ID_MISMATCH.0,
    Status::E_ACCESSDENIED.0,
    Status::E_INVALIDARG.0,
];

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Shares that had no copy, by the call that told so. Added by `IsPathShadowCopied`; all are removed
    /// by whatever may make a copy of any volume.
    absent: FxHashMap<String, u64>,
}

impl Rules {
    /// Calls may have been missed.
    pub(super) fn forget(&mut self) {
        self.absent.clear();
    }

    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let act = case.act;
        let refused = match act.answer {
            Answer::Refused(_) => true,
            Answer::Status(status) => REFUSALS.contains(&status),
            _ => false,
        };
        if act.opnum == 4 && !refused {
            self.absent.clear();
        }
        let (
            Some(Request::IsPathShadowCopied(asked)),
            Some(Response::IsPathShadowCopied(of)),
            true,
        ) = (&act.request, &act.response, act.answer.is_success())
        else {
            return;
        };
        let key = share_key(&asked.share_name);
        if of.shadow_copy_present.is_true() {
            present(case, &asked.share_name, self.absent.get(&key).copied(), bench);
        } else {
            absent(case, &asked.share_name, bench);
            if self.absent.len() < MAX_SHARES {
                self.absent.insert(key, act.n);
            }
        }
    }
}

/// Whether a set is Committed, Exposed or Recovered.
fn counts(case: &Case<'_, '_>, set: &Set) -> Tri {
    let no = case.tracker.sets.find(set.id);
    let mut views = Views::default();
    for world in &case.tracker.worlds {
        match &world.unfinished {
            Some(unfinished) if unfinished.set.is_some() && unfinished.set == no => {
                views.add(unfinished.view);
            }
            Some(unfinished) if unfinished.set.is_none() && set.identifiable => {
                views = views.or(set.after).with(unfinished.view);
            }
            _ => views = views.or(set.after),
        }
    }
    if set.may_have_vanished(case.act.asked) {
        views.add(View::Gone);
    }
    let is = |view: View| matches!(view, View::Committed | View::Exposed | View::Recovered);
    match (views.iter().any(is), views.iter().all(is)) {
        (true, true) => Tri::Yes,
        (false, _) => Tri::No,
        _ => Tri::Maybe,
    }
}

/// The copies of a share, in sets that are known, with their sets.
fn copies<'a>(case: &'a Case<'_, '_>, share: &str) -> impl Iterator<Item = (&'a Set, &'a Copy)> {
    let (key, host) = (share_key(share), host_of(share));
    let same = move |copy: &Copy| copy.key == key && host_of(&copy.share) == host;
    let all = case.tracker.sets.iter();
    let all = all.flat_map(|set| set.copies.iter().map(move |copy| (set, copy)));
    all.filter(move |(_, copy)| same(copy))
}

/// Whether anything is going on that may change what is there.
fn busy(case: &Case<'_, '_>) -> bool {
    let unknown = |world: &crate::check::world::World| {
        world.unfinished.as_ref().is_some_and(|unfinished| unfinished.set.is_none())
    };
    !case.tracker.flying.is_empty() || case.tracker.worlds.iter().any(|world| unknown(world))
}

/// 3.1.4.10-03: FALSE, although there is a copy.
fn absent(case: &Case<'_, '_>, share: &str, bench: &mut Bench<'_>) {
    let before = |set: &Set| set.committed.is_some_and(|at| at < case.act.asked);
    let there = |(set, copy): &(&Set, &Copy)| {
        before(set) && copy.deleted.is_none() && !copy.doubtful && counts(case, set) == Tri::Yes
    };
    let Some((set, copy)) = copies(case, share).find(there).filter(|_| !busy(case)) else {
        if copies(case, share).next().is_some() {
            bench.pass("FSRVP-3.1.4.10-05");
        }
        if copies(case, share).any(|(_, copy)| copy.deleted.is_some()) {
            bench.pass("FSRVP-3.1.4.12-13");
        }
        bench.pass("FSRVP-3.1.4.10-04");
        return;
    };
    let message = format!(
        "ShadowCopyPresent of \"{share}\" is FALSE, although the share is in set {}, which is committed",
        say::short(set.id)
    );
    bench.fail(
        Topic::Value("ShadowCopyPresent"),
        "FSRVP-3.1.4.10-03",
        case.place,
        message,
        |finding| {
            finding.with_call(copy.call, "AddToShadowCopySet added the share");
            // Somebody may have deleted the copy on the server itself.
            finding.certainty = Certainty::Likely;
            others(case, finding);
            finding.with_octets(case.call, Side::Server, "ShadowCopyPresent", "FALSE");
        },
    );
}

/// 3.1.4.10-04, 3.1.4.10-05, 3.1.4.12-13: TRUE, although there is no copy.
fn present(case: &Case<'_, '_>, share: &str, absent: Option<u64>, bench: &mut Bench<'_>) {
    if copies(case, share).any(|(set, _)| counts(case, set) == Tri::Yes) {
        bench.pass("FSRVP-3.1.4.10-03");
    }
    if busy(case) || !case.tracker.sets.iter().all(|set| counts(case, set) == Tri::No) {
        return;
    }
    let topic = Topic::Value("ShadowCopyPresent");
    let refine = |finding: &mut Finding| {
        finding.certainty = Certainty::Possible;
        others(case, finding);
        finding.with_octets(case.call, Side::Server, "ShadowCopyPresent", "TRUE");
    };
    if let Some(call) = absent {
        let message = format!(
            "ShadowCopyPresent of \"{share}\" is TRUE; it was FALSE before, and no set was committed since"
        );
        bench.fail(topic, "FSRVP-3.1.4.10-04", case.place, message, |finding| {
            finding.with_call(call, "IsPathShadowCopied said FALSE");
            refine(finding);
        });
        return;
    }
    let mut gone = copies(case, share).filter(|(set, _)| set.committed.is_some());
    let Some((set, copy)) = gone.next() else { return };
    let deleted = copy.deleted.map(|(_, _, call)| call);
    let message = format!(
        "ShadowCopyPresent of \"{share}\" is TRUE, although its only known set, {}, is gone; other shares of the volume may explain it",
        say::short(set.id)
    );
    bench.fail(topic, "FSRVP-3.1.4.10-05", case.place, message, |finding| {
        finding.with_call(
            deleted.unwrap_or(copy.call),
            match deleted {
                Some(_) => "DeleteShareMapping deleted the copy",
                None => "AddToShadowCopySet added the share",
            },
        );
        if deleted.is_some() {
            finding.with_rules(["FSRVP-3.1.4.12-13"]);
        }
        refine(finding);
    });
}

/// Clients outside of the capture may have done it.
fn others(case: &Case<'_, '_>, finding: &mut Finding) {
    if case.others {
        finding.at_most(Severity::Note, Certainty::Possible);
    }
}
