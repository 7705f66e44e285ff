//! [`Ladder`]: who asked whom, what was answered, what became of the set, around the selected call.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::model::Model;
use super::rows::took;
use crate::bytes::{Time, printable};
use crate::call::{Outcome, Party};
use crate::check::machine::{self, Views};
use crate::check::{Severity, Stand, StandTimer};
use crate::report::brief;

/// An arrow, or what is between arrows.
#[derive(Clone, Debug)]
pub(super) enum Rung {
    /// A question.
    Asks { from: usize, to: usize, text: String },
    /// An answer.
    /// `state` is what became of the shadow copy set, where the server's lane is the last.
    Answers {
        from: usize,
        to: usize,
        text: String,
        outcome: Outcome,
        took: String,
        state: Option<String>,
    },
    /// A question without an answer.
    Silence { to: usize },
    /// Nothing happened for so long.
    Idle { nanos: i64 },
    /// What became of the shadow copy set, and of the server's timer.
    State { at: usize, text: String },
    /// The server's timer ran out.
    Expired { at: usize, text: String },
    /// What breaks a rule.
    Broken { rule: String, severity: Severity, text: String },
}

/// A rung with when it was, and of which call.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) time: Time,
    pub(super) call: u64,
    pub(super) rung: Rung,
}

/// Who is in the ladder, and what happened between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ladder {
    pub(super) lanes: Vec<String>,
    pub(super) steps: Vec<Step>,
}

impl Model<'_> {
    /// How the server stood around the call before one.
    fn before(&self, stand: &Stand) -> Option<&Stand> {
        let of = self.stands.get(&stand.server)?;
        let at = of.partition_point(|other| other.call < stand.call).checked_sub(1)?;
        of.get(at)
    }

    /// The ladder of the calls around a row of the list, as far as they have to do with the server or
    /// the client of the selected call: others would only crowd the lanes.
    pub(super) fn ladder_around(&self, row: usize) -> Ladder {
        /// Nanoseconds without anything that are drawn.
        const IDLE: i64 = 10_000_000_000;
        let mut lanes: Vec<(IpAddr, Option<String>)> = Vec::new();
        let mut steps: Vec<Step> = Vec::new();
        let selected = self.trace.call(self.call, false, self.registry).ok().flatten();
        let ends = selected.map(|call| {
            lane(&mut lanes, &call.client);
            lane(&mut lanes, &call.server);
            (call.client.addr.ip(), call.server.addr.ip())
        });
        for n in self.calls_around(row, ends) {
            let Ok(Some(call)) = self.trace.call(n, false, self.registry) else { continue };
            let from = lane(&mut lanes, &call.client);
            let to = lane(&mut lanes, &call.server);
            let asked = printable(&brief::asked(&call, self.registry));
            let text = format!("{n} {} {asked}", printable(&brief::method(&call)));
            let text = text.trim_end().to_owned();
            let step = |time, rung| Step { time, call: n, rung };
            steps.push(step(call.time, Rung::Asks { from, to, text }));
            let answered = call.rpc.response.as_ref().map(|response| response.time);
            let at = answered.unwrap_or(call.time);
            let stand = self.stand_of(call.server.addr.ip(), n);
            let before = stand.and_then(|stand| self.before(stand));
            if let Some((time, text)) = before.and_then(|before| expired(before, call.time)) {
                steps.push(step(time, Rung::Expired { at: to, text }));
            }
            match answered {
                Some(time) => steps.push(step(
                    time,
                    Rung::Answers {
                        from: to,
                        to: from,
                        text: printable(&brief::answered(&call, self.registry)),
                        outcome: call.outcome,
                        took: call.elapsed.map(took).unwrap_or_default(),
                        state: None,
                    },
                )),
                None => steps.push(step(call.time, Rung::Silence { to })),
            }
            if let Some(text) = stand.and_then(state_words) {
                steps.push(step(at, Rung::State { at: to, text }));
            }
            for finding in self.findings.at_call(n) {
                let broken = Rung::Broken {
                    rule: finding.rule.to_string(),
                    severity: finding.severity,
                    text: printable(&finding.message),
                };
                steps.push(step(at, broken));
            }
        }
        // What belongs to one moment stays in its order.
        steps.sort_by_key(|step| step.time);
        let mut drawn: Vec<Step> = Vec::with_capacity(steps.len());
        for step in steps {
            if let Some(before) = drawn.last() {
                let nanos = step.time.since(before.time);
                let (time, call) = (before.time, before.call);
                if nanos >= IDLE {
                    drawn.push(Step { time, call, rung: Rung::Idle { nanos } });
                }
            }
            drawn.push(step);
        }
        let last = lanes.len().saturating_sub(1);
        Ladder { lanes: lane_names(lanes), steps: join_states(drawn, last) }
    }
}

