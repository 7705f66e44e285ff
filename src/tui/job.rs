//! What takes long, and is done a little at a time between two keys: choosing calls by a filter,
//! looking for something, writing a list.

use super::model::{Chosen, Model};
use super::msg::Effect;
use super::seek::Seeking;
use super::write::Writing;
use crate::call::Call;
use crate::filter::Subject;

/// Calls or frames that are looked at in one go.
pub(super) const SLICE: usize = 64;

/// What is going on, beside choosing calls.
#[derive(Debug)]
pub(super) enum Job {
    /// Looking for something.
    Seek(Seeking),
    /// Writing something.
    Write(Writing),
}

impl Model<'_> {
    /// Whether calls wait to be asked whether they are shown.
    pub(super) fn is_choosing(&self) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| {
            chosen.next <= self.trace.calls() || chosen.open.iter().any(|n| self.trace.has_call(*n))
        })
    }

    /// Does a little of what takes long.
    pub(super) fn work(&mut self) -> Option<Effect> {
        self.choose();
        match self.job.take()? {
            Job::Seek(seeking) => {
                self.go_on_seeking(seeking);
                None
            }
            Job::Write(writing) => self.go_on_writing(writing),
        }
    }

    /// Whether something else may begin; says so if not.
    pub(super) fn is_free(&mut self) -> bool {
        if let Some(Job::Write(Writing { name, .. })) = &self.job {
            let name = name.clone();
            self.complain(format!("{name} is still being written: Esc stops that"));
            return false;
        }
        true
    }

    /// Asks the next calls whether they are shown.
    fn choose(&mut self) {
        let Some(mut chosen) = self.chosen.take() else { return };
        let late: Vec<u64> =
            chosen.open.iter().copied().filter(|n| self.trace.has_call(*n)).collect();
        for n in late {
            chosen.open.remove(&n);
            if self.is_chosen(&chosen, n) {
                let at = chosen.rows.partition_point(|of| *of < n);
                chosen.rows.insert(at, n);
            }
        }
        for _ in 0..SLICE {
            let n = chosen.next;
            if n > self.trace.calls() {
                break;
            }
            chosen.next += 1;
            if !self.trace.has_call(n) {
                chosen.open.insert(n);
            } else if self.is_chosen(&chosen, n) {
                chosen.rows.push(n);
            }
        }
        self.chosen = Some(chosen);
    }

    /// Whether a call is shown. One that cannot be read again is: its row says why.
    pub(super) fn is_chosen(&self, chosen: &Chosen, n: u64) -> bool {
        match self.trace.call(n, false, self.registry) {
            Ok(Some(call)) => chosen.filter.matches(&self.asked(&call)),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    fn asked<'a>(&'a self, call: &'a Call) -> Subject<'a> {
        Subject {
            call,
            registry: self.registry,
            origins: self.trace.origins(),
            files: &self.options.files,
        }
    }
}
