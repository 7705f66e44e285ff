//! References to objects: who holds them, and what is left in the end.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Case;
use super::message::{DIFF, ENUM_MGMT, ENUM_OBJECT, MGMT, Query, interface_name};
use crate::bytes::{Guid, Side, Time};
use crate::check::bench::{Bench, Place, Topic};
use crate::check::finding::{Certainty, Severity};
use crate::objects::{Holder, Moved, Object, Origin, Table};
use crate::pipeline::{Around, BindAnswer, What};
use crate::rpc::ChannelId;

/// Connections of one server that are watched; who opens more is not said to leave anything.
const MAX_CHANNELS: usize = 4096;
/// Interfaces that are asked of one another, to the first that was handed out.
const MAX_QUERIES: usize = 16;
/// Nanoseconds after which a server runs down what nobody pings: three periods of 120 s.
pub(super) const RUNDOWN: i64 = 360_000_000_000;
/// A client and its connections.
#[derive(Debug, Default)]
struct Guest {
    open: FxHashSet<ChannelId>,
    /// Whether an object was called: who was not let in could not release any.
    called: bool,
    /// When it closed the last of them, if it did so itself.
    left: Option<Time>,
    /// Whether something of it is not known.
    unsure: bool,
}

/// What is remembered of references.
#[derive(Debug, Default)]
pub(super) struct References {
    /// By client. Added by binds, no more than [`MAX_CHANNELS`] connections in all.
    guests: BTreeMap<IpAddr, Guest>,
    channels: usize,
    /// Whether packets were missing before the first of them came.
    late: bool,
    /// Where each interface pointer that is held was handed out, and by which method. Added and removed
    /// with the references.
    issued: FxHashMap<Guid, (Place, Option<Arc<str>>)>,
}

impl References {
    /// A call is over: where references were handed out.
    pub(super) fn answered(&mut self, case: &Case<'_>) {
        if let Some(guest) = self.guests.get_mut(&case.client) {
            guest.left = None;
            guest.called |= case.call.rpc.object.is_some();
        }
        for moved in &case.moved {
            match moved {
                Moved::Issued { reference, .. } if self.issued.len() < MAX_CHANNELS => {
                    let place = Place::of(case.call, Some(reference.ipid));
                    let method = case.call.method().map(Arc::from);
                    self.issued.insert(reference.ipid, (place, method));
                }
                Moved::Released { count, last: true, .. } => {
                    self.issued.remove(&count.ipid);
                }
                _ => {}
            }
        }
    }

    /// Something beside the calls.
    pub(super) fn around(&mut self, around: &Around) {
        let client = around.client.ip();
        match &around.what {
            What::Bound(bound) if bound.answer == BindAnswer::Accepted && bound.tcp => {
                if self.channels >= MAX_CHANNELS {
                    self.guests.values_mut().for_each(|guest| guest.unsure = true);
                    return;
                }
                let unsure = self.late;
                let guest = self
                    .guests
                    .entry(client)
                    .or_insert_with(|| Guest { unsure, ..Guest::default() });
                guest.left = None;
                self.channels += usize::from(guest.open.insert(bound.channel));
            }
            What::ChannelClosed { channel, by } => {
                let Some(guest) = self.guests.get_mut(&client) else { return };
                if guest.open.remove(channel) {
                    self.channels = self.channels.saturating_sub(1);
                    guest.left =
                        (guest.open.is_empty() && *by == Some(Side::Client)).then_some(around.time);
                    guest.unsure |= by.is_none();
                }
            }
            _ => {}
        }
    }

    /// Packets are missing.
    pub(super) fn forget(&mut self) {
        self.late |= self.guests.is_empty();
        self.guests.values_mut().for_each(|guest| guest.unsure = true);
    }

    /// When a client left that does not ping the object, where that is known of it.
    pub(super) fn left(&self, object: &Object, holder: &Holder, table: &Table) -> Option<Time> {
        let guest = self.guests.get(&holder.client)?;
        let left = guest.left.filter(|_| guest.called && !guest.unsure && holder.sure)?;
        let known = is_new(object, table) && !is_pinged(object, holder.client, table, left);
        known.then_some(left)
    }

    /// The capture has ended: what clients that left have not released.
    pub(super) fn finish(&self, table: &Table, bench: &mut Bench<'_>) {
        for object in table.objects() {
            let Some(iid) = object.iid.filter(|iid| interface_name(*iid).is_some()) else {
                continue;
            };
            for holder in &object.holders {
                let Some(left) = self.left(object, holder, table) else { continue };
                let rule = own_rule(object);
                let kept = !holder.holds();
                let around = || (Place::around(left, None, Some(holder.client)), None);
                let (place, method) = self.issued.get(&object.ipid).cloned().unwrap_or_else(around);
                let name = interface_name(iid).unwrap_or_default();
                bench.expect(
                    kept,
                    Topic::Order,
                    &rule,
                    &place,
                    || {
                        format!(
                            "the client left without releasing the {name} that it had got: the server \
                             keeps it until it notices that nobody pings it"
                        )
                    },
                    |finding| {
                        finding.with_rules(["SCMP-3.2.4.1-03"]);
                        finding.at_most(Severity::Warning, Certainty::Likely);
                    },
                );
                if kept {
                    bench.pass("SCMP-3.2.4.1-03");
                }
                bench.settle(method.as_deref());
            }
        }
    }
}

/// Whether an object cannot be older than what was seen: somebody may ping it since before then.
fn is_new(object: &Object, table: &Table) -> bool {
    let mut origin = object.origin;
    for _ in 0..MAX_QUERIES {
        let Origin::Query { of, .. } = origin else { return origin.is_seen() };
        let Some(of) = table.object(of) else { return false };
        origin = of.origin;
    }
    false
}

/// Whether a client may keep an object alive: it pings it, or what it pings is not known.
fn is_pinged(object: &Object, client: IpAddr, table: &Table, left: Time) -> bool {
    let Some(oid) = object.oid else { return true };
    table.ping_sets(client).any(|set| {
        let lately = left.since(set.last) < RUNDOWN;
        lately && (!set.sure || set.oids.contains(&oid))
    })
}

/// The rule about releasing what this call hands out.
fn own_rule(object: &Object) -> String {
    let of = |query: Query| format!("SCMP-{}-12", query.section());
    match object.origin {
        Origin::Method { interface: MGMT, opnum: 3, .. } => "SCMP-3.1.1.4.1-03".to_owned(),
        Origin::Method { interface: MGMT, opnum: 4, .. } => of(Query::Volumes),
        Origin::Method { interface: MGMT, opnum: 5, .. } => of(Query::Snapshots),
        Origin::Method { interface: DIFF, opnum: 5, .. } => of(Query::DiffVolumes),
        Origin::Method { interface: DIFF, opnum: 6, .. } => of(Query::AreasFor),
        Origin::Method { interface: DIFF, opnum: 7, .. } => of(Query::AreasOn),
        Origin::Method { interface: ENUM_OBJECT, opnum: 6, .. } => "SCMP-3.1.2.4-05".to_owned(),
        Origin::Method { interface: ENUM_MGMT, opnum: 6, .. } => "SCMP-3.1.3.4-05".to_owned(),
        _ => "SCMP-3.2.4.1-03".to_owned(),
    }
}
