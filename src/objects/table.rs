//! [`Table`]: the objects of one server.

use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet};

use super::exporter::Exporter;
use super::object::{MAX_HOLDERS, Object, Origin, Phase};
use super::ping::{MAX_OIDS, PingSet};
use super::said::{Activation, Count, Reference, Said, Wanted};
use crate::bytes::{Guid, Time};
use crate::call::{Call, Outcome, Readable};
use crate::protocol::{Grade, dcom};

/// Interface pointers of one server; beyond that those that nobody holds make room.
pub(super) const MAX_OBJECTS: usize = 16_384;
/// Exporters of one server, and sets that are pinged.
pub(super) const MAX_EXPORTERS: usize = 1024;

/// What a call moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// An interface pointer was handed out.
    Issued {
        /// Which.
        reference: Box<Reference>,
        /// Whether somebody held the same interface pointer already, for all that is known.
        again: bool,
        /// Whether all references to it were seen to come and go.
        sure: bool,
    },
    /// References were released; `before` is what the client had of them, where that is sure.
    Released {
        /// How many of what.
        count: Count,
        /// `cPublicRefs` and `cPrivateRefs` that the client had, where that is sure.
        before: Option<(i64, i64)>,
        /// Whether that were the last that anybody held.
        last: bool,
    },
    /// References were added.
    Added(Count),
}

/// How the object of a call stood when it was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// It was handed out, and somebody holds it.
    Held,
    /// The client had released its last reference before, by that call, and had got no other.
    Released {
        /// Number of the call that released it.
        call: u64,
    },
    /// It was handed out by a call that failed.
    Invalid {
        /// Number of that call.
        call: u64,
    },
    /// Nobody was seen to hand it out, though everything that could was seen and read.
    Unknown,
    /// It cannot be told.
    Unsure,
}

/// The objects of one server, with all that is known of each.
#[derive(Debug, Default)]
pub struct Table {
    /// By `IPID`. Added by references and by calls, no more than [`MAX_OBJECTS`].
    objects: FxHashMap<Guid, Object>,
    /// By OXID. Added by activations and `ResolveOxid`, no more than [`MAX_EXPORTERS`].
    exporters: FxHashMap<u64, Exporter>,
    /// By `SETID`. Added by `ComplexPing`, no more than [`MAX_EXPORTERS`].
    sets: FxHashMap<u64, PingSet>,
    /// Interface pointers that came with a failure, and the call. Added by such, no more than
    /// [`MAX_EXPORTERS`].
    invalid: FxHashMap<Guid, u64>,
    /// Activations that succeeded and could be read.
    activations: u64,
    /// Whether objects may have been handed out that were not seen.
    blind: bool,
    /// `IPID`s of `IRemUnknown`, of all exporters. Added with them, no more than [`MAX_EXPORTERS`].
    rem_unknowns: FxHashSet<Guid>,
    /// Interface pointers that were released since there last was too little room.
    idle: usize,
    /// Objects that had no room.
    beyond: u64,
}

impl Table {
    /// The interface pointer with this `IPID`.
    pub fn object(&self, ipid: Guid) -> Option<&Object> {
        self.objects.get(&ipid)
    }

    /// All interface pointers, in the order in which they came.
    pub fn objects(&self) -> Vec<&Object> {
        let mut all: Vec<&Object> = self.objects.values().collect();
        all.sort_by_key(|object| (object.origin.call(), object.ipid));
        all
    }

    /// The exporter with this OXID.
    pub fn exporter(&self, oxid: u64) -> Option<&Exporter> {
        self.exporters.get(&oxid)
    }

    /// All exporters by OXID, in no order.
    pub fn exporters(&self) -> impl Iterator<Item = (u64, &Exporter)> {
        self.exporters.iter().map(|(oxid, exporter)| (*oxid, exporter))
    }

    /// The set of objects with this `SETID`.
    pub fn ping_set(&self, set: u64) -> Option<&PingSet> {
        self.sets.get(&set)
    }

    /// When a ping last kept an object alive.
    pub fn pinged(&self, oid: u64) -> Option<Time> {
        let sets = self.sets.values().filter(|set| set.oids.contains(&oid));
        sets.map(|set| set.last).max()
    }

    /// The sets that a client pings.
    pub fn ping_sets(&self, client: IpAddr) -> impl Iterator<Item = &PingSet> {
        self.sets.values().filter(move |set| set.client == client)
    }

