//! What a call of \[MS-SCMP\] asks and tells, reduced to what the rules look at.

use crate::bytes::Guid;
use crate::call::{Call, Stub};
use crate::ndr::{Counts, Data, Value};
use crate::objects::Reference;
pub(in crate::check) use crate::protocol::scmp::{
    CLASS, DIFF_MGMT as DIFF, ENUM_MGMT_OBJECT as ENUM_MGMT, ENUM_OBJECT, PROVIDER,
    SNAPSHOT_MGMT as MGMT,
};

/// Later forms of the interface for storage (Windows SDK, vsmgmt.h).
pub(in crate::check) const LATER_DIFF: [Guid; 2] = [
    Guid::from_u128(0x949d_7353_675f_4275_8969_f044_c627_7815),
    Guid::from_u128(0x383f_7e71_a4c5_401f_b27f_f826_289f_8458),
];

/// The interfaces of \[MS-SCMP\], with their names and the last opnum of each (Appendix A).
pub(in crate::check) const INTERFACES: [(Guid, &str, u16); 4] = [
    (MGMT, "IVssSnapshotMgmt", 5),
    (DIFF, "IVssDifferentialSoftwareSnapshotMgmt", 7),
    (ENUM_OBJECT, "IVssEnumObject", 6),
    (ENUM_MGMT, "IVssEnumMgmtObject", 6),
];

/// Name of an interface, if it is one of \[MS-SCMP\].
pub(in crate::check) fn interface_name(iid: Guid) -> Option<&'static str> {
    INTERFACES.iter().find(|(of, ..)| *of == iid).map(|(_, name, _)| *name)
}

/// A method that makes an enumerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Query {
    /// `QueryVolumesSupportedForSnapshots`
    Volumes,
    /// `QuerySnapshotsByVolume`
    Snapshots,
    /// `QueryVolumesSupportedForDiffAreas`
    DiffVolumes,
    /// `QueryDiffAreasForVolume`
    AreasFor,
    /// `QueryDiffAreasOnVolume`
    AreasOn,
}

impl Query {
    /// The section of the method.
    pub(super) fn section(self) -> &'static str {
        match self {
            Self::Volumes => "3.1.1.4.2",
            Self::Snapshots => "3.1.1.4.3",
            Self::DiffVolumes => "3.1.4.4.4",
            Self::AreasFor => "3.1.4.4.5",
            Self::AreasOn => "3.1.4.4.6",
        }
    }

    /// The interface of its enumerator.
    pub(super) fn enumerator(self) -> Guid {
        if self == Self::Snapshots { ENUM_OBJECT } else { ENUM_MGMT }
    }

    /// `Type` of its elements, and the name of their structure.
    pub(super) fn element(self) -> (u32, &'static str) {
        match self {
            Self::Volumes => (1, "VSS_VOLUME_PROP"),
            Self::Snapshots => (3, "VSS_SNAPSHOT_PROP"),
            Self::DiffVolumes => (2, "VSS_DIFF_VOLUME_PROP"),
            Self::AreasFor | Self::AreasOn => (3, "VSS_DIFF_AREA_PROP"),
        }
    }

    /// The name of the method.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Volumes => "QueryVolumesSupportedForSnapshots",
            Self::Snapshots => "QuerySnapshotsByVolume",
            Self::DiffVolumes => "QueryVolumesSupportedForDiffAreas",
            Self::AreasFor => "QueryDiffAreasForVolume",
            Self::AreasOn => "QueryDiffAreasOnVolume",
        }
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    /// `GetProviderMgmtInterface`
    Interface {
        provider: Guid,
        iid: Guid,
    },
    /// A query: the provider where it has one, the volume where it has one, `lContext` likewise.
    Query {
        query: Query,
        provider: Option<Guid>,
        volume: Option<Name>,
        context: Option<u32>,
    },
    /// `AddDiffArea`, or `ChangeDiffAreaMaximumSize`.
    Size {
        change: bool,
        volume: Option<Text>,
        storage: Option<Text>,
        size: i64,
    },
    Next {
        celt: u32,
    },
    Skip {
        celt: u32,
    },
    Reset,
    /// Whether an interface pointer came along.
    Clone {
        given: bool,
    },
}

/// A name of something; none where the pointer is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(pub(super) Option<Text>);

/// A string as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    /// What is wrong with it, if something is.
    pub(super) fault: Option<String>,
}

/// What `Next` tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Elements {
    pub(super) list: Vec<Element>,
    pub(super) fetched: Option<u32>,
    pub(super) max: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) actual: Option<u64>,
}

