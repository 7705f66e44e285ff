//! The text of the table.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::{Answers, Breach, Clock, Guard, Keeps, Machine, Method, Row, View, Views};
use crate::check::finding::Severity;
use crate::idl::Error;
use crate::spelling::nearest;

/// What is wrong with a table, and where.
pub type MachineError = Error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMethod {
    opnum: Option<u16>,
    section: Option<String>,
    rows: Vec<Spanned<RawRow>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    fn all(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Many(words) => words,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawClock {
    Seconds(u32),
    Word(String),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawKeeps {
    set: Vec<String>,
    gone: Vec<String>,
    context: Vec<String>,
    timer: Vec<String>,
    finished: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    from: Option<Words>,
    when: Option<String>,
    answer: Words,
    to: Option<Words>,
    context: Option<String>,
    timer: Option<RawClock>,
    #[serde(default)]
    keeps: RawKeeps,
    breaks: Option<String>,
    #[serde(default)]
    also: Vec<String>,
    late: Option<String>,
    severity: Option<String>,
    quirk: Option<String>,
}

struct Place<'t> {
    file: &'t str,
    text: &'t str,
}

impl Place<'_> {
    fn error(&self, at: usize, message: impl Into<String>) -> Error {
        Error::at(self.file, self.text, at, message)
    }

    fn unknown(
        &self,
        at: usize,
        word: &str,
        what: &str,
        known: impl Iterator<Item = &'static str>,
    ) -> Error {
        let near = nearest(word, known);
        let hint = if near.is_empty() {
            String::new()
        } else {
            format!("; did you mean `{}`?", near.join("` or `"))
        };
        self.error(at, format!("unknown {what} `{word}`{hint}"))
    }
}

pub(super) fn parse(file: &str, text: &str) -> Result<Machine, Error> {
    let place = Place { file, text };
    let raw: BTreeMap<Spanned<String>, RawMethod> = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        place.error(at, error.message())
    })?;
    let is_common = |name: &Spanned<String>| name.get_ref() == "common";
    let common = raw.iter().find(|(name, _)| is_common(name));
    let common = common.into_iter().flat_map(|(_, common)| &common.rows);
    let common: Vec<Row> = common.map(|row| place.row(row)).collect::<Result<_, _>>()?;
    let mut methods: Vec<(usize, Method)> = Vec::new();
    for (name, method) in raw.iter().filter(|(name, _)| !is_common(name)) {
        let mut rows: Vec<Row> = common.clone();
        for row in &method.rows {
            rows.push(place.row(row)?);
        }
        let at = name.span().start;
        let Some(opnum) = method.opnum else {
            return Err(place.error(at, format!("[{}] has no opnum", name.get_ref())));
        };
        let section = method.section.as_deref().unwrap_or_default().into();
        methods.push((at, Method { name: name.get_ref().as_str().into(), opnum, section, rows }));
    }
    methods.sort_by_key(|(at, method)| (method.opnum, *at));
    for (opnum, (at, method)) in methods.iter().enumerate() {
        if usize::from(method.opnum) != opnum {
            let message =
                format!("expected an operation with opnum {opnum}, found {}", method.name);
            return Err(place.error(*at, message));
        }
    }
    let methods = methods.into_iter().map(|(_, method)| method).collect();
    Ok(Machine { methods })
}

impl Place<'_> {
    fn row(&self, row: &Spanned<RawRow>) -> Result<Row, Error> {
        let (at, raw) = (row.span().start, row.get_ref());
        let from = match &raw.from {
            None => Views::ALL,
            Some(words) => self.views(at, words)?.into_iter().collect(),
        };
        let mut when = Vec::new();
        if let Some(words) = &raw.when {
            for word in words.split(',').map(str::trim) {
                let known = Guard::WORDS.iter().find(|(name, _)| *name == word);
                let Some((_, guard)) = known else {
                    let names = Guard::WORDS.iter().map(|(name, _)| *name);
                    return Err(self.unknown(at, word, "condition", names));
                };
                when.push(*guard);
            }
        }
        let mut answers = Answers::default();
        for word in raw.answer.all() {
            let of = Answers::of_word(word)
                .ok_or_else(|| self.unknown(at, word, "answer", Answers::words()))?;
            answers = answers.or(of);
        }
        let to = raw.to.as_ref().map_or(Ok(Vec::new()), |words| self.views(at, words))?;
        let context = match &raw.context {
            None => None,
            Some(word) => match word.as_str() {
                "open" => Some(true),
                "closed" => Some(false),
                _ => return Err(self.unknown(at, word, "context", ["open", "closed"].into_iter())),
            },
        };
        let timer = match &raw.timer {
            None => None,
            Some(RawClock::Seconds(seconds)) => Some(Clock::Start(*seconds)),
            Some(RawClock::Word(word)) => Some(match word.as_str() {
                "off" => Clock::Off,
                "unknown" => Clock::Unknown,
                _ => return Err(self.unknown(at, word, "timer", ["off", "unknown"].into_iter())),
            }),
        };
        let severity = match &raw.severity {
            None => None,
            Some(word) => Some(match word.as_str() {
                "note" => Severity::Note,
                "warning" => Severity::Warning,
                "error" => Severity::Error,
                _ => {
                    let words = ["note", "warning", "error"].into_iter();
                    return Err(self.unknown(at, word, "severity", words));
                }
            }),
        };
        let breaks = raw.breaks.as_deref().map(|rule| Breach {
            rule: full(rule),
            also: rules(&raw.also),
            late: raw.late.as_deref().map(full),
            severity,
        });
        let keeps = Keeps {
            set: rules(&raw.keeps.set),
            gone: rules(&raw.keeps.gone),
            context: rules(&raw.keeps.context),
            timer: rules(&raw.keeps.timer),
            finished: rules(&raw.keeps.finished),
        };
        let quirk = raw.quirk.as_deref().map(Arc::from);
        Ok(Row { from, when, answers, to, context, timer, keeps, breaks, quirk })
    }

    fn views(&self, at: usize, words: &Words) -> Result<Vec<View>, Error> {
        let view = |word: &String| {
            let found = View::ALL.into_iter().find(|view| view.word() == word);
            let known = View::ALL.into_iter().map(View::word);
            found.ok_or_else(|| self.unknown(at, word, "state", known))
        };
        words.all().iter().map(view).collect()
    }
}

fn rules(ids: &[String]) -> Vec<Arc<str>> {
    ids.iter().map(|id| full(id)).collect()
}

/// The full id of a rule.
fn full(id: &str) -> Arc<str> {
    format!("FSRVP-{id}").into()
}
