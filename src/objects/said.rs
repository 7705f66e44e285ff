//! [`Said`]: what a call says of objects, out of both its messages.

use crate::bytes::Guid;
use crate::call::{Call, Stub};
use crate::ndr::{Data, Decoded, Value};
use crate::protocol::dcom::{
    self, Activated, Bindings, ByIpid, HResult, Iid, ObjRef, QueryInterface, Request, Response,
    StringBinding,
};

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
}

impl Reference {
    /// The reference in an interface pointer; none where it is null, is not of an object, or could not
    /// be read so far.
    pub fn of(value: &Value) -> Option<Self> {
        Self::read(ObjRef::of(value)?)
    }

    fn read(of: ObjRef) -> Option<Self> {
        Some(Self {
            kind: of.kind.map(|kind| kind.0),
            iid: of.iid?.0,
            flags: of.flags?.0,
            public_refs: of.public_refs?,
            oxid: of.oxid?.0,
            oid: of.oid?.0,
            ipid: of.ipid?.0,
            bindings: of.bindings.map(tcp).unwrap_or_default(),
        })
    }

    /// Whether nobody needs to ping the object.
    pub fn is_unpinged(&self) -> bool {
        dcom::Sorf(self.flags).contains(dcom::Sorf::SORF_NOPING)
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
        let (uuid, opnum) = (interface.uuid, call.rpc.opnum?);
        let unread = Decoded::default();
        let asked = call.request.decoded.as_ref().unwrap_or(&unread);
        let told = call.response.decoded.as_ref().unwrap_or(&unread);
        let (asked, told) = (Request::of(uuid, opnum, asked), Response::of(uuid, opnum, told));
        match (asked, told) {
            (Some(Request::Activation(asked)), Some(Response::Activation(told))) => {
                let old = uuid == dcom::IACTIVATION;
                Some(Self::Activated(Box::new(Activation::read(&asked, *told, old))))
            }
            (Some(Request::ResolveOxid(oxid)), Some(Response::ResolveOxid(told))) => {
                Some(Self::Resolved {
                    oxid: oxid?.0,
                    rem_unknown: told.rem_unknown.map(|ipid| ipid.0),
                    bindings: reached(told.bindings),
                })
            }
            (Some(Request::SimplePing(set)), _) => Some(Self::Pinged { set: set?.0 }),
            (
                Some(Request::ComplexPing { set, sequence, add, remove }),
                Some(Response::ComplexPing(told)),
            ) => Some(Self::Changed {
                asked: set?.0,
                set: told?.0,
                sequence: sequence?,
                add: add.into_iter().map(|oid| oid.0).collect(),
                del: remove.into_iter().map(|oid| oid.0).collect(),
            }),
            (
                Some(Request::QueryInterface(QueryInterface { ipid, iids, .. })),
                Some(Response::QueryInterface(told)),
            ) => {
                let one = |(iid, (code, object)): (Iid, (Option<HResult>, Option<ObjRef>))| {
                    let object = object.filter(|_| code == Some(HResult::S_OK));
                    // A `STDOBJREF` does not say it.
                    let object = object.map(|of| ObjRef { iid: of.iid.or(Some(iid)), ..of });
                    wanted(Some(iid), code, object)
                };
                let results = iids.into_iter().zip(told).filter_map(one).collect();
                Some(Self::Queried { of: ipid?.0, results })
            }
            (Some(Request::AddRef(asked)), Some(Response::AddRef(told))) => {
                let told = told.into_iter().map(Some).chain(std::iter::repeat(None));
                Some(Self::Added(asked.into_iter().zip(told).map(Count::of).collect()))
            }
            (Some(Request::Release(asked)), _) => {
                let counts = asked.into_iter().map(|of| Count::of((of, None)));
                Some(Self::Released(counts.collect()))
            }
            _ if interface.object => {
                let found = interface_pointers(&call.response);
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

impl Count {
    fn of((of, status): (ByIpid, Option<HResult>)) -> Self {
        let (public, private) = (of.public_refs, of.private_refs);
        Self { ipid: of.ipid.0, public, private, status: status.map(|code| code.0) }
    }
}

impl Activation {
    /// `old` is `RemoteActivation`, whose results do not say of which interfaces they are.
    fn read(asked: &dcom::Activation, told: Activated, old: bool) -> Self {
        let status = told.outcome().map(|code| code.0);
        let iids = asked.iids.iter().copied();
        let results = told.results.into_iter().zip(iids.map(Some).chain(std::iter::repeat(None)));
        let one = |(of, asked): (dcom::ActivationResult, Option<Iid>)| {
            wanted(if old { Some(asked?) } else { of.iid }, of.result, of.object)
        };
        Self {
            class: asked.class.map(|class| class.0),
            impersonation: asked.impersonation.map(|level| level.0),
            results: results.filter_map(one).collect(),
            wanted: asked.iids.iter().map(|iid| iid.0).collect(),
            oxid: told.oxid.map(|oxid| oxid.0),
            rem_unknown: told.rem_unknown.map(|ipid| ipid.0),
            bindings: reached(told.bindings),
            status,
        }
    }
}

fn wanted(iid: Option<Iid>, code: Option<HResult>, object: Option<ObjRef>) -> Option<Wanted> {
    let (iid, status) = (iid.map(|iid| iid.0), code?.0);
    Some(Wanted { iid, status, reference: object.and_then(Reference::read) })
}

fn reached(bindings: Option<Bindings>) -> Vec<String> {
    bindings.map(|bindings| tcp(bindings.strings)).unwrap_or_default()
}

/// The addresses of string bindings of TCP.
fn tcp(bindings: Vec<StringBinding>) -> Vec<String> {
    bindings.into_iter().filter(StringBinding::is_tcp).map(|of| of.address).collect()
}
