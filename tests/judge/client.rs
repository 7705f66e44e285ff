//! [`Agent`]: a client that keeps to \[MS-FSRVP\] 3.2 and draws among what it may do.

use std::collections::VecDeque;

use crate::dice::Dice;
use crate::server::{
    ALREADY_EXISTS, CONTEXTS, E_ACCESSDENIED, E_INVALIDARG, IN_PROGRESS, MISMATCH, OK, Profile,
    Server, Status, component,
};
use crate::table::{Label, label};
use crate::talk::{Ask, Id, Out, Reply};

/// How far from a deadline clients keep, in milliseconds.
const MARGIN: u64 = 15_000;

/// Where a client is on its way to a shadow copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// The share is supported: the connection is closed.
    ToClose,
    ToVersion,
    ToContext,
    ToStart,
    Adding,
    ToPrepare,
    ToCommit,
    ToExpose,
    Mapping,
    ToRecover,
    /// Something went wrong with the set: it is aborted, or all begins again.
    Failed,
    Gone,
}

/// What a client does next.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It waits so long.
    Sleep(u64),
    Ask(Ask, u32),
    Close(u32),
    Leave,
}

/// A copy as the client knows it.
#[derive(Clone, Debug)]
struct Copy {
    id: Id,
    share: String,
    mapped: bool,
}

/// A set that is finished.
#[derive(Clone, Debug)]
struct Kept {
    id: Id,
    copies: Vec<Copy>,
}

#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
#[derive(Debug)]
pub(crate) struct Agent {
    who: usize,
    phase: Phase,
    /// It has thought about its next step.
    ready: bool,
    /// Prepare, Commit, Expose.
    timeouts: [u32; 3],
    /// All shares, spelled as it spells them.
    shares: Vec<String>,
    /// Shares that were refused.
    refused: Vec<String>,
    /// Shares still to be added.
    plan: VecDeque<String>,
    context: u32,
    set: Option<Id>,
    copies: Vec<Copy>,
    /// A set that it gave up without a word: its next `SetContext` discards it.
    left: Option<Id>,
    kept: Vec<Kept>,
    /// Calls that are to be made one after the other, until one fails.
    script: VecDeque<Ask>,
    /// Whether it has asked for the version on its association.
    versioned: bool,
    attempts: u32,
    tries: u32,
    /// It repeats `SetContext` where others would go on.
    stubborn: bool,
    /// It queries on a second line.
    second_line: bool,
    lines: [bool; 2],
}

/// Numbers that clients draw from, so that none is drawn twice.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    sets: u32,
    copies: u32,
}

impl Agent {
    pub(crate) fn new(who: usize, dice: &mut Dice) -> Self {
        let host = dice.pick(&["fs", "fs", "FS", "fs.lab.test"]);
        let end = dice.pick(&["", "\\"]);
        let shares = ["d", "Data", "users$", "web site", "d2", "old", "gone"];
        let upper = dice.percent(30);
        let spell = |share: &str| {
            let share = if upper { share.to_uppercase() } else { share.to_owned() };
            format!(r"\\{host}\{share}{end}")
        };
        Self {
            who,
            phase: Phase::Idle,
            ready: false,
            timeouts: dice.weighed(&[
                (50, [1_800_000, 60_000, 1_800_000]),
                (20, [240_000, 180_000, 120_000]),
                (20, [20_000, 30_000, 15_000]),
                (10, [600_000, 600_000, 600_000]),
            ]),
            shares: shares.map(spell).to_vec(),
            refused: Vec::new(),
            plan: VecDeque::new(),
            context: dice.one(&CONTEXTS),
            set: None,
            copies: Vec::new(),
            left: None,
            kept: Vec::new(),
            script: VecDeque::new(),
            versioned: false,
            attempts: u32::try_from(dice.range(1, 7)).unwrap(),
            tries: 0,
            stubborn: dice.percent(8),
            second_line: dice.percent(25),
            lines: [false; 2],
        }
    }

