//! [`Memory`]: what the clients of a server have done, as far as the capture shows it.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::known::Known;
use super::people::{Client, Last, Opened, Pipe};
use crate::bytes::{Guid, Side, Time};
use crate::check::act::{Act, host_of};
use crate::check::machine::Answer;
use crate::check::rules::Case;
use crate::pipeline::{Around, What};
use crate::protocol::fsrvp::Request;
use crate::rpc::ChannelId;

/// Clients of a server; the rest are not judged.
const MAX_CLIENTS: usize = 1024;
/// Sets of a server, and ids that clients gave; beyond it all are forgotten.
const MAX_SETS: usize = 4096;
/// Pipes; beyond it all are forgotten.
const MAX_PIPES: usize = 4096;
/// Names of a server.
const MAX_NAMES: usize = 16;

/// What is remembered of one server.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Added by the first call; nothing is removed.
    clients: FxHashMap<IpAddr, Client>,
    /// Added by Start, and by the first success with an id; all are removed beyond the cap.
    pub(super) sets: FxHashMap<Guid, Known>,
    /// Those of them that somebody should finish. Added by Start, removed when they are finished, or
    /// when it is said that they are not.
    pub(super) watched: Vec<Guid>,
    /// Added when a pipe is opened or used, removed when it is closed.
    pub(super) pipes: FxHashMap<ChannelId, Pipe>,
    /// `ClientShadowCopySetId` and `ClientShadowCopyId` with the call that sent them first.
    pub(super) client_sets: FxHashMap<Guid, u64>,
    pub(super) client_copies: FxHashMap<Guid, u64>,
    /// The copies of all sets: which set they are in.
    pub(super) copies: FxHashMap<Guid, Guid>,
    /// First labels of the names by which the server calls itself, in lower case.
    pub(super) names: Vec<String>,
    /// The first address of each machine, and what other addresses belong to it. Added by
    /// negotiations up to the cap of clients.
    first: FxHashMap<Guid, IpAddr>,
    machines: FxHashMap<IpAddr, Guid>,
    /// Whether calls may have been missed.
    missed: bool,
    /// Clients that may have asked something encrypted before they were met.
    blind: Vec<IpAddr>,
}

/// Whether two addresses are two machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strangers {
    /// They are one.
    No,
    /// It is not known.
    Perhaps,
    /// They have told different `ClientGuid`s.
    Yes,
}

impl Memory {
    /// One address of a machine, always the same.
    pub(super) fn key(&self, ip: IpAddr) -> IpAddr {
        let guid = self.machines.get(&ip);
        guid.and_then(|guid| self.first.get(guid)).copied().unwrap_or(ip)
    }

    pub(super) fn strangers(&self, a: IpAddr, b: IpAddr) -> Strangers {
        if self.key(a) == self.key(b) {
            return Strangers::No;
        }
        match (self.machines.get(&a), self.machines.get(&b)) {
            (Some(_), Some(_)) if a.is_ipv4() == b.is_ipv4() => Strangers::Yes,
            _ => Strangers::Perhaps,
        }
    }

    pub(super) fn client(&self, ip: IpAddr) -> Option<&Client> {
        self.clients.get(&self.key(ip))
    }

    pub(super) fn client_mut(&mut self, ip: IpAddr) -> Option<&mut Client> {
        self.clients.get_mut(&self.key(ip))
    }

    /// All clients, by the address they are known by.
    pub(super) fn clients(&self) -> impl Iterator<Item = (IpAddr, &Client)> {
        self.clients.iter().map(|(ip, client)| (*ip, client))
    }

    pub(super) fn clients_mut(&mut self) -> impl Iterator<Item = &mut Client> {
        self.clients.values_mut()
    }

    /// The set that a call is about.
    pub(super) fn set_of(&self, act: &Act) -> Option<&Known> {
        self.sets.get(&act.set()?)
    }