impl Model<'_> {
    /// The calls around a row of the list with one of these ends.
    fn calls_around(&self, row: usize, ends: Option<(IpAddr, IpAddr)>) -> Vec<u64> {
        /// Calls before and after it.
        const MOST: usize = 100;
        /// Rows that are looked at for them.
        const REACH: usize = 2000;
        let concerns = |n: &u64| {
            let Some((client, server)) = ends else { return true };
            let of = self.trace.ends(*n);
            of.is_some_and(|of| of.client.ip() == client || of.server.ip() == server)
        };
        let from = row.saturating_sub(REACH);
        let before = (from..row).rev().filter_map(|row| self.call_at(row)).filter(concerns);
        let mut calls: Vec<u64> = before.take(MOST).collect();
        calls.reverse();
        let rest = (row..row.saturating_add(REACH)).map_while(|row| self.call_at(row));
        calls.extend(rest.filter(concerns).take(MOST));
        calls
    }
}

/// Puts what became of a set beside the answer that says so, where nothing is beside the server's lane.
fn join_states(steps: Vec<Step>, last: usize) -> Vec<Step> {
    let mut joined: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        if let Rung::State { at, text } = &step.rung
            && *at == last
            && let Some(Step { call, rung: Rung::Answers { state, .. }, .. }) = joined.last_mut()
            && *call == step.call
        {
            *state = Some(text.clone());
        } else {
            joined.push(step);
        }
    }
    joined
}

/// Puts a machine into the ladder.
fn lane(lanes: &mut Vec<(IpAddr, Option<String>)>, party: &Party) -> usize {
    let ip = party.addr.ip();
    if let Some(at) = lanes.iter().position(|(of, _)| *of == ip) {
        if let Some((_, name)) = lanes.get_mut(at).filter(|(_, name)| name.is_none()) {
            name.clone_from(&party.name);
        }
        return at;
    }
    lanes.push((ip, party.name.clone()));
    lanes.len() - 1
}

fn lane_names(lanes: Vec<(IpAddr, Option<String>)>) -> Vec<String> {
    let name = |(ip, name): (IpAddr, Option<String>)| match name {
        Some(name) => printable(&name),
        None => ip.to_string(),
    };
    lanes.into_iter().map(name).collect()
}

/// What became of a set by a call, in a few words.
fn state_words(stand: &Stand) -> Option<String> {
    let words = |views: Views| {
        // What is gone comes last.
        let views = machine::View::OF_SET.into_iter().filter(|view| views.has(*view));
        let mut words: Vec<&str> = views.map(machine::View::word).collect();
        words.sort_by_key(|word| *word == machine::View::Gone.word());
        if words.len() > 3 { "?".to_owned() } else { words.join(" or ") }
    };
    stand.set?;
    let mut text = words(stand.after);
    if let StandTimer::Running { seconds, .. } = stand.timer {
        let _ = write!(text, ", timer {seconds} s");
    }
    Some(text)
}

/// When the timer that a call left running was over before the next call.
fn expired(before: &Stand, next: Time) -> Option<(Time, String)> {
    let StandTimer::Running { seconds, since, call } = before.timer else { return None };
    let over = since.plus(i64::from(seconds).saturating_mul(1_000_000_000));
    (next > over).then(|| (over, format!("timer of {seconds} s (call {call}) is over")))
}
