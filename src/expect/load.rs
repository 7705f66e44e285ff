//! The file, read.

use toml::de::DeTable;

use super::calls::Calls;
use super::end::{Findings, Outcome};
use super::order::{MAX_METHODS, Order};
use super::shares::Shares;
use super::table::{At, Count, Source, Table, meant, syntax};
use super::unseen::Unseen;
use super::which::Which;
use super::words::{Lore, method};
use super::{Expectations, Head, Kind, MAX_EXPECTATIONS, MAX_NAME, id};
use crate::bytes::Time;
use crate::check::{Blame, Knowledge, Operation, Severity};
use crate::filter::Filter;
use crate::idl::Error;
use crate::protocol::{Registry, fsrvp};

/// What a file has.
const TABLES: [&str; 4] = ["operation", "call", "order", "finding"];
const OPERATION: [&str; 5] = ["name", "severity", "outcome", "sets", "cause"];
const CALL: [&str; 13] = [
    "name", "severity", "method", "opnum", "server", "client", "share", "where", "status",
    "within", "count", "after", "before",
];
const ORDER: [&str; 6] = ["name", "severity", "methods", "strict", "server", "client"];
const FINDING: [&str; 5] = ["name", "rule", "severity", "party", "count"];

const SEVERITIES: [(&str, Severity); 3] =
    [("error", Severity::Error), ("warning", Severity::Warning), ("note", Severity::Note)];

impl Expectations {
    /// Reads a file; `file` names it in errors.
    pub fn parse(
        file: &str,
        text: &str,
        knowledge: &Knowledge,
        registry: &Registry,
    ) -> Result<Self, Error> {
        let source = Source { file, text };
        let tables = DeTable::parse(text).map_err(|error| syntax(source, &error))?;
        let lore = Lore { knowledge, registry };
        let mut found: Vec<(usize, Head, Kind)> = Vec::new();
        for (key, value) in tables.get_ref() {
            let name = &**key.get_ref();
            let read: fn(Lore<'_>, Table<'_>) -> Result<(Head, Kind), Error> = match name {
                "operation" => operation,
                "call" => calls,
                "order" => order,
                "finding" => findings,
                word => {
                    let hint = meant(word, TABLES.into_iter());
                    let hint = hint.unwrap_or_else(|| format!("known are {}", TABLES.join(", ")));
                    let message = format!("nothing is expected of a `{word}`; {hint}");
                    return Err(source.error(key.span().start, message));
                }
            };
            let tables = match name {
                "operation" => vec![Table::new(source, name, value)?],
                _ => Table::several(source, name, value)?,
            };
            if found.len().saturating_add(tables.len()) > MAX_EXPECTATIONS {
                let message = format!("there are more than {MAX_EXPECTATIONS} expectations");
                return Err(source.error(0, message));
            }
            for table in tables {
                let (head, kind) = read(lore, table)?;
                found.push((table.at, head, kind));
            }
        }
        found.sort_by_key(|(at, ..)| *at);
        if found.is_empty() {
            return Err(source.error(0, "expected [operation], [[call]], [[order]] or [[finding]]"));
        }
        for (n, (at, head, _)) in found.iter().enumerate() {
            let before = found.iter().take(n).find(|(_, other, _)| other.id == head.id);
            if let Some((_, other, _)) = before {
                let message = format!(
                    "two expectations are called `{}`, here and on line {}: give one another `name`",
                    head.name, other.line
                );
                return Err(source.error(*at, message));
            }
        }
        let mut all: Vec<(Head, Kind)> =
            found.into_iter().map(|(_, head, kind)| (head, kind)).collect();
        link(source, &mut all)?;
        Ok(Self {
            all,
            shares: Shares::default(),
            unseen: Unseen::default(),
            latest: Time::default(),
        })
    }
}

