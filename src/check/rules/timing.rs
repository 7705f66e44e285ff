//! How long things may take (3.1.4.5, 3.1.4.6, 3.1.4.13, 3.2.2, 3.2.5).

use std::net::SocketAddr;

use rustc_hash::FxHashMap;

use super::Case;
use crate::bytes::{Side, Time};
use crate::check::bench::{Bench, Place, Topic};
use crate::check::machine::Answer;
use crate::check::say;
use crate::check::tracker::SECOND;
use crate::pipeline::{Around, What};
use crate::protocol::fsrvp::Status;
use crate::rpc::ChannelId;

/// Calls without an answer that are remembered.
const MAX_OPEN: usize = 1024;
/// How long a client waits for an answer (3.2.2).
const RPC_TIMEOUT: i64 = 180 * SECOND;

/// A call without an answer.
#[derive(Clone, Debug)]
struct Open {
    n: u64,
    opnum: u16,
    channel: ChannelId,
    asked: Time,
    /// The client's end of its connection, and when that was last heard of.
    from: SocketAddr,
    heard_of: Time,
    /// The first call that the client made although it should have closed the connection.
    ignored: Option<(Place, String)>,
    /// Milliseconds that the server may take, where the request says so.
    time_out: Option<u32>,
    /// Whether its answer may be among what is missing.
    doubtful: bool,
    /// Whether it is over: there will be no answer.
    ended: bool,
    place: Place,
}

/// What is known of a channel.
#[derive(Clone, Copy, Debug)]
struct Heard {
    /// The client's end of the connection that carried it first.
    from: SocketAddr,
    /// Whether others did, too.
    several: bool,
}

/// Calls that wait. Added when a request is complete, removed by the answer, the end of the pipe or
/// of the capture; the oldest goes when there are too many.
#[derive(Debug, Default)]
pub(super) struct Rules {
    open: Vec<Open>,
    /// Channels by the connections that carried them. Added by requests, removed with the channel; all
    /// go when there are too many.
    heard: FxHashMap<ChannelId, Heard>,
}

impl Rules {
    pub(super) fn asked(&mut self, case: &Case<'_, '_>, bench: &Bench<'_>) {
        let act = case.act;
        let waiting = self
            .open
            .iter_mut()
            .find(|open| open.place.client == Some(act.client) && !open.doubtful && !open.ended);
        if let Some(open) = waiting {
            let age = act.asked.since(open.asked);
            if age > RPC_TIMEOUT + bench.slack && open.ignored.is_none() {
                let message = format!(
                    "the client calls {} while its {} (call {}) is without an answer for {}; after 180 s \
                     it has to close that connection first",
                    say::method(act.opnum),
                    say::method(open.opnum),
                    open.n,
                    say::seconds(age)
                );
                open.ignored = Some((case.place.clone(), message));
            }
        }
        let from = case.call.client.addr;
        for open in &mut self.open {
            if open.from == from {
                open.heard_of = act.asked;
            } else if open.channel == act.channel {
                // The answer may come on either.
                open.doubtful = true;
            }
        }
        let known = self.hear(act.channel, from);
        if self.open.len() >= MAX_OPEN {
            self.open.remove(0);
        }
        self.open.push(Open {
            n: act.n,
            opnum: act.opnum,
            channel: act.channel,
            asked: act.asked,
            from,
            heard_of: act.asked,
            ignored: None,
            time_out: act.time_out(),
            doubtful: !case.heard || known.several,
            ended: false,
            place: case.place.clone(),
        });
    }

    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let act = case.act;
        let Some(answered) = act.answered else {
            for open in self.open.iter_mut().filter(|open| open.n == act.n) {
                open.ended = true;
                open.doubtful |= case.call.rpc.near_loss;
            }
            return;
        };
        // A pipe carries one answer after the other: an earlier one must have been, and is missing.
        for open in
            self.open.iter_mut().filter(|open| open.channel == act.channel && open.n < act.n)
        {
            open.doubtful = true;
        }
        if let Some(at) = self.open.iter().position(|open| open.n == act.n) {
            self.open.remove(at).went_on(bench);
        }
        let took = answered.since(act.asked);
        patience(act.opnum, act.n, took, case.place, bench);
        let (Some(rules), Some(time_out)) = (rules(act.opnum), act.time_out()) else { return };
        let allowed = i64::from(time_out).saturating_mul(1_000_000);
        let method = say::method(act.opnum);
        let timed_out = matches!(
            act.answer,
            Answer::Status(s) if s == Status::FSSAGENT_E_TIMEOUT.0 || s == Status::FSRVP_E_WAIT_TIMEOUT.0
        );
        let octets = format!("{time_out} ms");
        if timed_out {
            let message = || {
                format!(
                    "{method} gave up with {} after {}; the client allowed {}",
                    say::status(act.answer),
                    say::seconds(took),
                    say::seconds(allowed)
                )
            };
            let kept = took >= allowed.saturating_sub(bench.slack);
            bench.expect(kept, Topic::Time, rules.early, case.place, message, |finding| {
                finding.with_octets(case.call, Side::Client, "TimeOutInMilliseconds", &octets);
            });
        }
        let late = took > allowed.saturating_add(bench.slack);
        let message = || {
            format!(
                "{method} returned {} after {}; the client allowed {}",
                say::status(act.answer),
                say::seconds(took),
                say::seconds(allowed)
            )
        };
        if act.answer.is_success() {
            bench.expect(!late, Topic::Time, rules.late, case.place, message, |finding| {
                finding.with_octets(case.call, Side::Client, "TimeOutInMilliseconds", &octets);
                finding.with_rules([rules.answered]);
            });
        }
        if !act.answer.is_success() || !late {
            bench.expect(!late, Topic::Time, rules.answered, case.place, message, |finding| {
                finding.with_octets(case.call, Side::Client, "TimeOutInMilliseconds", &octets);
            });
        }
    }

    pub(super) fn around(&mut self, around: &Around, bench: &mut Bench<'_>) {
        match &around.what {
            What::Lost => {
                for open in &mut self.open {
                    open.doubtful = true;
                }
            }
            // A pipe that fails is ended by the server, whoever closes it.
            What::PipeError { channel, .. } => {
                for open in self.of(*channel) {
                    open.ends(around.time, Some(Side::Server), bench);
                }
            }
            What::ChannelClosed { channel, by, .. } => {
                self.heard.remove(channel);
                for open in self.of(*channel) {
                    // What is said on another connection does not show that nothing is missing
                    // on this one.
                    let (end, by) = match by {
                        Some(by) if open.from == around.client => (around.time, Some(*by)),
                        _ => (open.heard_of, None),
                    };
                    open.ends(end, by, bench);
                }
            }
            _ => {}
        }
    }

    /// Takes the calls that wait on a channel.
    fn of(&mut self, channel: ChannelId) -> Vec<Open> {
        let (found, open) = self.open.drain(..).partition(|open| open.channel == channel);
        self.open = open;
        found
    }

    /// A channel was heard of on the connection of `from`.
    fn hear(&mut self, channel: ChannelId, from: SocketAddr) -> Heard {
        if self.heard.len() >= MAX_OPEN {
            self.heard.clear();
        }
        let heard = self.heard.entry(channel).or_insert(Heard { from, several: false });
        heard.several |= heard.from != from;
        *heard
    }

    pub(super) fn finish(&mut self, now: Time, bench: &mut Bench<'_>) {
        for open in std::mem::take(&mut self.open) {
            // Beyond the last packet of its connection nothing is known of it.
            open.ends(open.heard_of.min(now), None, bench);
        }
    }
}

