//! Calls that have a word of their own, and those of the remote unknown: `release`, `addref`, `qi`.

use std::rc::Rc;

use super::activate::{NO_INTERFACE, made, shared};
use super::elements::number;
use super::heads::named_guid;
use super::{Object, Objects, REFS};
use crate::bytes::Guid;
use crate::dcom::write::{Standard, record};
use crate::ndr::{Arg, Direction};
use crate::protocol::dcom::{IOBJECTEXPORTER, IREMUNKNOWN};
use crate::scenario::grammar::{ACTIVATES, Fail};
use crate::scenario::resolve::{Resolver, tampered, unknown};
use crate::scenario::results::Placed;
use crate::scenario::steps::{Answer, Call, Dcom, Line, Step, Stub};
use crate::scenario::syntax::{AnswerText, ArgsText, CallText, ValueText, Word};
use crate::scenario::words;

pub(super) type Given<'t> = &'t [(Option<Word>, ValueText)];

/// What somebody does with references.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Activate,
    Release,
    AddRef,
    Query,
    Resolve,
    Ping,
    SimplePing,
    Alive,
}

const ACTS: [(&str, Act); 8] = [
    (ACTIVATES, Act::Activate),
    ("release", Act::Release),
    ("addref", Act::AddRef),
    ("qi", Act::Query),
    ("resolve", Act::Resolve),
    ("ping", Act::Ping),
    ("simpleping", Act::SimplePing),
    ("alive", Act::Alive),
];

/// What is asked, and how it is answered when it succeeds.
pub(super) struct Asks {
    pub(super) interface: Guid,
    pub(super) opnum: u16,
    pub(super) args: Vec<Placed>,
    pub(super) results: Vec<Placed>,
    /// The object exporter whose remote unknown is called.
    pub(super) oxid: Option<u64>,
    pub(super) server: usize,
}

