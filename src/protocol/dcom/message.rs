//! The calls of \[MS-DCOM\]: activations, references, and the resolver of exporters.

use serde::Serialize;

use super::view::{bits, each, slots, u32_of, version};
use super::{
    Activated, Activation, Bindings, ComVersion, HResult, IACTIVATION, ICLASSFACTORY,
    IOBJECTEXPORTER, IREMOTESCMACTIVATOR, IREMUNKNOWN, IREMUNKNOWN2, Iid, Ipid, ObjRef, Oid, Oxid,
    SetId,
};
use crate::bytes::Guid;
use crate::ndr::{Decoded, Value};

/// A request, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Request {
    /// `RemoteGetClassObject`, `RemoteCreateInstance` or `RemoteActivation`.
    Activation(Activation),
    /// `IClassFactory::CreateInstance`: the interface wanted.
    CreateInstance(Option<Iid>),
    /// 3.1.1.5.6.1.1 `RemQueryInterface`, 3.1.1.5.7.1.1 `RemQueryInterface2`
    QueryInterface(QueryInterface),
    /// 3.1.1.5.6.1.2 `RemAddRef`
    AddRef(References),
    /// 3.1.1.5.6.1.3 `RemRelease`
    Release(References),
    /// 3.1.2.5.1.1 `ResolveOxid`, 3.1.2.5.1.5 `ResolveOxid2`
    ResolveOxid(Option<Oxid>),
    /// 3.1.2.5.1.2 `SimplePing`
    SimplePing(Option<SetId>),
    /// 3.1.2.5.1.3 `ComplexPing`
    ComplexPing {
        /// The set; zero for a new one.
        set: Option<SetId>,
        /// `SequenceNum`
        sequence: Option<u32>,
        /// Objects to be added.
        add: Vec<Oid>,
        /// Objects to be removed.
        remove: Vec<Oid>,
    },
    /// 3.1.2.5.1.4 `ServerAlive`, 3.1.2.5.1.6 `ServerAlive2`
    ServerAlive,
}

/// An answer, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Response {
    /// Of an activation.
    Activation(Box<Activated>),
    /// Of `IClassFactory::CreateInstance`: a reference to the object.
    CreateInstance(Option<Box<ObjRef>>),
    /// Of `RemQueryInterface` and `RemQueryInterface2`: what each interface came to, with a
    /// reference where it is there. The former says nothing of it but what is in a `STDOBJREF`.
    QueryInterface(Vec<(Option<HResult>, Option<ObjRef>)>),
    /// Of `RemAddRef`: what each of the references came to.
    AddRef(Vec<HResult>),
    /// Of `RemRelease`
    Release,
    /// Of `ResolveOxid` and `ResolveOxid2`
    ResolveOxid(Resolved),
    /// Of `SimplePing`
    SimplePing,
    /// Of `ComplexPing`: the set.
    ComplexPing(Option<SetId>),
    /// Of `ServerAlive` and `ServerAlive2`
    ServerAlive {
        /// The server's version of the protocol.
        version: Option<ComVersion>,
        /// Where its resolver is reached.
        bindings: Option<Bindings>,
    },
}

/// What is asked of an interface that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueryInterface {
    /// The interface that is held.
    pub ipid: Option<Ipid>,
    /// References wanted of each; `RemQueryInterface2` does not say.
    pub refs: Option<u32>,
    /// The interfaces wanted.
    pub iids: Vec<Iid>,
}

/// References to interfaces: `REMINTERFACEREF` (2.2.24).
pub type References = Vec<ByIpid>;

/// References to one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ByIpid {
    /// The interface.
    pub ipid: Ipid,
    /// `cPublicRefs`
    pub public_refs: u32,
    /// `cPrivateRefs`
    pub private_refs: u32,
}

/// Where an exporter is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// Where it is reached.
    pub bindings: Option<Bindings>,
    /// Its `IRemUnknown`.
    pub rem_unknown: Option<Ipid>,
    /// The authentication level it wants at least, \[MS-RPCE\] 2.2.1.1.8.
    pub authn_hint: Option<u32>,
    /// The server's version of the protocol, of `ResolveOxid2`.
    pub version: Option<ComVersion>,
}

/// An operation of those that have a view.
#[derive(Clone, Copy)]
enum Operation {
    GetClassObject,
    CreateInstance,
    RemoteActivation,
    FactoryCreateInstance,
    QueryInterface,
    QueryInterface2,
    AddRef,
    Release,
    ResolveOxid,
    SimplePing,
    ComplexPing,
    ServerAlive,
}

fn operation(interface: Guid, opnum: u16) -> Option<Operation> {
    Some(match (interface, opnum) {
        (IREMOTESCMACTIVATOR, 3) => Operation::GetClassObject,
        (IREMOTESCMACTIVATOR, 4) => Operation::CreateInstance,
        (IACTIVATION, 0) => Operation::RemoteActivation,
        (ICLASSFACTORY, 3) => Operation::FactoryCreateInstance,
        (IREMUNKNOWN | IREMUNKNOWN2, 3) => Operation::QueryInterface,
        (IREMUNKNOWN | IREMUNKNOWN2, 4) => Operation::AddRef,
        (IREMUNKNOWN | IREMUNKNOWN2, 5) => Operation::Release,
        (IREMUNKNOWN2, 6) => Operation::QueryInterface2,
        (IOBJECTEXPORTER, 0 | 4) => Operation::ResolveOxid,
        (IOBJECTEXPORTER, 1) => Operation::SimplePing,
        (IOBJECTEXPORTER, 2) => Operation::ComplexPing,
        (IOBJECTEXPORTER, 3 | 5) => Operation::ServerAlive,
        _ => return None,
    })
}

