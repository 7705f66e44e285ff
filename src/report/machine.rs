//! The state machine of a server as people read it: Mermaid diagrams and a table, in Markdown; and the
//! arrows of the diagrams for who draws them in another way.
//!
//! All of it comes from the transition table. What a server must not answer, what only some servers
//! do, and what changes nothing is left out.

use std::io::{self, Write};

use crate::check::machine::{Answers, Clock, Guard, Machine, Method, Row, View, names_set};

/// What happens without an answer: the timer of 3.1.2 ends what is unfinished.
pub const EXPIRY: &str = "the timer runs out";
/// A state that stands for all those of an unfinished set, [`View::UNFINISHED`].
pub const UNFINISHED: &str = "unfinished";

/// An arrow of a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The word of the state that it comes from, or [`UNFINISHED`]; none where all begins.
    pub from: Option<&'static str>,
    /// The word of the state that it leads to, which may be the same.
    pub to: &'static str,
    /// What leads there: an operation with its answers and, in brackets, the conditions; or [`EXPIRY`].
    pub labels: Vec<String>,
}

impl Arrow {
    /// Whether it leads back to where it comes from.
    pub fn is_loop(&self) -> bool {
        self.from == Some(self.to)
    }
}

/// Writes the diagrams of a shadow copy set and of the server's context, and the table of its timer.
pub fn write(machine: &Machine, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "A shadow copy set:\n")?;
    sets(machine, out)?;
    writeln!(out, "\nThe server's context, `ContextSet` with its owner:\n")?;
    context(machine, out)?;
    writeln!(out, "\nThe Message Sequence Timer:\n")?;
    timer(machine, out)
}

/// The arrows between the states of a shadow copy set: those that lead back to where they come from,
/// then the others in the order of the states.
pub fn of_sets(machine: &Machine) -> Vec<Arrow> {
    let mut edges = Edges::default();
    each(machine, |method, view, answer, row| {
        let label = Label::new(method, row, answer);
        if names_set(method.opnum) {
            let success = answer.statuses().any(|status| status == 0);
            let stays = success && row.to.is_empty() && row.timer.is_some() && view != View::Gone;
            for to in row.to.iter().copied().chain(stays.then_some(view)) {
                // A refusal after which all is as before is no transition.
                if to != view || success {
                    edges.add(Some(view.word()), to.word(), label.clone());
                }
            }
        } else if row.to.contains(&View::Gone) {
            for unfinished in View::UNFINISHED {
                edges.add(Some(unfinished.word()), View::Gone.word(), label.clone());
            }
        } else {
            for to in &row.to {
                edges.add(None, to.word(), label.clone());
            }
        }
    });
    edges.gather(&View::UNFINISHED, UNFINISHED, View::Gone.word());
    let arrows = edges.arrows(|arrow| arrow.from == Some(UNFINISHED));
    let (mut arrows, mut ways): (Vec<Arrow>, Vec<Arrow>) =
        arrows.into_iter().partition(Arrow::is_loop);
    let place =
        |name: &str| View::OF_SET.iter().position(|view| view.word() == name).unwrap_or(usize::MAX);
    ways.sort_by_key(|arrow| (arrow.from.map(place), arrow.to == View::Gone.word()));
    arrows.append(&mut ways);
    arrows
}

/// The arrows of the server's context, [`View::Closed`] and [`View::Open`], in the order of the table.
pub fn of_context(machine: &Machine) -> Vec<Arrow> {
    let (open, closed) = (View::Open.word(), View::Closed.word());
    let mut edges = Edges::default();
    each(machine, |method, view, answer, row| {
        let Some(opens) = row.context else { return };
        let to = if opens { open } else { closed };
        let from = match view {
            View::Closed | View::ClosedSet => closed,
            View::Open | View::OpenSet => open,
            // An operation on a set does not ask how the context is.
            _ if opens => closed,
            _ => open,
        };
        edges.add(Some(from), to, Label::new(method, row, answer));
    });
    let begins = Arrow { from: None, to: closed, labels: vec!["the server starts".to_owned()] };
    let expires = |arrow: &Arrow| arrow.from == Some(open) && arrow.to == closed;
    std::iter::once(begins).chain(edges.arrows(expires)).collect()
}

/// What a server answers, and when it is for this transition.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Label {
    method: String,
    when: Vec<Guard>,
    answers: Answers,
}

impl Label {
    fn new(method: &Method, row: &Row, answer: Answers) -> Self {
        Self { method: short(&method.name), when: row.when.clone(), answers: answer }
    }

    fn text(&self) -> String {
        format!("{} {}{}", self.method, answers(self.answers), when(&self.when))
    }
}

