//! Names of fields looked up: those of every call, and those the IDL of an interface gives.

use super::argument::{Argument, Calls, Declared, Facet, same};
use super::compile::Compiler;
use super::error::{Error, Hint};
use super::eval::Source;
use super::item::Kind;
use super::names::{KNOWN, Known, Words, known};
use super::places::{all, sent};
use super::syntax::Name;
use crate::ndr::Direction;
use crate::protocol::{Interface, Registry};
use crate::spelling::nearest;

/// Fields of every call that a protocol's name may stand before.
const OF_PROTOCOLS: [&str; 3] = ["opnum", "status", "method"];

/// What stands before parameters of one direction.
const DIRECTIONS: [(&str, Direction); 2] =
    [("request", Direction::In), ("response", Direction::Out)];

/// A field, found.
pub(super) struct Found {
    pub(super) source: Source,
    pub(super) kinds: Vec<Kind>,
    pub(super) words: Words,
    pub(super) declared: Declared,
}

impl Found {
    fn new(source: Source, kinds: Vec<Kind>, words: Words) -> Self {
        Self { source, kinds, words, declared: Declared::default() }
    }

    fn known(known: &'static Known, calls: Calls) -> Self {
        Self::new(Source::Known(known, calls), vec![known.kind], known.words)
    }

    pub(super) fn kinds(&self) -> String {
        self.kinds.iter().map(|kind| kind.words()).collect::<Vec<_>>().join(" or ")
    }

    pub(super) fn only(&self, kinds: &[Kind]) -> Vec<Kind> {
        self.kinds.iter().copied().filter(|kind| kinds.contains(kind)).collect()
    }
}

impl Compiler<'_> {
    /// The field of a name.
    pub(super) fn field(&self, name: &Name) -> Result<Found, Error> {
        self.find(&name.text).ok_or_else(|| {
            let candidates = every_name(&self.interfaces);
            let near = nearest(&name.text, candidates.iter().map(String::as_str));
            let hint = match near.first() {
                Some(near) => Hint(Some(near)).to_string(),
                None => "; `vshark names` lists them".to_owned(),
            };
            let message = format!("there is no field `{}`{hint}", name.text);
            Error::new(self.text, name.place, message)
        })
    }

    fn find(&self, name: &str) -> Option<Found> {
        if let Some(known) = known(name) {
            return Some(Found::known(known, Calls::default()));
        }
        if name.split('.').any(str::is_empty) {
            return None;
        }
        let (first, rest) = name.split_once('.').unwrap_or((name, ""));
        let rest: Vec<&str> = if rest.is_empty() { Vec::new() } else { rest.split('.').collect() };
        let calls = Calls::default();
        match direction(first) {
            Some(direction) => self.argument(&calls, Some(direction), &rest),
            None => self.of_protocol(first, &rest),
        }
    }

    /// `protocol`, `protocol.opnum`, `protocol.Operation`, `protocol.[Operation.][request.]path`.
    fn of_protocol(&self, protocol: &str, mut rest: &[&str]) -> Option<Found> {
        let of = self.interfaces.iter().filter(|interface| called(interface, protocol));
        let of: Vec<_> = of.map(|interface| (interface.uuid, interface.version.0)).collect();
        if of.is_empty() {
            return None;
        }
        let mut calls = Calls { interfaces: Some(of), operation: None };
        if let [word] = rest {
            let is = |name: &&&str| word.eq_ignore_ascii_case(name);
            if let Some(name) = OF_PROTOCOLS.iter().find(is) {
                return Some(Found::known(known(name)?, calls));
            }
        }
        if let Some((word, after)) = rest.split_first()
            && let Some(operation) = operation(&self.among(&calls), word)
        {
            calls.operation = Some(operation);
            rest = after;
        }
        if rest.is_empty() {
            return Some(Found::new(Source::Calls(calls), vec![Kind::Presence], Words::Any));
        }
        match rest.split_first().and_then(|(word, after)| Some((direction(word)?, after))) {
            Some((direction, after)) => self.argument(&calls, Some(direction), after),
            None => self.argument(&calls, None, rest),
        }
    }

    /// What there is at the end of a path, or one side of it.
    fn argument(
        &self,
        calls: &Calls,
        direction: Option<Direction>,
        path: &[&str],
    ) -> Option<Found> {
        let interfaces = self.among(calls);
        let (last, before) = path.split_last()?;
        let plain = argument(&interfaces, calls, direction, path, Facet::Value);
        plain.or_else(|| argument(&interfaces, calls, direction, before, Facet::of(last)?))
    }
}

