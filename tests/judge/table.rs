//! The table of what a server does: state, method, answer, next state, timer; written down row by
//! row, apart from the server, which is held against it.

use crate::server::{
    ALREADY_EXISTS, BAD_STATE, CONTEXTS, E_ACCESSDENIED, E_INVALIDARG, FSSAGENT_TIMEOUT,
    IN_PROGRESS, LONG, MISMATCH, NOT_FOUND, NOT_SUPPORTED, OK, SHORT, Server, Status,
    UNSUPPORTED_CONTEXT, WAIT_FAILED, WAIT_TIMEOUT,
};
use crate::talk::{Ask, Id, Reply};
use Reach::{Never, Often, Seldom};

/// The state of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Label {
    /// No context, no unfinished set.
    N,
    /// A context, no unfinished set.
    X,
    St,
    Ad,
    Cr,
    Co,
    Ex,
}

/// The set that a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// The call names no set.
    None,
    Nil,
    Unknown,
    Is(Status),
}

/// What decides how a call is answered.
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) label: Label,
    /// An unfinished set without a context.
    pub(crate) orphan: bool,
    pub(crate) subject: Subject,
    /// The caller is the owner.
    pub(crate) own: bool,
    /// One more retry is too many.
    pub(crate) over: bool,
    /// The context is none; the level is not 1; the set GUID of a client is nil.
    pub(crate) bad: bool,
    /// Note 6 may refuse a set.
    pub(crate) blocked: bool,
    /// Copies of the set of the call.
    pub(crate) copies: usize,
    pub(crate) deadline: Option<u64>,
}

impl Before {
    pub(crate) fn of(server: &Server, now: u64, who: usize, ask: &Ask) -> Self {
        let (label, orphan) = label(server);
        let subject = match ask.set() {
            None => Subject::None,
            Some(Id::NIL) => Subject::Nil,
            Some(id) => match server.set(id) {
                None => Subject::Unknown,
                Some(set) => Subject::Is(set.status),
            },
        };
        Self {
            label,
            orphan,
            subject,
            own: server.open && server.owner == Some(who),
            over: server.is_over_limit(),
            bad: match ask {
                Ask::Context(context) => !CONTEXTS.contains(context),
                Ask::Mapping { level, .. } => *level != 1,
                Ask::Start(id) => *id == Id::NIL,
                _ => false,
            },
            blocked: server.is_blocked(now),
            copies: ask.set().and_then(|id| server.set(id)).map_or(0, |set| set.copies.len()),
            deadline: server.deadline,
        }
    }

    fn is_open(&self) -> bool {
        self.label != Label::N && !self.orphan
    }

    fn has_unfinished(&self) -> bool {
        self.label > Label::X
    }
}

pub(crate) fn label(server: &Server) -> (Label, bool) {
    let label = match server.unfinished().map(|set| set.status) {
        None if server.open => Label::X,
        None => Label::N,
        Some(Status::Started) => Label::St,
        Some(Status::Added) => Label::Ad,
        Some(Status::Creating) => Label::Cr,
        Some(Status::Committed) => Label::Co,
        Some(_) => Label::Ex,
    };
    (label, label > Label::X && !server.open)
}

/// Where a server is afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Same,
    /// The unfinished set is kept, and has a context again.
    Adopted,
    /// The unfinished set is kept, and has none any more.
    Orphaned,
    Is(Label),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Kept,
    Stopped,
    Starts(u64),
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) opnum: u16,
    /// The states of the row, as people write them.
    pub(crate) from: &'static str,
    when: fn(&Before) -> bool,
    status: fn(u32) -> bool,
    pub(crate) answer: &'static str,
    next: Next,
    timer: Timer,
    /// Whether a client that keeps to the rules gets there.
    pub(crate) reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Often,
    /// Only after the server has lost a set in a restart.
    Seldom,
    Never,
}

