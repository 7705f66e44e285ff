//! What is said of a comparison in sentences.

use super::super::prose::{count, len, list};
use super::super::text::cut;
use super::{label, words};
use crate::bytes::printable;
use crate::call::Outcome;
use crate::diff::{
    Act, Comparison, Delayed, Gap, Pair, Part, Parting, Step, Unseen, Weight, Which,
};
use crate::protocol::Registry;

/// Differences of one step that are told in a sentence.
const MOST_CHANGES: usize = 3;
/// Steps that are named where they could not be compared.
const MOST_LISTED: usize = 6;
/// Columns of a value.
pub(super) const MOST_VALUE: usize = 60;

/// How much is alike before they part, or altogether.
pub(super) fn alike(of: &Comparison<'_>) -> Option<String> {
    let alike = u64::try_from(of.alike()).unwrap_or(u64::MAX);
    if let Some(parting) = &of.parting {
        let before = of.rows.get(..parting.row)?;
        let last = before.iter().rev().find(|row| row.is_alike())?;
        let last = of.step(Which::Good, last.steps.good)?;
        let (steps, are) = (count(alike, "step"), if alike == 1 { "is" } else { "are" });
        return Some(format!("{steps} {are} alike, up to {}.", words::place(last)));
    }
    if !of.is_something() {
        return Some("Nothing of shadow copies could be compared.".to_owned());
    }
    let steps = count(alike, "step");
    Some(if of.is_whole() {
        format!("No difference in what was asked and answered: {steps} alike.")
    } else {
        format!("What could be compared is alike: {steps}. Not all could be.")
    })
}

/// The last step before they part that both have.
fn last<'a>(of: &Comparison<'a>, parting: &Parting) -> Option<&'a Step> {
    let before = of.rows.get(..parting.row)?;
    let row =
        before.iter().rev().find(|row| row.steps.good.is_some() && row.steps.bad.is_some())?;
    of.step(Which::Good, row.steps.good)
}

/// Where they part.
pub(super) fn parting(of: &Comparison<'_>, parting: &Parting, registry: &Registry) -> String {
    let steps = Pair::of(|which| of.step(which, parting.steps[which]));
    let later = of.ending.as_ref() == Some(parting);
    let mut changes = of.parting.iter().flat_map(|parting| &parting.changes);
    let asked = changes.all(|change| change.part == Part::Request);
    let answers = if asked { "answers" } else { "statuses" };
    let they = match parting.weight {
        Weight::Meaning => "They part",
        _ => "They part only in what changes nothing at the server,",
    };
    let sentence = match steps {
        Pair { good: Some(good), bad: Some(bad) } if !parting.changes.is_empty() => {
            let (place, said) = changed(of, parting, Pair { good, bad }, registry);
            if later {
                format!("The {answers} are the same until {place}: {said}.")
            } else {
                format!("{they} at {place}: {said}.")
            }
        }
        steps => {
            let place = match last(of, parting).map(words::place) {
                Some(last) if later => {
                    format!("The {answers} are the same up to {last}; then")
                }
                Some(last) if parting.weight == Weight::Meaning => format!("{they} after {last}:"),
                Some(last) => format!("{they} after {last},"),
                None => "They part at once:".to_owned(),
            };
            let deeds = steps.map(|step| step.map(deed));
            let same = deeds.good == deeds.bad;
            let goes = |which: Which| match (&deeds[which], steps[which]) {
                // By what they are about.
                (Some(deed), Some(step)) if same => {
                    let asked = cut(&words::asked(step), MOST_VALUE);
                    format!("{} goes on with {deed} {asked}", label(which))
                }
                (Some(deed), _) => format!("{} goes on with {deed}", label(which)),
                (None, _) => format!("{} ends", label(which)),
            };
            format!("{place} {}, {}.", goes(Which::Good).trim_end(), goes(Which::Bad).trim_end())
        }
    };
    printable(&sentence)
}

