//! [`Dock`]: a server under judgment, by every profile that may be the right one.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::chart::Chart;
use super::diary::Diary;
use super::errand::Errands;
use super::finding::{Finding, Severity};
use super::judge::Options;
use super::knowledge::Knowledge;
use super::profile::Profile;
use super::recognise::Evidence;
use super::scmp::Manager;
use super::server::{Server, Vantage};
use super::sight::Sight;
use crate::bytes::{Guid, Side, Time};
use crate::call::Call;
use crate::pipeline::{Around, What};
use crate::protocol::fsrvp;

/// Events of a server kept until it is known to be one of ours.
const MAX_EARLIER: usize = 128;
/// Clients of a server that are named.
const MAX_CLIENTS: usize = 256;
/// How much later a server must say it started to have been started again.
const RESTART: i64 = 2_000_000_000;

/// A server, judged by every profile that may be the right one.
#[derive(Debug)]
pub(super) struct Dock<'k> {
    pub(super) addresses: Vec<IpAddr>,
    /// The `ServerGuid` by which its other addresses are known.
    pub(super) guid: Option<Guid>,
    pub(super) evidence: Evidence,
    pub(super) started: Option<Time>,
    /// Whether its pipe was missing when it was last asked for.
    pub(super) absent: bool,
    /// What happened before it was known to be one of ours. Emptied when it is.
    pub(super) earlier: VecDeque<Around>,
    pub(super) clients: Vec<IpAddr>,
    /// By name of the profile; `spec` is always there once it is one of ours.
    pub(super) by_profile: BTreeMap<Arc<str>, Server<'k>>,
    /// Which of them is right. Fixed when findings are first told.
    pub(super) in_force: Option<(Arc<str>, String)>,
    /// The profile that somebody has chosen for it; fixed when judging begins.
    pub(super) assigned: Option<Arc<str>>,
    /// When each connection was last heard of, by the client's end. Added by what happens on it; all
    /// are forgotten when there are too many.
    pub(super) heard: FxHashMap<SocketAddr, Time>,
    /// The latest time at which something happened.
    pub(super) latest: Time,
    /// Known deviations that have been told.
    pub(super) deviations: u64,
    /// What clients came for beside their sets.
    pub(super) errands: Errands,
    /// What went wrong.
    pub(super) chart: Chart,
    /// What was asked for each set.
    pub(super) diary: Diary,
    /// How much of what happened could be read.
    pub(super) sight: Sight,
    /// Who manages its shadow copies, once somebody has called an object of it.
    pub(super) manager: Option<Box<Manager<'k>>>,
}

/// Whether it shows that a server is, or should be, one of ours.
pub(super) fn is_ours(what: &What) -> bool {
    let pipe = |name: &str| name.eq_ignore_ascii_case(fsrvp::PIPE);
    match what {
        What::PipeOpened { name, .. } | What::PipeError { name, .. } => {
            name.as_deref().is_some_and(pipe)
        }
        What::PipeRefused { name, .. } => pipe(name),
        What::Bound(bound) => {
            bound.pipe.as_deref().is_some_and(pipe)
                || bound.interface.is_some_and(|interface| interface.uuid == fsrvp::UUID)
        }
        What::BindUnanswered { interfaces, .. } => {
            interfaces.iter().any(|interface| interface.uuid == fsrvp::UUID)
        }
        _ => false,
    }
}

impl<'k> Dock<'k> {
    pub(super) fn new(ip: IpAddr) -> Self {
        Self { addresses: vec![ip], ..Self::nowhere() }
    }

    /// A server without an address so far.
    pub(super) fn nowhere() -> Self {
        Self {
            addresses: Vec::new(),
            guid: None,
            evidence: Evidence::default(),
            started: None,
            absent: false,
            earlier: VecDeque::new(),
            clients: Vec::new(),
            by_profile: BTreeMap::new(),
            in_force: None,
            assigned: None,
            heard: FxHashMap::default(),
            latest: Time::default(),
            deviations: 0,
            errands: Errands::default(),
            chart: Chart::default(),
            diary: Diary::default(),
            sight: Sight::default(),
            manager: None,
        }
    }

