//! The grammar, one function a rule. The module's page has it in words.

use nom::branch::alt;
use nom::combinator::{cut, map, opt, value};
use nom::multi::{many0, separated_list1};
use nom::sequence::{delimited, preceded};
use nom::{Err, Parser};

use super::Error;
use super::lexer::{
    Fault, Parsed, blanks, duration, fault, is_name, keyword, lines, name, number, quoted, symbol,
    until,
};
use super::syntax::{
    AnswerText, ArgsText, CallText, Kind, LineText, Lost, Place, Statement, ValueText, Word,
};
use super::terms::{args, bare, braces, octets, one_value, results, times};
use crate::bytes::Side;

/// What is wrong with a word, before it is known which file it stands in.
#[derive(Debug)]
pub(super) struct Fail {
    pub(super) left: usize,
    pub(super) message: String,
}

impl Fail {
    pub(super) fn at(word: &Word, message: String) -> Self {
        Self { left: word.left, message }
    }
}

/// Brackets within brackets.
const NESTING: usize = 32;
/// The method that is written behind a client's name.
pub(super) const ACTIVATES: &str = "activates";
/// What may be said behind an object call.
const MORE: [&str; 11] =
    ["object", "on", "port", "this", "that", "error", "extra", "level", "fetched", "max", "offset"];

/// Parses a scenario.
pub(super) fn parse(file: &str, source: &str) -> Result<Vec<Statement>, Error> {
    if let Some(deep) = too_deep(source) {
        let message = format!("brackets are nested deeper than {NESTING}");
        return Err(Error::at(file, source, deep, message));
    }
    let statements = match statements(source) {
        Ok(("", statements)) => return Ok(statements),
        Ok((rest, _)) => Err(Err::Error(Fault { at: rest, expected: vec!["a statement"] })),
        Err(error) => Err(error),
    };
    match statements {
        Err(Err::Error(fault) | Err::Failure(fault)) => Err(expected(file, source, &fault)),
        Err(Err::Incomplete(_)) | Ok(()) => Ok(Vec::new()),
    }
}

/// Where brackets are nested too deep; those of comments do not count.
fn too_deep(source: &str) -> Option<usize> {
    let (mut depth, mut comment, mut blank) = (0usize, false, true);
    for (at, c) in source.char_indices() {
        match c {
            '\n' => comment = false,
            '#' if blank => comment = true,
            _ if comment => {}
            '(' | '{' | '[' => depth = depth.saturating_add(1),
            ')' | '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        blank = c.is_whitespace();
        if depth > NESTING {
            return Some(at);
        }
    }
    None
}

fn expected(file: &str, source: &str, fault: &Fault<'_>) -> Error {
    let mut wanted: Vec<String> = Vec::new();
    for what in &fault.expected {
        let what = if what.contains(' ') { (*what).to_owned() } else { format!("`{what}`") };
        if !wanted.contains(&what) {
            wanted.push(what);
        }
    }
    let at = blanks(fault.at);
    let found = match at.split_whitespace().next() {
        None => "the file ends".to_owned(),
        Some(_) if at.starts_with('\n') => "the line ends".to_owned(),
        Some(word) => format!("found `{}`", word.chars().take(24).collect::<String>()),
    };
    let message = if wanted.is_empty() {
        format!("this is not understood: {found}")
    } else {
        format!("expected {}, {found}", wanted.join(" or "))
    };
    Error::at(file, source, source.len().saturating_sub(at.len()), message)
}

/// Statements up to a closing bracket or the end.
fn statements(input: &str) -> Parsed<'_, Vec<Statement>> {
    let mut all = Vec::new();
    let mut rest = input;
    loop {
        rest = lines(rest).trim_start_matches(';');
        rest = lines(rest);
        if rest.starts_with(';') {
            continue;
        }
        if rest.is_empty() || rest.starts_with(')') {
            return Ok((rest, all));
        }
        let (after, statement) = statement(rest)?;
        all.push(statement);
        rest = blanks(after);
        if !(rest.is_empty() || rest.starts_with(['\n', ';', ')', '#'])) {
            return fault(rest, "the end of the statement");
        }
    }
}