/// `VSS_OBJECT_PROP` or `VSS_MGMT_OBJECT_PROP`.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) kind: u32,
    pub(super) tag: u32,
    pub(super) arm: Arm,
}

/// The arm of the union.
#[derive(Clone, Debug)]
pub(super) enum Arm {
    None,
    Volume { name: Option<Text>, display: Option<Text> },
    DiffVolume { name: Option<Text>, display: Option<Text>, free: i64, total: i64 },
    Area { volume: Option<Text>, storage: Option<Text>, max: i64, allocated: i64, used: i64 },
    Snapshot(Box<Snapshot>),
    Provider,
}

/// `VSS_SNAPSHOT_PROP`
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) id: Guid,
    pub(super) set: Guid,
    pub(super) count: i64,
    pub(super) device: Option<Text>,
    pub(super) volume: Option<Text>,
    pub(super) origin: Option<Text>,
    pub(super) service: Option<Text>,
    pub(super) exposed_name: Option<Text>,
    pub(super) exposed_path: Option<Text>,
    pub(super) provider: Guid,
    pub(super) attributes: u32,
    pub(super) created: i64,
    pub(super) status: u32,
}

/// What is told.
#[derive(Clone, Debug)]
pub(super) enum Tell {
    Pointer(Pointer),
    Elements(Elements),
    /// No more than the result.
    Result,
}

/// An interface pointer that is a result.
#[derive(Clone, Debug)]
pub(super) struct Pointer {
    /// Whether it is NULL.
    pub(super) null: bool,
    /// What it refers to, where that is an object.
    pub(super) reference: Option<Reference>,
    /// Kind of the `OBJREF`, where one was read.
    pub(super) kind: Option<u32>,
}

/// The request of a call, if all of it could be read.
pub(super) fn ask(call: &Call) -> Option<Ask> {
    let stub = readable(&call.request)?;
    let interface = call.rpc.interface?.uuid;
    let guid = |name| param(stub, name)?.as_guid();
    let volume = |name| Some(text(param(stub, name)?));
    let query = |query, provider, volume: Option<Option<Text>>, context| {
        let volume = volume.map(Name);
        Ask::Query { query, provider, volume, context }
    };
    Some(match (interface, call.rpc.opnum?) {
        (MGMT, 3) => Ask::Interface { provider: guid("ProviderId")?, iid: guid("InterfaceId")? },
        (MGMT, 4) => {
            let context = param(stub, "lContext")?.as_u32()?;
            query(Query::Volumes, Some(guid("ProviderId")?), None, Some(context))
        }
        (MGMT, 5) => {
            let provider = Some(guid("ProviderId")?);
            query(Query::Snapshots, provider, Some(volume("pwszVolumeName")?), None)
        }
        (DIFF, opnum @ (3 | 4)) => Ask::Size {
            change: opnum == 4,
            volume: volume("pwszVolumeName")?,
            storage: volume("pwszDiffAreaVolumeName")?,
            size: param(stub, "llMaximumDiffSpace")?.as_i64()?,
        },
        (DIFF, 5) => query(Query::DiffVolumes, None, Some(volume("pwszOriginalVolumeName")?), None),
        (DIFF, 6) => query(Query::AreasFor, None, Some(volume("pwszVolumeName")?), None),
        (DIFF, 7) => query(Query::AreasOn, None, Some(volume("pwszVolumeName")?), None),
        (ENUM_OBJECT | ENUM_MGMT, 3) => Ask::Next { celt: param(stub, "celt")?.as_u32()? },
        (ENUM_OBJECT | ENUM_MGMT, 4) => Ask::Skip { celt: param(stub, "celt")?.as_u32()? },
        (ENUM_OBJECT | ENUM_MGMT, 5) => Ask::Reset,
        (ENUM_OBJECT | ENUM_MGMT, 6) => {
            Ask::Clone { given: param(stub, "ppenum")?.target().data != Data::Null }
        }
        _ => return None,
    })
}

/// The response of a call, if all of it could be read.
pub(super) fn tell(call: &Call) -> Option<Tell> {
    let stub = readable(&call.response)?;
    let interface = call.rpc.interface?.uuid;
    Some(match (interface, call.rpc.opnum?) {
        (MGMT, 3) => Tell::Pointer(pointer(param(stub, "ppItf")?)),
        (MGMT, 4 | 5) | (DIFF, 5..=7) => Tell::Pointer(pointer(param(stub, "ppEnum")?)),
        (ENUM_OBJECT | ENUM_MGMT, 6) => Tell::Pointer(pointer(param(stub, "ppenum")?)),
        (ENUM_OBJECT | ENUM_MGMT, 3) => Tell::Elements(elements(stub)),
        _ => Tell::Result,
    })
}

