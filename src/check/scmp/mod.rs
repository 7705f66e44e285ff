//! \[MS-SCMP\]: who manages the shadow copies of a server, judged.
//!
//! One [`Manager`] for each server. It keeps which objects clients hold ([`Table`]), where each
//! enumerator stands ([`Cursors`]), and what is known of the storage of shadow copies ([`Areas`]); rules
//! look at each call with that in mind, and their verdicts go to a [`Bench`].
//!
//! ```text
//!  call ─► Table: the object it is made on, references that it moves ─┐
//!       ├─► Ask, Tell: what is asked and told                        ├─► rules ─► Bench
//!       ├─► Cursors: which elements there are, where the call stands ─┤
//!       └─► Areas: which volume stores its copies where              ─┘
//! ```
//!
//! | file | what it is for |
//! |---|---|
//! | `message.rs` | what is asked and told, reduced |
//! | `volume.rs`, `areas.rs`, `cursor.rs` | names of volumes; storage; enumerators |
//! | `calls.rs` | opnums, faults, results, strings: what is wrong with a call by itself |
//! | `methods.rs` | providers, contexts, names, what each query must give |
//! | `elements.rs` | what an element must be |
//! | `moves.rs` | Next, Skip, Reset, Clone |
//! | `sizes.rs` | what becomes of associations |
//! | `copies.rs` | what is so of a shadow copy whenever it is listed |
//! | `whole.rs` | lists that were read to their end |
//! | `references.rs` | who holds which object, and what is left in the end |
//! | `remote.rs` | calls of objects, of references and of pings: who may |
//! | `ways.rs` | security, binds, activations, what happens beside the calls |
//! | `attempts.rs` | what clients came for, and what stopped them |
//! | `story.rs` | what an administrator wants to know in the end |
//!
//! # Soundness
//!
//! Nothing is said of what cannot be read. After a gap nothing that was known before is held against
//! anybody: objects may have moved, enumerators may stand anywhere, storage may have been changed.
//! Two calls on one enumerator that overlap leave its place unknown. What a client that is not in the
//! capture may have changed on the server is no more than a note, *possible*, unless it is said that all
//! clients are in the capture; and a warning after five seconds, in which somebody at the server may
//! have changed it.

mod areas;
mod attempts;
mod calls;
mod copies;
mod cursor;
mod elements;
mod message;
mod methods;
mod moves;
mod references;
mod remote;
mod sizes;
mod story;
mod volume;
mod ways;
mod whole;

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use self::areas::Areas;
use self::attempts::Attempts;
pub(super) use self::attempts::METHODS;
use self::copies::Copies;
use self::cursor::Cursors;
pub(super) use self::message::interface_name;
use self::message::{Ask, Tell};
use self::references::References;
use self::story::Story;
pub use self::story::{
    AreaReport, ChangeReport, CursorReport, ObjectReport, StorageReport, VolumeReport,
};
use self::volume::Volumes;
use self::ways::Ways;
use super::bench::{Bench, Place, Topic};
use super::catalogue::Catalogue;
use super::finding::{Certainty, Finding, Severity};
use super::profile::Profile;
use super::server::Vantage;
use crate::bytes::{Guid, Side, Time};
use crate::call::{Call, Outcome, Readable};
use crate::objects::{Moved, Said, Table, Use};
use crate::pipeline::{Around, What};
use crate::protocol::dcom;

/// Nanoseconds by which times may be off, on top of what the clocks of several captures may be.
const SLACK: i64 = 1_000_000_000;
/// Calls in flight on objects that are watched; beyond it none is known to overlap with none.
const MAX_IN_FLIGHT: usize = 4096;

/// Whether a call is one of an interface that this judges, or that hands out and takes back objects.
pub(super) fn is_ours(call: &Call) -> bool {
    call.rpc.interface.is_some_and(|syntax| is_of(syntax.uuid))
}

/// The same of an interface.
pub(super) fn is_of(interface: Guid) -> bool {
    is_dcom(interface) || interface_name(interface).is_some()
}

fn is_dcom(interface: Guid) -> bool {
    [
        dcom::IREMUNKNOWN,
        dcom::IREMUNKNOWN2,
        dcom::IREMOTESCMACTIVATOR,
        dcom::IACTIVATION,
        dcom::IOBJECTEXPORTER,
        dcom::ICLASSFACTORY,
    ]
    .contains(&interface)
}

