//! [`Bench`]: where verdicts are collected, rule by rule.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::catalogue::Catalogue;
use super::finding::{Blame, Certainty, Finding, Related, Severity, Spot};
use super::profile::Profile;
use crate::bytes::{FrameNo, Guid, Side, Span, Time};
use crate::call::Call;

/// Findings of one severity, of one server under one profile, told or not; what comes beyond is only
/// counted.
const MAX_FINDINGS: u64 = 50_000;
/// Characters of a message, and of what is said of octets; longer ones are cut.
const MAX_TEXT: usize = 600;
/// Occurrences counted by themselves.
const MAX_COUNTED: usize = 100_000;
/// Octets shown of one place in a stub.
const MAX_OCTETS: usize = 32;
/// Characters shown of one word of a message: the names of shares can be very long.
const MAX_WORD: usize = 120;

/// What a verdict is about. At one call, what is wrong with one topic on one side is one fault, and
/// the most specific rule has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// What the server answered in the state it was in.
    State,
    /// What the client asked at this point of its conversation.
    Order,
    /// A value: the parameter's name.
    Value(&'static str),
    /// How long something took.
    Time,
    /// Who may ask.
    Security,
    /// How the call travelled.
    Transport,
    /// Nothing is wrong; something is explained.
    Explained,
}

/// How often a rule was looked at, and with what result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The rule.
    pub rule: Arc<str>,
    /// It was kept.
    pub passed: u64,
    /// It was broken.
    pub failed: u64,
    /// It could not be told.
    pub not_evaluable: u64,
    /// Why not, the last time.
    pub why: Option<String>,
}

impl Tally {
    pub(super) fn new(rule: Arc<str>) -> Self {
        Self { rule, passed: 0, failed: 0, not_evaluable: 0, why: None }
    }
}

/// Where something showed.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) call: Option<u64>,
    pub(super) opnum: Option<u16>,
    pub(super) frames: Vec<FrameNo>,
    pub(super) time: Time,
    pub(super) client: Option<IpAddr>,
    pub(super) set: Option<Guid>,
}

impl Place {
    /// At a call that is about `set`.
    pub(super) fn of(call: &Call, set: Option<Guid>) -> Self {
        let messages = [&call.rpc.request, &call.rpc.response];
        let frames =
            messages.iter().filter_map(|message| message.as_ref()).flat_map(|m| m.frames.clone());
        let answered = call.rpc.response.as_ref().map(|message| message.time);
        Self {
            call: Some(call.rpc.n),
            opnum: call.rpc.opnum,
            frames: frames.collect(),
            time: answered.unwrap_or(call.time),
            client: Some(call.client.addr.ip()),
            set,
        }
    }

    /// Beside the calls.
    pub(super) fn around(time: Time, frame: Option<FrameNo>, client: Option<IpAddr>) -> Self {
        Self {
            call: None,
            opnum: None,
            frames: frame.into_iter().collect(),
            time,
            client,
            set: None,
        }
    }
}

/// A set, a rule and an operation: what makes two findings the same fault.
type Fault = (Option<Guid>, Arc<str>, Option<u16>);

/// The verdicts on one server under one profile.
#[derive(Debug)]
pub(super) struct Bench<'k> {
    catalogue: &'k Catalogue,
    pub(super) profile: Arc<Profile>,
    /// By how many nanoseconds times may be off.
    pub(super) slack: i64,
    server: IpAddr,
    /// One entry per rule that was looked at.
    pub(super) tallies: BTreeMap<Arc<str>, Tally>,
    /// What was found since the last `settle`.
    fresh: Vec<(Topic, Finding)>,
    /// What was found and not told yet, in order. Added by `settle`, removed by `take` and `withdraw`.
    findings: Vec<Finding>,
    /// How many have been told: notes, warnings, errors.
    told: [u64; 3],
    /// The same of those in `findings`.
    held: [u64; 3],
    /// How many were not told because there were too many.
    pub(super) beyond: u64,
    /// How often a fault was met before, by what makes its fingerprint.
    counted: FxHashMap<Fault, u32>,
}

impl<'k> Bench<'k> {
    pub(super) fn new(
        catalogue: &'k Catalogue,
        profile: Arc<Profile>,
        server: IpAddr,
        slack: i64,
    ) -> Self {
        Self {
            catalogue,
            profile,
            slack,
            server,
            tallies: BTreeMap::new(),
            fresh: Vec::new(),
            findings: Vec::new(),
            told: [0; 3],
            held: [0; 3],
            beyond: 0,
            counted: FxHashMap::default(),
        }
    }

    /// A rule was kept.
    pub(super) fn pass(&mut self, rule: &str) {
        if let Some(tally) = self.tally(rule) {
            tally.passed += 1;
        }
    }