fn readable(stub: &Stub) -> Option<&Stub> {
    Some(stub).filter(|stub| stub.readable.is_clear())
}

fn param<'c>(stub: &'c Stub, name: &str) -> Option<&'c Value> {
    stub.decoded.as_ref()?.param(name)
}

/// A string, or NULL.
fn text(value: &Value) -> Option<Text> {
    let sent = value.as_text()?;
    let mut fault = None;
    if let Some((offset @ 1.., _)) = sent.counts.offset {
        fault = Some(format!("its offset is {offset}, not 0"));
    }
    if let (Some((actual, _)), Some((max, _))) = (sent.counts.actual, sent.counts.max)
        && actual > max
    {
        fault = Some(format!("its actual_count {actual} exceeds its max_count {max}"));
    }
    if !sent.terminated() {
        fault = Some("it has no terminator".to_owned());
    }
    let text = sent.to_string();
    if text.contains('\0') {
        fault = Some("it has a null character before its end".to_owned());
    }
    Some(Text { text, fault })
}

fn pointer(value: &Value) -> Pointer {
    let target = value.target();
    let kind = target.field("objref").and_then(Value::as_u32);
    Pointer { null: target.data == Data::Null, reference: Reference::of(target), kind }
}

fn elements(stub: &Stub) -> Elements {
    let fetched = param(stub, "pceltFetched").and_then(Value::as_u32);
    let Some(array) = param(stub, "rgelt").map(Value::target) else { return Elements::default() };
    let Data::List(list) = &array.data else { return Elements { fetched, ..Elements::default() } };
    let Counts { max, offset, actual } = list.counts;
    let count = |of: Option<(u64, _)>| of.map(|(n, _)| n);
    Elements {
        list: list.items.iter().filter_map(element).collect(),
        fetched,
        max: count(max),
        offset: count(offset),
        actual: count(actual),
    }
}

fn element(value: &Value) -> Option<Element> {
    let kind = value.field("Type")?.as_u32()?;
    let Data::Union(union) = &value.field("Obj")?.target().data else { return None };
    let tag = union.tag.as_u32()?;
    let arm = match &union.arm {
        None => Arm::None,
        Some((name, of)) => arm(name, of).unwrap_or(Arm::None),
    };
    Some(Element { kind, tag, arm })
}

fn arm(name: &str, of: &Value) -> Option<Arm> {
    let string = |name: &str| of.field(name).and_then(text);
    let size = |name: &str| of.field(name)?.as_i64();
    let guid = |name: &str| of.field(name)?.as_guid();
    let number = |name: &str| of.field(name)?.as_u32();
    Some(match name {
        "Vol" => Arm::Volume {
            name: string("m_pwszVolumeName"),
            display: string("m_pwszVolumeDisplayName"),
        },
        "DiffVol" => Arm::DiffVolume {
            name: string("m_pwszVolumeName"),
            display: string("m_pwszVolumeDisplayName"),
            free: size("m_llVolumeFreeSpace")?,
            total: size("m_llVolumeTotalSpace")?,
        },
        "DiffArea" => Arm::Area {
            volume: string("m_pwszVolumeName"),
            storage: string("m_pwszDiffAreaVolumeName"),
            max: size("m_llMaximumDiffSpace")?,
            allocated: size("m_llAllocatedDiffSpace")?,
            used: size("m_llUsedDiffSpace")?,
        },
        "Snap" => Arm::Snapshot(Box::new(Snapshot {
            id: guid("m_SnapshotId")?,
            set: guid("m_SnapshotSetId")?,
            count: size("m_lSnapshotsCount")?,
            device: string("m_pwszSnapshotDeviceObject"),
            volume: string("m_pwszOriginalVolumeName"),
            origin: string("m_pwszOriginatingMachine"),
            service: string("m_pwszServiceMachine"),
            exposed_name: string("m_pwszExposedName"),
            exposed_path: string("m_pwszExposedPath"),
            provider: guid("m_ProviderId")?,
            attributes: number("m_lSnapshotAttributes")?,
            created: size("m_tsCreationTimestamp")?,
            status: number("m_eStatus")?,
        })),
        "Prov" => Arm::Provider,
        _ => return None,
    })
}
