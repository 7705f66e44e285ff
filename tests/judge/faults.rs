//! One fault in a conversation that has none.
//!
//! A kind of fault looks for the places of a conversation where it can be committed and where a
//! reader of the whole capture knows the state for certain: everything before is answered, nothing
//! was given up, no deadline is near. What follows is cut off, because both sides would go on
//! differently, unless the fault changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::dice::Dice;
use crate::server::{
    ALREADY_EXISTS, BAD_STATE, E_INVALIDARG, FSSAGENT_TIMEOUT, IN_PROGRESS, MISMATCH, NOT_FOUND,
    OK, Profile, Server, Set, Share, Status, UNSUPPORTED_CONTEXT, WAIT_TIMEOUT, component,
};
use crate::table::{Before, Label, label};
use crate::talk::{Ask, Call, Id, Mapping, Out, Reply, Step, Talk};
use crate::world::{self, Wish};

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Client,
    Server,
}

/// A conversation with a fault in it.
#[derive(Clone, Debug)]
pub(crate) struct Seeded {
    pub(crate) kind: &'static str,
    pub(crate) talk: Talk,
    /// The call that is at fault: its place in the order in which they are asked, from 0.
    pub(crate) call: usize,
    /// The first call at which something is wrong; that of the fault, or one before it.
    pub(crate) since: usize,
    pub(crate) party: Party,
    /// Whether a complete capture with all clients shows it beyond doubt.
    pub(crate) decidable: bool,
    /// Rules of which at least one is broken.
    pub(crate) expect: Vec<String>,
}

/// Conversations that are looked through for a place.
const TRIES: u64 = 80;

/// No fault is committed so near a deadline, in milliseconds.
const MARGIN: u64 = 12_000;

/// A fault of the kind that the number stands for; `None` if no conversation has a place for it.
pub(crate) fn seed(number: u64) -> Option<Seeded> {
    let (kind, commit) = KINDS[usize::try_from(number).unwrap() % KINDS.len()];
    let mut dice = Dice::new(number ^ 0xFA17);
    for n in 0..TRIES {
        let wish = Wish { profile: Profile::Spec, clients: 1 + dice.below(3), restarts: false };
        let (mut talk, _) = world::talk(number * TRIES + n, wish);
        for client in &mut talk.clients {
            client.sealed = false;
            for setting in &mut client.settings {
                *setting = setting.replace("privacy", "integrity");
            }
        }
        let scene = Scene::new(&talk);
        let Some(fault) = commit(&scene, &mut dice) else { continue };
        return Some(fault.done(kind));
    }
    None
}

/// How many kinds there are.
pub(crate) fn kinds() -> usize {
    KINDS.len()
}

type Commit = fn(&Scene<'_>, &mut Dice) -> Option<Fault>;

const KINDS: &[(&str, Commit)] = &[
    ("live set unknown", live_unknown),
    ("live mapping not found", live_not_found),
    ("BAD_STATE without a reason", bad_state_without_reason),
    ("success where BAD_STATE is due", success_in_bad_state),
    ("success on an unknown set", success_on_unknown),
    ("another code for an unknown set", wrong_code_for_unknown),
    ("Start beside an unfinished set", start_beside),
    ("Start without a context", start_without_context),
    ("another code for no context", wrong_code_without_context),
    ("SetContext of another accepted", foreign_context),
    ("SetContext refused without a reason", context_refused),
    ("Start refused without a reason", start_refused),
    ("invalid context accepted", bad_context_accepted),
    ("valid context refused", good_context_refused),
    ("success behind the deadline", late_success),
    ("set dropped before the deadline", dropped_early),
    ("correct triple refused", triple_refused),
    ("mapping says something else", mapping_wrong),
    ("set id twice or nil", set_id_wrong),
    ("copy id twice or nil", copy_id_wrong),
    ("versions", versions_wrong),
    ("owner without a name", owner_missing),
    ("compatibility undefined", compatibility_wrong),
    ("copy denied that is there", copy_denied),
    ("response to opnum 13", response_beyond),
    ("fault instead of a response", fault_raised),
    ("nil id accepted", nil_accepted),
    ("unknown copy or share accepted", unknown_triple_accepted),
    ("ALREADY_EXISTS in an empty set", exists_in_empty),
    ("time-out too early", timeout_early),
    ("success too late", success_late),
    ("weak security accepted", weak_accepted),
    ("weak security", weak_client),
    ("Prepare skipped", prepare_skipped),
    ("Commit skipped", commit_skipped),
    ("Expose skipped", expose_skipped),
    ("SetContext skipped", context_skipped),
    ("GetSupportedVersion skipped", version_skipped),
    ("IsPathSupported skipped", supported_skipped),
    ("Add after Prepare", add_after_prepare),
    ("Add after Commit", add_after_commit),
    ("nil id sent", nil_sent),
    ("client GUID for a set id", client_guid_sent),
    ("wrong pair in GetShareMapping", wrong_pair),
    ("wrong pair in DeleteShareMapping", wrong_pair_deleted),
    ("invalid context sent", bad_context_sent),
    ("level is not 1", level_sent),
    ("share is no UNC name", share_not_unc),
    ("goes on after an error", goes_on),
    ("share added twice", added_twice),
    ("opnum beyond 12", beyond_sent),
    ("Commit again", commit_again),
    ("RecoveryComplete again", recovery_again),
    ("Prepare of an empty set", prepare_empty),
    ("call after Abort", call_after_abort),
    ("Delete again", delete_again),
    ("Delete of an unfinished set", delete_unfinished),
    ("RecoveryComplete before all mappings", recovery_early),
    ("Start in the context of another", start_hijacks),
    ("minimum version ignored", version_ignored),
    ("set of another client", foreign_set),
    ("waits longer than 180 s", waits_longer),
];

/// A conversation, and where in it a fault can be committed.
struct Scene<'a> {
    talk: &'a Talk,
    places: Vec<Place<'a>>,
}

/// A moment after an answer, at which the state is known.
#[derive(Clone, Copy)]
struct Place<'a> {
    call: usize,
    step: usize,
    server: &'a Server,
    now: u64,
}

/// What one client has done with a set.
#[derive(Default)]
struct Story {
    prepared: bool,
    mapped: BTreeSet<Id>,
    /// The method that has failed, if it was the last one.
    failed: Option<u16>,
}

struct Fault {
    talk: Talk,
    /// Index of the call at fault.
    at: usize,
    /// Index of an earlier call at which something may be said of it.
    since: Option<usize>,
    party: Party,
    decidable: bool,
    expect: Vec<&'static str>,
}

impl Fault {
    fn doubtful(mut self) -> Self {
        self.decidable = false;
        self
    }

    fn done(self, kind: &'static str) -> Seeded {
        let asked = self.talk.asked();
        let place = |call| asked.iter().position(|n| *n == call);
        let call = place(self.at).expect("the call at fault is asked");
        let since = self.since.and_then(place).unwrap_or(call);
        let Self { talk, party, decidable, .. } = self;
        let expect = self.expect.iter().map(|rule| format!("FSRVP-{rule}")).collect();
        Seeded { kind, talk, call, since, party, decidable, expect }
    }
}