impl Resolver<'_> {
    /// A call that is written by a word of its own; false if it is none.
    pub(in crate::scenario) fn act(
        &mut self,
        text: &CallText,
        method: &Word,
        line: Line,
    ) -> Result<bool, Fail> {
        let found = ACTS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&method.text));
        let Some((_, act)) = found else { return Ok(false) };
        if self.settings_of(line).dcom.is_none() {
            if *act == Act::Activate {
                let message = "objects are activated where `dcom` is set".to_owned();
                return Err(Fail::at(method, message));
            }
            return Ok(false);
        }
        let (call, answer) = match act {
            Act::Activate => self.activation(text, method, line)?,
            act => self.referring(text, (method, *act), line)?,
        };
        self.wait(text.delay.unwrap_or_default());
        let call = shared(call, answer);
        self.pend(&call);
        self.step(Step::Call(call));
        Ok(true)
    }

    /// Calls of the remote unknown and of the exporter.
    fn referring(
        &mut self,
        text: &CallText,
        (method, act): (&Word, Act),
        line: Line,
    ) -> Result<(Call, Option<Answer>), Fail> {
        let given: Given<'_> = match &text.args {
            Some(ArgsText::Named(given)) => given,
            Some(ArgsText::Stub(_)) => {
                let message = "its octets are given by opnum: IRemUnknown.5(stub=…)".to_owned();
                return Err(Fail::at(method, message));
            }
            Some(ArgsText::Sealed) | None => &[],
        };
        let results: Vec<&ValueText> = match &text.answer {
            Some(AnswerText::Returns { results, .. }) => {
                results.iter().filter(|value| !matches!(value, ValueText::Error(_))).collect()
            }
            _ => Vec::new(),
        };
        let (status, left) = match &text.answer {
            Some(AnswerText::Returns { status, .. }) => {
                let of = match act {
                    Act::Release | Act::AddRef | Act::Query => IREMUNKNOWN,
                    _ => IOBJECTEXPORTER,
                };
                let interface = self.interface_of(of);
                let code = words::status(self.registry, &interface, &status.text)
                    .map_err(|e| unknown(status, "status", &e))?;
                (code, status.left)
            }
            _ => (0, method.left),
        };
        let at = At { left, status, method };
        let asks = match act {
            Act::Release | Act::AddRef => self.counting(act, given, line, at)?,
            Act::Query => self.query(given, &results, line, at)?,
            Act::Resolve => self.resolution(given, line, at)?,
            Act::Ping => self.ping(given, &results, line, at)?,
            Act::SimplePing => self.simple_ping(given, line, at)?,
            Act::Activate | Act::Alive => self.alive(line, at),
        };
        let settings = self.settings_of(line);
        let interface = self.interface_of(asks.interface);
        let way = self.way(text, &settings, &interface, None, line)?;
        let said = text.more.iter().any(|(name, _)| name.text == "object");
        let dcom = way.map(|way| {
            let uuid = if said { way.uuid } else { asks.oxid.map(Objects::unknown) };
            Rc::new(Dcom { uuid, ..(*way).clone() })
        });
        let line = Line { server: asks.server, ..line };
        let tampered = tampered(text, &settings)?;
        let mut call = Call {
            line,
            settings,
            interface,
            opnum: asks.opnum,
            request: Stub::Octets(Vec::new()),
            answer: None,
            delay: text.delay,
            sealed: text.sealed,
            tampered,
            lost: text.lost.clone(),
            dcom,
        };
        call.request = made(&call, Direction::In, &asks.args, method.left)?;
        let answer = match &text.answer {
            None if text.waits => None,
            None | Some(AnswerText::Returns { .. }) => {
                let mut results = asks.results;
                results.push(("return".to_owned(), status.into(), left));
                Some(Answer::Response(made(&call, Direction::Out, &results, left)?))
            }
            Some(_) => self.answer(text, &call)?,
        };
        Ok((call, answer))
    }

    /// `release(e1, m1 x2, {d1,private=1})`, `addref(e1,3)`
    fn counting(
        &mut self,
        act: Act,
        given: Given<'_>,
        line: Line,
        at: At<'_>,
    ) -> Result<Asks, Fail> {
        let mut refs: Vec<(Object, u32, u32)> = Vec::new();
        for (name, value) in given {
            self.room(value.left())?;
            let number_of = |value: &ValueText| match value {
                ValueText::Bare(word) => {
                    words::number(&word.text).and_then(|n| u32::try_from(n).ok())
                }
                _ => None,
            };
            // `addref(e1,3)`, `addref(e1,private=1)`: a number is that of the object before it.
            if let Some((_, public, private)) = refs.last_mut() {
                match (name.as_ref().map(|name| name.text.as_str()), number_of(value)) {
                    (None | Some("public"), Some(number)) => {
                        *public = number;
                        continue;
                    }
                    (Some("private"), Some(number)) => {
                        *private = number;
                        if name.is_some() && act == Act::AddRef {
                            *public = 0;
                        }
                        continue;
                    }
                    _ => {}
                }
            }
            let (name, public, private) = counted(value)?;
            let object = self.object(line.client, name)?;
            let usual = match act {
                Act::AddRef => REFS,
                _ if object.held > 0 => object.held,
                _ => object.standard.public_refs,
            };
            let public = match (public, private) {
                (Some(public), _) => public,
                (None, Some(_)) => 0,
                (None, None) => usual,
            };
            if let Some(object) = self.objects.get_mut(line.client, &name.text) {
                object.held = match act {
                    Act::AddRef => object.held.saturating_add(public),
                    _ => object.held.saturating_sub(public),
                };
            }
            refs.push((object, public, private.unwrap_or_default()));
        }
        let Some((first, ..)) = refs.first() else {
            return Err(Fail::at(at.method, format!("which object is to {}?", at.method.text)));
        };
        let (oxid, server) = (first.standard.oxid, first.server);
        let results = refs.iter().map(|_| at.status.into()).collect();
        let of = |(object, public, private): &(Object, u32, u32)| {
            record([
                ("ipid", object.standard.ipid.into()),
                ("cPublicRefs", (*public).into()),
                ("cPrivateRefs", (*private).into()),
            ])
        };
        let refs = Arg::List(refs.iter().map(of).collect());
        let add = act == Act::AddRef;
        Ok(Asks {
            interface: IREMUNKNOWN,
            opnum: if add { 4 } else { 5 },
            args: vec![at.placed("InterfaceRefs", refs)],
            results: add.then(|| at.placed("pResults", Arg::List(results))).into_iter().collect(),
            oxid: Some(oxid),
            server,
        })
    }

    /// `qi(m1,Diff)=0->m2`
    fn query(
        &mut self,
        given: Given<'_>,
        results: &[&ValueText],
        line: Line,
        at: At<'_>,
    ) -> Result<Asks, Fail> {
        let (mut object, mut iids, mut refs) = (None, Vec::new(), REFS);
        for (name, value) in given {
            match (name, value) {
                (Some(name), value) if name.text == "refs" => refs = number(name, value)?,
                (None, ValueText::Bare(word)) if object.is_none() => {
                    object = Some(self.object(line.client, word)?);
                }
                (_, ValueText::List(items, _)) => {
                    for item in items {
                        iids.push(named_guid(self, at.method, item)?);
                    }
                }
                (_, value) => iids.push(named_guid(self, at.method, value)?),
            }
        }
        let (Some(object), false) = (object, iids.is_empty()) else {
            let message = "which object is asked for which interface?".to_owned();
            return Err(Fail::at(at.method, message));
        };
        if let Some(more) = results.get(iids.len()) {
            let message = format!("{} interfaces were asked for", iids.len());
            return Err(Fail { left: more.left(), message });
        }
        let mut found = Vec::new();
        for (n, iid) in iids.iter().enumerate() {
            self.room(at.method.left)?;
            let (name, members) = match results.get(n).copied() {
                Some(ValueText::Bare(word)) if word.text.eq_ignore_ascii_case("null") => {
                    found.push(query_result(NO_INTERFACE, Standard::default()));
                    continue;
                }
                Some(ValueText::Bare(word)) => (Some(word), &[][..]),
                Some(ValueText::Made(word, members)) => (Some(word), members.as_slice()),
                Some(other) => {
                    let message = "expected the name of an object, or null".to_owned();
                    return Err(Fail { left: other.left(), message });
                }
                None if at.status != 0 => {
                    found.push(query_result(at.status, Standard::default()));
                    continue;
                }
                None => (None, &[][..]),
            };
            let mut other = self.objects.issue(object.server, *iid);
            (other.standard.oid, other.standard.oxid) = (object.standard.oid, object.standard.oxid);
            (other.origin, other.volume) = (object.origin, object.volume.clone());
            other.standard.public_refs = refs;
            let settings = self.settings_of(line);
            self.altered(&mut other, members, line.client, &settings)?;
            found.push(query_result(0, other.standard));
            if let Some(name) = name {
                self.objects.name(line.client, &name.text, other);
            }
        }
        let iids = Arg::List(iids.into_iter().map(Arg::from).collect());
        Ok(Asks {
            interface: IREMUNKNOWN,
            opnum: 3,
            args: vec![
                at.placed("ripid", object.standard.ipid.into()),
                at.placed("cRefs", refs.into()),
                at.placed("iids", iids),
            ],
            results: vec![at.placed("ppQIResults", Arg::List(found))],
            oxid: Some(object.standard.oxid),
            server: object.server,
        })
    }
}

