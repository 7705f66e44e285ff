//! The grammar of values, arguments and results.

use nom::branch::alt;
use nom::combinator::{cut, map, opt, value};
use nom::multi::{separated_list0, separated_list1};
use nom::sequence::preceded;
use nom::{Err, Parser};

use super::lexer::{
    Fault, Parsed, blanks, fault, is_name, keyword, lines, name, number, quoted, symbol, until,
};
use super::syntax::{ArgsText, ValueText, Word};

/// Arguments in braces.
pub(super) fn braces(input: &str) -> Parsed<'_, ArgsText> {
    let inner = input.strip_prefix('{').unwrap_or(input);
    map(|input| members(input, "}"), ArgsText::Named).parse(inner)
}

/// What is in the parentheses of a call.
pub(super) fn args(input: &str) -> Parsed<'_, ArgsText> {
    let sealed = value(ArgsText::Sealed, keyword("enc"));
    let stub = preceded(
        keyword("stub"),
        map(opt(preceded(symbol("="), octets)), |stub| ArgsText::Stub(stub.unwrap_or_default())),
    );
    let named = map(separated_list0(comma, argument), ArgsText::Named);
    // `enc` and `stub` alone in the parentheses; otherwise they are arguments like others.
    let alone = |input| {
        let (rest, args) = alt((sealed, stub)).parse(input)?;
        if lines(rest).starts_with(')') { Ok((rest, args)) } else { fault(rest, ")") }
    };
    let inner = input.strip_prefix('(').unwrap_or(input);
    let (rest, args) = match alone(inner) {
        Ok(found) => found,
        Err(failure @ Err::Failure(_)) => return Err(failure),
        Err(_) => cut(named).parse(inner)?,
    };
    let (rest, ()) = cut(symbol(")")).parse(lines(rest))?;
    Ok((rest, args))
}

/// `x3`
pub(super) fn times(input: &str) -> Parsed<'_, u32> {
    let at = blanks(input);
    let digits = at.strip_prefix(['x', 'X', '×']).unwrap_or_default();
    match number(digits) {
        Ok((rest, times)) if digits.starts_with(|c: char| c.is_ascii_digit()) => Ok((rest, times)),
        _ => fault(at, "how many times, such as x3"),
    }
}

fn comma(input: &str) -> Parsed<'_, ()> {
    symbol(",")(lines(input))
}

fn argument(input: &str) -> Parsed<'_, (Option<Word>, ValueText)> {
    let input = lines(input);
    let (rest, name) = opt(named).parse(input)?;
    let (rest, value) = if name.is_some() { cut(one_value).parse(rest)? } else { one_value(rest)? };
    let Ok((rest, times)) = times(rest) else { return Ok((rest, (name, value))) };
    // `e1 x2`: so many of it.
    let left = value.left();
    let public = Word { text: "public".to_owned(), left };
    let times = ValueText::Bare(Word { text: times.to_string(), left });
    let value = ValueText::Mixed(vec![(None, value), (Some(public), times)], left);
    Ok((rest, (name, value)))
}

/// `name=`
fn named(input: &str) -> Parsed<'_, Word> {
    let (rest, (name, ())) = (name, symbol("=")).parse(input)?;
    Ok((rest, name))
}

/// Hexadecimal digits, in groups as you like.
pub(super) fn octets(input: &str) -> Parsed<'_, Word> {
    let at = blanks(input);
    let (digits, rest) = until(at, |c| !c.is_ascii_hexdigit() && !matches!(c, ' ' | '\t'));
    let text: String = digits.chars().filter(char::is_ascii_hexdigit).collect();
    if text.len() % 2 == 1 {
        return Err(Err::Failure(Fault { at, expected: vec!["two hexadecimal digits an octet"] }));
    }
    Ok((rest, Word { text, left: at.len() }))
}

