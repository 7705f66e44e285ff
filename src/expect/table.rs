//! [`Table`]: a table of the file, with the place of everything in it.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::idl::Error;
use crate::spelling::nearest;

/// A file.
#[derive(Clone, Copy)]
pub(super) struct Source<'t> {
    pub(super) file: &'t str,
    pub(super) text: &'t str,
}

/// A table, by the name that stands over it.
#[derive(Clone, Copy)]
pub(super) struct Table<'s> {
    pub(super) source: Source<'s>,
    /// `call`
    pub(super) name: &'s str,
    pub(super) at: usize,
    entries: &'s DeTable<'s>,
}

/// A value and where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// How many of something: both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) min: u64,
    pub(super) max: Option<u64>,
}

impl Count {
    pub(super) const SOME: Self = Self { min: 1, max: None };

    /// In words.
    pub(super) fn said(self) -> String {
        match self {
            Self { min: 0, max: None } => "any number".to_owned(),
            Self { min: 0, max: Some(0) } => "none".to_owned(),
            Self { min, max: Some(max) } if min == max => min.to_string(),
            Self { min, max: None } => format!("at least {min}"),
            Self { min: 0, max: Some(max) } => format!("at most {max}"),
            Self { min, max: Some(max) } => format!("{min} to {max}"),
        }
    }
}

impl Source<'_> {
    pub(super) fn error(self, at: usize, message: impl Into<String>) -> Error {
        Error::at(self.file, self.text, at, message)
    }

    /// The line on which something is, 1-based.
    pub(super) fn line(self, at: usize) -> u32 {
        self.error(at, "").line
    }
}

impl<'s> Table<'s> {
    pub(super) fn new(
        source: Source<'s>,
        name: &'s str,
        table: &'s Spanned<DeValue<'s>>,
    ) -> Result<Self, Error> {
        let at = table.span().start;
        match table.get_ref() {
            DeValue::Table(entries) => Ok(Self { source, name, at, entries }),
            other => Err(source.error(at, format!("expected a table, found {}", kind(other)))),
        }
    }

    /// The tables of a key that stands over several, as `[[call]]` does.
    pub(super) fn several(
        source: Source<'s>,
        name: &'s str,
        tables: &'s Spanned<DeValue<'s>>,
    ) -> Result<Vec<Self>, Error> {
        if let DeValue::Array(all) = tables.get_ref() {
            return all.iter().map(|one| Self::new(source, name, one)).collect();
        }
        let at = tables.span().start;
        Err(source.error(at, format!("expected [[{name}]], in two brackets")))
    }

    pub(super) fn error(self, at: usize, message: impl Into<String>) -> Error {
        self.source.error(at, message)
    }

    /// Fails if there is a key that is none of `keys`.
    pub(super) fn known(self, keys: &[&str]) -> Result<(), Error> {
        for key in self.entries.keys() {
            let word = key.get_ref();
            if keys.contains(&&**word) {
                continue;
            }
            let hint = meant(word, keys.iter().copied());
            let hint = hint.unwrap_or_else(|| format!("known are `{}`", keys.join("`, `")));
            let message = format!("unknown key `{word}` of `{}`; {hint}", self.name);
            return Err(self.error(key.span().start, message));
        }
        Ok(())
    }

    pub(super) fn get(self, key: &str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.entries.iter().find(|(found, _)| found.get_ref() == key).map(|(_, value)| value)
    }

