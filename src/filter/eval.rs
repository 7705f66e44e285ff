//! What was compiled, over a call.

use std::cmp::Ordering;
use std::net::IpAddr;

use regex::Regex;

use super::Subject;
use super::argument::{Argument, Calls};
use super::item::Item;
use super::literal::{Want, nanos};
use super::names::{Known, Read};
use super::syntax::{Quantifier, Relation};

/// An expression, ready to be asked.
#[derive(Debug)]
pub(super) enum Node {
    Or(Vec<Node>),
    Xor(Vec<Node>),
    And(Vec<Node>),
    Not(Box<Node>),
    /// There is a value.
    Exists(Source),
    /// Some value, or every one of at least one, passes the check.
    Check(Source, Quantifier, Option<u64>, Box<Check>),
}

/// Where values come from.
pub(super) enum Source {
    /// A field that every call may have, of these calls.
    Known(&'static Known, Calls),
    /// The calls themselves.
    Calls(Calls),
    /// What an interface's IDL names.
    Argument(Argument),
}

/// What is asked of one value.
#[derive(Debug)]
pub(super) enum Check {
    /// One of the bits is set.
    Set,
    Relation(Relation, Want),
    Within(Vec<(Want, Option<Want>)>),
    Contains(Want),
    Matches(Regex),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(known, calls) => write!(f, "{} {calls:?}", known.name),
            Self::Calls(calls) => calls.fmt(f),
            Self::Argument(argument) => argument.fmt(f),
        }
    }
}

impl Source {
    /// Gives every value the field has in a call.
    pub(super) fn read<'a>(&self, subject: &Subject<'a>, give: &mut dyn FnMut(Item<'a>)) {
        match self {
            Self::Known(_, calls) if !calls.include(subject) => {}
            Self::Known(known, _) => match known.read {
                Read::One(read) => read(subject).into_iter().for_each(give),
                Read::Many(read) => read(subject, give),
            },
            Self::Calls(calls) => {
                if calls.include(subject) {
                    give(Item::Present);
                }
            }
            Self::Argument(argument) => argument.read(subject, give),
        }
    }

    /// Whether the field may have a value in a call that cannot be read, or another one; `found`
    /// says whether it has one that can.
    fn is_hidden(&self, subject: &Subject<'_>, found: bool) -> bool {
        match self {
            Self::Known(known, calls) => {
                calls.may_include(subject) && known.is_hidden(subject.call, found)
            }
            Self::Calls(calls) => !calls.include(subject) && calls.may_include(subject),
            Self::Argument(argument) => argument.is_hidden(subject, found),
        }
    }
}

impl Node {
    /// Whether a call is what is asked for. With `doubts`, it is `None` where that depends on what
    /// is there and cannot be read; without, what cannot be read is absent.
    pub(super) fn answer(&self, subject: &Subject<'_>, doubts: bool) -> Option<bool> {
        let answer = |part: &Self| part.answer(subject, doubts);
        match self {
            Self::Or(parts) => until(parts.iter().map(answer), true),
            Self::And(parts) => until(parts.iter().map(answer), false),
            Self::Xor(parts) => {
                let answers: Option<Vec<bool>> = parts.iter().map(answer).collect();
                Some(answers?.into_iter().filter(|yes| *yes).count() % 2 == 1)
            }
            Self::Not(inner) => answer(inner).map(|yes| !yes),
            Self::Exists(source) => {
                let mut found = false;
                source.read(subject, &mut |_| found = true);
                (found || !doubts || !source.is_hidden(subject, found)).then_some(found)
            }
            Self::Check(source, quantifier, mask, check) => {
                let (mut any, mut all) = (false, true);
                source.read(subject, &mut |item| {
                    let passes = check.passes(&masked(item, *mask));
                    any |= passes;
                    all &= passes;
                });
                // Of no values, none passed.
                let yes = any && (*quantifier == Quantifier::Any || all);
                // What else there may be makes one that passes no worse, and one that does not no
                // better.
                let sure = match quantifier {
                    Quantifier::Any => any && !check.is_unequal(),
                    Quantifier::All => !all,
                };
                let found = any || !all;
                (sure || !doubts || !source.is_hidden(subject, found)).then_some(yes)
            }
        }
    }
}

