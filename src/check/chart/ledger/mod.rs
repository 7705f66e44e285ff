//! [`Ledger`]: the shadow copy sets and shares of one server, as its calls show them.
//!
//! It accuses nobody. It remembers what the circumstances of a failure are made of, and where calls
//! may have been missed it claims nothing that rests on their absence.

mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet};

pub(super) use known::is_same_host;

use super::trouble::SymptomNo;
use crate::bytes::Guid;
use crate::check::act::{Act, host_of, share_key};
use crate::check::exposed_name::ExposedName;
use crate::check::machine::Answer;
use crate::protocol::fsrvp::{ContextValue, Request, Response, ShareMapping};
use crate::rpc::ChannelId;

/// Sets remembered of one server.
const MAX_SETS: usize = 4096;
/// Shares remembered of one set.
const MAX_SHARES: usize = 512;
/// Shares remembered that were refused.
const MAX_REFUSED: usize = 8192;
/// Clients of one server whose shares and sets are known.
const MAX_CLIENTS: usize = 256;
/// Copies whose set is known, and shares of which copies are left.
const MAX_COPIES: usize = 8192;
/// Names remembered: those of a server, and the hosts that a client has named.
const MAX_NAMES: usize = 64;
/// Copies of a share that somebody must have left behind before it is worth telling.
const MANY: u32 = 3;

/// A share that somebody wanted in a set.
#[derive(Clone, Debug)]
struct Share {
    /// As it was asked for, and as it is compared.
    name: String,
    key: String,
    /// The copy, once it was added.
    copy: Option<Guid>,
    /// By what name the copy is shared, as `GetShareMapping` told.
    exposed: Option<String>,
    /// Whether its mapping was deleted.
    deleted: bool,
    /// Whether the share of the copy was ever connected, and why it could not be, so far.
    connected: bool,
    barred: Option<SymptomNo>,
}

/// What is known of a set.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
struct Record {
    /// Whether its Start was seen.
    issued: bool,
    /// Who started it, and its own id of it.
    client: Option<IpAddr>,
    client_id: Option<Guid>,
    context: Option<ContextValue>,
    /// Added by Add, refused ones too, no more than [`MAX_SHARES`]; nothing is removed.
    shares: Vec<Share>,
    /// Whether something may have been done with it that was not seen.
    doubtful: bool,
    recovered: bool,
    /// What carried the last call that found it.
    channel: Option<ChannelId>,
    /// Whether its client has aborted it.
    aborted: bool,
}

impl Record {
    fn added(&self) -> impl Iterator<Item = &Share> {
        self.shares.iter().filter(|share| share.copy.is_some())
    }
}

/// What is known of a client.
#[derive(Clone, Debug, Default)]
struct Patron {
    /// What it last asked of `SetContext` with success, and what carried that.
    context: Option<ContextValue>,
    channel: Option<ChannelId>,
    /// The account that the server last did something for, beyond telling its version.
    served: Option<String>,
    /// The hosts in the names of shares that it has asked for, no more than [`MAX_NAMES`].
    hosts: BTreeSet<String>,
    /// The set that it has started and not ended.
    under_way: Option<Guid>,
}

/// What is known of the sets, shares and clients of a server.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Added by calls on a set; when there are more than [`MAX_SETS`] all are forgotten.
    sets: FxHashMap<Guid, Record>,
    /// The set of each copy. Added by Add; when there are more than [`MAX_COPIES`] all sets are
    /// forgotten.
    copies: FxHashMap<Guid, Guid>,
    /// How many copies of a share are left by finished sets. Added by `RecoveryComplete`, taken from
    /// by `DeleteShareMapping`; no more than [`MAX_COPIES`] shares.
    left: FxHashMap<String, u32>,
    /// Added by calls, no more than [`MAX_CLIENTS`]; nothing is removed.
    patrons: BTreeMap<IpAddr, Patron>,
    /// The shares that the server has shown that it has, as they are compared. Added by calls, no more
    /// than [`MAX_COPIES`]; nothing is removed.
    shown: FxHashSet<String>,
    /// What the server calls itself, in lower case, no more than [`MAX_NAMES`].
    names: BTreeSet<String>,
    /// Whether calls may have been missed.
    missed: bool,
    /// Shares that were refused, no more than [`MAX_REFUSED`]; those of later ones are not remembered.
    refused: usize,
}

impl Ledger {
    /// The server has told its name.
    pub(super) fn named(&mut self, name: Option<&str>) {
        if let Some(name) = name.filter(|_| self.names.len() < MAX_NAMES) {
            let name = name.to_lowercase();
            if !self.names.contains(&name) {
                self.names.insert(name);
            }
        }
    }

    /// Whether a host is the server by one of its own names; nothing if it has told none, or the host
    /// is an address.
    pub(super) fn is_itself(&self, host: &str) -> Option<bool> {
        let told = !self.names.is_empty() && host.parse::<IpAddr>().is_err();
        told.then(|| self.names.iter().any(|name| is_same_host(name, host)))
    }

    /// Calls may have been missed.
    pub(super) fn forget(&mut self) {
        self.missed = true;
        for record in self.sets.values_mut() {
            record.doubtful = true;
        }
    }

