//! [`Conversation`]: what one client asked of one server, and what is known of both.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::compare::Unseen;
use super::step::{Act, Exchange, Setup, Stage, Step, name};
use super::traits::{Trait, Traits, Value};
use crate::bytes::Time;
use crate::call::Call;
use crate::pipeline::Around;
use crate::rpc::Message;

/// Places of a conversation where something is known to be missing; if there are more, anything may
/// be missing anywhere.
const MAX_LOSSES: usize = 64;
/// Names by which a client called its server.
const MAX_HOSTS: usize = 16;
/// Refusals that wait for an attempt that is let in.
const MAX_REFUSALS: usize = 64;
/// Refused connects in a row among which one is looked for that was refused the same way.
const MAX_CONNECTS: usize = 4;

/// What a conversation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nothing that has to do with shadow copies.
    Other,
    /// SMB is encrypted: nobody knows what it came to.
    Hidden,
    /// The client was not let in; what for it came is not known.
    Refused,
    /// Shadow copies: calls of MS-FSRVP, or an attempt at its pipe or interface.
    ShadowCopies,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its address, the first that was seen.
    pub ip: IpAddr,
    /// Its name, where the capture tells one.
    pub name: Option<Arc<str>>,
}

/// A place where something is known to be missing.
#[derive(Clone, Copy, Debug)]
struct Loss {
    time: Time,
    /// Its place in the order of what became known.
    known: u64,
    /// The client's port.
    port: u16,
    /// Whether it is calls of which nobody knows what they asked.
    calls: bool,
}

/// How far back the places of steps are uncertain: for each, since when steps that were lost may come
/// behind it.
#[derive(Debug)]
pub(super) struct Places {
    /// What was agreed may have been agreed before, where that is missing.
    here: Vec<Option<Time>>,
    /// The same where the loss has nothing to do with what was agreed.
    elsewhere: Vec<Option<Time>>,
}

/// What one client asked of one server, over all its connections and pipes.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Who asked.
    pub client: Host,
    /// Who answered.
    pub server: Host,
    /// What it came to.
    pub kind: Kind,
    /// Its steps, in the order in which they were asked.
    pub steps: Vec<Step>,
    /// Calls among them.
    pub calls: u64,
    /// Steps that were not kept, because there were too many.
    pub beyond: u64,
    /// What is true of it throughout.
    pub(super) traits: Traits,
    /// Where something is known to be missing; of those without a step between them, the last of a
    /// connection. No more than [`MAX_LOSSES`] and one.
    losses: Vec<Loss>,
    /// Whether encrypted messages were seen.
    sealed: bool,
    /// Whether anything that the server sent was seen.
    answered: bool,
    /// Names of the server, in small letters. No more than [`MAX_HOSTS`].
    hosts: Vec<String>,
    /// Whether there are calls of which it is not known what share they are about.
    blind: bool,
    /// What was agreed, which is no step when it is agreed again. Added with a step.
    agreed: FxHashSet<(Stage, Option<String>)>,
    /// Refusals that may still be overcome: emptied by the next call.
    refused: Vec<usize>,
}

impl Conversation {
    pub(super) fn new(client: IpAddr, server: IpAddr) -> Self {
        let host = |ip| Host { ip, name: None };
        Self {
            client: host(client),
            server: host(server),
            kind: Kind::Other,
            steps: Vec::new(),
            calls: 0,
            beyond: 0,
            traits: Traits::default(),
            losses: Vec::new(),
            sealed: false,
            answered: false,
            hosts: vec![server.to_string()],
            blind: false,
            agreed: FxHashSet::default(),
            refused: Vec::new(),
        }
    }

    /// It has come this far.
    pub(super) fn becomes(&mut self, kind: Kind) {
        self.kind = self.kind.max(kind);
    }

    /// Somebody calls the server so.
    pub(super) fn server_named(&mut self, host: &str, own: bool) {
        // An address is no name.
        let named = host.parse::<IpAddr>().is_err();
        if own && named && self.server.name.is_none() {
            self.server.name = Some(name(host));
        }
        let first = host.split('.').next().filter(|_| named);
        for host in [Some(host), first].into_iter().flatten() {
            let host = name(host).to_lowercase();
            if self.hosts.len() < MAX_HOSTS && !self.hosts.contains(&host) {
                self.hosts.push(host);
            }
        }
    }

