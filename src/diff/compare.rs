//! [`Comparison`]: two conversations side by side, and where they part.

use std::collections::{BTreeMap, BTreeSet};

use super::align::{Aligned, Couple, align};
use super::clock::{Delay, delays};
use super::conversation::{Conversation, Places};
use super::keys::{End, Key, Keys, end, is_question, tokens};
use super::roles::Roles;
use super::step::{Act, Stage, Step};
use super::traits::{Difference, differences};
use super::values::{Change, Part, outcome, weigh};
use super::weights::{Weight, Weights};
use super::{Pair, Which};

/// Two conversations side by side.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// The two.
    pub conversations: Pair<&'a Conversation>,
    /// The one that has no partner of its own: the other is the most alike, and has one.
    pub lone: Option<Which>,
    /// Their steps, side by side and in order.
    pub rows: Vec<Row>,
    /// Where they part, if they do.
    pub parting: Option<Parting>,
    /// Where what came of it differs first, where that is not yet so at the parting: there only a
    /// value differs.
    pub ending: Option<Parting>,
    /// What differs throughout.
    pub differences: Vec<Difference>,
    /// What took longer in one.
    pub delays: Vec<Delay>,
    /// Steps at the end of each that were not compared, because there were too many.
    pub left: Pair<usize>,
}

/// Two steps that belong to each other, or one that only one side has.
#[derive(Clone, Debug)]
pub struct Row {
    /// Their places.
    pub steps: Pair<Option<usize>>,
    /// How they compare.
    pub verdict: Verdict,
    /// Why not all of it could be compared, by the side that does not show it.
    pub unseen: Pair<Option<Unseen>>,
}

impl Row {
    /// Whether all of it could be compared.
    pub fn is_seen(&self) -> bool {
        self.unseen == Pair::default()
    }

    /// Whether it is the same on both sides for certain.
    pub fn is_alike(&self) -> bool {
        self.verdict == Verdict::Same && self.is_seen()
    }
}

/// How two steps compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They mean the same, as far as they could be read.
    Same,
    /// They differ in this.
    Differs(Vec<Change>),
    /// Only one side has it, or only one side shows it: then the row has `unseen`.
    Only(Weight),
}

/// Where two conversations part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// The row.
    pub row: usize,
    /// The step that each side goes on with; none where it ends.
    pub steps: Pair<Option<usize>>,
    /// What these differ in; nothing where they do not belong to each other.
    pub changes: Vec<Change>,
    /// Whether it is what the conversations are about.
    pub weight: Weight,
}

/// Why something could not be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unseen {
    /// RPC has sealed it.
    Sealed,
    /// The snap length cut it.
    Truncated,
    /// Part of it, or the answer, is not in the capture.
    Lost,
    /// Packets are missing, and the step may have been in them.
    Missing,
    /// What follows is encrypted by SMB.
    Encrypted,
    /// There were too many steps to keep.
    Beyond,
}

impl Unseen {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Truncated => "truncated",
            Self::Lost => "lost",
            Self::Missing => "missing",
            Self::Encrypted => "encrypted",
            Self::Beyond => "beyond",
        }
    }
}

/// What could not be compared for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The capture that does not show it.
    pub which: Which,
    /// Why.
    pub why: Unseen,
    /// The rows, at least one.
    pub rows: Vec<usize>,
}

/// A conversation that nothing was compared with.
#[derive(Clone, Copy, Debug)]
pub struct Lone<'a> {
    /// Whose it is.
    pub which: Which,
    /// The conversation.
    pub conversation: &'a Conversation,
}