impl<'a> Scene<'a> {
    fn new(talk: &'a Talk) -> Self {
        let mut places = Vec::new();
        let mut open: BTreeSet<usize> = BTreeSet::new();
        let mut deadline = None;
        for (step, what) in talk.steps.iter().enumerate() {
            let answered = match what {
                Step::Ask(n) => {
                    open.insert(*n);
                    // A deadline ends where a call begins to run.
                    deadline = None;
                    continue;
                }
                Step::Call(n) => *n,
                Step::Answer(n) => {
                    open.remove(n);
                    *n
                }
                Step::Close(who, _) if open.iter().any(|n| talk.calls[*n].who == *who) => break,
                Step::Restart => break,
                _ => continue,
            };
            let call = &talk.calls[answered];
            let Some(server) = call.after.as_deref() else { continue };
            let now = call.at + call.takes;
            let near = |at: Option<u64>| at.is_some_and(|at: u64| at.abs_diff(now) < MARGIN);
            if open.is_empty() && !near(deadline) && !near(server.deadline) {
                places.push(Place { call: answered, step, server, now });
            }
            deadline = server.deadline;
        }
        Self { talk, places }
    }

    /// The places for which there is something to do.
    fn find<T>(
        &self,
        dice: &mut Dice,
        of: impl Fn(&Place<'a>) -> Option<T>,
    ) -> Option<(Place<'a>, T)> {
        let mut found: Vec<_> =
            self.places.iter().filter_map(|place| Some((*place, of(place)?))).collect();
        if found.is_empty() {
            return None;
        }
        Some(found.swap_remove(dice.below(found.len())))
    }

    /// The calls that were answered, up to a place.
    fn told(&self, place: &Place<'_>) -> impl Iterator<Item = (usize, &Call, &Reply)> {
        self.talk.steps[..=place.step].iter().filter_map(|step| match step {
            Step::Call(n) | Step::Answer(n) => {
                let call = &self.talk.calls[*n];
                Some((*n, call, call.reply.as_ref()?))
            }
            _ => None,
        })
    }

    /// Who has started which set.
    fn starters(&self, place: &Place<'_>) -> BTreeMap<Id, usize> {
        let of = |(_, call, reply): (usize, &Call, &Reply)| match (&call.ask, &reply.out) {
            (Ask::Start(_), Out::Id(id)) => Some((*id, call.who)),
            _ => None,
        };
        self.told(place).filter_map(of).collect()
    }

    fn story(&self, place: &Place<'_>, set: Id) -> Story {
        let mut story = Story::default();
        for (_, call, reply) in self.told(place).filter(|(_, call, _)| call.ask.set() == Some(set))
        {
            story.failed = (reply.status != OK).then_some(call.ask.opnum());
            match &call.ask {
                Ask::Add { .. } if reply.status == OK => story.prepared = false,
                Ask::Prepare { .. } => story.prepared = reply.status == OK,
                Ask::Mapping { copy, .. } if reply.status == OK => {
                    story.mapped.insert(*copy);
                }
                _ => {}
            }
        }
        story
    }

    /// The unfinished set, and whose it is.
    fn current(&self, place: &Place<'a>) -> Option<(&'a Set, usize)> {
        let set = place.server.unfinished()?;
        Some((set, *self.starters(place).get(&set.id)?))
    }

    /// A finished set that does not go away by itself.
    fn recovered(&self, place: &Place<'a>) -> Option<(&'a Set, usize)> {
        let stays = |set: &&Set| set.status == Status::Recovered && set.stays();
        let set = place.server.sets.iter().find(stays)?;
        Some((set, *self.starters(place).get(&set.id)?))
    }

    /// A set that is gone, whose it was, and the rule by which it went.
    fn dead(&self, place: &Place<'a>) -> Option<(Id, usize, &'static str)> {
        let mut gone = None;
        for (id, who) in self.starters(place) {
            if place.server.set(id).is_some() {
                continue;
            }
            let mut known = false;
            for (_, call, reply) in self.told(place) {
                let Some(after) = &call.after else { continue };
                known |= after.set(id).is_some();
                if !known || after.set(id).is_some() {
                    continue;
                }
                let by = match &call.ask {
                    Ask::Abort(set) if *set == id && reply.status == OK => Some("3.1.4.8-05"),
                    Ask::Delete { set, .. } if *set == id && reply.status == OK => {
                        Some("3.1.4.12-11")
                    }
                    Ask::Context(_) if reply.status == OK => Some("3.1.4.2-08"),
                    Ask::Context(_) => Some("3.1.4.2-15"),
                    _ => None,
                };
                // What the timer has removed is surely gone a while later.
                let by = by.or((place.now > call.at + 2 * MARGIN).then_some("3.1.5-02"));
                gone = by.map(|by| (id, who, by)).or(gone);
                break;
            }
        }
        gone
    }

    /// A share on a volume that the set has not: one that its client has asked for, or another one,
    /// spelled as it spells.
    fn another_share(&self, place: &Place<'_>, set: &Set, who: usize) -> Option<String> {
        let server = place.server;
        let volume = |share: &str| server.share(share).map(|share| share.volume);
        let taken: Vec<_> = set.copies.iter().map(|copy| volume(&copy.share)).collect();
        let asked: Vec<&String> = self
            .told(place)
            .filter_map(|(_, call, reply)| match &call.ask {
                Ask::Supported(share) if call.who == who && reply.status == OK => Some(share),
                _ => None,
            })
            .collect();
        if let Some(share) = asked.iter().find(|share| !taken.contains(&volume(share))) {
            return Some((*share).clone());
        }
        let spelled = asked.first()?;
        let is_free =
            |share: &&Share| share.refused.is_none() && !taken.contains(&Some(share.volume));
        let free = server.shares.iter().find(is_free)?;
        let at = spelled.trim_end_matches('\\').len() - component(spelled).len();
        Some(format!("{}{}", &spelled[..at], free.name))
    }

    /// What the client of a set would do next, by its status.
    fn natural(&self, place: &Place<'_>, set: &Set, who: usize) -> Option<Ask> {
        let story = self.story(place, set.id);
        let id = set.id;
        let ask = match set.status {
            Status::Started => add(id, self.another_share(place, set, who)?),
            Status::Added if !story.prepared => Ask::Prepare { set: id, timeout: 1_800_000 },
            Status::Added | Status::Creating => Ask::Commit { set: id, timeout: 60_000 },
            Status::Committed => Ask::Expose { set: id, timeout: 1_800_000 },
            Status::Exposed => {
                match set.copies.iter().find(|copy| !story.mapped.contains(&copy.id)) {
                    Some(copy) => {
                        Ask::Mapping { copy: copy.id, set: id, share: copy.share.clone(), level: 1 }
                    }
                    None => Ask::Recovery(id),
                }
            }
            Status::Recovered => {
                let copy = set.copies.first()?;
                Ask::Delete { set: id, copy: copy.id, share: copy.share.clone() }
            }
        };
        // Behind an error comes the same again, or something else than the next.
        story.failed.is_none_or(|failed| failed == ask.opnum()).then_some(ask)
    }

    /// A call after the place that is answered so; what follows is cut off.
    fn insert(
        &self,
        place: &Place<'_>,
        who: usize,
        ask: Ask,
        reply: Reply,
        wait: u64,
    ) -> (Talk, usize) {
        let mut talk = self.talk.clone();
        talk.cut_behind(place.step);
        if wait > 0 {
            talk.steps.push(Step::Wait(wait));
        }
        let at = place.now + wait;
        let before = Before::of(place.server, at, who, &ask);
        let n = talk.calls.len();
        talk.calls.push(Call {
            who,
            line: 1,
            ask,
            reply: Some(reply),
            takes: 0,
            at,
            before,
            after: None,
        });
        talk.steps.push(Step::Call(n));
        (talk, n)
    }

    /// A call that the server answers with a status it must not give here.
    fn server_fault(
        &self,
        place: &Place<'_>,
        who: usize,
        ask: Ask,
        reply: Reply,
        expect: Vec<&'static str>,
    ) -> Fault {
        let legal = place.server.replies(place.now, who, &ask);
        let given = |(_, legal): &(u64, Reply)| legal.status == reply.status;
        assert!(!legal.iter().any(given), "{ask:?} = {reply:?} is no fault");
        let (talk, at) = self.insert(place, who, ask, reply, 0);
        Fault { talk, at, since: None, party: Party::Server, decidable: true, expect }
    }

    /// A call that the client must not make; the server answers it as it must.
    fn client_fault(
        &self,
        place: &Place<'_>,
        who: usize,
        ask: Ask,
        expect: &[&'static str],
        dice: &mut Dice,
    ) -> Fault {
        let mut replies = place.server.replies(place.now, who, &ask);
        // The answer is given at once: nothing has run out.
        replies.retain(|(_, reply)| !matches!(reply.status, WAIT_TIMEOUT | FSSAGENT_TIMEOUT));
        let reply = dice.weighed(&replies);
        let (talk, at) = self.insert(place, who, ask, reply, 0);
        Fault {
            talk,
            at,
            since: None,
            party: Party::Client,
            decidable: true,
            expect: expect.to_vec(),
        }
    }

    /// Another reply to a call of the conversation, at which it then ends, or not.
    fn replace(
        &self,
        place: &Place<'_>,
        reply: Reply,
        goes_on: bool,
        expect: &[&'static str],
    ) -> Fault {
        let mut talk = self.talk.clone();
        if !goes_on {
            talk.cut_behind(place.step);
        }
        talk.calls[place.call].reply = Some(reply);
        Fault {
            talk,
            at: place.call,
            since: None,
            party: Party::Server,
            decidable: true,
            expect: expect.to_vec(),
        }
    }

    fn call(&self, place: &Place<'_>) -> &'a Call {
        &self.talk.calls[place.call]
    }

    fn status(&self, place: &Place<'_>) -> u32 {
        self.call(place).reply.as_ref().map_or(0, |reply| reply.status)
    }

    /// Another client than this one.
    fn another(&self, who: usize) -> Option<usize> {
        (0..self.talk.clients.len()).find(|other| *other != who)
    }
}

fn add(set: Id, share: String) -> Ask {
    Ask::Add { ccid: Id('V', 900), set, share }
}

/// A reply that says the call has succeeded.
fn success(ask: &Ask) -> Reply {
    match ask {
        Ask::Start(_) => Reply::with(Out::Id(Id('S', 900))),
        Ask::Add { .. } => Reply::with(Out::Id(Id('C', 900))),
        _ => Reply::of(OK),
    }
}

/// For a method that names a set: the rules that a live set is known, that an unknown one is not,
/// that a right state is not refused, and that a wrong one is.
fn rules(opnum: u16) -> [&'static str; 4] {
    match opnum {
        3 => ["3.1.4.4-06", "3.1.4.4-05", "3.1.4.4-08", "3.1.4.4-07"],
        4 => ["3.1.4.5-02", "3.1.4.5-01", "3.1.4.5-04", "3.1.4.5-03"],
        5 => ["3.1.4.6-02", "3.1.4.6-01", "3.1.4.6-04", "3.1.4.6-03"],
        6 => ["3.1.4.7-02", "3.1.4.7-01", "3.1.4.7-04", "3.1.4.7-03"],
        7 => ["3.1.4.8-03", "3.1.4.8-02", "2.2.4-03", "2.2.4-03"],
        10 => ["3.1.4.11-05", "3.1.4.11-04", "3.1.4.11-09", "3.1.4.11-06"],
        11 => ["3.1.4.12-07", "3.1.4.12-02", "3.1.4.12-04", "3.1.4.12-03"],
        _ => ["3.1.4.13-02", "3.1.4.13-01", "3.1.4.13-04", "3.1.4.13-03"],
    }
}

// What servers do.

fn live_unknown(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (ask, who)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place)?;
        Some((scene.natural(place, set, who)?, who))
    })?;
    let ask = if dice.percent(15) { Ask::Abort(ask.set()?) } else { ask };
    let mut expect = vec![rules(ask.opnum())[0], "2.2.4-03", "3.1.5-03", "3.1.4-14"];
    expect.extend(["3.1.4.2-04", "3.1.4.2-06", "3.1.4.4-12", "3.1.4.8-04", "3.1.4-08", "3.1.4-12"]);
    expect.extend(["3.1.4.3-06", "3.1.4.5-20", "3.1.4.6-26", "3.1.4.7-10"]);
    Some(scene.server_fault(&place, who, ask, Reply::of(MISMATCH), expect))
}

fn live_not_found(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (ask, who)) = scene.find(dice, |place| {
        let (set, who) = scene.recovered(place)?;
        Some((scene.natural(place, set, who)?, who))
    })?;
    let mut expect = vec!["3.1.4.12-07", "3.1.4.12-12", "3.1.5-08", "3.1.4.7-05", "3.1.4.2-09"];
    expect.extend(["2.2.4-03", "3.1.4-14"]);
    Some(scene.server_fault(&place, who, ask, Reply::of(NOT_FOUND), expect))
}

