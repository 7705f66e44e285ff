//! The grammar, from the loosest to the tightest:
//!
//! ```text
//! or   := xor (("or" | "||") xor)*
//! xor  := and (("xor" | "^^") and)*
//! and  := not (("and" | "&&") not)*
//! not  := ("not" | "!") not | "(" or ")" | test
//! test := ["any" | "all"] field [("&" | "bitwise_and") value]
//!         [relation value | ["not"] "in" "{" member ("," member)* "}" | ("contains" | "matches" | "~") value]
//! member := value [".." value]
//! ```

use nom::branch::alt;
use nom::combinator::{cut, map, opt, value};
use nom::multi::{many0, separated_list1};
use nom::sequence::{delimited, preceded};
use nom::{Err, Parser};

use super::error::Error;
use super::lexer::{Fault, Parsed, failure, fault, field, literal, symbol};
use super::syntax::{Ask, Expr, Literal, Place, Quantifier, Relation, Test};

/// Parentheses and negations within each other.
const MAX_DEPTH: u8 = 64;
/// Bytes of an expression.
const MAX_LEN: usize = 64 << 10;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, Error> {
    if text.len() > MAX_LEN {
        let message = format!("the filter has {} bytes, more than {MAX_LEN}", text.len());
        return Err(Error::new(text, Place::default(), message));
    }
    if text.trim().is_empty() {
        // Nothing is asked.
        return Ok(Expr::And(Vec::new()));
    }
    let fault = match either(text, 0) {
        Ok((rest, mut expr)) if rest.trim_start().is_empty() => {
            turn(&mut expr, text.len());
            return Ok(expr);
        }
        Ok((rest, _)) => Fault { at: rest.trim_start(), expected: after(rest) },
        Err(Err::Error(fault) | Err::Failure(fault)) => fault,
        Err(Err::Incomplete(_)) => Fault { at: "", expected: "more" },
    };
    let start = text.len() - fault.at.len();
    let found: String = fault.at.split_whitespace().next().unwrap_or_default().to_owned();
    let place = Place { start, end: start + found.len() };
    let found = match (&*found, fault.at.chars().next()) {
        ("", _) => "the end".to_owned(),
        (_, Some(c @ ('(' | ')' | '{' | '}' | ','))) => format!("`{c}`"),
        (found, _) => format!("`{}`", found.chars().take(40).collect::<String>()),
    };
    Err(Error::new(text, place, format!("expected {}, found {found}", fault.expected)))
}

/// What may follow an expression, and what is often written instead.
fn after(rest: &str) -> &'static str {
    match rest.trim_start().chars().next() {
        Some('=') => "`==` (a single `=` compares nothing)",
        Some(')') => "the end (there is no `(` for this parenthesis)",
        Some('[') => "an operator (parts of a field cannot be taken)",
        _ => "an operator such as `==` or `contains`, or `and`, `or`, or the end",
    }
}

fn either(input: &str, depth: u8) -> Parsed<'_, Expr> {
    let word = alt((symbol("or"), symbol("||"), symbol("OR")));
    chain(input, depth, word, xor, Expr::Or)
}

fn xor(input: &str, depth: u8) -> Parsed<'_, Expr> {
    let word = alt((symbol("xor"), symbol("^^"), symbol("XOR")));
    chain(input, depth, word, and, Expr::Xor)
}

fn and(input: &str, depth: u8) -> Parsed<'_, Expr> {
    let word = alt((symbol("and"), symbol("&&"), symbol("AND")));
    chain(input, depth, word, not, Expr::And)
}

/// `part (word part)*`; one part alone is itself.
fn chain<'a, W>(
    input: &'a str,
    depth: u8,
    word: W,
    part: fn(&'a str, u8) -> Parsed<'a, Expr>,
    make: fn(Vec<Expr>) -> Expr,
) -> Parsed<'a, Expr>
where
    W: Parser<&'a str, Output = (), Error = Fault<'a>>,
{
    let (rest, first) = part(input, depth)?;
    let (rest, more) = many0(preceded(word, cut(|input| part(input, depth)))).parse(rest)?;
    if more.is_empty() {
        return Ok((rest, first));
    }
    let mut parts = vec![first];
    parts.extend(more);
    Ok((rest, make(parts)))
}