/// What of this path there is in these interfaces.
fn argument(
    interfaces: &[&Interface],
    calls: &Calls,
    direction: Option<Direction>,
    path: &[&str],
    facet: Facet,
) -> Option<Found> {
    let mut argument = Argument {
        calls: calls.clone(),
        direction,
        path: path.iter().map(|word| (*word).to_owned()).collect(),
        facet,
    };
    let mut declared = argument.declared(interfaces);
    if declared.is_none() {
        // Its own name may be another one for that of the IDL.
        let last = argument.path.last_mut()?;
        let also = interfaces.iter().flat_map(|i| i.also.iter());
        let (_, name) = also.into_iter().find(|(also, _)| also.eq_ignore_ascii_case(last))?;
        *last = name.to_string();
        declared = argument.declared(interfaces);
    }
    let declared = declared?;
    let kinds = declared.kinds.clone();
    let found = Found::new(Source::Argument(argument), kinds, Words::Any);
    Some(Found { declared, ..found })
}

/// The operation of this name, which other tools write behind the name of the protocol.
fn operation(interfaces: &[&Interface], word: &str) -> Option<String> {
    for interface in interfaces {
        let prefixed = |prefix: &str| {
            let (start, rest) = word.split_at_checked(prefix.len())?;
            start.eq_ignore_ascii_case(prefix).then(|| rest.strip_prefix('_'))?
        };
        let bare = interface.protocol.as_deref().and_then(prefixed);
        let bare = bare.or_else(|| prefixed(&interface.name)).unwrap_or(word);
        let is = |name: &str| same(name, word) || same(name, bare);
        if let Some(operation) = interface.operations.iter().find(|op| is(&op.name)) {
            return Some(operation.name.to_string());
        }
    }
    None
}

/// All interfaces, in a fixed order.
pub(super) fn sorted(registry: &Registry) -> Vec<&Interface> {
    let mut interfaces: Vec<&Interface> = registry.iter().map(|i| &**i).collect();
    interfaces.sort_by_key(|i| (i.name.clone(), i.uuid, i.version));
    interfaces
}

/// Whether an interface, or its protocol, has this name.
fn called(interface: &Interface, word: &str) -> bool {
    let protocol = interface.protocol.as_deref();
    same(&interface.name, word) || protocol.is_some_and(|name| same(name, word))
}

fn direction(word: &str) -> Option<Direction> {
    DIRECTIONS
        .into_iter()
        .find_map(|(name, direction)| name.eq_ignore_ascii_case(word).then_some(direction))
}

/// What an interface is usually called in filters.
pub(super) fn usual_name(interface: &Interface) -> &str {
    interface.protocol.as_deref().unwrap_or(&interface.name)
}

/// Every name there is, to find the one that was meant.
fn every_name(interfaces: &[&Interface]) -> Vec<String> {
    let mut names: Vec<String> = KNOWN
        .iter()
        .flat_map(|known| known.also.iter().chain([&known.name]))
        .map(|n| (*n).to_owned())
        .collect();
    for interface in interfaces {
        let protocol = usual_name(interface);
        names.push(protocol.to_owned());
        names.extend(OF_PROTOCOLS.map(|name| format!("{protocol}.{name}")));
        names.extend(interface.operations.iter().map(|op| format!("{protocol}.{}", op.name)));
        names.extend(all(interface).into_iter().map(|(name, _)| format!("{protocol}.{name}")));
        // Not every parameter travels both ways.
        for (word, direction) in DIRECTIONS {
            let sent = sent(interface, direction).into_iter();
            names.extend(sent.map(|name| format!("{word}.{name}")));
        }
    }
    names
}
