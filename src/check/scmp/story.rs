//! What an administrator wants to know in the end: which objects there were, which volumes can be
//! shadowed, which copies there are, where they are stored and how full that is, and who changed what.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::areas::{Last, Pair, State};
use super::message::{Arm, Ask, ENUM_MGMT, ENUM_OBJECT, Element, Tell};
use super::volume::Volumes;
use super::{Case, Manager, interface_name};
use crate::bytes::{Guid, Time};
use crate::objects::{Holder, Origin, Phase};

/// Volumes, changes and failures of one server that are told.
const MAX_TOLD: usize = 1024;

/// An interface pointer, for people and for records.
#[derive(Clone, Debug)]
pub struct ObjectReport {
    /// The server.
    pub server: IpAddr,
    /// `IPID`
    pub ipid: Guid,
    /// The interface, and its name where it is known here.
    pub iid: Option<Guid>,
    /// See above.
    pub interface: Option<&'static str>,
    /// OID and OXID.
    pub oid: Option<u64>,
    /// See above.
    pub oxid: Option<u64>,
    /// The class that was activated.
    pub class: Option<Guid>,
    /// How it came: `activation`, `method`, `query`, or `adopted`, where that was not seen.
    pub origin: &'static str,
    /// The call by which it is known.
    pub call: u64,
    /// When that was.
    pub since: Time,
    /// Who holds it.
    pub holders: Vec<Holder>,
    /// `live`, `released` or `gone`.
    pub state: &'static str,
    /// The call that released the last reference.
    pub released: Option<u64>,
    /// Whether a client that holds it has left without releasing it.
    pub left: bool,
    /// Calls on it.
    pub calls: u64,
    /// The last of them.
    pub last: Option<u64>,
    /// When a ping last kept it alive.
    pub pinged: Option<Time>,
    /// Whether nobody needs to ping it.
    pub unpinged: bool,
    /// Of an enumerator: where it stands.
    pub cursor: Option<CursorReport>,
    /// The enumerator that it is a clone of.
    pub clone_of: Option<Guid>,
}

/// Where an enumerator stands.
#[derive(Clone, Copy, Debug)]
pub struct CursorReport {
    /// The structure of its elements; none where it was not seen to be made.
    pub lists: Option<&'static str>,
    /// Its place, where that is known: elements before it.
    pub place: Option<usize>,
    /// How many there are, and the call that showed it.
    pub len: Option<(usize, u64)>,
    /// Elements that it has given, those that it gave again among them.
    pub given: usize,
    /// The call that said that nothing is left, where that is so.
    pub end: Option<u64>,
}

/// An association of a volume with its storage.
#[derive(Clone, Debug)]
pub struct AreaReport {
    /// The volume, as people call it.
    pub volume: String,
    /// The volume that holds its storage.
    pub storage: String,
    /// Whether there is one.
    pub there: bool,
    /// Its maximum in octets; -1 is none.
    pub max: Option<i64>,
    /// Octets allocated and used.
    pub allocated: Option<i64>,
    /// See above.
    pub used: Option<i64>,
    /// When that was so.
    pub time: Time,
    /// The call that says so.
    pub call: u64,
}

/// A volume.
#[derive(Clone, Debug, Default)]
pub struct VolumeReport {
    /// As people call it.
    pub name: String,
    /// Whether it was listed as one that can be shadowed.
    pub shadowed: bool,
    /// Octets free and in all, where they were told.
    pub free: Option<i64>,
    /// See above.
    pub total: Option<i64>,
    /// Shadow copies of it that were listed, with the time of the latest.
    pub copies: u64,
    /// See above, as a FILETIME.
    pub latest: Option<i64>,
    /// The call that last told something of it.
    pub call: u64,
}

/// A call that changed something, or tried to.
#[derive(Clone, Debug)]
pub struct ChangeReport {
    /// Number of the call.
    pub call: u64,
    /// When.
    pub time: Time,
    /// Who.
    pub client: IpAddr,
    /// The account, where it was told.
    pub user: Option<String>,
    /// Whether it is of what there was, or new.
    pub is_new: bool,
    /// The volume, as it is called by what was seen; `None` where the call names none.
    pub volume: Option<String>,
    /// The volume that the copies are stored on.
    pub storage: Option<String>,
    /// How large it may become, in octets. Nothing: it is to go. Below: without a limit.
    pub maximum: i64,
    /// What the server said.
    pub status: Option<u32>,
}

/// What is known of the storage of one server.
#[derive(Clone, Debug)]
pub struct StorageReport {
    /// The server.
    pub server: IpAddr,
    /// Its volumes.
    pub volumes: Vec<VolumeReport>,
    /// Associations.
    pub areas: Vec<AreaReport>,
    /// Who changed what.
    pub changes: Vec<ChangeReport>,
}

/// What is remembered for the end.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// By volume. Added by elements, no more than [`MAX_TOLD`].
    volumes: BTreeMap<String, VolumeReport>,
    /// Added by calls, no more than [`MAX_TOLD`].
    changes: Vec<ChangeReport>,
}

