//! `A activates ->m1`: how a client comes to its first object of a server.

use std::rc::Rc;

use super::elements::number;
use super::heads::{VERSION, named_guid, version};
use super::{DYNAMIC, Object, Objects, TCP, scmp};
use crate::bytes::Guid;
use crate::dcom::write::{self, Objref, record};
use crate::ndr::{Arg, Direction};
use crate::protocol::dcom::{
    CLSID_ACTIVATION_PROPERTIES_IN, CLSID_ACTIVATION_PROPERTIES_OUT, IACTIVATION, ICLASSFACTORY,
    IREMOTESCMACTIVATOR,
};
use crate::scenario::arguments::build;
use crate::scenario::grammar::Fail;
use crate::scenario::resolve::{Resolver, tampered};
use crate::scenario::results::Placed;
use crate::scenario::settings::Auth;
use crate::scenario::steps::{Answer, Call, Line, Stub};
use crate::scenario::syntax::{AnswerText, ArgsText, CallText, ValueText, Word};
use crate::scenario::words;

/// `IActivationPropertiesIn` and `IActivationPropertiesOut` (\[MS-DCOM\] 1.9).
const PROPERTIES_IN: Guid = Guid::from_u128(0x000001a2_0000_0000_c000_000000000046);
const PROPERTIES_OUT: Guid = Guid::from_u128(0x000001a3_0000_0000_c000_000000000046);
/// `CLSCTX_REMOTE_SERVER`
const REMOTE_SERVER: u32 = 0x10;
/// `RPC_C_IMP_LEVEL_IDENTIFY`
const IDENTIFY: u32 = 2;
/// `E_NOINTERFACE`
pub(super) const NO_INTERFACE: u32 = 0x8000_4002;

/// Which method activates.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Via {
    CreateInstance,
    GetClassObject,
    Activation,
}

/// What is asked for.
struct Asked {
    via: Via,
    class: Guid,
    iids: Vec<Guid>,
    /// `ClientImpLevel`
    level: u32,
    refs: Option<u32>,
    /// Protocols that the bindings of the exporter list besides.
    towers: Vec<u16>,
}