const fn row(
    opnum: u16,
    from: &'static str,
    when: fn(&Before) -> bool,
    answer: &'static str,
    status: fn(u32) -> bool,
    (next, timer): (Next, Timer),
    reach: Reach,
) -> Row {
    Row { opnum, from, when, status, answer, next, timer, reach }
}

fn any(_: &Before) -> bool {
    true
}

fn zero(status: u32) -> bool {
    status == OK
}
fn denied(status: u32) -> bool {
    status == E_ACCESSDENIED
}
fn invalid(status: u32) -> bool {
    status == E_INVALIDARG
}
fn mismatch(status: u32) -> bool {
    status == MISMATCH
}
fn bad_state(status: u32) -> bool {
    status == BAD_STATE
}
fn not_found(status: u32) -> bool {
    status == NOT_FOUND
}
fn not_supported(status: u32) -> bool {
    status == NOT_SUPPORTED
}
fn in_progress(status: u32) -> bool {
    status == IN_PROGRESS
}
fn failed(status: u32) -> bool {
    status == WAIT_FAILED
}
fn overrun(status: u32) -> bool {
    matches!(status, WAIT_TIMEOUT | FSSAGENT_TIMEOUT)
}
fn passed(status: u32) -> bool {
    let known = [
        OK,
        E_ACCESSDENIED,
        E_INVALIDARG,
        MISMATCH,
        BAD_STATE,
        NOT_FOUND,
        NOT_SUPPORTED,
        IN_PROGRESS,
        WAIT_FAILED,
        WAIT_TIMEOUT,
        FSSAGENT_TIMEOUT,
    ];
    !known.contains(&status)
}

fn unknown(before: &Before) -> bool {
    before.subject == Subject::Unknown
}
fn nil(before: &Before) -> bool {
    before.subject == Subject::Nil
}
fn is(before: &Before, of: &[Status]) -> bool {
    matches!(before.subject, Subject::Is(status) if of.contains(&status))
}
fn early(before: &Before) -> bool {
    use Status::{Added, Committed, Creating, Started};
    is(before, &[Started, Added, Creating, Committed])
}

const KEPT: (Next, Timer) = (Next::Same, Timer::Kept);
const SAME_SHORT: (Next, Timer) = (Next::Same, Timer::Starts(SHORT));

