//! What is wrong with an expression, where, and what was probably meant.

use std::fmt;

use super::syntax::Place;
use crate::bytes::printable;

/// Characters of a long expression that are shown before the place that is pointed at.
const BEFORE: usize = 60;
/// Characters shown from that place on.
const AFTER: usize = 60;

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
