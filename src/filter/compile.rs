//! Values looked up, kinds checked: what was written becomes what can be asked.

use std::collections::BTreeSet;

use regex::RegexBuilder;

use super::argument::Calls;
use super::error::{Error, Hint};
use super::eval::{Check, Node, Source};
use super::item::Kind;
use super::literal::{Want, expectation, number};
use super::names::Words;
use super::resolve::{Found, sorted};
use super::syntax::{Ask, Expr, Literal, Name, Quantifier, Relation, Test};
use crate::idl::Names;
use crate::protocol::{Interface, Registry};
use crate::rpc::names::FAULTS;
use crate::spelling::nearest;

/// Octets a compiled regular expression may take.
const REGEX_SIZE: usize = 1 << 20;
/// Groups within each other in a regular expression.
const REGEX_DEPTH: u32 = 100;

/// What is needed to compile: the expression, for its places, and what is known of interfaces.
pub(super) struct Compiler<'t> {
    pub(super) text: &'t str,
    registry: &'t Registry,
    /// In a fixed order.
    pub(super) interfaces: Vec<&'t Interface>,
}

impl<'t> Compiler<'t> {
    pub(super) fn new(text: &'t str, registry: &'t Registry) -> Self {
        Self { text, registry, interfaces: sorted(registry) }
    }

    pub(super) fn node(&self, expr: &Expr) -> Result<Node, Error> {
        let nodes = |parts: &[Expr]| -> Result<Vec<Node>, Error> {
            parts.iter().map(|part| self.node(part)).collect()
        };
        Ok(match expr {
            Expr::Or(parts) => Node::Or(nodes(parts)?),
            Expr::Xor(parts) => Node::Xor(nodes(parts)?),
            Expr::And(parts) => Node::And(nodes(parts)?),
            Expr::Not(inner) => Node::Not(Box::new(self.node(inner)?)),
            Expr::Test(test) => self.test(test)?,
        })
    }

    fn test(&self, test: &Test) -> Result<Node, Error> {
        let found = self.field(&test.field)?;
        let mask = test.mask.as_ref().map(|mask| self.mask(test, &found, mask)).transpose()?;
        let check = match &test.ask {
            None if mask.is_some() => Check::Set,
            None => return Ok(Node::Exists(found.source)),
            Some(ask) => self.check(&test.field, &found, ask)?,
        };
        let usual = match check {
            Check::Relation(Relation::NotEqual | Relation::AllEqual, _) => Quantifier::All,
            _ => Quantifier::Any,
        };
        let quantifier = test.quantifier.unwrap_or(usual);
        Ok(Node::Check(found.source, quantifier, mask, Box::new(check)))
    }

    fn mask(&self, test: &Test, found: &Found, mask: &Literal) -> Result<u64, Error> {
        let name = &test.field.text;
        if !found.kinds.contains(&Kind::Number) {
            let message = format!("`{name}` is {}, not a number that has bits", found.kinds());
            return Err(Error::new(self.text, test.field.place, message));
        }
        let numbers = match number(&mask.text) {
            Some(n) => vec![n],
            None => self.named(found, &mask.text),
        };
        let bits = match *numbers {
            [bits] => u64::try_from(bits).ok(),
            _ => None,
        };
        bits.ok_or_else(|| self.bad_value(name, found, mask, "a number or the name of a flag"))
    }

