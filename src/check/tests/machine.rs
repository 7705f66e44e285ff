//! The table says what happens in every state to every answer, and says it once.

use super::*;
use crate::check::catalogue::Catalogue;
use crate::check::profile::{KEEPS_EXPOSED, Profiles};
use crate::check::world::{Unfinished, World};

fn machine() -> Machine {
    Machine::embedded().expect("the embedded table loads")
}

#[test]
fn every_answer_in_every_state_has_a_row() {
    let begins = Answers::of_word("begins").expect("a word");
    for method in &machine().methods {
        for view in method.views() {
            for answer in Answers::each().filter(|answer| *answer != begins) {
                let last = method.leads(*view, answer).last().copied();
                let answer: Vec<_> = answer.named().collect();
                assert!(
                    last.is_some_and(Row::is_unconditional),
                    "{}: no row is for {answer:?} in {} whatever else is true",
                    method.name,
                    view.word()
                );
            }
        }
        let accepted = method.views().iter().any(|view| !method.leads(*view, begins).is_empty());
        assert_eq!(accepted, takes_long(method.opnum), "{} begins", method.name);
    }
}

#[test]
fn no_row_is_hidden_behind_others() {
    for method in &machine().methods {
        for (at, row) in method.rows.iter().enumerate() {
            let earlier = &method.rows[..at];
            let hidden = |view: View, answer: Answers| {
                let hides = |row: &Row| {
                    row.is_unconditional() && row.from.has(view) && row.answers.contains(answer)
                };
                earlier.iter().any(hides)
            };
            let seen = method.views().iter().filter(|view| row.from.has(**view)).any(|view| {
                Answers::each().any(|answer| row.answers.contains(answer) && !hidden(*view, answer))
            });
            assert!(seen, "{}: nothing can reach row {}: {row:?}", method.name, at + 1);
        }
    }
}

#[test]
fn rows_speak_of_what_their_operation_is_about() {
    for method in &machine().methods {
        let views: Views = method.views().iter().copied().collect();
        for row in &method.rows {
            let strange = row.from.iter().find(|view| !views.has(*view));
            assert!(row.from.is_all() || strange.is_none(), "{}: {strange:?}", method.name);
            assert!(row.to.iter().all(|to| View::OF_SET.contains(to)), "{}: {row:?}", method.name);
            // What must not be answered has no rules that say what follows, but of the timer.
            let keeps = &row.keeps;
            let said = [&keeps.set, &keeps.gone, &keeps.finished, &keeps.context];
            let said = said.iter().any(|rules| !rules.is_empty());
            assert!(row.breaks.is_none() || !said, "{}: {row:?}", method.name);
        }
    }
}

#[test]
fn the_rules_that_are_named_are_there_and_checked() {
    let catalogue = Catalogue::embedded().expect("the embedded rules load");
    for method in &machine().methods {
        for row in &method.rows {
            let Keeps { set, gone, context, timer, finished } = &row.keeps;
            let mut named: Vec<_> =
                [set, gone, context, timer, finished].into_iter().flatten().collect();
            if let Some(breach) = &row.breaks {
                named.push(&breach.rule);
                named.extend(breach.also.iter().chain(&breach.late));
            }
            for id in named {
                let rule = catalogue.get(id).unwrap_or_else(|| panic!("{}: no {id}", method.name));
                assert_eq!(*rule.id, **id, "{}: it is written otherwise", method.name);
                assert!(rule.is_checked(), "{}: {id} is left out", method.name);
            }
        }
    }
}

#[test]
fn profiles_and_rows_have_the_same_quirks() {
    let (catalogue, machine) = (Catalogue::embedded().expect("it loads"), machine());
    let profiles = Profiles::embedded(&catalogue, &machine).expect("the profiles load");
    let rows = || machine.methods.iter().flat_map(|method| &method.rows);
    let of_rows = || rows().filter_map(|row| row.quirk.as_ref());
    let of_profiles: Vec<_> = profiles
        .names()
        .filter_map(|name| profiles.get(name))
        .flat_map(|profile| profile.quirks.iter().cloned())
        .collect();
    for quirk in &of_profiles {
        let known = of_rows().any(|of| of == quirk) || **quirk == *KEEPS_EXPOSED;
        assert!(known, "no row has `{quirk}`");
    }
    for quirk in of_rows() {
        assert!(of_profiles.contains(quirk), "no profile has `{quirk}`");
    }
}