fn statement(input: &str) -> Parsed<'_, Statement> {
    let left = input.len();
    let kind = |kind| Statement { left, kind };
    if input.starts_with('(') {
        return map(group, kind).parse(input);
    }
    if begins_call(input) {
        return map(call, |call| kind(Kind::Call(Box::new(call)))).parse(input);
    }
    map(words, |words| kind(Kind::Words(words))).parse(input)
}

/// `( … ) x3`
fn group(input: &str) -> Parsed<'_, Kind> {
    let (rest, body) = delimited(symbol("("), statements, cut(symbol(")"))).parse(input)?;
    let (rest, times) = cut(times).parse(rest)?;
    Ok((rest, Kind::Group { body, times }))
}

/// Whether a statement is a call: who, a colon, and what; or who activates.
fn begins_call(input: &str) -> bool {
    keyword("lose")(input).is_ok() || place(input).is_ok() || activation(input).is_ok()
}

/// `A activates`
fn activation(input: &str) -> Parsed<'_, (Place, Word)> {
    let (rest, place) = who(input)?;
    let at = blanks(rest);
    let (rest, ()) = keyword(ACTIVATES)(at)?;
    Ok((rest, (place, Word { text: ACTIVATES.to_owned(), left: at.len() })))
}

/// `lose request of`, `lose answer of`, `lose frames 2-3 of`
fn losses(input: &str) -> Parsed<'_, Vec<Lost>> {
    let one = alt((
        value(Lost::Request, keyword("request")),
        value(Lost::Answer, keyword("answer")),
        map(
            preceded(
                alt((keyword("frames"), keyword("frame"))),
                cut((number, opt(preceded(symbol("-"), number)))),
            ),
            |(first, last)| Lost::Frames(first, last.unwrap_or(first)),
        ),
    ));
    match keyword("lose")(input) {
        Ok((rest, ())) => cut((separated_list1(symbol(","), one), keyword("of")))
            .parse(rest)
            .map(|(rest, (lost, ()))| (rest, lost)),
        Err(_) => Ok((input, Vec::new())),
    }
}

/// A, `A#2`, `A@10.0.0.1`, `A->FS1`, and the ways people say it: `A on a new connection`; a colon.
pub(super) fn place(input: &str) -> Parsed<'_, Place> {
    let (rest, place) = who(input)?;
    let (rest, ()) = symbol(":")(rest)?;
    Ok((rest, place))
}

fn who(input: &str) -> Parsed<'_, Place> {
    let new = |words| value(LineText::New, (keyword(words), symbol(":")));
    let numbered = |input| {
        let at = blanks(input);
        let Some(rest) = at.strip_prefix("conn") else { return fault(at, "a name") };
        map((number, symbol(":")), |(n, ())| line(n)).parse(rest)
    };
    let before = alt((
        new("new conn"),
        new("new connection"),
        new("new association"),
        value(LineText::Number(1), (keyword("same association"), symbol(":"))),
        numbered,
    ));
    let after = alt((
        value(LineText::New, keyword("on a new connection")),
        delimited(symbol("("), connection, symbol(")")),
        value(LineText::Number(1), rights),
        preceded(symbol("#"), alt((value(LineText::New, keyword("new")), map(number, line)))),
    ));
    let at = preceded(symbol("@"), |input| {
        let at = blanks(input);
        // An IPv6 address is in brackets, because the colon ends the place.
        if let Some((address, rest)) = at.strip_prefix('[').and_then(|a| a.split_once(']')) {
            return Ok((rest, Word { text: address.to_owned(), left: at.len() }));
        }
        let (text, rest) = until(at, |c| !is_name(c) && c != '.');
        let word = Word { text: text.to_owned(), left: at.len() };
        if text.is_empty() { fault(at, "an address or a server") } else { Ok((rest, word)) }
    });
    let said = preceded(symbol("->"), name);
    let (rest, (before, client, after, at, _, server)) =
        (opt(before), name, opt(after), opt(at), opt(rights), opt(said)).parse(input)?;
    Ok((rest, Place { client, line: after.or(before), at, server }))
}