impl Request {
    /// What operation `opnum` of an interface asks; none if it is none of \[MS-DCOM\]'s.
    pub fn of(interface: Guid, opnum: u16, decoded: &Decoded) -> Option<Self> {
        let param = |name| decoded.param(name);
        let guid = |name| param(name).and_then(Value::as_guid);
        let list = |name, of: fn(&Value) -> Option<u64>| {
            param(name).map(|list| each(list, of)).unwrap_or_default()
        };
        Some(match operation(interface, opnum)? {
            Operation::GetClassObject => Self::Activation(Activation::of_properties(decoded, true)),
            Operation::CreateInstance => {
                Self::Activation(Activation::of_properties(decoded, false))
            }
            Operation::RemoteActivation => Self::Activation(Activation::of_parameters(decoded)),
            Operation::FactoryCreateInstance => Self::CreateInstance(guid("riid").map(Iid)),
            Operation::QueryInterface | Operation::QueryInterface2 => {
                let iids = param("iids").map(|list| each(list, |iid| iid.as_guid().map(Iid)));
                Self::QueryInterface(QueryInterface {
                    ipid: guid("ripid").map(Ipid),
                    refs: param("cRefs").and_then(Value::as_u32),
                    iids: iids.unwrap_or_default(),
                })
            }
            Operation::AddRef => Self::AddRef(references(decoded)),
            Operation::Release => Self::Release(references(decoded)),
            Operation::ResolveOxid => Self::ResolveOxid(param("pOxid").and_then(bits).map(Oxid)),
            Operation::SimplePing => Self::SimplePing(param("pSetId").and_then(bits).map(SetId)),
            Operation::ComplexPing => Self::ComplexPing {
                set: param("pSetId").and_then(bits).map(SetId),
                sequence: param("SequenceNum").and_then(Value::as_u32),
                add: list("AddToSet", bits).into_iter().map(Oid).collect(),
                remove: list("DelFromSet", bits).into_iter().map(Oid).collect(),
            },
            Operation::ServerAlive => Self::ServerAlive,
        })
    }
}

fn references(decoded: &Decoded) -> References {
    let one = |value: &Value| {
        Some(ByIpid {
            ipid: Ipid(value.field("ipid")?.as_guid()?),
            public_refs: u32_of(value, "cPublicRefs")?,
            private_refs: u32_of(value, "cPrivateRefs")?,
        })
    };
    decoded.param("InterfaceRefs").map(|list| each(list, one)).unwrap_or_default()
}

impl Response {
    /// What operation `opnum` of an interface answers; none if it is none of \[MS-DCOM\]'s.
    pub fn of(interface: Guid, opnum: u16, decoded: &Decoded) -> Option<Self> {
        let param = |name| decoded.param(name);
        let status = decoded.ret.as_ref().and_then(Value::as_u32).map(HResult);
        let codes = |name| {
            let codes = param(name).map(|list| each(list, |code| code.as_u32().map(HResult)));
            codes.unwrap_or_default()
        };
        Some(match operation(interface, opnum)? {
            Operation::GetClassObject | Operation::CreateInstance => {
                Self::Activation(Box::new(Activated::of_properties(decoded, status)))
            }
            Operation::RemoteActivation => {
                Self::Activation(Box::new(Activated::of_parameters(decoded, status)))
            }
            Operation::FactoryCreateInstance => {
                Self::CreateInstance(param("ppvObject").and_then(ObjRef::of).map(Box::new))
            }
            Operation::QueryInterface => {
                let one = |value: &Value| {
                    let code = u32_of(value, "hResult").map(HResult);
                    let there = code.is_some_and(|code| !code.is_failure());
                    let std = value.field("std").filter(|_| there);
                    Some((code, std.map(ObjRef::of_std)))
                };
                let results = param("ppQIResults").map(|list| each(list, one));
                Self::QueryInterface(results.unwrap_or_default())
            }
            Operation::QueryInterface2 => {
                let codes = codes("phr");
                let objects = param("ppMIF").map(slots).unwrap_or_default();
                let one = |n| {
                    let object = objects.get(n).copied().and_then(ObjRef::of);
                    (codes.get(n).copied(), object)
                };
                Self::QueryInterface((0..codes.len().max(objects.len())).map(one).collect())
            }
            Operation::AddRef => Self::AddRef(codes("pResults")),
            Operation::Release => Self::Release,
            Operation::ResolveOxid => Self::ResolveOxid(Resolved {
                bindings: param("ppdsaOxidBindings").and_then(Bindings::of),
                rem_unknown: param("pipidRemUnknown").and_then(Value::as_guid).map(Ipid),
                authn_hint: param("pAuthnHint").and_then(Value::as_u32),
                version: param("pComVersion").and_then(version),
            }),
            Operation::SimplePing => Self::SimplePing,
            Operation::ComplexPing => Self::ComplexPing(param("pSetId").and_then(bits).map(SetId)),
            Operation::ServerAlive => Self::ServerAlive {
                version: param("pComVersion").and_then(version),
                bindings: param("ppdsaOrBindings").and_then(Bindings::of),
            },
        })
    }
}
