//! The sentences of findings about states.

use super::act::Act;
use super::breach::Contradiction;
use super::finding::Finding;
use super::machine::{Answer, View};
use super::tracker::{SECOND, Tracker};
use super::world::{Late, Why};
use crate::bytes::{Guid, Time};
use crate::call::Call;
use crate::protocol::fsrvp::{OPERATIONS, Status};
use crate::rpc::names::{FAULTS, named};

/// Name of an operation.
pub(super) fn method(opnum: u16) -> &'static str {
    OPERATIONS.iter().find(|(n, _)| *n == opnum).map_or("an unknown operation", |(_, name)| name)
}

/// The statuses of 2.2.4 and the general ones, by name.
const STATUSES: [(u32, &str); 18] = [
    (0, "ZERO"),
    (Status::E_ACCESSDENIED.0, "E_ACCESSDENIED"),
    (Status::E_INVALIDARG.0, "E_INVALIDARG"),
    (Status::FSRVP_E_BAD_STATE.0, "FSRVP_E_BAD_STATE"),
    (Status::FSRVP_E_OBJECT_NOT_FOUND.0, "FSRVP_E_OBJECT_NOT_FOUND"),
    (Status::FSRVP_E_NOT_SUPPORTED.0, "FSRVP_E_NOT_SUPPORTED"),
    (Status::FSRVP_E_OBJECT_ALREADY_EXISTS.0, "FSRVP_E_OBJECT_ALREADY_EXISTS"),
    (Status::FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS.0, "FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS"),
    (Status::FSRVP_E_UNSUPPORTED_CONTEXT.0, "FSRVP_E_UNSUPPORTED_CONTEXT"),
    (Status::FSSAGENT_E_TIMEOUT.0, "FSSAGENT_E_TIMEOUT"),
    (Status::FSRVP_E_SHADOWCOPYSET_ID_MISMATCH.0, "FSRVP_E_SHADOWCOPYSET_ID_MISMATCH"),
    (Status::FSRVP_E_WAIT_TIMEOUT.0, "FSRVP_E_WAIT_TIMEOUT"),
    (Status::FSRVP_E_WAIT_FAILED.0, "FSRVP_E_WAIT_FAILED"),
    (0x8000_4005, "E_FAIL"),
    (0x8000_ffff, "E_UNEXPECTED"),
    (0x8007_000e, "E_OUTOFMEMORY"),
    (0x8004_2302, "0x80042302"),
    (0x8004_2311, "0x80042311"),
];

/// A status by name, or by number.
pub(super) fn code(status: u32) -> String {
    let named = STATUSES.iter().find(|(code, _)| *code == status);
    named.map_or_else(|| format!("0x{status:08x}"), |(_, name)| (*name).to_owned())
}

/// An answer in a few words.
pub(super) fn status(answer: Answer) -> String {
    match answer {
        Answer::Status(status) => code(status),
        Answer::Refused(fault) | Answer::Fault(fault) => {
            format!("fault {}", named(FAULTS, fault.into()))
        }
        Answer::Hidden(_) => "an answer that cannot be read".to_owned(),
        Answer::None => "no answer".to_owned(),
        Answer::Begins => "begun".to_owned(),
    }
}

/// Whether a status says that there is no such set.
pub(super) fn is_unknown_set(opnum: u16, status: u32) -> bool {
    status == Status::FSRVP_E_SHADOWCOPYSET_ID_MISMATCH.0
        || opnum == 11 && status == Status::FSRVP_E_OBJECT_NOT_FOUND.0
}

/// A set by the beginning of its id.
pub(super) fn short(id: Guid) -> String {
    let text = id.to_string();
    text.get(..8).unwrap_or_default().to_owned()
}

/// A state of a set, or of the server, in a few words.
pub(super) fn state_word(view: View) -> &'static str {
    match view {
        View::Gone => "no such set",
        View::Closed => "no context is set",
        View::ClosedSet => "no context is set, and a set is unfinished",
        View::Open => "a context is set",
        View::OpenSet => "a context is set, and a set is unfinished",
        view => view.word(),
    }
}

/// Seconds, for reading.
pub(super) fn seconds(nanos: i64) -> String {
    let tenths = nanos / (SECOND / 10);
    if tenths == 0 {
        "less than 0.1 s".to_owned()
    } else if tenths % 10 == 0 {
        format!("{} s", tenths / 10)
    } else {
        format!("{}.{} s", tenths / 10, (tenths % 10).abs())
    }
}

