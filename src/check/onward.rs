//! How what clients came for beside their sets ended, also where a server sent them on to another
//! (3.2.4.2.1): whether they came there, and what kept them from it.

use std::net::IpAddr;

use super::act::is_address;
use super::chart::{Circumstance, Code, Slot, Stage, Symptom, Told, is_nobody};
use super::dock::Dock;
use super::errand::{Done, End};
use super::judge::Judge;
use super::report::Operation;
use super::tri::Tri;
use crate::bytes::{Guid, Time};

/// Nanoseconds after which a client has forgotten that a name was unknown.
const FORGETS: i64 = 900_000_000_000;

/// How something ended that is no set.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) client: IpAddr,
    pub(super) operation: Operation,
    /// What stopped it.
    pub(super) symptom: Option<Symptom>,
    /// How far it got.
    pub(super) done: Option<Done>,
    /// The shares that it asked about, and the context it asked for.
    pub(super) shares: Vec<String>,
    pub(super) context: Option<u32>,
    /// When it began, if it was ours from the beginning.
    pub(super) began: Option<Time>,
    /// The set that its client started next.
    pub(super) next: Option<Guid>,
}

/// What became of a client that was sent on.
enum Onward {
    /// It came there, and what it does there tells by itself.
    Arrived,
    /// It did not, because of this.
    Barred(Box<Symptom>),
    /// It was not seen on the way.
    Missing,
    /// It cannot be told.
    Unknown,
}

