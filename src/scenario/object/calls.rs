//! Calls of objects' methods: who is called, and what comes back.

use std::sync::Arc;

use super::elements::text_of;
use super::heads::named_guid;
use super::{Object, Objects, Origin, scmp};
use crate::bytes::Guid;
use crate::dcom::write::Objref;
use crate::idl::{Field, Kind};
use crate::ndr::Arg;
use crate::protocol::dcom::IREMUNKNOWN;
use crate::protocol::{Grade, Interface};
use crate::scenario::grammar::Fail;
use crate::scenario::resolve::Resolver;
use crate::scenario::settings::Settings;
use crate::scenario::steps::{Call, Line, Stub};
use crate::scenario::syntax::{ValueText, Word};
use crate::scenario::values;
use crate::scenario::wire::octets::noise;
use crate::scenario::words::{self, hint};
use crate::spelling::nearest;

/// A class that marshals its objects itself, as `CoCreateFreeThreadedMarshaler` does; what it writes is
/// its own affair.
const FREE_THREADED: Guid = Guid::from_u128(0x0000033a_0000_0000_c000_000000000046);

/// What is called.
pub(in crate::scenario) struct Callee {
    pub(in crate::scenario) interface: Arc<Interface>,
    pub(in crate::scenario) opnum: u16,
    pub(in crate::scenario) object: Option<Object>,
}