    /// The client calls itself so.
    pub(super) fn client_named(&mut self, own: &str) {
        if self.client.name.is_none() {
            self.client.name = Some(name(own));
        }
    }

    /// Bytes of the connection of this port are missing, or `calls` cannot be told.
    pub(super) fn lost(&mut self, time: Time, known: u64, port: u16, calls: bool) {
        // Two without a step between them are one.
        let since = self.steps.last().map_or(0, |step| step.known);
        let room = self.losses.len() <= MAX_LOSSES;
        let mut recent = self.losses.iter_mut().rev().take_while(|loss| loss.known >= since);
        match recent.find(|loss| (loss.port, loss.calls) == (port, calls)) {
            Some(loss) => (loss.time, loss.known) = (loss.time.max(time), known),
            None if room => {
                self.losses.push(Loss { time, known, port, calls });
            }
            None => {}
        }
    }

    /// What follows is encrypted.
    pub(super) fn sealed(&mut self) {
        self.sealed = true;
        self.becomes(Kind::Hidden);
    }

    /// Whether it needs no further step: nothing was asked that was not agreed before. What was
    /// refused before is overcome by what is agreed now.
    pub(super) fn is_agreed(&mut self, setup: &Setup) -> bool {
        if !setup.is_agreed() {
            return false;
        }
        for at in std::mem::take(&mut self.refused) {
            match self.steps.get_mut(at).map(|step| &mut step.act) {
                Some(Act::Setup(before)) if is_overcome(before, setup) => before.overcome = true,
                _ => self.refused.push(at),
            }
        }
        self.agreed.contains(&agreement(setup))
    }

    /// Whether it is what came last, once more. Clients connect to several ports in turn.
    pub(super) fn repeats(&mut self, setup: &Setup) -> bool {
        let connects = setup.stage == Stage::Connection;
        let mut recent = self
            .steps
            .iter_mut()
            .rev()
            .take(if connects { MAX_CONNECTS } else { 1 })
            .take_while(|step| !connects || step.is_connect());
        match recent.find(|step| step.setup() == Some(setup)) {
            Some(same) => same.repeated = same.repeated.saturating_add(1),
            None => return false,
        }
        true
    }

    /// Takes a step that is not agreed and no repetition.
    pub(super) fn setup(&mut self, setup: Setup, around: &Around, known: u64) {
        let Around { time, frame, .. } = *around;
        self.answered |= setup.stage > Stage::Connection;
        if setup.is_agreed() {
            self.agreed.insert(agreement(&setup));
        } else if self.refused.len() < MAX_REFUSALS {
            self.refused.push(self.steps.len());
        }
        let (port, act) = (around.client.port(), Act::Setup(setup));
        self.steps.push(Step { time, end: time, frame, repeated: 0, known, port, act });
    }

    /// Takes a call.
    pub(super) fn call(&mut self, call: &Call, known: u64) {
        self.refused.clear();
        self.answered |= call.rpc.response.is_some();
        let exchange = Exchange::new(call);
        let last = |message: &Message| message.frames.last().copied();
        let frame = call.rpc.request.as_ref().or(call.rpc.response.as_ref()).and_then(last);
        let end = call.time.plus(exchange.elapsed.unwrap_or_default());
        let (time, port) = (call.time, call.client.addr.port());
        let act = Act::Call(Box::new(exchange));
        self.steps.push(Step { time, end, frame, repeated: 0, known, port, act });
    }

    /// Everything has been seen: puts the steps in order, without shares that have nothing to do with
    /// shadow copies.
    pub(super) fn finish(&mut self) {
        self.agreed = FxHashSet::default();
        self.refused = Vec::new();
        let asked: FxHashSet<String> = self
            .steps
            .iter()
            .filter_map(|step| Some(self.share_key(step.call()?.share()?)))
            .collect();
        let mut steps = std::mem::take(&mut self.steps);
        steps.retain(|step| match &step.act {
            Act::Setup(Setup { stage: Stage::Share, of: Some(of), .. }) => {
                is_ipc(of) || of.contains('@') || asked.contains(&self.share_key(of))
            }
            _ => true,
        });
        steps.sort_by_key(|step| (step.time, step.known));
        let mut calls = steps.iter().filter_map(Step::call);
        self.blind = calls.any(|call| call.names_share() && call.asked.is_none());
        self.steps = steps;
        if !self.steps.is_empty() && self.is_unreached() {
            self.becomes(Kind::Refused);
        }
    }

