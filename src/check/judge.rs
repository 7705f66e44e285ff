//! [`Judge`]: takes what happens in a capture and gives findings, server by server.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::act::Act;
use super::dock::{Dock, is_ours};
use super::finding::Finding;
use super::knowledge::Knowledge;
use super::machine::takes_long;
use super::profile::Choice;
use super::recognise::identifies;
use super::scmp;
use super::signatures::Distrust;
use super::ways::Ways;
use crate::bytes::{Guid, Time};
use crate::call::Call;
use crate::pipeline::{Around, Event, What};
use crate::protocol::fsrvp;

/// Servers judged; what others do is not looked at.
pub(super) const MAX_SERVERS: usize = 512;
/// Where SMB and the endpoint mapper are.
const SMB_PORTS: [u16; 3] = [445, 139, 135];
/// Addresses of one server.
const MAX_ADDRESSES: usize = 64;

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
    pub(super) knowledge: &'k Knowledge,
    pub(super) options: Arc<Options>,
    /// Added by what a server says or does. Beyond the cap one that is not known to be ours makes room.
    pub(super) servers: Vec<Dock<'k>>,
    /// Where a search for one that makes room goes on.
    hand: usize,
    /// The addresses of all of them, and the `ServerGuid` of each that told one.
    by_ip: FxHashMap<IpAddr, usize>,
    by_guid: FxHashMap<Guid, usize>,
    /// What kept clients from servers.
    pub(super) ways: Ways,
    /// What nobody can trust.
    distrust: Distrust,
    pub(super) now: Time,
    /// Whether the capture has ended; until then what is not finished goes on.
    pub(super) ended: bool,
    clock_error: i64,
    /// Servers beyond the cap.
    pub(super) beyond: u64,
}

impl<'k> Judge<'k> {
    /// A judge who has seen nothing yet.
    pub fn new(knowledge: &'k Knowledge, options: Options) -> Self {
        Self {
            knowledge,
            options: Arc::new(options),
            servers: Vec::new(),
            hand: 0,
            by_ip: FxHashMap::default(),
            by_guid: FxHashMap::default(),
            ways: Ways::default(),
            distrust: Distrust::default(),
            now: Time::default(),
            ended: false,
            clock_error: 0,
            beyond: 0,
        }
    }

    /// The clocks of the captures that are judged together may differ by so many nanoseconds: what
    /// is judged from now on by its time is given that much more.
    pub fn allow(&mut self, clock_error: i64) {
        self.clock_error = clock_error;
    }