impl Judge<'_> {
    /// How all ended that clients wanted of a server beside their sets.
    pub(super) fn endings(&self, dock: &Dock<'_>) -> Vec<Ending> {
        let ends = dock.errands.ends().map(|end| Ending::new(end, dock));
        let mut endings: Vec<Ending> =
            ends.chain(dock.shut_out()).filter_map(|of| of.weighed(dock)).collect();
        for (client, told) in dock.chart.owners.told() {
            let client = dock.machine(client);
            let Some((operation, symptom)) = self.sent_on(dock, client, told) else { continue };
            // Whoever only asked questions came for what is elsewhere.
            let asked = endings.iter_mut().find(|ending| {
                ending.client == client
                    && ending.operation == Operation::Completed
                    && ending.symptom.is_none()
            });
            match asked {
                Some(ending) => (ending.operation, ending.symptom) = (operation, symptom),
                None if symptom.as_ref().is_some_and(|of| of.stage != Stage::Stop) => {
                    let done = dock.errands.done(client);
                    endings.push(Ending { done, ..Ending::barred(client, operation, symptom) });
                }
                None => {}
            }
        }
        // Before the capture has ended, who has not done more may do it yet.
        if self.ended {
            for ending in &mut endings {
                ending.cut(dock, self.now);
            }
            endings.extend(dock.unheard(self.now));
        }
        endings
    }

    /// How it ended for a client that was told of another owner; nothing where that changes nothing.
    fn sent_on(
        &self,
        dock: &Dock<'_>,
        client: IpAddr,
        told: &Told,
    ) -> Option<(Operation, Option<Symptom>)> {
        let other = dock.chart.owners.is_other(&told.owner, &dock.addresses);
        if other == Tri::No || told.added_here {
            return None;
        }
        let onward = self.onward(dock, client, told);
        let mut symptom = match onward {
            Onward::Barred(symptom) => *symptom,
            Onward::Arrived => return None,
            _ if other == Tri::Maybe || dock.errands.went_on(client, told.call) => return None,
            Onward::Unknown => return Some((Operation::Unknown, None)),
            Onward::Missing => {
                let said = format!(
                    "IsPathSupported (call {}) named {} as the owner of the share, and nothing shows \
                     that the client went there",
                    told.call, told.owner
                );
                let mut symptom = Symptom::new(Stage::Stop, Code::None, told.time, said);
                symptom.user = dock.chart.user(client).map(str::to_owned);
                let heard = self.servers.iter().filter(|of| !std::ptr::eq(*of, dock));
                let mut heard = heard.filter_map(|of| of.chart.heard(client));
                let seen = heard.any(|time| time >= told.time);
                symptom.circumstances.set(Circumstance::OthersSeen, seen);
                symptom
            }
        };
        let seen =
            symptom.stage != Stage::Stop || symptom.circumstances.has(Circumstance::OthersSeen);
        symptom.client = Some(client);
        symptom.share = Some(told.share.clone());
        symptom.values.retain(|(slot, _)| *slot != Slot::Server);
        // What is said of these is about the server that refused, and that is the owner.
        if matches!(symptom.stage, Stage::Ticket | Stage::Logon | Stage::Share) {
            symptom.values.push((Slot::Server, told.owner.clone()));
        }
        symptom.send_on(told);
        let operation = match (symptom.stage, seen) {
            (Stage::Stop, true) => Operation::Unfinished,
            (Stage::Stop, false) => Operation::Unknown,
            _ => Operation::Failed,
        };
        Some((operation, Some(symptom)))
    }

    /// The servers that clients never came to, and of which no more than a name is known.
    pub(super) fn lost_ways(&self) -> impl Iterator<Item = (Dock<'_>, Ending)> {
        self.ways.barred().filter_map(|(name, symptom)| {
            let client = symptom.client?;
            // Machines look for many names: where there are file servers, only who speaks SMB looks
            // for one.
            let speaks = |dock: &Dock<'_>| dock.chart.heard(client).is_some();
            let names = symptom.stage == Stage::Name && !self.servers.is_empty();
            if names && !self.servers.iter().any(speaks) {
                return None;
            }
            let mut dock = Dock::nowhere();
            dock.evidence.name = Some(name);
            let symptom = Some(symptom);
            Some((dock, Ending::barred(client, Operation::Unknown, symptom)))
        })
    }

    /// What became of a client that was told of another owner.
    fn onward(&self, dock: &Dock<'_>, client: IpAddr, told: &Told) -> Onward {
        let others = || self.servers.iter().filter(|of| !std::ptr::eq(*of, dock));
        let ip: Option<IpAddr> = told.owner.parse().ok();
        let is_owner = |of: &&Dock<'_>| match ip {
            Some(ip) => of.addresses.contains(&ip),
            None => !is_address(&told.owner) && of.chart.owners.is_called(&told.owner),
        };
        let since = |of: &Dock<'_>| of.chart.heard(client).is_some_and(|time| time >= told.time);
        let mut known = others().filter(is_owner).peekable();
        let mut seen = false;
        for owner in known.by_ref() {
            if owner.clients.contains(&client) || owner.errands.is_barred(client) {
                return Onward::Arrived;
            }
            if let Some(symptom) = owner.outside(client) {
                return Onward::Barred(Box::new(symptom));
            }
            seen |= since(owner);
        }
        if seen {
            return Onward::Unknown;
        }
        // A client may remember for a while that a name is unknown, and not ask again.
        let since_told = |of: &Symptom| of.time.plus(FORGETS) >= told.time;
        if let Some(symptom) = self.ways.of(client, &told.owner).filter(since_told) {
            return Onward::Barred(Box::new(symptom));
        }
        // The address of a server that was not reached tells no name.
        let strangers = || others().filter(|of| of.chart.owners.is_nameless() && since(of));
        let barred = strangers().filter_map(|of| of.outside(client));
        let mut barred = barred.filter(|of| of.stage == Stage::Connect && of.time >= told.time);
        if let Some(symptom) = barred.next() {
            return Onward::Barred(Box::new(symptom));
        }
        let blind = dock.sight.lost > 0 || others().any(|of| since(of) && !of.sight.is_full());
        let arrived = |of: &Dock<'_>| of.clients.contains(&client);
        match strangers().any(arrived) {
            true => Onward::Arrived,
            false if blind || strangers().next().is_some() => Onward::Unknown,
            false => Onward::Missing,
        }
    }
}

impl Ending {
    fn new(end: End, dock: &Dock<'_>) -> Self {
        let symptom = end.symptom.and_then(|no| dock.chart.symptom(no));
        // Who may not call is refused every call: it was stopped by the first.
        let first = symptom.zip(end.began).and_then(|(of, began)| dock.chart.denied(of, began));
        let symptom = first.or(symptom).cloned();
        let End { client, operation, done, shares, context, began, next, .. } = end;
        Self { client, operation, symptom, done, shares, context, began, next }
    }

