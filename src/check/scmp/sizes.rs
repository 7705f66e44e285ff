//! Associations of volumes with their storage: what `AddDiffArea` and `ChangeDiffAreaMaximumSize` answer,
//! and what is listed afterwards (3.1.4).

use super::Case;
use super::areas::{Areas, By, FRESH, Fact, List, Pair, State};
use super::calls::{E_ACCESSDENIED, E_INVALIDARG};
use super::message::{Ask, Query, Text};
use super::methods::invalid;
use super::volume::{Volumes, has};
use crate::bytes::Side;
use crate::check::bench::{Bench, Topic};
use crate::check::finding::Finding;

const NOT_FOUND: u32 = 0x8004_2308;
const NOT_SUPPORTED: u32 = 0x8004_230c;
const EXISTS: u32 = 0x8004_230d;
const IN_USE: u32 = 0x8004_231d;
const TOO_MANY: u32 = 0x8004_231e;
const TOO_SMALL: u32 = 0x8004_231f;
/// What the Windows SDK has for no limit.
const UNLIMITED: i64 = -1;

/// Looks at a call that sets or changes a size, and learns what it did.
pub(super) fn check(case: &Case<'_>, areas: &mut Areas, volumes: &Volumes, bench: &mut Bench<'_>) {
    let Some(Ask::Size { change, volume, storage, size }) = &case.ask else { return };
    let Some(status) = case.status else { return };
    let asked = Asked { case, status, change: *change, size: *size };
    if !asked.arguments(volume.as_ref(), storage.as_ref(), bench) {
        return;
    }
    asked.codes(bench);
    let (Some(volume), Some(storage)) = (volume, storage) else { return };
    let pair = (volumes.place(&volume.text), volumes.place(&storage.text));
    let before = areas.at(&pair, case.call.time);
    if *change {
        asked.changed(before, bench);
    } else {
        asked.added(&pair, before, areas, bench);
    }
    asked.learn(&pair, before, areas);
}

/// A call that sets or changes a size.
struct Asked<'a, 'c> {
    case: &'a Case<'c>,
    status: u32,
    change: bool,
    size: i64,
}

impl Asked<'_, '_> {
    fn expect(
        &self,
        kept: bool,
        rule: &str,
        bench: &mut Bench<'_>,
        what: impl FnOnce() -> String,
        refine: impl FnOnce(&mut Finding),
    ) {
        let method = self.case.method();
        let what = || format!("{method} {}", what());
        self.case.expect_of_answer((kept, Topic::State, rule), bench, what, refine);
    }

    fn returned(&self) -> String {
        format!("returned 0x{:08x}", self.status)
    }

    /// Whether the arguments are such that more can be said.
    fn arguments(
        &self,
        volume: Option<&Text>,
        storage: Option<&Text>,
        bench: &mut Bench<'_>,
    ) -> bool {
        let Self { case, status, change, size } = *self;
        let null = volume.is_none() || storage.is_none();
        let rule = if change { "SCMP-3.1.4.4.3-02" } else { "SCMP-3.1.4.4.2-03" };
        if null || !change && size == 0 {
            let what = if null { "no name of a volume" } else { "a size of zero" };
            invalid(case, rule, what, status, &[NOT_SUPPORTED], bench);
            return false;
        }
        bench.pass(rule);
        if size < 0 && size != UNLIMITED {
            let rule = if change { "SCMP-3.1.4.4.3-13" } else { "SCMP-3.1.4.4.2-04" };
            self.expect(
                case.failed(),
                rule,
                bench,
                || format!("took the size {size}"),
                |finding| {
                    finding.with_octets(
                        case.call,
                        Side::Client,
                        "llMaximumDiffSpace",
                        "a negative size",
                    );
                },
            );
        }
        true
    }

