//! [`outcome`]: what became of a shadow copy set; and [`Past`], of those that are not kept.

use super::machine::View;
use super::report::Operation;
use super::sets::Set;
use super::tracker::Tracker;
use super::world::SetNo;

/// What became of a set, by the last state that it was seen in and by whether it may have another.
pub(super) fn outcome(tracker: &Tracker<'_>, no: SetNo, set: &Set) -> Operation {
    match set.way.last().map(|(_, view, _)| *view) {
        Some(View::Recovered) => Operation::Completed,
        Some(View::Gone) if set.recovered.is_some() || set.deleted => Operation::Completed,
        Some(View::Gone) => Operation::Failed,
        // Its shares were not all deleted, or it was only asked for; or something happened unseen.
        None => Operation::Unknown,
        Some(_) if set.after.has(View::Recovered) => Operation::Unknown,
        Some(_) => {
            let is_current = |of: Option<SetNo>| of.map_or(set.identifiable, |of| of == no);
            let mut worlds = tracker.worlds.iter();
            let lives = worlds.any(|w| w.unfinished.as_ref().is_some_and(|u| is_current(u.set)));
            let aside = View::UNFINISHED.into_iter().any(|view| set.after.has(view));
            if lives || aside { Operation::Unfinished } else { Operation::Failed }
        }
    }
}

/// How sets ended of which no more is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    completed: u64,
    failed: u64,
    unfinished: u64,
    unknown: u64,
}

impl Past {
    /// One more.
    pub(super) fn add(&mut self, outcome: Operation) {
        match outcome {
            Operation::Completed => self.completed += 1,
            Operation::Failed => self.failed += 1,
            Operation::Unfinished => self.unfinished += 1,
            Operation::Unknown | Operation::None => self.unknown += 1,
        }
    }

    /// With their words.
    fn counts(&self) -> impl Iterator<Item = (u64, Operation)> {
        let all = [
            (self.failed, Operation::Failed),
            (self.unfinished, Operation::Unfinished),
            (self.unknown, Operation::Unknown),
            (self.completed, Operation::Completed),
        ];
        all.into_iter().filter(|(n, _)| *n > 0)
    }

    /// What became of all of them.
    pub(super) fn operation(&self) -> Operation {
        self.counts().next().map(|(_, outcome)| outcome).unwrap_or_default()
    }

    /// The same in a sentence, about the server at `address`.
    pub(super) fn sentence(&self, address: &str) -> Option<String> {
        let told = self.counts().map(|(n, of)| format!("{n} {}", of.word().unwrap_or_default()));
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| {
            format!(
                "{address} has too many shadow copy sets: of the first ones no more is kept than how \
                 they ended ({})",
                told.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_counted() {
        let mut past = Past::default();
        assert_eq!((past.operation(), past.sentence("FS1")), (Operation::None, None));
        past.add(Operation::Completed);
        past.add(Operation::Completed);
        assert_eq!(past.operation(), Operation::Completed);
        past.add(Operation::Failed);
        assert_eq!(past.operation(), Operation::Failed);
        let said = past.sentence("FS1").expect("there are some");
        assert!(said.ends_with("ended (1 failed, 2 completed)"), "{said}");
    }
}
