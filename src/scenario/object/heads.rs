//! How a call of DCOM travels: port, object UUID, presentation context, `ORPCTHIS` and `ORPCTHAT`.

use std::rc::Rc;
use std::sync::Arc;

use super::elements::{discriminants, number};
use super::{DYNAMIC, EXPORTER, Object};
use crate::bytes::{Both, Guid};
use crate::dcom::write::{self, record};
use crate::idl::Types;
use crate::ndr::{Arg, Value};
use crate::protocol::Interface;
use crate::protocol::dcom::{IACTIVATION, IOBJECTEXPORTER, IREMOTESCMACTIVATOR, IREMUNKNOWN};
use crate::scenario::arguments::octets_of;
use crate::scenario::grammar::Fail;
use crate::scenario::resolve::Resolver;
use crate::scenario::settings::{LEVELS, Settings};
use crate::scenario::steps::{Call, Dcom, Line};
use crate::scenario::syntax::{AnswerText, CallText, ValueText, Word};
use crate::scenario::values;
use crate::scenario::wire::octets::{noise, random_guid};
use crate::scenario::wire::rpc::SyntaxId;
use crate::scenario::words;

/// \[MS-DCOM\] 2.2.11: the version Windows has.
pub(super) const VERSION: (u32, u32) = (5, 7);
/// Who tells the text of an error.
const SOURCE: &str = "VSS";

/// Whether an interface is one of those of port 135.
fn is_exporter(uuid: Guid) -> bool {
    [IOBJECTEXPORTER, IACTIVATION, IREMOTESCMACTIVATOR].contains(&uuid)
}

/// The port of an interface, where those of objects are on `port`.
pub(in crate::scenario) fn port_of(interface: Guid, port: u16) -> u16 {
    if is_exporter(interface) { EXPORTER } else { port }
}

/// `COMVERSION`
pub(super) fn version((major, minor): (u32, u32)) -> Arg {
    record([("MajorVersion", major.into()), ("MinorVersion", minor.into())])
}

