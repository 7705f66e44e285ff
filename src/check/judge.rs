//! [`Judge`]: takes what happens in a capture and gives findings, server by server.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::act::Act;
use super::errand::Errands;
use super::finding::{Finding, Severity};
use super::knowledge::Knowledge;
use super::profile::{Choice, Profile};
use super::recognise::{Evidence, identifies};
use super::server::{Server, Vantage};
use super::sight::Sight;
use crate::bytes::{Guid, Side, Time};
use crate::call::Call;
use crate::pipeline::{Around, Event, What};
use crate::protocol::fsrvp;

/// Servers judged; what others do is not looked at.
const MAX_SERVERS: usize = 512;
/// Events of a server kept until it is known to be one of ours.
const MAX_EARLIER: usize = 128;
/// Clients of a server that are named.
const MAX_CLIENTS: usize = 256;
/// How much later a server must say it started to have been started again.
const RESTART: i64 = 2_000_000_000;

/// How to judge.
#[derive(Clone, Debug)]
pub struct Options {
    /// By which profile.
    pub choice: Choice,
    /// The capture has all clients of each server.
    pub all_clients: bool,
    /// When the capture begins, the servers have no shadow copy sets and nothing to do.
    pub idle_start: bool,
}

/// The judge.
#[derive(Debug)]
pub struct Judge<'k> {
    knowledge: &'k Knowledge,
    pub(super) options: Options,
    /// Added by what a server says or does; nothing is removed.
    pub(super) servers: Vec<Dock<'k>>,
    by_ip: FxHashMap<IpAddr, usize>,
    by_guid: FxHashMap<Guid, usize>,
    now: Time,
    /// Servers beyond the cap.
    pub(super) beyond: u64,
}

/// A server, judged by every profile that may be the right one.
#[derive(Debug)]
pub(super) struct Dock<'k> {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) evidence: Evidence,
    started: Option<Time>,
    /// Whether its pipe was missing when it was last asked for.
    absent: bool,
    /// What happened before it was known to be one of ours. Emptied when it is.
    earlier: Vec<Around>,
    pub(super) clients: Vec<IpAddr>,
    /// By name of the profile; `spec` is always there once it is one of ours.
    pub(super) by_profile: BTreeMap<Arc<str>, Server<'k>>,
    /// Which of them is right. Fixed when findings are first told.
    in_force: Option<Arc<str>>,
    /// How many findings of the profile in force, and of `spec`, have been told.
    told: (usize, usize),
    /// Of these, the known deviations.
    pub(super) deviations: u64,
    /// When each connection was last heard of, by the client's end. Added by what happens on it; all
    /// are forgotten when there are too many.
    heard: FxHashMap<SocketAddr, Time>,
    /// The latest time at which something happened.
    latest: Time,
    /// What clients came for beside their sets.
    pub(super) errands: Errands,
    /// How much of what happened could be read.
    pub(super) sight: Sight,
}

impl<'k> Judge<'k> {
    /// A judge who has seen nothing yet.
    pub fn new(knowledge: &'k Knowledge, options: Options) -> Self {
        Self {
            knowledge,
            options,
            servers: Vec::new(),
            by_ip: FxHashMap::default(),
            by_guid: FxHashMap::default(),
            now: Time::default(),
            beyond: 0,
        }
    }

