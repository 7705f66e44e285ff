//! [`Server`]: one server under judgment, by one profile: its tracker, its rules, its bench.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::act::Act;
use super::bench::{Bench, Place, Topic};
use super::breach::Contradiction;
use super::catalogue::Catalogue;
use super::finding::{Certainty, Severity};
use super::machine::{Machine, View};
use super::profile::Profile;
use super::rules::{Case, Rules};
use super::say;
use super::signatures::{self, Signatures};
use super::stand::Standings;
use super::tracker::{SECOND, Step, Tracker};
use super::tri::Tri;
use crate::bytes::Time;
use crate::bytes::{Guid, Side};
use crate::call::{Call, Outcome, Readable};
use crate::pipeline::{Around, BindAnswer, What};
use crate::rpc::ChannelId;

/// By how many nanoseconds a timer may be off, on top of what the clocks of several captures may be.
const SLACK: i64 = 5 * SECOND;

/// What is known of the capture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vantage {
    /// It has all clients of the server.
    pub(super) all_clients: bool,
    /// It begins when the server has no sets and nothing to do.
    pub(super) idle_start: bool,
    /// By how many nanoseconds the clocks of its parts may differ.
    pub(super) clock_error: i64,
}

/// A server under judgment.
#[derive(Debug)]
pub(super) struct Server<'k> {
    /// As if the capture had all clients.
    pub(super) tracker: Tracker<'k>,
    /// With all that others may do; none where there are no others.
    open: Option<Tracker<'k>>,
    rules: Rules,
    signatures: Signatures,
    pub(super) bench: Bench<'k>,
    /// How it, and the set in question, may have stood around each call.
    pub(super) standings: Standings,
    vantage: Vantage,
    /// Channels on which the server was heard: what it says there is in the capture. Added by answers,
    /// removed with the channel; all go when there are too many.
    heard: FxHashSet<ChannelId>,
}

/// Channels remembered of one server.
const MAX_CHANNELS: usize = 4096;

impl<'k> Server<'k> {
    pub(super) fn new(
        (catalogue, machine): (&'k Catalogue, &'k Machine),
        profile: &Arc<Profile>,
        server: IpAddr,
        vantage: Vantage,
    ) -> Self {
        let slack = SLACK.saturating_add(vantage.clock_error.max(0));
        let tracker =
            |others| Tracker::new(machine, profile.clone(), others, vantage.idle_start, slack);
        Self {
            tracker: tracker(false),
            open: (!vantage.all_clients).then(|| tracker(true)),
            rules: Rules::default(),
            signatures: Signatures::default(),
            standings: Standings::default(),
            bench: Bench::new(catalogue, profile.clone(), server, slack),
            vantage,
            heard: FxHashSet::default(),
        }
    }

    /// The server was heard on a channel.
    fn hear(&mut self, channel: ChannelId) {
        if self.heard.len() >= MAX_CHANNELS {
            self.heard.clear();
        }
        self.heard.insert(channel);
    }

