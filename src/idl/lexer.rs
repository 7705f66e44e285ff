//! The words of the language: \[C706\] 6.1.1.

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult};

use super::syntax::Name;
use crate::bytes::Guid;

/// What a parser of the grammar gives.
pub(super) type Parsed<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// The farthest place that could not be understood, and what would have been.
#[derive(Debug)]
pub(super) struct Fault<'a> {
    pub at: &'a str,
    pub expected: Vec<&'static str>,
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self { at, expected: Vec::new() }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }

    fn or(mut self, mut other: Self) -> Self {
        // The one that got farther has less text left.
        match self.at.len().cmp(&other.at.len()) {
            std::cmp::Ordering::Less => self,
            std::cmp::Ordering::Greater => other,
            std::cmp::Ordering::Equal => {
                self.expected.append(&mut other.expected);
                self
            }
        }
    }
}

/// A fault at the next word of `input`.
pub(super) fn fault<'a, T>(input: &'a str, expected: &'static str) -> Parsed<'a, T> {
    Err(Err::Error(Fault { at: skip(input), expected: vec![expected] }))
}

/// `input` without leading white space and comments.
pub(super) fn skip(mut input: &str) -> &str {
    loop {
        input = input.trim_start();
        let comment = if let Some(rest) = input.strip_prefix("//") {
            rest.split_once('\n')
        } else if let Some(rest) = input.strip_prefix("/*") {
            rest.split_once("*/")
        } else {
            return input;
        };
        match comment {
            Some((_, rest)) => input = rest,
            None => return "",
        }
    }
}

/// The punctuation `text`.
pub(super) fn symbol(text: &'static str) -> impl Fn(&str) -> Parsed<'_, ()> + Copy {
    move |input| match skip(input).strip_prefix(text) {
        Some(rest) => Ok((rest, ())),
        None => fault(input, text),
    }
}

/// The reserved word `text`.
pub(super) fn keyword(text: &'static str) -> impl Fn(&str) -> Parsed<'_, ()> + Copy {
    move |input| match word(input) {
        Ok((rest, name)) if &*name.text == text => Ok((rest, ())),
        _ => fault(input, text),
    }
}

/// Words that cannot name anything.
const RESERVED: [&str; 10] = [
    "struct",
    "union",
    "enum",
    "switch",
    "case",
    "default",
    "typedef",
    "interface",
    "const",
    "void",
];

/// A name, reserved or not.
pub(super) fn word(input: &str) -> Parsed<'_, Name> {
    let text = skip(input);
    let end = text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    match text.split_at_checked(end) {
        Some((name, rest)) if name.starts_with(|c: char| !c.is_ascii_digit()) => {
            Ok((rest, Name { text: name.into(), left: text.len() }))
        }
        _ => fault(input, "a name"),
    }
}

/// A name that is not reserved.
pub(super) fn name(input: &str) -> Parsed<'_, Name> {
    match word(input) {
        Ok((_, name)) if RESERVED.contains(&&*name.text) => fault(input, "a name"),
        parsed => parsed,
    }
}

/// An integer, decimal or hexadecimal, or a character in quotes.
pub(super) fn number(input: &str) -> Parsed<'_, i64> {
    let text = skip(input);
    if let Some(quoted) = text.strip_prefix('\'') {
        let mut chars = quoted.chars();
        return match (chars.next(), chars.next()) {
            (Some(c), Some('\'')) => Ok((chars.as_str(), i64::from(u32::from(c)))),
            _ => fault(input, "a number"),
        };
    }
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end).unwrap_or((digits, ""));
    let rest = rest.trim_start_matches(['u', 'U', 'l', 'L']);
    match i64::from_str_radix(digits, radix) {
        Ok(value) if !rest.starts_with(|c: char| c.is_ascii_alphanumeric()) => Ok((rest, value)),
        _ => fault(input, "a number"),
    }
}

/// A text in double quotes, which has no escapes.
pub(super) fn text(input: &str) -> Parsed<'_, Name> {
    let quoted = skip(input);
    match quoted.strip_prefix('"').and_then(|inner| inner.split_once('"')) {
        Some((text, rest)) => Ok((rest, Name { text: text.into(), left: quoted.len() })),
        None => fault(input, "a text in quotes"),
    }
}

/// The text of `cpp_quote("…")`, whose quotation marks may be escaped.
pub(super) fn quoted(input: &str) -> Parsed<'_, ()> {
    let Some(mut rest) = skip(input).strip_prefix('"') else {
        return fault(input, "a text in quotes");
    };
    while let Some(at) = rest.find(['"', '\\']) {
        let mut chars = rest.get(at..).unwrap_or_default().chars();
        if chars.next() == Some('"') {
            return Ok((chars.as_str(), ()));
        }
        chars.next();
        rest = chars.as_str();
    }
    fault(input, "a text in quotes")
}

/// A UUID, in quotes or not.
pub(super) fn uuid(input: &str) -> Parsed<'_, Guid> {
    let text = skip(input);
    let bare = text.strip_prefix('"').unwrap_or(text);
    match bare
        .split_at_checked(36)
        .and_then(|(uuid, rest)| Some((Guid::try_parse(uuid).ok()?, rest)))
    {
        Some((uuid, rest)) => Ok((rest.strip_prefix('"').unwrap_or(rest), uuid)),
        None => fault(input, "a UUID"),
    }
}

/// `major.minor`, or `major` alone.
pub(super) fn version(input: &str) -> Parsed<'_, (u16, u16)> {
    let text = skip(input);
    let end = text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let (major, minor) = digits.split_once('.').unwrap_or((digits, "0"));
    match (major.parse(), minor.parse()) {
        (Ok(major), Ok(minor)) => Ok((rest, (major, minor))),
        _ => fault(input, "a version such as 1.0"),
    }
}