fn bad_state_without_reason(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (ask, who)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place).or_else(|| scene.recovered(place))?;
        Some((scene.natural(place, set, who)?, who))
    })?;
    let mut expect = vec![rules(ask.opnum())[2], "2.2.4-03"];
    expect.extend(match ask.opnum() {
        3 => &["3.1.4.3-11", "3.1.4.4-12"][..],
        4 => &["3.1.4.4-14", "3.1.4.5-07", "3.1.4.5-10", "3.1.4.5-22", "3.1.4.13-14"],
        5 => &["3.1.4.5-18", "3.1.4.6-06", "3.1.4.6-09", "3.1.4.6-13"],
        6 => &["3.1.4.6-14", "3.1.4.11-21"],
        10 => &["3.1.4.6-14", "3.1.4.6-16"],
        12 => &["3.1.4.4-14", "3.1.4.13-06", "3.1.4.13-07", "3.1.4.13-12", "3.1.4.5-07"],
        _ => &[],
    });
    Some(scene.server_fault(&place, who, ask, Reply::of(BAD_STATE), expect))
}

/// A call that the status of a set forbids.
fn forbidden(set: &Set, share: String, dice: &mut Dice) -> Option<Ask> {
    let id = set.id;
    let copy = set.copies.first();
    let (known, of) =
        copy.map_or((Id('C', 901), share.clone()), |copy| (copy.id, copy.share.clone()));
    let all = [
        add(id, share),
        Ask::Prepare { set: id, timeout: 1_800_000 },
        Ask::Commit { set: id, timeout: 60_000 },
        Ask::Expose { set: id, timeout: 1_800_000 },
        Ask::Recovery(id),
        Ask::Mapping { copy: known, set: id, share: of.clone(), level: 1 },
        Ask::Delete { set: id, copy: known, share: of },
    ];
    let status = set.status;
    let wrong: Vec<_> = all
        .into_iter()
        .filter(|ask| match ask {
            Ask::Add { .. } => status > Status::Added,
            Ask::Prepare { .. } => status != Status::Added,
            Ask::Commit { .. } => !matches!(status, Status::Added | Status::Creating),
            Ask::Expose { .. } => status != Status::Committed,
            Ask::Recovery(_) => status != Status::Exposed,
            Ask::Mapping { .. } | Ask::Delete { .. } => status < Status::Exposed && copy.is_some(),
            _ => false,
        })
        .collect();
    (!wrong.is_empty()).then(|| wrong[dice.below(wrong.len())].clone())
}