    /// Takes what happens next.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Call(call) => self.call(call),
            Event::Asked(call) => self.asked(call),
            Event::Around(around) => self.around(around),
            Event::Unit(_) => {}
        }
    }

    /// Takes the time of a frame.
    pub fn time(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// The capture has ended.
    pub fn finish(&mut self) {
        let now = self.now;
        for dock in &mut self.servers {
            for server in dock.by_profile.values_mut() {
                server.finish(now);
            }
        }
    }

    /// The server at an address.
    fn dock(&mut self, ip: IpAddr) -> Option<&mut Dock<'k>> {
        let at = match self.by_ip.get(&ip) {
            Some(at) => *at,
            None if self.servers.len() >= MAX_SERVERS => {
                self.beyond += 1;
                return None;
            }
            None => {
                self.servers.push(Dock::new(ip));
                let at = self.servers.len() - 1;
                self.by_ip.insert(ip, at);
                at
            }
        };
        self.servers.get_mut(at)
    }

    fn asked(&mut self, call: &Call) {
        self.time(call.time);
        let (knowledge, options) = (self.knowledge, self.options.clone());
        let Some(dock) = self.dock(call.server.addr.ip()) else { return };
        dock.wake(knowledge, &options);
        dock.meets(call);
        let late = dock.hears(call.client.addr, call.time, false);
        for server in dock.by_profile.values_mut() {
            server.asked(call);
            if late {
                server.forget(call.time);
            }
        }
    }

    fn call(&mut self, call: &Call) {
        self.time(call.rpc.response.as_ref().map_or(call.time, |response| response.time));
        let (knowledge, options) = (self.knowledge, self.options.clone());
        let ours = call.rpc.interface.is_some_and(|syntax| syntax.uuid == fsrvp::UUID);
        if !ours {
            // Without its bind, it may be one of ours.
            if call.rpc.interface.is_none() && call.rpc.opnum.is_none_or(|opnum| opnum <= 12) {
                self.forget(call.server.addr.ip(), call.time);
            }
            return;
        }
        let Some(dock) = self.dock(call.server.addr.ip()) else { return };
        dock.wake(knowledge, &options);
        dock.meets(call);
        let response = call.rpc.response.as_ref();
        let late = response.is_some_and(|r| dock.hears(call.client.addr, r.time, false));
        dock.sight.call(call);
        match Act::of(call) {
            Some(act) => dock.errands.answered(&act),
            None => dock.errands.forget(),
        }
        for server in dock.by_profile.values_mut() {
            server.answered(call);
            if late {
                server.forget(call.time);
            }
        }
    }

    /// Calls to a server may have been missed.
    fn forget(&mut self, ip: IpAddr, now: Time) {
        if let Some(dock) = self.by_ip.get(&ip).and_then(|at| self.servers.get_mut(*at)) {
            dock.sight.lost += 1;
            dock.errands.forget();
            for server in dock.by_profile.values_mut() {
                server.forget(now);
            }
        }
    }

    fn around(&mut self, around: &Around) {
        self.time(around.time);
        let ip = around.server.ip();
        if let What::Negotiated(told) = &around.what
            && let Some(guid) = told.server_guid.filter(|guid| identifies(*guid))
        {
            self.identify(ip, guid);
        }
        let (knowledge, options) = (self.knowledge, self.options.clone());
        let Some(dock) = self.dock(ip) else { return };
        dock.evidence.see(around);
        let lost = matches!(around.what, What::Lost);
        dock.sight.around(&around.what);
        dock.errands.around(around);
        dock.hears(around.client, around.time, lost);
        if let Some(surely) = dock.restarted(around) {
            // The shares that it did not have it may have now.
            dock.earlier.retain(|around| !matches!(around.what, What::TreeRefused { .. }));
            for server in dock.by_profile.values_mut() {
                server.restarted(around.time, surely);
            }
        }
        if is_ours(&around.what) {
            dock.wake(knowledge, &options);
        }
        if dock.by_profile.is_empty() {
            if dock.earlier.len() < MAX_EARLIER {
                dock.earlier.push(around.clone());
            }
            return;
        }
        for server in dock.by_profile.values_mut() {
            server.around(around);
        }
    }

    /// Two addresses that tell one `ServerGuid` are one server.
    fn identify(&mut self, ip: IpAddr, guid: Guid) {
        let known = self.by_guid.get(&guid).copied();
        match (known, self.by_ip.get(&ip)) {
            (Some(at), None) => {
                self.by_ip.insert(ip, at);
                if let Some(dock) = self.servers.get_mut(at) {
                    dock.addresses.push(ip);
                }
            }
            (None, _) => {
                if self.dock(ip).is_some()
                    && let Some(at) = self.by_ip.get(&ip)
                {
                    self.by_guid.insert(guid, *at);
                }
            }
            (Some(_), Some(_)) => {}
        }
    }

    /// What was found since the last time, in order.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for dock in &mut self.servers {
            findings.extend(dock.take(&self.options.choice));
        }
        findings.sort_by_key(|finding| (finding.time, finding.call));
        findings
    }
}