    fn record(&mut self, set: Guid) -> &mut Record {
        let full = self.sets.len() >= MAX_SETS && !self.sets.contains_key(&set);
        if full || self.copies.len() >= MAX_COPIES || self.left.len() >= MAX_COPIES {
            self.sets.clear();
            self.copies.clear();
            self.left.clear();
            self.refused = 0;
            self.missed = true;
        }
        self.sets.entry(set).or_default()
    }

    fn patron(&mut self, client: IpAddr) -> Option<&mut Patron> {
        let room = self.patrons.len() < MAX_CLIENTS || self.patrons.contains_key(&client);
        room.then(|| self.patrons.entry(client).or_default())
    }

    /// A call is over. The share of which it leaves one copy more than anybody would need, if it does.
    pub(super) fn answered(&mut self, act: &Act, user: Option<&str>) -> Option<String> {
        if let Some(patron) = self.patron(act.client)
            && let Some(host) = act.share().and_then(host_of)
            && patron.hosts.len() < MAX_NAMES
        {
            patron.hosts.insert(host);
        }
        match act.answer {
            answer if answer.is_success() => self.done(act, user),
            Answer::Status(_) | Answer::Refused(_) => {
                self.refused(act);
                None
            }
            _ => {
                self.unclear(act);
                None
            }
        }
    }

    /// What was done is not known.
    fn unclear(&mut self, act: &Act) {
        match act.set() {
            Some(set) => self.record(set).doubtful = true,
            // It may have been any of them, or have started one.
            None if act.names_set() || act.opnum == 2 => self.forget(),
            None => {}
        }
    }

    fn refused(&mut self, act: &Act) {
        let (Some(Request::AddToShadowCopySet(of)), Some(set)) = (&act.request, act.set()) else {
            return;
        };
        if self.sets.contains_key(&set) && self.refused < MAX_REFUSED {
            self.refused += 1;
            self.record(set).wants(&of.share_name, None);
        }
    }

    fn done(&mut self, act: &Act, user: Option<&str>) -> Option<String> {
        let served = user.filter(|_| act.opnum != 0).map(str::to_owned);
        if let Some(share) = act.share().filter(|_| self.shown.len() < MAX_COPIES) {
            self.shown.insert(share_key(share));
        }
        if let Some(patron) = self.patron(act.client) {
            if served.is_some() {
                patron.served = served;
            }
            if let Some(Request::SetContext(of)) = &act.request {
                patron.context = Some(of.context);
                patron.channel = Some(act.channel);
            }
        }
        let Some(set) = act.started().or_else(|| act.set()).filter(|id| !id.is_nil()) else {
            self.unclear(act);
            return None;
        };
        match (&act.request, &act.response) {
            (Some(Request::StartShadowCopySet(of)), _) => {
                self.started(act, set, of.client_shadow_copy_set_id);
            }
            (Some(Request::AddToShadowCopySet(of)), _) => self.added(set, &of.share_name, act),
            (Some(Request::AbortShadowCopySet(_)), _) => {
                let record = self.record(set);
                record.aborted = record.client == Some(act.client);
                self.ended(act.client, set);
            }
            (Some(Request::RecoveryCompleteShadowCopySet(_)), _) => {
                self.ended(act.client, set);
                return self.recovered(set);
            }
            (Some(Request::DeleteShareMapping(of)), _) => self.deleted(of.shadow_copy_id),
            (Some(Request::GetShareMapping(_)), Some(Response::GetShareMapping(of))) => {
                if let ShareMapping::ShareMapping1(Some(mapping)) = &of.share_mapping
                    && let Some(share) = self.share_of(mapping.shadow_copy_id)
                {
                    share.exposed.clone_from(&mapping.shadow_copy_share_name);
                }
            }
            _ => {}
        }
        self.record(set).channel = Some(act.channel);
        None
    }

    fn started(&mut self, act: &Act, set: Guid, client_id: Guid) {
        let context = self.patrons.get(&act.client).and_then(|patron| patron.context);
        *self.record(set) = Record {
            issued: true,
            client: Some(act.client),
            client_id: Some(client_id),
            context,
            ..Record::default()
        };
        if let Some(patron) = self.patron(act.client) {
            patron.under_way = Some(set);
        }
    }

    fn added(&mut self, set: Guid, name: &str, act: &Act) {
        self.record(set).wants(name, act.added());
        self.copies.extend(act.added().map(|copy| (copy, set)));
    }

    /// A set is finished. The share of which it leaves one copy more than anybody would need.
    fn recovered(&mut self, set: Guid) -> Option<String> {
        let missed = self.missed;
        let record = self.record(set);
        if std::mem::replace(&mut record.recovered, true) {
            return None;
        }
        let kept = record.added().filter(|share| !share.deleted);
        let kept: Vec<_> = kept.map(|share| (share.key.clone(), share.name.clone())).collect();
        let mut piled = None;
        for (key, name) in kept {
            let left = self.left.entry(key).or_default();
            *left = left.saturating_add(1);
            if *left >= MANY && !missed {
                piled = Some(name);
            }
        }
        piled
    }