/// What the diagrams say of the timer, which no row does.
#[test]
fn the_timer_ends_what_is_unfinished() {
    for view in View::UNFINISHED {
        let mut world = World::unseen(true, Some(view));
        if let Some(Unfinished { set, .. }) = &mut world.unfinished {
            *set = Some(7);
        }
        let after = world.expired(&[], false);
        assert!(after.unfinished.is_none() && after.open.is_none(), "{view:?}");
        assert!(after.gone.iter().any(|(set, _)| *set == 7), "{view:?}");
    }
}

const SMALL: &str = r#"
[common]
rows = [
  { answer = "E_ACCESSDENIED" },
]

[GetSupportedVersion]
opnum = 0
section = "3.1.4.1"
rows = [
  { from = ["open", "closed"], when = "owner, within the limit", answer = ["0", "other"], to = "gone", context = "open", timer = "off", severity = "note", quirk = "odd" },
  { answer = "any", breaks = "3.1.4.1-02" },
]
"#;

#[test]
fn a_table_is_read() {
    let machine = Machine::parse("x.toml", SMALL).expect("it is right");
    let method = machine.method(0).expect("the operation");
    assert_eq!((&*method.name, method.rows.len()), ("GetSupportedVersion", 3));
    let row = &method.rows[1];
    assert_eq!(row.from.iter().collect::<Vec<_>>(), [View::Closed, View::Open]);
    assert_eq!(row.when, [Guard::Owner, Guard::WithinLimit]);
    assert_eq!(
        (row.context, row.timer, &*row.to),
        (Some(true), Some(Clock::Off), &[View::Gone][..])
    );
    assert_eq!(row.answers.named().collect::<Vec<_>>(), ["0", "other"]);
    let ok = Answers::of_word("0").expect("a word");
    // Peculiarities are not of all servers.
    assert!(method.leads(View::Open, ok).iter().all(|row| row.quirk.is_none()));
}

#[test]
fn errors_name_the_line_and_the_nearest_word() {
    #[track_caller]
    fn refused(from: &str, to: &str, expect: &str) {
        assert_ne!(SMALL.replace(from, to), SMALL, "{from} is not there");
        let error = Machine::parse("x.toml", &SMALL.replace(from, to)).expect_err("it is wrong");
        assert_eq!(error.to_string(), expect);
    }
    refused(
        "\"open\", \"cl",
        "\"opne\", \"cl",
        "x.toml:11:3: unknown state `opne`; did you mean `open`?",
    );
    refused("\"gone\"", "\"gnoe\"", "x.toml:11:3: unknown state `gnoe`; did you mean `gone`?");
    refused(
        "within the limit",
        "within teh limit",
        "x.toml:11:3: unknown condition `within teh limit`; did you mean `within the limit`?",
    );
    refused("\"other\"", "\"ohter\"", "x.toml:11:3: unknown answer `ohter`; did you mean `other`?");
    refused(
        "E_ACCESSDENIED",
        "ACCESSDENIED",
        "x.toml:4:3: unknown answer `ACCESSDENIED`; did you mean `E_ACCESSDENIED`?",
    );
    refused(
        "context = \"open\"",
        "context = \"opne\"",
        "x.toml:11:3: unknown context `opne`; did you mean `open`?",
    );
    refused("\"off\"", "\"of\"", "x.toml:11:3: unknown timer `of`; did you mean `off`?");
    refused("\"note\"", "\"noet\"", "x.toml:11:3: unknown severity `noet`; did you mean `note`?");
    refused("opnum = 0\n", "", "x.toml:7:2: [GetSupportedVersion] has no opnum");
    refused(
        "opnum = 0",
        "opnum = 1",
        "x.toml:7:2: expected an operation with opnum 0, found GetSupportedVersion",
    );
    let keys = "`from`, `when`, `answer`, `to`, `context`, `timer`, `keeps`, `breaks`, `also`, `late`, \
                `severity`, `quirk`";
    refused(
        "breaks =",
        "braeks =",
        &format!("x.toml:12:21: unknown field `braeks`, expected one of {keys}"),
    );
    refused("answer = \"any\", ", "", "x.toml:12:3: missing field `answer`");
}