/// A step as something that one goes on with.
fn deed(step: &Step) -> String {
    match &step.act {
        Act::Call(call) => words::method(call),
        Act::Setup(setup) if setup.refusal.is_some() => {
            format!("{}, which is refused", words::place(step))
        }
        Act::Setup(_) => words::place(step),
    }
}

/// Where two steps differ, and in what.
fn changed(
    of: &Comparison<'_>,
    parting: &Parting,
    steps: Pair<&Step>,
    registry: &Registry,
) -> (String, String) {
    let name = words::place(steps.good);
    let changes: Vec<String> = parting
        .changes
        .iter()
        .take(MOST_CHANGES)
        .map(|change| match change.part {
            Part::Outcome => {
                let said = |which| ended(of, which, steps[which], registry);
                format!("{}, {}", said(Which::Good), said(Which::Bad))
            }
            Part::Request | Part::Response => {
                let Pair { good, bad } = change.values.as_ref().map(|value| cut(value, MOST_VALUE));
                format!("{} is {good} in GOOD and {bad} in BAD", change.name)
            }
        })
        .collect();
    let answer = parting.changes.iter().all(|change| change.part == Part::Response);
    let place = if answer { "the answer to " } else { "" };
    (format!("{place}{name}"), changes.join("; "))
}

/// What one side shows to have failed, where the other does not show how it ended.
pub(super) fn failures(of: &Comparison<'_>, registry: &Registry) -> Vec<String> {
    let told = of.rows.iter().flat_map(|row| {
        Which::BOTH.into_iter().filter_map(|which| {
            let why = row.unseen[which.other()]?;
            let both = row.steps.good.zip(row.steps.bad).is_some();
            let step = of.step(which, row.steps[which]).filter(|_| both)?;
            let call = step.call()?;
            let failed = matches!(call.outcome, Outcome::Failed | Outcome::Fault);
            failed.then(|| {
                let (place, ended) = (words::place(step), ended(of, which, step, registry));
                let other = label(which.other());
                let n = call.n;
                printable(&format!(
                    "At {place}, call {n}, {ended}; what {other} gets is not seen ({}).",
                    why.word()
                ))
            })
        })
    });
    told.take(MOST_CHANGES).collect()
}

