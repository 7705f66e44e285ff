//! What else differs: what is so throughout, who asks more, and what takes longer.

use std::collections::BTreeMap;

use super::super::prose::list;
use super::super::text::cut;
use super::sentence::{MOST_VALUE, span};
use super::table::{Cell, Table};
use super::words;
use crate::diff::{Act, Comparison, Delay, Delayed, Pair, Step, Verdict, Weight, Which};

/// Values, calls and delays in a row.
const MOST_LISTED: usize = 6;
/// Delays that are told.
const MOST_DELAYS: usize = 8;

/// The table of what else differs.
pub(super) fn rows(of: &Comparison<'_>) -> Table {
    let mut table = Table::new(["", "GOOD", "BAD"].map(str::to_owned));
    let mut row = |head: String, values: Pair<String>| {
        table.row([head, values.good, values.bad].map(Cell::plain));
    };
    for difference in &of.differences {
        let values = difference.values.as_ref().map(|values| {
            let words: Vec<String> =
                values.iter().map(|value| cut(&words::value(value), MOST_VALUE)).collect();
            list(&words, MOST_LISTED)
        });
        row(words::of(difference.of), values);
    }
    for (head, values) in asked(of) {
        row(head, values);
    }
    let delays: Vec<&Delay> = of.delays.iter().filter(|delay| !is_told(of, delay)).collect();
    for delay in delays.iter().take(MOST_DELAYS) {
        let (head, values) = delayed(of, delay);
        row(head, values);
    }
    if let Some(more @ 1..) = delays.len().checked_sub(MOST_DELAYS) {
        row(format!("and {more} more delays"), Pair::of(|_| String::new()));
    }
    table
}

/// Whether it is told where they part.
fn is_told(of: &Comparison<'_>, delay: &Delay) -> bool {
    let mut partings = of.parting.iter().chain(&of.ending);
    delay.what == Delayed::Pause && partings.any(|parting| parting.steps == delay.steps.map(Some))
}

/// Steps that only one side has, and that are not where they part.
fn asked(of: &Comparison<'_>) -> Vec<(String, Pair<String>)> {
    let upto = of.parting.as_ref().map_or(of.rows.len(), |parting| parting.row);
    let mut found: BTreeMap<(String, Weight), Pair<Vec<String>>> = BTreeMap::new();
    for row in of.rows.iter().take(upto).filter(|row| row.is_seen()) {
        let Verdict::Only(weight @ (Weight::Again | Weight::Elsewhere | Weight::Beside)) =
            row.verdict
        else {
            continue;
        };
        for which in Which::BOTH {
            if let Some(step) = of.step(which, row.steps[which]) {
                let key = (words::place(step), weight);
                found.entry(key).or_default()[which].push(place(step));
            }
        }
    }
    let told = found.into_iter().map(|((name, weight), places)| {
        let again = if weight == Weight::Again { "again in " } else { "in " };
        let said = |places: Vec<String>| match places.len() {
            0 => "–".to_owned(),
            _ => format!("{again}{}", list(&places, MOST_LISTED)),
        };
        (name, places.map(said))
    });
    told.collect()
}

fn place(step: &Step) -> String {
    match (&step.act, step.frame) {
        (Act::Call(call), _) => format!("call {}", call.n),
        (Act::Setup(_), Some(frame)) => format!("frame {}", frame.0),
        (Act::Setup(_), None) => "no frame".to_owned(),
    }
}

fn delayed(of: &Comparison<'_>, delay: &Delay) -> (String, Pair<String>) {
    let steps = Pair::of(|which| of.step(which, Some(delay.steps[which])));
    let name = steps.good.map(words::name).unwrap_or_default();
    let head = match delay.what {
        Delayed::Answer => format!("answer to {name}"),
        Delayed::Pause => format!("pause before {name}"),
    };
    let values = Pair::of(|which| {
        let place = steps[which].map(place).unwrap_or_default();
        format!("{} ({place})", span(delay.nanos[which]))
    });
    (head, values)
}