    /// What it does now.
    pub(crate) fn turn(
        &mut self,
        dice: &mut Dice,
        server: &Server,
        now: u64,
        fresh: &mut Fresh,
    ) -> Turn {
        if self.phase == Phase::Gone {
            return Turn::Sleep(u64::MAX);
        }
        if !self.ready {
            self.ready = true;
            return Turn::Sleep(self.think(dice, server, now));
        }
        self.ready = false;
        let turn = self.act(dice, server, fresh);
        match &turn {
            Turn::Ask(ask, line) => {
                self.lines[usize::try_from(*line).unwrap() - 1] = true;
                self.versioned |= *line == 1 && *ask == Ask::Version;
            }
            Turn::Close(line) => self.closed(*line),
            _ => {}
        }
        turn
    }

    /// Its pipes on a line are closed.
    pub(crate) fn closed(&mut self, line: u32) {
        self.lines[usize::try_from(line).unwrap() - 1] = false;
        if line == 1 {
            self.versioned = false;
            if self.phase == Phase::ToContext {
                self.phase = Phase::ToVersion;
            }
        }
    }

    /// Its connections were reset.
    pub(crate) fn reset(&mut self) {
        self.closed(1);
        self.closed(2);
        if self.phase == Phase::ToClose {
            self.phase = Phase::ToVersion;
        }
    }

    pub(crate) fn lines(&self) -> Vec<u32> {
        (1..=2).filter(|line| self.lines[*line as usize - 1]).collect()
    }

    /// Whether another client may take its context away without making a culprit of it.
    pub(crate) fn is_about_to_start(&self) -> bool {
        self.phase == Phase::ToStart
    }

    fn think(&self, dice: &mut Dice, server: &Server, now: u64) -> u64 {
        let left = self.left.is_some_and(|id| server.set(id).is_some());
        let mine = self.set.is_some() || self.phase == Phase::ToStart || left;
        let deadline = server.deadline.filter(|_| mine);
        let limit = deadline.map_or(3_600_000, |at| at.saturating_sub(now + MARGIN));
        let patient = matches!(
            self.phase,
            Phase::Adding | Phase::ToPrepare | Phase::ToCommit | Phase::ToExpose | Phase::Failed
        );
        // The margin behind the deadline that the server knows, and that of whoever only sees it.
        let unhurried = patient && self.lines[0] && !self.has_exposed(server);
        if unhurried && deadline.is_some() && dice.percent(5) {
            return limit + 2 * MARGIN + dice.range(1_000, 600_000);
        }
        let time = match dice.range(0, 100) {
            0..60 => dice.range(0, 2_000),
            60..88 => dice.range(2_000, 40_000),
            88..95 => dice.range(40_000, 170_000),
            _ if self.phase == Phase::Idle => dice.range(170_000, 3_000_000),
            _ => limit.saturating_sub(dice.range(0, limit / 3 + 1)),
        };
        time.min(limit)
    }

