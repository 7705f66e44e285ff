//! The order in which a client has to ask, and what it may ask at all (3.2.3, 3.2.4, section 4).
//!
//! A client is held to what it has asked itself and was answered: [`Memory`] has that, client by
//! client, set by set, pipe by pipe. Most is judged when a request is complete, before its answer
//! is known, as the client has to decide it.
//!
//! - `values`: what stands in a request by itself
//! - `start`: the way to a set: 8, 0, 1, 2
//! - `target`: whom the client talks to
//! - `ids`: whose ids it uses
//! - `course`: the way of a set: 3, 12, 4, 5, 10, 6, 7, 11
//! - `figures`: the order of the opnums alone
//! - `leave`: what was left behind
//! - `clock`: how it uses the time of the server's timer

mod clock;
mod course;
mod figures;
mod ids;
mod known;
mod leave;
mod memory;
mod people;
mod start;
mod target;
mod values;

use memory::Memory;

use super::Case;
use crate::bytes::Time;
use crate::check::bench::{Bench, Topic};
use crate::check::finding::{Certainty, Finding, Severity};
use crate::check::say;
use crate::pipeline::Around;

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Rules {
    memory: Memory,
}

impl Rules {
    pub(super) fn asked(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let memory = &mut self.memory;
        memory.meet(case);
        leave::sweep(memory, case.act.asked, bench);
        values::asked(case, bench);
        target::asked(memory, case, bench);
        start::asked(memory, case, bench);
        ids::asked(memory, case, bench);
        course::asked(memory, case, bench);
        figures::asked(memory, case, bench);
        memory.asked(case);
    }

    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        ids::answered(case, bench);
        clock::answered(&self.memory, case, bench);
        self.memory.answered(case);
    }

    pub(super) fn around(&mut self, around: &Around, bench: &mut Bench<'_>) {
        leave::around(&self.memory, around, bench);
        self.memory.around(around);
    }

    pub(super) fn forget(&mut self) {
        self.memory.forget();
    }

    pub(super) fn finish(&mut self, now: Time, bench: &mut Bench<'_>) {
        leave::sweep(&mut self.memory, now, bench);
        leave::finish(&self.memory, now, bench);
    }
}

/// The call, as the subject of a sentence.
fn subject(case: &Case<'_, '_>) -> String {
    let name = say::method(case.act.opnum);
    match case.act.set().filter(|id| !id.is_nil()) {
        Some(id) => format!("{name} of set {}", say::short(id)),
        None => name.to_owned(),
    }
}

/// The client did something at the wrong moment. Where only the opnum can be seen, that is a guess.
fn wrong(
    case: &Case<'_, '_>,
    bench: &mut Bench<'_>,
    rule: &str,
    message: String,
    refine: impl FnOnce(&mut Finding),
) {
    bench.fail(Topic::Order, rule, case.place, message, |finding| {
        if case.act.request.is_none() {
            finding.at_most(Severity::Note, Certainty::Possible);
        }
        refine(finding);
    });
}

/// Something is missing that a client outside the capture could have done.
fn unless_others(case: &Case<'_, '_>, finding: &mut Finding) {
    if case.others {
        finding.at_most(finding.severity, Certainty::Likely);
    }
}