    /// A rule could not be decided.
    pub(super) fn unseen(&mut self, rule: &str, why: &str) {
        if let Some(tally) = self.tally(rule) {
            tally.not_evaluable += 1;
            if tally.why.as_deref() != Some(why) {
                tally.why = Some(why.to_owned());
            }
        }
    }

    fn tally(&mut self, rule: &str) -> Option<&mut Tally> {
        if !self.tallies.contains_key(rule) {
            let known = self.catalogue.get(rule)?;
            self.tallies.insert(known.id.clone(), Tally::new(known.id.clone()));
        }
        self.tallies.get_mut(rule)
    }

    /// A rule was kept or broken: `what` says how it was broken, `refine` adds to the finding.
    /// Severity and party are the rule's own.
    pub(super) fn expect(
        &mut self,
        kept: bool,
        topic: Topic,
        rule: &str,
        place: &Place,
        what: impl FnOnce() -> String,
        refine: impl FnOnce(&mut Finding),
    ) {
        if kept {
            self.pass(rule);
        } else {
            self.fail(topic, rule, place, what(), refine);
        }
    }

    /// A rule was broken, or has something to explain.
    pub(super) fn fail(
        &mut self,
        topic: Topic,
        rule: &str,
        place: &Place,
        message: impl AsRef<str>,
        refine: impl FnOnce(&mut Finding),
    ) {
        let known = self.catalogue.get(rule);
        debug_assert!(known.is_some(), "no rule {rule}");
        let mut finding = Finding {
            rule: known.map_or_else(|| Arc::from(rule), |known| known.id.clone()),
            severity: known.map_or(Severity::Note, |known| known.severity),
            party: known.map_or(Blame::Both, |known| known.party),
            certainty: Certainty::Certain,
            message: sentence(message.as_ref()),
            call: place.call,
            opnum: place.opnum,
            method: None,
            frames: place.frames.clone(),
            time: place.time,
            related: Vec::new(),
            also: Vec::new(),
            set: place.set,
            server: Some(self.server),
            client: place.client,
            spots: Vec::new(),
            known: None,
            fingerprint: String::new(),
        };
        refine(&mut finding);
        self.fresh.push((topic, finding));
    }

    /// The event is over: one fault becomes one finding.
    pub(super) fn settle(&mut self, method: Option<&str>) {
        let mut kept: Vec<(Topic, Finding)> = Vec::new();
        for (topic, finding) in std::mem::take(&mut self.fresh) {
            if self.profile.excuses.contains(&finding.rule) {
                continue;
            }
            for rule in std::iter::once(&finding.rule).chain(&finding.also) {
                if finding.certainty == Certainty::Possible {
                    self.unseen(rule, "something that is not in the capture would explain it");
                } else if let Some(tally) = self.tally(rule) {
                    tally.failed += 1;
                }
            }
            let same = |(other, known): &&mut (Topic, Finding)| {
                *other == topic && known.party == finding.party && known.call == finding.call
            };
            match kept.iter_mut().find(same).filter(|_| finding.call.is_some()) {
                None => kept.push((topic, finding)),
                Some((_, known)) if known.severity >= finding.severity => absorb(known, &finding),
                Some((_, known)) => {
                    let weaker = std::mem::replace(known, finding);
                    absorb(known, &weaker);
                }
            }
        }
        for (_, mut finding) in kept {
            if self.is_full(finding.severity) {
                self.beyond += 1;
                continue;
            }
            add(&mut self.held, finding.severity);
            finding.method = method.filter(|_| finding.call.is_some()).map(Arc::from);
            finding.fingerprint = self.fingerprint(&finding, method);
            self.findings.push(finding);
        }
    }

    /// Whether what is found now, and is this severe, will not be told.
    fn is_full(&self, severity: Severity) -> bool {
        let [notes, warnings, errors] = self.counts();
        let all = match severity {
            Severity::Note => notes,
            Severity::Warning => warnings,
            Severity::Error => errors,
        };
        all >= MAX_FINDINGS
    }

    /// Whether there is something to tell.
    pub(super) fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    /// The findings that were not told yet. They are told now.
    pub(super) fn take(&mut self) -> Vec<Finding> {
        let findings = std::mem::take(&mut self.findings);
        self.told = self.counts();
        self.held = [0; 3];
        findings
    }

    /// How many findings there are: notes, warnings, errors.
    pub(super) fn counts(&self) -> [u64; 3] {
        let mut counts = self.told;
        for (count, held) in counts.iter_mut().zip(self.held) {
            *count += held;
        }
        counts
    }