/// A client that has waited `took` for an answer: 3.2.2.
fn patience(opnum: u16, n: u64, took: i64, place: &Place, bench: &mut Bench<'_>) {
    let message = || {
        format!(
            "the client waited {} for the answer to {} (call {n}); its time-out is 180 s",
            say::seconds(took),
            say::method(opnum)
        )
    };
    bench.expect(
        took <= RPC_TIMEOUT + bench.slack,
        Topic::Time,
        "FSRVP-3.2.2-01",
        place,
        message,
        |_| {},
    );
}

impl Open {
    /// Whether the client went on without closing the connection: 3.2.5.
    fn went_on(&self, bench: &mut Bench<'_>) {
        if let Some((place, message)) = &self.ignored {
            bench.fail(Topic::Time, "FSRVP-3.2.5-01", place, message.clone(), |finding| {
                finding.with_call(self.n, "is without an answer");
            });
        }
    }

    /// There will be no answer: the pipe was closed, by somebody or by the end of the capture.
    fn ends(&self, now: Time, by: Option<Side>, bench: &mut Bench<'_>) {
        let waited = now.since(self.asked);
        if self.doubtful {
            if waited > RPC_TIMEOUT {
                bench.unseen("FSRVP-3.2.2-01", "the answer may be among packets that are missing");
            }
            return;
        }
        if by.is_some() || waited > RPC_TIMEOUT + bench.slack {
            self.went_on(bench);
        }
        let method = say::method(self.opnum);
        patience(self.opnum, self.n, waited, &self.place, bench);
        let allowed = self.time_out.map(|ms| i64::from(ms).saturating_mul(1_000_000));
        if let Some((rules, allowed)) = rules(self.opnum).zip(allowed) {
            let message = || {
                format!(
                    "{method} (call {}) is without an answer for {}; the client allowed {}",
                    self.n,
                    say::seconds(waited),
                    say::seconds(allowed)
                )
            };
            let kept = waited <= allowed.saturating_add(bench.slack);
            bench.expect(kept, Topic::State, rules.answered, &self.place, message, |_| {});
        }
        if by != Some(Side::Client) {
            return;
        }
        let early = waited < RPC_TIMEOUT - bench.slack;
        let message = || {
            format!(
                "the client gave {method} (call {}) up after {}; its time-out is 180 s",
                self.n,
                say::seconds(waited)
            )
        };
        bench.expect(!early, Topic::Explained, "FSRVP-3.2.2-02", &self.place, message, |_| {});
        if let Some(allowed) =
            allowed.filter(|allowed| !early && *allowed > waited.saturating_add(bench.slack))
        {
            let message = format!(
                "the client's RPC time-out of 180 s ended {method} (call {}), which the server was \
                 allowed {} for: the server may go on, and succeed",
                self.n,
                say::seconds(allowed)
            );
            bench.fail(Topic::Explained, "FSRVP-3.2.2-03", &self.place, message, |_| {});
        }
    }
}

/// The rules on the time-out of an operation.
#[derive(Clone, Copy)]
struct TimeOuts {
    /// It does not give up early.
    early: &'static str,
    /// It does not succeed late.
    late: &'static str,
    /// It answers.
    answered: &'static str,
}

fn rules(opnum: u16) -> Option<TimeOuts> {
    let (early, late, answered) = match opnum {
        4 => ("FSRVP-3.1.4.5-12", "FSRVP-3.1.4.5-13", "FSRVP-3.1.4.5-14"),
        5 => ("FSRVP-3.1.4.6-10", "FSRVP-3.1.4.6-11", "FSRVP-3.1.4.6-12"),
        12 => ("FSRVP-3.1.4.13-09", "FSRVP-3.1.4.13-10", "FSRVP-3.1.4.13-11"),
        _ => return None,
    };
    Some(TimeOuts { early, late, answered })
}