fn not(input: &str, depth: u8) -> Parsed<'_, Expr> {
    if depth >= MAX_DEPTH {
        return failure(input, "fewer parentheses and negations within each other (64)");
    }
    let inner = |input| not(input, depth + 1);
    let negation = alt((symbol("not"), symbol("!"), symbol("NOT")));
    let negated = map(preceded(negation, cut(inner)), |expr| Expr::Not(Box::new(expr)));
    let closing = |input| match symbol(")")(input) {
        Ok(closed) => Ok(closed),
        Err(_) => failure(input, "`)`, `and`, `or` or an operator"),
    };
    let grouped = delimited(symbol("("), cut(|input| either(input, depth + 1)), closing);
    match alt((negated, grouped, test)).parse(input) {
        Err(Err::Error(Fault { at, .. })) if at.len() == input.trim_start().len() => {
            fault(input, "the name of a field, `not` or `(`")
        }
        parsed => parsed,
    }
}

fn test(input: &str) -> Parsed<'_, Expr> {
    let quantifier =
        opt(alt((value(Quantifier::Any, symbol("any")), value(Quantifier::All, symbol("all")))));
    let (rest, (quantifier, field)) = (quantifier, field).parse(input)?;
    let and = alt((symbol("&"), symbol("bitwise_and")));
    let (rest, mask) = opt(preceded(and, cut(literal))).parse(rest)?;
    let negated = preceded(symbol("not"), symbol("in"));
    if let Ok((rest, ())) = { negated }.parse(rest) {
        let (rest, ask) = cut(set).parse(rest)?;
        let test = Test { quantifier, field, mask, ask: Some(ask) };
        return Ok((rest, Expr::Not(Box::new(Expr::Test(test)))));
    }
    let (rest, ask) = opt(ask).parse(rest)?;
    Ok((rest, Expr::Test(Test { quantifier, field, mask, ask })))
}

fn ask(input: &str) -> Parsed<'_, Ask> {
    let matches = alt((symbol("matches"), symbol("~")));
    alt((
        map((relation, cut(literal)), |(relation, value)| Ask::Relation(relation, value)),
        preceded(symbol("in"), cut(set)),
        map(preceded(symbol("contains"), cut(literal)), Ask::Contains),
        map(preceded(matches, cut(literal)), Ask::Matches),
    ))
    .parse(input)
}

fn relation(input: &str) -> Parsed<'_, Relation> {
    for (relation, spellings) in Relation::SPELLINGS {
        for spelling in spellings {
            if let Ok((rest, ())) = symbol(spelling)(input) {
                return Ok((rest, relation));
            }
        }
    }
    fault(input, "an operator")
}

fn set(input: &str) -> Parsed<'_, Ask> {
    let member = (literal, opt(preceded(symbol(".."), cut(literal))));
    let members = separated_list1(symbol(","), cut(member));
    let closing = |input| match symbol("}")(input) {
        Ok(closed) => Ok(closed),
        Err(_) => failure(input, "`,`, `..` or `}`"),
    };
    let opening = |input| match symbol("{")(input) {
        Ok(opened) => Ok(opened),
        Err(_) => failure(input, "`{` and the values"),
    };
    map(delimited(opening, members, closing), Ask::Within).parse(input)
}

/// Places are counted from the end while the whole is not known.
fn turn(expr: &mut Expr, len: usize) {
    let place = |place: &mut Place| {
        place.start = len - place.start;
        place.end = len - place.end;
    };
    let literal = |literal: &mut Literal| place(&mut literal.place);
    match expr {
        Expr::Or(parts) | Expr::Xor(parts) | Expr::And(parts) => {
            for part in parts {
                turn(part, len);
            }
        }
        Expr::Not(inner) => turn(inner, len),
        Expr::Test(test) => {
            place(&mut test.field.place);
            test.mask.iter_mut().for_each(literal);
            match &mut test.ask {
                Some(Ask::Relation(_, value) | Ask::Contains(value) | Ask::Matches(value)) => {
                    literal(value);
                }
                Some(Ask::Within(members)) => {
                    for (first, last) in members {
                        literal(first);
                        last.iter_mut().for_each(literal);
                    }
                }
                None => {}
            }
        }
    }
}