impl Resolver<'_> {
    /// The types of \[MS-DCOM\].
    pub(super) fn dcom_types(&self) -> Arc<Types> {
        let found = self.registry.interface(IREMUNKNOWN, 0);
        found.map_or_else(Arc::default, |interface| interface.types.clone())
    }

    /// How a call travels, unless it has nothing to do with DCOM.
    pub(in crate::scenario) fn way(
        &mut self,
        text: &CallText,
        settings: &Settings,
        interface: &Interface,
        called: Option<Object>,
        line: Line,
    ) -> Result<Option<Rc<Dcom>>, Fail> {
        if settings.dcom.is_none() && !interface.object {
            if let Some((name, _)) = text.more.first() {
                let message = format!("`{}` is said of calls of DCOM only", name.text);
                return Err(Fail::at(name, message));
            }
            return Ok(None);
        }
        let usual = port_of(interface.uuid, settings.dcom.unwrap_or(DYNAMIC));
        let (major, minor) = settings.version.unwrap_or(interface.version);
        let mut dcom = Dcom {
            port: usual,
            uuid: called.as_ref().map(|object| object.standard.ipid),
            context: SyntaxId(interface.uuid, major, minor),
            heads: Both::default(),
            types: self.dcom_types(),
            level: None,
            discriminants: discriminants(text),
            extra: Vec::new(),
            called: called.map(Rc::new),
        };
        for (name, value) in &text.more {
            match name.text.as_str() {
                "object" => dcom.uuid = self.uuid(line, name, value)?,
                "on" => {
                    let uuid = named_guid(self, name, value)?;
                    let known = self.registry.interface(uuid, 0);
                    let (major, minor) = known.map_or((0, 0), |known| known.version);
                    dcom.context = SyntaxId(uuid, major, minor);
                }
                "port" => {
                    let port = number(name, value)?;
                    dcom.port =
                        u16::try_from(port).ok().filter(|port| *port > 0).ok_or_else(|| {
                            Fail::at(name, format!("expected a port, found `{port}`"))
                        })?;
                }
                "level" => dcom.level = Some(level(name, value)?),
                "extra" => match value {
                    ValueText::Bare(word)
                        if word.text.len() % 2 == 0
                            && word.text.bytes().all(|c| c.is_ascii_hexdigit()) =>
                    {
                        dcom.extra = octets_of(word);
                    }
                    _ => {
                        let message = "expected two hexadecimal digits an octet".to_owned();
                        return Err(Fail::at(name, message));
                    }
                },
                _ => {}
            }
        }
        if interface.object {
            dcom.heads = self.heads(text, interface, &dcom.types)?;
        }
        Ok(Some(Rc::new(dcom)))
    }

    /// The same, with what is said of the answer to a call that waited for it.
    pub(in crate::scenario) fn answered_way(
        &mut self,
        text: &CallText,
        asked: &Call,
    ) -> Result<Option<Rc<Dcom>>, Fail> {
        let Some(dcom) = &asked.dcom else { return Ok(None) };
        let mut dcom = (**dcom).clone();
        if asked.interface.object {
            dcom.discriminants = discriminants(text);
            dcom.heads.server = self.heads(text, &asked.interface, &dcom.types)?.server;
        }
        Ok(Some(Rc::new(dcom)))
    }

    /// `object=none`, `object=m1`, `object=GUID`
    fn uuid(&self, line: Line, name: &Word, value: &ValueText) -> Result<Option<Guid>, Fail> {
        match value {
            ValueText::Bare(word) if word.text.eq_ignore_ascii_case("none") => Ok(None),
            ValueText::Bare(word) => match self.objects.get(line.client, &word.text) {
                Some(object) => Ok(Some(object.standard.ipid)),
                None => named_guid(self, name, value).map(Some),
            },
            _ => named_guid(self, name, value).map(Some),
        }
    }

    /// `ORPCTHIS` and `ORPCTHAT` of a call.
    fn heads(
        &mut self,
        text: &CallText,
        interface: &Interface,
        types: &Types,
    ) -> Result<Both<Option<Value>>, Fail> {
        let left = text.place.client.left;
        let none = |of: &str| {
            let is_none =
                |value: &ValueText| matches!(value, ValueText::Bare(word) if word.text == "none");
            text.more.iter().any(|(name, value)| name.text == of && is_none(value))
        };
        let made = |of: &str, name: &str, arg: Arg| {
            if none(of) {
                return Ok(None);
            }
            let value = write::value(types, name, arg);
            let value = value.map_err(|e| Fail { left, message: format!("{e} of {name}") })?;
            Ok(Some(value))
        };
        let client = made("this", "ORPCTHIS", self.this(text)?)?;
        let server = made("that", "ORPCTHAT", self.that(text, interface)?)?;
        Ok(Both { client, server })
    }

    /// The members of `ORPCTHIS`, with what `this={…}` says.
    pub(super) fn this(&mut self, text: &CallText) -> Result<Arg, Fail> {
        let cid = random_guid(self.objects.number() | 1 << 56);
        let mut of = Head { version: VERSION, flags: 0, reserved: 0, cid, extensions: None };
        self.head(text, "this", &mut of)?;
        let extensions = of.extensions.as_deref().map_or(Arg::Null, write::extensions);
        Ok(record([
            ("version", version(of.version)),
            ("flags", of.flags.into()),
            ("reserved1", of.reserved.into()),
            ("cid", of.cid.into()),
            ("extensions", extensions),
        ]))
    }

    /// The members of `ORPCTHAT`, with what `that={…}` and `error='…'` say.
    pub(super) fn that(&mut self, text: &CallText, interface: &Interface) -> Result<Arg, Fail> {
        let mut of =
            Head { version: VERSION, flags: 0, reserved: 0, cid: Guid::nil(), extensions: None };
        self.head(text, "that", &mut of)?;
        let more = text.more.iter().filter(|(name, _)| name.text == "error");
        let more = more.filter_map(|(_, value)| match value {
            ValueText::Quoted(word) | ValueText::Bare(word) => Some(word),
            _ => None,
        });
        let results = match &text.answer {
            Some(AnswerText::Returns { results, .. }) => results.as_slice(),
            _ => &[],
        };
        let results = results.iter().filter_map(|value| match value {
            ValueText::Error(word) => Some(word),
            _ => None,
        });
        for word in more.chain(results) {
            let error = write::error(interface.uuid, SOURCE, &word.text);
            of.extensions.get_or_insert_default().push(error);
        }
        let extensions = of.extensions.as_deref().map_or(Arg::Null, write::extensions);
        Ok(record([("flags", of.flags.into()), ("extensions", extensions)]))
    }

    fn head(&mut self, text: &CallText, of: &str, head: &mut Head) -> Result<(), Fail> {
        for (name, value) in text.more.iter().filter(|(name, _)| name.text == of) {
            if matches!(value, ValueText::Bare(word) if word.text == "none") {
                continue;
            }
            let ValueText::Record(members, _) = value else {
                return Err(Fail::at(name, format!("expected {of}={{member=value}}")));
            };
            for (member, value) in members {
                match member.text.as_str() {
                    "version" if of == "this" => head.version = versions(member, value)?,
                    "flags" => head.flags = number(member, value)?,
                    "reserved1" if of == "this" => head.reserved = number(member, value)?,
                    "cid" if of == "this" => head.cid = named_guid(self, member, value)?,
                    "extensions" => head.extensions = Some(self.extensions(member, value)?),
                    _ => {
                        let known = match of {
                            "this" => "version, flags, reserved1, cid or extensions",
                            _ => "flags or extensions",
                        };
                        let message = format!("expected {known}, found `{}`", member.text);
                        return Err(Fail::at(member, message));
                    }
                }
            }
        }
        Ok(())
    }

    /// Extensions of eight octets that nobody knows.
    fn extensions(&mut self, at: &Word, value: &ValueText) -> Result<Vec<write::Extension>, Fail> {
        let ValueText::List(items, _) = value else {
            return Err(Fail::at(at, "expected a list of GUIDs".to_owned()));
        };
        let mut all = Vec::new();
        for item in items {
            self.room(item.left())?;
            all.push((named_guid(self, at, item)?, noise(7, 8)));
        }
        Ok(all)
    }
}

