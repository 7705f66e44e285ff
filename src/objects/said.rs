//! [`Said`]: what a call says of objects.

use crate::bytes::Guid;
use crate::call::{Call, Stub};
use crate::ndr::{Data, Value};
use crate::protocol::dcom;

/// A reference to an object as it travelled: \[MS-DCOM\] 2.2.18.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Kind of the `OBJREF`: 1 standard, 2 handler, 4 custom, 8 extended; none in a result of
    /// `RemQueryInterface`, which has no more than the standard part.
    pub kind: Option<u32>,
    /// The interface.
    pub iid: Guid,
    /// `STDOBJREF` flags.
    pub flags: u32,
    /// `cPublicRefs`
    pub public_refs: u32,
    /// The exporter.
    pub oxid: u64,
    /// The object.
    pub oid: u64,
    /// The interface pointer.
    pub ipid: Guid,
    /// String bindings of TCP.
    pub bindings: Vec<String>,
    /// Whether the `OBJREF` ended early.
    pub malformed: bool,
}

/// `SORF_NOPING`
pub(super) const NOPING: u32 = 0x1000;

impl Reference {
    /// The reference in an interface pointer; none where it is null, is not of an object, or could not
    /// be read so far.
    pub fn of(value: &Value) -> Option<Self> {
        let Data::Interface(pointer) = &value.target().data else { return None };
        let object = pointer.object.as_deref()?;
        let iid = object.field("iid")?.as_guid()?;
        let mut reference = Self::standard(object, iid, "public_refs")?;
        reference.kind = object.field("objref").and_then(Value::as_u32);
        reference.bindings = tcp_bindings(object.field("bindings"));
        reference.malformed = pointer.stop.is_some();
        Some(reference)
    }

    /// The members of a `STDOBJREF`.
    fn standard(value: &Value, iid: Guid, refs: &str) -> Option<Self> {
        Some(Self {
            kind: None,
            iid,
            flags: value.field("flags")?.as_u32()?,
            public_refs: value.field(refs)?.as_u32()?,
            oxid: number(value.field("oxid")?)?,
            oid: number(value.field("oid")?)?,
            ipid: value.field("ipid")?.as_guid()?,
            bindings: Vec::new(),
            malformed: false,
        })
    }

    /// Whether nobody needs to ping the object.
    pub fn is_unpinged(&self) -> bool {
        self.flags & NOPING != 0
    }
}

/// What an activation asked for and was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activation {
    /// `CLSID`
    pub class: Option<Guid>,
    /// The interfaces that were asked for.
    pub wanted: Vec<Guid>,
    /// `ClientImpLevel`
    pub impersonation: Option<u32>,
    /// For each interface, as far as it was told: its result and the reference.
    pub results: Vec<Wanted>,
    /// The exporter.
    pub oxid: Option<u64>,
    /// `IPID` of its `IRemUnknown`.
    pub rem_unknown: Option<Guid>,
    /// String bindings of TCP.
    pub bindings: Vec<String>,
    /// `HRESULT` of the activation.
    pub status: Option<u32>,
}

/// What came of one interface that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The interface.
    pub iid: Option<Guid>,
    /// Its result.
    pub status: u32,
    /// The reference, if there is one.
    pub reference: Option<Reference>,
}

/// References that are added or released: `REMINTERFACEREF`, \[MS-DCOM\] 2.2.24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Of which interface pointer.
    pub ipid: Guid,
    /// `cPublicRefs`
    pub public: u32,
    /// `cPrivateRefs`
    pub private: u32,
    /// Of `RemAddRef`, its result.
    pub status: Option<u32>,
}

/// What a call says of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// `RemoteActivation`, `RemoteCreateInstance`, `RemoteGetClassObject`.
    Activated(Box<Activation>),
    /// `ResolveOxid`, `ResolveOxid2`.
    Resolved {
        /// The exporter.
        oxid: u64,
        /// `IPID` of its `IRemUnknown`.
        rem_unknown: Option<Guid>,
        /// String bindings of TCP.
        bindings: Vec<String>,
    },
    /// `SimplePing`.
    Pinged {
        /// `SETID`
        set: u64,
    },
    /// `ComplexPing`.
    Changed {
        /// `SETID` as it was asked for; zero asks for a new one.
        asked: u64,
        /// `SETID` that was told.
        set: u64,
        /// `SequenceNum`
        sequence: u32,
        /// OIDs added.
        add: Vec<u64>,
        /// OIDs removed.
        del: Vec<u64>,
    },
    /// `RemQueryInterface`, `RemQueryInterface2`.
    Queried {
        /// The interface pointer that was asked.
        of: Guid,
        /// What came of each interface.
        results: Vec<Wanted>,
    },
    /// `RemAddRef`.
    Added(Vec<Count>),
    /// `RemRelease`.
    Released(Vec<Count>),
    /// A method of an object: the references among its results.
    Returned(Vec<Reference>),
}

