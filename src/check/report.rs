//! [`Report`]: what was judged, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::bench::Tally;
use super::chart::Symptom;
use super::diagnosis::{Attempt, Diagnosis};
use super::dock::Dock;
use super::judge::{Judge, MAX_SERVERS};
use super::onward::Ending;
use super::outcome::outcome;
use super::scmp::{ObjectReport, StorageReport};
use super::server::Server;
use super::set_report::{SetReport, steps, timer};
use super::sight::Sight;
use crate::bytes::Time;

/// Whether a conversation kept the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No error was found, and everything could be read.
    Pass,
    /// An error was found.
    Fail,
    /// None was found, and not everything could be read.
    Inconclusive,
}

impl Verdict {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// What became of what the client wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operation {
    /// It got it.
    Completed,
    /// It did not.
    Failed,
    /// It began and did not end.
    Unfinished,
    /// It cannot be told.
    Unknown,
    /// Nothing was wanted.
    #[default]
    None,
}

impl Operation {
    /// Its word in JSON; none where nothing was wanted.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Completed => Some("completed"),
            Self::Failed => Some("failed"),
            Self::Unfinished => Some("unfinished"),
            Self::Unknown => Some("unknown"),
            Self::None => None,
        }
    }

    /// Whether it failed, or was not finished.
    pub fn came_to_nothing(self) -> bool {
        matches!(self, Self::Failed | Self::Unfinished)
    }

    /// What became of two things together: what failed is not made good by the other.
    pub(super) fn and(self, other: Self) -> Self {
        let ranks = [Self::Failed, Self::Unfinished, Self::Unknown, Self::Completed];
        ranks.into_iter().find(|rank| [self, other].contains(rank)).unwrap_or_default()
    }
}

/// The verdict by one profile.
#[derive(Clone, Debug)]
pub struct Conformance {
    /// Its name.
    pub profile: Arc<str>,
    /// The verdict.
    pub verdict: Verdict,
    /// Findings of each severity.
    pub errors: u64,
    /// See above.
    pub warnings: u64,
    /// See above.
    pub notes: u64,
    /// What only the specification has against servers that are known for it, told as notes.
    pub deviations: u64,
}

/// A server that was judged.
#[derive(Clone, Debug)]
pub struct ServerReport {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Its name, if one was told.
    pub name: Option<String>,
    /// The profile in force.
    pub profile: Arc<str>,
    /// Why that one, in a clause: by what the server was recognised, or why it was not.
    pub recognised: String,
    /// The clients that called it.
    pub clients: Vec<IpAddr>,
    /// Whether these are said to be all.
    pub all_clients: bool,
    /// How often each rule was looked at under the profile in force, in the order of their ids.
    pub tallies: Vec<Tally>,
}

/// What was judged.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The verdict by the profiles in force, and by the specification alone.
    pub conformance: Vec<Conformance>,
    /// The servers.
    pub servers: Vec<ServerReport>,
    /// The sets.
    pub sets: Vec<SetReport>,
    /// How often each rule was looked at, in the order of their ids.
    pub tallies: Vec<Tally>,
    /// Calls judged that could be read in full.
    pub judged_calls: u64,
    /// Calls of which no more than the operation could be judged, because they are sealed.
    pub sealed_calls: u64,
    /// What could not be seen, and what would make it visible, in sentences.
    pub unreadable: Vec<String>,
    /// What the clients wanted, and what became of it.
    pub attempts: Vec<Attempt>,
    /// Why what failed did, and what else is worth a look.
    pub diagnoses: Vec<Diagnosis>,
    /// What stopped clients that got no shadow copy set, in sentences.
    pub stopped: Vec<String>,
    /// What became of what the clients wanted.
    pub operation: Operation,
    /// Objects of DCOM, of servers whose shadow copies are managed.
    pub objects: Vec<ObjectReport>,
    /// What is known of the storage of shadow copies at each such server.
    pub storage: Vec<StorageReport>,
}