/// Looks up the calls that `after` and `before` name.
fn link(source: Source<'_>, all: &mut [(Head, Kind)]) -> Result<(), Error> {
    let calls =
        |(head, kind): &(Head, Kind)| matches!(kind, Kind::Calls(_)).then(|| head.name.clone());
    let names: Vec<String> = all.iter().filter_map(calls).collect();
    let others = all.iter_mut().filter_map(|(head, kind)| match kind {
        Kind::Calls(calls) => Some((head, calls)),
        _ => None,
    });
    for (own, (head, calls)) in others.enumerate() {
        for beside in &mut calls.beside {
            let place = names.iter().position(|name| *name == beside.name);
            match place.filter(|place| *place != own) {
                Some(place) => beside.place = place,
                None if place.is_some() => {
                    let message = format!("`{}` is this expectation itself", beside.name);
                    return Err(source.error(beside.at, message));
                }
                None => {
                    let others = names.iter().map(String::as_str).filter(|name| *name != head.name);
                    let hint = meant(&beside.name, others);
                    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                    let message = format!("no [[call]] is called `{}`{hint}", beside.name);
                    return Err(source.error(beside.at, message));
                }
            }
        }
    }
    Ok(())
}

/// What all have; `made` names one that has no name, as far as it is not too long.
fn head(table: Table<'_>, made: &str) -> Result<Head, Error> {
    let name = table.text("name")?;
    let severity = match table.name {
        // There it says which findings are meant.
        "finding" => None,
        _ => table.word("severity", &SEVERITIES)?,
    };
    let (name, at) = match name {
        Some(At { value, at }) => (value.trim().to_owned(), at),
        None => (shorter(made), table.at),
    };
    if name.len() > MAX_NAME {
        let message = format!("expected a name of {MAX_NAME} octets at most, found {}", name.len());
        return Err(table.error(at, message));
    }
    let id = id(&name);
    if &*id == crate::gate::PREFIX {
        return Err(table.error(at, "expected a name with letters in it"));
    }
    Ok(Head {
        name,
        id,
        severity: severity.unwrap_or(Severity::Error),
        line: table.source.line(table.at),
    })
}

/// A name that was made up, without its end where it is too long.
fn shorter(name: &str) -> String {
    const END: &str = "…";
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let most = MAX_NAME - END.len();
    let fits = |(at, c): (usize, char)| Some(at + c.len_utf8()).filter(|end| *end <= most);
    let end = name.char_indices().map_while(fits).last().unwrap_or_default();
    format!("{}{END}", name.get(..end).unwrap_or_default())
}

fn operation(lore: Lore<'_>, table: Table<'_>) -> Result<(Head, Kind), Error> {
    const WORDS: [(&str, Operation); 4] = [
        ("completed", Operation::Completed),
        ("failed", Operation::Failed),
        ("unfinished", Operation::Unfinished),
        ("none", Operation::None),
    ];
    table.known(&OPERATION)?;
    let outcomes = table.texts("outcome")?.unwrap_or_default();
    let outcomes: Result<Vec<_>, _> =
        outcomes.into_iter().map(|text| table.one_of(text, &WORDS)).collect();
    let causes = table.texts("cause")?.unwrap_or_default();
    let causes: Result<Vec<_>, _> =
        causes.into_iter().map(|text| lore.cause(table, text)).collect();
    let outcome = Outcome { outcomes: outcomes?, sets: table.count("sets")?, causes: causes? };
    if outcome.outcomes.is_empty() && outcome.sets.is_none() && outcome.causes.is_empty() {
        return Err(table.error(table.at, "expected `outcome`, `sets` or `cause`"));
    }
    Ok((head(table, "operation")?, Kind::Operation(outcome)))
}