    /// The same, if it was a logon that was refused, by the account: machines try their luck as nobody
    /// in particular, and whether an account that made no backup before was to make one nobody knows.
    fn weighed(self, dock: &Dock<'_>) -> Option<Self> {
        let Some(symptom) = &self.symptom else { return Some(self) };
        if !matches!(symptom.stage, Stage::Ticket | Stage::Logon | Stage::Share) {
            return Some(self);
        }
        let user = symptom.user.as_deref();
        if user.is_some_and(is_nobody) {
            return None;
        }
        let usual = dock.chart.user(self.client);
        let other = user.zip(usual).is_some_and(|(user, usual)| user != usual);
        let operation = if other { Operation::Unknown } else { self.operation };
        Some(Self { operation, ..self })
    }

    /// Who has only asked about shares so far may go on when the capture has ended.
    fn cut(&mut self, dock: &Dock<'_>, end: Time) {
        let asked = self.operation == Operation::Completed && !self.shares.is_empty();
        let Some(done) = self.done.filter(|_| asked) else { return };
        // Who was sent to another server goes on there.
        let sent = dock.chart.owners.told().any(|(client, told)| {
            dock.machine(client) == self.client
                && dock.chart.owners.is_other(&told.owner, &dock.addresses) != Tri::No
        });
        if !sent && dock.chart.may_go_on(self.client, done.time, end) {
            let of = (Some(self.client), dock.chart.user(self.client).map(str::to_owned));
            let reached = (Some(done.opnum), Some(done.call), done.time);
            self.operation = Operation::Unknown;
            self.symptom = Some(dock.chart.stop(of, None, reached));
        }
    }

    /// Of somebody who did not come to ask anything.
    fn barred(client: IpAddr, operation: Operation, symptom: Option<Symptom>) -> Self {
        let (done, shares, context, began, next) = (None, Vec::new(), None, None, None);
        Self { client, operation, symptom, done, shares, context, began, next }
    }
}

impl Dock<'_> {
    /// How it ended for those who did not get into a server of which nobody knows whether it is one of
    /// ours: a logon that is refused fails what it was for; a connection may have been for anything.
    pub(super) fn strange_endings(&self) -> Vec<Ending> {
        let ending = |(client, bar, unreached): (IpAddr, Option<usize>, bool)| {
            let symptom = bar.and_then(|no| self.chart.symptom(no)).cloned();
            let of_logon =
                symptom.as_ref().is_some_and(|of| matches!(of.stage, Stage::Logon | Stage::Ticket));
            if of_logon && self.chart.let_in(client) {
                return None;
            }
            let user = symptom.as_ref().and_then(|symptom| symptom.user.as_deref());
            // Machines try their luck as nobody in particular, and no backup does.
            let nobody = user.is_some_and(is_nobody);
            let unsure = unreached || nobody || !self.sight.is_full();
            let operation = if unsure { Operation::Unknown } else { Operation::Failed };
            Some(Ending::barred(client, operation, symptom))
        };
        self.errands.outside().filter_map(ending).collect()
    }

    /// Clients that have opened our pipe, and of whose calls the capture has none, because it ends.
    fn unheard(&self, end: Time) -> impl Iterator<Item = Ending> {
        let cut = move |(client, opened): &(IpAddr, Time)| {
            !self.errands.has(self.machine(*client)) && self.chart.may_go_on(*client, *opened, end)
        };
        self.chart.guests().filter(cut).map(|(client, opened)| {
            let user = self.chart.user(client).map(str::to_owned);
            let symptom = self.chart.stop((Some(client), user), None, (None, None, opened));
            Ending::barred(client, Operation::Unknown, Some(symptom))
        })
    }

    /// How it ended for clients of ours that came once more and were refused the logon.
    fn shut_out(&self) -> impl Iterator<Item = Ending> {
        let ours = |client: IpAddr, unreached: bool| !unreached && self.errands.is_known(client);
        let outside =
            self.errands.outside().filter(move |(of, _, unreached)| ours(*of, *unreached));
        outside.map(|(client, bar, _)| {
            let symptom = bar.and_then(|no| self.chart.symptom(no)).cloned();
            Ending::barred(client, Operation::Failed, symptom)
        })
    }

    /// Why a client could not log on.
    fn outside(&self, client: IpAddr) -> Option<Symptom> {
        let bar = self.errands.outside().find(|(of, ..)| *of == client)?.1;
        self.chart.symptom(bar?).cloned()
    }
}
