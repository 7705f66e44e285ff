//! References to objects as plain Rust: \[MS-DCOM\] 2.2.18, and bindings, 2.2.19.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::PROTSEQS;
use super::view::{each, number, u32_of, wide};
use crate::bytes::Guid;
use crate::ndr::{Value, bits, guid, read};

/// 2.2.18.1 `flags`: the kind of an `OBJREF`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Kind(pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl Kind {
    pub const OBJREF_STANDARD: Self = Self(1);
    pub const OBJREF_HANDLER: Self = Self(2);
    pub const OBJREF_CUSTOM: Self = Self(4);
    pub const OBJREF_EXTENDED: Self = Self(8);
}

/// 2.2.18.2 `STDOBJREF.flags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Sorf(pub u32);

impl Sorf {
    /// The object lives without pings.
    pub const SORF_NOPING: Self = Self(0x1000);

    /// Whether all bits of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// 2.2.18 `OXID`: an object exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Oxid(pub u64);

/// 2.2.16 `OID`: an object of an exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Oid(pub u64);

/// 2.2.2 `SETID`: a set of objects that are pinged together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct SetId(pub u64);

/// 2.2.17 `IPID`: an interface of an object of an exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Ipid(#[serde(with = "guid")] pub Guid);

/// \[MS-DTYP\] 2.3.4 `IID`: an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Iid(#[serde(with = "guid")] pub Guid);

/// 2.2.7 `CLSID`: a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Clsid(#[serde(with = "guid")] pub Guid);

/// What a method of an object returned: \[MS-ERREF\] 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct HResult(#[serde(with = "bits")] pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl HResult {
    pub const S_OK: Self = Self(0);
    pub const S_FALSE: Self = Self(1);
    pub const E_NOINTERFACE: Self = Self(0x8000_4002);
    pub const RPC_E_SERVERFAULT: Self = Self(0x8001_0105);
    pub const RPC_E_DISCONNECTED: Self = Self(0x8001_0108);
    pub const RPC_E_INVALID_OBJECT: Self = Self(0x8001_0114);
    pub const REGDB_E_CLASSNOTREG: Self = Self(0x8004_0154);
    pub const E_ACCESSDENIED: Self = Self(0x8007_0005);
    pub const E_INVALIDARG: Self = Self(0x8007_0057);
}

impl HResult {
    /// Whether the severity bit says failure.
    pub fn is_failure(self) -> bool {
        self.0 >> 31 == 1
    }
}

/// 2.2.11 `COMVERSION`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ComVersion {
    /// `MajorVersion`, which is 5.
    pub major: u16,
    /// `MinorVersion`
    pub minor: u16,
}

impl fmt::Display for ComVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// 2.2.19.3 `STRINGBINDING`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct StringBinding {
    /// Protocol sequence, by its identifier.
    #[serde(rename = "wTowerId")]
    pub tower: u16,
    /// Network address, with the endpoint in brackets where there is one; empty where it is cut.
    #[serde(rename = "aNetworkAddr", default)]
    pub address: String,
}

impl StringBinding {
    /// `ncacn_ip_tcp`
    pub const TCP: u16 = 7;

    /// Whether it is an address of TCP.
    pub fn is_tcp(&self) -> bool {
        self.tower == Self::TCP
    }

    /// The TCP port, where it is an address of TCP and has one.
    pub fn port(&self) -> Option<u16> {
        self.endpoint().filter(|_| self.is_tcp())?.parse().ok()
    }

    /// The address without the endpoint.
    pub fn host(&self) -> &str {
        let split = self.endpoint().and_then(|_| self.address.rsplit_once('['));
        split.map_or(&self.address, |(host, _)| host)
    }

    fn endpoint(&self) -> Option<&str> {
        self.address.strip_suffix(']')?.rsplit_once('[').map(|(_, endpoint)| endpoint)
    }
}

/// As string bindings are written: `ncacn_ip_tcp:10.0.0.1[49667]`.
impl fmt::Display for StringBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match PROTSEQS.iter().find(|(tower, _)| *tower == i64::from(self.tower)) {
            Some((_, name)) => write!(f, "{name}:{}", self.address),
            None => write!(f, "0x{:02x}:{}", self.tower, self.address),
        }
    }
}

/// 2.2.19.4 `SECURITYBINDING`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SecurityBinding {
    /// Security provider, \[MS-RPCE\] 2.2.1.1.7.
    #[serde(rename = "wAuthnSvc")]
    pub authn: u16,
    /// `wAuthzSvc`
    #[serde(rename = "wAuthzSvc", default)]
    pub authz: u16,
    /// Principal.
    #[serde(rename = "aPrincName", default)]
    pub principal: String,
}