/// That it comes to the same all the same.
pub(super) fn answers(of: &Comparison<'_>) -> Option<&'static str> {
    let parting = of.parting.as_ref().filter(|_| of.ending.is_none() && of.is_whole())?;
    let asked = parting.changes.iter().all(|change| change.part == Part::Request);
    (asked && !parting.changes.is_empty()).then_some("The answers are the same.")
}

/// How a step ended on one side.
fn ended(of: &Comparison<'_>, which: Which, step: &Step, registry: &Registry) -> String {
    let label = label(which);
    match &step.act {
        Act::Setup(setup) => match setup.refusal {
            None => format!("{label} is let in"),
            Some(refusal) => format!("{label} is not ({})", words::refusal(refusal)),
        },
        Act::Call(call) => match call.outcome {
            Outcome::NoResponse => {
                let last = of.conversations[which].steps.last().and_then(Step::call);
                let end = last.is_some_and(|last| last.n == call.n);
                let until = if end { " before its capture ends" } else { "" };
                format!("{label} gets no answer{until}")
            }
            Outcome::Ok => format!("{label} succeeds"),
            _ => format!("{label} gets {}", words::answered(step, registry)),
        },
    }
}

/// That one side paused before it came where they part.
pub(super) fn pauses(of: &Comparison<'_>, parting: &Parting) -> Vec<String> {
    let here = |which: Which, at: usize| parting.steps[which] == Some(at);
    let pauses = of.delays.iter().filter(|delay| {
        delay.what == Delayed::Pause
            && Which::BOTH.iter().all(|which| here(*which, delay.steps[*which]))
    });
    let said = pauses.map(|delay| {
        let longer = delay.longer();
        let spans = delay.nanos.map(span);
        format!(
            "{} paused {} before it, {} {}.",
            label(longer),
            spans[longer],
            label(longer.other()),
            spans[longer.other()]
        )
    });
    said.collect()
}

/// A span of time, as people say it.
pub(super) fn span(nanos: i64) -> String {
    const MILLI: i64 = 1_000_000;
    const SECOND: i64 = 1000 * MILLI;
    let tenths = |n: i64, unit: i64| format!("{}.{}", n / unit, n % unit * 10 / unit);
    match nanos {
        ..10_000_000 => format!("{} ms", tenths(nanos.max(0), MILLI)),
        10_000_000..SECOND => format!("{} ms", nanos / MILLI),
        SECOND..=59_999_999_999 => format!("{} s", tenths(nanos, SECOND)),
        _ => {
            let seconds = nanos / SECOND;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

/// What could not be compared.
pub(super) fn unseen(of: &Comparison<'_>) -> Vec<String> {
    let mut told: Vec<String> = of.gaps().iter().flat_map(|gap| gaps(of, gap)).collect();
    if of.left != Pair::default() {
        let Pair { good, bad } = of.left;
        told.push(format!(
            "the last {good} steps of GOOD and {bad} of BAD, which are too many to compare"
        ));
    }
    for which in Which::BOTH {
        let beyond = of.conversations[which].beyond;
        if beyond > 0 {
            told.push(format!(
                "{} of {} beyond those that are kept",
                count(beyond, "step"),
                label(which)
            ));
        }
    }
    told
}

/// A gap in what the other side has, and in what belongs to what.
fn gaps(of: &Comparison<'_>, gap: &Gap) -> Vec<String> {
    let other = |row: &usize| {
        let row = of.rows.get(*row);
        row.is_some_and(|row| row.steps[gap.which.other()].is_some())
    };
    let own = gap.why != Unseen::Lost;
    let (there, here): (Vec<usize>, Vec<usize>) =
        gap.rows.iter().partition(|row| !own || other(row));
    let mut told = Vec::new();
    if !there.is_empty() {
        told.push(self::gap(of, &Gap { rows: there, ..*gap }));
    }
    if !here.is_empty() {
        let names = here.iter().filter_map(|row| of.rows.get(*row));
        let names = names.filter_map(|row| of.step(gap.which, row.steps[gap.which]));
        let names: Vec<String> = names.map(|step| printable(&words::place(step))).collect();
        told.push(format!(
            "{} of {}, which may belong to another of {}, where steps are not seen: {}",
            count(len(&here), "step"),
            label(gap.which),
            label(gap.which.other()),
            list(&names, MOST_LISTED)
        ));
    }
    told
}

fn gap(of: &Comparison<'_>, gap: &Gap) -> String {
    let (here, there) = (label(gap.which), label(gap.which.other()));
    let n = len(&gap.rows);
    let (calls, steps) = (count(n, "call"), count(n, "step"));
    let rows = || gap.rows.iter().filter_map(|row| of.rows.get(*row));
    // Those of which a part is there are known by their numbers, the others by what they are.
    let numbers: Vec<u64> = rows()
        .filter_map(|row| Some(of.step(gap.which, row.steps[gap.which])?.call()?.n))
        .collect();
    let names: Vec<String> = rows()
        .filter_map(|row| of.step(gap.which.other(), row.steps[gap.which.other()]))
        .map(|step| printable(&words::place(step)))
        .collect();
    let (numbers, names) = (list(&numbers, MOST_LISTED), list(&names, MOST_LISTED));
    match gap.why {
        Unseen::Sealed => {
            format!("what {calls} of {here} said, which are sealed: only the methods are seen")
        }
        Unseen::Truncated => format!(
            "what {calls} of {here} said, which are cut off (capture whole packets, -s 0): {numbers}"
        ),
        Unseen::Lost => format!("{calls} of which packets are missing in {here}: {numbers}"),
        Unseen::Missing => format!(
            "{steps} of {there} that {here} does not show, where packets are missing: {names}"
        ),
        Unseen::Encrypted => {
            format!("{steps} of {there}: what {here} did meanwhile is encrypted by SMB")
        }
        Unseen::Beyond => format!("{steps} of {there}: {here} has more steps than are kept"),
    }
}
