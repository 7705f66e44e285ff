//! [`Found`]: what was found, the gravest first, then by time, and at which call.
//!
//! Findings come in the order of time, very many perhaps, while somebody reads: each is put where it
//! belongs without touching the others.

use rustc_hash::FxHashMap;

use crate::check::{Finding, Severity};

/// The severities, the gravest first.
const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

/// What was found. The judge has caps for it.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Those of each severity, in the order of [`SEVERITIES`].
    of: [Vec<Finding>; 3],
    /// By call: the severity and the place among those.
    by_call: FxHashMap<u64, Vec<(usize, usize)>>,
}

impl Found {
    /// Adds one.
    pub(super) fn push(&mut self, finding: Finding) {
        let severity = SEVERITIES.iter().position(|of| *of == finding.severity);
        let severity = severity.unwrap_or_default();
        let Some(of) = self.of.get_mut(severity) else { return };
        if let Some(call) = finding.call {
            self.by_call.entry(call).or_default().push((severity, of.len()));
        }
        of.push(finding);
    }

    pub(super) fn len(&self) -> usize {
        self.of.iter().map(Vec::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of a severity.
    pub(super) fn count(&self, severity: Severity) -> usize {
        let of = SEVERITIES.iter().zip(&self.of).find(|(other, _)| **other == severity);
        of.map_or(0, |(_, of)| of.len())
    }

    /// The one at a place of the whole list.
    pub(super) fn get(&self, mut at: usize) -> Option<&Finding> {
        for of in &self.of {
            match of.get(at) {
                Some(finding) => return Some(finding),
                None => at -= of.len(),
            }
        }
        None
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.of.iter().flatten()
    }

    /// Those from a place on.
    pub(super) fn from(&self, at: usize) -> impl Iterator<Item = (usize, &Finding)> {
        (at..self.len()).map_while(|at| Some((at, self.get(at)?)))
    }

    /// Those at a call.
    pub(super) fn at_call(&self, call: u64) -> impl Iterator<Item = &Finding> {
        let places = self.by_call.get(&call).into_iter().flatten();
        places.filter_map(|(severity, at)| self.of.get(*severity)?.get(*at))
    }

    /// How grave the gravest at a call is.
    pub(super) fn worst(&self, call: u64) -> Option<Severity> {
        self.at_call(call).map(|finding| finding.severity).max()
    }

    /// The place of the gravest at a call.
    pub(super) fn place_of(&self, call: u64) -> Option<usize> {
        let (severity, at) = self.by_call.get(&call)?.iter().min()?;
        let before: usize = self.of.iter().take(*severity).map(Vec::len).sum();
        Some(before + at)
    }

    /// Where what is at a place will be after `finding` has been added.
    pub(super) fn moved(&self, at: usize, finding: &Finding) -> usize {
        let graver = self.get(at).is_some_and(|of| of.severity < finding.severity);
        at + usize::from(graver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Time;
    use crate::check::{Blame, Certainty};

    fn finding(severity: Severity, call: u64) -> Finding {
        Finding {
            rule: "R".into(),
            severity,
            party: Blame::Client,
            certainty: Certainty::Certain,
            message: String::new(),
            call: Some(call),
            opnum: None,
            method: None,
            frames: Vec::new(),
            time: Time::default(),
            related: Vec::new(),
            also: Vec::new(),
            set: None,
            server: None,
            client: None,
            spots: Vec::new(),
            known: None,
            fingerprint: String::new(),
        }
    }

    #[test]
    fn the_gravest_come_first_and_who_reads_one_goes_on_reading_it() {
        let mut found = Found::default();
        let mut reads = 0;
        let come = [
            (Severity::Note, 1),
            (Severity::Warning, 2),
            (Severity::Note, 3),
            (Severity::Error, 1),
            (Severity::Note, 1),
        ];
        for (severity, call) in come {
            let finding = finding(severity, call);
            reads = found.moved(reads, &finding);
            found.push(finding);
            assert_eq!(found.get(reads).map(|of| of.call), Some(Some(1)));
        }
        let order: Vec<_> = found.iter().map(|of| (of.severity, of.call.unwrap())).collect();
        let expected = [
            (Severity::Error, 1),
            (Severity::Warning, 2),
            (Severity::Note, 1),
            (Severity::Note, 3),
            (Severity::Note, 1),
        ];
        assert_eq!(order, expected);
        assert_eq!(
            (found.place_of(3), found.place_of(1), found.place_of(9)),
            (Some(3), Some(0), None)
        );
        assert_eq!(
            (found.worst(1), found.worst(2)),
            (Some(Severity::Error), Some(Severity::Warning))
        );
        assert_eq!((found.at_call(1).count(), found.count(Severity::Note)), (3, 3));
        assert_eq!(found.from(4).count(), 1);
        assert!(found.get(5).is_none());
    }
}
