//! Activations: what a client asks for and what it is given, in one view of three operations.
//!
//! `RemoteCreateInstance` and `RemoteGetClassObject` (3.1.2.5.2.2) say it in activation properties
//! (2.2.22), `RemoteActivation` (3.1.2.5.2.3.1) in parameters.

use serde::Serialize;

use super::view::{bits, each, number, slots, u32_of, version, wide};
use super::{Bindings, Clsid, ComVersion, HResult, Iid, Ipid, ObjRef, Oxid};
use crate::ndr::{Decoded, Value};

/// 2.2.22.2.4 `ClientImpLevel`: what the server may do in the client's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ImpersonationLevel(pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl ImpersonationLevel {
    pub const RPC_C_IMP_LEVEL_DEFAULT: Self = Self(0);
    pub const RPC_C_IMP_LEVEL_ANONYMOUS: Self = Self(1);
    pub const RPC_C_IMP_LEVEL_IDENTIFY: Self = Self(2);
    pub const RPC_C_IMP_LEVEL_IMPERSONATE: Self = Self(3);
    pub const RPC_C_IMP_LEVEL_DELEGATE: Self = Self(4);
}

/// What is asked of an activation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Activation {
    /// Whether the class object is wanted, and not an object of the class.
    pub class_object: bool,
    /// The class.
    pub class: Option<Clsid>,
    /// The interfaces wanted, in their order.
    pub iids: Vec<Iid>,
    /// What the server may do in the client's name.
    pub impersonation: Option<ImpersonationLevel>,
    /// Protocol sequences the client can use, by their identifiers.
    pub protseqs: Vec<u16>,
    /// The client's version of the protocol.
    pub version: Option<ComVersion>,
    /// The name by which the client calls the server.
    pub server_name: Option<String>,
}

/// What one interface came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActivationResult {
    /// The interface; `RemoteActivation` says it of those alone that it gives.
    pub iid: Option<Iid>,
    /// Whether it is there.
    pub result: Option<HResult>,
    /// The reference.
    pub object: Option<ObjRef>,
}

/// What an activation gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Activated {
    /// What the operation returned.
    pub status: Option<HResult>,
    /// `phr` of `RemoteActivation`: what the activation itself came to.
    pub hresult: Option<HResult>,
    /// What each interface came to, in the order in which they were asked for.
    pub results: Vec<ActivationResult>,
    /// The exporter of the object.
    pub oxid: Option<Oxid>,
    /// Where the exporter is reached.
    pub bindings: Option<Bindings>,
    /// The exporter's `IRemUnknown`.
    pub rem_unknown: Option<Ipid>,
    /// The authentication level the exporter wants at least, \[MS-RPCE\] 2.2.1.1.8.
    pub authn_hint: Option<u32>,
    /// The server's version of the protocol.
    pub version: Option<ComVersion>,
}

/// The property of this name among activation properties.
fn property<'v>(properties: &'v Value, name: &str) -> Option<&'v Value> {
    let list = properties.field("data")?.field("properties")?;
    slots(list).into_iter().find_map(|property| property.field(name))
}

fn iids(list: Option<&Value>) -> Vec<Iid> {
    list.map(|list| each(list, |iid| iid.as_guid().map(Iid))).unwrap_or_default()
}

fn protseqs(list: Option<&Value>) -> Vec<u16> {
    let one = |value: &Value| u16::try_from(value.as_u32()?).ok();
    list.map(|list| each(list, one)).unwrap_or_default()
}

/// What each interface came to, from arrays of which each may be missing.
fn results(
    asked: Option<&Value>,
    codes: Option<&Value>,
    objects: Option<&Value>,
) -> Vec<ActivationResult> {
    let [asked, codes, objects] =
        [asked, codes, objects].map(|list| list.map(slots).unwrap_or_default());
    let count = asked.len().max(codes.len()).max(objects.len());
    let one = |n| {
        let object = objects.get(n).copied().and_then(ObjRef::of);
        let asked = asked.get(n).copied().and_then(Value::as_guid).map(Iid);
        ActivationResult {
            iid: asked.or_else(|| object.as_ref()?.iid),
            result: codes.get(n).copied().and_then(Value::as_u32).map(HResult),
            object,
        }
    };
    (0..count).map(one).collect()
}

