//! [`Contradiction`]: an answer that no possible state of the server allows.

use std::sync::Arc;

use super::act::Act;
use super::machine::{Answer, View};
use super::tracker::{Outcome, Tracker};
use super::tri::Tri;
use super::world::{Late, SetNo, Trail, Why, World};

/// What is wrong with an answer.
#[derive(Clone, Debug)]
pub(super) struct Contradiction {
    /// The rule that it breaks.
    pub(super) rule: Arc<str>,
    /// Others that say the same.
    pub(super) also: Vec<Arc<str>>,
    /// If it matters less than the rule says.
    pub(super) severity: Option<super::finding::Severity>,
    /// Whether no state would have made a difference.
    pub(super) stateless: bool,
    /// What the call met: the state of its set, or of the server.
    pub(super) view: View,
    /// How that came.
    pub(super) why: Why,
    /// If the timer brought it.
    pub(super) late: Option<Late>,
    /// The statuses that would have been right.
    pub(super) expected: Vec<u32>,
}

impl Contradiction {
    /// A Commit has succeeded, and what was answered while it ran could not be, then.
    pub(super) fn interrupted() -> Self {
        Self {
            rule: Arc::from("FSRVP-3.1.4.5-05"),
            also: Vec::new(),
            severity: None,
            stateless: false,
            view: View::Creating,
            why: Why::Unseen,
            late: None,
            expected: Vec::new(),
        }
    }
}

impl<'k> Tracker<'k> {
    /// Of all that contradicts an answer, what accuses least; and the rows that go with it.
    pub(super) fn contradict(
        &self,
        act: &Act,
        set: Option<SetNo>,
        broken: &[Outcome<'k>],
    ) -> Option<(Contradiction, Vec<Outcome<'k>>)> {
        let mildest = broken.iter().min_by_key(|outcome| {
            let trail = self.trail(&outcome.before, outcome.view, act, set);
            let late = trail.late().is_some()
                && outcome.row.breaks.as_ref().is_some_and(|b| b.late.is_some());
            let severity = outcome.row.breaks.as_ref().and_then(|breach| breach.severity);
            (!late, severity.unwrap_or(super::finding::Severity::Error), outcome.at)
        })?;
        let breach = mildest.row.breaks.as_ref()?;
        let (before, view) = (&mildest.before, mildest.view);
        let rows = self.machine.method(act.opnum).into_iter().flat_map(|method| &method.rows);
        let stateless = rows.into_iter().all(|row| row.from.is_all());
        let trail = if stateless { Trail::unseen() } else { self.trail(before, view, act, set) };
        let late = trail.late().cloned().filter(|_| breach.late.is_some());
        let mut also: Vec<Arc<str>> = Vec::new();
        let mut more = |rules: &[Arc<str>]| {
            for rule in rules {
                if !also.contains(rule) {
                    also.push(rule.clone());
                }
            }
        };
        more(&breach.also);
        more(&trail.rules);
        if act.names_set() && view != View::Gone {
            more(&before.timer.rules);
        }
        let rule = match (&breach.late, &late) {
            (Some(rule), Some(_)) => {
                more(std::slice::from_ref(&breach.rule));
                rule.clone()
            }
            _ => breach.rule.clone(),
        };
        also.retain(|other| *other != rule);
        let contradiction = Contradiction {
            rule: rule.clone(),
            also,
            severity: breach.severity.filter(|_| late.is_none()),
            stateless,
            view,
            why: trail.why,
            late,
            expected: self.expected(act, set, before, view),
        };
        let chosen = |outcome: &Outcome<'k>| {
            outcome.row.breaks.as_ref().is_some_and(|other| other.rule == breach.rule)
        };
        let chosen = broken.iter().filter(|outcome| chosen(outcome)).cloned().collect();
        Some((contradiction, chosen))
    }

    /// How what a call met came to be.
    pub(super) fn trail(&self, world: &World, view: View, act: &Act, set: Option<SetNo>) -> Trail {
        if !act.names_set() {
            let mut trail = world.context.clone();
            if let Some(unfinished) = &world.unfinished {
                trail.extend(&unfinished.trail.rules);
                if view == View::OpenSet {
                    trail.why = unfinished.trail.why.clone();
                }
            }
            return trail;
        }
        let current = world.unfinished.as_ref().filter(|u| u.set == set);
        if let Some(unfinished) = current.filter(|u| u.view == view) {
            return unfinished.trail.clone();
        }
        let Some(no) = set else { return Trail::unseen() };
        let known = self.sets.get(no);
        match view {
            View::Gone => {
                let gone =
                    world.gone.iter().rfind(|(of, _)| *of == no).map(|(_, trail)| trail.clone());
                gone.unwrap_or_else(Trail::unseen)
            }
            _ => known.map_or_else(Trail::unseen, |set| set.trail.clone()),
        }
    }

    /// The statuses that a server in such a state may answer.
    fn expected(&self, act: &Act, set: Option<SetNo>, world: &World, view: View) -> Vec<u32> {
        let Some(method) = self.machine.method(act.opnum) else { return Vec::new() };
        let mut expected = Vec::new();
        let mut taken = Vec::new();
        for row in &method.rows {
            if !row.from.has(view) || !self.profile.has(row) {
                continue;
            }
            let holds = self.holds(row, world, act, set);
            if holds == Tri::No {
                continue;
            }
            for status in row.answers.statuses() {
                if taken.contains(&status) || !row.answers.has(Answer::Status(status)) {
                    continue;
                }
                if holds == Tri::Yes {
                    taken.push(status);
                }
                if row.breaks.is_none() && !expected.contains(&status) {
                    expected.push(status);
                }
            }
        }
        expected.retain(|status| *status != crate::protocol::fsrvp::Status::E_ACCESSDENIED.0);
        expected.sort_unstable();
        expected
    }
}