    fn check(&self, field: &Name, found: &Found, ask: &Ask) -> Result<Check, Error> {
        match ask {
            Ask::Relation(relation, literal) => {
                let ordered = !matches!(
                    relation,
                    Relation::Equal
                        | Relation::NotEqual
                        | Relation::AllEqual
                        | Relation::AnyNotEqual
                );
                let want = self.want(field, found, literal, ordered)?;
                Ok(Check::Relation(*relation, want))
            }
            Ask::Within(members) => {
                let member = |(first, last): &(Literal, Option<Literal>)| {
                    let want = |literal: &Literal| self.want(field, found, literal, last.is_some());
                    Ok((want(first)?, last.as_ref().map(want).transpose()?))
                };
                Ok(Check::Within(members.iter().map(member).collect::<Result<_, _>>()?))
            }
            Ask::Contains(literal) => {
                let kinds: Vec<Kind> = found.only(&[Kind::Text, Kind::Bytes]);
                self.searchable(field, found, "contains", &kinds)?;
                let want = Want::new(literal, &kinds, &|_| Vec::new());
                let bad = || self.bad_value(&field.text, found, literal, &expectation(&kinds));
                Ok(Check::Contains(want.ok_or_else(bad)?))
            }
            Ask::Matches(literal) => {
                self.searchable(field, found, "matches", &found.only(&[Kind::Text]))?;
                let regex = RegexBuilder::new(&literal.text)
                    .case_insensitive(true)
                    .size_limit(REGEX_SIZE)
                    .dfa_size_limit(REGEX_SIZE)
                    .nest_limit(REGEX_DEPTH)
                    .build();
                regex.map(Check::Matches).map_err(|error| {
                    Error::new(
                        self.text,
                        literal.place,
                        format!("this is no regular expression: {}", reason(&error)),
                    )
                })
            }
        }
    }

    fn searchable(
        &self,
        field: &Name,
        found: &Found,
        operator: &str,
        kinds: &[Kind],
    ) -> Result<(), Error> {
        if !kinds.is_empty() {
            return Ok(());
        }
        let message =
            format!("`{}` is {}; `{operator}` looks into text", field.text, found.kinds());
        Err(Error::new(self.text, field.place, message))
    }

    /// What a value means to a field, and whether the field can be in an order to it.
    fn want(
        &self,
        field: &Name,
        found: &Found,
        literal: &Literal,
        ordered: bool,
    ) -> Result<Want, Error> {
        let name = &field.text;
        let here = |message| Error::new(self.text, literal.place, message);
        if found.kinds == [Kind::Presence] {
            let message = format!("`{name}` is there or not, and has no value to compare with");
            return Err(Error::new(self.text, field.place, message));
        }
        let want = Want::new(literal, &found.kinds, &|name| self.named(found, name));
        let Some(want) = want else {
            let expected = expectation(&found.kinds);
            return Err(self.bad_value(name, found, literal, &expected));
        };
        if !ordered {
            self.sayable(field, found, literal)?;
            return Ok(want);
        }
        let [first, ..] = *want.numbers else {
            if let Some(kind) = found.kinds.iter().find(|k| matches!(k, Kind::Guid | Kind::Boolean))
            {
                return Err(here(format!("`{name}` is {}, which has no order", kind.words())));
            }
            let whole =
                |(ip, bits): (std::net::IpAddr, u8)| bits == if ip.is_ipv4() { 32 } else { 128 };
            if !want.net.is_none_or(whole) {
                return Err(here("a network has no order: use `==`".to_owned()));
            }
            return Ok(want);
        };
        if want.numbers.iter().any(|n| *n != first) {
            return Err(here(format!("`{}` stands for several numbers", literal.text)));
        }
        Ok(want)
    }

    /// A word that a field never says is a mistake.
    fn sayable(&self, field: &Name, found: &Found, literal: &Literal) -> Result<(), Error> {
        if found.kinds != [Kind::Text] {
            return Ok(());
        }
        let Some(words) = self.words(found.words) else { return Ok(()) };
        if words.contains(&*literal.text) {
            return Ok(());
        }
        let near = nearest(&literal.text, words.iter().copied());
        let mut message = format!("`{}` never says `{}`", field.text, literal.text);
        if matches!(found.words, Words::These(_)) {
            let words: Vec<&str> = words.iter().copied().collect();
            message = format!("{message}, but {}", words.join(", "));
        }
        Err(Error::new(
            self.text,
            literal.place,
            format!("{message}{}", Hint(near.first().map(String::as_str))),
        ))
    }

