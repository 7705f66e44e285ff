//! Clients that did not go on although nothing was refused, and what shows of a failure later.

use std::net::IpAddr;

use super::circumstance::{Circumstance, Circumstances};
use super::course::{Fate, Life, Progress};
use super::symptom::{Code, Protocol, Slot, Stage, Symptom};
use super::{Chart, PATIENCE};
use crate::bytes::{Guid, Time};
use crate::check::say;
use crate::check::tracker::SECOND;

/// How long a client waits for an answer (\[MS-FSRVP\] 3.2.2), with some slack.
const RPC_TIMEOUT: i64 = 175 * SECOND;
/// How long a Commit may take (\[MS-FSRVP\] 3.2.4.3, note 12).
const COMMIT: i64 = 60 * SECOND;

impl Chart {
    /// A client has not gone on with a set, or with what should become one, though nothing was
    /// refused. `reached` is the last call that did what it was for: operation, number, when.
    pub(in crate::check) fn stop(
        &self,
        (client, user): (Option<IpAddr>, Option<String>),
        set: Option<Guid>,
        reached: (Option<u16>, Option<u64>, Time),
    ) -> Symptom {
        let life = set.and_then(|set| self.course.life(set));
        let mut circumstances = Circumstances::default();
        let mut values = Vec::new();
        let mut said = "the client did not go on".to_owned();
        let (mut opnum, mut call, mut time) = reached;
        if let Some(life) = life {
            let (last, n, at) = life.last;
            (opnum, call, time) = (Some(last), Some(n), at);
            said = format!("the client did not go on after {} (call {n})", say::method(last));
            values.push((Slot::Progress, life.progress.words().to_owned()));
            values.push((Slot::Limit, say::lasting(life.armed.seconds.saturating_mul(SECOND))));
            circumstances.set(Circumstance::Opened, life.progress == Progress::Exposed);
            let until = life.end.map_or(time, |end| end.at);
            let refused = client.and_then(|client| self.refused_in(client, life.began..=until));
            circumstances.set(Circumstance::RefusedSince, refused.is_some());
            values.extend(refused.map(|of| (Slot::Refusal, of.said.clone())));
            if let Some(end) = life.end.filter(|end| end.fate != Fate::Deleted) {
                (call, time) = (Some(end.call), end.at);
                let aborted = end.fate == Fate::Aborted;
                opnum = Some(if aborted { 7 } else { 1 });
                // A machine with several network cards is one client.
                let machine = |of: Option<IpAddr>| of.map(|of| self.machine(of));
                let other = machine(Some(end.by)) != machine(client);
                circumstances.set(Circumstance::Aborted, aborted && !other);
                circumstances.set(Circumstance::AbortedByOther, aborted && other);
                circumstances.set(Circumstance::BegunAnew, !aborted);
                circumstances.set(Circumstance::SlowCommit, life.was_slow());
                values.extend(life.commit_took.map(|took| (Slot::Gap, say::lasting(took))));
                values.push((Slot::Holder, self.name(end.by)));
                said = match (aborted, other) {
                    (true, false) => format!("the client aborted the set (call {})", end.call),
                    (true, true) => format!("another client aborted the set (call {})", end.call),
                    (false, _) => format!("the client began anew (SetContext, call {})", end.call),
                };
            }
        }
        Symptom {
            protocol: Protocol::Fsrvp,
            stage: Stage::Stop,
            code: Code::None,
            opnum,
            call,
            frame: None,
            time,
            client,
            user,
            set,
            share: None,
            circumstances,
            values,
            related: Vec::new(),
            found: Vec::new(),
            said,
        }
    }

    /// What has shown of a failure since, by the end of the capture.
    pub(super) fn since(&self, symptom: &Symptom, end: Time, known: &mut Circumstances) {
        known.set(Circumstance::ThereLater, self.is_there_later(symptom.set, symptom.time));
        let Some(visit) = symptom.client.and_then(|client| self.visits.get(&client)) else {
            return;
        };
        let closed = visit.closed.filter(|closed| *closed >= symptom.time);
        let waited = closed.map_or(0, |closed| closed.since(symptom.time));
        let unanswered = symptom.stage == Stage::Silence;
        known.set(Circumstance::WaitedOut, unanswered && waited >= RPC_TIMEOUT);
        let idle = end.since(symptom.time.max(visit.heard));
        known.set(Circumstance::Silent, closed.is_none() && idle >= PATIENCE);
    }

    /// How long nothing has followed a failure, where that is what it is about.
    pub(in crate::check) fn gap(&self, symptom: &Symptom, end: Time) -> Option<String> {
        if !matches!(symptom.stage, Stage::Silence | Stage::Stop) {
            return None;
        }
        let visit = self.visits.get(&symptom.client?)?;
        let until = visit.closed.filter(|closed| *closed >= symptom.time).unwrap_or(end);
        Some(say::lasting(until.since(symptom.time)))
    }
}

impl Life {
    fn was_slow(&self) -> bool {
        self.commit_took.is_some_and(|took| took > COMMIT)
    }
}