    /// Codes that are another method's, or another request's.
    fn codes(&self, bench: &mut Bench<'_>) {
        let Self { status, change, size, .. } = *self;
        let returned = || self.returned();
        if !change {
            let strange = [NOT_FOUND, IN_USE].contains(&status);
            let what = || format!("{}, which is for changing a size", returned());
            return self.expect(!strange, "SCMP-3.1.4.4.2-15", bench, what, |_| {});
        }
        let strange = [EXISTS, TOO_MANY, NOT_SUPPORTED].contains(&status);
        let what = || format!("{}, which is for adding an association", returned());
        self.expect(!strange, "SCMP-3.1.4.4.3-15", bench, what, |_| {});
        if size == 0 {
            let what = || format!("{} to a size of zero, which asks to delete", returned());
            self.expect(status != E_INVALIDARG, "SCMP-3.1.4.4.3-03", bench, what, |_| {});
            let what = || format!("{} to a size of zero, which needs no storage", returned());
            self.expect(status != TOO_SMALL, "SCMP-3.1.4.4.3-06", bench, what, |_| {});
        } else {
            let what = || format!("{} to a size of {size}, which deletes nothing", returned());
            self.expect(status != IN_USE, "SCMP-3.1.4.4.3-05", bench, what, |_| {});
        }
    }

    fn added(&self, pair: &Pair, before: Option<Fact>, areas: &Areas, bench: &mut Bench<'_>) {
        let Self { case, status, .. } = *self;
        let denied = status == E_ACCESSDENIED;
        if let Some(fact) = before.filter(|_| !denied) {
            let there = matches!(fact.state, State::There(_));
            let weaken = |finding: &mut Finding| {
                finding.with_call(fact.call, "what was so before");
                case.weaken(finding, Some(fact.to));
            };
            if there {
                self.expect(
                    case.failed(),
                    "SCMP-3.1.4.4.2-05",
                    bench,
                    || "succeeded for an association that there is already".to_owned(),
                    weaken,
                );
            } else {
                self.expect(
                    status != EXISTS,
                    "SCMP-3.1.4.4.2-06",
                    bench,
                    || format!("{}, and there was no such association", self.returned()),
                    weaken,
                );
            }
        }
        let list = areas.list(Query::AreasFor, &pair.0, case.call.time);
        let empty = |list: &&List| {
            list.pairs.is_empty() && !areas.is_added(&pair.0, list.from, case.call.time)
        };
        if let Some(list) = list.filter(empty) {
            self.expect(
                status != TOO_MANY,
                "SCMP-3.1.4.4.2-08",
                bench,
                || format!("{}, and the volume has no association", self.returned()),
                |finding| {
                    finding.with_call(list.call, "none was listed");
                    case.weaken(finding, Some(list.to));
                },
            );
        }
        self.supported(pair, areas, bench);
    }

    /// Whether the lists of what can be shadowed, and of what can hold storage, say the same.
    fn supported(&self, pair: &Pair, areas: &Areas, bench: &mut Bench<'_>) {
        let Self { case, status, .. } = *self;
        let volumes = areas.list(Query::Volumes, "", case.call.time);
        let storage = areas.list(Query::DiffVolumes, &pair.0, case.call.time);
        let listed = [(volumes, &pair.0), (storage, &pair.1)];
        let lists =
            listed.map(|(list, of)| list.and_then(|list| Some((list, has(&list.volumes, of)?))));
        if let Some((list, false)) = lists[1] {
            self.expect(
                false,
                "SCMP-4.3-01",
                bench,
                || "names a volume for storage that was not listed as one".to_owned(),
                |finding| {
                    finding.with_call(list.call, "the list");
                },
            );
        }
        let lacking = lists.iter().flatten().find(|(_, has)| !has);
        let weaken = |finding: &mut Finding, list: &List| {
            finding.with_call(list.call, "the list");
            case.weaken(finding, Some(list.to));
        };
        match (lacking, lists) {
            (Some((list, _)), _) => self.expect(
                case.failed(),
                "SCMP-3.1.4.4.2-07",
                bench,
                || "succeeded for a volume that the server does not list as fit for it".to_owned(),
                |finding| weaken(finding, list),
            ),
            (None, [Some((list, _)), Some(_)]) => self.expect(
                status != NOT_SUPPORTED,
                "SCMP-3.1.4.4.2-07",
                bench,
                || format!("{}, and the server lists both volumes as fit for it", self.returned()),
                |finding| weaken(finding, list),
            ),
            _ => {}
        }
    }