impl<'a> Comparison<'a> {
    /// Puts two conversations side by side.
    pub(super) fn new(conversations: Pair<&'a Conversation>, lone: Option<Which>) -> Self {
        let keys = Keys::new(conversations);
        let lists = tokens(&keys);
        let Aligned { couples, left } = align(lists.as_ref().map(Vec::as_slice));
        let walk = Walk::new(conversations, keys, &couples);
        // What each goes on with behind what was aligned.
        let end = Pair::of(|which| {
            let steps = conversations[which].steps.len();
            (left[which] > 0).then(|| steps.saturating_sub(left[which]))
        });
        let Walked { rows, parting, ending } = walk.go(&couples, end);
        let partings: Vec<&Parting> = parting.iter().chain(&ending).collect();
        let delays = delays(conversations, &rows, &partings);
        let differences = differences(conversations);
        Self { conversations, lone, rows, parting, ending, differences, delays, left }
    }

    /// How many steps are alike before they part.
    pub fn alike(&self) -> usize {
        let upto = self.parting.as_ref().map_or(self.rows.len(), |parting| parting.row);
        let before = self.rows.iter().take(upto);
        before.filter(|row| row.is_alike()).count()
    }

    /// Whether all of both could be compared.
    pub fn is_whole(&self) -> bool {
        let kept = Which::BOTH.iter().all(|which| self.conversations[*which].beyond == 0);
        kept && self.left == Pair::default() && self.rows.iter().all(Row::is_seen)
    }

    /// Whether anything could be compared that has to do with shadow copies, or with why there are
    /// none.
    pub fn is_something(&self) -> bool {
        let is_ours = |step: &Step| match &step.act {
            Act::Call(_) => true,
            Act::Setup(setup) => setup.stage >= Stage::Pipe || setup.refusal.is_some(),
        };
        let is_same = |row: &Row| {
            let step = self.step(Which::Good, row.steps.good);
            row.verdict == Verdict::Same && row.is_seen() && step.is_some_and(is_ours)
        };
        self.parting.is_some() || self.rows.iter().any(is_same)
    }

    /// A step of one side.
    pub fn step(&self, which: Which, at: Option<usize>) -> Option<&'a Step> {
        self.conversations[which].steps.get(at?)
    }

    /// What could not be compared.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps: BTreeMap<(Which, Unseen), Vec<usize>> = BTreeMap::new();
        for (n, row) in self.rows.iter().enumerate() {
            for which in Which::BOTH {
                if let Some(why) = row.unseen[which] {
                    gaps.entry((which, why)).or_default().push(n);
                }
            }
        }
        gaps.into_iter().map(|((which, why), rows)| Gap { which, why, rows }).collect()
    }
}

/// What the walk came to.
struct Walked {
    rows: Vec<Row>,
    parting: Option<Parting>,
    ending: Option<Parting>,
}

/// The walk along both.
struct Walk<'a> {
    conversations: Pair<&'a Conversation>,
    keys: Keys<'a>,
    roles: Roles<'a>,
    weights: Weights<'a>,
    /// What each has several times.
    recurring: Pair<BTreeSet<Key>>,
    /// How certain the places of each are, where steps are missing.
    places: Pair<Places>,
    /// What each did, and how it ended.
    deeds: Pair<BTreeSet<(Key, End)>>,
    rows: Vec<Row>,
    /// The first parting of each weight.
    partings: BTreeMap<Weight, Parting>,
    /// The first where what came of it differs.
    ending: Option<Parting>,
    /// The steps that were passed last.
    last: Pair<Option<usize>>,
}

impl<'a> Walk<'a> {
    fn new(conversations: Pair<&'a Conversation>, keys: Keys<'a>, couples: &[Couple]) -> Self {
        let recurring = Pair::of(|which| keys.recurring(which));
        // Of several that are alike, the other's first is taken for the counterpart.
        let places = Pair::of(|which| {
            let of_other = &recurring[which.other()];
            conversations[which].places(|step| of_other.contains(&keys.of(which, step)))
        });
        Self {
            conversations,
            roles: Roles::new(conversations),
            weights: Weights::new(conversations, couples),
            recurring,
            places,
            deeds: Pair::of(|which| keys.deeds(which)),
            keys,
            rows: Vec::new(),
            partings: BTreeMap::new(),
            ending: None,
            last: Pair::default(),
        }
    }