    /// Whether a call of this client's machine is without an answer, of those that `matter`.
    pub(super) fn is_waiting(&self, case: &Case<'_, '_>, matter: impl Fn(&Act) -> bool) -> bool {
        let key = self.key(case.act.client);
        let flying = || case.tracker.flying.iter().filter(|flying| flying.act.n != case.act.n);
        flying().any(|flying| self.key(flying.act.client) == key && matter(&flying.act))
    }

    /// Somebody asks, perhaps for the first time.
    pub(super) fn meet(&mut self, case: &Case<'_, '_>) {
        let key = self.key(case.act.client);
        let whole = case.idle && !self.missed;
        let blind = self.blind.contains(&key);
        if self.clients.len() < MAX_CLIENTS && !self.clients.contains_key(&key) {
            let opened = if whole && !blind { Opened::Never } else { Opened::Unknown };
            let client = Client { whole: whole && !blind, blind, opened, ..Client::default() };
            self.clients.insert(key, client);
        }
        let channel = case.act.channel;
        if !self.pipes.contains_key(&channel) {
            // A pipe whose beginning was not seen.
            self.open(channel, Pipe::new(key));
        }
    }

    fn open(&mut self, channel: ChannelId, pipe: Pipe) {
        if self.pipes.len() >= MAX_PIPES {
            self.pipes.clear();
        }
        self.pipes.insert(channel, pipe);
    }

    /// A request has been judged.
    pub(super) fn asked(&mut self, case: &Case<'_, '_>) {
        let act = case.act;
        if let Some(pipe) = self.pipes.get_mut(&act.channel) {
            pipe.calls += 1;
            pipe.last_abort = None;
            match act.opnum {
                8 => pipe.path = Some(act.n),
                0..=2 => pipe.path = None,
                _ => {}
            }
            pipe.version |= act.opnum == 0;
        }
        self.note_ids(act);
        let key = self.key(act.client);
        let place = case.place.clone();
        if let Some(set) = act.set().and_then(|id| self.sets.get_mut(&id)) {
            set.touched = act.asked;
            set.place = place.clone();
            if act.opnum == 3 {
                set.unasked = None;
            }
            if let Some(copy) = act.copy().filter(|_| act.opnum == 10) {
                set.shares
                    .iter_mut()
                    .filter(|share| share.id == copy)
                    .for_each(|share| share.asked = true);
            }
        }
        let Some(client) = self.clients.get_mut(&key) else { return };
        client.closed = None;
        client.after_abort = None;
        client.last = Some(Last {
            n: act.n,
            opnum: act.opnum,
            asked: act.asked,
            set: act.set(),
            copy: act.copy(),
            failed: None,
        });
        match act.opnum {
            0 => client.asked_version = client.asked_version.or(Some(act.n)),
            1 => {
                client.row += 1;
                client.set_context = Some((act.asked, place, false));
            }
            2 => {
                client.row = 0;
                client.set_context = None;
                client.starts += 1;
            }
            8 => client.asked_path = client.asked_path.or(Some(act.n)),
            _ => {}
        }
    }

    /// Ids that the client made.
    fn note_ids(&mut self, act: &Act) {
        let (ids, id) = match &act.request {
            Some(Request::StartShadowCopySet(of)) => {
                (&mut self.client_sets, of.client_shadow_copy_set_id)
            }
            Some(Request::AddToShadowCopySet(of)) => {
                (&mut self.client_copies, of.client_shadow_copy_id)
            }
            _ => return,
        };
        if ids.len() >= MAX_SETS {
            ids.clear();
        }
        if !id.is_nil() {
            ids.entry(id).or_insert(act.n);
        }
    }

    /// A call is over.
    pub(super) fn answered(&mut self, case: &Case<'_, '_>) {
        let act = case.act;
        let key = self.key(act.client);
        if act.opnum == 7 {
            self.abort_answered(case, key);
        }
        match act.answer {
            Answer::Refused(_) => {}
            Answer::Status(status) if act.request.is_some() => {
                // Any HRESULT that is no error is success (3).
                let status = if act.answer.is_success() { 0 } else { status };
                self.set_answered(case, status);
                if let Some(client) = self.clients.get_mut(&key) {
                    client.answered(act, status);
                }
            }
            _ => self.in_doubt(act, key),
        }
        self.watched.retain(|id| self.sets.get(id).is_some_and(Known::is_unfinished));
    }

