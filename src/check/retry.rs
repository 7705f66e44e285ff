//! Which attempt made good which, and what became of it all.

use super::act::share_key;
use super::diagnosis::{Attempt, Diagnosis};
use super::report::{Operation, Report};
use super::tracker::SECOND;
use crate::bytes::Time;

/// Within which a client that was refused comes again, if it is the same job: backup programs wait
/// for some minutes, and Windows file servers may refuse for half an hour.
const AGAIN: i64 = 3600 * SECOND;

impl Report {
    /// Puts the attempts in the order of time, finds those that a later one made good, and says what
    /// became of all of them together.
    pub(super) fn settle(&mut self) {
        self.attempts.sort_by_key(|attempt| attempt.began);
        for at in (0..self.attempts.len()).rev() {
            let retried = self.made_good_by(at);
            if let Some(attempt) = self.attempts.get_mut(at) {
                attempt.retried = retried;
            }
        }
        self.sort_diagnoses();
        let ends = self.attempts.iter().filter(|attempt| attempt.retried.is_none());
        self.operation = ends.fold(Operation::None, |all, attempt| all.and(attempt.outcome));
        // What could not be read may have been an attempt.
        if self.operation == Operation::None && !self.unreadable.is_empty() {
            self.operation = Operation::Unknown;
        }
    }

    /// Puts the diagnoses in the order of time, too: first those of what failed for good, then those
    /// of what else was stopped.
    fn sort_diagnoses(&mut self) {
        let mut lasting = vec![false; self.diagnoses.len()];
        let failed = self.attempts.iter().filter(|of| of.is_lasting());
        for at in failed.filter_map(|of| of.diagnosis) {
            lasting.get_mut(at).into_iter().for_each(|of| *of = true);
        }
        let all = std::mem::take(&mut self.diagnoses);
        let mut all: Vec<(usize, bool, Diagnosis)> = all
            .into_iter()
            .zip(lasting)
            .enumerate()
            .map(|(was, (diagnosis, lasting))| (was, lasting, diagnosis))
            .collect();
        all.sort_by_key(|(_, lasting, of)| (!lasting, of.attempts == 0, of.time));
        let mut places = vec![0; all.len()];
        for (now, (was, ..)) in all.iter().enumerate() {
            places.get_mut(*was).into_iter().for_each(|place| *place = now);
        }
        for attempt in &mut self.attempts {
            attempt.diagnosis = attempt.diagnosis.and_then(|was| places.get(was).copied());
        }
        self.diagnoses = all.into_iter().map(|(.., diagnosis)| diagnosis).collect();
    }

    /// The place of the attempt that got what this one did not: the next one of the same client for
    /// the same shares, or the one after that, and so on.
    fn made_good_by(&self, at: usize) -> Option<usize> {
        let failed = self.attempts.get(at)?;
        if !failed.outcome.came_to_nothing() {
            return None;
        }
        // They are in the order of time.
        let until = failed.ended()?.plus(AGAIN);
        let later = self.attempts.iter().enumerate().skip(at.saturating_add(1));
        let mut soon = later.take_while(|(_, attempt)| attempt.began.is_none_or(|at| at <= until));
        let (next, attempt) = soon.find(|(_, attempt)| attempt.is_again(failed))?;
        let good = match attempt.outcome {
            Operation::Completed => next,
            Operation::Failed | Operation::Unfinished => attempt.retried?,
            Operation::Unknown | Operation::None => return None,
        };
        self.attempts.get(good)?.has_all(&failed.shares).then_some(good)
    }
}

/// Whether an account is that of a machine: clients that are refused as such come again as a person.
fn is_machine(user: &str) -> bool {
    user.ends_with('$')
}

impl Attempt {
    /// Whether it came to nothing, and no later one made that good.
    pub fn is_lasting(&self) -> bool {
        self.outcome.came_to_nothing() && self.retried.is_none()
    }

    /// When the last that is known of it was.
    fn ended(&self) -> Option<Time> {
        self.stopped.as_ref().map(|stop| stop.time).max(self.began)
    }

    /// Whether it is about all of these shares.
    fn has_all(&self, shares: &[String]) -> bool {
        shares.iter().all(|share| {
            let key = share_key(share);
            self.shares.iter().any(|of| share_key(of) == key)
        })
    }

    /// Whether it is `failed` once more: the set that its client started next, where that is known;
    /// otherwise one with the same shares. What named none comes again with whatever is wanted next.
    fn is_again(&self, failed: &Self) -> bool {
        let same = (self.server, &self.server_name) == (failed.server, &failed.server_name)
            && self.client.is_some()
            && self.client == failed.client
            && (self.user == failed.user
                || self.user.is_none()
                || failed.user.as_ref().is_none_or(|user| is_machine(user)));
        let Some((began, ended)) = self.began.zip(failed.ended()).filter(|_| same) else {
            return false;
        };
        let soon = began >= ended;
        let next = match failed.next {
            Some(next) => self.set == Some(next),
            None => self.set.is_some() && self.has_all(&failed.shares),
        };
        soon && next
    }
}