fn calls(lore: Lore<'_>, table: Table<'_>) -> Result<(Head, Kind), Error> {
    table.known(&CALL)?;
    let named = table.text("method")?;
    let opnum = match (named, table.number("opnum")?) {
        (Some(_), Some(opnum)) => {
            return Err(table.error(opnum.at, "`method` says which opnum it is"));
        }
        (Some(name), None) => Some(method(table, name)?),
        (None, Some(At { value, at })) => Some(
            u16::try_from(value).map_err(|_| table.error(at, "expected an opnum of 16 bits"))?,
        ),
        (None, None) => None,
    };
    let filter = table.text("where")?;
    let parsed = filter.map(|text| filtered(lore, table, text)).transpose()?;
    let own = |key| -> Result<Option<String>, Error> {
        Ok(table.text(key)?.map(|text| text.value.to_owned()))
    };
    let which = Which {
        // With nothing but a filter, it says itself which interface is meant.
        ours: opnum.is_some() || filter.is_none() || table.get("share").is_some(),
        opnum,
        server: own("server")?,
        client: own("client")?,
        share: own("share")?,
        filter: parsed,
    };
    let count = table.count("count")?;
    if let Some(Count { max: Some(0), .. }) = count
        && let Some(key) =
            ["status", "within", "after", "before"].into_iter().find(|key| table.get(key).is_some())
    {
        let at = table.get(key).map_or(table.at, |value| value.span().start);
        let message = format!(
            "`{key}` is asked of every call that is meant, and `count` says that there is none; to \
             say which must not be there, choose them by `where`"
        );
        return Err(table.error(at, message));
    }
    let mut status = None;
    for value in table.list("status").unwrap_or_default() {
        let (said, codes) = lore.codes(table, value)?;
        status.get_or_insert_with(Vec::new).push((said, codes));
    }
    let within = table.duration("within")?.map(|of| of.value);
    let mut beside = Vec::new();
    for (key, is_after) in [("after", true), ("before", false)] {
        let name = table.text(key)?;
        beside.extend(name.map(|name| super::calls::Beside::new(name, is_after)));
    }
    let made = opnum.and_then(name_of).map(str::to_owned);
    let made = made.or_else(|| filter.map(|text| text.value.to_owned()));
    let made = made.or_else(|| opnum.map(|opnum| format!("opnum {opnum}")));
    let head = head(table, &made.unwrap_or_else(|| "calls".to_owned()))?;
    let calls = Calls::new(which, count.unwrap_or(Count::SOME), status, within, beside);
    Ok((head, Kind::Calls(Box::new(calls))))
}

/// The name of a method of MS-FSRVP.
fn name_of(opnum: u16) -> Option<&'static str> {
    fsrvp::OPERATIONS.iter().find(|(of, _)| *of == opnum).map(|(_, name)| *name)
}

/// A filter; what is wrong in it is told at its place in the file.
fn filtered(lore: Lore<'_>, table: Table<'_>, text: At<&str>) -> Result<Filter, Error> {
    Filter::parse(text.value, lore.registry).map_err(|error| {
        let said = format!("`where`, column {} of it: {}", error.column, error.message);
        table.error(text.at, said)
    })
}

fn order(_: Lore<'_>, table: Table<'_>) -> Result<(Head, Kind), Error> {
    table.known(&ORDER)?;
    let Some(names) = table.texts("methods")? else {
        return Err(table.error(table.at, "expected `methods`, a list of at least two"));
    };
    let at = names.first().map_or(table.at, |name| name.at);
    if names.len() < 2 || names.len() > MAX_METHODS {
        return Err(table.error(at, format!("expected 2 to {MAX_METHODS} methods")));
    }
    let opnums: Result<Vec<u16>, _> = names.iter().map(|name| method(table, *name)).collect();
    let own = |key| -> Result<Option<String>, Error> {
        Ok(table.text(key)?.map(|text| text.value.to_owned()))
    };
    let strict = table.flag("strict")?.unwrap_or_default();
    let made: Vec<&str> = names.iter().map(|name| name.value).collect();
    let head = head(table, &format!("order of {}", made.join(", ")))?;
    let order = Order::new(opnums?, strict, own("server")?, own("client")?);
    Ok((head, Kind::Order(Box::new(order))))
}

fn findings(lore: Lore<'_>, table: Table<'_>) -> Result<(Head, Kind), Error> {
    const PARTIES: [(&str, Blame); 4] = [
        ("client", Blame::Client),
        ("server", Blame::Server),
        ("transport", Blame::Transport),
        ("both", Blame::Both),
    ];
    table.known(&FINDING)?;
    let rule = table.text("rule")?;
    let rules = rule.map(|rule| lore.rules(table, rule)).transpose()?;
    let severity = table.word("severity", &SEVERITIES)?;
    let party = table.word("party", &PARTIES)?;
    if rules.is_none() && severity.is_none() && party.is_none() {
        return Err(table.error(table.at, "expected `rule`, `severity` or `party`"));
    }
    let mut said = vec!["any".to_owned()];
    said.extend(party.map(|party| party.word().to_owned()));
    said.push(severity.map_or("finding", Severity::word).to_owned());
    said.extend(rules.as_ref().map(|(said, _)| format!("of {said}")));
    let said = said.join(" ");
    let head = head(table, &said)?;
    let rules = rules.map(|(_, ids)| ids);
    let count = table.count("count")?.unwrap_or(Count::SOME);
    Ok((head, Kind::Findings(Findings { rules, severity, party, count, found: 0 })))
}
