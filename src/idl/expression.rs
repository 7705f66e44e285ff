//! Expressions: \[C706\] 6.1.5 and 6.3, with the precedences of C.

use std::rc::Rc;

use nom::Parser;
use nom::branch::alt;
use nom::combinator::{cut, map};
use nom::sequence::delimited;

use super::expr::{Operator, Unop};
use super::grammar::NESTING;
use super::lexer::{Parsed, fault, name, number, skip, symbol};
use super::syntax::Term;

/// Operators within operators; a sum of so many terms is one.
const HEIGHT: usize = 256;

/// A term and how many operators are within one another in it.
type Tall = (Term, usize);

/// A whole expression.
pub(super) fn expression(input: &str) -> Parsed<'_, Term> {
    map(|input| choice(input, 0), |(term, _)| term).parse(input)
}

/// The height of what is made of terms of these heights.
fn above<'a>(input: &'a str, heights: &[usize]) -> Parsed<'a, usize> {
    let height = heights.iter().max().map_or(0, |height| height + 1);
    if height > HEIGHT {
        return cut(|input| fault(input, "a simpler expression")).parse(input);
    }
    Ok((input, height))
}

fn choice(input: &str, depth: usize) -> Parsed<'_, Tall> {
    if depth > NESTING {
        return cut(|input| fault(input, "a simpler expression")).parse(input);
    }
    let (input, condition) = binary(input, 0, depth)?;
    let Ok((input, ())) = symbol("?")(input) else {
        return Ok((input, condition));
    };
    let branch = |input| choice(input, depth + 1);
    let (input, (yes, (), no)) = cut((branch, symbol(":"), branch)).parse(input)?;
    let ((condition, a), (yes, b), (no, c)) = (condition, yes, no);
    let (input, height) = above(input, &[a, b, c])?;
    Ok((input, (Term::Choice(Rc::new((condition, yes, no))), height)))
}

/// The binary operators of C with how tightly they bind.
const OPERATORS: [(&str, u8, Operator); 18] = [
    ("||", 1, Operator::Or),
    ("&&", 2, Operator::And),
    ("==", 6, Operator::Eq),
    ("!=", 6, Operator::Ne),
    ("<<", 8, Operator::Shl),
    (">>", 8, Operator::Shr),
    ("<=", 7, Operator::Le),
    (">=", 7, Operator::Ge),
    ("<", 7, Operator::Lt),
    (">", 7, Operator::Gt),
    ("|", 3, Operator::BitOr),
    ("^", 4, Operator::BitXor),
    ("&", 5, Operator::BitAnd),
    ("+", 9, Operator::Add),
    ("-", 9, Operator::Sub),
    ("*", 10, Operator::Mul),
    ("/", 10, Operator::Div),
    ("%", 10, Operator::Rem),
];

/// Operators that bind tighter than `least`.
fn binary(input: &str, least: u8, depth: usize) -> Parsed<'_, Tall> {
    let (mut input, (mut left, mut height)) = unary(input, depth)?;
    loop {
        let text = skip(input);
        let next = OPERATORS
            .iter()
            .find_map(|(sign, level, op)| Some((text.strip_prefix(sign)?, *level, *op)));
        match next {
            Some((rest, level, op)) if level > least => {
                let (rest, (right, other)) =
                    cut(|input| binary(input, level, depth)).parse(rest)?;
                (input, height) = above(rest, &[height, other])?;
                left = Term::Binary(op, Rc::new((left, right)));
            }
            _ => return Ok((input, (left, height))),
        }
    }
}

fn unary(mut input: &str, depth: usize) -> Parsed<'_, Tall> {
    let mut signs = Vec::new();
    loop {
        let text = skip(input);
        let mut chars = text.chars();
        signs.push(match chars.next() {
            Some('*') => Unop::Deref,
            Some('-') => Unop::Minus,
            Some('~') => Unop::BitNot,
            Some('!') => Unop::Not,
            _ => break,
        });
        if signs.len() > NESTING {
            return fault(input, "a simpler expression");
        }
        input = chars.as_str();
    }
    let inner = |input| choice(input, depth + 1);
    let (input, (term, height)) = alt((
        delimited(symbol("("), inner, symbol(")")),
        map(number, |number| (Term::Number(number), 0)),
        map(name, |name| (Term::Name(name), 0)),
    ))
    .parse(input)?;
    let height = height + signs.len();
    let term = signs.into_iter().rev().fold(term, |term, sign| Term::Unary(sign, Rc::new(term)));
    Ok((input, (term, height)))
}
