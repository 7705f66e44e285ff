//! How a server stands around the calls of captures, and of conversations written as text.

use std::sync::LazyLock;

use super::*;
use crate::check::{Knowledge, Options};
use crate::pipeline::Event;
use crate::pipeline::tests::captures;
use crate::protocol::Registry;
use crate::scenario::Scenario;

static KNOWLEDGE: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::load(&[]).expect("the rules can be read"));
static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().expect("the dissectors load"));

fn captured(name: &str) -> Vec<Event> {
    captures::events(captures::open(name), &REGISTRY)
}

fn written(text: &str) -> Vec<Event> {
    let scenario = Scenario::parse("conversation", text, &REGISTRY);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut file = Vec::new();
    scenario.write(&mut file).expect("memory takes it");
    captures::events(captures::made(file), &REGISTRY)
}

/// A judge who has seen these, and no more than these: not the end.
fn judged(events: &[Event], profile: &str, all: bool) -> Judge<'static> {
    let choice = KNOWLEDGE.choose(profile).expect("the profile is known");
    let options = Options { choice, all_clients: all, idle_start: all };
    let mut judge = Judge::new(&KNOWLEDGE, options);
    for event in events {
        judge.event(event);
    }
    judge
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("it is an address")
}

fn words(views: Views) -> String {
    views.iter().map(View::word).collect::<Vec<_>>().join(" or ")
}

/// `opnum: before → after; context → context; timer`, of the calls in order.
fn lines(judge: &Judge<'_>) -> Vec<String> {
    let line = |stand: Stand| {
        let timer = match stand.timer {
            StandTimer::Running { seconds, call, .. } => format!("{seconds} s since call {call}"),
            StandTimer::Off => "off".to_owned(),
            StandTimer::Unknown => "unknown".to_owned(),
        };
        let [before, after, context_before, context] =
            [stand.before, stand.after, stand.context_before, stand.context].map(words);
        format!(
            "{} {}: {before} → {after}; {context_before} → {context}; {timer}",
            stand.call, stand.opnum
        )
    };
    judge.stands().into_iter().map(line).collect()
}

fn check(judge: &Judge<'_>, expect: &[&str]) {
    let lines = lines(judge);
    assert_eq!(lines, expect, "\n{}", lines.join("\n"));
}

const FAILED: &str = "e-py-create_fails.pcap";
const FSS1: &str = "10.77.0.1";

#[test]
fn a_commit_that_fails_leaves_the_set_where_the_table_says() {
    let events = captured(FAILED);
    let expect = [
        "1 8:  → ; closed → closed; off",
        "2 0:  → ; closed → closed; off",
        "3 1:  → ; closed → open; 180 s since call 3",
        "4 2:  → Started; open → open+set; 180 s since call 4",
        "5 3: Started → Added; open+set → open+set; 1800 s since call 5",
        "6 12: Added → Added; open+set → open+set; 1800 s since call 6",
        "7 4: Added → Added or CreationInProgress; open+set → open+set; 180 s since call 7",
        "8 5: Added or CreationInProgress → Added or CreationInProgress; open+set → open+set; \
         180 s since call 7",
        "9 7: Added or CreationInProgress → gone; open+set → closed; off",
        "10 1:  → ; closed → open; 180 s since call 10",
        "11 2:  → Started; open → open+set; 180 s since call 11",
        "12 3: Started → Added; open+set → open+set; 1800 s since call 12",
        "13 3: Added → Added; open+set → open+set; 1800 s since call 13",
        "14 4: Added → Added or CreationInProgress; open+set → open+set; 180 s since call 14",
        "15 7: Added or CreationInProgress → gone; open+set → closed; off",
    ];
    check(&judged(&events, "spec", true), &expect);
}