fn success_in_bad_state(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (set, who, share)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place).or_else(|| scene.recovered(place))?;
        Some((set, who, scene.another_share(place, set, who)?))
    })?;
    let ask = forbidden(set, share, dice)?;
    let reply = success(&ask);
    let mut expect = vec![rules(ask.opnum())[3]];
    expect.extend(match set.status {
        Status::Started => ["3.1.4.3-11", "3.1.4.4-17"],
        Status::Recovered => ["3.1.4.7-07", "3.1.4.7-07"],
        Status::Exposed => ["3.1.4.6-14", "3.1.4.11-21"],
        Status::Creating => ["3.1.4.5-10", "3.1.4.5-16"],
        _ => ["3.1.4.5-07", "3.1.4.6-06"],
    });
    expect.extend(["3.1.4.6-09", "3.1.4.6-13", "3.1.4.5-18"]);
    Some(scene.server_fault(&place, who, ask, reply, expect))
}

/// A set that is unknown: never issued, or gone; by which rule.
fn unknown_set<'a>(
    scene: &Scene<'a>,
    dice: &mut Dice,
) -> Option<(Place<'a>, Id, usize, &'static str)> {
    let (place, (id, who, by)) = scene.find(dice, |place| {
        let dead = scene.dead(place);
        dead.or(Some((Id('S', 909), scene.call(place).who, "2.2.4-03")))
    })?;
    Some((place, id, who, by))
}

fn of_unknown(id: Id, dice: &mut Dice) -> Ask {
    let (copy, share) = (Id('C', 909), r"\\fs\d".to_owned());
    match dice.range(0, 8) {
        0 => add(id, share),
        1 => Ask::Prepare { set: id, timeout: 1_800_000 },
        2 => Ask::Commit { set: id, timeout: 60_000 },
        3 => Ask::Expose { set: id, timeout: 1_800_000 },
        4 => Ask::Recovery(id),
        5 => Ask::Abort(id),
        6 => Ask::Mapping { copy, set: id, share, level: 1 },
        _ => Ask::Delete { set: id, copy, share },
    }
}

fn success_on_unknown(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, id, who, by) = unknown_set(scene, dice)?;
    let ask = of_unknown(id, dice);
    let reply = success(&ask);
    let expect = vec![rules(ask.opnum())[1], by, "3.1.5-02"];
    Some(scene.server_fault(&place, who, ask, reply, expect))
}

fn wrong_code_for_unknown(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, id, who, by) = unknown_set(scene, dice)?;
    let ask = of_unknown(id, dice);
    let code = match ask {
        Ask::Delete { .. } => BAD_STATE,
        Ask::Add { .. } => IN_PROGRESS,
        _ => dice.one(&[NOT_FOUND, IN_PROGRESS, BAD_STATE]),
    };
    let expect = vec![rules(ask.opnum())[1], by, "3.1.5-02", "2.2.4-03"];
    Some(scene.server_fault(&place, who, ask, Reply::of(code), expect))
}

fn start_beside(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (_, who)) = scene.find(dice, |place| scene.current(place))?;
    let ask = Ask::Start(Id('U', 900));
    let reply = success(&ask);
    Some(scene.server_fault(&place, who, ask, reply, vec!["3.1.4.3-04"]))
}

/// The server has neither context nor unfinished set.
fn nothing_open<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<(Place<'a>, usize)> {
    scene.find(dice, |place| {
        (label(place.server) == (Label::N, false)).then_some(scene.call(place).who)
    })
}

fn start_without_context(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = nothing_open(scene, dice)?;
    let ask = Ask::Start(Id('U', 900));
    let reply = success(&ask);
    let expect = vec![
        "3.1.4.3-01",
        "3.1.4.7-08",
        "3.1.4.8-06",
        "3.1.4.2-13",
        "3.1.4.2-17",
        "3.1.5-05",
        "3.1.3-01",
    ];
    Some(scene.server_fault(&place, who, ask, reply, expect))
}

fn wrong_code_without_context(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = nothing_open(scene, dice)?;
    let reply = Reply::of(dice.one(&[MISMATCH, NOT_FOUND, E_INVALIDARG]));
    let expect = vec!["3.1.4.3-03", "3.1.4.3-01", "2.2.4-03"];
    Some(scene.server_fault(&place, who, Ask::Start(Id('U', 900)), reply, expect))
}

/// A `SetContext` of the conversation that was answered so, in such a situation.
fn a_context<'a>(
    scene: &Scene<'a>,
    dice: &mut Dice,
    status: u32,
    is: impl Fn(&Before) -> bool,
) -> Option<Place<'a>> {
    let found = scene.find(dice, |place| {
        let call = scene.call(place);
        let sets = matches!(call.ask, Ask::Context(_)) && scene.status(place) == status;
        (sets && is(&call.before)).then_some(())
    });
    found.map(|(place, ())| place)
}

fn foreign_context(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let place = a_context(scene, dice, IN_PROGRESS, |before| !before.own)?;
    let expect = ["3.1.4.2-05", "3.1.4.2-18"];
    Some(scene.replace(&place, Reply::of(OK), false, &expect))
}

fn context_refused(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let refused = Reply::of(IN_PROGRESS);
    if dice.percent(50) {
        let place = a_context(scene, dice, OK, |before| before.label == Label::N)?;
        let mut expect = vec!["3.1.4.2-07", "3.1.4.7-09", "3.1.4.8-07", "3.1.4.2-12"];
        expect.extend(["3.1.5-06", "3.1.4.2-14"]);
        return Some(scene.replace(&place, refused, false, &expect));
    }
    let place = a_context(scene, dice, OK, |before| before.own)?;
    Some(scene.replace(&place, refused, false, &["3.1.4.2-10", "3.1.4.2-14"]))
}

fn start_refused(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, ()) = scene.find(dice, |place| {
        let starts = matches!(scene.call(place).ask, Ask::Start(_)) && scene.status(place) == OK;
        (starts && place.server.aborted.is_none()).then_some(())
    })?;
    if dice.percent(50) {
        let expect = ["2.2.4-03", "3.1.4.3-20", "3.1.4.3-01", "3.1.4.3-03"];
        return Some(scene.replace(&place, Reply::of(BAD_STATE), false, &expect));
    }
    let expect = ["3.1.4.3-05", "2.2.4-03", "3.1.4.3-15"];
    Some(scene.replace(&place, Reply::of(IN_PROGRESS), false, &expect))
}

const BAD_CONTEXTS: [u32; 6] = [0x1, 0x8, 0x40_0002, 0x4, 0x400_0010, 0x11];

fn bad_context_accepted(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = nothing_open(scene, dice)?;
    let ask = Ask::Context(dice.one(&BAD_CONTEXTS));
    Some(scene.server_fault(&place, who, ask, Reply::of(OK), vec!["3.1.4.2-02"]))
}