    fn changed(&self, before: Option<Fact>, bench: &mut Bench<'_>) {
        let Self { case, size, .. } = *self;
        if let Some(fact) = before.filter(|fact| fact.state == State::Gone) {
            let again = fact.by == By::Remove && size == 0;
            let rule = if again { "SCMP-3.1.4.4.3-12" } else { "SCMP-3.1.4.4.3-04" };
            self.expect(
                case.failed(),
                rule,
                bench,
                || {
                    let how = if again { "deleted before" } else { "not there" };
                    format!("succeeded for an association that was {how}")
                },
                |finding| {
                    finding.with_call(fact.call, "what was so before");
                    case.weaken(finding, Some(fact.to));
                },
            );
        }
    }

    /// What is so from now on.
    fn learn(&self, pair: &Pair, before: Option<Fact>, areas: &mut Areas) {
        let Self { case, change, size, .. } = *self;
        let (state, by) = match (case.succeeded(), change, size) {
            (true, false, _) => (State::There(Some(size)), By::Add),
            (true, true, 0) => (State::Gone, By::Remove),
            (true, true, _) => (State::There(Some(size)), By::Change),
            // A refusal leaves it as it was, and may tell that there is one.
            (false, change, size) => {
                let there = matches!(self.status, EXISTS | IN_USE | TOO_SMALL);
                let told = Some(State::There(None)).filter(|_| there);
                let known = before.map(|before| before.state);
                let known = known.filter(|known| told.is_none_or(|told| known.agrees(told)));
                let Some(state) = known.or(told) else { return };
                let by = match (change, size) {
                    (false, _) if self.status == EXISTS => By::Exists,
                    (false, _) => By::AddRefused,
                    (true, 0) => By::RemoveRefused,
                    (true, _) => By::ChangeRefused,
                };
                (state, by)
            }
        };
        let to = case.answered.unwrap_or(case.call.time);
        let (call, channel, from) = (case.call.rpc.n, case.call.rpc.channel, case.call.time);
        areas.learn(pair, Fact { state, by, call, channel, from, to });
    }
}

/// Looks at a list that was read to its end, which `areas` does not have yet.
pub(super) fn listed(
    case: &Case<'_>,
    list: &List,
    areas: &Areas,
    volumes: &Volumes,
    bench: &mut Bench<'_>,
) {
    match list.query {
        Query::AreasFor | Query::AreasOn => {
            let named: Vec<Pair> = list.pairs.iter().map(|(pair, _)| pair.clone()).collect();
            let mut pairs: Vec<Pair> = areas.pairs().chain(&named).cloned().collect();
            let others = [Query::AreasFor, Query::AreasOn].into_iter();
            pairs.extend(others.flat_map(|query| areas.listed_pairs(query)).cloned());
            pairs.sort();
            pairs.dedup();
            for pair in pairs {
                compare(case, list, &pair, (areas, volumes), bench);
            }
        }
        Query::DiffVolumes => {
            for pair in areas.pairs().filter(|pair| pair.0 == list.volume) {
                let there = areas.at(pair, list.from);
                let there = there.filter(|fact| matches!(fact.state, State::There(_)));
                let Some(fact) = there else { continue };
                let Some(listed) = has(&list.volumes, &pair.1) else { continue };
                bench.expect(
                    listed,
                    Topic::Value("rgelt"),
                    "SCMP-3.1.4.4.4-17",
                    &case.place,
                    || {
                        format!(
                            "`{}` holds storage of the volume, and is not listed as fit for it",
                            volumes.called(&pair.1)
                        )
                    },
                    |finding| {
                        finding.with_call(fact.call, "the storage");
                    },
                );
            }
        }
        Query::Snapshots => {
            reappeared(case, list, areas, bench);
            survived(case, list, areas, bench);
        }
        Query::Volumes => {}
    }
}