#[test]
fn a_stand_says_who_asked_for_what_and_when() {
    let events = captured(FAILED);
    let judge = judged(&events, "spec", true);
    let calls = events.iter().filter_map(|event| match event {
        Event::Call(call) => Act::of(call),
        _ => None,
    });
    let calls: Vec<Act> = calls.collect();
    assert_eq!(calls.len(), 15);
    let first = calls.iter().find_map(Act::started).expect("a set is started");
    for act in &calls {
        let stand = judge.stand(ip(FSS1), act.n).expect("all can be read");
        assert_eq!((stand.call, stand.opnum), (act.n, act.opnum));
        assert_eq!((stand.server, stand.client), (ip(FSS1), ip("10.77.0.11")));
        assert_eq!((stand.asked, stand.answered), (act.asked, act.answered));
        let set = act.set().or_else(|| act.started());
        assert_eq!(stand.set, set);
        assert_eq!(stand.after.is_empty(), set.is_none());
        assert_eq!(stand.before.is_empty(), set.is_none() || act.opnum == 2);
        assert_eq!(stand.set == Some(first), (4..=9).contains(&act.n));
        if let StandTimer::Running { since, call, .. } = stand.timer {
            let started = calls.iter().find(|other| other.n == call).expect("it was seen");
            assert_eq!(Some(since), started.answered);
        }
    }
    assert_eq!(judge.stand(ip(FSS1), 16), None);
    assert_eq!(judge.stand(ip("10.77.0.2"), 1), None);
}

#[test]
fn what_others_may_do_is_not_thought_of() {
    let events = captured("g-two-clients-in-progress.pcap");
    let choice = || KNOWLEDGE.choose("windows").expect("the profile is known");
    let [alone, others] = [true, false].map(|all_clients| {
        let options = Options { choice: choice(), all_clients, idle_start: true };
        let mut judge = Judge::new(&KNOWLEDGE, options);
        for event in &events {
            judge.event(event);
        }
        judge.stands()
    });
    assert!(!alone.is_empty());
    assert_eq!(alone, others);
}

#[test]
fn the_timer_may_have_ended_a_set() {
    // This server waits 3.6 seconds, and its profile says no more than that it waits for some time.
    let judge = judged(&captured("f-py-timer_expiry.pcap"), "samba", true);
    let lines = lines(&judge);
    let expect = [
        "3 1:  → ; closed → open; unknown",
        "4 2:  → ; closed → closed; off",
        "8 2:  → Started; open → open+set; unknown",
        "9 3: gone or Started → gone or Started; closed or open+set → closed or open+set; unknown",
        "29 4: Added → Committed; open+set → open+set; unknown",
        "40 6: Exposed → Recovered; closed+set or open+set → closed; off",
        "41 11: Recovered → gone; closed → closed; off",
    ];
    for expect in expect {
        assert!(lines.iter().any(|line| line == expect), "{expect}\n{}", lines.join("\n"));
    }
    // A server that waits for the three minutes of the specification has it gone for certain.
    let late = written(
        "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1; A:4(S1)=0\n\
         wait 178s\nA:0()=0\nA:10(C1,S1,\\\\fs\\d)=BAD_STATE\nwait 10s\nA:5(S1)=MISMATCH",
    );
    check(
        &judged(&late, "spec", true),
        &[
            "1 1:  → ; closed → open; 180 s since call 1",
            "2 2:  → Started; open → open+set; 180 s since call 2",
            "3 3: Started → Added; open+set → open+set; 1800 s since call 3",
            "4 4: Added → Committed; open+set → open+set; 180 s since call 4",
            // By now it may have ended.
            "5 0:  → ; closed or open+set → closed or open+set; unknown",
            "6 10: Committed → Committed; open+set → open+set; 180 s since call 4",
            "7 5: gone → gone; closed → closed; off",
        ],
    );
}

