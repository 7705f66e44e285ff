//! What no client does that keeps to \[MS-FSRVP\] 3.2, read a second time: the conversations that
//! the clients here make are held against it.

use std::collections::{BTreeMap, BTreeSet};

use crate::server::{CONTEXTS, FSSAGENT_TIMEOUT, MISMATCH, OK, component};
use crate::talk::{Ask, Id, Out, Reply, Step, Talk};

/// A set as its client sees it.
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
#[derive(Default)]
struct Known {
    added: BTreeMap<Id, String>,
    prepared: bool,
    committed: bool,
    exposed: bool,
    recovered: bool,
    /// A call on it was not answered: anything may be true of it.
    vague: bool,
    mapped: BTreeSet<Id>,
    deleted: BTreeSet<Id>,
    aborted: bool,
    /// The client was told that there is no such set.
    lost: bool,
    /// What failed last, until something else succeeds.
    failed: Option<(u16, u32)>,
}

/// What a client has done.
#[derive(Default)]
struct Mind {
    supported: BTreeSet<String>,
    refused: BTreeSet<String>,
    /// It has asked for the version on its first association.
    versioned: bool,
    context: bool,
    /// The set that is under way.
    set: Option<Id>,
    sets: BTreeMap<Id, Known>,
    guids: BTreeSet<Id>,
    /// When its association was closed with a set under way.
    closed: bool,
}

fn folded(share: &str) -> String {
    component(share).to_lowercase()
}

/// Says what a client of the conversation should not have done.
pub(crate) fn check(talk: &Talk) -> Result<(), String> {
    let mut minds: Vec<Mind> = talk.clients.iter().map(|_| Mind::default()).collect();
    let mut waiting: BTreeMap<usize, usize> = BTreeMap::new();
    for (n, step) in talk.steps.iter().enumerate() {
        let wrong = |what: String| Err(format!("step {n}, {step:?}: {what}"));
        match step {
            Step::Call(call) | Step::Ask(call) => {
                let call_ = &talk.calls[*call];
                let mind = &mut minds[call_.who];
                if let Err(what) = mind.asks(&call_.ask, call_.line) {
                    return wrong(what);
                }
                match (step, &call_.reply) {
                    (Step::Call(_), Some(reply)) => mind.hears(&call_.ask, reply),
                    _ => {
                        waiting.insert(call_.who, *call);
                    }
                }
            }
            Step::Answer(call) => {
                let call = &talk.calls[*call];
                waiting.remove(&call.who);
                let reply = call.reply.as_ref().ok_or("an answer that is none")?;
                minds[call.who].hears(&call.ask, reply);
            }
            Step::Close(who, line) => {
                if let Some(call) = waiting.remove(who) {
                    minds[*who].gives_up(&talk.calls[call].ask);
                }
                if *line == 1 {
                    minds[*who].versioned = false;
                    minds[*who].closed = true;
                }
            }
            Step::Leave(who, _) => {
                let unfinished = |known: &Known| {
                    !known.recovered && !known.aborted && !known.lost && !known.vague
                };
                if let Some(id) = minds[*who].set
                    && unfinished(&minds[*who].sets[&id])
                {
                    return wrong(format!("leaves {id:?} as it is"));
                }
            }
            Step::Restart => {
                for mind in &mut minds {
                    (mind.versioned, mind.context) = (false, false);
                }
            }
            Step::Wait(_) => {}
        }
    }
    Ok(())
}