fn good_context_refused(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let place = a_context(scene, dice, OK, |_| true)?;
    Some(scene.replace(&place, Reply::of(UNSUPPORTED_CONTEXT), false, &["3.1.4.2-03"]))
}

/// What a wait has to do with: the rules of all timers.
const TIMERS: [&str; 13] = [
    "3.1.5-02",
    "3.1.5-03",
    "3.1.5-05",
    "3.1.4.2-17",
    "3.1.4.3-12",
    "3.1.4.4-15",
    "3.1.4.5-08",
    "3.1.4.5-11",
    "3.1.4.5-17",
    "3.1.4.5-19",
    "3.1.4.6-07",
    "3.1.4.6-15",
    "3.1.4.13-13",
];

fn late_success(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (ask, who, left)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place)?;
        let left = place.server.deadline?.checked_sub(place.now)?;
        Some((scene.natural(place, set, who)?, who, left))
    })?;
    let wait = left + dice.range(30_000, 300_000);
    let mut expect = vec![rules(ask.opnum())[1]];
    expect.extend(TIMERS);
    expect.extend(["3.1.4.6-09", "3.1.4.11-18", "3.1.4.13-06", "3.1.4.13-07", "3.1.4.13-12"]);
    let reply = success(&ask);
    let (talk, at) = scene.insert(&place, who, ask, reply, wait);
    // Its client has left the set alone for too long, which may be said at any of its calls.
    let since = talk.asked().into_iter().find(|n| talk.calls[*n].who == who);
    Some(Fault { talk, at, since, party: Party::Server, decidable: true, expect })
}

fn dropped_early(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (ask, who, left)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place)?;
        let left = place.server.deadline?.checked_sub(place.now)?;
        (left > 40_000).then_some(())?;
        Some((scene.natural(place, set, who)?, who, left))
    })?;
    let wait = dice.range(10_000, left - 20_000);
    let mut expect = vec![rules(ask.opnum())[0], "2.2.4-03", "3.1.4-14"];
    expect.extend(TIMERS);
    expect.extend(["3.1.4.11-18", "3.1.4.4-12"]);
    let (talk, at) = scene.insert(&place, who, ask, Reply::of(MISMATCH), wait);
    Some(Fault { talk, at, since: None, party: Party::Server, decidable: true, expect })
}

/// A place at which `GetShareMapping` has succeeded.
fn mapped<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<(Place<'a>, Id, Id, String)> {
    let (place, (copy, set, share)) = scene.find(dice, |place| match &scene.call(place).ask {
        Ask::Mapping { copy, set, share, .. } if scene.status(place) == OK => {
            Some((*copy, *set, share.clone()))
        }
        _ => None,
    })?;
    Some((place, copy, set, share))
}

fn triple_refused(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, ..) = mapped(scene, dice)?;
    let expect = ["3.1.4.11-12", "3.1.4.6-16", "3.1.4.12-12"];
    Some(scene.replace(&place, Reply::of(E_INVALIDARG), false, &expect))
}

fn mapping_wrong(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, copy, _, share) = mapped(scene, dice)?;
    let share = component(&share).to_owned();
    let id = format!("{{{}}}", copy.text());
    let right = Mapping { exposed: Some(format!("{share}@{id}")), ..Mapping::default() };
    let with = |mapping: Mapping| Reply::with(Out::Mapping(mapping));
    let exposed = |name: String| with(Mapping { exposed: Some(name), ..Mapping::default() });
    let nil = Some(Id::NIL);
    let (reply, expect): (Reply, &[&str]) = match dice.range(0, 13) {
        0 => (with(Mapping { set: Some(Id('S', 909)), ..right }), &["3.1.4.11-13"]),
        1 => (with(Mapping { copy: Some(Id('C', 909)), ..right }), &["3.1.4.11-14"]),
        2 => (
            with(Mapping { set: nil, copy: nil, ..right }),
            &["2.2.1.1-01", "3.1.4.11-13", "3.1.4.11-14"],
        ),
        3 => (Reply::with(Out::NullName), &["3.1.4.11-16", "3.1.4.6-25"]),
        4 => (exposed(String::new()), &["3.1.4.11-16", "3.1.4.6-25", "3.1.4.6-17"]),
        5 => (exposed(format!("other@{id}")), &["3.1.4.6-18", "3.1.4.6-17"]),
        6 => (exposed(format!("{share}@{{C909}}")), &["3.1.4.6-17"]),
        7 if !share.ends_with('$') => {
            (exposed(format!("{share}@{id}$")), &["3.1.4.6-21", "3.1.4.6-17"])
        }
        8 => (with(Mapping { unc: Some(r"\\fs\other".to_owned()), ..right }), &["3.1.4.11-15"]),
        9 => (with(Mapping { unc: Some(share), ..right }), &["2.2.1.1-02", "3.1.4.11-15"]),
        10 => (Reply::with(Out::NullMapping), &["2.2.3.1-02"]),
        11 => (Reply::with(Out::Tag(2)), &["2.2.3.1-01", "2.2.3.1-02"]),
        _ => (with(Mapping { timestamp: Some(1_700_000_000), ..right }), &["2.2.1.1-04"]),
    };
    let goes_on = dice.percent(50);
    Some(scene.replace(&place, reply, goes_on, expect))
}

fn set_id_wrong(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, before) = scene.find(dice, |place| {
        let starts = matches!(scene.call(place).ask, Ask::Start(_)) && scene.status(place) == OK;
        let first = *scene.starters(place).keys().next()?;
        starts.then_some(first)
    })?;
    let Some(Out::Id(own)) = scene.call(&place).reply.as_ref().map(|reply| reply.out.clone())
    else {
        return None;
    };
    let id = if own == before || dice.percent(30) { Id::NIL } else { before };
    let expect = ["3.1.4.3-09", "3.1.1.1-03"];
    Some(scene.replace(&place, Reply::with(Out::Id(id)), false, &expect))
}

fn copy_id_wrong(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, before) = scene.find(dice, |place| {
        let adds = matches!(scene.call(place).ask, Ask::Add { .. }) && scene.status(place) == OK;
        let earlier =
            scene.told(place).find_map(|(n, call, reply)| match (&call.ask, &reply.out) {
                (Ask::Add { .. }, Out::Id(id)) if n != place.call => Some(*id),
                _ => None,
            });
        adds.then_some(earlier)
    })?;
    let id = before.filter(|_| dice.percent(70)).unwrap_or(Id::NIL);
    Some(scene.replace(&place, Reply::with(Out::Id(id)), false, &["3.1.4.4-13"]))
}

fn versions_wrong(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, ()) =
        scene.find(dice, |place| (scene.call(place).ask == Ask::Version).then_some(()))?;
    let (reply, expect): (Reply, &[&str]) = match dice.range(0, 4) {
        0 => (Reply::of(BAD_STATE), &["3.1.4.1-02"]),
        1 => (Reply::with(Out::Versions(0, 1)), &["2.2.2.4-01", "3.1.3-05", "3.1.4.1-01"]),
        2 => (Reply::with(Out::Versions(1, 0)), &["2.2.2.4-01", "3.1.3-06", "3.1.4.1-01"]),
        _ => (
            Reply::with(Out::Versions(2, 2)),
            &["2.2.2.4-01", "3.1.3-05", "3.1.3-06", "3.1.4.1-01"],
        ),
    };
    Some(scene.replace(&place, reply, false, expect))
}