/// Where something is said, and with which status.
#[derive(Clone, Copy)]
pub(super) struct At<'t> {
    left: usize,
    pub(super) status: u32,
    pub(super) method: &'t Word,
}

impl At<'_> {
    pub(super) fn placed(self, name: &str, arg: Arg) -> Placed {
        (name.to_owned(), arg, self.left)
    }
}

/// `REMQIRESULT`
fn query_result(code: u32, standard: Standard) -> Arg {
    record([("hResult", code.into()), ("std", standard.arg())])
}

/// `e1`, `e1 x2`, `{e1,public=0,private=1}`: the object, public and private references.
fn counted(value: &ValueText) -> Result<(&Word, Option<u32>, Option<u32>), Fail> {
    let members = match value {
        ValueText::Bare(word) => return Ok((word, None, None)),
        ValueText::Mixed(members, _) => members,
        other => {
            let message = "expected the name of an object".to_owned();
            return Err(Fail { left: other.left(), message });
        }
    };
    let (mut object, mut public, mut private) = (None, None, None);
    for (name, value) in members {
        match (name, value) {
            (None, ValueText::Bare(word)) => object = Some(word),
            (Some(name), value) if name.text == "public" => public = Some(number(name, value)?),
            (Some(name), value) if name.text == "private" => private = Some(number(name, value)?),
            (_, value) => {
                let message = "expected an object, public=N or private=N".to_owned();
                return Err(Fail { left: value.left(), message });
            }
        }
    }
    let left = value.left();
    let object = object
        .ok_or_else(|| Fail { left, message: "expected the name of an object".to_owned() })?;
    Ok((object, public, private))
}
