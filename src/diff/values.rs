//! What two steps that belong to each other differ in.

use super::Pair;
use super::compare::Unseen;
use super::conversation::Conversation;
use super::keys::refused;
use super::roles::{Origin, Roles};
use super::step::{Act, Exchange, Setup, Step};
use crate::bytes::Guid;
use crate::call::{Outcome, Readable};
use crate::protocol::fsrvp::{Request, Response, ShareMapping, ShareMapping1};

/// Where a difference lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// In a parameter of the request.
    Request,
    /// In how it ended: status, fault, refusal, no answer.
    Outcome,
    /// In a parameter of the response.
    Response,
}

impl Part {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Outcome => "outcome",
            Self::Response => "response",
        }
    }
}

/// A difference between two steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where it lies.
    pub part: Part,
    /// The parameter; empty for an outcome, which the steps have.
    pub name: &'static str,
    /// Its values, in words.
    pub values: Pair<String>,
}

/// What two steps differ in, and why nobody knows whether they do.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    pub(super) changes: Vec<Change>,
    pub(super) unseen: Pair<Option<Unseen>>,
}

/// Compares a step of each conversation with the other's.
pub(super) fn weigh(
    conversations: Pair<&Conversation>,
    steps: Pair<&Step>,
    roles: &mut Roles<'_>,
) -> Weighed {
    match (&steps.good.act, &steps.bad.act) {
        (Act::Setup(good), Act::Setup(bad)) => setups(Pair { good, bad }),
        (Act::Call(good), Act::Call(bad)) => {
            calls(conversations, Pair { good: &**good, bad: &**bad }, roles)
        }
        _ => Weighed::default(),
    }
}

fn setups(setups: Pair<&Setup>) -> Weighed {
    let ends = setups.map(|setup| setup.refusal.map(refused));
    let changes = if ends.good == ends.bad { Vec::new() } else { vec![outcome()] };
    Weighed { changes, unseen: Pair::default() }
}

/// That they ended otherwise.
pub(super) fn outcome() -> Change {
    Change { part: Part::Outcome, name: "", values: Pair::default() }
}

fn calls(
    conversations: Pair<&Conversation>,
    calls: Pair<&Exchange>,
    roles: &mut Roles<'_>,
) -> Weighed {
    let mut changes = Changes { all: Vec::new(), part: Part::Request, roles };
    let asked = calls.map(|call| hidden(call.request, call.asked.is_some(), call));
    match (&calls.good.asked, &calls.bad.asked) {
        (Some(good), Some(bad)) => changes.requests(Pair { good, bad }, calls),
        // Of what does not follow the interface it is known that it does not.
        (None, Some(_)) | (Some(_), None) if asked == Pair::default() => {
            let follows = |call: &Exchange| if call.asked.is_some() { "does" } else { "does not" };
            changes.tell(
                "the request",
                calls.map(|call| format!("one that {} follow the interface", follows(call))),
            );
        }
        _ => {}
    }
    changes.part = Part::Outcome;
    let ended = Pair::of(|which| {
        let call = calls[which];
        let lost = || conversations[which].may_lack_answer(call);
        match call.outcome {
            Outcome::Unknown => hidden(call.response, false, call),
            Outcome::NoResponse => lost().then_some(Unseen::Lost),
            _ => None,
        }
    });
    let mut answered = Pair::default();
    if ended != Pair::default() {
        answered = ended;
    } else if end(calls.good) != end(calls.bad) {
        changes.all.push(outcome());
    } else if calls.good.outcome == Outcome::Ok {
        changes.part = Part::Response;
        match (&calls.good.answered, &calls.bad.answered) {
            (Some(good), Some(bad)) => changes.responses(Pair { good, bad }),
            _ => {
                answered = calls.map(|call| hidden(call.response, call.answered.is_some(), call));
            }
        }
    }
    let unseen = asked.zip(answered).map(|(asked, answered)| asked.or(answered));
    Weighed { changes: changes.all, unseen }
}

/// How a call ended, as far as that is compared.
fn end(call: &Exchange) -> (Outcome, Option<u32>) {
    match call.outcome {
        Outcome::Ok | Outcome::Failed => (call.outcome, call.status),
        Outcome::Fault => (call.outcome, call.fault),
        other => (other, None),
    }
}

