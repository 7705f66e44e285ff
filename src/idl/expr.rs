//! Expressions of the type table, which `size_is` and its like hold.

use std::sync::Arc;

/// An expression over the parameters or members beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A number.
    Number(i64),
    /// A parameter or member, pointers followed.
    Name(Arc<str>),
    /// An operator on one operand.
    Unary(Unop, Box<Expr>),
    /// An operator on two operands.
    Binary(Operator, Box<(Expr, Expr)>),
    /// `a ? b : c`.
    Choice(Box<(Expr, Expr, Expr)>),
}

impl Expr {
    /// Its value, where `name` gives those of the names; none when one is unknown, or on overflow.
    pub fn value(&self, name: &dyn Fn(&str) -> Option<i64>) -> Option<i64> {
        match self {
            Self::Number(n) => Some(*n),
            Self::Name(of) => name(of),
            Self::Unary(op, operand) => {
                let n = operand.value(name)?;
                match op {
                    Unop::Deref => Some(n),
                    Unop::Minus => n.checked_neg(),
                    Unop::BitNot => Some(!n),
                    Unop::Not => Some(i64::from(n == 0)),
                }
            }
            Self::Binary(op, operands) => {
                let (a, b) = &**operands;
                op.apply(a.value(name)?, b.value(name)?)
            }
            Self::Choice(operands) => {
                let (condition, yes, no) = &**operands;
                let chosen = if condition.value(name)? == 0 { no } else { yes };
                chosen.value(name)
            }
        }
    }

    /// The one name in it that `name` does not know, with the value that makes this `want`.
    ///
    /// Only for sums, products and quotients with what is known; of a quotient the least.
    pub fn solve(&self, want: i64, name: &dyn Fn(&str) -> Option<i64>) -> Option<(&Arc<str>, i64)> {
        match self {
            Self::Name(of) => name(of).is_none().then_some((of, want)),
            Self::Unary(Unop::Deref, operand) => operand.solve(want, name),
            Self::Binary(op, operands) => {
                let (a, b) = &**operands;
                match (op, a.value(name), b.value(name)) {
                    (Operator::Add, None, Some(b)) => a.solve(want.checked_sub(b)?, name),
                    (Operator::Add, Some(a), None) => b.solve(want.checked_sub(a)?, name),
                    (Operator::Sub, None, Some(b)) => a.solve(want.checked_add(b)?, name),
                    (Operator::Sub, Some(a), None) => b.solve(a.checked_sub(want)?, name),
                    (Operator::Mul, None, Some(n)) if want.checked_rem(n)? == 0 => {
                        a.solve(want.checked_div(n)?, name)
                    }
                    (Operator::Mul, Some(n), None) if want.checked_rem(n)? == 0 => {
                        b.solve(want.checked_div(n)?, name)
                    }
                    (Operator::Div, None, Some(b)) => a.solve(want.checked_mul(b)?, name),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// An operator on one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unop {
    Deref,
    Minus,
    BitNot,
    Not,
}

/// An operator on two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Shl,
    Shr,
    BitAnd,
    BitOr,
    BitXor,
    And,
    Or,
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
}

impl Operator {
    fn apply(self, a: i64, b: i64) -> Option<i64> {
        let shift = u32::try_from(b).ok();
        match self {
            Self::Add => a.checked_add(b),
            Self::Sub => a.checked_sub(b),
            Self::Mul => a.checked_mul(b),
            Self::Div => a.checked_div(b),
            Self::Rem => a.checked_rem(b),
            Self::Shl => a.checked_shl(shift?),
            Self::Shr => a.checked_shr(shift?),
            Self::BitAnd => Some(a & b),
            Self::BitOr => Some(a | b),
            Self::BitXor => Some(a ^ b),
            Self::And => Some(i64::from(a != 0 && b != 0)),
            Self::Or => Some(i64::from(a != 0 || b != 0)),
            Self::Eq => Some(i64::from(a == b)),
            Self::Ne => Some(i64::from(a != b)),
            Self::Lt => Some(i64::from(a < b)),
            Self::Gt => Some(i64::from(a > b)),
            Self::Le => Some(i64::from(a <= b)),
            Self::Ge => Some(i64::from(a >= b)),
        }
    }
}