impl Resolver<'_> {
    /// The call that `text` means.
    pub(super) fn activation(
        &mut self,
        text: &CallText,
        method: &Word,
        line: Line,
    ) -> Result<(Call, Option<Answer>), Fail> {
        let given = match &text.args {
            Some(ArgsText::Named(given)) => given.as_slice(),
            _ => &[],
        };
        let asked = self.asked(given)?;
        let settings = self.settings_of(line);
        let (uuid, opnum) = match asked.via {
            Via::CreateInstance => (IREMOTESCMACTIVATOR, 4),
            Via::GetClassObject => (IREMOTESCMACTIVATOR, 3),
            Via::Activation => (IACTIVATION, 0),
        };
        let interface = self.interface_of(uuid);
        let request = self.request_of(text, &asked, method)?;
        let dcom = self.way(text, &settings, &interface, None, line)?;
        let tampered = tampered(text, &settings)?;
        let mut call = Call {
            line,
            settings,
            interface,
            opnum,
            request: Stub::Octets(Vec::new()),
            answer: None,
            delay: text.delay,
            sealed: text.sealed,
            tampered,
            lost: text.lost.clone(),
            dcom,
        };
        call.request = made(&call, Direction::In, &request, method.left)?;
        let answer = match &text.answer {
            None if text.waits => None,
            Some(AnswerText::Returns { status, results }) => {
                let code = words::status(self.registry, &call.interface, &status.text)
                    .map_err(|e| crate::scenario::resolve::unknown(status, "status", &e))?;
                Some(self.activated(text, &asked, (code, results, status.left), &call)?)
            }
            None => Some(self.activated(text, &asked, (0, &[], method.left), &call)?),
            Some(_) => self.answer(text, &call)?,
        };
        Ok((call, answer))
    }

    /// `{class=GUID, iids=[Mgmt], via=IActivation, level=impersonate, refs=5}`
    fn asked(&self, given: &[(Option<Word>, ValueText)]) -> Result<Asked, Fail> {
        const LEVELS: [(u32, &str); 5] = [
            (0, "default"),
            (1, "anonymous"),
            (2, "identify"),
            (3, "impersonate"),
            (4, "delegate"),
        ];
        const VIA: [(&str, Via); 5] = [
            ("IRemoteSCMActivator", Via::CreateInstance),
            ("RemoteCreateInstance", Via::CreateInstance),
            ("RemoteGetClassObject", Via::GetClassObject),
            ("IActivation", Via::Activation),
            ("RemoteActivation", Via::Activation),
        ];
        let mut asked = Asked {
            via: Via::CreateInstance,
            class: scmp::CLASS,
            iids: Vec::new(),
            level: IDENTIFY,
            refs: None,
            towers: Vec::new(),
        };
        for (name, value) in given {
            let known = "class, iids, via, level, refs or towers";
            let Some(name) = name else {
                let message = format!("expected {known}, with a value");
                return Err(Fail { left: value.left(), message });
            };
            match (name.text.as_str(), value) {
                ("class", value) => asked.class = named_guid(self, name, value)?,
                ("iids", ValueText::List(items, _)) => {
                    let iids = items.iter().map(|item| named_guid(self, name, item));
                    asked.iids = iids.collect::<Result<_, _>>()?;
                }
                ("iids", value) => asked.iids = vec![named_guid(self, name, value)?],
                ("refs", value) => asked.refs = Some(number(name, value)?),
                ("towers", ValueText::List(items, _)) => {
                    for item in items {
                        let tower = u16::try_from(number(name, item)?);
                        let wrong = |_| Fail::at(name, "expected numbers in 16 bits".to_owned());
                        asked.towers.push(tower.map_err(wrong)?);
                    }
                }
                ("level", ValueText::Bare(word)) => {
                    asked.level = words::numbered(&LEVELS, &word.text.to_lowercase())
                        .map_err(|e| crate::scenario::resolve::unknown(word, "level", &e))?;
                }
                ("via", ValueText::Bare(word)) => {
                    let found = VIA.iter().find(|(of, _)| of.eq_ignore_ascii_case(&word.text));
                    let Some((_, via)) = found else {
                        let known = "IActivation, IRemoteSCMActivator or RemoteGetClassObject";
                        let message = format!("expected {known}, found `{}`", word.text);
                        return Err(Fail::at(word, message));
                    };
                    asked.via = *via;
                }
                _ => {
                    let message = format!("expected {known}, found `{}`", name.text);
                    return Err(Fail::at(name, message));
                }
            }
        }
        if asked.iids.is_empty() {
            let class = asked.via == Via::GetClassObject;
            asked.iids.push(if class { ICLASSFACTORY } else { scmp::MGMT });
        }
        Ok(asked)
    }

    /// The arguments of the request.
    fn request_of(
        &mut self,
        text: &CallText,
        asked: &Asked,
        at: &Word,
    ) -> Result<Vec<Placed>, Fail> {
        let this = self.this(text)?;
        let iids = || Arg::List(asked.iids.iter().map(|iid| Arg::from(*iid)).collect());
        let towers = Arg::List(vec![u32::from(TCP).into()]);
        let placed = |name: &str, arg: Arg| (name.to_owned(), arg, at.left);
        if asked.via == Via::Activation {
            return Ok(vec![
                placed("ORPCthis", this),
                placed("Clsid", asked.class.into()),
                placed("ClientImpLevel", asked.level.into()),
                placed("Mode", 0u32.into()),
                placed("pIIDs", iids()),
                placed("aRequestedProtseqs", towers),
            ]);
        }
        let name = self.server_name(text_server(self, text)).to_lowercase();
        let list = [
            ("SpecialPropertiesData", special()),
            (
                "InstantiationInfoData",
                record([
                    ("classId", asked.class.into()),
                    ("classCtx", REMOTE_SERVER.into()),
                    ("pIID", iids()),
                    ("clientCOMVersion", version(VERSION)),
                ]),
            ),
            ("ActivationContextInfoData", record([])),
            ("SecurityInfoData", record([("pServerInfo", record([("pwszName", name.into())]))])),
            ("LocationInfoData", record([])),
            (
                "ScmRequestInfoData",
                record([(
                    "remoteRequest",
                    record([
                        ("ClientImpLevel", asked.level.into()),
                        ("pRequestedProtseqs", towers),
                    ]),
                )]),
            ),
        ];
        let blob = write::properties(&self.dcom_types(), &list)
            .map_err(|error| Fail::at(at, format!("{error} of the activation properties")))?;
        let objref = Objref::Custom(CLSID_ACTIVATION_PROPERTIES_IN, blob).octets(PROPERTIES_IN);
        Ok(vec![placed("orpcthis", this), placed("pActProperties", Arg::Bytes(objref))])
    }

    /// What is answered, and the client has the objects.
    fn activated(
        &mut self,
        text: &CallText,
        asked: &Asked,
        (status, results, left): (u32, &[ValueText], usize),
        call: &Call,
    ) -> Result<Answer, Fail> {
        let that = self.that(text, &call.interface)?;
        let placed = |name: &str, arg: Arg| (name.to_owned(), arg, left);
        let failed = |code: u32| status != 0 && code == 0;
        let mut given: Vec<(u32, Arg)> = Vec::new();
        let mut first: Option<Object> = None;
        let results: Vec<_> =
            results.iter().filter(|value| !matches!(value, ValueText::Error(_))).collect();
        if let Some(more) = results.get(asked.iids.len()) {
            let message = format!("{} interfaces were asked for", asked.iids.len());
            return Err(Fail { left: more.left(), message });
        }
        for (n, iid) in asked.iids.iter().enumerate() {
            self.room(left)?;
            let said = results.get(n).copied();
            let (name, members) = match said {
                Some(ValueText::Bare(word)) if word.text.eq_ignore_ascii_case("null") => {
                    given.push((NO_INTERFACE, Arg::Null));
                    continue;
                }
                Some(ValueText::Bare(word)) => (Some(word), &[][..]),
                Some(ValueText::Made(word, members)) => (Some(word), members.as_slice()),
                Some(other) => {
                    let message = "expected the name of an object, or null".to_owned();
                    return Err(Fail { left: other.left(), message });
                }
                None if failed(0) => {
                    given.push((status, Arg::Null));
                    continue;
                }
                None => (None, &[][..]),
            };
            let mut object = self.objects.issue(call.line.server, *iid);
            if let Some(refs) = asked.refs {
                object.standard.public_refs = refs;
            }
            // All of them are references to one object.
            object.standard.oid = first.as_ref().map_or(object.standard.oid, |of| of.standard.oid);
            let objref = self.altered(&mut object, members, call.line.client, &call.settings)?;
            given.push((0, Arg::Bytes(objref)));
            first.get_or_insert_with(|| object.clone());
            if let Some(name) = name {
                self.objects.name(call.line.client, &name.text, object);
            }
        }
        let oxid = first
            .as_ref()
            .map_or_else(|| self.objects.oxid(call.line.server), |object| object.standard.oxid);
        let port = call.settings.dcom.unwrap_or(DYNAMIC);
        let mut bindings = self.bindings(call.line.server, &call.settings, Some(port));
        let name = self.server_name(call.line.server).to_lowercase();
        bindings.strings.extend(asked.towers.iter().map(|tower| (*tower, name.clone())));
        let hint = u32::from(call.settings.auth.map_or(1, |auth| auth.level));
        let codes = Arg::List(given.iter().map(|(code, _)| Arg::from(*code)).collect());
        let pointers = Arg::List(given.iter().map(|(_, pointer)| pointer.clone()).collect());
        let nothing = first.is_none() && status != 0;
        if first.is_some() {
            self.objects.activate(call.line.client, call.line.server);
        }
        let mut args = if asked.via == Via::Activation {
            let mut args = vec![placed("ORPCthat", that), placed("phr", status.into())];
            if !nothing {
                args.extend([
                    placed("pOxid", oxid.into()),
                    placed("ppdsaOxidBindings", bindings.arg()),
                    placed("pipidRemUnknown", Objects::unknown(oxid).into()),
                    placed("pAuthnHint", hint.into()),
                    placed("pServerVersion", version(VERSION)),
                ]);
            }
            args.extend([placed("ppInterfaceData", pointers), placed("pResults", codes)]);
            args
        } else if nothing {
            vec![placed("orpcthat", that)]
        } else {
            let iids = Arg::List(asked.iids.iter().map(|iid| Arg::from(*iid)).collect());
            let reply = record([
                ("Oxid", oxid.into()),
                ("pdsaOxidBindings", bindings.arg()),
                ("ipidRemUnknown", Objects::unknown(oxid).into()),
                ("authnHint", hint.into()),
                ("serverVersion", version(VERSION)),
            ]);
            let list = [
                (
                    "PropsOutInfo",
                    record([("piid", iids), ("phresults", codes), ("ppIntfData", pointers)]),
                ),
                ("ScmReplyInfoData", record([("remoteReply", reply)])),
            ];
            let blob = write::properties(&self.dcom_types(), &list).map_err(|error| Fail {
                left,
                message: format!("{error} of the activation properties"),
            })?;
            let class = CLSID_ACTIVATION_PROPERTIES_OUT;
            let objref = Objref::Custom(class, blob).octets(PROPERTIES_OUT);
            vec![placed("orpcthat", that), placed("ppActProperties", Arg::Bytes(objref))]
        };
        args.push(placed("return", status.into()));
        Ok(Answer::Response(made(call, Direction::Out, &args, left)?))
    }
}

/// `SpecialPropertiesData` as Windows sends it.
fn special() -> Arg {
    record([
        // No session in particular.
        ("dwSessionId", u32::MAX.into()),
        ("dwDefaultAuthnLvl", u32::from(Auth::PRIVACY).into()),
        ("dwOrigClsctx", REMOTE_SERVER.into()),
        ("dwFlags", 2u32.into()),
    ])
}

/// The server of a statement.
fn text_server(resolver: &Resolver<'_>, text: &CallText) -> usize {
    let client = &text.place.client;
    let known = resolver.clients.iter().find(|of| of.party.name.eq_ignore_ascii_case(&client.text));
    known.map_or(0, |client| client.line.server)
}

/// Arguments or results of a call.
pub(super) fn made(
    call: &Call,
    direction: Direction,
    args: &[Placed],
    left: usize,
) -> Result<Stub, Fail> {
    let Some(operation) = call.interface.operation(call.opnum) else {
        return Ok(Stub::Octets(Vec::new()));
    };
    build(&call.interface, operation, direction, args, left).map(Stub::Arguments)
}

/// A call that is ready is one that others may share.
pub(super) fn shared(call: Call, answer: Option<Answer>) -> Rc<Call> {
    Rc::new(Call { answer, ..call })
}