/// A remark about a client, which says nothing of a connection.
fn rights(input: &str) -> Parsed<'_, ()> {
    let at = blanks(input);
    let (rest, ()) = remark(at)?;
    let said = at.len().checked_sub(rest.len()).and_then(|len| at.get(..len)).unwrap_or_default();
    if said.starts_with('(') && !said.contains("conn") { Ok((rest, ())) } else { fault(at, ":") }
}

fn line(number: u32) -> LineText {
    LineText::Number(u8::try_from(number).unwrap_or(u8::MAX))
}

/// `new connection`, `2nd connection`
fn connection(input: &str) -> Parsed<'_, LineText> {
    let numbered = |input| {
        let (rest, number) = number(input)?;
        let rest = ["st", "nd", "rd", "th"].iter().find_map(|end| rest.strip_prefix(end));
        Ok((rest.unwrap_or_default(), line(number)))
    };
    let new = value(LineText::New, keyword("new"));
    let (rest, (line, ())) = (alt((new, numbered)), keyword("connection")).parse(input)?;
    Ok((rest, line))
}

fn call(input: &str) -> Parsed<'_, CallText> {
    let (rest, lost) = losses(input)?;
    let (rest, place, methods) = if let Ok((rest, (place, method))) = activation(rest) {
        (blanks(rest), place, vec![method])
    } else {
        let (rest, place) = cut(place).parse(rest)?;
        let (rest, methods) = cut(separated_list1(symbol(","), method)).parse(rest)?;
        (rest, place, methods)
    };
    let activates = methods.iter().any(|method| method.text == ACTIVATES);
    let (rest, args) = match rest.chars().next() {
        Some('(') => map(args, Some).parse(rest)?,
        Some('{') if activates => map(braces, Some).parse(rest)?,
        _ => (rest, None),
    };
    let sealed = matches!(args, Some(ArgsText::Sealed));
    let call = CallText {
        lost,
        place,
        methods,
        args,
        answer: None,
        delay: None,
        waits: false,
        sealed,
        tampered: None,
        times: 1,
        more: Vec::new(),
    };
    suffixes(rest, call)
}

/// `4`, `SetContext`, `mgmt.0`, `m1.QVSS`, `?m1.QVSS`
fn method(input: &str) -> Parsed<'_, Word> {
    let at = blanks(input);
    let (text, rest) = until(at, |c| !is_name(c) && !matches!(c, '.' | '?'));
    let word = Word { text: text.to_owned(), left: at.len() };
    if text.is_empty() { fault(at, "an opnum or the name of a method") } else { Ok((rest, word)) }
}

/// `max=2`, `object=none`
fn more(input: &str) -> Parsed<'_, (Word, ValueText)> {
    let (text, rest) = until(input, |c| !is_name(c));
    if !MORE.contains(&text) || !rest.starts_with('=') {
        return fault(input, "the end of the statement");
    }
    (name, preceded(symbol("="), cut(one_value))).parse(input)
}

/// What follows the arguments, in any order.
fn suffixes(input: &str, mut call: CallText) -> Parsed<'_, CallText> {
    let mut rest = input;
    loop {
        let at = blanks(rest);
        if at.is_empty() || at.starts_with(['\n', ';', ')', '#']) {
            return Ok((rest, call));
        }
        rest = if at.starts_with("->") || at.starts_with('=') {
            let (after, answer) = answer(at)?;
            call.answer = Some(answer);
            after
        } else if let Ok((after, ())) =
            delimited(symbol("("), keyword("enc"), symbol(")")).parse(at)
        {
            call.sealed = true;
            after
        } else if let Ok((after, side)) = preceded(keyword("tampered"), cut(half)).parse(at) {
            call.tampered = Some(side);
            after
        } else if let Ok((after, more)) = more(at) {
            call.more.push(more);
            after
        } else if at.starts_with('(') {
            remark(at)?.0
        } else if let Ok((after, times)) = times(at) {
            call.times = times;
            after
        } else {
            let Ok((after, (waits, delay))) = timing(at) else {
                return fault(at, "the end of the statement");
            };
            call.waits |= waits;
            call.delay = delay.or(call.delay);
            after
        };
    }
}