    fn deleted(&mut self, copy: Guid) {
        let Some(record) = self.copies.get(&copy).and_then(|set| self.sets.get_mut(set)) else {
            return;
        };
        let recovered = record.recovered;
        let Some(share) = record.shares.iter_mut().find(|of| of.copy == Some(copy)) else { return };
        let first = !std::mem::replace(&mut share.deleted, true);
        if let Some(left) = self.left.get_mut(&share.key).filter(|_| first && recovered) {
            *left = left.saturating_sub(1);
        }
    }

    fn ended(&mut self, client: IpAddr, set: Guid) {
        if let Some(patron) = self.patron(client) {
            patron.under_way = patron.under_way.filter(|under_way| *under_way != set);
        }
    }

    fn share_of(&mut self, copy: Guid) -> Option<&mut Share> {
        let record = self.sets.get_mut(self.copies.get(&copy)?)?;
        record.shares.iter_mut().find(|share| share.copy == Some(copy))
    }

    fn known(&self, copy: Guid) -> Option<(Guid, &Record, &Share)> {
        let set = *self.copies.get(&copy)?;
        let record = self.sets.get(&set)?;
        let share = record.shares.iter().find(|share| share.copy == Some(copy))?;
        Some((set, record, share))
    }

    /// The set of a client that was started and has not ended.
    pub(super) fn under_way(&self, client: IpAddr) -> Option<Guid> {
        self.patrons.get(&client)?.under_way
    }

    /// The shares that somebody wanted in a set, each once.
    pub(super) fn wanted(&self, set: Guid) -> Vec<String> {
        self.names(set, |_| true)
    }

    /// The shares that are in a set.
    pub(super) fn in_set(&self, set: Guid) -> Vec<String> {
        self.names(set, |share| share.copy.is_some())
    }

    fn names(&self, set: Guid, which: impl Fn(&Share) -> bool) -> Vec<String> {
        let shares = self.sets.get(&set).into_iter().flat_map(|record| &record.shares);
        shares.filter(|share| which(share)).map(|share| share.name.clone()).collect()
    }

    /// Who started a set.
    pub(super) fn client_of(&self, set: Guid) -> Option<IpAddr> {
        self.sets.get(&set)?.client
    }

    /// Who started the set of the copy that is shared by this name.
    pub(super) fn client_of_copy(&self, path: &str) -> Option<IpAddr> {
        self.client_of(*self.copies.get(&ExposedName::parse(path)?.id)?)
    }

    /// Whether its client gave a set up.
    pub(super) fn is_aborted(&self, set: Guid) -> bool {
        self.sets.get(&set).is_some_and(|record| record.aborted)
    }

    /// Whether the mapping of a share of a set is gone by now.
    pub(super) fn is_deleted(&self, set: Guid, share: &str) -> bool {
        let key = share_key(share);
        let mut shares = self.sets.get(&set).into_iter().flat_map(|record| &record.shares);
        shares.any(|share| share.deleted && share.key == key)
    }

    /// Whether the mappings of all shares of a set are gone by now.
    pub(super) fn is_all_deleted(&self, set: Guid) -> bool {
        let mut added = self.sets.get(&set).into_iter().flat_map(Record::added).peekable();
        added.peek().is_some() && added.all(|share| share.deleted)
    }

    /// Whether there is a share in a set.
    pub(super) fn has_share(&self, set: Guid) -> bool {
        self.sets.get(&set).is_some_and(|record| record.added().next().is_some())
    }

    /// Why the copies of a set cannot be read: a share of one could not be connected, and never was.
    pub(super) fn barred(&self, set: Guid) -> Option<SymptomNo> {
        let record = self.sets.get(&set).filter(|record| !record.doubtful && !self.missed)?;
        record.shares.iter().find_map(|share| share.barred)
    }

    /// The share of a copy was connected.
    pub(super) fn connected(&mut self, path: &str) {
        let copy = ExposedName::parse(path).map(|name| name.id);
        if let Some(share) = copy.and_then(|copy| self.share_of(copy)) {
            share.connected = true;
            share.barred = None;
        }
    }

    /// The share of a copy could not be connected; that says little where it was before, or was deleted.
    pub(super) fn not_connected(&mut self, path: &str, symptom: SymptomNo) {
        let copy = ExposedName::parse(path).map(|name| name.id);
        let share = copy.and_then(|copy| self.share_of(copy));
        if let Some(share) = share.filter(|share| !share.connected && !share.deleted) {
            share.barred.get_or_insert(symptom);
        }
    }
}

impl Record {
    /// Somebody wants a share in it, and gets a copy, or not.
    fn wants(&mut self, name: &str, copy: Option<Guid>) {
        let key = share_key(name);
        let full = self.shares.len() >= MAX_SHARES;
        match self.shares.iter_mut().find(|share| share.key == key) {
            Some(share) => share.copy = share.copy.or(copy),
            None if full => self.doubtful = true,
            None => self.shares.push(Share {
                name: name.to_owned(),
                key,
                copy,
                exposed: None,
                deleted: false,
                connected: false,
                barred: None,
            }),
        }
    }
}