#[test]
fn the_profile_in_force_may_change() {
    let events = captured(FAILED);
    // What the server says of itself comes last.
    let (around, calls): (Vec<Event>, Vec<Event>) =
        events.into_iter().partition(|event| matches!(event, Event::Around(_)));
    let mut judge = judged(&[], "auto", true);
    assert_eq!(judge.profile_of(ip(FSS1)), None);
    assert!(judge.stands().is_empty());
    let mut one_by_one = Vec::new();
    for event in &calls {
        judge.event(event);
        if let Event::Call(call) = event {
            one_by_one.extend(judge.stand(call.server.addr.ip(), call.rpc.n));
        }
    }
    assert_eq!(judge.profile_of(ip(FSS1)).as_deref(), Some("spec"));
    assert_eq!(one_by_one, judge.stands());
    assert_eq!(one_by_one, judged(&calls, "spec", true).stands());
    for event in &around {
        judge.event(event);
    }
    assert_eq!(judge.profile_of(ip(FSS1)).as_deref(), Some("samba"));
    assert_eq!(judge.stands(), judged(&calls, "samba", true).stands());
    assert_ne!(judge.stands(), one_by_one);
}

#[test]
fn a_call_that_others_overlap_with_stood_as_it_was_asked() {
    // The answer to the others shows that Commit has begun.
    let talk = written(
        "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(S1,\\\\fs\\d)=0->C1\n\
         A:4(S1) outstanding\nwait 10s\nB:1(ctx=0x0)=IN_PROGRESS\nA#2:0()=0\n\
         A#1:4 after 20 s =0\nA:7(S1)=0",
    );
    let lines = lines(&judged(&talk, "spec", true));
    let of = |call: &str| lines.iter().find(|line| line.starts_with(call)).expect("it is there");
    assert_eq!(of("4 4"), "4 4: Added → Committed; open+set → open+set; 180 s since call 4");
}

#[test]
fn of_a_server_of_which_nothing_is_known_anything_is_possible() {
    let any = "gone or Started or Added or CreationInProgress or Committed or Exposed or Recovered";
    let context = "closed or closed+set or open or open+set";
    let talk = written(
        "mid-capture\nA:3(S1,\\\\fs\\d)=fault ERROR_ACCESS_DENIED\nA:3(S1,\\\\fs\\d)=0->C1",
    );
    let lines = lines(&judged(&talk, "spec", false));
    // A call that was refused by the runtime tells nothing.
    assert_eq!(lines[0], format!("1 3: {any} → {any}; {context} → {context}; unknown"));
    // One that succeeds tells what it must have met.
    let added = "Added; closed+set or open+set → closed+set or open+set; 1800 s since call 2";
    assert_eq!(lines[1], format!("2 3: Started or Added → {added}"));
}

#[test]
fn of_what_cannot_be_read_the_set_is_not_known() {
    let talk = "A:1(ctx=0x0)=0; A:2(cid=U1)=0->S1; A:3(enc)=0\nB:7(S1)=0";
    check(
        &judged(&written(talk), "spec", true),
        &[
            "1 1:  → ; closed → open; 180 s since call 1",
            "2 2:  → Started; open → open+set; 180 s since call 2",
            "3 3:  → ; open+set → open+set; unknown",
            "4 7: Started or Added → gone; open+set → closed; off",
        ],
    );
}

#[test]
fn of_a_call_whose_request_is_missing_nothing_can_be_said() {
    let mut events = captured(FAILED);
    for event in &mut events {
        if let Event::Call(call) = event
            && call.rpc.n == 5
        {
            call.rpc.request = None;
        }
    }
    let judge = judged(&events, "spec", true);
    assert_eq!(judge.stand(ip(FSS1), 5), None);
    let calls: Vec<u64> = judge.stands().iter().map(|stand| stand.call).collect();
    assert_eq!(calls, [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
}

#[test]
fn no_more_is_kept_than_there_is_room_for() {
    let mut standings = Standings::default();
    let stood = Stood::anyhow(true);
    let standing = Standing { before: stood, after: stood, timer: StandTimer::Off, seconds: None };
    let most = u64::try_from(MAX_ENTRIES).expect("it is a number");
    (0..most).for_each(|call| standings.note(call, standing));
    assert!(standings.of(0).is_some());
    standings.note(most, standing);
    assert!(standings.of(0).is_none());
    assert!(standings.of(most).is_some());
}
