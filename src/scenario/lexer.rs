//! The words of the language.

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult};

use super::syntax::Word;

/// What a parser of the grammar gives.
pub(super) type Parsed<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// The farthest place that could not be understood, and what would have been.
#[derive(Debug)]
pub(super) struct Fault<'a> {
    pub(super) at: &'a str,
    pub(super) expected: Vec<&'static str>,
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self { at, expected: Vec::new() }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }

    fn or(mut self, other: Self) -> Self {
        match self.at.len().cmp(&other.at.len()) {
            std::cmp::Ordering::Less => self,
            std::cmp::Ordering::Greater => other,
            std::cmp::Ordering::Equal => {
                self.expected.extend(other.expected);
                self
            }
        }
    }
}

/// A fault at `at`.
pub(super) fn fault<'a, T>(at: &'a str, expected: &'static str) -> Parsed<'a, T> {
    Err(Err::Error(Fault { at, expected: vec![expected] }))
}

/// `input` without leading blanks; in brackets, without the ends of lines and comments either.
pub(super) fn blanks(input: &str) -> &str {
    input.trim_start_matches([' ', '\t', '\r'])
}

/// The same, over ends of lines and comments.
pub(super) fn lines(mut input: &str) -> &str {
    loop {
        input = input.trim_start();
        match input.strip_prefix('#') {
            Some(comment) => input = comment.split_once('\n').map_or("", |(_, rest)| rest),
            None => return input,
        }
    }
}

/// Splits where the first character is that `ends`.
pub(super) fn until(input: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    let end = input.find(ends).unwrap_or(input.len());
    input.split_at_checked(end).unwrap_or((input, ""))
}

/// The punctuation `text`, behind blanks.
pub(super) fn symbol(text: &'static str) -> impl Fn(&str) -> Parsed<'_, ()> + Copy {
    move |input| {
        let at = blanks(input);
        match at.strip_prefix(text) {
            Some(rest) => Ok((rest, ())),
            None => fault(at, text),
        }
    }
}

/// The words `text`, in any case, behind blanks, and not a part of longer ones.
pub(super) fn keyword(text: &'static str) -> impl Fn(&str) -> Parsed<'_, ()> + Copy {
    move |input| {
        let at = blanks(input);
        let mut rest = at;
        for word in text.split(' ') {
            let (found, after) = until(blanks(rest), |c| !is_name(c));
            if !found.eq_ignore_ascii_case(word) {
                return fault(at, text);
            }
            rest = after;
        }
        Ok((rest, ()))
    }
}

/// A character of a name.
pub(super) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// A name, behind blanks: letters, digits, `_`, and `-` where no `>` follows.
pub(super) fn name(input: &str) -> Parsed<'_, Word> {
    let at = blanks(input);
    let (mut text, mut rest) = until(at, |c| !is_name(c));
    if rest.starts_with('>')
        && let Some(shorter) = text.strip_suffix('-')
    {
        text = shorter;
        rest = at.get(text.len()..).unwrap_or_default();
    }
    if text.is_empty() {
        return fault(at, "a name");
    }
    Ok((rest, Word { text: text.to_owned(), left: at.len() }))
}

/// A whole number in decimal digits.
pub(super) fn number(input: &str) -> Parsed<'_, u32> {
    let at = blanks(input);
    let (digits, rest) = until(at, |c| !c.is_ascii_digit());
    match digits.parse() {
        Ok(number) => Ok((rest, number)),
        Err(_) => fault(at, "a number"),
    }
}

/// A text in single or double quotes, which has no escapes.
pub(super) fn quoted(input: &str) -> Parsed<'_, Word> {
    let at = blanks(input);
    for quote in ['\'', '"'] {
        if let Some((text, rest)) = at.strip_prefix(quote).and_then(|inner| inner.split_once(quote))
        {
            return Ok((rest, Word { text: text.to_owned(), left: at.len() }));
        }
    }
    fault(at, "a text in quotes")
}

/// A time span such as `190s`, `2.5 min` or `+30 s`, in nanoseconds.
pub(super) fn duration(input: &str) -> Parsed<'_, u64> {
    let at = blanks(input);
    let (digits, rest) = until(at.trim_start_matches('+'), |c| !c.is_ascii_digit() && c != '.');
    let (unit, rest) = until(blanks(rest), |c| !c.is_ascii_alphabetic());
    let unit: u64 = match unit {
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" | "sec" | "seconds" => 1_000_000_000,
        "min" | "minutes" => 60_000_000_000,
        "h" | "hours" => 3_600_000_000_000,
        _ => return fault(at, "a time such as 190s, 500 ms or 3 min"),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let parsed = whole.parse::<u64>().ok().zip(decimal(fraction));
    match parsed {
        Some((whole, millionths)) => {
            let part = unit / 1_000_000 * millionths + unit % 1_000_000 * millionths / 1_000_000;
            Ok((rest, whole.saturating_mul(unit).saturating_add(part)))
        }
        None => fault(at, "a time such as 190s, 500 ms or 3 min"),
    }
}

/// The digits behind a point, in millionths; finer ones are dropped.
fn decimal(digits: &str) -> Option<u64> {
    let six: String = digits.chars().chain("000000".chars()).take(6).collect();
    six.parse().ok()
}