    /// Packets turn out to be missing since then: what was found meanwhile, and not told, may have
    /// another reason.
    pub(super) fn withdraw(&mut self, since: Time) {
        let mut kept = Vec::new();
        for finding in std::mem::take(&mut self.findings) {
            if finding.time < since {
                kept.push(finding);
                continue;
            }
            if finding.certainty == Certainty::Possible {
                continue;
            }
            for rule in std::iter::once(&finding.rule).chain(&finding.also) {
                if let Some(tally) = self.tallies.get_mut(rule) {
                    tally.failed = tally.failed.saturating_sub(1);
                }
                self.unseen(rule, "packets were missing around the call");
            }
        }
        self.held = [0; 3];
        for finding in &kept {
            add(&mut self.held, finding.severity);
        }
        self.findings = kept;
    }

    fn fingerprint(&mut self, finding: &Finding, method: Option<&str>) -> String {
        let key = (finding.set, finding.rule.clone(), finding.opnum);
        let full = self.counted.len() >= MAX_COUNTED && !self.counted.contains_key(&key);
        let nth = if full {
            0
        } else {
            let nth = self.counted.entry(key).or_default();
            *nth += 1;
            *nth
        };
        let method = method.unwrap_or("-");
        format!("{}/{}/{method}/{nth}", finding.rule, finding.party.word())
    }
}

fn add([notes, warnings, errors]: &mut [u64; 3], severity: Severity) {
    match severity {
        Severity::Note => *notes += 1,
        Severity::Warning => *warnings += 1,
        Severity::Error => *errors += 1,
    }
}

/// A text of so many characters at most.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most).and_then(|(end, _)| text.get(..end)) {
        Some(beginning) => format!("{beginning}…").into(),
        None => text.into(),
    }
}

/// A sentence that can be read, whatever names are in it: neither they nor it are endless.
fn sentence(message: &str) -> String {
    let words: Vec<_> = message.split(' ').map(|word| cut(word, MAX_WORD)).collect();
    cut(&words.join(" "), MAX_TEXT).into_owned()
}

/// A finding takes over another about the same fault.
fn absorb(known: &mut Finding, other: &Finding) {
    for rule in std::iter::once(&other.rule).chain(&other.also) {
        if *rule != known.rule && !known.also.contains(rule) {
            known.also.push(rule.clone());
        }
    }
    for related in &other.related {
        if !known.related.contains(related) {
            known.related.push(related.clone());
        }
    }
    for spot in &other.spots {
        if !known.spots.contains(spot) {
            known.spots.push(spot.clone());
        }
    }
}

impl Finding {
    /// With another call that has to do with it.
    pub(super) fn with_call(&mut self, call: u64, note: impl Into<String>) -> &mut Self {
        self.related.push(Related { call, note: note.into() });
        self
    }

    /// With other rules that the same fault breaks.
    pub(super) fn with_rules<'r>(&mut self, rules: impl IntoIterator<Item = &'r str>) -> &mut Self {
        for rule in rules {
            if &*self.rule != rule && !self.also.iter().any(|other| &**other == rule) {
                self.also.push(rule.into());
            }
        }
        self
    }

    /// No more than this.
    pub(super) fn at_most(&mut self, severity: Severity, certainty: Certainty) -> &mut Self {
        self.severity = self.severity.min(severity);
        self.certainty = self.certainty.min(certainty);
        self
    }

    /// With the octets of a parameter: `return` is what the operation returned.
    pub(super) fn with_octets(
        &mut self,
        call: &Call,
        side: Side,
        field: &str,
        text: &str,
    ) -> &mut Self {
        self.spots.extend(spot(call, side, field, text));
        self
    }
}

/// The octets of a parameter of a call; a member of it behind a dot.
fn spot(call: &Call, side: Side, field: &str, text: &str) -> Option<Spot> {
    let (stub, message) = match side {
        Side::Client => (&call.request, call.rpc.request.as_ref()?),
        Side::Server => (&call.response, call.rpc.response.as_ref()?),
    };
    let decoded = stub.decoded.as_ref()?;
    let value = match field {
        "return" => decoded.ret.as_ref()?,
        field => {
            let mut names = field.split('.');
            let param = decoded.param(names.next()?)?;
            names.try_fold(param, |value, name| value.field(name))?
        }
    };
    let span = span_of(value);
    let view = message.stub.view().slice(span);
    let octets: Vec<u8> = view.bytes().iter().copied().take(MAX_OCTETS).collect();
    if octets.is_empty() {
        return None;
    }
    let text = cut(text, MAX_TEXT).into_owned();
    Some(Spot { side, field: field.to_owned(), at: span.start, octets, text })
}

/// Where a value lies: that of what a pointer points to.
fn span_of(value: &crate::ndr::Value) -> Span {
    value.target().span
}