    /// An Abort has been answered, which the set does not know yet.
    fn abort_answered(&mut self, case: &Case<'_, '_>, key: IpAddr) {
        let act = case.act;
        if act.answer != Answer::Status(0) {
            return;
        }
        let Some(set) = act.set().and_then(|id| self.sets.get(&id)) else { return };
        let (recovered, shares) = (set.recovered.is_some(), !set.shares.is_empty());
        let done = act.answered.unwrap_or(act.asked);
        if let Some(pipe) = self.pipes.get_mut(&act.channel).filter(|_| recovered) {
            pipe.last_abort = Some(case.place.clone());
        }
        if let Some(client) = self.clients.get_mut(&key) {
            client.after_abort = Some((done, case.place.clone(), act.channel));
            if shares {
                client.aborted = Some((done, act.n));
            }
        }
    }

    fn set_answered(&mut self, case: &Case<'_, '_>, status: u32) {
        let act = case.act;
        let key = self.key(act.client);
        if self.sets.len() >= MAX_SETS || self.copies.len() >= MAX_SETS {
            self.sets.clear();
            self.watched.clear();
            self.copies.clear();
            self.missed = true;
            self.clients.values_mut().for_each(Client::doubt);
        }
        if let (1, 0) = (act.opnum, status) {
            // Its unfinished set is discarded.
            for set in
                self.sets.values_mut().filter(|set| set.client == Some(key) && set.is_unfinished())
            {
                set.dropped = true;
            }
        }
        if let (2, 0, Some(id)) = (act.opnum, status, act.started()) {
            let client = self.clients.get(&key);
            let mut set = Known::new(case.place, act.asked);
            set.client = Some(key);
            set.start = Some(act.n);
            set.whole = client.is_some_and(|client| !client.blind);
            if let Some(Request::StartShadowCopySet(of)) = &act.request {
                set.client_id = Some(of.client_shadow_copy_set_id);
            }
            let unasked = |client: &&Client| client.whole && client.asked_path.is_none();
            set.unasked = client.filter(unasked).map(|_| case.place.clone());
            self.sets.insert(id, set);
            self.watched.retain(|other| *other != id);
            self.watched.push(id);
            if let Some(client) = self.clients.get_mut(&key) {
                client.void.retain(|(other, _)| *other != id);
            }
        }
        let Some(id) = act.set().filter(|id| !id.is_nil()) else { return };
        if status == 0 {
            self.sets.entry(id).or_insert_with(|| Known::new(case.place, act.asked));
            if let Some(copy) = act.added() {
                self.copies.insert(copy, id);
            }
        }
        if let Some(set) = self.sets.get_mut(&id) {
            set.touched = act.answered.unwrap_or(act.asked);
            set.answered(act, status);
        }
    }

    /// What came of a call is not known.
    fn in_doubt(&mut self, act: &Act, key: IpAddr) {
        match act.set() {
            Some(id) => {
                self.sets.get_mut(&id).into_iter().for_each(Known::doubt);
                self.watched.retain(|watched| *watched != id);
            }
            None if act.request.is_none() && act.names_set() || act.opnum == 1 => {
                self.sets.values_mut().for_each(Known::doubt);
                self.watched.clear();
            }
            None => {}
        }
        let Some(client) = self.clients.get_mut(&key) else { return };
        match act.opnum {
            0 => client.version = None,
            1 => client.context_failed = None,
            2 => client.start_failed = None,
            8 => client.more_paths = true,
            _ => {}
        }
        if matches!(act.opnum, 1 | 6 | 7) && !matches!(client.opened, Opened::Yes(_)) {
            client.opened = Opened::Unknown;
        }
    }