impl Said {
    /// What a call that was answered says; none where it says nothing of objects.
    pub fn of(call: &Call) -> Option<Self> {
        let interface = call.interface.as_deref()?;
        let opnum = call.rpc.opnum?;
        let (asked, told) = (&call.request, &call.response);
        match (interface.uuid, opnum) {
            (dcom::IACTIVATION, 0) => Some(Self::Activated(Box::new(old_activation(call)))),
            (dcom::IREMOTESCMACTIVATOR, 3 | 4) => Some(Self::Activated(Box::new(activation(call)))),
            (dcom::IOBJECTEXPORTER, 0 | 4) => Some(Self::Resolved {
                oxid: number(param(asked, "pOxid")?)?,
                rem_unknown: param(told, "pipidRemUnknown").and_then(Value::as_guid),
                bindings: array_bindings(param(told, "ppdsaOxidBindings")),
            }),
            (dcom::IOBJECTEXPORTER, 1) => {
                Some(Self::Pinged { set: number(param(asked, "pSetId")?)? })
            }
            (dcom::IOBJECTEXPORTER, 2) => Some(Self::Changed {
                asked: number(param(asked, "pSetId")?)?,
                set: number(param(told, "pSetId")?)?,
                sequence: param(asked, "SequenceNum")?.as_u32()?,
                add: numbers(param(asked, "AddToSet")),
                del: numbers(param(asked, "DelFromSet")),
            }),
            (dcom::IREMUNKNOWN | dcom::IREMUNKNOWN2, 3) => queried(asked, told),
            (dcom::IREMUNKNOWN2, 6) => queried2(asked, told),
            (dcom::IREMUNKNOWN | dcom::IREMUNKNOWN2, 4) => {
                let mut counts = counts(asked)?;
                let results = items(param(told, "pResults"));
                for (count, status) in counts.iter_mut().zip(results) {
                    count.status = status.as_u32();
                }
                Some(Self::Added(counts))
            }
            (dcom::IREMUNKNOWN | dcom::IREMUNKNOWN2, 5) => Some(Self::Released(counts(asked)?)),
            _ if interface.object => {
                let found = interface_pointers(told);
                Some(Self::Returned(found.iter().filter_map(|(_, of)| Reference::of(of)).collect()))
            }
            _ => None,
        }
    }
}

/// The interface pointers among the parameters of a stub, by name.
pub fn interface_pointers(stub: &Stub) -> Vec<(&str, &Value)> {
    let params = stub.decoded.iter().flat_map(|decoded| &decoded.params);
    let is = |value: &Value| matches!(value.target().data, Data::Interface(_));
    params.filter(|(_, value)| is(value)).map(|(name, value)| (&**name, value)).collect()
}

fn param<'c>(stub: &'c Stub, name: &str) -> Option<&'c Value> {
    stub.decoded.as_ref()?.param(name)
}

/// An integer of 64 bits.
fn number(value: &Value) -> Option<u64> {
    match &value.target().data {
        Data::Number(number) => Some(number.raw()),
        _ => None,
    }
}

fn items(value: Option<&Value>) -> &[Value] {
    match value.map(|value| &value.target().data) {
        Some(Data::List(list)) => &list.items,
        _ => &[],
    }
}

fn numbers(value: Option<&Value>) -> Vec<u64> {
    items(value).iter().filter_map(number).collect()
}

/// The addresses of string bindings of TCP.
fn tcp_bindings(bindings: Option<&Value>) -> Vec<String> {
    /// Tower identifier of `ncacn_ip_tcp`.
    const TCP: u32 = 7;
    let is = |item: &&Value| item.field("wTowerId").and_then(Value::as_u32) == Some(TCP);
    let address = |item: &Value| Some(item.field("aNetworkAddr")?.as_text()?.to_string());
    items(bindings).iter().filter(is).filter_map(address).collect()
}

/// The same of a `DUALSTRINGARRAY` that is NDR by itself.
fn array_bindings(array: Option<&Value>) -> Vec<String> {
    tcp_bindings(array.and_then(|array| array.field("aStringArray")?.field("bindings")))
}