fn owner_missing(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, ()) = scene.find(dice, |place| {
        let asks = matches!(scene.call(place).ask, Ask::Supported(_));
        (asks && scene.status(place) == OK).then_some(())
    })?;
    let owner = dice.percent(50).then(String::new);
    let reply = Reply::with(Out::Owner(true, owner));
    Some(scene.replace(&place, reply, false, &["3.1.4.9-05", "6-04"]))
}

fn compatibility_wrong(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, present) =
        scene.find(dice, |place| match scene.call(place).reply.as_ref()?.out {
            Out::Copied(present, _) => Some(present),
            _ => None,
        })?;
    let reply = Reply::with(Out::Copied(present, 4));
    let goes_on = dice.percent(50);
    Some(scene.replace(&place, reply, goes_on, &["2.2.2.3-01", "3.1.4.10-06"]))
}

fn copy_denied(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (who, share)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place).or_else(|| scene.recovered(place))?;
        let there = set.status >= Status::Committed;
        Some((who, set.copies.first().filter(|_| there)?.share.clone()))
    })?;
    let reply = Reply::with(Out::Copied(false, 0));
    let (talk, at) = scene.insert(&place, who, Ask::Copied(share), reply, 0);
    Some(Fault {
        talk,
        at,
        since: None,
        party: Party::Server,
        decidable: true,
        expect: vec!["3.1.4.10-03"],
    })
}

/// Any place, and who spoke.
fn anywhere<'a>(scene: &Scene<'a>, dice: &mut Dice) -> Option<(Place<'a>, usize)> {
    scene.find(dice, |place| Some(scene.call(place).who))
}

fn response_beyond(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = anywhere(scene, dice)?;
    let reply = Reply { status: 0, out: Out::Octets };
    Some(scene.server_fault(&place, who, Ask::Beyond(13), reply, vec!["3.1.4-01"]))
}

fn fault_raised(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, _) = anywhere(scene, dice)?;
    let reply = Reply { status: 0xC000_0005, out: Out::Fault };
    Some(scene.replace(&place, reply, false, &["3.1.4-02"]))
}

fn nil_accepted(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = anywhere(scene, dice)?;
    let ask = of_unknown(Id::NIL, dice);
    let reply = success(&ask);
    let expect = vec!["3.1.4-09", "3.1.4.8-01", "3.1.4.12-01", rules(ask.opnum())[1]];
    Some(scene.server_fault(&place, who, ask, reply, expect))
}

fn unknown_triple_accepted(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (set, who)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place).or_else(|| scene.recovered(place))?;
        (set.status >= Status::Exposed).then_some((set, who))
    })?;
    let copy = set.copies.first()?;
    let (id, share, of_copy) = if dice.percent(50) {
        (Id('C', 909), copy.share.clone(), true)
    } else {
        (copy.id, r"\\fs\other".to_owned(), false)
    };
    let (ask, expect) = if set.status == Status::Recovered || dice.percent(50) {
        let rule = if of_copy { "3.1.4.12-05" } else { "3.1.4.12-06" };
        (Ask::Delete { set: set.id, copy: id, share }, rule)
    } else {
        let rule = if of_copy { "3.1.4.11-10" } else { "3.1.4.11-11" };
        (Ask::Mapping { copy: id, set: set.id, share, level: 1 }, rule)
    };
    Some(scene.server_fault(&place, who, ask, Reply::of(OK), vec![expect]))
}

fn exists_in_empty(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (ask, who)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place)?;
        (set.status == Status::Started).then_some(())?;
        Some((scene.natural(place, set, who)?, who))
    })?;
    let reply = Reply::of(ALREADY_EXISTS);
    Some(scene.server_fault(&place, who, ask, reply, vec!["3.1.4.4-10"]))
}

/// A call that runs was answered at once: it gets another answer, after another time.
fn retimed(scene: &Scene<'_>, dice: &mut Dice, late: bool) -> Option<Fault> {
    let (place, (opnum, timeout)) = scene.find(dice, |place| {
        let call = scene.call(place);
        let inline = scene.talk.steps[place.step] == Step::Call(place.call);
        match call.ask {
            Ask::Prepare { timeout, .. }
            | Ask::Commit { timeout, .. }
            | Ask::Expose { timeout, .. }
                if inline && scene.status(place) == OK && (!late || timeout <= 60_000) =>
            {
                Some((call.ask.opnum(), timeout))
            }
            _ => None,
        }
    })?;
    let status = match (late, opnum) {
        (true, _) => OK,
        (false, 4) => FSSAGENT_TIMEOUT,
        (false, _) => WAIT_TIMEOUT,
    };
    let expect: &[&str] = match (late, opnum) {
        (true, 12) => &["3.1.4.13-10", "3.1.4.13-11"],
        (true, 4) => &["3.1.4.5-13", "3.1.4.5-14"],
        (true, _) => &["3.1.4.6-11", "3.1.4.6-12"],
        (false, 12) => &["3.1.4.13-09"],
        (false, 4) => &["3.1.4.5-12"],
        (false, _) => &["3.1.4.6-10"],
    };
    let mut fault = scene.replace(&place, Reply::of(status), false, expect);
    fault.talk.calls[place.call].takes =
        if late { u64::from(timeout) + dice.range(20_000, 60_000) } else { 500 };
    Some(fault)
}

fn timeout_early(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    retimed(scene, dice, false)
}

fn success_late(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    retimed(scene, dice, true)
}

fn weak(
    scene: &Scene<'_>,
    dice: &mut Dice,
    party: Party,
    expect: &[&'static str],
) -> Option<Fault> {
    let mut talk = scene.talk.clone();
    let at = *talk.asked().first()?;
    let who = talk.calls[at].who;
    // The first call is answered.
    let place = scene.places.iter().find(|place| place.call == at)?;
    talk.cut_behind(place.step);
    let auth = dice.pick(&["auth none", "auth ntlm connect", "auth kerberos packet"]);
    auth.clone_into(&mut talk.clients[who].settings[0]);
    Some(Fault { talk, at, since: None, party, decidable: true, expect: expect.to_vec() })
}

fn weak_accepted(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    weak(scene, dice, Party::Server, &["3.1.4-05", "2.1-05", "3.1.4-06"])
}

fn weak_client(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    weak(scene, dice, Party::Client, &["3.1.4-03", "3.1.4-04"])
}

// What clients do.

/// A place at which a client's own set is in a state, and what its client knows of it.
fn own<'a>(
    scene: &Scene<'a>,
    dice: &mut Dice,
    is: impl Fn(&Set, &Story) -> bool,
) -> Option<(Place<'a>, &'a Set, usize)> {
    let (place, (set, who)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place)?;
        is(set, &scene.story(place, set.id)).then_some((set, who))
    })?;
    Some((place, set, who))
}

fn prepare_skipped(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) =
        own(scene, dice, |set, story| set.status == Status::Added && !story.prepared)?;
    let ask = Ask::Commit { set: set.id, timeout: 60_000 };
    Some(scene.client_fault(&place, who, ask, &["3.2.4.2.2-08", "3.2.4.2.2-11"], dice))
}

fn commit_skipped(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) =
        own(scene, dice, |set, story| set.status == Status::Added && story.prepared)?;
    let ask = Ask::Expose { set: set.id, timeout: 1_800_000 };
    Some(scene.client_fault(&place, who, ask, &["3.2.4.4-02", "3.2.4.3-03"], dice))
}