    fn act(&mut self, dice: &mut Dice, server: &Server, fresh: &mut Fresh) -> Turn {
        if let Some(ask) = self.script.pop_front() {
            return Turn::Ask(ask, 1);
        }
        if !matches!(
            self.phase,
            Phase::ToClose | Phase::ToVersion | Phase::ToContext | Phase::ToStart
        ) && dice.percent(7)
        {
            return self.query(dice);
        }
        let timeouts = self.timeouts;
        let set = self.set.unwrap_or(Id::NIL);
        let ask = match self.phase {
            Phase::Gone => return Turn::Sleep(u64::MAX),
            Phase::Idle => return self.idle(dice, server),
            Phase::ToClose => {
                self.phase = Phase::ToVersion;
                return Turn::Close(1);
            }
            Phase::ToVersion => Ask::Version,
            // Its context would discard what it has taken over from before a restart, while a call
            // on that runs.
            Phase::ToContext if server.running.is_some() && server.owner == Some(self.who) => {
                return Turn::Sleep(5_000);
            }
            Phase::ToContext => Ask::Context(self.context),
            Phase::ToStart => {
                if !server.open || server.owner != Some(self.who) {
                    // Whoever lost its context begins again.
                    self.phase = Phase::Idle;
                    return Turn::Sleep(1_000);
                }
                if self.stubborn && server.running.is_none() && dice.percent(85) {
                    return Turn::Ask(Ask::Context(self.context), 1);
                }
                fresh.sets += 1;
                Ask::Start(Id('U', fresh.sets))
            }
            Phase::Adding => {
                let share = self.plan.front().cloned().expect("there is a share to be added");
                fresh.copies += 1;
                let ccid = if dice.percent(2) { Id::NIL } else { Id('V', fresh.copies) };
                if !self.copies.is_empty() && dice.percent(20) && self.lines[0] {
                    // Another connection for another share.
                    self.closed(1);
                    return Turn::Close(1);
                }
                Ask::Add { ccid, set, share }
            }
            Phase::ToPrepare if dice.percent(4) => Ask::Abort(set),
            Phase::ToPrepare => Ask::Prepare { set, timeout: timeouts[0] },
            Phase::ToCommit | Phase::Mapping if dice.percent(3) => Ask::Abort(set),
            Phase::ToCommit => Ask::Commit { set, timeout: timeouts[1] },
            Phase::ToExpose if dice.percent(5) => Ask::Abort(set),
            Phase::ToExpose => Ask::Expose { set, timeout: timeouts[2] },
            Phase::Mapping => {
                let left: Vec<_> = self.copies.iter().filter(|copy| !copy.mapped).collect();
                let Copy { id, share, .. } = left[dice.below(left.len())].clone();
                Ask::Mapping { copy: id, set, share, level: 1 }
            }
            Phase::ToRecover => return Turn::Ask(self.recover(dice, set), 1),
            Phase::Failed if self.has_exposed(server) || dice.percent(70) => Ask::Abort(set),
            Phase::Failed => {
                self.left = self.set;
                self.forget();
                return self.idle(dice, server);
            }
        };
        Turn::Ask(ask, 1)
    }

    fn recover(&mut self, dice: &mut Dice, set: Id) -> Ask {
        let copy = self.copies[dice.below(self.copies.len())].clone();
        let Copy { id, share, .. } = copy;
        match dice.range(0, 100) {
            0..3 => Ask::Abort(set),
            3..8 => Ask::Delete { set, copy: id, share },
            8..14 => Ask::Mapping { copy: id, set, share, level: 1 },
            _ => Ask::Recovery(set),
        }
    }

    /// A question that has to do with nothing else.
    fn query(&self, dice: &mut Dice) -> Turn {
        let line = if self.second_line { 2 } else { 1 };
        let share = self.shares[dice.below(5)].clone();
        let ask = match dice.range(0, 6) {
            0 | 1 => Ask::Supported(share),
            2 => Ask::Copied(self.shares[6].clone()),
            3 => Ask::Version,
            _ => Ask::Copied(share),
        };
        Turn::Ask(ask, line)
    }

    fn idle(&mut self, dice: &mut Dice, server: &Server) -> Turn {
        if !self.kept.is_empty() && dice.percent(50) {
            let ask = self.tend(dice, server);
            return Turn::Ask(ask, 1);
        }
        if let (0, Some(left)) = (self.attempts, self.left) {
            return Turn::Ask(Ask::Abort(left), 1);
        }
        if self.attempts == 0 {
            self.phase = Phase::Gone;
            return if dice.percent(60) { Turn::Leave } else { Turn::Sleep(u64::MAX) };
        }
        self.attempts -= 1;
        self.tries = 0;
        self.context = dice.one(&CONTEXTS);
        if server.profile == Profile::Samba {
            self.context &= !2;
        }
        // Refused shares come later, if at all: whoever has asked for one does not add it.
        let usable = |share: &&String| !self.refused.contains(share);
        let mut left: Vec<String> = self.shares.iter().filter(usable).cloned().collect();
        self.plan.clear();
        let count = dice.weighed(&[(45, 1), (35, 2), (15, 3), (5, 4)]);
        for n in 0..count {
            let rarely =
                |share: &String| matches!(component(share).to_lowercase().as_str(), "old" | "gone");
            let at = dice.below(left.len());
            if rarely(&left[at]) && n == 0 && dice.percent(60) {
                continue;
            }
            self.plan.push_back(left.remove(at));
            if left.is_empty() {
                break;
            }
        }
        if self.plan.is_empty() {
            self.plan.extend(self.shares.first().cloned());
        }
        Turn::Ask(Ask::Supported(self.plan[0].clone()), 1)
    }