impl Story {
    /// A call is over.
    pub(super) fn answered(&mut self, case: &Case<'_>, volumes: &Volumes) {
        if let Some(Ask::Size { change, volume, storage, size }) = &case.ask {
            self.change(case, volumes, (*change, *size), [volume, storage]);
        }
        if let Some(Tell::Elements(told)) = &case.tell {
            for element in &told.list {
                self.element(element, volumes, case.call.rpc.n);
            }
        }
    }

    fn change(
        &mut self,
        case: &Case<'_>,
        volumes: &Volumes,
        (change, size): (bool, i64),
        names: [&Option<super::message::Text>; 2],
    ) {
        if self.changes.len() >= MAX_TOLD {
            return;
        }
        let [volume, storage] =
            names.map(|name| name.as_ref().map(|name| volumes.called(&name.text)));
        self.changes.push(ChangeReport {
            call: case.call.rpc.n,
            time: case.call.time,
            client: case.client,
            user: case.call.rpc.auth.principal.clone(),
            is_new: !change,
            volume,
            storage,
            maximum: size,
            status: case.status,
        });
    }

    fn element(&mut self, element: &Element, volumes: &Volumes, call: u64) {
        let (name, add): (&str, &dyn Fn(&mut VolumeReport)) = match &element.arm {
            Arm::Volume { name: Some(name), .. } => (&name.text, &|of| of.shadowed = true),
            Arm::DiffVolume { name: Some(name), free, total, .. } => (&name.text, &|of| {
                (of.free, of.total) = (Some(*free), Some(*total));
            }),
            _ => return,
        };
        let place = volumes.place(name);
        if self.volumes.len() >= MAX_TOLD && !self.volumes.contains_key(&place) {
            return;
        }
        let volume = self.volumes.entry(place).or_default();
        volume.name = volumes.called(name);
        volume.call = volume.call.max(call);
        add(volume);
    }
}

impl Manager<'_> {
    /// The objects, in the order in which they came.
    pub(in crate::check) fn objects(&self, server: IpAddr) -> Vec<ObjectReport> {
        let report = |object: &crate::objects::Object| {
            let (class, origin) = match object.origin {
                Origin::Activation { class, .. } => (class, "activation"),
                Origin::Method { .. } => (None, "method"),
                Origin::Query { .. } => (None, "query"),
                Origin::Adopted { .. } => (None, "adopted"),
            };
            let (state, released) = match object.phase {
                Phase::Live => ("live", None),
                Phase::Released { call, .. } => ("released", Some(call)),
                Phase::Gone => ("gone", None),
            };
            let left =
                |of: &Holder| of.holds() && self.references.left(object, of, &self.table).is_some();
            let lists = matches!(object.iid, Some(ENUM_OBJECT | ENUM_MGMT));
            let clone_of = match object.origin {
                Origin::Method { interface: ENUM_OBJECT | ENUM_MGMT, of, .. } => of,
                _ => None,
            };
            ObjectReport {
                server,
                ipid: object.ipid,
                iid: object.iid,
                interface: object.iid.and_then(interface_name),
                oid: object.oid,
                oxid: object.oxid,
                class,
                origin,
                call: object.origin.call(),
                since: object.since,
                holders: object.holders.clone(),
                state,
                released,
                left: object.holders.iter().any(left),
                calls: object.calls,
                last: object.last.map(|(call, _)| call),
                pinged: object.oid.and_then(|oid| self.table.pinged(oid)),
                unpinged: object.unpinged,
                cursor: self.cursors.standing(object.ipid).filter(|of| of.lists.is_some() || lists),
                clone_of,
            }
        };
        self.table.objects().into_iter().map(report).collect()
    }

    /// What is known of the storage.
    pub(in crate::check) fn storage(&self, server: IpAddr) -> StorageReport {
        let mut volumes = self.story.volumes.clone();
        for (_, copy) in self.copies.iter() {
            let place = self.volumes.place(&copy.volume);
            let named = self.volumes.called(&copy.volume);
            let volume = volumes.entry(place).or_default();
            if volume.name.is_empty() {
                volume.name = named;
            }
            volume.copies += 1;
            volume.latest = volume.latest.max(Some(copy.created));
            volume.call = volume.call.max(copy.call);
        }
        let area = |(pair, last): (Pair, Last)| {
            let Last { state, sizes, time, call } = last;
            let max = match state {
                State::There(max) => max,
                State::Gone => None,
            };
            let there = matches!(state, State::There(_));
            AreaReport {
                volume: self.volumes.called(&pair.0),
                storage: self.volumes.called(&pair.1),
                there,
                max,
                allocated: sizes.filter(|_| there).map(|sizes| sizes.allocated),
                used: sizes.filter(|_| there).map(|sizes| sizes.used),
                time,
                call,
            }
        };
        StorageReport {
            server,
            volumes: volumes.into_values().collect(),
            areas: self.areas.last().into_iter().map(area).collect(),
            changes: self.story.changes.clone(),
        }
    }
}
