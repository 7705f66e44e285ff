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

/// A whole expression.
pub(super) fn expression(input: &str) -> Parsed<'_, Term> {
    choice(input, 0)
}

fn choice(input: &str, depth: usize) -> Parsed<'_, Term> {
    if depth > NESTING {
        return cut(|input| fault(input, "a simpler expression")).parse(input);
    }
    let (input, condition) = binary(input, 0, depth)?;
    let Ok((input, ())) = symbol("?")(input) else {
        return Ok((input, condition));
    };
    let branch = |input| choice(input, depth + 1);
    let (input, (yes, (), no)) = cut((branch, symbol(":"), branch)).parse(input)?;
    Ok((input, Term::Choice(Rc::new((condition, yes, no)))))
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

/// Operators that bind tighter than `above`.
fn binary(input: &str, above: u8, depth: usize) -> Parsed<'_, Term> {
    let (mut input, mut left) = unary(input, depth)?;
    loop {
        let text = skip(input);
        let next = OPERATORS
            .iter()
            .find_map(|(sign, level, op)| Some((text.strip_prefix(sign)?, *level, *op)));
        match next {
            Some((rest, level, op)) if level > above => {
                let (rest, right) = cut(|input| binary(input, level, depth)).parse(rest)?;
                left = Term::Binary(op, Rc::new((left, right)));
                input = rest;
            }
            _ => return Ok((input, left)),
        }
    }
}

fn unary(mut input: &str, depth: usize) -> Parsed<'_, Term> {
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
    let (input, term) = alt((
        delimited(symbol("("), inner, symbol(")")),
        map(number, Term::Number),
        map(name, Term::Name),
    ))
    .parse(input)?;
    let term = signs.into_iter().rev().fold(term, |term, sign| Term::Unary(sign, Rc::new(term)));
    Ok((input, term))
}