/// Whether it shows that somebody comes for objects of a server.
pub(super) fn comes_for_objects(what: &What) -> bool {
    match what {
        What::Bound(bound) => bound.interface.is_some_and(|of| is_of(of.uuid)),
        What::BindUnanswered { interfaces, .. } => interfaces.iter().any(|of| is_of(of.uuid)),
        _ => false,
    }
}

/// Whether an activation asks for one of the interfaces.
fn comes_for_us(call: &Call) -> bool {
    let Some(Said::Activated(activation)) = Said::of(call) else { return false };
    activation.wanted.iter().any(|iid| interface_name(*iid).is_some())
}

/// A call with all that is known when it is judged.
pub(super) struct Case<'c> {
    pub(super) call: &'c Call,
    /// What is asked and told, as far as it could be read.
    ask: Option<Ask>,
    /// See above.
    tell: Option<Tell>,
    pub(super) place: Place,
    /// How its object stood.
    pub(super) stands: Use,
    /// What it moved.
    pub(super) moved: Vec<Moved>,
    /// Whether another call on the same object was under way at some time.
    pub(super) overlapped: bool,
    /// The interface.
    pub(super) interface: Guid,
    pub(super) opnum: u16,
    /// What the method returned.
    pub(super) status: Option<u32>,
    pub(super) client: IpAddr,
    /// When its answer was complete, if there is one.
    pub(super) answered: Option<Time>,
    /// Whether the capture has all clients of the server.
    pub(super) all_clients: bool,
}

impl Case<'_> {
    /// Whether the method returned success.
    pub(super) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status & 0x8000_0000 == 0)
    }

    /// Whether it returned an error.
    pub(super) fn failed(&self) -> bool {
        self.status.is_some_and(|status| status & 0x8000_0000 != 0)
    }

    /// The name of the method with its interface.
    pub(super) fn method(&self) -> String {
        let interface = interface_name(self.interface).unwrap_or_default();
        format!("{interface}::{}", self.call.method().unwrap_or("?"))
    }

    /// Expects something of what was returned, and points at that if it is not so.
    pub(super) fn expect_of_answer(
        &self,
        (kept, topic, rule): (bool, Topic, &str),
        bench: &mut Bench<'_>,
        what: impl FnOnce() -> String,
        refine: impl FnOnce(&mut Finding),
    ) {
        bench.expect(kept, topic, rule, &self.place, what, |finding| {
            finding.with_octets(self.call, Side::Server, "return", "the answer");
            refine(finding);
        });
    }

    /// What others could have changed: as much as it is, for who has not seen them.
    pub(super) fn weaken(&self, finding: &mut Finding, since: Option<Time>) {
        if !self.all_clients {
            finding.at_most(Severity::Note, Certainty::Possible);
        } else if since.is_some_and(|since| self.call.time.since(since) > areas::FRESH) {
            finding.at_most(Severity::Warning, Certainty::Likely);
        }
    }
}

/// One server under judgment.
#[derive(Debug)]
pub(super) struct Manager<'k> {
    pub(super) bench: Bench<'k>,
    pub(super) table: Table,
    cursors: Cursors,
    volumes: Volumes,
    areas: Areas,
    copies: Copies,
    references: References,
    ways: Ways,
    story: Story,
    attempts: Attempts,
    vantage: Vantage,
    /// Calls in flight on objects: by number, the object. Added by requests, removed by what ends them.
    flight: FxHashMap<u64, Guid>,
    /// Objects on which calls have overlapped since they last were alone.
    tangled: rustc_hash::FxHashSet<Guid>,
    /// Whether anybody has come for \[MS-SCMP\]; until then it is only watched which objects there are.
    pub(super) ours: bool,
}

impl<'k> Manager<'k> {
    pub(super) fn new(
        catalogue: &'k Catalogue,
        profile: &Arc<Profile>,
        server: IpAddr,
        vantage: Vantage,
    ) -> Self {
        let slack = SLACK.saturating_add(vantage.clock_error.max(0));
        Self {
            bench: Bench::new(catalogue, profile.clone(), server, slack),
            table: Table::default(),
            cursors: Cursors::default(),
            volumes: Volumes::default(),
            areas: Areas::default(),
            copies: Copies::default(),
            references: References::default(),
            ways: Ways::default(),
            story: Story::default(),
            attempts: Attempts::default(),
            vantage,
            flight: FxHashMap::default(),
            tangled: rustc_hash::FxHashSet::default(),
            ours: false,
        }
    }

    /// A request is complete.
    pub(super) fn asked(&mut self, call: &Call) {
        let Some(object) = call.rpc.object else { return };
        if self.flight.values().any(|of| *of == object) {
            self.tangled.insert(object);
        }
        if self.flight.len() >= MAX_IN_FLIGHT {
            self.flight.clear();
            self.cursors.lose();
        }
        self.flight.insert(call.rpc.n, object);
    }