/// An [`Arrow`] in the making.
#[derive(Clone, Debug)]
struct Edge {
    from: Option<&'static str>,
    to: &'static str,
    labels: Vec<Label>,
}

/// Arrows, each once.
#[derive(Debug, Default)]
struct Edges(Vec<Edge>);

impl Edges {
    fn add(&mut self, from: Option<&'static str>, to: &'static str, label: Label) {
        let same = |edge: &&mut Edge| edge.from == from && edge.to == to;
        let Some(edge) = self.0.iter_mut().find(same) else {
            return self.0.push(Edge { from, to, labels: vec![label] });
        };
        let alike = |known: &&mut Label| known.method == label.method && known.when == label.when;
        match edge.labels.iter_mut().find(alike) {
            Some(known) => known.answers = known.answers.or(label.answers),
            None => edge.labels.push(label),
        }
    }

    /// What is on the arrows to `to` from all of `states` becomes one arrow from what stands
    /// for them.
    fn gather(&mut self, states: &[View], standing: &'static str, to: &'static str) {
        let from = |edge: &Edge, view: &View| edge.from == Some(view.word()) && edge.to == to;
        let Some(first) = self.0.iter().find(|edge| states.iter().any(|view| from(edge, view)))
        else {
            return;
        };
        let has = |view: &View, label: &Label| {
            self.0.iter().any(|edge| from(edge, view) && edge.labels.contains(label))
        };
        let everywhere = |label: &&Label| states.iter().all(|view| has(view, label));
        let shared: Vec<Label> = first.labels.iter().filter(everywhere).cloned().collect();
        for edge in &mut self.0 {
            if states.iter().any(|view| from(edge, view)) {
                edge.labels.retain(|label| !shared.contains(label));
            }
        }
        self.0.retain(|edge| !edge.labels.is_empty());
        self.0.push(Edge { from: Some(standing), to, labels: shared });
    }

    /// All of them in words; on those that `expires` is true of also [`EXPIRY`].
    fn arrows(self, expires: impl Fn(&Arrow) -> bool) -> Vec<Arrow> {
        let arrow = |Edge { from, to, labels }: Edge| {
            let labels = labels.iter().map(Label::text).collect();
            let mut arrow = Arrow { from, to, labels };
            if expires(&arrow) {
                arrow.labels.push(EXPIRY.to_owned());
            }
            arrow
        };
        self.0.into_iter().map(arrow).collect()
    }
}

/// Calls `with` for each row that may be the one for an answer in a state, if it may be answered.
fn each(machine: &Machine, mut with: impl FnMut(&Method, View, Answers, &Row)) {
    for method in &machine.methods {
        for view in method.views() {
            for answer in Answers::each() {
                for row in method.leads(*view, answer) {
                    if row.breaks.is_none() {
                        with(method, *view, answer, row);
                    }
                }
            }
        }
    }
}

fn sets(machine: &Machine, out: &mut dyn Write) -> io::Result<()> {
    let words = View::UNFINISHED.map(View::word);
    let [rest @ .., last] = &words;
    writeln!(out, "```mermaid\nstateDiagram-v2")?;
    writeln!(out, "    state \"{} or {last}\" as {UNFINISHED}", rest.join(", "))?;
    let (loops, ways): (Vec<Arrow>, Vec<Arrow>) =
        of_sets(machine).into_iter().partition(Arrow::is_loop);
    for Arrow { to: state, labels, .. } in &loops {
        writeln!(out, "    {state} : {state}\n    {state} : stays so after {}", labels.join(", "))?;
    }
    for way in &ways {
        arrow(way, out)?;
    }
    writeln!(out, "```")
}

fn context(machine: &Machine, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "```mermaid\nstateDiagram-v2")?;
    for way in &of_context(machine) {
        arrow(way, out)?;
    }
    writeln!(out, "```")
}

fn arrow(arrow: &Arrow, out: &mut dyn Write) -> io::Result<()> {
    let labels: Vec<String> =
        arrow.labels.iter().map(|label| label.replace(" (", "<br/>(")).collect();
    let from = arrow.from.unwrap_or("[*]");
    writeln!(out, "    {from} --> {} : {}", arrow.to, labels.join("<br/>"))
}

/// What sets the timer, in one state.
type Setting = (Clock, Label);