impl Activation {
    /// From activation properties.
    pub(super) fn of_properties(decoded: &Decoded, class_object: bool) -> Self {
        let mut asked = Self { class_object, ..Self::default() };
        let Some(properties) = decoded.param("pActProperties") else { return asked };
        if let Some(info) = property(properties, "InstantiationInfo") {
            asked.class = info.field("classId").and_then(Value::as_guid).map(Clsid);
            asked.iids = iids(info.field("pIID"));
            asked.version = info.field("clientCOMVersion").and_then(version);
        }
        let remote = property(properties, "ScmRequestInfo");
        if let Some(remote) = remote.and_then(|info| info.field("remoteRequest")) {
            asked.impersonation = u32_of(remote, "ClientImpLevel").map(ImpersonationLevel);
            asked.protseqs = protseqs(remote.field("pRequestedProtseqs"));
        }
        let server =
            property(properties, "SecurityInfo").and_then(|info| info.field("pServerInfo"));
        asked.server_name = server.and_then(|server| wide(server, "pwszName"));
        asked
    }

    /// From the parameters of `RemoteActivation`.
    pub(super) fn of_parameters(decoded: &Decoded) -> Self {
        /// `MODE_GET_CLASS_OBJECT`
        const CLASS_OBJECT: u32 = 0xffff_ffff;
        let number = |name| decoded.param(name).and_then(Value::as_u32);
        let before = decoded.param("ORPCthis").and_then(|this| this.field("version"));
        Self {
            class_object: number("Mode") == Some(CLASS_OBJECT),
            class: decoded.param("Clsid").and_then(Value::as_guid).map(Clsid),
            iids: iids(decoded.param("pIIDs")),
            impersonation: number("ClientImpLevel").map(ImpersonationLevel),
            protseqs: protseqs(decoded.param("aRequestedProtseqs")),
            version: before.and_then(version),
            server_name: None,
        }
    }
}

impl Activated {
    /// From activation properties.
    pub(super) fn of_properties(decoded: &Decoded, status: Option<HResult>) -> Self {
        let mut given = Self { status, ..Self::default() };
        let Some(properties) = decoded.param("ppActProperties") else { return given };
        if let Some(out) = property(properties, "PropsOutInfo") {
            given.results =
                results(out.field("piid"), out.field("phresults"), out.field("ppIntfData"));
        }
        let reply = property(properties, "ScmReplyInfo");
        if let Some(reply) = reply.and_then(|info| info.field("remoteReply")) {
            given.oxid = number(reply, "Oxid").map(Oxid);
            given.bindings = reply.field("pdsaOxidBindings").and_then(Bindings::of);
            given.rem_unknown = reply.field("ipidRemUnknown").and_then(Value::as_guid).map(Ipid);
            given.authn_hint = u32_of(reply, "authnHint");
            given.version = reply.field("serverVersion").and_then(version);
        }
        given
    }

    /// From the parameters of `RemoteActivation`.
    pub(super) fn of_parameters(decoded: &Decoded, status: Option<HResult>) -> Self {
        let param = |name| decoded.param(name);
        Self {
            status,
            hresult: param("phr").and_then(Value::as_u32).map(HResult),
            results: results(None, param("pResults"), param("ppInterfaceData")),
            oxid: param("pOxid").and_then(bits).map(Oxid),
            bindings: param("ppdsaOxidBindings").and_then(Bindings::of),
            rem_unknown: param("pipidRemUnknown").and_then(Value::as_guid).map(Ipid),
            authn_hint: param("pAuthnHint").and_then(Value::as_u32),
            version: param("pServerVersion").and_then(version),
        }
    }

    /// What the activation came to: what failed first of the operation and the activation itself.
    pub fn outcome(&self) -> Option<HResult> {
        let failed = |code: &HResult| code.0 != 0;
        self.status.filter(failed).or(self.hresult).or(self.status)
    }
}
