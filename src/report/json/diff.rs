//! The records of what differs between two captures.

use serde_json::{Value as Json, json};

use super::super::diff::words;
use super::{fault, milliseconds};
use crate::diff::{
    Act, Change, Compared, Comparison, Conversation, Delay, Delayed, Difference, Exchange, Host,
    Lone, Pair, Parting, Refusal, Row, Step, Trait, Unseen, Verdict, Weight, Which,
};
use crate::protocol::Registry;
use crate::protocol::fsrvp::{self, OPERATIONS};

/// Rows of a `diff` record.
const MOST_ROWS: usize = 1000;

/// The `diff` records, one for each comparison and each conversation without one, and the
/// `diff_summary` record.
pub fn diffs(compared: &Compared<'_>, registry: &Registry) -> Vec<Json> {
    let write = Write { registry };
    let diffs = compared.comparisons.iter().map(|of| write.comparison(of));
    let lone = compared.lone.iter().map(lone);
    diffs.chain(lone).chain([summary(compared)]).collect()
}

fn summary(of: &Compared<'_>) -> Json {
    let both = |pair: Pair<usize>| json!({ "good": pair.good, "bad": pair.bad });
    json!({
        "type": "diff_summary",
        "outcome": of.outcome().word(),
        "conversations": both(of.conversations),
        "compared": of.comparisons.len(),
        "encrypted": both(of.hidden),
        "not_kept": { "good": of.full.good, "bad": of.full.bad },
    })
}

fn lone(of: &Lone<'_>) -> Json {
    let mut conversations = Pair::of(|_| Json::Null);
    conversations[of.which] = conversation(of.conversation);
    json!({
        "type": "diff",
        "outcome": "different",
        "conversations": { "good": conversations.good, "bad": conversations.bad },
        "lone": of.which.word(),
        "alike": 0,
        "parting": null,
        "ending": null,
        "rows": [],
        "rows_beyond": 0,
        "differences": [],
        "delays": [],
        "not_compared": [],
        "left": { "good": 0, "bad": 0 },
    })
}

fn conversation(of: &Conversation) -> Json {
    let host = |host: &Host| json!({ "ip": host.ip.to_string(), "name": host.name.as_deref() });
    json!({
        "client": host(&of.client),
        "server": host(&of.server),
        "first_time": of.steps.first().map(|step| step.time.to_string()),
        "calls": of.calls,
        "steps": of.steps.len(),
        "steps_not_kept": of.beyond,
    })
}

/// What it takes to write a comparison.
struct Write<'r> {
    registry: &'r Registry,
}