impl Judge<'_> {
    /// What was seen and judged.
    pub fn report(&self) -> Report {
        let mut report = Report::default();
        let mut verdicts: BTreeMap<Arc<str>, Conformance> = BTreeMap::new();
        let mut past = Operation::None;
        let (ours, foreign): (Vec<_>, Vec<_>) =
            self.servers.iter().partition(|dock| !dock.by_profile.is_empty());
        let (managed, foreign): (Vec<_>, Vec<_>) =
            foreign.into_iter().partition(|dock| dock.managed().is_some());
        for dock in &ours {
            let (name, why) = dock.chosen();
            // Where the specification is what is in force it counts once.
            for profile in BTreeSet::from([name.clone(), Arc::from("spec")]) {
                let Some(server) = dock.by_profile.get(&profile) else { continue };
                let verdict = verdicts
                    .entry(profile.clone())
                    .or_insert_with(|| Conformance::new(profile.clone()));
                verdict.add(server.bench.counts(), dock);
                if profile == name {
                    verdict.deviations += dock.deviations;
                }
            }
            if let Some(server) = dock.by_profile.get(&name) {
                if server.bench.beyond > 0 {
                    report.unreadable.push(format!(
                        "there are too many findings at {}: {} more are counted and not told",
                        dock.address(),
                        server.bench.beyond
                    ));
                }
                past = past.and(server.tracker.past.operation());
                report.add_sets(server, dock, self.now);
                report.add_tallies(&server.bench.tallies);
            }
            let endings = self.endings(dock);
            report.add_errands(dock, &endings);
            self.diagnose(dock, &name, endings, &mut report);
            report.judged_calls += dock.sight.read();
            report.sealed_calls += dock.sight.sealed;
            report.unreadable.extend(dock.sight.sentences(&format!(" to {}", dock.address())));
            report.unreadable.extend(dock.left_out());
            report.servers.push(dock.report(name, why, self.options.all_clients));
            self.add_management(dock, &mut verdicts, &mut report);
        }
        for dock in &managed {
            report.judged_calls += dock.sight.read();
            report.sealed_calls += dock.sight.sealed;
            report.unreadable.extend(dock.sight.sentences(&format!(" to {}", dock.address())));
            let why = "there is one way to manage shadow copies".to_owned();
            report.servers.push(dock.report(Arc::from("spec"), why, self.options.all_clients));
            self.add_management(dock, &mut verdicts, &mut report);
        }
        if self.beyond > 0 {
            report.unreadable.push(format!(
                "there are more than {MAX_SERVERS} servers: {} times what one of the others said or \
                 was asked was not looked at",
                self.beyond
            ));
        }
        report.conformance = verdicts.into_values().collect();
        report.conformance.sort_by_key(|of| &*of.profile == "spec");
        if ours.is_empty() && managed.is_empty() {
            report.add_strangers(self, &foreign);
        } else {
            // There may have been calls to these, too.
            let sealed = foreign.iter().filter(|dock| dock.sight.encrypted > 0);
            let sight = sealed.fold(Sight::default(), |mut sum, dock| {
                sum += dock.sight.clone();
                sum
            });
            report.unreadable.extend(sight.sentences(" to other servers"));
        }
        report.settle();
        report.operation = report.operation.and(past);
        if ours.iter().any(|dock| dock.left_out().is_some()) {
            report.operation = report.operation.and(Operation::Unknown);
        }
        report
    }

    /// Who managed the shadow copies of a server.
    fn add_management(
        &self,
        dock: &Dock<'_>,
        verdicts: &mut BTreeMap<Arc<str>, Conformance>,
        report: &mut Report,
    ) {
        let (Some(manager), Some(ip)) = (dock.managed(), dock.addresses.first()) else { return };
        let spec: Arc<str> = Arc::from("spec");
        let verdict = verdicts.entry(spec.clone()).or_insert_with(|| Conformance::new(spec));
        verdict.add(manager.bench.counts(), dock);
        report.add_tallies(&manager.bench.tallies);
        report.objects.extend(manager.objects(*ip));
        report.storage.push(manager.storage(*ip));
        if manager.table.beyond() > 0 {
            report.unreadable.push(format!(
                "there are too many objects at {}: {} more are not looked at",
                dock.address(),
                manager.table.beyond()
            ));
        }
        self.tell_management(dock, manager, report);
    }
}

impl Dock<'_> {
    /// The address by which it is called here; the name, where none is known.
    fn address(&self) -> String {
        let name = || self.name().unwrap_or_default();
        self.addresses.first().map_or_else(name, ToString::to_string)
    }

    /// What was not looked at because there was too much of it, in a sentence.
    fn left_out(&self) -> Option<String> {
        let what = match (self.errands.is_crowded(), self.chart.is_full()) {
            (false, false) => return None,
            (true, false) => "clients",
            (false, true) => "failures",
            (true, true) => "clients and failures",
        };
        let address = self.address();
        Some(format!(
            "there are more {what} of {address} than are looked at: a capture of one backup host, or \
             of less time, would show the rest"
        ))
    }

    /// What stopped a client, in a sentence.
    fn stopped(&self, client: IpAddr, symptom: Option<&Symptom>) -> Option<String> {
        Some(format!("{client} at {}: {}", self.address(), symptom?.said))
    }

    fn report(&self, profile: Arc<str>, recognised: String, all_clients: bool) -> ServerReport {
        let judged = self.by_profile.get(&profile);
        let tallies = judged.into_iter().flat_map(|of| of.bench.tallies.values()).cloned();
        ServerReport {
            addresses: self.addresses.clone(),
            name: self.name(),
            tallies: tallies.collect(),
            profile,
            recognised,
            clients: self.clients.clone(),
            all_clients,
        }
    }

    /// Whether too little could be read for a verdict.
    fn verdict(&self, errors: u64) -> Verdict {
        if errors > 0 {
            Verdict::Fail
        } else if self.sight.is_full() && self.sight.calls > 0 {
            Verdict::Pass
        } else {
            Verdict::Inconclusive
        }
    }
}