    /// Something with a set that is finished.
    fn tend(&mut self, dice: &mut Dice, server: &Server) -> Ask {
        let at = dice.below(self.kept.len());
        let kept = self.kept[at].clone();
        let Copy { id, share, .. } = kept.copies[dice.below(kept.copies.len())].clone();
        let set = kept.id;
        match dice.range(0, 100) {
            // It may take the context of somebody who has just got it.
            0..15 if label(server).0 != Label::X => {
                self.script.push_back(Ask::Copied(share));
                Ask::Abort(set)
            }
            15..30 => Ask::Mapping { copy: id, set, share, level: 1 },
            30..60 => Ask::Delete { set, copy: id, share },
            _ => {
                let delete =
                    |copy: &Copy| Ask::Delete { set, copy: copy.id, share: copy.share.clone() };
                self.script.extend(kept.copies.iter().map(delete));
                Ask::Version
            }
        }
    }

    fn forget(&mut self) {
        self.set = None;
        self.copies.clear();
        self.phase = Phase::Idle;
    }

    fn keep(&mut self) {
        let copies = std::mem::take(&mut self.copies);
        if let (Some(id), false) = (self.set, copies.is_empty()) {
            self.kept.push(Kept { id, copies });
        }
        self.forget();
    }

    /// Nobody answered, and the pipe is closed.
    pub(crate) fn unheard(&mut self, ask: &Ask, dice: &mut Dice) {
        self.closed(1);
        if let Some(at) = ask.set().and_then(|id| self.kept.iter().position(|kept| kept.id == id)) {
            self.script.clear();
            if matches!(ask, Ask::Abort(_)) {
                self.kept.remove(at);
            } else {
                self.script.push_back(ask.clone());
            }
            return;
        }
        match ask {
            Ask::Context(_) | Ask::Start(_) => self.phase = Phase::Idle,
            Ask::Add { .. } => self.phase = Phase::Failed,
            Ask::Prepare { .. } | Ask::Commit { .. } | Ask::Expose { .. } if dice.percent(35) => {
                self.phase = Phase::Failed;
            }
            Ask::Abort(set) if self.set == Some(*set) => self.phase = Phase::Failed,
            Ask::Delete { .. } | Ask::Recovery(_) => self.script.push_back(ask.clone()),
            _ => {}
        }
    }