    fn bad_value(&self, name: &str, found: &Found, literal: &Literal, expected: &str) -> Error {
        let candidates: Vec<&str> = match found.words {
            _ if !found.kinds.contains(&Kind::Number) => Vec::new(),
            Words::Any => found.declared.names.iter().flat_map(|n| names_of(n)).collect(),
            words => self.words(words).into_iter().flatten().collect(),
        };
        let or = if candidates.is_empty() || expected.contains("name") { "" } else { " or a name" };
        let near = nearest(&literal.text, candidates);
        let hint = Hint(near.first().map(String::as_str));
        let message =
            format!("expected {expected}{or} for `{name}`, found `{}`{hint}", literal.text);
        Error::new(self.text, literal.place, message)
    }

    /// The numbers that have a name.
    fn named(&self, found: &Found, name: &str) -> Vec<i128> {
        let mut numbers: Vec<i128> = match found.words {
            Words::Statuses => {
                let all = self.registry.statuses();
                all.filter(|(other, _)| *other == name).map(|(_, code)| code.into()).collect()
            }
            Words::Faults => {
                let all = FAULTS.iter();
                all.filter(|(_, other)| *other == name).map(|(code, _)| (*code).into()).collect()
            }
            Words::Methods => {
                let calls = match &found.source {
                    Source::Known(_, calls) => calls.clone(),
                    _ => Calls::default(),
                };
                let operations = self.operations(&calls);
                operations.filter(|op| *op.1 == *name).map(|op| op.0.into()).collect()
            }
            _ => {
                let tables = found.declared.names.iter();
                let mut numbers: Vec<i128> =
                    tables.flat_map(|names| value_of(names, name)).collect();
                if found.declared.truth {
                    let truth = [("true", 1), ("false", 0)];
                    let is = |(word, n): (&str, i128)| word.eq_ignore_ascii_case(name).then_some(n);
                    numbers.extend(truth.into_iter().filter_map(is));
                }
                numbers
            }
        };
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The interfaces of some calls.
    pub(super) fn among(&self, calls: &Calls) -> Vec<&'t Interface> {
        let some = calls.interfaces.as_ref();
        let is = |i: &&&Interface| some.is_none_or(|some| some.contains(&(i.uuid, i.version.0)));
        self.interfaces.iter().filter(is).copied().collect()
    }

    /// Number and name of the operations of some calls.
    fn operations<'s>(
        &'s self,
        calls: &Calls,
    ) -> impl Iterator<Item = (u16, &'t str)> + use<'s, 't> {
        let interfaces = self.among(calls);
        interfaces.into_iter().flat_map(|i| i.operations.iter().map(|op| (op.opnum, &*op.name)))
    }

    /// The words a field can say, if they are known.
    fn words(&self, words: Words) -> Option<BTreeSet<&str>> {
        Some(match words {
            Words::Any => return None,
            Words::These(words) => words.iter().copied().collect(),
            Words::Methods => self.operations(&Calls::default()).map(|(_, name)| name).collect(),
            Words::Interfaces => self.interfaces.iter().map(|i| &*i.name).collect(),
            Words::Statuses => self.registry.statuses().map(|(name, _)| name).collect(),
            Words::Faults => FAULTS.iter().map(|(_, name)| *name).collect(),
        })
    }
}

fn names_of(names: &Names) -> impl Iterator<Item = &str> {
    let bits = names.bits.iter().map(|(_, name)| &**name);
    names.values.iter().map(|(_, name)| &**name).chain(bits)
}

fn value_of(names: &Names, name: &str) -> Vec<i128> {
    let values = names.values.iter().filter(|(_, other)| &**other == name);
    let bits = names.bits.iter().filter(|(_, other)| &**other == name);
    let values = values.map(|(n, _)| i128::from(*n));
    values.chain(bits.map(|(n, _)| i128::from(*n))).collect()
}

/// What is wrong with a regular expression, on one line.
fn reason(error: &regex::Error) -> String {
    let text = match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        error => error.to_string(),
    };
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}