    /// Whether nothing is known of it but connects that came to nothing, if that.
    pub(super) fn is_unreached(&self) -> bool {
        self.losses.is_empty() && self.steps.iter().all(Step::is_connect)
    }

    /// A share by what it is, whatever its server is called: in small letters, without a backslash
    /// at its end, the server's own name left out.
    pub(super) fn share_key(&self, share: &str) -> String {
        let share = share.trim_end_matches('\\').to_lowercase();
        match share.strip_prefix("\\\\").and_then(|path| path.split_once('\\')) {
            Some((host, rest)) if self.hosts.iter().any(|own| own == host) => {
                format!("\\\\*\\{rest}")
            }
            _ => share,
        }
    }

    /// The places of its steps; one that `moves` may be another one that is like it.
    pub(super) fn places(&self, moves: impl Fn(&Step) -> bool) -> Places {
        let places = |agreed: bool| {
            let mut since = None;
            let place = |step: &Step| {
                if !(agreed && step.is_agreed() || moves(step)) {
                    since = Some(step.time);
                }
                since
            };
            self.steps.iter().map(place).collect()
        };
        Places { here: places(true), elsewhere: places(false) }
    }

    /// Why a step may be missing from between two of its steps, if it may.
    pub(super) fn may_lack(
        &self,
        places: &Places,
        before: Option<usize>,
        after: Option<usize>,
    ) -> Option<Unseen> {
        let step = |at: Option<usize>| at.and_then(|at| self.steps.get(at));
        let (at, before, after) = (before, step(before), step(after));
        if self.sealed && after.is_none() {
            return Some(Unseen::Encrypted);
        }
        if self.beyond > 0 && after.is_none() {
            return Some(Unseen::Beyond);
        }
        let here = |loss: &Loss| {
            let since = before.zip(at).and_then(|(step, at)| {
                let here = loss.calls || loss.port == step.port;
                let places = if here { &places.here } else { &places.elsewhere };
                places.get(at).copied().flatten()
            });
            // What comes after a loss on the same connection becomes known after it.
            let upto = after.filter(|step| step.port == loss.port).map(|step| step.known);
            since.is_none_or(|since| loss.time >= since)
                && upto.is_none_or(|upto| loss.known < upto)
        };
        let lost = self.losses.len() > MAX_LOSSES || self.losses.iter().any(here);
        lost.then_some(Unseen::Missing)
    }

    /// Whether the answer to a call that has none may have been lost. If nothing at all of the server
    /// was seen, its side is not in the capture.
    pub(super) fn may_lack_answer(&self, exchange: &Exchange) -> bool {
        exchange.near_loss || !self.answered
    }

    /// Whether it is not known of all calls what shares they are about: of a share that was connected
    /// nobody knows whether it has to do with them.
    pub(super) fn may_lack_shares(&self) -> bool {
        self.blind || self.may_lack_ids()
    }

    /// Whether ids may have been made without being seen.
    pub(super) fn may_lack_ids(&self) -> bool {
        !self.losses.is_empty() || self.beyond > 0 || self.sealed
    }

    /// Whether something is true of it.
    pub(super) fn is(&mut self, of: Trait, value: Value) {
        self.traits.add(of, value);
    }
}

/// What an agreement is known by.
fn agreement(setup: &Setup) -> (Stage, Option<String>) {
    (setup.stage, setup.of.as_ref().map(|of| of.to_lowercase()))
}

/// Whether a refusal was overcome by what was agreed later.
fn is_overcome(refused: &Setup, agreed: &Setup) -> bool {
    match refused.stage {
        Stage::Connection => true,
        Stage::Session => agreed.stage == Stage::Negotiation,
        Stage::Share => agreed.stage == Stage::Share && refused.of == agreed.of,
        stage => stage == agreed.stage,
    }
}

/// Whether a share is the one of the pipes.
pub(super) fn is_ipc(share: &str) -> bool {
    share.rsplit('\\').next().is_some_and(|share| share.eq_ignore_ascii_case("IPC$"))
}