/// `->TRUE,FS1`
pub(super) fn results(input: &str) -> Parsed<'_, Vec<ValueText>> {
    let tag = |input| {
        let (rest, (_, (), text)) = (opt(keyword("union")), keyword("tag"), name).parse(input)?;
        // What people add about the arm.
        let said = preceded(symbol(","), alt((keyword("null pointer"), keyword("empty arm"))));
        let (rest, _) = opt(said).parse(rest)?;
        Ok((rest, ValueText::Tag(text)))
    };
    let null_name = map(keyword("null name"), |()| {
        ValueText::Bare(Word { text: "null".to_owned(), left: input.len() })
    });
    let error = map(preceded(keyword("error"), quoted), ValueText::Error);
    let one = alt((tag, null_name, error, one_value));
    preceded(symbol("->"), cut(separated_list1(symbol(","), one))).parse(input)
}

/// A value.
pub(super) fn one_value(input: &str) -> Parsed<'_, ValueText> {
    let at = lines(input);
    let left = at.len();
    if let Some(rest) = at.strip_prefix('{') {
        // `{C1}` alone is no record, but nobody writes that: a text has something before it.
        let (rest, members) = members(rest, "}")?;
        return Ok((rest, record(members, left)));
    }
    if let Some(rest) = at.strip_prefix('(') {
        let (rest, members) = members(rest, ")")?;
        return Ok((rest, ValueText::Mixed(members, left)));
    }
    if let Some(rest) = at.strip_prefix('[') {
        let (rest, items) = cut(separated_list0(comma, one_value)).parse(rest)?;
        let (rest, ()) = cut(symbol("]")).parse(lines(rest))?;
        return Ok((rest, ValueText::List(items, left)));
    }
    if let Ok((rest, word)) = preceded(keyword("same as"), name).parse(at) {
        return Ok((rest, ValueText::Bare(word)));
    }
    if let Some(inner) = made(at) {
        let (_, name) = name(at)?;
        let (rest, members) = members(inner, "}")?;
        return Ok((rest, ValueText::Made(name, members)));
    }
    alt((map(quoted, ValueText::Quoted), map(bare, ValueText::Bare))).parse(at)
}

/// Values in brackets, with names or without, up to the bracket that closes them.
fn members<'i>(input: &'i str, close: &'static str) -> Parsed<'i, Vec<(Option<Word>, ValueText)>> {
    let member = |input| {
        let (rest, name) = opt(named).parse(lines(input))?;
        let (rest, value) =
            if name.is_some() { cut(one_value).parse(rest)? } else { one_value(rest)? };
        Ok((rest, (name, value)))
    };
    let (rest, members) = cut(separated_list0(comma, member)).parse(input)?;
    let (rest, ()) = cut(symbol(close)).parse(lines(rest))?;
    Ok((rest, members))
}

/// A record, if every member has a name.
fn record(members: Vec<(Option<Word>, ValueText)>, left: usize) -> ValueText {
    if members.iter().any(|(name, _)| name.is_none()) {
        return ValueText::Mixed(members, left);
    }
    let named = members.into_iter().filter_map(|(name, value)| Some((name?, value)));
    ValueText::Record(named.collect(), left)
}

/// What is in the braces of `e1{refs=1}`; `share@{C1}` and `d{C1}` are texts.
fn made(input: &str) -> Option<&str> {
    let (text, rest) = until(input, |c| !is_name(c));
    let inner = rest.strip_prefix('{').filter(|_| !text.is_empty())?;
    let named = named(lines(inner)).is_ok() || lines(inner).starts_with('}');
    named.then_some(inner)
}

/// A value without quotes: up to a comma, a blank, or a bracket that is not its own.
pub(super) fn bare(input: &str) -> Parsed<'_, Word> {
    let mut depth = 0usize;
    let mut end = input.len();
    for (at, c) in input.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ']' | ')' | ',' | ';' | '\'' | '"' => {
                end = at;
                break;
            }
            c if c.is_whitespace() => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    match input.split_at_checked(end) {
        Some((text, rest)) if !text.is_empty() => {
            Ok((rest, Word { text: text.to_owned(), left: input.len() }))
        }
        _ => fault(input, "a value"),
    }
}
