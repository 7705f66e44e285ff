//! Presentation contexts: which number stands for which interface and transfer syntax.

use rustc_hash::FxHashMap;

use super::bind::{ContextElement, ContextResult, SyntaxId, Transfer};
use super::{Auth, BindAnswer};

/// Presentation contexts of one association.
const MAX_CONTEXTS: usize = 1024;
/// Proposals of one association that may wait for an answer.
const MAX_PROPOSALS: usize = 16;

/// What both sides agreed on, and what the client proposed since.
#[derive(Debug, Default)]
pub(super) struct Contexts {
    /// Added by proposals and confirmed by acceptance; removed by refusal. Requests may refer to an
    /// accepted one at any time.
    known: FxHashMap<u16, Context>,
    /// Proposals without an answer. Added by bind and `alter_context`, removed by the answer or by
    /// the cap.
    proposals: Vec<Proposal>,
}

#[derive(Debug)]
struct Context {
    interface: SyntaxId,
    /// What the server accepted, or what there was to accept if it was one.
    transfer: Option<SyntaxId>,
    /// Whether the server's acceptance was seen.
    accepted: bool,
}

#[derive(Debug, Default)]
struct Proposal {
    call_id: u32,
    elements: Vec<ContextElement>,
    /// How the bind was protected, if that is known.
    auth: Option<Auth>,
}

impl ContextResult {
    /// What it says if it is a refusal: neither acceptance nor an answer about features.
    fn refusal(&self) -> Option<BindAnswer> {
        /// `negotiate_ack`
        const FEATURES: u16 = 3;
        let refused = !matches!(self.result, 0 | FEATURES);
        refused.then_some(BindAnswer::Refused(self.result, self.reason))
    }
}

/// What a server says of an interface; `None` is one that nobody saw being asked for.
pub(super) type Answer = (Option<SyntaxId>, BindAnswer);

impl Contexts {
    /// The client proposes contexts. One that was accepted stays what it is until the answer.
    pub(super) fn propose(
        &mut self,
        call_id: u32,
        elements: &[ContextElement],
        auth: Option<Auth>,
    ) {
        if self.proposals.len() >= MAX_PROPOSALS {
            self.proposals.remove(0);
        }
        self.proposals.push(Proposal { call_id, elements: elements.to_vec(), auth });
        for element in elements {
            let mut offered = element.offered.iter();
            let (only, more) = (offered.next().copied(), offered.next());
            if only.is_some_and(|syntax| syntax.is_feature_negotiation()) {
                continue;
            }
            // Windows offers one transfer syntax per context, so the context tells the syntax
            // even where the answer is not in the capture.
            let transfer = only.filter(|_| more.is_none());
            let room = self.known.len() < MAX_CONTEXTS;
            match self.known.get(&element.id) {
                None if !room => {}
                Some(context) if context.accepted => {}
                _ => {
                    let interface = element.interface;
                    self.known.insert(element.id, Context { interface, transfer, accepted: false });
                }
            }
        }
    }

    /// The server answers a proposal; gives what that says of each interface, in their order, and
    /// how they were asked for.
    pub(super) fn answer(
        &mut self,
        call_id: u32,
        results: &[ContextResult],
    ) -> (Vec<Answer>, Option<Auth>) {
        let Some(proposal) = self.take(call_id) else {
            let accepted = results.iter().any(|result| result.result == 0);
            let answer = if accepted {
                Some(BindAnswer::Accepted)
            } else {
                results.iter().find_map(ContextResult::refusal)
            };
            return (answer.map(|answer| (None, answer)).into_iter().collect(), None);
        };
        // Of each interface, that a context was taken, or else why the first was not.
        let mut answers: Vec<(SyntaxId, BindAnswer)> = Vec::new();
        for (element, result) in proposal.elements.iter().zip(results) {
            let interface = element.interface;
            let answer = match result.refusal() {
                Some(refusal) => {
                    self.forget(element);
                    refusal
                }
                None if result.result == 0 => {
                    let transfer = Some(result.syntax);
                    if self.known.len() < MAX_CONTEXTS || self.known.contains_key(&element.id) {
                        self.known
                            .insert(element.id, Context { interface, transfer, accepted: true });
                    }
                    BindAnswer::Accepted
                }
                None => continue,
            };
            match answers.iter_mut().find(|(known, _)| *known == interface) {
                Some((_, known)) if answer == BindAnswer::Accepted => *known = answer,
                Some(_) => {}
                None => answers.push((interface, answer)),
            }
        }
        // Of the contexts that offer one interface in several syntaxes a server takes one.
        let served = |interface| {
            self.known.values().any(|known| known.accepted && known.interface == interface)
        };
        for (interface, answer) in &mut answers {
            if served(*interface) {
                *answer = BindAnswer::Accepted;
            }
        }
        let answers = answers.into_iter().map(|(interface, answer)| (Some(interface), answer));
        (answers.collect(), proposal.auth)
    }

    /// Whether a proposal with this call id waits for its answer.
    pub(super) fn proposes(&self, call_id: u32) -> bool {
        let found = self.proposals.iter().rfind(|proposal| proposal.call_id == call_id);
        found.is_some_and(|proposal| !proposal.elements.is_empty())
    }

    /// The server refuses a proposal as a whole; gives its interfaces, each once, and how they
    /// were asked for.
    pub(super) fn refuse(&mut self, call_id: u32) -> (Vec<SyntaxId>, Option<Auth>) {
        let Proposal { elements, auth, .. } = self.take(call_id).unwrap_or_default();
        let mut interfaces = Vec::new();
        for element in &elements {
            self.forget(element);
            if !interfaces.contains(&element.interface) {
                interfaces.push(element.interface);
            }
        }
        (interfaces, auth)
    }

    /// Interface and transfer syntax of a context.
    pub(super) fn get(&self, id: u16) -> Option<(SyntaxId, Option<Transfer>)> {
        let context = self.known.get(&id)?;
        Some((context.interface, context.transfer.and_then(|syntax| syntax.transfer())))
    }

    fn take(&mut self, call_id: u32) -> Option<Proposal> {
        let place = self.proposals.iter().rposition(|proposal| proposal.call_id == call_id);
        place.map(|place| self.proposals.remove(place))
    }

    /// Drops what was noted of a proposal that is refused.
    fn forget(&mut self, element: &ContextElement) {
        let proposed = |known: &Context| !known.accepted && known.interface == element.interface;
        if self.known.get(&element.id).is_some_and(proposed) {
            self.known.remove(&element.id);
        }
    }
}