    /// The server has answered.
    pub(crate) fn heard(&mut self, ask: &Ask, reply: &Reply, dice: &mut Dice) {
        let status = reply.status;
        if status != OK {
            self.script.clear();
        }
        if ask.set().is_some() && ask.set() == self.left {
            self.left = self.left.filter(|_| !matches!(status, OK | MISMATCH | E_INVALIDARG));
        }
        if ask.set().is_some() && ask.set() != self.set {
            return self.heard_of_kept(ask, status);
        }
        // Samba says so of sets it does not have.
        let lost = status == MISMATCH || status == E_INVALIDARG;
        match ask {
            Ask::Supported(share) => match reply.out {
                Out::Owner(true, _)
                    if self.phase == Phase::Idle && self.plan.front() == Some(share) =>
                {
                    // Some ask again before they begin.
                    if !dice.percent(10) {
                        self.phase = Phase::ToClose;
                    }
                }
                Out::Owner(true, _) => {}
                _ => self.refused.push(share.clone()),
            },
            Ask::Version if self.phase == Phase::ToVersion => self.phase = Phase::ToContext,
            Ask::Context(_) => self.heard_context(status, dice),
            Ask::Start(_) => match reply.out {
                Out::Id(id) => {
                    self.set = Some(id);
                    self.copies.clear();
                    self.phase = Phase::Adding;
                }
                _ => self.phase = Phase::Idle,
            },
            Ask::Add { share, .. } => match reply.out {
                Out::Id(id) if status == OK => {
                    self.copies.push(Copy { id, share: share.clone(), mapped: false });
                    self.plan.pop_front();
                    if self.plan.is_empty() {
                        self.phase = Phase::ToPrepare;
                    }
                }
                _ if lost && self.shares[6] != *share => self.forget(),
                _ => {
                    if status != ALREADY_EXISTS {
                        self.refused.push(share.clone());
                    }
                    self.phase = Phase::Failed;
                }
            },
            Ask::Prepare { .. } | Ask::Commit { .. } | Ask::Expose { .. } => {
                self.heard_running(ask, status, lost, dice);
            }
            Ask::Mapping { .. } | Ask::Recovery(_) if lost => self.forget(),
            Ask::Mapping { copy, .. } if status == OK => {
                if let Some(known) = self.copies.iter_mut().find(|known| known.id == *copy) {
                    known.mapped = true;
                }
                if self.phase == Phase::Mapping && self.copies.iter().all(|copy| copy.mapped) {
                    self.phase = Phase::ToRecover;
                }
            }
            Ask::Recovery(_) => self.keep(),
            Ask::Delete { copy, .. } => {
                self.copies.retain(|known| known.id != *copy);
                if self.copies.is_empty() {
                    self.forget();
                }
            }
            Ask::Abort(_) if status == OK || lost => self.forget(),
            Ask::Abort(set) if self.set == Some(*set) => self.phase = Phase::Failed,
            _ => {}
        }
    }

    fn heard_context(&mut self, status: u32, dice: &mut Dice) {
        // It may have been its own set that this has discarded.
        self.set = None;
        self.left = self.left.filter(|_| status != OK);
        self.copies.clear();
        self.tries += 1;
        self.phase = match status {
            OK => Phase::ToStart,
            E_ACCESSDENIED => {
                self.attempts = 0;
                Phase::Idle
            }
            IN_PROGRESS if self.tries < 5 && dice.percent(60) => Phase::ToContext,
            _ => Phase::Idle,
        };
    }

    fn heard_running(&mut self, ask: &Ask, status: u32, lost: bool, dice: &mut Dice) {
        let next = match ask {
            Ask::Prepare { .. } => Phase::ToCommit,
            Ask::Commit { .. } => Phase::ToExpose,
            _ => Phase::Mapping,
        };
        self.tries += 1;
        match status {
            OK => self.phase = next,
            _ if lost => self.forget(),
            crate::server::BAD_STATE => self.phase = Phase::Failed,
            // The same call once more.
            _ if self.tries < 8 && dice.percent(65) => {}
            _ => self.phase = Phase::Failed,
        }
    }

    fn heard_of_kept(&mut self, ask: &Ask, status: u32) {
        let Some(at) = ask.set().and_then(|id| self.kept.iter().position(|kept| kept.id == id))
        else {
            return;
        };
        let known = &mut self.kept[at];
        match ask {
            Ask::Delete { copy, .. } => known.copies.retain(|known| known.id != *copy),
            Ask::Abort(_) => known.copies.clear(),
            _ => {}
        }
        if self.kept[at].copies.is_empty() || status == MISMATCH {
            self.kept.remove(at);
        }
    }

    /// Whether its set is exposed, as far as the server knows.
    fn has_exposed(&self, server: &Server) -> bool {
        self.set.and_then(|id| server.set(id)).is_some_and(|set| set.status == Status::Exposed)
    }
}
