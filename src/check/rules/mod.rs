//! The rules that the transition table cannot say: values, names, times, the client's order, and
//! what goes on around the calls.
//!
//! Each file keeps what it has to remember and has a function for each thing that happens:
//! `asked` when a request is complete, `answered` when its answer is, or will never be, `around` for
//! everything else, `finish` at the end. What they find goes to the [`Bench`].

mod client;
mod explain;
mod path;
mod security;
mod timing;
mod value;

use super::act::Act;
use super::bench::{Bench, Place};
use super::tracker::{Step, Tracker};
use crate::bytes::Time;
use crate::call::Call;
use crate::pipeline::Around;

/// A call, with all that is known when it is judged.
pub(super) struct Case<'a, 'k> {
    /// The call; of `asked`, its request alone.
    pub(super) call: &'a Call,
    /// The same, reduced.
    pub(super) act: &'a Act,
    /// Where findings about it are put.
    pub(super) place: &'a Place,
    /// How the server stands, for all that is known: before a request, after an answer.
    pub(super) tracker: &'a Tracker<'k>,
    /// What the answer showed; none of a request.
    pub(super) step: Option<&'a Step<'k>>,
    /// Whether the server was heard on this channel: its answers are in the capture.
    pub(super) heard: bool,
    /// Whether clients that are not in the capture may have had a hand in it.
    pub(super) others: bool,
    /// Whether the capture is known to begin before the server had anything to do.
    pub(super) idle: bool,
}

/// What all rules remember of one server.
#[derive(Debug, Default)]
pub(super) struct Rules {
    client: client::Rules,
    explain: explain::Rules,
    path: path::Rules,
    security: security::Rules,
    timing: timing::Rules,
    value: value::Rules,
}

impl Rules {
    pub(super) fn asked(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        self.security.asked(case, bench);
        if case.heard {
            self.client.asked(case, bench);
        } else {
            // What it was answered is not in the capture, and nor may be what it asked.
            self.client.forget();
        }
        self.path.asked(case);
        self.timing.asked(case, bench);
    }

    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        self.security.answered(case, bench);
        self.value.answered(case, bench);
        self.path.answered(case, bench);
        self.timing.answered(case, bench);
        self.explain.answered(case, bench);
        self.client.answered(case, bench);
    }

    pub(super) fn around(&mut self, around: &Around, bench: &mut Bench<'_>) {
        security::around(around, bench);
        self.value.around(around);
        self.path.around(around, bench);
        self.timing.around(around, bench);
        self.client.around(around, bench);
    }

    /// The server was started again, or calls may have been missed: it may have been.
    pub(super) fn forget(&mut self) {
        self.value.forget();
        self.path.forget();
        self.client.forget();
    }

    /// The capture has ended at `now`.
    pub(super) fn finish(&mut self, now: Time, bench: &mut Bench<'_>) {
        self.timing.finish(now, bench);
        self.client.finish(now, bench);
    }
}