/// Why a stub that was `read` or not could not be, if that is not its sender's doing.
fn hidden(readable: Readable, read: bool, call: &Exchange) -> Option<Unseen> {
    match readable {
        Readable::Sealed => Some(Unseen::Sealed),
        Readable::Truncated => Some(Unseen::Truncated),
        Readable::Lost => Some(Unseen::Lost),
        // Without its bind nobody knows how to read it.
        Readable::Clear | Readable::Unsealed if !read && call.method().is_some() => {
            Some(Unseen::Lost)
        }
        Readable::Clear | Readable::Unsealed | Readable::Malformed | Readable::Absent => None,
    }
}

/// The differences between two calls.
struct Changes<'r, 'a> {
    all: Vec<Change>,
    part: Part,
    roles: &'r mut Roles<'a>,
}

impl Changes<'_, '_> {
    fn tell(&mut self, name: &'static str, values: Pair<String>) {
        self.all.push(Change { part: self.part, name, values });
    }

    /// Values that are compared as they are.
    fn plain<T: PartialEq>(&mut self, name: &'static str, of: Pair<T>, word: impl Fn(T) -> String) {
        if of.good != of.bad {
            self.tell(name, of.map(word));
        }
    }

    /// Ids that the server returned before.
    fn id(&mut self, name: &'static str, ids: Pair<Guid>) {
        if self.roles.same_id(ids) {
            return;
        }
        let word = |which| match self.roles.origin(which, ids[which]) {
            Origin::Nil => "zero".to_owned(),
            Origin::Made(n) => format!("the one that call {n} returned"),
            Origin::Unknown => "one that no call returned".to_owned(),
        };
        let values = Pair::of(word);
        self.tell(name, values);
    }

    /// Ids that are new.
    fn new_id(&mut self, name: &'static str, ids: Pair<Guid>) {
        if !self.roles.same_new_id(ids) {
            let word = |id: Guid| if id.is_nil() { "zero" } else { "one" }.to_owned();
            let mut values = ids.map(word);
            if !ids.good.is_nil() && !ids.bad.is_nil() {
                values = ids.map(|id| id.to_string());
            }
            self.tell(name, values);
        }
    }

    fn share(&mut self, name: &'static str, shares: Pair<&str>) {
        if !self.roles.same_share(shares) {
            self.tell(name, shares.map(str::to_owned));
        }
    }

    fn requests(&mut self, requests: Pair<&Request>, calls: Pair<&Exchange>) {
        use Request as R;
        const SET: &str = "ShadowCopySetId";
        const COPY: &str = "ShadowCopyId";
        const SHARE: &str = "ShareName";
        let Pair { good, bad } = requests;
        // Time-outs are told as traits.
        match (good, bad) {
            (R::SetContext(g), R::SetContext(b)) if g.context != b.context => {
                let word = |call: &Exchange| call.context.as_deref().unwrap_or("?").to_owned();
                self.tell("Context", calls.map(word));
            }
            (R::StartShadowCopySet(g), R::StartShadowCopySet(b)) => {
                let ids = pair(g, b).map(|ask| ask.client_shadow_copy_set_id);
                self.new_id("ClientShadowCopySetId", ids);
            }
            (R::AddToShadowCopySet(g), R::AddToShadowCopySet(b)) => {
                let asks = pair(g, b);
                self.new_id("ClientShadowCopyId", asks.map(|ask| ask.client_shadow_copy_id));
                self.id(SET, asks.map(|ask| ask.shadow_copy_set_id));
                self.share(SHARE, asks.map(|ask| &*ask.share_name));
            }
            (R::CommitShadowCopySet(g), R::CommitShadowCopySet(b)) => {
                self.id(SET, pair(g, b).map(|ask| ask.shadow_copy_set_id));
            }
            (R::ExposeShadowCopySet(g), R::ExposeShadowCopySet(b)) => {
                self.id(SET, pair(g, b).map(|ask| ask.shadow_copy_set_id));
            }
            (R::PrepareShadowCopySet(g), R::PrepareShadowCopySet(b)) => {
                self.id(SET, pair(g, b).map(|ask| ask.shadow_copy_set_id));
            }
            (R::RecoveryCompleteShadowCopySet(g), R::RecoveryCompleteShadowCopySet(b)) => {
                self.id(SET, pair(g, b).map(|ask| ask.shadow_copy_set_id));
            }
            (R::AbortShadowCopySet(g), R::AbortShadowCopySet(b)) => {
                self.id(SET, pair(g, b).map(|ask| ask.shadow_copy_set_id));
            }
            (R::IsPathSupported(g), R::IsPathSupported(b)) => {
                self.share(SHARE, pair(g, b).map(|ask| &*ask.share_name));
            }
            (R::IsPathShadowCopied(g), R::IsPathShadowCopied(b)) => {
                self.share(SHARE, pair(g, b).map(|ask| &*ask.share_name));
            }
            (R::GetShareMapping(g), R::GetShareMapping(b)) => {
                let asks = pair(g, b);
                self.id(COPY, asks.map(|ask| ask.shadow_copy_id));
                self.id(SET, asks.map(|ask| ask.shadow_copy_set_id));
                self.share(SHARE, asks.map(|ask| &*ask.share_name));
                self.plain("Level", asks.map(|ask| ask.level), number);
            }
            (R::DeleteShareMapping(g), R::DeleteShareMapping(b)) => {
                let asks = pair(g, b);
                self.id(SET, asks.map(|ask| ask.shadow_copy_set_id));
                self.id(COPY, asks.map(|ask| ask.shadow_copy_id));
                self.share(SHARE, asks.map(|ask| &*ask.share_name));
            }
            _ => {}
        }
    }