impl Conformance {
    fn new(profile: Arc<str>) -> Self {
        Self { profile, verdict: Verdict::Pass, errors: 0, warnings: 0, notes: 0, deviations: 0 }
    }

    fn add(&mut self, [notes, warnings, errors]: [u64; 3], dock: &Dock<'_>) {
        self.errors += errors;
        self.warnings += warnings;
        self.notes += notes;
        self.verdict = match (self.verdict, dock.verdict(errors)) {
            (Verdict::Fail, _) | (_, Verdict::Fail) => Verdict::Fail,
            (Verdict::Pass, verdict) => verdict,
            (Verdict::Inconclusive, _) => Verdict::Inconclusive,
        };
    }
}

impl Report {
    fn add_sets(&mut self, server: &Server<'_>, dock: &Dock<'_>, now: Time) {
        let Some(ip) = dock.addresses.first() else { return };
        self.unreadable.extend(server.tracker.past.sentence(&dock.address()));
        for (no, set) in server.tracker.sets.iter().enumerate() {
            if !set.is_one() {
                continue;
            }
            let outcome = match outcome(&server.tracker, no, set) {
                // Nobody could read what it was made for.
                Operation::Completed if dock.chart.barred(set.id).is_some() => Operation::Failed,
                // It was cleaned away after it had failed.
                Operation::Completed
                    if set.recovered.is_none()
                        && set.deleted
                        && dock.chart.of_set(set.id).is_some() =>
                {
                    Operation::Failed
                }
                outcome => outcome,
            };
            self.sets.push(SetReport {
                id: set.id,
                client_id: set.client_id,
                server: *ip,
                client: set.client,
                shares: set.copies.iter().map(|copy| copy.share.clone()).collect(),
                context: set.context,
                states: set
                    .way
                    .iter()
                    .map(|(time, view, call)| (*time, view.word(), *call))
                    .collect(),
                steps: steps(server, dock, set.id),
                timer: timer(&server.tracker, no, now),
                outcome,
            });
        }
    }

    fn add_errands(&mut self, dock: &Dock<'_>, endings: &[Ending]) {
        for end in endings {
            // Who got a set after all was held up, not stopped.
            if end.next.is_none() {
                self.stopped.extend(dock.stopped(end.client, end.symptom.as_ref()));
            }
        }
    }

    /// What a client did when the capture had ended nobody knows.
    pub(super) fn is_cut(&mut self) {
        let said =
            "the capture ends while a backup may go on: one that ends later would show the rest";
        if self.unreadable.iter().all(|of| of != said) {
            self.unreadable.push(said.to_owned());
        }
    }

    /// Nobody has called, or tried to: what may be why.
    fn add_strangers(&mut self, judge: &Judge<'_>, docks: &[&Dock<'_>]) {
        let mut sight = Sight::default();
        for dock in docks {
            sight += dock.sight.clone();
            let endings = dock.strange_endings();
            self.add_errands(dock, &endings);
            judge.diagnose(dock, "spec", endings, self);
            if let Some(manager) = &dock.manager {
                judge.tell_management(dock, manager, self);
            }
        }
        for (dock, ending) in judge.lost_ways() {
            self.stopped.extend(dock.stopped(ending.client, ending.symptom.as_ref()));
            judge.diagnose(&dock, "spec", vec![ending], self);
        }
        self.unreadable.extend(sight.sentences(""));
    }

    fn add_tallies(&mut self, tallies: &BTreeMap<Arc<str>, Tally>) {
        for (rule, tally) in tallies {
            let at = self.tallies.binary_search_by(|known| known.rule.cmp(rule));
            let at = at.unwrap_or_else(|at| {
                self.tallies.insert(at, Tally::new(rule.clone()));
                at
            });
            let Some(sum) = self.tallies.get_mut(at) else { continue };
            sum.passed += tally.passed;
            sum.failed += tally.failed;
            sum.not_evaluable += tally.not_evaluable;
            if tally.why.is_some() {
                sum.why.clone_from(&tally.why);
            }
        }
    }
}