/// Whether it shows that a server is, or should be, one of ours.
fn is_ours(what: &What) -> bool {
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
        _ => false,
    }
}

impl<'k> Dock<'k> {
    fn new(ip: IpAddr) -> Self {
        Self {
            addresses: vec![ip],
            evidence: Evidence::default(),
            started: None,
            absent: false,
            earlier: Vec::new(),
            clients: Vec::new(),
            by_profile: BTreeMap::new(),
            in_force: None,
            told: (0, 0),
            deviations: 0,
            heard: FxHashMap::default(),
            latest: Time::default(),
            errands: Errands::default(),
            sight: Sight::default(),
        }
    }

    /// It is one of ours: judging begins.
    fn wake(&mut self, knowledge: &'k Knowledge, options: &Options) {
        if !self.by_profile.is_empty() {
            return;
        }
        let Some(ip) = self.addresses.first().copied() else { return };
        let vantage = Vantage { all_clients: options.all_clients, idle_start: options.idle_start };
        let mut profiles: Vec<Arc<Profile>> = Vec::new();
        match options.choice.of(&self.addresses, self.evidence.name.as_deref()) {
            Some(profile) => profiles.push(profile),
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
    fn hears(&mut self, from: SocketAddr, time: Time, lost: bool) -> bool {
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
        let (told, told_by_spec) = self.told;
        let in_force = self.in_force.clone();
        for (name, server) in &mut self.by_profile {
            let told = if in_force.as_ref() == Some(name) { told } else { 0 };
            let told = if &**name == "spec" { told.max(told_by_spec) } else { told };
            server.bench.withdraw(since, told);
        }
        true
    }

    fn meets(&mut self, call: &Call) {
        let client = call.client.addr.ip();
        if self.clients.len() < MAX_CLIENTS && !self.clients.contains(&client) {
            self.clients.push(client);
        }
        if self.evidence.name.is_none() {
            self.evidence.name.clone_from(&call.server.name);
        }
    }

    /// Whether this shows that the server was started again, and whether surely.
    fn restarted(&mut self, around: &Around) -> Option<bool> {
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
    pub(super) fn chosen(&self, choice: &Choice) -> (Arc<str>, String) {
        if let Some(profile) = choice.of(&self.addresses, self.evidence.name.as_deref()) {
            return (profile.name.clone(), "chosen by --profile".to_owned());
        }
        let (name, why) = self.evidence.points_to();
        let name = self.in_force.clone().unwrap_or_else(|| Arc::from(name));
        (name, why)
    }

    /// The findings that were not told yet: those under the profile in force, and those that only
    /// `spec` has, as known deviations.
    fn take(&mut self, choice: &Choice) -> Vec<Finding> {
        let (name, _) = self.chosen(choice);
        let Some(server) = self.by_profile.get(&name) else { return Vec::new() };
        let spec = self.by_profile.get("spec").filter(|_| &*name != "spec");
        let new =
            |findings: &[Finding], from: usize| findings.get(from..).unwrap_or_default().to_vec();
        let mut findings = new(&server.bench.findings, self.told.0);
        let only = spec.map(|spec| new(&spec.bench.findings, self.told.1)).unwrap_or_default();
        self.told = (server.bench.findings.len(), spec.map_or(0, |spec| spec.bench.findings.len()));
        let told = |other: &Finding| {
            server.bench.findings.iter().rev().any(|finding| {
                finding.call == other.call
                    && finding.time == other.time
                    && finding.party == other.party
                    && (finding.rule == other.rule || finding.also.contains(&other.rule))
            })
        };
        let title: Arc<str> = server.bench.profile.title.as_str().into();
        let deviations: Vec<Finding> = only
            .into_iter()
            .filter(|finding| !told(finding))
            .map(|mut finding| {
                finding.known = Some(title.clone());
                finding.severity = Severity::Note;
                finding
            })
            .collect();
        self.deviations += u64::try_from(deviations.len()).unwrap_or_default();
        findings.extend(deviations);
        if !findings.is_empty() && self.in_force.is_none() {
            self.in_force = Some(name);
        }
        findings
    }
}
