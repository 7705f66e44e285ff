//! [`Baseline`]: what is known, by its fingerprints.
//!
//! Takes records that vshark has written, or a list made of them, and keeps how often each
//! fingerprint is there. Two shadow copy sets, or two servers, in which the same went wrong in the
//! same way have equal fingerprints: a fingerprint that was there twice is known twice, and a third
//! one is new. What explains failures is there as often as it stopped an attempt for good; what
//! stopped none, or none that a later one did not make good, is known apart, and excuses no failure.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, BufReader, Read};

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

/// Fingerprints of a baseline, each counted as often as it is there.
const MAX_FINGERPRINTS: u64 = 1 << 20;
const TOO_MANY: &str = "there are more than 1048576 findings in it";
/// Octets of a file.
const MAX_FILE: u64 = 1 << 30;
/// Octets of a fingerprint.
const MAX_LENGTH: usize = 512;
/// The records of vshark that know no fingerprint of their own.
const OTHER_RECORDS: [&str; 5] = ["capture", "call", "tally", "rule", "expectation"];
/// What a baseline is.
const EXPECTED: &str = "the records of `vshark check --json` or `vshark export`, or a JSON array of \
                        findings or of fingerprints";
/// What is said of a file that is something else altogether, such as what `vshark check` prints.
const NO_JSON: &str = ", found no JSON; `vshark check --json FILE > known.json` makes one";

/// Why a file is no baseline, in a sentence that names it and the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BaselineError(String);

/// What is known.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// How often each was there and has not been found again. [`read`](Baseline::read) adds, no more
    /// than [`MAX_FINGERPRINTS`] in both; what is found is taken away.
    left: BTreeMap<String, u64>,
    /// The same of what explained something and stopped nothing for good.
    beside: BTreeMap<String, u64>,
}

impl Baseline {
    /// Reads one; `file` names it in errors.
    pub fn read(file: &str, from: impl Read) -> Result<Self, BaselineError> {
        let mut from = BufReader::new(from.take(MAX_FILE));
        let wrong = |what: &str| BaselineError(format!("{file}: {what}"));
        let begins = from.fill_buf().map_err(|error| wrong(&error.to_string()))?;
        if begins.starts_with(&[0xff, 0xfe]) || begins.starts_with(&[0xfe, 0xff]) {
            return Err(wrong(
                "expected UTF-8, found UTF-16, which `>` of Windows PowerShell writes: use \
                 `| Out-File -Encoding utf8`, or `>` of cmd",
            ));
        }
        if begins.starts_with(b"\xef\xbb\xbf") {
            from.consume(3);
        }
        let mut baseline = Self::default();
        let (mut empty, mut all) = (true, 0_u64);
        for value in serde_json::Deserializer::from_reader(from).into_iter::<Known>() {
            let Known(found) = value.map_err(|error| match error.classify() {
                Category::Syntax if empty => wrong(&format!("expected {EXPECTED}{NO_JSON}")),
                _ => said(file, &error),
            })?;
            empty = false;
            for (fingerprint, times) in found {
                all = all.saturating_add(times.max(1));
                if all > MAX_FINGERPRINTS {
                    return Err(wrong(TOO_MANY));
                }
                match times {
                    0 => *baseline.beside.entry(fingerprint).or_default() += 1,
                    times => *baseline.left.entry(fingerprint).or_default() += times,
                }
            }
        }
        if empty {
            return Err(wrong(&format!("expected {EXPECTED}, found nothing")));
        }
        Ok(baseline)
    }

    /// Whether what was found so many `times` is known as many times more.
    pub(super) fn take(&mut self, fingerprint: &str, times: u64) -> bool {
        take(&mut self.left, fingerprint, times)
    }

    /// Whether what explains something and stopped nothing for good is known, once more.
    pub(super) fn take_beside(&mut self, fingerprint: &str) -> bool {
        take(&mut self.beside, fingerprint, 1)
    }

    /// What is known and was not found, and how many times.
    pub fn absent(&self) -> impl Iterator<Item = (&str, u64)> {
        let left = self.left.iter().chain(&self.beside).filter(|(_, left)| **left > 0);
        left.map(|(fingerprint, left)| (&**fingerprint, *left))
    }
}

fn take(from: &mut BTreeMap<String, u64>, fingerprint: &str, times: u64) -> bool {
    let Some(left) = from.get_mut(fingerprint) else { return false };
    let known = *left >= times;
    *left = left.saturating_sub(times);
    known
}

/// What is wrong, where.
fn said(file: &str, error: &serde_json::Error) -> BaselineError {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let what = said.strip_suffix(&place).unwrap_or(&said);
    BaselineError(format!("{file}:{}:{}: {what}", error.line(), error.column()))
}

/// The fingerprints in one value, and how often each is there: not at all if it explains something
/// and stopped nothing for good.
struct Known(Vec<(String, u64)>);

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Anything)
    }
}

/// A record, a list of such, or a fingerprint.
struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Known;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Known, E> {
        Ok(Known(vec![(fingerprint(text.to_owned())?, 1)]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Known, A::Error> {
        let mut all = Vec::new();
        while let Some(Known(more)) = list.next_element()? {
            all.extend(more);
            if u64::try_from(all.len()).is_ok_and(|n| n > MAX_FINGERPRINTS) {
                return Err(de::Error::custom(TOO_MANY));
            }
        }
        Ok(Known(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Known, A::Error> {
        let (mut kind, mut own, mut all) = (None, None, Vec::new());
        let mut lasting = None;
        while let Some(key) = map.next_key::<String>()? {
            match &*key {
                "type" => kind = Some(map.next_value::<String>()?),
                "fingerprint" => own = Some(map.next_value::<String>()?),
                "diagnosis" => all = map.next_value::<Option<Known>>()?.map_or(all, |of| of.0),
                "lasting" => lasting = Some(map.next_value::<u64>()?),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        match kind.as_deref() {
            None | Some("finding") => match own {
                Some(own) => Ok(Known(vec![(fingerprint(own)?, lasting.unwrap_or(1))])),
                None => Err(de::Error::custom(format!(
                    "expected {EXPECTED}, found an object without a fingerprint"
                ))),
            },
            Some("summary") => Ok(Known(all)),
            Some(kind) if OTHER_RECORDS.contains(&kind) => Ok(Known(Vec::new())),
            Some(kind) => {
                Err(de::Error::custom(format!("expected {EXPECTED}, found a record `{kind}`")))
            }
        }
    }
}

fn fingerprint<E: de::Error>(text: String) -> Result<String, E> {
    match text.len() {
        0 => Err(E::custom("expected a fingerprint, found an empty text")),
        len if len > MAX_LENGTH => {
            Err(E::custom(format!("expected a fingerprint, found a text of {len} octets")))
        }
        _ => Ok(text),
    }
}