pub(crate) const ROWS: &[Row] = &[
    row(0, "any", any, "0", zero, KEPT, Often),
    row(0, "any", any, "denied", denied, KEPT, Never),
    row(
        1,
        "any, no context",
        |b| b.bad,
        "UNSUPPORTED_CONTEXT",
        |s| s == UNSUPPORTED_CONTEXT,
        KEPT,
        Never,
    ),
    row(1, "any", any, "denied", denied, KEPT, Often),
    row(
        1,
        "N",
        |b| b.label == Label::N && !b.bad,
        "0",
        zero,
        (Next::Is(Label::X), Timer::Starts(SHORT)),
        Often,
    ),
    row(
        1,
        "St°..Ex°",
        |b| b.orphan && !b.bad,
        "0",
        zero,
        (Next::Adopted, Timer::Starts(SHORT)),
        Often,
    ),
    row(
        1,
        "X, owner",
        |b| b.label == Label::X && b.own && !b.over && !b.bad,
        "0",
        zero,
        (Next::Is(Label::X), Timer::Starts(SHORT)),
        Often,
    ),
    row(
        1,
        "St..Ex, owner",
        |b| b.has_unfinished() && b.own && !b.over && !b.bad,
        "0",
        zero,
        (Next::Is(Label::X), Timer::Starts(SHORT)),
        Often,
    ),
    row(
        1,
        "X..Ex, owner, too often",
        |b| b.is_open() && b.own && b.over && !b.bad,
        "IN_PROGRESS",
        in_progress,
        (Next::Is(Label::N), Timer::Kept),
        Often,
    ),
    row(
        1,
        "X..Ex, another",
        |b| b.is_open() && !b.own && !b.bad,
        "IN_PROGRESS",
        in_progress,
        KEPT,
        Often,
    ),
    row(2, "N, St°..Ex°", |b| !b.is_open() && !b.bad, "BAD_STATE", bad_state, KEPT, Never),
    row(
        2,
        "St..Ex",
        |b| b.is_open() && b.has_unfinished() && !b.bad,
        "IN_PROGRESS",
        in_progress,
        KEPT,
        Often,
    ),
    row(
        2,
        "X",
        |b| b.label == Label::X && !b.bad,
        "0",
        zero,
        (Next::Is(Label::St), Timer::Starts(SHORT)),
        Often,
    ),
    row(2, "any, nil id", |b| b.bad, "E_INVALIDARG", invalid, KEPT, Never),
    row(
        2,
        "X, abort < 30 min ago",
        |b| b.label == Label::X && b.blocked && !b.bad,
        "IN_PROGRESS",
        in_progress,
        KEPT,
        Often,
    ),
    row(2, "any", any, "denied", denied, KEPT, Never),
    row(3, "any", any, "NOT_FOUND", not_found, KEPT, Often),
    row(3, "any", any, "NOT_SUPPORTED", not_supported, KEPT, Often),
    row(3, "unknown id", unknown, "MISMATCH", mismatch, KEPT, Often),
    row(
        3,
        "Cr, Co, Ex, R",
        |b| !unknown(b) && !is(b, &[Status::Started, Status::Added]),
        "BAD_STATE",
        bad_state,
        KEPT,
        Never,
    ),
    row(
        3,
        "St, Ad",
        |b| is(b, &[Status::Started, Status::Added]) && b.copies > 0,
        "ALREADY_EXISTS",
        |s| s == ALREADY_EXISTS,
        SAME_SHORT,
        Often,
    ),
    row(
        3,
        "St, Ad",
        |b| is(b, &[Status::Started, Status::Added]),
        "0",
        zero,
        (Next::Is(Label::Ad), Timer::Starts(LONG)),
        Often,
    ),
    row(12, "unknown id", unknown, "MISMATCH", mismatch, KEPT, Often),
    row(
        12,
        "not Ad",
        |b| !unknown(b) && !is(b, &[Status::Added]),
        "BAD_STATE",
        bad_state,
        KEPT,
        Never,
    ),
    row(12, "Ad", |b| is(b, &[Status::Added]), "0", zero, (Next::Same, Timer::Starts(LONG)), Often),
    row(12, "Ad", |b| is(b, &[Status::Added]), "WAIT_FAILED", failed, SAME_SHORT, Often),
    row(12, "Ad", |b| is(b, &[Status::Added]), "timeout", overrun, SAME_SHORT, Often),
    row(12, "Ad", |b| is(b, &[Status::Added]), "other", passed, SAME_SHORT, Often),
    row(4, "unknown id", unknown, "MISMATCH", mismatch, KEPT, Often),
    row(
        4,
        "St, Ex, R",
        |b| is(b, &[Status::Started, Status::Exposed, Status::Recovered]),
        "BAD_STATE",
        bad_state,
        KEPT,
        Never,
    ),
    row(4, "Co", |b| is(b, &[Status::Committed]), "BAD_STATE", bad_state, KEPT, Often),
    row(
        4,
        "Ad",
        |b| is(b, &[Status::Added]),
        "0",
        zero,
        (Next::Is(Label::Co), Timer::Starts(SHORT)),
        Often,
    ),
    row(
        4,
        "Cr",
        |b| is(b, &[Status::Creating]),
        "0",
        zero,
        (Next::Is(Label::Co), Timer::Starts(SHORT)),
        Often,
    ),
    row(
        4,
        "Ad, Cr",
        |b| is(b, &[Status::Added, Status::Creating]),
        "WAIT_FAILED",
        failed,
        (Next::Is(Label::Ad), Timer::Starts(SHORT)),
        Often,
    ),
    row(
        4,
        "Ad, Cr",
        |b| is(b, &[Status::Added, Status::Creating]),
        "timeout",
        overrun,
        (Next::Is(Label::Cr), Timer::Starts(SHORT)),
        Often,
    ),
    row(
        4,
        "Ad, Cr",
        |b| is(b, &[Status::Added, Status::Creating]),
        "other",
        passed,
        (Next::Is(Label::Cr), Timer::Starts(SHORT)),
        Often,
    ),
    row(5, "unknown id", unknown, "MISMATCH", mismatch, KEPT, Often),
    row(
        5,
        "St, Ad, Cr, R",
        |b| is(b, &[Status::Started, Status::Added, Status::Creating, Status::Recovered]),
        "BAD_STATE",
        bad_state,
        KEPT,
        Never,
    ),
    row(5, "Ex", |b| is(b, &[Status::Exposed]), "BAD_STATE", bad_state, KEPT, Often),
    row(
        5,
        "Co",
        |b| is(b, &[Status::Committed]),
        "0",
        zero,
        (Next::Is(Label::Ex), Timer::Starts(SHORT)),
        Often,
    ),
    row(5, "Co", |b| is(b, &[Status::Committed]), "WAIT_FAILED", failed, SAME_SHORT, Often),
    row(5, "Co", |b| is(b, &[Status::Committed]), "timeout", overrun, SAME_SHORT, Often),
    row(5, "Co", |b| is(b, &[Status::Committed]), "other", passed, SAME_SHORT, Often),
    row(10, "any, level not 1", |b| b.bad, "E_INVALIDARG", invalid, KEPT, Never),
    row(10, "unknown id", unknown, "MISMATCH", mismatch, KEPT, Seldom),
    row(10, "St, Ad, Cr, Co", early, "BAD_STATE", bad_state, KEPT, Never),
    row(10, "R", |b| is(b, &[Status::Recovered]), "BAD_STATE", bad_state, KEPT, Often),
    row(
        10,
        "Ex",
        |b| is(b, &[Status::Exposed]) && !b.bad,
        "E_INVALIDARG",
        invalid,
        (Next::Same, Timer::Stopped),
        Never,
    ),
    row(
        10,
        "Ex",
        |b| is(b, &[Status::Exposed]) && !b.bad,
        "0",
        zero,
        (Next::Same, Timer::Starts(LONG)),
        Often,
    ),
    row(6, "unknown id", unknown, "MISMATCH", mismatch, KEPT, Never),
    row(6, "St, Ad, Cr, Co", early, "BAD_STATE", bad_state, KEPT, Never),
    row(6, "R", |b| is(b, &[Status::Recovered]), "BAD_STATE", bad_state, KEPT, Often),
    row(
        6,
        "Ex",
        |b| is(b, &[Status::Exposed]) && !b.orphan,
        "0",
        zero,
        (Next::Is(Label::N), Timer::Stopped),
        Often,
    ),
    row(
        6,
        "Ex°",
        |b| is(b, &[Status::Exposed]) && b.orphan,
        "0",
        zero,
        (Next::Is(Label::N), Timer::Stopped),
        Often,
    ),
    row(7, "nil id", nil, "E_INVALIDARG", invalid, KEPT, Never),
    row(7, "unknown id", unknown, "MISMATCH", mismatch, KEPT, Often),
    row(7, "any", |b| matches!(b.subject, Subject::Is(_)), "other", passed, KEPT, Often),
    row(
        7,
        "St..Ex",
        |b| matches!(b.subject, Subject::Is(status) if status != Status::Recovered),
        "0",
        zero,
        (Next::Is(Label::N), Timer::Kept),
        Often,
    ),
    row(
        7,
        "R, nothing unfinished",
        |b| is(b, &[Status::Recovered]) && !b.has_unfinished(),
        "0",
        zero,
        (Next::Is(Label::N), Timer::Kept),
        Often,
    ),
    row(
        7,
        "R, another unfinished",
        |b| is(b, &[Status::Recovered]) && b.has_unfinished(),
        "0",
        zero,
        (Next::Orphaned, Timer::Kept),
        Often,
    ),
    row(8, "any", any, "0", zero, KEPT, Often),
    row(8, "any", any, "NOT_FOUND", not_found, KEPT, Often),
    row(8, "any", any, "NOT_SUPPORTED", not_supported, KEPT, Often),
    row(9, "any", any, "0", zero, KEPT, Often),
    row(9, "any", any, "NOT_FOUND", not_found, KEPT, Often),
    row(9, "any", any, "denied", denied, KEPT, Often),
    row(11, "nil id", nil, "E_INVALIDARG", invalid, KEPT, Never),
    row(
        11,
        "set, copy or share unknown",
        |b| unknown(b) || is(b, &[Status::Exposed, Status::Recovered]),
        "NOT_FOUND",
        not_found,
        KEPT,
        Often,
    ),
    row(11, "St, Ad, Cr, Co", early, "BAD_STATE", bad_state, KEPT, Never),
    row(
        11,
        "Ex, R, not the last",
        |b| is(b, &[Status::Exposed, Status::Recovered]) && b.copies > 1,
        "0",
        zero,
        KEPT,
        Often,
    ),
    row(
        11,
        "R, the last",
        |b| is(b, &[Status::Recovered]) && b.copies == 1,
        "0",
        zero,
        KEPT,
        Often,
    ),
    row(
        11,
        "Ex, the last",
        |b| is(b, &[Status::Exposed]) && b.copies == 1,
        "0",
        zero,
        (Next::Is(Label::X), Timer::Kept),
        Often,
    ),
    row(3, "nil id", nil, "E_INVALIDARG", invalid, KEPT, Never),
    row(4, "nil id", nil, "E_INVALIDARG", invalid, KEPT, Never),
    row(5, "nil id", nil, "E_INVALIDARG", invalid, KEPT, Never),
    row(6, "nil id", nil, "E_INVALIDARG", invalid, KEPT, Never),
    row(10, "nil id", nil, "E_INVALIDARG", invalid, KEPT, Never),
    row(12, "nil id", nil, "E_INVALIDARG", invalid, KEPT, Never),
];