    /// Who manages its shadow copies, if that is asked for.
    pub(super) fn managed(&self) -> Option<&Manager<'k>> {
        self.manager.as_deref().filter(|manager| manager.ours)
    }

    /// Somebody calls objects of it: they are watched from now on.
    pub(super) fn manage(
        &mut self,
        knowledge: &'k Knowledge,
        options: &Options,
        (clock_error, now): (i64, Time),
    ) -> Option<&mut Manager<'k>> {
        if self.manager.is_none() {
            let ip = self.addresses.first().copied()?;
            let Options { all_clients, idle_start, .. } = *options;
            let vantage = Vantage { all_clients, idle_start, clock_error };
            let spec = knowledge.profiles.get("spec")?;
            let mut manager = Manager::new(&knowledge.catalogue, spec, ip, vantage);
            if self.sight.lost > 0 {
                manager.forget(now);
            }
            self.manager = Some(Box::new(manager));
        }
        self.manager.as_deref_mut()
    }

    /// Whether it is known to be one of ours.
    pub(super) fn is_awake(&self) -> bool {
        !self.by_profile.is_empty()
    }

    /// Keeps what happens before it is known to be one of ours.
    pub(super) fn keep(&mut self, around: &Around) {
        if self.earlier.len() >= MAX_EARLIER {
            self.earlier.pop_front();
        }
        self.earlier.push_back(around.clone());
    }

    /// It is one of ours: judging begins.
    pub(super) fn wake(&mut self, knowledge: &'k Knowledge, options: &Options, clock_error: i64) {
        if !self.by_profile.is_empty() {
            return;
        }
        let Some(ip) = self.addresses.first().copied() else { return };
        let Options { all_clients, idle_start, .. } = *options;
        let vantage = Vantage { all_clients, idle_start, clock_error };
        let mut profiles: Vec<Arc<Profile>> = Vec::new();
        match options.choice.of(&self.addresses, self.evidence.name.as_deref()) {
            Some(profile) => {
                self.assigned = Some(profile.name.clone());
                profiles.push(profile);
            }
            None => {
                profiles.extend(
                    knowledge
                        .profiles
                        .names()
                        .filter_map(|name| knowledge.profiles.get(name).cloned()),
                );
            }
        }
        profiles.extend(knowledge.profiles.get("spec").cloned());
        for profile in profiles {
            let rules = (&knowledge.catalogue, &knowledge.machine);
            let server = Server::new(rules, &profile, ip, vantage);
            self.by_profile.entry(profile.name.clone()).or_insert(server);
        }
        for around in std::mem::take(&mut self.earlier) {
            for server in self.by_profile.values_mut() {
                server.around(&around);
            }
        }
    }

    /// Something happened at this time on the connection of `from`. What comes late was held back
    /// because packets before it are missing: what was found since may have that reason.
    pub(super) fn hears(&mut self, from: SocketAddr, time: Time, lost: bool) -> bool {
        const MOST: usize = 4096;
        if self.heard.len() >= MOST {
            self.heard.clear();
        }
        let before = self.heard.insert(from, time.max(self.latest));
        let since = match (lost, before) {
            (true, before) => before.unwrap_or_default(),
            (false, _) if time < self.latest => time,
            (false, _) => {
                self.latest = time;
                self.heard.insert(from, time);
                return false;
            }
        };
        for server in self.by_profile.values_mut() {
            server.bench.withdraw(since);
        }
        if let Some(manager) = &mut self.manager {
            manager.bench.withdraw(since);
        }
        true
    }

    /// The address by which a machine is known that has several: that with which it first came for our
    /// pipe.
    pub(super) fn machine(&self, client: IpAddr) -> IpAddr {
        self.chart.machine(client)
    }

    pub(super) fn meets(&mut self, call: &Call) {
        let client = call.client.addr.ip();
        if self.clients.len() < MAX_CLIENTS && !self.clients.contains(&client) {
            self.clients.push(client);
        }
        if self.evidence.name.is_none() {
            self.evidence.name.clone_from(&call.server.name);
        }
    }

    /// What it is called, as its calls tell, or what comes before them.
    pub(super) fn name(&self) -> Option<String> {
        let name = self.evidence.name.as_deref().or(self.chart.owners.name());
        name.map(str::to_owned)
    }

    /// Whether this shows that the server was started again, and whether surely.
    pub(super) fn restarted(&mut self, around: &Around) -> Option<bool> {
        let pipe = |name: &str| name.eq_ignore_ascii_case(fsrvp::PIPE);
        match &around.what {
            What::Negotiated(told) => {
                let started = told.started?;
                let before = self.started.replace(started);
                before.is_some_and(|before| started.since(before) > RESTART).then_some(true)
            }
            What::PipeRefused { name, .. } if pipe(name) => {
                self.absent = true;
                None
            }
            What::PipeOpened { name: Some(name), .. } if pipe(name) => {
                std::mem::take(&mut self.absent).then_some(false)
            }
            What::PipeError { name: Some(name), .. } if pipe(name) => Some(false),
            What::Disconnected { by: Some(Side::Server), reset: true }
            | What::ChannelClosed { by: Some(Side::Server), .. } => Some(false),
            _ => None,
        }
    }

    /// The profile in force, and why.
    pub(super) fn chosen(&self) -> (Arc<str>, String) {
        if let Some(name) = &self.assigned {
            return (name.clone(), "chosen by --profile".to_owned());
        }
        if let Some(fixed) = &self.in_force {
            return fixed.clone();
        }
        let (name, why) = self.evidence.points_to();
        (Arc::from(name), why)
    }

    /// The findings that were not told yet: those under the profile in force, and those that only
    /// `spec` has, as known deviations.
    pub(super) fn take(&mut self) -> Vec<Finding> {
        let mut findings = self.take_own();
        findings.extend(self.manager.iter_mut().flat_map(|manager| manager.bench.take()));
        findings
    }

    fn take_own(&mut self) -> Vec<Finding> {
        if !self.by_profile.values().any(|server| server.bench.has_findings()) {
            return Vec::new();
        }
        let (name, why) = self.chosen();
        let only = match self.by_profile.get_mut("spec") {
            Some(spec) if &*name != "spec" => spec.bench.take(),
            _ => Vec::new(),
        };
        let Some(server) = self.by_profile.get_mut(&name) else { return Vec::new() };
        // What is not told any more cannot be compared with.
        let full = server.bench.beyond > 0;
        let mut findings = server.bench.take();
        let mut by_call: FxHashMap<(Option<u64>, Time), Vec<usize>> = FxHashMap::default();
        for (at, finding) in findings.iter().enumerate() {
            by_call.entry((finding.call, finding.time)).or_default().push(at);
        }
        let told = |other: &Finding| {
            let same = by_call.get(&(other.call, other.time)).into_iter().flatten();
            same.filter_map(|at| findings.get(*at)).any(|finding| {
                finding.party == other.party
                    && (finding.rule == other.rule || finding.also.contains(&other.rule))
            })
        };
        let title: Arc<str> = server.bench.profile.title.as_str().into();
        let deviations: Vec<Finding> = only
            .into_iter()
            .filter(|finding| !full && !told(finding))
            .map(|mut finding| {
                finding.known = Some(title.clone());
                finding.severity = Severity::Note;
                finding
            })
            .collect();
        self.deviations += u64::try_from(deviations.len()).unwrap_or_default();
        findings.extend(deviations);
        for finding in &findings {
            self.chart.found(finding);
        }
        if !findings.is_empty() && self.in_force.is_none() {
            // The others are never asked again.
            if self.assigned.is_none() {
                self.by_profile.retain(|other, _| *other == name || &**other == "spec");
            }
            self.in_force = Some((name, why));
        }
        findings
    }
}
