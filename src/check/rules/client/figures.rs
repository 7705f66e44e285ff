//! The order of the opnums, which can be seen even where nothing else can (section 4, 3.2.4.2.1).

use super::super::Case;
use super::memory::Memory;
use super::{subject, wrong};
use crate::check::bench::Bench;

/// Which operations came in this round: from the question, or the context, to the end of a set.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk {
    /// A bit for each opnum.
    seen: u16,
    /// The set is finished or aborted: the next question begins a new round.
    over: bool,
}

impl Walk {
    fn has(self, opnum: u16) -> bool {
        self.seen & bit(opnum) != 0
    }

    fn step(&mut self, opnum: u16) {
        let asks = bit(8) | bit(0);
        match opnum {
            0 | 1 | 2 | 8 if self.over => *self = Self::default(),
            1 | 2 if self.has(2) => self.seen &= asks,
            _ => {}
        }
        self.seen |= bit(opnum);
        self.over = matches!(opnum, 6 | 7);
    }
}

fn bit(opnum: u16) -> u16 {
    1u16.checked_shl(u32::from(opnum)).unwrap_or(0)
}

pub(super) fn asked(memory: &mut Memory, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let opnum = case.act.opnum;
    let Some(client) = memory.client(case.act.client) else { return };
    let (walk, whole) = (client.walk, client.whole);
    let versioned = client.asked_version.is_some();
    let again = memory.set_of(case.act).is_some_and(|set| {
        let failed = [set.prepare_failed, set.commit_failed, set.expose_failed];
        failed.iter().any(Option::is_some) || set.aborted.is_some()
    });
    let over = walk.over && matches!(opnum, 0 | 1 | 2 | 8);
    // What is asked of an older set is not part of this round.
    let older = case.act.request.is_some()
        && case.act.names_set()
        && memory.set_of(case.act).is_none_or(|set| set.recovered.is_some());
    if !over && !again {
        preparation(walk, whole, case, bench);
        if !older {
            creation(walk, case, bench);
        }
    }
    if opnum == 11 && !versioned && !walk.has(11) {
        if whole {
            let message = format!(
                "{} comes without a GetSupportedVersion before: figure 4 has it first",
                subject(case)
            );
            wrong(case, bench, "FSRVP-4.3-01", message, |_| {});
        } else {
            bench.unseen("FSRVP-4.3-01", "the beginning of the conversation was not seen");
        }
    }
    if let Some(client) = memory.client_mut(case.act.client) {
        client.walk.step(opnum);
    }
}

/// 8, 0, 1, 2, 3, 12.
fn preparation(walk: Walk, whole: bool, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let sealed = case.act.request.is_none();
    let late = |what: &str| {
        format!("{} comes after {what}: the order is 8, 0, 1, 2, 3, 12", subject(case))
    };
    match case.act.opnum {
        0 if whole && walk.has(1) && !walk.has(0) && !walk.has(3) => {
            wrong(case, bench, "FSRVP-3.2.4.2.1-13", late("SetContext"), |finding| {
                finding.with_rules(["FSRVP-4.1-01"]);
            });
        }
        2 if whole && sealed && !walk.has(1) => {
            let message = "StartShadowCopySet comes without a SetContext before".to_owned();
            wrong(case, bench, "FSRVP-3.2.4.2.1-13", message, |_| {});
        }
        3 if whole && sealed && !walk.has(2) => {
            let message = "AddToShadowCopySet comes without a StartShadowCopySet before".to_owned();
            wrong(case, bench, "FSRVP-3.2.4.2.1-13", message, |_| {});
        }
        3 if walk.has(2) && walk.has(12) => {
            wrong(case, bench, "FSRVP-4.1-01", late("PrepareShadowCopySet"), |_| {});
        }
        3 if walk.has(2) => {
            bench.pass("FSRVP-4.1-01");
            bench.pass("FSRVP-3.2.4.2.1-13");
        }
        _ => {}
    }
}

/// 4, 5, 10 for each share, 6.
fn creation(walk: Walk, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
    let rule = "FSRVP-4.2-01";
    let order = "the order is 4, 5, 10 for each share, 6";
    match case.act.opnum {
        5 if walk.has(2) && !walk.has(4) && case.act.request.is_none() => {
            let message =
                "ExposeShadowCopySet comes with no CommitShadowCopySet since StartShadowCopySet"
                    .to_owned();
            wrong(case, bench, "FSRVP-3.2.4.4-02", message, |_| {});
        }
        10 | 6 if walk.has(4) && !walk.has(5) => {
            let message = format!("{} comes without ExposeShadowCopySet: {order}", subject(case));
            wrong(case, bench, rule, message, |_| {});
        }
        6 if walk.has(5) && !walk.has(10) => {
            let message = format!("{} comes without GetShareMapping: {order}", subject(case));
            wrong(case, bench, rule, message, |_| {});
        }
        4 if walk.has(5) => {
            let message = format!("{} comes after ExposeShadowCopySet: {order}", subject(case));
            wrong(case, bench, rule, message, |_| {});
        }
        6 if walk.has(4) => bench.pass(rule),
        _ => {}
    }
}