    /// A call is over.
    pub(super) fn answered(&mut self, call: &Call) {
        let overlapped = self.lands(call);
        let Some(interface) = call.rpc.interface.map(|syntax| syntax.uuid) else {
            return self.forget(call.time);
        };
        let ours = interface_name(interface).is_some();
        self.ours |= ours || comes_for_us(call);
        let stands = self.table.stands(call);
        let moved = self.table.answered(call);
        let case = Case {
            call,
            ask: message::ask(call),
            tell: message::tell(call),
            place: Place::of(call, call.rpc.object.filter(|_| ours)),
            stands,
            moved,
            overlapped,
            interface,
            opnum: call.rpc.opnum.unwrap_or_default(),
            status: call.status,
            client: call.client.addr.ip(),
            answered: call.rpc.response.as_ref().map(|response| response.time),
            all_clients: self.vantage.all_clients,
        };
        self.references.answered(&case);
        self.attempts.answered(&case, &self.volumes);
        if !self.ours {
            return;
        }
        super::signatures::of_call(call, &case.place, &mut self.bench);
        self.ways.answered(&case, &mut self.bench);
        remote::check(&case, &self.table, &mut self.bench);
        if ours && call.rpc.opnum.is_some() {
            calls::check(&case, &mut self.bench);
            self.judge(&case);
        }
        self.story.answered(&case, &self.volumes);
        self.bench.settle(call.method());
    }

    /// A call to \[MS-SCMP\].
    fn judge(&mut self, case: &Case<'_>) {
        let unread = |stub: Readable| !stub.is_clear() && stub != Readable::Absent;
        let gone = case.call.outcome == Outcome::NoResponse
            || unread(case.call.response.readable)
            || unread(case.call.request.readable);
        if gone && let Some(object) = case.call.rpc.object {
            self.cursors.adopt(object);
            if let Some((cursor, _)) = self.cursors.of(object) {
                cursor.lose();
            }
        }
        methods::check(case, &self.volumes, &self.areas, &mut self.bench);
        elements::check(case, &self.cursors, &mut self.volumes, &mut self.bench);
        self.copies.check(case, &mut self.bench);
        moves::check(case, &mut self.cursors, &mut self.bench);
        sizes::check(case, &mut self.areas, &self.volumes, &mut self.bench);
        let whole = case.call.rpc.object.and_then(|of| whole::whole(of, &mut self.cursors));
        if let Some(list) = whole.map(|list| list.into_list(&self.volumes)) {
            sizes::listed(case, &list, &self.areas, &self.volumes, &mut self.bench);
            self.areas.listed(list);
        }
        if gone && matches!(case.ask, Some(Ask::Size { .. }) | None) {
            self.areas.forget(case.answered.unwrap_or(case.call.time));
        }
    }

    /// A call is not in flight any more: whether another was, on the same object.
    fn lands(&mut self, call: &Call) -> bool {
        let Some(object) = self.flight.remove(&call.rpc.n).or(call.rpc.object) else {
            return false;
        };
        let others = self.flight.values().any(|of| *of == object);
        let tangled = self.tangled.contains(&object);
        if !others {
            self.tangled.remove(&object);
        }
        others || tangled
    }

    /// Something beside the calls.
    pub(super) fn around(&mut self, around: &Around) {
        match &around.what {
            // Where the server closes it, it may have been started again.
            What::Lost | What::ChannelClosed { by: Some(Side::Server), .. } => {
                self.forget(around.time);
            }
            What::Bound(bound) => {
                self.ours |= bound.interface.is_some_and(|of| interface_name(of.uuid).is_some());
            }
            _ => {}
        }
        self.ways.around(around, &mut self.bench);
        self.references.around(around);
        self.attempts.around(around);
        self.bench.settle(None);
    }

    /// Calls may have been missed.
    pub(super) fn forget(&mut self, now: Time) {
        self.table.forget();
        self.cursors.lose();
        self.areas.forget(now);
        self.references.forget();
    }

    /// The server was started again: what was there is gone.
    pub(super) fn restarted(&mut self, now: Time) {
        self.forget(now);
        self.table.restarted();
    }

    /// The capture has ended.
    pub(super) fn finish(&mut self) {
        if self.ours {
            self.references.finish(&self.table, self.vantage.all_clients, &mut self.bench);
            self.bench.settle(None);
        }
    }
}