    /// Something beside the calls.
    pub(super) fn around(&mut self, around: &Around) {
        let key = self.key(around.client.ip());
        match &around.what {
            What::Lost => self.forget(),
            What::Sealed => {
                if self.blind.len() < MAX_CLIENTS && !self.blind.contains(&key) {
                    self.blind.push(key);
                }
                if let Some(client) = self.clients.get_mut(&key) {
                    client.doubt();
                    client.blind = true;
                }
                for set in
                    self.sets.values_mut().filter(|set| set.client.is_none_or(|of| of == key))
                {
                    set.doubt();
                }
                self.watched.clear();
            }
            What::Negotiated(told) => {
                if let Some(guid) = told.client_guid.filter(|guid| !guid.is_nil()) {
                    self.knows(around.client.ip(), guid);
                }
            }
            What::Challenged(told) => {
                for name in [&told.computer, &told.dns_computer].into_iter().flatten() {
                    let name = super::target::label(name).to_lowercase();
                    if self.names.len() < MAX_NAMES && !self.names.contains(&name) {
                        self.names.push(name);
                    }
                }
            }
            What::PipeOpened { channel, tree_path, .. } => {
                let mut pipe = Pipe::new(key);
                pipe.host = tree_path.as_deref().and_then(host_of);
                pipe.fresh = true;
                self.open(*channel, pipe);
            }
            What::ChannelClosed { channel, by, .. } => {
                self.pipes.remove(channel);
                let last = !self.pipes.values().any(|pipe| pipe.client == key);
                if *by == Some(Side::Server) {
                    // It may have been started again, and its client cannot go on.
                    let sets = &self.sets;
                    self.watched
                        .retain(|id| sets.get(id).is_some_and(|set| set.client != Some(key)));
                }
                if let Some(client) = self.clients.get_mut(&key) {
                    client.after_abort.take_if(|(.., on)| on == channel);
                    if last && *by == Some(Side::Client) {
                        client.closed = Some(around.time);
                    }
                }
            }
            _ => {}
        }
    }

    /// A machine has told its `ClientGuid`. What an address has told first is what it is known by.
    fn knows(&mut self, ip: IpAddr, guid: Guid) {
        let other = self.first.get(&guid).is_some_and(|first| *first != ip);
        // What this address has asked so far is not known of the other.
        let too_late = other && self.clients.contains_key(&ip);
        if self.machines.len() < MAX_CLIENTS && !self.machines.contains_key(&ip) && !too_late {
            self.machines.insert(ip, guid);
            self.first.entry(guid).or_insert(ip);
        }
    }

    /// Calls may have been missed.
    pub(super) fn forget(&mut self) {
        self.missed = true;
        self.clients.values_mut().for_each(Client::doubt);
        self.sets.values_mut().for_each(Known::doubt);
        self.pipes.values_mut().for_each(|pipe| {
            pipe.fresh = false;
            pipe.last_abort = None;
        });
        self.watched.clear();
    }

    /// Whether a set or copy has this id, for all that was seen.
    pub(super) fn is_issued(&self, case: &Case<'_, '_>, id: Guid) -> bool {
        let issued =
            |no| case.tracker.sets.get(no).is_some_and(|set| set.issued || !set.way.is_empty());
        self.sets.contains_key(&id) || case.tracker.sets.find(id).is_some_and(issued)
    }

    /// When a client last asked something.
    pub(super) fn last_asked(&self, key: IpAddr) -> Option<Time> {
        Some(self.clients.get(&key)?.last.as_ref()?.asked)
    }
}

/// Whether a call on the set of this one is without an answer.
pub(super) fn is_set_busy(case: &Case<'_, '_>) -> bool {
    let set = case.act.set();
    let flying = || case.tracker.flying.iter().filter(|flying| flying.act.n != case.act.n);
    flying().any(|flying| {
        flying.act.names_set() && (flying.act.request.is_none() || flying.act.set() == set)
    })
}