    /// Takes what happens next.
    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Call(call) => self.call(self.distrust.without(call).as_deref().unwrap_or(call)),
            Event::Asked(call) => {
                self.asked(self.distrust.without(call).as_deref().unwrap_or(call));
            }
            Event::Around(around) => {
                self.distrust.see(around);
                self.around(around);
            }
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
        self.ended = true;
        for dock in &mut self.servers {
            for server in dock.by_profile.values_mut() {
                server.finish(now);
            }
            if let Some(manager) = &mut dock.manager {
                manager.finish();
            }
        }
    }

    /// The server at an address, if anything was heard of it.
    pub(super) fn known(&self, ip: IpAddr) -> Option<&Dock<'k>> {
        self.servers.get(*self.by_ip.get(&ip)?)
    }

    /// The server at an address.
    fn dock(&mut self, ip: IpAddr) -> Option<&mut Dock<'k>> {
        let known = self.by_ip.get(&ip).copied();
        let at = known.or_else(|| self.room())?;
        if known.is_none() {
            match self.servers.get_mut(at) {
                Some(other) => *other = Dock::new(ip),
                None => self.servers.push(Dock::new(ip)),
            }
            self.by_ip.insert(ip, at);
        }
        self.servers.get_mut(at)
    }

    /// Where a server has room: behind the others, or in place of one that is not ours so far.
    fn room(&mut self) -> Option<usize> {
        if self.servers.len() < MAX_SERVERS {
            return Some(self.servers.len());
        }
        let asleep = |at: &usize| self.servers.get(*at).is_some_and(|dock| !dock.is_awake());
        let Some(at) = (self.hand..MAX_SERVERS).chain(0..self.hand).find(asleep) else {
            self.beyond += 1;
            return None;
        };
        self.hand = at + 1;
        if let Some(dock) = self.servers.get(at) {
            dock.addresses.iter().for_each(|ip| _ = self.by_ip.remove(ip));
            dock.guid.iter().for_each(|guid| _ = self.by_guid.remove(guid));
        }
        Some(at)
    }

    fn asked(&mut self, call: &Call) {
        self.time(call.time);
        if scmp::is_ours(call) {
            return self.managed(call, true);
        }
        if !is_fsrvp(call) {
            return;
        }
        let (knowledge, options, clock_error) =
            (self.knowledge, self.options.clone(), self.clock_error);
        let Some(dock) = self.dock(call.server.addr.ip()) else { return };
        dock.wake(knowledge, &options, clock_error);
        dock.meets(call);
        if call.rpc.opnum.is_some_and(takes_long) {
            dock.chart.asked(call);
        }
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
        let (knowledge, options, clock_error) =
            (self.knowledge, self.options.clone(), self.clock_error);
        if !is_fsrvp(call) {
            self.managed(call, false);
            // Without its bind, it may be one of ours.
            if call.rpc.interface.is_none() && call.rpc.opnum.is_none_or(|opnum| opnum <= 12) {
                self.forget(call.server.addr.ip(), call.client.addr.ip(), call.time);
            }
            return;
        }
        let Some(dock) = self.dock(call.server.addr.ip()) else { return };
        dock.wake(knowledge, &options, clock_error);
        dock.meets(call);
        let response = call.rpc.response.as_ref();
        let late = response.is_some_and(|r| dock.hears(call.client.addr, r.time, false));
        dock.sight.call(call);
        if let Some(act) = Act::of(call) {
            dock.diary.answered(call, &act);
            let symptom = dock.chart.answered(call, &act, &dock.addresses);
            let client = dock.machine(act.client);
            dock.errands.answered(&Act { client, ..act }, symptom);
        } else {
            dock.errands.forget(dock.machine(call.client.addr.ip()));
            dock.chart.forget();
        }
        for server in dock.by_profile.values_mut() {
            server.answered(call);
            if late {
                server.forget(call.time);
            }
        }
    }

    /// A call that may be one of an object, which is over or was only asked.
    fn managed(&mut self, call: &Call, asked: bool) {
        let (knowledge, options, clock_error) =
            (self.knowledge, self.options.clone(), self.clock_error);
        let ip = call.server.addr.ip();
        let Some(dock) = self.dock(ip) else { return };
        if !scmp::is_ours(call) && dock.manager.is_none() {
            return;
        }
        let managed = call.rpc.interface.and_then(|of| scmp::interface_name(of.uuid)).is_some();
        if managed {
            dock.meets(call);
            if !asked {
                dock.sight.call(call);
            }
        }
        let time = match &call.rpc.response {
            Some(response) if !asked => response.time,
            _ => call.time,
        };
        let late = dock.hears(call.client.addr, time, false);
        let Some(manager) = dock.manage(knowledge, &options, (clock_error, call.time)) else {
            return;
        };
        if asked {
            manager.asked(call);
        } else {
            manager.answered(call);
        }
        if late {
            manager.forget(call.time);
        }
    }

    /// Calls of a client to a server may have been missed.
    fn forget(&mut self, ip: IpAddr, client: IpAddr, now: Time) {
        if let Some(dock) = self.by_ip.get(&ip).and_then(|at| self.servers.get_mut(*at)) {
            dock.sight.lost += 1;
            dock.errands.forget(dock.machine(client));
            dock.chart.forget();
            for server in dock.by_profile.values_mut() {
                server.forget(now);
            }
            if let Some(manager) = &mut dock.manager {
                manager.forget(now);
            }
        }
    }

    fn around(&mut self, around: &Around) {
        self.time(around.time);
        if self.ways.around(around) {
            return;
        }
        let ip = around.server.ip();
        let own = self.by_ip.get(&around.client.ip()).and_then(|at| self.servers.get_mut(*at));
        if let Some(dock) = own {
            dock.chart.goes_out(around);
        }
        if let What::Negotiated(told) = &around.what
            && let Some(guid) = told.server_guid.filter(|guid| identifies(*guid))
        {
            self.identify(ip, guid);
        }
        let (knowledge, options, clock_error) =
            (self.knowledge, self.options.clone(), self.clock_error);
        let Some(dock) = self.dock(ip) else { return };
        if matches!(around.what, What::Unreachable { .. })
            && !SMB_PORTS.contains(&around.server.port())
        {
            // Where objects are: nobody looks for a pipe there.
            return dock.manager.iter_mut().for_each(|manager| manager.around(around));
        }
        dock.evidence.see(around);
        let lost = matches!(around.what, What::Lost);
        let noted = dock.chart.around(around);
        dock.sight.around(&around.what, dock.chart.user(around.client.ip()));
        dock.errands.around(dock.machine(around.client.ip()), around, noted);
        dock.hears(around.client, around.time, lost);
        if let Some(surely) = dock.restarted(around) {
            // The shares that it did not have it may have now.
            dock.earlier.retain(|around| !matches!(around.what, What::TreeRefused { .. }));
            if surely {
                dock.chart.restarted(around.time);
            }
            for server in dock.by_profile.values_mut() {
                server.restarted(around.time, surely);
            }
            if let Some(manager) = dock.manager.as_deref_mut().filter(|_| surely) {
                manager.restarted(around.time);
            }
        }
        if scmp::comes_for_objects(&around.what) {
            dock.manage(knowledge, &options, (clock_error, around.time));
        }
        if let Some(manager) = &mut dock.manager {
            manager.around(around);
        }
        if is_ours(&around.what) {
            dock.wake(knowledge, &options, clock_error);
        }
        if !dock.is_awake() {
            dock.keep(around);
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
                let dock = self.servers.get_mut(at);
                if let Some(dock) = dock.filter(|dock| dock.addresses.len() < MAX_ADDRESSES) {
                    dock.addresses.push(ip);
                    self.by_ip.insert(ip, at);
                }
            }
            (None, _) => {
                if let Some(dock) = self.dock(ip)
                    && dock.guid.is_none()
                {
                    dock.guid = Some(guid);
                    self.by_guid.extend(self.by_ip.get(&ip).map(|at| (guid, *at)));
                }
            }
            (Some(_), Some(_)) => {}
        }
    }

    /// What was found since the last time, in order.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for dock in &mut self.servers {
            findings.extend(dock.take());
        }
        findings.sort_by_key(|finding| (finding.time, finding.call));
        findings
    }
}

fn is_fsrvp(call: &Call) -> bool {
    call.rpc.interface.is_some_and(|syntax| syntax.uuid == fsrvp::UUID)
}
