//! What is so of a shadow copy, and of its set, whenever it is listed (2.2.3.3).

use std::collections::{BTreeMap, BTreeSet};

use super::Case;
use super::message::{Arm, Snapshot, Tell};
use super::volume::key;
use crate::bytes::{Guid, Time};
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Severity};

/// Shadow copies of one server that are remembered, and sets; those that come after are not.
const MAX_COPIES: usize = 16_384;

/// A shadow copy as it was first listed.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) set: Guid,
    pub(super) volume: String,
    provider: Guid,
    count: i64,
    pub(super) created: i64,
    pub(super) attributes: u32,
    /// The call that listed it first.
    pub(super) call: u64,
    /// When it was last listed.
    pub(super) seen: Time,
}

#[derive(Debug)]
struct Set {
    /// How many its members say there are, at most.
    count: i64,
    members: BTreeSet<Guid>,
    call: u64,
}

/// The shadow copies of one server.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// By id. Added when first listed, no more than [`MAX_COPIES`].
    all: BTreeMap<Guid, Copy>,
    /// By id; the same.
    sets: BTreeMap<Guid, Set>,
    /// Members of all sets, no more than [`MAX_COPIES`].
    members: usize,
}

impl Copies {
    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Guid, &Copy)> {
        self.all.iter()
    }

    /// Looks at the shadow copies that `Next` gave.
    pub(super) fn check(&mut self, case: &Case<'_>, bench: &mut Bench<'_>) {
        let Some(Tell::Elements(told)) = &case.tell else { return };
        if case.failed() {
            return;
        }
        for element in &told.list {
            match &element.arm {
                Arm::Snapshot(of) if element.kind == element.tag && !of.id.is_nil() => {
                    self.copy(case, of, bench);
                    self.set(case, of, bench);
                }
                _ => {}
            }
        }
    }

    fn copy(&mut self, case: &Case<'_>, of: &Snapshot, bench: &mut Bench<'_>) {
        let n = case.call.rpc.n;
        let volume = of.volume.as_ref().map(|text| key(&text.text)).unwrap_or_default();
        let full = self.all.len() >= MAX_COPIES;
        let Some(known) = self.all.get_mut(&of.id) else {
            if !full {
                let Snapshot { set, provider, count, created, attributes, .. } = *of;
                let copy = Copy {
                    set,
                    volume,
                    provider,
                    count,
                    created,
                    attributes,
                    call: n,
                    seen: case.call.time,
                };
                self.all.insert(of.id, copy);
            }
            return;
        };
        known.seen = case.call.time;
        known.attributes = of.attributes;
        let id = of.id;
        let first = known.call;
        let mut expect = |kept: bool, rule: &str, what: String| {
            bench.expect(
                kept,
                Topic::Value("rgelt"),
                rule,
                &case.place,
                || format!("the shadow copy {id} {what}"),
                |finding| {
                    if first != n {
                        finding.with_call(first, "it was listed before");
                    }
                },
            );
        };
        let sets = format!("is of the set {}, and was of {} before", of.set, known.set);
        expect(of.set == known.set, "SCMP-2.2.3.3-01", sets);
        // A volume may have several names.
        let same = of.created == known.created && of.provider == known.provider;
        let facts = "has another creation time or provider than before".to_owned();
        expect(same, "SCMP-2.2.3.3-13", facts);
        let counts =
            format!("is of a set of {} shadow copies, which were {} before", of.count, known.count);
        expect(of.count == known.count, "SCMP-2.2.3.3-04", counts);
    }

    fn set(&mut self, case: &Case<'_>, of: &Snapshot, bench: &mut Bench<'_>) {
        if of.set.is_nil() || self.sets.len() >= MAX_COPIES && !self.sets.contains_key(&of.set) {
            return;
        }
        let n = case.call.rpc.n;
        let set = self.sets.entry(of.set).or_insert_with(|| Set {
            count: of.count,
            members: BTreeSet::new(),
            call: n,
        });
        if self.members < MAX_COPIES && set.members.insert(of.id) {
            self.members += 1;
        }
        let (count, before, call) = (of.count, set.count, set.call);
        let place = &case.place;
        bench.expect(
            count == before,
            Topic::Value("rgelt"),
            "SCMP-2.2.3.3-04",
            place,
            || {
                format!(
                    "of the set {} a shadow copy says that it has {count} of them, and another says \
                     {before}",
                    of.set
                )
            },
            |finding| {
                // Which of the two is right does not show.
                finding.at_most(Severity::Warning, Certainty::Certain);
                finding.with_call(call, "it was listed before");
            },
        );
        set.count = before.max(count);
        let most = set.count;
        let members = i64::try_from(set.members.len()).unwrap_or(i64::MAX);
        bench.expect(
            members <= most || most < 1,
            Topic::Value("rgelt"),
            "SCMP-2.2.3.3-03",
            place,
            || {
                format!(
                    "the set {} is said to have {most} shadow copies, and {members} were listed",
                    of.set
                )
            },
            |finding| {
                finding.with_call(call, "the first of them");
            },
        );
    }
}
