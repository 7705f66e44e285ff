//! What is wrong with an expression, where, and what was probably meant.

use std::fmt;

use super::syntax::Place;
use crate::bytes::printable;

/// Characters of a long expression that are shown before the place that is pointed at.
const BEFORE: usize = 60;
/// Characters shown from that place on.
const AFTER: usize = 60;
/// Longest word for which something near is looked for.
const MAX_WORD: usize = 200;

/// Why an expression is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct Error {
    /// Column in characters, 1-based.
    pub column: usize,
    /// One sentence.
    pub message: String,
    /// The expression, cut to what is around the place, and the carets below it.
    pointed: [String; 2],
}

impl Error {
    pub(super) fn new(text: &str, place: Place, message: impl Into<String>) -> Self {
        let split = |at: usize| text.split_at_checked(at).unwrap_or((text, ""));
        let (before, from) = split(place.start);
        let word = from.get(..place.end.saturating_sub(place.start)).unwrap_or(from);
        let skipped = before.chars().count().saturating_sub(BEFORE);
        let mut shown: String = before.chars().skip(skipped).collect();
        if skipped > 0 {
            shown.insert(0, '…');
        }
        let shown = printable(&shown);
        let after: String = from.chars().take(AFTER).collect();
        let more = if after.len() < from.len() { "…" } else { "" };
        let word: String = word.chars().take(AFTER).collect();
        let carets = "^".repeat(printable(&word).chars().count().max(1));
        Self {
            column: before.chars().count() + 1,
            message: message.into(),
            pointed: [
                format!("{shown}{}{more}", printable(&after)),
                format!("{:indent$}{carets}", "", indent = shown.chars().count()),
            ],
        }
    }

    /// The expression and a line with carets below what is wrong, to be shown under each other.
    /// Nothing in them does anything to a terminal.
    pub fn pointed(&self) -> &[String; 2] {
        &self.pointed
    }
}

/// The candidate that `word` was most probably meant to be, if one is near.
pub(super) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > MAX_WORD {
        return None;
    }
    let word: Vec<char> = word.to_lowercase().chars().collect();
    let most = (word.len() / 4).clamp(1, 4);
    let distances = candidates.into_iter().filter_map(|candidate| {
        let other: Vec<char> = candidate.to_lowercase().chars().collect();
        let near = other.len().abs_diff(word.len()) <= most;
        let distance = near.then(|| distance(&word, &other))?;
        Some((distance, candidate)).filter(|(distance, _)| *distance <= most)
    });
    distances.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

/// Characters to insert, remove, replace or exchange with their neighbour to make `b` of `a`.
fn distance(a: &[char], b: &[char]) -> usize {
    // The last rows of the usual table: `before` belongs to all but the last character of `a`,
    // `earlier` to one fewer.
    let mut earlier: Vec<usize> = Vec::new();
    let mut before: Vec<usize> = (0..=b.len()).collect();
    for (at, from) in a.iter().enumerate() {
        let mut row = vec![at + 1];
        for (column, to) in b.iter().enumerate() {
            let get = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = get(&before, column).saturating_add(usize::from(from != to));
            let inserted = get(&row, column).saturating_add(1);
            let removed = get(&before, column + 1).saturating_add(1);
            let mut least = replaced.min(inserted).min(removed);
            if let (Some(last_at), Some(last)) = (at.checked_sub(1), column.checked_sub(1))
                && a.get(last_at) == Some(to)
                && b.get(last) == Some(from)
            {
                least = least.min(get(&earlier, last).saturating_add(1));
            }
            row.push(least);
        }
        earlier = std::mem::replace(&mut before, row);
    }
    before.last().copied().unwrap_or_default()
}

/// ` (did you mean …?)`, where something is near.
pub(super) struct Hint<'a>(pub(super) Option<&'a str>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let check = |a: &str, b: &str, expect| {
            let [a, b] = [a, b].map(|text| text.chars().collect::<Vec<_>>());
            assert_eq!(distance(&a, &b), expect, "{a:?} {b:?}");
            assert_eq!(distance(&b, &a), expect, "{b:?} {a:?}");
        };
        check("", "", 0);
        check("", "abc", 3);
        check("opnum", "opnum", 0);
        check("opnum", "opunm", 1);
        check("status", "statsu", 1);
        check("status", "stats", 1);
        check("outcome", "income", 3);
    }

    #[test]
    fn the_nearest_is_offered_if_it_is_near() {
        let names = ["status", "opnum", "outcome", "n"];
        assert_eq!(nearest("staus", names), Some("status"));
        assert_eq!(nearest("OPNUN", names), Some("opnum"));
        assert_eq!(nearest("frequency", names), None);
        assert_eq!(nearest("income", names), None);
        assert_eq!(nearest(&"x".repeat(10_000), names), None);
    }

    #[test]
    fn long_expressions_are_cut_around_the_place() {
        let text = format!("{} here {}", "é".repeat(500), "y".repeat(500));
        let start = text.find("here").unwrap();
        let error = Error::new(&text, Place { start, end: start + 4 }, "no");
        assert_eq!(error.column, 502);
        let [line, carets] = error.pointed();
        assert!(line.starts_with('…') && line.ends_with('…') && line.chars().count() < 130);
        let at = line.chars().collect::<String>().split("here").next().unwrap().chars().count();
        assert_eq!(*carets, format!("{}^^^^", " ".repeat(at)));
    }
}
