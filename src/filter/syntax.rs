//! An expression as it was written, and written again.

use std::fmt::{self, Display};

/// A place in the text, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Where something stood does not change what it is.
impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// One of these at least.
    Or(Vec<Expr>),
    /// An odd number of these.
    Xor(Vec<Expr>),
    /// All of these.
    And(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// What a field says.
    Test(Test),
}

/// A question to one field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    /// `any` or `all`, where it stands before the field.
    pub(super) quantifier: Option<Quantifier>,
    /// The field's name.
    pub(super) field: Name,
    /// The bits that are looked at: `field & mask`.
    pub(super) mask: Option<Literal>,
    /// What is asked; without it, whether there is one (or whether one of the bits is set).
    pub(super) ask: Option<Ask>,
}

/// How many of a field's values have to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    Any,
    All,
}

/// A field's name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: Place,
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Literal {
    pub(super) text: String,
    pub(super) quoted: bool,
    pub(super) place: Place,
}

/// What is asked of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    /// A comparison.
    Relation(Relation, Literal),
    /// `in { … }`: a value, or the first and last of a range.
    Within(Vec<(Literal, Option<Literal>)>),
    /// `contains`
    Contains(Literal),
    /// `matches`
    Matches(Literal),
}

/// The comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// `==`: any is equal.
    Equal,
    /// `!=`: there is one, and none is equal.
    NotEqual,
    /// `===`: there is one, and all are equal.
    AllEqual,
    /// `!==`: any is not equal.
    AnyNotEqual,
    /// `>`
    Greater,
    /// `<`
    Less,
    /// `>=`
    GreaterOrEqual,
    /// `<=`
    LessOrEqual,
}

impl Relation {
    /// Every way to write each, the usual one first.
    pub(super) const SPELLINGS: [(Self, &[&str]); 8] = [
        (Self::AllEqual, &["===", "all_eq"]),
        (Self::AnyNotEqual, &["!==", "any_ne"]),
        (Self::Equal, &["==", "eq", "any_eq"]),
        (Self::NotEqual, &["!=", "ne", "all_ne"]),
        (Self::GreaterOrEqual, &[">=", "ge"]),
        (Self::LessOrEqual, &["<=", "le"]),
        (Self::Greater, &[">", "gt"]),
        (Self::Less, &["<", "lt"]),
    ];

    /// Its usual sign.
    pub(super) fn sign(self) -> &'static str {
        let spelled = Self::SPELLINGS.iter().find(|(relation, _)| *relation == self);
        spelled.and_then(|(_, signs)| signs.first()).copied().unwrap_or_default()
    }
}

/// Binding strength, for the parentheses that are needed.
fn strength(expr: &Expr) -> u8 {
    match expr {
        Expr::Or(_) => 0,
        Expr::Xor(_) => 1,
        Expr::And(_) => 2,
        Expr::Not(_) => 3,
        Expr::Test(_) => 4,
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, word) = match self {
            Self::Or(parts) => (parts, " or "),
            Self::Xor(parts) => (parts, " xor "),
            Self::And(parts) => (parts, " and "),
            Self::Not(inner) => {
                f.write_str("not ")?;
                return within(inner, strength(self), f);
            }
            Self::Test(test) => return test.fmt(f),
        };
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                f.write_str(word)?;
            }
            within(part, strength(self) + 1, f)?;
        }
        Ok(())
    }
}

/// Writes a part, in parentheses where it binds less than `least`.
fn within(part: &Expr, least: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if strength(part) < least { write!(f, "({part})") } else { part.fmt(f) }
}

impl Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quantifier {
            Some(Quantifier::Any) => f.write_str("any ")?,
            Some(Quantifier::All) => f.write_str("all ")?,
            None => {}
        }
        f.write_str(&self.field.text)?;
        if let Some(mask) = &self.mask {
            write!(f, " & {mask}")?;
        }
        match &self.ask {
            None => Ok(()),
            Some(Ask::Relation(relation, value)) => write!(f, " {} {value}", relation.sign()),
            Some(Ask::Contains(value)) => write!(f, " contains {value}"),
            Some(Ask::Matches(value)) => write!(f, " matches {value}"),
            Some(Ask::Within(members)) => {
                f.write_str(" in {")?;
                for (at, (first, last)) in members.iter().enumerate() {
                    f.write_str(if at > 0 { ", " } else { "" })?;
                    match last {
                        Some(last) => write!(f, "{first} .. {last}")?,
                        None => first.fmt(f)?,
                    }
                }
                f.write_str("}")
            }
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        if !self.quoted {
            return f.write_str(&self.text);
        }
        f.write_char('"')?;
        for c in self.text.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if crate::bytes::is_invisible(c) => write!(f, "\\U{:08x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