    /// Whether objects may have been handed out that are not here.
    pub fn is_blind(&self) -> bool {
        self.blind || self.activations == 0
    }

    /// Objects that had no room.
    pub fn beyond(&self) -> u64 {
        self.beyond
    }

    /// The most that [`kept`](Self::kept) is, whatever happens.
    pub const MAX_KEPT: usize = MAX_OBJECTS * (1 + MAX_HOLDERS) + MAX_EXPORTERS * (4 + MAX_OIDS);

    /// How much it keeps: everything that calls may add, counted.
    pub fn kept(&self) -> usize {
        let holders: usize = self.objects.values().map(|object| object.holders.len()).sum();
        let oids: usize = self.sets.values().map(|set| set.oids.len()).sum();
        let told = self.exporters.len() + self.rem_unknowns.len();
        self.objects.len() + holders + self.sets.len() + oids + self.invalid.len() + told
    }

    /// How the object of a call stood when its request was complete. Asked before the call is taken.
    pub fn stands(&self, call: &Call) -> Use {
        let Some(ipid) = call.rpc.object else { return Use::Unsure };
        let client = call.client.addr.ip();
        if let Some(by) = self.invalid.get(&ipid) {
            return Use::Invalid { call: *by };
        }
        if self.rem_unknowns.contains(&ipid) {
            return Use::Held;
        }
        let Some(object) = self.objects.get(&ipid) else {
            return if self.is_blind() || self.beyond > 0 { Use::Unsure } else { Use::Unknown };
        };
        if object.is_held() {
            return Use::Held;
        }
        let Some(holder) = object.holder(client).filter(|holder| holder.sure) else {
            return Use::Unsure;
        };
        match holder.released {
            // What was asked before the release was answered may have been served before it.
            Some((by, when)) if call.time > when && object.origin.is_seen() && !self.blind => {
                Use::Released { call: by }
            }
            _ => Use::Unsure,
        }
    }

    /// A call is over: what it moved.
    pub fn answered(&mut self, call: &Call) -> Vec<Moved> {
        let mut moved = Vec::new();
        self.calls(call);
        if !is_read(call) {
            self.missed(call);
            return moved;
        }
        let Some(said) = Said::of(call) else { return moved };
        match said {
            Said::Activated(activation) => self.activated(call, &activation, &mut moved),
            Said::Resolved { oxid, rem_unknown, bindings } => {
                self.told(oxid, rem_unknown, &bindings, call.rpc.n);
            }
            Said::Pinged { set } => self.ping(set, call),
            Said::Changed { asked, set, add, del, .. } => {
                self.changed(call, (asked, set), &add, &del);
            }
            Said::Queried { of, results } => self.queried(call, of, &results, &mut moved),
            Said::Added(counts) => self.added(call, &counts, &mut moved),
            Said::Released(counts) => self.released(call, &counts, &mut moved),
            Said::Returned(references) => self.returned(call, references, &mut moved),
        }
        moved
    }

    /// Packets are missing, or the server may have been started again: references may have moved unseen.
    pub fn forget(&mut self) {
        self.blind = true;
        for object in self.objects.values_mut() {
            for holder in &mut object.holders {
                holder.sure = false;
            }
        }
        for set in self.sets.values_mut() {
            set.sure = false;
        }
    }

    /// The server was started again: it has none of its objects any more.
    pub fn restarted(&mut self) {
        for object in self.objects.values_mut() {
            object.phase = Phase::Gone;
            object.holders.clear();
        }
        self.exporters.clear();
        self.rem_unknowns.clear();
        self.sets.clear();
        self.invalid.clear();
    }

    /// A call that says what it has to say in octets that are not here, or to an interface that is not
    /// known.
    fn missed(&mut self, call: &Call) {
        let asked = call.interface.as_deref();
        // What the RPC runtime refused did nothing.
        if call.outcome == Outcome::Fault {
            return;
        }
        let moves = asked.is_none_or(|interface| {
            interface.object
                || matches!(interface.uuid, dcom::IACTIVATION | dcom::IREMOTESCMACTIVATOR)
        });
        if moves {
            self.forget();
        }
    }

