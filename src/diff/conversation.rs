//! [`Conversation`]: what one client asked of one server, and what is known of both.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::compare::Unseen;
use super::step::{Act, Exchange, Setup, Stage, Step, name};
use super::traits::{Trait, Traits, Value};
use crate::bytes::{FrameNo, Time};
use crate::call::Call;
use crate::rpc::Message;

/// Places of a conversation where something is known to be missing; if there are more, anything may
/// be missing anywhere.
const MAX_LOSSES: usize = 64;
/// Names by which a client called its server.
const MAX_HOSTS: usize = 16;
/// Refusals that wait for an attempt that is let in.
const MAX_REFUSALS: usize = 64;

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
    /// When something is known to be missing, by the clock and in the order of what became known.
    /// No more than [`MAX_LOSSES`].
    losses: Vec<(Time, u64)>,
    /// Whether encrypted messages were seen.
    sealed: bool,
    /// Whether anything that the server sent was seen.
    answered: bool,
    /// Names of the server, in small letters. No more than [`MAX_HOSTS`].
    hosts: Vec<String>,
    /// Port of the client's first connection, and whether there was another.
    port: u16,
    several: bool,
    /// What was agreed, which is no step when it is agreed again. Added with a step.
    agreed: FxHashSet<(Stage, Option<String>)>,
    /// Refusals that may still be overcome: emptied by the next call.
    refused: Vec<usize>,
}

impl Conversation {
    pub(super) fn new(client: (IpAddr, u16), server: IpAddr) -> Self {
        let host = |ip| Host { ip, name: None };
        Self {
            client: host(client.0),
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
            port: client.1,
            several: false,
            agreed: FxHashSet::default(),
            refused: Vec::new(),
        }
    }

    /// Something came from this port of the client.
    pub(super) fn heard(&mut self, port: u16) {
        self.several |= port != self.port;
    }

    /// It has come this far.
    pub(super) fn becomes(&mut self, kind: Kind) {
        self.kind = self.kind.max(kind);
    }

    /// Somebody calls the server so.
    pub(super) fn server_named(&mut self, host: &str, own: bool) {
        if own && self.server.name.is_none() {
            self.server.name = Some(name(host));
        }
        let first = host.split('.').next().filter(|_| host.parse::<IpAddr>().is_err());
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

    /// Bytes are missing.
    pub(super) fn lost(&mut self, time: Time, known: u64) {
        if self.losses.len() <= MAX_LOSSES {
            self.losses.push((time, known));
        }
    }

    /// What follows is encrypted.
    pub(super) fn sealed(&mut self) {
        self.sealed = true;
        self.becomes(Kind::Hidden);
    }

    /// Whether it needs no further step: nothing was asked that was not agreed before.
    pub(super) fn is_agreed(&mut self, setup: &Setup) -> bool {
        if setup.refusal.is_some() {
            return false;
        }
        let of = setup.of.as_ref().map(|of| of.to_lowercase());
        for at in std::mem::take(&mut self.refused) {
            match self.steps.get_mut(at).map(|step| &mut step.act) {
                Some(Act::Setup(before)) if is_overcome(before, setup) => before.overcome = true,
                _ => self.refused.push(at),
            }
        }
        !self.agreed.insert((setup.stage, of))
    }

    /// Whether it is what came last, once more.
    pub(super) fn repeats(&mut self, setup: &Setup) -> bool {
        let Some(last) = self.steps.last_mut() else { return false };
        let same = matches!(&last.act, Act::Setup(before) if before == setup);
        last.repeated = last.repeated.saturating_add(u32::from(same));
        same
    }

    /// Takes a step that is not agreed and no repetition.
    pub(super) fn setup(&mut self, setup: Setup, time: Time, frame: Option<FrameNo>, known: u64) {
        self.answered = true;
        if setup.refusal.is_some() && self.refused.len() < MAX_REFUSALS {
            self.refused.push(self.steps.len());
        }
        let act = Act::Setup(setup);
        self.steps.push(Step { time, end: time, frame, repeated: 0, known, act });
    }

    /// Takes a call.
    pub(super) fn call(&mut self, call: &Call, known: u64) {
        self.refused.clear();
        self.answered |= call.rpc.response.is_some();
        let exchange = Exchange::new(call);
        let last = |message: &Message| message.frames.last().copied();
        let frame = call.rpc.request.as_ref().or(call.rpc.response.as_ref()).and_then(last);
        let end = call.time.plus(exchange.elapsed.unwrap_or_default());
        let act = Act::Call(Box::new(exchange));
        self.steps.push(Step { time: call.time, end, frame, repeated: 0, known, act });
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
        self.steps = steps;
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

    /// Why a step may be missing from between two of its steps, if it may.
    pub(super) fn may_lack(&self, before: Option<usize>, after: Option<usize>) -> Option<Unseen> {
        let step = |at: Option<usize>| at.and_then(|at| self.steps.get(at));
        let (before, after) = (step(before), step(after));
        if self.sealed && after.is_none() {
            return Some(Unseen::Encrypted);
        }
        if self.beyond > 0 && after.is_none() {
            return Some(Unseen::Beyond);
        }
        // What comes after a loss on the same connection becomes known after it.
        let upto = after.filter(|_| !self.several).map(|step| step.known);
        let since = before.map(|step| step.time);
        let here = |(time, known): &(Time, u64)| {
            since.is_none_or(|since| *time >= since) && upto.is_none_or(|upto| *known < upto)
        };
        let lost = self.losses.len() > MAX_LOSSES || self.losses.iter().any(here);
        lost.then_some(Unseen::Missing)
    }

    /// Whether the answer to a call that has none may have been lost. If nothing at all of the server
    /// was seen, its side is not in the capture.
    pub(super) fn may_lack_answer(&self, at: usize, exchange: &Exchange) -> bool {
        let since = self.steps.get(at).map(|step| step.time);
        exchange.near_loss
            || !self.answered
            || self.losses.len() > MAX_LOSSES
            || self.losses.iter().any(|(time, _)| since.is_some_and(|since| *time >= since))
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

/// Whether a refusal was overcome by what was agreed later.
fn is_overcome(refused: &Setup, agreed: &Setup) -> bool {
    match refused.stage {
        Stage::Session => agreed.stage == Stage::Negotiation,
        Stage::Share => agreed.stage == Stage::Share && refused.of == agreed.of,
        stage => stage == agreed.stage,
    }
}

/// Whether a share is the one of the pipes.
pub(super) fn is_ipc(share: &str) -> bool {
    share.rsplit('\\').next().is_some_and(|share| share.eq_ignore_ascii_case("IPC$"))
}