/// Whether a list says of a pair what is known of it.
fn compare(
    case: &Case<'_>,
    list: &List,
    pair: &Pair,
    (areas, volumes): (&Areas, &Volumes),
    bench: &mut Bench<'_>,
) {
    let Some(says) = list.says(pair) else { return };
    let Some(fact) = areas.at(pair, list.from) else { return };
    if areas.is_touched(pair, list.from, list.to) {
        return;
    }
    let same = fact.state.agrees(says.state);
    let gone = says.state == State::Gone;
    let rule = match fact.by {
        By::Add if list.query == Query::AreasOn && gone => "SCMP-3.1.4.4.2-12",
        By::Add => "SCMP-3.1.4.4.2-11",
        By::Change => "SCMP-3.1.4.4.3-07",
        By::Remove => "SCMP-3.1.4.4.3-08",
        By::AddRefused => "SCMP-3.1.4.4.2-13",
        By::Exists => "SCMP-3.1.4.4.2-06",
        By::ChangeRefused => "SCMP-3.1.4.4.3-11",
        By::RemoveRefused => "SCMP-3.1.4.4.3-10",
        By::List(query) if query != list.query => match list.query {
            Query::AreasFor => "SCMP-3.1.4.4.5-18",
            _ => "SCMP-3.1.4.4.6-18",
        },
        // A size that was changed by somebody else is nothing to speak of.
        By::List(_) if !gone => return,
        By::List(_) if fact.channel != list.channel => "SCMP-3.1.4.1-01",
        By::List(_) => "SCMP-3.1.4.1-04",
    };
    let late = list.from.since(fact.to) > FRESH;
    if late && matches!(fact.by, By::List(query) if query != list.query) {
        return;
    }
    bench.expect(
        same,
        Topic::State,
        rule,
        &case.place,
        || {
            let (volume, storage) = (volumes.called(&pair.0), volumes.called(&pair.1));
            let said = |state| match state {
                State::There(Some(max)) => format!("a maximum of {max} bytes"),
                State::There(None) => "an association".to_owned(),
                State::Gone => "no association".to_owned(),
            };
            format!(
                "of the storage of `{volume}` on `{storage}` {} lists {}; by call {} it is {}",
                list.query.method(),
                said(says.state),
                fact.call,
                said(fact.state)
            )
        },
        |finding| {
            finding.with_call(fact.call, "what was so before");
            finding.with_call(list.call, "the query");
            if fact.channel != list.channel && rule != "SCMP-3.1.4.1-01" {
                finding.with_rules(["SCMP-3.1.4.1-01"]);
            }
            case.weaken(finding, Some(fact.to));
        },
    );
}

/// 3.1.1.4.3-17: a shadow copy that is gone does not come back.
fn reappeared(case: &Case<'_>, list: &List, areas: &Areas, bench: &mut Bench<'_>) {
    let mut earlier = areas.lists(Query::Snapshots, &list.volume).filter(|of| of.to <= list.from);
    let (Some(last), Some(first)) = (earlier.next(), earlier.next()) else { return };
    let back =
        |copy: &&crate::bytes::Guid| first.copies.contains(copy) && !last.copies.contains(copy);
    let found = list.copies.iter().find(back);
    bench.expect(
        found.is_none(),
        Topic::State,
        "SCMP-3.1.1.4.3-17",
        &case.place,
        || {
            let copy = found.copied().unwrap_or_default();
            format!("the shadow copy {copy} is listed again, after a list without it")
        },
        |finding| {
            finding.with_call(first.call, "listed");
            finding.with_call(last.call, "not listed");
        },
    );
}

/// 3.1.4.4.3-09: what holds shadow copies is not deleted; a server may delete the copies first.
fn survived(case: &Case<'_>, list: &List, areas: &Areas, bench: &mut Bench<'_>) {
    for pair in areas.pairs().filter(|pair| pair.0 == list.volume) {
        let removed = areas.at(pair, list.from).filter(|fact| fact.by == By::Remove);
        let Some(removed) = removed else { continue };
        let then = removed.from;
        let copies = areas.list(Query::Snapshots, &pair.0, then);
        let storage = areas.list(Query::AreasFor, &pair.0, then);
        let (Some(copies), Some(storage)) = (copies, storage) else { continue };
        let fresh = [copies, storage].iter().all(|of| then.since(of.to) <= FRESH);
        let only = matches!(&*storage.pairs, [(of, sizes)] if of == pair && sizes.used > 0);
        if !fresh || !only || areas.is_added(&pair.0, storage.from, then) {
            continue;
        }
        bench.expect(
            !list.copies.iter().any(|copy| copies.copies.contains(copy)),
            Topic::State,
            "SCMP-3.1.4.4.3-09",
            &case.place,
            || "a shadow copy is listed whose only storage was deleted".to_owned(),
            |finding| {
                finding.with_call(removed.call, "the storage was deleted");
                finding.with_call(copies.call, "the shadow copies");
                finding.with_call(storage.call, "the storage");
                case.weaken(finding, Some(removed.to));
            },
        );
    }
}