/// Whether a row gives an unfinished set a context again.
pub(crate) fn is_adoption(row: usize) -> bool {
    ROWS[row].next == Next::Adopted
}

/// The row of an answer. `answered` is when it was given.
pub(crate) fn find(before: &Before, ask: &Ask, reply: &Reply) -> Option<usize> {
    let is =
        |row: &Row| row.opnum == ask.opnum() && (row.status)(reply.status) && (row.when)(before);
    ROWS.iter().position(is)
}

/// Says what a server did against the row of its answer.
pub(crate) fn check(
    before: &Before,
    ask: &Ask,
    reply: &Reply,
    after: &Server,
    answered: u64,
) -> Result<usize, String> {
    let Some(at) = find(before, ask, reply) else {
        return Err(format!("no row for {ask:?} = {:#x} in {before:?}", reply.status));
    };
    let row = &ROWS[at];
    let (now, orphan) = label(after);
    // Others may have opened or closed the context while the call ran.
    let next = match row.next {
        Next::Same => now == before.label,
        Next::Adopted => now == before.label && !orphan,
        Next::Orphaned => now == before.label && orphan,
        // The deletion of the last copy of an orphan leaves no context.
        Next::Is(Label::X) if before.orphan => now == Label::N,
        Next::Is(label) => now == label,
    };
    let timer = match row.timer {
        Timer::Kept => after.deadline == before.deadline,
        Timer::Stopped => after.deadline.is_none(),
        Timer::Starts(time) => after.deadline == Some(answered + time),
    };
    if next && timer {
        return Ok(at);
    }
    Err(format!(
        "{ask:?} = {:#x} in {before:?}: now {now:?} orphan={orphan}, deadline {:?} at {answered}",
        reply.status, after.deadline
    ))
}