/// What is said in `ORPCTHIS` or `ORPCTHAT`.
struct Head {
    version: (u32, u32),
    flags: u32,
    reserved: u32,
    cid: Guid,
    extensions: Option<Vec<write::Extension>>,
}

/// A GUID, or the name of an interface.
pub(super) fn named_guid(
    resolver: &Resolver<'_>,
    at: &Word,
    value: &ValueText,
) -> Result<Guid, Fail> {
    let found = match value {
        ValueText::Bare(word) => values::named_guid(&word.text, Some(resolver.registry)),
        _ => None,
    };
    found.ok_or_else(|| Fail {
        left: value.left(),
        message: format!("expected a GUID or the name of an interface for {}", at.text),
    })
}

/// A level of security by number or name; `none` is none.
fn level(at: &Word, value: &ValueText) -> Result<u8, Fail> {
    let found = match value {
        ValueText::Bare(word) if word.text.eq_ignore_ascii_case("none") => Some(0),
        ValueText::Bare(word) => words::numbered(LEVELS, &word.text.to_lowercase()).ok(),
        _ => None,
    };
    let found = found.and_then(|level| u8::try_from(level).ok()).filter(|level| *level <= 6);
    found.ok_or_else(|| {
        let known = "none, connect, call, packet, integrity or privacy";
        Fail::at(at, format!("expected {known} for {}", at.text))
    })
}

/// `5.7`
fn versions(at: &Word, value: &ValueText) -> Result<(u32, u32), Fail> {
    let parsed = match value {
        ValueText::Bare(word) => word.text.split_once('.').and_then(|(major, minor)| {
            let part = |text| u16::try_from(words::number(text)?).ok().map(u32::from);
            Some((part(major)?, part(minor)?))
        }),
        _ => None,
    };
    parsed.ok_or_else(|| Fail::at(at, "expected a version such as 5.7".to_owned()))
}
