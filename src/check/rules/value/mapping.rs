//! What `GetShareMapping` returns (2.2.1.1, 2.2.3.1, 3.1.4.4, 3.1.4.6, 3.1.4.11).

use rustc_hash::FxHashMap;

use super::created;
use crate::bytes::{Guid, Side};
use crate::check::act::{is_unc, share_key};
use crate::check::bench::{Bench, Topic};
use crate::check::exposed_name::ExposedName;
use crate::check::finding::{Certainty, Finding, Severity};
use crate::check::guards::mapping;
use crate::check::machine::{View, Views};
use crate::check::rules::Case;
use crate::check::say;
use crate::check::sets::Copy;
use crate::ndr::{Data, filetime};
use crate::protocol::fsrvp::{FileTime, Request, ShareMapping1};

/// Copies whose time is remembered.
const MAX_COPIES: usize = 8192;

/// What has to be remembered.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// What the answers said of each copy. Added by the first that does; when there are too many, all
    /// are forgotten.
    times: FxHashMap<Guid, (FileTime, u64)>,
    pub(super) clock: created::Clock,
}

/// What is asked for, what was answered, and what is known of it.
struct Answer<'a> {
    set: Guid,
    copy: Guid,
    mapping: &'a ShareMapping1,
    /// As it was added.
    added: Option<&'a Copy>,
    /// The share that it was added by, or else that was asked for.
    share: &'a str,
}

impl Rules {
    pub(super) fn answered(&mut self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let Some(Request::GetShareMapping(of)) = &case.act.request else { return };
        discriminant(case, of.level, bench);
        if !case.act.answer.is_success() {
            return;
        }
        let mapping = mapping(case.act);
        if of.level == 1 && case.act.response.is_some() && has_arm(case) {
            bench.expect(
                mapping.is_some(),
                Topic::Value("ShareMapping"),
                "FSRVP-2.2.3.1-02",
                case.place,
                || {
                    "GetShareMapping succeeded with level 1, and its ShareMapping is a null pointer"
                        .to_owned()
                },
                |finding| spot(case, finding, "ShareMapping", "null"),
            );
        }
        let Some(mapping) = mapping else { return };
        let set = case.step.and_then(|step| step.set).and_then(|no| case.tracker.sets.get(no));
        let added = set.and_then(|set| set.copy(of.shadow_copy_id));
        let share = added.map_or(of.share_name.as_str(), |copy| copy.share.as_str());
        let (set_id, copy) = (of.shadow_copy_set_id, of.shadow_copy_id);
        let answer = Answer { set: set_id, copy, mapping, added, share };
        answer.ids(case, bench);
        answer.share_name(case, bench);
        answer.presence(case, bench);
        answer.exposed_name(case, bench);
        self.unchanged(&answer, case, bench);
        self.clock.check(case, mapping.creation_timestamp, set, added, bench);
    }

    /// 3.1.4.11-17: the time of a copy does not change.
    fn unchanged(&mut self, answer: &Answer<'_>, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let time = answer.mapping.creation_timestamp;
        if self.times.len() >= MAX_COPIES && !self.times.contains_key(&answer.copy) {
            self.times.clear();
        }
        let (first, call) = *self.times.entry(answer.copy).or_insert((time, case.act.n));
        if call == case.act.n {
            return;
        }
        bench.expect(
            first == time,
            Topic::Value("CreationTimestamp"),
            "FSRVP-3.1.4.11-17",
            case.place,
            || {
                format!(
                    "CreationTimestamp of copy {} is {}; it was {} before",
                    say::short(answer.copy),
                    date(time),
                    date(first)
                )
            },
            |finding| {
                finding.with_call(call, "GetShareMapping returned another time");
                spot(case, finding, "ShareMapping.ShareMapping1.CreationTimestamp", &date(time));
            },
        );
    }
}