    /// A text that says something.
    pub(super) fn text(self, key: &str) -> Result<Option<At<&'s str>>, Error> {
        self.get(key).map(|value| self.as_text(value)).transpose()
    }

    fn as_text(self, value: &'s Spanned<DeValue<'s>>) -> Result<At<&'s str>, Error> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(At { value: text, at }),
            DeValue::String(_) => Err(self.error(at, "expected a text that says something")),
            other => Err(self.error(at, format!("expected a text, found {}", kind(other)))),
        }
    }

    /// A value or a list of such.
    pub(super) fn list(self, key: &str) -> Option<Vec<&'s Spanned<DeValue<'s>>>> {
        let value = self.get(key)?;
        Some(match value.get_ref() {
            DeValue::Array(all) => all.iter().collect(),
            _ => vec![value],
        })
    }

    /// A text or a list of such, with at least one.
    pub(super) fn texts(self, key: &str) -> Result<Option<Vec<At<&'s str>>>, Error> {
        let Some(list) = self.list(key) else { return Ok(None) };
        let texts: Result<Vec<_>, _> = list.into_iter().map(|value| self.as_text(value)).collect();
        let texts = texts?;
        if texts.is_empty() {
            let at = self.get(key).map_or(self.at, |value| value.span().start);
            return Err(self.error(at, "expected at least one"));
        }
        Ok(Some(texts))
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(
        self,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        self.one_of(text, words).map(Some)
    }

    /// What a text means that is one of some words.
    pub(super) fn one_of<T: Copy>(
        self,
        text: At<&str>,
        words: &[(&'static str, T)],
    ) -> Result<T, Error> {
        let found = words.iter().find(|(word, _)| *word == text.value);
        found.map(|(_, of)| *of).ok_or_else(|| {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = meant(text.value, names.iter().copied());
            let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            let message = format!("expected {}, found `{}`{hint}", names.join(", "), text.value);
            self.error(text.at, message)
        })
    }

    pub(super) fn flag(self, key: &str) -> Result<Option<bool>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Boolean(flag) => Ok(Some(*flag)),
            other => {
                let found = kind(other);
                Err(self
                    .error(value.span().start, format!("expected true or false, found {found}")))
            }
        }
    }

    pub(super) fn number(self, key: &str) -> Result<Option<At<u64>>, Error> {
        self.get(key).map(|value| self.as_number(value)).transpose()
    }

    fn as_number(self, value: &Spanned<DeValue<'_>>) -> Result<At<u64>, Error> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Integer(number) => {
                match u64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(value) => Ok(At { value, at }),
                    Err(_) => {
                        Err(self
                            .error(at, format!("`{}` is too small or too large", number.as_str())))
                    }
                }
            }
            other => Err(self.error(at, format!("expected a number, found {}", kind(other)))),
        }
    }

    /// A number, or a table with `min` and `max`.
    pub(super) fn count(self, key: &'s str) -> Result<Option<Count>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        if !matches!(value.get_ref(), DeValue::Table(_)) {
            let At { value, .. } = self.as_number(value).map_err(|mut error| {
                error.message = error
                    .message
                    .replace("expected a number", "expected a number, or { min = …, max = … }");
                error
            })?;
            return Ok(Some(Count { min: value, max: Some(value) }));
        }
        let table = Self::new(self.source, key, value)?;
        table.known(&["min", "max"])?;
        let (min, max) = (table.number("min")?, table.number("max")?);
        if min.is_none() && max.is_none() {
            return Err(self.error(table.at, "expected `min`, `max` or both"));
        }
        let count = Count { min: min.map_or(0, |of| of.value), max: max.map(|of| of.value) };
        match max {
            Some(max) if max.value < count.min => {
                Err(self.error(max.at, format!("`max` is less than `min`, {}", count.min)))
            }
            _ => Ok(Some(count)),
        }
    }

    /// Nanoseconds of what is written as `60s`, `1.5s`, `2m`, `500ms`.
    pub(super) fn duration(self, key: &str) -> Result<Option<At<i64>>, Error> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let found = text.value.parse::<jiff::SignedDuration>().ok();
        let nanos = found.and_then(|of| i64::try_from(of.as_nanos()).ok()).filter(|of| *of >= 0);
        match nanos {
            Some(value) => Ok(Some(At { value, at: text.at })),
            None => Err(self.error(
                text.at,
                format!(
                    "expected a time such as \"60s\", \"500ms\" or \"2m\", found `{}`",
                    text.value
                ),
            )),
        }
    }
}

/// What somebody who wrote `word` probably meant.
pub(super) fn meant<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let near = nearest(word, names);
    (!near.is_empty()).then(|| format!("did you mean `{}`?", near.join("` or `")))
}

/// What a value is, in words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with decimals",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What is wrong with the form of a file, and where.
pub(super) fn syntax(source: Source<'_>, error: &toml::de::Error) -> Error {
    let at: Range<usize> = error.span().unwrap_or_default();
    source.error(at.start, error.message().lines().next().unwrap_or_default())
}