/// How long something lasted, in two parts at most.
pub(super) fn lasting(nanos: i64) -> String {
    if (SECOND / 10..10 * SECOND).contains(&nanos) {
        return seconds(nanos);
    }
    let whole = nanos.max(0) / SECOND;
    let parts = [(whole / 3600, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")];
    // Two parts say enough.
    let said = parts.iter().skip_while(|(n, _)| *n == 0).take(2).filter(|(n, _)| *n > 0);
    let said: Vec<String> = said.map(|(n, unit)| format!("{n} {unit}")).collect();
    if said.is_empty() { "less than a second".to_owned() } else { said.join(" ") }
}

/// An expiry, in a clause.
pub(super) fn late(late: &Late, now: Time) -> String {
    let idle = now.since(late.since);
    format!(
        "the {} s that {} (call {}) left had run out: {} had passed",
        late.seconds,
        method(late.opnum),
        late.call,
        seconds(idle)
    )
}

/// What is wrong with an answer, in one sentence.
pub(super) fn contradiction(
    call: &Call,
    act: &Act,
    tracker: &Tracker<'_>,
    wrong: &Contradiction,
    explained: bool,
) -> String {
    let name = call.method().unwrap_or(method(act.opnum));
    if &*wrong.rule == "FSRVP-3.1.4.5-05" {
        return format!(
            "{name} succeeded, although while it ran another call on the set was answered as if it did \
             not: the set is CreationInProgress until the answer"
        );
    }
    let set = act.set().or_else(|| act.started()).filter(|_| act.names_set());
    let of = set.map(|id| format!(" of set {}", short(id))).unwrap_or_default();
    let mut text = format!("{name}{of} returned {}", status(act.answer));
    if !wrong.stateless {
        text.extend([", although ", &state(act, tracker, wrong)]);
    }
    let expected: Vec<String> = wrong.expected.iter().map(|status| code(*status)).collect();
    match expected.as_slice() {
        [] => {}
        [only] => text.extend(["; expected ", only]),
        [first @ .., last] => text.extend(["; expected ", &first.join(", "), " or ", last]),
    }
    if explained {
        text += "; a client that is not in this capture would explain it";
    }
    text
}

/// What the call met, in a clause.
fn state(act: &Act, tracker: &Tracker<'_>, wrong: &Contradiction) -> String {
    let by = match &wrong.why {
        Why::Call(n, opnum) => format!(" since {} (call {n})", method(*opnum)),
        Why::Timer(expiry) => format!(": {}", late(expiry, act.asked)),
        Why::Restart => " since the server was started again".to_owned(),
        Why::Idle => " since the capture began".to_owned(),
        Why::Unseen => String::new(),
    };
    match wrong.view {
        View::Gone => {
            let known =
                act.set().and_then(|id| tracker.sets.find(id)).and_then(|no| tracker.sets.get(no));
            match (&wrong.why, known.is_some_and(|set| set.issued)) {
                (_, false) if matches!(wrong.why, Why::Unseen) => {
                    "the server never issued this id".to_owned()
                }
                _ => format!("the set is gone{by}"),
            }
        }
        View::Closed | View::ClosedSet => format!("ContextSet is FALSE{by}"),
        View::Open => format!("ContextSet is TRUE{by} and no set is unfinished"),
        View::OpenSet => format!("a shadow copy set is unfinished{by}"),
        view => format!("the set is {}{by}", view.word()),
    }
}

/// The call that brought the state, as a note of the finding.
pub(super) fn relate(finding: &mut Finding, wrong: &Contradiction) {
    let (call, note) = match &wrong.why {
        Why::Call(n, opnum) => (*n, format!("{} brought this state", method(*opnum))),
        Why::Timer(late) => {
            (late.call, format!("{} started the timer, for {} s", method(late.opnum), late.seconds))
        }
        _ => return,
    };
    if finding.call != Some(call) {
        finding.with_call(call, note);
    }
}

/// The value of a status by its name.
pub(super) fn named_status(name: &str) -> Option<u32> {
    STATUSES.iter().find(|(_, of)| *of == name).map(|(status, _)| *status)
}