fn counts(asked: &Stub) -> Option<Vec<Count>> {
    let refs = param(asked, "InterfaceRefs")?;
    let count = |item: &Value| {
        Some(Count {
            ipid: item.field("ipid")?.as_guid()?,
            public: item.field("cPublicRefs")?.as_u32()?,
            private: item.field("cPrivateRefs")?.as_u32()?,
            status: None,
        })
    };
    Some(items(Some(refs)).iter().filter_map(count).collect())
}

fn queried(asked: &Stub, told: &Stub) -> Option<Said> {
    let of = param(asked, "ripid")?.as_guid()?;
    let iids = items(param(asked, "iids"));
    let results = items(param(told, "ppQIResults"));
    let one = |(iid, result): (&Value, &Value)| {
        let (iid, status) = (iid.as_guid()?, result.field("hResult")?.as_u32()?);
        let reference = Reference::standard(result.field("std")?, iid, "cPublicRefs");
        Some(Wanted { iid: Some(iid), status, reference: reference.filter(|_| status == 0) })
    };
    Some(Said::Queried { of, results: iids.iter().zip(results).filter_map(one).collect() })
}

fn queried2(asked: &Stub, told: &Stub) -> Option<Said> {
    let of = param(asked, "ripid")?.as_guid()?;
    let iids = items(param(asked, "iids")).iter().map(Value::as_guid);
    let results = wanted(iids, items(param(told, "phr")), items(param(told, "ppMIF")));
    Some(Said::Queried { of, results })
}

fn wanted(
    iids: impl Iterator<Item = Option<Guid>>,
    statuses: &[Value],
    references: &[Value],
) -> Vec<Wanted> {
    let mut references = references.iter();
    let one = |(iid, status): (Option<Guid>, &Value)| {
        let reference = references.next().and_then(Reference::of);
        Some(Wanted { iid, status: status.as_u32()?, reference })
    };
    iids.zip(statuses).filter_map(one).collect()
}

/// `IActivation::RemoteActivation`
fn old_activation(call: &Call) -> Activation {
    let (asked, told) = (&call.request, &call.response);
    let wanted_iids: Vec<Guid> =
        items(param(asked, "pIIDs")).iter().filter_map(Value::as_guid).collect();
    let results = wanted(
        wanted_iids.iter().copied().map(Some),
        items(param(told, "pResults")),
        items(param(told, "ppInterfaceData")),
    );
    let phr = param(told, "phr").and_then(Value::as_u32);
    Activation {
        class: param(asked, "Clsid").and_then(Value::as_guid),
        wanted: wanted_iids,
        impersonation: param(asked, "ClientImpLevel").and_then(Value::as_u32),
        results,
        oxid: param(told, "pOxid").and_then(number),
        rem_unknown: param(told, "pipidRemUnknown").and_then(Value::as_guid),
        bindings: array_bindings(param(told, "ppdsaOxidBindings")),
        // Either may say no.
        status: call.status.filter(|status| *status != 0).or(phr),
    }
}

/// `IRemoteSCMActivator`
fn activation(call: &Call) -> Activation {
    let asked = properties(param(&call.request, "pActProperties"));
    let told = properties(param(&call.response, "ppActProperties"));
    let info = named(asked, "InstantiationInfo");
    let request = named(asked, "ScmRequestInfo");
    let out = named(told, "PropsOutInfo");
    let reply = named(told, "ScmReplyInfo").and_then(|reply| reply.field("remoteReply"));
    Activation {
        class: info.and_then(|info| info.field("classId")?.as_guid()),
        wanted: member(info, "pIID").iter().filter_map(Value::as_guid).collect(),
        impersonation: request
            .and_then(|of| of.field("remoteRequest")?.field("ClientImpLevel")?.as_u32()),
        results: wanted(
            member(out, "piid").iter().map(Value::as_guid),
            member(out, "phresults"),
            member(out, "ppIntfData"),
        ),
        oxid: reply.and_then(|reply| number(reply.field("Oxid")?)),
        rem_unknown: reply.and_then(|reply| reply.field("ipidRemUnknown")?.as_guid()),
        bindings: array_bindings(reply.and_then(|reply| reply.field("pdsaOxidBindings"))),
        status: call.status,
    }
}

/// The properties of an activation, one way.
fn properties(pointer: Option<&Value>) -> &[Value] {
    let data = pointer.and_then(|pointer| pointer.field("data"));
    items(data.and_then(|data| data.field("properties")))
}

/// The elements of a member of a property.
fn member<'v>(of: Option<&'v Value>, name: &str) -> &'v [Value] {
    items(of.and_then(|of| of.field(name)))
}

/// What the property of this name says.
fn named<'v>(properties: &'v [Value], name: &str) -> Option<&'v Value> {
    properties.iter().find_map(|property| property.field(name))
}