fn expose_skipped(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) = own(scene, dice, |set, _| set.status == Status::Committed)?;
    let copy = set.copies.first()?;
    let ask = if dice.percent(50) {
        Ask::Recovery(set.id)
    } else {
        Ask::Mapping { copy: copy.id, set: set.id, share: copy.share.clone(), level: 1 }
    };
    let expect = ["3.2.4.4-08", "3.2.4.5-02", "3.2.4.4-04"];
    Some(scene.client_fault(&place, who, ask, &expect, dice))
}

fn context_skipped(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = scene.find(dice, |place| {
        // The client has just closed its context itself, or never had one.
        let who = scene.call(place).who;
        let closes = matches!(scene.call(place).ask, Ask::Recovery(_) | Ask::Abort(_));
        let never = !scene.told(place).any(|(_, call, _)| matches!(call.ask, Ask::Context(_)));
        let closed = label(place.server) == (Label::N, false);
        (closed && (never || closes && scene.status(place) == OK)).then_some(who)
    })?;
    let expect = ["3.1.4.3-02", "3.2.4.2.1-13", "3.2.4.2.1-10"];
    Some(scene.client_fault(&place, who, Ask::Start(Id('U', 900)), &expect, dice))
}

fn version_skipped(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    // The first SetContext of a client, which it would not have sent.
    let (place, who) = scene.find(dice, |place| {
        let who = scene.call(place).who;
        let contexts = scene
            .told(place)
            .filter(|(_, call, _)| call.who == who && matches!(call.ask, Ask::Context(_)));
        let first = matches!(scene.call(place).ask, Ask::Context(_)) && contexts.count() == 1;
        first.then_some(who)
    })?;
    let mut talk = scene.talk.clone();
    talk.cut_behind(place.step);
    let calls = talk.calls.clone();
    talk.steps.retain(|step| {
        !matches!(step, Step::Call(n) if calls[*n].who == who && calls[*n].ask == Ask::Version)
    });
    let expect = vec!["3.2.4.2.1-06", "3.2.4.2.1-13"];
    Some(Fault { talk, at: place.call, since: None, party: Party::Client, decidable: true, expect })
}

fn supported_skipped(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = scene.find(dice, |place| {
        let call = scene.call(place);
        let starts = matches!(call.ask, Ask::Start(_)) && scene.status(place) == OK;
        let first = !scene.told(place).any(|(n, other, _)| {
            n != place.call && other.who == call.who && matches!(other.ask, Ask::Start(_))
        });
        (starts && first).then_some(call.who)
    })?;
    // Which share it should have asked for shows when it adds it.
    let added = scene.places.iter().find(|other| {
        other.step > place.step && matches!(scene.call(other).ask, Ask::Add { .. })
    })?;
    let mut talk = scene.talk.clone();
    talk.cut_behind(added.step);
    let calls = talk.calls.clone();
    talk.steps.retain(|step| {
        let asks = |n: &usize| calls[*n].who == who && matches!(calls[*n].ask, Ask::Supported(_));
        !matches!(step, Step::Call(n) | Step::Ask(n) | Step::Answer(n) if asks(n))
    });
    let since = talk.asked().into_iter().find(|n| calls[*n].who == who);
    let expect = vec!["3.2.4.2.1-01", "3.2.4.2.1-13"];
    let party = Party::Client;
    Some(Fault { talk, at: place.call, since, party, decidable: true, expect })
}

fn add_after_prepare(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) =
        own(scene, dice, |set, story| set.status == Status::Added && story.prepared)?;
    let ask = add(set.id, scene.another_share(&place, set, who)?);
    Some(scene.client_fault(&place, who, ask, &["3.2.4.2.2-09"], dice))
}

fn add_after_commit(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) = own(scene, dice, |set, _| set.status >= Status::Committed)?;
    let ask = add(set.id, scene.another_share(&place, set, who)?);
    Some(scene.client_fault(&place, who, ask, &["3.2.4.2.2-01", "3.2.4.2.2-09"], dice))
}

fn nil_sent(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = anywhere(scene, dice)?;
    let ask = if dice.percent(20) { Ask::Start(Id::NIL) } else { of_unknown(Id::NIL, dice) };
    Some(scene.client_fault(&place, who, ask, &["3.1.4-10", "3.1.4.3-08"], dice))
}

fn client_guid_sent(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (id, who)) = scene.find(dice, |place| {
        let mut started = scene.told(place).filter_map(|(_, call, reply)| match &call.ask {
            Ask::Start(id) if reply.status == OK => Some((*id, call.who)),
            _ => None,
        });
        started.next()
    })?;
    let ask = of_unknown(id, dice);
    let expect = [
        "3.2.4.2.2-05",
        "3.2.4.2.2-12",
        "3.2.4.3-02",
        "3.2.4.4-03",
        "3.2.4.5-03",
        "3.2.4.6-02",
        "3.2.4.8-04",
        "3.2.4.4-07",
        "3.2.4.2-02",
    ];
    Some(scene.client_fault(&place, who, ask, &expect, dice))
}

fn wrong_pair(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) = own(scene, dice, |set, _| set.status == Status::Exposed)?;
    let copy = set.copies.first()?;
    let (copy, share, expect) = match dice.range(0, 3) {
        0 => (copy.id, r"\\fs\other".to_owned(), "3.2.4.4-07"),
        1 => (Id('C', 909), copy.share.clone(), "3.2.4.4-07"),
        _ => {
            let ccid =
                scene.told(&place).find_map(|(_, call, reply)| match (&call.ask, &reply.out) {
                    (Ask::Add { ccid, .. }, Out::Id(id)) if *id == copy.id && *ccid != Id::NIL => {
                        Some(*ccid)
                    }
                    _ => None,
                })?;
            (ccid, copy.share.clone(), "3.2.4.4-06")
        }
    };
    let ask = Ask::Mapping { copy, set: set.id, share, level: 1 };
    Some(scene.client_fault(&place, who, ask, &[expect, "3.2.4.4-07"], dice))
}

fn wrong_pair_deleted(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (set, who)) = scene.find(dice, |place| scene.recovered(place))?;
    let copy = set.copies.first()?;
    let (copy, share) = if dice.percent(50) {
        (copy.id, r"\\fs\other".to_owned())
    } else {
        (Id('C', 909), copy.share.clone())
    };
    let ask = Ask::Delete { set: set.id, copy, share };
    Some(scene.client_fault(&place, who, ask, &["3.2.4.8-04"], dice))
}

fn bad_context_sent(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = anywhere(scene, dice)?;
    let ask = Ask::Context(dice.one(&BAD_CONTEXTS));
    let expect = ["3.1.4.2-01", "2.2.2.2-01", "2.2.2.2-02", "2.2.2.1-01"];
    Some(scene.client_fault(&place, who, ask, &expect, dice))
}

fn level_sent(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) = own(scene, dice, |set, _| set.status == Status::Exposed)?;
    let copy = set.copies.first()?;
    let level = dice.one(&[0, 2, 3]);
    let ask = Ask::Mapping { copy: copy.id, set: set.id, share: copy.share.clone(), level };
    Some(scene.client_fault(&place, who, ask, &["3.1.4.11-01"], dice))
}