impl Answer<'_> {
    /// 2.2.1.1-01, 3.1.4.11-13, 3.1.4.11-14: the ids are those that were asked for.
    fn ids(&self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let mapping = self.mapping;
        let nil = mapping.shadow_copy_set_id.is_nil() || mapping.shadow_copy_id.is_nil();
        if !nil {
            bench.pass("FSRVP-2.2.1.1-01");
        }
        let ids = [
            ("ShadowCopySetId", "FSRVP-3.1.4.11-13", self.set, mapping.shadow_copy_set_id),
            ("ShadowCopyId", "FSRVP-3.1.4.11-14", self.copy, mapping.shadow_copy_id),
        ];
        for (field, rule, asked, told) in ids {
            let path = format!("ShareMapping.ShareMapping1.{field}");
            bench.expect(
                asked == told,
                Topic::Value(field),
                rule,
                case.place,
                || {
                    let told = if told.is_nil() { "nil".to_owned() } else { told.to_string() };
                    format!("GetShareMapping was asked for {field} {asked} and returned {told}")
                },
                |finding| {
                    spot(case, finding, &path, "the id that was returned");
                    if told.is_nil() {
                        finding.with_rules(["FSRVP-2.2.1.1-01"]);
                    }
                },
            );
        }
    }

    /// 2.2.1.1-02, 3.1.4.11-15, 3.1.1.4-01: the share is the one that was added.
    fn share_name(&self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let path = "ShareMapping.ShareMapping1.ShareNameUNC";
        let told = self.mapping.share_name_unc.as_deref();
        let quoted = told.map_or_else(|| "null".to_owned(), |name| format!("\"{name}\""));
        let topic = Topic::Value("ShareNameUNC");
        let refine = |finding: &mut Finding| {
            if let Some(copy) = self.added {
                finding.with_call(copy.call, "AddToShadowCopySet named the share");
            }
            spot(case, finding, path, &quoted);
        };
        bench.expect(
            told.is_some_and(|name| share_key(name) == share_key(self.share)),
            topic,
            "FSRVP-3.1.4.11-15",
            case.place,
            || format!("ShareNameUNC is {quoted}; the share was added as \"{}\"", self.share),
            |finding| {
                refine(finding);
                finding.with_rules(["FSRVP-3.1.1.4-01"]);
            },
        );
        bench.expect(
            told.is_some_and(is_unc),
            topic,
            "FSRVP-2.2.1.1-02",
            case.place,
            || format!(r"ShareNameUNC is {quoted}, which is not of the form \\host\share"),
            refine,
        );
    }

    /// 3.1.4.4-22, 3.1.4.6-25, 3.1.4.11-16, 3.1.1.4-01: an exposed share has a name, and no other.
    fn presence(&self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let path = "ShareMapping.ShareMapping1.ShadowCopyShareName";
        // Where success is explained, by the states that explain it; else by those it met.
        let views = case.step.map_or_else(Views::default, |step| match &step.contradiction {
            None => step.outcomes.iter().map(|outcome| outcome.view).collect(),
            Some(_) => step.views,
        });
        let all =
            |states: &[View]| !views.is_empty() && views.iter().all(|view| states.contains(&view));
        let name = self.name();
        let topic = Topic::Value("ShadowCopyShareName");
        if all(&[View::Exposed, View::Recovered]) {
            let rule = if all(&[View::Exposed]) { "FSRVP-3.1.4.6-25" } else { "FSRVP-3.1.4.11-16" };
            let also = ["FSRVP-3.1.4.11-16", "FSRVP-3.1.1.4-01"];
            if name.is_some() {
                for rule in also {
                    bench.pass(rule);
                }
            }
            bench.expect(
                name.is_some(),
                topic,
                rule,
                case.place,
                || format!("The set is exposed, and GetShareMapping returned no ShadowCopyShareName for \"{}\"", self.share),
                |finding| {
                    finding.with_rules(also);
                    spot(case, finding, path, "no name");
                },
            );
        } else if all(&[View::Started, View::Added, View::Creating, View::Committed]) {
            let also = ["FSRVP-3.1.4.4-22"];
            if name.is_none() {
                for rule in also {
                    bench.pass(rule);
                }
            }
            bench.expect(
                name.is_none(),
                topic,
                "FSRVP-3.1.4.11-16",
                case.place,
                || {
                    format!(
                        "The set is not exposed, and GetShareMapping returned the name \"{}\"",
                        name.unwrap_or_default()
                    )
                },
                |finding| {
                    finding.with_rules(also);
                    if case.others {
                        finding.at_most(Severity::Note, Certainty::Possible);
                    }
                    spot(case, finding, path, "the name of the exposed share");
                },
            );
        }
    }

    fn name(&self) -> Option<&str> {
        self.mapping.shadow_copy_share_name.as_deref().filter(|name| !name.is_empty())
    }

    /// 2.2.1.1-03, 3.1.4.6-17 to -21: what the exposed share is called.
    fn exposed_name(&self, case: &Case<'_, '_>, bench: &mut Bench<'_>) {
        let Some(name) = self.name() else { return };
        let topic = Topic::Value("ShadowCopyShareName");
        let refine = |finding: &mut Finding| {
            spot(case, finding, "ShareMapping.ShareMapping1.ShadowCopyShareName", name);
        };
        let parsed = ExposedName::parse(name);
        let right = parsed.as_ref().is_some_and(|parsed| parsed.id == self.copy);
        bench.expect(
            right,
            topic,
            "FSRVP-3.1.4.6-17",
            case.place,
            || format!("The exposed share is called \"{name}\"; expected the share, @, and the id of the copy, {{{}}}", self.copy),
            refine,
        );
        if let Some(parsed) = &parsed {
            let original = share_key(self.share);
            bench.expect(
                parsed.share == original,
                topic,
                "FSRVP-3.1.4.6-18",
                case.place,
                || format!("The exposed share is called \"{name}\"; the name of the share before the @ should be \"{original}\""),
                refine,
            );
            bench.expect(
                !parsed.share.is_empty(),
                topic,
                "FSRVP-3.1.4.6-19",
                case.place,
                || format!("The exposed share is called \"{name}\": neither host nor share stands before the @"),
                refine,
            );
            if original.ends_with('$') {
                bench.expect(
                    parsed.hidden,
                    topic,
                    "FSRVP-3.1.4.6-20",
                    case.place,
                    || format!("The share \"{original}\" is hidden, and its exposed name \"{name}\" does not end in $"),
                    refine,
                );
            } else {
                bench.expect(
                    !parsed.hidden,
                    topic,
                    "FSRVP-3.1.4.6-21",
                    case.place,
                    || format!("The share \"{original}\" is not hidden, and its exposed name \"{name}\" ends in $"),
                    refine,
                );
            }
        }
        bench.expect(
            is_unc(name),
            topic,
            "FSRVP-2.2.1.1-03",
            case.place,
            || format!(r#"ShadowCopyShareName is "{name}", which is not of the form \\host\share"#),
            refine,
        );
    }
}