    /// Notes a call on its object.
    fn calls(&mut self, call: &Call) {
        let is_object = call.interface.as_deref().is_some_and(|interface| interface.object);
        let Some(ipid) = call.rpc.object.filter(|_| is_object) else { return };
        if self.rem_unknowns.contains(&ipid) {
            return;
        }
        let iid = call.rpc.interface.map(|syntax| syntax.uuid);
        if !self.objects.contains_key(&ipid) {
            if matches!(iid, Some(dcom::IREMUNKNOWN | dcom::IREMUNKNOWN2)) || !self.room() {
                return;
            }
            let object = Object {
                ipid,
                iid,
                oid: None,
                oxid: None,
                origin: Origin::Adopted { call: call.rpc.n },
                since: call.time,
                unpinged: false,
                holders: Vec::new(),
                phase: Phase::Live,
                calls: 0,
                last: None,
            };
            self.objects.insert(ipid, object);
        }
        if let Some(object) = self.objects.get_mut(&ipid) {
            object.calls += 1;
            object.last = Some((call.rpc.n, call.time));
        }
    }

    /// Whether there is room for one more: those that nobody holds make it, many at once.
    fn room(&mut self) -> bool {
        /// How many must have been released since the last time that it is worth looking.
        const WORTH: usize = 1024;
        if self.objects.len() < MAX_OBJECTS {
            return true;
        }
        if self.idle >= WORTH {
            self.idle = 0;
            self.objects.retain(|_, object| object.is_held());
        }
        let room = self.objects.len() < MAX_OBJECTS;
        self.beyond += u64::from(!room);
        self.blind |= !room;
        room
    }

    fn activated(&mut self, call: &Call, activation: &Activation, moved: &mut Vec<Moved>) {
        if activation.status.is_some_and(|status| status & 0x8000_0000 != 0) {
            return;
        }
        self.activations += 1;
        if let Some(oxid) = activation.oxid {
            self.told(oxid, activation.rem_unknown, &activation.bindings, call.rpc.n);
        }
        let origin = Origin::Activation { call: call.rpc.n, class: activation.class };
        for Wanted { status, reference, .. } in &activation.results {
            if let Some(reference) = reference.as_ref().filter(|_| *status == 0) {
                self.issue(call, reference.clone(), origin, moved);
            }
        }
    }

    fn told(&mut self, oxid: u64, rem_unknown: Option<Guid>, bindings: &[String], call: u64) {
        if self.exporters.len() >= MAX_EXPORTERS && !self.exporters.contains_key(&oxid) {
            self.blind = true;
            return;
        }
        let exporter =
            self.exporters.entry(oxid).or_insert_with(|| Exporter { call, ..Exporter::default() });
        exporter.rem_unknown = rem_unknown.or(exporter.rem_unknown);
        exporter.told(bindings);
        // One exporter may tell one after the other.
        if let Some(ipid) = rem_unknown.filter(|ipid| !self.rem_unknowns.contains(ipid)) {
            if self.rem_unknowns.len() < MAX_EXPORTERS {
                self.rem_unknowns.insert(ipid);
            } else {
                self.blind = true;
            }
        }
    }

    fn returned(&mut self, call: &Call, references: Vec<Reference>, moved: &mut Vec<Moved>) {
        let failed = call.status.is_some_and(|status| status & 0x8000_0000 != 0);
        for reference in references {
            if failed {
                if self.invalid.len() < MAX_EXPORTERS && !self.objects.contains_key(&reference.ipid)
                {
                    self.invalid.insert(reference.ipid, call.rpc.n);
                }
                continue;
            }
            let origin = Origin::Method {
                call: call.rpc.n,
                interface: call.rpc.interface.map(|syntax| syntax.uuid).unwrap_or_default(),
                opnum: call.rpc.opnum.unwrap_or_default(),
                of: call.rpc.object,
            };
            self.issue(call, reference, origin, moved);
        }
    }

    fn queried(&mut self, call: &Call, of: Guid, results: &[Wanted], moved: &mut Vec<Moved>) {
        let origin = Origin::Query { call: call.rpc.n, of };
        for Wanted { status, reference, .. } in results {
            if let Some(reference) = reference.as_ref().filter(|_| *status == 0) {
                self.issue(call, reference.clone(), origin, moved);
            }
        }
    }

