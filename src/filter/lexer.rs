//! The words of the language.

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult};

use super::syntax::{Literal, Name, Place};

/// What a parser of the grammar gives.
pub(super) type Parsed<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// The farthest place that could not be understood, and what would have been.
#[derive(Debug)]
pub(super) struct Fault<'a> {
    pub(super) at: &'a str,
    pub(super) expected: &'static str,
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self { at, expected: "something else" }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }

    fn or(self, other: Self) -> Self {
        // The one that got farther has less text left.
        if other.at.len() < self.at.len() { other } else { self }
    }
}

/// A fault at `at` that another alternative may yet avert.
pub(super) fn fault<'a, T>(at: &'a str, expected: &'static str) -> Parsed<'a, T> {
    Err(Err::Error(Fault { at: at.trim_start(), expected }))
}

/// A fault at `at` that nothing averts.
pub(super) fn failure<'a, T>(at: &'a str, expected: &'static str) -> Parsed<'a, T> {
    Err(Err::Failure(Fault { at: at.trim_start(), expected }))
}

/// Where what was read between two places of the text stands, counted from its end; the grammar
/// turns it when it knows the whole.
pub(super) fn place(from: &str, to: &str) -> Place {
    Place { start: from.len(), end: to.len() }
}

/// The sign or word `text`. A word ends where its letters do, and a sign is not the start of a
/// longer one.
pub(super) fn symbol(text: &'static str) -> impl Fn(&str) -> Parsed<'_, ()> + Copy {
    move |input| {
        let Some(rest) = input.trim_start().strip_prefix(text) else { return fault(input, text) };
        let word = text.ends_with(|c: char| c.is_ascii_alphabetic());
        let more = match text {
            "&" | "=" => rest.starts_with(['&', '=']),
            "!" => rest.starts_with('='),
            _ => word && rest.starts_with(is_of_name),
        };
        if more { fault(input, text) } else { Ok((rest, ())) }
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// Words that are neither fields nor values.
const RESERVED: [&str; 24] = [
    "and",
    "or",
    "xor",
    "not",
    "in",
    "contains",
    "matches",
    "any",
    "all",
    "eq",
    "ne",
    "gt",
    "lt",
    "ge",
    "le",
    "any_eq",
    "all_eq",
    "any_ne",
    "all_ne",
    "bitwise_and",
    "AND",
    "OR",
    "XOR",
    "NOT",
];

/// The name of a field.
pub(super) fn field(input: &str) -> Parsed<'_, Name> {
    let text = input.trim_start();
    let end = text.find(|c: char| !is_of_name(c)).unwrap_or(text.len());
    match text.split_at_checked(end) {
        Some((name, rest))
            if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && !RESERVED.contains(&name) =>
        {
            Ok((rest, Name { text: name.to_owned(), place: place(text, rest) }))
        }
        _ => fault(input, "the name of a field"),
    }
}

/// A value, quoted or not.
pub(super) fn literal(input: &str) -> Parsed<'_, Literal> {
    let text = input.trim_start();
    if let Some(raw) = text.strip_prefix("r\"").or_else(|| text.strip_prefix("R\"")) {
        return quoted(text, raw, '"', true);
    }
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return quoted(text, inner, quote, false);
        }
    }
    let stop = |c: char| c.is_whitespace() || "(){},\"'=!<>&|~^".contains(c);
    let end = text.find(stop).unwrap_or(text.len());
    let end = text.find("..").map_or(end, |dots| dots.min(end));
    match text.split_at_checked(end) {
        Some((word, rest)) if !word.is_empty() && !RESERVED.contains(&word) => {
            let place = place(text, rest);
            Ok((rest, Literal { text: word.to_owned(), quoted: false, place }))
        }
        _ => fault(input, "a value"),
    }
}

/// The text up to `quote`. A raw one keeps its backslashes, even the one that keeps a quote in it.
fn quoted<'a>(whole: &'a str, inner: &'a str, quote: char, raw: bool) -> Parsed<'a, Literal> {
    let mut text = String::new();
    let mut rest = inner;
    loop {
        let mut chars = rest.chars();
        match chars.next() {
            None => return failure(whole, "the quotation mark that ends this text"),
            Some(c) if c == quote => {
                let place = place(whole, chars.as_str());
                return Ok((chars.as_str(), Literal { text, quoted: true, place }));
            }
            Some('\\') if raw => {
                text.push('\\');
                if chars.as_str().starts_with(quote) {
                    text.push(quote);
                    chars.next();
                }
                rest = chars.as_str();
            }
            Some('\\') => match escape(chars.as_str()) {
                Some((c, after)) => {
                    text.push(c);
                    rest = after;
                }
                None => {
                    return failure(
                        rest,
                        "one of the escapes \\\\ \\\" \\' \\n \\r \\t \\xHH \\uHHHH \\UHHHHHHHH \
                         (a backslash is written \\\\, or the text r\"…\")",
                    );
                }
            },
            Some(c) => {
                text.push(c);
                rest = chars.as_str();
            }
        }
    }
}

/// The character an escape stands for, `text` being what follows its backslash.
fn escape(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let digits = match chars.next()? {
        c @ ('\\' | '"' | '\'') => return Some((c, chars.as_str())),
        'n' => return Some(('\n', chars.as_str())),
        'r' => return Some(('\r', chars.as_str())),
        't' => return Some(('\t', chars.as_str())),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    let (code, rest) = chars.as_str().split_at_checked(digits)?;
    let plain = code.chars().all(|c| c.is_ascii_hexdigit());
    let c = char::from_u32(u32::from_str_radix(code, 16).ok().filter(|_| plain)?)?;
    Some((c, rest))
}