    fn responses(&mut self, responses: Pair<&Response>) {
        use Response as R;
        let Pair { good, bad } = responses;
        // The owner of a share is told as a trait.
        match (good, bad) {
            (R::GetSupportedVersion(g), R::GetSupportedVersion(b)) => {
                let answers = pair(g, b);
                self.plain("MinVersion", answers.map(|a| a.min_version.0), number);
                self.plain("MaxVersion", answers.map(|a| a.max_version.0), number);
            }
            (R::StartShadowCopySet(g), R::StartShadowCopySet(b)) => {
                self.new_id("pShadowCopySetId", pair(g, b).map(|a| a.shadow_copy_set_id));
            }
            (R::AddToShadowCopySet(g), R::AddToShadowCopySet(b)) => {
                self.new_id("pShadowCopyId", pair(g, b).map(|a| a.shadow_copy_id));
            }
            (R::IsPathSupported(g), R::IsPathSupported(b)) => {
                let told = pair(g, b).map(|a| a.supported_by_this_provider.is_true());
                self.plain("SupportedByThisProvider", told, truth);
            }
            (R::IsPathShadowCopied(g), R::IsPathShadowCopied(b)) => {
                let answers = pair(g, b);
                let told = answers.map(|a| a.shadow_copy_present.is_true());
                self.plain("ShadowCopyPresent", told, truth);
                let told = answers.map(|a| a.shadow_copy_compatibility.0);
                self.plain("ShadowCopyCompatibility", told, |value| format!("0x{value:x}"));
            }
            (R::GetShareMapping(g), R::GetShareMapping(b)) => {
                self.mappings(pair(g, b).map(|a| &a.share_mapping));
            }
            _ => {}
        }
    }

    fn mappings(&mut self, mappings: Pair<&ShareMapping>) {
        let of = |mapping: &ShareMapping| match mapping {
            ShareMapping::ShareMapping1(Some(_)) => "there".to_owned(),
            ShareMapping::ShareMapping1(None) => "null".to_owned(),
            ShareMapping::Default => "empty".to_owned(),
        };
        let words = mappings.map(of);
        if words.good != words.bad {
            self.tell("ShareMapping", words);
            return;
        }
        let (ShareMapping::ShareMapping1(Some(good)), ShareMapping::ShareMapping1(Some(bad))) =
            (mappings.good, mappings.bad)
        else {
            return;
        };
        self.mapping(Pair { good, bad });
    }

    /// Two mappings: when they were made is no difference, nor what the exposed shares are called.
    fn mapping(&mut self, of: Pair<&ShareMapping1>) {
        self.id("ShadowCopySetId", of.map(|mapping| mapping.shadow_copy_set_id));
        self.id("ShadowCopyId", of.map(|mapping| mapping.shadow_copy_id));
        let there = of.map(|mapping| mapping.shadow_copy_share_name.is_some());
        self.plain("ShadowCopyShareName", there, presence);
        let unc = of.map(|mapping| mapping.share_name_unc.as_deref());
        match (unc.good, unc.bad) {
            (Some(good), Some(bad)) => self.share("ShareNameUNC", Pair { good, bad }),
            _ => self.plain("ShareNameUNC", unc.map(|unc| unc.is_some()), presence),
        }
    }
}

fn pair<'a, T>(good: &'a T, bad: &'a T) -> Pair<&'a T> {
    Pair { good, bad }
}

fn number(n: u32) -> String {
    n.to_string()
}

fn truth(is: bool) -> String {
    if is { "TRUE" } else { "FALSE" }.to_owned()
}

fn presence(is: bool) -> String {
    if is { "there" } else { "null" }.to_owned()
}
