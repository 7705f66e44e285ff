//! Presentation contexts: which number stands for which interface and transfer syntax.

use rustc_hash::FxHashMap;

use super::bind::{ContextElement, ContextResult, SyntaxId, Transfer};

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
    /// Proposals without an answer, by call id. Added by bind and `alter_context`, removed by the
    /// answer or by the cap.
    proposals: Vec<(u32, Vec<ContextElement>)>,
}

#[derive(Debug)]
struct Context {
    interface: SyntaxId,
    /// What the server accepted, or what there was to accept if it was one.
    transfer: Option<SyntaxId>,
    /// Whether the server's acceptance was seen.
    accepted: bool,
}

/// An interface of which the server accepted no context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) interface: SyntaxId,
    pub(super) result: ContextResult,
}

impl Contexts {
    /// The client proposes contexts. One that was accepted stays what it is until the answer.
    pub(super) fn propose(&mut self, call_id: u32, elements: &[ContextElement]) {
        if self.proposals.len() >= MAX_PROPOSALS {
            self.proposals.remove(0);
        }
        self.proposals.push((call_id, elements.to_vec()));
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

    /// The server answers a proposal; gives the interfaces it does not serve at all.
    pub(super) fn answer(&mut self, call_id: u32, results: &[ContextResult]) -> Vec<Refused> {
        let mut refused = Vec::new();
        for (element, result) in self.take(call_id).iter().zip(results) {
            match result.result {
                0 => {
                    let context = Context {
                        interface: element.interface,
                        transfer: Some(result.syntax),
                        accepted: true,
                    };
                    if self.known.len() < MAX_CONTEXTS || self.known.contains_key(&element.id) {
                        self.known.insert(element.id, context);
                    }
                }
                // negotiate_ack: an answer about features.
                3 => {}
                _ => {
                    self.forget(element);
                    refused.push(Refused { interface: element.interface, result: *result });
                }
            }
        }
        // Of the contexts that offer one interface in several syntaxes a server takes one.
        let served = |interface| {
            self.known.values().any(|known| known.accepted && known.interface == interface)
        };
        refused.retain(|refused| !served(refused.interface));
        refused.dedup_by_key(|refused| refused.interface);
        refused
    }

    /// The server refuses a proposal as a whole; false if it had none with this call id.
    pub(super) fn refuse(&mut self, call_id: u32) -> bool {
        let elements = self.take(call_id);
        for element in &elements {
            self.forget(element);
        }
        !elements.is_empty()
    }

    /// Interface and transfer syntax of a context.
    pub(super) fn get(&self, id: u16) -> Option<(SyntaxId, Option<Transfer>)> {
        let context = self.known.get(&id)?;
        Some((context.interface, context.transfer.and_then(|syntax| syntax.transfer())))
    }

    fn take(&mut self, call_id: u32) -> Vec<ContextElement> {
        let place = self.proposals.iter().rposition(|(id, _)| *id == call_id);
        place.map(|place| self.proposals.remove(place).1).unwrap_or_default()
    }

    /// Drops what was noted of a proposal that is refused.
    fn forget(&mut self, element: &ContextElement) {
        let proposed = |known: &Context| !known.accepted && known.interface == element.interface;
        if self.known.get(&element.id).is_some_and(proposed) {
            self.known.remove(&element.id);
        }
    }
}