impl Resolver<'_> {
    /// The object and method of `m1.QVSS`, `?e1.3`; none if no object is named.
    pub(in crate::scenario) fn callee(
        &mut self,
        word: &Word,
        line: Line,
    ) -> Result<Option<Callee>, Fail> {
        let Some((name, method)) = word.text.rsplit_once('.') else { return Ok(None) };
        let bare = name.trim_start_matches('?');
        if bare != name && self.objects.get(line.client, bare).is_none() {
            let Some(interface) = bare.chars().next().and_then(scmp::interface_of) else {
                let message = format!(
                    "the interface of `{bare}` is not known: m, d, e and s begin such names"
                );
                return Err(Fail::at(word, message));
            };
            let mut object = self.objects.issue(line.server, interface);
            object.origin = scmp::origin_of(interface);
            self.objects.name(line.client, bare, object);
        }
        let Some(object) = self.objects.get(line.client, bare).cloned() else {
            if self.settings_of(line).dcom.is_some() && self.interface(word, name).is_err() {
                let message = format!("there is no object or interface `{name}`");
                return Err(Fail::at(word, message));
            }
            return Ok(None);
        };
        let interface = self.interface_of(object.interface);
        let opnum = opnum(word, method, &interface)?;
        Ok(Some(Callee { interface, opnum, object: Some(object) }))
    }

    /// An interface of objects, known or not.
    pub(in crate::scenario) fn interface_of(&self, uuid: Guid) -> Arc<Interface> {
        if let Some(known) = self.registry.interface(uuid, 0) {
            return known.clone();
        }
        // What is not known has numbers only.
        let like = self.registry.interface(IREMUNKNOWN, 0).unwrap_or(&self.settings.interface);
        let mut unknown = (**like).clone();
        (unknown.uuid, unknown.version) = (uuid, (0, 0));
        (unknown.object, unknown.grade) = (true, Grade::Names);
        unknown.name = uuid.to_string().into();
        unknown.operations = Vec::new();
        Arc::new(unknown)
    }

    /// An argument of a request: a value, or the reference to an object.
    pub(in crate::scenario) fn one_argument(
        &self,
        value: &ValueText,
        interface: &Interface,
        field: &Field,
        line: Line,
    ) -> Result<Arg, Fail> {
        let ty = values::pointee(&interface.types, field.ty);
        if matches!(interface.types.get(ty).kind, Kind::Interface { .. })
            && let ValueText::Bare(word) = value
            && let Some(object) = self.objects.get(line.client, &word.text)
        {
            let settings = self.settings_of(line);
            return Ok(Arg::Bytes(self.reference(object, &settings)));
        }
        values::arg(value, self.wanted(interface, field))
    }

    /// A result: a value, an object that gets a name, or elements of an enumerator.
    pub(in crate::scenario) fn one_result(
        &mut self,
        value: &ValueText,
        field: &Field,
        call: &Call,
    ) -> Result<Arg, Fail> {
        let interface = &*call.interface;
        let ty = values::pointee(&interface.types, field.ty);
        if let Kind::Interface { of, .. } = &interface.types.get(ty).kind {
            return self.given_object(value, of.as_deref(), call);
        }
        if &*field.name == "rgelt" && scmp::is_one(interface) {
            return self.elements(value, call);
        }
        values::arg(value, self.wanted(interface, field))
    }

    /// The result pointer that nothing is said of, of a call that succeeds.
    pub(in crate::scenario) fn unnamed(&mut self, field: &Field, call: &Call) -> Option<Arg> {
        let ty = values::pointee(&call.interface.types, field.ty);
        let Kind::Interface { of, .. } = &call.interface.types.get(ty).kind else { return None };
        let object = self.returned(of.as_deref(), call);
        Some(Arg::Bytes(self.reference(&object, &call.settings)))
    }

    /// A new object, as a call gives it.
    fn returned(&mut self, of: Option<&str>, call: &Call) -> Object {
        let asked = |name: &str| match &call.request {
            Stub::Arguments(asked) => {
                let found = asked.params.iter().find(|(of, _)| &**of == name);
                found.and_then(|(_, value)| value.as_guid())
            }
            Stub::Octets(_) => None,
        };
        let named = || self.registry.iter().find(|known| Some(&*known.name) == of);
        let iid = asked("InterfaceId").or_else(|| asked("riid"));
        let iid = iid.or_else(|| named().map(|known| known.uuid)).unwrap_or_default();
        let mut object = self.objects.issue(call.line.server, iid);
        let called = call.dcom.as_ref().and_then(|dcom| dcom.called.as_deref());
        let method = call.interface.operation(call.opnum).map(|of| &*of.name).unwrap_or_default();
        let volume = || {
            let asked = text_of(call, "pwszVolumeName")?;
            scmp::asked_for(asked.trim_end_matches('\0'))
        };
        (object.origin, object.volume) = match scmp::origin(method) {
            Some(origin) => (origin, volume()),
            None if method == "Clone" => {
                called.map(|of| (of.origin, of.volume.clone())).unwrap_or_default()
            }
            None => (Origin::Other, None),
        };
        object
    }

    /// `e1`, `e1{refs=1}`, `null`: the octets of the reference, and the client has the object.
    fn given_object(
        &mut self,
        value: &ValueText,
        of: Option<&str>,
        call: &Call,
    ) -> Result<Arg, Fail> {
        let (name, members) = match value {
            ValueText::Bare(word) if word.text.eq_ignore_ascii_case("null") => {
                return Ok(Arg::Null);
            }
            ValueText::Bare(word) => (word, &[][..]),
            ValueText::Made(word, members) => (word, members.as_slice()),
            other => {
                let message = "expected the name of an object, or null".to_owned();
                return Err(Fail { left: other.left(), message });
            }
        };
        let mut object = self.returned(of, call);
        let objref = self.altered(&mut object, members, call.line.client, &call.settings)?;
        self.objects.name(call.line.client, &name.text, object);
        Ok(Arg::Bytes(objref))
    }

    /// Changes an object by what is said of it, and gives its reference.
    pub(super) fn altered(
        &mut self,
        object: &mut Object,
        members: &[(Option<Word>, ValueText)],
        client: usize,
        settings: &Settings,
    ) -> Result<Vec<u8>, Fail> {
        let mut kind = "standard";
        for (name, value) in members {
            let word = match value {
                ValueText::Bare(word) | ValueText::Quoted(word) => word,
                other => {
                    let message = "expected one value".to_owned();
                    return Err(Fail { left: other.left(), message });
                }
            };
            let Some(name) = name else {
                return Err(Fail::at(word, "expected name=value".to_owned()));
            };
            let other = self.objects.get(client, &word.text).map(|of| of.standard);
            let wide = || {
                words::number(&word.text).ok_or_else(|| {
                    let message = format!("there is no object `{}`", word.text);
                    Fail::at(word, message)
                })
            };
            let standard = &mut object.standard;
            match name.text.as_str() {
                "iid" => object.interface = named_guid(self, name, value)?,
                "refs" | "public" => standard.public_refs = super::elements::number(name, value)?,
                "flags" => standard.flags = super::elements::number(name, value)?,
                "same" => {
                    let Some(of) = other else { return Err(no_object(word)) };
                    (standard.oxid, standard.oid, standard.ipid) = (of.oxid, of.oid, of.ipid);
                }
                "oid" => standard.oid = other.map_or_else(wide, |of| Ok(of.oid))?,
                "oxid" => standard.oxid = other.map_or_else(wide, |of| Ok(of.oxid))?,
                "ipid" => {
                    let given = || values::guid(&word.text).ok_or_else(|| no_object(word));
                    standard.ipid = other.map_or_else(given, |of| Ok(of.ipid))?;
                }
                "objref"
                    if ["standard", "handler", "custom", "extended"]
                        .contains(&word.text.as_str()) =>
                {
                    kind = &word.text;
                }
                _ => {
                    let known = "iid, refs, flags, same, oid, oxid, ipid, or objref=standard, \
                                 handler, custom or extended";
                    let message = format!("expected {known}, found `{}={}`", name.text, word.text);
                    return Err(Fail::at(name, message));
                }
            }
        }
        object.held = object.standard.public_refs;
        let standard = object.standard;
        let bindings = self.bindings(object.server, settings, None);
        let objref = match kind {
            "handler" => Objref::Handler(standard, FREE_THREADED, bindings),
            "custom" => Objref::Custom(FREE_THREADED, noise(standard.oid, 24)),
            "extended" => Objref::Extended(standard, bindings),
            _ => Objref::Standard(standard, bindings),
        };
        Ok(objref.octets(object.interface))
    }
}

/// The number of a method, by its short name or its name.
fn opnum(word: &Word, method: &str, interface: &Interface) -> Result<u16, Fail> {
    if let Ok(opnum) = method.parse() {
        return Ok(opnum);
    }
    let long = scmp::method(method);
    let named = interface.operations.iter().find(|of| of.name.eq_ignore_ascii_case(long));
    named.map(|operation| operation.opnum).ok_or_else(|| {
        let like = nearest(method, interface.operations.iter().map(|of| &*of.name));
        let message = format!("{} has no method `{method}`{}", interface.name, hint(&like));
        Fail::at(word, message)
    })
}

fn no_object(word: &Word) -> Fail {
    Fail::at(word, format!("there is no object `{}`", word.text))
}

impl Objects {
    /// A client knows now where the objects of a server are.
    pub(super) fn activate(&mut self, client: usize, server: usize) {
        self.activated.insert((client, server));
    }
}