fn share_not_unc(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let share = dice.pick(&[r"C:\data", "data", r"\\fs"]).to_owned();
    let expect = ["3.1.4.9-01", "3.1.4.10-01", "3.1.4.4-19"];
    if dice.percent(50)
        && let Some((place, set, who)) = own(scene, dice, |set, _| set.status == Status::Started)
    {
        return Some(scene.client_fault(&place, who, add(set.id, share), &expect, dice));
    }
    let (place, who) = anywhere(scene, dice)?;
    let ask = if dice.percent(50) { Ask::Supported(share) } else { Ask::Copied(share) };
    Some(scene.client_fault(&place, who, ask, &expect, dice))
}

fn goes_on(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (ask, expect)) = scene.find(dice, |place| {
        let call = scene.call(place);
        let status = scene.status(place);
        if matches!(status, OK | MISMATCH | BAD_STATE) {
            return None;
        }
        let timeout = 1_800_000;
        Some(match &call.ask {
            Ask::Context(_) => {
                (Ask::Start(Id('U', 900)), vec!["3.2.4.2.1-10", "3.1.4.3-02", "3.1.4.3-17"])
            }
            Ask::Start(_) => (
                add(Id('S', 909), r"\\fs\d".to_owned()),
                vec!["3.2.4.2.1-12", "3.1.4.3-18", "3.2.4.2-02"],
            ),
            Ask::Prepare { set, .. } => (
                Ask::Commit { set: *set, timeout: 60_000 },
                vec!["3.2.4.2.2-11", "3.2.4.2.2-08", "3-02"],
            ),
            Ask::Commit { set, .. } if status != FSSAGENT_TIMEOUT => {
                (Ask::Expose { set: *set, timeout }, vec!["3.2.4.3-03", "3.2.4.4-02", "3-02"])
            }
            Ask::Expose { set, .. } => {
                (Ask::Recovery(*set), vec!["3.2.4.4-04", "3.2.4.5-02", "3-02"])
            }
            _ => return None,
        })
    })?;
    let who = scene.call(&place).who;
    Some(scene.client_fault(&place, who, ask, &expect, dice))
}

fn added_twice(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) =
        own(scene, dice, |set, story| set.status == Status::Added && !story.prepared)?;
    let ask = add(set.id, set.copies.first()?.share.clone());
    Some(scene.client_fault(&place, who, ask, &["3.2.4.2.2-02"], dice))
}

fn beyond_sent(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = anywhere(scene, dice)?;
    Some(scene.client_fault(&place, who, Ask::Beyond(13), &["1.7-01", "3.1.4-01"], dice))
}

fn commit_again(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) = own(scene, dice, |set, _| set.status >= Status::Committed)?;
    let ask = Ask::Commit { set: set.id, timeout: 60_000 };
    Some(scene.client_fault(&place, who, ask, &["3.2.4.3-04"], dice))
}

fn recovery_again(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (set, who)) = scene.find(dice, |place| scene.recovered(place))?;
    Some(scene.client_fault(&place, who, Ask::Recovery(set.id), &["3.2.4.5-02"], dice))
}

fn prepare_empty(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) = own(scene, dice, |set, _| set.status == Status::Started)?;
    let ask = if dice.percent(50) {
        Ask::Prepare { set: set.id, timeout: 1_800_000 }
    } else {
        Ask::Commit { set: set.id, timeout: 60_000 }
    };
    Some(scene.client_fault(&place, who, ask, &["3.2.4.2.2-10", "3.2.4.2.2-08"], dice))
}

fn call_after_abort(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set) = scene.find(dice, |place| match scene.call(place).ask {
        Ask::Abort(set) if scene.status(place) == OK => Some(set),
        _ => None,
    })?;
    let who = scene.call(&place).who;
    let ask = of_unknown(set, dice);
    let fault = scene.client_fault(&place, who, ask.clone(), &["3.2.4.6-03"], dice);
    // Opnum 7 again is not among them.
    Some(if matches!(ask, Ask::Abort(_)) { fault.doubtful() } else { fault })
}

fn delete_again(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, ask) = scene.find(dice, |place| {
        let ask = &scene.call(place).ask;
        let done = matches!(ask, Ask::Delete { .. }) && scene.status(place) == OK;
        done.then(|| ask.clone())
    })?;
    let who = scene.call(&place).who;
    Some(scene.client_fault(&place, who, ask, &["3.2.4.8-06"], dice))
}

fn delete_unfinished(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) =
        own(scene, dice, |set, _| set.status < Status::Exposed && set.status != Status::Started)?;
    let copy = set.copies.first()?;
    let ask = Ask::Delete { set: set.id, copy: copy.id, share: copy.share.clone() };
    Some(scene.client_fault(&place, who, ask, &["3.2.4.8-07"], dice))
}

fn recovery_early(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, set, who) = own(scene, dice, |set, story| {
        set.status == Status::Exposed
            && set.copies.iter().any(|copy| !story.mapped.contains(&copy.id))
    })?;
    Some(scene.client_fault(&place, who, Ask::Recovery(set.id), &["3.2.4.4-05"], dice))
}

fn start_hijacks(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = scene.find(dice, |place| {
        (label(place.server).0 == Label::X).then_some(())?;
        scene.another(place.server.owner?)
    })?;
    let expect = ["3.1.4.3-17", "3.1.4.3-02", "3.2.4.2.1-10", "3.2.4.2.1-13"];
    Some(scene.client_fault(&place, who, Ask::Start(Id('U', 900)), &expect, dice))
}

fn version_ignored(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    // The client's next call of all.
    let (place, next) = scene.find(dice, |place| {
        let who = scene.call(place).who;
        (scene.call(place).ask == Ask::Version).then_some(())?;
        let next = scene.places.iter().find(|other| {
            other.step > place.step && scene.call(other).who == who && scene.call(other).line == 1
        })?;
        matches!(scene.call(next).ask, Ask::Context(_)).then_some((next.step, next.call))
    })?;
    let reply = Reply::with(Out::Versions(2, 2));
    let mut fault = scene.replace(&place, reply, true, &["3.2.4.2.1-07"]);
    fault.talk.cut_behind(next.0);
    fault.at = next.1;
    // The server says of itself that it has a version that there is not.
    fault.since = Some(place.call);
    fault.party = Party::Client;
    Some(fault)
}

fn foreign_set(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, (ask, who)) = scene.find(dice, |place| {
        let (set, who) = scene.current(place)?;
        Some((scene.natural(place, set, who)?, scene.another(who)?))
    })?;
    let expect = [
        "3.2.4.3-01",
        "3.2.4.4-01",
        "3.2.4.5-01",
        "3.2.4.6-01",
        "3.2.4.2-02",
        "3.2.4.2.2-12",
        "3.2.4.4-07",
        "3.2.4.4-08",
    ];
    Some(scene.client_fault(&place, who, ask, &expect, dice).doubtful())
}

fn waits_longer(scene: &Scene<'_>, dice: &mut Dice) -> Option<Fault> {
    let (place, who) = anywhere(scene, dice)?;
    let mut fault = scene.client_fault(&place, who, Ask::Version, &["3.2.2-01", "3.2.5-01"], dice);
    let n = fault.at;
    fault.talk.calls[n].reply = None;
    fault.talk.steps.pop();
    fault.talk.steps.extend([Step::Ask(n), Step::Wait(240_000)]);
    let mut next = fault.talk.calls[n].clone();
    next.at += 240_000;
    next.reply = Some(Reply::with(Out::Versions(1, 1)));
    fault.talk.calls.push(next);
    fault.talk.steps.push(Step::Call(n + 1));
    Some(fault)
}