impl Mind {
    fn asks(&mut self, ask: &Ask, line: u32) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{what}: {ask:?}"));
        if line == 2 && !matches!(ask, Ask::Version | Ask::Supported(_) | Ask::Copied(_)) {
            return wrong("on the line of queries");
        }
        match ask {
            Ask::Version => self.versioned |= line == 1,
            Ask::Context(context) => {
                if !CONTEXTS.contains(context) {
                    return wrong("no context");
                }
                if !self.versioned {
                    return wrong("has not asked for the version (3.2.4.2.1-06)");
                }
                if self.supported.is_empty() {
                    return wrong("has not asked for the share (3.2.4.2.1-13)");
                }
            }
            Ask::Start(id) => {
                if !self.context {
                    return wrong("has no context (3.1.4.3-02)");
                }
                if *id == Id::NIL || !self.guids.insert(*id) {
                    return wrong("a GUID that it has used (3.2.4.2-01)");
                }
            }
            _ => {}
        }
        let Some(id) = ask.set() else { return Ok(()) };
        let Some(known) = self.sets.get(&id) else { return wrong("a set that it does not know") };
        if known.aborted || known.lost && !matches!(ask, Ask::Delete { .. }) {
            return wrong("a set that is gone (3.2.4.6-03)");
        }
        // RecoveryComplete is the last of the chain, and DeleteShareMapping is not in it.
        let chain = |opnum: &u16| !matches!(opnum, 6 | 11);
        let failed = known.failed.map(|(opnum, _)| opnum).filter(chain);
        // Nothing but the same again, or the end, follows an error.
        if failed.is_some_and(|failed| failed != ask.opnum())
            && !matches!(ask, Ask::Abort(_) | Ask::Delete { .. })
            && !known.recovered
        {
            return wrong("goes on after an error (3-02)");
        }
        match ask {
            Ask::Add { share, .. } => {
                let again = known.added.values().any(|added| folded(added) == folded(share));
                if again
                    || known.prepared
                    || known.committed
                    || self.refused.contains(&folded(share))
                {
                    return wrong("an Add too many (3.2.4.2.2)");
                }
                if known.added.is_empty() && !self.supported.contains(&folded(share)) {
                    return wrong("has not asked for this share (3.2.4.2.1-01)");
                }
            }
            Ask::Prepare { .. } if known.added.is_empty() || known.prepared || known.committed => {
                return wrong("nothing to prepare (3.2.4.2.2)");
            }
            Ask::Commit { .. } if !known.prepared || known.committed => {
                return wrong("not prepared, or committed (3.2.4.2.2-08, 3.2.4.3-04)");
            }
            Ask::Expose { .. } if !known.committed || known.exposed => {
                return wrong("not committed, or exposed (3.2.4.4-02)");
            }
            Ask::Mapping { copy, share, level, .. }
                if !known.exposed || *level != 1 || known.added.get(copy) != Some(share) =>
            {
                return wrong("not exposed, or not so added (3.2.4.4)");
            }
            Ask::Recovery(_) => {
                let left =
                    |copy: &&Id| !known.mapped.contains(copy) && !known.deleted.contains(copy);
                if !known.exposed || known.recovered || known.added.keys().any(|copy| left(&copy)) {
                    return wrong("not exposed, or not asked for (3.2.4.4-05, 3.2.4.5-02)");
                }
            }
            Ask::Delete { copy, share, .. }
                if !known.exposed
                    || known.deleted.contains(copy)
                    || known.added.get(copy) != Some(share) =>
            {
                return wrong("not exposed, or not so added (3.2.4.8)");
            }
            _ => {}
        }
        Ok(())
    }

    fn hears(&mut self, ask: &Ask, reply: &Reply) {
        let status = reply.status;
        match (ask, &reply.out) {
            (Ask::Supported(share), Out::Owner(true, _)) => {
                self.supported.insert(folded(share));
            }
            (Ask::Supported(share), _) => {
                self.refused.insert(folded(share));
            }
            (Ask::Context(_), _) => {
                self.context = status == OK;
                if status == OK {
                    // It discards what was under way.
                    if let Some(known) = self.set.and_then(|id| self.sets.get_mut(&id)) {
                        known.lost |= !known.recovered && !known.vague;
                    }
                }
            }
            (Ask::Start(_), Out::Id(id)) if status == OK => {
                self.set = Some(*id);
                self.sets.insert(*id, Known::default());
            }
            _ => {}
        }
        let Some(known) = ask.set().and_then(|id| self.sets.get_mut(&id)) else { return };
        if status == MISMATCH {
            known.lost = true;
            // Whoever has lost its set has lost its context.
            self.context = false;
        }
        if status != OK {
            let retried = matches!(ask, Ask::Commit { .. }) && status == FSSAGENT_TIMEOUT;
            known.failed = (!retried).then_some((ask.opnum(), status));
            return;
        }
        known.failed = None;
        match (ask, &reply.out) {
            (Ask::Add { share, .. }, Out::Id(id)) => {
                known.added.insert(*id, share.clone());
            }
            (Ask::Prepare { .. }, _) => known.prepared = true,
            (Ask::Commit { .. }, _) => known.committed = true,
            (Ask::Expose { .. }, _) => known.exposed = true,
            (Ask::Mapping { copy, .. }, _) => {
                known.mapped.insert(*copy);
            }
            (Ask::Recovery(_), _) => {
                known.recovered = true;
                self.context = false;
            }
            (Ask::Abort(_), _) => {
                known.aborted = true;
                self.context = false;
            }
            (Ask::Delete { copy, .. }, _) => {
                known.deleted.insert(*copy);
                known.lost |= known.added.len() == known.deleted.len();
            }
            _ => {}
        }
    }

    fn gives_up(&mut self, ask: &Ask) {
        if matches!(ask, Ask::Context(_)) {
            self.context = false;
        }
        if let Some(known) = ask.set().and_then(|id| self.sets.get_mut(&id)) {
            known.vague = true;
        }
    }
}