fn timer(machine: &Machine, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| operation | state | answer | timer |\n|---|---|---|---|")?;
    for method in &machine.methods {
        let mut lines: Vec<(Setting, Vec<&'static str>)> = Vec::new();
        for view in method.views() {
            let word = match view {
                View::ClosedSet => View::Closed.word(),
                View::OpenSet => View::Open.word(),
                view => view.word(),
            };
            for setting in settings(method, *view) {
                match lines.iter_mut().find(|(known, _)| *known == setting) {
                    Some((_, words)) if words.contains(&word) => {}
                    Some((_, words)) => words.push(word),
                    None => lines.push((setting, vec![word])),
                }
            }
        }
        for ((clock, label), words) in &lines {
            let answers = format!("{}{}", answers(label.answers), when(&label.when));
            let clock = match clock {
                Clock::Start(seconds) => format!("{seconds} s"),
                Clock::Off => "off".to_owned(),
                Clock::Unknown => "unknown".to_owned(),
            };
            let states = words.join(", ");
            writeln!(out, "| {} | {states} | {answers} | {clock} |", label.method)?;
        }
    }
    Ok(())
}

/// What the answers to an operation in a state do to the timer.
fn settings(method: &Method, view: View) -> Vec<Setting> {
    let mut found: Vec<Setting> = Vec::new();
    for answer in Answers::each() {
        for row in method.leads(view, answer) {
            let Some(clock) = row.timer.filter(|_| row.breaks.is_none()) else { continue };
            let alike = |(known, label): &&mut Setting| *known == clock && label.when == row.when;
            match found.iter_mut().find(alike) {
                Some((_, label)) => label.answers = label.answers.or(answer),
                None => found.push((clock, Label::new(method, row, answer))),
            }
        }
    }
    found
}

/// `Commit` of `CommitShadowCopySet`.
fn short(method: &str) -> String {
    method.trim_end_matches("ShadowCopySet").trim_end_matches("To").to_owned()
}

fn answers(answers: Answers) -> String {
    let mut words: Vec<&str> = answers.named().collect();
    words.sort_by_key(|word| match *word {
        "begins" => 0,
        "0" => 1,
        "other" => 3,
        _ => 2,
    });
    let said = |word| match word {
        "0" => "ok",
        "other" => "another error",
        word => word,
    };
    words.into_iter().map(said).collect::<Vec<_>>().join(", ")
}

fn when(guards: &[Guard]) -> String {
    match guards {
        [] => String::new(),
        guards => {
            let words: Vec<_> = guards.iter().map(|guard| guard.word()).collect();
            format!(" ({})", words.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine::embedded().expect("the embedded table loads")
    }

    /// `from → to: label, label`, for each arrow.
    fn lines(arrows: &[Arrow]) -> Vec<String> {
        let line = |Arrow { from, to, labels }: &Arrow| {
            format!("{} → {to}: {}", from.unwrap_or("·"), labels.join(", "))
        };
        arrows.iter().map(line).collect()
    }

    #[test]
    fn arrows_are_those_of_the_drawing() {
        let mut drawing = Vec::new();
        write(&machine(), &mut drawing).expect("memory takes it");
        let drawing = String::from_utf8(drawing).expect("it is text");
        let drawn = drawing.lines().filter(|line| line.contains(" --> ")).count();
        let (of_sets, of_context) = (of_sets(&machine()), of_context(&machine()));
        let loops = of_sets.iter().filter(|arrow| arrow.is_loop()).count();
        assert_eq!((loops, drawn), (2, of_sets.len() - loops + of_context.len()));
        for Arrow { from, to, labels } in of_sets.iter().chain(&of_context) {
            for state in from.iter().chain([to]).filter(|state| **state != UNFINISHED) {
                assert!(View::ALL.iter().any(|view| view.word() == *state), "{state}");
            }
            assert!(!labels.is_empty());
            for label in labels {
                assert!(drawing.replace("<br/>(", " (").contains(label), "{label}");
            }
        }
    }

    #[test]
    fn arrows_begin_where_a_set_is_started_and_end_where_it_is_gone() {
        let lines = lines(&of_sets(&machine()));
        for expect in [
            "Added → Added: Add ok, Prepare ok",
            "· → Started: Start ok",
            "Started → Added: Add ok",
            "Exposed → gone: DeleteShareMapping ok (last mapping)",
        ] {
            assert!(lines.iter().any(|line| line == expect), "{expect}\n{}", lines.join("\n"));
        }
        let last = lines.last().expect("there are some");
        assert!(last.starts_with("unfinished → gone: SetContext IN_PROGRESS (owner, beyond the"));
        assert!(last.ends_with(", Abort ok, the timer runs out"), "{last}");
    }

    #[test]
    fn the_context_is_opened_and_closed() {
        let expect = [
            "· → closed: the server starts",
            "closed → open: SetContext ok",
            "open → closed: SetContext IN_PROGRESS (owner, beyond the limit), RecoveryComplete ok, \
             Abort ok, the timer runs out",
            "open → open: SetContext ok (owner, within the limit)",
        ];
        assert_eq!(lines(&of_context(&machine())), expect);
    }
}