    fn go(mut self, couples: &[Couple], end: Couple) -> Walked {
        let mut rest = couples;
        while let Some((first, others)) = rest.split_first() {
            if let Pair { good: Some(good), bad: Some(bad) } = *first {
                self.both(Pair { good, bad });
                rest = others;
                continue;
            }
            let run = rest.iter().take_while(|couple| couple.good.zip(couple.bad).is_none());
            let (run, after) = rest.split_at_checked(run.count()).unwrap_or((rest, &[]));
            self.run(run, after.first().copied().unwrap_or(end));
            rest = after;
        }
        let parting = [Weight::Meaning, Weight::Beside]
            .into_iter()
            .find_map(|weight| self.partings.remove(&weight));
        let row = parting.as_ref().filter(|of| of.weight == Weight::Meaning).map(|of| of.row);
        let ending = self.ending.filter(|ending| row.is_some_and(|row| ending.row > row));
        Walked { rows: self.rows, parting, ending }
    }

    fn step(&self, which: Which, at: usize) -> Option<&'a Step> {
        self.conversations[which].steps.get(at)
    }

    /// Why a step of one side may be missing there.
    fn lacks(&self, which: Which, before: Option<usize>, after: Option<usize>) -> Option<Unseen> {
        self.conversations[which].may_lack(&self.places[which], before, after)
    }

    /// Two steps that belong to each other.
    fn both(&mut self, at: Pair<usize>) {
        let steps = at.map(Some);
        let before = std::mem::replace(&mut self.last, steps);
        let (Some(good), Some(bad)) =
            (self.step(Which::Good, at.good), self.step(Which::Bad, at.bad))
        else {
            return;
        };
        let of = Pair { good, bad };
        let mut weighed = weigh(self.conversations, of, &mut self.roles);
        for which in Which::BOTH {
            self.roles.returned(which, of[which]);
        }
        // Where packets are missing, and there are several of them, another may belong here.
        let several = !weighed.changes.is_empty() && {
            let key = self.keys.of(Which::Good, good);
            Which::BOTH.iter().any(|which| self.recurring[*which].contains(&key))
        };
        let doubt = Pair::of(|which| {
            let doubtful = several && self.may_be_elsewhere(which, of[which]);
            doubtful.then(|| self.lacks(which, before[which], steps[which]))?
        });
        let verdict = if weighed.changes.is_empty() {
            Verdict::Same
        } else if doubt != Pair::default() {
            weighed.unseen = weighed.unseen.zip(doubt).map(|(unseen, doubt)| unseen.or(doubt));
            Verdict::Differs(weighed.changes)
        } else {
            let (row, changes) = (self.rows.len(), weighed.changes.clone());
            // A question about something else changes nothing at the server.
            let asked = changes.iter().all(|change| change.part == Part::Request);
            let question = good.call().is_some_and(|call| is_question(call.opnum));
            let weight = if asked && question { Weight::Beside } else { Weight::Meaning };
            self.part(Parting { row, steps, changes, weight });
            Verdict::Differs(weighed.changes)
        };
        self.rows.push(Row { steps, verdict, unseen: weighed.unseen });
    }

    fn part(&mut self, parting: Parting) {
        let ends = parting.changes.iter().any(|change| change.part == Part::Outcome);
        if parting.weight == Weight::Meaning && (ends || parting.changes.is_empty()) {
            self.ending.get_or_insert_with(|| parting.clone());
        }
        self.partings.entry(parting.weight).or_insert(parting);
    }

    /// What the steps differ in that both go on with: if they are the same deed, in how it ended.
    fn ends(&self, steps: Pair<Option<usize>>) -> Vec<Change> {
        let of = Pair::of(|which| self.step(which, steps[which]?));
        let Pair { good: Some(good), bad: Some(bad) } = of else { return Vec::new() };
        let same = self.keys.of(Which::Good, good) == self.keys.of(Which::Bad, bad);
        if same && end(good) != end(bad) { vec![outcome()] } else { Vec::new() }
    }

    /// Whether the other side has a step that this one may belong to: one that ended as it did, as far
    /// as that is known.
    fn may_be_elsewhere(&self, which: Which, step: &Step) -> bool {
        /// Not answered, or not to be read.
        const OPEN: [End; 3] = [(3, 0, 0), (4, 0, 0), (5, 0, 0)];
        let (key, end) = (self.keys.of(which, step), end(step));
        let others = &self.deeds[which.other()];
        if step.call().is_some() && OPEN.contains(&end) {
            let most = (u8::MAX, u32::MAX, u32::MAX);
            return others.range((key.clone(), (0, 0, 0))..=(key, most)).next().is_some();
        }
        let open = OPEN.into_iter().filter(|_| step.call().is_some());
        open.chain([end]).any(|end| others.contains(&(key.clone(), end)))
    }

    /// Steps that only one side has, until both have one, which is `next`.
    fn run(&mut self, run: &[Couple], next: Couple) {
        let own = Pair::of(|which| -> Vec<usize> {
            run.iter().filter_map(|couple| couple[which]).collect()
        });
        let mut weighed: Vec<(Which, usize, Weight)> = Vec::new();
        let mut rows = Vec::new();
        let lacks = Pair::of(|which| self.lacks(which, self.last[which], next[which]));
        for which in Which::BOTH {
            let other = which.other();
            let ended = next[other].is_none() && own[other].is_empty();
            let weights = self.weights.of(which, &own[which], ended);
            // Who ends before something that matters ends before all of it.
            let matters = ended && weights.contains(&Weight::Meaning);
            for (at, weight) in own[which].iter().zip(weights) {
                let weight = if matters { Weight::Meaning } else { weight };
                let mut hidden = Pair::default();
                hidden[other] = lacks[other].filter(|_| !weight.is_repetition());
                // What was asked by a call whose request is missing may be what the other asked; and
                // where its own steps are missing, it may belong to one that is not beside it.
                let step = self.step(which, *at);
                let unknown = step.and_then(Step::call).is_some_and(|call| call.opnum.is_none());
                let weighty = step.filter(|_| weight > Weight::Elsewhere);
                let stray = lacks[which]
                    .filter(|_| weighty.is_some_and(|step| self.may_be_elsewhere(which, step)));
                hidden[which] = if unknown { Some(Unseen::Lost) } else { stray };
                if hidden == Pair::default() {
                    weighed.push((which, *at, weight));
                }
                let mut steps = Pair::default();
                steps[which] = Some(*at);
                rows.push(Row { steps, verdict: Verdict::Only(weight), unseen: hidden });
            }
        }
        for weight in [Weight::Meaning, Weight::Beside] {
            let first = |which, weight| {
                let found = weighed.iter().find(|(of, _, is)| (*of, *is) == (which, weight));
                found.map(|(_, at, _)| *at)
            };
            let found = Pair::of(|which| first(which, weight));
            if found == Pair::default() {
                continue;
            }
            let here = |row: &Row| {
                Which::BOTH
                    .iter()
                    .any(|which| row.steps[*which].is_some_and(|at| found[*which] == Some(at)))
            };
            let row = self.rows.len() + rows.iter().position(here).unwrap_or_default();
            let steps = Pair::of(|which| {
                let beside = first(which, Weight::Beside);
                found[which].or(beside).or(next[which])
            });
            let changes = self.ends(steps);
            self.part(Parting { row, steps, changes, weight });
        }
        for which in Which::BOTH {
            for at in &own[which] {
                if let Some(step) = self.step(which, *at) {
                    self.roles.returned(which, step);
                }
            }
            self.last[which] = own[which].last().copied().or(self.last[which]);
        }
        self.rows.extend(rows);
    }
}