    /// A reference reached a client.
    fn issue(&mut self, call: &Call, of: Reference, origin: Origin, moved: &mut Vec<Moved>) {
        self.invalid.remove(&of.ipid);
        let (time, sure) = (answered_at(call), !self.blind);
        let known = self.objects.contains_key(&of.ipid);
        if !known && !self.room() {
            return;
        }
        let object = self.objects.entry(of.ipid).or_insert_with(|| Object {
            ipid: of.ipid,
            iid: Some(of.iid),
            oid: Some(of.oid),
            oxid: Some(of.oxid),
            origin,
            since: time,
            unpinged: of.is_unpinged(),
            holders: Vec::new(),
            phase: Phase::Live,
            calls: 0,
            last: None,
        });
        let again = known && object.phase == Phase::Live && object.origin.is_seen();
        // Of one that was adopted nobody knows what was handed out before.
        let sure = sure && (object.origin.is_seen() || !known);
        if known && !again {
            (object.origin, object.since, object.phase) = (origin, time, Phase::Live);
            object.holders.retain(|holder| !holder.sure);
        }
        (object.iid, object.oid, object.oxid) = (Some(of.iid), Some(of.oid), Some(of.oxid));
        let known_all = !self.blind && object.holders.iter().all(|holder| holder.sure);
        let call_no = call.rpc.n;
        if let Some(holder) = object.ledger(call.client.addr.ip(), call_no, sure) {
            holder.public = holder.public.saturating_add(of.public_refs.into());
            holder.released = None;
        }
        moved.push(Moved::Issued { reference: Box::new(of), again, sure: known_all });
    }

    fn added(&mut self, call: &Call, counts: &[Count], moved: &mut Vec<Moved>) {
        for count in counts.iter().filter(|count| count.status == Some(0)) {
            let Some(object) = self.objects.get_mut(&count.ipid) else { continue };
            let sure = false;
            if let Some(holder) = object.ledger(call.client.addr.ip(), call.rpc.n, sure) {
                holder.public = holder.public.saturating_add(count.public.into());
                holder.private = holder.private.saturating_add(count.private.into());
                if holder.holds() {
                    (holder.released, object.phase) = (None, Phase::Live);
                }
            }
            moved.push(Moved::Added(*count));
        }
    }

    fn released(&mut self, call: &Call, counts: &[Count], moved: &mut Vec<Moved>) {
        let time = answered_at(call);
        let failed = call.status.is_some_and(|status| status & 0x8000_0000 != 0);
        for count in counts.iter().filter(|_| !failed) {
            let mut before = None;
            let mut last = false;
            if let Some(object) = self.objects.get_mut(&count.ipid) {
                let seen = object.origin.is_seen();
                if let Some(holder) = object.ledger(call.client.addr.ip(), call.rpc.n, false) {
                    before = Some((holder.public, holder.private)).filter(|_| holder.sure && seen);
                    // The server does not go below nothing.
                    holder.public = holder.public.saturating_sub(count.public.into()).max(0);
                    holder.private = holder.private.saturating_sub(count.private.into()).max(0);
                    if !holder.holds() {
                        holder.released = Some((call.rpc.n, time));
                    }
                }
                if !object.is_held() {
                    last = before.is_some();
                    self.idle += 1;
                    object.phase = Phase::Released { call: call.rpc.n, time };
                }
            }
            moved.push(Moved::Released { count: *count, before, last });
        }
    }

    fn ping(&mut self, set: u64, call: &Call) {
        if let Some(known) = self.sets.get_mut(&set) {
            known.last = answered_at(call);
        }
    }

    fn changed(&mut self, call: &Call, (asked, set): (u64, u64), add: &[u64], del: &[u64]) {
        let time = answered_at(call);
        if self.sets.len() >= MAX_EXPORTERS && !self.sets.contains_key(&set) {
            return;
        }
        let client = call.client.addr.ip();
        let known = self.sets.entry(set).or_insert_with(|| PingSet::new(client, time, asked == 0));
        known.last = time;
        known.change(add, del);
    }
}

/// When a call was over.
fn answered_at(call: &Call) -> Time {
    call.rpc.response.as_ref().map_or(call.time, |response| response.time)
}

/// Whether all that a call says of objects could be read.
fn is_read(call: &Call) -> bool {
    let clear = |readable| Readable::is_clear(readable);
    let known = call.grade().is_some_and(|grade| grade != Grade::Names);
    let answered = matches!(call.outcome, Outcome::Ok | Outcome::Failed);
    known && answered && clear(call.request.readable) && clear(call.response.readable)
}
