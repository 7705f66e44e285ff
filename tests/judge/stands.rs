//! How the judge thinks that servers stand around calls, beside how they stand.

use std::collections::BTreeMap;

use vshark::check::machine::{View, Views};
use vshark::check::{Options, Stand, StandTimer};

use crate::read;
use crate::server::{Profile, Server, Status};
use crate::table::{self, Before, Label, Subject};
use crate::talk::{Call, Id, Out, Talk};
use crate::trial::{KNOWLEDGE, tried};
use crate::world::{self, Wish};
use crate::{profile, seeds};

/// How far the clocks of a server and of its capture may be apart, in milliseconds.
const APART: i64 = 5_000;

/// How often something was said, and how often no more than one thing.
#[derive(Debug, Default)]
struct Score {
    said: u32,
    certain: u32,
}

impl Score {
    /// Counts what was said, which is wrong without one of these.
    fn count(&mut self, views: Views, truth: &[View], what: &str) -> Result<(), String> {
        self.said += 1;
        self.certain += u32::from(views.iter().count() == 1);
        if truth.iter().any(|view| views.has(*view)) {
            return Ok(());
        }
        let words: Vec<_> = views.iter().map(View::word).collect();
        Err(format!("{what} is {truth:?}, not {words:?}"))
    }

    /// Whether it is certain in so many of a hundred cases.
    fn is_certain(&self, cases: u32) -> bool {
        self.said > 100 && self.certain * 100 >= self.said * cases
    }
}

#[derive(Debug, Default)]
struct Scores {
    before: Score,
    after: Score,
    context_before: Score,
    context: Score,
    timer: Score,
}

fn view(status: Status) -> View {
    match status {
        Status::Started => View::Started,
        Status::Added => View::Added,
        Status::Creating => View::Creating,
        Status::Committed => View::Committed,
        Status::Exposed => View::Exposed,
        Status::Recovered => View::Recovered,
    }
}

/// How the context of a server may be called.
fn context((label, orphan): (Label, bool), profile: Profile) -> &'static [View] {
    // Where exposed sets are kept beside others, each of them may be the one that is unfinished.
    match label {
        Label::Ex if profile == Profile::Samba && orphan => &[View::ClosedSet, View::Closed],
        Label::Ex if profile == Profile::Samba => &[View::OpenSet, View::Open],
        Label::N => &[View::Closed],
        Label::X => &[View::Open],
        _ if orphan => &[View::ClosedSet],
        _ => &[View::OpenSet],
    }
}

/// The set that a call is about.
fn set_of(call: &Call) -> Option<Id> {
    let started = || match call.reply.as_ref()?.out {
        Out::Id(id) if call.ask.opnum() == 2 => Some(id),
        _ => None,
    };
    call.ask.set().filter(|id| *id != Id::NIL).or_else(started)
}

fn before(call: &Call, profile: Profile, stand: &Stand, scores: &mut Scores) -> Result<(), String> {
    let Before { label, orphan, subject, .. } = call.before;
    let then = context((label, orphan), profile);
    scores.context_before.count(stand.context_before, then, "the server before")?;
    let truth = match subject {
        Subject::Is(status) => view(status),
        Subject::Unknown => View::Gone,
        Subject::None | Subject::Nil => {
            return if stand.before.is_empty() { Ok(()) } else { Err("of no set".to_owned()) };
        }
    };
    if stand.set.is_none() {
        return Ok(());
    }
    scores.before.count(stand.before, &[truth], "the set before")
}

fn after(call: &Call, server: &Server, stand: &Stand, scores: &mut Scores) -> Result<(), String> {
    let now = context(table::label(server), server.profile);
    scores.context.count(stand.context, now, "the server after")?;
    scores.timer.said += 1;
    scores.timer.certain += u32::from(stand.timer != StandTimer::Unknown);
    match (stand.timer, server.deadline) {
        (StandTimer::Unknown, _) | (StandTimer::Off, None) => {}
        (StandTimer::Off, Some(_)) if now.contains(&View::Closed) => {}
        (StandTimer::Off, Some(_)) => return Err("the timer runs".to_owned()),
        (StandTimer::Running { .. }, None) => return Err("the timer does not run".to_owned()),
        (StandTimer::Running { seconds, since, .. }, Some(deadline)) => {
            let truth =
                i64::try_from(deadline).unwrap() - i64::try_from(call.at + call.takes).unwrap();
            let answered = stand.answered.expect("it was answered");
            let left = i64::from(seconds) * 1_000 - answered.since(since) / 1_000_000;
            if (left - truth).abs() > APART {
                return Err(format!("the timer has {truth} ms, not {left}"));
            }
        }
    }
    let (Some(id), true) = (set_of(call), stand.set.is_some()) else { return Ok(()) };
    let truth = server.set(id).map_or(View::Gone, |set| view(set.status));
    scores.after.count(stand.after, &[truth], "the set after")
}

fn hold(
    talk: &Talk,
    profile: Profile,
    stands: &BTreeMap<u64, Stand>,
    scores: &mut Scores,
) -> Result<(), String> {
    for (n, at) in (1..).zip(talk.asked()) {
        let (call, stand) = (&talk.calls[at], stands.get(&n));
        let sealed = talk.clients[call.who].sealed;
        let Some(stand) = stand else { return Err(format!("call {n}: nothing is said")) };
        if call.ask.opnum() != stand.opnum {
            return Err(format!("call {n}: it is another"));
        }
        if sealed && stand.set.is_some() {
            return Err(format!("call {n}: nobody can read which set"));
        }
        before(call, profile, stand, scores).map_err(|wrong| format!("call {n}: {wrong}"))?;
        if let Some(server) = &call.after {
            after(call, server, stand, scores).map_err(|wrong| format!("call {n}: {wrong}"))?;
        }
    }
    Ok(())
}

/// What servers do that keep to the rules is among what is thought possible, and mostly the only thing.
#[test]
fn servers_stand_as_is_thought() {
    let mut scores = Scores::default();
    for seed in seeds(600) {
        let profile = profile(seed);
        let (talk, _) = world::talk(seed, Wish::any(seed, profile));
        // An exposed set that Samba keeps beside others is not followed where its id was not read.
        let several = profile == Profile::Samba && talk.clients.len() > 1;
        if several && talk.clients.iter().any(|client| client.sealed) {
            continue;
        }
        let capture = read::capture(&talk).unwrap_or_else(|wrong| panic!("{wrong}"));
        let name = format!("{profile:?}").to_lowercase();
        let choice = KNOWLEDGE.choose(&name).expect("the profile is known");
        let options = Options { choice, all_clients: true, idle_start: true };
        let judge = tried(&capture, options, 0);
        let stands = judge.stands().into_iter().map(|stand| (stand.call, stand)).collect();
        if let Err(wrong) = hold(&talk, profile, &stands, &mut scores) {
            panic!("seed {seed}, {profile:?}: {wrong}\n{}", talk.text());
        }
    }
    println!("{scores:?}");
    let Scores { before, after, context_before, context, timer } = &scores;
    // What is sealed, and the timer of Samba, leave much open.
    assert!(before.is_certain(90) && after.is_certain(90), "{scores:?}");
    assert!(context_before.is_certain(75) && context.is_certain(75), "{scores:?}");
    assert!(timer.is_certain(60), "{scores:?}");
}