/// 2.2.18 `OBJREF`: what an interface pointer says. Everything that was not read, or that this kind
/// has not, is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ObjRef {
    /// Its kind.
    pub kind: Option<Kind>,
    /// The interface. A `REMQIRESULT` has none: it is the one that was asked for.
    pub iid: Option<Iid>,
    /// `STDOBJREF.flags`
    pub flags: Option<Sorf>,
    /// References that come with it.
    pub public_refs: Option<u32>,
    /// The exporter.
    pub oxid: Option<Oxid>,
    /// The object.
    pub oid: Option<Oid>,
    /// The interface of the object.
    pub ipid: Option<Ipid>,
    /// Class of the handler, or of who can read a custom one.
    pub clsid: Option<Clsid>,
    /// Where the exporter's resolver is reached.
    pub bindings: Option<Vec<StringBinding>>,
    /// How it is to be spoken to.
    pub security: Option<Vec<SecurityBinding>>,
}

impl ObjRef {
    /// What an interface pointer refers to; none for a null pointer, and for what is none.
    pub fn of(value: &Value) -> Option<Self> {
        use crate::ndr::Data;
        let value = value.target();
        if !matches!(value.data, Data::Interface(_) | Data::Record(_)) {
            return None;
        }
        Some(Self::deserialize(value).unwrap_or_default())
    }

    /// The same of a `STDOBJREF` (2.2.18.2), which travels alone in a `REMQIRESULT`.
    pub fn of_std(std: &Value) -> Self {
        Self {
            flags: u32_of(std, "flags").map(Sorf),
            public_refs: u32_of(std, "cPublicRefs"),
            oxid: number(std, "oxid").map(Oxid),
            oid: number(std, "oid").map(Oid),
            ipid: std.field("ipid").and_then(Value::as_guid).map(Ipid),
            ..Self::default()
        }
    }
}

/// The members by their names in the decoded value; others are for a closer look.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members {
    #[serde(rename = "objref", with = "read")]
    kind: Option<Kind>,
    #[serde(with = "read")]
    iid: Option<Iid>,
    #[serde(with = "read")]
    flags: Option<Sorf>,
    #[serde(with = "read")]
    public_refs: Option<u32>,
    #[serde(with = "read")]
    oxid: Option<Oxid>,
    #[serde(with = "read")]
    oid: Option<Oid>,
    #[serde(with = "read")]
    ipid: Option<Ipid>,
    #[serde(with = "read")]
    clsid: Option<Clsid>,
    #[serde(with = "read")]
    bindings: Option<Vec<StringBinding>>,
    #[serde(with = "read")]
    security: Option<Vec<SecurityBinding>>,
}

impl<'de> Deserialize<'de> for ObjRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Pointed)
    }
}

struct Pointed;

impl<'de> Visitor<'de> for Pointed {
    type Value = ObjRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an interface pointer")
    }

    /// Octets that nobody has opened.
    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<ObjRef, E> {
        Ok(ObjRef::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ObjRef, A::Error> {
        let members = Members::deserialize(MapAccessDeserializer::new(map))?;
        let Members { kind, iid, flags, public_refs, oxid, oid, ipid, clsid, bindings, security } =
            members;
        Ok(ObjRef { kind, iid, flags, public_refs, oxid, oid, ipid, clsid, bindings, security })
    }
}

/// 2.2.19.1 `DUALSTRINGARRAY`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bindings {
    /// Where something is reached.
    pub strings: Vec<StringBinding>,
    /// How it is to be spoken to.
    pub security: Vec<SecurityBinding>,
}

impl Bindings {
    /// What an array of bindings says; none where it is a null pointer or was not read.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let array = value.field("aStringArray")?;
        let string = |value: &Value| {
            let tower = u16::try_from(u32_of(value, "wTowerId")?).ok()?;
            Some(StringBinding { tower, address: wide(value, "aNetworkAddr")? })
        };
        let security = |value: &Value| {
            Some(SecurityBinding {
                authn: u16::try_from(u32_of(value, "wAuthnSvc")?).ok()?,
                authz: u16::try_from(u32_of(value, "wAuthzSvc")?).ok()?,
                principal: wide(value, "aPrincName")?,
            })
        };
        Some(Self {
            strings: each(array.field("bindings")?, string),
            security: array.field("security").map(|list| each(list, security)).unwrap_or_default(),
        })
    }

    /// The first TCP port.
    pub fn port(&self) -> Option<u16> {
        self.strings.iter().find_map(StringBinding::port)
    }
}