impl Write<'_> {
    fn comparison(&self, of: &Comparison<'_>) -> Json {
        let conversations = of.conversations.map(conversation);
        let told: Vec<&Row> = of.rows.iter().filter(|row| !is_same(row)).collect();
        let rows: Vec<Json> = told.iter().take(MOST_ROWS).map(|row| self.row(of, row)).collect();
        let gaps = of.gaps();
        let gaps = gaps.iter().map(|gap| {
            let steps = gap.rows.len();
            json!({ "capture": gap.which.word(), "why": gap.why.word(), "steps": steps })
        });
        json!({
            "type": "diff",
            "outcome": of.outcome().word(),
            "conversations": { "good": conversations.good, "bad": conversations.bad },
            "lone": of.lone.map(Which::word),
            "alike": of.alike(),
            "parting": of.parting.as_ref().map(|parting| self.parting(of, parting)),
            "ending": of.ending.as_ref().map(|ending| self.parting(of, ending)),
            "rows": rows,
            "rows_beyond": told.len().saturating_sub(MOST_ROWS),
            "differences": of.differences.iter().map(difference).collect::<Vec<_>>(),
            "delays": of.delays.iter().map(|delay| delayed(of, delay)).collect::<Vec<_>>(),
            "not_compared": gaps.collect::<Vec<_>>(),
            "left": { "good": of.left.good, "bad": of.left.bad },
        })
    }

    fn parting(&self, of: &Comparison<'_>, parting: &Parting) -> Json {
        json!({
            "weight": parting.weight.word(),
            "steps": self.steps(of, parting.steps),
            "changes": parting.changes.iter().map(change).collect::<Vec<_>>(),
        })
    }

    fn row(&self, of: &Comparison<'_>, row: &Row) -> Json {
        let none: &[Change] = &[];
        let (verdict, weight, changes) = match &row.verdict {
            Verdict::Same => ("same", None, none),
            Verdict::Differs(changes) => ("differs", None, &**changes),
            Verdict::Only(weight) => ("only", Some(weight.word()), none),
        };
        let unseen = row.unseen.map(|why| why.map(Unseen::word));
        json!({
            "verdict": verdict,
            "weight": weight,
            "steps": self.steps(of, row.steps),
            "changes": changes.iter().map(change).collect::<Vec<_>>(),
            "unseen": { "good": unseen.good, "bad": unseen.bad },
        })
    }

    fn steps(&self, of: &Comparison<'_>, at: Pair<Option<usize>>) -> Json {
        let steps = Pair::of(|which| {
            let step = of.step(which, at[which])?;
            Some(self.step(of.conversations[which], step))
        });
        json!({ "good": steps.good, "bad": steps.bad })
    }

    fn step(&self, of: &Conversation, step: &Step) -> Json {
        let since = of.steps.first().map_or(0, |first| step.time.since(first.time));
        let (call, setup) = match &step.act {
            Act::Call(call) => (Some(&**call), None),
            Act::Setup(setup) => (None, Some(setup)),
        };
        let outcome = match (call, setup.and_then(|setup| setup.refusal)) {
            (Some(call), _) => call.outcome.word(),
            (None, None) => "ok",
            (None, Some(_)) => "refused",
        };
        let refusal = setup.and_then(|setup| setup.refusal);
        json!({
            "act": setup.map_or("call", |setup| setup.stage.word()),
            "of": setup.and_then(|setup| setup.of.as_deref()),
            "call": call.map(|call| call.n),
            "opnum": call.and_then(|call| call.opnum),
            "method": call.and_then(Exchange::method),
            "frame": step.frame.map(|frame| frame.0),
            "time": step.time.to_string(),
            "since_ms": milliseconds(since),
            "elapsed_ms": call.and_then(|call| call.elapsed).map(milliseconds),
            "times": step.repeated.saturating_add(1),
            "outcome": outcome,
            "status": call.and_then(|call| call.status).map(|status| self.status(status)),
            "fault": fault(call.and_then(|call| call.fault)),
            "refusal": refusal.map(words::refusal),
            "nt_status": refusal.and_then(nt_status),
        })
    }

    fn status(&self, status: u32) -> Json {
        let interface = self.registry.interface(fsrvp::UUID, fsrvp::VERSION.0);
        let name = self.registry.status_name(interface.map(|interface| &**interface), status);
        json!({ "value": format!("0x{status:08x}"), "name": name })
    }
}

fn nt_status(refusal: Refusal) -> Option<Json> {
    let (Refusal::Status(status) | Refusal::Ended(Some(status))) = refusal else { return None };
    Some(json!({ "value": format!("0x{:08x}", status.0), "name": status.name() }))
}

/// Whether there is nothing to tell of a row.
fn is_same(row: &Row) -> bool {
    let nothing = matches!(row.verdict, Verdict::Same | Verdict::Only(Weight::Nothing));
    nothing && row.is_seen()
}

fn change(of: &Change) -> Json {
    let name = (!of.name.is_empty()).then_some(of.name);
    let values = of.values.as_ref().map(|value| name.map(|_| value));
    json!({ "part": of.part.word(), "name": name, "good": values.good, "bad": values.bad })
}

fn difference(of: &Difference) -> Json {
    let opnum = match of.of {
        Trait::TimeOut(opnum) => Some(opnum),
        _ => None,
    };
    let method = OPERATIONS.iter().find(|(number, _)| Some(*number) == opnum);
    let values =
        of.values.as_ref().map(|values| values.iter().map(words::value).collect::<Vec<_>>());
    json!({
        "of": of.of.word(),
        "method": method.map(|(_, name)| *name),
        "good": values.good,
        "bad": values.bad,
    })
}

fn delayed(of: &Comparison<'_>, delay: &Delay) -> Json {
    let sides = Pair::of(|which| {
        let step = of.step(which, Some(delay.steps[which]));
        json!({
            "call": step.and_then(|step| Some(step.call()?.n)),
            "frame": step.and_then(|step| Some(step.frame?.0)),
            "ms": milliseconds(delay.nanos[which]),
        })
    });
    let what = match delay.what {
        Delayed::Answer => "answer",
        Delayed::Pause => "pause",
    };
    let name = of.step(Which::Good, Some(delay.steps.good)).map(words::name);
    json!({ "what": what, "step": name, "good": sides.good, "bad": sides.bad })
}