/// One of both messages of a call.
fn half(input: &str) -> Parsed<'_, Side> {
    alt((value(Side::Client, keyword("request")), value(Side::Server, keyword("answer"))))
        .parse(input)
}

/// How long an answer takes, or that it is still to come.
fn timing(input: &str) -> Parsed<'_, (bool, Option<u64>)> {
    let takes = alt((keyword("after"), keyword("takes"), keyword("at")));
    let nothing = alt((
        keyword("unanswered"),
        keyword("no answer"),
        keyword("outstanding"),
        keyword("pending"),
        keyword("sent"),
        symbol("..."),
        symbol("…"),
    ));
    let waiting = preceded((nothing, opt(keyword("for"))), opt(duration));
    let takes = map(preceded(takes, cut(duration)), |delay| (false, Some(delay)));
    alt((takes, map(waiting, |delay| (true, delay)))).parse(input)
}

/// Something in parentheses that is for people.
fn remark(input: &str) -> Parsed<'_, ()> {
    let mut depth = 0usize;
    for (at, c) in input.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '\n' => break,
            _ => {}
        }
        if depth == 0 {
            return Ok((input.get(at.saturating_add(1)..).unwrap_or_default(), ()));
        }
    }
    fault(input, "a remark with both of its parentheses")
}

/// `=0->S1`, `=fault nca_s_op_rng_error`, `=pipe STATUS_PIPE_BROKEN`, `=stub 00000000`
fn answer(input: &str) -> Parsed<'_, AnswerText> {
    let (rest, equals) = opt(symbol("=")).parse(input)?;
    if equals.is_none() {
        let (rest, results) = results(rest)?;
        let status = Word { text: "0".to_owned(), left: input.len() };
        return Ok((rest, AnswerText::Returns { status, results }));
    }
    let word = |input| {
        let at = blanks(input);
        let (text, rest) = until(at, |c| !is_name(c));
        // `=0->S1`: the hyphen is the arrow's.
        let text =
            if rest.starts_with('>') { text.strip_suffix('-').unwrap_or(text) } else { text };
        let rest = at.get(text.len()..).unwrap_or_default();
        let word = Word { text: text.to_owned(), left: at.len() };
        if text.is_empty() { fault(at, "a status, `fault` or `stub`") } else { Ok((rest, word)) }
    };
    if let Ok((rest, ())) = keyword("fault")(rest) {
        return map(cut(word), AnswerText::Fault).parse(rest);
    }
    if let Ok((rest, ())) = keyword("pipe")(rest) {
        return map(cut(word), AnswerText::Pipe).parse(rest);
    }
    if let Ok((rest, ())) = keyword("stub")(rest) {
        return map(octets, AnswerText::Stub).parse(rest);
    }
    let (rest, status) = cut(word).parse(rest)?;
    let (rest, results) = map(opt(results), Option::unwrap_or_default).parse(rest)?;
    Ok((rest, AnswerText::Returns { status, results }))
}

/// Words up to the end of the statement; one in quotes may have blanks.
fn words(input: &str) -> Parsed<'_, Vec<Word>> {
    let word = |input| {
        let at = blanks(input);
        if at.starts_with('\n') || at.starts_with('#') {
            return fault(at, "a word");
        }
        alt((quoted, bare)).parse(at)
    };
    let (rest, words) = many0(word).parse(input)?;
    let rest = match rest.strip_prefix(',') {
        None => rest,
        Some(_) => return fault(rest, "the end of the statement"),
    };
    // A remark may end it.
    let at = blanks(rest);
    let rest = if at.starts_with('(') { remark(at)?.0 } else { rest };
    if words.is_empty() { fault(input, "a statement") } else { Ok((rest, words)) }
}