/// 2.2.3.1-01: the union is chosen by the level that was asked for.
fn discriminant(case: &Case<'_, '_>, level: u32, bench: &mut Bench<'_>) {
    let Some((tag, arm)) = union(case) else { return };
    bench.expect(
        tag == i64::from(level) && (tag == 1) == arm,
        Topic::Value("ShareMapping"),
        "FSRVP-2.2.3.1-01",
        case.place,
        || format!("GetShareMapping was asked for level {level}, and the discriminant of its answer is {tag}"),
        |finding| spot(case, finding, "ShareMapping", "the union"),
    );
}

/// The discriminant of the answer, and whether an arm follows.
fn union(case: &Case<'_, '_>) -> Option<(i64, bool)> {
    let decoded = case.call.response.decoded.as_ref().filter(|_| case.act.response.is_some())?;
    match &decoded.param("ShareMapping")?.target().data {
        Data::Union(union) => Some((union.tag.as_i64()?, union.arm.is_some())),
        _ => None,
    }
}

fn has_arm(case: &Case<'_, '_>) -> bool {
    union(case).is_some_and(|(_, arm)| arm)
}

/// A time for reading; what is none, as the number.
pub(super) fn date(time: FileTime) -> String {
    filetime(time.0).unwrap_or_else(|| time.0.to_string())
}

fn spot(case: &Case<'_, '_>, finding: &mut Finding, field: &str, text: &str) {
    finding.with_octets(case.call, Side::Server, field, text);
}