    fn trackers(&mut self) -> impl Iterator<Item = &mut Tracker<'k>> {
        std::iter::once(&mut self.tracker).chain(&mut self.open)
    }

    /// A request is complete.
    pub(super) fn asked(&mut self, call: &Call) {
        let Some(act) = Act::of(call) else { return };
        let place = Place::of(call, set_of(&act));
        let case = Case {
            call,
            act: &act,
            place: &place,
            tracker: self.open.as_ref().unwrap_or(&self.tracker),
            step: None,
            heard: self.heard.contains(&act.channel),
            others: self.open.is_some(),
            idle: self.vantage.idle_start,
        };
        self.rules.asked(&case, &mut self.bench);
        for tracker in self.trackers() {
            tracker.asked(act.clone());
        }
        self.bench.settle(call.method());
    }

    /// A call is over.
    pub(super) fn answered(&mut self, call: &Call) {
        self.signatures.answered(call, &Place::of(call, None), &mut self.bench);
        let Some(act) = Act::of(call) else {
            self.bench.settle(call.method());
            // An answer without its request: whatever was asked has been done.
            self.forget(call.time);
            return;
        };
        if act.answered.is_some() {
            self.hear(act.channel);
        }
        let step = self.tracker.answered(&act);
        self.standings.note(act.n, self.tracker.standing(&act, &step));
        let other = self.open.as_mut().map(|open| open.answered(&act));
        let place = Place::of(call, set_of(&act));
        let explained = other.as_ref().is_some_and(|step| step.contradiction.is_none());
        if let Some(contradiction) = &step.contradiction {
            self.contradicted(call, &act, &place, &step, contradiction, explained);
        } else {
            self.kept(call, &act, &step);
        }
        let case = Case {
            call,
            act: &act,
            place: &place,
            tracker: &self.tracker,
            step: Some(&step),
            heard: self.heard.contains(&act.channel),
            others: self.open.is_some(),
            idle: self.vantage.idle_start,
        };
        self.rules.answered(&case, &mut self.bench);
        self.bench.settle(call.method());
    }

    /// An answer that no state allows.
    fn contradicted(
        &mut self,
        call: &Call,
        act: &Act,
        place: &Place,
        step: &Step<'k>,
        wrong: &Contradiction,
        explained: bool,
    ) {
        let message = say::contradiction(call, act, &self.tracker, wrong, explained);
        let more = self.more_rules(act, step, wrong);
        self.bench.fail(Topic::State, &wrong.rule, place, message, |finding| {
            finding.with_rules(wrong.also.iter().map(|rule| &**rule));
            finding.with_rules(more);
            if let Some(severity) = wrong.severity {
                finding.at_most(severity, Certainty::Certain);
            }
            if explained {
                finding.at_most(Severity::Note, Certainty::Possible);
            }
            // A finished copy can also be deleted at the server itself.
            let unknown =
                act.answer.status().is_some_and(|status| say::is_unknown_set(act.opnum, status));
            if wrong.late.is_some() || wrong.view == View::Recovered && unknown {
                finding.certainty = finding.certainty.min(Certainty::Likely);
            }
            say::relate(finding, wrong);
            finding.with_octets(call, Side::Client, "ShadowCopySetId", say::state_word(wrong.view));
            finding.with_octets(call, Side::Server, "return", &say::status(act.answer));
        });
    }

    /// Rules that the same answer breaks for reasons the table does not see.
    fn more_rules(&self, act: &Act, step: &Step<'k>, wrong: &Contradiction) -> Vec<&'static str> {
        let mut more = Vec::new();
        if wrong.late.is_some() {
            more.push("FSRVP-3.1.2-01");
        }
        let mismatch =
            act.answer.status().is_some_and(|status| say::is_unknown_set(act.opnum, status));
        let lives = !matches!(wrong.view, View::Gone);
        if mismatch && lives && act.names_set() {
            let last =
                step.set.and_then(|no| self.tracker.sets.get(no)).and_then(|set| set.channel);
            if last.is_some_and(|channel| channel != act.channel) {
                more.push("FSRVP-3.1.4-14");
            }
            // The timer does not run while such a call is being worked on.
            let took = act.answered.map_or(0, |answered| answered.since(act.asked));
            if took > 180 * SECOND {
                more.extend(match act.opnum {
                    4 => &["FSRVP-3.1.4.5-06", "FSRVP-3.1.5-10"][..],
                    5 => &["FSRVP-3.1.4.6-05", "FSRVP-3.1.5-10"],
                    12 => &["FSRVP-3.1.4.13-05", "FSRVP-3.1.5-10"],
                    _ => &[],
                });
            }
        }
        more
    }

    /// An answer that was right: so were the rules that it could have broken, and those that led here.
    /// Where it cannot be read, or the state it met is not known, that cannot be told.
    fn kept(&mut self, call: &Call, act: &Act, step: &Step<'k>) {
        let Some(method) = self.tracker.machine.method(act.opnum) else { return };
        let unreadable = match act.answer.status() {
            Some(_) => None,
            None => Some(why_unreadable(call)),
        };
        let mut verdicts: BTreeMap<&Arc<str>, Tri> = BTreeMap::new();
        let tracker = &self.tracker;
        for row in &method.rows {
            let Some(breach) = row.breaks.as_ref().filter(|_| tracker.profile.has(row)) else {
                continue;
            };
            let mut applies = step.before.iter().flat_map(|world| {
                let holds = tracker.holds(row, world, act, step.set);
                step.views.iter().map(move |view| Tri::from(row.from.has(view)).and(holds))
            });
            let first = applies.next().unwrap_or(Tri::No);
            let all = applies.fold(first, |all, one| if all == one { all } else { Tri::Maybe });
            let verdict = verdicts.entry(&breach.rule).or_insert(Tri::No);
            *verdict = verdict.or(all);
        }
        for (rule, applies) in verdicts {
            match (applies, unreadable) {
                (Tri::No, _) => {}
                (_, Some(why)) => self.bench.unseen(rule, why),
                (Tri::Yes, None) => self.bench.pass(rule),
                (Tri::Maybe, None) => {
                    self.bench.unseen(rule, "what state the server was in is not known");
                }
            }
        }
        let certain = unreadable.is_none() && step.views.iter().count() == 1;
        let Some(world) = step.before.first().filter(|_| certain) else { return };
        for view in step.views.iter() {
            for rule in self.tracker.trail(world, view, act, step.set).rules.iter() {
                self.bench.pass(rule);
            }
        }
    }

    /// Something beside the calls.
    pub(super) fn around(&mut self, around: &Around) {
        match &around.what {
            What::Lost | What::Sealed => {
                for tracker in self.trackers() {
                    tracker.forget(around.time);
                }
            }
            What::ChannelClosed { channel, by, .. } => {
                self.heard.remove(channel);
                if *by != Some(Side::Client) {
                    return self.around_rules(around);
                }
                for tracker in self.trackers() {
                    tracker.client_closed(around.client.ip());
                }
            }
            What::Bound(bound) if bound.answer == BindAnswer::Accepted => self.hear(bound.channel),
            What::Negotiated(told) => {
                if let Some(guid) = told.client_guid.filter(|guid| !guid.is_nil()) {
                    for tracker in self.trackers() {
                        tracker.knows_machine(around.client.ip(), guid);
                    }
                }
            }
            _ => {}
        }
        self.around_rules(around);
    }

    fn around_rules(&mut self, around: &Around) {
        self.signatures.around(around, &mut self.bench);
        self.rules.around(around, &mut self.bench);
        self.bench.settle(None);
    }

    /// The server was started again, surely or perhaps.
    pub(super) fn restarted(&mut self, now: Time, surely: bool) {
        for tracker in self.trackers() {
            tracker.restart(now, surely);
        }
        self.rules.forget();
    }

    /// Calls may have been missed.
    pub(super) fn forget(&mut self, now: Time) {
        for tracker in self.trackers() {
            tracker.forget(now);
        }
        self.rules.forget();
    }

    /// The capture has ended.
    pub(super) fn finish(&mut self, now: Time) {
        self.signatures.finish(&mut self.bench);
        self.rules.finish(now, &mut self.bench);
        self.bench.settle(None);
    }
}

/// Why the answer to a call is not known.
fn why_unreadable(call: &Call) -> &'static str {
    match (call.outcome, call.response.readable, call.request.readable) {
        (Outcome::NoResponse, ..) => "no answer is in the capture",
        (Outcome::Fault, ..) => "the RPC runtime refused the call",
        _ if signatures::is_wrong(call) => "a signature is wrong, so that nobody can trust it",
        (_, Readable::Sealed, _) | (_, _, Readable::Sealed) => "the calls are sealed",
        (_, Readable::Lost | Readable::Truncated, _) => "packets of the answer are missing",
        _ => "the answer cannot be read",
    }
}

/// The set that a call is about, by what it asks or got.
fn set_of(act: &Act) -> Option<Guid> {
    act.set().or_else(|| act.started()).filter(|id| !id.is_nil())
}