/// `decides` if an answer is that, the opposite if all are, and `None` if it depends on those that
/// are not known.
fn until(answers: impl Iterator<Item = Option<bool>>, decides: bool) -> Option<bool> {
    let mut known = true;
    for answer in answers {
        match answer {
            Some(yes) if yes == decides => return Some(decides),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decides)
}

/// The bits of a number that are looked at.
fn masked(item: Item<'_>, mask: Option<u64>) -> Item<'_> {
    match (item, mask) {
        (Item::Number(n) | Item::Hex(n, _), Some(mask)) => Item::Number(n & i128::from(mask)),
        (item, _) => item,
    }
}

impl Check {
    /// Whether it asks that a value is another one.
    fn is_unequal(&self) -> bool {
        matches!(self, Self::Relation(Relation::NotEqual | Relation::AnyNotEqual, _))
    }

    fn passes(&self, item: &Item<'_>) -> bool {
        match self {
            Self::Set => !matches!(item, Item::Number(0)),
            Self::Relation(relation, want) => relates(item, *relation, want),
            Self::Within(members) => members.iter().any(|(first, last)| match last {
                None => equal(item, first),
                Some(last) => {
                    order(item, first).is_some_and(Ordering::is_ge)
                        && order(item, last).is_some_and(Ordering::is_le)
                }
            }),
            Self::Contains(want) => match (item, want) {
                (Item::Text(text), Want { text: Some(part), .. }) => text.contains(part),
                (Item::Bytes(bytes), Want { bytes: Some(part), .. }) => {
                    memchr::memmem::find(bytes, part).is_some()
                }
                _ => false,
            },
            Self::Matches(regex) => matches!(item, Item::Text(text) if regex.is_match(text)),
        }
    }
}

fn relates(item: &Item<'_>, relation: Relation, want: &Want) -> bool {
    let ordered = |is: fn(Ordering) -> bool| order(item, want).is_some_and(is);
    match relation {
        Relation::Equal | Relation::AllEqual => equal(item, want),
        Relation::NotEqual | Relation::AnyNotEqual => !equal(item, want),
        Relation::Greater => ordered(Ordering::is_gt),
        Relation::Less => ordered(Ordering::is_lt),
        Relation::GreaterOrEqual => ordered(Ordering::is_ge),
        Relation::LessOrEqual => ordered(Ordering::is_le),
    }
}

fn equal(item: &Item<'_>, want: &Want) -> bool {
    match item {
        Item::Number(n) | Item::Hex(n, _) => want.numbers.contains(n),
        Item::Address(ip) => want.net.is_some_and(|net| is_in(*ip, net)),
        Item::Guid(guid) => want.guid == Some(*guid),
        Item::Boolean(yes) => want.boolean == Some(*yes),
        _ => order(item, want) == Some(Ordering::Equal),
    }
}

/// How an item stands to what it is compared with; `None` if they are of different kinds.
fn order(item: &Item<'_>, want: &Want) -> Option<Ordering> {
    match item {
        Item::Number(n) | Item::Hex(n, _) => Some(n.cmp(want.numbers.first()?)),
        Item::Text(text) => Some((**text).cmp(want.text.as_deref()?)),
        Item::Time(_) | Item::FileTime(_) => Some(nanos(item)?.cmp(&want.time?)),
        Item::Seconds(nanos) | Item::Milliseconds(nanos) => {
            Some(i128::from(*nanos).cmp(&want.length?))
        }
        Item::Bytes(bytes) => Some((*bytes).cmp(want.bytes.as_deref()?)),
        Item::Address(ip) => {
            let (other, _) = want.net?;
            (ip.is_ipv4() == other.is_ipv4()).then(|| ip.cmp(&other))
        }
        Item::Boolean(_) | Item::Guid(_) | Item::Whole(_) | Item::Present => None,
    }
}

/// Whether an address is in a network.
fn is_in(ip: IpAddr, (net, bits): (IpAddr, u8)) -> bool {
    let (a, b, all) = match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) => (ip.to_bits().into(), net.to_bits().into(), 32),
        (IpAddr::V6(ip), IpAddr::V6(net)) => (ip.to_bits(), net.to_bits(), 128),
        _ => return false,
    };
    let host = u32::from(all - bits.min(all));
    // With no bits left everything is in it.
    u128::checked_shr(a ^ b, host).unwrap_or(0) == 0
}
