//! [`Weights`]: what it weighs that only one side has a step.

use rustc_hash::FxHashSet;

use super::align::Couple;
use super::conversation::{Conversation, is_ipc};
use super::keys::{is_question, signature};
use super::step::{Act, Exchange, Setup, Stage, Step};
use super::{Pair, Which};
use crate::call::Outcome;

/// What it weighs that only one side has a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Nothing: the other side has come further without it, or it may have it and does not show it,
    /// or nothing comes of it.
    Nothing,
    /// A question that was asked before, with the same answer.
    Again,
    /// A question that the other side asks at another place, with the same answer.
    Elsewhere,
    /// A question that changes nothing at the server, or a refusal that was overcome.
    Beside,
    /// It is what the conversation is about.
    Meaning,
}

impl Weight {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Again => "again",
            Self::Elsewhere => "elsewhere",
            Self::Beside => "beside",
            Self::Meaning => "meaning",
        }
    }

    /// Whether the step is there for certain, and means nothing.
    pub(super) fn is_repetition(self) -> bool {
        matches!(self, Self::Again | Self::Elsewhere)
    }
}

/// What it takes to weigh steps.
#[derive(Debug)]
pub(super) struct Weights<'a> {
    conversations: Pair<&'a Conversation>,
    /// What was asked and answered in steps that have a counterpart. No more than there are steps.
    coupled: Pair<FxHashSet<u64>>,
    /// What was asked and answered at all, as far as both could be read. No more than there are steps.
    all: Pair<FxHashSet<u64>>,
    /// The step by which each was bound first.
    bound: Pair<Option<usize>>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(conversations: Pair<&'a Conversation>, couples: &[Couple]) -> Self {
        let coupled = Pair::of(|which| {
            let of = conversations[which];
            let coupled = couples.iter().filter(|couple| couple.good.zip(couple.bad).is_some());
            let steps = coupled.filter_map(|couple| of.steps.get(couple[which]?)?.call());
            steps.map(|call| signature(of, call)).collect()
        });
        let all = conversations.map(|of| {
            let calls = of.steps.iter().filter_map(Step::call).filter(|call| is_told(call));
            calls.map(|call| signature(of, call)).collect()
        });
        let bound = conversations
            .map(|of| of.steps.iter().position(|step| step.setup().is_some_and(Setup::is_bound)));
        Self { conversations, coupled, all, bound }
    }

    /// What it weighs that the other side lacks `run`, steps of one side one after the other; and
    /// `ended` is whether the other has nothing more.
    pub(super) fn of(&self, which: Which, run: &[usize], ended: bool) -> Vec<Weight> {
        let step = |at: &usize| self.conversations[which].steps.get(*at);
        let works = |step: &Step| step.setup().is_none_or(|setup| setup.stage >= Stage::Pipe);
        let last = run.iter().rposition(|at| step(at).is_some_and(works));
        let weight = |(n, at): (usize, &usize)| match step(at).map(|step| &step.act) {
            None => Weight::Nothing,
            Some(Act::Call(call)) => self.of_call(which, call),
            Some(Act::Setup(setup)) => {
                // Once the interface was bound, others at the same machine may have come; where it was
                // the client, what it does not do any more tells.
                let bound = self.bound[which].is_some_and(|bound| bound < *at);
                let idle = last.is_none_or(|last| last < n);
                self.of_setup(which, setup, bound, ended && !(bound && idle))
            }
        };
        run.iter().enumerate().map(weight).collect()
    }

    fn of_call(&self, which: Which, call: &Exchange) -> Weight {
        let signature = signature(self.conversations[which], call);
        match call.opnum {
            Some(0 | 8 | 9 | 10) if self.coupled[which].contains(&signature) => Weight::Again,
            opnum if !is_question(opnum) => Weight::Meaning,
            _ if is_told(call) && self.all[which.other()].contains(&signature) => Weight::Elsewhere,
            _ => Weight::Beside,
        }
    }

    /// What it weighs that the other side does not come so far as this, if it is `further`.
    fn of_setup(&self, which: Which, setup: &Setup, bound: bool, further: bool) -> Weight {
        let path = setup.of.as_deref().filter(|_| setup.stage == Stage::Share);
        let share = setup.stage == Stage::Share && !path.is_some_and(is_ipc);
        let ordinary = share && !path.is_some_and(|path| path.contains('@'));
        match setup.refusal {
            Some(_) if setup.overcome => Weight::Beside,
            Some(_) if setup.stage < Stage::Pipe && !share && bound => Weight::Beside,
            Some(_) => Weight::Meaning,
            // Where it is not known what the other's calls are about, its own are left out.
            None if ordinary && self.conversations[which.other()].may_lack_shares() => {
                Weight::Nothing
            }
            None if share => Weight::Beside,
            None if further => Weight::Meaning,
            None => Weight::Nothing,
        }
    }
}

/// Whether it can be read what was asked and how it was answered.
fn is_told(call: &Exchange) -> bool {
    let answered = matches!(call.outcome, Outcome::Ok | Outcome::Failed | Outcome::Fault);
    call.asked.is_some() && answered
}
